"""Wallets that their provider vouches for: each rule broken alone with its error code, other programs."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.certificates import NOW, Party, certify, secret
from tests.line import rand_from
from tests.node import node
from tests.refusals import ANY_JSON, VALUE, outcome
from vc.canon import Json
from vc.client_attestation import (
    ATTESTATION_TYP,
    MAX_AGE,
    MAX_TEXT,
    POP_TYP,
    AttestedClient,
    make_client_attestation,
    make_client_attestation_pop,
    verify_client_attestation,
)
from vc.dpop import jwk_thumbprint
from vc.jose import SKEW, sign_jws
from vc.jwk import public_jwk
from vc.keys import P256Key, P384Key, Signer
from vc.multibase import encode_base64url
from vc.oauth import OAuthRefusal

AT: Final = NOW
SECONDS: Final = int(AT.timestamp())
SERVER: Final = "https://platform.example/issuer"
KEY: Final = P256Key.generate(rand_from("instance"))
OTHER: Final = P256Key.generate(rand_from("another instance"))
ROOT: Final = certify("wallet root", secret(1), authority=True)
PROVIDER: Final = certify("wallet provider", secret(3), ROOT)
PROVIDER_KEY: Final = P256Key.from_secret(bytes(31) + b"\x03")
STRANGER: Final = certify("another root", secret(4), authority=True)
without_deadline: Final = settings(deadline=None)


def attestation(
    *, key: Signer = PROVIDER_KEY, typ: str = ATTESTATION_TYP, chain: tuple[Party, ...] = (PROVIDER,), **changed: Any
) -> str:
    """An attestation with these claims changed, or left out where they are None."""
    claims = {
        "iss": "https://wallets.example", "sub": "wallet", "iat": SECONDS, "exp": SECONDS + 60,
        "cnf": {"jwk": public_jwk(KEY.public)}, **changed,
    }  # fmt: skip
    kept = {name: value for name, value in claims.items() if value is not None}
    return sign_jws(json.dumps(kept).encode(), key=key, typ=typ, header={"x5c": [party.x5c for party in chain]})


def pop(*, key: Signer = KEY, typ: str = POP_TYP, **changed: Any) -> str:
    """A proof of possession, likewise."""
    claims = {"aud": SERVER, "jti": "j-1", "iat": SECONDS, "challenge": "c", **changed}
    kept = {name: value for name, value in claims.items() if value is not None}
    return sign_jws(json.dumps(kept).encode(), key=key, typ=typ)


def verified(
    one: str,
    other: str,
    *,
    at: datetime = AT,
    roots: tuple[x509.Certificate, ...] = (ROOT.certificate,),
    challenges: bool = True,
    required: bool = False,
) -> AttestedClient:
    check: Callable[[str], bool] | None = (lambda challenge: challenge == "c") if challenges else None
    return verify_client_attestation(
        one, other, audience=SERVER, at=at, roots=roots, check_challenge=check, require_challenge=required
    )


def refused(one: str, other: str, **more: Any) -> tuple[str, int]:
    with pytest.raises(OAuthRefusal) as refusal:
        verified(one, other, **more)
    return refusal.value.error, refusal.value.status


def test_a_wallet_of_ours() -> None:
    one = make_client_attestation(
        "wallet", KEY.public, key=PROVIDER_KEY, x5c=[PROVIDER.x5c], at=AT, lifetime=timedelta(days=1),
        claims={"wallet_name": "Ouvrage"},
    )  # fmt: skip
    other = make_client_attestation_pop(
        KEY, audience=SERVER, at=AT, rand=rand_from("jti"), client_id="wallet", challenge="c"
    )
    client = verified(one, other, required=True)
    assert (client.client_id, client.wallet_name) == ("wallet", "Ouvrage")
    assert client.jkt == jwk_thumbprint(public_jwk(KEY.public))
    assert len(client.jti) == 22


def test_what_is_not_known_is_ignored() -> None:
    name = "n" * (MAX_TEXT + 1)
    client = verified(attestation(more=[1], iat=None, wallet_name=name), pop(more={}, aud=[SERVER]))
    assert client.wallet_name is None


def unsigned(typ: str) -> str:
    header = encode_base64url(json.dumps({"alg": "none", "typ": typ}).encode())
    return f"{header}.{encode_base64url(b'{}')}."


FAULTS: Final[dict[str, Callable[[], tuple[str, str]]]] = {
    "no JWT": lambda: ("a.b.c", pop()),
    "no algorithm": lambda: (unsigned(ATTESTATION_TYP), pop()),
    "another typ": lambda: (attestation(typ="JWT"), pop()),
    "a proof in the place of an attestation": lambda: (pop(), pop()),
    "another provider": lambda: (
        attestation(key=P256Key.from_secret(bytes(31) + b"\x04"), chain=(STRANGER,)), pop(),
    ),
    "a key that is not the certificate's": lambda: (attestation(key=OTHER), pop()),
    "no certificate": lambda: (attestation(chain=()), pop()),
    "no client": lambda: (attestation(sub=None), pop()),
    "a long client": lambda: (attestation(sub="s" * (MAX_TEXT + 1)), pop()),
    "no end": lambda: (attestation(exp=None), pop()),
    "an end that is no number": lambda: (attestation(exp="now"), pop()),
    "attested in the future": lambda: (attestation(iat=SECONDS + int(SKEW.total_seconds()) + 1), pop()),
    "not valid yet": lambda: (attestation(nbf=SECONDS + int(SKEW.total_seconds()) + 1), pop()),
    "no key": lambda: (attestation(cnf=None), pop()),
    "a key by its name": lambda: (attestation(cnf={"kid": "a"}), pop()),
    "a key that is no object": lambda: (attestation(cnf=["jwk"]), pop()),
    "a private key": lambda: (
        attestation(cnf={"jwk": {**public_jwk(KEY.public), "d": encode_base64url(KEY.secret)}}), pop(),
    ),
    "no proof": lambda: (attestation(), ""),
    "no algorithm of the proof": lambda: (attestation(), unsigned(POP_TYP)),
    "another typ of the proof": lambda: (attestation(), pop(typ="dpop+jwt")),
    "another key's proof": lambda: (attestation(), pop(key=OTHER)),
    "another kind of key's proof": lambda: (attestation(), pop(key=P384Key.generate(rand_from("p384")))),
    "another audience": lambda: (attestation(), pop(aud=f"{SERVER}/token")),
    "two audiences": lambda: (attestation(), pop(aud=[SERVER, "https://other.example"])),
    "no audience": lambda: (attestation(), pop(aud=None)),
    "no jti": lambda: (attestation(), pop(jti=None)),
    "a long jti": lambda: (attestation(), pop(jti="j" * (MAX_TEXT + 1))),
    "no time": lambda: (attestation(), pop(iat=None)),
    "too old": lambda: (attestation(), pop(iat=SECONDS - int(MAX_AGE.total_seconds()) - 1)),
    "yet to come": lambda: (attestation(), pop(iat=SECONDS + int(SKEW.total_seconds()) + 1)),
    "past its end": lambda: (attestation(), pop(exp=SECONDS)),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone(fault: str) -> None:
    assert verified(attestation(), pop()).jti == "j-1"
    assert refused(*FAULTS[fault]()) == ("invalid_client", 401)


def test_without_roots_nobody_is_believed() -> None:
    assert refused(attestation(), pop(), roots=()) == ("invalid_client", 401)


def test_an_attestation_past_its_end() -> None:
    assert refused(attestation(exp=SECONDS), pop()) == ("use_fresh_attestation", 400)
    assert refused(attestation(exp=SECONDS), pop(key=OTHER)) == ("invalid_client", 401)


@pytest.mark.parametrize("challenge", ["d", "", 7, "c" * (MAX_TEXT + 1)])
def test_a_challenge_that_is_not_ours(challenge: Any) -> None:
    assert refused(attestation(), pop(challenge=challenge)) == ("use_attestation_challenge", 400)


def test_a_challenge_is_required_where_the_server_offers_one() -> None:
    assert verified(attestation(), pop(challenge=None)).jti == "j-1"
    assert refused(attestation(), pop(challenge=None), required=True) == ("use_attestation_challenge", 400)
    assert verified(attestation(), pop(challenge="d"), challenges=False).jti == "j-1"
    assert refused(attestation(), pop(), challenges=False, required=True) == ("use_attestation_challenge", 400)


def test_an_oracle_reads_ours() -> None:
    text = make_client_attestation_pop(KEY, audience=SERVER, at=AT, rand=rand_from("jti"), client_id="wallet")
    public: Any = public_jwk(KEY.public)
    proof = jwt.decode(text, ECKey.import_key(public), algorithms=["ES256"])
    assert proof.header["typ"] == "oauth-client-attestation-pop+jwt"
    assert proof.claims["aud"] == SERVER


@without_deadline
@given(st.sampled_from(["sub", "cnf", "exp", "iat", "nbf", "wallet_name", "aud", "jti", "challenge"]), ANY_JSON)
def test_only_our_errors_leave_for_any_claim(name: str, value: Any) -> None:
    for one, other in ((attestation(**{name: value}), pop()), (attestation(), pop(**{name: value}))):
        answer = outcome(lambda one=one, other=other: verified(one, other))  # type: ignore[misc]
        assert answer in (VALUE, "invalid_client", "use_fresh_attestation", "use_attestation_challenge")


@without_deadline
@given(st.text(max_size=200), st.text(max_size=200))
def test_only_our_errors_leave_for_any_text(one: str, other: str) -> None:
    assert refused(one, pop()) == ("invalid_client", 401)
    assert refused(attestation(), other) == ("invalid_client", 401)


def test_another_program_accepts_our_wallet_and_we_accept_its() -> None:
    now = datetime.now(UTC)  # that program takes no other time
    root = certify("wallet root", secret(1), authority=True, days=(-10_000, 10_000))
    provider = certify("wallet provider", secret(3), root, days=(-10_000, 10_000))
    claims: dict[str, Json] = {"iss": "https://wallets.example"}
    one = make_client_attestation(
        "wallet", KEY.public, key=PROVIDER_KEY, x5c=[provider.x5c], at=now, lifetime=timedelta(minutes=1), claims=claims
    )
    other = make_client_attestation_pop(KEY, audience=SERVER, at=now, rand=rand_from("jti"), client_id="wallet")
    answer = node(
        "client", issuer=SERVER, attestation=one, pop=other, now=int(now.timestamp()), x5c=[provider.x5c],
        provider={**public_jwk(PROVIDER_KEY.public), "d": encode_base64url(PROVIDER_KEY.secret)},
    )  # fmt: skip
    assert answer["client"] == "wallet"
    roots = (root.certificate,)
    theirs = verified(answer["attestation"], answer["pop"], at=datetime.now(UTC), roots=roots)
    assert (theirs.client_id, theirs.jkt) == ("wallet", answer["jkt"])
