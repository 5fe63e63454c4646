"""Getting and keeping credentials in a real browser: over a login on another site and back, new copies, letting go."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from issuer.offers import make_offer
from tests.browser import NARROW, WIDE, check_page, served, visit
from tests.pages_app import AT, NOW, Site, running_site
from tests.wallet_pages_app import Wallet, enter, new_wallet
from vc.offer import AUTHORIZATION_CODE
from wallet.web.app import make

OFFERED = [f"{kind}_bbs-2023" for kind in ("PlatformMembership", "Earnings", "Rating")]


@pytest.fixture
def wallet(tmp_path: Path) -> Iterator[Wallet]:
    """A wallet by another name than the platform's, so that the two are different sites to the browser."""
    made: list[Wallet] = []

    def app(base: str) -> web.Application:
        made.append(new_wallet(base.replace("127.0.0.1", "localhost"), tmp_path))
        return make(made[0].desk)

    with served(app):
        yield made[0]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "platform"
    folder.mkdir()
    with running_site(folder, development=True, test_login=True, hold=("Rating",)) as running:
        yield running


def link(site: Site) -> str:
    with site.database.write() as connection:
        return make_offer(
            connection,
            "worker-1",
            OFFERED,
            base=site.base,
            grants=[AUTHORIZATION_CODE],
            tx_code=None,
            lifetime=86_400,
            now=NOW,
            rand=os.urandom,
        ).link


def text(page: Any, where: str = "main") -> str:
    """What a page says, with every space as a plain one."""
    return " ".join(page.locator(where).inner_text().replace("\N{NARROW NO-BREAK SPACE}", " ").split())


@pytest.mark.parametrize(("lang", "viewport"), [("fr", NARROW), ("en", WIDE)], ids=["fr-narrow", "en-wide"])
def test_a_login_at_the_platform_new_copies_and_letting_go(
    chromium: Any, wallet: Wallet, site: Site, lang: str, viewport: dict[str, int]
) -> None:
    french = lang == "fr"

    def heading(words_fr: str, words_en: str) -> None:
        assert page.locator("h1").inner_text().replace("\N{NARROW NO-BREAK SPACE}", " ") == (
            words_fr if french else words_en
        )
        check_page(page)

    with visit(chromium, lang=lang, viewport=viewport) as page:
        enter(page, wallet)
        page.goto(f"{wallet.base}/receive")
        page.fill("#text", link(site))
        page.click("main form button >> nth=0")
        page.click("main summary")
        check_page(page)
        page.fill("#copies", "2")
        page.click("#again")
        heading("Se connecter à la plateforme", "Log in at the platform")
        page.click("main a.button")
        assert page.url.startswith(site.base)
        page.fill("input[name=worker]", "worker-1")
        page.click("main button")
        page.click("button[value=yes]")
        page.wait_for_url("**/result")  # from the other site, with the cookie that only our own pages get
        page.wait_for_selector("main .good", timeout=60_000)
        heading("Reçu", "Received")
        assert ("La plateforme doit d’abord l’approuver" if french else "has to approve this first") in text(page)
        page.click("main p >> a[href='/renew']")
        heading("Chercher de nouvelles copies", "Fetch new copies")
        assert ("n’a pas encore décidé" if french else "has not decided yet") in text(page)
        assert page.locator("main form[method=post]").count() == 0
        page.click("main a[href*=rebind]")
        heading("Sur un nouvel appareil", "On a new device")
        wallet.desk.now = lambda: AT + timedelta(days=12)
        page.goto(f"{wallet.base}/renew")
        page.fill("#days", "40")
        page.click("main form[method=get] button")
        assert ("la fin approche" if french else "it ends soon") in text(page)
        check_page(page)
        page.click("main form[method=post] button")
        page.wait_for_selector("main h1 + [role=status]", timeout=60_000)
        heading("Ce qui est arrivé", "What has come")
        page.goto(wallet.base)
        check_page(page)
        cards = page.locator("main li.card").count()
        page.click("main li.card >> nth=0 >> a")
        page.click("main a[href$='/delete']")
        check_page(page)
        page.click("main form button")
        page.wait_for_selector("main .good", timeout=60_000)
        heading("Effacé", "Deleted")
        page.click("main a.button")
        assert page.locator("main li.card").count() == cards - 1
        assert page.complaints == []
