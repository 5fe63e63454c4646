"""``python -m bench.hostile``: how long, and in how much memory, every command refuses every hostile file.

The promise is two seconds and 300 MB on a machine that does nothing else.
"""

import sys
import tempfile
import time
from pathlib import Path

from tests.cli import ouvrage
from tests.hostile import COMMANDS, NAMES, prepare, write


def main() -> int:
    """Print one line for each file and command; the exit code says whether the promise was kept."""
    kept = True
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        prepare(home)
        for file in NAMES:
            hostile = write(home, file)
            for command, words in COMMANDS.items():
                start = time.perf_counter()
                done = ouvrage(home, *(str(hostile) if word == "{}" else word for word in words), ok=False)
                seconds = time.perf_counter() - start
                good = seconds < 2 and done.memory < 300 and done.code in (1, 2, 3)
                kept = kept and good
                sys.stdout.write(
                    f"{file:<12} {command:<16} {seconds:6.2f} s {done.memory:6.0f} MB   exit {done.code}"
                    f"{'' if good else '   over the promise'}\n"
                )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
