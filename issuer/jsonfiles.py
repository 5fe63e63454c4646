"""Export files in JSON: one document, or JSON Lines. Their records become rows of text, like those of a table.

A file is a sequence of documents: the lines of JSON Lines, or the one document that the whole file is. A document is a
record, a list of records, a page that holds such a list where the profile says, or a list of pages. Numbers keep the
spelling that they have in the file; what is not there, or null, is empty.
"""

import json
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, Final, NoReturn, TextIO

from vc.errors import Malformed

MAX_DOCUMENT: Final = 1 << 23  # characters; as Python values they take ten times the room. Longer: JSON Lines
MAX_RECORD: Final = 1 << 20  # characters of a line of JSON Lines: a page of the Driver API has some 50 000
MAX_MEMBERS: Final = 4096  # of one object; the widest record known has 40
MAX_DEPTH: Final = 32
SAMPLE: Final = 50  # records that are looked at to tell which kind a file is

_BRACKETS: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*"|[\[{]|[\]}]', re.DOTALL)
_UNPRINTABLE: Final = re.compile("[\x00\ud800-\udfff]")
_Steps = tuple[str | int, ...]


class _Flaw(ValueError):
    """Why a text is no JSON of ours."""


@dataclass(frozen=True, slots=True)
class Record:
    """The ``number``-th record of a file: its members, or why it has none."""

    number: int
    members: dict[str, Any]
    flaw: str = ""


def is_json(start: bytes) -> bool:
    """Whether a file that begins like this is meant to be JSON."""
    text = start.removeprefix(BOM_UTF8)
    if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        text = start[2:].replace(b"\0", b"")
    return text.lstrip().startswith((b"{", b"["))


def is_lines(text: TextIO) -> bool:
    """Whether the first line is a whole document, so that each line is one."""
    try:
        parse(text.readline(MAX_RECORD + 1))
    except _Flaw:
        return False
    return True


def parse(text: str) -> Any:
    """A JSON value in which numbers are text. Raises :class:`_Flaw`."""
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth(text)
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=_refuse, object_pairs_hook=_members)
    except json.JSONDecodeError as error:
        raise _Flaw(f"{error.msg.lower()} at character {error.pos + 1}") from None


def _check_depth(text: str) -> None:
    """Before parsing, which goes as deep as the text does."""
    depth = 0
    for found in _BRACKETS.finditer(text):
        sign = found.group()[0]
        depth += (sign in "[{") - (sign in "]}")
        if depth > MAX_DEPTH:
            raise _Flaw(f"nested more than {MAX_DEPTH} deep")


def _refuse(constant: str) -> NoReturn:
    raise _Flaw(f"{constant} is not a number")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Flaw("an object names a member twice")
    if len(members) > MAX_MEMBERS:
        raise _Flaw(f"an object has more than {MAX_MEMBERS} members")
    return members


def records(text: TextIO, pointer: str, *, lines: bool) -> Iterator[Record]:
    """The records of a file, in order. Raises :class:`Malformed` (without a file) for what cannot be read at all."""
    number = 0
    for document in _documents(text, lines=lines):
        if isinstance(document, _Flaw):
            number += 1
            yield Record(number, {}, f"is not JSON ({document})")
            continue
        for item in _items(document, _steps_of_pointer(pointer)):
            number += 1
            if isinstance(item, dict):
                yield Record(number, item)
            else:
                yield Record(number, {}, "is not an object")


def _documents(text: TextIO, *, lines: bool) -> Iterator[Any]:
    if not lines:
        whole = text.read(MAX_DOCUMENT + 1)
        if len(whole) > MAX_DOCUMENT:
            raise Malformed(
                "", f"more than {MAX_DOCUMENT} characters of JSON: write it as JSON Lines", code="TOO_LARGE"
            )
        try:
            yield parse(whole.removeprefix("\ufeff"))
        except _Flaw as flaw:
            raise Malformed("", f"is not JSON: {flaw}", code="NOT_JSON") from None
        return
    for number, line in enumerate(iter(lambda: text.readline(MAX_RECORD + 1), ""), 1):
        if len(line) > MAX_RECORD:
            raise Malformed("", f"line {number} is longer than {MAX_RECORD} characters", code="TOO_LARGE")
        if line.strip("\ufeff \t\r\n"):
            try:
                yield parse(line.strip("\ufeff \t\r\n"))
            except _Flaw as flaw:
                yield flaw


def _items(document: object, pointer: _Steps) -> Iterator[object]:
    """The records of a document. One that does not have the list that pages have is a record itself."""
    for page in document if isinstance(document, list) else [document]:
        held = _reach(page, pointer) if pointer else None
        if isinstance(held, list):
            yield from held
        else:
            yield page


@cache
def _steps_of_pointer(pointer: str) -> _Steps:
    """RFC 6901"""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


@cache
def _steps(path: str) -> _Steps:
    """The steps of a dotted path; whole numbers count the members of a list, from its end if below 0."""
    return tuple(int(step) if re.fullmatch(r"-?\d{1,4}", step) else step for step in path.split("."))


def _reach(value: object, steps: _Steps) -> object:
    """What a path leads to; nothing where it leads nowhere."""
    for step in steps:
        match value, step:
            case dict(), _:
                value = value.get(str(step))
            case list(), int() if -len(value) <= step < len(value):
                value = value[step]
            case _:
                return None
    return value


def _has(item: object, path: str) -> bool:
    """Whether a record has what a path leads to, be it null."""
    steps = _steps(path)
    match _reach(item, steps[:-1]), steps[-1]:
        case dict() as members, step:
            return str(step) in members or path in members
        case list() as members, int() as step:
            return -len(members) <= step < len(members)
    return isinstance(item, dict) and path in item


def row(record: Record, paths: Sequence[str]) -> list[str]:
    """The values that the paths lead to, as text."""
    members = record.members
    return [_text(members[path] if path in members else _reach(members, _steps(path))) for path in paths]


def _text(value: object) -> str:
    match value:
        case str():
            return value if value.isascii() and "\0" not in value else _UNPRINTABLE.sub("\ufffd", value)
        case bool():
            return str(value).lower()
        case None:
            return ""
    return "a list" if isinstance(value, list) else "an object"


def first_documents(text: TextIO, *, lines: bool) -> list[object]:
    """Enough of a file to tell which kind it is. Raises :class:`Malformed` like :func:`records`."""
    sound = (document for document in _documents(text, lines=lines) if not isinstance(document, _Flaw))
    return list(islice(sound, SAMPLE))


def lacking(documents: Sequence[object], pointer: str, paths: Sequence[str]) -> list[str]:
    """Those of the paths that lead nowhere in all of the first records; none where there are no records at all."""
    steps = _steps_of_pointer(pointer)
    items = list(islice((item for document in documents for item in _items(document, steps)), SAMPLE))
    return [path for path in paths if items and not any(_has(item, path) for item in items)]
