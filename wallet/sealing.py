"""Sealing: how what the vault holds becomes unreadable, and what opens it again.

A *seal* is XChaCha20-Poly1305 over padded bytes, bound to the place it was made for. A *slot* is one way to open
the vault: it wraps the vault key with a key that Argon2id (RFC 9106) makes from what the worker knows.
"""

import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, Self, TypeAlias

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id

from vc.errors import Finding, Malformed, Rejected, Undetermined

Rand: TypeAlias = Callable[[int], bytes]

FORMAT: Final = 1
KEY_BYTES: Final = 32
OPENER: Final = "passphrase"  # the kind of slot; there is one so far
MIN_PASSPHRASE: Final = 8  # characters; fewer are tried in hours, whatever Argon2id costs

_CONTEXT: Final = b"ouvrage vault" + struct.pack(">H", FORMAT)
_BLOCK: Final = 512  # bytes; a key and a short note look alike
_NONCE: Final = bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES  # 24 bytes: random ones never meet
_OVERHEAD: Final = _NONCE + bindings.crypto_aead_xchacha20poly1305_ietf_ABYTES


def seal(plaintext: bytes, *, key: bytes, place: bytes, rand: Rand) -> bytes:
    """Nonce and XChaCha20-Poly1305 ciphertext of the padded ``plaintext``; it opens only under ``key`` at ``place``."""
    nonce = rand(_NONCE)
    padded = bindings.sodium_pad(plaintext, _BLOCK)
    return nonce + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(padded, _CONTEXT + place, nonce, key)


def unseal(sealed: object, *, key: bytes, place: bytes) -> bytes | None:
    """What :func:`seal` sealed; ``None`` where the key is another, or one bit of anything has changed.

    Which of both it was, only the caller can know.
    """
    if not isinstance(sealed, bytes) or len(sealed) < _OVERHEAD:
        return None
    nonce, ciphertext = sealed[:_NONCE], sealed[_NONCE:]
    try:
        padded = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, _CONTEXT + place, nonce, key)
        return bindings.sodium_unpad(padded, _BLOCK)
    except CryptoError:
        return None


def digest(raw: bytes) -> bytes:
    """BLAKE2b with 32 bytes."""
    return blake2b(raw, digest_size=32).digest()


@dataclass(frozen=True, slots=True)
class Cost:
    """The price of one guess at a passphrase: ``ops`` passes of Argon2id over ``mem`` bytes."""

    ops: int
    mem: int


# libsodium's MODERATE is 3 passes over 256 MiB. This is the same work, with half the memory: together with the
# interpreter the other would be beyond the 300 MB that a command may take.
DEFAULT_COST: Final = Cost(ops=6, mem=128 << 20)
# A file chooses the bill of whoever opens it, and may not choose more than this.
MAX_COST: Final = Cost(ops=8, mem=128 << 20)
MIN_COST: Final = Cost(ops=argon2id.OPSLIMIT_MIN, mem=argon2id.MEMLIMIT_MIN)


@dataclass(frozen=True, slots=True)
class Slot:
    """The vault key, wrapped. ``kind`` says by what."""

    kind: str
    salt: bytes
    cost: Cost
    sealed: bytes = field(repr=False)

    @classmethod
    def wrap(cls, kind: str, vault_key: bytes, secret: bytes, *, cost: Cost, rand: Rand) -> Self:
        """A slot that gives ``vault_key`` to whoever knows ``secret``."""
        if not _affordable(cost):
            raise ValueError(f"a slot of {cost} could not be opened again")
        salt = rand(argon2id.SALTBYTES)
        key = _stretch(secret, salt, cost)
        return cls(kind, salt, cost, seal(vault_key, key=key, place=_place(kind, salt, cost), rand=rand))

    @classmethod
    def parse(cls, row: tuple[object, ...], *, where: str) -> Self:
        """The slot of a row ``(kind, salt, ops, mem, sealed, checksum)``; :class:`Malformed`, code ``VAULT_DAMAGED``.

        The checksum has no key and stops nobody; it tells a damaged slot from a wrong passphrase.
        """
        match row:
            case (str(kind), bytes(salt), int(ops), int(mem), bytes(sealed), bytes(checksum)):
                slot = cls(kind, salt, Cost(ops, mem), sealed)
            case _:
                raise Malformed(where, "damaged: a key slot is not readable", code="VAULT_DAMAGED")
        if len(salt) != argon2id.SALTBYTES or not _affordable(slot.cost):
            raise Malformed(where, "damaged: a key slot asks for what no vault asks", code="VAULT_DAMAGED")
        if not hmac.compare_digest(checksum, slot.checksum()):
            raise Malformed(where, "damaged: a key slot has changed", code="VAULT_DAMAGED")
        return slot

    def row(self) -> tuple[str, bytes, int, int, bytes, bytes]:
        """What :meth:`parse` reads."""
        return self.kind, self.salt, self.cost.ops, self.cost.mem, self.sealed, self.checksum()

    def checksum(self) -> bytes:
        """A digest of all of the slot."""
        return digest(_place(self.kind, self.salt, self.cost) + self.sealed)

    def unwrap(self, secret: bytes) -> bytes | None:
        """The vault key, or ``None``: the slot is whole, so ``secret`` is another one. Costs one Argon2id."""
        key = _stretch(secret, self.salt, self.cost)
        return unseal(self.sealed, key=key, place=_place(self.kind, self.salt, self.cost))


def _affordable(cost: Cost) -> bool:
    return MIN_COST.ops <= cost.ops <= MAX_COST.ops and MIN_COST.mem <= cost.mem <= MAX_COST.mem


def _place(kind: str, salt: bytes, cost: Cost) -> bytes:
    """Unambiguous: everything before ``kind`` has a fixed length. A slot moved to cheaper parameters opens nothing."""
    return b"slot" + salt + struct.pack(">QQ", cost.ops, cost.mem) + kind.encode("utf-8")


def _stretch(secret: bytes, salt: bytes, cost: Cost) -> bytes:
    try:
        return argon2id.kdf(KEY_BYTES, secret, salt, opslimit=cost.ops, memlimit=cost.mem)
    except CryptoError:  # libsodium's one reason, the bounds being checked: it got no memory
        raise Undetermined(
            "the passphrase cannot be checked", f"needs {cost.mem >> 20} MiB of free memory", code="OUT_OF_MEMORY"
        ) from None


def check_passphrase(passphrase: bytes) -> None:
    """Refuse a new passphrase that protects nothing: :class:`Rejected`, code ``WEAK_PASSPHRASE``."""
    if len(passphrase.decode("utf-8", errors="replace")) < MIN_PASSPHRASE:
        message = f"a passphrase needs {MIN_PASSPHRASE} characters or more; several words are easy to remember"
        raise Rejected((Finding("WEAK_PASSPHRASE", message),))
