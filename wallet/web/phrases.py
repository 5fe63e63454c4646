"""What the pages say, in English and French. The phrases are in ``phrases.toml`` beside this module."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final
from unicodedata import category

from vc.errors import Malformed, VcError
from work.phrases import day, number, typeset
from work.types import LANGUAGES

MAX_TEXT: Final = 300  # characters of a name or a message from elsewhere
NAMES: Final[Mapping[str, str]] = MappingProxyType({"en": "English", "fr": "Français"})

_PHRASES: Final[Mapping[str, Any]] = MappingProxyType(
    tomllib.loads(files("wallet.web").joinpath("phrases.toml").read_text(encoding="utf-8"))
)


def phrase(key: str, lang: str, **fields: object) -> str:
    """The phrase of that name (``"home.title"``), with every field cleaned before it is filled in."""
    return _template(key, lang).format_map({name: clean(str(value)) for name, value in fields.items()})


def has_phrase(key: str) -> bool:
    """Whether there is a phrase of that name."""
    return key in _all()


def phrases() -> list[str]:
    """The names of all phrases."""
    return sorted(_all())


def refusal(error: VcError, lang: str, *, asked: bool = False) -> tuple[str, str]:
    """What a page says of an error: in words of its own, and else in general, with the commands' own English behind.

    ``asked``: it is about somebody's request, of which the same codes mean other things than of a credential.
    """
    key = f"asked.{error.code}" if asked else f"refused.{error.code}"
    if has_phrase(key):
        return phrase(key, lang), ""
    if asked:
        return phrase("asked.other", lang), clean(str(error))
    return phrase("refused.malformed" if isinstance(error, Malformed) else "refused.other", lang), clean(str(error))


def clean(text: str, most: int = MAX_TEXT) -> str:
    """Text from elsewhere on one line of at most ``most`` characters, that cannot change how the rest is read."""
    kept = "".join(
        " " if one.isspace() else "\N{REPLACEMENT CHARACTER}" if category(one).startswith("C") else one
        for one in text[:most]
    )
    return kept + ("…" if len(text) > most else "")


def in_lang(lang: str) -> Mapping[str, Any]:
    """What a template needs to speak one language."""
    return {
        "lang": lang,
        "t": lambda key, **fields: phrase(key, lang, **fields),
        "day": lambda text: day(text, lang) if text else phrase("never", lang),
        "number": lambda value: number(str(value), lang),
        "clean": clean,
    }


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


@lru_cache(maxsize=1024)
def _template(key: str, lang: str) -> str:
    return typeset(_all()[key][lang], lang)


@lru_cache(maxsize=1)
def _all() -> Mapping[str, Mapping[str, str]]:
    return dict(_flat(_PHRASES, ""))


def _flat(entry: Mapping[str, Any], prefix: str) -> list[tuple[str, Mapping[str, str]]]:
    if set(LANGUAGES) == entry.keys():
        return [(prefix, entry)]
    return [one for part, inner in entry.items() for one in _flat(inner, f"{prefix}.{part}" if prefix else part)]
