"""The documents that say which keys are the issuer's: did:web, did:webvh, and JWT VC issuer metadata.

Others cache them, so that a key is in them as long as something that it signed can be valid, and for a few minutes
more where it was killed.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from issuer.deps import DEPS, in_thread
from issuer.identities import WEBVH
from issuer.keyring import KeyRing
from issuer.keys import Role
from vc.canon import Json, to_json
from vc.io.route import Answer, Handler, Route
from vc.jose import SIGNS_AS
from vc.jwk import public_jwk

METADATA: Final = "/.well-known/jwt-vc-issuer"
CACHE: Final = "public, max-age=300"
JSON: Final = "application/json"
JSON_LINES: Final = "text/jsonl"  # did:webvh 1.0, The DID Log File

Made = Callable[[KeyRing, str, datetime], bytes | None]


def did_document(ring: KeyRing, path: str, at: datetime) -> bytes | None:
    """The did:web document at a path of the host (did-method-web#read-resolve), if there is one."""
    for identity in reversed(ring.identities):
        if identity.method == "web" and urlsplit(identity.url).path == path:
            return to_json(identity.document(ring.methods(identity, at)))
    return None


def did_log(ring: KeyRing, path: str, _at: datetime) -> bytes | None:
    """The did:webvh log at a path of the host (did:webvh 1.0, The DID to HTTPS Transformation), if there is one."""
    for identity in reversed(ring.identities):
        if identity.method == WEBVH and urlsplit(identity.url).path == path:
            return identity.log.encode()
    return None


def issuer_metadata(ring: KeyRing, base: str, at: datetime) -> dict[str, Json]:
    """JWT VC Issuer Metadata (draft-ietf-oauth-sd-jwt-vc §jwt-vc-issuer-metadata): the keys of SD-JWT VCs."""
    keys: list[Json] = [
        {**public_jwk(key.key.public), "kid": name.method, "use": "sig", "alg": SIGNS_AS[key.key.public.kind]}
        for key, name in ring.published(at)
        if key.role is Role.JWT
    ]
    return {"issuer": base, "jwks": {"keys": keys}}


async def _answer(request: web.Request, made: Made, media_type: str) -> web.Response:
    deps = request.app[DEPS]
    body = await in_thread(lambda: made(deps.keyring(), request.path, deps.now()))
    if body is None:
        raise web.HTTPNotFound(text="the issuer has no such document")
    return web.Response(body=body, content_type=media_type, headers={"Cache-Control": CACHE})


async def get_did_document(request: web.Request) -> web.Response:
    """did.json."""
    return await _answer(request, did_document, JSON)


async def get_did_log(request: web.Request) -> web.Response:
    """did.jsonl."""
    return await _answer(request, did_log, JSON_LINES)


async def get_issuer_metadata(request: web.Request) -> web.Response:
    """/.well-known/jwt-vc-issuer, with the path of the issuer behind it."""
    base = request.app[DEPS].config.base
    wanted = f"{METADATA}{urlsplit(base).path.rstrip('/')}"

    def made(ring: KeyRing, path: str, at: datetime) -> bytes | None:
        return to_json(issuer_metadata(ring, base, at)) if path.rstrip("/") == wanted else None

    return await _answer(request, made, JSON)


_OBJECT: Final[Mapping[str, Json]] = MappingProxyType({"type": "object"})
_TEXT: Final[Mapping[str, Json]] = MappingProxyType({"type": "string"})


def _route(path: str, handler: Handler, summary: str, media_type: str) -> Route:
    schema = _TEXT if media_type == JSON_LINES else _OBJECT
    answers = {200: Answer("The document.", {media_type: schema}, ("Cache-Control",)), 404: Answer("There is none.")}
    # Below a path that only the issuer's DID knows, they are there too, but nobody has to be told of every path.
    public = "{" not in path
    return Route("GET", path, handler, summary, answers, "keys", at_root=True, public=public)


ROUTES: Final = (
    _route("/.well-known/did.json", get_did_document, "The issuer's did:web document", JSON),
    _route("/.well-known/did.jsonl", get_did_log, "The issuer's did:webvh log", JSON_LINES),
    _route(METADATA, get_issuer_metadata, "JWT VC Issuer Metadata (SD-JWT VC)", JSON),
    _route(f"{METADATA}/{{path:.+}}", get_issuer_metadata, "JWT VC Issuer Metadata (SD-JWT VC)", JSON),
    _route("/{path:.+}/did.json", get_did_document, "The issuer's did:web document", JSON),
    _route("/{path:.+}/did.jsonl", get_did_log, "The issuer's did:webvh log", JSON_LINES),
)
