"""A route of the service with what its OpenAPI description says of it: one table for both, so that both are true."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from aiohttp import web

from vc.canon import Json

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Schema = Mapping[str, Json]  # JSON Schema 2020-12


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a route: what it means, and the schema of its body by media type."""

    description: str
    content: Mapping[str, Schema] = field(default_factory=lambda: MappingProxyType({}))
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """``path`` is below the service's base, or with ``well_known``, below the host's root with the base's path behind
    it (RFC 8615), or with ``at_root``, below the host's root as it stands."""

    method: str
    path: str  # in aiohttp's form: /offers/{id}
    handler: Handler
    summary: str  # with the section of the specification
    answers: Mapping[int, Answer]
    tag: str
    body: Mapping[str, Schema] = field(default_factory=lambda: MappingProxyType({}))  # by media type
    query: Mapping[str, Schema] = field(default_factory=lambda: MappingProxyType({}))
    headers: Mapping[str, Schema] = field(default_factory=lambda: MappingProxyType({}))
    well_known: bool = False
    at_root: bool = False
    public: bool = True  # described in /openapi.json; pages for people are not
