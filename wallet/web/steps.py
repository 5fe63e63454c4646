"""What the pages have the wallet do, and nothing of how it looks: one function for each thing that a worker does."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from vc.canon import Json, canonicalize
from vc.errors import Malformed, Unsupported
from vc.oid4vp import Request
from wallet import words
from wallet.answers import Answer, filed_under, sign_answers
from wallet.choose import Copy, Plan, only, plan
from wallet.guard import CounterOffer, counter_offer
from wallet.ledger import BROKEN
from wallet.present import present
from wallet.receive import read_credentials, receive
from wallet.shelf import Shelf
from work import CONTEXTS
from work.statement import Claims


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
    copies = shelf.copies()
    copy = words.find(copies, statement)
    if not _carriers(copies, copy):
        why = "no copy of it can carry your words: that takes a JSON-LD one bound to a key of yours; ask the platform"
        raise Malformed(copy.statement, why, code="REPLY_NEEDS_KEY")
    return shelf.say(Answer.make(type_name, _filed(copy), claims), rand=os.urandom)


def take_back(shelf: Shelf, type_name: str, statement: str) -> bool:
    """Forget what the worker said to a statement; whether they had said something."""
    return shelf.take_back(type_name, _filed(words.find(shelf.copies(), statement)))


def signed_dispute(shelf: Shelf, statement: str, *, at: datetime) -> Json:
    """The dispute of a statement as the platform takes it: signed by the key of one copy."""
    copies, keys = shelf.copies(), {key.did: key for key in shelf.signing_keys()}
    named = words.find(copies, statement)
    bound = [one for one in _carriers(copies, named) if one.holder in keys]
    disputes = [one for copy in bound for one in copy.answers if one.type == "Dispute"]
    if not disputes:
        raise Malformed(named.statement, "you do not dispute it", code="NOT_FOUND")
    key = keys[bound[0].holder or ""]
    (signed,) = sign_answers(disputes[:1], bound[0].credential, key=key, contexts=CONTEXTS, at=at)
    return signed


def new_keys(shelf: Shelf, count: int) -> dict[str, Json]:
    """New single-use keys, as the platform takes them: nothing in it is secret."""
    return {"keys": [key.did for key in shelf.make_keys(count, rand=os.urandom)]}


def _carriers(copies: Sequence[Copy], named: Copy) -> list[Copy]:
    """The copies of a statement that what the worker says to it can go with."""
    filed = filed_under(named.credential, own=named.own)
    return [one for one in copies if one.carries_answers and filed_under(one.credential, own=one.own) == filed]


def _filed(copy: Copy) -> str:
    filed = filed_under(copy.credential, own=copy.own)
    if not filed:
        raise Unsupported("reply", "to a statement of a kind that is not known here", code="NOT_ANSWERABLE")
    return filed
