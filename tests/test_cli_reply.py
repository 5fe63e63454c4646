"""A worker answers a rating, disputes it, shows it, and takes it back: by the commands, as a user walks them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from issuer.disputes import verify_dispute
from tests.cli import PASSPHRASE, ROOT, ouvrage
from tests.hostile import FEW

ASK = ("verifier", "request", "--as", "next.example", "--purpose", "platform.onboarding.eu", "--claim", "Rating")
CHECK = ("verifier", "check", "answer.json", "--request", "request.json")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A host with a rating in a wallet, a verifier that trusts the platform, and a request for it."""
    folder = tmp_path_factory.mktemp("reply")
    export = ROOT / "examples" / "airbnb" / "airbnb_hosts.csv"
    ouvrage(folder, "issuer", "attest", "--profile", "airbnb", export, "--out", "statements.jsonl")
    first = next(line for line in (folder / "statements.jsonl").read_text().splitlines() if '"Rating"' in line)
    host = first.partition('"worker":"')[2].partition('"')[0]
    ouvrage(folder, "issuer", "keys", "--name", "Platform", "--legal-identifier", "1")
    ouvrage(folder, "wallet", "init")
    ouvrage(folder, "wallet", "keys", "--count", "3", "--out", "keys.json")
    ouvrage(
        folder, "issuer", "issue", "--worker", host, "--keys", "keys.json", "--out", "credentials.json", "--leave-few"
    )
    ouvrage(folder, "wallet", "add", "credentials.json")
    keys = ouvrage(folder, "issuer", "keys", "--json")
    assert not {"ReplyCredential", "DisputeCredential"} & set(keys.json["issuer"]["mayAttest"])
    (folder / "entry.json").write_text(keys.out)
    ouvrage(folder, "verifier", "trust", "add", "entry.json")
    ouvrage(folder, *ASK, "--out", "request.json")
    (folder / "letter.txt").write_text("Les avis d’avant les travaux\nparlent d’un autre appartement.\n", "utf-8")
    (folder / "photo.jpg").write_bytes(b"\xff\xd8\xff not really a photo")
    return folder


def rating(home: Path) -> str:
    held = ouvrage(home, "wallet", "list", "--json").json["credentials"]
    return str(next(one["statement"] for one in held if one["type"] == "Rating"))


def answers(home: Path) -> list[dict[str, Any]]:
    """Show the rating, check it, and give what the report has of the worker's own words."""
    ouvrage(home, "wallet", "present", "--request", "request.json", "--out", "answer.json", "--yes")
    (proven,) = ouvrage(home, *CHECK, "--json").json["proven"]
    assert (proven["type"], proven["assurance"], proven["issuer"]["name"]) == ("Rating", "issuer", "Platform")
    return [{"type": one["type"], **one["claims"]} for one in proven["answers"]]


def test_a_reply_and_a_dispute_go_with_every_showing_until_they_are_taken_back(home: Path) -> None:
    name = rating(home)
    assert answers(home) == []
    told = ouvrage(home, "wallet", "reply", name, "--file", "letter.txt", "--lang", "fr")
    assert "accompagne désormais toujours" in told.out
    assert "  > parlent d’un autre appartement." in told.out
    made = ouvrage(home, "wallet", "dispute", name, "--ground", "outsideControl", "--evidence", "photo.jpg",
                   "--at", "2026-11-12", "--json", "--out", "dispute.json").json  # fmt: skip
    signed = verify_dispute((home / "dispute.json").read_bytes(), at=datetime(2026, 11, 13, tzinfo=UTC))
    assert (signed.subjects[0]["id"], signed.subjects[0]["ground"]) == (signed.issuer, "outsideControl")
    (evidence,) = made["answer"]["claims"]["evidenceDigests"]
    said, disputed = answers(home)
    assert (said["type"], said["text"]) == (
        "Reply",
        "Les avis d’avant les travaux\nparlent d’un autre appartement.",
    )
    assert (disputed["ground"], disputed["opened"], disputed["evidenceDigests"]) == (
        "outsideControl",
        "2026-11-12",
        [evidence],
    )
    report = " ".join(ouvrage(home, *CHECK, "--lang", "en", "--html", "report.html").out.split())
    assert "The worker disputes this since 12 November 2026" in report
    assert '<blockquote lang="fr">' in (home / "report.html").read_text(encoding="utf-8")
    assert "with your reply, your dispute" in ouvrage(home, "wallet", "ledger").out
    assert "always with your reply, your dispute" in ouvrage(home, "wallet", "list").out
    assert "Always shown with it" in ouvrage(home, "wallet", "show", name).out
    assert "Toujours montré avec" in ouvrage(home, "wallet", "request", "request.json", "--lang", "fr").out
    assert ouvrage(home, "wallet", "reply", name, "--text", "Shorter.", "--json").json["replaced"] is True
    assert [one["text"] for one in answers(home)] == ["none", "Shorter."]
    for command in ("reply", "dispute"):
        assert ouvrage(home, "wallet", command, name, "--remove", "--json").json["removed"] is True
        assert ouvrage(home, "wallet", command, name, "--remove", "--json").json["removed"] is False
    assert answers(home) == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("reply", "{}"), "USAGE"),
        (("reply", "{}", "--text", "x", "--file", "letter.txt"), "USAGE"),
        (("reply", "{}", "--text", "x", "--remove"), "USAGE"),
        (("reply", "{}", "--text", "x" * 1001), "BAD_TEXT"),
        (("reply", "{}", "--file", "photo.jpg"), "NOT_TEXT"),
        (("reply", "{}", "--file", "missing.txt"), "FILE_MISSING"),
        (("reply", "{}", "--text", "x", "--lang", "FRENCH"), "MALFORMED"),
        (("reply", "zzz", "--text", "x"), "NOT_FOUND"),
        (("dispute", "{}"), "USAGE"),
        (("dispute", "{}", "--ground", "unfair"), "USAGE"),
        (("dispute", "{}", "--ground", "other", "--evidence", "missing.jpg"), "FILE_MISSING"),
        (("dispute", "{}", "--ground", "other", *["--evidence", "photo.jpg"] * 9), "USAGE"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else value,
)
def test_wrong_use_changes_nothing(words: tuple[str, ...], code: str, home: Path) -> None:
    name = rating(home)
    done = ouvrage(home, "wallet", *(name if word == "{}" else word for word in words), ok=False)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert code in done.err
    assert ouvrage(home, "wallet", "show", name, "--json").json["answers"] == []


def test_a_reply_needs_a_copy_that_is_bound_to_a_key(home: Path, tmp_path: Path) -> None:
    ouvrage(tmp_path, "issuer", "attest", "--profile", "upwork", ROOT / "examples" / "upwork" / "upwork_timesheet.csv")
    ouvrage(tmp_path, "issuer", "issue", *FEW)
    ouvrage(tmp_path, "issuer", "export", "--worker", "upwork_timesheet", "--out", "credentials.json")
    ouvrage(tmp_path, "wallet", "init")
    ouvrage(tmp_path, "wallet", "add", "credentials.json")
    held = ouvrage(tmp_path, "wallet", "list", "--json").json["credentials"]
    done = ouvrage(tmp_path, "wallet", "reply", held[0]["statement"], "--text", "x", ok=False)
    assert (done.code, "REPLY_NEEDS_KEY" in done.err) == (2, True)
    assert "bound to a key of yours" in done.err
    assert PASSPHRASE not in done.err
