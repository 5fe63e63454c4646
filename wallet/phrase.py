"""The recovery phrase: 24 words of BIP-39, English or French, that say 256 random bits and 8 more to check them by."""

import unicodedata
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType
from typing import Final

from mnemonic import Mnemonic

from vc.errors import Finding, Rejected

COUNT: Final = 24
MAX_TEXT: Final = 2048  # bytes; 24 of the longest words have under 300

_LISTS: Final[Mapping[str, str]] = MappingProxyType({"en": "english", "fr": "french"})


def phrase(secret: bytes, lang: str) -> tuple[str, ...]:
    """The 24 words that say ``secret``, which has 32 bytes."""
    text = unicodedata.normalize("NFC", _list(lang).to_mnemonic(secret))
    return tuple(text.split())


def read_phrase(text: str) -> bytes:
    """The secret that 24 words say; capitals, accents and the space between them do not matter.

    Raises :class:`Rejected`: ``WORD_COUNT``, ``WORD_MISSPELT`` (which, and the nearest) or ``WORDS_MIXED_UP``.
    """
    words = [plain(word) for word in text[:MAX_TEXT].split()]
    if len(words) != COUNT:
        raise _refused("WORD_COUNT", f"a recovery phrase has {COUNT} words; these are {len(words)}")
    if wrong := misspelt(text):
        raise Rejected(tuple(_misspelt(*one) for one in wrong))
    for one in _LISTS:  # a hundred words stand in both lists
        try:
            return bytes(_list(one).to_entropy([_known(one)[word] for word in words]))
        except (KeyError, ValueError):  # not all in this list; or the check fails
            continue
    raise _refused(
        "WORDS_MIXED_UP",
        "each of these is a word of the list, but together they are no recovery phrase: two have changed places, or one"
        " was read as another",
    )


def misspelt(text: str) -> tuple[tuple[int, str, str], ...]:
    """The words that are not in the list: the place of each from 1, the word, and the nearest in the list."""
    words = [plain(word) for word in text[:MAX_TEXT].split()][:COUNT]
    known = _known(max(_LISTS, key=lambda one: sum(word in _known(one) for word in words)))
    return tuple((at, word[:20], _nearest(word, known)) for at, word in enumerate(words, 1) if word not in known)


def plain(word: str) -> str:
    """A word as it is compared: without accents and capitals."""
    letters = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in letters if letter.isalpha())


def _nearest(word: str, known: Mapping[str, str]) -> str:
    near = get_close_matches(word, known, n=1, cutoff=0)
    return unicodedata.normalize("NFC", known[near[0]]) if near else ""


def _misspelt(at: int, word: str, near: str) -> Finding:
    message = f"word {at}, “{word}”, is not in the list of words; the nearest is “{near}”"
    return Finding("WORD_MISSPELT", message)


def _refused(code: str, message: str) -> Rejected:
    return Rejected((Finding(code, message),))


@cache
def _list(lang: str) -> Mnemonic:
    return Mnemonic(_LISTS[lang])


@cache
def _known(lang: str) -> Mapping[str, str]:
    """Each word of the list by its plain spelling."""
    return MappingProxyType({plain(word): word for word in _list(lang).wordlist})
