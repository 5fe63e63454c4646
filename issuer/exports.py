"""Export files: which kind they are, how they are encoded, and their rows with the line that each begins on.

Nothing of a file is believed: a first bounded read decides whether it is the export that the profile describes, a
second pass whether all of it is text. Rows are read by Python's own CSV reader and handled in batches, never one by
one.
"""

import csv
import io
import stat
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, compress, islice, repeat
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import BinaryIO, Final

from issuer.profile import FileKind, Profile, fold, load_profile, profile_names
from vc.errors import Malformed

MAX_LINE: Final = 1 << 18  # characters; the longest header and the longest answer seen in exports have some thousands
MAX_COLUMNS: Final = 4096  # the widest export known has 86; a batch of rows has to fit in memory
BATCH: Final = 20_000  # rows handed to the database at once; it takes 10 ms to plan what to do with them
BATCH_BYTES: Final = 1 << 22  # a batch ends here however few its rows are
_STEP: Final = 100  # rows read between two looks at BATCH_BYTES
_Numbered = tuple[list[str], int]  # a row, and the line that it ends on
_LISTED: Final = 5  # missing columns named in a message

_MAGIC: Final = (
    (b"PK\x03\x04", "a ZIP archive or a spreadsheet: unpack it, or save it as CSV"),
    (b"\x1f\x8b", "compressed: unpack it first"),
    (b"%PDF", "a PDF document: export the records as CSV"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet: save it as CSV"),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """How one file is to be read. ``places`` maps the columns of ``kind`` that the file has to their position."""

    kind: FileKind
    delimiter: str
    encoding: str
    width: int
    places: dict[str, int]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file: ``lines`` holds the line that each row begins on, ``rows`` have the header's width.

    ``broken`` are the rows between them that are no rows of this table, by line and reason. ``done`` counts the bytes
    of the file that were read so far.
    """

    lines: Sequence[int]
    rows: Sequence[Sequence[str]]
    broken: Sequence[tuple[int, str]]
    done: int


def open_export(path: Path) -> BinaryIO:
    """A regular file, open for reading. Raises :class:`Malformed`, naming the file."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise Malformed(str(path), "is a folder, not a file", code="FILE_UNREADABLE")
        if not stat.S_ISREG(status.st_mode):
            raise Malformed(str(path), "is not a regular file", code="FILE_UNREADABLE")
        return path.open("rb")
    except FileNotFoundError:
        raise Malformed(str(path), "no such file", code="FILE_MISSING") from None
    except OSError as error:
        raise Malformed(str(path), f"cannot be read: {error.strerror}", code="FILE_UNREADABLE") from None
    except ValueError:  # what Python answers to a NUL inside a path
        raise Malformed(repr(str(path)), "not a file name", code="FILE_MISSING") from None


def layout(stream: BinaryIO, path: Path, profile: Profile) -> Layout | None:
    """How to read an open file; nothing where it has no content at all.

    Raises :class:`Malformed` for a file that is not text, not a table, or not of ``profile``.
    """
    start = stream.read(MAX_LINE)
    if not start.removeprefix(BOM_UTF8).strip():
        return None
    for magic, what in _MAGIC:
        if start.startswith(magic):
            raise Malformed(str(path), f"is {what}", code="NOT_TEXT")
    encodings = _possible(start, profile)
    # First what can be told from the start alone, so that a huge wrong file is refused at once.
    for chunks in (1, None):
        encoding = _encoding(stream, path, encodings, chunks)
        kind, delimiter, header = _find_kind(_decoded(start, encoding), path, profile)
    return Layout(kind, delimiter, encoding, len(header), _places(kind, header, path))


def batches(stream: BinaryIO, form: Layout) -> Generator[Batch, None, None]:
    """The rows below the header, in order. Empty lines are no rows. Close it before ``stream``."""
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=form.encoding, errors="replace", newline="")
    try:
        reader = csv.reader(text, delimiter=form.delimiter, strict=True)
        numbered = zip(reader, map(attrgetter("line_num"), repeat(reader)), strict=False)
        while not next(numbered)[0]:
            pass  # the header has been looked at; only its length in lines matters here
        end = reader.line_num
        while taken := _take(numbered, partial(getattr, reader, "line_num"), stream):
            yield taken.batch(end, form.width, stream.tell())
            end = reader.line_num
    finally:
        text.detach()


@dataclass(frozen=True, slots=True)
class _Taken:
    """Rows with the line that each ends on; ``flaws`` says which of them are no CSV, and why."""

    rows: list[_Numbered]
    flaws: dict[int, str]

    def batch(self, end: int, width: int, done: int) -> Batch:
        """The rows of the right ``width``, and the others; the row before the first one ended on line ``end``."""
        rows = list(map(itemgetter(0), self.rows))
        lines = [line + 1 for line in chain([end], map(itemgetter(1), self.rows[:-1]))]
        fields = list(map(len, rows))
        broken = [(lines[place], f"the quotes do not add up ({why})") for place, why in self.flaws.items()]
        if fields.count(width) != len(rows):
            other = compress(zip(lines, fields, strict=True), map(width.__ne__, fields))
            broken += [(line, f"{found} fields instead of {width}") for line, found in other if found]
            right = list(map(width.__eq__, fields))
            rows, lines = list(compress(rows, right)), list(compress(lines, right))
        return Batch(lines, rows, sorted(broken), done)


def _take(numbered: Iterator[_Numbered], line: Callable[[], int], stream: BinaryIO) -> _Taken | None:
    """The next rows, as many as a batch may have; nothing at the end of the file."""
    taken = _Taken([], {})
    limit = stream.tell() + BATCH_BYTES
    while len(taken.rows) < BATCH and stream.tell() <= limit:
        before = len(taken.rows)
        try:
            taken.rows.extend(islice(numbered, _STEP))  # on an error, the rows before it stay in the list
        except csv.Error as error:
            taken.flaws[len(taken.rows)] = str(error)
            taken.rows.append(([], line()))
        if len(taken.rows) == before:
            break
    return taken if taken.rows else None


def _possible(start: bytes, profile: Profile) -> list[str]:
    """The encodings that a file with this start may have, best guess first, by Python's names."""
    allowed = dict.fromkeys(name for kind in profile.files for name in kind.encodings)
    if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return ["utf-16"] if "utf-16" in allowed else []
    return ["utf-8-sig" if name == "utf-8" else name for name in allowed if name != "utf-16"]


def _encoding(stream: BinaryIO, path: Path, encodings: Sequence[str], chunks: int | None) -> str:
    """The first of ``encodings`` in which the file, or its first ``chunks``, is text. Raises :class:`Malformed`."""
    flaws: list[str] = []
    for encoding in encodings:
        stream.seek(0)
        flaw = _flaw(islice(iter(lambda: stream.read(MAX_LINE), b""), chunks), encoding)
        if flaw is None:
            return encoding
        flaws.append(flaw)
    why = flaws[0] if flaws else "is UTF-16 text, which this profile does not expect"
    raise Malformed(str(path), why, code="NOT_TEXT")


def _flaw(chunks: Iterable[bytes], encoding: str) -> str | None:
    """Why a file is not text in this encoding. A character cut off by the end of the file is none: rows tell that."""
    decoder, line = getincrementaldecoder(encoding)(), 1
    for chunk in chunks:
        try:
            text = decoder.decode(chunk)
        except UnicodeDecodeError as error:
            line += chunk.count(b"\n", 0, error.start)
            return f"is not text: line {line} is not {encoding.removesuffix('-sig').upper()}"
        if "\0" in text:
            return f"is not text: line {line + text.count(chr(10), 0, text.index(chr(0)))} has a NUL character"
        if len(chunk) == MAX_LINE and "\n" not in text and "\r" not in text:
            return f"line {line} is longer than {MAX_LINE} bytes"
        line += text.count("\n")
    return None


def _decoded(start: bytes, encoding: str) -> str:
    return getincrementaldecoder(encoding)().decode(start)


def _find_kind(text: str, path: Path, profile: Profile) -> tuple[FileKind, str, list[str]]:
    """The kind of file that the header fits best, the delimiter, and the header."""
    found: list[tuple[int, FileKind, str, list[str]]] = []
    missing: list[list[str]] = []
    for kind in profile.files:
        for delimiter in kind.delimiters:
            header = _header(text, delimiter, path)
            lacks = _missing(kind, header)
            missing.append(lacks)
            if not lacks:
                found.append((len(kind.required), kind, delimiter, header))
    if not found:
        raise _wrong_profile(text, path, profile, min(missing, key=len))
    _, kind, delimiter, header = max(found, key=itemgetter(0))
    return kind, delimiter, header


def _header(text: str, delimiter: str, path: Path) -> list[str]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(filter(None, reader), [])
    except csv.Error:
        return []
    if len(header) > MAX_COLUMNS:
        raise Malformed(str(path), f"more than {MAX_COLUMNS} columns", code="TOO_LARGE")
    return header


def _spellings(kind: FileKind, column: str) -> set[str]:
    return {fold(column), *(alias for alias, name in kind.aliases.items() if name == column)}


def _missing(kind: FileKind, header: Sequence[str]) -> list[str]:
    there = set(map(fold, header))
    return [column for column in kind.required if not _spellings(kind, column) & there]


def _places(kind: FileKind, header: Sequence[str], path: Path) -> dict[str, int]:
    folded = list(map(fold, header))
    places: dict[str, int] = {}
    for column in kind.names:
        at = [place for place, name in enumerate(folded) if name in _spellings(kind, column)]
        if len(at) > 1:
            raise Malformed(str(path), f"has {len(at)} columns {column!r}", code="AMBIGUOUS_COLUMN")
        if at:
            places[column] = at[0]
    return places


def _wrong_profile(text: str, path: Path, profile: Profile, missing: Sequence[str]) -> Malformed:
    others = [
        other.name
        for other in map(load_profile, profile_names())
        if other.name != profile.name
        and any(not _missing(kind, _header(text, sign, path)) for kind in other.files for sign in kind.delimiters)
    ]
    listed = ", ".join(missing[:_LISTED]) + (f" and {len(missing) - _LISTED} more" if len(missing) > _LISTED else "")
    advice = f"profile {' or '.join(others)} would fit" if others else "no profile of ours fits"
    return Malformed(
        str(path), f"not an export for profile {profile.name}: without {listed}; {advice}", code="WRONG_PROFILE"
    )
