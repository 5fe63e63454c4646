"""What is done around a vault so that it is not lost: the mark beside it, and backups to a folder after each change."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from vc.canon import Json
from vc.errors import Undetermined, VcError
from vc.model import format_date_time
from vc.sealing import Rand, digest
from wallet.backup import write_backup
from wallet.manifest import Age
from wallet.mark import Mark, read_mark, write_mark
from wallet.vault import Item, Vault

KEEP: Final = 5  # days of backups in a folder
MAX_KEEP: Final = 366

_SETTING: Final = "backups"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the worker should know: a name in vault_words.toml and what goes into it."""

    name: str
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Folder:
    """Where a backup goes after each change, and the days of which one is kept."""

    path: Path
    keep: int


def folder_of(vault: Vault) -> Folder | None:
    """The folder that the worker has chosen."""
    for item in vault.items(_SETTING):
        match item.body:
            case {"folder": str(folder), "keep": int(keep)}:
                return Folder(Path(folder), keep)
    return None


def choose_folder(vault: Vault, folder: Folder | None, *, rand: Rand) -> bool:
    """Keep the worker's choice, or that there is none; whether there was one before."""
    with vault.transaction():
        old = vault.items(_SETTING)
        vault.delete([item.id for item in old])
        if folder is not None:
            body: dict[str, Json] = {"folder": str(folder.path.absolute()), "keep": folder.keep}
            vault.put([Item.new(_SETTING, body, rand=rand)])
    return bool(old)


def backup_to_folder(vault: Vault, folder: Folder, *, at: datetime) -> Path:
    """A backup of today in ``folder``, tested; the oldest of this wallet beyond ``folder.keep`` go.

    Raises :class:`Undetermined`: ``FOLDER_MISSING``, or as :func:`write_backup`.
    """
    if not folder.path.is_dir():
        raise Undetermined(
            f"{folder.path}: the backups' folder is not there",
            "plug it in, or choose another",
            code="FOLDER_MISSING",
        )
    # A backup of the same day takes the place of the last: five changes in an hour must not push out a week.
    name = digest(b"ouvrage backups" + vault.age().series)[:4].hex()
    path = folder.path / f"ouvrage-wallet-{name}-{at:%Y-%m-%d}.backup"
    write_backup(vault, path, at=at)
    ours = re.compile(rf"ouvrage-wallet-{name}-\d{{4}}-\d\d-\d\d\.backup")
    dated = sorted(one for one in folder.path.iterdir() if ours.fullmatch(one.name))
    for old in dated[: -folder.keep]:
        old.unlink(missing_ok=True)
    return path


def begin_folder(vault: Vault, folder: Folder, *, once: bool, at: datetime, rand: Rand) -> Path:
    """A backup in ``folder``, which is made where it is not there; and, if not ``once``, another after each change.

    Raises :class:`Undetermined`: ``CANNOT_WRITE``, or as :func:`backup_to_folder`.
    """
    try:
        folder.path.mkdir(mode=0o700, exist_ok=True)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a file name"
        raise Undetermined(f"{folder.path}: cannot be made: {why}", "choose another", code="CANNOT_WRITE") from None
    if not once:
        choose_folder(vault, folder, rand=rand)
    path = backup_to_folder(vault, folder, at=at)
    note_backup(vault, vault.age(), at=at, rand=rand)
    return path


def note_backup(vault: Vault, age: Age, *, at: datetime, rand: Rand) -> None:
    """The vault, as it was after so many changes, is backed up."""
    mark = read_mark(vault.path, age)
    made = Mark(max(mark.changes, age.changes), age.changes, format_date_time(at))
    write_mark(vault.path, age, made, rand=rand)


def backup_state(vault: Vault) -> dict[str, Json]:
    """When it was last backed up, whether anything changed since, and where backups go."""
    age, folder = vault.age(), folder_of(vault)
    mark = read_mark(vault.path, age)
    return {
        "last": mark.backed_up_at or None,
        "upToDate": mark.backed_up is not None and mark.backed_up >= age.changes,
        "folder": str(folder.path) if folder else None,
    }


def at_opening(vault: Vault) -> Iterator[Notice]:
    """A vault that is older than this machine has seen it."""
    age = vault.age()
    seen = read_mark(vault.path, age).changes
    if seen > age.changes:
        yield Notice("rolled_back", {"count": str(seen - age.changes), "mark": f"{vault.path}.mark"})


def at_closing(vault: Vault, *, at: datetime, rand: Rand) -> Iterator[Notice]:
    """After a command: a fresh backup where something has changed and a folder is chosen, and the mark.

    What fails here is told, and tried again after the next command: the command itself is done.
    """
    age, folder = vault.age(), folder_of(vault)
    mark = read_mark(vault.path, age)
    try:
        if folder is not None and mark.backed_up != age.changes and mark.changes <= age.changes:
            backup_to_folder(vault, folder, at=at)
            mark = replace(mark, backed_up=age.changes, backed_up_at=format_date_time(at))
    except VcError as error:
        yield Notice("backup_failed", {"why": str(error)})
    yield from _marked(vault, age, mark, rand)


def _marked(vault: Vault, age: Age, mark: Mark, rand: Rand) -> Iterator[Notice]:
    fresh = replace(mark, changes=max(mark.changes, age.changes))
    if fresh == read_mark(vault.path, age):
        return
    try:
        write_mark(vault.path, age, fresh, rand=rand)
    except VcError as error:
        yield Notice("mark_failed", {"why": str(error)})
