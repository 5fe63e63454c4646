"""What the service does by itself, again and again: every replica does all of it, and none needs to know of another.

Each step leaves the database right at any instant, so that two replicas may run it at once and a killed one costs
nothing. What fails is said in the log, counted, and tried again.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from issuer.deps import DEPS, Deps, in_thread
from issuer.metrics import METRICS
from vc.errors import VcError
from vc.io.logs import say

AFTER_FAULT: Final = 30.0  # seconds
SPREAD: Final = 0.2  # replicas that were started together do not all begin at once


@dataclass(frozen=True, slots=True)
class Task:
    """Work without an end."""

    name: str
    run: Callable[[Deps], Awaitable[object]]


def every(seconds: float, name: str, step: Callable[[Deps], object]) -> Task:
    """A step that is taken at once, and again and again."""

    async def run(deps: Deps) -> None:
        while True:
            await in_thread(lambda: step(deps))
            await asyncio.sleep(seconds * random.uniform(1 - SPREAD, 1))  # noqa: S311  (no secret)

    return Task(name, run)


def running(tasks: Sequence[Task]) -> Callable[[web.Application], AsyncIterator[None]]:
    """For ``cleanup_ctx``: the tasks run as long as the application does."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        under_way = [asyncio.create_task(_always(app, task)) for task in tasks]
        yield
        for one in under_way:
            one.cancel()
        for one in under_way:
            with suppress(asyncio.CancelledError):
                await one

    return context


async def _always(app: web.Application, task: Task) -> None:
    while True:
        try:
            await task.run(app[DEPS])
        except Exception as error:  # noqa: BLE001  (the next round may go well, and nobody else would hear of it)
            app[METRICS].faults.labels(task.name).inc()
            code = error.code if isinstance(error, VcError) else ""
            said = {"task": task.name, "error": type(error).__name__, "code": code}
            say("task failed", said, level=logging.WARNING)
        else:
            return
        await asyncio.sleep(AFTER_FAULT)
