"""Opening the worker's vault from a command."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from vc.io.files import home, read_passphrase
from wallet.shelf import Shelf
from wallet.vault import Vault


def vault_path(home_dir: Path | None) -> Path:
    """Where the vault is."""
    return home(home_dir, "wallet", os.environ) / "vault.db"


@contextmanager
def open_shelf(home_dir: Path | None) -> Iterator[Shelf]:
    """The worker's vault, opened with their passphrase."""
    path = vault_path(home_dir)
    with Vault.open(path, read_passphrase(os.environ, ask_passphrase), rand=os.urandom) as vault:
        yield Shelf(vault)


def ask_passphrase() -> str:
    """Ask a person for the passphrase."""
    return str(typer.prompt("Passphrase", hide_input=True, err=True))
