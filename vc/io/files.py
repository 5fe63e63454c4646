"""Files, read with a bound and written whole or not at all; where the state of each service lives; passphrases.

Impure on purpose: this is the door through which the disk comes in. The pure code takes bytes.
"""

import os
import stat
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from vc.errors import Malformed, Undetermined

MAX_PASSPHRASE: Final = 1024  # bytes; a sentence has under 200, and a passphrase file is not a document

_CHUNK: Final = 1 << 20  # bytes asked for at once; the kernel's buffer for a pipe is smaller
# O_NONBLOCK: opening a pipe that nobody writes to would wait for ever. O_NOCTTY: a terminal must not become ours.
_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


def read_bounded(path: Path, *, limit: int) -> bytes:
    """The content of a file, pipe or device of at most ``limit`` bytes; never more than ``limit + 1`` are read.

    Raises :class:`Malformed`, naming the file, with code ``FILE_MISSING``, ``FILE_UNREADABLE`` or ``TOO_LARGE``.
    """
    try:
        descriptor = os.open(path, _READ)
        try:
            return _read(descriptor, path, limit)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise Malformed(str(path), "no such file", code="FILE_MISSING") from None
    except OSError as error:
        raise Malformed(str(path), f"cannot be read: {error.strerror}", code="FILE_UNREADABLE") from None
    except ValueError:  # what Python answers to a NUL inside a path
        raise Malformed(repr(str(path)), "not a file name", code="FILE_MISSING") from None


def _read(descriptor: int, path: Path, limit: int) -> bytes:
    status = os.fstat(descriptor)
    if stat.S_ISDIR(status.st_mode):
        raise Malformed(str(path), "is a folder, not a file", code="FILE_UNREADABLE")
    if stat.S_ISREG(status.st_mode) and status.st_size > limit:
        raise _too_large(path, limit)
    os.set_blocking(descriptor, True)
    # The size above is a hint only: a file can grow, a pipe and a device have none. So count what is read.
    parts: list[bytes] = []
    left = limit + 1
    while left and (part := os.read(descriptor, min(left, _CHUNK))):
        parts.append(part)
        left -= len(part)
    if not left:
        raise _too_large(path, limit)
    return b"".join(parts)


def _too_large(path: Path, limit: int) -> Malformed:
    return Malformed(str(path), f"larger than {limit} bytes", code="TOO_LARGE")


def write_atomic(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write ``data`` so that ``path`` holds either its old content or all of the new, on the disk, whatever happens.

    ``mode`` is the file's mode exactly, whatever the umask. Raises :class:`Undetermined` with code ``CANNOT_WRITE``.
    """
    with atomic_file(path, mode=mode) as temporary:
        temporary.write_bytes(data)


@contextmanager
def atomic_file(path: Path, *, mode: int = 0o600, replace: bool = True) -> Iterator[Path]:
    """A new file beside ``path``, readable by its owner only, that becomes ``path`` when the block ends well.

    When the block or the writing fails, ``path`` is as before and the new file is gone. With ``replace=False`` a file
    that is already there is never touched: :class:`Malformed`, code ``FILE_EXISTS``. What the disk refuses, inside
    the block too, is :class:`Undetermined`, code ``CANNOT_WRITE``.
    """
    try:
        target = Path(os.path.realpath(path))  # a link keeps pointing at what it points at
        _require_replaceable(target)
        with _beside(target) as temporary:
            yield temporary
            temporary.chmod(mode)
            _sync(temporary)
            if replace:
                temporary.replace(target)
            else:  # link() alone puts a whole file under a name only if that name is free
                target.hardlink_to(temporary)
        _sync(target.parent)
    except FileExistsError:
        raise Malformed(str(path), "is already there", code="FILE_EXISTS") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        raise Undetermined(
            f"{path}: cannot be written: {reason}", "check the folder and its free space", code="CANNOT_WRITE"
        ) from None


def _require_replaceable(target: Path) -> None:
    """Renaming over a device or a pipe would remove it from the system."""
    if target.exists() and not target.is_file():
        raise Malformed(str(target), "is not a file", code="FILE_UNREADABLE")


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    descriptor, name = tempfile.mkstemp(
        dir=target.parent, prefix=f".{target.name[:32]}.", suffix=".tmp"
    )  # 0600, O_EXCL
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """fsync a file, or a folder so that the names in it outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def home(option: Path | None, service: str, environ: Mapping[str, str]) -> Path:
    """The folder of one service's state: ``--home``, else ``OUVRAGE_HOME``, else ``~/.ouvrage``, then its name.

    Made where it is missing, for its owner only; an existing one is left as it is. Raises :class:`Malformed`,
    code ``BAD_HOME``.
    """
    try:
        base = option or Path(environ.get("OUVRAGE_HOME") or Path.home() / ".ouvrage")
        folder = base / service
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Malformed(
            str(error.filename or base), f"cannot be the home folder: {error.strerror}", code="BAD_HOME"
        ) from None
    except (RuntimeError, ValueError) as error:  # no home folder known; NUL in a path
        raise Malformed("--home", str(error), code="BAD_HOME") from None
    return folder


def read_passphrase(environ: Mapping[str, str], prompt: Callable[[], str]) -> bytes:
    """The passphrase from the file that ``OUVRAGE_PASSPHRASE_FILE`` names, else from ``prompt``, as UTF-8.

    One trailing newline is no part of it. Normalised to NFC: keyboards and systems spell the same accented letter in
    several ways. Raises :class:`Malformed`, code ``BAD_PASSPHRASE`` or one of :func:`read_bounded`'s.
    """
    file = environ.get("OUVRAGE_PASSPHRASE_FILE")
    try:
        text = read_bounded(Path(file), limit=MAX_PASSPHRASE).decode("utf-8") if file else prompt()
        passphrase = unicodedata.normalize("NFC", text.removesuffix("\n").removesuffix("\r")).encode("utf-8")
    except UnicodeError:  # no "from": the error would carry the passphrase
        raise Malformed(file or "passphrase", "not UTF-8 text", code="BAD_PASSPHRASE") from None
    if len(passphrase) > MAX_PASSPHRASE:
        raise Malformed("passphrase", f"longer than {MAX_PASSPHRASE} bytes", code="BAD_PASSPHRASE")
    return passphrase
