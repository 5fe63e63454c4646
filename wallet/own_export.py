"""Where the pages find who reads a worker's own export: the wallet itself cannot (docs/own-import.md).

Reading exports is the issuer's trade, and no service knows another. Whoever installs both brings them together here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from wallet.keys import HolderKey
from wallet.receive import Received


@dataclass(frozen=True, slots=True)
class Read:
    """What an export says, still to be bound to keys. ``rejects`` counts the rows that were not understood."""

    bind: Callable[[Sequence[HolderKey], datetime], Sequence[Received]]
    rejects: int


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads exports. ``profiles`` are the platforms that it knows, by name; ``read`` takes one of them, the files
    and which of the workers in them it is ("" : there is but one). Raises an error of ours."""

    profiles: Callable[[], Sequence[tuple[str, str]]]
    read: Callable[[str, Sequence[bytes], str], Read]


_READERS: list[Reader] = []


def use(reader: Reader) -> None:
    """Have this one read exports from now on."""
    _READERS[:] = [reader]


def reader() -> Reader | None:
    """Who reads exports; None where nobody does, and the pages say nothing of it."""
    return _READERS[0] if _READERS else None
