"""ecdsa-sd-2023 (vc-di-ecdsa): selective, on P-256 keys. One function per step of the specification.

Every claim is signed by itself, with a key that lives for this one proof; the issuer's key signs that key, together
with the proof's configuration and the mandatory claims. Showings of one credential can be linked by their signatures:
where that matters, bbs-2023 is the suite.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, cast

from vc import cbor
from vc.canon import Json
from vc.did import VerificationMethod
from vc.errors import Malformed, Unsupported
from vc.jsonld import Contexts, Located, to_rdf
from vc.keys import P256, KeyKind, P256Key, PublicKey, Signer, ecdsa_verifier, verify_ecdsa
from vc.model import Object, Proof
from vc.multibase import decode_base64url, encode_base64url
from vc.suites.plain import configure_rdfc
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
    create_hmac_id_label_map_function,
    create_label_map_function,
    hash_mandatory_nquads,
    label,
    label_replacement_canonicalize,
    parse_pointers,
)

BASE_PROOF: Final = b"\xd9\x5d\x00"
DERIVED_PROOF: Final = b"\xd9\x5d\x01"
HMAC_KEY_LENGTH: Final = 32  # RFC 2104: as long as the digest
SIGNATURE_LENGTH: Final = 64
MULTIKEY_LENGTH: Final = 35  # two bytes of multicodec and a compressed point; "36" in the specification is a slip


@dataclass(frozen=True, slots=True)
class BaseProofValue:
    """The components of a base proof (vc-di-ecdsa#serializebaseproofvalue)."""

    base_signature: bytes
    public_key: bytes  # the proof's own, as multikey bytes
    hmac_key: bytes
    signatures: tuple[bytes, ...]
    mandatory_pointers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DerivedProofValue:
    """The components of a derived proof (vc-di-ecdsa#serializederivedproofvalue)."""

    base_signature: bytes
    public_key: bytes
    signatures: tuple[bytes, ...]
    label_map: LabelMap  # canonical term to signed term, both spelt "_:…"
    mandatory_indexes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HeldBase:
    """A base proof that its holder has verified, with what deriving from it needs."""

    document: Object
    proof: Proof
    base: BaseProofValue
    labelled: Labelled


@dataclass(frozen=True, slots=True)
class VerifyData:
    """Outcome of createVerifyData (vc-di-ecdsa#createverifydata)."""

    proof_hash: bytes
    mandatory_hash: bytes
    non_mandatory: tuple[str, ...]
    value: DerivedProofValue


@dataclass(frozen=True, slots=True)
class EcdsaSd2023Suite:
    """The suite's row: its names, its kinds of key and its verification."""

    name: str
    proof_type: str
    key_kinds: tuple[KeyKind, ...]

    def verify(self, document: Object, proof: Proof, *, method: VerificationMethod, contexts: Contexts) -> None:
        """Raise unless ``proof`` is a derived proof of the method's key over ``document``."""
        verify_derived_proof(document, proof, method=method, contexts=contexts)


SUITE: Final = EcdsaSd2023Suite("ecdsa-sd-2023", "DataIntegrityProof", (P256,))


def create_base_proof(
    document: Object,
    options: Object,
    *,
    key: Signer,
    mandatory_pointers: Sequence[str],
    contexts: Contexts,
    rand: Callable[[int], bytes],
) -> dict[str, Json]:
    """vc-di-ecdsa#create-base-proof-ecdsa-sd-2023. ``rand`` makes the HMAC key and the key of this one proof.

    Raises :class:`Malformed` for pointers that name nothing, :class:`Unsupported` for a key that is not of P-256.
    """
    if key.public.kind != P256:
        raise Unsupported(f"key for {SUITE.name}", key.public.kind.name, code="UNSUPPORTED_KEY")
    hmac_key = rand(HMAC_KEY_LENGTH)
    paths = parse_pointers(mandatory_pointers, document, where="/mandatoryPointers")
    transformed = base_proof_transformation(to_rdf(document, contexts), paths, hmac_key)
    hashes = base_proof_hashing(transformed, base_proof_configuration(options, document, contexts))
    value = base_proof_serialization(
        transformed,
        hashes,
        key=key,
        proof_key=P256Key.generate(rand),
        hmac_key=hmac_key,
        mandatory_pointers=mandatory_pointers,
    )
    return {**options, "proofValue": serialize_base_proof_value(value)}


def base_proof_transformation(located: Located, mandatory: Sequence[Path], hmac_key: bytes) -> TransformedDocument:
    """vc-di-ecdsa#base-proof-transformation-ecdsa-sd-2023."""
    factory = create_hmac_id_label_map_function(hmac_key)
    chosen = canonicalize_and_group(located, factory, {"mandatory": mandatory}).groups["mandatory"]
    return TransformedDocument(chosen.matching, chosen.non_matching)


def base_proof_configuration(options: Object, document: Object, contexts: Contexts) -> bytes:
    """vc-di-ecdsa#base-proof-configuration-ecdsa-sd-2023: the canonical proof configuration."""
    return configure_rdfc(options, document, contexts)


def base_proof_hashing(transformed: TransformedDocument, canonical_proof_config: bytes) -> tuple[bytes, bytes]:
    """vc-di-ecdsa#base-proof-hashing-ecdsa-sd-2023: ``(proofHash, mandatoryHash)``."""
    return sha256(canonical_proof_config).digest(), hash_mandatory_nquads(transformed.mandatory.values())


def base_proof_serialization(
    transformed: TransformedDocument,
    hashes: tuple[bytes, bytes],
    *,
    key: Signer,
    proof_key: P256Key,
    hmac_key: bytes,
    mandatory_pointers: Sequence[str],
) -> BaseProofValue:
    """vc-di-ecdsa#base-proof-serialization-ecdsa-sd-2023. ``proof_key`` signs nothing else, ever."""
    proof_hash, mandatory_hash = hashes
    public_key = P256.prefix + proof_key.public.raw
    return BaseProofValue(
        base_signature=key.sign(serialize_sign_data(proof_hash, public_key, mandatory_hash)),
        public_key=public_key,
        hmac_key=hmac_key,
        signatures=tuple(proof_key.sign(line.encode("utf-8")) for line in transformed.non_mandatory.values()),
        mandatory_pointers=tuple(mandatory_pointers),
    )


def serialize_sign_data(proof_hash: bytes, public_key: bytes, mandatory_hash: bytes) -> bytes:
    """vc-di-ecdsa#serializesigndata."""
    return proof_hash + public_key + mandatory_hash


def serialize_base_proof_value(value: BaseProofValue) -> str:
    """vc-di-ecdsa#serializebaseproofvalue."""
    components: cbor.Cbor = [
        value.base_signature,
        value.public_key,
        value.hmac_key,
        list(value.signatures),
        list(value.mandatory_pointers),
    ]
    return serialize_components(BASE_PROOF, components)


def parse_base_proof_value(proof_value: str) -> BaseProofValue:
    """vc-di-ecdsa#parsebaseproofvalue. Raises :class:`Malformed`."""
    match parse_components(proof_value, BASE_PROOF, suite=SUITE.name):
        case [bytes(base), bytes(public_key), bytes(hmac_key), list(signatures), list(pointers)] if (
            _are_signatures([base, *signatures])
            and _is_public_key(public_key)
            and len(hmac_key) == HMAC_KEY_LENGTH
            and len(pointers) <= MAX_POINTERS
            and all(isinstance(pointer, str) for pointer in pointers)
        ):
            return BaseProofValue(base, public_key, hmac_key, tuple(signatures), tuple(pointers))
    raise Malformed(AT, "not the components of an ecdsa-sd-2023 base proof", code="PROOF_INVALID")


def _are_signatures(values: Sequence[object]) -> bool:
    return set(map(type, values)) == {bytes} and set(map(len, cast("Sequence[bytes]", values))) == {SIGNATURE_LENGTH}


def _is_public_key(value: bytes) -> bool:
    return len(value) == MULTIKEY_LENGTH and value.startswith(P256.prefix)


def is_base_proof(proof_value: str) -> bool:
    """Whether a proof value announces a base proof, which only its holder may see."""
    return proof_value.startswith("u2V0A")


def hold(document: Object, proof: Proof, *, method: VerificationMethod, contexts: Contexts) -> HeldBase:
    """Verify a base proof as its holder, every signature of it, and keep what deriving needs.

    Raises :class:`Malformed`, or :class:`Rejected` where the signatures are not the method's over ``document``.
    """
    base = parse_base_proof_value(proof.value)
    located = to_rdf(document, contexts)
    paths = parse_pointers(base.mandatory_pointers, document, where=AT)
    transformed = base_proof_transformation(located, paths, base.hmac_key)
    hashes = base_proof_hashing(transformed, base_proof_configuration(proof.options, document, contexts))
    verify_signatures(method.public, base, hashes, tuple(transformed.non_mandatory.values()))
    labelled = label(located, create_hmac_id_label_map_function(base.hmac_key))
    return HeldBase(document, proof, base, labelled)


def add_derived_proof(base: HeldBase, selective_pointers: Sequence[str]) -> dict[str, Json]:
    """vc-di-ecdsa#add-derived-proof-ecdsa-sd-2023: the secured document that shows what is selected or mandatory."""
    value, reveal_document = create_disclosure_data(base, selective_pointers)
    proof = {**base.proof.options, "proofValue": serialize_derived_proof_value(value)}
    return {**reveal_document, "proof": proof}


def create_disclosure_data(
    base: HeldBase, selective_pointers: Sequence[str]
) -> tuple[DerivedProofValue, dict[str, Json]]:
    """vc-di-ecdsa#createdisclosuredata: the derived proof's components and the document that is shown with it.

    Raises :class:`Malformed` for pointers that name nothing.
    """
    chosen = disclose(base.document, base.labelled, base.base.mandatory_pointers, selective_pointers)
    value = DerivedProofValue(
        base_signature=base.base.base_signature,
        public_key=base.base.public_key,
        signatures=tuple(base.base.signatures[index] for index in chosen.selective_indexes),
        label_map=chosen.label_map,
        mandatory_indexes=chosen.mandatory_indexes,
    )
    return value, chosen.reveal_document


def compress_label_map(label_map: LabelMap) -> dict[int, bytes]:
    """vc-di-ecdsa#compresslabelmap: from _:c14nX to _:uY, as X to the bytes of Y."""
    return {int(canonical[6:]): decode_base64url(label[3:]) for canonical, label in label_map.items()}


def decompress_label_map(compressed: Mapping[object, object]) -> LabelMap:
    """vc-di-ecdsa#decompresslabelmap. Raises :class:`Malformed`."""
    label_map = {
        f"_:c14n{canonical}": f"_:u{encode_base64url(digest)}"
        for canonical, digest in compressed.items()
        if type(canonical) is int and 0 <= canonical < MAX_POINTERS and isinstance(digest, bytes) and len(digest) == 32
    }
    if len(label_map) != len(compressed):
        raise Malformed(AT, "a label map from numbers to digests is needed", code="PROOF_INVALID")
    if len(set(label_map.values())) != len(label_map):
        raise Malformed(AT, "a label map that joins blank nodes", code="PROOF_INVALID")
    return label_map


def serialize_derived_proof_value(value: DerivedProofValue) -> str:
    """vc-di-ecdsa#serializederivedproofvalue."""
    components: cbor.Cbor = [
        value.base_signature,
        value.public_key,
        list(value.signatures),
        compress_label_map(value.label_map),
        list(value.mandatory_indexes),
    ]
    return serialize_components(DERIVED_PROOF, components)


def parse_derived_proof_value(proof_value: str) -> DerivedProofValue:
    """vc-di-ecdsa#parsederivedproofvalue. Raises :class:`Malformed`."""
    match parse_components(proof_value, DERIVED_PROOF, suite=SUITE.name):
        case [bytes(base), bytes(public_key), list(signatures), dict(label_map), list(mandatory)] if _are_signatures(
            [base, *signatures]
        ) and _is_public_key(public_key):
            return DerivedProofValue(
                base, public_key, tuple(signatures), decompress_label_map(label_map), parse_indexes(mandatory)
            )
    raise Malformed(AT, "not the components of an ecdsa-sd-2023 derived proof", code="PROOF_INVALID")


def create_verify_data(document: Object, proof: Proof, contexts: Contexts) -> VerifyData:
    """vc-di-ecdsa#createverifydata. Raises :class:`Malformed`."""
    config = base_proof_configuration(proof.options, document, contexts)
    value = parse_derived_proof_value(proof.value)
    factory = create_label_map_function(value.label_map)
    _, lines = label_replacement_canonicalize(to_rdf(document, contexts).quads, factory)
    mandatory, non_mandatory = separate(sorted(set(lines)), value.mandatory_indexes)
    return VerifyData(sha256(config).digest(), hash_mandatory_nquads(mandatory), non_mandatory, value)


def verify_derived_proof(document: Object, proof: Proof, *, method: VerificationMethod, contexts: Contexts) -> None:
    """vc-di-ecdsa#verify-derived-proof-ecdsa-sd-2023: raise unless the proof is the method's over ``document``."""
    if is_base_proof(proof.value):
        refuse_base_proof()
    data = create_verify_data(document, proof, contexts)
    verify_signatures(method.public, data.value, (data.proof_hash, data.mandatory_hash), data.non_mandatory)


def verify_signatures(
    public: PublicKey,
    value: BaseProofValue | DerivedProofValue,
    hashes: tuple[bytes, bytes],
    non_mandatory: Sequence[str],
) -> None:
    """vc-di-ecdsa#verify-derived-proof-ecdsa-sd-2023, from the count on: the issuer's signature, then each claim's.

    What a sender can make us check is bounded by the size of the proof value: 64 bytes for each signature, and none is
    looked at before there is one for each claim.
    """
    check_count(len(non_mandatory), len(value.signatures))
    proof_hash, mandatory_hash = hashes
    verify_ecdsa(public, serialize_sign_data(proof_hash, value.public_key, mandatory_hash), value.base_signature)
    verify = ecdsa_verifier(PublicKey(P256, value.public_key[len(P256.prefix) :]))
    for line, signature in zip(non_mandatory, value.signatures, strict=True):
        verify(line.encode("utf-8"), signature)
