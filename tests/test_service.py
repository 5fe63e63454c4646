"""The service around its endpoints: paths, descriptions, health, logs, a graceful end. On real sockets."""

import asyncio
import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector, web

from issuer.config import Config
from issuer.database import Database
from issuer.deps import DEPS, Deps
from issuer.metrics import METRICS, new_metrics
from issuer.service import ROUTES, mounted
from issuer.tables import SETTING
from issuer.tasks import every
from issuer.tasks import running as running_tasks
from tests.cli import PASSPHRASE, ROOT, ouvrage
from tests.issuing import AT, BBS, JWT, attest, new_keys, new_ring, running
from tests.test_vcapi_http import command
from vc.errors import Malformed
from vc.io import logs
from vc.io.web import MAX_BODY, STOPPING, checked_base
from vc.jose import parse_jws, verify_jws
from vc.keys import P256Key
from work.types import TYPES
from work.vct import DOCUMENTS

METADATA = "/.well-known/openid-credential-issuer"


# ---- the description is true -----------------------------------------------------------------------------------------


async def test_the_service_does_what_its_description_says(database: Database, tmp_path: Path) -> None:
    """Schemathesis asks every endpoint for what the description allows, and for much that it does not."""
    attest(database)
    async with running(database) as service:
        token = service.grant(BBS, JWT)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{service.base}/openapi.json"),
            # What a request has to be signed with cannot be said in a schema: valid ones are made in other tests.
            *("--exclude-checks", "positive_data_acceptance", "--phases", "examples,coverage,fuzzing"),
            *("--max-examples", "5", "--seed", "1", "--workers", "1", "--warnings", "off", "--no-color"),
            *("--header", f"Authorization: Bearer {token}", "--generation-database", "none"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out = (await process.communicate())[0].decode()
    assert process.returncode == 0, out[-6000:]
    tested = re.search(r"Operations:\s+(\d+)", out) or re.search(r"(\d+) selected", out)
    assert tested, out[-3000:]


async def test_the_description_lists_every_public_route(database: Database) -> None:
    async with running(database, path="/work") as service:
        described = (await service.ask("GET", "/openapi.json")).json
    assert described["openapi"] == "3.1.0"
    paths = described["paths"]
    assert {"/work/credential", "/work/nonce", "/work/openapi.json", f"{METADATA}/work", f"/work{METADATA}"} <= set(
        paths
    )
    listed = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    public = [route for route in ROUTES if route.public]
    expected = {(one.method, re.sub(r"\{(\w+):[^}]*\}", r"{\1}", path)) for path, one in mounted(service.base, public)}
    assert listed == expected | {("GET", "/work/openapi.json")}
    assert paths["/work/credential"]["post"]["security"] == [{"accessToken": []}]


# ---- where things are ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/work", "/a/b"])
async def test_metadata_is_at_both_places_when_the_issuer_has_a_path(database: Database, path: str) -> None:
    async with running(database, path=path) as service:
        host = service.base.removesuffix(path)
        answers = [await service.ask("GET", host + METADATA + path)]
        answers.append(await service.ask("GET", host + path + METADATA))
        assert [answer.status for answer in answers] == [200, 200]
        assert answers[0].json == answers[1].json
        assert answers[0].json["credential_issuer"] == service.base
        for member in ("credential", "nonce", "deferred_credential", "notification"):
            at = answers[0].json[f"{member}_endpoint"]
            assert at.startswith(f"{service.base}/")
            assert (await service.ask("GET", at)).status == 405
        if path:
            assert (await service.ask("GET", host + METADATA)).status == 404


@pytest.mark.parametrize(
    ("base", "made"),
    [
        ("https://issuer.example/", "https://issuer.example"),
        ("https://issuer.example:8443/work", "https://issuer.example:8443/work"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://issuer.example", None),
        ("https://", None),
        ("issuer.example", None),
        ("https://issuer.example/?a", None),
        ("https://issuer.example/#a", None),
        ("https://me:secret@issuer.example", None),
        ("https://issuer.example/{a}", None),
        ("https://issuer.example:port", None),
        ("ftp://issuer.example", None),
        ("https://exämple.example", None),
    ],
)
def test_what_a_credential_issuer_identifier_is(base: str, made: str | None) -> None:
    if made is None:
        with pytest.raises(Malformed) as caught:
            checked_base(base, development=False)
        assert caught.value.code == "BAD_BASE"
    else:
        assert checked_base(base, development=False) == made
    assert checked_base("http://issuer.example", development=True) == "http://issuer.example"


# ---- metadata --------------------------------------------------------------------------------------------------------


async def test_metadata_says_what_there_is_in_both_languages(database: Database) -> None:
    async with running(database) as service:
        said = (await service.ask("GET", METADATA)).json
    assert said["display"] == [{"name": "Plateforme", "locale": "en"}, {"name": "Plateforme", "locale": "fr"}]
    assert said["batch_credential_issuance"] == {"batch_size": 50}
    configurations = said["credential_configurations_supported"]
    assert len(configurations) == 3 * sum(kind.signer == "issuer" and kind.about == "worker" for kind in TYPES.values())
    linked, token = configurations[BBS], configurations[JWT]
    assert linked["scope"] == BBS
    assert linked["format"] == "ldp_vc"
    assert linked["credential_definition"]["type"] == ["VerifiableCredential", "EarningsCredential"]
    assert linked["credential_signing_alg_values_supported"] == ["bbs-2023"]
    assert set(linked["proof_types_supported"]) == {"jwt", "di_vp"}
    assert token["format"] == "dc+sd-jwt"
    assert token["vct"] == TYPES["Earnings"].vct
    assert token["credential_signing_alg_values_supported"] == ["ES256"]
    assert set(token["proof_types_supported"]) == {"jwt"}
    for one in configurations.values():
        assert one["cryptographic_binding_methods_supported"] == ["did:key", "did:jwk", "jwk"]
        described = one["credential_metadata"]
        assert [entry["locale"] for entry in described["display"]] == ["en", "fr"]
        for claim in described["claims"]:
            assert [entry["locale"] for entry in claim["display"]] == ["en", "fr"]
            assert all(entry["name"] for entry in claim["display"])
    paths = [claim["path"] for claim in linked["credential_metadata"]["claims"]]
    assert ["credentialSubject", "currency"] in paths
    assert ["currency"] in [claim["path"] for claim in token["credential_metadata"]["claims"]]


async def test_metadata_is_signed_for_who_asks(database: Database) -> None:
    async with running(database) as service:
        plain = await service.ask("GET", METADATA, headers={"Accept": "application/json, */*"})
        answer = await service.ask("GET", METADATA, headers={"Accept": "application/jwt"})
        keys = service.deps.keyring().signing(AT)
    assert plain.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Type"] == "application/jwt"
    jws = parse_jws(answer.raw.decode())
    signed = json.loads(verify_jws(jws, keys.jwt.public, typ="openidvci-issuer-metadata+jwt"))
    assert jws.header["kid"] == keys.jwt.verification_method
    assert signed["sub"] == service.base
    assert signed["iat"] <= AT.timestamp() < signed["exp"]
    assert {name: value for name, value in signed.items() if name not in ("iss", "sub", "iat", "exp")} == plain.json


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("application/jwt;q=0.5, application/json", "json"),
        ("application/json;q=0.1,application/jwt;q=0.9", "jwt"),
        ("application/jwt;q=0", "json"),
        ("application/jwt;q=x", "json"),
        ("APPLICATION/JWT", "jwt"),
    ],
)
async def test_negotiation(database: Database, accept: str, kind: str) -> None:
    async with running(database) as service:
        answer = await service.ask("GET", METADATA, headers={"Accept": accept})
    assert (answer.status, answer.headers["Content-Type"]) == (200, f"application/{kind}")
    assert "Accept" in answer.headers["Vary"]


async def test_who_has_it_is_not_sent_it_again(database: Database) -> None:
    async with running(database) as service:
        for path in (METADATA, "/openapi.json", "/vct/Earnings"):
            first = await service.ask("GET", path)
            tag = first.headers["ETag"]
            assert first.headers["Content-Encoding"] == "gzip"
            again = await service.ask("GET", path, headers={"If-None-Match": tag})
            assert (again.status, again.raw, again.headers["ETag"]) == (304, b"", tag)
            other = await service.ask("GET", path, headers={"If-None-Match": '"other"', "Accept-Encoding": "identity"})
            assert (other.status, other.raw) == (200, first.raw)
            assert other.headers["ETag"] != tag
            head = await service.ask("HEAD", path, headers={"Accept-Encoding": "identity"})
            assert (head.status, head.raw, head.headers["Content-Length"]) == (200, b"", str(len(first.raw)))
        types = await service.ask("GET", "/vct/Earnings")
        assert types.raw == DOCUMENTS[TYPES["Earnings"].vct]
        assert (await service.ask("GET", "/vct/Nothing")).status == 404


# ---- headers ---------------------------------------------------------------------------------------------------------


async def test_headers_of_every_answer(database: Database) -> None:
    async with running(database) as service:
        answers = [await service.ask(*asked) for asked in (("GET", METADATA), ("POST", "/credential"), ("GET", "/x"))]
        assert [answer.status for answer in answers] == [200, 401, 404]
        for answer in answers:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Server"] == "ouvrage"
            assert "Strict-Transport-Security" not in answer.headers
        assert [answer.headers["Cache-Control"] for answer in answers] == [
            "public, max-age=300",
            "no-store",
            "no-store",
        ]


async def test_wallets_in_browsers(database: Database) -> None:
    page = {"Origin": "https://wallet.example", "Access-Control-Request-Method": "POST"}
    async with running(database) as service:
        for path in ("/nonce", "/credential", "/token", METADATA):
            asked = await service.ask("OPTIONS", path, headers=page)
            assert asked.status == 204
            assert asked.headers["Access-Control-Allow-Origin"] == "*"
            assert "DPoP" in asked.headers["Access-Control-Allow-Headers"]
            assert "Access-Control-Allow-Credentials" not in asked.headers
        refused = await service.ask("POST", "/credential", headers=page)
        assert refused.headers["Access-Control-Allow-Origin"] == "*"
        assert "WWW-Authenticate" in refused.headers["Access-Control-Expose-Headers"]
        for path in ("/metrics", "/readyz", "/admin/"):
            asked = await service.ask("OPTIONS", path, headers=page)
            assert "Access-Control-Allow-Origin" not in asked.headers
            assert "Access-Control-Allow-Origin" not in (await service.ask("GET", path)).headers


async def test_bodies_have_bounds(database: Database) -> None:
    async with running(database) as service:
        large = io.BytesIO(b" " * (MAX_BODY + 1))
        answer = await service.ask("POST", "/credential", data=large, headers={"Content-Type": "application/json"})
        assert (answer.status, answer.json["code"]) == (413, "TOO_LARGE")
        packed = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        answer = await service.ask("POST", "/credential", data=b"not gzip", headers=packed)
        assert answer.status == 400


# ---- health ----------------------------------------------------------------------------------------------------------


async def test_readiness_follows_the_database_and_the_end(database: Database) -> None:
    async with running(database) as service:
        assert [(await service.ask("GET", path)).status for path in ("/healthz", "/readyz")] == [200, 200]
        service.app[STOPPING].set()
        stopping = await service.ask("GET", "/readyz")
        assert (stopping.status, stopping.json["code"]) == (503, "STOPPING")
        assert (await service.ask("GET", "/healthz")).status == 200
        assert (await service.ask("GET", METADATA)).status == 200


async def test_strangers_do_not_make_the_keys_sign(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is kept elsewhere costs something each time."""
    ring, real = new_ring(), P256Key.sign
    signed: list[bytes] = []

    def sign(key: P256Key, data: bytes) -> bytes:
        signed.append(data)
        return real(key, data)

    monkeypatch.setattr(P256Key, "sign", sign)
    async with running(database, ring=ring) as service:
        for _ in range(3):
            assert (await service.ask("GET", "/readyz")).status == 200
        assert signed == [b"ready"] * 2
        signed.clear()
        first = [await service.ask("GET", METADATA, headers={"Accept": "application/jwt"}) for _ in range(3)]
        assert len(signed) == len({one.raw for one in first}) == 1
        service.clock.forward(hours=1)
        await service.ask("GET", METADATA, headers={"Accept": "application/jwt"})
        assert len(signed) == 2


async def test_nothing_is_measured_for_everybody(database: Database) -> None:
    async with running(database) as service:
        for given in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer"}):
            assert (await service.ask("GET", "/metrics", headers=given)).status == 401
    async with running(database, development=True) as service:
        assert (await service.ask("GET", "/metrics")).status == 200


async def test_not_ready_without_a_database(tmp_path: Path) -> None:
    with Database.open(tmp_path / "issuer.db") as database:
        async with running(database) as service:
            database.close()
            (tmp_path / "issuer.db").unlink()
            (tmp_path / "issuer.db").mkdir()
            answer = await service.ask("GET", "/readyz")
            assert answer.status >= 400
            assert (await service.ask("GET", "/healthz")).status == 200
            (tmp_path / "issuer.db").rmdir()


# ---- nothing about anybody -------------------------------------------------------------------------------------------


async def test_logs_and_metrics_hold_no_secret(database: Database) -> None:
    lines = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    logs.start(lines)
    secrets = {"worker": "canary-worker", "query": "canary-query", "path": "canary-path", "agent": "canary-agent"}
    try:
        attest(database, worker=secrets["worker"])
        async with running(database, metrics_token="canary-token") as service:
            token = service.grant(BBS, worker=secrets["worker"])
            body = await service.request(BBS, new_keys())
            issued = await service.post("/credential", body, token, **{"User-Agent": secrets["agent"]})
            assert issued.status == 200
            await service.ask("GET", f"/{secrets['path']}?{secrets['query']}")
            await service.ask("GET", f"/offers/{secrets['path']}?{secrets['query']}")
            await service.ask("PROPFIND", "/nonce")
            await service.post("/credential", b'"canary-body"', token)
            logging.getLogger("aiohttp.server").error("%s", "canary-message")
            logging.getLogger("ouvrage.web").error("%s", "one of ours")
            assert (await service.ask("GET", "/metrics")).status == 401
            assert (await service.ask("GET", "/metrics", headers={"Authorization": "Bearer canary"})).status == 401
            allowed = {"Authorization": "Bearer canary-token"}
            metrics = (await service.ask("GET", "/metrics", headers=allowed)).raw.decode()
    finally:
        root.handlers, root.level = before, level
    written = lines.getvalue()
    proof, nonce = body["proofs"]["jwt"][0], (issued.json["notification_id"])
    for secret in (*secrets.values(), token, proof, nonce, "canary", "CANARY", "127.0.0.1"):
        assert secret not in written, secret
        assert secret not in metrics, secret
    entries = [json.loads(line) for line in written.splitlines()]
    requests = [one for one in entries if one["log"] == "ouvrage.request"]
    assert {"time", "level", "log", "message", "method", "route", "status", "milliseconds", "request"} == set(
        requests[0]
    )
    assert ("POST", "/credential", 200) in [(one["method"], one["route"], one["status"]) for one in requests]
    assert ("GET", "/offers/{id}", 404) in [(one["method"], one["route"], one["status"]) for one in requests]
    assert ("other", "(none)", 405) in [(one["method"], one["route"], one["status"]) for one in requests]
    assert issued.headers["X-Request-Id"] in {one["request"] for one in requests}
    assert "one of ours" in written
    assert 'ouvrage_requests_total{method="POST",route="/credential",status="200"} 1.0' in metrics
    assert 'ouvrage_credentials_signed_total{format="bbs-2023"} 1.0' in metrics
    assert 'ouvrage_credentials{format="bbs-2023"} 1.0' in metrics
    assert 'ouvrage_key_age_seconds{role="jwt"}' in metrics


# ---- the command -----------------------------------------------------------------------------------------------------


@contextmanager
def started(home: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """``ouvrage issuer serve`` as a process. It is stopped here where a test that failed has not."""
    (home / "passphrase.txt").write_text(PASSPHRASE + "\n")
    environment = {
        **os.environ,
        "OUVRAGE_HOME": str(home),
        "OUVRAGE_PASSPHRASE_FILE": str(home / "passphrase.txt"),
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "error",
    }
    arguments = [sys.executable, "-m", "ouvrage", "issuer", "serve", "--json", *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, cwd=home, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()  # nothing happens to one that has ended


async def test_issuer_serve(tmp_path: Path) -> None:
    with started(tmp_path, "--tls") as process:
        assert process.stdout is not None
        line: dict[str, Any] = json.loads(process.stdout.readline())
        assert set(line) == {"base", "metadata", "issuer"}
        assert line["base"].startswith("https://127.0.0.1:")
        assert line["metadata"] == line["base"] + METADATA
        assert line["issuer"].startswith("did:key:z")
        connector = TCPConnector(ssl=False)
        async with ClientSession(connector=connector) as session, session.get(line["metadata"]) as answer:
            assert (await answer.json())["credential_issuer"] == line["base"]
            assert answer.headers["Strict-Transport-Security"]
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert (out, process.returncode) == ("", 0), err
    assert [json.loads(text)["status"] for text in err.splitlines()] == [200]
    with Database.open(tmp_path / "issuer" / "issuer.db") as database, database.read() as connection:
        (row,) = connection.execute(SETTING.select().where(SETTING.c.name == "base")).all()
    assert row.value == line["base"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--base", "http://issuer.example"], "BAD_BASE"),
        (["--test-login"], "TEST_LOGIN"),
        (["--haip"], "BAD_CONFIG"),
        (["--cert", "x.pem"], "USAGE"),
        (["--cert", "x.pem", "--key", "y.pem"], "BAD_CERTIFICATE"),
        (["--config", "missing.toml"], None),
        (["--database", "mysql://x"], "UNSUPPORTED"),
    ],
)
def test_what_cannot_be_served(tmp_path: Path, words: list[str], code: str | None) -> None:
    done = ouvrage(tmp_path, "issuer", "serve", "--json", *words, ok=False)
    assert done.code in (2, 3), done.err
    assert code in (None, done.json["error"]["code"])


def test_a_config_file(tmp_path: Path) -> None:
    path = tmp_path / "issuer.toml"
    path.write_text(
        'base = "https://a.example"\nhold = ["Earnings"]\nbatch_size = 5\n'
        '[login]\nissuer = "https://b"\nclient_id = "c"\n'
    )
    config = Config.load(path, base="https://d.example", haip=None)
    assert (config.base, config.hold, config.batch_size) == ("https://d.example", ("Earnings",), 5)
    assert config.login is not None
    assert (config.login.client_id, config.login.worker_claim, config.haip) == ("c", "sub", False)
    for text in (
        "basis = 1",
        "batch_size = true",
        "batch_size = 0",
        "access_lifetime = 0",
        "batch_size = '5'",
        "hold = [1]",
        "[login]\nissuer = 'x'",
        "= 1",
        "k = -1",
    ):
        path.write_text(text)
        with pytest.raises(Malformed) as caught:
            Config.load(path)
        assert caught.value.code == "BAD_CONFIG", text


def test_signing_for_whoever_asks_has_to_be_asked_for(tmp_path: Path) -> None:
    with command(tmp_path, "issuer", "serve", "--vc-api") as line:
        assert set(line["issuers"]) == {"bbs-2023", "eddsa-rdfc-2022", "eddsa-jcs-2022"}


def test_every_setting_is_described() -> None:
    page = (ROOT / "docs" / "issuer-service.md").read_text(encoding="utf-8")
    described = re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE)
    assert described == [one.name for one in fields(Config)]


async def test_a_task_that_fails_is_counted_and_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done, told, app = asyncio.Event(), asyncio.Event(), web.Application()
    monkeypatch.setattr("issuer.tasks.say", lambda *_, **__: told.set())
    loop = asyncio.get_running_loop()

    def fault(_deps: Deps) -> None:
        raise RuntimeError("about somebody")

    def work(_deps: Deps) -> None:
        loop.call_soon_threadsafe(done.set)

    with Database.open(tmp_path / "issuer.db") as database:
        app[DEPS] = Deps(Config(), database, new_ring, lambda: AT, os.urandom)
        app[METRICS] = new_metrics()
        app.cleanup_ctx.append(running_tasks([every(3600, "fault", fault), every(3600, "work", work)]))
        runner = web.AppRunner(app)
        await runner.setup()
        await asyncio.wait_for(done.wait(), 30)
        await asyncio.wait_for(told.wait(), 30)
        await runner.cleanup()
    assert app[METRICS].faults.labels("fault")._value.get() == 1
    assert app[METRICS].faults.labels("work")._value.get() == 0
