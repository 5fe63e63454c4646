"""A review, an insurance policy, training rights and the outcome of a dispute, from files to a report."""

from pathlib import Path

import pytest

from tests.cli import Done, ouvrage
from tests.topic_samples import write
from work.types import TYPES

CLAIMS = (
    "Review.reviewBody",
    "ProfessionalInsurance.currency",
    "ProfessionalInsurance.coveredActivities",
    "ProfessionalInsurance.ceilingPerClaimAtLeast>=50",
    "TrainingRights.trainings",
    "DisputeOutcome",
)
CHECK = ("verifier", "check", "answer.json", "--request", "request.json")
# A few workers are no crowd, and somebody has to answer for them.
FEW = [word for kind in TYPES for word in ("--allow-few", kind)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All four kinds of statements about one worker, signed, held, asked for and shown."""
    folder = tmp_path_factory.mktemp("topics")
    files = write(folder)
    done = ouvrage(folder, "issuer", "attest", "--profile", folder / "atelier.toml", *files)
    assert "review text holds a person's name: stated without it" in done.out
    rejects = (folder / "issuer" / "rejects.csv").read_text(encoding="utf-8")
    assert "reviews.csv,6,review text holds a person's name: stated without it,B•••••" in rejects
    assert "runel" not in rejects.lower()
    ouvrage(folder, "issuer", "keys", "--name", "Atelier", "--legal-identifier", "000 000 003")
    ouvrage(folder, "wallet", "init")
    ouvrage(folder, "wallet", "keys", "--out", "keys.json")
    ouvrage(folder, "issuer", "issue", "--worker", "W2", "--keys", "keys.json", "--out", "credentials.json", *FEW)
    ouvrage(folder, "wallet", "add", "credentials.json")
    (folder / "entry.json").write_text(ouvrage(folder, "issuer", "keys", "--json").out)
    ouvrage(folder, "verifier", "trust", "add", "entry.json")
    asked = [word for claim in CLAIMS for word in ("--claim", claim)]
    ouvrage(folder, "verifier", "request", "--as", "other.example", "--purpose", "platform.onboarding.eu",
            *asked, "--ask-anyway", "--out", "request.json")  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def shown(home: Path) -> Done:
    return ouvrage(home, "wallet", "present", "--request", "request.json", "--out", "answer.json", "--yes")


def plain(text: str) -> str:
    """One line, with plain spaces."""
    return " ".join(text.split())


def test_the_wallet_says_what_would_be_shown_and_what_is_recognisable(shown: Done) -> None:
    told = plain(shown.out)
    assert "The client wrote: “Good work on version 2.1.3 for 1 200 EUR.”" in told
    assert "without a rating (the scale goes from 1, worst, to 5, best). Who rates: clients." in told
    assert "Reviews of this worker in all: 1." in told
    assert "at least 50 000 EUR per claim" in told
    assert "80 000.50" not in told
    assert "Covered until: 31 July 2025" in told
    assert "What was decided: the worker withdrew the dispute" in told
    assert told.count("can be recognised by its content") == 3
    assert "Must not be asked for this purpose: Outcome of a dispute" in told


def test_the_report_in_english(home: Path, shown: Done) -> None:
    report = plain(ouvrage(home, *CHECK).out)
    for sentence in (
        "Review – Atelier",
        (
            "- One review (July 2025) without a rating (the scale goes from 1, worst, to 5, best). Who rates: clients. "
            "Reviews of this worker in all: 1."
        ),
        "- The client wrote: “Good work on version 2.1.3 for 1 200 EUR.”",
        "- The worker may publish this review",
        "Professional liability insurance – Atelier",
        "- Insurer: Mutuelle de la Rive",
        "- Covered from: 1 July 2025",
        "- Covered until: 31 July 2025",
        "- What is covered: one assignment only",
        "- Covered activity: Montage",
        "- At least 50 000 EUR per claim",
        "Training rights – Atelier",
        "- Training: Conduite en hiver",
        "Outcome of a dispute – Atelier",
        "- What was decided: the worker withdrew the dispute",
        "- Decided by: a mediator from outside",
    ):
        assert sentence in report
    assert "nothing was shown" not in report
    assert "not in words that are known here" not in report


def test_the_report_in_french(home: Path, shown: Done) -> None:
    report = plain(ouvrage(home, *CHECK, "--lang", "fr", "--html", "report.html").out)
    for sentence in (
        "Avis – Atelier",
        (
            "- Un avis (juillet 2025) sans note (l’échelle va de 1, le moins bien, à 5, le mieux). "
            "Qui note : des clients. Nombre total d’avis sur cette personne : 1."
        ),
        "- Le client a écrit : « Good work on version 2.1.3 for 1 200 EUR. »",
        "Assurance responsabilité civile professionnelle – Atelier",
        "- Assureur : Mutuelle de la Rive",
        "- Couvert à partir du : 1er juillet 2025",
        "- Ce qui est couvert : une seule mission",
        "- Au moins 50 000 EUR par sinistre",
        "Droits à la formation – Atelier",
        "- Formation : Conduite en hiver",
        "Issue d’un litige – Atelier",
        "- Ce qui a été décidé : la personne a retiré sa contestation",
        "- Décidé par : un médiateur extérieur",
    ):
        assert sentence in report
    assert "Mutuelle de la Rive" in (home / "report.html").read_text(encoding="utf-8")


def test_what_was_not_chosen_is_not_there(home: Path, shown: Done) -> None:
    proven = {one["type"]: one for one in ouvrage(home, *CHECK, "--json").json["proven"]}
    assert {one["binding"] for one in proven.values()} == {"key"}
    assert {"ceilingPerClaim", "jobsUpTo", "policyNumber", "missionRef"}.isdisjoint(
        proven["ProfessionalInsurance"]["claims"]
    )
    assert proven["ProfessionalInsurance"]["claims"]["ceilingPerClaimAtLeast"] == ["000050"]
    assert "author" not in proven["Review"]["claims"]
