"""The ledger: found again, taken out, asked back; and tampering with it shows."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.line import AT, copy, credential, request
from tests.vaults import create
from vc.canon import Json
from vc.errors import Malformed
from vc.oid4vp import Request
from wallet.choose import plan
from wallet.erasure import letter, letter_html
from wallet.ledger import entry
from wallet.ledger_search import COLUMNS, Search, due, find, parse_day, to_csv
from wallet.receive import Received
from wallet.shelf import LEDGER, LEDGER_HEAD, Shelf
from wallet.vault import Item, Vault
from work import CONTEXTS

DAY = timedelta(days=1)


def asked(number: int) -> Request:
    purposes = ("credit.consumer.eu", "housing.tenancy.fr")
    return request(client=f"verifier-{number}.example", purpose=purposes[number % 2])


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    """Four showings on four days."""
    with create(tmp_path / "vault.db") as vault:
        shelf = Shelf(vault)
        document = credential()
        shelf.add([Received(document, copy(document).credential, copy(document).holder)], at=AT, rand=os.urandom)
        for number in range(4):
            made = plan(asked(number), shelf.copies(), contexts=CONTEXTS, at=AT)
            shelf.record(asked(number), made.proposals, at=AT + number * DAY, rand=os.urandom)
        yield vault


def line(vault: Vault, number: int) -> Item:
    return next(item for item in vault.items(LEDGER) if isinstance(item.body, dict) and item.body["number"] == number)


def rewritten(vault: Vault, number: int, /, **changes: Json) -> None:
    item = line(vault, number)
    assert isinstance(item.body, dict)
    vault.replace([Item(item.id, LEDGER, {**item.body, **changes})])


def removed(vault: Vault, *numbers: int) -> None:
    vault.delete([line(vault, number).id for number in numbers])


def swapped(vault: Vault) -> None:
    rewritten(vault, 2, number=-1)
    rewritten(vault, 3, number=2)
    rewritten(vault, -1, number=3)


def beheaded(vault: Vault) -> None:
    removed(vault, 4)
    vault.delete([item.id for item in vault.items(LEDGER_HEAD)])


def test_a_ledger_that_nobody_touched_is_whole(vault: Vault) -> None:
    assert [one["number"] for one in Shelf(vault).ledger()] == [1, 2, 3, 4]
    assert len(vault.items(LEDGER_HEAD)) == 1


@pytest.mark.parametrize(
    "tamper",
    [
        lambda vault: rewritten(vault, 2, verifier="somebody else"),
        lambda vault: rewritten(vault, 4, at="2026-01-01T00:00:00Z"),
        lambda vault: rewritten(vault, 1, number="one"),
        lambda vault: removed(vault, 1),
        lambda vault: removed(vault, 2),
        lambda vault: removed(vault, 4),
        lambda vault: removed(vault, 3, 4),
        lambda vault: removed(vault, 1, 2, 3, 4),
        swapped,
        beheaded,
    ],
    ids=["change", "change the newest", "no number", "delete the first", "delete one", "delete the newest", "truncate",
         "delete all", "swap", "delete the newest and the head"],
)  # fmt: skip
def test_tampering_shows(vault: Vault, tamper: Callable[[Vault], None]) -> None:
    tamper(vault)
    with pytest.raises(Malformed) as caught:
        Shelf(vault).ledger()
    assert caught.value.code == "LEDGER_BROKEN"
    assert len(Shelf(vault).ledger_as_it_is()) <= 4  # and what is left of it is still there to see


def test_a_ledger_from_before_heads_were_kept_is_read(vault: Vault) -> None:
    made = plan(asked(0), Shelf(vault).copies(), contexts=CONTEXTS, at=AT)
    old = {
        name: value for name, value in entry(asked(0), made.proposals, at=AT, previous=None).items() if name != "headed"
    }
    vault.delete([item.id for kind in (LEDGER, LEDGER_HEAD) for item in vault.items(kind)])
    vault.put([Item.new(LEDGER, old, rand=os.urandom)])
    assert len(Shelf(vault).ledger()) == 1
    Shelf(vault).record(asked(1), made.proposals, at=AT, rand=os.urandom)
    assert len(Shelf(vault).ledger()) == 2


def test_entries_are_found_by_who_why_when_and_what(vault: Vault) -> None:
    entries = Shelf(vault).ledger()

    def numbers(**search: Any) -> list[Json]:
        return [one["number"] for one in find(entries, Search(**search))]

    assert numbers() == [1, 2, 3, 4]
    assert numbers(verifier="VERIFIER-2") == [3]
    assert numbers(purpose="housing") == numbers(purpose="louer un logement") == [2, 4]
    assert numbers(claim="averageAtLeast12m") == [1, 2, 3, 4]
    assert numbers(claim="monthly") == []
    assert numbers(since=(AT + DAY).date(), until=(AT + 2 * DAY).date()) == [2, 3]
    assert numbers(text="001500", verifier="-0") == [1]
    with pytest.raises(Malformed) as caught:
        parse_day("yesterday", "--since")
    assert caught.value.code == "BAD_DATE"


def sample(**changes: Json) -> dict[str, Json]:
    made = plan(asked(1), [copy(credential())], contexts=CONTEXTS, at=AT)
    return {**entry(asked(1), made.proposals, at=AT, previous=None), **changes}


def test_until_when_it_may_be_kept() -> None:
    stated = due(sample())
    assert stated is not None
    assert (stated.day, stated.days, stated.stated) == (AT.date() + 30 * DAY, 30, True)
    packs = due(sample(purpose={"code": "housing.tenancy.fr"}))
    assert packs is not None
    assert (packs.days, packs.stated) == (90, False)
    assert due(sample(purpose=None)) is None
    for days in (True, -1, 10**30, "30", 2.5):
        assert due(sample(purpose={"code": "made.up", "retentionDays": days})) is None
    assert due(sample(at="the day after")) is None


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "\t=", "＝", "%0A="])
def test_no_cell_of_the_csv_is_a_formula(start: str) -> None:
    evil = f'{start}HYPERLINK("https://evil.example","x")'
    shown: Json = [
        {"type": evil, "claims": [{"claim": evil, "value": evil + "\r\n=1"}], "answers": [], "ownImport": False}
    ]
    raw = to_csv([sample(verifier=evil, purpose={"code": evil, "necessity": evil}, shown=shown)])
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert [len(row) for row in rows] == [len(COLUMNS)] * 2
    assert tuple(rows[0]) == COLUMNS
    assert all(cell[:1] not in set("=+-@\t\r%＝") and cell.lstrip()[:1] != "=" for cell in rows[1])
    assert sum("HYPERLINK" in cell for cell in rows[1]) == 6


def test_every_claim_has_its_line_in_the_csv(vault: Vault) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(Shelf(vault).ledger()).decode("utf-8-sig"))))
    assert [row["number"] for row in rows] == ["1", "2", "3", "4"]
    assert {(row["claim"], row["value"]) for row in rows} == {("Earnings.averageAtLeast12m", "001500")}
    assert rows[0]["eraseBy"] == (AT.date() + 30 * DAY).isoformat()


def test_the_letter_says_what_when_why_and_until_when_and_no_figure() -> None:
    late, soon = AT.date() + 60 * DAY, AT.date() + DAY
    for lang, words in (
        ("en", ("GDPR, article 17", "24 November 2026", "renting a home in France", "24 December 2026", "has passed")),
        (
            "fr",
            ("RGPD, article 17", "24 novembre 2026", "louer un logement en France", "24 décembre 2026", "est passé"),
        ),
    ):
        text = letter(sample(), on=late, lang=lang)
        assert all(word in text for word in (*words, "verifier-1.example")), text
        assert "1500" not in text.replace("\u202f", "")
        assert words[-1] not in letter(sample(), on=soon, lang=lang)
    unsaid = letter(sample(purpose=None), on=soon, lang="en")
    assert "did not name a purpose" in unsaid


def test_a_letter_to_a_hostile_verifier_is_harmless() -> None:
    evil = '<script>alert(1)</script>\x1b[2J\u202e"&'
    shown: Json = [{"type": evil, "claims": [{"claim": evil, "value": "x"}] * 500, "answers": [{"type": evil}]}]
    hostile = sample(verifier=evil, shown=shown, purpose={"code": "housing.tenancy.fr", "necessity": evil})
    for on in (date(2026, 1, 1), date(9999, 12, 31)):
        page = letter_html(hostile, on=on, lang="fr")
        assert "<script" not in page
        assert "&lt;script&gt;" in page
        assert not {"\x1b", "\u202e"} & set(page + letter(hostile, on=on, lang="en"))
        assert len(page) < 6000
    assert '<html lang="fr">' in page


def test_unsigned_entries_of_any_shape_are_read() -> None:
    odds: tuple[Any, ...] = ({}, {"shown": 3}, {"shown": [1, {"claims": 2, "answers": "x"}], "purpose": 7, "at": 5})
    for odd in odds:
        assert find([odd], Search(text="nothing like it")) == ()
        assert letter(odd, on=AT.date(), lang="fr")
        assert to_csv([odd])
        assert json.dumps(odd)


def test_own_words_are_named_in_the_letter() -> None:
    shown: Json = [{"type": "Rating", "claims": [], "answers": [{"type": "Reply", "claims": {"text": "secret words"}}]}]
    text = letter(with_shown(shown), on=AT.date(), lang="en")
    assert "secret words" not in text
    assert "only what this kind of statement always shows" in text


def with_shown(shown: Json) -> dict[str, Json]:
    return sample(shown=shown)
