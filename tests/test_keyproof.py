"""Key proofs: each type, each rule broken alone with its error code, key attestations, other programs."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

from tests.certificates import NOW, Party, certify, secret
from tests.line import rand_from
from tests.node import node
from tests.refusals import ANY_JSON, VALUE, outcome
from vc.canon import Json
from vc.did import did_jwk, did_jwk_method, did_key
from vc.dpop import jwk_thumbprint
from vc.jose import SKEW, sign_jws
from vc.jwk import public_jwk
from vc.keyproof import (
    ALGORITHMS,
    ATTESTATION_TYP,
    DRAFT_TYP,
    MAX_AGE,
    PROOF_TYP,
    ProvenKeys,
    make_di_vp_proof,
    make_jwt_proof,
    make_key_attestation,
    verify_proofs,
)
from vc.keys import Ed25519Key, P256Key, P384Key, P521Key, Signer
from vc.multibase import encode_base64url
from vc.oauth import OAuthRefusal
from vc.oid4vci import CredentialRequest

AT: Final = NOW
SECONDS: Final = int(AT.timestamp())
ISSUER: Final = "https://platform.example/issuer"
without_deadline: Final = settings(deadline=None)

P256_KEY: Final = P256Key.generate(rand_from("holder p256"))
OTHER: Final = P256Key.generate(rand_from("another"))
KEYS: Final[list[Signer]] = [
    P256_KEY, P384Key.generate(rand_from("holder p384")), Ed25519Key.from_seed(bytes(range(32))),
]  # fmt: skip
by_kind: Final = pytest.mark.parametrize("key", KEYS, ids=lambda key: key.public.kind.name)

ROOT: Final = certify("wallet root", secret(1), authority=True)
PROVIDER: Final = certify("wallet provider", secret(3), ROOT)
PROVIDER_KEY: Final = P256Key.from_secret(bytes(31) + b"\x03")
STRANGER: Final = certify("another root", secret(4), authority=True)


def verified(
    *proofs: Json,
    kind: str = "jwt",
    client: str | None = "wallet",
    roots: tuple[x509.Certificate, ...] = (ROOT.certificate,),
    required: bool = False,
    **more: Any,
) -> ProvenKeys:
    return verify_proofs(
        CredentialRequest(configuration_id="one", proof_type=kind, proofs=proofs),
        audience=ISSUER,
        check_nonce=lambda nonce: nonce == "n",
        at=AT,
        algorithms=more.pop("algorithms", ALGORITHMS),
        client=client,
        attestation_roots=roots,
        require_attestation=required,
        **more,
    )


def refused(*proofs: Json, **more: Any) -> str:
    with pytest.raises(OAuthRefusal) as refusal:
        verified(*proofs, **more)
    assert refusal.value.status == 400
    return refusal.value.error


def jwt_proof(key: Signer = P256_KEY, *, typ: str = PROOF_TYP, header: Any = None, **changed: Any) -> str:
    """A proof with these claims changed, or left out where they are None."""
    claims = {"aud": ISSUER, "iat": SECONDS, "nonce": "n", "iss": "wallet", **changed}
    kept = {name: value for name, value in claims.items() if value is not None}
    named = {"jwk": public_jwk(key.public)} if header is None else header
    return sign_jws(json.dumps(kept).encode(), key=key, typ=typ, header=named)


def attestation(
    *keys: Signer,
    typ: str = ATTESTATION_TYP,
    key: Signer = PROVIDER_KEY,
    chain: tuple[Party, ...] = (PROVIDER,),
    **changed: Any,
) -> str:
    """An attestation of the keys, with these claims changed, or left out where they are None."""
    claims = {
        "iat": SECONDS, "exp": SECONDS + 60, "nonce": "n", "attested_keys": [public_jwk(each.public) for each in keys],
        **changed,
    }  # fmt: skip
    kept = {name: value for name, value in claims.items() if value is not None}
    return sign_jws(json.dumps(kept).encode(), key=key, typ=typ, header={"x5c": [party.x5c for party in chain]})


def attesting(*keys: Signer, **changed: Any) -> str:
    """A proof by the first key, with an attestation of all of them."""
    header = {"jwk": public_jwk(keys[0].public), "key_attestation": attestation(*keys, **changed)}
    return jwt_proof(keys[0], header=header)


# The proof type jwt


@by_kind
def test_a_proof_by_a_did_key(key: Signer) -> None:
    proven = verified(make_jwt_proof(key, audience=ISSUER, nonce="n", at=AT, client="wallet"))
    assert proven == ProvenKeys((did_key(key.public),), frozenset({"n"}))


@by_kind
def test_a_proof_by_a_did_jwk_keeps_that_did(key: Signer) -> None:
    proof = make_jwt_proof(key, audience=ISSUER, nonce="n", at=AT, header={"kid": did_jwk_method(key.public)})
    assert verified(proof).holders == (did_jwk(key.public),)


@by_kind
def test_a_proof_by_a_bare_key_is_that_of_its_did_key(key: Signer) -> None:
    assert verified(jwt_proof(key)).holders == (did_key(key.public),)


def test_a_proof_by_a_certificate() -> None:
    proof = jwt_proof(PROVIDER_KEY, header={"x5c": [PROVIDER.x5c]})
    assert verified(proof).holders == (did_key(PROVIDER_KEY.public),)
    assert verified(proof, proof_roots=(ROOT.certificate,)).holders == (did_key(PROVIDER_KEY.public),)
    assert refused(proof, proof_roots=(STRANGER.certificate,)) == "invalid_proof"


def test_a_batch_has_a_holder_for_each_proof_in_its_order() -> None:
    proofs = [make_jwt_proof(key, audience=ISSUER, nonce="n", at=AT) for key in KEYS]
    assert verified(*proofs).holders == tuple(did_key(key.public) for key in KEYS)


def test_an_anonymous_client_names_nobody() -> None:
    assert verified(jwt_proof(iss=None), client=None).holders
    assert refused(jwt_proof(), client=None) == "invalid_proof"


def test_what_is_not_known_is_ignored() -> None:
    assert verified(
        jwt_proof(more={"a": [1]}, header={"jwk": public_jwk(P256_KEY.public), "trust_chain": ["x"]})
    ).holders


def unsigned(algorithm: str) -> str:
    header = {"typ": PROOF_TYP, "alg": algorithm, "jwk": public_jwk(P256_KEY.public)}
    claims = {"aud": ISSUER, "iat": SECONDS, "nonce": "n"}
    return ".".join(encode_base64url(json.dumps(part).encode()) for part in (header, claims)) + "."


def private(key: P256Key) -> dict[str, Json]:
    return {**public_jwk(key.public), "d": encode_base64url(key.secret)}


JWT_FAULTS: Final[dict[str, Callable[[], Json]]] = {
    "no text": lambda: {"jwt": jwt_proof()},
    "not a JWT": lambda: "a.b.c",
    "not ANY_JSON": lambda: sign_jws(b"[]", key=P256_KEY, typ=PROOF_TYP, header={"jwk": public_jwk(P256_KEY.public)}),
    "another typ": lambda: jwt_proof(typ="JWT"),
    "the typ of DPoP": lambda: jwt_proof(typ="dpop+jwt"),
    "no algorithm": lambda: unsigned("none"),
    "a MAC": lambda: unsigned("HS256"),
    "an algorithm that is not listed": lambda: jwt_proof(P521Key.generate(rand_from("p521"))),
    "a key of another kind": lambda: jwt_proof(header={"jwk": public_jwk(KEYS[1].public)}),
    "a signature of another key": lambda: jwt_proof(header={"jwk": public_jwk(OTHER.public)}),
    "no key": lambda: jwt_proof(header={}),
    "two keys": lambda: jwt_proof(
        header={"jwk": public_jwk(P256_KEY.public), "kid": P256_KEY.verification_method}
    ),
    "a certificate beside a key": lambda: jwt_proof(
        PROVIDER_KEY, header={"jwk": public_jwk(PROVIDER_KEY.public), "x5c": [PROVIDER.x5c]}
    ),
    "a private key": lambda: jwt_proof(header={"jwk": private(P256_KEY)}),
    "a did:jwk of a private key": lambda: jwt_proof(
        header={"kid": f"did:jwk:{encode_base64url(json.dumps(private(P256_KEY)).encode())}#0"}
    ),
    "a DID without a method": lambda: jwt_proof(header={"kid": P256_KEY.did}),
    "a DID that has to be fetched": lambda: jwt_proof(header={"kid": "did:web:wallet.example#1"}),
    "a kid that is no DID": lambda: jwt_proof(header={"kid": "0"}),
    "a kid that is no text": lambda: jwt_proof(header={"kid": ""}),
    "no certificate": lambda: jwt_proof(header={"x5c": []}),
    "another audience": lambda: jwt_proof(aud=f"{ISSUER}/"),
    "a list of audiences": lambda: jwt_proof(aud=[ISSUER]),
    "no audience": lambda: jwt_proof(aud=None),
    "another client": lambda: jwt_proof(iss="another"),
    "no time": lambda: jwt_proof(iat=None),
    "too old": lambda: jwt_proof(iat=SECONDS - int(MAX_AGE.total_seconds()) - 1),
    "yet to come": lambda: jwt_proof(iat=SECONDS + int(SKEW.total_seconds()) + 1),
    "past its end": lambda: jwt_proof(exp=SECONDS),
    "a time that is no number": lambda: jwt_proof(iat="1"),
    "no nonce": lambda: jwt_proof(nonce=None),
    "an empty nonce": lambda: jwt_proof(nonce=""),
    "a nonce that is no text": lambda: jwt_proof(nonce=1),
    "a long nonce": lambda: jwt_proof(nonce="n" * 2049),
}  # fmt: skip


@pytest.mark.parametrize("fault", JWT_FAULTS)
def test_each_fault_of_a_jwt_alone(fault: str) -> None:
    assert verified(jwt_proof()).holders
    assert refused(JWT_FAULTS[fault]()) == "invalid_proof"


def test_a_wrong_nonce() -> None:
    assert refused(jwt_proof(nonce="m")) == "invalid_nonce"
    assert refused(jwt_proof(), jwt_proof(OTHER, nonce="m")) == "invalid_nonce"
    assert refused(jwt_proof(nonce="m", aud="x")) == "invalid_proof"  # a bad proof learns nothing of nonces


def test_two_proofs_of_one_key() -> None:
    again = jwt_proof(header={"kid": did_jwk_method(P256_KEY.public)})  # by another name
    assert refused(jwt_proof(), again) == "invalid_proof"


def test_more_proofs_than_the_issuer_takes() -> None:
    assert verified(jwt_proof(), jwt_proof(OTHER), limit=2).holders
    assert refused(jwt_proof(), jwt_proof(OTHER), limit=1) == "invalid_proof"


def test_no_proof() -> None:
    assert refused() == "invalid_proof"
    assert refused(jwt_proof(), kind=None) == "invalid_proof"


def test_a_proof_type_that_the_issuer_does_not_list() -> None:
    for kind in ("cwt", "ldp_vp"):
        assert refused(jwt_proof(), kind=kind) == "invalid_proof"
        assert refused(jwt_proof(), kind=kind, algorithms={kind: ("ES256",)}) == "invalid_proof"
    assert refused(jwt_proof(), algorithms={"di_vp": ALGORITHMS["di_vp"]}) == "invalid_proof"
    assert refused(jwt_proof(), algorithms={"jwt": ("ES384",)}) == "invalid_proof"
    assert refused(presented(), kind="di_vp", algorithms={"di_vp": ("eddsa-jcs-2022",)}) == "invalid_proof"
    too_new = jwt_proof(P521Key.generate(rand_from("p521")))  # no format of ours is bound to such a key
    assert refused(too_new, algorithms={"jwt": ("ES512",)}) == "invalid_proof"


def test_an_oracle_reads_ours_and_we_read_an_oracle() -> None:
    ours = make_jwt_proof(P256_KEY, audience=ISSUER, nonce="n", at=AT, client="wallet")
    public: Any = public_jwk(P256_KEY.public)
    read = jwt.decode(ours, ECKey.import_key(public), algorithms=["ES256"])
    assert read.header == {"alg": "ES256", "typ": PROOF_TYP, "kid": P256_KEY.verification_method}
    assert read.claims == {"aud": ISSUER, "iat": SECONDS, "nonce": "n", "iss": "wallet"}
    for key, name in ((ECKey.generate_key("P-384"), "ES384"), (OKPKey.generate_key("Ed25519"), "Ed25519")):
        header = {"typ": PROOF_TYP, "alg": name, "jwk": key.as_dict(private=False)}
        theirs = jwt.encode(header, {"aud": ISSUER, "iat": SECONDS, "nonce": "n"}, key, algorithms=[name])
        assert len(verified(theirs).holders) == 1


# Key attestations


def test_all_keys_of_an_attestation_are_holders() -> None:
    made = make_key_attestation(
        [key.public for key in KEYS], key=PROVIDER_KEY, x5c=[PROVIDER.x5c], at=AT, lifetime=timedelta(days=1),
        nonce="n", claims={"key_storage": ["iso_18045_high"]},
    )  # fmt: skip
    header = {"kid": did_jwk_method(P256_KEY.public), "key_attestation": made}
    proven = verified(make_jwt_proof(P256_KEY, audience=ISSUER, nonce="n", at=AT, header=header), required=True)
    assert proven.holders == (did_jwk(P256_KEY.public), *(did_key(key.public) for key in KEYS[1:]))
    assert proven.attestations[0].key_storage == ("iso_18045_high",)
    assert proven.attestations[0].user_authentication == ()


def test_a_batch_under_one_attestation() -> None:
    made = attestation(*KEYS)
    proofs = [jwt_proof(key, header={"jwk": public_jwk(key.public), "key_attestation": made}) for key in KEYS]
    proven = verified(*proofs, required=True)
    assert proven.holders == tuple(did_key(key.public) for key in KEYS)
    assert len(proven.attestations) == 1


def test_the_keys_of_an_attestation_are_bounded() -> None:
    assert refused(attesting(*KEYS), limit=2) == "invalid_proof"


def test_an_attestation_that_nobody_can_check_is_not_looked_at() -> None:
    proven = verified(attesting(*KEYS, nonce="m"), roots=())
    assert proven.holders == (did_key(P256_KEY.public),)
    assert proven.attestations == ()
    assert refused(attesting(*KEYS), roots=(), required=True) == "invalid_proof"


def test_a_required_attestation_is_there() -> None:
    assert refused(jwt_proof(), required=True) == "invalid_proof"
    assert refused(attesting(P256_KEY), jwt_proof(OTHER), required=True) == "invalid_proof"
    vp = make_di_vp_proof(P256_KEY, audience=ISSUER, nonce="n", at=AT)
    assert refused(vp, kind="di_vp", required=True) == "invalid_proof"


@pytest.mark.parametrize("kid", ["0", "first"])
def test_a_kid_may_name_an_attested_key(kid: str) -> None:
    jwk = {**public_jwk(P256_KEY.public), **({} if kid == "0" else {"kid": kid})}
    made = attestation(attested_keys=[jwk, public_jwk(OTHER.public)])
    proof = jwt_proof(header={"kid": kid, "key_attestation": made})
    assert verified(proof).holders == (did_key(P256_KEY.public), did_key(OTHER.public))
    assert refused(jwt_proof(header={"kid": "2", "key_attestation": made})) == "invalid_proof"
    assert refused(jwt_proof(header={"kid": "1", "key_attestation": made})) == "invalid_proof"  # the other key's place


ATTESTATION_FAULTS: Final[dict[str, Callable[[], str]]] = {
    "not a JWT": lambda: "a.b.c",
    "another typ": lambda: attestation(P256_KEY, typ="JWT"),
    "another root": lambda: attestation(P256_KEY, key=P256Key.from_secret(bytes(31) + b"\x04"), chain=(STRANGER,)),
    "a key that is not the certificate's": lambda: attestation(P256_KEY, key=OTHER),
    "no certificate": lambda: attestation(P256_KEY, chain=()),
    "no time": lambda: attestation(P256_KEY, iat=None),
    "yet to come": lambda: attestation(P256_KEY, iat=SECONDS + int(SKEW.total_seconds()) + 1),
    "past its end": lambda: attestation(P256_KEY, exp=SECONDS),
    "no keys": lambda: attestation(P256_KEY, attested_keys=[]),
    "keys that are no list": lambda: attestation(P256_KEY, attested_keys=public_jwk(P256_KEY.public)),
    "a private key": lambda: attestation(P256_KEY, attested_keys=[private(P256_KEY)]),
    "a key that signs no proofs": lambda: attestation(P256_KEY, P521Key.generate(rand_from("p521"))),
    "no nonce": lambda: attestation(P256_KEY, nonce=None),
    "a nonce that is no text": lambda: attestation(P256_KEY, nonce=7),
    "a key storage that is no list": lambda: attestation(P256_KEY, key_storage="high"),
    "an empty key storage": lambda: attestation(P256_KEY, key_storage=[]),
}  # fmt: skip


@pytest.mark.parametrize("fault", ATTESTATION_FAULTS)
@pytest.mark.parametrize("kind", ["jwt", "attestation"])
def test_each_fault_of_an_attestation_alone(fault: str, kind: str) -> None:
    def proof(text: str) -> str:
        header = {"jwk": public_jwk(P256_KEY.public), "key_attestation": text}
        return jwt_proof(header=header) if kind == "jwt" else text

    assert verified(proof(attestation(P256_KEY)), kind=kind).holders
    assert refused(proof(ATTESTATION_FAULTS[fault]()), kind=kind) == "invalid_proof"


def test_an_attestation_in_a_proof_is_of_its_key_and_ends() -> None:
    header = {"jwk": public_jwk(P256_KEY.public), "key_attestation": attestation(OTHER)}
    assert refused(jwt_proof(header=header)) == "invalid_proof"
    assert refused(attesting(P256_KEY, exp=None)) == "invalid_proof"
    assert refused(attesting(P256_KEY, nonce="m")) == "invalid_nonce"
    assert refused(jwt_proof(header={"jwk": public_jwk(P256_KEY.public), "key_attestation": 7})) == "invalid_proof"


def test_the_proof_type_attestation() -> None:
    proven = verified(attestation(*KEYS, exp=None), kind="attestation", required=True)
    assert proven.holders == tuple(did_key(key.public) for key in KEYS)
    assert proven.nonces == {"n"}
    assert refused(attestation(*KEYS), kind="attestation", roots=()) == "invalid_proof"
    assert refused(attestation(*KEYS, nonce="m"), kind="attestation") == "invalid_nonce"
    assert refused(attestation(P256_KEY), attestation(OTHER), kind="attestation") == "invalid_proof"
    assert refused(attestation(*KEYS), kind="attestation", limit=2) == "invalid_proof"
    assert refused(jwt_proof(), kind="attestation") == "invalid_proof"


def test_an_attestation_as_the_draft_typed_it() -> None:
    assert verified(attestation(P256_KEY, typ=DRAFT_TYP), kind="attestation").holders


# The proof type di_vp


@by_kind
@pytest.mark.parametrize("form", ["rdfc", "jcs"])
def test_a_presentation(key: Signer, form: str) -> None:
    suite = {"rdfc": "eddsa-rdfc-2022", "jcs": "eddsa-jcs-2022"}[form]
    if key.public.kind.name != "Ed25519":
        suite = suite.replace("eddsa", "ecdsa").replace("2022", "2019")
    proof = make_di_vp_proof(key, audience=ISSUER, nonce="n", at=AT, suite=suite)
    assert verified(proof, kind="di_vp") == ProvenKeys((did_key(key.public),), frozenset({"n"}))


def test_a_presentation_of_the_first_data_model_and_without_holder() -> None:
    from vc.contexts import W3C  # noqa: PLC0415
    from vc.secure import sign  # noqa: PLC0415

    document: dict[str, Json] = {
        "@context": ["https://www.w3.org/2018/credentials/v1", "https://w3id.org/security/data-integrity/v2"],
        "type": "VerifiablePresentation",
    }
    signed = sign(document, key=P256_KEY, created=None, contexts=W3C, purpose="authentication", challenge="n",
                  domain=ISSUER)  # fmt: skip
    assert verified(signed, kind="di_vp").holders == (P256_KEY.did,)


def presented(at: datetime = AT, **options: Any) -> dict[str, Any]:
    made = {"audience": ISSUER, "nonce": "n", "suite": "ecdsa-jcs-2019", **options}
    return make_di_vp_proof(P256_KEY, at=at, **made)


def altered(**proof: Any) -> dict[str, Any]:
    made = deepcopy(presented())
    made["proof"] = {name: value for name, value in {**made["proof"], **proof}.items() if value is not None}
    return made


def signed_as(**options: Any) -> dict[str, Any]:
    """A presentation whose proof has these options, and a signature that fits."""
    from vc.contexts import W3C  # noqa: PLC0415
    from vc.proof import add_proof, proof_options  # noqa: PLC0415
    from vc.suites.plain import PLAIN  # noqa: PLC0415

    document: dict[str, Json] = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "holder": options.pop("holder", P256_KEY.did),
    }
    made = {
        **proof_options("ecdsa-jcs-2019", method=P256_KEY.verification_method, purpose="authentication", created=AT,
                        challenge="n", domain=ISSUER),
        **options,
    }  # fmt: skip
    kept = {name: value for name, value in made.items() if value is not None}
    return add_proof(document, kept, suite=PLAIN["ecdsa-jcs-2019"], key=P256_KEY, contexts=W3C)


VP_FAULTS: Final[dict[str, Callable[[], Json]]] = {
    "a JWT": jwt_proof,
    "no presentation": lambda: {**presented(), "type": ["VerifiableCredential"]},
    "no proof": lambda: {name: value for name, value in presented().items() if name != "proof"},
    "two proofs": lambda: {**presented(), "proof": [presented()["proof"], presented()["proof"]]},
    "another suite": lambda: altered(cryptosuite="bbs-2023"),
    "no suite": lambda: altered(cryptosuite=None, type="Ed25519Signature2020"),
    "for assertions": lambda: signed_as(proofPurpose="assertionMethod"),
    "another domain": lambda: presented(audience="https://other.example"),
    "two domains": lambda: signed_as(domain=[ISSUER, "https://other.example"]),
    "no domain": lambda: signed_as(domain=None),
    "no challenge": lambda: signed_as(challenge=None),
    "another holder": lambda: signed_as(holder=OTHER.did),
    "a changed challenge": lambda: altered(challenge="m"),
    "a changed value": lambda: altered(proofValue=presented(nonce="m")["proof"]["proofValue"]),
    "too old": lambda: presented(AT - MAX_AGE - timedelta(seconds=1)),
    "yet to come": lambda: presented(AT + SKEW + timedelta(seconds=1)),
    "past its end": lambda: signed_as(expires="2026-11-24T00:00:00Z"),
    "a DID that has to be fetched": lambda: altered(verificationMethod="did:web:wallet.example#1"),
}  # fmt: skip


@pytest.mark.parametrize("fault", VP_FAULTS)
def test_each_fault_of_a_presentation_alone(fault: str) -> None:
    assert verified(signed_as(), kind="di_vp").holders
    assert refused(VP_FAULTS[fault](), kind="di_vp") == "invalid_proof"


def test_a_presentation_with_a_wrong_challenge() -> None:
    assert refused(presented(nonce="m"), kind="di_vp") == "invalid_nonce"


def test_two_presentations_of_one_key() -> None:
    assert refused(presented(), presented(), kind="di_vp") == "invalid_proof"


# Only our errors


def attempt(*proofs: Json, **more: Any) -> None:
    assert outcome(lambda: verified(*proofs, **more)) in (VALUE, "invalid_proof", "invalid_nonce")


@without_deadline
@given(ANY_JSON | st.text(max_size=200), st.sampled_from(sorted(ALGORITHMS)))
def test_only_our_errors_leave_for_any_proof(proof: Any, kind: str) -> None:
    attempt(proof, kind=kind)


@without_deadline
@given(st.sampled_from(["aud", "iss", "iat", "nonce", "exp", "nbf"]), ANY_JSON)
def test_only_our_errors_leave_for_any_claim(name: str, value: Any) -> None:
    attempt(jwt_proof(**{name: value}))


@without_deadline
@given(st.sampled_from(["kid", "jwk", "x5c", "key_attestation", "trust_chain"]), ANY_JSON)
def test_only_our_errors_leave_for_any_header(name: str, value: Any) -> None:
    header = json.dumps({"alg": "ES256", "typ": PROOF_TYP, "jwk": public_jwk(P256_KEY.public), name: value}).encode()
    attempt(f"{encode_base64url(header)}.{jwt_proof().partition('.')[2]}")


@without_deadline
@given(st.sampled_from(["iat", "exp", "nonce", "attested_keys", "key_storage", "user_authentication"]), ANY_JSON)
def test_only_our_errors_leave_for_any_claim_of_an_attestation(name: str, value: Any) -> None:
    attempt(attestation(P256_KEY, **{name: value}), kind="attestation")


@without_deadline
@given(
    st.sampled_from(["challenge", "domain", "created", "expires", "proofValue", "cryptosuite", "type", "id"]), ANY_JSON
)
def test_only_our_errors_leave_for_any_option_of_a_presentation(name: str, value: Any) -> None:
    attempt(altered(**{name: value}), kind="di_vp")


# Other programs


def test_another_program_accepts_our_proofs() -> None:
    keys: list[Signer] = [P256_KEY, KEYS[2]]
    proofs = [
        make_jwt_proof(key, audience=ISSUER, nonce="n", at=AT, client="wallet", header=header)
        for key in keys
        for header in ({"kid": did_jwk_method(key.public)}, {"jwk": public_jwk(key.public)})
    ]
    answer = node("proofs", proofs=proofs, issuer=ISSUER, nonce="n", client="wallet", now=SECONDS)
    assert answer["read"] == [jwk_thumbprint(public_jwk(key.public)) for key in keys for _ in range(2)]


def test_we_accept_another_program_s_proofs() -> None:
    answer = node(
        "makeProofs", issuer=ISSUER, nonce="n", client="wallet", now=SECONDS, x5c=[PROVIDER.x5c],
        provider=private(PROVIDER_KEY),
    )  # fmt: skip
    proven = verified(*answer["proofs"])
    assert proven.holders[1] == answer["dids"][0]
    attested = verified(answer["proofWithAttestation"], required=True)
    assert len(attested.holders) == 2
    assert attested.attestations[0].key_storage == ("iso_18045_high",)
    assert verified(answer["attestation"], kind="attestation").holders == attested.holders


def test_another_program_accepts_our_proof_with_an_attestation() -> None:
    now = datetime.now(UTC)
    made = make_key_attestation(
        [P256_KEY.public, OTHER.public], key=PROVIDER_KEY, x5c=[PROVIDER.x5c], at=now, lifetime=timedelta(minutes=1),
        nonce="n",
    )  # fmt: skip
    header: dict[str, Json] = {"jwk": public_jwk(P256_KEY.public), "key_attestation": made}
    proof = make_jwt_proof(P256_KEY, audience=ISSUER, nonce="n", at=now, client="wallet", header=header)
    answer = node("proofs", proofs=[proof], issuer=ISSUER, nonce="n", client="wallet", now=int(now.timestamp()))
    assert answer["read"] == [jwk_thumbprint(public_jwk(P256_KEY.public))]
