"""The issuer's statements, the workers' public keys and the copies that were signed in bulk, in its database.

What a method reports as done is on disk when it returns; a process killed at any instant leaves the last whole
transaction.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final, Self

import sqlalchemy as sa

from issuer.crowds import Crowds, count_crowds
from issuer.database import CACHE, Database
from issuer.formats import Format
from issuer.tables import CREDENTIAL, HOLDER_KEY, STATEMENT
from vc.canon import parse_object
from vc.errors import Malformed
from vc.model import format_date_time
from work.statement import Statement

MAX_KEYS: Final = 100  # single-use copies of one statement: each costs a signature
BATCH: Final = 1000  # statements that are compared with the database at once
PAGE: Final = 1000  # statements that are read at once

# Each statement with each key of its worker, or once without a key: the copies that should exist.
_COPIES: Final = STATEMENT.outerjoin(
    HOLDER_KEY, sa.and_(HOLDER_KEY.c.worker == STATEMENT.c.worker, STATEMENT.c.worker != "")
)
_HOLDER: Final = sa.func.coalesce(HOLDER_KEY.c.did, "")

# The rows on the topics of a batch, and those that say the same from another source. The batch is a JSON list of
# [worker, type, topic, digest]: one value, whatever its length, for both databases.
_KNOWN: Final = """
WITH given AS (SELECT value ->> 0 AS worker, value ->> 1 AS type, value ->> 2 AS topic, value ->> 3 AS digest
               FROM {each}(CAST(:batch AS {json})))
SELECT s.digest, s.source, s.worker, s.type, s.topic FROM given g JOIN statement s
ON s.source = :source AND s.worker = g.worker AND s.type = g.type AND s.topic = g.topic
UNION SELECT s.digest, s.source, s.worker, s.type, s.topic FROM given g JOIN statement s ON s.digest = g.digest
"""
_KNOWN_HERE: Final = {
    "sqlite": sa.text(_KNOWN.format(each="json_each", json="TEXT")),
    "postgresql": sa.text(_KNOWN.format(each="json_array_elements", json="JSON")),
}

# In the driver's own SQL: an attestation states hundreds of thousands. PostgreSQL is faster with one list a column.
_COLUMNS: Final = ", ".join(column.name for column in STATEMENT.c)
_INSERT: Final = f"INSERT INTO statement ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608  (our own names)
_LISTS: Final = ", ".join(["%s::text[]"] * len(STATEMENT.c))
_INSERT_AT_ONCE: Final = f"INSERT INTO statement ({_COLUMNS}) SELECT * FROM unnest({_LISTS})"  # noqa: S608

# One attestation at a time, as in SQLite: two could each replace what the other has just stated.
_ONE_ATTESTATION: Final = "SELECT pg_advisory_xact_lock(hashtext('ouvrage attest'))"


@dataclass(frozen=True, slots=True)
class Added:
    """What an attestation changed."""

    new: int
    replaced: int
    unchanged: int

    def __add__(self, other: "Added") -> "Added":
        return Added(self.new + other.new, self.replaced + other.replaced, self.unchanged + other.unchanged)


class Store:
    """Statements and copies in a database. Use as a context manager."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @classmethod
    def open(cls, address: Path | str, *, cache: int = CACHE) -> Self:
        """Open the database at a path or URL, made new where there is none. Raises what :meth:`Database.open` does."""
        return cls(Database.open(address, batch=True, cache=cache))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()

    def add_statements(self, statements: Iterable[Statement], *, source: str) -> Added:
        """Keep the statements of one attestation of ``source``; a newer one takes the place of its predecessor."""
        added, rest = Added(0, 0, 0), iter(statements)
        with self.database.write() as connection:
            if not self.database.is_sqlite:
                connection.exec_driver_sql(_ONE_ATTESTATION)
            while batch := list(islice(rest, BATCH)):
                added += _add(connection, batch, source)
        return added

    def register_keys(self, worker: str, dids: Sequence[str]) -> int:
        """Keep the public keys that a worker's wallet made; the number that were new.

        Raises :class:`Malformed` for an unknown worker, too many keys, or a key of another worker.
        """
        with self.database.write() as connection:
            known = sa.select(STATEMENT.c.digest).where(STATEMENT.c.worker == worker).limit(1)
            if connection.execute(known).first() is None:
                raise Malformed("--worker", f"no statement is about {worker[:80]!r}", code="UNKNOWN_WORKER")
            unique = list(dict.fromkeys(dids))
            taken = sa.select(HOLDER_KEY.c.did, HOLDER_KEY.c.worker).where(
                HOLDER_KEY.c.did.in_(unique) | (HOLDER_KEY.c.worker == worker)
            )
            owners = {row.did: row.worker for row in connection.execute(taken)}
            if any(owners.get(did, worker) != worker for did in unique):
                raise Malformed("--keys", "one of these keys belongs to another worker", code="KEY_TAKEN")
            fresh = [did for did in unique if did not in owners]
            held = sum(owner == worker for owner in owners.values())
            if held + len(fresh) > MAX_KEYS:
                raise Malformed("--keys", f"more than {MAX_KEYS} keys for one worker", code="TOO_MANY_KEYS")
            rows = [{"worker": worker, "position": held + at, "did": did} for at, did in enumerate(fresh)]
            if rows:
                connection.execute(HOLDER_KEY.insert(), rows)
        return len(fresh)

    def credentials(self, worker: str, at: datetime) -> list[str]:
        """The valid credentials about ``worker`` as JSON texts: copies for its keys, or the unbound one."""
        query = (
            sa.select(CREDENTIAL.c.body)
            .select_from(
                _COPIES.join(
                    CREDENTIAL,
                    sa.and_(
                        CREDENTIAL.c.digest == STATEMENT.c.digest,
                        CREDENTIAL.c.holder == _HOLDER,
                        CREDENTIAL.c.format == Format.BBS,
                    ),
                )
            )
            .where(
                STATEMENT.c.worker == worker,
                CREDENTIAL.c.valid_until >= format_date_time(at),
                CREDENTIAL.c.body.is_not(None),
            )
            .order_by(STATEMENT.c.type, STATEMENT.c.source, HOLDER_KEY.c.position, STATEMENT.c.digest)
        )
        with self.database.read() as connection:
            return list(connection.execute(query).scalars())

    def summary(self, at: datetime) -> dict[str, dict[str, int]]:
        """By type of statement: how many there are, and how many valid credentials, those of replaced ones included."""
        statements = sa.select(STATEMENT.c.type, sa.func.count()).group_by(STATEMENT.c.type).order_by(STATEMENT.c.type)
        bound = sa.func.count(sa.func.nullif(CREDENTIAL.c.holder, ""))
        valid = CREDENTIAL.c.valid_until >= format_date_time(at)
        credentials = sa.select(CREDENTIAL.c.type, sa.func.count(), bound).where(valid).group_by(CREDENTIAL.c.type)
        with self.database.read() as connection:
            signed = {kind: (count, keyed) for kind, count, keyed in connection.execute(credentials)}
            return {
                kind: {"statements": count, "credentials": of_kind, "boundToKeys": keyed}
                for kind, count in connection.execute(statements)
                for of_kind, keyed in (signed.get(kind, (0, 0)),)
            }

    def types(self, *, worker: str | None = None) -> list[str]:
        """The types of statements that are here, or that are here about one worker."""
        query = sa.select(STATEMENT.c.type).distinct().where(*_about(None, worker)).order_by(STATEMENT.c.type)
        with self.database.read() as connection:
            return list(connection.execute(query).scalars())

    def statements(self, kind: str | None = None, *, worker: str | None = None) -> Iterator[Statement]:
        """The statements of a type, or about a worker, or all; read as they are asked for."""
        c = STATEMENT.c
        query = sa.select(c.body).where(*_about(kind, worker)).order_by(c.type, c.source, c.worker, c.digest)
        with self.database.read() as connection:
            for body in connection.execute(query, execution_options={"yield_per": PAGE}).scalars():
                yield Statement.parse(parse_object(body.encode()))

    def crowds(self, kind: str, claims: Sequence[str], *, k: int, most: int, worker: str | None = None) -> Crowds:
        """How the workers of a type fall into groups that agree in ``claims``; the ``most`` smallest below ``k``.

        With ``worker``, only the groups that this worker is in.
        """
        with self.database.read() as connection:
            return count_crowds(connection, kind, claims, k=k, most=most, worker=worker)

    def workers(self, limit: int) -> list[tuple[str, int]]:
        """The first ``limit`` workers by name, with the number of statements about each."""
        c = STATEMENT.c
        query = sa.select(c.worker, sa.func.count()).where(c.worker != "").group_by(c.worker).order_by(c.worker)
        with self.database.read() as connection:
            return [(worker, count) for worker, count in connection.execute(query.limit(limit))]


def _about(kind: str | None, worker: str | None) -> Iterator[sa.ColumnElement[bool]]:
    if kind is not None:
        yield STATEMENT.c.type == kind
    if worker is not None:
        yield STATEMENT.c.worker == worker


def _add(connection: sa.Connection, statements: Sequence[Statement], source: str) -> Added:
    """Keep some statements; of several on one topic the last one stays, as if they had come one by one."""
    given = [(one.worker, one.type, one.topic(), one.digest()) for one in statements]
    known = connection.execute(
        _KNOWN_HERE[connection.dialect.name], {"batch": json.dumps(given, ensure_ascii=False), "source": source}
    ).all()
    held = {(row.worker, row.type, row.topic): row.digest for row in known if row.source == source}
    new = replaced = unchanged = 0
    kept: dict[tuple[str, str, str], tuple[str, Statement]] = {}
    for (*words, digest), statement in zip(given, statements, strict=True):
        topic = (words[0], words[1], words[2])
        if held.get(topic) == digest:
            unchanged += 1
            continue
        replaced, new = (replaced + 1, new) if topic in held else (replaced, new + 1)
        held[topic], kept[topic] = digest, (digest, statement)
    digests = {digest for digest, _ in kept.values()}
    gone = [row.digest for row in known if (row.worker, row.type, row.topic) in kept or row.digest in digests]
    if gone:
        connection.execute(
            STATEMENT.delete().where(STATEMENT.c.digest == sa.bindparam("gone")), [{"gone": one} for one in gone]
        )
    if kept:
        rows = [_row(source, topic, *one) for topic, one in kept.items()]
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(_INSERT, rows)
        else:
            connection.exec_driver_sql(_INSERT_AT_ONCE, tuple(map(list, zip(*rows, strict=True))))
    return Added(new, replaced, unchanged)


def _row(source: str, topic: tuple[str, str, str], digest: str, statement: Statement) -> tuple[str, ...]:
    body = json.dumps(statement.to_json(), ensure_ascii=False, separators=(",", ":"))
    return (digest, source, *topic, body)
