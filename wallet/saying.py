"""What the worker says to a statement: kept once, whatever formats its copies are in, and taken back from all."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

from vc.canon import Json
from vc.errors import Malformed, Unsupported
from wallet.answers import Answer, filed_under, sign_answers
from wallet.choose import Copy
from wallet.held import Statement, find
from wallet.shelf import Shelf
from work import CONTEXTS
from work.statement import Claims

_NEEDS_KEY: Final = (
    "no copy of it can carry your words: that takes a JSON-LD one bound to a key of yours; ask the platform"
)


def say(
    shelf: Shelf, type_name: str, name: str, claims: Claims, *, rand: Callable[[int], bytes]
) -> tuple[Statement, Answer, bool]:
    """Keep a reply or a dispute of the statement that ``name`` means; whether there was one before.

    Raises :class:`Malformed` for no such statement, or one of which no copy can carry it, and :class:`Unsupported`.
    """
    with shelf.vault.transaction():
        statement = find(shelf.copies(), name)
        filed = _names(statement)
        carrier = next(iter(_carriers(statement)), None)
        if carrier is None:
            raise Malformed(statement.name, _NEEDS_KEY, code="REPLY_NEEDS_KEY")
        answer = Answer.make(type_name, _filed(carrier), claims)
        replaced = shelf.take_back(type_name, filed)
        shelf.say(answer, rand=rand)
    return statement, answer, replaced


def take_back(shelf: Shelf, type_name: str, name: str) -> tuple[Statement, bool]:
    """Forget a reply or a dispute; whether there was one."""
    with shelf.vault.transaction():
        statement = find(shelf.copies(), name)
        return statement, shelf.take_back(type_name, _names(statement))


def signed_dispute(shelf: Shelf, name: str, *, at: datetime) -> Json:
    """The dispute of a statement as the platform takes it: signed by the key of one copy."""
    statement, keys = find(shelf.copies(), name), {key.did: key for key in shelf.signing_keys()}
    bound = next((one for one in _carriers(statement) if one.holder in keys), None)
    disputes = [one for one in bound.answers if one.type == "Dispute"] if bound else []
    if bound is None or not disputes:
        raise Malformed(statement.name, "you do not dispute it", code="NOT_FOUND")
    (signed,) = sign_answers(disputes[:1], bound.credential, key=keys[bound.holder or ""], contexts=CONTEXTS, at=at)
    return signed


def _carriers(statement: Statement) -> list[Copy]:
    return [one for one in statement.all if one.carries_answers]


def _names(statement: Statement) -> Collection[str]:
    """Where answers to it may be filed: an issuer may sign each format by another DID."""
    names = {filed_under(one.credential, own=one.own) for one in statement.all} - {""}
    if not names:
        raise Unsupported("reply", "to a statement of a kind that is not known here", code="NOT_ANSWERABLE")
    return names


def _filed(copy: Copy) -> str:
    return filed_under(copy.credential, own=copy.own)
