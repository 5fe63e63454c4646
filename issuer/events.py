"""What happened, for the platform's own systems: an outbox in the same transaction as what happened itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from issuer.tables import EVENT, SECONDS, SETTING
from vc.canon import Json
from vc.model import format_date_time

PAGE: Final = 1000  # events that are read at once
WANTED: Final = "webhook"  # the setting that says that somebody is told: kept by every replica that has a webhook


class Kind(StrEnum):
    """What can happen."""

    OFFER_CREATED = "offer.created"
    OFFER_CLAIMED = "offer.claimed"
    OFFER_WITHDRAWN = "offer.withdrawn"
    CREDENTIAL_ISSUED = "credential.issued"
    NOTIFICATION = "notification"  # what the wallet did with a credential (OpenID4VCI §11)
    DISPUTE_OPENED = "dispute.opened"
    DISPUTE_CLOSED = "dispute.closed"
    STATUS_CHANGED = "status.changed"
    DEFERRED = "deferred"  # a request waits for somebody's decision
    KEY_ROTATED = "key.rotated"


_NOTE: Final = EVENT.insert().values(
    kind=sa.bindparam("kind"),
    worker=sa.bindparam("worker"),
    body=sa.bindparam("body"),
    at=sa.bindparam("at"),
    attempts=sa.bindparam("attempts"),
    next_attempt=sa.case(
        (sa.exists().where(SETTING.c.name == WANTED), sa.bindparam("first", type_=SECONDS)), else_=None
    ),
)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. ``worker`` is the platform's own id, or empty; ``body`` holds no claim."""

    id: int
    kind: Kind
    worker: str
    at: int
    body: Mapping[str, Json]

    def to_json(self) -> dict[str, Json]:
        """The event as it is sent, and as ``ouvrage issuer events`` prints it."""
        at = format_date_time(datetime.fromtimestamp(self.at, UTC))
        return {**self.body, "id": self.id, "kind": str(self.kind), "at": at, "worker": self.worker}


def note(connection: sa.Connection, kind: Kind, worker: str, body: Mapping[str, Json], *, now: int) -> None:
    """Write down that something happened, in the transaction in which it did. No claim and no name goes into ``body``.

    It is sent where a webhook is set up, and can be read with ``ouvrage issuer events`` in any case.
    """
    row = {"kind": kind, "worker": worker, "body": json.dumps(dict(body), ensure_ascii=False), "at": now}
    connection.execute(_NOTE, {**row, "attempts": 0, "first": now})


def read(connection: sa.Connection, *, since: int) -> list[Event]:
    """The first PAGE events after one, oldest first; none with a smaller number will come later."""
    if connection.dialect.name != "sqlite":
        # Numbers are given out before the transaction ends: whoever has one by now is waited for.
        connection.exec_driver_sql(f"LOCK TABLE {EVENT.name} IN SHARE MODE")
    rows = connection.execute(sa.select(EVENT).where(EVENT.c.id > since).order_by(EVENT.c.id).limit(PAGE))
    return [event(row) for row in rows]


def event(row: Any) -> Event:
    """A row of the table as an event."""
    return Event(row.id, Kind(row.kind), row.worker, row.at, json.loads(row.body))
