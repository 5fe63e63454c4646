"""Fetching from an address that somebody else chose: only where it may go, and never more than was asked for."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from vc.errors import Malformed, Undetermined, VcError
from vc.io import fetch as module
from vc.io.fetch import Fetched, fetch, may_connect
from vc.io.tls import self_signed

FORBIDDEN = [
    "0.0.0.0",
    "0.1.2.3",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"]
# What even an operator cannot mean: metadata of clouds, groups, nobody.
NEVER = {
    "0.0.0.0",
    "100.100.100.200",
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "224.0.0.1",
    "::",
    "fe80::1",
    "fe80::1%1",
    "ff02::1",
    "fd00:ec2::254",
}
OWN = {"10.1.2.3", "100.64.0.1", "127.0.0.1", "172.16.0.1", "192.168.1.1", "::1", "::ffff:10.0.0.1", "fc00::1"}


def at(*addresses: str) -> Callable[[str, int], Awaitable[list[str]]]:
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        assert len(asked) == 1, "a host is resolved once"
        return list(addresses)

    return resolve


@pytest.mark.parametrize("address", FORBIDDEN)
def test_addresses_that_must_not_be_asked(address: str) -> None:
    assert not may_connect(address, private=False)
    if address in NEVER:
        assert not may_connect(address, private=True)
    if address in OWN:
        assert may_connect(address, private=True)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_internet(address: str) -> None:
    assert may_connect(address, private=False)


@pytest.mark.parametrize("address", FORBIDDEN)
async def test_a_name_at_a_forbidden_address_is_not_asked(address: str) -> None:
    with pytest.raises(Malformed) as caught:
        await fetch("https://hook.example/", limit=10, resolve=at(address))
    assert caught.value.code == "FORBIDDEN_ADDRESS"


async def test_one_forbidden_address_among_public_ones_is_enough() -> None:
    with pytest.raises(Malformed) as caught:
        await fetch("https://hook.example/", limit=10, resolve=at("1.1.1.1", "10.0.0.1"))
    assert caught.value.code == "FORBIDDEN_ADDRESS"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]", "localhost"]
)
async def test_other_spellings_of_this_machine(host: str, served: "Served") -> None:
    with pytest.raises(VcError) as caught:
        await fetch(f"https://{host}:{served.port}/", limit=10)
    assert caught.value.code in ("FORBIDDEN_ADDRESS", "FETCH")  # refused, or no name of anybody
    assert served.seen == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "http://example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://user@example.org/",
        "https://user:secret@example.org/",
        "https://example.org:99999/",
        "https://[::1",
        "https://example.org/" + "a" * 3000,
        "//example.org/",
    ],
)
async def test_not_a_url_to_fetch(url: str) -> None:
    with pytest.raises(Malformed) as caught:
        await fetch(url, limit=10, resolve=at("1.1.1.1"))
    assert caught.value.code == "BAD_URL"
    assert "secret" not in str(caught.value)


async def test_plain_http_is_for_this_machine() -> None:
    with pytest.raises(Malformed) as caught:
        await fetch("http://hook.example/", limit=10, private=True, resolve=at("10.0.0.1"))
    assert caught.value.code == "FORBIDDEN_ADDRESS"


async def test_a_name_without_addresses() -> None:
    with pytest.raises(Undetermined):
        await fetch("https://hook.example/", limit=10, resolve=at())


class Served:
    """A server that misbehaves on request."""

    def __init__(self) -> None:
        self.seen: list[web.Request] = []
        self.held = asyncio.Event()
        self.port = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        match request.path:
            case "/redirect":
                raise web.HTTPFound("/elsewhere", headers={"Set-Cookie": "a=b"})
            case "/slow":
                await self.held.wait()
            case "/endless":
                response = web.StreamResponse()
                await response.prepare(request)
                while True:
                    await response.write(b"x" * 1024)
            case "/zipped":
                zipped = web.Response(body=b"0" * 100_000, headers={"Set-Cookie": "a=b"})
                zipped.enable_compression(web.ContentCoding.gzip)
                return zipped
            case "/post":
                return web.Response(body=await request.read(), status=202, headers={"X-Told": "yes"})
        return web.Response(text="hello")

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    served = Served()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", served.answer)
    server = TestServer(app)
    await server.start_server(shutdown_timeout=0.1)
    served.port = int(server.port or 0)
    yield served
    served.held.set()
    await server.close()


async def ask(url: str, **more: Any) -> Fetched:
    return await fetch(url, **{"limit": 2000, "private": True, **more})


async def test_an_answer(served: Served) -> None:
    answer = await ask(served.url("/post"), method="POST", body=b"{}", headers={"Content-Type": "application/json"})
    assert (answer.status, answer.body, answer.headers["x-told"]) == (202, b"{}", "yes")
    assert served.seen[0].headers["Content-Type"] == "application/json"
    assert served.seen[0].headers["Host"] == f"127.0.0.1:{served.port}"


async def test_a_name_keeps_its_name_and_goes_where_it_was_checked(served: Served) -> None:
    url = f"http://hook.example:{served.port}/"
    assert (await ask(url, resolve=at("127.0.0.1"))).body == b"hello"
    assert served.seen[0].headers["Host"] == f"hook.example:{served.port}"


async def test_a_redirect_is_an_answer_like_any_other(served: Served) -> None:
    answer = await ask(served.url("/redirect"))
    assert (answer.status, answer.headers["location"]) == (302, "/elsewhere")
    assert [one.path for one in served.seen] == ["/redirect"]
    await ask(served.url("/"))
    assert "Cookie" not in served.seen[-1].headers


async def test_a_slow_server(served: Served) -> None:
    with pytest.raises(Undetermined) as caught:
        await ask(served.url("/slow"), timeout=0.05)
    assert caught.value.code == "FETCH_TIMEOUT"


async def test_a_slow_name() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    with pytest.raises(Undetermined) as caught:
        await fetch("https://hook.example/", limit=10, timeout=0.05, resolve=resolve)
    assert caught.value.code == "FETCH_TIMEOUT"


async def test_an_endless_answer(served: Served) -> None:
    with pytest.raises(Malformed) as caught:
        await ask(served.url("/endless"))
    assert caught.value.code == "TOO_LARGE"


async def test_an_answer_of_exactly_the_limit(served: Served) -> None:
    assert (await ask(served.url("/"), limit=5)).body == b"hello"
    with pytest.raises(Malformed):
        await ask(served.url("/"), limit=4)


async def test_nothing_is_unpacked(served: Served) -> None:
    answer = await ask(served.url("/zipped"), limit=200_000)
    assert answer.headers.get("content-encoding", "identity") == "identity" or len(answer.body) < 2000


async def test_a_header_with_a_line_break(served: Served) -> None:
    with pytest.raises(Malformed):
        await ask(served.url("/"), headers={"X-A": "1\r\nX-B: 2"})
    assert served.seen == []


async def test_a_port_where_nobody_listens(served: Served) -> None:
    with pytest.raises(Undetermined) as caught:
        await ask("http://127.0.0.1:1/")
    assert caught.value.code == "FETCH"


async def test_a_certificate_that_nobody_vouches_for(monkeypatch: pytest.MonkeyPatch) -> None:
    app = web.Application()
    app.router.add_get("/", Served().answer)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=self_signed("hook.example", at=datetime.now(UTC)))
    url = f"https://hook.example:{server.port}/"
    with pytest.raises(Undetermined):
        await ask(url, resolve=at("127.0.0.1"))
    held = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", int(server.port or 0)))
    context = ssl.create_default_context(cadata=held)
    monkeypatch.setattr(module, "_tls", lambda: context)
    assert (await ask(url, resolve=at("127.0.0.1"))).body == b"hello"
    with pytest.raises(Undetermined):
        await ask(url.replace("hook", "other"), resolve=at("127.0.0.1"))
    await server.close()
