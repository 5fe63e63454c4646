"""The authorization endpoint (OpenID4VCI §5), pushed requests (RFC 9126), what the server says of itself (RFC 8414).

Wallets are public clients that nobody has registered: a redirect URI is whatever a request says. So before a person
has done anything, no browser is sent to a web site with an error; it shows the error itself (RFC 9700 §4.11.2).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from aiohttp import web

from issuer import login, offers, tickets
from issuer.authorization_request import AuthorizationRequest, Back
from issuer.clients import FORM, Asking, Client, dpop_nonce, identify, read_form, use, used_anyway
from issuer.config import Config
from issuer.deps import DEPS, Deps, in_thread
from issuer.formats import CONFIGURATIONS
from issuer.tickets import Kind
from issuer.tokens import HEADERS, REFUSALS
from vc.canon import Json
from vc.dpop import ALGORITHMS
from vc.io.route import Answer, Route
from vc.io.web import json_response
from vc.oauth import OAuthRefusal, parse_form

PUSHED: Final = "urn:ietf:params:oauth:request_uri:"
PUSHED_LIFETIME: Final = 90  # seconds for the wallet to open a browser

_ANYBODY: Final = Client("", attested=False, jkt=None)


def server_metadata(config: Config) -> dict[str, Json]:
    """``/.well-known/oauth-authorization-server`` (RFC 8414 §2, OpenID4VCI §12.3)."""
    grants: list[Json] = [offers.PRE_AUTHORIZED, "refresh_token"]
    methods: list[Json] = [] if config.haip else ["none"]
    algorithms = list[Json](ALGORITHMS)
    document: dict[str, Json] = {
        "issuer": config.base,
        "token_endpoint": f"{config.base}/token",
        "response_types_supported": ["code"],
        "scopes_supported": list[Json](CONFIGURATIONS),
        "authorization_details_types_supported": ["openid_credential"],
        "dpop_signing_alg_values_supported": algorithms,
        "pre-authorized_grant_anonymous_access_supported": not config.haip,
    }
    if login.has_login(config):
        grants.insert(0, offers.AUTHORIZATION_CODE)
        document |= {
            "authorization_endpoint": f"{config.base}/authorize",
            "pushed_authorization_request_endpoint": f"{config.base}/par",
            "require_pushed_authorization_requests": config.haip,
            "response_modes_supported": ["query"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
    if config.haip or config.wallet_roots:
        methods.append("attest_jwt_client_auth")
        document |= {
            "client_attestation_signing_alg_values_supported": algorithms,
            "client_attestation_pop_signing_alg_values_supported": algorithms,
        }
    return document | {"grant_types_supported": grants, "token_endpoint_auth_methods_supported": methods}


async def get_metadata(request: web.Request) -> web.Response:
    """What this server says of itself."""
    response = json_response(server_metadata(request.app[DEPS].config))
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


async def post_par(request: web.Request) -> web.Response:
    """A pushed authorization request (RFC 9126 §2)."""
    deps, form = request.app[DEPS], await read_form(request)
    asking = Asking.of(request, deps.config)
    text = await in_thread(lambda: _pushed(deps, form, asking))
    response = json_response({"request_uri": f"{PUSHED}{text}", "expires_in": PUSHED_LIFETIME}, 201)
    response.headers["Cache-Control"] = "no-cache, no-store"
    if asking.dpop is not None:
        response.headers["DPoP-Nonce"] = dpop_nonce(deps)
    return response


def _pushed(deps: Deps, form: Mapping[str, str], asking: Asking) -> str:
    if not login.has_login(deps.config):
        raise OAuthRefusal("unauthorized_client", "nobody can log in here: this issuer gives codes with its offers")
    if "request_uri" in form:
        raise OAuthRefusal("invalid_request", "request_uri has no place in a pushed request")
    back = Back.parse(form)
    client = identify(deps, asking, form)
    with used_anyway(deps, client.marks), deps.database.write() as connection:
        use(connection, deps, client.marks)
        asked = AuthorizationRequest.read(connection, form, back, client, deps)
        return tickets.hand_out(
            connection,
            Kind.REQUEST_URI,
            deps.rand(tickets.LENGTH),
            expires=deps.seconds + PUSHED_LIFETIME,
            body=asked.to_json(),
        )


async def get_authorize(request: web.Request) -> web.Response:
    """The authorization endpoint: on to the login, or an error where it can do no harm."""
    deps, back = request.app[DEPS], None
    try:
        form = parse_form(request.rel_url.raw_query_string.encode())
        if "request_uri" in form or deps.config.haip:
            asked = await in_thread(lambda: _pulled(deps, form))
        else:
            target = back = Back.parse(form)
            asked = await in_thread(lambda: _read(deps, form, target))
    except OAuthRefusal as refusal:
        if back is not None and back.stays_here:
            said = {"error": refusal.error, "error_description": str(refusal.to_json()["error_description"])}
            return web.Response(status=303, headers={"Location": back.location(deps.config.base, **said)})
        return login.refusal_page(
            request, "authorize.wrong", status=400, detail=str(refusal), back=back, error=refusal.error
        )
    return await login.begin(request, asked)


def _pulled(deps: Deps, form: Mapping[str, str]) -> AuthorizationRequest:
    """The request that was pushed: once, and by nobody but its client (RFC 9126 §4)."""
    uri = form.get("request_uri")
    if uri is None:
        raise OAuthRefusal("invalid_request", "push the request first: its request_uri is missing")
    text = uri.removeprefix(PUSHED)
    with deps.database.write() as connection:
        found = tickets.look(connection, Kind.REQUEST_URI, text, now=deps.seconds)
        if found is not None and uri.startswith(PUSHED):
            asked = AuthorizationRequest.from_json(found.body)
            if asked.back.client == form.get("client_id"):
                taken = tickets.take(connection, Kind.REQUEST_URI, text, now=deps.seconds)
                if taken is not None:
                    return asked
    raise OAuthRefusal("invalid_request", "request_uri is unknown, used, expired, or another client's")


def _read(deps: Deps, form: Mapping[str, str], back: Back) -> AuthorizationRequest:
    with deps.database.read() as connection:
        return AuthorizationRequest.read(connection, form, back, _ANYBODY, deps)


_FIELDS: Final = (
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "scope",
    "authorization_details",
    "code_challenge",
    "code_challenge_method",
    "issuer_state",
    "dpop_jkt",
    "resource",
)
_TEXT: Final[Mapping[str, Json]] = MappingProxyType({"type": "string"})
_REQUIRED: Final = ("response_type", "client_id", "redirect_uri", "code_challenge", "code_challenge_method")
_BODY: Final[Mapping[str, Json]] = MappingProxyType(
    {
        "type": "object",
        "required": list[Json](_REQUIRED),
        "properties": {name: {"type": "string"} for name in _FIELDS},
    }
)
_PUSHED: Final[Mapping[str, Json]] = MappingProxyType(
    {
        "type": "object",
        "required": ["request_uri", "expires_in"],
        "properties": {"request_uri": {"type": "string"}, "expires_in": {"type": "integer"}},
    }
)
_HTML: Final[Mapping[str, Mapping[str, Json]]] = MappingProxyType({"text/html": _TEXT})

ROUTES: Final = (
    Route(
        "GET",
        "/.well-known/oauth-authorization-server",
        get_metadata,
        "The authorization server's metadata (RFC 8414)",
        {200: Answer("The metadata", {"application/json": {"type": "object", "required": ["issuer"]}})},
        "authorization",
        well_known=True,
    ),
    Route(
        "POST",
        "/par",
        post_par,
        "A pushed authorization request (RFC 9126)",
        {201: Answer("Where it is kept", {"application/json": _PUSHED}, ("DPoP-Nonce",)), **REFUSALS},
        "authorization",
        body={FORM: _BODY},
        headers=HEADERS,
    ),
    Route(
        "GET",
        "/authorize",
        get_authorize,
        "The authorization endpoint (OpenID4VCI §5)",
        {
            303: Answer("On to the login, or back to the wallet", headers=("Location", "Set-Cookie")),
            400: Answer("What is wrong, for people", _HTML),
            403: Answer("Nobody can log in here", _HTML),
            503: Answer("The platform's login does not answer", _HTML),
        },
        "authorization",
        query=dict.fromkeys(("request_uri", *_FIELDS), _TEXT),
    ),
    *login.ROUTES,
)
