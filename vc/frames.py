"""A message as one or several QR codes: compressed, cut into frames, put together again (docs/qr.md).

The frames come from pictures that anybody may have made. What they become is bounded in size, number and work, and is
given out only when its digest is the one that every frame names. Who wrote it is not for frames to say: that is in the
message.
"""

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final, Self, TypeAlias

from base45 import b45decode, b45encode  # it ships no types

from vc.errors import Malformed, Undetermined, Unsupported

MAGIC: Final = "OUV"
VERSION: Final = "1"  # the one that is written
CAPACITY: Final = 1853  # characters of version 25 at level L, 117 modules wide: a phone reads it from a screen
MAX_TEXT: Final = 4296  # characters of the largest QR code there is
MAX_FRAMES: Final = 64  # nobody photographs more
MAX_TEXTS: Final = 4 * MAX_FRAMES  # with repetitions
MAX_MESSAGE: Final = 1 << 18  # bytes: 64 frames of our messages hold half of that

_DIGEST: Final = 6  # bytes: tells messages of one day apart; it guards against no forger
_HEADER: Final = len(MAGIC) + 2 + _DIGEST // 2 * 3 + 4
_BASE45: Final = r"[0-9A-Z $%*+\-./:]"
_FRAME: Final = re.compile(
    rf"{MAGIC}(?P<version>[0-9A-Z])(?P<kind>[A-Z])(?P<digest>{_BASE45}{{9}})"
    rf"(?P<number>[0-9]{{2}})(?P<count>[0-9]{{2}})(?P<data>{_BASE45}+)\Z"
)

Dictionaries: TypeAlias = Mapping[str, bytes]  # what each version is compressed with


class Kind(StrEnum):
    """What a message is, so that a picture of the wrong one is told before it is opened."""

    OFFER = "O"
    REQUEST = "R"
    ANSWER = "A"
    COUNTER_OFFER = "C"


@dataclass(frozen=True, slots=True)
class Message:
    """What frames carry."""

    kind: Kind
    raw: bytes


@dataclass(frozen=True, slots=True)
class Frame:
    """One QR code of a message: number ``number`` of ``count``, counted from 1."""

    version: str
    kind: Kind
    digest: bytes
    number: int
    count: int
    data: bytes

    @classmethod
    def parse(cls, text: str, *, where: str = "frame") -> Self:
        """The frame that a QR code says. Raises :class:`Malformed` or :class:`Unsupported`."""
        match = _FRAME.match(text) if len(text) <= MAX_TEXT else None
        if match is None:
            raise Malformed(where, "is no frame of a message of ours", code="BAD_FRAME")
        if match["kind"] not in tuple(Kind):
            raise Unsupported("kind of message", match["kind"], code="UNSUPPORTED_FRAME")
        number, count = int(match["number"]), int(match["count"])
        if not 0 < number <= count <= MAX_FRAMES:
            raise Malformed(where, f"says that it is frame {number} of {count}", code="BAD_FRAME")
        try:
            digest, data = b45decode(match["digest"]), b45decode(match["data"])
        except ValueError:
            raise Malformed(where, "holds what is no base45", code="BAD_FRAME") from None
        return cls(match["version"], Kind(match["kind"]), digest, number, count, data)

    def __str__(self) -> str:
        head = f"{MAGIC}{self.version}{self.kind}{_text(self.digest)}{self.number:02}{self.count:02}"
        return head + _text(self.data)

    @property
    def of(self) -> tuple[str, Kind, bytes, int]:
        """What all frames of one message have in common."""
        return self.version, self.kind, self.digest, self.count


def is_frame(text: str) -> bool:
    """Whether a QR code says that it is a frame."""
    return text.startswith(MAGIC)


def split(message: Message, *, dictionaries: Dictionaries, capacity: int = CAPACITY) -> tuple[str, ...]:
    """The texts of the QR codes that carry ``message``, all of about one size, none longer than ``capacity``.

    Raises :class:`Malformed` where MAX_FRAMES of them do not hold it.
    """
    if len(message.raw) > MAX_MESSAGE:
        raise _too_much(f"{len(message.raw)} bytes")
    packed = _deflate(message.raw, dictionaries[VERSION])
    most = (capacity - _HEADER) // 3 * 2
    count = -(-len(packed) // most)
    if count > MAX_FRAMES:
        raise _too_much(f"{count} codes")
    size = -(-len(packed) // count)
    size += size % 2  # three characters hold two bytes
    pieces = [packed[start : start + size] for start in range(0, len(packed), size)]
    digest = _digest(VERSION, message.kind, message.raw)
    return tuple(
        str(Frame(VERSION, message.kind, digest, number, len(pieces), piece))
        for number, piece in enumerate(pieces, start=1)
    )


def join(texts: Iterable[str], *, dictionaries: Dictionaries, where: str = "frames") -> Message:
    """The message that frames carry, in whatever order they come and however often each does.

    Raises :class:`Undetermined`, code ``FRAME_MISSING``, naming the frames that are missing; :class:`Malformed` for
    frames of several messages, and for what is not as its digest says.
    """
    frames: dict[int, Frame] = {}
    for index, text in enumerate(texts, start=1):
        if index > MAX_TEXTS:
            raise Malformed(where, f"more than {MAX_TEXTS} codes", code="TOO_LARGE")
        frame = Frame.parse(text, where=f"{where}: code {index}")
        known = frames.setdefault(frame.number, frame)
        first = next(iter(frames.values()))
        if frame.of != first.of or frame != known:
            why = "codes of two different messages; keep only those of one, and try again"
            raise Malformed(where, why, code="FRAMES_MIXED")
    if not frames:
        raise Malformed(where, "no frame at all", code="NO_FRAME")
    version, kind, digest, count = next(iter(frames.values())).of
    _check_whole(frames, count, where)
    if version not in dictionaries:
        raise Unsupported("version of QR frames", f"{version}; a newer Ouvrage reads it", code="UNSUPPORTED_FRAME")
    raw = _inflate(b"".join(frames[number].data for number in sorted(frames)), dictionaries[version], where)
    if _digest(version, kind, raw) != digest:
        raise Malformed(where, "the codes do not hold the message that they name", code="BAD_DIGEST")
    return Message(kind, raw)


def _check_whole(frames: Mapping[int, Frame], count: int, where: str) -> None:
    missing = [str(number) for number in range(1, count + 1) if number not in frames]
    if missing:
        raise Undetermined(
            f"{where}: {len(frames)} of {count} QR codes are here; missing: {_listed(missing)}",
            "take a picture of each of those, and give all pictures together",
            code="FRAME_MISSING",
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"number {name}" for name in names)


def _digest(version: str, kind: Kind, raw: bytes) -> bytes:
    return sha256(f"{MAGIC}{version}{kind}".encode() + raw).digest()[:_DIGEST]


def _deflate(raw: bytes, dictionary: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_DEFAULT_STRATEGY, dictionary)
    return stream.compress(raw) + stream.flush()


def _inflate(packed: bytes, dictionary: bytes, where: str) -> bytes:
    stream = zlib.decompressobj(zlib.MAX_WBITS, dictionary)
    try:
        raw = stream.decompress(packed, MAX_MESSAGE + 1)
    except zlib.error:
        raise Malformed(where, "the codes hold no compressed message", code="BAD_COMPRESSION") from None
    if len(raw) > MAX_MESSAGE:
        raise Malformed(where, f"unpacks to more than {MAX_MESSAGE} bytes", code="TOO_LARGE")
    if not stream.eof or stream.unused_data:
        raise Malformed(where, "the codes do not hold one whole message", code="BAD_COMPRESSION")
    return raw


def _text(data: bytes) -> str:
    return str(b45encode(data), "ascii")


def _too_much(what: str) -> Malformed:
    return Malformed("message", f"{what} are too much for QR codes: give it as a file", code="TOO_LARGE")
