"""Chance that an outsider may not foresee, from the bytes of ``rand``."""

from collections.abc import Callable
from math import exp, log, log1p
from struct import unpack
from typing import Final

Rand = Callable[[int], bytes]

WORD: Final = 1 << 32


def unit(rand: Rand) -> float:
    """A number from 0 up to 1."""
    return int.from_bytes(rand(6)) / (1 << 48)


def geometric(mean: float, rand: Rand) -> int:
    """A whole number from 0 on: one more is always less likely by the same factor."""
    return int(log1p(-unit(rand)) / log1p(-1 / (1 + mean)))


def log_uniform(low: float, high: float, rand: Rand) -> float:
    """A number of any order of magnitude from ``low`` to ``high`` alike."""
    return exp(log(low) + (log(high) - log(low)) * unit(rand))


def distinct(below: int, count: int, rand: Rand) -> list[int]:
    """At most ``count`` different numbers under ``below``, each as likely as any other, in the order drawn."""
    fair = WORD - WORD % below  # a word from here on would favour small numbers
    words = unpack(f">{count}I", rand(4 * count))
    return list(dict.fromkeys(word % below for word in words if word < fair))
