"""Secured documents, whole: sign, sign for selective disclosure, derive, verify. The short road for most callers."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from vc.canon import Json
from vc.did import VerificationMethod, resolve_method
from vc.errors import Malformed
from vc.jsonld import Contexts
from vc.keys import Bls12381Key, Signer
from vc.model import Object, Proof, parse_proofs
from vc.proof import ASSERTION, add_proof, proof_options, verify_all
from vc.suites import bbs_2023
from vc.suites.bbs_2023 import HeldBase
from vc.suites.plain import EDDSA_RDFC_2022


def sign(
    document: Mapping[str, Json],
    *,
    key: Signer,
    created: datetime | None,
    contexts: Contexts,
    purpose: str = ASSERTION,
    challenge: str | None = None,
    domain: str | None = None,
) -> dict[str, Json]:
    """``document`` with an eddsa-rdfc-2022 proof over all of it (vc-data-integrity#add-proof).

    ``created`` is an aware moment in UTC, written to the second, or None for none. Raises :class:`Malformed` where
    something in the document would not be signed.
    """
    options = proof_options(
        EDDSA_RDFC_2022.name,
        method=key.verification_method,
        purpose=purpose,
        created=created,
        challenge=challenge,
        domain=domain,
    )
    return add_proof(document, options, suite=EDDSA_RDFC_2022, key=key, contexts=contexts)


def sign_selective(
    document: Mapping[str, Json],
    *,
    key: Bls12381Key,
    created: datetime | None,
    mandatory: Sequence[str],
    contexts: Contexts,
    rand: Callable[[int], bytes],
) -> dict[str, Json]:
    """``document`` with a bbs-2023 base proof, for its holder's eyes only (vc-di-bbs#create-base-proof-bbs-2023).

    ``mandatory`` are JSON pointers of what every derived document shows. Raises :class:`Malformed` for a pointer that
    names nothing, or where something in the document would not be signed.
    """
    options = proof_options(bbs_2023.SUITE.name, method=key.verification_method, purpose=ASSERTION, created=created)
    proof = bbs_2023.create_base_proof(
        document, options, key=key, mandatory_pointers=mandatory, contexts=contexts, rand=rand
    )
    return {**document, "proof": proof}


def hold(secured: Object, *, contexts: Contexts) -> HeldBase:
    """A bbs-2023 base document that its holder has verified. Raises :class:`Malformed` or :class:`Rejected`."""
    document, proofs = _parts(secured)
    if len(proofs) != 1:
        raise Malformed("/proof", "needs exactly one proof", code="PROOF_MISSING")
    method = resolve_method(proofs[0].verification_method)
    return bbs_2023.hold(document, proofs[0], method=method, contexts=contexts)


def derive(
    held: HeldBase, pointers: Sequence[str], *, rand: Callable[[int], bytes], presentation_header: bytes = b""
) -> dict[str, Json]:
    """The document that shows what ``pointers`` name, what is mandatory, no more (vc-di-bbs#add-derived-proof).

    ``presentation_header`` binds the proof to an occasion. Raises :class:`Malformed` for a pointer that names nothing.
    """
    return bbs_2023.add_derived_proof(held, pointers, presentation_header=presentation_header, rand=rand)


def verify_proofs(secured: Object, *, contexts: Contexts, purpose: str = ASSERTION) -> tuple[VerificationMethod, ...]:
    """The methods whose proofs over ``secured`` all hold: cryptography and purpose, not trust, dates or binding.

    Raises :class:`Rejected`, :class:`Malformed` or :class:`Unsupported`. For everything at once see
    :func:`vc.verify.verify_presentation`.
    """
    document, proofs = _parts(secured)
    return verify_all(document, proofs, purpose=purpose, contexts=contexts)


def _parts(secured: Object) -> tuple[Object, tuple[Proof, ...]]:
    return {name: value for name, value in secured.items() if name != "proof"}, parse_proofs(secured)
