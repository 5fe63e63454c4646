"""The verifier for systems: keys, rates, webhook, description, commands; wallets by other hands and as processes."""

import asyncio
import hashlib
import hmac
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.asking import DEMAND, Service, running, shown
from tests.certificates import certify, names, usage
from tests.cli import PASSPHRASE, ROOT, Done, ouvrage
from tests.line import AT, answer, credential, entry, holder_key, issuer_keys
from tests.node import FOLDER
from tests.test_vcapi_http import serving
from tests.test_wallet_sdjwt import sd_jwt
from tests.verifying import CENTURY, certified, root
from vc.canon import Json, parse_object, to_json
from vc.client_id import DID, HASH, REDIRECT_URI, SAN_DNS
from vc.errors import Malformed, Rejected, VcError
from vc.io.webhook import SIGNATURE, signature
from vc.jose import sign_jws
from vc.multibase import encode_base64url
from vc.oid4vp import parse_request
from vc.sdjwt import present
from vc.transaction import check_agreed, parse_transactions, write_transaction
from vc.vp_response import response_form
from verifier import key_commands
from verifier.deps import Hook
from verifier.hooks import deliver_due
from verifier.identity import identify
from verifier.keys import Keys
from verifier.service import ROUTES
from verifier.service import make as service_app
from verifier.tables import EVENT, SESSION
from wallet.sdjwt import read_kept

BODY: dict[str, Json] = {"purpose": DEMAND.purpose, "claims": list[Json](DEMAND.claims), "retentionDays": 30}
SECRET = "a secret of two systems"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with running(tmp_path) as one:
        yield one


# ---- the JSON API ----------------------------------------------------------------------------------------------------


async def test_a_system_asks_and_reads(service: Service) -> None:
    status, made = await service.call("/api/requests", BODY)
    assert status == 201
    assert made["request"].startswith("openid4vp://?client_id=")
    assert made["result"].startswith(f"{service.deps.base}/results/")
    assert made["id"] not in made["result"]  # what a wallet is given opens no result
    for spoil, status, code in (
        ({"claims": ["Rating"]}, 422, "NEVER_ASK"),
        ({"claims": ["Nothing"]}, 400, "UNKNOWN_TYPE"),
        ({"purpose": "none.at.all"}, 400, "UNKNOWN_PURPOSE"),
        ({"more": 1}, 400, None),
    ):
        got, told = await service.call("/api/requests", {**BODY, **spoil})
        assert (got, told["status"]) == (status, status)
        assert code in (None, told["code"])
    for key in ("", "ouvk_wrong", f"{service.key}x"):
        status, told = await service.call("/api/requests", BODY, key=key)
        assert (status, told["code"]) == (401, "UNAUTHORIZED")


async def test_a_file_is_checked_and_nothing_is_kept(service: Service) -> None:
    made = service.ask(encrypted=False)
    asked = await service.read(made)
    request = parse_object(service.row(made).request.encode())
    body = {"request": request, "answer": shown(asked)}
    status, report = await service.call("/api/check", body)
    assert (status, report["type"], report["verdict"]) == (200, "OuvrageReport", "valid")
    other = {**request, "nonce": "another-nonce-altogether"}
    assert (await service.call("/api/check", {**body, "request": other}))[1]["verdict"] == "refused"
    assert (await service.call("/api/check", {**body, "answer": {"vp_token": {}}}))[1]["verdict"] == "refused"
    wrong: list[Any] = [{}, {"request": request}, {**body, "acceptPossession": 1}, {**body, "x": 1}, []]
    for spoilt in wrong:
        assert (await service.call("/api/check", spoilt))[0] == 400
    assert service.row(made).state == "fetched"


async def test_a_key_has_so_many_calls_in_a_minute(tmp_path: Path) -> None:
    async with running(tmp_path, rate=3) as service:
        assert [(await service.call("/api/requests", BODY))[0] for _ in range(4)] == [201, 201, 201, 429]
        service.clock.later(seconds=60)
        assert (await service.call("/api/requests", BODY))[0] == 201


async def test_the_description_is_true(service: Service) -> None:
    async with service.http.get(f"{service.deps.base}/openapi.json") as answered:
        described = await answered.json()
    assert described["openapi"] == "3.1.0"
    assert {(method.upper(), path) for path, item in described["paths"].items() for method in item} == {
        (route.method, route.path) for route in ROUTES
    }
    schema = described["paths"]["/api/requests"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    for name, value in BODY.items():
        assert name in schema["properties"], value
    made = service.ask()
    seen: list[tuple[str, str, int]] = []
    for method, template, path in (
        ("GET", "/request/{id}", f"/request/{made.id}"),
        ("GET", "/request/{id}", "/request/none"),
        ("POST", "/request/{id}", f"/request/{made.id}"),
        ("POST", "/response/{id}", f"/response/{made.id}"),
        ("GET", "/results/{secret}", f"/results/{made.secret}"),
        ("GET", "/results/{secret}", "/results/none"),
        ("GET", "/results/{secret}", f"/results/{made.secret}?wait=999"),
        ("GET", "/results/{secret}/answer", f"/results/{made.secret}/answer"),
        ("POST", "/api/requests", "/api/requests"),
        ("POST", "/api/check", "/api/check"),
        ("GET", "/healthz", "/healthz"),
        ("GET", "/readyz", "/readyz"),
    ):
        async with service.http.request(method, service.deps.base + path) as answered:
            seen.append((method, template, answered.status))
            told = described["paths"][template][method.lower()]["responses"]
            assert str(answered.status) in told, seen[-1]
            assert answered.content_type in told[str(answered.status)].get("content", {}), seen[-1]


async def test_the_webhook_is_told_signed_and_again(tmp_path: Path) -> None:
    got: list[tuple[str, bytes]] = []
    replies = [503, 200, 200]

    async def hear(request: web.Request) -> web.Response:
        got.append((request.headers[SIGNATURE], await request.read()))
        return web.Response(status=replies[len(got) - 1])

    def listener(_base: str) -> web.Application:
        app = web.Application()
        app.router.add_post("/hook", hear)
        return app

    async with serving(listener) as (base, _):
        hook = Hook(f"{base}/hook", SECRET, private=True)
        async with running(tmp_path, hook=hook) as service:
            made = service.ask(reference="application 7")
            asked = await service.read(made)
            await service.post(made, response_form(shown(asked), asked.reply_to))
            await deliver_due(service.deps)
            await deliver_due(service.deps)
            assert len(got) == 1  # not again at once
            service.clock.later(seconds=60)
            await deliver_due(service.deps)
            await deliver_due(service.deps)
            header, body = got[-1]
            assert len(got) == 2
            assert json.loads(body) == {
                "type": "result", "id": made.id, "state": "checked", "reference": "application 7",
                "at": int(AT.timestamp()),
            }  # fmt: skip
            at = int(header.partition(",")[0].removeprefix("t="))
            assert header == signature(SECRET, body, at=at)
            mac = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256)
            assert header.endswith(mac.hexdigest())
            with service.deps.database.read() as connection:
                assert connection.execute(EVENT.select()).all() == []
        guarded = tmp_path / "guarded"
        guarded.mkdir()
        async with running(guarded, hook=Hook(f"{base}/hook", SECRET)) as service:  # not said to be ours
            made = service.ask()
            asked = await service.read(made)
            await service.post(made, response_form(shown(asked), asked.reply_to))
            await deliver_due(service.deps)
            assert len(got) == 2


async def test_what_runs_beside_the_routes(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        made = service.ask(lifetime=1)
        service.clock.later(days=2)
        beside = service_app(service.deps)
        async with serving(lambda _: beside) as (base, http):  # its first look is at once
            for _ in range(500):
                async with http.get(f"{base}/results/{made.secret}") as reply:
                    told = await reply.json(content_type=None)
                if told["code"] == "ERASED":
                    break
                await asyncio.sleep(0.01)
        assert told["code"] == "ERASED"


# ---- transactions ----------------------------------------------------------------------------------------------------


def _transaction(*ids: str, **more: Json) -> dict[str, Json]:
    return {"type": "https://lender.example/loan", "credential_ids": list[Json](ids or ("Earnings",)), **more}


async def test_a_holder_agrees_to_a_transaction(service: Service) -> None:
    demand: dict[str, Any] = {"format": "sd-jwt", "transaction_data": (_transaction(amount="500"),)}
    for agree, verdict in ((True, "valid"), (False, "refused")):
        made = service.ask(**demand)
        request = parse_object(service.row(made).request.encode())
        texts = [str(one) for one in request["transaction_data"]]  # type: ignore[union-attr]
        hashes: list[Json] = [encode_base64url(hashlib.sha256(text.encode()).digest()) for text in texts]
        token = _bound(request, {"transaction_data_hashes": hashes} if agree else {})
        asked = SimpleNamespace(state=request["state"], recipient=_recipient(request))
        form = response_form({"vp_token": {"Earnings": [token]}}, asked)  # type: ignore[arg-type]
        assert (await service.post(made, form))[0] == 200
        _, report = await service.result(made)
        assert report["verdict"] == verdict, report
        assert agree or {one["code"] for one in report["reasons"]} == {"TRANSACTION_MISMATCH"}
    nobodys = (_transaction("Rating"), _transaction("Earnings", "x"))
    for wrong in ({"type": "x"}, {"credential_ids": ["Earnings"]}, *nobodys):
        with pytest.raises(Malformed):
            service.ask(format="sd-jwt", transaction_data=(wrong,))


def _recipient(request: dict[str, Json]) -> Any:
    metadata: Any = request["client_metadata"]
    return SimpleNamespace(jwk=metadata["jwks"]["keys"][0], enc="A128GCM")


def _bound(request: dict[str, Json], more: dict[str, Json]) -> str:
    """An SD-JWT+KB that answers, as a wallet that knows transactions makes it."""
    bare = present(read_kept(sd_jwt()), [], binding=None).bare
    claims: dict[str, Json] = {
        "iat": int(AT.timestamp()),
        "aud": request["client_id"],
        "nonce": request["nonce"],
        "sd_hash": encode_base64url(hashlib.sha256(bare.encode()).digest()),
        **more,
    }
    return bare + sign_jws(to_json(claims), key=holder_key(), typ="kb+jwt")


def test_agreement_is_to_exactly_what_was_asked() -> None:
    one, two = (parse_transactions([write_transaction(_transaction(n=str(n)))])[0] for n in (1, 2))
    assert [*check_agreed((one, two), "Earnings", {"transaction_data_hashes": [two.hash, one.hash]})] == []
    assert [*check_agreed((), "Earnings", {})] == []
    wrongs: list[Json] = [[], [one.hash], [one.hash, one.hash], [one.hash, two.hash, "x"], "x", None]
    for wrong in wrongs:
        assert [*check_agreed((one, two), "Earnings", {"transaction_data_hashes": wrong})]
    both: dict[str, Json] = {"transaction_data_hashes": [one.hash], "transaction_data_hashes_alg": "sha-512"}
    assert [*check_agreed((one,), "Earnings", both)]
    for spoilt in (None, [], ["!"], [1], [encode_base64url(b"[]")], ["x"] * 17):
        with pytest.raises(Malformed):
            parse_transactions(spoilt)  # type: ignore[arg-type]


# ---- a wallet by another hand ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client", "encrypted", "says"),
    [(DID, True, "yes"), (SAN_DNS, True, "yes"), (HASH, False, "yes"), (REDIRECT_URI, True, "yes"), (DID, True, "no")],
)
async def test_a_wallet_by_another_hand(tmp_path: Path, client: str, says: str, *, encrypted: bool) -> None:
    if shutil.which("node") is None or not (FOLDER / "node_modules" / "@openid4vc" / "openid4vp").is_dir():
        pytest.skip("needs node, and in tests/npm: npm install")
    async with running(tmp_path, client=client, certified=client in (SAN_DNS, HASH)) as service:
        service.clock.at = datetime.now(UTC)  # its request ends by the clock of this machine
        made = service.ask(encrypted=encrypted)
        process = await asyncio.create_subprocess_exec(
            "node", "--preserve-symlinks", "openid4vp_wallet.mjs",
            cwd=FOLDER, limit=1 << 22, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"link": made.link}).encode() + b"\n")
        told = json.loads(await process.stdout.readline())
        assert "error" not in told, told
        assert told["client"] == client
        service.clock.at = AT
        with service.deps.database.write() as connection:
            connection.execute(SESSION.update().values(expires=int(AT.timestamp()) + 60))
        sent: Any = {"error": "access_denied"} if says == "no" else answer(parse_request(to_json(told["request"])))
        process.stdin.write(json.dumps({"answer": sent}).encode() + b"\n")
        reply = json.loads(await process.stdout.readline())
        await process.wait()
        assert reply.get("status") == 200, reply
        _, report = await service.result(made)
        assert report.get("verdict", report.get("state")) == ("valid" if says == "yes" else "declined")


# ---- the commands ----------------------------------------------------------------------------------------------------


@contextmanager
def served(home: Path, *words: str) -> Iterator[dict[str, Any]]:
    """`ouvrage verifier serve` as a process: its one line, and after the block that it ended well and logged nobody."""
    environment = {
        **os.environ, "OUVRAGE_HOME": str(home), "OUVRAGE_PASSPHRASE_FILE": str(home / "passphrase.txt"),
        "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error",
    }  # fmt: skip
    arguments = [sys.executable, "-m", "ouvrage", "verifier", "serve", "--port", "0", "--json", *words]
    with (
        (home / "log").open("w+") as log,
        subprocess.Popen(
            arguments, cwd=home, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, (home / "log").read_text()
            yield json.loads(line)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
        assert process.returncode == 0
    for text in (home / "log").read_text().splitlines():
        told = json.loads(text)
        assert told["level"] == "info", told
        assert not {"path", "url", "query"} & told.keys()


def test_the_whole_story_with_processes(tmp_path: Path) -> None:
    """Keys, a key for a system, a service, a request, a wallet that answers, the report, and erasing."""
    home = tmp_path
    (home / "passphrase.txt").write_text(PASSPHRASE + "\n")

    def verifier(*words: str | Path, ok: bool = True) -> Done:
        return ouvrage(home, "verifier", *words, ok=ok)

    told = verifier("keys", "try", "--host", "localhost", "--root", home / "root.pem", "--json").json
    assert told["hosts"] == ["localhost"]
    sealed = (home / "verifier" / "keys.json").read_text()
    assert told["did"][-20:] not in sealed
    verifier("api-key", "add", "lender", "--out", home / "key")
    assert [one["name"] for one in verifier("api-key", "list", "--json").json["keys"]] == ["lender"]
    now = datetime.now(UTC)
    listed = trust_file(now)
    (home / "trust.json").write_bytes(listed)

    ouvrage(home, "wallet", "init")
    (did,) = ouvrage(home, "wallet", "keys", "--count", "1", "--json").json["keys"]
    holder: Any = SimpleNamespace(did=did)
    (home / "held.json").write_bytes(to_json([credential(holder=holder, at=now)]))
    ouvrage(home, "wallet", "add", home / "held.json")

    asked = ("request", "--purpose", "credit.consumer.eu", "--claim", "Earnings.averageAtLeast12m>=1500", "--json")
    with served(home, "--host", "localhost", "--trust", str(home / "trust.json")) as line:
        assert line["clientId"] == "x509_san_dns:localhost"
        through = ("--server", line["base"], "--key-file", str(home / "key"))
        made = verifier(*asked, *through).json
        assert set(made) == {"request", "result"}
        assert verifier("result", made["result"], "--wait", "0", ok=False).code == 3
        ouvrage(home, "wallet", "present", made["request"], "--yes", "--root", home / "root.pem")
        done = verifier("result", made["result"], "--json")
        assert (done.json["verdict"], done.json["proven"][0]["issuer"]["name"]) == ("valid", "Example platform")
        assert "Example platform" in verifier("result", made["result"]).out
        declined = verifier(*asked, *through).json
        ouvrage(home, "wallet", "present", declined["request"], "--decline", "--root", home / "root.pem")
        assert verifier("result", declined["result"], ok=False).code == 1
        verifier("api-key", "revoke", "lender")
        refused = verifier(*asked, *through, ok=False)
        assert (refused.code, refused.json["error"]["code"]) == (1, "UNAUTHORIZED")
    purged = verifier("purge", "--json").json
    assert (purged["erased"], purged["held"]) == (0, 2)


def test_keys_and_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "passphrase.txt").write_text(PASSPHRASE + "\n")
    monkeypatch.setenv("OUVRAGE_PASSPHRASE_FILE", str(tmp_path / "passphrase.txt"))
    place: dict[str, Any] = {"home_dir": tmp_path, "as_json": True}

    def told() -> Any:
        return json.loads(capsys.readouterr().out)

    key_commands.show_command(**place)
    did = told()["did"]
    key_commands.csr_command(host=["check.example"], out=tmp_path / "one.csr", **place)
    told()
    made = x509.load_pem_x509_csr((tmp_path / "one.csr").read_bytes())
    assert made.is_signature_valid
    authority = root("An authority", 11)
    extensions = [(names("check.example"), False), (usage(signatures=True), True)]
    own = certify(
        "check.example", SimpleNamespace(public_key=made.public_key), authority, extensions=extensions, days=CENTURY
    )
    (tmp_path / "chain.pem").write_bytes(own.certificate.public_bytes(Encoding.PEM))
    key_commands.certify_command(tmp_path / "chain.pem", **place)
    assert told()["clientIds"][0] == "x509_san_dns:check.example"
    (tmp_path / "chain.pem").write_bytes(certified("check.example").certificate.public_bytes(Encoding.PEM))
    with pytest.raises(Rejected):  # for another key
        key_commands.certify_command(tmp_path / "chain.pem", **place)
    with pytest.raises(Malformed):
        key_commands.renew_command(**place)
    key_commands.renew_command(yes=True, **place)
    renewed = told()
    assert (renewed["did"] != did, renewed["hosts"]) == (True, [])
    kept = Keys.open(tmp_path / "verifier", rand=os.urandom)
    assert kept.signing.did == renewed["did"]
    for prefix in (SAN_DNS, HASH, "verifier_attestation"):
        with pytest.raises(VcError):
            identify(kept, "https://check.example", prefix)
    raw = (tmp_path / "verifier" / "keys.json").read_bytes()
    assert kept.signing.secret.hex().encode() not in raw
    with pytest.raises(Rejected):
        Keys.open(tmp_path / "verifier", rand=os.urandom, passphrase=lambda _: b"another passphrase")
    (tmp_path / "verifier" / "keys.json").write_text('{"version":1,"signing":"00","x5c":[],"secret":""}')
    with pytest.raises(Malformed):  # one that nobody has sealed
        Keys.open(tmp_path / "verifier", rand=os.urandom)


def trust_file(at: datetime) -> bytes:
    document: dict[str, Any] = {
        "type": "OuvrageTrust", "version": 1, "asOf": f"{at:%Y-%m-%d}T00:00:00Z",
        "issuers": [entry(issuer_keys())], "public": [],
    }  # fmt: skip
    for key in document["issuers"][0]["keys"]:
        key["validFrom"] = min(key["validFrom"], f"{at:%Y-%m}-01T00:00:00Z")
    return json.dumps(document).encode()


def test_a_request_in_a_file_names_who_asks(tmp_path: Path) -> None:
    words = ("request", "--purpose", "credit.consumer.eu", "--claim", "Earnings.averageAtLeast12m>=1500")
    done = ouvrage(tmp_path, "verifier", *words, "--out", tmp_path / "r.json", "--json", ok=False)
    assert (done.code, done.json["error"]["code"]) == (2, "USAGE")
    done = ouvrage(tmp_path, "verifier", *words, "--server", "http://127.0.0.1:1", "--json", ok=False)
    assert (done.code, done.json["error"]["code"]) == (2, "NO_API_KEY")
