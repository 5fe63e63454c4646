"""A page as the browser gets it: from a template, in one language, with nothing from elsewhere."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from vc.errors import VcError
from vc.io.pages import POLICY, STYLE_PATH, Wrong, add_headers, download, environment, get_style, see_other
from wallet.web import phrases
from wallet.web.desk import DESK
from work.types import LANGUAGES

__all__ = [
    "POLICY",
    "STYLE_PATH",
    "VISITOR",
    "Wrong",
    "add_headers",
    "download",
    "get_style",
    "host",
    "language",
    "page",
    "see_other",
    "wrong_by",
    "wrong_from",
]

VISITOR: Final = web.RequestKey("visitor", bool)  # set on a request by the guard, for the worker's own browser
# In spite of "no-store", Chromium keeps whole pages in memory to go back to, until a cookie changes: so each page
# changes one, and nobody goes back to 24 words, nor to anything after the lock.
PAGE_COOKIE: Final = "ouvrage_wallet_page"
LANG_COOKIE: Final = "ouvrage_wallet_lang"
PAGES: Final = (
    ("home", "/"),
    ("receive", "/receive"),
    ("answer", "/answer"),
    ("ledger", "/ledger"),
    ("settings", "/settings"),
)


def language(request: web.Request) -> str:
    """The language of a page: the one that was switched to, or the one that the browser asks for."""
    for asked in (request.query.get("lang"), request.cookies.get(LANG_COOKIE)):
        if asked in LANGUAGES:
            return asked
    return phrases.choose(request.headers.get("Accept-Language", ""))


def page(
    request: web.Request, template: str, *, status: int = 200, wrong: Sequence[Wrong] = (), **fields: Any
) -> web.Response:
    """A page, made from a template in the language of the request."""
    desk, lang = request.app[DESK], language(request)
    known = request.get(VISITOR, False)  # nobody else gets a form of ours
    spoken = {
        **phrases.in_lang(lang),
        "languages": [(code, phrases.NAMES[code], f"?lang={code}") for code in LANGUAGES],
        "style": STYLE_PATH,
        "pages": PAGES,
        "here": "",
        "csrf": desk.csrf if known else "",
        "is_open": known and desk.box.is_open,
        "wrong": wrong,
    }
    text = environment("wallet.web").get_template(f"{template}.html.j2").render({**spoken, **fields})
    response = web.Response(text=text, status=status, content_type="text/html")
    if known and status != 403:
        name = f"{PAGE_COOKIE}_{urlsplit(desk.base).port}"
        response.set_cookie(name, desk.secret(), path="/", httponly=True, samesite="Strict")
    if request.query.get("lang") in LANGUAGES:
        response.set_cookie(LANG_COOKIE, lang, path="/", httponly=True, samesite="Strict")
    return response


def wrong_from(request: web.Request, error: VcError, field: str, *, asked: bool = False) -> tuple[Wrong, ...]:
    """An error, as what is wrong with a field; ``asked`` as :func:`phrases.refusal` has it."""
    return (Wrong(field, *phrases.refusal(error, language(request), asked=asked)),)


def wrong_by(request: web.Request, key: str, field: str, **fields: object) -> tuple[Wrong, ...]:
    """What is wrong with a field, by the name of a phrase."""
    return (Wrong(field, phrases.phrase(key, language(request), **fields)),)


def host(url: str) -> str:
    """Who an address leads to."""
    return phrases.clean(urlsplit(url).netloc)
