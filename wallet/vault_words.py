"""What the wallet says of the vault, its backups and who opens it, in English and French."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from vc.canon import Json

_TEXTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    tomllib.loads(files("wallet").joinpath("vault_words.toml").read_text(encoding="utf-8"))
)


def told(name: str, lang: str, /, **values: object) -> str:
    """The sentence called ``name``, on one line of a terminal or several."""
    shown = {key: "".join(letter for letter in str(value) if letter.isprintable()) for key, value in values.items()}
    return _TEXTS[lang][name].strip("\n").format(**shown)


def numbered(words: tuple[str, ...]) -> str:
    """24 words in six rows of four, each with its number: easy to copy on paper."""
    cells = [f"{number:>2}. {word:<10}" for number, word in enumerate(words, 1)]
    return "\n".join("  ".join(cells[at : at + 4]).rstrip() for at in range(0, len(cells), 4))


def backup_lines(state: Mapping[str, Json], lang: str) -> list[str]:
    """One line where a backup is missing or older than the last change; none otherwise."""
    if state["upToDate"] is True or state["folder"] is not None:
        return []
    return [told("backup_old", lang, day=str(state["last"])[:10]) if state["last"] else told("backup_none", lang)]
