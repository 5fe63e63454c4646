"""What trust list is held, and how old it is: what every check stands on."""

from dataclasses import dataclass
from datetime import datetime

from vc.errors import VcError
from vc.trust import Trust
from vc.verify import Policy
from verifier.deps import Deps
from verifier.trust_store import freshness


@dataclass(frozen=True, slots=True)
class TrustState:
    """``state`` is fresh, ending, ended, empty or missing. The days are as in ``2026-11-24``."""

    state: str
    as_of: str = ""
    ends: str = ""
    age: int = 0
    issuers: tuple[tuple[str, str], ...] = ()  # names and legal identifiers
    lists: int = 0
    more: int = 0  # issuers that are not named here


MAX_NAMED = 200


def trust_state(deps: Deps) -> TrustState:
    """How it is now. A list that cannot be read trusts nobody."""
    try:
        trust = deps.trust()
    except VcError:
        return TrustState("missing")
    return _told(trust, deps.now())


def _told(trust: Trust, at: datetime) -> TrustState:
    fresh = freshness(trust, at, max_age=Policy(frozenset()).max_trust_age)
    issuers = tuple((one.name, one.legal_identifier) for one in trust.issuers)
    return TrustState(
        state=fresh.state if issuers else "empty",
        as_of=f"{fresh.as_of:%Y-%m-%d}",
        ends="" if fresh.expires is None else f"{fresh.expires:%Y-%m-%d}",
        age=max(0, fresh.age.days),
        issuers=issuers[:MAX_NAMED],
        lists=len(trust.status_lists) + len(trust.status_tokens),
        more=max(0, len(issuers) - MAX_NAMED),
    )
