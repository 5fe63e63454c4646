"""Offers claimed end to end: the processor time that the service spends on a copy, against the bare signature of it.

A real service on loopback with its SQLite file; a client in this process plays the wallets: token, nonce and credential
requests with DPoP and a key proof for each copy. The floor is :func:`issuer.copies.sign_copy` for the same statement.
``python -m bench.claims`` also prints how long claims take while a bulk run keeps both cores busy.
"""

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp

from bench.measure import HEAD, Row
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
OFFERS: Final = 40
CONCURRENT: Final = 4
LIMIT: Final = 2.0  # at least half of the bare signing speed
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Service:
    """A running service, and where its state is."""

    base: str
    home: Path
    pid: int

    def cpu(self) -> float:
        """Seconds of processor time that the service has spent."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


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

    async def claim(self, code: str, configuration: Configuration) -> int:
        """Turn a code into COPIES copies; how many came."""
        form = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": code}
        token = (await self._post("/token", None, data=form))["access_token"]
        nonce = (await self._post("/nonce", token))["c_nonce"]
        keys = [Ed25519Key.from_seed(os.urandom(32)) for _ in range(COPIES)]
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


async def claim_all(served: Service, configuration: Configuration, waiting: Sequence[str]) -> list[float]:
    """Claim all codes, CONCURRENT at a time; the seconds that each took."""
    queue, took = list(waiting), list[float]()

    async def work(session: aiohttp.ClientSession) -> None:
        while queue:
            code, start = queue.pop(), time.perf_counter()
            got = await Wallet(session, served.base).claim(code, configuration)
            assert got == COPIES, got
            took.append(time.perf_counter() - start)

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(work(session) for _ in range(CONCURRENT)))
    return took


def floor(served: Service, configuration: Configuration) -> float:
    """Processor microseconds of one bare signature, the best of some."""
    ring = KeyRing.open(
        served.home / "issuer", rand=os.urandom, at=datetime.now(UTC), passphrase=lambda _new: b"only for a benchmark"
    )
    keys, at = ring.signing(datetime.now(UTC)), datetime.now(UTC)
    statement = Statement(KIND, "worker-0", EXAMPLES[KIND].claims)
    slot = Slot("bench", 1, f"{served.base}/status/bench") if configuration.format in HAS_STATUS else None
    job = Job(statement, statement.digest(), Ed25519Key.from_seed(bytes(32)).did, configuration.format, slot)
    times = []
    for _ in range(5):
        start = resource.getrusage(resource.RUSAGE_SELF)
        for _ in range(50):
            sign_copy(job, keys=keys, at=at, rand=os.urandom)
        end = resource.getrusage(resource.RUSAGE_SELF)
        times.append((end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime) / 50 * 1e6)
    return sorted(times)[len(times) // 2]


def rows() -> Iterator[Row]:
    """The row of each format: microseconds of the service's processor time for one copy, everything included."""
    with service(OFFERS * 2) as served:
        workers = [f"worker-{number}" for number in range(OFFERS)]
        for form in (Format.BBS, Format.SD_JWT):
            configuration = Configuration(TYPES[KIND], form)
            asyncio.run(claim_all(served, configuration, codes(served, configuration, workers[:4])))  # warm
            waiting = codes(served, configuration, workers)
            before = served.cpu()
            took = sorted(asyncio.run(claim_all(served, configuration, waiting)))
            spent = (served.cpu() - before) / (OFFERS * COPIES) * 1e6
            slowest = took[int(len(took) * 0.95)] / COPIES * 1e6
            name = f"offer claimed, {form}, {COPIES} copies: a copy"
            yield Row(name, spent, slowest, floor(served, configuration), LIMIT)


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
