"""Bulk signing that is killed: the run, one of its processes, or the database under it, at random instants.

``--rounds 100`` kills a hundred times.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from issuer.database import Database
from issuer.tables import CREDENTIAL, SETTING, STATEMENT, STATUS_ENTRY
from tests.cli import PASSPHRASE, ROOT
from tests.test_bulk import BASE, about, check_whole, put, read

FORMATS = ("bbs-2023", "sd-jwt")
PATIENCE = 600  # seconds for one run on a busy machine, whatever has piled up in a hundred rounds; not a goal
COPIES = 150  # statements to begin with, each signed in both formats

Kept = dict[tuple[str, str, str], tuple[str, str | None, int | None]]


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--rounds"))


def start(folder: Path, address: Path | str) -> subprocess.Popen[bytes]:
    """The command as a platform runs it, in a process group of its own."""
    words = [word for form in FORMATS for word in ("--format", form)]
    passphrase = folder / "passphrase.txt"
    passphrase.write_text(PASSPHRASE)
    environment = {
        **os.environ,
        "OUVRAGE_HOME": str(folder),
        "OUVRAGE_PASSPHRASE_FILE": str(passphrase),
        "PYTHONPATH": str(ROOT),
    }
    if isinstance(address, str):
        environment["OUVRAGE_DATABASE"] = address
    return subprocess.Popen(
        [sys.executable, "-m", "ouvrage", "issuer", "issue", "--all", "--processes", "2", "--json", *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


@pytest.fixture
def address(database_address: Path | str, tmp_path: Path) -> Path | str:
    """A database with statements in it; a file is where the command looks for it."""
    if isinstance(database_address, Path):
        (tmp_path / "issuer").mkdir()
        database_address = tmp_path / "issuer" / "issuer.db"
    with Database.open(database_address) as database:
        put(database, *about(COPIES))
        with database.write() as connection:
            connection.execute(SETTING.insert().values(name="base", value=BASE))
    return database_address


def kept(database: Database) -> Kept:
    return {
        (one.digest, one.holder, one.format): (one.body, one.list, one.place)
        for one in read(database, sa.select(CREDENTIAL))
    }


def signers(parent: int) -> list[int]:
    """The signing processes of a run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
            command = (path.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == parent and b"spawn_main" in command:
            found.append(int(path.parent.name))
    return found


def finish(process: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    """The exit code, which is 0 for all who were not killed, and what was printed."""
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode in (0, -signal.SIGKILL), (process.returncode, out, err)
    return process.returncode, out


def check_finished(database: Database) -> None:
    """Every statement has one credential in each format, and every place is one credential's or a decoy's."""
    there = kept(database)
    assert Counter(form for _, _, form in there) == dict.fromkeys(FORMATS, len(read(database, sa.select(STATEMENT))))
    assert all(body and (name is None) == (form == "bbs-2023") for (_, _, form), (body, name, _) in there.items())
    check_whole(database)


def wait_until_at_work(process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while process.poll() is None and not signers(process.pid):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_killed_at_random_instants_nothing_is_lost_and_nothing_signed_twice(
    address: Path | str, tmp_path: Path, rounds: int
) -> None:
    """By turns the run itself and one of its signing processes; the run then goes on without a word."""
    chance = random.Random()
    before: Kept = {}
    places: set[tuple[str, int]] = set()
    with Database.open(address) as database:
        for number in range(rounds):
            process = start(tmp_path, address)
            wait_until_at_work(process)
            time.sleep(chance.uniform(0, 2))
            whole = number % 2 == 0
            targets = [process.pid] if whole else signers(process.pid)
            if process.poll() is None and targets:
                with suppress(ProcessLookupError):  # it was faster
                    os.kill(chance.choice(targets), signal.SIGKILL)
            code, _ = finish(process)
            assert code in ((0, -signal.SIGKILL) if whole else (0,))
            after = kept(database)
            assert before.items() <= after.items(), "a credential was lost or signed again"
            used = [(one[1], one[2]) for one in after.values() if one[1] is not None]
            assert len(used) == len(set(used))
            before = after
            places |= {(one.list, one.place) for one in read(database, sa.select(STATUS_ENTRY))}
            if code == 0:
                put(database, *about(len(after) // len(FORMATS) + 100))  # there is always something left to sign
        code, _ = finish(start(tmp_path, address))
        assert code == 0
        assert before.items() <= kept(database).items()
        check_finished(database)
        # No place that was ever taken is given back: a list that somebody has fetched would point to another copy.
        assert places <= {(one.list, one.place) for one in read(database, sa.select(STATUS_ENTRY))}


def test_runs_that_race_share_the_work(address: Path | str, tmp_path: Path, rounds: int) -> None:
    with Database.open(address) as database:
        for _ in range(max(1, rounds // 10)):
            put(database, *about(COPIES + len(kept(database)) // len(FORMATS)))
            todo = len(FORMATS) * len(read(database, sa.select(STATEMENT))) - len(kept(database))
            before = kept(database)
            done = [finish(process) for process in [start(tmp_path, address) for _ in range(3)]]
            assert [code for code, _ in done] == [0, 0, 0], done
            assert sum(signed(out) for _, out in done) == todo
            assert before.items() <= kept(database).items()
            check_finished(database)


def test_one_of_two_runs_is_killed_and_the_other_signs_all(address: Path | str, tmp_path: Path, rounds: int) -> None:
    with Database.open(address) as database:
        for _ in range(max(1, rounds // 10)):
            put(database, *about(COPIES + len(kept(database)) // len(FORMATS)))
            one, other = (start(tmp_path, address) for _ in range(2))
            wait_until_at_work(one)
            time.sleep(random.uniform(0, 1))
            one.kill()
            finish(one)
            assert finish(other)[0] == 0
            code, _ = finish(start(tmp_path, address))
            assert code == 0
            check_finished(database)


def signed(out: bytes) -> int:
    return int(json.loads(out)["signed"])
