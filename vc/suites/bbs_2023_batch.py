"""Many bbs-2023 derived documents of one issuer, verified together: what a lender's script does with ten thousand."""

from collections.abc import Callable, Sequence

from vc.bbs_batch import Shown, all_pair, parse_shown
from vc.bbs_core import Proof as BbsProof
from vc.did import VerificationMethod
from vc.errors import VcError
from vc.jsonld import Contexts
from vc.model import Object, Proof
from vc.suites.bbs_2023 import create_verify_data, is_base_proof, verify_derived_proof
from vc.suites.proof_value import check_count, refuse_base_proof


def verify_derived_proofs(
    documents: Sequence[tuple[Object, Proof]],
    *,
    method: VerificationMethod,
    contexts: Contexts,
    rand: Callable[[int], bytes],
) -> tuple[VcError | None, ...]:
    """For each document and its proof, None where :func:`verify_derived_proof` would return, and its error otherwise.

    ``rand`` gives bytes of a cryptographic generator. Where the sum does not hold, each is verified alone, so that one
    bad proof is named and spoils no other.
    """
    outcomes: list[VcError | None] = [None] * len(documents)
    sound: list[BbsProof] = []
    for index, (document, proof) in enumerate(documents):
        try:
            sound.append(parse_shown(method.public.raw, _shown(document, proof, contexts)))
        except VcError as error:
            outcomes[index] = error
    if sound and all_pair(method.public.raw, sound, rand=rand):
        return tuple(outcomes)
    return tuple(
        outcome or _alone(document, proof, method, contexts)
        for outcome, (document, proof) in zip(outcomes, documents, strict=True)
    )


def _shown(document: Object, proof: Proof, contexts: Contexts) -> Shown:
    if is_base_proof(proof.value):
        refuse_base_proof()
    data = create_verify_data(document, proof, contexts)
    check_count(len(data.non_mandatory), len(data.value.selective_indexes))
    return Shown(
        proof=data.value.bbs_proof,
        header=data.proof_hash + data.mandatory_hash,
        presentation_header=data.value.presentation_header,
        disclosed_messages=tuple(line.encode("utf-8") for line in data.non_mandatory),
        disclosed_indexes=data.value.selective_indexes,
    )


def _alone(document: Object, proof: Proof, method: VerificationMethod, contexts: Contexts) -> VcError | None:
    try:
        verify_derived_proof(document, proof, method=method, contexts=contexts)
    except VcError as error:
        return error
    return None
