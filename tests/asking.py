"""The verifier's service for tests: on this machine, at a fixed time, with the trust file of tests.line."""

import io
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import sqlalchemy as sa
from aiohttp import ClientSession
from cryptography import x509

from tests.line import AT, answer, trust
from tests.test_vcapi_http import serving
from vc.canon import parse_object
from vc.certificates import certify_oneself
from vc.did import did_jwk_method
from vc.io.fetch import fetch
from vc.io.keyfile import Lock
from vc.keys import P256Key
from vc.sealing import MIN_COST
from verifier.access import add_key
from verifier.asking import Ask
from verifier.database import Database
from verifier.deps import Deps, Hook
from verifier.identity import AUTO, identify
from verifier.keys import Keys
from verifier.service import Task, make
from verifier.sessions import Created, create
from verifier.tables import SESSION
from verifier.web.desk import Desk
from wallet.online import Asked, read_request

TOKEN: Final = "the-one-token-of-the-test"
DEMAND: Final = Ask("credit.consumer.eu", ("Earnings.averageAtLeast12m>=1500",), retention_days=30)
KEY: Final = P256Key.from_secret(b"\x07" * 32)
OWN: Final = Keys(
    P256Key.from_secret(b"\x07" * 32, did_jwk_method(KEY.public)), (), b"\x08" * 32, Lock(b"", MIN_COST, b"")
)


class Clock:
    """A clock that is set by hand."""

    def __init__(self, at: datetime = AT) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def later(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Service:
    """A service that runs, and what a client knows of it."""

    deps: Deps
    clock: Clock
    http: ClientSession
    key: str
    roots: tuple[x509.Certificate, ...] = ()

    def ask(self, **changes: Any) -> Created:
        return create(self.deps, replace(DEMAND, **changes))

    async def read(self, made: Created) -> Asked:
        return await read_request(
            made.link, ask=fetch, private=True, roots=self.roots, at=self.clock.at, rand=os.urandom
        )

    async def post(self, made: Created, form: dict[str, str] | bytes, **headers: str) -> tuple[int, dict[str, Any]]:
        """What the service tells who posts this as the answer."""
        raw = urlencode(form).encode() if isinstance(form, dict) else form
        sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        url = f"{self.deps.base}/response/{made.id}"
        async with self.http.post(url, data=io.BytesIO(raw), headers=sent) as reply:
            return reply.status, parse_object(await reply.read())

    async def result(self, made: Created, **query: str | int) -> tuple[int, dict[str, Any]]:
        async with self.http.get(f"{self.deps.base}/results/{made.secret}", params=query) as reply:
            return reply.status, parse_object(await reply.read())

    async def call(self, path: str, body: Any, key: str | None = None) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.key if key is None else key}"}
        async with self.http.post(self.deps.base + path, json=body, headers=headers) as reply:
            return reply.status, parse_object(await reply.read())

    def row(self, made: Created) -> Any:
        with self.deps.database.read() as connection:
            return connection.execute(SESSION.select().where(SESSION.c.id == made.id)).one()


def shown(asked: Asked, **more: Any) -> dict[str, Any]:
    """A true answer of the worker of tests.line."""
    return answer(asked.request, **more)


def hasty(connection: Any, _: Any) -> None:
    """What a test keeps does not have to outlive a power cut."""
    connection.execute("PRAGMA synchronous=OFF")


@asynccontextmanager
async def running(
    folder: Path,
    *,
    client: str = AUTO,
    certified: bool = False,
    hook: Hook | None = None,
    tasks: Sequence[Task] = (),
    rate: int = 10_000,
    known: Any = None,
    pages: bool = False,
) -> AsyncIterator[Service]:
    """A service until the block ends; ``certified`` by an authority of its own, for localhost."""
    clock, made, keys = Clock(), list[Deps](), OWN
    roots: tuple[x509.Certificate, ...] = ()
    if certified:
        x5c, pem = certify_oneself(OWN.signing.public, hosts=["localhost"], at=AT)
        keys, roots = OWN.certified(x5c), (x509.load_pem_x509_certificate(pem.encode()),)
    with Database.open(folder / "verifier.db") as database:
        sa.event.listen(database.engine, "connect", hasty)
        database.engine.dispose()
        key = add_key(database, "tests", now=0, rand=os.urandom)

        def make_app(listening: str) -> Any:
            base = listening.replace("127.0.0.1", "localhost")
            identity = identify(keys, base, client)
            trusted = known or trust
            deps = Deps(base, database, identity, keys.secret, trusted, clock, os.urandom, hook, rate)
            made.append(deps)
            return make(deps, tasks=tasks, desk=Desk(base, os.urandom, TOKEN) if pages else None)

        async with serving(make_app) as (_, http):
            yield Service(made[0], clock, http, key, roots)


__all__ = ["DEMAND", "TOKEN", "Clock", "Service", "running", "shown"]
