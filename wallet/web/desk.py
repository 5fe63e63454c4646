"""What the pages share while ``ouvrage wallet serve`` runs: the vault, one visitor, and what is under way."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from aiohttp import web

from vc.canon import Json
from vc.errors import Malformed
from vc.multibase import encode_base64url
from vc.oid4vp import Request
from wallet.accept import GivenOffer
from wallet.choose import Proposal
from wallet.collect import Collected
from wallet.issuer_session import Ask
from wallet.online import Asked as Linked
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


UnderWay = Offered | Fetching | Asked | Answered
_T = TypeVar("_T", bound=UnderWay)


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


DESK: Final = web.AppKey("desk", Desk)
