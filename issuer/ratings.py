"""Rating statements, their bands, and the statement about how all ratings of the export are spread.

A rating is added up by the database (:mod:`issuer.rated`); the division is done here, in decimals. What is too weak to
be stated is not stated, and is not part of the spread either.
"""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from issuer.engine import Engine
from issuer.frame import Frame, make, month_of
from issuer.profile import Constants
from issuer.rated import Rated, Sum, first_month, rated
from work import months
from work.bands import band, coarse, step_reached, tenth
from work.rating_rules import levels_of
from work.statement import Statement, context_digest
from work.statistics import (
    Interval,
    Shrunk,
    dirichlet_interval,
    effective_share,
    quantiles,
    share,
    shrink_mean,
    shrink_stars,
    too_few,
    wilson,
    wilson_bound,
)

LEVEL: Final = 95  # percent
MIN_POPULATION: Final = 20  # percentiles of fewer workers would be the ratings of some of them

_CONSTANT: Final = ("computation", "raterPopulation", "perRater", "bestRating", "worstRating", "windowKind")
_SAME: Final = (*_CONSTANT, "category", "sourceMethod", "periodEnd", "windowSize")  # of a band and its rating
_NO_INTERVAL: Final = dict.fromkeys(("intervalLower", "intervalUpper", "intervalLevel", "intervalMethod"), "notStated")
_NO_SHRINKAGE: Final = dict.fromkeys(("shrunkValue", "priorMean", "priorStrength", "priorSource"), "notStated")
_NOT_PUBLISHED: Final = "notPublished"


def ratings(engine: Engine, at: Frame, context: Statement | None) -> Iterator[Statement]:
    """A Rating for every worker whom the ``ratings`` relation knows, to be read in ``context``; and its band."""
    constants = at.profile.statements["Rating"]
    digest = context_digest(context) if context else _NOT_PUBLISHED
    for one in rated(engine, at):
        value = _value(one, constants)
        found = _interval(one, value, constants)
        claims = {
            **at.common(),
            **{name: constants[name] for name in _CONSTANT},
            "periodStart": _start(one, constants, at),
            "ratingValue": _stated(value, constants),
            "ratingCount": _count(one, value, constants),
            **_answers(one, value, constants),
            "distribution": _distribution(one, value),
            "windowSize": _window(constants, at) or "notApplicable",
            "contextDigest": digest,
            "excludedCount": str(one.excluded) if constants["excluded"] == "lines" else _NOT_PUBLISHED,
            "excludedReasons": one.reasons,
            **_limits(found),
            **_raters(one, value),
            **_shrunk(one, value, constants, context),
            "methodUrl": constants.get("methodUrl", _NOT_PUBLISHED),
            "knownBiasNotes": _bias_notes(at),
            "aspects": () if value is None else _aspects(one, constants),
        }
        stated = make("Rating", one.worker, claims)
        yield stated
        if found is not None:
            yield _band(stated, found[0], one)


def _band(rating: Statement, interval: Interval, one: Rated) -> Statement:
    """What the worker can show instead: the same rating, so roughly that nobody is recognised by it."""
    claims = rating.claims
    best, worst = Decimal(str(claims["bestRating"])), Decimal(str(claims["worstRating"]))
    around = band(interval, best, worst)
    return make(
        "RatingBand",
        rating.worker,
        {
            **{name: claims[name] for name in _SAME},
            "bandFrom": f"{around.lower.normalize():f}",
            "bandTo": f"{around.upper.normalize():f}",
            "ratingsAtLeast": step_reached(one.counted.weight),
            "coarseResponseRate": _tenth(str(claims["responseRate"])),
            "coarseTopRaterShare": _tenth(str(claims["topRaterShare"])),
            "coarseDistribution": coarse(one.spread) if one.spread else (_NOT_PUBLISHED,),
            "intervalLevel": claims["intervalLevel"],
            "intervalMethod": claims["intervalMethod"],
            "contextDigest": claims["contextDigest"],
        },
    )


def _tenth(stated: str) -> str:
    return stated if stated == _NOT_PUBLISHED else tenth(Decimal(stated))


def rating_context(engine: Engine, at: Frame) -> Statement | None:
    """How the stated ratings of all workers are spread; nothing where so few would show who has which."""
    constants, own = at.profile.statements["Rating"], at.profile.statements["RatingContext"]
    stated, spread, answers = Counter[Decimal](), Counter[int](), Counter[str]()
    for one in rated(engine, at):
        value = _value(one, constants)
        stated.update(() if value is None else (value,))
        spread.update(one.spread or {})
        if one.answers_known:
            answers.update(rated=one.counted.weight, eligible=one.eligible or 0)
    if stated.total() < MIN_POPULATION:
        return None
    points = sum((value * count for value, count in stated.items()), Decimal())
    best, size = Decimal(str(constants["bestRating"])), _window(constants, at)
    claims = {
        "category": at.profile.category,
        "raterPopulation": constants["raterPopulation"],
        "computation": constants["computation"],
        "population": str(stated.total()),
        "populationMean": str(Sum(points, stated.total()).mean(3)),
        "percentiles": [f"{percent} {value}" for percent, value in quantiles(stated.elements()).items()],
        "shareAtMax": str(share(stated[best], stated.total())),
        "responseRate": str(share(answers["rated"], answers["eligible"])) if answers["eligible"] else _NOT_PUBLISHED,
        "distribution": [f"{level} {count}" for level, count in sorted(spread.items())] or [_NOT_PUBLISHED],
        "windowRule": f"{constants['windowKind']} {size}" if size else str(constants["windowKind"]),
        "asOf": at.end,
        **{name: own.get(name, _NOT_PUBLISHED) for name in ("excludesOutsideControl", "actionThreshold", "biasAudit")},
        "knownBiasNotes": own["knownBiasNotes"],
    }
    return make("RatingContext", "", claims)


def _value(one: Rated, constants: Constants) -> Decimal | None:
    """The rating, where it is strong enough to be stated. How many test questions there were may be unknown."""
    if constants["count"] == "lines":
        if too_few(one.counted.weight):
            return None
    elif constants["eligible"] == "jobs" and not one.eligible:
        return None  # the figure that platforms give to whoever begins: nobody has been rated for nothing done
    return one.counted.mean(int(str(constants["decimals"])))


def _stated(value: Decimal | None, constants: Constants) -> str:
    if value is not None:
        return str(value)
    return "tooFewToState" if constants["count"] == "lines" else _NOT_PUBLISHED


def _count(one: Rated, value: Decimal | None, constants: Constants) -> str:
    if constants["count"] != "lines":
        return _NOT_PUBLISHED
    return "fewerThan5" if value is None else str(one.counted.weight)


def _answers(one: Rated, value: Decimal | None, constants: Constants) -> dict[str, str]:
    """How many jobs could be rated, how many were, and how many well. Where there are more ratings than jobs, the
    export does not hold all jobs: then nobody knows how many there were."""
    counted = constants["count"] == "lines"
    if one.eligible is None or (counted and one.counted.weight > one.eligible):
        return dict.fromkeys(("jobsEligible", "responseRate", "effectiveShare"), _NOT_PUBLISHED)
    known = counted and value is not None
    return {
        "jobsEligible": str(one.eligible),
        "responseRate": str(share(one.counted.weight, one.eligible)) if known else _NOT_PUBLISHED,
        "effectiveShare": str(effective_share(one.positives, one.eligible)) if known else _NOT_PUBLISHED,
    }


def _distribution(one: Rated, value: Decimal | None) -> tuple[str, ...]:
    if one.spread is None:
        return (_NOT_PUBLISHED,)
    return ("tooFewToState",) if value is None else tuple(f"{at} {count}" for at, count in one.spread.items())


def _raters(one: Rated, value: Decimal | None) -> dict[str, str]:
    if value is None or one.raters is None:
        return dict.fromkeys(("raterCountDistinct", "topRaterShare"), _NOT_PUBLISHED)
    return {
        "raterCountDistinct": str(one.raters),
        "topRaterShare": str(share(one.most_by_one, one.counted.weight)),
    }


def _start(one: Rated, constants: Constants, at: Frame) -> str:
    """The month in which the window of the rating begins: for all time, when the worker joined."""
    if constants["windowKind"] == "period":
        return first_month(constants, at)
    return month_of(one.since) if one.since else at.start


def _window(constants: Constants, at: Frame) -> str:
    """The size of the window, in months or in ratings; empty where the window is all time."""
    match constants["windowKind"]:
        case "period":
            return str(constants.get("months") or len(months.span(at.start, at.end)))
        case "lastN":
            return str(constants["windowSize"])
    return ""


def _interval(one: Rated, value: Decimal | None, constants: Constants) -> tuple[Interval, str] | None:
    """From what is stated, so that whoever reads the statement can work it out again; with the name of the method."""
    if value is None or constants["count"] != "lines":
        return None
    best, worst = Decimal(str(constants["bestRating"])), Decimal(str(constants["worstRating"]))
    accepted, count = one.counted.points, one.counted.weight
    if (
        constants["computation"] == "approvalShare"
        and (worst, best) == (Decimal(0), Decimal(1))
        and accepted == int(accepted or 0)
    ):
        return wilson(int(accepted), count, LEVEL), "wilson"
    if constants["computation"] == "arithmeticMean" and one.spread is not None:
        return dirichlet_interval(one.spread, levels_of(worst, best), LEVEL), "dirichlet"
    return wilson_bound(value, best, worst, count, LEVEL), "wilsonBound"


def _limits(found: tuple[Interval, str] | None) -> dict[str, str]:
    if found is None:
        return _NO_INTERVAL
    interval, method = found
    return {
        "intervalLower": str(interval.lower),
        "intervalUpper": str(interval.upper),
        "intervalLevel": str(LEVEL),
        "intervalMethod": method,
    }


def _shrunk(one: Rated, value: Decimal | None, constants: Constants, context: Statement | None) -> dict[str, str]:
    """The value drawn towards what the platform's own context says is usual."""
    if value is None or context is None or constants["count"] != "lines":
        return _NO_SHRINKAGE
    usual = _counts(context)
    if usual and one.spread:
        found = shrink_stars(one.spread, usual, source="contextDistribution")
    else:
        found = _towards_mean(one, value, Decimal(str(context.claims["populationMean"])))
    return {
        "shrunkValue": str(found.value),
        "priorMean": str(found.mean),
        "priorStrength": str(found.strength),
        "priorSource": found.source,
    }


def _towards_mean(one: Rated, value: Decimal, mean: Decimal) -> Shrunk:
    return shrink_mean(value * one.counted.weight, one.counted.weight, mean, source="contextMean")


def _counts(context: Statement) -> dict[int, int]:
    pairs = [item.split(" ") for item in context.claims["distribution"]]
    return {int(pair[0]): int(pair[1]) for pair in pairs if len(pair) == 2}


def _bias_notes(at: Frame) -> tuple[str, ...]:
    own = at.profile.statements.get("RatingContext", {})
    return tuple(own.get("knownBiasNotes", ("notStated",)))


def _aspects(one: Rated, constants: Constants) -> list[str]:
    """The sides of the work that enough people rated, each with its own count."""
    places = int(str(constants["decimals"]))
    strong = {side: each for side, each in one.sides.items() if not too_few(each.weight)}
    return [f"{side} {each.mean(places)} {each.weight}" for side, each in strong.items()]
