"""The pictures of the wallet's pages in the documentation: ``python -m tests.wallet_images``."""

from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from PIL import Image
from playwright.sync_api import sync_playwright

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
        browser.close()


if __name__ == "__main__":
    main()
