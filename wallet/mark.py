"""A mark beside the vault: the newest state of it that this machine has seen, and which of them is backed up.

No file can tell its own age, so an older copy of the vault put in its place would look like any other. The mark is
sealed with a secret of the vault's; who takes it away, or puts back an older mark too, is not seen.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vc.canon import Json, parse_json, to_json
from vc.errors import VcError
from vc.io.files import read_bounded, write_atomic
from vc.sealing import Rand, digest
from wallet.manifest import Age
from wallet.sealing import seal, unseal

_PLACE: Final = b"mark"
_MAX: Final = 4096


@dataclass(frozen=True, slots=True)
class Mark:
    """The changes that the vault had when it was last seen, and when it was last backed up."""

    changes: int = 0
    backed_up: int | None = None
    backed_up_at: str = ""


def mark_path(vault: Path) -> Path:
    """Where the mark of a vault is."""
    return vault.with_name(f"{vault.name}.mark")


def read_mark(vault: Path, age: Age) -> Mark:
    """The mark of this vault; an empty one where there is none, or it is another vault's."""
    try:
        sealed = read_bounded(mark_path(vault), limit=_MAX)
    except VcError:
        return Mark()
    plaintext = unseal(sealed, key=_key(age), place=_PLACE)
    match parse_json(plaintext) if plaintext is not None else None:
        case {"changes": int(changes), "backedUp": int() | None as backed_up, "backedUpAt": str(at)}:
            return Mark(changes, backed_up, at)
    return Mark()


def write_mark(vault: Path, age: Age, mark: Mark, *, rand: Rand) -> None:
    """Keep a mark. Raises :class:`Undetermined`, code ``CANNOT_WRITE``."""
    body: dict[str, Json] = {
        "changes": mark.changes,
        "backedUp": mark.backed_up,
        "backedUpAt": mark.backed_up_at,
    }
    write_atomic(mark_path(vault), seal(to_json(body), key=_key(age), place=_PLACE, rand=rand))


def _key(age: Age) -> bytes:
    return digest(b"ouvrage mark" + age.series)
