"""The wording of the issuer's pages: the same in both languages, typeset as each of them is, and all of it used."""

import re
from pathlib import Path

import pytest

from issuer import words
from work.types import LANGUAGES

ISSUER = Path(__file__).parents[1] / "issuer"
FIELD = re.compile(r"\{(\w+)\}")


def raw(key: str, lang: str) -> str:
    return words.BOOK.template(key, lang)


@pytest.mark.parametrize("key", words.phrases())
def test_a_phrase_says_the_same_in_both_languages(key: str) -> None:
    texts = {lang: raw(key, lang) for lang in LANGUAGES}
    assert all(text.strip() == text and text for text in texts.values())
    assert set(FIELD.findall(texts["en"])) == set(FIELD.findall(texts["fr"]))
    assert "'" not in "".join(texts.values())  # the typographic apostrophe
    assert not re.search(r"(?<![\u00a0\u202f])[;?!]", texts["fr"]), "a space that never breaks stands before ; ? !"
    assert not re.search(r"(?<![\u00a0\d/]):(?!//|\d)", texts["fr"]), "a space that never breaks stands before a colon"


def test_every_phrase_that_a_page_names_exists_and_every_phrase_is_named() -> None:
    sources = [*ISSUER.glob("templates/*.j2"), *ISSUER.glob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    named = set(re.findall(r"\bt\(\"([\w.]+)\"[,)]", text))
    assert len(named) > 60
    assert sorted(name for name in named if not words.has_phrase(name)) == []
    begun = {*re.findall(r"\"([a-z_.]+[._])\" ~", text), *re.findall(r"f\"([a-z_.]+\.)\{", text)}
    unused = [
        key
        for key in words.phrases()
        if f'"{key.removesuffix("_hint")}"' not in text and not any(key.startswith(start) for start in begun)
    ]
    assert not unused, ", ".join(unused)


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("", "en"),
        ("fr", "fr"),
        ("fr-CA", "fr"),
        ("en;q=0.5, fr;q=0.9", "fr"),
        ("en, fr;q=0.9", "en"),
        ("fr, en", "fr"),
        ("de, fr;q=0.1", "fr"),
        ("fr;q=0, en;q=0.1", "en"),
        ("fr;q=nonsense", "en"),
        ("fr;q=1e9, en", "en"),
        ("fr;q=²", "en"),
        (";;;,,,=" * 100, "en"),
        ("x" * 10_000, "en"),
    ],
)
def test_the_language_that_a_browser_asks_for(header: str, lang: str) -> None:
    assert words.choose(header) == lang


def test_text_from_elsewhere_is_made_harmless() -> None:
    assert words.clean("a\nb\tc") == "a b c"
    assert words.clean("a\u202eb\u200bc\x00") == "a\ufffdb\ufffdc\ufffd"
    assert words.clean("x" * 1000) == "x" * words.MAX_TEXT + "…"
    assert words.phrase("worker.title", "en", platform="{until} %s {0}") == "Proof of your work, from {until} %s {0}"


def test_times_and_spans_in_words() -> None:
    assert words.day(None, "fr") == "–"
    assert words.day(1_793_491_200, "fr") == "1er novembre 2026"
    assert words.moment(1_793_491_200 + 3660, "en") == "1 November 2026, 01:01 UTC"
    assert [words.span(seconds, "en") for seconds in (0, 60, 7200, 86_399, 172_800)] == [
        "0 minutes",
        "1 minute",
        "2 hours",
        "23 hours",
        "2 days",
    ]
    assert words.span(0, "fr") == "0 minute"
