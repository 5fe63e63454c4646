"""The holder over HTTP: VC-API's derive route (VCALM #derive-credential)."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from vc.contexts import EXAMPLES
from vc.io.web import Refused, new_web_app, run_step
from vc.jsonld import Contexts
from vc.vcapi import derive
from work import CONTEXTS

DERIVE: Final = "/holders/ouvrage/credentials/derive"


@dataclass(frozen=True, slots=True)
class Deps:
    """What the holder's routes need of the world: nothing of a vault, for the credential is in the request."""

    contexts: Contexts
    rand: Callable[[int], bytes]


REFUSED: Final = Refused(400, {})
DEPS: Final = web.AppKey("wallet", Deps)


async def derive_credential(request: web.Request) -> web.Response:
    """VCALM #derive-credential: 201 with what was chosen to be shown."""
    deps = request.app[DEPS]
    return await run_step(
        request, lambda body: derive(body, contexts=deps.contexts, rand=deps.rand), status=201, refused=REFUSED
    )


def make(_base: str) -> web.Application:
    """The application of ``ouvrage wallet serve --vc-api``."""
    app = new_web_app()
    add_routes(app, Deps(CONTEXTS.with_(EXAMPLES.raw), os.urandom))
    return app


def add_routes(app: web.Application, deps: Deps) -> None:
    """Add the holder's routes to an application."""
    app[DEPS] = deps
    app.router.add_post(DERIVE, derive_credential)
