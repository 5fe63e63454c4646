"""A request: what it asks, what would be shown, what stays hidden; and the answer, once the worker agrees."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from vc.canon import Json, to_json
from vc.errors import Malformed, VcError
from vc.oid4vp import Request
from wallet.guard_words import message
from wallet.shelf import Shelf
from wallet.web import steps, views
from wallet.web.brought import OfferLink, read_brought
from wallet.web.desk import DESK, Answered, Asked
from wallet.web.form import Form, read_form
from wallet.web.page import Wrong, download, language, page, see_other, wrong_by, wrong_from


async def get_answer(request: web.Request) -> web.StreamResponse:
    """Where requests go in."""
    await request.app[DESK].box.use(lambda _shelf: None)
    return page(request, "answer", here="answer")


async def post_answer(request: web.Request) -> web.StreamResponse:
    """Read a request, and go on to what it asks."""
    desk, form = request.app[DESK], await read_form(request)
    try:
        brought = await asyncio.to_thread(read_brought, form.text("text"), form.files)
        if not isinstance(brought, Request):
            offered = isinstance(brought, OfferLink)
            why = "is an offer of a platform" if offered else "holds credentials"
            raise Malformed("request", f"{why}, not a request", code="NOT_A_REQUEST")
        await desk.box.use(lambda _shelf: None)
    except VcError as error:
        wrong = wrong_from(request, error, "text")
        return page(request, "answer", status=error.http_status, here="answer", wrong=wrong)
    return see_other(f"/answer/{desk.begin(Asked(brought))}")


async def get_request(request: web.Request) -> web.StreamResponse:
    """What a request asks, claim by claim."""
    return await _request_page(request, None)


async def post_request(request: web.Request) -> web.StreamResponse:
    """Agree to what is ticked. It is in the ledger before the answer exists for anybody."""
    desk, name, form = request.app[DESK], request.match_info["id"], await read_form(request)
    asked, ticked, at = desk.found(name, Asked).request, _ticked(form), desk.now()

    smaller = form.text("smaller") == "yes"

    def step(shelf: Shelf) -> dict[str, Json] | None:
        offer = steps.counter_offer_to(shelf, asked, at=at) if smaller else None
        made = offer.answer if offer else steps.plan_for(shelf, asked, at=at)
        if steps.seen(made) != form.text("seen") or not made.proposals or (offer and offer.instead):
            return None
        return steps.answer(shelf, asked, made if smaller else steps.chosen(made, ticked), at=at)

    if not smaller and not any(ticked.values()):
        return await _request_page(request, ticked, wrong=wrong_by(request, "request.nothing_ticked", "choice"))
    try:
        document = await desk.box.use(step)
    except VcError as error:
        return await _request_page(request, ticked, wrong=wrong_from(request, error, "choice"))
    if document is None:
        return await _request_page(request, None, wrong=wrong_by(request, "request.changed", "choice"))
    desk.under_way[name] = Answered(asked.client_id, document)
    return see_other(f"/answer/{name}/done")


async def get_counter_offer(request: web.Request) -> web.StreamResponse:
    """The counter-offer as a message for the verifier. Nothing is shown by it."""
    desk = request.app[DESK]
    asked, at = desk.found(request.match_info["id"], Asked).request, desk.now()
    offer = await desk.box.use(lambda shelf: steps.counter_offer_to(shelf, asked, at=at))
    if not offer.offered:
        raise Malformed("request", "nothing of what is asked has to be shown", code="OVER")
    return download("counter-offer.json", to_json(message(offer)), "application/json")


async def get_done(request: web.Request) -> web.StreamResponse:
    """The answer is made: here it is."""
    desk, name = request.app[DESK], request.match_info["id"]
    await desk.box.use(lambda _shelf: None)
    answered = desk.found(name, Answered)
    return page(request, "answered", here="answer", verifier=answered.verifier, file=f"/answer/{name}/answer.json")


async def get_file(request: web.Request) -> web.StreamResponse:
    """The answer as a file for the verifier."""
    desk = request.app[DESK]
    await desk.box.use(lambda _shelf: None)
    answered = desk.found(request.match_info["id"], Answered)
    return download("answer.json", to_json(dict(answered.document)), "application/json")


async def _request_page(
    request: web.Request, ticked: Mapping[int, frozenset[str]] | None, *, wrong: tuple[Wrong, ...] = ()
) -> web.StreamResponse:
    desk, lang = request.app[DESK], language(request)
    asked, at = desk.found(request.match_info["id"], Asked).request, desk.now()

    def step(shelf: Shelf) -> dict[str, Any]:
        made, offer = steps.plan_for(shelf, asked, at=at), steps.counter_offer_to(shelf, asked, at=at)
        return {
            "told": views.question(asked, made, lang, ticked=ticked),
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
