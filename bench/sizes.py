"""Every suite at 10, 25, 50 and 200 claims: the cost of a claim, and that it does not grow with their number."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final

from bench.bbs_floor import derive_floor, sign_floor, verify_floor
from bench.measure import Row, compare
from vc import Bls12381Key, Ed25519Key, P256Key, P384Key, Signer, derive, hold, sign, sign_selective, verify_proofs
from vc.bbs import key_gen
from vc.canon import Json, parse_object, to_json
from vc.contexts import W3C
from vc.did import resolve_method
from vc.model import Proof, parse_proofs
from vc.suites.bbs_2023_batch import verify_derived_proofs

SIZES: Final = (10, 25, 50, 200)
AT: Final = datetime(2026, 11, 24, tzinfo=UTC)
BATCH: Final = 32
SHOWN: Final = 8


def document(claims: int, issuer: str) -> dict[str, Json]:
    """A credential with so many claims that can be shown one by one."""
    claimed = {f"claim{number:03d}": str(number) for number in range(claims)}
    subject: dict[str, Json] = {"id": "did:example:worker", **claimed}
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/undefined-terms/v2"],
        "type": ["VerifiableCredential"],
        "issuer": issuer,
        "credentialSubject": subject,
    }


def rows() -> Iterator[Row]:
    """Suites over whole documents against one raw signature, bbs-2023 against its curve operations."""
    keys: tuple[tuple[str, Signer], ...] = (
        ("eddsa-rdfc-2022", Ed25519Key.from_seed(os.urandom(32))),
        ("eddsa-jcs-2022", Ed25519Key.from_seed(os.urandom(32))),
        ("ecdsa-rdfc-2019", P256Key.generate(os.urandom)),
        ("ecdsa-rdfc-2019", P384Key.generate(os.urandom)),
    )
    for size in SIZES:
        for suite, key in keys:
            yield from _whole(suite, key, size)
        yield from _selective(size)
    yield _batch()


def _whole(suite: str, key: Signer, size: int) -> Iterator[Row]:
    made = document(size, key.verification_method.partition("#")[0])
    signed = to_json(sign(made, key=key, created=AT, contexts=W3C, suite=suite))
    text = os.urandom(64)
    limit = 8 + size * 0.2  # a claim costs at most a fifth of a signature
    yield compare(
        f"{suite} {key.public.kind.name} issue, {size} claims",
        lambda: to_json(sign(made, key=key, created=AT, contexts=W3C, suite=suite)),
        lambda: key.sign(text),
        limit=limit,
        rounds=200,
    )
    yield compare(
        f"{suite} {key.public.kind.name} verify, {size} claims",
        lambda: verify_proofs(parse_object(signed), contexts=W3C),
        lambda: key.sign(text),
        limit=limit * 2,
        rounds=200,
    )


def _shown(size: int) -> tuple[Bls12381Key, Callable[[], dict[str, Json]], dict[str, Json]]:
    key = Bls12381Key.from_secret(key_gen(os.urandom(32)))
    made = document(size, key.did)
    signed = sign_selective(made, key=key, created=AT, mandatory=["/issuer"], contexts=W3C, rand=os.urandom)
    held = hold(signed, contexts=W3C)
    pointers = [f"/credentialSubject/claim{number:03d}" for number in range(SHOWN)]
    return key, lambda: derive(held, pointers, rand=os.urandom), made


def _selective(size: int) -> Iterator[Row]:
    key, show, made = _shown(size)
    shown = to_json(show())
    yield compare(
        f"bbs-2023 issue, {size} claims",
        lambda: sign_selective(made, key=key, created=AT, mandatory=["/issuer"], contexts=W3C, rand=os.urandom),
        sign_floor(size),
        limit=1.5,
        rounds=60,
    )
    yield compare(f"bbs-2023 derive, {SHOWN} of {size} shown", show, derive_floor(size, SHOWN), limit=1.35, rounds=60)
    yield compare(
        f"bbs-2023 verify, {SHOWN} of {size} shown",
        lambda: verify_proofs(parse_object(shown), contexts=W3C),
        verify_floor(size, SHOWN),
        limit=1.35,
        rounds=60,
    )


def _batch() -> Row:
    """Many proofs of one issuer together, against one by one: it has to be less."""
    key, show, _ = _shown(25)
    method = resolve_method(key.verification_method)
    documents: list[tuple[dict[str, Json], Proof]] = []
    for _number in range(BATCH):
        one = show()
        documents.append(({name: one[name] for name in one if name != "proof"}, parse_proofs(one)[0]))
    whole = [{**document_, "proof": {**proof.options, "proofValue": proof.value}} for document_, proof in documents]
    return compare(
        f"bbs-2023 verify, {BATCH} together, against one by one",
        lambda: verify_derived_proofs(documents, method=method, contexts=W3C, rand=os.urandom),
        lambda: [verify_proofs(one, contexts=W3C) for one in whole],
        limit=0.95,
        rounds=10,
    )
