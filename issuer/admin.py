"""The admin page: what the platform's own people see and do. Every action is the one that a command does."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import sqlalchemy as sa
from aiohttp import web

from issuer import admin_session as session
from issuer import deferrals, disputes, overview, webhook
from issuer.admin_session import Admin, admin_only
from issuer.deps import DEPS, Deps, in_thread
from issuer.hold import CROWD, HELD
from issuer.offers import PRE_AUTHORIZED, Made, Scheme, TxCode, choose, default_formats, make_offer, take_back
from issuer.pages import language, page, qr, see_other
from issuer.words import clean
from issuer.worker_page import page_link
from vc.io.route import Answer, Route
from work.types import TYPES, Words

PAGES: Final = (
    ("overview", "/admin"),
    ("offers", "/admin/offers"),
    ("credentials", "/admin/credentials"),
    ("requests", "/admin/requests"),
    ("disputes", "/admin/disputes"),
)


async def get_login(request: web.Request) -> web.Response:
    """The login form."""
    return await _login(request)


async def post_login(request: web.Request) -> web.Response:
    """Log in with the password."""
    deps = request.app[DEPS]
    _, token = session.before_login(request)
    try:
        fields = await session.form(request, token)
    except web.HTTPForbidden:
        return await _login(request, error="login.stale", status=403)
    try:
        cookie = await in_thread(lambda: session.log_in(deps, fields.get("password", ""), request.remote or ""))
    except web.HTTPTooManyRequests as error:
        response = await _login(request, error="login.often", status=429)
        response.headers["Retry-After"] = error.headers["Retry-After"]
        return response
    if cookie is None:
        return await _login(request, error="login.wrong", status=403)
    response = see_other(request, "/admin")
    session.keep_cookie(request, response, session.COOKIE, cookie, lifetime=session.LIFETIME)
    return response


@admin_only
async def post_logout(request: web.Request, admin: Admin) -> web.Response:
    """Log out."""
    await session.form(request, admin.csrf)
    await session.log_out(request)
    response = see_other(request, "/admin/login")
    session.drop_cookie(request, response)
    return response


@admin_only
async def get_overview(request: web.Request, admin: Admin) -> web.Response:
    """How things stand."""
    deps = request.app[DEPS]

    def step() -> dict[str, Any]:
        with deps.database.read() as connection:
            return {
                "view": overview.overview(connection, deps.seconds),
                "webhook": webhook.state(connection, now=deps.seconds),
                "keys": overview.keys(deps.keyring(), deps.now()),
                "now": deps.seconds,
            }

    return await _page(request, admin, "overview", step)


@admin_only
async def get_credentials(request: web.Request, admin: Admin) -> web.Response:
    """What was signed, by month, type and format."""
    deps = request.app[DEPS]

    def step() -> dict[str, Any]:
        with deps.database.read() as connection:
            return {"counts": overview.counts(connection)}

    return await _page(request, admin, "credentials", step)


@admin_only
async def get_offers(request: web.Request, admin: Admin) -> web.Response:
    """The latest offers, and the form for a new one."""
    deps = request.app[DEPS]

    def step() -> dict[str, Any]:
        with deps.database.read() as connection:
            return {"offers": overview.latest_offers(connection, deps.seconds), "offered": list(overview.OFFERED)}

    return await _page(request, admin, "offers", step)


@admin_only
async def post_offer(request: web.Request, admin: Admin) -> web.Response:
    """Make an offer, as ``ouvrage issuer offer`` does. Its code is in this answer and nowhere else."""
    deps = request.app[DEPS]
    fields = await session.form(request, admin.csrf)
    worker, types = fields.get("worker", "").strip(), session.listed(fields, "type.")

    def step() -> dict[str, Any]:
        made = _offer(deps, worker, types, tx_code=TxCode.NUMERIC if "tx_code" in fields else None)
        return {
            "worker": worker,
            "link": made.link,
            "page_url": page_link(deps.config.base, made.id),
            "qr": qr(made.link),
            "expires": made.expires,
            "tx_code": made.tx_code,
        }

    return await _page(request, admin, "offers", step, template="offer")


@admin_only
async def post_withdrawal(request: web.Request, admin: Admin) -> web.Response:
    """Take back an offer, as ``ouvrage issuer offer withdraw`` does."""
    deps, fields = request.app[DEPS], await session.form(request, admin.csrf)
    name = fields.get("id", "")
    return await _act(request, "offers", lambda connection: take_back(connection, name, now=deps.seconds))


@admin_only
async def get_requests(request: web.Request, admin: Admin) -> web.Response:
    """What waits for a decision."""
    deps = request.app[DEPS]

    def step() -> dict[str, Any]:
        with deps.database.read() as connection:
            found = deferrals.waiting(connection)
        return {"waiting": found[: overview.LATEST], "reasons": (HELD, CROWD)}

    return await _page(request, admin, "requests", step)


@admin_only
async def post_decision(request: web.Request, admin: Admin) -> web.Response:
    """Approve or deny a request, as ``ouvrage issuer deferred`` does."""
    fields = await session.form(request, admin.csrf)
    decision = {"approve": deferrals.APPROVED, "deny": deferrals.DENIED}.get(fields.get("decision", ""))
    if decision is None:
        raise web.HTTPBadRequest(text="decision: approve or deny")
    return await _act(
        request, "requests", lambda connection: deferrals.decide(connection, fields.get("id", ""), decision)
    )


@admin_only
async def get_disputes(request: web.Request, admin: Admin) -> web.Response:
    """Disputes, and the form for a new one."""
    deps, lang = request.app[DEPS], language(request)

    def step() -> dict[str, Any]:
        with deps.database.read() as connection:
            return {
                "open": overview.disputes(connection, is_open=True),
                "closed": overview.disputes(connection, is_open=False),
                "outcomes": _in_words(TYPES["DisputeOutcome"].claims["outcome"].words, lang),
                "in_words": lambda reason: _reason(reason, lang),
                "offered": list(overview.OFFERED),
            }

    return await _page(request, admin, "disputes", step)


@admin_only
async def post_dispute(request: web.Request, admin: Admin) -> web.Response:
    """Open a dispute for a worker, as ``ouvrage issuer contest`` does."""
    deps, fields = request.app[DEPS], await session.form(request, admin.csrf)
    worker, kind, reason = (fields.get(name, "").strip() for name in ("worker", "type", "reason"))
    if not worker or not reason:
        raise web.HTTPBadRequest(text="worker, reason: say both")

    def act(connection: sa.Connection) -> None:
        for one in disputes.find_disputed(connection, worker, kind, None):
            disputes.open_dispute(connection, one, reason=reason, now=deps.seconds, rand=deps.rand)

    return await _act(request, "disputes", act)


@admin_only
async def post_outcome(request: web.Request, admin: Admin) -> web.Response:
    """Close a dispute, as ``ouvrage issuer dispute close`` does."""
    deps, fields = request.app[DEPS], await session.form(request, admin.csrf)
    return await _act(
        request,
        "disputes",
        lambda connection: disputes.close_dispute(
            connection, fields.get("id", ""), fields.get("outcome", ""), now=deps.seconds
        ),
    )


def _offer(deps: Deps, worker: str, types: tuple[str, ...], *, tx_code: TxCode | None) -> Made:
    config = deps.config
    with deps.database.write() as connection:
        chosen = choose(
            connection,
            worker,
            types=types,
            formats=default_formats(haip=config.haip),
            k=config.k,
            allowed=config.allow_few,
        )
        return make_offer(
            connection,
            worker,
            chosen,
            base=config.base,
            grants=(PRE_AUTHORIZED,),
            tx_code=tx_code,
            lifetime=config.offer_lifetime,
            now=deps.seconds,
            rand=deps.rand,
            scheme=Scheme.HAIP if config.haip else Scheme.OPENID,
        )


async def _login(request: web.Request, *, error: str = "", status: int = 200) -> web.Response:
    deps = request.app[DEPS]

    def step() -> tuple[bool, str]:
        with deps.database.read() as connection:
            return session.has_password(connection), _platform(deps)

    is_set, platform = await in_thread(step)
    nonce, token = session.before_login(request)
    response = page(request, "login", status=status, error=error, is_set=is_set, platform=platform, csrf=token)
    session.keep_cookie(request, response, session.FORM_COOKIE, nonce, lifetime=session.LIFETIME)
    return response


async def _page(
    request: web.Request, admin: Admin, here: str, step: Callable[[], dict[str, Any]], *, template: str = ""
) -> web.Response:
    """A page of somebody who has logged in."""
    deps, lang = request.app[DEPS], language(request)
    fields, platform = await in_thread(lambda: (step(), _platform(deps)))
    fields |= {"admin": admin, "here": here, "pages": PAGES, "platform": platform}
    return page(request, template or here, label=lambda kind: _label(kind, lang), **fields)


async def _act(request: web.Request, here: str, act: Callable[[sa.Connection], object]) -> web.Response:
    """Do what a form asks for, then have its page loaded again."""
    deps = request.app[DEPS]

    def step() -> None:
        with deps.database.write() as connection:
            act(connection)

    await in_thread(step)
    return see_other(request, dict(PAGES)[here])


def _platform(deps: Deps) -> str:
    return deps.keyring().name


def _label(kind: str, lang: str) -> str:
    return TYPES[kind].labels[lang] if kind in TYPES else clean(kind)


def _in_words(words: Mapping[str, Words], lang: str) -> dict[str, str]:
    return {name: word[lang] for name, word in words.items()}


def _reason(reason: str, lang: str) -> str:
    """A worker's reason: a ground that has words of its own, and the worker's."""
    ground, _, text = reason.partition(": ")
    if ground not in disputes.GROUNDS:
        return clean(reason)
    told = disputes.GROUNDS[ground][lang]
    return f"{told} – {clean(text)}" if text else told


def _route(method: str, path: str, handler: Any, summary: str) -> Route:
    return Route(method, path, handler, summary, {200: Answer("A page")}, "admin", public=False)


ROUTES: Final = (
    _route("GET", "/admin/login", get_login, "The login form"),
    _route("POST", "/admin/login", post_login, "Log in"),
    _route("POST", "/admin/logout", post_logout, "Log out"),
    _route("GET", "/admin", get_overview, "How things stand"),
    _route("GET", "/admin/credentials", get_credentials, "What was signed"),
    _route("GET", "/admin/offers", get_offers, "The latest offers"),
    _route("POST", "/admin/offers", post_offer, "Make an offer"),
    _route("POST", "/admin/offers/withdraw", post_withdrawal, "Take back an offer"),
    _route("GET", "/admin/requests", get_requests, "What waits for a decision"),
    _route("POST", "/admin/requests", post_decision, "Approve or deny"),
    _route("GET", "/admin/disputes", get_disputes, "Disputes"),
    _route("POST", "/admin/disputes", post_dispute, "Open a dispute"),
    _route("POST", "/admin/disputes/close", post_outcome, "Close a dispute"),
)
