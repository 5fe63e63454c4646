"""What the worker holds, and what they say to it."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from vc.canon import Json, to_json
from vc.errors import Malformed, VcError
from wallet.answers import MAX_EVIDENCE, MAX_TEXT, screened, tidy
from wallet.shelf import Shelf
from wallet.web import steps, views
from wallet.web.desk import DESK
from wallet.web.form import Form, read_form
from wallet.web.page import Wrong, download, language, page, see_other, wrong_from
from wallet.web.safety import Safety, safety
from work.digest import multihash
from work.statement import Claims
from work.types import TYPES

KINDS: Final[Mapping[str, str]] = {"reply": "Reply", "dispute": "Dispute"}
GROUNDS: Final = TYPES["Dispute"].claims["ground"].words


async def get_home(request: web.Request) -> web.StreamResponse:
    """What the wallet holds, by platform."""
    desk, lang = request.app[DESK], language(request)
    at = desk.now()

    def step(shelf: Shelf) -> tuple[tuple[views.Group, ...], Safety]:
        return views.groups(shelf.copies(), at=at, lang=lang), safety(shelf.vault)

    groups, safe = await desk.box.use(step)
    reminder = safe.reminder(at) if groups else ""
    return page(request, "home", here="home", groups=groups, safe=safe, reminder=reminder, notices=desk.box.notices)


async def get_statement(request: web.Request) -> web.StreamResponse:
    """Everything that one statement says, and to whom it was shown."""
    desk, lang, name = request.app[DESK], language(request), request.match_info["name"]
    at = desk.now()

    def step(shelf: Shelf) -> tuple[views.Statement, list[views.Line]]:
        told = views.statement(shelf.copies(), name, at=at, lang=lang)
        shown = [
            line
            for line in views.ledger(steps.read_ledger(shelf)[0], lang)
            if any(s.statement == told.row.name for s in line.shown)
        ]
        return told, shown

    told, shown = await desk.box.use(step)
    return page(request, "statement", here="home", told=told, shown=shown)


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
    await desk.box.use(lambda shelf: steps.take_back(shelf, kind, name))
    return see_other(f"/held/{name}")


async def post_dispute_file(request: web.Request) -> web.StreamResponse:
    """The dispute, signed, to hand it to the platform."""
    desk, name = request.app[DESK], request.match_info["name"]
    await read_form(request)
    at = desk.now()
    signed: Json = await desk.box.use(lambda shelf: steps.signed_dispute(shelf, name, at=at))
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
