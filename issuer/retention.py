"""Nothing about a worker is kept longer than it is needed: what is over is erased, a piece at a time."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from issuer.config import Config
from issuer.database import insert_into
from issuer.deps import Deps
from issuer.notification import erase
from issuer.tables import (
    CREDENTIAL,
    DEFERRAL,
    DISPUTE,
    EVENT,
    OFFER,
    SESSION,
    SETTING,
    SPENT,
    STATUS_ENTRY,
    SUSPENSION,
    TICKET,
)
from issuer.tickets import Kind
from vc.model import format_date_time

PIECE: Final = 1000  # rows of a kind in one transaction: others want to write as well
SIGNED: Final = "signed"  # begins the names of settings that count what was signed and is over

CountKey = tuple[str, str, str]  # month, type, format


@dataclass(frozen=True, slots=True)
class Swept:
    """How many rows were erased, or lost what was in them."""

    offers: int = 0
    bodies: int = 0  # requests of wallets whose credentials were kept here for long enough
    credentials: int = 0  # that have expired
    sessions: int = 0
    tickets: int = 0
    spent: int = 0
    deferrals: int = 0
    disputes: int = 0
    suspensions: int = 0
    events: int = 0

    @property
    def more(self) -> bool:
        """Whether there may be more of the same."""
        return any(getattr(self, one.name) >= PIECE for one in fields(self))


def sweep_all(deps: Deps) -> None:
    """Sweep until nothing is left that is past its time. Two replicas that do so at once do each other no harm."""
    more = True
    while more:
        with deps.database.write() as connection:
            more = sweep(connection, deps.config, deps.seconds).more


def sweep(connection: sa.Connection, config: Config, now: int) -> Swept:
    """Erase what is past its time, at most PIECE rows of each kind."""

    def erased(table: sa.Table, over: sa.ColumnElement[bool]) -> int:
        return connection.execute(table.delete().where(_piece(table, over))).rowcount

    return Swept(
        offers=_close_offers(connection, now) + erased(OFFER, OFFER.c.expires < now - config.claimed_kept),
        bodies=_erase_bodies(connection, now),
        credentials=_expire(connection, now),
        sessions=_end_sessions(connection, now),
        # Those of notifications say which bodies are to be erased: they go with them, and not before.
        tickets=erased(TICKET, (TICKET.c.expires < now) & (TICKET.c.kind != Kind.NOTIFICATION)),
        spent=erased(SPENT, SPENT.c.expires < now),
        deferrals=erased(DEFERRAL, DEFERRAL.c.expires < now),
        disputes=erased(DISPUTE, DISPUTE.c.closed < now - config.disputes_kept),
        suspensions=erased(SUSPENSION, SUSPENSION.c.ended < now - config.disputes_kept),
        events=_drop_events(connection, now - config.events_kept),
    )


def counted(connection: sa.Connection) -> Iterator[tuple[CountKey, int]]:
    """How many credentials were signed that are over by now, by month, type and format."""
    rows = connection.execute(sa.select(SETTING).where(SETTING.c.name.startswith(f"{SIGNED} ")))
    for row in rows:
        _, month, kind, form = row.name.split(" ")
        yield (month, kind, form), int(row.value)


def nameless(connection: sa.Connection) -> dict[str, Any]:
    """What the row of a valid credential becomes when nobody is to know any more whose it is.

    Its place in a list stays, so that it can be withdrawn; type, format, key and dates stay, so that it is counted.
    The statement's digest goes with the worker: it could be computed again from a guess.
    """
    on_file = connection.dialect.name == "sqlite"
    random = sa.func.hex(sa.func.randomblob(16)) if on_file else sa.cast(sa.func.gen_random_uuid(), sa.Text)
    return {"digest": random, "holder": random, "worker": "", "body": None}


def _close_offers(connection: sa.Connection, now: int) -> int:
    late = sa.and_(OFFER.c.body.is_not(None), OFFER.c.expires < now)
    return connection.execute(OFFER.update().where(_piece(OFFER, late)).values(body=None, tx_code=None)).rowcount


def _erase_bodies(connection: sa.Connection, now: int) -> int:
    """The bodies of credentials whose wallet can no longer say that something went wrong, and has not asked again.

    Copies that were signed ahead, and that nobody has asked for yet, have no such ticket: they wait.
    """
    over = sa.and_(TICKET.c.expires < now, TICKET.c.kind == Kind.NOTIFICATION)
    rows = connection.execute(TICKET.delete().where(_piece(TICKET, over)).returning(TICKET.c.body)).all()
    for row in rows:
        erase(connection, json.loads(row.body))
    return len(rows)


def _expire(connection: sa.Connection, now: int) -> int:
    """Credentials that are valid no longer: nobody can withdraw them, and whoever asks gets new ones.

    They are counted. Their places stay taken, and say no more what they were for.
    """
    over = CREDENTIAL.c.valid_until < format_date_time(datetime.fromtimestamp(now, UTC))
    rows = connection.execute(CREDENTIAL.delete().where(_piece(CREDENTIAL, over)).returning(CREDENTIAL)).all()
    places = [(row.list, row.place) for row in rows if row.list is not None]
    taken = sa.tuple_(STATUS_ENTRY.c.list, STATUS_ENTRY.c.place).in_(places)
    connection.execute(STATUS_ENTRY.update().where(taken).values(dataset=None))
    counts = Counter((f"{datetime.fromtimestamp(row.signed_at, UTC):%Y-%m}", row.type, row.format) for row in rows)
    for key, count in sorted(counts.items()):  # one order for all replicas: no two wait for each other
        _add(connection, key, count)
    return len(rows)


def _add(connection: sa.Connection, key: CountKey, count: int) -> None:
    insert = insert_into(connection, SETTING).values(name=" ".join((SIGNED, *key)), value=str(count))
    total = sa.cast(sa.cast(SETTING.c.value, sa.BigInteger) + count, sa.Text)
    connection.execute(insert.on_conflict_do_update(index_elements=[SETTING.c.name], set_={"value": total}))


def _end_sessions(connection: sa.Connection, now: int) -> int:
    over = connection.execute(sa.select(SESSION.c.id).where(SESSION.c.expires < now).limit(PIECE)).scalars().all()
    # What is left to be erased by a ticket is left for it.
    theirs = (TICKET.c.session.in_(over), TICKET.c.kind != Kind.NOTIFICATION)
    connection.execute(TICKET.delete().where(*theirs))
    return connection.execute(SESSION.delete().where(SESSION.c.id.in_(over))).rowcount


def _drop_events(connection: sa.Connection, before: int) -> int:
    """The oldest have the smallest numbers: where the first is kept, all are, and the others need not be looked at."""
    oldest = sa.select(EVENT.c.id, EVENT.c.at).order_by(EVENT.c.id).limit(PIECE).subquery()
    over = sa.select(oldest.c.id).where(oldest.c.at < before)
    return connection.execute(EVENT.delete().where(EVENT.c.id.in_(over))).rowcount


def _piece(table: sa.Table, over: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """The rows for which ``over`` holds, at most PIECE of them, and none that somebody else is busy with."""
    columns = list(table.primary_key.columns)
    some = sa.select(*columns).where(over).limit(PIECE).with_for_update(skip_locked=True)
    return (sa.tuple_(*columns) if len(columns) > 1 else columns[0]).in_(some)
