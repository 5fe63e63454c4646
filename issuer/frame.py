"""What the statements of one run share, and how a statement is made from the claims that are known."""

# ruff: noqa: S608  (the names in this SQL are ours)

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

import duckdb

from issuer.profile import Profile
from issuer.records import run
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
        return {"category": self.profile.category, "sourceMethod": self.source, "periodEnd": self.end}

    def series(self, first: str) -> tuple[str, ...]:
        """The months of a series that begins with a worker's ``first`` month: no hole, and not too many."""
        return months.span(max(first, months.back(self.end, WINDOW)), self.end)


def frame(connection: duckdb.DuckDBPyConnection, profile: Profile, source: SourceMethod) -> Frame | None:
    """The period that the rows of all relations cover; nothing where there are none."""
    fed = sorted({relation for kind in profile.files for relation in kind.feeds})
    days = " UNION ALL ".join(f"SELECT min(day) AS first, max(day) AS last FROM {relation}" for relation in fed)
    ((first, last),) = run(connection, f"SELECT min(first), max(last) FROM ({days})")
    return Frame(profile, source, month_of(first), month_of(last)) if last else None


def make(kind: str, worker: str, claims: Mapping[str, str | Sequence[str] | None]) -> Statement:
    """A statement without the claims that are not known. Errors name the worker: somebody has to look at the rows."""
    known: Claims = {name: value if isinstance(value, str) else tuple(value) for name, value in claims.items() if value}
    try:
        return Statement(kind, worker, known)
    except Malformed as error:
        raise Malformed(f"{kind} of worker {worker[:80]!r}: {error.where}", error.why, code=error.code) from None


def month_of(day: date) -> str:
    """The month of a day, as statements name it."""
    return f"{day:%Y-%m}"


def rounded(value: Decimal, places: int) -> Decimal:
    """``value`` with so many decimals; halves go to the even side, so that rounding favours nobody."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)


def rungs(kind: str, claim: str, value: Decimal | int | None) -> tuple[str, ...]:
    """The rungs of a claim that a figure reaches; none where it is not known."""
    return () if value is None else reached(Decimal(value), TYPES[kind].claims[claim].ladder)
