"""Looking at the start of a file: which kind it is of, and where it has the columns of that kind."""

import csv
import io
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from issuer.jsonfiles import lacking
from issuer.profile import FileKind, Profile, fold, load_profile, profile_names
from vc.errors import Malformed

MAX_COLUMNS: Final = 4096  # the widest export known has 86; a batch of rows has to fit in memory
_LISTED: Final = 5  # missing columns named in a message


class Table:
    """The start of a file, looked at as a table."""

    def __init__(self, text: str, path: Path) -> None:
        self._text, self._path = text, path
        self._headers: dict[str, list[str]] = {}

    format = "csv"

    def header(self, delimiter: str) -> list[str]:
        if delimiter not in self._headers:
            self._headers[delimiter] = _header(self._text, delimiter, self._path)
        return self._headers[delimiter]

    def delimiter(self, kind: FileKind) -> str:
        """The one with which a kind lacks the fewest columns, or there are the most."""
        return min(kind.delimiters, key=lambda sign: (len(_missing(kind, self.header(sign))), -len(self.header(sign))))

    def missing(self, kind: FileKind) -> list[str]:
        return _missing(kind, self.header(self.delimiter(kind)))

    def recognised(self, kind: FileKind) -> list[str]:
        there = set(map(kind.folded, self.header(self.delimiter(kind))))
        return [name for name in kind.names if not there.isdisjoint(_spellings(kind, name))]

    @cached_property
    def names(self) -> frozenset[str]:
        """What the file may call its columns, whatever separates them."""
        return frozenset(fold(name) for sign in _SIGNS for name in self.header(sign))


_SIGNS: Final = (",", ";", "\t")


class Documents:
    """The first records of a JSON file."""

    format = "json"
    names: frozenset[str] = frozenset()

    def __init__(self, documents: Sequence[object]) -> None:
        self._documents = documents

    def missing(self, kind: FileKind) -> list[str]:
        lacks = lacking(self._documents, kind.rows, kind.names)
        return [
            *(name for name in kind.required if name in lacks),
            *_missing_choices(kind, set(kind.names) - set(lacks)),
        ]

    def recognised(self, kind: FileKind) -> list[str]:
        lacks = lacking(self._documents, kind.rows, kind.names)
        return [name for name in kind.names if name not in lacks]


_Look = Table | Documents


def find_kind(look: _Look, path: Path, profile: Profile) -> FileKind:
    """The kind of file that fits best what was seen of a file."""
    for refusal in profile.refused:
        if set(map(fold, refusal.columns)) <= look.names:
            raise Malformed(str(path), f"is never used: {refusal.reason}", code="NEVER_USED")
    kinds = [kind for kind in profile.files if kind.format == look.format]
    missing = {kind.name: look.missing(kind) for kind in kinds}
    found = [kind for kind in kinds if not missing[kind.name]]
    if not found:
        raise _wrong_profile(look, path, profile, missing)
    return max(found, key=lambda kind: len(kind.required) + len(kind.either))


def _header(text: str, delimiter: str, path: Path) -> list[str]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(filter(None, reader), [])
    except csv.Error:
        return []
    if len(header) > MAX_COLUMNS:
        raise Malformed(str(path), f"more than {MAX_COLUMNS} columns", code="TOO_LARGE")
    return header


def _spellings(kind: FileKind, column: str) -> list[str]:
    """The folded headers under which a column may stand, in the order in which they are looked for."""
    return [kind.folded(column), *(alias for alias, name in kind.aliases.items() if name == column)]


def _missing(kind: FileKind, header: Sequence[str]) -> list[str]:
    there = set(map(kind.folded, header))
    known = {name for name in kind.names if not there.isdisjoint(_spellings(kind, name))}
    return [*(name for name in kind.required if name not in known), *_missing_choices(kind, known)]


def _missing_choices(kind: FileKind, known: set[str]) -> list[str]:
    """The groups of columns of which a file needs one, and has none."""
    return [" or ".join(group) for group in kind.either if known.isdisjoint(group)]


def places_of(kind: FileKind, header: Sequence[str], path: Path) -> dict[str, int]:
    if kind.headers == "loose":
        return looseplaces_of(kind, header)
    folded = list(map(kind.folded, header))
    places: dict[str, int] = {}
    for column in kind.names:
        at = [place for place, name in enumerate(folded) if name in _spellings(kind, column)]
        if len(at) > 1:
            raise Malformed(str(path), f"has {len(at)} columns {column!r}", code="AMBIGUOUS_COLUMN")
        if at:
            places[column] = at[0]
    return places


class _Columns(Table):
    """The columns of a table that is no text, looked at like those of one that is."""

    def __init__(self, header: Sequence[str], path: Path) -> None:
        super().__init__("", path)
        self._columns = list(header)

    def header(self, delimiter: str = "") -> list[str]:  # noqa: ARG002  (nothing separates them)
        return self._columns


def find_table(header: Sequence[str], path: Path, profile: Profile) -> tuple[FileKind, dict[str, int]]:
    """The kind of file that the columns of a table fit best, and where it has them. Raises :class:`Malformed`."""
    kind = find_kind(_Columns(header, path), path, profile)
    return kind, places_of(kind, header, path)


def looseplaces_of(kind: FileKind, header: Sequence[str]) -> dict[str, int]:
    """Where each column stands: under the first of its spellings; ``X-2`` under the last header that repeats X's."""
    folded = list(map(kind.folded, header))
    places: dict[str, int] = {}
    for column in kind.names:
        original = column.removesuffix(_AGAIN)
        found = next((name for name in _spellings(kind, original) if name in folded), None)
        if found is None:
            continue
        again = [place for place, name in enumerate(folded) if _repeats(name, found)]
        first = folded.index(found)
        if column == original:
            places[column] = first
        elif later := [place for place in again if place != first]:
            places[column] = later[-1]
    return places


_AGAIN: Final = "-2"


def _repeats(name: str, found: str) -> bool:
    """Whether a folded header is ``found``, or ``found`` with the number that programs put behind a repeated one."""
    return name == found or (name.startswith(f"{found} ") and name[len(found) + 1 :] in _NUMBERS)


_NUMBERS: Final = frozenset("123456789")


def _wrong_profile(look: _Look, path: Path, profile: Profile, missing: Mapping[str, Sequence[str]]) -> Malformed:
    """What a file lacks to be of the kind that it is nearest to, what it has of that, and which profile would fit."""
    if not missing:
        return Malformed(str(path), f"is {look.format.upper()}, which profile {profile.name} does not read")
    kinds = [kind for kind in profile.files if kind.name in missing]
    nearest = max(kinds, key=lambda kind: (len(look.recognised(kind)), -len(missing[kind.name])))
    others = [other for other in map(load_profile, profile_names()) if other.name != profile.name]
    fitting = [other.name for other in others if not _is_guess(other) and _fits(look, other)]
    advice = f"profile {' or '.join(fitting[:_LISTED])} would fit" if fitting else "no profile of ours fits"
    known = look.recognised(nearest)
    seen = f"; it has {_listed(known)} of {nearest.title}" if known else ""
    why = f"not an export for profile {profile.name}: without {_listed(missing[nearest.name])}; {advice}{seen}"
    return Malformed(str(path), why, code="WRONG_PROFILE")


def _is_guess(profile: Profile) -> bool:
    """Whether a profile guesses at an export that nobody documents: it fits nearly any table, and that is no advice."""
    return profile.name.startswith("generic-") or profile.documented.startswith("Nothing")


def _fits(look: _Look, profile: Profile) -> bool:
    return any(not look.missing(kind) for kind in profile.files if kind.format == look.format)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
