"""ECDSA: whole documents on both curves, and ecdsa-sd-2023 at 10, 25, 50 and 200 claims.

Floors are raw signatures and verifications of the ``cryptography`` package over 64 bytes, with keys already loaded:
what one cannot do without, and nothing else. A derived proof needs as many verifications as it shows claims, and one
for the issuer. Deriving signs nothing: it is measured in signatures because everybody knows how long those take.
"""

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from bench.documents import AT, earnings, rating
from bench.measure import Row, compare
from vc import ecdsa
from vc.canon import parse_object, to_json
from vc.keys import EcdsaKey, P256Key, P384Key
from vc.secure import derive, hold, sign, sign_selective, verify_proofs
from vc.suites.ecdsa_sd_2023 import HeldBase
from work import CONTEXTS

SIZES: Final = (10, 25, 50, 200)
SHOWN: Final = 8
PROMISED: Final = 25


def rows() -> Iterator[Row]:
    """All of it."""
    for key, curve, rounds in (
        (P256Key.generate(os.urandom), ecdsa.P256, 500),
        (P384Key.generate(os.urandom), ecdsa.P384, 100),
    ):
        for suite in ("ecdsa-rdfc-2019", "ecdsa-jcs-2019"):
            yield from whole(key, curve, suite, rounds=rounds)
    for claims in SIZES:
        yield from selective(claims, rounds=max(50, 10_000 // claims))


def whole(key: EcdsaKey, curve: ecdsa.Curve, suite: str, *, rounds: int) -> Iterator[Row]:
    """Issue and verify a credential of about 25 claims."""
    document = rating(key.did, key.did)

    def issue() -> bytes:
        return to_json(sign(document, key=key, created=AT, contexts=CONTEXTS, suite=suite))

    signed = issue()
    claims = len(document["credentialSubject"])
    yield compare(f"{suite} {curve.name} issue, {claims} claims", issue, raw_sign(curve, 1), limit=8, rounds=rounds)
    yield compare(
        f"{suite} {curve.name} verify, from bytes",
        partial(verify, signed),
        raw_verify(curve, 1),
        limit=6,
        rounds=rounds,
    )


def selective(claims: int, *, rounds: int) -> Iterator[Row]:
    """Issue, hold, derive and verify with ``claims`` that can be shown alone, 8 of them shown."""
    key = P256Key.generate(os.urandom)
    document, mandatory, shown = statement(key, claims)

    def issue() -> bytes:
        return to_json(
            sign_selective(document, key=key, created=AT, mandatory=mandatory, contexts=CONTEXTS, rand=os.urandom)
        )

    def held() -> HeldBase:
        base = hold(parse_object(signed), contexts=CONTEXTS)
        assert isinstance(base, HeldBase)
        return base

    def show() -> bytes:
        return to_json(derive(base, shown, rand=os.urandom))

    signed = issue()
    base = held()
    assert len(base.base.signatures) == claims
    derived = show()
    name = f"ecdsa-sd-2023 {{}}, {claims} claims"
    signatures, checks = raw_sign(ecdsa.P256, claims + 1), raw_verify(ecdsa.P256, claims + 1)
    yield compare(name.format("issue"), issue, signatures, limit=3, rounds=rounds)
    yield compare(name.format("hold"), held, checks, limit=2, rounds=rounds)
    name = f"ecdsa-sd-2023 {{}}, {SHOWN} of {claims} shown"
    limit = 16 if claims <= 50 else 32  # grows with what is hidden
    yield compare(name.format("derive"), show, raw_sign(ecdsa.P256, 1), limit=limit, rounds=rounds)
    checks = raw_verify(ecdsa.P256, SHOWN + 1)
    at_most = 1.5 if claims == PROMISED else 2  # what is not signatures weighs differently at other sizes
    yield compare(name.format("verify"), partial(verify, derived), checks, limit=at_most, rounds=rounds)


def verify(secured: bytes) -> object:
    """From bytes to verified proofs."""
    return verify_proofs(parse_object(secured), contexts=CONTEXTS)


def statement(key: P256Key, claims: int) -> tuple[dict[str, Any], list[str], list[str]]:
    """``(document, mandatory pointers, pointers of 8 claims)``: earnings with as many claims as asked for."""
    document, mandatory, shown = earnings(key.did, key.did)
    subject = dict(document["credentialSubject"])
    for name in ("total", "total12m", "median3m", "monthsWithIncome"):
        del subject[name]
    subject["averageAtLeast12m"] = subject["averageAtLeast12m"][:SHOWN]
    subject["monthly"] = [f"{2000 + index // 12}-{index % 12 + 1:02} 2210.30" for index in range(claims - SHOWN)]
    return {**document, "credentialSubject": subject}, mandatory, shown


def raw_sign(curve: ecdsa.Curve, count: int) -> Callable[[], object]:
    """Signatures over 64 bytes, with a key already loaded."""
    key = ecdsa.load_secret(curve, ecdsa.key_gen(curve, os.urandom(ecdsa.material_length(curve))))
    data = os.urandom(64)

    def operations() -> None:
        for _ in range(count):
            key.sign(data, curve.scheme)

    return operations


def raw_verify(curve: ecdsa.Curve, count: int) -> Callable[[], object]:
    """Verifications over 64 bytes, with a key already loaded."""
    key = ecdsa.load_secret(curve, ecdsa.key_gen(curve, os.urandom(ecdsa.material_length(curve))))
    data = os.urandom(64)
    signature = ecdsa.sign(curve, key, data)
    r, s = (int.from_bytes(half, "big") for half in (signature[: curve.length], signature[curve.length :]))
    public, der = key.public_key(), encode_dss_signature(r, s)

    def operations() -> None:
        for _ in range(count):
            public.verify(der, data, curve.scheme)

    return operations
