"""What a platform gives, from end to end: fetch it, verify it, keep what is right, and tell the platform.

A credential is kept with all its copies or not at all; one that is refused or wrong holds up no other.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from vc.canon import Json
from vc.documents import Documents
from vc.errors import Finding, Rejected, Undetermined, VcError
from vc.io.command import problem
from vc.jsonld import Contexts
from vc.oid4vci import EVENTS
from wallet.accept import CLIENT, GivenOffer, claim
from wallet.choose import Copy
from wallet.fetching import Accepted, Arrived, Failed, fetch_copies, tell, wanted_by
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
    failed: tuple[Failed, ...] = ()  # of which nothing was kept
    left_out: Mapping[str, str] = field(default_factory=dict)  # what is not for this wallet, and why: a code

    def to_json(self) -> dict[str, Json]:
        """For scripts."""
        return {
            "issuer": self.issuer,
            "added": self.added,
            "deferred": list(self.deferred),
            "leftOut": dict[str, Json](self.left_out),
            "told": self.told,
            "failed": failed_json(self.failed),
        }


def failed_json(failed: Sequence[Failed]) -> list[Json]:
    """What did not come, for scripts."""
    return [{"configuration": one.dataset.configuration, "error": problem(one.error)} for one in failed]


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

    Raises what :func:`wallet.accept.claim` does, and where nothing comes what it failed for; then nothing was kept.
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
        raise Undetermined(what, "run: ouvrage wallet refresh", code="OFFER_INTERRUPTED") from None
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
    """Verify what arrived, and keep what is right in one step with what is now known of the grant; then tell the
    platform.

    Copies of a credential that the new ones take the place of are retired in the same step, and so are those bound to
    the keys ``instead_of``; so does the promise that this fulfils. What the platform refuses for good is not asked for
    again. Where nothing came that can be kept, raises what was wrong, with nothing lost.
    """
    session = accepted.session
    right, wrong = await _verified(accepted, contexts=contexts, at=session.now())
    failed = (*accepted.failed, *wrong)
    with shelf.vault.transaction():
        wanted = [(each, received) for each, received in right if _is_wanted(shelf, grant.id, each.dataset)]
        added = shelf.add([one for _, received in wanted for one in received], at=session.now(), rand=session.rand)
        retired = _take_over(shelf, grant, wanted, instead_of)
        give_up(shelf, grant, [one.dataset for one in failed if _is_final(one)])
        keep_promises(shelf.vault, accepted.pending)
        drop_promises(shelf.vault, [] if kept_promise is None or not right else [kept_promise])
    told = [await tell(session, each.notification, ACCEPTED) for each, _ in right if each.notification]
    named = {one.dataset for one in wrong}
    for each in accepted.arrived:
        if each.dataset in named:
            await tell(session, each.notification, FAILURE)
    if failed and not (right or accepted.pending):
        raise next((one.error for one in failed if isinstance(one.error, Undetermined)), failed[0].error)
    deferred = tuple(one.dataset.configuration for one in accepted.pending)
    return Collected(accepted.issuer, added, deferred, all(told), retired, failed, session.left_out)


def current(shelf: Shelf, grant: Grant) -> Grant:
    """The grant as it stands in the vault now."""
    return next((one for one in grants(shelf.vault) if one.id == grant.id), grant)


def give_up(shelf: Shelf, grant: Grant, refused: Sequence[Dataset]) -> None:
    """Never ask for these of a grant again: it takes a new offer."""
    if refused:
        known = current(shelf, grant)
        over = [any(one.is_same(other) for other in refused) for one in known.datasets]
        datasets = tuple(
            replace(one, wanted=one.wanted and not gone) for one, gone in zip(known.datasets, over, strict=True)
        )
        keep_grant(shelf.vault, replace(known, datasets=datasets))


def is_denied(error: VcError) -> bool:
    """Whether the platform said no for good."""
    return isinstance(error, Rejected) and any(one.code == "ISSUER_DENIED" for one in error.findings)


def _is_final(one: Failed) -> bool:
    """Whether not to ask for it again: a no is a no, and what never came right is a matter for a new offer."""
    return is_denied(one.error) or (not one.dataset.batch and not isinstance(one.error, Undetermined))


def _is_wanted(shelf: Shelf, grant: bytes, dataset: Dataset) -> bool:
    """The worker may have deleted it while it was on its way."""
    mine = (one for known in grants(shelf.vault) if known.id == grant for one in known.datasets)
    return any(one.wanted and one.is_same(dataset) for one in mine)


def _take_over(
    shelf: Shelf, grant: Grant, arrived: Iterable[tuple[Arrived, Sequence[Received]]], instead_of: Sequence[str]
) -> int:
    """Write down what the copies of each credential are now called, and retire what they take the place of."""
    held, known, old = shelf.copies(), current(shelf, grant), list[Copy]()
    for each, (first, *_) in arrived:
        new = next(one for one in held if (one.batch, one.holder) == (_batch(first), first.holder))
        old += _replaced(held, new, each.dataset.batch, instead_of)
        known = known.with_dataset(replace(each.dataset, batch=new.batch, notification=each.notification))
        keep_grant(shelf.vault, known)
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
            and all(any(other.wanted and _covers(other, each) for other in new.datasets) for each in one.datasets)
        ]
        drop_grants(shelf.vault, over)


def _covers(new: Dataset, old: Dataset) -> bool:
    """Whether both are one credential: by the issuer's name for it, or by what it says."""
    named = old.identifier is not None and new.is_same(old)
    return named or (old.batch != "" and new.batch == old.batch)


async def _verified(
    accepted: Accepted, *, contexts: Contexts, at: datetime
) -> tuple[list[tuple[Arrived, list[Received]]], list[Failed]]:
    """What arrived and is right, and what is not: with one copy that is wrong, a credential is."""
    right: list[tuple[Arrived, list[Received]]] = []
    wrong: list[Failed] = []
    known: dict[frozenset[str], Documents] = {}
    number = 0
    for each in accepted.arrived:
        named = {
            f"credential {place} of {accepted.issuer}": one for place, one in enumerate(each.documents, number + 1)
        }
        number += len(named)
        try:
            issuers = frozenset(issuer_of(one, where=where) for where, one in named.items())
            if issuers not in known:
                known[issuers] = await issuer_documents(accepted.session, issuers)
            received = _received(named, accepted, known[issuers], contexts, at)
        except VcError as error:
            wrong.append(Failed(each.dataset, error))
        else:
            right.append((each, received))
    return right, wrong


def _received(
    named: Mapping[str, Json], accepted: Accepted, documents: Documents, contexts: Contexts, at: datetime
) -> list[Received]:
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
