"""Statements for the tests: one plain example of each type, and strategies that make any statement of a type."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from work import months
from work.bands import band, coarse, step_reached
from work.examples import EXAMPLES
from work.ladders import reached, rungs
from work.statement import Statement, context_digest
from work.statistics import dirichlet_interval, effective_share, share, shrink_stars
from work.types import TYPES, Claim

SLOTS = ("night", "morning", "afternoon", "evening")
SOME = settings(deadline=None, max_examples=40)  # a loaded machine is no failure
WORKER = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
ISSUER = "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ8XJP4omzd5Cn"
COMMON: dict[str, Any] = {"category": "freelance", "sourceMethod": "platformNative", "periodEnd": "2025-07"}

CLAIMS: dict[str, dict[str, Any]] = {name: dict(one.claims) for name, one in EXAMPLES.items()}
MEMBERSHIP: dict[str, Any] = CLAIMS["PlatformMembership"]
HISTORY: dict[str, Any] = CLAIMS["WorkHistory"]
EARNINGS: dict[str, Any] = CLAIMS["Earnings"]
RATING: dict[str, Any] = CLAIMS["Rating"]
TOO_FEW: dict[str, Any] = {
    **RATING,
    "ratingValue": "tooFewToState",
    "ratingCount": "fewerThan5",
    "responseRate": "notPublished",
    "distribution": ("tooFewToState",),
    "intervalLower": "notStated",
    "intervalUpper": "notStated",
    "intervalLevel": "notStated",
    "intervalMethod": "notStated",
    "raterCountDistinct": "notPublished",
    "topRaterShare": "notPublished",
    "effectiveShare": "notPublished",
}
GOLD: dict[str, Any] = {
    **TOO_FEW,
    "category": "microwork",
    "computation": "goldAccuracy",
    "raterPopulation": "testQuestions",
    "perRater": "true",
    "ratingValue": "0.9444",
    "bestRating": "1",
    "worstRating": "0",
    "ratingCount": "36",
    "jobsEligible": "notPublished",
    "distribution": ("notPublished",),
    "windowKind": "lastN",
    "windowSize": "100",
    "intervalLower": "0.818",
    "intervalUpper": "0.985",
    "intervalLevel": "95",
    "intervalMethod": "wilson",
}
CONTEXT: dict[str, Any] = CLAIMS["RatingContext"]
REVIEW: dict[str, Any] = CLAIMS["Review"]
INSURANCE: dict[str, Any] = CLAIMS["ProfessionalInsurance"]
TRAINING: dict[str, Any] = CLAIMS["TrainingRights"]
OUTCOME: dict[str, Any] = CLAIMS["DisputeOutcome"]
CONTEXT_DIGEST = context_digest(Statement("RatingContext", "", CONTEXT))
# Of 47 pieces of work 44 were rejected by one and the same client.
APPROVAL: dict[str, Any] = {
    **RATING,
    "category": "microwork",
    "computation": "approvalShare",
    "raterPopulation": "requesters",
    "ratingValue": "0.0638",
    "bestRating": "1",
    "worstRating": "0",
    "ratingCount": "47",
    "jobsEligible": "47",
    "responseRate": "1.000",
    "distribution": ("0 44", "1 3"),
    "intervalLower": "0.021",
    "intervalUpper": "0.172",
    "intervalMethod": "wilson",
    "contextDigest": CONTEXT_DIGEST,
    "raterCountDistinct": "3",
    "topRaterShare": "0.936",
    "effectiveShare": "0.064",
    "shrunkValue": "0.217",
    "priorMean": "0.939",
    "priorStrength": "10",
    "priorSource": "contextDistribution",
    "methodUrl": "https://platform.example/how-work-is-judged",
    "knownBiasNotes": ("notStated",),
    "excludedReasons": ("olderThanWindow", "setAside"),
    "disputedOpen": "2",
    "disputedInFavour": "1",
}
BAND: dict[str, Any] = CLAIMS["RatingBand"]
REPLY: dict[str, Any] = CLAIMS["Reply"]
DISPUTE: dict[str, Any] = CLAIMS["Dispute"]
DIGEST = str(OUTCOME["about"])
OTHER_DIGEST = str(OUTCOME["replaces"])


def statement(kind: str, **changes: Any) -> Statement:
    """The example of a type with some claims changed, or taken away by None."""
    claims = {name: value for name, value in {**CLAIMS[kind], **changes}.items() if value is not None}
    return Statement(kind, "W1" if TYPES[kind].about == "worker" else "", claims)


@st.composite
def statements(draw: st.DrawFn, kind: str) -> Statement:
    """Any statement of a type."""
    if kind == "Rating":
        return statement("Rating", **draw(_ratings()))
    if kind == "RatingBand":
        return statement("RatingBand", **draw(_bands()))
    types = TYPES[kind]
    claims = {
        claim.name: draw(_values(claim)) for claim in types.claims.values() if claim.mandatory or draw(st.booleans())
    }
    while lone := [name for name in claims if any(each not in claims for each in types.claims[name].needs)]:
        claims = {name: value for name, value in claims.items() if name not in lone}
    if "periodEnd" in claims:
        claims.update(draw(_times(types.claims, claims)))
    if "timeSlots" in claims:
        claims["timeSlots"] = draw(_shares())
    if {"startDate", "endDate"} <= claims.keys():
        claims["startDate"], claims["endDate"] = sorted((claims["startDate"], claims["endDate"]))
    if kind in _CONSISTENT:
        claims.update(draw(_CONSISTENT[kind](claims)))
    for claim in types.claims.values():
        if claim.ladder and claim.name in claims:
            claims[claim.name] = draw(_rungs(claim, claims))
    return Statement(kind, "W1" if types.about == "worker" else "", {name: v for name, v in claims.items() if v})


def _values(claim: Claim) -> st.SearchStrategy[Any]:
    one = _SHAPES[claim.kind] if claim.kind in _SHAPES else st.from_regex(claim.pattern, fullmatch=True)
    name = (lambda item: item.rpartition(" ")[0]) if claim.kind in ("slotShare", "typeCount") else None
    return st.lists(one, min_size=1, max_size=claim.slots, unique_by=name or str).map(tuple) if claim.many else one


@st.composite
def _shares(draw: st.DrawFn) -> tuple[str, ...]:
    counts = draw(st.lists(st.integers(0, 99), min_size=4, max_size=4).filter(any))
    shares = (round(Decimal(count) / sum(counts), 3) for count in counts)
    return tuple(f"{slot} {share:.3f}" for slot, share in zip(SLOTS, shares, strict=True))


_numbers = st.integers(months.number("1990-01"), months.number("2080-12"))


@st.composite
def _times(draw: st.DrawFn, types: Mapping[str, Claim], claims: dict[str, Any]) -> dict[str, Any]:
    first, since, last, end = sorted(draw(st.lists(_numbers, min_size=4, max_size=4)))
    dated = {
        "published": last,
        "decidedOn": last,
        "firstJob": first,
        "memberSince": since,
        "periodStart": since,
        "lastJob": last,
        "periodEnd": end,
    }
    made: dict[str, Any] = {name: months.name(at) for name, at in dated.items() if name in claims}
    for claim in types.values():
        if claim.fill == "before" and claim.name in claims:
            parts = draw(st.lists(_values(types[claim.name]), min_size=1, max_size=3))
            amounts = [item[8:] for part in parts for item in part][: claim.slots]
            window = months.span(months.back(made["periodEnd"], len(amounts)), made["periodEnd"])
            made[claim.name] = tuple(f"{month} {amount}" for month, amount in zip(window, amounts, strict=True))
    return made


@st.composite
def _rungs(draw: st.DrawFn, claim: Claim, claims: dict[str, Any]) -> tuple[str, ...]:
    if claim.basis is None or claim.basis.claim not in claims:
        return rungs(claim.ladder)[: draw(st.integers(0, len(claim.ladder)))]
    value = claims[claim.basis.claim]
    if isinstance(value, str):
        return reached(Decimal(value) / claim.basis.unit, claim.ladder)
    start = months.back(claims["periodEnd"], claim.basis.over)
    amounts = [Decimal(item[8:]) for item in value if item[:7] >= start]
    return tuple(step for step in rungs(claim.ladder) if sum(amounts) >= int(step) * claim.basis.over)


spreads = st.lists(st.integers(0, 999), min_size=5, max_size=5).filter(lambda counts: sum(counts) >= 5)


@st.composite
def _ratings(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        return draw(st.sampled_from((TOO_FEW, GOLD, APPROVAL)))
    counted = dict(enumerate(draw(spreads), 1))
    interval, total = dirichlet_interval(counted), sum(counted.values())
    mean = Decimal(sum(star * count for star, count in counted.items())) / total
    jobs = total + draw(st.integers(0, 3000))
    positives = counted[4] + counted[5]
    raters = draw(st.integers(1, total))
    shrunk = shrink_stars(counted, {1: 1, 5: 19}, source="contextDistribution")
    return {
        "ratingCount": str(total),
        "aspects": draw(st.none() | _values(TYPES["Rating"].claims["aspects"])),
        "distribution": tuple(f"{star} {count}" for star, count in counted.items()),
        "ratingValue": draw(st.sampled_from((f"{mean:.1f}", f"{mean:.2f}"))),
        "jobsEligible": str(jobs),
        "responseRate": draw(st.sampled_from((str(share(total, jobs)), "notPublished"))),
        "effectiveShare": draw(st.sampled_from((str(effective_share(positives, jobs)), "notPublished"))),
        "intervalLower": str(interval.lower),
        "intervalUpper": str(interval.upper),
        "raterCountDistinct": str(raters),
        "topRaterShare": str(share(draw(st.integers(-(-total // raters), total - raters + 1)), total)),
        "contextDigest": CONTEXT_DIGEST,
        "shrunkValue": str(shrunk.value),
        "priorMean": str(shrunk.mean),
        "priorStrength": str(shrunk.strength),
        "priorSource": shrunk.source,
    }


@st.composite
def _bands(draw: st.DrawFn) -> dict[str, Any]:
    counted = dict(enumerate(draw(spreads), 1))
    made = band(dirichlet_interval(counted), Decimal(5), Decimal(1))
    return {
        "bandFrom": f"{made.lower.normalize():f}",
        "bandTo": f"{made.upper.normalize():f}",
        "ratingsAtLeast": step_reached(sum(counted.values())),
        "coarseDistribution": coarse(counted),
        "coarseResponseRate": draw(st.sampled_from(("0", "0.3", "1", "notPublished"))),
    }


# Shapes that take long to make from their pattern, or that it does not say all of.
_TITLES = st.text(st.sampled_from("abcdefghij ÉÀçœ&'’-.,()0123"), min_size=1, max_size=200).map(lambda text: f"T{text}")
_SHAPES: dict[str, st.SearchStrategy[Any]] = {
    "title": _TITLES,
    "longText": st.text(st.sampled_from("abc é!?,;-😀“”{}"), max_size=2000 - 1).map(lambda text: f"t{text}"),
    "date": st.dates(date(1900, 1, 1), date(2099, 12, 31)).map(lambda day: f"{day:%Y-%m-%d}"),
}


@st.composite
def _review(draw: st.DrawFn, claims: dict[str, Any]) -> dict[str, Any]:
    values = st.sampled_from(("0", "2.5", "5"))
    aspects = st.lists(st.tuples(st.sampled_from(("quality", "speed")), values), min_size=1, unique=True)
    return {
        "worstRating": "0",
        "bestRating": "5",
        "reviewRating": draw(values | st.just("notRated")),
        "sampleTotal": str(draw(st.integers(1, 999))),
        "reviewAspects": draw(st.none() | aspects.map(lambda pairs: tuple(" ".join(pair) for pair in pairs))),
    }


@st.composite
def _insurance(draw: st.DrawFn, claims: dict[str, Any]) -> dict[str, Any]:
    first, last = sorted((claims["coverFrom"], claims["coverTo"]))
    amounts = ("ceilingPerClaim", "ceilingPerYear", "deductible", "jobsUpTo")
    stated = {name: f"{draw(st.decimals(0, 10**9, places=2)):.2f}" for name in amounts if name in claims}
    mission = {"scope": "missionOnly"} if "missionRef" in claims else {}
    return {"coverFrom": first, "coverTo": last, "currency": "EUR", **stated, **mission}


@st.composite
def _training(draw: st.DrawFn, claims: dict[str, Any]) -> dict[str, Any]:
    years = draw(st.lists(st.integers(1990, 2050), unique=True, max_size=10))
    return {"currency": "EUR", "cpfTopUps": tuple(f"{year} {year - 1990}.50" for year in years)}


def _outcome(claims: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    other = claims["replaces"] not in ("none", claims["about"])
    return st.just({"outcome": "corrected"} if other else {"replaces": "none"})


_CONSISTENT: dict[str, Callable[[dict[str, Any]], st.SearchStrategy[dict[str, Any]]]] = {
    "Review": _review,
    "ProfessionalInsurance": _insurance,
    "TrainingRights": _training,
    "DisputeOutcome": _outcome,
}
