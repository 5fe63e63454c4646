"""Sending an answer, and the ledger's word on it: written before anything leaves, and again where it was not taken."""

from collections.abc import Callable, Mapping
from datetime import datetime

from vc.canon import Json
from vc.errors import Undetermined, VcError
from vc.oid4vp import Request
from wallet.issuer_session import Ask
from wallet.ledger import answered_before, not_delivered
from wallet.online import Asked, send_answer
from wallet.shelf import Shelf


def was_answered(shelf: Shelf, request: Request) -> bool:
    """Whether the ledger knows an answer to this very request."""
    return answered_before(shelf.ledger(), request)


async def deliver(
    shelf: Shelf, asked: Asked, answer: Mapping[str, Json], *, ask: Ask, at: datetime, rand: Callable[[int], bytes]
) -> str | None:
    """Send an answer that the ledger has already; where the verifier wants the worker to go on.

    Raises the error of ours that tells why it was not taken, once the ledger has it too.
    """
    try:
        return await send_answer(asked, answer, ask=ask)
    except VcError as error:
        record_failure(shelf, asked.request, str(error), at=at, rand=rand)
        raise


def record_failure(shelf: Shelf, request: Request, why: str, *, at: datetime, rand: Callable[[int], bytes]) -> None:
    """Write down that the newest answer to a request was not taken: a line of its own, as none is ever changed."""
    with shelf.vault.transaction():
        entries = shelf.ledger()
        told = [one for one in entries if one.get("nonce") == request.nonce and one["verifier"] == request.client_id]
        if not told:
            raise Undetermined("the ledger has no line of this answer", "look at `wallet ledger`", code="GONE")
        line = not_delivered(told[-1], why[:300], at=at, previous=entries[-1])
        shelf.write_line(line, rand=rand)
