"""The door to ``didkit``: one question, one process, a bound on time and on size (docs/enveloped.md)."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from vc.errors import Undetermined

WORKER: Final = Path(__file__).with_name("didkit_worker.py")
MAX_SECONDS: Final = 10.0  # from start to answer; an ordinary credential takes a fifth of a second
MAX_ANSWER: Final = 1 << 16  # bytes


def ask_didkit(question: bytes) -> bytes:
    """What a new worker process answers to one line of JSON.

    Raises :class:`Undetermined` where it takes too long, says too much or dies.
    """
    # In isolated mode, without our environment: no variable and no folder of the caller's chooses what it loads.
    with subprocess.Popen(
        [sys.executable, "-I", str(WORKER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd=WORKER.parent,
    ) as process:
        watch = threading.Timer(MAX_SECONDS, process.kill)
        watch.start()
        try:
            answer = _exchange(process, question)
        finally:
            watch.cancel()
            process.kill()
    if not answer.endswith(b"\n") or len(answer) > MAX_ANSWER:
        raise Undetermined(
            "the reader of older proofs gave no answer",
            "try again, or have the credential issued anew",
            code="NO_ANSWER",
        )
    return answer


def _exchange(process: "subprocess.Popen[bytes]", question: bytes) -> bytes:
    """The worker reads the whole line before it answers, so neither waits for the other."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(question + b"\n")
        process.stdin.close()
    except BrokenPipeError:  # it has died
        return b""
    return process.stdout.read(MAX_ANSWER + 1)
