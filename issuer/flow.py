"""What may happen to an offer and to a session: two tables. What is not in them cannot happen.

A move is one UPDATE that names the states it may start from, so that of several who try it at the same time, with as
many replicas as there are, one succeeds.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from issuer.tables import OFFER, SECONDS, SESSION


class Offer(StrEnum):
    """What an offer has come to."""

    OFFERED = "offered"
    CLAIMED = "claimed"  # a wallet has a session from it
    EXHAUSTED = "exhausted"  # too many wrong transaction codes
    WITHDRAWN = "withdrawn"  # the platform took it back


class Session(StrEnum):
    """What a session has come to."""

    AUTHORIZED = "authorized"  # the person said yes; the wallet has a code
    GRANTED = "granted"  # the wallet has tokens
    CLOSED = "closed"  # ended: a code or a token was used a second time, or the platform ended it


class Event(StrEnum):
    """What moves them."""

    CLAIM = "claim"
    EXHAUST = "exhaust"
    WITHDRAW = "withdraw"
    TOKENS = "tokens"
    REFRESH = "refresh"
    CLOSE = "close"


OFFERS: Final[Mapping[tuple[str, Event], str]] = MappingProxyType(
    {
        (Offer.OFFERED, Event.CLAIM): Offer.CLAIMED,
        (Offer.OFFERED, Event.EXHAUST): Offer.EXHAUSTED,
        (Offer.OFFERED, Event.WITHDRAW): Offer.WITHDRAWN,
    }
)
SESSIONS: Final[Mapping[tuple[str, Event], str]] = MappingProxyType(
    {
        (Session.AUTHORIZED, Event.TOKENS): Session.GRANTED,
        (Session.AUTHORIZED, Event.CLOSE): Session.CLOSED,
        (Session.GRANTED, Event.REFRESH): Session.GRANTED,
        (Session.GRANTED, Event.CLOSE): Session.CLOSED,
    }
)


def move_offer(connection: sa.Connection, name: str, event: Event, *, now: int) -> Any | None:
    """The offer after an event, without what only an open one needs; None where this cannot happen to it (any more)."""
    return _moved(connection, OFFER, OFFERS, name, event, now, ("body", "tx_code"))


def move_session(connection: sa.Connection, name: str, event: Event, *, now: int) -> Any | None:
    """The session after an event; None where this cannot happen to it (any more)."""
    return _moved(connection, SESSION, SESSIONS, name, event, now, ())


def _moved(
    connection: sa.Connection,
    table: sa.Table,
    moves: Mapping[tuple[str, Event], str],
    name: str,
    event: Event,
    now: int,
    emptied: tuple[str, ...],
) -> Any | None:
    found = tuple((str(state), str(after)) for (state, what), after in moves.items() if what is event)
    if not found:
        return None
    return connection.execute(_move(table, found, emptied), {"named": name, "now": now}).one_or_none()


@cache  # a few, and each of them is made once
def _move(table: sa.Table, found: tuple[tuple[str, str], ...], emptied: tuple[str, ...]) -> Any:
    states = dict(found)
    return (
        table.update()
        .where(
            table.c.id == sa.bindparam("named"),
            table.c.state.in_(states),
            table.c.expires > sa.bindparam("now", type_=SECONDS),
        )
        .values(state=sa.case(states, value=table.c.state), **dict.fromkeys(emptied))
        .returning(table)
    )
