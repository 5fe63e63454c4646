"""Statements: parsing is strict, spelling is one, digests are stable."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.work_samples import (
    APPROVAL,
    CLAIMS,
    CONTEXT,
    DIGEST,
    EARNINGS,
    GOLD,
    RATING,
    SOME,
    TOO_FEW,
    statement,
    statements,
)
from vc.canon import canonicalize
from vc.errors import Malformed, Unsupported, VcError
from work.statement import Category, SourceMethod, Statement, context_digest
from work.types import TYPES

TYPE_NAMES = sorted(TYPES)


def as_json(kind: str, **changes: Any) -> dict[str, Any]:
    """The JSON of an example with some claims changed; nothing checks it here."""
    claims = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in {**CLAIMS[kind], **changes}.items()
        if value is not None
    }
    return {"type": kind, "worker": "W1" if TYPES[kind].about == "worker" else "", "claims": claims}


@pytest.mark.parametrize("kind", TYPE_NAMES)
def test_examples_parse_and_come_back(kind: str) -> None:
    parsed = Statement.parse(as_json(kind))
    assert Statement.parse(json.loads(json.dumps(parsed.to_json()))).to_json() == parsed.to_json()


@pytest.mark.parametrize("kind", TYPE_NAMES)
@SOME
@given(data=st.data())
def test_any_statement_survives_its_json(kind: str, data: st.DataObject) -> None:
    made = data.draw(statements(kind))
    read = Statement.parse(json.loads(canonicalize(made.to_json())))
    assert read.to_json() == made.to_json()
    assert read.digest() == made.digest()


def test_enumerations_are_those_of_the_schemas() -> None:
    claims = TYPES["Earnings"].claims
    assert list(Category) == list(claims["category"].words)
    assert list(SourceMethod) == list(claims["sourceMethod"].words)


def test_a_set_has_one_spelling() -> None:
    turned = statement("Earnings", monthly=EARNINGS["monthly"][::-1])
    assert turned.to_json() == statement("Earnings").to_json()
    assert turned.digest() == statement("Earnings").digest()


def test_the_digest_knows_the_worker_and_the_claims() -> None:
    digest = statement("Earnings").digest()
    assert len(digest) == 64
    assert Statement("Earnings", "W2", EARNINGS).digest() != digest
    assert statement("Earnings", tipsIncluded="true").digest() != digest


REFUSED = [
    ("Earnings", {"surprise": "1"}, "/claims/surprise"),
    ("Earnings", {"ratingValue": "4.9"}, "/claims/ratingValue"),
    ("Earnings", {"currency": None}, "/claims/currency"),
    ("Earnings", {"currency": "usd"}, "/claims/currency"),
    ("Earnings", {"currency": ["USD"]}, "/claims/currency"),
    ("Earnings", {"total": 18210.30}, "/claims/total"),
    ("Earnings", {"total": "1e3"}, "/claims/total"),
    ("Earnings", {"total": "18210.3"}, "/claims/total"),
    ("Earnings", {"total": "18,210.30"}, "/claims/total"),
    ("Earnings", {"total": "NaN"}, "/claims/total"),
    ("Earnings", {"total": "18210.30\n"}, "/claims/total"),
    ("Earnings", {"total": "١٢.٠٠"}, "/claims/total"),
    ("Earnings", {"total": "~01"}, "/claims/total"),
    ("Earnings", {"expensesNotDeducted": "false"}, "/claims/expensesNotDeducted"),
    ("Earnings", {"periodEnd": "2025-13"}, "/claims/periodEnd"),
    ("Earnings", {"periodEnd": "2025-7"}, "/claims/periodEnd"),
    ("Earnings", {"periodStart": "2025-08"}, "/claims/periodStart"),
    ("Earnings", {"monthly": "2025-07 1.00"}, "/claims/monthly"),
    ("Earnings", {"monthly": []}, "/claims/monthly"),
    ("Earnings", {"monthly": ["2025-06 1.00", "2025-07 1"], "averageAtLeast12m": None}, "/claims/monthly/1"),
    ("Earnings", {"monthly": ["2025-05 1.00", "2025-07 1.00"], "averageAtLeast12m": None}, "/claims/monthly"),
    ("Earnings", {"monthly": ["2025-07 1.00", "2025-07 2.00"], "averageAtLeast12m": None}, "/claims/monthly"),
    ("Earnings", {"monthly": ["2025-06 1.00"], "averageAtLeast12m": None}, "/claims/monthly"),
    ("Earnings", {"averageAtLeast12m": ["000100", "000300"], "monthly": None}, "/claims/averageAtLeast12m"),
    ("Earnings", {"averageAtLeast12m": ["000100", "000150"], "monthly": None}, "/claims/averageAtLeast12m"),
    ("Earnings", {"averageAtLeast12m": ["100"]}, "/claims/averageAtLeast12m/0"),
    ("Earnings", {"averageAtLeast12m": ["000100"]}, "/claims/averageAtLeast12m"),
    ("WorkHistory", {"jobsCompleted": "9"}, "/claims/jobsAtLeast"),
    ("WorkHistory", {"totalDurationHours": "601.1"}, "/claims/totalDurationHours"),
    ("WorkHistory", {"durationDefinition": "as usual"}, "/claims/durationDefinition"),
    ("WorkHistory", {"firstJob": "2025-07", "lastJob": "2025-06"}, "/claims/firstJob"),
    ("WorkHistory", {"timeSlots": ["night 0.5", "evening 0.5"]}, "/claims/timeSlots/0"),
    ("WorkHistory", {"timeSlots": ["night 0.500", "evening 0.498"]}, "/claims/timeSlots"),
    ("WorkHistory", {"timeSlots": ["night 0.500", "night 0.501"]}, "/claims/timeSlots"),
    ("WorkHistory", {"timeSlots": ["noon 1.000"]}, "/claims/timeSlots/0"),
    ("WorkHistory", {"serviceTypes": ["van 1", "van 2"]}, "/claims/serviceTypes"),
    ("WorkHistory", {"serviceTypes": ["van"]}, "/claims/serviceTypes/0"),
    ("WorkHistory", {"areas": [f"Zone {number}" for number in range(9)]}, "/claims/areas"),
    ("CompletedWork", {"outcome": "cancelledByWorker"}, "/claims/outcome"),
    ("CompletedWork", {"outcome": None}, "/claims/outcome"),
    ("CompletedWork", {"startDate": "2025-07-04"}, "/claims/startDate"),
    ("CompletedWork", {"quantity": "12.5 km"}, "/claims/quantity"),
    ("CompletedWork", {"jobIdHash": "4711"}, "/claims/jobIdHash"),
    ("PlatformMembership", {"tierLevel": "\u202eevil"}, "/claims/tierLevel"),
    ("PlatformMembership", {"tierLevel": "x" * 65}, "/claims/tierLevel"),
    ("PlatformMembership", {"status": "suspended"}, "/claims/status"),
    ("PlatformMembership", {"activityKinds": ["a", "b", "c", "d", "e"]}, "/claims/activityKinds"),
    ("Rating", {"periodStart": None}, "/claims/periodStart"),
    ("Rating", {"jobsEligible": None}, "/claims/jobsEligible"),
    ("Rating", {"ratingCount": "4", "distribution": ["notPublished"]}, "/claims/ratingCount"),
    ("Rating", {"ratingCount": "127"}, "/claims/distribution"),
    ("Rating", {"distribution": ["5 128", "notPublished"]}, "/claims/distribution"),
    ("Rating", {"ratingValue": "5.1"}, "/claims/ratingValue"),
    ("Rating", {"worstRating": "5"}, "/claims/worstRating"),
    ("Rating", {"intervalLower": "4.9"}, "/claims/intervalLower"),
    ("Rating", {"intervalUpper": "notStated"}, "/claims/intervalLower"),
    ("Rating", {"intervalMethod": "notStated"}, "/claims/intervalMethod"),
    ("Rating", {**TOO_FEW, "ratingCount": "128"}, "/claims/ratingValue"),
    ("Rating", {**TOO_FEW, "distribution": ["5 3"]}, "/claims/distribution"),
    ("Rating", {**TOO_FEW, "intervalLower": "3.2"}, "/claims/intervalLower"),
    ("Rating", {**TOO_FEW, "responseRate": "0.5"}, "/claims/responseRate"),
    ("Review", {"sampleTotal": None}, "/claims/sampleTotal"),
    ("Review", {"bestRating": None}, "/claims/bestRating"),
    ("Review", {"published": "2025-08"}, "/claims/published"),
    ("Review", {"sampleTotal": "0"}, "/claims/sampleTotal"),
    ("Review", {"reviewRating": "5.5"}, "/claims/reviewRating"),
    ("Review", {"reviewRating": "0"}, "/claims/reviewRating"),
    ("Review", {"worstRating": "5"}, "/claims/worstRating"),
    ("Review", {"reviewAspects": ["quality 6"]}, "/claims/reviewAspects"),
    ("Review", {"reviewAspects": ["quality 5 1"]}, "/claims/reviewAspects/0"),
    ("Review", {"reviewBody": "x" * 2001}, "/claims/reviewBody"),
    ("Review", {"reviewBody": "a\nb"}, "/claims/reviewBody"),
    ("Review", {"reviewBody": "~01"}, "/claims/reviewBody"),
    ("Review", {"reviewBody": "Appelez le 06 12 34 56 78"}, "/claims/reviewBody"),
    ("Review", {"reviewBody": "Merci à Mme Durand"}, "/claims/reviewBody"),
    ("Review", {"author": "somebody"}, "/claims/author"),
    ("Review", {"lang": "French"}, "/claims/lang"),
    ("ProfessionalInsurance", {"coverFrom": "2026-01-01"}, "/claims/coverFrom"),
    ("ProfessionalInsurance", {"coverTo": "2025-02-30"}, "/claims/coverTo"),
    ("ProfessionalInsurance", {"currency": None}, "/claims/ceilingPerClaim"),
    ("ProfessionalInsurance", {"deductible": "-1.00"}, "/claims/deductible"),
    ("ProfessionalInsurance", {"ceilingPerClaim": "499999.99"}, "/claims/ceilingPerClaimAtLeast"),
    ("ProfessionalInsurance", {"missionRef": DIGEST}, "/claims/missionRef"),
    ("ProfessionalInsurance", {"territory": ["France"]}, "/claims/territory/0"),
    ("TrainingRights", {"currency": "notApplicable"}, "/claims/cfpPaidLastYear"),
    ("TrainingRights", {"cpfTopUps": ["2025 1.00", "2025 2.00"]}, "/claims/cpfTopUps"),
    ("TrainingRights", {"trainings": ["x" * 201]}, "/claims/trainings/0"),
    ("DisputeOutcome", {"replaces": DIGEST}, "/claims/replaces"),
    ("DisputeOutcome", {"outcome": "removed"}, "/claims/replaces"),
    ("DisputeOutcome", {"about": "none"}, "/claims/about"),
    ("DisputeOutcome", {"decidedOn": "2025-08"}, "/claims/decidedOn"),
    ("Rating", {**TOO_FEW, "raterCountDistinct": "3"}, "/claims/raterCountDistinct"),
    ("Rating", {**TOO_FEW, "topRaterShare": "0.333"}, "/claims/topRaterShare"),
    # Whatever can be worked out from the rest has to be what comes out.
    ("Rating", {"intervalLower": "4.700"}, "/claims/intervalLower"),
    ("Rating", {"intervalUpper": "4.800"}, "/claims/intervalLower"),
    ("Rating", {"intervalLevel": "90"}, "/claims/intervalLower"),
    ("Rating", {"intervalMethod": "wilson"}, "/claims/intervalMethod"),
    ("Rating", {"intervalMethod": "wilsonBound"}, "/claims/intervalLower"),
    ("Rating", {"distribution": ["notPublished"]}, "/claims/intervalMethod"),
    ("Rating", {"computation": "platformAdjusted"}, "/claims/intervalMethod"),
    ("Rating", {**GOLD, "intervalLower": "0.900"}, "/claims/intervalLower"),
    ("Rating", {**GOLD, "ratingCount": "notPublished"}, "/claims/intervalMethod"),
    ("Rating", {**GOLD, "ratingValue": "0.9500"}, "/claims/intervalMethod"),
    ("Rating", {"ratingValue": "4.78"}, "/claims/ratingValue"),
    ("Rating", {"distribution": ["1 2", "2 1", "3 3", "4.5 12", "5 110"]}, "/claims/distribution"),
    ("Rating", {"distribution": ["1 2", "2 1", "3 3", "7 12", "5 110"]}, "/claims/distribution"),
    ("Rating", {"responseRate": "0.2"}, "/claims/responseRate"),
    ("Rating", {"jobsEligible": "127"}, "/claims/jobsEligible"),
    ("Rating", {"raterCountDistinct": "129"}, "/claims/raterCountDistinct"),
    ("Rating", {"raterCountDistinct": "0"}, "/claims/raterCountDistinct"),
    ("Rating", {"raterCountDistinct": "notPublished"}, "/claims/topRaterShare"),
    ("Rating", {"topRaterShare": "0.5"}, "/claims/topRaterShare"),
    ("Rating", {"raterCountDistinct": "2", "topRaterShare": "0.4"}, "/claims/topRaterShare"),
    ("Rating", {"effectiveShare": "0.9"}, "/claims/effectiveShare"),
    ("Rating", {"jobsEligible": "notPublished", "responseRate": "notPublished"}, "/claims/effectiveShare"),
    ("Rating", {"shrunkValue": "4.6"}, "/claims/priorMean"),
    ("Rating", {**APPROVAL, "distribution": ["0 44", "2 3"]}, "/claims/distribution"),
    ("Rating", {**APPROVAL, "intervalUpper": "0.150"}, "/claims/intervalLower"),
    ("Rating", {**APPROVAL, "shrunkValue": "0.300"}, "/claims/shrunkValue"),
    ("Rating", {**APPROVAL, "priorMean": "1.5"}, "/claims/priorMean"),
    ("Rating", {**APPROVAL, "priorStrength": "0"}, "/claims/priorStrength"),
    ("Rating", {**APPROVAL, "contextDigest": "notPublished"}, "/claims/priorSource"),
    ("RatingBand", {"bandFrom": "4.6"}, "/claims/bandFrom"),
    ("RatingBand", {"bandFrom": "0.5"}, "/claims/bandFrom"),
    ("RatingBand", {"bandFrom": "5"}, "/claims/bandFrom"),
    ("RatingBand", {"bandTo": "5.5"}, "/claims/bandTo"),
    ("RatingBand", {"worstRating": "5"}, "/claims/worstRating"),
    ("RatingBand", {"ratingsAtLeast": "000128"}, "/claims/ratingsAtLeast"),
    ("RatingBand", {"coarseDistribution": ["5 0.9", "notPublished"]}, "/claims/coarseDistribution"),
    ("RatingBand", {"coarseDistribution": ["5 0.86"]}, "/claims/coarseDistribution/0"),
    ("RatingBand", {"coarseResponseRate": "0.0955"}, "/claims/coarseResponseRate"),
    ("RatingBand", {"ratingValue": "4.77"}, "/claims/ratingValue"),
    ("RatingBand", {"coarseTopRaterShare": None}, "/claims/coarseTopRaterShare"),
    ("RatingContext", {"sourceMethod": "platformNative"}, "/claims/sourceMethod"),
    ("RatingContext", {"knownBiasNotes": None}, "/claims/knownBiasNotes"),
]


@pytest.mark.parametrize(
    ("kind", "changes", "where"), REFUSED, ids=[f"{kind}{where}{i}" for i, (kind, _, where) in enumerate(REFUSED)]
)
def test_what_breaks_a_rule_is_refused_where_it_stands(kind: str, changes: dict[str, Any], where: str) -> None:
    with pytest.raises(Malformed) as caught:
        Statement.parse(as_json(kind, **changes))
    assert caught.value.where == where


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "x",
        {},
        {"type": "Earnings", "worker": "W1"},
        {"type": 1, "worker": "W1", "claims": {}},
        {**as_json("Earnings"), "id": "1"},
        {**as_json("Earnings"), "claims": []},
    ],
)
def test_what_is_no_statement_is_refused(value: Any) -> None:
    with pytest.raises(Malformed):
        Statement.parse(value)


def test_an_unknown_type_is_unsupported() -> None:
    with pytest.raises(Unsupported):
        Statement.parse({**as_json("Earnings"), "type": "Score"})


@pytest.mark.parametrize(("kind", "worker"), [("Earnings", ""), ("Earnings", "w" * 257), ("RatingContext", "W1")])
def test_a_worker_is_named_where_there_is_one(kind: str, worker: str) -> None:
    with pytest.raises(Malformed) as caught:
        Statement(kind, worker, CLAIMS[kind])
    assert caught.value.where == "/worker"


def test_shares_may_rest_on_few_trials() -> None:
    """One test question of one is a share with a wide interval, not a star that has to be kept back."""
    one = statement(
        "Rating",
        computation="goldAccuracy",
        bestRating="1",
        worstRating="0",
        ratingValue="1",
        ratingCount="1",
        jobsEligible="notPublished",
        responseRate="notPublished",
        raterCountDistinct="notPublished",
        topRaterShare="notPublished",
        effectiveShare="notPublished",
        distribution=("notPublished",),
        intervalLower="0.206",
        intervalUpper="1.000",
        intervalMethod="wilson",
    )
    assert one.claims["ratingCount"] == "1"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@SOME
@given(kind=st.sampled_from(TYPE_NAMES), data=st.data())
def test_our_error_or_a_statement_never_a_third_thing(kind: str, data: st.DataObject) -> None:
    value = as_json(kind)
    value["claims"][data.draw(st.sampled_from(sorted(TYPES[kind].claims)) | st.text(max_size=3))] = data.draw(
        json_values
    )
    try:
        Statement.parse(value)
    except VcError:
        return


def test_context_digest_is_a_multihash_of_the_claims_alone() -> None:
    digest = context_digest(statement("RatingContext"))
    assert digest.startswith("uEi")
    assert TYPES["Rating"].claims["contextDigest"].accepts(digest)
    assert digest == context_digest(statement("RatingContext", percentiles=CONTEXT["percentiles"][::-1]))
    assert digest != context_digest(statement("RatingContext", population="5022"))
    assert statement("Rating", contextDigest=digest).claims["contextDigest"] == digest


def test_only_a_rating_context_is_a_context() -> None:
    with pytest.raises(Malformed):
        context_digest(Statement("Rating", "W1", RATING))


def test_a_topic_tells_statements_of_one_type_apart() -> None:
    assert statement("Earnings").topic() == "USD"
    assert statement("Earnings", currency="EUR", total="1.00").topic() == "EUR"
    assert statement("PlatformMembership").topic() == ""


def test_topics_are_named_by_single_texts() -> None:
    """No claim accepts a line break, so that the topics of two statements are never written alike."""
    named = [(kind, kind.claims[name]) for kind in TYPES.values() for name in kind.topic]
    assert [claim.name for kind, claim in named if kind.name == "Earnings"] == ["currency"]
    assert not any(claim.many or claim.accepts("a\nb") for _, claim in named)
