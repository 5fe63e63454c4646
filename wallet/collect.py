"""What a platform gives, from end to end: fetch it, verify all of it, keep all or nothing, and tell the platform."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from vc.canon import Json
from vc.errors import Finding, Rejected, Undetermined, VcError
from vc.jsonld import Contexts
from vc.oid4vci import EVENTS
from wallet.accept import CLIENT, GivenOffer, claim
from wallet.choose import Copy
from wallet.fetching import Accepted, fetch_copies, tell, wanted_by
from wallet.formats import SENSIBLE
from wallet.grants import Dataset, Grant, drop_grants, grants, keep_grant
from wallet.issuer_documents import issuer_documents
from wallet.issuer_metadata import batch_size
from wallet.issuer_session import Ask, Session
from wallet.key_proofs import keys_for
from wallet.keys import HolderKey
from wallet.login import finish, take_login
from wallet.pending import drop_promises, keep_promises, promises
from wallet.receive import Received, issuer_of, receive, same_batch
from wallet.retire import keys_used_or_dropped, retire
from wallet.shelf import Shelf

ACCEPTED, FAILURE, DELETED = EVENTS


@dataclass(frozen=True, slots=True)
class Collected:
    """What came of an offer."""

    issuer: str
    added: int
    deferred: tuple[str, ...]  # configurations that the platform has still to decide on
    told: bool  # whether the platform knows that it can erase its own copies
    retired: int = 0  # copies that newer ones took the place of
    left_out: Mapping[str, str] = field(
        default_factory=dict
    )  # configurations that are not for this wallet, and why: a code

    def to_json(self) -> dict[str, Json]:
        """For scripts."""
        return {
            "issuer": self.issuer,
            "added": self.added,
            "deferred": list(self.deferred),
            "leftOut": dict[str, Json](self.left_out),
            "told": self.told,
        }


async def collect(
    shelf: Shelf,
    offer: GivenOffer,
    *,
    ask: Ask,
    tx_code: str | None,
    copies: int,
    contexts: Contexts,
    now: Callable[[], datetime],
    rand: Callable[[int], bytes],
    client: str = CLIENT,
    formats: Collection[str] = SENSIBLE,
) -> Collected:
    """Fetch, verify and keep ``copies`` of every credential of an offer, each bound to a key made for this offer: a key
    that has its copy already gets no second one.

    Raises what :func:`wallet.accept.claim` and :func:`wallet.receive.receive` do; then nothing was kept.
    """
    session, grant = await claim(
        offer, ask=ask, tx_code=tx_code, client=client, copies=copies, now=now, rand=rand, formats=formats
    )
    return await _collect(shelf, session, grant, contexts=contexts)


async def collect_login(
    shelf: Shelf,
    redirected: str,
    *,
    ask: Ask,
    contexts: Contexts,
    now: Callable[[], datetime],
    rand: Callable[[int], bytes],
) -> Collected:
    """:func:`collect` for an offer with a login, once the browser was sent to ``redirected``: that counts once."""
    login = take_login(shelf.vault, redirected, at=now())
    try:
        session, grant = await finish(login, redirected, ask=ask, now=now, rand=rand)
    except Undetermined as error:
        raise Undetermined(str(error), "then begin again with the same offer", code=error.code) from None
    return await _collect(shelf, session, grant, contexts=contexts)


async def _collect(shelf: Shelf, session: Session, grant: Grant, *, contexts: Contexts) -> Collected:
    """The offer is used up, so the grant is written down before anything else: a refresh can finish this."""
    grant = keep_grant(shelf.vault, grant)
    grant = keep_grant(shelf.vault, replace(grant, copies=min(grant.copies, batch_size(session.metadata))))
    try:
        keys = make_keys(shelf, session, grant, grant.datasets)
        with keys_used_or_dropped(shelf.vault, keys):
            accepted = await fetch_copies(session, grant, grant.datasets, keys)
            collected = await keep(shelf, grant, accepted, contexts=contexts)
    except Undetermined as error:
        what = f"{error}. Your offer is used, but this wallet can go on with it"
        raise Undetermined(what, "run: ouvrage wallet refresh", code=error.code) from None
    except VcError:
        drop_grants(shelf.vault, [grant.id])
        raise
    _drop_replaced(shelf, grant.id)
    return collected


def make_keys(shelf: Shelf, session: Session, grant: Grant, datasets: Sequence[Dataset]) -> tuple[HolderKey, ...]:
    """A key for each copy, of every kind that the issuer takes for some of ``datasets``; kept before they are named."""
    count = min(grant.copies, batch_size(session.metadata))
    return keys_for(wanted_by(session, datasets), lambda kind: shelf.make_keys(count, rand=session.rand, kind=kind))


async def keep(
    shelf: Shelf,
    grant: Grant,
    accepted: Accepted,
    *,
    contexts: Contexts,
    instead_of: Sequence[str] = (),
    kept_promise: bytes | None = None,
) -> Collected:
    """Verify what arrived, and keep it in one step with what is now known of the grant; then tell the platform.

    Copies of a credential that the new ones take the place of are retired in the same step, and so are those bound to
    the keys ``instead_of``; so does the promise that this fulfils. Raises with nothing kept, nothing lost, and the
    platform told so.
    """
    session = accepted.session
    try:
        received = await _verified(accepted, contexts=contexts, at=session.now())
    except VcError:
        for each in accepted.arrived:
            await tell(session, each.notification, FAILURE)
        raise
    with shelf.vault.transaction():
        added = shelf.add(received, at=session.now(), rand=session.rand)
        retired = _take_over(shelf, grant, accepted, received, instead_of)
        keep_promises(shelf.vault, accepted.pending)
        drop_promises(shelf.vault, [] if kept_promise is None else [kept_promise])
    told = [await tell(session, each.notification, ACCEPTED) for each in accepted.arrived if each.notification]
    deferred = tuple(one.dataset.configuration for one in accepted.pending)
    return Collected(accepted.issuer, added, deferred, all(told), retired, session.left_out)


def _take_over(
    shelf: Shelf, grant: Grant, accepted: Accepted, received: Sequence[Received], instead_of: Sequence[str]
) -> int:
    """Write down what the copies of each credential are now called, and retire what they take the place of."""
    held, position, old = shelf.copies(), 0, list[Copy]()
    for each in accepted.arrived:
        first = received[position]
        position += len(each.documents)
        new = next(one for one in held if (one.batch, one.holder) == (_batch(first), first.holder))
        old += _replaced(held, new, each.dataset.batch, instead_of)
        grant = grant.with_dataset(replace(each.dataset, batch=new.batch, notification=each.notification))
    keep_grant(shelf.vault, grant)
    return retire(shelf.vault, old, held)


def _batch(one: Received) -> str:
    """What the shelf calls it."""
    return same_batch(one.credential, own=one.own)


def _replaced(held: Sequence[Copy], new: Copy, name: str, instead_of: Sequence[str]) -> list[Copy]:
    """The copies that nobody needs any more: of what the platform says anew, in the same words and not for a shorter
    time; and of the same, bound to keys that are to go."""
    earlier = [one for one in held if one.batch == name and one.id != new.id]
    if name != new.batch:
        return [one for one in earlier if one.type == new.type and _outlasts(new, one)]
    return [one for one in earlier if one.holder in instead_of]


def _outlasts(new: Copy, old: Copy) -> bool:
    ends, ended = new.valid_until, old.valid_until
    return ends is None or (ended is not None and ends >= ended)


def _drop_replaced(shelf: Shelf, newest: bytes) -> None:
    """Forget earlier grants of the same issuer whose credentials all come by the newest one, too."""
    with shelf.vault.transaction():
        known = grants(shelf.vault)
        new = next(one for one in known if one.id == newest)
        waiting = {one.grant for one in promises(shelf.vault)}
        over = [
            one.id
            for one in known
            if one.id != newest
            and one.id not in waiting
            and one.issuer == new.issuer
            and all(any(_covers(other, each) for other in new.datasets) for each in one.datasets)
        ]
        drop_grants(shelf.vault, over)


def _covers(new: Dataset, old: Dataset) -> bool:
    """Whether both are one credential: by the issuer's name for it, or by what it says."""
    named = old.identifier is not None and new.is_same(old)
    return named or (old.batch != "" and new.batch == old.batch)


async def _verified(accepted: Accepted, *, contexts: Contexts, at: datetime) -> list[Received]:
    named = {f"credential {number} of {accepted.issuer}": one for number, one in enumerate(accepted.documents, start=1)}
    issuers = {issuer_of(one, where=where) for where, one in named.items()}
    documents = await issuer_documents(accepted.session, issuers)
    received = [
        replace(
            receive(one, own=accepted.holders, contexts=contexts, at=at, where=where, documents=documents),
            platform=accepted.issuer,
        )
        for where, one in named.items()
    ]
    if any(one.holder is None for one in received):
        raise Rejected((Finding("NOT_MINE", "a credential is bound to no key: whoever copies it could show it"),))
    return received
