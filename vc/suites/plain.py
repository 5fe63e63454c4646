"""Suites that sign a document whole: eddsa-rdfc-2022, eddsa-jcs-2022 (vc-di-eddsa), ecdsa-rdfc-2019, ecdsa-jcs-2019
(vc-di-ecdsa), Ed25519Signature2020.

One function per step of the specifications; a suite is a row that names its canonical form and, for each kind of key
that it takes, its hash.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from vc.canon import Json, canonicalize, parse_object, to_json
from vc.did import VerificationMethod
from vc.errors import Malformed, Unsupported
from vc.jsonld import Contexts, to_quads
from vc.keys import ED25519, P256, P384, KeyKind, Signer, verify_signature
from vc.model import Object, Proof
from vc.multibase import decode_base58btc, encode_base58btc
from vc.rdf import canonicalize as canonicalize_rdf


@dataclass(frozen=True, slots=True)
class Form:
    """A canonical form: how documents and proof options become bytes.

    ``transform`` gives those of a document, ``configure`` those of proof options (options, document, contexts, hash).
    ``own_options`` is what a new proof says of itself, ``as_signed`` the document that a received proof was made over.
    """

    transform: Callable[[Object, Contexts, str], bytes]
    configure: Callable[[Object, Object, Contexts, str], bytes]
    own_options: Callable[[Object, Object], dict[str, Json]]
    as_signed: Callable[[Object, Object], Object]


@dataclass(frozen=True, slots=True)
class PlainSuite:
    """A suite that signs whole documents: its names, its canonical form, its kinds of key and the hash for each."""

    name: str
    proof_type: str
    form: Form
    hashes: Mapping[KeyKind, str]

    @property
    def key_kinds(self) -> tuple[KeyKind, ...]:
        """The kinds of key that the suite signs with."""
        return tuple(self.hashes)

    def add_proof(self, document: Object, options: Object, *, key: Signer, contexts: Contexts) -> dict[str, Json]:
        """The proof over ``document`` with the given ``options`` (vc-di-ecdsa#create-proof-ecdsa-rdfc-2019).

        Raises :class:`Malformed` for options of another suite, :class:`Unsupported` for a key of another kind.
        """
        if (options.get("type"), options.get("cryptosuite", self.proof_type)) != (self.proof_type, self.name):
            raise Malformed("/proof", f"the options are not those of {self.name}", code="PROOF_GENERATION_ERROR")
        own = self.form.own_options(options, document)
        hashed = self._hashed(document, own, key.public.kind, contexts)
        return {**own, "proofValue": serialize_proof(hashed, key)}

    def verify(self, document: Object, proof: Proof, *, method: VerificationMethod, contexts: Contexts) -> None:
        """Raise unless ``proof`` is the method's over ``document`` (vc-di-ecdsa#verify-proof-ecdsa-rdfc-2019)."""
        signed = self.form.as_signed(document, proof.options)
        hashed = self._hashed(signed, proof.options, method.public.kind, contexts)
        verify_signature(method.public, hashed, decode_base58btc(proof.value, where="/proof/proofValue"))

    def _hashed(self, document: Object, options: Object, kind: KeyKind, contexts: Contexts) -> bytes:
        algorithm = self.hashes.get(kind)
        if algorithm is None:
            raise Unsupported(f"key for {self.name}", kind.name, code="UNSUPPORTED_KEY")
        transformed = self.form.transform(document, contexts, algorithm)
        return hash_data(transformed, self.form.configure(options, document, contexts, algorithm), algorithm)


def transform_rdfc(document: Object, contexts: Contexts, algorithm: str = "sha256") -> bytes:
    """vc-di-ecdsa#transformation-ecdsa-rdfc-2019: the canonical N-Quads of the document.

    ``algorithm`` is the hash that RDFC-1.0 itself works with: for P-384 it is SHA-384 there, too.
    """
    return "".join(canonicalize_rdf(to_quads(document, contexts), algorithm=algorithm).quads).encode("utf-8")


def transform_jcs(document: Object, _contexts: Contexts, _algorithm: str = "sha256") -> bytes:
    """vc-di-ecdsa#transformation-ecdsa-jcs-2019: the canonical JSON of the document."""
    return canonicalize(dict(document))


def configure_rdfc(options: Object, document: Object, contexts: Contexts, algorithm: str = "sha256") -> bytes:
    """vc-di-ecdsa#proof-configuration-ecdsa-rdfc-2019: the canonical N-Quads of the options."""
    return canonical_configuration(to_json(proof_configuration(options, document)), contexts, algorithm)


def configure_jcs(options: Object, _document: Object, contexts: Contexts, algorithm: str = "sha256") -> bytes:
    """vc-di-ecdsa#proof-configuration-ecdsa-jcs-2019: the canonical JSON of the options, with their own context."""
    return transform_jcs(options, contexts, algorithm)


def proof_configuration(options: Object, document: Object) -> dict[str, Json]:
    """The options in the document's own context (vc-di-ecdsa#create-proof-ecdsa-jcs-2019, step 2)."""
    if "@context" not in document:
        return dict(options)
    return {**options, "@context": document["@context"]}


@lru_cache(maxsize=1024)  # a batch shares its configuration: the same key, purpose and day
def canonical_configuration(config: bytes, contexts: Contexts, algorithm: str = "sha256") -> bytes:
    """The canonical N-Quads of a proof configuration, given as JSON."""
    return transform_rdfc(parse_object(config, where="/proof"), contexts, algorithm)


def hash_data(transformed_document: bytes, canonical_proof_config: bytes, algorithm: str = "sha256") -> bytes:
    """vc-di-ecdsa#hashing-ecdsa-rdfc-2019."""
    # Configuration first. The other order verifies against itself, so only the published vector catches it.
    hashes = (hashlib.new(algorithm, part).digest() for part in (canonical_proof_config, transformed_document))
    return b"".join(hashes)


def serialize_proof(hashed: bytes, key: Signer) -> str:
    """vc-di-ecdsa#proof-serialization-ecdsa-rdfc-2019, as base58btc multibase."""
    return encode_base58btc(key.sign(hashed))


def _as_given(options: Object, _document: Object) -> dict[str, Json]:
    return dict(options)


def _as_received(document: Object, _options: Object) -> Object:
    return document


def _with_proof_context(document: Object, options: Object) -> Object:
    """vc-di-ecdsa#verify-proof-ecdsa-jcs-2019, step 4: the document starts with the contexts of the proof."""
    if "@context" not in options:
        return document
    signed, received = _listed(options["@context"]), _listed(document.get("@context"))
    if received[: len(signed)] != signed:
        raise Malformed("/@context", "does not start with the contexts of the proof", code="BAD_CONTEXT")
    return {**document, "@context": options["@context"]}


def _listed(contexts: Json) -> list[Json]:
    return contexts if isinstance(contexts, list) else [contexts]


RDFC: Final = Form(transform_rdfc, configure_rdfc, own_options=_as_given, as_signed=_as_received)
JCS: Final = Form(transform_jcs, configure_jcs, own_options=proof_configuration, as_signed=_with_proof_context)
_EDDSA: Final = MappingProxyType({ED25519: "sha256"})
_ECDSA: Final = MappingProxyType({P256: "sha256", P384: "sha384"})

EDDSA_RDFC_2022: Final = PlainSuite("eddsa-rdfc-2022", "DataIntegrityProof", RDFC, _EDDSA)
EDDSA_JCS_2022: Final = PlainSuite("eddsa-jcs-2022", "DataIntegrityProof", JCS, _EDDSA)
ECDSA_RDFC_2019: Final = PlainSuite("ecdsa-rdfc-2019", "DataIntegrityProof", RDFC, _ECDSA)
ECDSA_JCS_2019: Final = PlainSuite("ecdsa-jcs-2019", "DataIntegrityProof", JCS, _ECDSA)
ED25519_SIGNATURE_2020: Final = PlainSuite("Ed25519Signature2020", "Ed25519Signature2020", RDFC, _EDDSA)
PLAIN: Final[Mapping[str, PlainSuite]] = MappingProxyType(
    {
        suite.name: suite
        for suite in (EDDSA_RDFC_2022, EDDSA_JCS_2022, ECDSA_RDFC_2019, ECDSA_JCS_2019, ED25519_SIGNATURE_2020)
    }
)
