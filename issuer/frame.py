"""What the statements of one run share, and how a statement is made from the claims that are known."""

# ruff: noqa: S608  (the names in this SQL are ours)

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from issuer.engine import Engine
from issuer.profile import Profile
from issuer.records import rows
from vc.errors import Malformed
from work import months
from work.ladders import reached
from work.statement import Claims, SourceMethod, Statement
from work.types import TYPES

WINDOW: Final = 24  # months of a series; as many as the types have places for


@dataclass(frozen=True, slots=True)
class Frame:
    """What all statements of a run share. ``start`` and ``end`` are the first and last month of the whole export:
    a worker's own would single them out."""

    profile: Profile
    source: SourceMethod
    start: str
    end: str

    def common(self) -> dict[str, str]:
        """The claims that are the same for all workers."""
        # Plain texts: canonical JSON is quick for those, and every statement is digested.
        return {"category": self.profile.category.value, "sourceMethod": self.source.value, "periodEnd": self.end}

    def series(self, first: str) -> tuple[str, ...]:
        """The months of a series that begins with a worker's ``first`` month: no hole, and not too many."""
        return months.span(max(first, months.back(self.end, WINDOW)), self.end)


def frame(engine: Engine, profile: Profile, source: SourceMethod, fed: Iterable[str]) -> Frame | None:
    """The period that the rows of all relations ``fed`` cover; nothing where there are none."""
    days = " UNION ALL ".join(f"SELECT min(day) AS first, max(day) AS last FROM {relation}" for relation in sorted(fed))
    ((first, last),) = rows(engine, f"SELECT min(first), max(last) FROM ({days})")
    return Frame(profile, source, month_of(first), month_of(last)) if last else None


def has_rows(engine: Engine, fed: Iterable[str]) -> bool:
    """Whether any relation of ``fed`` has a row, with a day or without."""
    found = " UNION ALL ".join(f"SELECT 1 FROM {relation}" for relation in sorted(fed))
    return any(rows(engine, f"SELECT * FROM ({found}) LIMIT 1"))


def make(kind: str, worker: str, claims: Mapping[str, str | Sequence[str] | None]) -> Statement:
    """A statement without the claims that are not known. Errors name the worker: somebody has to look at the rows."""
    known: Claims = {name: value if isinstance(value, str) else tuple(value) for name, value in claims.items() if value}
    try:
        return Statement(kind, worker, known)
    except Malformed as error:
        raise Malformed(f"{kind} of worker {worker[:80]!r}: {error.where}", error.why, code=error.code) from None


def stated(kind: str, claim: str, values: Iterable[str]) -> list[str]:
    """Those of a platform's own words that a claim can hold: not too long, and without marks that mislead a reader."""
    return list(filter(TYPES[kind].claims[claim].accepts, values))


def month_of(day: date) -> str:
    """The month of a day, as statements name it."""
    return f"{day:%Y-%m}"


def rounded(value: Decimal, places: int) -> Decimal:
    """``value`` with so many decimals; halves go to the even side, so that rounding favours nobody."""
    return value.quantize(_UNITS[places], ROUND_HALF_EVEN)


_UNITS: Final = tuple(Decimal(1).scaleb(-places) for places in range(20))  # by number of decimals


def rungs(kind: str, claim: str, value: Decimal | int | None) -> tuple[str, ...]:
    """The rungs of a claim that a figure reaches; none where it is not known."""
    return () if value is None else reached(Decimal(value), TYPES[kind].claims[claim].ladder)
