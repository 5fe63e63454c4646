"""DPoP proofs and JWK thumbprints: the examples of RFC 9449 and RFC 7638, each check alone, oracles."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

from tests.line import rand_from
from tests.node import node
from tests.refusals import ANY_JSON, VALUE, outcome
from vc.dpop import (
    MAX_AGE,
    MAX_JTI,
    MAX_PROOF,
    MAX_URL,
    TYP,
    DpopProof,
    jwk_thumbprint,
    make_dpop,
    normal_url,
    token_hash,
    verify_dpop,
)
from vc.errors import Malformed, Unsupported, VcError
from vc.jose import SKEW, sign_jws
from vc.jwk import public_jwk
from vc.keys import Ed25519Key, P256Key, P384Key, P521Key, Signer
from vc.multibase import encode_base64url
from vc.oauth import OAuthRefusal

AT: Final = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
URL: Final = "https://platform.example/issuer/token"
KEY: Final = P256Key.generate(rand_from("dpop"))
CLAIMS: Final[dict[str, Any]] = {
    "jti": "j-1", "htm": "POST", "htu": URL, "iat": int(AT.timestamp()), "nonce": "n", "ath": token_hash("t"),
}  # fmt: skip
without_deadline: Final = settings(deadline=None)

# RFC 9449 figures 2 and 13: the requests of §4.1 and §7.1.
HEADER: Final = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJo"
    "RjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
)
TOKEN_PROOF: Final = (
    f"{HEADER}.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2Vu"
    "IiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)
RESOURCE_PROOF: Final = (
    f"{HEADER}.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90"
    "ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9"
    ".2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)
ACCESS_TOKEN: Final = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
JKT: Final = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def made(key: Signer = KEY, *, typ: str = TYP, header: Any = None, **changed: Any) -> str:
    """A proof with these claims changed, or left out where they are None."""
    claims = {name: value for name, value in {**CLAIMS, **changed}.items() if value is not None}
    named = {"jwk": public_jwk(key.public)} if header is None else header
    return sign_jws(json.dumps(claims).encode(), key=key, typ=typ, header=named)


def verified(
    text: str, *, at: datetime = AT, access_token: str | None = "t", jkt: str | None = None, asks: bool = True
) -> DpopProof:
    check: Callable[[str], bool] | None = (lambda nonce: nonce == "n") if asks else None
    return verify_dpop(text, method="POST", url=URL, at=at, access_token=access_token, check_nonce=check, jkt=jkt)


def refused(text: str, **given_: Any) -> str:
    with pytest.raises(OAuthRefusal) as refusal:
        verified(text, **given_)
    return refusal.value.error


def test_the_examples_of_rfc_9449() -> None:
    then = datetime.fromtimestamp(1562262616, UTC)
    proof = verify_dpop(
        TOKEN_PROOF, method="POST", url="https://server.example.com/token", at=then, access_token=None, check_nonce=None
    )
    assert (proof.jkt, proof.jti, proof.nonce) == (JKT, "-BwC3ESc6acc2lTc", None)
    proof = verify_dpop(
        RESOURCE_PROOF, method="GET", url="https://resource.example.org/protectedresource", at=then,
        access_token=ACCESS_TOKEN, check_nonce=None, jkt=JKT,
    )  # fmt: skip
    assert proof.jti == "e1j3V_bKic8-LAEB"
    assert token_hash(ACCESS_TOKEN) == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"


def test_the_example_of_rfc_7638() -> None:
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn"
        "jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qM"
        "QvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJz"
        "KnqDKgw"
    )
    jwk = {"kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    assert jwk_thumbprint(jwk) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_the_example_of_rfc_8037() -> None:
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert jwk_thumbprint(jwk) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize("jwk", [{}, {"kty": "oct", "k": "AA"}, {"kty": 7}, {"kty": ["EC"]}])
def test_what_has_no_thumbprint(jwk: dict[str, Any]) -> None:
    with pytest.raises(Unsupported):
        jwk_thumbprint(jwk)


def test_a_thumbprint_of_half_a_key() -> None:
    with pytest.raises(Malformed, match="jwk/y"):
        jwk_thumbprint({"kty": "EC", "crv": "P-256", "x": "AA"})


KEYS: Final[list[Signer]] = [
    KEY, P384Key.generate(rand_from("p384")), Ed25519Key.from_seed(bytes(32)),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.public.kind.name)
def test_a_proof_of_ours(key: Signer) -> None:
    text = make_dpop(key, method="POST", url=f"{URL}?a=1#b", at=AT, rand=rand_from("jti"), access_token="t", nonce="n")
    proof = verified(text, jkt=jwk_thumbprint(public_jwk(key.public)))
    assert proof.public == key.public
    assert proof.nonce == "n"
    assert len(proof.jti) == 22


def test_a_proof_without_token_and_nonce() -> None:
    text = make_dpop(KEY, method="POST", url=URL, at=AT, rand=rand_from("jti"))
    assert verified(text, access_token=None, asks=False).nonce is None


def test_an_oracle_reads_ours() -> None:
    text = make_dpop(KEY, method="GET", url=URL, at=AT, rand=rand_from("jti"), access_token="t", nonce="n")
    public: Any = public_jwk(KEY.public)
    read = jwt.decode(text, ECKey.import_key(public), algorithms=["ES256"])
    assert read.header["typ"] == "dpop+jwt"
    assert read.header["jwk"] == public_jwk(KEY.public)
    assert read.claims["ath"] == token_hash("t")


@pytest.mark.parametrize(("kind", "curve", "name"), [(ECKey, "P-256", "ES256"), (OKPKey, "Ed25519", "Ed25519")])
def test_we_read_an_oracle(kind: Any, curve: str, name: str) -> None:
    key = kind.generate_key(curve)
    header = {"typ": TYP, "alg": name, "jwk": key.as_dict(private=False)}
    proof = verified(jwt.encode(header, CLAIMS, key, algorithms=[name]))
    assert proof.jkt == key.thumbprint()


FAULTS: Final[dict[str, Callable[[], str]]] = {
    "2 not a JWT": lambda: "a.b",
    "2 two proofs with a comma between them": lambda: f"{made()}, {made()}",
    "2 not ANY_JSON": lambda: sign_jws(b"{", key=KEY, typ=TYP, header={"jwk": public_jwk(KEY.public)}),
    "3 no jti": lambda: made(jti=None),
    "3 an empty jti": lambda: made(jti=""),
    "3 a long jti": lambda: made(jti="j" * (MAX_JTI + 1)),
    "3 a jti that is no text": lambda: made(jti=7),
    "3 no htm": lambda: made(htm=None),
    "3 no htu": lambda: made(htu=None),
    "3 no iat": lambda: made(iat=None),
    "4 another typ": lambda: made(typ="JWT"),
    "5 no algorithm": lambda: unsigned("none"),
    "5 a MAC": lambda: unsigned("HS256"),
    "5 an algorithm that is not listed": lambda: made(P521Key.generate(rand_from("p521"))),
    "6 another key's signature": lambda: made(header={"jwk": public_jwk(KEYS[1].public)}),
    "6 another key of the same kind": lambda: made(
        header={"jwk": public_jwk(P256Key.generate(rand_from("other")).public)}
    ),
    "6 no key": lambda: made(header={}),
    "6 a changed claim": lambda: swapped(made(), made(jti="j-2")),
    "7 a private key": lambda: made(
        header={"jwk": {**public_jwk(KEY.public), "d": encode_base64url(KEY.secret)}}
    ),
    "8 another method": lambda: made(htm="GET"),
    "8 the method in small letters": lambda: made(htm="post"),
    "9 another path": lambda: made(htu=f"{URL}/"),
    "9 another scheme": lambda: made(htu=URL.replace("https", "http")),
    "9 another host": lambda: made(htu=URL.replace("platform", "pl4tform")),
    "9 another port": lambda: made(htu="https://platform.example:8443/issuer/token"),
    "9 a user": lambda: made(htu="https://a@platform.example/issuer/token"),
    "9 no URL": lambda: made(htu="https://["),
    "9 a long URL": lambda: made(htu=URL + "?" + "a" * MAX_URL),
    "10 a nonce that is no text": lambda: made(nonce=["n"]),
    "11 too old": lambda: made(iat=int((AT - MAX_AGE).timestamp()) - 1),
    "11 too far ahead": lambda: made(iat=int((AT + SKEW).timestamp()) + 1),
    "11 a time that is no number": lambda: made(iat="now"),
    "11 past its end": lambda: made(exp=int(AT.timestamp())),
    "11 not valid yet": lambda: made(nbf=int((AT + SKEW).timestamp()) + 1),
    "12 no hash of the token": lambda: made(ath=None),
    "12 the hash of another token": lambda: made(ath=token_hash("T")),
    "12 a hash that is no text": lambda: made(ath=7),
    "an extension that has to be understood": lambda: made(
        header={"jwk": public_jwk(KEY.public), "crit": ["x"], "x": 1}
    ),
    "too large": lambda: made(more="m" * MAX_PROOF),
}  # fmt: skip


def unsigned(name: str) -> str:
    header = json.dumps({"typ": TYP, "alg": name, "jwk": public_jwk(KEY.public)}).encode()
    return f"{encode_base64url(header)}.{encode_base64url(json.dumps(CLAIMS).encode())}."


def swapped(one: str, other: str) -> str:
    """The first with the claims of the other."""
    (header, _, signature), (_, claims, _) = one.split("."), other.split(".")
    return f"{header}.{claims}.{signature}"


def test_without_a_fault() -> None:
    assert verified(made()).jti == "j-1"
    assert verified(made(unknown={"ignored": True}, iat=CLAIMS["iat"] + 0.5)).jti == "j-1"


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone(fault: str) -> None:
    assert refused(FAULTS[fault]()) == "invalid_dpop_proof"


@pytest.mark.parametrize("nonce", [None, "m"])
def test_a_nonce_that_is_missing_or_wrong(nonce: str | None) -> None:
    assert refused(made(nonce=nonce)) == "use_dpop_nonce"


def test_a_bad_proof_is_not_told_a_nonce() -> None:
    assert refused(made(nonce="m", htm="GET")) == "invalid_dpop_proof"


def test_a_token_of_another_key() -> None:
    with pytest.raises(OAuthRefusal) as refusal:
        verified(made(), jkt=JKT)
    assert (refusal.value.error, refusal.value.status) == ("invalid_token", 401)


def test_the_edges_of_the_window() -> None:
    for made_at in (AT - MAX_AGE, AT + SKEW):
        assert verified(made(iat=int(made_at.timestamp()))).jti == "j-1"


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("HTTPS://Platform.EXAMPLE:443/a", "https://platform.example/a"),
        ("http://platform.example:80", "http://platform.example/"),
        ("https://platform.example?x#y", "https://platform.example/"),
        ("https://platform.example:8443/", "https://platform.example:8443/"),
        ("https://[::1]:8443/a", "https://[::1]:8443/a"),
        ("https://p.example/%7euser/%2fa%c3%a9", "https://p.example/~user/%2Fa%C3%A9"),
        ("https://p.example/a/./b/../c/%2e%2E/d/.", "https://p.example/a/d/"),
        ("https://p.example/../..", "https://p.example/"),
        ("https://p.example/a//b", "https://p.example/a//b"),
        ("https://p.example/A", "https://p.example/A"),
    ],
)
def test_urls_are_compared_in_one_form(url: str, normal: str) -> None:
    assert normal_url(url) == normal
    assert normal_url(normal) == normal
    assert verify_dpop(
        made(htu=url), method="POST", url=normal, at=AT, access_token="t", check_nonce=None
    ).jti  # fmt: skip


@pytest.mark.parametrize(
    "url", ["", "token", "/token", "ftp://p.example/", "https://", "https://p.example:port/", "https://p.example/é",
            "https://p.example/a b", "https://p.example:99999/", "https://p.example/\n"]
)  # fmt: skip
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(Malformed):
        normal_url(url)


def test_what_is_no_method() -> None:
    with pytest.raises(Malformed):
        make_dpop(KEY, method="post", url=URL, at=AT, rand=bytes)


@without_deadline
@given(st.sampled_from(sorted(CLAIMS)), ANY_JSON)
def test_only_our_errors_leave_for_any_claim(name: str, value: Any) -> None:
    assert outcome(lambda: verified(made(**{name: value}))) in (VALUE, "invalid_dpop_proof", "use_dpop_nonce")


@without_deadline
@given(st.text(max_size=300) | st.integers(0, len(TOKEN_PROOF)).map(lambda cut: TOKEN_PROOF[:cut]))
@example("\ud800.\ud800.\ud800")
def test_only_our_errors_leave_for_any_text(text: str) -> None:
    assert refused(text) == "invalid_dpop_proof"


@without_deadline
@given(st.text(max_size=60) | st.text("htps:/.@[]%2eE?#a0", max_size=60).map(lambda text: f"https://{text}"))
def test_only_our_errors_leave_for_any_url(url: str) -> None:
    try:
        normal = normal_url(url)
    except VcError:
        return
    assert normal_url(normal) == normal


def test_a_token_of_any_characters_has_a_hash() -> None:
    assert len(token_hash("\udc80é")) == 43  # what an HTTP server makes of bytes that are not UTF-8


def test_another_program_reads_and_makes_proofs() -> None:
    ours = make_dpop(KEY, method="POST", url=URL, at=AT, rand=rand_from("jti"), access_token="t", nonce="n")
    answer = node("dpop", proof=ours, url=URL, method="POST", nonce="n", token="t", now=int(AT.timestamp()))
    assert answer["jkt"] == jwk_thumbprint(public_jwk(KEY.public))
    now = datetime.now(UTC)
    for algorithm, theirs in answer["made"].items():
        proof = verified(theirs["proof"], at=now + timedelta(seconds=1))
        assert proof.jkt == theirs["jkt"], algorithm
