"""Requests on their way to a wallet: links, and signed request objects (OID4VP §5, RFC 9101). Both ends use these."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias
from urllib.parse import urlencode, urlsplit

from cryptography import x509

from vc.canon import Json, Limits, parse_json, parse_object, to_json
from vc.client_id import Client, ClientId, client_key
from vc.documents import Documents
from vc.errors import Finding, Malformed, Rejected
from vc.jose import NOTHING, SKEW, check_times, numeric_date, parse_jws, sign_jws, verify_jws
from vc.keys import Signer
from vc.model import Object
from vc.oauth import OAuthRefusal, parse_form

REQUEST_TYP: Final = "oauth-authz-req+jwt"
REQUEST_TYPE: Final = f"application/{REQUEST_TYP}"
SELF_ISSUED: Final = "https://self-issued.me/v2"
SCHEME: Final = "openid4vp"

MAX_REQUEST: Final = 1 << 18  # bytes: the largest query that is read has two thirds of it
MAX_LINK: Final = 1 << 19  # characters: escaped, a request by value is longer
MAX_CLIENT_ID: Final = 2048

# Parameters that are JSON in a request object, and the text of that JSON in a link (OID4VP §5.1).
_JSON: Final = frozenset({"dcql_query", "client_metadata", "transaction_data", "verifier_info", "purpose"})
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]{1,62}\Z")
_LIMITS: Final = Limits(size=MAX_REQUEST)
_LINK: Final = "request link"


@dataclass(frozen=True, slots=True)
class PlainRequest:
    """A request whose parameters stand in the link, signed by nobody."""

    client_id: str
    raw: bytes = field(repr=False)  # as JSON


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A link with the signed request object in it (RFC 9101 §5.1)."""

    client_id: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RequestReference:
    """A link that says where the signed request object is (RFC 9101 §5.2), and how to ask for it (OID4VP §5.10)."""

    client_id: str
    uri: str
    post: bool


RequestLink: TypeAlias = PlainRequest | SignedRequest | RequestReference


def parse_request_link(text: str) -> RequestLink:
    """What is in a link, of any scheme: openid4vp://, haip-vp://, a wallet's https URL. Raises :class:`Malformed`."""
    if len(text) > MAX_LINK:
        raise Malformed(_LINK, f"longer than {MAX_LINK} characters", code="TOO_LARGE")
    try:
        parts = urlsplit(text.strip())
        members = parse_form(parts.query.encode("ascii"), limit=MAX_LINK)
    except (ValueError, OAuthRefusal):
        raise Malformed(_LINK, "not a link with each parameter once") from None
    if not _SCHEME.match(parts.scheme.lower()):
        raise Malformed(_LINK, "does not start like a link, such as openid4vp://")
    client_id = members.get("client_id", "")
    if not 0 < len(client_id) <= MAX_CLIENT_ID:
        raise Malformed(f"{_LINK} /client_id", "missing, or too long: nobody says who asks")
    method = members.get("request_uri_method", "get")
    if method not in ("get", "post") or ("request_uri_method" in members and "request_uri" not in members):
        raise Malformed(f"{_LINK} /request_uri_method", "neither get nor post, or without a request_uri")
    match [name for name in ("request", "request_uri") if name in members]:
        case ["request"]:
            return SignedRequest(client_id, members["request"])
        case ["request_uri"]:
            return RequestReference(client_id, members["request_uri"], method == "post")
        case []:
            return PlainRequest(client_id, to_json({name: _value(name, value) for name, value in members.items()}))
    raise Malformed(_LINK, "has both a request and a request_uri")


def _value(name: str, text: str) -> Json:
    where = f"{_LINK} /{name}"
    return parse_json(text.encode("utf-8", "surrogatepass"), where=where, limits=_LIMITS) if name in _JSON else text


def request_link(members: Mapping[str, Json], *, scheme: str = SCHEME) -> str:
    """A link with the parameters in it (OID4VP §5): of a request, or ``client_id`` and ``request_uri`` and the like."""
    query = {name: str(value) if name not in _JSON else to_json(value).decode() for name, value in members.items()}
    return f"{scheme}://?{urlencode(query)}"


def sign_request(members: Object, *, key: Signer, header: Mapping[str, Json] = NOTHING) -> str:
    """A signed request object; ``header`` names the key, by ``x5c`` or ``kid`` (OID4VP §5.9.3). Unless told otherwise
    it is for a wallet that the verifier knows nothing of (§5.8)."""
    return sign_jws(to_json({"aud": SELF_ISSUED, **members}), key=key, typ=REQUEST_TYP, header=header)


def verify_request(
    text: str,
    *,
    client_id: str,
    roots: Collection[x509.Certificate],
    documents: Documents,
    at: datetime,
    wallet_nonce: str | None = None,
) -> tuple[Client, bytes]:
    """Who asks, and the parameters of a signed request object that belongs to the ``client_id`` of its link.

    Raises :class:`Malformed`, :class:`Unsupported`, :class:`Rejected`; :class:`Undetermined` where ``documents`` lacks
    the one that is needed (vc.client_id.needed_document).
    """
    jws = parse_jws(text.strip(), where="request object", limit=MAX_REQUEST)
    client, key = client_key(ClientId.parse(client_id), jws.header, roots=roots, documents=documents, at=at)
    payload = verify_jws(jws, key, typ=REQUEST_TYP, where="request object")
    claims = parse_object(payload, where="request object", limits=_LIMITS)
    _check(claims, client_id=client_id, at=at, wallet_nonce=wallet_nonce)
    return client, payload


def _check(claims: Object, *, client_id: str, at: datetime, wallet_nonce: str | None) -> None:
    """OID4VP §5.8 and §5.10.1, RFC 9101 §4 and §6.3. ``iss`` means nothing here, nor does ``expected_origins``."""
    if claims.get("client_id") != client_id:
        raise _refused("CLIENT_MISMATCH", "asks in another name than the link said", "client_id")
    if "request" in claims or "request_uri" in claims:
        raise Malformed("request object", "leads to another request")
    if wallet_nonce is not None and claims.get("wallet_nonce") != wallet_nonce:
        raise _refused("NONCE_MISMATCH", "was not made for this wallet just now", "wallet_nonce")
    audience = claims.get("aud", SELF_ISSUED)
    if SELF_ISSUED not in (audience if isinstance(audience, list) else [audience]):
        raise _refused("AUDIENCE_MISMATCH", "is for another wallet", "aud")
    made = numeric_date(claims, "iat", where="request object")
    if made is not None and made > (at + SKEW).timestamp():
        raise _refused("NOT_YET_VALID", "says that it was made in the future", "iat")
    for finding in check_times(claims, at, where="request object"):
        why = "is too old: ask for a new one" if finding.code == "EXPIRED" else "is for later"
        raise _refused(finding.code, why, "exp")


def _refused(code: str, why: str, where: str) -> Rejected:
    return Rejected((Finding(code, f"the request {why}; nothing was sent", f"request object/{where}"),))
