"""A vault that someone or something has changed: seen, told apart from a wrong passphrase, and never believed."""

import os
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vaults import PASSPHRASE, fill, item, names, reopen, tamper
from vc.errors import Malformed, Unsupported, VcError
from wallet.vault import Item

Filled = tuple[Path, tuple[Item, ...]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def filled(path: Path) -> Filled:
    return path, fill(path)


def outcome(path: Path, passphrase: bytes = PASSPHRASE) -> str:
    """The code of the error that opening and reading end with, or the kinds of what is there."""
    try:
        with reopen(path, passphrase) as vault:
            return ",".join(one.kind for kind in ("credential", "key") for one in vault.items(kind))
    except VcError as error:
        return error.code


WHOLE = "credential,credential,key"


def flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


@pytest.mark.parametrize("column", ["salt", "sealed", "checksum"])
def test_a_changed_byte_of_the_slot_is_damage(filled: Filled, column: str) -> None:
    path, _ = filled
    with closing(sqlite3.connect(path)) as db:
        ((raw,),) = db.execute(f"SELECT {column} FROM slot").fetchall()
    for at in (0, len(raw) // 2, len(raw) - 1):
        tamper(path, f"UPDATE slot SET {column} = ?", flipped(raw, at))
        assert (outcome(path), outcome(path, b"wrong passphrase")) == ("VAULT_DAMAGED", "VAULT_DAMAGED")
    tamper(path, f"UPDATE slot SET {column} = ?", raw)
    assert outcome(path) == WHOLE


@pytest.mark.parametrize("table", ["item", "manifest"])
def test_a_changed_byte_of_an_item_or_the_manifest_is_damage(filled: Filled, table: str) -> None:
    path, _ = filled
    with closing(sqlite3.connect(path)) as db:
        rows = [raw for (raw,) in db.execute(f"SELECT sealed FROM {table}")]
    for raw in rows:
        for at in (0, 23, 24, len(raw) // 2, len(raw) - 1):
            tamper(path, f"UPDATE {table} SET sealed = ? WHERE sealed = ?", flipped(raw, at), raw)
            assert outcome(path) == "VAULT_DAMAGED"
            tamper(path, f"UPDATE {table} SET sealed = ? WHERE sealed = ?", raw, flipped(raw, at))
    assert outcome(path) == WHOLE


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM slot",
        "UPDATE slot SET kind = 'keyring'",
        "UPDATE slot SET ops = 1000000000",
        "UPDATE slot SET ops = -1",
        "UPDATE slot SET ops = 2.5",
        "UPDATE slot SET mem = 100000000000",
        "UPDATE slot SET mem = 16384",
        "UPDATE slot SET mem = 'much'",
        "UPDATE slot SET sealed = 'text'",
        "UPDATE slot SET salt = zeroblob(17)",
        "DELETE FROM manifest",
        "UPDATE manifest SET sealed = x'00'",
        "UPDATE manifest SET sealed = 'text'",
        "UPDATE manifest SET sealed = zeroblob(20000000)",
        "DELETE FROM item WHERE id = (SELECT min(id) FROM item)",
        "DELETE FROM item",
        "UPDATE item SET sealed = (SELECT sealed FROM manifest)",
        "UPDATE item SET sealed = 7",
        "UPDATE item SET sealed = (SELECT sealed FROM item AS other WHERE other.id <> item.id LIMIT 1)",
        "UPDATE item SET id = randomblob(16) WHERE id = (SELECT min(id) FROM item)",
        "CREATE TRIGGER spy AFTER INSERT ON item BEGIN DELETE FROM item; END",
        "CREATE TABLE more (x)",
        "ALTER TABLE item ADD COLUMN more",
        "DROP TABLE item",
        "PRAGMA user_version = 0",
    ],
)
def test_tampering_through_sqlite_is_damage(filled: Filled, statement: str) -> None:
    path, _ = filled
    tamper(path, statement)
    assert outcome(path) == "VAULT_DAMAGED"


def test_the_first_and_the_second_row_swapped_are_damage(filled: Filled) -> None:
    path, _ = filled
    with closing(sqlite3.connect(path)) as db:
        (first, one), (second, other) = db.execute("SELECT id, sealed FROM item LIMIT 2").fetchall()
    for name, sealed in ((first, other), (second, one)):
        tamper(path, "UPDATE item SET sealed = ? WHERE id = ?", sealed, name)
    assert outcome(path) == "VAULT_DAMAGED"


@pytest.mark.parametrize("table", ["item", "manifest"])
def test_a_row_put_back_as_it_was_earlier_is_damage(filled: Filled, table: str) -> None:
    path, kept = filled
    with closing(sqlite3.connect(path)) as db:
        old = db.execute(f"SELECT * FROM {table}").fetchall()
    with reopen(path) as vault:
        vault.replace([Item(one.id, one.kind, "spent") for one in kept])
    for key, sealed in old:
        tamper(path, f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", key, sealed)
    assert outcome(path) == "VAULT_DAMAGED"


def test_a_deleted_row_put_back_stays_deleted(filled: Filled) -> None:
    path, kept = filled
    with closing(sqlite3.connect(path)) as db:
        ((sealed,),) = db.execute("SELECT sealed FROM item WHERE id = ?", (kept[2].id,)).fetchall()
    with reopen(path) as vault:
        vault.delete([kept[2].id])
    tamper(path, "INSERT INTO item VALUES (?, ?)", kept[2].id, sealed)
    assert outcome(path) == "credential,credential"


def test_damage_done_while_the_vault_is_open_shows(filled: Filled) -> None:
    path, kept = filled
    with reopen(path) as vault:
        tamper(path, "DELETE FROM item WHERE id = ?", kept[0].id)
        with pytest.raises(Malformed, match="an item is missing"):
            vault.items("credential")
        assert vault.items("key") == kept[2:]
        tamper(path, "UPDATE manifest SET sealed = zeroblob(600)")
        with pytest.raises(Malformed, match="list of items has changed"):
            vault.put([item()])


def test_other_files_are_no_vaults(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("a letter\n" * 1000)
    (tmp_path / "random").write_bytes(random.Random(7).randbytes(8192))
    (tmp_path / "json").write_text("{}")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    tamper(tmp_path / "database", "CREATE TABLE item (id, sealed)")
    for name in ("empty", "text", "random", "json", "folder", "pipe", "database"):
        with pytest.raises(Malformed, match=f"{name}: is not a vault") as caught:
            reopen(tmp_path / name)
        assert caught.value.code == "NOT_A_VAULT"
    for name in ("missing", "text/below", "nul\0inside"):
        with pytest.raises(Malformed) as caught:
            reopen(tmp_path / name)
        assert caught.value.code == "NO_VAULT"
    assert names(tmp_path) == sorted(["empty", "text", "random", "json", "folder", "pipe", "database"])


def test_a_newer_format_is_told_from_damage(filled: Filled) -> None:
    path, _ = filled
    tamper(path, "PRAGMA user_version = 3")
    with pytest.raises(Unsupported, match="newer program: update this one: 3") as caught:
        reopen(path)
    assert (caught.value.code, caught.value.exit_code) == ("VAULT_NEWER", 2)


def test_a_schema_without_end_is_given_up(filled: Filled) -> None:
    path, _ = filled
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA synchronous = OFF")
        for number in range(1500):
            db.execute(f"CREATE TABLE t{number} (a)")
    assert outcome(path) == "NOT_A_VAULT"


@pytest.mark.parametrize("keep", [0, 50, 99, 100, 511, 512, 4095, 4096, 8192, -4096])
def test_a_truncated_file_is_refused(filled: Filled, keep: int) -> None:
    path, _ = filled
    raw = path.read_bytes()
    path.write_bytes(raw[:keep])
    assert outcome(path) in {"VAULT_DAMAGED", "NOT_A_VAULT"}


def test_a_journal_mode_that_leaves_other_files_is_set_back(filled: Filled) -> None:
    path, kept = filled
    tamper(path, "PRAGMA journal_mode = WAL")
    with reopen(path) as vault:
        vault.put([item()])
        assert names(path.parent) == ["vault"]
        assert vault.items("key") == kept[2:]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A place to write to, and the bytes of a vault."""
    folder = tmp_path_factory.mktemp("image")
    fill(folder / "original")
    return folder / "copy", (folder / "original").read_bytes()


@given(st.data())
@settings(max_examples=250, deadline=None)
def test_a_changed_file_says_the_same_or_is_refused(image: tuple[Path, bytes], data: st.DataObject) -> None:
    path, raw = image
    changed = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, 127) | st.integers(0, 4095) | st.integers(0, len(raw) - 1))
        changed[at] = data.draw(st.integers(0, 255))
    path.write_bytes(changed)
    assert outcome(path) in {WHOLE, "VAULT_DAMAGED", "NOT_A_VAULT", "VAULT_NEWER"}


@given(st.binary(max_size=2000), st.sampled_from([0, 16, 100]))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_no_vault(image: tuple[Path, bytes], junk: bytes, header: int) -> None:
    path, raw = image
    path.write_bytes(raw[:header] + junk)
    with pytest.raises(VcError):
        reopen(path)
