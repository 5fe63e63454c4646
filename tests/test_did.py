"""DIDs that carry their key, JSON Web Keys, and the resolver over given documents."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey

from vc.canon import Json
from vc.did import MAX_DID, DidUrl, did_jwk, did_jwk_method, did_key_method, resolve_method
from vc.documents import NO_DOCUMENTS, Documents, Given, resolve
from vc.errors import Malformed, Rejected, Undetermined, Unsupported, VcError
from vc.jwk import parse_jwk, public_jwk
from vc.keys import P256, X25519, Bls12381Key, Ed25519Key, P256Key, P384Key, PublicKey
from vc.multibase import encode_base64url

AT: Final = datetime(2026, 11, 24, tzinfo=UTC)
ED: Final = Ed25519Key.from_seed(b"\x01" * 32)
EC: Final = P256Key.from_secret(b"\x02" * 32)
EC_384: Final = P384Key.from_secret(b"\x03" * 48)
EXCHANGE: Final = PublicKey(X25519, b"\x04" * 32)
PUBLIC: Final = (ED.public, EC.public, EC_384.public, EXCHANGE)

P256_JWK: Final = public_jwk(EC.public)
ED_JWK: Final = public_jwk(ED.public)


def spelt(jwk: Any) -> str:
    """The did:jwk method of any JWK, spelt as it stands."""
    return f"did:jwk:{encode_base64url(json.dumps(jwk).encode())}#0"


# --- JSON Web Keys ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", PUBLIC, ids=lambda key: key.kind.name)
def test_a_jwk_comes_back_as_the_same_key(key: PublicKey) -> None:
    assert parse_jwk(public_jwk(key)) == key
    assert parse_jwk({**public_jwk(key), "kid": "1", "use": "sig", "alg": "x", "x5c": ["…"]}) == key


@pytest.mark.parametrize("key", PUBLIC, ids=lambda key: key.kind.name)
def test_another_library_reads_the_same_key(key: PublicKey) -> None:
    jwk: Any = public_jwk(key)
    theirs = (ECKey if jwk["kty"] == "EC" else OKPKey).import_key(jwk)
    assert {name: value for name, value in theirs.as_dict().items() if name != "kid"} == jwk


def test_the_spelling_is_that_of_a_thumbprint() -> None:
    assert public_jwk(ED.public) == {"crv": "Ed25519", "kty": "OKP", "x": encode_base64url(ED.public.raw)}
    assert list(public_jwk(EC.public)) == ["crv", "kty", "x", "y"]
    assert P256_JWK["x"] == encode_base64url(EC.public.raw[1:])


def test_a_key_that_jwk_has_no_name_for_is_named() -> None:
    with pytest.raises(Unsupported, match="BLS12-381-G2") as refused:
        public_jwk(Bls12381Key.from_secret((5).to_bytes(32, "big")).public)
    assert refused.value.code == "UNSUPPORTED_KEY"


def test_what_is_no_point_has_no_jwk() -> None:
    with pytest.raises(Malformed) as refused:
        public_jwk(PublicKey(P256, b"\x02" + b"\xff" * 32))
    assert refused.value.code == "BAD_KEY"


OTHER_Y: Final = encode_base64url(bytes(31) + b"\x01")
NEGATED: Final = parse_jwk(P256_JWK).raw[0] ^ 1

NOT_JWK: Final[list[tuple[Any, str]]] = [
    (None, "BAD_KEY"),
    ([], "BAD_KEY"),
    ("x", "BAD_KEY"),
    ({}, "BAD_KEY"),
    ({**P256_JWK, "kty": 1}, "BAD_KEY"),
    ({**P256_JWK, "d": encode_base64url(bytes(32))}, "BAD_KEY"),
    ({**ED_JWK, "d": ""}, "BAD_KEY"),
    ({"kty": "oct", "k": "AA"}, "BAD_KEY"),
    ({"kty": "oct"}, "UNSUPPORTED_KEY"),
    ({"kty": "RSA", "n": "AQ", "e": "AQAB"}, "UNSUPPORTED_KEY"),
    ({**P256_JWK, "crv": "secp256k1"}, "UNSUPPORTED_KEY"),
    ({**P256_JWK, "crv": 1}, "UNSUPPORTED_KEY"),
    ({**P256_JWK, "kty": "OKP"}, "UNSUPPORTED_KEY"),
    ({**ED_JWK, "kty": "EC"}, "UNSUPPORTED_KEY"),
    ({**P256_JWK, "crv": "P-384"}, "BAD_KEY"),
    ({**P256_JWK, "y": OTHER_Y}, "BAD_KEY"),
    ({**P256_JWK, "y": None}, "BAD_KEY"),
    ({name: P256_JWK[name] for name in ("crv", "kty", "x")}, "BAD_KEY"),
    ({**P256_JWK, "x": f"AAAA{P256_JWK['x']}"}, "BAD_KEY"),
    ({**P256_JWK, "x": f"{P256_JWK['x']}="}, "BAD_MULTIBASE"),
    ({**P256_JWK, "x": encode_base64url(b"\xff" * 32)}, "BAD_KEY"),
    ({**ED_JWK, "x": encode_base64url(bytes(31))}, "BAD_KEY"),
    ({**ED_JWK, "x": "*" * 43}, "BAD_MULTIBASE"),
]


@pytest.mark.parametrize(("value", "code"), NOT_JWK)
def test_what_is_no_jwk(value: Any, code: str) -> None:
    with pytest.raises((Malformed, Unsupported)) as refused:
        parse_jwk(value)
    assert refused.value.code == code


def test_the_two_points_of_one_x_are_two_keys() -> None:
    order = 2**256 - 2**224 + 2**192 + 2**96 - 1
    y = int.from_bytes(parse_point(P256_JWK), "big")
    other = parse_jwk({**P256_JWK, "y": encode_base64url((order - y).to_bytes(32, "big"))})
    assert other == PublicKey(P256, bytes([NEGATED]) + EC.public.raw[1:])


def parse_point(jwk: Any) -> bytes:
    coordinates = ECKey.import_key(jwk).raw_value.public_numbers()  # type: ignore[union-attr]
    return coordinates.y.to_bytes(32, "big")


def test_no_secret_is_repeated_in_the_message() -> None:
    secret = encode_base64url(b"\x07" * 32)
    with pytest.raises(Malformed) as refused:
        parse_jwk({**P256_JWK, "d": secret})
    assert secret not in str(refused.value)


# --- did:jwk ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", PUBLIC, ids=lambda key: key.kind.name)
def test_a_did_jwk_carries_its_key(key: PublicKey) -> None:
    method = resolve_method(did_jwk_method(key))
    assert (method.public, method.controller) == (key, did_jwk(key))
    assert method.id == did_jwk_method(key) == f"{did_jwk(key)}#0"


def test_the_spelling_of_our_own_did_jwks() -> None:
    assert did_jwk(ED.public) == (
        "did:jwk:eyJjcnYiOiJFZDI1NTE5Iiwia3R5IjoiT0tQIiwieCI6ImlvamozWFFKOFpYOVV0c3RQTHBkY3NwbkNiOGRsQkliODNTSUFiUVBiMXcifQ"
    )
    assert did_jwk(EC.public) == (
        "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6IlZROUhFQVB6MzVmRDMxQnF4NWYyY2gteG9mdDdqMi1EMGlSSmltWElqaVEiLCJ5"
        "IjoiRTJDVDF3RXVVSnB6Y1Z5OUN3Q2p6QV8wdGNBYlBfb1phckg3TW5BMnVPWSJ9"
    )


def test_one_key_has_many_did_jwks_and_each_is_its_own_controller() -> None:
    again = resolve_method(spelt({**P256_JWK, "kid": "1"}))
    assert again.public == EC.public
    assert again.controller != did_jwk(EC.public)


def test_a_did_jwk_that_is_not_for_signatures_signs_nothing() -> None:
    assert resolve_method(spelt({**P256_JWK, "use": "sig"})).public == EC.public
    for use in ("enc", "", None, ["sig"]):
        with pytest.raises(Rejected) as refused:
            resolve_method(spelt({**P256_JWK, "use": use}))
        assert refused.value.code == "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (did_jwk(EC.public), "BAD_METHOD"),
        (f"{did_jwk(EC.public)}#", "BAD_METHOD"),
        (f"{did_jwk(EC.public)}#1", "BAD_METHOD"),
        (f"{did_jwk(EC.public)}#0#0", "BAD_METHOD"),
        (f"{did_jwk(EC.public)}?x=1#0", "BAD_MULTIBASE"),
        ("did:jwk:e30#0", "BAD_KEY"),
        ("did:jwk:W10#0", "NOT_JSON"),
        ("did:jwk:AAAA#0", "NOT_JSON"),
        ("did:jwk:e30=#0", "BAD_MULTIBASE"),
        (spelt({**P256_JWK, "d": "AA"}), "BAD_KEY"),
        (spelt({**P256_JWK, "nested": [[[[]]]]}), "TOO_DEEP"),
        (spelt({**P256_JWK, "long": "a" * MAX_DID}), "TOO_LARGE"),
    ],
)
def test_what_is_no_method_of_a_did_jwk(url: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        resolve_method(url)
    assert refused.value.code == code


@settings(deadline=None)
@given(st.text(max_size=30) | st.binary(max_size=60).map(encode_base64url))
def test_only_our_errors_leave_a_did_jwk(identifier: str) -> None:
    with pytest.raises(VcError):
        resolve_method(f"did:jwk:{identifier}#0")


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["kty", "crv", "x", "y", "use", "d", "kid"]),
        st.sampled_from(
            ["EC", "OKP", "P-256", "Ed25519", "X25519", P256_JWK["x"], P256_JWK["y"], ED_JWK["x"], 1, None]
        ),
    )
)
def test_a_jwk_is_a_key_with_one_spelling_or_our_error(jwk: dict[str, Json]) -> None:
    try:
        key = parse_jwk(jwk)
    except VcError:
        return
    assert public_jwk(key).items() <= jwk.items()


# --- the resolver ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [did_key_method(ED.public), did_jwk_method(EC.public)])
@pytest.mark.parametrize("purpose", ["assertionMethod", "authentication"])
def test_who_carries_a_key_needs_no_document(url: str, purpose: str) -> None:
    for at in (AT, None):
        assert resolve(url, documents=NO_DOCUMENTS, purpose=purpose, at=at) == resolve_method(url)


WEB: Final = "did:web:example.com#key-1"
WEBVH: Final = f"did:webvh:{'Q' * 46}:example.com#key-1"


@pytest.mark.parametrize("url", [WEB, WEBVH, "did:web:example.com?versionId=1#key-1"])
def test_who_needs_a_document_that_is_not_given_is_not_known(url: str) -> None:
    other = Documents.of({"did:web:other.example": Given(b"{}")})
    for documents in (NO_DOCUMENTS, other):
        with pytest.raises(Undetermined) as unknown:
            resolve(url, documents=documents, purpose="assertionMethod", at=AT)
        assert unknown.value.code == "DID_UNKNOWN"


@pytest.mark.parametrize("url", ["did:example:1#1", "did:ion:x#1", "did:WEB:example.com#key-1"])
def test_another_method_is_named_even_with_a_document(url: str) -> None:
    with pytest.raises(Unsupported) as refused:
        resolve(url, documents=Documents.of({url.partition("#")[0]: Given(b"{}")}), purpose="assertionMethod", at=AT)
    assert refused.value.code == "UNSUPPORTED_DID"


def test_the_parts_of_a_did_url() -> None:
    assert DidUrl.parse(WEB) == DidUrl("did:web:example.com", "web", "example.com", "key-1")
    assert DidUrl.parse("did:web:a:b?c#d").identifier == "a:b?c"


@pytest.mark.parametrize("url", ["", "did:", "did:web", "did:web:", "web:example.com", f"did:web:{'a' * MAX_DID}"])
def test_what_is_no_did_url(url: str) -> None:
    with pytest.raises(Malformed):
        DidUrl.parse(url)


def test_documents_are_frozen_when_they_are_given() -> None:
    given = {"did:web:example.com": Given(b"{}")}
    documents = Documents.of(given)
    given.clear()
    assert list(documents.given) == ["did:web:example.com"]
    with pytest.raises(TypeError):
        documents.given["did:web:other.example"] = Given(b"")  # type: ignore[index]


@settings(deadline=None)
@given(
    url=st.sampled_from([WEB, WEBVH]),
    raw=st.binary(max_size=80) | st.text(max_size=80).map(str.encode),
    witness=st.none() | st.binary(max_size=20),
)
def test_only_our_errors_leave_whatever_the_bytes(url: str, raw: bytes, witness: bytes | None) -> None:
    documents = Documents.of({url.partition("#")[0]: Given(raw, witness)})
    with pytest.raises(VcError):
        resolve(url, documents=documents, purpose="assertionMethod", at=AT)
