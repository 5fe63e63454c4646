"""did:web: where its document would be, what a document says of its keys, and every fault of one."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vc.contexts import W3C
from vc.did_document import MAX_METHODS
from vc.did_web import did_web_url, did_webvh_urls
from vc.documents import DOCUMENT_LIMITS, Documents, Given, resolve
from vc.errors import Malformed, Rejected, Undetermined, Unsupported, VcError
from vc.jwk import public_jwk
from vc.keys import Ed25519Key, P256Key, P384Key, PublicKey
from vc.secure import derive, hold, sign, sign_selective, verify_proofs

AT: Final = datetime(2026, 11, 24, tzinfo=UTC)
DID: Final = "did:web:example.com"
SIGNS: Final = Ed25519Key.from_seed(b"\x01" * 32, f"{DID}#signs")
SHOWS: Final = Ed25519Key.from_seed(b"\x02" * 32, f"{DID}#shows")
POINT: Final = P256Key.from_secret(b"\x03" * 32, f"{DID}#point")
LARGE: Final = P384Key.from_secret(b"\x04" * 48, f"{DID}#large")

DOCUMENT: Final[dict[str, Any]] = {
    "@context": ["https://www.w3.org/ns/did/v1"],
    "id": DID,
    "verificationMethod": [
        {
            "id": f"{DID}#signs",
            "type": "Multikey",
            "controller": DID,
            "publicKeyMultibase": SIGNS.public.multikey,
        },
        {
            "id": f"{DID}#point",
            "type": "JsonWebKey2020",
            "controller": DID,
            "publicKeyJwk": public_jwk(POINT.public),
        },
        {"id": f"{DID}#large", "type": "JsonWebKey", "controller": DID, "publicKeyJwk": public_jwk(LARGE.public)},
        {"id": f"{DID}#other", "type": "EcdsaSecp256k1VerificationKey2019", "controller": DID},
        {
            "id": f"{DID}#lent",
            "type": "Multikey",
            "controller": "did:web:other.example",
            "publicKeyMultibase": SIGNS.public.multikey,
        },
        {"id": f"{DID}#keyless", "type": "Multikey", "controller": DID},
    ],
    "assertionMethod": [f"{DID}#{name}" for name in ("signs", "point", "large", "other", "lent", "keyless", "nowhere")],
    "authentication": [
        {
            "id": f"{DID}#shows",
            "type": "Ed25519VerificationKey2020",
            "controller": DID,
            "publicKeyMultibase": SHOWS.public.multikey,
        },
        f"{DID}#point",
    ],
    "service": [{"id": f"{DID}#hub", "type": "Hub", "serviceEndpoint": "https://example.com"}],
}


def documents(document: Any = DOCUMENT, did: str = DID) -> Documents:
    return Documents.of({did: Given(json.dumps(document).encode())})


def found(name: str, purpose: str = "assertionMethod", document: Any = DOCUMENT, at: datetime | None = AT) -> PublicKey:
    method = resolve(f"{DID}#{name}", documents=documents(document), purpose=purpose, at=at)
    assert (method.id, method.controller) == (f"{DID}#{name}", DID)
    return method.public


# --- where a document would be ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("did", "url"),
    [
        ("did:web:example.com", "https://example.com/.well-known/did.json"),
        ("did:web:www.example.co.uk", "https://www.example.co.uk/.well-known/did.json"),
        ("did:web:example.com:user:alice", "https://example.com/user/alice/did.json"),
        ("did:web:example.com%3A3000", "https://example.com:3000/.well-known/did.json"),
        ("did:web:example.com%3a3000:u", "https://example.com:3000/u/did.json"),
        ("did:web:example.com%3A65535", "https://example.com:65535/.well-known/did.json"),
        ("did:web:localhost%3A8443:issuer", "https://localhost:8443/issuer/did.json"),
        ("did:web:xn--bcher-kva.example", "https://xn--bcher-kva.example/.well-known/did.json"),
        ("did:web:example.com:caf%C3%A9:1.0", "https://example.com/caf%C3%A9/1.0/did.json"),
        ("did:web:3com.com", "https://3com.com/.well-known/did.json"),
        ("did:web:example.com:...", "https://example.com/.../did.json"),
    ],
)
def test_a_did_web_is_at_one_https_url(did: str, url: str) -> None:
    assert did_web_url(did) == url
    scid = "Q" * 46
    assert did_webvh_urls(did.replace("did:web:", f"did:webvh:{scid}:")) == (
        url.replace("did.json", "did.jsonl"),
        url.replace("did.json", "did-witness.json"),
    )


NOT_PLACES: Final = [
    "",
    "example",
    "com.",
    ".com",
    "example..com",
    "-example.com",
    "example-.com",
    "exa_mple.com",
    "127.0.0.1",
    "127.1",
    "example.0x7f",
    "1.2.3.4%3A80",
    "%5B%3A%3A1%5D",
    "[::1]",
    "example.com:",
    "example.com::user",
    "example.com:user:",
    "example.com:.",
    "example.com:..",
    "example.com:%2E%2e",
    "example.com:%2e",
    "example.com:a%2Fb",
    "example.com:a%5cb",
    "example.com:a%00",
    "example.com:%20a",
    "example.com:a%0A",
    "example.com:%",
    "example.com:%4",
    "example.com:%zz",
    "example.com:a/b",
    "example.com/a",
    "example.com?x",
    "example.com:a?x",
    "example.com:a@b",
    "user@example.com",
    "user%40example.com",
    "example.com%3A",
    "example.com%3A0",
    "example.com%3A080",
    "example.com%3A65536",
    "example.com%3A99999",
    "example.com%3A443%3A443",
    "example.com%3Aport",
    "example.com%2F",
    "b%C3%BCcher.example",
    "bücher.example",
    "example.com\n",
    "example.com:a\n",
    f"{'a' * 64}.com",
    ".".join(["a" * 60] * 5),
]


@pytest.mark.parametrize("identifier", NOT_PLACES)
def test_what_is_at_no_url(identifier: str) -> None:
    for locate in (
        lambda: did_web_url(f"did:web:{identifier}"),
        lambda: did_webvh_urls(f"did:webvh:{'Q' * 46}:{identifier}"),
    ):
        with pytest.raises(Malformed) as refused:
            locate()
        assert refused.value.code == "BAD_METHOD"


@pytest.mark.parametrize("did", ["did:key:x", "web:example.com", "did:webvh:example.com", "did:web", ""])
def test_another_did_is_at_no_url(did: str) -> None:
    with pytest.raises(Malformed):
        did_web_url(did)


@pytest.mark.parametrize("scid", ["", "Q" * 45, "Q" * 47, "0" * 46, "{SCID}", "l" * 46])
def test_a_did_webvh_has_a_hash_in_it(scid: str) -> None:
    with pytest.raises(Malformed):
        did_webvh_urls(f"did:webvh:{scid}:example.com")


@settings(deadline=None)
@given(st.text(alphabet="abc.-:%32FA3e\\/?#@[] \n", max_size=24))
def test_whatever_is_located_is_on_that_host(identifier: str) -> None:
    try:
        url = did_web_url(f"did:web:{identifier}")
    except VcError:
        return
    host = identifier.partition(":")[0].replace("%3A", ":").replace("%3a", ":")
    assert url.startswith(f"https://{host}/")
    assert url.endswith("/did.json")
    assert not set(url) & set("\\?#@[] \n")


# --- what a document says --------------------------------------------------------------------------------------------


def test_every_kind_of_method_is_read() -> None:
    assert found("signs") == SIGNS.public
    assert found("point") == POINT.public
    assert found("large") == LARGE.public
    assert found("shows", "authentication") == SHOWS.public
    assert found("point", "authentication") == POINT.public


@pytest.mark.parametrize(
    ("name", "purpose", "code"),
    [
        ("signs", "authentication", "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"),
        ("shows", "assertionMethod", "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"),
        ("signs", "keyAgreement", "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"),
        ("signs", "", "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"),
        ("nowhere", "assertionMethod", "INVALID_VERIFICATION_METHOD"),
        ("hub", "assertionMethod", "INVALID_VERIFICATION_METHOD"),
        ("", "assertionMethod", "INVALID_VERIFICATION_METHOD"),
        ("lent", "assertionMethod", "INVALID_VERIFICATION_METHOD"),
        ("other", "assertionMethod", "UNSUPPORTED_KEY"),
        ("keyless", "assertionMethod", "BAD_KEY"),
    ],
)
def test_a_method_has_to_stand_under_the_purpose(name: str, purpose: str, code: str) -> None:
    with pytest.raises((Rejected, Malformed, Unsupported)) as refused:
        found(name, purpose)
    assert refused.value.code == code


@pytest.mark.parametrize("member", ["revoked", "expires"])
def test_a_key_that_has_ended_counts_no_more(member: str) -> None:
    document = deepcopy(DOCUMENT)
    document["verificationMethod"][0][member] = "2026-11-24T00:00:00Z"
    assert found("signs", document=document, at=AT - timedelta(seconds=1)) == SIGNS.public
    for at in (AT, AT + timedelta(days=1), None):
        with pytest.raises(Rejected) as refused:
            found("signs", document=document, at=at)
        assert refused.value.code == "INVALID_VERIFICATION_METHOD"
    assert found("point", document=document) == POINT.public


def test_a_revoked_key_does_not_come_back_by_stating_an_earlier_day() -> None:
    document = deepcopy(DOCUMENT)
    document["verificationMethod"][0]["revoked"] = "2026-11-01T00:00:00Z"
    with pytest.raises(Rejected):
        resolve(
            f"{DID}#signs",
            documents=documents(document),
            purpose="assertionMethod",
            at=AT,
            signed=AT - timedelta(days=300),
        )


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in DOCUMENT.items() if key != name}


FAULTS: Final[list[tuple[Any, str]]] = [
    ([], "NOT_JSON"),
    ("x", "NOT_JSON"),
    ({}, "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID"),
    ({**DOCUMENT, "id": "did:web:other.example"}, "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID"),
    ({**DOCUMENT, "id": f"{DID}#signs"}, "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID"),
    ({**DOCUMENT, "id": [DID]}, "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID"),
    ({**DOCUMENT, "id": "did:web:EXAMPLE.com"}, "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID"),
    ({**DOCUMENT, "verificationMethod": {}}, "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT"),
    ({**DOCUMENT, "verificationMethod": ["x"]}, "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT"),
    ({**DOCUMENT, "verificationMethod": [{}]}, "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT"),
    ({**DOCUMENT, "verificationMethod": [{"id": "#signs"}]}, "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT"),
    ({**DOCUMENT, "verificationMethod": [{"id": DID}]}, "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT"),
    (
        {**DOCUMENT, "verificationMethod": DOCUMENT["verificationMethod"][:1] * 2},
        "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT",
    ),
    (
        {**DOCUMENT, "authentication": DOCUMENT["verificationMethod"][:1]},
        "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT",
    ),
    ({**DOCUMENT, "assertionMethod": f"{DID}#signs"}, "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT"),
    ({**DOCUMENT, "assertionMethod": ["#signs"]}, "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT"),
    ({**DOCUMENT, "assertionMethod": [None]}, "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT"),
    ({**DOCUMENT, "assertionMethod": [f"{DID}#signs"] * (MAX_METHODS + 1)}, "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT"),
    (without("verificationMethod"), "INVALID_VERIFICATION_METHOD"),
    (without("assertionMethod"), "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"),
    ({**DOCUMENT, "note": "x" * DOCUMENT_LIMITS.size}, "TOO_LARGE"),
]


@pytest.mark.parametrize(("document", "code"), FAULTS)
def test_one_thing_wrong_with_the_document(document: Any, code: str) -> None:
    with pytest.raises((Malformed, Rejected)) as refused:
        found("signs", document=document)
    assert refused.value.code == code


def test_a_document_that_says_a_name_twice_is_refused() -> None:
    raw = json.dumps(DOCUMENT).replace(f'"id": "{DID}",', f'"id": "{DID}", "id": "{DID}",', 1).encode()
    with pytest.raises(Malformed) as refused:
        resolve(f"{DID}#signs", documents=Documents.of({DID: Given(raw)}), purpose="assertionMethod", at=AT)
    assert refused.value.code == "NOT_JSON"


def test_a_document_given_under_another_did_is_refused() -> None:
    with pytest.raises(Malformed) as refused:
        resolve(
            "did:web:other.example#signs",
            documents=documents(did="did:web:other.example"),
            purpose="assertionMethod",
            at=AT,
        )
    assert refused.value.code == "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID"


@pytest.mark.parametrize("identifier", ["127.0.0.1", "example.com:..", "example.com?versionTime=2020-01-01T00:00:00Z"])
def test_a_did_that_is_no_did_web_is_refused_even_where_it_is_given(identifier: str) -> None:
    did = f"did:web:{identifier}"
    with pytest.raises(Malformed) as refused:
        resolve(f"{did}#signs", documents=documents({**DOCUMENT, "id": did}, did), purpose="assertionMethod", at=AT)
    assert refused.value.code == "BAD_METHOD"


@st.composite
def changed(draw: st.DrawFn) -> Any:
    """The document with one of its values replaced by something else."""
    document = deepcopy(DOCUMENT)
    node: Any = document
    while True:
        name = draw(st.sampled_from(list(node) if isinstance(node, dict) else range(len(node))))
        if isinstance(node[name], dict | list) and node[name] and draw(st.booleans()):
            node = node[name]
            continue
        node[name] = draw(st.sampled_from([None, True, 1, "", "x", DID, f"{DID}#signs", [], {}, [[]], [{}]]))
        return document


@settings(deadline=None)
@given(changed(), st.sampled_from(["signs", "point", "shows"]), st.sampled_from(["assertionMethod", "authentication"]))
def test_only_our_errors_leave_and_no_other_key(document: Any, name: str, purpose: str) -> None:
    try:
        key = found(name, purpose, document)
    except VcError:
        return
    assert key in (SIGNS.public, POINT.public, SHOWS.public)


# --- signing as a did:web --------------------------------------------------------------------------------------------

UNSIGNED: Final[dict[str, Any]] = {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/undefined-terms/v2"],
    "type": ["VerifiableCredential"],
    "issuer": DID,
    "credentialSubject": {"jobs": "120"},
}


def signed() -> dict[str, Any]:
    return sign(UNSIGNED, key=SIGNS, created=AT, contexts=W3C)


def test_what_a_did_web_signed_verifies_from_its_document() -> None:
    (method,) = verify_proofs(signed(), contexts=W3C, documents=documents(), at=AT)
    assert (method.controller, method.public) == (DID, SIGNS.public)


def test_a_holder_verifies_what_a_did_web_signed() -> None:
    base = sign_selective(
        UNSIGNED, key=POINT, created=AT, mandatory=["/issuer"], contexts=W3C, rand=lambda length: b"\x05" * length
    )
    held = hold(base, contexts=W3C, documents=documents(), at=AT)
    shown = derive(held, ["/credentialSubject/jobs"], rand=lambda length: b"\x06" * length)
    assert verify_proofs(shown, contexts=W3C, documents=documents(), at=AT)[0].public == POINT.public
    with pytest.raises(Undetermined):
        hold(base, contexts=W3C)


WITHOUT: Final[list[tuple[str, Callable[[], dict[str, Any]], str]]] = [
    ("no document", dict, "DID_UNKNOWN"),
    ("not this one", lambda: {"documents": documents(did="did:web:other.example")}, "DID_UNKNOWN"),
    (
        "not for this",
        lambda: {"documents": documents(without("assertionMethod"))},
        "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD",
    ),
    ("for presentations", lambda: {"documents": documents(), "purpose": "authentication"}, "PURPOSE_MISMATCH"),
]


@pytest.mark.parametrize(("name", "given", "code"), WITHOUT, ids=[row[0] for row in WITHOUT])
def test_without_its_document_nothing_verifies(name: str, given: Callable[[], dict[str, Any]], code: str) -> None:
    with pytest.raises(VcError) as refused:
        verify_proofs(signed(), contexts=W3C, **given())
    assert refused.value.code == code


def test_another_key_under_the_same_name_does_not_verify() -> None:
    document = deepcopy(DOCUMENT)
    document["verificationMethod"][0]["publicKeyMultibase"] = SHOWS.public.multikey
    with pytest.raises(Rejected) as refused:
        verify_proofs(signed(), contexts=W3C, documents=documents(document), at=AT)
    assert refused.value.code == "PROOF_INVALID"
