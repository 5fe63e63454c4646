"""Blind BBS signatures (draft-irtf-cfrg-bbs-blind-signatures, revision 01), BLS12-381-SHA-256. Experimental.

A holder commits to messages that the signer never sees, the signer signs the commitment together with its own messages,
and every proof shows that the holder knows what it committed to, without showing it. Octets in, octets out.

``blind#…`` is a section of the draft. The vectors of vc-di-bbs (18 February 2025) were made with the editors' text
between revisions 00 (January 2025) and 01 (March 2025), the first with test vectors, which 02 still has. Where the text
of 01 and its test vectors differ, the vectors count: the domain covers Q_2; B starts at P1 + Q_1 * domain; ``e`` is the
hash of SK and B alone.

Left out, because bbs-2023 has no use for it: a signature without a commitment, and showing a committed message. What is
committed here is a secret.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from py_arkworks_bls12381 import G1Point, Scalar

from vc.bbs import MAX_LISTS_KEPT, create_generators, messages_to_scalars
from vc.bbs_core import (
    CIPHERSUITE_ID,
    IDENTITY_G1,
    MAX_MESSAGES,
    P1,
    POINT_LENGTH,
    SCALAR_LENGTH,
    Generators,
    Held,
    Proof,
    calculate_domain,
    calculate_random_scalars,
    core_proof_gen,
    core_proof_verify,
    core_verify,
    hash_to_scalar,
    i2osp,
    multiexp,
    octets_to_point,
    octets_to_proof,
    octets_to_pubkey,
    octets_to_scalar,
    rejected,
    serialize_scalars,
    signature_to_octets,
)
from vc.errors import Malformed

API_ID: Final = CIPHERSUITE_ID + b"BLIND_H2G_HM2S_"
MAP_SUFFIX: Final = b"MAP_MSG_TO_SCALAR_AS_HASH_"

_COMMITMENT: Final = "commitment"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BlindHeld:
    """A verified blind signature and what every proof from it needs. It has no repr: it is the holder's secret."""

    held: Held
    length: int  # L, the number of the signer's messages; those behind them are secrets, never shown


def commit(committed_messages: Sequence[bytes], *, rand: Callable[[int], bytes]) -> tuple[bytes, bytes]:
    """blind#commitment-computation: the commitment with its proof, for the signer, and ``secret_prover_blind``.

    ``rand(n)`` gives n octets from a cryptographic generator and is called once for each scalar. Malformed: it repeats
    itself.
    """
    return core_commit(committed_scalars(committed_messages, API_ID), API_ID, rand)


def blind_sign(
    secret_key: bytes,
    public_key: bytes,
    commitment_with_proof: bytes,
    *,
    header: bytes,
    messages: Sequence[bytes],
    committed: int,
) -> bytes:
    """blind#blind-signature-generation: 80 octets, over ``messages`` and a commitment to ``committed`` others.

    Rejected: the proof of the commitment does not hold. Malformed: a key, no commitment to that number of messages, or
    more than MAX_MESSAGES in all.
    """
    generators = combined_generators(API_ID, len(messages), committed)
    commitment = deserialize_and_validate_commit(commitment_with_proof, API_ID, committed)
    scalars = signer_scalars(messages, API_ID)
    return finalize_blind_sign(secret_key, public_key, generators, header, scalars, commitment)


def blind_hold(
    public_key: bytes,
    signature: bytes,
    *,
    header: bytes,
    messages: Sequence[bytes],
    committed_messages: Sequence[bytes],
    secret_prover_blind: bytes,
) -> BlindHeld:
    """blind#blind-signature-verification, keeping what was computed: the only road to ``blind_proof_gen``.

    Rejected: not this key's signature over this header, these messages and this commitment. Malformed: octets that are
    no signature, key or scalar, or more than MAX_MESSAGES in all.
    """
    committed = committed_scalars(committed_messages, API_ID)
    return core_blind_verify(
        API_ID, public_key, signature, header, messages, secret_prover_blind=secret_prover_blind, committed=committed
    )


def blind_proof_gen(
    held: BlindHeld, *, presentation_header: bytes, disclosed_indexes: Sequence[int], rand: Callable[[int], bytes]
) -> bytes:
    """blind#proof-generation: a proof that shows some of the signer's messages and hides all that was committed.

    Malformed: indexes out of range or order, or a ``rand`` that repeats itself.
    """
    check_disclosed(disclosed_indexes, held.length)
    return core_proof_gen(held.held, presentation_header, disclosed_indexes, rand)


def blind_proof_verify(
    public_key: bytes,
    proof: bytes,
    *,
    header: bytes,
    presentation_header: bytes,
    length: int,
    committed: int,
    disclosed_messages: Sequence[bytes],
    disclosed_indexes: Sequence[int],
) -> None:
    """blind#proof-verification: returns if the proof is valid, for ``length`` signer's and ``committed`` messages.

    Rejected: it does not hold for this key, these headers, numbers, messages and indexes. Malformed: not a proof or a
    public key, indexes out of range or order or not one per message, or more than MAX_MESSAGES in all.
    """
    parsed, generators = parse_blind_proof(proof, API_ID, length, committed, disclosed_indexes)
    core_proof_verify(
        public_key,
        parsed,
        generators,
        header=header,
        presentation_header=presentation_header,
        disclosed_messages=signer_scalars(disclosed_messages, API_ID),
        disclosed_indexes=disclosed_indexes,
    )


# --- blind#core-operations ---


def core_commit(committed: Sequence[Scalar], api_id: bytes, rand: Callable[[int], bytes]) -> tuple[bytes, bytes]:
    """blind#core-commitment-computation: the commitment with its proof, and ``secret_prover_blind``."""
    generators = blind_generators(len(committed), api_id)
    points = [generators.q_1, *generators.h]
    secret_prover_blind, *tildes = calculate_random_scalars(len(committed) + 2, rand)
    secrets = [secret_prover_blind, *committed]
    c = multiexp(points, secrets)
    challenge = calculate_blind_challenge(c, multiexp(points, tildes), generators, api_id)
    hats = [tilde + secret * challenge for tilde, secret in zip(tildes, secrets, strict=True)]
    return c.to_compressed_bytes() + serialize_scalars([*hats, challenge]), secret_prover_blind.to_be_bytes()


def deserialize_and_validate_commit(commitment_with_proof: bytes, api_id: bytes, committed: int) -> G1Point:
    """blind#commitment-validation-and-deserialization and #core-commitment-verification: the commitment.

    Rejected: its proof does not hold. Malformed: not a commitment to this number of messages.
    """
    c, hats, challenge = octets_to_commitment_with_proof(commitment_with_proof, committed)
    generators = blind_generators(committed, api_id)
    c_bar = multiexp([generators.q_1, *generators.h], hats) - c * challenge
    if calculate_blind_challenge(c, c_bar, generators, api_id) != challenge:
        raise rejected("the commitment comes without proof that its maker knows what is in it")
    return c


def finalize_blind_sign(
    secret_key: bytes,
    public_key: bytes,
    generators: Generators,
    header: bytes,
    messages: Sequence[Scalar],
    hidden: G1Point,
) -> bytes:
    """blind#calculate-b-value and #finalize-blind-sign: the 80 octets of (A, e).

    ``hidden`` is the part of B that the holder committed to. Rejected: it was chosen to cancel the rest of B.
    """
    octets_to_pubkey(public_key)
    sk = octets_to_scalar(secret_key, "secret key")
    domain = calculate_domain(public_key, generators, header)
    points = [generators.q_1, *generators.h[: len(messages)]]
    b = P1 + multiexp(points, [domain, *messages]) + hidden
    if b == IDENTITY_G1:
        raise rejected("a commitment that cancels what is signed")
    e = hash_to_scalar(secret_key + b.to_compressed_bytes(), generators.hash_to_scalar_dst)
    # SK + e = 0 has probability 2^-255; the library's inverse raises then, it never gives a signature.
    return signature_to_octets(b * (sk + e).inverse(), e)


def core_blind_verify(
    api_id: bytes,
    public_key: bytes,
    signature: bytes,
    header: bytes,
    messages: Sequence[bytes],
    *,
    secret_prover_blind: bytes,
    committed: Sequence[Scalar],
) -> BlindHeld:
    """blind#blind-signature-verification, for the interface ``api_id``."""
    blind = octets_to_scalar(secret_prover_blind, "secret prover blind")
    generators = combined_generators(api_id, len(messages), len(committed))
    scalars = (*signer_scalars(messages, api_id), blind, *committed)
    return BlindHeld(core_verify(public_key, signature, generators, header, scalars), len(messages))


# --- blind#utilities ---


def signer_scalars(messages: Sequence[bytes], api_id: bytes) -> tuple[Scalar, ...]:
    """blind#prepare-parameters, step 1: the signer's messages, which many holders share."""
    return messages_to_scalars(messages, api_id + MAP_SUFFIX)


def committed_scalars(committed_messages: Sequence[bytes], api_id: bytes) -> tuple[Scalar, ...]:
    """blind#prepare-parameters, step 4. These are secrets: unlike the signer's messages they enter no cache."""
    return tuple(hash_to_scalar(message, api_id + MAP_SUFFIX) for message in committed_messages)


def blind_generators(committed: int, api_id: bytes) -> Generators:
    """blind#prepare-parameters, step 6: Q_2 and J_1 … J_M."""
    return create_generators(committed + 1, b"BLIND_" + api_id)


@lru_cache(maxsize=MAX_LISTS_KEPT)
def combined_generators(api_id: bytes, length: int, committed: int) -> Generators:
    """blind#prepare-parameters, step 7: Q_1, H_1 … H_L, Q_2, J_1 … J_M; Q_2 is the generator of the blind.

    Malformed: more than MAX_MESSAGES in all.
    """
    if not 0 <= length <= MAX_MESSAGES - committed - 1:
        raise Malformed("messages", f"more than {MAX_MESSAGES}")
    signer, prover = create_generators(length + 1, api_id), blind_generators(committed, api_id)
    return Generators(api_id, signer.q_1, (*signer.h, prover.q_1, *prover.h), signer.octets + prover.octets)


def calculate_blind_challenge(c: G1Point, c_bar: G1Point, generators: Generators, api_id: bytes) -> Scalar:
    """blind#blind-challenge-calculation: its tag is the interface's, not that of its blind generators."""
    c_octs = i2osp(len(generators.h), 8) + generators.octets + c.to_compressed_bytes() + c_bar.to_compressed_bytes()
    return hash_to_scalar(c_octs, api_id + b"H2S_")


def octets_to_commitment_with_proof(octets: bytes, committed: int) -> tuple[G1Point, list[Scalar], Scalar]:
    """blind#octet-to-commitment-with-proof: C, the M + 1 scalars of its proof, and the challenge; or Malformed.

    Which number of messages is right is the signer's word: a commitment to another number says something else.
    """
    if len(octets) != POINT_LENGTH + (committed + 2) * SCALAR_LENGTH:
        raise Malformed(_COMMITMENT, "not the octets of a commitment to the messages agreed on")
    starts = range(POINT_LENGTH, len(octets), SCALAR_LENGTH)
    *hats, challenge = [octets_to_scalar(octets[i : i + SCALAR_LENGTH], _COMMITMENT) for i in starts]
    return octets_to_point(octets[:POINT_LENGTH], _COMMITMENT), hats, challenge


def check_disclosed(disclosed_indexes: Sequence[int], length: int) -> None:
    """blind#proof-generation, deserialization 3 and 4: only the signer's messages are shown. Raises Malformed.

    On a proof this is more than form: a committed message that counted as shown would let its maker choose it.
    """
    if any(not 0 <= index < length for index in disclosed_indexes):
        raise Malformed("disclosed indexes", f"not all among the {length} messages of the signer")


def parse_blind_proof(
    proof: bytes, api_id: bytes, length: int, committed: int, disclosed_indexes: Sequence[int]
) -> tuple[Proof, Generators]:
    """blind#proof-verification, deserialization: the proof, and the generators for what it shows and hides."""
    parsed = octets_to_proof(proof)
    check_disclosed(disclosed_indexes, length)
    if len(parsed.commitments) + len(disclosed_indexes) != length + 1 + committed:
        raise rejected("the proof hides another number of messages than it should")
    return parsed, combined_generators(api_id, length, committed)
