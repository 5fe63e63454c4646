"""Requests that come over HTTP, and the answers that go back: verifiers that are right, and each way of being wrong."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.line import AT, Shown, answer, checked
from tests.verifying import NONCE, OTHER_ROOT, ROOT, Verifier, certified, stocked, verifying
from vc.canon import Json
from vc.client_id import Voucher
from vc.errors import Malformed, Rejected, Undetermined, Unsupported, VcError
from vc.io.fetch import fetch
from vc.jwe import DecryptionKey
from vc.keys import Ed25519Key, P256Key
from vc.oid4vp import parse_answer
from vc.request_object import REQUEST_TYPE, request_link
from vc.x5c import certificate_thumbprint
from wallet.choose import plan
from wallet.delivery import deliver, record_again, record_failure, was_answered
from wallet.ledger import answer_to
from wallet.online import Asked, read_request, send_answer, send_refusal
from wallet.shelf import Shelf
from work import CONTEXTS


@pytest.fixture
async def verifier() -> AsyncIterator[Verifier]:
    async with verifying() as one:
        one.by_certificate(certified("localhost"))
        yield one


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    one = stocked(tmp_path)
    with one.vault:
        yield one


async def read(link: str, *, roots: Any = (ROOT.certificate,), private: bool = True, at: Any = AT) -> Asked:
    return await read_request(link, ask=fetch, private=private, roots=roots, at=at, rand=os.urandom)


# ---- who asks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post"])
async def test_a_signed_request_that_is_fetched(verifier: Verifier, method: str) -> None:
    asked = await read(verifier.link(request_uri_method=method))
    assert (asked.client.voucher, asked.client.id.name, asked.client.by) == (
        Voucher.ROOT,
        "localhost",
        "CN=Verifiers' root",
    )
    assert (asked.reply_to.uri, asked.reply_to.state) == (f"{verifier.base}/response", "of-this-session")
    assert (asked.request.nonce, asked.request.client_id) == (NONCE, "x509_san_dns:localhost")
    (form,) = verifier.asked
    assert ("wallet_nonce" in form, "wallet_metadata" in form) == (method == "post", method == "post")
    if method == "post":
        metadata = json.loads(form["wallet_metadata"])
        assert {"direct_post", "direct_post.jwt"} == set(metadata["response_modes_supported"])


async def test_what_means_nothing_in_a_request_that_came_by_link(verifier: Verifier) -> None:
    verifier.members |= {"iss": "somebody", "expected_origins": ["https://a.example"], "unknown": {"a": 1}}
    verifier.members["aud"] = ["https://wallet.example", "https://self-issued.me/v2"]
    assert (await read(verifier.link())).client.voucher is Voucher.ROOT


async def test_without_roots_a_certificate_speaks_for_itself(verifier: Verifier) -> None:
    asked = await read(verifier.link(), roots=())
    assert (asked.client.voucher, asked.client.by) == (Voucher.ITSELF, "")


async def test_a_client_by_the_hash_of_its_certificate(verifier: Verifier) -> None:
    party = certified("elsewhere.example")
    verifier.by_certificate(party, f"x509_hash:{certificate_thumbprint(party.certificate)}")
    assert (await read(verifier.link())).client.voucher is Voucher.ROOT
    verifier.by_certificate(certified("elsewhere.example", number=4), str(verifier.members["client_id"]))
    with pytest.raises(Rejected, match="not the one that the client_id names"):
        await read(verifier.link())


@pytest.mark.parametrize(
    "key", [Ed25519Key.from_seed(bytes(32)), P256Key.from_secret(bytes(31) + b"\1")], ids=["ed", "p"]
)
async def test_a_client_by_a_did_that_is_its_key(verifier: Verifier, key: Any) -> None:
    verifier.by_did(key)
    assert (await read(verifier.link())).client.voucher is Voucher.DID
    other = Ed25519Key.from_seed(b"1" * 32)
    verifier.by_did(other, did=key.did)
    with pytest.raises(Rejected, match="not one of the DID in the client_id"):
        await read(verifier.link())
    verifier.by_did(other, did=key.did, kid=key.verification_method)
    with pytest.raises(Rejected):
        await read(verifier.link())


@pytest.mark.parametrize("purpose", ["authentication", "assertionMethod"])
async def test_a_client_by_a_did_of_its_host(verifier: Verifier, purpose: str) -> None:
    did = f"did:web:localhost%3A{verifier.base.rpartition(':')[2]}"
    key = Ed25519Key.from_seed(bytes(32), f"{did}#1")
    method: Json = {"id": f"{did}#1", "type": "Multikey", "controller": did, "publicKeyMultibase": key.public.multikey}
    verifier.document = {"id": did, "verificationMethod": [method], purpose: [f"{did}#1"]}
    verifier.by_did(key)
    assert (await read(verifier.link())).client.voucher is Voucher.DID
    assert verifier.seen == ["/request", "/.well-known/did.json"]
    verifier.document = None
    with pytest.raises(Rejected, match="says no"):
        await read(verifier.link())


async def test_a_did_of_another_private_host_is_not_asked(verifier: Verifier) -> None:
    did = f"did:web:127.0.0.1.nip.io%3A{verifier.base.rpartition(':')[2]}"
    verifier.by_did(Ed25519Key.from_seed(bytes(32), f"{did}#1"))
    with pytest.raises(VcError):
        await read(verifier.link())
    assert verifier.seen == ["/request"]


async def test_a_request_in_the_link_itself(verifier: Verifier) -> None:
    asked = await read(verifier.plain())
    assert (asked.client.voucher, asked.client.id.prefix) == (Voucher.NOBODY, "redirect_uri")
    assert asked.request.extra["purpose"] == {"code": "credit.consumer.eu", "necessity": "", "retentionDays": 30}
    named = await read(request_link({**verifier.request(), "client_id": "lender.example"}))
    assert (named.client.voucher, named.client.id.prefix, named.client.id.name) == (
        Voucher.NOBODY,
        "",
        "lender.example",
    )
    assert verifier.seen == []


async def test_a_signed_request_in_the_link_goes_to_no_private_address(verifier: Verifier) -> None:
    """The worker cannot see where it leads."""
    verifier.members["response_uri"] = "https://localhost/response"
    link = request_link({"client_id": "x509_san_dns:localhost", "request": verifier.signed()})
    asked = await read(link)
    assert asked.client.voucher is Voucher.ROOT
    with pytest.raises((Malformed, Undetermined)) as refused:
        await send_answer(asked, {"vp_token": {}}, ask=fetch)
    assert refused.value.code == "FORBIDDEN_ADDRESS"


# ---- verifiers that are not what they say ----------------------------------------------------------------------------


TRANSACTION: Json = "eyJ0eXBlIjoicGF5bWVudCIsImNyZWRlbnRpYWxfaWRzIjpbImEiXX0"  # {"type":"payment",…}
EVERYTHING: Json = {"credentials": [{"format": "ldp_vc", "meta": {}, "id": f"q{number}"} for number in range(17)]}
WRONG_MEMBERS: list[tuple[str, Json, str]] = [
    ("response_uri", "https://other.example/response", "CLIENT_MISMATCH"),
    ("response_uri", "http://localhost:1/response", "MALFORMED"),
    ("response_uri", "https://user@localhost/response", "MALFORMED"),
    ("response_uri", None, "MALFORMED"),
    ("redirect_uri", "https://localhost/go", "MALFORMED"),
    ("exp", int((AT - timedelta(minutes=1)).timestamp()), "EXPIRED"),
    ("nbf", int((AT + timedelta(hours=1)).timestamp()), "NOT_YET_VALID"),
    ("iat", int((AT + timedelta(hours=1)).timestamp()), "NOT_YET_VALID"),
    ("aud", "https://wallet.example", "AUDIENCE_MISMATCH"),
    ("request_uri", "https://localhost/again", "MALFORMED"),
    ("response_mode", "fragment", "UNSUPPORTED_RESPONSE_MODE"),
    ("response_mode", None, "UNSUPPORTED_RESPONSE_MODE"),
    ("response_mode", "direct_post.jwt", "UNSUPPORTED_KEY"),  # and no key
    ("transaction_data", [TRANSACTION], "TRANSACTION_UNKNOWN"),
    ("scope", "also", "MALFORMED"),
    ("state", "a" * 3000, "MALFORMED"),
    ("dcql_query", EVERYTHING, "MALFORMED"),
]


@pytest.mark.parametrize(("name", "value", "code"), WRONG_MEMBERS)
async def test_a_wrong_request_is_refused_and_nothing_is_sent(
    verifier: Verifier, name: str, value: Json, code: str
) -> None:
    verifier.members[name] = value
    with pytest.raises(VcError) as refused:
        await read(verifier.link())
    assert _code(refused.value) == code
    assert verifier.got == []
    assert name != "transaction_data" or "(payment)" in str(refused.value)


async def test_a_certificate_that_is_not_who_asks(verifier: Verifier) -> None:
    for party, code in (
        (certified("other.example"), "CLIENT_MISMATCH"),
        (certified("*.localhost", "host"), "CLIENT_MISMATCH"),
        (certified("localhost", by=OTHER_ROOT), "CHAIN_INVALID"),
    ):
        verifier.by_certificate(party)
        assert await _refusal(verifier.link()) == code
    verifier.by_certificate(certified("localhost"))
    verifier.key = P256Key.from_secret(bytes(31) + b"\7")
    assert await _refusal(verifier.link()) == "PROOF_INVALID"
    verifier.header = {}
    assert await _refusal(verifier.link()) == "BAD_CERTIFICATE"
    assert verifier.got == []


async def test_a_request_in_another_name_than_its_link(verifier: Verifier) -> None:
    link = verifier.link()
    verifier.members["client_id"] = "x509_san_dns:other.example"
    assert await _refusal(link) == "CLIENT_MISMATCH"


async def test_a_request_that_was_not_made_for_this_wallet(verifier: Verifier) -> None:
    verifier.members["wallet_nonce"] = "not-the-one-that-was-sent"
    assert await _refusal(verifier.link(request_uri_method="post")) == "NONCE_MISMATCH"


@pytest.mark.parametrize(
    "link",
    [
        "openid4vp://",
        "openid4vp://?client_id=",
        "no-link-at-all",
        "://?client_id=a",
        "openid4vp://?client_id=a&client_id=b",
        "openid4vp://?client_id=x509_san_dns:a&request=a&request_uri=https://a.example",
        "openid4vp://?client_id=x509_san_dns:a&request_uri_method=post",
        "openid4vp://?client_id=x509_san_dns:a&request_uri=https://a.example&request_uri_method=PUT",
        "openid4vp://?client_id=x509_san_dns:a&request_uri=ftp://a.example/x",
        "openid4vp://?client_id=x509_san_dns:a&request_uri=nowhere",
        "openid4vp://?client_id=a&response_type=vp_token&dcql_query=[",
        "openid4vp://?client_id=a&response_type=vp_token&nonce=0123456789abcdef&dcql_query={}",
        "openid4vp://[?client_id=a",
        "openid4vp://?client_id=" + "a" * (1 << 20),
    ],
)
async def test_what_is_no_link_with_a_request(link: str) -> None:
    with pytest.raises(VcError):
        await read(link)


async def _refusal(link: str) -> str:
    with pytest.raises(VcError) as refused:
        await read(link)
    return _code(refused.value)


def _code(error: VcError) -> str:
    return error.findings[0].code if isinstance(error, Rejected) else error.code


async def test_a_certificate_that_has_ended_says_nothing_even_of_itself(verifier: Verifier) -> None:
    with pytest.raises(Rejected, match="not valid now"):
        await read(verifier.link(), roots=(), at=AT + timedelta(days=60))


@pytest.mark.parametrize(
    "client",
    ["verifier_attestation:a", "openid_federation:https://a.example", "origin:https://a.example",
     "decentralized_identifier:did:ion:abc"],
)  # fmt: skip
async def test_ways_of_being_known_that_this_wallet_has_not(verifier: Verifier, client: str) -> None:
    verifier.members["client_id"] = client
    with pytest.raises(Unsupported) as refused:
        await read(verifier.link())
    assert client.split(":")[0 if "did" not in client else 2] in str(refused.value)
    assert verifier.got == []


@pytest.mark.parametrize("client", ["lender.example", "redirect_uri:{base}/response"])
async def test_what_is_fetched_has_to_be_signed(verifier: Verifier, client: str) -> None:
    verifier.members["client_id"] = client.format(base=verifier.base)
    with pytest.raises(Rejected, match="has to be signed"):
        await read(verifier.link())
    assert verifier.seen == []


@pytest.mark.parametrize("client", ["x509_san_dns:localhost", "x509_hash:abc", "decentralized_identifier:did:key:z6Mk"])
async def test_whoever_can_sign_has_to(verifier: Verifier, client: str) -> None:
    with pytest.raises(Rejected, match="has to be signed"):
        await read(verifier.plain(client_id=client))


async def test_an_unsigned_request_answers_to_its_own_name_only(verifier: Verifier) -> None:
    link = verifier.plain(client_id="redirect_uri:https://lender.example/response")
    with pytest.raises(Rejected, match="would go to localhost"):
        await read(link)


@pytest.mark.parametrize(
    ("serve", "code"),
    [
        (lambda base: web.Response(status=302, headers={"Location": f"{base}/request"}), "REDIRECTED"),
        (lambda _: web.Response(body=b"a" * (1 << 19), headers={"Content-Type": REQUEST_TYPE}), "TOO_LARGE"),
        (lambda _: web.Response(text="eyJ.e30.", content_type="application/jwt"), "NOT_A_REQUEST"),
        (lambda _: web.Response(body="é.é.é".encode(), headers={"Content-Type": REQUEST_TYPE}), "BAD_JWS"),
        (lambda _: web.Response(body=b"{}", headers={"Content-Type": REQUEST_TYPE}), "BAD_JWS"),
        (lambda _: web.Response(body=b"eyJhbGciOiJub25lIn0.e30.", headers={"Content-Type": REQUEST_TYPE}),
         "UNSUPPORTED_SUITE"),
        (lambda _: web.Response(status=404), "VERIFIER_REFUSED"),
        (lambda _: web.Response(status=500), "VERIFIER_DOWN"),
    ],
)  # fmt: skip
async def test_an_address_that_answers_with_something_else(verifier: Verifier, serve: Any, code: str) -> None:
    verifier.serve = serve
    with pytest.raises(VcError) as refused:
        await read(verifier.link())
    assert _code(refused.value) == code
    assert verifier.seen == ["/request"]  # once: no redirect is followed


async def test_a_private_address_that_the_worker_did_not_type(verifier: Verifier) -> None:
    with pytest.raises(Malformed) as refused:
        await read(verifier.link(), private=False)
    assert refused.value.code in ("BAD_URL", "FORBIDDEN_ADDRESS")
    assert verifier.seen == []
    for uri in ("https://10.0.0.1/response", "https://169.254.169.254/response", "https://[::1]/response"):
        verifier.by_did(Ed25519Key.from_seed(bytes(32)))
        verifier.members["response_uri"] = uri
        asked = await read(verifier.link())
        with pytest.raises(Malformed) as refused:
            await send_answer(asked, {"vp_token": {}}, ask=fetch)
        assert refused.value.code == "FORBIDDEN_ADDRESS"


# ---- the answer ------------------------------------------------------------------------------------------------------


async def test_an_answer_as_it_is(verifier: Verifier) -> None:
    verifier.reply = lambda: web.json_response({"redirect_uri": "https://lender.example/go#code=1", "more": 1})
    asked = await read(verifier.link())
    made = answer(asked.request)
    assert await send_answer(asked, made, ask=fetch) == "https://lender.example/go#code=1"
    received = verifier.received()
    assert (received.state, received.error) == ("of-this-session", None)
    assert received.answer is not None
    assert parse_answer(received.answer, asked.request) == {"Earnings": tuple(made["vp_token"]["Earnings"])}
    assert checked(Shown(asked.request, json.loads(received.answer))).credentials


@pytest.mark.parametrize(("listed", "enc"), [(None, "A128GCM"), (["x", "A256GCM", "A128GCM"], "A256GCM")])
async def test_an_encrypted_answer(verifier: Verifier, listed: Json, enc: str) -> None:
    key = DecryptionKey.generate(os.urandom)
    foreign: Json = {"kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB", "alg": "RSA-OAEP", "use": "enc"}
    signing: Json = {**key.jwk, "use": "sig", "kid": "s"}
    metadata: dict[str, Json] = {"jwks": {"keys": [foreign, signing, key.jwk]}}
    metadata |= {"encrypted_response_enc_values_supported": listed} if listed else {}
    verifier.members |= {"response_mode": "direct_post.jwt", "client_metadata": metadata}
    asked = await read(verifier.link())
    assert asked.reply_to.recipient is not None
    assert (asked.reply_to.recipient.enc, asked.reply_to.recipient.jwk["kid"]) == (enc, key.kid)
    made = answer(asked.request)
    await send_answer(asked, made, ask=fetch)
    assert b"vp_token" not in verifier.got[0]
    received = verifier.received(key)
    assert received.state == "of-this-session"
    assert json.loads(received.answer or b"") == made
    with pytest.raises(Rejected):
        verifier.received(DecryptionKey.generate(os.urandom))


async def test_who_wants_encryption_takes_nothing_else(verifier: Verifier) -> None:
    asked = await read(verifier.link())
    await send_answer(asked, {"vp_token": {}}, ask=fetch)
    with pytest.raises(Malformed, match="encrypted"):
        verifier.received(DecryptionKey.generate(os.urandom))


async def test_a_no_says_nothing_else(verifier: Verifier) -> None:
    asked = await read(verifier.link())
    await send_refusal(asked, ask=fetch)
    received = verifier.received()
    assert (received.answer, received.error, received.state) == (None, "access_denied", "of-this-session")


@pytest.mark.parametrize(
    "uri",
    ["javascript:alert(1)", "https://a.example/\nb", "https://a.example/ b", 5, "https://a.example/" + "a" * 3000],
)
async def test_an_address_to_go_on_that_is_none(verifier: Verifier, uri: Any) -> None:
    verifier.reply = lambda: web.json_response({"redirect_uri": uri})
    assert await send_answer(await read(verifier.link()), {"vp_token": {}}, ask=fetch) is None


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (lambda: web.json_response({"error": "invalid_request"}, status=400), "VERIFIER_REFUSED"),
        (lambda: web.Response(status=503), "VERIFIER_DOWN"),
        (lambda: web.Response(status=307, headers={"Location": "/response"}), "REDIRECTED"),
        (lambda: web.Response(body=b"a" * (1 << 17)), "TOO_LARGE"),
    ],
)
async def test_an_answer_that_is_not_taken_stands_in_the_ledger_twice(
    verifier: Verifier, shelf: Shelf, reply: Any, code: str
) -> None:
    verifier.reply = reply
    asked = await read(verifier.link())
    made = plan(asked.request, shelf.copies(), contexts=CONTEXTS, at=AT)
    shelf.record(asked.request, made.proposals, at=AT, rand=os.urandom)

    async def write(why: str) -> None:
        record_failure(shelf, asked.request, why, at=AT, rand=os.urandom)

    with pytest.raises(VcError) as refused:
        await deliver(asked, {"vp_token": {}}, ask=fetch, write_failure=write)
    assert _code(refused.value) == code
    assert len(verifier.got) == 1  # what was sent is not sent again
    first, second = shelf.ledger()  # which checks the chain
    assert (second["notDelivered"], second["shown"], second["verifier"]) == (first["number"], [], first["verifier"])
    assert len(str(second["why"])) > 10
    record_again(shelf, asked.request, at=AT, rand=os.urandom)
    await write("and again")
    *_, third, fourth = shelf.ledger()
    assert (third["shown"], fourth["notDelivered"]) == (first["shown"], third["number"])


async def test_a_request_that_comes_again_is_known(verifier: Verifier, shelf: Shelf) -> None:
    asked = await read(verifier.link())
    assert not was_answered(shelf, asked.request)
    made = plan(asked.request, shelf.copies(), contexts=CONTEXTS, at=AT)
    shelf.record(asked.request, made.proposals, at=AT, rand=os.urandom)
    again = await read(verifier.link())
    assert was_answered(shelf, again.request)
    assert not was_answered(shelf, replace(again.request, nonce="another-nonce-of-it"))
    assert answer_to(shelf.ledger(), replace(again.request, client_id="other")) is None
