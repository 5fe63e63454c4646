"""Secured documents, whole: sign, sign for selective disclosure, derive, verify. The short road for most callers."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from vc.canon import Json
from vc.did import VerificationMethod
from vc.documents import NO_DOCUMENTS, Documents, resolve
from vc.errors import Malformed, Unsupported
from vc.jsonld import Contexts
from vc.keys import Bls12381Key, KeyKind, Signer
from vc.model import Object, Proof, parse_proofs
from vc.proof import ASSERTION, add_proof, proof_options, suite_of, verify_all
from vc.suites import bbs_2023, ecdsa_sd_2023
from vc.suites.plain import ECDSA_RDFC_2019, EDDSA_RDFC_2022, PLAIN, PlainSuite

HeldBase = bbs_2023.HeldBase | ecdsa_sd_2023.HeldBase

SELECTIVE: Final = frozenset({bbs_2023.SUITE.name, ecdsa_sd_2023.SUITE.name})  # what sign_selective and hold are for

_BY_KEY: Final[Mapping[KeyKind, PlainSuite]] = MappingProxyType(
    {kind: suite for suite in (EDDSA_RDFC_2022, ECDSA_RDFC_2019) for kind in suite.key_kinds}
)


def sign(
    document: Mapping[str, Json],
    *,
    key: Signer,
    created: datetime | None,
    contexts: Contexts,
    purpose: str = ASSERTION,
    challenge: str | None = None,
    domain: str | None = None,
    suite: str | None = None,
) -> dict[str, Json]:
    """``document`` with a proof over all of it (vc-data-integrity#add-proof).

    The suite is eddsa-rdfc-2022 or ecdsa-rdfc-2019, whichever fits the key, or the one that ``suite`` names.
    ``created`` is an aware moment in UTC, written to the second, or None for none. Raises :class:`Malformed` where
    something in the document would not be signed, :class:`Unsupported` for a key that the suite does not take.
    """
    chosen = PLAIN.get(suite) if suite else _BY_KEY.get(key.public.kind)
    if chosen is None:
        raise Unsupported("cryptosuite", suite or f"for {key.public.kind.name} keys", code="UNSUPPORTED_SUITE")
    options = proof_options(
        chosen.name,
        method=key.verification_method,
        purpose=purpose,
        created=created,
        challenge=challenge,
        domain=domain,
    )
    return add_proof(document, options, suite=chosen, key=key, contexts=contexts)


def sign_selective(
    document: Mapping[str, Json],
    *,
    key: Bls12381Key | Signer,
    created: datetime | None,
    mandatory: Sequence[str],
    contexts: Contexts,
    rand: Callable[[int], bytes],
) -> dict[str, Json]:
    """``document`` with a base proof, for its holder's eyes only (vc-di-ecdsa#create-base-proof-ecdsa-sd-2023).

    A BLS12-381 key makes a bbs-2023 proof, a P-256 key an ecdsa-sd-2023 one, whose showings can be linked.
    ``mandatory`` are JSON pointers of what every derived document shows. Raises :class:`Malformed` for a pointer that
    names nothing, or where something in the document would not be signed; :class:`Unsupported` for other keys.
    """
    suite = bbs_2023.SUITE if isinstance(key, Bls12381Key) else ecdsa_sd_2023.SUITE
    options = proof_options(suite.name, method=key.verification_method, purpose=ASSERTION, created=created)
    if isinstance(key, Bls12381Key):
        proof = bbs_2023.create_base_proof(
            document, options, key=key, mandatory_pointers=mandatory, contexts=contexts, rand=rand
        )
    else:
        proof = ecdsa_sd_2023.create_base_proof(
            document, options, key=key, mandatory_pointers=mandatory, contexts=contexts, rand=rand
        )
    return {**document, "proof": proof}


def hold(
    secured: Object, *, contexts: Contexts, documents: Documents = NO_DOCUMENTS, at: datetime | None = None
) -> HeldBase:
    """A bbs-2023 or ecdsa-sd-2023 base document that its holder has verified.

    ``documents`` are the DID documents of issuers by did:web and did:webvh, as of ``at``. Raises :class:`Malformed`,
    :class:`Unsupported`, :class:`Rejected` or :class:`Undetermined`.
    """
    document, proofs = _parts(secured)
    if len(proofs) != 1:
        raise Malformed("/proof", "needs exactly one proof", code="PROOF_MISSING")
    proof = proofs[0]
    method = resolve(proof.verification_method, documents=documents, purpose=ASSERTION, at=at, signed=proof.created)
    if suite_of(proofs[0]) is ecdsa_sd_2023.SUITE:
        return ecdsa_sd_2023.hold(document, proofs[0], method=method, contexts=contexts)
    return bbs_2023.hold(document, proofs[0], method=method, contexts=contexts)


def derive(
    held: HeldBase, pointers: Sequence[str], *, rand: Callable[[int], bytes], presentation_header: bytes = b""
) -> dict[str, Json]:
    """The document that shows what ``pointers`` name, what is mandatory, no more (vc-di-bbs#add-derived-proof).

    ``presentation_header`` binds a bbs-2023 proof to an occasion. Raises :class:`Malformed` for a pointer that names
    nothing, :class:`Unsupported` for a header that an ecdsa-sd-2023 proof has no place for.
    """
    if isinstance(held, ecdsa_sd_2023.HeldBase):
        if presentation_header:  # left out in silence, it would bind nothing
            raise Unsupported("presentation header", ecdsa_sd_2023.SUITE.name)
        return ecdsa_sd_2023.add_derived_proof(held, pointers)
    return bbs_2023.add_derived_proof(held, pointers, presentation_header=presentation_header, rand=rand)


def verify_proofs(
    secured: Object,
    *,
    contexts: Contexts,
    purpose: str = ASSERTION,
    documents: Documents = NO_DOCUMENTS,
    at: datetime | None = None,
) -> tuple[VerificationMethod, ...]:
    """The methods whose proofs over ``secured`` all hold: cryptography and purpose, not trust, dates or binding.

    ``documents`` are the DID documents of signers by did:web and did:webvh, as of ``at``.

    Raises :class:`Rejected`, :class:`Malformed` or :class:`Unsupported`. For everything at once see
    :func:`vc.verify.verify_presentation`.
    """
    document, proofs = _parts(secured)
    return verify_all(document, proofs, purpose=purpose, contexts=contexts, documents=documents, at=at)


def _parts(secured: Object) -> tuple[Object, tuple[Proof, ...]]:
    return {name: value for name, value in secured.items() if name != "proof"}, parse_proofs(secured)
