"""``ouvrage issuer revoke``, ``suspend``, ``resume``, ``contest`` and ``dispute``."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from issuer.options import Database_, database_address
from vc.canon import Json
from vc.errors import Malformed
from vc.io.command import new_app, show
from vc.io.files import home, write_atomic
from vc.io.options import At, Home, Json_, moment
from work.types import TYPES

if TYPE_CHECKING:
    from issuer.database import Database
    from issuer.withdrawals import Act, Changed, Selection

OUTCOMES: Final = tuple(TYPES["DisputeOutcome"].claims["outcome"].words)

Worker = Annotated[str | None, typer.Option("--worker", metavar="ID", help="The platform's id of the worker.")]
Type = Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Only statements of this type: Earnings.")]
Dataset = Annotated[
    str | None,
    typer.Option("--dataset", metavar="ID", help="Only this one of several, as `contest --dry-run` lists them."),
]
Place = Annotated[
    str | None, typer.Option("--credential", metavar="LIST:PLACE", help="One copy, by its place in a status list.")
]
Key = Annotated[str | None, typer.Option("--key", metavar="DID#KEY", help="Everything that this key has signed.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")]

dispute_app = new_app("Disputes: what workers object to, and what came of it.")


def revoke_command(
    worker: Worker = None,
    type_: Type = None,
    dataset: Dataset = None,
    credential: Place = None,
    key: Key = None,
    keep_statement: Annotated[
        bool, typer.Option("--keep-statement", help="Withdraw the copies, and sign new ones when they are asked for.")
    ] = False,
    dry_run: DryRun = False,
    database: Database_ = None,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Withdraw all copies of a worker's statements, for good; the statements are not signed again."""
    from issuer.withdrawals import Act, Selection  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    chosen = Selection(worker, type_, dataset, key, _place(credential))
    _change(Act.REVOKE, chosen, database, home_dir, at, dry_run=dry_run, keep=keep_statement, as_json=as_json)


def suspend_command(
    worker: Worker = None,
    type_: Type = None,
    dataset: Dataset = None,
    credential: Place = None,
    key: Key = None,
    dry_run: DryRun = False,
    database: Database_ = None,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Suspend all copies of a worker's statements, and those that are signed meanwhile, until they are resumed."""
    from issuer.withdrawals import Act, Selection  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    chosen = Selection(worker, type_, dataset, key, _place(credential))
    _change(Act.SUSPEND, chosen, database, home_dir, at, dry_run=dry_run, keep=True, as_json=as_json)


def resume_command(
    worker: Worker = None,
    type_: Type = None,
    dataset: Dataset = None,
    credential: Place = None,
    key: Key = None,
    dry_run: DryRun = False,
    database: Database_ = None,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """End a suspension. What was withdrawn stays withdrawn."""
    from issuer.withdrawals import Act, Selection  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    chosen = Selection(worker, type_, dataset, key, _place(credential))
    _change(Act.RESUME, chosen, database, home_dir, at, dry_run=dry_run, keep=True, as_json=as_json)


def contest_command(
    worker: Annotated[str, typer.Option(metavar="ID", help="The platform's id of the worker.")],
    type_: Annotated[str, typer.Option("--type", metavar="TYPE", help="The type of the statement: Rating.")],
    dataset: Dataset = None,
    reason: Annotated[str, typer.Option(help="What the worker objects to; for your own records.")] = "other",
    dry_run: DryRun = False,
    database: Database_ = None,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Open a dispute on behalf of a worker: every copy of the statement says at once that it is contested."""
    from issuer import disputes  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    now = int(moment(at).timestamp())
    with open_database(database, home_dir) as opened, opened.write() as connection:
        meant = disputes.find_disputed(connection, worker, type_, dataset)
        made: list[Json] = [
            disputes.open_dispute(connection, one, reason=reason, now=now, rand=os.urandom)
            for one in ([] if dry_run else meant)
        ]
    names: list[Json] = [one.dataset for one in meant]
    show(
        {"disputes": made, "datasets": names, "dryRun": dry_run},
        as_json=as_json,
        text=lambda: (
            "\n".join(f"Contested: {type_} of dataset {name}." for name in names)
            if not dry_run
            else f"{len(names)} statements would be contested."
        ),
    )


dispute_app.command("open")(contest_command)


@dispute_app.command("close")
def close_command(
    dispute: Annotated[str, typer.Argument(metavar="ID", help="The dispute, as `dispute list` shows it.")],
    outcome: Annotated[str, typer.Option(help=f"What came of it: {', '.join(OUTCOMES)}.")],
    database: Database_ = None,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Record what came of a dispute. `corrected` and `removed` withdraw the copies of what was wrong."""
    from issuer import disputes  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    now = int(moment(at).timestamp())
    with open_database(database, home_dir) as opened, opened.write() as connection:
        withdrawn = disputes.close_dispute(connection, dispute, outcome, now=now)
    show(
        {"dispute": dispute, "outcome": outcome, "withdrawn": withdrawn},
        as_json=as_json,
        text=lambda: f"Closed: {outcome}. {withdrawn} copies withdrawn.",
    )


@dispute_app.command("list")
def list_command(
    all_: Annotated[bool, typer.Option("--all", help="Those that have an outcome, too.")] = False,
    worker: Worker = None,
    database: Database_ = None,
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """The disputes under way, oldest first."""
    from issuer import disputes  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    with open_database(database, home_dir) as opened, opened.read() as connection:
        rows = [_dispute_json(row) for row in disputes.list_disputes(connection, all_=all_, worker=worker)]
    show(
        {"disputes": rows},
        as_json=as_json,
        text=lambda: "\n".join(map(_dispute_text, rows)) or "No dispute is under way.",
    )


@dispute_app.command("export")
def export_command(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it, such as outcomes.csv.")],
    database: Database_ = None,
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """Write what came of disputes as a file for `issuer attest --profile records`, which states each outcome."""
    from issuer.outcomes import export_outcomes  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    with open_database(database, home_dir) as opened, opened.read() as connection:
        found = export_outcomes(connection)
    write_atomic(out, found.csv())
    show(
        {"file": str(out), "outcomes": len(found.rows), "leftOut": found.unnamed},
        as_json=as_json,
        text=lambda: (
            f"{len(found.rows)} outcomes written to {out}; {found.unnamed} left out: "
            "disputes that no worker signed name no statement that a verifier could recognise."
        ),
    )


def register(app: typer.Typer) -> None:
    """Put these commands among the issuer's."""
    commands: tuple[tuple[str, Callable[..., None]], ...] = (
        ("revoke", revoke_command),
        ("suspend", suspend_command),
        ("resume", resume_command),
        ("contest", contest_command),
    )
    for name, command in commands:
        app.command(name)(command)
    app.add_typer(dispute_app, name="dispute")


# ---- what the commands share -----------------------------------------------------------------------------------------


@contextmanager
def open_database(database: str | None, home_dir: Path | None) -> "Iterator[Database]":
    """The database of a command."""
    from issuer.database import Database  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    with Database.open(database_address(database, home(home_dir, "issuer", os.environ))) as opened:
        yield opened


def _change(
    act: "Act",
    chosen: "Selection",
    database: str | None,
    home_dir: Path | None,
    at: str | None,
    *,
    dry_run: bool,
    keep: bool,
    as_json: bool,
) -> None:
    from issuer import withdrawals  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    now = int(moment(at).timestamp())
    with open_database(database, home_dir) as opened, opened.write() as connection:
        made = withdrawals.change(connection, act, chosen, now=now, dry_run=dry_run, keep=keep)
    show(
        {"act": str(act), "dryRun": dry_run, **made.to_json()},
        as_json=as_json,
        text=lambda: "\n".join(_told(act, made, dry_run=dry_run)),
    )


def _told(act: "Act", made: "Changed", *, dry_run: bool) -> Iterator[str]:
    from issuer.withdrawals import Act  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    done = {Act.REVOKE: "revoked", Act.SUSPEND: "suspended", Act.RESUME: "resumed"}[act]
    yield f"{made.copies} copies {'would be ' if dry_run else ''}{done}, in {made.lists} lists."
    if made.statements:
        yield f"{made.statements} statements {'would be' if dry_run else 'are'} not signed again."
    if made.without_status:
        yield (
            f"{made.without_status} copies have no status and cannot be reached (docs/issuer-status.md): "
            f"the last of them ends on {made.last_end}."
        )


def _place(given: str | None) -> tuple[str, int] | None:
    if given is None:
        return None
    listing, _, number = given.rpartition(":")
    if not listing or not (number.isascii() and number.isdigit()) or len(number) > 9:
        raise Malformed("--credential", "the id of a list, a colon, and the number of a place", code="USAGE")
    return listing, int(number)


def _dispute_json(row: Any) -> dict[str, Json]:
    return {
        "id": row.id,
        "worker": row.worker,
        "type": row.type,
        "dataset": row.dataset,
        "about": row.about,
        "opened": day(row.opened),
        "reason": row.reason,
        "closed": None if row.closed is None else day(row.closed),
        "outcome": row.outcome,
    }


def _dispute_text(row: dict[str, Json]) -> str:
    named = "  ".join(str(row[name]) for name in ("id", "opened", "worker", "type", "dataset"))
    return f"{named}  {row['outcome'] or 'under way'}: {row['reason']}"


def day(second: int) -> str:
    """The day of a second, in UTC."""
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d}"
