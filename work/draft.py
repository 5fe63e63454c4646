"""From a statement to an unsigned credential whose shape tells nothing beside its claims.

Every credential of a type has the same number of quads, and a claim stands at the same place among them whatever its
neighbours are: the length of a selective-disclosure proof and the positions in it would otherwise tell how much stays
hidden. Free places are taken by *filler*: ``~01`` … sorts after every value, ``!01`` … before every value.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from vc.canon import Json
from vc.errors import Malformed
from vc.model import format_date_time
from work.contexts import CREDENTIALS_URL, URL
from work.months import first_second, valid_until
from work.statement import Statement
from work.types import TYPES, Claim, Fill, StatementType

_MARK: Final[Mapping[Fill, str]] = {"after": "~", "before": "!"}
_FILLER: Final = re.compile(r"[!~][0-9]{2}")

# Always shown, beside the mandatory claims. All of it is the same for a whole batch.
_SHOWN: Final = ("/issuer", "/validFrom", "/validUntil", "/credentialSchema", "/termsOfUse")


@dataclass(frozen=True, slots=True)
class Draft:
    """An unsigned credential (vc-data-model-2.0) and the JSON pointers that are always disclosed."""

    document: dict[str, Json]
    mandatory: tuple[str, ...]


def draft(statement: Statement, *, issuer: str, holder: str | None, at: datetime, issuer_name: str = "") -> Draft:
    """The unsigned credential of a statement, padded, with times rounded to the day.

    ``holder`` is the DID of the key that the credential is bound to, or nothing: then whoever holds it can show it.
    ``issuer_name`` is what the issuer calls itself, for the worker's eyes: verifiers print the name that they know.
    A statement about the platform has the issuer as its subject and takes no holder. The caller checks the document
    with :func:`work.validate.check_document` before it signs.
    """
    kind = TYPES[statement.type]
    if kind.about == "platform" and holder is not None:
        raise Malformed("/holder", "a statement about the platform has no holder")
    subject = issuer if kind.about == "platform" else holder
    document: dict[str, Json] = {
        "@context": [CREDENTIALS_URL, URL],
        "type": ["VerifiableCredential", kind.credential_type],
        "issuer": {"id": issuer, "name": issuer_name} if issuer_name else issuer,
        "validFrom": format_date_time(first_second(at)),
        "validUntil": format_date_time(valid_until(at)),
        "credentialSchema": {"id": kind.schema_id, "type": "JsonSchema"},
        "termsOfUse": kind.terms,
        "credentialSubject": {**({} if subject is None else {"id": subject}), **_padded(kind, statement)},
    }
    return Draft(document, mandatory_pointers(kind))


def mandatory_pointers(kind: StatementType) -> tuple[str, ...]:
    """The JSON pointers that every presentation of such a credential discloses."""
    return _SHOWN + tuple(claim.pointer for claim in kind.claims.values() if claim.mandatory)


def _padded(kind: StatementType, statement: Statement) -> dict[str, Json]:
    return {name: pad(claim, statement.claims.get(name, ())) for name, claim in kind.claims.items()}


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
    """A copy of a credential without filler, for people; claims that were only filler are left out."""
    subject = document.get("credentialSubject")
    if not isinstance(subject, dict):
        return dict(document)
    shown = {name: _visible(value) for name, value in subject.items() if not is_filler(value)}
    return {**document, "credentialSubject": {name: value for name, value in shown.items() if value != []}}


def _visible(value: Json) -> Json:
    return [item for item in value if not is_filler(item)] if isinstance(value, list) else value
