"""What the wallet shows its worker alone: what they earned, how they are rated, what they could prove, what ends.

Amounts of different platforms or currencies are never added up, scales of ratings never mixed, and nothing here is a
score. What a credential says that is not spelt as its type demands is left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from wallet.choose import Copy
from wallet.guard import best_rung
from wallet.held import Claims, Statement, by_statement, is_current, running_low, said
from work.purposes import PURPOSES, Judgement, Purpose, judge
from work.types import TYPES

SOON: Final = timedelta(days=14)  # credentials live for 45 days at most
MAX_POINTS: Final = 60  # months on a chart: five years


@dataclass(frozen=True, slots=True)
class Income:
    """What one platform paid in one currency, by one way of counting: (month, amount), oldest first."""

    issuer: str
    own: bool
    currency: str
    basis: str
    points: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class RatingPoint:
    """One rating as it was stated for the time until ``month``: figures, or words such as "tooFewToState"."""

    month: str
    value: str
    lower: str
    upper: str
    count: str


@dataclass(frozen=True, slots=True)
class Ratings:
    """The ratings by one platform on one scale, counted in one way, oldest first."""

    issuer: str
    own: bool
    computation: str
    raters: str
    worst: str
    best: str
    points: tuple[RatingPoint, ...]


@dataclass(frozen=True, slots=True)
class Provable:
    """One thing that a credential would prove for a purpose. ``claim`` is empty for the statement as a whole."""

    type: str
    claim: str
    rung: str  # the highest step of a ladder; empty for what is none
    required: bool  # whether it may be required; otherwise it is the worker's to offer
    issuer: str
    own: bool
    beside: Claims


@dataclass(frozen=True, slots=True)
class Ending:
    """A statement that ends soon, or ended."""

    statement: Statement
    day: date
    over: bool


@dataclass(frozen=True, slots=True)
class Insights:
    """Everything of the above."""

    income: tuple[Income, ...]
    ratings: tuple[Ratings, ...]
    proves: tuple[tuple[Purpose, tuple[Provable, ...]], ...]
    ending: tuple[Ending, ...]
    low: tuple[Statement, ...]


def insights(copies: Sequence[Copy], at: datetime) -> Insights:
    """What the wallet holds, as of ``at``. What is over is still told of the past."""
    one_each = [one.copy for one in by_statement(copies)]
    current = [copy for copy in one_each if is_current(copy, at)]
    return Insights(
        income=tuple(income(one_each)),
        ratings=tuple(ratings(one_each)),
        proves=tuple((purpose, tuple(provable(purpose, current))) for purpose in PURPOSES.values()),
        ending=tuple(ending(copies, at)),
        low=running_low(copies, at),
    )


def income(copies: Iterable[Copy]) -> Iterator[Income]:
    """The months of all statements of earnings; of a month that several state, as the newest does."""
    series: dict[tuple[str, bool, str, str], dict[str, Decimal]] = {}
    names: dict[str, str] = {}
    for copy, claims in _by_age(copies, "Earnings"):
        currency, basis = (_word("Earnings", claims, name) for name in ("currency", "basis"))
        names[copy.issuer] = copy.issuer_name
        months = series.setdefault((copy.issuer, copy.own, currency, basis), {})
        for item in _items("Earnings", claims, "monthly"):
            month, _, amount = item.partition(" ")
            months[month] = Decimal(amount)
    for (issuer, own, currency, basis), months in series.items():
        if months and currency:
            yield Income(names[issuer], own, currency, basis, tuple(sorted(months.items()))[-MAX_POINTS:])


def ratings(copies: Iterable[Copy]) -> Iterator[Ratings]:
    """The ratings of each platform on each of its scales."""
    named = ("computation", "raterPopulation", "perRater", "worstRating", "bestRating")
    series: dict[tuple[str, ...], dict[str, RatingPoint]] = {}
    origin: dict[tuple[str, ...], Copy] = {}
    for copy, claims in _by_age(copies, "Rating"):
        words = {name: _word("Rating", claims, name) for name in TYPES["Rating"].claims}
        point = RatingPoint(*(words[name] for name in ("periodEnd", "ratingValue", "intervalLower", "intervalUpper",
                                                        "ratingCount")))  # fmt: skip
        key = (copy.issuer, str(copy.own), *(words[name] for name in named))
        if all(key[2:]) and point.month and point.value:
            series.setdefault(key, {})[point.month] = point
            origin[key] = copy
    for key, points in series.items():
        _, _, computation, raters, _, worst, best = key
        ordered = tuple(points[month] for month in sorted(points))[-MAX_POINTS:]
        yield Ratings(origin[key].issuer_name, origin[key].own, computation, raters, worst, best, ordered)


def provable(purpose: Purpose, current: Sequence[Copy]) -> Iterator[Provable]:
    """What the newest statement of each platform would prove, of what may be asked or offered for a purpose."""
    latest = {
        (copy.type, copy.issuer, copy.own): (copy, claims) for kind in TYPES for copy, claims in _by_age(current, kind)
    }
    for copy, claims in latest.values():
        for claim in ("", *TYPES[copy.type].claims):
            reference = f"{copy.type}.{claim}" if claim else copy.type
            spoken = any(reference in rule.claims for rule in purpose.rules)
            judgement = judge(purpose, copy.type, claim)
            if spoken and judgement in (Judgement.expected, Judgement.acceptable) and (not claim or claim in claims):
                rung = best_rung(copy, claim) if claim and TYPES[copy.type].claims[claim].ladder else ""
                required = judgement is Judgement.expected
                yield Provable(copy.type, claim, rung, required, copy.issuer_name, copy.own, claims)


def ending(copies: Sequence[Copy], at: datetime) -> Iterator[Ending]:
    """Statements that end within :data:`SOON` or ended, the soonest first; not those that a newer one replaces."""
    latest: dict[tuple[str, ...], Statement] = {}
    for one in by_statement(copies):
        claims = said(one.copy)
        kind = one.copy.kind
        topic = (str(claims.get(name)) for name in kind.topic) if kind else ()
        key = (one.type, one.copy.issuer, str(one.copy.own), *topic)
        latest[key] = max((latest.get(key, one), one), key=_end)
    for one in sorted(latest.values(), key=_end):
        end = one.copy.valid_until
        if end is not None and end <= at + SOON:
            yield Ending(one, end.date(), end < at)


def _end(one: Statement) -> datetime:
    end = one.copy.valid_until
    return datetime.max.replace(tzinfo=UTC) if end is None else end


def _by_age(copies: Iterable[Copy], kind: str) -> list[tuple[Copy, Claims]]:
    """The statements of a type with what they say, the newest last."""
    found = [(copy, said(copy)) for copy in copies if copy.type == kind]
    return sorted(found, key=lambda one: (str(one[1].get("periodEnd", "")), str(one[0].valid_until)))


def _word(kind: str, claims: Claims, name: str) -> str:
    """A claim with one value; empty where it is not spelt as it has to be."""
    value = claims.get(name)
    return value if isinstance(value, str) and TYPES[kind].claims[name].accepts(value) else ""


def _items(kind: str, claims: Claims, name: str) -> tuple[str, ...]:
    values = claims.get(name, ())
    return tuple(
        value for value in (values if isinstance(values, tuple) else ()) if TYPES[kind].claims[name].accepts(value)
    )
