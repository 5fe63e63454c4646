"""Every disclosure, in a chain: each entry carries the digest of the one before, so that a missing or changed entry
shows. Beside the chain stands its *head*, the number and the digest of the newest entry: without it nobody could tell
that the newest were taken away. Both live in the vault, encrypted like everything else."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final

from vc.canon import Json, canonicalize
from vc.errors import Malformed
from vc.model import format_date_time
from vc.oid4vp import Request
from wallet.choose import Proposal, claim_name

START: Final = "0" * 64
BROKEN: Final = "LEDGER_BROKEN"


def entry(
    request: Request, proposals: Sequence[Proposal], *, at: datetime, previous: dict[str, Json] | None
) -> dict[str, Json]:
    """What was shown, to whom, why and until when they may keep it."""
    purpose = request.extra.get("purpose")
    return {
        "number": int(str(previous["number"])) + 1 if previous else 1,
        "previous": digest(previous) if previous else START,
        "at": format_date_time(at),
        "verifier": request.client_id,
        "purpose": purpose if isinstance(purpose, dict) else None,
        "shown": [_shown(proposal) for proposal in proposals],
        "headed": True,  # a head was kept when this was written: where there is none, it was taken away
    }


def _shown(proposal: Proposal) -> dict[str, Json]:
    return {
        "statement": proposal.copy.statement,
        "type": proposal.type,
        "ownImport": proposal.copy.own,
        "claims": [{"claim": claim_name(proposal, one), "value": one.value} for one in proposal.asked],
        "answers": [answer.to_json() for answer in proposal.copy.answers],
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
