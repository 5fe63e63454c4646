"""Which authorities the worker trusts to say who asks."""

import asyncio

from aiohttp import web

from vc.errors import Malformed, VcError
from wallet.roots import drop_root, keep_roots, kept_roots, parse_roots
from wallet.web import views
from wallet.web.desk import DESK
from wallet.web.form import read_form
from wallet.web.page import Wrong, language, page, see_other, wrong_from


async def get_trust(request: web.Request) -> web.StreamResponse:
    """Those that are trusted."""
    return await _trust_page(request)


async def post_trust(request: web.Request) -> web.StreamResponse:
    """Trust one more, by its certificate."""
    desk, form = request.app[DESK], await read_form(request)
    await desk.box.use(lambda _shelf: None)
    given = [form.text("text").encode()] if form.text("text").strip() else list(form.files)
    try:
        if not given:
            raise Malformed("field", "nothing was pasted and no file was chosen", code="NOTHING_BROUGHT")
        for raw in given:
            await asyncio.to_thread(keep_roots, desk.home, parse_roots(raw, where="file"))
    except VcError as error:
        return await _trust_page(request, wrong=wrong_from(request, error, "text"), status=error.http_status)
    return see_other("/settings/trust")


async def post_remove(request: web.Request) -> web.StreamResponse:
    """Trust one no more."""
    desk, form = request.app[DESK], await read_form(request)
    await desk.box.use(lambda _shelf: None)
    await asyncio.to_thread(drop_root, desk.home, form.text("name"))
    return see_other("/settings/trust")


async def _trust_page(request: web.Request, *, wrong: tuple[Wrong, ...] = (), status: int = 200) -> web.StreamResponse:
    desk = request.app[DESK]
    await desk.box.use(lambda _shelf: None)
    roots = views.roots(await asyncio.to_thread(kept_roots, desk.home))
    return page(request, "trust", status=status, wrong=wrong, here="settings", roots=roots, now=language(request))
