"""What may happen to a session: one table. What is not in it cannot happen.

A move is one UPDATE that names the states it may start from, so that of several answers that come at the same time, one
is taken.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from verifier.tables import SESSION


class State(StrEnum):
    """What a session has come to."""

    OPEN = "open"  # nobody has looked at the request yet
    FETCHED = "fetched"  # a wallet has the request
    ANSWERED = "answered"  # an answer is here and is being checked
    CHECKED = "checked"  # there is a report
    DECLINED = "declined"  # the worker shows nothing, or the wallet cannot answer
    ERASED = "erased"  # nothing is left but this word


class Event(StrEnum):
    """What moves it."""

    FETCH = "fetch"
    ANSWER = "answer"
    DECLINE = "decline"
    REPORT = "report"


MOVES: Final[Mapping[tuple[State, Event], State]] = MappingProxyType(
    {
        (State.OPEN, Event.FETCH): State.FETCHED,
        (State.FETCHED, Event.FETCH): State.FETCHED,
        (State.OPEN, Event.ANSWER): State.ANSWERED,
        (State.FETCHED, Event.ANSWER): State.ANSWERED,
        (State.OPEN, Event.DECLINE): State.DECLINED,
        (State.FETCHED, Event.DECLINE): State.DECLINED,
        (State.ANSWERED, Event.REPORT): State.CHECKED,
    }
)
_TIMED: Final = frozenset({Event.FETCH, Event.ANSWER, Event.DECLINE})  # what a request's end puts an end to


def move(connection: sa.Connection, name: str, event: Event, *, now: int, **values: Any) -> Any | None:
    """The session after an event, with new ``values`` of its columns; None where this cannot happen to it."""
    states = {str(state): str(after) for (state, what), after in MOVES.items() if what is event}
    where = [SESSION.c.id == name, SESSION.c.state.in_(states)]
    if event in _TIMED:
        where.append(SESSION.c.expires > now)
    moved = (
        SESSION.update().where(*where).values(state=sa.case(states, value=SESSION.c.state), **values).returning(SESSION)
    )
    return connection.execute(moved).one_or_none()
