"""JOSE and COSE: a whole credential of about 25 claims, and a presentation of it, against raw signatures.

Floors are the signature or the verifications of :mod:`vc.keys` over 64 bytes, which no form can do without.
"""

import os
from collections.abc import Iterator
from functools import partial
from typing import Final

from bench.documents import AT, rating
from bench.measure import Row, compare
from vc.canon import Json
from vc.documents import NO_DOCUMENTS
from vc.envelope import FORMS, Content, Secured, envelope, parse_envelope
from vc.enveloped import by_did, secure, verify_credential, verify_presentation
from vc.keys import Ed25519Key, P256Key, verify_signature

FIND: Final = by_did(NO_DOCUMENTS, at=AT)


def rows() -> Iterator[Row]:
    """Both ways of securing, both kinds of key that are used most."""
    for key in (Ed25519Key.from_seed(os.urandom(32)), P256Key.generate(os.urandom)):
        for suffix in ("jwt", "cose"):
            yield from whole(key, suffix)


def whole(key: Ed25519Key | P256Key, suffix: str) -> Iterator[Row]:
    """Issue and verify a credential; verify a presentation of it."""
    document, form = rating(key.did, key.did), FORMS[f"application/vc+{suffix}"]
    data = os.urandom(64)
    signature = key.sign(data)
    name = f"vc+{suffix} {key.public.kind.name}"
    secured = secure(document, form, key=key)
    check = partial(verify_signature, key.public, data, signature)
    yield compare(f"{name} issue", lambda: secure(document, form, key=key), lambda: key.sign(data), limit=6, rounds=500)
    yield compare(f"{name} verify", lambda: verify(secured), check, limit=4, rounds=500)
    shown = envelope(present(key, secured, suffix))

    def floor() -> None:
        check()
        check()

    yield compare(f"vp+{suffix} {key.public.kind.name} verify", lambda: show(shown), floor, limit=4, rounds=500)


def verify(secured: Secured) -> object:
    """From bytes to a credential of its issuer, within its dates."""
    return verify_credential(secured, find=FIND, domain=None, at=AT)


def present(key: Ed25519Key | P256Key, secured: Secured, suffix: str) -> Secured:
    """A presentation by the credential's subject."""
    document: dict[str, Json] = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "holder": key.did,
        "verifiableCredential": [envelope(secured)],
    }
    claims: dict[str, Json] = {"nonce": "n", "aud": "lender.example"}
    return secure(document, FORMS[f"application/vp+{suffix}"], key=key, claims=claims)


def show(shown: dict[str, Json]) -> object:
    """From an envelope to verified credentials."""
    secured = parse_envelope(shown, content=Content.PRESENTATION)
    return verify_presentation(secured, find=FIND, challenge="n", domain="lender.example", at=AT)
