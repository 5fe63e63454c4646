"""From a statement to an unsigned credential whose shape tells nothing beside its claims.

Every credential of a type has the same number of quads, and a claim stands at the same place among them whatever its
neighbours are: the length of a selective-disclosure proof and the positions in it would otherwise tell how much stays
hidden. Free places are taken by *filler*: ``~01`` … sorts after every value, ``!01`` … before every value.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from vc.canon import Json, canonicalize
from vc.errors import Malformed
from vc.model import format_date_time
from vc.status import StatusEntry
from work.months import first_second, valid_until
from work.statement import Statement
from work.subject import SUBJECT, build_subject
from work.types import TYPES, Claim, Fill, StatementType

_MARK: Final[Mapping[Fill, str]] = {"after": "~", "before": "!"}
_FILLER: Final = re.compile(r"[!~][0-9]{2}")
_SAYS_NOTHING: Final = frozenset({"id", "type"})

# Always shown, beside the mandatory claims. All of it is the same for a whole batch.
_SHOWN: Final = ("/issuer", "/validFrom", "/validUntil", "/credentialSchema", "/termsOfUse")


@dataclass(frozen=True, slots=True)
class Draft:
    """An unsigned credential (vc-data-model-2.0) and the JSON pointers that are always disclosed."""

    document: dict[str, Json]
    mandatory: tuple[str, ...]


def draft(
    statement: Statement,
    *,
    issuer: str,
    holder: str | None,
    at: datetime,
    issuer_name: str = "",
    statuses: Sequence[StatusEntry] = (),
) -> Draft:
    """The unsigned credential of a statement, padded, with times rounded to the day.

    ``holder`` is the DID of the key that the credential is bound to, or nothing: then whoever holds it can show it.
    ``issuer_name`` is what the issuer calls itself, for the worker's eyes: verifiers print the name that they know.
    ``statuses`` are its places in status lists, always shown: none for a credential that must not be recognised.
    A statement about the platform has the issuer as its subject and takes no holder. The caller checks the document
    with :func:`work.validate.check_document` before it signs.
    """
    kind = TYPES[statement.type]
    if kind.about == "platform" and holder is not None:
        raise Malformed("/holder", "a statement about the platform has no holder")
    subject = issuer if kind.about == "platform" else holder
    document: dict[str, Json] = {
        **kind.fixed,
        "issuer": _issuer(kind, issuer, issuer_name),
        "validFrom": format_date_time(first_second(at)),
        "validUntil": format_date_time(valid_until(at)),
    }
    ids = {place: _node_id(kind, statement, names, issuer) for place, names in kind.named.items()}
    if kind.names_copies:
        document["id"] = _urn(kind.name, issuer, subject or "", document["validFrom"], *ids.values())
    document[SUBJECT] = build_subject(
        {
            **({("id",): subject} if subject is not None else kind.unbound),
            **kind.constants,
            **ids,
            **{each.path: pad(each, statement.claims.get(each.name, ())) for each in kind.claims.values()},
        }
    )
    if statuses:
        document["credentialStatus"] = [entry.to_json() for entry in statuses]
    unbound = _unbound_pointers(kind) if subject is None else ()
    return Draft(document, mandatory_pointers(kind) + unbound + (("/credentialStatus",) if statuses else ()))


def _issuer(kind: StatementType, issuer: str, name: str) -> Json:
    if not name:
        return issuer
    return {"id": issuer, **({"type": list[Json](kind.issuer_types)} if kind.issuer_types else {}), "name": name}


def _node_id(kind: StatementType, statement: Statement, names: Iterable[str], issuer: str) -> str:
    """The id of an object in the subject, from what is always shown of it: one for all of whom it is said."""
    return _urn(kind.name, issuer, *(str(statement.claims[name]) for name in names))


def _urn(*parts: Json) -> str:
    """An id that tells nothing but what it is made from, which is shown beside it (RFC 9562 §5.8, SHA-256).

    Copies for several keys have several; copies without a key share one with the whole batch.
    """
    digest = bytearray(sha256(canonicalize(list[Json](parts))).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return UUID(bytes=bytes(digest)).urn


def mandatory_pointers(kind: StatementType) -> tuple[str, ...]:
    """The JSON pointers that every presentation of such a credential discloses."""
    return _SHOWN + tuple(claim.pointer for claim in kind.claims.values() if claim.mandatory)


def _unbound_pointers(kind: StatementType) -> tuple[str, ...]:
    return tuple(f"/{SUBJECT}/{place[0]}" for place in kind.unbound)


def pad(claim: Claim, values: str | Iterable[str]) -> Json:
    """The values of a claim, filled up to its slots, in the order that their quads will have."""
    given = [values] if isinstance(values, str) else list(values)
    padded = sorted([*given, *fillers(claim.fill, claim.slots - len(given))])
    return list[Json](padded) if claim.many else padded[0]


def fillers(fill: Fill, count: int) -> tuple[str, ...]:
    """``count`` different fillers that sort on the side that ``fill`` names."""
    return tuple(f"{_MARK[fill]}{index:02d}" for index in range(1, count + 1))


def is_filler(value: Json) -> bool:
    """Is it padding? No claim of any type accepts such a value."""
    return isinstance(value, str) and _FILLER.fullmatch(value) is not None


def visible(document: Mapping[str, Json]) -> dict[str, Json]:
    """A copy of a credential without filler, for people; what was only filler is left out."""
    subject = document.get(SUBJECT)
    return {**document, SUBJECT: _visible(subject)} if isinstance(subject, dict) else dict(document)


def _visible(value: Json) -> Json:
    if isinstance(value, list):
        return [_visible(item) for item in value if not _is_padding(item)]
    if isinstance(value, dict):
        return {name: _visible(inner) for name, inner in value.items() if not _is_padding(inner)}
    return value


def _is_padding(value: Json) -> bool:
    """Filler, a list of nothing else, or an object that beside it says only what it is."""
    if isinstance(value, list):
        return all(map(_is_padding, value))
    if isinstance(value, dict):
        said = [inner for name, inner in value.items() if name not in _SAYS_NOTHING]
        return bool(said) and all(map(_is_padding, said))
    return is_filler(value)
