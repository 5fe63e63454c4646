"""What the issuer's pages say, in English and French. The phrases are in ``words.toml`` beside this module."""

import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final
from unicodedata import category

from work.phrases import day as day_of
from work.phrases import month, number, typeset
from work.types import LANGUAGES

Say = Callable[..., str]

MAX_TEXT: Final = 300  # of text from elsewhere in a page: a worker's id, a reason
NAMES: Final[Mapping[str, str]] = MappingProxyType({"en": "English", "fr": "Français"})

_WORDS: Final[Mapping[str, Any]] = MappingProxyType(
    tomllib.loads(files("issuer").joinpath("words.toml").read_text(encoding="utf-8"))
)


def phrase(key: str, lang: str, **fields: object) -> str:
    """The phrase of that name (``"offers.title"``), with every field cleaned before it is filled in."""
    return _template(key, lang).format_map({name: clean(str(value)) for name, value in fields.items()})


def has_phrase(key: str) -> bool:
    """Whether there is a phrase of that name."""
    entry: Any = _WORDS
    for part in key.split("."):
        entry = entry.get(part) if isinstance(entry, Mapping) else None
    return isinstance(entry, Mapping) and set(LANGUAGES) <= entry.keys()


def refusal(code: str, lang: str) -> str | None:
    """What a page says of an error with this code; None where it has no words for it."""
    key = f"refused.{code}"
    return phrase(key, lang) if has_phrase(key) else None


def phrases() -> list[str]:
    """The names of all phrases."""
    return sorted(_names(_WORDS, ""))


def clean(text: str) -> str:
    """Text from elsewhere on one line of at most MAX_TEXT characters, that cannot change how the rest is read."""
    kept = "".join(
        " " if one.isspace() else "\N{REPLACEMENT CHARACTER}" if category(one).startswith("C") else one
        for one in text[:MAX_TEXT]
    )
    return kept + ("…" if len(text) > MAX_TEXT else "")


def day(at: int | None, lang: str) -> str:
    """The day in UTC of a moment in seconds since 1970; a dash for none."""
    return "–" if at is None else day_of(f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}", lang)


def moment(at: int | None, lang: str) -> str:
    """The day and the time, in UTC."""
    if at is None:
        return "–"
    return phrase("moment", lang, day=day(at, lang), time=f"{datetime.fromtimestamp(at, UTC):%H:%M}")


def span(seconds: int, lang: str) -> str:
    """How long: in minutes, hours or days, whichever reads best."""
    for name, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size or name == "minutes":
            count = max(0, seconds // size)
            one = count == 1 or (count == 0 and lang == "fr")
            return phrase(f"span_one.{name}" if one else f"span.{name}", lang, count=number(str(count), lang))
    raise AssertionError  # pragma: no cover


def in_lang(lang: str) -> Mapping[str, Any]:
    """What a template needs to speak one language."""
    return {
        "lang": lang,
        "t": lambda key, **fields: phrase(key, lang, **fields),
        "day": lambda at: day(at, lang),
        "moment": lambda at: moment(at, lang),
        "month": lambda text: month(text, lang),
        "span": lambda seconds: span(seconds, lang),
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
    entry: Any = _WORDS
    for part in key.split("."):
        entry = entry[part]
    return typeset(entry[lang], lang)


def _names(entry: Mapping[str, Any], prefix: str) -> list[str]:
    if set(LANGUAGES) == entry.keys():
        return [prefix]
    return [
        name for part, inner in entry.items() for name in _names(inner, f"{prefix}.{part}" if prefix else str(part))
    ]
