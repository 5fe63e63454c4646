"""bbs-2023 with its optional features: every published intermediate step, and what must never verify.

Everything published is made again, octet by octet, but two things. The scalars behind the commitments were not
published: tests/test_blind_bbs.py works them out from the secrets and makes the commitments with them. And where the
vectors differ from the text of the specification they are read, not written (vc/suites/bbs_2023_feature_values.py):
here they are written from the components.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shared import shared_path
from tests.test_bbs import flip
from tests.test_blind_bbs import seeded
from tests.vectors import contexts, read, text
from vc import blind_bbs, pseudonym_bbs
from vc.did import resolve_method
from vc.errors import Malformed, Rejected, Undetermined, Unsupported, VcError
from vc.jsonld import to_rdf
from vc.keys import Bls12381Key
from vc.model import Proof, parse_proof
from vc.multibase import decode_base64url, encode_base64url
from vc.nquads import parse_nquads
from vc.rdf import canonicalize
from vc.secure import verify_proofs
from vc.suites import bbs_2023, bbs_2023_features
from vc.suites.bbs_2023 import BaseProofValue, DerivedProofValue
from vc.suites.bbs_2023_feature_values import (
    ANONYMOUS_HOLDER_BINDING,
    HOLDER_BINDING_PSEUDONYM,
    PSEUDONYM,
    Feature,
    FeatureBaseProofValue,
    FeatureDerivedProofValue,
    parse_base_proof_value,
    parse_derived_proof_value,
    serialize_base_proof_value,
    serialize_derived_proof_value,
)
from vc.suites.bbs_2023_features import HeldFeature, HolderSecrets, VerifiedFeature
from vc.suites.proof_value import disclose
from vc.suites.selective import (
    canonicalize_and_group,
    create_label_map_function,
    create_shuffled_id_label_map_function,
    label_replacement_canonicalize,
    parse_pointers,
)

VECTORS = shared_path("vectors/vc-di-bbs")
INPUTS = VECTORS / "FeatureInputs"
KEYS = read(VECTORS, "BBSKeyMaterial.json")
KEY = Bls12381Key.from_secret(bytes.fromhex(KEYS["privateKeyHex"]))
HMAC_KEY = bytes.fromhex(KEYS["hmacKeyString"])
PRESENTATION_HEADER = bytes.fromhex(read(VECTORS, "BBSDeriveMaterial.json")["presentationHeaderHex"])
DOCUMENT = read(INPUTS, "license.json")
MANDATORY = read(INPUTS, "licenseMandatory.json")
SELECTIVE = read(INPUTS, "licenseSelective.json")
DOMAIN = read(INPUTS, "verifierInfo.json")["verifierId"]
HOLDER_SECRET = bytes.fromhex(read(INPUTS, "holderSecret.json")["holderSecretHex"])
PROVER_NYM = bytes.fromhex(read(INPUTS, "proverNym.json")["proverNymHex"])
ENTROPY = bytes.fromhex(read(INPUTS, "signerNymEntropy.json")["signerNymEntropyHex"])


@dataclass(frozen=True, slots=True)
class Case:
    """One folder of vectors: the feature that it shows and, where it is another, the one that its headers name."""

    folder: str
    feature: Feature
    announced: Feature
    api_id: bytes

    def read(self, name: str) -> Any:
        return read(VECTORS / self.folder, name)

    @property
    def domain(self) -> str | None:
        return DOMAIN if self.feature.pseudonym else None

    @property
    def entropy(self) -> bytes | None:
        return ENTROPY if self.feature.pseudonym else None

    def options(self) -> dict[str, Any]:
        return {name: value for name, value in self.read("addProofConfig.json").items() if name != "@context"}

    def secrets(self) -> HolderSecrets:
        return HolderSecrets(
            bytes.fromhex(self.read("commitmentInfo.json")["secretProverBlind"]),
            HOLDER_SECRET if self.feature.holder_secret else None,
            PROVER_NYM if self.feature.pseudonym else None,
        )

    def base(self) -> tuple[dict[str, Any], Proof]:
        return parts(self.read("addSignedSDBase.json"))

    def derived(self) -> tuple[dict[str, Any], Proof]:
        return parts(self.read("derivedRevealDocument.json"))


CASES = [
    Case("HolderBinding", ANONYMOUS_HOLDER_BINDING, ANONYMOUS_HOLDER_BINDING, blind_bbs.API_ID),
    Case("Pseudonym", PSEUDONYM, HOLDER_BINDING_PSEUDONYM, pseudonym_bbs.API_ID),
    Case("PseudonymHB", HOLDER_BINDING_PSEUDONYM, HOLDER_BINDING_PSEUDONYM, pseudonym_bbs.API_ID),
]
BINDING, NYM, BOTH = CASES
cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.folder)


def parts(secured: Any) -> tuple[dict[str, Any], Proof]:
    return {name: value for name, value in secured.items() if name != "proof"}, parse_proof(secured["proof"])


def as_map(value: dict[str, Any]) -> dict[Any, Any]:
    return dict(map(tuple, value["value"]))


def canonical_labels(value: dict[str, Any]) -> dict[str, str]:
    return {f"_:{canonical}": f"_:{label}" for canonical, label in as_map(value).items()}


def create(case: Case, commitment: bytes, **changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "feature": case.feature,
        "commitment_with_proof": commitment,
        "signer_nym_entropy": case.entropy,
        "key": KEY,
        "mandatory_pointers": MANDATORY,
        "contexts": contexts(),
        "rand": lambda _length: HMAC_KEY,
        "experimental": True,
    }
    return bbs_2023_features.create_base_proof(DOCUMENT, case.options(), **(arguments | changes))


def hold(document: dict[str, Any], proof: Proof, secrets: HolderSecrets, **changes: Any) -> HeldFeature:
    arguments: dict[str, Any] = {
        "method": resolve_method(proof.verification_method),
        "contexts": contexts(),
        "experimental": True,
    }
    return bbs_2023_features.hold(document, proof, secrets=secrets, **(arguments | changes))


@cache
def held(case: Case) -> HeldFeature:
    return hold(*case.base(), case.secrets())


def derive(base: HeldFeature, domain: str | None, rand: Callable[[int], bytes] = os.urandom) -> dict[str, Any]:
    return bbs_2023_features.add_derived_proof(
        base, SELECTIVE, presentation_header=PRESENTATION_HEADER, nym_domain=domain, rand=rand
    )


def verify(document: dict[str, Any], proof: Proof, domain: str | None, **changes: Any) -> VerifiedFeature:
    arguments: dict[str, Any] = {
        "method": resolve_method(proof.verification_method),
        "contexts": contexts(),
        "experimental": True,
    }
    return bbs_2023_features.verify_derived_proof(document, proof, nym_domain=domain, **(arguments | changes))


def with_value(proof: Proof, value: FeatureDerivedProofValue) -> Proof:
    return parse_proof({**proof.options, "proofValue": serialize_derived_proof_value(value)})


# --- what the issuer makes ---


@cases
def test_canonical_document_and_shuffled_labels(case: Case) -> None:
    located = to_rdf(DOCUMENT, contexts())
    assert list(canonicalize(located.quads).quads) == case.read("addBaseDocCanon.json")
    _, lines = label_replacement_canonicalize(located.quads, create_shuffled_id_label_map_function(HMAC_KEY))
    assert sorted(lines) == case.read("addBaseDocHMACCanon.json")


@cases
def test_base_proof_transformation(case: Case) -> None:
    expected = case.read("addBaseTransform.json")
    paths = parse_pointers(expected["mandatoryPointers"], DOCUMENT, where="")
    made = bbs_2023.base_proof_transformation(to_rdf(DOCUMENT, contexts()), paths, HMAC_KEY)
    assert dict(made.mandatory) == as_map(expected["mandatory"])
    assert dict(made.non_mandatory) == as_map(expected["nonMandatory"])
    assert bytes.fromhex(expected["hmacKeyString"]) == HMAC_KEY


@cases
def test_base_proof_configuration_and_hashing(case: Case) -> None:
    config = bbs_2023.base_proof_configuration(case.options(), DOCUMENT, contexts())
    assert config.decode() == text(VECTORS / case.folder, "addProofConfigCanon.txt")
    paths = parse_pointers(MANDATORY, DOCUMENT, where="")
    transformed = bbs_2023.base_proof_transformation(to_rdf(DOCUMENT, contexts()), paths, HMAC_KEY)
    expected = case.read("addHashData.json")
    hashes = [value.hex() for value in bbs_2023.base_proof_hashing(transformed, config)]
    assert hashes == [expected["proofHash"], expected["mandatoryHash"]]


def published_base(case: Case, name: str) -> FeatureBaseProofValue:
    """A base proof value from the components in a vector."""
    raw = case.read(name)
    base = BaseProofValue(
        bbs_signature=bytes.fromhex(raw["bbsSignature"]),
        bbs_header=bytes.fromhex(raw["bbsHeader"]),
        public_key=bytes.fromhex(raw["publicKey"]),
        hmac_key=bytes.fromhex(raw["hmacKey"]),
        mandatory_pointers=tuple(raw["mandatoryPointers"]),
    )
    assert raw["featureOption"] == case.feature.option
    entropy = raw.get("signerNymEntropyHex", raw.get("signerNymEntropy"))
    return FeatureBaseProofValue(case.announced, base, bytes.fromhex(entropy) if entropy else None)


@cases
def test_base_proof_serialization(case: Case) -> None:
    published = case.read("addSignedSDBase.json")["proof"]["proofValue"]
    value = parse_base_proof_value(published, experimental=True)
    assert value == published_base(case, "addRawBaseSignatureInfo.json")
    assert value == published_base(case, "derivedRecoveredBaseData.json")
    octets = decode_base64url(serialize_base_proof_value(value)[1:])
    if case.feature.pseudonym:  # published as a big number, which the specification's text rules out
        octets = octets[:-34] + b"\xc2" + octets[-34:]
    assert "u" + encode_base64url(octets) == published


@cases
def test_create_base_proof(case: Case) -> None:
    made = create(case, bytes.fromhex(case.read("commitmentInfo.json")["commitmentWithProof"]))
    value = parse_base_proof_value(made["proofValue"], experimental=True)
    assert value == replace(published_base(case, "addRawBaseSignatureInfo.json"), feature=case.feature)
    published = case.read("addSignedSDBase.json")["proof"]
    assert {**made, "proofValue": ""} == {**published, "proofValue": ""}
    assert (made == published) == (case.feature == ANONYMOUS_HOLDER_BINDING)


# --- what the holder makes ---


@cases
def test_group_data(case: Case) -> None:
    mandatory, selective = (parse_pointers(pointers, DOCUMENT, where="") for pointers in (MANDATORY, SELECTIVE))
    made = canonicalize_and_group(
        to_rdf(DOCUMENT, contexts()),
        create_shuffled_id_label_map_function(HMAC_KEY),
        {"mandatory": mandatory, "selective": selective, "combined": (*mandatory, *selective)},
    )
    indexes, expected = case.read("derivedGroupIndexes.json"), case.read("derivedAllGroupData.json")
    assert list(made.groups["combined"].matching) == indexes["combinedIndexes"]
    assert list(made.groups["mandatory"].matching) == indexes["mandatoryIndexes"]
    assert list(made.groups["mandatory"].non_matching) == indexes["nonMandatoryIndexes"]
    assert list(made.groups["selective"].matching) == indexes["selectiveIndexes"]
    assert list(made.nquads) == expected["nquads"]
    for name, group in made.groups.items():
        wanted = expected["groups"][name]
        assert dict(group.matching) == as_map(wanted["matching"])
        assert dict(group.non_matching) == as_map(wanted["nonMatching"])
        quads = parse_nquads("".join(wanted["deskolemizedNQuads"]))
        assert canonicalize(group.quads).quads == canonicalize(quads).quads


@cases
def test_disclosure(case: Case) -> None:
    base = held(case)
    made = disclose(base.document, base.labelled, base.base.mandatory_pointers, SELECTIVE)
    expected = case.read("derivedAdjIndexes.json")
    assert list(made.mandatory_indexes) == expected["adjMandatoryIndexes"]
    assert list(made.selective_indexes) == expected["adjSelectiveIndexes"]
    assert made.reveal_document == case.read("derivedUnsignedReveal.json")
    assert made.label_map == canonical_labels(case.read("derivedDisclosureData.json")["labelMap"])


def published_derived(case: Case) -> FeatureDerivedProofValue:
    """A derived proof value from the components in the vectors."""
    data = case.read("derivedDisclosureData.json")
    derived = DerivedProofValue(
        bbs_proof=bytes.fromhex(data["bbsProof"]),
        label_map=canonical_labels(data["labelMap"]),
        mandatory_indexes=tuple(data["mandatoryIndexes"]),
        selective_indexes=tuple(data["adjSelectiveIndexes"]),
        presentation_header=bytes(data["presentationHeader"].values()),
    )
    assert data["featureOption"] == case.feature.option
    pseudonym = bytes.fromhex(data["pseudonym"]) if case.feature.pseudonym else None
    return FeatureDerivedProofValue(case.announced, derived, data["lengthBBSMessages"], None, pseudonym)


@cases
def test_derived_proof_serialization(case: Case) -> None:
    published = case.read("derivedRevealDocument.json")["proof"]["proofValue"]
    value = published_derived(case)
    assert serialize_derived_proof_value(value) == published
    assert parse_derived_proof_value(published, experimental=True) == value
    named = replace(value, nym_domain=DOMAIN) if case.feature.pseudonym else value
    assert parse_derived_proof_value(serialize_derived_proof_value(named), experimental=True) == named


@cases
def test_derived_proof(case: Case) -> None:
    base = held(case)
    assert base.feature == case.feature
    hidden = len(base.held.held.messages) - len(published_derived(case).derived.selective_indexes)
    made = derive(base, case.domain, seeded(case.api_id, 5 + hidden))
    document, proof = parts(made)
    published = case.read("derivedRevealDocument.json")
    assert document == {name: value for name, value in published.items() if name != "proof"}
    value = parse_derived_proof_value(proof.value, experimental=True)
    assert value == replace(published_derived(case), feature=case.feature, nym_domain=case.domain)
    assert (made == published) == (case.feature == ANONYMOUS_HOLDER_BINDING)
    assert verify(document, proof, case.domain) == VerifiedFeature(case.feature, case.domain, value.pseudonym)


# --- what the verifier checks ---


@cases
def test_the_published_derived_proof_holds(case: Case) -> None:
    shown = verify(*case.derived(), case.domain)
    assert shown == VerifiedFeature(case.feature, case.domain, published_derived(case).pseudonym)


@cases
def test_verify_data(case: Case) -> None:
    document, proof = case.derived()
    value = parse_derived_proof_value(proof.value, experimental=True)
    expected = case.read("verifyDerivedProofValue.json")
    assert value.derived.bbs_proof.hex() == expected["bbsProof"]
    assert value.derived.label_map == {f"_:{canonical}": f"_:{label}" for canonical, label in expected["labelMap"]}
    assert list(value.derived.mandatory_indexes) == expected["mandatoryIndexes"]
    assert list(value.derived.selective_indexes) == expected["adjSelectedIndexes"]
    _, lines = label_replacement_canonicalize(
        to_rdf(document, contexts()).quads, create_label_map_function(value.derived.label_map)
    )
    nquads = sorted(lines)
    assert nquads == case.read("verifyNQuads.json")
    data = bbs_2023.verify_data(document, proof, value.derived, contexts())
    hashes = case.read("addHashData.json")
    assert [data.proof_hash.hex(), data.mandatory_hash.hex()] == [hashes["proofHash"], hashes["mandatoryHash"]]


@cases
def test_the_whole_way(case: Case) -> None:
    secret = os.urandom(32) if case.feature.holder_secret else None
    nym = pseudonym_bbs.random_nym(os.urandom) if case.feature.pseudonym else None
    commitment, secrets = bbs_2023_features.commit(
        holder_secret=secret, prover_nym=nym, rand=os.urandom, experimental=True
    )
    base = hold(DOCUMENT, parse_proof(create(case, commitment)), secrets)
    for domain in ("https://lender.example/", "Mark Twain") if nym else (None,):
        first, second = (parts(derive(base, domain)) for _ in range(2))
        shown = verify(*first, domain)
        assert shown == verify(*second, None)  # the proof itself names the domain
        assert first[1].value != second[1].value
        with pytest.raises(VcError):
            verify(*first, "https://other.example/")


# --- the flag ---


ATTEMPTS: dict[str, Callable[[Case], object]] = {
    "commit": lambda case: bbs_2023_features.commit(
        holder_secret=case.secrets().holder_secret, prover_nym=case.secrets().prover_nym, rand=os.urandom
    ),
    "create": lambda case: create(case, b"", experimental=False),
    "hold": lambda case: hold(*case.base(), case.secrets(), experimental=False),
    "verify": lambda case: verify(*case.derived(), case.domain, experimental=False),
    "verify as any proof": lambda case: verify_proofs(case.read("derivedRevealDocument.json"), contexts=contexts()),
    "verify a base proof": lambda case: verify_proofs(case.read("addSignedSDBase.json"), contexts=contexts()),
    "hold as a baseline": lambda case: bbs_2023.parse_base_proof_value(case.base()[1].value),
}


@cases
@pytest.mark.parametrize("name", ATTEMPTS)
def test_nothing_works_without_the_flag(case: Case, name: str) -> None:
    with pytest.raises(Unsupported, match="experimental=True") as refused:
        ATTEMPTS[name](case)
    assert refused.value.code == "UNSUPPORTED_FEATURE"
    assert refused.value.name in {case.feature.option, case.announced.option}


def test_the_baseline_is_not_a_feature() -> None:
    secured = read(VECTORS, "derivedRevealDocument.json")
    with pytest.raises(Malformed, match="optional feature"):
        verify(*parts(secured), None)
    verify_proofs(secured, contexts=contexts())


# --- what never verifies ---


@cases
def test_a_changed_document_never_verifies(case: Case) -> None:
    changes: list[Callable[[dict[str, Any]], Any]] = [
        lambda d: d["credentialSubject"]["driversLicense"].update(issuing_country="UB"),
        lambda d: d["credentialSubject"]["driversLicense"]["driving_privileges"].pop(),
        lambda d: d["credentialSubject"]["driversLicense"].pop("issuing_country"),
        lambda d: d.update(expirationDate="2029-11-15T12:00:00-06:00"),
        lambda d: d.pop("expirationDate"),
        lambda d: d["issuer"].update(name="Another"),
        lambda d: d.update(name="Utopia Driver's License"),
    ]
    for change in changes:
        document, proof = case.derived()
        change(document)
        with pytest.raises(VcError):
            verify(document, proof, case.domain)


@cases
def test_what_was_done_to_the_claims_is_said(case: Case) -> None:
    document, proof = case.derived()
    with pytest.raises(Rejected) as added:
        verify({**document, "name": "Utopia Driver's License"}, proof, case.domain)
    assert added.value.code == "CLAIM_ADDED"
    del document["credentialSubject"]["driversLicense"]["issuing_country"]
    with pytest.raises(Rejected) as dropped:
        verify(document, proof, case.domain)
    assert dropped.value.code == "CLAIM_DROPPED"


@cases
def test_changed_components_never_verify(case: Case) -> None:
    document, proof = case.derived()
    value = parse_derived_proof_value(proof.value, experimental=True)
    changes: list[dict[str, Any]] = [
        {"length": value.length - 1},
        {"length": value.length + 1},
        {"length": 0},
        {"length": 2**63},
        {"derived": replace(value.derived, presentation_header=b"other")},
        {"derived": replace(value.derived, selective_indexes=(*value.derived.selective_indexes[:-1], 23))},
        {"derived": replace(value.derived, bbs_proof=value.derived.bbs_proof[:-32])},
        {"derived": replace(value.derived, bbs_proof=b"")},
    ]
    for change in changes:
        with pytest.raises(VcError):
            verify(document, with_value(proof, replace(value, **change)), case.domain)
    for name, other in (("created", "2023-08-15T23:36:39Z"), ("proofPurpose", "authentication")):
        with pytest.raises(Rejected):
            verify(document, replace(proof, options={**proof.options, name: other}), case.domain)


@pytest.mark.parametrize("case", [NYM, BOTH], ids=lambda case: case.folder)
def test_a_pseudonym_of_another_domain_never_verifies(case: Case) -> None:
    document, proof = case.derived()
    with pytest.raises(Rejected) as refused:  # the vectors do not name their domain
        verify(document, proof, "https://another.example/")
    assert refused.value.code == "PROOF_INVALID"
    with pytest.raises(Undetermined) as unknown:
        verify(document, proof, None)
    assert unknown.value.code == "NO_DOMAIN"
    _, elsewhere = parts(derive(held(case), DOMAIN))
    value = parse_derived_proof_value(elsewhere.value, experimental=True)
    with pytest.raises(Rejected) as refused:
        verify(document, elsewhere, "https://another.example/")
    assert refused.value.code == "DOMAIN_MISMATCH"
    renamed = with_value(elsewhere, replace(value, nym_domain="https://another.example/"))
    for domain in (None, "https://another.example/", DOMAIN):
        with pytest.raises(Rejected):
            verify(document, renamed, domain)
    other = parse_derived_proof_value(parts(derive(held(case), "x"))[1].value, experimental=True)
    with pytest.raises(Rejected):
        verify(document, with_value(elsewhere, replace(value, pseudonym=other.pseudonym)), DOMAIN)


def test_a_pseudonym_that_was_asked_for_has_to_be_there() -> None:
    with pytest.raises(Rejected) as refused:
        verify(*BINDING.derived(), DOMAIN)
    assert refused.value.code == "PSEUDONYM_MISSING"


@cases
def test_other_secrets_hold_nothing(case: Case) -> None:
    document, proof = case.base()
    secrets = case.secrets()
    other = pseudonym_bbs.random_nym(os.urandom)
    wrong = [replace(secrets, secret_prover_blind=other)]
    if case.feature.holder_secret:
        wrong.append(replace(secrets, holder_secret=other))
    if case.feature.pseudonym:
        wrong.append(replace(secrets, prover_nym=other))
    for guess in wrong:
        with pytest.raises(Rejected):
            hold(document, proof, guess)
    with pytest.raises(Rejected):
        hold({**document, "name": "Another"}, proof, secrets)
    with pytest.raises(Rejected):
        hold(document, proof, secrets, method=resolve_method(Bls12381Key.from_secret(other).verification_method))


@pytest.mark.parametrize(
    ("case", "secret", "nym"),
    [
        (BINDING, None, PROVER_NYM),
        (BINDING, HOLDER_SECRET, PROVER_NYM),
        (NYM, HOLDER_SECRET, None),
        (BOTH, HOLDER_SECRET, None),
    ],
)
def test_secrets_of_another_feature_hold_nothing(case: Case, secret: bytes | None, nym: bytes | None) -> None:
    secrets = HolderSecrets(case.secrets().secret_prover_blind, secret, nym)
    with pytest.raises(Malformed, match="other secrets are needed"):
        hold(*case.base(), secrets)
    with pytest.raises(Malformed, match="nothing to commit to"):
        hold(*case.base(), HolderSecrets(secrets.secret_prover_blind))


def test_secrets_of_a_pseudonym_alone_do_not_hold_both() -> None:
    with pytest.raises(Rejected):
        hold(*BOTH.base(), HolderSecrets(BOTH.secrets().secret_prover_blind, None, PROVER_NYM))


def test_components_of_another_feature_are_malformed() -> None:
    values = {case.folder: parse_base_proof_value(case.base()[1].value, experimental=True) for case in CASES}
    entropy = values["Pseudonym"].signer_nym_entropy
    for base in (
        replace(values["HolderBinding"], signer_nym_entropy=entropy),
        replace(values["Pseudonym"], signer_nym_entropy=None),
        replace(values["PseudonymHB"], feature=ANONYMOUS_HOLDER_BINDING),
    ):
        with pytest.raises(Malformed, match="not the components of a base proof"):
            parse_base_proof_value(serialize_base_proof_value(base), experimental=True)
    for derived in (
        replace(published_derived(BINDING), pseudonym=bytes(48)),
        replace(published_derived(NYM), pseudonym=None),
        replace(published_derived(NYM), pseudonym=None, nym_domain=DOMAIN),
        replace(published_derived(BOTH), feature=ANONYMOUS_HOLDER_BINDING),
    ):
        with pytest.raises(Malformed, match="not the components of a derived proof"):
            parse_derived_proof_value(serialize_derived_proof_value(derived), experimental=True)


@cases
def test_a_base_proof_is_refused_by_name(case: Case) -> None:
    with pytest.raises(Rejected) as refused:
        verify(*case.base(), case.domain)
    assert refused.value.code == "BASE_PROOF"


def test_a_proof_shows_no_more_than_its_header_says() -> None:
    """Header 09 on a pseudonym alone is the published slip; no other header may stand in for another."""
    for case in CASES:
        document, proof = case.derived()
        value = parse_derived_proof_value(proof.value, experimental=True)
        for feature in (PSEUDONYM, HOLDER_BINDING_PSEUDONYM):
            changed = replace(value, feature=feature, pseudonym=value.pseudonym or bytes(48))
            if feature.announces(case.feature):
                assert verify(document, with_value(proof, changed), case.domain).feature == case.feature
            else:
                with pytest.raises(VcError):
                    verify(document, with_value(proof, changed), DOMAIN)
    document, proof = BINDING.derived()
    value = replace(published_derived(NYM), feature=ANONYMOUS_HOLDER_BINDING, pseudonym=None)
    with pytest.raises(Rejected):
        verify(document, with_value(proof, value), None)


@pytest.mark.parametrize(
    ("case", "changes"),
    [
        (BINDING, {"signer_nym_entropy": ENTROPY}),
        (NYM, {"signer_nym_entropy": None}),
        (BOTH, {"signer_nym_entropy": bytes(32)}),
        (BINDING, {"feature": NYM.feature, "signer_nym_entropy": ENTROPY}),
        (NYM, {"feature": BINDING.feature, "signer_nym_entropy": None}),
        (NYM, {"feature": BOTH.feature}),
        (BOTH, {"feature": NYM.feature}),
        (BOTH, {"commitment_with_proof": b""}),
    ],
)
def test_an_issuer_signs_what_was_agreed_on(case: Case, changes: dict[str, Any]) -> None:
    commitment = bytes.fromhex(case.read("commitmentInfo.json")["commitmentWithProof"])
    with pytest.raises(VcError):
        create(case, commitment, **changes)


def test_what_a_holder_may_commit_to() -> None:
    for secret, nym in ((b"x" * 31, None), (None, None), (None, bytes(32)), (b"x" * 32, b"short")):
        with pytest.raises(Malformed):
            bbs_2023_features.commit(holder_secret=secret, prover_nym=nym, rand=os.urandom, experimental=True)


def test_a_domain_goes_with_a_pseudonym() -> None:
    for base, domain in ((held(BINDING), DOMAIN), (held(NYM), None), (held(NYM), "\ud800"), (held(NYM), "x" * 2000)):
        with pytest.raises(Malformed):
            derive(base, domain)


OCTETS = {case.folder: decode_base64url(case.derived()[1].value[1:]) for case in CASES}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CASES), st.data())
def test_no_bit_of_a_proof_value_can_be_flipped(case: Case, data: st.DataObject) -> None:
    document, proof = case.derived()
    octets = OCTETS[case.folder]
    changed = "u" + encode_base64url(flip(octets, data.draw(st.integers(0, 8 * len(octets) - 1))))
    with pytest.raises(VcError):
        verify(document, replace(proof, value=changed), case.domain)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CASES), st.binary(max_size=80), st.binary(max_size=80))
def test_only_our_errors_leave(case: Case, start: bytes, end: bytes) -> None:
    for document, proof in (case.base(), case.derived()):
        octets = decode_base64url(proof.value[1:])
        for raw in (octets[:3] + start, octets[: len(octets) - len(end) - 1] + end):
            changed = replace(proof, value="u" + encode_base64url(raw))
            with pytest.raises(VcError):
                hold(document, changed, case.secrets())
            with pytest.raises(VcError):
                verify(document, changed, case.domain)


def test_secrets_do_not_show_in_logs() -> None:
    assert HOLDER_SECRET.hex() not in repr(BINDING.secrets())
    assert "HOLDER" not in repr(BINDING.secrets())
    assert "Scalar" not in repr(held(BOTH))
