"""The verifier's pages in a real browser: a landlord's check, by the real wallet's command; and every page for axe."""

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.browser import NARROW, WIDE, check_page, visit
from tests.cli import PASSPHRASE, ouvrage
from tests.line import credential
from tests.test_verifier_service import served, trust_file
from vc.canon import to_json
from vc.io.pictures import read_codes


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of a verifier and of a worker's wallet that holds a membership."""
    (tmp_path / "passphrase.txt").write_text(PASSPHRASE + "\n")
    now = datetime.now(UTC)
    (tmp_path / "trust.json").write_bytes(trust_file(now))
    ouvrage(tmp_path, "wallet", "init")
    (did,) = ouvrage(tmp_path, "wallet", "keys", "--count", "1", "--json").json["keys"]
    holder: Any = SimpleNamespace(did=did)
    (tmp_path / "held.json").write_bytes(to_json([credential("PlatformMembership", holder=holder, at=now)]))
    ouvrage(tmp_path, "wallet", "add", tmp_path / "held.json")
    return tmp_path


def check(page: Any) -> None:
    """As narrow as a telephone and as wide as a desk."""
    assert page.locator("h1").count() == 1
    for size in (NARROW, WIDE):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url
    check_page(page)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_landlord_checks_and_prints(chromium: Any, home: Path, lang: str) -> None:
    with served(home, "--trust", str(home / "trust.json")) as line, visit(chromium, lang=lang) as page:
        page.goto(line["url"])
        assert page.url == f"{line['base']}/"
        check(page)
        page.click('nav a[href="/trust"]')
        check(page)
        page.click('nav a[href="/"]')
        page.click('main a[href="/ask/housing.tenancy.fr"]')
        check(page)
        page.click("main form button")
        assert page.locator(".wrong").is_visible()
        check(page)
        assert page.locator("#ask-Rating").is_disabled()
        steps = page.locator("#step-PlatformMembership-tenureMonthsAtLeast")
        steps.select_option(index=1)
        page.fill("#reference", "Logement 12")
        page.keyboard.press("Tab")  # from the field on, by the keyboard
        page.click("main form .big")
        assert re.search(r"/checks/[\w-]{22}$", page.url)
        check(page)
        (link,) = read_codes(page.locator(".qr").screenshot(), where="screen")
        assert link == page.locator("#link").input_value()
        page.set_viewport_size(WIDE)
        ouvrage(home, "wallet", "present", link, "--yes")
        page.wait_for_selector("a[href$='/report.pdf']", timeout=20_000)  # it looks again by itself
        check(page)
        assert "Example platform" in page.locator("main").inner_text()
        with page.expect_download() as downloading:
            page.click("a[href$='/report.json']")
        assert b'"verdict":"valid"' in Path(downloading.value.path()).read_bytes()
        with page.expect_download() as downloading:
            page.click("a[href$='/report.pdf']")
        assert Path(downloading.value.path()).read_bytes().startswith(b"%PDF-")
        page.click("a[href$='/report.html']")
        check(page)
        page.go_back()
        page.click("main form button")  # erased
        assert page.url == f"{line['base']}/"
        assert page.locator("main .cards").count() == 0
        assert not [one for one in page.complaints if "Content Security Policy" in one]


def test_a_request_by_file_and_the_other_pages(chromium: Any, home: Path) -> None:
    with served(home, "--trust", str(home / "trust.json")) as line, visit(chromium) as page:
        page.goto(line["url"])
        page.goto(f"{line['base']}/ask/housing.tenancy.fr?anyway=yes")
        assert page.locator("#ask-Rating").is_enabled()
        check(page)
        page.locator("#step-PlatformMembership-tenureMonthsAtLeast").select_option(index=1)
        page.check("#way-file")
        page.fill("#name", "Bailleur & Cie")
        page.click("main form .big")
        check(page)
        assert page.locator("#photo").get_attribute("capture") == "environment"
        with page.expect_download() as downloading:
            page.click("a[href$='/request.json']")
        asked = home / "asked.json"
        asked.write_bytes(Path(downloading.value.path()).read_bytes())
        page.click("a[href$='/codes.html']")
        check(page)
        page.click("main a >> nth=0")
        page.click("main .big")
        assert page.locator(".wrong").is_visible()
        check(page)
        ouvrage(home, "wallet", "present", asked, "--yes", "--out", home / "answer.json")
        page.set_input_files("#file", home / "answer.json")
        page.click("main .big")
        assert page.locator("main p.good").count() == 1
        check(page)
        page.goto(line["base"])
        assert page.locator("main .cards > li").count() == 1
        check(page)
        page.goto(f"{line['base']}/checks/AAAAAAAAAAAAAAAAAAAAAA")
        check(page)
        page.goto(line["url"])  # good for once
        check(page)
