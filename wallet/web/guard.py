"""Who gets in: one browser, let in once by a link, that asks this machine by its own name from our own pages."""

import hmac
import logging
import re
import traceback
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from vc.errors import VcError
from vc.io.web import Handler
from wallet.web import phrases
from wallet.web.box import Locked
from wallet.web.desk import DESK, Desk
from wallet.web.page import HEADERS, STYLE_PATH, VISITOR, language, page, see_other

ENTER: Final = "/enter"
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
        _check_asked_for(request)
        if request.path not in (STYLE_PATH, ENTER) and not _comes_back(request):
            _check_visitor(request)
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
    given = request.query.get("token", "")
    if desk.token is None or not _same(given, desk.token):
        raise web.HTTPForbidden
    desk.token, desk.session, desk.csrf = None, desk.secret(), desk.secret()
    response = see_other("/")
    response.set_cookie(cookie_name(desk), desk.session, path="/", httponly=True, samesite="Strict")
    return response


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """What every answer says: keep nothing, run nothing, tell nobody."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "ouvrage"


def check_csrf(desk: Desk, given: str) -> None:
    """Raise HTTP 403 for a form that is not of this session."""
    if not desk.csrf or not _same(given, desk.csrf):
        raise web.HTTPForbidden


def _check_asked_for(request: web.Request) -> None:
    """Another site can lead its own name to this machine, but the browser then still says that name. And what other
    sites, or other servers of this machine, have the browser send says where it comes from."""
    desk = request.app[DESK]
    if request.headers.getall("Host", []) != [urlsplit(desk.base).netloc]:
        raise web.HTTPForbidden
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if site not in ("same-origin", "none") and request.path != ENTER and not _comes_back(request):
        raise web.HTTPForbidden
    if request.method not in ("GET", "HEAD") and request.headers.get("Origin", desk.base) != desk.base:
        raise web.HTTPForbidden


def _comes_back(request: web.Request) -> bool:
    return request.method == "GET" and _BACK.fullmatch(request.path) is not None


def _check_visitor(request: web.Request) -> None:
    desk = request.app[DESK]
    if not desk.session or not _same(request.cookies.get(cookie_name(desk), ""), desk.session):
        raise web.HTTPForbidden


def _plain(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    key = f"status.{error.status}"
    told = phrases.phrase(key if phrases.has_phrase(key) else "status.400", language(request))
    response = page(request, "shut" if error.status == 403 else "problem", status=error.status, told=told, detail="")
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
