"""Seeds of the protocols: each a good message, made with fixed keys (an encrypted one differs from run to run)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from fuzz.targets_protocol import AT, ISSUER, KEY
from tests.certificates import certify, names, secret
from tests.line import rand_from
from vc.canon import Json, to_json
from vc.client_attestation import make_client_attestation, make_client_attestation_pop
from vc.did import did_jwk_method
from vc.dpop import make_dpop
from vc.jwe import encrypt_jwt
from vc.jwk import public_jwk
from vc.keyproof import make_di_vp_proof, make_jwt_proof, make_key_attestation
from vc.keys import Ed25519Key, P256Key
from vc.offer import AuthorizationCodeGrant, CredentialOffer, PreAuthorizedGrant, TxCode, offer_link_by_reference
from vc.oid4vci import AuthorizationDetail, CredentialRequest, DeferredRequest, Notification, ResponseEncryption
from vc.request_object import request_link, sign_request
from vc.vp_response import ReplyTo, error_form, response_form

Seed = tuple[str, str, bytes]

HOLDER: Final = P256Key.generate(rand_from("holder"))
OFFER: Final = CredentialOffer(
    ISSUER,
    ("Earnings_sd-jwt", "Rating_bbs-2023"),
    AuthorizationCodeGrant("state", "https://as.example"),
    PreAuthorizedGrant("code", TxCode("text", 6, "Voilà"), "https://as.example"),
)


def protocols() -> Iterator[Seed]:
    """Seeds of OpenID4VCI and OAuth."""
    yield "offer", "both-grants", to_json(OFFER.to_json())
    yield "offer-link", "by-value", OFFER.link().encode()
    yield "offer-link", "by-reference", offer_link_by_reference(f"{ISSUER}/offers/1", scheme="haip").encode()
    yield "form", "token", b"grant_type=authorization_code&code=a%2Bb&code_verifier=c+d&tx_code="
    detail = AuthorizationDetail("Earnings_sd-jwt", ("a:1",), (ISSUER,), (("months", None, 0),))
    yield "authorization-details", "one", to_json([detail.to_json()])
    yield (
        "dpop",
        "token",
        make_dpop(HOLDER, method="POST", url=f"{ISSUER}/token", at=AT, rand=bytes, nonce="n").encode(),
    )
    yield "url", "odd", b"HTTPS://P.example:443/a/%7e/../%2e/b?c#d"
    yield "client-attestation", "one", _client_attestation()
    yield from _requests()
    yield "deferred-request", "one", to_json(DeferredRequest("1", ResponseEncryption(KEY.jwk, "A256GCM")).to_json())
    yield "notification", "one", to_json(Notification("1", "credential_failure", "Out of storage.").to_json())
    yield "jwe", "one", encrypt_jwt({"a": "b" * 99}, jwk=KEY.jwk, enc="A256GCM", zip_="DEF").encode()
    yield from _presentation_requests()


def _presentation_requests() -> Iterator[Seed]:
    did = HOLDER.verification_method.partition("#")[0]
    client = f"decentralized_identifier:{did}"
    members: dict[str, Json] = {"client_id": client, "nonce": "0123456789abcdef", "response_type": "vp_token"}
    dids = sign_request(members, key=HOLDER, header={"kid": HOLDER.verification_method})
    provider = P256Key.from_secret((3).to_bytes(32, "big"))
    host = "x509_san_dns:lender.example"
    root = certify("wallet root", secret(1), authority=True)
    x5c: Json = [certify("verifier", secret(3), root, extensions=[(names("lender.example"), False)]).x5c]
    hosts = sign_request({**members, "client_id": host}, key=provider, header={"x5c": x5c})
    yield "request-link", "plain", request_link({**members, "dcql_query": {"credentials": []}}).encode()
    yield "request-link", "signed", request_link({"client_id": client, "request": dids}).encode()
    reference: dict[str, Json] = {"client_id": client, "request_uri": "https://a.example", "request_uri_method": "post"}
    yield "request-link", "reference", request_link(reference).encode()
    yield "request-object", "did", f"{client}\n{dids}".encode()
    yield "request-object", "certificate", f"{host}\n{hosts}".encode()
    to = ReplyTo("https://a.example", "state", None)
    yield "vp-response", "answer", response_form({"vp_token": {"a": [{"b": "é"}]}}, to)
    yield "vp-response", "no", error_form("access_denied", "no", to)


def _requests() -> Iterator[Seed]:
    provider = P256Key.from_secret((3).to_bytes(32, "big"))
    attestation = make_key_attestation(
        [HOLDER.public], key=provider, x5c=[_certificate()], at=AT, lifetime=timedelta(days=1), nonce="n"
    )
    headers: dict[str, dict[str, Json]] = {
        "did-key": {},
        "did-jwk": {"kid": did_jwk_method(HOLDER.public)},
        "jwk": {"jwk": public_jwk(HOLDER.public)},
        "x5c": {"x5c": [_certificate()]},
        "attested": {"kid": "0", "key_attestation": attestation},
    }
    for name, header in headers.items():
        key = provider if name == "x5c" else HOLDER
        proof = make_jwt_proof(key, audience=ISSUER, nonce="n", at=AT, client="wallet", header=header)
        yield "credential-request", name, _request("jwt", proof)
    yield "credential-request", "attestation", _request("attestation", attestation)
    presented = make_di_vp_proof(Ed25519Key.from_seed(bytes(32)), audience=ISSUER, nonce="n", at=AT)
    yield "credential-request", "di-vp", _request("di_vp", presented)
    draft = make_jwt_proof(HOLDER, audience=ISSUER, nonce="n", at=AT)
    single: Json = {"format": "vc+sd-jwt", "proof": {"proof_type": "jwt", "jwt": draft}}
    yield "credential-request", "draft", to_json(single)


def _request(proof_type: str, proof: Json) -> bytes:
    encryption = ResponseEncryption(KEY.jwk, "A128GCM", "DEF")
    request = CredentialRequest("a:1", None, proof_type, (proof,), encryption)
    return to_json(request.to_json())


def _client_attestation() -> bytes:
    provider = P256Key.from_secret((3).to_bytes(32, "big"))
    attestation = make_client_attestation(
        "wallet", HOLDER.public, key=provider, x5c=[_certificate()], at=AT, lifetime=timedelta(days=1)
    )
    pop = make_client_attestation_pop(HOLDER, audience=ISSUER, at=AT, rand=bytes, client_id="wallet", challenge="c")
    return f"{attestation}\n{pop}".encode()


def _certificate() -> str:
    root = certify("wallet root", secret(1), authority=True)
    return certify("wallet provider", secret(3), root).x5c
