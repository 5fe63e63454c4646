"""The verifier's database: one SQLite file in its folder, made where it is missing. What is deleted is overwritten."""

import sqlite3
from pathlib import Path
from typing import Any, Final, Self

import sqlalchemy as sa

from vc.errors import Unsupported
from vc.io import database
from verifier.tables import METADATA

FILE: Final = "verifier.db"
VERSION: Final = 1


class Database(database.Database):
    """The tables of :mod:`verifier.tables`. Use as a context manager."""

    @classmethod
    def open(cls, path: Path) -> Self:
        """The database at a path. Raises :class:`Unsupported` for one of another version, :class:`Malformed` for what
        is not ours, :class:`Undetermined` where it cannot be reached."""
        opened = cls.connect(path)
        sa.event.listen(opened.engine, "connect", _overwrite)
        try:
            opened._prepare()
        except BaseException:
            opened.close()
            raise
        return opened

    def _prepare(self) -> None:
        with self.write() as connection:
            found = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            if found not in (0, VERSION):
                raise Unsupported("database", f"{self.name} is of another version of this program")
            METADATA.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA user_version={VERSION}")

    def flush(self) -> None:
        """Empty the log beside the file, so that what was overwritten in the file is not in there either."""
        with self.translating(), self.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _overwrite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.execute("PRAGMA secure_delete=ON")
