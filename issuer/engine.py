"""Where records are added up: an embedded database by default, which grows onto the disk instead of failing.

All that statements are made from is SQL over canonical relations; an :class:`Engine` is whatever can answer it.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import duckdb

from vc.errors import Malformed, Undetermined, Unsupported

THREADS: Final = 2
MEMORY: Final = "2GB"  # for the database; the whole process stays below 4
FETCHED: Final = 1000  # rows that are handed over at once

# Whatever a profile's SQL says: no file but the given ones, no network, no other limits. What does not fit in memory
# spills into the private folder. Python may stop a query; the database's own bar would write between our lines.
_CLOSED: Final = """
SET enable_progress_bar = false; SET preserve_insertion_order = false; SET TimeZone = 'UTC';
SET allowed_paths = [{paths}]; SET enable_external_access = false; SET lock_configuration = true"""


class Engine(Protocol):
    """What answers queries over the canonical relations."""

    def rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The result of one query (in the SQL of DuckDB), beside other queries, without holding all of it."""
        ...


@dataclass(frozen=True, slots=True)
class DuckDb:
    """The embedded database as an engine."""

    connection: duckdb.DuckDBPyConnection

    def rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        with translated():
            cursor = self.connection.cursor().execute(sql)
            fetched = cursor.fetchmany(FETCHED)
        while fetched:
            yield from fetched
            with translated():
                fetched = cursor.fetchmany(FETCHED)


@dataclass(frozen=True, slots=True)
class Database:
    """An empty database, and under which names it can read the ``files`` that it was opened for."""

    connection: duckdb.DuckDBPyConnection
    files: Mapping[Path, str]


@contextmanager
def database(files: Sequence[Path] = (), *, on_disk: bool = False, memory: str = MEMORY) -> Iterator[Database]:
    """A database in memory, or in a file. It can read ``files`` only, and leaves nothing behind.

    Its file and what it spills are in a folder that only this user can enter and that is gone at the end; where, the
    environment says (``TMPDIR``).
    """
    with _private_folder() as folder:
        # Links with names of our own: what a path holds (stars, brackets, a scheme) means something to the database.
        links = {path: folder / f"{number}.parquet" for number, path in enumerate(files)}
        for path, link in links.items():
            link.symlink_to(Path(os.path.realpath(path)))
        target = str(folder / "rows.duckdb") if on_disk else ":memory:"
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": THREADS,
            "memory_limit": memory,
            "temp_directory": str(folder / "spilled"),
        }
        with translated():
            connection = duckdb.connect(target, config=config)
        try:
            paths = ", ".join(literal(str(link)) for link in links.values())
            connection.execute(_CLOSED.format(paths=paths))
            yield Database(connection, {path: str(link) for path, link in links.items()})
        finally:
            connection.close()


@contextmanager
def _private_folder() -> Iterator[Path]:
    try:
        folder = tempfile.TemporaryDirectory(prefix="ouvrage-", ignore_cleanup_errors=True)  # mode 0700
    except OSError as error:
        raise Undetermined(
            f"no folder for temporary files: {error.strerror}", "set TMPDIR to one", code="CANNOT_WRITE"
        ) from None
    with folder as name:
        yield Path(name)


def run(
    connection: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    """Execute one SQL statement, and fetch all of its result."""
    with translated():
        require_one(connection, sql)
        return (connection.execute(sql, dict(values)) if values else connection.execute(sql)).fetchall()


def require_one(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """A profile's expression must not end our statement and begin one of its own: that could write to a file."""
    if len(connection.extract_statements(sql)) != 1:
        raise Malformed("profile", "holds more than one SQL statement in one place", code="BAD_SQL")


@contextmanager
def translated() -> Iterator[None]:
    """Raises :class:`Unsupported` beyond the memory limit, :class:`Malformed` where the profile's SQL is wrong."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise Unsupported("size of export", f"more than fits in {MEMORY} and on the disk", code="TOO_LARGE") from None
    except duckdb.IOException:
        what = f"the temporary folder {tempfile.gettempdir()} cannot be written"
        raise Undetermined(what, "free some space there, or set TMPDIR to another folder", code="DISK_FULL") from None
    except duckdb.Error as error:  # the only SQL that is not ours is the profile's
        raise Malformed("profile", str(error).partition("\n")[0], code="BAD_SQL") from None
    except RuntimeError as error:  # what the library makes of Ctrl-C
        if "interrupt" in str(error).lower():
            raise KeyboardInterrupt from None
        raise


def identifier(name: str) -> str:
    """``name`` as SQL spells a name."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """``text`` as SQL spells a text."""
    return "'" + text.replace("'", "''") + "'"
