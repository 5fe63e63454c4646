"""An offer that asks the worker to log in first: through the service's own login, with a browser, and past liars."""

import asyncio
import json
import os
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession

from issuer.database import Database
from tests.cli import PASSPHRASE, ROOT, ouvrage
from tests.databases import sample_statements
from tests.form_browser import Browser, new_session
from tests.issuing import BBS, JWT, Running, running
from tests.test_wallet_accept import Between, offered, said
from tests.test_wallets_elsewhere import issuing
from tests.vaults import create, reopen
from vc.canon import to_json
from vc.errors import Malformed, Rejected, Undetermined, Unsupported, VcError
from vc.io.fetch import Fetched, fetch
from vc.offer import AUTHORIZATION_CODE
from wallet.accept import GivenOffer, read_offer
from wallet.collect import Collected, collect_login
from wallet.formats import FORMATS
from wallet.grants import grants
from wallet.issuer_session import Ask
from wallet.login import MAX_LOGINS, Login, begin, is_redirected, keep_login, take_login
from wallet.loopback import listening
from wallet.shelf import Shelf
from work import CONTEXTS

REDIRECT = "http://127.0.0.1:9/back"
TESTED: dict[str, Any] = {"development": True, "test_login": True}


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with create(tmp_path / "vault.db") as vault:
        yield Shelf(vault)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "issuer.db") as opened:
        sample_statements(opened)
        yield opened


async def started(
    shelf: Shelf,
    service: Running,
    *,
    ask: Ask = fetch,
    offer: GivenOffer | None = None,
    redirect: str = REDIRECT,
    formats: Collection[str] = FORMATS,
) -> Login:
    made = offer or await read_offer(offered(service, grant=AUTHORIZATION_CODE).link, ask=fetch)
    login = await begin(
        made, ask=ask, redirect=redirect, client="wallet", copies=2, now=service.clock, rand=os.urandom, formats=formats
    )
    keep_login(shelf.vault, login, at=service.clock(), rand=os.urandom)
    return login


async def finished(shelf: Shelf, redirected: str, service: Running, *, ask: Ask = fetch) -> Collected:
    return await collect_login(shelf, redirected, ask=ask, contexts=CONTEXTS, now=service.clock, rand=os.urandom)


async def person(url: str, *, answer: str = "yes", worker: str = "worker-1") -> str:
    """Log in with the service's test login, and say yes or no; where the browser is sent back to."""
    async with new_session() as session:
        browser = Browser(session, frozenset({urlsplit(url).netloc}))
        page = await browser.send(await browser.open(url), worker=worker)
        await browser.send(page, answer=answer)
    assert browser.left_for, page.text
    return browser.left_for


@pytest.mark.parametrize("path", ["", "/work"])
async def test_a_login_and_then_copies(database: Database, shelf: Shelf, path: str) -> None:
    async with running(database, path=path, **TESTED) as service:
        login = await started(shelf, service)
        assert parse_qs(urlsplit(login.url).query).keys() == {"client_id", "request_uri"}  # pushed
        redirected = await person(login.url)
        assert redirected.startswith(REDIRECT)
        assert is_redirected(redirected)
        got = await finished(shelf, redirected, service)
        assert (got.added, got.told) == (2, True)
        with pytest.raises(Rejected, match="no login of this wallet belongs to this address: it was used"):
            await finished(shelf, redirected, service)
    assert len(shelf.copies()) == 2
    (grant,) = grants(shelf.vault)
    assert grant.refresh
    assert grant.client == "wallet"


async def test_a_login_for_one_format_of_several(database: Database, shelf: Shelf) -> None:
    async with running(database, **TESTED) as service:
        offer = await read_offer(offered(service, BBS, JWT, grant=AUTHORIZATION_CODE).link, ask=fetch)
        with pytest.raises(Unsupported, match="ecdsa-sd-2023"):
            await started(shelf, service, offer=offer, formats=["ecdsa-sd-2023"])
        login = await started(shelf, service, offer=offer, formats=["sd-jwt"])
        assert login.configurations == (JWT,)
        assert (await finished(shelf, await person(login.url), service)).added == 2
    assert {one.suite for one in shelf.copies()} == {"sd-jwt"}


@pytest.mark.parametrize("details", [True, False])
async def test_a_server_without_pushed_requests_and_one_that_knows_scopes_only(
    database: Database, shelf: Shelf, *, details: bool
) -> None:
    changes: dict[str, Any] = {"pushed_authorization_request_endpoint": None} | (
        {} if details else {"authorization_details_types_supported": []}
    )
    async with running(database, **TESTED) as service:
        ask = Between({"oauth-authorization-server": said(**changes)})
        login = await started(shelf, service, ask=ask)
        query = parse_qs(urlsplit(login.url).query)
        assert query["code_challenge_method"] == ["S256"]
        assert query["dpop_jkt"]
        assert ("scope" in query, "authorization_details" in query) == (not details, details)
        got = await finished(shelf, await person(login.url), service, ask=ask)
    assert got.added == 2


async def test_bearer_tokens_where_no_proof_is_offered(database: Database, shelf: Shelf) -> None:
    async with running(database, **TESTED) as service:
        ask = Between({"oauth-authorization-server": said(dpop_signing_alg_values_supported=None)})
        login = await started(shelf, service, ask=ask)
        got = await finished(shelf, await person(login.url), service, ask=ask)
    assert got.added == 2
    assert grants(shelf.vault)[0].key is None


async def test_who_says_no_gets_nothing_and_can_begin_again(database: Database, shelf: Shelf) -> None:
    async with running(database, **TESTED) as service:
        offer = await read_offer(offered(service, grant=AUTHORIZATION_CODE).link, ask=fetch)
        login = await started(shelf, service, offer=offer)
        with pytest.raises(Rejected, match="you or the platform said no"):
            await finished(shelf, await person(login.url, answer="no"), service)
        again = await started(shelf, service, offer=offer)
        assert (await finished(shelf, await person(again.url), service)).added == 2


async def test_a_login_that_is_too_old(database: Database, shelf: Shelf) -> None:
    async with running(database, **TESTED) as service:
        login = await started(shelf, service)
        redirected = await person(login.url)
        service.clock.forward(minutes=16)
        with pytest.raises(Rejected, match="is too old"):
            await finished(shelf, redirected, service)


async def test_as_many_logins_are_open_as_can_be_meant(database: Database, shelf: Shelf) -> None:
    async with running(database, **TESTED) as service:
        first = await started(shelf, service)
        for _ in range(MAX_LOGINS):
            last = await started(shelf, service)
        assert len(shelf.vault.items("login")) == MAX_LOGINS
        with pytest.raises(Rejected):
            take_login(shelf.vault, f"{REDIRECT}?state={first.state}&code=1", at=service.clock())
        assert take_login(shelf.vault, f"{REDIRECT}?state={last.state}&code=1", at=service.clock()) == last


# ---- liars -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "error", "words"),
    [
        ("code=1&state={state}&iss=https://other.example", Rejected, "not from the server that you logged in with"),
        ("code=1&state={state}", Rejected, "not from the server that you logged in with"),  # it said that iss comes
        ("code=1&state=other&iss={iss}", Rejected, "no login of this wallet"),
        ("code=1&iss={iss}", Rejected, "no login of this wallet"),
        ("state={state}&iss={iss}", Malformed, "holds no code"),
        ("code=1&code=2&state={state}", Malformed, "not the one that your browser was sent to"),
        ("error=server_error&state={state}&iss={iss}", Rejected, "the platform says: server_error"),
        ("code=wrong&state={state}&iss={iss}", Rejected, "the token endpoint"),
        ("code=" + "1" * 9000 + "&state={state}&iss={iss}", Malformed, "not the one that your browser was sent to"),
    ],
)
async def test_an_answer_that_is_not_the_one(
    database: Database, shelf: Shelf, query: str, error: type[VcError], words: str
) -> None:
    async with running(database, **TESTED) as service:
        login = await started(shelf, service)
        ask = Between()
        with pytest.raises(error, match=words):
            await finished(shelf, f"{REDIRECT}?{query.format(state=login.state, iss=service.base)}", service, ask=ask)
        sent = [url for url in ask.asked if url.endswith("/token")]
        assert bool(sent) == ("code=wrong" in query)
    assert (shelf.copies(), grants(shelf.vault)) == ((), ())


@pytest.mark.parametrize(
    ("where", "change", "error", "words"),
    [
        ("oauth-authorization-server", said(issuer="https://other.example"), Rejected, "of another server"),
        ("openid-credential-issuer", said(authorization_servers=[]), Malformed, "not a list of 1 to"),
        ("openid-credential-issuer", said(authorization_servers=["http://a.example"]), Malformed, "not an https URL"),
        ("oauth-authorization-server", said(grant_types_supported=["implicit"]), Unsupported, "none of its"),
        ("oauth-authorization-server", said(authorization_endpoint="javascript:x"), Malformed, "not an https URL"),
        ("oauth-authorization-server", said(authorization_endpoint="http://localhost:9/"), Malformed, "this machine"),
        ("oauth-authorization-server", said(authorization_endpoint=None), Unsupported, "authorization_endpoint"),
        ("oauth-authorization-server", said(dpop_signing_alg_values_supported=["PS256"]), Unsupported, "no proof"),
        ("/par", said(request_uri=7), Malformed, "keeps no request"),
        ("/par", lambda _: Fetched(302, {}, b""), Malformed, "leads elsewhere"),
    ],
)
async def test_a_server_that_lies(
    database: Database, shelf: Shelf, where: str, change: Any, error: type[VcError], words: str
) -> None:
    async with running(database, **TESTED) as service:
        with pytest.raises(error, match=words):
            await started(shelf, service, ask=Between({where: change}))
    assert shelf.vault.items("login") == ()


async def test_an_offer_that_leads_to_a_server_that_is_not_the_platforms(database: Database, shelf: Shelf) -> None:
    async with running(database, **TESTED) as service:
        link = offered(service, grant=AUTHORIZATION_CODE, by_value=True).link
        offer = await read_offer(link, ask=fetch)
        body = offer.to_json()
        body["grants"] = {AUTHORIZATION_CODE: {"authorization_server": "https://thief.example"}}
        ask = Between()
        given = GivenOffer.parse(to_json(body))
        given = GivenOffer(given.issuer, given.configuration_ids, given.authorization_code, typed=offer.typed)
        with pytest.raises(Rejected, match=r"thief\.example, which the platform does not name as its own"):
            await started(shelf, service, offer=given, ask=ask)
    assert not any("thief" in url for url in ask.asked)


# ---- the way back over this machine ----------------------------------------------------------------------------------


async def test_the_first_right_answer_counts_and_no_other() -> None:
    async with listening(thanks="Merci <b>", rand=os.urandom) as listener, ClientSession() as browser:
        assert listener.redirect.startswith("http://127.0.0.1:")
        waiting = asyncio.create_task(listener.answer("mine", patience=20))
        await asyncio.sleep(0)
        root = listener.redirect.rpartition("/")[0]
        for url, status in [
            (f"{root}/", 404),
            (f"{root}/guessed?state=mine&code=1", 404),
            (f"{listener.redirect}?state=other&code=1", 400),
            (f"{listener.redirect}?code=1", 400),
            (f"{listener.redirect}?state=mine&code=" + "1" * 9000, 400),
        ]:
            async with browser.get(url) as answer:
                assert answer.status == status, url
        async with browser.get(f"{listener.redirect}?state=mine&code=1") as answer:
            assert (answer.status, "Merci &lt;b&gt;" in await answer.text()) == (200, True)
            assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
        assert await waiting == f"{listener.redirect}?state=mine&code=1"
        async with browser.get(f"{listener.redirect}?state=mine&code=2") as answer:
            assert answer.status == 410


async def test_nobody_comes_back() -> None:
    async with listening(thanks="", rand=os.urandom) as listener:
        with pytest.raises(Undetermined, match="nobody came back"):
            await listener.answer("mine", patience=0.01)


# ---- as commands -----------------------------------------------------------------------------------------------------


async def command(home: Path, *words: str) -> asyncio.subprocess.Process:
    environment = {**os.environ, "OUVRAGE_HOME": str(home), "PYTHONPATH": str(ROOT)}
    environment["OUVRAGE_PASSPHRASE_FILE"] = str(home / "passphrase.txt")
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ouvrage", "wallet", *words),
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_the_command_waits_for_the_browser(database: Database, tmp_path: Path) -> None:
    await asyncio.to_thread(ouvrage, tmp_path, "wallet", "init")
    async with issuing(database, **TESTED) as service:
        link = offered(service, grant=AUTHORIZATION_CODE).link
        running_ = await command(tmp_path, "accept", link, "--lang", "fr", "--json")
        assert running_.stderr is not None
        told = (await running_.stderr.readline()).decode()
        assert told.startswith("Connectez-vous d’abord")
        await running_.stderr.readline()
        back = await person((await running_.stderr.readline()).decode().strip())
        async with ClientSession() as browser, browser.get(back) as page:
            assert "Vous pouvez fermer cette page" in await page.text()
        out, _ = await asyncio.wait_for(running_.communicate(), 60)
    assert (running_.returncode, json.loads(out)["added"]) == (0, 5)


async def test_the_worker_brings_the_address_back(database: Database, tmp_path: Path) -> None:
    await asyncio.to_thread(ouvrage, tmp_path, "wallet", "init")
    async with issuing(database, **TESTED) as service:
        link = offered(service, grant=AUTHORIZATION_CODE).link
        first = await command(tmp_path, "accept", link, "--redirect-url", REDIRECT, "--copies", "2", "--json")
        out, _ = await first.communicate()
        redirected = await person(json.loads(out)["login"])
        for code, word in ((0, "2 copies"), (1, "no login of this wallet")):
            again = await command(tmp_path, "accept", redirected)
            out, err = await again.communicate()
            assert (again.returncode, word in (out + err).decode()) == (code, True), (out, err)
    with reopen(tmp_path / "wallet" / "vault.db", PASSPHRASE.encode()) as vault:
        assert len(Shelf(vault).copies()) == 2
