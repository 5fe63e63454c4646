"""Sealing: how bytes at rest become unreadable, and what a guess at the passphrase that opens them costs.

A *seal* is XChaCha20-Poly1305 over padded bytes, bound to the place it was made for; its key is one that Argon2id
(RFC 9106) makes from a passphrase, or one that such a key seals.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, TypeAlias

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id

from vc.errors import Finding, Rejected, Undetermined

Rand: TypeAlias = Callable[[int], bytes]

KEY_BYTES: Final = 32
SALT_BYTES: Final = argon2id.SALTBYTES
MIN_PASSPHRASE: Final = 8  # characters; fewer are tried in hours, whatever Argon2id costs

_BLOCK: Final = 512  # bytes; a key and a short note look alike
_NONCE: Final = bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES  # 24 bytes: random ones never meet
_OVERHEAD: Final = _NONCE + bindings.crypto_aead_xchacha20poly1305_ietf_ABYTES


@dataclass(frozen=True, slots=True)
class Cost:
    """The price of one guess at a passphrase: ``ops`` passes of Argon2id over ``mem`` bytes."""

    ops: int
    mem: int


# A file chooses the bill of whoever opens it, and may not choose more than this.
MAX_COST: Final = Cost(ops=8, mem=128 << 20)
MIN_COST: Final = Cost(ops=argon2id.OPSLIMIT_MIN, mem=argon2id.MEMLIMIT_MIN)


def is_affordable(cost: Cost) -> bool:
    """Whether a file may ask for this price."""
    return MIN_COST.ops <= cost.ops <= MAX_COST.ops and MIN_COST.mem <= cost.mem <= MAX_COST.mem


def seal(plaintext: bytes, *, key: bytes, place: bytes, rand: Rand) -> bytes:
    """Nonce and XChaCha20-Poly1305 ciphertext of the padded ``plaintext``; it opens only under ``key`` at ``place``."""
    nonce = rand(_NONCE)
    padded = bindings.sodium_pad(plaintext, _BLOCK)
    return nonce + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(padded, place, nonce, key)


def unseal(sealed: object, *, key: bytes, place: bytes) -> bytes | None:
    """What :func:`seal` sealed; ``None`` where the key is another, or one bit of anything has changed.

    Which of both it was, only the caller can know.
    """
    if not isinstance(sealed, bytes) or len(sealed) < _OVERHEAD:
        return None
    nonce, ciphertext = sealed[:_NONCE], sealed[_NONCE:]
    try:
        padded = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, place, nonce, key)
        return bindings.sodium_unpad(padded, _BLOCK)
    except CryptoError:
        return None


def stretch(secret: bytes, salt: bytes, cost: Cost) -> bytes:
    """The key that Argon2id makes from what somebody knows. Raises :class:`Undetermined` where memory is short."""
    try:
        return argon2id.kdf(KEY_BYTES, secret, salt, opslimit=cost.ops, memlimit=cost.mem)
    except CryptoError:  # libsodium's one reason, the bounds being checked: it got no memory
        raise Undetermined(
            "the passphrase cannot be checked", f"needs {cost.mem >> 20} MiB of free memory", code="OUT_OF_MEMORY"
        ) from None


def digest(raw: bytes) -> bytes:
    """BLAKE2b with 32 bytes."""
    return blake2b(raw, digest_size=32).digest()


def check_passphrase(passphrase: bytes) -> None:
    """Refuse a new passphrase that protects nothing: :class:`Rejected`, code ``WEAK_PASSPHRASE``."""
    if len(passphrase.decode("utf-8", errors="replace")) < MIN_PASSPHRASE:
        message = f"a passphrase needs {MIN_PASSPHRASE} characters or more; several words are easy to remember"
        raise Rejected((Finding("WEAK_PASSPHRASE", message),))
