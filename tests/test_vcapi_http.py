"""VC-API over HTTP: real servers on loopback, with and without TLS; every answer is JSON."""

import asyncio
import io
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import ClientSession, TCPConnector, web

from ouvrage import vcapi
from tests.cli import PASSPHRASE, ROOT
from tests.test_vcapi import (
    AT,
    BAD_BODIES,
    KEY,
    NOT_DERIVED,
    NOT_PRESENTED,
    NOT_SIGNED,
    OLD_NOT_SIGNED,
    SELECTIVE,
    SPOILT,
    SUBJECT,
    credential,
    old,
    presentation,
    signed,
)
from vc.errors import Undetermined
from vc.io.tls import self_signed
from vc.io.web import MAX_BODY, new_web_app, run_step, serve
from vc.vcapi import Issuer

NAMES: Final = tuple(vcapi.SUITES)
VERIFIED: Final = {"verified": True, "problemDetails": []}
PROBLEM: Final = "application/problem+json"


@cache
def instances() -> dict[str, Issuer]:
    return vcapi.new_instances()


@dataclass(frozen=True)
class Api:
    """A running service, and a client for it."""

    base: str
    session: ClientSession
    line: dict[str, Any]

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"}
        async with self.session.post(self.base + path, data=json.dumps(body).encode(), headers=headers) as answer:
            assert answer.content_type == ("application/json" if answer.ok else PROBLEM)
            return answer.status, json.loads(await answer.read())

    async def issue(self, name: str, document: Any, **options: Any) -> tuple[int, Any]:
        body = {"credential": document, **({"options": options} if options else {})}
        return await self.post(f"/issuers/{name}/credentials/issue", body)

    async def verify(self, document: Any, **options: Any) -> tuple[int, Any]:
        body = {"verifiableCredential": document, **({"options": options} if options else {})}
        return await self.post(self.line["verifyCredential"], body)

    async def derive(self, document: Any, *pointers: str) -> tuple[int, Any]:
        body = {"verifiableCredential": document, "options": {"selectivePointers": list(pointers)}}
        return await self.post(self.line["derive"], body)


@asynccontextmanager
async def serving(
    make: Callable[[str], web.Application], *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, ClientSession]]:
    """A service on a free port of this machine, until the block ends."""
    told = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(make, host="127.0.0.1", port=0, tls=tls, ready=told.set_result))
    async with ClientSession(connector=TCPConnector(ssl=False)) as session:
        yield await told, session
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.fixture(params=["http", "https"])
async def api(request: pytest.FixtureRequest) -> AsyncIterator[Api]:
    tls = self_signed("127.0.0.1", at=vcapi._now()) if request.param == "https" else None
    async with serving(lambda base: vcapi.make(base, instances()), tls=tls) as (base, session):
        assert base.startswith(f"{request.param}://127.0.0.1:")
        yield Api(base, session, vcapi.directory(base, instances()))


@pytest.fixture
async def plain() -> AsyncIterator[Api]:
    async with serving(lambda base: vcapi.make(base, instances())) as (base, session):
        yield Api(base, session, vcapi.directory(base, instances()))


def own(name: str, document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "issuer": instances()[name].did}


# ---- every instance --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*NAMES, *vcapi.OTHERS])
async def test_issued_derived_and_verified(api: Api, name: str) -> None:
    status, answer = await api.issue(name, own(name, credential()))
    assert status == 201
    document = answer["verifiableCredential"]
    if name in SELECTIVE:
        assert (await api.verify(document))[0] == 400
        status, answer = await api.derive(document, "/credentialSubject/beta")
        assert status == 201
        document = answer["verifiableCredential"]
        assert document["credentialSubject"] == {"id": SUBJECT, "beta": "2"}
    for options in ({}, {"checks": ["proof"]}, {"checks": ["issuer", "validity"]}):
        assert await api.verify(document, **options) == (200, VERIFIED)


@pytest.mark.parametrize("name", NAMES)
async def test_version_1(api: Api, name: str) -> None:
    status, answer = await api.issue(name, own(name, old()))
    assert status == 201
    document = answer["verifiableCredential"]
    if name in SELECTIVE:
        document = (await api.derive(document, "/credentialSubject", "/issuanceDate"))[1]["verifiableCredential"]
    assert await api.verify(document) == (200, VERIFIED)


async def test_presentations(api: Api) -> None:
    body = {"verifiablePresentation": presentation(signed()), "options": {"challenge": "c", "domain": "d.example"}}
    assert await api.post(api.line["verifyPresentation"], body) == (200, VERIFIED)


async def test_the_line(api: Api) -> None:
    assert list(api.line) == ["base", "issuers", "verifyCredential", "verifyPresentation", "derive"]
    assert tuple(api.line["issuers"]) == NAMES
    async with api.session.get(f"{api.base}/issuers") as answer:
        listed = await answer.json()
    assert {name: listed[name] for name in NAMES} == api.line["issuers"]
    assert set(listed) - set(NAMES) == set(vcapi.OTHERS)


async def test_a_status_list_is_served(api: Api) -> None:
    name = "BitstringStatusList"
    _, answer = await api.issue(name, own(name, credential()))
    entry = answer["verifiableCredential"]["credentialStatus"]
    async with api.session.get(entry["statusListCredential"]) as listed:
        assert listed.status == 200
        document = await listed.json()
    assert document["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]
    assert document["credentialSubject"]["encodedList"].startswith("u")
    assert await api.verify(document) == (200, VERIFIED)


@pytest.mark.parametrize(
    ("path", "status", "member"),
    [
        (f"did%3Akey%3A{KEY}", 200, "didResolutionMetadata"),
        (f"did:key:{KEY}%23{KEY}", 200, "didResolutionMetadata"),
        ("did%3Akey%3A%40", 400, "didResolutionMetadata"),
        (f"did%3Akey%3A{KEY}%2F%5Ebar%5E%2F%3Fquery%3D%60%23{KEY}", 400, "didDereferencingMetadata"),
        (f"did%3Akey%3A{KEY}?publicKeyFormat=unknown", 400, "didResolutionMetadata"),
    ],
)
async def test_did_keys(plain: Api, path: str, status: int, member: str) -> None:
    headers = {"Accept": 'application/ld+json;profile="https://w3id.org/did-resolution"'}
    async with plain.session.get(f"{plain.base}/1.0/identifiers/{path}", headers=headers) as answer:
        document = json.loads(await answer.read())
    assert (answer.status, answer.content_type) == (status, "application/json")
    assert {"@context", "didDocument", "didDocumentMetadata", member} == document.keys()
    assert document["didDocument"] is not None


# ---- every refusal ---------------------------------------------------------------------------------------------------


async def test_what_is_not_signed(plain: Api) -> None:
    rows = [(credential(**changes), code) for changes, code in NOT_SIGNED]
    rows += [(old(**changes), code) for changes, code in OLD_NOT_SIGNED]
    assert len(rows) > 100
    for document, code in rows:
        status, answer = await plain.issue("eddsa-rdfc-2022", document)
        assert (status, answer["status"], answer["code"]) == (400, 400, code)
    for body, code in BAD_BODIES:
        status, answer = await plain.post("/issuers/bbs-2023/credentials/issue", body)
        assert (status, answer["code"]) == (400, code)


async def test_what_is_not_verified(plain: Api) -> None:
    for spoil, code in SPOILT:
        document = signed()
        spoil(document)
        status, answer = await plain.verify(document)
        assert (status, answer["code"]) == (400, code)
    for make, options, code in NOT_PRESENTED:
        body = {"verifiablePresentation": make(), "options": {"challenge": "c", **options}}
        status, answer = await plain.post(plain.line["verifyPresentation"], body)
        assert (status, answer["code"]) == (400, code)
    status, answer = await plain.verify(signed(), checks=["credentialStatus"], domain="x")
    assert (status, answer["title"]) == (400, "Rejected")


async def test_what_cannot_be_told_is_no_fault_of_the_server(plain: Api) -> None:
    entry = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "1"}
    document = credential(credentialStatus={**entry, "statusListCredential": "https://example.com/1"})
    _, answer = await plain.issue("eddsa-rdfc-2022", document)
    status, answer = await plain.verify(answer["verifiableCredential"], checks=["credentialStatus"])
    assert (status, answer["status"], answer["code"]) == (400, 400, "STATUS_UNKNOWN")


async def test_what_is_not_derived(plain: Api) -> None:
    for make, pointers, code in NOT_DERIVED:
        body = {"verifiableCredential": make(), "options": {"selectivePointers": pointers}}
        status, answer = await plain.post(plain.line["derive"], body)
        assert (status, answer["code"]) == (400, code)


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"", 400, "NOT_JSON"),
        (b"{", 400, "NOT_JSON"),
        (b"\xff", 400, "NOT_JSON"),
        (b'{"a": 1, "a": 2}', 400, "NOT_JSON"),
        (b'{"a": 1e999}', 400, "NOT_JSON"),
        (b'"x"', 400, "NOT_AN_OBJECT"),
        (b"[" * 1000 + b"]" * 1000, 400, "TOO_DEEP"),
        (b" " * (MAX_BODY + 1), 413, "TOO_LARGE"),
    ],
)
async def test_bodies(api: Api, raw: bytes, status: int, code: str) -> None:
    headers = {"Content-Type": "application/json"}
    for path in (api.line["verifyCredential"], "/issuers/eddsa-rdfc-2022/credentials/issue"):
        async with api.session.post(api.base + path, data=io.BytesIO(raw), headers=headers) as answer:
            assert (answer.status, answer.content_type) == (status, PROBLEM)
            assert json.loads(await answer.read())["code"] == code


async def test_other_requests_get_json_too(api: Api) -> None:
    async def told(method: str, path: str, **arguments: Any) -> tuple[int, str, str | None]:
        async with api.session.request(method, api.base + path, **arguments) as answer:
            assert answer.content_type == PROBLEM
            document = json.loads(await answer.read())
            assert document["status"] == answer.status
            return answer.status, document["code"], answer.headers.get("Allow")

    verify = api.line["verifyCredential"]
    assert await told("GET", verify) == (405, "METHOD_NOT_ALLOWED", "POST")
    assert await told("PUT", verify, json={}) == (405, "METHOD_NOT_ALLOWED", "POST")
    assert await told("GET", "/nothing") == (404, "NOT_FOUND", None)
    assert await told("POST", "/issuers/unknown/credentials/issue", json={}) == (404, "NOT_FOUND", None)
    assert await told("POST", verify) == (400, "NOT_JSON", None)
    assert await told("POST", verify, data="x", headers={"Content-Type": "text/plain"}) == (
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        None,
    )


# ---- the server itself -----------------------------------------------------------------------------------------------


async def test_requests_at_once(api: Api) -> None:
    documents = [credential(id=f"urn:example:{number}") for number in range(24)]
    answers = await asyncio.gather(
        *(api.issue(NAMES[number % len(NAMES)], document) for number, document in enumerate(documents))
    )
    secured = [answer["verifiableCredential"] for status, answer in answers if status == 201]
    assert [document["id"] for document in secured] == [document["id"] for document in documents]
    checked = await asyncio.gather(*(api.verify(document) for document in secured))
    selective = [number for number in range(24) if NAMES[number % len(NAMES)] in SELECTIVE]
    assert [number for number, (status, _) in enumerate(checked) if status == 400] == selective


async def test_a_step_that_takes_long_holds_up_nobody() -> None:
    release = threading.Event()

    async def slow(request: web.Request) -> web.Response:
        return await run_step(request, lambda _: {"waited": release.wait(20)})

    async def quick(request: web.Request) -> web.Response:
        return await run_step(request, lambda body: {"echo": body})

    def make(_base: str) -> web.Application:
        app = new_web_app()
        app.add_routes([web.post("/slow", slow), web.post("/quick", quick)])
        return app

    async with serving(make) as (base, session):
        waiting = asyncio.create_task(session.post(f"{base}/slow", json={}))
        async with session.post(f"{base}/quick", json="x") as answer:
            assert await answer.json() == {"echo": "x"}
        assert not waiting.done()
        release.set()
        async with await waiting as answer:
            assert await answer.json() == {"waited": True}


async def test_a_fault_of_ours_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    hidden = "claims of somebody"

    async def faulty(_request: web.Request) -> web.Response:
        raise RuntimeError(hidden)

    def make(_base: str) -> web.Application:
        app = new_web_app()
        app.router.add_get("/", faulty)
        return app

    async with serving(make) as (base, session), session.get(base) as answer:
        document = json.loads(await answer.read())
    assert (answer.status, document["code"]) == (500, "INTERNAL_SERVER_ERROR")
    assert hidden not in json.dumps(document) + caplog.text
    assert "RuntimeError" in caplog.text


async def test_requests_under_way_are_finished_when_the_service_ends() -> None:
    arrived, release = asyncio.Event(), asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        arrived.set()
        await release.wait()
        return web.json_response({"done": True})

    def make(_base: str) -> web.Application:
        app = new_web_app()
        app.router.add_get("/", slow)
        return app

    told = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(make, host="127.0.0.1", port=0, tls=None, ready=told.set_result))
    async with ClientSession() as session:
        waiting = asyncio.create_task(session.get(await told))
        await arrived.wait()
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(0)
        release.set()
        async with await waiting as answer:
            assert await answer.json() == {"done": True}
    await task


async def test_a_port_that_is_taken_is_said() -> None:
    async with serving(lambda _: new_web_app()) as (base, _):
        with pytest.raises(Undetermined) as caught:
            await serve(
                lambda _: new_web_app(),
                host="127.0.0.1",
                port=int(base.rpartition(":")[2]),
                tls=None,
                ready=lambda _: None,
            )
    assert caught.value.code == "CANNOT_LISTEN"


async def test_the_certificate_is_for_this_machine() -> None:
    context = self_signed("host.example", at=AT)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.cert_store_stats()["x509"] == 0


# ---- the commands ----------------------------------------------------------------------------------------------------


@contextmanager
def command(home: Path, *words: str) -> Iterator[dict[str, Any]]:
    """A command that serves: its one line, and after the block that it ended well."""
    (home / "passphrase.txt").write_text(PASSPHRASE + "\n")
    environment = {
        **os.environ,
        "OUVRAGE_HOME": str(home),
        "OUVRAGE_PASSPHRASE_FILE": str(home / "passphrase.txt"),
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "error",
    }
    arguments = [sys.executable, "-m", "ouvrage", *words, "--port", "0", "--json"]
    with subprocess.Popen(
        arguments, cwd=home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            yield json.loads(line)
        finally:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=20)
        assert (out, err, process.returncode) == ("", "", 0)


async def asked(base: str, path: str, body: Any) -> tuple[int, Any]:
    async with ClientSession(connector=TCPConnector(ssl=False)) as session, session.post(base + path, json=body) as it:
        return it.status, json.loads(await it.read())


async def test_vc_api_serves_everything(tmp_path: Path) -> None:
    with command(tmp_path, "vc-api", "--tls") as line:
        assert list(line) == ["base", "issuers", "verifyCredential", "verifyPresentation", "derive"]
        assert line["base"].startswith("https://127.0.0.1:")
        assert tuple(line["issuers"]) == NAMES
        for own_ in line["issuers"].values():
            status, answer = await asked(line["base"], own_["issue"], {"credential": credential(issuer=own_["did"])})
            assert status == 201, answer


async def test_each_service_serves_its_own_part(tmp_path: Path) -> None:
    with (
        command(tmp_path, "issuer", "serve", "--vc-api") as issuing,
        command(tmp_path, "wallet", "serve", "--vc-api", "--tls") as deriving,
        command(tmp_path, "verifier", "serve", "--vc-api") as verifying,
    ):
        assert set(issuing["issuers"]) == {"bbs-2023", "eddsa-rdfc-2022", "eddsa-jcs-2022"}
        for name, own_ in issuing["issuers"].items():
            status, answer = await asked(issuing["base"], own_["issue"], {"credential": credential(issuer=own_["did"])})
            assert status == 201, answer
            if name == "bbs-2023":
                options = {"selectivePointers": ["/credentialSubject/alpha"]}
                _, answer = await asked(deriving["base"], deriving["derive"], {**answer, "options": options})
            assert await asked(verifying["base"], verifying["verifyCredential"], answer) == (200, VERIFIED)
        status, answer = await asked(issuing["base"], own_["issue"], {"credential": credential()})
        assert (status, answer["code"]) == (400, "METHOD_NOT_ISSUERS")
