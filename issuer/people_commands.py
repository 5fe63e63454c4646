"""``ouvrage issuer forget``, ``events`` and ``admin``: workers' data, and those who look after it."""

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from issuer.options import Database_, database_address
from vc.errors import Malformed
from vc.io.command import new_app, say, show
from vc.io.files import home, read_bounded
from vc.io.options import At, Home, Json_, moment

if TYPE_CHECKING:
    from issuer import events
    from issuer.database import Database
    from issuer.forget import Forgotten

PAUSE: Final = 1.0  # seconds between two looks for new events
MAX_PASSWORD_FILE: Final = 1 << 12

admin_app = new_app("The admin page: who may log in.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("forget")(forget_command)
    app.command("events")(events_command)
    app.add_typer(admin_app, name="admin")


def forget_command(
    worker: Annotated[list[str], typer.Option("--worker", metavar="ID", help="Whom; may be given several times.")],
    revoke: Annotated[
        bool,
        typer.Option("--revoke", help="Withdraw what the worker's wallet holds too, as far as it has a status."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be erased, and erase nothing.")] = False,
    home_dir: Home = None,
    database: Database_ = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Erase all that the issuer knows about a worker; say what remains, and why."""
    from issuer.forget import compact, forget  # noqa: PLC0415  (aiohttp takes a while to load)

    now = int(moment(at).timestamp())
    with _database(home_dir, database) as opened:
        found = [
            (one, forget(opened, one, now=now, revoke=revoke, dry_run=dry_run, whole=False))
            for one in dict.fromkeys(worker)
        ]
        if not dry_run:
            compact(opened)
        is_file = opened.is_sqlite
    show(
        {
            "dryRun": dry_run,
            "workers": [{"worker": one, **made.to_json()} for one, made in found],
            "alsoRemains": list(_remains(is_file=is_file)),
        },
        as_json=as_json,
        text=lambda: "\n".join(_report(found, dry_run=dry_run, is_file=is_file)),
    )


def events_command(
    since: Annotated[int, typer.Option("--since", metavar="ID", min=0, help="Only what came after this event.")] = 0,
    follow: Annotated[bool, typer.Option("--follow", help="Go on, one event a line, until Ctrl-C.")] = False,
    home_dir: Home = None,
    database: Database_ = None,
    as_json: Json_ = False,
) -> None:
    """What happened, oldest first: for systems that ask rather than be told by the webhook."""
    from issuer import events  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    with _database(home_dir, database) as opened:
        if follow:
            _follow(opened, since, as_json=as_json)
            return
        with opened.read() as connection:
            found = events.read(connection, since=since)
    last = found[-1].id if found else since
    show(
        {"events": [one.to_json() for one in found], "last": last, "more": len(found) == events.PAGE},
        as_json=as_json,
        text=lambda: "\n".join(map(_line, found)) or "Nothing has happened since.",
    )


@admin_app.command("password")
def password_command(
    password_file: Annotated[
        Path | None, typer.Option("--password-file", metavar="FILE", help="Read the password from a file's first line.")
    ] = None,
    home_dir: Home = None,
    database: Database_ = None,
    as_json: Json_ = False,
) -> None:
    """Set the password of the admin page. Whoever is logged in has to log in again."""
    from issuer.admin_session import set_password  # noqa: PLC0415  (aiohttp takes a while to load)

    password = _password(password_file)
    with _database(home_dir, database) as opened, opened.write() as connection:
        set_password(connection, password)
    show(
        {"set": True}, as_json=as_json, text=lambda: "The password is set. The admin page is at /admin of the service."
    )


def _password(file: Path | None) -> str:
    if file is not None:
        try:
            lines = read_bounded(file, limit=MAX_PASSWORD_FILE).decode("utf-8").splitlines()
        except UnicodeDecodeError:
            raise Malformed(str(file), "not UTF-8", code="USAGE") from None
        return lines[0] if lines else ""
    if not sys.stdin.isatty():
        raise Malformed("--password-file", "say where the password is: nobody is here to type it", code="USAGE")
    return str(typer.prompt("Password of the admin page", hide_input=True, confirmation_prompt=True))


@contextmanager
def _database(folder: Path | None, address: str | None) -> "Iterator[Database]":
    from issuer.database import Database  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    with Database.open(database_address(address, home(folder, "issuer", os.environ))) as opened:
        yield opened


def _follow(database: "Database", since: int, *, as_json: bool) -> None:
    from issuer import events  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    while True:
        with database.read() as connection:
            found = events.read(connection, since=since)
        for one in found:
            say(json.dumps(one.to_json(), ensure_ascii=False) if as_json else _line(one))
        sys.stdout.flush()
        since = found[-1].id if found else since
        if len(found) < events.PAGE:
            time.sleep(PAUSE)


def _line(one: "events.Event") -> str:
    told = one.to_json()
    body = json.dumps(dict(one.body), ensure_ascii=False)
    return f"{one.id:>8}  {told['at']}  {one.kind:<18}  {one.worker or '-'}  {body}"


def _report(found: Sequence[tuple[str, "Forgotten"]], *, dry_run: bool, is_file: bool) -> Iterator[str]:
    """What was erased, what remains, and why."""
    for worker, made in found:
        counts = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in made.erased.items())
        yield f"{worker[:80]}: {'would erase' if dry_run else 'erased'}: {counts or 'nothing, for nothing is here'}."
        yield from _credentials(made, dry_run=dry_run)
    yield "What remains, and why:"
    yield from (f"  {one}" for one in _remains(is_file=is_file))


def _remains(*, is_file: bool) -> Iterator[str]:
    yield "rows without a name: places in status lists, so that none is given away twice, and counts."
    if not is_file:
        yield "in PostgreSQL's files, deleted rows until its next VACUUM, and its log for as long as you keep that."
    yield "backups of the database, and files that `issuer export` and `issuer issue --out` wrote: erase them too."
    yield "your records outside this program, for as long as the law has you keep them (accounts, taxes)."
    yield "the next `issuer attest` brings the worker back if the platform's export still names them."


def _credentials(made: "Forgotten", *, dry_run: bool) -> Iterator[str]:
    if made.revoked:
        yield f"  {made.revoked} credentials {'would be ' if dry_run else ''}withdrawn."
    if made.valid > made.revoked:
        yield (
            f"  {made.valid - made.revoked} credentials stay valid in the worker's own wallet, the last until "
            f"{made.until}: they are the worker's, and without a name nobody can withdraw them any more."
        )
    if made.left_marked:
        yield f"  {made.left_marked} of these are suspended or contested, and stay so: nobody is left to decide it."
