"""Names of people in a text, as far as the writing shows them: no list of names can be whole, and every list of words
calls somebody's name a word.

A name is what the platform says is one; what stands behind a title ("Mme"), behind thanks or a greeting, or before an
initial ("Anna K."); and two capitalised words in a row that do not begin a sentence. Words that are capitalised for
other reasons, places and brands among them, are in ``names.toml``.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final
from unicodedata import combining, normalize

Span = tuple[int, int]

_WORD: Final = re.compile(r"[^\W\d_][^\W_\u0300-\u036f]{0,60}(?:[\u0300-\u036f]{1,3}[^\W_]{0,60}){0,20}")
_END: Final = frozenset(".!?…\n")  # of a sentence
_SHORT: Final = 3  # letters; a shorter part of a name is found only with the rest of it

_LISTS: Final[Mapping[str, Any]] = MappingProxyType(
    tomllib.loads(files("work").joinpath("names.toml").read_text(encoding="utf-8"))
)
_TITLES: Final = frozenset(_LISTS["titles"].split())
_GREETINGS: Final = frozenset(_LISTS["greetings"].split())
_ROLES: Final = frozenset(_LISTS["roles"].split())
_BETWEEN: Final = frozenset(_LISTS["between"].split())
_BEFORE: Final = frozenset(_LISTS["before"].split())
_PARTICLES: Final = frozenset(_LISTS["particles"].split())
_LETTERED: Final = frozenset(_LISTS["lettered"].split())
_ORDINARY: Final = frozenset(word for listed in _LISTS["ordinary"].values() for word in listed.split())


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int
    begins: bool  # a sentence

    @property
    def folded(self) -> str:
        return fold(self.text)

    @property
    def is_capitalised(self) -> bool:
        return self.text[0].isupper() and not self.text.isupper()

    @property
    def is_initial(self) -> bool:
        return len(self.text) == 1 and self.text.isupper()

    @property
    def is_shouted(self) -> bool:
        """In capitals all through, and longer than acronyms are."""
        return len(self.text) > 4 and self.text.isupper()

    @property
    def may_be_name(self) -> bool:
        return len(self.text) > 1 and self.folded not in _ORDINARY


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """A word as it is compared: without case and accents."""
    return "".join(each for each in normalize("NFKD", text.casefold()) if not combining(each))


def given_names(text: str, names: Iterable[str]) -> Iterator[Span]:
    """Where ``names``, or parts of them, stand in a text; a name of letters only, whatever its marks."""
    wanted = [[fold(word.group()) for word in _WORD.finditer(name)] for name in names]
    parts = {part for name in wanted for part in name if len(part) >= _SHORT and part not in _PARTICLES | _TITLES}
    whole = {name[0]: name for name in wanted if name}
    if not wanted:
        return
    words = _words(text)
    for place, word in enumerate(words):
        folded = word.folded
        name = whole.get(folded, [])
        if folded in parts:
            yield word.start, word.end
        elif name and [each.folded for each in words[place : place + len(name)]] == name:
            yield word.start, words[place + len(name) - 1].end


def written_names(text: str) -> Iterator[Span]:
    """Where the writing shows that a person is named."""
    words = _words(text)
    gaps = [text[one.end : other.start] for one, other in pairwise(words)]
    for place, word in enumerate(words[:-1]):
        after, gap = words[place + 1], gaps[place]
        if _is_title(word, gap, after):
            yield word.start, _last(words, gaps, place + 1).end
        elif word.folded in _GREETINGS or (word.folded in _ROLES and gap == " "):
            yield from _greeted(words, gaps, place)
        elif _is_pair(word, gap, after) or _has_initial(text, word, gap, after):
            yield word.start, _last(words, gaps, place + 1).end
        elif _follows_initial(words, gaps, place):
            yield word.start, after.end


def _words(text: str) -> list[_Word]:
    found: list[_Word] = []
    end = 0
    for match in _WORD.finditer(text):
        begins = not found or not _END.isdisjoint(text[end : match.start()])
        found.append(_Word(match.group(), match.start(), match.end(), begins))
        end = match.end()
    return found


def _is_title(word: _Word, gap: str, after: _Word) -> bool:
    called = word.folded in _TITLES and word.text[0].isupper() and gap in (" ", ". ", ".", ".  ")
    return called and after.text[0].isupper() and after.may_be_name and len(after.text) > 1


def _is_pair(word: _Word, gap: str, after: _Word) -> bool:
    if gap not in (" ", "-", "  ") or word.begins or not word.is_capitalised:
        return False
    return (after.is_capitalised or after.is_shouted) and word.may_be_name and after.may_be_name


def _has_initial(text: str, word: _Word, gap: str, after: _Word) -> bool:
    """As platforms shorten the names of people: "Anna K."."""
    shortened = after.is_initial and gap == " " and text[after.end : after.end + 1] == "."
    return shortened and word.is_capitalised and len(word.text) >= _SHORT and _is_none_of(word, _LETTERED)


def _is_none_of(word: _Word, others: frozenset[str]) -> bool:
    return word.folded not in others and word.may_be_name


def _follows_initial(words: Sequence[_Word], gaps: Sequence[str], place: int) -> bool:
    """An initial where a name may stand: "by K. Anders"."""
    word, after = words[place], words[place + 1]
    named = word.is_initial and gaps[place] in (". ", ".") and after.is_capitalised and after.may_be_name
    return named and place > 0 and words[place - 1].folded in _BEFORE


def _greeted(words: Sequence[_Word], gaps: Sequence[str], place: int) -> Iterator[Span]:
    """Whom thanks, a greeting or "my colleague" goes to."""
    at = place + 1
    while at < len(words) and at - place <= 4 and words[at].folded in _BETWEEN and gaps[at - 1] in (" ", ", "):
        at += 1
    if at == len(words) or gaps[at - 1] not in (" ", ", ", " : ", ": ") or words[at].begins:
        return
    if words[at].is_capitalised and words[at].may_be_name and words[at].folded not in _TITLES:
        yield words[at].start, _last(words, gaps, at).end


def _last(words: Sequence[_Word], gaps: Sequence[str], place: int) -> _Word:
    """The last word of the name that the word at ``place`` belongs to; names have few."""
    at = place
    while at + 1 < len(words) and at - place < 3 and gaps[at] in (" ", "-") and words[at + 1].text[0].isupper():
        at += 1
    return words[at]
