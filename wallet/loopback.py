"""One address on this machine that a browser is sent back to after a login (RFC 8252 §7.3), for one answer."""

import asyncio
import html
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from vc.errors import Undetermined
from vc.multibase import encode_base64url
from wallet.login import MAX_REDIRECTED, read_redirected

HOST: Final = "127.0.0.1"
PATIENCE: Final = 600.0  # seconds for a person to log in

_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(slots=True)
class Listener:
    """An open door: ``redirect`` is its address, which nobody can guess."""

    redirect: str
    thanks: str
    _state: str = ""
    _answer: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    async def answer(self, state: str, *, patience: float = PATIENCE) -> str:
        """The address that the browser came back to, with this ``state``. Raises :class:`Undetermined`."""
        self._state = state
        try:
            async with asyncio.timeout(patience):
                return await self._answer
        except TimeoutError:
            raise Undetermined(
                "nobody came back from the login", "begin again with the same offer", code="LOGIN_TIMEOUT"
            ) from None

    async def handle(self, request: web.Request) -> web.Response:
        """The browser is back. Only the first answer counts, and only one with the right state."""
        if len(request.raw_path) > MAX_REDIRECTED or self._answer.done():
            raise web.HTTPGone(headers=_HEADERS)
        redirected = f"{self.redirect}?{request.rel_url.raw_query_string}"
        if not self._state or read_redirected(redirected).get("state") != self._state:
            raise web.HTTPBadRequest(headers=_HEADERS)
        self._answer.set_result(redirected)
        text = f"<!doctype html><meta charset=utf-8><title>Ouvrage</title><p>{html.escape(self.thanks)}</p>"
        return web.Response(text=text, content_type="text/html", headers=_HEADERS)


@asynccontextmanager
async def listening(*, thanks: str, rand: Callable[[int], bytes]) -> AsyncIterator[Listener]:
    """Listen on this machine, at any free port, until the block ends. ``thanks`` is what the browser then shows."""
    path = f"/{encode_base64url(rand(16))}"
    listener = Listener("", thanks)
    app = web.Application()
    app.router.add_get(path, listener.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, 0).start()
        listener.redirect = f"http://{HOST}:{runner.addresses[0][1]}{path}"
        yield listener
    finally:
        await runner.cleanup()
