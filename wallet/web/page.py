"""A page as the browser gets it: from a template, in one language, with nothing from elsewhere."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from vc.errors import VcError
from wallet.web import phrases
from wallet.web.desk import DESK
from work.types import LANGUAGES

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS: Final = MappingProxyType(
    {
        "Content-Security-Policy": POLICY,
        "Referrer-Policy": "same-origin",  # with "no-referrer", browsers would not say where a form comes from
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
)
STYLE: Final = files("wallet.web").joinpath("static", "wallet.css").read_bytes()
STYLE_PATH: Final = f"/static/wallet.{sha256(STYLE).hexdigest()[:12]}.css"
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


class Wrong(NamedTuple):
    """One thing that is wrong with a form: the field it is about, in words, and more in English where there is more."""

    field: str
    text: str
    detail: str = ""


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
    text = _environment().get_template(f"{template}.html.j2").render({**spoken, **fields})
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


def see_other(path: str) -> web.Response:
    """On to another page, after a form has done its work."""
    return web.Response(status=303, headers={"Location": path})


def download(name: str, body: bytes, content_type: str) -> web.Response:
    """A file for the worker to keep."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=body, content_type=content_type, headers=headers)


async def get_style(_request: web.Request) -> web.Response:
    """The one style sheet."""
    return web.Response(body=STYLE, content_type="text/css", charset="utf-8")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("wallet.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
