"""Copies of one statement, signed on request: one for each key, exactly once, and on record before anybody is told.

A key that already has a copy gets the same bytes again, for as long as they are kept. What is signed and not yet on
record when a replica dies was never told to anybody; at worst a place in a status list stays unused.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from issuer import events, tickets
from issuer.access import Access
from issuer.clients import use
from issuer.copies import Job, Signed, Slot, sign_copies
from issuer.database import insert_rows
from issuer.datasets import Dataset
from issuer.deps import TURN, Deps, in_thread
from issuer.formats import HAS_STATUS, Format
from issuer.recalls import RECALLS, hold
from issuer.statuses import allocate
from issuer.tables import CREDENTIAL, SESSION, STATEMENT
from issuer.tickets import LENGTH, Kind, hand_out
from vc.canon import Json
from vc.model import format_date_time
from vc.oauth import OAuthRefusal
from work.months import valid_until

MAX_COPIES: Final = 2000  # of one statement in one format on record: each costs a signature, a row and a place
_ALIKE: Final = (CREDENTIAL.c.digest == sa.bindparam("of"), CREDENTIAL.c.format == sa.bindparam("form"))
_HELD: Final = sa.select(CREDENTIAL).where(*_ALIKE, CREDENTIAL.c.holder.in_(sa.bindparam("holders", expanding=True)))
_COUNT: Final = sa.select(sa.func.count(), RECALLS).select_from(CREDENTIAL).where(*_ALIKE)
_STATEMENT: Final = (
    sa.select(STATEMENT.c.digest, RECALLS.label("recalls"))
    .where(STATEMENT.c.digest == sa.bindparam("of"))
    .with_for_update(read=True, key_share=True, of=STATEMENT)
)
_SESSION: Final = sa.select(SESSION.c.id).where(SESSION.c.id == sa.bindparam("named"))

# Copies that are signed before somebody else's request gets its turn: a BBS signature takes a dozen times as long.
CHUNK: Final = 32
BBS_CHUNK: Final = 8


@dataclass(frozen=True, slots=True)
class Order:
    """Copies of a dataset for the keys ``holders``; ``nonces`` are spent with the first thing that is written."""

    access: Access
    dataset: Dataset
    holders: tuple[str, ...]
    nonces: Mapping[str, int]  # with the second at which each runs out


@dataclass(frozen=True, slots=True)
class Issued:
    """Copies as they were signed, in the order of their keys, and the name that the wallet reports on them by."""

    bodies: tuple[str, ...]
    notification: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """Copies that are to be signed, their places in status lists taken. ``fresh``: no key of the order had a copy yet;
    ``spent``: its nonces are used up; ``recalls``: as it stood before anything was signed (issuer.recalls)."""

    order: Order
    jobs: list[Job]
    fresh: bool
    spent: bool
    recalls: str | None


async def issue(deps: Deps, order: Order, *, last: Callable[[sa.Connection], None]) -> Issued:
    """Sign what has no copy yet, and put everything on record; ``last`` is done in the same transaction.

    Raises :class:`OAuthRefusal`, with nothing on record.
    """
    return await complete(deps, await in_thread(lambda: prepare(deps, order)), last=last)


async def complete(deps: Deps, prepared: Prepared, *, last: Callable[[sa.Connection], None]) -> Issued:
    """:func:`issue`, of what is prepared."""
    signed: list[Signed] = []
    *first, rest = _chunks(prepared)
    for jobs in first:
        signed += await in_thread(lambda jobs=jobs: _sign(deps, jobs))  # type: ignore[misc]
    return await in_thread(lambda: _record(deps, prepared, [*signed, *_sign(deps, rest)], last=last))


def _chunks(prepared: Prepared) -> list[list[Job]]:
    """What is signed in one go; there is always a last one, if an empty one."""
    size = BBS_CHUNK if prepared.order.dataset.configuration.format is Format.BBS else CHUNK
    jobs = prepared.jobs
    return [jobs[start : start + size] for start in range(0, len(jobs), size)] or [[]]


def prepare(deps: Deps, order: Order) -> Prepared:
    """What is to be signed. Raises :class:`OAuthRefusal`."""
    if order.dataset.configuration.format not in HAS_STATUS:
        with deps.database.read() as connection:
            missing, fresh, recalls = _missing(connection, order, deps.now())
        jobs = [_job(order, holder, None) for holder in missing]
        return Prepared(order, jobs, fresh=fresh, spent=False, recalls=recalls)
    with deps.database.write() as connection:
        spend(connection, deps, order)
        missing, fresh, recalls = _missing(connection, order, deps.now())
        datasets = [order.dataset.id] * len(missing)
        slots = allocate(
            connection, len(missing), base=deps.config.base, rand=deps.rand, now=deps.seconds, datasets=datasets
        )
    jobs = [_job(order, holder, slot) for holder, slot in zip(missing, slots, strict=True)]
    return Prepared(order, jobs, fresh=fresh, spent=True, recalls=recalls)


def _missing(connection: sa.Connection, order: Order, at: datetime) -> tuple[list[str], bool, str | None]:
    """The keys of an order that have no copy, or are to have a new one; whether none of them had one yet; and what is
    told of recalls."""
    held = _held(connection, order)
    missing = [holder for holder in order.holders if holder not in held or _is_over(held[holder], at)]
    if any(row.body is None for holder, row in held.items() if holder not in missing):
        raise already_handed_over()
    if not missing:
        return missing, not held, None
    copies, recalls = _copies(connection, order)
    if copies + len(missing) > MAX_COPIES:
        raise OAuthRefusal("credential_request_denied", "too many copies of this are valid: use those, or wait")
    return missing, not held, recalls


def spend(connection: sa.Connection, deps: Deps, order: Order) -> None:
    """Use up what an order proves with; of two requests with the same proof or nonce, one goes on. Raises
    :class:`OAuthRefusal`."""
    use(connection, deps, order.access.marks)
    for nonce, expires in sorted(order.nonces.items()):
        if not tickets.spend(connection, f"c_nonce:{nonce}", expires=expires):
            raise OAuthRefusal("invalid_nonce", "used before; get a new one from the nonce endpoint")


def already_handed_over() -> OAuthRefusal:
    """A copy for this key exists, and is not kept here any more."""
    return OAuthRefusal("credential_request_denied", "this key has its copy already; use a new key")


def has_copy(connection: sa.Connection, digest: str) -> bool:
    """Whether a statement was ever signed: then nothing about it waits to be approved."""
    return connection.execute(sa.select(sa.exists().where(CREDENTIAL.c.digest == digest))).scalar_one()


def _job(order: Order, holder: str, slot: Slot | None) -> Job:
    dataset = order.dataset
    return Job(dataset.statement, dataset.digest, holder, dataset.configuration.format, slot)


def _sign(deps: Deps, jobs: Sequence[Job]) -> list[Signed]:
    at = deps.now()
    keys = deps.keyring().signing(at)
    one_at_a_time = jobs and jobs[0].format is Format.SD_JWT  # the others let go of the interpreter for long enough
    with TURN if one_at_a_time else nullcontext():
        return sign_copies(jobs, keys=keys, at=at, rand=deps.rand)


def _record(
    deps: Deps, prepared: Prepared, signed: Sequence[Signed], *, last: Callable[[sa.Connection], None]
) -> Issued:
    at, now, order = deps.now(), deps.seconds, prepared.order
    with deps.database.write() as connection:
        _hold_statement(connection, prepared)
        last(connection)
        if not prepared.spent:
            spend(connection, deps, order)
        _check_session(connection, order.access)
        if not prepared.fresh:
            _clear(connection, signed, at)
        bodies = _bodies(connection, order, signed, new=_insert(connection, signed, at))
        form = order.dataset.configuration.format
        copies = {"digest": order.dataset.digest, "format": form, "holders": list(order.holders)}
        notification = hand_out(
            connection,
            Kind.NOTIFICATION,
            deps.rand(LENGTH),
            expires=now + deps.config.claimed_kept,
            session=order.access.session,
            body=copies,
        )
        said: dict[str, Json] = {"configuration": order.dataset.configuration.id, "copies": len(bodies)}
        events.note(connection, events.Kind.CREDENTIAL_ISSUED, order.access.worker, said, now=now)
    return Issued(bodies, notification)


def _hold_statement(connection: sa.Connection, prepared: Prepared) -> None:
    """Keep what we have signed from being withdrawn, erased or replaced until the copies are on record.

    Where that has happened meanwhile, they are not: nobody would find them to withdraw them. A newer statement, or
    another key, may be there, so that the wallet is told to ask again. Whoever drops a statement, or withdraws all
    that a key has signed, does so before looking for the copies.
    """
    hold(connection)
    found = connection.execute(_STATEMENT, {"of": prepared.order.dataset.digest}).first()
    if found is None or (prepared.jobs and found.recalls != prepared.recalls):
        raise OAuthRefusal(
            "temporarily_unavailable",
            "what was asked for has changed meanwhile; ask again, with a new nonce",
            status=503,
            headers={"Retry-After": "1"},
        )


def _check_session(connection: sa.Connection, access: Access) -> None:
    """A worker who was forgotten while we signed stays forgotten."""
    if connection.execute(_SESSION, {"named": access.session}).first() is None:
        raise OAuthRefusal(
            "invalid_token", "withdrawn", status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}
        )


def _held(connection: sa.Connection, order: Order) -> dict[str, Any]:
    dataset = order.dataset
    return _rows(connection, _HELD, dataset.digest, dataset.configuration.format, order.holders)


def _rows(
    connection: sa.Connection, query: sa.Select[Any], digest: str, form: Format, holders: Sequence[str]
) -> dict[str, Any]:
    found = connection.execute(query, {"of": digest, "form": form, "holders": holders})
    return {row.holder: row for row in found}


def _copies(connection: sa.Connection, order: Order) -> tuple[int, str | None]:
    alike = {"of": order.dataset.digest, "form": order.dataset.configuration.format}
    count, recalls = connection.execute(_COUNT, alike).one()
    return count, recalls


def _is_over(row: Any, at: datetime) -> bool:
    """Whether a key may have a new copy in place of this one: it has expired, or a new one would live longer and the
    old one cannot be withdrawn anyway."""
    if row.valid_until <= format_date_time(at):
        return True
    return row.list is None and valid_until(datetime.fromtimestamp(row.signed_at, UTC)) < valid_until(at)


def _clear(connection: sa.Connection, signed: Sequence[Signed], at: datetime) -> None:
    """Take away copies that are over, where new ones were signed."""
    if not signed:
        return
    job, holders = signed[0].job, [one.job.holder for one in signed]
    old = _rows(connection, _HELD.order_by(CREDENTIAL.c.holder).with_for_update(), job.digest, job.format, holders)
    over = [row.holder for row in old.values() if _is_over(row, at)]
    if over:
        alike = (CREDENTIAL.c.digest == job.digest, CREDENTIAL.c.format == job.format)
        connection.execute(CREDENTIAL.delete().where(*alike, CREDENTIAL.c.holder.in_(over)))


def _insert(connection: sa.Connection, signed: Sequence[Signed], at: datetime) -> int:
    """Put copies on record, in one statement whatever their number, and say how many; what is already there stays as
    it is."""
    ordered = sorted(signed, key=lambda one: one.job.holder)  # one order for all: no two wait for each other
    return insert_rows(connection, CREDENTIAL, [_row(one, at) for one in ordered]) if ordered else 0


def _bodies(connection: sa.Connection, order: Order, signed: Sequence[Signed], *, new: int) -> tuple[str, ...]:
    """The copies of an order, as they are on record now; ``new`` of ``signed`` were put there."""
    if new == len(signed) == len(order.holders):
        made = {one.job.holder: one.body for one in signed}
        return tuple(made[holder] for holder in order.holders)
    # Another request with the same key may have been faster: what is on record counts, not what was signed here.
    held = _held(connection, order)
    bodies = tuple(held[holder].body for holder in order.holders)
    if None in bodies:
        raise already_handed_over()
    return bodies


def _row(one: Signed, at: datetime) -> dict[str, Any]:
    return {
        "digest": one.job.digest,
        "holder": one.job.holder,
        "format": one.job.format,
        "worker": one.job.statement.worker,
        "type": one.job.statement.type,
        "valid_until": format_date_time(one.valid_until),
        "signed_at": int(at.timestamp()),
        "key": one.key,
        "list": one.job.slot.list if one.job.slot else None,
        "place": one.job.slot.place if one.job.slot else None,
        "body": one.body,
    }
