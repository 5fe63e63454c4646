"""Text from outside, made harmless to read."""

from typing import Final

_SPACES: Final = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"  # of French, and between groups of digits
MAX_NAME: Final = 60  # characters of a name on a line


def plain(text: str, most: int = 300) -> str:
    """A text on one line, without characters that move the cursor or turn the direction of reading."""
    return "".join(character for character in text if character.isprintable() or character in _SPACES)[:most]


def short(issuer: str) -> str:
    """An issuer on a line: its own name, or enough of its DID to tell it from another."""
    name = plain(issuer)
    return name if len(name) <= MAX_NAME else f"{name[:16]}…{name[-6:]}"
