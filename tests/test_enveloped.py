"""Credentials and presentations secured by JOSE, SD-JWT and COSE: both ways, and whatever an attacker would try."""

import base64
import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any, Final

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws as oracle
from joserfc.jwk import ECKey, OKPKey

from tests.cli import ROOT
from tests.line import rand_from
from vc import sdjwt
from vc.canon import Json, to_json
from vc.cose import parse_sign1, to_be_signed
from vc.did import did_jwk
from vc.documents import NO_DOCUMENTS
from vc.envelope import (
    FORMS,
    LEGACY,
    MAX_ENVELOPE,
    Content,
    Form,
    Secured,
    Securing,
    envelope,
    parse_data_url,
    parse_envelope,
    parse_text,
)
from vc.enveloped import (
    OpenedCredential,
    by_did,
    open_credential,
    open_presentation,
    secure,
    secure_selectively,
    verify_credential,
    verify_presentation,
)
from vc.errors import Malformed, Rejected, VcError
from vc.jose import sign_jws
from vc.jwk import public_jwk
from vc.keys import Ed25519Key, P256Key, P384Key, P521Key, verify_signature
from vc.multibase import decode_base64url, encode_base64url

AT: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOW: Final = int(AT.timestamp())
V1: Final = "https://www.w3.org/2018/credentials/v1"
V2: Final = "https://www.w3.org/ns/credentials/v2"
KEY: Final = Ed25519Key.from_seed(b"\x01" * 32)
HOLDER: Final = P256Key.from_secret(b"\x02" * 32)
OTHER: Final = Ed25519Key.from_seed(b"\x03" * 32)
KEYS: Final[tuple[Ed25519Key | P256Key | P384Key | P521Key, ...]] = (
    KEY,
    HOLDER,
    P384Key.from_secret(b"\x04" * 48),
    P521Key.from_secret(b"\x00\x05" * 33),
)
FIND: Final = by_did(NO_DOCUMENTS, at=AT)

VC_JWT: Final = FORMS["application/vc+jwt"]
VC_COSE: Final = FORMS["application/vc+cose"]
VC_SD_JWT: Final = FORMS["application/vc+sd-jwt"]
VP_JWT: Final = FORMS["application/vp+jwt"]
VP_COSE: Final = FORMS["application/vp+cose"]
WHOLE: Final = [form for form in FORMS.values() if form.securing is not Securing.SD_JWT]


def credential(key: Any = KEY, **changes: Json) -> dict[str, Json]:
    document: dict[str, Json] = {
        "@context": [V2],
        "id": "urn:uuid:6a1676b8-b51f-11ed-937b-d76685a20ff5",
        "type": ["VerifiableCredential"],
        "issuer": key.did,
        "validFrom": "2026-11-01T00:00:00Z",
        "validUntil": "2026-12-31T23:59:59Z",
        "credentialSubject": {"id": HOLDER.did, "name": "Camille é 🚲"},
    }
    return document | changes


def presentation(*held: Secured, **changes: Json) -> dict[str, Json]:
    document: dict[str, Json] = {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": HOLDER.did,
        "verifiableCredential": [envelope(each) for each in held or (secure(credential(), VC_JWT, key=KEY),)],
    }
    return document | changes


ANSWER: Final[dict[str, Json]] = {"nonce": "challenge-1", "aud": "lender.example", "iat": NOW}


def answer(*held: Secured, form: Form = VP_JWT, key: Any = HOLDER, **changes: Json) -> Secured:
    return secure(presentation(*held), form, key=key, claims=ANSWER | changes)


def code_of(run: Callable[[], object]) -> str:
    with pytest.raises(VcError) as refused:
        run()
    return refused.value.code


def verify(secured: Secured, *, at: datetime = AT, domain: str | None = None) -> OpenedCredential:
    return verify_credential(secured, find=FIND, domain=domain, at=at)


def show(secured: Secured, *, at: datetime = AT, challenge: str = "challenge-1", domain: str = "lender.example") -> Any:
    return verify_presentation(secured, find=FIND, challenge=challenge, domain=domain, at=at)


# --- what is made ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.public.kind.name)
@pytest.mark.parametrize("form", [VC_JWT, VC_COSE], ids=lambda form: form.securing)
def test_a_credential_comes_back_as_it_was(form: Form, key: Any) -> None:
    opened = verify(secure(credential(key), form, key=key, claims={"iat": NOW, "exp": NOW + 1}))
    document = {name: value for name, value in opened.credential.document.items() if name not in ("iat", "exp")}
    assert document == credential(key)
    assert opened.method.id == key.verification_method
    assert {name: opened.claims[name] for name in ("iat", "exp")} == {"iat": NOW, "exp": NOW + 1}


@pytest.mark.parametrize(
    ("form", "digest"),
    [
        (VC_JWT, "ca762711962d5eb18b7eb793faf7956e3535798ac0d1576fcbba291c1cb3d722"),
        (VC_COSE, "c04eff4b0e7f4111c65e07fda35abe40a67f40543dced46598b78886538afd2a"),
    ],
    ids=["jwt", "cose"],
)
def test_what_is_made_stays_the_same(form: Form, digest: str) -> None:
    made = secure(credential(), form, key=KEY, claims={"iat": NOW})
    assert sha256(made.body).hexdigest() == digest


def test_the_header_of_a_jwt_is_as_the_specification_says() -> None:
    header, payload, _ = secure(credential(), VC_JWT, key=KEY).text.split(".")
    assert json.loads(decode_base64url(header)) == {
        "alg": "EdDSA",
        "typ": "vc+jwt",
        "cty": "vc",
        "kid": KEY.verification_method,
    }
    assert decode_base64url(payload) == to_json(credential())


def test_the_headers_of_cose_are_as_the_specification_says() -> None:
    made = secure(credential(), VC_COSE, key=KEY, claims={"exp": NOW + 1, "nonce": "n"})
    tagged = cbor2.loads(made.body)
    protected, unprotected, payload, signature = tagged.value
    assert (tagged.tag, dict(unprotected), payload) == (18, {}, to_json(credential()))
    assert cbor2.loads(protected) == {
        1: -8,
        3: "application/vc",
        4: KEY.verification_method.encode(),
        15: {4: NOW + 1, 10: b"n"},
        16: "application/vc+cose",
    }
    verify_signature(KEY.public, cbor2.dumps(["Signature1", protected, b"", payload]), signature)


def oracle_key(key: Any) -> ECKey | OKPKey:
    secret = key.seed if isinstance(key, Ed25519Key) else key.secret
    jwk: Any = public_jwk(key.public) | {"d": encode_base64url(secret)}
    return OKPKey.import_key(jwk) if isinstance(key, Ed25519Key) else ECKey.import_key(jwk)


ALGORITHMS: Final = ["ES256", "ES384", "ES512", "EdDSA"]


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.public.kind.name)
def test_another_library_reads_what_we_make_and_we_what_it_makes(key: Any) -> None:
    theirs = oracle_key(key)
    ours = secure(credential(key), VC_JWT, key=key)
    read = oracle.deserialize_compact(ours.text, theirs, algorithms=ALGORITHMS)
    assert read.payload == to_json(credential(key))
    header = {"alg": read.headers()["alg"], "typ": "vc+jwt", "kid": key.verification_method}
    made = oracle.serialize_compact(header, to_json(credential(key)), theirs, algorithms=ALGORITHMS)
    assert verify(parse_text(made, VC_JWT)).credential.issuer == key.did


@pytest.mark.parametrize(
    ("changes", "claims", "code"),
    [
        ({"vc": {}}, {}, "BAD_ENVELOPE"),
        ({"vp": {}}, {}, "BAD_ENVELOPE"),
        ({"@context": [V1]}, {}, "BAD_CONTEXT"),
        ({"issuer": None}, {}, "BAD_ID"),
        ({}, {"iss": 1, "typ": "x"}, "CLAIM_CONFLICT"),
        ({"exp": NOW}, {"exp": NOW + 1}, "CLAIM_CONFLICT"),
        ({}, {"exp": "tomorrow"}, "BAD_DATE"),
        ({"iat": "2010-01-01T19:23:24Z"}, {}, "BAD_DATE"),
        ({"name": "\ud800"}, {}, "NOT_JSON"),
    ],
)
@pytest.mark.parametrize("form", [VC_JWT, VC_COSE], ids=lambda form: form.securing)
def test_what_cannot_be_secured(form: Form, changes: Any, claims: Any, code: str) -> None:
    assert code_of(lambda: secure(credential(**changes), form, key=KEY, claims=claims)) == code


@pytest.mark.parametrize("form", [VC_SD_JWT, *LEGACY.values()], ids=lambda form: form.securing)
def test_some_forms_are_not_made_whole(form: Form) -> None:
    document = credential() if form.content is Content.CREDENTIAL else presentation()
    assert code_of(lambda: secure(document, form, key=KEY)) == "UNSUPPORTED_SUITE"


# --- envelopes -------------------------------------------------------------------------------------------------------

MADE: Final = {form.media_type: secure(credential(), form, key=KEY) for form in (VC_JWT, VC_COSE)}
ENVELOPE: Final = envelope(MADE["application/vc+jwt"])


def test_an_envelope_says_what_it_carries_and_nothing_else() -> None:
    assert {
        "@context": V2,
        "id": f"data:application/vc+jwt,{MADE['application/vc+jwt'].text}",
        "type": "EnvelopedVerifiableCredential",
    } == ENVELOPE
    made = envelope(MADE["application/vc+cose"])
    assert str(made["id"]).startswith("data:application/vc+cose;base64,0oRY")
    assert envelope(answer())["type"] == "EnvelopedVerifiablePresentation"


@pytest.mark.parametrize(
    "secured", [*MADE.values(), answer(), answer(form=VP_COSE)], ids=lambda each: each.form.media_type
)
def test_an_envelope_reads_back(secured: Secured) -> None:
    assert parse_envelope(envelope(secured), content=secured.form.content) == secured
    listed = envelope(secured) | {"@context": [V2], "type": [envelope(secured)["type"]]}
    assert parse_envelope(listed, content=secured.form.content) == secured


@given(st.binary(min_size=1, max_size=80))
def test_base64_is_read_with_and_without_its_padding(data: bytes) -> None:
    text = base64.b64encode(data).decode()
    for spelling in (text, text.rstrip("=")):
        assert parse_data_url(f"data:application/vc+cose;base64,{spelling}", content=Content.CREDENTIAL).body == data
    assert Secured(VC_COSE, data).text == text


TEXT: Final = MADE["application/vc+jwt"].text


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"@context": []}, "BAD_CONTEXT"),
        ({"@context": None}, "BAD_CONTEXT"),
        ({"@context": "https://www.w3.org/ns/credentials/examples/v2"}, "BAD_CONTEXT"),
        ({"@context": ["https://www.w3.org/ns/credentials/examples/v2", V2]}, "BAD_CONTEXT"),
        ({"@context": V1}, "BAD_CONTEXT"),
        ({"@context": [V2, 4]}, "BAD_CONTEXT"),
        ({"type": None}, "BAD_TYPE"),
        ({"type": {}}, "BAD_TYPE"),
        ({"type": "VerifiableCredential"}, "BAD_TYPE"),
        ({"type": "EnvelopedVerifiablePresentation"}, "BAD_TYPE"),
        ({"type": ["EnvelopedVerifiableCredential", "VerifiableCredential"]}, "BAD_TYPE"),
        ({"name": "A. Person"}, "BAD_ENVELOPE"),
        ({"id": TEXT}, "BAD_ENVELOPE"),
        ({"id": f"https://example.com/{TEXT}"}, "BAD_ENVELOPE"),
        ({"id": None}, "BAD_ENVELOPE"),
        ({"id": 4}, "BAD_ENVELOPE"),
        ({"id": "data:application/vc+jwt"}, "BAD_ENVELOPE"),
        ({"id": "data:application/vc+jwt,"}, "BAD_ENVELOPE"),
        ({"id": f"data:application/vc+jwt;base64,{TEXT}"}, "BAD_ENVELOPE"),
        ({"id": f"data:application/vc+jwt;charset=utf-8,{TEXT}"}, "BAD_ENVELOPE"),
        ({"id": f"data:application/vc+cose,{TEXT}"}, "BAD_ENVELOPE"),
        ({"id": "data:application/vc+cose;base64,_-_-"}, "BAD_ENVELOPE"),
        ({"id": "data:application/vc+cose;base64,AAA=="}, "BAD_ENVELOPE"),
        ({"id": "data:application/vc+cose;base64,é"}, "BAD_MULTIBASE"),
        ({"id": f"data:application/vp+jwt,{TEXT}"}, "BAD_ENVELOPE"),
        ({"id": "data:application/vc+jwt,é"}, "BAD_ENVELOPE"),
        ({"id": f"data:application/vc+ld+json,{TEXT}"}, "UNSUPPORTED_SUITE"),
        ({"id": f"data:,{TEXT}"}, "UNSUPPORTED_SUITE"),
        ({"id": f"data:application/vc+jwt,{'a' * MAX_ENVELOPE}"}, "TOO_LARGE"),
    ],
)
def test_what_is_no_envelope(changes: Any, code: str) -> None:
    assert code_of(lambda: parse_envelope(ENVELOPE | changes, content=Content.CREDENTIAL)) == code


def test_what_is_no_envelope_at_all() -> None:
    assert code_of(lambda: parse_envelope("data:application/vc+jwt,x", content=Content.CREDENTIAL)) == "NOT_AN_OBJECT"
    assert code_of(lambda: parse_text("x" * (MAX_ENVELOPE + 1), VC_JWT)) == "TOO_LARGE"


@pytest.mark.parametrize("name", ["@context", "id", "type"])
def test_an_envelope_needs_each_of_its_members(name: str) -> None:
    less = {other: value for other, value in ENVELOPE.items() if other != name}
    with pytest.raises(Malformed):
        parse_envelope(less, content=Content.CREDENTIAL)


# --- JWTs that somebody else signed ----------------------------------------------------------------------------------


def jwt(changes: Any = {}, *, key: Any = KEY, form: Form = VC_JWT, **header: Any) -> Secured:  # noqa: B006
    """A signed JWT with whatever it is told to say; None takes a member out."""
    members = {"alg": "EdDSA", "typ": form.media_type.partition("/")[2], "kid": key.verification_method} | header
    said = credential() | changes
    parts = [{name: value for name, value in each.items() if value is not None} for each in (members, said)]
    signed = ".".join(encode_base64url(json.dumps(part).encode()) for part in parts)
    return parse_text(f"{signed}.{encode_base64url(key.sign(signed.encode()))}", form)


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"typ": None},
        {"typ": "application/vc+jwt"},
        {"cty": "vc"},
        {"cty": "application/vc"},
        {"alg": "Ed25519"},
        {"iss": KEY.did},
        {"x-of-tomorrow": {"a": 1}},
    ],
)
def test_headers_that_are_as_good(header: Any) -> None:
    assert verify(jwt(**header)).credential.issuer == KEY.did


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": KEY.did},
        {"issuer": {"id": KEY.did, "name": "Platform"}, "iss": KEY.did},
        {"jti": credential()["id"], "sub": HOLDER.did},
        {"exp": NOW + 1, "nbf": NOW + 299, "iat": NOW},
        {"validFrom": "2026-11-24T12:04:59Z"},
        {"aud": "lender.example"},
        {"aud": ["bank.example", "lender.example"]},
        {"somethingNew": {"a": [1]}},
    ],
)
def test_payloads_that_are_as_good(changes: Any) -> None:
    assert verify(jwt(changes), domain="lender.example").credential.issuer == KEY.did


@pytest.mark.parametrize(
    ("changes", "header", "code"),
    [
        ({}, {"alg": "none"}, "UNSUPPORTED_SUITE"),
        ({}, {"alg": "HS256"}, "UNSUPPORTED_SUITE"),
        ({}, {"alg": "ES256"}, "KEY_MISMATCH"),
        ({}, {"alg": None}, "BAD_JWS"),
        ({}, {"crit": ["exp"], "exp": 1}, "UNSUPPORTED_SUITE"),
        ({}, {"b64": False}, "UNSUPPORTED_SUITE"),
        ({}, {"typ": "JWT"}, "PURPOSE_MISMATCH"),
        ({}, {"typ": "vp+jwt"}, "PURPOSE_MISMATCH"),
        ({}, {"typ": "vc+sd-jwt"}, "PURPOSE_MISMATCH"),
        ({}, {"typ": "bad+typ", "cty": "bad+cty"}, "PURPOSE_MISMATCH"),
        ({}, {"cty": "vp"}, "PURPOSE_MISMATCH"),
        ({}, {"cty": 4}, "PURPOSE_MISMATCH"),
        ({}, {"typ": 4}, "BAD_JWS"),
        ({}, {"kid": None}, "BAD_METHOD"),
        ({}, {"kid": ""}, "BAD_METHOD"),
        ({}, {"kid": "key-1"}, "BAD_METHOD"),
        ({}, {"kid": "#key-1"}, "BAD_METHOD"),
        ({}, {"kid": 4}, "BAD_JWS"),
        ({}, {"kid": "https://platform.example/keys/1"}, "BAD_METHOD"),
        ({}, {"kid": "did:web:platform.example#1"}, "DID_UNKNOWN"),
        ({}, {"kid": "did:unheard:of#1"}, "UNSUPPORTED_DID"),
        ({}, {"kid": OTHER.verification_method}, "PROOF_INVALID"),
        ({"issuer": OTHER.did}, {}, "METHOD_NOT_ISSUERS"),
        ({"issuer": "https://platform.example/"}, {}, "METHOD_NOT_ISSUERS"),
        ({"iss": OTHER.did}, {}, "CLAIM_CONFLICT"),
        ({"iss": 4}, {}, "CLAIM_CONFLICT"),
        ({}, {"iss": OTHER.did}, "CLAIM_CONFLICT"),
        ({"iss": KEY.did}, {"iss": OTHER.did}, "CLAIM_CONFLICT"),
        ({"jti": "urn:uuid:1"}, {}, "CLAIM_CONFLICT"),
        ({"sub": OTHER.did}, {}, "CLAIM_CONFLICT"),
        ({"vc": {}}, {}, "BAD_ENVELOPE"),
        ({"vp": "nooo"}, {}, "BAD_ENVELOPE"),
        ({"@context": [V1], "issuanceDate": "2026-11-01T00:00:00Z"}, {}, "BAD_CONTEXT"),
        ({"@context": V2}, {}, "BAD_CONTEXT"),
        ({"type": "VerifiablePresentation"}, {}, "BAD_TYPE"),
        ({"credentialSubject": {}}, {}, "BAD_SUBJECT"),
        ({"issuer": None}, {}, "BAD_ID"),
        ({"exp": NOW}, {}, "EXPIRED"),
        ({"exp": "2027-01-01T00:00:00Z"}, {}, "BAD_DATE"),
        ({"exp": True}, {}, "BAD_DATE"),
        ({"exp": 10**15}, {}, "BAD_DATE"),
        ({"nbf": NOW + 301}, {}, "NOT_YET_VALID"),
        ({"iat": "2010-01-01T19:23:24Z"}, {}, "BAD_DATE"),
        ({"validUntil": "2026-11-24T11:59:59Z"}, {}, "EXPIRED"),
        ({"validFrom": "2026-11-24T12:05:01Z"}, {}, "NOT_YET_VALID"),
        ({"aud": "bank.example"}, {}, "DOMAIN_MISMATCH"),
        ({"aud": {"lender.example": 1}}, {}, "DOMAIN_MISMATCH"),
    ],
)
def test_a_jwt_that_is_refused(changes: Any, header: Any, code: str) -> None:
    assert code_of(lambda: verify(jwt(changes, **header), domain="lender.example")) == code


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(Rejected) as refused:
        verify(jwt({"exp": 1, "validUntil": "2026-11-23T00:00:00Z", "issuer": OTHER.did, "aud": "x", "jti": "urn:x:1"}))
    codes = [finding.code for finding in refused.value.findings]
    assert codes == ["EXPIRED", "EXPIRED", "METHOD_NOT_ISSUERS", "CLAIM_CONFLICT", "DOMAIN_MISMATCH"]


def test_opening_looks_at_the_signature_and_the_structure_alone() -> None:
    lapsed = jwt({"exp": 1, "iat": "2010-01-01T19:23:24Z", "validUntil": "2026-11-23T00:00:00Z", "issuer": "urn:x:y"})
    assert open_credential(lapsed, find=FIND).credential.issuer == "urn:x:y"
    assert code_of(lambda: open_credential(jwt({"iss": OTHER.did}), find=FIND)) == "CLAIM_CONFLICT"


DID_JWK: Final = did_jwk(KEY.public)


@pytest.mark.parametrize(("kid", "iss"), [("#0", DID_JWK), (None, KEY.did), (f"#{KEY.public.multikey}", KEY.did)])
def test_a_key_may_be_named_by_way_of_iss(kid: str | None, iss: str) -> None:
    assert verify(jwt({"iss": iss, "issuer": iss}, kid=kid)).method.public == KEY.public


# --- COSE that somebody else signed ----------------------------------------------------------------------------------

HEADERS: Final = {1: -8, 4: KEY.verification_method.encode(), 16: "application/vc+cose"}


def cose(protected: Any = {}, unprotected: Any = {}, payload: Any = None, **document: Json) -> Secured:  # noqa: B006
    """A signed COSE_Sign1 with whatever it is told to say; None takes a header out."""
    members = {label: value for label, value in (HEADERS | protected).items() if value is not None}
    header, body = cbor2.dumps(members), to_json(credential(**document)) if payload is None else payload
    message = cbor2.dumps([header, unprotected, body, KEY.sign(to_be_signed(header, body))])
    return Secured(VC_COSE, b"\xd2" + message)


@pytest.mark.parametrize(
    ("protected", "unprotected"),
    [
        ({}, {}),
        ({16: None}, {}),
        ({16: "vc+cose"}, {}),
        ({3: "application/vc"}, {}),
        ({1: -19}, {}),
        ({4: None}, {4: KEY.verification_method.encode()}),
        ({15: {1: KEY.did, 2: HOLDER.did, 6: NOW, 4: NOW + 1, 5: NOW + 299, 99: b"?"}}, {}),
        ({}, {15: {4: 1}}),  # nothing secures it: to be ignored
        ({-70000: "of tomorrow", "x": [1]}, {}),
    ],
)
def test_cose_that_is_as_good(protected: Any, unprotected: Any) -> None:
    assert verify(cose(protected, unprotected)).credential.issuer == KEY.did


@pytest.mark.parametrize(
    ("protected", "unprotected", "code"),
    [
        ({16: "application/vp+cose"}, {}, "PURPOSE_MISMATCH"),
        ({16: "statuslist+cwt"}, {}, "PURPOSE_MISMATCH"),
        ({16: 61}, {}, "PURPOSE_MISMATCH"),
        ({3: "application/vp"}, {}, "PURPOSE_MISMATCH"),
        ({3: 50}, {}, "PURPOSE_MISMATCH"),
        ({1: None}, {1: -8}, "BAD_COSE"),
        ({1: 5}, {}, "UNSUPPORTED_SUITE"),
        ({1: -7}, {}, "KEY_MISMATCH"),
        ({2: [15]}, {}, "UNSUPPORTED_SUITE"),
        ({}, {4: OTHER.verification_method.encode()}, "BAD_COSE"),
        ({4: None}, {}, "BAD_METHOD"),
        ({4: KEY.verification_method}, {}, "BAD_COSE"),
        ({4: b"\xff"}, {}, "BAD_COSE"),
        ({4: OTHER.verification_method.encode()}, {}, "PROOF_INVALID"),
        ({15: {1: OTHER.did}}, {}, "CLAIM_CONFLICT"),
        ({15: {2: OTHER.did}}, {}, "CLAIM_CONFLICT"),
        ({15: {3: "bank.example"}}, {}, "DOMAIN_MISMATCH"),
        ({15: {4: NOW}}, {}, "EXPIRED"),
        ({15: {5: NOW + 301}}, {}, "NOT_YET_VALID"),
        ({15: {6: "2010"}}, {}, "BAD_DATE"),
        ({15: {10: "text"}}, {}, "BAD_COSE"),
        ({15: [1]}, {}, "BAD_COSE"),
        ({99: 1.5}, {}, "NOT_CBOR"),
        ({99: cbor2.CBORTag(1, 1)}, {}, "NOT_CBOR"),
    ],
)
def test_cose_that_is_refused(protected: Any, unprotected: Any, code: str) -> None:
    assert code_of(lambda: verify(cose(protected, unprotected), domain="lender.example")) == code


GOOD: Final = cose().body


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "BAD_COSE"),
        (GOOD[1:], "BAD_COSE"),  # a COSE_Sign1 without its tag
        (b"\xd1" + GOOD[1:], "UNSUPPORTED_SUITE"),  # a MAC
        (b"\xd8\x12" + GOOD[1:], "BAD_COSE"),  # the same tag, spelt longer
        (b"\xd2" + GOOD, "NOT_CBOR"),
        (GOOD + b"\x00", "NOT_CBOR"),
        (GOOD[:-1], "NOT_CBOR"),
        (b"\xd2\x98\x04" + GOOD[2:], "NOT_CBOR"),  # the array's length, spelt longer
        (b"\xd2\x9f" + GOOD[2:] + b"\xff", "NOT_CBOR"),  # an array without a length
        (b"\xd2" + cbor2.dumps([b"", {}, b"{}", b""]), "NOT_CBOR"),
        (b"\xd2" + cbor2.dumps([b"\xa2\x01\x27\x01\x26", {}, b"{}", b""]), "NOT_CBOR"),  # two algorithms
        (b"\xd2" + cbor2.dumps([b"\xa1\x01\x27", {}, None, b""]), "NOT_CBOR"),  # a payload that is elsewhere
        (b"\xd2" + cbor2.dumps([b"\xa1\x01\x27", {}, b"{}"]), "BAD_COSE"),
        (b"\xd2" + b"\x84" * 2000, "NOT_CBOR"),
    ],
)
def test_what_is_no_cose(body: bytes, code: str) -> None:
    assert code_of(lambda: verify(Secured(VC_COSE, body))) == code


@pytest.mark.parametrize(("payload", "code"), [(b"", "NOT_JSON"), (b"[]", "NOT_JSON"), (b"{}", "BAD_CONTEXT")])
def test_a_payload_that_is_no_credential(payload: bytes, code: str) -> None:
    assert code_of(lambda: verify(cose(payload=payload))) == code


# --- presentations ---------------------------------------------------------------------------------------------------

SD: Final = secure_selectively(
    credential(), VC_SD_JWT, key=KEY, selective=["/credentialSubject/name"], rand=rand_from("sd")
)


@pytest.mark.parametrize("form", [VP_JWT, VP_COSE], ids=lambda form: form.securing)
def test_a_presentation_with_every_kind_of_credential(form: Form) -> None:
    shown = show(answer(*MADE.values(), SD, form=form))
    assert shown.holder == HOLDER.did
    assert [each.credential.issuer for each in shown.credentials] == [KEY.did] * 3
    assert shown.presentation.holder == HOLDER.did


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"nonce": "challenge-2"}, "CHALLENGE_MISMATCH"),
        ({"nonce": ""}, "CHALLENGE_MISMATCH"),
        ({"aud": "bank.example"}, "DOMAIN_MISMATCH"),
        ({"aud": []}, "DOMAIN_MISMATCH"),
        ({"exp": NOW}, "EXPIRED"),
        ({"nbf": NOW + 301}, "NOT_YET_VALID"),
        ({"iss": OTHER.did}, "CLAIM_CONFLICT"),
    ],
)
@pytest.mark.parametrize("form", [VP_JWT, VP_COSE], ids=lambda form: form.securing)
def test_a_presentation_that_is_refused(form: Form, changes: Any, code: str) -> None:
    assert code_of(lambda: show(answer(form=form, **changes))) == code


@pytest.mark.parametrize("form", [VP_JWT, VP_COSE], ids=lambda form: form.securing)
def test_a_presentation_without_what_binds_it(form: Form) -> None:
    bare = secure(presentation(), form, key=HOLDER)
    with pytest.raises(Rejected) as refused:
        show(bare)
    assert [finding.code for finding in refused.value.findings] == ["CHALLENGE_MISMATCH", "DOMAIN_MISMATCH"]
    assert open_presentation(bare, find=FIND).method.public == HOLDER.public


def test_somebody_elses_presentation() -> None:
    assert code_of(lambda: show(answer(key=OTHER))) == "HOLDER_MISMATCH"


LAPSED: Final = secure(credential(), VC_JWT, key=KEY, claims={"exp": 1})


@pytest.mark.parametrize(
    ("held", "code"),
    [
        ([envelope(LAPSED)], "EXPIRED"),
        ([envelope(MADE["application/vc+jwt"]), envelope(LAPSED)], "EXPIRED"),
        ([], "BAD_PRESENTATION"),
        ([ENVELOPE] * 17, "BAD_PRESENTATION"),
        ([credential()], "UNSUPPORTED_SUITE"),
        ([{**ENVELOPE, "id": "not-a-credential"}], "BAD_ENVELOPE"),
        ([{**ENVELOPE, "id": "data:application/vc+jwt,eyJhbGciOiJub25lIn0.e30."}], "UNSUPPORTED_SUITE"),
        ([{**ENVELOPE, "id": "data:text/plain,x"}], "UNSUPPORTED_SUITE"),
        ([{**ENVELOPE, "id": envelope(answer())["id"]}], "BAD_ENVELOPE"),
        ([{**ENVELOPE, "type": ["EnvelopedVerifiableCredential", "VerifiableCredential"]}], "BAD_TYPE"),
        (["eyJhbGciOiJub25lIn0.e30."], "NOT_AN_OBJECT"),
        ([None], "NOT_AN_OBJECT"),
    ],
)
def test_what_a_presentation_may_not_hold(held: Any, code: str) -> None:
    members = {"alg": "ES256", "typ": "vp+jwt", "kid": HOLDER.verification_method}
    payload = to_json(presentation(verifiableCredential=held) | ANSWER)
    made = sign_jws(payload, key=HOLDER, typ="vp+jwt", header={"kid": members["kid"]})
    assert code_of(lambda: show(parse_text(made, VP_JWT))) == code


def test_a_credential_is_no_presentation_and_the_other_way_round() -> None:
    assert code_of(lambda: open_presentation(MADE["application/vc+jwt"], find=FIND)) == "BAD_ENVELOPE"
    assert code_of(lambda: open_credential(answer(), find=FIND)) == "BAD_ENVELOPE"
    swapped = Secured(VP_JWT, MADE["application/vc+jwt"].body)
    assert code_of(lambda: open_presentation(swapped, find=FIND)) == "PURPOSE_MISMATCH"


# --- SD-JWT ----------------------------------------------------------------------------------------------------------


def test_a_holder_keeps_back_what_the_issuer_allows() -> None:
    assert verify(SD).credential.subjects == ({"id": HOLDER.did, "name": "Camille é 🚲"},)
    jws, _disclosure, _ = SD.text.split("~")
    assert verify(parse_text(f"{jws}~", VC_SD_JWT)).credential.subjects == ({"id": HOLDER.did},)
    assert sdjwt.parse_sd_jwt(SD.text).jws.header["typ"] == "vc+sd-jwt"


@pytest.mark.parametrize(
    "pointer", ["/@context", "/type", "/type/0", "/issuer", "/validUntil", "/credentialStatus", "/", ""]
)
def test_what_cannot_be_kept_back(pointer: str) -> None:
    made = lambda: secure_selectively(  # noqa: E731
        credential(), VC_SD_JWT, key=KEY, selective=[pointer], rand=rand_from("sd")
    )
    assert code_of(made) == "BAD_POINTER"


def test_an_sd_jwt_that_is_refused() -> None:
    jws, disclosure, _ = SD.text.split("~")
    other = encode_base64url(b'["c2FsdA","name","Dominique"]')
    bound = sdjwt.issue({"vct": "urn:x:1", "iss": KEY.did}, key=KEY, typ="vc+sd-jwt", selective=[], rand=os.urandom)
    table = {
        f"{jws}~{other}~": "DISCLOSURE_INVALID",
        f"{jws}~{disclosure}~{disclosure}~": "DISCLOSURE_INVALID",
        f"{jws}~{disclosure}~{jws}": "NOT_ASKED",
        jws: "BAD_SD_JWT",
        bound: "UNSUPPORTED_SUITE",
    }
    assert {text: code_of(partial(verify, parse_text(text, VC_SD_JWT))) for text in table} == table
    assert code_of(lambda: verify(parse_text(jws, VC_JWT))) == "PURPOSE_MISMATCH"
    assert code_of(lambda: secure_selectively(credential(), VC_JWT, key=KEY, selective=[], rand=os.urandom)) == (
        "UNSUPPORTED_SUITE"
    )


# --- JWTs of the older data model ------------------------------------------------------------------------------------

VC_LEGACY: Final = LEGACY[Content.CREDENTIAL]
VP_LEGACY: Final = LEGACY[Content.PRESENTATION]
OLD: Final[dict[str, Json]] = {
    "@context": [V1],
    "type": ["VerifiableCredential"],
    "credentialSubject": {"degree": "none"},
}
CLAIMS: Final[dict[str, Json]] = {
    "iss": KEY.did,
    "sub": HOLDER.did,
    "jti": "urn:uuid:1",
    "nbf": NOW - 10,
    "exp": NOW + 10,
}


def legacy(document: Any, key: Any = KEY, form: Form = VC_LEGACY, /, **claims: Any) -> Secured:
    said = {
        name: value for name, value in (CLAIMS | {str(form.content): document} | claims).items() if value is not None
    }
    header = {"kid": key.verification_method}
    return parse_text(sign_jws(to_json(said), key=key, typ="JWT", header=header), form)


def test_what_the_older_jwt_says_is_put_where_the_document_says_it() -> None:
    opened = verify(legacy(OLD))
    assert opened.credential.document == OLD | {
        "id": "urn:uuid:1",
        "issuer": KEY.did,
        "issuanceDate": "2026-11-24T11:59:50Z",
        "expirationDate": "2026-11-24T12:00:10Z",
        "credentialSubject": {"id": HOLDER.did, "degree": "none"},
    }
    assert (opened.credential.valid_from, opened.credential.valid_until) == (
        AT - timedelta(seconds=10),
        AT + timedelta(seconds=10),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": KEY.did},
        {"issuer": {"name": "Platform"}},
        {"issuer": {"id": KEY.did}},
        {"credentialSubject": [{"degree": "none"}]},
        {"credentialSubject": {"id": HOLDER.did}},
        {"issuanceDate": "2026-11-24T11:59:50.25Z", "expirationDate": "2026-11-24T13:00:10+01:00"},
        {"id": "urn:uuid:1"},
        {"@context": [V2]},
    ],
)
def test_the_document_may_say_it_too(changes: Any) -> None:
    assert verify(legacy(OLD | changes)).credential.issuer == KEY.did


@pytest.mark.parametrize(
    ("changes", "claims", "code"),
    [
        ({"issuer": OTHER.did}, {}, "CLAIM_CONFLICT"),
        ({"issuer": {"id": OTHER.did}}, {}, "CLAIM_CONFLICT"),
        ({"issuer": None}, {}, "CLAIM_CONFLICT"),
        ({"id": "urn:uuid:2"}, {}, "CLAIM_CONFLICT"),
        ({"credentialSubject": {"id": OTHER.did}}, {}, "CLAIM_CONFLICT"),
        ({"credentialSubject": [{"a": 1}, {"a": 2}]}, {}, "CLAIM_CONFLICT"),
        ({"expirationDate": "2026-11-24T12:00:11Z"}, {}, "CLAIM_CONFLICT"),
        ({"issuanceDate": "2026-11-24T11:59:49Z"}, {}, "CLAIM_CONFLICT"),
        ({"issuanceDate": "yesterday"}, {}, "BAD_DATE"),
        ({}, {"nbf": None}, "MISSING"),
        ({}, {"exp": NOW}, "EXPIRED"),
        ({}, {"nbf": NOW + 301, "exp": NOW + 400}, "NOT_YET_VALID"),
        ({}, {"exp": "soon"}, "BAD_DATE"),
        ({}, {"iss": OTHER.did}, "METHOD_NOT_ISSUERS"),
        ({}, {"iss": 4}, "BAD_ID"),
        ({}, {"jti": "4"}, "BAD_ID"),
        ({}, {"vc": None}, "BAD_ENVELOPE"),
        ({}, {"vc": "text"}, "BAD_ENVELOPE"),
        ({}, {"vp": {}}, "BAD_ENVELOPE"),
        ({"@context": ["https://www.w3.org/ns/credentials/examples/v2"]}, {}, "BAD_CONTEXT"),
        ({"@context": 1}, {}, "BAD_CONTEXT"),
        ({"type": ["VerifiablePresentation"]}, {}, "BAD_TYPE"),
        ({"credentialSubject": "text"}, {}, "CLAIM_CONFLICT"),
        ({"proof": {}}, {}, "MISSING"),
    ],
)
def test_an_older_jwt_that_is_refused(changes: Any, claims: Any, code: str) -> None:
    assert code_of(lambda: verify(legacy(OLD | changes, **claims))) == code


def test_an_older_jwt_passes_for_no_other() -> None:
    assert code_of(lambda: verify(Secured(VC_JWT, legacy(OLD).body))) == "PURPOSE_MISMATCH"
    assert code_of(lambda: verify(Secured(VC_LEGACY, MADE["application/vc+jwt"].body))) == "PURPOSE_MISMATCH"


OLD_ANSWER: Final[dict[str, Json]] = {"nonce": "challenge-1", "aud": "lender.example", "iss": HOLDER.did, "sub": None}


@pytest.mark.parametrize("context", [V1, V2])
def test_an_older_presentation_holds_jwts_and_envelopes(context: str) -> None:
    held: list[Json] = [legacy(OLD).text, envelope(legacy(OLD)), ENVELOPE]
    vp = {"@context": [context], "type": "VerifiablePresentation", "verifiableCredential": held}
    shown = show(legacy(vp, HOLDER, VP_LEGACY, **OLD_ANSWER))
    assert shown.holder == HOLDER.did
    assert [each.credential.issuer for each in shown.credentials] == [KEY.did] * 3
    alone = vp | {"verifiableCredential": legacy(OLD).text}
    assert len(show(legacy(alone, HOLDER, VP_LEGACY, **OLD_ANSWER)).credentials) == 1


@pytest.mark.parametrize(
    ("changes", "claims", "code"),
    [
        ({"holder": OTHER.did}, {}, "CLAIM_CONFLICT"),
        ({"verifiableCredential": ["not a JWT"]}, {}, "BAD_JWS"),
        ({"verifiableCredential": [""]}, {}, "BAD_ENVELOPE"),
        (
            {"verifiableCredential": [OLD | {"issuer": KEY.did, "issuanceDate": "2026-11-01T00:00:00Z"}]},
            {},
            "UNSUPPORTED_SUITE",
        ),
        ({"verifiableCredential": None}, {}, "NOT_AN_OBJECT"),
        ({}, {"nonce": "challenge-2"}, "CHALLENGE_MISMATCH"),
        ({}, {"aud": "bank.example"}, "DOMAIN_MISMATCH"),
        ({}, {"iss": OTHER.did}, "HOLDER_MISMATCH"),
        ({}, {"exp": NOW}, "EXPIRED"),
    ],
)
def test_an_older_presentation_that_is_refused(changes: Any, claims: Any, code: str) -> None:
    vp = {"@context": [V1], "type": "VerifiablePresentation", "verifiableCredential": [legacy(OLD).text]} | changes
    assert code_of(lambda: show(legacy(vp, HOLDER, VP_LEGACY, **(OLD_ANSWER | claims)))) == code


# --- the page ---------------------------------------------------------------------------------------------------------

PAGE: Final = (ROOT / "docs" / "enveloped.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("block", re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL))
def test_the_examples_of_the_page_run(block: str) -> None:
    exec(compile(block, "docs/enveloped.md", "exec"), {})


# --- nothing but our own errors, and no other meaning ----------------------------------------------------------------

SAMPLES: Final = (*MADE.values(), SD, legacy(OLD), answer(), answer(form=VP_COSE))


def meaning(secured: Secured) -> object:
    if secured.form.content is Content.CREDENTIAL:
        return verify(secured, domain="lender.example").credential
    shown = show(secured)
    return shown.presentation, shown.credentials


@st.composite
def mutations(draw: st.DrawFn) -> tuple[Secured, Secured]:
    sample = draw(st.sampled_from(SAMPLES))
    body = bytearray(sample.body)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(body) - 1))
        body[place : place + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return sample, Secured(sample.form, bytes(body))


@settings(deadline=None, max_examples=300)
@given(mutations())
def test_only_our_errors_leave_and_no_other_meaning_is_read(case: tuple[Secured, Secured]) -> None:
    sample, mutated = case
    try:
        found = meaning(mutated)
    except VcError:
        return
    assert found == meaning(sample)


JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(sorted({*credential(), *CLAIMS, "vc", "vp", "aud", "iat", "nonce", "holder"})), JSON)
def test_only_our_errors_leave_whatever_is_signed(name: str, value: Json) -> None:
    said = to_json(credential() | {name: value})
    made = sign_jws(said, key=KEY, typ="vc+jwt", header={"kid": KEY.verification_method})
    old = to_json(CLAIMS | {"vc": OLD | {name: value}, name: value})
    for text, form in ((made, VC_JWT), (sign_jws(old, key=KEY, typ="JWT"), VC_LEGACY)):
        try:
            verify(parse_text(text, form))
        except VcError:
            continue


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(["@context", "id", "type"]), JSON | st.text().map("data:application/vc+cose;base64,".__add__))
def test_only_our_errors_leave_an_envelope(name: str, value: Json) -> None:
    try:
        parse_envelope(ENVELOPE | {name: value}, content=Content.CREDENTIAL)
    except VcError:
        return


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.integers(-20, 20) | st.text(max_size=3), st.binary() | st.text() | st.integers() | JSON))
def test_only_our_errors_leave_cose(headers: Any) -> None:
    try:
        verify(cose(headers))
    except VcError:
        return


def spoilt(sample: Secured) -> Iterator[bytes]:
    """The sample with one bit changed in its signature, at each place of it."""
    if sample.form.securing is Securing.COSE:  # where the signature comes last
        start = len(sample.body) - len(parse_sign1(sample.body).signature)
        for spot in range(start, len(sample.body)):
            yield sample.body[:spot] + bytes([sample.body[spot] ^ 1]) + sample.body[spot + 1 :]
        return
    jws, *disclosures = sample.text.split("~")
    signed, _, signature = jws.rpartition(".")
    raw = decode_base64url(signature)
    for spot in range(len(raw)):
        changed = raw[:spot] + bytes([raw[spot] ^ 1]) + raw[spot + 1 :]
        yield "~".join((f"{signed}.{encode_base64url(changed)}", *disclosures)).encode()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda each: f"{each.form.content} {each.form.securing}")
def test_no_bit_of_a_signature_can_be_changed(sample: Secured) -> None:
    for body in spoilt(sample):
        assert code_of(partial(meaning, Secured(sample.form, body))) == "PROOF_INVALID"
