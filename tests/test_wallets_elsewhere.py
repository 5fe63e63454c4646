"""A wallet by another hand fetches from the service, with every grant; what it got is verified as a holder does."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from issuer import deferrals, events
from issuer.keyring import KeyRing
from issuer.keys import create
from issuer.offers import Made, TxCode, make_offer
from issuer.tables import DEFERRAL, EVENT
from tests.databases import *  # noqa: F403
from tests.form_browser import Browser, new_session
from tests.issuing import BBS, JWT, SD, Clock, Running, attest, running
from tests.node import FOLDER
from tests.work_samples import CLAIMS
from vc.offer import AUTHORIZATION_CODE, PRE_AUTHORIZED
from vc.sdjwt_issuer import find_self_described
from vc.sdjwt_vc import hold_credential
from vc.secure import hold
from work import CONTEXTS
from work.vct import DOCUMENTS

REDIRECT = "http://127.0.0.1:9/callback"


@dataclass
class Elsewhere:
    """The other wallet: one line of JSON in, one line out, several times."""

    process: asyncio.subprocess.Process

    async def told(self, **job: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(job).encode() + b"\n")
        await self.process.stdin.drain()
        line = await asyncio.wait_for(self.process.stdout.readline(), 60)
        answer: dict[str, Any] = json.loads(line)
        assert "error" not in answer, answer
        return answer


@asynccontextmanager
async def elsewhere() -> AsyncIterator[Elsewhere]:
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules" / "@openid4vc").is_dir():
        pytest.skip("needs node, and in tests/npm: npm install")
    process = await asyncio.create_subprocess_exec(
        node,
        "--preserve-symlinks",  # the packages may be linked in from elsewhere
        "wallet.mjs",
        cwd=FOLDER,
        limit=1 << 22,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Elsewhere(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Now(Clock):
    """The clock of this machine: the other wallet goes by it."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


@asynccontextmanager
async def issuing(database: Any, **settings: Any) -> AsyncIterator[Running]:
    """The service with one worker's earnings, at the time that it really is."""
    attest(database)
    now = datetime.now(UTC)
    ring = KeyRing.of(create(os.urandom), secret=os.urandom(32), at=now - timedelta(days=2))
    async with running(database, ring=ring, clock=Now(), **settings) as service:
        yield service


def offered(service: Running, *, grant: str = PRE_AUTHORIZED, tx_code: TxCode | None = None, **more: Any) -> Made:
    with service.deps.database.write() as connection:
        return make_offer(
            connection,
            "worker-1",
            (BBS, SD, JWT),
            base=service.base,
            grants=(grant,),
            tx_code=tx_code,
            lifetime=600,
            now=service.deps.seconds,
            rand=os.urandom,
            **more,
        )


def check(got: dict[str, Any], *, copies: int) -> None:
    """Every copy is what its holder can keep, in each of the formats, and no two are bound to one key."""
    holders = set()
    for body in got["credentials"][JWT]:
        held = hold_credential(body, find_issuer=find_self_described, at=datetime.now(UTC), types=DOCUMENTS)
        assert held.claims["currency"] == CLAIMS["Earnings"]["currency"]
        holders.add(json.dumps(held.claims["cnf"]))
    for configuration in (BBS, SD):
        for document in got["credentials"][configuration]:
            hold(document, contexts=CONTEXTS)
            holders.add(document["credentialSubject"]["id"])
    assert len(holders) == 3 * copies


JOB: dict[str, Any] = {"configurations": [BBS, SD, JWT], "copies": 2, "alg": "ES256", "binding": "jwk", "dpop": True}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dpop": False, "alg": "EdDSA", "binding": "did"},
        {"alg": "ES384", "binding": "did", "copies": 5},
        {"refresh": True, "client": "https://wallet.example"},
        {"refresh": True, "dpop": False},
    ],
    ids=lambda changes: "-".join(f"{name}={value}" for name, value in changes.items()) or "plain",
)
async def test_a_pre_authorized_code(database: Any, changes: dict[str, Any]) -> None:
    job = {**JOB, **changes}
    async with issuing(database) as service, elsewhere() as wallet:
        got = await wallet.told(offer=offered(service).link, **job)
    assert got["tokenType"] == ("DPoP" if job["dpop"] else "Bearer")
    check(got, copies=job["copies"])


async def test_a_transaction_code_and_an_offer_by_value(database: Any) -> None:
    async with issuing(database) as service, elsewhere() as wallet:
        made = offered(service, tx_code=TxCode.NUMERIC, by_value=True)
        got = await wallet.told(offer=made.link, txCode=made.tx_code, notify=True, **JOB)
        with service.deps.database.read() as connection:
            kinds = set(connection.execute(sa.select(EVENT.c.kind)).scalars())
    check(got, copies=2)
    assert got["notified"]
    assert {events.Kind.CREDENTIAL_ISSUED, events.Kind.NOTIFICATION} <= kinds


@pytest.mark.parametrize("dpop", [True, False])
async def test_an_authorization_code_with_pushed_request_and_login(database: Any, *, dpop: bool) -> None:
    async with issuing(database, development=True, test_login=True) as service, elsewhere() as wallet:
        job = {**JOB, "dpop": dpop, "client": "https://wallet.example", "redirect": REDIRECT}
        begun = await wallet.told(offer=offered(service, grant=AUTHORIZATION_CODE).link, **job)
        assert "request_uri=" in begun["authorize"]
        async with new_session() as session:
            browser = Browser(session, frozenset({urlsplit(service.base).netloc}))
            page = await browser.open(begun["authorize"])
            page = await browser.send(page, worker="worker-1")
            await browser.send(page, answer="yes")
        assert browser.left_for.startswith(REDIRECT)
        got = await wallet.told(redirected=browser.left_for)
    check(got, copies=2)


async def test_a_credential_that_somebody_has_to_approve(database: Any) -> None:
    async with issuing(database, hold=("Earnings",)) as service, elsewhere() as wallet:
        waiting = await wallet.told(offer=offered(service).link, **{**JOB, "configurations": [JWT]})
        with service.deps.database.write() as connection:
            (name,) = connection.execute(sa.select(DEFERRAL.c.id)).scalars()
            deferrals.decide(connection, name, deferrals.APPROVED)
        got = await wallet.told(go=True)
    assert waiting["deferred"]
    assert len(got["credentials"][JWT]) == 2
