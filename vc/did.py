"""Decentralized identifiers, resolved from what is given: nothing here fetches."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from vc.errors import Malformed, Unsupported
from vc.keys import PublicKey, parse_multikey

MAX_DID: Final = 512  # the longest did:key URL in use, a BLS12-381 G2 key named twice, has 279 characters


@dataclass(frozen=True, slots=True)
class VerificationMethod:
    """A public key, its URL and the DID that controls it (cid#verification-methods)."""

    id: str
    controller: str
    public: PublicKey


def did_key(public: PublicKey) -> str:
    """The did:key of a public key (did-method-key#format)."""
    return f"did:key:{public.multikey}"


def did_key_method(public: PublicKey) -> str:
    """The URL of a did:key's one verification method."""
    return f"did:key:{public.multikey}#{public.multikey}"


@lru_cache(maxsize=4096)
def resolve_method(url: str) -> VerificationMethod:
    """The verification method that ``url`` names (cid#retrieve-verification-method), for ``did:key``.

    Raises :class:`Malformed` or :class:`Unsupported`.
    """
    if len(url) > MAX_DID:
        raise Malformed("/proof/verificationMethod", f"longer than {MAX_DID} characters", code="TOO_LARGE")
    did, mark, fragment = url.partition("#")
    scheme, _, rest = did.partition(":")
    method, _, identifier = rest.partition(":")
    if scheme != "did" or not method or not identifier:
        raise Malformed("/proof/verificationMethod", "not a DID URL", code="BAD_METHOD")
    if method != "key":
        raise Unsupported("DID method", method, code="UNSUPPORTED_DID")
    if not mark or fragment != identifier:
        raise Malformed(
            "/proof/verificationMethod", "a did:key has one method, named by the key itself", code="BAD_METHOD"
        )
    return VerificationMethod(url, did, parse_multikey(identifier))
