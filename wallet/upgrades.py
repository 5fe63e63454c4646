"""Vaults of earlier versions, brought to the format of this one when they are opened.

Each step is a row of :data:`UPGRADES`. All of them are one transaction, so that a vault is of the old format or of the
new one whenever the program is killed; and a copy of the old file stays beside it until the new one has been opened.
"""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from vc.canon import parse_json, to_json
from vc.errors import Undetermined
from vc.io.files import atomic_file
from vc.sealing import KEY_BYTES, Rand
from wallet.manifest import LIMITS, PLACE
from wallet.sealing import FORMAT, seal, unseal
from wallet.vaultfile import damaged, run

Upgrade: TypeAlias = Callable[[bytes, Rand], bytes]  # the list of items as the next format has it


def count_changes(plaintext: bytes, rand: Rand) -> bytes:
    """To format 2: the list of items begins with the count of changes. Some vaults that say 1 have it already."""
    lines: Any = parse_json(plaintext, limits=LIMITS)
    if lines and len(lines[0]) == len(("series", "changes")):
        return plaintext
    return to_json([[rand(KEY_BYTES).hex(), 0], *lines])


UPGRADES: Final[Mapping[int, Upgrade]] = MappingProxyType({1: count_changes})  # by the format that it leaves


def upgrade(db: sqlite3.Connection, path: Path, *, key: bytes, rand: Rand) -> None:
    """Bring an open vault to :data:`FORMAT`; nothing for one that is of it. Other programs wait meanwhile.

    Raises :class:`Malformed` ``VAULT_DAMAGED`` or :class:`Undetermined`, with the vault as it was.
    """
    if _format(db, path) >= FORMAT:
        return
    run(db, path, "BEGIN IMMEDIATE")
    try:
        before = _format(db, path)  # another program may have been quicker
        if before < FORMAT:
            _keep(path, kept_at(path, before))
            _upgrade(db, path, before, key, rand)
        run(db, path, "COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # then the journal undoes it at the next opening
            db.execute("ROLLBACK")
        raise


def _upgrade(db: sqlite3.Connection, path: Path, before: int, key: bytes, rand: Rand) -> None:
    rows = run(db, path, "SELECT sealed FROM manifest LIMIT 1")
    plaintext = unseal(rows[0][0], key=key, place=PLACE) if rows else None
    if plaintext is None:
        raise damaged(path, "its list of items has changed")
    for number in range(before, FORMAT):
        plaintext = UPGRADES[number](plaintext, rand)
    sealed = seal(plaintext, key=key, place=PLACE, rand=rand)
    run(db, path, "INSERT OR REPLACE INTO manifest VALUES (1, ?)", sealed)
    run(db, path, f"PRAGMA user_version = {FORMAT}")


def kept_at(path: Path, number: int) -> Path:
    """Where a vault of an earlier format stays until the upgraded one has been opened."""
    return Path(f"{path}.format-{number}")


def drop_kept(path: Path) -> None:
    """The upgraded vault was opened and is whole: the copy of the old one goes."""
    for number in UPGRADES:
        with suppress(OSError):
            kept_at(path, number).unlink(missing_ok=True)


def _keep(path: Path, copy: Path) -> None:
    """By SQLite, not by reading the file: closing a handle of it would end this program's locks on it. By a connection
    of its own: SQLite copies nothing by one that is writing."""
    try:
        with (
            atomic_file(copy) as temporary,
            closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(temporary)) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        what = f"{copy}: cannot be written: {error}"
        raise Undetermined(what, "check the folder and its free space", code="CANNOT_WRITE") from None


def _format(db: sqlite3.Connection, path: Path) -> int:
    ((number,),) = run(db, path, "PRAGMA user_version")
    return int(number)
