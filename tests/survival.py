"""Kill what writes to the issuer's database at random instants, again and again: ``python -m tests.survival``.

Programs state and record without end and report what is done, after it is done. After each kill: what was reported is
there, an attestation is there whole or not at all, and no copy was ever signed anew while it was valid.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from issuer.claims import Run
from issuer.database import Database
from issuer.formats import Format
from issuer.store import Store
from issuer.tables import CREDENTIAL, STATEMENT
from issuer.wanted import Wanted
from tests.databases import database_url, random_copies
from tests.engines import postgres_process
from tests.line import AT
from tests.work_samples import MEMBERSHIP
from vc.errors import Undetermined
from work.statement import Statement

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 60.0  # seconds that a server may take to recover


def address(text: str) -> Path | str:
    return text if "://" in text else Path(text)


def say(*words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def write_for_ever(where: Path | str) -> None:
    """State and record without end; go on when the database is there again."""
    rng = random.Random()
    while True:
        try:
            with Store.open(where) as store:
                while True:
                    attest(store, rng)
                    record(store)
        except Undetermined:
            time.sleep(0.02)


def attest(store: Store, rng: random.Random) -> None:
    """An attestation of new workers; each of them is named after it and its size."""
    count, name = rng.choice((1, 20, 1200)), rng.randbytes(8).hex()
    workers = [f"{name}-{count}-{number}" for number in range(count)]
    added = store.add_statements((Statement("PlatformMembership", one, MEMBERSHIP) for one in workers), source="test")
    assert (added.new, added.replaced, added.unchanged) == (count, 0, 0)
    say("attested", name)


def record(store: Store) -> None:
    """Copies of all that has none, each with a body that no other run would make."""
    wanted = Wanted(AT, (Format.BBS,))
    with Run.start(store.database) as run:
        for given in run.claimed(wanted, lambda _connection, _datasets: ()):
            made = random_copies(given, AT + timedelta(days=30))
            if run.record(given, made, wanted, int(AT.timestamp())) == len(given["digest"]):
                say("recorded", dict(zip(given["digest"], made["body"], strict=True)))


class Writer:
    """A program that writes, and what it has reported."""

    def __init__(self, where: Path | str) -> None:
        code = "import sys, tests.survival as s; s.write_for_ever(s.address(sys.argv[1]))"
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, str(where)], cwd=ROOT, env=environment, stdout=subprocess.PIPE
        )
        self.lines: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, b""))

    def kill(self) -> None:
        assert self.process.poll() is None, "it ended by itself"
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def reports(self) -> Iterator[list[Any]]:
        """What was reported; a line that the kill cut off was not."""
        return (json.loads(line) for line in list(self.lines) if line.endswith(b"\n"))


class Truth:
    """What has been in the database so far, and has to stay."""

    def __init__(self) -> None:
        self.copies: dict[str, str] = {}
        self.attested: set[str] = set()

    def check(self, where: Path | str, writers: list[Writer]) -> None:
        reports = [report for writer in writers for report in writer.reports()]
        self.attested |= {name for kind, name in reports if kind == "attested"}
        reported = {digest: body for kind, made in reports if kind == "recorded" for digest, body in made.items()}
        with Database.open(where, batch=True) as database, database.read() as connection:
            if database.is_sqlite:
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
            workers = list(connection.execute(sa.select(STATEMENT.c.worker)).scalars())
            copies = {row.digest: row.body for row in connection.execute(sa.select(CREDENTIAL)).all()}
        found = Counter(worker.rpartition("-")[0] for worker in workers)
        assert all(count == int(name.partition("-")[2]) for name, count in found.items()), "half an attestation"
        assert self.attested <= {name.partition("-")[0] for name in found}, "a reported attestation is lost"
        assert len(workers) == len(set(workers)), "a statement is there twice"
        for before in (reported, self.copies):
            assert before.items() <= copies.items(), "a reported copy is lost or was signed again"
        self.copies = copies


def wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def survive_killed_writers(where: Path | str, rounds: int, rng: random.Random) -> Truth:
    """Kill the writer, in each round a new one."""
    truth = Truth()
    for _ in range(rounds):
        writer = Writer(where)
        wait(lambda one=writer: bool(one.lines))  # type: ignore[misc]
        time.sleep(rng.uniform(0, 0.3))
        writer.kill()
        truth.check(where, [writer])
    return truth


def survive_killed_servers(server: Any, where: str, rounds: int, rng: random.Random) -> Truth:
    """Kill a process of PostgreSQL, or all of it, under two writers that go on as soon as they can."""
    truth, writers = Truth(), [Writer(where), Writer(where)]
    try:
        for number in range(rounds):
            heard = [len(writer.lines) for writer in writers]
            wait(lambda: all(len(writer.lines) > before for writer, before in zip(writers, heard, strict=True)))  # noqa: B023
            time.sleep(rng.uniform(0, 0.3))
            kill_server(server, whole=number % 2 == 0, rng=rng)
            truth.check(where, writers)
    finally:
        for writer in writers:
            writer.kill()
    truth.check(where, writers)
    return truth


def kill_server(server: Any, *, whole: bool, rng: random.Random) -> None:
    """Stop the server at once or ``kill -9`` it, and start it again; or ``kill -9`` one of its processes: it then drops
    all of them."""
    import psutil  # type: ignore[import-untyped]  # noqa: PLC0415  (comes with the server)

    postmaster = psutil.Process(server.get_pid())
    children = postmaster.children()
    if whole:
        postmaster.send_signal(rng.choice((signal.SIGQUIT, signal.SIGKILL)))  # `pg_ctl stop -m immediate`, or worse
        postmaster.wait(PATIENCE)
        psutil.wait_procs(children, timeout=PATIENCE)  # none begins where others have not ended
        server.ensure_postgres_running()
    else:
        rng.choice(children).send_signal(signal.SIGKILL)
        psutil.wait_procs(children, timeout=PATIENCE)
    wait(lambda: answers(server.get_uri()))


def answers(url: str) -> bool:
    import psycopg  # noqa: PLC0415  (the extra `postgres`)

    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def killable_postgres() -> Iterator[tuple[Any, str]]:
    """A server for itself, and the URL of a database of it with our tables."""
    import psycopg  # noqa: PLC0415  (the extra `postgres`)

    with postgres_process() as server:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE survival")
        url = database_url(server.get_uri(), "survival")
        Database.open(url).close()
        yield server, url


def main() -> None:
    """The long run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    given = parser.parse_args()
    rng = random.Random(given.seed)
    sys.stdout.write(f"seed {given.seed}\n")
    with tempfile.TemporaryDirectory() as folder:
        truth = survive_killed_writers(Path(folder) / "issuer.db", given.rounds, rng)
    sys.stdout.write(f"SQLite, writer killed {given.rounds} times: {len(truth.copies)} copies, none lost or twice\n")
    with killable_postgres() as (server, url):
        truth = survive_killed_writers(url, given.rounds, rng)
        sys.stdout.write(
            f"PostgreSQL, writer killed {given.rounds} times: {len(truth.copies)} copies, none lost or twice\n"
        )
        truth = survive_killed_servers(server, url, given.rounds, rng)
        sys.stdout.write(f"PostgreSQL killed {given.rounds} times: {len(truth.copies)} copies, none lost or twice\n")


if __name__ == "__main__":
    main()
