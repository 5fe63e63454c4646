"""A report's text as blocks, from which the terminal's text and the page are both drawn: neither says more."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from verifier.words import phrase

WIDTH: Final = 78  # of a terminal, and of a line that reads well


@dataclass(frozen=True, slots=True)
class Block:
    """A heading and what stands under it, in one language. ``series`` are short items that may stand in columns.

    ``quotes`` are somebody's own words, in the language ``quotes_lang``; ``beside`` stands right behind what is told.
    """

    heading: str
    warnings: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ()
    quotes_lang: str = ""
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    beside: tuple["Block", ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    blocks: tuple["Block", ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A report in one language."""

    lang: str
    title: str
    verdict: str
    meaning: str
    blocks: tuple[Block, ...]


def page_text(page: Page) -> str:
    """A page for a terminal."""
    parts = [page.title, "", *_wrapped(page.verdict), *_wrapped(page.meaning)]
    for block in page.blocks:
        parts += ["", *_block_text(block, page.lang, 0)]
    return "\n".join(parts) + "\n"


def _block_text(block: Block, lang: str, depth: int) -> Iterator[str]:
    margin = "  " * depth
    yield from _wrapped(block.heading, margin)
    yield margin + ("=" if depth == 0 else "-") * min(len(block.heading), WIDTH - len(margin))
    yield from (line for text in block.warnings for line in _wrapped(text, margin, "! "))
    yield from (line for text in block.quotes for line in _wrapped(text, f"{margin}> "))
    yield from (line for text in block.paragraphs for line in _wrapped(text, margin))
    yield from (line for text in (*block.items, *block.series) for line in _wrapped(text, margin, "- "))
    for inner in block.beside:
        yield from ("", *_block_text(inner, lang, depth + 1))
    if block.beside and block.facts:
        yield ""
    yield from (
        line
        for name, value in block.facts
        for line in _wrapped(phrase("fact", lang, name=name, value=value), margin, "  ")
    )
    for inner in block.blocks:
        yield ""
        yield from _block_text(inner, lang, depth + 1)


def _wrapped(text: str, margin: str = "", mark: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=margin + mark,
        subsequent_indent=margin + " " * len(mark),
        break_on_hyphens=False,
    )
