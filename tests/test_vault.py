"""The vault: what it keeps, whom it lets in, and what its file says of it."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wallet.vault
import wallet.vaultfile
from tests.vaults import CREDENTIAL, PASSPHRASE, SECRET, create, fill, item, names, reopen, tamper
from vc.canon import Json
from vc.errors import Malformed, Rejected, Undetermined
from vc.sealing import MIN_COST
from wallet import manifest
from wallet.sealing import unseal
from wallet.vault import MAX_ITEM, Item, Vault

Filled = tuple[Path, tuple[Item, ...]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def filled(path: Path) -> Filled:
    return path, fill(path)


def test_what_was_put_is_there_after_reopening_in_its_order(filled: Filled) -> None:
    path, kept = filled
    with reopen(path) as vault:
        assert vault.items("credential") == kept[:2]
        assert vault.items("key") == kept[2:]
        assert vault.items("ledger") == ()


BODIES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@pytest.fixture(scope="module")
def shared_vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    with create(tmp_path_factory.mktemp("shared") / "vault") as vault:
        yield vault


@given(BODIES)
@settings(max_examples=60, deadline=None)
def test_every_json_value_comes_back_as_it_was(shared_vault: Vault, body: Json) -> None:
    one = item(body=body)
    shared_vault.put([one])
    assert shared_vault.items("credential")[-1] == one
    shared_vault.delete([one.id])


def test_items_are_replaced_in_place_and_deleted(filled: Filled) -> None:
    path, (first, second, key) = filled
    spent = Item(first.id, first.kind, {"spent": True})
    with reopen(path) as vault:
        vault.replace([spent])
        vault.delete([key.id, key.id, os.urandom(16)])
    with reopen(path) as vault:
        assert vault.items("credential") == (spent, second)
        assert vault.items("key") == ()


def test_an_item_may_change_its_kind(filled: Filled) -> None:
    path, (first, second, _) = filled
    with reopen(path) as vault:
        vault.replace([Item(first.id, "spent", first.body)])
        assert [one.id for one in vault.items("credential")] == [second.id]
        assert [one.id for one in vault.items("spent")] == [first.id]


def test_a_put_is_whole_or_nothing(filled: Filled) -> None:
    path, kept = filled
    nan: Json = float("nan")
    deep: Json = []
    for _ in range(100):
        deep = [deep]
    with reopen(path) as vault:
        for bad in (
            item(body={"number": nan}),
            item(body="\ud800"),
            item(body=deep),
            item(body="x" * MAX_ITEM),
            item(kind=""),
            item(kind="k" * 41),
            Item(b"short", "credential", None),
        ):
            with pytest.raises(Malformed):
                vault.put([item(), bad])
        with pytest.raises(Rejected) as caught:
            vault.put([item(), kept[0]])
        assert caught.value.code == "ITEM_EXISTS"
        with pytest.raises(Rejected) as caught:
            vault.replace([Item(kept[0].id, "credential", "changed"), item()])
        assert caught.value.code == "ITEM_GONE"
    with reopen(path) as vault:
        assert vault.items("credential") + vault.items("key") == kept


def test_more_items_than_a_vault_holds_are_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wallet.vault, "MAX_ITEMS", 3)
    with create(path) as vault:
        vault.put([item(), item()])
        with pytest.raises(Malformed, match="3 items at most"):
            vault.put([item(), item()])
        assert len(vault.items("credential")) == 2


def test_a_manifest_of_the_most_items_fits(path: Path) -> None:
    longest = manifest.Entry(bytes(32), "é" * wallet.vault.MAX_KIND)
    listed = {number.to_bytes(16, "big"): longest for number in range(wallet.vault.MAX_ITEMS)}
    packed = manifest.pack(manifest.Manifest(manifest.Age(2**53, bytes(32)), listed))
    assert len(packed) < wallet.vaultfile.MAX_ROW - 1024


# --- transactions


def test_a_transaction_keeps_all_of_its_changes_or_none(filled: Filled) -> None:
    path, (first, second, key) = filled
    entry = item("ledger", {"to": "landlord"})

    def change(vault: Vault) -> None:
        with vault.transaction():
            vault.replace([Item(first.id, "spent", first.body)])
            vault.put([entry])
            assert vault.items("ledger") == (entry,)
            vault.delete([second.id])

    def fail(vault: Vault) -> None:
        with vault.transaction():
            change(vault)
            raise KeyboardInterrupt

    with reopen(path) as vault:
        with pytest.raises(KeyboardInterrupt):
            fail(vault)
        assert vault.items("credential") == (first, second)
        change(vault)
    with reopen(path) as vault:
        assert (vault.items("credential"), vault.items("ledger"), vault.items("key")) == ((), (entry,), (key,))


def test_an_error_that_is_caught_inside_a_transaction_still_undoes_it(filled: Filled) -> None:
    path, kept = filled

    def half(vault: Vault, *, then_put: bool) -> None:
        with vault.transaction():
            vault.put([item()])
            with pytest.raises(Rejected):
                vault.put([kept[0]])
            if then_put:
                vault.put([item()])

    with reopen(path) as vault:
        for then_put in (False, True):
            with pytest.raises(Undetermined) as caught:
                half(vault, then_put=then_put)
            assert caught.value.code == "VAULT_UNCHANGED"
            assert vault.items("credential") == kept[:2]
        vault.put([item()])
        assert len(vault.items("credential")) == 3


# --- passphrases


def test_a_wrong_passphrase_is_no_damage(filled: Filled) -> None:
    path, _ = filled
    before = path.read_bytes()
    for wrong in (b"", PASSPHRASE + b" ", PASSPHRASE.upper()):
        with pytest.raises(Rejected) as caught:
            reopen(path, wrong)
        assert (caught.value.code, caught.value.exit_code) == ("WRONG_PASSPHRASE", 1)
    assert path.read_bytes() == before


@pytest.mark.parametrize("weak", [b"", b"1234567", "ééééééé".encode()])
def test_a_weak_passphrase_is_refused_and_nothing_is_made(path: Path, weak: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        create(path, weak)
    assert (caught.value.code, names(path.parent)) == ("WEAK_PASSPHRASE", [])
    with create(path, "éééééééé".encode()) as vault, pytest.raises(Rejected):
        vault.change_passphrase(weak, cost=MIN_COST)


def test_a_new_passphrase_opens_and_the_old_one_no_longer(filled: Filled) -> None:
    path, kept = filled
    with closing(sqlite3.connect(path)) as db:
        old = dict(db.execute("SELECT id, sealed FROM item")).items()
    with reopen(path) as vault:
        vault.change_passphrase(b"another horse", cost=MIN_COST)
        assert vault.items("credential") == kept[:2]
        vault.put([item("later")])
    with pytest.raises(Rejected):
        reopen(path)
    with reopen(path, b"another horse") as vault:
        assert vault.items("credential") + vault.items("key") == kept
        assert len(vault.items("later")) == 1
    with closing(sqlite3.connect(path)) as db:
        assert not old & dict(db.execute("SELECT id, sealed FROM item")).items()


def test_the_old_key_slot_put_back_opens_nothing(filled: Filled) -> None:
    path, _ = filled
    with closing(sqlite3.connect(path)) as db:
        old = db.execute("SELECT * FROM slot").fetchone()
    with reopen(path) as vault:
        vault.change_passphrase(b"another horse", cost=MIN_COST)
    tamper(path, "DELETE FROM slot")
    tamper(path, "INSERT INTO slot VALUES (?, ?, ?, ?, ?, ?)", *old)
    with pytest.raises(Malformed) as caught:
        reopen(path)
    assert caught.value.code == "VAULT_DAMAGED"


def test_a_passphrase_changed_elsewhere_is_told_from_damage(filled: Filled) -> None:
    path, kept = filled
    with reopen(path) as stale, reopen(path) as vault:
        vault.change_passphrase(b"another horse", cost=MIN_COST)
        for use in (lambda: stale.items("key"), lambda: stale.put([item()]), lambda: stale.delete([kept[0].id])):
            with pytest.raises(Undetermined) as caught:
                use()
            assert caught.value.code == "VAULT_REKEYED"
    with reopen(path, b"another horse") as vault:
        assert vault.items("credential") == kept[:2]


def test_a_passphrase_is_not_changed_inside_a_transaction(path: Path) -> None:
    with create(path) as vault:
        with pytest.raises(RuntimeError), vault.transaction():
            vault.change_passphrase(b"another horse", cost=MIN_COST)
        vault.put([item()])
    with reopen(path) as vault:
        assert len(vault.items("credential")) == 1


# --- the file


def test_the_file_is_for_its_owner_and_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        with create(path) as vault:
            with vault.transaction():
                vault.put([item()])
                modes = {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
            assert (modes, names(path.parent)) == ({0o600}, ["vault"])
    finally:
        os.umask(before)


def test_creating_never_touches_a_file_that_is_there(filled: Filled) -> None:
    path, _ = filled
    before = path.read_bytes()
    with pytest.raises(Malformed) as caught:
        create(path)
    assert (caught.value.code, path.read_bytes(), names(path.parent)) == ("FILE_EXISTS", before, ["vault"])


def test_a_journal_of_another_vault_is_not_played_into_a_new_one(path: Path) -> None:
    path.with_name("vault-journal").write_bytes(b"anything")
    with pytest.raises(Malformed, match="left from another vault"):
        create(path)
    assert names(path.parent) == ["vault-journal"]


def test_creating_where_nothing_can_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Undetermined) as caught:
        create(tmp_path / "missing" / "vault")
    assert (caught.value.code, names(tmp_path)) == ("CANNOT_WRITE", [])


def test_two_vaults_with_the_same_content_and_passphrase_share_no_secret_bytes(tmp_path: Path) -> None:
    rows = []
    for name in ("a", "b"):
        with create(tmp_path / name) as vault:
            vault.put([Item(bytes(16), "credential", CREDENTIAL)] * 1)
        with closing(sqlite3.connect(tmp_path / name)) as db:
            rows.append(
                {*db.execute("SELECT sealed FROM item UNION SELECT sealed FROM manifest UNION SELECT sealed FROM slot")}
            )
    assert len(rows[0]) == 3
    assert not rows[0] & rows[1]


def texts(value: Json) -> Iterator[str]:
    match value:
        case dict():
            yield from value
            for member in value.values():
                yield from texts(member)
        case list():
            for member in value:
                yield from texts(member)
        case str():
            yield value


def test_no_file_says_anything_of_what_is_inside(path: Path) -> None:
    kept = (item("credential-kind", CREDENTIAL), item("key-kind", SECRET), item("ledger-kind", {"to": "a landlord"}))
    seen = b""
    with create(path) as vault:
        vault.put(kept)
        with vault.transaction():
            vault.replace([Item(kept[0].id, "spent-kind", CREDENTIAL)])
            vault.delete([kept[1].id])
            assert "vault-journal" in names(path.parent)
            seen += b"".join(one.read_bytes() for one in path.parent.iterdir())
        vault.change_passphrase(b"another horse", cost=MIN_COST)
        seen += b"".join(one.read_bytes() for one in path.parent.iterdir())
    words = {PASSPHRASE.decode(), "another horse", "spent-kind", "body"}
    for one in kept:
        words |= {one.kind, *texts(one.body)}
    telling = {word for word in words if len(word) > 4}  # shorter ones are in any random bytes
    assert len(telling) > 10
    assert [word for word in telling if word.encode() in seen] == []


def test_sizes_are_told_only_to_the_block(path: Path) -> None:
    with create(path) as vault:
        vault.put([item("key", "k" * size) for size in (1, 100, 400)] + [item("credential", "")])
    with closing(sqlite3.connect(path)) as db:
        assert len({len(sealed) for (sealed,) in db.execute("SELECT sealed FROM item")}) == 1


def test_what_is_deleted_is_overwritten(filled: Filled) -> None:
    path, kept = filled
    with closing(sqlite3.connect(path)) as db:
        ((sealed,),) = db.execute("SELECT sealed FROM item WHERE id = ?", (kept[2].id,)).fetchall()
    assert sealed[:200] in path.read_bytes()
    with reopen(path) as vault:
        vault.delete([kept[2].id])
    assert sealed[:200] not in path.read_bytes()


def test_a_row_opens_only_as_the_item_it_was_sealed_for(filled: Filled) -> None:
    path, _ = filled
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT id, sealed FROM item").fetchall()
    with reopen(path) as vault:
        for name, _ in rows:
            opened = [unseal(sealed, key=vault._key, place=b"item" + name) is not None for _, sealed in rows]
            assert opened == [other == name for other, _ in rows]


def test_nothing_secret_is_in_a_representation(path: Path) -> None:
    with create(path) as vault:
        assert "secretKey" not in repr(item("key", SECRET))
        assert vault._key.hex() not in repr(vault)
        assert repr(vault._key) not in repr(vault)
    assert vault._key == b""
