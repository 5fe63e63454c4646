"""Suites that sign a document whole: eddsa-rdfc-2022, eddsa-jcs-2022 (vc-di-eddsa), Ed25519Signature2020.

One function per step of the specification; a suite is a row that names its steps.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Final

from vc.canon import Json, canonicalize, parse_object, to_json
from vc.did import VerificationMethod
from vc.errors import Malformed
from vc.jsonld import Contexts, to_quads
from vc.keys import ED25519, KeyKind, Signer, verify_ed25519
from vc.model import Object, Proof
from vc.multibase import decode_base58btc, encode_base58btc
from vc.rdf import canonicalize as canonicalize_rdf

Transform = Callable[[Object, Contexts], bytes]


@dataclass(frozen=True, slots=True)
class PlainSuite:
    """A suite that signs whole documents: its names, its kind of key and its canonical form."""

    name: str
    proof_type: str
    key_kind: KeyKind
    transform: Transform

    def add_proof(self, document: Object, options: Object, *, key: Signer, contexts: Contexts) -> dict[str, Json]:
        """The proof over ``document`` with the given ``options`` (vc-di-eddsa#add-proof-eddsa-rdfc-2022)."""
        config = proof_configuration(options, document)
        hashed = hash_data(self.transform(document, contexts), self._canonical_configuration(config, contexts))
        kept = config if self.transform is transform_jcs else options
        return {**kept, "proofValue": serialize_proof(hashed, key)}

    def verify(self, document: Object, proof: Proof, *, method: VerificationMethod, contexts: Contexts) -> None:
        """Raise unless ``proof`` is the method's over ``document`` (vc-di-eddsa#verify-proof-eddsa-rdfc-2022)."""
        if self.transform is transform_jcs:
            document, config = _with_proof_context(document, proof.options), proof.options
        else:
            config = proof_configuration(proof.options, document)
        hashed = hash_data(self.transform(document, contexts), self._canonical_configuration(config, contexts))
        verify_ed25519(method.public, hashed, decode_base58btc(proof.value, where="/proof/proofValue"))

    def _canonical_configuration(self, config: Object, contexts: Contexts) -> bytes:
        if self.transform is transform_jcs:
            return transform_jcs(config, contexts)
        return canonical_configuration(to_json(dict(config)), contexts)


def transform_rdfc(document: Object, contexts: Contexts) -> bytes:
    """vc-di-eddsa#transformation-eddsa-rdfc-2022: the canonical N-Quads of the document."""
    return "".join(canonicalize_rdf(to_quads(document, contexts)).quads).encode("utf-8")


def transform_jcs(document: Object, _contexts: Contexts) -> bytes:
    """vc-di-eddsa#transformation-eddsa-jcs-2022: the canonical JSON of the document."""
    return canonicalize(dict(document))


def proof_configuration(options: Object, document: Object) -> dict[str, Json]:
    """vc-di-eddsa#proof-configuration-eddsa-rdfc-2022: the options in the document's own context."""
    if "@context" not in document:
        return dict(options)
    return {**options, "@context": document["@context"]}


@lru_cache(maxsize=1024)  # a batch shares its configuration: the same key, purpose and day
def canonical_configuration(config: bytes, contexts: Contexts) -> bytes:
    """The canonical N-Quads of a proof configuration, given as JSON."""
    return transform_rdfc(parse_object(config, where="/proof"), contexts)


def hash_data(transformed_document: bytes, canonical_proof_config: bytes) -> bytes:
    """vc-di-eddsa#hashing-eddsa-rdfc-2022."""
    # Configuration first. The other order verifies against itself, so only the published vector catches it.
    return sha256(canonical_proof_config).digest() + sha256(transformed_document).digest()


def serialize_proof(hashed: bytes, key: Signer) -> str:
    """vc-di-eddsa#proof-serialization-eddsa-rdfc-2022, as base58btc multibase."""
    return encode_base58btc(key.sign(hashed))


def _with_proof_context(document: Object, options: Object) -> Object:
    """vc-di-eddsa#verify-proof-eddsa-jcs-2022, step 4: the document starts with the contexts of the proof."""
    if "@context" not in options:
        return document
    signed, received = _listed(options["@context"]), _listed(document.get("@context"))
    if received[: len(signed)] != signed:
        raise Malformed("/@context", "does not start with the contexts of the proof", code="BAD_CONTEXT")
    return {**document, "@context": options["@context"]}


def _listed(contexts: Json) -> list[Json]:
    return contexts if isinstance(contexts, list) else [contexts]


EDDSA_RDFC_2022: Final = PlainSuite("eddsa-rdfc-2022", "DataIntegrityProof", ED25519, transform_rdfc)
EDDSA_JCS_2022: Final = PlainSuite("eddsa-jcs-2022", "DataIntegrityProof", ED25519, transform_jcs)
ED25519_SIGNATURE_2020: Final = PlainSuite("Ed25519Signature2020", "Ed25519Signature2020", ED25519, transform_rdfc)
PLAIN: Final[Mapping[str, PlainSuite]] = {
    suite.name: suite for suite in (EDDSA_RDFC_2022, EDDSA_JCS_2022, ED25519_SIGNATURE_2020)
}
