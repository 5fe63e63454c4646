"""The page that a worker reaches from a link: in a real browser, in both languages, with and without JavaScript."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from issuer import flow
from issuer.formats import CONFIGURATIONS
from issuer.offers import PRE_AUTHORIZED, Made, TxCode, claim_offer, make_offer, withdraw_offer
from issuer.tables import OFFER, STATEMENT
from issuer.worker_page import page_link
from tests.browser import NARROW, WIDE, check_page, visit
from tests.pages_app import NOW, Site, running_site

OFFERED = [one for one in CONFIGURATIONS if one.startswith(("Earnings", "Rating_"))]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_site(tmp_path) as running:
        yield running


def offer(site: Site, *, tx_code: TxCode | None = TxCode.NUMERIC, lifetime: int = 7 * 86_400) -> Made:
    with site.database.write() as connection:
        return make_offer(
            connection,
            "worker-1",
            OFFERED,
            base=site.base,
            grants=[PRE_AUTHORIZED],
            tx_code=tx_code,
            lifetime=lifetime,
            now=NOW,
            rand=os.urandom,
        )


@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize(("lang", "button"), [("en", "Open my wallet"), ("fr", "Ouvrir mon portefeuille")])
def test_the_page_says_what_is_about_to_be_handed_over(
    chromium: Any, site: Site, lang: str, button: str, viewport: dict[str, int]
) -> None:
    made = offer(site)
    with visit(chromium, lang=lang, viewport=viewport) as page:
        page.goto(page_link(site.base, made.id))
        check_page(page)
        assert page.locator("html").get_attribute("lang") == lang
        text = page.locator("main").inner_text()
        for configuration in OFFERED:
            kind = CONFIGURATIONS[configuration].kind
            assert kind.labels[lang] in text
            assert kind.explain[lang] in text
        assert page.locator("main li.card").count() == 2  # one for each kind, however many formats
        link = page.get_by_text(button).get_attribute("href")
        assert link == made.link
        assert parse_qs(urlsplit(link).query) == {"credential_offer_uri": [f"{site.base}/offers/{made.id}"]}
        assert page.locator(".qr svg").bounding_box()["width"] > 200
        for part in page.locator("details").all():
            part.locator("summary").click()
        check_page(page)
        assert page.complaints == []


def test_whoever_has_the_link_learns_nothing_about_the_worker(chromium: Any, site: Site) -> None:
    made = offer(site)
    with site.database.read() as connection:
        bodies = connection.execute(sa.select(STATEMENT.c.body)).scalars().all()
    told = {value for body in bodies for value in values(json.loads(body)["claims"]) if re.search(r"\d", value)}
    assert len(told) > 20
    with visit(chromium) as page:
        page.goto(page_link(site.base, made.id))
        source = page.content()
    # Offers are found by chance as little as codes are: only what stands in words is compared.
    text = re.sub(r"<svg.*?</svg>|https?:\S+|openid\S+", "", source, flags=re.DOTALL)
    assert [value for value in told if len(value) > 3 and value in text] == []
    for secret in ("worker-1", str(made.tx_code)):
        assert secret not in source


def values(claims: Any) -> Iterator[str]:
    for value in claims.values() if isinstance(claims, dict) else claims if isinstance(claims, list) else ():
        yield from values(value) if isinstance(value, dict | list) else (str(value),)


def test_it_tells_where_the_code_comes_from_only_if_there_is_one(chromium: Any, site: Site) -> None:
    with visit(chromium) as page:
        page.goto(page_link(site.base, offer(site).id))
        assert page.get_by_text("Your wallet will ask for a code").count() == 1
        page.goto(page_link(site.base, offer(site, tx_code=None).id))
        assert page.get_by_text("Your wallet will ask for a code").count() == 0


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_an_offer_that_is_over_says_so(chromium: Any, site: Site, lang: str) -> None:
    used, back, blocked, late = offer(site), offer(site), offer(site), offer(site, lifetime=1)
    with site.database.write() as connection:
        claim_offer(connection, used.id, now=NOW)
        withdraw_offer(connection, back.id, now=NOW)
        flow.move_offer(connection, blocked.id, flow.Event.EXHAUST, now=NOW)
        connection.execute(OFFER.update().where(OFFER.c.id == late.id).values(expires=NOW))
    headings = set()
    with visit(chromium, lang=lang, viewport=NARROW) as page:
        for name, status in ((used.id, 410), (back.id, 410), (blocked.id, 410), (late.id, 410), ("nothing", 404)):
            answer = page.goto(page_link(site.base, name))
            assert answer.status == status
            check_page(page)
            assert page.locator(".qr").count() == 0
            assert "openid-credential-offer" not in page.content()
            headings.add(page.locator("h1").inner_text())
    assert len(headings) == 5


def test_it_works_without_javascript_and_switches_language(chromium: Any, site: Site) -> None:
    made = offer(site)
    with visit(chromium, script=False) as page:
        page.goto(page_link(site.base, made.id))
        page.get_by_text("Français").click()
        assert page.get_by_text("Ouvrir mon portefeuille").get_attribute("href") == made.link
        assert page.context.cookies() == []  # whoever opens a link is not followed
