"""VC-API: the steps behind the routes, from the bytes of a request to those of its answer, without HTTP.

The floor is one raw Ed25519 signature or verification: what is left of a request when everything else is free.
"""

import os
from collections.abc import Iterator

from nacl.signing import SigningKey

from bench.documents import AT, rating
from bench.measure import Row, compare
from vc import Ed25519Key
from vc.canon import parse_json, to_json
from vc.vcapi import Issuer, World, issue, verify_credential
from work import CONTEXTS


def rows() -> Iterator[Row]:
    """Issue and verify a credential of about 25 claims, whole, by either canonical form."""
    key = Ed25519Key.from_seed(os.urandom(32))
    raw, text = SigningKey(key.seed), os.urandom(64)
    signature = raw.sign(text).signature
    document = rating(key.did, key.did)
    request = to_json({"credential": document})
    claims = len(document["credentialSubject"])
    for suite in ("eddsa-rdfc-2022", "eddsa-jcs-2022"):
        issuer = Issuer(suite, key)

        def issued(issuer: Issuer = issuer) -> bytes:
            return to_json(issue(parse_json(request), issuer=issuer, contexts=CONTEXTS, at=AT, rand=os.urandom))

        answer = issued()

        def verified(answer: bytes = answer) -> bytes:
            return to_json(dict(verify_credential(parse_json(answer), World(CONTEXTS, AT, lambda _: None))))

        name = f"VC-API {suite}"
        yield compare(f"{name} issue, {claims} claims", issued, lambda: raw.sign(text), limit=16, rounds=1000)
        yield compare(f"{name} verify", verified, lambda: raw.verify_key.verify(text, signature), limit=8, rounds=1000)
