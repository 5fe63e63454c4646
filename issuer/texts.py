"""Texts that clients wrote are looked through before anything is stated: what names a person, or leads to one, is not
signed. The review is stated without its text then, and the run says so."""

# ruff: noqa: S608  (the names in this SQL are ours, and the numbers)

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import duckdb

from issuer.engine import DuckDb, run
from issuer.intake import Reject
from issuer.profile import Profile
from issuer.records import MAX_SHOWN, kept
from work.screening import described, findings, flat, masked
from work.types import TYPES

MAX_TEXT: Final = 2000  # characters, as the claim has it
_AT_ONCE: Final = 1000  # rows whose text is taken away in one go
_SHOWN: Final = 3  # of the things found in a text, those that the list of rejects shows
_BODY: Final = TYPES["Review"].claims["reviewBody"]


@dataclass(frozen=True, slots=True)
class Screened:
    """What came of it: the rows whose text is not stated, and how many there are for each reason."""

    rejects: tuple[Reject, ...]
    reasons: Mapping[str, int]


def screen_texts(connection: duckdb.DuckDBPyConnection, profile: Profile, files: Sequence[str]) -> Screened:
    """Take away the texts of reviews that must not be signed. ``files`` are the names of the files, in their order."""
    found: list[tuple[int, Reject]] = []
    if "Review" in profile.statements:
        for place, kind in enumerate(profile.files):
            if "reviews" in kind.feeds and "body" in kind.columns:
                names = "names" if "names" in kind.columns else "CAST(NULL AS VARCHAR)"
                sql = f"""SELECT file, line, body, {names} FROM rows_{place}
                          WHERE {kept(kind, "reviews")} AND body IS NOT NULL ORDER BY file, line"""
                refused = [
                    (file, _refused(files[file], line, *texts)) for file, line, *texts in DuckDb(connection).rows(sql)
                ]
                objected = [(file, one) for file, one in refused if one]
                _take_away(connection, place, objected)
                found += objected
    rejects = tuple(one for _, one in sorted(found, key=lambda each: (each[0], each[1].line)))
    return Screened(rejects, Counter(one.reason for one in rejects))


def _refused(file: str, line: int, body: str, names: str | None) -> Reject | None:
    """Why the text of a row is not stated; nothing where it can be."""
    text = flat(body)
    if len(text) > MAX_TEXT:
        return Reject(file, line, f"review text is longer than {MAX_TEXT} characters: stated without it")
    found = findings(text, names=re.split("[;|]", names or ""))
    if found:
        shown = ", ".join(masked(text, one) for one in found[:_SHOWN])
        return Reject(file, line, f"review text holds {described(found)}: stated without it", shown[:MAX_SHOWN])
    if text and not _BODY.accepts(text):
        return Reject(
            file, line, "review text begins with a mark that statements keep for themselves: stated without it"
        )
    return None


def _take_away(connection: duckdb.DuckDBPyConnection, place: int, refused: Sequence[tuple[int, Reject]]) -> None:
    """The texts become empty, not missing: a profile may feed only rows with a text, and the review is to stay."""
    lines: defaultdict[int, list[int]] = defaultdict(list)
    for file, one in refused:
        lines[file].append(one.line)
    for file, listed in lines.items():
        for some in _batches(listed):
            run(connection, f"UPDATE rows_{place} SET body = '' WHERE file = {file} AND line IN ({some})")


def _batches(lines: Sequence[int]) -> Iterator[str]:
    left = iter(lines)
    while some := list(islice(left, _AT_ONCE)):
        yield ", ".join(map(str, some))
