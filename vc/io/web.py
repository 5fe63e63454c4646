"""An HTTP server as every service of ours runs it: JSON in, JSON out, problem details on errors, a graceful end.

The work behind a route is a pure step from one JSON value to another. It runs in a thread, so that a proof that takes
a while holds up nobody else.
"""

import asyncio
import json
import logging
import signal
import socket
import ssl
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from vc.canon import Json, Limits, parse_json, to_json
from vc.errors import Malformed, Undetermined, VcError
from vc.io.command import problem
from vc.io.tls import self_signed
from vc.oauth import OAuthRefusal

MAX_BODY: Final = 1 << 20  # bytes, as of every other JSON text that is read whole
LIMITS: Final = Limits(size=MAX_BODY)
SHUTDOWN_TIMEOUT: Final = 10.0  # seconds that requests under way get to finish
BODY_TIMEOUT: Final = 20.0  # seconds in which a request has to be here whole: a slow sender must not hold us up
BACKLOG: Final = 128  # connections that wait to be taken
IDLE_TIMEOUT: Final = 75.0  # seconds that a connection may say nothing, or too little for a request

NO_STORE: Final = "no-store"  # what carries a credential, a token or an error about one is kept by nobody in between
STOPPING: Final = web.AppKey("stopping", asyncio.Event)  # set when the service was told to end

_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": NO_STORE}
)
_LOCAL: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_SERVER: Final = "ouvrage"  # which versions of what it is made of is nobody's business
_HSTS: Final = "max-age=31536000"

_READS_ITSELF: Final = "ouvrage_reads_itself"

_TITLES: Final[Mapping[int, str]] = {413: "Too Large"}  # what Python calls it has changed

_LOG: Final = logging.getLogger("ouvrage.web")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Step = Callable[[Json], Mapping[str, Json]]


def new_web_app(*outer: Middleware, secure: bool = False) -> web.Application:
    """An application whose every answer is JSON, errors too. ``outer`` middlewares see every answer, errors too;
    ``secure`` says that it is reached by https only."""
    app = web.Application(middlewares=[*outer, problems, read_whole], client_max_size=MAX_BODY)
    app[STOPPING] = asyncio.Event()

    async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["Server"] = _SERVER
        if secure:
            response.headers.setdefault("Strict-Transport-Security", _HSTS)

    app.on_response_prepare.append(add_headers)
    return app


@dataclass(frozen=True, slots=True)
class Refused:
    """How a protocol says no: with one status for all errors, and with members of its own beside problem details."""

    status: int
    members: Mapping[str, Json]


async def run_step(
    request: web.Request, step: Step, *, status: int = 200, refused: Refused | None = None
) -> web.Response:
    """The answer of a step to the JSON of a request; an error answers as ``refused`` says, or as its class does."""
    # Asking for JSON also keeps the pages of other sites from posting here: browsers let them post forms and text only.
    if request.body_exists and not _is_json(request.content_type):
        raise web.HTTPUnsupportedMediaType(text="send application/json")
    raw = await request.read()
    try:
        answer = await asyncio.to_thread(lambda: step(parse_json(raw, where="body", limits=LIMITS)))
    except VcError as error:
        if refused is None:
            raise
        return problem_response({**problem(error), **refused.members}, refused.status)
    return json_response(answer, status)


def checked_base(base: str, *, development: bool) -> str:
    """The address that a service is reached at (for issuers: OpenID4VCI §12.2.1), without a slash at its end.

    Raises :class:`Malformed`.
    """
    try:
        parts = urlsplit(base)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    plain = base.isascii() and base.isprintable() and not set(base) & set(' "<>\\^`{|}?#%')
    if not host or parts.scheme not in ("https", "http") or parts.username is not None or not plain:
        raise Malformed("--base", "give an address such as https://service.example.com/work", code="BAD_BASE")
    if parts.scheme == "http" and host not in _LOCAL and not development:
        raise Malformed("--base", "has to begin with https://, unless with --development", code="BAD_BASE")
    return base.rstrip("/")


def announce(served: Mapping[str, Json], *, as_json: bool, note: str = "") -> None:
    """Say on stdout what is served: for scripts one line of JSON, once and flushed; for people with a ``note``."""
    paths = (f"  {path}" for path in _paths(served))
    text = "\n".join([f"Serving at {served['base']}; Ctrl-C ends it.", *paths, *([note] if note else [])])
    sys.stdout.write((json.dumps(served) if as_json else text) + "\n")
    sys.stdout.flush()


def _paths(value: Json | Mapping[str, Json]) -> Iterator[str]:
    if isinstance(value, Mapping):
        for member in value.values():
            yield from _paths(member)
    elif isinstance(value, str) and value.startswith("/"):
        yield value


def json_response(document: Mapping[str, Json], status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(body=to_json(dict(document)), status=status, content_type="application/json")


def problem_response(details: Mapping[str, Json], status: int) -> web.Response:
    """Problem details (RFC 9457) whose status is the one that is sent."""
    body = to_json({**details, "status": status})
    return web.Response(body=body, status=status, content_type="application/problem+json")


def oauth_response(refusal: OAuthRefusal) -> web.Response:
    """An OAuth error response (RFC 6749 §5.2): JSON that nobody keeps."""
    headers = {**refusal.headers, "Cache-Control": NO_STORE}
    body = to_json(refusal.to_json())
    return web.Response(body=body, status=refusal.status, content_type="application/json", headers=headers)


def reads_itself(handler: Handler) -> Handler:
    """Mark a handler that bounds the body by itself."""
    setattr(handler, _READS_ITSELF, True)
    return handler


def _reads_itself(request: web.Request) -> bool:
    return getattr(request.match_info.handler, _READS_ITSELF, False) is True


@web.middleware
async def read_whole(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Go on only when the body is here, within its bounds of size and time; handlers read it again from memory.

    A handler that is marked with :func:`reads_itself` sees to both by itself: a form with photos in it.
    """
    if request.can_read_body and request.match_info.http_exception is None and not _reads_itself(request):
        try:
            async with asyncio.timeout(BODY_TIMEOUT):
                await request.read()
        except TimeoutError:
            request.protocol.close()  # once the answer is sent
            raise web.HTTPRequestTimeout(text="the request did not arrive in time") from None
        except (web.RequestPayloadError, ValueError):
            raise web.HTTPBadRequest(text="the body cannot be read as its headers say") from None
    return await handler(request)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong becomes problem details, or an OAuth error. What is our own fault tells nothing but that
    it is."""
    try:
        return await handler(request)
    except OAuthRefusal as refusal:
        return oauth_response(refusal)
    except VcError as error:
        return problem_response(problem(error), error.http_status)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        response = problem_response(_plain_problem(error.status, error.text or error.reason), error.status)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except Exception as error:  # noqa: BLE001  (the last line of defence: no traceback reaches a client)
        # Where it happened, never the message: that could hold a part of somebody's credential.
        _LOG.error("%s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
        return problem_response(_plain_problem(500, "a fault of the program, not of the request"), 500)


def _plain_problem(status: int, detail: str) -> dict[str, Json]:
    title = _TITLES.get(status) or HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "code": title.upper().replace(" ", "_"), "detail": detail}


def _is_json(content_type: str) -> bool:
    return content_type == "application/json" or content_type.endswith("+json")


def run_service(
    make: Callable[[str], web.Application],
    *,
    host: str,
    port: int,
    tls: bool | ssl.SSLContext,
    ready: Callable[[str], None],
    drain: float = 0,
) -> None:
    """:func:`serve`, as the whole life of a command; with ``tls``, by a certificate that is given, or one made on the
    spot."""
    made = self_signed(host, at=datetime.now(UTC)) if tls is True else tls or None
    asyncio.run(serve(make, host=host, port=port, tls=made, ready=ready, drain=drain))


async def serve(
    make: Callable[[str], web.Application],
    *,
    host: str,
    port: int,
    tls: ssl.SSLContext | None,
    ready: Callable[[str], None],
    drain: float = 0,
) -> None:
    """Serve what ``make`` makes for a base URL, until SIGINT or SIGTERM; requests under way are finished.

    Port 0 picks a free one. ``ready`` is told the base URL once requests are answered. Told to end, it sets
    ``STOPPING`` and goes on answering for ``drain`` seconds, so that who sends requests here sees it and stops.
    Raises :class:`Undetermined` where the address is not to be had.
    """
    listening = _listen(host, port)
    base = _base(host, listening, tls)
    app = make(base)
    runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_TIMEOUT)
    await runner.setup()
    try:
        async with _accepting(runner, listening, tls):
            ended = _end_of_service()
            ready(base)
            await ended.wait()
            app[STOPPING].set()
            await asyncio.sleep(drain)
    finally:
        await runner.cleanup()
        listening.close()


class _Connection(web.RequestHandler):
    """A connection on which what is no HTTP is refused as everything else is. That is the sender's fault: nothing is
    logged, and nothing of it is sent back."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what no handler was asked for."""
        if status != HTTPStatus.BAD_REQUEST:
            return super().handle_error(request, status, exc, message)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was begun")
        response = problem_response(_plain_problem(status, "not a request that HTTP/1.1 allows here"), status)
        response.headers.update({**_HEADERS, "Server": _SERVER})
        response.force_close()
        return response

    def log_exception(self, *args: Any, **more: Any) -> None:
        """What goes wrong outside of handlers; what was wrong with a body, they have been told."""
        if not isinstance(more.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **more)


@asynccontextmanager
async def _accepting(
    runner: web.AppRunner, listening: socket.socket, tls: ssl.SSLContext | None
) -> AsyncIterator[None]:
    """Connections are taken until the block ends; those that are open then are for the runner to close."""
    loop, server = asyncio.get_running_loop(), runner.server
    assert server is not None, "it was set up"

    def connection() -> _Connection:
        return _Connection(server, loop=loop, access_log=None, keepalive_timeout=IDLE_TIMEOUT)  # type: ignore[arg-type]

    accepted = await loop.create_server(connection, sock=listening, ssl=tls, backlog=BACKLOG)
    try:
        yield
    finally:
        accepted.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "no such port"
        raise Undetermined(
            f"cannot listen on {host} port {port}: {reason}", "choose another --port", code="CANNOT_LISTEN"
        ) from None


def _base(host: str, listening: socket.socket, tls: ssl.SSLContext | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{name}:{listening.getsockname()[1]}"


def _end_of_service() -> asyncio.Event:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    return ended
