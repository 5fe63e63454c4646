"""Answering requests over HTTP: from a link to a request, and from an answer to the verifier (OpenID4VP 1.0).

Every address comes from the link that the worker gave; only the origins that stand in it may be private ones. No
redirect is followed. What is wrong with a request is told to the worker and to nobody else.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode, urlsplit

from cryptography import x509

from vc.canon import Json, Limits, parse_object, to_json
from vc.client_id import SUPPORTED, Client, ClientId, needed_document, unsigned_client
from vc.did_web import did_web_url
from vc.documents import DOCUMENT_LIMITS, NO_DOCUMENTS, Documents, Given
from vc.errors import Finding, Malformed, Rejected, Undetermined, VcError
from vc.io.fetch import Fetched
from vc.jose import ALGORITHMS as SIGNATURES
from vc.jwe import ALGORITHMS, ENCRYPTIONS
from vc.multibase import encode_base64url
from vc.oid4vp import LDP_VC, SD_JWT_VC, Request, parse_request
from vc.request_object import (
    MAX_REQUEST,
    REQUEST_TYPE,
    PlainRequest,
    RequestReference,
    SignedRequest,
    parse_request_link,
    verify_request,
)
from vc.secure import SELECTIVE
from vc.vp_response import (
    ACCESS_DENIED,
    DIRECT_POST,
    DIRECT_POST_JWT,
    FORM,
    ReplyTo,
    error_form,
    origin,
    parse_reply_to,
    response_form,
)
from wallet.formats import HOLDER_SUITES, KEY_BINDING
from wallet.issuer_session import Ask

MAX_REPLY: Final = 1 << 16  # bytes of a verifier's last word
MAX_REDIRECT: Final = 2048
NONCE_LENGTH: Final = 24

# What a verifier is told of this wallet where it asks: the same for every worker (OID4VP §5.10, §10.1).
METADATA: Final[Mapping[str, Json]] = MappingProxyType(
    {
        "vp_formats_supported": {
            LDP_VC: {
                "proof_type_values": ["DataIntegrityProof"],
                "cryptosuite_values": [*sorted(SELECTIVE), *HOLDER_SUITES.values()],
            },
            SD_JWT_VC: {
                "sd-jwt_alg_values": [*SIGNATURES],
                "kb-jwt_alg_values": [name for names in KEY_BINDING.values() for name in names],
            },
        },
        "client_id_prefixes_supported": ["pre-registered", *SUPPORTED],
        "response_types_supported": ["vp_token"],
        "response_modes_supported": [DIRECT_POST, DIRECT_POST_JWT],
        "request_object_signing_alg_values_supported": [*SIGNATURES],
        "authorization_encryption_alg_values_supported": [*ALGORITHMS],
        "authorization_encryption_enc_values_supported": [*ENCRYPTIONS],
    }
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, who it is from, and where the answer goes."""

    request: Request
    client: Client
    reply_to: ReplyTo
    typed: frozenset[str]  # origins in the link: they may be private


async def read_request(
    link: str,
    *,
    ask: Ask,
    private: bool,
    roots: Collection[x509.Certificate],
    at: datetime,
    rand: Callable[[int], bytes],
) -> Asked:
    """The request behind a link. ``private`` is the worker's word that the origins in it may be private ones.

    Raises an error of ours for a request that must not be answered; nothing is sent then.
    """
    found = parse_request_link(link)
    client_id = ClientId.parse(found.client_id)
    typed = frozenset(_origins(found) if private else ())
    if isinstance(found, PlainRequest):
        client, raw = unsigned_client(client_id), found.raw
    else:
        nonce = None
        if isinstance(found, RequestReference):
            nonce = encode_base64url(rand(NONCE_LENGTH)) if found.post else None
            found = SignedRequest(found.client_id, await _fetched(found, client_id, nonce, typed, ask))
        documents = await _documents(client_id, typed, ask)
        client, raw = verify_request(
            found.text, client_id=client_id.text, roots=roots, documents=documents, at=at, wallet_nonce=nonce
        )
    request = parse_request(raw)
    return Asked(request, client, parse_reply_to(request, client, typed=typed), typed)


def _origins(found: PlainRequest | SignedRequest | RequestReference) -> list[str]:
    """The origins that the worker gave by giving the link."""
    if isinstance(found, RequestReference):
        return [origin(found.uri)]
    if isinstance(found, PlainRequest):
        uri = parse_object(found.raw, where="request link", limits=Limits(size=2 * MAX_REQUEST)).get("response_uri")
        uri = uri or ClientId.parse(found.client_id).name
        return [origin(uri)] if isinstance(uri, str) and "://" in uri else []
    return []


async def _fetched(
    found: RequestReference, client: ClientId, nonce: str | None, typed: Collection[str], ask: Ask
) -> str:
    """The text of the request object; ``nonce`` is sent and has to come back in it (OID4VP §5.10)."""
    if client.prefix in ("", "redirect_uri"):  # what is fetched has to be signed, and no key of theirs is known
        unsigned = "a request that has to be fetched has to be signed, and its client_id names no key; nothing was sent"
        raise Rejected((Finding("UNSIGNED_REQUEST", unsigned, "client_id"),))
    form = {"wallet_nonce": nonce or "", "wallet_metadata": to_json(dict(METADATA)).decode()}
    answer = await ask(
        found.uri,
        limit=MAX_REQUEST,
        private=origin(found.uri) in typed,
        method="POST" if found.post else "GET",
        body=urlencode(form).encode() if found.post else None,
        headers={"Accept": REQUEST_TYPE, **({"Content-Type": FORM} if found.post else {})},
    )
    _check_status(answer, "the address of the request")
    if answer.headers.get("content-type", "").partition(";")[0].strip().lower() != REQUEST_TYPE:
        raise Malformed("the address of the request", f"does not answer with {REQUEST_TYPE}", code="NOT_A_REQUEST")
    try:
        return answer.body.decode("ascii")
    except UnicodeDecodeError:
        raise Malformed("request object", "not a signed request", code="BAD_JWS") from None


async def _documents(client: ClientId, typed: Collection[str], ask: Ask) -> Documents:
    """The DID document of a client by did:web, from the host of its DID (as vc.did_web has it), and no other."""
    did = needed_document(client)
    if did is None:
        return NO_DOCUMENTS
    url = did_web_url(did)
    plain = f"http{url.removeprefix('https')}"  # a verifier on this machine, which the worker gave
    url = plain if origin(plain) in typed else url
    answer = await ask(
        url, limit=DOCUMENT_LIMITS.size, private=origin(url) in typed, method="GET", body=None,
        headers={"Accept": "application/json"},
    )  # fmt: skip
    _check_status(answer, "the document with the verifier's keys")
    return Documents.of({did: Given(answer.body)})


async def send_answer(asked: Asked, answer: Mapping[str, Json], *, ask: Ask) -> str | None:
    """Send an answer to the verifier; the address where it wants the worker to go on, which nobody follows by itself.

    Raises :class:`Rejected` where the verifier does not take it, :class:`Undetermined` where it does not answer.
    """
    return await _post(asked, response_form(dict(answer), asked.reply_to), ask)


async def send_refusal(asked: Asked, *, ask: Ask) -> str | None:
    """Tell the verifier that the worker says no (OID4VP §8.5), and nothing else. As :func:`send_answer`."""
    return await _post(asked, error_form(ACCESS_DENIED, "the holder shows nothing", asked.reply_to), ask)


async def _post(asked: Asked, body: bytes, ask: Ask) -> str | None:
    answer = await ask(
        asked.reply_to.uri,
        limit=MAX_REPLY,
        private=origin(asked.reply_to.uri) in asked.typed,
        method="POST",
        body=body,
        headers={"Accept": "application/json", "Content-Type": FORM},
    )
    _check_status(answer, asked.reply_to.host)
    return _redirect(answer.body)


def _redirect(body: bytes) -> str | None:
    """``redirect_uri`` of OID4VP §8.2, where it is one that can be shown."""
    try:
        uri = parse_object(body, where="answer", limits=Limits(size=MAX_REPLY)).get("redirect_uri")
    except VcError:
        return None
    odd = not isinstance(uri, str) or len(uri) > MAX_REDIRECT or not uri.isascii() or not uri.isprintable()
    return None if odd or " " in str(uri) or urlsplit(str(uri)).scheme not in ("https", "http") else str(uri)


def _check_status(answer: Fetched, where: str) -> None:
    if answer.status >= 500:
        raise Undetermined(f"{where} answers with an error ({answer.status})", "try again later", code="VERIFIER_DOWN")
    if answer.status >= 400:
        raise Rejected((Finding("VERIFIER_REFUSED", f"{where} says no ({_error(answer)})", ""),))
    if answer.status != 200:
        raise Malformed(where, f"answers with {answer.status}, which leads elsewhere", code="REDIRECTED")


def _error(answer: Fetched) -> str:
    try:
        error = parse_object(answer.body, where="error", limits=Limits(size=MAX_REPLY)).get("error")
    except VcError:
        error = None
    return str(error or f"error {answer.status}")[:100]
