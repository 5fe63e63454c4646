"""``ouvrage issuer keys drill``: what a change would do, before anything is done."""

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from issuer.keyring import KeyRing
from issuer.keys import new_key
from issuer.keysteps import Days, KeyId, KindName, RoleName, attested_types
from issuer.options import Database_, database_address
from vc.io.command import new_app, show
from vc.io.files import home
from vc.io.options import At, Home, Json_, moment

if TYPE_CHECKING:
    from issuer.drill import Forecast

LISTED: Final = 40  # lines for a person; scripts get them all

app = new_app("What a change of keys would do to the credentials that are valid. Nothing is changed.")


@app.callback()
def drill_group() -> None:
    """What a change of keys would do to the credentials that are valid. Nothing is changed."""


@app.command("rotate")
def drill_rotate(
    role: RoleName,
    kind: KindName = None,
    in_days: Days = 7,
    home_dir: Home = None,
    database: Database_ = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """What `keys rotate` would do."""
    at_ = moment(at)
    _drill(
        lambda ring: ring.rotated(role, new_key(role, kind, os.urandom), at=at_, days=in_days, rand=os.urandom),
        home(home_dir, "issuer", os.environ),
        database,
        at_,
        as_json=as_json,
    )


@app.command("kill")
def drill_kill(
    key: KeyId, home_dir: Home = None, database: Database_ = None, at: At = None, as_json: Json_ = False
) -> None:
    """What `keys kill` would do."""
    at_ = moment(at)
    _drill(
        lambda ring: ring.killed(key, at=at_, rand=os.urandom),
        home(home_dir, "issuer", os.environ),
        database,
        at_,
        as_json=as_json,
    )


def _drill(
    step: Callable[[KeyRing], KeyRing], folder: Path, database: str | None, at: datetime, *, as_json: bool
) -> None:
    from issuer.database import Database  # noqa: PLC0415  (SQLAlchemy takes a while to load)
    from issuer.drill import forecast  # noqa: PLC0415

    before = KeyRing.open(folder, rand=os.urandom, at=at)
    after = step(before)
    with Database.open(database_address(database, folder)) as held, held.read() as connection:
        found = forecast(connection, before, after, types=attested_types(), at=at)
    document = {
        "valid": found.valid,
        "changed": found.credentials,
        "workers": found.workers,
        "latest": f"{found.latest:%Y-%m-%d}",
        "changes": [change.to_json() for change in found.changes],
    }
    show(document, as_json=as_json, text=lambda: "\n".join(_text(found)))


def _text(found: "Forecast") -> Iterator[str]:
    if not found.changes:
        yield f"No verdict changes: {found.valid} credentials that are valid now stay so until they end."
        return
    yield f"{found.credentials} of {found.valid} valid credentials, of {found.workers} workers, would change verdict:"
    for change in found.changes[:LISTED]:
        alike = change.alike
        yield (
            f"  {alike.credentials:>8} {alike.type:<20} {alike.format:<15} signed {alike.day:%Y-%m-%d}, valid until "
            f"{alike.valid_until:%Y-%m-%d}: {change.before} → {change.after} from {change.at:%Y-%m-%d}"
        )
    if len(found.changes) > LISTED:
        yield f"  … and {len(found.changes) - LISTED} more lines; all of them: --json"
    yield f"Verifiers say so once they hold the new entry; the last of them has to by {found.latest:%Y-%m-%d}."
    yield "Wallets see nothing before a credential is refused: sign new copies, and let them refresh."
