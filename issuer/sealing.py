"""Requests and responses of the credential endpoints, in the clear or encrypted on top of TLS (OpenID4VCI §10)."""

import hmac
from functools import lru_cache
from hashlib import sha256
from typing import Final

from aiohttp import web

from issuer.deps import DEPS, in_thread
from vc.canon import Json, Limits, parse_json
from vc.errors import Malformed, VcError
from vc.jwe import ALGORITHMS, COMPRESSIONS, ENCRYPTIONS, DecryptionKey, decrypt_jwt, encrypt_jwt
from vc.oauth import OAuthRefusal
from vc.oid4vci import ResponseEncryption

JWT: Final = "application/jwt"
JSON: Final = "application/json"
MAX_REQUEST: Final = 1 << 20  # bytes, after decompression too
LIMITS: Final = Limits(size=MAX_REQUEST, depth=24)

_LABEL: Final = b"credential request encryption "


@lru_cache(maxsize=8)
def request_key(secret: bytes) -> DecryptionKey:
    """The key that wallets encrypt requests to: from the secret that all replicas share, so that each reads them."""
    for turn in range(8):
        try:
            return DecryptionKey.from_secret(hmac.new(secret, _LABEL + bytes([turn]), sha256).digest())
        except Malformed:  # not below the order of the curve: once in 2^32
            continue
    raise Malformed("keys", "no key for encryption comes from this secret")


def encryption_metadata(secret: bytes, *, required: bool) -> dict[str, Json]:
    """The members of the metadata that say how messages are encrypted (§12.2.4)."""
    said: dict[str, Json] = {
        "enc_values_supported": list[Json](ENCRYPTIONS),
        "zip_values_supported": list[Json](COMPRESSIONS),
        "encryption_required": required,
    }
    return {
        "credential_request_encryption": {"jwks": {"keys": [request_key(secret).jwk]}, **said},
        "credential_response_encryption": {"alg_values_supported": list[Json](ALGORITHMS), **said},
    }


async def open_request(request: web.Request, *, invalid: str) -> Json:
    """The JSON of a request. Raises :class:`OAuthRefusal` with the code ``invalid`` for what is none.

    A response is encrypted only to a key that came encrypted: in the clear, it could be somebody else's (§8.2).
    """
    deps, raw = request.app[DEPS], await request.read()
    encrypted = request.content_type == JWT
    if not encrypted and request.content_type != JSON:
        raise OAuthRefusal(invalid, f"send {JSON}, or {JWT} encrypted")
    if deps.config.require_encryption and not encrypted:
        raise OAuthRefusal("invalid_encryption_parameters", "encrypt the request: credential_request_encryption")
    if encrypted:
        keys = (request_key(deps.keyring().secret),)
        try:
            raw = await in_thread(lambda: decrypt_jwt(raw.decode("ascii"), keys=keys, limit=MAX_REQUEST))
        except (VcError, UnicodeDecodeError):
            raise OAuthRefusal("invalid_encryption_parameters", "not encrypted to a key of the metadata") from None
    try:
        value = parse_json(raw, where="body", limits=LIMITS)
    except VcError as error:
        raise OAuthRefusal(invalid, str(error)) from None
    asked = isinstance(value, dict) and value.get("credential_response_encryption") is not None
    if asked and not encrypted:
        raise OAuthRefusal("invalid_encryption_parameters", "with credential_response_encryption, encrypt the request")
    if deps.config.require_encryption and not asked:
        raise OAuthRefusal("invalid_encryption_parameters", "credential_response_encryption is required")
    return value


async def sealed(body: bytes, *, status: int, encryption: ResponseEncryption | None) -> web.Response:
    """A response: JSON, or a JWE over it."""
    if encryption is None:
        return web.Response(body=body, status=status, content_type=JSON)
    text = await in_thread(lambda: encrypt_jwt(body, jwk=encryption.jwk, enc=encryption.enc, zip_=encryption.zip))
    return web.Response(text=text, status=status, content_type=JWT)
