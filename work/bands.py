"""Bands: what a rating says when it is told so roughly that many workers have the same, and nobody is recognised."""

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext
from typing import Final

from vc.errors import Malformed
from work.ladders import reached
from work.statistics import Interval

STEPS: Final = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)  # of the number of ratings
_TENTH: Final = Decimal("0.1")
_PRECISION: Final = 50


def band_step(best: Decimal, worst: Decimal) -> Decimal:
    """How wide the steps of a band are: the first of 0.1, 0.5, 1, 5, 10 … that is at least a tenth of the scale.

    That is half a star on a scale from 1 to 5, and ten percent for a share.
    """
    if worst >= best:
        raise Malformed("/worstRating", "is not below bestRating")
    step = _TENTH
    while step * 10 < best - worst:
        step = (step * (5 if step.as_tuple().digits == (1,) else 2)).normalize()
    return step


def band(interval: Interval, best: Decimal, worst: Decimal) -> Interval:
    """The band around an interval: its bounds moved outward to the next step, but not beyond the scale."""
    step = band_step(best, worst)
    with localcontext(prec=_PRECISION):
        lower = (interval.lower / step).to_integral_value(ROUND_FLOOR) * step
        upper = (interval.upper / step).to_integral_value(ROUND_CEILING) * step
        if lower == upper:  # an interval without width, exactly on a step
            lower, upper = (lower - step, upper) if upper >= best else (lower, upper + step)
        return Interval(max(lower, worst), min(upper, best))


def step_reached(count: int) -> str:
    """The highest step that a number of ratings reaches, as a rung."""
    steps = reached(Decimal(count), STEPS)
    if not steps:
        raise Malformed("/ratingCount", "too few ratings for a band")
    return steps[-1]


def tenth(share: Decimal) -> str:
    """A share in tenths."""
    return f"{share.quantize(_TENTH, ROUND_HALF_EVEN).normalize():f}"


def coarse(distribution: Mapping[int, int]) -> tuple[str, ...]:
    """A spread as shares in tenths, lowest value first; rounded one by one, they need not add up to 1."""
    total = sum(distribution.values())
    if total < 1:
        raise Malformed("/distribution", "needs ratings")
    with localcontext(prec=_PRECISION):
        return tuple(f"{at} {tenth(Decimal(count) / total)}" for at, count in sorted(distribution.items()))
