"""Codes, tokens, cookies: what is handed out once to be handed in again. The database holds their hashes only."""

import json
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

import sqlalchemy as sa

from issuer.database import insert_new
from issuer.tables import SPENT, TICKET
from vc.multibase import encode_base64url

LENGTH: Final = 32  # bytes of chance: nobody guesses one
MAX_TICKET: Final = 128  # characters of what is handed in


class Kind(StrEnum):
    """What a ticket is good for. One kind is never taken for another."""

    PRE_AUTHORIZED = "pre-authorized_code"
    ISSUER_STATE = "issuer_state"
    REQUEST_URI = "request_uri"
    LOGIN = "login"  # the way to the platform's own login and back
    CODE = "code"
    ACCESS = "access_token"
    REFRESH = "refresh_token"
    USED = "used"  # a code or a refresh token that was taken: whoever brings it again has stolen it, or was stolen from
    NOTIFICATION = "notification_id"
    ADMIN = "admin"
    WORKER = "worker"


# Statements that are made once: to make one costs more than to run it.
_ADD: Final = TICKET.insert()
_NAMED: Final = (TICKET.c.hash == sa.bindparam("named"), TICKET.c.kind == sa.bindparam("of_kind"))
_TAKE: Final = TICKET.delete().where(*_NAMED).returning(TICKET)
_LOOK: Final = sa.select(TICKET).where(*_NAMED)
_DROP: Final = TICKET.delete().where(TICKET.c.session == sa.bindparam("of"), TICKET.c.kind != Kind.NOTIFICATION)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What stands behind a ticket that was handed in."""

    hash: str
    session: str | None
    body: dict[str, Any]
    expires: int


def hashed(text: str) -> str:
    """What the database knows a ticket by."""
    # What a header had that is no text is a lone surrogate: it has a hash, too, which is nobody's.
    return encode_base64url(sha256(text.encode(errors="surrogatepass")).digest())


def hand_out(
    connection: sa.Connection,
    kind: Kind,
    secret: bytes,
    *,
    expires: int,
    session: str | None = None,
    body: dict[str, Any] | None = None,
) -> str:
    """A new ticket from LENGTH random bytes."""
    text = encode_base64url(secret)
    row = {"hash": hashed(text), "kind": kind, "session": session, "body": json.dumps(body or {}), "expires": expires}
    connection.execute(_ADD, row)
    return text


def take(connection: sa.Connection, kind: Kind, text: str, *, now: int) -> Ticket | None:
    """The ticket, taken: of several who hand it in at the same time, one gets it. None for one that never was,
    was taken, or is past its end."""
    row = connection.execute(_TAKE, {"named": hashed(text[:MAX_TICKET]), "of_kind": kind}).one_or_none()
    return _ticket(row, now)


def use_up(connection: sa.Connection, kind: Kind, text: str, *, now: int, remembered: int) -> Ticket | None:
    """:func:`take`, and remember until ``remembered`` which session it was of, for when it is brought again."""
    ticket = take(connection, kind, text, now=now)
    if ticket is not None:
        row = {"hash": ticket.hash, "kind": Kind.USED, "session": ticket.session, "body": "{}", "expires": remembered}
        connection.execute(_ADD, row)
    return ticket


def look(connection: sa.Connection, kind: Kind, text: str, *, now: int) -> Ticket | None:
    """The ticket, left where it is: for what may be handed in several times."""
    row = connection.execute(_LOOK, {"named": hashed(text[:MAX_TICKET]), "of_kind": kind}).one_or_none()
    return _ticket(row, now)


def drop_session(connection: sa.Connection, session: str) -> None:
    """Take away all tickets of a session, except those that say what is still to be erased (issuer.retention)."""
    connection.execute(_DROP, {"of": session})


def spend(connection: sa.Connection, what: str, *, expires: int) -> bool:
    """Note that ``what`` (a nonce, the id of a proof) is used; False where it was used before."""
    row = {"hash": hashed(what), "expires": expires}
    return connection.execute(insert_new(connection, SPENT), row).rowcount == 1


def _ticket(row: Any, now: int) -> Ticket | None:
    if row is None or row.expires <= now:
        return None
    return Ticket(row.hash, row.session, json.loads(row.body), row.expires)
