"""What wallets report on credentials (OpenID4VCI §11)."""

from typing import Any, Final

import sqlalchemy as sa
from aiohttp import web

from issuer import answers, events, metadata
from issuer.access import Access, allowed
from issuer.deps import DEPS, Deps, in_thread
from issuer.tables import CREDENTIAL
from issuer.tickets import Kind, look, spend
from vc.io.route import Route
from vc.oauth import OAuthRefusal
from vc.oid4vci import Notification

INVALID: Final = "invalid_notification_request"
ACCEPTED: Final = "credential_accepted"


async def post_notification(request: web.Request) -> web.Response:
    """Take note of what became of credentials; the same again changes nothing (§11.2)."""
    deps, access = request.app[DEPS], await allowed(request)
    if request.content_type != "application/json":
        raise OAuthRefusal(INVALID, "send application/json")
    told = Notification.parse(await request.read())
    await in_thread(lambda: _note(deps, access, told))
    return web.Response(status=204)


def _note(deps: Deps, access: Access, told: Notification) -> None:
    now = deps.seconds
    with deps.database.write() as connection:
        ticket = look(connection, Kind.NOTIFICATION, told.id, now=now)
        if ticket is None or ticket.session != access.session:
            raise OAuthRefusal("invalid_notification_id", "not one that came with this session's credentials")
        # What the wallet describes is free text, and may be about somebody: it is not kept.
        if spend(connection, f"notification:{ticket.hash}:{told.event}", expires=ticket.expires):
            copies = len(ticket.body["holders"])
            said = {"event": told.event, "format": ticket.body["format"], "copies": copies}
            events.note(connection, events.Kind.NOTIFICATION, access.worker, said, now=now)
        if told.event == ACCEPTED:
            erase(connection, ticket.body)


def erase(connection: sa.Connection, copies: dict[str, Any]) -> None:
    """Erase the bodies of copies that the wallet has. That they were signed stays on record."""
    connection.execute(
        CREDENTIAL.update()
        .where(
            CREDENTIAL.c.digest == copies["digest"],
            CREDENTIAL.c.format == copies["format"],
            CREDENTIAL.c.holder.in_(copies["holders"]),
        )
        .values(body=None)
    )


ROUTES: Final = (
    Route(
        "POST",
        metadata.NOTIFICATION,
        post_notification,
        "What became of credentials (OpenID4VCI 11)",
        {204: answers.NOTED, 400: answers.REFUSED, 401: answers.UNAUTHORIZED},
        "wallets",
        body={"application/json": answers.NOTIFICATION_REQUEST},
        headers={"Authorization": {"type": "string"}},
    ),
)
