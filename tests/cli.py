"""Running the command line as a user does: a process, its output, its exit code, its memory."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PASSPHRASE = "only this worker knows it"


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
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "ouvrage", *map(str, words)],
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        done = Done(process.returncode, out.read().decode(), err.read().decode(), usage.ru_maxrss / 1024)
    assert not ok or done.code == 0, f"{words}: exit {done.code}\n{done.out}\n{done.err}"
    return done
