"""Ladders: "at least X", signed ahead for every X that is reached, and shown one rung at a time.

A rung is a whole number written with six digits, so that rungs sort by size and the place of a rung among the signed
quads tells nothing about the rungs above it.
"""

from bisect import bisect_right
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Final

from vc.errors import Malformed

DIGITS: Final = 6
MAX_RUNG: Final = 10**DIGITS - 1  # more digits would no longer sort with the others


def rung(number: int) -> str:
    """``1500`` as ``"001500"``. Raises :class:`Malformed` beyond six digits or below zero."""
    if not 0 <= number <= MAX_RUNG:
        raise Malformed("", f"a rung is a whole number from 0 to {MAX_RUNG}")
    return f"{number:0{DIGITS}d}"


def read_rung(text: str) -> int:
    """``"001500"`` as ``1500``. Raises :class:`Malformed` for any other spelling."""
    if len(text) != DIGITS or not (text.isascii() and text.isdigit()):
        raise Malformed("", f"a rung has {DIGITS} digits, such as 001500")
    return int(text)


def rungs(ladder: Iterable[int]) -> tuple[str, ...]:
    """Every rung of a ladder, lowest first."""
    return _steps(tuple(ladder))[1]


def reached(value: Decimal, ladder: Iterable[int]) -> tuple[str, ...]:
    """The rungs that ``value`` reaches, lowest first: exactly on a rung counts as reached."""
    heights, names = _steps(tuple(ladder))
    return names[: bisect_right(heights, value)]


@lru_cache(maxsize=1 << 8)  # each statement asks for all ladders of its type
def _steps(ladder: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """A ladder from its lowest step to its highest: as numbers, and as rungs."""
    heights = tuple(sorted(ladder))
    return heights, tuple(map(rung, heights))
