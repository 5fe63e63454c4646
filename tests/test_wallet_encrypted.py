"""Requests and answers between our wallet and our issuer, encrypted on top of TLS; and issuers that get it wrong."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.databases import *  # noqa: F403
from tests.issuing import BBS, JWT, SD, attest, running
from tests.test_deferred import settle
from tests.test_wallet_accept import offered, take
from tests.test_wallet_refresh import came_back
from tests.vaults import create
from vc.canon import Json, to_json
from vc.errors import Malformed, Rejected, Undetermined, Unsupported, VcError
from vc.io.fetch import Fetched, fetch
from vc.jwe import DecryptionKey, encrypt_jwt
from wallet.encrypted import Sealing
from wallet.issuer_session import MAX_ANSWER
from wallet.shelf import Shelf

KEY: Final = DecryptionKey.generate(os.urandom)
REQUEST: Final = "credential_request_encryption"
RESPONSE: Final = "credential_response_encryption"
HOW: Final[dict[str, Any]] = {"enc_values_supported": ["A256GCM"], "encryption_required": True}


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with create(tmp_path / "vault.db") as vault:
        yield Shelf(vault)


@dataclass
class Listening:
    """The road to the issuer, with somebody who reads all, and perhaps changes what the issuer says."""

    metadata: dict[str, Any] = field(default_factory=dict)
    change: Callable[[Fetched], Fetched] = lambda same: same
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    came: list[tuple[str, bytes]] = field(default_factory=list)

    async def __call__(self, url: str, **arguments: Any) -> Fetched:
        answer = await fetch(url, **arguments)
        if url.endswith("/openid-credential-issuer"):
            return replace(answer, body=to_json({**json.loads(answer.body), **self.metadata}))
        if url.endswith(("/credential", "/deferred")):
            self.sent.append((arguments["headers"]["Content-Type"], arguments["body"]))
            self.came.append((answer.headers["content-type"], answer.body))
            return self.change(answer)
        return answer

    @property
    def is_hidden(self) -> bool:
        """Whether nothing of what was said can be read, on either way."""
        kinds = {kind.partition(";")[0] for kind, _ in self.sent + self.came}
        readable = (b"credential_configuration_id", b"proofs", b"EarningsCredential", b"transaction_id", b"~")
        return kinds == {"application/jwt"} and not any(
            one in body for one in readable for _, body in self.sent + self.came
        )


@pytest.mark.parametrize("required", [True, False])
async def test_nothing_can_be_read_on_the_way_where_the_issuer_offers_that(
    database: Any, shelf: Shelf, *, required: bool
) -> None:
    attest(database)
    async with running(database, require_encryption=required) as service:
        road = Listening()
        assert (await take(shelf, offered(service, BBS, SD, JWT).link, service.clock, ask=road)).added == 6
        assert road.is_hidden
        assert len(road.came) == 3
        renewed = await came_back(shelf, service.clock, ask=road, rebind=True)
        assert (renewed.error, renewed.added) == (None, 6)
        assert road.is_hidden


async def test_what_is_promised_comes_encrypted_too(database: Any, shelf: Shelf) -> None:
    attest(database)
    async with running(database, require_encryption=True, hold=("Earnings",)) as service:
        road = Listening()
        assert (await take(shelf, offered(service).link, service.clock, ask=road)).deferred == (BBS,)
        service.clock.forward(hours=2)
        assert (await came_back(shelf, service.clock, ask=road)).deferred == (BBS,)
        settle(database, "approved")
        service.clock.forward(hours=2)
        done = await came_back(shelf, service.clock, ask=road)
        assert (done.error, done.added) == (None, 2)
    assert len(road.sent) == 3
    assert road.is_hidden


@pytest.mark.parametrize(
    ("metadata", "encrypted"),
    [
        ({REQUEST: None}, (False, False)),  # a key for the answer has to come encrypted
        ({RESPONSE: None}, (True, False)),
        ({REQUEST: None, RESPONSE: None}, (False, False)),
        ({RESPONSE: {**HOW, "alg_values_supported": ["RSA-OAEP"], "encryption_required": False}}, (True, False)),
    ],
)
async def test_as_much_as_can_be_is_encrypted(
    database: Any, shelf: Shelf, metadata: Any, encrypted: tuple[bool, bool]
) -> None:
    attest(database)
    async with running(database) as service:
        road = Listening(metadata)
        assert (await take(shelf, offered(service).link, service.clock, ask=road)).added == 2
    ((sent, _),) = road.sent
    ((came, _),) = road.came
    assert ("jwt" in sent, "jwt" in came) == encrypted


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (
            {REQUEST: None, RESPONSE: {**HOW, "alg_values_supported": ["ECDH-ES"]}},
            "names no key to encrypt the request",
        ),
        ({RESPONSE: {**HOW, "alg_values_supported": ["RSA-OAEP-256"]}}, "answers only encrypted, and in no way"),
        (
            {RESPONSE: {**HOW, "alg_values_supported": ["ECDH-ES"], "enc_values_supported": ["A128CBC-HS256"]}},
            "answers only encrypted, and in no way",
        ),
        ({REQUEST: {**HOW, "jwks": {"keys": []}}}, "takes requests only encrypted, and in no way"),
        ({REQUEST: {**HOW, "jwks": {"keys": [{"kty": "RSA", "kid": "1"}]}}}, "takes requests only encrypted"),
    ],
)
async def test_what_cannot_be_encrypted_is_said_before_the_offer_is_used(
    database: Any, shelf: Shelf, metadata: Any, words: str
) -> None:
    attest(database)
    async with running(database) as service:
        link = offered(service).link
        with pytest.raises(Unsupported, match=words):
            await take(shelf, link, service.clock, ask=Listening(metadata))
        assert (await take(shelf, link, service.clock)).added == 2


def in_the_clear(answer: Fetched) -> Fetched:
    return Fetched(200, {"content-type": "application/json"}, b'{"credentials": [{"credential": {}}]}')


def for_another(answer: Fetched) -> Fetched:
    text = encrypt_jwt({"credentials": [{"credential": {}}]}, jwk=KEY.jwk, enc="A256GCM")
    return Fetched(200, {"content-type": "application/jwt"}, text.encode())


def changed(answer: Fetched) -> Fetched:
    head, rest = answer.body[:-20], answer.body[-20:]
    return replace(answer, body=head + (b"A" if rest[:1] != b"A" else b"B") + rest[1:])


LIES: Final[dict[str, tuple[Callable[[Fetched], Fetched], type[VcError], str]]] = {
    "in the clear": (in_the_clear, Rejected, "answered in the clear"),
    "for another": (for_another, Rejected, "for a key that is not ours"),
    "changed": (changed, Rejected, "not decrypted"),
    "no JWE": (lambda got: replace(got, body=b"a.b"), Malformed, "not five parts"),
    "no text": (lambda got: replace(got, body=b"\xff\xfe"), Malformed, "not an encrypted message"),
    "too large": (lambda got: replace(got, body=b"A" * (MAX_ANSWER + 1)), Malformed, "larger than"),
}


@pytest.mark.parametrize("name", LIES)
async def test_an_answer_that_was_not_encrypted_for_this_wallet_is_refused(
    database: Any, shelf: Shelf, name: str
) -> None:
    change, kind, words = LIES[name]
    attest(database)
    async with running(database) as service:
        with pytest.raises(kind, match=words):
            await take(shelf, offered(service).link, service.clock, ask=Listening(change=change))
    assert (shelf.copies(), shelf.signing_keys()) == ((), ())


async def test_an_error_comes_in_the_clear(database: Any, shelf: Shelf) -> None:
    attest(database)
    async with running(database) as service:
        down = Listening(change=lambda _: Fetched(503, {"content-type": "application/json"}, b"{}"))
        with pytest.raises(Undetermined, match="answers with an error"):
            await take(shelf, offered(service).link, service.clock, ask=down)


JSON: Final = st.recursive(
    st.none() | st.booleans() | st.sampled_from(["ECDH-ES", "A256GCM", "A128GCM", "P-256", "EC", "x", ""]),
    lambda inner: (
        st.lists(inner | st.just(KEY.jwk), max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "jwks",
                    "keys",
                    "alg_values_supported",
                    "enc_values_supported",
                    "encryption_required",
                    "kty",
                    "kid",
                    "crv",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=14,
)


@given(request=JSON, response=JSON)
def test_whatever_an_issuer_says_of_encryption_is_understood_or_refused(request: Any, response: Any) -> None:
    metadata: dict[str, Json] = {REQUEST: request, RESPONSE: response}
    try:
        sealing = Sealing.parse(metadata)
    except Unsupported:
        sealing = Sealing()
        assert any(isinstance(one, dict) and one.get("encryption_required") is True for one in (request, response))
    assert (sealing.jwk is None) == (sealing.request is None)
    assert sealing.request or not sealing.response
    if sealing.jwk is not None and sealing.request:
        assert encrypt_jwt({}, jwk=sealing.jwk, enc=sealing.request).count(".") == 4
