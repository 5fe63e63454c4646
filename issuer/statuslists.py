"""Status lists as they are published: signed, kept in the database, the same bytes from every replica.

A list has five renderings: a Token Status List as JWT and as CWT, with one value for each place, and three Bitstring
Status Lists, with one bit each for three purposes. All are made from the same rows at the same moment.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from issuer.chance import unit
from issuer.database import Database
from issuer.decoys import more_decoys
from issuer.keys import IssuerKeys
from issuer.statuses import LIFE, Listing, close_old, decoy, later, lock, take_places, try_lock
from issuer.tables import DISPUTE, STATUS_ENTRY, STATUS_LIST, STATUS_PUBLISHED, SUSPENSION
from vc import token_status
from vc.canon import to_json
from vc.contexts import W3C
from vc.multibase import decode_base64url, encode_base64url
from vc.secure import sign
from vc.status import set_statuses, status_list_credential
from vc.token_status import StatusListToken, TokenStatusList, sign_status_cwt, sign_status_jwt

if TYPE_CHECKING:
    from issuer.deps import Deps  # aiohttp takes a while to load, and commands need none of it

TTL: Final = timedelta(minutes=15)  # how soon a copy should be fetched again
VALIDITY: Final = timedelta(days=1)
MEAN_AGE: Final = 3600.0  # seconds until a list is signed again, on average, although nothing has changed
TICK: Final = 10  # seconds between two looks
RETIRED: Final = LIFE + 15 * 86_400  # seconds after its end: whatever had a place in the list is past its end
SETTLING: Final = 3600  # seconds in which a copy that was being signed meanwhile may still turn up
BITS: Final = 2
VALID, INVALID, SUSPENDED, CONTESTED = range(4)  # draft-ietf-oauth-status-list, Status Types Values; 3 is ours
PUBLISHING: Final = "status list"  # the lock of whoever signs one

Rand = Callable[[int], bytes]


class Kind(StrEnum):
    """The renderings of a list."""

    JWT = "jwt"
    CWT = "cwt"
    REVOCATION = "revocation"
    SUSPENSION = "suspension"
    MESSAGE = "message"


MEDIA_TYPES: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.JWT: "application/statuslist+jwt",
        Kind.CWT: "application/statuslist+cwt",
        Kind.REVOCATION: "application/vc",
        Kind.SUSPENSION: "application/vc",
        Kind.MESSAGE: "application/vc",
    }
)


@dataclass(frozen=True, slots=True)
class Marks:
    """The places of a list that have each status; a place may have several."""

    size: int
    revoked: frozenset[int]
    suspended: frozenset[int]
    contested: frozenset[int]

    def values(self) -> dict[int, int]:
        """One value for each place: what was withdrawn says nothing more, what is suspended is not argued about."""
        return {
            **dict.fromkeys(self.contested, CONTESTED),
            **dict.fromkeys(self.suspended, SUSPENDED),
            **dict.fromkeys(self.revoked, INVALID),
        }


@dataclass(frozen=True, slots=True)
class Published:
    """One rendering as it is served."""

    kind: Kind
    body: bytes
    signed_at: int
    expires: int


def render(marks: Marks, *, url: str, aggregation: str, keys: IssuerKeys, at: datetime) -> dict[Kind, bytes]:
    """All renderings of one list, signed. Pure, as signing a credential is."""
    at = at.replace(microsecond=0)
    packed = token_status.set_statuses(token_status.new_statuses(marks.size, bits=BITS), marks.values(), bits=BITS)
    token = StatusListToken(
        uri=f"{url}/token",
        issued=at,
        statuses=TokenStatusList.of(packed, bits=BITS, aggregation_uri=aggregation),
        expires=at + VALIDITY,
        ttl=TTL,
        issuer=keys.jwt.did,
    )
    kid = keys.jwt.verification_method
    return {
        Kind.JWT: sign_status_jwt(token, key=keys.jwt, kid=kid, x5c=keys.x5c).encode(),
        Kind.CWT: sign_status_cwt(token, key=keys.jwt, kid=kid),
        Kind.REVOCATION: _bitstring(marks.revoked, Kind.REVOCATION, marks.size, url, keys, at),
        Kind.SUSPENSION: _bitstring(marks.suspended, Kind.SUSPENSION, marks.size, url, keys, at),
        Kind.MESSAGE: _bitstring(marks.contested, Kind.MESSAGE, marks.size, url, keys, at),
    }


def _bitstring(places: Iterable[int], kind: Kind, size: int, url: str, keys: IssuerKeys, at: datetime) -> bytes:
    document = status_list_credential(
        set_statuses(bytes(size // 8), dict.fromkeys(places, 1)),
        url=f"{url}/{kind}",
        issuer=keys.public.did,
        purposes=[kind],
        valid_from=at,
        valid_until=at + VALIDITY,
        ttl=TTL,
    )
    return to_json(sign(document, key=keys.public, created=at, contexts=W3C))


# ---- publishing ------------------------------------------------------------------------------------------------------


def publish(database: Database, listing: str, *, last: int | None, keys: IssuerKeys, base: str, at: datetime) -> bool:
    """Sign a list as it is now, and keep it for all replicas. ``last`` is when it was signed, as the caller knows.

    False where another is at it, or has done it since, or where there is no such list. What is read and what is
    written is one transaction, so that no older version follows a newer one.
    """
    now = int(at.timestamp())
    with database.write() as connection:
        if last is None:  # there is nothing to serve meanwhile: wait for whoever signs it
            lock(connection, PUBLISHING, listing)
        elif not try_lock(connection, PUBLISHING, listing):
            return False
        if _signed_at(connection, listing) != last:
            return False
        row = connection.execute(sa.select(STATUS_LIST).where(STATUS_LIST.c.id == listing)).one_or_none()
        if row is None:
            return False
        url = f"{base}/status/{listing}"
        made = render(read_marks(connection, row), url=url, aggregation=f"{base}/status", keys=keys, at=at)
        connection.execute(STATUS_PUBLISHED.delete().where(STATUS_PUBLISHED.c.list == listing))
        connection.execute(
            STATUS_PUBLISHED.insert(),
            [
                {
                    "list": listing,
                    "kind": kind,
                    "changed": row.changed,
                    "signed_at": now,
                    "expires": now + int(VALIDITY.total_seconds()),
                    "body": _as_text(kind, body),
                }
                for kind, body in made.items()
            ],
        )
    return True


def _signed_at(connection: sa.Connection, listing: str) -> int | None:
    published = STATUS_PUBLISHED.c
    return connection.scalar(
        sa.select(published.signed_at).where(published.list == listing, published.kind == Kind.JWT)
    )


def read_marks(connection: sa.Connection, row: sa.Row[tuple[object, ...]]) -> Marks:
    """The statuses of a list whose row was read before: a change after that is signed twice rather than never."""
    found: dict[str, set[int]] = {"revoked": set(), "suspended": set(), "contested": set()}
    entry = STATUS_ENTRY.c
    for place, *marks in connection.execute(
        sa.select(entry.place, entry.revoked, entry.suspended, entry.contested).where(
            entry.list == row.id, sa.or_(entry.revoked, entry.suspended, entry.contested)
        )
    ):
        for places, marked in zip(found.values(), marks, strict=True):
            if marked:
                places.add(place)
    return Marks(row.size, **{name: frozenset(places) for name, places in found.items()})


def read_published(connection: sa.Connection, listing: str, kind: Kind) -> Published | None:
    """A rendering as it was last signed."""
    row = connection.execute(
        sa.select(STATUS_PUBLISHED).where(STATUS_PUBLISHED.c.list == listing, STATUS_PUBLISHED.c.kind == kind)
    ).one_or_none()
    return None if row is None else Published(kind, _as_bytes(kind, row.body), row.signed_at, row.expires)


def is_known(connection: sa.Connection, listing: str) -> bool:
    """Whether there is such a list, signed or not."""
    return connection.scalar(sa.select(STATUS_LIST.c.id).where(STATUS_LIST.c.id == listing)) is not None


def list_ids(connection: sa.Connection) -> list[str]:
    """The ids of all lists, in an order that does not tell which is the older."""
    return list(connection.scalars(sa.select(STATUS_LIST.c.id).order_by(STATUS_LIST.c.id)))


def _as_text(kind: Kind, body: bytes) -> str:
    return encode_base64url(body) if kind is Kind.CWT else body.decode()


def _as_bytes(kind: Kind, body: str) -> bytes:
    return decode_base64url(body, where="status list", limit=len(body)) if kind is Kind.CWT else body.encode()


# ---- on schedule -----------------------------------------------------------------------------------------------------


def republish(deps: "Deps") -> int:
    """What the service does every TICK seconds: :func:`sign_due` with its own keys."""
    at = deps.now()
    keys = deps.keyring().signing(at)
    return sign_due(deps.database, keys=keys, base=deps.config.base, at=at, rand=deps.rand)


def sign_due(database: Database, *, keys: IssuerKeys, base: str, at: datetime, rand: Rand) -> int:
    """One look at all lists: sign those that changed, those that near their end, and, so that it does not show which
    of both it was, others by chance. How many were signed. Every replica may run it: one signs each list."""
    now = int(at.timestamp())
    with database.write() as connection:
        catch_up(connection, now=now)
        close_old(connection, now)
    with database.read() as connection:
        due = [row for row in _lists(connection) if _is_due(row, now, rand)]
    signed = 0
    for row in due:
        if row.signed_at is not None:
            with database.write() as connection:
                sprinkle(connection, row.id, rand=rand, now=now)
        signed += publish(database, row.id, last=row.signed_at, keys=keys, base=base, at=at)
    with database.write() as connection:
        _retire(connection, now=now)
    return signed


def _lists(connection: sa.Connection) -> list[sa.Row[tuple[object, ...]]]:
    """All lists, each with when it was signed last and what was the newest change then."""
    one = sa.select(STATUS_PUBLISHED).where(STATUS_PUBLISHED.c.kind == Kind.JWT).subquery()
    query = sa.select(
        STATUS_LIST.c.id, STATUS_LIST.c.changed, one.c.changed.label("seen"), one.c.signed_at, one.c.expires
    ).join_from(STATUS_LIST, one, one.c.list == STATUS_LIST.c.id, isouter=True)
    return list(connection.execute(query))


def _is_due(row: sa.Row[tuple[object, ...]], now: int, rand: Rand) -> bool:
    if row.signed_at is None or row.seen != row.changed or now > row.expires - VALIDITY.total_seconds() / 2:
        return True
    # Each replica looks every TICK seconds; what another has just signed is left alone.
    return now - row.signed_at >= TICK and unit(rand) < TICK / MEAN_AGE


def sprinkle(connection: sa.Connection, listing: str, *, rand: Rand, now: int) -> None:
    """Change some decoys of a list, so that its next version differs in more than what was withdrawn."""
    row = connection.execute(sa.select(STATUS_LIST).where(STATUS_LIST.c.id == listing).with_for_update()).one_or_none()
    if row is None:
        return
    added, ended = more_decoys(connection, row.size, rand)
    places = {"suspended": STATUS_ENTRY.c.suspended, "contested": STATUS_ENTRY.c.contested}
    for status, count in ended.items():
        marked = sa.select(STATUS_ENTRY.c.place).where(
            STATUS_ENTRY.c.list == listing, STATUS_ENTRY.c.decoy, places[status]
        )
        some = list(connection.scalars(marked.order_by(sa.func.random()).limit(count)))
        connection.execute(
            STATUS_ENTRY.update()
            .where(STATUS_ENTRY.c.list == listing, STATUS_ENTRY.c.place.in_(some))
            .values({status: False})
        )
    room = max(0, row.size * 3 // 4 - row.taken)  # a free place has to be found at the second or third try
    decoys = [decoy(status) for status in added[:room]]
    take_places(connection, Listing(row.id, row.size, row.taken), decoys, rand=rand, now=now)
    connection.execute(STATUS_LIST.update().where(STATUS_LIST.c.id == listing).values(changed=later(now)))


def catch_up(connection: sa.Connection, *, now: int) -> int:
    """Set right the copies that were being signed while a dispute or a suspension of their dataset began or ended."""
    entry, changed = STATUS_ENTRY.c, set[str]()
    for table, begun, ended, mark in (
        (DISPUTE, DISPUTE.c.opened, DISPUTE.c.closed, entry.contested),
        (SUSPENSION, SUSPENSION.c.since, SUSPENSION.c.ended, entry.suspended),
    ):
        recent = now - SETTLING
        under_way = sa.select(table.c.dataset).where(ended.is_(None))
        for datasets, value in (
            (under_way.where(begun > recent), True),
            (sa.select(table.c.dataset).where(ended > recent, table.c.dataset.not_in(under_way)), False),
        ):
            wrong = STATUS_ENTRY.update().where(entry.dataset.in_(datasets), mark.is_(not value))
            changed |= set(connection.scalars(wrong.values({mark.name: value}).returning(entry.list)))
    for listing in sorted(changed):
        connection.execute(STATUS_LIST.update().where(STATUS_LIST.c.id == listing).values(changed=later(now)))
    return len(changed)


def _retire(connection: sa.Connection, *, now: int) -> None:
    """Forget a list in which no credential has a place that is still valid: one at a time, as each has many rows."""
    over = sa.select(STATUS_LIST.c.id).where(STATUS_LIST.c.closed < now - RETIRED).order_by(STATUS_LIST.c.id).limit(1)
    old = connection.scalar(over.with_for_update(skip_locked=True))
    for table, column in (
        (STATUS_PUBLISHED, STATUS_PUBLISHED.c.list),
        (STATUS_ENTRY, STATUS_ENTRY.c.list),
        (STATUS_LIST, STATUS_LIST.c.id),
    ):
        if old is not None:
            connection.execute(table.delete().where(column == old))
