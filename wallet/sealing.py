"""Sealing: how what the vault holds becomes unreadable, and what opens it again.

A *slot* is one way to open the vault: it wraps the vault key with a key that Argon2id (RFC 9106) makes from what the
worker knows, or holds. The passphrase's slot is symmetric. The slots of the 24 words and of the guardians are not: what
Argon2id makes is the secret half of an X25519 key, and the vault keeps the public half. So a new vault key can be
wrapped for them while nobody has them at hand, and who knew the vault as it was learns nothing that opens it later.
"""

import hmac
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Self

from nacl.exceptions import CryptoError
from nacl.public import Box, PrivateKey, PublicKey

from vc import sealing
from vc.errors import Finding, Malformed, Rejected
from vc.sealing import KEY_BYTES, MIN_COST, SALT_BYTES, Cost, Rand, digest, is_affordable, stretch

FORMAT: Final = 2  # of the file; wallet/upgrades.py brings earlier ones to it
OLDEST: Final = 1  # that can be opened
OPENER: Final = "passphrase"  # the kind of slot that every vault has
WORDS: Final = "words"
GUARDIANS: Final = "guardians"
KINDS: Final = (OPENER, WORDS, GUARDIANS)

_CONTEXT: Final = b"ouvrage vault" + struct.pack(">H", 1)  # seals are alike in all formats so far

# libsodium's MODERATE is 3 passes over 256 MiB. This is the same work, with half the memory: together with the
# interpreter the other would be beyond the 300 MB that a command may take.
DEFAULT_COST: Final = Cost(ops=6, mem=128 << 20)
CHEAP_COST: Final = MIN_COST  # for 256 random bits, which nobody guesses at any price


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
        return cls(kind, salt, cost, b"").rewrapped(vault_key, stretch(secret, salt, cost), rand=rand)

    def rewrapped(self, vault_key: bytes, stretched: bytes, *, rand: Rand) -> Self:
        """The slot for another vault key, by what Argon2id made of the same secret."""
        place = _place(self.kind, self.salt, self.cost)
        return replace(self, sealed=seal(vault_key, key=stretched, place=place, rand=rand))

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
        return self.open(self.stretched(secret))

    def stretched(self, secret: bytes) -> bytes:
        """What Argon2id makes of ``secret`` for this slot: the dear part of :meth:`unwrap`."""
        return stretch(secret, self.salt, self.cost)

    def open(self, stretched: bytes) -> bytes | None:
        """The vault key by what :meth:`stretched` gave, or ``None``."""
        place = _place(self.kind, self.salt, self.cost)
        if self.kind == OPENER:
            return unseal(self.sealed, key=stretched, place=place)
        secret = PrivateKey(stretched)
        ephemeral, sealed = self.sealed[:KEY_BYTES], self.sealed[KEY_BYTES:]
        if len(ephemeral) < KEY_BYTES:
            return None
        try:
            shared = Box(secret, PublicKey(ephemeral)).shared_key()
        except CryptoError:  # a point of small order, which no wallet has sealed with
            return None
        return unseal(sealed, key=_agreed(shared, ephemeral, bytes(secret.public_key)), place=place)


@dataclass(frozen=True, slots=True)
class Opener:
    """Who else opens the vault: the public half of what their secret makes, which wraps for them without them.

    It is kept sealed inside the vault: whoever could put another one there would be let in at the next change of keys.
    """

    kind: str
    salt: bytes
    public: bytes

    @classmethod
    def make(cls, kind: str, secret: bytes, *, rand: Rand) -> Self:
        """The opener of whoever has ``secret``, which has 256 random bits."""
        if len(secret) != KEY_BYTES or kind not in (WORDS, GUARDIANS):
            raise ValueError("an opener needs a secret of 32 bytes and a kind of its own")
        salt = rand(SALT_BYTES)
        return cls(kind, salt, bytes(PrivateKey(stretch(secret, salt, CHEAP_COST)).public_key))

    def wrap(self, vault_key: bytes, *, rand: Rand) -> Slot:
        """A slot that gives ``vault_key`` to them."""
        once = PrivateKey(rand(KEY_BYTES))
        ephemeral = bytes(once.public_key)
        key = _agreed(Box(once, PublicKey(self.public)).shared_key(), ephemeral, self.public)
        place = _place(self.kind, self.salt, CHEAP_COST)
        return Slot(self.kind, self.salt, CHEAP_COST, ephemeral + seal(vault_key, key=key, place=place, rand=rand))


def _agreed(shared: bytes, ephemeral: bytes, public: bytes) -> bytes:
    return digest(b"ouvrage opener" + shared + ephemeral + public)


def _place(kind: str, salt: bytes, cost: Cost) -> bytes:
    """Unambiguous: everything before ``kind`` has a fixed length. A slot moved to cheaper parameters opens nothing."""
    return b"slot" + salt + struct.pack(">QQ", cost.ops, cost.mem) + kind.encode("utf-8")


_WRONG: Final = MappingProxyType(
    {
        OPENER: ("WRONG_PASSPHRASE", "the passphrase is wrong"),
        WORDS: (
            "WRONG_WORDS",
            "these are 24 good words, but they open nothing here: newer ones ended them, or they are another wallet's",
        ),
        GUARDIANS: (
            "WRONG_SHARES",
            "these shares fit together, but open nothing here: newer ones ended them, or they are another wallet's",
        ),
    }
)


def passphrase_slot(key: bytes, passphrase: bytes, *, cost: Cost, rand: Rand) -> tuple[Slot, bytes]:
    """The slot that ``passphrase`` opens, and what Argon2id made of it."""
    empty = Slot(OPENER, rand(SALT_BYTES), cost, b"")
    stretched = empty.stretched(passphrase)
    return empty.rewrapped(key, stretched, rand=rand), stretched


def backup_key(key: bytes) -> bytes:
    """The key of a backup, from the vault key that its slots open to."""
    return digest(b"ouvrage backup" + key)


def unlock(slots: Mapping[str, Slot], secret: bytes, *, by: str) -> tuple[Slot, bytes, bytes]:
    """The slot that ``secret`` opens, what Argon2id made of it, and the vault key. Raises :class:`Rejected`."""
    slot = slots.get(by)
    stretched = slot.stretched(secret) if slot else b""
    key = slot.open(stretched) if slot else None
    if slot is None or key is None:
        raise Rejected((Finding(*_WRONG[by]),))
    return slot, stretched, key
