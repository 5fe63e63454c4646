"""Where a trust list is taken from: any static web server, a folder, or one zip file. Nothing of it is believed yet."""

import asyncio
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote

from vc.errors import Malformed, Undetermined
from vc.io.files import read_bounded

MAX_MEMBERS: Final = 100_000  # files in a zip
AT_ONCE: Final = 8  # requests to one mirror


class Source(Protocol):
    """Somewhere with the files of a list. ``read`` gives None for a file that is not there."""

    @property
    def name(self) -> str: ...

    async def read(self, path: str, *, limit: int) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Folder:
    """The files below a folder, such as one on a USB stick."""

    path: Path

    @property
    def name(self) -> str:
        """How it is called in messages."""
        return str(self.path.absolute())

    async def read(self, path: str, *, limit: int) -> bytes | None:
        """A file of at most ``limit`` bytes. Raises :class:`Malformed`."""
        try:
            return await asyncio.to_thread(read_bounded, self.path / path, limit=limit)
        except Malformed as error:
            if error.code == "FILE_MISSING":
                return None
            raise


@dataclass(frozen=True, slots=True)
class Zip:
    """The files of one zip."""

    path: Path
    opened: zipfile.ZipFile

    @property
    def name(self) -> str:
        """How it is called in messages."""
        return str(self.path.absolute())

    async def read(self, path: str, *, limit: int) -> bytes | None:
        """A file of at most ``limit`` bytes, whatever the zip says of its size. Raises :class:`Malformed`."""
        try:
            with self.opened.open(path) as file:
                raw = file.read(limit + 1)
        except KeyError:
            return None
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError):
            raise Malformed(str(self.path), "a file in it cannot be read", code="BAD_ZIP") from None
        if len(raw) > limit:
            raise Malformed(path, f"larger than {limit} bytes", code="TOO_LARGE")
        return raw


@dataclass(frozen=True, slots=True)
class Web:
    """The files below a URL. Whoever runs the command has chosen it, so it may be one of their own network."""

    name: str

    async def read(self, path: str, *, limit: int) -> bytes | None:
        """A file of at most ``limit`` bytes. Raises :class:`Malformed` or :class:`Undetermined`."""
        from vc.io.fetch import fetch  # noqa: PLC0415  (aiohttp takes a while to load)

        got = await fetch(f"{self.name.rstrip('/')}/{quote(path)}", limit=limit, private=True)
        if got.status in (403, 404, 410):  # 403: what object stores answer for a file that is not there
            return None
        if got.status != 200:
            raise Undetermined(f"{self.name} answered {got.status}", "try again later", code="FETCH")
        return got.body


@contextmanager
def opened(place: str) -> Iterator[Source]:
    """The source at a URL, a folder or a zip file. Raises :class:`Malformed`."""
    if place.startswith(("https://", "http://")):
        yield Web(place)
        return
    path = Path(place)
    if path.is_dir():
        yield Folder(path)
        return
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise Malformed(place, "no such folder or file", code="FILE_MISSING") from None
    except (zipfile.BadZipFile, OSError, ValueError):
        raise Malformed(place, "neither a URL, nor a folder, nor a zip file", code="BAD_ZIP") from None
    with archive:
        if len(archive.namelist()) > MAX_MEMBERS:
            raise Malformed(place, f"a zip with more than {MAX_MEMBERS} files", code="TOO_LARGE")
        yield Zip(path, archive)
