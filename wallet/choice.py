"""What the worker leaves in of what would be shown: never more than what was asked."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from vc.errors import Malformed
from wallet.choose import Disclosure, Plan, Proposal
from wallet.sdjwt import read_kept, shown_with
from work.types import TYPES
from work.vct import claims_pointer


def only(plan_: Plan, claims: Collection[str]) -> Plan:
    """The plan with only these claims, named ``Earnings.averageAtLeast12m`` or ``Earnings`` for a whole credential.

    Raises :class:`Malformed` for a claim that the request does not ask for: the wallet never volunteers one.
    """
    offered = {name for proposal in plan_.proposals for name in names(proposal)}
    unknown = sorted(set(claims) - offered)
    if unknown:
        raise Malformed("--choose", f"{unknown[0][:80]} is not among what would be shown", code="NOT_ASKED")
    kept = [_only(proposal, claims) for proposal in plan_.proposals]
    return replace(plan_, proposals=tuple(proposal for proposal in kept if proposal is not None))


def _only(proposal: Proposal, claims: Collection[str]) -> Proposal | None:
    if proposal.type in claims:
        return proposal
    chosen = {one.claim for one in proposal.asked if claim_name(proposal, one) in claims}
    kind = TYPES.get(proposal.type)
    with_it = {needed for name in chosen if kind and name in kind.claims for needed in kind.claims[name].needs}
    asked = tuple(one for one in proposal.asked if one.claim in chosen | with_it)
    if kind is None and isinstance(proposal.copy.document, str):  # what is seen with it, whatever was chosen
        held = read_kept(proposal.copy.document)
        seen = set(shown_with(held, [claims_pointer(None, one.pointer) for one in asked]))
        asked = tuple(one for one in proposal.asked if claims_pointer(None, one.pointer) in seen)
    return replace(proposal, asked=asked) if chosen else None


def names(proposal: Proposal) -> Mapping[str, None]:
    """What ``only`` can be told of a proposal, in order."""
    return dict.fromkeys([proposal.type, *(claim_name(proposal, one) for one in proposal.asked)])


def claim_name(proposal: Proposal, one: Disclosure) -> str:
    """``Earnings.monthly``, whichever month of it would be shown."""
    return f"{proposal.type}.{one.claim}"
