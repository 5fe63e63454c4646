"""Encrypted messages: both curves and every setting, each fault alone, bombs, oracles both ways."""

import json
import zlib
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from joserfc import jwe as oracle
from joserfc.jwk import ECKey, OctKey, OKPKey

from tests.line import rand_from
from tests.node import node
from tests.refusals import ANY_JSON
from vc.errors import Malformed, Rejected, Unsupported, VcError
from vc.jwe import ENCRYPTIONS, MAX_JWE, MAX_KID, DecryptionKey, check_recipient, decrypt_jwt, encrypt_jwt
from vc.jwk import public_jwk
from vc.keys import P384, X25519, P256Key, P384Key
from vc.multibase import decode_base64url, encode_base64url

KEY: Final = DecryptionKey.generate(rand_from("recipient"))
SECRET: Final = bytes(range(1, 33))
OTHER: Final = DecryptionKey.from_secret(SECRET, kind=X25519, kid="x")
PAYLOAD: Final = b'{"credentials":[{"credential":"\xc3\xa9"}]}'
without_deadline: Final = settings(deadline=None)
JWE: Final = encrypt_jwt(PAYLOAD, jwk=KEY.jwk, enc="A256GCM")
by_key: Final = pytest.mark.parametrize("key", [KEY, OTHER], ids=lambda key: key.public.kind.name)


def header_of(text: str) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(decode_base64url(text.partition(".")[0]))
    return header


def with_header(text: str, **changed: Any) -> str:
    """The message under another header: its signature is the tag, so that it never opens."""
    header = {name: value for name, value in {**header_of(text), **changed}.items() if value is not None}
    return f"{encode_base64url(json.dumps(header).encode())}.{text.partition('.')[2]}"


@by_key
@pytest.mark.parametrize("enc", ENCRYPTIONS)
@pytest.mark.parametrize("zip_", [None, "DEF"])
def test_a_message_of_ours(key: DecryptionKey, enc: str, zip_: str | None) -> None:
    text = encrypt_jwt(PAYLOAD * 100, jwk=key.jwk, enc=enc, zip_=zip_)
    assert decrypt_jwt(text, keys=[KEY, OTHER]) == PAYLOAD * 100
    header = header_of(text)
    assert (header["alg"], header["enc"], header["kid"]) == ("ECDH-ES", enc, key.kid)
    assert header.get("zip") == zip_
    assert (len(text) < 2000) == (zip_ is not None)


def test_a_message_from_json() -> None:
    assert decrypt_jwt(encrypt_jwt({"a": ["é"]}, jwk=KEY.jwk, enc="A128GCM"), keys=[KEY]) == '{"a":["é"]}'.encode()


def test_a_key_without_a_name() -> None:
    jwk = {name: value for name, value in KEY.jwk.items() if name != "kid"}
    text = encrypt_jwt(PAYLOAD, jwk=jwk, enc="A256GCM")
    assert "kid" not in header_of(text)
    assert decrypt_jwt(text, keys=[OTHER, KEY]) == PAYLOAD


def test_messages_are_not_alike() -> None:
    assert encrypt_jwt(PAYLOAD, jwk=KEY.jwk, enc="A256GCM") != JWE


def test_secrets_are_in_no_repr() -> None:
    assert encode_base64url(SECRET) not in repr(OTHER)
    assert "d" not in OTHER.jwk


def test_keys_that_are_none() -> None:
    with pytest.raises(Malformed):
        DecryptionKey.from_secret(b"short")
    with pytest.raises(Malformed):
        DecryptionKey.from_secret(bytes(32))
    with pytest.raises(Unsupported):
        DecryptionKey.from_secret(SECRET, kind=P384)


RECIPIENTS: Final[dict[str, tuple[type[VcError], dict[str, Any]]]] = {
    "no algorithm": (Malformed, {"alg": None}),
    "another algorithm": (Unsupported, {"alg": "ECDH-ES+A256KW"}),
    "RSA": (Unsupported, {"alg": "RSA1_5"}),
    "for signatures": (Malformed, {"use": "sig"}),
    "a name that is no text": (Malformed, {"kid": 7}),
    "a long name": (Malformed, {"kid": "k" * (MAX_KID + 1)}),
    "another curve": (Unsupported, public_jwk(P384Key.generate(rand_from("p384")).public)),
    "a key for signatures": (Unsupported, {"kty": "OKP", "crv": "Ed25519", "x": encode_base64url(bytes(32))}),
    "no curve's point": (Malformed, {"y": encode_base64url(bytes(32))}),
    "a private key": (Malformed, {"d": encode_base64url(SECRET)}),
    "a secret": (Malformed, {"kty": "oct", "k": "AA"}),
    "no kind": (Malformed, {"kty": None}),
}


@pytest.mark.parametrize("name", RECIPIENTS)
def test_each_fault_of_a_recipient_alone(name: str) -> None:
    error, changed = RECIPIENTS[name]
    jwk = {key: value for key, value in {**KEY.jwk, **changed}.items() if value is not None}
    for call in (check_recipient, lambda jwk, **more: encrypt_jwt(PAYLOAD, jwk=jwk, **more)):
        with pytest.raises(error):
            call(jwk, enc="A256GCM")


@pytest.mark.parametrize(("enc", "zip_"), [("A128CBC-HS256", None), ("", None), ("A256GCM", "GZIP")])
def test_settings_that_are_not_listed(enc: str, zip_: str | None) -> None:
    with pytest.raises(Unsupported):
        check_recipient(KEY.jwk, enc=enc, zip_=zip_)


def test_the_x25519_point_that_shares_no_secret() -> None:
    jwk = {**OTHER.jwk, "x": encode_base64url(bytes(32))}
    with pytest.raises(Malformed):
        encrypt_jwt(PAYLOAD, jwk=jwk, enc="A256GCM")
    zero = {"kty": "OKP", "crv": "X25519", "x": encode_base64url(bytes(32))}
    with pytest.raises(Rejected):
        decrypt_jwt(with_header(JWE, epk=zero, kid="x"), keys=[OTHER])


def changed_part(place: int) -> str:
    parts = JWE.split(".")
    raw = bytearray(decode_base64url(parts[place]))
    raw[0] ^= 1
    parts[place] = encode_base64url(bytes(raw))
    return ".".join(parts)


FAULTS: Final[dict[str, tuple[type[VcError], Callable[[], str]]]] = {
    "empty": (Malformed, lambda: ""),
    "four parts": (Malformed, lambda: JWE.rpartition(".")[0]),
    "a key that is wrapped": (Malformed, lambda: JWE.replace("..", ".AAAA.", 1)),
    "a header that is no ANY_JSON": (Malformed, lambda: f"{encode_base64url(b'{')}..a.b.c"),
    "no base64url": (Malformed, lambda: JWE[:-1] + "="),
    "no algorithm": (Malformed, lambda: with_header(JWE, alg=None)),
    "dir": (Unsupported, lambda: with_header(JWE, alg="dir")),
    "wrapped keys": (Unsupported, lambda: with_header(JWE, alg="ECDH-ES+A128KW")),
    "a password": (Unsupported, lambda: with_header(JWE, alg="PBES2-HS256+A128KW", p2c=10**9, p2s="AA")),
    "another content encryption": (Unsupported, lambda: with_header(JWE, enc="A128CBC-HS256")),
    "no content encryption": (Malformed, lambda: with_header(JWE, enc=None)),
    "another compression": (Unsupported, lambda: with_header(JWE, zip="GZ")),
    "an extension": (Unsupported, lambda: with_header(JWE, crit=["exp"], exp=1)),
    "no ephemeral key": (Malformed, lambda: with_header(JWE, epk=None)),
    "an ephemeral key off the curve": (
        Malformed, lambda: with_header(JWE, epk={**header_of(JWE)["epk"], "y": encode_base64url(bytes(32))}),
    ),
    "a private ephemeral key": (Malformed, lambda: with_header(JWE, epk={**header_of(JWE)["epk"], "d": "AA"})),
    "an ephemeral key of another curve": (Rejected, lambda: with_header(JWE, epk=public_jwk(OTHER.public))),
    "another key's name": (Rejected, lambda: with_header(JWE, kid="another")),
    "another header": (Rejected, lambda: with_header(JWE, typ="JWT")),
    "a changed vector": (Rejected, lambda: changed_part(2)),
    "a changed text": (Rejected, lambda: changed_part(3)),
    "a changed tag": (Rejected, lambda: changed_part(4)),
    "a short tag": (Rejected, lambda: JWE.rpartition(".")[0] + ".AAAA"),
    "a short vector": (Rejected, lambda: ".".join([*JWE.split(".")[:2], "AAAA", *JWE.split(".")[3:]])),
    "another recipient": (
        Rejected,
        lambda: encrypt_jwt(PAYLOAD, jwk={**DecryptionKey.generate(rand_from("b")).jwk, "kid": KEY.kid}, enc="A256GCM"),
    ),
    "too large": (Malformed, lambda: "a" * (MAX_JWE + 1)),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_a_message_alone(fault: str) -> None:
    assert decrypt_jwt(JWE, keys=[KEY, OTHER]) == PAYLOAD
    error, text = FAULTS[fault]
    with pytest.raises(error):
        decrypt_jwt(text(), keys=[KEY, OTHER])


def test_without_keys_nothing_opens() -> None:
    with pytest.raises(Rejected):
        decrypt_jwt(JWE, keys=[])


def test_a_bomb_ends_at_the_bound() -> None:
    bomb = encrypt_jwt(bytes(50_000_000), jwk=KEY.jwk, enc="A128GCM", zip_="DEF")
    assert len(bomb) < 100_000
    with pytest.raises(Malformed, match="more than") as refusal:
        decrypt_jwt(bomb, keys=[KEY], limit=100_000)
    assert refusal.value.code == "TOO_LARGE"
    assert len(decrypt_jwt(encrypt_jwt(bytes(99_000), jwk=KEY.jwk, enc="A128GCM", zip_="DEF"), keys=[KEY])) == 99_000


class NotDeflate:
    """A compression that makes what no inflate reads."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def compress(self, _data: bytes) -> bytes:
        return self.data


@pytest.mark.parametrize("data", [b"", b"\xff\xff", zlib.compress(b"a"), zlib.compress(b"a")[2:-5]])
def test_what_is_not_compressed(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(oracle.JWERegistry, "get_zip", lambda _self, _name: NotDeflate(data))
        header = {"alg": "ECDH-ES", "enc": "A128GCM", "zip": "DEF"}
        public: Any = public_jwk(KEY.public)
        text = oracle.encrypt_compact(header, b"a", ECKey.import_key(public))
    with pytest.raises(Malformed):
        decrypt_jwt(text, keys=[KEY])


@by_key
@pytest.mark.parametrize("zip_", [None, "DEF"])
def test_an_oracle_reads_ours_and_we_read_an_oracle(key: DecryptionKey, zip_: str | None) -> None:
    kind = ECKey if key is KEY else OKPKey
    secret = P256Key.generate(rand_from("recipient")).secret if key is KEY else SECRET
    jwk: Any = {**public_jwk(key.public), "d": encode_base64url(secret)}
    private = kind.import_key(jwk)
    ours = encrypt_jwt(PAYLOAD, jwk=key.jwk, enc="A256GCM", zip_=zip_)
    assert oracle.decrypt_compact(ours, private).plaintext == PAYLOAD
    header = {"alg": "ECDH-ES", "enc": "A128GCM", "apu": "QQ", "apv": "Qg", **({"zip": zip_} if zip_ else {})}
    assert decrypt_jwt(oracle.encrypt_compact(header, PAYLOAD, private), keys=[key]) == PAYLOAD


def test_an_oracle_s_other_algorithms_are_refused() -> None:
    direct = oracle.encrypt_compact({"alg": "dir", "enc": "A128GCM"}, PAYLOAD, OctKey.import_key(bytes(16)))
    with pytest.raises(Unsupported):
        decrypt_jwt(direct, keys=[KEY])


@by_key
def test_another_program_reads_ours_and_we_read_its(key: DecryptionKey) -> None:
    secret = P256Key.generate(rand_from("recipient")).secret if key is KEY else SECRET
    ours = encrypt_jwt(PAYLOAD, jwk=key.jwk, enc="A128GCM")
    answer = node(
        "jwe", recipient=key.jwk, secret={**public_jwk(key.public), "d": encode_base64url(secret)}, message=ours,
        text=PAYLOAD.decode(), enc="A256GCM",
    )  # fmt: skip
    assert answer["read"] == PAYLOAD.decode()
    assert answer["header"]["kid"] == key.kid
    assert decrypt_jwt(answer["made"], keys=[key]) == PAYLOAD
    recipient = {**answer["another"], "alg": "ECDH-ES", "use": "enc"}
    assert encrypt_jwt(PAYLOAD, jwk=recipient, enc="A256GCM", zip_="DEF")


@without_deadline
@given(st.sampled_from(["alg", "enc", "zip", "kid", "epk", "apu", "apv", "typ", "cty", "crit", "jwk"]), ANY_JSON)
@example("apu", "=")
@example("apu", 7)
@example("cty", [])
def test_only_our_errors_leave_for_any_header(name: str, value: Any) -> None:
    with pytest.raises(VcError):
        decrypt_jwt(with_header(JWE, **{name: value if value is not None else "-"}), keys=[KEY, OTHER])


@without_deadline
@given(st.text(max_size=100) | st.text("A.", max_size=100) | st.integers(0, len(JWE) - 1).map(lambda cut: JWE[:cut]))
@example("\ud800....")
def test_only_our_errors_leave_for_any_text(text: str) -> None:
    with pytest.raises(VcError):
        decrypt_jwt(text, keys=[KEY])


@without_deadline
@given(st.sampled_from(["kty", "crv", "x", "y", "alg", "use", "kid"]), ANY_JSON)
def test_only_our_errors_leave_for_any_recipient(name: str, value: Any) -> None:
    try:
        encrypt_jwt(PAYLOAD, jwk={**KEY.jwk, name: value}, enc="A256GCM")
    except VcError:
        return
    assert name == "kid"
