"""Every disclosure, in a chain: each entry carries the digest of the one before, so that a missing or changed entry
shows. Beside the chain stands its *head*, the number and the digest of the newest entry: without it nobody could tell
that the newest were taken away. Both live in the vault, encrypted like everything else."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final

from vc.canon import Json, canonicalize
from vc.errors import Malformed
from vc.model import format_date_time
from vc.oid4vp import Request
from wallet.choice import claim_name
from wallet.choose import Copy, Proposal
from wallet.guard import CounterOffer, Offered

START: Final = "0" * 64
BROKEN: Final = "LEDGER_BROKEN"
MESSAGE: Final = "counterOffer"  # a member of a line whose claims were told in a message, without a proof


def entry(
    request: Request, proposals: Sequence[Proposal], *, at: datetime, previous: dict[str, Json] | None
) -> dict[str, Json]:
    """What was shown, to whom, why and until when they may keep it."""
    return _line(request, [_shown(proposal) for proposal in proposals], at, previous)


def message_entry(
    offer: CounterOffer, held: Mapping[str, Copy], *, at: datetime, previous: dict[str, Json] | None
) -> dict[str, Json]:
    """What a counter-offer says of the statements in ``held``, by type: no proof goes with it, and yet it is told."""
    kinds = dict.fromkeys(one.type for one in offer.offered)
    told: list[Json] = [
        _told(held[kind], [one for one in offer.offered if one.type == kind]) for kind in kinds if kind in held
    ]
    return {**_line(offer.request, told, at, previous), MESSAGE: True}


def _line(request: Request, shown: list[Json], at: datetime, previous: dict[str, Json] | None) -> dict[str, Json]:
    purpose = request.extra.get("purpose")
    return {
        "number": int(str(previous["number"])) + 1 if previous else 1,
        "previous": digest(previous) if previous else START,
        "at": format_date_time(at),
        "verifier": request.client_id,
        "purpose": purpose if isinstance(purpose, dict) else None,
        "shown": shown,
        "nonce": request.nonce,
        "headed": True,  # a head was kept when this was written: where there is none, it was taken away
    }


def sent_again(line: dict[str, Json], *, at: datetime, previous: dict[str, Json]) -> dict[str, Json]:
    """A line that says that what an earlier one says is sent once more."""
    number = int(str(previous["number"])) + 1
    return {**line, "number": number, "previous": digest(previous), "at": format_date_time(at)}


def not_delivered(line: dict[str, Json], why: str, *, at: datetime, previous: dict[str, Json]) -> dict[str, Json]:
    """A line that says of an earlier one that its verifier did not take what was sent."""
    return {
        "number": int(str(previous["number"])) + 1,
        "previous": digest(previous),
        "at": format_date_time(at),
        "verifier": line["verifier"],
        "purpose": line["purpose"],
        "shown": [],
        "nonce": line.get("nonce"),
        "notDelivered": line["number"],
        "why": why,
    }


def answer_to(entries: Sequence[dict[str, Json]], request: Request) -> dict[str, Json] | None:
    """The newest line that says what this very request was answered with; None where it was not."""
    asked = (request.client_id, request.nonce)
    answers = (one for one in reversed(entries) if "notDelivered" not in one and MESSAGE not in one)
    return next((one for one in answers if (one["verifier"], one.get("nonce")) == asked), None)


def _shown(proposal: Proposal) -> dict[str, Json]:
    return {
        "statement": proposal.copy.statement,
        "type": proposal.type,
        "ownImport": proposal.copy.own,
        "claims": [{"claim": claim_name(proposal, one), "value": one.value} for one in proposal.asked],
        "answers": [answer.to_json() for answer in proposal.copy.answers],
        "format": proposal.copy.suite,
    }


def _told(copy: Copy, offered: Sequence[Offered]) -> dict[str, Json]:
    claims: list[Json] = [{"claim": f"{one.type}.{one.claim}", "value": one.rung} for one in offered if one.claim]
    return {
        "statement": copy.statement,
        "type": copy.type,
        "ownImport": copy.own,
        "claims": claims,
        "answers": [],
        "format": copy.suite,
    }


def digest(entry_: dict[str, Json]) -> str:
    """SHA-256 over the canonical JSON of an entry."""
    return sha256(canonicalize(entry_)).hexdigest()


def check_chain(entries: Sequence[dict[str, Json]]) -> None:
    """Raise :class:`Malformed` where the chain of entries, oldest first, is broken."""
    expected = START
    for number, each in enumerate(entries, start=1):
        if each.get("number") != number or each.get("previous") != expected:
            raise Malformed(f"ledger entry {number}", "missing or changed", code=BROKEN)
        expected = digest(each)


def head(newest: dict[str, Json]) -> dict[str, Json]:
    """What is kept beside the chain."""
    return {"number": newest["number"], "digest": digest(newest)}


def check_head(entries: Sequence[dict[str, Json]], kept: Sequence[Json]) -> None:
    """Raise :class:`Malformed` where the chain does not end with the entry of its head. ``kept`` is empty in a vault
    from before heads were kept."""
    if not kept and not any("headed" in each for each in entries):
        return
    if len(kept) != 1 or not entries or kept[0] != head(entries[-1]):
        raise Malformed("the newest ledger entry", "missing or changed", code=BROKEN)
