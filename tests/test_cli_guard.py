"""A landlord who asks too much, as a worker meets them: warned of, countered, noted, and asked to erase."""

import csv
import json
from pathlib import Path

import pytest

from tests.cli import ROOT, ouvrage
from tests.hostile import FEW

LANDLORD = ("verifier", "request", "--as", "landlord.example", "--purpose", "housing.tenancy.fr", "--accept-possession")
ASKS = ("--claim", "Earnings.monthly", "--claim", "WorkHistory.lastJob", "--claim", "Rating", "--ask-anyway")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guard")
    ouvrage(folder, "issuer", "attest", "--profile", "upwork", ROOT / "examples" / "upwork" / "upwork_timesheet.csv")
    ouvrage(folder, "issuer", "keys", "--name", "Platform", "--legal-identifier", "1")
    ouvrage(folder, "issuer", "issue", *FEW)
    ouvrage(folder, "issuer", "export", "--worker", "upwork_timesheet", "--out", "credentials.json")
    ouvrage(folder, "wallet", "init")
    ouvrage(folder, "wallet", "add", "credentials.json")
    (folder / "entry.json").write_text(ouvrage(folder, "issuer", "keys", "--json").out)
    ouvrage(folder, "verifier", "trust", "add", "entry.json")
    return folder


def test_too_much_is_warned_of_with_its_law_and_answered_with_a_message(home: Path) -> None:
    ouvrage(home, *LANDLORD, *ASKS, "--out", "greedy.json")
    told = ouvrage(home, "wallet", "request", "greedy.json", "--lang", "fr").out
    assert "Ne doit pas être demandé" in told
    assert "article 22-2" in told
    assert "Contre-proposition" in told
    made = ouvrage(
        home, "wallet", "present", "--request", "greedy.json", "--counter-offer", "--out", "offer.json", "--json"
    )
    message = json.loads((home / "offer.json").read_text(encoding="utf-8"))
    assert message["ask"] == ["WorkHistory.lastJob", "Earnings.averageAtLeast12m>=1500"]
    assert made.json["message"] == "offer.json"
    (entry,) = ouvrage(home, "wallet", "ledger", "--json").json["ledger"]  # no proof was shown, and yet it was told
    assert (entry["counterOffer"], [one["type"] for one in entry["shown"]]) == (True, ["WorkHistory", "Earnings"])
    assert "Par un message seulement, sans preuve." in ouvrage(home, "wallet", "ledger", "--lang", "fr").out

    claims = [word for claim in message["ask"] for word in ("--claim", claim)]
    ouvrage(home, *LANDLORD, *claims, "--out", "fair.json")
    assert ouvrage(home, "wallet", "request", "fair.json", "--json").json["counterOffer"]["complete"] is True
    shown = ouvrage(
        home, "wallet", "present", "--request", "fair.json", "--counter-offer", "--out", "fair.answer.json", "--yes"
    )
    assert "fair.answer.json" in shown.out
    check = ("verifier", "check", "fair.answer.json", "--request", "fair.json", "--accept-possession", "--json")
    assert len(ouvrage(home, *check).json["proven"]) == 2


def test_what_is_asked_and_needed_is_answered_without_the_rest(home: Path) -> None:
    ouvrage(home, *LANDLORD, "--claim", "WorkHistory.lastJob", "--claim", "Rating", "--ask-anyway", "--out", "two.json")
    made = ouvrage(home, "wallet", "present", "--request", "two.json", "--counter-offer", "--out", "two.answer.json",
                   "--yes", "--json")  # fmt: skip
    assert [one["type"] for one in made.json["proposals"]] == ["WorkHistory"]


def test_nothing_is_written_where_there_is_nothing_to_offer(home: Path) -> None:
    ouvrage(home, *LANDLORD, "--claim", "Rating", "--ask-anyway", "--out", "rating.json")
    asked = json.loads((home / "rating.json").read_text())
    (home / "nameless.json").write_text(json.dumps({**asked, "purpose": None}))
    for name, code in (("rating.json", "NO_ANSWER"), ("nameless.json", "NO_PURPOSE")):
        done = ouvrage(
            home, "wallet", "present", "--request", name, "--counter-offer", "--out", "no.json", "--yes", ok=False
        )
        assert (done.code, code in done.err) == (2, True)
    both = ("--counter-offer", "--choose", "Rating", "--yes")
    assert ouvrage(home, "wallet", "present", "--request", "rating.json", *both, ok=False).code == 2
    assert not (home / "no.json").exists()


def test_the_ledger_is_searched_exported_and_asked_back(home: Path) -> None:
    ouvrage(home, *LANDLORD, "--claim", "WorkHistory.lastJob", "--retention", "10", "--out", "ten.json")
    ouvrage(
        home, "wallet", "present", "--request", "ten.json", "--out", "ten.answer.json", "--yes", "--at", "2026-11-24"
    )
    found = ouvrage(home, "wallet", "ledger", "--verifier", "LANDLORD", "--claim", "lastJob", "--json").json
    assert found["chain"]["whole"] is True
    number = found["ledger"][-1]["number"]
    late = ouvrage(home, "wallet", "ledger", "--at", "2027-06-01", "--lang", "fr").out
    assert "Le journal est entier" in late
    assert f"ledger erase {number}" in late
    assert ouvrage(home, "wallet", "ledger", "--until", "2000-01-01", "--json").json["ledger"] == []
    assert ouvrage(home, "wallet", "ledger", "--since", "soon", ok=False).code == 2
    ouvrage(home, "wallet", "ledger", "--export", "all.csv")
    rows = list(csv.DictReader((home / "all.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert {row["verifier"] for row in rows} == {"landlord.example"}
    ouvrage(home, "wallet", "ledger", "--export", "all.json")
    everything = ouvrage(home, "wallet", "ledger", "--json").json["ledger"]
    assert json.loads((home / "all.json").read_text())["ledger"] == everything
    letter = ouvrage(home, "wallet", "ledger", "erase", str(number), "--lang", "fr", "--at", "2027-06-01").out
    assert "RGPD, article 17" in letter
    assert "Ce jour est passé" in letter
    ouvrage(home, "wallet", "ledger", "erase", str(number), "--out", "letter.html")
    assert (home / "letter.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    missing = ouvrage(home, "wallet", "ledger", "erase", "99", ok=False)
    assert (missing.code, "NOT_FOUND" in missing.err) == (2, True)


def test_the_insights_are_printed_in_both_languages(home: Path) -> None:
    assert "What you earned" in ouvrage(home, "wallet", "insights").out
    assert "Ce que vous pourriez prouver" in ouvrage(home, "wallet", "insights", "--lang", "fr").out
    assert ouvrage(home, "wallet", "insights", "--json").json["income"][0]["currency"] == "USD"
