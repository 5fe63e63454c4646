"""DID documents (did-core#core-properties), as far as verification needs them: which key stands under which purpose."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from vc.canon import Json
from vc.did import VerificationMethod, not_for_purpose
from vc.errors import Finding, Malformed, Rejected, Unsupported
from vc.jwk import parse_jwk
from vc.keys import PublicKey, parse_multikey
from vc.model import Object, parse_date_time

MAX_METHODS: Final = 256  # a key a month for twenty years
BAD: Final = "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT"

PURPOSES: Final = ("assertionMethod", "authentication")

_KEY_MEMBERS: Final[Mapping[str, str]] = {
    "Multikey": "publicKeyMultibase",
    "Ed25519VerificationKey2020": "publicKeyMultibase",
    "JsonWebKey": "publicKeyJwk",
    "JsonWebKey2020": "publicKeyJwk",
}


@dataclass(frozen=True, slots=True)
class DidDocument:
    """A DID document: its DID, its verification methods by URL, and the URLs under each purpose.

    Keys are read when they are asked for, so that one of a kind that we do not know does not spoil the others.
    """

    id: str
    methods: Mapping[str, Object]
    purposes: Mapping[str, frozenset[str]]

    @classmethod
    def parse(cls, document: Json, *, did: str, where: str = "DID document") -> "DidDocument":
        """The document of ``did`` (cid#retrieve-verification-method, steps 3 to 6). Raises :class:`Malformed`."""
        if not isinstance(document, dict):
            raise Malformed(where, "not an object", code=BAD)
        if document.get("id") != did:
            raise Malformed(f"{where} /id", "is about another DID", code="INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID")
        methods: dict[str, Object] = {}
        for url, entry in _methods(document, "verificationMethod", where):
            _add(methods, url, entry, where)
        purposes = {name: frozenset(_purpose(document, name, methods, where)) for name in PURPOSES}
        return cls(did, methods, purposes)

    def method(self, url: str, *, purpose: str, at: datetime | None) -> VerificationMethod:
        """The method at ``url``, for ``purpose``, as of ``at`` (cid#retrieve-verification-method, steps 7 to 11).

        Raises :class:`Rejected` where the document has no such method, another one controls it, it is not for this
        purpose, or it has ended; :class:`Malformed` or :class:`Unsupported` where its key cannot be read.
        """
        entry = self.methods.get(url)
        if entry is None:
            raise Rejected((_invalid("the DID document of the signer has no such key"),))
        if entry.get("controller") != self.id:  # it would speak for a DID that has not said so
            raise Rejected((_invalid("this key of the signer is under the control of another DID"),))
        if url not in self.purposes.get(purpose, frozenset()):
            raise Rejected((not_for_purpose(purpose),))
        _check_end(entry, at)
        return VerificationMethod(url, self.id, _public_key(entry))


def _invalid(why: str) -> Finding:
    return Finding("INVALID_VERIFICATION_METHOD", why, "/proof/verificationMethod")


def _check_end(entry: Object, at: datetime | None) -> None:
    """cid#verification-methods: from the moment of ``revoked`` or ``expires`` on, nothing by this key is verified."""
    for name in ("revoked", "expires"):
        if name in entry:
            end = parse_date_time(entry[name], where=f"/verificationMethod/{name}")
            if at is None or at >= end:  # without a moment it cannot be told whether the key still counts
                raise Rejected((_invalid("this key of the signer no longer counts"),))


def _methods(document: Object, name: str, where: str) -> Iterator[tuple[str, Object]]:
    """The method objects in a member of the document, each with its URL."""
    for entry in _list(document, name, where):
        if not isinstance(entry, dict):
            raise Malformed(f"{where} /{name}", "not a list of verification methods", code=BAD)
        yield _url(entry.get("id"), where), entry


def _purpose(document: Object, name: str, methods: dict[str, Object], where: str) -> Iterator[str]:
    """The URLs under one purpose (did-core#verification-relationships); methods that stand only here are added."""
    for entry in _list(document, name, where):
        if isinstance(entry, dict):
            url = _url(entry.get("id"), where)
            _add(methods, url, entry, where)
            yield url
        else:
            yield _url(entry, where)


def _add(methods: dict[str, Object], url: str, entry: Object, where: str) -> None:
    if url in methods:  # two keys of one name: which one is meant would be the reader's choice
        raise Malformed(where, "names two verification methods alike", code=BAD)
    methods[url] = entry


def _url(value: Json, where: str) -> str:
    """did-method-web#key-material-and-document-handling: absolute, so that no key is confused with another's."""
    if not isinstance(value, str) or not value.startswith("did:") or "#" not in value:
        raise Malformed(where, "names a verification method by something else than an absolute DID URL", code=BAD)
    return value


def _list(document: Object, name: str, where: str) -> list[Json]:
    value = document.get(name, [])
    if not isinstance(value, list) or len(value) > MAX_METHODS:
        raise Malformed(f"{where} /{name}", f"not a list of at most {MAX_METHODS}", code=BAD)
    return value


def _public_key(entry: Object) -> PublicKey:
    kind = entry.get("type")
    member = _KEY_MEMBERS.get(kind) if isinstance(kind, str) else None
    if member is None:
        raise Unsupported("verification method", str(kind), code="UNSUPPORTED_KEY")
    value = entry.get(member)
    if member == "publicKeyJwk":
        return parse_jwk(value)
    if not isinstance(value, str):
        raise Malformed(member, "missing, or not a text", code="BAD_KEY")
    return parse_multikey(value)
