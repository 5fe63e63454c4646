"""What keeps the wallet from being lost: the last backup, and who opens it when the passphrase is forgotten."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from vc.canon import Json
from vc.model import parse_date_time
from wallet.keeping import backup_state
from wallet.sealing import GUARDIANS, OPENER, WORDS, unlock
from wallet.vault import Vault

OLD: Final = timedelta(days=7)  # a backup without the last changes may be so old before the first page speaks of it


@dataclass(frozen=True, slots=True)
class Guardians:
    """How many people have a share, and how many of them open the wallet together."""

    need: int
    of: int
    made: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Safety:
    """The days are as in ``2026-11-24``, and empty where there is none."""

    last: str
    up_to_date: bool
    folder: str
    words: str
    guardians: Guardians | None

    def reminder(self, at: datetime) -> str:
        """The name of what the first page reminds of: one thing at a time, and nothing where all is well."""
        if not self.last:
            return "no_backup"
        if not self.up_to_date and parse_date_time(f"{self.last}T00:00:00Z", where="mark") < at - OLD:
            return "old_backup"
        return "" if self.words or self.guardians else "no_way_in"


def safety(vault: Vault) -> Safety:
    """How safe an open vault is from being lost."""
    state, openers = backup_state(vault), vault.openers()
    words = openers.get(WORDS)
    return Safety(
        last=str(state["last"] or "")[:10],
        up_to_date=state["upToDate"] is True,
        folder=str(state["folder"] or ""),
        words=str(words.get("made", "")) if words else "",
        guardians=_guardians(openers.get(GUARDIANS)),
    )


def require_passphrase(vault: Vault, passphrase: bytes) -> None:
    """Who sits before an open wallet is not yet its owner. Costs one Argon2id. Raises :class:`Rejected`."""
    unlock({slot.kind: slot for slot in vault.slots()}, passphrase, by=OPENER)


def _guardians(about: Mapping[str, Json] | None) -> Guardians | None:
    match about:
        case {"need": int(need), "of": int(of), "made": str(made), "names": list(names)}:
            return Guardians(need, of, made, tuple(map(str, names)))
    return None
