"""Kill the running service, and the database under it, at random instants while wallets fetch credentials.

The long run: ``python -m tests.survival_service --rounds 100``. In each round a replica is killed and started again, or
all of PostgreSQL, or one of its processes. Wallets try again, as wallets do: the same code, the same token, the same
keys, a new nonce. A pre-authorized code whose answer was lost is gone, as whoever had it may have used it: then a new
offer helps. A credential request whose answer was lost is answered with the same copies.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import aiohttp
import sqlalchemy as sa

from issuer.database import Database
from issuer.formats import HAS_STATUS
from issuer.tables import CREDENTIAL, OFFER, SESSION, STATUS_ENTRY
from tests.replicas import KIND, LOST, Fleet, Offered, Reply, Wallet, fleet, new_keys, offer
from tests.survival import kill_server, killable_postgres
from vc.errors import Undetermined
from vc.keys import Ed25519Key

WALLETS: Final = 4
WORKERS: Final = tuple(f"worker-{number}" for number in range(WALLETS))
CONFIGURATIONS: Final = tuple(f"{KIND}_{form}" for form in ("bbs-2023", "ecdsa-sd-2023", "sd-jwt"))
PAUSE: Final = 0.1  # seconds before a wallet tries again
TRIES: Final = 2000


@dataclass
class Told:
    """What wallets were told, and what they have told."""

    heard: asyncio.Event = field(default_factory=asyncio.Event)  # somebody was given copies
    copies: dict[str, tuple[Any, bytes]] = field(default_factory=dict)  # by the key's DID: the copy, the whole answer
    accepted: set[str] = field(default_factory=set)  # keys whose copies the issuer may have erased
    tokens: Counter[str] = field(default_factory=Counter)  # by offer
    codes_lost: int = 0
    retries: int = 0
    stop: bool = False


async def live(wallet: Wallet, database: Database, worker: str, told: Told) -> None:
    """Claim one offer after the other."""
    while not told.stop:
        configuration = wallet.rng.choice(CONFIGURATIONS)
        wallet.token, wallet.key = None, new_keys(1)[0]
        offered = await _offered(database, worker, configuration, told)
        if not await _redeemed(wallet, offered, told):
            told.codes_lost += 1
            continue
        keys = new_keys(wallet.rng.randint(1, 4))
        told.tokens[offered.id] += 1
        name = ""
        for _ in range(wallet.rng.randint(1, 2)):  # one that asks again is given the same
            name = await _fetched(wallet, configuration, keys, told)
        if wallet.rng.random() < 0.3:
            told.accepted |= {key.did for key in keys}
            body = json.dumps({"notification_id": name, "event": "credential_accepted"}).encode()
            reply = await _until_answered(lambda: wallet.post("/notification", body), told)  # noqa: B023
            assert reply.status == 204, reply


async def _offered(database: Database, worker: str, configuration: str, told: Told) -> Offered:
    for _ in range(TRIES):
        try:
            return await asyncio.to_thread(offer, database, worker, configuration)
        except Undetermined:
            told.retries += 1
            await asyncio.sleep(PAUSE)
    raise AssertionError("the database did not come back")


async def _redeemed(wallet: Wallet, offered: Offered, told: Told) -> bool:
    """Whether the wallet has a token; it has none where the answer with it was lost."""
    reply, lost = await _answered(lambda: wallet.redeem(offered.code), told)
    if reply.status == 200:
        wallet.token = reply.json["access_token"]
        return True
    assert reply.error == (400, "invalid_grant"), reply
    assert lost, "a code was refused that was never handed in before"
    return False


async def _fetched(wallet: Wallet, configuration: str, keys: list[Ed25519Key], told: Told) -> str:
    """Fetch a copy for each key; the notification's name."""

    async def once() -> Reply:
        nonce = await wallet.nonce()
        if nonce.status != 200:
            return nonce
        return await wallet.post("/credential", wallet.request(configuration, keys, nonce.json["c_nonce"]))

    reply = await _until_answered(once, told)
    assert reply.status == 200, reply
    copies = [one["credential"] for one in reply.json["credentials"]]
    for key, copy in zip(keys, copies, strict=True):
        assert told.copies.setdefault(key.did, (copy, reply.raw))[0] == copy, "one key was given two copies"
    told.heard.set()
    return str(reply.json["notification_id"])


async def _until_answered(ask: Callable[[], Awaitable[Reply]], told: Told) -> Reply:
    return (await _answered(ask, told))[0]


async def _answered(ask: Callable[[], Awaitable[Reply]], told: Told) -> tuple[Reply, int]:
    """The answer, and how many before it were lost."""
    for lost in range(TRIES):
        try:
            reply = await ask()
        except LOST:
            pass
        else:
            if not reply.is_lost:
                return reply, lost
        told.retries += 1
        await asyncio.sleep(PAUSE)
    raise AssertionError("the service did not come back")


def check(database: Database, running: Fleet, told: Told) -> None:
    """What wallets were told is on record, and nothing is there twice."""
    with database.read() as connection:
        rows = connection.execute(sa.select(CREDENTIAL)).all()
        entries = {(one.list, one.place): one for one in connection.execute(sa.select(STATUS_ENTRY))}
        sessions = Counter(connection.execute(sa.select(SESSION.c.offer)).scalars())
        offers = {one.id: one.state for one in connection.execute(sa.select(OFFER))}
        if database.is_sqlite:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    kept = {(one.digest, one.holder, one.format): one for one in rows}
    assert len(kept) == len(rows)
    bodies = {one.holder: one for one in rows}  # each key of these wallets asks for one thing
    assert len(bodies) == len(rows)
    assert told.copies.keys() <= bodies.keys(), "a copy that a wallet has is not on record"
    for holder, (copy, answer) in told.copies.items():
        _check_kept(bodies[holder], copy, answer, erased=holder in told.accepted)
    places = [(one.list, one.place) for one in rows if one.list is not None]
    assert len(places) == len(set(places)), "a place is two credentials'"
    assert all((one.list is not None) == (one.format in HAS_STATUS) for one in rows)
    assert all(one in entries and not entries[one].decoy for one in places), "a place is not taken, or a decoy's"
    assert set(sessions.values()) <= {1}, "an offer was claimed twice"
    assert set(told.tokens.values()) <= {1}, "a code was redeemed twice"
    assert told.tokens.keys() <= sessions.keys()
    assert all(offers[name] == "claimed" for name in sessions)
    logged = "\n".join(line for line in running.logged().splitlines() if '"base"' not in line)  # but what it announces
    for word in ("Traceback", "worker-", "did:key:", '"status": 500'):
        assert word not in logged, logged[max(0, logged.index(word) - 2000) :][:4000]


def _check_kept(row: Any, copy: Any, answer: bytes, *, erased: bool) -> None:
    if erased and row.body is None:
        return
    said = json.dumps(row.body) if row.format == "sd-jwt" else row.body
    assert json.loads(said) == copy, "a wallet has another copy than is on record"
    assert said.encode() in answer, "not the same bytes"


async def supervise(running: Fleet) -> None:
    """Start again what found no database when it was started, and ended."""
    while True:
        for one in running.replicas:
            if one.has_given_up():
                one.start()
        await asyncio.sleep(PAUSE)


async def survive(running: Fleet, database: Database, rounds: int, rng: random.Random, server: Any = None) -> Told:
    """Kill something in each round; then let every wallet finish."""
    told = Told()
    kinds = cycle(("replica",) if server is None else ("replica", "server", "replica", "process"))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        wallets = [Wallet(session, running, random.Random(rng.random())) for _ in WORKERS]
        living = asyncio.gather(*(live(one, database, name, told) for one, name in zip(wallets, WORKERS, strict=True)))
        watching = asyncio.create_task(supervise(running))
        for kind, _ in zip(kinds, range(rounds), strict=False):
            told.heard.clear()
            heard = asyncio.create_task(told.heard.wait())
            await asyncio.wait((heard, living, watching), return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                await watching  # a replica ended that should not have
            if living.done():
                break  # a wallet was told something that is wrong
            await asyncio.sleep(rng.uniform(0, rng.choice((0.05, 0.5))))
            if kind == "replica":
                replica = rng.choice(running.replicas)
                replica.kill()
                replica.start()
            else:
                await asyncio.to_thread(kill_server, server, whole=kind == "server", rng=rng)
        told.stop = True
        await living
        await asyncio.to_thread(running.wait)
        watching.cancel()
    check(database, running, told)
    return told


def survive_sqlite(home: Path, rounds: int, rng: random.Random) -> Told:
    """Two replicas over one file."""
    (home / "issuer").mkdir()
    address = home / "issuer" / "issuer.db"
    with fleet(home, address, workers=WORKERS) as running, Database.open(address) as database:
        return asyncio.run(survive(running, database, rounds, rng))


def survive_postgresql(home: Path, rounds: int, rng: random.Random) -> Told:
    """Two replicas over a server that is killed, too."""
    with (
        killable_postgres() as (server, url),
        fleet(home, url, workers=WORKERS) as running,
        Database.open(url) as database,
    ):
        return asyncio.run(survive(running, database, rounds, rng, server))


def main() -> None:
    """The long run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    given = parser.parse_args()
    sys.stdout.write(f"seed {given.seed}\n")
    for name, run in (("sqlite", survive_sqlite), ("postgresql", survive_postgresql)):
        if given.only in (None, name):
            with tempfile.TemporaryDirectory(prefix="ouvrage-survival-") as folder:
                told = run(Path(folder), given.rounds, random.Random(given.seed))
            sys.stdout.write(
                f"{name}, killed {given.rounds} times: {sum(told.tokens.values())} offers claimed, {len(told.copies)} "
                f"copies, none lost or twice; {told.retries} retries, {told.codes_lost} codes lost with their answer\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
