"""Backups: everything in a vault, in one file that the vault's own passphrase, words and guardians open.

A line that says what it is, a line of JSON with the format's version and the key slots, then a *secretstream*
(XChaCha20-Poly1305 in chunks, each bound to those before it and to that line). In the stream, records: an id, a length,
an item. The first says how old the vault was and how many items follow. A stream that was cut does not end as one that
was not. Whatever its size, a backup is written and read in pieces.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from nacl import bindings

from vc.canon import Json, Limits, parse_json, parse_object, to_json
from vc.errors import Malformed, Undetermined, Unsupported
from vc.io.files import atomic_file
from vc.model import format_date_time
from vc.sealing import digest
from wallet.manifest import Age
from wallet.sealing import KINDS, OPENER, Slot, backup_key, unlock
from wallet.vault import ID_BYTES, MAX_ITEM, MAX_ITEMS, Vault

FORMAT: Final = 1

_MAGIC: Final = b"ouvrage wallet backup\n"
_MAX_HEADER: Final = 8192  # three slots have some 4 KB
_CHUNK: Final = 1 << 16
_OVERHEAD: Final = bindings.crypto_secretstream_xchacha20poly1305_ABYTES
_STREAM_HEADER: Final = bindings.crypto_secretstream_xchacha20poly1305_HEADERBYTES
_FINAL: Final = bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL
_MESSAGE: Final = bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
_RECORD: Final = struct.Struct(f">{ID_BYTES}sI")
_FIRST: Final = bytes(ID_BYTES)


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was opened: what it is of, and what opened it."""

    path: Path
    slots: tuple[Slot, ...]
    unlocked: tuple[Slot, bytes, bytes] = field(repr=False)
    age: Age
    made: str
    count: int

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Each item's id and its plaintext. Raises :class:`Malformed`, code ``BACKUP_DAMAGED``."""
        records = _records(self.path, backup_key(self.unlocked[2]))
        next(records)
        yield from records


def write_backup(vault: Vault, path: Path, *, at: datetime) -> Backup:
    """Write everything to ``path``, open that file again, and compare every item by its digest; only then it counts.

    An earlier file of that name stays until then. Raises :class:`Undetermined`: ``CANNOT_WRITE``, or ``BACKUP_UNSOUND``
    where what was written does not read back.
    """
    with vault.reading():
        slots, age = vault.slots(), vault.age()
        digests: list[tuple[bytes, bytes]] = []
        with atomic_file(path) as temporary:
            with temporary.open("wb") as file:
                header = _write_header(file, slots)
                _write_stream(
                    file, _packed(vault, age, at, digests), header=header, key=backup_key(vault.unlocked()[2])
                )
            made = _check(temporary, vault, age, digests)
    return Backup(path, slots, vault.unlocked(), age, made, len(digests))


def open_backup(path: Path, secret: bytes, *, by: str = OPENER) -> Backup:
    """Open a backup by the passphrase, or by what the words or shares say.

    Raises as :meth:`Vault.open`, :class:`Malformed` ``NOT_A_BACKUP`` or ``BACKUP_DAMAGED``, :class:`Unsupported`
    ``BACKUP_NEWER``.
    """
    with _opened(path) as file:
        slots, _ = _read_header(file, path)
    return _backup(path, slots, unlock({slot.kind: slot for slot in slots}, secret, by=by))


def _backup(path: Path, slots: tuple[Slot, ...], unlocked: tuple[Slot, bytes, bytes]) -> Backup:
    records = _records(path, backup_key(unlocked[2]))
    name, first = next(records)
    match parse_json(first):
        case {"changes": int(changes), "series": str(series), "items": int(count), "made": str(made)} if name == _FIRST:
            return Backup(path, slots, unlocked, Age(changes, bytes.fromhex(series)), made, count)
    raise damaged(path, "it does not say what it is of")


def _check(written: Path, vault: Vault, age: Age, digests: list[tuple[bytes, bytes]]) -> str:
    """Read the file back as a restore would, and compare; when it was made."""
    try:
        with _opened(written) as file:
            slots, _ = _read_header(file, written)
        backup = _backup(written, slots, vault.unlocked())
        found = [(name, digest(plaintext)) for name, plaintext in backup.items()]
    except Malformed as error:
        raise _unsound(error.why) from None
    if not vault.opens(slots) or (backup.age, backup.count, found) != (age, len(digests), digests):
        raise _unsound("it holds something else")
    return backup.made


def _unsound(why: str) -> Undetermined:
    return Undetermined(
        f"the backup was not kept: what was written does not read back: {why}",
        "try another disk; the vault is as it was",
        code="BACKUP_UNSOUND",
    )


# --- writing


def _write_header(file: BinaryIO, slots: tuple[Slot, ...]) -> bytes:
    rows: list[Json] = [
        [kind, salt.hex(), ops, mem, sealed.hex(), checksum.hex()]
        for kind, salt, ops, mem, sealed, checksum in (slot.row() for slot in slots)
    ]
    header = to_json({"format": FORMAT, "slots": rows})
    file.write(_MAGIC + header + b"\n")
    return header


def _packed(vault: Vault, age: Age, at: datetime, digests: list[tuple[bytes, bytes]]) -> Iterator[bytes]:
    first: dict[str, Json] = {
        "changes": age.changes,
        "series": age.series.hex(),
        "items": len(vault.ids()),
        "made": format_date_time(at),
    }
    yield _record(_FIRST, to_json(first))
    for name, plaintext in vault.everything():
        digests.append((name, digest(plaintext)))
        yield _record(name, plaintext)


def _record(name: bytes, plaintext: bytes) -> bytes:
    return _RECORD.pack(name, len(plaintext)) + plaintext


def _write_stream(file: BinaryIO, pieces: Iterator[bytes], *, header: bytes, key: bytes) -> None:
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    file.write(bindings.crypto_secretstream_xchacha20poly1305_init_push(state, key))
    bound, waiting = digest(header), bytearray()

    def push(chunk: bytes, tag: int) -> None:
        file.write(bindings.crypto_secretstream_xchacha20poly1305_push(state, chunk, bound, tag))

    for piece in pieces:
        waiting += piece
        while len(waiting) > _CHUNK:
            push(bytes(waiting[:_CHUNK]), _MESSAGE)
            del waiting[:_CHUNK]
    push(bytes(waiting), _FINAL)


# --- reading


def _opened(path: Path) -> BinaryIO:
    try:
        if path.exists() and not path.is_file():  # a pipe would make us wait for ever
            raise Malformed(str(path), "is not a file", code="NOT_A_BACKUP")
        return path.open("rb")
    except FileNotFoundError:
        raise Malformed(str(path), "no such file", code="FILE_MISSING") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a file name"
        raise Malformed(str(path), f"cannot be read: {why}", code="FILE_UNREADABLE") from None


def _read_header(file: BinaryIO, path: Path) -> tuple[tuple[Slot, ...], bytes]:
    """The key slots, and the bytes that say them."""
    if file.read(len(_MAGIC)) != _MAGIC:
        raise Malformed(str(path), "is not a backup of a wallet", code="NOT_A_BACKUP")
    header = file.readline(_MAX_HEADER)
    try:
        members = parse_object(header.rstrip(b"\n"), where=str(path))
        version = members["format"]
        if isinstance(version, int) and version > FORMAT:
            raise Unsupported("backup format, made by a newer program", str(version), code="BACKUP_NEWER")
        rows = members["slots"]
        assert isinstance(rows, list)
        slots = tuple(_slot(row, path) for row in rows[: len(KINDS)])
    except (Malformed, KeyError, AssertionError):
        raise damaged(path, "it does not say what opens it") from None
    return slots, header.rstrip(b"\n")


def _slot(row: Json, path: Path) -> Slot:
    try:
        match row:
            case [str(kind), str(salt), int(ops), int(mem), str(sealed), str(checksum)]:
                parts = [bytes.fromhex(one) for one in (salt, sealed, checksum)]
                return Slot.parse((kind, parts[0], ops, mem, parts[1], parts[2]), where=str(path))
    except ValueError:
        pass
    raise damaged(path, "a key slot is not readable")


def _records(path: Path, key: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The records of a backup: the first says what it is of; then as many items as that one says, and the end."""
    stream = _Stream(path, key)
    with stream.file:
        name, plaintext = stream.record()
        yield name, plaintext
        match parse_json(plaintext, limits=Limits(size=MAX_ITEM, depth=3)):
            case {"items": int(count)} if 0 <= count <= MAX_ITEMS:
                for _ in range(count):
                    yield stream.record()
        stream.require_end()


class _Stream:
    """The plaintext of a backup, chunk by chunk."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path, self.file = path, _opened(path)
        try:
            _, header = _read_header(self.file, path)
            self._bound, self._waiting, self._ended = digest(header), bytearray(), False
            self._state = bindings.crypto_secretstream_xchacha20poly1305_state()
            start = self._start()
            bindings.crypto_secretstream_xchacha20poly1305_init_pull(self._state, start, key)
        except BaseException:
            self.file.close()
            raise

    def _start(self) -> bytes:
        start = self.file.read(_STREAM_HEADER)
        if len(start) != _STREAM_HEADER:
            raise damaged(self.path, "it was cut short")
        return start

    def record(self) -> tuple[bytes, bytes]:
        """The next record."""
        name, length = _RECORD.unpack(self._take(_RECORD.size))
        if length > MAX_ITEM:
            raise damaged(self.path, "an item is too large")
        return name, self._take(length)

    def require_end(self) -> None:
        """Nothing follows."""
        if not self._ended and not self._waiting:
            self._pull()
        if not self._ended or self._waiting or self.file.read(1):
            raise damaged(self.path, "something follows its end")

    def _take(self, count: int) -> bytes:
        while len(self._waiting) < count:
            if self._ended:
                raise damaged(self.path, "it ends too early")
            self._pull()
        taken = bytes(self._waiting[:count])
        del self._waiting[:count]
        return taken

    def _pull(self) -> None:
        chunk = self.file.read(_CHUNK + _OVERHEAD)
        if len(chunk) < _OVERHEAD:
            raise damaged(self.path, "it was cut short")
        try:
            plaintext, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(self._state, chunk, self._bound)
        except RuntimeError:  # libsodium's one answer to a chunk that is not the one that was written there
            raise damaged(self.path, "a part of it was changed or cut off") from None
        self._waiting += plaintext
        self._ended = tag == _FINAL


def damaged(path: Path, why: str) -> Malformed:
    """The error for a backup that is one, but not as it was written."""
    return Malformed(str(path), f"the backup is damaged: {why}; take an older one", code="BACKUP_DAMAGED")
