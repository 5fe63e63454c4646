"""BBS signatures, ciphersuite BLS12-381-SHA-256: core operations, proof subroutines and core utilities.

``bbs#…`` in the docstrings is a section of draft-irtf-cfrg-bbs-signatures; functions and variables have its names
(``e^`` is ``e_hat``, ``e~`` is ``e_tilde``). Everything on the curve is the library's, whose arithmetic does not run in
constant time. An interface (``bbs.py``, ``blind_bbs.py``, ``pseudonym_bbs.py``) calls the core operations with its own
generators, which carry its ``api_id``: so the points and the tags of two interfaces cannot be mixed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from vc.errors import Finding, Malformed, Rejected

if TYPE_CHECKING:
    from hashlib import _Hash

CIPHERSUITE_ID: Final = b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_"
API_ID: Final = CIPHERSUITE_ID + b"H2G_HM2S_"
HASH_TO_SCALAR_DST: Final = API_ID + b"H2S_"

POINT_LENGTH: Final = 48
PUBLIC_KEY_LENGTH: Final = 96
SCALAR_LENGTH: Final = 32
EXPAND_LEN: Final = 48
SIGNATURE_LENGTH: Final = POINT_LENGTH + SCALAR_LENGTH
PROOF_LENGTH_FLOOR: Final = 3 * POINT_LENGTH + 4 * SCALAR_LENGTH

# Each message costs a hash to the curve (0.2 ms, once) and 50 µs a check: a stranger's longest proof takes under 1 s.
MAX_MESSAGES: Final = 2048
MAX_KEYS_KEPT: Final = 256  # parsed public keys: more issuers than one verifier trusts; under 1 KB each
MAX_DOMAINS_KEPT: Final = 64  # hash states of (public key, number of messages): an issuer has a few forms

P1: Final = G1Point.from_compressed_bytes(
    bytes.fromhex("a8ce256102840821a3e94ea9025e4662b205762f9776b3a766c872b948f1fd225e7c59698588e70d11406d161b4e28c9")
)
BP2: Final = G2Point()
MINUS_BP2: Final = -BP2
IDENTITY_G1: Final = G1Point.identity()
IDENTITY_G2: Final = G2Point.identity()

_Z_PAD: Final = bytes(64)  # one input block of SHA-256
_DIGEST_LENGTH: Final = 32


@dataclass(frozen=True, slots=True, eq=False)
class Generators:
    """``Q_1`` and ``H_1 … H_L`` of an interface, with their octets in that order.

    Compared by identity: it keys a cache cheaply.
    """

    api_id: bytes
    q_1: G1Point
    h: tuple[G1Point, ...]
    octets: bytes

    @property
    def hash_to_scalar_dst(self) -> bytes:
        """bbs#hash-to-scalar: the interface's tag for the domain, the signature's ``e`` and the challenge."""
        return self.api_id + b"H2S_"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Held:
    """A verified signature and what every proof from it needs. It has no repr: all of it is the holder's secret."""

    generators: Generators
    messages: tuple[Scalar, ...]
    domain: Scalar
    a: G1Point
    e: Scalar
    b: G1Point
    a_sk: G1Point  # A * SK = B - A * e


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof as parsed by ``octets_to_proof``: points of G1 other than the identity, scalars other than zero."""

    a_bar: G1Point
    b_bar: G1Point
    d: G1Point
    e_hat: Scalar
    r1_hat: Scalar
    r3_hat: Scalar
    commitments: tuple[Scalar, ...]
    challenge: Scalar


@dataclass(frozen=True, slots=True)
class InitRes:
    """``init_res`` as the challenge hashes it: the octets of Abar, Bbar, D, T1, T2, and the domain."""

    points: bytes
    domain: Scalar


# --- bbs#core-operations ---


def core_sign(
    secret_key: bytes, public_key: bytes, generators: Generators, header: bytes, messages: tuple[Scalar, ...]
) -> bytes:
    """bbs#coresign: the 80 octets of (A, e). Malformed: a key, or not one generator per message."""
    octets_to_pubkey(public_key)
    sk = octets_to_scalar(secret_key, "secret key")
    domain = calculate_domain(public_key, generators, header)
    e_octs = secret_key + serialize_scalars(messages) + domain.to_be_bytes()
    e = hash_to_scalar(e_octs, generators.hash_to_scalar_dst)
    b = calculate_b(generators, domain, messages)
    # SK + e = 0 has probability 2^-255; the library's inverse raises then, it never gives a signature.
    return signature_to_octets(b * (sk + e).inverse(), e)


def core_verify(
    public_key: bytes, signature: bytes, generators: Generators, header: bytes, messages: tuple[Scalar, ...]
) -> Held:
    """bbs#coreverify: the held signature. Rejected: not by this key over these; Malformed: not a signature or a key."""
    a, e = octets_to_signature(signature)
    w = octets_to_pubkey(public_key)
    domain = calculate_domain(public_key, generators, header)
    b = calculate_b(generators, domain, messages)
    a_sk = b - a * e
    if not GT.pairing_check([a, a_sk], [w, MINUS_BP2]):
        raise rejected("the signature is not this key's over this header and these messages")
    return Held(generators, messages, domain, a, e, b, a_sk)


def core_proof_gen(
    held: Held, presentation_header: bytes, disclosed_indexes: Sequence[int], rand: Callable[[int], bytes]
) -> bytes:
    """bbs#coreproofgen, on a signature that ``core_verify`` has parsed and checked."""
    undisclosed = undisclosed_indexes(disclosed_indexes, len(held.messages))
    random_scalars = calculate_random_scalars(5 + len(undisclosed), rand)
    init_res = proof_init(held, random_scalars, undisclosed)
    disclosed_messages = [held.messages[i] for i in disclosed_indexes]
    challenge = proof_challenge_calculate(
        init_res, disclosed_messages, disclosed_indexes, presentation_header, held.generators.hash_to_scalar_dst
    )
    return proof_finalize(init_res, challenge, held.e, random_scalars, [held.messages[j] for j in undisclosed])


def core_proof_verify(
    public_key: bytes,
    proof: Proof,
    generators: Generators,
    *,
    header: bytes,
    presentation_header: bytes,
    disclosed_messages: Sequence[Scalar],
    disclosed_indexes: Sequence[int],
) -> None:
    """bbs#coreproofverify: nothing. Rejected: the proof does not hold; Malformed: a key, or indexes that cannot be."""
    challenge = proof_challenge(
        public_key,
        proof,
        generators,
        header=header,
        presentation_header=presentation_header,
        disclosed_messages=disclosed_messages,
        disclosed_indexes=disclosed_indexes,
    )
    check_proof(octets_to_pubkey(public_key), proof, challenge)


def proof_challenge(
    public_key: bytes,
    proof: Proof,
    generators: Generators,
    *,
    header: bytes,
    presentation_header: bytes,
    disclosed_messages: Sequence[Scalar],
    disclosed_indexes: Sequence[int],
) -> Scalar:
    """bbs#coreproofverify, steps 1 to 4: the challenge that the proof has to have. Malformed as there."""
    init_res = proof_verify_init(
        public_key,
        proof,
        generators,
        header=header,
        disclosed_messages=disclosed_messages,
        disclosed_indexes=disclosed_indexes,
    )
    return proof_challenge_calculate(
        init_res, disclosed_messages, disclosed_indexes, presentation_header, generators.hash_to_scalar_dst
    )


def check_proof(w: G2Point, proof: Proof, challenge: Scalar) -> None:
    """bbs#coreproofverify, steps 4 and 5: the challenge is the proof's, and the pairing holds. Raises Rejected."""
    if proof.challenge != challenge:
        raise rejected("the proof does not fit this key, these headers and these messages")
    if not GT.pairing_check([proof.a_bar, proof.b_bar], [w, MINUS_BP2]):
        raise rejected("the proof is not of a signature by this key")


def rejected(message: str) -> Rejected:
    """INVALID, as the drafts of BBS say it."""
    return Rejected((Finding("PROOF_INVALID", message),))


# --- bbs#proof-protocol-subroutines ---


def proof_init(held: Held, random_scalars: Sequence[Scalar], undisclosed: Sequence[int]) -> InitRes:
    """bbs#proof-initialization; steps 1 and 2 (domain and B) are those of the held signature."""
    r1, r2, e_tilde, r1_tilde, r3_tilde, *m_tilde = random_scalars
    d = held.b * r2
    r1_r2 = r1 * r2
    a_bar = held.a * r1_r2
    b_bar = held.a_sk * r1_r2  # = D * r1 - Abar * e, in one multiplication
    t1 = multiexp([a_bar, d], [e_tilde, r1_tilde])
    t2 = multiexp([d, *[held.generators.h[j] for j in undisclosed]], [r3_tilde, *m_tilde])
    return InitRes(serialize_points((a_bar, b_bar, d, t1, t2)), held.domain)


def proof_finalize(
    init_res: InitRes,
    challenge: Scalar,
    e_value: Scalar,
    random_scalars: Sequence[Scalar],
    undisclosed_messages: Sequence[Scalar],
) -> bytes:
    """bbs#proof-finalization: the octets of the proof, 272 and 32 more for each message not disclosed."""
    r1, r2, e_tilde, r1_tilde, r3_tilde, *m_tilde = random_scalars
    e_hat = e_tilde + e_value * challenge
    r1_hat = r1_tilde - r1 * challenge
    r3_hat = r3_tilde - r2.inverse() * challenge
    m_hat = [m + message * challenge for m, message in zip(m_tilde, undisclosed_messages, strict=True)]
    return proof_to_octets(init_res, [e_hat, r1_hat, r3_hat, *m_hat, challenge])


def proof_verify_init(
    public_key: bytes,
    proof: Proof,
    generators: Generators,
    *,
    header: bytes,
    disclosed_messages: Sequence[Scalar],
    disclosed_indexes: Sequence[int],
) -> InitRes:
    """bbs#proof-verification-initialization, with Bv * c spread out so that T2 is one multi-exponentiation."""
    c = proof.challenge
    undisclosed = undisclosed_indexes(disclosed_indexes, len(disclosed_indexes) + len(proof.commitments))
    if len(disclosed_messages) != len(disclosed_indexes):
        raise Malformed("disclosed indexes", "not one for each disclosed message")
    domain = calculate_domain(public_key, generators, header)
    t1 = multiexp([proof.b_bar, proof.a_bar, proof.d], [c, proof.e_hat, proof.r1_hat])
    by_index = dict(zip(undisclosed, proof.commitments, strict=True))
    by_index.update((i, message * c) for i, message in zip(disclosed_indexes, disclosed_messages, strict=True))
    h_scalars = [by_index[i] for i in range(len(by_index))]
    t2 = multiexp([P1, generators.q_1, proof.d, *generators.h], [c, domain * c, proof.r3_hat, *h_scalars])
    return InitRes(serialize_points((proof.a_bar, proof.b_bar, proof.d, t1, t2)), domain)


def proof_challenge_calculate(
    init_res: InitRes,
    disclosed_messages: Sequence[Scalar],
    disclosed_indexes: Sequence[int],
    presentation_header: bytes,
    challenge_dst: bytes = HASH_TO_SCALAR_DST,
) -> Scalar:
    """bbs#challenge-calculation"""
    disclosed = [
        i2osp(i, 8) + message.to_be_bytes() for i, message in zip(disclosed_indexes, disclosed_messages, strict=True)
    ]
    c_arr = (i2osp(len(disclosed), 8), *disclosed, init_res.points, init_res.domain.to_be_bytes())
    c_octs = b"".join((*c_arr, i2osp(len(presentation_header), 8), presentation_header))
    return hash_to_scalar(c_octs, challenge_dst)


def undisclosed_indexes(disclosed_indexes: Sequence[int], count: int) -> list[int]:
    """(0 … count - 1) without ``disclosed_indexes``, which must be in range and strictly ascending, else Malformed."""
    if any(later <= earlier for earlier, later in pairwise(disclosed_indexes)):
        raise Malformed("disclosed indexes", "not in ascending order, each once")
    if disclosed_indexes and not 0 <= disclosed_indexes[0] <= disclosed_indexes[-1] < count:
        raise Malformed("disclosed indexes", f"not all among the {count} messages")
    disclosed = frozenset(disclosed_indexes)
    return [j for j in range(count) if j not in disclosed]


# --- bbs#core-utilities ---


def calculate_b(generators: Generators, domain: Scalar, messages: tuple[Scalar, ...]) -> G1Point:
    """bbs#coresign step 3: B = P1 + Q_1 * domain + H_1 * msg_1 + … + H_L * msg_L."""
    return P1 + multiexp([generators.q_1, *generators.h], [domain, *messages])


def multiexp(points: list[G1Point], scalars: list[Scalar]) -> G1Point:
    """The sum of points times scalars. Every point given here is a constant, computed, or decoded with its checks."""
    # The library drops what has no partner without a word: a message without a generator would go unsigned.
    if len(points) != len(scalars):
        raise Malformed("generators", "not one for each message")
    return G1Point.multiexp_unchecked(points, scalars)


def calculate_random_scalars(count: int, rand: Callable[[int], bytes]) -> list[Scalar]:
    """bbs#random-scalars; ``rand(n)`` gives n fresh octets, uniform and secret, at each call."""
    octets = [rand(EXPAND_LEN) for _ in range(count)]
    # Equal blinding scalars would give the hidden messages away: better no proof than that one.
    if len(set(octets)) != count or any(len(octet) != EXPAND_LEN for octet in octets):
        raise Malformed("rand", f"does not give {EXPAND_LEN} fresh octets at each call")
    return [Scalar.from_be_bytes_mod_order(octet) for octet in octets]


def expand_message(msg: bytes, dst: bytes, len_in_bytes: int) -> bytes:
    """RFC 9380 §5.3.1 expand_message_xmd with SHA-256: at most 8160 octets. Malformed: it would abort."""
    return _expand(sha256(_Z_PAD + msg), dst, len_in_bytes)


def _expand(state: "_Hash", dst: bytes, len_in_bytes: int) -> bytes:
    """expand_message_xmd from a hash state that has taken Z_pad and the message."""
    ell = -(-len_in_bytes // _DIGEST_LENGTH)
    if ell > 255 or len(dst) > 255:
        raise Malformed("expand_message", "more than 255 blocks, or a tag over 255 octets")
    dst_prime = dst + i2osp(len(dst), 1)
    state.update(i2osp(len_in_bytes, 2) + b"\x00" + dst_prime)
    b_0 = state.digest()
    b_i = sha256(b_0 + b"\x01" + dst_prime).digest()
    uniform_bytes = [b_i]
    b_0_number = int.from_bytes(b_0, "big")
    for i in range(2, ell + 1):
        strxor = i2osp(b_0_number ^ int.from_bytes(b_i, "big"), _DIGEST_LENGTH)
        b_i = sha256(strxor + i2osp(i, 1) + dst_prime).digest()
        uniform_bytes.append(b_i)
    return b"".join(uniform_bytes)[:len_in_bytes]


def hash_to_scalar(msg_octets: bytes, dst: bytes) -> Scalar:
    """bbs#hash-to-scalar. Malformed: a tag over 255 octets."""
    return Scalar.from_be_bytes_mod_order(expand_message(msg_octets, dst, EXPAND_LEN))


def calculate_domain(public_key: bytes, generators: Generators, header: bytes) -> Scalar:
    """bbs#domain-calculation; all but the header is hashed once for a key and a number of messages."""
    state = _domain_state(public_key, generators).copy()
    state.update(i2osp(len(header), 8) + header)
    return Scalar.from_be_bytes_mod_order(_expand(state, generators.hash_to_scalar_dst, EXPAND_LEN))


@lru_cache(maxsize=MAX_DOMAINS_KEPT)
def _domain_state(public_key: bytes, generators: Generators) -> "_Hash":
    """Only ever copied: the cached state itself takes no more input."""
    return sha256(_Z_PAD + public_key + i2osp(len(generators.h), 8) + generators.octets + generators.api_id)


# --- bbs#serialization ---


def i2osp(value: int, length: int) -> bytes:
    """RFC 8017 §4.1"""
    return value.to_bytes(length, "big")


def serialize_points(points: Iterable[G1Point]) -> bytes:
    """bbs#serialize for points of G1."""
    return b"".join([point.to_compressed_bytes() for point in points])


def serialize_scalars(scalars: Iterable[Scalar]) -> bytes:
    """bbs#serialize for scalars."""
    return b"".join([scalar.to_be_bytes() for scalar in scalars])


def signature_to_octets(a: G1Point, e: Scalar) -> bytes:
    """bbs#signature-to-octets"""
    return a.to_compressed_bytes() + e.to_be_bytes()


def octets_to_signature(octets: bytes) -> tuple[G1Point, Scalar]:
    """bbs#octets-to-signature: (A, e) or Malformed."""
    if len(octets) != SIGNATURE_LENGTH:
        raise Malformed("signature", f"not {SIGNATURE_LENGTH} octets")
    return octets_to_point(octets[:POINT_LENGTH], "signature"), octets_to_scalar(octets[POINT_LENGTH:], "signature")


def proof_to_octets(init_res: InitRes, scalars: Iterable[Scalar]) -> bytes:
    """bbs#proof-to-octets; Abar, Bbar and D are octets already, from the challenge."""
    return init_res.points[: 3 * POINT_LENGTH] + serialize_scalars(scalars)


def octets_to_proof(octets: bytes) -> Proof:
    """bbs#octets-to-proof: a proof that hides at most MAX_MESSAGES messages, or Malformed."""
    u, rest = divmod(len(octets) - PROOF_LENGTH_FLOOR, SCALAR_LENGTH)
    if not 0 <= u <= MAX_MESSAGES or rest:
        raise Malformed("proof", "not a possible number of octets")
    a_bar, b_bar, d = (octets_to_point(octets[i : i + POINT_LENGTH], "proof") for i in (0, 48, 96))
    starts = range(3 * POINT_LENGTH, len(octets), SCALAR_LENGTH)
    e_hat, r1_hat, r3_hat, *commitments, challenge = [
        octets_to_scalar(octets[i : i + SCALAR_LENGTH], "proof") for i in starts
    ]
    return Proof(a_bar, b_bar, d, e_hat, r1_hat, r3_hat, tuple(commitments), challenge)


@lru_cache(maxsize=MAX_KEYS_KEPT)
def octets_to_pubkey(octets: bytes) -> G2Point:
    """bbs#octets-to-public-key: W, on the curve, in the subgroup and not the identity, or Malformed."""
    try:
        w = G2Point.from_compressed_bytes(octets)
    except ValueError:
        raise Malformed("public key", "not a point of G2") from None
    if w == IDENTITY_G2:
        raise Malformed("public key", "the identity point")
    return w


def octets_to_point(octets: bytes, where: str) -> G1Point:
    """octets_to_point_E1 with the checks that bbs#octets-to-signature and bbs#octets-to-proof ask for, or Malformed."""
    try:
        point = G1Point.from_compressed_bytes(octets)  # on the curve and in the subgroup
    except ValueError:
        raise Malformed(where, "not a point of G1") from None
    # The library reads the identity from any octets that have its flag, not only from the canonical ones.
    if point == IDENTITY_G1:
        raise Malformed(where, "the identity point")
    return point


def octets_to_scalar(octets: bytes, where: str) -> Scalar:
    """OS2IP of 32 octets, in the range 1 … r - 1, or Malformed."""
    try:
        scalar = Scalar.from_be_bytes(octets)
    except ValueError:
        raise Malformed(where, "not a scalar of 32 octets below r") from None
    if scalar.is_zero():
        raise Malformed(where, "a scalar that is zero")
    return scalar
