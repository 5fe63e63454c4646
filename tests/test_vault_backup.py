"""Backups: tested when they are made, refused when they changed, restored whole or not at all; and the mark beside."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wallet.backup
from tests.vaults import PASSPHRASE, create, fill, item, names, reopen
from vc.canon import to_json
from vc.errors import Malformed, Rejected, Undetermined, Unsupported, VcError
from vc.sealing import MIN_COST
from wallet.backup import Backup, open_backup, write_backup
from wallet.keeping import Folder, at_closing, at_opening, backup_state, choose_folder, note_backup
from wallet.mark import mark_path
from wallet.restore import restore
from wallet.sealing import WORDS, Opener
from wallet.vault import Item, Vault

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECRET = bytes(range(32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home" / "vault"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "copy.backup"


def back_up(path: Path, file: Path) -> Backup:
    with reopen(path) as vault:
        return write_backup(vault, file, at=AT)


def put_back(
    file: Path, path: Path, *, replace: bool = False, new: bytes | None = None, words: bool = False
) -> Path | None:
    backup = open_backup(file, SECRET if words else PASSPHRASE, by=WORDS if words else "passphrase")
    return restore(backup, path, new_passphrase=new, replace=replace, at=AT, rand=os.urandom)


def held(path: Path, passphrase: bytes = PASSPHRASE) -> tuple[Item, ...]:
    with reopen(path, passphrase) as vault:
        return vault.items("credential") + vault.items("key")


def code_of(file: Path, passphrase: bytes = PASSPHRASE) -> str:
    """What opening a backup to its end comes to."""
    try:
        return f"whole: {len(list(open_backup(file, passphrase).items()))}"
    except VcError as error:
        return error.code


def test_what_was_backed_up_is_there_after_the_vault_was_lost(path: Path, file: Path) -> None:
    kept = fill(path)
    backup = back_up(path, file)
    assert (backup.count, backup.made, file.stat().st_mode & 0o777) == (3, "2026-11-24T12:00:00Z", 0o600)
    path.unlink()
    assert put_back(file, path) is None
    assert held(path) == kept
    with reopen(path) as vault:
        assert vault.age() == backup.age
        assert backup_state(vault)["upToDate"] is True
        vault.put([item()])
    assert names(path.parent) == ["vault", "vault.mark"]


def test_large_items_and_many_cross_the_chunks(path: Path, file: Path) -> None:
    sizes = [0, 65_535, 65_536, 65_537, 200_000, 1]
    kept = [item("photo", "x" * size) for size in sizes] + [item("small", number) for number in range(500)]
    with create(path) as vault:
        vault.put(kept)
        write_backup(vault, file, at=AT)
    path.unlink()
    put_back(file, path)
    with reopen(path) as vault:
        assert [*vault.items("photo"), *vault.items("small")] == kept


def test_a_backup_says_nothing_of_what_is_inside(path: Path, file: Path) -> None:
    fill(path)
    back_up(path, file)
    raw = file.read_bytes()
    assert not [word for word in (b"credential", b"median3m", b"EUR", b"secretKey", b"2026", PASSPHRASE) if word in raw]


def test_words_open_a_backup_and_a_new_passphrase_is_set(path: Path, file: Path) -> None:
    kept = fill(path)
    with reopen(path) as vault:
        vault.let_in(Opener.make(WORDS, SECRET, rand=os.urandom), about={})
    back_up(path, file)
    path.unlink()
    put_back(file, path, words=True, new=b"another horse")
    assert held(path, b"another horse") == kept
    with pytest.raises(Rejected):
        reopen(path)
    with Vault.open(path, SECRET, by=WORDS, rand=os.urandom) as vault:
        assert backup_state(vault)["upToDate"] is False  # the backup has the old passphrase


# --- what is refused


def test_a_vault_that_is_there_is_never_overwritten(path: Path, file: Path) -> None:
    fill(path)
    back_up(path, file)
    with reopen(path) as vault:
        vault.put([item("later")])
    before = path.read_bytes()
    with pytest.raises(Malformed) as caught:
        put_back(file, path)
    assert (caught.value.code, path.read_bytes(), names(path.parent)) == ("FILE_EXISTS", before, ["vault"])
    aside = put_back(file, path, replace=True)
    assert aside is not None
    assert aside.read_bytes() == before
    with reopen(path) as vault, reopen(aside) as old:
        assert (len(vault.items("later")), len(old.items("later"))) == (0, 1)


def test_a_damaged_vault_is_replaced_and_kept(path: Path, file: Path) -> None:
    kept = fill(path)
    back_up(path, file)
    path.write_bytes(b"not any more")
    path.with_name("vault-journal").write_bytes(b"journal")
    aside = put_back(file, path, replace=True)
    assert held(path) == kept
    assert aside is not None
    assert aside.read_bytes() == b"not any more"
    assert "vault-journal" not in names(path.parent)  # it would be played into the new vault


def test_a_vault_that_somebody_writes_to_is_not_replaced(
    path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(path)
    back_up(path, file)
    monkeypatch.setattr("wallet.restore.PATIENCE", 0.05)
    with reopen(path) as vault:
        with vault.transaction(), pytest.raises(Undetermined) as caught:
            put_back(file, path, replace=True)
        assert caught.value.code == "VAULT_BUSY"
        put_back(file, path, replace=True)
        with pytest.raises(VcError):  # the program that still has the old one open is told; its file is aside
            vault.put([item()])
    assert len(held(path)) == 3


def test_mistakes_are_told_apart(path: Path, file: Path) -> None:
    fill(path)
    back_up(path, file)
    raw = file.read_bytes()
    assert code_of(file) == "whole: 3"
    assert code_of(file, b"something else") == "WRONG_PASSPHRASE"
    assert code_of(path) == "NOT_A_BACKUP"
    assert code_of(path.parent) == "NOT_A_BACKUP"
    assert code_of(path / "missing") in {"FILE_MISSING", "FILE_UNREADABLE"}
    file.write_bytes(raw.replace(b'"format":1', b'"format":2'))
    assert code_of(file) == "BACKUP_NEWER"
    with pytest.raises(Unsupported, match="newer program: 2"):
        open_backup(file, PASSPHRASE)
    for changed in (raw[:-1], raw[:-3000], raw[: len(raw) // 3], raw + b"x", raw + raw[-600:]):
        file.write_bytes(changed)
        assert code_of(file) == "BACKUP_DAMAGED"
    end = raw.index(b"\n", 30)
    file.write_bytes(raw[: end + 1])
    assert code_of(file) == "BACKUP_DAMAGED"


def test_a_stream_under_the_slots_of_another_backup_is_refused(tmp_path: Path, path: Path, file: Path) -> None:
    """The slots are bound to the stream: those of another day, with an older passphrase, do not open this one."""
    fill(path)
    back_up(path, file)
    with reopen(path) as vault:
        vault.change_passphrase(b"another horse", cost=MIN_COST)
        write_backup(vault, tmp_path / "new", at=AT)
    old, new = file.read_bytes(), (tmp_path / "new").read_bytes()
    ends = [raw.index(b"\n", 30) + 1 for raw in (old, new)]
    file.write_bytes(old[: ends[0]] + new[ends[1] :])
    assert code_of(file) == "BACKUP_DAMAGED"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    folder = tmp_path_factory.mktemp("backup")
    fill(folder / "vault")
    back_up(folder / "vault", folder / "backup")
    return folder / "changed", (folder / "backup").read_bytes()


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_one_changed_byte_is_seen(image: tuple[Path, bytes], data: st.DataObject) -> None:
    file, raw = image
    changed = bytearray(raw)
    at = data.draw(st.integers(0, 60) | st.integers(0, len(raw) - 1))
    changed[at] ^= data.draw(st.integers(1, 255))
    file.write_bytes(changed)
    assert code_of(file) in {"BACKUP_DAMAGED", "NOT_A_BACKUP", "VAULT_DAMAGED", "BACKUP_NEWER"}


@given(st.binary(max_size=300))
@settings(max_examples=80, deadline=None)
def test_any_bytes_are_no_backup(image: tuple[Path, bytes], junk: bytes) -> None:
    file, raw = image
    for changed in (junk, raw[:22] + junk, raw[:22] + b'{"format":1,"slots":' + junk + b"}\n"):
        file.write_bytes(changed)
        assert code_of(file) in {"BACKUP_DAMAGED", "NOT_A_BACKUP"}


# --- tested when it is made


def test_a_backup_that_does_not_read_back_is_not_kept(path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that loses what it was given: the earlier backup stays."""
    fill(path)
    back_up(path, file)
    before = file.read_bytes()
    real = wallet.backup._write_stream

    def losing(target: object, *arguments: object, **named: object) -> None:
        real(target, *arguments, **named)  # type: ignore[arg-type]
        target.seek(-40, os.SEEK_END)  # type: ignore[attr-defined]
        target.write(bytes(8))  # type: ignore[attr-defined]

    monkeypatch.setattr(wallet.backup, "_write_stream", losing)
    with pytest.raises(Undetermined) as caught:
        back_up(path, file)
    assert (caught.value.code, file.read_bytes(), names(file.parent)) == ("BACKUP_UNSOUND", before, [file.name, "home"])


def test_a_full_disk_leaves_the_earlier_backup(path: Path, file: Path) -> None:
    with create(path) as vault:
        write_backup(vault, file, at=AT)
        vault.put([item(body="x" * 300_000)])
    before = file.read_bytes()
    code = (
        "import sys, resource; from pathlib import Path; from tests.test_vault_backup import back_up;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 17,) * 2); back_up(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    error = run_failing(code, path, file)
    assert "CANNOT_WRITE" in error or "cannot be written" in error
    assert (file.read_bytes(), names(file.parent)) == (before, [file.name, "home"])


def test_a_restore_without_room_leaves_nothing(path: Path, file: Path) -> None:
    with create(path) as vault:
        vault.put([item(body="x" * 300_000)])
        write_backup(vault, file, at=AT)
    path.unlink()
    code = (
        "import sys, resource; from pathlib import Path; from tests.test_vault_backup import put_back;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 17,) * 2); put_back(Path(sys.argv[2]), Path(sys.argv[1]))"
    )
    run_failing(code, path, file)
    assert names(path.parent) == []


def run_failing(code: str, *arguments: Path) -> str:
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done
    return done.stderr


def test_a_vault_that_may_only_be_read_is_backed_up(path: Path, file: Path) -> None:
    fill(path)
    path.chmod(0o400)
    assert back_up(path, file).count == 3


# --- the mark, and the folder


def closing(vault: Vault, at: datetime = AT) -> list[str]:
    return [notice.name for notice in at_closing(vault, at=at, rand=os.urandom)]


def test_an_older_vault_in_its_place_is_seen(path: Path) -> None:
    fill(path)
    older = path.with_name("older")
    shutil.copy(path, older)
    with reopen(path) as vault:
        assert list(at_opening(vault)) == []
        vault.put([item("later")])
        vault.change_passphrase(PASSPHRASE, cost=MIN_COST)
        assert closing(vault) == []
    shutil.copy(older, path)
    with reopen(path) as vault:
        (notice,) = at_opening(vault)
        assert (notice.name, notice.values["count"]) == ("rolled_back", "2")
        assert closing(vault) == []
        assert [one.name for one in at_opening(vault)] == ["rolled_back"]  # until it is dealt with


@pytest.mark.parametrize("raw", [b"", b"x" * 100, b"x" * 100_000])
def test_a_mark_that_is_none_is_no_error(path: Path, raw: bytes) -> None:
    fill(path)
    mark_path(path).write_bytes(raw)
    with reopen(path) as vault:
        assert list(at_opening(vault)) == []
        assert closing(vault) == []
        assert backup_state(vault) == {"last": None, "upToDate": False, "folder": None}


def test_a_backup_is_up_to_date_until_something_changes(path: Path, file: Path) -> None:
    fill(path)
    with reopen(path) as vault:
        write_backup(vault, file, at=AT)
        note_backup(vault, vault.age(), at=AT, rand=os.urandom)
        assert backup_state(vault) == {"last": "2026-11-24T12:00:00Z", "upToDate": True, "folder": None}
        closing(vault)
        assert backup_state(vault)["upToDate"] is True
        vault.put([item()])
        assert backup_state(vault)["upToDate"] is False


def test_a_folder_gets_a_backup_after_each_change_and_keeps_the_last_days(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "stick"
    folder.mkdir()
    (folder / "ouvrage-wallet-00000000-2020-01-01.backup").write_bytes(b"another wallet's")
    (folder / "letter.txt").write_text("mine")
    fill(path)
    with reopen(path) as vault:
        choose_folder(vault, Folder(folder, 3), rand=os.urandom)
        for day in range(5):
            for _ in range(2):
                vault.put([item("later", day)])
                assert closing(vault, AT + timedelta(days=day)) == []
            assert backup_state(vault)["upToDate"] is True
    days = sorted(name[-17:-7] for name in names(folder) if name != "letter.txt")
    assert days == ["2020-01-01", "2026-11-26", "2026-11-27", "2026-11-28"]
    newest = next(folder.glob("*2026-11-28.backup"))
    assert len([1 for _, raw in open_backup(newest, PASSPHRASE).items() if b'"later"' in raw]) == 10


def test_nothing_is_written_where_nothing_changed(path: Path, tmp_path: Path) -> None:
    fill(path)
    with reopen(path) as vault:
        choose_folder(vault, Folder(tmp_path, 3), rand=os.urandom)
        closing(vault)
        before = {one: one.stat().st_mtime_ns for one in [*tmp_path.iterdir(), mark_path(path)]}
        closing(vault, AT + timedelta(days=1))
    assert {one: one.stat().st_mtime_ns for one in [*tmp_path.iterdir(), mark_path(path)]} == before


def test_a_folder_that_is_gone_is_told_and_the_change_is_kept(path: Path, tmp_path: Path) -> None:
    fill(path)
    with reopen(path) as vault:
        choose_folder(vault, Folder(tmp_path / "unplugged", 3), rand=os.urandom)
        vault.put([item("later")])
        assert closing(vault) == ["backup_failed"]
        assert backup_state(vault)["upToDate"] is False
        (tmp_path / "unplugged").mkdir()
        assert closing(vault) == []  # with the next command
        assert backup_state(vault)["upToDate"] is True


def test_an_older_vault_does_not_take_the_place_of_a_newer_backup(path: Path, tmp_path: Path) -> None:
    fill(path)
    older = path.with_name("older")
    with reopen(path) as vault:
        choose_folder(vault, Folder(tmp_path, 3), rand=os.urandom)
        closing(vault)
        shutil.copy(path, older)
        vault.put([item("later")])
        closing(vault)
    (made,) = tmp_path.glob("*.backup")
    before = made.read_bytes()
    shutil.copy(older, path)
    with reopen(path) as vault:
        closing(vault)
    assert made.read_bytes() == before


def test_the_header_is_small_and_no_larger_one_is_read(file: Path) -> None:
    file.write_bytes(b"ouvrage wallet backup\n" + to_json({"format": 1, "slots": [], "more": "x" * 100_000}))
    assert code_of(file) == "BACKUP_DAMAGED"
