"""BBS signatures (draft-irtf-cfrg-bbs-signatures), ciphersuite BLS12-381-SHA-256, interface H2G_HM2S.

Octets in, octets out. A signer needs ``key_gen``, ``sk_to_pk`` and ``sign``; a holder ``hold``, once, and ``proof_gen``
for every presentation; a verifier ``proof_verify``. ``bbs#…`` is a section of the draft.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from py_arkworks_bls12381 import G1Point, Scalar

from vc.bbs_core import (
    API_ID,
    BP2,
    CIPHERSUITE_ID,
    EXPAND_LEN,
    MAX_MESSAGES,
    Generators,
    Held,
    core_proof_gen,
    core_proof_verify,
    core_sign,
    core_verify,
    expand_message,
    hash_to_scalar,
    i2osp,
    octets_to_proof,
    octets_to_scalar,
    serialize_points,
)
from vc.errors import Malformed

__all__ = ["MAX_MESSAGES", "Held", "hold", "key_gen", "proof_gen", "proof_verify", "sign", "sk_to_pk", "verify"]

KEYGEN_DST: Final = CIPHERSUITE_ID + b"KEYGEN_DST_"
MAP_DST: Final = API_ID + b"MAP_MSG_TO_SCALAR_AS_HASH_"

MIN_KEY_MATERIAL: Final = 32
MAX_KEY_INFO: Final = 65535

MAX_LISTS_KEPT: Final = 64  # generator lists by their length: an issuer has a few forms; 100 KB at most each
MAX_GENERATORS_KEPT: Final = 5 * (MAX_MESSAGES + 2)  # all that can be asked for: three interfaces, two blind halves
MAX_SCALARS_KEPT: Final = 4096  # messages that all credentials of an issuer share are hashed once
MAX_MESSAGE_KEPT: Final = 512  # octets: with the line above, 4 MB at most


def key_gen(key_material: bytes, key_info: bytes = b"", key_dst: bytes = KEYGEN_DST) -> bytes:
    """bbs#secret-key: 32 octets. Malformed: key material under 32 octets, or information over 65535."""
    if len(key_material) < MIN_KEY_MATERIAL:
        raise Malformed("key material", f"under {MIN_KEY_MATERIAL} octets")
    if len(key_info) > MAX_KEY_INFO:
        raise Malformed("key information", f"over {MAX_KEY_INFO} octets")
    return hash_to_scalar(key_material + i2osp(len(key_info), 2) + key_info, key_dst).to_be_bytes()


def sk_to_pk(secret_key: bytes) -> bytes:
    """bbs#public-key: 96 octets. Malformed: not 32 octets in the range 1 … r - 1."""
    return (BP2 * octets_to_scalar(secret_key, "secret key")).to_compressed_bytes()


def sign(secret_key: bytes, public_key: bytes, header: bytes, messages: Sequence[bytes]) -> bytes:
    """bbs#signature-generation-sign: 80 octets, always the same for the same input.

    Malformed: a key, or more than MAX_MESSAGES messages.
    """
    generators = create_generators(len(messages) + 1)
    return core_sign(secret_key, public_key, generators, header, messages_to_scalars(messages))


def hold(public_key: bytes, signature: bytes, header: bytes, messages: Sequence[bytes]) -> Held:
    """bbs#signature-verification-verify, keeping what was computed: the only road to ``proof_gen``.

    Rejected (PROOF_INVALID): not this key's signature over this header and these messages. Malformed: not a signature
    or a public key, or more than MAX_MESSAGES messages.
    """
    generators = create_generators(len(messages) + 1)
    return core_verify(public_key, signature, generators, header, messages_to_scalars(messages))


def verify(public_key: bytes, signature: bytes, header: bytes, messages: Sequence[bytes]) -> None:
    """bbs#signature-verification-verify: returns if the signature is valid, raises as ``hold`` if not."""
    hold(public_key, signature, header, messages)


def proof_gen(
    held: Held, *, presentation_header: bytes, disclosed_indexes: Sequence[int], rand: Callable[[int], bytes]
) -> bytes:
    """bbs#proof-generation-proofgen: 272 octets and 32 for each message not disclosed.

    ``disclosed_indexes`` count from 0, strictly ascending; ``rand(n)`` gives n octets from a cryptographic generator
    and is called once for each scalar. Malformed: indexes out of range or order, or a ``rand`` that repeats itself.
    """
    return core_proof_gen(held, presentation_header, disclosed_indexes, rand)


def proof_verify(
    public_key: bytes,
    proof: bytes,
    *,
    header: bytes,
    presentation_header: bytes,
    disclosed_messages: Sequence[bytes],
    disclosed_indexes: Sequence[int],
) -> None:
    """bbs#proof-verification-proofverify: returns if the proof is valid.

    Rejected (PROOF_INVALID): it does not hold for this key, these headers, messages and indexes. Malformed: not a
    proof or a public key, indexes out of range or order or not one per message, or more than MAX_MESSAGES in all.
    """
    parsed = octets_to_proof(proof)
    generators = create_generators(len(parsed.commitments) + len(disclosed_indexes) + 1)
    message_scalars = messages_to_scalars(disclosed_messages)
    core_proof_verify(
        public_key,
        parsed,
        generators,
        header=header,
        presentation_header=presentation_header,
        disclosed_messages=message_scalars,
        disclosed_indexes=disclosed_indexes,
    )


# --- bbs#interface-utilities ---


@lru_cache(maxsize=MAX_LISTS_KEPT)
def create_generators(count: int, api_id: bytes = API_ID) -> Generators:
    """bbs#generators-calculation: Q_1 and ``count - 1`` others, one a message. Malformed: more than MAX_MESSAGES."""
    if count > MAX_MESSAGES + 1:
        raise Malformed("messages", f"more than {MAX_MESSAGES}")
    points = [_generator(api_id, i) for i in range(1, count + 1)]
    return Generators(api_id, points[0], tuple(points[1:]), serialize_points(points))


@lru_cache(maxsize=MAX_GENERATORS_KEPT)
def _generator(api_id: bytes, i: int) -> G1Point:
    return G1Point.hash_to_curve(_generator_seed(api_id, i), api_id + b"SIG_GENERATOR_DST_")


@lru_cache(maxsize=MAX_GENERATORS_KEPT)
def _generator_seed(api_id: bytes, i: int) -> bytes:
    """``v`` after round i; asked for in ascending order and never evicted, so the round before is always at hand."""
    previous = _generator_seed(api_id, i - 1) + i2osp(i, 8) if i else api_id + b"MESSAGE_GENERATOR_SEED"
    return expand_message(previous, api_id + b"SIG_GENERATOR_SEED_", EXPAND_LEN)


def messages_to_scalars(messages: Sequence[bytes], map_dst: bytes = MAP_DST) -> tuple[Scalar, ...]:
    """bbs#messages-to-scalars"""
    return tuple(
        [_kept_scalar(m, map_dst) if len(m) <= MAX_MESSAGE_KEPT else hash_to_scalar(m, map_dst) for m in messages]
    )


_kept_scalar = lru_cache(maxsize=MAX_SCALARS_KEPT)(hash_to_scalar)
