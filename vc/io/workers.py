"""A process of a pool: it ends with its parent, and leaves Ctrl-C to it."""

import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import wait


def become_worker() -> None:
    """Called once in each process of a pool, before its first task."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what ends
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent cannot stop its pool: each process watches for it and ends itself."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
