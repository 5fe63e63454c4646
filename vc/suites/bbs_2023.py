"""bbs-2023, baseline (vc-di-bbs): selective and unlinkable. One function per step of the specification."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Final

from vc import bbs, cbor
from vc.canon import Json, to_json
from vc.did import VerificationMethod
from vc.errors import Finding, Malformed, Rejected
from vc.jsonld import Contexts, Located, to_rdf
from vc.keys import BLS12_381_G2, Bls12381Key, KeyKind
from vc.model import Object, Proof
from vc.multibase import decode_base64url, encode_base64url
from vc.rdf import canonicalize
from vc.suites.plain import canonical_configuration, proof_configuration
from vc.suites.selective import (
    MAX_POINTERS,
    Groups,
    LabelMap,
    Path,
    canonicalize_and_group,
    create_label_map_function,
    create_shuffled_id_label_map_function,
    hash_mandatory_nquads,
    label_replacement_canonicalize,
    parse_pointers,
    select_json_ld,
)

BASE_PROOF: Final = b"\xd9\x5d\x02"
DERIVED_PROOF: Final = b"\xd9\x5d\x03"
HMAC_KEY_LENGTH: Final = 32  # RFC 2104: as long as the digest

_AT: Final = "/proof/proofValue"


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
class TransformedDocument:
    """Outcome of base proof transformation: canonical N-Quads by index."""

    mandatory: Mapping[int, str]
    non_mandatory: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class HeldBase:
    """A base proof that its holder has verified, with all that deriving from it needs computed once."""

    document: Object
    proof: Proof
    base: BaseProofValue
    located: Located
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
    """The suite's row: its names, its kind of key and its verification."""

    name: str
    proof_type: str
    key_kind: KeyKind

    def verify(self, document: Object, proof: Proof, *, method: VerificationMethod, contexts: Contexts) -> None:
        """Raise unless ``proof`` is a derived proof of the method's key over ``document``."""
        verify_derived_proof(document, proof, method=method, contexts=contexts)


SUITE: Final = Bbs2023Suite("bbs-2023", "DataIntegrityProof", BLS12_381_G2)


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
    transformed = base_proof_transformation(to_rdf(document, contexts), paths, hmac_key)
    config = base_proof_configuration(options, document, contexts)
    proof_hash, mandatory_hash = base_proof_hashing(transformed, config)
    header = proof_hash + mandatory_hash
    signature = key.sign_messages(header, messages(transformed.non_mandatory))
    value = BaseProofValue(signature, header, key.public.raw, hmac_key, tuple(mandatory_pointers))
    return {**options, "proofValue": serialize_base_proof_value(value)}


def base_proof_transformation(located: Located, mandatory: Sequence[Path], hmac_key: bytes) -> TransformedDocument:
    """vc-di-bbs#base-proof-transformation-bbs-2023."""
    factory = create_shuffled_id_label_map_function(hmac_key)
    group = canonicalize_and_group(located, factory, {"mandatory": mandatory}).groups["mandatory"]
    return TransformedDocument(group.matching, group.non_matching)


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
    components: cbor.Cbor = [
        value.bbs_signature,
        value.bbs_header,
        value.public_key,
        value.hmac_key,
        list(value.mandatory_pointers),
    ]
    return "u" + encode_base64url(BASE_PROOF + cbor.encode(components))


def parse_base_proof_value(proof_value: str) -> BaseProofValue:
    """vc-di-bbs#parsebaseproofvalue. Raises :class:`Malformed`."""
    match _components(proof_value, BASE_PROOF):
        case [bytes(signature), bytes(header), bytes(public_key), bytes(hmac_key), list(pointers)] if (
            len(signature) == 80
            and len(header) == 64
            and len(public_key) == 96
            and len(hmac_key) == HMAC_KEY_LENGTH
            and len(pointers) <= MAX_POINTERS
            and all(isinstance(pointer, str) for pointer in pointers)
        ):
            return BaseProofValue(signature, header, public_key, hmac_key, tuple(pointers))
    raise Malformed(_AT, "not the components of a bbs-2023 base proof", code="PROOF_INVALID")


def is_base_proof(proof_value: str) -> bool:
    """Whether a proof value announces a base proof, which only its holder may see."""
    return proof_value.startswith("u2V0C")


def _components(proof_value: str, header: bytes) -> object:
    data = decode_base64url(proof_value[1:], where=_AT) if proof_value.startswith("u") else b""
    if data[:3] != header:
        raise Malformed(_AT, "not a baseline proof of bbs-2023 of the kind expected here", code="PROOF_INVALID")
    return cbor.decode(data[3:], where=_AT)


def hold(document: Object, proof: Proof, *, method: VerificationMethod, contexts: Contexts) -> HeldBase:
    """Verify a base proof as its holder, and keep what deriving needs.

    Raises :class:`Malformed`, or :class:`Rejected` where the signature is not the method's over ``document``.
    """
    base = parse_base_proof_value(proof.value)
    if base.public_key != method.public.raw:
        raise Rejected(
            (Finding("PROOF_INVALID", "the base proof names another key than its verification method", _AT),)
        )
    located = to_rdf(document, contexts)
    paths = parse_pointers(base.mandatory_pointers, document, where=_AT)
    transformed = base_proof_transformation(located, paths, base.hmac_key)
    config = base_proof_configuration(proof.options, document, contexts)
    if b"".join(base_proof_hashing(transformed, config)) != base.bbs_header:
        raise Rejected((Finding("PROOF_INVALID", "the mandatory claims are not those that were signed", "/proof"),))
    signed = messages(transformed.non_mandatory)
    held = bbs.hold(base.public_key, base.bbs_signature, base.bbs_header, signed)
    return HeldBase(document, proof, base, located, held)


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
    mandatory = parse_pointers(base.base.mandatory_pointers, base.document, where=_AT)
    selective = parse_pointers(selective_pointers, base.document, where="/selectivePointers")
    combined = (*mandatory, *selective)
    groups = canonicalize_and_group(
        base.located,
        create_shuffled_id_label_map_function(base.base.hmac_key),
        {"mandatory": mandatory, "selective": selective, "combined": combined},
    )
    mandatory_indexes, selective_indexes = relative_indexes(groups)
    reveal_document = select_json_ld(combined, base.document)
    if reveal_document is None:
        raise Malformed("/selectivePointers", "nothing is selected and nothing is mandatory", code="BAD_POINTER")
    return DisclosureData(
        bbs_proof=bbs.proof_gen(
            base.held, presentation_header=presentation_header, disclosed_indexes=selective_indexes, rand=rand
        ),
        label_map=verifier_label_map(groups),
        mandatory_indexes=mandatory_indexes,
        selective_indexes=selective_indexes,
        reveal_document=reveal_document,
    )


def relative_indexes(groups: Groups) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """vc-di-bbs#createdisclosuredata, steps 7 and 8: mandatory quads by their place among the combined ones, selected
    quads by their place among the non-mandatory ones."""
    combined = {index: place for place, index in enumerate(groups.groups["combined"].matching)}
    non_mandatory = {index: place for place, index in enumerate(groups.groups["mandatory"].non_matching)}
    return (
        tuple(combined[index] for index in groups.groups["mandatory"].matching),
        tuple(non_mandatory[index] for index in groups.groups["selective"].matching if index in non_mandatory),
    )


def verifier_label_map(groups: Groups) -> LabelMap:
    """vc-di-bbs#createdisclosuredata, steps 12 to 14: from a verifier's labels to the signed ones."""
    canonical_ids = canonicalize(groups.groups["combined"].quads).labels
    return {canonical: groups.label_map[label] for label, canonical in canonical_ids.items()}


def compress_label_map(label_map: LabelMap) -> dict[int, int]:
    """vc-di-bbs#compresslabelmap: from _:c14nX to _:bY, as X to Y."""
    return {int(canonical[6:]): int(label[3:]) for canonical, label in label_map.items()}


def decompress_label_map(compressed: Mapping[object, object]) -> LabelMap:
    """vc-di-bbs#decompresslabelmap. Raises :class:`Malformed`."""
    if not all(type(part) is int and 0 <= part < MAX_POINTERS for entry in compressed.items() for part in entry):
        raise Malformed(_AT, "a label map from numbers to numbers is needed", code="PROOF_INVALID")
    label_map = {f"_:c14n{canonical}": f"_:b{label}" for canonical, label in compressed.items()}
    if len(set(label_map.values())) != len(label_map):
        raise Malformed(_AT, "a label map that joins blank nodes", code="PROOF_INVALID")
    return label_map


def serialize_derived_proof_value(value: DerivedProofValue) -> str:
    """vc-di-bbs#serializederivedproofvalue."""
    components: cbor.Cbor = [
        value.bbs_proof,
        compress_label_map(value.label_map),
        list(value.mandatory_indexes),
        list(value.selective_indexes),
        value.presentation_header,
    ]
    return "u" + encode_base64url(DERIVED_PROOF + cbor.encode(components))


def parse_derived_proof_value(proof_value: str) -> DerivedProofValue:
    """vc-di-bbs#parsederivedproofvalue. Raises :class:`Malformed`."""
    match _components(proof_value, DERIVED_PROOF):
        case [bytes(proof), dict(label_map), list(mandatory), list(selective), bytes(header)]:
            return DerivedProofValue(
                proof, decompress_label_map(label_map), _indexes(mandatory), _indexes(selective), header
            )
    raise Malformed(_AT, "not the components of a bbs-2023 derived proof", code="PROOF_INVALID")


def _indexes(values: Sequence[object]) -> tuple[int, ...]:
    """Ascending indexes; any other order would give one proof two spellings."""
    indexes = tuple(value for value in values if type(value) is int and 0 <= value < MAX_POINTERS)
    if len(indexes) != len(values) or any(a >= b for a, b in pairwise(indexes)):
        raise Malformed(_AT, "indexes have to ascend", code="PROOF_INVALID")
    return indexes


def create_verify_data(document: Object, proof: Proof, contexts: Contexts) -> VerifyData:
    """vc-di-bbs#createverifydata. Raises :class:`Malformed`."""
    config = base_proof_configuration(proof.options, document, contexts)
    value = parse_derived_proof_value(proof.value)
    _, lines = label_replacement_canonicalize(
        to_rdf(document, contexts).quads, create_label_map_function(value.label_map)
    )
    nquads = sorted(set(lines))
    mandatory_indexes = set(value.mandatory_indexes)
    if value.mandatory_indexes and value.mandatory_indexes[-1] >= len(nquads):
        raise Malformed(_AT, "a mandatory index beyond the last claim", code="PROOF_INVALID")
    return VerifyData(
        proof_hash=sha256(config).digest(),
        mandatory_hash=hash_mandatory_nquads(nquads[index] for index in value.mandatory_indexes),
        non_mandatory=tuple(line for index, line in enumerate(nquads) if index not in mandatory_indexes),
        value=value,
    )


def verify_derived_proof(document: Object, proof: Proof, *, method: VerificationMethod, contexts: Contexts) -> None:
    """vc-di-bbs#verify-derived-proof-bbs-2023: raise unless the proof is the method's over ``document``.

    A base proof gets a finding of its own: who shows one gives away every claim and the means to show them again.
    """
    if is_base_proof(proof.value):
        raise Rejected(
            (Finding("BASE_PROOF", "this is the worker's own copy, with all claims; ask for a derived proof", _AT),)
        )
    data = create_verify_data(document, proof, contexts)
    _check_count(len(data.non_mandatory), len(data.value.selective_indexes))
    bbs.proof_verify(
        method.public.raw,
        data.value.bbs_proof,
        header=data.proof_hash + data.mandatory_hash,
        presentation_header=data.value.presentation_header,
        disclosed_messages=[line.encode("utf-8") for line in data.non_mandatory],
        disclosed_indexes=data.value.selective_indexes,
    )


def _check_count(shown: int, signed: int) -> None:
    """Said before the cryptography says a plain no: what was done to the claims."""
    if shown > signed:
        raise Rejected((Finding("CLAIM_ADDED", "shows more claims than were signed for this showing", "/"),))
    if shown < signed:
        raise Rejected((Finding("CLAIM_DROPPED", "lacks a claim that this showing was signed with", "/"),))
