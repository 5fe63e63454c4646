"""HAIP 1.0 at the authorization server: pushed requests, DPoP, and wallets that their provider vouches for."""

from collections.abc import AsyncIterator
from datetime import timedelta
from os import urandom
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from issuer import login
from issuer.clients import ATTESTATION, POP
from issuer.database import Database
from issuer.keyring import KeyRing
from issuer.keys import create
from tests.authorization_app import BASE, CLIENT, REQUEST, VERIFIER, WALLET, Clock, World, code_form, query_of, running
from tests.certificates import certify, secret, usage
from tests.databases import *  # noqa: F403
from tests.test_authorization import Person
from vc.client_attestation import make_client_attestation, make_client_attestation_pop
from vc.keys import P256Key

ROOT = certify("wallet root", secret(1), authority=True, extensions=((usage(certificates=True), True),))
PROVIDER = certify("wallet provider", secret(3), ROOT, extensions=((usage(signatures=True), True),))
PROVIDER_KEY = P256Key.from_secret((3).to_bytes(32, "big"))
STRANGER = certify("somebody", secret(5), certify("other root", secret(4), authority=True))


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> AsyncIterator[World]:
    roots = tmp_path / "wallets.pem"
    roots.write_bytes(ROOT.certificate.public_bytes(Encoding.PEM))
    ring = KeyRing.of(create(urandom), secret=urandom(32), at=Clock().now)
    async with running(
        database, ring, haip=True, wallet_roots=(str(roots),), development=True, test_login=True
    ) as made:
        yield made


class Wallet:
    """One wallet of a provider."""

    def __init__(self, world: World, x5c: str = PROVIDER.x5c, client: str = CLIENT) -> None:
        self.world, self.x5c, self.client = world, x5c, client
        self.key = P256Key.generate(urandom)
        self.dpop = P256Key.generate(urandom)

    def attested(self, *, audience: str = BASE, key: P256Key | None = None) -> dict[str, str]:
        now = self.world.clock.now
        return {
            ATTESTATION: make_client_attestation(
                self.client, self.key.public, key=PROVIDER_KEY, x5c=[self.x5c], at=now, lifetime=timedelta(days=1)
            ),
            POP: make_client_attestation_pop(
                key or self.key, audience=audience, at=now, rand=urandom, client_id=self.client
            ),
        }

    async def proved(self, path: str) -> dict[str, str]:
        """A DPoP proof with a nonce of the server."""
        answer = await self.world.client.post(
            path,
            data={**REQUEST, "grant_type": "refresh_token"},
            headers={**self.attested(), **self.world.proof(self.dpop, path)},
        )
        return self.world.proof(self.dpop, path, nonce=answer.headers["DPoP-Nonce"])

    async def push(self, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        answer = await self.world.client.post("/par", data=REQUEST, headers=headers)
        return answer.status, await answer.json()


async def test_the_whole_way(world: World) -> None:
    wallet = Wallet(world)
    status, body = await wallet.push({**wallet.attested(), **await wallet.proved("/par")})
    assert status == 201, body
    person = Person(world.client)
    query = urlencode({"client_id": CLIENT, "request_uri": body["request_uri"]})
    _, location = await person.ask("GET", f"/authorize?{query}")
    question = await person.log_in(location)
    assert "vouches for it" in question.text
    code = query_of(await person.decide(question))["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": VERIFIER,
        "redirect_uri": WALLET,
    }
    head = await wallet.proved("/token")
    assert (await world.token(**form, headers=head))[1]["error"] == "invalid_client"
    status, tokens = await world.token(**form, headers={**wallet.attested(), **await wallet.proved("/token")})
    assert (status, tokens["token_type"]) == (200, "DPoP")
    other = Wallet(world, client="another")
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    stolen = {**other.attested(), **await wallet.proved("/token")}
    assert (await world.token(**refresh, headers=stolen))[1]["error"] == "invalid_grant"
    own = {**wallet.attested(), **await wallet.proved("/token")}
    assert (await world.token(**refresh, headers=own))[0] == 200


async def test_a_pre_authorized_code_needs_the_same(world: World) -> None:
    wallet, (_, offer) = Wallet(world), world.offer()
    assert {name.partition("_")[2] for name in offer["credential_configuration_ids"]} == {"sd-jwt"}
    assert (await world.token(**code_form(offer)))[1]["error"] == "invalid_client"
    assert (await world.token(**code_form(offer), headers=wallet.attested()))[1]["error"] == "invalid_dpop_proof"
    right = {**wallet.attested(), **await wallet.proved("/token")}
    assert (await world.token(**code_form(offer), headers=right))[0] == 200


async def test_wallets_that_nobody_vouches_for(world: World) -> None:
    wallet = Wallet(world)
    proof = await wallet.proved("/par")
    attested = wallet.attested()
    for headers in (
        proof,
        {**proof, ATTESTATION: attested[ATTESTATION]},
        {**proof, POP: attested[POP]},
        {**proof, **attested, POP: "x"},
        {**proof, **attested, ATTESTATION: "x"},
        {**proof, **wallet.attested(audience="https://elsewhere.example")},
        {**proof, **wallet.attested(key=P256Key.generate(urandom))},
        {**proof, **Wallet(world, x5c=STRANGER.x5c).attested()},
        {**proof, **Wallet(world, client="another").attested()},
    ):
        status, body = await wallet.push(headers)
        assert (status, body["error"]) == (401, "invalid_client")
    assert (await wallet.push({**proof, **attested}))[0] == 201
    again = {**await wallet.proved("/par"), **attested}
    assert (await wallet.push(again))[1]["error"] == "invalid_client"
    assert (await wallet.push(wallet.attested()))[0] == 201  # DPoP is for tokens


async def test_without_haip_an_attestation_is_checked_where_there_is_one(world: World) -> None:
    world.change(haip=False)
    wallet = Wallet(world)
    assert (await wallet.push({}))[0] == 201
    assert (await wallet.push(wallet.attested()))[0] == 201
    assert (await wallet.push(Wallet(world, x5c=STRANGER.x5c).attested()))[1]["error"] == "invalid_client"


async def test_a_refresh_token_of_an_attested_wallet_needs_an_attestation(world: World) -> None:
    world.change(haip=False)
    wallet, (_, offer) = Wallet(world), world.offer()
    status, tokens = await world.token(**code_form(offer), headers=wallet.attested())
    assert status == 200
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await world.token(**refresh, client_id=CLIENT))[1]["error"] == "invalid_client"
    assert (await world.token(**refresh, headers=wallet.attested()))[0] == 200


async def test_nobody_comes_with_a_request_that_was_not_pushed(world: World) -> None:
    page, location = await Person(world.client).ask("GET", f"/authorize?{urlencode(REQUEST)}")
    assert (page.status, location) == (400, "")
    assert login.has_login(world.deps.config)
