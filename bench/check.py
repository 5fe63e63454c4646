"""The verifier's whole check: one answer against the curve operations it cannot avoid, and ten thousand in a minute.

    python -m bench.check

One answer is checked from its bytes to the JSON of its report, with the trust loaded; the p95 of both is compared. The
ten thousand are of sixty workers, in three formats by turns, through what ``check-all`` does, on two processes; the
time is the processor's, on two cores. Memory is the most that all processes held together, beyond what they held for a
fifth of the lines.
"""

import json
import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from nacl.signing import SigningKey

from bench.bbs_floor import verify_floor
from bench.measure import HEAD, TRIES, Row, timed
from issuer.formats import Format
from tests.line import AT
from tests.test_batch import line
from tests.test_faults import perfect, perfect_answer, trust_text
from vc.canon import to_json
from vc.suites.bbs_2023 import parse_derived_proof_value
from vc.trust import parse_trust
from verifier.batch import Terms, check_all
from verifier.judge import judge
from work import CONTEXTS

ROUNDS: Final = 200
ANSWERS: Final = 10_000
WORKERS: Final = 20  # in each format
PROCESSES: Final = 2
MINUTE: Final = 60e6  # microseconds
GROWTH: Final = 16 << 10  # KB: what they may hold more for 10 000 answers than for 2 000


def one() -> Row:
    """One bbs-2023 answer, its presentation signed by an Ed25519 key."""
    case = perfect(Format.BBS)
    raw, trust = json.dumps(case.shown.answer).encode(), parse_trust(trust_text().encode(), contexts=CONTEXTS)
    (credential,) = case.shown.presentation["verifiableCredential"]
    value = parse_derived_proof_value(credential["proof"]["proofValue"])
    shown = len(value.mandatory_indexes) + len(value.selective_indexes)
    hidden = (len(value.bbs_proof) - 3 * 48) // 32 - 4  # three points; e^, r1^, r3^ and the challenge
    curve, key = verify_floor(shown + hidden, shown), SigningKey(bytes(32))
    signature = key.sign(raw[:64]).signature

    def floor() -> object:
        return curve(), key.verify_key.verify(raw[:64], signature)

    def check() -> bytes:
        report, _ = judge(raw, case.shown.request, trust=trust, policy=case.policy, at=AT)
        assert report.proven
        return to_json(report.to_json())

    best = min((_measured(check, floor) for _ in range(TRIES)), key=lambda row: row[2] / row[3])
    return Row(f"check, bbs-2023, {shown} of {shown + hidden}: p95 to p95", best[2], best[2], best[3], 1.8)


def _measured(check: object, floor: object) -> tuple[float, float, float, float]:
    assert callable(check)
    assert callable(floor)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        theirs.append(timed(floor))
        ours.append(timed(check))
    ours.sort()
    theirs.sort()
    half, most = ROUNDS // 2, ROUNDS * 95 // 100
    return ours[half], theirs[half], ours[most], theirs[most]


def many() -> Iterator[Row]:
    """Ten thousand answers, and the memory that they take."""
    lines = [
        line(form, answer=json.loads(perfect_answer(form, f"worker {number}")))
        for number in range(WORKERS)
        for form in Format
    ]
    with TemporaryDirectory() as folder:
        (Path(folder) / "trust.json").write_text(trust_text())
        terms = Terms(Path(folder) / "trust.json", "", AT)
        with Watch() as few:
            _run(lines, ANSWERS // 5, terms, Path(folder) / "few.jsonl")
        with Watch() as most:
            took = _run(lines, ANSWERS, terms, Path(folder) / "many.jsonl")
    yield Row(f"{ANSWERS} answers on {PROCESSES} cores, to a minute", took, took, MINUTE, 1)
    grown = float(max(0, most.peak - few.peak))
    yield Row("memory they take beyond a fifth of them, KB", grown, grown, GROWTH, 1)


class Watch:
    """The most memory that this process and its children held together, in KB, looked at while they work."""

    def __init__(self) -> None:
        self.peak = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.2):
            pids = [os.getpid(), *(child.pid for child in multiprocessing.active_children())]
            self.peak = max(self.peak, sum(map(_held, pids)))


def _held(pid: int | None) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 10
    except OSError:  # it has ended
        return 0


def _run(lines: list[bytes], count: int, terms: Terms, out: Path) -> float:
    answers = out.with_suffix(".answers")  # on disk, as a lender has it
    with answers.open("wb") as made:
        made.writelines(lines[number % len(lines)] + b"\n" for number in range(count))
    start = _processor()
    with answers.open("rb") as source:
        done, _ = check_all(source, out, terms, processes=PROCESSES)
    took = (_processor() - start) / PROCESSES * 1e6  # what else runs on the machine does not count
    with out.open("rb") as results:
        assert done == sum(b'"verdict":"valid"' in each for each in results) == count
    return took


def _processor() -> float:
    """Seconds that the processor has worked for this process and for all those that it has begun and ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def rows() -> Iterator[Row]:
    """The lines of the table."""
    yield one()
    yield from many()


def main() -> int:
    """Print the table; the exit code says whether every promise was kept."""
    sys.stdout.write(HEAD + "\n")
    kept = True
    for row in rows():
        sys.stdout.write(row.text() + ("" if row.ratio <= row.limit else "   over its limit") + "\n")
        kept = kept and row.ratio <= row.limit
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
