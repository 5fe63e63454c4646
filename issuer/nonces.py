"""Nonces that nobody has to remember: the time and chance, under an HMAC whose key all replicas share.

A nonce says when it was made, so that it runs out by itself. That it is used once is for who takes it:
``tickets.spend``, in the transaction of what it was used for.
"""

import hmac
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from vc.errors import Malformed
from vc.multibase import decode_base64url, encode_base64url

C_NONCE: Final = "c_nonce"  # OpenID4VCI §7
DPOP: Final = "dpop"  # RFC 9449 §8

TIME: Final = 6  # bytes of seconds since 1970
CHANCE: Final = 12  # bytes: no two nonces are the same
TAG: Final = 16  # bytes of HMAC-SHA-256
MAX_NONCE: Final = 64  # characters: ours have 46


def new_nonce(secret: bytes, *, now: int, rand: Callable[[int], bytes], label: str = C_NONCE) -> str:
    """A fresh nonce. One made for a ``label`` is none for another; ``now`` is in seconds since 1970."""
    said = now.to_bytes(TIME, "big") + rand(CHANCE)
    return encode_base64url(said + _tag(secret, label, said))


def check_nonce(secret: bytes, text: str, *, now: int, lifetime: int, label: str = C_NONCE) -> bool:
    """Whether we made this nonce for ``label``, not longer than ``lifetime`` seconds ago."""
    try:
        raw = decode_base64url(text, limit=MAX_NONCE)
    except Malformed:
        return False
    said, tag = raw[: TIME + CHANCE], raw[TIME + CHANCE :]
    if not hmac.compare_digest(tag, _tag(secret, label, said)):
        return False
    return 0 <= now - int.from_bytes(said[:TIME], "big") <= lifetime


def _tag(secret: bytes, label: str, said: bytes) -> bytes:
    return hmac.new(secret, b"\0".join((b"nonce", label.encode(), said)), sha256).digest()[:TAG]
