"""The preset dictionary of QR frames: the words and the structure of our own messages, shipped and pinned by hash.

What was once written with it has to be read for ever, so the file never changes: another one is another version.
"""

from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from vc.errors import Malformed
from vc.frames import Dictionaries

PIN: Final = "1674fea1e18a8994ebf939346bbbc298cf84c04dcc7c7d5e50a15f904c9484a6"


def _pinned(name: str, pin: str) -> bytes:
    raw = files("work").joinpath("dictionary", name).read_bytes()
    if sha256(raw).hexdigest() != pin:
        raise Malformed(name, "the shipped dictionary is not the pinned one", code="BAD_DICTIONARY")
    return raw


DICTIONARIES: Final[Dictionaries] = MappingProxyType({"1": _pinned("ouvrage-1.txt", PIN)})
