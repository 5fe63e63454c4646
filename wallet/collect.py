"""An offer from end to end: fetch what it promises, verify all of it, keep all or nothing, and tell the issuer."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from vc.canon import Json
from vc.errors import Finding, Rejected, VcError
from vc.jsonld import Contexts
from vc.offer import CredentialOffer
from wallet.accept import Accepted, Ask, accept, tell_accepted
from wallet.formats import FORMATS
from wallet.issuer_documents import issuer_documents
from wallet.receive import Received, issuer_of, receive
from wallet.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Collected:
    """What came of an offer."""

    issuer: str
    added: int
    deferred: tuple[str, ...]  # configurations that the platform has still to decide on
    told: bool  # whether the platform knows that it can erase its own copies

    def to_json(self) -> dict[str, Json]:
        """For scripts."""
        return {"issuer": self.issuer, "added": self.added, "deferred": list(self.deferred), "told": self.told}


async def collect(
    shelf: Shelf,
    offer: CredentialOffer,
    *,
    ask: Ask,
    tx_code: str | None,
    copies: int,
    contexts: Contexts,
    now: Callable[[], datetime],
    rand: Callable[[int], bytes],
    formats: Collection[str] = FORMATS,
) -> Collected:
    """Fetch, verify and keep ``copies`` of every credential of an offer, each bound to a key made for this offer: a key
    that has its copy already gets no second one.

    Raises what :func:`wallet.accept.accept` and :func:`wallet.receive.receive` do; then nothing was kept.
    """
    accepted = await accept(
        offer,
        ask=ask,
        tx_code=tx_code,
        holders=lambda count: shelf.make_keys(count, rand=rand),
        copies=copies,
        now=now,
        rand=rand,
        formats=formats,
    )
    at = now()
    added = shelf.add(await _verified(accepted, contexts=contexts, at=at), at=at, rand=rand)
    return Collected(accepted.issuer, added, accepted.deferred, await _told(accepted))


async def _verified(accepted: Accepted, *, contexts: Contexts, at: datetime) -> list[Received]:
    named = {f"credential {number} of {accepted.issuer}": one for number, one in enumerate(accepted.documents, start=1)}
    issuers = {issuer_of(one, where=where) for where, one in named.items()}
    documents = await issuer_documents(accepted.session, issuers)
    received = [
        receive(one, own=accepted.holders, contexts=contexts, at=at, where=where, documents=documents)
        for where, one in named.items()
    ]
    if any(one.holder is None for one in received):
        raise Rejected((Finding("NOT_MINE", "a credential is bound to no key: whoever copies it could show it"),))
    return received


async def _told(accepted: Accepted) -> bool:
    try:
        await tell_accepted(accepted)
    except VcError:
        return False
    return True
