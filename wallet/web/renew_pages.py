"""Coming back to platforms: what ends soon or runs low, what they promised, and new keys on a new device."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from aiohttp import web

from vc.errors import Malformed, VcError
from wallet.refresh import DAYS, Reason, Refreshed, Task, due
from wallet.web import receive_pages
from wallet.web.desk import DESK, Refreshing, background
from wallet.web.form import read_form
from wallet.web.online_steps import come_back
from wallet.web.page import Wrong, host, language, page, see_other, wrong_from
from wallet.web.phrases import phrase, refusal
from wallet.web.receive_pages import named, told_failed
from work.phrases import day, number

MAX_DAYS: Final = 365

Told = list[tuple[str, list[tuple[str, str]]]]  # platform by platform: sentences, each with more in English


async def get_renew(request: web.Request) -> web.StreamResponse:
    """What would be fetched, from whom and why. Nobody is asked anything."""
    desk, lang = request.app[DESK], language(request)
    rebind, at = request.query.get("rebind") == "yes", desk.now()
    wrong: tuple[Wrong, ...] = ()
    status, days = 200, DAYS
    try:
        days = _days(request.query.get("days", ""))
    except VcError as error:
        wrong, status = wrong_from(request, error, "days"), error.http_status
    tasks = await desk.box.use(lambda shelf: due(shelf, at=at, days=days, rebind=rebind))
    return page(
        request,
        "renew",
        status=status,
        wrong=wrong,
        here="home",
        plan=_planned(tasks, lang),
        anything=any(not one.is_idle for one in tasks),
        days=days,
        most=MAX_DAYS,
        rebind=rebind,
    )


async def post_renew(request: web.Request) -> web.StreamResponse:
    """Fetch it."""
    desk, form = request.app[DESK], await read_form(request)
    days, rebind, at = _days(form.text("days")), form.text("rebind") == "yes", desk.now()
    tasks = await desk.box.use(lambda shelf: due(shelf, at=at, days=days, rebind=rebind))
    task = background(desk.box.beside(lambda shelf: come_back(shelf, tasks, desk)))
    return see_other(f"/renew/{desk.begin(Refreshing(task))}")


async def get_renewed(request: web.Request) -> web.StreamResponse:
    """What came of it, or that it takes longer."""
    desk, lang = request.app[DESK], language(request)
    await desk.box.use(lambda _shelf: None)
    task = desk.found(request.match_info["id"], Refreshing).task
    await asyncio.wait([task], timeout=receive_pages.PATIENCE)
    if not task.done():
        return page(request, "fetching", here="home", issuer="")
    return page(request, "renewed", here="home", told=_done(task.result(), lang))


def _days(text: str) -> int:
    if not text:
        return DAYS
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and int(text) <= MAX_DAYS):
        raise Malformed("days", f"0 to {MAX_DAYS}", code="BAD_DAYS")
    return int(text)


def _planned(tasks: Sequence[Task], lang: str) -> Told:
    return [(host(task.grant.issuer), [(text, "") for text in _plan(task, lang)]) for task in tasks]


def _plan(task: Task, lang: str) -> Iterator[str]:
    for name, reason in task.reasons:
        yield phrase(f"renew.{Reason(reason).value}", lang, what=named(name, lang))
    for one in task.due:
        yield phrase("renew.due", lang, what=named(one.dataset.configuration, lang))
    yield from _waiting(task, lang)
    if task.is_idle and not task.waiting:
        yield phrase("renew.idle", lang)


def _done(results: Sequence[Refreshed], lang: str) -> Told:
    return [(host(one.task.grant.issuer), list(_outcome(one, lang))) for one in results]


def _outcome(one: Refreshed, lang: str) -> Iterator[tuple[str, str]]:
    for key, count in (("added", one.added), ("retired", one.retired)):
        if count:
            yield phrase(f"renewed.{key}", lang, count=number(str(count), lang)), ""
    for name in one.deferred:
        yield phrase("renewed.still", lang, what=named(name, lang)), ""
    for what, why, more in told_failed(one.failed, lang):
        yield phrase("received.failed", lang, what=what, why=why), more
    if one.error is not None:
        why, more = refusal(one.error, lang)
        yield phrase("renewed.failed", lang, why=why), more
    for text in _waiting(one.task, lang):
        yield text, ""
    if one.task.is_idle and not one.task.waiting:
        yield phrase("renew.idle", lang), ""


def _waiting(task: Task, lang: str) -> Iterator[str]:
    for one in task.waiting:
        moment = {"day": day(f"{one.not_before:%Y-%m-%d}", lang), "time": f"{one.not_before:%H:%M}"}
        yield phrase("renew.waiting", lang, what=named(one.dataset.configuration, lang), **moment)
