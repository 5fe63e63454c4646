"""Guessing a profile from an unknown export: what each column may hold, by its name and by its values.

A guess is a start for a person, never an attestation: it says of every column why it was taken for what, names those
that are never to be read, and is written down as a profile whose every assumption is marked.
"""

import csv
import io
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from importlib.resources import files
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from issuer.exports import open_export
from vc.errors import Malformed

SAMPLE: Final = 1 << 20  # bytes that are looked at
ROWS: Final = 2000
MAX_FORMS: Final = 3  # in which the dates of one column are written; with more, it is none
MAX_WORDS: Final = 24  # different values of a column that may be a closed list of words
DELIMITERS: Final = (",", ";", "\t", "|")
SCALES: Final = (1, 5, 10, 20, 100)
NOTHING: Final = frozenset({"", "null", "na", "n/a", "\\n", "none", "-"})

_TABLE: Final[Mapping[str, Any]] = MappingProxyType(
    tomllib.loads(files("issuer").joinpath("guesses.toml").read_text(encoding="utf-8"))
)
_NEVER: Final = frozenset(_TABLE["never"]["words"])
DONE: Final = frozenset(_TABLE["done"]["words"])
# Those that several days fit come first in the order of Europe, and the profile says that it is a guess.
DATES: Final = (
    *(
        "%Y-%m-%d",
        "%Y-%m-%dT%H:%M:%S.%fZ",
        "%Y-%m-%d %H:%M:%S.%f",
        "%b %d, %Y",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%d %H:%M:%S UTC",
    ),
    *("%Y-%m-%d %H:%M", "%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y", "%m/%d/%Y %H:%M"),
    *("%m/%d/%Y %H:%M:%S", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%Y/%m/%d"),
)
_PLAIN: Final = re.compile(r"[+-]?(?:\d{1,9}(?:\.\d*)?|\.\d+)")
_COMMA: Final = re.compile(r"[+-]?(?:\d{1,3}(?:[\s.]\d{3}){1,3}|\d{1,9})(?:,\d{1,3})?\s?(?:€|EUR)?")
_MONEY: Final = re.compile(r"[+-]?[$£€][+-]?[\d,]{1,12}(?:\.\d*)?")
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[a-z]{2,}", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file: what its values look like, over the sample.

    ``shape`` is "date", "number", "comma", "money", "words", "email", "ip", "empty" or "text"; ``detail`` the date's
    format or the money's sign; ``words`` the different values where they are few.
    """

    name: str
    shape: str
    detail: str
    filled: int
    distinct: int
    words: tuple[str, ...]
    example: str
    most: Decimal | None = None  # of plain numbers
    whole: bool = False  # whether all of them are

    @property
    def is_number(self) -> bool:
        return self.shape in ("number", "comma", "money")


@dataclass(frozen=True, slots=True)
class Guess:
    """What the columns of a file were taken for. ``roles`` maps roles to columns; ``never`` are not to be read."""

    path: Path
    delimiter: str
    encoding: str
    rows: int
    columns: tuple[Column, ...]
    roles: Mapping[str, Column]
    never: tuple[Column, ...]

    @property
    def best(self) -> int:
        """The upper end of the rating scale: the smallest usual one that no rating exceeds."""
        most = self.roles["rating"].most or Decimal(5)
        return next((scale for scale in SCALES if most <= scale), SCALES[-1])

    @property
    def whole(self) -> bool:
        """Whether every rating is a whole number, so that the ratings of each value can be counted."""
        return self.roles["rating"].whole

    def why(self, role: str) -> str:
        """Why a column was taken for this role, for a person."""
        column = self.roles[role]
        looks = {"date": f"dates like {column.example!r} ({column.detail})"}.get(
            column.shape, f"{'numbers' if column.is_number else 'values'} like {column.example!r}"
        )
        return f"its name, and {looks} in {column.filled} of {self.rows} rows"


def guess(path: Path) -> Guess:
    """Look at the first rows of a CSV export. Raises :class:`Malformed` for what is no table, or holds no day."""
    with open_export(path) as stream:
        raw = stream.read(SAMPLE)
        cut = bool(stream.read(1))
    text, encoding = _decoded(raw, path)
    delimiter, header, rows = _table(text[: text.rfind("\n") + 1] if cut else text, path)
    columns = tuple(_column(name, [row[at] for row in rows]) for at, name in enumerate(header))
    never = tuple(column for column in columns if _is_never(column))
    roles = _roles([column for column in columns if column not in never])
    if "day" not in roles:
        raise Malformed(str(path), "no column holds dates, so nothing can be told of when work was done", code="NO_DAY")
    return Guess(path, delimiter, encoding, len(rows), columns, roles, never)


def words_of(header: str) -> tuple[str, ...]:
    """The words of a header, in small letters without accents: ``nbHeures_2`` is nb, heures, 2."""
    plain = "".join(one for one in unicodedata.normalize("NFD", header) if not unicodedata.combining(one))
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", plain)
    return tuple(re.findall(r"[a-z]+|\d+", spaced.casefold()))


def _decoded(raw: bytes, path: Path) -> tuple[str, str]:
    """The sample as text; a character that the end of the sample cuts off is left out."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw[: len(raw) & ~1].decode("utf-16", errors="ignore"), "utf-16"
    if b"\0" in raw:
        raise Malformed(str(path), "is not text: export it as CSV", code="NOT_TEXT")
    whole = raw if len(raw) < SAMPLE else raw[: raw.rfind(b"\n") + 1]
    try:
        return whole.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        return whole.decode("cp1252", errors="replace"), "cp1252"


def _table(text: str, path: Path) -> tuple[str, list[str], list[list[str]]]:
    """Delimiter, header and rows of the header's width, for the delimiter that makes the widest table."""
    found: list[tuple[int, str, list[str], list[list[str]]]] = []
    for delimiter in DELIMITERS:
        try:
            lines = list(islice(filter(None, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)), ROWS + 1))
        except csv.Error:
            continue
        rows = [row for row in lines[1:] if len(row) == len(lines[0])]
        if len(rows) * 2 > len(lines):  # more than half of all lines have the header's width
            found.append((len(lines[0]), delimiter, [name.strip() for name in lines[0]], rows))
    width, delimiter, header, rows = max(found, key=lambda one: one[0], default=(0, "", [], []))
    if width < 2:
        raise Malformed(str(path), "no table with a header and rows of two columns or more", code="NO_TABLE")
    places = [at for at, name in enumerate(header) if name and header.index(name) == at]  # of equal ones the first
    return delimiter, [header[at] for at in places], [[row[at] for at in places] for row in rows]


def _column(name: str, values: Sequence[str]) -> Column:
    given = [value.strip() for value in values if value.strip().casefold() not in NOTHING]
    different = Counter(given)
    shape, detail = _shape(list(different))
    words = tuple(sorted(different)) if shape == "text" and len(different) <= MAX_WORDS else ()
    kind = "words" if words and len(different) * 2 <= len(given) else shape
    numbers = [Decimal(value) for value in different] if shape == "number" else []
    return Column(
        name=name,
        shape=kind,
        detail=detail,
        filled=len(given),
        distinct=len(different),
        words=words,
        example=given[0][:60] if given else "",
        most=max(numbers, default=None),
        whole=bool(numbers) and all(number == int(number) for number in numbers),
    )


def _shape(values: Sequence[str]) -> tuple[str, str]:
    if not values:
        return "empty", ""
    if forms := _date_forms(values):
        return "date", forms
    patterns = (("number", _PLAIN), ("comma", _COMMA), ("money", _MONEY), ("email", _EMAIL), ("ip", _ADDRESS))
    for shape, pattern in patterns:
        if all(map(pattern.fullmatch, values)):
            return shape, next((sign for sign in "$£€" if sign in values[0]), "")
    return "text", ""


def _date_forms(values: Sequence[str]) -> str:
    """The formats that all values have, one or a few of them, with ``|`` between; nothing where they are no dates."""
    for form in DATES:
        if all(_is_date(value, form) for value in values):
            return form
    forms: dict[str, None] = {}
    for value in values:
        found = next((form for form in (*forms, *DATES) if _is_date(value, form)), None)
        if found is None:
            return ""
        forms[found] = None
    return "|".join(forms) if len(forms) <= MAX_FORMS else ""


def _is_date(value: str, form: str) -> bool:
    try:
        return 1990 <= datetime.strptime(value, form).year <= 2099
    except ValueError:
        return False


def _is_never(column: Column) -> bool:
    return column.shape in ("email", "ip") or bool(_NEVER & set(words_of(column.name)))


# What the values of a role have to look like.
_FITS: Final[Mapping[str, Callable[[Column], bool]]] = MappingProxyType(
    {
        "worker": lambda one: one.shape in ("text", "words", "number"),
        "rating": lambda one: one.is_number,
        "hours": lambda one: one.is_number,
        "distance": lambda one: one.is_number,
        "amount": lambda one: one.is_number,
        "currency": lambda one: all(re.fullmatch("[A-Z]{3}", word) for word in one.words) and bool(one.words),
        "status": lambda one: bool(one.words),
        "day": lambda one: one.shape == "date",
        "job": lambda one: one.shape in ("text", "number", "words"),
        "area": lambda one: one.shape in ("text", "words"),
        "service": lambda one: one.shape in ("text", "words"),
    }
)


def _roles(columns: Sequence[Column]) -> Mapping[str, Column]:
    """For each role the column whose name speaks for it most, each column once; where no name speaks of a day, the
    first column with dates is one."""
    taken: dict[str, Column] = {}
    for role, spoken in _TABLE["roles"].items():
        free = [one for one in columns if one not in taken.values() and one.filled and _FITS[role](one)]
        ranked = [(_place(one, spoken), -one.filled, at) for at, one in enumerate(free)]
        named = [entry for entry in ranked if entry[0] < len(spoken)]
        if named:
            taken[role] = free[min(named)[2]]
    dated = [one for one in columns if one.shape == "date" and one not in taken.values()]
    if "day" not in taken and dated:
        taken["day"] = dated[0]
    return MappingProxyType(taken)


def _place(column: Column, spoken: Sequence[str]) -> int:
    """How early a word list speaks of a column; the list's length where it does not."""
    named = f" {' '.join(words_of(column.name))} "
    return next((place for place, word in enumerate(spoken) if f" {word} " in named), len(spoken))


def states(column: Column) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of a status column: those that say that work is done, and the others."""
    done = tuple(word for word in column.words if DONE & set(words_of(word)))
    return done, tuple(word for word in column.words if word not in done)


def told(one: Guess) -> Iterator[str]:
    """The guess for a person, one line each."""
    for role, column in one.roles.items():
        yield f"{role:<9} {column.name!r}: {one.why(role)}"
    for column in one.never:
        yield f"never     {column.name!r}: may hold people, places or machines, and is not read"
    used = {*one.roles.values(), *one.never}
    rest = [column.name for column in one.columns if column not in used]
    if rest:
        yield f"not used  {', '.join(map(repr, rest))}"
