"""What the pages have the wallet do, and nothing of how it looks: one function for each thing that a worker does."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Final

from vc.canon import Json, canonicalize
from vc.errors import Malformed
from wallet import saying
from wallet.accept import GivenOffer
from wallet.card import answer_codes
from wallet.choice import only
from wallet.choose import Plan
from wallet.collect import Collected, collect
from wallet.delivery import deliver, record_failure
from wallet.ledger import BROKEN
from wallet.online import Asked as Linked
from wallet.online import read_request, send_refusal
from wallet.receive import read_credentials, receive
from wallet.roots import kept_roots
from wallet.shelf import Shelf
from wallet.web.box import Locked
from wallet.web.brought import RequestLink
from wallet.web.desk import Answered, Asked, Desk
from work import CONTEXTS
from work.statement import Claims

COPIES: Final = 5  # single-use copies of each credential: one for each showing


def fetch_offer(shelf: Shelf, offer: GivenOffer, tx_code: str | None, desk: Desk) -> Collected:
    """Fetch, verify and keep what is offered. Runs in the vault's own thread, with a loop of its own."""
    return asyncio.run(
        collect(
            shelf,
            offer,
            ask=desk.ask,
            tx_code=tx_code,
            copies=COPIES,
            contexts=CONTEXTS,
            now=desk.now,
            rand=desk.rand,
        )
    )


def keep(shelf: Shelf, raw: bytes, *, at: datetime) -> tuple[int, int]:
    """Verify credentials of a file and keep all or none; how many are new, and how many were here already."""
    documents = read_credentials(raw, where="file")
    own = {key.did for key in shelf.signing_keys()}
    received = [
        receive(document, own=own, contexts=CONTEXTS, at=at, where=f"/{index}")
        for index, document in enumerate(documents)
    ]
    new = shelf.add(received, at=at, rand=os.urandom)
    return new, len(received) - new


def chosen(made: Plan, ticked: Mapping[int, frozenset[str]]) -> Plan:
    """The plan with what was ticked of each of its proposals, by their order, and no more. Raises :class:`Malformed`
    ``NOT_ASKED`` for what is in none of them."""
    if not ticked or not ticked.keys() <= set(range(len(made.proposals))):
        raise Malformed("choice", "is not among what would be shown", code="NOT_ASKED")
    kept = [
        one
        for number, proposal in enumerate(made.proposals)
        if ticked.get(number)
        for one in only(replace(made, proposals=(proposal,)), ticked[number]).proposals
    ]
    return replace(made, proposals=tuple(kept))


def seen(made: Plan) -> str:
    """A short name of what a plan shows, so that nobody agrees to another one than they were shown."""
    shown: list[Json] = [
        [proposal.query.id, proposal.copy.statement, *sorted(one.pointer for one in proposal.asked)]
        for proposal in made.proposals
    ]
    return sha256(canonicalize(shown)).hexdigest()[:16]


async def ask(desk: Desk, brought: RequestLink) -> Asked:
    """The request behind a link. Nothing of it needs the vault."""
    linked = await read_request(
        brought.link,
        ask=desk.ask,
        private=brought.pasted,
        roots=kept_roots(desk.home),
        at=desk.now(),
        rand=desk.rand,
    )
    return Asked(linked.request, linked)


def begin_sending(desk: Desk, answered: Answered) -> Answered:
    """Have an answer, or a no, on its way to whoever asked by a link. One to a file stays as it is."""
    linked = answered.asked.linked
    if linked is None:
        return answered
    task = asyncio.create_task(_send(desk, linked, answered.document))
    task.add_done_callback(lambda done: None if done.cancelled() else done.exception())  # a page says it
    return replace(answered, sending=task)


async def _send(desk: Desk, linked: Linked, document: Mapping[str, Json] | None) -> str | None:
    """Send it, without the vault, which goes on serving other pages; only a failure is written down there."""
    if document is None:
        return await send_refusal(linked, ask=desk.ask)

    async def write(why: str) -> None:
        # Where the worker locked the wallet meanwhile, the ledger says that it was shown: the safer of the two.
        with suppress(Locked):
            at = desk.now()
            await desk.box.use(lambda shelf: record_failure(shelf, linked.request, why, at=at, rand=desk.rand))

    return await deliver(linked, document, ask=desk.ask, write_failure=write)


def codes(answered: Answered) -> tuple[str, ...]:
    """The texts of the QR codes that hold an answer; none where it is too large for them."""
    try:
        return answer_codes(answered.document or {})
    except Malformed:
        return ()


def read_ledger(shelf: Shelf) -> tuple[tuple[dict[str, Json], ...], bool]:
    """The ledger, oldest first, and whether it is whole: one that was tampered with is still shown."""
    try:
        return shelf.ledger(), True
    except Malformed as error:
        if error.code != BROKEN:
            raise
        return shelf.ledger_as_it_is(), False


def say(shelf: Shelf, type_name: str, statement: str, claims: Claims) -> bool:
    """Keep what the worker says to a statement; whether they had said something before."""
    return saying.say(shelf, type_name, statement, claims, rand=os.urandom)[2]


def new_keys(shelf: Shelf, count: int) -> dict[str, Json]:
    """New single-use keys, as the platform takes them: nothing in it is secret."""
    return {"keys": [key.did for key in shelf.make_keys(count, rand=os.urandom)]}
