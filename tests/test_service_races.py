"""Fifty who ask two replicas for the same thing at the same time: two processes, one database, one folder of keys.

What two apps in one process can show is in test_tokens, test_authorization, test_credential and test_deferred; here is
what takes two processes, or fifty at once at the credential endpoint and those around it.
"""

import asyncio
import json
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from issuer import deferrals
from issuer.database import Database
from issuer.offers import TRIES, TxCode, withdraw_offer
from issuer.store import Store
from issuer.tables import CREDENTIAL, DEFERRAL, EVENT, OFFER, SESSION, STATUS_ENTRY
from tests.databases import BOTH, new_postgres_database
from tests.replicas import Fleet, Reply, Wallet, fleet, new_keys, offer
from tests.work_samples import CLAIMS
from vc.errors import Malformed
from vc.keys import Ed25519Key
from work.statement import Statement

MANY = 50
BBS, JWT, HELD = "Earnings_bbs-2023", "Earnings_sd-jwt", "Rating_sd-jwt"
_names = count()


@dataclass(frozen=True)
class Two:
    """Two replicas, and the database that they share."""

    running: Fleet
    database: Database

    def rows(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> list[Any]:
        with self.database.read() as connection:
            return list(connection.execute(sa.select(table).where(*where)).all())

    def new_worker(self, kind: str = "Earnings") -> str:
        """A worker of whom there is one statement, like no other."""
        worker = f"worker-{next(_names)}-{os.getpid()}"
        Store(self.database).add_statements([Statement(kind, worker, CLAIMS[kind])], source="test")
        return worker

    @asynccontextmanager
    async def wallet(self, worker: str, configuration: str) -> AsyncIterator[Wallet]:
        """A wallet with a token for one configuration."""
        async with self.asking() as wallet:
            wallet.token = await redeemed(wallet, offer(self.database, worker, configuration).code)
            yield wallet

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[Wallet]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            yield Wallet(session, self.running)


@pytest.fixture(scope="module", params=BOTH)
def two(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    home = tmp_path_factory.mktemp("replicas")
    if request.param == "sqlite":
        (home / "issuer").mkdir()
        yield from _started(home, home / "issuer" / "issuer.db")
        return
    server, template = (request.getfixturevalue(name) for name in ("postgres_server", "postgres_template"))
    with new_postgres_database(server, template) as url:
        yield from _started(home, url)


def _started(home: Path, address: Path | str) -> Iterator[Two]:
    with (
        fleet(home, address, workers=(), settings='hold = ["Rating"]\n') as running,
        Database.open(address) as database,
    ):
        running.wait()
        yield Two(running, database)
        assert "Traceback" not in running.logged()
        assert '"status": 500' not in running.logged()


async def redeemed(wallet: Wallet, code: str) -> str:
    reply = await wallet.redeem(code)
    assert reply.status == 200, reply
    return str(reply.json["access_token"])


async def nonces(wallet: Wallet, number: int = 1) -> list[str]:
    return [(await wallet.nonce(at=step)).json["c_nonce"] for step in range(number)]


async def at_once(*asked: Awaitable[Reply]) -> Counter[tuple[int, str]]:
    """How often each answer came."""
    return Counter(outcome(reply) for reply in await asyncio.gather(*asked))


def outcome(reply: Reply) -> tuple[int, str]:
    return (reply.status, "") if reply.status < 400 else reply.error


# ---- codes -----------------------------------------------------------------------------------------------------------


async def test_one_code_at_both_processes(two: Two) -> None:
    made = offer(two.database, two.new_worker(), BBS)
    async with two.asking() as wallet:
        await wallet.nonce()
        told = await at_once(*(wallet.redeem(made.code, at=step) for step in range(MANY)))
    assert told == {(200, ""): 1, (400, "invalid_grant"): MANY - 1}
    assert len(two.rows(SESSION, SESSION.c.offer == made.id)) == 1


async def test_the_right_transaction_code_at_both_processes(two: Two) -> None:
    made = offer(two.database, two.new_worker(), BBS, tx_code=TxCode.NUMERIC)
    async with two.asking() as wallet:
        await wallet.nonce()
        asked = (wallet.redeem(made.code, at=step, tx_code=str(made.tx_code)) for step in range(TRIES - 1))
        assert await at_once(*asked) == {(200, ""): 1, (400, "invalid_grant"): TRIES - 2}


async def test_guesses_at_both_processes(two: Two) -> None:
    """Of fifty guesses five count: the right one is among those, or it is of no use any more."""
    made = offer(two.database, two.new_worker(), BBS, tx_code=TxCode.NUMERIC)
    right = str(made.tx_code)
    guesses = [right, *(f"{(int(right) + 1 + step) % 10**6:06}" for step in range(MANY - 1))]
    random.shuffle(guesses)
    async with two.asking() as wallet:
        await wallet.nonce()
        replies = await asyncio.gather(
            *(wallet.redeem(made.code, at=step, tx_code=guess) for step, guess in enumerate(guesses))
        )
        good = [guess for guess, reply in zip(guesses, replies, strict=True) if reply.status == 200]
        assert good in ([], [right])
        assert {outcome(reply) for reply in replies} - {(200, "")} == {(400, "invalid_grant")}
        assert outcome(await wallet.redeem(made.code, tx_code=right)) == (400, "invalid_grant")
    (row,) = two.rows(OFFER, OFFER.c.id == made.id)
    assert row.state == ("claimed" if good else "exhausted")
    assert 0 <= row.tries_left < TRIES


async def test_an_offer_that_is_taken_back_while_it_is_claimed(two: Two) -> None:
    made = offer(two.database, two.new_worker(), BBS)

    def withdraw() -> bool:
        with two.database.write() as connection:
            return withdraw_offer(connection, made.id, now=int(time.time()))

    async with two.asking() as wallet:
        await wallet.nonce()
        both = await asyncio.gather(
            *(wallet.redeem(made.code, at=step) for step in range(10)), *(asyncio.to_thread(withdraw) for _ in range(5))
        )
    claimed = [one for one in both if isinstance(one, Reply) and one.status == 200]
    assert len(claimed) + both.count(True) == 1
    (row,) = two.rows(OFFER, OFFER.c.id == made.id)
    assert row.state == ("claimed" if claimed else "withdrawn")
    assert len(two.rows(SESSION, SESSION.c.offer == made.id)) == len(claimed)


# ---- proofs ----------------------------------------------------------------------------------------------------------


async def test_one_dpop_proof_at_the_token_endpoints(two: Two) -> None:
    """Each of the fifty has a code of its own; only one of them may use the proof."""
    worker = two.new_worker()
    made = [offer(two.database, worker, BBS) for _ in range(MANY)]
    async with two.asking() as wallet:
        await wallet.nonce()
        proof = wallet.proof("/token")
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:pre-authorized_code"}
        told = await at_once(
            *(
                wallet.ask("/token", at=step, proof=proof, data={**form, "pre-authorized_code": one.code})
                for step, one in enumerate(made)
            )
        )
        assert told == {(200, ""): 1, (400, "invalid_dpop_proof"): MANY - 1}
        # Whoever was refused has its code still.
        states = Counter(row.state for row in two.rows(OFFER, OFFER.c.worker == worker))
        assert states == {"claimed": 1, "offered": MANY - 1}


async def test_one_dpop_proof_at_the_credential_endpoints(two: Two) -> None:
    async with two.wallet(two.new_worker(), BBS) as wallet:
        wanted = [wallet.request(BBS, new_keys(1), nonce) for nonce in await nonces(wallet, 10)]
        proof = wallet.proof("/credential")
        told = await at_once(
            *(wallet.post("/credential", body, at=step, proof=proof) for step, body in enumerate(wanted))
        )
    assert told == {(200, ""): 1, (401, "invalid_dpop_proof"): 9}


@pytest.mark.parametrize("name", [BBS, JWT])
async def test_one_nonce_in_fifty_requests(two: Two, name: str) -> None:
    worker = two.new_worker()
    async with two.wallet(worker, name) as wallet:
        (nonce,) = await nonces(wallet)
        told = await at_once(
            *(wallet.post("/credential", wallet.request(name, new_keys(1), nonce), at=step) for step in range(MANY))
        )
    assert told == {(200, ""): 1, (400, "invalid_nonce"): MANY - 1}
    assert len(two.rows(CREDENTIAL, CREDENTIAL.c.worker == worker)) == 1


# ---- copies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [BBS, JWT])
async def test_one_key_in_fifty_requests_has_one_copy(two: Two, name: str) -> None:
    worker, (key,) = two.new_worker(), new_keys(1)
    async with two.wallet(worker, name) as wallet:
        wanted = [wallet.request(name, [key], nonce) for nonce in await nonces(wallet, MANY)]
        replies = await asyncio.gather(*(wallet.post("/credential", one, at=step) for step, one in enumerate(wanted)))
    assert {reply.status for reply in replies} == {200}
    assert len({json.dumps(reply.json["credentials"]) for reply in replies}) == 1
    assert len(two.rows(CREDENTIAL, CREDENTIAL.c.worker == worker)) == 1


async def test_fifty_requests_at_once_share_no_place(two: Two) -> None:
    worker = two.new_worker()
    async with two.wallet(worker, JWT) as wallet:
        wanted = [wallet.request(JWT, new_keys(2), nonce) for nonce in await nonces(wallet, MANY)]
        told = await at_once(*(wallet.post("/credential", one, at=step) for step, one in enumerate(wanted)))
    assert told == {(200, ""): MANY}
    places = [(row.list, row.place) for row in two.rows(CREDENTIAL, CREDENTIAL.c.worker == worker)]
    assert len(set(places)) == len(places) == 2 * MANY
    taken = {(row.list, row.place) for row in two.rows(STATUS_ENTRY, sa.not_(STATUS_ENTRY.c.decoy))}
    assert set(places) <= taken


async def test_a_copy_is_reported_while_it_is_fetched_again(two: Two) -> None:
    """Who asks again gets what there was, or learns that it is gone: never another copy."""
    worker, keys = two.new_worker(), new_keys(1)
    async with two.wallet(worker, JWT) as wallet:
        first = await fetched(wallet, JWT, keys)
        body = json.dumps({"notification_id": first["notification_id"], "event": "credential_accepted"}).encode()
        wanted = [wallet.request(JWT, keys, nonce) for nonce in await nonces(wallet, MANY // 2)]
        noted, again = await asyncio.gather(
            asyncio.gather(*(wallet.post("/notification", body, at=step) for step in range(MANY))),
            asyncio.gather(*(wallet.post("/credential", one, at=step) for step, one in enumerate(wanted))),
        )
    assert {(reply.status, reply.raw) for reply in noted} == {(204, b"")}
    assert {reply.status for reply in again} <= {200, 400}
    for reply in again:
        if reply.status == 200:
            assert reply.json["credentials"] == first["credentials"]
        else:
            assert reply.error == (400, "credential_request_denied")
    (row,) = two.rows(CREDENTIAL, CREDENTIAL.c.worker == worker)
    assert row.body is None
    kinds = Counter(event.kind for event in two.rows(EVENT, EVENT.c.worker == worker))
    assert kinds["notification"] == 1  # the same report fifty times is one event


async def fetched(wallet: Wallet, name: str, keys: list[Ed25519Key]) -> dict[str, Any]:
    (nonce,) = await nonces(wallet)
    reply = await wallet.post("/credential", wallet.request(name, keys, nonce))
    assert reply.status in (200, 202), reply
    return dict(reply.json)


# ---- what was promised -----------------------------------------------------------------------------------------------


async def test_one_promise_is_kept_once(two: Two) -> None:
    worker = two.new_worker("Rating")
    async with two.wallet(worker, HELD) as wallet:
        promised = await fetched(wallet, HELD, new_keys(2))
        ask = json.dumps({"transaction_id": promised["transaction_id"]}).encode()
        assert (await wallet.post("/deferred", ask)).status == 202
        (waiting,) = two.rows(DEFERRAL, DEFERRAL.c.worker == worker)
        decided = await asyncio.gather(
            *(asyncio.to_thread(decide, two.database, waiting.id, deferrals.APPROVED) for _ in range(10))
        )
        assert decided.count(True) == 1
        told = await at_once(*(wallet.post("/deferred", ask, at=step) for step in range(MANY)))
    assert told == {(200, ""): 1, (400, "invalid_transaction_id"): MANY - 1}
    assert len(two.rows(CREDENTIAL, CREDENTIAL.c.worker == worker)) == 2
    assert two.rows(DEFERRAL, DEFERRAL.c.worker == worker) == []
    kinds = Counter(event.kind for event in two.rows(EVENT, EVENT.c.worker == worker))
    assert kinds["credential.issued"] == 1


def decide(database: Database, name: str, decision: str) -> bool:
    try:
        with database.write() as connection:
            deferrals.decide(connection, name, decision)
    except Malformed:
        return False
    return True
