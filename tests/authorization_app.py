"""The authorization server alone, for its tests: its routes in an app, a clock that can be moved, a wallet's words."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from os import urandom
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from issuer import access, authorization, offers, pages, tokens
from issuer.config import Config
from issuer.database import Database
from issuer.deps import DEPS, Deps
from issuer.keyring import KeyRing
from issuer.offers import AUTHORIZATION_CODE, PRE_AUTHORIZED, Made, TxCode, choose, default_formats, make_offer
from issuer.tables import OFFER
from tests.databases import sample_statements
from vc.canon import Json
from vc.dpop import make_dpop
from vc.io.web import new_web_app
from vc.keys import P256Key
from vc.multibase import encode_base64url

BASE: Final = "https://issuer.example"
WALLET: Final = "https://wallet.example/cb"
CLIENT: Final = "wallet"
VERIFIER: Final = "v" * 43
CHALLENGE: Final = encode_base64url(sha256(VERIFIER.encode()).digest())
BOTH: Final = (PRE_AUTHORIZED, AUTHORIZATION_CODE)
WORKER: Final = "worker-1"

REQUEST: Final[Mapping[str, str]] = {
    "response_type": "code",
    "client_id": CLIENT,
    "redirect_uri": WALLET,
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "state": "of the wallet",
    "scope": "Earnings_bbs-2023 Rating_sd-jwt",
}


@dataclass
class Clock:
    """The time, moved by hand."""

    now: datetime = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class World:
    """Everything around one issuer; ``client`` asks its first replica."""

    database: Database
    clock: Clock
    deps: Deps
    clients: list[TestClient[Any, Any]] = field(default_factory=list)

    @property
    def client(self) -> TestClient[Any, Any]:
        return self.clients[0]

    def offer(
        self,
        *,
        worker: str = WORKER,
        tx_code: TxCode | None = None,
        grants: tuple[str, ...] = BOTH,
        types: tuple[str, ...] = (),
        **more: Any,
    ) -> tuple[Made, dict[str, Any]]:
        """An offer, and its object."""
        config = self.deps.config
        with self.database.write() as connection:
            chosen = choose(
                connection, worker, types=types, formats=default_formats(haip=config.haip), k=config.k, allowed=()
            )
            made = make_offer(
                connection,
                worker,
                chosen,
                base=config.base,
                grants=grants,
                tx_code=tx_code,
                lifetime=config.offer_lifetime,
                now=self.deps.seconds,
                rand=urandom,
                **more,
            )
            row = connection.execute(OFFER.select().where(OFFER.c.id == made.id)).one()
        return made, json.loads(row.body)

    async def token(self, *replica: int, **form: Any) -> tuple[int, dict[str, Any]]:
        """A token request to a replica, with ``headers``; the status and the body."""
        headers = form.pop("headers", None)
        answer = await self.clients[sum(replica)].post("/token", data=form, headers=headers)
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.status, await answer.json()

    async def claim(self, **more: Any) -> dict[str, Any]:
        """The tokens of a new offer."""
        _, offer = self.offer()
        status, body = await self.token(**code_form(offer), **more)
        assert status == 200, body
        return body

    def proof(
        self, key: P256Key, path: str, *, method: str = "POST", nonce: str | None = None, token: str | None = None
    ) -> dict[str, str]:
        """A header with a DPoP proof."""
        url = f"{self.deps.config.base}{path}"
        made = make_dpop(key, method=method, url=url, at=self.clock.now, rand=urandom, nonce=nonce, access_token=token)
        return {"DPoP": made}

    async def nonce(self, path: str = "/token") -> str:
        """A server's nonce, as a wallet gets it."""
        answer = await self.client.post(
            path,
            data={"grant_type": "refresh_token", "refresh_token": "x", **REQUEST},
            headers=self.proof(P256Key.generate(urandom), path),
        )
        assert (await answer.json())["error"] == "use_dpop_nonce"
        return answer.headers["DPoP-Nonce"]

    def change(self, **settings: Any) -> None:
        """Other settings, for all replicas."""
        self.deps = replace(self.deps, config=replace(self.deps.config, **settings))
        for client in self.clients:
            assert client.app is not None
            client.app._state[DEPS] = self.deps  # the app is frozen; its settings are the test's


def code_form(offer: Mapping[str, Any]) -> dict[str, str]:
    """The token request for an offer."""
    return {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": offer["grants"][PRE_AUTHORIZED]["pre-authorized_code"]}


def query_of(location: str) -> dict[str, str]:
    """The parameters of a redirect, each of which is there once."""
    pairs = parse_qsl(urlsplit(location).query, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def make_app(deps: Deps) -> web.Application:
    """The routes of the authorization server, and one that needs a token."""
    app = new_web_app()
    app[DEPS] = deps
    for route in (*authorization.ROUTES, *tokens.ROUTES, *offers.ROUTES, *pages.ROUTES):
        app.router.add_route(route.method, route.path, route.handler)

    async def whoami(request: web.Request) -> web.Response:
        found = await access.allowed(request)
        said: Json = {"worker": found.worker, "configurations": list[Json](found.configurations)}
        return web.json_response(said)

    app.router.add_post("/whoami", whoami)
    return app


@asynccontextmanager
async def running(
    database: Database, ring: KeyRing, *, replicas: int = 1, port: int | None = None, **settings: Any
) -> AsyncIterator[World]:
    """A world with one worker's statements, whose crowds are answered for."""
    clock = Clock()
    given = {"base": BASE, "k": 2, "allow_few": (), **settings}
    deps = Deps(Config(**given), database, lambda: ring, lambda: clock.now, urandom)
    sample_statements(database, WORKER)
    sample_statements(database, "worker-2")
    world = World(database, clock, deps)
    for _ in range(replicas):
        client = TestClient(TestServer(make_app(deps), port=port))
        await client.start_server()
        world.clients.append(client)
    try:
        yield world
    finally:
        for client in world.clients:
            await client.close()
