"""Status lists and disputes over HTTP. Lists are the same for everybody: no key, no cookie, kept by whoever likes.

Each process keeps what it serves last in memory, and asks the database every few seconds whether another replica has
signed something newer.
"""

import re
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Final
from weakref import WeakKeyDictionary

from aiohttp import web

from issuer.database import Database
from issuer.deps import DEPS, Deps, in_thread
from issuer.disputes import MAX_DISPUTE, accept_dispute, verify_dispute
from issuer.statuslists import MEDIA_TYPES, TTL, Kind, Published, is_known, list_ids, publish, read_published
from vc.canon import Json, to_json
from vc.deflate import GZIP
from vc.io.route import Answer, Route
from vc.io.web import json_response
from vc.multibase import encode_base64url
from vc.token_status import aggregation

KEPT: Final = 5.0  # seconds in which the database is not asked again
MAX_KEPT: Final = 2048  # renderings in memory: some 10 KB each
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
TAG: Final = "status"
PROBLEM: Final = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Served:
    """A rendering with what HTTP says of it, and when the database last had no newer one."""

    published: Published
    etag: str
    zipped: bytes | None
    asked: float


_CACHES: Final[WeakKeyDictionary[Database, dict[tuple[str, Kind], Served]]] = WeakKeyDictionary()


async def get_token(request: web.Request) -> web.StreamResponse:
    """GET /status/{list}/token: as JWT, or as CWT where that is asked for (draft, Status List Request)."""
    _refuse_history(request)
    return await _answer(request, _negotiated(request.headers.get("Accept", "*/*")))


async def get_bitstring(request: web.Request) -> web.StreamResponse:
    """GET /status/{list}/{purpose} (vc-bitstring-status-list#bitstringstatuslistcredential)."""
    purpose = request.match_info["purpose"]
    if purpose not in (Kind.REVOCATION, Kind.SUSPENSION, Kind.MESSAGE):
        raise web.HTTPNotFound(text="no such status list")
    return await _answer(request, Kind(purpose))


async def get_lists(request: web.Request) -> web.StreamResponse:
    """GET /status: where all lists are (draft, Status List Aggregation)."""
    deps = request.app[DEPS]

    def step() -> list[str]:
        with deps.database.read() as connection:
            return list_ids(connection)

    ids = await in_thread(step)
    body = to_json(aggregation(tuple(f"{deps.config.base}/status/{one}/token" for one in ids)))
    return _response(request, body, "application/json", _etag(body), _max_age())


async def post_dispute(request: web.Request) -> web.Response:
    """POST /disputes: a Dispute that the worker has signed. The answer tells its id and nothing else."""
    deps = request.app[DEPS]
    if request.content_type not in ("application/json", "application/vc"):
        raise web.HTTPUnsupportedMediaType(text="send application/vc or application/json")
    if (request.content_length or 0) > MAX_DISPUTE.size:
        raise web.HTTPRequestEntityTooLarge(max_size=MAX_DISPUTE.size, actual_size=request.content_length or 0)
    raw = await request.read()

    def step() -> str:
        at = deps.now()
        signed = verify_dispute(raw, at=at)  # anybody can send one: the database is not held meanwhile
        with deps.database.write() as connection:
            return accept_dispute(connection, signed, at=at, rand=deps.rand)

    return json_response({"dispute": await in_thread(step)}, 202)


async def _answer(request: web.Request, kind: Kind) -> web.StreamResponse:
    deps, listing = request.app[DEPS], request.match_info["list"]
    if not _ID.match(listing):  # what cannot be one is not looked up
        raise web.HTTPNotFound(text="no such status list")
    cache = _CACHES.setdefault(deps.database, {})
    held = cache.get((listing, kind))
    if held is None or time.monotonic() - held.asked > KEPT:
        held = await in_thread(lambda: _load(deps, listing, kind, held))
        if held is None:
            raise web.HTTPNotFound(text="no such status list")
        if len(cache) >= MAX_KEPT:
            cache.pop(next(iter(cache)))
        cache[listing, kind] = held
    return _response(
        request,
        held.published.body,
        MEDIA_TYPES[kind],
        held.etag,
        min(_max_age(), max(0, held.published.expires - deps.seconds)),
        zipped=held.zipped,
    )


def _load(deps: Deps, listing: str, kind: Kind, held: Served | None) -> Served | None:
    """The newest rendering; a list that nobody has signed yet is signed here. None for a list that does not exist."""
    published, known = _read(deps, listing, kind)
    if published is None and known:
        at = deps.now()
        keys = deps.keyring().signing(at)
        publish(deps.database, listing, last=None, keys=keys, base=deps.config.base, at=at)
        published, _ = _read(deps, listing, kind)
    if published is None:
        return None
    etag = _etag(published.body)
    if held is not None and held.etag == etag:
        return Served(published, etag, held.zipped, time.monotonic())
    # A CWT holds its list compressed; the others hold it as text, of which gzip takes a quarter away again.
    zipped = None if kind is Kind.CWT else deflate_text(published.body)
    return Served(published, etag, zipped, time.monotonic())


def deflate_text(body: bytes) -> bytes:
    """A body as ``Content-Encoding: gzip``: base64url is six bits in eight, and nothing else repeats."""
    stream = zlib.compressobj(6, zlib.DEFLATED, GZIP, 9, zlib.Z_HUFFMAN_ONLY)
    return stream.compress(body) + stream.flush()


def _read(deps: Deps, listing: str, kind: Kind) -> tuple[Published | None, bool]:
    """A rendering, and whether there is such a list at all."""
    with deps.database.read() as connection:
        published = read_published(connection, listing, kind)
        return published, published is not None or is_known(connection, listing)


def _response(
    request: web.Request, body: bytes, media_type: str, etag: str, max_age: int, *, zipped: bytes | None = None
) -> web.Response:
    """The answer to GET and HEAD: whole, or 304 where the client has it (RFC 9110 §13.1.2)."""
    packed = zipped is not None and _accepts_gzip(request.headers.get("Accept-Encoding", ""))
    tag = f'"{etag}-gz"' if packed else f'"{etag}"'
    headers = {
        "ETag": tag,
        "Cache-Control": f"public, max-age={max_age}",
        "Vary": "Accept, Accept-Encoding",
        "Access-Control-Allow-Origin": "*",
    }
    if any(one in ("*", tag) for one in _listed(request.headers.get("If-None-Match", ""))):
        return web.Response(status=304, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=zipped if packed else body, headers={**headers, "Content-Type": media_type})


def _negotiated(accept: str) -> Kind:
    """JWT unless CWT is preferred (RFC 9110 §12.5.1). Raises 406 where neither is wanted."""
    weights = dict(_weighted(accept))
    wanted = {}
    for kind in (Kind.JWT, Kind.CWT):
        names = (MEDIA_TYPES[kind], "application/*", "*/*")
        wanted[kind] = next((weights[name] for name in names if name in weights), 0.0)
    best = max(wanted, key=lambda kind: wanted[kind])
    if not wanted[best]:
        raise web.HTTPNotAcceptable(text="application/statuslist+jwt or application/statuslist+cwt")
    return best


def _accepts_gzip(accept_encoding: str) -> bool:
    weights = dict(_weighted(accept_encoding))
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weighted(header: str) -> Iterator[tuple[str, float]]:
    for item in header.lower()[:1024].split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        given = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        try:
            yield name, float(given)
        except ValueError:
            yield name, 0.0


def _listed(header: str) -> list[str]:
    return [one.strip().removeprefix("W/") for one in header[:1024].split(",")]


def _refuse_history(request: web.Request) -> None:
    """Draft, Historical Resolution: lists of other times are not kept."""
    if "time" in request.query:
        raise web.HTTPNotImplemented(text="status lists of other times are not kept")


def _max_age() -> int:
    return int(TTL.total_seconds())


def _etag(body: bytes) -> str:
    return encode_base64url(sha256(body).digest()[:16])


_TEXT: Final[Mapping[str, Json]] = MappingProxyType({"type": "string"})
_OBJECT: Final[Mapping[str, Json]] = MappingProxyType({"type": "object"})
_AGGREGATION: Final[Mapping[str, Json]] = MappingProxyType(
    {
        "type": "object",
        "required": ["status_lists"],
        "properties": {"status_lists": {"type": "array", "items": {"type": "string", "format": "uri"}}},
    }
)
_ACCEPTED: Final[Mapping[str, Json]] = MappingProxyType(
    {"type": "object", "required": ["dispute"], "properties": {"dispute": {"type": "string"}}}
)
_NOT_FOUND: Final = Answer("No such list.", {PROBLEM: _OBJECT})
_NOT_CHANGED: Final = Answer("The client has it (If-None-Match).", headers=("ETag", "Cache-Control"))

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET",
        "/status",
        get_lists,
        "Status List Aggregation: the Token Status Lists of this issuer (draft-ietf-oauth-status-list)",
        {
            200: Answer("The lists.", {"application/json": _AGGREGATION}, ("ETag", "Cache-Control")),
            304: _NOT_CHANGED,
        },
        TAG,
    ),
    Route(
        "GET",
        "/status/{list}/token",
        get_token,
        "A Status List Token as JWT, or as CWT where Accept prefers it (draft-ietf-oauth-status-list)",
        {
            200: Answer(
                "The list.",
                {MEDIA_TYPES[Kind.JWT]: _TEXT, MEDIA_TYPES[Kind.CWT]: _TEXT},
                ("ETag", "Cache-Control", "Vary"),
            ),
            304: _NOT_CHANGED,
            404: _NOT_FOUND,
            406: Answer("Neither is acceptable.", {PROBLEM: _OBJECT}),
            501: Answer("Lists of other times (time=) are not kept.", {PROBLEM: _OBJECT}),
        },
        TAG,
    ),
    Route(
        "GET",
        "/status/{list}/{purpose}",
        get_bitstring,
        "A BitstringStatusListCredential for revocation, suspension or message (Bitstring Status List 1.0)",
        {
            200: Answer("The list.", {"application/vc": _OBJECT}, ("ETag", "Cache-Control", "Vary")),
            304: _NOT_CHANGED,
            404: _NOT_FOUND,
        },
        TAG,
    ),
    Route(
        "POST",
        "/disputes",
        post_dispute,
        "A worker's Dispute of a statement, signed by the key that a copy of it is bound to",
        {
            202: Answer("It is open.", {"application/json": _ACCEPTED}),
            400: Answer("Not a Dispute.", {PROBLEM: _OBJECT}),
            413: Answer("Too large.", {PROBLEM: _OBJECT}),
            415: Answer("Of another media type.", {PROBLEM: _OBJECT}),
            422: Answer("Refused: not signed by a key of ours, not of now, or handed in before.", {PROBLEM: _OBJECT}),
        },
        TAG,
        body={"application/vc": _OBJECT, "application/json": _OBJECT},
    ),
)
