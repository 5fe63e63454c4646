"""What the pages say, in English and French. The phrases are in ``phrases.toml`` beside this module."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from vc.errors import Malformed, VcError
from work.phrasebook import MAX_TEXT, NAMES, PhraseBook, choose, clean
from work.phrases import day, number

__all__ = ["MAX_TEXT", "NAMES", "choose", "clean", "has_phrase", "in_lang", "phrase", "phrases", "refusal"]


BOOK: Final = PhraseBook.parse(files("wallet.web").joinpath("phrases.toml").read_text(encoding="utf-8"))
phrase, has_phrase, phrases = BOOK.phrase, BOOK.has_phrase, BOOK.names


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


def in_lang(lang: str) -> Mapping[str, Any]:
    """What a template needs to speak one language."""
    return {
        "lang": lang,
        "t": lambda key, **fields: phrase(key, lang, **fields),
        "day": lambda text: day(text, lang) if text else phrase("never", lang),
        "number": lambda value: number(str(value), lang),
        "clean": clean,
    }
