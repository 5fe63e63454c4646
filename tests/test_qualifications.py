"""Qualifications: from the rows of a platform's badges to one statement for each worker and achievement."""

from pathlib import Path
from typing import Any

import pytest

from issuer.attest import Attested, attest
from issuer.profile import Profile
from issuer.store import Store
from vc.errors import Malformed

PROFILE = """
name = "carpenters"
title = "A guild"
platform = "Guild"
category = "freelance"
documented = "Nothing."
assumed = "Everything."
provenance = "This test."

[files.badges]
title = "badges"
delimiters = [","]
required = ["who", "day", "badge", "level", "until"]
[files.badges.columns]
worker = '"who"'
day = '''day_of("day", '%Y-%m-%d')'''
achievement = '"badge"'
level = '"level"'
until = '''day_of("until", '%Y-%m-%d')'''
[files.badges.feeds]
qualifications = "true"

[statements.Qualification]
awardingBody = "Example Guild"
basis = "peerReview"
achievementType = "Badge"
criteria = "Three surveys, read again by two others."
"""
COMMON = {
    "category": "freelance",
    "sourceMethod": "platformNative",
    "periodEnd": "2025-07",
    "awardingBody": "Example Guild",
    "basis": "peerReview",
    "achievementType": "Badge",
    "criteria": "Three surveys, read again by two others.",
}
HEAD = "who,day,badge,level,until\n"


def made(tmp_path: Path, rows: str, extra: str = "") -> Attested:
    export = tmp_path / "badges.csv"
    export.write_text(HEAD + rows, encoding="utf-8")
    return attest(Profile.parse((PROFILE + extra).encode(), where="carpenters.toml"), [export])


def claims(attested: Attested) -> list[dict[str, Any]]:
    return [dict(one.claims) for one in attested.statements]


def test_one_for_each_worker_and_achievement_by_the_newest_row(tmp_path: Path) -> None:
    attested = made(
        tmp_path,
        "w2,2025-07-01,Roofer,1,\n"
        "w1,2025-06-30,Surveyor,3,2027-12-31\n"
        "w1,2025-07-02,Surveyor,2,2026-06-30\n"
        "w1,2024-01-01,Roofer,,\n",
    )
    assert [(one.type, one.worker, one.topic()) for one in attested.statements] == [
        ("Qualification", "w1", "Roofer"),
        ("Qualification", "w1", "Surveyor"),
        ("Qualification", "w2", "Roofer"),
    ]
    roofer, surveyor, _ = claims(attested)
    assert roofer == {**COMMON, "achievementName": "Roofer", "achievementDescription": "Roofer"}
    assert surveyor == {
        **COMMON,
        "achievementName": "Surveyor",
        "achievementDescription": "Surveyor",
        "level": "2",
        "heldUntil": "2026-06",
    }
    assert attested.reconciliation.rows_used == 4


def test_the_order_of_rows_of_one_day_decides_nothing(tmp_path: Path) -> None:
    lines = ["w1,2025-07-01,Surveyor,1,2026-01-31", "w1,2025-07-01,Surveyor,2,2027-01-31", "w1,2025-07-01,Surveyor,9,"]
    told = [claims(made(tmp_path, "\n".join(order))) for order in (lines, lines[::-1])]
    assert told[0] == told[1]
    assert (told[0][0]["level"], told[0][0]["heldUntil"]) == ("2", "2027-01")


def test_a_scale_of_expertise_takes_the_level(tmp_path: Path) -> None:
    scale = 'expertiseScheme = "Scale of craft"\nexpertiseOf = "Old houses"\nachievementDescription = "Knows timber."\n'
    first, second = claims(made(tmp_path, "w1,2025-07-01,A,3,\nw1,2025-07-01,B,,\n", scale))
    assert (first["expertiseScheme"], first["expertiseLevel"], first["expertiseOf"]) == (
        "Scale of craft",
        "3",
        "Old houses",
    )
    assert first["achievementDescription"] == "Knows timber."
    assert "level" not in first
    assert not any(name.startswith("expertise") for name in second)


def test_a_school_label_has_its_own_end(tmp_path: Path) -> None:
    (one,) = claims(made(tmp_path, "w1,2025-07-01,A,,2026-08-31\n", 'schoolLabelledBy = "Example School"\n'))
    assert (one["schoolLabelledBy"], one["schoolLabelValidUntil"]) == ("Example School", "2026-08")
    assert "heldUntil" not in one


def test_a_name_that_no_badge_can_have_is_told_with_its_worker(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=r"worker 'w1'.*achievementName"):
        made(tmp_path, f"w1,2025-07-01,{'x' * 65},,\n")


def test_half_of_an_alignment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="alignmentUrl"):
        made(tmp_path, "w1,2025-07-01,A,,\n", 'alignmentName = "Surveys"\n')


def test_several_live_side_by_side_and_a_newer_one_takes_the_place_of_its_own(tmp_path: Path) -> None:
    before = made(tmp_path, "w1,2025-06-01,A,1,\nw1,2025-06-01,B,1,\n").statements
    after = made(tmp_path, "w1,2025-06-01,A,2,\nw1,2025-06-01,B,1,\n").statements
    with Store.open(tmp_path / "issuer.db") as store:
        assert store.add_statements(before, source="guild").new == 2
        added = store.add_statements(after, source="guild")
    assert (added.new, added.replaced, added.unchanged) == (0, 1, 1)
