"""Sharing work between bulk runs, on one machine or several: copies are claimed page by page, signed, and recorded.

A claim is a row of BULK_CLAIM. It is taken in one transaction with the places in status lists, and given back in one
transaction with the credentials, so that a kill leaves no place used twice and no credential without its row. A run
counts as alive while it holds a lock that the operating system, or PostgreSQL, takes away with its last breath: what a
dead run has claimed is free at once, and its places are left as decoys.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any, Final, Self, TypeVar

import sqlalchemy as sa

from issuer.alive import AdvisoryLock, FileLock, Lock
from issuer.bulk import GIVEN, Columns, columns, rows
from issuer.copies import Slot
from issuer.crowds import small_crowds
from issuer.database import Database, insert_into
from issuer.formats import HAS_STATUS, Format, dataset_id
from issuer.recalls import hold, recalls
from issuer.tables import BULK_CLAIM, CREDENTIAL, STATEMENT, STATUS_ENTRY
from issuer.wanted import HOLDER, Key, Wanted, page
from vc.errors import Undetermined
from vc.model import format_date_time

BATCH: Final = 64  # copies in one transaction: about 0.2 s of signing that a kill can cost
PAGE: Final = 8 * BATCH  # copies claimed at a time: what the slowest of several machines can have left at the end
CACHE: Final = 1 << 14  # KiB: rows are read and written in the order of their digests
ATTEMPTS: Final = 4  # at a transaction that others are in the way of

_LEFT_OUT: Final = sa.table("left_out", sa.column("digest"))  # of the run's own connection

T = TypeVar("T")
Allocate = Callable[[sa.Connection, Sequence[str]], Sequence[Slot]]  # a place for each of these datasets


class Run:
    """One bulk run: its claims, and the one connection that it works over."""

    def __init__(self, database: Database, connection: sa.Connection, number: int, lock: "Lock") -> None:
        self._database = database
        self._connection = connection
        self._number = number
        self._lock = lock
        self._leaves_out = False
        self._recalls = self._step(recalls, write=False)

    @classmethod
    @contextmanager
    def start(cls, database: Database) -> Iterator[Self]:
        """A run that is alive as long as the block; what it did not record is free when it ends."""
        number = random.SystemRandom().getrandbits(62)
        with ExitStack() as stack:
            connection = stack.enter_context(_connected(database))
            lock: Lock = FileLock(database) if database.is_sqlite else AdvisoryLock(connection)
            with database.translating():  # the server may go away while it hands out the lock
                stack.enter_context(lock.held(number))
            run = cls(database, connection, number, lock)
            run.sweep()
            stack.callback(run.give_back)
            yield run

    def leave_out_few(self, kind: str, claims: Sequence[str], *, k: int, worker: str | None = None) -> int:
        """Pass over statements of a type (about one worker, or all) that fewer than ``k`` workers have the like of; how
        many."""
        few = small_crowds(kind, claims, k=k, worker=worker, sqlite=self._database.is_sqlite)
        insert = insert_into(self._connection, _LEFT_OUT).from_select(["digest"], few)

        def step(open_: sa.Connection) -> int:
            if not self._leaves_out:
                open_.exec_driver_sql("CREATE TEMPORARY TABLE left_out (digest TEXT PRIMARY KEY)")
            return open_.execute(insert).rowcount

        count = self._step(step)
        self._leaves_out = True
        return count

    def pending(self, wanted: Wanted, form: Format, *, workers: bool) -> sa.Select[Any]:
        """The copies that this run is to sign."""
        query = wanted.pending(form, workers=workers)
        if self._leaves_out:
            query = query.where(~sa.exists().where(_LEFT_OUT.c.digest == STATEMENT.c.digest))
        return query

    def count(self, wanted: Wanted) -> int:
        """How many copies have no valid credential."""
        queries = [self.pending(wanted, form, workers=workers) for form, workers in wanted.passes()]
        return sum(
            self._step(lambda open_, query=query: open_.execute(_counted(query)).scalar_one(), write=False)  # type: ignore[misc]
            for query in queries
        )

    def standing(self, wanted: Wanted, *, current: bool) -> Counter[tuple[str, str]]:
        """By type and format: valid credentials of the newest statements, or of those that are no longer the newest."""
        newest = sa.exists().where(STATEMENT.c.digest == CREDENTIAL.c.digest)
        query = (
            sa.select(CREDENTIAL.c.type, CREDENTIAL.c.format, sa.func.count())
            .where(CREDENTIAL.c.valid_until >= format_date_time(wanted.at), newest if current else ~newest)
            .group_by(CREDENTIAL.c.type, CREDENTIAL.c.format)
        )
        if wanted.worker is not None:
            query = query.where(CREDENTIAL.c.worker == wanted.worker)
        found = self._step(lambda open_: open_.execute(query).all(), write=False)
        return Counter({(kind, form): count for kind, form, count in found})

    def look(self, wanted: Wanted) -> Iterator[Columns]:
        """All pending copies in batches, page by page, without taking any up."""
        for form, workers in wanted.passes():
            query = self.pending(wanted, form, workers=workers)
            after: Key = ("", "")
            while found := self._step(lambda open_: open_.execute(page(query, after, BATCH)).all(), write=False):  # noqa: B023
                after = (found[-1].digest, found[-1].holder)
                yield _batch(form, found, [None] * len(found))

    def claimed(self, wanted: Wanted, allocate: Allocate) -> Iterator[Columns]:
        """All pending copies in batches: each page is claimed for this run when it is needed, and not before.

        After the last page, what other runs have left when they died is taken up too.
        """
        while True:
            for form, workers in wanted.passes():
                query = self.pending(wanted, form, workers=workers)
                for given in self._pages(query, form, allocate):
                    for at in range(0, len(given), BATCH):
                        yield columns(given[at : at + BATCH], GIVEN)
            if not self.sweep():
                return

    def _pages(self, query: sa.Select[Any], form: Format, allocate: Allocate) -> Iterator[list[dict[str, Any]]]:
        """What is ours of one page after the other."""
        after: Key = ("", "")
        while True:
            last, given = self._step(partial(self._claim, query=query, form=form, after=after, allocate=allocate))
            yield given
            if last is None:
                return
            after = last

    def record(self, given: Columns, made: Columns, wanted: Wanted, now: int) -> int:
        """Keep what was signed of a batch, and end its claims; how many credentials are on disk when this returns.

        What somebody else has signed, or withdrawn, in the meantime is not kept.
        """
        batch = [row | {"made": signed} for row, signed in zip(rows(given), rows(made), strict=True)]
        if any((row["digest"], row["holder"]) != (row["made"]["digest"], row["made"]["holder"]) for row in batch):
            raise Undetermined("an engine mixed up its rows", "run the command again", code="ENGINE_GONE")
        return self._step(lambda open_: self._record(open_, batch, wanted, now))

    def sweep(self) -> int:
        """Free what runs that are gone had claimed; how many copies."""

        def step(open_: sa.Connection) -> int:
            others = open_.execute(
                sa.select(BULK_CLAIM.c.run).distinct().where(BULK_CLAIM.c.run != self._number)
            ).scalars()
            gone = [number for number in others if self._lock.is_free(number)]
            return self._free(open_, BULK_CLAIM.c.run.in_(gone)) if gone else 0

        return self._step(step)

    def give_back(self) -> None:
        """Free what this run has claimed and not recorded."""
        with suppress(Undetermined):  # the next run will
            self._step(lambda open_: self._free(open_, BULK_CLAIM.c.run == self._number))

    def _claim(
        self, open_: sa.Connection, *, query: sa.Select[Any], form: Format, after: Key, allocate: Allocate
    ) -> tuple[Key | None, list[dict[str, Any]]]:
        others = sa.exists().where(
            BULK_CLAIM.c.digest == STATEMENT.c.digest, BULK_CLAIM.c.holder == HOLDER, BULK_CLAIM.c.format == form
        )
        if not self._database.is_sqlite:  # few rows by their keys, whatever PostgreSQL thinks of the tables' sizes
            open_.exec_driver_sql("SET LOCAL enable_hashjoin = off")
            open_.exec_driver_sql("SET LOCAL enable_mergejoin = off")
        found = open_.execute(page(query.where(~others), after, PAGE)).all()
        if not found:
            return None, []
        names = [{"digest": one.digest, "holder": one.holder, "format": form, "run": self._number} for one in found]
        insert = insert_into(open_, BULK_CLAIM).on_conflict_do_nothing()
        ours = {tuple(row) for row in open_.execute(insert.returning(BULK_CLAIM.c.digest, BULK_CLAIM.c.holder), names)}
        taken = [one for one in found if (one.digest, one.holder) in ours]
        if form in HAS_STATUS and taken:
            batch = _batch(form, taken, allocate(open_, [_dataset(one) for one in taken]))
            _note_places(open_, batch)
        else:
            batch = _batch(form, taken, [None] * len(taken))
        return (found[-1].digest, found[-1].holder), list(rows(batch))

    def _record(self, open_: sa.Connection, batch: list[dict[str, Any]], wanted: Wanted, now: int) -> int:
        hold(open_)
        if recalls(open_) != self._recalls:
            raise Undetermined(
                "all that a key has signed was withdrawn meanwhile", "run the command again", code="KEY_RECALLED"
            )
        named = [(row["digest"], row["holder"], row["format"]) for row in batch]
        key = sa.tuple_(BULK_CLAIM.c.digest, BULK_CLAIM.c.holder, BULK_CLAIM.c.format)
        ended = BULK_CLAIM.delete().where(BULK_CLAIM.c.run == self._number, key.in_(named))
        ours = {
            tuple(row)
            for row in open_.execute(ended.returning(BULK_CLAIM.c.digest, BULK_CLAIM.c.holder, BULK_CLAIM.c.format))
        }
        there = set(
            open_.execute(
                sa.select(STATEMENT.c.digest)
                .where(STATEMENT.c.digest.in_({row["digest"] for row in batch}))
                .with_for_update(read=True, key_share=True)
            ).scalars()
        )
        values = [
            _credential(row, now)
            for row, name in zip(batch, named, strict=True)
            if name in ours and row["digest"] in there and row["made"]["error"] is None
        ]
        kept = self._keep(open_, values, wanted) if values else set()
        unused = [row for row, name in zip(batch, named, strict=True) if name in ours and name not in kept]
        _leave_as_decoys(open_, [(row["list"], row["place"]) for row in unused if row["list"] is not None])
        return len(kept)

    def _keep(self, open_: sa.Connection, values: list[dict[str, Any]], wanted: Wanted) -> set[tuple[str, ...]]:
        insert = insert_into(open_, CREDENTIAL).values(values)
        names = ("digest", "holder", "format")
        insert = insert.on_conflict_do_update(
            index_elements=list(names),
            set_={column.name: insert.excluded[column.name] for column in CREDENTIAL.c if column.name not in names},
            where=CREDENTIAL.c.valid_until < format_date_time(wanted.at),
        )
        return {tuple(row) for row in open_.execute(insert.returning(*(CREDENTIAL.c[name] for name in names)))}

    def _free(self, open_: sa.Connection, which: sa.ColumnElement[bool]) -> int:
        freed = open_.execute(BULK_CLAIM.delete().where(which).returning(BULK_CLAIM.c.list, BULK_CLAIM.c.place)).all()
        _leave_as_decoys(open_, [(one.list, one.place) for one in freed if one.list is not None])
        return len(freed)

    def _step(self, step: Callable[[sa.Connection], T], *, write: bool = True) -> T:
        """One transaction; again where another run was in its way."""
        for attempt in range(ATTEMPTS):
            try:
                return self._once(step, write=write)
            except Undetermined as error:
                if error.code != "STORE_BUSY" or attempt == ATTEMPTS - 1:
                    raise
                time.sleep(random.SystemRandom().random() * 0.1 * 2**attempt)
        raise AssertionError  # the last attempt returns or raises

    def _once(self, step: Callable[[sa.Connection], T], *, write: bool) -> T:
        begin = "BEGIN IMMEDIATE" if write else "BEGIN"
        with self._database.translating():
            self._connection.execution_options(ouvrage_begin=begin)
            with self._connection.begin():
                return step(self._connection)


@contextmanager
def _connected(database: Database) -> Iterator[sa.Connection]:
    """A connection of the run's own. What it set, made and locked ends with it."""
    with database.translating():
        connection = database.engine.connect()
    try:
        if database.is_sqlite:
            with connection.begin():
                connection.exec_driver_sql(f"PRAGMA cache_size=-{CACHE}")
        yield connection
    finally:
        connection.invalidate()
        connection.close()


def _counted(query: sa.Select[Any]) -> sa.Select[Any]:
    return query.with_only_columns(sa.func.count(), maintain_column_froms=True)


def _dataset(one: Any) -> str:
    return dataset_id(source=one.source, worker=one.worker, kind=one.type, topic=one.topic)


def _batch(form: Format, found: Sequence[Any], slots: Sequence[Slot | None]) -> dict[str, list[Any]]:
    made = [
        {
            "digest": one.digest,
            "type": one.type,
            "worker": one.worker,
            "body": one.body,
            "holder": one.holder,
            "format": str(form),
            "list": slot.list if slot else None,
            "place": slot.place if slot else None,
            "url": slot.url if slot else None,
        }
        for one, slot in zip(found, slots, strict=True)
    ]
    return columns(made, GIVEN)


def _credential(row: dict[str, Any], now: int) -> dict[str, Any]:
    made = row["made"]
    return {
        "digest": row["digest"],
        "holder": row["holder"],
        "format": row["format"],
        "worker": row["worker"],
        "type": row["type"],
        "valid_until": made["valid_until"],
        "signed_at": now,
        "key": made["key"],
        "list": row["list"],
        "place": row["place"],
        "body": made["body"],
    }


def _note_places(open_: sa.Connection, batch: Columns) -> None:
    """Write into the claims which places were taken for them."""
    where = sa.and_(
        BULK_CLAIM.c.digest == sa.bindparam("d"),
        BULK_CLAIM.c.holder == sa.bindparam("h"),
        BULK_CLAIM.c.format == sa.bindparam("f"),
    )
    values = BULK_CLAIM.update().where(where).values(list=sa.bindparam("l"), place=sa.bindparam("p"))
    open_.execute(
        values,
        [
            {"d": row["digest"], "h": row["holder"], "f": row["format"], "l": row["list"], "p": row["place"]}
            for row in rows(batch)
        ],
    )


def _leave_as_decoys(open_: sa.Connection, places: Sequence[tuple[str, int]]) -> None:
    """Places that no credential points to: nobody can tell them from the others."""
    if places:
        where = sa.and_(STATUS_ENTRY.c.list == sa.bindparam("l"), STATUS_ENTRY.c.place == sa.bindparam("p"))
        open_.execute(
            STATUS_ENTRY.update().where(where).values(decoy=True, dataset=None),
            [{"l": name, "p": at} for name, at in places],
        )
