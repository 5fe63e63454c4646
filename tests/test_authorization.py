"""The authorization endpoint, pushed requests, and the yes of the person behind a wallet."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from os import urandom
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp.test_utils import TestClient

from issuer import login, words
from issuer.authorization import PUSHED, server_metadata
from issuer.authorization_request import is_redirect_uri
from issuer.config import Config
from issuer.database import Database
from issuer.formats import CONFIGURATIONS
from issuer.keyring import KeyRing
from issuer.keys import create
from issuer.tables import OFFER, SESSION
from tests.authorization_app import BASE, CLIENT, REQUEST, VERIFIER, WALLET, WORKER, Clock, World, query_of, running
from tests.databases import *  # noqa: F403
from tests.form_browser import Page
from vc.errors import Malformed
from vc.keys import P256Key

APP = "eu.wallet://answer"
COOKIE = "__Host-ouvrage-login"


@pytest.fixture(scope="module")
def ring() -> KeyRing:
    return KeyRing.of(create(urandom), secret=urandom(32), at=Clock().now)


@pytest.fixture
async def world(database: Database, ring: KeyRing) -> AsyncIterator[World]:
    async with running(database, ring, replicas=2, development=True, test_login=True) as made:
        yield made


class Person:
    """Somebody with a browser. The issuer is behind https for them, so their cookie is kept here by hand."""

    def __init__(self, client: TestClient[Any, Any]) -> None:
        self.client = client
        self.cookie = ""

    async def ask(self, method: str, path: str, *, lang: str = "en", **more: Any) -> tuple[Page, str]:
        head = {"Accept-Language": lang, **({"Cookie": f"{COOKIE}={self.cookie}"} if self.cookie else {})}
        answer = await self.client.request(method, path, headers=head, allow_redirects=False, **more)
        if COOKIE in answer.cookies:
            kept = answer.cookies[COOKIE]
            assert (kept["httponly"], kept["secure"], kept["samesite"], kept["path"]) == (True, True, "Lax", "/")
            self.cookie = kept.value
        page = Page(path, answer.status, await answer.text(), dict(answer.headers))
        return page, answer.headers.get("Location", "")

    async def log_in(self, location: str, worker: str = WORKER, *, lang: str = "en") -> Page:
        """From where /authorize sends to, up to the question."""
        assert location.startswith(login.TEST), location
        page, _ = await self.ask("GET", location, lang=lang)
        assert page.status == 200
        _, on = await self.ask("POST", login.TEST, data={**page.form[1], "worker": worker})
        assert on.startswith(login.CONSENT), on
        return (await self.ask("GET", on, lang=lang))[0]

    async def decide(self, page: Page, answer: str = "yes") -> str:
        """Yes or no; where it leads to."""
        return (await self.ask("POST", login.CONSENT, data={**page.form[1], "answer": answer}))[1]


async def authorize(person: Person, **form: str) -> tuple[Page, str]:
    return await person.ask("GET", f"/authorize?{urlencode({**REQUEST, **form})}")


async def push(world: World, **form: Any) -> Any:
    headers = form.pop("headers", None)
    answer = await world.client.post("/par", data={**REQUEST, **form}, headers=headers)
    return answer.status, await answer.json()


async def pushed(world: World, **form: str) -> str:
    status, body = await push(world, **form)
    assert (status, body["expires_in"]) == (201, 90)
    return f"/authorize?{urlencode({'client_id': CLIENT, 'request_uri': body['request_uri']})}"


def exchange(code: str, **more: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": WALLET,
        "client_id": CLIENT,
        "code_verifier": VERIFIER,
        **more,
    }


async def code_of(world: World, person: Person | None = None, **form: str) -> str:
    person = person or Person(world.client)
    _, location = await authorize(person, **form)
    back = await person.decide(await person.log_in(location))
    return query_of(back)["code"]


async def test_from_the_request_to_the_tokens(world: World) -> None:
    person = Person(world.client)
    page, location = await person.ask("GET", await pushed(world))
    assert page.status == 303
    question = await person.log_in(location)
    assert "Earnings" in question.text
    back = await person.decide(question)
    assert back.startswith(f"{WALLET}?")
    said = query_of(back)
    assert (said["state"], said["iss"]) == (REQUEST["state"], BASE)
    status, body = await world.token(1, **exchange(said["code"]))
    assert status == 200, body
    assert set(body["scope"].split()) == {"Earnings_bbs-2023", "Rating_sd-jwt"}
    answer = await world.client.post("/whoami", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert (await answer.json())["worker"] == WORKER


async def test_no_is_no(world: World) -> None:
    person = Person(world.client)
    _, location = await authorize(person)
    back = await person.decide(await person.log_in(location), "no")
    assert query_of(back) == {"error": "access_denied", "state": REQUEST["state"], "iss": BASE}


@pytest.mark.parametrize("lang", ["en", "fr"])
async def test_the_question_in_plain_words(world: World, lang: str) -> None:
    person = Person(world.client)
    _, location = await authorize(person, client_id="<b>name", redirect_uri=APP)
    page = await person.log_in(location, lang=lang)
    assert f'<html lang="{lang}">' in page.text
    kind = CONFIGURATIONS["Rating_sd-jwt"].kind
    assert kind.labels[lang] in page.text
    assert "&lt;b&gt;" in page.text
    assert "<script" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' eu.wallet:" in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert "eu.wallet:" in page.text
    # in the other language it is still the same question
    other = re.search(r'href="(\?ticket=[^"]+lang=(?:en|fr))"', page.text)
    assert other is not None


def test_every_phrase_is_there_in_both_languages() -> None:
    used = set(re.findall(r'"(authorize\.[a-z_]+)"', "".join(p.read_text() for p in sources())))
    hints = {f"authorize.{name}_hint" for name in ("stale", "nothing", "elsewhere", "unavailable", "no_login", "wrong")}
    assert len(used) > 10
    for key in used | hints:
        assert words.phrase(key, "en", platform="P", wallet="W") != words.phrase(key, "fr", platform="P", wallet="W")


def sources() -> list[Any]:
    root = Path(login.__file__).parent
    return [*root.glob("login.py"), *root.glob("authorization.py"), *(root / "templates").glob("*.j2")]


# ---- what is good once -----------------------------------------------------------------------------------------------


async def test_a_code_that_comes_again_ends_its_session(world: World) -> None:
    code = await code_of(world)
    status, body = await world.token(**exchange(code))
    assert status == 200
    assert (await world.token(**exchange(code)))[1]["error"] == "invalid_grant"
    answer = await world.client.post("/whoami", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert answer.status == 401


async def test_fifty_with_one_code(world: World) -> None:
    code = await code_of(world)
    answers = await asyncio.gather(*(world.token(step % 2, **exchange(code)) for step in range(50)))
    assert sorted(status for status, _ in answers) == [200] + 49 * [400]


async def test_fifty_with_one_request_uri(world: World) -> None:
    address = await pushed(world)
    answers = await asyncio.gather(*(Person(world.clients[step % 2]).ask("GET", address) for step in range(50)))
    assert sorted(page.status for page, _ in answers) == [303] + 49 * [400]


async def test_fifty_times_yes(world: World) -> None:
    person = Person(world.client)
    _, location = await authorize(person)
    page = await person.log_in(location)
    answers = await asyncio.gather(*(person.decide(page) for _ in range(50)))
    assert len([one for one in answers if one]) == 1
    with world.database.read() as connection:
        assert len(list(connection.execute(SESSION.select()))) == 1


async def test_fifty_with_one_issuer_state(world: World) -> None:
    _, offer = world.offer()
    state = offer["grants"]["authorization_code"]["issuer_state"]
    pages = []
    for _ in range(6):
        person = Person(world.client)
        _, location = await authorize(person, issuer_state=state)
        pages.append((person, await person.log_in(location)))
    backs = await asyncio.gather(*(person.decide(page) for person, page in pages))
    assert sorted("code" in query_of(back) for back in backs) == 5 * [False] + [True]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": "v" * 42}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"redirect_uri": "https://wallet.example/other"}, "invalid_grant"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"client_id": "another"}, "invalid_grant"),
        ({"client_id": ""}, "invalid_grant"),
        ({"scope": "PlatformMembership_sd-jwt"}, "invalid_scope"),
    ],
)
async def test_a_code_in_other_hands(world: World, change: dict[str, str], error: str) -> None:
    code = await code_of(world)
    status, body = await world.token(**exchange(code, **change))
    assert (status, body["error"]) == (400, error)
    assert (await world.token(**exchange(code)))[0] == 200  # its wallet still has it


async def test_a_late_code(world: World) -> None:
    code = await code_of(world)
    world.clock.forward(world.deps.config.code_lifetime)
    assert (await world.token(**exchange(code)))[1]["error"] == "invalid_grant"


async def test_a_late_request_uri(world: World) -> None:
    address = await pushed(world)
    world.clock.forward(90)
    assert (await Person(world.client).ask("GET", address))[0].status == 400


async def test_a_request_uri_of_another_client(world: World) -> None:
    address = await pushed(world)
    assert (await Person(world.client).ask("GET", address.replace("client_id=wallet", "client_id=other")))[
        0
    ].status == 400
    assert (await Person(world.client).ask("GET", address))[0].status == 303


async def test_a_code_bound_to_a_key(world: World) -> None:
    key = P256Key.generate(urandom)
    head = world.proof(key, "/par", nonce=await world.nonce("/par"))
    status, body = await push(world, headers=head)
    assert status == 201
    person = Person(world.client)
    query = urlencode({"client_id": CLIENT, "request_uri": body["request_uri"]})
    _, location = await person.ask("GET", f"/authorize?{query}")
    code = query_of(await person.decide(await person.log_in(location)))["code"]
    assert (await world.token(**exchange(code)))[1]["error"] == "invalid_grant"
    other = world.proof(P256Key.generate(urandom), "/token", nonce=await world.nonce())
    assert (await world.token(headers=other, **exchange(code)))[1]["error"] == "invalid_grant"
    own = world.proof(key, "/token", nonce=await world.nonce())
    assert (await world.token(headers=own, **exchange(code)))[1]["token_type"] == "DPoP"


# ---- requests that are wrong -----------------------------------------------------------------------------------------

WRONG = [
    ({"response_type": ""}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"code_challenge": ""}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"code_challenge_method": ""}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"scope": "openid"}, "invalid_scope"),
    ({"scope": ""}, "invalid_scope"),
    ({"issuer_state": "x"}, "invalid_request"),
    ({"resource": "https://elsewhere.example"}, "invalid_target"),
    ({"request": "ey"}, "request_not_supported"),
    ({"dpop_jkt": "x"}, "invalid_request"),
    ({"authorization_details": "[]"}, "invalid_authorization_details"),
    ({"authorization_details": '[{"type":"openid_credential"}]'}, "invalid_authorization_details"),
]
NOWHERE = [
    {"client_id": ""},
    {"client_id": "c" * 600},
    {"client_id": "\n"},
    {"client_id": "wal\u202elet"},
    {"redirect_uri": ""},
    {"redirect_uri": "https://wallet.example/cb#fragment"},
    {"redirect_uri": "http://wallet.example/cb"},
    {"redirect_uri": "javascript:alert(1)"},
    {"state": "s" * 3000},
]


@pytest.mark.parametrize(("change", "error"), WRONG)
async def test_a_pushed_request_that_is_wrong(world: World, change: dict[str, str], error: str) -> None:
    status, body = await push(world, **change)
    assert (status, body["error"]) == (400, error)


@pytest.mark.parametrize("change", NOWHERE)
async def test_a_pushed_request_with_no_way_back(world: World, change: dict[str, str]) -> None:
    status, body = await push(world, **change)
    assert (status, body["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(("change", "error"), WRONG)
async def test_nobody_is_sent_to_a_web_site_with_an_error(world: World, change: dict[str, str], error: str) -> None:
    page, location = await authorize(Person(world.client), **change)
    assert (page.status, location) == (400, "")
    assert error in page.text
    assert page.headers["Content-Type"].startswith("text/html")
    _, location = await authorize(Person(world.client), redirect_uri=APP, **change)
    assert location.startswith(f"{APP}?")
    assert query_of(location)["error"] == error
    assert query_of(location)["state"] == REQUEST["state"]
    assert query_of(location)["iss"] == BASE


@pytest.mark.parametrize("change", NOWHERE)
async def test_nobody_is_sent_to_where_nobody_may_be_sent(world: World, change: dict[str, str]) -> None:
    page, location = await authorize(Person(world.client), **change)
    assert (page.status, location) == (400, "")
    for value in change.values():
        assert not value or f'href="{value}' not in page.text


async def test_a_parameter_twice_or_too_long(world: World) -> None:
    query = f"{urlencode(REQUEST)}&state=another"
    assert (await Person(world.client).ask("GET", f"/authorize?{query}"))[0].status == 400
    answer = await world.client.post("/par", data=query, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert (answer.status, (await answer.json())["error"]) == (400, "invalid_request")
    assert (await push(world, issuer_state="x" * 70_000))[0] == 413
    assert (await push(world, request_uri=f"{PUSHED}x"))[1]["error"] == "invalid_request"
    for uri in ("x", PUSHED, f"{PUSHED}x", "https://wallet.example/request"):
        query = urlencode({**REQUEST, "request_uri": uri})
        assert (await Person(world.client).ask("GET", f"/authorize?{query}"))[0].status == 400


@pytest.mark.parametrize(
    ("uri", "right"),
    [
        ("https://wallet.example/cb", True),
        ("https://wallet.example:8443/cb?a=b", True),
        ("https://[2001:db8::1]/cb", True),
        ("http://127.0.0.1:7777/cb", True),
        ("http://[::1]:7777/cb", True),
        ("http://localhost/cb", True),
        ("eu.wallet:/cb", True),
        ("eudi-openid4ci://authorize", True),
        ("", False),
        ("https://", False),
        ("https:wallet.example", False),
        ("https:///cb", False),
        ("https://wallet.example/cb#", False),
        ("https://user@wallet.example/cb", False),
        ("https://wallet.example;script-src *", False),
        ("https://wallet.example;x/cb", False),
        ("https://wallet.example:99999999/cb", False),
        ("https://wallet.example\\@evil.example/cb", False),
        ("https://wället.example/cb", False),
        ("https://wallet.example/c b", False),
        ("https://wallet.example/\r\nX: y", False),
        ("HTTPS://wallet.example/cb", False),
        ("http://127.0.0.1.evil.example/cb", False),
        ("http://wallet.example/cb", False),
        ("//wallet.example/cb", False),
        ("/cb", False),
        ("cb", False),
        ("JavaScript:alert(1)", False),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("intent://x", False),
        ("a:", False),
        ("https://wallet.example/" + "a" * 3000, False),
    ],
)
def test_where_a_wallet_may_be(uri: str, right: bool) -> None:
    assert is_redirect_uri(uri) is right


# ---- one browser, one person -----------------------------------------------------------------------------------------


async def test_every_step_is_for_the_browser_that_began(world: World) -> None:
    person, other = Person(world.client), Person(world.client)
    _, location = await authorize(person)
    await authorize(other)
    assert other.cookie != person.cookie
    for stranger in (other, Person(world.client)):
        assert (await stranger.ask("GET", location))[0].status == 400
    page, _ = await person.ask("GET", location)
    assert (await other.ask("POST", login.TEST, data={**page.form[1], "worker": WORKER}))[0].status == 400
    question = await person.log_in(location)
    for stranger in (other, Person(world.client)):
        answer, to = await stranger.ask("POST", login.CONSENT, data={**question.form[1], "answer": "yes"})
        assert (answer.status, to) == (400, "")
    assert "code" in query_of(await person.decide(question))


async def test_a_step_is_not_taken_for_another(world: World) -> None:
    person = Person(world.client)
    _, location = await authorize(person)
    ticket = location.partition("=")[2]
    assert (await person.ask("GET", f"{login.CONSENT}?ticket={ticket}"))[0].status == 400
    assert (await person.ask("POST", login.CONSENT, data={"ticket": ticket, "answer": "yes"}))[0].status == 400
    assert (await person.ask("GET", f"{login.CALLBACK}?state={ticket}&code=x"))[0].status == 400
    assert (await person.log_in(location)).status == 200


async def test_a_login_and_an_answer_are_good_once_and_not_for_long(world: World) -> None:
    person = Person(world.client)
    _, location = await authorize(person)
    page, _ = await person.ask("GET", location)
    question = await person.log_in(location)
    assert (await person.ask("POST", login.TEST, data={**page.form[1], "worker": "worker-2"}))[0].status == 400
    assert (await person.ask("POST", login.CONSENT, data={**question.form[1], "answer": "maybe"}))[0].status == 400
    world.clock.forward(login.LIFETIME)
    assert await person.decide(question) == ""


@pytest.mark.parametrize("worker", ["", " ", "w" * 5000, "a\x00b"])
async def test_a_test_login_of_nobody(world: World, worker: str) -> None:
    person = Person(world.client)
    _, location = await authorize(person)
    page, _ = await person.ask("GET", location)
    answer, to = await person.ask("POST", login.TEST, data={**page.form[1], "worker": worker})
    assert (answer.status, to) == (400, "")
    assert "aria-invalid" in answer.text


@pytest.mark.parametrize("settings", [{"development": False}, {"test_login": False}])
async def test_the_test_login_is_for_development(world: World, settings: dict[str, bool]) -> None:
    person = Person(world.client)
    _, location = await authorize(person)
    page, _ = await person.ask("GET", location)
    world.change(**settings)
    assert (await person.ask("GET", location))[0].status == 404
    assert (await person.ask("POST", login.TEST, data={**page.form[1], "worker": WORKER}))[0].status == 404
    assert (await authorize(person))[0].status == 403
    assert (await push(world))[1]["error"] == "unauthorized_client"
    assert "authorization_endpoint" not in server_metadata(world.deps.config)


def test_the_test_login_does_not_start_elsewhere() -> None:
    with pytest.raises(Malformed) as caught:
        Config.load(None, base=BASE, test_login=True)
    assert caught.value.code == "TEST_LOGIN"


# ---- what there is to hand over --------------------------------------------------------------------------------------


async def test_an_offer_goes_on_behind_the_login(world: World) -> None:
    made, offer = world.offer(types=("Rating",))
    state = offer["grants"]["authorization_code"]["issuer_state"]
    person = Person(world.client)
    _, location = await authorize(person, issuer_state=state, scope="")
    code = query_of(await person.decide(await person.log_in(location)))["code"]
    body = (await world.token(**exchange(code)))[1]
    assert set(body["scope"].split()) == set(made.configurations)
    with world.database.read() as connection:
        (row,) = connection.execute(OFFER.select())
    assert row.state == "claimed"
    assert (await authorize(Person(world.client), issuer_state=state))[0].status == 400


async def test_an_offer_opens_nothing_that_is_not_in_it(world: World) -> None:
    _, offer = world.offer(types=("Rating",))
    state = offer["grants"]["authorization_code"]["issuer_state"]
    page, _ = await authorize(Person(world.client), issuer_state=state, scope="Earnings_sd-jwt")
    assert (page.status, "invalid_scope" in page.text) == (400, True)
    code = await code_of(world, issuer_state=state)  # which asks for Earnings, too
    assert (await world.token(**exchange(code)))[1]["scope"] == "Rating_sd-jwt"


async def test_an_offer_of_somebody_else(world: World) -> None:
    _, offer = world.offer(worker="worker-2")
    person = Person(world.client)
    _, location = await authorize(person, issuer_state=offer["grants"]["authorization_code"]["issuer_state"])
    page = await person.log_in(location, WORKER)
    assert page.status == 403
    assert "another account" in page.text
    with world.database.read() as connection:
        assert connection.execute(OFFER.select()).one().state == "offered"


async def test_somebody_without_statements(world: World) -> None:
    person = Person(world.client)
    _, location = await authorize(person)
    page = await person.log_in(location, "nobody")
    assert page.status == 403
    assert "access_denied" in page.text


async def test_authorization_details_are_answered_with_identifiers(world: World) -> None:
    asked = [{"type": "openid_credential", "credential_configuration_id": "Rating_sd-jwt"}]
    code = await code_of(world, scope="", authorization_details=json.dumps(asked))
    body = (await world.token(**exchange(code)))[1]
    (detail,) = body["authorization_details"]
    assert detail["credential_configuration_id"] == "Rating_sd-jwt"
    assert len(detail["credential_identifiers"]) == 1


# ---- what the server says of itself ----------------------------------------------------------------------------------


def test_metadata() -> None:
    config = Config(base=BASE, development=True, test_login=True)
    said = server_metadata(config)
    assert said["issuer"] == BASE
    assert said["pre-authorized_grant_anonymous_access_supported"] is True
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert said["token_endpoint_auth_methods_supported"] == ["none"]
    strict = server_metadata(replace(config, haip=True))
    assert strict["require_pushed_authorization_requests"] is True
    assert strict["pre-authorized_grant_anonymous_access_supported"] is False
    assert strict["token_endpoint_auth_methods_supported"] == ["attest_jwt_client_auth"]


async def test_in_haip_a_request_is_pushed(world: World) -> None:
    world.change(haip=True)
    assert (await authorize(Person(world.client)))[0].status == 400
    status, body = await push(world)
    assert (status, body["error"]) == (401, "invalid_client")
