"""Wallets that run in a browser: what pages of other sites may ask (the Fetch standard's CORS protocol).

Everybody may ask the routes that wallets use, and no cookie is ever sent or believed there: a page that knows no token
learns nothing that any program could not fetch. Pages for people and what operators read are not among them.
"""

from collections.abc import Awaitable, Callable, Collection
from types import MappingProxyType
from typing import Final

from aiohttp import web

from vc.io.logs import route_of
from vc.io.web import Handler

_ASKED: Final = MappingProxyType(
    {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": (
            "Authorization, Content-Type, DPoP, OAuth-Client-Attestation, OAuth-Client-Attestation-PoP, If-None-Match"
        ),
        "Access-Control-Max-Age": "86400",
    }
)
_EXPOSED: Final = "DPoP-Nonce, WWW-Authenticate, ETag, Retry-After, OAuth-Client-Attestation-Challenge"


def preflight(methods: Collection[str]) -> Handler:
    """The answer to what a browser asks before it sends a request for a page of another site."""
    headers = {**_ASKED, "Allow": ", ".join(sorted({*methods, "OPTIONS"}))}

    async def options(_request: web.Request) -> web.Response:
        return web.Response(status=204, headers=headers)

    return options


def opener(templates: Collection[str]) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """What lets browsers read the answers of routes with these templates: for ``on_response_prepare``."""
    open_paths = frozenset(templates)

    async def open_answer(request: web.Request, response: web.StreamResponse) -> None:
        if route_of(request) in open_paths:
            response.headers["Access-Control-Allow-Origin"] = "*"
            response.headers["Access-Control-Expose-Headers"] = _EXPOSED

    return open_answer
