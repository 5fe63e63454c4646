"""The question before anything is handed over, in a real browser that holds to its policy."""

from dataclasses import replace
from datetime import UTC, datetime
from os import urandom
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web

from issuer.config import Config
from issuer.database import Database
from issuer.deps import Deps
from issuer.keyring import KeyRing
from issuer.keys import create
from tests.authorization_app import BASE, REQUEST, WORKER, make_app, query_of
from tests.browser import *  # noqa: F403
from tests.browser import NARROW, check_page, served, visit
from tests.databases import sample_statements


async def wallet_page(_request: web.Request) -> web.Response:
    return web.Response(text="<!DOCTYPE html><title>w</title><link rel=icon href='data:,'>", content_type="text/html")


def new_wallet(_base: str) -> web.Application:
    app = web.Application()
    app.router.add_get("/cb", wallet_page)
    return app


@pytest.mark.parametrize(("lang", "answer"), [("en", "yes"), ("fr", "no")])
def test_from_the_login_to_the_wallet(tmp_path: Path, chromium: Any, lang: str, answer: str) -> None:
    ring = KeyRing.of(create(urandom), secret=urandom(32), at=datetime.now(UTC))
    config = Config(base=BASE, development=True, test_login=True)
    with Database.open(tmp_path / "issuer.db") as database:
        sample_statements(database, WORKER)
        deps = Deps(config, database, lambda: ring, lambda: datetime.now(UTC), urandom)
        with (
            served(lambda base: make_app(replace(deps, config=replace(config, base=base)))) as base,
            served(new_wallet) as wallet,
            visit(chromium, lang=lang, viewport=NARROW, script=True) as page,
        ):
            page.goto(f"{base}/authorize?{urlencode({**REQUEST, 'redirect_uri': f'{wallet}/cb'})}")
            check_page(page)
            page.fill("#worker", WORKER)
            page.click("main button")
            assert page.get_attribute("html", "lang") == lang
            check_page(page)
            page.click(".langs a:not([aria-current])")
            assert page.get_attribute("html", "lang") != lang
            check_page(page)
            page.click(f"button[value={answer}]")
            page.wait_for_url(f"{wallet}/cb?**")
            assert ("code" in query_of(page.url)) is (answer == "yes")
            assert page.complaints == []
            page.goto(f"{base}/login/consent?ticket=used")
            check_page(page)
