"""OAuth at both ends: forms and headers that say one thing, PKCE with the example of RFC 7636, refusals."""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.refusals import outcome
from vc.errors import Finding, Malformed, Rejected
from vc.oauth import (
    MAX_FORM,
    MAX_PARAMETERS,
    OAuthRefusal,
    ascii_only,
    check_pkce,
    check_pkce_challenge,
    parse_form,
    pkce_challenge,
    refusing,
    single_header,
)

# RFC 7636 appendix B
VERIFIER: Final = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE: Final = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def code(call: Any, *given_: Any, **more: Any) -> str:
    with pytest.raises(OAuthRefusal) as refusal:
        call(*given_, **more)
    return refusal.value.error


def test_the_example_of_rfc_7636() -> None:
    assert pkce_challenge(VERIFIER) == CHALLENGE
    assert check_pkce_challenge(CHALLENGE, "S256") == CHALLENGE
    check_pkce(VERIFIER, CHALLENGE)


@pytest.mark.parametrize(
    "verifier", [None, "", VERIFIER[:-1], VERIFIER[:-1] + "l", "a" * 129, "é" * 43, VERIFIER + "\n", CHALLENGE]
)
def test_a_verifier_that_does_not_belong(verifier: str | None) -> None:
    assert code(check_pkce, verifier, CHALLENGE) == "invalid_grant"


@pytest.mark.parametrize(
    ("challenge", "method"),
    [(None, "S256"), ("", "S256"), (CHALLENGE, None), (CHALLENGE, "plain"), (CHALLENGE, "s256"),
     (VERIFIER + "=", "S256"), ("a" * 42, "S256"), (CHALLENGE + "\n", "S256")],
)  # fmt: skip
def test_a_challenge_that_protects_nothing(challenge: str | None, method: str | None) -> None:
    assert code(check_pkce_challenge, challenge, method) == "invalid_request"


def test_a_form() -> None:
    raw = b"grant_type=urn%3Aietf%3Aparams&tx_code=a+b%2Bc&empty=&bare&name=%C3%A9&"
    assert parse_form(raw) == {"grant_type": "urn:ietf:params", "tx_code": "a b+c", "name": "é"}
    assert parse_form(b"") == {}


@pytest.mark.parametrize(
    "raw", [b"a=1&a=1", b"a=&a=1", b"a&a=1", b"a=%ff", b"\xff=1", b"&".join([b"a%d=1" % n for n in range(99)])]
)
def test_what_is_no_form(raw: bytes) -> None:
    assert code(parse_form, raw) == "invalid_request"


def test_a_form_is_bounded() -> None:
    with pytest.raises(OAuthRefusal) as refusal:
        parse_form(b"a=" + b"1" * MAX_FORM)
    assert refusal.value.status == 413
    assert len(parse_form(b"&".join(b"a%d=1" % number for number in range(MAX_PARAMETERS)))) == MAX_PARAMETERS


@given(st.binary(max_size=80) | st.text("a=&%+;c3A9", max_size=30).map(str.encode))
def test_only_our_errors_leave_for_any_form(raw: bytes) -> None:
    if outcome(lambda: parse_form(raw)) != "invalid_request":
        assert all(parse_form(raw).values())


def test_a_header_is_sent_once() -> None:
    assert single_header([], "DPoP") is None
    assert single_header(["a"], "DPoP") == "a"
    assert code(single_header, ["a", "a"], "DPoP", error="invalid_dpop_proof") == "invalid_dpop_proof"


def test_our_errors_in_the_words_of_oauth() -> None:
    with pytest.raises(OAuthRefusal) as refusal, refusing("invalid_proof", status=401):
        raise Rejected((Finding("A", "is wrong", "proofs/0"), Finding("B", 'so is "é"')))
    assert (refusal.value.error, refusal.value.status) == ("invalid_proof", 401)
    assert refusal.value.to_json() == {
        "error": "invalid_proof",
        "error_description": "proofs/0: is wrong; /: so is '?'",
    }
    with pytest.raises(OAuthRefusal, match="use_dpop_nonce"), refusing("invalid_proof"):
        raise OAuthRefusal("use_dpop_nonce", "as it was")
    with pytest.raises(OAuthRefusal, match="invalid_proof: /a: b"), refusing("invalid_proof"):
        raise Malformed("/a", "b")


@given(st.text())
def test_a_description_has_the_characters_that_oauth_allows(text: str) -> None:
    assert all(" " <= one <= "~" and one not in '"\\' for one in ascii_only(text))
    assert ascii_only("é" + "a" * 1000) == "?" + "a" * 399
