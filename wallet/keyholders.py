"""Who opens the vault when the passphrase is forgotten: new words or guardians are let in, and a share is written."""

import re
from collections.abc import Sequence
from datetime import datetime

from vc.canon import Json
from vc.sealing import Rand
from wallet.sealing import GUARDIANS, WORDS, Opener
from wallet.vault import Vault
from wallet.vault_words import told


def let_words_in(vault: Vault, secret: bytes, *, at: datetime, rand: Rand) -> None:
    """From now on the words that say ``secret`` open the vault, and earlier ones no more."""
    vault.let_in(Opener.make(WORDS, secret, rand=rand), about={"made": f"{at:%Y-%m-%d}"})


def let_guardians_in(
    vault: Vault, secret: bytes, *, of: int, need: int, names: Sequence[str], at: datetime, rand: Rand
) -> None:
    """From now on the guardians' shares that say ``secret`` open the vault, and earlier ones no more."""
    about: dict[str, Json] = {"of": of, "need": need, "made": f"{at:%Y-%m-%d}", "names": [*names]}
    vault.let_in(Opener.make(GUARDIANS, secret, rand=rand), about=about)


def share_text(share: str, number: int, *, of: int, need: int, name: str, at: datetime, lang: str) -> str:
    """What a guardian gets: what it is, what to do with it, and the words between two rules."""
    from wallet.guardians import RULE, share_lines  # noqa: PLC0415  (its list is read when it is needed)

    named = told("share_name", lang, name=name) if name else ""
    text = told(
        "share", lang, number=number, of=of, need=need, name=named, day=f"{at:%Y-%m-%d}", rule=RULE, words="WORDS"
    )
    return text.replace("WORDS", "\n".join(share_lines(share))) + "\n"


def share_file(number: int, *, of: int, name: str) -> str:
    """The name of that file."""
    slug = re.sub(r"[^\w]+", "-", name)[:40].strip("-") or "guardian"
    return f"share-{number}-of-{of}{f'-{slug}' if name else ''}.txt"
