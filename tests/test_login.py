"""The platform's own login: a real OpenID Provider behind the authorization endpoint, and one that lies."""

import asyncio
import json
import shutil
import socket
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from os import urandom
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from issuer import login as login_module
from issuer.config import Login
from issuer.database import Database
from issuer.keyring import KeyRing
from issuer.keys import create
from issuer.upstream import verify_id_token
from tests.authorization_app import REQUEST, VERIFIER, WALLET, WORKER, Clock, World, query_of, running
from tests.databases import *  # noqa: F403
from tests.form_browser import Browser, Page, new_session
from vc.errors import Malformed, Rejected, VcError
from vc.multibase import encode_base64url

NPM = Path(__file__).with_name("npm")
SECRET = "of-this-test,and-of-no-other:&+%"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


@asynccontextmanager
async def provider(job: Mapping[str, str]) -> AsyncIterator[str]:
    """oidc-provider on a free port of this machine; its issuer."""
    node = shutil.which("node")
    if node is None or not (NPM / "node_modules" / "oidc-provider").exists():
        pytest.skip("needs node, and: npm ci in tests/npm")
    process = await asyncio.create_subprocess_exec(
        node,
        "--preserve-symlinks",  # the packages may be linked in from elsewhere
        "login.mjs",
        cwd=NPM,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(dict(job)).encode() + b"\n")
        await process.stdin.drain()
        yield json.loads(await process.stdout.readline())["issuer"]
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def behind(database: Database, login: Login, port: int) -> AsyncIterator[World]:
    ring = KeyRing.of(create(urandom), secret=urandom(32), at=Clock().now)
    async with running(database, ring, port=port, base=f"http://127.0.0.1:{port}", login=login) as world:
        world.clock.now = now()
        yield world


def now() -> Any:
    return datetime.now(UTC)


async def log_in(browser: Browser, base: str, worker: str) -> Page:
    """Through the provider's own pages, up to our question."""
    page = await browser.open(f"{base}/authorize?{urlencode(REQUEST)}")
    assert 'name="login"' in page.text, page.text
    page = await browser.send(page, login=worker, password="any")
    assert 'value="consent"' in page.text
    return await browser.send(page)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", ""])
async def test_a_real_provider(database: Database, method: str) -> None:
    port = free_port()
    secret = SECRET if method else ""
    job = {
        "client": "issuer",
        "secret": secret,
        "method": method,
        "redirect": f"http://127.0.0.1:{port}/login/callback",
    }
    async with provider(job) as issuer:
        given = Login(issuer, "issuer", secret, worker_claim="worker_number", private_address=True)
        async with behind(database, given, port) as world, new_session() as session:
            base = world.deps.config.base
            browser = Browser(session, frozenset({urlsplit(issuer).netloc, urlsplit(base).netloc}))
            page = await log_in(browser, base, WORKER)
            assert page.url.startswith(f"{base}/login/consent?")
            assert (page.status, page.headers["Cache-Control"]) == (200, "no-store")
            await browser.send(page, answer="yes")
            said = query_of(browser.left_for)
            assert browser.left_for.startswith(WALLET)
            status, body = await world.token(
                grant_type="authorization_code",
                code=said["code"],
                code_verifier=VERIFIER,
                redirect_uri=WALLET,
                client_id=REQUEST["client_id"],
            )
            assert status == 200, body
            # the way back cannot be gone twice, nor by somebody else
            (callback,) = [one for one in browser.seen if one.startswith(f"{base}/login/callback?")]
            assert (await browser.open(callback)).status == 400
            async with new_session() as other:
                assert (await Browser(other, browser.hosts).open(callback)).status == 400


async def test_somebody_who_gives_up(database: Database) -> None:
    port = free_port()
    job = {"client": "issuer", "redirect": f"http://127.0.0.1:{port}/login/callback"}
    async with provider(job) as issuer:
        given = Login(issuer, "issuer", private_address=True)
        async with behind(database, given, port) as world, new_session() as session:
            base = world.deps.config.base
            browser = Browser(session, frozenset({urlsplit(issuer).netloc, urlsplit(base).netloc}))
            page = await browser.open(f"{base}/authorize?{urlencode(REQUEST)}")
            abort = page.url.rstrip("/") + "/abort"
            await browser.open(abort)
            assert query_of(browser.left_for)["error"] == "access_denied"


# ---- a provider that lies --------------------------------------------------------------------------------------------

RSA = RSAKey.generate_key(2048, {"kid": "1", "use": "sig"}, private=True)
EC = ECKey.generate_key("P-256", {"kid": "2"}, private=True)


@dataclass
class Liar:
    """A provider that answers as it is told. ``change`` is of the claims of its ID tokens, ``document`` of what it
    says of itself."""

    change: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    answer: Any = None
    issuer: str = ""
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    nonce: str = ""

    async def discovery(self, _request: web.Request) -> web.Response:
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
        }
        return web.json_response({**said, **self.document})

    async def token(self, request: web.Request) -> web.Response:
        self.asked.append(parse_qs(await request.text()))
        self.secrets.append(request.headers.get("Authorization", ""))
        if self.answer is not None:
            return web.Response(**self.answer)
        return web.json_response({"id_token": signed(claims(self.issuer, self.nonce) | self.change)})

    async def jwks(self, _request: web.Request) -> web.Response:
        return web.json_response(KEYS)


KEYS: dict[str, Any] = {
    "keys": [{"kty": "XX"}, "nonsense", RSA.as_dict(private=False), EC.as_dict(private=False)],
}


def claims(issuer: str, nonce: str) -> dict[str, Any]:
    at = int(now().timestamp())
    return {"iss": issuer, "aud": "issuer", "sub": WORKER, "exp": at + 60, "iat": at, "nonce": nonce}


def signed(body: Mapping[str, Any], *, alg: str = "RS256", key: Any = RSA, kid: str | None = "1") -> str:
    head = {"alg": alg, **({"kid": kid} if kid else {})}
    return jwt.encode(head, {name: value for name, value in body.items() if value is not None}, key, algorithms=[alg])


@asynccontextmanager
async def lied_to(database: Database, liar: Liar) -> AsyncIterator[tuple[World, Browser, str]]:
    """The world, a browser that comes back from the liar's page, and the address of the way back with its state."""
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", liar.discovery)
    app.router.add_post("/token", liar.token)
    app.router.add_get("/jwks", liar.jwks)
    server = TestServer(app)
    await server.start_server()
    liar.issuer = f"http://127.0.0.1:{server.port}"
    port = free_port()
    given = Login(liar.issuer, "issuer", SECRET, private_address=True)
    try:
        async with behind(database, given, port) as world, new_session() as session:
            base = world.deps.config.base
            browser = Browser(session, frozenset({urlsplit(base).netloc}))
            page = await browser.open(f"{base}/authorize?{urlencode(REQUEST)}")
            if not browser.left_for:
                yield world, browser, str(page.status)
                return
            said = query_of(browser.left_for)
            assert (said["response_type"], said["code_challenge_method"]) == ("code", "S256")
            liar.nonce = said["nonce"]
            yield world, browser, f"{base}/login/callback?state={said['state']}"
    finally:
        await server.close()


async def test_a_provider_that_does_not_lie(database: Database) -> None:
    liar = Liar()
    async with lied_to(database, liar) as (_, browser, back):
        page = await browser.open(f"{back}&code=c&iss={liar.issuer}")
        assert page.status == 200
        assert "login/consent" in page.url
        (form,) = liar.asked
        assert form["code"] == ["c"]
        assert len(form["code_verifier"][0]) == 43
        assert "client_secret" not in form
        name, _, sent = b64decode(liar.secrets[0].removeprefix("Basic ")).decode().partition(":")
        assert (name, parse_qs(f"s={sent}")["s"][0]) == ("issuer", SECRET)


@pytest.mark.parametrize(
    "liar",
    [
        Liar(change={"nonce": "another"}),
        Liar(change={"aud": "another"}),
        Liar(answer={"status": 400, "text": '{"error":"invalid_grant"}'}),
        Liar(answer={"text": "not JSON"}),
        Liar(answer={"text": "{}"}),
        Liar(answer={"text": '{"id_token":7}'}),
        Liar(answer={"body": b"x" * 300_000}),
        Liar(document={"token_endpoint": "http://169.254.169.254/token"}),
        Liar(document={"jwks_uri": "file:///etc/passwd"}),
    ],
    ids=lambda liar: str(liar.change or liar.document or str(liar.answer)[:30]),
)
async def test_who_it_is_is_not_known(database: Database, liar: Liar) -> None:
    async with lied_to(database, liar) as (_, browser, back):
        page = await browser.open(f"{back}&code=c")
        assert page.status == 502
        assert WORKER not in page.text
        assert browser.left_for == "" or "login/callback" not in browser.left_for
        assert (await browser.open(f"{back}&code=c")).status == 400  # used


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": 7},
    ],
)
async def test_a_login_that_is_not_what_it_should_be(database: Database, document: dict[str, Any]) -> None:
    async with lied_to(database, Liar(document=document)) as (_, browser, status):
        assert status == "503"
        assert browser.left_for == ""


async def test_an_answer_of_another_provider(database: Database) -> None:
    liar = Liar()
    async with lied_to(database, liar) as (_, browser, back):
        assert (await browser.open(f"{back}&code=c&iss=https://elsewhere.example")).status == 400
        assert liar.asked == []  # the code was sent to nobody


async def test_a_way_back_that_is_late_or_made_up(database: Database) -> None:
    liar = Liar()
    async with lied_to(database, liar) as (world, browser, back):
        base = world.deps.config.base
        for query in ("", "?state=", "?state=x&code=c", "?code=c", "?state=a&state=b&code=c"):
            assert (await browser.open(f"{base}/login/callback{query}")).status == 400
        world.clock.forward(login_module.LIFETIME)
        assert (await browser.open(f"{back}&code=c")).status == 400
        assert liar.asked == []


# ---- ID tokens -------------------------------------------------------------------------------------------------------

LOGIN = Login("https://login.example", "issuer")


def verified(text: str, keys: Mapping[str, Any] = KEYS, login: Login = LOGIN) -> str:
    return verify_id_token(text, keys, login=login, nonce="n", now=int(now().timestamp()))


@pytest.mark.parametrize(("alg", "key", "kid"), [("RS256", RSA, "1"), ("PS256", RSA, None), ("ES256", EC, "2")])
def test_an_id_token(alg: str, key: Any, kid: str | None) -> None:
    assert verified(signed(claims("https://login.example", "n"), alg=alg, key=key, kid=kid)) == WORKER


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"aud": ["issuer", "another"]},
        {"aud": ["issuer"], "azp": "another"},
        {"exp": 1},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": True},
        {"iat": 1},
        {"iat": None},
        {"iat": 9_999_999_999},
        {"nonce": "another"},
        {"nonce": None},
    ],
)
def test_an_id_token_that_says_something_else(change: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as caught:
        verified(signed({**claims("https://login.example", "n"), **change}))
    assert caught.value.code == "BAD_ID_TOKEN"


@pytest.mark.parametrize("value", [None, "", "w" * 5000, True, 1.5, ["a"], "a\x00b"])
def test_a_claim_that_names_nobody(value: Any) -> None:
    with pytest.raises(Malformed):
        verified(signed({**claims("https://login.example", "n"), "sub": value}))


def test_a_number_is_an_id() -> None:
    made = signed({**claims("https://login.example", "n"), "number": 4711})
    assert verified(made, login=Login("https://login.example", "issuer", worker_claim="number")) == "4711"


def test_an_id_token_that_another_key_has_signed() -> None:
    body = claims("https://login.example", "n")
    other = RSAKey.generate_key(2048, private=True)
    secret = OctKey.import_key(json.dumps(RSA.as_dict(private=False)))
    unsigned = f"{jwt_part({'alg': 'none'})}.{jwt_part(body)}."
    for text in (
        signed(body, key=other),
        signed(body, alg="HS256", key=secret),
        signed(body, alg="ES256", key=EC, kid="1"),
        unsigned,
        "",
        "a.b",
        "a.b.c",
        "x" * 40_000,
        signed(body)[:-8] + "AAAAAAAA",
    ):
        with pytest.raises(VcError):
            verified(text)
    with pytest.raises(VcError):
        verified(signed(body), {"keys": []})
    with pytest.raises(VcError):
        verified(signed(body), {})


def jwt_part(value: Mapping[str, Any]) -> str:
    return encode_base64url(json.dumps(value).encode())
