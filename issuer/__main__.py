"""``ouvrage issuer``: the platform's commands."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from issuer import (
    deferred_command,
    key_commands,
    list_commands,
    offer_command,
    people_commands,
    profile_commands,
    status_commands,
)
from issuer.attest_command import attest_command
from issuer.issue_command import issue_command, table, write_credentials
from issuer.keyring import KeyRing
from issuer.migrate_command import migrate_command
from issuer.options import AllowFew, Crowd, Database_, K, database_address
from issuer.serve_command import serve_command
from vc.errors import Malformed, Rejected
from vc.io.command import new_app, run, show
from vc.io.files import home, write_atomic
from vc.io.options import At, Home, Json_, Out, moment
from work.laws import law as find_law
from work.laws import worker_file

if TYPE_CHECKING:
    from issuer.store import Store

app = new_app("The platform: records become statements, statements become signed credentials.")


app.add_typer(profile_commands.app, name="profile")
app.add_typer(key_commands.app, name="keys")


@app.command("profiles")
def profiles_command(as_json: Json_ = False) -> None:
    """The platform exports that can be read, what is documented of each, and what is assumed."""
    from issuer.profile import load_profile, profile_names  # noqa: PLC0415  (DuckDB takes a while to load)

    profiles = [load_profile(name) for name in profile_names()]
    show(
        {"profiles": [one.to_json() for one in profiles]},
        as_json=as_json,
        text=lambda: "\n\n".join(one.text() for one in profiles),
    )


app.command("attest")(attest_command)
app.command("migrate")(migrate_command)
status_commands.register(app)
app.add_typer(list_commands.app, name="lists")
people_commands.register(app)


app.command("issue")(issue_command)


@app.command("lint")
def lint_command(
    allow_few: AllowFew = None,
    k: Crowd = K,
    home_dir: Home = None,
    database: Database_ = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Who could be told apart by what every showing shows. Refuses crowds of fewer than k, as `issue` does."""
    from issuer.lint import lint, refused, text  # noqa: PLC0415

    with _store(home_dir, database) as store:
        found = lint(store, k=k, at=moment(at))
    findings = refused(found, k=k, allowed=allow_few or ())
    document = {
        "k": k,
        "types": [one.to_json() for one in found],
        "refused": [{"code": one.code, "message": one.message} for one in findings],
    }
    show(document, as_json=as_json, text=lambda: text(found, k))
    if findings:
        raise typer.Exit(1) if as_json else Rejected(findings)


@app.command("export")
def export_command(
    worker: Annotated[str, typer.Option(help="Whose credentials.")],
    law: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Beside the credentials, all data that this law lists: FR-L7342-7."),
    ] = None,
    out: Out = None,
    home_dir: Home = None,
    database: Database_ = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Write a worker's credentials to a file, for their wallet and for nobody else."""
    moment_ = moment(at)
    target = out or Path(f"{_file_name(worker)}.credentials.json")
    with _store(home_dir, database) as store:
        credentials = store.credentials(worker, moment_)
        statements = tuple(store.statements(worker=worker))
    if not (credentials or (law and statements)):
        raise Malformed(
            "--worker",
            f"no valid credential is about {worker[:80]!r}; run: ouvrage issuer issue",
            code="UNKNOWN_WORKER",
        )
    if law is not None:
        platform = _platform(home(home_dir, "issuer", os.environ), moment_)
        file = worker_file(find_law(law), statements, worker=worker, platform=platform, on=moment_.date())
        write_atomic(_beside(target, law), json.dumps(file, ensure_ascii=False, indent=2).encode())
    if credentials:
        write_credentials(credentials, target)
    show(
        {
            "file": str(target) if credentials else None,
            "credentials": len(credentials),
            "law": str(_beside(target, law)) if law else None,
        },
        as_json=as_json,
        text=lambda: "\n".join(_exported(target, len(credentials), law)),
    )


@app.command("status")
def status_command(home_dir: Home = None, database: Database_ = None, at: At = None, as_json: Json_ = False) -> None:
    """How many statements and valid credentials there are, and the first workers by name."""
    with _store(home_dir, database) as store:
        summary, workers = store.summary(moment(at)), store.workers(20)
    show(
        {"byType": summary, "workers": [{"worker": worker, "statements": count} for worker, count in workers]},
        as_json=as_json,
        text=lambda: "\n".join(
            [table(summary), "Workers, the first of them: " + ", ".join(worker for worker, _ in workers)]
        ),
    )


app.command("serve")(serve_command)
app.add_typer(offer_command.app, name="offer")
app.add_typer(deferred_command.app, name="deferred")


@contextmanager
def _store(home_dir: Path | None, database: str | None) -> Iterator["Store"]:
    from issuer.store import Store  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    with Store.open(database_address(database, home(home_dir, "issuer", os.environ))) as store:
        yield store


def _platform(folder: Path, at: datetime) -> dict[str, str]:
    """Who the platform is. Raises :class:`Malformed` where it has not said so."""
    own = KeyRing.open(folder, rand=os.urandom, at=at)
    if not own.name:
        raise Malformed("--law", "the file names the platform: say once who it is, with `issuer keys`", code="USAGE")
    return {"name": own.name, "legalIdentifier": own.legal_identifier}


def _beside(target: Path, law: str) -> Path:
    """Where the file of a law goes: beside the credentials."""
    return target.with_name(f"{target.name.removesuffix('.json').removesuffix('.credentials')}.{law.lower()}.json")


def _exported(target: Path, credentials: int, law: str | None) -> Iterator[str]:
    if law:
        yield f"All data that {law} lists written to {_beside(target, law)}."
    if credentials:
        yield f"{credentials} credentials written to {target}. Give the file to the worker only."
    else:
        yield "No credential is valid now; to sign them: ouvrage issuer issue"


def _file_name(worker: str) -> str:
    return "".join(character if character.isalnum() or character in "-_" else "_" for character in worker)[:80]


def main(arguments: list[str]) -> None:
    """Run the issuer's commands."""
    run(app, arguments or ["--help"], name="ouvrage issuer")


if __name__ == "__main__":
    main(sys.argv[1:])
