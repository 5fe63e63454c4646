"""What the service's routes need of the world."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from aiohttp import web

from issuer.config import Config
from issuer.database import Database
from issuer.keyring import KeyRing

T = TypeVar("T")

# Held by whoever computes in small steps of Python: threads that pass the interpreter to and fro at each of them
# spend a sixth of their time on that, and none is done sooner.
TURN: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Deps:
    """``keyring`` gives the keys as they are now: another replica or a command may have rotated them."""

    config: Config
    database: Database
    keyring: Callable[[], KeyRing]
    now: Callable[[], datetime]
    rand: Callable[[int], bytes]

    @property
    def seconds(self) -> int:
        """Now, in whole seconds since 1970."""
        return int(self.now().timestamp())


DEPS: Final = web.AppKey("issuer-service", Deps)


async def in_thread(step: Callable[[], T]) -> T:
    """The result of what would hold up everybody else: the database, a signature."""
    return await asyncio.to_thread(step)
