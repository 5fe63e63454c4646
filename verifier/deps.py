"""What the service's routes need of the world."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from aiohttp import web

from vc.trust import Trust
from verifier.database import Database
from verifier.identity import Identity

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Hook:
    """Where results are announced. ``private``: it may be at a private address, as it is our own."""

    url: str
    secret: str = field(repr=False)
    private: bool = False


class Arrivals:
    """Who waits for the result of a session, in this process."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}

    async def wait(self, name: str, seconds: float) -> None:
        """Return when something has happened to a session, or after so many seconds."""
        event = asyncio.Event()
        self._waiting.setdefault(name, set()).add(event)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            left = self._waiting[name]
            left.discard(event)
            if not left:
                del self._waiting[name]

    def tell(self, name: str) -> None:
        """Something has happened to a session."""
        for event in self._waiting.get(name, ()):
            event.set()


@dataclass(frozen=True, slots=True)
class Deps:
    """``trust`` gives what is trusted as it is now, and raises where it cannot be read: that trusts nobody."""

    base: str
    database: Database
    identity: Identity
    secret: bytes = field(repr=False)  # seals the keys of sessions
    trust: Callable[[], Trust]
    now: Callable[[], datetime]
    rand: Callable[[int], bytes]
    hook: Hook | None = None
    rate: int = 120  # calls of one API key in a minute
    arrivals: Arrivals = field(default_factory=Arrivals)

    @property
    def seconds(self) -> int:
        """Now, in whole seconds since 1970."""
        return int(self.now().timestamp())


DEPS: Final = web.AppKey("verifier-service", Deps)


async def in_thread(step: Callable[[], T]) -> T:
    """The result of what would hold up everybody else: the database, a check."""
    return await asyncio.to_thread(step)
