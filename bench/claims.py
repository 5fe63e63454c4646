"""Offers claimed end to end: the processor time that the service spends on a copy, against the bare signature of it.

A real service on loopback with its SQLite file; a client in this process plays the wallets: token, nonce and credential
requests with DPoP and a key proof for each copy. The floor is :func:`issuer.copies.sign_copy` for the same statement.
``python -m bench.claims`` also prints how long claims take while a bulk run keeps both cores busy.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Final

import aiohttp

from bench.measure import HEAD, Row
from issuer.config import Config
from issuer.copies import Job, Slot, sign_copy
from issuer.database import Database
from issuer.formats import HAS_STATUS, Configuration, Format
from issuer.keyring import KeyRing
from issuer.offers import make_offer
from issuer.store import Store
from vc.dpop import make_dpop
from vc.keyproof import make_jwt_proof
from vc.keys import Ed25519Key
from vc.offer import PRE_AUTHORIZED
from work.examples import EXAMPLES
from work.statement import Statement
from work.types import TYPES

KIND: Final = "Earnings"
COPIES: Final = 20  # single-use copies in one request, as wallets ask for them
BATCH: Final = Config().batch_size  # as many as one request may ask for
OFFERS: Final = 10  # in one round
ROUNDS: Final = 5
WORKERS: Final = OFFERS * (ROUNDS + 1)
CONCURRENT: Final = 4
LIMIT: Final = 2.0  # at least half of the bare signing speed, where a request asks for a whole batch
FEW_LIMIT: Final = 3.0  # what three requests cost is shared by fewer copies


@dataclass(frozen=True, slots=True)
class Service:
    """A running service, and where its state is."""

    base: str
    home: Path
    pid: int

    def cpu(self) -> float:
        """Seconds of processor time that the service has spent."""
        threads = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


@contextmanager
def service(workers: int) -> Iterator[Service]:
    """A service with one statement of KIND for each worker."""
    with tempfile.TemporaryDirectory(prefix="ouvrage-bench-") as folder:
        home = Path(folder)
        (home / "passphrase").write_text("only for a benchmark\n")
        (home / "service.toml").write_text(f'allow_few = ["{KIND}"]\n')
        environment = {**os.environ, "OUVRAGE_HOME": folder, "OUVRAGE_PASSPHRASE_FILE": str(home / "passphrase")}
        issuer = [sys.executable, "-m", "ouvrage", "issuer"]
        naming = ["keys", "--name", "Bench", "--legal-identifier", "0"]
        subprocess.run([*issuer, *naming], env=environment, check=True, capture_output=True)
        with Store.open(home / "issuer" / "issuer.db") as store:
            claims = EXAMPLES[KIND].claims
            store.add_statements((Statement(KIND, f"worker-{one}", claims) for one in range(workers)), source="bench")
        command = [*issuer, "serve", "--json", "--config", str(home / "service.toml"), "--development"]
        running = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            assert running.stdout is not None
            yield Service(json.loads(running.stdout.readline())["base"], home, running.pid)
        finally:
            running.terminate()
            running.wait()


def codes(served: Service, configuration: Configuration, workers: Sequence[str]) -> list[str]:
    """The pre-authorized code of an offer for each worker."""
    made = []
    with Database.open(served.home / "issuer" / "issuer.db") as database, database.write() as connection:
        for worker in workers:
            offer = make_offer(
                connection,
                worker,
                (configuration.id,),
                base=served.base,
                grants=(PRE_AUTHORIZED,),
                tx_code=None,
                lifetime=3600,
                now=int(time.time()),
                rand=os.urandom,
                by_value=True,
            )
            made.append(offer.link.partition("pre-authorized_code%22%3A%22")[2].partition("%22")[0])
    return made


class Wallet:
    """A wallet that fetches as fast as it can: nothing is verified."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session, self._base = session, base
        self._key = Ed25519Key.from_seed(os.urandom(32))
        self._nonce: str | None = None

    async def claim(self, code: str, configuration: Configuration, copies: int) -> int:
        """Turn a code into copies; how many came."""
        form = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": code}
        token = (await self._post("/token", None, data=form))["access_token"]
        nonce = (await self._post("/nonce", token))["c_nonce"]
        keys = [Ed25519Key.from_seed(os.urandom(32)) for _ in range(copies)]
        now = datetime.now(UTC)
        proofs = [make_jwt_proof(key, audience=self._base, nonce=nonce, at=now) for key in keys]
        body = {"credential_configuration_id": configuration.id, "proofs": {"jwt": proofs}}
        return len((await self._post("/credential", token, json=body))["credentials"])

    async def _post(self, path: str, token: str | None, **body: Any) -> dict[str, Any]:
        url = self._base + path
        for _ in range(2):
            proof = make_dpop(
                self._key,
                method="POST",
                url=url,
                at=datetime.now(UTC),
                rand=os.urandom,
                access_token=token,
                nonce=self._nonce,
            )
            headers = {"DPoP": proof, **({"Authorization": f"DPoP {token}"} if token else {})}
            async with self._session.post(url, headers=headers, **body) as answer:
                self._nonce = answer.headers.get("DPoP-Nonce", self._nonce)
                got = await answer.json()
                if answer.status < 400:
                    return dict(got)
        raise RuntimeError(f"{path}: {got}")


async def claim_all(
    served: Service, configuration: Configuration, waiting: Sequence[str], *, copies: int = COPIES
) -> list[float]:
    """Claim all codes, CONCURRENT at a time; the seconds that each took."""
    queue, took = list(waiting), list[float]()

    async def work(session: aiohttp.ClientSession) -> None:
        while queue:
            code, start = queue.pop(), time.perf_counter()
            got = await Wallet(session, served.base).claim(code, configuration, copies)
            assert got == copies, got
            took.append(time.perf_counter() - start)

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(work(session) for _ in range(CONCURRENT)))
    return took


class Floor:
    """The bare signature of one copy."""

    def __init__(self, served: Service, configuration: Configuration) -> None:
        self._at = datetime.now(UTC)
        passphrase = (served.home / "passphrase").read_bytes().strip()
        ring = KeyRing.open(served.home / "issuer", rand=os.urandom, at=self._at, passphrase=lambda _new: passphrase)
        self._keys = ring.signing(self._at)
        statement = Statement(KIND, "worker-0", EXAMPLES[KIND].claims)
        slot = Slot("bench", 1, f"{served.base}/status/bench") if configuration.format in HAS_STATUS else None
        holder = Ed25519Key.from_seed(bytes(32)).did
        self._job = Job(statement, statement.digest(), holder, configuration.format, slot)

    def cpu(self, count: int = 100) -> float:
        """Seconds of processor time for one."""
        start = time.process_time()
        for _ in range(count):
            sign_copy(self._job, keys=self._keys, at=self._at, rand=os.urandom)
        return (time.process_time() - start) / count


def row(served: Service, form: Format, copies: int, limit: float) -> Row:
    """Microseconds of the service's processor time for one copy, everything included; by turns with the floor."""
    configuration = Configuration(TYPES[KIND], form)
    bare = Floor(served, configuration)
    everybody = (f"worker-{number}" for number in range(WORKERS))

    def claim() -> list[float]:
        """A round, each offer for somebody who has no copy yet."""
        waiting = codes(served, configuration, tuple(islice(everybody, OFFERS)))
        return asyncio.run(claim_all(served, configuration, waiting, copies=copies))

    claim()  # warm
    ours, floors, took = [], [], list[float]()
    for _ in range(ROUNDS):
        floors.append(bare.cpu())
        before = served.cpu()
        took += claim()
        ours.append((served.cpu() - before) / (OFFERS * copies))
    slowest = _at(sorted(took), 0.95) * 1000 / copies
    name = f"offer claimed, {form}, {copies} copies: a copy"
    return Row(name, median(ours) * 1e6, slowest, median(floors) * 1e6, limit)


def rows() -> Iterator[Row]:
    """Offers claimed with a whole batch of copies in each format, and with as many as wallets ask for."""
    for form in (Format.BBS, Format.SD_JWT):
        for copies, limit in ((BATCH, LIMIT), (COPIES, FEW_LIMIT)):
            with service(WORKERS) as served:
                yield row(served, form, copies, limit)


def under_load() -> str:
    """How long claims take while `issue --all` signs for everybody."""
    with service(2000) as served:
        configuration = Configuration(TYPES[KIND], Format.BBS)
        waiting = codes(served, configuration, [f"worker-{number}" for number in range(200)])
        quiet = sorted(asyncio.run(claim_all(served, configuration, waiting[:100])))
        environment = {
            **os.environ,
            "OUVRAGE_HOME": str(served.home),
            "OUVRAGE_PASSPHRASE_FILE": str(served.home / "passphrase"),
        }
        bulk = [sys.executable, "-m", "ouvrage", "issuer", "issue", "--allow-few", KIND, "--json"]
        running = subprocess.Popen(bulk, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        busy = sorted(asyncio.run(claim_all(served, configuration, waiting[100:])))
        still = running.poll() is None
        running.terminate()
        running.wait()
    lines = [
        f"{name:<40} median {_at(times, 0.5):>7.0f} ms   p99 {_at(times, 0.99):>7.0f} ms"
        for name, times in (("claims of 20 copies, alone", quiet), ("claims of 20 copies, beside a bulk run", busy))
    ]
    return "\n".join([*lines, "" if still else "the bulk run ended before the claims did"])


def _at(seconds: Sequence[float], share: float) -> float:
    """Milliseconds at a share of ordered times."""
    return seconds[min(int(len(seconds) * share), len(seconds) - 1)] * 1000


def main() -> int:
    """Print both; the exit code says whether the promise was kept."""
    sys.stdout.write(HEAD + "\n")
    kept = True
    for row in rows():
        sys.stdout.write(row.text() + "\n")
        kept = kept and row.ratio <= row.limit
    sys.stdout.write(f"\n{under_load()}\n")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
