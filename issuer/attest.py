"""Attesting: a platform's export becomes statements about its workers, and every row is accounted for.

Records are added up in an embedded database (:mod:`issuer.records`), never row by row in Python.
"""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from issuer.build import statements
from issuer.frame import frame
from issuer.intake import Intake, Progress, Reject, read_files
from issuer.profile import Profile
from issuer.reconciliation import Reconciliation
from issuer.records import connect, create
from issuer.tally import reconcile
from vc.errors import Malformed
from work.statement import SourceMethod, Statement

_TOLD: Final = 500  # statements made between two reports of progress


@dataclass(frozen=True, slots=True)
class Attested:
    """What came of an export. ``statements`` are in the order of worker and type."""

    statements: tuple[Statement, ...]
    rejects: tuple[Reject, ...]
    reconciliation: Reconciliation

    def rejects_csv(self) -> bytes:
        """The rejected rows, for a spreadsheet."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(("file", "line", "reason", "value"))
        writer.writerows((one.file, one.line, one.reason, _tame(one.value)) for one in self.rejects)
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
    progress: Callable[[Progress], None] = lambda _: None,
) -> Attested:
    """Turn the files of one export into statements.

    ``worker`` is the platform's id of the one worker whom an export that names no workers is about (default: the name
    of the file). Raises :class:`Malformed`, naming the file, for what is not such an export or holds no usable row;
    :class:`Unsupported` for more than fits in memory; :class:`Rejected` where rows or money do not reconcile.
    """
    if worker is not None and not any(kind.asks_worker for kind in profile.files):
        raise Malformed("--worker", f"files of profile {profile.name} say themselves who they are about")
    connection = connect()
    try:
        create(connection, profile)
        intake = read_files(connection, profile, paths, worker, progress)
        at = frame(connection, profile, source)
        if at is None:
            raise _nothing_used(paths, intake)
        made: list[Statement] = []
        for statement in statements(connection, at):
            made.append(statement)
            if len(made) % _TOLD == 0:
                progress(Progress("stating", len(made), None))
        reconciliation = reconcile(connection, profile, intake, made)
        reconciliation.check()
        return Attested(tuple(made), intake.rejects, reconciliation)
    finally:
        connection.close()


def _nothing_used(paths: Sequence[Path], intake: Intake) -> Malformed:
    if intake.rejects:
        first = intake.rejects[0]
        why = f"no row can be used; the first is on line {first.line}: {first.reason}"
        return Malformed(str(paths[0]), why, code="NOT_UNDERSTOOD")
    if sum(rows for _, rows in intake.files):
        return Malformed(str(paths[0]), "no row can be used", code="NOT_UNDERSTOOD")
    return Malformed(str(paths[0]), "is empty: there are no rows in it", code="EMPTY")
