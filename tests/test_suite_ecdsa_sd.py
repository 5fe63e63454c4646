"""ecdsa-sd-2023: every published intermediate step, and what must never verify."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shared import shared_path
from tests.vectors import contexts, read, text
from vc import ecdsa
from vc.canon import Json, parse_object, to_json
from vc.did import resolve_method
from vc.errors import Malformed, Rejected, Unsupported, VcError
from vc.jsonld import Located, to_rdf
from vc.keys import P256, Bls12381Key, Ed25519Key, P256Key, P384Key, PublicKey, Signer, verify_ecdsa
from vc.model import parse_proof
from vc.multibase import decode_base58btc, decode_base64url, encode_base64url
from vc.rdf import canonicalize
from vc.secure import derive, hold, sign, sign_selective, verify_proofs
from vc.suites import bbs_2023, ecdsa_sd_2023
from vc.suites.ecdsa_sd_2023 import BASE_PROOF, DERIVED_PROOF, BaseProofValue, DerivedProofValue, HeldBase
from vc.suites.selective import (
    canonicalize_and_group,
    create_hmac_id_label_map_function,
    create_label_map_function,
    label_replacement_canonicalize,
    parse_pointers,
    relative_indexes,
    select_json_ld,
)
from vc.trust import Trust, parse_trust
from vc.verify import Binding, Policy, verify_presentation

ECDSA: Final = shared_path("vectors/vc-di-ecdsa")
KEYS: Final = read(ECDSA / "ecdsa-sd-2023", "SDKeyMaterial.json")
HMAC_KEY: Final = bytes.fromhex(KEYS["hmacKeyString"])
AT: Final = datetime(2026, 11, 24, tzinfo=UTC)


def key_pair(name: str) -> P256Key:
    """The key pair of a vector: a private key is two multicodec bytes and a scalar."""
    key = P256Key.from_secret(decode_base58btc(KEYS[name]["secretKeyMultibase"])[2:])
    assert key.public.multikey == KEYS[name]["publicKeyMultibase"]
    return key


KEY: Final = key_pair("baseKeyPair")
PROOF_KEY: Final = key_pair("proofKeyPair")


@dataclass(frozen=True)
class Vector:
    """One published document with all its steps."""

    steps: Path
    mandatory: str
    selective: str

    @property
    def document(self) -> dict[str, Any]:
        """What was signed. The unsigned file beside the folders is not always the same: its description differs."""
        return {name: value for name, value in self.read("addSignedSDBase.json").items() if name != "proof"}

    @property
    def options(self) -> dict[str, Any]:
        return {name: value for name, value in self.read("addProofConfig.json").items() if name != "@context"}

    @property
    def located(self) -> Located:
        return to_rdf(self.document, contexts())

    def read(self, name: str) -> Any:
        return read(self.steps, name)

    def paths(self) -> tuple[Any, Any]:
        mandatory, selective = (read(ECDSA, name) for name in (self.mandatory, self.selective))
        return tuple(parse_pointers(each, self.document, where="") for each in (mandatory, selective))  # type: ignore[return-value]


NAMES: Final = {
    "prc": ("prCredMandatory.json", "prCredSelective.json"),
    "employ": ("employMandatory.json", "employSelective.json"),
}
VECTORS: Final = [
    Vector(ECDSA / "ecdsa-sd-2023" / name, *files)
    for name, files in NAMES.items()
    if (ECDSA / "ecdsa-sd-2023" / name).is_dir()
]
PRC: Final = VECTORS[0]
every_vector = pytest.mark.parametrize("vector", VECTORS, ids=[vector.steps.name for vector in VECTORS])


def as_map(value: dict[str, Any]) -> dict[Any, Any]:
    """A JavaScript Map as the vectors write it."""
    return dict(map(tuple, value["value"]))


def labels(entries: dict[str, str]) -> dict[str, str]:
    return {f"_:{canonical}": f"_:{label}" for canonical, label in entries.items()}


def multikey_bytes(text: str) -> bytes:
    return decode_base58btc(text)


def signatures(entry: dict[str, Any], name: str = "signatures") -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(signature) for signature in entry[name])


def held(vector: Vector) -> HeldBase:
    base = hold(vector.read("addSignedSDBase.json"), contexts=contexts())
    assert isinstance(base, HeldBase)
    return base


# --- the issuer's steps ----------------------------------------------------------------------------------------------


@every_vector
def test_canonical_document(vector: Vector) -> None:
    assert list(canonicalize(vector.located.quads).quads) == vector.read("addBaseDocCanon.json")


@every_vector
def test_hmac_labels(vector: Vector) -> None:
    _, lines = label_replacement_canonicalize(vector.located.quads, create_hmac_id_label_map_function(HMAC_KEY))
    assert sorted(lines) == vector.read("addBaseDocHMACCanon.json")


@every_vector
def test_pointer_values(vector: Vector) -> None:
    for entry in vector.read("addPointerValues.json"):
        (path,) = parse_pointers([entry["pointer"]], vector.document, where="")
        value: Any = vector.document
        for part in path:
            value = value[part]
        assert value == entry["value"]


@every_vector
def test_base_proof_transformation(vector: Vector) -> None:
    expected = vector.read("addBaseTransform.json")
    paths = parse_pointers(expected["mandatoryPointers"], vector.document, where="")
    made = ecdsa_sd_2023.base_proof_transformation(vector.located, paths, HMAC_KEY)
    assert dict(made.mandatory) == as_map(expected["mandatory"])
    assert dict(made.non_mandatory) == as_map(expected["nonMandatory"])
    assert expected["hmacKeyString"] == KEYS["hmacKeyString"]


@every_vector
def test_base_proof_configuration(vector: Vector) -> None:
    made = ecdsa_sd_2023.base_proof_configuration(vector.options, vector.document, contexts())
    assert made.decode() == text(vector.steps, "addProofConfigCanon.txt")


def made_base_value(vector: Vector) -> BaseProofValue:
    mandatory, _ = vector.paths()
    transformed = ecdsa_sd_2023.base_proof_transformation(vector.located, mandatory, HMAC_KEY)
    config = text(vector.steps, "addProofConfigCanon.txt").encode()
    return ecdsa_sd_2023.base_proof_serialization(
        transformed,
        ecdsa_sd_2023.base_proof_hashing(transformed, config),
        key=KEY,
        proof_key=PROOF_KEY,
        hmac_key=HMAC_KEY,
        mandatory_pointers=read(ECDSA, vector.mandatory),
    )


@every_vector
def test_base_proof_hashing(vector: Vector) -> None:
    mandatory, _ = vector.paths()
    transformed = ecdsa_sd_2023.base_proof_transformation(vector.located, mandatory, HMAC_KEY)
    hashes = ecdsa_sd_2023.base_proof_hashing(transformed, text(vector.steps, "addProofConfigCanon.txt").encode())
    expected = vector.read("addHashData.json")
    assert [value.hex() for value in hashes] == [expected["proofHash"], expected["mandatoryHash"]]


@every_vector
def test_base_proof_serialization(vector: Vector) -> None:
    """Nonces are deterministic in the vectors as they are here, so that the very bytes come out."""
    expected = vector.read("addRawBaseSignatureInfo.json")
    value = made_base_value(vector)
    assert value == BaseProofValue(
        base_signature=bytes.fromhex(expected["baseSignature"]),
        public_key=multikey_bytes(expected["publicKey"]),
        hmac_key=HMAC_KEY,
        signatures=signatures(expected),
        mandatory_pointers=tuple(expected["mandatoryPointers"]),
    )
    published = vector.read("addSignedSDBase.json")["proof"]["proofValue"]
    assert ecdsa_sd_2023.serialize_base_proof_value(value) == published
    assert ecdsa_sd_2023.parse_base_proof_value(published) == value


@every_vector
def test_create_base_proof(vector: Vector) -> None:
    """The public road: chance is an argument. The secret of the proof's key is what makes the published one."""
    material = (int.from_bytes(PROOF_KEY.secret, "big") - 1).to_bytes(40, "big")
    made = ecdsa_sd_2023.create_base_proof(
        vector.document,
        vector.options,
        key=KEY,
        mandatory_pointers=read(ECDSA, vector.mandatory),
        contexts=contexts(),
        rand=lambda length: {32: HMAC_KEY, 40: material}[length],
    )
    assert made == vector.read("addSignedSDBase.json")["proof"]


# --- the holder's steps ----------------------------------------------------------------------------------------------


@every_vector
def test_recovered_base_data(vector: Vector) -> None:
    expected = vector.read("derivedRecoveredBaseData.json")
    assert held(vector).base == BaseProofValue(
        base_signature=bytes.fromhex(expected["baseSignature"]),
        public_key=multikey_bytes(expected["proofPublicKey"]),
        hmac_key=bytes.fromhex(expected["hmacKey"]),
        signatures=signatures(expected),
        mandatory_pointers=tuple(expected["mandatoryPointers"]),
    )


@every_vector
def test_groups(vector: Vector) -> None:
    mandatory, selective = vector.paths()
    made = canonicalize_and_group(
        vector.located,
        create_hmac_id_label_map_function(HMAC_KEY),
        {"mandatory": mandatory, "selective": selective, "combined": (*mandatory, *selective)},
    )
    expected = vector.read("derivedAllGroupData.json")
    assert set(made.groups) == set(expected["groups"])
    for name, group in made.groups.items():
        assert dict(group.matching) == as_map(expected["groups"][name]["matching"])
        assert dict(group.non_matching) == as_map(expected["groups"][name]["nonMatching"])
        assert len(group.quads) == len(expected["groups"][name]["deskolemizedNQuads"])
    indexes = vector.read("derivedGroupIndexes.json")
    assert list(made.groups["combined"].matching) == indexes["combinedIndexes"]
    assert list(made.groups["mandatory"].matching) == indexes["mandatoryIndexes"]
    assert list(made.groups["mandatory"].non_matching) == indexes["nonMandatoryIndexes"]
    assert list(made.groups["selective"].matching) == indexes["selectiveIndexes"]
    adjusted, chosen = relative_indexes(made)
    assert list(adjusted) == vector.read("derivedAdjMandatoryIndexes.json")["adjMandatoryIndexes"]
    assert list(chosen) == vector.read("derivedAdjSignatures.json")["adjSignatureIndexes"]


@every_vector
def test_reveal_document(vector: Vector) -> None:
    mandatory, selective = vector.paths()
    assert select_json_ld((*mandatory, *selective), vector.document) == vector.read("derivedUnsignedReveal.json")


def disclosed(vector: Vector) -> DerivedProofValue:
    expected = vector.read("derivedDisclosureData.json")
    return DerivedProofValue(
        base_signature=bytes.fromhex(expected["baseSignature"]),
        public_key=multikey_bytes(expected["publicKey"]),
        signatures=signatures(expected),
        label_map=labels(as_map(expected["labelMap"])),
        mandatory_indexes=tuple(expected["mandatoryIndexes"]),
    )


@every_vector
def test_disclosure_data(vector: Vector) -> None:
    value, reveal_document = ecdsa_sd_2023.create_disclosure_data(held(vector), read(ECDSA, vector.selective))
    assert value == disclosed(vector)
    assert value.signatures == signatures(vector.read("derivedAdjSignatures.json"), "filteredSignatures")
    assert reveal_document == vector.read("derivedUnsignedReveal.json")


@every_vector
def test_derived_proof_serialization(vector: Vector) -> None:
    published = vector.read("derivedRevealDocument.json")["proof"]["proofValue"]
    assert ecdsa_sd_2023.serialize_derived_proof_value(disclosed(vector)) == published
    assert ecdsa_sd_2023.parse_derived_proof_value(published) == disclosed(vector)


@every_vector
def test_derive_gives_the_published_document(vector: Vector) -> None:
    made = derive(held(vector), read(ECDSA, vector.selective), rand=lambda length: b"")
    assert made == vector.read("derivedRevealDocument.json")


# --- the verifier's steps --------------------------------------------------------------------------------------------


@every_vector
def test_parsed_derived_proof(vector: Vector) -> None:
    expected = vector.read("verifyDerivedProofValue.json")
    parsed = ecdsa_sd_2023.parse_derived_proof_value(vector.read("derivedRevealDocument.json")["proof"]["proofValue"])
    assert parsed.base_signature.hex() == expected["baseSignature"]
    assert PublicKey(P256, parsed.public_key[2:]).multikey == expected["publicKey"]
    assert parsed.signatures == signatures(expected)
    assert parsed.label_map == labels(dict(map(tuple, expected["labelMap"])))
    assert list(parsed.mandatory_indexes) == expected["mandatoryIndexes"]


@every_vector
def test_relabelled_quads(vector: Vector) -> None:
    factory = create_label_map_function(disclosed(vector).label_map)
    reveal = to_rdf(vector.read("derivedUnsignedReveal.json"), contexts())
    _, lines = label_replacement_canonicalize(reveal.quads, factory)
    assert sorted(lines) == vector.read("verifyNQuads.json")


@every_vector
def test_create_verify_data(vector: Vector) -> None:
    signed = vector.read("derivedRevealDocument.json")
    proof = parse_proof(signed.pop("proof"))
    made = ecdsa_sd_2023.create_verify_data(signed, proof, contexts())
    expected = vector.read("verifyCreateVerifyData.json")
    assert made.proof_hash.hex() == expected["proofHash"]
    assert made.mandatory_hash.hex() == expected["mandatoryHash"]
    assert list(made.non_mandatory) == expected["nonMandatory"]
    assert made.value.base_signature.hex() == expected["baseSignature"]
    assert made.value.signatures == signatures(expected)
    assert made.value.public_key == multikey_bytes(expected["publicKey"])


@every_vector
def test_the_published_derived_proof_holds(vector: Vector) -> None:
    (method,) = verify_proofs(vector.read("derivedRevealDocument.json"), contexts=contexts())
    assert method.public == KEY.public


# --- what must never verify ------------------------------------------------------------------------------------------


def derived() -> dict[str, Any]:
    value: dict[str, Any] = PRC.read("derivedRevealDocument.json")
    return value


def with_value(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The document with other components in its proof, well-formed or not."""
    value = replace(ecdsa_sd_2023.parse_derived_proof_value(document["proof"]["proofValue"]), **changes)
    return {
        **document,
        "proof": {**document["proof"], "proofValue": ecdsa_sd_2023.serialize_derived_proof_value(value)},
    }


CHANGES: Final[list[tuple[str, Callable[[dict[str, Any]], Any], str]]] = [
    ("selected claim changed", lambda d: d["credentialSubject"].update(birthCountry="Utopia"), "PROOF_INVALID"),
    ("mandatory claim changed", lambda d: d["issuer"].update(image="data:,"), "PROOF_INVALID"),
    ("claim added", lambda d: d["credentialSubject"].update(gender="Female"), "CLAIM_ADDED"),
    ("claim dropped", lambda d: d["credentialSubject"].pop("birthCountry"), "CLAIM_DROPPED"),
    ("mandatory claim dropped", lambda d: d["issuer"].pop("image"), "CLAIM_DROPPED"),
    ("type dropped", lambda d: d["credentialSubject"].update(type="Person"), "CLAIM_DROPPED"),
    ("issuer changed", lambda d: d["issuer"].update(id="https://vc.example/another"), "PROOF_INVALID"),
    ("dates swapped", lambda d: d.update(validFrom=d["validUntil"], validUntil=d["validFrom"]), "PROOF_INVALID"),
    ("undefined term added", lambda d: d.update(unheardOf="x"), "DATA_LOSS"),
    ("purpose changed", lambda d: d["proof"].update(proofPurpose="authentication"), "PURPOSE_MISMATCH"),
    ("date of proof changed", lambda d: d["proof"].update(created="2023-08-15T23:36:39Z"), "PROOF_INVALID"),
    ("option added", lambda d: d["proof"].update(domain="verifier.example"), "PROOF_INVALID"),
    ("key of another", lambda d: d["proof"].update(verificationMethod=PROOF_KEY.verification_method), "PROOF_INVALID"),
    ("suite changed", lambda d: d["proof"].update(cryptosuite="ecdsa-rdfc-2019"), "BAD_MULTIBASE"),
    ("suite of other keys", lambda d: d["proof"].update(cryptosuite="bbs-2023"), "KEY_MISMATCH"),
]


@pytest.mark.parametrize(("name", "change", "code"), CHANGES, ids=[change[0] for change in CHANGES])
def test_a_changed_document_never_verifies(name: str, change: Callable[[dict[str, Any]], Any], code: str) -> None:
    document = derived()
    change(document)
    with pytest.raises(VcError) as refused:
        verify_proofs(document, contexts=contexts())
    assert refused.value.code == code


def other_credential() -> dict[str, Any]:
    """The same statement by the same issuer about the same person, signed another time."""
    signed = sign_selective(
        PRC.document,
        key=KEY,
        created=datetime(2023, 8, 15, 23, 36, 38, tzinfo=UTC),
        mandatory=read(ECDSA, PRC.mandatory),
        contexts=contexts(),
        rand=lambda length: sha256(bytes([length])).digest() + bytes(length - 32),
    )
    return derive(hold(signed, contexts=contexts()), read(ECDSA, PRC.selective), rand=lambda length: b"")


def test_components_of_two_proofs_do_not_mix() -> None:
    """Each claim's signature is by a key of its own proof: claims of two credentials never become one."""
    document, other = derived(), other_credential()
    verify_proofs(other, contexts=contexts())
    theirs = ecdsa_sd_2023.parse_derived_proof_value(other["proof"]["proofValue"])
    for field in fields(DerivedProofValue):
        changed = with_value(document, **{field.name: getattr(theirs, field.name)})
        if changed == document:
            assert field.name == "mandatory_indexes"  # their places depend on the labels, and may be the same
            continue
        with pytest.raises(Rejected) as refused:
            verify_proofs(changed, contexts=contexts())
        assert refused.value.code == "PROOF_INVALID"


def test_changed_components_never_verify() -> None:
    document = derived()
    value = disclosed(PRC)
    first, second = value.label_map
    swapped = {first: value.label_map[second], second: value.label_map[first]}
    low = bytes(63) + b"\x01"
    changes: list[dict[str, Any]] = [
        {"base_signature": value.signatures[0]},
        {"base_signature": bytes(64)},
        {"public_key": P256.prefix + KEY.public.raw},
        {"signatures": value.signatures[::-1]},
        {"signatures": (*value.signatures[:-1], low)},
        {"signatures": value.signatures[:-1]},
        {"signatures": (*value.signatures, value.signatures[0])},
        {"signatures": ()},
        {"label_map": swapped},
        {"label_map": {first: value.label_map[first]}},
        {"label_map": {first: value.label_map[first], second: value.label_map[first]}},
        {"label_map": {first: "_:u" + encode_base64url(bytes(32)), second: value.label_map[second]}},
        {"mandatory_indexes": value.mandatory_indexes[1:]},
        {"mandatory_indexes": value.mandatory_indexes[::-1]},
        {"mandatory_indexes": (*value.mandatory_indexes, 99)},
        {"mandatory_indexes": ()},
    ]
    for change in changes:
        with pytest.raises((Rejected, Malformed)) as refused:
            verify_proofs(with_value(document, **change), contexts=contexts())
        assert refused.value.code in {"PROOF_INVALID", "CLAIM_ADDED", "CLAIM_DROPPED"}, change


def test_less_than_was_shown_can_be_passed_on() -> None:
    """No fault of ours but of the suite: what nobody may leave out has to be mandatory (docs/verification.md)."""
    document = derived()
    place = next(i for i, line in enumerate(PRC.read("verifyNQuads.json")) if "Arcadia" in line)
    value = disclosed(PRC)
    data = PRC.read("verifyCreateVerifyData.json")["nonMandatory"]
    signature = next(i for i, line in enumerate(data) if "Arcadia" in line)
    del document["credentialSubject"]["birthCountry"]
    less = with_value(
        document,
        signatures=value.signatures[:signature] + value.signatures[signature + 1 :],
        mandatory_indexes=tuple(index - (index > place) for index in value.mandatory_indexes),
    )
    verify_proofs(less, contexts=contexts())


def test_a_base_proof_is_refused_by_name() -> None:
    with pytest.raises(Rejected) as refused:
        verify_proofs(PRC.read("addSignedSDBase.json"), contexts=contexts())
    assert refused.value.code == "BASE_PROOF"


def components(header: bytes, value: Any) -> str:
    return "u" + encode_base64url(header + cbor2.dumps(value))


S: Final = bytes(64)
P: Final = P256.prefix + KEY.public.raw
EMPTY: Final = cbor2.dumps([S, P, [], {}, []])
NOT_DERIVED: Final = {
    "no multibase": "plain",
    "base58btc": "z2V0B",
    "empty": "u",
    "header only": "u2V0B",
    "header of bbs-2023": "u" + encode_base64url(b"\xd9\x5d\x03" + cbor2.dumps([S, P, [], {}, []])),
    "header that is none": "u" + encode_base64url(b"\xd9\x5d\x05" + cbor2.dumps([S, P, [], {}, []])),
    "not base64url": "u2V0B!!",
    "no list": components(DERIVED_PROOF, {}),
    "four components": components(DERIVED_PROOF, [S, P, [], {}]),
    "six components": components(DERIVED_PROOF, [S, P, [], {}, [], 0]),
    "components of a base proof": components(DERIVED_PROOF, [S, P, bytes(32), [], []]),
    "tagged component": components(DERIVED_PROOF, [cbor2.CBORTag(64, S), P, [], {}, []]),
    "tagged list": components(DERIVED_PROOF, cbor2.CBORTag(4, [S, P, [], {}, []])),
    "short signature": components(DERIVED_PROOF, [S[1:], P, [], {}, []]),
    "short claim signature": components(DERIVED_PROOF, [S, P, [S[1:]], {}, []]),
    "text for a signature": components(DERIVED_PROOF, [S, P, ["a" * 64], {}, []]),
    "key without its codec": components(DERIVED_PROOF, [S, P[2:], [], {}, []]),
    "key of the length that the specification prints": components(DERIVED_PROOF, [S, P + b"\0", [], {}, []]),
    "key of another kind": components(DERIVED_PROOF, [S, b"\x81\x24" + P[2:], [], {}, []]),
    "label of 31 bytes": components(DERIVED_PROOF, [S, P, [], {0: bytes(31)}, []]),
    "label that is a text": components(DERIVED_PROOF, [S, P, [], {0: "c14n0"}, []]),
    "label of a text": components(DERIVED_PROOF, [S, P, [], {"c14n0": bytes(32)}, []]),
    "label below nought": components(DERIVED_PROOF, [S, P, [], {-1: bytes(32)}, []]),
    "labels that join": components(DERIVED_PROOF, [S, P, [], {0: bytes(32), 1: bytes(32)}, []]),
    "index below nought": components(DERIVED_PROOF, [S, P, [], {}, [-1]]),
    "index twice": components(DERIVED_PROOF, [S, P, [], {}, [1, 1]]),
    "index that is a truth": components(DERIVED_PROOF, [S, P, [], {}, [True]]),
    "huge index": components(DERIVED_PROOF, [S, P, [], {}, [1 << 40]]),
    "bytes after": components(DERIVED_PROOF, [S, P, [], {}, []]) + "AA",
    "indefinite length": "u" + encode_base64url(DERIVED_PROOF + b"\x9f" + EMPTY[1:] + b"\xff"),
    "text that is not UTF-8": "u" + encode_base64url(DERIVED_PROOF + b"\x81\x61\xff"),
}


@pytest.mark.parametrize("value", NOT_DERIVED.values(), ids=NOT_DERIVED.keys())
def test_what_is_no_derived_proof(value: str) -> None:
    with pytest.raises(Malformed):
        ecdsa_sd_2023.parse_derived_proof_value(value)
    document = derived()
    document["proof"]["proofValue"] = value
    with pytest.raises(Malformed):
        verify_proofs(document, contexts=contexts())


NOT_BASE: Final = {
    "derived": components(DERIVED_PROOF, [S, P, bytes(32), [], []]),
    "four components": components(BASE_PROOF, [S, P, bytes(32), []]),
    "tagged component": components(BASE_PROOF, [S, P, cbor2.CBORTag(64, bytes(32)), [], []]),
    "short key": components(BASE_PROOF, [S, P, bytes(31), [], []]),
    "short signature": components(BASE_PROOF, [S, P, bytes(32), [S[1:]], []]),
    "pointer that is no text": components(BASE_PROOF, [S, P, bytes(32), [], [0]]),
    "too many pointers": components(BASE_PROOF, [S, P, bytes(32), [], [""] * 4097]),
}


@pytest.mark.parametrize("value", NOT_BASE.values(), ids=NOT_BASE.keys())
def test_what_is_no_base_proof(value: str) -> None:
    with pytest.raises(Malformed):
        ecdsa_sd_2023.parse_base_proof_value(value)


def test_points_off_the_curve_sign_nothing() -> None:
    off = next(P256.prefix + b"\x02" + number.to_bytes(32, "big") for number in range(1, 20) if not is_point(number))
    # The issuer's own signature is over the key's bytes, so only an issuer could bring such a key.
    hashes = (bytes(32), bytes(32))
    signed = KEY.sign(ecdsa_sd_2023.serialize_sign_data(hashes[0], off, hashes[1]))
    published = disclosed(PRC)
    value = replace(published, public_key=off, base_signature=signed, signatures=published.signatures[:1])
    with pytest.raises(Malformed) as refused:
        ecdsa_sd_2023.verify_signatures(KEY.public, value, hashes, ["a line\n"])
    assert refused.value.code == "BAD_KEY"


def is_point(number: int) -> bool:
    try:
        ecdsa.load_public(ecdsa.P256, b"\x02" + number.to_bytes(32, "big"))
    except Malformed:
        return False
    return True


@settings(deadline=None, max_examples=250)
@given(st.integers(0, 1 << 20))
def test_no_flipped_bit_of_a_derived_proof_verifies(bit: int) -> None:
    document = derived()
    value = bytearray(decode_base64url(document["proof"]["proofValue"][1:]))
    value[bit // 8 % len(value)] ^= 1 << bit % 8
    document["proof"]["proofValue"] = "u" + encode_base64url(bytes(value))
    with pytest.raises((Rejected, Malformed)):
        verify_proofs(document, contexts=contexts())


@settings(deadline=None, max_examples=250)
@given(st.integers(0, 1 << 20))
def test_no_flipped_bit_of_a_base_proof_is_held(bit: int) -> None:
    document = PRC.read("addSignedSDBase.json")
    value = bytearray(decode_base64url(document["proof"]["proofValue"][1:]))
    value[bit // 8 % len(value)] ^= 1 << bit % 8
    document["proof"]["proofValue"] = "u" + encode_base64url(bytes(value))
    with pytest.raises(VcError):
        hold(document, contexts=contexts())


@settings(deadline=None, max_examples=250)
@given(st.data())
def test_only_our_errors_leave_and_nothing_else_verifies(data: st.DataObject) -> None:
    raw = (PRC.steps / "derivedRevealDocument.json").read_bytes()
    at = data.draw(st.integers(0, len(raw) - 1))
    changed = raw[:at] + data.draw(st.binary(max_size=3)) + raw[at + data.draw(st.integers(0, 3)) :]
    try:
        document = parse_object(changed)
        verify_proofs(document, contexts=contexts())
    except VcError:
        return
    assert document == parse_object(raw)


CBOR: Final = st.recursive(
    st.binary(max_size=70) | st.text(max_size=5) | st.integers() | st.sampled_from([S, P]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.integers(0, 3), inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=60) | st.lists(CBOR, min_size=5, max_size=5).map(cbor2.dumps), st.booleans())
def test_only_our_errors_leave_a_proof_value(tail: bytes, is_base: bool) -> None:
    document = PRC.read("addSignedSDBase.json") if is_base else derived()
    document["proof"]["proofValue"] = "u" + encode_base64url((BASE_PROOF if is_base else DERIVED_PROOF) + tail)
    with pytest.raises(VcError):
        (hold if is_base else verify_proofs)(document, contexts=contexts())


# --- the short road --------------------------------------------------------------------------------------------------

# Literals that look like blank nodes, quotes, or what other implementations put in their place for a while.
TRICKY: Final = [
    "_:b0",
    "_:c14n0",
    '"quoted" \\ and\nbroken',
    "urn:bnid:_:b0",
    "<urn:custom-scheme:b1>",
    "u2V0B",
    "é€🎈",
]


def tricky() -> dict[str, Any]:
    document = PRC.document
    subject = document["credentialSubject"]
    subject.update(givenName=TRICKY[0], familyName=TRICKY[1], gender=TRICKY[2], birthCountry=TRICKY[3])
    subject.update(commuterClassification=TRICKY[4])
    document.update(name=TRICKY[5], description=TRICKY[6])
    return document


def chance() -> Callable[[int], bytes]:
    """Different bytes at every call, the same in every run."""
    calls = 0

    def rand(length: int) -> bytes:
        nonlocal calls
        calls += 1
        return (sha256(calls.to_bytes(4, "big")).digest() * 2)[:length]

    return rand


POINTERS: Final = [
    "/name",
    "/description",
    "/validFrom",
    "/credentialSubject/givenName",
    "/credentialSubject/familyName",
    "/credentialSubject/gender",
    "/credentialSubject/birthCountry",
    "/credentialSubject/commuterClassification",
]
SIGNED: Final = sign_selective(tricky(), key=KEY, created=AT, mandatory=["/issuer"], contexts=contexts(), rand=chance())


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(POINTERS), unique=True))
def test_every_selection_holds_and_shows_no_more(pointers: list[str]) -> None:
    base = hold(parse_object(to_json(SIGNED)), contexts=contexts())
    made = parse_object(to_json(derive(base, pointers, rand=chance())))
    verify_proofs(made, contexts=contexts())
    subject = made.get("credentialSubject", {})
    assert isinstance(subject, dict)
    shown = {f"/{name}" for name in made} | {f"/credentialSubject/{name}" for name in subject}
    assert {pointer for pointer in POINTERS if pointer in shown} == set(pointers)
    for pointer in set(POINTERS) - set(pointers):
        *_, name = pointer.split("/")
        value = SIGNED.get(name) or SIGNED["credentialSubject"][name]  # type: ignore[index,call-overload]
        assert to_json(value) not in to_json(made)


def test_a_proof_key_signs_for_one_proof() -> None:
    rand = chance()
    keys = {
        ecdsa_sd_2023.parse_base_proof_value(
            parse_proof(
                sign_selective(PRC.document, key=KEY, created=AT, mandatory=[], contexts=contexts(), rand=rand)["proof"]
            ).value
        ).public_key
        for _ in range(3)
    }
    assert len(keys) == 3


def test_without_mandatory_pointers_everything_is_selectable() -> None:
    signed = sign_selective(PRC.document, key=KEY, created=AT, mandatory=[], contexts=contexts(), rand=chance())
    base = hold(signed, contexts=contexts())
    assert isinstance(base, HeldBase)
    assert base.base.mandatory_pointers == ()
    assert len(base.base.signatures) == len(canonicalize(PRC.located.quads).quads)
    verify_proofs(derive(base, ["/name"], rand=chance()), contexts=contexts())
    verify_proofs(derive(base, [""], rand=chance()), contexts=contexts())
    with pytest.raises(Malformed) as refused:
        derive(base, [], rand=chance())
    assert refused.value.code == "BAD_POINTER"


@pytest.mark.parametrize("pointer", ["/nothing", "/credentialSubject/type/9", "name", "/@context/0"])
def test_pointers_that_name_nothing_are_refused(pointer: str) -> None:
    with pytest.raises(Malformed) as refused:
        sign_selective(PRC.document, key=KEY, created=AT, mandatory=[pointer], contexts=contexts(), rand=chance())
    assert refused.value.code == "BAD_POINTER"
    with pytest.raises(Malformed) as refused:
        derive(held(PRC), [pointer], rand=chance())
    assert refused.value.code == "BAD_POINTER"


def test_keys_of_other_kinds_are_refused() -> None:
    signers: list[Signer] = [P384Key.from_secret(bytes(range(48))), Ed25519Key.from_seed(bytes(32))]
    for key in signers:
        with pytest.raises(Unsupported) as unsupported:
            sign_selective(PRC.document, key=key, created=AT, mandatory=[], contexts=contexts(), rand=chance())
        assert unsupported.value.code == "UNSUPPORTED_KEY"
        for document in (derived(), PRC.read("addSignedSDBase.json")):
            document["proof"]["verificationMethod"] = key.verification_method
            with pytest.raises(VcError):
                verify_proofs(document, contexts=contexts())
            with pytest.raises(VcError):
                hold(document, contexts=contexts())


def test_a_presentation_header_has_no_place() -> None:
    with pytest.raises(Unsupported):
        derive(held(PRC), ["/name"], rand=chance(), presentation_header=b"occasion")


def test_the_key_chooses_the_suite() -> None:
    bls = Bls12381Key.from_secret(bytes(31) + b"\x05")
    for key, kind in ((KEY, HeldBase), (bls, bbs_2023.HeldBase)):
        signed = sign_selective(
            PRC.document, key=key, created=AT, mandatory=["/issuer"], contexts=contexts(), rand=chance()
        )
        base = hold(signed, contexts=contexts())
        assert isinstance(base, kind)
        made = derive(base, ["/name"], rand=chance())
        (method,) = verify_proofs(made, contexts=contexts())
        assert method.public == key.public


def test_a_holder_refuses_what_the_issuer_did_not_sign() -> None:
    signed = PRC.read("addSignedSDBase.json")
    for change in (
        {"name": "Another card"},
        {"issuer": "https://vc.example/another"},
        {"proof": {**signed["proof"], "verificationMethod": PROOF_KEY.verification_method}},
        {"proof": {**signed["proof"], "created": "2023-08-15T23:36:39Z"}},
        {"proof": [signed["proof"], signed["proof"]]},
    ):
        with pytest.raises((Rejected, Malformed)):
            hold({**signed, **change}, contexts=contexts())


def test_a_claim_is_signed_as_its_line() -> None:
    """What another implementation needs to know: UTF-8 of the N-Quads line with its end, SHA-256, r and s."""
    value = made_base_value(PRC)
    lines = list(as_map(PRC.read("addBaseTransform.json")["nonMandatory"]).values())
    for line, signature in zip(lines, value.signatures, strict=True):
        assert line.endswith(" .\n")
        verify_ecdsa(PROOF_KEY.public, line.encode(), signature)
    config = text(PRC.steps, "addProofConfigCanon.txt").encode()
    mandatory = "".join(as_map(PRC.read("addBaseTransform.json")["mandatory"]).values()).encode()
    data = sha256(config).digest() + P256.prefix + PROOF_KEY.public.raw + sha256(mandatory).digest()
    verify_ecdsa(resolve_method(KEY.verification_method).public, data, value.base_signature)


# --- a whole presentation --------------------------------------------------------------------------------------------

HOLDER: Final = P256Key.from_secret(bytes(31) + b"\x09")
CONTEXT: Final = ("https://www.w3.org/ns/credentials/v2", "https://w3id.org/citizenship/v4rc1")
TYPES: Final = ["PermanentResidentCardCredential"]
CHALLENGE: Final = {"challenge": "n-1", "domain": "verifier.example"}


def trust() -> Trust:
    key: Json = {"id": KEY.verification_method, "validFrom": "2026-11-01T00:00:00Z"}
    issuer: Json = {"name": "Utopia", "legalIdentifier": "1", "mayAttest": list[Json](TYPES), "keys": [key]}
    listed: dict[str, Json] = {
        "type": "OuvrageTrust",
        "version": 1,
        "asOf": "2026-11-24T00:00:00Z",
        "issuers": [issuer],
        "public": [],
    }
    return parse_trust(to_json(listed), contexts=contexts())


def own_copy(subject: dict[str, Any]) -> dict[str, Any]:
    """A base document for the holder, whose key is always shown where it is named at all."""
    document = {**PRC.document, "issuer": KEY.did, "validUntil": "2026-12-31T23:59:59Z"}
    document["credentialSubject"] = {**document["credentialSubject"], **subject}
    mandatory = ["/issuer", "/validUntil", "/credentialSubject/type"]
    return sign_selective(document, key=KEY, created=AT, mandatory=mandatory, contexts=contexts(), rand=chance())


def presentation(credential: dict[str, Any], **members: Any) -> dict[str, Any]:
    kind: dict[str, Any] = {"@context": [CONTEXT[0]], "type": ["VerifiablePresentation"]}
    return {**kind, "verifiableCredential": [credential], **members}


def signed_presentation(credential: dict[str, Any]) -> dict[str, Any]:
    unsigned = presentation(credential, holder=HOLDER.did)
    return sign(unsigned, key=HOLDER, created=AT, contexts=contexts(), purpose="authentication", **CHALLENGE)


def test_a_presentation_signed_by_a_p256_key_of_a_p256_credential() -> None:
    base = own_copy({"id": HOLDER.did})
    made = derive(hold(base, contexts=contexts()), ["/credentialSubject/birthCountry"], rand=chance())
    policy = Policy(context_lists=frozenset({CONTEXT}))
    verified = verify_presentation(signed_presentation(made), trust=trust(), policy=policy, at=AT, **CHALLENGE)
    (credential,) = verified.credentials
    assert (credential.suite, credential.binding, verified.holder) == ("ecdsa-sd-2023", Binding.KEY, HOLDER.did)
    assert credential.claims == {"type": ["PermanentResident", "Person"], "birthCountry": "Arcadia"}
    with pytest.raises(Rejected) as refused:
        verify_presentation(signed_presentation(base), trust=trust(), policy=policy, at=AT, **CHALLENGE)
    assert refused.value.code == "BASE_PROOF"


def test_an_unsigned_presentation_is_bound_to_nothing() -> None:
    made = derive(hold(own_copy({}), contexts=contexts()), ["/credentialSubject/birthCountry"], rand=chance())
    policy = Policy(context_lists=frozenset({CONTEXT}), bindings=frozenset({Binding.POSSESSION}))
    with pytest.raises(Rejected) as refused:
        verify_presentation(presentation(made), trust=trust(), policy=policy, at=AT, **CHALLENGE)
    assert refused.value.code == "CHALLENGE_MISMATCH"
