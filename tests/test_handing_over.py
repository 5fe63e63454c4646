"""Asking, answering and checking by pictures alone, from command to command, as when nobody has a network."""

import re
from pathlib import Path

import pytest
from PIL import Image

from tests.cli import ROOT, ouvrage
from tests.hostile import FEW
from tests.photos import photos
from vc.frames import Kind
from vc.io.codes import Subject, draw, write_drawn
from vc.io.pictures import read_message
from work.dictionary import DICTIONARIES

ASK = ("verifier", "request", "--as", "landlord.example", "--purpose", "housing.tenancy.fr")
CLAIM = ("--claim", "Earnings.averageAtLeast12m>=1500")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wallet with copies of what a platform attests, and a verifier that trusts the platform."""
    folder = tmp_path_factory.mktemp("pictures")
    ouvrage(folder, "wallet", "init")
    ouvrage(folder, "wallet", "keys", "--count", "8", "--out", "keys.json")
    ouvrage(folder, "issuer", "attest", "--profile", "upwork", ROOT / "examples" / "upwork" / "upwork_timesheet.csv")
    ouvrage(folder, "issuer", "keys", "--name", "Platform", "--legal-identifier", "1")
    bound = ("--worker", "upwork_timesheet", "--keys", "keys.json", "--out", "credentials.json")
    ouvrage(folder, "issuer", "issue", *bound, *FEW)
    ouvrage(folder, "wallet", "add", "credentials.json")
    (folder / "entry.json").write_text(ouvrage(folder, "issuer", "keys", "--json").out)
    ouvrage(folder, "verifier", "trust", "add", "entry.json")
    return folder


def shown(home: Path) -> int:
    return len(ouvrage(home, "wallet", "ledger", "--json").json["ledger"])


def test_from_a_request_on_a_screen_to_a_report_without_a_file_changing_hands(home: Path) -> None:
    asked = ouvrage(home, *ASK, *CLAIM, "--out", "asked.json", "--qr", "asked.png", "--json").json
    assert asked["pictures"] == ["asked.png"]
    (request,) = photos([home / "asked.png"], home / "seen-by-worker")
    told = ouvrage(home, "wallet", "request", request, "--lang", "fr").out
    assert "landlord.example demande" in told
    before = shown(home)
    made = ouvrage(home, "wallet", "present", "--request", request, "--qr", "answer", "--yes", "--json").json
    assert made["answer"] is None
    assert not (home / "answer.json").exists()
    assert shown(home) == before + 1
    pictures = [home / name for name in made["pictures"] if name.endswith(".png")]
    assert len(pictures) > 1
    taken = photos(pictures, home / "seen-by-landlord")
    check = ("--request", "asked.json", "--json")
    (proven,) = ouvrage(home, "verifier", "check", *reversed(taken), *check).json["proven"]
    assert proven["claims"]["averageAtLeast12m"] == ["001500"]
    assert ouvrage(home, "verifier", "check", home / "seen-by-landlord", *check).json["proven"] == [proven]
    missing = ouvrage(home, "verifier", "check", *taken[1:], "--request", "asked.json", ok=False)
    assert (missing.code, "missing: number 1" in missing.err) == (3, True)


def test_a_request_of_several_codes_and_an_answer_as_an_animation(home: Path) -> None:
    many = ("Earnings", "WorkHistory", "Rating", "PlatformMembership", "Review")
    claims = [word for claim in many for word in ("--claim", claim)]
    ouvrage(home, *ASK, *claims, "--ask-anyway", "--necessity", "x" * 3000, "--out", "long.json", "--qr", "long.gif")
    ouvrage(home, "wallet", "present", "--request", "long.gif", "--qr", "long.answer.gif", "--yes", "--lang", "fr")
    report = ouvrage(home, "verifier", "check", "long.answer.gif", "--request", "long.json", "--json").json
    assert [one["query"] for one in report["proven"]]


def test_a_card_says_what_its_codes_prove_and_nothing_else(home: Path) -> None:
    ouvrage(home, *ASK, *CLAIM, "--out", "asked2.json")
    before = shown(home)
    words = ("--request", "asked2.json", "--card", "carte.html", "--out", "same.json", "--yes", "--lang", "fr")
    assert "carte.html" in ouvrage(home, "wallet", "present", *words).out
    assert shown(home) == before + 1
    card = (home / "carte.html").read_text(encoding="utf-8")
    assert '<html lang="fr">' in card
    assert "landlord.example" in card
    text = re.sub(r"<svg.*?</svg>|<style.*?</style>|<[^>]+>", " ", card, flags=re.DOTALL)
    assert re.search(r"1\s500", text)
    assert "Vérifiable jusqu’au" in text
    assert "upwork_timesheet" not in text
    assert "housing.tenancy" not in text  # the purpose is in the request, not in what is shown
    assert not re.search(r'(?:src|href)="(?!data:)|<script', card)
    (until,) = re.findall(r'validUntil":"(\d{4})-', (home / "same.json").read_text())
    assert until in text


def test_the_codes_of_a_card_are_the_answer(home: Path, tmp_path: Path) -> None:
    ouvrage(home, *ASK, *CLAIM, "--out", "asked3.json")
    words = ("--request", "asked3.json", "--card", "both.html", "--qr", "both", "--out", "both.json", "--yes")
    ouvrage(home, "wallet", "present", *words)
    answer = read_message(home / "both", kind=Kind.ANSWER, limit=1 << 20, dictionaries=DICTIONARIES)
    assert answer == (home / "both.json").read_bytes()
    drawn = re.findall(r' d="(M[^"]+)"/></svg>', (home / "both.html").read_text())
    assert drawn == re.findall(r' d="(M[^"]+)"/></svg>', (home / "both" / "answer.html").read_text())


@pytest.mark.parametrize(
    ("name", "code"), [("one.png", "SEVERAL_CODES"), ("one.pdf", "USAGE"), ("passphrase.txt", "USAGE")]
)
def test_what_cannot_be_drawn_is_no_disclosure(home: Path, name: str, code: str) -> None:
    ouvrage(home, *ASK, *CLAIM, "--out", "asked4.json")
    before = shown(home)
    done = ouvrage(home, "wallet", "present", "--request", "asked4.json", "--qr", name, "--yes", "--json", ok=False)
    assert (done.code, done.json["error"]["code"]) == (2, code)
    assert shown(home) == before
    assert not (home / "one.png").exists()


def test_an_offer_is_taken_from_its_picture(home: Path) -> None:
    offer = "openid-credential-offer://?credential_offer_uri=http%3A%2F%2F127.0.0.1%3A9%2Foffers%2F7"
    write_drawn(draw([offer], home / "offer.png", Subject("offer", "en")))
    photos([home / "offer.png"], home / "offered")
    (taken,) = (home / "offered").iterdir()
    done = ouvrage(home, "wallet", "accept", taken, "--json", ok=False)
    assert done.code == 3  # it was read: nobody answers at that address
    assert "127.0.0.1" in done.out


def test_pictures_of_something_else(home: Path) -> None:
    Image.new("L", (200, 200), 255).save(home / "empty.png")
    ouvrage(home, *ASK, *CLAIM, "--out", "asked5.json", "--qr", "asked5.html")
    ouvrage(home, *ASK, *CLAIM, "--out", "asked6.json", "--qr", "asked6.png")
    empty = ouvrage(home, "wallet", "request", "empty.png", ok=False)
    assert (empty.code, "take the picture again" in empty.err) == (3, True)
    wrong = ouvrage(home, "verifier", "check", "asked6.png", "--request", "asked6.json", ok=False)
    assert (wrong.code, "hold a request; an answer is needed" in wrong.err) == (2, True)
