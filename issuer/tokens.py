"""The token endpoint (OpenID4VCI §6): a code, or a refresh token, for tokens.

Whatever is wrong with a request leaves the code that came with it alone; a code or a refresh token that was used
before ends its session, since two hold it (RFC 6749 §4.1.2, RFC 9700 §4.14.2).
"""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa
from aiohttp import web

from issuer import nonces, offers, tickets
from issuer.clients import FORM, Asking, Client, dpop_nonce, identify, read_form, use, used_anyway
from issuer.deps import DEPS, Deps, in_thread
from issuer.flow import Event, Offer, Session, move_session
from issuer.scopes import Asked, details, identifiers, read_asked
from issuer.tables import OFFER, SESSION
from issuer.tickets import Kind
from vc.canon import Json
from vc.io.route import Answer, Route
from vc.io.web import json_response
from vc.multibase import encode_base64url
from vc.oauth import OAuthRefusal, check_pkce

GONE: Final = "unknown, used or expired"

_OPEN: Final = SESSION.insert().returning(SESSION)
_OFFER: Final = OFFER.select().where(OFFER.c.id == sa.bindparam("named"))
_SESSION: Final = SESSION.select().where(SESSION.c.id == sa.bindparam("named"))


async def post_token(request: web.Request) -> web.Response:
    """The token endpoint."""
    deps, form = request.app[DEPS], await read_form(request)
    asking = Asking.of(request, deps.config)
    body = await in_thread(lambda: token(deps, form, asking))
    response = json_response(body)
    response.headers["Cache-Control"] = "no-store"
    if asking.dpop is not None:
        response.headers["DPoP-Nonce"] = dpop_nonce(deps)
    return response


def token(deps: Deps, form: Mapping[str, str], asking: Asking) -> dict[str, Json]:
    """The token response (OpenID4VCI §6.2). Raises :class:`OAuthRefusal` with the codes of §6.3."""
    grant = _GRANTS.get(form.get("grant_type", ""))
    if grant is None:
        code = "unsupported_grant_type" if "grant_type" in form else "invalid_request"
        raise OAuthRefusal(code, f"grant_type has to be one of {', '.join(_GRANTS)}")
    client = identify(deps, asking, form)
    if deps.config.haip and client.jkt is None:  # HAIP 1.0 §4.4; a pushed request may do without (RFC 9449 §10.1)
        raise OAuthRefusal("invalid_dpop_proof", "a DPoP proof is required here")
    with used_anyway(deps, client.marks):
        return grant(deps, form, client)


def open_session(
    connection: sa.Connection,
    deps: Deps,
    worker: str,
    asked: Asked,
    *,
    offer: str | None,
    client: str,
    jkt: str | None,
    state: Session,
    lifetime: int,
) -> Any:
    """A new session: its row."""
    row = {
        "id": encode_base64url(deps.rand(16)),
        "offer": offer,
        "worker": worker,
        "client": client,
        "configurations": json.dumps(asked.configurations),
        "identified": asked.detailed,
        "jkt": jkt,
        "state": str(state),
        "created": deps.seconds,
        "expires": deps.seconds + lifetime,
    }
    return connection.execute(_OPEN, row).one()


def end_session(connection: sa.Connection, name: str, *, now: int) -> bool:
    """End a session: none of its tokens is good any more. False where it had ended before."""
    ended = move_session(connection, name, Event.CLOSE, now=now) is not None
    tickets.drop_session(connection, name)
    return ended


def _pre_authorized(deps: Deps, form: Mapping[str, str], client: Client) -> dict[str, Json]:
    code, guess, now = _required(form, "pre-authorized_code"), form.get("tx_code"), deps.seconds
    with deps.database.write() as connection:
        use(connection, deps, client.marks)
        offer = _offer_of(connection, code, now)
        if guess is None and offer.tx_code is not None:
            raise OAuthRefusal("invalid_request", "tx_code is missing: ask for the code that came apart from the offer")
        if guess is not None and offer.tx_code is None:
            raise OAuthRefusal("invalid_request", "tx_code: this offer has none")
        offered = tuple(json.loads(offer.configurations))
        asked = read_asked(form, issuer=deps.config.base, among=offered) or Asked(offered, detailed=False)
        if guess is None:
            return _claimed(connection, deps, offer.id, asked, client)
        kept = offers.take_try(connection, offer.id)
    # The try is paid for and the transaction over: however many guess at once, no more than this many get here.
    if kept is None or not offers.is_tx_code(guess, kept):
        with deps.database.write() as connection:
            offers.count_wrong(connection, offer.id, now=now)
        raise OAuthRefusal("invalid_grant", "tx_code is wrong, or was wrong too often")
    with deps.database.write() as connection:
        return _claimed(connection, deps, offer.id, asked, client)


def _claimed(connection: sa.Connection, deps: Deps, name: str, asked: Asked, client: Client) -> dict[str, Json]:
    offer = offers.claim_offer(connection, name, now=deps.seconds)
    if offer is None:
        raise OAuthRefusal("invalid_grant", f"pre-authorized_code: {GONE}")
    session = open_session(
        connection,
        deps,
        offer.worker,
        asked,
        offer=name,
        client=client.id,
        jkt=client.jkt,
        state=Session.GRANTED,
        lifetime=deps.config.refresh_lifetime,
    )
    return _tokens(connection, deps, client, session, asked.configurations)


def _authorization_code(deps: Deps, form: Mapping[str, str], client: Client) -> dict[str, Json]:
    code, now = _required(form, "code"), deps.seconds
    verifier, redirect_uri = _required(form, "code_verifier"), _required(form, "redirect_uri")
    with deps.database.write() as connection:
        use(connection, deps, client.marks)
        ticket = tickets.look(connection, Kind.CODE, code, now=now)
        if ticket is not None:
            if ticket.body["redirect_uri"] != redirect_uri or ticket.body["client"] != client.id:
                raise OAuthRefusal("invalid_grant", "redirect_uri or client_id is not that of the request")
            if ticket.body["attested"] and not client.attested:
                raise OAuthRefusal("invalid_client", "the authorization request had a client attestation", status=401)
            if ticket.body["jkt"] not in (None, client.jkt):
                raise OAuthRefusal("invalid_grant", "the code is bound to another DPoP key")
            check_pkce(verifier, ticket.body["challenge"])
            row = _session(connection, ticket.session)
            asked = _narrowed(deps, form, row)
            lifetime = now + deps.config.refresh_lifetime
            used = tickets.use_up(connection, Kind.CODE, code, now=now, remembered=lifetime)
            if used is not None and move_session(connection, row.id, Event.TOKENS, now=now) is not None:
                _begin(connection, row.id, asked, client, lifetime)
                return _tokens(connection, deps, client, _session(connection, row.id), asked.configurations)
    raise _gone(deps, code, "code")


def _refresh_token(deps: Deps, form: Mapping[str, str], client: Client) -> dict[str, Json]:
    text, now = _required(form, "refresh_token"), deps.seconds
    with deps.database.write() as connection:
        use(connection, deps, client.marks)
        ticket = tickets.look(connection, Kind.REFRESH, text, now=now)
        if ticket is not None:
            row = _session(connection, ticket.session)
            if row.client not in ("", client.id):
                raise OAuthRefusal("invalid_grant", "the refresh token is another client's")
            if ticket.body.get("attested") and not client.attested:
                raise OAuthRefusal("invalid_client", "the token request had a client attestation", status=401)
            if row.jkt != client.jkt:
                raise OAuthRefusal("invalid_grant", "the refresh token is bound to the DPoP key that it was issued to")
            asked = _narrowed(deps, form, row)
            used = tickets.use_up(connection, Kind.REFRESH, text, now=now, remembered=row.expires)
            if used is not None and move_session(connection, row.id, Event.REFRESH, now=now) is not None:
                return _tokens(connection, deps, client, row, asked.configurations)
    raise _gone(deps, text, "refresh_token")


def _narrowed(deps: Deps, form: Mapping[str, str], row: Any) -> Asked:
    """What a request asks for of a session: part of it, or all (OpenID4VCI §6.1.1, RFC 6749 §6)."""
    granted = tuple(json.loads(row.configurations))
    asked = read_asked(form, issuer=deps.config.base, among=granted) or Asked(granted, row.identified)
    return Asked(asked.configurations, asked.detailed or row.identified)


def _begin(connection: sa.Connection, name: str, asked: Asked, client: Client, expires: int) -> None:
    """A session that had a code has tokens from here on, bound to the key that came with it."""
    connection.execute(
        SESSION.update().where(SESSION.c.id == name).values(jkt=client.jkt, expires=expires, identified=asked.detailed)
    )


def _tokens(
    connection: sa.Connection, deps: Deps, client: Client, row: Any, configurations: tuple[str, ...]
) -> dict[str, Json]:
    """A new access token and a new refresh token of a session, and what they are good for."""
    found = identifiers(connection, row.worker, configurations)
    if not found:
        raise OAuthRefusal("invalid_grant", "there is nothing to fetch any more")
    # A configuration with several datasets can be fetched by identifiers only (OpenID4VCI §3.3.4).
    identified = row.identified or any(len(each) > 1 for each in found.values())
    if identified != row.identified:
        connection.execute(SESSION.update().where(SESSION.c.id == row.id).values(identified=identified))
    lifetime = min(deps.config.access_lifetime, row.expires - deps.seconds)
    access = tickets.hand_out(
        connection,
        Kind.ACCESS,
        deps.rand(tickets.LENGTH),
        expires=deps.seconds + lifetime,
        session=row.id,
        body={"configurations": list(found)},
    )
    refresh = tickets.hand_out(
        connection,
        Kind.REFRESH,
        deps.rand(tickets.LENGTH),
        expires=row.expires,
        session=row.id,
        body={"attested": client.attested},
    )
    body: dict[str, Json] = {
        "access_token": access,
        "token_type": "DPoP" if row.jkt else "Bearer",
        "expires_in": lifetime,
        "refresh_token": refresh,
    }
    body |= {"authorization_details": details(found)} if identified else {"scope": " ".join(found)}
    return body | _legacy_nonce(deps)


def _legacy_nonce(deps: Deps) -> dict[str, Json]:
    """Wallets of drafts 13 to 15 find their nonce in the token response."""
    if not deps.config.legacy_single_proof:
        return {}
    made = nonces.new_nonce(deps.keyring().secret, now=deps.seconds, rand=deps.rand)
    return {"c_nonce": made, "c_nonce_expires_in": deps.config.nonce_lifetime}


def _offer_of(connection: sa.Connection, code: str, now: int) -> Any:
    ticket = tickets.look(connection, Kind.PRE_AUTHORIZED, code, now=now)
    row = connection.execute(_OFFER, {"named": ticket.session}).one_or_none() if ticket else None
    if row is None or row.state != Offer.OFFERED:  # claimed since we looked for the code: its tx_code is erased
        raise OAuthRefusal("invalid_grant", f"pre-authorized_code: {GONE}")
    return row


def _session(connection: sa.Connection, name: str | None) -> Any:
    row = connection.execute(_SESSION, {"named": name}).one_or_none()
    if row is None:  # its worker's data were erased
        raise OAuthRefusal("invalid_grant", GONE)
    return row


def _gone(deps: Deps, text: str, name: str) -> OAuthRefusal:
    """For a code or a token that is not there; one that was used before ends its session."""
    with deps.database.write() as connection:
        used = tickets.look(connection, Kind.USED, text, now=deps.seconds)
        if used is not None and used.session is not None:
            end_session(connection, used.session, now=deps.seconds)
    return OAuthRefusal("invalid_grant", f"{name}: {GONE}")


def _required(form: Mapping[str, str], name: str) -> str:
    if name not in form:
        raise OAuthRefusal("invalid_request", f"{name} is missing")
    return form[name]


_GRANTS: Final[Mapping[str, Callable[[Deps, Mapping[str, str], Client], dict[str, Json]]]] = MappingProxyType(
    {
        offers.PRE_AUTHORIZED: _pre_authorized,
        offers.AUTHORIZATION_CODE: _authorization_code,
        "refresh_token": _refresh_token,
    }
)

_TEXT: Final[Mapping[str, Json]] = MappingProxyType({"type": "string"})
_FIELDS: Final = (
    "pre-authorized_code",
    "tx_code",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "client_id",
    "scope",
    "authorization_details",
)
ERROR: Final[Mapping[str, Json]] = MappingProxyType(
    {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
    }
)
_BODY: Final[Mapping[str, Json]] = MappingProxyType(
    {
        "type": "object",
        "required": ["grant_type"],
        "properties": {"grant_type": {"enum": list[Json](_GRANTS)}, **{name: {"type": "string"} for name in _FIELDS}},
    }
)
_TOKENS: Final[Mapping[str, Json]] = MappingProxyType(
    {
        "type": "object",
        "required": ["access_token", "token_type", "expires_in"],
        "properties": {
            "access_token": {"type": "string"},
            "token_type": {"enum": ["DPoP", "Bearer"]},
            "expires_in": {"type": "integer"},
            "refresh_token": {"type": "string"},
            "scope": {"type": "string"},
            "authorization_details": {"type": "array", "minItems": 1, "items": {"type": "object"}},
        },
    }
)
REFUSALS: Final[Mapping[int, Answer]] = MappingProxyType(
    {
        400: Answer("Why not (RFC 6749 §5.2)", {"application/json": ERROR}, ("DPoP-Nonce",)),
        401: Answer("The client is not who it says (RFC 6749 §5.2)", {"application/json": ERROR}),
        413: Answer("Too large", {"application/json": ERROR, "application/problem+json": {"type": "object"}}),
        415: Answer("Not a form", {"application/json": ERROR}),
        503: Answer("Try again later", {"application/problem+json": {"type": "object"}}),
    }
)
HEADERS: Final[Mapping[str, Mapping[str, Json]]] = MappingProxyType(
    {"DPoP": _TEXT, "OAuth-Client-Attestation": _TEXT, "OAuth-Client-Attestation-PoP": _TEXT}
)

ROUTES: Final = (
    Route(
        "POST",
        "/token",
        post_token,
        "Tokens for a code or a refresh token (OpenID4VCI §6)",
        {200: Answer("Tokens (OpenID4VCI §6.2)", {"application/json": _TOKENS}, ("DPoP-Nonce",)), **REFUSALS},
        "authorization",
        body={FORM: _BODY},
        headers=HEADERS,
    ),
)
