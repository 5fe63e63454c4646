"""Keeping an open vault's secrets in this process, as far as Python lets us.

No core dump is written, and other programs of the same user cannot read the memory of this one (Linux). What Python
cannot do: wipe a key from memory, or keep it out of swap. docs/wallet-vault.md says so.
"""

import ctypes
import sys
from contextlib import suppress
from typing import Final

_PR_SET_DUMPABLE: Final = 4


def shield() -> None:
    """Before a passphrase is asked for. Does what the system knows how to do; nothing depends on it."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415  (not on every system)

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
