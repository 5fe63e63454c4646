"""What a showing makes linkable: by what of it somebody who sees two showings could tell that it is the same person."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wallet.choose import Disclosure, Proposal
from work.types import TYPES


class Reason(StrEnum):
    """Why a showing can be recognised."""

    type = "type"  # the statement is about one person by nature
    words = "words"  # the worker's own words go with it
    shown = "shown"  # this very copy was shown before
    figures = "figures"  # exact amounts, numbers and dates, that few people share
    rare = "rare"  # names and texts that few people share
    unbound = "unbound"  # bound to no key: whoever has the file can show it


@dataclass(frozen=True, slots=True)
class Trace:
    """One reason, and the claims that it speaks of."""

    reason: Reason
    claims: tuple[str, ...] = ()
    times: int = 0  # how often the copy was shown before


# Shapes of values (work.types): what is counted, measured or dated; what is written freely. Rungs, closed lists of
# words and currencies are neither: many people have the same.
_FIGURES: Final = frozenset(
    {
        "count",
        "date",
        "figure",
        "hours",
        "km",
        "measured",
        "money",
        "month",
        "monthCount",
        "monthHours",
        "monthMoney",
        "share",
        "slotShare",
        "typeCount",
        "valueCount",
        "yearMoney",
        "aspect",
        "aspectValue",
        "percentile",
    }
)
_RARE: Final = frozenset({"digest", "esco", "link", "longText", "passage", "prose", "text", "title"})


def traces(proposal: Proposal) -> Iterator[Trace]:
    """Everything by which a showing of this proposal could be recognised, the surest first."""
    kind = TYPES.get(proposal.type)
    if kind is not None and kind.identifies:
        yield Trace(Reason.type)
    if proposal.copy.answers:
        yield Trace(Reason.words)
    if proposal.copy.shown:
        yield Trace(Reason.shown, times=proposal.copy.shown)
    if kind is None or not kind.identifies:
        for reason, shapes in ((Reason.figures, _FIGURES), (Reason.rare, _RARE)):
            claims = tuple(dict.fromkeys(one.claim for one in proposal.asked if _shape(proposal, one) in shapes))
            if claims:
                yield Trace(reason, claims)
    if proposal.copy.holder is None:
        yield Trace(Reason.unbound)


def _shape(proposal: Proposal, one: Disclosure) -> str:
    """The shape of a claim. What is not known here, and a whole subject at once, is as rare as can be; what is always
    shown is coarse by design."""
    kind = TYPES.get(proposal.type)
    claim = kind.claims.get(one.claim) if kind else None
    if claim is None:
        return "text"
    return "" if claim.mandatory else claim.kind
