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


# A process inherits the memory peak of the one that started it, and a test runner is large: so a small one in between
# starts the command, and writes down what the command itself held.
LAUNCHER = """
import os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
with open(sys.argv[1], "w") as memory:
    memory.write(str(usage.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status) % 256)
"""


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
    with tempfile.NamedTemporaryFile("r") as memory:
        command = [sys.executable, "-S", "-c", LAUNCHER, memory.name, sys.executable, "-m", "ouvrage", *map(str, words)]
        ran = subprocess.run(
            command, cwd=home, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        done = Done(ran.returncode, ran.stdout.decode(), ran.stderr.decode(), int(memory.read()) / 1024)
    assert not ok or done.code == 0, f"{words}: exit {done.code}\n{done.out}\n{done.err}"
    return done
