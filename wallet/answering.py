"""What the commands and the pages both do with a request: the way from what it asks to an answer is one."""

import os
from datetime import datetime

from vc.canon import Json
from vc.model import Object
from vc.oid4vp import Request
from wallet.choose import Plan, plan
from wallet.guard import CounterOffer, counter_offer
from wallet.held import is_current, newest
from wallet.ledger import MESSAGE, message_entry
from wallet.present import present
from wallet.shelf import Shelf
from work import CONTEXTS


def link_in(members: Object) -> str | None:
    """The link to a request, where these are what ``verifier request --json`` prints."""
    found = members.get("request")
    return found if isinstance(found, str) and "://" in found else None


def plan_for(shelf: Shelf, request: Request, *, at: datetime) -> Plan:
    """How the wallet would answer a request."""
    return plan(request, shelf.copies(), contexts=CONTEXTS, at=at)


def counter_offer_to(shelf: Shelf, request: Request, *, at: datetime) -> CounterOffer:
    """The smallest answer that would still serve the purpose of a request."""
    return counter_offer(request, shelf.copies(), contexts=CONTEXTS, at=at)


def make_answer(shelf: Shelf, request: Request, made: Plan, *, at: datetime) -> dict[str, Json]:
    """The answer to a request: a list of presentations for each query. It shows nothing to anybody yet; before it does,
    it has to stand in the ledger."""
    keys = {key.did: key for key in shelf.signing_keys()}
    presentations: dict[str, list[Json]] = {}
    for proposal in made.proposals:
        key = keys.get(proposal.copy.holder or "")
        shown = present(proposal, request=request, key=key, contexts=CONTEXTS, at=at, rand=os.urandom)
        presentations.setdefault(proposal.query.id, []).append(shown)
    return {"vp_token": dict[str, Json](presentations)}


def record_message(shelf: Shelf, offer: CounterOffer, *, at: datetime) -> None:
    """Write down what a counter-offer tells, before anybody has it; once, however often it is saved."""
    with shelf.vault.transaction():
        entries = shelf.ledger()
        held = newest(copy for copy in shelf.copies() if is_current(copy, at))
        line = message_entry(offer, held, at=at, previous=entries[-1] if entries else None)
        told = ("verifier", "nonce", "shown", MESSAGE)
        if not any(all(one.get(name) == line[name] for name in told) for one in entries):
            shelf.write_line(line, rand=os.urandom)
