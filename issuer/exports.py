"""Export files: which kind they are, how they are encoded, and their rows with the line that each begins on.

Nothing of a file is believed: a first bounded read decides whether it is the export that the profile describes, a
second pass whether all of it is text. Rows are read by Python's own CSV reader, or record by record where the file is
JSON (:mod:`issuer.jsonfiles`), and handled in batches.
"""

import csv
import io
import stat
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, compress, islice, repeat
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import BinaryIO, Final

from issuer.jsonfiles import Record, first_documents, is_json, is_lines, records, row
from issuer.looks import Documents, Table, find_kind, places_of
from issuer.profile import FileKind, Profile
from vc.errors import Malformed

MAX_LINE: Final = 1 << 18  # characters; the longest header and the longest answer seen in exports have some thousands
BATCH: Final = 20_000  # rows handed to the database at once; it takes 10 ms to plan what to do with them
BATCH_BYTES: Final = 1 << 22  # a batch ends here however few its rows are
_STEP: Final = 100  # rows read between two looks at BATCH_BYTES
_Numbered = tuple[list[str], int]  # a row, and the line that it ends on

_MAGIC: Final = (
    (b"PK\x03\x04", "a ZIP archive or a spreadsheet: unpack it, or save it as CSV"),
    (b"\x1f\x8b", "compressed: unpack it first"),
    (b"%PDF", "a PDF document: export the records as CSV"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet: save it as CSV"),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """How one file is to be read. ``places`` maps the columns of ``kind`` that the file has to their position.

    ``order`` says whether the file writes the day or the month first, where that matters.
    The ``delimiter`` of JSON is empty, and that of JSON Lines the end of a line; all columns have a place there, and
    ``lacks`` are those that none of the first records has.
    """

    kind: FileKind
    delimiter: str
    encoding: str
    width: int
    places: dict[str, int]
    lacks: frozenset[str] = frozenset()
    order: str = ""
    copy: int = 0

    @property
    def copies(self) -> "tuple[Layout, ...]":
        """The ways in which each row is read: more than one where the profile unfolds rows."""
        lists = self.kind.unfold
        return tuple(
            replace(self, copy=at + 1, places=self._unfolded(at))
            for at in range(max(map(len, lists.values()), default=0))
        ) or (self,)

    def _unfolded(self, at: int) -> dict[str, int]:
        chosen = {name: listed[at] for name, listed in self.kind.unfold.items()}
        there = {name: self.places[column] for name, column in chosen.items() if column in self.places}
        return {name: place for name, place in self.places.items() if name not in chosen} | there

    @property
    def asks_worker(self) -> bool:
        """Whether this file does not say who its rows are about: it has none of the columns that would."""
        named = set(self.kind.sources(self.kind.columns["worker"])) - self.lacks
        return self.kind.asks_worker and self.places.keys().isdisjoint(named)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file: ``lines`` holds the line that each row begins on, ``rows`` have the header's width.

    In JSON, the line of a record is its number.

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
    if is_json(start):
        return _json_layout(stream, path, profile, _encoding(stream, path, encodings, None, lines=False))
    # First what can be told from the start alone, so that a huge wrong file is refused at once.
    for chunks in (1, None):
        encoding = _encoding(stream, path, encodings, chunks)
        look = Table(_decoded(start, encoding), path)
        kind = find_kind(look, path, profile)
    delimiter = look.delimiter(kind)
    header = look.header(delimiter)
    return Layout(kind, delimiter, encoding, len(header), places_of(kind, header, path))


def batches(stream: BinaryIO, form: Layout) -> Generator[Batch, None, None]:
    """The rows below the header, in order. Empty lines are no rows. Close it before ``stream``."""
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=form.encoding, errors="replace", newline="")
    if form.kind.format == "json":
        yield from _json_batches(text, form, stream)
        return
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


def _json_batches(text: io.TextIOWrapper, form: Layout, stream: BinaryIO) -> Iterator[Batch]:
    """The records of a JSON file; all of them in the order of the file."""
    try:
        found = records(text, form.kind.rows, lines=form.delimiter == "\n")
        while taken := _take_records(found, stream):
            sound = [one for one in taken if not one.flaw]
            broken = [(one.number, one.flaw) for one in taken if one.flaw]
            names = form.kind.names
            yield Batch([one.number for one in sound], [row(one, names) for one in sound], broken, stream.tell())
    finally:
        text.detach()


def _take_records(found: Iterator[Record], stream: BinaryIO) -> list[Record]:
    taken: list[Record] = []
    limit = stream.tell() + BATCH_BYTES
    while len(taken) < BATCH and stream.tell() <= limit:
        before = len(taken)
        taken.extend(islice(found, _STEP))
        if len(taken) == before:
            break
    return taken


def _json_layout(stream: BinaryIO, path: Path, profile: Profile, encoding: str) -> Layout:
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, errors="replace")
    try:
        lines = is_lines(text)
        text.seek(0)
        look = Documents(first_documents(text, lines=lines))
    except Malformed as error:
        raise Malformed(str(path), error.why, code=error.code) from None
    finally:
        text.detach()
    kind = find_kind(look, path, profile)
    places = {name: place for place, name in enumerate(kind.names)}
    lacks = frozenset(kind.names) - set(look.recognised(kind))
    return Layout(kind, "\n" if lines else "", encoding, len(places), places, lacks=lacks)


def _possible(start: bytes, profile: Profile) -> list[str]:
    """The encodings that a file with this start may have, best guess first, by Python's names."""
    allowed = dict.fromkeys(name for kind in profile.files for name in kind.encodings)
    if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return ["utf-16"] if "utf-16" in allowed else []
    return ["utf-8-sig" if name == "utf-8" else name for name in allowed if name != "utf-16"]


def _encoding(stream: BinaryIO, path: Path, encodings: Sequence[str], chunks: int | None, *, lines: bool = True) -> str:
    """The first of ``encodings`` in which the file, or its first ``chunks``, is text, and has ``lines``.

    Raises :class:`Malformed`.
    """
    flaws: list[str] = []
    for encoding in encodings:
        stream.seek(0)
        flaw = _flaw(islice(iter(lambda: stream.read(MAX_LINE), b""), chunks), encoding, lines=lines)
        if flaw is None:
            return encoding
        flaws.append(flaw)
    why = flaws[0] if flaws else "is UTF-16 text, which this profile does not expect"
    raise Malformed(str(path), why, code="NOT_TEXT")


def _flaw(chunks: Iterable[bytes], encoding: str, *, lines: bool) -> str | None:
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
        if lines and len(chunk) == MAX_LINE and "\n" not in text and "\r" not in text:
            return f"line {line} is longer than {MAX_LINE} bytes"
        line += text.count("\n")
    return None


def _decoded(start: bytes, encoding: str) -> str:
    return getincrementaldecoder(encoding)().decode(start)
