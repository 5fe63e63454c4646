"""A page as the browser gets it: from a template, in one language, with nothing from elsewhere."""

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from vc.errors import VcError
from vc.io.form import Form
from vc.io.form import read_form as read_any
from vc.io.pages import HEADERS, STYLE_PATH, Wrong, environment
from vc.io.visit import check_csrf
from verifier.web import phrases
from verifier.web.desk import DESK
from work.phrasebook import NAMES, choose
from work.types import LANGUAGES

LANG_COOKIE: Final = "ouvrage_verifier_lang"
PAGES: Final = (("home", "/"), ("trust", "/trust"))


def language(request: web.Request) -> str:
    """The language of a page: the one that was switched to, or the one that the browser asks for."""
    for asked in (request.query.get("lang"), request.cookies.get(LANG_COOKIE)):
        if asked in LANGUAGES:
            return asked
    return choose(request.headers.get("Accept-Language", ""))


def page(
    request: web.Request, template: str, *, status: int = 200, wrong: Sequence[Wrong] = (), **fields: Any
) -> web.Response:
    """A page, made from a template in the language of the request."""
    desk, lang = request.app[DESK], language(request)
    spoken = {
        **phrases.in_lang(lang),
        "languages": [(code, NAMES[code], f"?lang={code}") for code in LANGUAGES],
        "style": STYLE_PATH,
        "pages": PAGES,
        "here": "",
        "csrf": desk.csrf,
        "inside": template != "shut",
        "wrong": wrong,
    }
    text = environment("verifier.web", "verifier").get_template(f"{template}.html.j2").render({**spoken, **fields})
    response = web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)
    if request.query.get("lang") in LANGUAGES:
        response.set_cookie(LANG_COOKIE, lang, path="/", httponly=True, samesite="Strict", secure=desk.secure)
    return response


def wrong_from(request: web.Request, error: VcError, field: str) -> tuple[Wrong, ...]:
    """An error, as what is wrong with a field."""
    return (Wrong(field, *phrases.refusal(error, language(request))),)


def wrong_by(request: web.Request, key: str, field: str, **fields: object) -> tuple[Wrong, ...]:
    """What is wrong with a field, by the name of a phrase."""
    return (Wrong(field, phrases.phrase(key, language(request), **fields)),)


async def read_form(request: web.Request) -> Form:
    """A form of this session. Raises as :func:`vc.io.form.read_form`."""
    desk = request.app[DESK]
    return await read_any(request, check_csrf=lambda given: check_csrf(desk, given))
