"""What comes in: an offer of a platform, by its link or a picture of it, or credentials in a file."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from vc.canon import to_json
from vc.errors import Malformed, VcError
from vc.oid4vp import Request
from wallet.accept import GivenOffer, read_offer
from wallet.fetching import Failed
from wallet.formats import FORMATS, parse_formats
from wallet.own_export import reader
from wallet.platform_words import left_out_lines
from wallet.web import answer_pages, login_pages, steps, views
from wallet.web.brought import OfferLink, RequestLink, read_brought
from wallet.web.desk import DESK, Desk, Fetching, Offered, Returned, background
from wallet.web.form import Form, read_form
from wallet.web.online_steps import Wish, fetch_offer, finish_login
from wallet.web.page import Wrong, download, host, language, page, see_other, wrong_by, wrong_from
from wallet.web.phrases import clean, refusal

PATIENCE: Final = 5.0  # seconds that a page waits for an offer to be fetched, before it says that it takes longer
COPIES: Final = 5  # single-use copies of each credential: one for each showing
MAX_COPIES: Final = 100
MAX_CLIENT: Final = 200


async def get_receive(request: web.Request) -> web.StreamResponse:
    """Where offers and files go in."""
    await request.app[DESK].box.use(lambda _shelf: None)
    return _receive_page(request)


async def post_receive(request: web.Request) -> web.StreamResponse:
    """See what was brought, and go on with it. Credentials of a file are verified and kept."""
    desk, form = request.app[DESK], await read_form(request)
    at = desk.now()
    try:
        brought = await asyncio.to_thread(read_brought, form.text("text"), form.files)
        if isinstance(brought, OfferLink):
            offer = await read_offer(brought.link, ask=desk.ask)
            await desk.box.use(lambda _shelf: None)
            return see_other(f"/offer/{desk.begin(Offered(offer))}")
        if isinstance(brought, Request | RequestLink):
            return await answer_pages.begin(request, brought)
        raw = brought.raw
        new, already = await desk.box.use(lambda shelf: steps.keep(shelf, raw, at=at))
    except VcError as error:
        wrong = wrong_from(request, error, "text")
        return _receive_page(request, status=error.http_status, wrong=wrong)
    return page(request, "received", here="receive", new=new, already=already, deferred=(), failed=(), told=True)


def _receive_page(request: web.Request, *, status: int = 200, wrong: tuple[Wrong, ...] = ()) -> web.Response:
    reads = reader() is not None
    return page(request, "receive", status=status, here="receive", wrong=wrong, reads_exports=reads)


async def get_offer(request: web.Request) -> web.StreamResponse:
    """What is offered, by whom, and the code that it may need."""
    desk = request.app[DESK]
    await desk.box.use(lambda _shelf: None)
    return _offer_page(request, desk.found(request.match_info["id"], Offered).offer)


async def post_offer(request: web.Request) -> web.StreamResponse:
    """Begin to fetch it; or, where the platform wants a login first, to log in."""
    desk, name, form = request.app[DESK], request.match_info["id"], await read_form(request)
    offer = desk.found(name, Offered).offer
    await desk.box.use(lambda _shelf: None)
    code = form.text("tx_code").strip().replace(" ", "")
    if _needs_code(offer) and not code:
        return _offer_page(request, offer, wrong=wrong_by(request, "offer.no_code", "tx_code"), status=422)
    try:
        wish = _wish(form)
        if offer.needs_login:
            return await login_pages.begun(request, name, offer, wish)
    except VcError as error:
        field = "copies" if error.code == "BAD_COPIES" else "again"
        return _offer_page(request, offer, wrong=wrong_from(request, error, field), status=error.http_status)
    task = background(desk.box.beside(lambda shelf: fetch_offer(shelf, offer, code or None, wish, desk)))
    desk.under_way[name] = Fetching(offer, task)
    return see_other(f"/offer/{name}/result")


async def get_result(request: web.Request) -> web.StreamResponse:
    """What came of it. While it is being fetched, the page waits a while and then says that it takes longer."""
    desk, name = request.app[DESK], request.match_info["id"]
    await desk.box.use(lambda _shelf: None)
    fetching = _fetching(desk, name)
    await asyncio.wait([fetching.task], timeout=PATIENCE)
    if not fetching.task.done():
        return page(request, "fetching", here="receive", issuer=host(fetching.offer.issuer))
    try:
        got = fetching.task.result()
    except VcError as error:
        desk.under_way[name] = Offered(fetching.offer)
        field = "tx_code" if _needs_code(fetching.offer) else "again"
        return _offer_page(request, fetching.offer, wrong=wrong_from(request, error, field), status=error.http_status)
    lang = language(request)
    return page(
        request,
        "received",
        here="receive",
        new=got.added,
        already=0,
        deferred=[named(one, lang) for one in got.deferred],
        failed=told_failed(got.failed, lang),
        left_out=left_out_lines(got.left_out, lang),
        told=got.told,
    )


def _fetching(desk: Desk, name: str) -> Fetching:
    """What is being fetched. Where the browser is back from a login, that begins here: with the worker's own cookie,
    and the vault open."""
    back = desk.under_way.get(name)
    if isinstance(back, Returned):
        redirected = back.redirected
        task = background(desk.box.beside(lambda shelf: finish_login(shelf, redirected, desk)))
        desk.under_way[name] = Fetching(back.offer, task)
    return desk.found(name, Fetching)


async def post_keys(request: web.Request) -> web.StreamResponse:
    """Keys for a platform that makes credentials without asking the wallet: a file to give it."""
    desk, form = request.app[DESK], await read_form(request)
    count = form.text("count")
    try:
        if not (count.isascii() and count.isdecimal() and len(count) <= 4):
            raise Malformed("count", "not a number", code="BAD_COUNT")
        made = await desk.box.use(lambda shelf: steps.new_keys(shelf, int(count)))
    except VcError as error:
        wrong = wrong_from(request, error, "count")
        return _receive_page(request, status=error.http_status, wrong=wrong)
    return download("keys.json", to_json(made), "application/json")


def _offer_page(
    request: web.Request, offer: GivenOffer, *, wrong: tuple[Wrong, ...] = (), status: int = 200
) -> web.StreamResponse:
    lang = language(request)
    code = offer.pre_authorized.tx_code if offer.pre_authorized else None
    fields: dict[str, Any] = {
        "issuer": host(offer.issuer),
        "names": list(dict.fromkeys(named(one, lang) for one in offer.configuration_ids)),
        "code": code,
        "described": clean(code.description or "") if code else "",
        "login": offer.needs_login,
        "path": f"/offer/{request.match_info['id']}",
        "formats": FORMATS,
        "copies": COPIES,
        "most": MAX_COPIES,
    }
    return page(request, "offer", status=status, wrong=wrong, here="receive", **fields)


def _wish(form: Form) -> Wish:
    """What the worker chose. Raises :class:`Malformed` ``BAD_COPIES``."""
    count, client = form.text("copies") or str(COPIES), form.text("client").strip()
    if not (count.isascii() and count.isdecimal() and len(count) <= 3 and 0 < int(count) <= MAX_COPIES):
        raise Malformed("copies", f"1 to {MAX_COPIES}", code="BAD_COPIES")
    if len(client) > MAX_CLIENT or not client.isprintable():
        raise Malformed("client", "is no name", code="BAD_CLIENT")
    return Wish(int(count), parse_formats(form.ticked("format.")), client)


def _needs_code(offer: GivenOffer) -> bool:
    return bool(offer.pre_authorized and offer.pre_authorized.tx_code)


def told_failed(failed: Sequence[Failed], lang: str) -> list[tuple[str, str, str]]:
    """What did not come: its name, why, and more in English where there is more."""
    return [(named(one.dataset.configuration, lang), *refusal(one.error, lang)) for one in failed]


def named(configuration: str, lang: str) -> str:
    """What a configuration is called: ``Earnings_bbs-2023`` is about earnings."""
    return views.name_of(configuration.partition("_")[0], lang)
