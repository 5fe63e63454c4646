"""The verifier's service: OpenID4VP 1.0 for wallets, a JSON API for systems, and what runs beside them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from vc.canon import Json, to_json
from vc.errors import VcError
from vc.io.logs import log_requests, say
from vc.io.openapi import describe
from vc.io.route import Answer, Route
from vc.io.web import new_web_app
from verifier import system_routes, wallet_routes
from verifier.access import Rates
from verifier.deps import DEPS, Deps, in_thread
from verifier.hooks import deliver
from verifier.retention import purge
from verifier.sessions import settle_left
from verifier.system_routes import CHECK, OPERATIONS, RATES, REQUESTS
from verifier.web.app import add_pages
from verifier.web.desk import Desk

OPENAPI: Final = "/openapi.json"
AFTER_FAULT: Final = 30.0  # seconds
_DESCRIPTION: Final = web.AppKey("description", bytes)


@dataclass(frozen=True, slots=True)
class Task:
    """Work without an end."""

    name: str
    run: Callable[[Deps], Awaitable[object]]


async def _purge(deps: Deps) -> None:
    while True:
        await in_thread(lambda: purge(deps.database, now=deps.seconds))
        await asyncio.sleep(60)


async def _settle(deps: Deps) -> None:
    while True:
        for name in await in_thread(lambda: settle_left(deps)):
            deps.arrivals.tell(name)
        await asyncio.sleep(30)


TASKS: Final = (Task("purge", _purge), Task("answers left", _settle), Task("webhook", deliver))


async def get_openapi(request: web.Request) -> web.StreamResponse:
    """The description of this service."""
    return web.Response(body=request.app[_DESCRIPTION], content_type="application/json")


OPENAPI_ROUTE: Final = Route(
    "GET", OPENAPI, get_openapi, "This description",
    {200: Answer("OpenAPI 3.1.", {"application/json": {"type": "object"}})}, OPERATIONS,
)  # fmt: skip
ROUTES: Final = (*wallet_routes.ROUTES, *system_routes.ROUTES, OPENAPI_ROUTE)


def make(deps: Deps, *, tasks: Sequence[Task] = TASKS, desk: Desk | None = None) -> web.Application:
    """The application for ``deps.base``; with the pages for people where there is a ``desk``."""
    app = new_web_app(log_requests, secure=deps.base.startswith("https:"))
    app[DEPS], app[RATES] = deps, Rates()
    prefix = urlsplit(deps.base).path
    mounted = [(prefix + route.path, route) for route in ROUTES]
    app[_DESCRIPTION] = to_json(describe(mounted, title="Ouvrage verifier", base=deps.base, version=_version()))
    for path, route in mounted:
        app.router.add_route(route.method, path, route.handler)
    if desk is not None:
        add_pages(app, desk)
    app.cleanup_ctx.append(_running(tasks))
    return app


def directory(deps: Deps) -> dict[str, Json]:
    """What is served where, in the line that says that it is (``--json``)."""
    prefix = urlsplit(deps.base).path
    return {
        "base": deps.base,
        "clientId": deps.identity.client_id or deps.identity.prefix,
        "requests": prefix + REQUESTS,
        "check": prefix + CHECK,
        "openapi": prefix + OPENAPI,
    }


def _version() -> str:
    try:
        return version("ouvrage")
    except PackageNotFoundError:  # run from a folder
        return "0"


def _running(tasks: Sequence[Task]) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(app: web.Application) -> AsyncIterator[None]:
        under_way = [asyncio.create_task(_always(app[DEPS], task)) for task in tasks]
        yield
        for one in under_way:
            one.cancel()
        for one in under_way:
            with suppress(asyncio.CancelledError):
                await one

    return context


async def _always(deps: Deps, task: Task) -> None:
    while True:
        try:
            await task.run(deps)
        except Exception as error:  # noqa: BLE001  (the next round may go well, and nobody else would hear of it)
            code = error.code if isinstance(error, VcError) else ""
            say("task failed", {"task": task.name, "error": type(error).__name__, "code": code}, level=logging.WARNING)
        await asyncio.sleep(AFTER_FAULT)
