"""What nobody should send, to every route of the service: refused in its own words, and never a fault of ours.

Schemathesis asks for what the description says (tests/test_service.py); here are bytes that no schema knows.
"""

import asyncio
import gzip
import io
import json
import logging
import re
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from email.policy import HTTP
from urllib.parse import quote, urlsplit

import pytest

from issuer.database import Database
from issuer.service import ROUTES, mounted
from tests.issuing import BBS, Running, attest, new_keys, running
from vc.io import logs, web
from vc.io.route import Route
from vc.io.web import MAX_BODY
from vc.offer import PRE_AUTHORIZED

CANARY = "worker-canary"  # another worker, of whom nothing may be told
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
IDS = {
    "nul": "%00",
    "nul inside": "a%00b",
    "not utf-8": "%ff%fe",
    "lone surrogate": "%ed%a0%80",
    "path": "..%2f..%2f..%2fetc%2fpasswd",
    "dots": "%2e%2e",
    "windows": "..%5c..%5cboot.ini",
    "long": "a" * 7000,
    "sql": "'%3b%20DROP%20TABLE%20offer%3b--",
    "percent": "%25s%25n%2500",
    "right to left": "%e2%80%ae",
}
BODIES = {
    "nothing": b"",
    "nul": b"\0",
    "nul inside": b'{"notification_id": "\\u0000", "transaction_id": "\\u0000", "event": "credential_accepted"}',
    "nul in an identifier": b'{"credential_identifier": "Earnings_bbs-2023:\\u0000", "proofs": {"jwt": ["a.b.c"]}}',
    "nul in a name": b'{"credential_configuration_id": "\\u0000", "proofs": {"jwt": ["a.b.c"]}}',
    "lone surrogate": b'{"notification_id": "\\ud800", "transaction_id": "\\ud800", "event": "credential_accepted"}',
    "not utf-8": b'{"notification_id": "\xff"}',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"proofs":' * 20_000 + b"1" + b"}" * 20_000,
    "number": b'{"notification_id": ' + b"9" * 100_000 + b"}",
    "infinity": b'{"notification_id": 1e999999, "transaction_id": NaN}',
    "twice": b'{"event": "a", "event": "b"}',
    "wide": b"{" + b",".join(b'"%d":1' % one for one in range(50_000)) + b"}",
    "bom": b"\xef\xbb\xbf{}",
    "form": b"grant_type=refresh_token&refresh_token=%00&client_id=%00",
    "form surrogate": b"grant_type=refresh_token&refresh_token=%ed%a0%80",
    "form nul": b"grant_type=authorization_code&code=a%00b&code_verifier=%00&redirect_uri=%00&client_id=%00&ticket=%00",
    "code nul": f"grant_type={quote(PRE_AUTHORIZED)}&pre-authorized_code=%00&tx_code=%00&client_id=x".encode(),
    "form twice": b"grant_type=refresh_token&grant_type=refresh_token",
    "form wide": b"&".join(b"a%d=1" % one for one in range(5_000)),
    "jwt": b"eyJhbGciOiJub25lIn0.e30.",
    "jwe": b"eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTEyOEdDTSJ9..AAAA.AAAA.AAAA",
}
GARBAGE = {
    "no http": b"GARBAGE\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "http 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "version": b"GET /nonce HTTP/9.9\r\nHost: x\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "negative length": b"POST /nonce HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    "two lengths": b"POST /nonce HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunks": b"POST /token HTTP/1.1\r\nHost: x\r\n"
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "no chunk": b"POST /token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "bad chunk": b"POST /token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab\r\n\r\n",
    "long target": b"GET /offers/" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "long header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nDPoP: " + b"a" * 9000 + b"\r\n\r\n",
    "many headers": b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: a\r\n" * 500 + b"\r\n",
    "nul in a header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
    "folded header": b"GET /healthz HTTP/1.1\r\nHost: x\r\n folded: x\r\n\r\n",
    "asterisk": b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
    "connect": b"CONNECT a:b HTTP/1.1\r\nHost: x\r\n\r\n",
    "broken authority": b"GET http://[:::1/x HTTP/1.1\r\nHost: x\r\n\r\n",
}


@dataclass(frozen=True)
class Raw:
    """An answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture(autouse=True)
def log() -> Iterator[io.StringIO]:
    """What the service logs; none of it is a fault of ours, a traceback, or about anybody."""
    lines, root = io.StringIO(), logging.getLogger()
    before, level = root.handlers[:], root.level
    logs.start(lines)
    try:
        yield lines
    finally:
        root.handlers, root.level = before, level
    for word in ("Traceback", "File \\", CANARY, "127.0.0.1"):
        assert word not in lines.getvalue()
    loud = [line for line in lines.getvalue().splitlines() if json.loads(line)["level"] not in ("info", "debug")]
    assert not loud, loud[:3]


@pytest.fixture
async def service(database: Database) -> AsyncIterator[Running]:
    attest(database)
    attest(database, worker=CANARY, source="other")
    async with running(database) as made:
        yield made


async def exchange(service: Running, raw: bytes, *, patience: float = 20, most: int = 10) -> list[Raw]:
    """Send bytes as they are; the answers that came until the other side, or we, had enough."""
    address = urlsplit(service.base)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    answers: list[Raw] = []
    try:
        async with asyncio.timeout(patience):
            writer.write(raw)
            while len(answers) < most and (answer := await read_answer(reader)):
                answers.append(answer)
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return answers


async def read_answer(reader: asyncio.StreamReader) -> Raw | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, _, rest = head.partition(b"\r\n")
    headers = {name.lower(): value for name, value in BytesHeaderParser(policy=HTTP).parsebytes(rest).items()}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Raw(int(first.split()[1]), headers, body)


def message(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def check(answer: Raw, about: object) -> None:
    """An answer of ours: no fault, in a form that the route may use, with nothing about anybody else."""
    assert answer.status < 500 or answer.status in (501, 503), (about, answer)
    assert answer.headers["server"] == "ouvrage", about
    assert CANARY.encode() not in answer.body, about
    for word in (b"Traceback", b"BAD_STORE", b"BAD_TEXT"):  # PostgreSQL cannot keep a NUL, and is not asked to
        assert word not in answer.body, (about, answer)
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if answer.status >= 400 and kind != "text/html":
        assert kind in (JSON, "application/problem+json"), (about, answer)
        said = json.loads(answer.body)
        assert said.get("error") or said.get("title"), (about, said)


def routes(service: Running) -> Iterator[tuple[str, Route]]:
    return mounted(service.base, ROUTES)


def filled(path: str, value: str) -> str:
    return re.sub(r"\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}", lambda _: value, path)


# ---- every route -----------------------------------------------------------------------------------------------------


async def test_names_in_paths(service: Running) -> None:
    """Each is looked up, or refused; PostgreSQL cannot even be asked for a NUL character."""
    asked = 0
    for path, route in routes(service):
        for about, value in IDS.items():
            if "{" in path:
                (answer,) = await exchange(service, message(route.method, filled(path, value)))
                check(answer, (route.method, path, about))
                assert answer.status not in (200, 201, 204), (path, about)
                asked += 1
    assert asked >= 5 * len(IDS)


async def test_bodies_of_every_kind(service: Running) -> None:
    token = service.grant(BBS)
    for path, route in routes(service):
        if route.method != "POST":
            continue
        for about, body in BODIES.items():
            kinds = {JSON, FORM, *(kind for kind in route.body if kind == "application/jwt")}
            for kind in sorted(kinds):
                raw = message("POST", filled(path, "x"), body, Content_Type=kind, Authorization=f"Bearer {token}")
                (answer,) = await exchange(service, raw)
                check(answer, (path, kind, about))


async def test_types_that_a_body_cannot_have(service: Running) -> None:
    token = service.grant(BBS)
    for path, route in routes(service):
        if route.method == "POST":
            for kind in (
                "text/plain",
                "multipart/form-data; boundary=x",
                "application/xml",
                "x",
                "\xff/\xff",
                "a/b;=;",
            ):
                raw = message("POST", filled(path, "x"), b"{}", Content_Type=kind, Authorization=f"Bearer {token}")
                (answer,) = await exchange(service, raw)
                check(answer, (path, kind))
                if "nonce" not in path:  # which takes no body, so that any is as good as none
                    assert answer.status >= 300, (path, kind)


async def test_queries(service: Running) -> None:
    names = (
        "client_id",
        "request_uri",
        "state",
        "code",
        "ticket",
        "time",
        "lang",
        "page",
        "worker",
        "q",
        "response_type",
    )
    for path, route in routes(service):
        if route.method == "GET":
            for value in ("%00", "%ed%a0%80", "%ff", "a" * 600, "x&{name}=y"):
                query = "&".join(f"{name}={value.replace('{name}', name)}" for name in names)
                (answer,) = await exchange(service, message("GET", filled(path, "x") + "?" + query))
                check(answer, (path, value))


async def test_headers(service: Running) -> None:
    token = service.grant(BBS)
    strange = {
        "Accept": "\xff;q=nan, " + "a/b;q=1," * 200,
        "Accept_Encoding": "gzip;q=-1e309, *;q=inf",
        "Accept_Language": "xx-" + "y" * 3000 + ";q=\xff",
        "Authorization": "DPoP \xff\xff",
        "Cookie": "ouvrage_admin=\x80; ouvrage_admin=%00; =; ;;ouvrage_login=\xff",
        "DPoP": "a.b.\xff",
        "If_None_Match": ",,W/" + '"x"' * 500,
        "OAuth_Client_Attestation": "\xff",
        "OAuth_Client_Attestation_PoP": "\xff",
        "Origin": "\xff",
        "X_Forwarded_Proto": "javascript",
        "Forwarded": "for=\xff;proto=x",
    }
    for path, route in routes(service):
        for name, value in strange.items():
            (answer,) = await exchange(service, message(route.method, filled(path, "x"), b"", **{name: value}))
            check(answer, (path, name))
        twice = message(route.method, filled(path, "x"), Authorization=f"Bearer {token}").replace(
            b"\r\n\r\n", b"\r\nAuthorization: Bearer x\r\nDPoP: a\r\nDPoP: b\r\n\r\n", 1
        )
        (answer,) = await exchange(service, twice)
        check(answer, (path, "twice"))


async def test_methods(service: Running) -> None:
    for path, _ in routes(service):
        for method in ("DELETE", "PATCH", "PUT", "TRACE", "PROPFIND", "GET", "POST"):
            (answer,) = await exchange(service, message(method, filled(path, "x"), Content_Type=JSON))
            check(answer, (method, path))


# ---- the wire --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GARBAGE)
async def test_what_is_no_http(service: Running, name: str) -> None:
    answers = await exchange(service, GARBAGE[name])
    assert [answer.status for answer in answers] == [400]
    check(answers[0], name)
    assert json.loads(answers[0].body)["detail"] == "not a request that HTTP/1.1 allows here"
    assert (await service.ask("GET", "/healthz")).status == 200


async def test_garbage_behind_a_request(service: Running) -> None:
    """What comes first is answered; what follows is not taken for a request of anybody."""
    good = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    answers = await exchange(service, good + good + b"\0\0\0 / HTTP/1.1\r\n\r\n" + good)
    assert [answer.status for answer in answers] in ([200, 200, 400], [200, 200], [200, 400], [400])
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    hidden = message("POST", "/token", smuggled, Content_Type=FORM).replace(b"Connection: close\r\n", b"", 1)
    (answer,) = await exchange(service, hidden, patience=0.5)
    assert answer.status == 400
    assert json.loads(answer.body)["error"] == "invalid_request"


async def test_bodies_that_are_too_long(service: Running) -> None:
    """Said to be, or found to be: nobody keeps more than the bound in memory."""
    for path, route in routes(service):
        if route.method == "POST":
            said = message("POST", filled(path, "x"), Content_Type=JSON).replace(
                b"Content-Length: 0", b"Content-Length: %d" % (MAX_BODY + 1), 1
            )
            answers = await exchange(service, said + b" " * (MAX_BODY + 1))
            assert answers, path
            check(answers[0], path)
            assert answers[0].status == 413, (path, answers[0])


async def test_a_body_that_grows_when_it_is_unpacked(service: Running) -> None:
    for name, packed in (
        ("gzip", gzip.compress(bytes(64 << 20))),
        ("deflate", zlib.compress(bytes(64 << 20))),
        ("gzip", b"not gzip"),
    ):
        raw = message("POST", "/credential", packed, Content_Type=JSON, Content_Encoding=name)
        (answer,) = await exchange(service, raw)
        check(answer, name)
        assert answer.status in (400, 413)


async def test_a_body_that_does_not_come(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "BODY_TIMEOUT", 0.1)
    for path in ("/token", "/credential", "/notification", "/disputes", "/admin/login"):
        raw = message("POST", path, Content_Type=JSON).replace(b"Content-Length: 0", b"Content-Length: 5", 1) + b"{"
        answers = await exchange(service, raw, most=1)
        assert [answer.status for answer in answers] == [408], path
        check(answers[0], path)
    # Who sends nothing more holds up nobody.
    assert (await service.ask("GET", "/healthz")).status == 200


async def test_nothing_of_another_worker_is_told(service: Running) -> None:
    """A token for one worker, and every name of another's things."""
    token, others = service.grant(BBS), service.grant(BBS, worker=CANARY, session="session-2")
    issued = await service.post("/credential", await service.request(BBS, new_keys()), others)
    assert issued.status == 200
    told = {"notification_id": issued.json["notification_id"], "event": "credential_accepted"}
    known = await service.post("/notification", told, token)
    unknown = await service.post("/notification", {**told, "notification_id": "x"}, token)
    assert known.raw == unknown.raw
    with_identifier = {**await service.request(BBS, new_keys()), "credential_identifier": f"{BBS}:{'A' * 22}"}
    del with_identifier["credential_configuration_id"]
    answer = await service.post("/credential", with_identifier, token)
    assert answer.status == 400
    assert CANARY.encode() not in answer.raw
