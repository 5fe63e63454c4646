"""What the pages share while ``ouvrage wallet serve`` runs: the vault, one visitor, and what is under way."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

from aiohttp import web

from vc.canon import Json
from vc.errors import Malformed
from vc.multibase import encode_base64url
from vc.oid4vp import Request
from wallet.accept import GivenOffer
from wallet.choose import Proposal
from wallet.collect import Collected
from wallet.issuer_session import Ask
from wallet.manifest import Age
from wallet.online import Asked as Linked
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
    """An offer for which the worker is at the platform, to log in. What the code will need is in the vault alone."""

    offer: GivenOffer
    url: str = field(repr=False)
    redirect: str
    state: str = field(repr=False)


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
    """A request that the worker looks at. ``linked`` says who asks and where the answer goes; without, the request came
    as a file, and is answered with one."""

    request: Request
    linked: Linked | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that was agreed to and stands in the ledger; without a document, a no. ``sending`` is on its way to the
    verifier, or came to its end; what it returns is where the verifier wants the worker to go on."""

    asked: Asked
    at: datetime
    document: Mapping[str, Json] | None = field(repr=False)
    proposals: tuple[Proposal, ...] = field(repr=False)
    sending: "asyncio.Task[str | None] | None" = None


@dataclass(frozen=True, slots=True)
class NewWords:
    """24 words that open nothing before the worker has typed those at ``asked`` (from 0) back."""

    secret: bytes = field(repr=False)
    words: tuple[str, ...] = field(repr=False)
    lang: str
    asked: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NewShares:
    """Guardians' shares that open nothing before the worker has looked at each: those in ``seen`` (from 1)."""

    secret: bytes = field(repr=False)
    shares: tuple[str, ...] = field(repr=False)
    names: tuple[str, ...]
    need: int
    at: datetime
    seen: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class MadeBackup:
    """A backup that was written and tested: an open file that has no name any more, and is gone with it."""

    file: BinaryIO = field(repr=False)
    age: Age
    count: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: when it was saved, how many items, where the wallet is that was here before."""

    made: str
    count: int
    aside: str
    renewed: bool


UnderWay = (
    Offered
    | LoggingIn
    | Returned
    | Fetching
    | Refreshing
    | Deleted
    | Asked
    | Answered
    | NewWords
    | NewShares
    | MadeBackup
    | Restored
)
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
    home: Path  # the wallet's folder, with the authorities that the worker trusts
    session: str = field(default="", repr=False)
    csrf: str = field(default="", repr=False)
    under_way: dict[str, UnderWay] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.box.when_closed = self.forget_secrets  # by itself too, when nobody uses it

    def secret(self) -> str:
        """A new random text that nobody guesses."""
        return encode_base64url(self.rand(SECRET_BYTES))

    def begin(self, what: UnderWay) -> str:
        """Keep what the worker looks at; the name under which it is found again."""
        name = encode_base64url(self.rand(12))
        self.under_way[name] = what
        while len(self.under_way) > MAX_UNDER_WAY:
            _drop(self.under_way.pop(next(iter(self.under_way))))
        return name

    def found(self, name: str, kind: type[_T]) -> _T:
        """What is kept under a name. Raises :class:`Malformed` ``OVER`` where it is no more."""
        what = self.under_way.get(name)
        if not isinstance(what, kind):
            raise Malformed("page", "what it was about is over; begin again", code="OVER")
        return what

    async def lock(self) -> None:
        """Lock the vault, and forget what is under way, logins too."""
        await self.box.close()
        self.under_way.clear()

    def forget_secrets(self) -> None:
        """Forget what is under way and opens the vault, or would."""
        for name in [name for name, what in self.under_way.items() if isinstance(what, _SECRET)]:
            _drop(self.under_way.pop(name))


_SECRET: Final = (NewWords, NewShares, MadeBackup)


def _drop(what: UnderWay) -> None:
    if isinstance(what, MadeBackup):
        what.file.close()


def background(work: Coroutine[Any, Any, _R]) -> "asyncio.Task[_R]":
    """Begin something that a later page tells of. What goes wrong is told there, and by nobody else."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda done: None if done.cancelled() else done.exception())
    return task


DESK: Final = web.AppKey("desk", Desk)
