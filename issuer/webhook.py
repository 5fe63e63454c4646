"""Events, sent to the platform's own system: at least once, signed, by whichever replica comes first."""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from issuer.config import Webhook
from issuer.deps import Deps, in_thread
from issuer.events import WANTED, Event, event
from issuer.tables import EVENT, SETTING
from vc.errors import VcError
from vc.io.webhook import LONGEST_WAIT, SIGNATURE, send, signature, wait

__all__ = ["LONGEST_WAIT", "SIGNATURE", "State", "deliver", "deliver_due", "signature", "state", "wait"]

GIVEN_UP: Final = -1  # in ``attempts``
GIVE_UP_AFTER: Final = 86_400  # a day: whoever was away for longer reads `ouvrage issuer events`
LEASE: Final = 120  # seconds for which a claimed event is nobody else's: longer than sending a batch takes
BATCH: Final = 20
PAUSE: Final = 2.0  # seconds between two looks

_LOG: Final = logging.getLogger("ouvrage.webhook")


@dataclass(frozen=True, slots=True)
class State:
    """How delivery stands. ``target`` is empty where nobody is told."""

    target: str
    waiting: int
    failing: int
    given_up: int
    oldest: int | None


async def deliver(deps: Deps) -> None:
    """Send what is due, for as long as the service runs: every replica does."""
    while True:
        await deliver_due(deps)
        await asyncio.sleep(PAUSE)


async def deliver_due(deps: Deps) -> None:
    """Send what is due until nothing is."""
    await in_thread(lambda: _register(deps))
    webhook = deps.config.webhook
    while webhook is not None:
        claimed = await in_thread(lambda: _claim(deps))
        outcomes = await asyncio.gather(*(_attempt(deps, webhook, one) for one, _ in claimed))
        await in_thread(lambda: _settle(deps, claimed, outcomes))  # noqa: B023  (it is awaited here)
        if len(claimed) < BATCH:
            return


def state(connection: sa.Connection, *, now: int) -> State:
    """How delivery stands."""
    due = EVENT.c.next_attempt.is_not(None)
    row = connection.execute(
        sa.select(
            sa.func.count().filter(due),
            sa.func.count().filter(due & (EVENT.c.attempts > 1)),
            sa.func.count().filter(EVENT.c.attempts == GIVEN_UP),
            sa.func.min(EVENT.c.at).filter(due & (EVENT.c.next_attempt <= now + LONGEST_WAIT)),
        )
    ).one()
    target = connection.execute(sa.select(SETTING.c.value).where(SETTING.c.name == WANTED)).scalar_one_or_none()
    return State(target or "", *row)


def _claim(deps: Deps) -> list[tuple[Event, int]]:
    """Events that are due, each with its number of this try; nobody else gets them before the lease ends."""
    now = deps.seconds
    due = (
        sa.select(EVENT.c.id)
        .where(EVENT.c.next_attempt <= now)
        .order_by(EVENT.c.next_attempt, EVENT.c.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)  # nothing in SQLite, which lets in one writer at a time
    )
    taken = (
        EVENT.update()
        .where(EVENT.c.id.in_(due.scalar_subquery()))
        .values(attempts=EVENT.c.attempts + 1, next_attempt=now + LEASE)
        .returning(EVENT)
    )
    with deps.database.write() as connection:
        rows = connection.execute(taken).all()
    return [(event(row), row.attempts) for row in sorted(rows, key=lambda row: int(row.id))]


def _register(deps: Deps) -> None:
    """Note whether events are to be sent at all. Without a webhook, those that wait are left for who reads them."""
    webhook = deps.config.webhook
    wanted = webhook.url if webhook else None
    setting = SETTING.c.name == WANTED
    with deps.database.read() as connection:
        if connection.execute(sa.select(SETTING.c.value).where(setting)).scalar_one_or_none() == wanted:
            return
    with deps.database.write() as connection:
        connection.execute(SETTING.delete().where(setting))
        if wanted:
            connection.execute(SETTING.insert().values(name=WANTED, value=wanted))
        else:
            connection.execute(EVENT.update().where(EVENT.c.next_attempt.is_not(None)).values(next_attempt=None))


async def _attempt(deps: Deps, webhook: Webhook, one: Event) -> bool:
    body = json.dumps(one.to_json(), ensure_ascii=False, separators=(",", ":")).encode()
    try:
        await send(webhook.url, body, secret=webhook.secret, at=deps.seconds, private=webhook.private_address)
    except VcError as error:
        _LOG.warning("event %d was not taken: %s", one.id, error.code)
        return False
    return True


def _settle(deps: Deps, claimed: Sequence[tuple[Event, int]], outcomes: Sequence[bool]) -> None:
    now = deps.seconds
    with deps.database.write() as connection:
        for (one, attempts), taken in zip(claimed, outcomes, strict=True):
            connection.execute(
                EVENT.update()
                .where(EVENT.c.id == one.id, EVENT.c.attempts == attempts)
                .values(**_after(one, attempts, taken, now))
            )


def _after(one: Event, attempts: int, taken: bool, now: int) -> dict[str, Any]:
    if taken:
        return {"next_attempt": None}
    if now - one.at >= GIVE_UP_AFTER:
        return {"next_attempt": None, "attempts": GIVEN_UP}
    return {"next_attempt": now + wait(attempts)}
