"""``ouvrage issuer attest``: records become statements, from files or from the platform's own tables."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from issuer.dates import Order
from issuer.options import Database_, database_address
from vc.canon import to_json
from vc.errors import Malformed
from vc.io.command import show
from vc.io.files import atomic_file, home, write_atomic
from vc.io.options import Home, Json_, Out
from work.statement import SourceMethod, Statement

if TYPE_CHECKING:
    from issuer.attest import Run
    from issuer.profile import Profile
    from issuer.store import Added

Files = Annotated[list[Path] | None, typer.Argument(metavar="FILE…", help="The platform's export.")]
ProfileName = Annotated[
    str, typer.Option("--profile", help="Which platform's export: a name that `profiles` lists, or a file.")
]
EngineUrl = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="URL",
        help="Instead of files: the database with the platform's own tables, postgresql://… or duckdb://FILE.",
    ),
]
Worker = Annotated[str | None, typer.Option(help="Who the export is about, where it does not say so itself.")]
Dates = Annotated[Order | None, typer.Option(help="Day or month first, for files whose dates do not tell.")]
Zone = Annotated[str | None, typer.Option(help="The time zone of files whose times are in UTC, such as Europe/Paris.")]
Day = Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="The last day of a file that says no days.")]
Rejects = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Where to write rows that were not understood; default: beside the state."),
]
EachJob = Annotated[bool, typer.Option("--each-job", help="State every single job too: for a worker who asks for it.")]
Source = Annotated[
    SourceMethod,
    typer.Option(help="Who vouches: the platform, or a file that the worker had from it (dsarImport)."),
]


@dataclass(frozen=True, slots=True)
class _Given:
    """What a run reads."""

    profile: "Profile"
    files: list[Path]
    engine: str | None
    worker: str | None
    zone: str | None
    day: date | None
    order: str
    each_job: bool
    source: SourceMethod


def attest_command(
    profile: ProfileName,
    files: Files = None,
    engine: EngineUrl = None,
    worker: Worker = None,
    dates: Dates = None,
    zone: Zone = None,
    day: Day = None,
    source: Source = SourceMethod.platformNative,
    rejects: Rejects = None,
    each_job: EachJob = False,
    out: Out = None,
    home_dir: Home = None,
    database: Database_ = None,
    as_json: Json_ = False,
) -> None:
    """Turn a platform's export into statements. Every row and every cent is accounted for."""
    from issuer.profile import load_profile  # noqa: PLC0415  (DuckDB takes a while to load)

    if (engine is None) != bool(files) or (engine and worker):
        raise Malformed("FILE…, --engine", "give files or an engine; --worker goes with files only", code="USAGE")
    folder, read = home(home_dir, "issuer", os.environ), load_profile(profile)
    order = dates.value if dates else ""
    given = _Given(read, files or [], engine, worker, zone, _day(day), order, each_job, source)
    with ExitStack() as stack:
        made = _opened(stack, given, folder, as_json=as_json)
        if made.rejects:
            rejects = rejects or folder / "rejects.csv"
            write_atomic(rejects, made.rejects_csv())
        added = _keep(made.statements(), database_address(database, folder), profile, out)
    _tell(made, added, rejects if made.rejects else None, read.unchecked, as_json=as_json)


def _opened(stack: ExitStack, given: _Given, folder: Path, *, as_json: bool) -> "Run":
    """The run, with its progress bars."""
    from issuer.attest import attesting, attesting_tables  # noqa: PLC0415  (DuckDB takes a while to load)
    from issuer.intake import Said  # noqa: PLC0415
    from issuer.marks import load_or_create_salt  # noqa: PLC0415
    from issuer.progress import attesting as bars  # noqa: PLC0415

    salt = load_or_create_salt(folder / "job-names.key", os.urandom)
    tell = stack.enter_context(bars(as_json=as_json))
    if given.engine is not None:
        return stack.enter_context(
            attesting_tables(
                given.profile, given.engine, source=given.source, salt=salt, each_job=given.each_job, progress=tell
            )
        )
    return stack.enter_context(
        attesting(
            given.profile,
            given.files,
            worker=given.worker,
            source=given.source,
            salt=salt,
            each_job=given.each_job,
            said=Said(given.zone, given.day, given.order),
            progress=tell,
        )
    )


def _keep(made: Iterator[Statement], database: Path | str, source: str, out: Path | None) -> "Added":
    """Store statements as they come, and write them to ``out``: all of them, or none if anything fails."""
    from issuer.store import Store  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    with ExitStack() as stack:
        if out is not None:
            file = stack.enter_context(stack.enter_context(atomic_file(out)).open("wb"))
            made = _copied(made, file)
        store = stack.enter_context(Store.open(database))
        return store.add_statements(made, source=source)


def _copied(made: Iterator[Statement], file: BinaryIO) -> Iterator[Statement]:
    for statement in made:
        file.write(to_json(statement.to_json()) + b"\n")
        yield statement


def _tell(made: "Run", added: "Added", rejects: Path | None, unchecked: int, *, as_json: bool) -> None:
    document = {
        "new": added.new,
        "replaced": added.replaced,
        "unchanged": added.unchanged,
        "reconciliation": made.reconciliation.to_json(),
        "rejects": str(rejects) if rejects else None,
        "uncheckedGuesses": unchecked,
    }
    lines = [made.reconciliation.text()]
    if rejects:
        lines.append(f"Rows that were not understood are in {rejects}")
    if unchecked:
        lines.append(f"{unchecked} guesses in the profile are marked CHECK: correct them")
    lines.append(f"Statements: {added.new} new, {added.replaced} replaced, {added.unchanged} as before.")
    show(document, as_json=as_json, text=lambda: "\n".join(lines))


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise Malformed("--day", "a day is written like 2026-10-12", code="USAGE") from None
