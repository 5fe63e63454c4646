"""The routes of the pages, and how they join the service."""

from typing import Final

from aiohttp import web

from vc.io.pages import STYLE_PATH, get_style
from vc.io.visit import ENTER
from verifier.web import ask_pages, check_pages, home_pages
from verifier.web.desk import DESK, Desk
from verifier.web.guard import enter, guarded

_CHECK: Final = "/checks/{id:[A-Za-z0-9_-]{22}}"
_ASK: Final = "/ask/{purpose:[a-z.]{1,60}}"

OPEN: Final = ((ENTER, enter), (STYLE_PATH, get_style))
PAGES: Final = (
    ("GET", "/", home_pages.get_home),
    ("GET", "/trust", home_pages.get_trust),
    ("GET", _ASK, ask_pages.get_ask),
    ("POST", _ASK, ask_pages.post_ask),
    ("GET", _CHECK, check_pages.get_check),
    ("POST", f"{_CHECK}/answer", check_pages.post_answer),
    ("POST", f"{_CHECK}/erase", check_pages.post_erase),
    ("GET", f"{_CHECK}/request.json", check_pages.get_request),
    ("GET", f"{_CHECK}/codes.html", check_pages.get_codes),
    ("GET", f"{_CHECK}/report.{{form:html|pdf|json}}", check_pages.get_report),
    ("GET", f"{_CHECK}/evidence.zip", check_pages.get_evidence),
)


def add_pages(app: web.Application, desk: Desk) -> None:
    """Add the pages to a service."""
    app[DESK] = desk
    for path, handler in OPEN:
        app.router.add_get(path, guarded(handler, visitor=False), allow_head=False)
    for method, path, handler in PAGES:
        app.router.add_route(method, path, guarded(handler))
