"""What comes in: an offer of a platform, by its link or a picture of it, or credentials in a file."""

import asyncio
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from vc.canon import to_json
from vc.errors import Malformed, VcError
from vc.oid4vp import Request
from wallet.accept import GivenOffer, read_offer
from wallet.platform_words import left_out_lines
from wallet.web import answer_pages, steps, views
from wallet.web.brought import OfferLink, RequestLink, read_brought
from wallet.web.desk import DESK, Fetching, Offered
from wallet.web.form import read_form
from wallet.web.page import Wrong, download, language, page, see_other, wrong_by, wrong_from
from wallet.web.phrases import clean

PATIENCE: Final = 5.0  # seconds that a page waits for an offer to be fetched, before it says that it takes longer


async def get_receive(request: web.Request) -> web.StreamResponse:
    """Where offers and files go in."""
    await request.app[DESK].box.use(lambda _shelf: None)
    return page(request, "receive", here="receive")


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
        return page(request, "receive", status=error.http_status, here="receive", wrong=wrong)
    return page(request, "received", here="receive", new=new, already=already, deferred=(), told=True)


async def get_offer(request: web.Request) -> web.StreamResponse:
    """What is offered, by whom, and the code that it may need."""
    desk = request.app[DESK]
    await desk.box.use(lambda _shelf: None)
    return _offer_page(request, desk.found(request.match_info["id"], Offered).offer)


async def post_offer(request: web.Request) -> web.StreamResponse:
    """Begin to fetch it."""
    desk, name, form = request.app[DESK], request.match_info["id"], await read_form(request)
    offer = desk.found(name, Offered).offer
    code = form.text("tx_code").strip().replace(" ", "")
    if offer.pre_authorized and offer.pre_authorized.tx_code and not code:
        return _offer_page(request, offer, wrong=wrong_by(request, "offer.no_code", "tx_code"), status=422)
    task = asyncio.create_task(desk.box.use(lambda shelf: steps.fetch_offer(shelf, offer, code or None, desk)))
    task.add_done_callback(lambda done: None if done.cancelled() else done.exception())  # the page below says it
    desk.under_way[name] = Fetching(offer, task)
    return see_other(f"/offer/{name}/result")


async def get_result(request: web.Request) -> web.StreamResponse:
    """What came of it. While it is being fetched, the page waits a while and then says that it takes longer."""
    desk, name = request.app[DESK], request.match_info["id"]
    fetching = desk.found(name, Fetching)
    await asyncio.wait([fetching.task], timeout=PATIENCE)
    if not fetching.task.done():
        return page(request, "fetching", here="receive", issuer=_host(fetching.offer))
    try:
        got = fetching.task.result()
    except VcError as error:
        desk.under_way[name] = Offered(fetching.offer)
        field = "tx_code" if _needs_code(fetching.offer) else "again"
        return _offer_page(request, fetching.offer, wrong=wrong_from(request, error, field), status=error.http_status)
    lang = language(request)
    deferred = [_named(one, lang) for one in got.deferred]
    left_out = left_out_lines(got.left_out, lang)
    return page(
        request,
        "received",
        here="receive",
        new=got.added,
        already=0,
        deferred=deferred,
        left_out=left_out,
        told=got.told,
    )


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
        return page(request, "receive", status=error.http_status, here="receive", wrong=wrong)
    return download("keys.json", to_json(made), "application/json")


def _offer_page(
    request: web.Request, offer: GivenOffer, *, wrong: tuple[Wrong, ...] = (), status: int = 200
) -> web.StreamResponse:
    lang = language(request)
    code = offer.pre_authorized.tx_code if offer.pre_authorized else None
    return page(
        request,
        "offer",
        status=status,
        wrong=wrong,
        here="receive",
        issuer=_host(offer),
        names=list(dict.fromkeys(_named(one, lang) for one in offer.configuration_ids)),
        code=code,
        described=clean(code.description or "") if code else "",
        path=f"/offer/{request.match_info['id']}",
    )


def _needs_code(offer: GivenOffer) -> bool:
    return bool(offer.pre_authorized and offer.pre_authorized.tx_code)


def _named(configuration: str, lang: str) -> str:
    """What a configuration is called: ``Earnings_bbs-2023`` is about earnings."""
    return views.name_of(configuration.partition("_")[0], lang)


def _host(offer: GivenOffer) -> str:
    return clean(urlsplit(offer.issuer).netloc)
