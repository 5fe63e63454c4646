"""A vault that several programs use, that are killed, or that find the disk full."""

import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.vaults import CREDENTIAL, PASSPHRASE, create, fill, item, names, reopen
from vc.errors import Undetermined, VcError
from vc.sealing import MIN_COST
from wallet.backup import open_backup, write_backup
from wallet.restore import restore
from wallet.sealing import GUARDIANS, WORDS, Opener
from wallet.vault import Item, Vault

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECRET = bytes(range(32))
Filled = tuple[Path, tuple[Item, ...]]
ROOT = Path(__file__).parents[1]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def filled(path: Path) -> Filled:
    return path, fill(path)


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--rounds"))


def run_here(call: str, *arguments: object) -> subprocess.Popen[str]:
    """A process of its own that calls a function of this module; it reports on its standard output."""
    code = f"import sys, tests.test_vault_survival as t; t.{call}(t.Path(sys.argv[1]), *map(int, sys.argv[2:]))"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finished(process: subprocess.Popen[str], rounds: int = 4) -> list[str]:
    out, err = process.communicate(timeout=60 + 15 * rounds)
    assert (err, process.returncode) == ("", 0)
    return out.split()


def put_and_report(path: Path, count: int) -> None:
    with reopen(path, patience=60) as vault:
        for _ in range(count):
            one = item(body=CREDENTIAL)
            vault.put([one])
            print(one.id.hex(), flush=True)


def test_two_programs_writing_at_once_lose_nothing(path: Path) -> None:
    create(path).close()
    programs = [run_here("put_and_report", path, 15) for _ in range(2)]
    reported = [name for program in programs for name in finished(program)]
    assert len(reported) == 30
    with reopen(path) as vault:
        assert sorted(one.id.hex() for one in vault.items("credential")) == sorted(reported)


def count_up(path: Path, times: int) -> None:
    with reopen(path, patience=60) as vault:
        for _ in range(times):
            with vault.transaction():
                (counter,) = vault.items("counter")
                assert isinstance(counter.body, int)
                vault.replace([Item(counter.id, "counter", counter.body + 1)])


def test_two_programs_deciding_by_what_they_read_do_not_overtake_each_other(path: Path) -> None:
    with create(path) as vault:
        vault.put([item("counter", 0)])
    for program in [run_here("count_up", path, 15) for _ in range(2)]:
        finished(program)
    with reopen(path) as vault:
        assert [one.body for one in vault.items("counter")] == [30]


def test_a_writer_waits_for_another_and_then_says_so(filled: Filled) -> None:
    path, kept = filled
    with reopen(path) as vault, reopen(path, patience=0.05) as other:
        with vault.transaction():
            with pytest.raises(Undetermined, match="another program") as caught:
                other.put([item()])
            assert (caught.value.code, caught.value.exit_code) == ("VAULT_BUSY", 3)
            assert other.items("key") == kept[2:]
        other.put([item()])
        assert len(vault.items("credential")) == 3


def test_a_writer_that_waits_long_enough_is_served(path: Path) -> None:
    create(path).close()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with reopen(path) as vault, vault.transaction():
            held.set()
            done.wait(0.2)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    with reopen(path) as vault:
        vault.put([item()])
        assert len(vault.items("credential")) == 1
    holder.join()


REKEYINGS: tuple[Callable[[Vault], object], ...] = (
    lambda vault: vault.change_passphrase(PASSPHRASE, cost=MIN_COST),
    lambda vault: vault.let_in(Opener.make(WORDS, SECRET, rand=os.urandom), about={}),
    lambda vault: vault.let_in(Opener.make(GUARDIANS, SECRET, rand=os.urandom), about={}),
    lambda vault: vault.shut_out(GUARDIANS),
)


def scribble(path: Path, report: int) -> None:
    """Change the vault without end; tell on a pipe what is done, after it is done."""
    rng = random.Random()
    with reopen(path) as vault:
        while True:
            new = [item(body=CREDENTIAL) for _ in range(rng.randint(1, 3))]
            old = vault.items("credential")
            with vault.transaction():
                vault.put(new)
                if len(old) > 12:
                    vault.delete([one.id for one in old[:6]])
                    vault.replace([Item(one.id, "credential", {"spent": "x" * 5000}) for one in old[6:9]])
            os.write(report, b"".join(b"+" + one.id for one in new))
            if len(old) > 12:
                os.write(report, b"".join(b"-" + one.id for one in old[:6]))
            if rng.random() < 0.2:
                rekey = rng.choice(REKEYINGS)
                rekey(vault)


def kill_one(path: Path, seconds: float, work: Callable[[Path, int], None] = scribble) -> bytes:
    """What a child reported until it was killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            work(path, writer)
        finally:
            os._exit(1)
    os.close(writer)
    first = os.read(reader, 1)  # it has begun; now any instant is as good as another
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    with os.fdopen(reader, "rb") as rest:
        return first + rest.read()


def kill_many(path: Path, kills: int) -> None:
    """Kill writers of one vault at random instants; after each, all that was reported is there and nothing is torn."""
    sure: set[bytes] = set()
    journals = 0
    for _ in range(kills):
        told = kill_one(path, random.uniform(0, 0.08))
        journals += path.with_name("vault-journal").exists()
        pairs = [(told[at : at + 1], told[at + 1 : at + 17]) for at in range(0, len(told), 17)]
        sure |= {name for sign, name in pairs if sign == b"+"}
        with reopen(path) as vault:
            there = {one.id for one in vault.items("credential")}
            others = vault.openers()
        for kind in others:  # what the vault says opens it, does
            Vault.open(path, SECRET, by=kind, rand=os.urandom).close()
        sure -= {name for sign, name in pairs if sign == b"-"}
        # The last change may be done and not yet reported: at most six items fewer, at most three more.
        assert len(sure - there) in {0, 6}, (len(sure), len(there))
        assert len(there - sure) <= 3, (len(sure), len(there))
        sure = there
    print("journals", journals)


def test_killed_at_any_instant_nothing_reported_is_lost_or_torn(path: Path, rounds: int) -> None:
    create(path).close()
    word, journals = finished(run_here("kill_many", path, 10 * rounds), rounds)
    assert word == "journals"
    assert int(journals) > 0  # some were killed in the middle of a change
    with reopen(path) as vault:
        vault.put([item()])  # a journal that was begun and holds nothing yet stays until the next change
    assert names(path.parent) == ["vault"]


def kill_creators(path: Path, kills: int) -> None:
    """Kill programs that are making a vault at random instants: it is there and opens, or it is not there."""
    made = 0
    for _ in range(kills):
        child = os.fork()
        if child == 0:
            try:
                create(path)
            finally:
                os._exit(0)
        time.sleep(random.uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if path.exists():
            reopen(path).close()
            path.unlink()
            made += 1
        assert not path.with_name("vault-journal").exists()
    print(made, kills - made)


def test_killed_while_a_vault_is_made_there_is_a_whole_one_or_none(path: Path, rounds: int) -> None:
    made, missing = finished(run_here("kill_creators", path, 5 * rounds), rounds)
    assert int(made) + int(missing) == 5 * rounds


def back_up_without_end(path: Path, report: int) -> None:
    """Change the vault and back it up, again and again; tell how many items the finished backup holds."""
    with reopen(path) as vault:
        while True:
            vault.put([item(body={"large": "x" * 20_000}) for _ in range(3)])
            made = write_backup(vault, path.with_name("backup"), at=AT)
            os.write(report, made.count.to_bytes(4, "big"))


def kill_backups(path: Path, kills: int) -> None:
    """Kill programs that back up at random instants: the backup is whole, and no older than the last reported."""
    for number in range(kills):
        told = kill_one(path, random.uniform(0, 0.06), back_up_without_end)
        last = int.from_bytes(told[-4:], "big")
        backup = open_backup(path.with_name("backup"), PASSPHRASE)
        assert len(list(backup.items())) == backup.count
        assert last <= backup.count <= last + 3, (last, backup.count)
        if number % 20 == 19:
            with reopen(path) as vault:
                vault.delete([one.id for one in vault.items("credential")])
                write_backup(vault, path.with_name("backup"), at=AT)
    print(kills)


def test_killed_while_it_backs_up_there_is_a_whole_backup(path: Path, rounds: int) -> None:
    create(path).close()
    assert finished(run_here("kill_backups", path, 5 * rounds), rounds) == [str(5 * rounds)]


def restore_without_end(path: Path, report: int) -> None:
    """Put one backup, then another in the place of the vault, again and again."""
    number = 0
    while True:
        number += 1
        backup = open_backup(path.with_name(f"backup{number % 2}"), PASSPHRASE)
        at = AT + timedelta(seconds=random.randrange(10**8))
        restore(backup, path, new_passphrase=None, replace=True, at=at, rand=os.urandom)
        os.write(report, b".")


def kill_restores(path: Path, kills: int) -> None:
    """Kill programs that restore over a vault: it is the one or the other, whole; and those moved aside are, too."""
    sizes = []
    for number in range(2):
        with reopen(path) as vault:
            vault.put([item("number", number), item(body="x" * 50_000)])
            sizes.append(write_backup(vault, path.with_name(f"backup{number}"), at=AT).count)
    aside = 0
    for _ in range(kills):
        kill_one(path, random.uniform(0, 0.05), restore_without_end)
        for one in [path, *path.parent.glob("*.replaced-*")]:
            with reopen(one) as vault:
                assert len(vault.ids()) in sizes
            if one != path:
                one.unlink()
                aside += 1
        for left in path.parent.glob(".*.tmp*"):
            left.unlink()
    print(kills, aside)


def test_killed_while_it_restores_there_is_the_one_vault_or_the_other(path: Path, rounds: int) -> None:
    create(path).close()
    kills, aside = finished(run_here("kill_restores", path, 5 * rounds), rounds)
    assert int(kills) == 5 * rounds
    assert int(aside) > 0


def restore_new_without_end(path: Path, report: int) -> None:
    os.write(report, b".")
    while True:
        backup = open_backup(path.with_name("backup"), SECRET, by=WORDS)
        restore(backup, path, new_passphrase=PASSPHRASE, replace=False, at=AT, rand=os.urandom)
        path.unlink()


def kill_new_restores(path: Path, kills: int) -> None:
    """Kill programs that restore with words where no vault is: it is there whole, or not there."""
    with reopen(path) as vault:
        vault.let_in(Opener.make(WORDS, SECRET, rand=os.urandom), about={})
        write_backup(vault, path.with_name("backup"), at=AT)
    path.unlink()
    there = 0
    for _ in range(kills):
        kill_one(path, random.uniform(0, 0.4), restore_new_without_end)
        if path.exists():
            there += 1
            reopen(path).close()
            path.unlink()
        assert not path.with_name("vault-journal").exists()
    print(kills, there)


def test_killed_while_it_restores_with_words_there_is_a_whole_vault_or_none(path: Path, rounds: int) -> None:
    create(path).close()
    kills, _ = finished(run_here("kill_new_restores", path, 5 * rounds), rounds)
    assert int(kills) == 5 * rounds


def rekey_often(path: Path, times: int) -> None:
    """New words again and again, though another program does so, too."""
    done = 0
    while done < times:
        with suppress(Undetermined), reopen(path, patience=60) as vault:  # the other one was faster: VAULT_REKEYED
            vault.put([item(body=CREDENTIAL)])
            vault.let_in(Opener.make(WORDS, SECRET, rand=os.urandom), about={})
            done += 1


def test_two_programs_that_change_the_key_lose_nothing(path: Path) -> None:
    create(path).close()
    for program in [run_here("rekey_often", path, 8) for _ in range(2)]:
        finished(program)
    with Vault.open(path, SECRET, by=WORDS, rand=os.urandom) as vault:
        assert len(vault.items("credential")) >= 16


def fill_until_refused(path: Path, limit: int) -> None:
    with reopen(path) as vault:
        kept = vault.items("credential") + vault.items("key")
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        attempts: list[Callable[[], None]] = [
            lambda: vault.put([item(body="x" * 3000) for _ in range(100)]),
            lambda: vault.replace([Item(one.id, one.kind, "x" * 100_000) for one in kept]),
        ]
        for attempt in attempts:
            try:
                attempt()
            except VcError as error:
                print(error.code)
        assert vault.items("credential") + vault.items("key") == kept
        vault.replace([Item(kept[0].id, "credential", "small")])  # what has room is still done


def test_a_full_disk_is_an_error_and_the_vault_is_whole(filled: Filled) -> None:
    path, kept = filled
    told = finished(run_here("fill_until_refused", path, 1 << 17))
    assert told == ["VAULT_UNAVAILABLE", "VAULT_UNAVAILABLE"]
    with reopen(path) as vault:
        assert vault.items("credential") == (Item(kept[0].id, "credential", "small"), kept[1])


def create_with_little_space(path: Path, limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        create(path)
    except VcError as error:
        print(error.code)


def test_a_vault_that_does_not_fit_is_not_there(path: Path) -> None:
    assert finished(run_here("create_with_little_space", path, 4096)) == ["VAULT_UNAVAILABLE"]
    assert names(path.parent) == []


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux to measure its own memory")
def test_without_memory_a_passphrase_is_not_called_wrong(path: Path) -> None:
    create(path).close()
    with reopen(path) as vault:
        vault.change_passphrase(PASSPHRASE)
    assert finished(run_here("open_with_little_memory", path)) == ["OUT_OF_MEMORY"]


def open_with_little_memory(path: Path) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20),) * 2)
    try:
        reopen(path)
    except VcError as error:
        print(error.code)
