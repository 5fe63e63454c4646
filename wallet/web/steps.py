"""What the pages have the wallet do, and nothing of how it looks: one function for each thing that a worker does."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Final

from vc.canon import Json, canonicalize
from vc.errors import Malformed
from vc.oid4vp import Request
from wallet import saying
from wallet.accept import GivenOffer
from wallet.choose import Plan, only, plan
from wallet.collect import Collected, collect
from wallet.guard import CounterOffer, counter_offer
from wallet.ledger import BROKEN
from wallet.present import present
from wallet.receive import read_credentials, receive
from wallet.shelf import Shelf
from wallet.web.desk import Desk
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


def plan_for(shelf: Shelf, request: Request, *, at: datetime) -> Plan:
    """How the wallet would answer a request."""
    return plan(request, shelf.copies(), contexts=CONTEXTS, at=at)


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


def answer(shelf: Shelf, request: Request, made: Plan, *, at: datetime) -> dict[str, Json]:
    """The answer, written down in the ledger before anybody has it."""
    keys = {key.did: key for key in shelf.signing_keys()}
    presentations: dict[str, Json] = {
        proposal.query.id: [
            present(
                proposal,
                request=request,
                key=keys.get(proposal.copy.holder or ""),
                contexts=CONTEXTS,
                at=at,
                rand=os.urandom,
            )
        ]
        for proposal in made.proposals
    }
    shelf.record(request, made.proposals, at=at, rand=os.urandom)
    return {"vp_token": presentations}


def counter_offer_to(shelf: Shelf, request: Request, *, at: datetime) -> CounterOffer:
    """The smallest answer that would still serve the purpose of a request."""
    return counter_offer(request, shelf.copies(), contexts=CONTEXTS, at=at)


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
