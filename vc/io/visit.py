"""Who gets in: one browser, let in once by a link, that asks this machine by its own name from our own pages."""

import hmac
from typing import Protocol
from urllib.parse import urlsplit

from aiohttp import web

ENTER = "/enter"


class Visited(Protocol):
    """What has one visitor. ``token`` is in the one link that lets a browser in, and good for once."""

    token: str | None
    session: str
    csrf: str

    def secret(self) -> str:
        """A new random text that nobody guesses."""


def let_in(visited: Visited, given: str) -> None:
    """Begin the session of who brings the token, which is good no more. Raises HTTP 403 for another."""
    if visited.token is None or not _same(given, visited.token):
        raise web.HTTPForbidden
    visited.token, visited.session, visited.csrf = None, visited.secret(), visited.secret()


def check_visitor(visited: Visited, cookie: str) -> None:
    """Raise HTTP 403 for who is not the browser that was let in."""
    if not visited.session or not _same(cookie, visited.session):
        raise web.HTTPForbidden


def check_csrf(visited: Visited, given: str) -> None:
    """Raise HTTP 403 for a form that is not of this session."""
    if not visited.csrf or not _same(given, visited.csrf):
        raise web.HTTPForbidden


def check_asked_for(request: web.Request, base: str, *, led_here: bool = False) -> None:
    """Another site can lead its own name to this machine, but the browser then still says that name. And what other
    sites, or other servers of this machine, have the browser send says where it comes from; ``led_here`` if they may.
    Raises HTTP 403."""
    if request.headers.getall("Host", []) != [urlsplit(base).netloc]:
        raise web.HTTPForbidden
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if site not in ("same-origin", "none") and request.path != ENTER and not led_here:
        raise web.HTTPForbidden
    if request.method not in ("GET", "HEAD") and request.headers.get("Origin", base) != base:
        raise web.HTTPForbidden


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
