"""What the profiles that are shipped state beyond hours and money: ratings with the silence in them, reviews, badges,
cover."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from issuer.attest import Attested, attest
from issuer.intake import Said
from issuer.profile import load_profile
from ouvrage.own_import import attested
from tests.cli import ROOT
from work.statement import Statement

EXAMPLES = ROOT / "examples"
SALT = bytes(range(32))


@cache
def sample(profile: str, *files: str) -> Attested:
    paths = [EXAMPLES / profile / file for file in files]
    worker = "me" if len(files) > 1 and profile in ("malt", "uber") else None
    return attest(load_profile(profile), paths, worker=worker, said=Said("Europe/Paris"), salt=SALT)


def stated(made: Attested, kind: str) -> list[Statement]:
    return [one for one in made.statements if one.type == kind]


def whole(statement: Statement, name: str) -> int:
    return int(str(statement.claims[name]))


# Ratings.


def batch(folder: Path) -> Path:
    """215 assignments of one worker, 44 of them rejected, all by the same requester; 14 others judge them, too."""
    header = "HITId,HITTypeId,RequesterId,Reward,AssignmentId,WorkerId,AssignmentStatus,AcceptTime,SubmitTime"
    rows = []
    for number in range(215):
        status, requester = ("Rejected", "R0") if number < 44 else ("Approved", f"R{1 + number % 14}")
        start = f"2026-07-{1 + number % 28:02d}T10:"
        rows.append(
            f"H{number},T{number},{requester},$0.05,A{number},W39,{status},{start}00:00-07:00,{start}05:00-07:00"
        )
    path = folder / "Batch_1_batch_results.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def test_many_rejections_by_one_requester_are_told_as_that(tmp_path: Path) -> None:
    path = batch(tmp_path)
    (rating,) = stated(attest(load_profile("mturk"), [path]), "Rating")
    assert (rating.claims["ratingValue"], rating.claims["ratingCount"]) == ("0.7953", "215")
    assert (rating.claims["raterCountDistinct"], rating.claims["topRaterShare"]) == ("15", "0.205")  # 44 of 215
    assert rating.claims["distribution"] == ("0 44", "1 171")
    assert rating.claims["intervalMethod"] == "wilson"


def test_a_batch_that_names_no_requester_is_one_requesters_judgment(tmp_path: Path) -> None:
    path = batch(tmp_path)
    lines = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("\n".join(",".join((*line[:2], *line[3:])) for line in lines) + "\n", encoding="utf-8")
    (rating,) = stated(attest(load_profile("mturk"), [path]), "Rating")
    assert (rating.claims["raterCountDistinct"], rating.claims["topRaterShare"]) == ("1", "1.000")


def test_what_nobody_has_judged_is_in_the_response_rate() -> None:
    found = {one.worker: one for one in stated(sample("mturk", "Batch_4410233_batch_results.csv"), "Rating")}
    one = found["A03WORKER"]  # one of whose assignments waits
    assert whole(one, "jobsEligible") == whole(one, "ratingCount") + 1
    assert 0.9 < float(str(one.claims["responseRate"])) < 1


RATED = [
    ("generic-jobbing", "missions.csv"),
    ("generic-jobbing", "missions_en.csv"),
    ("generic-freelance", "contracts.csv"),
    ("generic-sharing", "reservations.csv"),
    ("malt", "missions.csv"),
]


@pytest.mark.parametrize(("profile", "file"), RATED)
def test_silence_is_in_the_denominator(profile: str, file: str) -> None:
    made = sample(profile, file)
    done = {one.worker: one.claims["jobsCompleted"] for one in stated(made, "WorkHistory")}
    strong = [one for one in stated(made, "Rating") if one.claims["ratingCount"] != "fewerThan5"]
    assert strong
    assert {one.worker: one.claims["jobsEligible"] for one in strong} == {
        one.worker: done[one.worker] for one in strong
    }
    assert any(whole(one, "ratingCount") < whole(one, "jobsEligible") for one in strong)
    for one in strong:
        ratio = whole(one, "ratingCount") / whole(one, "jobsEligible")
        assert abs(float(str(one.claims["responseRate"])) - ratio) <= 0.0005
        assert float(str(one.claims["effectiveShare"])) <= ratio + 0.0005


def test_ratings_without_a_day_are_no_share_of_the_trips_beside_them() -> None:
    files = ("02 - Driver Lifetime Trips.csv", "also/driver_lifetime_ratings_received-0.csv")
    (rating,) = stated(sample("uber", *files), "Rating")
    assert rating.claims["jobsEligible"] == rating.claims["responseRate"] == "notPublished"
    levels = [item.split(" ")[0] for item in rating.claims["distribution"]]
    assert (levels, rating.claims["intervalMethod"]) == (["1", "2", "3", "4", "5"], "dirichlet")


def test_own_tables_tell_raters_and_jobs() -> None:
    made = sample("records", "jobs.csv", "ratings.csv")
    strong = [one for one in stated(made, "Rating") if one.claims["ratingCount"] != "fewerThan5"]
    assert strong
    for one in strong:
        assert 1 <= whole(one, "raterCountDistinct") <= whole(one, "ratingCount") <= whole(one, "jobsEligible")


# Reviews.

REVIEWED = [*RATED, ("upwork", "contracts.json")]


@pytest.mark.parametrize(("profile", "file"), REVIEWED)
def test_reviews_say_of_how_many_they_are_one(profile: str, file: str) -> None:
    found = stated(sample(profile, file), "Review")
    each = Counter(one.worker for one in found)
    assert len(found) > 2
    assert {one.worker: whole(one, "sampleTotal") for one in found} == each
    assert len({one.claims["workRef"] for one in found}) == len(found)
    assert any("reviewBody" in one.claims for one in found)


@pytest.mark.parametrize(("profile", "file"), REVIEWED)
def test_a_review_that_leads_to_a_person_is_stated_without_its_text(profile: str, file: str) -> None:
    made = sample(profile, file)
    what = "an e-mail address" if any(word in file for word in ("_en", "contracts")) else "a phone number"
    screened = [one for one in made.rejects if one.reason.startswith("review text holds")]
    assert {one.reason for one in screened} == {f"review text holds {what}: stated without it"}
    assert not any(mark in one.value for one in screened for mark in ("00 00", "canary"))
    silent = [one for one in stated(made, "Review") if "reviewBody" not in one.claims]
    assert len(silent) == len(screened) > 0


def test_a_comment_is_no_review_where_it_was_hidden() -> None:
    contracts = stated(sample("upwork", "contracts.json"), "Review")
    assert {one.claims["visibility"] for one in contracts} == {"public"}
    assert len(contracts) == 3  # of nine: two have none, one is private, one suppressed, two are not public


def test_private_feedback_without_stars_is_no_review(tmp_path: Path) -> None:
    header = "contract_id,start_date,end_date,amount,status,rating,private_feedback,review"
    said = {"yes": "private", "": "private", "no": "public", "perhaps": "private"}
    rows = [f"C{at},2026-01-1{at},2026-02-1{at},100,paid,,{word},Fine work {at}" for at, word in enumerate(said)]
    path = tmp_path / "contracts.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    found = stated(attest(load_profile("generic-freelance"), [path], worker="me", salt=SALT), "Review")
    bodies = {one.claims["reviewBody"]: one.claims["visibility"] for one in found}
    assert bodies == {"Fine work 1": "private", "Fine work 2": "public"}
    assert {one.claims["reviewRating"] for one in found} == {"notRated"}


def test_an_import_of_ones_own_names_no_job() -> None:
    made = attested("generic-jobbing", [EXAMPLES / "generic-jobbing" / "missions.csv"])
    assert {one.type for one in made.statements} == {"WorkHistory", "Earnings", "Rating", "RatingBand"}


# Badges, tests and cover.


def test_qualifications_that_were_taken_back_are_not_stated() -> None:
    made = sample("mturk", "qualifications.json")
    found = {one.worker: one.claims for one in stated(made, "Qualification")}
    assert len(found) == 11
    assert "A07WORKER" not in found
    assert (found["A03WORKER"]["level"], found["A03WORKER"]["basis"]) == ("76", "test")
    assert [(lot.reason, lot.rows) for lot in made.reconciliation.left_out] == [
        ("a qualification that was taken back", 1)
    ]


def test_the_badge_is_one_with_its_level() -> None:
    made = sample("malt", "missions.csv")
    (badge,) = stated(made, "Qualification")
    assert (badge.claims["achievementName"], badge.claims["level"]) == ("Super Malter", "2")
    assert badge.claims["basis"] == "platformBadge"


def test_cover_is_of_one_mission_each() -> None:
    made = sample("malt", "missions.csv", "garanties.csv")
    covers = stated(made, "ProfessionalInsurance")
    assert len(covers) == 12
    assert {one.claims["scope"] for one in covers} == {"missionOnly"}
    assert {one.claims["missionRef"] for one in covers} >= {one.claims["workRef"] for one in stated(made, "Review")}
    assert (covers[0].claims["insurerName"], covers[0].claims["policyNumber"]) == ("AXA", "RC-0000421")
    assert not {"ceilingPerClaim", "coveredActivities", "expertiseLevel"} & covers[0].claims.keys()
