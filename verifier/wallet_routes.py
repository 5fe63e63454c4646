"""What wallets ask of the service: the request, and a place for the answer (OpenID4VP §5.10, §8.2)."""

from functools import partial
from types import MappingProxyType
from typing import Final

from aiohttp import web

from vc.canon import Json, Limits, parse_object
from vc.io.openapi import PROBLEM, PROBLEM_SCHEMA
from vc.io.route import Answer, Route, Schema
from vc.io.web import MAX_BODY, json_response
from vc.oauth import OAuthRefusal, parse_form, refusing
from vc.request_object import REQUEST_TYPE
from vc.vp_response import FORM
from verifier.deps import DEPS, in_thread
from verifier.sessions import REQUEST, RESPONSE, request_object, take

TAG: Final = "wallets"
MAX_NONCE: Final = 512
MAX_METADATA: Final = 1 << 15  # bytes of a wallet's metadata, of which its shape alone is looked at

ERROR_SCHEMA: Final[Schema] = MappingProxyType(
    {
        "type": "object",
        "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
        "required": ["error"],
    }
)
REFUSED: Final = Answer("An OAuth error.", MappingProxyType({"application/json": ERROR_SCHEMA}))
NOT_A_FORM: Final = Answer("Not a form.", MappingProxyType({PROBLEM: PROBLEM_SCHEMA}))
TEXT: Final[Schema] = MappingProxyType({"type": "string"})


async def get_request(request: web.Request) -> web.Response:
    """OpenID4VP §5: the request object."""
    return await _answered(request, None)


async def post_request(request: web.Request) -> web.Response:
    """OpenID4VP §5.10: the same, with the wallet's nonce in it."""
    form = await _form(request)
    nonce = form.get("wallet_nonce")
    if nonce is not None and not (len(nonce) <= MAX_NONCE and nonce.isascii() and nonce.isprintable()):
        raise OAuthRefusal("invalid_request", f"wallet_nonce is not {MAX_NONCE} characters of ASCII at most")
    if "wallet_metadata" in form:
        with refusing("invalid_request"):
            raw = form["wallet_metadata"].encode("utf-8", "replace")
            parse_object(raw, where="wallet_metadata", limits=Limits(size=MAX_METADATA))
    return await _answered(request, nonce)


async def _answered(request: web.Request, nonce: str | None) -> web.Response:
    deps, name = request.app[DEPS], request.match_info["id"]
    text = await in_thread(lambda: request_object(deps, name, nonce))
    deps.arrivals.tell(name)
    return web.Response(body=text.encode("ascii"), headers={"Content-Type": REQUEST_TYPE})


async def post_response(request: web.Request) -> web.Response:
    """OpenID4VP §8.2, §8.3, §8.5: an answer, encrypted or not, or the wallet's no."""
    deps, name = request.app[DEPS], request.match_info["id"]
    _require_form(request)
    raw = await request.read()
    try:
        reply = await in_thread(partial(take, deps, name, raw))
    finally:
        deps.arrivals.tell(name)
    return json_response(reply)


async def _form(request: web.Request) -> dict[str, str]:
    _require_form(request)
    return parse_form(await request.read(), limit=2 * MAX_METADATA)


def _require_form(request: web.Request) -> None:
    if request.content_type != FORM:
        raise web.HTTPUnsupportedMediaType(text=f"send {FORM}")


_OBJECT: Final = Answer("The signed request object.", MappingProxyType({REQUEST_TYPE: TEXT}))
_REPLY: Final[Schema] = MappingProxyType(
    {
        "type": "object",
        "properties": {"redirect_uri": {"type": "string"}, "retention_receipt": {"type": "string"}},
    }
)


def _form_schema(*names: str) -> Schema:
    members: dict[str, Json] = {name: {"type": "string"} for name in names}
    return {"type": "object", "properties": members}


ROUTES: Final = (
    Route(
        "GET", REQUEST, get_request, "The request (OpenID4VP §5)", {200: _OBJECT, 400: REFUSED}, TAG,
    ),
    Route(
        "POST", REQUEST, post_request, "The request, for one wallet (OpenID4VP §5.10)",
        {200: _OBJECT, 400: REFUSED, 413: REFUSED, 415: NOT_A_FORM}, TAG,
        body={FORM: _form_schema("wallet_nonce", "wallet_metadata")},
    ),
    Route(
        "POST", RESPONSE, post_response, f"The answer (OpenID4VP §8.2); at most {MAX_BODY} bytes",
        {200: Answer("It was taken.", {"application/json": _REPLY}), 400: REFUSED, 415: NOT_A_FORM}, TAG,
        body={FORM: _form_schema("vp_token", "response", "state", "error", "error_description")},
    ),
)  # fmt: skip
