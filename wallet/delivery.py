"""Sending an answer, and the ledger's word on it: written before anything leaves, and again where it was not taken."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from vc.canon import Json
from vc.errors import Undetermined, VcError
from vc.oid4vp import Request
from wallet.issuer_session import Ask
from wallet.ledger import answer_to, not_delivered, receipted, sent_again
from wallet.online import Asked, send_answer
from wallet.shelf import Shelf
from work.receipt import Receipt, verify_receipt


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """A verifier's receipt that was checked, and its text."""

    receipt: Receipt
    text: str


Outcome = str | SignedReceipt  # why an answer was not taken, or the receipt for it


def was_answered(shelf: Shelf, request: Request) -> bool:
    """Whether the ledger knows an answer to this very request."""
    return answer_to(shelf.ledger(), request) is not None


async def deliver(
    asked: Asked, answer: Mapping[str, Json], *, ask: Ask, at: datetime, write: Callable[[Outcome], Awaitable[None]]
) -> str | None:
    """Send an answer that the ledger has already; where the verifier wants the worker to go on.

    ``write`` puts a word on it into the ledger, too: why it was not taken, or the verifier's receipt. A receipt that is
    not what it should be is none. Raises the error of ours that tells why the answer was not taken.
    """
    try:
        taken = await send_answer(asked, answer, ask=ask)
    except VcError as error:
        await write(str(error))
        raise
    receipt = _receipt(asked, taken.receipt, at)
    if receipt is not None:
        await write(receipt)
    return taken.redirect


def _receipt(asked: Asked, text: str | None, at: datetime) -> SignedReceipt | None:
    try:
        request = asked.request
        about = {"client_id": request.client_id, "nonce": request.nonce}
        read = verify_receipt(text or "", **about, roots=asked.roots, documents=asked.documents, at=at)
    except VcError:
        return None
    return SignedReceipt(read, text or "")


def record(shelf: Shelf, request: Request, outcome: Outcome, *, at: datetime, rand: Callable[[int], bytes]) -> None:
    """Write down what became of the newest answer to a request: a line of its own, as none is ever changed."""
    if isinstance(outcome, SignedReceipt):
        told = {**outcome.receipt.to_json(), "jws": outcome.text}
        _record_after(shelf, request, lambda line, last: receipted(line, told, at=at, previous=last), rand)
    else:
        record_failure(shelf, request, outcome, at=at, rand=rand)


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
