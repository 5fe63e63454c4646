"""What an access token allows (RFC 6750, RFC 9449 §7): for the credential, deferred and notification endpoints."""

from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa
from aiohttp import web

from issuer import tickets
from issuer.clients import Asking, Mark, dpop_algorithms, dpop_mark, dpop_nonce, prove, use
from issuer.deps import DEPS, Deps, in_thread
from issuer.flow import Session
from issuer.tables import SECONDS, SESSION
from issuer.tickets import Kind, Ticket
from vc.oauth import OAuthRefusal, ascii_only, single_header


@dataclass(frozen=True, slots=True)
class Access:
    """The session behind an access token: whose data it may fetch, and what this token was granted."""

    session: str
    worker: str
    client: str
    configurations: tuple[str, ...]
    identified: bool
    jkt: str | None
    offered: bool = False  # by an offer, for which small crowds were answered when it was made
    marks: tuple[Mark, ...] = ()  # of its DPoP proof


async def allowed(request: web.Request) -> Access:
    """What the access token of a request allows; its DPoP proof is used up. Raises what :func:`shown` does."""
    deps = request.app[DEPS]
    access = await shown(request)

    def use_proof() -> None:
        with deps.database.write() as connection:
            use(connection, deps, access.marks)

    if access.marks:
        try:
            await in_thread(use_proof)
        except OAuthRefusal as refusal:
            raise challenged(deps, refusal, scheme="dpop") from None
    return replace(access, marks=())


async def shown(request: web.Request) -> Access:
    """What the access token of a request allows. The marks of its DPoP proof are for :func:`issuer.clients.use`, in the
    transaction of what is done with it.

    Raises :class:`OAuthRefusal` with ``WWW-Authenticate``: 401 ``invalid_token``, ``invalid_dpop_proof`` or
    ``use_dpop_nonce``; 400 ``invalid_request`` for a header that is there twice.
    """
    deps = request.app[DEPS]
    header = single_header(request.headers.getall("Authorization", []), "Authorization") or ""
    scheme, _, token = header.partition(" ")
    asking = Asking.of(request, deps.config)
    return await in_thread(lambda: authorize(deps, scheme.lower(), token.strip(), asking))


def authorize(deps: Deps, scheme: str, token: str, asking: Asking) -> Access:
    """:func:`shown`, of what a request says."""
    if scheme not in ("bearer", "dpop") or not token:
        raise challenged(deps, OAuthRefusal("invalid_token", "send an access token: Authorization: DPoP or Bearer"))
    with deps.database.read() as connection:
        ticket, row = _found(connection, token, deps.seconds)
    if ticket is None or row is None:
        refusal = OAuthRefusal("invalid_token", "the access token is unknown, expired or withdrawn")
        raise challenged(deps, refusal, scheme=scheme)
    try:
        marks = _check_bound(deps, asking, scheme, token, row.jkt)
    except OAuthRefusal as refusal:
        raise challenged(deps, refusal, scheme=scheme) from None
    configurations = tuple(map(str, ticket.body["configurations"]))
    return Access(row.id, row.worker, row.client, configurations, row.identified, row.jkt, row.offer is not None, marks)


_SESSION: Final = SESSION.select().where(
    SESSION.c.id == sa.bindparam("named"),
    SESSION.c.state == str(Session.GRANTED),
    SESSION.c.expires > sa.bindparam("now", type_=SECONDS),
)


def _found(connection: sa.Connection, token: str, now: int) -> tuple[Ticket | None, Any]:
    ticket = tickets.look(connection, Kind.ACCESS, token, now=now)
    if ticket is None:
        return None, None
    return ticket, connection.execute(_SESSION, {"named": ticket.session, "now": now}).one_or_none()


def _check_bound(deps: Deps, asking: Asking, scheme: str, token: str, jkt: str | None) -> tuple[Mark, ...]:
    """A token that is bound to a key comes with a proof by it; one that is not comes alone (RFC 9449 §7.2)."""
    if (jkt is not None) != (scheme == "dpop"):
        raise OAuthRefusal("invalid_token", f"this token goes with: Authorization: {'DPoP' if jkt else 'Bearer'}")
    if jkt is None:
        return ()
    if asking.dpop is None:
        raise OAuthRefusal("invalid_dpop_proof", "this token needs a DPoP proof")
    return (dpop_mark(prove(deps, asking, access_token=token, jkt=jkt)),)


def challenged(deps: Deps, refusal: OAuthRefusal, *, scheme: str = "") -> OAuthRefusal:
    """A refusal as RFC 6750 §3 and RFC 9449 §7.1 want it: who sent no token is told no error code in the challenge."""
    algs = f'algs="{dpop_algorithms()}"'
    said = f'error="{refusal.error}", error_description="{ascii_only(refusal.description)}"'
    if scheme == "dpop":
        challenge = f"DPoP {said}, {algs}"
    elif scheme:
        challenge = f"Bearer {said}"
    else:
        challenge = f"DPoP {algs}" if deps.config.haip else f"DPoP {algs}, Bearer"
    headers = {"DPoP-Nonce": dpop_nonce(deps), **refusal.headers} if scheme == "dpop" else refusal.headers
    return OAuthRefusal(
        refusal.error, refusal.description, status=401, headers={**headers, "WWW-Authenticate": challenge}
    )
