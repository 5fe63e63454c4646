"""The key file: a JSON document that is readable only with a passphrase, and says whether it is damaged.

Argon2id makes a key of the passphrase, once for each command; XChaCha20-Poly1305 seals the document with it.
"""

import fcntl
import hmac
import os
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self, TypeAlias

import typer

from vc.canon import Json, Limits, parse_object, to_json
from vc.errors import Finding, Malformed, Rejected, Undetermined
from vc.io.files import read_bounded, read_passphrase, write_atomic
from vc.sealing import SALT_BYTES, Cost, check_passphrase, digest, is_affordable, seal, stretch, unseal

MAX_FILE: Final = 4 << 20  # a did:webvh log of 512 entries has 1 MB
LIMITS: Final = Limits(size=MAX_FILE)
COST: Final = Cost(ops=5, mem=64 << 20)  # some 0.15 s for each command, and for each guess

Ask: TypeAlias = Callable[[bool], bytes]  # the passphrase: a new one, or the one that the file has


def ask_passphrase(new: bool, *, whose: str) -> bytes:
    """The passphrase from ``OUVRAGE_PASSPHRASE_FILE``, or from whoever sits at the terminal; a new one twice.

    ``whose`` says whose keys are asked about, such as ``the issuer's``. Raises :class:`Malformed`, code
    ``NO_PASSPHRASE``, where there is neither.
    """
    if "OUVRAGE_PASSPHRASE_FILE" not in os.environ and not sys.stdin.isatty():
        raise Malformed(
            "passphrase",
            f"{whose} keys are sealed with one: name a file with OUVRAGE_PASSPHRASE_FILE, or use a terminal",
            code="NO_PASSPHRASE",
        )
    if new and "OUVRAGE_PASSPHRASE_FILE" not in os.environ:
        return prompt_twice(f"A passphrase for {whose} keys")
    return read_passphrase(os.environ, lambda: _prompt(f"Passphrase of {whose} keys"))


def prompt_twice(text: str) -> bytes:
    """A new passphrase from the terminal. Raises :class:`Malformed` where the second is another."""
    given = read_passphrase({}, lambda: _prompt(text))
    if given != read_passphrase({}, lambda: _prompt("The same again")):
        raise Malformed("passphrase", "the two are not the same; nothing was changed", code="BAD_PASSPHRASE")
    return given


def _prompt(text: str) -> str:
    return str(typer.prompt(text, hide_input=True, err=True))


@dataclass(frozen=True, slots=True)
class Lock:
    """What locks a file: the key that a passphrase made, and how it was made."""

    salt: bytes
    cost: Cost
    key: bytes = field(repr=False)

    @classmethod
    def new(cls, passphrase: bytes, *, rand: Callable[[int], bytes], cost: Cost = COST) -> Self:
        """A lock for a new passphrase. Raises :class:`Rejected` for one that protects nothing."""
        check_passphrase(passphrase)
        salt = rand(SALT_BYTES)
        return cls(salt, cost, stretch(passphrase, salt, cost))


@dataclass(frozen=True, slots=True)
class _Sealed:
    salt: bytes
    cost: Cost
    sealed: bytes

    @classmethod
    def parse(cls, document: dict[str, Json], where: str) -> Self:
        match document:
            case {
                "version": 2,
                "kdf": {"name": "argon2id", "ops": int(ops), "memory": int(memory), "salt": str(salt)},
                "sealed": str(sealed),
                "checksum": str(checksum),
            }:
                try:
                    made = cls(bytes.fromhex(salt), Cost(ops, memory), b64decode(sealed, validate=True))
                except ValueError:
                    raise damaged(where) from None
                sound = len(made.salt) == SALT_BYTES and is_affordable(made.cost)
                # The checksum has no key and stops nobody; it tells a damaged file from a wrong passphrase.
                if sound and hmac.compare_digest(checksum.encode(), made.checksum().encode()):
                    return made
        raise damaged(where)

    def checksum(self) -> str:
        return digest(b"%b%d,%d," % (self.salt, self.cost.ops, self.cost.mem) + self.sealed).hex()

    def to_json(self) -> dict[str, Json]:
        kdf: dict[str, Json] = {
            "name": "argon2id",
            "ops": self.cost.ops,
            "memory": self.cost.mem,
            "salt": self.salt.hex(),
        }
        return {
            "version": 2,
            "kdf": kdf,
            "sealed": b64encode(self.sealed).decode("ascii"),
            "checksum": self.checksum(),
        }


def damaged(where: str) -> Malformed:
    """What is said of a file that does not hold what was written."""
    return Malformed(where, "damaged, or not a key file; restore it from your backup", code="BAD_KEYS")


def read(path: Path, passphrase: Ask, *, place: bytes, held: Lock | None = None) -> tuple[dict[str, Json], Lock | None]:
    """The document in a key file that was sealed for ``place``, and its lock; None for one from before key files were
    sealed.

    ``held`` is a lock that opened it before: it spares the passphrase. Raises :class:`Malformed` for a damaged file,
    :class:`Rejected` with code ``WRONG_PASSPHRASE``.
    """
    document = parse_object(read_bounded(path, limit=MAX_FILE), where=str(path), limits=LIMITS)
    if document.get("version") == 1:
        return document, None
    found = _Sealed.parse(document, str(path))
    lock = held
    if lock is None or (lock.salt, lock.cost) != (found.salt, found.cost):
        lock = Lock(found.salt, found.cost, stretch(passphrase(False), found.salt, found.cost))
    raw = unseal(found.sealed, key=lock.key, place=place)
    if raw is None:
        raise Rejected((Finding("WRONG_PASSPHRASE", f"this passphrase does not open {path}"),))
    return parse_object(raw, where=str(path), limits=LIMITS), lock


def write(path: Path, document: dict[str, Json], lock: Lock, *, place: bytes, rand: Callable[[int], bytes]) -> None:
    """Keep a document, sealed for ``place``, at ``path``. Raises :class:`Undetermined` where the disk refuses."""
    sealed = seal(to_json(document), key=lock.key, place=place, rand=rand)
    write_atomic(path, to_json(_Sealed(lock.salt, lock.cost, sealed).to_json()))


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Keep all other commands from changing the keys meanwhile. Raises :class:`Undetermined`."""
    try:
        descriptor = os.open(folder / "keys.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Undetermined(
            f"{folder}: cannot be written: {error.strerror}", "check the folder", code="CANNOT_WRITE"
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
