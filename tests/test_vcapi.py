"""VC-API's rules, as functions of values: what is signed, what holds, what is shown. A row for each rule."""

import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ouvrage.vcapi import ALL_CONTEXTS, OTHERS, SUITES, StatusBook
from tests.line import rand_from
from tests.shared import shared_path
from vc import bbs, cbor
from vc.canon import Json
from vc.did_resolution import resolve_did_key
from vc.errors import Malformed, Rejected, Undetermined, Unsupported, VcError
from vc.jose import sign_jws
from vc.keys import Bls12381Key, Ed25519Key, P256Key, P384Key, Signer
from vc.model import CREDENTIALS_V1, CREDENTIALS_V2
from vc.multibase import decode_base64url, encode_base64url
from vc.proof import AUTHENTICATION, add_proof, proof_options
from vc.secure import sign
from vc.status import StatusEntry, new_list, set_statuses, status_list_credential
from vc.suites.plain import EDDSA_JCS_2022, EDDSA_RDFC_2022
from vc.vcapi import PROOF_CONTEXT, VERIFIED, Issuer, World, derive, issue, verify_credential, verify_presentation

AT: Final = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
EXAMPLES: Final = "https://www.w3.org/ns/credentials/examples/v2"
SUBJECT: Final = "did:example:subject"
URN: Final = "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33"
ABSENT: Final = object()
V2_SRI: Final = "sha384-l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU"
V2_MULTIBASE: Final = "uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA"
SELECTIVE: Final = ("ecdsa-sd-2023", "bbs-2023")
KEYS: Final[Mapping[str, Callable[[], Bls12381Key | Signer]]] = {
    "eddsa-rdfc-2022": lambda: Ed25519Key.from_seed(b"\1" * 32),
    "eddsa-jcs-2022": lambda: Ed25519Key.from_seed(b"\2" * 32),
    "ecdsa-rdfc-2019": lambda: P256Key.from_secret(b"\3" * 32),
    "ecdsa-rdfc-2019-p384": lambda: P384Key.from_secret(b"\4" * 48),
    "ecdsa-jcs-2019": lambda: P256Key.from_secret(b"\5" * 32),
    "ecdsa-jcs-2019-p384": lambda: P384Key.from_secret(b"\6" * 48),
    "ecdsa-sd-2023": lambda: P256Key.from_secret(b"\7" * 32),
    "bbs-2023": lambda: Bls12381Key.from_secret(bbs.key_gen(b"\x08" * 32)),
    "EnvelopingProof": lambda: P256Key.from_secret(b"\x09" * 32),
    "BitstringStatusList": lambda: Ed25519Key.from_seed(b"\x0a" * 32),
}
HOLDER: Final = Ed25519Key.from_seed(b"\x0b" * 32)


@cache
def issuer_of(name: str) -> Issuer:
    kind = {**SUITES, **OTHERS}[name]
    return Issuer(kind.suite, KEYS[name](), signs_for_others=True)


def credential(name: str = "eddsa-rdfc-2022", /, **changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "@context": [CREDENTIALS_V2, EXAMPLES],
        "type": ["VerifiableCredential", "ExampleCredential"],
        "issuer": issuer_of(name).did,
        "credentialSubject": {"id": SUBJECT, "alpha": "1", "beta": "2"},
    }
    return {key: value for key, value in {**document, **changes}.items() if value is not ABSENT}


def old(name: str = "eddsa-rdfc-2022", /, **changes: Any) -> dict[str, Any]:
    """A credential of version 1.1, as clients send it: with no word for a proof, and no date."""
    base = {"@context": [CREDENTIALS_V1], "type": ["VerifiableCredential"], "credentialSubject": {"id": SUBJECT}}
    return credential(name, **{**base, **changes})


def issued(document: Any, name: str = "eddsa-rdfc-2022", **options: Any) -> dict[str, Any]:
    body = {"credential": document, **({"options": options} if options else {})}
    answer = issue(body, issuer=issuer_of(name), contexts=ALL_CONTEXTS, at=AT, rand=rand_from(name))
    return dict(answer["verifiableCredential"])  # type: ignore[arg-type]


@cache
def _signed(name: str, version: int) -> str:
    make = old if version == 1 else credential
    return json.dumps(issued(make(name), name))


def signed(name: str = "eddsa-rdfc-2022", version: int = 2) -> dict[str, Any]:
    """A fresh copy of a good credential of that instance."""
    return dict(json.loads(_signed(name, version)))


def shown(name: str, *pointers: str) -> dict[str, Any]:
    body = {"verifiableCredential": signed(name), "options": {"selectivePointers": list(pointers)}}
    return dict(derive(body, contexts=ALL_CONTEXTS, rand=rand_from("derive"))["verifiableCredential"])  # type: ignore[arg-type]


def world(at: datetime = AT, **lists: Any) -> World:
    """What a verifier knows that holds these status lists, by the last part of their URL."""
    return World(ALL_CONTEXTS, at, lambda url: lists.get(url.rpartition("/")[2]))


def verified(document: Any, known: World | None = None, **options: Any) -> Mapping[str, Json]:
    body = {"verifiableCredential": document, **({"options": options} if options else {})}
    return verify_credential(body, known or world())


def refused(step: Callable[[], object]) -> str:
    with pytest.raises((Malformed, Unsupported, Rejected, Undetermined)) as caught:
        step()
    return caught.value.code


# ---- issuing: what is signed -----------------------------------------------------------------------------------------

OWN_CONTEXT: Final = {"ExampleRefresh": "https://example.org/#ExampleRefresh"}
NAMES: Final = [{"@value": "Chien", "@language": "fr"}, {"@value": "Dog", "@language": "en", "@direction": "ltr"}]
RESOURCE: Final = {"id": CREDENTIALS_V2, "digestSRI": V2_SRI}

ACCEPTED: Final[Mapping[str, dict[str, Any]]] = {
    "as it is": {},
    "milliseconds": {"validFrom": "2023-02-26T01:20:00.447Z", "validUntil": "2023-02-26T01:20:18.477Z"},
    "a numeric offset": {"validFrom": "2023-02-25T19:10:39-06:00"},
    "far in the future": {"validFrom": "4023-02-26T01:02:58Z"},
    "several subjects": {"credentialSubject": [{"id": SUBJECT}, {"alpha": "1"}]},
    "a subject without id": {"credentialSubject": {"alpha": "1"}},
    "names in several languages": {"name": NAMES, "description": NAMES[0]},
    "an issuer with a name": {"issuer": {"id": "did:example:issuer", "name": NAMES, "description": "x"}},
    "another issuer": {"issuer": "https://vc.example/issuers/5678"},
    "a URL as type": {"type": ["https://example.org/#Type", "VerifiableCredential"]},
    "a context of its own": {
        "@context": [CREDENTIALS_V2, OWN_CONTEXT],
        "type": ["VerifiableCredential"],
        "credentialSubject": {"id": SUBJECT},
        "refreshService": {"id": "did:example:refresh", "type": "ExampleRefresh"},
    },
    "a DID as id": {"id": "did:example:credential"},
    "no word but the model's": {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiableCredential"],
        "credentialSubject": {"id": SUBJECT},
    },
    "an old empty subject with id": {"credentialSubject": {"id": SUBJECT}},
    "a related resource": {"relatedResource": RESOURCE},
    "its digest as multihash": {"relatedResource": {"id": CREDENTIALS_V2, "digestMultibase": V2_MULTIBASE}},
    "its digest alone": {
        "relatedResource": [{"id": CREDENTIALS_V2, "digestMultibase": "uWZVc7WaX1h4D8rJVb-vlMIqxaEKEb1tYbX8fet7JJzQ"}]
    },
    "its digest of the candidate recommendation": {
        "relatedResource": {
            "id": CREDENTIALS_V2,
            "mediaType": "application/ld+json",
            "digestSRI": "sha384-NSOcNpmdIVUxIJGvGUoe22FjTWrXiaXlsZ8q6912LdnR3KraQO2n75Ica4wK4Qeg",
        }
    },
    "a resource that is not held": {"relatedResource": {"id": "https://example.com/x", "digestSRI": V2_SRI}},
    "a proof by somebody else": {"proof": {"type": "Ed25519Signature2020", "proofValue": "z58DAdFfa9SkqZMVPxAQ"}},
}


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED.keys())
@pytest.mark.parametrize("name", ["eddsa-rdfc-2022", "eddsa-jcs-2022", "bbs-2023"])
def test_signed(name: str, changes: dict[str, Any]) -> None:
    document = credential(name, **changes)
    secured = issued(document, name)
    assert {key: value for key, value in secured.items() if key != "proof"} == {
        key: value for key, value in document.items() if key != "proof"
    }


def test_a_proof_that_is_there_stays_beside_ours() -> None:
    held = {"type": "Ed25519Signature2020", "proofValue": "z58DAdFfa9SkqZMVPxAQ"}
    for name in ("eddsa-rdfc-2022", "bbs-2023"):
        secured = issued(credential(name, proof=held), name)
        assert secured["proof"][0] == held
        assert secured["proof"][1]["cryptosuite"] == name
        assert verified({**secured, "proof": secured["proof"][1]}) if name != "bbs-2023" else True


@pytest.mark.parametrize("name", SUITES)
@pytest.mark.parametrize("version", [1, 2])
def test_a_proof_says_what_it_has_to(name: str, version: int) -> None:
    secured, proof = signed(name, version), signed(name, version)["proof"]
    assert proof["type"] == "DataIntegrityProof"
    assert proof["cryptosuite"] == SUITES[name].suite
    assert proof["proofPurpose"] == "assertionMethod"
    assert proof["created"] == "2026-11-24T09:30:00Z"
    did = issuer_of(name).did
    assert proof["verificationMethod"] == f"{did}#{did.removeprefix('did:key:')}"
    assert proof["proofValue"][0] == ("u" if name in SELECTIVE else "z")
    assert proof.get("@context", secured["@context"]) == secured["@context"]
    assert ("@context" in proof) == ("jcs" in name)


@pytest.mark.parametrize(
    ("name", "prefix"),
    [("eddsa-rdfc-2022", "z6Mk"), ("ecdsa-rdfc-2019", "zDna"), ("ecdsa-rdfc-2019-p384", "z82L"), ("bbs-2023", "zUC7")],
)
def test_an_issuer_is_the_did_key_of_its_key(name: str, prefix: str) -> None:
    assert issuer_of(name).did.startswith(f"did:key:{prefix}")


@pytest.mark.parametrize("name", SUITES)
def test_version_1_gets_a_date_and_words_for_the_proof(name: str) -> None:
    secured = signed(name, 1)
    assert secured["@context"] == [CREDENTIALS_V1, PROOF_CONTEXT]
    assert secured["issuanceDate"] == "2026-11-24T09:30:00Z"
    if name not in SELECTIVE:
        assert verified(secured) == VERIFIED


def test_version_1_keeps_what_it_has() -> None:
    contexts = [CREDENTIALS_V1, "https://w3id.org/security/data-integrity/v1"]
    changes: dict[str, Any] = {"@context": contexts, "issuanceDate": "2020-01-01T00:00:00Z"}
    secured = issued(old(**changes))
    assert (secured["@context"], secured["issuanceDate"]) == (contexts, "2020-01-01T00:00:00Z")
    assert verified(secured) == VERIFIED


def components(secured: Mapping[str, Any]) -> list[Any]:
    decoded = cbor.decode(decode_base64url(secured["proof"]["proofValue"][1:])[3:], where="")
    assert isinstance(decoded, list)
    return decoded


def test_a_base_proof_of_ecdsa_has_five_components() -> None:
    secured = signed("ecdsa-sd-2023")
    assert decode_base64url(secured["proof"]["proofValue"][1:])[:3] == b"\xd9\x5d\x00"
    base_signature, public_key, hmac_key, signatures, pointers = components(secured)
    assert (len(base_signature), len(public_key), len(hmac_key)) == (64, 35, 32)
    assert all(len(signature) == 64 for signature in signatures)
    assert pointers == ["/issuer"]


@pytest.mark.parametrize("pointers", [[], ["/credentialSubject/beta"], ["/issuer", "/type"]])
def test_the_mandatory_pointers_that_are_sent_are_those_of_the_base_proof(pointers: list[str]) -> None:
    for name, header in zip(SELECTIVE, (b"\xd9\x5d\x00", b"\xd9\x5d\x02"), strict=True):
        secured = issued(credential(name), name, mandatoryPointers=pointers)
        assert decode_base64url(secured["proof"]["proofValue"][1:])[:3] == header
        assert components(secured)[-1] == pointers


def test_a_status_is_added_and_the_subject_stays() -> None:
    book = StatusBook("https://127.0.0.1/status/1", issuer_of("BitstringStatusList"))
    document = credential("BitstringStatusList")
    body: dict[str, Json] = {"credential": document}
    answer = issue(
        body,
        issuer=issuer_of("BitstringStatusList"),
        contexts=ALL_CONTEXTS,
        at=AT,
        rand=rand_from("status"),
        status=book.next,
    )
    secured: Any = answer["verifiableCredential"]
    entry = secured["credentialStatus"]
    assert secured["credentialSubject"] == document["credentialSubject"]
    assert entry["type"] == "BitstringStatusListEntry"
    assert StatusEntry.parse(entry).list_url == "https://127.0.0.1/status/1"
    assert verified(secured) == VERIFIED
    assert refused(lambda: verified(secured, checks=["credentialStatus"])) == "STATUS_UNKNOWN"


def test_a_status_stands_beside_another() -> None:
    entry = StatusEntry("https://example.com/1", 7, "revocation")
    answer = issue(
        {"credential": credential(credentialStatus=entry.to_json())},
        issuer=issuer_of("eddsa-rdfc-2022"),
        contexts=ALL_CONTEXTS,
        at=AT,
        rand=rand_from("status"),
        status=lambda: StatusEntry("https://example.com/2", 8, "revocation"),
    )
    secured: Any = answer["verifiableCredential"]
    assert [each["statusListIndex"] for each in secured["credentialStatus"]] == ["7", "8"]


def test_a_status_list_gives_each_place_once_and_ends() -> None:
    book = StatusBook("https://example.com/1", issuer_of("BitstringStatusList"), taken=set(range((1 << 16) - 2)))
    assert book.next().index != book.next().index
    assert refused(book.next) == "STATUS_LIST_FULL"
    assert verified(book.credential(AT)) == VERIFIED


# ---- issuing: what is not signed -------------------------------------------------------------------------------------

NOT_SUBJECTS: Final[tuple[Any, ...]] = ("x", None, True, 4, [], {})
NOT_URLS: Final = (None, ["did:example:a", "did:example:b"], "https ://not-a-url", 4)
WRONG_SRI: Final = "sha384-_rCVIV7fSXXTNIvpiq26jRDyj8JG8TDjij-tD0ewLk4JpnXEz6a5AeeY_1qQ0d0P"
REDEFINED: Final = {"VerifiableCredential": "https://example.org/#Bad"}


def not_signed() -> Iterator[tuple[dict[str, Any], str]]:
    """Changes to a good credential, and the code of the error."""
    for value in (ABSENT, CREDENTIALS_V2, {}, None, [], [EXAMPLES, CREDENTIALS_V2], [EXAMPLES]):
        yield {"@context": value}, "BAD_CONTEXT"
    items: tuple[Any, ...] = (None, 4, [], "relative", "https ://not-a-url")
    for item in items:
        yield {"@context": [CREDENTIALS_V2, EXAMPLES, item]}, "BAD_CONTEXT"
    yield {"@context": [CREDENTIALS_V2, "https://example.com/unknown"]}, "UNKNOWN_CONTEXT"
    yield {"@context": [CREDENTIALS_V2, EXAMPLES, REDEFINED]}, "BAD_CONTEXT"
    for value in (ABSENT, None, 4, {}, ["VerifiableCredential", 4], "VerifiableCredential"):
        yield {"type": value}, "NOT_TEXT"
    yield {"type": ["ExampleCredential"]}, "BAD_TYPE"
    yield {"@context": [CREDENTIALS_V2], "type": ["VerifiableCredential", "Unmapped"]}, "DATA_LOSS"
    yield {"@context": [CREDENTIALS_V2, {"T": "https ://no"}], "type": ["VerifiableCredential", "T"]}, "BAD_CONTEXT"
    for value in (ABSENT, *NOT_SUBJECTS, [{"id": SUBJECT}, {}]):
        yield {"credentialSubject": value}, "BAD_SUBJECT"
    for value in NOT_URLS:
        yield {"id": value}, "BAD_ID"
        yield {"credentialSubject": {"id": value, "alpha": "1"}}, "BAD_ID"
        yield {"credentialStatus": {"id": value, "type": "ExampleStatus"}}, "BAD_ID"
        yield {"credentialSchema": {"id": value, "type": "JsonSchema"}}, "BAD_ID"
    for value in (ABSENT, None, True, 4, [], "x", {}, {"id": None}, {"id": "x"}):
        yield {"issuer": value}, "BAD_ID"
    for value in ("Sat 25 Feb 2023 07:16:31 PM CST", "2023-02-25", "2023-02-25T19:10:39", 4, None):
        yield {"validFrom": value}, "BAD_DATE"
        yield {"validUntil": value}, "BAD_DATE"
    yield {"validFrom": "2026-01-02T00:00:00Z", "validUntil": "2026-01-01T00:00:00Z"}, "BAD_PERIOD"
    yield from not_signed_members()


def not_signed_members() -> Iterator[tuple[dict[str, Any], str]]:
    for name in ("credentialStatus", "credentialSchema", "termsOfUse", "evidence", "refreshService"):
        for types in (ABSENT, 2, None):
            value = {key: entry for key, entry in {"id": URN, "type": types}.items() if entry is not ABSENT}
            yield {name: value}, "NOT_TEXT"
    yield {"credentialSchema": {"type": "JsonSchema"}}, "BAD_ID"
    for proof in ({}, {"created": "2023-07-28T22:25:05Z"}, {"type": 4}, {"type": ["x"]}, "x", None):
        yield {"proof": proof}, "MISSING"
    yield {"proof": []}, "PROOF_MISSING"
    odd = {"@value": "x", "@language": "en", "url": URN}
    for name in ("name", "description"):
        yield {name: odd}, "NOT_TEXT"
        yield {"issuer": {"id": URN, name: odd}}, "NOT_TEXT"
    yield {"relatedResource": [CREDENTIALS_V2]}, "NOT_AN_OBJECT"
    yield {"relatedResource": [{"digestSRI": V2_SRI}]}, "BAD_ID"
    yield {"relatedResource": [RESOURCE, {**RESOURCE, "digestMultibase": V2_MULTIBASE}]}, "BAD_ID"
    yield {"relatedResource": {"id": CREDENTIALS_V2}}, "MISSING"
    yield {"relatedResource": {"id": CREDENTIALS_V2, "digestSRI": WRONG_SRI}}, "RESOURCE_MISMATCH"
    yield {"relatedResource": {**RESOURCE, "digestMultibase": "u" + "A" * 43}}, "RESOURCE_MISMATCH"
    yield {"relatedResource": {**RESOURCE, "digestSRI": [V2_SRI, WRONG_SRI]}}, "RESOURCE_MISMATCH"
    for digest in ("sha384-AAAA", "md5-AAAA", "x", f"{V2_SRI} {V2_SRI}"):
        yield {"relatedResource": {"id": URN, "digestSRI": digest}}, "BAD_DIGEST"
    yield {"relatedResource": {"id": URN, "digestMultibase": "uAAAA"}}, "BAD_DIGEST"
    yield {"relatedResource": {**RESOURCE, "digestSRI": [V2_SRI] * 9}}, "TOO_LARGE"
    yield {"@context": [CREDENTIALS_V2], "type": ["VerifiableCredential"], "statusEntry": {"a": 1}}, "DATA_LOSS"
    yield {"@context": [CREDENTIALS_V2], "type": ["VerifiableCredential"]}, "DATA_LOSS"  # alpha means nothing


NOT_SIGNED: Final = list(not_signed())


@pytest.mark.parametrize(("changes", "code"), NOT_SIGNED, ids=[str(number) for number in range(len(NOT_SIGNED))])
@pytest.mark.parametrize("name", ["eddsa-rdfc-2022", "eddsa-jcs-2022", "bbs-2023", "EnvelopingProof"])
def test_not_signed(name: str, changes: dict[str, Any], code: str) -> None:
    assert refused(lambda: issued(credential(name, **changes), name)) == code


OLD_NOT_SIGNED: Final[tuple[tuple[dict[str, Any], str], ...]] = (
    ({"issuanceDate": "yesterday"}, "BAD_DATE"),
    ({"issuanceDate": None}, "MISSING"),
    ({"expirationDate": "2020-01-01T00:00:00Z"}, "BAD_PERIOD"),
    ({"expirationDate": "2020-01-01"}, "BAD_DATE"),
    ({"@context": [CREDENTIALS_V1, "https://example.com/unknown"]}, "UNKNOWN_CONTEXT"),
    ({"@context": [CREDENTIALS_V1, {"proof": "https://example.com/#proof"}]}, "BAD_CONTEXT"),
    ({"credentialSubject": {"id": SUBJECT, "alpha": "1"}}, "DATA_LOSS"),
)


@pytest.mark.parametrize(("changes", "code"), OLD_NOT_SIGNED)
def test_not_signed_of_version_1(changes: dict[str, Any], code: str) -> None:
    assert refused(lambda: issued(old(**changes))) == code


BAD_BODIES: Final[tuple[tuple[Any, str], ...]] = (
    (None, "NOT_AN_OBJECT"),
    ([], "NOT_AN_OBJECT"),
    ("x", "NOT_AN_OBJECT"),
    ({}, "NOT_AN_OBJECT"),
    ({"credential": None}, "NOT_AN_OBJECT"),
    ({"credential": "x"}, "NOT_AN_OBJECT"),
    ({"credential": [credential()]}, "NOT_AN_OBJECT"),
    ({"credential": credential(), "options": []}, "NOT_AN_OBJECT"),
    ({"credential": credential(), "options": {"mandatoryPointers": "/issuer"}}, "NOT_TEXT"),
    ({"credential": credential(), "options": {"mandatoryPointers": [4]}}, "NOT_TEXT"),
    ({"credential": credential(), "options": {"mandatoryPointers": ["/nothing"]}}, "BAD_POINTER"),
    ({"credential": credential(), "options": {"mandatoryPointers": ["issuer"]}}, "BAD_POINTER"),
)


@pytest.mark.parametrize(("body", "code"), BAD_BODIES)
def test_bodies_that_ask_for_nothing_that_can_be_signed(body: Any, code: str) -> None:
    for name in ("eddsa-rdfc-2022", "bbs-2023"):
        step = {"issuer": issuer_of(name), "contexts": ALL_CONTEXTS, "at": AT, "rand": rand_from("body")}
        assert refused(lambda step=step: issue(deepcopy(body), **step)) == code  # type: ignore[misc]


@pytest.mark.parametrize("options", [None, {}, {"mandatoryPointers": None}, {"credentialId": "x"}])
def test_options_may_be_left_out(options: Any) -> None:
    body = {"credential": credential(), "options": options}
    step = {"issuer": issuer_of("eddsa-rdfc-2022"), "contexts": ALL_CONTEXTS, "at": AT, "rand": rand_from("body")}
    assert issue(body, **step) == {"verifiableCredential": signed()}  # type: ignore[arg-type]


def test_a_platform_signs_for_itself_only() -> None:
    own = Issuer("eddsa-rdfc-2022", issuer_of("eddsa-rdfc-2022").key)
    step = {"issuer": own, "contexts": ALL_CONTEXTS, "at": AT, "rand": rand_from("own")}
    assert issue({"credential": credential()}, **step)  # type: ignore[arg-type]
    assert refused(lambda: issue({"credential": credential(issuer=URN)}, **step)) == "METHOD_NOT_ISSUERS"  # type: ignore[arg-type]


def test_the_issuer_of_envelopes() -> None:
    secured = signed("EnvelopingProof")
    assert secured.keys() == {"@context", "id", "type"}
    assert (secured["@context"], secured["type"]) == (CREDENTIALS_V2, "EnvelopedVerifiableCredential")
    assert secured["id"].startswith("data:application/vc+jwt,")
    payload = json.loads(decode_base64url(secured["id"].split(",")[1].split(".")[1]))
    assert payload == credential("EnvelopingProof")
    proof = signed()["proof"]
    assert refused(lambda: issued(credential(proof=proof), "EnvelopingProof")) == "UNSUPPORTED"
    assert refused(lambda: issued(old(), "EnvelopingProof")) == "BAD_CONTEXT"


# ---- verifying: what holds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*SUITES, *OTHERS])
def test_what_is_issued_holds(name: str) -> None:
    secured = shown(name, "/credentialSubject/alpha") if name in SELECTIVE else signed(name)
    assert verified(secured) == VERIFIED
    assert verified(secured, checks=["proof", "issuer", "validity", "credentialStatus"]) == VERIFIED


PUBLISHED: Final = (
    "vc-di-eddsa/eddsa-rdfc-2022/signedDataInt.json",
    "vc-di-eddsa/eddsa-rdfc-2022/employ/signedDataInt.json",
    "vc-di-eddsa/eddsa-jcs-2022/signedJCS.json",
    "vc-di-eddsa/Ed25519Signature2020/signedEdSig.json",
    "vc-di-eddsa/proof-set-chain/signedProofSet2.json",
    "vc-di-eddsa/proof-set-chain/signedProofChain2.json",
    "vc-di-ecdsa/ecdsa-rdfc-2019-p256/signedECDSAP256.json",
    "vc-di-ecdsa/ecdsa-rdfc-2019-p256/employ/signedECDSAP256.json",
    "vc-di-ecdsa/ecdsa-rdfc-2019-p384/signedECDSAP384.json",
    "vc-di-ecdsa/ecdsa-jcs-2019-p256/signedJCSECDSAP256.json",
    "vc-di-ecdsa/ecdsa-jcs-2019-p384/signedJCSECDSAP384.json",
    "vc-di-ecdsa/ecdsa-sd-2023/prc/derivedRevealDocument.json",
    "vc-di-bbs/derivedRevealDocument.json",
)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_credentials_hold_though_another_key_than_their_issuers_signed(name: str) -> None:
    path = shared_path("vectors") / name
    document = json.loads(path.read_bytes())
    assert verified(document) == VERIFIED
    assert verified(document, checks=["proof"]) == VERIFIED


def test_whose_key_it_is_and_when_are_asked_by_name() -> None:
    secured = issued(credential(issuer=URN, validUntil="2026-11-30T00:00:00Z"))
    late = AT + timedelta(days=30)
    assert verified(secured, world(late)) == verified(secured, world(late), checks=["proof"]) == VERIFIED
    assert refused(lambda: verified(secured, checks=["issuer"])) == "METHOD_NOT_ISSUERS"
    assert refused(lambda: verified(secured, world(late), checks=["validity"])) == "EXPIRED"
    assert refused(lambda: verified(issued(credential(validFrom="2027-01-01T00:00:00Z")), checks=["validity"])) == (
        "NOT_YET_VALID"
    )
    assert refused(lambda: verified(secured, checks=["nonsense"])) == "UNSUPPORTED"


LIST: Final = "https://example.com/statuses"


def status_list(*, set_: int | None = None, by: str = "eddsa-rdfc-2022", **changes: Any) -> dict[str, Any]:
    key = issuer_of(by).key
    assert not isinstance(key, Bls12381Key)
    bits = new_list() if set_ is None else set_statuses(new_list(), {set_: 1})
    arguments = {"url": LIST, "purposes": ["revocation"], "valid_from": AT, "valid_until": AT + timedelta(days=1)}
    document = status_list_credential(bits, issuer=issuer_of(by).did, **{**arguments, **changes})
    return sign(document, key=key, created=AT, contexts=ALL_CONTEXTS)


@pytest.mark.parametrize(
    ("held", "code"),
    [
        (lambda: status_list(set_=6), None),
        (lambda: status_list(set_=7), "REVOKED"),
        (lambda: None, "STATUS_UNKNOWN"),
        (lambda: status_list(by="eddsa-jcs-2022"), "STATUS_UNKNOWN"),
        (lambda: status_list(url="https://example.com/others"), "STATUS_UNKNOWN"),
        (lambda: status_list(valid_until=AT - timedelta(days=1), valid_from=AT - timedelta(days=2)), "EXPIRED"),
        (lambda: status_list(purposes=["suspension"]), "STATUS_VERIFICATION_ERROR"),
        (lambda: {**status_list(set_=7), "validUntil": "2026-12-31T00:00:00Z"}, "PROOF_INVALID"),
        (signed, "STATUS_UNKNOWN"),
    ],
)
def test_a_status_is_looked_up_where_its_list_is_held(held: Callable[[], Any], code: str | None) -> None:
    entry = StatusEntry(LIST, 7, "revocation").to_json()
    secured, known = issued(credential(credentialStatus=entry)), world(statuses=held())
    assert verified(secured, known) == VERIFIED
    if code is None:
        assert verified(secured, known, checks=["credentialStatus"]) == VERIFIED
    else:
        assert refused(lambda: verified(secured, known, checks=["proof", "credentialStatus"])) == code


def proof_by(key: Ed25519Key, document: Any, **options: Any) -> Any:
    """The document with one more proof, whose options are as given."""
    base = proof_options("eddsa-rdfc-2022", method=key.verification_method, purpose="assertionMethod", created=AT)
    given = {**base, **options}
    suite = EDDSA_JCS_2022 if given["cryptosuite"] == "eddsa-jcs-2022" else EDDSA_RDFC_2022
    return add_proof(document, given, suite=suite, key=key, contexts=ALL_CONTEXTS)


FIRST: Final = "urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544"


@pytest.mark.parametrize("previous", [FIRST, [FIRST]])
def test_sets_and_chains_of_proofs(previous: Any) -> None:
    one = proof_by(HOLDER, credential(), id=FIRST)
    assert verified(proof_by(HOLDER, one)) == VERIFIED
    chain = proof_by(HOLDER, one, previousProof=previous)
    assert verified(chain) == VERIFIED
    broken: Any = deepcopy(chain)
    broken["proof"][0]["proofValue"] = broken["proof"][1]["proofValue"]
    assert refused(lambda: verified(broken)) == "PROOF_INVALID"
    missing = {**chain, "proof": [chain["proof"][1]]}
    assert refused(lambda: verified(missing)) == "PREVIOUS_PROOF_MISSING"


def test_what_a_proof_was_made_for_is_compared() -> None:
    secured = proof_by(HOLDER, credential(), challenge="c", domain=["a.example", "b.example"])
    assert verified(secured) == verified(secured, challenge="c", domain=["b.example", "a.example"]) == VERIFIED
    assert refused(lambda: verified(secured, domain="a.example")) == "DOMAIN_MISMATCH"
    assert refused(lambda: verified(secured, challenge="d")) == "CHALLENGE_MISMATCH"
    assert refused(lambda: verified(signed(), domain="a.example")) == "DOMAIN_MISMATCH"
    assert refused(lambda: verified(signed(), challenge="c")) == "CHALLENGE_MISMATCH"
    assert refused(lambda: verified(signed("EnvelopingProof"), challenge="c")) == "CHALLENGE_MISMATCH"
    assert refused(lambda: verified(secured, challenge=4)) == "NOT_TEXT"
    assert refused(lambda: verified(secured, domain=[4])) == "NOT_TEXT"


def test_a_time_without_offset_is_one_in_utc() -> None:
    secured = proof_by(HOLDER, credential(), created="2026-11-24T09:30:00", expires="2026-12-24T09:30:00")
    assert verified(secured, checks=["validity"]) == VERIFIED
    assert refused(lambda: verified(secured, world(AT + timedelta(days=60)), checks=["validity"])) == "EXPIRED"


# ---- verifying: what does not ----------------------------------------------------------------------------------------

Spoil = Callable[[dict[str, Any]], object]


def put(*path: Any) -> Spoil:
    """A change: the last is the value, what is before it the place."""
    *way, name, value = path

    def spoil(document: dict[str, Any]) -> None:
        target: Any = document
        for step in way:
            target = target[step]
        if value is ABSENT:
            del target[name]
        else:
            target[name] = value

    return spoil


SPOILT: Final[tuple[tuple[Spoil, str], ...]] = (
    *((put("proof", value), code) for value, code in (
        (ABSENT, "PROOF_MISSING"), (None, "PROOF_MISSING"), ([], "PROOF_MISSING"),
        ("x", "NOT_AN_OBJECT"), (10, "NOT_AN_OBJECT"),
    )),
    *((put("proof", name, value), "MISSING")
      for name in ("type", "verificationMethod", "proofPurpose", "proofValue") for value in (ABSENT, None, 4)),
    (put("proof", "proofValue", "A" * 88), "BAD_MULTIBASE"),
    (put("proof", "proofValue", "z5nmMBw2u9TGKd9NxxHJtyZKgjN2Eh"), "BAD_SIGNATURE"),
    (put("proof", "type", "UnknownProof"), "UNSUPPORTED_SUITE"),
    (put("proof", "cryptosuite", "unknown-2024"), "UNSUPPORTED_SUITE"),
    (put("proof", "cryptosuite", ABSENT), "UNSUPPORTED_SUITE"),
    (put("proof", "proofPurpose", "authentication"), "PURPOSE_MISMATCH"),
    (put("proof", "verificationMethod", "https://example.com/key"), "BAD_METHOD"),
    (put("proof", "verificationMethod", "did:example:issuer#key"), "UNSUPPORTED_DID"),
    (put("proof", "created", "yesterday"), "BAD_DATE"),
    (put("proof", "expires", "tomorrow"), "BAD_DATE"),
    (put("proof", "created", ABSENT), "PROOF_INVALID"),
    (put("credentialSubject", "alpha", "2"), "PROOF_INVALID"),
    (put("@context", ABSENT), "BAD_CONTEXT"),
    (put("@context", "string"), "BAD_CONTEXT"),
    (put("@context", [None]), "BAD_CONTEXT"),
    (put("@context", [CREDENTIALS_V2, EXAMPLES, "https://example.com/unknown"]), "UNKNOWN_CONTEXT"),
    (put("type", ABSENT), "NOT_TEXT"),
    (put("type", "string"), "BAD_TYPE"),
    (put("type", [{}]), "NOT_TEXT"),
    (put("issuer", ABSENT), "BAD_ID"),
    (put("issuer", []), "BAD_ID"),
    (put("credentialSubject", ABSENT), "BAD_SUBJECT"),
    (put("credentialSubject", "string"), "BAD_SUBJECT"),
    (put("relatedResource", {"id": CREDENTIALS_V2, "digestSRI": WRONG_SRI}), "RESOURCE_MISMATCH"),
)  # fmt: skip


@pytest.mark.parametrize(("spoil", "code"), SPOILT, ids=[str(number) for number in range(len(SPOILT))])
def test_not_verified(spoil: Spoil, code: str) -> None:
    document = signed()
    spoil(document)
    assert refused(lambda: verified(document)) == code


@pytest.mark.parametrize("name", ["eddsa-rdfc-2022", "eddsa-jcs-2022", "ecdsa-rdfc-2019"])
def test_words_that_mean_nothing_are_no_credential(name: str) -> None:
    plain = {"@context": [CREDENTIALS_V2], "type": ["VerifiableCredential"], "credentialSubject": {"id": SUBJECT}}
    secured = issued(credential(name, **plain), name)
    for spoil in (put("credentialSubject", "undefinedTerm", "x"), put("type", ["VerifiableCredential", "Undefined"])):
        document = deepcopy(secured)
        spoil(document)
        assert refused(lambda document=document: verified(document)) == "DATA_LOSS"  # type: ignore[misc]


def test_a_relative_type_means_nothing_without_a_base() -> None:
    based: dict[str, Any] = {
        "@context": [CREDENTIALS_V2, {"@base": "https://example.com/", "@vocab": "https://example.com/#"}]
    }
    secured = issued(credential(**based, type=["VerifiableCredential", "UnmappedType"]))
    assert verified(secured) == VERIFIED
    assert refused(lambda: verified({**secured, "@context": [CREDENTIALS_V2]})) == "DATA_LOSS"


@pytest.mark.parametrize("name", SELECTIVE)
def test_proof_values_of_selective_suites_that_are_none(name: str) -> None:
    secured = shown(name, "/credentialSubject/alpha")
    data = decode_base64url(secured["proof"]["proofValue"][1:])

    def with_value(raw: bytes) -> dict[str, Any]:
        return {**secured, "proof": {**secured["proof"], "proofValue": "u" + encode_base64url(raw)}}

    assert verified(with_value(data)) == VERIFIED
    assert refused(lambda: verified(signed(name))) == "BASE_PROOF"
    assert refused(lambda: verified(with_value(b"\xd9\x5d\x7f" + data[3:]))) == "PROOF_INVALID"
    tagged = data[:4] + b"\xd8\x40" + data[4:]
    for raw in (tagged, data + b"\0", data[:3] + b"\x61\xff", data[:3]):
        assert refused(lambda raw=raw: verified(with_value(raw))) in ("NOT_CBOR", "PROOF_INVALID")  # type: ignore[misc]


@pytest.mark.parametrize(
    "body", [None, "x", [], {}, {"verifiableCredential": "x"}, {"verifiableCredential": [signed()]}]
)
def test_what_is_no_map_is_no_credential(body: Any) -> None:
    assert refused(lambda: verify_credential(body, world())) == "NOT_AN_OBJECT"
    assert refused(lambda: verify_presentation(body, world())) == "NOT_AN_OBJECT"
    assert refused(lambda: derive(body, contexts=ALL_CONTEXTS, rand=rand_from("x"))) == "NOT_AN_OBJECT"


ENVELOPES: Final[tuple[tuple[Spoil, str], ...]] = (
    (put("@context", []), "BAD_CONTEXT"),
    (put("@context", EXAMPLES), "BAD_CONTEXT"),
    (put("@context", ABSENT), "BAD_CONTEXT"),
    (put("id", "eyJhbGciOiJFUzI1NiJ9.e30.AAAA"), "BAD_ENVELOPE"),
    (put("id", 4), "BAD_ENVELOPE"),
    (put("type", "VerifiableCredential"), "BAD_ID"),
    (put("type", ["EnvelopedVerifiableCredential", "x"]), "BAD_TYPE"),
    (put("type", "EnvelopedVerifiablePresentation"), "BAD_CONTEXT"),
)


@pytest.mark.parametrize(("spoil", "code"), ENVELOPES)
def test_envelopes_that_are_none(spoil: Spoil, code: str) -> None:
    document = signed("EnvelopingProof")
    spoil(document)
    assert refused(lambda: verified(document)) in (code, "BAD_CONTEXT", "NOT_TEXT", "BAD_TYPE")


# ---- presentations ---------------------------------------------------------------------------------------------------


def presentation(*held: Any, purpose: str = AUTHENTICATION, **changes: Any) -> dict[str, Any]:
    document = {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "holder": HOLDER.did,
        **({"verifiableCredential": list(held)} if held else {}),
        **changes,
    }
    document = {name: value for name, value in document.items() if value is not ABSENT}
    return sign(
        document, key=HOLDER, created=AT, contexts=ALL_CONTEXTS, purpose=purpose, challenge="c", domain="d.example"
    )


def presented(document: Any, **options: Any) -> Mapping[str, Json]:
    body = {"verifiablePresentation": document, "options": {"challenge": "c", **options}}
    return verify_presentation(body, world())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"holder": ABSENT},
        {"holder": {"id": HOLDER.did}},
        {"id": URN},
        {"@context": [CREDENTIALS_V2, EXAMPLES, PROOF_CONTEXT]},
        {"@context": [CREDENTIALS_V2, OWN_CONTEXT], "type": ["VerifiablePresentation", "ExampleRefresh"]},
    ],
)
def test_presentations_hold(changes: dict[str, Any]) -> None:
    held = (signed(), signed("EnvelopingProof"), shown("bbs-2023", "/credentialSubject/beta"))
    for document in (presentation(**changes), presentation(*held, **changes)):
        assert presented(document) == presented(document, domain="d.example", checks=["issuer"]) == VERIFIED


UNSIGNED: Final = {key: value for key, value in signed().items() if key != "proof"}
NOT_PRESENTED: Final[tuple[tuple[Callable[[], dict[str, Any]], dict[str, Any], str], ...]] = (
    (presentation, {"challenge": "other"}, "CHALLENGE_MISMATCH"),
    (presentation, {"domain": "other.example"}, "DOMAIN_MISMATCH"),
    (presentation, {"challenge": None}, "MISSING"),
    (presentation, {"challenge": 4}, "NOT_TEXT"),
    (lambda: presentation(purpose="assertionMethod"), {}, "PURPOSE_MISMATCH"),
    (lambda: presentation(holder="did:example:alice"), {}, "HOLDER_MISMATCH"),
    (lambda: {**presentation(), "holder": "z6Mk"}, {}, "BAD_ID"),
    (lambda: {**presentation(), "holder": {"name": "x"}}, {}, "BAD_ID"),
    (lambda: {**presentation(), "holder": URN}, {}, "PROOF_INVALID"),
    (lambda: {**presentation(), "@context": [EXAMPLES, CREDENTIALS_V2]}, {}, "BAD_CONTEXT"),
    (lambda: {**presentation(), "@context": [CREDENTIALS_V1]}, {}, "BAD_CONTEXT"),
    (lambda: {**presentation(), "@context": [CREDENTIALS_V2, "https://example.com"]}, {}, "UNKNOWN_CONTEXT"),
    (lambda: {**presentation(), "@context": [CREDENTIALS_V2, 123192875]}, {}, "BAD_CONTEXT"),
    (lambda: {**presentation(), "type": ["ExamplePresentation"]}, {}, "BAD_TYPE"),
    (lambda: {key: value for key, value in presentation().items() if key != "type"}, {}, "NOT_TEXT"),
    (lambda: {key: value for key, value in presentation().items() if key != "proof"}, {}, "PROOF_MISSING"),
    (lambda: presentation(UNSIGNED), {}, "PROOF_MISSING"),
    (lambda: presentation({**signed(), "name": "added"}), {}, "PROOF_INVALID"),
    (lambda: presentation(signed("bbs-2023")), {}, "BASE_PROOF"),
    (lambda: presentation(issued(credential(issuer=URN))), {"checks": ["issuer"]}, "METHOD_NOT_ISSUERS"),
    (lambda: {**presentation(), "verifiableCredential": ["eyJ.eyJ.AAAA"]}, {}, "NOT_AN_OBJECT"),
)  # fmt: skip


@pytest.mark.parametrize(("make", "options", "code"), NOT_PRESENTED)
def test_not_presented(make: Callable[[], dict[str, Any]], options: dict[str, Any], code: str) -> None:
    assert refused(lambda: presented(make(), **options)) == code


def test_words_that_mean_nothing_are_no_presentation() -> None:
    document: dict[str, Json] = {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "undefinedTerm": "x",
    }
    signed_ = sign(
        document,
        key=HOLDER,
        created=AT,
        contexts=ALL_CONTEXTS,
        purpose=AUTHENTICATION,
        challenge="c",
        suite="eddsa-jcs-2022",
    )
    assert refused(lambda: presented(signed_)) == "DATA_LOSS"


def legacy(**claims: Any) -> dict[str, Any]:
    """A presentation as a JWT of the older data model, with a credential of the same kind inside."""
    signer = issuer_of("EnvelopingProof").key
    assert not isinstance(signer, Bls12381Key)
    held = {key: value for key, value in credential("EnvelopingProof").items() if key != "issuer"}
    header = {"kid": signer.verification_method}
    inner = sign_jws(
        json.dumps({"iss": issuer_of("EnvelopingProof").did, "vc": held}).encode(), key=signer, typ="JWT", header=header
    )
    document = {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "holder": HOLDER.did,
        "verifiableCredential": [
            {"@context": CREDENTIALS_V2, "type": "EnvelopedVerifiableCredential", "id": f"data:application/jwt,{inner}"}
        ],
    }
    payload = {"iss": HOLDER.did, "aud": "d.example", "nonce": "c", "vp": document, **claims}
    token = sign_jws(json.dumps(payload).encode(), key=HOLDER, typ="JWT", header={"kid": HOLDER.verification_method})
    return {
        "@context": CREDENTIALS_V2,
        "type": "EnvelopedVerifiablePresentation",
        "id": f"data:application/jwt,{token}",
    }


def test_presentations_in_envelopes() -> None:
    assert presented(legacy()) == presented(legacy(), domain="d.example") == VERIFIED
    assert refused(lambda: presented(legacy(nonce="other"))) == "CHALLENGE_MISMATCH"
    assert refused(lambda: presented(legacy(), domain="other.example")) == "DOMAIN_MISMATCH"
    for spoil in (
        put("@context", []),
        put("@context", [EXAMPLES]),
        put("id", "eyJ"),
        put("type", ["VerifiablePresentation"]),
    ):
        document = legacy()
        spoil(document)
        assert refused(lambda document=document: presented(document))  # type: ignore[misc]


# ---- deriving --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SELECTIVE)
def test_what_is_derived_shows_what_was_chosen(name: str) -> None:
    document = shown(name, "/credentialSubject/beta")
    assert document["credentialSubject"] == {"id": SUBJECT, "beta": "2"}
    assert document["issuer"] == issuer_of(name).did
    assert "credentialSubject" not in shown(name)


NOT_DERIVED: Final[tuple[tuple[Callable[[], dict[str, Any]], Any, str], ...]] = (
    (lambda: signed("bbs-2023"), ["/credentialSubject/gamma"], "BAD_POINTER"),
    (lambda: signed("bbs-2023"), ["credentialSubject"], "BAD_POINTER"),
    (lambda: signed("bbs-2023"), "/issuer", "NOT_TEXT"),
    (lambda: signed("bbs-2023"), [4], "NOT_TEXT"),
    (lambda: {**signed("bbs-2023"), "name": "added"}, ["/name"], "PROOF_INVALID"),
    (lambda: {**signed("ecdsa-sd-2023"), "name": "added"}, ["/name"], "CLAIM_ADDED"),
    (lambda: shown("bbs-2023", "/credentialSubject/alpha"), ["/credentialSubject/alpha"], "PROOF_INVALID"),
    (lambda: {**signed("bbs-2023"), "issuer": "x"}, [], "BAD_ID"),
    (signed, ["/credentialSubject/alpha"], "UNSUPPORTED_SUITE"),
)


@pytest.mark.parametrize(("make", "pointers", "code"), NOT_DERIVED)
def test_not_derived(make: Callable[[], dict[str, Any]], pointers: Any, code: str) -> None:
    body: dict[str, Json] = {"verifiableCredential": make(), "options": {"selectivePointers": pointers}}
    assert refused(lambda: derive(body, contexts=ALL_CONTEXTS, rand=rand_from("x"))) == code


# ---- did:key ---------------------------------------------------------------------------------------------------------

DID: Final = HOLDER.did
KEY: Final = DID.removeprefix("did:key:")
RESOLUTION_ERRORS: Final[Mapping[str, tuple[str, str | None, str]]] = {
    "another scheme": (DID.replace("did:", "notDid:"), None, "invalidDid"),
    "another method": (f"did:experimental:{KEY}", None, "methodNotSupported"),
    "a version below zero": (f"did:key:-4:{KEY}", None, "invalidDid"),
    "not base58btc": (f"did:key:{KEY[1:]}", None, "invalidDid"),
    "no key": ("did:key:@", None, "invalidDid"),
    "nothing": ("did:key:", None, "invalidDid"),
    "a key too short": ("did:key:zTjsVPtY", None, "invalidPublicKeyLength"),
    "a kind of key that is not known": ("did:key:z" + "1" * 40, None, "unsupportedPublicKeyType"),
    "a format that is not known": (DID, "unknown", "unsupportedPublicKeyType"),
    "too long": (f"did:key:z{'1' * 2000}", None, "invalidDid"),
}


@pytest.mark.parametrize(("url", "key_format", "error"), RESOLUTION_ERRORS.values(), ids=RESOLUTION_ERRORS.keys())
def test_did_keys_that_are_none(url: str, key_format: str | None, error: str) -> None:
    answer = resolve_did_key(url, key_format=key_format)
    assert not answer.found
    assert answer.document["didResolutionMetadata"] == {"error": error}
    assert answer.document["didDocument"] is not None
    assert {"@context", "didDocumentMetadata"} < answer.document.keys()


@pytest.mark.parametrize(
    ("url", "key_format", "error"),
    [
        (f"{DID}/^bar^/?query=`#{KEY}", None, "invalidDidUrl"),
        (f"{DID}#{KEY}", "Ed25519VerificationKey2018", "invalidPublicKeyType"),
        (f"{DID}#{KEY}", "X25519KeyAgreementKey2020", "invalidPublicKeyType"),
        (f"{DID}#other", None, "notFound"),
    ],
)
def test_did_urls_that_are_none(url: str, key_format: str | None, error: str) -> None:
    answer = resolve_did_key(url, key_format=key_format)
    assert (answer.found, answer.document["didDereferencingMetadata"]) == (False, {"error": error})


@pytest.mark.parametrize("name", ["eddsa-rdfc-2022", "ecdsa-rdfc-2019", "ecdsa-rdfc-2019-p384", "bbs-2023"])
def test_a_did_key_is_its_document(name: str) -> None:
    did = issuer_of(name).did
    whole: Any = resolve_did_key(did).document["didDocument"]
    method: Any = resolve_did_key(f"{did}#{did.removeprefix('did:key:')}").document["didDocument"]
    assert whole["id"] == did
    assert whole["verificationMethod"] == [method]
    assert whole["assertionMethod"] == [method["id"]]
    assert (method["controller"], method["publicKeyMultibase"]) == (did, did.removeprefix("did:key:"))


def test_a_did_key_as_jwk() -> None:
    method: Any = resolve_did_key(f"{DID}#{KEY}", key_format="JsonWebKey2020").document["didDocument"]
    assert method["publicKeyJwk"]["crv"] == "Ed25519"
    assert resolve_did_key(f"did:key:1:{KEY}").found


# ---- nothing else leaves ---------------------------------------------------------------------------------------------

JSON: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
PLACES: Final = st.sampled_from(
    ["@context", "type", "issuer", "credentialSubject", "proof", "id", "name", "relatedResource"]
)


@settings(deadline=None, max_examples=60)
@given(PLACES, JSON, st.sampled_from(["options", "x"]), JSON)
def test_only_our_errors_leave(place: str, value: Any, other: str, options: Any) -> None:
    for body in (
        {"credential": {**credential(), place: value}, other: options},
        {"verifiableCredential": {**signed(), place: value}, other: options},
        {"verifiablePresentation": {**presentation(), place: value}, "options": {"challenge": "c"}},
        {"verifiableCredential": {**signed("EnvelopingProof"), place: value}, other: options},
    ):
        for step in (
            lambda body: issue(
                body, issuer=issuer_of("eddsa-rdfc-2022"), contexts=ALL_CONTEXTS, at=AT, rand=rand_from("x")
            ),
            lambda body: verify_credential(body, world()),
            lambda body: verify_presentation(body, world()),
            lambda body: derive(body, contexts=ALL_CONTEXTS, rand=rand_from("x")),
        ):
            try:
                step(body)  # type: ignore[no-untyped-call]
            except VcError:
                continue


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=80) | st.text("did:key:z6Mk#?/1", max_size=40), st.none() | st.text(max_size=20))
def test_any_url_has_an_answer(url: str, key_format: str | None) -> None:
    assert resolve_did_key(url, key_format=key_format).document["didDocument"] is not None
