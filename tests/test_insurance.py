"""Is this work insured? The answer rests on what was shown, and says so where that is not enough."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.work_samples import DIGEST, INSURANCE, OTHER_DIGEST, SOME, statements
from vc.errors import Malformed
from work.insurance import Answer, covers
from work.ladders import read_rung

ALWAYS = {name: INSURANCE[name] for name in ("insurerName", "insurerIdentifier", "coverFrom", "coverTo", "scope")}
SHOWN: dict[str, Any] = {**ALWAYS, "coveredActivities": ("Plâtrerie",), "currency": "EUR"}
RUNGS: dict[str, Any] = {**SHOWN, "ceilingPerClaimAtLeast": ("000500",)}
EXACT: dict[str, Any] = {**SHOWN, "ceilingPerClaim": "500000.00"}
MISSION: dict[str, Any] = {**RUNGS, "scope": "missionOnly", "missionRef": DIGEST}
ASKED: dict[str, Any] = {
    "on": date(2025, 6, 1),
    "activity": "Plâtrerie",
    "ceiling": Decimal(300_000),
    "currency": "EUR",
}


@pytest.mark.parametrize(
    ("claims", "changes", "answer"),
    [
        (RUNGS, {}, "met"),
        (EXACT, {}, "met"),
        (RUNGS, {"on": date(2025, 1, 1)}, "met"),
        (RUNGS, {"on": date(2025, 12, 31)}, "met"),
        (RUNGS, {"on": date(2024, 12, 31)}, "notMet"),
        (RUNGS, {"on": date(2026, 1, 1)}, "notMet"),
        (RUNGS, {"activity": " plâtrerie "}, "met"),
        (RUNGS, {"activity": "Toiture"}, "cannotTell"),  # it may be covered and kept hidden
        ({**RUNGS, "coveredActivities": ()}, {}, "cannotTell"),
        (RUNGS, {"ceiling": Decimal(500_000)}, "met"),
        (RUNGS, {"ceiling": Decimal("500000.01")}, "cannotTell"),  # a higher rung may be kept hidden
        (EXACT, {"ceiling": Decimal("500000.01")}, "notMet"),
        (EXACT, {"currency": "USD"}, "cannotTell"),
        ({name: value for name, value in EXACT.items() if name != "currency"}, {}, "cannotTell"),
        (SHOWN, {}, "cannotTell"),
        (SHOWN, {"on": date(2024, 1, 1)}, "notMet"),  # one no is enough
        ({}, {}, "cannotTell"),
        ({"coverFrom": "2025-01-01"}, {}, "cannotTell"),
        (MISSION, {}, "cannotTell"),
        (MISSION, {"mission": DIGEST}, "met"),
        (MISSION, {"mission": OTHER_DIGEST}, "notMet"),
        ({**MISSION, "missionRef": DIGEST, "coveredActivities": ()}, {"mission": DIGEST}, "cannotTell"),
        (RUNGS, {"mission": OTHER_DIGEST}, "met"),  # a policy of the holder covers all missions
    ],
)
def test_answers(claims: dict[str, Any], changes: dict[str, Any], answer: str) -> None:
    assert covers(claims, **{**ASKED, **changes}) == Answer(answer)


@pytest.mark.parametrize(
    "claims",
    [{"coverFrom": "1 January 2025"}, {"ceilingPerClaim": "many"}, {"scope": ("holder",)}, {"deductable": "1.00"}],
    ids=str,
)
def test_what_no_statement_says_is_no_answer(claims: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        covers({**RUNGS, **claims}, **ASKED)


@SOME
@given(made=statements("ProfessionalInsurance"), data=st.data(), day=st.dates(date(1990, 1, 1), date(2099, 1, 1)))
def test_showing_more_never_turns_a_yes_into_a_no_nor_a_no_into_a_yes(
    made: Any, data: st.DataObject, day: date
) -> None:
    claims = {**made.claims, "scope": "holder"}
    claims.pop("missionRef", None)
    activity = next(iter(claims.get("coveredActivities", ("Peinture",))))
    asked = {"on": day, "activity": activity, "ceiling": Decimal(100_000), "currency": "EUR"}
    hidden = data.draw(st.sets(st.sampled_from(sorted(claims))))
    less = {name: value for name, value in claims.items() if name not in hidden}
    some, all_ = covers(less, **asked), covers(claims, **asked)
    assert some in (all_, Answer.CANNOT_TELL)


@SOME
@given(made=statements("ProfessionalInsurance"))
def test_a_rung_says_no_more_than_the_amount(made: Any) -> None:
    if "ceilingPerClaim" in made.claims:
        steps = [read_rung(step) * 1000 for step in made.claims.get("ceilingPerClaimAtLeast", ())]
        assert all(step <= Decimal(made.claims["ceilingPerClaim"]) for step in steps)
