"""bbs-2023, baseline (vc-di-bbs): selective and unlinkable. One function per step of the specification.

The optional features are in vc/suites/bbs_2023_features.py, which takes from here every step that is the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from vc import bbs, cbor
from vc.canon import Json, to_json
from vc.did import VerificationMethod
from vc.errors import Finding, Malformed, Rejected, Unsupported
from vc.jsonld import Contexts, Located, to_rdf
from vc.keys import BLS12_381_G2, Bls12381Key, KeyKind
from vc.model import Object, Proof
from vc.suites.plain import canonical_configuration, proof_configuration
from vc.suites.proof_value import (
    AT,
    check_count,
    disclose,
    parse_components,
    parse_indexes,
    refuse_base_proof,
    separate,
    serialize_components,
)
from vc.suites.selective import (
    MAX_POINTERS,
    Labelled,
    LabelMap,
    Path,
    TransformedDocument,
    canonicalize_and_group,
    create_label_map_function,
    create_shuffled_id_label_map_function,
    hash_mandatory_nquads,
    label,
    label_replacement_canonicalize,
    parse_pointers,
)

BASE_PROOF: Final = b"\xd9\x5d\x02"
DERIVED_PROOF: Final = b"\xd9\x5d\x03"
# How proof values with an optional feature start, base and derived: the bytes d9 5d 04 to d9 5d 09 as multibase.
FEATURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "u2V0E": "anonymous_holder_binding",
        "u2V0F": "anonymous_holder_binding",
        "u2V0G": "pseudonym",
        "u2V0H": "pseudonym",
        "u2V0I": "holder_binding_pseudonym",
        "u2V0J": "holder_binding_pseudonym",
    }
)
HMAC_KEY_LENGTH: Final = 32  # RFC 2104: as long as the digest


@dataclass(frozen=True, slots=True)
class BaseProofValue:
    """The components of a base proof (vc-di-bbs#serializebaseproofvalue)."""

    bbs_signature: bytes
    bbs_header: bytes
    public_key: bytes
    hmac_key: bytes
    mandatory_pointers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DerivedProofValue:
    """The components of a derived proof (vc-di-bbs#serializederivedproofvalue)."""

    bbs_proof: bytes
    label_map: LabelMap  # canonical term to signed term, both spelt "_:…"
    mandatory_indexes: tuple[int, ...]
    selective_indexes: tuple[int, ...]
    presentation_header: bytes


@dataclass(frozen=True, slots=True)
class HeldBase:
    """A base proof that its holder has verified, with all that deriving from it needs computed once."""

    document: Object
    proof: Proof
    base: BaseProofValue
    labelled: Labelled
    held: bbs.Held


@dataclass(frozen=True, slots=True)
class DisclosureData:
    """Outcome of createDisclosureData (vc-di-bbs#createdisclosuredata)."""

    bbs_proof: bytes
    label_map: LabelMap
    mandatory_indexes: tuple[int, ...]
    selective_indexes: tuple[int, ...]
    reveal_document: dict[str, Json]


@dataclass(frozen=True, slots=True)
class VerifyData:
    """Outcome of createVerifyData (vc-di-bbs#createverifydata)."""

    proof_hash: bytes
    mandatory_hash: bytes
    non_mandatory: tuple[str, ...]
    value: DerivedProofValue


@dataclass(frozen=True, slots=True)
class Bbs2023Suite:
    """The suite's row: its names, its kinds of key and its verification."""

    name: str
    proof_type: str
    key_kinds: tuple[KeyKind, ...]

    def verify(self, document: Object, proof: Proof, *, method: VerificationMethod, contexts: Contexts) -> None:
        """Raise unless ``proof`` is a derived proof of the method's key over ``document``."""
        verify_derived_proof(document, proof, method=method, contexts=contexts)


SUITE: Final = Bbs2023Suite("bbs-2023", "DataIntegrityProof", (BLS12_381_G2,))


def create_base_proof(
    document: Object,
    options: Object,
    *,
    key: Bls12381Key,
    mandatory_pointers: Sequence[str],
    contexts: Contexts,
    rand: Callable[[int], bytes],
) -> dict[str, Json]:
    """vc-di-bbs#create-base-proof-bbs-2023. Raises :class:`Malformed` for pointers that name nothing."""
    hmac_key = rand(HMAC_KEY_LENGTH)
    paths = parse_pointers(mandatory_pointers, document, where="/mandatoryPointers")
    header, signed = to_be_signed(document, options, to_rdf(document, contexts), paths, hmac_key, contexts)
    signature = key.sign_messages(header, signed)
    value = BaseProofValue(signature, header, key.public.raw, hmac_key, tuple(mandatory_pointers))
    return {**options, "proofValue": serialize_base_proof_value(value)}


def to_be_signed(
    document: Object, options: Object, located: Located, mandatory: Sequence[Path], hmac_key: bytes, contexts: Contexts
) -> tuple[bytes, list[bytes]]:
    """vc-di-bbs#base-proof-serialization-bbs-2023, steps 2 and 3: ``bbsHeader`` and ``bbsMessages``."""
    transformed = base_proof_transformation(located, mandatory, hmac_key)
    config = base_proof_configuration(options, document, contexts)
    return b"".join(base_proof_hashing(transformed, config)), messages(transformed.non_mandatory)


def base_proof_transformation(located: Located, mandatory: Sequence[Path], hmac_key: bytes) -> TransformedDocument:
    """vc-di-bbs#base-proof-transformation-bbs-2023."""
    factory = create_shuffled_id_label_map_function(hmac_key)
    chosen = canonicalize_and_group(located, factory, {"mandatory": mandatory}).groups["mandatory"]
    return TransformedDocument(chosen.matching, chosen.non_matching)


def base_proof_configuration(options: Object, document: Object, contexts: Contexts) -> bytes:
    """vc-di-bbs#base-proof-configuration-bbs-2023: the canonical proof configuration."""
    return canonical_configuration(to_json(proof_configuration(options, document)), contexts)


def base_proof_hashing(transformed: TransformedDocument, canonical_proof_config: bytes) -> tuple[bytes, bytes]:
    """vc-di-bbs#base-proof-hashing-bbs-2023: ``(proofHash, mandatoryHash)``."""
    return sha256(canonical_proof_config).digest(), hash_mandatory_nquads(transformed.mandatory.values())


def messages(non_mandatory: Mapping[int, str]) -> list[bytes]:
    """The BBS messages of the claims that are not mandatory."""
    return [line.encode("utf-8") for line in non_mandatory.values()]


def serialize_base_proof_value(value: BaseProofValue) -> str:
    """vc-di-bbs#serializebaseproofvalue."""
    return serialize_components(BASE_PROOF, base_proof_components(value))


def base_proof_components(value: BaseProofValue) -> list[cbor.Cbor]:
    """vc-di-bbs#serializebaseproofvalue: the components that every option has."""
    return [
        value.bbs_signature,
        value.bbs_header,
        value.public_key,
        value.hmac_key,
        list(value.mandatory_pointers),
    ]


def parse_base_proof_value(proof_value: str) -> BaseProofValue:
    """vc-di-bbs#parsebaseproofvalue. Raises :class:`Malformed`."""
    refuse_feature(proof_value)
    return parse_base_components(parse_components(proof_value, BASE_PROOF, suite="bbs-2023"))


def parse_base_components(components: object) -> BaseProofValue:
    """vc-di-bbs#parsebaseproofvalue, last step, for what every option has. Raises :class:`Malformed`."""
    match components:
        case [bytes(signature), bytes(header), bytes(public_key), bytes(hmac_key), list(pointers)] if (
            len(signature) == 80
            and len(header) == 64
            and len(public_key) == 96
            and len(hmac_key) == HMAC_KEY_LENGTH
            and len(pointers) <= MAX_POINTERS
            and all(isinstance(pointer, str) for pointer in pointers)
        ):
            return BaseProofValue(signature, header, public_key, hmac_key, tuple(pointers))
    raise Malformed(AT, "not the components of a bbs-2023 base proof", code="PROOF_INVALID")


def refuse_feature(proof_value: str) -> None:
    """Raise :class:`Unsupported` for a proof value with an optional feature, which only an explicit flag lets in."""
    if option := FEATURES.get(proof_value[:5]):
        raise unsupported_feature(option)


def unsupported_feature(option: str) -> Unsupported:
    """The answer to an optional feature that nobody has asked for by its flag."""
    return Unsupported("bbs-2023 feature without experimental=True", option, code="UNSUPPORTED_FEATURE")


def is_base_proof(proof_value: str) -> bool:
    """Whether a proof value announces a base proof, which only its holder may see."""
    return proof_value.startswith("u2V0C")


def hold(document: Object, proof: Proof, *, method: VerificationMethod, contexts: Contexts) -> HeldBase:
    """Verify a base proof as its holder, and keep what deriving needs.

    Raises :class:`Malformed`, or :class:`Rejected` where the signature is not the method's over ``document``.
    """
    base = parse_base_proof_value(proof.value)
    located = to_rdf(document, contexts)
    signed = signed_messages(document, proof, base, located=located, method=method, contexts=contexts)
    held = bbs.hold(base.public_key, base.bbs_signature, base.bbs_header, signed)
    labelled = label(located, create_shuffled_id_label_map_function(base.hmac_key))
    return HeldBase(document, proof, base, labelled, held)


def signed_messages(
    document: Object,
    proof: Proof,
    base: BaseProofValue,
    *,
    located: Located,
    method: VerificationMethod,
    contexts: Contexts,
) -> list[bytes]:
    """The messages that a base proof says to sign, once its key and its header are found to be right.

    Raises :class:`Malformed` or :class:`Rejected`. The signature itself is still to be checked.
    """
    if base.public_key != method.public.raw:
        raise Rejected((Finding("PROOF_INVALID", "the base proof names another key than its verification method", AT),))
    paths = parse_pointers(base.mandatory_pointers, document, where=AT)
    header, signed = to_be_signed(document, proof.options, located, paths, base.hmac_key, contexts)
    if header != base.bbs_header:
        raise Rejected((Finding("PROOF_INVALID", "the mandatory claims are not those that were signed", "/proof"),))
    return signed


def add_derived_proof(
    base: HeldBase,
    selective_pointers: Sequence[str],
    *,
    presentation_header: bytes,
    rand: Callable[[int], bytes],
) -> dict[str, Json]:
    """vc-di-bbs#add-derived-proof-bbs-2023: the secured document that shows the selected and mandatory claims."""
    data = create_disclosure_data(base, selective_pointers, presentation_header=presentation_header, rand=rand)
    value = DerivedProofValue(
        data.bbs_proof, data.label_map, data.mandatory_indexes, data.selective_indexes, presentation_header
    )
    proof = {**base.proof.options, "proofValue": serialize_derived_proof_value(value)}
    return {**data.reveal_document, "proof": proof}


def create_disclosure_data(
    base: HeldBase,
    selective_pointers: Sequence[str],
    *,
    presentation_header: bytes,
    rand: Callable[[int], bytes],
) -> DisclosureData:
    """vc-di-bbs#createdisclosuredata. Raises :class:`Malformed` for pointers that name nothing."""
    chosen = disclose(base.document, base.labelled, base.base.mandatory_pointers, selective_pointers)
    return DisclosureData(
        bbs_proof=bbs.proof_gen(
            base.held, presentation_header=presentation_header, disclosed_indexes=chosen.selective_indexes, rand=rand
        ),
        label_map=chosen.label_map,
        mandatory_indexes=chosen.mandatory_indexes,
        selective_indexes=chosen.selective_indexes,
        reveal_document=chosen.reveal_document,
    )


def compress_label_map(label_map: LabelMap) -> dict[int, int]:
    """vc-di-bbs#compresslabelmap: from _:c14nX to _:bY, as X to Y."""
    return {int(canonical[6:]): int(label[3:]) for canonical, label in label_map.items()}


def decompress_label_map(compressed: Mapping[object, object]) -> LabelMap:
    """vc-di-bbs#decompresslabelmap. Raises :class:`Malformed`."""
    if not all(type(part) is int and 0 <= part < MAX_POINTERS for entry in compressed.items() for part in entry):
        raise Malformed(AT, "a label map from numbers to numbers is needed", code="PROOF_INVALID")
    label_map = {f"_:c14n{canonical}": f"_:b{label}" for canonical, label in compressed.items()}
    if len(set(label_map.values())) != len(label_map):
        raise Malformed(AT, "a label map that joins blank nodes", code="PROOF_INVALID")
    return label_map


def serialize_derived_proof_value(value: DerivedProofValue) -> str:
    """vc-di-bbs#serializederivedproofvalue."""
    return serialize_components(DERIVED_PROOF, derived_proof_components(value))


def derived_proof_components(value: DerivedProofValue) -> list[cbor.Cbor]:
    """vc-di-bbs#serializederivedproofvalue: the components that every option has."""
    return [
        value.bbs_proof,
        compress_label_map(value.label_map),
        list(value.mandatory_indexes),
        list(value.selective_indexes),
        value.presentation_header,
    ]


def parse_derived_proof_value(proof_value: str) -> DerivedProofValue:
    """vc-di-bbs#parsederivedproofvalue. Raises :class:`Malformed`."""
    refuse_feature(proof_value)
    return parse_derived_components(parse_components(proof_value, DERIVED_PROOF, suite="bbs-2023"))


def parse_derived_components(components: object) -> DerivedProofValue:
    """vc-di-bbs#parsederivedproofvalue, last step, for what every option has. Raises :class:`Malformed`."""
    match components:
        case [bytes(proof), dict(label_map), list(mandatory), list(selective), bytes(header)]:
            return DerivedProofValue(
                proof, decompress_label_map(label_map), parse_indexes(mandatory), parse_indexes(selective), header
            )
    raise Malformed(AT, "not the components of a bbs-2023 derived proof", code="PROOF_INVALID")


def create_verify_data(document: Object, proof: Proof, contexts: Contexts) -> VerifyData:
    """vc-di-bbs#createverifydata. Raises :class:`Malformed`."""
    return verify_data(document, proof, parse_derived_proof_value(proof.value), contexts)


def verify_data(document: Object, proof: Proof, value: DerivedProofValue, contexts: Contexts) -> VerifyData:
    """vc-di-bbs#createverifydata, all steps but parsing the proof value. Raises :class:`Malformed`."""
    config = base_proof_configuration(proof.options, document, contexts)
    _, lines = label_replacement_canonicalize(
        to_rdf(document, contexts).quads, create_label_map_function(value.label_map)
    )
    mandatory, non_mandatory = separate(sorted(set(lines)), value.mandatory_indexes)
    return VerifyData(
        proof_hash=sha256(config).digest(),
        mandatory_hash=hash_mandatory_nquads(mandatory),
        non_mandatory=non_mandatory,
        value=value,
    )


def verify_derived_proof(document: Object, proof: Proof, *, method: VerificationMethod, contexts: Contexts) -> None:
    """vc-di-bbs#verify-derived-proof-bbs-2023: raise unless the proof is the method's over ``document``.

    A base proof gets a finding of its own: who shows one gives away every claim and the means to show them again.
    """
    if is_base_proof(proof.value):
        refuse_base_proof()
    data = create_verify_data(document, proof, contexts)
    check_count(len(data.non_mandatory), len(data.value.selective_indexes))
    bbs.proof_verify(
        method.public.raw,
        data.value.bbs_proof,
        header=data.proof_hash + data.mandatory_hash,
        presentation_header=data.value.presentation_header,
        disclosed_messages=[line.encode("utf-8") for line in data.non_mandatory],
        disclosed_indexes=data.value.selective_indexes,
    )
