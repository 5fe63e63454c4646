"""Statistics that make a rating honest: how far a figure may be from the truth, and what it is to be read against.

Decimal arithmetic from end to end. Bounds of intervals are rounded outward to three decimals (the stated interval is
never narrower than the computed one); shares are rounded half-even to three. Nothing here ranks or grades a person:
every function describes one figure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext
from types import MappingProxyType
from typing import Final

from vc.errors import Malformed
from work import posterior

MIN_STARS: Final = 5  # below, an average of stars is noise: "too few to state"
STARS: Final = (1, 2, 3, 4, 5)
PERCENTS: Final = (1, 5, 10, 25, 50, 75, 90, 95, 99)

_MILLI: Final = Decimal("0.001")
_PRECISION: Final = 50
_HALF: Final = Decimal("0.5")
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
    total, ordered = sum(distribution.values()), sorted(levels)
    if total < 1 or len(ordered) < 2 or not set(distribution) <= set(ordered) or min(distribution.values()) < 0:
        raise Malformed("/distribution", "needs ratings, on at least two levels of the scale, and none outside of it")
    tail = (1 - Decimal(_checked(level)) / 100) / 2
    lower, upper = posterior.bounds({Decimal(at): distribution.get(at, 0) + _HALF for at in ordered}, tail)
    with localcontext(prec=_PRECISION):
        seen = sum((Decimal(at) * count for at, count in distribution.items()), Decimal()) / total
        return Interval.outward(
            min(lower, seen), max(upper, seen), least=Decimal(ordered[0]), most=Decimal(ordered[-1])
        )


def shrink(successes: int, trials: int, prior: Decimal, strength: int = 10) -> Decimal:
    """A share pulled towards ``prior`` (the share that is usual in the rating's context), as if ``strength`` more
    trials had been seen there: (k + m·p0) / (n + m)."""
    if not 0 <= successes <= trials or strength < 1 or not 0 <= prior <= 1:
        raise Malformed("", "a share, a prior between 0 and 1 and at least one trial of strength are needed")
    return _share((successes + strength * prior) / (trials + strength))


def effective_share(positives: int, eligible: int) -> Decimal:
    """Positives among all jobs that could have been rated: silence counts (Nosko and Tadelis; Dellarocas and Wood)."""
    if not 0 <= positives <= eligible or eligible < 1:
        raise Malformed("", "a share needs at least one eligible job, and no more positives than those")
    return _share(Decimal(positives) / eligible)


def percentile_of(value: Decimal, percentiles: Mapping[int, Decimal]) -> tuple[int, int]:
    """Between which two of the stated percentiles of its context a value lies, 0 and 100 being the ends.

    Where many share the value (most workers have the best rating) the two are far apart, and that is the answer.
    """
    if not percentiles:
        raise Malformed("/percentiles", "a context without percentiles has no places")
    below = [percent for percent, figure in percentiles.items() if figure < value]
    above = [percent for percent, figure in percentiles.items() if figure > value]
    return max(below, default=0), min(above, default=100)


def quantiles(values: Iterable[Decimal], percents: Iterable[int] = PERCENTS) -> dict[int, Decimal]:
    """For each percent, the smallest of ``values`` that this share of them does not exceed (nearest rank)."""
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


def _share(value: Decimal) -> Decimal:
    return value.quantize(_MILLI, ROUND_HALF_EVEN)
