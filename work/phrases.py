"""Sentences and their parts in English and French: words from ``words.toml``, numbers, months, lists."""

import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from vc.errors import Unsupported
from work.types import LANGUAGES, Words

GROUP: Final = "\N{NARROW NO-BREAK SPACE}"  # between groups of three digits: a comma or a point would be misread abroad
WORDS: Final[Mapping[str, Any]] = MappingProxyType(
    tomllib.loads(files("work").joinpath("words.toml").read_text(encoding="utf-8"))
)
_FRENCH: Final = (("\N{SPACE}:", "\N{NO-BREAK SPACE}:"), *((f"\N{SPACE}{mark}", f"{GROUP}{mark}") for mark in ";!?%"))


def put(words: Words, lang: str, **fields: str) -> str:
    """A sentence with its {fields} filled in. Raises :class:`Unsupported` for another language."""
    if lang not in LANGUAGES:
        raise Unsupported("language", lang)
    return typeset(words[lang].format_map(_Fields(fields)), lang)


class _Fields(dict[str, str]):
    """Fields of a sentence; one that is not known leaves nothing."""

    def __missing__(self, key: str) -> str:
        return ""


def listed(texts: Iterable[str], lang: str) -> str:
    """Several things, one after the other."""
    return typeset(" ; " if lang == "fr" else "; ", lang).join(texts)


def number(text: str, lang: str) -> str:
    """A plain decimal with groups of three digits, and a comma in French: 1 500 · 2 210,30."""
    whole, point, rest = f"{Decimal(text):,f}".partition(".")
    return whole.replace(",", GROUP) + ("," if point and lang == "fr" else point) + rest


def month(text: str, lang: str) -> str:
    """``2025-07`` as "July 2025"."""
    return f"{WORDS['months'][lang][int(text[5:7]) - 1]} {text[:4]}"


def day(text: str, lang: str) -> str:
    """``2025-07-03`` as "3 July 2025"."""
    number_ = put(WORDS["first"], lang) if text[8:] == "01" else str(int(text[8:]))
    return f"{number_} {month(text, lang)}"


def typeset(text: str, lang: str) -> str:
    """French puts a space that never breaks before its double marks."""
    for plain, fixed in _FRENCH if lang == "fr" else ():
        text = text.replace(plain, fixed)
    return text


def percent(share: str, lang: str) -> str:
    """A share as a percentage."""
    return put(WORDS["percent"], lang, value=number(f"{(Decimal(share) * 100).normalize():f}", lang))
