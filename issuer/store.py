"""The issuer's state: one SQLite file with statements, the workers' public keys and the credentials that were signed.

What a method reports as done is on disk when it returns (``synchronous=FULL``); a process killed at any instant leaves
the last whole transaction.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from vc.canon import parse_object
from vc.errors import Malformed, Undetermined
from vc.model import format_date_time
from work.statement import Statement

FORMAT: Final = 2
CACHE: Final = 1 << 17  # KiB at the most: digests come in no order, and each has its place in an index
MAX_KEYS: Final = 100  # single-use copies of one statement: each costs a signature

_SCHEMA: Final = """
CREATE TABLE statement (
    digest TEXT PRIMARY KEY, source TEXT NOT NULL, worker TEXT NOT NULL, type TEXT NOT NULL, topic TEXT NOT NULL,
    body TEXT NOT NULL, UNIQUE (source, worker, type, topic)) STRICT;
CREATE TABLE holder_key (
    worker TEXT NOT NULL, position INTEGER NOT NULL, did TEXT NOT NULL UNIQUE, PRIMARY KEY (worker, position)) STRICT;
CREATE TABLE credential (
    digest TEXT NOT NULL, holder TEXT NOT NULL, valid_until TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (digest, holder)) STRICT, WITHOUT ROWID;
CREATE INDEX statement_by_worker ON statement (worker);
"""

# Each statement with each key of its worker, or once without a key: the copies that should exist.
_COPIES: Final = """
SELECT s.digest, s.body, k.did AS holder FROM statement s JOIN holder_key k ON k.worker = s.worker AND s.worker <> ''
UNION ALL
SELECT s.digest, s.body, '' FROM statement s
WHERE NOT EXISTS (SELECT 1 FROM holder_key k WHERE k.worker = s.worker)
"""

_PENDING: Final = f"""
SELECT c.digest, c.body, c.holder FROM ({_COPIES}) c
WHERE NOT EXISTS (SELECT 1 FROM credential d
                  WHERE d.digest = c.digest AND d.holder = c.holder AND d.valid_until >= :at)
"""  # noqa: S608  (a constant of this module)


@dataclass(frozen=True, slots=True)
class Job:
    """One copy to sign: a statement and the key of the worker that it is bound to, or an empty text."""

    statement: Statement
    digest: str
    holder: str


@dataclass(frozen=True, slots=True)
class Signed:
    """One copy that was signed."""

    digest: str
    holder: str
    valid_until: datetime
    body: str


@dataclass(frozen=True, slots=True)
class Added:
    """What an attestation changed."""

    new: int
    replaced: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Crowds:
    """Workers by what their statements of one type have in common.

    ``below`` workers are in a crowd of fewer than k; ``examples`` are the smallest crowds with their values.
    """

    workers: int
    combinations: int
    smallest: int
    below: int
    examples: tuple[tuple[Mapping[str, str], int], ...]


class Store:
    """The issuer's database. Use as a context manager."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the database at ``path``, made new where there is none.

        Raises :class:`Malformed` for a file that is not ours, :class:`Undetermined` where another process holds it.
        """
        try:
            connection = sqlite3.connect(path, isolation_level=None, timeout=10)
            path.chmod(0o600)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA cache_size=-{CACHE}")
            _prepare(connection, path)
        except sqlite3.Error as error:
            raise _translated(error, path) from None
        return cls(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def add_statements(self, statements: Iterable[Statement], *, source: str) -> Added:
        """Keep the statements of one attestation of ``source``; a newer one takes the place of its predecessor."""
        new = replaced = unchanged = 0
        with self._transaction() as cursor:
            for statement in statements:
                digest = statement.digest()
                # A newer statement replaces one on the same topic; income in two currencies is two topics.
                topic = (source, statement.worker, statement.type, statement.topic())
                row = cursor.execute(
                    "SELECT digest FROM statement WHERE source = ? AND worker = ? AND type = ? AND topic = ?", topic
                ).fetchone()
                if row and row[0] == digest:
                    unchanged += 1
                    continue
                replaced, new = (replaced + 1, new) if row else (replaced, new + 1)
                body = json.dumps(statement.to_json(), ensure_ascii=False, separators=(",", ":"))
                cursor.execute("INSERT OR REPLACE INTO statement VALUES (?, ?, ?, ?, ?, ?)", (digest, *topic, body))
        return Added(new, replaced, unchanged)

    def register_keys(self, worker: str, dids: Sequence[str]) -> int:
        """Keep the public keys that a worker's wallet made; the number that were new.

        Raises :class:`Malformed` for an unknown worker, too many keys, or a key of another worker.
        """
        with self._transaction() as cursor:
            if not cursor.execute("SELECT 1 FROM statement WHERE worker = ?", (worker,)).fetchone():
                raise Malformed("--worker", f"no statement is about {worker[:80]!r}", code="UNKNOWN_WORKER")
            owners = {
                did: cursor.execute("SELECT worker FROM holder_key WHERE did = ?", (did,)).fetchone() for did in dids
            }
            if any(owner and owner[0] != worker for owner in owners.values()):
                raise Malformed("--keys", "one of these keys belongs to another worker", code="KEY_TAKEN")
            fresh = [did for did, owner in owners.items() if owner is None]
            (held,) = cursor.execute("SELECT count(*) FROM holder_key WHERE worker = ?", (worker,)).fetchone()
            if held + len(fresh) > MAX_KEYS:
                raise Malformed("--keys", f"more than {MAX_KEYS} keys for one worker", code="TOO_MANY_KEYS")
            cursor.executemany(
                "INSERT INTO holder_key VALUES (?, ?, ?)",
                [(worker, held + number, did) for number, did in enumerate(fresh)],
            )
        return len(fresh)

    def pending(self, at: datetime, *, worker: str | None = None) -> tuple[int, Iterator[Job]]:
        """How many copies have no valid credential at ``at``, and these copies."""
        query, values = _PENDING, {"at": format_date_time(at)}
        if self._connection.execute("SELECT 1 FROM temp.sqlite_schema WHERE name = 'left_out'").fetchone():
            query += " AND c.digest NOT IN (SELECT digest FROM left_out)"
        if worker is not None:
            query += " AND c.digest IN (SELECT digest FROM statement WHERE worker = :worker)"
            values["worker"] = worker
        (count,) = self._connection.execute(f"SELECT count(*) FROM ({query})", values).fetchone()  # noqa: S608
        # Read whole before anything is written: a cursor must not see the rows that signing adds.
        rows = self._connection.execute(query, values).fetchall()
        return count, (
            Job(Statement.parse(parse_object(body.encode())), digest, holder) for digest, body, holder in rows
        )

    def record(self, signed: Sequence[Signed]) -> None:
        """Keep credentials that were signed; when this returns they are on disk."""
        with self._transaction() as cursor:
            cursor.executemany(
                "INSERT OR REPLACE INTO credential VALUES (?, ?, ?, ?)",
                [(one.digest, one.holder, format_date_time(one.valid_until), one.body) for one in signed],
            )

    def credentials(self, worker: str, at: datetime) -> list[str]:
        """The valid credentials about ``worker`` as JSON texts: copies for its keys, or the unbound one."""
        query = f"""SELECT d.body FROM ({_COPIES}) c JOIN statement s ON s.digest = c.digest
                    JOIN credential d ON d.digest = c.digest AND d.holder = c.holder
                    LEFT JOIN holder_key k ON k.did = c.holder
                    WHERE s.worker = ? AND d.valid_until >= ? ORDER BY s.type, s.source, k.position"""  # noqa: S608
        return [body for (body,) in self._connection.execute(query, (worker, format_date_time(at)))]

    def summary(self, at: datetime) -> dict[str, dict[str, int]]:
        """By type of statement: how many there are, and how many valid credentials."""
        rows = self._connection.execute(
            """SELECT s.type, count(DISTINCT s.digest), count(d.digest), count(nullif(d.holder, ''))
               FROM statement s LEFT JOIN credential d ON d.digest = s.digest AND d.valid_until >= ?
               GROUP BY s.type ORDER BY s.type""",
            (format_date_time(at),),
        )
        return {
            name: {"statements": statements, "credentials": credentials, "boundToKeys": bound}
            for name, statements, credentials, bound in rows
        }

    def types(self, *, worker: str | None = None) -> list[str]:
        """The types of statements that are here, or that are here about one worker."""
        query = "SELECT DISTINCT type FROM statement WHERE worker = coalesce(?, worker) ORDER BY type"
        return [name for (name,) in self._connection.execute(query, (worker,))]

    def statements(self, kind: str | None = None, *, worker: str | None = None) -> Iterator[Statement]:
        """The statements of a type, or about a worker, or all."""
        rows = self._connection.execute(
            """SELECT body FROM statement WHERE type = coalesce(:kind, type) AND worker = coalesce(:worker, worker)
               ORDER BY type, source, worker, digest""",
            {"kind": kind, "worker": worker},
        )
        return (Statement.parse(parse_object(body.encode())) for (body,) in rows)

    def crowds(self, kind: str, claims: Sequence[str], *, k: int, most: int, worker: str | None = None) -> Crowds:
        """How the workers of a type fall into groups that agree in ``claims``; the ``most`` smallest below ``k``.

        With ``worker``, only the groups that this worker is in.
        """
        groups = _groups(claims)
        parameters = {"kind": kind, "k": k, "most": most, "worker": worker}
        ((workers, combinations, smallest, below),) = self._connection.execute(
            f"""SELECT (SELECT count(DISTINCT worker) FROM statement WHERE type = :kind), count(*),
                       coalesce(min(size), 0), coalesce(sum(size) FILTER (WHERE size < :k), 0)
                FROM ({groups})""",  # noqa: S608
            parameters,
        )
        fewest = self._connection.execute(
            f"SELECT * FROM ({groups}) WHERE size < :k ORDER BY size LIMIT :most",  # noqa: S608
            parameters,
        )
        examples = tuple((dict(zip(claims, map(str, values), strict=False)), size) for size, *values in fewest)
        return Crowds(workers, combinations, smallest, below, examples)

    def leave_out_few(self, kind: str, claims: Sequence[str], *, k: int, worker: str | None = None) -> int:
        """Let :meth:`pending` pass over statements of a type (about one worker, or all) that fewer than ``k`` workers
        have the like of; how many."""
        alike = " AND ".join(f"{_claim(name)} = few.c{at}" for at, name in enumerate(claims)) or "TRUE"
        self._connection.execute("CREATE TEMP TABLE IF NOT EXISTS left_out (digest TEXT PRIMARY KEY) WITHOUT ROWID")
        return self._connection.execute(
            f"""INSERT OR IGNORE INTO left_out
                SELECT digest FROM statement JOIN (SELECT * FROM ({_groups(claims)}) WHERE size < :k) few
                ON type = :kind AND worker = coalesce(:only, worker) AND {alike}""",  # noqa: S608
            {"kind": kind, "k": k, "worker": None, "only": worker},
        ).rowcount

    def workers(self, limit: int) -> list[tuple[str, int]]:
        """The first ``limit`` workers by name, with the number of statements about each."""
        return self._connection.execute(
            "SELECT worker, count(*) FROM statement WHERE worker <> '' GROUP BY worker ORDER BY worker LIMIT ?",
            (limit,),
        ).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Cursor]:
        cursor = self._connection.cursor()
        try:
            cursor.execute("BEGIN IMMEDIATE")
            yield cursor
            cursor.execute("COMMIT")
        except sqlite3.Error as error:
            raise _translated(error, Path("the issuer's database")) from None
        finally:
            if self._connection.in_transaction:
                self._connection.rollback()


def _groups(claims: Sequence[str]) -> str:
    """SQL: the workers of a type that agree in ``claims`` (all of them, or only those around one worker)."""
    shared = ", ".join(f"{_claim(name)} AS c{at}" for at, name in enumerate(claims)) or "1 AS c0"
    places = ", ".join(map(str, range(2, 2 + max(1, len(claims)))))
    return f"""SELECT count(DISTINCT worker) AS size, {shared} FROM statement WHERE type = :kind GROUP BY {places}
               HAVING :worker IS NULL OR count(*) FILTER (WHERE worker = :worker)"""  # noqa: S608


def _claim(name: str) -> str:
    return f"json_extract(body, '$.claims.{name}')"


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if version == 0 and tables == 0:
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version={FORMAT}; COMMIT;")
    elif version != FORMAT:
        raise Malformed(str(path), f"not an issuer's database of format {FORMAT}", code="BAD_STORE")


def _translated(error: sqlite3.Error, path: Path) -> Malformed | Undetermined:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Undetermined(f"{path} is in use by another command", "try again when it has ended", code="STORE_BUSY")
    if name.startswith("SQLITE_FULL"):
        return Undetermined(f"no room left to write {path}", "free some space; nothing was lost", code="DISK_FULL")
    return Malformed(
        str(path), f"not usable as the issuer's database ({name or type(error).__name__})", code="BAD_STORE"
    )
