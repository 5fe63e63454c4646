"""Statistics that make a rating honest: how far a figure may be from the truth, and what it is to be read against.

Decimal arithmetic from end to end. Bounds of intervals are rounded outward to three decimals (the stated interval is
never narrower than the computed one); shares are rounded half-even to three. Nothing here ranks or grades a person:
every function describes one figure. Formulas, sources and limits of each are in docs/statistics.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from vc.errors import Malformed
from work import posterior

MIN_STARS: Final = 5  # below, a figure is noise: "too few to state"
STARS: Final = (1, 2, 3, 4, 5)
PERCENTS: Final = (1, 5, 10, 25, 50, 75, 90, 95, 99)
STRENGTH: Final = 10  # ratings that a prior counts for, unless somebody says otherwise

_MILLI: Final = Decimal("0.001")
_PRECISION: Final = 50
_HALF: Final = Decimal("0.5")
_REMEMBERED: Final = 1 << 16  # intervals, 20 MB at most: workers with few ratings share their distributions
# Two-sided quantiles of the normal distribution.
_Z: Final[Mapping[int, Decimal]] = MappingProxyType(
    {
        90: Decimal("1.6448536269514727148638489079916"),
        95: Decimal("1.9599639845400542355245944305205"),
        99: Decimal("2.5758293035489007609785767486037"),
    }
)


@dataclass(frozen=True, slots=True)
class Interval:
    """Two bounds, rounded outward to three decimals."""

    lower: Decimal
    upper: Decimal

    @classmethod
    def outward(cls, lower: Decimal, upper: Decimal, *, least: Decimal, most: Decimal) -> "Interval":
        """Rounded outward, but not beyond what the scale allows."""
        return cls(max(lower, least).quantize(_MILLI, ROUND_FLOOR), min(upper, most).quantize(_MILLI, ROUND_CEILING))


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A figure pulled towards what is usual, and towards what: ``mean`` is the prior's own figure, ``strength`` the
    number of ratings that it counts for, ``source`` where it comes from."""

    value: Decimal
    mean: Decimal
    strength: int
    source: str


@dataclass(frozen=True, slots=True)
class TopRater:
    """How much of a rating comes from the person who rated most: ``share`` of it, among ``raters`` different people."""

    share: Decimal
    raters: int


def too_few(count: int) -> bool:
    """Are ``count`` ratings too few to state any figure that is made from them?"""
    return count < MIN_STARS


def wilson(successes: int, trials: int, level: int = 95) -> Interval:
    """Wilson's score interval for a share (E. B. Wilson, 1927).

    ``level`` is 90, 95 or 99 percent. Raises :class:`Malformed` for counts that are not a share of anything.
    """
    if not 0 <= successes <= trials or trials < 1:
        raise Malformed("", "a share needs at least one trial, and no more successes than trials")
    with localcontext(prec=_PRECISION):
        lower, upper = _score_bounds(Decimal(successes) / trials, trials, _Z[_checked(level)])
    return Interval.outward(lower, upper, least=Decimal(0), most=Decimal(1))


def wilson_bound(mean: Decimal, best: Decimal, worst: Decimal, count: int, level: int = 95) -> Interval:
    """An interval for a mean of ``count`` ratings whose spread is not published, on the scale of the mean.

    Wilson's interval for the mean rescaled to [0, 1]. It is cautious: no distribution on [0, 1] with that mean has
    more variance than the one that knows only 0 and 1 (Bhatia and Davis, 2000).
    """
    if not worst <= mean <= best or worst == best or count < 1:
        raise Malformed("", "a mean lies between worst and best, and comes from at least one rating")
    with localcontext(prec=_PRECISION):
        width = best - worst
        lower, upper = _score_bounds((mean - worst) / width, count, _Z[_checked(level)])
        return Interval.outward(worst + lower * width, worst + upper * width, least=worst, most=best)


def dirichlet_interval(
    distribution: Mapping[int, int],
    levels: Sequence[int] = STARS,
    level: int = 95,
) -> Interval:
    """An interval for the mean of ratings whose spread is known, on their own scale.

    ``distribution`` counts the ratings of each of ``levels`` (those that nobody chose may be left out). The shares of
    the levels have a Dirichlet posterior over Jeffreys' prior (half a rating on each level); the bounds are the
    quantiles of the mean rating under it (:mod:`work.posterior`). The observed mean is always inside: where all
    ratings are equal, the prior alone would exclude it.
    """
    total, ordered = sum(distribution.values()), tuple(sorted(levels))
    if total < 1 or len(ordered) < 2 or not set(distribution) <= set(ordered) or min(distribution.values()) < 0:
        raise Malformed("/distribution", "needs ratings, on at least two levels of the scale, and none outside of it")
    return _dirichlet(ordered, tuple(distribution.get(at, 0) for at in ordered), _checked(level))


@lru_cache(maxsize=_REMEMBERED)
def _dirichlet(levels: tuple[int, ...], counts: tuple[int, ...], level: int) -> Interval:
    counted = {Decimal(at): count for at, count in zip(levels, counts, strict=True)}
    lower, upper = posterior.bounds({at: count + _HALF for at, count in counted.items()}, _Z[level])
    with localcontext(prec=_PRECISION):
        seen = sum((at * count for at, count in counted.items()), Decimal()) / sum(counts)
        return Interval.outward(min(lower, seen), max(upper, seen), least=Decimal(levels[0]), most=Decimal(levels[-1]))


def shrink(successes: int, trials: int, prior: Decimal, *, source: str, strength: int = STRENGTH) -> Shrunk:
    """A share pulled towards ``prior`` (the share that is usual in the rating's context), as if ``strength`` more
    trials had been seen there: (k + m·p0) / (n + m)."""
    if not 0 <= successes <= trials or not 0 <= prior <= 1:
        raise Malformed("", "no more successes than trials, and a prior between 0 and 1, are needed")
    return shrink_mean(Decimal(successes), trials, prior, source=source, strength=strength)


def shrink_stars(
    distribution: Mapping[int, int],
    context: Mapping[int, int],
    *,
    source: str,
    strength: int = STRENGTH,
) -> Shrunk:
    """The mean of stars pulled towards the spread that is usual in their context.

    The shares of the levels have a Dirichlet prior with the shares of ``context`` (ratings of everybody, by level), as
    if ``strength`` ratings had been seen there; what is returned is the mean rating under their posterior (the
    Dirichlet-multinomial model).
    """
    usual = sum(context.values())
    if usual < 1 or min(context.values()) < 0 or any(count < 0 for count in distribution.values()):
        raise Malformed("/distribution", "counts of ratings are needed, and at least one rating in the context")
    with localcontext(prec=_PRECISION):
        prior = sum((Decimal(at) * count for at, count in context.items()), Decimal()) / usual
    points = sum((Decimal(at) * count for at, count in distribution.items()), Decimal())
    # Level by level, Σ at·(n_at + m·share_at) / (n + m) is the same as with the two means.
    return shrink_mean(points, sum(distribution.values()), prior, source=source, strength=strength)


def shrink_mean(points: Decimal, count: int, prior: Decimal, *, source: str, strength: int = STRENGTH) -> Shrunk:
    """The mean of ``count`` ratings that add up to ``points``, pulled towards the mean ``prior`` of their context."""
    if count < 0 or strength < 1 or not source:
        raise Malformed("", "a prior has a strength of at least one rating and a source")
    with localcontext(prec=_PRECISION):
        return Shrunk(_rounded((points + strength * prior) / (count + strength)), _rounded(prior), strength, source)


def share(part: int, whole: int) -> Decimal:
    """A part of something, such as the rated jobs of all jobs that could be rated."""
    if not 0 <= part <= whole or whole < 1:
        raise Malformed("", "a share needs something to be a share of, and no more than all of it")
    with localcontext(prec=_PRECISION):
        return _rounded(Decimal(part) / whole)


def effective_share(positives: int, eligible: int) -> Decimal:
    """Positives among all jobs that could have been rated: silence counts (Nosko and Tadelis; Dellarocas and Wood)."""
    return share(positives, eligible)


def is_positive(value: Decimal, best: Decimal, worst: Decimal) -> bool:
    """Is a single rating above the middle of its scale: 4 and 5 stars of 5, or work that was accepted?"""
    return 2 * value > best + worst


def top_rater(ratings_by_rater: Iterable[int]) -> TopRater:
    """The share of the most frequent rater, from the number of ratings that each of them gave."""
    counts = list(ratings_by_rater)
    if not counts or min(counts) < 1:
        raise Malformed("", "raters are those who gave at least one rating")
    return TopRater(share(max(counts), sum(counts)), len(counts))


def percentile_of(value: Decimal, percentiles: Mapping[int, Decimal]) -> tuple[int, int]:
    """Between which two of the stated percentiles of its context a value lies, 0 and 100 being the ends.

    It reads a figure against the signed RatingContext that its rating names, and against no other. Where many share
    the value (most workers have the best rating) the two are far apart, and that is the answer: never one place. It is
    for the worker's own eyes; reports to others print the context and leave the worker out of it.
    """
    if not percentiles:
        raise Malformed("/percentiles", "a context without percentiles has no places")
    below = [percent for percent, figure in percentiles.items() if figure < value]
    above = [percent for percent, figure in percentiles.items() if figure > value]
    return max(below, default=0), min(above, default=100)


def quantiles(values: Iterable[Decimal], percents: Iterable[int] = PERCENTS) -> dict[int, Decimal]:
    """For each percent, the smallest of ``values`` that this share of them does not exceed: one that occurs."""
    ordered = sorted(values)
    if not ordered:
        raise Malformed("", "no values, no quantiles")
    return {percent: ordered[max(0, -(-percent * len(ordered) // 100) - 1)] for percent in percents}


def _checked(level: int) -> int:
    if level not in _Z:
        raise Malformed("/level", "90, 95 or 99")
    return level


def _score_bounds(share: Decimal, trials: int, z: Decimal) -> tuple[Decimal, Decimal]:
    """Where (share - p)² = z² p (1 - p) / trials."""
    z2n = z * z / trials
    centre = share + z2n / 2
    reach = z * ((share * (1 - share) + z2n / 4) / trials).sqrt()
    return (centre - reach) / (1 + z2n), (centre + reach) / (1 + z2n)


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(_MILLI, ROUND_HALF_EVEN)
