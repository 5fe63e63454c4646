"""Credentials and presentations secured by JOSE, SD-JWT or COSE (vc-jose-cose): secure, open, verify.

*Opening* is cryptography, type and structure. *Verifying* adds the dates, who the key belongs to, and claims that
contradict the document. Neither asks whom the verifier trusts, nor looks at a status or at who the subject is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from vc import cose, sdjwt
from vc.canon import to_json
from vc.cbor import Cbor
from vc.did import VerificationMethod
from vc.documents import Documents, resolve
from vc.envelope import Content, Form, Secured, Securing, parse_envelope
from vc.errors import Finding, Malformed, Rejected, Unsupported
from vc.jose import NOTHING, SKEW, check_times, numeric_date, sign_jws
from vc.keys import Signer
from vc.model import (
    CREDENTIALS_V1,
    CREDENTIALS_V2,
    Credential,
    Object,
    Presentation,
    check_context,
    parse_credential,
    parse_presentation,
)
from vc.sealed import CONTENT_TYPE, CWT, CWT_CLAIMS, Hint, read, typ_of

# Withheld, they would leave a credential that says more than its issuer did (vc-jose-cose#with-sd-jwt).
ALWAYS_SHOWN: Final = frozenset(
    {
        "@context",
        "type",
        "issuer",
        "validFrom",
        "validUntil",
        "credentialStatus",
        "credentialSchema",
        "termsOfUse",
        "relatedResource",
    }
)

Find: TypeAlias = Callable[[Hint], VerificationMethod]
"""Finds the key that a hint names, or raises."""


@dataclass(frozen=True, slots=True)
class OpenedCredential:
    """A credential whose envelope holds: signed by ``method``, of the type and the structure that it says."""

    credential: Credential
    method: VerificationMethod
    claims: Object  # about the signature: iss, iat, exp and the like


@dataclass(frozen=True, slots=True)
class OpenedPresentation:
    """A presentation whose own envelope holds. The credentials in it are still to be opened."""

    presentation: Presentation
    credentials: tuple[Secured, ...]
    method: VerificationMethod
    claims: Object


@dataclass(frozen=True, slots=True)
class VerifiedEnvelope:
    """A presentation that ``holder`` has signed for whoever asked, and its credentials, all verified."""

    holder: str
    presentation: Presentation
    credentials: tuple[OpenedCredential, ...]


def by_did(documents: Documents, *, at: datetime | None) -> Find:
    """Keys out of DIDs, as of ``at``; raises as :func:`vc.documents.resolve` does."""

    def find(hint: Hint) -> VerificationMethod:
        return resolve(hint.url, documents=documents, purpose=hint.purpose, at=at, signed=hint.signed)

    return find


# ---- securing --------------------------------------------------------------------------------------------------------


def secure(document: Object, form: Form, *, key: Signer, claims: Object = NOTHING) -> Secured:
    """``document`` secured as a whole by a JWT or COSE (vc-jose-cose#with-jose, #with-cose).

    ``claims`` are about the signature: iss, sub, aud, exp, nbf, iat or nonce. The key is named by its verification
    method. Whether every word of the document is defined is the caller's to check. Raises :class:`Malformed` where it
    is not what the form holds, :class:`Unsupported` for a form that is not made in this way.
    """
    check_structure(document, form)
    if not claims.keys() <= CWT.keys() or any(document.get(name, value) != value for name, value in claims.items()):
        raise Malformed("claims", "not known, or against what the document says", code="CLAIM_CONFLICT")
    said = {**document, **claims}
    for name in ("exp", "nbf", "iat"):
        numeric_date(said, name, where="claims")
    payload = to_json(said)
    if form.securing is Securing.JWT:
        header = {"cty": str(form.content), "kid": key.verification_method}
        return Secured(form, sign_jws(payload, key=key, typ=typ_of(form), header=header).encode("ascii"))
    if form.securing is Securing.COSE:
        return Secured(form, _secure_cose(document, form, key, claims))
    raise Unsupported("way of securing as a whole", form.media_type, code="UNSUPPORTED_SUITE")


def _secure_cose(document: Object, form: Form, key: Signer, claims: Object) -> bytes:
    headers: dict[int, Cbor] = {CONTENT_TYPE: f"application/{form.content}"}
    if claims:
        named: dict[int, object] = {CWT[name]: value for name, value in claims.items()}
        if isinstance(nonce := claims.get("nonce"), str):  # bytes there (RFC 9711 §4.1)
            named[CWT["nonce"]] = nonce.encode()
        headers[CWT_CLAIMS] = named
    kid = key.verification_method.encode()
    return cose.sign_sign1(to_json(dict(document)), key=key, typ=typ_of(form), kid=kid, headers=headers)


def secure_selectively(
    document: Object, form: Form, *, key: Signer, selective: Sequence[str], rand: Callable[[int], bytes]
) -> Secured:
    """``document`` as an SD-JWT, whose holder may keep back what the JSON pointers ``selective`` name.

    Raises :class:`Malformed` for a pointer that names nothing, or what validation needs (vc-jose-cose#with-sd-jwt),
    :class:`Unsupported` for another form.
    """
    if form.securing is not Securing.SD_JWT:
        raise Unsupported("way of securing selectively", form.media_type, code="UNSUPPORTED_SUITE")
    check_structure(document, form)
    for pointer in selective:
        if not ALWAYS_SHOWN.isdisjoint(pointer.split("/")[1:2]):
            raise Malformed(pointer, "has to be shown always", code="BAD_POINTER")
    header = {"cty": str(form.content), "kid": key.verification_method}
    made = sdjwt.issue(document, key=key, typ=typ_of(form), selective=selective, rand=rand, header=header)
    return Secured(form, made.encode("ascii"))


def check_structure(document: Object, form: Form) -> None:
    """Raise :class:`Malformed` or :class:`Unsupported` unless ``document`` is what ``form`` secures."""
    check_context(document, "", versions=(CREDENTIALS_V2,))
    for name in ("vc", "vp"):
        if name in document:
            raise Malformed(f"/{name}", "the claim of an older data model", code="BAD_ENVELOPE")
    if form.content is Content.CREDENTIAL:
        parse_credential(dict(document))
    else:
        _envelopes(parse_presentation(dict(document), enveloped=True))


def _envelopes(presentation: Presentation) -> tuple[Secured, ...]:
    """vc-jose-cose#securing-vps-with-jose: what an enveloped presentation holds is in envelopes itself."""
    if presentation.credentials:
        raise Unsupported("credential in an enveloped presentation", "one with no envelope", code="UNSUPPORTED_SUITE")
    return tuple(
        parse_envelope(dict(each), content=Content.CREDENTIAL, where=f"/verifiableCredential/{index}")
        for index, each in enumerate(presentation.envelopes)
    )


# ---- opening ---------------------------------------------------------------------------------------------------------


def open_credential(secured: Secured, *, find: Find) -> OpenedCredential:
    """The credential that is secured (vc-jose-cose#algorithms): signature, type, structure, name of the issuer.

    Raises :class:`Malformed`, :class:`Unsupported`, :class:`Rejected`, and what ``find`` raises.
    """
    document, method, claims = _unseal(secured, Content.CREDENTIAL, find)
    credential = parse_credential(dict(document))
    _reject(_check_name(claims, "iss", credential.issuer))
    return OpenedCredential(credential, method, claims)


def open_presentation(secured: Secured, *, find: Find) -> OpenedPresentation:
    """The presentation that is secured, and the envelopes in it. Raises as :func:`open_credential` does."""
    document, method, claims = _unseal(secured, Content.PRESENTATION, find)
    presentation = parse_presentation(dict(document), enveloped=True, versions=(CREDENTIALS_V2, CREDENTIALS_V1))
    _reject(_check_name(claims, "iss", presentation.holder))
    return OpenedPresentation(presentation, _envelopes(presentation), method, claims)


def _unseal(secured: Secured, content: Content, find: Find) -> tuple[Object, VerificationMethod, Object]:
    if secured.form.content is not content:
        raise Malformed(secured.form.media_type, f"not a {content}", code="BAD_ENVELOPE")
    sealed = read(secured)
    method = find(sealed.hint)
    document = sealed.unseal(method.public)
    if secured.form.securing is not Securing.LEGACY_JWT:  # which alone holds the older data model
        check_context(document, "", versions=(CREDENTIALS_V2,))
    return document, method, sealed.claims


def _check_name(claims: Object, claim: str, name: object) -> Iterator[Finding]:
    """vc-jose-cose#iss: a claim and a property that are about the same thing say the same."""
    if claim in claims and name is not None and claims[claim] != name:
        yield Finding("CLAIM_CONFLICT", f"{claim} and the document contradict each other", f"/{claim}")


# ---- verifying -------------------------------------------------------------------------------------------------------


def verify_credential(secured: Secured, *, find: Find, domain: str | None, at: datetime) -> OpenedCredential:
    """A credential that holds as of ``at``, by a key of its issuer. ``domain`` is the reader's name, None for none.

    Raises :class:`Malformed`, :class:`Unsupported`, :class:`Rejected` with every finding, and what ``find`` raises.
    """
    opened = open_credential(secured, find=find)
    _reject(check_credential(opened, domain=domain, at=at))
    return opened


def verify_presentation(secured: Secured, *, find: Find, challenge: str, domain: str, at: datetime) -> VerifiedEnvelope:
    """A presentation made for ``challenge`` and ``domain``, by its holder's key, with credentials that all hold.

    Raises as :func:`verify_credential` does.
    """
    opened = open_presentation(secured, find=find)
    _reject(check_presentation(opened, challenge=challenge, domain=domain, at=at))
    credentials = tuple(verify_credential(each, find=find, domain=domain, at=at) for each in opened.credentials)
    return VerifiedEnvelope(opened.method.controller, opened.presentation, credentials)


def check_credential(opened: OpenedCredential, *, domain: str | None, at: datetime) -> Iterator[Finding]:
    """Everything that is wrong with a credential whose envelope holds."""
    credential, claims = opened.credential, opened.claims
    yield from check_dates(opened, at)
    if opened.method.controller != credential.issuer:
        yield Finding("METHOD_NOT_ISSUERS", "signed by a key that is not the issuer's", "/issuer")
    yield from _check_name(claims, "jti", credential.document.get("id"))
    if len(credential.subjects) == 1:
        yield from _check_name(claims, "sub", credential.subjects[0].get("id"))
    if "aud" in claims:  # RFC 7519 §4.1.3: made for named readers, it is for nobody else
        yield from _check_audience(claims, domain)


def check_presentation(opened: OpenedPresentation, *, challenge: str, domain: str, at: datetime) -> Iterator[Finding]:
    """Everything that is wrong with a presentation whose envelope holds, but for the credentials in it."""
    yield from check_dates(opened, at)
    yield from check_challenge(opened, challenge)
    yield from _check_audience(opened.claims, domain)
    if opened.presentation.holder not in (None, opened.method.controller):
        yield Finding("HOLDER_MISMATCH", "signed by another key than the holder's", "/holder")
    yield from _check_name(opened.claims, "jti", opened.presentation.document.get("id"))


def check_dates(opened: OpenedCredential | OpenedPresentation, at: datetime) -> Iterator[Finding]:
    """The dates of the signature, and apart from them those of what it signs
    (vc-jose-cose#jose-header-parameters-jwt-claims)."""
    yield from check_times(opened.claims, at)
    if isinstance(opened, OpenedCredential):
        credential = opened.credential
        if credential.valid_from and at + SKEW < credential.valid_from:
            yield Finding("NOT_YET_VALID", f"valid only from {credential.valid_from:%Y-%m-%d}", "/validFrom")
        if credential.valid_until and at > credential.valid_until:
            yield Finding("EXPIRED", f"expired on {credential.valid_until:%Y-%m-%d}", "/validUntil")


def check_challenge(opened: OpenedPresentation, challenge: str) -> Iterator[Finding]:
    """Whether the presentation was made for this request: by its claim ``nonce``."""
    if opened.claims.get("nonce") != challenge:
        yield Finding("CHALLENGE_MISMATCH", "made for another request, not for this one", "/nonce")


def _check_audience(claims: Object, domain: str | None) -> Iterator[Finding]:
    audience = claims.get("aud")
    if domain is None or domain not in (audience if isinstance(audience, list) else [audience]):
        yield Finding("DOMAIN_MISMATCH", "made for another verifier", "/aud")


def _reject(findings: Iterator[Finding]) -> None:
    if found := tuple(findings):
        raise Rejected(found)
