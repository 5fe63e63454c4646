"""Answers on their way to a verifier, ``direct_post`` and ``direct_post.jwt`` (OID4VP §8.2, §8.3), for both ends."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode, urlsplit

from vc.canon import Json, Limits, parse_json, parse_object, to_json
from vc.client_id import REDIRECT_URI, SAN_DNS, Client
from vc.errors import Finding, Malformed, Rejected, Unsupported, VcError
from vc.jwe import ENCRYPTIONS, DecryptionKey, check_recipient, decrypt_jwt, encrypt_jwt
from vc.model import Object
from vc.oauth import ascii_only, parse_form
from vc.oid4vp import Request

DIRECT_POST: Final = "direct_post"
DIRECT_POST_JWT: Final = "direct_post.jwt"
FORM: Final = "application/x-www-form-urlencoded"
ACCESS_DENIED: Final = "access_denied"

MAX_RESPONSE: Final = 4 << 20  # bytes: sixteen presentations, escaped
MAX_STATE: Final = 2048
MAX_URI: Final = 2048
MAX_JWKS: Final = 16

_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Recipient:
    """The key that an answer is encrypted to (OID4VP §8.3)."""

    jwk: Object
    enc: str


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """Where and how a verifier wants the answer."""

    uri: str
    state: str | None
    recipient: Recipient | None  # None: as it is

    @property
    def host(self) -> str:
        """The host, and the port where it is named."""
        return urlsplit(self.uri).netloc


@dataclass(frozen=True, slots=True)
class Received:
    """An answer or an error as it reached the verifier, decrypted; the presentations are still to be verified."""

    state: str | None
    answer: bytes | None = field(repr=False)  # for vc.oid4vp.parse_answer
    error: str | None = None
    description: str | None = None


def origin(url: str) -> str:
    """Scheme, host and port of a URL, in one spelling. Raises :class:`Malformed`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise Malformed("URL", "not a URL with a host", code="BAD_URL")
    return f"{parts.scheme}://{host}:{port or {'https': 443, 'http': 80}.get(parts.scheme, 0)}"


def parse_reply_to(request: Request, client: Client, *, typed: Collection[str]) -> ReplyTo:
    """Where the answer to a request goes. ``typed`` are the origins that the worker gave: only there plain HTTP, on
    this machine, is let through.

    Raises :class:`Malformed`, :class:`Unsupported`, or :class:`Rejected` where it would go to somebody else.
    """
    mode = request.extra.get("response_mode", "fragment")
    if mode not in (DIRECT_POST, DIRECT_POST_JWT):
        raise Unsupported(
            "response_mode",
            f"{str(mode)[:60]}: this wallet sends answers to the verifier's own address (direct_post) only",
            code="UNSUPPORTED_RESPONSE_MODE",
        )
    if "redirect_uri" in request.extra:
        raise Malformed("request /redirect_uri", "must not stand beside a response_uri (OID4VP §8.2)")
    uri = request.extra.get("response_uri", client.id.name if client.id.prefix == REDIRECT_URI else None)
    checked = _response_uri(uri, client, typed)
    state = request.extra.get("state")
    if state is not None and (not isinstance(state, str) or not 0 < len(state) <= MAX_STATE):
        raise Malformed("request /state", f"not a text of at most {MAX_STATE} characters")
    return ReplyTo(checked, state, _recipient(request) if mode == DIRECT_POST_JWT else None)


def _response_uri(uri: Json, client: Client, typed: Collection[str]) -> str:
    if not isinstance(uri, str) or not uri.isascii() or not 0 < len(uri) <= MAX_URI or any(one <= " " for one in uri):
        raise Malformed("request /response_uri", f"missing, or not a URL of at most {MAX_URI} characters")
    here = origin(uri)
    parts = urlsplit(uri)
    local = parts.scheme == "http" and parts.hostname in _LOCAL and here in typed
    if not (parts.scheme == "https" or local) or "@" in parts.netloc or "#" in uri:
        raise Malformed("request /response_uri", "not an https URL: the answer could be read on its way")
    if client.id.prefix == REDIRECT_URI and uri != client.id.name:
        raise _elsewhere(parts.netloc, client)
    if client.id.prefix == SAN_DNS and parts.hostname != client.id.name.lower():
        raise _elsewhere(parts.netloc, client)
    return uri


def _elsewhere(host: str, client: Client) -> Rejected:
    why = f"the answer would go to {host[:100]}, and not to who asks ({client.id.text[:100]}); nothing was sent"
    return Rejected((Finding("CLIENT_MISMATCH", why, "response_uri"),))


def _recipient(request: Request) -> Recipient:
    metadata = request.extra.get("client_metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    listed = metadata.get("encrypted_response_enc_values_supported", ["A128GCM"])
    enc = next((one for one in listed if one in ENCRYPTIONS), None) if isinstance(listed, list) else None
    jwks = metadata.get("jwks")
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    for jwk in keys[:MAX_JWKS] if isinstance(keys, list) else ():
        if isinstance(jwk, dict) and isinstance(enc, str) and _is_usable(jwk, enc):
            return Recipient(jwk, enc)
    raise Unsupported(
        "client_metadata",
        f"it wants an encrypted answer and names no key for ECDH-ES with {' or '.join(ENCRYPTIONS)}",
        code="UNSUPPORTED_KEY",
    )


def _is_usable(jwk: Object, enc: str) -> bool:
    try:
        check_recipient(jwk, enc=enc)
    except VcError:
        return False
    return True


def response_form(answer: Object, to: ReplyTo) -> bytes:
    """The body of the POST that carries an answer (OID4VP §8.2, §8.3)."""
    state: dict[str, Json] = {} if to.state is None else {"state": to.state}
    if to.recipient is not None:
        encrypted = encrypt_jwt({**answer, **state}, jwk=to.recipient.jwk, enc=to.recipient.enc)
        return urlencode({"response": encrypted}).encode()
    texts = {name: value if isinstance(value, str) else to_json(value) for name, value in answer.items()}
    return urlencode({**texts, **state}).encode()


def error_form(error: str, description: str, to: ReplyTo) -> bytes:
    """The body of the POST that says no (OID4VP §8.5); it holds nothing about the worker and is not encrypted."""
    state = {} if to.state is None else {"state": to.state}
    return urlencode({"error": error, "error_description": ascii_only(description), **state}).encode()


def parse_response(raw: bytes, *, keys: Sequence[DecryptionKey] = (), limit: int = MAX_RESPONSE) -> Received:
    """What a verifier got at its response_uri. With ``keys`` an answer has to be encrypted to one of them.

    Raises :class:`Malformed`, :class:`Rejected`, :class:`Unsupported`, or vc.oauth.OAuthRefusal for what is no form.
    """
    form = parse_form(raw, limit=limit)
    if "error" in form:
        return Received(form.get("state"), None, form["error"], form.get("error_description"))
    if "response" in form:
        opened = parse_object(decrypt_jwt(form["response"], keys=keys), where="response", limits=Limits(size=limit))
        state, error = opened.get("state"), opened.get("error")
        told = state if isinstance(state, str) else None
        if isinstance(error, str):  # §8.5: where answers are encrypted, a no may be, too
            return Received(told, None, error)
        return Received(told, to_json({"vp_token": opened.get("vp_token")}))
    if keys:
        raise Malformed("response", "has to be encrypted", code="NOT_ENCRYPTED")
    token = parse_json(form.get("vp_token", "null").encode(), where="vp_token", limits=Limits(size=limit))
    return Received(form.get("state"), to_json({"vp_token": token}))
