"""Showing by the wallet's pages in a real browser: a request by a link, its answer on the way, codes, a card, trust."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding

from tests.browser import NARROW, WIDE, check_page, served, visit
from tests.test_wallet_pages import only_loopback, text
from tests.verifying import ROOT, Verifier, certified
from tests.wallet_pages_app import Wallet, enter, fill, request_file, running_wallet
from vc.canon import to_json
from vc.frames import join
from vc.io.pictures import read_codes
from vc.oid4vp import parse_answer, parse_request
from wallet.web import answered_pages
from work.dictionary import DICTIONARIES


@pytest.fixture
def wallet(tmp_path: Path) -> Iterator[Wallet]:
    with running_wallet(tmp_path) as running:
        fill(running, evil=False)
        yield running


@pytest.fixture
def verifier() -> Iterator[Verifier]:
    one = Verifier()
    with served(one.app):
        one.by_certificate(certified("localhost"))
        yield one


def check(page: Any) -> None:
    """As narrow as a telephone in French, as wide as a desk in English; and nothing sticks out on the other."""
    assert page.locator("h1").count() == 1
    french = page.locator("html").get_attribute("lang") == "fr"
    page.set_viewport_size(WIDE if french else NARROW)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url
    page.set_viewport_size(NARROW if french else WIDE)
    check_page(page)


def held_up(wallet: Wallet, monkeypatch: pytest.MonkeyPatch) -> Event:
    """Nothing that is sent arrives before this is set."""
    go, fetched = Event(), wallet.desk.ask

    async def ask(url: str, **arguments: Any) -> Any:
        if url.endswith("/response"):
            await asyncio.to_thread(go.wait, 60)
        return await fetched(url, **arguments)

    monkeypatch.setattr(wallet.desk, "ask", ask)
    return go


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_request_by_a_link_from_who_asks_to_what_came_of_it(
    chromium: Any, wallet: Wallet, verifier: Verifier, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    with visit(chromium, lang=lang) as page:
        elsewhere = only_loopback(page)
        enter(page, wallet)
        page.goto(f"{wallet.base}/settings")
        page.click('a[href="/settings/trust"]')
        check(page)
        page.click("main form button")
        check(page)
        page.fill("#text", ROOT.certificate.public_bytes(Encoding.PEM).decode())
        page.click("main form .big")
        assert "CN=Verifiers' root" in text(page)
        check(page)

        page.goto(f"{wallet.base}/answer")
        page.fill("#text", verifier.link())
        page.click("main form button")
        assert "CN=Verifiers' root" in text(page, "main section >> nth=0")
        check(page)
        verifier.reply = lambda: web.Response(status=503)
        go = held_up(wallet, monkeypatch)
        monkeypatch.setattr(answered_pages, "PATIENCE", 0)
        page.click("main fieldset ~ .buttons button")
        assert page.url.endswith("/done")
        check(page)
        go.set()
        monkeypatch.setattr(answered_pages, "PATIENCE", 20)
        page.click('main a[href$="/done"]')
        assert "localhost" in text(page, "main .warning")
        check(page)
        verifier.reply = lambda: web.json_response({"redirect_uri": "https://lender.example/next"})
        page.click("main form button")
        assert page.locator("main a[rel]").get_attribute("href") == "https://lender.example/next"
        check(page)
        assert len(verifier.got) == 2

        page.goto(f"{wallet.base}/answer")
        page.fill("#text", verifier.plain())
        page.click("main form button")
        check(page)
        page.click("main form:last-of-type button")
        assert verifier.got[-1].startswith(b"error=access_denied")
        check(page)
        page.goto(f"{wallet.base}/ledger")
        assert page.locator("main li.card").count() == 3
        check(page)
        page.goto(f"{wallet.base}/ledger/2")
        check(page)
        assert elsewhere == []


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_an_answer_is_read_off_the_screen_and_off_paper(
    chromium: Any, wallet: Wallet, tmp_path: Path, lang: str
) -> None:
    asked = request_file(tmp_path, "Earnings.averageAtLeast12m>=1500", "Earnings.monthly")
    with visit(chromium, lang=lang) as page:
        elsewhere = only_loopback(page)
        enter(page, wallet)
        page.goto(f"{wallet.base}/answer")
        assert page.locator("#photo").get_attribute("capture") == "environment"
        page.set_input_files("#file", asked)
        page.click("main form button")
        page.click("main fieldset ~ .buttons button")
        check(page)
        done = page.url
        with page.expect_download() as downloading:
            page.click("main .buttons a >> nth=0")
        answer = Path(downloading.value.path()).read_bytes()
        page.click('main a[href$="/codes.html"]')
        check(page)
        page.set_viewport_size(WIDE)
        found = dict.fromkeys(read_codes(page.screenshot(full_page=True), where="screen"))
        for number in range(1, page.locator("input[id^=only]").count() + 1):
            page.check(f"#only{number}")
            found |= dict.fromkeys(read_codes(page.screenshot(full_page=True), where="screen"))
        read = join(found, dictionaries=DICTIONARIES).raw
        assert read == answer
        assert parse_answer(read, parse_request(asked.read_bytes()))
        page.click("main a >> nth=0")
        assert page.url == done
        page.click('main a[href$="/card.html"]')
        check(page)
        printed = read_codes(page.screenshot(full_page=True), where="card")
        assert join(printed, dictionaries=DICTIONARIES).raw == to_json(json.loads(answer))
        page.emulate_media(media="print")
        assert page.locator("main .back").is_hidden()
        assert page.complaints == []
        assert elsewhere == []
