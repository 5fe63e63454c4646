"""The issuer's database: :mod:`vc.io.database` with the tables of this version."""

from pathlib import Path
from typing import Self

from vc.io import database
from vc.io.database import CACHE, POOL, insert_into, insert_new, insert_rows, translated

__all__ = ["CACHE", "POOL", "Database", "insert_into", "insert_new", "insert_rows", "translated"]


class Database(database.Database):
    """The tables of :mod:`issuer.tables`, wherever they are. Use as a context manager."""

    @classmethod
    def open(cls, address: str | Path, *, batch: bool = False, cache: int = CACHE) -> Self:
        """The database at a path or a ``postgresql://`` URL, with the tables of this version.

        ``batch`` is for commands that read or write much at once: no statement is too slow, and each connection to a
        file may keep ``cache`` KiB of it. Raises :class:`Unsupported` for another kind of address or another version,
        :class:`Malformed` for what is not ours, :class:`Undetermined` where it cannot be reached.
        """
        from issuer.migrate import prepare  # noqa: PLC0415  (it needs this module)

        opened = cls.connect(address, batch=batch, cache=cache)
        try:
            prepare(opened)
        except BaseException:
            opened.close()
            raise
        return opened
