"""Many BBS proofs by one key, checked at the price of one pairing check.

Each proof holds if its challenge is right and e(Abar, W) = e(Bbar, BP2). With random r_i, one pairing check on the sums
Σ r_i·Abar_i and Σ r_i·Bbar_i answers for all of them: if one of them does not hold, the sums pass with probability
2^-128, whatever their maker chose. Not part of the draft; the single checks are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from py_arkworks_bls12381 import GT, Scalar

from vc.bbs import create_generators, messages_to_scalars
from vc.bbs_core import MINUS_BP2, Proof, multiexp, octets_to_proof, octets_to_pubkey, proof_challenge, rejected

COEFFICIENT: Final = 16  # octets: the chance to pass by luck is 2^-128


@dataclass(frozen=True, slots=True)
class Shown:
    """What :func:`vc.bbs.proof_verify` takes of one proof, beside the key."""

    proof: bytes
    header: bytes
    presentation_header: bytes
    disclosed_messages: tuple[bytes, ...]
    disclosed_indexes: tuple[int, ...]


def parse_shown(public_key: bytes, shown: Shown) -> Proof:
    """The parsed proof, once its challenge is right; its pairing is still to be checked.

    Raises :class:`Malformed` or :class:`Rejected` as :func:`vc.bbs.proof_verify` does.
    """
    proof = octets_to_proof(shown.proof)
    challenge = proof_challenge(
        public_key,
        proof,
        create_generators(len(proof.commitments) + len(shown.disclosed_indexes) + 1),
        header=shown.header,
        presentation_header=shown.presentation_header,
        disclosed_messages=messages_to_scalars(shown.disclosed_messages),
        disclosed_indexes=shown.disclosed_indexes,
    )
    if proof.challenge != challenge:
        raise rejected("the proof does not fit this key, these headers and these messages")
    return proof


def all_pair(public_key: bytes, proofs: Sequence[Proof], *, rand: Callable[[int], bytes]) -> bool:
    """Whether every proof is of a signature by the key. ``rand(16)`` is asked once for each; it has to be secret until
    the proofs are fixed, so it must come from a cryptographic generator, now. Of no proofs nothing holds: False.
    """
    w = octets_to_pubkey(public_key)
    if not proofs:  # an empty product is one, and would prove nothing
        return False
    scalars = [Scalar.from_be_bytes_mod_order(rand(COEFFICIENT)) for _ in proofs]
    a_bar = multiexp([proof.a_bar for proof in proofs], scalars)
    b_bar = multiexp([proof.b_bar for proof in proofs], scalars)
    return bool(GT.pairing_check([a_bar, b_bar], [w, MINUS_BP2]))
