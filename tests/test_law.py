"""The file that French law lists: every item, what is held of it, what is not, where figures are of another kind."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.cli import ROOT, ouvrage
from tests.work_samples import CLAIMS, statement
from vc.errors import Unsupported
from work.laws import LAWS, law, worker_file
from work.statement import Statement
from work.types import LANGUAGES, TYPES

FRENCH = "FR-L7342-7"
ON = date(2025, 8, 2)
PLATFORM = {"name": "Example platform", "legalIdentifier": "000 000 001"}


def made(*statements: Statement, on: date = ON) -> dict[str, Any]:
    file = worker_file(law(FRENCH), statements, worker="W1", platform=PLATFORM, on=on)
    assert isinstance(file, dict)
    return json.loads(json.dumps(file))  # type: ignore[no-any-return]


def item(file: dict[str, Any], number: str) -> dict[str, Any]:
    (found,) = [one for one in file["items"] if one["item"] == number]
    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize("code", LAWS)
def test_a_law_speaks_of_claims_that_exist_in_both_languages(code: str) -> None:
    for each in LAWS[code].items:
        assert set(each.labels) == set(LANGUAGES)
        for kind, names in each.claims.items():
            assert set(names) <= TYPES[kind].claims.keys(), (each.number, kind)
            assert each.recent.get(kind, "") in {"", *names}
            assert all(TYPES[kind].claims[name].accepts(value) for name, value in each.wants.get(kind, {}).items())


def test_every_item_of_the_decree_is_there_in_its_order() -> None:
    assert [one["item"] for one in made()["items"]] == [f"II {number}°" for number in range(1, 7)]


def test_what_is_not_held_is_said_claim_by_claim() -> None:
    for each, one in zip(law(FRENCH).items, made()["items"], strict=True):
        assert (one["held"], one["data"], one["notes"]) == (False, [], [])
        assert one["missing"] == [f"{kind}.{name}" for kind, names in each.claims.items() for name in names]


def test_what_is_held_is_told_whole_in_claims_and_in_words() -> None:
    history = statement("WorkHistory", averageDistanceKm=None)
    (data,) = (services := item(made(history), "II 3°"))["data"]
    assert data["claims"]["jobsCompleted"] == "11"
    assert data["claims"]["monthlyJobs"] == ["2025-06 1", "2025-07 0"]
    assert (data["digest"], data["source"]) == (history.digest(), "platformNative")
    assert "WorkHistory.averageDistanceKm" in services["missing"]
    assert "WorkHistory.jobsCompleted" not in services["missing"]
    assert any("11" in text for text in data["text"]["en"])
    assert any("prestations" in text for text in data["text"]["fr"])


def test_an_income_before_commission_is_not_passed_off_as_one_after() -> None:
    notes = item(made(statement("Earnings")), "II 4°")["notes"]
    assert [(note["claim"], note["is"], note["wants"]) for note in notes] == [
        ("Earnings.basis", "grossPaidByClient", "afterCommission")
    ]
    assert item(made(statement("Earnings", basis="afterCommission")), "II 4°")["notes"] == []


def test_a_rating_over_another_time_than_twelve_months_is_named() -> None:
    notes = item(made(statement("Rating")), "II 5°")["notes"]
    assert [note["claim"] for note in notes] == ["Rating.windowKind", "Rating.windowSize"]
    year = statement("Rating", windowKind="period", windowSize="12", periodStart="2024-08")
    assert item(made(year), "II 5°")["notes"] == []


@pytest.mark.parametrize(("month", "held"), [("2024-08", False), ("2024-09", True), ("2025-07", True)])
def test_reviews_older_than_twelve_months_are_left_aside(month: str, held: bool) -> None:
    review = statement("Review", published=month, periodEnd="2025-08")
    assert item(made(review, on=ON), "II 5°")["held"] is held


def test_statements_about_others_do_not_enter() -> None:
    other = Statement("WorkHistory", "W2", statement("WorkHistory").claims)
    assert item(made(other), "II 3°")["held"] is False


def test_every_type_of_the_law_has_a_sample() -> None:
    assert {kind for each in law(FRENCH).items for kind in each.claims} <= CLAIMS.keys()


def test_an_unknown_law() -> None:
    with pytest.raises(Unsupported, match=FRENCH):
        law("FR-L1234-5")


# As a platform runs it.


def test_one_command_writes_both_files(tmp_path: Path) -> None:
    export = ROOT / "examples" / "upwork" / "upwork_timesheet.csv"
    ouvrage(tmp_path, "issuer", "attest", "--profile", "upwork", "--worker", "w 1", export)
    words = ("issuer", "export", "--worker", "w 1", "--law", FRENCH)
    nameless = ouvrage(tmp_path, *words, ok=False)
    assert (nameless.code, "who it is" in nameless.err) == (2, True)
    ouvrage(tmp_path, "issuer", "keys", "--name", "Example platform", "--legal-identifier", "000 000 001")
    before = ouvrage(tmp_path, *words, "--json").json
    assert (before["file"], before["credentials"]) == (None, 0)
    ouvrage(tmp_path, "issuer", "issue", "--allow-few", "Earnings", "--allow-few", "WorkHistory")
    done = ouvrage(tmp_path, *words, "--json").json
    assert done == {"file": "w_1.credentials.json", "credentials": 2, "law": "w_1.fr-l7342-7.json"}
    file = json.loads((tmp_path / "w_1.fr-l7342-7.json").read_text(encoding="utf-8"))
    assert file["platform"]["name"] == "Example platform"
    assert item(file, "II 3°")["held"]
    assert (tmp_path / "w_1.fr-l7342-7.json").stat().st_mode & 0o077 == 0


def test_a_worker_and_a_law_that_nobody_knows(tmp_path: Path) -> None:
    unknown = ouvrage(tmp_path, "issuer", "export", "--worker", "nobody", "--law", FRENCH, ok=False)
    assert (unknown.code, "UNKNOWN_WORKER" in unknown.err) == (2, True)
