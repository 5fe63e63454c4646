"""Digests as signed claims spell them: a base64url multihash of SHA-256."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final

_SHA2_256: Final = bytes((0x12, 0x20))  # multihash: the function's code and the length of what follows


def multihash(data: bytes) -> str:
    """``uEi…``: a kind "digest" of the schemas."""
    return "u" + urlsafe_b64encode(_SHA2_256 + sha256(data).digest()).decode().rstrip("=")
