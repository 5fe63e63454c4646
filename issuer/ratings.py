"""Rating statements, and the statement about how all ratings of the export are spread.

A rating is added up by the database as a sum of value times weight and a sum of weights; the division is done here, in
decimals. What is too weak to be stated is not stated, and is not part of the spread either.
"""

# ruff: noqa: S608  (the names in this SQL are checked words of the profile)

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import Final

import duckdb

from issuer.frame import Frame, make, month_of, rounded
from issuer.profile import Constants
from issuer.records import aspects, rows
from work import months
from work.statement import Statement
from work.statistics import MIN_STARS, quantiles, wilson_bound

LEVEL: Final = 95  # percent
MIN_POPULATION: Final = 20  # percentiles of fewer workers would be the ratings of some of them

_CONSTANT: Final = ("computation", "raterPopulation", "perRater", "bestRating", "worstRating", "windowKind")
_NO_INTERVAL: Final = dict.fromkeys(("intervalLower", "intervalUpper", "intervalLevel", "intervalMethod"), "notStated")


@dataclass(frozen=True, slots=True)
class _Sum:
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
class _Rated:
    """All ratings of one worker: those that count, how many there were, how many of them do not count."""

    worker: str
    since: date | None
    counted: _Sum
    all: int
    excluded: int
    sides: Mapping[str, _Sum]


def ratings(connection: duckdb.DuckDBPyConnection, at: Frame, digest: str) -> Iterator[Statement]:
    """A Rating for every worker whom the ``ratings`` relation knows, to be read in the context named ``digest``."""
    constants = at.profile.statements["Rating"]
    for one in _rated(connection, at):
        value = _value(one, constants)
        claims = {
            **at.common(),
            **{name: constants[name] for name in _CONSTANT},
            "periodStart": _start(one, constants, at),
            "ratingValue": _stated(value, constants),
            "ratingCount": _count(one, value, constants),
            "jobsEligible": str(one.all) if constants["eligible"] == "lines" else "notPublished",
            "responseRate": "notPublished",
            "distribution": ("notPublished",),
            "windowSize": _window(constants, at) or "notApplicable",
            "contextDigest": digest,
            "excludedCount": str(one.excluded) if constants["excluded"] == "lines" else "notPublished",
            **_interval(one, value, constants),
            "aspects": () if value is None else _aspects(one, constants),
        }
        yield make("Rating", one.worker, claims)


def rating_context(connection: duckdb.DuckDBPyConnection, at: Frame) -> Statement | None:
    """How the stated ratings of all workers are spread; nothing where so few would show who has which."""
    constants = at.profile.statements["Rating"]
    stated = Counter(value for one in _rated(connection, at) if (value := _value(one, constants)) is not None)
    if stated.total() < MIN_POPULATION:
        return None
    points = sum((value * count for value, count in stated.items()), Decimal())
    best, window = Decimal(str(constants["bestRating"])), _window(constants, at)
    claims = {
        "category": at.profile.category,
        "raterPopulation": constants["raterPopulation"],
        "computation": constants["computation"],
        "population": str(stated.total()),
        "populationMean": str(_Sum(points, stated.total()).mean(3)),
        "percentiles": [f"{percent} {value}" for percent, value in quantiles(stated.elements()).items()],
        "shareAtMax": str(_Sum(Decimal(stated[best]), stated.total()).mean(3)),
        "responseRate": "notPublished",
        "windowRule": f"period {window}" if window else "allTime",
        "asOf": at.end,
        "knownBiasNotes": at.profile.statements["RatingContext"]["knownBiasNotes"],
    }
    return make("RatingContext", "", claims)


def _rated(connection: duckdb.DuckDBPyConnection, at: Frame) -> Iterator[_Rated]:
    sides = aspects(at.profile)
    for worker, since, all_, excluded, points, weight, *rest in rows(connection, _query(sides)):
        each = {side: _Sum(rest[2 * place], rest[2 * place + 1]) for place, side in enumerate(sides)}
        yield _Rated(worker, since, _Sum(points, weight), all_, excluded, each)


def _query(sides: tuple[str, ...]) -> str:
    sums = ", ".join(_sums(name) for name in ("value", *(f"aspect_{side}" for side in sides)))
    return f"""
        SELECT worker, min(since), CAST(sum(ratings) AS BIGINT),
               CAST(coalesce(sum(ratings) FILTER (excluded), 0) AS BIGINT), {sums}
        FROM ratings GROUP BY worker ORDER BY worker"""


def _sums(column: str) -> str:
    counts = f"FILTER (NOT excluded AND {column} IS NOT NULL)"
    weight = "CAST(ratings AS DECIMAL(9,0))"
    return f"sum({column} * {weight}) {counts}, CAST(coalesce(sum(ratings) {counts}, 0) AS BIGINT)"


def _value(one: _Rated, constants: Constants) -> Decimal | None:
    """The rating, where it is strong enough to be stated. How many test questions there were may be unknown."""
    if constants["count"] == "lines" and one.counted.weight < MIN_STARS:
        return None
    return one.counted.mean(int(str(constants["decimals"])))


def _stated(value: Decimal | None, constants: Constants) -> str:
    if value is not None:
        return str(value)
    return "tooFewToState" if constants["count"] == "lines" else "notPublished"


def _count(one: _Rated, value: Decimal | None, constants: Constants) -> str:
    if constants["count"] != "lines":
        return "notPublished"
    return "fewerThan5" if value is None else str(one.counted.weight)


def _start(one: _Rated, constants: Constants, at: Frame) -> str:
    """The month in which the window of the rating begins: for all time, when the worker joined."""
    if constants["windowKind"] == "period":
        return at.start
    return month_of(one.since) if one.since else at.end


def _window(constants: Constants, at: Frame) -> str:
    """The size of the window in months; empty where the window is all time."""
    return str(len(months.span(at.start, at.end))) if constants["windowKind"] == "period" else ""


def _interval(one: _Rated, value: Decimal | None, constants: Constants) -> dict[str, str]:
    """From the stated value, so that whoever reads the statement can work it out again."""
    if value is None or constants["count"] != "lines":
        return _NO_INTERVAL
    best, worst = Decimal(str(constants["bestRating"])), Decimal(str(constants["worstRating"]))
    found = wilson_bound(value, best, worst, one.counted.weight, LEVEL)
    return {
        "intervalLower": str(found.lower),
        "intervalUpper": str(found.upper),
        "intervalLevel": str(LEVEL),
        "intervalMethod": "wilsonBound",
    }


def _aspects(one: _Rated, constants: Constants) -> list[str]:
    """The sides of the work that enough people rated, each with its own count."""
    places = int(str(constants["decimals"]))
    strong = {side: each for side, each in one.sides.items() if each.weight >= MIN_STARS}
    return [f"{side} {each.mean(places)} {each.weight}" for side, each in strong.items()]
