"""Who gets in: one browser, let in once by a link, that asks this machine by its own name from our own pages."""

import logging
import re
import traceback
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from vc.errors import VcError
from vc.io.visit import ENTER, check_asked_for, check_csrf, check_visitor, let_in
from vc.io.web import Handler
from wallet.web import phrases
from wallet.web.box import Locked
from wallet.web.desk import DESK, Desk
from wallet.web.page import STYLE_PATH, VISITOR, add_headers, language, page, see_other

__all__ = ["BACK", "ENTER", "add_headers", "check_csrf", "cookie_name", "enter", "guard"]

BACK: Final = "/back/"  # where a platform sends the browser after a login: let in by a name and a state nobody guesses
WITHOUT_VAULT: Final = frozenset({"/unlock", "/new"})

_BACK: Final = re.compile(f"{BACK}[A-Za-z0-9_-]{{16}}")
_LOG: Final = logging.getLogger("ouvrage.wallet")


def cookie_name(desk: Desk) -> str:
    """Cookies know no ports: two wallets on one machine need two names."""
    return f"ouvrage_wallet_{urlsplit(desk.base).port}"


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Nothing is answered to anybody but the worker's own browser, and every error is a page."""
    try:
        desk, back = request.app[DESK], _comes_back(request)
        check_asked_for(request, desk.base, led_here=back)
        if request.path not in (STYLE_PATH, ENTER) and not back:
            check_visitor(desk, request.cookies.get(cookie_name(desk), ""))
            request[VISITOR] = True
        return await handler(request)
    except Locked:
        return see_other("/unlock")
    except VcError as error:
        told, detail = phrases.refusal(error, language(request))
        return page(request, "problem", status=error.http_status, told=told, detail=detail)
    except web.HTTPException as error:
        return _plain(request, error)
    except Exception as error:  # noqa: BLE001  (the last line of defence: no traceback reaches a page)
        # Where it happened, never the message: that could hold a part of somebody's credential.
        _LOG.error("%s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
        told = phrases.phrase("status.500", language(request))
        return page(request, "problem", status=500, told=told, detail="")


async def enter(request: web.Request) -> web.StreamResponse:
    """The link that the command printed: good for one browser, once."""
    desk = request.app[DESK]
    let_in(desk, request.query.get("token", ""))
    response = see_other("/")
    response.set_cookie(cookie_name(desk), desk.session, path="/", httponly=True, samesite="Strict")
    return response


def _comes_back(request: web.Request) -> bool:
    return request.method == "GET" and _BACK.fullmatch(request.path) is not None


def _plain(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    key = f"status.{error.status}"
    told = phrases.phrase(key if phrases.has_phrase(key) else "status.400", language(request))
    response = page(request, "shut" if error.status == 403 else "problem", status=error.status, told=told, detail="")
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response
