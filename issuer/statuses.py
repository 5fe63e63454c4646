"""Places in the issuer's status lists: given away at random, each of them once, whoever asks at the same time.

A list is closed when it is half full, or old: a free place is found at the second try at worst, and the number of a
place says nothing about when it was given away. Whoever writes to a list holds its row until the transaction ends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from issuer.chance import distinct
from issuer.copies import Slot
from issuer.database import insert_rows
from issuer.decoys import first_decoys
from issuer.tables import DISPUTE, SECONDS, SETTING, STATUS_ENTRY, STATUS_LIST, SUSPENSION
from vc.errors import Undetermined
from vc.multibase import encode_base64url
from vc.status import MIN_ENTRIES

OPEN: Final = 4  # lists that give places away at one time: more only split the crowd that a credential hides in
LIFE: Final = 45 * 86_400  # seconds; then a list is closed, so that none grows old
CHUNK: Final = 4096  # places asked for in one statement
PLACES: Final = "status-places"  # the setting with the size of lists opened from now on

OPENING: Final = "new status list"  # the lock of whoever opens one

Rand = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list whose row this transaction holds."""

    id: str
    size: int
    taken: int

    @property
    def room(self) -> int:
        """Places that may still be given away."""
        return max(0, self.size // 2 - self.taken)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is written where a place is taken."""

    decoy: bool = False
    revoked: bool = False
    suspended: bool = False
    contested: bool = False
    dataset: str | None = None

    def to_row(self) -> dict[str, Any]:
        """Its columns."""
        return {
            "decoy": self.decoy,
            "revoked": self.revoked,
            "suspended": self.suspended,
            "contested": self.contested,
            "dataset": self.dataset,
        }


def decoy(status: str) -> Entry:
    """A decoy that has a status."""
    return Entry(True, status == "revoked", status == "suspended", status == "contested")


# Statements that are made once: to make one costs more than to run it.
_USABLE: Final = (STATUS_LIST.c.closed.is_(None), STATUS_LIST.c.opened > sa.bindparam("since", type_=SECONDS))
_FIRST: Final = sa.select(STATUS_LIST).where(*_USABLE).order_by(STATUS_LIST.c.opened, STATUS_LIST.c.id).limit(1)
_UNHELD: Final = _FIRST.with_for_update(skip_locked=True)
_TAKEN: Final = sa.select(STATUS_ENTRY.c.place).where(
    STATUS_ENTRY.c.list == sa.bindparam("of"), STATUS_ENTRY.c.place.in_(sa.bindparam("drawn", expanding=True))
)
_COUNT_TAKEN: Final = (
    STATUS_LIST.update()
    .where(STATUS_LIST.c.id == sa.bindparam("of"))
    .values(
        taken=sa.bindparam("taken_now"),
        closed=sa.func.coalesce(STATUS_LIST.c.closed, sa.bindparam("closed_at", type_=SECONDS)),
    )
)
_SOME: Final[sa.BindParameter[Any]] = sa.bindparam("some", expanding=True)
_MARKED: Final = sa.union_all(
    sa.select(DISPUTE.c.dataset, sa.literal_column("'contested'").label("mark")).where(
        DISPUTE.c.closed.is_(None), DISPUTE.c.dataset.in_(_SOME)
    ),
    sa.select(SUSPENSION.c.dataset, sa.literal_column("'suspended'")).where(
        SUSPENSION.c.ended.is_(None), SUSPENSION.c.dataset.in_(_SOME)
    ),
)


def allocate(
    connection: sa.Connection,
    count: int,
    *,
    base: str,
    rand: Rand,
    now: int,
    datasets: Sequence[str] = (),
) -> list[Slot]:
    """``count`` places that nobody else has or gets. ``datasets`` says, for each, what it is for (issuer.formats).

    A copy of a dataset that is disputed or suspended is contested or suspended from the start.
    """
    if datasets and len(datasets) != count:
        raise ValueError("a dataset for each place, or for none")
    entries = _entries(connection, datasets) if datasets else [Entry()] * count
    slots: list[Slot] = []
    while len(slots) < count:
        listing = _open_list(connection, rand=rand, now=now, wait=not slots)
        wanted = entries[len(slots) : len(slots) + min(CHUNK, listing.room)]
        places = take_places(connection, listing, wanted, rand=rand, now=now)
        slots += [Slot(listing.id, place, f"{base}/status/{listing.id}") for place in places]
    return slots


def take_places(
    connection: sa.Connection, listing: Listing, entries: Sequence[Entry], *, rand: Rand, now: int
) -> list[int]:
    """Random free places of a list whose row is held, one for each entry, and now taken."""
    places: list[int] = []
    while len(places) < len(entries):
        missing = entries[len(places) :]
        free = _free(connection, listing, len(missing), rand)
        places += _insert(connection, listing.id, dict(zip(free, missing, strict=False)))
    taken = listing.taken + len(places)
    row = {"of": listing.id, "taken_now": taken, "closed_at": now if taken >= listing.size // 2 else None}
    connection.execute(_COUNT_TAKEN, row)
    if any(one.revoked or one.suspended or one.contested for one in entries):
        connection.execute(STATUS_LIST.update().where(STATUS_LIST.c.id == listing.id).values(changed=later(now)))
    return places


def open_list(connection: sa.Connection, *, rand: Rand, now: int) -> Listing:
    """A new list, with decoys in it."""
    size = places_of_new_lists(connection)
    listing = Listing(encode_base64url(rand(12)), size, 0)
    connection.execute(
        STATUS_LIST.insert().values(id=listing.id, size=size, taken=0, opened=now, closed=None, changed=now)
    )
    decoys = [decoy(status) for status in first_decoys(connection, size, rand)]
    take_places(connection, listing, decoys, rand=rand, now=now)
    return Listing(listing.id, size, len(decoys))


def later(now: int) -> sa.ColumnElement[int]:
    """The next value of STATUS_LIST's ``changed``: what was signed before never passes for what comes after."""
    return sa.case((STATUS_LIST.c.changed >= now, STATUS_LIST.c.changed + 1), else_=now)


def places_of_new_lists(connection: sa.Connection) -> int:
    """How many places a list has that is opened now."""
    stored = connection.scalar(sa.select(SETTING.c.value).where(SETTING.c.name == PLACES))
    return max(MIN_ENTRIES, int(stored)) if stored else MIN_ENTRIES


def _open_list(connection: sa.Connection, *, rand: Rand, now: int, wait: bool) -> Listing:
    """A list with room, its row held. One that another transaction holds is passed over, and another opened, up to
    OPEN of them; then its turn is waited for, unless we hold a list ourselves that others may wait for."""
    since = {"since": now - LIFE}
    row = connection.execute(_UNHELD, since).one_or_none()
    if row is None:
        lock(connection, OPENING)  # of several who find none, one opens one
        row = connection.execute(_UNHELD, since).one_or_none()
    if row is None and wait:
        there = connection.scalar(sa.select(sa.func.count()).select_from(STATUS_LIST).where(*_USABLE), since) or 0
        row = connection.execute(_FIRST.with_for_update(), since).one_or_none() if there >= OPEN else None
    if row is None:
        close_old(connection, now)
        return open_list(connection, rand=rand, now=now)
    return Listing(row.id, row.size, row.taken)


def close_old(connection: sa.Connection, now: int) -> None:
    """Give no more places away in lists that are old."""
    old = (STATUS_LIST.c.closed.is_(None), STATUS_LIST.c.opened <= now - LIFE)
    connection.execute(STATUS_LIST.update().where(*old).values(closed=now))


def close_all(connection: sa.Connection, now: int) -> int:
    """Give no more places away in any list that is open now; how many were. The next place opens a new one."""
    return connection.execute(STATUS_LIST.update().where(STATUS_LIST.c.closed.is_(None)).values(closed=now)).rowcount


def lock(connection: sa.Connection, *what: str, shared: bool = False) -> None:
    """Wait until no other transaction holds this lock, unless both share it. In SQLite a transaction that writes is
    alone."""
    if connection.dialect.name != "sqlite":
        take = sa.func.pg_advisory_xact_lock_shared if shared else sa.func.pg_advisory_xact_lock
        connection.execute(sa.select(take(_number(what))))


def try_lock(connection: sa.Connection, *what: str) -> bool:
    """Take this lock until the transaction ends; False where another transaction holds it."""
    if connection.dialect.name == "sqlite":
        return True
    return bool(connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_number(what)))))


def _number(what: tuple[str, ...]) -> int:
    return int.from_bytes(sha256("\0".join(what).encode()).digest()[:8], signed=True)


def _free(connection: sa.Connection, listing: Listing, count: int, rand: Rand) -> list[int]:
    free = max(1, listing.size - listing.taken)  # of all places: as few are drawn as are likely to do
    drawn = distinct(listing.size, count * listing.size // free + count // 8 + 4, rand)
    taken = set(connection.scalars(_TAKEN, {"of": listing.id, "drawn": drawn}))
    return [place for place in drawn if place not in taken][:count]


def _insert(connection: sa.Connection, listing: str, chosen: dict[int, Entry]) -> list[int]:
    """The places that are ours now, in the order of ``chosen``."""
    rows = [{"list": listing, "place": place, **one.to_row()} for place, one in chosen.items()]
    if not rows:
        return []
    if connection.dialect.name == "sqlite":
        if insert_rows(connection, STATUS_ENTRY, rows) != len(rows):  # whoever writes is alone: what was free still is
            raise Undetermined(f"status list {listing} has changed meanwhile", "try again", code="STORE_BUSY")
        return list(chosen)
    # One array for each column: a thousand times fewer parameters.
    columns = [column for column in STATUS_ENTRY.c if column.name in rows[0]]
    arrays = [sa.bindparam(one.name, type_=postgresql.ARRAY(one.type)) for one in columns]
    names = [sa.column(one.name, one.type) for one in columns]
    source = sa.select(*sa.func.unnest(*arrays).table_valued(*names, name="given").render_derived().c)
    insert = postgresql.insert(STATUS_ENTRY).from_select(columns, source).on_conflict_do_nothing()
    given = {one.name: [row[one.name] for row in rows] for one in columns}
    ours = set(connection.scalars(insert.returning(STATUS_ENTRY.c.place), given))
    # Nobody takes a place without holding the list's row; should it happen, the key refuses and nothing is lost.
    return [place for place in chosen if place in ours]


def _entries(connection: sa.Connection, datasets: Sequence[str]) -> list[Entry]:
    asked = sorted(set(datasets))
    marked: set[tuple[str, str]] = set()
    for start in range(0, len(asked), CHUNK):
        marked |= {(one, mark) for one, mark in connection.execute(_MARKED, {"some": asked[start : start + CHUNK]})}
    made = {
        one: Entry(suspended=(one, "suspended") in marked, contested=(one, "contested") in marked, dataset=one)
        for one in asked
    }
    return [made[one] for one in datasets]
