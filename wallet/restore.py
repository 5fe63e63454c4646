"""Restoring a backup: a vault that is there whole and compared with the backup, or not at all; never over another."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from vc.errors import Malformed, VcError
from vc.io.files import atomic_file
from vc.sealing import Rand, digest
from wallet.backup import Backup, damaged
from wallet.manifest import Age
from wallet.mark import Mark, write_mark
from wallet.vault import PATIENCE, Vault
from wallet.vaultfile import connect, run


def restore(
    backup: Backup, path: Path, *, new_passphrase: bytes | None, replace: bool, at: datetime, rand: Rand
) -> Path | None:
    """Make the vault ``path`` from a backup; where the one that was there is now, if there was one.

    ``new_passphrase`` takes the place of a forgotten one. Raises :class:`Malformed` ``FILE_EXISTS`` where there is a
    vault and ``replace`` is false, ``BACKUP_DAMAGED``; :class:`Undetermined` ``CANNOT_WRITE``, ``VAULT_BUSY``.
    """
    aside = path.with_name(f"{path.stem}.replaced-{at:%Y%m%dT%H%M%SZ}{path.suffix}") if path.exists() else None
    if aside is not None and not replace:
        why = "there is a wallet already; nothing was changed (--replace moves it aside and keeps it)"
        raise Malformed(str(path), why, code="FILE_EXISTS")
    journal = Path(f"{path}-journal")
    if aside is None and journal.exists():
        raise Malformed(str(journal), "is left from another vault; move it away", code="FILE_EXISTS")
    with _held_still(path if aside else None), atomic_file(path, replace=aside is not None) as temporary:
        age = _rebuild(backup, temporary, new_passphrase, rand)
        if aside is not None:
            aside.hardlink_to(path)
            if journal.exists():  # of a vault that cannot be read: it stays with it
                journal.rename(f"{aside}-journal")
    write_mark(path, age, Mark(age.changes, backup.age.changes, backup.made), rand=rand)
    return aside


def _rebuild(backup: Backup, temporary: Path, new_passphrase: bytes | None, rand: Rand) -> Age:
    digests: list[tuple[bytes, bytes]] = []

    def items() -> Iterator[tuple[bytes, bytes]]:
        for name, plaintext in backup.items():
            digests.append((name, digest(plaintext)))
            yield name, plaintext

    Vault.rebuild(temporary, items(), slots=backup.slots, key=backup.unlocked[2], age=backup.age, rand=rand)
    with Vault.reopen(temporary, backup.unlocked, rand=rand) as vault:
        with vault.reading():
            if [(name, digest(plaintext)) for name, plaintext in vault.everything()] != digests:
                raise damaged(backup.path, "what was restored is not what it holds")
        if new_passphrase is not None:
            vault.change_passphrase(new_passphrase)
        return vault.age()


@contextmanager
def _held_still(path: Path | None) -> Iterator[None]:
    """Nobody writes to the old vault meanwhile, and a change of it that was cut off is undone; not in a damaged one."""
    if path is None:
        yield
        return
    try:
        db = connect(path, PATIENCE)
    except VcError as error:
        if error.code == "VAULT_BUSY":
            raise
        yield
        return
    with closing(db):
        run(db, path, "BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
