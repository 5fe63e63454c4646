"""Coming back to platforms (OpenID4VCI §9, §13.5): for what they promised, for new copies before the old ones run out,
and for copies bound to new keys when the worker changes devices.

The order of things is what keeps a killed wallet whole: a new refresh token is on the disk before anything is fetched
with it, new keys before they are named to anybody, and old copies go only in the step that keeps the new ones.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from vc.canon import Json
from vc.errors import Finding, Rejected, Undetermined, VcError
from vc.io.command import problem
from vc.jsonld import Contexts
from vc.model import format_date_time
from wallet.choose import Copy, times_seen
from wallet.collect import keep, make_keys
from wallet.fetching import fetch_copies, fetch_deferred
from wallet.grants import Dataset, Grant, drop_grants, grants, keep_grant
from wallet.issuer_metadata import discover
from wallet.issuer_session import Ask, Session
from wallet.pending import Pending, drop_promises, keep_promises, promises
from wallet.retire import keys_used_or_dropped
from wallet.shelf import Shelf
from wallet.tokens import UNRENEWABLE, renew

DAYS: Final = 10  # before the end of a credential that a new one is fetched
FEW: Final = 2  # unshown copies of which there are to be at least so many
SPARE: Final = timedelta(seconds=30)  # that an access token is to be good for when it is used
ANSWERED_WITHIN: Final = timedelta(minutes=1)  # a refresh that began this short a time ago may be under way


class Reason(StrEnum):
    """Why a platform is asked for new copies."""

    MISSING = "missing"  # the offer was used, and nothing came
    EXPIRES = "expires"
    FEW = "few"
    REBIND = "rebind"


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done for one grant: ``reasons`` says for which of its credentials, ``due`` what was promised."""

    grant: Grant
    reasons: tuple[tuple[str, Reason], ...]  # by configuration
    due: tuple[Pending, ...]
    waiting: tuple[Pending, ...]  # promised, and not to be asked for yet
    old_keys: tuple[str, ...] = ()

    @property
    def is_idle(self) -> bool:
        """Whether nobody has to be asked for anything."""
        return not self.reasons and not self.due

    def to_json(self) -> dict[str, Json]:
        """For scripts."""
        return {
            "issuer": self.grant.issuer,
            "renew": [{"configuration": name, "reason": str(reason)} for name, reason in self.reasons],
            "fetch": [one.dataset.configuration for one in self.due],
            "waiting": [
                {"configuration": one.dataset.configuration, "notBefore": format_date_time(one.not_before)}
                for one in self.waiting
            ],
        }


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What came of a task. Where ``error`` is set, what was there before it is still there."""

    task: Task
    added: int = 0
    retired: int = 0
    deferred: tuple[str, ...] = ()
    error: VcError | None = None

    def to_json(self) -> dict[str, Json]:
        """For scripts."""
        return {
            **self.task.to_json(),
            "added": self.added,
            "retired": self.retired,
            "deferred": list(self.deferred),
            "error": problem(self.error) if self.error else None,
        }


def due(shelf: Shelf, *, at: datetime, days: int = DAYS, rebind: bool = False) -> tuple[Task, ...]:
    """What is to be done for every grant of the vault, as of ``at``. Nobody is asked anything."""
    copies, open_ = shelf.copies(), promises(shelf.vault)
    held = tuple(copy.holder for copy in copies if copy.holder)
    return tuple(_task(grant, copies, open_, at, days, held if rebind else ()) for grant in grants(shelf.vault))


def _task(
    grant: Grant, copies: Sequence[Copy], open_: Sequence[Pending], at: datetime, days: int, old_keys: tuple[str, ...]
) -> Task:
    mine = [one for one in open_ if one.grant == grant.id]
    promised = [one.dataset for one in mine]
    reasons = tuple(
        (dataset.configuration, reason)
        for dataset in grant.datasets
        if dataset.wanted
        and not any(dataset.is_same(one) for one in promised)
        and (reason := _reason(grant, dataset, copies, at, days, rebind=bool(old_keys))) is not None
    )
    return Task(
        grant,
        reasons,
        tuple(one for one in mine if one.not_before <= at),
        tuple(one for one in mine if one.not_before > at),
        tuple(dict.fromkeys(old_keys)),
    )


def _reason(
    grant: Grant, dataset: Dataset, copies: Sequence[Copy], at: datetime, days: int, *, rebind: bool
) -> Reason | None:
    held = [copy for copy in copies if copy.batch == dataset.batch]
    if not held:
        return Reason.MISSING
    if rebind:
        return Reason.REBIND
    soon = at + timedelta(days=days)
    lasting = [copy for copy in held if copy.valid_until is None or copy.valid_until > soon]
    if not lasting:
        return Reason.EXPIRES
    seen = times_seen(copies)
    fresh = sum(1 for copy in lasting if seen(copy) == 0)
    return Reason.FEW if fresh < min(FEW, grant.copies) else None


async def refresh(
    shelf: Shelf,
    tasks: Sequence[Task],
    *,
    ask: Ask,
    contexts: Contexts,
    now: Callable[[], datetime],
    rand: Callable[[int], bytes],
) -> tuple[Refreshed, ...]:
    """Do what is to be done, platform by platform: one that fails holds up no other."""
    done: list[Refreshed] = []
    for task in tasks:
        if task.is_idle:
            done.append(Refreshed(task))
            continue
        session = Session(ask, task.grant.issuer, task.grant.typed, now, rand)
        try:
            done.append(await _refreshed(shelf, task, session, contexts))
        except VcError as error:
            done.append(Refreshed(task, error=error))
    return tuple(done)


async def _refreshed(shelf: Shelf, task: Task, session: Session, contexts: Contexts) -> Refreshed:
    grant = await open_session(shelf, session, task.grant)
    result = Refreshed(task)
    for pending in task.due:
        result = await _fetched(shelf, result, grant, pending, session, contexts)
    return await _renewed(shelf, result, _current(shelf, grant), session, contexts) if task.reasons else result


async def open_session(shelf: Shelf, session: Session, grant: Grant) -> Grant:
    """A session with a good access token. A new refresh token is in the vault before this returns.

    Raises :class:`Rejected` ``GRANT_LOST`` where the platform gives no token any more.
    """
    await discover(session, grant=None, server=grant.server)
    session.key, session.token = grant.key, grant.access
    if grant.until - SPARE > session.now():
        return grant
    if not grant.refresh:
        _forget(shelf, grant)
        raise Rejected((Finding("GRANT_LOST", UNRENEWABLE),))
    grant = _begun(shelf, session, grant)
    try:
        renewed = await renew(session, grant)
    except Rejected as error:
        if any(finding.code == "GRANT_LOST" for finding in error.findings):
            _forget(shelf, grant)
        raise
    return keep_grant(shelf.vault, renewed)


def _begun(shelf: Shelf, session: Session, grant: Grant) -> Grant:
    """Write down that the refresh token is on its way: a second wallet that sent it too would end the grant."""
    with shelf.vault.transaction():
        known = _current(shelf, grant)
        if known.sent is not None and known.sent <= session.now() < known.sent + ANSWERED_WITHIN:
            what = "another refresh of this wallet may be under way"
            raise Undetermined(what, "wait a minute, and run it again", code="REFRESH_UNDER_WAY")
        return keep_grant(shelf.vault, replace(known, sent=session.now()))


def _current(shelf: Shelf, grant: Grant) -> Grant:
    """The grant as it stands in the vault now."""
    return next((one for one in grants(shelf.vault) if one.id == grant.id), grant)


def _forget(shelf: Shelf, grant: Grant) -> None:
    """A grant that is over is told of once, not at every refresh."""
    with shelf.vault.transaction():
        drop_promises(shelf.vault, [one.id for one in promises(shelf.vault) if one.grant == grant.id])
        drop_grants(shelf.vault, [grant.id])


async def _fetched(
    shelf: Shelf, result: Refreshed, grant: Grant, pending: Pending, session: Session, contexts: Contexts
) -> Refreshed:
    """Come back for what was promised. A promise goes with what it gave, or with a no."""
    try:
        accepted = await fetch_deferred(session, grant, pending)
    except Rejected as no:
        if any(finding.code == "ISSUER_DENIED" for finding in no.findings):
            drop_promises(shelf.vault, [pending.id])
        raise
    if accepted.pending:
        keep_promises(shelf.vault, accepted.pending)
        return replace(result, deferred=(*result.deferred, pending.dataset.configuration))
    kept = await keep(shelf, _current(shelf, grant), accepted, contexts=contexts, kept_promise=pending.id)
    return replace(result, added=result.added + kept.added, retired=result.retired + kept.retired)


async def _renewed(shelf: Shelf, result: Refreshed, grant: Grant, session: Session, contexts: Contexts) -> Refreshed:
    """New copies of all that the platform gave at once: their i-th copies are bound to one key, and go together."""
    promised = [one.dataset for one in promises(shelf.vault) if one.grant == grant.id]
    wanted = [one for one in grant.datasets if one.wanted and not any(one.is_same(other) for other in promised)]
    keys = make_keys(shelf, session, grant, wanted)
    with keys_used_or_dropped(shelf.vault, keys):
        accepted = await fetch_copies(session, grant, wanted, keys)
        kept = await keep(shelf, grant, accepted, contexts=contexts, instead_of=result.task.old_keys)
    return replace(
        result,
        added=result.added + kept.added,
        retired=result.retired + kept.retired,
        deferred=(*result.deferred, *kept.deferred),
    )


def errors(results: Sequence[Refreshed]) -> Iterator[VcError]:
    """What went wrong."""
    yield from (one.error for one in results if one.error is not None)
