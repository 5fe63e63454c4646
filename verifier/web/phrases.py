"""What the pages say, in English and French. The phrases are in ``phrases.toml`` beside this module."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from vc.errors import VcError
from verifier.words import explained, has_words
from work.phrasebook import PhraseBook, clean
from work.phrases import day

BOOK: Final = PhraseBook.parse(files("verifier.web").joinpath("phrases.toml").read_text(encoding="utf-8"))
phrase, has_phrase, phrases = BOOK.phrase, BOOK.has_phrase, BOOK.names


def refusal(error: VcError, lang: str) -> tuple[str, str]:
    """What a page says of an error: in words of its own or the report's, and else in general, with the commands' own
    English behind."""
    key = f"refused.{error.code}"
    if has_phrase(key):
        return phrase(key, lang), ""
    if has_words(error.code):
        return explained(error.code, lang), ""
    return phrase("refused.other", lang), clean(str(error))


def in_lang(lang: str) -> Mapping[str, Any]:
    """What a template needs to speak one language."""
    return {
        "lang": lang,
        "t": lambda key, **fields: phrase(key, lang, **fields),
        "day": lambda text: day(text, lang),
    }
