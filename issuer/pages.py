"""Pages for people: made here whole, so that a browser needs no script and asks nobody else for anything."""

from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

import segno
from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from issuer import words
from issuer.deps import DEPS
from vc.io.route import Answer, Route
from work.types import LANGUAGES

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = MappingProxyType(
    {
        "Content-Security-Policy": POLICY,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "X-Robots-Tag": "noindex",
    }
)
STYLE: Final = files("issuer").joinpath("static", "pages.css").read_bytes()
STYLE_NAME: Final = f"pages.{sha256(STYLE).hexdigest()[:12]}.css"
LANG_COOKIE: Final = "ouvrage_lang"


def language(request: web.Request) -> str:
    """The language of a page: the one that was switched to, or the one that the browser asks for."""
    for asked in (request.query.get("lang"), request.cookies.get(LANG_COOKIE)):
        if asked in LANGUAGES:
            return asked
    return words.choose(request.headers.get("Accept-Language", ""))


def below(request: web.Request, path: str) -> str:
    """A path of ours as the browser has to ask for it: below the path of the service's base."""
    return urlsplit(request.app[DEPS].config.base).path.rstrip("/") + path


def is_https(request: web.Request) -> bool:
    """Whether browsers reach the service by https, whatever stands before it."""
    return request.app[DEPS].config.base.startswith("https://")


def page(request: web.Request, template: str, *, status: int = 200, **fields: Any) -> web.Response:
    """A page, made from a template in the language of the request."""
    lang = language(request)
    spoken = {
        **words.in_lang(lang),
        "languages": [(code, words.NAMES[code], f"?lang={code}") for code in LANGUAGES],
        "url": lambda path: below(request, path),
        "style": below(request, f"/static/{STYLE_NAME}"),
    }
    text = _environment().get_template(f"{template}.html.j2").render({**spoken, **fields})
    response = web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)
    # Only here is the choice remembered: whoever opens the link of an offer is given no cookie.
    if request.query.get("lang") in LANGUAGES and request.path.startswith(below(request, "/admin")):
        response.set_cookie(
            LANG_COOKIE, lang, path=below(request, "/admin"), httponly=True, samesite="Lax", secure=is_https(request)
        )
    return response


def see_other(request: web.Request, path: str) -> web.Response:
    """On to another page of ours, after a form has done its work."""
    return web.Response(status=303, headers={**HEADERS, "Location": below(request, path)})


def qr(text: str) -> str:
    """A QR code as an SVG element: dark on white with its margin, whatever the page's colours are."""
    drawn = segno.make(text, error="m", micro=False)
    return str(drawn.svg_inline(dark="#000", light="#fff", border=4, omitsize=True, svgclass=None, lineclass=None))


async def get_style(_request: web.Request) -> web.Response:
    """The one style sheet. Its name changes with what is in it, so that it can be kept for good."""
    kept = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return web.Response(body=STYLE, content_type="text/css", charset="utf-8", headers=kept)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("issuer"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


ROUTES: Final = (
    Route(
        "GET", f"/static/{STYLE_NAME}", get_style, "The style of the pages", {200: Answer("CSS")}, "pages", public=False
    ),
)
