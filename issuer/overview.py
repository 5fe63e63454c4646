"""What the admin page shows of the database: counts and states, in a few questions that are quickly answered."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from issuer import flow
from issuer.keyring import KeyRing
from issuer.retention import CountKey, counted
from issuer.tables import CREDENTIAL, DEFERRAL, DISPUTE, OFFER, STATUS_LIST, STATUS_PUBLISHED
from work.types import TYPES, StatementType

LATEST: Final = 50  # offers, requests, disputes, status lists on one page
DAY: Final = 86_400

OFFERED: Final[Mapping[str, StatementType]] = MappingProxyType(
    {name: kind for name, kind in TYPES.items() if kind.signer == "issuer" and kind.about == "worker"}
)
_STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        flow.Offer.OFFERED: "open",
        flow.Offer.CLAIMED: "claimed",
        flow.Offer.EXHAUSTED: "blocked",
        flow.Offer.WITHDRAWN: "withdrawn",
    }
)


@dataclass(frozen=True, slots=True)
class Listing:
    """A status list: its places, and when it was last signed (None: not yet)."""

    id: str
    taken: int
    size: int
    opened: int
    signed: int | None


@dataclass(frozen=True, slots=True)
class Overview:
    """How things stand. ``offers`` are counted by state."""

    offers: Mapping[str, int]
    requests: int
    disputes: int
    lists: tuple[Listing, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """How many credentials of a type and a format were signed in a month."""

    month: str
    type: str
    format: str
    count: int


@dataclass(frozen=True, slots=True)
class OfferLine:
    """An offer in a list."""

    id: str
    worker: str
    state: str
    created: int
    expires: int


def overview(connection: sa.Connection, now: int) -> Overview:
    """How things stand at a moment."""
    states = Counter({"open": 0, "claimed": 0, "expired": 0})
    late = sa.and_(OFFER.c.state == str(flow.Offer.OFFERED), OFFER.c.expires <= now).label("late")
    for state, is_late, count in connection.execute(
        sa.select(OFFER.c.state, late, sa.func.count()).group_by(OFFER.c.state, late)
    ):
        states["expired" if is_late else _STATES.get(state, state)] += count
    return Overview(
        states, _number(connection, _waiting(now)), _number(connection, DISPUTE.c.closed.is_(None)), _lists(connection)
    )


def counts(connection: sa.Connection) -> list[Count]:
    """The credentials by month, type and format, newest month first. It reads all that are valid."""
    day = (CREDENTIAL.c.signed_at - CREDENTIAL.c.signed_at % DAY).label("day")  # a month is no unit of SQL's own
    by_month: Counter[CountKey] = Counter(dict(counted(connection)))
    query = sa.select(day, CREDENTIAL.c.type, CREDENTIAL.c.format, sa.func.count())
    for at, kind, form, count in connection.execute(query.group_by(day, CREDENTIAL.c.type, CREDENTIAL.c.format)):
        by_month[f"{datetime.fromtimestamp(at, UTC):%Y-%m}", kind, form] += count
    found = [Count(*key, count) for key, count in by_month.items()]
    return sorted(sorted(found, key=lambda one: (one.type, one.format)), key=lambda one: one.month, reverse=True)


def latest_offers(connection: sa.Connection, now: int) -> list[OfferLine]:
    """The offers that were made last."""
    rows = connection.execute(sa.select(OFFER).order_by(OFFER.c.created.desc(), OFFER.c.id).limit(LATEST))
    return [OfferLine(row.id, row.worker, offer_state(row, now), row.created, row.expires) for row in rows]


def offer_state(row: Any, now: int) -> str:
    """``open``, ``claimed``, ``expired``, ``blocked`` or ``withdrawn``."""
    state = _STATES.get(row.state, row.state)
    return "expired" if state == "open" and row.expires <= now else state


def disputes(connection: sa.Connection, *, is_open: bool) -> list[Any]:
    """Disputes that are open, the oldest first, or those that were closed last."""
    if is_open:
        query = sa.select(DISPUTE).where(DISPUTE.c.closed.is_(None)).order_by(DISPUTE.c.opened)
    else:
        query = sa.select(DISPUTE).where(DISPUTE.c.closed.is_not(None)).order_by(DISPUTE.c.closed.desc())
    return list(connection.execute(query.limit(LATEST)))


def _waiting(now: int) -> sa.ColumnElement[bool]:
    return sa.and_(DEFERRAL.c.decision.is_(None), DEFERRAL.c.expires > now)


def _number(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> int:
    return int(connection.execute(sa.select(sa.func.count()).where(condition)).scalar_one())


def _lists(connection: sa.Connection) -> tuple[Listing, ...]:
    signed = sa.select(sa.func.min(STATUS_PUBLISHED.c.signed_at)).where(STATUS_PUBLISHED.c.list == STATUS_LIST.c.id)
    rows = connection.execute(
        sa.select(STATUS_LIST, signed.scalar_subquery().label("signed"))
        .order_by(STATUS_LIST.c.opened.desc())
        .limit(LATEST)
    )
    return tuple(Listing(row.id, row.taken, row.size, row.opened, row.signed) for row in rows)


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key in a list. ``until`` is None as long as nobody knows."""

    id: str
    algorithm: str
    use: str
    state: str
    since: int
    until: int | None


def keys(ring: KeyRing, at: datetime) -> list[KeyLine]:
    """The keys with their times, those that sign first."""
    lines = [
        KeyLine(
            key.id,
            key.key.public.kind.name,
            str(key.role),
            key.state(at),
            int(key.signs_from.timestamp()),
            None if key.signs_until is None else int(key.signs_until.timestamp()),
        )
        for key in ring.keys
    ]
    return sorted(lines, key=lambda line: (line.state != "signs", -line.since))
