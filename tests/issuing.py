"""A running issuer for the tests: its own database, keys and clock, and a wallet that knows how to ask."""

import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import ClientSession, web

from issuer.config import Config
from issuer.database import Database
from issuer.deps import DEPS, Deps
from issuer.keyring import KeyRing
from issuer.keys import create
from issuer.service import make
from issuer.store import Store
from issuer.tables import SESSION
from issuer.tickets import Kind, hand_out
from tests.test_vcapi_http import serving
from tests.work_samples import CLAIMS
from vc.keyproof import make_jwt_proof
from vc.keys import P256Key, Signer
from work.statement import Statement

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
WORKER = "worker-1"
BBS, SD, JWT = (f"Earnings_{form}" for form in ("bbs-2023", "ecdsa-sd-2023", "sd-jwt"))


@dataclass
class Clock:
    """What time it is, for the service."""

    at: datetime = AT

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: int) -> None:
        self.at += timedelta(**by)


@dataclass(frozen=True)
class Answered:
    """What came back."""

    status: int
    headers: Any
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def error(self) -> tuple[int, str]:
        assert self.headers["Content-Type"].startswith("application/json"), self.raw
        assert self.headers["Cache-Control"] == "no-store"
        assert self.json["error_description"]
        return self.status, self.json["error"]


@dataclass(frozen=True)
class Running:
    """A service that runs, and a wallet in front of it."""

    deps: Deps
    clock: Clock
    session: ClientSession
    app: web.Application

    @property
    def base(self) -> str:
        return self.deps.config.base

    async def ask(self, method: str, path: str, **arguments: Any) -> Answered:
        url = path if path.startswith("http") else self.base + path
        async with self.session.request(method, url, **arguments) as answer:
            return Answered(answer.status, answer.headers, await answer.read())

    async def post(self, path: str, body: Any, token: str | None = None, **headers: str) -> Answered:
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.ask("POST", path, data=raw, headers={"Content-Type": "application/json", **headers})

    def grant(self, *names: str, worker: str = WORKER, identified: bool = False, session: str = "session-1") -> str:
        """An access token for credential configurations, as the token endpoint gives one."""
        now = self.deps.seconds
        with self.deps.database.write() as connection:
            if connection.execute(SESSION.select().where(SESSION.c.id == session)).first() is None:
                connection.execute(
                    SESSION.insert().values(
                        id=session,
                        offer=None,
                        worker=worker,
                        client="",
                        configurations=json.dumps(names),
                        identified=identified,
                        jkt=None,
                        state="granted",
                        created=now,
                        expires=now + 10**7,
                    )
                )
            body = {"configurations": list(names)}
            secret = os.urandom(32)
            return hand_out(connection, Kind.ACCESS, secret, expires=now + 10**7, session=session, body=body)

    async def nonce(self) -> str:
        return str((await self.ask("POST", "/nonce")).json["c_nonce"])

    def proof(self, key: Signer, nonce: str, **header: Any) -> str:
        return make_jwt_proof(key, audience=self.base, nonce=nonce, at=self.clock.at, header=header)

    async def request(self, name: str, keys: Sequence[Signer], **more: Any) -> dict[str, Any]:
        """The body of a credential request for keys."""
        nonce = await self.nonce()
        return {
            "credential_configuration_id": name,
            "proofs": {"jwt": [self.proof(key, nonce) for key in keys]},
            **more,
        }


def new_keys(count: int = 1) -> list[P256Key]:
    return [P256Key.generate(os.urandom) for _ in range(count)]


def attest(database: Database, worker: str = WORKER, source: str = "test", **claims: Any) -> Statement:
    """Put a statement about a worker's earnings into the database."""
    statement = Statement("Earnings", worker, {**CLAIMS["Earnings"], **claims})
    Store(database).add_statements([statement], source=source)
    return statement


@asynccontextmanager
async def running(
    database: Database, *, ring: KeyRing | None = None, clock: Clock | None = None, path: str = "", **settings: Any
) -> AsyncIterator[Running]:
    """The service over a database, with crowds of one unless told otherwise."""
    clock = clock or Clock()
    ring = ring or new_ring()
    made: list[web.Application] = []

    def app(base: str) -> web.Application:
        config = Config(base=base + path, **{"k": 1, **settings})
        made.append(make(Deps(config, database, lambda: ring, clock, os.urandom), tasks=()))
        return made[0]

    async with serving(app) as (_, session):
        yield Running(made[0][DEPS], clock, session, made[0])


def new_ring() -> KeyRing:
    own = replace(create(os.urandom), name="Plateforme")
    return KeyRing.of(own, secret=os.urandom(32), at=AT - timedelta(days=30))
