"""Both databases, for tests of anything with a state: a SQLite file, and a PostgreSQL that the tests start."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from issuer.bulk import Columns
from issuer.claims import Run
from issuer.database import Database
from issuer.formats import Format
from issuer.store import Store
from issuer.tables import METADATA
from issuer.wanted import Wanted
from tests.engines import postgres
from tests.line import AT
from tests.work_samples import CLAIMS
from vc.model import format_date_time
from work.statement import Statement

SAMPLED: Final = ("PlatformMembership", "WorkHistory", "Earnings", "Rating")
BOTH: Final = ("sqlite", "postgresql")

_numbers = count()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL for all tests of this process; the tests are skipped where its wheel is missing."""
    psycopg = pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    with postgres() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            # No power fails during a test: waiting for the disk shows nothing.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield url


@contextmanager
def new_postgres_database(server: str, template: str | None = None) -> Iterator[str]:
    """The URL of a new database of the server, gone at the end of the block."""
    psycopg = pytest.importorskip("psycopg")
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        yield database_url(server, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def database_url(server: str, name: str) -> str:
    """The URL of another database of the same server."""
    address, question, query = server.partition("?")
    return f"{address.rpartition('/')[0]}/{name}{question}{query}"


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """The name of a database with our tables, to make others from."""
    with new_postgres_database(postgres_server) as url:
        Database.open(url).close()
        yield url.partition("?")[0].rpartition("/")[2]


@pytest.fixture(scope="session")
def postgres_database(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """The URL of a database that one test after the other has: to make one for each costs half a second."""
    with new_postgres_database(postgres_server, postgres_template) as url:
        yield url


def empty(url: str) -> None:
    """Make a database as if it were new, whatever a test has left in it or is still doing with it."""
    import psycopg  # noqa: PLC0415  (an extra)

    with psycopg.connect(url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        for table in METADATA.tables:
            large = connection.execute("SELECT pg_relation_size(%s::regclass) > 1000000", (table,)).fetchone()
            # Emptying a small one row by row takes a tenth of the time.
            connection.execute(f'TRUNCATE "{table}"' if large == (True,) else f'DELETE FROM "{table}"')
        connection.execute("SELECT setval(pg_get_serial_sequence('event', 'id'), 1, false)")


@pytest.fixture(params=BOTH)
def database_address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    """Where a database with our tables and nothing in them is: a file, or the URL of a PostgreSQL."""
    if request.param == "sqlite":
        yield tmp_path / "issuer.db"
        return
    url = request.getfixturevalue("postgres_database")
    yield url
    empty(url)


@pytest.fixture
def database(database_address: Path | str) -> Iterator[Database]:
    """A database with our tables and nothing in them; the test runs once with each kind."""
    with Database.open(database_address) as opened:
        yield opened


def sample_statements(database: Database, worker: str = "worker-1") -> tuple[Statement, ...]:
    """Put a few statements about a worker into the database: membership, work, pay and rating."""
    made = tuple(Statement(kind, worker, CLAIMS[kind]) for kind in SAMPLED)
    Store(database).add_statements(made, source="test")
    return made


def sample_copies(
    database: Database, work: Callable[[Columns], Columns] | None = None, *, at: datetime = AT, days: int = 30
) -> int:
    """Put a bbs-2023 copy of every statement that has no valid one into the database; how many. By default their
    bodies are random and nothing is signed."""
    wanted = Wanted(at, (Format.BBS,))
    with Run.start(database) as run:
        batches = run.claimed(wanted, lambda _connection, _datasets: ())
        return sum(
            run.record(
                given, (work or partial(random_copies, until=at + timedelta(days)))(given), wanted, int(at.timestamp())
            )
            for given in batches
        )


def random_copies(given: Columns, until: datetime) -> Columns:
    """What signing a batch would give, but for the signatures."""
    count = len(given["digest"])
    return {
        **{name: given[name] for name in ("digest", "holder", "format")},
        "valid_until": [format_date_time(until)] * count,
        "key": ["did:example:key#1"] * count,
        "body": [os.urandom(16).hex() for _ in range(count)],
        "code": [None] * count,
        "error": [None] * count,
    }
