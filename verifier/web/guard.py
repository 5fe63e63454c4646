"""Around every page: nobody but the one visitor is answered, and every error is a page."""

import logging
import traceback
from functools import wraps
from typing import Final

from aiohttp import web

from vc.errors import VcError
from vc.io.pages import HEADERS, see_other
from vc.io.visit import check_asked_for, check_visitor, let_in
from vc.io.web import Handler, reads_itself
from verifier.web import phrases
from verifier.web.desk import DESK
from verifier.web.page import language, page

_LOG: Final = logging.getLogger("ouvrage.verifier")


def guarded(handler: Handler, *, visitor: bool = True) -> Handler:
    """A page for the one visitor, or for whoever comes to this machine by its own name."""

    @wraps(handler)
    async def answered(request: web.Request) -> web.StreamResponse:
        response = await _answer(request, handler, visitor=visitor)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return reads_itself(answered)


async def _answer(request: web.Request, handler: Handler, *, visitor: bool) -> web.StreamResponse:
    desk = request.app[DESK]
    try:
        check_asked_for(request, desk.base)
        if visitor:
            check_visitor(desk, request.cookies.get(desk.cookie, ""))
        return await handler(request)
    except VcError as error:
        told, detail = phrases.refusal(error, language(request))
        return page(request, "problem", status=error.http_status, told=told, detail=detail)
    except web.HTTPException as error:
        key = f"status.{error.status}"
        told = phrases.phrase(key if phrases.has_phrase(key) else "status.400", language(request))
        return page(request, "shut" if error.status == 403 else "problem", status=error.status, told=told, detail="")
    except Exception as error:  # noqa: BLE001  (the last line of defence: no traceback reaches a page)
        # Where it happened, never the message: that could hold a part of somebody's credential.
        _LOG.error("%s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
        return page(request, "problem", status=500, told=phrases.phrase("status.500", language(request)), detail="")


async def enter(request: web.Request) -> web.StreamResponse:
    """The link that the command printed: good for one browser, once."""
    desk = request.app[DESK]
    let_in(desk, request.query.get("token", ""))
    response = see_other("/")
    response.set_cookie(desk.cookie, desk.session, path="/", httponly=True, samesite="Strict", secure=desk.secure)
    return response
