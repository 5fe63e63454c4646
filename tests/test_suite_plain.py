"""eddsa-rdfc-2022, eddsa-jcs-2022, Ed25519Signature2020, proof sets and chains: every published intermediate step."""

from hashlib import sha256
from typing import Any

import pytest

from tests.shared import shared_path
from tests.vectors import contexts, read, text
from vc.canon import to_json
from vc.did import resolve_method
from vc.errors import Malformed, Rejected
from vc.keys import Ed25519Key
from vc.model import parse_proof, parse_proofs
from vc.multibase import decode_base58btc
from vc.proof import add_proof, verify_all
from vc.suites.plain import (
    ED25519_SIGNATURE_2020,
    EDDSA_JCS_2022,
    EDDSA_RDFC_2022,
    PlainSuite,
    canonical_configuration,
    hash_data,
    serialize_proof,
    transform_jcs,
    transform_rdfc,
)

EDDSA = shared_path("vectors/vc-di-eddsa")

CASES = [
    pytest.param(EDDSA_RDFC_2022, "eddsa-rdfc-2022", "DataInt", "unsigned.json", id="rdfc"),
    pytest.param(EDDSA_RDFC_2022, "eddsa-rdfc-2022/employ", "DataInt", "employmentAuth.json", id="rdfc-employ"),
    pytest.param(EDDSA_JCS_2022, "eddsa-jcs-2022", "JCS", "unsigned.json", id="jcs"),
    pytest.param(ED25519_SIGNATURE_2020, "Ed25519Signature2020", "EdSig", "unsigned.json", id="2020"),
]


def key_pair(entry: Any) -> Ed25519Key:
    """The key pair of a vector: a private key is two multicodec bytes and a seed."""
    return Ed25519Key.from_seed(decode_base58btc(entry["privateKeyMultibase"])[2:])


def without_proof(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "proof"}


@pytest.mark.parametrize(("suite", "folder", "suffix", "unsigned"), CASES)
def test_every_step_of_adding_a_proof(suite: PlainSuite, folder: str, suffix: str, unsigned: str) -> None:
    steps = EDDSA / folder
    document = without_proof(read(steps, f"signed{suffix}.json"))
    config = read(steps, f"proofConfig{suffix}.json")
    transformed = suite.form.transform(document, contexts(), "sha256")
    assert transformed.decode() == text(steps, f"canonDoc{suffix}.txt")
    assert sha256(transformed).hexdigest() == text(steps, f"docHash{suffix}.txt")
    canonical = (
        transform_jcs(config, contexts())
        if suite is EDDSA_JCS_2022
        else canonical_configuration(to_json(config), contexts())
    )
    assert canonical.decode() == text(steps, f"proofCanon{suffix}.txt")
    assert sha256(canonical).hexdigest() == text(steps, f"proofHash{suffix}.txt")
    hashed = hash_data(transformed, canonical)
    assert hashed.hex() == text(steps, f"combinedHash{suffix}.txt")
    key = key_pair(read(EDDSA, "keyPair.json"))
    assert key.sign(hashed).hex() == text(steps, f"sigHex{suffix}.txt")
    assert serialize_proof(hashed, key) == text(steps, f"sigBTC58{suffix}.txt")


@pytest.mark.parametrize(("suite", "folder", "suffix", "unsigned"), CASES)
def test_the_signed_document_is_reproduced(suite: PlainSuite, folder: str, suffix: str, unsigned: str) -> None:
    signed = read(EDDSA / folder, f"signed{suffix}.json")
    document = without_proof(signed)
    expected = read(EDDSA, unsigned)
    assert {**document, "@context": 0} == {**expected, "@context": 0}
    options = {name: value for name, value in signed["proof"].items() if name not in ("proofValue", "@context")}
    key = key_pair(read(EDDSA, "keyPair.json"))
    made = suite.add_proof(document, options, key=key, contexts=contexts())
    assert made == signed["proof"]


@pytest.mark.parametrize(("suite", "folder", "suffix", "unsigned"), CASES)
def test_the_published_proof_holds_and_a_changed_document_does_not(
    suite: PlainSuite, folder: str, suffix: str, unsigned: str
) -> None:
    signed = read(EDDSA / folder, f"signed{suffix}.json")
    document, proof = without_proof(signed), parse_proof(signed["proof"])
    method = resolve_method(proof.verification_method)
    suite.verify(document, proof, method=method, contexts=contexts())
    with pytest.raises(Rejected):
        suite.verify({**document, "name": "another name"}, proof, method=method, contexts=contexts())
    for name, value in (("proofPurpose", "authentication"), ("created", "2024-02-24T23:36:38Z")):
        changed = parse_proof({**signed["proof"], name: value})
        with pytest.raises(Rejected):
            suite.verify(document, changed, method=method, contexts=contexts())


def test_rdfc_ignores_the_order_of_members() -> None:
    document = without_proof(read(EDDSA / "eddsa-rdfc-2022", "signedDataInt.json"))
    turned = dict(reversed(document.items()))
    assert transform_rdfc(turned, contexts()) == transform_rdfc(document, contexts())


def test_jcs_document_has_to_start_with_the_contexts_of_its_proof() -> None:
    signed = read(EDDSA / "eddsa-jcs-2022", "signedJCS.json")
    document = {**without_proof(signed), "@context": list(reversed(signed["@context"]))}
    proof = parse_proof(signed["proof"])
    with pytest.raises(Malformed) as caught:
        EDDSA_JCS_2022.verify(document, proof, method=resolve_method(proof.verification_method), contexts=contexts())
    assert caught.value.code == "BAD_CONTEXT"


CHAIN = EDDSA / "proof-set-chain"
STEPS = [
    ("unsigned", "proofSetConfig1", "signedProofSet1", "keyPair1"),
    ("signedProofSet1", "proofSetConfig2", "signedProofSet2", "keyPair2"),
    ("signedProofSet2", "proofChainConfig1", "signedProofChain1", "keyPair3"),
    ("signedProofChain1", "proofChainConfig2", "signedProofChain2", "keyPair4"),
]


@pytest.mark.parametrize(("before", "config", "after", "key"), STEPS, ids=[step[2] for step in STEPS])
def test_proof_sets_and_chains_grow_as_published(before: str, config: str, after: str, key: str) -> None:
    keys = read(CHAIN, "multiKeyPairs.json")
    grown = add_proof(
        read(CHAIN, f"{before}.json"),
        read(CHAIN, f"{config}.json"),
        suite=EDDSA_RDFC_2022,
        key=key_pair(keys[key]),
        contexts=contexts(),
    )
    expected = read(CHAIN, f"{after}.json")
    proofs: list[Any] = grown["proof"] if isinstance(grown["proof"], list) else [grown["proof"]]
    assert proofs == (expected["proof"] if isinstance(expected["proof"], list) else [expected["proof"]])
    assert without_proof(grown) == without_proof(expected)
    signed_config = config.replace("Config", "ConfigSigned") + ".json"
    assert proofs[-1] == read(CHAIN, signed_config)


@pytest.mark.parametrize("name", [step[2] for step in STEPS])
def test_published_sets_and_chains_hold(name: str) -> None:
    document = read(CHAIN, f"{name}.json")
    proofs = parse_proofs(document)
    methods = verify_all(without_proof(document), proofs, purpose="assertionMethod", contexts=contexts())
    assert len(methods) == len(proofs)


def test_a_chain_without_its_first_proof_does_not_hold() -> None:
    document = read(CHAIN, "signedProofChain1.json")
    proofs = parse_proofs(document)[1:]
    with pytest.raises(Rejected) as caught:
        verify_all(without_proof(document), proofs, purpose="assertionMethod", contexts=contexts())
    assert caught.value.code == "PREVIOUS_PROOF_MISSING"


def test_a_chain_whose_first_proof_was_exchanged_does_not_hold() -> None:
    document = read(CHAIN, "signedProofChain1.json")
    broken = [dict(proof) for proof in document["proof"]]
    broken[0]["created"] = "2023-02-24T23:36:39Z"
    proofs = parse_proofs({"proof": list[Any](broken)})
    with pytest.raises(Rejected) as caught:
        verify_all(without_proof(document), proofs[-1:] + proofs[:-1], purpose="assertionMethod", contexts=contexts())
    assert caught.value.code == "PROOF_INVALID"


def test_a_previous_proof_that_is_not_there_cannot_be_built_on() -> None:
    key = key_pair(read(CHAIN, "multiKeyPairs.json")["keyPair1"])
    with pytest.raises(Malformed):
        add_proof(
            read(CHAIN, "unsigned.json"),
            read(CHAIN, "proofChainConfig1.json"),
            suite=EDDSA_RDFC_2022,
            key=key,
            contexts=contexts(),
        )


def test_no_proof_proves_nothing() -> None:
    with pytest.raises(Malformed) as caught:
        verify_all({}, (), purpose="assertionMethod", contexts=contexts())
    assert caught.value.code == "PROOF_MISSING"


def test_a_proof_for_another_purpose_is_refused() -> None:
    signed = read(EDDSA / "eddsa-rdfc-2022", "signedDataInt.json")
    with pytest.raises(Rejected) as caught:
        verify_all(without_proof(signed), parse_proofs(signed), purpose="authentication", contexts=contexts())
    assert caught.value.code == "PURPOSE_MISMATCH"
