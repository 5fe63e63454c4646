"""Getting and keeping credentials through the wallet's pages, over HTTP, from the real issuer service: logins and the
way back from them, new copies, what was promised, letting go; and that no page waits for the network of another."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import ClientSession, CookieJar

from issuer.database import Database
from tests.databases import sample_statements
from tests.issuing import BBS, JWT, Running, running
from tests.test_deferred import settle
from tests.test_vcapi_http import serving
from tests.test_wallet_accept import RATING, offered
from tests.test_wallet_login import TESTED, person
from tests.test_wallet_partly import For, refused
from tests.test_wallet_web import Visitor
from tests.wallet_pages_app import PASSPHRASE, Wallet, new_wallet
from vc.io.fetch import Fetched, fetch
from vc.offer import AUTHORIZATION_CODE
from wallet.pending import promises
from wallet.web.app import make

FROM_ELSEWHERE: Final = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.fixture
def database(tmp_path: Path) -> Any:
    with Database.open(tmp_path / "issuer.db") as opened:
        sample_statements(opened)
        yield opened


@asynccontextmanager
async def both(database: Database, folder: Path, **config: Any) -> AsyncIterator[tuple[Visitor, Running]]:
    """A platform and an open wallet, at the same time of day."""
    made: list[Wallet] = []

    def app(base: str) -> Any:
        made.append(new_wallet(base, folder))
        return make(made[0].desk)

    async with (
        running(database, **config) as service,
        serving(app),
        ClientSession(cookie_jar=CookieJar(unsafe=True)) as session,
    ):
        made[0].desk.now = service.clock
        visitor = Visitor(made[0], session)
        await visitor.new()
        yield visitor, service


async def brought(visitor: Visitor, link: str) -> str:
    """The page of an offer."""
    status, text, headers = await visitor.post("/receive", {"text": link})
    assert status == 303, text
    return str(headers["Location"])


async def accepted(visitor: Visitor, link: str, **fields: str) -> str:
    """What the page says once an offer is fetched."""
    where = await brought(visitor, link)
    status, text, headers = await visitor.post(where, {"copies": "2", **fields})
    assert status == 303, text
    return await said(visitor, headers["Location"])


async def said(visitor: Visitor, path: str) -> str:
    """What a page says, without its markup."""
    status, text, _ = await visitor.get(path)
    main = text[text.index("<main") :]
    return f"{status} " + " ".join(re.sub(r"<[^>]+>", " ", main).replace("\N{NO-BREAK SPACE}", " ").split())


async def logging_in(visitor: Visitor, service: Running, *names: str) -> tuple[str, str]:
    """The page of an offer whose login has begun, and the platform's address."""
    where = await brought(visitor, offered(service, *names, grant=AUTHORIZATION_CODE).link)
    assert "wants you to log in with it first" in await said(visitor, where)
    assert (await visitor.post(where, {"copies": "2"}))[2]["Location"] == f"{where}/login"
    _, text, headers = await visitor.get(f"{where}/login")
    (url,) = re.findall(r'class="button big" href="([^"]+)" rel="noreferrer"', text)
    assert "form-action 'self'" in headers["Content-Security-Policy"]
    return where, url.replace("&amp;", "&")


async def landed(url: str, **headers: str) -> tuple[int, str, Any]:
    """As a browser comes from another site: without the wallet's cookie."""
    async with ClientSession() as browser, browser.get(url, headers={**FROM_ELSEWHERE, **headers}) as answer:
        return answer.status, await answer.text(), answer.headers


# ---- logins ----------------------------------------------------------------------------------------------------------


async def test_a_login_and_the_way_back(database: Database, tmp_path: Path) -> None:
    async with both(database, tmp_path, **TESTED) as (visitor, service):
        where, url = await logging_in(visitor, service)
        back = await person(url)
        assert back.startswith(f"{visitor.wallet.base}/back/{where.rpartition('/')[2]}?")
        status, text, headers = await landed(back)
        assert (status, "Set-Cookie" in headers) == (200, False)
        assert f'content="0; url={where}/result"' in text
        assert visitor.wallet.desk.csrf not in text
        assert "/lock" not in text
        assert (await visitor.get("/"))[1].count("Go on") == 1
        assert (await landed(back))[0] == 403  # it counts once
        assert (await landed(f"{visitor.wallet.base}{where}/result"))[0] == 403  # the code is used with the cookie only
        assert "New in your wallet, checked: 2" in await said(visitor, f"{where}/result")
        assert (await landed(back))[0] == 403
        assert "Earnings" in await said(visitor, "/")
        assert "2 of 2" in await said(visitor, "/")


async def test_nobody_else_comes_in_where_a_login_comes_back(database: Database, tmp_path: Path) -> None:
    async with both(database, tmp_path, **TESTED) as (visitor, service):
        base = visitor.wallet.base
        where, url = await logging_in(visitor, service)
        back = await person(url)
        path, query = back.split("?")
        for address, headers in (
            (path, {}),
            (f"{path}?{query.replace('state=', 'state=x')}", {}),
            (f"{path}?{query}&state=other", {}),
            (f"{path}?{query}&long={'x' * 9000}", {}),
            (f"{base}/back/{'0' * 16}?{query}", {}),
            (f"{path}/more?{query}", {}),
            (back, {"Sec-Fetch-Dest": "image"}),
            (back, {"Sec-Fetch-Dest": "iframe"}),
            (back, {"Host": "evil.example"}),
            (f"{base}/back/../?{query}", {}),
            (f"{base}/", {}),
            (f"{base}{where}", {}),
        ):
            status, text, _ = await landed(address, **headers)
            assert status in (400, 403, 404), address
            assert "/lock" not in text
        async with ClientSession() as browser, browser.post(back, headers=FROM_ELSEWHERE) as answer:
            assert answer.status in (403, 405)
        assert (await landed(back))[0] == 200  # and none of them used it up


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda back: re.sub("iss=[^&]+", "iss=https%3A%2F%2Fother.example", back), "somebody else than the platform"),
        (lambda back: re.sub("&?iss=[^&]+", "", back), "somebody else than the platform"),
        (lambda back: re.sub("code=[^&]+", "error=access_denied", back), "said no. Nothing was fetched"),
        (lambda back: re.sub("code=[^&]+", "code=wrong", back), "The platform says no"),
    ],
    ids=["other", "unsaid", "denied", "wrong"],
)
async def test_an_answer_that_is_not_the_one(database: Database, tmp_path: Path, change: Any, words: str) -> None:
    asked: list[str] = []
    async with both(database, tmp_path, **TESTED) as (visitor, service):
        where, url = await logging_in(visitor, service)
        back = await person(url)

        async def ask(url: str, **arguments: Any) -> Fetched:
            asked.append(url)
            return await fetch(url, **arguments)

        visitor.wallet.desk.ask = ask
        assert (await landed(change(back)))[0] == 200
        told = await said(visitor, f"{where}/result")
        assert words in told
        assert any(url.endswith("/token") for url in asked) == ("code=wrong" in change(back))
        assert "nothing in your wallet yet" in await said(visitor, "/")


async def test_who_says_no_at_the_platform_can_begin_again(database: Database, tmp_path: Path) -> None:
    async with both(database, tmp_path, **TESTED) as (visitor, service):
        where, url = await logging_in(visitor, service)
        assert (await landed(await person(url, answer="no")))[0] == 200
        assert "You or the platform said no. Nothing was fetched." in await said(visitor, f"{where}/result")
        assert (await visitor.post(where, {"copies": "1"}))[2]["Location"] == f"{where}/login"
        text = (await visitor.get(f"{where}/login"))[1]
        (again,) = re.findall(r'class="button big" href="([^"]+)" rel', text)
        assert (await landed(await person(again.replace("&amp;", "&"))))[0] == 200
        assert "checked: 1" in await said(visitor, f"{where}/result")


async def test_a_wallet_that_locked_itself_during_a_login_goes_on_when_it_is_open(
    database: Database, tmp_path: Path
) -> None:
    async with both(database, tmp_path, **TESTED) as (visitor, service):
        where, url = await logging_in(visitor, service)
        visitor.wallet.clock.seconds += 601
        assert (await landed(await person(url)))[0] == 200
        assert (await visitor.get(f"{where}/result"))[2]["Location"] == "/unlock"
        await visitor.post("/unlock", {"passphrase": PASSPHRASE})
        assert f"{where}/result" in (await visitor.get("/"))[1]
        assert "checked: 2" in await said(visitor, f"{where}/result")


async def test_a_login_that_nobody_waits_for_any_more(database: Database, tmp_path: Path) -> None:
    async with both(database, tmp_path, **TESTED) as (visitor, service):
        _, url = await logging_in(visitor, service)
        back = await person(url)
        await visitor.post("/lock", {})
        assert (await landed(back))[0] == 403


# ---- offers ----------------------------------------------------------------------------------------------------------


async def test_copies_and_formats_as_the_worker_wants_them(database: Database, tmp_path: Path) -> None:
    async with both(database, tmp_path) as (visitor, service):
        where = await brought(visitor, offered(service, BBS, JWT).link)
        for fields, words in (
            ({"copies": "0"}, "Ask for 1 to 100 copies"),
            ({"copies": "x"}, "Ask for 1 to 100 copies"),
            ({"client": "x" * 201}, "This is no name"),
        ):
            status, text, _ = await visitor.post(where, fields)
            assert (status, words in text.replace("\N{NO-BREAK SPACE}", " ")) == (400, True)
        assert (await visitor.post(where, {"format.nonsense": "yes"}))[0] == 400
        assert (await visitor.post(where, {"copies": "3", "format.sd-jwt": "yes"}))[0] == 303
        assert "checked: 3" in await said(visitor, f"{where}/result")
        copies = await visitor.wallet.desk.box.use(lambda shelf: shelf.copies())
        assert {one.suite for one in copies} == {"sd-jwt"}


async def test_one_that_is_refused_is_named_and_the_others_are_kept(database: Database, tmp_path: Path) -> None:
    async with both(database, tmp_path) as (visitor, service):
        visitor.wallet.desk.ask = For(RATING, refused("credential_request_denied"))
        told = await accepted(visitor, offered(service, BBS, RATING).link)
        assert "checked: 2" in told
        assert "Rating: nothing of it was kept. The platform says no to this proof." in told


async def test_no_page_waits_for_the_network_of_another(database: Database, tmp_path: Path) -> None:
    async with both(database, tmp_path) as (visitor, service):
        asked, go_on = threading.Event(), threading.Event()

        async def slow(url: str, **arguments: Any) -> Fetched:
            if url.endswith("/credential"):
                asked.set()
                assert await asyncio.to_thread(go_on.wait, 60)
            return await fetch(url, **arguments)

        visitor.wallet.desk.ask = slow
        where = await brought(visitor, offered(service, BBS).link)
        await visitor.post(where, {"copies": "2"})
        assert await asyncio.to_thread(asked.wait, 60)
        assert "nothing in your wallet yet" in await said(visitor, "/")
        assert (await visitor.post("/keys", {"count": "1"}))[0] == 200  # and may change the vault
        await visitor.post("/lock", {})
        await visitor.post("/unlock", {"passphrase": PASSPHRASE})
        go_on.set()
        visitor.wallet.desk.ask = fetch
        told = await said(visitor, "/renew")
        assert "Earnings: it has not come yet." in told
        assert "New copies, checked: 2" in await renewed(visitor)
        assert "Earnings" in await said(visitor, "/")


async def test_an_offer_that_is_interrupted_says_where_it_goes_on(database: Database, tmp_path: Path) -> None:
    async with both(database, tmp_path) as (visitor, service):
        visitor.wallet.desk.ask = For(BBS, lambda _: Fetched(503, {}, b""))
        told = await accepted(visitor, offered(service, BBS).link)
        assert "503" in told
        assert "Your offer is used, but nothing is lost" in told
        visitor.wallet.desk.ask = fetch
        assert "New copies, checked: 2" in await renewed(visitor)


# ---- coming back -----------------------------------------------------------------------------------------------------


async def renewed(visitor: Visitor, **fields: str) -> str:
    status, text, headers = await visitor.post("/renew", fields)
    assert status == 303, text
    return await said(visitor, headers["Location"])


async def test_what_ends_soon_is_seen_first_and_then_fetched(database: Database, tmp_path: Path) -> None:
    async with both(database, tmp_path) as (visitor, service):
        assert "No platform has given this wallet anything" in await said(visitor, "/renew")
        await accepted(visitor, offered(service, BBS).link)
        assert "Nothing to do." in await said(visitor, "/renew")
        assert "Fetch now" not in await said(visitor, "/renew")
        assert "Earnings: it ends soon." in await said(visitor, "/renew?days=365")
        assert (await said(visitor, "/renew?days=366")).startswith("400")
        service.clock.forward(days=30)
        asked = len(visitor.wallet.desk.under_way)
        told = await said(visitor, "/renew?lang=fr")
        assert ("la fin approche." in told, len(visitor.wallet.desk.under_way)) == (True, asked)
        told = await renewed(visitor)
        assert "Nouvelles copies, vérifiées" in told
        assert "Anciennes copies retirées" in told
        assert "Rien à faire." in await said(visitor, "/renew")


async def test_all_is_bound_to_new_keys(database: Database, tmp_path: Path) -> None:
    async with both(database, tmp_path) as (visitor, service):
        await accepted(visitor, offered(service, BBS).link)
        old = await visitor.wallet.desk.box.use(lambda shelf: {one.holder for one in shelf.copies()})
        assert "Earnings: new copies for new keys." in await said(visitor, "/renew?rebind=yes")
        assert "New copies, checked: 2" in await renewed(visitor, rebind="yes")
        new = await visitor.wallet.desk.box.use(lambda shelf: {one.holder for one in shelf.copies()})
        assert (len(new), new & old) == (2, set())


async def test_what_was_promised_and_then_denied_is_told_once(database: Database, tmp_path: Path) -> None:
    async with both(database, tmp_path, hold=("Rating",)) as (visitor, service):
        told = await accepted(visitor, offered(service, BBS, RATING).link)
        assert "The platform has to approve this first: Rating." in told
        assert "Rating: the platform has not decided yet. It wants to be asked again on" in await said(
            visitor, "/renew"
        )
        service.clock.forward(hours=2)
        assert "Rating: the platform may have decided by now." in await said(visitor, "/renew")
        assert "Rating: the platform has still not decided." in await renewed(visitor)
        settle(database, "denied")
        service.clock.forward(hours=2)
        assert "Rating: nothing of it was kept. The platform says no to this proof." in await renewed(visitor)
        assert "Nothing to do." in await said(visitor, "/renew")
        assert await visitor.wallet.desk.box.use(lambda shelf: promises(shelf.vault)) == ()


async def test_a_platform_that_is_gone(database: Database, tmp_path: Path) -> None:
    async with both(database, tmp_path) as (visitor, service):
        await accepted(visitor, offered(service, BBS).link)
        service.clock.forward(days=30)
        visitor.wallet.desk.ask = For("", lambda _: Fetched(503, {}, b""))
        told = await renewed(visitor)
        assert "The platform has a problem. Try again later. What you have stays as it is." in told
        assert "2 of 2" in await said(visitor, "/")


# ---- letting go ------------------------------------------------------------------------------------------------------


async def test_a_statement_is_deleted_once_the_worker_agrees_and_does_not_come_back(
    database: Database, tmp_path: Path
) -> None:
    async with both(database, tmp_path) as (visitor, service):
        await accepted(visitor, offered(service, BBS, RATING).link)
        (name,) = re.findall(r'/held/([0-9a-f]{12})">Rating', (await visitor.get("/"))[1])
        asked = await said(visitor, f"/held/{name}/delete")
        assert "all copies of it from this wallet (2), for good" in asked
        assert "Rating" in await said(visitor, "/")
        status, _, headers = await visitor.post(f"/held/{name}/delete", {})
        told = await said(visitor, headers["Location"])
        assert (status, "Rating: deleted, with 2 copies. The platform has been told." in told) == (303, True)
        assert (await visitor.post(f"/held/{name}/delete", {}))[0] == 400
        assert "Rating" not in await said(visitor, "/")
        service.clock.forward(days=30)
        assert "Rating" not in await said(visitor, "/renew")
