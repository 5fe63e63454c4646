"""An offer that wants a login at its platform first: the way there, and the way back.

The browser comes back from another site, so it brings no cookie of ours (``SameSite=Strict``) and says that it comes
from elsewhere. The one address that lets it in has the offer's random name in it, takes the login's own ``state`` and
nothing else, once, and answers with nothing of the wallet: it writes down where the browser was sent to and leads on
to a page of ours. That page needs the cookie again, and only there is the code used (:func:`wallet.login.finish`
compares the server that answers with the one that was asked).
"""

import hmac

from aiohttp import web

from vc.errors import Malformed
from wallet.accept import GivenOffer
from wallet.login import MAX_REDIRECTED, keep_login, read_redirected
from wallet.web.desk import DESK, LoggingIn, Returned
from wallet.web.guard import BACK
from wallet.web.online_steps import Wish, begin_login
from wallet.web.page import host, page, see_other


async def begun(request: web.Request, name: str, offer: GivenOffer, wish: Wish) -> web.StreamResponse:
    """Ask the platform for a login, and lead to the page that explains it."""
    desk = request.app[DESK]
    login = await begin_login(offer, wish, desk, redirect=f"{desk.base}{BACK}{name}")
    await desk.box.use(lambda shelf: keep_login(shelf.vault, login, at=desk.now(), rand=desk.rand))
    desk.under_way[name] = LoggingIn(offer, login.url, login.redirect, login.state)
    return see_other(f"/offer/{name}/login")


async def get_login(request: web.Request) -> web.StreamResponse:
    """The way to the platform, in plain words."""
    desk = request.app[DESK]
    await desk.box.use(lambda _shelf: None)
    url = desk.found(request.match_info["id"], LoggingIn).url
    return page(request, "login", here="receive", platform=host(url), url=url)


async def get_back(request: web.Request) -> web.StreamResponse:
    """The browser is back. Only the first answer with the right state counts."""
    desk, name = request.app[DESK], request.match_info["id"]
    waiting = desk.under_way.get(name)
    if request.headers.get("Sec-Fetch-Dest", "document") != "document" or not isinstance(waiting, LoggingIn):
        raise web.HTTPForbidden
    redirected = f"{waiting.redirect}?{request.rel_url.raw_query_string}"
    if not _is_of(waiting, redirected):
        raise web.HTTPForbidden
    desk.under_way[name] = Returned(waiting.offer, redirected)
    return page(request, "landed", onward=f"/offer/{name}/result")


def _is_of(waiting: LoggingIn, redirected: str) -> bool:
    if len(redirected) > MAX_REDIRECTED:
        return False
    try:
        state = read_redirected(redirected).get("state", "")
    except Malformed:
        return False
    return hmac.compare_digest(state.encode(), waiting.state.encode())
