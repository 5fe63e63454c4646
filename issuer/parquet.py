"""Parquet files: a platform's own table, dumped. The database itself reads them, a slice of rows at a time.

Whatever type a column has, it becomes text first and then goes through the same SQL of the profile as a CSV file's.
"""

# ruff: noqa: S608  (names of columns are quoted; the path is a parameter)

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import duckdb

from issuer.engine import Database, identifier, literal, require_one, translated
from issuer.exports import open_export
from issuer.looks import MAX_COLUMNS, find_table
from issuer.profile import FileKind, Profile
from issuer.records import insert_sql, raw_name
from vc.errors import Malformed, Unsupported, VcError

SLICE: Final = 1_000_000  # rows that are read by one statement
MAX_ROWS: Final = 1 << 40
_MAGIC: Final = b"PAR1"
_SPACE: Final = "".join(character for character in map(chr, range(0x3001)) if character.isspace())
# What begins and ends with a visible character and has no separator in it needs no cleaning; that is nearly all.
_CLEAN: Final = r"(?s)[!-~]([^\x1f]*[!-~])?"
_SIMPLE: Final = ("STRUCT", "MAP", "UNION", "LIST", "ARRAY", "VARIANT", "INTERVAL", "BIT")


@dataclass(frozen=True, slots=True)
class Table:
    """A Parquet file that fits a ``kind``. ``columns`` maps the kind's columns to the file's, with their types."""

    path: Path
    link: str
    kind: FileKind
    columns: Mapping[str, tuple[str, str]]
    rows: int

    @property
    def asks_worker(self) -> bool:
        """Whether this file does not say who its rows are about."""
        named = self.kind.sources(self.kind.columns["worker"])
        return self.kind.asks_worker and self.columns.keys().isdisjoint(named)


def is_parquet(stream: BinaryIO, path: Path) -> bool:
    """By its first bytes, which are read. Raises :class:`Malformed` for what only its name says to be Parquet."""
    start = stream.read(len(_MAGIC))
    stream.seek(0)
    if start == b"PARE":
        raise Malformed(str(path), "is encrypted Parquet: write it without encryption", code="NOT_PARQUET")
    if start != _MAGIC and path.suffix.lower() in {".parquet", ".pq"}:
        raise Malformed(str(path), "is not a Parquet file, in spite of its name", code="NOT_PARQUET")
    return start == _MAGIC


def parquet_files(paths: Sequence[Path]) -> list[Path]:
    """Those of the files that are Parquet. What is wrong with a file is told when its turn comes."""
    found: list[Path] = []
    for path in paths:
        with suppress(VcError), open_export(path) as stream:
            if is_parquet(stream, path):
                found.append(path)
    return found


def open_table(database: Database, path: Path, profile: Profile) -> Table | None:
    """How to read a Parquet file; nothing where it has no rows. Raises :class:`Malformed`, naming the file."""
    link = database.files.get(path)
    if link is None:
        raise Malformed(str(path), "changed while it was read", code="NOT_PARQUET")
    with _named(path):
        described = database.connection.execute(f"DESCRIBE SELECT * FROM {_read()}", {"path": link}).fetchall()
        counted = database.connection.execute("SELECT num_rows FROM parquet_file_metadata($path)", {"path": link})
        ((rows,),) = counted.fetchall()
    types = {str(name): str(type_) for name, type_, *_ in described}
    if len(types) > MAX_COLUMNS:
        raise Malformed(str(path), f"more than {MAX_COLUMNS} columns", code="TOO_LARGE")
    if not 0 <= rows <= MAX_ROWS:
        raise Malformed(str(path), f"claims to have {rows} rows", code="NOT_PARQUET")
    names = list(types)
    kind, places = find_table(names, path, profile)
    if kind.unfold:
        raise Malformed(str(path), "rows of such a file are several in one: write it as CSV", code="NOT_PARQUET")
    columns = {column: (names[place], types[names[place]]) for column, place in places.items()}
    for column, (_, type_) in columns.items():
        if type_.endswith("]") or type_.startswith(_SIMPLE):
            raise Malformed(str(path), f"column {column!r} is nested ({type_[:40]}): one value a row is needed")
    return Table(path, link, kind, columns, rows) if rows else None


def read_slices(
    connection: duckdb.DuckDBPyConnection, table: Table, place: int, *, file: int, said: Mapping[str, str | None]
) -> Iterator[int]:
    """Read the rows into the table of their kind; how many so far, after each slice.

    ``said`` is what the file does not say: the worker, the zone, the day, the order of dates.
    """
    sql = insert_sql(table.kind, place, _given(table), table.columns)
    with translated():
        require_one(connection, sql)
    told = {name: value for name, value in said.items() if f"${name}" in sql}
    values = {"path": table.link, "file": file, **told}
    for first in range(0, table.rows, SLICE):
        with _named(table.path):
            slice_ = {"first": first, "last": first + SLICE - 1}
            ((read,),) = connection.execute(sql, {**values, **slice_}).fetchall()
        if read != min(SLICE, table.rows - first):
            raise Malformed(str(table.path), f"claims {table.rows} rows and has {first + read}", code="NOT_PARQUET")
        yield first + read


def _given(table: Table) -> str:
    columns = ", ".join(
        f"{_text(identifier(name), type_)} AS {raw_name(table.kind, column)}"
        for column, (name, type_) in table.columns.items()
    )
    return f"""SELECT file_row_number + 1 AS ouvrage_line, {columns} FROM {_read(", file_row_number = true")}
               WHERE file_row_number BETWEEN $first AND $last"""


def _read(more: str = "") -> str:
    return f"read_parquet($path, binary_as_string = true, hive_partitioning = false{more})"


def _text(column: str, type_: str) -> str:
    """A column as text, cleaned as the values of a CSV file are."""
    if type_ != "VARCHAR":
        return f"CAST({column} AS VARCHAR)"
    cleaned = f"trim(replace({column}, chr(31), ' '), {literal(_SPACE)})"
    return f"CASE WHEN regexp_full_match({column}, '{_CLEAN}') THEN {column} ELSE {cleaned} END"


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """What the database says about a file that it cannot read, as an error that names the file."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise Unsupported("Parquet file", f"{path}: a part of it does not fit in memory", code="TOO_LARGE") from None
    except (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException) as error:
        raise Malformed("profile", str(error).partition("\n")[0], code="BAD_SQL") from None
    except (duckdb.Error, UnicodeDecodeError) as error:
        why = str(error).partition("\n")[0][:200]
        raise Malformed(str(path), f"is not readable as Parquet: {why}", code="NOT_PARQUET") from None
