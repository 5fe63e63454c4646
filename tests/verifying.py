"""A verifier for tests: it signs requests, answers as it is told, and remembers what it got."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec

from tests.certificates import Party, certify, names, secret, usage
from tests.line import AT, credential, request
from tests.test_vcapi_http import serving
from tests.vaults import create
from vc.canon import Json
from vc.jwe import DecryptionKey
from vc.keys import P256Key
from vc.oauth import parse_form
from vc.oid4vp import CredentialQuery
from vc.request_object import REQUEST_TYPE, request_link, sign_request
from vc.vp_response import Received, parse_response
from wallet.keys import HolderKey
from wallet.receive import receive
from wallet.shelf import Shelf
from work import CONTEXTS

NONCE: Final = "n-0S6_WzA2Mj-0S6_WzA2Mj"
CENTURY: Final = (-1, 36500)  # days, for who goes by the clock of this machine


def root(name: str, number: int) -> Party:
    return certify(name, secret(number), authority=True, extensions=[(usage(certificates=True), True)], days=CENTURY)


ROOT: Final = root("Verifiers' root", 1)
OTHER_ROOT: Final = root("Another root", 2)


def certified(*hosts: str, by: Party = ROOT, number: int = 3, days: tuple[int, int] = (-1, 30)) -> Party:
    extensions = [(names(*hosts), False), (usage(signatures=True), True)]
    return certify("A lender", secret(number), by, extensions=extensions, days=days)


def key_of(party: Party) -> P256Key:
    assert isinstance(party.key, ec.EllipticCurvePrivateKey)
    return P256Key.from_secret(party.key.private_numbers().private_value.to_bytes(32, "big"))


def dcql(*claims: str) -> Json:
    """A query as the verifier's own command makes it."""
    made = request(*claims)
    return {"credentials": [_query_json(query) for query in made.queries]}


def _query_json(query: CredentialQuery) -> Json:
    types: list[Json] = [list[Json](sorted(one)) for one in query.types]
    claims: list[Json] = [
        {"id": one.id, "path": list(one.path), **({"values": list(one.values)} if one.values else {})}
        for one in query.claims
    ]
    members: dict[str, Json] = {"id": query.id, "format": query.format, "meta": {"type_values": types}}
    return {**members, "claims": claims} if claims else members


@dataclass
class Verifier:
    """What it asks, how, and what came."""

    base: str = ""  # http://localhost:PORT
    members: dict[str, Json] = field(default_factory=dict)  # beside or instead of what a right request has
    header: dict[str, Json] = field(default_factory=dict)
    key: Any = None
    reply: Callable[[], web.Response] = lambda: web.json_response({})
    serve: Callable[[str], web.Response] | None = None  # instead of the signed request object
    document: Json = None  # at /.well-known/did.json
    asked: list[dict[str, str]] = field(default_factory=list)  # forms that came to /request
    seen: list[str] = field(default_factory=list)  # every path that was asked
    got: list[bytes] = field(default_factory=list)

    def request(self, **more: Json) -> dict[str, Json]:
        members: dict[str, Json] = {
            "response_type": "vp_token",
            "response_mode": "direct_post",
            "response_uri": f"{self.base}/response",
            "nonce": NONCE,
            "state": "of-this-session",
            "dcql_query": dcql(),
            "purpose": {"code": "credit.consumer.eu", "necessity": "", "retentionDays": 30},
            **more,
            **self.members,
        }
        return {name: value for name, value in members.items() if value is not None}

    def by_certificate(self, party: Party, client: str = "x509_san_dns:localhost") -> None:
        self.members["client_id"], self.header, self.key = client, {"x5c": [party.x5c]}, key_of(party)

    def by_did(self, key: Any, did: str = "", kid: str = "") -> None:
        self.members["client_id"] = f"decentralized_identifier:{did or key.did}"
        self.header, self.key = {"kid": kid or key.verification_method}, key

    def signed(self, **more: Json) -> str:
        return sign_request(self.request(**more), key=self.key, header=self.header)

    def link(self, **more: Json) -> str:
        """A link by reference."""
        return request_link({"client_id": self.members["client_id"], "request_uri": f"{self.base}/request", **more})

    def plain(self, **more: Json) -> str:
        """A link by value, signed by nobody."""
        return request_link({**self.request(), "client_id": f"redirect_uri:{self.base}/response", **more})

    def received(self, *keys: DecryptionKey) -> Received:
        (raw,) = self.got
        return parse_response(raw, keys=keys)

    def app(self, base: str) -> web.Application:
        """Its pages, once it is known where they are."""
        self.base = f"http://localhost:{base.rpartition(':')[2]}"
        application = web.Application(client_max_size=8 << 20)
        application.router.add_route("*", "/request", self.answer_request)
        application.router.add_post("/response", self.take)
        application.router.add_get("/.well-known/did.json", self.show_document)
        return application

    async def answer_request(self, asked: web.Request) -> web.Response:
        self.seen.append(asked.path)
        form = parse_form(await asked.read()) if asked.method == "POST" else {}
        self.asked.append(form)
        more: dict[str, Json] = {"wallet_nonce": form["wallet_nonce"]} if "wallet_nonce" in form else {}
        if self.serve is not None:
            return self.serve(self.base)
        return web.Response(body=self.signed(**more).encode(), headers={"Content-Type": REQUEST_TYPE})

    async def take(self, asked: web.Request) -> web.Response:
        self.seen.append(asked.path)
        self.got.append(await asked.read())
        return self.reply()

    async def show_document(self, asked: web.Request) -> web.Response:
        self.seen.append(asked.path)
        return web.json_response(self.document) if self.document else web.Response(status=404)


@asynccontextmanager
async def verifying() -> AsyncIterator[Verifier]:
    """A verifier on this machine, until the block ends."""
    verifier = Verifier()
    async with serving(verifier.app):
        yield verifier


def stocked(folder: Path, *kinds: str) -> Shelf:
    """A vault with one bound copy of each type; the caller closes it."""
    shelf = Shelf(create(folder / "vault.db"))
    (key,) = shelf.make_keys(1, rand=os.urandom)
    put(shelf, key, *(kinds or ("Earnings",)))
    return shelf


def put(shelf: Shelf, key: HolderKey, *kinds: str) -> None:
    received = [
        receive(credential(kind, holder=key), own={key.did}, contexts=CONTEXTS, at=AT, where=kind) for kind in kinds
    ]
    shelf.add(received, at=AT, rand=os.urandom)
