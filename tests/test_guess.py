"""Guessing a profile from an unknown export: what is guessed, what is never read, and that the guess is a profile."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from issuer.attest import Attested, attest
from issuer.guess import Guess, guess, told, words_of
from issuer.guess_profile import profile_text
from issuer.profile import Profile
from tests.cli import ROOT, ouvrage
from vc.errors import Malformed
from work.statement import Category

JOBBING = """Date mission;Nom client;E-mail;Statut;Catégorie;Ville;Nb heures;Prix total;Note;Commentaire
05/07/2024;X;x@y.example;PAYÉ;Ménage;Lille;3;"45,00 €";5;Très bien
13/07/2024;Y;y@y.example;ANNULÉ;Jardinage;Lille;;;;
28/07/2024;Y;y@y.example;PAYÉ;Jardinage;Roubaix;2,5;"37,50 €";4;
30/07/2024;Y;y@y.example;PAYÉ;Jardinage;Roubaix;2;"1 030,00 €";4;
"""


# Examples without a day in them, or with one column only.
UNDATED = {
    *("quarters.csv", "releve_annuel.csv", "sellers.csv", "05 - Driver Performance Badges.csv"),
    *("driver_lifetime_ratings_received-0.csv", "20260406-20260413-payments_driver.csv"),
}


def written(folder: Path, text: str, name: str = "export.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def profile(made: Guess, currency: str | None = "EUR") -> Profile:
    text = profile_text(made, name="mine", platform="Mine", category=Category.jobbing, currency=currency)
    return Profile.parse(text.encode(), where="guess")


def tried(path: Path, currency: str | None = "EUR") -> Attested:
    return attest(profile(guess(path), currency), [path])


def roles(made: Guess) -> dict[str, str]:
    return {role: column.name for role, column in made.roles.items()}


def test_a_french_export_is_understood(tmp_path: Path) -> None:
    path = written(tmp_path, JOBBING)
    made = guess(path)
    assert roles(made) == {
        "day": "Date mission",
        "hours": "Nb heures",
        "amount": "Prix total",
        "status": "Statut",
        "rating": "Note",
        "area": "Ville",
        "service": "Catégorie",
    }
    assert [column.name for column in made.never] == ["Nom client", "E-mail"]
    attested = tried(path, currency=None)
    history, earnings = (
        next(one for one in attested.statements if one.type == kind) for kind in ("WorkHistory", "Earnings")
    )
    assert history.claims["jobsCompleted"] == "3"
    assert history.claims["totalDurationHours"] == "7.50"
    assert earnings.claims["total"] == "1112.50"
    assert attested.reconciliation.left_out[0].rows == 1


def test_what_was_guessed_is_said_with_its_reason(tmp_path: Path) -> None:
    lines = list(told(guess(written(tmp_path, JOBBING))))
    assert any("'Date mission'" in line and "%d/%m/%Y" in line and "4 of 4 rows" in line for line in lines)
    assert any(line.startswith("never") and "'Nom client'" in line for line in lines)
    assert any(line.startswith("not used") and "'Commentaire'" in line for line in lines)


@pytest.mark.parametrize("sample", sorted((ROOT / "examples").rglob("*.csv")), ids=lambda path: path.stem)
def test_a_guess_from_every_example_is_a_profile_that_reads_it(sample: Path) -> None:
    if sample.name in UNDATED:
        with pytest.raises(Malformed, match=r"no column holds dates|no table"):
            guess(sample)
        return
    made = guess(sample)
    attested = attest(profile(made), [sample])
    assert attested.reconciliation.rows_used > 0


@pytest.mark.parametrize(
    ("days", "form"),
    [
        (("2024-07-05", "2024-07-13"), "%Y-%m-%d"),
        (("05/07/2024", "06/07/2024"), "%d/%m/%Y"),
        (("07/13/2024", "07/05/2024"), "%m/%d/%Y"),
        (("05.07.2024", "13.07.2024"), "%d.%m.%Y"),
        (("2024-07-05T10:00:00Z", "2024-07-06T10:00:00Z"), "%Y-%m-%dT%H:%M:%SZ"),
        (("2024-07-05", "13/07/2024"), "%Y-%m-%d|%d/%m/%Y"),
    ],
)
def test_dates_are_read_as_all_of_them_allow(days: tuple[str, ...], form: str, tmp_path: Path) -> None:
    path = written(tmp_path, "day,hours\n" + "".join(f"{day},1\n" for day in days))
    assert guess(path).roles["day"].detail == form


@pytest.mark.parametrize(
    ("header", "value", "hours"), [("minutes worked", "90", "3.00"), ("duration_seconds", "5400", "3.00")]
)
def test_units_in_a_name_are_minded(header: str, value: str, hours: str, tmp_path: Path) -> None:
    path = written(tmp_path, f"day,{header}\n2024-07-05,{value}\n2024-07-06,{value}\n")
    (history,) = tried(path).statements
    assert history.claims["totalDurationHours"] == hours


def test_a_currency_is_never_made_up(tmp_path: Path) -> None:
    path = written(tmp_path, "day,amount\n2024-07-05,10.00\n2024-07-06,11.00\n")
    with pytest.raises(Malformed, match="in which currency 'amount' is"):
        tried(path, currency=None)
    path = written(tmp_path, "day,amount\n2024-07-05,$10.00\n2024-07-06,$11.00\n")
    (earnings,) = (one for one in tried(path, currency=None).statements if one.type == "Earnings")
    assert earnings.claims["currency"] == "USD"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("hello\nworld\n", "NO_TABLE"),
        ("", "NO_TABLE"),
        ("a,b\n1,2\n3,4\n", "NO_DAY"),
        ("day,x\0y\n2024-07-05,1\n", "NOT_TEXT"),
    ],
)
def test_what_is_no_export_is_said(text: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(Malformed) as caught:
        guess(written(tmp_path, text))
    assert caught.value.code == code


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=30).filter(lambda name: name.strip() not in ("", "day") and "\0" not in name))
@example('"')
@example("'; DROP TABLE x; --")
@example('"""\n[columns]')
@example("a\\b")
@example("{day}")
@example("#\u2028\r")
def test_no_header_can_break_out_of_the_profile(tmp_path: Path, name: str) -> None:
    quoted = name.replace('"', '""')
    path = written(tmp_path, f'day,"{quoted} hours"\n2024-07-05,2\n2024-07-06,3\n')
    try:
        made = guess(path)
    except (Malformed, UnicodeEncodeError):
        return
    histories = [one for one in attest(profile(made), [path]).statements if one.type == "WorkHistory"]
    assert sum(int(str(one.claims["jobsCompleted"])) for one in histories) == 2


@pytest.mark.parametrize(
    ("header", "words"), [("nbHeures_2", ("nb", "heures", "2")), ("Évaluation ★", ("evaluation",)), ("IP", ("ip",))]
)
def test_headers_fall_into_words(header: str, words: tuple[str, ...]) -> None:
    assert words_of(header) == words


# As a user runs it.


def test_the_command_writes_a_profile_that_works_and_says_what_is_still_a_guess(tmp_path: Path) -> None:
    written(tmp_path, JOBBING)
    words = ("issuer", "profile", "new", "export.csv", "--name", "mine", "--category", "jobbing")
    done = ouvrage(tmp_path, *words)
    assert "ouvrage issuer attest --profile mine.toml export.csv" in done.out
    again = ouvrage(tmp_path, *words, ok=False)
    assert (again.code, "FILE_EXISTS" in again.err) == (2, True)
    made = ouvrage(tmp_path, "issuer", "attest", "--profile", "mine.toml", "export.csv", "--json").json
    assert made["uncheckedGuesses"] > 5
    text = (tmp_path / "mine.toml").read_text(encoding="utf-8")
    (tmp_path / "mine.toml").write_text(text.replace("# CHECK:", "#"), encoding="utf-8")
    assert (
        ouvrage(tmp_path, "issuer", "attest", "--profile", "mine.toml", "export.csv", "--json").json["uncheckedGuesses"]
        == 0
    )
    told_ = json.loads(ouvrage(tmp_path, *words, "--out", "other.toml", "--json").out)
    assert told_["guessed"]["day"]["column"] == "Date mission"
