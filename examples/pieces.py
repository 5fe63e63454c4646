"""Pieces that several of the example exports are made of."""

import json
from collections.abc import Iterable
from datetime import date
from typing import Final

from make_examples import Row, table

PIXEL: Final = 'CANARY answer, with "quotes"\nand a second line from 203.0.113.9'
# What clients wrote, by turns; the last of them leads to a person, so it must not be stated.
AVIS: Final = (
    "Travail soigné, à l'heure convenue.",
    "Très bien,\nà l'heure ; « impeccable »",
    "Rien à redire, je recommande.",
    "Un peu de retard, mais bien fait.",
    "Parfait. Appelez le 06 00 00 00 00 pour la suite.",
)
REVIEWS: Final = (
    "Careful work, delivered on time.",
    'Clear answers, and a result that is "just right".',
    "A little late, but well done.",
    "Good. Write to studio@canary.example next time.",
)


def document(value: object) -> bytes:
    """JSON as programs print it."""
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def semicolons(header: Row, rows: Iterable[Row]) -> bytes:
    """A CSV file as a French spreadsheet writes it: semicolons, a byte order mark, CRLF."""
    return b"\xef\xbb\xbf" + table(header, rows, end="\r\n", delimiter=";")


def fr(day: date) -> str:
    """The day first."""
    return f"{day:%d/%m/%Y}"
