"""Seeds of the formats beside bbs-2023: each a good message, made with fixed keys."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from tests.line import AT, credential, holder_key, issuer_keys, rand_from
from tests.test_did_webvh import made, rotated
from vc.canon import Json, to_json
from vc.cose import sign_sign1
from vc.envelope import FORMS, envelope
from vc.enveloped import secure
from vc.jose import sign_jws
from vc.jwk import public_jwk
from vc.keys import P256Key
from vc.sdjwt_vc import confirmation, issue_credential
from vc.secure import derive, hold, sign, sign_selective
from vc.status import encode_list, new_list, set_statuses, status_list_credential
from work import CONTEXTS

Seed = tuple[str, str, bytes]

P256: Final = P256Key.generate(rand_from("p256"))
DOCUMENT: Final[dict[str, Json]] = {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/undefined-terms/v2"],
    "type": ["VerifiableCredential"],
    "issuer": P256.did,
    "credentialSubject": {"jobs": "120", "hours": "601.17"},
}


def formats() -> Iterator[Seed]:
    """Seeds of suites, tokens and envelopes."""
    base = sign_selective(
        DOCUMENT, key=P256, created=AT, mandatory=["/issuer"], contexts=CONTEXTS, rand=rand_from("sd")
    )
    shown = derive(hold(base, contexts=CONTEXTS), ["/credentialSubject/jobs"], rand=rand_from("derive"))
    yield "ecdsa-sd-base-proof", "jobs", _proof_value(base)
    yield "ecdsa-sd-derived-proof", "jobs", _proof_value(shown)
    yield "verify-proofs", "ecdsa-sd", to_json(shown)
    yield "hold", "ecdsa-sd", to_json(base)
    yield "feature-base-proof", "header", b"u2V0EhQ"
    yield "feature-derived-proof", "header", b"u2V0FhQ"
    yield "jws", "one", sign_jws(b'{"a":1}', key=P256, typ="JWT").encode()
    yield "cose", "one", sign_sign1(b"payload", key=P256, typ="application/vc+cose")
    for media_type in ("application/vc+jwt", "application/vc+cose"):
        name = media_type.rpartition("+")[2]
        yield "enveloped", name, to_json(envelope(secure(DOCUMENT, FORMS[media_type], key=P256)))
    for target in ("sd-jwt", "sd-jwt-vc"):
        yield target, "earnings", _sd_jwt_vc().encode()
    yield "vc-api-credential", "derived", to_json({"verifiableCredential": shown, "options": {"checks": ["proof"]}})
    yield (
        "vc-api-derive",
        "base",
        to_json({"verifiableCredential": base, "options": {"selectivePointers": ["/issuer"]}}),
    )
    presentation: dict[str, Json] = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [shown],
    }
    signed = sign(presentation, key=holder_key(), created=None, contexts=CONTEXTS, purpose="authentication",
                  challenge="c", domain="d")  # fmt: skip
    options: dict[str, Json] = {"challenge": "c", "domain": "d"}
    yield "vc-api-presentation", "signed", to_json({"verifiablePresentation": signed, "options": options})
    yield "vc-api-credential", "bbs", to_json({"verifiableCredential": credential()})


def lists_and_documents() -> Iterator[Seed]:
    """Seeds of DIDs, keys and status lists."""
    key = issuer_keys().public
    did = "did:web:platform.example"
    method: Json = {
        "id": f"{did}#key-1",
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": key.public.multikey,
    }
    yield "did-web", "one", to_json({"id": did, "verificationMethod": [method], "assertionMethod": [f"{did}#key-1"]})
    yield "did-webvh", "rotated", made(rotated())[0]
    yield "jwk", "p256", to_json(public_jwk(P256.public))
    yield "jwk", "ed25519", to_json(public_jwk(key.public))
    yield "x5c", "none", b'["MAA="]'
    yield (
        "type-metadata",
        "one",
        b'{"vct":"https://p.example/e","display":[{"locale":"fr","name":"R"}],"claims":[{"path":["a",null],"sd":"always"}]}',
    )
    listed = status_list_credential(
        set_statuses(new_list(), {94567: 1}), url="https://platform.example/status/3", issuer=key.did,
        purposes=["revocation"], valid_from=AT, valid_until=AT + timedelta(days=7), ttl=timedelta(days=1),
    )  # fmt: skip
    yield "status-list", "revocation", to_json(sign(listed, key=key, created=None, contexts=CONTEXTS))
    payload = {"sub": "https://p.example/s", "iat": 1, "status_list": {"bits": 1, "lst": encode_list(new_list())[1:]}}
    yield "status-token", "empty", sign_jws(json.dumps(payload).encode(), key=P256, typ="statuslist+jwt").encode()
    yield "status-aggregation", "two", b'{"status_lists":["https://p.example/1","https://p.example/2"]}'


def _proof_value(secured: dict[str, Json]) -> bytes:
    proof = secured["proof"]
    assert isinstance(proof, dict)
    return str(proof["proofValue"]).encode()


def _sd_jwt_vc() -> str:
    return issue_credential(
        {
            "iss": P256.did,
            "vct": "https://p.example/e",
            "cnf": confirmation(P256.public),
            "total": "1",
            "months": ["1"],
        },
        key=P256,
        header={"kid": P256.verification_method},
        selective=["/total", "/months/0"],
        rand=rand_from("salt"),
    )
