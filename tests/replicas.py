"""Replicas of the issuer's service: real processes over one database, and a wallet that asks any of them."""

import asyncio
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

import aiohttp

from issuer.database import Database
from issuer.offers import TxCode, make_offer
from issuer.store import Store
from issuer.tables import OFFER
from tests.cli import PASSPHRASE, ROOT, ouvrage
from tests.work_samples import CLAIMS
from vc.canon import to_json
from vc.dpop import make_dpop
from vc.errors import Undetermined
from vc.keyproof import make_jwt_proof
from vc.keys import Ed25519Key, Signer
from vc.offer import PRE_AUTHORIZED
from work.statement import Statement

BASE: Final = "http://issuer.example/work"  # what stands before the replicas; nobody resolves it
KIND: Final = "Earnings"
PATIENCE: Final = 60.0  # seconds that a replica may take to answer after it was started
SETTINGS: Final = f'base = "{BASE}"\ndevelopment = true\nallow_few = ["{KIND}"]\n'

# A wallet tries again where no answer came, and where the answer is that there is none now.
LOST: Final = (aiohttp.ClientError, OSError, asyncio.TimeoutError)


class Replica:
    """One process of ``ouvrage issuer serve``, always at the same port; what it logs is in a file."""

    def __init__(self, fleet: "Fleet", number: int) -> None:
        self.fleet, self.port = fleet, free_port()
        self.log = fleet.home / f"replica-{number}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens, in place of BASE."""
        return f"http://127.0.0.1:{self.port}/work"

    def start(self) -> None:
        """Start it; it answers some time later."""
        assert self.process is None or self.process.poll() is not None
        command = [sys.executable, "-m", "ouvrage", "issuer", "serve", "--json", "--port", str(self.port)]
        log: IO[bytes]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--config", str(self.fleet.home / "service.toml")],
                cwd=self.fleet.home,
                env=self.fleet.environment(),
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """``kill -9``."""
        assert self.process is not None
        if not self.has_given_up():
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def has_given_up(self) -> bool:
        """Whether it ended by itself, which is right only where there was no database when it was started."""
        assert self.process is not None
        code = self.process.poll()
        if code in (None, -signal.SIGKILL):
            return False
        last = self.log.read_text()[-1000:]
        assert code == Undetermined.exit_code, last
        assert re.search(r'"code":\s*"STORE_', last), last
        return True

    def listens(self) -> bool:
        """Whether anybody is at its port."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


@dataclass
class Fleet:
    """Two replicas over one database, with one folder of keys."""

    home: Path
    address: Path | str
    replicas: list[Replica] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """Of every command of this issuer."""
        given = {
            **os.environ,
            "OUVRAGE_HOME": str(self.home),
            "OUVRAGE_PASSPHRASE_FILE": str(self.home / "passphrase.txt"),
            "PYTHONPATH": str(ROOT),
        }
        return {**given, "OUVRAGE_DATABASE": self.address} if isinstance(self.address, str) else given

    def wait(self) -> None:
        """Until all of them answer."""
        until = time.monotonic() + PATIENCE
        while not all(one.listens() for one in self.replicas):
            assert time.monotonic() < until, self.logged()[-4000:]
            time.sleep(0.02)

    def logged(self) -> str:
        """Everything that was ever logged."""
        return "".join(one.log.read_text(errors="replace") for one in self.replicas if one.log.exists())


@contextmanager
def fleet(home: Path, address: Path | str, *, workers: Sequence[str], settings: str = "") -> Iterator[Fleet]:
    """Two replicas that are about to answer, and one statement about each worker."""
    (home / "service.toml").write_text(SETTINGS + settings)
    (home / "passphrase.txt").write_text(PASSPHRASE + "\n")
    ouvrage(home, "issuer", "keys", "--name", "Plateforme", "--legal-identifier", "0")
    with Store.open(address) as store:
        store.add_statements((Statement(KIND, worker, CLAIMS[KIND]) for worker in workers), source="test")
    made = Fleet(home, address)
    made.replicas = [Replica(made, number) for number in range(2)]
    try:
        for one in made.replicas:
            one.start()
        yield made
    finally:
        for one in made.replicas:
            if one.process is not None and one.process.poll() is None:
                one.process.terminate()
                one.process.wait()


def free_port() -> int:
    """A port that the system gives to nobody else while a replica is down."""
    while True:
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@dataclass(frozen=True)
class Offered:
    """An offer as whoever made it knows it."""

    id: str
    grants: dict[str, Any]
    tx_code: str | None

    @property
    def code(self) -> str:
        return str(self.grants[PRE_AUTHORIZED]["pre-authorized_code"])


def offer(
    database: Database,
    worker: str,
    configuration: str,
    *,
    tx_code: TxCode | None = None,
    grants: tuple[str, ...] = (PRE_AUTHORIZED,),
) -> Offered:
    """A new offer, made beside the replicas, as the command and the admin page do it."""
    with database.write() as connection:
        made = make_offer(
            connection,
            worker,
            (configuration,),
            base=BASE,
            grants=grants,
            tx_code=tx_code,
            lifetime=3600,
            now=int(time.time()),
            rand=os.urandom,
        )
        body = connection.execute(OFFER.select().where(OFFER.c.id == made.id)).one().body
    return Offered(made.id, json.loads(body)["grants"], made.tx_code)


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Any
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def error(self) -> tuple[int, str]:
        return self.status, self.json["error"]

    @property
    def is_lost(self) -> bool:
        """Whether nobody knows what became of the request: it may have been done before the database was gone."""
        return self.status == 503


@dataclass
class Wallet:
    """A wallet with a key for DPoP; it asks a replica by chance, or the one that it is told to."""

    session: aiohttp.ClientSession
    fleet: Fleet
    rng: random.Random = field(default_factory=random.Random)
    key: Signer = field(default_factory=lambda: Ed25519Key.from_seed(os.urandom(32)))
    token: str | None = None
    dpop_nonce: str | None = None

    async def ask(self, path: str, *, at: int | None = None, proof: str | None = None, **body: Any) -> Reply:
        """One POST with a DPoP proof, sent again with a nonce where that is what was missing. Raises LOST."""
        replicas = self.fleet.replicas
        replica = self.rng.choice(replicas) if at is None else replicas[at % len(replicas)]
        while True:
            headers = {"DPoP": proof or self.proof(path)}
            if self.token is not None:
                headers["Authorization"] = f"DPoP {self.token}"
            timeout = aiohttp.ClientTimeout(total=PATIENCE)
            async with self.session.post(replica.url + path, headers=headers, timeout=timeout, **body) as answer:
                reply = Reply(answer.status, answer.headers, await answer.read())
            before, self.dpop_nonce = self.dpop_nonce, reply.headers.get("DPoP-Nonce", self.dpop_nonce)
            again = reply.status in (400, 401) and reply.json["error"] == "use_dpop_nonce"
            if proof is not None or not again or before == self.dpop_nonce:
                return reply

    def proof(self, path: str) -> str:
        """A DPoP proof for one request."""
        return make_dpop(
            self.key,
            method="POST",
            url=BASE + path,
            at=datetime.now(UTC),
            rand=os.urandom,
            access_token=self.token,
            nonce=self.dpop_nonce,
        )

    async def redeem(self, code: str, *, at: int | None = None, **more: str) -> Reply:
        """A token request for a pre-authorized code."""
        form = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": code, **more}
        return await self.ask("/token", at=at, data=form)

    async def nonce(self, *, at: int | None = None) -> Reply:
        return await self.ask("/nonce", at=at)

    def request(self, configuration: str, keys: Sequence[Signer], nonce: str) -> bytes:
        """The body of a credential request."""
        now = datetime.now(UTC)
        proofs = [make_jwt_proof(key, audience=BASE, nonce=nonce, at=now) for key in keys]
        return to_json({"credential_configuration_id": configuration, "proofs": {"jwt": [*proofs]}})

    async def post(self, path: str, body: bytes, *, at: int | None = None, proof: str | None = None) -> Reply:
        """JSON to an endpoint."""
        return await self.ask(
            path, at=at, proof=proof, data=aiohttp.BytesPayload(body, content_type="application/json")
        )


def new_keys(count: int) -> list[Ed25519Key]:
    return [Ed25519Key.from_seed(os.urandom(32)) for _ in range(count)]
