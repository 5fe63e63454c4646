"""Telling the asker's own system that there is a result: signed, at least once, tried again for a day."""

import asyncio
import logging
from typing import Any, Final

import sqlalchemy as sa

from vc.errors import VcError
from vc.io.webhook import send, wait
from verifier.deps import Deps, Hook, in_thread
from verifier.tables import EVENT

GIVE_UP_AFTER: Final = 86_400
BATCH: Final = 20
PAUSE: Final = 1.0  # seconds between two looks

_LOG: Final = logging.getLogger("ouvrage.webhook")


async def deliver(deps: Deps) -> None:
    """Send what is due, for as long as the service runs."""
    while True:
        await deliver_due(deps)
        await asyncio.sleep(PAUSE)


async def deliver_due(deps: Deps) -> None:
    """Send what is due until nothing is. Without a webhook nobody is told, and the purge takes it away."""
    while deps.hook is not None:
        hook = deps.hook
        due = await in_thread(lambda: _due(deps))
        taken = await asyncio.gather(*(_attempt(deps, hook, row) for row in due))
        await in_thread(lambda: _settle(deps, list(zip(due, taken, strict=True))))  # noqa: B023  (it is awaited here)
        if len(due) < BATCH:
            return


def _due(deps: Deps) -> list[Any]:
    query = sa.select(EVENT).where(EVENT.c.next_attempt <= deps.seconds).order_by(EVENT.c.id).limit(BATCH)
    with deps.database.read() as connection:
        return list(connection.execute(query))


async def _attempt(deps: Deps, hook: Hook, row: Any) -> bool:
    try:
        await send(hook.url, row.body.encode(), secret=hook.secret, at=deps.seconds, private=hook.private)
    except VcError as error:
        _LOG.warning("event %d was not taken: %s", row.id, error.code)
        return False
    return True


def _settle(deps: Deps, outcomes: list[tuple[Any, bool]]) -> None:
    now = deps.seconds
    with deps.database.write() as connection:
        for row, taken in outcomes:
            if taken or now - row.at >= GIVE_UP_AFTER:
                connection.execute(EVENT.delete().where(EVENT.c.id == row.id))
            else:
                again = {"attempts": row.attempts + 1, "next_attempt": now + wait(row.attempts + 1)}
                connection.execute(EVENT.update().where(EVENT.c.id == row.id).values(**again))
