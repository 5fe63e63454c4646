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
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from aiohttp import web

from vc.canon import Json, Limits, parse_json, to_json
from vc.errors import Undetermined, VcError
from vc.io.command import problem
from vc.io.tls import self_signed

MAX_BODY: Final = 1 << 20  # bytes, as of every other JSON text that is read whole
LIMITS: Final = Limits(size=MAX_BODY)
SHUTDOWN_TIMEOUT: Final = 10.0  # seconds that requests under way get to finish

_TITLES: Final[Mapping[int, str]] = {413: "Too Large"}  # what Python calls it has changed

_LOG: Final = logging.getLogger("ouvrage.web")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Step = Callable[[Json], Mapping[str, Json]]


def new_web_app() -> web.Application:
    """An application whose every answer is JSON, errors too."""
    return web.Application(middlewares=[problems], client_max_size=MAX_BODY)


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
    if request.can_read_body and not _is_json(request.content_type):
        raise web.HTTPUnsupportedMediaType(text="send application/json")
    raw = await request.read()
    try:
        answer = await asyncio.to_thread(lambda: step(parse_json(raw, where="body", limits=LIMITS)))
    except VcError as error:
        if refused is None:
            raise
        return problem_response({**problem(error), **refused.members}, refused.status)
    return json_response(answer, status)


def announce(served: Mapping[str, Json], *, as_json: bool) -> None:
    """Say on stdout what is served: for scripts one line of JSON, once and flushed."""
    text = "\n".join([f"Serving at {served['base']}; Ctrl-C ends it.", *(f"  {path}" for path in _paths(served))])
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


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong becomes problem details. What is our own fault tells nothing but that it is."""
    try:
        return await handler(request)
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
    make: Callable[[str], web.Application], *, host: str, port: int, tls: bool, ready: Callable[[str], None]
) -> None:
    """:func:`serve`, as the whole life of a command; with ``tls``, by a certificate that is made on the spot."""
    context = self_signed(host, at=datetime.now(UTC)) if tls else None
    asyncio.run(serve(make, host=host, port=port, tls=context, ready=ready))


async def serve(
    make: Callable[[str], web.Application],
    *,
    host: str,
    port: int,
    tls: ssl.SSLContext | None,
    ready: Callable[[str], None],
) -> None:
    """Serve what ``make`` makes for a base URL, until SIGINT or SIGTERM; requests under way are finished.

    Port 0 picks a free one. ``ready`` is told the base URL once requests are answered. Raises :class:`Undetermined`
    where the address is not to be had.
    """
    listening = _listen(host, port)
    base = _base(host, listening, tls)
    runner = web.AppRunner(make(base), access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT)
    await runner.setup()
    try:
        await web.SockSite(runner, listening, ssl_context=tls).start()
        ended = _end_of_service()
        ready(base)
        await ended.wait()
    finally:
        await runner.cleanup()
        listening.close()


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
