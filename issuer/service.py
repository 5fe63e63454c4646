"""The issuer's service: every route, below the base's path and at the host's root, and what runs beside them."""

from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from issuer import (
    admin,
    authorization,
    credential,
    dids,
    metadata,
    metrics,
    notification,
    offers,
    pages,
    retention,
    status_routes,
    statuslists,
    tokens,
    webhook,
    worker_page,
)
from issuer.cors import opener, preflight
from issuer.credential import CROWDS
from issuer.database import insert_new
from issuer.deps import DEPS, Deps
from issuer.hold import Crowds
from issuer.metadata import cached
from issuer.metrics import HEALTH, METRICS, OPERATIONS, Health, count_requests, new_metrics
from issuer.tables import SETTING
from issuer.tasks import Task, every, running
from vc.canon import Json, to_json
from vc.io.logs import log_requests
from vc.io.openapi import describe
from vc.io.route import Answer, Route
from vc.io.web import new_web_app

BASE: Final = "base"  # the setting by which commands know where the service is
OPENAPI: Final = "/openapi.json"

# Whoever has routes, in the order of the description.
ROUTES: Final[tuple[Route, ...]] = (
    *metadata.ROUTES,
    *credential.ROUTES,
    *notification.ROUTES,
    *offers.ROUTES,
    *authorization.ROUTES,
    *tokens.ROUTES,
    *status_routes.ROUTES,
    *dids.ROUTES,
    *admin.ROUTES,
    *worker_page.ROUTES,
    *pages.ROUTES,
    *metrics.ROUTES,
)
# What runs beside them, in every replica.
TASKS: Final = (
    every(statuslists.TICK, "status lists", statuslists.republish),
    every(600, "retention", retention.sweep_all),
    Task("webhook", webhook.deliver),
)


def mounted(base: str, routes: Sequence[Route]) -> Iterator[tuple[str, Route]]:
    """Each route with its path from the host's root. A well-known one stands before the base's path (RFC 8615,
    OpenID4VCI §12.2.2), and where the base has a path, below it as well, for wallets that append."""
    prefix = urlsplit(base).path
    for route in routes:
        if route.at_root:
            yield route.path, route
            continue
        if route.well_known:
            yield f"{route.path}{prefix}", route
        if prefix or not route.well_known:
            yield f"{prefix}{route.path}", route


def make(deps: Deps, *, tasks: Sequence[Task] = TASKS) -> web.Application:
    """The application for ``deps.config.base``."""
    base = deps.config.base
    app = new_web_app(log_requests, count_requests, secure=base.startswith("https:"))
    app[DEPS], app[METRICS], app[CROWDS], app[HEALTH] = deps, new_metrics(), Crowds(), Health()
    paths = list(mounted(base, [*ROUTES, OPENAPI_ROUTE]))
    app[DESCRIPTION] = to_json(describe(paths, title="Ouvrage issuer", base=base, version=_version()))
    mounted_at = [(_mount(app, path, route), route) for path, route in paths]
    opened = {template for template, route in mounted_at if _is_open(route)}
    for path in sorted({path for path, route in paths if _is_open(route)}):
        methods = {route.method for at, route in paths if at == path}
        app.router.add_route("OPTIONS", path, preflight({*methods, "HEAD"} if "GET" in methods else methods))
    app.on_response_prepare.append(opener(opened))
    app.cleanup_ctx.append(running(tasks))
    return app


def _is_open(route: Route) -> bool:
    """Whether wallets use it, those in browsers among them."""
    return route.public and route.tag != OPERATIONS


def _mount(app: web.Application, path: str, route: Route) -> str:
    """Add a route; the template by which a request tells that it took it."""
    added = app.router.add_route(route.method, path, route.handler)
    if route.method == "GET":
        app.router.add_route("HEAD", path, route.handler)
    assert added.resource is not None
    return added.resource.canonical


def remember_base(deps: Deps) -> None:
    """Keep the base where commands look for it; two replicas have the same."""
    with deps.database.write() as connection:
        here = SETTING.update().where(SETTING.c.name == BASE).values(value=deps.config.base)
        if connection.execute(here).rowcount == 0:
            connection.execute(insert_new(connection, SETTING), {"name": BASE, "value": deps.config.base})


def directory(deps: Deps) -> dict[str, Json]:
    """What is served where, in the line that says that it is (``--json``)."""
    base, keys = deps.config.base, deps.keyring().signing(deps.now())
    ((path, _), *_) = mounted(base, [route for route in metadata.ROUTES if route.well_known])
    scheme, _, rest = base.partition("://")
    return {
        "base": base,
        "metadata": f"{scheme}://{rest.partition('/')[0]}{path}",
        "issuer": keys.credentials.did,
    }


async def get_openapi(request: web.Request) -> web.Response:
    """This service's description."""
    return cached(request, request.app[DESCRIPTION], "application/json", vary="Accept-Encoding")


DESCRIPTION: Final = web.AppKey("description", bytes)
OPENAPI_ROUTE: Final = Route(
    "GET",
    OPENAPI,
    get_openapi,
    "OpenAPI 3.1 description",
    {200: Answer("This description.", {"application/json": {"type": "object"}}), 304: Answer("As it was.")},
    OPERATIONS,
)


def _version() -> str:
    try:
        return version("ouvrage")
    except PackageNotFoundError:  # run from its folder
        return "0"
