"""The SQLite file under a vault. Who wrote it is not known, so nothing in it is believed before it is checked.

The schema must be ours to the letter, each row is bounded, and every error of SQLite becomes one of ours here.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from vc.errors import Malformed, Undetermined, Unsupported, VcError
from wallet.sealing import FORMAT, KINDS, OLDEST, OPENER, Slot

MAX_ROW: Final = 16 << 20  # bytes that one row may claim: the largest manifest and the largest item are below
_MAX_SCHEMA_STEPS: Final = 10_000  # SQLite's own steps to read the schema; ours takes some dozens
_APPLICATION_ID: Final = 0x4F757677  # "Ouvw" in the file's header

_SCHEMA: Final = (
    (
        "CREATE TABLE slot (kind TEXT PRIMARY KEY, salt BLOB NOT NULL, ops INTEGER NOT NULL, mem INTEGER NOT NULL,"
        " sealed BLOB NOT NULL, checksum BLOB NOT NULL) WITHOUT ROWID"
    ),
    "CREATE TABLE item (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID",  # no rowid: it would tell the order
    "CREATE TABLE manifest (one INTEGER PRIMARY KEY CHECK (one = 1), sealed BLOB NOT NULL)",
)
_SETTINGS: Final = (
    "PRAGMA synchronous = EXTRA",  # FULL, and the journal's removal is on the disk before a change is reported done
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",  # a crafted page is an error before it is read
)


def require_file(path: Path) -> None:
    """SQLite would wait for ever at a pipe, and take an empty file for an empty database."""
    try:
        if not path.exists():
            raise Malformed(str(path), "there is no vault", code="NO_VAULT")
        if not path.is_file() or path.stat().st_size == 0:
            raise Malformed(str(path), "is not a vault", code="NOT_A_VAULT")
    except (OSError, ValueError) as error:
        raise Malformed(str(path), f"cannot be read: {error}", code="NO_VAULT") from None


def connect(path: Path, patience: float) -> sqlite3.Connection:
    """A connection to a vault that is there, with bounds; ``patience``: seconds to wait for other programs."""
    db = _connected(path, patience)
    try:
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_ROW)
        _check_format(db, path)
        for setting in _SETTINGS:
            run(db, path, setting)
    except BaseException:
        db.close()
        raise
    return db


def _connected(path: Path, patience: float) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=rw"  # never makes a file
    try:
        # One thread at a time uses a vault (its lock sees to it), and it need not be the same one.
        return sqlite3.connect(uri, uri=True, timeout=patience, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise _translated(error, path) from None


def _check_format(db: sqlite3.Connection, path: Path) -> None:
    """The header says a format that we read, and the schema is ours to the letter: no trigger, no view, no more."""
    if run(db, path, "PRAGMA application_id") != [(_APPLICATION_ID,)]:  # from the header: nothing else is read yet
        raise Malformed(str(path), "is not a vault", code="NOT_A_VAULT")
    ((version,),) = run(db, path, "PRAGMA user_version")
    if version > FORMAT:
        raise Unsupported("vault format, made by a newer program: update this one", str(version), code="VAULT_NEWER")
    db.set_progress_handler(lambda: 1, _MAX_SCHEMA_STEPS)
    schema = run(db, path, "SELECT sql FROM sqlite_master ORDER BY rowid LIMIT 10")
    db.set_progress_handler(None, 0)
    if version < OLDEST or schema != [(statement,) for statement in _SCHEMA]:
        raise damaged(path, "its tables are not those of a vault")
    if run(db, path, "PRAGMA journal_mode = DELETE") != [("delete",)]:
        raise damaged(path, "its journal is not that of a vault")


def build(
    path: Path, slots: Sequence[Slot], rows: Iterable[tuple[bytes, bytes]], manifest: Callable[[], bytes]
) -> None:
    """Fill an empty file of ours. Nobody else knows it yet and it is given up on failure, so it needs no journal.

    ``manifest`` is asked for last: it lists the ``rows`` of items.
    """
    db = _connected(path, patience=0)
    try:
        for setting in ("PRAGMA journal_mode = MEMORY", *_SETTINGS, "BEGIN"):
            run(db, path, setting)
        run(db, path, f"PRAGMA application_id = {_APPLICATION_ID}")
        run(db, path, f"PRAGMA user_version = {FORMAT}")
        for statement in _SCHEMA:
            run(db, path, statement)
        write_slots(db, path, slots)
        for row in rows:
            run(db, path, "INSERT INTO item VALUES (?, ?)", *row)
        run(db, path, "INSERT INTO manifest VALUES (1, ?)", manifest())
        run(db, path, "COMMIT")
    finally:
        db.close()


def read_slots(db: sqlite3.Connection, path: Path) -> dict[str, Slot]:
    """The key slots, by their kinds; that of the passphrase is among them. :class:`Malformed` ``VAULT_DAMAGED``."""
    rows = run(db, path, "SELECT kind, salt, ops, mem, sealed, checksum FROM slot LIMIT ?", len(KINDS) + 1)
    slots = {slot.kind: slot for slot in (Slot.parse(row, where=str(path)) for row in rows)}
    if OPENER not in slots or not slots.keys() <= set(KINDS):
        raise damaged(path, "its key slot is missing")
    return slots


def write_slots(db: sqlite3.Connection, path: Path, slots: Iterable[Slot]) -> None:
    """These key slots in the place of all that are there."""
    run(db, path, "DELETE FROM slot")
    for slot in slots:
        run(db, path, "INSERT INTO slot VALUES (?, ?, ?, ?, ?, ?)", *slot.row())


def run(db: sqlite3.Connection, path: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """All rows of one statement; SQLite's errors as :class:`Malformed` or :class:`Undetermined`, sorted by remedy."""
    try:
        return db.execute(statement, values).fetchall()
    except sqlite3.ProgrammingError as error:
        if "closed" not in str(error):  # a mistake of ours, not of the file
            raise
        raise Undetermined("the wallet was locked meanwhile", "open it again", code="VAULT_CLOSED") from None
    except sqlite3.Error as error:
        raise _translated(error, path) from None
    except UnicodeDecodeError:  # Python's, for a text or a message of SQLite's that quotes the file
        raise damaged(path, "a text in it is none") from None


def _translated(error: sqlite3.Error, path: Path) -> VcError:
    match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF:  # the low byte is the primary code
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Undetermined(f"{path}: another program is using the vault", "close it, try again", code="VAULT_BUSY")
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN:
            return Undetermined(f"{path}: {error}", "check free space and permissions", code="VAULT_UNAVAILABLE")
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_INTERRUPT:  # interrupted: a schema without end
            return Malformed(str(path), "is not a vault", code="NOT_A_VAULT")
    return damaged(path, str(error))


def damaged(path: Path, why: str) -> Malformed:
    """The error for a vault that is one, but not as we left it."""
    return Malformed(str(path), f"the vault is damaged: {why}", code="VAULT_DAMAGED")
