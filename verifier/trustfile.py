"""Keeping a trust file: who is trusted to attest what, by which keys (docs/trust.md)."""

from datetime import datetime

from vc.canon import Json, parse_object, to_json
from vc.errors import Malformed
from vc.jsonld import Contexts
from vc.model import format_date_time
from vc.trust import TRUST_LIMITS, parse_issuer, parse_trust


def empty(at: datetime) -> bytes:
    """A trust file that trusts nobody."""
    return _written([], [], at, {})


def add_issuer(raw: bytes, entry_raw: bytes, *, contexts: Contexts, at: datetime) -> bytes:
    """The trust file with one more issuer, or with new keys and types for one that it has.

    ``entry_raw`` is what ``ouvrage issuer keys --json`` prints. Raises :class:`Malformed`.
    """
    parse_trust(raw, contexts=contexts)
    document = parse_object(raw, where="trust file", limits=TRUST_LIMITS)
    addition = parse_object(entry_raw, where="issuer entry")
    entry = addition.get("issuer")
    new = parse_issuer(entry)
    issuers = [one for one in _list(document, "issuers") if not _same(one, new.legal_identifier)]
    public = _list(document, "public")
    public += [one for one in _list(addition, "public") if one not in public]
    kept: dict[str, Json] = {name: document[name] for name in ("documents", "statusLists") if name in document}
    written = _written([*issuers, entry], public, at, kept)
    parse_trust(written, contexts=contexts)  # what cannot be read back is never written
    return written


def _same(entry: Json, legal_identifier: str) -> bool:
    return isinstance(entry, dict) and entry.get("legalIdentifier") == legal_identifier


def _list(document: dict[str, Json], name: str) -> list[Json]:
    value = document.get(name, [])
    if not isinstance(value, list):
        raise Malformed(f"/{name}", "not a list", code="BAD_TRUST")
    return list(value)


def _written(issuers: list[Json], public: list[Json], at: datetime, kept: dict[str, Json]) -> bytes:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    head: dict[str, Json] = {"type": "OuvrageTrust", "version": 1, "asOf": format_date_time(midnight)}
    return to_json({**head, "issuers": issuers, "public": public, **kept})
