"""Asking: a purpose, what may be asked for it, and the request that it becomes."""

from functools import partial

from aiohttp import web

from vc.errors import Malformed, VcError
from vc.io.form import Form
from vc.io.pages import Wrong, see_other
from verifier.asking import LIFETIME, MAX_TEXT, Ask
from verifier.deps import DEPS, in_thread
from verifier.sessions import create
from verifier.web import choices
from verifier.web.page import language, page, read_form, wrong_by, wrong_from
from verifier.web.state import trust_state
from work.purposes import PURPOSES, Purpose

BY_FILE_LIFETIME = 14 * 86_400  # seconds: a file goes by mail
MAX_NAME = 200


async def get_ask(request: web.Request) -> web.StreamResponse:
    """What may be asked for a purpose; with ``?anyway=yes`` also what must never be."""
    purpose = _purpose(request)
    return await _ask_page(request, purpose, None, anyway=request.query.get("anyway") == "yes")


async def post_ask(request: web.Request) -> web.StreamResponse:
    """Make the request, and go on to where the worker's answer comes in."""
    purpose, form, deps = _purpose(request), await read_form(request), request.app[DEPS]
    anyway = form.text("anyway") == "yes"
    by_file = form.text("way") == "file"
    name = " ".join(form.text("name").split())
    if by_file and not 0 < len(name) <= MAX_NAME:
        wrong = wrong_by(request, "ask.no_name", "name")
        return await _ask_page(request, purpose, form, anyway=anyway, wrong=wrong)
    if not choices.chosen(form):
        wrong = wrong_by(request, "ask.nothing", "choice")
        return await _ask_page(request, purpose, form, anyway=anyway, wrong=wrong)
    try:
        ask = _demand(purpose, form, by_file=by_file, anyway=anyway)
        made = await in_thread(partial(create, deps, ask, by_file=name if by_file else ""))
    except VcError as error:
        field = "days" if str(getattr(error, "where", "")) == "/retentionDays" else "choice"
        wrong = wrong_from(request, error, field)
        return await _ask_page(request, purpose, form, anyway=anyway, wrong=wrong)
    return see_other(f"/checks/{made.id}")


def _demand(purpose: Purpose, form: Form, *, by_file: bool, anyway: bool) -> Ask:
    """What was filled in. Raises :class:`Malformed` for what cannot be asked."""
    return Ask(
        purpose=purpose.code,
        claims=choices.chosen(form),
        necessity=" ".join(form.text("necessity").split()),
        retention_days=_days(form.text("days")),
        format="sd-jwt" if "sdjwt" in form.fields else "bbs-2023",
        ask_anyway=anyway,
        accept_possession="possession" in form.fields,
        accept_self_asserted="own" in form.fields,
        keep_answer="keep" in form.fields,
        lifetime=BY_FILE_LIFETIME if by_file else LIFETIME,
        reference=" ".join(form.text("reference").split())[:MAX_TEXT],
    )


def _days(text: str) -> int | None:
    """How many days were typed; what the purpose says where nothing was."""
    typed = text.strip()
    if not typed:
        return None
    if not (typed.isascii() and typed.isdecimal() and len(typed) <= 5):
        raise Malformed("/retentionDays", "not a number of days", code="BAD_DAYS")
    return int(typed)


async def _ask_page(
    request: web.Request, purpose: Purpose, form: Form | None, *, anyway: bool, wrong: tuple[Wrong, ...] = ()
) -> web.StreamResponse:
    deps, lang = request.app[DEPS], language(request)
    return page(
        request,
        "ask",
        status=422 if wrong else 200,
        wrong=wrong,
        purpose=purpose.labels[lang],
        law=purpose.law[lang],
        code=purpose.code,
        days=purpose.retention_days,
        groups=choices.groups(purpose, lang, form),
        anyway=anyway,
        filled=form.text if form else lambda _name: "",
        trust=await in_thread(lambda: trust_state(deps)),
    )


def _purpose(request: web.Request) -> Purpose:
    purpose = PURPOSES.get(request.match_info["purpose"])
    if purpose is None:
        raise web.HTTPNotFound
    return purpose
