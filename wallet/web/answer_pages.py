"""A request: what it asks, what would be shown, what stays hidden; and the answer, once the worker agrees."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from vc.canon import to_json
from vc.errors import Malformed, VcError
from vc.oid4vp import Request
from wallet.answering import counter_offer_to, make_answer, plan_for, record_message
from wallet.delivery import was_answered
from wallet.guard import CounterOffer
from wallet.guard_words import message
from wallet.shelf import Shelf
from wallet.web import steps, views
from wallet.web.brought import OfferLink, RequestLink, read_brought
from wallet.web.desk import DESK, Answered, Asked
from wallet.web.form import Form, read_form
from wallet.web.page import Wrong, download, language, page, see_other, wrong_by, wrong_from


async def get_answer(request: web.Request) -> web.StreamResponse:
    """Where requests go in."""
    await request.app[DESK].box.use(lambda _shelf: None)
    return page(request, "answer", here="answer")


async def post_answer(request: web.Request) -> web.StreamResponse:
    """Read a request, and go on to what it asks."""
    form = await read_form(request)
    try:
        brought = await asyncio.to_thread(read_brought, form.text("text"), form.files)
        if not isinstance(brought, Request | RequestLink):
            offered = isinstance(brought, OfferLink)
            why = "is an offer of a platform" if offered else "holds credentials"
            raise Malformed("request", f"{why}, not a request", code="NOT_A_REQUEST")
    except VcError as error:
        return _brought_page(request, error)
    return await begin(request, brought)


async def begin(request: web.Request, brought: Request | RequestLink) -> web.StreamResponse:
    """On to what a request asks; one behind a link is fetched, which tells nobody who would answer it."""
    desk = request.app[DESK]
    await desk.box.use(lambda _shelf: None)
    try:
        asked = Asked(brought) if isinstance(brought, Request) else await steps.ask(desk, brought)
    except VcError as error:
        return _brought_page(request, error, asked=True)
    return see_other(f"/answer/{desk.begin(asked)}")


def _brought_page(request: web.Request, error: VcError, *, asked: bool = False) -> web.StreamResponse:
    wrong = wrong_from(request, error, "text", asked=asked)
    return page(request, "answer", status=error.http_status, here="answer", wrong=wrong)


async def get_request(request: web.Request) -> web.StreamResponse:
    """What a request asks, claim by claim."""
    return await _request_page(request, None)


async def post_request(request: web.Request) -> web.StreamResponse:
    """Agree to what is ticked. It is in the ledger before the answer exists for anybody; then it is sent."""
    desk, name, form = request.app[DESK], request.match_info["id"], await read_form(request)
    asked, ticked, at = desk.found(name, Asked), _ticked(form), desk.now()

    smaller = form.text("smaller") == "yes"

    def step(shelf: Shelf) -> Answered | None:
        desk.found(name, Asked)  # one thing at a time is done here: a form that was sent twice is answered once
        offer = counter_offer_to(shelf, asked.request, at=at) if smaller else None
        made = offer.answer if offer else plan_for(shelf, asked.request, at=at)
        if steps.seen(made) != form.text("seen") or not made.proposals or (offer and offer.instead):
            return None
        agreed = made if smaller else steps.chosen(made, ticked)
        document = make_answer(shelf, asked.request, agreed, at=at)
        shelf.record(asked.request, agreed.proposals, at=at, rand=desk.rand)
        desk.under_way[name] = answered = Answered(asked, at, document, agreed.proposals)
        return answered

    if not smaller and not any(ticked.values()):
        return await _request_page(request, ticked, wrong=wrong_by(request, "request.nothing_ticked", "choice"))
    try:
        answered = await desk.box.use(step)
    except VcError as error:
        return await _request_page(request, ticked, wrong=wrong_from(request, error, "choice"))
    if answered is None:
        return await _request_page(request, None, wrong=wrong_by(request, "request.changed", "choice"))
    desk.under_way[name] = steps.begin_sending(desk, answered)
    return see_other(f"/answer/{name}/done")


async def post_decline(request: web.Request) -> web.StreamResponse:
    """Tell whoever asks by a link that the worker shows nothing, and nothing else."""
    desk, name = request.app[DESK], request.match_info["id"]
    await read_form(request)
    at = desk.now()

    def step(_shelf: Shelf) -> Answered:
        desk.under_way[name] = refused = Answered(desk.found(name, Asked), at, None, ())
        return refused

    refused = await desk.box.use(step)
    if refused.asked.linked is None:  # nobody is there to be told
        del desk.under_way[name]
        return see_other("/")
    desk.under_way[name] = steps.begin_sending(desk, refused)
    return see_other(f"/answer/{name}/done")


async def post_counter_offer(request: web.Request) -> web.StreamResponse:
    """The counter-offer as a message for the verifier. No proof goes with it, but the ledger has what it says."""
    desk = request.app[DESK]
    await read_form(request)
    asked, at = desk.found(request.match_info["id"], Asked).request, desk.now()

    def step(shelf: Shelf) -> CounterOffer:
        offer = counter_offer_to(shelf, asked, at=at)
        if not offer.offered:
            raise Malformed("request", "nothing of what is asked has to be shown", code="OVER")
        record_message(shelf, offer, at=at)
        return offer

    offer = await desk.box.use(step)
    return download("counter-offer.json", to_json(message(offer)), "application/json")


async def _request_page(
    request: web.Request, ticked: Mapping[int, frozenset[str]] | None, *, wrong: tuple[Wrong, ...] = ()
) -> web.StreamResponse:
    desk, lang = request.app[DESK], language(request)
    asked, at = desk.found(request.match_info["id"], Asked), desk.now()

    def step(shelf: Shelf) -> dict[str, Any]:
        made, offer = plan_for(shelf, asked.request, at=at), counter_offer_to(shelf, asked.request, at=at)
        before = asked.linked is not None and was_answered(shelf, asked.request)
        return {
            "told": views.question(asked.request, made, lang, verifier=views.asker(asked), ticked=ticked),
            "sender": views.sender(asked.linked, before=before, less=bool(made.unanswered), lang=lang),
            "seen": steps.seen(made),
            "smaller": views.smaller(offer, lang),
            "smaller_seen": steps.seen(offer.answer),
        }

    fields = await desk.box.use(step)
    path = f"/answer/{request.match_info['id']}"
    return page(request, "request", status=422 if wrong else 200, wrong=wrong, here="answer", path=path, **fields)


def _ticked(form: Form) -> dict[int, frozenset[str]]:
    """The boxes by the proposal that they belong to: ``show.0.Earnings.monthly``."""
    found: dict[int, set[str]] = {}
    for box in form.ticked("show."):
        place, _, name = box.partition(".")
        if place.isascii() and place.isdecimal() and len(place) <= 2:
            found.setdefault(int(place), set()).add(name)
    return {place: frozenset(names) for place, names in found.items()}
