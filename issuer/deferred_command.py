"""``ouvrage issuer deferred``: credential requests that wait for somebody's decision."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from issuer.options import Database_, database_address
from vc.io.command import new_app, show
from vc.io.files import home
from vc.io.options import Home, Json_

app = new_app("Credential requests that wait for a decision.")

Name = Annotated[str, typer.Argument(metavar="ID", help="Which request: the id that `deferred list` prints.")]
WHY: Final = {"held": "its type is held back (setting: hold)", "crowd": "too few workers have the like"}


@app.command("list")
def list_command(database: Database_ = None, home_dir: Home = None, as_json: Json_ = False) -> None:
    """The requests that wait, oldest first."""
    from issuer.database import Database  # noqa: PLC0415  (takes a while to load)
    from issuer.deferrals import SHORT, Waiting, waiting  # noqa: PLC0415

    address = database_address(database, home(home_dir, "issuer", os.environ))
    with Database.open(address) as opened, opened.read() as connection:
        found = waiting(connection)

    def line(one: Waiting) -> str:
        since = datetime.fromtimestamp(one.created, UTC)
        why = WHY.get(one.reason, one.reason)
        return f"{one.id[:SHORT]}  {since:%Y-%m-%d %H:%M}  {one.worker}  {one.type}, {one.copies} copies: {why}"

    show(
        {"deferred": [one.to_json() for one in found]},
        as_json=as_json,
        text=lambda: "\n".join(map(line, found)) or "Nothing waits for a decision.",
    )


@app.command("approve")
def approve_command(name: Name, database: Database_ = None, home_dir: Home = None, as_json: Json_ = False) -> None:
    """Let the wallet have its credentials when it asks again."""
    from issuer.deferrals import APPROVED  # noqa: PLC0415

    _decide(name, APPROVED, database, home_dir, as_json=as_json)


@app.command("deny")
def deny_command(name: Name, database: Database_ = None, home_dir: Home = None, as_json: Json_ = False) -> None:
    """Tell the wallet, when it asks again, that it will not have them."""
    from issuer.deferrals import DENIED  # noqa: PLC0415

    _decide(name, DENIED, database, home_dir, as_json=as_json)


def _decide(name: str, decision: str, database: str | None, home_dir: Path | None, *, as_json: bool) -> None:
    from issuer.database import Database  # noqa: PLC0415
    from issuer.deferrals import decide  # noqa: PLC0415

    address = database_address(database, home(home_dir, "issuer", os.environ))
    with Database.open(address) as opened, opened.write() as connection:
        decided = decide(connection, name, decision)
    show(
        {**decided.to_json(), "decision": decision},
        as_json=as_json,
        text=lambda: f"{decided.type} for {decided.worker}: {decision}. The wallet learns it when it asks again.",
    )
