"""BBS signatures: octets that are no key, signature or proof, a broken generator, and the bounds."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from tests.test_bbs import (
    HEADER,
    HELD,
    MESSAGES,
    PRESENTATION_HEADER,
    PROOF,
    PUBLIC_KEY,
    SECRET_KEY,
    SHOWN,
    SIGNATURE,
    check,
    flip,
    prove,
)
from vc import bbs, bbs_core
from vc.errors import Malformed, Rejected, VcError

R = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001


@contextmanager
def malformed(where: str, why: str = "") -> Iterator[None]:
    with pytest.raises(Malformed) as refusal:
        yield
    assert refusal.value.where == where
    assert why in refusal.value.why


# The first octet of a point holds its flags (compressed, identity, sign): all of their combinations are worth a try.
HOSTILE = st.one_of(
    st.binary(max_size=400),
    st.builds(lambda flags, rest: bytes([flags]) + rest, st.integers(0, 255), st.binary(min_size=79, max_size=335)),
)


@settings(max_examples=300, deadline=None)
@given(HOSTILE)
def test_only_our_errors_leave(raw: bytes) -> None:
    with pytest.raises(VcError):
        check(raw)
    with pytest.raises(VcError):
        bbs.verify(PUBLIC_KEY, raw[:80], HEADER, MESSAGES)
    with pytest.raises(VcError):
        bbs.verify(raw[:96], SIGNATURE, HEADER, MESSAGES)
    with suppress(VcError):  # any 32 octets below r are a secret key
        bbs.sign(raw, PUBLIC_KEY, HEADER, MESSAGES)


# --- what cannot be a key, a signature, a proof, a list of indexes ---


def off_subgroup(point: Any, length: int) -> bytes:
    for x in range(1, 200):
        raw = b"\x80" + x.to_bytes(length - 1, "big")
        try:
            if not point.from_compressed_bytes_unchecked(raw).is_in_subgroup():
                return raw
        except ValueError:
            continue
    raise AssertionError("the curve has many points off the subgroup")


IDENTITIES = [b"\xc0" + bytes(47), b"\xe0" + bytes(47), b"\xc0" + bytes(46) + b"\x01", b"\xff" * 48]
NOT_POINTS = [
    bytes(48),
    flip(SIGNATURE[:48], 7),
    b"\x9f" + b"\xff" * 47,
    off_subgroup(G1Point, 48),
    *IDENTITIES,
]
NOT_SCALARS = [bytes(32), R.to_bytes(32, "big"), (R + 1).to_bytes(32, "big"), b"\xff" * 32]


@pytest.mark.parametrize("point", NOT_POINTS, ids=lambda raw: raw.hex()[:8])
def test_bad_points(point: bytes) -> None:
    with malformed("signature"):
        bbs.verify(PUBLIC_KEY, point + SIGNATURE[48:], HEADER, MESSAGES)
    for start in (0, 48, 96):
        with malformed("proof"):
            check(PROOF[:start] + point + PROOF[start + 48 :])


@pytest.mark.parametrize("scalar", NOT_SCALARS, ids=lambda raw: raw.hex()[:8])
def test_bad_scalars(scalar: bytes) -> None:
    with malformed("signature"):
        bbs.verify(PUBLIC_KEY, SIGNATURE[:48] + scalar, HEADER, MESSAGES)
    for start in range(144, len(PROOF), 32):
        with malformed("proof"):
            check(PROOF[:start] + scalar + PROOF[start + 32 :])
    with malformed("secret key"):
        bbs.sign(scalar, PUBLIC_KEY, HEADER, MESSAGES)
    with malformed("secret key"):
        bbs.sk_to_pk(scalar)


@pytest.mark.parametrize(
    "public_key",
    [b"", PUBLIC_KEY[:48], PUBLIC_KEY + b"\0", b"\xc0" + bytes(95), b"\xff" * 96, off_subgroup(G2Point, 96)],
    ids=["empty", "short", "long", "identity", "identity-with-noise", "off-subgroup"],
)
def test_bad_public_keys(public_key: bytes) -> None:
    with malformed("public key"):
        bbs.verify(public_key, SIGNATURE, HEADER, MESSAGES)
    with malformed("public key"):
        bbs.sign(SECRET_KEY, public_key, HEADER, MESSAGES)
    with malformed("public key"):
        bbs.proof_verify(
            public_key,
            PROOF,
            header=HEADER,
            presentation_header=PRESENTATION_HEADER,
            disclosed_messages=(b"one", b""),
            disclosed_indexes=SHOWN,
        )


@pytest.mark.parametrize("length", [0, 79, 81])
def test_bad_signature_lengths(length: int) -> None:
    with malformed("signature", "not 80 octets"):
        bbs.verify(PUBLIC_KEY, (SIGNATURE + b"\0")[:length], HEADER, MESSAGES)


@pytest.mark.parametrize("length", [0, 1, 271, 273, 335, 337])
def test_bad_proof_lengths(length: int) -> None:
    with malformed("proof", "number of octets"):
        check((PROOF + b"\0")[:length])


@pytest.mark.parametrize("shown", [(3, 0), (0, 0), (0, 4), (-1, 3), (0, 2**64), (0,), (0, 1, 3), (0, 1, 2, 3, 4)])
def test_bad_indexes_in_a_proof(shown: tuple[int, ...]) -> None:
    with malformed("disclosed indexes"):
        check(PROOF, shown=shown)


@pytest.mark.parametrize("shown", [(3, 0), (0, 0), (4,), (-1,), (0, 1, 2, 3, 4)])
def test_bad_indexes_to_disclose(shown: tuple[int, ...]) -> None:
    with malformed("disclosed indexes"):
        prove(shown=shown)


def test_a_forged_bbar_fails_the_pairing_though_the_challenge_fits() -> None:
    """Without the pairing anyone could prove anything: any point does for Abar."""
    a, e = G1Point() * Scalar(5), Scalar(7)
    forged = bbs.Held(HELD.generators, HELD.messages, HELD.domain, a, e, HELD.b, HELD.b - a * e)
    with pytest.raises(Rejected, match="not of a signature by this key"):
        check(prove(forged))


@pytest.mark.parametrize(
    "rand", [lambda n: b"\x07" * n, lambda n: os.urandom(n - 1), lambda n: b""], ids=["repeats", "short", "nothing"]
)
def test_a_broken_rand_makes_no_proof(rand: Callable[[int], bytes]) -> None:
    with malformed("rand"):
        prove(rand=rand)


def test_bad_key_material() -> None:
    with malformed("key material"):
        bbs.key_gen(b"k" * 31)
    with malformed("key information"):
        bbs.key_gen(b"k" * 32, b"i" * 65536)


def test_tags_and_lengths_that_expand_message_refuses() -> None:
    assert len(bbs_core.expand_message(b"", b"d" * 255, 8160)) == 8160
    for dst, length in ((b"d" * 256, 48), (b"d", 8161)):
        with malformed("expand_message"):
            bbs_core.expand_message(b"", dst, length)


# --- bounds and caches ---


def test_as_many_messages_as_the_bound_and_no_more() -> None:
    messages = [b"m"] * bbs.MAX_MESSAGES
    signature = bbs.sign(SECRET_KEY, PUBLIC_KEY, HEADER, messages)
    proof = prove(bbs.hold(PUBLIC_KEY, signature, HEADER, messages), shown=())
    check(proof, messages=(), shown=())
    with malformed("messages"):
        bbs.sign(SECRET_KEY, PUBLIC_KEY, HEADER, [*messages, b"m"])
    with malformed("messages"):
        bbs.verify(PUBLIC_KEY, SIGNATURE, HEADER, [*messages, b"m"])
    with malformed("messages"):
        check(proof, messages=(b"m",), shown=(0,))
    with malformed("proof"):
        check(proof + proof[-32:], messages=(), shown=())


@pytest.mark.parametrize("count", [0, 3, 5])
def test_core_wants_one_generator_for_each_message(count: int) -> None:
    """The library would drop the messages that have none: they would go unsigned."""
    generators = bbs.create_generators(count + 1)
    scalars = bbs.messages_to_scalars(MESSAGES)
    with malformed("generators"):
        bbs_core.core_sign(SECRET_KEY, PUBLIC_KEY, generators, HEADER, scalars)
    with malformed("generators"):
        bbs_core.core_verify(PUBLIC_KEY, SIGNATURE, generators, HEADER, scalars)
    with malformed("generators"):
        bbs_core.core_proof_verify(
            PUBLIC_KEY,
            bbs_core.octets_to_proof(PROOF),
            generators,
            header=HEADER,
            presentation_header=PRESENTATION_HEADER,
            disclosed_messages=[scalars[0], scalars[3]],
            disclosed_indexes=SHOWN,
        )
