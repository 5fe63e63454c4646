"""Where the platform signs nothing: what the worker's own export says, kept and marked as confirmed by nobody."""

import asyncio
import os
from typing import Final

from aiohttp import web

from vc.errors import Malformed, VcError
from wallet.own_export import Reader, reader
from wallet.shelf import Shelf
from wallet.web.desk import DESK
from wallet.web.form import Form, read_form
from wallet.web.page import Wrong, page, wrong_from
from wallet.web.receive_pages import COPIES

MAX_COPIES: Final = 50


async def get_export(request: web.Request) -> web.StreamResponse:
    """Which platform, and which files."""
    await request.app[DESK].box.use(lambda _shelf: None)
    return _page(request, _reader(), Form({}, ()))


async def post_export(request: web.Request) -> web.StreamResponse:
    """Read the files, and keep what they say, all or nothing."""
    desk, form, reads = request.app[DESK], await read_form(request), _reader()
    at = desk.now()
    await desk.box.use(lambda _shelf: None)
    try:
        copies = _copies(form.text("copies"))
        if not form.files:
            raise Malformed("file", "no file was chosen", code="NO_EXPORT")
        made = await asyncio.to_thread(reads.read, form.text("profile"), form.files, form.text("worker").strip())

        def keep(shelf: Shelf) -> tuple[int, int]:
            received = made.bind(shelf.unspent_keys(copies, rand=os.urandom), at)
            new = shelf.add(received, at=at, rand=os.urandom)
            return new, len(received) - new

        new, already = await desk.box.use(keep)
    except VcError as error:
        fields = {"BAD_COPIES": "copies", "SEVERAL_WORKERS": "worker", "NOT_FOUND": "worker"}
        wrong = wrong_from(request, error, fields.get(error.code, "file"))
        return _page(request, reads, form, status=error.http_status, wrong=wrong)
    return page(
        request,
        "received",
        here="receive",
        new=new,
        already=already,
        deferred=(),
        failed=(),
        told=True,
        own=True,
        rejects=made.rejects,
    )


def _reader() -> Reader:
    found = reader()
    if found is None:  # the wallet by itself, without what reads exports
        raise web.HTTPNotFound
    return found


def _copies(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 2 and 0 < int(text) <= MAX_COPIES):
        raise Malformed("copies", f"not a number from 1 to {MAX_COPIES}", code="BAD_COPIES")
    return int(text)


def _page(
    request: web.Request, reads: Reader, form: Form, *, status: int = 200, wrong: tuple[Wrong, ...] = ()
) -> web.StreamResponse:
    return page(
        request,
        "export_own",
        status=status,
        wrong=wrong,
        here="receive",
        profiles=reads.profiles(),
        chosen=form.text("profile"),
        worker=form.text("worker"),
        copies=form.text("copies") or str(COPIES),
    )
