"""ecdsa-rdfc-2019 and ecdsa-jcs-2019, on P-256 and P-384: every published step, and what must never verify."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shared import shared_path
from tests.vectors import contexts, read, text
from vc.canon import parse_object, to_json
from vc.did import resolve_method
from vc.errors import Malformed, Rejected, Unsupported, VcError
from vc.keys import EcdsaKey, Ed25519Key, P256Key, P384Key, Signer, verify_ecdsa
from vc.model import parse_proof
from vc.multibase import decode_base58btc, encode_base58btc
from vc.proof import verify_all
from vc.secure import sign, verify_proofs
from vc.suites.plain import (
    ECDSA_JCS_2019,
    ECDSA_RDFC_2019,
    EDDSA_RDFC_2022,
    PlainSuite,
    hash_data,
    serialize_proof,
)

ECDSA: Final = shared_path("vectors/vc-di-ecdsa")
AT: Final = datetime(2026, 11, 24, tzinfo=UTC)


def key_pair(name: str) -> EcdsaKey:
    """The key pair of a vector: a private key is two multicodec bytes and a scalar."""
    entry = read(ECDSA, name)
    kind = P256Key if name == "p256KeyPair.json" else P384Key
    key = kind.from_secret(decode_base58btc(entry["secretKeyMultibase"])[2:])
    assert key.public.multikey == entry["publicKeyMultibase"]
    return key


P256_PAIR: Final = key_pair("p256KeyPair.json")
P384_PAIR: Final = key_pair("p384KeyPair.json")


def cases() -> list[Any]:
    """Every folder of steps, whatever documents are published for it."""
    found = []
    for suite, folder, suffix, key in (
        (ECDSA_RDFC_2019, "ecdsa-rdfc-2019-p256", "ECDSAP256", P256_PAIR),
        (ECDSA_RDFC_2019, "ecdsa-rdfc-2019-p384", "ECDSAP384", P384_PAIR),
        (ECDSA_JCS_2019, "ecdsa-jcs-2019-p256", "JCSECDSAP256", P256_PAIR),
        (ECDSA_JCS_2019, "ecdsa-jcs-2019-p384", "JCSECDSAP384", P384_PAIR),
    ):
        for steps in (ECDSA / folder, *sorted(path for path in (ECDSA / folder).iterdir() if path.is_dir())):
            found.append(pytest.param(suite, steps, suffix, key, id=str(steps.relative_to(ECDSA))))
    return found


CASES: Final = cases()


def without_proof(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "proof"}


@pytest.mark.parametrize(("suite", "steps", "suffix", "key"), CASES)
def test_every_step_of_adding_a_proof(suite: PlainSuite, steps: Path, suffix: str, key: EcdsaKey) -> None:
    document = without_proof(read(steps, f"signed{suffix}.json"))
    algorithm = suite.hashes[key.public.kind]
    transformed = suite.form.transform(document, contexts(), algorithm)
    assert transformed.decode() == text(steps, f"canonDoc{suffix}.txt")
    assert hashlib.new(algorithm, transformed).hexdigest() == text(steps, f"docHash{suffix}.txt")
    config = suite.form.configure(read(steps, f"proofConfig{suffix}.json"), document, contexts(), algorithm)
    assert config.decode() == text(steps, f"proofCanon{suffix}.txt")
    assert hashlib.new(algorithm, config).hexdigest() == text(steps, f"proofHash{suffix}.txt")
    hashed = hash_data(transformed, config, algorithm)
    assert hashed.hex() == text(steps, f"combinedHash{suffix}.txt")
    assert key.sign(hashed).hex() == text(steps, f"sigHex{suffix}.txt")
    assert serialize_proof(hashed, key) == text(steps, f"sigBTC58{suffix}.txt")


@pytest.mark.parametrize(("suite", "steps", "suffix", "key"), CASES)
def test_the_signed_document_is_reproduced(suite: PlainSuite, steps: Path, suffix: str, key: EcdsaKey) -> None:
    signed = read(steps, f"signed{suffix}.json")
    published = [read(ECDSA, "unsigned.json"), read(ECDSA, "employmentAuth.json")]
    assert without_proof(signed) in published
    options = {name: value for name, value in signed["proof"].items() if name not in ("proofValue", "@context")}
    made = suite.add_proof(without_proof(signed), options, key=key, contexts=contexts())
    assert made == signed["proof"]


@pytest.mark.parametrize(("suite", "steps", "suffix", "key"), CASES)
def test_the_published_proof_holds(suite: PlainSuite, steps: Path, suffix: str, key: EcdsaKey) -> None:
    signed = read(steps, f"signed{suffix}.json")
    (method,) = verify_proofs(signed, contexts=contexts())
    assert method.public == key.public


OTHER_METHOD: Final[str] = P256Key.from_secret(bytes(31) + b"\x07").verification_method


def drop(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda signed: signed.pop(name)


CHANGES: Final[list[tuple[str, Callable[[dict[str, Any]], Any], str]]] = [
    ("claim changed", lambda d: d.update(name="another name"), "PROOF_INVALID"),
    ("claim added", lambda d: d.update(validUntil="2030-01-01T00:00:00Z"), "PROOF_INVALID"),
    ("claim dropped", drop("description"), "PROOF_INVALID"),
    ("issuer changed", lambda d: d.update(issuer="https://vc.example/issuers/5679"), "PROOF_INVALID"),
    ("purpose changed", lambda d: d["proof"].update(proofPurpose="authentication"), "PURPOSE_MISMATCH"),
    ("date changed", lambda d: d["proof"].update(created="2024-02-24T23:36:38Z"), "PROOF_INVALID"),
    ("date dropped", lambda d: d["proof"].pop("created"), "PROOF_INVALID"),
    ("option added", lambda d: d["proof"].update(domain="verifier.example"), "PROOF_INVALID"),
    ("suite changed", lambda d: d["proof"].update(cryptosuite="eddsa-rdfc-2022"), "KEY_MISMATCH"),
    ("suite for selections", lambda d: d["proof"].update(cryptosuite="ecdsa-sd-2023"), "PROOF_INVALID"),
    ("suite that nobody knows", lambda d: d["proof"].update(cryptosuite="ecdsa-rdfc-2020"), "UNSUPPORTED_SUITE"),
    ("value of another multibase", lambda d: d["proof"].update(proofValue="u" + "A" * 86), "BAD_MULTIBASE"),
    ("value cut off", lambda d: d["proof"].update(proofValue=d["proof"]["proofValue"][:-2]), "BAD_SIGNATURE"),
    ("key of another", lambda d: d["proof"].update(verificationMethod=OTHER_METHOD), "PROOF_INVALID"),
]


@pytest.mark.parametrize(("name", "change", "code"), CHANGES, ids=[change[0] for change in CHANGES])
@pytest.mark.parametrize("suite", ["rdfc", "jcs"])
def test_a_changed_document_never_verifies(
    suite: str, name: str, change: Callable[[dict[str, Any]], Any], code: str
) -> None:
    suffix = {"rdfc": "ECDSAP256", "jcs": "JCSECDSAP256"}[suite]
    signed = read(ECDSA / f"ecdsa-{suite}-2019-p256", f"signed{suffix}.json")
    change(signed)
    with pytest.raises(VcError) as refused:
        verify_proofs(signed, contexts=contexts())
    assert refused.value.code == code


def test_a_signature_over_the_other_form_does_not_hold() -> None:
    signed = read(ECDSA / "ecdsa-rdfc-2019-p256", "signedECDSAP256.json")
    other = read(ECDSA / "ecdsa-jcs-2019-p256", "signedJCSECDSAP256.json")
    for first, second in ((signed, other), (other, signed)):
        changed = {**first, "proof": {**first["proof"], "proofValue": second["proof"]["proofValue"]}}
        with pytest.raises(Rejected) as refused:
            verify_proofs(changed, contexts=contexts())
        assert refused.value.code == "PROOF_INVALID"


def test_jcs_document_has_to_start_with_the_contexts_of_its_proof() -> None:
    signed = read(ECDSA / "ecdsa-jcs-2019-p256", "signedJCSECDSAP256.json")
    longer = {**signed, "@context": [*signed["@context"], "https://w3id.org/citizenship/v4rc1"]}
    verify_proofs(longer, contexts=contexts())  # allowed: others may add contexts at the end
    with pytest.raises(Malformed) as refused:
        verify_proofs({**signed, "@context": list(reversed(signed["@context"]))}, contexts=contexts())
    assert refused.value.code == "BAD_CONTEXT"


def test_p384_uses_sha384_inside_canonicalisation_too() -> None:
    """Three blank nodes, whose order depends on the hash: with SHA-256 inside, the canonical document is another."""
    document = read(ECDSA, "employmentAuth.json")
    form = ECDSA_RDFC_2019.form.transform(document, contexts(), "sha384")
    assert form != ECDSA_RDFC_2019.form.transform(document, contexts(), "sha256")
    signed = sign(document, key=P384_PAIR, created=AT, contexts=contexts())
    options = parse_proof(signed["proof"]).options
    config = ECDSA_RDFC_2019.form.configure(options, document, contexts(), "sha384")
    value = decode_base58btc(parse_proof(signed["proof"]).value)
    assert len(value) == 96
    verify_ecdsa(P384_PAIR.public, hashlib.sha384(config).digest() + hashlib.sha384(form).digest(), value)


SIGNERS: Final = [
    pytest.param(P256_PAIR, None, "ecdsa-rdfc-2019", id="P-256"),
    pytest.param(P384_PAIR, None, "ecdsa-rdfc-2019", id="P-384"),
    pytest.param(P256_PAIR, "ecdsa-jcs-2019", "ecdsa-jcs-2019", id="P-256-jcs"),
    pytest.param(P384_PAIR, "ecdsa-jcs-2019", "ecdsa-jcs-2019", id="P-384-jcs"),
    pytest.param(Ed25519Key.from_seed(bytes(32)), None, "eddsa-rdfc-2022", id="Ed25519"),
    pytest.param(Ed25519Key.from_seed(bytes(32)), "eddsa-jcs-2022", "eddsa-jcs-2022", id="Ed25519-jcs"),
]


@pytest.mark.parametrize(("key", "suite", "expected"), SIGNERS)
def test_the_key_chooses_the_suite(key: Signer, suite: str | None, expected: str) -> None:
    document = read(ECDSA, "employmentAuth.json")
    signed = sign(document, key=key, created=AT, contexts=contexts(), suite=suite)
    proof = parse_proof(signed["proof"])
    assert (proof.cryptosuite, proof.verification_method) == (expected, key.verification_method)
    assert ("@context" in proof.options) == expected.endswith(("jcs-2019", "jcs-2022"))
    assert proof.options.get("@context", document["@context"]) == document["@context"]
    (method,) = verify_proofs(parse_object(to_json(signed)), contexts=contexts())
    assert method.public == key.public
    with pytest.raises(Rejected):
        verify_proofs({**signed, "name": "another name"}, contexts=contexts())


def test_a_key_that_a_suite_does_not_take() -> None:
    document = read(ECDSA, "unsigned.json")
    for key, suite in ((P256_PAIR, "eddsa-jcs-2022"), (Ed25519Key.from_seed(bytes(32)), "ecdsa-jcs-2019")):
        signer: Signer = key
        with pytest.raises(Unsupported) as refused:
            sign(document, key=signer, created=AT, contexts=contexts(), suite=suite)
        assert refused.value.code == "UNSUPPORTED_KEY"
    with pytest.raises(Unsupported) as refused:
        sign(document, key=P256_PAIR, created=AT, contexts=contexts(), suite="ecdsa-sd-2023")
    assert refused.value.code == "UNSUPPORTED_SUITE"


def test_options_of_another_suite_are_refused() -> None:
    document = read(ECDSA, "unsigned.json")
    options = read(ECDSA / "ecdsa-rdfc-2019-p256", "proofConfigECDSAP256.json")
    for suite, changed in (
        (ECDSA_JCS_2019, options),
        (EDDSA_RDFC_2022, options),
        (ECDSA_RDFC_2019, {**options, "type": "Ed25519Signature2020"}),
        (ECDSA_RDFC_2019, {name: value for name, value in options.items() if name != "cryptosuite"}),
        (ECDSA_RDFC_2019, {name: value for name, value in options.items() if name != "type"}),
    ):
        with pytest.raises(Malformed) as refused:
            suite.add_proof(document, changed, key=P256_PAIR, contexts=contexts())
        assert refused.value.code == "PROOF_GENERATION_ERROR"


def test_sets_of_proofs_by_different_kinds_of_key() -> None:
    document = read(ECDSA, "unsigned.json")
    for key in (P256_PAIR, Ed25519Key.from_seed(bytes(32)), P384_PAIR):
        signer: Signer = key
        document = sign(document, key=signer, created=AT, contexts=contexts())
    methods = verify_proofs(document, contexts=contexts())
    assert [method.public.kind.name for method in methods] == ["P-256", "Ed25519", "P-384"]


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_no_flipped_bit_of_a_signature_verifies(data: st.DataObject) -> None:
    suffix, folder = data.draw(
        st.sampled_from([("ECDSAP256", "ecdsa-rdfc-2019-p256"), ("JCSECDSAP384", "ecdsa-jcs-2019-p384")])
    )
    signed = read(ECDSA / folder, f"signed{suffix}.json")
    value = bytearray(decode_base58btc(signed["proof"]["proofValue"]))
    bit = data.draw(st.integers(0, 8 * len(value) - 1))
    value[bit // 8] ^= 1 << bit % 8
    signed["proof"]["proofValue"] = encode_base58btc(bytes(value))
    with pytest.raises(Rejected) as refused:
        verify_proofs(signed, contexts=contexts())
    assert refused.value.code == "PROOF_INVALID"


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_only_our_errors_leave_and_nothing_else_verifies(data: st.DataObject) -> None:
    folder, suffix = data.draw(
        st.sampled_from([("ecdsa-rdfc-2019-p256", "ECDSAP256"), ("ecdsa-jcs-2019-p256", "JCSECDSAP256")])
    )
    raw = (ECDSA / folder / f"signed{suffix}.json").read_bytes()
    at = data.draw(st.integers(0, len(raw) - 1))
    changed = raw[:at] + data.draw(st.binary(max_size=3)) + raw[at + data.draw(st.integers(0, 3)) :]
    try:
        document = parse_object(changed)
        verify_proofs(document, contexts=contexts())
    except VcError:
        return
    assert document == parse_object(raw)


def test_a_proof_of_the_wrong_curve_is_told_apart() -> None:
    signed = read(ECDSA / "ecdsa-rdfc-2019-p384", "signedECDSAP384.json")
    signed["proof"]["verificationMethod"] = P256_PAIR.verification_method
    with pytest.raises(Malformed) as refused:
        verify_proofs(signed, contexts=contexts())
    assert refused.value.code == "BAD_SIGNATURE"


def test_a_method_is_checked_before_any_work() -> None:
    signed = read(ECDSA / "ecdsa-rdfc-2019-p256", "signedECDSAP256.json")
    proof = parse_proof({**signed["proof"], "verificationMethod": Ed25519Key.from_seed(bytes(32)).verification_method})
    with pytest.raises(Rejected) as refused:
        verify_all(without_proof(signed), (proof,), purpose="assertionMethod", contexts=contexts())
    assert refused.value.code == "KEY_MISMATCH"
    assert "P-256 or P-384" in str(refused.value)
    with pytest.raises(Unsupported):
        ECDSA_RDFC_2019.verify(
            without_proof(signed), proof, method=resolve_method(proof.verification_method), contexts=contexts()
        )
