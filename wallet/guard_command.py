"""What ``ouvrage wallet request`` and ``present`` have of the guard: the counter-offer, told, answered or written."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from vc.canon import Json, to_json
from vc.errors import Malformed
from vc.io.command import show
from vc.io.files import write_atomic
from wallet.answering import record_message
from wallet.guard import CounterOffer
from wallet.guard_words import counter_json, counter_lines, message, tell
from wallet.shelf import Shelf

CounterOffer_ = Annotated[
    bool,
    typer.Option(
        "--counter-offer",
        help="Answer with the smallest that serves the purpose; where that is not asked, write a message about it.",
    ),
]


def counter_text(offer: CounterOffer, lang: str) -> str:
    """What ``request`` says after the plan."""
    return "\n".join(["", *counter_lines(offer, lang)])


def counter_members(offer: CounterOffer) -> Mapping[str, Json]:
    """What ``request --json`` says beside the plan."""
    return {"counterOffer": counter_json(offer)}


def require_alone(*, counter_offer: bool, choose: object) -> None:
    """A counter-offer chooses by itself. Raises :class:`Malformed`."""
    if counter_offer and choose:
        raise Malformed("--counter-offer, --choose", "give one of them", code="USAGE")


def write_message(
    shelf: Shelf, offer: CounterOffer, out: Path | None, lang: str, *, at: datetime, as_json: bool
) -> bool:
    """Write the counter-offer as a message where no answer can hold it: whether that is so. No proof goes with it, but
    it says what such a proof would say, so that the ledger has it first.

    Raises :class:`Malformed` where there is nothing to offer at all.
    """
    if offer.purpose is None:
        why = "names no purpose that this wallet knows, so there is nothing to offer; ask what it is for"
        raise Malformed("the request", f"{why}; nothing was written", code="NO_PURPOSE")
    if not offer.offered:
        raise Malformed("--counter-offer", "nothing here has to be shown for it; nothing was written", code="NO_ANSWER")
    if not offer.instead:
        return False
    target = out or Path("counter-offer.json")
    told = message(offer)
    record_message(shelf, offer, at=at)
    write_atomic(target, to_json(told))
    show(
        {"message": str(target), **told},
        as_json=as_json,
        text=lambda: "\n".join([*counter_lines(offer, lang), "", tell("message_written", lang, path=str(target))]),
    )
    return True
