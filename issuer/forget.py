"""Erasing a worker (GDPR Article 17): every row that names them, and what deleted rows leave behind in the file.

What the worker's wallet holds is theirs and stays valid, unless it is said otherwise: erasing data about somebody is
no reason to take their proofs away.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from issuer.database import Database, translated
from issuer.formats import dataset_id
from issuer.retention import nameless
from issuer.tables import (
    CREDENTIAL,
    DISPUTE,
    EVENT,
    METADATA,
    OFFER,
    SESSION,
    STATEMENT,
    STATUS_ENTRY,
    SUSPENSION,
    TICKET,
)
from issuer.withdrawals import Act, mark_places
from vc.canon import Json
from vc.errors import Malformed
from vc.model import format_date_time

MAX_WORKER: Final = 1024

_KEPT: Final = frozenset({CREDENTIAL.name, EVENT.name})  # whose rows stay, without the name


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased, or would be, by table; and what remains: ``valid`` credentials in the worker's wallet until
    ``until``, or none of them where they were ``revoked``."""

    erased: Mapping[str, int]
    valid: int
    until: str
    revoked: int
    left_marked: int  # places that stay suspended or contested

    def to_json(self) -> dict[str, Json]:
        """The report for scripts."""
        return {
            "erased": dict(self.erased),
            "revoked": self.revoked,
            "remains": {"validCredentials": self.valid, "until": self.until or None, "marked": self.left_marked},
        }


def forget(
    database: Database, worker: str, *, now: int, revoke: bool = False, dry_run: bool = False, whole: bool = True
) -> Forgotten:
    """Erase a worker, all at once or not at all. Raises :class:`Malformed` for an empty id.

    An id that is not known is no error: a second run changes nothing. ``whole`` has the files cleaned too
    (:func:`compact`); without it, that is still to be done.
    """
    if not worker or len(worker) > MAX_WORKER:
        raise Malformed("--worker", "say whom to forget", code="USAGE")
    with database.read() if dry_run else database.write() as connection:
        found = _count(connection, worker, now, revoke=revoke)
        if not dry_run:
            _erase(connection, worker, now, revoke=revoke)
    if whole and not dry_run:
        compact(database)
    return found


def compact(database: Database) -> None:
    """Leave no deleted text in the database's own files. Whoever wants to write waits until the file is copied.

    PostgreSQL reuses such space at its next vacuum. Raises :class:`Undetermined` where the file is in use.
    """
    if not database.is_sqlite:
        return
    raw = database.engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("VACUUM")  # deleted rows stand in free pages until these are used again
        busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() or (1,)  # and old pages in the log
        if busy:
            raise sqlite3.OperationalError("busy")
    except sqlite3.Error as error:
        raise translated(OperationalError("VACUUM", None, error), "the issuer's database") from None
    finally:
        raw.close()


def _count(connection: sa.Connection, worker: str, now: int, *, revoke: bool) -> Forgotten:
    erased = {
        table.name: connection.execute(sa.select(sa.func.count()).where(_is_of(table, worker))).scalar_one()
        for table in _named()
    }
    erased[TICKET.name] = connection.execute(
        sa.select(sa.func.count()).select_from(TICKET).where(_tickets(worker))
    ).scalar_one()
    valid, until = connection.execute(
        sa.select(sa.func.count(), sa.func.max(CREDENTIAL.c.valid_until)).where(_valid(worker, now))
    ).one()
    places = sa.select(sa.func.count()).select_from(STATUS_ENTRY).where(_taken(_places(_valid(worker, now))))
    withdrawn = connection.execute(places.where(sa.not_(STATUS_ENTRY.c.revoked))).scalar_one()
    marked = connection.execute(places.where(STATUS_ENTRY.c.suspended | STATUS_ENTRY.c.contested)).scalar_one()
    filled = MappingProxyType({name: count for name, count in erased.items() if count})
    return Forgotten(filled, valid, until or "", withdrawn if revoke else 0, marked)


def _erase(connection: sa.Connection, worker: str, now: int, *, revoke: bool) -> None:
    # The statements first: a copy that is being put on record is waited for, and one that comes later is not.
    stated = connection.execute(STATEMENT.delete().where(STATEMENT.c.worker == worker).returning(STATEMENT)).all()
    if revoke:
        mark_places(connection, Act.REVOKE, _places(_valid(worker, now)), now=now)
    connection.execute(TICKET.delete().where(_tickets(worker)))  # first: it is found by the rows that go
    datasets = _noted_datasets(connection, worker) | {
        dataset_id(source=row.source, worker=worker, kind=row.type, topic=row.topic) for row in stated
    }
    entries = sa.or_(_taken(_places(CREDENTIAL.c.worker == worker)), STATUS_ENTRY.c.dataset.in_(datasets))
    connection.execute(STATUS_ENTRY.update().where(entries).values(dataset=None))
    theirs = sa.or_(CREDENTIAL.c.worker == worker, CREDENTIAL.c.digest.in_([row.digest for row in stated]))
    connection.execute(CREDENTIAL.update().where(theirs).values(**nameless(connection)))
    connection.execute(EVENT.update().where(EVENT.c.worker == worker).values(worker="", body="{}", next_attempt=None))
    for table in _named():
        if table.name not in _KEPT:
            connection.execute(table.delete().where(_is_of(table, worker)))


def _named() -> Iterator[sa.Table]:
    """The tables that say whose a row is: all that there are, so that none is forgotten that is added later."""
    return (table for table in METADATA.sorted_tables if "worker" in table.c)


def _is_of(table: sa.Table, worker: str) -> sa.ColumnElement[bool]:
    return table.c.worker == worker


def _tickets(worker: str) -> sa.ColumnElement[bool]:
    """Tickets of the worker's offers and sessions, and those that name the worker in what stands behind them."""
    of_theirs = [sa.select(table.c.id).where(table.c.worker == worker) for table in (OFFER, SESSION)]
    named = TICKET.c.body.contains(json.dumps(worker), autoescape=True)
    return sa.or_(named, *(TICKET.c.session.in_(ids) for ids in of_theirs))


def _valid(worker: str, now: int) -> sa.ColumnElement[bool]:
    moment = format_date_time(datetime.fromtimestamp(now, UTC))
    return sa.and_(CREDENTIAL.c.worker == worker, CREDENTIAL.c.valid_until >= moment)


def _noted_datasets(connection: sa.Connection, worker: str) -> set[str]:
    """The names of what was said about the worker and is disputed or suspended: they are computed from their id."""
    noted = (sa.select(table.c.dataset).where(table.c.worker == worker) for table in (DISPUTE, SUSPENSION))
    return set(connection.execute(sa.union(*noted)).scalars())


def _places(of: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(CREDENTIAL.c.list, CREDENTIAL.c.place).where(of, CREDENTIAL.c.list.is_not(None))


def _taken(places: sa.Select[Any]) -> sa.ColumnElement[bool]:
    return sa.tuple_(STATUS_ENTRY.c.list, STATUS_ENTRY.c.place).in_(places)
