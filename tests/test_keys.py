"""Keys and did:key: the published pairs, kinds of keys that are not ours, secrets that stay secret, signatures."""

import base64
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multiformats import multicodec, varint
from nacl.signing import VerifyKey

from tests.shared import shared_path
from vc import bbs
from vc.did import MAX_DID, did_key, did_key_method, resolve_method
from vc.errors import Malformed, Rejected, Unsupported, VcError
from vc.keys import (
    BLS12_381_G2,
    ED25519,
    KINDS,
    P256,
    P384,
    P521,
    X25519,
    Bls12381Key,
    Ed25519Key,
    KeyKind,
    P256Key,
    P384Key,
    P521Key,
    PublicKey,
    Signer,
    parse_multikey,
    verify_ed25519,
)
from vc.multibase import encode_base58btc

SEED: Final = bytes(range(32))
SECRET: Final = bbs.key_gen(bytes(range(64)))
KEY: Final = Ed25519Key.from_seed(SEED)
MULTIKEY: Final = KEY.public.multikey
METHOD: Final = f"did:key:{MULTIKEY}#{MULTIKEY}"
POINTS: Final = {P256: P256Key, P384: P384Key, P521: P521Key}
without_deadline: Final = settings(deadline=None)


# --- the published pairs ---------------------------------------------------------------------------------------------


def pairs() -> Iterator[Any]:
    try:
        entries = json.loads(shared_path("vectors/did-key/did-key-pairs.json").read_bytes())
    except pytest.skip.Exception as missing:  # the tests below do without
        yield pytest.param({}, id="pairs", marks=pytest.mark.skip(reason=str(missing)))
        return
    for entry in entries:
        yield pytest.param(entry, id=entry["did"])


def octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def public_key(pair: dict[str, Any]) -> PublicKey:
    if pair["keyType"] == "Ed25519":
        return PublicKey(ED25519, bytes.fromhex(pair["publicKeyHex"]))
    jwk = pair["publicKeyJwk"]
    sign = b"\x03" if octets(jwk["y"])[-1] & 1 else b"\x02"
    return PublicKey({"P-256": P256, "P-384": P384}[jwk["crv"]], sign + octets(jwk["x"]))


@pytest.mark.parametrize("pair", tuple(pairs()))
def test_published_pair(pair: dict[str, Any]) -> None:
    public = public_key(pair)
    assert did_key(public) == pair["did"]
    assert parse_multikey(pair["did"].removeprefix("did:key:")) == public
    method = resolve_method(did_key_method(public))
    assert (method.id, method.controller, method.public) == (did_key_method(public), pair["did"], public)
    if "seedHex" in pair:
        key = Ed25519Key.from_seed(bytes.fromhex(pair["seedHex"]))
        assert (key.did, key.public, key.verification_method) == (pair["did"], public, method.id)
    if "derivedX25519Multibase" in pair:
        agreement = parse_multikey(pair["derivedX25519Multibase"])
        assert agreement.kind == X25519
        assert agreement.raw == bytes(VerifyKey(public.raw).to_curve25519_public_key())
        assert agreement.multikey == pair["derivedX25519Multibase"]


# --- multikeys -------------------------------------------------------------------------------------------------------

CODECS: Final = {
    ED25519: "ed25519-pub",
    BLS12_381_G2: "bls12_381-g2-pub",
    P256: "p256-pub",
    P384: "p384-pub",
    P521: "p521-pub",
    X25519: "x25519-pub",
}


@pytest.mark.parametrize(("kind", "name"), CODECS.items(), ids=CODECS.values())
def test_a_kind_is_a_row_of_the_multicodec_table(kind: KeyKind, name: str) -> None:
    assert multicodec.get(name).code == kind.code
    assert varint.encode(kind.code) == kind.prefix
    assert KINDS[kind.code] is kind
    assert len(KINDS) == len(CODECS)


@without_deadline
@given(st.sampled_from(sorted(KINDS)), st.data())
def test_a_multikey_reads_back(code: int, data: st.DataObject) -> None:
    kind = KINDS[code]
    if kind in POINTS:  # half of all texts of the right length name no point
        public = POINTS[kind].generate(lambda length: data.draw(st.binary(min_size=length, max_size=length))).public
    else:
        public = PublicKey(kind, data.draw(st.binary(min_size=kind.length, max_size=kind.length)))
    assert parse_multikey(public.multikey) == public


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
@pytest.mark.parametrize("change", [-1, 1, None])
def test_a_key_has_the_length_of_its_kind(kind: KeyKind, change: int | None) -> None:
    length = 0 if change is None else kind.length + change
    with pytest.raises(Malformed, match=f"{kind.name} key has {kind.length} bytes, not {length}") as refused:
        parse_multikey(encode_base58btc(kind.prefix + bytes(length)))
    assert refused.value.code == "BAD_KEY"


@pytest.mark.parametrize(
    "name", ["secp256k1-pub", "ed25519-priv", "bls12_381-g1-pub", "rsa-pub", "sha2-256", "identity"]
)
def test_a_kind_that_we_cannot_use_is_named(name: str) -> None:
    with pytest.raises(Unsupported, match=f"unsupported key: {name}$") as refused:
        parse_multikey(encode_base58btc(varint.encode(multicodec.get(name).code) + b"hunter2 hunter2 hunter2 hunter2 "))
    assert refused.value.code == "UNSUPPORTED_KEY"
    assert refused.value.name == name


def test_a_kind_that_nobody_knows_is_named_by_its_number() -> None:
    with pytest.raises(Unsupported, match=r"multicodec 0xfffffff$"):
        parse_multikey(encode_base58btc(varint.encode(0xFFFFFFF) + bytes(32)))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "BAD_MULTIBASE"),
        ("z", "BAD_MULTIBASE"),
        (MULTIKEY[1:], "BAD_MULTIBASE"),
        (f" {MULTIKEY}", "BAD_MULTIBASE"),
        (f"{MULTIKEY}\n", "BAD_MULTIBASE"),
        ("u7QF7", "BAD_MULTIBASE"),
        (encode_base58btc(b"\xed"), "BAD_MULTICODEC"),
        (encode_base58btc(b"\xed\x81\x00" + bytes(32)), "BAD_MULTICODEC"),
        (encode_base58btc(b"\xff" * 40), "BAD_MULTICODEC"),
    ],
)
def test_what_is_no_multikey(text: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_multikey(text)
    assert refused.value.code == code
    assert refused.value.where == "publicKeyMultibase"


# --- did:key ---------------------------------------------------------------------------------------------------------


def test_the_longest_did_url_is_within_bounds() -> None:
    key = Bls12381Key.from_secret(SECRET)
    assert resolve_method(key.verification_method).public == key.public
    assert len(key.verification_method) == 279 < MAX_DID


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (f"did:key:{MULTIKEY}", "BAD_METHOD"),
        (f"did:key:{MULTIKEY}#", "BAD_METHOD"),
        (f"did:key:{MULTIKEY}#key-1", "BAD_METHOD"),
        (f"did:key:{MULTIKEY}#{MULTIKEY[:-1]}", "BAD_METHOD"),
        (f"did:key:{MULTIKEY}#{MULTIKEY}#{MULTIKEY}", "BAD_METHOD"),
        (f"did:key:{MULTIKEY}#{METHOD}", "BAD_METHOD"),
        (f"did:key:{MULTIKEY}#{Ed25519Key.from_seed(bytes(32)).public.multikey}", "BAD_METHOD"),
        (f"did:key:{MULTIKEY}?versionId=1#{MULTIKEY}", "BAD_METHOD"),
        (f"did:key:{MULTIKEY}/#{MULTIKEY}", "BAD_METHOD"),
        (f"did:key:{MULTIKEY}/#{MULTIKEY}/", "BAD_MULTIBASE"),
        (f"did:key:1.1:{MULTIKEY}#1.1:{MULTIKEY}", "BAD_MULTIBASE"),
        (f"did:key:@{MULTIKEY}#@{MULTIKEY}", "BAD_MULTIBASE"),
        (did_key_method(PublicKey(ED25519, bytes(31))), "BAD_KEY"),
        ("", "BAD_METHOD"),
        ("#", "BAD_METHOD"),
        ("did", "BAD_METHOD"),
        ("did:", "BAD_METHOD"),
        ("did:key", "BAD_METHOD"),
        ("did:key:", "BAD_METHOD"),
        ("did:key:#", "BAD_METHOD"),
        (f"did::{MULTIKEY}#{MULTIKEY}", "BAD_METHOD"),
        (f"DID:key:{MULTIKEY}#{MULTIKEY}", "BAD_METHOD"),
        (f" {METHOD}", "BAD_METHOD"),
        (f"urn:key:{MULTIKEY}#{MULTIKEY}", "BAD_METHOD"),
        (MULTIKEY, "BAD_METHOD"),
        ("https://example.com/issuer#key-1", "BAD_METHOD"),
        (f"did:key:{'z' * (MAX_DID - 8)}", "BAD_METHOD"),
        (f"did:key:{'z' * (MAX_DID - 7)}", "TOO_LARGE"),
    ],
)
def test_what_is_no_method_of_a_did_key(url: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        resolve_method(url)
    assert refused.value.code == code


@pytest.mark.parametrize("method", ["web", "webvh", "example", "KEY", "key2"])
def test_another_did_method_is_named(method: str) -> None:
    with pytest.raises(Unsupported, match=f"unsupported DID method: {method}$") as refused:
        resolve_method(f"did:{method}:{MULTIKEY}#{MULTIKEY}")
    assert refused.value.code == "UNSUPPORTED_DID"


def test_a_did_of_another_kind_of_key_is_named() -> None:
    multikey = encode_base58btc(varint.encode(multicodec.get("secp256k1-pub").code) + bytes(33))
    with pytest.raises(Unsupported, match="secp256k1-pub"):
        resolve_method(f"did:key:{multikey}#{multikey}")


@st.composite
def mutations(draw: st.DrawFn) -> str:
    at = draw(st.integers(0, len(METHOD)))
    return METHOD[:at] + draw(st.text(max_size=3)) + METHOD[at + draw(st.integers(0, 3)) :]


@without_deadline
@given(st.text(max_size=40) | mutations())
def test_only_our_errors_leave(url: str) -> None:
    try:
        method = resolve_method(url)
    except VcError:
        return
    assert url == did_key_method(method.public)  # a method has one spelling
    assert method.controller == did_key(method.public)


# --- secrets ---------------------------------------------------------------------------------------------------------


def spellings(secret: bytes) -> list[str]:
    return [
        secret.hex(),
        repr(secret),
        repr(secret)[2:-1],
        base64.b64encode(secret).decode(),
        base64.urlsafe_b64encode(secret).decode().rstrip("="),
        str(int.from_bytes(secret, "big")),
        str(list(secret))[1:-1],
        encode_base58btc(secret),
    ]


@pytest.mark.parametrize(
    ("key", "secret"), [(KEY, SEED), (Bls12381Key.from_secret(SECRET), SECRET)], ids=["Ed25519", "BLS12-381"]
)
def test_a_key_does_not_show_its_secret(key: Any, secret: bytes) -> None:
    shown = f"{key!r} {key!s} {key} {[key]} {key.public!r} {key.verification_method}".lower()
    assert key.public.multikey.lower() in shown
    assert "signingkey" not in shown
    for spelling in spellings(secret):
        assert spelling.lower() not in shown


def test_a_message_does_not_show_a_secret() -> None:
    secret = b"hunter2" * 5
    for make in (Ed25519Key.from_seed, Bls12381Key.from_secret):
        for wrong in (secret, secret[:31], b"", b"\xff" * 32 if make == Bls12381Key.from_secret else secret):
            with pytest.raises(Malformed) as refused:
                make(wrong)
            assert "hunter2" not in f"{refused.value!r} {refused.value}"
            assert "ffff" not in f"{refused.value!r} {refused.value}"


# --- signatures ------------------------------------------------------------------------------------------------------

ORDER: Final = 2**252 + 27742317777372353535851937790883648493  # of the group (RFC 8032 §5.1)


def test_ed25519_first_example_of_rfc_8032() -> None:
    key = Ed25519Key.from_seed(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    assert key.public.raw.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert key.sign(b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
        "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )


@without_deadline
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80))
def test_a_signature_verifies_and_so_does_the_key_read_back(seed: bytes, data: bytes) -> None:
    key = Ed25519Key.from_seed(seed)
    verify_ed25519(resolve_method(key.verification_method).public, data, key.sign(data))
    assert Ed25519Key.from_seed(key.seed) == key


@without_deadline
@given(st.binary(min_size=1, max_size=40), st.sampled_from(["key", "data", "signature"]), st.integers(0, 2**16))
def test_a_flipped_bit_is_noticed(data: bytes, part: str, bit: int) -> None:
    parts = {"key": KEY.public.raw, "data": data, "signature": KEY.sign(data)}
    changed = bytearray(parts[part])
    changed[bit // 8 % len(changed)] ^= 1 << bit % 8
    parts[part] = bytes(changed)
    with pytest.raises(Rejected) as refused:
        verify_ed25519(PublicKey(ED25519, parts["key"]), parts["data"], parts["signature"])
    assert refused.value.code == "PROOF_INVALID"


@pytest.mark.parametrize("length", [0, 32, 63, 65, 128])
def test_a_signature_has_64_bytes(length: int) -> None:
    with pytest.raises(Malformed) as refused:
        verify_ed25519(KEY.public, b"data", (KEY.sign(b"data") * 2)[:length])
    assert refused.value.code == "BAD_SIGNATURE"


def test_a_signature_has_one_spelling() -> None:
    signature = KEY.sign(b"data")
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    with pytest.raises(Rejected):
        verify_ed25519(KEY.public, b"data", signature[:32] + scalar.to_bytes(32, "little"))


@pytest.mark.parametrize("point", ["01" + "00" * 31, "00" * 32, "ec" + "ff" * 30 + "7f", "ee" + "ff" * 30 + "7f"])
def test_a_key_that_signs_everything_signs_nothing(point: str) -> None:
    """Points of small order, and one that has two spellings."""
    public = PublicKey(ED25519, bytes.fromhex(point))
    with pytest.raises(Rejected):
        verify_ed25519(public, b"data", bytes.fromhex("01" + "00" * 63))


@pytest.mark.parametrize("kind", [X25519, P256, P384, BLS12_381_G2], ids=lambda kind: kind.name)
def test_another_kind_of_key_does_not_verify(kind: KeyKind) -> None:
    raw = KEY.public.raw if kind.length == 32 else bytes(kind.length)
    with pytest.raises(Unsupported) as refused:
        verify_ed25519(PublicKey(kind, raw), b"data", KEY.sign(b"data"))
    assert refused.value.code == "UNSUPPORTED_KEY"


def test_a_bbs_key_signs_messages() -> None:
    key = Bls12381Key.from_secret(SECRET)
    signature = key.sign_messages(b"header", [b"one", b"two"])
    bbs.verify(key.public.raw, signature, b"header", [b"one", b"two"])
    with pytest.raises(Rejected):
        bbs.verify(key.public.raw, signature, b"header", [b"one", b"three"])


def test_a_key_signs_as_whom_it_is_told() -> None:
    method = "https://example.com/issuer#key-1"
    signer: Signer = Ed25519Key.from_seed(SEED, method)
    assert (signer.verification_method, signer.public) == (method, KEY.public)
    for key in (Ed25519Key.from_seed(SEED, method), Bls12381Key.from_secret(SECRET, method)):
        assert key.did == "https://example.com/issuer"
    assert KEY.did == resolve_method(KEY.verification_method).controller
