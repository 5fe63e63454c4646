"""The admin page in a real browser: every page in both languages, narrow and wide, and what can be done there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import NARROW, WIDE, check_page, visit
from tests.pages_app import PASSWORD, Site, running_site

PAGES = ("", "/offers", "/credentials", "/requests", "/disputes")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_site(tmp_path) as running:
        yield running


def log_in(page: Any, site: Site, password: str = PASSWORD) -> None:
    page.goto(f"{site.base}/admin/login")
    page.fill("#password", password)
    page.click("main button")


@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_page_is_accessible_and_fits(chromium: Any, site: Site, lang: str, viewport: dict[str, int]) -> None:
    with visit(chromium, lang=lang, viewport=viewport) as page:
        page.goto(f"{site.base}/admin")
        assert page.url.endswith("/admin/login")
        check_page(page)
        log_in(page, site)
        for path in PAGES:
            page.goto(f"{site.base}/admin{path}")
            assert page.locator("html").get_attribute("lang") == lang
            assert page.locator("nav a[aria-current=page]").count() == 1
            check_page(page)
        assert page.complaints == []


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_an_offer_is_made_and_reaches_the_worker(chromium: Any, site: Site, script: bool) -> None:
    with visit(chromium, viewport=NARROW, script=script) as page:
        log_in(page, site)
        page.click("nav >> text=Offers")
        page.fill("#worker", "worker-1")
        page.check("text=Earnings")
        page.click("main button")
        assert re.fullmatch(r"\d{6}", page.locator("#tx-code").inner_text())
        assert page.locator(".qr svg").is_visible()
        if script:
            check_page(page)
        page.click("main .facts a")
        assert page.locator("h1").inner_text() == "Proof of your work, from Courses & Cie"
        page.goto(f"{site.base}/admin/offers")
        if script:
            check_page(page)
        page.get_by_role("button", name=re.compile("^Take back: the offer for worker-1")).click()
        page.wait_for_selector("td:has-text('taken back')")
        assert page.locator("tbody button").count() == 0
        assert page.complaints == []


def test_requests_and_disputes_are_worked_through_by_keyboard(chromium: Any, site: Site) -> None:
    with visit(chromium, lang="fr") as page:
        log_in(page, site)
        page.goto(f"{site.base}/admin/requests")
        page.get_by_role("button", name=re.compile("^Accepter : Avis")).focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Aucun élément.")
        page.goto(f"{site.base}/admin/disputes")
        page.fill("#worker", "worker-1")
        page.select_option("#type", "Rating")
        page.fill("#reason", "Cette note n’est pas la mienne.")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector("li.card")
        assert "Cette note n’est pas la mienne." in page.locator("li.card").inner_text()
        check_page(page)
        page.select_option("#outcome-1", "upheld")
        page.get_by_role("button", name=re.compile("^Clore")).click()
        page.wait_for_selector("tbody tr")
        assert page.locator("li.card").count() == 0
        check_page(page)
        page.goto(f"{site.base}/admin")
        check_page(page)


def test_a_wrong_password_is_said_where_it_is_read_out(chromium: Any, site: Site) -> None:
    with visit(chromium) as page:
        log_in(page, site, "not the password at all")
        page.wait_for_selector("[role=alert]")
        assert page.locator("#password").get_attribute("aria-describedby") == "error"
        check_page(page)


def test_what_is_refused_is_said_on_a_page(chromium: Any, site: Site) -> None:
    with visit(chromium, lang="fr", viewport=NARROW) as page:
        log_in(page, site)
        page.goto(f"{site.base}/admin/offers")
        page.fill("#worker", "nobody")
        page.click("main button")
        page.wait_for_selector("[role=alert]")
        check_page(page)


def test_the_page_is_readable_in_the_dark(chromium: Any, site: Site) -> None:
    with visit(chromium) as page:
        page.emulate_media(color_scheme="dark")
        log_in(page, site)
        for path in PAGES:
            page.goto(f"{site.base}/admin{path}")
            check_page(page)
