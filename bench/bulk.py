"""``python -m bench.bulk STATEMENTS…``: signing in bulk with the command that a platform runs, against bare signing.

Bare signing is ``sign_copy`` in a loop, one process for each core, nothing read and nothing kept. What the command adds
is reading, claiming, handing over and recording; starting it is not counted in the rate but shown.
"""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from issuer.copies import Job, sign_copy
from issuer.database import Database
from issuer.keys import create
from issuer.store import Store
from issuer.tables import CREDENTIAL
from tests.cli import PASSPHRASE, ROOT
from tests.work_samples import EARNINGS
from work.statement import Statement

AT: Final = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
SIZES: Final = (2_000, 10_000)
SHARE: Final = 0.5  # of the CPU time of a copy, at least, is bare signing: that is what we promise
GROWTH: Final = 64  # MiB that a process may hold more of ten times as many statements
BARE: Final = 200  # signatures in each process, for the floor
TICK: Final = os.sysconf("SC_CLK_TCK")
_TIMES: Final = (
    f"{'signed/s':>9} {'bare/s':>7} {'ratio':>6} {'CPU ms':>7} {'bare ms':>8} {'ratio':>6} {'limit':>6}"
    f" {'MiB':>5} {'MiB each':>8}"
)
HEAD: Final = f"{'bulk signing, bbs-2023, from SQLite to SQLite':<44} {_TIMES}"


@dataclass(frozen=True, slots=True)
class Bulk:
    """One line of the table: copies a second, and CPU milliseconds for each, which hardly change on a busy machine.

    ``memory`` is the most that the run itself held, ``signer`` the most of its largest process, in MiB.
    """

    statements: int
    processes: int
    rate: float
    cpu: float
    bare: float
    bare_cpu: float
    memory: float
    signer: float

    @property
    def kept(self) -> bool:
        return self.bare_cpu >= SHARE * self.cpu

    def text(self) -> str:
        name = f"{self.statements} statements, {self.processes} process{'es' if self.processes > 1 else ''}"
        return (
            f"{name:<44} {self.rate:>9.0f} {self.bare:>7.0f} {self.rate / self.bare:>6.2f}"
            f" {self.cpu:>7.2f} {self.bare_cpu:>8.2f} {self.bare_cpu / self.cpu:>6.2f} {SHARE:>6.2f}"
            f" {self.memory:>5.0f} {self.signer:>8.0f}"
        )


def statements(count: int) -> Iterator[Statement]:
    """Statements of earnings, alike but for their worker."""
    return (Statement("Earnings", f"worker-{number:09}", EARNINGS) for number in range(count))


def _bare(_: int) -> tuple[float, float]:
    keys = create(os.urandom)
    (one,) = statements(1)
    job = Job(one, one.digest(), "")
    sign_copy(job, keys=keys, at=AT, rand=os.urandom)
    start, cpu = time.perf_counter(), time.process_time()
    for _ in range(BARE):
        sign_copy(job, keys=keys, at=AT, rand=os.urandom)
    return BARE / (time.perf_counter() - start), (time.process_time() - cpu) / BARE * 1000


def bare(processes: int) -> tuple[float, float]:
    """Copies a second that so many processes sign which do nothing else, and CPU milliseconds for each."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        rates, cpu = zip(*pool.map(_bare, range(processes), chunksize=1), strict=True)
    return sum(rates), sum(cpu) / len(cpu)


class Watch:
    """The most memory of a process and of its largest child, in MiB, and the CPU seconds of all of them, looked at
    while copies are signed.

    What opening the keys takes before that (Argon2id) is not in it.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.own = self.child = 0.0
        self._cpu: dict[int, list[float]] = {}  # at the first look and at the last

    def look(self) -> None:
        """Read how much it is now."""
        try:
            below = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text().split()
        except OSError:
            return
        for pid in (self._pid, *map(int, below)):
            memory, cpu = _used(pid)
            if pid == self._pid:
                self.own = max(self.own, memory)
            else:
                self.child = max(self.child, memory)
            if cpu:
                self._cpu.setdefault(pid, [cpu, cpu])[1] = cpu

    @property
    def cpu(self) -> float:
        """CPU seconds since the first look."""
        return sum(last - first for first, last in self._cpu.values())


def _used(pid: int) -> tuple[float, float]:
    """MiB that a process holds, and CPU seconds that it has taken."""
    try:
        memory = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, IndexError):
        return 0.0, 0.0
    return memory, (int(fields[11]) + int(fields[12])) / TICK


def measure(count: int, processes: int, folder: Path, floor: tuple[float, float]) -> Bulk:
    """Sign ``count`` statements, and measure from the first recorded batch to the last."""
    home = folder / f"{count}-{processes}"
    (home / "issuer").mkdir(parents=True)
    path = home / "issuer" / "issuer.db"
    with Store.open(path) as store:
        store.add_statements(statements(count), source="bench")
    passphrase = home / "passphrase.txt"
    passphrase.write_text(PASSPHRASE)
    words = ("issue", "--all", "--processes", str(processes), "--allow-few", "Earnings", "--json")
    process = subprocess.Popen(
        [sys.executable, "-m", "ouvrage", "issuer", *words],
        env={
            **os.environ,
            "OUVRAGE_HOME": str(home),
            "OUVRAGE_PASSPHRASE_FILE": str(passphrase),
            "PYTHONPATH": str(ROOT),
        },
        stdout=subprocess.PIPE,
    )
    watch, ended = Watch(process.pid), threading.Event()

    def look() -> None:
        while not ended.wait(0.05):
            watch.look()

    watcher = threading.Thread(target=look)
    first = _first_signed(path, process)
    watcher.start()
    out, _ = process.communicate()
    end = time.perf_counter()
    ended.set()
    watcher.join()
    signed = json.loads(out)["signed"]
    assert signed == count, f"{signed} of {count} were signed"
    seen, since = first
    rate, cpu = (count - seen) / (end - since), watch.cpu / (count - seen) * 1000
    return Bulk(count, processes, rate, cpu, *floor, watch.own, watch.child)


def _first_signed(path: Path, process: "subprocess.Popen[bytes]") -> tuple[int, float]:
    """How many were signed when the first were seen, and when: what is before that is starting."""
    with Database.connect(path) as database:
        while process.poll() is None:
            with database.read() as connection:
                seen = connection.execute(sa.select(sa.func.count()).select_from(CREDENTIAL)).scalar_one()
            if seen:
                return seen, time.perf_counter()
            time.sleep(0.05)
    raise AssertionError("the run ended before anything was signed")


def results(sizes: tuple[int, ...] = SIZES) -> Iterator[Bulk]:
    """One process and two for the smallest size, all cores for the others."""
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name:
        for processes in (1, 2):
            yield measure(sizes[0], processes, Path(name), bare(processes))
        for size in sizes[1:]:
            yield measure(size, cores, Path(name), bare(cores))


def main(arguments: list[str]) -> int:
    """Print one line for each run; the exit code says whether rates and memory are within their limits."""
    sys.stdout.write(HEAD + "\n")
    done: list[Bulk] = []
    for one in results(tuple(map(int, arguments)) or SIZES):
        done.append(one)
        sys.stdout.write(one.text() + ("" if one.kept else "   over its limit") + "\n")
        sys.stdout.flush()
    grown = max(one.memory for one in done) - min(one.memory for one in done)
    sys.stdout.write(f"{'scaling from one process to two':<44} {done[1].rate / done[0].rate:>9.2f}\n")
    sys.stdout.write(f"{'memory that most statements take beyond fewest':<44} {grown:>9.0f} MiB, limit {GROWTH}\n")
    return 0 if all(one.kept for one in done) and grown <= GROWTH else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
