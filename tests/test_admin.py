"""The admin page as HTTP: who gets in, what a form of another site can do, and what each action does."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from issuer import admin_session
from issuer.admin_session import COOKIE, LIFETIME, TRIES_ALL, TRIES_HERE, WINDOW, log_in, set_password
from issuer.database import Database
from issuer.deps import Deps
from issuer.offers import is_tx_code
from issuer.pages import POLICY
from issuer.tables import DEFERRAL, DISPUTE, OFFER, SETTING, TICKET
from issuer.words import phrases
from tests.cli import ROOT, ouvrage
from tests.pages_app import AT, PASSWORD, fill, make_app, new_deps
from vc.errors import Malformed

WRONG = "wrong horse battery staple"
ACTIONS = (
    "/admin/logout",
    "/admin/offers",
    "/admin/offers/withdraw",
    "/admin/requests",
    "/admin/disputes",
    "/admin/disputes/close",
)
PAGES = ("/admin", "/admin/offers", "/admin/credentials", "/admin/requests", "/admin/disputes")

Client = TestClient[Any, Any]


@pytest.fixture
async def client(database: Database) -> AsyncIterator[Client]:
    fill(database)
    async with TestClient(
        TestServer(make_app(new_deps(database, base="http://127.0.0.1", metrics_token="of the metrics")))
    ) as client:
        yield client


def hidden(text: str) -> str:
    return text.partition('name="csrf" value="')[2].partition('"')[0]


async def enter(client: Client, password: str = PASSWORD) -> ClientResponse:
    page = await (await client.get("/admin/login")).text()
    form = {"csrf": hidden(page), "password": password}
    return await client.post("/admin/login", data=form, allow_redirects=False)


async def submit(client: Client, path: str, **fields: str) -> ClientResponse:
    """Fill in and send a form, as the browser of somebody who has logged in does."""
    csrf = hidden(await (await client.get("/admin")).text())
    return await client.post(path, data={"csrf": csrf, **fields}, allow_redirects=False)


def rows(database: Database, table: Any, *conditions: Any) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(table.select().where(*conditions)))


async def test_without_the_password_nobody_sees_anything(client: Client) -> None:
    for path in PAGES:
        answer = await client.get(path, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/admin/login")
        assert "worker-1" not in await answer.text()
    for path in ACTIONS:
        assert (await client.post(path, data={"csrf": ""}, allow_redirects=False)).headers["Location"] == "/admin/login"
    refused = await enter(client, WRONG)
    assert refused.status == 403
    assert "This is not the password." in await refused.text()
    assert (await client.get("/admin", allow_redirects=False)).status == 303


async def test_who_has_logged_in_sees_everything_until_they_log_out(client: Client) -> None:
    answer = await enter(client)
    assert (answer.status, answer.headers["Location"]) == (303, "/admin")
    for path in PAGES:
        page = await client.get(path)
        assert page.status == 200
        assert page.headers["Content-Security-Policy"] == POLICY
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
    assert (await submit(client, "/admin/logout")).headers["Location"] == "/admin/login"
    assert (await client.get("/admin", allow_redirects=False)).status == 303


async def test_a_cookie_that_was_kept_is_worthless_after_logging_out(client: Client) -> None:
    await enter(client)
    cookie = client.session.cookie_jar.filter_cookies(client.make_url("/admin"))[COOKIE].value
    await submit(client, "/admin/logout")
    answer = await client.get("/admin", headers={"Cookie": f"{COOKIE}={cookie}"}, allow_redirects=False)
    assert answer.status == 303


async def test_cookies_are_for_this_page_only(database: Database) -> None:
    fill(database)
    deps = new_deps(database, base="https://issuer.example/work")
    async with TestClient(TestServer(make_app(deps))) as client:
        page = await client.get("/work/admin/login")
        csrf, form_cookie = hidden(await page.text()), page.cookies[admin_session.FORM_COOKIE]
        answer = await client.post(
            "/work/admin/login",
            data={"csrf": csrf, "password": PASSWORD},
            headers={"Cookie": f"{admin_session.FORM_COOKIE}={form_cookie.value}"},
            allow_redirects=False,
        )
    assert answer.headers["Location"] == "/work/admin"
    for cookie in (form_cookie, answer.cookies[COOKIE]):
        assert (cookie["path"], cookie["samesite"]) == ("/work/admin", "Strict")
        assert cookie["httponly"]
        assert cookie["secure"]


async def test_a_session_ends_by_itself(database: Database) -> None:
    fill(database)
    deps = new_deps(database, base="http://127.0.0.1")
    cookie = log_in(deps, PASSWORD, "here")
    for moment, status in ((AT + timedelta(seconds=LIFETIME - 1), 200), (AT + timedelta(seconds=LIFETIME), 303)):
        app = make_app(replace(deps, now=partial(datetime.fromtimestamp, moment.timestamp(), UTC)))
        async with TestClient(TestServer(app)) as client:
            answer = await client.get("/admin", headers={"Cookie": f"{COOKIE}={cookie}"}, allow_redirects=False)
            assert answer.status == status


async def test_no_action_without_the_token_of_this_session(client: Client, database: Database) -> None:
    await enter(client)
    other = await client.get("/admin/login")  # a token of another form
    for token in ("", "x", hidden(await other.text())):
        for path in ACTIONS:
            fields = {"csrf": token, "worker": "worker-1", "type": "Earnings", "reason": "no", "id": "waits"}
            answer = await client.post(path, data={**fields, "decision": "approve"}, allow_redirects=False)
            assert answer.status == 403, path
    assert rows(database, OFFER) == rows(database, DISPUTE) == []
    assert [row.decision for row in rows(database, DEFERRAL)] == [None]
    assert (await client.get("/admin")).status == 200  # still logged in
    json = await client.post("/admin/offers", json={"csrf": "x"})
    assert json.status == 415


async def test_a_login_form_of_another_browser_does_not_count(client: Client) -> None:
    foreign = hidden(await (await client.get("/admin/login")).text())
    client.session.cookie_jar.clear()
    answer = await client.post("/admin/login", data={"csrf": foreign, "password": PASSWORD}, allow_redirects=False)
    assert answer.status == 403
    assert COOKIE not in answer.cookies


async def test_passwords_cannot_be_tried_one_after_the_other(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(admin_session, "_is", lambda kept, password: password == PASSWORD)  # spares the hashing
    for _ in range(TRIES_HERE):
        assert (await enter(client, WRONG)).status == 403
    refused = await enter(client)
    assert refused.status == 429  # the right one too: it says nothing
    assert refused.headers["Retry-After"] == str(WINDOW)
    assert "Too many tries" in await refused.text()
    assert COOKIE not in refused.cookies


def test_tries_are_counted_by_address_and_together_for_a_minute(database: Database, monkeypatch: Any) -> None:
    fill(database)
    monkeypatch.setattr(admin_session, "_is", lambda kept, password: password == PASSWORD)
    deps = new_deps(database)

    def tried(address: str, deps: Deps = deps) -> bool:
        try:
            log_in(deps, WRONG, address)
        except web.HTTPTooManyRequests:
            return False
        return True

    assert [tried("a") for _ in range(TRIES_HERE + 1)] == [True] * TRIES_HERE + [False]
    assert tried("b")  # whoever tries in vain locks nobody out elsewhere
    allowed = [tried(f"c{number}") for number in range(TRIES_ALL)]
    assert sum(allowed) == TRIES_ALL - TRIES_HERE - 1
    assert tried("a", replace(deps, now=lambda: AT + timedelta(seconds=WINDOW)))


def test_a_new_password_ends_every_session(database: Database) -> None:
    fill(database)
    deps = new_deps(database)
    assert log_in(deps, PASSWORD, "here")
    with database.write() as connection:
        set_password(connection, "another horse battery")
    assert rows(database, TICKET) == []
    assert log_in(deps, PASSWORD, "here") is None
    assert log_in(deps, "another horse battery", "here")


def test_the_password_is_kept_as_a_slow_hash_only(database: Database) -> None:
    fill(database)
    (row,) = rows(database, SETTING, SETTING.c.name == admin_session.PASSWORD)
    assert row.value.startswith("$argon2id$")
    assert PASSWORD not in row.value
    with database.write() as connection, pytest.raises(Malformed):
        set_password(connection, "short")


def test_one_word_can_be_typed_in_two_ways(database: Database) -> None:
    with database.write() as connection:
        set_password(connection, "une clé très secrète")
    assert log_in(new_deps(database), "une cle\u0301 tre\u0300s secre\u0300te", "here")


async def test_without_a_password_set_the_page_says_how_to_set_one(database: Database) -> None:
    async with TestClient(TestServer(make_app(new_deps(database)))) as client:
        text = await (await client.get("/admin/login")).text()
    assert "ouvrage issuer admin password" in text
    assert 'type="password"' not in text


async def test_an_offer_is_made_and_its_code_is_shown_once(client: Client, database: Database) -> None:
    await enter(client)
    answer = await submit(client, "/admin/offers", worker="worker-1", tx_code="on", **{"type.Earnings": "on"})
    text = await answer.text()
    code = text.partition('id="tx-code">')[2].partition("<")[0]
    (offer,) = rows(database, OFFER)
    assert is_tx_code(code, offer.tx_code)
    assert f"http://127.0.0.1/o/{offer.id}" in text
    assert "<svg" in text
    assert offer.configurations == '["Earnings_bbs-2023", "Earnings_sd-jwt"]'
    for path in PAGES:
        assert code not in await (await client.get(path)).text()


async def test_an_offer_is_taken_back(client: Client, database: Database) -> None:
    await enter(client)
    await submit(client, "/admin/offers", worker="worker-1")
    (offer,) = rows(database, OFFER)
    assert f'name="id" value="{offer.id}"' in await (await client.get("/admin/offers")).text()
    answer = await submit(client, "/admin/offers/withdraw", id=offer.id)
    assert (answer.status, answer.headers["Location"]) == (303, "/admin/offers")
    assert [row.state for row in rows(database, OFFER)] == ["withdrawn"]
    assert offer.id not in await (await client.get("/admin/offers")).text()


async def test_what_an_action_refuses_is_said_on_a_page(client: Client, database: Database) -> None:
    await enter(client)
    unknown = await submit(client, "/admin/offers", worker="<script>nobody</script>")
    text = await unknown.text()
    assert unknown.status == 400
    assert "No statement is about this worker" in text
    assert "<script>" not in text
    assert rows(database, OFFER) == []
    gone = await submit(client, "/admin/requests", id="other", decision="approve")
    assert gone.status == 400
    odd = await submit(client, "/admin/requests", id="waits", decision="perhaps")
    assert odd.status == 400


REFUSED: dict[str, tuple[str, dict[str, str], int, str, str]] = {
    "UNKNOWN_WORKER": ("/admin/offers", {"worker": "nobody"}, 400, "No statement is about", "Aucune attestation ne"),
    "NO_STATEMENT": (
        "/admin/offers",
        {"worker": "worker-1", "type.Review": "on"},
        400,
        "no statement of one of these types",
        "pas d’attestation de l’un de ces types",
    ),
    "UNSUPPORTED": (
        "/admin/offers",
        {"worker": "worker-1", "type.Nothing": "on"},
        400,
        "no such type",
        "Ce type d’attestation n’existe pas",
    ),
    "NO_SUCH_STATEMENT": (
        "/admin/disputes",
        {"worker": "nobody", "type": "Rating", "reason": "wrong"},
        400,
        "no such statement about",
        "pas d’attestation de ce type",
    ),
    "400": ("/admin/disputes", {"worker": "worker-1"}, 400, "Fill in every field", "Remplissez tous les champs"),
    "USAGE": ("/admin/disputes/close", {"outcome": "maybe"}, 400, "choose again", "choisissez à nouveau"),
    "NO_DISPUTE": ("/admin/disputes/close", {"id": "x", "outcome": "upheld"}, 400, "closed already", "déjà close"),
    "OFFER_OVER": ("/admin/offers/withdraw", {"id": "x"}, 400, "too late to take", "trop tard pour retirer"),
    "UNKNOWN_DEFERRAL": (
        "/admin/requests",
        {"id": "x", "decision": "deny"},
        400,
        "decided already",
        "déjà été traitée",
    ),
    "403": ("/admin/offers", {"csrf": "other"}, 403, "before you last logged in", "date d’avant votre dernière"),
    "413": ("/admin/offers", {"worker": "x" * admin_session.MAX_FORM}, 413, "too much text", "trop long"),
}


@pytest.mark.parametrize("code", REFUSED)
async def test_a_refusal_is_said_in_the_language_of_the_page(client: Client, code: str) -> None:
    path, fields, status, english, french = REFUSED[code]
    await enter(client)
    for lang, words in (("en", english), ("fr", french)):
        await client.get(f"/admin?lang={lang}")
        answer = await submit(client, path, **fields)
        text = (await answer.text()).replace("\u00a0", " ").replace("\u202f", " ")
        assert answer.status == status
        assert words in text
        assert f'<html lang="{lang}">' in text
        assert '" lang="en">' not in text  # no passage in another language
        assert "--" not in text.partition("<main")[2]  # no option of a command


def test_every_refusal_that_has_words_is_one_that_there_is() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "issuer").glob("*.py"))
    codes = {name.removeprefix("refused.") for name in phrases() if name.startswith("refused.")}
    assert codes >= set(REFUSED)
    built_in = {"UNSUPPORTED"}  # the default of the class
    assert not {code for code in codes - built_in if not code.isdigit() and f'"{code}"' not in sources}


@pytest.mark.parametrize(("button", "decision"), [("approve", "approved"), ("deny", "denied")])
async def test_a_request_is_decided(client: Client, database: Database, button: str, decision: str) -> None:
    await enter(client)
    assert "Review" in await (await client.get("/admin/requests")).text()
    answer = await submit(client, "/admin/requests", id="waits", decision=button)
    assert (answer.status, answer.headers["Location"]) == (303, "/admin/requests")
    assert [row.decision for row in rows(database, DEFERRAL)] == [decision]
    assert "worker-1" not in await (await client.get("/admin/requests")).text()


async def test_a_dispute_is_opened_and_closed(client: Client, database: Database) -> None:
    await enter(client)
    answer = await submit(client, "/admin/disputes", worker="worker-1", type="Rating", reason="miscount: not me")
    assert answer.status == 303
    (dispute,) = rows(database, DISPUTE)
    text = await (await client.get("/admin/disputes")).text()
    assert "not me" in text
    assert "miscount:" not in text  # the ground is told in words
    closed = await submit(client, "/admin/disputes/close", id=dispute.id, outcome="upheld")
    assert closed.status == 303
    assert [row.outcome for row in rows(database, DISPUTE)] == ["upheld"]
    again = await submit(client, "/admin/disputes/close", id=dispute.id, outcome="upheld")
    assert again.status == 400


async def test_what_people_wrote_cannot_change_a_page(client: Client, database: Database) -> None:
    hostile = '"><img src=x onerror=alert(1)>\u202e{{ 7 * 7 }} {worker}'
    with database.write() as connection:
        connection.execute(DEFERRAL.update().values(worker=hostile, reason=hostile, type="Reply<b>"))
    await enter(client)
    text = await (await client.get("/admin/requests")).text()
    assert "<img" not in text
    assert "\u202e" not in text
    assert "49" not in text.partition("<dl")[2].partition("</dl>")[0]


async def test_the_switch_of_language_is_remembered(client: Client) -> None:
    await enter(client)
    asked = await client.get("/admin", headers={"Accept-Language": "fr-FR,fr;q=0.9,en;q=0.8"})
    assert '<html lang="fr">' in await asked.text()
    await client.get("/admin?lang=fr")
    assert "Vue d’ensemble" in await (await client.get("/admin", headers={"Accept-Language": "en"})).text()
    await client.get("/admin?lang=xx")
    assert "Vue d’ensemble" in await (await client.get("/admin")).text()


async def test_a_form_that_is_too_long_is_not_read(client: Client) -> None:
    await enter(client)
    answer = await submit(client, "/admin/offers", worker="x" * (admin_session.MAX_FORM + 1))
    assert answer.status == 413


async def test_no_log_and_no_metric_names_a_worker(client: Client, caplog: Any) -> None:
    caplog.set_level(0)
    await enter(client)
    offered = await submit(client, "/admin/offers", worker="worker-1")
    page = (await offered.text()).partition("http://127.0.0.1/o/")[2].partition('"')[0]
    await client.get(f"/o/{page}")
    await submit(client, "/admin/disputes", worker="worker-1", type="Rating", reason="worker-1 says no")
    await submit(client, "/admin/offers", worker="worker-1", **{"type.Review": "on"})  # is refused
    metrics = await (await client.get("/metrics", headers={"Authorization": "Bearer of the metrics"})).text()
    lines = "\n".join(
        f"{record.getMessage()} {record.__dict__}" for record in caplog.records if "ouvrage" in record.name
    )
    assert "/admin/offers" in lines
    assert "/admin/offers" in metrics
    for told in (lines, metrics):
        assert "worker-1" not in told
        assert page not in told


def test_the_command_sets_the_password(tmp_path: Path) -> None:
    file = tmp_path / "password.txt"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    assert ouvrage(tmp_path, "issuer", "admin", "password", "--password-file", file, "--json").json == {"set": True}
    with Database.open(tmp_path / "issuer" / "issuer.db") as database:
        assert log_in(new_deps(database), PASSWORD, "here")
    file.write_text("short\n", encoding="utf-8")
    assert ouvrage(tmp_path, "issuer", "admin", "password", "--password-file", file, ok=False).code == 2
    assert ouvrage(tmp_path, "issuer", "admin", "password", ok=False).code == 2  # nobody is there to type it
