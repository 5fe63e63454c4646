"""The files of an export, read into the database row by row and fate by fate."""

# ruff: noqa: S608  (the numbers in this SQL are ours)

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

import duckdb

from issuer.dates import day_order
from issuer.engine import Database, run
from issuer.exports import Batch, Layout, batches, layout, open_export
from issuer.parquet import is_parquet, open_table, read_slices
from issuer.profile import FileKind, Profile
from issuer.records import fates, insert, insert_sql, packed_sql
from vc.errors import Malformed

MAX_FILES: Final = 1000
MAX_REJECTS: Final = 100_000  # nobody would read more; and what has so many is not what the profile describes

# Rows after which a file is given up if none, or less than half, of them were understood: 100 MB of garbage are refused
# in a second.
_NONE: Final = 1000
_FEW: Final = 20_000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: ``stage`` is "reading" (bytes of all files), "sorting" (nothing to count) or "stating" (workers
    whose statements were made)."""

    stage: str
    done: int
    total: int | None


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says about files that do not say it themselves: in which time zone, and of which day they are, and
    whether dates have the day ("dmy") or the month first ("mdy")."""

    zone: str | None = None
    day: date | None = None
    order: str = ""

    def check(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Raises :class:`Malformed` for a zone that there is not."""
        known = "SELECT count(*) FROM pg_timezone_names() WHERE name = $zone"
        if self.zone is not None and run(connection, known, {"zone": self.zone}) == [(0,)]:
            raise Malformed(
                "--zone", f"no time zone is called {self.zone[:40]!r}; one is Europe/Paris", code="BAD_ZONE"
            )

    def about(self, path: Path, kind: FileKind) -> dict[str, str | None]:
        """The zone and the day of a file, where its kind asks for them. Raises :class:`Malformed`, naming the file."""
        if kind.asks("zone") and self.zone is None:
            why = "its times are in UTC, and it does not say where they were: add --zone, such as --zone Europe/Paris"
            raise Malformed(str(path), why, code="ZONE_NEEDED")
        day = self.day or day_named(path.name)
        if kind.asks("day") and day is None:
            why = "neither the file nor its name says which days it is about: add --day with the last one of them"
            raise Malformed(str(path), why, code="DAY_NEEDED")
        return {"zone": self.zone, "day": None if day is None else day.isoformat()}


_NAMED_DAY: Final = re.compile(r"(?<!\d)(20\d\d)[-_.]?(\d\d)[-_.]?(\d\d)(?!\d)")


def day_named(name: str) -> date | None:
    """The last day in the name of a file, such as 20261005-20261012-payments.csv."""
    for year, month, day in reversed(_NAMED_DAY.findall(name)):
        with suppress(ValueError):
            return date(int(year), int(month), int(day))
    return None


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not understood: where it begins (the header's first line is 1), why, and the value to blame."""

    file: str
    line: int
    reason: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Intake:
    """What was read: the rows of each file, and all rows that were not understood, by file and line."""

    files: tuple[tuple[str, int], ...]
    rejects: tuple[Reject, ...]
    broken: tuple[Reject, ...]  # those of ``rejects`` that are no rows of the table, and so are not in the database


@dataclass(frozen=True, slots=True)
class _Source:
    """One file, the ``number``-th of the export, and where its rows go. ``named``: a person says who it is about."""

    database: Database
    profile: Profile
    path: Path
    number: int
    said: Said
    named: bool

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        return self.database.connection

    def refused(self, limit: int) -> list[Reject]:
        """The first rows in the database that were not understood."""
        found: list[Reject] = []
        for place, kind in enumerate(self.profile.files):
            reasons = fates(kind)
            sql = f"""SELECT line, fate, coalesce(detail, '') FROM rows_{place}
                      WHERE file = $file AND fate BETWEEN 1 AND {len(reasons) - 1} ORDER BY line LIMIT {limit}"""
            rows = run(self.connection, sql, {"file": self.number})
            found += [Reject(self.path.name, line, reasons[fate - 1].reason, value) for line, fate, value in rows]
        return found


def read_files(
    database: Database,
    profile: Profile,
    paths: Sequence[Path],
    worker: str | None,
    tell: Callable[[Progress], None],
    said: Said | None = None,
) -> Intake:
    """Read all files into the tables of the profile. Raises :class:`Malformed`, naming the file."""
    said = said or Said()
    said.check(database.connection)
    if not 1 <= len(paths) <= MAX_FILES:
        raise Malformed("files", f"from 1 to {MAX_FILES} are needed")
    sizes = list(map(_size, paths))
    counts: list[int] = []
    rejects: list[Reject] = []
    broken: list[Reject] = []
    for number, path in enumerate(paths):
        alone = len(paths) == 1
        source = _Source(database, profile, path, number, said, named=alone and worker is not None)
        about = worker or (path.stem if alone else None)
        count, flaws = _read_file(source, about, partial(_tell, tell, sum(sizes[:number]), sum(sizes)))
        counts.append(count)
        rejects += sorted([*flaws, *source.refused(MAX_REJECTS)], key=lambda one: one.line)
        broken += flaws
    files = zip((path.name for path in paths), counts, strict=True)
    return Intake(tuple(files), tuple(rejects), tuple(broken))


def _size(path: Path) -> int:
    """For progress only: what is wrong with a file is told when its turn comes."""
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0


def _tell(tell: Callable[[Progress], None], before: int, total: int, done: int) -> None:
    tell(Progress("reading", before + done, total))


def _read_file(source: _Source, worker: str | None, tell: Callable[[int], None]) -> tuple[int, list[Reject]]:
    """Read one file; how many rows it has, and those of them that are no rows of the table."""
    with open_export(source.path) as stream:
        if is_parquet(stream, source.path):
            return _read_parquet(source, worker, tell), []
        form = layout(stream, source.path, source.profile)
        if form is None:
            return 0, []
        about = _about(source, worker, asked=form.asks_worker)
        form = replace(form, order=day_order(stream, form, source.path, source.said.order))
        with closing(batches(stream, form)) as found:
            return _read_batches(source, form, about, found, tell)


def _read_parquet(source: _Source, worker: str | None, tell: Callable[[int], None]) -> int:
    table = open_table(source.database, source.path, source.profile)
    if table is None:
        return 0
    place = source.profile.files.index(table.kind)
    said = {
        "worker": _about(source, worker, asked=table.asks_worker),
        "order": source.said.order,
        **source.said.about(source.path, table.kind),
    }
    size, refused, before = _size(source.path), 0, 0
    for count in read_slices(source.connection, table, place, file=source.number, said=said):
        refused += _count_refused(source, place, before + 1)
        if _is_hopeless(count, refused):
            raise _not_understood(source, [], count)
        tell(size * count // table.rows)
        before = count
    return before


def _read_batches(
    source: _Source, form: Layout, worker: str | None, found: Iterable[Batch], tell: Callable[[int], None]
) -> tuple[int, list[Reject]]:
    place = source.profile.files.index(form.kind)
    copies = [(copy, insert_sql(form.kind, place, packed_sql(copy), copy.places)) for copy in form.copies]
    count, refused, broken = 0, 0, list[Reject]()
    said = source.said.about(source.path, form.kind)
    for batch in found:
        for copy, sql in copies:
            insert(source.connection, sql, copy, batch, file=source.number, worker=worker, **said)
        broken += [Reject(source.path.name, line, reason) for line, reason in batch.broken]
        refused += len(batch.broken) + (_count_refused(source, place, batch.lines[0]) if batch.rows else 0)
        count += len(batch.rows) * len(copies) + len(batch.broken)
        if _is_hopeless(count, refused):
            raise _not_understood(source, broken, count)
        tell(batch.done)
    return count, broken


def _is_hopeless(count: int, refused: int) -> bool:
    return refused > MAX_REJECTS or (refused == count >= _NONE) or (2 * refused > count >= _FEW)


def _about(source: _Source, worker: str | None, *, asked: bool) -> str | None:
    """Who the rows of a file are about, where they do not say so themselves."""
    if source.named and not asked:
        raise Malformed("--worker", f"files like {source.path.name} say themselves who they are about")
    if asked and not worker:
        raise Malformed(str(source.path), "several files that do not say who they are about: name the worker")
    return worker if asked else None


def _count_refused(source: _Source, place: int, first: int) -> int:
    """How many rows were not understood, from the line ``first`` on."""
    sql = f"SELECT count(*) FROM rows_{place} WHERE file = $file AND line >= $line AND fate > 0"
    ((refused,),) = run(source.connection, sql, {"file": source.number, "line": first})
    return int(refused)


def _not_understood(source: _Source, broken: Sequence[Reject], count: int) -> Malformed:
    first = min([*broken, *source.refused(1)], key=lambda one: one.line)
    value = f" ({first.value!r})" if first.value else ""
    return Malformed(
        str(source.path),
        f"too few of {count} rows are understood; the first that is not is on line {first.line}: {first.reason}{value}",
        code="NOT_UNDERSTOOD",
    )
