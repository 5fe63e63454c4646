"""Engines that can be read: PostgreSQL, through Ibis and in Arrow batches, and a file of DuckDB.

They are only read, all tables as they were at one moment. Text has to compare by code points: where the engine would
do otherwise, ``collate`` says so in its SQL.
"""

# ruff: noqa: S608  (the SQL is ours)

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol

import duckdb

from issuer.engine import MEMORY, THREADS, database, identifier
from vc.errors import Undetermined, Unsupported, VcError

_BATCH: Final = 10_000  # rows that are handed over at once

Rows = Iterable[tuple[Any, ...]]


class Source(Protocol):
    """An open engine."""

    @property
    def collate(self) -> str:
        """What has to stand behind a text for it to compare by code points."""
        ...

    def tables(self) -> set[str]:
        """The tables and views that are found by their bare names."""
        ...

    def types(self, table: str) -> dict[str, str]:
        """The columns of a table with the first word of their type."""
        ...

    def batches(self, sql: str) -> Iterator[Rows]:
        """What a query (in the SQL of DuckDB) yields, some rows at a time."""
        ...


@contextmanager
def translated() -> Iterator[None]:
    """Raises :class:`Undetermined` for what goes wrong in the engine."""
    try:
        yield
    except VcError:
        raise
    except Exception as error:  # noqa: BLE001  (every driver has errors of its own)
        why = str(error).strip().partition("\n")[0][:200]
        raise Undetermined(
            f"the engine did not answer: {type(error).__name__}: {why}", "look at its log", code="ENGINE_FAILED"
        ) from None


class _DuckDb:
    collate = ""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def tables(self) -> set[str]:
        found = self._connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
            " AND table_catalog = current_catalog()"
        )
        return {name for (name,) in found.fetchall()}

    def types(self, table: str) -> dict[str, str]:
        found = self._connection.execute(f"DESCRIBE SELECT * FROM {identifier(table)}").fetchall()
        return {name: str(type_).partition("(")[0].lower() for name, type_, *_ in found}

    def batches(self, sql: str) -> Iterator[Rows]:
        cursor = self._connection.cursor().execute(sql)
        while batch := cursor.fetchmany(_BATCH):
            yield batch


@contextmanager
def _open_duckdb(url: str) -> Iterator[Source]:
    """Nobody else can write while the file is open; what does not fit in memory spills as it does for files."""
    path = Path(url.partition("://")[2])
    if not path.is_file():
        raise FileNotFoundError("there is no such file")
    with database() as private:
        ((folder,),) = private.connection.execute("SELECT current_setting('temp_directory')").fetchall()
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": THREADS,
            "memory_limit": MEMORY,
            "temp_directory": str(Path(folder) / "engine"),
        }
        with duckdb.connect(str(path), read_only=True, config=config) as connection:
            yield _DuckDb(connection)


_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "string": "varchar",
        "float32": "real",
        "float64": "double",
        "int8": "tinyint",
        "int16": "smallint",
        "int32": "integer",
        "int64": "bigint",
    }
)


class _Postgres:
    collate = ' COLLATE "C"'

    def __init__(self, connection: Any) -> None:  # an Ibis backend, which is not typed
        self._connection = connection

    def tables(self) -> set[str]:
        return set(self._connection.list_tables())

    def types(self, table: str) -> dict[str, str]:
        schema = self._connection.table(table).schema()
        words = {name: str(type_).removeprefix("!").partition("(")[0] for name, type_ in schema.items()}
        return {name: _WORDS.get(word, word) for name, word in words.items()}

    def batches(self, sql: str) -> Iterator[Rows]:
        import sqlglot  # noqa: PLC0415  (an extra)

        (text,) = sqlglot.transpile(sql, read="duckdb", write="postgres")
        # Left to itself, Ibis would make a view to learn the types, and nothing is to be written here.
        schema = {f"c{place}": type_ for place, type_ in enumerate(_types(self._connection, text))}
        expression = self._connection.sql(f"SELECT * FROM ({text}) AS found ({', '.join(schema)})", schema=schema)
        for batch in expression.to_pyarrow_batches(chunk_size=_BATCH):
            yield zip(*(column.to_pylist() for column in batch.columns), strict=True)


@contextmanager
def _open_postgres(url: str) -> Iterator[Source]:
    try:
        import ibis  # noqa: PLC0415  (an extra)
        import psycopg  # noqa: PLC0415
    except ImportError:
        raise Unsupported("--engine", "install it with: pip install 'ouvrage[engines]'", code="NO_EXTRA") from None
    connection = ibis.connect(url)
    try:
        connection.con.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.con.read_only = True
        with connection.con.transaction(force_rollback=True):
            yield _Postgres(connection)
    finally:
        connection.disconnect()


_EXACT: Final = "decimal(38, 6)"  # of sums, for which PostgreSQL names no size
_NUMERIC: Final = 1700
_TYPES: Final[Mapping[int, str]] = MappingProxyType(
    {
        16: "boolean",
        20: "int64",
        21: "int64",
        23: "int64",
        25: "string",
        1043: "string",
        1082: "date",
        1016: "array<int64>",
        1231: f"array<{_EXACT}>",
    }
)


def _types(connection: Any, text: str) -> list[str]:
    """The types of what a query yields, in Ibis's words, learnt without running it."""
    with connection.con.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({text}) AS found LIMIT 0")
        return [_type(column) for column in cursor.description]


def _type(column: Any) -> str:
    if column.type_code == _NUMERIC:
        return f"decimal({column.precision}, {column.scale})" if column.precision else _EXACT
    found = _TYPES.get(column.type_code)
    if found is None:
        raise Unsupported("type of a result", f"{column.name} (type {column.type_code} of PostgreSQL)")
    return found


Opener = Callable[[str], AbstractContextManager[Source]]
# Those that are tested: elsewhere, text and numbers may compare and add up otherwise.
OPENERS: Final[Mapping[str, Opener]] = MappingProxyType(
    {"postgresql": _open_postgres, "postgres": _open_postgres, "duckdb": _open_duckdb}
)
