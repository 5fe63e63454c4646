"""Sealing: how what the vault holds becomes unreadable, and what opens it again.

A *slot* is one way to open the vault: it wraps the vault key with a key that Argon2id (RFC 9106) makes from what the
worker knows.
"""

import hmac
import struct
from dataclasses import dataclass, field
from typing import Final, Self

from vc import sealing
from vc.errors import Malformed
from vc.sealing import SALT_BYTES, Cost, Rand, digest, is_affordable, stretch

FORMAT: Final = 1
OPENER: Final = "passphrase"  # the kind of slot; there is one so far

_CONTEXT: Final = b"ouvrage vault" + struct.pack(">H", FORMAT)

# libsodium's MODERATE is 3 passes over 256 MiB. This is the same work, with half the memory: together with the
# interpreter the other would be beyond the 300 MB that a command may take.
DEFAULT_COST: Final = Cost(ops=6, mem=128 << 20)


def seal(plaintext: bytes, *, key: bytes, place: bytes, rand: Rand) -> bytes:
    """A seal (:mod:`vc.sealing`) for a place in a vault."""
    return sealing.seal(plaintext, key=key, place=_CONTEXT + place, rand=rand)


def unseal(sealed: object, *, key: bytes, place: bytes) -> bytes | None:
    """What :func:`seal` sealed, or ``None``."""
    return sealing.unseal(sealed, key=key, place=_CONTEXT + place)


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
        if not is_affordable(cost):
            raise ValueError(f"a slot of {cost} could not be opened again")
        salt = rand(SALT_BYTES)
        key = stretch(secret, salt, cost)
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
        if len(salt) != SALT_BYTES or not is_affordable(slot.cost):
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
        key = stretch(secret, self.salt, self.cost)
        return unseal(self.sealed, key=key, place=_place(self.kind, self.salt, self.cost))


def _place(kind: str, salt: bytes, cost: Cost) -> bytes:
    """Unambiguous: everything before ``kind`` has a fixed length. A slot moved to cheaper parameters opens nothing."""
    return b"slot" + salt + struct.pack(">QQ", cost.ops, cost.mem) + kind.encode("utf-8")
