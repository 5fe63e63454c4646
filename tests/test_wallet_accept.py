"""Our wallet takes what our issuer offers, over real HTTP; and what it says to an issuer that lies."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import web
from yarl import URL

from issuer.config import Config
from issuer.deps import DEPS, Deps
from issuer.keyring import KeyRing
from issuer.keys import Role, new_key
from issuer.offers import Made, TxCode, make_offer
from issuer.service import make
from tests.databases import *  # noqa: F403
from tests.databases import sample_statements
from tests.issuing import AT, BBS, SD, Clock, Running, attest, new_ring, running
from tests.line import Shown, checked, holder_key, request
from tests.line import credential as signed
from tests.test_vcapi_http import serving
from tests.vaults import create, reopen
from vc.canon import Json, to_json
from vc.errors import Malformed, Rejected, Undetermined, Unsupported, VcError
from vc.io.fetch import Fetched, fetch
from vc.offer import AUTHORIZATION_CODE, PRE_AUTHORIZED
from vc.oid4vp import Request
from vc.trust import Trust, parse_trust
from wallet.accept import read_offer
from wallet.choose import plan
from wallet.collect import Collected, collect
from wallet.formats import FORMATS
from wallet.issuer_session import Ask
from wallet.present import present
from wallet.shelf import Shelf
from work import CONTEXTS

RATING: Final = "Rating_bbs-2023"


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with create(tmp_path / "vault.db") as vault:
        yield Shelf(vault)


def offered(service: Running, *names: str, grant: str = PRE_AUTHORIZED, **more: Any) -> Made:
    with service.deps.database.write() as connection:
        return make_offer(
            connection,
            "worker-1",
            names or (BBS,),
            base=service.base,
            grants=(grant,),
            lifetime=600,
            now=service.deps.seconds,
            rand=os.urandom,
            **{"tx_code": None, **more},
        )


async def take(
    shelf: Shelf,
    link: str,
    clock: Clock,
    *,
    ask: Ask = fetch,
    tx_code: str | None = None,
    copies: int = 2,
    formats: Collection[str] = FORMATS,
) -> Collected:
    offer = await read_offer(link, ask=ask)
    return await collect(
        shelf,
        offer,
        ask=ask,
        tx_code=tx_code,
        copies=copies,
        contexts=CONTEXTS,
        now=clock,
        rand=os.urandom,
        formats=formats,
    )


# ---- what is offered -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/work"])
@pytest.mark.parametrize("by_value", [False, True])
async def test_copies_of_what_is_offered_are_kept_each_with_a_key_of_its_own(
    database: Any, shelf: Shelf, path: str, *, by_value: bool
) -> None:
    attest(database)
    async with running(database, path=path) as service:
        got = await take(shelf, offered(service, by_value=by_value).link, service.clock, copies=3)
    assert got.to_json() == {"issuer": service.base, "added": 3, "deferred": [], "leftOut": {}, "told": True}
    held = shelf.copies()
    assert len({one.statement for one in held}) == 1
    assert {one.holder for one in held} == {key.did for key in shelf.signing_keys()}
    assert len(held) == len(shelf.signing_keys()) == 3


async def test_a_second_offer_for_the_same_statement_gives_more_copies(database: Any, shelf: Shelf) -> None:
    """The first keys have their copies, and the issuer has erased its own: they would get none any more."""
    attest(database)
    async with running(database) as service:
        for _ in range(2):
            assert (await take(shelf, offered(service).link, service.clock)).added == 2
    held = shelf.copies()
    assert (len(held), len({one.holder for one in held}), len({one.statement for one in held})) == (4, 4, 1)


async def test_no_more_copies_are_asked_for_than_the_issuer_gives_at_once(database: Any, shelf: Shelf) -> None:
    attest(database)
    async with running(database, batch_size=1) as service:
        assert (await take(shelf, offered(service).link, service.clock, copies=5)).added == 1


async def test_the_code_that_came_beside_the_offer(database: Any, shelf: Shelf) -> None:
    attest(database)
    async with running(database) as service:
        made = offered(service, tx_code=TxCode.NUMERIC)
        assert made.tx_code is not None
        wrong = f"{(int(made.tx_code) + 1) % 1_000_000:06}"
        for code in (wrong, None):
            with pytest.raises(Rejected, match=r"the token endpoint: (the offer was used|invalid_request)"):
                await take(shelf, made.link, service.clock, tx_code=code)
        assert shelf.copies() == ()
        assert (await take(shelf, made.link, service.clock, tx_code=made.tx_code)).added == 2


async def test_what_somebody_has_to_approve_is_named_and_the_rest_is_kept(database: Any, shelf: Shelf) -> None:
    sample_statements(database)
    async with running(database, hold=("Rating",)) as service:
        got = await take(shelf, offered(service, BBS, RATING).link, service.clock)
    assert (got.added, got.deferred) == (2, (RATING,))
    assert {one.credential.types[-1] for one in shelf.copies()} == {"EarningsCredential"}


async def test_an_offer_can_be_used_once(database: Any, shelf: Shelf) -> None:
    attest(database)
    async with running(database) as service:
        made = offered(service, by_value=True)
        await take(shelf, made.link, service.clock)
        with pytest.raises(Rejected, match="the offer was used, is too old, or the code is wrong"):
            await take(shelf, made.link, service.clock)
        by_reference = offered(service)
        await take(shelf, by_reference.link, service.clock)
        with pytest.raises(Rejected, match="the offer was used, is too old, or the code is wrong"):
            await take(shelf, by_reference.link, service.clock)
    assert len(shelf.copies()) == 4


async def test_offers_with_nothing_for_this_wallet(database: Any, shelf: Shelf) -> None:
    attest(database)
    async with running(database) as service:
        with pytest.raises(Unsupported, match="log in with the platform first"):
            await take(shelf, offered(service, grant=AUTHORIZATION_CODE).link, service.clock)
        with pytest.raises(
            Unsupported, match=r"none of its credentials is in a format that is wanted .bbs-2023, sd-jwt."
        ):
            await take(shelf, offered(service, SD).link, service.clock, formats=("sd-jwt", "bbs-2023"))
    assert shelf.signing_keys() == ()


# ---- an issuer by did:web or did:webvh -------------------------------------------------------------------------------


@dataclass
class Held:
    """A ring that a test can replace while the service runs."""

    ring: KeyRing

    def __call__(self) -> KeyRing:
        return self.ring


@asynccontextmanager
async def going_by(
    database: Any, method: str, *, path: str = "", host: str = "localhost", elsewhere: str = ""
) -> AsyncIterator[tuple[Running, Held]]:
    """A service on ``localhost`` whose keys go by a DID of that host, or of ``elsewhere``."""
    made: list[Any] = []
    clock = Clock()

    def app(base: str) -> web.Application:
        port = base.rpartition(":")[2]
        named = elsewhere or f"{host}:{port}{path}"
        held = Held(new_ring().identified(method, named, at=AT - timedelta(days=2), rand=os.urandom))
        config = Config(base=f"http://localhost:{port}{path}", k=1)
        application = make(Deps(config, database, held, clock, os.urandom), tasks=())
        made.extend((application, held))
        return application

    async with serving(app) as (_, session):
        yield Running(made[0][DEPS], clock, session, made[0]), made[1]


def told(ring: KeyRing) -> Trust:
    """What a verifier trusts that was given the output of ``ouvrage issuer keys --json``."""
    named = replace(ring, legal_identifier="SIREN 000")
    document: dict[str, Json] = {
        "type": "OuvrageTrust",
        "version": 1,
        "asOf": "2026-11-24T00:00:00Z",
        "issuers": [named.entry(["EarningsCredential"], AT)],
        "public": [],
        "documents": named.documents(AT),
    }
    return parse_trust(to_json(document), contexts=CONTEXTS)


def shown(shelf: Shelf, asked: Request) -> bytes:
    """The wallet's answer: no network is in its arguments, so none is asked."""
    (proposal,) = plan(asked, shelf.copies(), contexts=CONTEXTS, at=AT).proposals
    key = next(key for key in shelf.signing_keys() if key.did == proposal.copy.holder)
    answer = present(proposal, request=asked, key=key, contexts=CONTEXTS, at=AT, rand=os.urandom)
    return to_json({"vp_token": {proposal.query.id: [answer]}})


@pytest.mark.parametrize("path", ["", "/work"])
@pytest.mark.parametrize("method", ["web", "webvh"])
async def test_credentials_of_an_issuer_with_a_did_of_its_host(
    database: Any, tmp_path: Path, method: str, path: str
) -> None:
    attest(database)
    with create(tmp_path / "vault.db") as vault:
        async with going_by(database, method, path=path) as (service, held):
            got = await take(Shelf(vault), offered(service).link, service.clock)
            assert got.added == 2
    with reopen(tmp_path / "vault.db") as vault:  # another day, and the platform is gone
        kept = Shelf(vault)
        assert all(one.credential.issuer.startswith(f"did:{method}:") for one in kept.copies())
        asked = request()
        raw = shown(kept, asked)
        verified = checked(Shown(asked, json.loads(raw)), trusted=told(held.ring))
        assert [one.issuer and one.issuer.name for one in verified.credentials] == ["Plateforme"]
        with pytest.raises(VcError):  # nobody is trusted by the document that the wallet keeps
            checked(Shown(asked, json.loads(raw)), trusted=told(new_ring()))


async def test_a_credential_is_shown_with_the_document_that_it_came_with(database: Any, shelf: Shelf) -> None:
    """The issuer takes another key: a newer document stands beside the older one, each with its credentials."""
    attest(database)
    async with going_by(database, "web") as (service, held):
        await take(shelf, offered(service).link, service.clock, copies=1)
        before = held.ring
        held.ring = before.rotated(
            Role.CREDENTIALS, new_key(Role.CREDENTIALS, None, os.urandom), at=AT, days=0, rand=os.urandom
        ).killed("credentials-1", at=AT, rand=os.urandom)
        attest(database, sourceMethod="dsarImport")
        await take(shelf, offered(service).link, service.clock, copies=1)
    older, newer = (one.credential.proofs[0].verification_method.partition("#")[2] for one in shelf.copies())
    assert older != newer
    for one in shelf.copies():
        (proposal,) = plan(request(), [one], contexts=CONTEXTS, at=AT).proposals
        key = next(key for key in shelf.signing_keys() if key.did == one.holder)
        assert present(proposal, request=request(), key=key, contexts=CONTEXTS, at=AT, rand=os.urandom)


async def test_a_document_is_kept_once_for_all_copies(database: Any, shelf: Shelf) -> None:
    attest(database)
    async with going_by(database, "web") as (service, _):
        for _ in range(2):
            await take(shelf, offered(service).link, service.clock, copies=3)
    assert (len(shelf.copies()), len(shelf.vault.items("issuer"))) == (6, 1)


@pytest.mark.parametrize("elsewhere", ["other.example", "localhost", "localhost:1", "localhost.example:8000"])
@pytest.mark.parametrize("method", ["web", "webvh"])
async def test_a_did_of_another_host_than_the_offers_is_refused_and_not_asked(
    database: Any, shelf: Shelf, method: str, elsewhere: str
) -> None:
    attest(database)
    async with going_by(database, method, elsewhere=elsewhere) as (service, _):
        ask = Between()
        with pytest.raises(Rejected, match=r"signed in the name of .*, but the offer is of .*: nothing was kept"):
            await take(shelf, offered(service).link, service.clock, ask=ask)
    assert all(url.startswith(service.base) for url in ask.asked)
    assert shelf.copies() == ()


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (Fetched(404, {}, b""), Undetermined, "the document with the issuer's keys is not at http"),
        (Fetched(302, {"location": "https://other.example/"}, b""), Malformed, "leads elsewhere"),
        (Fetched(200, {}, b"<html>"), Malformed, "DID document"),
        (Fetched(200, {}, b"\xff"), Malformed, "DID document"),
        (Fetched(200, {}, to_json({"id": "did:web:other.example"})), Malformed, "is about another DID"),
    ],
)
async def test_a_did_document_that_is_none(
    database: Any, shelf: Shelf, answer: Fetched, error: type[VcError], words: str
) -> None:
    attest(database)
    async with going_by(database, "web") as (service, _):
        ask = Between({"did.json": lambda _: answer})
        with pytest.raises(error, match=words):
            await take(shelf, offered(service).link, service.clock, ask=ask)
    assert shelf.copies() == ()


async def test_a_log_that_somebody_changed(database: Any, shelf: Shelf) -> None:
    attest(database)
    async with going_by(database, "webvh") as (service, _):
        ask = Between(
            {"did.jsonl": lambda got: replace(got, body=got.body.replace(b"assertionMethod", b"authentication"))}
        )
        with pytest.raises(Rejected):
            await take(shelf, offered(service).link, service.clock, ask=ask)
    assert shelf.copies() == ()


# ---- an issuer that lies ---------------------------------------------------------------------------------------------


@dataclass
class Between:
    """The road to the issuer, with somebody on it: answers of addresses that end so are changed.

    Answers come in the clear, as from an issuer that offers nothing else: of others, only the issuer could change them.
    """

    changes: dict[str, Callable[[Fetched], Fetched]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)  # events that the issuer was notified of

    def __post_init__(self) -> None:
        clear = said(credential_request_encryption=None, credential_response_encryption=None)
        self.changes = {"openid-credential-issuer": clear, **self.changes}

    async def __call__(self, url: str, **arguments: Any) -> Fetched:
        self.asked.append(url)
        if url.endswith("/notification"):
            self.told.append(json.loads(arguments["body"])["event"])
        answer = await fetch(url, **arguments)
        changes = (change for end, change in self.changes.items() if url.endswith(end))
        return next(changes, lambda same: same)(answer)


def said(**members: Any) -> Callable[[Fetched], Fetched]:
    return lambda got: replace(got, body=to_json({**json.loads(got.body), **members}))


def instead(*documents: Any) -> Callable[[Fetched], Fetched]:
    return said(credentials=[{"credential": document} for document in documents])


def changed(**members: Any) -> Callable[[Fetched], Fetched]:
    def change(got: Fetched) -> Fetched:
        (first, *_) = json.loads(got.body)["credentials"]
        return instead({**first["credential"], **members})(got)

    return change


def first_twice(got: Fetched) -> Fetched:
    (first, *_) = json.loads(got.body)["credentials"]
    return instead(first["credential"], first["credential"], None)(got)


LIES: Final[dict[str, tuple[str, Callable[[Fetched], Fetched], str]]] = {
    "metadata of another issuer": (
        "openid-credential-issuer",
        said(credential_issuer="https://other.example"),
        "the metadata is of another issuer",
    ),
    "metadata of another server": (
        "oauth-authorization-server",
        said(issuer="https://other.example"),
        "the metadata is of another server",
    ),
    "a server elsewhere": (
        "openid-credential-issuer",
        said(authorization_servers=["http://127.0.0.1:9"]),
        "not a URL that begins with https",
    ),
    "no metadata": (
        "openid-credential-issuer",
        lambda _: Fetched(200, {}, b"<html>"),
        "openid-credential-issuer: not JSON",
    ),
    "an error of its own": ("/credential", lambda _: Fetched(503, {}, b"{}"), "answers with an error .503."),
    "a token for anybody": ("/token", said(token_type="Bearer"), "not a token that is bound to this wallet's key"),
    "a token for nothing": ("/token", said(authorization_details=[]), "names no credential"),
    "no credential": ("/credential", instead(), "holds no credential"),
    "no object": ("/credential", instead(7), "credential 1 of http.*: not an object"),
    "no SD-JWT": ("/credential", instead("eyJ"), "credential 1 of http.*: no ~ after the signed part"),
    "another's key": ("/credential", instead(signed(holder=holder_key("other"))), "a key that is not in this wallet"),
    "nobody's key": ("/credential", instead(signed(bound=False)), "bound to no key"),
    "another's name": (
        "/credential",
        changed(issuer=holder_key("other").did),
        "signed by a key that is not the issuer's",
    ),
    "another's host": ("/credential", changed(issuer="did:web:other.example"), "in the name of other.example, but the"),
    "another claim": ("/credential", changed(validUntil="2027-11-30T23:59:59Z"), "not those that were signed"),
    "something else among them": ("/credential", first_twice, "credential 3 of http.*: not an object"),
}


@pytest.mark.parametrize("name", LIES)
async def test_nothing_of_an_issuer_that_lies_is_kept(database: Any, shelf: Shelf, name: str) -> None:
    where, lie, words = LIES[name]
    attest(database)
    async with running(database) as service:
        ask = Between({where: lie})
        with pytest.raises(VcError, match=words):
            await take(shelf, offered(service).link, service.clock, ask=ask)
    assert shelf.copies() == ()
    assert set(ask.told) <= {"credential_failure"}
    assert not (shelf.vault.items("grant") or shelf.vault.items("pending")) or "answers with an error" in words


async def test_endpoints_on_a_private_address_that_nobody_typed(database: Any, shelf: Shelf) -> None:
    """The platform may name any https address for its endpoints; its word opens no door to the worker's network."""
    attest(database)
    async with running(database) as service:
        for name, url in (
            ("credential_endpoint", "https://127.0.0.1:9/credential"),
            ("nonce_endpoint", "http://[::1]:9/"),
        ):
            ask = Between({"openid-credential-issuer": said(**{name: url})})
            with pytest.raises(VcError, match=r"an address that must not be asked|not a URL that begins with https"):
                await take(shelf, offered(service).link, service.clock, ask=ask)
    assert shelf.copies() == ()


async def test_an_offer_from_elsewhere_opens_no_door_either(database: Any, shelf: Shelf) -> None:
    """The link leads to one host; the offer behind it names another one, in the worker's own network."""
    attest(database)
    async with running(database) as service:
        made = offered(service)
        there = Between({"": said(credential_issuer="http://127.0.0.1:9")})
        offer = await read_offer(made.link, ask=there)
        assert (offer.issuer, offer.typed) == ("http://127.0.0.1:9", service.base)
        with pytest.raises(Malformed, match="not a URL that begins with https"):
            await collect(
                shelf,
                offer,
                ask=fetch,
                tx_code=None,
                copies=1,
                contexts=CONTEXTS,
                now=service.clock,
                rand=os.urandom,
            )


async def test_an_authorization_server_of_its_own(database: Any, shelf: Shelf) -> None:
    """Listed by the platform, at another origin, with tokens for it; the second one of two."""
    server, attested = "https://login.example", []
    attest(database)
    async with running(database) as service:

        async def ask(url: str, **arguments: Any) -> Fetched:
            attested.append(url)
            if not url.startswith("https://"):
                got = await fetch(url, **arguments)
                listed = said(authorization_servers=["https://other.example", server])
                return listed(got) if url.endswith("openid-credential-issuer") else got
            assert not arguments["private"]
            if url.startswith("https://other.example"):
                body: Json = {"issuer": "https://other.example", "grant_types_supported": ["implicit"]}
                return Fetched(200, {}, to_json(body))
            got = await fetch(url.replace(server, service.base), **{**arguments, "private": True})
            mine = said(issuer=server, token_endpoint=f"{server}/token", dpop_signing_alg_values_supported=[])
            return mine(got) if "well-known" in url else got

        assert (await take(shelf, offered(service).link, service.clock, ask=ask)).added == 2
    assert f"{server}/token" in attested
    assert f"{service.base}/token" not in attested


@pytest.mark.parametrize("first", [404, 200])
async def test_metadata_behind_the_path_of_an_older_issuer(database: Any, shelf: Shelf, first: int) -> None:
    attest(database)
    async with running(database, path="/work") as service:
        root = service.base.removesuffix("/work")

        async def ask(url: str, **arguments: Any) -> Fetched:
            for name in ("openid-credential-issuer", "oauth-authorization-server"):
                if url == f"{root}/.well-known/{name}/work" and first == 404:
                    return Fetched(404, {}, b"")
                if url == f"{root}/work/.well-known/{name}":
                    return await fetch(f"{root}/.well-known/{name}/work", **arguments)
            return await fetch(url, **arguments)

        assert (await take(shelf, offered(service).link, service.clock, ask=ask)).added == 2


async def test_the_same_copy_twice_is_kept_once(database: Any, shelf: Shelf) -> None:
    attest(database)
    async with running(database) as service:

        def twice(got: Fetched) -> Fetched:
            (first, *_) = json.loads(got.body)["credentials"]
            return instead(first["credential"], first["credential"])(got)

        got = await take(shelf, offered(service).link, service.clock, ask=Between({"/credential": twice}))
    assert (got.added, len(shelf.copies())) == (1, 1)


async def elsewhere(_: web.Request) -> web.Response:
    raise web.HTTPFound("http://127.0.0.1:9/")


async def large(_: web.Request) -> web.Response:
    return web.Response(body=b'{"a":"' + b"a" * (5 << 20) + b'"}', content_type="application/json")


async def endless(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    try:
        while True:
            await answer.write(b" " * (1 << 16))
            await asyncio.sleep(0)
    except ConnectionError:
        return answer


async def hasty(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (elsewhere, "answers with 302, which leads elsewhere"),
        (large, "the answer is longer than 4194304 bytes"),
        (endless, "the answer is longer than 4194304 bytes"),
        (hasty, "could not be asked"),
    ],
)
async def test_an_issuer_that_answers_something_else(shelf: Shelf, handler: Handler, words: str) -> None:
    def app(_: str) -> web.Application:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", handler)
        return application

    async with serving(app) as (base, _):
        offer = {
            "credential_issuer": base,
            "credential_configuration_ids": [BBS],
            "grants": {PRE_AUTHORIZED: {"pre-authorized_code": "code"}},
        }
        link = str(URL("openid-credential-offer://").with_query(credential_offer=json.dumps(offer)))
        with pytest.raises(VcError, match=words):
            await take(shelf, link, Clock())
    assert shelf.copies() == ()
