"""The verifier's own key, which signs requests and receipts: one file, sealed with a passphrase."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self

from vc.canon import Json
from vc.did import did_jwk_method
from vc.io import keyfile
from vc.io.keyfile import Ask, Lock
from vc.keys import P256Key

FILE: Final = "keys.json"
PLACE: Final = b"ouvrage verifier keys 1"
SECRET_BYTES: Final = 32


def _ask(new: bool) -> bytes:
    return keyfile.ask_passphrase(new, whose="the verifier's")


@dataclass(frozen=True, slots=True)
class Keys:
    """``signing`` signs as its did:jwk; ``x5c`` are its certificates, signer first, where it has any; ``secret`` seals
    what the store keeps for a session."""

    signing: P256Key
    x5c: tuple[str, ...]
    secret: bytes = field(repr=False)
    lock: Lock = field(repr=False)

    @classmethod
    def open(cls, folder: Path, *, rand: Callable[[int], bytes], passphrase: Ask = _ask) -> Self:
        """The keys in a folder; new ones where there are none. Raises :class:`Malformed` for a damaged file, and
        :class:`Rejected` for a wrong passphrase."""
        with keyfile.exclusive(folder):
            if (folder / FILE).exists():
                return cls._read(folder / FILE, passphrase)
            made = cls._made(Lock.new(passphrase(True), rand=rand), rand)
            made.write(folder, rand=rand)
            return made

    @classmethod
    def _made(cls, lock: Lock, rand: Callable[[int], bytes]) -> Self:
        return cls(_named(P256Key.generate(rand).secret), (), rand(SECRET_BYTES), lock)

    @classmethod
    def _read(cls, path: Path, passphrase: Ask) -> Self:
        document, lock = keyfile.read(path, passphrase, place=PLACE)
        match document:
            case {"signing": str(signing), "x5c": list(x5c), "secret": str(secret)} if lock is not None:
                try:
                    return cls(_named(bytes.fromhex(signing)), tuple(map(str, x5c)), bytes.fromhex(secret), lock)
                except ValueError:
                    raise keyfile.damaged(str(path)) from None
        raise keyfile.damaged(str(path))

    def write(self, folder: Path, *, rand: Callable[[int], bytes]) -> None:
        """Keep them, sealed."""
        document: dict[str, Json] = {
            "signing": self.signing.secret.hex(),
            "x5c": list[Json](self.x5c),
            "secret": self.secret.hex(),
        }
        keyfile.write(folder / FILE, document, self.lock, place=PLACE, rand=rand)

    def certified(self, x5c: tuple[str, ...]) -> Self:
        """The same key with other certificates."""
        return replace(self, x5c=x5c)

    def renewed(self, rand: Callable[[int], bytes]) -> Self:
        """Another key, without certificates: requests that are open have to be made anew."""
        return self._made(self.lock, rand)


def _named(secret: bytes) -> P256Key:
    return P256Key.from_secret(secret, did_jwk_method(P256Key.from_secret(secret).public))
