"""The curve operations that no BBS implementation on this library can avoid, to measure ours against.

Each function builds random points and scalars once and returns a callable that does only those operations: no hashing,
no serialisation, no checks besides those of decoding. ``n`` counts the signed messages, ``shown`` the disclosed ones.
"""

import os
from collections.abc import Callable

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar


def _scalar() -> Scalar:
    return Scalar.from_be_bytes_mod_order(os.urandom(48))


def _scalars(count: int) -> list[Scalar]:
    return [_scalar() for _ in range(count)]


def _points(count: int) -> list[G1Point]:
    return [G1Point.hash_to_curve(os.urandom(32), b"bench") for _ in range(count)]


def sign_floor(n: int) -> Callable[[], object]:
    """B: one multi-exponentiation of n + 1 terms (Q_1 and the messages) and P1 added; A: one multiplication."""
    points, scalars, inverse = _points(n + 1), _scalars(n + 1), _scalar()
    p1 = points[0]
    return lambda: (p1 + G1Point.multiexp_unchecked(points, scalars)) * inverse


def derive_floor(n: int, shown: int) -> Callable[[], object]:
    """Given B and B - A * e: three multiplications (D, Abar, Bbar), then T1 of 2 terms and T2 of n - shown + 1."""
    hidden = n - shown
    b, a, a_sk = _points(3)
    r2, r1_r2 = _scalars(2)
    t1_scalars, t2_scalars = _scalars(2), _scalars(hidden + 1)
    generators = _points(hidden)

    def operations() -> object:
        d, a_bar, b_bar = b * r2, a * r1_r2, a_sk * r1_r2
        t1 = G1Point.multiexp_unchecked([a_bar, d], t1_scalars)
        t2 = G1Point.multiexp_unchecked([d, *generators], t2_scalars)
        return a_bar, b_bar, d, t1, t2

    return operations


def verify_floor(n: int, shown: int) -> Callable[[], object]:
    """Three points decoded with their checks, T1 of 3 terms, T2 of n + 3 (P1, Q_1, D, the messages), two pairings.

    ``shown`` changes nothing here: each message, disclosed or not, is one term of T2.
    """
    assert 0 <= shown <= n
    octets = [point.to_compressed_bytes() for point in _points(3)]
    generators, t1_scalars, t2_scalars = _points(n + 2), _scalars(3), _scalars(n + 3)
    w, minus_bp2 = G2Point() * _scalar(), -G2Point()

    def operations() -> object:
        a_bar, b_bar, d = (G1Point.from_compressed_bytes(point) for point in octets)
        t1 = G1Point.multiexp_unchecked([b_bar, a_bar, d], t1_scalars)
        t2 = G1Point.multiexp_unchecked([d, *generators], t2_scalars)
        return t1, t2, GT.pairing_check([a_bar, b_bar], [w, minus_bp2])

    return operations
