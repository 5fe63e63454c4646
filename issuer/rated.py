"""The ratings of each worker, added up by the database: one row for each worker, whatever the number of ratings.

The SQL is plain enough to be said in other dialects too: it names its groups, and rounds nothing.
"""

# ruff: noqa: S608  (the names in this SQL are checked words of the profile)

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from types import MappingProxyType
from typing import Any, Final

from issuer.engine import Engine
from issuer.frame import Frame, rounded
from issuer.profile import Constants
from issuer.records import aspects, rows
from work import months
from work.rating_rules import levels_of

MAX_SPREAD: Final = 5  # as many values as a statement has places for
_DONE: Final = ("completed", "accepted")  # after other jobs nobody was there to rate
_REASONS: Final = MappingProxyType({"olderThanWindow": "older", "withoutHistory": "baseless", "setAside": "aside"})


@dataclass(frozen=True, slots=True)
class Sum:
    """``points`` given in ``weight`` ratings."""

    points: Decimal | None
    weight: int

    def mean(self, places: int) -> Decimal | None:
        """Their mean, exact before it is rounded; nothing where there are no ratings."""
        if self.points is None or not self.weight:
            return None
        with localcontext(prec=50):
            return rounded(self.points / self.weight, places)


@dataclass(frozen=True, slots=True)
class Rated:
    """All ratings of one worker: those that count and those that do not.

    ``eligible`` are the jobs that could be rated, ``spread`` the ratings of each value of the scale, ``raters`` the
    different raters, of whom one gave ``most_by_one``; each is nothing where it is not known.
    """

    worker: str
    since: date | None
    counted: Sum
    positives: int
    excluded: int
    reasons: tuple[str, ...]
    eligible: int | None
    spread: Mapping[int, int] | None
    raters: int | None
    most_by_one: int
    sides: Mapping[str, Sum]

    @property
    def answers_known(self) -> bool:
        """Whether it is known how many of the jobs were rated."""
        return self.eligible is not None and self.counted.weight <= self.eligible


def rated(engine: Engine, at: Frame) -> Iterator[Rated]:
    """The ratings of every worker whom the ``ratings`` relation knows, by worker."""
    constants, sides = at.profile.statements["Rating"], aspects(at.profile)
    for row in rows(engine, ratings_sql(constants, sides, first_month(constants, at))):
        yield _read(row, constants, sides)


def _read(row: Sequence[Any], constants: Constants, sides: Sequence[str]) -> Rated:
    worker, since, points, weight, positives, lines, excluded, jobs = row[:8]
    reasons, (values, counts), (raters, most, by_known), rest = row[8:11], row[11:13], row[13:16], row[16:]
    return Rated(
        worker=worker,
        since=since,
        counted=Sum(points, weight),
        positives=positives,
        excluded=excluded,
        reasons=tuple(name for name, found in zip(_REASONS, reasons, strict=True) if found),
        eligible={"lines": lines, "jobs": jobs or 0}.get(str(constants["eligible"])),
        spread=_spread(values, counts, constants) if constants.get("spread") == "lines" else None,
        raters=raters if by_known == weight else None,
        most_by_one=most or 0,
        sides={side: Sum(*rest[2 * place : 2 * place + 2]) for place, side in enumerate(sides)},
    )


def _spread(values: list[Decimal] | None, counts: list[int] | None, constants: Constants) -> dict[int, int] | None:
    """The ratings of each value of the scale, none left out; nothing where some rating is not one of them."""
    levels = levels_of(Decimal(str(constants["worstRating"])), Decimal(str(constants["bestRating"])))
    if not levels or len(levels) > MAX_SPREAD or not set(values or ()) <= set(levels):
        return None
    given = zip(values or (), counts or (), strict=True)
    return {**dict.fromkeys(levels, 0), **{int(value): count for value, count in given}}


def first_month(constants: Constants, at: Frame) -> str:
    """The first month whose ratings count: that of the export, unless the profile limits them to the last months."""
    limit = str(constants.get("months", ""))
    return max(at.start, months.back(at.end, int(limit))) if limit else at.start


def ratings_sql(constants: Constants, sides: Sequence[str], first: str) -> str:
    """The query: one row for each worker, in their order.

    Columns: worker, since; points, weight and number above the middle of what counts; lines, ratings that do not count,
    jobs; how many rows do not count for each of the reasons; values and their counts; raters, most by one of them,
    ratings of known raters; and points and weight of each of ``sides``.
    """
    middle = (Decimal(str(constants["bestRating"])) + Decimal(str(constants["worstRating"]))) / 2
    parts = {"weighed": _weighed(constants, first), "totals": _totals(middle, sides)}
    spread, raters, jobs = "NULL, NULL", "NULL, NULL, NULL", "NULL"
    if constants.get("spread") == "lines":
        parts["spread"], spread = _SPREAD, "listed, counts"
    if constants.get("raters") == "lines":
        parts["known"], raters = _RATERS, "raters, most, by_known"
    if constants["eligible"] == "jobs":
        parts["done"], jobs = _done(constants, first), "jobs"
    joined = "".join(f" LEFT JOIN {name} USING (worker)" for name in parts if name not in ("weighed", "totals"))
    each = "".join(f", points_{place}, weight_{place}" for place in range(len(sides)))
    return f"""
        WITH {", ".join(f"{name} AS ({sql})" for name, sql in parts.items())}
        SELECT worker, since, points, weight, positives, lines, left_out, {jobs},
               {", ".join(_REASONS.values())}, {spread}, {raters}{each}
        FROM totals{joined} ORDER BY worker"""


def _weighed(constants: Constants, first: str) -> str:
    """Every row of ratings with the reason why it does not count; of a default given to whoever begins, that first.

    Of the ratings of one day, of which only some are among the latest, the better ones count.
    """
    why = ["WHEN value IS NOT NULL AND ratings = 0 THEN 'withoutHistory'", "WHEN excluded THEN 'setAside'"]
    source = "ratings"
    if constants.get("months"):
        why.append(f"WHEN day < DATE '{first}-01' THEN 'olderThanWindow'")
    if _cuts(constants):
        why.append(f"WHEN place > {int(str(constants['windowSize']))} THEN 'olderThanWindow'")
        source = """(SELECT *, row_number() OVER (
            PARTITION BY worker, excluded OR value IS NULL OR ratings = 0 ORDER BY day DESC, value DESC, rater) AS place
            FROM ratings) AS placed"""
    return f"SELECT *, CASE {' '.join(why)} END AS why FROM {source}"


def _cuts(constants: Constants) -> bool:
    """Whether only so many of the latest ratings count, and each row is one of them. Else the platform's own figure
    is over that window already."""
    return constants["windowKind"] == "lastN" and constants.get("spread") == "lines"


def _totals(middle: Decimal, sides: Sequence[str]) -> str:
    reasons = ", ".join(f"count(*) FILTER (WHERE why = '{name}') AS {column}" for name, column in _REASONS.items())
    each = "".join(
        f", {_sums(f'aspect_{side}', f'points_{place}', f'weight_{place}')}" for place, side in enumerate(sides)
    )
    return f"""
        SELECT worker, min(since) AS since, {_sums("value", "points", "weight")},
               {_added(f"why IS NULL AND value > {middle:f}")} AS positives,
               {_added("why IS NULL OR why = 'setAside'")} AS lines, {_added("why IS NOT NULL")} AS left_out,
               min(day) FILTER (WHERE {_COUNTS}) AS oldest, {reasons}{each}
        FROM weighed GROUP BY worker"""


def _sums(column: str, points: str, weight: str) -> str:
    counts = f"why IS NULL AND {column} IS NOT NULL"
    product = f"{column} * CAST(ratings AS DECIMAL(9,0))"
    return f"sum({product}) FILTER (WHERE {counts}) AS {points}, {_added(counts)} AS {weight}"


def _added(condition: str) -> str:
    return f"CAST(coalesce(sum(ratings) FILTER (WHERE {condition}), 0) AS BIGINT)"


_COUNTS: Final = "why IS NULL AND value IS NOT NULL AND ratings > 0"
_SPREAD: Final = f"""
    SELECT worker, array_agg(value ORDER BY value) AS listed, array_agg(given ORDER BY value) AS counts
    FROM (SELECT worker, value, CAST(sum(ratings) AS BIGINT) AS given
          FROM weighed WHERE {_COUNTS} GROUP BY worker, value) AS each_value
    GROUP BY worker"""
_RATERS: Final = f"""
    SELECT worker, count(*) AS raters, max(given) AS most, CAST(sum(given) AS BIGINT) AS by_known
    FROM (SELECT worker, rater, CAST(sum(ratings) AS BIGINT) AS given
          FROM weighed WHERE {_COUNTS} AND rater IS NOT NULL GROUP BY worker, rater) AS each_rater
    GROUP BY worker"""


def _done(constants: Constants, first: str) -> str:
    """The jobs that could be rated, in the months whose ratings count; since the oldest rating that counts, where
    older ones do not. Rows that name no job are a job each."""
    source = "jobs"
    done = ", ".join(f"'{word}'" for word in _DONE)
    conditions = [f"coalesce(ended, 'completed') IN ({done})"]
    if constants.get("months"):
        conditions.append(f"day >= DATE '{first}-01'")
    if _cuts(constants):
        source = "jobs JOIN totals USING (worker)"
        conditions.append(f"({_REASONS['olderThanWindow']} = 0 OR day >= oldest)")
    return f"""
        SELECT worker, count(DISTINCT job) + count(*) FILTER (WHERE job IS NULL) AS jobs
        FROM {source} WHERE {" AND ".join(conditions)} GROUP BY worker"""
