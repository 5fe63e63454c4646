"""Sending an answer, and the ledger's word on it: written before anything leaves, and again where it was not taken."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from vc.canon import Json
from vc.errors import Undetermined, VcError
from vc.oid4vp import Request
from wallet.issuer_session import Ask
from wallet.ledger import answer_to, not_delivered, sent_again
from wallet.online import Asked, send_answer
from wallet.shelf import Shelf


def was_answered(shelf: Shelf, request: Request) -> bool:
    """Whether the ledger knows an answer to this very request."""
    return answer_to(shelf.ledger(), request) is not None


async def deliver(
    asked: Asked, answer: Mapping[str, Json], *, ask: Ask, write_failure: Callable[[str], Awaitable[None]]
) -> str | None:
    """Send an answer that the ledger has already; where the verifier wants the worker to go on.

    Raises the error of ours that tells why it was not taken, once ``write_failure`` has it in the ledger too.
    """
    try:
        return await send_answer(asked, answer, ask=ask)
    except VcError as error:
        await write_failure(str(error))
        raise


def record_failure(shelf: Shelf, request: Request, why: str, *, at: datetime, rand: Callable[[int], bytes]) -> None:
    """Write down that the newest answer to a request was not taken: a line of its own, as none is ever changed."""
    _record_after(shelf, request, lambda line, last: not_delivered(line, why[:300], at=at, previous=last), rand)


def record_again(shelf: Shelf, request: Request, *, at: datetime, rand: Callable[[int], bytes]) -> None:
    """Write down that the newest answer to a request is sent once more."""
    _record_after(shelf, request, lambda line, last: sent_again(line, at=at, previous=last), rand)


def _record_after(
    shelf: Shelf,
    request: Request,
    make: Callable[[dict[str, Json], dict[str, Json]], dict[str, Json]],
    rand: Callable[[int], bytes],
) -> None:
    """Write what ``make`` makes of the line of the answer and the ledger's last."""
    with shelf.vault.transaction():
        entries = shelf.ledger()
        line = answer_to(entries, request)
        if line is None:
            raise Undetermined("the ledger has no line of this answer", "look at `wallet ledger`", code="GONE")
        shelf.write_line(make(line, entries[-1]), rand=rand)
