"""Adding and verifying data integrity proofs, one, several or chained (vc-data-integrity#algorithms)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, Protocol

from vc.canon import Json
from vc.did import VerificationMethod
from vc.documents import NO_DOCUMENTS, Documents, resolve
from vc.errors import Finding, Malformed, Rejected, Unsupported
from vc.jsonld import Contexts
from vc.keys import KeyKind, Signer
from vc.model import Object, Proof, format_date_time, parse_proof
from vc.suites import bbs_2023, ecdsa_sd_2023
from vc.suites.plain import PLAIN, PlainSuite


class Suite(Protocol):
    """What verification needs of a cryptosuite (vc-data-integrity#cryptographic-suites)."""

    @property
    def name(self) -> str: ...

    @property
    def proof_type(self) -> str: ...

    @property
    def key_kinds(self) -> tuple[KeyKind, ...]: ...

    def verify(self, document: Object, proof: Proof, *, method: VerificationMethod, contexts: Contexts) -> None: ...


_ALL: Final[tuple[Suite, ...]] = (*PLAIN.values(), ecdsa_sd_2023.SUITE, bbs_2023.SUITE)
SUITES: Final[Mapping[str, Suite]] = MappingProxyType({suite.name: suite for suite in _ALL})

ASSERTION: Final = "assertionMethod"
AUTHENTICATION: Final = "authentication"


def proof_options(
    suite: str,
    *,
    method: str,
    purpose: str,
    created: datetime | None,
    challenge: str | None = None,
    domain: str | None = None,
) -> dict[str, Json]:
    """The options of a new DataIntegrityProof (vc-data-integrity#proofs)."""
    options: dict[str, Json] = {"type": "DataIntegrityProof", "cryptosuite": suite}
    if created is not None:
        options["created"] = format_date_time(created)
    options |= {"verificationMethod": method, "proofPurpose": purpose}
    if challenge is not None:
        options["challenge"] = challenge
    if domain is not None:
        options["domain"] = domain
    return options


def add_proof(
    document: Mapping[str, Json],
    options: Object,
    *,
    suite: PlainSuite,
    key: Signer,
    contexts: Contexts,
) -> dict[str, Json]:
    """The document with one more proof (vc-data-integrity#add-proof, #add-proof-set-chain).

    With ``previousProof`` in the options, the proofs that it names are part of what is signed. Raises
    :class:`Malformed` where it names one that is not there.
    """
    held = document.get("proof", [])
    proofs = held if isinstance(held, list) else [held]
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    previous = options.get("previousProof", [])
    wanted = previous if isinstance(previous, list) else [previous]
    matching = [proof for proof in proofs if isinstance(proof, dict) and proof.get("id") in wanted]
    if len(matching) != len(wanted):
        raise Malformed("/proof/previousProof", "names a proof that is not there", code="PROOF_GENERATION_ERROR")
    signed: dict[str, Json] = {**unsecured, "proof": list[Json](matching)} if wanted else unsecured
    proof = suite.add_proof(signed, options, key=key, contexts=contexts)
    return {**unsecured, "proof": [*proofs, proof] if proofs else proof}


def suite_of(proof: Proof) -> Suite:
    """The suite that a proof names. Raises :class:`Unsupported`."""
    name = proof.cryptosuite if proof.type == "DataIntegrityProof" else proof.type
    suite = SUITES.get(name)
    if suite is None or suite.proof_type != proof.type:
        raise Unsupported("cryptosuite", name or proof.type, code="UNSUPPORTED_SUITE")
    return suite


def verify_proof(
    document: Object,
    proof: Proof,
    proofs: Sequence[Proof],
    *,
    purpose: str,
    contexts: Contexts,
    documents: Documents = NO_DOCUMENTS,
    at: datetime | None = None,
) -> VerificationMethod:
    """The method whose ``proof`` over ``document`` holds (vc-data-integrity#verify-proof-sets-and-chains).

    ``proofs`` are all proofs of the document; ``documents`` and ``at`` are for :func:`vc.documents.resolve`. Checks
    suite, purpose, kind of key and cryptography, not dates and not who controls the method. Raises :class:`Rejected`,
    :class:`Malformed`, :class:`Unsupported` or, where a DID document is not held, :class:`Undetermined`.
    """
    suite = suite_of(proof)
    if proof.purpose != purpose:
        raise Rejected(
            (
                Finding(
                    "PURPOSE_MISMATCH",
                    f"the proof is for {proof.purpose[:60]}, not for {purpose}",
                    "/proof/proofPurpose",
                ),
            )
        )
    # A key that was rotated away still vouches for what it signed then. A presentation is signed now.
    signed = proof.created if purpose == ASSERTION else None
    method = resolve(proof.verification_method, documents=documents, purpose=purpose, at=at, signed=signed)
    if method.public.kind not in suite.key_kinds:
        raise Rejected(
            (
                Finding(
                    "KEY_MISMATCH",
                    f"{suite.name} needs a key of kind {' or '.join(kind.name for kind in suite.key_kinds)}",
                    "/proof/verificationMethod",
                ),
            )
        )
    suite.verify(_with_previous(document, proof, proofs), proof, method=method, contexts=contexts)
    return method


def _with_previous(document: Object, proof: Proof, proofs: Sequence[Proof]) -> Object:
    if not proof.previous:
        return document
    matching = [other for other in proofs if other.id in proof.previous and other is not proof]
    if {other.id for other in matching} != set(proof.previous):
        raise Rejected(
            (Finding("PREVIOUS_PROOF_MISSING", "the proof builds on one that is not there", "/proof/previousProof"),)
        )
    return {**document, "proof": [{**other.options, "proofValue": other.value} for other in matching]}


def verify_all(
    document: Object,
    proofs: Sequence[Proof],
    *,
    purpose: str,
    contexts: Contexts,
    documents: Documents = NO_DOCUMENTS,
    at: datetime | None = None,
) -> tuple[VerificationMethod, ...]:
    """The methods of all proofs, each of which has to hold. A document without proof proves nothing."""
    if not proofs:  # all([]) is True
        raise Malformed("/proof", "no proof present", code="PROOF_MISSING")
    return tuple(
        verify_proof(document, proof, proofs, purpose=purpose, contexts=contexts, documents=documents, at=at)
        for proof in proofs
    )


def parse_options(options: Object) -> Proof:
    """Options that a caller gives for a new proof, read as a proof is. Raises :class:`Malformed`."""
    return parse_proof({**options, "proofValue": "z1"})
