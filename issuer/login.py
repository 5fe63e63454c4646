"""The person behind a wallet: how they log in, and how they say what may be handed over.

The way goes through the platform's own login, or in development through a form that takes any worker's id. Each step
is a ticket that is good once and only in the browser that began, so that nobody ends up with somebody else's login
(RFC 9700 §4.7) or goes on with an answer of another provider (§4.4).
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from aiohttp import web

from issuer import offers, pages, tickets, upstream, words
from issuer.authorization_request import AuthorizationRequest, Back
from issuer.clients import FORM, read_form
from issuer.config import Config
from issuer.deps import DEPS, Deps, in_thread
from issuer.flow import Session
from issuer.formats import CONFIGURATIONS
from issuer.scopes import Asked
from issuer.tickets import Kind, Ticket
from issuer.tokens import open_session
from vc.errors import VcError
from vc.io.route import Answer, Route
from vc.multibase import encode_base64url
from vc.oauth import parse_form, pkce_challenge
from work.statement import MAX_WORKER

LIFETIME: Final = 900  # seconds to log in and to read what is handed over
CALLBACK: Final = "/login/callback"
CONSENT: Final = "/login/consent"
TEST: Final = "/login/test"

_BROWSER: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_TICKET: Final = "ticket"


@dataclass(frozen=True, slots=True)
class Handed:
    """What is about to be handed over, after a look at what there is."""

    configurations: tuple[str, ...]
    elsewhere: bool  # the offer is another person's


def has_login(config: Config) -> bool:
    """Whether anybody can log in here. Checked where it is used, too: no setting reaches the test login elsewhere."""
    return config.login is not None or _is_test(config)


async def begin(request: web.Request, asked: AuthorizationRequest) -> web.Response:
    """On to the login, for a wallet's request."""
    deps = request.app[DEPS]
    browser = _browser(request) or encode_base64url(deps.rand(32))
    if deps.config.login is not None:
        try:
            location = await _upstream_location(deps, deps.config.login, asked, browser)
        except VcError:
            return refusal_page(request, "authorize.unavailable", status=503, back=asked.back, error="server_error")
    elif _is_test(deps.config):
        text = await in_thread(lambda: _hand_out(deps, "test", asked, browser, {}))
        location = pages.below(request, f"{TEST}?{_TICKET}={text}")
    else:
        return refusal_page(request, "authorize.no_login", status=403, back=asked.back, error="access_denied")
    response = _redirect(location)
    _set_browser(request, response, browser)
    return response


def refusal_page(
    request: web.Request, key: str, *, status: int, detail: str = "", back: Back | None = None, error: str = ""
) -> web.Response:
    """A page that says why not; with ``back``, a link by which a person, and nobody else, goes back to the wallet."""
    link = back.location(request.app[DEPS].config.base, error=error) if back else ""
    return pages.page(
        request, "refusal", status=status, key=key, detail=detail, link=link, wallet=back.host if back else ""
    )


async def get_test(request: web.Request) -> web.Response:
    """The form of the test login."""
    _require_test(request)
    text, found = await _looked(request, "test")
    if found is None:
        return refusal_page(request, "authorize.stale", status=400)
    return _form_page(request, "sign-in", text, error="")


async def post_test(request: web.Request) -> web.Response:
    """The test login: whoever fills in the form is that worker. In development only."""
    _require_test(request)
    deps, form = request.app[DEPS], await read_form(request)
    text, worker, browser = form.get(_TICKET, ""), form.get("worker", "").strip(), _browser(request)
    if not 0 < len(worker) <= MAX_WORKER or not worker.isprintable():
        return _form_page(request, "sign-in", text, error="authorize.test_missing", status=400)
    return await _go_on(request, await in_thread(lambda: _logged_in(deps, text, "test", browser, worker)))


async def get_callback(request: web.Request) -> web.Response:
    """The way back from the platform's login (OpenID Connect Core §3.1.2.5, RFC 9207)."""
    deps, browser = request.app[DEPS], _browser(request)
    form = parse_form(request.rel_url.raw_query_string.encode())
    state, login = form.get("state", ""), deps.config.login
    found = await in_thread(lambda: _taken(deps, state, "upstream", browser))
    if found is None or login is None:
        return refusal_page(request, "authorize.stale", status=400)
    asked = AuthorizationRequest.from_json(found.body["request"])
    provider = upstream.Provider.from_json(found.body["provider"])
    if form.get("iss", provider.issuer) != provider.issuer:
        return refusal_page(request, "authorize.stale", status=400)
    if "code" not in form:
        return _redirect(asked.back.location(deps.config.base, error="access_denied"))
    try:
        worker = await upstream.ask_who(
            provider,
            login,
            code=form["code"],
            verifier=found.body["verifier"],
            redirect_uri=f"{deps.config.base}{CALLBACK}",
            nonce=found.body["nonce"],
            now=deps.seconds,
        )
    except VcError:  # what was wrong is between us and the provider: it could hold a part of a token
        return refusal_page(request, "authorize.unavailable", status=502, back=asked.back, error="server_error")
    more = {"worker": worker}
    text = await in_thread(lambda: _hand_out(deps, "consent", asked, browser or "", more))
    return await _go_on(request, text)


async def get_consent(request: web.Request) -> web.Response:
    """What is about to be handed over, to whom: yes or no."""
    deps = request.app[DEPS]
    text, found = await _looked(request, "consent")
    if found is None:
        return refusal_page(request, "authorize.stale", status=400)
    asked, worker = AuthorizationRequest.from_json(found.body["request"]), found.body["worker"]
    handed = await in_thread(lambda: _read_handed(deps, asked, worker))
    if handed.elsewhere or not handed.configurations:
        key = "authorize.elsewhere" if handed.elsewhere else "authorize.nothing"
        return refusal_page(request, key, status=403, back=asked.back, error="access_denied")
    lang = pages.language(request)
    kinds = dict.fromkeys(CONFIGURATIONS[name].kind.name for name in handed.configurations)
    known = {made.kind.name: made.kind for made in CONFIGURATIONS.values()}
    return _form_page(
        request,
        "consent",
        text,
        source=asked.back.source,
        platform=deps.keyring().signing(deps.now()).name,
        kinds=[(known[name].labels[lang], known[name].explain[lang]) for name in kinds],
        wallet=asked.back.host,
        client=asked.back.client,
        app=asked.back.scheme not in ("https", "http"),
        attested=asked.attested,
    )


async def post_consent(request: web.Request) -> web.Response:
    """The answer: back to the wallet, with a code or without."""
    deps, form = request.app[DEPS], await read_form(request)
    text, browser, answer = form.get(_TICKET, ""), _browser(request), form.get("answer")
    if answer not in ("yes", "no"):
        return refusal_page(request, "authorize.stale", status=400)
    location = await in_thread(lambda: _decided(deps, text, browser, yes=answer == "yes"))
    return refusal_page(request, "authorize.stale", status=400) if location is None else _redirect(location)


def _decided(deps: Deps, text: str, browser: str | None, *, yes: bool) -> str | None:
    """Where the browser goes after an answer; None where this question was answered before, or never asked here."""
    found = _taken(deps, text, "consent", browser)
    if found is None:
        return None
    asked, base = AuthorizationRequest.from_json(found.body["request"]), deps.config.base
    if not yes:
        return asked.back.location(base, error="access_denied")
    with deps.database.write() as connection:
        code = _code(connection, deps, asked, found.body["worker"])
    return asked.back.location(base, **({"code": code} if code else {"error": "access_denied"}))


def _code(connection: sa.Connection, deps: Deps, asked: AuthorizationRequest, worker: str) -> str | None:
    handed = _handed(connection, deps, asked, worker)
    if handed.elsewhere or not handed.configurations:
        return None
    if asked.offer is not None and offers.claim_offer(connection, asked.offer, now=deps.seconds) is None:
        return None
    session = open_session(
        connection,
        deps,
        worker,
        Asked(handed.configurations, asked.asked.detailed),
        offer=asked.offer,
        client=asked.back.client,
        jkt=asked.jkt,
        state=Session.AUTHORIZED,
        lifetime=deps.config.code_lifetime,
    )
    body = {
        "client": asked.back.client,
        "redirect_uri": asked.back.redirect_uri,
        "challenge": asked.challenge,
        "jkt": asked.jkt,
        "attested": asked.attested,
    }
    expires = deps.seconds + deps.config.code_lifetime
    return tickets.hand_out(
        connection, Kind.CODE, deps.rand(tickets.LENGTH), expires=expires, session=session.id, body=body
    )


def _read_handed(deps: Deps, asked: AuthorizationRequest, worker: str) -> Handed:
    with deps.database.read() as connection:
        return _handed(connection, deps, asked, worker)


def _handed(connection: sa.Connection, deps: Deps, asked: AuthorizationRequest, worker: str) -> Handed:
    """What there is of what was asked for. What nobody may have before it was looked at waits at the credential
    endpoint (issuer.hold)."""
    if asked.offer is not None:
        row = offers.open_offer(connection, asked.offer, now=deps.seconds)
        if row is None or row.worker != worker:
            return Handed((), elsewhere=True)
    here = offers.types_of(connection, worker)
    return Handed(
        tuple(name for name in asked.asked.configurations if CONFIGURATIONS[name].kind.name in here), elsewhere=False
    )


async def _upstream_location(deps: Deps, login: Any, asked: AuthorizationRequest, browser: str) -> str:
    provider = await upstream.discover(login)
    verifier, nonce = encode_base64url(deps.rand(32)), encode_base64url(deps.rand(32))
    more = {"verifier": verifier, "nonce": nonce, "provider": provider.to_json()}
    state = await in_thread(lambda: _hand_out(deps, "upstream", asked, browser, more))
    return upstream.login_url(
        provider,
        login,
        redirect_uri=f"{deps.config.base}{CALLBACK}",
        state=state,
        nonce=nonce,
        challenge=pkce_challenge(verifier),
    )


def _hand_out(deps: Deps, stage: str, asked: AuthorizationRequest, browser: str, more: Mapping[str, Any]) -> str:
    body = {"stage": stage, "request": asked.to_json(), "browser": tickets.hashed(browser), **more}
    with deps.database.write() as connection:
        return tickets.hand_out(
            connection, Kind.LOGIN, deps.rand(tickets.LENGTH), expires=deps.seconds + LIFETIME, body=body
        )


def _logged_in(deps: Deps, text: str, stage: str, browser: str | None, worker: str) -> str | None:
    """The ticket of the next step, for the one of this."""
    found = _taken(deps, text, stage, browser)
    if found is None:
        return None
    asked = AuthorizationRequest.from_json(found.body["request"])
    return _hand_out(deps, "consent", asked, browser or "", {"worker": worker})


def _taken(deps: Deps, text: str, stage: str, browser: str | None) -> Ticket | None:
    """The ticket of a step, taken; left where it is for another browser."""
    with deps.database.write() as connection:
        found = tickets.look(connection, Kind.LOGIN, text, now=deps.seconds)
        if not _is_here(found, stage, browser):
            return None
        return tickets.take(connection, Kind.LOGIN, text, now=deps.seconds)


async def _looked(request: web.Request, stage: str) -> tuple[str, Ticket | None]:
    deps, browser = request.app[DEPS], _browser(request)
    text = request.query.get(_TICKET, "")

    def look() -> Ticket | None:
        with deps.database.read() as connection:
            return tickets.look(connection, Kind.LOGIN, text, now=deps.seconds)

    found = await in_thread(look)
    return text, found if _is_here(found, stage, browser) else None


def _is_here(found: Ticket | None, stage: str, browser: str | None) -> bool:
    if found is None or browser is None or found.body["stage"] != stage:
        return False
    return hmac.compare_digest(found.body["browser"], tickets.hashed(browser))


async def _go_on(request: web.Request, text: str | None) -> web.Response:
    if text is None:
        return refusal_page(request, "authorize.stale", status=400)
    return _redirect(pages.below(request, f"{CONSENT}?{_TICKET}={text}"))


def _form_page(
    request: web.Request, template: str, text: str, *, source: str = "", status: int = 200, **fields: Any
) -> web.Response:
    """A page with a form; ``source`` is where its answer leads to: browsers ask the policy about that, too."""
    lang = [(code, name, f"?{_TICKET}={text}&lang={code}") for code, name in words.NAMES.items()]
    response = pages.page(request, template, status=status, ticket=text, languages=lang, **fields)
    policy = pages.POLICY.replace("form-action 'self'", f"form-action 'self' {source}".rstrip())
    response.headers["Content-Security-Policy"] = policy
    return response


def _redirect(location: str) -> web.Response:
    # 303: what the browser goes on with is a GET, whatever came before (RFC 9700 §4.12).
    return web.Response(status=303, headers={**pages.HEADERS, "Location": location})


def _cookie_name(request: web.Request) -> str:
    return "__Host-ouvrage-login" if pages.is_https(request) else "ouvrage-login"


def _browser(request: web.Request) -> str | None:
    value = request.cookies.get(_cookie_name(request), "")
    return value if _BROWSER.match(value) else None


def _set_browser(request: web.Request, response: web.Response, browser: str) -> None:
    response.set_cookie(
        _cookie_name(request),
        browser,
        max_age=LIFETIME,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=pages.is_https(request),
    )


def _is_test(config: Config) -> bool:
    return config.development and config.test_login and config.login is None


def _require_test(request: web.Request) -> None:
    if not _is_test(request.app[DEPS].config):
        raise web.HTTPNotFound(text="there is no such page")


_PAGE: Final = {200: Answer("The page"), 303: Answer("On"), 400: Answer("Begin again"), 404: Answer("No such page")}

ROUTES: Final = (
    Route("GET", TEST, get_test, "The test login", _PAGE, "pages", public=False),
    Route("POST", TEST, post_test, "The test login", _PAGE, "pages", body={FORM: {"type": "object"}}, public=False),
    Route("GET", CALLBACK, get_callback, "Back from the platform's login", _PAGE, "pages", public=False),
    Route("GET", CONSENT, get_consent, "What is handed over", _PAGE, "pages", public=False),
    Route("POST", CONSENT, post_consent, "Yes or no", _PAGE, "pages", body={FORM: {"type": "object"}}, public=False),
)
