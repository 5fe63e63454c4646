"""The ledger: everything that was shown."""

from typing import Final

from aiohttp import web

from vc.canon import Json, to_json
from vc.errors import Malformed
from wallet.erasure import letter_html
from wallet.ledger_search import to_csv
from wallet.web import steps, views
from wallet.web.desk import DESK
from wallet.web.page import download, language, page
from wallet.web.phrases import clean

MAX_QUERY: Final = 200


async def get_ledger(request: web.Request) -> web.StreamResponse:
    """All lines, or those that hold what is searched for."""
    desk, lang = request.app[DESK], language(request)
    query = request.query.get("q", "")[:MAX_QUERY].strip()
    entries, whole = await desk.box.use(steps.read_ledger)
    found = views.ledger(entries, lang)
    lines = [one for one in found if one.matches(query)]
    return page(request, "ledger", here="ledger", lines=lines, query=clean(query), total=len(found), whole=whole)


async def get_entry(request: web.Request) -> web.StreamResponse:
    """One line of it, whole."""
    (line,) = views.ledger([await _entry(request)], language(request))
    return page(request, "entry", here="ledger", line=line)


async def get_letter(request: web.Request) -> web.StreamResponse:
    """The letter that asks a verifier to erase what it was shown, to print or to send."""
    entry, lang = await _entry(request), language(request)
    written = letter_html(entry, on=request.app[DESK].now().date(), lang=lang)
    return download(f"letter-{entry['number']}.html", written.encode(), "text/html")


async def get_export(request: web.Request) -> web.StreamResponse:
    """The whole ledger for other programs."""
    entries, whole = await request.app[DESK].box.use(steps.read_ledger)
    if request.match_info["form"] == "csv":
        return download("ledger.csv", to_csv(entries), "text/csv")
    return download("ledger.json", to_json({"ledger": list(entries), "whole": whole}), "application/json")


async def _entry(request: web.Request) -> dict[str, Json]:
    number = int(request.match_info["number"])
    entries, _ = await request.app[DESK].box.use(steps.read_ledger)
    entry = next((one for one in entries if one["number"] == number), None)
    if entry is None:
        raise Malformed(f"ledger entry {number}", "is not there", code="NOT_FOUND")
    return entry
