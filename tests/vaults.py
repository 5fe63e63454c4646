"""Small vaults for tests: what is in them, and the cheapest passphrase check that there is."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from vc.canon import Json
from vc.sealing import MIN_COST
from wallet.vault import Item, Vault

PASSPHRASE = b"correct horse battery"
CREDENTIAL: Json = {"type": ["EarningsCredential"], "credentialSubject": {"median3m": "2210.30", "currency": "EUR"}}
SECRET: Json = {"secretKey": "z3u2en7t5LR2WtQH5PfFqMqwVHgeXouLzo6haApm8XHqvjxq", "did": "did:key:z6MkpTHR8V"}


def item(kind: str = "credential", body: Json = None) -> Item:
    return Item.new(kind, body, rand=os.urandom)


def create(path: Path, passphrase: bytes = PASSPHRASE) -> Vault:
    return Vault.create(path, passphrase, rand=os.urandom, cost=MIN_COST)


def reopen(path: Path, passphrase: bytes = PASSPHRASE, *, patience: float = 10.0) -> Vault:
    return Vault.open(path, passphrase, rand=os.urandom, patience=patience)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fill(path: Path) -> tuple[Item, ...]:
    """Make a vault with two credentials and a key, and close it; what it holds."""
    kept = (item(body=CREDENTIAL), item(body={"large": "x" * 9000}), item("key", SECRET))
    with create(path) as vault:
        vault.put(kept)
    return kept


def tamper(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(statement, values)
