"""Text from outside, made harmless to read."""

from typing import Final

_SPACES: Final = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"  # of French, and between groups of digits


def plain(text: str, most: int = 300) -> str:
    """A text on one line, without characters that move the cursor or turn the direction of reading."""
    return "".join(character for character in text if character.isprintable() or character in _SPACES)[:most]
