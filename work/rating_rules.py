"""What has to hold between the members of a rating, and of its band, so that neither says more than its ratings do.

Whatever can be worked out from the rest of a rating has to be what comes out: a platform cannot narrow an interval,
round a mean up or choose its own prior. Each function yields (claim, why) for every breach.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Final

from work.bands import STEPS, band_step
from work.ladders import rungs
from work.statistics import (
    Interval,
    dirichlet_interval,
    is_positive,
    share,
    shrink_mean,
    too_few,
    wilson,
    wilson_bound,
)

Claims = Mapping[str, str | tuple[str, ...]]
Breaches = Iterator[tuple[str, str]]

SHARES: Final = frozenset({"approvalShare", "goldAccuracy"})  # figures that are a share of something, from 0 to 1
_SUPPRESSED: Final = {
    "ratingCount": "fewerThan5",
    "intervalLower": "notStated",
    "intervalUpper": "notStated",
    "raterCountDistinct": "notPublished",
    "topRaterShare": "notPublished",
    "effectiveShare": "notPublished",
    "shrunkValue": "notStated",
}
_SHRUNK: Final = ("priorMean", "priorStrength", "priorSource")
_HALF_MILLI: Final = Decimal("0.0005")
_NO_LEVEL: Final = 10**7  # beyond every figure that a claim can hold: stands for a value that is no whole number
MAX_LEVELS: Final = 11  # a scale of more levels has no place for its spread in a statement


def rating_breaches(claims: Claims) -> Breaches:
    """What makes no sense in a rating of which every member is there and well spelt."""
    value, count = claims["ratingValue"], claims["ratingCount"]
    if claims["computation"] not in SHARES and _is_number(count) and too_few(int(str(count))):
        yield "ratingCount", "so few ratings are stated as fewerThan5, with tooFewToState as value"
    if (value == "tooFewToState") != (count == "fewerThan5"):
        yield "ratingValue", "tooFewToState and fewerThan5 go together"
    if value == "tooFewToState":
        yield from _leaks(claims)
    found = list(_scale_breaches(claims))
    found += _spread_breaches(claims)
    yield from found
    if not found:  # what follows is worked out from the scale and the spread
        yield from _sum_breaches(claims)
        yield from _interval_breaches(claims)
        yield from _shrunk_breaches(claims)


def _leaks(claims: Claims) -> Breaches:
    """What would tell the value that was too weak to be stated."""
    for name, token in _SUPPRESSED.items():
        if claims[name] != token:
            yield name, f"has to be {token} where the ratings are too few to state a value"
    if spread(claims["distribution"]) is not None:
        yield "distribution", "tells the value that is too weak to be stated"
    if _is_number(claims["responseRate"]) and _is_number(claims["jobsEligible"]):
        yield "responseRate", "tells the count that fewerThan5 leaves out"


def _scale_breaches(claims: Claims) -> Breaches:
    worst, best = _scale(claims)
    if worst >= best:
        yield "worstRating", "is not below bestRating"
    for name in ("ratingValue", "intervalLower", "intervalUpper", "shrunkValue", "priorMean"):
        if _is_number(claims[name]) and not worst <= _number(claims, name) <= best:
            yield name, "is outside the scale from worstRating to bestRating"
    lower, upper = claims["intervalLower"], claims["intervalUpper"]
    if _is_number(lower) != _is_number(upper) or (_is_number(lower) and Decimal(str(lower)) > Decimal(str(upper))):
        yield "intervalLower", "is above intervalUpper, or only one of them is stated"
    for name in ("intervalLevel", "intervalMethod"):
        if (claims[name] == "notStated") == _is_number(lower):
            yield name, "is stated where the interval is, and only there"
    for name in _SHRUNK:
        if (claims[name] == "notStated") == _is_number(claims["shrunkValue"]):
            yield name, "is stated where shrunkValue is, and only there"


def _spread_breaches(claims: Claims) -> Breaches:
    if len(claims["distribution"]) > 1 and any(" " not in item for item in claims["distribution"]):
        yield "distribution", "one word for all of it, or one count for each value"
    counted, levels = spread(claims["distribution"]), levels_of(*_scale(claims))
    if counted is None:
        return
    if not counted.keys() <= set(levels) or len(counted) != len(claims["distribution"]):
        yield "distribution", "each value once, and each of them a whole number on the scale"
    if _is_number(claims["ratingCount"]) and sum(counted.values()) != int(str(claims["ratingCount"])):
        yield "distribution", "its counts do not add up to ratingCount"


def _sum_breaches(claims: Claims) -> Breaches:
    """Means, shares and counts that follow from each other."""
    counted, plain = spread(claims["distribution"]), claims["computation"] in SHARES | {"arithmeticMean"}
    if counted and plain and _is_number(claims["ratingValue"]):
        mean = _points(counted) / max(sum(counted.values()), 1)
        if abs(mean - _number(claims, "ratingValue")) > half_unit(str(claims["ratingValue"])):
            yield "ratingValue", "is not the mean of the distribution"
    jobs = int(str(claims["jobsEligible"])) if _is_number(claims["jobsEligible"]) else None
    if not _is_number(claims["ratingCount"]):
        return
    count = int(str(claims["ratingCount"]))
    if jobs is not None and _is_number(claims["responseRate"]) and count:
        if count > jobs:
            yield "jobsEligible", "is less than ratingCount"
        elif abs(Decimal(count) / jobs - _number(claims, "responseRate")) > half_unit(str(claims["responseRate"])):
            yield "responseRate", "is not ratingCount divided by jobsEligible"
    yield from _rater_breaches(claims, count)
    yield from _effective_breaches(claims, counted, jobs)


def _rater_breaches(claims: Claims, count: int) -> Breaches:
    if _is_number(claims["raterCountDistinct"]) != _is_number(claims["topRaterShare"]):
        yield "topRaterShare", "is stated where raterCountDistinct is, and only there"
    elif _is_number(claims["topRaterShare"]):
        raters, top = int(str(claims["raterCountDistinct"])), _number(claims, "topRaterShare")
        if not 1 <= raters <= count:
            yield "raterCountDistinct", "from one to as many as there are ratings"
        elif (
            not share(-(-count // raters), count) - _HALF_MILLI <= top <= share(count - raters + 1, count) + _HALF_MILLI
        ):
            yield "topRaterShare", f"cannot be, with {raters} raters and {count} ratings"


def _effective_breaches(claims: Claims, counted: Mapping[int, int] | None, jobs: int | None) -> Breaches:
    if not _is_number(claims["effectiveShare"]):
        return
    worst, best = _scale(claims)
    if jobs is None:
        yield "effectiveShare", "needs jobsEligible: it is a share of them"
    elif counted is not None:
        positives = sum(count for at, count in counted.items() if is_positive(Decimal(at), best, worst))
        stated = str(claims["effectiveShare"])
        if positives > jobs or not jobs or abs(Decimal(positives) / jobs - Decimal(stated)) > half_unit(stated):
            yield "effectiveShare", "is not the positive ratings divided by jobsEligible"
    elif _is_number(claims["responseRate"]) and _number(claims, "effectiveShare") > _number(claims, "responseRate"):
        yield "effectiveShare", "is above responseRate: more positive ratings than ratings"


def _interval_breaches(claims: Claims) -> Breaches:
    """The stated interval has to be the one that its method gives: nobody can narrow it."""
    if not _is_number(claims["intervalLower"]):
        return
    needed = "ratingCount" if claims["intervalMethod"] != "dirichlet" else "distribution"
    if not _can_be_worked_out(claims):
        yield "intervalMethod", f"cannot be worked out from the {needed} that is stated here"
        return
    least, most = _expected(claims)
    lower, upper = _number(claims, "intervalLower"), _number(claims, "intervalUpper")
    if not least.lower <= lower <= most.lower or not least.upper <= upper <= most.upper:
        yield "intervalLower", f"is not what the method gives: {least.lower} to {most.upper}"


def _can_be_worked_out(claims: Claims) -> bool:
    counted, method = spread(claims["distribution"]), claims["intervalMethod"]
    if method == "dirichlet":
        return bool(counted and sum(counted.values())) and claims["computation"] == "arithmeticMean"
    stated = _is_number(claims["ratingCount"]) and int(str(claims["ratingCount"])) > 0
    if not stated or not _is_number(claims["ratingValue"]) or method == "wilsonBound":
        return stated and _is_number(claims["ratingValue"])
    fewest, most = successes(str(claims["ratingValue"]), int(str(claims["ratingCount"])))
    share_of_one = _scale(claims) == (Decimal(0), Decimal(1)) and claims["computation"] in SHARES
    return share_of_one and (counted is not None or fewest <= most)


def _expected(claims: Claims) -> tuple[Interval, Interval]:
    """The lowest and the highest interval that the rest of the statement allows: the same, but for rounded shares."""
    worst, best = _scale(claims)
    level, counted = int(str(claims["intervalLevel"])), spread(claims["distribution"])
    if claims["intervalMethod"] == "dirichlet":
        found = dirichlet_interval(counted or {}, levels_of(worst, best), level)
        return found, found
    count, value = int(str(claims["ratingCount"])), _number(claims, "ratingValue")
    if claims["intervalMethod"] == "wilsonBound":
        found = wilson_bound(value, best, worst, count, level)
        return found, found
    fewest, most = (counted.get(1, 0),) * 2 if counted else successes(str(claims["ratingValue"]), count)
    return wilson(fewest, count, level), wilson(most, count, level)


def _shrunk_breaches(claims: Claims) -> Breaches:
    if not _is_number(claims["shrunkValue"]):
        return
    if not (_is_number(claims["ratingCount"]) and _is_number(claims["ratingValue"])):
        yield "shrunkValue", "cannot be worked out without ratingCount and ratingValue"
        return
    count, strength = int(str(claims["ratingCount"])), int(str(claims["priorStrength"]))
    if strength < 1:
        yield "priorStrength", "is at least one rating"
        return
    if claims["contextDigest"] == "notPublished":
        yield "priorSource", "is part of the context that contextDigest names, and none is named"
    counted, prior = spread(claims["distribution"]), _number(claims, "priorMean")
    mean = _points(counted) / max(count, 1) if counted else _number(claims, "ratingValue")
    slack = Decimal(0) if counted else half_unit(str(claims["ratingValue"]))
    found = shrink_mean(mean * count, count, prior, source="stated", strength=strength).value
    # The prior was rounded to three decimals after it was used, and so was the result.
    if abs(found - _number(claims, "shrunkValue")) > slack + half_unit(str(claims["priorMean"])) + 2 * _HALF_MILLI:
        yield "shrunkValue", "is not what the prior that is named beside it gives"


def band_breaches(claims: Claims) -> Breaches:
    """What makes no sense in a band, or would say more than a band may."""
    worst, best = _scale(claims)
    if worst >= best:
        yield "worstRating", "is not below bestRating"
        return
    low, high, step = _number(claims, "bandFrom"), _number(claims, "bandTo"), band_step(best, worst)
    for name, at in (("bandFrom", low), ("bandTo", high)):
        if not worst <= at <= best or (at % step and at not in (worst, best)):
            yield name, f"a multiple of {step:f} on the scale"
    if low >= high:
        yield "bandFrom", "is not below bandTo"
    if claims["ratingsAtLeast"] not in rungs(STEPS):
        yield "ratingsAtLeast", f"one of {', '.join(rungs(STEPS))}"
    if len(claims["coarseDistribution"]) > 1 and any(" " not in item for item in claims["coarseDistribution"]):
        yield "coarseDistribution", "one word for all of it, or one share for each value"


def spread(distribution: str | Iterable[str]) -> dict[int, int] | None:
    """How many ratings of each value; nothing where it is not published."""
    pairs = [item.split(" ") for item in distribution]
    if not all(len(pair) == 2 for pair in pairs):
        return None
    return {_level(pair[0]): int(pair[1]) for pair in pairs}


def levels_of(worst: Decimal, best: Decimal) -> tuple[int, ...]:
    """The values that a rating on whole numbers can have; none where the scale has no such, or too many."""
    if worst != int(worst) or best != int(best) or not 0 < best - worst < MAX_LEVELS:
        return ()
    return tuple(range(int(worst), int(best) + 1))


def successes(value: str, trials: int) -> tuple[int, int]:
    """The fewest and the most successes that give a share which was rounded to ``value``; none, if more than most."""
    slack, stated = half_unit(value), Decimal(value)
    fewest = max(0, int(((stated - slack) * trials).to_integral_value(ROUND_CEILING)))
    return fewest, min(trials, int((stated + slack) * trials))


def half_unit(text: str) -> Decimal:
    """Half of the last decimal place of a plain decimal: what rounding can have taken or added."""
    return Decimal(5).scaleb(-len(text.partition(".")[2]) - 1)


def _level(text: str) -> int:
    value = Decimal(text)
    return int(value) if value == int(value) else _NO_LEVEL


def _points(counted: Mapping[int, int]) -> Decimal:
    return Decimal(sum(at * count for at, count in counted.items()))


def _scale(claims: Claims) -> tuple[Decimal, Decimal]:
    return _number(claims, "worstRating"), _number(claims, "bestRating")


def _number(claims: Claims, name: str) -> Decimal:
    return Decimal(str(claims[name]))


def _is_number(value: str | tuple[str, ...]) -> bool:
    """A parsed claim is a number or a word; words begin with a letter."""
    return isinstance(value, str) and not value[0].isalpha()
