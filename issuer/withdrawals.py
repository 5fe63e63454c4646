"""Withdrawing and suspending what was signed: all copies that are meant, in one transaction with its event.

What was withdrawn stays so: there is no act for the contrary. Copies without a status (bbs-2023) cannot be withdrawn;
they end by themselves within 45 days, and how many there are is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from issuer import events
from issuer.database import insert_into
from issuer.formats import dataset_id
from issuer.recalls import recall
from issuer.statuses import later
from issuer.tables import CREDENTIAL, STATEMENT, STATUS_ENTRY, STATUS_LIST, SUSPENSION
from vc.canon import Json
from vc.errors import Malformed
from vc.model import format_date_time

ENTRY: Final = STATUS_ENTRY.c


class Act(StrEnum):
    """What can be done to copies, other than contesting them (issuer.disputes)."""

    REVOKE = "revoke"
    SUSPEND = "suspend"
    RESUME = "resume"


_CHANGE: Final = MappingProxyType(
    {
        Act.REVOKE: (ENTRY.revoked, True),
        Act.SUSPEND: (ENTRY.suspended, True),
        Act.RESUME: (ENTRY.suspended, False),
    }
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which copies are meant: those to which all that is given applies. Nothing given means nothing, not everything."""

    worker: str | None = None
    type: str | None = None
    dataset: str | None = None
    key: str | None = None  # the verification method that signed them
    place: tuple[str, int] | None = None  # one copy, by its place: a list's id and a number

    def __post_init__(self) -> None:
        if self.place is None and self.key is None and not self.worker:
            raise Malformed(
                "--worker, --credential, --key", "say whose, or which, or signed by which key", code="USAGE"
            )
        if self.dataset is not None and self.type is None:
            raise Malformed("--dataset", "say its --type too", code="USAGE")

    @property
    def is_about_statements(self) -> bool:
        """Whether what is said is meant, and not only how it was signed or to whom."""
        return self.place is None and self.key is None


@dataclass(frozen=True, slots=True)
class Changed:
    """What an act did, or would do. ``without_status`` copies cannot be reached and are valid until ``last_end``."""

    copies: int
    lists: int
    statements: int
    without_status: int
    last_end: str | None

    def to_json(self) -> dict[str, int | str | None]:
        """For scripts and for the event."""
        return {
            "copies": self.copies,
            "lists": self.lists,
            "statements": self.statements,
            "withoutStatus": self.without_status,
            "lastEnd": self.last_end,
        }


def change(
    connection: sa.Connection, act: Act, chosen: Selection, *, now: int, dry_run: bool = False, keep: bool = False
) -> Changed:
    """Do ``act`` to the copies that are still valid. Revoking also drops the statements behind them, so that they are
    not signed again; ``keep`` leaves them. Nothing is written by a dry run. Raises :class:`Malformed` where nothing
    was ever signed that is meant."""
    if chosen.key is not None and act is not Act.RESUME and not dry_run:
        recall(connection)
    meant = _meant(connection, chosen)
    datasets = _datasets(connection, chosen) if chosen.is_about_statements else {}
    if act is Act.REVOKE and not keep and not dry_run:
        # First: a copy that is being put on record is waited for, and one that comes later is not (issuer.issuance).
        drop_statements(connection, list(datasets.values()))
    if not connection.scalar(sa.select(sa.func.count()).select_from(CREDENTIAL).where(*meant)):
        raise Malformed("what was chosen", "no such credential was signed", code="NO_SUCH_CREDENTIAL")
    valid = (*meant, CREDENTIAL.c.valid_until >= _text(now))
    made = _counted(connection, act, valid, statements=_dropped(act, datasets, keep=keep))
    if dry_run:
        return made
    mark_places(connection, act, _places(valid), now=now)
    if act is not Act.REVOKE and chosen.is_about_statements:
        _suspend_datasets(connection, act, chosen.worker or "", list(datasets), now)
    body: dict[str, Json] = {"act": str(act), "type": chosen.type, "key": chosen.key, **made.to_json()}
    events.note(connection, events.Kind.STATUS_CHANGED, chosen.worker or "", body, now=now)
    return made


def mark_places(connection: sa.Connection, act: Act, places: sa.Select[Any], *, now: int) -> int:
    """Change the status of all places that a query gives (list, place); how many changed."""
    column, value = _CHANGE[act]
    return set_marks(connection, column, places, value=value, now=now)


def set_marks(
    connection: sa.Connection, column: sa.ColumnElement[bool], places: sa.Select[Any], *, value: bool, now: int
) -> int:
    """Set one mark at all places that a query gives, and have their lists signed again; how many changed."""
    given = places.subquery()
    # Lists in one order, before any entry of theirs: two who change the same lists do not wait for each other in turn.
    held = sa.select(STATUS_LIST.c.id).where(STATUS_LIST.c.id.in_(sa.select(given.c.list)))
    connection.execute(held.order_by(STATUS_LIST.c.id).with_for_update())
    wrong = sa.tuple_(ENTRY.list, ENTRY.place).in_(sa.select(given.c.list, given.c.place))
    rows = connection.execute(
        STATUS_ENTRY.update().where(wrong, column.is_(not value)).values({column.name: value}).returning(ENTRY.list)
    ).all()
    for listing in sorted({row.list for row in rows}):
        connection.execute(STATUS_LIST.update().where(STATUS_LIST.c.id == listing).values(changed=later(now)))
    return len(rows)


def dataset_places(dataset: str, digests: Sequence[str]) -> sa.Select[Any]:
    """The places of all copies of a dataset: those that were given away for it, and those of its statements."""
    told = sa.select(ENTRY.list, ENTRY.place).where(ENTRY.dataset == dataset)
    signed = sa.select(CREDENTIAL.c.list, CREDENTIAL.c.place).where(
        CREDENTIAL.c.digest.in_(digests), CREDENTIAL.c.list.is_not(None)
    )
    both = sa.union(told, signed).subquery()
    return sa.select(both.c.list, both.c.place)


def worker_datasets(connection: sa.Connection, worker: str, kind: str | None = None) -> dict[str, str]:
    """The datasets of a worker's statements, of one type or all, each with the digest of the statement."""
    query = sa.select(STATEMENT).where(STATEMENT.c.worker == worker)
    rows = connection.execute(query if kind is None else query.where(STATEMENT.c.type == kind))
    return {
        dataset_id(source=row.source, worker=row.worker, kind=row.type, topic=row.topic): row.digest for row in rows
    }


def drop_statements(connection: sa.Connection, digests: Sequence[str]) -> None:
    """Say no more what was said: nothing is signed from these statements any longer."""
    connection.execute(STATEMENT.delete().where(STATEMENT.c.digest.in_(digests)))


def _meant(connection: sa.Connection, chosen: Selection) -> tuple[sa.ColumnElement[bool], ...]:
    column = CREDENTIAL.c
    meant = []
    if chosen.worker is not None:
        meant.append(column.worker == chosen.worker)
    if chosen.type is not None:
        meant.append(column.type == chosen.type)
    if chosen.key is not None:
        meant.append(column.key == chosen.key)
    if chosen.place is not None:
        meant += [column.list == chosen.place[0], column.place == chosen.place[1]]
    if chosen.dataset is not None:
        digest = worker_datasets(connection, chosen.worker or "").get(chosen.dataset, "")
        told = sa.select(ENTRY.list, ENTRY.place).where(ENTRY.dataset == chosen.dataset)
        meant.append(sa.or_(column.digest == digest, sa.tuple_(column.list, column.place).in_(told)))
    return tuple(meant)


def _places(meant: tuple[sa.ColumnElement[bool], ...]) -> sa.Select[Any]:
    return sa.select(CREDENTIAL.c.list, CREDENTIAL.c.place).where(*meant, CREDENTIAL.c.list.is_not(None))


def _datasets(connection: sa.Connection, chosen: Selection) -> dict[str, str]:
    found = worker_datasets(connection, chosen.worker or "", chosen.type)
    if chosen.dataset is None:
        return found
    return {dataset: digest for dataset, digest in found.items() if dataset == chosen.dataset}


def _dropped(act: Act, datasets: dict[str, str], *, keep: bool) -> int:
    return len(datasets) if act is Act.REVOKE and not keep else 0


def _counted(
    connection: sa.Connection, act: Act, valid: tuple[sa.ColumnElement[bool], ...], *, statements: int
) -> Changed:
    column, value = _CHANGE[act]
    given = _places(valid).subquery()
    at_stake = sa.tuple_(ENTRY.list, ENTRY.place).in_(sa.select(given.c.list, given.c.place))
    query = sa.select(sa.func.count(), sa.func.count(sa.distinct(ENTRY.list))).where(at_stake, column.is_(not value))
    copies, lists = connection.execute(query).one()
    unreached, end = connection.execute(
        sa.select(sa.func.count(), sa.func.max(CREDENTIAL.c.valid_until)).where(*valid, CREDENTIAL.c.list.is_(None))
    ).one()
    return Changed(copies, lists, statements, unreached, end)


def _suspend_datasets(connection: sa.Connection, act: Act, worker: str, datasets: Sequence[str], now: int) -> None:
    """Copies that are signed from now on are suspended too, or are no longer."""
    if act is Act.RESUME:
        ended = SUSPENSION.update().where(SUSPENSION.c.dataset.in_(datasets), SUSPENSION.c.ended.is_(None))
        connection.execute(ended.values(ended=now))
        return
    for dataset in datasets:
        begun = insert_into(connection, SUSPENSION).values(dataset=dataset, worker=worker, since=now, ended=None)
        connection.execute(begun.on_conflict_do_update(index_elements=["dataset"], set_={"since": now, "ended": None}))


def _text(now: int) -> str:
    return format_date_time(datetime.fromtimestamp(now, UTC))
