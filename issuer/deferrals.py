"""Credential requests that wait for somebody's decision (OpenID4VCI §9)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from issuer import events
from issuer.access import Access
from issuer.datasets import of_id
from issuer.deps import Deps
from issuer.formats import CONFIGURATIONS
from issuer.issuance import Order
from issuer.tables import DEFERRAL
from issuer.tickets import LENGTH, MAX_TICKET, hashed
from vc.canon import Json
from vc.errors import Malformed
from vc.multibase import encode_base64url
from vc.oauth import OAuthRefusal

APPROVED: Final = "approved"
DENIED: Final = "denied"
SHORT: Final = 10  # characters of a deferral's id that tell it from all others, for people
MAX_LISTED: Final = 1000
MAX_WAITING: Final = 50  # requests of one worker at one time: nobody hides the others behind their own


@dataclass(frozen=True, slots=True)
class Approved:
    """A request that may be answered now; ``close`` is done when its credentials are on record."""

    order: Order
    close: Callable[[sa.Connection], None]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits, for those who decide."""

    id: str
    worker: str
    type: str
    reason: str
    copies: int
    created: int

    def to_json(self) -> dict[str, Json]:
        """For scripts."""
        return {
            "id": self.id,
            "worker": self.worker,
            "type": self.type,
            "reason": self.reason,
            "copies": self.copies,
            "created": self.created,
        }


def defer(connection: sa.Connection, deps: Deps, order: Order, reason: str) -> str:
    """Keep a request until it is decided; its ``transaction_id``, which only the wallet knows.

    Raises :class:`OAuthRefusal` where too many of this worker's wait.
    """
    mine = (DEFERRAL.c.worker == order.access.worker, DEFERRAL.c.decision.is_(None))
    if (connection.scalar(sa.select(sa.func.count()).select_from(DEFERRAL).where(*mine)) or 0) >= MAX_WAITING:
        raise OAuthRefusal("credential_request_denied", "too many requests wait for a decision already")
    transaction, now = encode_base64url(deps.rand(LENGTH)), deps.seconds
    dataset = order.dataset
    asked = {"configuration": dataset.configuration.id, "dataset": dataset.id, "keys": list(order.holders)}
    connection.execute(
        DEFERRAL.insert().values(
            id=hashed(transaction),
            session=order.access.session,
            worker=order.access.worker,
            type=dataset.configuration.kind.name,
            request=json.dumps(asked),
            reason=reason,
            decision=None,
            created=now,
            expires=now + deps.config.refresh_lifetime,
        )
    )
    said = {"configuration": dataset.configuration.id, "dataset": dataset.id, "reason": reason}
    events.note(connection, events.Kind.DEFERRED, order.access.worker, said, now=now)
    return transaction


def find(deps: Deps, access: Access, transaction: str) -> Approved | None:
    """What was promised to this session; None while it waits. Raises :class:`OAuthRefusal` (§9.3)."""
    name = hashed(transaction[:MAX_TICKET])
    with deps.database.read() as connection:
        row: Any = connection.execute(sa.select(DEFERRAL).where(DEFERRAL.c.id == name)).one_or_none()
        if row is None or row.session != access.session or row.expires <= deps.seconds:
            raise unknown_transaction()
        if row.decision is None:
            return None
        asked = json.loads(row.request)
        configuration = CONFIGURATIONS.get(asked["configuration"])
        dataset = of_id(connection, access.worker, configuration, asked["dataset"]) if configuration else None
    if row.decision != APPROVED or dataset is None:
        raise OAuthRefusal("credential_request_denied", "these credentials will not be issued")

    def close(connection: sa.Connection) -> None:
        """Of two who ask at the same time, one gets the credentials; the other learns that they were fetched."""
        if connection.execute(DEFERRAL.delete().where(DEFERRAL.c.id == name)).rowcount != 1:
            raise unknown_transaction()

    return Approved(Order(access, dataset, tuple(asked["keys"]), {}), close)


def unknown_transaction() -> OAuthRefusal:
    """Never promised, promised to somebody else, or kept (§9.3): who asks is not told which."""
    return OAuthRefusal("invalid_transaction_id", "unknown, or its credentials were fetched")


def waiting(connection: sa.Connection) -> list[Waiting]:
    """The requests that wait, oldest first."""
    return _waiting(connection, MAX_LISTED)


def _waiting(connection: sa.Connection, most: int, *which: sa.ColumnElement[bool]) -> list[Waiting]:
    query = sa.select(DEFERRAL).where(DEFERRAL.c.decision.is_(None), *which).order_by(DEFERRAL.c.created).limit(most)
    rows = connection.execute(query)
    return [
        Waiting(row.id, row.worker, row.type, row.reason, len(json.loads(row.request)["keys"]), row.created)
        for row in rows
    ]


def decide(connection: sa.Connection, name: str, decision: str) -> Waiting:
    """Approve or deny the request whose id is, or begins with, ``name``. Raises :class:`Malformed`."""
    found = _waiting(connection, 2, DEFERRAL.c.id.startswith(name, autoescape=True)) if name else []
    if len(found) != 1:
        raise Malformed("ID", "not one of: ouvrage issuer deferred list", code="UNKNOWN_DEFERRAL")
    query = DEFERRAL.update().where(DEFERRAL.c.id == found[0].id, DEFERRAL.c.decision.is_(None))
    if connection.execute(query.values(decision=decision)).rowcount != 1:
        raise Malformed("ID", "decided by somebody else just now", code="UNKNOWN_DEFERRAL")
    return found[0]
