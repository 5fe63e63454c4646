"""A database of a service: a SQLite file, or PostgreSQL by its URL. One way to read, one way to write.

What a block of :meth:`Database.write` did is on disk when the block has ended (``synchronous=FULL``, or PostgreSQL's
own promise), or none of it is. Everything here blocks: a handler calls it in a thread.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, Self

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from vc.errors import Malformed, Undetermined, Unsupported, VcError

CACHE: Final = 1 << 17  # KiB at the most, in bulk: digests come in no order, and each has its place in an index
SMALL_CACHE: Final = 1 << 13  # KiB of each connection of a service
BUSY: Final = 10  # seconds to wait for whoever holds what is to be written, or for the server to answer at all
SLOW: Final = 30  # seconds that one statement of a service may take
POOL: Final = 16  # connections of one process: as many as a service has threads

_SCHEMES: Final = ("postgresql://", "postgres://")


class Database:
    """The tables of a service, wherever they are. Use as a context manager."""

    def __init__(self, engine: sa.Engine, name: str) -> None:
        self.engine = engine
        self.name = name  # for messages: no password in it
        self._turn = threading.Lock()  # among the threads that write to a file: SQLite itself lets them ask and sleep

    @classmethod
    def connect(cls, address: str | Path, *, batch: bool = False, cache: int = CACHE) -> Self:
        """The database at a path or a ``postgresql://`` URL as it is, whatever is in it.

        ``batch`` is for commands that read or write much at once: no statement is too slow, and each connection to a
        file may keep ``cache`` KiB of it. Raises :class:`Unsupported` for another kind of address.
        """
        if isinstance(address, Path):
            return cls(_sqlite(address, cache if batch else SMALL_CACHE), str(address))
        if address.startswith(_SCHEMES):
            return cls(_postgresql(address, batch=batch), "the database")
        raise Unsupported("database", "give a URL that begins with postgresql://")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connections."""
        self.engine.dispose()

    @property
    def is_sqlite(self) -> bool:
        """Whether this is a file."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that may write: all of it, or nothing. SQLite lets in one at a time.

        Raises :class:`Undetermined` where the database is busy, full or gone: nothing was lost.
        """
        with self._alone(), self.translating(), self.engine.connect() as connection:
            connection.execution_options(ouvrage_begin="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that only reads; in SQLite, as of one moment."""
        with self.translating(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self.is_sqlite:
            yield
        elif self._turn.acquire(timeout=BUSY):
            try:
                yield
            finally:
                self._turn.release()
        else:
            raise _in_use(self.name)

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Errors of the database inside the block leave it as ours."""
        try:
            yield
        except SQLAlchemyError as error:
            raise translated(error, self.name) from None


def insert_into(connection: sa.Connection, table: sa.Table | sa.TableClause) -> Any:
    """An INSERT that may say what to do where a row is there already, in the words of either database."""
    return _insert(connection.dialect.name, table)


def insert_new(connection: sa.Connection, table: sa.Table) -> Any:
    """An INSERT that leaves what is there already as it is; its ``rowcount`` says how many rows were new."""
    return _insert_new(connection.dialect.name, table)


@cache  # one for each table, not one for each use: to make a statement costs more than to run it
def _insert_new(dialect: str, table: sa.Table) -> Any:
    return _insert(dialect, table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def insert_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Put rows in that all have the same columns; those that are there already stay as they are. How many were new."""
    if connection.dialect.name != "sqlite":
        return int(connection.execute(insert_new(connection, table), rows).rowcount)
    # Straight to the driver: the rows hold texts and numbers only, and to look at each of them again costs as much as
    # to write it.
    names = tuple(rows[0])
    values = list(map(itemgetter(*names), rows))
    options = {"preserve_rowcount": True}
    return connection.exec_driver_sql(_insert_text(table, names), values, execution_options=options).rowcount


@cache
def _insert_text(table: sa.Table, names: tuple[str, ...]) -> str:
    made = _insert("sqlite", table).values(dict.fromkeys(names)).on_conflict_do_nothing()
    return str(made.compile(dialect=sqlite.dialect(), column_keys=names))


def _insert(dialect: str, table: sa.Table | sa.TableClause) -> Any:
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)


def _sqlite(path: Path, size: int) -> sa.Engine:
    # isolation_level None: this module says when a transaction begins
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY, "isolation_level": None, "check_same_thread": False},
        hide_parameters=True,
        pool_size=POOL,
        max_overflow=0,
        pool_timeout=BUSY,
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        with suppress(OSError):  # somebody else's file, that we may use
            path.chmod(0o600)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA cache_size=-{size}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # One that reads first and writes later could be refused half-way: it says from the start that it writes.
        connection.exec_driver_sql(connection.get_execution_options().get("ouvrage_begin", "BEGIN"))

    return engine


def _postgresql(address: str, *, batch: bool) -> sa.Engine:
    rest = address.partition("://")[2]
    settings = [f"lock_timeout={BUSY}s"]
    if batch:  # a table that grows a thousandfold in one transaction is not read as when it was small
        settings += ["plan_cache_mode=force_custom_plan"]
    else:
        settings += [f"statement_timeout={SLOW}s", f"idle_in_transaction_session_timeout={SLOW}s"]
    try:
        url = sa.make_url(f"postgresql+psycopg://{rest}")
        given = url.query.get("options", "")
        return sa.create_engine(
            url,
            # what the URL says stands last, and holds
            connect_args={"connect_timeout": BUSY, "options": f"-c {' -c '.join(settings)} {given}"},
            hide_parameters=True,
            pool_size=POOL,
            max_overflow=0,
            pool_timeout=BUSY,
            pool_pre_ping=True,  # after the server was started again, old connections are replaced
        )
    except ModuleNotFoundError:
        raise Unsupported("database", "PostgreSQL needs: pip install 'ouvrage[postgres]'") from None
    except (SQLAlchemyError, ValueError):
        raise Malformed("--database", "not the URL of a PostgreSQL database", code="BAD_STORE") from None


def translated(error: SQLAlchemyError, name: str) -> VcError:
    """An error of the database as ours: what the caller can do, and no row in the message."""
    raw = error.orig if isinstance(error, DBAPIError) else None
    code = getattr(raw, "sqlite_errorname", "") or getattr(raw, "sqlstate", "") or ""
    # 40: another transaction was first; 55P03: waited too long for a lock; 53300: the server takes no more connections
    if isinstance(error, PoolTimeout) or code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "40", "55P03", "53300")):
        return _in_use(name)
    if code.startswith(("SQLITE_FULL", "53100")):
        return Undetermined(f"no room left to write {name}", "free some space; nothing was lost", code="DISK_FULL")
    if code in ("57014", "25P03"):
        return Undetermined(f"{name} took too long to answer", "try again later; nothing was lost", code="STORE_SLOW")
    if not code.startswith("SQLITE") and (isinstance(error, OperationalError | InterfaceError) or _lost(error)):
        return Undetermined(f"{name} cannot be reached", "see that it runs, and try again", code="STORE_GONE")
    if isinstance(error, DataError):  # such as a NUL character, which PostgreSQL has no room for
        return Malformed("text", "holds what the database cannot keep", code="BAD_TEXT")
    return Malformed(name, f"not usable as this service's database ({code or type(error).__name__})", code="BAD_STORE")


def _in_use(name: str) -> Undetermined:
    return Undetermined(f"{name} is in use by another command", "try again when it has ended", code="STORE_BUSY")


def _lost(error: SQLAlchemyError) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated
