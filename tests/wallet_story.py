"""The worker's story, from a platform's offer to a ledger that outlives the machine: real commands, one real browser.

Told once for the tests and once for the pictures of the documentation: ``look`` is called at each page worth a look.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.cli import ROOT, ouvrage
from tests.test_cli_issuer_story import free_port
from tests.test_service import started

Look = Callable[[Any, str], None]

WORKER: Final = "fr-01"  # of the example export
TYPES: Final = ("Earnings", "Rating", "WorkHistory")
PLATFORM: Final = "Coopérative des indépendants"
SECRET: Final = "quatre mots sans rapport"
ASKED: Final = ("Earnings.averageAtLeast12m>=500", "Earnings.monthly", "Rating")


@contextmanager
def platform(folder: Path) -> Iterator[Path]:
    """``ouvrage issuer serve`` over an example export, until the block ends; where its state is."""
    folder.mkdir()
    ouvrage(folder, "issuer", "attest", "--profile", "generic-freelance",
            ROOT / "examples" / "generic-freelance" / "contracts.csv")  # fmt: skip
    ouvrage(folder, "issuer", "keys", "--name", PLATFORM, "--legal-identifier", "000 000 004")
    port = free_port()
    with started(folder, "--port", port, "--base", f"http://localhost:{port}") as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield folder
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def offer(home: Path) -> tuple[str, str]:
    """The link of an offer of three credentials, and the code that comes another way."""
    words = [word for kind in TYPES for word in ("--type", kind, "--allow-few", kind)]
    made = ouvrage(home, "issuer", "offer", "--worker", WORKER, "--format", "bbs-2023", "--tx-code", "--json", *words)
    return made.json["offer"], made.json["txCode"]


def request(home: Path) -> Path:
    """A landlord's request, which asks more than the law lets them."""
    claims = [word for claim in ASKED for word in ("--claim", claim)]
    ouvrage(home, "verifier", "request", "--as", "bailleur.example", "--purpose", "housing.tenancy.fr", "--ask-anyway",
            "--necessity", "Dossier 12, rue des Lilas", "--out", home / "demande.json", *claims)  # fmt: skip
    return home / "demande.json"


@contextmanager
def machine(home: Path) -> Iterator[dict[str, str]]:
    """``ouvrage wallet serve`` on a worker's machine, which at the end is lost with all that is on it."""
    home.mkdir()
    command = [sys.executable, "-m", "ouvrage", "wallet", "serve", "--json", "--home", str(home)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=home, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.kill()
    shutil.rmtree(home)


def download(page: Any, what: str, to: Path) -> Path:
    """Click, and keep the file that comes."""
    with page.expect_download() as downloading:
        page.click(what)
    shutil.copyfile(downloading.value.path(), to)
    return to


def ledger(page: Any, base: str) -> Any:
    """The whole ledger, as the wallet gives it to other programs."""
    return page.context.request.get(f"{base}/ledger.json").json()


def receive(page: Any, link: str, code: str, look: Look) -> None:
    """Make a wallet, and fetch what a platform offers."""
    page.fill("#passphrase", SECRET)
    page.fill("#again", SECRET)
    page.click("main form button")
    page.click("text=Recevoir ma première preuve")
    page.fill("#text", link)
    page.click("main form button >> nth=0")
    look(page, "offer")
    page.fill("#tx_code", code)
    page.click("main form button")
    page.wait_for_selector("main .good", timeout=60_000)
    page.click("text=Voir ce que j’ai")
    look(page, "home")


def answer(page: Any, asked: Path, to: Path, look: Look) -> Path:
    """See what a landlord asks, and show no more than the law leaves."""
    page.click("nav >> text=Montrer")
    page.set_input_files("#file", asked)
    page.click("main form button")
    look(page, "request")
    page.click("text=D’accord : ne montrer que cela")
    kept = download(page, "text=Enregistrer la réponse", to)
    page.click("nav >> text=Journal")
    page.click("main li.card a")
    look(page, "ledger")
    return kept


def back_up(page: Any, to: Path, look: Look) -> Path:
    """A backup, from the reminder of the first page on."""
    page.click("nav >> text=Ce que j’ai")
    page.click("text=Faire une sauvegarde")
    look(page, "backup")
    page.click("text=Faire une sauvegarde")
    look(page, "backed-up")
    kept = download(page, "text=Enregistrer la sauvegarde", to)
    page.click("nav >> text=Réglages")
    look(page, "settings")
    return kept


def restore(page: Any, backup: Path, look: Look) -> None:
    """On a machine where there is nothing yet."""
    page.click("text=Restaurer une sauvegarde")
    look(page, "restore")
    page.set_input_files("#backup", backup)
    page.fill("#secret", SECRET)
    page.click("main form button")
    look(page, "restored")
    page.click("main a.big")
    page.fill("#passphrase", SECRET)
    page.click("main form button")
    page.click("nav >> text=Journal")
    page.click("main li.card a")
    look(page, "ledger-again")
