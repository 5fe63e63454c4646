"""``make bench``: every promise about speed against its floor, in one run.

Floors do what no implementation can avoid, with the same library and at the same size; docs/benchmarks.md says which.
"""

import os
import sys
from collections.abc import Iterator

from nacl.signing import SigningKey

from bench import (
    attest,
    bbs_features,
    bulk,
    check,
    claims,
    ecdsa,
    enveloped,
    frames,
    sdjwt,
    sizes,
    status,
    statuslists,
    trustlist,
    vcapi,
    wallet,
)
from bench.bbs_floor import derive_floor, sign_floor, verify_floor
from bench.documents import AT, earnings, rating
from bench.measure import HEAD, Row, compare
from vc import Bls12381Key, Ed25519Key, derive, hold, sign, sign_selective, verify_proofs
from vc.bbs import key_gen
from vc.canon import parse_object, to_json
from vc.jsonld import to_quads
from vc.pyld_fallback import fallback_quads
from vc.suites.bbs_2023 import HeldBase
from work import CONTEXTS

MESSAGES = 40
SHOWN = 8


def whole() -> Iterator[Row]:
    """eddsa-rdfc-2022 over a credential of about 25 claims."""
    key = Ed25519Key.from_seed(os.urandom(32))
    document = rating(key.did, key.did)
    signed = to_json(sign(document, key=key, created=AT, contexts=CONTEXTS))
    raw = SigningKey(key.seed)
    text = os.urandom(64)
    signature = raw.sign(text).signature
    yield compare(
        f"eddsa-rdfc-2022 issue, {len(document['credentialSubject'])} claims",
        lambda: to_json(sign(document, key=key, created=AT, contexts=CONTEXTS)),
        lambda: raw.sign(text),
        limit=8,
        rounds=2000,
    )
    yield compare(
        "eddsa-rdfc-2022 verify, from bytes",
        lambda: verify_proofs(parse_object(signed), contexts=CONTEXTS),
        lambda: raw.verify_key.verify(text, signature),
        limit=6,
        rounds=2000,
    )


def selective() -> Iterator[Row]:
    """bbs-2023 with 40 messages."""
    key = Bls12381Key.from_secret(key_gen(os.urandom(32)))
    document, mandatory, shown = earnings(key.did, Ed25519Key.from_seed(os.urandom(32)).did)
    signed = sign_selective(document, key=key, created=AT, mandatory=mandatory, contexts=CONTEXTS, rand=os.urandom)
    held = hold(signed, contexts=CONTEXTS)
    assert isinstance(held, HeldBase)
    assert len(held.held.messages) == MESSAGES
    derived = to_json(derive(held, shown, rand=os.urandom))
    yield compare(
        f"bbs-2023 issue, {MESSAGES} messages",
        lambda: to_json(
            sign_selective(document, key=key, created=AT, mandatory=mandatory, contexts=CONTEXTS, rand=os.urandom)
        ),
        sign_floor(MESSAGES),
        limit=1.5,
        rounds=200,
    )
    yield compare(
        f"bbs-2023 derive, {SHOWN} of {MESSAGES} shown",
        lambda: to_json(derive(held, shown, rand=os.urandom)),
        derive_floor(MESSAGES, SHOWN),
        limit=1.35,
        rounds=200,
    )
    yield compare(
        f"bbs-2023 verify, {SHOWN} of {MESSAGES} shown, from bytes",
        lambda: verify_proofs(parse_object(derived), contexts=CONTEXTS),
        verify_floor(MESSAGES, SHOWN),
        limit=1.35,
        rounds=200,
    )


def json_ld() -> Iterator[Row]:
    """From JSON to quads, against the library that does all of JSON-LD."""
    document = rating("did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2", "urn:example:worker")
    yield compare(
        "JSON-LD to quads, against PyLD",
        lambda: to_quads(document, CONTEXTS),
        lambda: fallback_quads(document, CONTEXTS),
        limit=0.05,
        rounds=100,
    )


def main() -> int:
    """Print the table; the exit code says whether every promise was kept."""
    sys.stdout.write(HEAD + "\n")
    kept = True
    for rows in (
        whole(),
        selective(),
        json_ld(),
        ecdsa.rows(),
        bbs_features.rows(),
        sdjwt.rows(),
        enveloped.rows(),
        frames.rows(),
        status.rows(),
        statuslists.rows(),
        claims.rows(),
        vcapi.rows(),
        wallet.rows(),
        trustlist.rows(),
        check.rows(),
        sizes.rows(),
    ):
        for row in rows:
            sys.stdout.write(row.text() + ("" if row.ratio <= row.limit else "   over its limit") + "\n")
            kept = kept and row.ratio <= row.limit
    sys.stdout.write("\n")
    kept = attest.main([]) == 0 and kept
    sys.stdout.write("\n")
    kept = bulk.main([]) == 0 and kept
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
