"""Token Status List: the published lists and tokens, both formats, and what is no token."""

import base64
import json
import random
import re
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any, Final

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.shared import shared_path
from tests.vectors import read
from vc import cbor
from vc.cose import ALGORITHMS, MAX_COSE, parse_sign1, sign_sign1, verify_sign1
from vc.deflate import MAX_DEFLATED, MAX_INFLATED
from vc.errors import Malformed, Rejected, Undetermined, Unsupported, VcError
from vc.jose import sign_jws
from vc.jwk import public_jwk
from vc.keys import P256, Bls12381Key, Ed25519Key, P256Key, P384Key, PublicKey, verify_signature
from vc.token_status import (
    MAX_JWT,
    MAX_LISTS,
    TYP_CWT,
    TYP_JWT,
    StatusListToken,
    StatusReference,
    TokenStatusList,
    aggregation,
    check_status,
    check_status_type,
    new_statuses,
    parse_aggregation,
    parse_status_jwt,
    set_statuses,
    sign_status_cwt,
    sign_status_jwt,
    verify_status_cwt,
    verify_status_jwt,
)

AT: Final = datetime(2026, 11, 24, tzinfo=UTC)
URI: Final = "https://platform.example/statuslists/1"
KEY: Final = P256Key.from_secret(b"\x01" * 32)
KEYS: Final = (KEY, P384Key.from_secret(b"\x02" * 48), Ed25519Key.from_seed(b"\x03" * 32))
OTHER: Final = P256Key.from_secret(b"\x04" * 32)

# --- the published lists ---------------------------------------------------------------------------------------------


@cache
def vectors() -> Any:
    return read(shared_path("vectors/token-status-list"), "vectors.json")


def encodings() -> dict[str, Any]:
    return {encoding["file"]: encoding for encoding in vectors()["encodings"]}


@cache
def lists(file: str) -> tuple[TokenStatusList, TokenStatusList]:
    """A published list, from JSON and from CBOR."""
    encoding = encodings()[file]
    return (
        TokenStatusList.parse(encoding["json"]),
        TokenStatusList.parse_cbor(cbor.decode(bytes.fromhex(encoding["cborHex"]), sorted_keys=False)),
    )


SECTIONS: Final = ("1-bit Status List", "2-bit Status List", "4-bit Status List", "8-bit Status List")


@pytest.mark.parametrize("title", SECTIONS)
def test_the_published_statuses(title: str) -> None:
    (section,) = (section for section in vectors()["testVectorSection"] if section["title"] == title)
    bits, wanted = int(title[0]), {int(index): value for index, value in section["set"].items()}
    from_json, from_cbor = lists(section["includes"][0])
    assert from_json == from_cbor
    assert from_json.bits == bits
    assert len(from_json.expand()) * 8 // bits == 1 << 20
    for index in (*list(wanted)[:24], 1, 2, 1994, (1 << 20) - 1):
        assert from_json.read(index) == wanted.get(index, 0)
    ours = set_statuses(new_statuses(1 << 20, bits=bits), wanted, bits=bits)
    assert ours == from_cbor.expand()
    assert TokenStatusList.of(ours, bits=bits).expand() == ours
    with pytest.raises(Rejected):
        from_json.read(1 << 20)


@pytest.mark.parametrize("file", ["status_list_encoding_json.md", "status_list_encoding2_json.md"])
def test_the_published_byte_arrays(file: str) -> None:
    for statuses in lists(file):
        assert statuses.expand().hex() == encodings()[file]["byteArrayHex"]
        assert statuses.to_json() == encodings()[file]["json"]
        assert cbor2.dumps(statuses.to_cbor()).hex() == encodings()[file]["cborHex"]


def test_every_published_list_is_the_same_in_both_formats() -> None:
    for file in encodings():
        from_json, from_cbor = lists(file)
        assert from_json == from_cbor


# --- the published tokens --------------------------------------------------------------------------------------------

EXAMPLE: Final = "https://example.com/statuslists/1"
P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
N: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
Point = tuple[int, int] | None


def plus(one: Point, two: Point) -> Point:
    if one is None or two is None:
        return one or two
    (x1, y1), (x2, y2) = one, two
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, P) if one == two else (y2 - y1) * pow(x2 - x1, -1, P)
    x3 = (slope * slope - x1 - x2) % P
    return x3, (slope * (x1 - x3) - y1) % P


def times(scalar: int, point: Point) -> Point:
    result: Point = None
    for bit in f"{scalar:b}":
        result = plus(result, result)
        result = plus(result, point) if bit == "1" else result
    return result


def signers(signature: bytes, digest: bytes) -> set[bytes]:
    """The two keys that could have made an ES256 signature (SEC 1 §4.1.6): the published ones come without theirs."""
    r, s, e = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:], digest))
    y = pow((r**3 - 3 * r + B) % P, (P + 1) // 4, P)
    generator = ec.derive_private_key(1, ec.SECP256R1()).public_key().public_numbers()
    found = set()
    for nonce in ((r, y), (r, P - y)):
        key = times(pow(r, -1, N), plus(times(s, nonce), times(N - e % N, (generator.x, generator.y))))
        assert key is not None
        found.add(bytes([2 + (key[1] & 1)]) + key[0].to_bytes(32, "big"))
    return found


def published() -> tuple[str, bytes]:
    """The JWT and the CWT of the draft."""
    return vectors()["statusListJwt"], bytes.fromhex(re.sub(r"\s", "", vectors()["statusListCwtText"]))


def test_the_published_tokens_are_of_one_signer() -> None:
    """Two tokens, two possible keys for each: the one that they share signed both, byte for byte."""
    text, raw = published()
    signed, _, signature = text.rpartition(".")
    message = cbor2.loads(raw).value
    structure = cbor2.dumps(["Signature1", message[0], b"", message[2]])
    (point,) = signers(decoded(signature), sha256(signed.encode()).digest()) & signers(
        message[3], sha256(structure).digest()
    )
    key = PublicKey(P256, point)
    from_jwt = verify_status_jwt(parse_status_jwt(text), key=key, uri=EXAMPLE, at=AT)
    from_cwt = verify_status_cwt(parse_sign1(raw), key=key, uri=EXAMPLE, at=AT)
    assert from_jwt == StatusListToken(
        EXAMPLE,
        datetime.fromtimestamp(1686920170, UTC),
        lists("status_list_encoding_json.md")[0],
        datetime.fromtimestamp(2291720170, UTC),
        timedelta(hours=12),
        "https://example.com",
    )
    assert (from_cwt.uri, from_cwt.issued, from_cwt.expires, from_cwt.ttl) == (
        from_jwt.uri,
        from_jwt.issued,
        from_jwt.expires,
        from_jwt.ttl,
    )
    assert from_cwt.statuses == from_jwt.statuses
    with pytest.raises(Rejected):
        verify_status_cwt(parse_sign1(raw), key=KEY.public, uri=EXAMPLE, at=AT)


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# --- lists of our own ------------------------------------------------------------------------------------------------


def statuses(bits: int = 2, **values: int) -> TokenStatusList:
    packed = set_statuses(
        new_statuses(1000, bits=bits), {int(name[1:]): value for name, value in values.items()}, bits=bits
    )
    return TokenStatusList.of(packed, bits=bits, aggregation_uri="https://platform.example/statuslists")


def test_the_first_status_is_in_the_lowest_bits() -> None:
    assert set_statuses(bytes(2), {0: 1, 3: 3, 4: 2}, bits=2) == bytes([0b11000001, 0b00000010])
    assert set_statuses(bytes(2), {0: 1, 15: 1}, bits=1) == bytes([0b00000001, 0b10000000])
    assert set_statuses(bytes(2), {1: 0xA}, bits=4) == bytes([0xA0, 0])
    assert set_statuses(bytes(2), {1: 0xAB}, bits=8) == bytes([0, 0xAB])


@settings(max_examples=80, deadline=None)
@given(
    bits=st.sampled_from([1, 2, 4, 8]),
    changes=st.lists(st.dictionaries(st.integers(0, 99), st.integers(0, 255), max_size=9), max_size=4),
)
def test_every_status_reads_what_was_written_last(bits: int, changes: list[dict[int, int]]) -> None:
    packed, expected = new_statuses(100, bits=bits), [0] * 100
    for change in changes:
        fitting = {index: value % (1 << bits) for index, value in change.items()}
        packed = set_statuses(packed, fitting, bits=bits)
        for index, value in fitting.items():
            expected[index] = value
    listed = TokenStatusList.of(packed, bits=bits)
    assert [listed.read(index) for index in range(100)] == expected
    assert TokenStatusList.parse(listed.to_json()) == listed
    assert TokenStatusList.parse_cbor(cbor.decode(cbor.encode(listed.to_cbor()))) == listed


@pytest.mark.parametrize(
    ("values", "bits"), [({-1: 1}, 1), ({8: 1}, 1), ({0: 2}, 1), ({0: -1}, 2), ({4: 1}, 2), ({1: 256}, 8)]
)
def test_what_does_not_fit_in_is_refused(values: dict[int, int], bits: int) -> None:
    with pytest.raises(Malformed) as refused:
        set_statuses(bytes(1), values, bits=bits)
    assert refused.value.code == "RANGE_ERROR"


@pytest.mark.parametrize("bits", [0, 3, 16, -1])
def test_there_are_four_sizes(bits: int) -> None:
    for action in (
        lambda: new_statuses(8, bits=bits),
        lambda: set_statuses(bytes(8), {}, bits=bits),
        lambda: TokenStatusList.of(bytes(8), bits=bits),
    ):
        with pytest.raises(Malformed):
            action()


@pytest.mark.parametrize("index", [-1, 1000, 1 << 62])
def test_an_index_beyond_the_list_is_a_no(index: int) -> None:
    with pytest.raises(Rejected) as refused:
        statuses().read(index)
    assert refused.value.code == "RANGE_ERROR"


def test_a_bomb_is_not_set_off() -> None:
    bomb = TokenStatusList(8, zlib.compress(bytes(MAX_INFLATED + 1)))
    for action in (lambda: bomb.read(0), bomb.expand):
        with pytest.raises(Malformed) as refused:
            action()
        assert refused.value.code == "TOO_LARGE"


@pytest.mark.parametrize("compressed", [b"", b"x", zlib.compress(bytes(9))[:-1], zlib.compress(bytes(9)) + b"x"])
def test_what_is_no_list(compressed: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        TokenStatusList(1, compressed).read(0)
    assert refused.value.code == "BAD_COMPRESSION"


GOOD: Final[dict[str, Any]] = {"bits": 1, "lst": "eJwDAAAAAAE"}


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"bits": 1},
        {"lst": GOOD["lst"]},
        {**GOOD, "lst": 1},
        {**GOOD, "lst": f"{GOOD['lst']}="},
        {**GOOD, "bits": "1"},
        {**GOOD, "bits": True},
        {**GOOD, "bits": 1.0},
        {**GOOD, "bits": 3},
        {**GOOD, "aggregation_uri": None},
        {**GOOD, "aggregation_uri": 1},
    ],
)
def test_one_thing_wrong_with_a_list(value: Any) -> None:
    with pytest.raises(Malformed):
        TokenStatusList.parse(value)
    if isinstance(value, dict) and isinstance(value.get("lst"), str):
        if value["lst"].endswith("="):
            return
        value = {**value, "lst": b"x"}
    with pytest.raises(Malformed):
        TokenStatusList.parse_cbor(value)


# --- referenced tokens, status types, aggregations -------------------------------------------------------------------


def test_a_token_says_which_status_is_its_own() -> None:
    reference = StatusReference.parse({"status_list": {"idx": 0, "uri": URI}, "other": {}})
    assert reference == StatusReference(URI, 0)
    assert StatusReference.parse(reference.to_json()) == reference


@pytest.mark.parametrize(
    "claim",
    [
        None,
        {},
        [],
        {"status_list": {}},
        {"status_list": {"idx": 0}},
        {"status_list": {"uri": URI}},
        {"status_list": {"idx": -1, "uri": URI}},
        {"status_list": {"idx": True, "uri": URI}},
        {"status_list": {"idx": "0", "uri": URI}},
        {"status_list": {"idx": 0.0, "uri": URI}},
        {"status_list": {"idx": 1 << 53, "uri": URI}},
        {"status_list": {"idx": 0, "uri": "statuslists/1"}},
        {"status_list": {"idx": 0, "uri": 1}},
    ],
)
def test_what_says_nothing_of_a_status(claim: Any) -> None:
    with pytest.raises(Malformed):
        StatusReference.parse(claim)


@pytest.mark.parametrize(
    ("value", "codes"),
    [(0, []), (1, ["REVOKED"]), (2, ["SUSPENDED"]), (3, ["STATUS_UNKNOWN"]), (255, ["STATUS_UNKNOWN"])],
)
def test_what_a_status_type_says(value: int, codes: list[str]) -> None:
    assert [wrong.code for wrong in check_status_type(value)] == codes


def test_an_aggregation_names_lists() -> None:
    uris = (URI, "https://platform.example/statuslists/2")
    assert parse_aggregation(json.dumps(aggregation(uris)).encode()) == uris
    assert parse_aggregation(b'{"status_lists": [], "next": 1}') == ()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b'{"status_lists": "x"}',
        b'{"status_lists": [1]}',
        b'{"status_lists": ["statuslists/1"]}',
        json.dumps({"status_lists": [URI] * (MAX_LISTS + 1)}).encode(),
    ],
)
def test_what_is_no_aggregation(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse_aggregation(raw)


# --- tokens ----------------------------------------------------------------------------------------------------------

TOKEN: Final = StatusListToken(
    uri=URI,
    issued=AT - timedelta(hours=1),
    statuses=statuses(i7=1, i999=2),
    expires=AT + timedelta(days=1),
    ttl=timedelta(hours=12),
    issuer="https://platform.example",
)
PLAIN: Final = StatusListToken(URI, AT, statuses())


def through_jwt(token: StatusListToken, key: Any = KEY, *, uri: str = URI, at: datetime = AT) -> StatusListToken:
    text = sign_status_jwt(token, key=key, kid=key.verification_method)
    return verify_status_jwt(parse_status_jwt(text), key=key.public, uri=uri, at=at)


def through_cwt(token: StatusListToken, key: Any = KEY, *, uri: str = URI, at: datetime = AT) -> StatusListToken:
    raw = sign_status_cwt(token, key=key, kid=key.verification_method)
    return verify_status_cwt(parse_sign1(raw), key=key.public, uri=uri, at=at)


FORMATS: Final = (through_jwt, through_cwt)


@pytest.mark.parametrize("through", FORMATS)
@pytest.mark.parametrize("token", [TOKEN, PLAIN])
@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.public.kind.name)
def test_a_token_comes_back_as_it_was(
    through: Callable[..., StatusListToken], token: StatusListToken, key: Any
) -> None:
    assert through(token, key) == token
    assert token is PLAIN or [through(token, key).statuses.read(index) for index in (6, 7, 999)] == [0, 1, 2]


@pytest.mark.parametrize("through", FORMATS)
def test_a_token_about_another_list_is_a_no(through: Callable[..., StatusListToken]) -> None:
    with pytest.raises(Rejected) as refused:
        through(TOKEN, uri="https://platform.example/statuslists/2")
    assert refused.value.code == "STATUS_VERIFICATION_ERROR"


@pytest.mark.parametrize("through", FORMATS)
@pytest.mark.parametrize("at", [AT + timedelta(days=1), AT + timedelta(days=400), AT - timedelta(hours=2)])
def test_a_token_from_another_time_cannot_tell(through: Callable[..., StatusListToken], at: datetime) -> None:
    with pytest.raises(Undetermined) as undetermined:
        through(TOKEN, at=at)
    assert undetermined.value.code == "STATUS_STALE"
    assert through(TOKEN, at=AT + timedelta(hours=23, minutes=59)) == TOKEN
    assert through(PLAIN, at=AT + timedelta(days=4000)) == PLAIN  # no end is stated: its age is the caller's to judge


def test_the_key_is_named_to_those_who_verify() -> None:
    assert parse_status_jwt(sign_status_jwt(TOKEN, key=KEY, kid="did:web:x#1")).header["kid"] == "did:web:x#1"
    assert parse_sign1(sign_status_cwt(TOKEN, key=KEY, kid="did:web:x#1")).protected[4] == b"did:web:x#1"


def test_another_library_reads_the_jwt() -> None:
    text = sign_status_jwt(TOKEN, key=KEY, kid="1")
    theirs = jwt.decode(text, ECKey.import_key(public_jwk(KEY.public)))  # type: ignore[arg-type]
    assert theirs.header == {"alg": "ES256", "typ": TYP_JWT, "kid": "1"}
    assert theirs.claims["sub"] == URI
    assert theirs.claims["ttl"] == 43200
    assert zlib.decompress(decoded(theirs.claims["status_list"]["lst"])) == TOKEN.statuses.expand()


def test_another_library_reads_the_cwt() -> None:
    tagged = cbor2.loads(sign_status_cwt(TOKEN, key=KEY, kid="1"))
    protected, unprotected, payload, signature = tagged.value
    assert (tagged.tag, cbor2.loads(protected), unprotected) == (18, {1: -7, 4: b"1", 16: TYP_CWT}, {})
    claims = cbor2.loads(payload)
    assert (claims[2], claims[4] - claims[6], claims[65534]) == (URI, 90_000, 43200)
    assert zlib.decompress(claims[65533]["lst"]) == TOKEN.statuses.expand()
    verify_signature(KEY.public, cbor2.dumps(["Signature1", protected, b"", payload]), signature)


@pytest.mark.parametrize(("index", "codes"), [(6, []), (7, ["REVOKED"]), (999, ["SUSPENDED"]), (1000, ["RANGE_ERROR"])])
def test_what_the_lists_say_of_a_token(index: int, codes: list[str]) -> None:
    claim = StatusReference(URI, index).to_json()
    assert [said.code for said in check_status(claim, tokens={URI: TOKEN})] == codes


def test_what_no_list_says_is_not_told() -> None:
    claim = StatusReference(URI, 7).to_json()
    spoilt = StatusListToken(URI, AT, TokenStatusList(1, b"x"))
    for tokens, code in (({}, "STATUS_UNKNOWN"), ({URI: spoilt}, "STATUS_VERIFICATION_ERROR")):
        (doubt,) = check_status(claim, tokens=tokens)
        assert isinstance(doubt, Undetermined)
        assert doubt.code == code
    with pytest.raises(Malformed):
        list(check_status({}, tokens={URI: TOKEN}))


# --- tokens that are none --------------------------------------------------------------------------------------------

JSON_CLAIMS: Final[dict[str, Any]] = {"sub": URI, "iat": 1_700_000_000, "status_list": GOOD}
CBOR_CLAIMS: Final[dict[Any, Any]] = {2: URI, 6: 1_700_000_000, 65533: {"bits": 1, "lst": zlib.compress(b"")}}


def jwt_of(claims: Any, *, key: Any = KEY, typ: str = TYP_JWT) -> StatusListToken:
    return verify_status_jwt(
        parse_status_jwt(sign_jws(json.dumps(claims).encode(), key=key, typ=typ)), key=KEY.public, uri=URI, at=AT
    )


def cwt_of(claims: Any, *, key: Any = KEY, typ: str = TYP_CWT) -> StatusListToken:
    raw = sign_sign1(claims if isinstance(claims, bytes) else cbor2.dumps(claims), key=key, typ=typ)
    return verify_status_cwt(parse_sign1(raw), key=KEY.public, uri=URI, at=AT)


def test_claims_that_are_not_known_say_nothing() -> None:
    assert jwt_of({**JSON_CLAIMS, "note": [1], "nbf": 1}).uri == URI
    assert cwt_of({**CBOR_CLAIMS, 7: b"id", "note": [1], -1: {}}).uri == URI
    assert cwt_of(dict(reversed(CBOR_CLAIMS.items()))).uri == URI


WRONG: Final[list[tuple[str, tuple[Any, ...], str]]] = [
    ("sub", (None, 1, ["x"]), "MALFORMED_VALUE_ERROR"),
    ("iat", ("x", -1, 1 << 50), "BAD_DATE"),
    ("exp", ("x", -1, 1 << 50, {}), "BAD_DATE"),
    ("ttl", (0, -1, "x", 1 << 40), "MALFORMED_VALUE_ERROR"),
    ("iss", (1, []), "MALFORMED_VALUE_ERROR"),
    ("status_list", ("x", [], {}), "MALFORMED_VALUE_ERROR"),
]
LABELS: Final = {"iss": 1, "sub": 2, "exp": 4, "iat": 6, "status_list": 65533, "ttl": 65534}


@pytest.mark.parametrize(("name", "values", "code"), WRONG, ids=[row[0] for row in WRONG])
def test_one_thing_wrong_with_a_claim(name: str, values: tuple[Any, ...], code: str) -> None:
    for value in values:
        with pytest.raises(Malformed) as refused:
            jwt_of({**JSON_CLAIMS, name: value})
        assert refused.value.code == code
        with pytest.raises(Malformed) as refused:
            cwt_of({**CBOR_CLAIMS, LABELS[name]: value})
        assert refused.value.code in (code, "NOT_CBOR")
    if name in JSON_CLAIMS:
        with pytest.raises(Malformed):
            jwt_of({key: value for key, value in JSON_CLAIMS.items() if key != name})
        with pytest.raises(Malformed):
            cwt_of({key: value for key, value in CBOR_CLAIMS.items() if key != LABELS[name]})


@pytest.mark.parametrize("claims", [[], 1, "x", {**CBOR_CLAIMS, 6: 1.5}, {**CBOR_CLAIMS, 9: None}, b"", b"\xa1\x02"])
def test_what_are_no_claims_of_a_cwt(claims: Any) -> None:
    with pytest.raises(Malformed):
        cwt_of(claims)


def test_a_claim_that_is_made_twice_is_refused() -> None:
    once = cbor2.dumps(CBOR_CLAIMS)
    assert once[0] == 0xA3
    with pytest.raises(Malformed):
        cwt_of(b"\xa4" + once[1:] + cbor2.dumps(6) + cbor2.dumps(1))


@pytest.mark.parametrize("make", [jwt_of, cwt_of])
def test_another_key_another_type_and_another_curve_are_a_no(make: Callable[..., StatusListToken]) -> None:
    claims = JSON_CLAIMS if make is jwt_of else CBOR_CLAIMS
    for changes, code in (
        ({"key": OTHER}, "PROOF_INVALID"),
        ({"key": KEYS[1]}, "KEY_MISMATCH"),
        ({"key": KEYS[2]}, "KEY_MISMATCH"),
        ({"typ": "JWT"}, "PURPOSE_MISMATCH"),
        ({"typ": "application/jwt"}, "PURPOSE_MISMATCH"),
    ):
        with pytest.raises(Rejected) as refused:
            make(claims, **changes)
        assert refused.value.code == code


def test_a_token_larger_than_any_list_is_not_read() -> None:
    for action in (lambda: parse_status_jwt("a" * (MAX_JWT + 1)), lambda: parse_sign1(b"\xd2" + bytes(MAX_COSE + 1))):
        with pytest.raises(Malformed) as refused:
            action()
        assert refused.value.code == "TOO_LARGE"


def test_the_largest_lists_are_within_bounds() -> None:
    packed = random.Random(1).randbytes(2_500_000)  # ten million statuses of two bits
    token = StatusListToken(URI, AT, TokenStatusList.of(packed, bits=2))
    assert len(token.statuses.compressed) < MAX_DEFLATED
    for through in FORMATS:
        assert through(token).statuses.read(9_999_999) == packed[-1] >> 6


# --- COSE_Sign1 ------------------------------------------------------------------------------------------------------


def sign1(
    protected: Any, unprotected: Any = None, payload: Any = b"x", signature: Any = bytes(64), tag: bytes = b"\xd2"
) -> bytes:
    head = protected if isinstance(protected, bytes) else cbor2.dumps(protected)
    return tag + cbor2.dumps([head, {} if unprotected is None else unprotected, payload, signature])


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "BAD_COSE"),
        (b"\xd2", "NOT_CBOR"),
        (sign1({1: -7})[1:], "BAD_COSE"),
        (b"\xd8\x3d" + sign1({1: -7}), "BAD_COSE"),
        (b"\xd8\x12" + sign1({1: -7})[1:], "BAD_COSE"),
        (b"\xd2" + sign1({1: -7}), "NOT_CBOR"),
        (sign1({1: -7}) + b"\0", "NOT_CBOR"),
        (sign1({1: -7}, tag=b"\xd1"), "UNSUPPORTED_SUITE"),
        (sign1({1: 5}), "UNSUPPORTED_SUITE"),
        (sign1({1: -37}), "UNSUPPORTED_SUITE"),
        (sign1({1: -7, 2: [99], 99: 1}), "UNSUPPORTED_SUITE"),
        (sign1({}), "BAD_COSE"),
        (sign1(b""), "NOT_CBOR"),
        (sign1({1: "ES256"}), "BAD_COSE"),
        (sign1({4: b"1"}, {1: -7}), "BAD_COSE"),
        (sign1({1: -7, 4: b"1"}, {4: b"2"}), "BAD_COSE"),
        (sign1([1, -7]), "BAD_COSE"),
        (sign1({1: -7}, []), "BAD_COSE"),
        (sign1({1: -7}, payload=None), "NOT_CBOR"),
        (sign1({1: -7}, payload="x"), "BAD_COSE"),
        (sign1({1: -7}, signature="x"), "BAD_COSE"),
        (b"\xd2" + cbor2.dumps([b"", {}, b""]), "BAD_COSE"),
        (b"\xd2" + cbor2.dumps({}), "BAD_COSE"),
    ],
)
def test_what_is_no_cose_message(raw: bytes, code: str) -> None:
    with pytest.raises((Malformed, Unsupported)) as refused:
        parse_sign1(raw)
    assert refused.value.code == code


def test_a_signature_of_another_length_is_malformed() -> None:
    for length in (0, 63, 65, 96):
        with pytest.raises(Malformed) as refused:
            verify_sign1(parse_sign1(sign1({1: -7, 16: "x"}, signature=bytes(length))), KEY.public, typ="x")
        assert refused.value.code == "BAD_SIGNATURE"


def test_a_key_that_signs_no_bytes_is_named() -> None:
    bls = Bls12381Key.from_secret((5).to_bytes(32, "big"))
    with pytest.raises(Unsupported):
        sign_sign1(b"x", key=bls, typ="x")  # type: ignore[arg-type]


def test_every_algorithm_is_bound_to_one_curve() -> None:
    assert {ALGORITHMS[name].name for name in (-7, -9)} == {"P-256"}
    assert {ALGORITHMS[name].name for name in (-35, -51)} == {"P-384"}
    assert {ALGORITHMS[name].name for name in (-8, -19)} == {"Ed25519"}


SIGNED: Final = sign_status_cwt(TOKEN, key=KEY, kid="1")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(SIGNED) - 1), st.integers(0, 7))
def test_a_flipped_bit_never_verifies(position: int, bit: int) -> None:
    spoilt = bytearray(SIGNED)
    spoilt[position] ^= 1 << bit
    with pytest.raises(VcError):
        verify_status_cwt(parse_sign1(bytes(spoilt)), key=KEY.public, uri=URI, at=AT)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.text(max_size=40))
def test_only_our_errors_leave(raw: bytes, text: str) -> None:
    for action in (lambda: parse_sign1(raw), lambda: parse_sign1(b"\xd2\x84" + raw), lambda: parse_status_jwt(text)):
        with pytest.raises(VcError):
            action()


Item = st.recursive(
    st.integers(-5, 70_000) | st.text(max_size=4) | st.binary(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.integers(0, 70_000) | st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([*LABELS.values(), 65535, "x"]), Item))
def test_only_our_errors_leave_whatever_the_claims(changes: dict[Any, Any]) -> None:
    try:
        cwt_of({**CBOR_CLAIMS, **changes})
    except VcError:
        return
