"""Keeping a trust file: who is trusted to attest what, by which keys (docs/trust.md)."""

from datetime import datetime

from vc.canon import Json, parse_object, to_json
from vc.errors import Malformed
from vc.jsonld import Contexts
from vc.model import format_date_time
from vc.trust import TRUST_LIMITS, Trust, TrustedIssuer, parse_issuer, parse_trust


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
    if "documents" in addition:
        kept["documents"] = _documents(_list(document, "documents"), _list(addition, "documents"), new, issuers, at)
    written = _written([*issuers, entry], public, at, kept)
    parse_trust(written, contexts=contexts)  # what cannot be read back is never written
    return written


def remove_issuer(raw: bytes, legal_identifier: str, *, contexts: Contexts, at: datetime) -> bytes:
    """The trust file without an issuer, its documents and what it published. Raises :class:`Malformed`."""
    known = parse_trust(raw, contexts=contexts)
    document = parse_object(raw, where="trust file", limits=TRUST_LIMITS)
    gone = [one for one in known.issuers if one.legal_identifier == legal_identifier]
    if not gone:
        raise Malformed(legal_identifier[:200], "no issuer in this file has this identifier", code="NOT_FOUND")
    own = {key.method.partition("#")[0] for one in gone for key in one.keys}
    issuers = [one for one in _list(document, "issuers") if not _same(one, legal_identifier)]
    public = [one for one in _list(document, "public") if not _is_by(one, own)]
    kept: dict[str, Json] = {name: document[name] for name in ("statusLists",) if name in document}
    kept["documents"] = [one for one in _list(document, "documents") if _did(one) not in own]
    return _written(issuers, public, at, kept)


def _is_by(credential: Json, dids: set[str]) -> bool:
    issuer = credential.get("issuer") if isinstance(credential, dict) else None
    return (issuer.get("id") if isinstance(issuer, dict) else issuer) in dids


def add_lists(raw: bytes, lists_raw: bytes, *, contexts: Contexts) -> bytes:
    """The trust file with newer versions of status lists, in the place of the older ones of the same address.

    ``lists_raw`` is the ``lists.json`` of ``ouvrage issuer lists publish --out``. Nothing is believed here: a list is
    verified when it is used. The day of the file itself stays as it is. Raises :class:`Malformed`.
    """
    known = parse_trust(raw, contexts=contexts)
    document = parse_object(raw, where="trust file", limits=TRUST_LIMITS)
    given = _list(parse_object(lists_raw, where="status lists", limits=TRUST_LIMITS), "statusLists")
    if not given:
        raise Malformed("status lists", "there is none in it", code="BAD_TRUST")
    urls = {one.get("url") for one in given if isinstance(one, dict)}
    held = _list(document, "statusLists")
    kept = [one for one in held if not (isinstance(one, dict) and one.get("url") in urls)]
    written = to_json({**document, "statusLists": [*kept, *given]})
    now, before = _dates(parse_trust(written, contexts=contexts)), _dates(known)  # also: what can be read back only
    for url, as_of in now.items():
        if url in before and as_of < before[url]:
            raise Malformed(f"status list {url[:200]}", "is older than the one that is held", code="BAD_TRUST")
    return written


def _dates(trust: Trust) -> dict[str, datetime]:
    """When each status list was the newest."""
    return {url: one.as_of for lists in (trust.status_lists, trust.status_tokens) for url, one in lists.items()}


def _documents(held: list[Json], given: list[Json], new: TrustedIssuer, others: list[Json], at: datetime) -> list[Json]:
    """The DID documents with those of an issuer as they are now. It speaks for no DID but its own keys'.

    What a did:web said before is kept beside what it says now: what an older key signed still has its key.
    """
    own = {key.method.partition("#")[0] for key in new.keys}
    taken = {key.method.partition("#")[0] for other in others for key in parse_issuer(other).keys}
    for one in given:
        did = _did(one)
        if did not in own or did in taken:
            raise Malformed("issuer entry /documents", "about a DID that is not this issuer's", code="BAD_TRUST")
    before = {_did(one): one for one in held}
    fresh = [_with_earlier(one, before.pop(_did(one), None), at) for one in given]
    return [*before.values(), *fresh]


def _with_earlier(new: Json, old: Json, at: datetime) -> Json:
    if not isinstance(new, dict) or not isinstance(old, dict) or "document" not in new or "document" not in old:
        return new
    earlier = _list(old, "earlier")
    if new["document"] != old["document"]:
        earlier.append({"until": format_date_time(at.replace(microsecond=0)), "document": old["document"]})
    own: dict[str, Json] = {"id": new.get("id"), "document": new["document"]}
    return {**own, "earlier": earlier} if earlier else own


def _did(document: Json) -> str:
    did = document.get("id") if isinstance(document, dict) else None
    return did if isinstance(did, str) else ""


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
