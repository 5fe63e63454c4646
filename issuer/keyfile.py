"""The issuer's key file: :mod:`vc.io.keyfile`, for the issuer's place and in its words."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from vc.canon import Json
from vc.io import keyfile
from vc.io.keyfile import Ask, Lock, damaged, exclusive, prompt_twice

__all__ = ["PLACE", "Ask", "Lock", "ask_passphrase", "damaged", "exclusive", "prompt_twice", "read", "write"]

PLACE: Final = b"ouvrage issuer keys 2"


def ask_passphrase(new: bool) -> bytes:
    """The passphrase of the issuer's keys, or a new one. Raises :class:`Malformed`, code ``NO_PASSPHRASE``."""
    return keyfile.ask_passphrase(new, whose="the issuer's")


def read(path: Path, passphrase: Ask, *, held: Lock | None = None) -> tuple[dict[str, Json], Lock | None]:
    """The document in the issuer's key file, and its lock (:func:`vc.io.keyfile.read`)."""
    return keyfile.read(path, passphrase, place=PLACE, held=held)


def write(path: Path, document: dict[str, Json], lock: Lock, *, rand: Callable[[int], bytes]) -> None:
    """Keep the issuer's document, sealed (:func:`vc.io.keyfile.write`)."""
    keyfile.write(path, document, lock, place=PLACE, rand=rand)
