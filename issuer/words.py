"""What the issuer's pages say, in English and French. The phrases are in ``words.toml`` beside this module."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final

from work.phrasebook import MAX_TEXT, NAMES, PhraseBook, choose, clean
from work.phrases import day as day_of
from work.phrases import month, number

__all__ = ["MAX_TEXT", "NAMES", "choose", "clean", "has_phrase", "in_lang", "moment", "phrase", "phrases", "refusal"]

Say = Callable[..., str]


BOOK: Final = PhraseBook.parse(files("issuer").joinpath("words.toml").read_text(encoding="utf-8"))
phrase, has_phrase, phrases = BOOK.phrase, BOOK.has_phrase, BOOK.names


def refusal(code: str, lang: str) -> str | None:
    """What a page says of an error with this code; None where it has no words for it."""
    key = f"refused.{code}"
    return phrase(key, lang) if has_phrase(key) else None


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
