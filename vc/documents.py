"""Resolving DIDs from given documents and from nothing else: what is not given is not known. Nothing here fetches."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from vc.canon import Limits, parse_object
from vc.did import DidUrl, VerificationMethod, resolve_method
from vc.did_document import DidDocument
from vc.did_web import did_web_url
from vc.did_webvh import History, read_log
from vc.errors import Undetermined, Unsupported

DOCUMENT_LIMITS: Final = Limits(size=1 << 18)  # 256 keys of the largest kind take half of it

SELF_DESCRIBED: Final = frozenset({"key", "jwk"})


@dataclass(frozen=True, slots=True)
class Earlier:
    """A document that a did:web had until a moment."""

    until: datetime
    raw: bytes


@dataclass(frozen=True, slots=True)
class Given:
    """The bytes that stand for one DID: ``did.json`` of a did:web; ``did.jsonl`` and ``did-witness.json`` of a
    did:webvh. A did:web keeps no history itself: what it said before is ``earlier``, oldest first."""

    raw: bytes
    witness: bytes | None = None
    earlier: tuple[Earlier, ...] = ()


@dataclass(frozen=True, slots=True)
class Documents:
    """Given documents by DID. They are read when they are asked for, so that one that is bad spoils no other."""

    given: Mapping[str, Given]

    @classmethod
    def of(cls, given: Mapping[str, Given]) -> "Documents":
        """The documents of these DIDs, frozen."""
        return cls(MappingProxyType(dict(given)))


NO_DOCUMENTS: Final = Documents.of({})


def resolve(
    url: str, *, documents: Documents, purpose: str, at: datetime | None, signed: datetime | None = None
) -> VerificationMethod:
    """The verification method that ``url`` names, for ``purpose`` (cid#retrieve-verification-method).

    ``at`` is the moment of verification and ``signed`` the moment that the signature states: did:webvh answers with
    the keys that were in force when it was made. Without ``at`` the newest counts, and no key that ever ends.

    Raises :class:`Undetermined` where the document is not given, :class:`Rejected` where the method is not what it
    would have to be, :class:`Malformed` or :class:`Unsupported`.
    """
    parts = DidUrl.parse(url)
    if parts.method in SELF_DESCRIBED:
        return resolve_method(url)
    moment = _earlier(at, signed)
    given = _given(parts, documents)
    if parts.method == "webvh":
        return _history(parts.did, given.raw, given.witness).document(moment).method(url, purpose=purpose, at=at)
    newest = _web(parts.did, given.raw)
    past = next((one for one in given.earlier if moment is not None and moment < one.until), None)
    if past is None or url in newest.methods:  # what it says of a key now, such as its end, counts for every day
        return newest.method(url, purpose=purpose, at=at)
    return _web(parts.did, past.raw).method(url, purpose=purpose, at=at)


def _earlier(at: datetime | None, signed: datetime | None) -> datetime | None:
    """The moment to look up: that of signing, unless it is said to be yet to come."""
    return min((moment for moment in (at, signed) if moment is not None), default=None)


def _given(parts: DidUrl, documents: Documents) -> Given:
    if parts.method not in ("web", "webvh"):
        raise Unsupported("DID method", parts.method, code="UNSUPPORTED_DID")
    given = documents.given.get(parts.did)
    if given is None:
        raise Undetermined(
            "the DID document of the signer is not held here", "get a trust file that holds it", code="DID_UNKNOWN"
        )
    return given


@lru_cache(maxsize=64)  # a batch shares its issuers; what is kept are the bytes, too
def _web(did: str, raw: bytes) -> DidDocument:
    did_web_url(did)  # its syntax
    return DidDocument.parse(parse_object(raw, where="DID document", limits=DOCUMENT_LIMITS), did=did)


@lru_cache(maxsize=64)  # likewise; a log costs a signature check for each of its entries
def _history(did: str, raw: bytes, witness: bytes | None) -> History:
    return read_log(raw, did=did, witness=witness)
