"""Erasing what the verifier said it would erase, on the day it said: answers, reports, and what was asked."""

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from verifier.database import Database
from verifier.flow import State
from verifier.hooks import GIVE_UP_AFTER
from verifier.tables import EVENT, SESSION

REMEMBERED: Final = 30 * 86_400  # seconds for which an address still says that its result was erased

_EMPTY: Final = dict.fromkeys(
    ("request", "terms", "sealed_key", "redirect", "code", "answered", "answer", "report", "receipt")
)


@dataclass(frozen=True, slots=True)
class Purged:
    """How many sessions were erased, and of how many the last word is gone, too."""

    erased: int
    forgotten: int


def purge(database: Database, *, now: int) -> Purged:
    """Erase all whose time is over. What is erased is overwritten in the file, and in the log beside it."""
    with database.write() as connection:
        due = SESSION.c.erase <= now
        forgotten = connection.execute(SESSION.delete().where(due, SESSION.c.state == State.ERASED)).rowcount
        erased = connection.execute(
            SESSION.update().where(due, SESSION.c.state != State.ERASED).values(**_erased(now))
        ).rowcount
        connection.execute(EVENT.delete().where(EVENT.c.at < now - GIVE_UP_AFTER))
    if erased or forgotten:
        database.flush()
    return Purged(erased, forgotten)


def erase(database: Database, name: str, *, now: int) -> None:
    """Erase one session before its day, because somebody wants it so."""
    with database.write() as connection:
        connection.execute(
            SESSION.update().where(SESSION.c.id == name, SESSION.c.state != State.ERASED).values(**_erased(now))
        )
    database.flush()


def _erased(now: int) -> dict[str, Any]:
    return {"state": State.ERASED, "reference": "", "owner": "", "erase": now + REMEMBERED, **_EMPTY}


def next_erasures(database: Database) -> tuple[int, int | None]:
    """How many sessions are not erased yet, and when the next one is due."""
    with database.read() as connection:
        held = SESSION.c.state != State.ERASED
        count, first = connection.execute(sa.select(sa.func.count(), sa.func.min(SESSION.c.erase)).where(held)).one()
    return int(count), first
