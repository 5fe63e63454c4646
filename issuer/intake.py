"""The files of an export, read into the database row by row and fate by fate."""

# ruff: noqa: S608  (the numbers in this SQL are ours)

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import duckdb

from issuer.exports import Batch, Layout, batches, layout, open_export
from issuer.profile import Profile
from issuer.records import fates, insert, insert_sql, mark_repeated, run
from vc.errors import Malformed

MAX_FILES: Final = 1000
MAX_REJECTS: Final = 100_000  # nobody would read more; and what has so many is not what the profile describes

# Rows after which a file is given up if none, or less than half, of them were understood: 100 MB of garbage are refused
# in a second.
_NONE: Final = 1000
_FEW: Final = 20_000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: ``stage`` is "reading" (bytes of all files) or "stating" (statements; no total known)."""

    stage: str
    done: int
    total: int | None


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
    """One file, the ``number``-th of the export, and where its rows go."""

    connection: duckdb.DuckDBPyConnection
    profile: Profile
    path: Path
    number: int

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
    connection: duckdb.DuckDBPyConnection,
    profile: Profile,
    paths: Sequence[Path],
    worker: str | None,
    tell: Callable[[Progress], None],
) -> Intake:
    """Read all files into the tables of the profile. Raises :class:`Malformed`, naming the file."""
    if not 1 <= len(paths) <= MAX_FILES:
        raise Malformed("files", f"from 1 to {MAX_FILES} are needed")
    sizes = list(map(_size, paths))
    counts: list[int] = []
    rejects: list[Reject] = []
    broken: list[Reject] = []
    for number, path in enumerate(paths):
        source = _Source(connection, profile, path, number)
        about = worker or (path.stem if len(paths) == 1 else None)
        count, flaws = _read_file(source, about, partial(_tell, tell, sum(sizes[:number]), sum(sizes)))
        counts.append(count)
        rejects += sorted([*flaws, *source.refused(MAX_REJECTS)], key=lambda one: one.line)
        broken += flaws
    mark_repeated(connection, profile)
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
        form = layout(stream, source.path, source.profile)
        if form is None:
            return 0, []
        about = _about(source.path, form, worker)
        with closing(batches(stream, form)) as found:
            return _read_batches(source, form, about, found, tell)


def _read_batches(
    source: _Source, form: Layout, worker: str | None, found: Iterable[Batch], tell: Callable[[int], None]
) -> tuple[int, list[Reject]]:
    place = source.profile.files.index(form.kind)
    sql = insert_sql(form.kind, place, form)
    count, refused, broken = 0, 0, list[Reject]()
    for batch in found:
        insert(source.connection, sql, form, batch, file=source.number, worker=worker)
        broken += [Reject(source.path.name, line, reason) for line, reason in batch.broken]
        refused += len(batch.broken) + _count_refused(source, place, batch)
        count += len(batch.rows) + len(batch.broken)
        if _is_hopeless(count, refused):
            raise _not_understood(source, broken, count)
        tell(batch.done)
    return count, broken


def _is_hopeless(count: int, refused: int) -> bool:
    return refused > MAX_REJECTS or (refused == count >= _NONE) or (2 * refused > count >= _FEW)


def _about(path: Path, form: Layout, worker: str | None) -> str | None:
    """Who the rows of a file are about, where they do not say so themselves."""
    if form.kind.asks_worker and not worker:
        raise Malformed(str(path), "several files that do not say who they are about: name the worker")
    return worker if form.kind.asks_worker else None


def _count_refused(source: _Source, place: int, batch: Batch) -> int:
    if not batch.rows:
        return 0
    sql = f"SELECT count(*) FROM rows_{place} WHERE file = $file AND line >= $line AND fate > 0"
    ((refused,),) = run(source.connection, sql, {"file": source.number, "line": batch.lines[0]})
    return int(refused)


def _not_understood(source: _Source, broken: Sequence[Reject], count: int) -> Malformed:
    first = min([*broken, *source.refused(1)], key=lambda one: one.line)
    value = f" ({first.value!r})" if first.value else ""
    return Malformed(
        str(source.path),
        f"too few of {count} rows are understood; the first that is not is on line {first.line}: {first.reason}{value}",
        code="NOT_UNDERSTOOD",
    )
