"""A trust list of a country: 1 000 issuers and 2 400 status lists, synced, and a verifier that starts with it.

The floor of the first verdict is the same command with a trust file of one issuer. It is also compared with the second
and the 300 MB that are promised.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time
from typing import Final

from bench.measure import HEAD, Row
from tests.cli import ROOT
from tests.line import AT, answer, credential, entry, issuer_keys, rand_from, request
from tests.trust_lists import Union
from vc.canon import Json, to_json
from vc.keys import Ed25519Key
from verifier.check import check, policy
from verifier.request import Wanted, build_request
from verifier.trust_publisher import Mirrored
from verifier.trust_sources import Folder
from verifier.trust_store import load
from verifier.trust_sync import Synced, sync
from verifier.trustfile import add_issuer, empty
from work import CONTEXTS

ISSUERS: Final = 1000
LISTS: Final = 2400
LIST_SIZE: Final = 16 << 10  # bytes: a list of 131 072 places, one in a hundred marked
ROUNDS: Final = 5
SECOND: Final = 1e6  # microseconds
MEMORY: Final = 300 << 10  # KB


def other(number: int) -> dict[str, Json]:
    """One of the thousand; two keys each."""
    keys: list[Json] = [
        {"id": Ed25519Key.from_seed(sha256(b"%d.%d" % (number, each)).digest()).verification_method,
         "validFrom": "2026-01-01T00:00:00Z", "validUntil": None}
        for each in range(2)
    ]  # fmt: skip
    types: list[Json] = ["EarningsCredential", "WorkHistoryCredential", "RatingCredential"]
    return {"name": f"Platform {number}", "legalIdentifier": f"SIREN {number:09}", "mayAttest": types, "keys": keys}


def published(folder: Path) -> tuple[Union, str, list[Mirrored]]:
    """A union with its list, and the fingerprint."""
    union = Union(folder / "union")
    for number in range(ISSUERS):
        said = entry(issuer_keys()) if number == ISSUERS // 2 else other(number)
        path = union.publisher.folder / "issuers" / f"{sha256(b'%d' % number).hexdigest()[:32]}.json"
        path.write_bytes(add_issuer(empty(AT), to_json({"issuer": said}), contexts=CONTEXTS, at=AT))
    lists = [
        Mirrored(f"https://platform{number}.example/status", "token", AT, os.urandom(LIST_SIZE // 2).hex().encode())
        for number in range(LISTS)
    ]
    return union, union.publish(*lists, at=AT), lists


def synced(home: Path, union: Union, fingerprint: str | None) -> Synced:
    """One sync, from a folder."""
    return asyncio.run(sync(home, Folder(union.out), fingerprint=fingerprint, at=AT))


def question(folder: Path) -> list[str]:
    """An answer to check, and its request."""
    asked = build_request(
        [Wanted.parse("Earnings.averageAtLeast12m>=1500")],
        client_id="lender.example",
        purpose="credit.consumer.eu",
        necessity="",
        retention_days=30,
        ask_anyway=True,
        accept_possession=False,
        rand=rand_from("request"),
    )
    (folder / "ask.json").write_bytes(to_json(asked))
    (folder / "answer.json").write_text(json.dumps(answer(request(), credential())))
    return [str(folder / "answer.json"), "--request", str(folder / "ask.json"), "--at", AT.isoformat(), "--json"]


def verdict(words: list[str], trust: Path) -> tuple[float, int]:
    """Microseconds and KB of a process that gives one verdict: its own, whatever else the machine does."""
    command = [sys.executable, "-m", "ouvrage", "verifier", "check", *words, "--trust", str(trust)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert json.loads(out)["verdict"] == "valid", out
    return (usage.ru_utime + usage.ru_stime) * SECOND, usage.ru_maxrss


def loaded(trust: Path) -> float:
    """Microseconds to open the list and give a verdict, in a process that runs, such as a service."""
    raw, asked = json.dumps(answer(request(), credential())).encode(), request()
    start = process_time()
    check(raw, asked, trust=load(trust), policy=policy(accept_possession=False), at=AT)
    return (process_time() - start) * SECOND


def rows() -> Iterator[Row]:
    """Every row about a synced trust list."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        union, fingerprint, lists = published(folder)
        first = synced(folder / "home", union, fingerprint)
        (folder / "small.json").write_bytes(
            add_issuer(empty(AT), to_json({"issuer": entry(issuer_keys())}), contexts=CONTEXTS, at=AT)
        )
        words = question(folder)
        ours, floors, memory = [], [], []
        for _ in range(ROUNDS):
            floors.append(verdict(words, folder / "small.json")[0])
            took, used = verdict(words, folder / "home")
            ours.append(took)
            memory.append(used)
        middle, slowest = median(ours), max(ours)
        yield Row(f"first verdict, {ISSUERS} issuers, to one issuer's", middle, slowest, median(floors), 1.5)
        times = sorted(loaded(folder / "home") for _ in range(ROUNDS))
        yield Row("list loaded, first verdict, to a second", median(times), times[-1], SECOND, 1)
        yield Row("its memory, KB, to 300 MB", median(memory), max(memory), MEMORY, 1)
        lists[7] = Mirrored(lists[7].url, "token", AT, b"e30.new.c2ln")
        union.publish(*lists, at=AT)
        second = synced(folder / "home", union, None)
        whole = float(first.received)
        yield Row("sync after one list changed, bytes, to all", second.received, second.received, whole, 0.03)


if __name__ == "__main__":
    sys.stdout.write(HEAD + "\n" + "".join(f"{row.text()}\n" for row in rows()))
