"""A disk that is really full: a small file system of our own, in a namespace where we may mount one."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.test_wallet_safety import backed_up
from tests.test_wallet_safety import restore as bring_back
from tests.test_wallet_web import visiting
from tests.vaults import CREDENTIAL, PASSPHRASE, create, item, names, reopen
from tests.wallet_pages_app import PASSPHRASE as TYPED
from vc.errors import VcError
from vc.sealing import MIN_COST
from wallet.backup import open_backup, write_backup
from wallet.restore import restore
from wallet.vault import Vault

AT: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ROOT: Final = Path(__file__).parents[1]
PAGE: Final = 4096
FREE: Final = (0, 1, 2, 3, 5, 8, 13, 21)  # pages that are left: from nothing to less than what a change of all takes


def on_a_small_disk(folder: Path, call: str) -> str:
    """What a function of this module says, with ``folder`` a disk of 512 KB of its own."""
    if not may_mount():
        pytest.skip("this system lets nobody mount a file system in a namespace of their own (unshare -rm)")
    code = f"import sys, tests.test_vault_full_disk as t; t.{call}(t.Path(sys.argv[1]))"
    command = 'mount -t tmpfs -o size=512k none "$1" && exec "$2" -c "$3" "$1"'
    arguments = ["unshare", "-rm", "sh", "-c", command, "sh", str(folder), sys.executable, code]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@cache
def may_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def leave(folder: Path, pages: int) -> None:
    """Fill the disk up to so many pages."""
    filler = folder / "filler"
    filler.unlink(missing_ok=True)
    room = os.statvfs(folder)
    filler.write_bytes(b"x" * max(0, room.f_bavail * room.f_frsize - pages * PAGE))


def outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except VcError as error:
        return error.code
    return "done"


def change_at_every_level(folder: Path) -> None:
    path = folder / "vault"
    with create(path) as vault:
        vault.put([item(body=CREDENTIAL), item(body="x" * 60_000)])
        changes: dict[str, Callable[[], object]] = {
            "put": lambda: vault.put([item("more", "y" * 80_000)]),
            "rekey": lambda: vault.change_passphrase(PASSPHRASE, cost=MIN_COST),
        }
        for pages in FREE:
            for name, change in changes.items():
                kept = vault.items("credential"), vault.items("more")
                leave(folder, pages)
                told = outcome(change)
                if told != "done":
                    assert (vault.items("credential"), vault.items("more")) == kept
                with reopen(path) as again:
                    assert (again.items("credential"), len(again.items("more"))) == (kept[0], len(vault.items("more")))
                print(name, told)
        (folder / "filler").unlink()
        vault.put([item("more", "y")])
    with reopen(path) as vault:
        assert len(vault.items("credential")) == 2
    print("whole", *names(folder))


def test_a_change_on_a_full_disk_is_done_or_refused_and_the_vault_is_whole(tmp_path: Path) -> None:
    *told, last = on_a_small_disk(tmp_path, "change_at_every_level").splitlines()
    assert len(told) == 2 * len(FREE)
    assert {line.split()[1] for line in told} <= {"VAULT_UNAVAILABLE", "done"}
    assert told[:2] == ["put VAULT_UNAVAILABLE", "rekey VAULT_UNAVAILABLE"]
    assert last == "whole vault"


def copies_at_every_level(folder: Path) -> None:
    path, file, other = folder / "vault", folder / "backup", folder / "other"
    with create(path) as vault:
        vault.put([item(body="x" * 100_000)])
        write_backup(vault, file, at=AT)
        before = file.read_bytes()
        for pages in FREE:
            leave(folder, pages)
            print("backup", outcome(lambda: write_backup(vault, file, at=AT)))
            assert file.read_bytes() == before
            leave(folder, pages)
            print("restore", outcome(lambda: put_back(file, other)))
            print("create", outcome(lambda: Vault.create(other, PASSPHRASE, rand=os.urandom, cost=MIN_COST).close()))
            other.unlink(missing_ok=True)
            assert names(folder) == ["backup", "filler", "vault"]
        (folder / "filler").unlink()
        vault.put([item()])
    assert put_back(file, other) is None
    print("whole", *names(folder))


def put_back(file: Path, path: Path) -> Path | None:
    backup = open_backup(file, PASSPHRASE)
    return restore(backup, path, new_passphrase=None, replace=False, at=AT, rand=os.urandom)


def test_a_copy_on_a_full_disk_is_whole_or_not_there(tmp_path: Path) -> None:
    *told, last = on_a_small_disk(tmp_path, "copies_at_every_level").splitlines()
    assert {line for line in told if not line.startswith("create")} <= {
        f"{what} {code}" for what in ("backup", "restore") for code in ("CANNOT_WRITE", "VAULT_UNAVAILABLE")
    }
    assert told[2] in ("create CANNOT_WRITE", "create VAULT_UNAVAILABLE")
    assert last == "whole backup other other.mark vault"


async def ask_pages(folder: Path) -> None:
    async with visiting(folder) as visitor:
        await visitor.new()
        await visitor.wallet.desk.box.use(lambda shelf: shelf.vault.put([item(body="x" * 100_000)]))
        raw = await backed_up(visitor)
        there = names(folder)
        for pages in FREE:
            leave(folder, pages)
            status, text, _ = await visitor.post("/backup", {})
            print(status, "may be full" in text)
            status, text, _ = await bring_back(visitor, raw, "passphrase", TYPED, replace="yes")
            print(status, "may be full" in text)
            assert names(folder) == sorted([*there, "filler"])
        (folder / "filler").unlink()
        assert (await visitor.post("/unlock", {"passphrase": TYPED}))[0] == 303
        assert await backed_up(visitor)
    print("whole")


def pages_without_room(folder: Path) -> None:
    asyncio.run(ask_pages(folder))


def test_the_pages_say_that_the_disk_is_full(tmp_path: Path) -> None:
    *told, last = on_a_small_disk(tmp_path, "pages_without_room").splitlines()
    assert set(told) == {"503 True"}
    assert last == "whole"
