"""A vault of an earlier version opens, with everything in it; whatever happens meanwhile, none of it is lost.

``samples/vault-format-1.db`` was made by the first version of this program: two credentials, a key, a ledger of a line.
"""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from tests.line import AT, holder_key, request
from tests.vaults import create, item, names, reopen, tamper
from vc.errors import Malformed, Undetermined
from wallet import upgrades
from wallet.choose import plan
from wallet.sealing import FORMAT, OLDEST
from wallet.shelf import Shelf
from wallet.upgrades import UPGRADES, kept_at
from work import CONTEXTS

SAMPLE: Final = Path(__file__).with_name("samples") / "vault-format-1.db"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(shutil.copy(SAMPLE, tmp_path / "vault.db"))


def number(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        ((found,),) = db.execute("PRAGMA user_version").fetchall()
    return int(found)


def test_there_is_a_step_from_every_format_that_can_be_opened() -> None:
    assert [*UPGRADES] == [*range(OLDEST, FORMAT)]


def test_a_vault_of_the_first_version_opens_with_everything_in_it(path: Path) -> None:
    with reopen(path) as vault:
        shelf = Shelf(vault)
        assert sorted((copy.type, copy.shown) for copy in shelf.copies()) == [
            ("Earnings", 1),
            ("PlatformMembership", 0),
        ]
        assert [key.did for key in shelf.signing_keys()] == [holder_key().did]
        assert [line["verifier"] for line in shelf.ledger()] == ["lender.example"]
        proposals = plan(request(), shelf.copies(), contexts=CONTEXTS, at=AT).proposals
        shelf.record(request(), proposals, at=AT, rand=os.urandom)
    assert number(path) == FORMAT
    assert names(path.parent) == ["vault.db"]  # the copy of the old file is gone
    with reopen(path) as vault:
        assert len(Shelf(vault).ledger()) == 2


def test_a_vault_that_says_format_1_and_counts_its_changes_keeps_its_count(tmp_path: Path) -> None:
    with create(tmp_path / "vault") as vault:
        vault.put([item()])
        age = vault.age()
    tamper(tmp_path / "vault", "PRAGMA user_version = 1")
    with reopen(tmp_path / "vault") as vault:
        assert vault.age() == age
    assert number(tmp_path / "vault") == FORMAT


def test_the_old_file_stays_until_the_new_one_was_opened(path: Path) -> None:
    before = path.read_bytes()
    tamper(path, "UPDATE item SET sealed = x'00' WHERE id = (SELECT min(id) FROM item)")
    with pytest.raises(Malformed) as caught:
        reopen(path)
    assert caught.value.code == "VAULT_DAMAGED"
    kept = kept_at(path, 1)
    assert (number(kept), kept.stat().st_mode & 0o777) == (1, 0o600)
    path.write_bytes(before)
    reopen(path).close()
    assert not kept.exists()


def test_a_step_that_fails_leaves_the_vault_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> bytes:
        raise Undetermined("no memory", "try again", code="OUT_OF_MEMORY")

    with monkeypatch.context() as patched:
        patched.setattr(upgrades, "UPGRADES", {1: fails})
        with pytest.raises(Undetermined, match="no memory"):
            reopen(path)
    assert number(path) == 1
    with reopen(path) as vault:
        assert len(Shelf(vault).copies()) == 2


def test_a_wrong_passphrase_upgrades_nothing(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(Exception, match="the passphrase is wrong"):
        reopen(path, b"another passphrase")
    assert (path.read_bytes(), names(path.parent)) == (before, ["vault.db"])
