"""Compact JWS and the times of JWTs: joserfc as oracle both ways, the attacks on JOSE, and only our errors."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from joserfc import jws as oracle
from joserfc.jwk import ECKey, OctKey, OKPKey

from vc.canon import Json, to_json
from vc.errors import Malformed, Rejected, Unsupported, VcError
from vc.jose import (
    ALGORITHMS,
    HEADER_LIMITS,
    LAST_SECOND,
    MAX_JWS,
    SKEW,
    check_times,
    numeric_date,
    parse_jws,
    sign_jws,
    verify_jws,
)
from vc.jwk import parse_jwk, public_jwk
from vc.keys import Bls12381Key, Ed25519Key, P256Key, P384Key, PublicKey, Signer
from vc.multibase import encode_base64url

P256: Final = P256Key.from_secret(bytes(31) + b"\x01")
P384: Final = P384Key.from_secret(bytes(47) + b"\x02")
ED25519: Final = Ed25519Key.from_seed(b"\x03" * 32)
SIGNERS: Final[list[tuple[str, Signer]]] = [
    ("ES256", P256),
    ("ES384", P384),
    ("EdDSA", ED25519),
    ("Ed25519", ED25519),
]
AT: Final = datetime(2026, 11, 24, tzinfo=UTC)
without_deadline: Final = settings(deadline=None)
# RFC 9864 replaces the name EdDSA by Ed25519; what is deployed still says EdDSA.
old_names: Final = pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")


def encoded(value: object) -> str:
    return encode_base64url(json.dumps(value).encode())


def forged(header: object, payload: bytes = b"{}", signature: bytes = b"") -> str:
    return f"{encoded(header)}.{encode_base64url(payload)}.{encode_base64url(signature)}"


def public_of(signer: Signer) -> Any:
    jwk: Any = public_jwk(signer.public)
    return (OKPKey if jwk["kty"] == "OKP" else ECKey).import_key(jwk)


# --- another implementation, both ways --------------------------------------------------------------------------------


@old_names
@pytest.mark.parametrize(("algorithm", "signer"), SIGNERS)
def test_another_implementation_reads_what_we_sign(algorithm: str, signer: Signer) -> None:
    text = sign_jws(b'{"iss":"x"}', key=signer, typ="example+jwt", header={"kid": "k"}, algorithm=algorithm)
    read = oracle.deserialize_compact(text, public_of(signer), algorithms=[algorithm])
    assert read.headers() == {"alg": algorithm, "typ": "example+jwt", "kid": "k"}
    assert read.payload == b'{"iss":"x"}'


@old_names
@pytest.mark.parametrize(
    ("algorithm", "secret"),
    [
        ("ES256", lambda: ECKey.generate_key("P-256")),
        ("ES384", lambda: ECKey.generate_key("P-384")),
        ("EdDSA", lambda: OKPKey.generate_key("Ed25519")),
        ("Ed25519", lambda: OKPKey.generate_key("Ed25519")),
    ],
)
def test_we_read_what_another_implementation_signs(algorithm: str, secret: Callable[[], Any]) -> None:
    key = secret()
    text = oracle.serialize_compact({"alg": algorithm, "typ": "JWT"}, b"payload", key, algorithms=[algorithm])
    public = parse_jwk(key.as_dict(private=False))
    assert verify_jws(parse_jws(text), public, typ="JWT") == b"payload"


@without_deadline
@given(st.binary(max_size=200))
@example(b"")
def test_a_payload_is_carried_unchanged(payload: bytes) -> None:
    jws = parse_jws(sign_jws(payload, key=ED25519, typ="x"))
    assert verify_jws(jws, ED25519.public, typ="x") == jws.unverified == payload


def test_signing_is_deterministic() -> None:
    first = sign_jws(b"{}", key=P256, typ="x")
    assert first == sign_jws(b"{}", key=P256, typ="x")
    assert first.startswith("eyJhbGciOiJFUzI1NiIsInR5cCI6IngifQ.e30.")
    assert parse_jws(first).header == {"alg": "ES256", "typ": "x"}


# --- the attacks ------------------------------------------------------------------------------------------------------

GOOD: Final = sign_jws(b'{"iss":"x"}', key=P256, typ="example+jwt")
HEADER, PAYLOAD, SIGNATURE = GOOD.split(".")


def hmac_with_the_public_key() -> str:
    key = OctKey.import_key(P256.public.raw)
    return oracle.serialize_compact({"alg": "HS256", "typ": "example+jwt"}, b"{}", key, algorithms=["HS256"])


REFUSED: Final[list[tuple[str, str, type[VcError], str]]] = [
    ("none", forged({"alg": "none", "typ": "example+jwt"}), Unsupported, "UNSUPPORTED_SUITE"),
    ("None", forged({"alg": "None"}), Unsupported, "UNSUPPORTED_SUITE"),
    ("no algorithm", forged({"typ": "example+jwt"}), Malformed, "BAD_JWS"),
    ("an algorithm that is a list", forged({"alg": ["ES256"]}), Malformed, "BAD_JWS"),
    ("HS256 with the public key", hmac_with_the_public_key(), Unsupported, "UNSUPPORTED_SUITE"),
    ("RS256", forged({"alg": "RS256"}), Unsupported, "UNSUPPORTED_SUITE"),
    ("ES256K", forged({"alg": "ES256K"}), Unsupported, "UNSUPPORTED_SUITE"),
    ("crit", forged({"alg": "ES256", "crit": ["exp"], "exp": 1}), Unsupported, "UNSUPPORTED_SUITE"),
    ("an empty crit", forged({"alg": "ES256", "crit": []}), Unsupported, "UNSUPPORTED_SUITE"),
    ("b64", forged({"alg": "ES256", "b64": False}), Unsupported, "UNSUPPORTED_SUITE"),
    ("one name twice", encode_base64url(b'{"alg":"ES256","alg":"ES256"}') + ".e30.", Malformed, "NOT_JSON"),
    ("a header that is a list", forged(["ES256"]), Malformed, "NOT_JSON"),
    ("a header that is no JSON", f"{encode_base64url(b'alg')}.e30.", Malformed, "NOT_JSON"),
    ("a header in UTF-16", f"{encode_base64url('{}'.encode('utf-16'))}.e30.", Malformed, "NOT_JSON"),
    ("a typ that is a number", forged({"alg": "ES256", "typ": 1}), Malformed, "BAD_JWS"),
    ("a kid that is a list", forged({"alg": "ES256", "kid": ["k"]}), Malformed, "BAD_JWS"),
    ("two parts", f"{HEADER}.{PAYLOAD}", Malformed, "BAD_JWS"),
    ("four parts", f"{GOOD}.", Malformed, "BAD_JWS"),
    ("five parts, as of JWE", f"{GOOD}.a.b", Malformed, "BAD_JWS"),
    ("nothing", "", Malformed, "BAD_JWS"),
    ("padding", f"{HEADER}.{PAYLOAD}.{SIGNATURE}==", Malformed, "BAD_MULTIBASE"),
    ("a blank", f" {GOOD}", Malformed, "BAD_MULTIBASE"),
    ("a line end", f"{GOOD}\n", Malformed, "BAD_MULTIBASE"),
    ("not ASCII", f"{HEADER}.é.{SIGNATURE}", Malformed, "BAD_MULTIBASE"),
    ("too deep", forged({"alg": "ES256", "x": [[[[[[[[[]]]]]]]]]}), Malformed, "TOO_DEEP"),
    ("too large", "A" * (MAX_JWS + 1), Malformed, "TOO_LARGE"),
    ("too large a header", forged({"alg": "ES256", "x": "a" * HEADER_LIMITS.size}), Malformed, "TOO_LARGE"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_is_never_read(text: str, kind: type[VcError], code: str) -> None:
    with pytest.raises(kind) as refused:
        parse_jws(text)
    assert refused.value.code == code


def another_spelling() -> str:
    """The same header to a JSON reader, signed as nobody signed it."""
    return encode_base64url(b'{"typ":"example+jwt","alg":"ES256"}') + f".{PAYLOAD}.{SIGNATURE}"


NOT_VERIFIED: Final[list[tuple[str, str, PublicKey, str]]] = [
    ("another payload", f"{HEADER}.{encoded({'iss': 'y'})}.{SIGNATURE}", P256.public, "PROOF_INVALID"),
    ("another spelling of the header", another_spelling(), P256.public, "PROOF_INVALID"),
    ("another key", GOOD, P256Key.from_secret(bytes(31) + b"\x09").public, "PROOF_INVALID"),
    ("a key of another kind", GOOD, ED25519.public, "KEY_MISMATCH"),
    ("a key of another curve", GOOD, P384.public, "KEY_MISMATCH"),
    ("EdDSA with a P-256 key", forged({"alg": "EdDSA", "typ": "example+jwt"}), P256.public, "KEY_MISMATCH"),
    ("no signature", f"{HEADER}.{PAYLOAD}.", P256.public, "BAD_SIGNATURE"),
    ("half a signature", f"{HEADER}.{PAYLOAD}.{SIGNATURE[:40]}", P256.public, "BAD_SIGNATURE"),
    ("zeros", f"{HEADER}.{PAYLOAD}.{encode_base64url(bytes(64))}", P256.public, "PROOF_INVALID"),
    ("ones", f"{HEADER}.{PAYLOAD}.{'_' * 85}w", P256.public, "PROOF_INVALID"),
    ("another type", sign_jws(b"{}", key=P256, typ="kb+jwt"), P256.public, "PURPOSE_MISMATCH"),
    ("its media type", sign_jws(b"{}", key=P256, typ="application/example+jwt"), P256.public, "PURPOSE_MISMATCH"),
    ("no type", f"{encoded({'alg': 'ES256'})}.{PAYLOAD}.{SIGNATURE}", P256.public, "PURPOSE_MISMATCH"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "key", "code"), [row[1:] for row in NOT_VERIFIED], ids=[row[0] for row in NOT_VERIFIED]
)
def test_what_does_not_verify(text: str, key: PublicKey, code: str) -> None:
    with pytest.raises(VcError) as refused:
        verify_jws(parse_jws(text), key, typ="example+jwt", where="token")
    assert refused.value.code == code
    if isinstance(refused.value, Rejected):
        assert {finding.where for finding in refused.value.findings} == {"token"}


def test_a_key_in_the_header_is_not_used() -> None:
    attacker = P256Key.from_secret(bytes(31) + b"\x07")
    header: dict[str, Json] = {"jwk": public_jwk(attacker.public), "jku": "https://attacker.example/jwks", "kid": "k"}
    text = sign_jws(b"{}", key=attacker, typ="x", header=header)
    assert verify_jws(parse_jws(text), attacker.public, typ="x") == b"{}"
    with pytest.raises(Rejected):
        verify_jws(parse_jws(text), P256.public, typ="x")


def test_an_algorithm_has_to_be_accepted() -> None:
    for algorithm, signer in SIGNERS:
        jws = parse_jws(sign_jws(b"{}", key=signer, typ="x", algorithm=algorithm))
        assert verify_jws(jws, signer.public, typ=None, algorithms={algorithm}) == b"{}"
        with pytest.raises(Rejected) as refused:
            verify_jws(jws, signer.public, typ=None, algorithms=ALGORITHMS.keys() - {algorithm})
        assert refused.value.code == "SUITE_NOT_ALLOWED"


@pytest.mark.parametrize("place", range(0, len(GOOD), 7))
def test_no_changed_character_verifies(place: int) -> None:
    for replacement in ("A", "B", "_", ".", "="):
        changed = GOOD[:place] + replacement + GOOD[place + 1 :]
        if changed != GOOD:
            with pytest.raises(VcError):
                verify_jws(parse_jws(changed), P256.public, typ="example+jwt")


@without_deadline
@given(st.text(max_size=40) | st.builds(forged, st.recursive(st.none() | st.text(max_size=5), st.lists, max_leaves=5)))
@example("\ud800.\ud800.\ud800")
@example("e30.e30.e30")
def test_only_our_errors_leave(text: str) -> None:
    with pytest.raises(VcError):
        verify_jws(parse_jws(text), P256.public, typ=None)


# --- signing ----------------------------------------------------------------------------------------------------------


class Hardware:
    """A signer that answers in DER, as hardware modules do."""

    public = P256.public
    verification_method = "did:example:hardware#1"

    def sign(self, data: bytes) -> bytes:
        return b"\x30\x45" + P256.sign(data)


def test_a_signature_in_der_is_not_sent() -> None:
    with pytest.raises(Malformed) as refused:
        sign_jws(b"{}", key=Hardware(), typ="x")
    assert refused.value.code == "BAD_SIGNATURE"


@pytest.mark.parametrize("algorithm", ["ES384", "EdDSA", "none", "HS256", "ES512"])
def test_a_key_signs_only_as_what_it_is(algorithm: str) -> None:
    with pytest.raises(Unsupported):
        sign_jws(b"{}", key=P256, typ="x", algorithm=algorithm)


def test_a_key_for_bbs_signs_no_jws() -> None:
    key: Any = Bls12381Key.from_secret(bytes(31) + b"\x05")
    with pytest.raises(Unsupported):
        sign_jws(b"{}", key=key, typ="x")


@pytest.mark.parametrize("name", ["alg", "typ"])
def test_alg_and_typ_are_said_once(name: str) -> None:
    with pytest.raises(Malformed):
        sign_jws(b"{}", key=P256, typ="x", header={name: "ES256"})


# --- times ------------------------------------------------------------------------------------------------------------


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


@pytest.mark.parametrize(
    ("claims", "codes"),
    [
        ({}, []),
        ({"exp": seconds(AT) + 1}, []),
        ({"exp": seconds(AT) + 0.5}, []),
        ({"exp": seconds(AT)}, ["EXPIRED"]),  # "on or after which" it is not accepted
        ({"exp": 0}, ["EXPIRED"]),
        ({"nbf": seconds(AT + SKEW)}, []),
        ({"nbf": seconds(AT + SKEW) + 1}, ["NOT_YET_VALID"]),
        ({"nbf": LAST_SECOND, "exp": 1}, ["EXPIRED", "NOT_YET_VALID"]),
        ({"iat": seconds(AT) + 10**6}, []),
    ],
)
def test_times(claims: dict[str, Any], codes: list[str]) -> None:
    assert [finding.code for finding in check_times(claims, AT)] == codes
    assert [finding.code for finding in check_times(claims, AT.astimezone())] == codes


@pytest.mark.parametrize("value", [None, "1", True, False, -1, LAST_SECOND + 1, 1e300, [], {}], ids=repr)
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_what_is_no_time(name: str, value: Any) -> None:
    with pytest.raises(Malformed) as refused:
        list(check_times({name: value}, AT))
    assert refused.value.code == "BAD_DATE"
    assert name in refused.value.where


def test_a_time_that_is_not_there() -> None:
    assert numeric_date({}, "exp") is None
    assert numeric_date({"exp": 1.5}, "exp") == 1.5
    assert timedelta(minutes=10) > SKEW > timedelta(0)


def test_headers_that_were_kept_are_not_shared_for_writing() -> None:
    header: Any = parse_jws(GOOD).header
    with pytest.raises(TypeError):
        header["alg"] = "none"
    assert parse_jws(GOOD).algorithm == "ES256"
    assert to_json(dict(header)) == b'{"alg":"ES256","typ":"example+jwt"}'
