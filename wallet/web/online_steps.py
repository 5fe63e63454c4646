"""What the pages have the wallet do over the network. Each runs in a thread beside the vault's, with a loop of its own:
the other pages go on meanwhile, and what is killed on the way is finished by a refresh, as with the commands."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vc.errors import Undetermined
from vc.io.fetch import Fetched
from wallet.accept import CLIENT, GivenOffer
from wallet.collect import Collected, collect, collect_login
from wallet.letting_go import Left, tell_deleted
from wallet.login import Login, begin
from wallet.refresh import Refreshed, Task, refresh
from wallet.shelf import Shelf
from wallet.web.desk import Desk
from work import CONTEXTS


@dataclass(frozen=True, slots=True)
class Wish:
    """How the worker wants an offer taken."""

    copies: int
    formats: frozenset[str]
    client: str


def fetch_offer(shelf: Shelf, offer: GivenOffer, tx_code: str | None, wish: Wish, desk: Desk) -> Collected:
    """Fetch, verify and keep what is offered."""
    return asyncio.run(
        collect(
            shelf,
            offer,
            ask=_Open(desk),
            tx_code=tx_code,
            copies=wish.copies,
            contexts=CONTEXTS,
            now=desk.now,
            rand=desk.rand,
            client=wish.client or CLIENT,
            formats=wish.formats,
        )
    )


async def begin_login(offer: GivenOffer, wish: Wish, desk: Desk, *, redirect: str) -> Login:
    """Where the worker logs in, and what has to be known when the browser comes back to ``redirect``."""
    return await begin(
        offer,
        ask=desk.ask,
        redirect=redirect,
        client=wish.client or CLIENT,
        copies=wish.copies,
        now=desk.now,
        rand=desk.rand,
        formats=wish.formats,
    )


def finish_login(shelf: Shelf, redirected: str, desk: Desk) -> Collected:
    """Fetch, verify and keep what is offered, once the browser is back."""
    return asyncio.run(
        collect_login(shelf, redirected, ask=_Open(desk), contexts=CONTEXTS, now=desk.now, rand=desk.rand)
    )


def come_back(shelf: Shelf, tasks: Sequence[Task], desk: Desk) -> tuple[Refreshed, ...]:
    """Do what is due, platform by platform."""
    return asyncio.run(refresh(shelf, tasks, ask=_Open(desk), contexts=CONTEXTS, now=desk.now, rand=desk.rand))


def tell_platforms(shelf: Shelf, left: Left, desk: Desk) -> bool:
    """Tell the platforms that the worker deleted what they gave; whether all listened."""
    return asyncio.run(tell_deleted(shelf, left, ask=_Open(desk), now=desk.now, rand=desk.rand))


class _Open:
    """The door to the network, while the wallet is open."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def __call__(self, url: str, **arguments: Any) -> Fetched:
        if not self._desk.box.is_open:
            raise Undetermined("the wallet was locked meanwhile", "open it again", code="VAULT_CLOSED")
        return await self._desk.ask(url, **arguments)
