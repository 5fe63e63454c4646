"""The verifier over HTTP: VC-API's verify routes (VCALM #verify-credential, #verify-presentation), and did:key."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from aiohttp import web

from vc.contexts import EXAMPLES
from vc.did_resolution import resolve_did_key
from vc.io.web import Refused, json_response, new_web_app, run_step
from vc.vcapi import World, verify_credential, verify_presentation
from work import CONTEXTS

VERIFY_CREDENTIAL: Final = "/verifiers/ouvrage/credentials/verify"
VERIFY_PRESENTATION: Final = "/verifiers/ouvrage/presentations/verify"
REFUSED: Final = Refused(400, MappingProxyType({"verified": False}))
RESOLVE: Final = "/1.0/identifiers/{did:.+}"


@dataclass(frozen=True, slots=True)
class Deps:
    """What the verifier's routes need of the world."""

    world: Callable[[], World]


DEPS: Final = web.AppKey("verifier", Deps)


async def post_credential(request: web.Request) -> web.Response:
    """VCALM #verify-credential: 200 where every proof holds, 400 where one does not."""
    deps = request.app[DEPS]
    return await run_step(request, lambda body: verify_credential(body, deps.world()), refused=REFUSED)


async def post_presentation(request: web.Request) -> web.Response:
    """VCALM #verify-presentation: likewise, for a presentation and what is in it."""
    deps = request.app[DEPS]
    return await run_step(request, lambda body: verify_presentation(body, deps.world()), refused=REFUSED)


async def get_identifier(request: web.Request) -> web.Response:
    """did-resolution#bindings-https: the document of a did:key, or one of its methods."""
    answer = resolve_did_key(request.match_info["did"], key_format=request.query.get("publicKeyFormat"))
    return json_response(answer.document, 200 if answer.found else 400)


def make(_base: str) -> web.Application:
    """The application of ``ouvrage verifier serve``."""
    app = new_web_app()
    contexts = CONTEXTS.with_(EXAMPLES.raw)
    add_routes(app, Deps(lambda: World(contexts, datetime.now(UTC), lambda _: None)))
    return app


def add_routes(app: web.Application, deps: Deps) -> None:
    """Add the verifier's routes to an application."""
    app[DEPS] = deps
    app.router.add_post(VERIFY_CREDENTIAL, post_credential)
    app.router.add_post(VERIFY_PRESENTATION, post_presentation)
    app.router.add_get(RESOLVE, get_identifier)
