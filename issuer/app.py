"""The issuer over HTTP: VC-API's issue route (VCALM #issue-credential), one URL for each instance."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from issuer.keys import IssuerKeys
from vc.canon import Json
from vc.contexts import EXAMPLES
from vc.io.web import Refused, json_response, new_web_app, run_step
from vc.jsonld import Contexts
from vc.status import StatusEntry
from vc.vcapi import Issuer, issue
from work import CONTEXTS

ISSUERS: Final = "/issuers"
ISSUE: Final = f"{ISSUERS}/{{instance}}/credentials/issue"


@dataclass(frozen=True, slots=True)
class Deps:
    """What the issuer's routes need of the world; ``statuses`` are what gives places in the lists of instances."""

    instances: Mapping[str, Issuer]
    contexts: Contexts
    now: Callable[[], datetime]
    rand: Callable[[int], bytes]
    statuses: Mapping[str, Callable[[], StatusEntry]]


REFUSED: Final = Refused(400, {})
DEPS: Final = web.AppKey("issuer", Deps)


async def issue_credential(request: web.Request) -> web.Response:
    """VCALM #issue-credential: 201 with the signed credential, 400 for what is not signed."""
    deps, name = request.app[DEPS], request.match_info["instance"]
    instance, status = deps.instances.get(name), deps.statuses.get(name)
    if instance is None:
        raise web.HTTPNotFound(text="no such issuer instance")

    def step(body: Json) -> Mapping[str, Json]:
        return issue(body, issuer=instance, contexts=deps.contexts, at=deps.now(), rand=deps.rand, status=status)

    return await run_step(request, step, status=201, refused=REFUSED)


async def get_issuers(request: web.Request) -> web.Response:
    """Who issues here, and where."""
    return json_response(directory(request.app[DEPS].instances))


def directory(instances: Mapping[str, Issuer]) -> dict[str, Json]:
    """The DID and the path of each instance."""
    return {name: {"did": instance.did, "issue": ISSUE.format(instance=name)} for name, instance in instances.items()}


def own_instances(keys: IssuerKeys) -> dict[str, Issuer]:
    """The instances of a platform: what it says about workers, and what it says in public."""
    return {
        "bbs-2023": Issuer("bbs-2023", keys.credentials),
        "eddsa-rdfc-2022": Issuer("eddsa-rdfc-2022", keys.public),
        "eddsa-jcs-2022": Issuer("eddsa-jcs-2022", keys.public),
    }


def make(_base: str, instances: Mapping[str, Issuer]) -> web.Application:
    """The application of ``ouvrage issuer serve``."""
    app = new_web_app()
    add_routes(app, Deps(instances, CONTEXTS.with_(EXAMPLES.raw), lambda: datetime.now(UTC), os.urandom, {}))
    return app


def add_routes(app: web.Application, deps: Deps) -> None:
    """Add the issuer's routes to an application."""
    app[DEPS] = deps
    app.router.add_get(ISSUERS, get_issuers)
    app.router.add_post(ISSUE, issue_credential)
