"""The report's own words, in English and French, and text from elsewhere made harmless to read.

The phrases are in ``words.toml`` beside this module; what claims say is in :mod:`work.wording`.
"""

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final
from unicodedata import category

from vc.errors import Unsupported
from work.phrases import month, typeset
from work.types import LANGUAGES

MAX_TEXT: Final = 300  # a name, a reason or a sentence of one person; ten thousand characters are an attack on a page
MAX_SENTENCE: Final = 4000  # a whole rating, or a list of sources, is well under it
MAX_MARKS: Final = 4  # marks on one letter: no script needs more, and a tall stack of them covers other lines

_BLANK: Final = frozenset("\t\n\v\f\r\x85\u2028\u2029")
_MARKS: Final = frozenset({"Mn", "Me"})
_WORDS: Final[Mapping[str, Any]] = MappingProxyType(
    tomllib.loads(files("verifier").joinpath("words.toml").read_text(encoding="utf-8"))
)
_FINDINGS: Final = MappingProxyType({code: entry for entry in _WORDS["findings"] for code in entry["codes"]})


def phrase(key: str, lang: str, **fields: str) -> str:
    """The phrase of that name (``"verdict.valid"``), with every field cleaned before it is filled in."""
    entry: Any = _WORDS
    for part in key.split("."):
        entry = entry[part]
    return _template(entry, lang).format_map({name: clean(value, MAX_SENTENCE) for name, value in fields.items()})


def explained(code: str, lang: str) -> str:
    """What a finding's code means for people, and what would settle it."""
    return _template(_FINDINGS.get(code, _FINDINGS["*"]), lang)


def has_words(code: str) -> bool:
    """Whether a finding's code has an explanation of its own."""
    return code in _FINDINGS


def day(moment: date, lang: str) -> str:
    """``24 November 2026``, ``1er novembre 2026``; of a moment, its day in UTC."""
    utc = moment.astimezone(UTC) if isinstance(moment, datetime) else moment
    named = month(f"{utc:%Y-%m}", lang)
    return phrase("day_first" if utc.day == 1 else "day", lang, day=str(utc.day), month=named)


def clean(text: str, most: int = MAX_TEXT) -> str:
    """Text from elsewhere on one line, at most ``most`` characters, that cannot change how the rest is read.

    Controls, bidirectional overrides and isolates, and characters that nobody sees become ``\\N{REPLACEMENT
    CHARACTER}``; line breaks and tabs become spaces; a letter keeps at most ``MAX_MARKS`` marks.
    """
    kept: list[str] = []
    marks = 0
    for character in text[:most]:
        marks = marks + 1 if category(character) in _MARKS else 0
        if marks <= MAX_MARKS:
            kept.append(_harmless(character))
    return "".join(kept) + ("…" if len(text) > most else "")


def _harmless(character: str) -> str:
    if character in _BLANK:
        return " "
    # Cc, Cf (bidirectional controls and zero-width characters among them), Cs, Co and Cn: nothing that has a shape.
    return "\N{REPLACEMENT CHARACTER}" if category(character).startswith("C") else character


def _template(entry: Mapping[str, str], lang: str) -> str:
    if lang not in LANGUAGES:
        raise Unsupported("language", lang)
    return _typeset(entry[lang], lang)


@lru_cache(maxsize=512)
def _typeset(text: str, lang: str) -> str:
    return typeset(text, lang)
