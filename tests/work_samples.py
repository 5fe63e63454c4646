"""Statements for the tests: one plain example of each type, and strategies that make any statement of a type."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from work import months
from work.ladders import reached, rungs
from work.statement import Statement
from work.types import TYPES, Claim

SOME = settings(deadline=None, max_examples=40)  # a loaded machine is no failure
WORKER = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
ISSUER = "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ8XJP4omzd5Cn"
COMMON: dict[str, Any] = {"category": "freelance", "sourceMethod": "platformNative", "periodEnd": "2025-07"}

MEMBERSHIP: dict[str, Any] = {
    **COMMON,
    "memberSince": "2019-04",
    "status": "active",
    "identityVerified": "true",
    "activityKinds": ("Home", "Room"),
    "tierScheme": "Superhost",
    "tierLevel": "Superhost",
    "tenureMonthsAtLeast": ("000003", "000006"),
}
HISTORY: dict[str, Any] = {
    **COMMON,
    "unitOfWork": "contract",
    "durationDefinition": "https://w3id.org/ouvrage/v1/durations/logged",
    "jobsCompleted": "11",
    "totalDurationHours": "601.17",
    "monthlyJobs": ("2025-06 1", "2025-07 0"),
    "jobsAtLeast": ("000001", "000005", "000010"),
    "hoursAtLeast": ("000050", "000100", "000250", "000500"),
}
EARNINGS: dict[str, Any] = {
    **COMMON,
    "periodStart": "2025-05",
    "currency": "USD",
    "basis": "grossPaidByClient",
    "tipsIncluded": "false",
    "incentivesIncluded": "true",
    "tollsIncluded": "notPublished",
    "expensesNotDeducted": "true",
    "total": "18210.30",
    "monthly": ("2025-05 12000.00", "2025-06 0.00", "2025-07 6210.30"),
    "averageAtLeast12m": ("000100", "000200", "000300", "000500", "000800", "001000", "001200", "001500"),
}
RATING: dict[str, Any] = {
    **COMMON,
    "category": "sharing",
    "periodStart": "2024-01",
    "computation": "arithmeticMean",
    "raterPopulation": "guests",
    "perRater": "false",
    "ratingValue": "4.77",
    "bestRating": "5",
    "worstRating": "1",
    "ratingCount": "128",
    "jobsEligible": "1340",
    "responseRate": "0.0955",
    "distribution": ("1 2", "2 1", "3 3", "4 12", "5 110"),
    "windowKind": "allTime",
    "windowSize": "notApplicable",
    "intervalLower": "4.596",
    "intervalUpper": "4.848",
    "intervalLevel": "95",
    "intervalMethod": "dirichlet",
    "contextDigest": "notPublished",
    "excludedCount": "3",
}
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
CONTEXT: dict[str, Any] = {
    "category": "sharing",
    "raterPopulation": "guests",
    "computation": "arithmeticMean",
    "population": "5021",
    "populationMean": "4.77",
    "percentiles": ("1 3.5", "10 4.6", "5 4.5", "99 5"),
    "shareAtMax": "0.21",
    "responseRate": "notPublished",
    "windowRule": "lastN 500",
    "asOf": "2025-03",
    "knownBiasNotes": ("https://doi.org/10.1145/2998181.2998327",),
}
CLAIMS: dict[str, dict[str, Any]] = {
    "PlatformMembership": MEMBERSHIP,
    "WorkHistory": HISTORY,
    "Rating": RATING,
    "Earnings": EARNINGS,
    "RatingContext": CONTEXT,
}


def statement(kind: str, **changes: Any) -> Statement:
    """The example of a type with some claims changed, or taken away by None."""
    claims = {name: value for name, value in {**CLAIMS[kind], **changes}.items() if value is not None}
    return Statement(kind, "W1" if TYPES[kind].about == "worker" else "", claims)


@st.composite
def statements(draw: st.DrawFn, kind: str) -> Statement:
    """Any statement of a type."""
    if kind == "Rating":
        return statement("Rating", **draw(_ratings()))
    types = TYPES[kind]
    claims = {
        claim.name: draw(_values(claim)) for claim in types.claims.values() if claim.mandatory or draw(st.booleans())
    }
    if "periodEnd" in claims:
        claims.update(draw(_times(types.claims, claims)))
    for claim in types.claims.values():
        if claim.ladder and claim.name in claims:
            claims[claim.name] = draw(_rungs(claim, claims))
    return Statement(kind, "W1" if types.about == "worker" else "", {name: v for name, v in claims.items() if v})


def _values(claim: Claim) -> st.SearchStrategy[Any]:
    one = st.from_regex(claim.pattern, fullmatch=True)
    return st.lists(one, min_size=1, max_size=claim.slots, unique=True).map(tuple) if claim.many else one


_numbers = st.integers(months.number("1990-01"), months.number("2080-12"))


@st.composite
def _times(draw: st.DrawFn, types: Mapping[str, Claim], claims: dict[str, Any]) -> dict[str, Any]:
    first, since, last, end = sorted(draw(st.lists(_numbers, min_size=4, max_size=4)))
    dated = {"firstJob": first, "memberSince": since, "periodStart": since, "lastJob": last, "periodEnd": end}
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
        return reached(Decimal(value), claim.ladder)
    start = months.back(claims["periodEnd"], claim.basis.over)
    amounts = [Decimal(item[8:]) for item in value if item[:7] >= start]
    return tuple(step for step in rungs(claim.ladder) if sum(amounts) >= int(step) * claim.basis.over)


@st.composite
def _ratings(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        return draw(st.sampled_from((TOO_FEW, GOLD)))
    counts = draw(st.lists(st.integers(0, 999), min_size=5, max_size=5).filter(lambda counts: sum(counts) >= 5))
    return {
        "ratingCount": str(sum(counts)),
        "aspects": draw(st.none() | _values(TYPES["Rating"].claims["aspects"])),
        "distribution": tuple(f"{star} {count}" for star, count in enumerate(counts, 1)),
        "ratingValue": draw(st.sampled_from(("4.6", "4.77", "notPublished"))),
        "responseRate": draw(st.sampled_from(("0.5", "1", "notPublished"))),
    }
