"""What the pages share while ``ouvrage wallet serve`` runs: the vault, one visitor, and what is under way."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

from aiohttp import web

from vc.canon import Json
from vc.errors import Malformed
from vc.multibase import encode_base64url
from vc.oid4vp import Request
from wallet.accept import GivenOffer
from wallet.collect import Collected
from wallet.issuer_session import Ask
from wallet.login import Login
from wallet.refresh import Refreshed
from wallet.web.box import Box

SECRET_BYTES: Final = 32
MAX_UNDER_WAY: Final = 8  # offers and requests that wait for the worker; the oldest is dropped


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer that the worker looks at."""

    offer: GivenOffer


@dataclass(frozen=True, slots=True)
class Fetching:
    """An offer that is being fetched, or was."""

    offer: GivenOffer
    task: "asyncio.Task[Collected]"


@dataclass(frozen=True, slots=True)
class LoggingIn:
    """An offer for which the worker is at the platform, to log in."""

    offer: GivenOffer
    login: Login


@dataclass(frozen=True, slots=True)
class Returned:
    """An offer whose login is done: where the browser was sent to, which counts once."""

    offer: GivenOffer
    redirected: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refreshing:
    """Platforms that are asked for new copies, or were."""

    task: "asyncio.Task[tuple[Refreshed, ...]]"


@dataclass(frozen=True, slots=True)
class Deleted:
    """A statement that was deleted, of which its platform is being told, or was."""

    type: str
    count: int
    task: "asyncio.Task[bool]"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that the worker looks at."""

    request: Request


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that was agreed to and stands in the ledger."""

    verifier: str
    document: Mapping[str, Json] = field(repr=False)


UnderWay = Offered | LoggingIn | Returned | Fetching | Refreshing | Deleted | Asked | Answered
_T = TypeVar("_T", bound=UnderWay)
_R = TypeVar("_R")


@dataclass(slots=True)
class Desk:
    """All of it. ``token`` is in the one link that lets the worker's browser in, and good for once."""

    box: Box
    base: str
    token: str | None = field(repr=False)
    ask: Ask
    now: Callable[[], datetime]
    rand: Callable[[int], bytes]
    session: str = field(default="", repr=False)
    csrf: str = field(default="", repr=False)
    under_way: dict[str, UnderWay] = field(default_factory=dict, repr=False)

    def secret(self) -> str:
        """A new random text that nobody guesses."""
        return encode_base64url(self.rand(SECRET_BYTES))

    def begin(self, what: UnderWay) -> str:
        """Keep what the worker looks at; the name under which it is found again."""
        name = encode_base64url(self.rand(12))
        self.under_way[name] = what
        while len(self.under_way) > MAX_UNDER_WAY:
            del self.under_way[next(iter(self.under_way))]
        return name

    def found(self, name: str, kind: type[_T]) -> _T:
        """What is kept under a name. Raises :class:`Malformed` ``OVER`` where it is no more."""
        what = self.under_way.get(name)
        if not isinstance(what, kind):
            raise Malformed("page", "what it was about is over; begin again", code="OVER")
        return what

    async def lock(self) -> None:
        """Lock the vault, and forget what is under way."""
        self.under_way.clear()
        await self.box.close()


def background(work: Coroutine[Any, Any, _R]) -> "asyncio.Task[_R]":
    """Begin something that a later page tells of. What goes wrong is told there, and by nobody else."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda done: None if done.cancelled() else done.exception())
    return task


DESK: Final = web.AppKey("desk", Desk)
