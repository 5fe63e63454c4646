"""``ouvrage issuer migrate``: the database, from one version's tables to another's."""

import os
from typing import Annotated

import typer

from issuer.options import Database_, database_address
from vc.errors import Unsupported
from vc.io.command import show
from vc.io.files import home
from vc.io.options import Home, Json_


def migrate_command(
    to: Annotated[
        str | None, typer.Option("--to", metavar="REVISION", help="For example 0001; the default is the newest.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="Going back: give up what the older tables have no place for.")
    ] = False,
    home_dir: Home = None,
    database: Database_ = None,
    as_json: Json_ = False,
) -> None:
    """Bring the database to the tables of this version, or back to an older one. All of it happens, or nothing."""
    from issuer.database import Database  # noqa: PLC0415  (SQLAlchemy takes a while to load)
    from issuer.migrate import HEAD, REVISIONS, migrate, read_version, steps  # noqa: PLC0415

    to = to or HEAD
    if to not in REVISIONS:
        raise Unsupported("revision", f"{to} (there are {', '.join(REVISIONS)})")
    with Database.connect(database_address(database, home(home_dir, "issuer", os.environ)), batch=True) as opened:
        if dry_run:
            with opened.read() as connection:
                before = read_version(connection, opened.name)
        else:
            before = migrate(opened, to, discard=discard)
    taken = steps(before, to)
    document = {"from": before.revision, "to": to, "steps": list(taken), "done": not dry_run}
    show(document, as_json=as_json, text=lambda: _text(before.revision, to, taken, dry_run=dry_run))


def _text(before: str | None, to: str, taken: tuple[str, ...], *, dry_run: bool) -> str:
    if not taken:
        return f"The database has the tables of {to} already."
    way = f"from {before or 'nothing'} to {to} ({', '.join(taken)})"
    return f"Would go {way}. Nothing was done." if dry_run else f"The database went {way}."
