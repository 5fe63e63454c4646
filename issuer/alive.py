"""How one bulk run knows that another is alive: by a lock that ends with it, whatever ends it."""

import fcntl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from issuer.database import Database


class Lock(Protocol):
    """How a run shows that it is alive."""

    def held(self, number: int) -> AbstractContextManager[None]:
        """Hold the lock of a run."""

    def is_free(self, number: int) -> bool:
        """Whether nobody holds the lock of a run any more."""


class FileLock:
    """For SQLite: a locked file beside the database, which is on one machine as all who use it."""

    def __init__(self, database: Database) -> None:
        self._path = str(database.engine.url.database)

    def _file(self, number: int) -> Path:
        return Path(f"{self._path}-run-{number:x}")

    @contextmanager
    def held(self, number: int) -> Iterator[None]:
        """Hold the lock of a run."""
        path = self._file(number)
        with path.open("xb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                path.unlink(missing_ok=True)

    def is_free(self, number: int) -> bool:
        """Whether nobody holds the lock of a run any more; its file is gone then."""
        path = self._file(number)
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return True
        except BlockingIOError:
            return False
        path.unlink(missing_ok=True)
        return True


class AdvisoryLock:
    """For PostgreSQL: a lock of the session, which ends with it."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    @contextmanager
    def held(self, number: int) -> Iterator[None]:
        """Hold the lock of a run; the connection is thrown away after it."""
        with self._connection.begin():
            self._connection.execute(sa.select(sa.func.pg_advisory_lock(number)))
        yield

    def is_free(self, number: int) -> bool:
        """Whether nobody holds the lock of a run any more."""
        return bool(self._connection.execute(sa.select(sa.func.pg_try_advisory_xact_lock(number))).scalar_one())
