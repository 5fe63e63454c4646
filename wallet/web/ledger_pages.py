"""The ledger: everything that was shown."""

from typing import Final

from aiohttp import web

from vc.errors import Malformed
from wallet.web import views
from wallet.web.desk import DESK
from wallet.web.page import language, page
from wallet.web.phrases import clean

MAX_QUERY: Final = 200


async def get_ledger(request: web.Request) -> web.StreamResponse:
    """All lines, or those that hold what is searched for."""
    desk, lang = request.app[DESK], language(request)
    query = request.query.get("q", "")[:MAX_QUERY].strip()
    found = await desk.box.use(lambda shelf: views.ledger(shelf.ledger(), lang))
    lines = [one for one in found if one.matches(query)]
    return page(request, "ledger", here="ledger", lines=lines, query=clean(query), total=len(found))


async def get_entry(request: web.Request) -> web.StreamResponse:
    """One line of it, whole."""
    desk, lang, number = request.app[DESK], language(request), int(request.match_info["number"])
    found = await desk.box.use(lambda shelf: views.ledger(shelf.ledger(), lang))
    line = next((one for one in found if one.number == number), None)
    if line is None:
        raise Malformed(f"ledger entry {number}", "is not there", code="NOT_FOUND")
    return page(request, "entry", here="ledger", line=line)
