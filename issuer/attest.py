"""Attesting: a platform's export becomes statements about its workers, and every row is accounted for.

Records are added up in a database (:mod:`issuer.engine`), never row by row in Python, and statements come out one by
one: neither rows nor statements have to fit in memory.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from issuer.build import statements, whole
from issuer.constants import MADE_FROM
from issuer.engine import Database, DuckDb, Engine, database, run
from issuer.frame import Frame, frame, has_rows
from issuer.intake import Intake, Progress, Reject, Said, read_files
from issuer.parquet import parquet_files
from issuer.profile import Profile
from issuer.reconciliation import Reconciliation
from issuer.records import arrange, create, relate
from issuer.tally import Tally, reconcile, reconcile_tables
from issuer.texts import screen_texts
from issuer.topics import set_aside
from issuer.warehouse import WORKERS_IN_PART, open_warehouse
from vc.errors import Malformed, Unsupported
from work.statement import SourceMethod, Statement

ROWS_IN_PART: Final = 2_000_000  # rows whose statements are made at once: some 200 MB, whatever the export's size
_TOLD: Final = 500  # workers between two reports of progress
_ROW: Final = {".parquet": 8, ".pq": 8}  # bytes that a row takes at the least; rows of text have some 50

Tell = Callable[[Progress], None]


class Run:
    """An attestation under way. ``statements`` can be taken once, in the order of worker and type."""

    def __init__(
        self,
        rejects: Sequence[Reject],
        stream: Callable[[Tally], Iterator[Statement]],
        end: Callable[[Tally], Reconciliation],
    ) -> None:
        self.rejects = tuple(rejects)
        self._stream = stream
        self._end = end
        self._reconciliation: Reconciliation | None = None

    def statements(self) -> Iterator[Statement]:
        """The statements. After the last one, raises :class:`Rejected` where rows or money do not reconcile: who
        keeps statements has to keep none of them then."""
        tally = Tally()
        for statement in self._stream(tally):
            tally.add(statement)
            yield statement
        found = self._end(tally)
        found.check()
        self._reconciliation = found

    @property
    def reconciliation(self) -> Reconciliation:
        """What became of every row; known once all statements have been taken."""
        if self._reconciliation is None:
            raise ValueError("the statements have not been taken to their end")
        return self._reconciliation

    def rejects_csv(self) -> bytes:
        """The rejected rows, for a spreadsheet."""
        return rejects_csv(self.rejects)


@dataclass(frozen=True, slots=True)
class Attested:
    """What came of an export, all of it in memory. ``statements`` are in the order of worker and type."""

    statements: tuple[Statement, ...]
    rejects: tuple[Reject, ...]
    reconciliation: Reconciliation

    def rejects_csv(self) -> bytes:
        """The rejected rows, for a spreadsheet."""
        return rejects_csv(self.rejects)


def rejects_csv(rejects: Iterable[Reject]) -> bytes:
    """Rejected rows, for a spreadsheet."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(("file", "line", "reason", "value"))
    writer.writerows((one.file, one.line, one.reason, _tame(one.value)) for one in rejects)
    return text.getvalue().encode("utf-8")


def _tame(value: str) -> str:
    """A value from a file that nobody vouches for: a spreadsheet must not take it for a formula."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def attest(
    profile: Profile,
    paths: Sequence[Path],
    *,
    worker: str | None = None,
    source: SourceMethod = SourceMethod.platformNative,
    salt: bytes | None = None,
    each_job: bool = False,
    said: Said | None = None,
    progress: Tell = lambda _: None,
    rows_in_part: int = ROWS_IN_PART,
) -> Attested:
    """Like :func:`attesting`, all at once: for exports whose statements fit in memory."""
    with attesting(
        profile,
        paths,
        worker=worker,
        source=source,
        salt=salt,
        each_job=each_job,
        said=said,
        progress=progress,
        rows_in_part=rows_in_part,
    ) as run_:
        made = tuple(run_.statements())
        return Attested(made, run_.rejects, run_.reconciliation)


@contextmanager
def attesting(
    profile: Profile,
    paths: Sequence[Path],
    *,
    worker: str | None = None,
    source: SourceMethod = SourceMethod.platformNative,
    salt: bytes | None = None,
    each_job: bool = False,
    said: Said | None = None,
    progress: Tell = lambda _: None,
    rows_in_part: int = ROWS_IN_PART,
) -> Iterator[Run]:
    """Read the files of one export, and give what takes its statements.

    ``worker`` is the platform's id of the one worker whom an export that names no workers is about (default: the name
    of the file); ``said`` is what else the files of some platforms do not say. ``salt`` is the platform's secret for
    names of jobs (:mod:`issuer.marks`); types that name one need it. With ``each_job``, every job is stated too. Beyond
    ``rows_in_part`` rows work is done in parts, on the disk; the statements are the same. Raises :class:`Malformed`,
    naming the file, for what is not such an export or holds no usable row; :class:`Undetermined` for a full disk;
    :class:`Unsupported` for single jobs where the profile does not know them.
    """
    _check_jobs(profile, each_job=each_job)
    with database(parquet_files(paths), on_disk=_many(paths, rows_in_part)) as opened:
        create(opened.connection, profile)
        intake = read_files(opened, profile, paths, worker, progress, said)
        progress(Progress("sorting", 0, None))
        parts = arrange(opened.connection, profile, rows_in_part)
        screened = screen_texts(opened.connection, profile, [path.name for path in paths])
        fed = {relation for kind in profile.files for relation in kind.feeds}
        at = frame(DuckDb(opened.connection), profile, source, fed)
        if at is None:
            raise _nothing_used(paths, intake, undated=has_rows(DuckDb(opened.connection), fed))
        ((workers,),) = run(opened.connection, "SELECT count(*) FROM parted")
        engine = DuckDb(opened.connection)
        known = Asked(at, salt or b"", each_job=each_job)
        yield Run(
            (*intake.rejects, *screened.rejects),
            lambda tally: told(stream(engine, _parts(opened, profile, parts), known, tally), workers, progress),
            lambda tally: reconcile(
                opened.connection, profile, intake, tally, {**screened.reasons, **set_aside(engine, profile)}
            ),
        )


@contextmanager
def attesting_tables(
    profile: Profile,
    url: str,
    *,
    source: SourceMethod = SourceMethod.platformNative,
    salt: bytes | None = None,
    each_job: bool = False,
    progress: Tell = lambda _: None,
    workers_in_part: int = WORKERS_IN_PART,
) -> Iterator[Run]:
    """Like :func:`attesting`, from the platform's own tables in the engine at ``url``, where they are.

    Types that are made from a table that is not there are not stated. Raises what :func:`open_warehouse` raises.
    """
    _check_jobs(profile, each_job=each_job)
    with open_warehouse(url, profile) as opened:
        made_from = {name: MADE_FROM[name] for name in profile.statements}
        there = {name: profile.statements[name] for name, relation in made_from.items() if relation in opened.tables}
        own = replace(profile, statements=there)
        progress(Progress("sorting", 0, None))
        at = frame(opened, own, source, opened.tables)
        if at is None:
            raise Malformed(", ".join(opened.tables), "no row can be used", code="EMPTY")
        parts, workers = opened.parts(workers_in_part)
        known = Asked(at, salt or b"", each_job=each_job)
        yield Run(
            (),
            lambda tally: told(stream(opened, parts, known, tally), workers, progress),
            lambda tally: reconcile_tables(opened, own, tally),
        )


def _many(paths: Sequence[Path], rows: int) -> bool:
    """Whether files may hold more than so many rows. What is wrong with one is told when its turn comes."""
    try:
        return sum(path.stat().st_size // _ROW.get(path.suffix.lower(), 50) for path in paths) > rows
    except (OSError, ValueError):
        return False


def _parts(opened: Database, profile: Profile, parts: Sequence[int]) -> Iterator[Engine]:
    """The database, knowing the workers of one part after the other, and in the end all of them again."""
    for part in parts:
        relate(opened.connection, profile, part if len(parts) > 1 else None)
        yield DuckDb(opened.connection)
    relate(opened.connection, profile)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is asked for: the frame, the secret for names of jobs, and whether each job is stated too."""

    at: Frame
    salt: bytes
    each_job: bool


def _check_jobs(profile: Profile, *, each_job: bool) -> None:
    if each_job and "CompletedWork" not in profile.statements:
        raise Unsupported("--each-job", f"profile {profile.name} does not say what one job is")


def stream(engine: Engine, parts: Iterable[Engine], asked: Asked, tally: Tally) -> Iterator[Statement]:
    """All statements of a run: about the platform, then about the workers of one part after the other."""
    known = whole(engine, asked.at)
    if known.context is not None:
        yield known.context
    for part in parts:
        yield from statements(part, asked.at, known, tally.rounding, salt=asked.salt, each_job=asked.each_job)


def told(made: Iterator[Statement], workers: int, tell: Tell) -> Iterator[Statement]:
    """The same statements; ``tell`` hears how many of the ``workers`` are done."""
    done, current = 0, ""
    for statement in made:
        if statement.worker != current:
            current = statement.worker
            done += 1
            if done % _TOLD == 0:
                tell(Progress("stating", done, workers))
        yield statement
    tell(Progress("stating", workers, workers))


def _nothing_used(paths: Sequence[Path], intake: Intake, *, undated: bool) -> Malformed:
    if undated:
        why = "nothing in it says of which day it is: attest it together with a file of the same export that does"
        return Malformed(str(paths[0]), why, code="NO_DAY")
    if intake.rejects:
        first = intake.rejects[0]
        why = f"no row can be used; the first is on line {first.line}: {first.reason}"
        return Malformed(str(paths[0]), why, code="NOT_UNDERSTOOD")
    if sum(rows for _, rows in intake.files):
        return Malformed(str(paths[0]), "no row can be used", code="NOT_UNDERSTOOD")
    return Malformed(str(paths[0]), "is empty: there are no rows in it", code="EMPTY")
