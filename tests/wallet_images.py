"""The pictures of the wallet's pages in the documentation: ``python -m tests.wallet_images``."""

from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from PIL import Image
from playwright.sync_api import sync_playwright

from tests import wallet_story as story
from tests.browser import ARGUMENTS, visit
from tests.wallet_pages_app import enter, fill, request_file, running_wallet

IMAGES: Final = Path(__file__).resolve().parents[1] / "docs" / "images"
PHONE: Final = {"width": 360, "height": 740}
MAX_BYTES: Final = 60_000


def take(page: Any, name: str, *, height: int = 1100) -> None:
    """One picture, of few colours: the pages have few."""
    page.set_viewport_size({**PHONE, "height": height})
    with Image.open(BytesIO(page.screenshot())) as picture:
        picture.convert("RGB").quantize(48).save(IMAGES / f"wallet-{name}.png", optimize=True)
    assert (IMAGES / f"wallet-{name}.png").stat().st_size <= MAX_BYTES


def main() -> None:
    """Make all of them."""
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(ARGUMENTS))
        with running_wallet(Path(folder)) as wallet:
            fill(wallet, evil=False)
            asked = request_file(Path(folder), "Earnings.averageAtLeast12m>=1500", "Review", why="Dossier 12")
            with visit(browser, lang="fr", viewport=PHONE) as page:
                enter(page, wallet)
                take(page, "home")
                page.goto(f"{wallet.base}/answer")
                page.set_input_files("#file", asked)
                page.click("main form button")
                take(page, "request", height=1500)
                for box in page.locator("input[type=checkbox]").all()[1:]:
                    box.uncheck()
                page.click("main fieldset ~ .buttons button")
                page.goto(f"{wallet.base}/ledger/1")
                take(page, "ledger", height=900)
                page.goto(f"{wallet.base}/insights")
                take(page, "insights")
        safety(browser)
        browser.close()


def safety(browser: Any) -> None:
    """Of the wallet's story: a backup, what is there and what is missing, and a machine where there is nothing yet."""
    heights = {"backed-up": 900, "settings": 1300, "restore": 1000}

    def look(page: Any, name: str) -> None:
        if name in heights:
            take(page, name, height=heights[name])

    with TemporaryDirectory() as name, visit(browser, lang="fr", viewport=PHONE) as page:
        folder = Path(name)
        with story.platform(folder / "platform") as home:
            link, code = story.offer(home)
            with story.machine(folder / "first") as served:
                page.goto(served["url"])
                story.receive(page, link, code, look)
                story.answer(page, story.request(home), folder / "reponse.json", look)
                backup = story.back_up(page, folder / "portefeuille.backup", look)
                page.goto(f"{served['base']}/words")
                page.fill("#passphrase", story.SECRET)
                page.click("main form button")
                take(page, "words", height=1300)
            with story.machine(folder / "second") as served:
                page.goto(served["url"])
                story.restore(page, backup, look)


if __name__ == "__main__":
    main()
