"""The experimental features of bbs-2023, 40 messages, 8 shown.

Floors are those of the baseline, with one message more for the blind and one for each secret; a pseudonym adds two
multiplications to deriving, and two to checking.
"""

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from py_arkworks_bls12381 import G1Point, Scalar

from bench.bbs_floor import derive_floor, verify_floor
from bench.documents import AT, earnings
from bench.measure import Row, compare
from vc import Bls12381Key, Ed25519Key
from vc.bbs import key_gen
from vc.canon import parse_object, to_json
from vc.did import resolve_method
from vc.model import parse_proof
from vc.proof import ASSERTION, proof_options
from vc.pseudonym_bbs import random_nym
from vc.suites import bbs_2023_features as features
from vc.suites.bbs_2023_feature_values import OPTIONS, Feature
from work import CONTEXTS

MESSAGES: Final = 40
SHOWN: Final = 8
DOMAIN: Final = "https://lender.example/"


def rows() -> Iterator[Row]:
    """Deriving and verifying with each feature."""
    for feature in OPTIONS.values():
        yield from measured(feature)


def measured(feature: Feature) -> Iterator[Row]:
    """One feature: from a held credential to JSON bytes, and from bytes to a verified proof."""
    held, shown = credential(feature)
    domain = DOMAIN if feature.pseudonym else None
    show = partial(features.add_derived_proof, held, shown, presentation_header=b"", nym_domain=domain, rand=os.urandom)
    derived = to_json(show())
    signed = MESSAGES + 1 + feature.committed + int(feature.pseudonym)
    yield compare(
        f"bbs-2023 derive, {feature.option}",
        lambda: to_json(show()),
        together(derive_floor(signed, SHOWN), multiplications(2 if feature.pseudonym else 0)),
        limit=1.35,
        rounds=100,
    )
    yield compare(
        f"bbs-2023 verify, {feature.option}",
        lambda: verify(derived, domain),
        together(verify_floor(signed, SHOWN), multiplications(2 if feature.pseudonym else 0)),
        limit=1.35,
        rounds=100,
    )


def credential(feature: Feature) -> tuple[features.HeldFeature, list[str]]:
    """A credential with 40 messages as its holder keeps it, and pointers of 8 claims."""
    key = Bls12381Key.from_secret(key_gen(os.urandom(32)))
    document, mandatory, shown = earnings(key.did, Ed25519Key.from_seed(os.urandom(32)).did)
    nym = random_nym(os.urandom) if feature.pseudonym else None
    secret = os.urandom(32) if feature.holder_secret else None
    commitment, secrets = features.commit(holder_secret=secret, prover_nym=nym, rand=os.urandom, experimental=True)
    proof = features.create_base_proof(
        document,
        proof_options("bbs-2023", method=key.verification_method, purpose=ASSERTION, created=AT),
        feature=feature,
        commitment_with_proof=commitment,
        signer_nym_entropy=random_nym(os.urandom) if feature.pseudonym else None,
        key=key,
        mandatory_pointers=mandatory,
        contexts=CONTEXTS,
        rand=os.urandom,
        experimental=True,
    )
    method = resolve_method(key.verification_method)
    held = features.hold(
        document, parse_proof(proof), secrets=secrets, method=method, contexts=CONTEXTS, experimental=True
    )
    assert held.held.length == MESSAGES
    return held, shown


def verify(raw: bytes, domain: str | None) -> features.VerifiedFeature:
    """From bytes to what the proof shows."""
    secured = parse_object(raw)
    proof = parse_proof(secured["proof"])
    document = {name: value for name, value in secured.items() if name != "proof"}
    method = resolve_method(proof.verification_method)
    return features.verify_derived_proof(
        document, proof, method=method, contexts=CONTEXTS, nym_domain=domain, experimental=True
    )


def multiplications(count: int) -> Callable[[], object]:
    """Multiplications of points of G1 by random scalars."""
    point = G1Point.hash_to_curve(os.urandom(32), b"bench")
    scalars = [Scalar.from_be_bytes_mod_order(os.urandom(48)) for _ in range(count)]
    return lambda: [point * scalar for scalar in scalars]


def together(first: Callable[[], object], second: Callable[[], object]) -> Callable[[], object]:
    """Both, one after the other."""
    return lambda: (first(), second())
