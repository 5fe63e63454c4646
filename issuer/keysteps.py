"""What the commands about keys share: their arguments, one step from the keys as they are, and what is said of it."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from issuer.keyfile import ask_passphrase, exclusive
from issuer.keyring import KeyRing
from issuer.keys import Role
from issuer.options import database_address
from issuer.ringkeys import RingKey
from vc.canon import Json
from vc.io.command import show
from vc.model import format_date_time
from work.types import TYPES

MAX_DAYS: Final = 366

RoleName = Annotated[Role, typer.Argument(metavar="ROLE", help="credentials, public, sd or jwt.")]
KeyId = Annotated[str, typer.Argument(metavar="ID", help="Which key: an id that `keys list` prints.")]
Days = Annotated[
    int, typer.Option("--in-days", min=0, max=MAX_DAYS, help="When it takes over: verifiers have to know it by then.")
]
KindName = Annotated[
    str | None, typer.Option(metavar="KIND", help="ed25519, p-256 or p-384, where the role has several.")
]


def attested_types() -> list[str]:
    """The credential types that a platform may attest."""
    named = (name for kind in TYPES.values() if kind.signer == "issuer" for name in kind.attested)
    return list(dict.fromkeys(named))


def change(folder: Path, held: KeyRing, step: Callable[[KeyRing], KeyRing]) -> KeyRing:
    """Take one step from the keys as they are now, while no other command can, and keep what comes of it."""
    with exclusive(folder):
        ring = KeyRing.read(folder, passphrase=ask_passphrase, held=held.lock)
        return step(ring).save(folder, rand=os.urandom, passphrase=ask_passphrase)


def changed(
    ring: KeyRing, key: RingKey, at: datetime, *, as_json: bool, database: str | None, folder: Path, killed: str = ""
) -> None:
    """Say what a change has left: the key that signs, or will. Systems that listen to events are told too."""
    from issuer.database import Database  # noqa: PLC0415  (SQLAlchemy takes a while to load)
    from issuer.events import Kind, note  # noqa: PLC0415

    body: dict[str, Json] = {"key": key.id, "role": key.role.value, "from": format_date_time(key.signs_from)}
    with Database.open(database_address(database, folder)) as events, events.write() as connection:
        note(connection, Kind.KEY_ROTATED, "", body | ({"killed": killed} if killed else {}), now=int(at.timestamp()))
    start = f"signs from {key.signs_from:%Y-%m-%d}" if key.signs_from > at else "signs now"
    show(
        {"key": row(key, at), "methods": [name.method for name in ring.names(key)]},
        as_json=as_json,
        text=lambda: (
            f"{key.id} ({key.key.public.kind.name}, kept in {key.kept}) {start}.\n"
            "Give verifiers the new entry: ouvrage issuer keys --json > entry.json"
        ),
    )


def row(key: RingKey, at: datetime) -> dict[str, Json]:
    """A key as `keys list` shows it: no secret."""
    times = {
        "signsFrom": key.signs_from,
        "signsUntil": key.signs_until,
        "verifiesUntil": key.verifies_until,
        "killed": key.killed,
    }
    return {
        "id": key.id,
        "role": key.role.value,
        "kind": key.key.public.kind.name,
        "kept": key.kept,
        "state": key.state(at),
        "age": max(0, (at - key.signs_from).days),
        **{name: None if time is None else format_date_time(time) for name, time in times.items()},
        "certificates": len(key.x5c),
    }
