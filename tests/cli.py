"""Running the command line as a user does: a process, its output, its exit code, its memory."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PASSPHRASE = "only this worker knows it"
_ONE = Lock()


@dataclass(frozen=True)
class Done:
    """What a command left: exit code, output, and the most memory it held, in MiB."""

    code: int
    out: str
    err: str
    memory: float

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@cache
def _preloaded() -> subprocess.Popen[str]:
    """The process that commands are forked from: one for each process that runs tests, and it ends with it."""
    command = [sys.executable, "-m", "tests.preloaded"]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _forked(asked: dict[str, Any]) -> int:
    """The exit code of a command."""
    process = _preloaded()
    assert process.stdin is not None
    assert process.stdout is not None
    with _ONE:
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        return int(process.stdout.readline())


def ouvrage(home: Path, *words: str | Path, ok: bool = True) -> Done:
    """Run ``ouvrage`` with all its state under ``home``."""
    passphrase = home / "passphrase.txt"
    if not passphrase.exists():
        passphrase.write_text(PASSPHRASE + "\n")
    environment = {
        **os.environ,
        "OUVRAGE_HOME": str(home),
        "OUVRAGE_PASSPHRASE_FILE": str(passphrase),
        "PYTHONPATH": str(ROOT),
    }
    with TemporaryDirectory() as kept:
        files = {name: Path(kept) / name for name in ("out", "err", "memory")}
        for file in files.values():
            file.touch()
        said = {name: str(file) for name, file in files.items()}
        code = _forked({"words": list(map(str, words)), "home": str(home), "environment": environment, **said})
        out, err, memory = (file.read_bytes().decode() for file in files.values())
        done = Done(code, out, err, int(memory or 0) / 1024)
    assert not ok or done.code == 0, f"{words}: exit {done.code}\n{done.out}\n{done.err}"
    return done
