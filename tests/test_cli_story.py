"""What the README and the demo do not show: other roads through the command line, as a user walks them."""

from pathlib import Path

import pytest

from tests.cli import ROOT, ouvrage
from tests.hostile import FEW

ASK = ("verifier", "request", "--as", "lender.example", "--purpose", "credit.consumer.eu")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A platform that signed without keys, a wallet that holds the worker's copies, a verifier that trusts it."""
    folder = tmp_path_factory.mktemp("story")
    ouvrage(folder, "issuer", "attest", "--profile", "upwork", ROOT / "examples" / "upwork" / "upwork_timesheet.csv")
    ouvrage(folder, "issuer", "keys", "--name", "Platform", "--legal-identifier", "1")
    ouvrage(folder, "issuer", "issue", *FEW)
    ouvrage(folder, "issuer", "export", "--worker", "upwork_timesheet", "--out", "credentials.json")
    ouvrage(folder, "wallet", "init")
    ouvrage(folder, "wallet", "add", "credentials.json")
    (folder / "entry.json").write_text(ouvrage(folder, "issuer", "keys", "--json").out)
    ouvrage(folder, "verifier", "trust", "add", "entry.json")
    return folder


def test_a_credential_without_a_key_is_shown_only_to_who_accepts_that(home: Path) -> None:
    claim = ("--claim", "Earnings.averageAtLeast12m>=1500")
    ouvrage(home, *ASK, *claim, "--out", "strict.json")
    done = ouvrage(home, "wallet", "present", "--request", "strict.json", "--yes", ok=False)
    assert (done.code, "NO_ANSWER" in done.err) == (2, True)
    ouvrage(home, *ASK, *claim, "--accept-possession", "--out", "loose.json")
    shown = ouvrage(home, "wallet", "present", "--request", "loose.json", "--out", "loose.answer.json", "--yes")
    assert "bound to no key of yours" in shown.out
    check = ("verifier", "check", "loose.answer.json", "--request", "loose.json", "--json")
    refused = ouvrage(home, *check, ok=False)
    assert (refused.code, refused.json["reasons"][0]["code"]) == (1, "HOLDER_PROOF_MISSING")
    (proven,) = ouvrage(home, *check, "--accept-possession").json["proven"]
    assert (proven["binding"], proven["claims"]["averageAtLeast12m"]) == ("possession", ["001500"])


def test_several_statements_in_one_answer_and_a_report_in_french(home: Path) -> None:
    claims = ("Earnings.averageAtLeast12m>=1500", "WorkHistory.jobsCompleted", "PlatformMembership.memberSince")
    asked = [word for claim in claims for word in ("--claim", claim)]
    ouvrage(home, *ASK, *asked, "--accept-possession", "--out", "three.json")
    made = ouvrage(
        home, "wallet", "present", "--request", "three.json", "--out", "three.answer.json", "--yes", "--json"
    )
    assert [one["type"] for one in made.json["proposals"]] == ["Earnings", "WorkHistory"]
    assert made.json["unanswered"] == ["PlatformMembership"]
    check = ("verifier", "check", "three.answer.json", "--request", "three.json", "--accept-possession")
    report = ouvrage(home, *check, "--lang", "fr", "--html", "three.html")
    assert "Valable au " in report.out
    assert '<html lang="fr"' in (home / "three.html").read_text(encoding="utf-8")
    assert [one["query"] for one in ouvrage(home, *check, "--json").json["notShown"]] == ["PlatformMembership"]


def test_the_worker_can_show_less_than_is_asked(home: Path) -> None:
    asked = ("--claim", "Earnings.averageAtLeast12m>=1500", "--claim", "Earnings.periodStart")
    ouvrage(home, *ASK, *asked, "--accept-possession", "--out", "two.json")
    made = ouvrage(home, "wallet", "present", "--request", "two.json", "--out", "two.answer.json", "--yes", "--json",
                   "--choose", "Earnings.averageAtLeast12m")  # fmt: skip
    (proposal,) = made.json["proposals"]
    assert "periodStart" not in proposal["shown"]


def test_nothing_is_shown_without_a_yes(home: Path) -> None:
    ouvrage(home, *ASK, "--claim", "Earnings", "--accept-possession", "--out", "ask.json")
    before = ouvrage(home, "wallet", "ledger", "--json").json
    done = ouvrage(home, "wallet", "present", "--request", "ask.json", "--out", "never.json", ok=False)
    assert (done.code, "NOT_AGREED" in done.err) == (2, True)
    assert not (home / "never.json").exists()
    assert ouvrage(home, "wallet", "ledger", "--json").json == before


def test_a_worker_who_stays_with_the_platform_is_issued_again_when_a_month_has_gone(home: Path) -> None:
    assert ouvrage(home, "issuer", "issue", *FEW, "--json").json["signed"] == 0
    assert ouvrage(home, "issuer", "issue", *FEW, "--json", "--at", "2028-01-05").json["signed"] == 2


def test_the_retention_is_the_purposes_unless_the_verifier_says_less(home: Path) -> None:
    made = ouvrage(home, *ASK, "--claim", "Earnings", "--out", "kept.json", "--json").json
    less = ouvrage(home, *ASK, "--claim", "Earnings", "--out", "kept.json", "--json", "--retention", "3").json
    assert made["request"]["purpose"]["retentionDays"] > 3
    assert less["request"]["purpose"]["retentionDays"] == 3
