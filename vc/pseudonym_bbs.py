"""Pseudonyms with BBS (draft-irtf-cfrg-bbs-per-verifier-linkability, revision 01), BLS12-381-SHA-256. Experimental.

A holder's secret and a number that the signer adds give ``nym_secret``, which only the holder knows. For
each context (the name of a verifier, or of an occasion) it makes one pseudonym: the same at every showing there, and
unlinkable to the pseudonyms elsewhere. The proof shows that the pseudonym is made with the secret that was signed.

``nym#…`` is a section of the draft. The vectors of vc-di-bbs (18 February 2025) were made with the editors' text
between revisions 00 (January 2025) and 01 (March 2025), which has test vectors of its own. Revision 02 replaced the one
secret by several and signs their number: its signatures and proofs are others.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from py_arkworks_bls12381 import G1Point, Scalar

from vc.bbs_core import (
    CIPHERSUITE_ID,
    IDENTITY_G1,
    InitRes,
    calculate_random_scalars,
    check_proof,
    octets_to_point,
    octets_to_pubkey,
    octets_to_scalar,
    proof_challenge_calculate,
    proof_finalize,
    proof_init,
    proof_verify_init,
    rejected,
    serialize_points,
    undisclosed_indexes,
)
from vc.blind_bbs import (
    BlindHeld,
    blind_generators,
    check_disclosed,
    combined_generators,
    committed_scalars,
    core_blind_verify,
    core_commit,
    deserialize_and_validate_commit,
    finalize_blind_sign,
    parse_blind_proof,
    signer_scalars,
)
from vc.errors import Malformed

API_ID: Final = CIPHERSUITE_ID + b"H2G_HM2S_PSEUDONYM_"

MAX_CONTEXT_ID: Final = 1024  # octets: a name, an address or a date; hashing it must not be a sender's weapon
MAX_CONTEXTS_KEPT: Final = 64  # a verifier asks under few names; 1 KB each

_BP1: Final = G1Point()


def random_nym(rand: Callable[[int], bytes]) -> bytes:
    """nym#commitment: a scalar of 32 octets, fit for a ``prover_nym`` or a ``signer_nym_entropy``."""
    (scalar,) = calculate_random_scalars(1, rand)
    return scalar.to_be_bytes()


def commit_with_nym(
    committed_messages: Sequence[bytes], prover_nym: bytes, *, rand: Callable[[int], bytes]
) -> tuple[bytes, bytes]:
    """nym#commitment: the commitment with its proof, for the signer, and ``secret_prover_blind``.

    Malformed: ``prover_nym`` is not a scalar of 32 octets, or ``rand`` repeats itself.
    """
    nym = octets_to_scalar(prover_nym, "prover nym")
    return core_commit((*committed_scalars(committed_messages, API_ID), nym), API_ID, rand)


def blind_sign_with_nym(
    secret_key: bytes,
    public_key: bytes,
    commitment_with_proof: bytes,
    signer_nym_entropy: bytes,
    *,
    header: bytes,
    messages: Sequence[bytes],
    committed: int,
) -> bytes:
    """nym#blind-issuance: 80 octets, over ``messages``, ``committed`` others and a nym to which the signer adds.

    With ``signer_nym_entropy`` fresh for each holder, nobody can get a credential for the nym of somebody else.
    Rejected: the proof of the commitment does not hold. Malformed: a key, a scalar, no commitment to that number of
    messages and a nym, or more than MAX_MESSAGES in all.
    """
    generators = combined_generators(API_ID, len(messages), committed + 1)
    commitment = deserialize_and_validate_commit(commitment_with_proof, API_ID, committed + 1)
    nym_generator = blind_generators(committed + 1, API_ID).h[-1]
    hidden = commitment + nym_generator * octets_to_scalar(signer_nym_entropy, "signer nym entropy")
    scalars = signer_scalars(messages, API_ID)
    return finalize_blind_sign(secret_key, public_key, generators, header, scalars, hidden)


def hold_with_nym(
    public_key: bytes,
    signature: bytes,
    *,
    header: bytes,
    messages: Sequence[bytes],
    committed_messages: Sequence[bytes],
    prover_nym: bytes,
    signer_nym_entropy: bytes,
    secret_prover_blind: bytes,
) -> BlindHeld:
    """nym#verification-and-finalization, keeping what was computed: the last of its messages is ``nym_secret``.

    Rejected: not this key's signature over this header, these messages, this commitment and these parts of the nym.
    Malformed: octets that are no signature, key or scalar, or more than MAX_MESSAGES in all.
    """
    nym_secret = octets_to_scalar(prover_nym, "prover nym") + octets_to_scalar(signer_nym_entropy, "signer nym entropy")
    if nym_secret.is_zero():  # every pseudonym of it would be the identity point, the same for all such holders
        raise Malformed("signer nym entropy", "cancels the prover nym")
    committed = (*committed_scalars(committed_messages, API_ID), nym_secret)
    return core_blind_verify(
        API_ID, public_key, signature, header, messages, secret_prover_blind=secret_prover_blind, committed=committed
    )


def proof_gen_with_nym(
    held: BlindHeld,
    *,
    presentation_header: bytes,
    context_id: bytes,
    disclosed_indexes: Sequence[int],
    rand: Callable[[int], bytes],
) -> tuple[bytes, bytes]:
    """nym#proof-generation-with-pseudonym and #core-proof-generation: the proof and the pseudonym, 48 octets.

    Malformed: indexes out of range or order, a context of more than MAX_CONTEXT_ID octets, or a ``rand`` that repeats
    itself.
    """
    signed = held.held
    check_disclosed(disclosed_indexes, held.length)
    undisclosed = undisclosed_indexes(disclosed_indexes, len(signed.messages))
    random_scalars = calculate_random_scalars(5 + len(undisclosed), rand)
    # The nym is the last message and hidden, so the last random scalar blinds it, here as in T2.
    nym = nym_proof_init(context_id, signed.messages[-1], random_scalars[-1])
    init_res = with_nym(proof_init(signed, random_scalars, undisclosed), nym)
    disclosed_messages = [signed.messages[i] for i in disclosed_indexes]
    challenge = proof_challenge_calculate(
        init_res, disclosed_messages, disclosed_indexes, presentation_header, signed.generators.hash_to_scalar_dst
    )
    undisclosed_messages = [signed.messages[j] for j in undisclosed]
    return proof_finalize(init_res, challenge, signed.e, random_scalars, undisclosed_messages), nym[0]


def proof_verify_with_nym(
    public_key: bytes,
    proof: bytes,
    pseudonym: bytes,
    *,
    header: bytes,
    presentation_header: bytes,
    context_id: bytes,
    length: int,
    committed: int,
    disclosed_messages: Sequence[bytes],
    disclosed_indexes: Sequence[int],
) -> None:
    """nym#proof-verification-with-pseudonym and #core-proof-verification: returns if the proof is valid.

    Rejected: it does not hold for this key, this pseudonym, this context, these headers, numbers, messages and indexes.
    Malformed: not a proof, a pseudonym or a public key, indexes out of range or order or not one per message, more than
    MAX_MESSAGES in all, or a context of more than MAX_CONTEXT_ID octets.
    """
    w = octets_to_pubkey(public_key)
    parsed, generators = parse_blind_proof(proof, API_ID, length, committed + 1, disclosed_indexes)
    scalars = signer_scalars(disclosed_messages, API_ID)
    init_res = proof_verify_init(
        public_key,
        parsed,
        generators,
        header=header,
        disclosed_messages=scalars,
        disclosed_indexes=disclosed_indexes,
    )
    nym = nym_proof_verify_init(pseudonym, context_id, parsed.commitments[-1], parsed.challenge)
    challenge = proof_challenge_calculate(
        with_nym(init_res, nym), scalars, disclosed_indexes, presentation_header, generators.hash_to_scalar_dst
    )
    check_proof(w, parsed, challenge)


# --- nym#pseudonym-proof-generation-utilities ---


def nym_proof_init(context_id: bytes, nym_secret: Scalar, random_scalar: Scalar) -> tuple[bytes, bytes, bytes]:
    """nym#pseudonym-proof-generation-initialization: the octets of the pseudonym, of OP and of Ut.

    Neither scalar is zero, so no point is the identity: ``hold_with_nym`` has checked one, the other is random.
    """
    op = hash_to_curve_g1(context_id)
    return _octets(op * nym_secret, op, op * random_scalar)


def nym_proof_verify_init(
    pseudonym: bytes, context_id: bytes, nym_secret_commitment: Scalar, proof_challenge: Scalar
) -> tuple[bytes, bytes, bytes]:
    """nym#pseudonym-proof-verification-initialization: the octets of the pseudonym, of OP and of Uv."""
    op = hash_to_curve_g1(context_id)
    point = octets_to_pseudonym(pseudonym)
    uv = op * nym_secret_commitment - point * proof_challenge
    if uv == IDENTITY_G1:
        raise rejected("the proof says nothing about the pseudonym")
    return _octets(point, op, uv)


def with_nym(init_res: InitRes, nym: tuple[bytes, bytes, bytes]) -> InitRes:
    """nym#challenge-calculation: the challenge of BBS, with the three points of the pseudonym before the domain."""
    return InitRes(init_res.points + b"".join(nym), init_res.domain)


def octets_to_pseudonym(octets: bytes) -> G1Point:
    """nym#pseudonyms: a point of G1 that is neither the identity nor the base point, or Malformed."""
    point = octets_to_point(octets, "pseudonym")
    if point == _BP1:
        raise Malformed("pseudonym", "the base point")
    return point


@lru_cache(maxsize=MAX_CONTEXTS_KEPT)
def hash_to_curve_g1(context_id: bytes) -> G1Point:
    """nym#pseudonym-calculation-procedure: OP; its tag is the ``api_id``. Malformed: over MAX_CONTEXT_ID."""
    if len(context_id) > MAX_CONTEXT_ID:
        raise Malformed("context id", f"over {MAX_CONTEXT_ID} octets")
    return G1Point.hash_to_curve(context_id, API_ID)


def _octets(pseudonym: G1Point, op: G1Point, u: G1Point) -> tuple[bytes, bytes, bytes]:
    return serialize_points((pseudonym,)), serialize_points((op,)), serialize_points((u,))
