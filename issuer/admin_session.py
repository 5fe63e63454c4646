"""Who may see the admin page: one password, sessions that every replica knows, and a token in every form."""

import hmac
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Final

import sqlalchemy as sa
from aiohttp import web
from nacl import exceptions, pwhash

from issuer.deps import DEPS, Deps, in_thread
from issuer.pages import below, is_https, language, page, see_other
from issuer.tables import SETTING, TICKET
from issuer.tickets import LENGTH, Kind, hand_out, look, spend, take
from issuer.words import refusal
from vc.errors import Malformed, VcError
from vc.multibase import encode_base64url

COOKIE: Final = "ouvrage_admin"
FORM_COOKIE: Final = "ouvrage_admin_form"  # of the login form, before there is a session
LIFETIME: Final = 8 * 3600  # a working day; then the password is asked for again
PASSWORD: Final = "admin_password"  # the setting  # noqa: S105
MIN_PASSWORD: Final = 12
MAX_PASSWORD: Final = 1024
MAX_FORM: Final = 1 << 16
WINDOW: Final = 60  # seconds in which so many passwords may be tried
TRIES_HERE: Final = 5  # from one address: nobody locks out somebody elsewhere
TRIES_ALL: Final = 60  # from everywhere: each costs 64 MiB and some time

Form = dict[str, str]


@dataclass(frozen=True, slots=True)
class Admin:
    """Somebody who has logged in. ``csrf`` is in every form that this session is given."""

    csrf: str


AdminHandler = Callable[[web.Request, Admin], Awaitable[web.StreamResponse]]


def set_password(connection: sa.Connection, password: str) -> None:
    """Keep the hash of a new password, and end every session. Raises :class:`Malformed` for a short one."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise Malformed("password", f"takes {MIN_PASSWORD} characters or more: several words are easy to remember")
    connection.execute(SETTING.delete().where(SETTING.c.name == PASSWORD))
    connection.execute(SETTING.insert().values(name=PASSWORD, value=hash_password(password)))
    connection.execute(TICKET.delete().where(TICKET.c.kind == Kind.ADMIN))


def hash_password(password: str) -> str:
    """What is kept of a password: Argon2id with 64 MiB."""
    cost = {"opslimit": pwhash.argon2id.OPSLIMIT_INTERACTIVE, "memlimit": pwhash.argon2id.MEMLIMIT_INTERACTIVE}
    return pwhash.argon2id.str(_bytes(password), **cost).decode()


def has_password(connection: sa.Connection) -> bool:
    """Whether somebody has set a password: without one, nobody gets in."""
    return _hash(connection) is not None


def log_in(deps: Deps, password: str, address: str) -> str | None:
    """The cookie of a new session, or None for a wrong password. Raises HTTP 429 after too many tries."""
    with deps.database.write() as connection:
        kept = _hash(connection)
        if not _may_try(connection, address, deps.seconds):
            raise web.HTTPTooManyRequests(headers={"Retry-After": str(WINDOW)})
    if kept is None or not _is(kept, password):
        return None
    with deps.database.write() as connection:
        if _hash(connection) != kept:  # changed in the meantime
            return None
        body = {"csrf": encode_base64url(deps.rand(LENGTH))}
        return hand_out(connection, Kind.ADMIN, deps.rand(LENGTH), expires=deps.seconds + LIFETIME, body=body)


def admin_only(handler: AdminHandler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A handler that only those reach who have logged in; others are shown the way to do so.

    What it refuses is said on a page.
    """

    @wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        admin = await current(request)
        if admin is None:
            return see_other(request, "/admin/login")
        try:
            return await handler(request, admin)
        except VcError as error:
            return _refused(request, error.http_status, error.code, str(error))
        except web.HTTPClientError as error:
            return _refused(request, error.status, str(error.status), error.text or error.reason)

    return guarded


def _refused(request: web.Request, status: int, code: str, detail: str) -> web.Response:
    """A page with what is wrong: in words of its own, or else in those of the commands, which are English."""
    told = refusal(code, language(request))
    return page(request, "problem", status=status, told=told, detail=detail)


async def current(request: web.Request) -> Admin | None:
    """Who is logged in, by the request's cookie."""
    deps, text = request.app[DEPS], request.cookies.get(COOKIE, "")

    def step() -> Admin | None:
        with deps.database.read() as connection:
            ticket = look(connection, Kind.ADMIN, text, now=deps.seconds)
        return Admin(str(ticket.body["csrf"])) if ticket else None

    return await in_thread(step) if text else None


async def form(request: web.Request, csrf: str) -> Form:
    """The fields of a form of ours. Raises HTTP 403 for one that another site made, 413 for one that is too long."""
    if (request.content_length or 0) > MAX_FORM:
        raise web.HTTPRequestEntityTooLarge(max_size=MAX_FORM, actual_size=request.content_length or 0)
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType(text="send a form")
    try:
        fields = await request.post()
    except (ValueError, LookupError):  # bytes that are no text, in a charset that there may not be
        raise web.HTTPBadRequest(text="not a form") from None
    if not hmac.compare_digest(str(fields.get("csrf", "")).encode(), csrf.encode()):
        raise web.HTTPForbidden(text="this form is not of this session; load the page again")
    return {name: str(value) for name, value in fields.items()}


def listed(request_form: Form, prefix: str) -> tuple[str, ...]:
    """The boxes that were ticked, of those whose names begin with ``prefix``."""
    return tuple(name.removeprefix(prefix) for name in request_form if name.startswith(prefix))


def before_login(request: web.Request) -> tuple[str, str]:
    """A login form's cookie and the token that belongs to it: another site can set neither to fit the other."""
    secret = request.app[DEPS].keyring().secret
    nonce = request.cookies.get(FORM_COOKIE) or encode_base64url(request.app[DEPS].rand(LENGTH))
    return nonce, hmac.new(secret, b"admin login form\0" + nonce[:128].encode(), "sha256").hexdigest()


def keep_cookie(request: web.Request, response: web.Response, name: str, value: str, *, lifetime: int) -> None:
    """Give the browser a cookie that no script reads and no other site sends."""
    response.set_cookie(
        name,
        value,
        max_age=lifetime,
        path=below(request, "/admin"),
        httponly=True,
        samesite="Strict",
        secure=is_https(request),
    )


def drop_cookie(request: web.Request, response: web.Response) -> None:
    """Take the session's cookie away."""
    response.del_cookie(
        COOKIE, path=below(request, "/admin"), httponly=True, samesite="Strict", secure=is_https(request)
    )


async def log_out(request: web.Request) -> None:
    """End the session of the request."""
    deps, text = request.app[DEPS], request.cookies.get(COOKIE, "")

    def step() -> None:
        with deps.database.write() as connection:
            take(connection, Kind.ADMIN, text, now=deps.seconds)

    await in_thread(step)


def _hash(connection: sa.Connection) -> str | None:
    found = connection.execute(sa.select(SETTING.c.value).where(SETTING.c.name == PASSWORD)).scalar_one_or_none()
    return None if found is None else str(found)


def _is(kept: str, password: str) -> bool:
    try:
        return bool(pwhash.verify(kept.encode(), _bytes(password[:MAX_PASSWORD])))
    except exceptions.CryptoError:  # a wrong password, or a setting that is no hash
        return False


def _bytes(password: str) -> bytes:
    """One spelling of what can be typed in several ways: an é may be one character or two."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "replace")


def _may_try(connection: sa.Connection, address: str, now: int) -> bool:
    """One more try, counted by all replicas together: each takes one of so many places of this minute."""
    minute = now // WINDOW
    return all(
        any(
            spend(connection, f"admin login\0{who}\0{minute}\0{place}", expires=now + 2 * WINDOW)
            for place in range(most)
        )
        for who, most in ((address, TRIES_HERE), ("", TRIES_ALL))
    )
