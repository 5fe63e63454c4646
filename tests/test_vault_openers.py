"""Who else opens a vault: 24 words, guardians. What ends, what stays, and what is said of a mistake."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vaults import CREDENTIAL, PASSPHRASE, create, fill, item, reopen, tamper
from vc.errors import Malformed, Rejected, Undetermined
from vc.sealing import MIN_COST
from wallet.guardians import combine, share_lines, split
from wallet.phrase import phrase, read_phrase
from wallet.sealing import GUARDIANS, WORDS, Opener
from wallet.vault import Item, Vault

SECRET = bytes(range(32))
OTHER = bytes(range(1, 33))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault"


def let_in(vault: Vault, kind: str, secret: bytes) -> None:
    vault.let_in(Opener.make(kind, secret, rand=os.urandom), about={"made": "2026-11"})


def open_by(path: Path, kind: str, secret: bytes) -> Vault:
    return Vault.open(path, secret, by=kind, rand=os.urandom)


def code_of(path: Path, kind: str, secret: bytes) -> str:
    with pytest.raises(Rejected) as caught:
        open_by(path, kind, secret)
    return caught.value.code


@pytest.fixture
def kept(path: Path) -> tuple[Item, ...]:
    """What a vault holds that the words SECRET and the guardians OTHER open."""
    items = fill(path)
    with reopen(path) as vault:
        let_in(vault, WORDS, SECRET)
        let_in(vault, GUARDIANS, OTHER)
    return items


def held(vault: Vault) -> tuple[Item, ...]:
    return vault.items("credential") + vault.items("key")


@pytest.mark.parametrize(("kind", "secret"), [(WORDS, SECRET), (GUARDIANS, OTHER), ("passphrase", PASSPHRASE)])
def test_each_opens_everything(path: Path, kept: tuple[Item, ...], kind: str, secret: bytes) -> None:
    with open_by(path, kind, secret) as vault:
        assert held(vault) == kept
        assert vault.openers() == {WORDS: {"made": "2026-11"}, GUARDIANS: {"made": "2026-11"}}
        vault.put([item(body=CREDENTIAL)])
    with reopen(path) as vault:
        assert len(vault.items("credential")) == 3


def test_one_is_not_taken_for_the_other(path: Path, kept: tuple[Item, ...]) -> None:
    assert kept
    assert code_of(path, WORDS, OTHER) == "WRONG_WORDS"
    assert code_of(path, GUARDIANS, SECRET) == "WRONG_SHARES"
    assert code_of(path, "passphrase", SECRET) == "WRONG_PASSPHRASE"


def test_a_vault_without_words_says_that_these_are_wrong(path: Path) -> None:
    create(path).close()
    assert code_of(path, WORDS, SECRET) == "WRONG_WORDS"


def test_words_and_guardians_stay_when_the_passphrase_changes(path: Path, kept: tuple[Item, ...]) -> None:
    with reopen(path) as vault:
        vault.change_passphrase(b"another horse", cost=MIN_COST)
    with pytest.raises(Rejected):
        reopen(path)
    for kind, secret in ((WORDS, SECRET), (GUARDIANS, OTHER), ("passphrase", b"another horse")):
        with open_by(path, kind, secret) as vault:
            assert held(vault) == kept


def test_a_forgotten_passphrase_is_replaced_by_words(path: Path, kept: tuple[Item, ...]) -> None:
    with open_by(path, WORDS, SECRET) as vault:
        with pytest.raises(RuntimeError):  # nothing but a new passphrase first: the old one cannot be wrapped for
            vault.shut_out(GUARDIANS)
        vault.change_passphrase(b"another horse", cost=MIN_COST)
        assert vault.shut_out(GUARDIANS)
    with reopen(path, b"another horse") as vault:
        assert held(vault) == kept
    assert code_of(path, GUARDIANS, OTHER) == "WRONG_SHARES"


@pytest.mark.parametrize("end", [lambda vault: let_in(vault, WORDS, OTHER), lambda vault: vault.shut_out(WORDS)])
def test_old_words_open_nothing_any_more_even_with_an_older_copy_of_the_file(
    path: Path, kept: tuple[Item, ...], end: "object"
) -> None:
    older = path.with_name("older")
    shutil.copy(path, older)
    assert callable(end)
    with reopen(path) as vault:
        end(vault)
        vault.put([item("later")])
    assert code_of(path, WORDS, SECRET) == "WRONG_WORDS"
    with open_by(older, WORDS, SECRET) as vault:  # what they knew, they know
        assert held(vault) == kept
        old_key = vault.unlocked()[2]
    with reopen(path) as vault:
        assert vault.unlocked()[2] != old_key
    with closing(sqlite3.connect(older)) as db:
        slots = db.execute("SELECT * FROM slot WHERE kind = 'words'").fetchall()
    tamper(path, "DELETE FROM slot WHERE kind = 'words'")
    tamper(path, "INSERT INTO slot VALUES (?, ?, ?, ?, ?, ?)", *slots[0])
    for kind, secret in ((WORDS, SECRET), ("passphrase", PASSPHRASE)):
        with pytest.raises(Malformed) as caught:
            open_by(path, kind, secret)
        assert caught.value.code == "VAULT_DAMAGED"


def test_ending_what_is_not_there_changes_nothing(path: Path) -> None:
    with create(path) as vault:
        before = vault.age()
        assert not vault.shut_out(GUARDIANS)
        assert vault.age() == before


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM slot WHERE kind = 'words'",
        "DELETE FROM slot WHERE kind = 'guardians'",
        "UPDATE slot SET kind = 'keyring' WHERE kind = 'words'",
        "UPDATE slot SET sealed = zeroblob(600) WHERE kind = 'words'",
        "UPDATE slot SET ops = 2 WHERE kind = 'words'",
    ],
)
def test_a_slot_that_was_tampered_with_shows_when_the_vault_is_opened(
    path: Path, kept: tuple[Item, ...], statement: str
) -> None:
    assert kept
    tamper(path, statement)
    with pytest.raises(Malformed) as caught:
        reopen(path)
    assert caught.value.code == "VAULT_DAMAGED"


def test_a_stranger_who_adds_a_slot_of_theirs_is_seen(path: Path) -> None:
    fill(path)
    slot = Opener.make(WORDS, SECRET, rand=os.urandom).wrap(bytes(32), rand=os.urandom)
    tamper(path, "INSERT INTO slot VALUES (?, ?, ?, ?, ?, ?)", *slot.row())
    with pytest.raises(Malformed) as caught:
        reopen(path)
    assert caught.value.code == "VAULT_DAMAGED"


def test_new_words_made_elsewhere_are_told_from_damage(path: Path, kept: tuple[Item, ...]) -> None:
    assert kept
    with reopen(path) as stale, reopen(path) as vault:
        let_in(vault, WORDS, OTHER)
        with pytest.raises(Undetermined) as caught:
            stale.items("key")
    assert caught.value.code == "VAULT_REKEYED"


# --- the words themselves


def test_a_published_phrase_says_its_published_secret() -> None:
    """The first and the last vector of 256 bits of BIP-39."""
    assert read_phrase("abandon " * 23 + "art") == bytes(32)
    assert read_phrase("zoo " * 23 + "vote") == b"\xff" * 32


@given(st.binary(min_size=32, max_size=32), st.sampled_from(["en", "fr"]))
@settings(max_examples=60, deadline=None)
def test_every_phrase_is_read_back_however_it_is_typed(secret: bytes, lang: str) -> None:
    words = phrase(secret, lang)
    assert len(words) == 24
    plain = str.maketrans("éèêàâîôûç", "eeeaaiouc")
    for text in (" ".join(words), "\n".join(words).upper(), " ".join(words).translate(plain)):
        assert read_phrase(text) == secret


def test_a_misspelt_word_is_named_with_its_nearest() -> None:
    words = list(phrase(SECRET, "fr"))
    right, words[6] = words[6], words[6][:-1] + "w"
    with pytest.raises(Rejected) as caught:
        read_phrase(" ".join(words))
    assert caught.value.code == "WORD_MISSPELT"
    assert "word 7," in str(caught.value)
    assert f"“{right}”" in str(caught.value)


def test_two_words_that_changed_places_and_a_missing_word_are_told_apart() -> None:
    words = list(phrase(SECRET, "en"))
    swapped = [words[1], words[0], *words[2:]]
    for text, code in ((" ".join(swapped), "WORDS_MIXED_UP"), (" ".join(words[1:]), "WORD_COUNT"), ("", "WORD_COUNT")):
        with pytest.raises(Rejected) as caught:
            read_phrase(text)
        assert caught.value.code == code


@given(st.text(max_size=400))
@settings(max_examples=80, deadline=None)
def test_any_text_is_refused_as_a_phrase_in_our_words(text: str) -> None:
    with pytest.raises(Rejected):
        read_phrase(text)
    with pytest.raises(Rejected):
        combine({"share": text})


# --- the guardians' shares


def named(shares: tuple[str, ...], *numbers: int) -> dict[str, str]:
    return {f"share {number}": shares[number] for number in numbers}


def test_any_three_of_five_say_the_secret_and_two_are_too_few() -> None:
    shares = split(SECRET, of=5, need=3)
    for chosen in ((0, 1, 2), (4, 2, 0), (0, 1, 2, 3, 4)):
        assert combine(named(shares, *chosen)) == SECRET
    with pytest.raises(Rejected, match="3 shares are needed, and these are 2") as caught:
        combine(named(shares, 0, 4))
    assert caught.value.code == "TOO_FEW_SHARES"


def test_mistakes_with_shares_are_told_apart() -> None:
    shares, others = split(SECRET, of=3, need=2), split(SECRET, of=3, need=2)
    words = shares[1].split()
    cases = {
        "SHARES_OF_TWO_SETS": {"a": shares[0], "b": others[1]},
        "SHARE_TWICE": {"a": shares[0], "b": shares[0]},
        "SHARE_MISSPELT": {"a": shares[0], "b": " ".join([*words[:9], "aciid", *words[10:]])},
        "SHARE_CHANGED": {"a": shares[0], "b": " ".join([*words[1:], words[0]])},
        "TOO_FEW_SHARES": {},
    }
    for code, given_ in cases.items():
        with pytest.raises(Rejected) as caught:
            combine(given_)
        assert caught.value.code == code
    with pytest.raises(Rejected, match=r"b: word 10, “aciid”, .* nearest is “acid”"):
        combine(cases["SHARE_MISSPELT"])
    with pytest.raises(Rejected, match="has 33 words; here are 32"):
        combine({"a": " ".join(words[1:])})


@pytest.mark.parametrize(("of", "need"), [(5, 1), (1, 1), (3, 4), (17, 2), (0, 0)])
def test_shares_that_protect_nothing_are_not_made(of: int, need: int) -> None:
    with pytest.raises(Malformed):
        split(SECRET, of=of, need=need)


def test_a_share_is_read_from_its_page_and_from_typed_words() -> None:
    shares = split(SECRET, of=2, need=2)
    page = "A share\n\n-----\n" + "\n".join(share_lines(shares[0])) + "\n-----\nKeep it safe.\n"
    assert combine({"page": page, "typed": shares[1].upper()}) == SECRET
