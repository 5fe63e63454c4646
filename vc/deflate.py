"""Compressed lists: written fast, read in pieces, bounded in what comes out (RFC 1950, RFC 1951, RFC 1952)."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from vc.errors import Malformed

GZIP: Final = 31  # zlib's window bits: 15, and 16 for the gzip format
ZLIB: Final = 15

MAX_INFLATED: Final = 16 << 20  # bytes: 134 million statuses of a bit; inflating it takes some 20 ms
MAX_DEFLATED: Final = 4 << 20  # bytes: ten million statuses of two bits take 2.5 MB where nothing can be compressed
PIECE: Final = 1 << 16  # bytes held at a time, of input and of output


def deflate(data: bytes, *, form: int) -> bytes:
    """``data`` compressed, as GZIP or ZLIB; the same bytes every time, for gzip writes no time and no name.

    Runs of equal bytes only are looked for: what is set in a status list is scattered, so that a search for longer
    matches costs up to ten times as much and finds less.
    """
    stream = zlib.compressobj(6, zlib.DEFLATED, form, 8, zlib.Z_RLE)
    return stream.compress(data) + stream.flush()


def inflate(data: bytes, *, form: int, where: str = "", limit: int = MAX_INFLATED) -> Iterator[bytes]:
    """The pieces of what ``data`` was, at most ``limit`` bytes in all; no more than PIECE is held at a time.

    Raises :class:`Malformed` for what is not one whole stream of that form, or is a bomb.
    """
    stream = zlib.decompressobj(form)
    total = 0
    for piece in _inflated(stream, data, where):
        total += len(piece)
        if total > limit:
            raise Malformed(where, f"inflates to more than {limit} bytes", code="TOO_LARGE")
        yield piece
    if not stream.eof or stream.unused_data:
        raise Malformed(where, "not one whole compressed list", code="BAD_COMPRESSION")


def _inflated(stream: "zlib._Decompress", data: bytes, where: str) -> Iterator[bytes]:
    try:
        for start in range(0, len(data), PIECE):
            if stream.eof:
                raise Malformed(where, "more than one compressed list", code="BAD_COMPRESSION")
            # What is not yet consumed is copied by every call: small pieces keep the cost linear.
            waiting = data[start : start + PIECE]
            while waiting:
                yield stream.decompress(waiting, PIECE)
                waiting = stream.unconsumed_tail
        while not stream.eof and (piece := stream.decompress(b"", PIECE)):
            yield piece
    except zlib.error:
        raise Malformed(where, "not a compressed list", code="BAD_COMPRESSION") from None


def pick(pieces: Iterable[bytes], start: int, stop: int) -> tuple[bytes, int]:
    """The bytes from ``start`` to ``stop`` (as many as there are) and the length of the whole, which is never held."""
    picked, position = b"", 0
    for piece in pieces:
        picked += piece[max(0, start - position) : max(0, stop - position)]
        position += len(piece)
    return picked, position
