"""What the service counts, in Prometheus' format. Labels say what kind of thing, never which worker, offer or place.

Requests and signatures are counted by each replica for itself; what stands in the database is the same at all of them.
"""

import hmac
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from issuer.deps import DEPS, Deps, in_thread
from issuer.keys import Role
from issuer.tables import CREDENTIAL, DEFERRAL, EVENT, OFFER, STATUS_LIST, STATUS_PUBLISHED
from vc.errors import Undetermined
from vc.io.logs import method_of, route_of
from vc.io.route import Answer, Route
from vc.io.web import STOPPING, Handler

OPERATIONS: Final = "operations"  # the tag of routes for those who run the service
TEXT: Final = "text/plain"
SIGNED_KEPT: Final = 10.0  # seconds for which keys that have signed are taken to sign
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which says only when the process began


@dataclass(frozen=True, slots=True)
class Metrics:
    """The counters of one replica."""

    registry: CollectorRegistry
    requests: Counter
    seconds: Histogram
    signed: Counter
    faults: Counter


METRICS: Final = web.AppKey("metrics", Metrics)


def new_metrics() -> Metrics:
    """Counters that start at nought, in a registry of their own."""
    registry = CollectorRegistry()
    return Metrics(
        registry,
        Counter("ouvrage_requests", "Requests that were answered.", ("method", "route", "status"), registry=registry),
        Histogram("ouvrage_request_seconds", "Time to the answer.", ("route",), registry=registry, buckets=BUCKETS),
        Counter("ouvrage_credentials_signed", "Copies that were signed on request.", ("format",), registry=registry),
        Counter(
            "ouvrage_task_faults", "Background tasks that failed and will be tried again.", ("task",), registry=registry
        ),
    )


@web.middleware
async def count_requests(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count a request by the template of its route and its status."""
    metrics, began, status = request.app[METRICS], time.perf_counter(), 499
    try:
        response = await handler(request)
        status = response.status
    except web.HTTPException as answer:
        status = answer.status
        raise
    else:
        return response
    finally:
        route = route_of(request)
        metrics.requests.labels(method_of(request), route, str(status)).inc()
        metrics.seconds.labels(route).observe(time.perf_counter() - began)


@dataclass(frozen=True, slots=True, eq=False)
class _Stored(Collector):
    """What the database and the keys say at this moment."""

    deps: Deps

    def collect(self) -> Iterable[Metric]:
        """Every gauge, from one read."""
        with self.deps.database.read() as connection:
            yield from _gauges(connection, self.deps.seconds)
        yield from _key_ages(self.deps)


def _gauges(connection: sa.Connection, now: int) -> Iterator[Metric]:
    def of(name: str, text: str, query: sa.Select[Any]) -> Metric:
        return _gauge(name, text, [((), connection.execute(query).scalar() or 0)])

    offers = connection.execute(sa.select(OFFER.c.state, sa.func.count()).group_by(OFFER.c.state)).all()
    yield _gauge("ouvrage_offers", "Offers by their state.", [((state,), n) for state, n in offers], "state")
    formats = connection.execute(sa.select(CREDENTIAL.c.format, sa.func.count()).group_by(CREDENTIAL.c.format)).all()
    yield _gauge("ouvrage_credentials", "Copies on record, by format.", [((form,), n) for form, n in formats], "format")
    waiting = sa.select(sa.func.count()).select_from(DEFERRAL).where(DEFERRAL.c.decision.is_(None))
    yield of("ouvrage_deferred_waiting", "Credential requests that wait for a decision.", waiting)
    outbox = sa.select(sa.func.count()).select_from(EVENT).where(EVENT.c.next_attempt.is_not(None))
    yield of("ouvrage_events_outbox", "Events that are still to be sent.", outbox)
    places = sa.select(sa.func.sum(STATUS_LIST.c.size - STATUS_LIST.c.taken)).where(STATUS_LIST.c.closed.is_(None))
    yield of("ouvrage_status_places_free", "Places left in the open status lists.", places)
    kinds = sa.select(STATUS_PUBLISHED.c.kind, sa.func.min(STATUS_PUBLISHED.c.signed_at).label("oldest"))
    oldest = connection.execute(kinds.group_by(STATUS_PUBLISHED.c.kind)).all()
    ages = [((str(row.kind),), now - int(row.oldest)) for row in oldest]
    yield _gauge("ouvrage_status_list_age_seconds", "Age of the oldest signed list, by kind.", ages, "kind")


def _key_ages(deps: Deps) -> Iterator[Metric]:
    now, ring = deps.now(), deps.keyring()
    ages = [((str(role),), max(0, int((now - ring.signer(role, now).signs_from).total_seconds()))) for role in Role]
    yield _gauge("ouvrage_key_age_seconds", "Age of the key that signs, by its role.", ages, "role")


def _gauge(name: str, text: str, values: Iterable[tuple[tuple[str, ...], int]], *labels: str) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=labels)
    for label, value in values:
        gauge.add_metric(label, value)
    return gauge


async def get_metrics(request: web.Request) -> web.Response:
    """What was counted, and what stands in the database: for who has the token, as each answer counts whole tables.

    Where a request comes from says nothing: behind a proxy on this machine, everybody comes from here.
    """
    metrics, deps = request.app[METRICS], request.app[DEPS]
    given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    token = deps.config.metrics_token
    if not deps.config.development and not (token and hmac.compare_digest(given, f"Bearer {token}".encode())):
        raise web.HTTPUnauthorized(text="send the token that the setting metrics_token has: Authorization: Bearer")

    def step() -> bytes:
        stored = CollectorRegistry()
        stored.register(_Stored(deps))
        return generate_latest(metrics.registry) + generate_latest(stored)

    return web.Response(body=await in_thread(step), content_type=TEXT, charset="utf-8")


async def get_alive(_request: web.Request) -> web.Response:
    """The process answers."""
    return web.Response(text="alive\n")


async def get_ready(request: web.Request) -> web.Response:
    """Whether requests are to be sent here: 503 where it is about to end, or has no database or no key that signs."""
    deps, stopping, health = request.app[DEPS], request.app[STOPPING], request.app[HEALTH]
    if stopping.is_set():
        raise Undetermined("the service is about to end", "ask another replica", code="STOPPING")
    await in_thread(lambda: check_ready(deps, health))
    return web.Response(text="ready\n")


@dataclass(slots=True)
class Health:
    """When the keys were last seen to sign, by the clock of this process."""

    signed: float = -math.inf


HEALTH: Final = web.AppKey("health", Health)


def check_ready(deps: Deps, health: Health) -> None:
    """Raise :class:`Undetermined` unless the database answers and the keys sign, or have signed not long ago: anybody
    may ask, and a key that is kept elsewhere costs something each time."""
    with deps.database.read() as connection:
        connection.execute(sa.text("SELECT 1"))
    now = time.monotonic()
    if now - health.signed < SIGNED_KEPT:
        return
    keys = deps.keyring().signing(deps.now())
    for key in (keys.public, keys.jwt, keys.sd):
        key.sign(b"ready")
    health.signed = now


_UP: Final = Answer("Yes.", {TEXT: {"type": "string"}})
_DOWN: Final = Answer("Not now.", {"application/problem+json": {"type": "object"}})
_WHO: Final = Answer("Send the token.", {"application/problem+json": {"type": "object"}})
ROUTES: Final = (
    Route("GET", "/metrics", get_metrics, "Metrics for Prometheus", {200: _UP, 401: _WHO, 503: _DOWN}, OPERATIONS),
    Route("GET", "/healthz", get_alive, "Whether the process lives", {200: _UP}, OPERATIONS),
    Route("GET", "/readyz", get_ready, "Whether requests are to be sent here", {200: _UP, 503: _DOWN}, OPERATIONS),
)
