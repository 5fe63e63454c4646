"""Commands beside a service that runs, or not: API keys, and erasing what is due."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vc.io.command import new_app, show
from vc.io.files import home, write_atomic
from vc.io.options import Home, Json_, Out

if TYPE_CHECKING:
    from verifier.database import Database

keys_app = new_app("API keys: which systems may ask through this service.")

Name = Annotated[str, typer.Argument(help="Your own name for the system that uses it.")]


@keys_app.command("add")
def add_command(name: Name, out: Out = None, home_dir: Home = None, as_json: Json_ = False) -> None:
    """Make a key, and show it: this once, or in a file of its own."""
    from verifier.access import add_key  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    with _database(home_dir) as database:
        secret = add_key(database, name, now=_now(), rand=os.urandom)
    if out is not None:
        write_atomic(out, f"{secret}\n".encode())
        show({"name": name, "file": str(out)}, as_json=as_json, text=lambda: f"The key of {name} is in {out}.")
        return
    show({"name": name, "key": secret}, as_json=as_json, text=lambda: secret)


@keys_app.command("list")
def list_command(home_dir: Home = None, as_json: Json_ = False) -> None:
    """The keys that work."""
    from verifier.access import list_keys  # noqa: PLC0415

    with _database(home_dir) as database:
        found = [(one.name, f"{datetime.fromtimestamp(one.made, UTC):%Y-%m-%d}") for one in list_keys(database)]
    document = {"keys": [{"name": name, "made": made} for name, made in found]}
    show(document, as_json=as_json, text=lambda: "\n".join(f"{made} {name}" for name, made in found) or "No keys.")


@keys_app.command("revoke")
def revoke_command(name: Name, home_dir: Home = None, as_json: Json_ = False) -> None:
    """Let a key work no more, from now on."""
    from verifier.access import revoke_key  # noqa: PLC0415

    with _database(home_dir) as database:
        revoke_key(database, name)
    show({"revoked": name}, as_json=as_json, text=lambda: f"{name} works no more.")


def purge_command(home_dir: Home = None, as_json: Json_ = False) -> None:
    """Erase every answer and report whose time is over. A service that runs does it by itself."""
    from verifier.retention import next_erasures, purge  # noqa: PLC0415

    with _database(home_dir) as database:
        done = purge(database, now=_now())
        held, first = next_erasures(database)
    due = None if first is None else f"{datetime.fromtimestamp(first, UTC):%Y-%m-%dT%H:%M:%SZ}"
    show(
        {"erased": done.erased, "held": held, "nextDue": due},
        as_json=as_json,
        text=lambda: f"{done.erased} erased; {held} held" + (f", the next one until {due}." if due else "."),
    )


@contextmanager
def _database(home_dir: Path | None) -> "Iterator[Database]":
    from verifier.database import FILE, Database  # noqa: PLC0415

    with Database.open(home(home_dir, "verifier", os.environ) / FILE) as database:
        yield database


def _now() -> int:
    return int(datetime.now(UTC).timestamp())
