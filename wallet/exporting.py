"""The only way to get something readable out of the vault: one copy of one credential, which the worker names."""

from datetime import datetime

from vc.canon import Json
from vc.oid4vp import Request
from vc.sealing import Rand
from wallet import words
from wallet.choose import Copy
from wallet.ledger import entry
from wallet.shelf import CREDENTIAL, Shelf
from wallet.vault import Item


def to_export(shelf: Shelf, statement: str) -> Copy:
    """The copy of a statement that would leave. Raises :class:`Malformed` ``NOT_FOUND``."""
    copies = shelf.copies()
    named = words.find(copies, statement).statement
    # One that was shown already, where there is one: it is of no more use as a single-use copy.
    return max((one for one in copies if one.statement == named), key=lambda one: one.shown)


def export(shelf: Shelf, copy: Copy, *, at: datetime, rand: Rand) -> Json:
    """Write down that a copy leaves the vault, and count it as shown, before it does; the copy as it was received."""
    with shelf.vault.transaction():
        item = next(one for one in shelf.vault.items(CREDENTIAL) if one.id == copy.id)
        assert isinstance(item.body, dict)
        shown = {**item.body, "shown": int(str(item.body["shown"])) + 1}
        entries = shelf.ledger()
        nobody = Request(client_id="export", nonce="", queries=(), sets=(), extra={})
        line = entry(nobody, (), at=at, previous=entries[-1] if entries else None)
        everything: list[Json] = [{"claim": copy.type, "value": ""}]
        said: list[Json] = [answer.to_json() for answer in copy.answers]
        line["shown"] = [
            {
                "statement": copy.statement,
                "type": copy.type,
                "ownImport": copy.own,
                "claims": everything,
                "answers": said,
            }
        ]
        shelf.vault.replace([Item(item.id, item.kind, shown)])
        shelf.write_line(line, rand=rand)
    return item.body["document"]
