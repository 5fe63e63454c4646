"""Where this verifier's trust file is, and how a service that runs for months sees each new one."""

import os
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Annotated, Final

import typer

from vc.io.files import home, read_bounded
from vc.trust import Trust, parse_trust
from work import CONTEXTS

MAX_TRUST: Final = 16 << 20

TrustFile = Annotated[
    Path | None, typer.Option("--trust", metavar="FILE", help="The trust file; default: this verifier's own.")
]


def trust_path(trust: Path | None, home_dir: Path | None) -> Path:
    """The file that ``--trust`` names, or this verifier's own."""
    return trust or home(home_dir, "verifier", os.environ) / "trust.json"


def read_trust(path: Path) -> Trust:
    """What is trusted. Raises :class:`Malformed`."""
    return parse_trust(read_bounded(path, limit=MAX_TRUST), contexts=CONTEXTS, where=str(path))


def reader(path: Path) -> Callable[[], Trust]:
    """:func:`read_trust`, that reads the file again where it has changed. What it raises is raised each time."""
    lock = Lock()
    held: list[tuple[tuple[int, int, int], Trust]] = []

    def read() -> Trust:
        with lock:
            try:
                status = path.stat()
                seen = (status.st_ino, status.st_size, status.st_mtime_ns)
            except OSError:
                return read_trust(path)  # which says what is wrong
            if not held or held[0][0] != seen:
                held[:] = []
                held.append((seen, read_trust(path)))
            return held[0][1]

    return read
