"""bbs-2023 baseline: every published intermediate step, and what must never verify."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.shared import shared_path
from tests.vectors import contexts, read, text
from vc.bbs_core import API_ID, expand_message
from vc.did import resolve_method
from vc.errors import Malformed, Rejected, VcError
from vc.jsonld import to_rdf
from vc.keys import Bls12381Key
from vc.model import Proof, parse_proof
from vc.rdf import canonicalize
from vc.suites import bbs_2023
from vc.suites.bbs_2023 import BaseProofValue, DerivedProofValue, HeldBase
from vc.suites.selective import (
    canonicalize_and_group,
    create_shuffled_id_label_map_function,
    label_replacement_canonicalize,
    parse_pointers,
    select_json_ld,
)

BBS = shared_path("vectors/vc-di-bbs")
KEYS = read(BBS, "BBSKeyMaterial.json")
MATERIAL = read(BBS, "BBSDeriveMaterial.json")
DOCUMENT = read(BBS, "windDoc.json")
MANDATORY = read(BBS, "windMandatory.json")
SELECTIVE = read(BBS, "windSelective.json")
HMAC_KEY = bytes.fromhex(KEYS["hmacKeyString"])
HEADER = bytes.fromhex(MATERIAL["presentationHeaderHex"])
OPTIONS = {name: value for name, value in read(BBS, "addProofConfig.json").items() if name != "@context"}


def as_map(value: dict[str, Any]) -> dict[Any, Any]:
    """A JavaScript Map as the vectors write it."""
    return dict(map(tuple, value["value"]))


def counting_rand() -> Callable[[int], bytes]:
    """Different bytes at every call, the same in every run."""
    calls = 0

    def rand(length: int) -> bytes:
        nonlocal calls
        calls += 1
        return expand_message(calls.to_bytes(4, "big"), b"ouvrage test rand", length)

    return rand


def held() -> HeldBase:
    signed = read(BBS, "addSignedSDBase.json")
    proof = parse_proof(signed["proof"])
    document = {name: value for name, value in signed.items() if name != "proof"}
    return bbs_2023.hold(document, proof, method=resolve_method(proof.verification_method), contexts=contexts())


def derived() -> tuple[dict[str, Any], Proof]:
    revealed = read(BBS, "derivedRevealDocument.json")
    return {name: value for name, value in revealed.items() if name != "proof"}, parse_proof(revealed["proof"])


def verify(document: dict[str, Any], proof: Proof) -> None:
    method = resolve_method(proof.verification_method)
    bbs_2023.verify_derived_proof(document, proof, method=method, contexts=contexts())


def test_canonical_document() -> None:
    located = to_rdf(DOCUMENT, contexts())
    assert list(canonicalize(located.quads).quads) == read(BBS, "addBaseDocCanon.json")


def test_shuffled_labels() -> None:
    located = to_rdf(DOCUMENT, contexts())
    _, lines = label_replacement_canonicalize(located.quads, create_shuffled_id_label_map_function(HMAC_KEY))
    assert sorted(lines) == read(BBS, "addBaseDocHMACCanon.json")


def test_base_proof_transformation() -> None:
    expected = read(BBS, "addBaseTransform.json")
    paths = parse_pointers(expected["mandatoryPointers"], DOCUMENT, where="")
    made = bbs_2023.base_proof_transformation(to_rdf(DOCUMENT, contexts()), paths, HMAC_KEY)
    assert dict(made.mandatory) == as_map(expected["mandatory"])
    assert dict(made.non_mandatory) == as_map(expected["nonMandatory"])
    assert expected["hmacKeyString"] == KEYS["hmacKeyString"]


def test_base_proof_configuration() -> None:
    made = bbs_2023.base_proof_configuration(OPTIONS, DOCUMENT, contexts())
    assert made.decode() == text(BBS, "addProofConfigCanon.txt")


def test_base_proof_hashing() -> None:
    paths = parse_pointers(MANDATORY, DOCUMENT, where="")
    transformed = bbs_2023.base_proof_transformation(to_rdf(DOCUMENT, contexts()), paths, HMAC_KEY)
    hashes = bbs_2023.base_proof_hashing(transformed, text(BBS, "addProofConfigCanon.txt").encode())
    expected = read(BBS, "addHashData.json")
    assert [value.hex() for value in hashes] == [expected["proofHash"], expected["mandatoryHash"]]


def test_base_proof_serialization() -> None:
    signed = read(BBS, "addSignedSDBase.json")
    value = bbs_2023.parse_base_proof_value(signed["proof"]["proofValue"])
    raw = read(BBS, "addRawBaseSignatureInfo.json")
    hashes = read(BBS, "addHashData.json")
    assert value == BaseProofValue(
        bbs_signature=bytes.fromhex(raw["bbsSignature"]),
        bbs_header=bytes.fromhex(hashes["proofHash"] + hashes["mandatoryHash"]),
        public_key=bytes.fromhex(KEYS["publicKeyHex"]),
        hmac_key=HMAC_KEY,
        mandatory_pointers=tuple(raw["mandatoryPointers"]),
    )
    assert bbs_2023.serialize_base_proof_value(value) == signed["proof"]["proofValue"]


def test_create_base_proof() -> None:
    key = Bls12381Key.from_secret(bytes.fromhex(KEYS["privateKeyHex"]))
    assert key.public.raw.hex() == KEYS["publicKeyHex"]
    proof = bbs_2023.create_base_proof(
        DOCUMENT, OPTIONS, key=key, mandatory_pointers=MANDATORY, contexts=contexts(), rand=lambda _length: HMAC_KEY
    )
    assert proof == read(BBS, "addSignedSDBase.json")["proof"]


def test_recovered_base_data() -> None:
    expected = read(BBS, "derivedRecoveredBaseData.json")
    base = held().base
    assert base.bbs_signature.hex() == expected["bbsSignature"]
    assert base.hmac_key.hex() == expected["hmacKey"].lower()
    assert list(base.mandatory_pointers) == expected["mandatoryPointers"]


def test_pointer_values() -> None:
    subject = DOCUMENT["credentialSubject"]
    for entry in read(BBS, "addPointerValues.json"):
        (path,) = parse_pointers([entry["pointer"]], subject, where="")
        value = subject
        for part in path:
            value = value[part]
        assert value == entry["value"]


def test_group_indexes() -> None:
    located = to_rdf(DOCUMENT, contexts())
    mandatory, selective = (parse_pointers(pointers, DOCUMENT, where="") for pointers in (MANDATORY, SELECTIVE))
    groups = canonicalize_and_group(
        located,
        create_shuffled_id_label_map_function(HMAC_KEY),
        {"mandatory": mandatory, "selective": selective, "combined": (*mandatory, *selective)},
    ).groups
    expected = read(BBS, "derivedGroupIndexes.json")
    assert list(groups["combined"].matching) == expected["combinedIndexes"]
    assert list(groups["mandatory"].matching) == expected["mandatoryIndexes"]
    assert list(groups["mandatory"].non_matching) == expected["nonMandatoryIndexes"]
    assert list(groups["selective"].matching) == expected["selectiveIndexes"]


def test_adjusted_indexes_labels_and_reveal_document() -> None:
    data = bbs_2023.create_disclosure_data(held(), SELECTIVE, presentation_header=HEADER, rand=counting_rand())
    expected = read(BBS, "derivedAdjIndexes.json")
    assert list(data.mandatory_indexes) == expected["adjMandatoryIndexes"]
    assert list(data.selective_indexes) == expected["adjSelectiveIndexes"]
    assert data.reveal_document == read(BBS, "derivedUnsignedReveal.json")
    labels = as_map(read(BBS, "derivedDisclosureData.json")["labelMap"])
    assert data.label_map == {f"_:{canonical}": f"_:{label}" for canonical, label in labels.items()}


def mocked_rand(count: int) -> Callable[[int], bytes]:
    """bbs#mocked-random-scalars from the published seed; the vectors take the bare api_id as its domain separation."""
    stream = expand_message(bytes.fromhex(MATERIAL["pseudoRandSeedHex"]), API_ID, 48 * count)
    chunks = iter([stream[start : start + 48] for start in range(0, len(stream), 48)])
    return lambda _length: next(chunks)


def test_derived_proof_is_made_byte_for_byte() -> None:
    expected = read(BBS, "derivedDisclosureData.json")
    signed = len(held().held.messages)
    rand = mocked_rand(5 + signed - len(expected["adjSelectiveIndexes"]))
    made = bbs_2023.add_derived_proof(held(), SELECTIVE, presentation_header=HEADER, rand=rand)
    assert made == read(BBS, "derivedRevealDocument.json")


def test_derived_proof_serialization() -> None:
    expected = read(BBS, "derivedDisclosureData.json")
    value = DerivedProofValue(
        bbs_proof=bytes.fromhex(expected["bbsProof"]),
        label_map={f"_:{canonical}": f"_:{label}" for canonical, label in as_map(expected["labelMap"]).items()},
        mandatory_indexes=tuple(expected["mandatoryIndexes"]),
        selective_indexes=tuple(expected["adjSelectiveIndexes"]),
        presentation_header=HEADER,
    )
    published = read(BBS, "derivedRevealDocument.json")["proof"]["proofValue"]
    assert bbs_2023.serialize_derived_proof_value(value) == published
    assert bbs_2023.parse_derived_proof_value(published) == value


def test_the_published_derived_proof_holds() -> None:
    verify(*derived())


def test_own_derivation_holds_and_shows_the_published_document() -> None:
    made = bbs_2023.add_derived_proof(held(), SELECTIVE, presentation_header=HEADER, rand=counting_rand())
    document, _ = derived()
    assert {name: value for name, value in made.items() if name != "proof"} == document
    verify(document, parse_proof(made["proof"]))


def test_two_derivations_share_no_long_value() -> None:
    rand = counting_rand()
    first, second = (
        bbs_2023.create_disclosure_data(held(), SELECTIVE, presentation_header=HEADER, rand=rand).bbs_proof
        for _ in range(2)
    )
    chunks = {first[start : start + 32] for start in range(len(first) - 31)}
    assert not any(second[start : start + 32] in chunks for start in range(len(second) - 31))


CHANGES: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("selected claim changed", lambda d: d["credentialSubject"]["boards"][0].update(year=2021)),
    ("mandatory claim changed", lambda d: d["credentialSubject"].update(sailNumber="Earth102")),
    ("claim added", lambda d: d["credentialSubject"].update(extra="x")),
    ("claim dropped", lambda d: d["credentialSubject"]["boards"].pop()),
    ("mandatory claim dropped", lambda d: d["credentialSubject"].pop("sailNumber")),
    ("issuer changed", lambda d: d.update(issuer="https://vc.example/another")),
    (
        "boards swapped values",
        lambda d: d["credentialSubject"]["boards"][0].update(
            boardName=d["credentialSubject"]["boards"][1]["boardName"]
        ),
    ),
]


@pytest.mark.parametrize(("name", "change"), CHANGES, ids=[name for name, _ in CHANGES])
def test_a_changed_document_never_verifies(name: str, change: Callable[[dict[str, Any]], Any]) -> None:
    document, proof = derived()
    change(document)
    with pytest.raises(VcError):
        verify(document, proof)


def test_changed_proof_options_never_verify() -> None:
    document, proof = derived()
    for name, value in (("created", "2023-08-15T23:36:39Z"), ("proofPurpose", "authentication")):
        changed = parse_proof({**proof.options, name: value, "proofValue": proof.value})
        with pytest.raises(Rejected):
            verify(document, changed)


def test_changed_components_never_verify() -> None:
    document, proof = derived()
    value = bbs_2023.parse_derived_proof_value(proof.value)
    labels = dict(value.label_map)
    first, second = list(labels)[:2]
    labels[first], labels[second] = labels[second], labels[first]
    flipped = bytes([value.bbs_proof[-1] ^ 1])
    changes: list[dict[str, Any]] = [
        {"presentation_header": b"other"},
        {"label_map": labels},
        {"mandatory_indexes": value.mandatory_indexes[1:]},
        {"selective_indexes": (*value.selective_indexes[:-1], value.selective_indexes[-1] + 1)},
        {"bbs_proof": value.bbs_proof[:-1] + flipped},
    ]
    for change in changes:
        parts = {field: getattr(value, field) for field in DerivedProofValue.__slots__} | change
        made = bbs_2023.serialize_derived_proof_value(DerivedProofValue(**parts))
        with pytest.raises(VcError):
            verify(document, parse_proof({**proof.options, "proofValue": made}))


def test_a_base_proof_is_refused_by_name() -> None:
    signed = read(BBS, "addSignedSDBase.json")
    document = {name: value for name, value in signed.items() if name != "proof"}
    with pytest.raises(Rejected) as caught:
        verify(document, parse_proof(signed["proof"]))
    assert caught.value.code == "BASE_PROOF"


@pytest.mark.parametrize("value", ["u", "z", "u2V0C", "u2V0E", "u2V0D", "u2V0DgA", "u2V0DhUBAQEBA", "plain", "u2V0D!!"])
def test_a_value_that_is_no_proof_is_malformed(value: str) -> None:
    document, proof = derived()
    with pytest.raises(VcError):
        verify(document, parse_proof({**proof.options, "proofValue": value}))


def test_a_holder_refuses_a_base_proof_of_another_key() -> None:
    signed = read(BBS, "addSignedSDBase.json")
    proof = parse_proof(signed["proof"])
    document = {name: value for name, value in signed.items() if name != "proof"}
    other = Bls12381Key.from_secret((7).to_bytes(32, "big"))
    with pytest.raises(Rejected):
        bbs_2023.hold(document, proof, method=resolve_method(other.verification_method), contexts=contexts())
    with pytest.raises(Rejected):
        bbs_2023.hold(
            {**document, "issuer": "https://vc.example/x"},
            proof,
            method=resolve_method(proof.verification_method),
            contexts=contexts(),
        )


@pytest.mark.parametrize(
    "pointer",
    [
        "/nothing",
        "/credentialSubject/sails/9",
        "/credentialSubject/sails/-1",
        "/credentialSubject/sails/01",
        "credentialSubject",
        "/@context/0",
        "/a~",
    ],
)
def test_pointers_that_name_nothing_are_refused(pointer: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_pointers([pointer], DOCUMENT, where="/selectivePointers")
    assert caught.value.code == "BAD_POINTER"


def test_selection_of_nothing_and_of_everything() -> None:
    assert select_json_ld((), DOCUMENT) is None
    assert select_json_ld(((),), DOCUMENT) == DOCUMENT


def test_the_permanent_resident_card_round_trip() -> None:
    document = read(BBS, "prCredUnsigned.json")
    key = Bls12381Key.from_secret(bytes.fromhex(KEYS["privateKeyHex"]))
    proof = bbs_2023.create_base_proof(
        document,
        OPTIONS,
        key=key,
        mandatory_pointers=read(BBS, "prCredMandatory.json"),
        contexts=contexts(),
        rand=lambda _length: HMAC_KEY,
    )
    base = bbs_2023.hold(
        document, parse_proof(proof), method=resolve_method(key.verification_method), contexts=contexts()
    )
    made = bbs_2023.add_derived_proof(
        base, read(BBS, "prCredSelective.json"), presentation_header=b"", rand=counting_rand()
    )
    shown = {name: value for name, value in made.items() if name != "proof"}
    subject = shown["credentialSubject"]
    assert isinstance(subject, dict)
    assert set(subject) == {"type", "birthCountry"} | ({"id"} & set(document["credentialSubject"]))
    verify(shown, parse_proof(made["proof"]))
