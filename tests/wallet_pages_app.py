"""The wallet's pages over a vault of their own, with the cheapest passphrase check that there is."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from aiohttp import web

import ouvrage.own_import  # noqa: F401  (the pages offer what it brings)
from tests.browser import served
from tests.line import credential, holder_key, issuer_keys
from vc.canon import Json, to_json
from vc.io.fetch import fetch
from vc.sealing import MIN_COST
from vc.secure import sign
from verifier.request import Wanted, build_request
from wallet.receive import receive as verified
from wallet.shelf import KEY, Shelf
from wallet.vault import Item, Vault
from wallet.web.app import make
from wallet.web.box import Box, FileOpener
from wallet.web.desk import Desk
from work import CONTEXTS

AT: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TOKEN: Final = "the-one-token-of-the-test"
PASSPHRASE: Final = "correct horse battery"

EVIL: Final = "<script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}<img src=x onerror=alert(2)> " + "M" * 200


@dataclass
class Clock:
    """Seconds that only a test lets pass."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass(frozen=True)
class Wallet:
    """Pages that run, with what a test may look at behind them."""

    desk: Desk
    path: Path
    clock: Clock

    @property
    def base(self) -> str:
        return self.desk.base

    @property
    def link(self) -> str:
        return f"{self.base}/enter?token={TOKEN}"


def new_wallet(base: str, folder: Path) -> Wallet:
    """A wallet that nobody has entered yet."""
    path, clock = folder / "vault.db", Clock()
    box = Box(FileOpener(path, cost=MIN_COST), clock=clock)
    return Wallet(Desk(box, base, TOKEN, ask=fetch, now=lambda: AT, rand=os.urandom, home=folder), path, clock)


@contextmanager
def running_wallet(folder: Path) -> Iterator[Wallet]:
    """The pages, served on this machine."""
    made: list[Wallet] = []

    def app(base: str) -> web.Application:
        made.append(new_wallet(base, folder))
        return make(made[0].desk)

    with served(app):
        yield made[0]


def request_file(
    folder: Path,
    *claims: str,
    client: str = "bailleur.example",
    purpose: str = "housing.tenancy.fr",
    why: str = "",
    accept_possession: bool = False,
) -> Path:
    """A verifier's request, as a file."""
    document = build_request(
        [Wanted.parse(claim) for claim in claims],
        client_id=client,
        purpose=purpose,
        necessity=why,
        retention_days=30,
        ask_anyway=True,
        accept_possession=accept_possession,
        rand=os.urandom,
    )
    path = folder / "demande.json"
    path.write_bytes(to_json(document))
    return path


def hostile() -> Json:
    """What no platform of ours would sign, and somebody did: a name with a script in it, and a word without an end."""
    key = holder_key("evil")
    document = {name: value for name, value in credential("WorkHistory").items() if name != "proof"}
    return sign({**document, "issuer": {"id": key.did, "name": EVIL}}, key=key, created=AT, contexts=CONTEXTS)


def fill(wallet: Wallet, *, evil: bool = True) -> None:
    """A wallet that holds a few statements, one of them from a platform with a hostile name."""
    keys = replace(issuer_keys(), name="Courses & Cie")
    documents: list[Json] = [credential(kind, keys=keys) for kind in ("Earnings", "Rating", "Review")]
    documents.append(hostile() if evil else credential("WorkHistory", keys=keys))
    documents.append(credential("PlatformMembership", keys=keys, bound=False))
    with Vault.create(wallet.path, PASSPHRASE.encode(), rand=os.urandom, cost=MIN_COST) as vault:
        shelf, own = Shelf(vault), {holder_key().did}
        vault.put([Item.new(KEY, {"position": 0, "seed": holder_key().seed.hex()}, rand=os.urandom)])
        received = [verified(one, own=own, contexts=CONTEXTS, at=AT, where="test") for one in documents]
        assert shelf.add(received, at=AT, rand=os.urandom) == len(documents)


def enter(page: Any, wallet: Wallet) -> None:
    """Let a browser in, and make or open the wallet."""
    page.goto(wallet.link)
    unlock(page)


def unlock(page: Any) -> None:
    """Give the passphrase: twice, where the wallet is new."""
    page.fill("#passphrase", PASSPHRASE)
    if page.locator("#again").count():
        page.fill("#again", PASSPHRASE)
    page.click("main button")
