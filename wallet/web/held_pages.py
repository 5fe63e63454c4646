"""What the worker holds, what they say to it, and letting go of it."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from vc.canon import Json, to_json
from vc.errors import Malformed, VcError
from wallet import words
from wallet.answers import MAX_EVIDENCE, MAX_TEXT, screened, tidy
from wallet.letting_go import Left, delete_statement
from wallet.saying import signed_dispute, take_back
from wallet.shelf import Shelf
from wallet.web import steps, views
from wallet.web.desk import DESK, Deleted, Returned, background
from wallet.web.form import Form, read_form
from wallet.web.online_steps import tell_platforms
from wallet.web.page import Wrong, download, language, page, see_other, wrong_from
from wallet.web.safety import Safety, safety
from work.digest import multihash
from work.statement import Claims
from work.types import TYPES

KINDS: Final[Mapping[str, str]] = {"reply": "Reply", "dispute": "Dispute"}
PATIENCE: Final = 5.0  # seconds that a page waits until a platform has been told
GROUNDS: Final = TYPES["Dispute"].claims["ground"].words


async def get_home(request: web.Request) -> web.StreamResponse:
    """What the wallet holds, by platform."""
    desk, lang = request.app[DESK], language(request)
    at = desk.now()

    def step(shelf: Shelf) -> tuple[tuple[views.Group, ...], Safety]:
        return views.groups(shelf.copies(), at=at, lang=lang), safety(shelf.vault)

    groups, safe = await desk.box.use(step)
    told: dict[str, Any] = {"safe": safe, "reminder": safe.reminder(at) if groups else "", "notices": desk.box.notices}
    back = [name for name, what in desk.under_way.items() if isinstance(what, Returned)]
    return page(request, "home", here="home", groups=groups, back=back, **told)


async def get_statement(request: web.Request) -> web.StreamResponse:
    """Everything that one statement says, and to whom it was shown."""
    desk, lang, name = request.app[DESK], language(request), request.match_info["name"]
    at = desk.now()

    def step(shelf: Shelf) -> tuple[views.Statement, list[views.Line]]:
        told = views.statement(shelf.copies(), name, at=at, lang=lang)
        shown = [
            line
            for line in views.ledger(steps.read_ledger(shelf)[0], lang)
            if any(s.statement in told.names for s in line.shown)
        ]
        return told, shown

    told, shown = await desk.box.use(step)
    return page(request, "statement", here="home", told=told, shown=shown)


async def get_delete(request: web.Request) -> web.StreamResponse:
    """Ask before a statement is deleted."""
    desk, lang, name = request.app[DESK], language(request), request.match_info["name"]
    at = desk.now()
    told = await desk.box.use(lambda shelf: views.statement(shelf.copies(), name, at=at, lang=lang))
    return page(request, "delete", here="home", told=told)


async def post_delete(request: web.Request) -> web.StreamResponse:
    """Delete it, and tell its platform."""
    desk, name = request.app[DESK], request.match_info["name"]
    await read_form(request)

    def step(shelf: Shelf) -> tuple[str, int, Left]:
        copies = shelf.copies()
        copy = words.find(copies, name)
        count = sum(1 for one in copies if one.statement == copy.statement)
        return copy.type, count, delete_statement(shelf, copy.statement)

    kind, count, left = await desk.box.use(step)
    task = background(desk.box.beside(lambda shelf: tell_platforms(shelf, left, desk)))
    return see_other(f"/deleted/{desk.begin(Deleted(kind, count, task))}")


async def get_deleted(request: web.Request) -> web.StreamResponse:
    """What was deleted, and whether its platform knows."""
    desk, lang = request.app[DESK], language(request)
    await desk.box.use(lambda _shelf: None)
    gone = desk.found(request.match_info["id"], Deleted)
    await asyncio.wait([gone.task], timeout=PATIENCE)
    done = gone.task.done() and gone.task.exception() is None and gone.task.result()
    label = views.name_of(gone.type, lang)
    return page(request, "deleted", here="home", label=label, count=gone.count, told=done)


async def get_said(request: web.Request) -> web.StreamResponse:
    """The form for a reply or a dispute, with what was said before."""
    return await _said_page(request, "", {})


async def post_said(request: web.Request) -> web.StreamResponse:
    """Keep what the worker says; first show what in it could name somebody, if there is anything."""
    desk, name = request.app[DESK], request.match_info["name"]
    form = await read_form(request)
    kind = _kind(request)
    try:
        claims = _claims(kind, form, f"{desk.now():%Y-%m}", f"{desk.now():%Y-%m-%d}", language(request))
        found = screened(str(claims["text"]))
        if found and form.text("looked") != "yes":
            return await _said_page(request, form.text("text"), form.fields, found=found)
        await desk.box.use(lambda shelf: steps.say(shelf, kind, name, claims))
    except VcError as error:
        field = "ground" if error.code == "NO_GROUND" else "text"
        wrong = wrong_from(request, error, field)
        return await _said_page(request, form.text("text"), form.fields, wrong=wrong, status=error.http_status)
    return see_other(f"/held/{name}")


async def post_take_back(request: web.Request) -> web.StreamResponse:
    """Take a reply or a dispute back."""
    desk, name, kind = request.app[DESK], request.match_info["name"], _kind(request)
    await read_form(request)
    await desk.box.use(lambda shelf: take_back(shelf, kind, name))
    return see_other(f"/held/{name}")


async def post_dispute_file(request: web.Request) -> web.StreamResponse:
    """The dispute, signed, to hand it to the platform."""
    desk, name = request.app[DESK], request.match_info["name"]
    await read_form(request)
    at = desk.now()
    signed: Json = await desk.box.use(lambda shelf: signed_dispute(shelf, name, at=at))
    return download("dispute.json", to_json(signed), "application/json")


async def _said_page(
    request: web.Request,
    text: str,
    fields: Mapping[str, str],
    *,
    found: tuple[str, ...] = (),
    wrong: tuple[Wrong, ...] = (),
    status: int = 200,
) -> web.StreamResponse:
    desk, lang, name, kind = request.app[DESK], language(request), request.match_info["name"], _kind(request)
    at = desk.now()

    def step(shelf: Shelf) -> tuple[views.Statement, Mapping[str, Any]]:
        copies = shelf.copies()
        told = views.statement(copies, name, at=at, lang=lang)
        copy = next(one for one in copies if one.statement == told.row.name)
        return told, next((one.claims for one in copy.answers if one.type == kind), {})

    told, before = await desk.box.use(step)
    return page(
        request,
        "said",
        status=status,
        wrong=wrong,
        here="home",
        told=told,
        kind=request.match_info["kind"],
        before=bool(before),
        text=text or ("" if before.get("text") == "none" else before.get("text", "")),
        ground=fields.get("ground") or before.get("ground", ""),
        grounds=[(value, words[lang]) for value, words in GROUNDS.items()],
        found=found,
        most=MAX_TEXT,
    )


def _kind(request: web.Request) -> str:
    return KINDS[request.match_info["kind"]]


def _claims(kind: str, form: Form, month: str, day: str, lang: str) -> Claims:
    text = form.text("text")
    if kind == "Reply":
        return {"text": tidy(text, where="text"), "lang": lang, "dateCreated": month}
    if form.text("ground") not in GROUNDS:
        raise Malformed("ground", "choose why you dispute it", code="NO_GROUND")
    if len(form.files) > MAX_EVIDENCE:
        raise Malformed("evidence", f"{MAX_EVIDENCE} files at most", code="TOO_MANY_FILES")
    return {
        "ground": form.text("ground"),
        "text": tidy(text, where="text") if text.strip() else "none",
        "lang": lang,
        "opened": day,
        "evidenceDigests": tuple(sorted({multihash(raw) for raw in form.files})) or ("none",),
    }
