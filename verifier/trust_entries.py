"""What says who an issuer is, in the forms that exist, as entries for a list (docs/trust-list.md).

An entry is what ``ouvrage issuer keys --json`` prints: ``issuer``, ``documents`` and ``public``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from vc.canon import Json, Limits, parse_json, parse_object, to_json
from vc.did_document import DidDocument
from vc.did_web import did_web_url
from vc.did_webvh import History, read_log
from vc.errors import Malformed
from vc.model import format_date_time
from vc.proof import ASSERTION
from vc.trust import TrustedIssuer
from verifier.trust_etsi import read_trusted_list
from verifier.trust_federation import MAX_CHAIN, read_anchor, verify_trust_chain

LIMITS: Final = Limits(size=4 << 20)


@dataclass(frozen=True, slots=True)
class Said:
    """What the publisher says of an entry beside what it says itself."""

    name: str = ""
    legal_identifier: str = ""
    may_attest: tuple[str, ...] = ()
    since: datetime | None = None  # since when keys count whose document does not say
    anchor: bytes | None = None
    sha256: str | None = None
    services: tuple[str, ...] = ()
    names: tuple[str, ...] = ()  # that certificates under a listed authority have to state


def read_entries(raw: bytes, said: Said, *, held: Mapping[str, TrustedIssuer], at: datetime) -> list[bytes]:
    """The entries that a file holds; ``held`` are the issuers that are known already, by legal identifier.

    Raises :class:`Malformed`, :class:`Unsupported`, :class:`Rejected` or :class:`Undetermined`.
    """
    start = raw.lstrip(b"\xef\xbb\xbf \r\n\t")[:1]
    if start == b"<":
        found = read_trusted_list(raw, said.sha256, said.services, said.may_attest, names=said.names, at=at)
        return [to_json(entry) for entry in found]
    if start == b"[":
        return [_chain(parse_json(raw, where="trust chain", limits=LIMITS), said, at)]
    if b"\n{" in raw.strip() or b'"versionId"' in raw[:400]:
        return [_log(raw, said, held)]
    document = parse_object(raw, where="issuer entry", limits=LIMITS)
    if "trust_chain" in document:
        return [_chain(document["trust_chain"], said, at)]
    if "issuer" in document:
        return [raw]
    return [_document(raw, document, said, held, at)]


def _who(said: Said, keys: Sequence[Json], *, name: str = "", identifier: str = "") -> dict[str, Json]:
    given = {
        "--name": said.name or name,
        "--legal-identifier": said.legal_identifier or identifier,
        "--may-attest": said.may_attest,
    }
    for option, value in given.items():
        if not value:
            raise Malformed(option, "the entry does not say it, so you have to", code="USAGE")
    return {
        "name": said.name or name,
        "legalIdentifier": said.legal_identifier or identifier,
        "mayAttest": list[Json](said.may_attest),
        "keys": list(keys),
    }


def _key(method: str, start: datetime, end: datetime | None) -> dict[str, Json]:
    return {
        "id": method,
        "validFrom": format_date_time(start.replace(microsecond=0)),
        "validUntil": None if end is None else format_date_time(end.replace(microsecond=0)),
    }


# ---- DIDs ------------------------------------------------------------------------------------------------------------


def _document(
    raw: bytes, document: Mapping[str, Json], said: Said, held: Mapping[str, TrustedIssuer], at: datetime
) -> bytes:
    """A did:web document tells today's keys: those that it no longer has end today, and keep their window."""
    did = document.get("id")
    if not isinstance(did, str) or not did.startswith("did:web:"):
        raise Malformed("issuer entry", "neither an entry of an issuer nor a did:web document", code="BAD_TRUST")
    did_web_url(did)
    now = DidDocument.parse(dict(document), did=did).purposes[ASSERTION]
    known = held.get(said.legal_identifier)
    old = {key.method: key for key in (known.keys if known else ())}
    keys: list[Json] = [
        _key(each.method, each.valid_from, each.valid_until if each.method in now else each.valid_until or at)
        for each in old.values()
    ]
    keys += [_key(method, said.since or at, None) for method in sorted(now) if method not in old]
    issuer = _who(said, keys)
    return to_json({"issuer": issuer, "documents": [{"id": did, "document": raw.decode()}]})


def _log(raw: bytes, said: Said, held: Mapping[str, TrustedIssuer]) -> bytes:
    """A did:webvh log tells since when and until when each key was in force."""
    last = parse_object(raw.strip().rsplit(b"\n", 1)[-1], where="DID log", limits=LIMITS).get("state")
    did = last.get("id") if isinstance(last, dict) else None
    if not isinstance(did, str):
        raise Malformed("DID log", "does not say which DID it is about", code="BAD_DID_LOG")
    known = held.get(said.legal_identifier)
    others = [key for key in (known.keys if known else ()) if key.method.partition("#")[0] != did]
    keys: list[Json] = [_key(each.method, each.valid_from, each.valid_until) for each in others]
    keys += _windows(read_log(raw, did=did))
    return to_json({"issuer": _who(said, keys), "documents": [{"id": did, "log": raw.decode()}]})


def _windows(history: History) -> list[Json]:
    starts: dict[str, datetime] = {}
    ends: dict[str, datetime | None] = {}
    for version in history.versions:
        here = frozenset[str]()
        if version.state.get("id") == history.did and not version.parameters.deactivated:
            here = DidDocument.parse(dict(version.state), did=history.did).purposes[ASSERTION]
        for method in here:
            starts.setdefault(method, version.time)
            ends[method] = None
        for method in starts.keys() - here:
            ends[method] = ends[method] or version.time
    return [_key(method, start, ends[method]) for method, start in sorted(starts.items())]


# ---- OpenID Federation -----------------------------------------------------------------------------------------------


def _chain(value: Json, said: Said, at: datetime) -> bytes:
    if said.anchor is None:
        raise Malformed("--anchor", "a trust chain ends at an anchor: say which you trust", code="USAGE")
    if not isinstance(value, list) or not 2 <= len(value) <= MAX_CHAIN:
        raise Malformed("trust chain", f"not a list of 2 to {MAX_CHAIN} statements", code="BAD_TRUST_CHAIN")
    leaf = verify_trust_chain([str(one) for one in value], anchor=read_anchor(said.anchor), at=at)
    keys: list[Json] = [_key(f"{leaf.id}#{kid}", said.since or leaf.issued, leaf.expires) for kid in leaf.keys]
    issuer = _who(said, keys, name=leaf.name, identifier=leaf.id)
    return to_json({"issuer": issuer, "documents": [{"id": leaf.id, "jwks": to_json(dict(leaf.jwks)).decode()}]})
