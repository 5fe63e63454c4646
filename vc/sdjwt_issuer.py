"""Whose key has signed an SD-JWT VC: found in what is given, never fetched (draft-ietf-oauth-sd-jwt-vc-19 §key-stuff).

Which road is taken is decided by ``iss`` and by what the verifier knows of it, so that nobody who presents something
can choose a weaker one (draft §ecosystem-verification-rules).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from cryptography import x509

from vc.canon import Json, parse_object
from vc.did import DidUrl, resolve_method
from vc.documents import SELF_DESCRIBED, Documents, resolve
from vc.errors import Finding, Malformed, Rejected, Undetermined, Unsupported
from vc.jose import Jws, numeric_date
from vc.jwk import parse_jwk
from vc.keys import PublicKey
from vc.model import Object
from vc.proof import ASSERTION
from vc.trust import Trust, TrustedCertificate, TrustedIssuer, TrustedKey
from vc.x5c import VerifiedChain, parse_x5c, verify_chain, verify_unrooted

MAX_KEYS: Final = 256  # of one issuer: a key a month for twenty years
MAX_NAME: Final = 1024  # characters of iss and kid


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who has signed, by the name that was found to go with the key, and what it is trusted to attest."""

    name: str  # ``iss``, or the subject of a certificate
    method: str  # a DID URL, ``iss#kid``, or the thumbprint of a certificate
    public: PublicKey
    may_attest: frozenset[str]  # values of vct
    trusted: tuple[TrustedIssuer, TrustedKey] | None = field(default=None, compare=False)  # as the trust file has it


FindIssuer: TypeAlias = Callable[[Jws, Object], Issuer]  # by a header and a payload that are not verified yet


@dataclass(frozen=True, slots=True)
class NamedIssuer:
    """An issuer by its ``iss``: its keys by ``kid``, and the types that it is trusted to attest."""

    keys: Mapping[str, PublicKey]
    may_attest: frozenset[str]


@dataclass(frozen=True, slots=True)
class KnownIssuers:
    """All that a verifier knows of issuers of SD-JWT VCs. An empty one trusts nobody.

    DIDs are found in the trust file; its age is judged where all of an answer is (docs/verification.md, step 0).
    """

    trust: Trust | None = None
    named: Mapping[str, NamedIssuer] = field(default_factory=lambda: MappingProxyType({}))  # by iss
    roots: Mapping[x509.Certificate, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))


def find_known(known: KnownIssuers, at: datetime) -> FindIssuer:
    """A function that finds an issuer among ``known`` as of ``at``, for :func:`vc.sdjwt_vc.verify_credential`.

    It raises :class:`Rejected` for everyone else.
    """

    def find(jws: Jws, payload: Object) -> Issuer:
        name = payload.get("iss")
        if name is not None and (not isinstance(name, str) or not 0 < len(name) <= MAX_NAME):
            raise Malformed("/iss", f"not a text of at most {MAX_NAME} characters", code="NOT_TEXT")
        if name is not None and name in known.named:
            return _named(name, known.named[name], jws)
        if name is not None and name.startswith("did:"):
            # A DID whose key is not listed can still stand in a certificate under a listed authority.
            by_key = known.trust is None or known.trust.find(_method(name, jws)) is not None
            if by_key or "x5c" not in jws.header:
                return _trusted_did(name, jws, payload, known.trust, at)
        elif name is not None and known.trust is not None and name in known.trust.documents.given:
            return _trusted_name(name, jws, payload, known.trust, at)
        if "x5c" in jws.header:
            if known.trust is not None and not known.roots:
                return find_certified(name, jws, payload, known.trust, at)
            return _certified(name, jws, known.roots, at)
        raise _untrusted()

    return find


def find_for_holder(documents: Documents, at: datetime) -> FindIssuer:
    """A function that finds an issuer for a holder that keeps what it was given as of ``at``: it is trusted with
    nothing.

    Keys are found in the DID of the issuer, in its document among ``documents``, or, where ``iss`` is no DID, in its
    certificate. Certificates are checked as far as their own chain goes: nobody vouches for its end. It raises
    :class:`Malformed`, :class:`Unsupported`, :class:`Rejected` or :class:`Undetermined`.
    """

    def find(jws: Jws, payload: Object) -> Issuer:
        name = stated_issuer(jws, payload)
        chain = parse_x5c(jws.header["x5c"], where="SD-JWT header/x5c") if "x5c" in jws.header else ()
        certified = verify_unrooted(chain, at=at) if chain else None
        if name.startswith("did:"):
            method = _method(name, jws)
            signed = _signed(payload, at)
            public = resolve(method, documents=documents, purpose=ASSERTION, at=at, signed=signed).public
            if certified is not None and certified.public != public:
                raise Rejected((Finding("CHAIN_INVALID", "the certificate is of another key than the DID's", "/x5c"),))
            return Issuer(name, method, public, frozenset())
        if certified is None:
            raise _untrusted()
        _check_named(payload.get("iss"), certified)
        return Issuer(name, certified.thumbprint, certified.public, frozenset())

    return find


def find_self_described(jws: Jws, payload: Object) -> Issuer:
    """The issuer whose DID carries its own key, for a holder that keeps what it was given: it is trusted with nothing.

    Raises :class:`Malformed`, :class:`Unsupported` or :class:`Rejected`.
    """
    name = payload.get("iss")
    if not isinstance(name, str) or not name.startswith("did:"):
        raise _untrusted()
    method = _method(name, jws)
    return Issuer(name, method, resolve_method(method).public, frozenset())


def stated_issuer(jws: Jws, payload: Object) -> str:
    """Who is said to have signed: ``iss``, or the subject of the first certificate. Nothing is verified.

    Raises :class:`Malformed`, or :class:`Rejected` where nobody is named.
    """
    name = payload.get("iss")
    if name is None and "x5c" in jws.header:
        first, *_ = parse_x5c(jws.header["x5c"], where="SD-JWT header/x5c")
        return first.subject.rfc4514_string()[:MAX_NAME]
    if name is None:
        raise _untrusted()
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
        raise Malformed("/iss", f"not a text of at most {MAX_NAME} characters", code="NOT_TEXT")
    return name


# ---- DIDs ------------------------------------------------------------------------------------------------------------


def _method(did: str, jws: Jws) -> str:
    """The DID URL that ``kid`` names, in full or by its fragment; did:key and did:jwk have one each."""
    kid = jws.header.get("kid")
    if kid is None:
        parts = DidUrl.parse(did)
        if parts.method not in SELF_DESCRIBED:
            raise Malformed("SD-JWT header/kid", "missing, and the issuer's DID has several keys", code="MISSING")
        return f"{did}#{parts.identifier if parts.method == 'key' else '0'}"
    if not isinstance(kid, str) or len(kid) > MAX_NAME:
        raise Malformed("SD-JWT header/kid", f"not a text of at most {MAX_NAME} characters", code="NOT_TEXT")
    url = did + kid if kid.startswith("#") else kid
    if url.partition("#")[0] != did:
        raise Rejected((Finding("METHOD_NOT_ISSUERS", "signed by a key that is not the issuer's", "/iss"),))
    return url


def _trusted_did(did: str, jws: Jws, payload: Object, trust: Trust | None, at: datetime) -> Issuer:
    url = _method(did, jws)
    if trust is None:
        raise _untrusted()
    found, signed = _known(url, trust, payload, at)
    method = resolve(url, documents=trust.documents, purpose=ASSERTION, at=at, signed=signed)
    return Issuer(found[0].name, url, method.public, found[0].may_attest, found)


def _trusted_name(name: str, jws: Jws, payload: Object, trust: Trust, at: datetime) -> Issuer:
    """An issuer by a name that is no DID, whose keys the trust file holds as a JWK Set."""
    keys = parse_jwk_set(parse_object(trust.documents.given[name].raw, where="JWK Set"))
    named = _named(name, NamedIssuer(keys, frozenset()), jws)
    found, _ = _known(named.method, trust, payload, at)
    return Issuer(found[0].name, named.method, named.public, found[0].may_attest, found)


def _known(
    method: str, trust: Trust, payload: Object, at: datetime
) -> tuple[tuple[TrustedIssuer, TrustedKey], datetime]:
    """Who a method belongs to in the trust file, and when it signed, which is a time at which it counts."""
    found = trust.find(method)
    if found is None:
        raise _untrusted()
    # Without a time of signing, a key that was rotated away could have signed today.
    signed = _signed(payload, at)
    _check_window(found[1].covers(signed), found[0])
    return found, signed


def _check_window(covered: bool, issuer: TrustedIssuer) -> None:
    if not covered:
        raise Rejected(
            (Finding("KEY_OUT_OF_WINDOW", f"signed at a time when this key of {issuer.name} did not count", "/iat"),)
        )


def _signed(payload: Object, at: datetime) -> datetime:
    stated = numeric_date(payload, "iat", where="")
    return at if stated is None else datetime.fromtimestamp(stated, UTC)


# ---- names -----------------------------------------------------------------------------------------------------------


def _named(name: str, issuer: NamedIssuer, jws: Jws) -> Issuer:
    kid = jws.header.get("kid")
    if kid is None and len(issuer.keys) == 1:
        ((kid, public),) = issuer.keys.items()
        return Issuer(name, f"{name}#{kid}", public, issuer.may_attest)
    if not isinstance(kid, str) or kid not in issuer.keys:
        raise Rejected((Finding("METHOD_NOT_ISSUERS", "signed by a key that is not the issuer's", "/iss"),))
    return Issuer(name, f"{name}#{kid}", issuer.keys[kid], issuer.may_attest)


def named_issuer(metadata: bytes, *, iss: str, may_attest: frozenset[str], jwks: bytes | None = None) -> NamedIssuer:
    """An issuer from its JWT VC Issuer Metadata (draft §jwt-vc-issuer-metadata), as it was received.

    ``jwks`` is the JWK Set that ``jwks_uri`` names, where it is not in the metadata. Raises :class:`Malformed`,
    :class:`Rejected` for the metadata of another, :class:`Undetermined` where the JWK Set is not given.
    """
    document = parse_object(metadata, where="issuer metadata")
    if document.get("issuer") != iss:
        raise Rejected((Finding("METHOD_NOT_ISSUERS", "metadata of another issuer", "/issuer"),))
    if ("jwks" in document) == ("jwks_uri" in document):
        raise Malformed("issuer metadata", "needs either jwks or jwks_uri", code="BAD_KEY")
    if "jwks" in document:
        return NamedIssuer(parse_jwk_set(document["jwks"]), may_attest)
    if jwks is None:
        raise Undetermined("the keys of this issuer are not held here", "give the JWK Set too", code="KEYS_UNKNOWN")
    return NamedIssuer(parse_jwk_set(parse_object(jwks, where="JWK Set")), may_attest)


def parse_jwk_set(value: Json) -> Mapping[str, PublicKey]:
    """The keys of a JWK Set (RFC 7517 §5) that can verify, by ``kid``; a key without one has the empty text.

    Keys for other uses, and of kinds that are not known here, are passed over. Raises :class:`Malformed`.
    """
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise Malformed("JWK Set", f"no list of at most {MAX_KEYS} keys", code="BAD_KEY")
    known: dict[str, PublicKey] = {}
    for jwk in keys:
        if not isinstance(jwk, dict):
            raise Malformed("JWK Set", "a key that is no object", code="BAD_KEY")
        kid = jwk.get("kid", "")
        if jwk.get("use", "sig") != "sig":
            continue
        if not isinstance(kid, str) or kid in known:
            raise Malformed("JWK Set", "a kid that is no text, or stands twice", code="BAD_KEY")
        try:
            known[kid] = parse_jwk(jwk, where="JWK Set")
        except Unsupported:
            continue
    return MappingProxyType(known)


# ---- certificates ----------------------------------------------------------------------------------------------------


def _certified(name: str | None, jws: Jws, roots: Mapping[x509.Certificate, frozenset[str]], at: datetime) -> Issuer:
    """Draft §key-stuff, Inline X.509 Certificates: the issuer is the subject of the first certificate."""
    chain = verify_chain(parse_x5c(jws.header["x5c"], where="SD-JWT header/x5c"), roots, at=at)
    _check_named(name, chain)
    return Issuer(name or chain.subject, chain.thumbprint, chain.public, roots[chain.root])


def find_certified(name: str | None, jws: Jws, payload: Object, trust: Trust, at: datetime) -> Issuer:
    """The issuer of the trust file to whom the certificates in a header lead.

    Raises :class:`Rejected` where they lead to nobody, or to several.
    """
    certificates = parse_x5c(jws.header["x5c"], where="header/x5c")
    known = trust.authorities(certificates[-1])
    if not known:
        raise _untrusted()
    found = [
        (issuer, one, chain)
        for issuer in known
        for one in issuer.certificates
        if (chain := _chain(certificates, one, at)) is not None
        and (not one.names or not one.names.isdisjoint(chain.uris | chain.hosts))
    ]
    if len({issuer for issuer, _, _ in found}) != 1:  # who it is would be the reader's choice
        raise Rejected((Finding("CHAIN_INVALID", "the certificates lead to no one trusted issuer", "/x5c"),))
    signed = _signed(payload, at)
    keys = [(TrustedKey(chain.thumbprint, one.valid_from, one.valid_until), chain) for _, one, chain in found]
    issuer, (key, chain) = found[0][0], next((pair for pair in keys if pair[0].covers(signed)), keys[0])
    _check_window(key.covers(signed), issuer)
    _check_named(name, chain)
    return Issuer(issuer.name, chain.thumbprint, chain.public, issuer.may_attest, (issuer, key))


def _chain(certificates: tuple[x509.Certificate, ...], one: TrustedCertificate, at: datetime) -> VerifiedChain | None:
    """The chain to one trusted certificate; the certificate itself may be the signer's."""
    try:
        if certificates == (one.certificate,):
            return verify_unrooted(certificates, at=at)
        return verify_chain(certificates, [one.certificate], at=at)
    except (Rejected, Unsupported):
        return None


def _check_named(name: Json, chain: VerifiedChain) -> None:
    if isinstance(name, str) and name not in chain.uris and _host(name) not in chain.hosts:
        raise Rejected((Finding("METHOD_NOT_ISSUERS", "the certificate is not the issuer's", "/iss"),))


def _host(name: str) -> str | None:
    try:
        parts = urlsplit(name)
    except ValueError:  # brackets around what is no IPv6 address
        return None
    return parts.hostname if parts.scheme == "https" else None


def _untrusted() -> Rejected:
    return Rejected((Finding("ISSUER_NOT_TRUSTED", "the issuer is not among those that are trusted", "/iss"),))
