"""Pages for people: from templates, with one style sheet, no script, and nothing from elsewhere."""

from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType
from typing import Final, NamedTuple

from aiohttp import web
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

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
STYLE: Final = files("vc.io").joinpath("templates", "pages.css").read_bytes()
STYLE_PATH: Final = f"/static/pages.{sha256(STYLE).hexdigest()[:12]}.css"


class Wrong(NamedTuple):
    """One thing that is wrong with a form: the field it is about, in words, and more in English where there is more."""

    field: str
    text: str
    detail: str = ""


def see_other(path: str) -> web.Response:
    """On to another page, after a form has done its work."""
    return web.Response(status=303, headers={"Location": path})


def download(name: str, body: bytes, content_type: str) -> web.Response:
    """A file to keep."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=body, content_type=content_type, headers=headers)


async def get_style(_request: web.Request) -> web.Response:
    """The one style sheet."""
    return web.Response(body=STYLE, content_type="text/css", charset="utf-8")


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """What every page says: keep nothing, run nothing, tell nobody."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "ouvrage"


@lru_cache(maxsize=4)
def environment(*packages: str) -> Environment:
    """The templates of packages, and those that all pages share."""
    return Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in (*packages, "vc.io")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
