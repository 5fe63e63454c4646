"""Opening the worker's vault from a command."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import typer

from vc.io.files import home, read_passphrase
from wallet.keeping import Notice, at_closing, at_opening
from wallet.shelf import Shelf
from wallet.shielding import shield
from wallet.vault import Vault
from wallet.vault_words import told


def vault_path(home_dir: Path | None) -> Path:
    """Where the vault is."""
    return home(home_dir, "wallet", os.environ) / "vault.db"


@contextmanager
def open_shelf(home_dir: Path | None, *, lang: str = "en") -> Iterator[Shelf]:
    """The worker's vault, opened with their passphrase; backed up afterwards where they have chosen a folder."""
    shield()
    path = vault_path(home_dir)
    with Vault.open(path, read_passphrase(os.environ, ask_passphrase), rand=os.urandom) as vault, kept(vault, lang):
        yield Shelf(vault)


@contextmanager
def kept(vault: Vault, lang: str) -> Iterator[None]:
    """Around the use of an open vault: say where it is older than it was, and see to the mark and the backup after."""
    tell(at_opening(vault), lang)
    yield
    tell(at_closing(vault, at=datetime.now(UTC), rand=os.urandom), lang)


def tell(notices: Iterable[Notice], lang: str) -> None:
    """Beside the result, on standard error: with ``--json`` too, nothing but the document is on standard output."""
    for notice in notices:
        typer.echo(told(notice.name, lang, **notice.values), err=True)


def ask_passphrase() -> str:
    """Ask a person for the passphrase."""
    return str(typer.prompt("Passphrase", hide_input=True, err=True))
