"""Whether a file writes the day or the month first: told from all of its dates, never from one row alone."""

import re
from collections.abc import Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

from issuer.exports import Layout, batches
from vc.errors import Malformed

_NUMBERS: Final = re.compile(r"\s*(\d{1,2})[/-](\d{1,2})[/-](?:\d{4}|\d{2})(?!\d)")


class Order(StrEnum):
    """The two ways of writing 4/7/2026."""

    dmy = "dmy"
    mdy = "mdy"


def day_order(stream: BinaryIO, form: Layout, path: Path, said: str) -> str:
    """The order of the dates in an open file; empty where it has none that could be read in two ways.

    ``said`` is what a person says about files that do not tell. Raises :class:`Malformed`, naming the file, for dates
    of both orders, and for dates that do not tell where neither the person nor the profile says anything.
    """
    found = {_order(*pair): line for line, pair in _pairs(stream, form)} if form.kind.dates else {}
    told = sorted(found.keys() - {""})
    if len(told) > 1:
        why = f"dates with the month first (line {found['mdy']}) and with the day first (line {found['dmy']})"
        raise Malformed(str(path), why, code="AMBIGUOUS_DATES")
    if told and said and told != [said]:
        raise Malformed(str(path), f"line {found[told[0]]} has a date that is not {said}", code="AMBIGUOUS_DATES")
    order = told[0] if told else said or form.kind.order
    if found and not order:
        why = (
            f"no date tells whether the day or the month comes first (line {found['']}): say it with --dates dmy or mdy"
        )
        raise Malformed(str(path), why, code="AMBIGUOUS_DATES")
    return order


def _order(first: int, second: int) -> str:
    """The order of a date that begins with two numbers; empty where both could be the month."""
    if (first > 12) == (second > 12):
        return ""
    return "dmy" if first > 12 else "mdy"


def _pairs(stream: BinaryIO, form: Layout) -> Iterator[tuple[int, tuple[int, int]]]:
    """The first two numbers of all dates that begin with two small ones and are not equal, with their line."""
    places = [form.places[name] for name in form.kind.dates if name in form.places]
    with closing(batches(stream, form)) as found:
        for batch in found:
            for line, row in zip(batch.lines, batch.rows, strict=True):
                for match in filter(None, (_NUMBERS.match(row[place]) for place in places)):
                    first, second = int(match[1]), int(match[2])
                    if first != second:
                        yield line, (first, second)
