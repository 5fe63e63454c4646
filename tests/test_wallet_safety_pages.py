"""The pages that nothing is lost by, in a real browser: narrow and wide, in both languages, with errors too."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.browser import ARGUMENTS, NARROW, WIDE, check_page, visit
from tests.wallet_pages_app import PASSPHRASE, Wallet, enter, fill, running_wallet

NEW = "four other words altogether"


class Tour:
    """A visitor who looks at each page, in one width and then in another."""

    def __init__(self, page: Any, wallet: Wallet, lang: str, widths: tuple[dict[str, int], ...]) -> None:
        self.page, self.wallet, self.lang, self.widths = page, wallet, lang, widths
        self.seen: list[str] = []

    def look(self, path: str = "") -> None:
        if path:
            self.page.goto(self.wallet.base + path)
        assert self.page.locator("html").get_attribute("lang") == self.lang
        assert self.page.locator("h1").count() == 1
        for viewport in self.widths:
            self.page.set_viewport_size(viewport)
            assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), self.page.url
        check_page(self.page)
        self.seen.append(self.page.url)

    def send(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.fill(f"#{name}", value)
        self.page.click("main form:has(.big) button")

    def words(self) -> list[str]:
        shown = self.page.locator("ol.words > li")
        assert shown.evaluate_all("all => all.every(one => getComputedStyle(one).display === 'list-item')")
        return [str(one) for one in shown.all_inner_texts()]


def backups(tour: Tour, folder: Path) -> Path:
    page = tour.page
    for path in ("/", "/settings", "/backup"):
        tour.look(path)
    page.fill("#folder", "somewhere")
    page.click("button.second >> nth=-1")
    tour.look()
    page.fill("#folder", str(folder / "stick"))
    page.click("button.second >> nth=-1")
    tour.look()
    page.click("main .big")
    tour.look()
    with page.expect_download() as downloading:
        page.click("main a.big")
    return Path(downloading.value.path())


def words(tour: Tour) -> str:
    page = tour.page
    tour.look("/words")
    tour.send(passphrase="not this one")
    tour.look()
    assert page.locator("#passphrase").input_value() == ""
    tour.send(passphrase=PASSPHRASE)
    shown = tour.words()
    assert len(shown) == 24
    assert page.locator("ol.words").get_attribute("lang") == tour.lang
    tour.look()
    where = page.url
    page.click("main a.big")
    numbers = [str(one.get_attribute("id")) for one in page.locator("main input[type=text]").all()]
    tour.send(**dict.fromkeys(numbers, "zzz"))
    tour.look()
    tour.send(**{name: shown[int(name[5:]) - 1] for name in numbers})
    tour.look()
    page.goto(where)
    assert page.locator("ol.words").count() == 0  # never again
    return " ".join(shown)


def guardians(tour: Tour) -> list[str]:
    page, shares = tour.page, []
    tour.look("/guardians")
    tour.send(of="3", need="2", names="Ana", passphrase=PASSPHRASE)
    tour.look()
    tour.send(of="2", need="2", names="Ana\n<b>Zoé</b>", passphrase=PASSPHRASE)
    tour.look()
    where = page.url
    for number in range(2):
        page.goto(where)
        page.locator("ol a").nth(number).click()
        shares.append(" ".join(tour.words()))
        tour.look()
        page.emulate_media(media="print")
        assert not page.locator("header").is_visible()
        assert page.locator("ol.words").is_visible()
        page.emulate_media(media="screen")
    page.goto(where)
    tour.send()
    tour.look()
    page.check("#agree")
    tour.send()
    tour.look()
    tour.look("/guardians")
    return shares


@pytest.mark.parametrize(("lang", "widths"), [("en", (NARROW, WIDE)), ("fr", (WIDE, NARROW))], ids=["en", "fr"])
def test_every_page_that_nothing_is_lost_by(
    chromium: Any, tmp_path: Path, lang: str, widths: tuple[dict[str, int], ...]
) -> None:
    with running_wallet(tmp_path) as wallet, visit(chromium, lang=lang, viewport=NARROW) as page:
        fill(wallet)
        tour = Tour(page, wallet, lang, widths)
        enter(page, wallet)
        backup, phrase, shares = backups(tour, tmp_path), words(tour), guardians(tour)
        tour.look("/settings")
        page.click("main a[href='/passphrase']")
        tour.send(passphrase=PASSPHRASE, new=NEW, again="something else")
        tour.look()
        tour.send(passphrase=PASSPHRASE, new=NEW, again=NEW)
        tour.look()
        page.goto(wallet.base)
        page.locator("main li.card a").first.click()
        page.click("main a[href$='/export']")
        tour.send()
        tour.look()
        page.click("header form button")
        page.click("main a[href='/forgot/words']")
        tour.send(secret=f"abandn {phrase}", new=NEW, again=NEW)
        tour.look()
        page.click("main nav a >> nth=1")
        tour.send(secret="\n".join(shares), new=PASSPHRASE, again=PASSPHRASE)
        tour.look()
        page.click("header form button")
        page.click("main a[href^='/restore']")
        page.set_input_files("#backup", backup)
        tour.send(secret=PASSPHRASE)
        tour.look()  # it has to be agreed to
        page.set_input_files("#backup", backup)
        page.check("#replace")
        tour.send(secret=PASSPHRASE)
        tour.look()
        assert len(tour.seen) > 24
        assert not [one for one in page.complaints if "Failed to load resource" not in one]


def test_nobody_goes_back_to_words_or_to_anything_after_the_lock(chromium: Any, tmp_path: Path) -> None:
    """Playwright turns off what browsers keep pages in to go back to; here it is on, as it is for a worker."""
    browser = chromium.browser_type.launch(
        executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
        args=list(ARGUMENTS),
        ignore_default_args=["--disable-back-forward-cache"],
    )
    with running_wallet(tmp_path) as wallet, visit(browser) as page:
        fill(wallet)
        enter(page, wallet)
        page.goto(f"{wallet.base}/words")
        page.fill("#passphrase", PASSPHRASE)
        page.click("main form button")
        assert page.locator("ol.words > li").count() == 24
        page.click("header form button")
        for _ in range(2):
            page.go_back(wait_until="commit")
            page.wait_for_load_state()
            assert page.url.endswith("/unlock")
            assert page.locator("ol.words").count() == 0
    browser.close()
