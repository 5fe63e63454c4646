"""Phrases of pages and commands in every language, from a TOML file beside the code that says them."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, Self
from unicodedata import category

from work.phrases import typeset
from work.types import LANGUAGES, Words

NAMES: Final[Mapping[str, str]] = MappingProxyType({"en": "English", "fr": "Français"})
MAX_TEXT: Final = 300  # characters of a name or a message from elsewhere


@dataclass(frozen=True, slots=True)
class PhraseBook:
    """Phrases by their names, such as ``home.title``."""

    texts: Mapping[str, Words]

    @classmethod
    def parse(cls, text: str) -> Self:
        """The phrases of a file of ours, in which a table with one entry for each language is a phrase."""
        return cls(dict(_flat(tomllib.loads(text), "")))

    def phrase(self, key: str, lang: str, **fields: object) -> str:
        """The phrase of that name, with every field cleaned before it is filled in."""
        return self.template(key, lang).format_map({name: clean(str(value)) for name, value in fields.items()})

    def template(self, key: str, lang: str) -> str:
        """The phrase of that name, with its fields open."""
        return _typeset(self.texts[key][lang], lang)

    def has_phrase(self, key: str) -> bool:
        """Whether there is a phrase of that name."""
        return key in self.texts

    def names(self) -> list[str]:
        """The names of all phrases."""
        return sorted(self.texts)


def _flat(entry: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Words]]:
    if set(LANGUAGES) == entry.keys():
        yield prefix, entry
        return
    for part, inner in entry.items():
        yield from _flat(inner, f"{prefix}.{part}" if prefix else part)


_typeset = lru_cache(maxsize=2048)(typeset)


def clean(text: str, most: int = MAX_TEXT) -> str:
    """Text from elsewhere on one line of at most ``most`` characters, that cannot change how the rest is read."""
    kept = "".join(
        " " if one.isspace() else "\N{REPLACEMENT CHARACTER}" if category(one).startswith("C") else one
        for one in text[:most]
    )
    return kept + ("…" if len(text) > most else "")


def choose(accept_language: str) -> str:
    """The language that a browser's Accept-Language asks for most, of ours; English where it asks for none of them."""
    best, weight = "en", 0.0
    for part in accept_language[:200].split(","):
        tag, _, parameter = part.strip().partition(";")
        name = tag.partition("-")[0].lower()
        asked = _weight(parameter)
        if name in LANGUAGES and asked > weight:
            best, weight = name, asked
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not parameter.strip():
        return 1.0
    return float(value) if name == "q" and value.replace(".", "", 1).isdecimal() and value.isascii() else 0.0
