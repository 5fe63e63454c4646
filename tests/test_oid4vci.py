"""OpenID4VCI messages: offers and their links, requests, each fault alone with its error code, and only our errors."""

import json
from copy import deepcopy
from typing import Any, Final
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.line import rand_from
from tests.node import node
from tests.refusals import ANY_JSON, VALUE, outcome
from vc.canon import Json
from vc.errors import Malformed
from vc.jwe import DecryptionKey
from vc.oauth import OAuthRefusal
from vc.offer import (
    MAX_CONFIGURATIONS,
    MAX_DESCRIPTION,
    MAX_LINK,
    PRE_AUTHORIZED,
    SCHEMES,
    AuthorizationCodeGrant,
    CredentialOffer,
    OfferReference,
    PreAuthorizedGrant,
    TxCode,
    check_https,
    offer_link_by_reference,
    parse_offer_link,
)
from vc.oid4vci import (
    MAX_DETAILS,
    MAX_PROOFS,
    MAX_TEXT,
    AuthorizationDetail,
    CredentialRequest,
    DeferredRequest,
    Notification,
    ResponseEncryption,
    parse_authorization_details,
)

ISSUER: Final = "https://platform.example/issuer"
KEY: Final = DecryptionKey.generate(rand_from("recipient"))
without_deadline: Final = settings(deadline=None)


class _Absent:
    """Where a member is left out; it has one spelling in the name of a test."""

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = _Absent()

# The offers of OID4VCI §4.1.1 and §4.1.3 have these members.
OFFER: Final[dict[str, Any]] = {
    "credential_issuer": "https://credential-issuer.example.com",
    "credential_configuration_ids": ["UniversityDegreeCredential", "org.iso.18013.5.1.mDL"],
    "grants": {
        "authorization_code": {"issuer_state": "eyJhbGciOiJSU0Et", "authorization_server": "https://as.example.com"},
        PRE_AUTHORIZED: {
            "pre-authorized_code": "oaKazRN8I0IbtZ0C7JuMn5",
            "tx_code": {
                "length": 4,
                "input_mode": "text",
                "description": "Please provide the one-time code that was sent via e-mail",
            },
            "authorization_server": "https://as.example.com",
        },
        "urn:unknown": {"ignored": True},
    },
    "unknown": [1],
}


def changed(document: Any, *place: Any) -> Any:
    """A copy of ``document`` with a value (the last of ``place``) where the rest of it says."""
    copy = deepcopy(document)
    *road, last, value = place
    inner = copy
    for part in road:
        inner = inner[part]
    if value is ABSENT:
        del inner[last]
    else:
        inner[last] = value
    return copy


def code(parse: Any, value: Any, **more: Any) -> str:
    with pytest.raises(OAuthRefusal) as refusal:
        parse(value, **more)
    assert refusal.value.status == 400
    return refusal.value.error


# Offers


def test_an_offer() -> None:
    offer = CredentialOffer.parse(OFFER)
    assert offer == CredentialOffer(
        "https://credential-issuer.example.com",
        ("UniversityDegreeCredential", "org.iso.18013.5.1.mDL"),
        AuthorizationCodeGrant("eyJhbGciOiJSU0Et", "https://as.example.com"),
        PreAuthorizedGrant(
            "oaKazRN8I0IbtZ0C7JuMn5",
            TxCode("text", 4, "Please provide the one-time code that was sent via e-mail"),
            "https://as.example.com",
        ),
    )
    known = changed(changed(OFFER, "unknown", ABSENT), "grants", "urn:unknown", ABSENT)
    assert offer.to_json() == known
    assert CredentialOffer.parse(json.dumps(OFFER).encode()) == offer
    assert "oaKaz" not in repr(offer)


def test_an_offer_without_grants() -> None:
    for bare in (changed(OFFER, "grants", ABSENT), changed(OFFER, "grants", {})):
        offer = CredentialOffer.parse(bare)
        assert (offer.authorization_code, offer.pre_authorized) == (None, None)
        assert "grants" not in offer.to_json()


def test_grants_of_which_nothing_is_said() -> None:
    offer = CredentialOffer.parse(changed(OFFER, "grants", {"authorization_code": {}}))
    assert offer.authorization_code == AuthorizationCodeGrant()
    assert CredentialOffer.parse(offer.to_json()) == offer


def test_a_transaction_code_of_which_nothing_is_said_is_required_all_the_same() -> None:
    offer = CredentialOffer.parse(changed(OFFER, "grants", PRE_AUTHORIZED, "tx_code", {}))
    assert offer.pre_authorized is not None
    assert offer.pre_authorized.tx_code == TxCode("numeric", None, None)


PRE: Final = ("grants", PRE_AUTHORIZED)
OFFER_FAULTS: Final = [
    ("credential_issuer", ABSENT),
    ("credential_issuer", "http://platform.example"),
    ("credential_issuer", "https://platform.example?a"),
    ("credential_issuer", "https://platform.example#"),
    ("credential_issuer", "https://"),
    ("credential_issuer", "https://a@platform.example"),
    ("credential_issuer", "https://platform.example/\n"),
    ("credential_issuer", f"https://platform.example/{'a' * 2048}"),
    ("credential_configuration_ids", ABSENT),
    ("credential_configuration_ids", []),
    ("credential_configuration_ids", ["a", "a"]),
    ("credential_configuration_ids", ["a", 1]),
    ("credential_configuration_ids", [""]),
    ("credential_configuration_ids", "a"),
    ("credential_configuration_ids", [str(number) for number in range(MAX_CONFIGURATIONS + 1)]),
    ("grants", None),
    ("grants", "authorization_code", []),
    ("grants", "authorization_code", "issuer_state", ""),
    ("grants", "authorization_code", "issuer_state", "s" * 1025),
    ("grants", "authorization_code", "authorization_server", "as.example"),
    (*PRE, 1),
    (*PRE, "pre-authorized_code", ABSENT),
    (*PRE, "pre-authorized_code", "c" * 1025),
    (*PRE, "tx_code", None),
    (*PRE, "tx_code", True),
    (*PRE, "tx_code", "input_mode", "emoji"),
    (*PRE, "tx_code", "length", 0),
    (*PRE, "tx_code", "length", True),
    (*PRE, "tx_code", "length", 1000),
    (*PRE, "tx_code", "length", "4"),
    (*PRE, "tx_code", "description", "d" * (MAX_DESCRIPTION + 1)),
    (*PRE, "tx_code", "description", 7),
    (*PRE, "authorization_server", 7),
]


@pytest.mark.parametrize("place", OFFER_FAULTS, ids=lambda place: "/".join(map(str, place))[:60])
def test_each_fault_of_an_offer_alone(place: tuple[Any, ...]) -> None:
    with pytest.raises(Malformed):
        CredentialOffer.parse(changed(OFFER, *place))


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'{"a":1,"a":2}', b" " * (1 << 17), b"\xff"])
def test_what_is_no_offer(raw: bytes) -> None:
    with pytest.raises(Malformed):
        CredentialOffer.parse(raw)


@pytest.mark.parametrize("scheme", [*SCHEMES, "https://wallet.example/offer", "https://wallet.example/offer?a=b"])
def test_links_by_value_and_by_reference(scheme: str) -> None:
    offer = CredentialOffer.parse(OFFER)
    assert parse_offer_link(offer.link(scheme=scheme)) == offer
    uri = f"{ISSUER}/offers/a?b=c&d=e%20f"
    link = offer_link_by_reference(uri, scheme=scheme)
    assert parse_offer_link(link) == OfferReference(uri)
    assert link.startswith(scheme)


def test_the_link_of_the_specification() -> None:
    """OID4VCI §4.1.3: the point and the underscore may be escaped or not."""
    link = (
        "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fserver%2Eexample%2Ecom%2Fcredential-offer%2F"
        "GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM"
    )
    uri = "https://server.example.com/credential-offer/GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM"
    assert parse_offer_link(link) == OfferReference(uri)
    capitals = link.upper().replace("CREDENTIAL_OFFER_URI", "credential_offer_uri")  # as a QR code may have them
    assert isinstance(parse_offer_link(capitals), OfferReference)
    assert parse_offer_link(offer_link_by_reference(uri)) == OfferReference(uri)


OFFERED: Final = quote(json.dumps(OFFER))
URI: Final = quote(f"{ISSUER}/offers/a", safe="")


@pytest.mark.parametrize(
    "link",
    [
        "",
        "openid-credential-offer://",
        f"openid-credential-offer://?credential_offer={OFFERED}&credential_offer_uri={URI}",
        f"openid-credential-offer://?credential_offer={OFFERED}&credential_offer={OFFERED}",
        f"openid-credential-offer://?credential_offer={OFFERED[:-3]}",
        "openid-credential-offer://?credential_offer=%FF",
        f"openid-credential-offer://?credential_offer_uri={URI.replace('https', 'http')}",
        f"openid-credential-offer://?credential_offer_uri={URI}%23a",
        "openid-credential-offer://?credential_offer_uri=file%3A%2F%2F%2Fetc",
        f"openid4vp://?credential_offer_uri={URI}",
        f"http://wallet.example/?credential_offer_uri={URI}",
        f"openid-credential-offer://?{'a' * MAX_LINK}",
        f"openid-credential-offer://{'a' * MAX_LINK}?credential_offer_uri={URI}",
        "openid-credential-offer://[?credential_offer=é",
    ],
)
def test_what_is_no_link(link: str) -> None:
    with pytest.raises(Malformed):
        parse_offer_link(link)


@pytest.mark.parametrize("scheme", ["openid4vp", "http://wallet.example", "javascript:alert(1)", ""])
def test_a_link_that_no_wallet_opens(scheme: str) -> None:
    with pytest.raises(Malformed):
        offer_link_by_reference(ISSUER, scheme=scheme)


def test_a_machine_s_own_issuer_needs_no_tls() -> None:
    for url in ("http://localhost:8080/issuer", "http://127.0.0.1:8080", "http://[::1]:8080/a"):
        assert check_https(url, where="base") == url
    for url in ("http://localhost.example", "http://127.0.0.1.example", "http://10.0.0.1", "http://localhost:port"):
        with pytest.raises(Malformed):
            check_https(url, where="base")


def test_other_programs_read_our_offers_and_we_theirs() -> None:
    offers = [
        CredentialOffer.parse(OFFER),
        CredentialOffer(ISSUER, ("one",), AuthorizationCodeGrant()),
        CredentialOffer(ISSUER, ("one",), pre_authorized=PreAuthorizedGrant("c&d=e", TxCode(description="été"))),
    ]
    answer = node("offers", links=[offer.link() for offer in offers], issuer=ISSUER)
    assert answer["read"] == [offer.to_json() for offer in offers]
    made = parse_offer_link(answer["made"])
    assert made == CredentialOffer(
        ISSUER, ("one",), pre_authorized=PreAuthorizedGrant("a b+c&d", TxCode("text", 6, "été"))
    )


# Credential Requests

ENCRYPTION: Final[dict[str, Any]] = {"jwk": KEY.jwk, "enc": "A256GCM", "zip": "DEF"}
REQUEST: Final[dict[str, Any]] = {
    "credential_configuration_id": "Earnings_sd-jwt",
    "proofs": {"jwt": ["a.b.c", "d.e.f"]},
    "credential_response_encryption": ENCRYPTION,
    "unknown": {"ignored": True},
}


def test_a_request() -> None:
    request = CredentialRequest.parse(REQUEST)
    assert request == CredentialRequest(
        None, "Earnings_sd-jwt", "jwt", ("a.b.c", "d.e.f"), ResponseEncryption(KEY.jwk, "A256GCM", "DEF")
    )
    assert request.to_json() == changed(REQUEST, "unknown", ABSENT)
    assert CredentialRequest.parse(json.dumps(REQUEST).encode()) == request


def test_a_request_by_identifier_and_without_proofs() -> None:
    request = CredentialRequest.parse({"credential_identifier": "Earnings_sd-jwt:a"})
    assert request == CredentialRequest("Earnings_sd-jwt:a")
    assert request.to_json() == {"credential_identifier": "Earnings_sd-jwt:a"}


ENC: Final = "credential_response_encryption"
REQUEST_FAULTS: Final = [
    ("invalid_credential_request", "credential_configuration_id", ABSENT),
    ("invalid_credential_request", "credential_configuration_id", ""),
    ("invalid_credential_request", "credential_configuration_id", None),
    ("invalid_credential_request", "credential_configuration_id", ["a"]),
    ("invalid_credential_request", "credential_configuration_id", "c" * (MAX_TEXT + 1)),
    ("invalid_credential_request", "credential_identifier", "a"),
    ("invalid_credential_request", "credential_identifier", None),
    ("invalid_proof", "proofs", []),
    ("invalid_proof", "proofs", {}),
    ("invalid_proof", "proofs", {"jwt": ["a"], "di_vp": [{}]}),
    ("invalid_proof", "proofs", {"jwt": []}),
    ("invalid_proof", "proofs", {"jwt": "a"}),
    ("invalid_proof", "proofs", {"jwt": ["a"] * (MAX_PROOFS + 1)}),
    ("invalid_encryption_parameters", ENC, "A256GCM"),
    ("invalid_encryption_parameters", ENC, {}),
    ("invalid_encryption_parameters", ENC, "jwk", ABSENT),
    ("invalid_encryption_parameters", ENC, "jwk", "x", "AA"),
    ("invalid_encryption_parameters", ENC, "jwk", "alg", ABSENT),
    ("invalid_encryption_parameters", ENC, "jwk", "alg", "RSA-OAEP"),
    ("invalid_encryption_parameters", ENC, "jwk", "use", "sig"),
    ("invalid_encryption_parameters", ENC, "jwk", "kid", 7),
    ("invalid_encryption_parameters", ENC, "jwk", "d", "AA"),
    ("invalid_encryption_parameters", ENC, "jwk", "crv", "P-384"),
    ("invalid_encryption_parameters", ENC, "enc", ABSENT),
    ("invalid_encryption_parameters", ENC, "enc", "A128CBC-HS256"),
    ("invalid_encryption_parameters", ENC, "enc", 7),
    ("invalid_encryption_parameters", ENC, "zip", "GZIP"),
    ("invalid_encryption_parameters", ENC, "zip", True),
]


@pytest.mark.parametrize("fault", REQUEST_FAULTS, ids=lambda fault: "/".join(map(str, fault))[:80])
@pytest.mark.parametrize("legacy", [False, True])
def test_each_fault_of_a_request_alone(fault: tuple[Any, ...], legacy: bool) -> None:
    error, *place = fault
    if legacy and place == ["credential_configuration_id", ABSENT]:
        return  # see below
    assert code(CredentialRequest.parse, changed(REQUEST, *place), legacy=legacy) == error


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"{", b'{"a":1,"a":2}', b"\xff", b'{"a":' * 1000])
def test_what_is_no_request(raw: bytes) -> None:
    assert code(CredentialRequest.parse, raw) == "invalid_credential_request"
    assert code(DeferredRequest.parse, raw) == "invalid_credential_request"
    assert code(Notification.parse, raw) == "invalid_notification_request"


def test_a_single_proof_of_earlier_drafts() -> None:
    draft: dict[str, Json] = {"format": "vc+sd-jwt", "vct": "x", "proof": {"proof_type": "jwt", "jwt": "a.b.c"}}
    assert CredentialRequest.parse(draft, legacy=True) == CredentialRequest(None, None, "jwt", ("a.b.c",))
    assert code(CredentialRequest.parse, draft) == "invalid_credential_request"
    named = {**draft, "credential_identifier": "a"}
    assert CredentialRequest.parse(named, legacy=True).proofs == ("a.b.c",)
    assert CredentialRequest.parse(named).proofs == ()  # a member that is not known
    presented: dict[str, Json] = {**draft, "proof": {"proof_type": "ldp_vp", "ldp_vp": {"a": 1}}}
    assert CredentialRequest.parse(presented, legacy=True).proof_type == "di_vp"


@pytest.mark.parametrize(
    "proof", [None, "a.b.c", {}, {"proof_type": "jwt"}, {"proof_type": 7, "jwt": "a"}, {"jwt": "a.b.c"}, [{}]]
)
def test_a_single_proof_that_is_none(proof: Json) -> None:
    assert code(CredentialRequest.parse, {"format": "ldp_vc", "proof": proof}, legacy=True) == "invalid_proof"


def test_both_kinds_of_proof() -> None:
    both = {**REQUEST, "proof": {"proof_type": "jwt", "jwt": "a.b.c"}}
    assert code(CredentialRequest.parse, both, legacy=True) == "invalid_proof"


def test_an_algorithm_beside_the_key_as_in_earlier_drafts() -> None:
    bare = changed(changed(REQUEST, ENC, "jwk", "alg", ABSENT), ENC, "alg", "ECDH-ES")
    assert CredentialRequest.parse(bare, legacy=True).response_encryption is not None
    assert code(CredentialRequest.parse, bare) == "invalid_encryption_parameters"


# Deferred Credential Requests and notifications


def test_a_deferred_request() -> None:
    members: dict[str, Json] = {"transaction_id": "8xLOxBtZp8", "credential_response_encryption": ENCRYPTION, "x": 1}
    request = DeferredRequest.parse(members)
    assert request == DeferredRequest("8xLOxBtZp8", ResponseEncryption(KEY.jwk, "A256GCM", "DEF"))
    assert DeferredRequest.parse(request.to_json()) == request
    assert DeferredRequest.parse({"transaction_id": "a"}).to_json() == {"transaction_id": "a"}
    for wrong in ({}, {"transaction_id": 7}, {"transaction_id": ""}, {"transaction_id": "t" * (MAX_TEXT + 1)}):
        assert code(DeferredRequest.parse, wrong) == "invalid_credential_request"
    assert code(DeferredRequest.parse, {"transaction_id": "a", ENC: {}}) == "invalid_encryption_parameters"


@pytest.mark.parametrize("event", ["credential_accepted", "credential_failure", "credential_deleted"])
def test_a_notification(event: str) -> None:
    notification = Notification("3fwe98js", event, "Could not store the Credential. Out of storage.")
    assert Notification.parse({**notification.to_json(), "unknown": 1}) == notification
    bare: dict[str, Json] = {"notification_id": "a", "event": event}
    assert Notification.parse(bare).to_json() == bare


@pytest.mark.parametrize(
    "wrong",
    [
        {"notification_id": ABSENT},
        {"notification_id": 7},
        {"event": ABSENT},
        {"event": "CREDENTIAL_ACCEPTED"},
        {"event": ["credential_accepted"]},
        {"event_description": "é"},
        {"event_description": 'a "word"'},
        {"event_description": "a\nb"},
        {"event_description": 7},
        {"event_description": "d" * 1025},
    ],
)
def test_each_fault_of_a_notification_alone(wrong: dict[str, Any]) -> None:
    good: dict[str, Any] = {"notification_id": "a", "event": "credential_accepted", "event_description": "d"}
    assert Notification.parse(good).description == "d"
    members = {name: value for name, value in {**good, **wrong}.items() if value is not ABSENT}
    assert code(Notification.parse, members) == "invalid_notification_request"


# Authorization details

DETAIL: Final[dict[str, Any]] = {
    "type": "openid_credential",
    "credential_configuration_id": "UniversityDegreeCredential",
    "locations": [ISSUER],
    "claims": [{"path": ["credentialSubject", "years", None, 0], "mandatory": True}],
    "unknown": 1,
}


def test_authorization_details() -> None:
    other = {"type": "openid_credential", "credential_configuration_id": "b"}
    found = parse_authorization_details(json.dumps([DETAIL, other]), issuer=ISSUER)
    assert found == (
        AuthorizationDetail(
            "UniversityDegreeCredential", (), (ISSUER,), (("credentialSubject", "years", None, 0),)
        ),
        AuthorizationDetail("b"),
    )  # fmt: skip
    assert parse_authorization_details([each.to_json() for each in found]) == found


def test_the_details_of_a_token_response() -> None:
    made = AuthorizationDetail("b", ("b:1", "b:2"))
    assert made.to_json()["credential_identifiers"] == ["b:1", "b:2"]
    assert parse_authorization_details([made.to_json()]) == (made,)


@pytest.mark.parametrize(
    "place",
    [
        ("type", ABSENT),
        ("type", "payment_initiation"),
        ("credential_configuration_id", ABSENT),
        ("credential_configuration_id", 7),
        ("locations", []),
        ("locations", ISSUER),
        ("locations", [7]),
        ("locations", ["https://other.example"]),
        ("claims", []),
        ("claims", "a"),
        ("claims", [7]),
        ("claims", [{"path": []}]),
        ("claims", [{"path": [-1]}]),
        ("claims", [{"path": [True]}]),
        ("claims", [{"path": [{}]}]),
        ("claims", [{"mandatory": True}]),
        ("credential_identifiers", [""]),
    ],
    ids=str,
)
def test_each_fault_of_authorization_details_alone(place: tuple[Any, ...]) -> None:
    text = json.dumps([changed(DETAIL, *place)])
    assert code(parse_authorization_details, text, issuer=ISSUER) == "invalid_authorization_details"


@pytest.mark.parametrize("text", ["", "{}", "[]", "[1]", "[[]]", "\ud800", json.dumps([DETAIL] * (MAX_DETAILS + 1))])
def test_what_are_no_authorization_details(text: str) -> None:
    assert code(parse_authorization_details, text) == "invalid_authorization_details"


def test_locations_may_be_required() -> None:
    bare = changed(DETAIL, "locations", ABSENT)
    assert parse_authorization_details([bare], issuer=ISSUER)
    assert parse_authorization_details([DETAIL], issuer=ISSUER, locations_required=True)
    assert (
        code(parse_authorization_details, [bare], issuer=ISSUER, locations_required=True)
        == "invalid_authorization_details"
    )


# Only our errors

PARSERS: Final[list[Any]] = [
    CredentialRequest.parse,
    lambda value: CredentialRequest.parse(value, legacy=True),
    DeferredRequest.parse,
    Notification.parse,
    ResponseEncryption.parse,
]


@without_deadline
@given(ANY_JSON | st.binary(max_size=60), st.sampled_from(PARSERS))
def test_only_our_errors_leave_for_any_request(value: Any, parse: Any) -> None:
    answer = outcome(lambda: parse(value))
    assert answer == VALUE or answer.startswith("invalid_")


@without_deadline
@given(st.sampled_from([*REQUEST, "credential_identifier", "proof"]), ANY_JSON)
def test_only_our_errors_leave_for_any_member_of_a_request(name: str, value: Any) -> None:
    for legacy in (False, True):
        answer = outcome(lambda legacy=legacy: CredentialRequest.parse({**REQUEST, name: value}, legacy=legacy))  # type: ignore[misc]
        assert answer == VALUE or answer.startswith("invalid_")


@without_deadline
@given(st.sampled_from(list(OFFER_FAULTS)), ANY_JSON)
def test_only_our_errors_leave_for_any_member_of_an_offer(place: tuple[Any, ...], value: Any) -> None:
    try:
        offer = CredentialOffer.parse(changed(OFFER, *place[:-1], value))
    except Malformed:
        return
    assert parse_offer_link(offer.link()) == offer


@without_deadline
@given(st.text(max_size=80) | st.text(max_size=60).map(lambda text: f"haip://?credential_offer={text}"))
def test_only_our_errors_leave_for_any_link(text: str) -> None:
    with pytest.raises(Malformed):
        parse_offer_link(text)


@without_deadline
@given(ANY_JSON)
def test_only_our_errors_leave_for_any_authorization_details(value: Any) -> None:
    answer = outcome(lambda: parse_authorization_details(json.dumps(value)))
    assert answer in (VALUE, "invalid_authorization_details")
