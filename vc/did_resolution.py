"""did:key over the HTTP binding of DID Resolution, with the error names of did-method-key's 2023 draft.

For other programs that ask; verification itself never makes a document of a did:key (:mod:`vc.did`). The old draft is
the one whose public test suite exists, so its quirks are kept: an error carries an empty document, never null.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from vc.canon import Json
from vc.did import MAX_DID
from vc.errors import Unsupported, VcError
from vc.jwk import public_jwk
from vc.keys import BLS12_381_G2, ED25519, P256, P384, X25519, KeyKind, PublicKey, parse_multikey

RESOLUTION_CONTEXT: Final = "https://w3id.org/did-resolution/v1"
DOCUMENT_CONTEXTS: Final = ("https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1")
SIGNING: Final = ("authentication", "assertionMethod", "capabilityInvocation", "capabilityDelegation")

_URL: Final = re.compile(r"[A-Za-z0-9._~:@!$&'()*+,;=%/?#-]+\Z")  # RFC 3986: the characters of a URL
_VERSION: Final = re.compile(r"[1-9][0-9]{0,8}\Z")
_FORMATS: Final[Mapping[str, tuple[KeyKind, ...]]] = MappingProxyType(
    {
        "Multikey": (ED25519, X25519, P256, P384, BLS12_381_G2),
        "JsonWebKey2020": (ED25519, X25519, P256, P384),
        "Ed25519VerificationKey2020": (ED25519,),
        "X25519KeyAgreementKey2020": (X25519,),
    }
)
# Formats of which only the name is known here: not unknown, but not to be had either.
_EXPERIMENTAL: Final = frozenset({"Ed25519VerificationKey2018", "X25519KeyAgreementKey2019"})
_ERRORS: Final[Mapping[str, str]] = MappingProxyType({"BAD_KEY": "invalidPublicKeyLength"})


@dataclass(frozen=True, slots=True)
class Resolution:
    """The answer to a resolution request, and whether something was found."""

    document: Mapping[str, Json]
    found: bool


def resolve_did_key(url: str, *, key_format: str | None = None) -> Resolution:
    """did-method-key#read: the document of a did:key, or for a URL with a fragment the method that it names."""
    did, hash_, fragment = url.partition("#")
    key = _key(url, did)
    if isinstance(key, Resolution):
        return key
    wanted = key_format or "Multikey"
    if key.kind not in _FORMATS.get(wanted, ()):
        known = wanted in _FORMATS or wanted in _EXPERIMENTAL
        return _error("invalidPublicKeyType" if known else "unsupportedPublicKeyType", dereferencing=known)
    entry = _method(did, key, wanted)
    if not hash_:
        return _found(_document(did, key, entry))
    return _found(entry) if fragment == key.multikey else _error("notFound", dereferencing=True)


def _key(url: str, did: str) -> PublicKey | Resolution:
    """The key of a did:key, which may state a version; or what is wrong with it."""
    if did.startswith("did:") and not _URL.match(url):
        return _error("invalidDidUrl", dereferencing=True)
    scheme, _, rest = did.partition(":")
    method, _, identifier = rest.partition(":")
    version, _, multibase = identifier.rpartition(":")
    if scheme == "did" and method not in ("", "key"):
        return _error("methodNotSupported")
    odd = scheme != "did" or len(url) > MAX_DID or bool(version and not _VERSION.match(version))
    if odd or not multibase.startswith("z"):
        return _error("invalidDid")
    try:
        return parse_multikey(multibase)
    except VcError as error:
        return _error(_name(error))


def _name(error: VcError) -> str:
    if isinstance(error, Unsupported):
        return "unsupportedPublicKeyType"
    return _ERRORS.get(error.code, "invalidDid")


def _document(did: str, key: PublicKey, entry: dict[str, Json]) -> dict[str, Json]:
    purposes = ("keyAgreement",) if key.kind == X25519 else SIGNING
    return {
        "@context": list[Json](DOCUMENT_CONTEXTS),
        "id": did,
        "verificationMethod": [entry],
        **{purpose: [entry["id"]] for purpose in purposes},
    }


def _method(did: str, key: PublicKey, key_format: str) -> dict[str, Json]:
    method: dict[str, Json] = {"id": f"{did}#{key.multikey}", "type": key_format, "controller": did}
    if key_format == "JsonWebKey2020":
        return {**method, "publicKeyJwk": public_jwk(key)}
    return {**method, "publicKeyMultibase": key.multikey}


def _found(document: dict[str, Json]) -> Resolution:
    return Resolution(_answer(document, {"didResolutionMetadata": {"contentType": "application/did+json"}}), True)


def _error(name: str, *, dereferencing: bool = False) -> Resolution:
    member = "didDereferencingMetadata" if dereferencing else "didResolutionMetadata"
    return Resolution(_answer({}, {member: {"error": name}}), False)


def _answer(document: dict[str, Json], metadata: dict[str, Json]) -> dict[str, Json]:
    return {"@context": RESOLUTION_CONTEXT, "didDocument": document, "didDocumentMetadata": {}, **metadata}
