"""DPoP: an access token that is good only with its key (RFC 9449), and the thumbprints that name keys (RFC 7638)."""

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from vc.canon import Json, Limits, canonicalize, parse_object, to_json
from vc.errors import Malformed, Unsupported
from vc.jose import SKEW, check_times, numeric_date, parse_jws, sign_jws, verify_jws
from vc.jwk import parse_jwk, public_jwk
from vc.keys import PublicKey, Signer
from vc.model import Object
from vc.multibase import encode_base64url
from vc.oauth import OAuthRefusal, refusing

TYP: Final = "dpop+jwt"
ALGORITHMS: Final = ("ES256", "ES384", "EdDSA", "Ed25519")  # dpop_signing_alg_values_supported
MAX_PROOF: Final = 1 << 13  # characters; one has some 500
MAX_JTI: Final = 256  # characters: each is kept for as long as its proof could be sent again
MAX_URL: Final = 2048
MAX_AGE: Final = timedelta(minutes=5)  # RFC 9449 §11.1: "on the order of seconds or minutes"

_LIMITS: Final = Limits(size=MAX_PROOF, depth=8)
_METHOD: Final = re.compile(r"[A-Z]{1,16}\Z")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]\Z")
_URL: Final = re.compile(r"[!-~]+\Z")
_PORTS: Final[Mapping[str, int]] = MappingProxyType({"https": 443, "http": 80})
_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(  # RFC 7638 §3.2, RFC 8037 §2
    {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}
)


@dataclass(frozen=True, slots=True)
class DpopProof:
    """A DPoP proof that holds: whose key (``jkt``, RFC 9449 §6.1), and the name by which it counts as used."""

    jkt: str
    jti: str
    nonce: str | None
    public: PublicKey = field(repr=False)


def verify_dpop(
    text: str,
    *,
    method: str,
    url: str,
    at: datetime,
    access_token: str | None,
    check_nonce: Callable[[str], bool] | None,
    jkt: str | None = None,
) -> DpopProof:
    """The DPoP proof for a request (RFC 9449 §4.3, checks 2 to 12; for the first see :func:`vc.oauth.single_header`).

    ``url`` is the endpoint's as clients know it. With an access token, ``jkt`` is the key that it is bound to; without
    ``check_nonce``, no nonce is asked for. That ``jti`` was not used before is the caller's to check.

    Raises :class:`OAuthRefusal`: ``invalid_dpop_proof``; ``use_dpop_nonce``, to which the caller adds the header
    ``DPoP-Nonce``; ``invalid_token`` for a token of another key.
    """
    with refusing("invalid_dpop_proof"):
        public, claims = _opened(text)
        jti = _text(claims, "jti", MAX_JTI)
        if claims.get("htm") != method:
            raise Malformed("DPoP/htm", f"has to be {method}, the method of the request")
        if normal_url(_text(claims, "htu", MAX_URL), where="DPoP/htu") != normal_url(url):
            raise Malformed("DPoP/htu", "has to be the URL of the request, without query and fragment")
        _check_time(claims, at)
        if access_token is not None and not _same(claims.get("ath"), token_hash(access_token)):
            raise Malformed("DPoP/ath", "has to be the SHA-256 of the access token, in base64url")
        nonce = _text(claims, "nonce", MAX_JTI) if "nonce" in claims else None
    thumbprint = jwk_thumbprint(public_jwk(public))
    if jkt is not None and not _same(thumbprint, jkt):
        raise OAuthRefusal("invalid_token", "the access token is bound to another key than the proof's", status=401)
    if check_nonce is not None and (nonce is None or not check_nonce(nonce)):
        raise OAuthRefusal("use_dpop_nonce", "the proof needs the nonce of the header DPoP-Nonce")
    return DpopProof(thumbprint, jti, nonce, public)


def make_dpop(
    key: Signer,
    *,
    method: str,
    url: str,
    at: datetime,
    rand: Callable[[int], bytes],
    access_token: str | None = None,
    nonce: str | None = None,
    algorithm: str | None = None,
) -> str:
    """A DPoP proof for one request (RFC 9449 §4.2), signed as :func:`vc.jose.sign_jws` has ``algorithm``.

    Raises :class:`Malformed` for what is not a URL or a method.
    """
    if not _METHOD.match(method):
        raise Malformed("method", "not an HTTP method in capitals")
    claims: dict[str, Json] = {
        "jti": encode_base64url(rand(16)),
        "htm": method,
        "htu": normal_url(url),
        "iat": int(at.timestamp()),
    }
    if access_token is not None:
        claims["ath"] = token_hash(access_token)
    if nonce is not None:
        claims["nonce"] = nonce
    return sign_jws(to_json(claims), key=key, typ=TYP, header={"jwk": public_jwk(key.public)}, algorithm=algorithm)


def jwk_thumbprint(jwk: Mapping[str, Json]) -> str:
    """The SHA-256 thumbprint of a public key, in base64url (RFC 7638 §3).

    Raises :class:`Malformed`, or :class:`Unsupported` for a kind of key that has no public part.
    """
    kty = jwk.get("kty")
    names = _REQUIRED.get(kty) if isinstance(kty, str) else None
    if names is None:
        raise Unsupported("key", str(kty), code="UNSUPPORTED_KEY")
    members: dict[str, Json] = {}
    for name in names:
        members[name] = jwk.get(name)
        if not isinstance(members[name], str):
            raise Malformed(f"jwk/{name}", "missing, or not a text", code="BAD_KEY")
    return encode_base64url(sha256(canonicalize(members)).digest())


def token_hash(access_token: str) -> str:
    """``ath``: the SHA-256 of an access token, in base64url (RFC 9449 §4.2)."""
    return encode_base64url(sha256(access_token.encode("utf-8", "surrogatepass")).digest())


def normal_url(url: str, *, where: str = "url") -> str:
    """A URL without query and fragment, in the form that comparing needs (RFC 9449 §4.3, RFC 3986 §6.2.2, §6.2.3).

    Raises :class:`Malformed`.
    """
    if len(url) > MAX_URL or not _URL.match(url):
        raise Malformed(where, f"not a URL of at most {MAX_URL} ASCII characters")
    try:
        parts = urlsplit(url)
        host, port, scheme = parts.hostname, parts.port, parts.scheme.lower()
    except ValueError:
        raise Malformed(where, "not a URL") from None
    if scheme not in _PORTS or not host or "@" in parts.netloc:
        raise Malformed(where, "not an http or https URL with a host and without a user")
    host = f"[{host}]" if ":" in host else host
    authority = host if port in (None, _PORTS[scheme]) else f"{host}:{port}"
    return f"{scheme}://{authority}{_without_dots(_ESCAPE.sub(_normal_escape, parts.path))}"


def _normal_escape(match: re.Match[str]) -> str:
    character = chr(int(match.group(1), 16))
    return character if _UNRESERVED.match(character) else match.group().upper()


def _without_dots(path: str) -> str:
    """RFC 3986 §5.2.4."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _opened(text: str) -> tuple[PublicKey, Object]:
    jws = parse_jws(text, where="DPoP", limit=MAX_PROOF)
    public = parse_jwk(jws.header.get("jwk"), where="DPoP header/jwk")
    payload = verify_jws(jws, public, typ=TYP, algorithms=ALGORITHMS, where="DPoP")
    return public, parse_object(payload, where="DPoP", limits=_LIMITS)


def _check_time(claims: Object, at: datetime) -> None:
    made = numeric_date(claims, "iat", where="DPoP")
    if made is None:
        raise Malformed("DPoP/iat", "missing")
    for finding in check_times(claims, at, where="DPoP"):
        raise Malformed(finding.where, finding.message)
    if not -SKEW.total_seconds() <= at.timestamp() - made <= MAX_AGE.total_seconds():
        raise Malformed("DPoP/iat", "too far from now: make a new proof for each request, by a clock that is right")


def _text(claims: Object, name: str, limit: int) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= limit:
        raise Malformed(f"DPoP/{name}", f"missing, or not a text of at most {limit} characters")
    return value


def _same(one: Json, other: str) -> bool:
    return isinstance(one, str) and hmac.compare_digest(one.encode(), other.encode())
