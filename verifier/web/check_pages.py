"""One check: the code for the worker, or the file; then the report, and what one can take along of it."""

from functools import partial
from typing import Any, Final

from aiohttp import web

from vc.errors import Malformed, VcError
from vc.frames import Kind, Message, split
from vc.io.codes import Back, Subject, inline
from vc.io.codes import page as codes_page
from vc.io.pages import Wrong, download, see_other
from vc.io.pictures import message_in
from verifier.api import MAX_ANSWER
from verifier.deps import DEPS, in_thread
from verifier.flow import State
from verifier.pdf import to_pdf
from verifier.render import compose, report_page
from verifier.retention import erase
from verifier.sessions import take_file
from verifier.web.checks import PENDING, Check, evidence, find
from verifier.web.home_pages import listed
from verifier.web.page import language, page, read_form, wrong_by, wrong_from
from verifier.web.phrases import phrase
from work.dictionary import DICTIONARIES

AGAIN: Final = 5  # seconds until the page looks again by itself
MAX_DRAWN: Final = 2300  # characters of a link that one code holds and a phone still reads off a screen


async def get_check(request: web.Request) -> web.StreamResponse:
    """Where a check is. While an answer is awaited the page looks again by itself, unless ``?still=yes``."""
    check = await _found(request)
    response = await _check_page(request, check)
    waits = (check.link and check.state in PENDING) or check.state == State.ANSWERED
    if waits and request.query.get("still") != "yes":
        response.headers["Refresh"] = str(AGAIN)
    return response


async def post_answer(request: web.Request) -> web.StreamResponse:
    """An answer that came as a file, or as pictures of its QR codes."""
    deps, check, form = request.app[DEPS], await _found(request), await read_form(request)
    if not form.files:
        return await _check_page(request, check, wrong=wrong_by(request, "check.no_file", "file"))
    read = partial(
        message_in, form.files, kind=Kind.ANSWER, limit=MAX_ANSWER, dictionaries=DICTIONARIES, where="the answer"
    )
    try:
        raw = await in_thread(read)
        await in_thread(lambda: take_file(deps, check.id, raw))
    except VcError as error:
        return await _check_page(request, check, wrong=wrong_from(request, error, "file"))
    return see_other(f"/checks/{check.id}")


async def post_erase(request: web.Request) -> web.StreamResponse:
    """Erase a check now: the request, the answer and the report."""
    deps, check = request.app[DEPS], await _found(request)
    await read_form(request)
    await in_thread(lambda: erase(deps.database, check.id, now=deps.seconds))
    return see_other("/")


async def get_request(request: web.Request) -> web.StreamResponse:
    """The request as a file for the worker."""
    return download("request.json", (await _by_file(request)).request, "application/json")


async def get_codes(request: web.Request) -> web.StreamResponse:
    """The request as QR codes on the screen, or on paper."""
    check, lang = await _by_file(request), language(request)
    texts = split(Message(Kind.REQUEST, check.request), dictionaries=DICTIONARIES)
    back = Back(f"/checks/{check.id}", phrase("back", lang))
    made = codes_page(texts, Subject("request", lang), back=back)
    return _whole(made.html, made.policy)


async def get_report(request: web.Request) -> web.StreamResponse:
    """The report as ``html`` (with ``?save=yes`` as a file), ``pdf`` or ``json``."""
    check, lang, form = await _checked(request), language(request), request.match_info["form"]
    if form == "json":
        return download("report.json", check.document, "application/json")
    if form == "pdf":
        return download("report.pdf", await in_thread(lambda: to_pdf(check.report, lang)), "application/pdf")
    html, policy = report_page(check.report, lang)
    raw = html.encode("utf-8")
    return download("report.html", raw, "text/html") if request.query.get("save") == "yes" else _whole(raw, policy)


async def get_evidence(request: web.Request) -> web.StreamResponse:
    """All that it takes to check again, years later, where the answer is kept."""
    deps, check, lang = request.app[DEPS], await _checked(request), language(request)
    if not check.answer:
        raise web.HTTPNotFound
    return download("evidence.zip", await in_thread(lambda: evidence(deps, check, lang)), "application/zip")


async def _check_page(request: web.Request, check: Check, *, wrong: tuple[Wrong, ...] = ()) -> web.Response:
    lang = language(request)
    fields: dict[str, Any] = {"check": check, "about": listed(check, lang), "path": f"/checks/{check.id}"}
    status = 422 if wrong else 200
    if check.state == State.CHECKED:
        fields["told"] = await in_thread(lambda: compose(check.report, lang))
        return page(request, "checked", status=status, wrong=wrong, **fields)
    if check.state in PENDING and check.link:
        drawn = inline([check.link], Subject("request", lang)) if len(check.link) <= MAX_DRAWN else ()
        still = request.query.get("still") == "yes"
        return page(request, "waiting", status=status, wrong=wrong, drawn=drawn, still=still, again=AGAIN, **fields)
    template = "handing" if check.state in PENDING else "ended"
    return page(request, template, status=status, wrong=wrong, **fields)


async def _found(request: web.Request) -> Check:
    deps, name = request.app[DEPS], request.match_info["id"]
    check = await in_thread(lambda: find(deps, name))
    if check is None:
        raise Malformed("page", "what it was about is over; begin again", code="OVER")
    return check


async def _checked(request: web.Request) -> Check:
    check = await _found(request)
    if check.state != State.CHECKED:
        raise web.HTTPNotFound
    return check


async def _by_file(request: web.Request) -> Check:
    check = await _found(request)
    if check.link or check.state not in PENDING:
        raise web.HTTPNotFound
    return check


def _whole(raw: bytes, policy: str) -> web.Response:
    """A page that brings its own style sheet: its policy lets in that one, and no other page may frame it."""
    headers = {"Content-Security-Policy": f"{policy}; frame-ancestors 'none'"}
    return web.Response(body=raw, content_type="text/html", charset="utf-8", headers=headers)
