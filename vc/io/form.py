"""A form as it arrives: bounded, in memory only, and one of ours. Of what is sent only a backup, which is sealed, is
written."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final
from urllib.parse import parse_qs

from aiohttp import web

from vc.errors import Undetermined
from vc.io.pictures import MAX_PICTURE
from vc.io.web import BODY_TIMEOUT

MAX_BODY: Final = MAX_PICTURE + (1 << 16)  # a dozen photos of QR codes, or one file, and the fields beside it
MAX_BACKUP: Final = 1 << 30  # a vault of 50 000 copies has half of it
BACKUP_TIMEOUT: Final = 300.0  # seconds
MAX_FIELDS: Final = 600  # a box for each claim of each of sixteen credentials, and more than that
MAX_VALUE: Final = 1 << 18  # bytes of one field: a request or an offer that was pasted in


@dataclass(frozen=True, slots=True)
class Form:
    """What was filled in. ``boxes`` are the names of what was ticked; ``files`` those that are not empty."""

    fields: Mapping[str, str]
    files: tuple[bytes, ...] = field(repr=False)

    def text(self, name: str) -> str:
        """A field, as it was typed; empty where there is none."""
        return self.fields.get(name, "")

    def ticked(self, prefix: str) -> frozenset[str]:
        """The boxes that were ticked, of those whose names begin with ``prefix``."""
        return frozenset(name.removeprefix(prefix) for name in self.fields if name.startswith(prefix))


async def read_form(request: web.Request, *, check_csrf: Callable[[str], None], backup: BinaryIO | None = None) -> Form:
    """The fields and files of a form. ``check_csrf`` raises for one of another session; HTTP 413 for one too large.

    A file that the form calls ``backup`` is written to ``backup``: it is sealed, and may be too large for memory.
    """
    most = MAX_BODY if backup is None else MAX_BODY + MAX_BACKUP
    if (request.content_length or 0) > most:
        raise _too_large(request, most)
    try:
        async with asyncio.timeout(BODY_TIMEOUT if backup is None else BACKUP_TIMEOUT):
            multipart = request.content_type == "multipart/form-data"
            form = await (_parts(request, check_csrf, backup) if multipart else _fields(request))
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (ValueError, LookupError, AssertionError, web.RequestPayloadError):
        raise web.HTTPBadRequest from None
    check_csrf(form.text("csrf"))
    return form


async def _fields(request: web.Request) -> Form:
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType
    body = bytearray()
    async for chunk in request.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > MAX_VALUE * 4:
            raise _too_large(request)
    fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    return Form({name: values[0] for name, values in fields.items()}, ())


async def _parts(request: web.Request, check_csrf: Callable[[str], None], backup: BinaryIO | None) -> Form:
    fields: dict[str, str] = {}
    files: list[bytes] = []
    left = MAX_BODY
    reader: Any = await request.multipart()
    while (part := await reader.next()) is not None:
        if not hasattr(part, "read_chunk") or len(fields) + len(files) >= MAX_FIELDS:
            raise ValueError("a form is flat and short")
        if backup is not None and part.name == "backup" and part.filename is not None:
            check_csrf(fields.get("csrf", ""))  # before anything is written
            await _write(request, part, backup)
            backup = None
            continue
        raw = await _bounded(request, part, left)
        left -= len(raw)
        if part.filename is None:
            fields[part.name or ""] = raw.decode("utf-8")
        elif raw:
            files.append(raw)
    return Form(fields, tuple(files))


async def _bounded(request: web.Request, part: Any, left: int) -> bytes:
    body = bytearray()
    while chunk := await part.read_chunk():
        body += chunk
        if len(body) > (left if part.filename is not None else min(left, MAX_VALUE)):
            raise _too_large(request)
    return bytes(body)


async def _write(request: web.Request, part: Any, backup: BinaryIO) -> None:
    written = 0
    while chunk := await part.read_chunk(1 << 16):
        written += len(chunk)
        if written > MAX_BACKUP:
            raise _too_large(request, MAX_BACKUP)
        try:
            backup.write(chunk)
        except OSError as error:
            why = f"the backup cannot be read in: {error.strerror}"
            raise Undetermined(why, "free some space", code="CANNOT_WRITE") from None


def _too_large(request: web.Request, most: int = MAX_BODY) -> web.HTTPRequestEntityTooLarge:
    # aiohttp reads on for a few seconds and drops what comes, so that the browser lives to see the answer.
    return web.HTTPRequestEntityTooLarge(max_size=most, actual_size=request.content_length or most + 1)
