"""Decentralized identifiers that carry their own key: did:key and did:jwk. Nothing here fetches.

Those that need a document are resolved by :mod:`vc.documents`.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from vc.canon import Limits, canonicalize, parse_object
from vc.errors import Finding, Malformed, Rejected, Unsupported
from vc.jwk import parse_jwk, public_jwk
from vc.keys import PublicKey, parse_multikey
from vc.multibase import decode_base64url, encode_base64url

MAX_DID: Final = 1024  # a did:key of BLS12-381 G2, named twice, has 279 characters; a did:jwk of P-384 about 250
JWK_LIMITS: Final = Limits(size=MAX_DID, depth=4)  # a key with its certificate thumbprints is flat

_WHERE: Final = "/proof/verificationMethod"


@dataclass(frozen=True, slots=True)
class VerificationMethod:
    """A public key, its URL and the DID that controls it (cid#verification-methods)."""

    id: str
    controller: str
    public: PublicKey


@dataclass(frozen=True, slots=True)
class DidUrl:
    """The parts of a DID URL (did-core#did-url-syntax). A path or a query is left in ``identifier``, where each method
    refuses it: what a query chooses, such as an older version, is never the signer's to choose."""

    did: str
    method: str
    identifier: str
    fragment: str

    @classmethod
    def parse(cls, url: str) -> "DidUrl":
        """Raises :class:`Malformed`."""
        if len(url) > MAX_DID:
            raise Malformed(_WHERE, f"longer than {MAX_DID} characters", code="TOO_LARGE")
        did, _, fragment = url.partition("#")
        scheme, _, rest = did.partition(":")
        method, _, identifier = rest.partition(":")
        if scheme != "did" or not method or not identifier:
            raise Malformed(_WHERE, "not a DID URL", code="BAD_METHOD")
        return cls(did, method, identifier, fragment)


def did_key(public: PublicKey) -> str:
    """The did:key of a public key (did-method-key#format)."""
    return f"did:key:{public.multikey}"


def did_key_method(public: PublicKey) -> str:
    """The URL of a did:key's one verification method."""
    return f"did:key:{public.multikey}#{public.multikey}"


def did_jwk(public: PublicKey) -> str:
    """The did:jwk of a public key (did-jwk#create), canonical, so that one key has one of ours.

    Raises :class:`Unsupported` for a kind of key that JWK has no name for here.
    """
    return f"did:jwk:{encode_base64url(canonicalize(public_jwk(public)))}"


def did_jwk_method(public: PublicKey) -> str:
    """The URL of a did:jwk's one verification method (did-jwk#to-create-the-did-url)."""
    return f"{did_jwk(public)}#0"


@lru_cache(maxsize=4096)
def resolve_method(url: str) -> VerificationMethod:
    """The verification method that ``url`` names (cid#retrieve-verification-method), for ``did:key`` and ``did:jwk``.

    Raises :class:`Malformed`, :class:`Unsupported`, or :class:`Rejected` for a key that is not for signatures.
    """
    parts = DidUrl.parse(url)
    if parts.method == "key":
        return VerificationMethod(url, parts.did, _key(parts))
    if parts.method == "jwk":
        return VerificationMethod(url, parts.did, _jwk(parts))
    raise Unsupported("DID method", parts.method, code="UNSUPPORTED_DID")


def _key(parts: DidUrl) -> PublicKey:
    if parts.fragment != parts.identifier:
        raise Malformed(_WHERE, "a did:key has one method, named by the key itself", code="BAD_METHOD")
    return parse_multikey(parts.identifier)


def _jwk(parts: DidUrl) -> PublicKey:
    """did-jwk#read: the same key has many spellings, and each is another DID."""
    if parts.fragment != "0":
        raise Malformed(_WHERE, "a did:jwk has one method, named 0", code="BAD_METHOD")
    jwk = parse_object(decode_base64url(parts.identifier, where=_WHERE), where=_WHERE, limits=JWK_LIMITS)
    if jwk.get("use", "sig") != "sig":
        raise Rejected((not_for_purpose("signatures"),))
    return parse_jwk(jwk, where=_WHERE)


def not_for_purpose(purpose: str) -> Finding:
    """What is wrong with a method that its DID document does not list under ``purpose``."""
    return Finding(
        "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD", f"this key of the signer is not for {purpose[:60]}", _WHERE
    )
