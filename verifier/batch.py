"""Many answers, one after the other, on all cores: a line in, a line out, in the order that they came in.

Nothing is summed up, sorted or compared over the lines: no person is held against another. Memory stays flat, however
long the file is, and a run that was stopped goes on behind the last whole line that it wrote.
"""

import fcntl
import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from vc.canon import Json, Limits, parse_object, to_json
from vc.errors import Malformed, Undetermined, VcError
from vc.io.offline import forbid_network
from vc.io.workers import become_worker
from vc.oid4vp import parse_request
from vc.trust import Trust
from verifier.check import policy
from verifier.judge import judge
from verifier.policy import PolicyFile, parse_policy
from verifier.policy_command import require_purpose
from verifier.trust_store import load

MAX_LINE: Final = (1 << 20) + (1 << 18)  # an answer and its request, each as long as it may be
MAX_RESULT: Final = 16 << 20
MAX_ID: Final = 200
CHUNK: Final = 16  # lines that travel to a process together
WAITING: Final = 3  # chunks for each process

Line = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Terms:
    """What every line of a file is held against, alike."""

    trust: Path
    trust_digest: str
    at: datetime
    rules: bytes | None = field(default=None, repr=False)
    accept_possession: bool = False
    accept_self_asserted: bool = False

    @property
    def digest(self) -> str:
        """What tells whether a run that goes on holds its lines against the same as before."""
        held: dict[str, Json] = {
            "trust": self.trust_digest,
            "policy": None if self.rules is None else sha256(self.rules).hexdigest(),
            "acceptPossession": self.accept_possession,
            "acceptSelfAsserted": self.accept_self_asserted,
        }
        return sha256(to_json(held)).hexdigest()


def check_all(source: BinaryIO, out: Path, terms: Terms, *, processes: int) -> tuple[int, int]:
    """Check every line of ``source`` and write one line for each to ``out``: how many, and how many were there before.

    Raises :class:`Malformed` where ``out`` is of another file or was held against something else, and
    :class:`Undetermined` where a process died or another run is writing.
    """
    descriptor = os.open(out, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "rb+") as results:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Undetermined("another run is writing this file", "wait for it to end", code="LOCKED") from None
        lines = read_lines(source)
        before = _go_on(results, lines, terms, where=str(out))
        done = before
        for chunk in _through(_chunks(lines), terms, processes):
            results.write(b"".join(chunk))
            results.flush()
            done += len(chunk)
        os.fsync(descriptor)
    return done, before


def read_lines(source: BinaryIO) -> Iterator[Line]:
    """The lines of a file with their numbers; of one that is too long, its beginning, one byte more than may be."""
    number = 0
    while raw := source.readline(MAX_LINE + 1):
        number += 1
        rest = raw
        while not rest.endswith(b"\n") and (rest := source.readline(MAX_LINE)):
            pass
        yield number, raw.removesuffix(b"\n")


def _go_on(results: BinaryIO, lines: Iterator[Line], terms: Terms, *, where: str) -> int:
    """Stand behind the last whole line that was written, and in the source behind the one that it answers."""
    count, end, last = 0, 0, b""
    while (raw := results.readline(MAX_RESULT)).endswith(b"\n"):
        count, end, last = count + 1, end + len(raw), raw
    if count:
        written = parse_object(last, where=where, limits=Limits(size=MAX_RESULT))
        *_, (number, answered) = [(0, b""), *deque(islice(lines, count), maxlen=1)]
        same = {"line": number, "input": sha256(answered).hexdigest(), "terms": terms.digest}
        if number != count or any(written.get(name) != value for name, value in same.items()):
            why = "holds results of another file, or against another trust or policy; name another file with --out"
            raise Malformed(where, why, code="OTHER_RESULTS")
    elif raw:  # not even one line of ours: whatever it is, it is not ours to write over
        raise Malformed(where, "holds something else; name another file with --out", code="OTHER_RESULTS")
    results.seek(end)
    results.truncate()
    return count


def _chunks(lines: Iterator[Line]) -> Iterator[list[Line]]:
    while chunk := list(islice(lines, CHUNK)):
        yield chunk


def _through(chunks: Iterable[list[Line]], terms: Terms, processes: int) -> Iterator[list[bytes]]:
    """The results of each chunk, in the order of the chunks; no more than WAITING for each process at a time."""
    # spawn: a forked copy of a process with threads can hold a lock that nobody will ever release
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_start, initargs=(terms,)) as pool:
        running: deque[Future[list[bytes]]] = deque()
        try:
            for chunk in chunks:
                running.append(pool.submit(_run, chunk))
                if len(running) >= WAITING * processes:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        except BrokenProcessPool:
            raise Undetermined(
                "a process that was checking died", "run the command again: it goes on from there", code="POOL_BROKEN"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class Checker:
    """What a process holds while it checks."""

    terms: Terms
    trust: Trust
    rules: PolicyFile | None

    @classmethod
    def of(cls, terms: Terms) -> "Checker":
        """Read the trust and the policy. Raises what reading them does."""
        return cls(terms, load(terms.trust), None if terms.rules is None else parse_policy(terms.rules))

    def result(self, number: int, raw: bytes) -> bytes:
        """The line that answers a line. It never raises: what is wrong with one is said in its own."""
        head: dict[str, Json] = {"line": number, "input": sha256(raw).hexdigest(), "terms": self.terms.digest}
        try:
            case = parse_object(raw, where=f"line {number}", limits=Limits(size=MAX_LINE))
            head["id"] = _named(case.get("id"))
            said: dict[str, Json] = {"report": self._report(case)}
        except VcError as error:
            said = {"error": {"code": error.code, "message": str(error)[:400]}}
        except RecursionError:
            said = {"error": {"code": "TOO_DEEP", "message": "nested more deeply than any real answer"}}
        return to_json({"id": None, **head, **said}) + b"\n"

    def _report(self, case: dict[str, Json]) -> dict[str, Json]:
        for name in ("request", "answer"):
            if not isinstance(case.get(name), dict):
                raise Malformed(f"/{name}", "missing, or not an object", code="MISSING")
        request = parse_request(to_json(case["request"]), own=True)
        if self.rules is not None:
            require_purpose(self.rules, request)
        terms = self.terms
        accepted = policy(accept_possession=terms.accept_possession, accept_self_asserted=terms.accept_self_asserted)
        report, _ = judge(
            to_json(case["answer"]), request, trust=self.trust, policy=accepted, rules=self.rules, at=terms.at
        )
        return report.to_json()


def _named(value: Json) -> Json:
    if value is not None and (not isinstance(value, str) or len(value) > MAX_ID):
        raise Malformed("/id", f"not a text of at most {MAX_ID} characters", code="NOT_TEXT")
    return value


_checker: list[Checker] = []  # one, once a process of the pool has begun


def _start(terms: Terms) -> None:
    become_worker()
    forbid_network()
    _checker[:] = [Checker.of(terms)]


def _run(chunk: list[Line]) -> list[bytes]:
    return [_checker[0].result(number, raw) for number, raw in chunk]
