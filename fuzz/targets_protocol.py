"""Targets of the protocols: what wallets send to an issuer, and what an issuer sends to wallets."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from tests.certificates import certify, secret
from vc.canon import parse_json
from vc.client_attestation import verify_client_attestation
from vc.documents import NO_DOCUMENTS
from vc.dpop import normal_url, verify_dpop
from vc.jwe import DecryptionKey, decrypt_jwt
from vc.keyproof import ALGORITHMS, verify_proofs
from vc.oauth import parse_form
from vc.offer import CredentialOffer, parse_offer_link
from vc.oid4vci import CredentialRequest, DeferredRequest, Notification, parse_authorization_details
from vc.request_object import parse_request_link, verify_request
from vc.vp_response import parse_response

AT: Final = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
ISSUER: Final = "https://platform.example/issuer"
ROOTS: Final = (certify("wallet root", secret(1), authority=True).certificate,)
KEY: Final = DecryptionKey.from_secret(bytes(range(1, 33)))

Target = Callable[[bytes], object]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _credential_request(raw: bytes) -> object:
    return verify_proofs(
        CredentialRequest.parse(raw, legacy=True),
        audience=ISSUER,
        check_nonce=bool,
        at=AT,
        algorithms=ALGORITHMS,
        client="wallet",
        attestation_roots=ROOTS,
        require_attestation=False,
    )


def _dpop(raw: bytes) -> object:
    return verify_dpop(_text(raw), method="POST", url=f"{ISSUER}/token", at=AT, access_token=None, check_nonce=None)


def _client_attestation(raw: bytes) -> object:
    attestation, _, pop = _text(raw).partition("\n")
    return verify_client_attestation(attestation, pop, audience=ISSUER, at=AT, roots=ROOTS, check_challenge=None)


def _request_object(raw: bytes) -> object:
    client_id, _, text = _text(raw).partition("\n")
    return verify_request(text, client_id=client_id, roots=ROOTS, documents=NO_DOCUMENTS, at=AT)


PROTOCOL: Final[Mapping[str, Target]] = MappingProxyType(
    {
        "offer": CredentialOffer.parse,
        "offer-link": lambda raw: parse_offer_link(_text(raw)),
        "form": parse_form,
        "authorization-details": lambda raw: parse_authorization_details(_text(raw)),
        "dpop": _dpop,
        "url": lambda raw: normal_url(_text(raw)),
        "client-attestation": _client_attestation,
        "credential-request": _credential_request,
        "deferred-request": lambda raw: DeferredRequest.parse(parse_json(raw)),
        "notification": Notification.parse,
        "jwe": lambda raw: decrypt_jwt(_text(raw), keys=[KEY]),
        "request-link": lambda raw: parse_request_link(_text(raw)),
        "request-object": _request_object,
        "vp-response": parse_response,
    }
)
