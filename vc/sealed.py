"""The forms of :mod:`vc.envelope`, each read into one shape: which key is named, what is claimed, how to unseal it.

Nothing is verified by reading. ``unseal`` checks the signature of a key and gives the document, or raises.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from vc import legacy_jwt
from vc.canon import Json, parse_object
from vc.cose import KID, TYP, Sign1, parse_sign1, verify_sign1
from vc.disclosure import reveal
from vc.envelope import Content, Form, Secured, Securing
from vc.errors import Finding, Malformed, Rejected, Unsupported
from vc.jose import LAST_SECOND, Jws, parse_jws, verify_jws
from vc.keys import PublicKey
from vc.model import Object
from vc.proof import ASSERTION, AUTHENTICATION
from vc.sdjwt import parse_sd_jwt

CONTENT_TYPE: Final = 3  # RFC 9052 §3.1
CWT_CLAIMS: Final = 15  # RFC 9597

# RFC 8392 §3.1; the nonce is RFC 9711's. What COSE says in its header, a JWT says in its payload.
CWT: Final[Mapping[str, int]] = MappingProxyType(
    {"iss": 1, "sub": 2, "aud": 3, "exp": 4, "nbf": 5, "iat": 6, "nonce": 10}
)

_REPLICATED: Final = ("iss", "sub", "aud")  # RFC 7519 §5.3: claims that a header may say too
_PURPOSE: Final[Mapping[Content, str]] = MappingProxyType(
    {Content.CREDENTIAL: ASSERTION, Content.PRESENTATION: AUTHENTICATION}
)


@dataclass(frozen=True, slots=True)
class Hint:
    """What something secured says of its key before anything is verified (vc-jose-cose#key-discovery)."""

    kid: str | None
    issuer: str | None  # ``iss``
    purpose: str  # the verification relationship that the key has to stand under
    signed: datetime | None  # ``iat``

    @property
    def url(self) -> str:
        """The URL of the verification method: ``kid``, absolute or a fragment of ``iss``. Raises :class:`Malformed`."""
        if self.kid is not None:
            return f"{self.issuer or ''}{self.kid}" if self.kid.startswith("#") else self.kid
        if self.issuer is not None and self.issuer.startswith("did:key:"):  # which has one key
            return f"{self.issuer}#{self.issuer.removeprefix('did:key:')}"
        raise Malformed("header/kid", "missing: it cannot be told which key signed", code="BAD_METHOD")


@dataclass(frozen=True, slots=True)
class Sealed:
    """One of the forms, read and not verified."""

    hint: Hint
    claims: Object = field(repr=False)  # about the signature; not to be believed before it is unsealed
    unseal: Callable[[PublicKey], Object] = field(repr=False)


def read(secured: Secured) -> Sealed:
    """What is secured, in the one shape of all forms. Raises :class:`Malformed`, :class:`Unsupported`, Rejected."""
    return _READ[secured.form.securing](secured)


def typ_of(form: Form) -> str:
    """The ``typ`` of a form: JOSE leaves ``application/`` out (RFC 7515 §4.1.9), COSE does not (RFC 9596 §2)."""
    return form.media_type if form.securing is Securing.COSE else form.media_type.removeprefix("application/")


def _read_jwt(secured: Secured) -> Sealed:
    """vc-jose-cose#with-jose"""
    jws = parse_jws(secured.text, where="JWT")
    _check_types(jws.header.get("typ"), jws.header.get("cty"), secured.form)
    claims = parse_object(jws.unverified, where="JWT payload")
    _check_not_legacy(claims)

    def unseal(key: PublicKey) -> Object:
        verify_jws(jws, key, typ=None, where="JWT")
        return claims

    return _sealed(jws, claims, secured.form, unseal)


def _read_sd_jwt(secured: Secured) -> Sealed:
    """vc-jose-cose#with-sd-jwt, without key binding, which a presentation around it gives"""
    presented = parse_sd_jwt(secured.text)
    jws = presented.jws
    if presented.kb_jwt is not None:
        raise Rejected((Finding("NOT_ASKED", "bound to a verifier by itself, where the presentation does it"),))
    _check_types(jws.header.get("typ"), jws.header.get("cty"), secured.form)
    payload = parse_object(jws.unverified, where="SD-JWT payload")
    _check_not_legacy(payload)
    if "vct" in payload and "@context" not in payload:
        raise Unsupported(
            "format", "an SD-JWT VC of an older draft, not a credential of VCDM", code="UNSUPPORTED_SUITE"
        )
    claims = reveal(payload, presented.disclosures).claims
    _check_not_legacy(claims)

    def unseal(key: PublicKey) -> Object:
        verify_jws(jws, key, typ=None, where="SD-JWT")
        return claims

    return _sealed(jws, claims, secured.form, unseal)


def _read_cose(secured: Secured) -> Sealed:
    """vc-jose-cose#with-cose"""
    message = parse_sign1(secured.body)
    _check_types(message.protected.get(TYP), message.protected.get(CONTENT_TYPE), secured.form)
    claims = _cwt_claims(message)

    def unseal(key: PublicKey) -> Object:
        return parse_object(verify_sign1(message, key, typ=None), where="COSE_Sign1 payload")

    return Sealed(_hint(_cose_kid(message), claims, secured.form.content), claims, unseal)


def _read_legacy(secured: Secured) -> Sealed:
    """vc-data-model-1.1#json-web-token"""
    jws = parse_jws(secured.text, where="JWT")
    if jws.header.get("typ", "JWT") != "JWT":
        raise Rejected((Finding("PURPOSE_MISMATCH", "not signed as a JWT of the older data model", "JWT"),))
    claims = parse_object(jws.unverified, where="JWT payload")
    document = legacy_jwt.decode(claims, secured.form.content)

    def unseal(key: PublicKey) -> Object:
        verify_jws(jws, key, typ=None, where="JWT")
        return document

    return _sealed(jws, claims, secured.form, unseal)


_READ: Final[Mapping[Securing, Callable[[Secured], Sealed]]] = MappingProxyType(
    {
        Securing.JWT: _read_jwt,
        Securing.SD_JWT: _read_sd_jwt,
        Securing.COSE: _read_cose,
        Securing.LEGACY_JWT: _read_legacy,
    }
)


def _check_types(typ: object, cty: object, form: Form) -> None:
    """vc-jose-cose: both may be left out; what they say has to be true, with or without ``application/``."""
    for value, expected in ((typ, form.media_type), (cty, f"application/{form.content}")):
        if value is not None and value not in (expected, expected.removeprefix("application/")):
            raise Rejected((Finding("PURPOSE_MISMATCH", f"not signed as {expected}", form.media_type),))


def _check_not_legacy(claims: Object) -> None:
    """vc-jose-cose#jose-header-parameters-jwt-claims"""
    for name in ("vc", "vp"):
        if name in claims:
            raise Malformed(f"/{name}", "the claim of an older data model", code="BAD_ENVELOPE")


def _sealed(jws: Jws, claims: Object, form: Form, unseal: Callable[[PublicKey], Object]) -> Sealed:
    """RFC 7519 §5.3: what a header replicates has to be what the payload says. Raises :class:`Rejected`."""
    said = {name: jws.header[name] for name in _REPLICATED if name in jws.header}
    if any(claims.get(name, value) != value for name, value in said.items()):
        raise Rejected((Finding("CLAIM_CONFLICT", "its header and its payload contradict each other"),))
    kid = jws.header.get("kid")
    claims = {**said, **claims}
    return Sealed(_hint(kid if isinstance(kid, str) else None, claims, form.content), claims, unseal)


def _hint(kid: str | None, claims: Object, content: Content) -> Hint:
    issuer, signed = claims.get("iss"), claims.get("iat")
    return Hint(
        kid=kid,
        issuer=issuer if isinstance(issuer, str) else None,
        purpose=_PURPOSE[content],
        signed=_moment(signed) if isinstance(signed, int | float) else None,
    )


def _moment(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds <= LAST_SECOND else None


def _cose_kid(message: Sign1) -> str | None:
    """A ``kid`` is bytes, and only a hint: either header may have it (RFC 9052 §3.1)."""
    kid = message.protected.get(KID, message.unprotected.get(KID))
    return None if kid is None else _text(kid, "kid")


def _cwt_claims(message: Sign1) -> Object:
    """The claims that COSE has in its protected header (RFC 9597), by their names in JWT."""
    held = message.protected.get(CWT_CLAIMS, {})
    if not isinstance(held, dict):
        raise Malformed("COSE_Sign1 header", "claims that are no map", code="BAD_COSE")
    claims: dict[str, Json] = {name: held[label] for name, label in CWT.items() if label in held}
    if "nonce" in claims:
        claims["nonce"] = _text(claims["nonce"], "nonce")
    return claims


def _text(value: object, name: str) -> str:
    try:
        return bytes.decode(value)  # type: ignore[arg-type]
    except (TypeError, UnicodeDecodeError):
        raise Malformed(f"COSE_Sign1 header/{name}", "not the bytes of a text", code="BAD_COSE") from None
