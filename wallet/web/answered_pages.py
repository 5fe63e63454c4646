"""An answer that was agreed to: on its way, taken or not; as a file, as QR codes, as a card on paper."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from vc.canon import Json, to_json
from vc.errors import Malformed, VcError
from vc.io.codes import Back, Page, Subject, picture
from vc.io.codes import page as codes_page
from wallet.card import answer_codes, card_page
from wallet.delivery import record_again
from wallet.shelf import Shelf
from wallet.web import steps, views
from wallet.web.desk import DESK, Answered
from wallet.web.form import read_form
from wallet.web.page import download, language, page, see_other
from wallet.web.phrases import clean, phrase, refusal

PATIENCE: Final = 5.0  # seconds that a page waits for an answer to be taken, before it says that it takes longer


async def get_done(request: web.Request) -> web.StreamResponse:
    """What came of it: here is the file, or whoever asked has it, or has not."""
    answered = await _answered(request)
    path, sending = _path(request), answered.sending
    fields: dict[str, Any] = {"verifier": views.asker(answered.asked), "path": path, "no": answered.document is None}
    if sending is None:
        return page(request, "answered", here="answer", **fields, **_as_file(answered))
    await asyncio.wait([sending], timeout=PATIENCE)
    if not sending.done():
        return page(request, "sending", here="answer", **fields)
    try:
        redirect = sending.result()
    except VcError as error:
        told, _ = refusal(error, language(request), asked=True)
        fields |= {"told": told, "detail": clean(str(error))}
        return page(request, "unsent", here="answer", **fields, **_as_file(answered))
    return page(request, "sent", here="answer", redirect=redirect, **fields)


async def post_send(request: web.Request) -> web.StreamResponse:
    """Send what was not taken once more. The ledger says so before it leaves."""
    desk, name = request.app[DESK], request.match_info["id"]
    await read_form(request)
    at = desk.now()

    def step(shelf: Shelf) -> Answered | None:
        answered = desk.found(name, Answered)
        if answered.sending is None or not answered.sending.done() or answered.sending.exception() is None:
            return None  # on its way, or taken: a form that was sent twice sends once
        if answered.document is not None:
            record_again(shelf, answered.asked.request, at=at, rand=desk.rand)
        return answered

    if (answered := await desk.box.use(step)) is not None:
        desk.under_way[name] = steps.begin_sending(desk, answered)
    return see_other(f"{_path(request)}/done")


async def get_file(request: web.Request) -> web.StreamResponse:
    """The answer as a file for the verifier."""
    return download("answer.json", to_json(dict(_document(await _answered(request)))), "application/json")


async def get_codes(request: web.Request) -> web.StreamResponse:
    """The answer as QR codes on the screen: they take turns, or stand still."""
    answered, lang = await _answered(request), language(request)
    return _whole(codes_page(answer_codes(_document(answered)), Subject("answer", lang), back=_back(request)))


async def get_picture(request: web.Request) -> web.StreamResponse:
    """The same as one picture, which moves where there are several codes."""
    kind, drawn = picture(answer_codes(_document(await _answered(request))))
    if kind != request.match_info["kind"]:
        raise web.HTTPNotFound
    return download(f"answer.{kind}", drawn, f"image/{kind}")


async def get_card(request: web.Request) -> web.StreamResponse:
    """The answer on a card to print."""
    answered = await _answered(request)
    made = card_page(
        _document(answered),
        answered.asked.request,
        answered.proposals,
        at=answered.at,
        lang=language(request),
        back=_back(request),
    )
    return _whole(made)


async def _answered(request: web.Request) -> Answered:
    desk = request.app[DESK]
    await desk.box.use(lambda _shelf: None)
    return desk.found(request.match_info["id"], Answered)


def _document(answered: Answered) -> Mapping[str, Json]:
    if answered.document is None:
        raise Malformed("page", "the answer was no", code="OVER")
    return answered.document


def _as_file(answered: Answered) -> dict[str, Any]:
    """In what forms it can be handed over."""
    texts = steps.codes(answered) if answered.document is not None else ()
    return {"kind": ("png" if len(texts) == 1 else "gif") if texts else ""}


def _whole(made: Page) -> web.Response:
    """A page that brings its own style sheet: its policy lets in that one, and no other page may frame it."""
    policy = f"{made.policy}; frame-ancestors 'none'"
    return web.Response(body=made.html, content_type="text/html", headers={"Content-Security-Policy": policy})


def _back(request: web.Request) -> Back:
    return Back(f"{_path(request)}/done", phrase("back", language(request)))


def _path(request: web.Request) -> str:
    return f"/answer/{request.match_info['id']}"
