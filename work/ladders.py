"""Ladders: "at least X", signed ahead for every X that is reached, and shown one rung at a time.

A rung is a whole number written with six digits, so that rungs sort by size and the place of a rung among the signed
quads tells nothing about the rungs above it.
"""

from collections.abc import Iterable
from decimal import Decimal
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
    return tuple(rung(number) for number in sorted(ladder))


def reached(value: Decimal, ladder: Iterable[int]) -> tuple[str, ...]:
    """The rungs that ``value`` reaches, lowest first: exactly on a rung counts as reached."""
    return rungs(number for number in ladder if value >= number)
