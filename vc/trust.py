"""What a verifier knows, as of when: whose keys it trusts, and to say what. Read from a file, never fetched."""

import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from cryptography import x509

from vc.canon import Json, Limits, parse_object
from vc.documents import NO_DOCUMENTS, Documents, Earlier, Given
from vc.errors import Malformed
from vc.jsonld import Contexts
from vc.model import Credential, Object, parse_credential, parse_date_time
from vc.x5c import parse_certificate

TRUST_LIMITS: Final = Limits(size=4 << 20)  # some 7 000 issuers with a key each; at worst 1 s and 200 MB to read
MAX_ISSUERS: Final = 10_000  # every platform in the world fits
MAX_KEYS: Final = 256  # of one issuer: a key a month for twenty years
MAX_CERTIFICATES: Final = 64  # of one issuer: each is an authority
MAX_EARLIER: Final = 256  # documents of one did:web that are no longer its newest
MAX_PUBLIC: Final = 4096  # public credentials that travel with a trust file
MAX_STATUS_LISTS: Final = 4096  # at 131 072 credentials each, more than one country's


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A verification method and the time within which what it signs counts."""

    method: str
    valid_from: datetime
    valid_until: datetime | None

    def covers(self, moment: datetime) -> bool:
        """Whether the key's window holds ``moment``."""
        return self.valid_from <= moment and (self.valid_until is None or moment <= self.valid_until)


@dataclass(frozen=True, slots=True)
class TrustedCertificate:
    """A certificate that certifies an issuer's keys, or is of one, and the time within which what they sign counts.

    ``names`` are host names and URIs: where there are any, only certificates that state one of them are the issuer's.
    """

    certificate: x509.Certificate
    valid_from: datetime
    valid_until: datetime | None
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """An issuer by the name that the verifier knows, never by the name in a credential."""

    name: str
    legal_identifier: str
    may_attest: frozenset[str]  # credential types
    keys: tuple[TrustedKey, ...]
    certificates: tuple[TrustedCertificate, ...] = ()


@dataclass(frozen=True, slots=True)
class GivenList:
    """A status list credential as it came, still to be verified on use, and when it was the newest."""

    credential: Credential
    as_of: datetime


@dataclass(frozen=True, slots=True)
class GivenToken:
    """A Status List Token in JWT Format as it came, still to be verified on use, and when it was the newest."""

    text: str = field(repr=False)
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Trust:
    """All that a verifier trusts. An empty one trusts nobody."""

    as_of: datetime
    issuers: Sequence[TrustedIssuer]
    public: Sequence[Credential]  # credentials that issuers publish about themselves, still to be verified on use
    contexts: Contexts
    by_method: Mapping[str, tuple[TrustedIssuer, TrustedKey]]
    documents: Documents = NO_DOCUMENTS
    status_lists: Mapping[str, GivenList] = field(default_factory=lambda: MappingProxyType({}))  # by URL
    status_tokens: Mapping[str, GivenToken] = field(default_factory=lambda: MappingProxyType({}))  # by URI
    certified: Mapping[str, tuple[TrustedIssuer, ...]] = field(default_factory=lambda: MappingProxyType({}))
    expires: datetime | None = None  # when whoever published it takes its word back
    digest: str = field(default="", compare=False)  # SHA-256 of what was read: which trust it was

    def find(self, method: str) -> tuple[TrustedIssuer, TrustedKey] | None:
        """The issuer and the key that a verification method belongs to, if it is known."""
        return self.by_method.get(method)

    def authorities(self, certificate: x509.Certificate) -> tuple[TrustedIssuer, ...]:
        """The issuers of which one trusted certificate could have certified this one, or is it."""
        names = dict.fromkeys((name_key(certificate.issuer), name_key(certificate.subject)))
        return tuple(dict.fromkeys(issuer for name in names for issuer in self.certified.get(name, ())))


def name_key(name: x509.Name) -> str:
    """What issuers with certificates are found by: the digest of a distinguished name (RFC 5280 §4.1.2.4)."""
    return sha256(name.public_bytes()).hexdigest()


def parse_trust(raw: bytes, *, contexts: Contexts, where: str = "trust file") -> Trust:
    """A trust file (docs/trust.md): JSON with ``asOf``, ``issuers``, ``public``, ``documents`` and ``statusLists``.

    Raises :class:`Malformed`.
    """
    document = parse_object(raw, where=where, limits=TRUST_LIMITS)
    version = document.get("version")
    if document.get("type") != "OuvrageTrust" or type(version) is not int or version != 1:
        raise Malformed(where, "not a trust file of version 1", code="BAD_TRUST")
    entries = _list(document, "issuers", MAX_ISSUERS, f"{where} ")
    issuers = tuple(parse_issuer(entry, where=f"{where} /issuers/{index}") for index, entry in enumerate(entries))
    public = _list(document, "public", MAX_PUBLIC, f"{where} ")
    lists, tokens = _status_lists(document, where)
    return Trust(
        as_of=parse_date_time(document.get("asOf"), where=f"{where} /asOf"),
        issuers=issuers,
        public=tuple(parse_credential(entry, where=f"{where} /public/{index}") for index, entry in enumerate(public)),
        contexts=contexts,
        by_method=_index(issuers, where),
        documents=_documents(document, where),
        status_lists=lists,
        status_tokens=tokens,
        certified=index_certificates(issuers),
        digest=sha256(raw).hexdigest(),
    )


def parse_issuer(entry: Json, *, where: str = "issuer entry") -> TrustedIssuer:
    """One issuer of a trust file. Raises :class:`Malformed`."""
    if not isinstance(entry, dict):
        raise Malformed(where, "not an object", code="BAD_TRUST")
    keys, certificates = _list(entry, "keys", MAX_KEYS, where), _list(entry, "certificates", MAX_CERTIFICATES, where)
    if not keys and not certificates:
        raise Malformed(f"{where}/keys", "an issuer without a key can attest nothing", code="BAD_TRUST")
    types = _list(entry, "mayAttest", 256, where)
    if not all(isinstance(name, str) for name in types):
        raise Malformed(f"{where}/mayAttest", "not a list of credential types", code="BAD_TRUST")
    return TrustedIssuer(
        name=_text(entry, "name", where),
        legal_identifier=_text(entry, "legalIdentifier", where),
        may_attest=frozenset(map(str, types)),
        keys=tuple(_key(key, f"{where}/keys/{index}") for index, key in enumerate(keys)),
        certificates=tuple(_certificate(one, f"{where}/certificates/{n}") for n, one in enumerate(certificates)),
    )


def _key(entry: Json, where: str) -> TrustedKey:
    if not isinstance(entry, dict):
        raise Malformed(where, "not an object", code="BAD_TRUST")
    return TrustedKey(_text(entry, "id", where), *_window(entry, where))


def _certificate(entry: Json, where: str) -> TrustedCertificate:
    """Its window is the certificate's own where none is stated."""
    if not isinstance(entry, dict):
        raise Malformed(where, "not an object", code="BAD_TRUST")
    try:
        der = binascii.a2b_base64(str(entry.get("certificate")).encode("ascii"), strict_mode=True)
    except ValueError:
        raise Malformed(f"{where}/certificate", "not base64", code="BAD_TRUST") from None
    certificate = parse_certificate(der, where=f"{where}/certificate")
    names = _list(entry, "names", MAX_CERTIFICATES, where)
    if not all(isinstance(name, str) for name in names):
        raise Malformed(f"{where}/names", "not a list of names", code="BAD_TRUST")
    if "validFrom" in entry:
        start, end = _window(entry, where)
    else:
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return TrustedCertificate(certificate, start, end, frozenset(map(str, names)))


def _window(entry: Object, where: str) -> tuple[datetime, datetime | None]:
    start = parse_date_time(entry.get("validFrom"), where=f"{where}/validFrom")
    until = entry.get("validUntil")
    end = None if until is None else parse_date_time(until, where=f"{where}/validUntil")
    if end is not None and end < start:
        raise Malformed(f"{where}/validUntil", "before validFrom", code="BAD_TRUST")
    return start, end


def _index(issuers: tuple[TrustedIssuer, ...], where: str) -> Mapping[str, tuple[TrustedIssuer, TrustedKey]]:
    index: dict[str, tuple[TrustedIssuer, TrustedKey]] = {}
    for issuer in issuers:
        for key in issuer.keys:
            if key.method in index:
                raise Malformed(where, "one key is listed twice, so its issuer is not known", code="BAD_TRUST")
            index[key.method] = (issuer, key)
    return index


def index_certificates(issuers: Sequence[TrustedIssuer]) -> Mapping[str, tuple[TrustedIssuer, ...]]:
    """Issuers by the names in their certificates."""
    index: dict[str, tuple[TrustedIssuer, ...]] = {}
    for issuer in issuers:
        for name in {name_key(one.certificate.subject) for one in issuer.certificates}:
            index[name] = (*index.get(name, ()), issuer)
    return MappingProxyType(index)


def _documents(document: Object, where: str) -> Documents:
    """DID documents by DID, as the texts that they came as: what they say is read when it is asked for."""
    given: dict[str, Given] = {}
    for index, entry in enumerate(_list(document, "documents", MAX_ISSUERS, f"{where} ")):
        here = f"{where} /documents/{index}"
        match entry:
            case {"id": str(did), "document": str(text), "earlier": list(past), **rest} if (
                did not in given and not rest
            ):
                given[did] = Given(text.encode(), earlier=_earlier(past, here))
            case {"id": str(did), "document": str(text), **rest} if did not in given and not rest:
                given[did] = Given(text.encode())
            case {"id": str(url), "jwks": str(text), **rest} if url not in given and not rest:
                given[url] = Given(text.encode())
            case {"id": str(did), "log": str(text), **rest} if did not in given and not rest:
                given[did] = Given(text.encode())
            case {"id": str(did), "log": str(text), "witness": str(witness), **rest} if did not in given and not rest:
                given[did] = Given(text.encode(), witness.encode())
            case _:
                raise Malformed(here, "not the document of one more DID", code="BAD_TRUST")
    return Documents.of(given)


def _earlier(entries: list[Json], where: str) -> tuple[Earlier, ...]:
    """What a did:web said before, oldest first."""
    found: list[Earlier] = []
    for index, entry in enumerate(entries if len(entries) <= MAX_EARLIER else [None]):
        here = f"{where}/earlier/{index}"
        match entry:
            case {"document": str(text), "until": until, **rest} if not rest:
                found.append(Earlier(parse_date_time(until, where=f"{here}/until"), text.encode()))
            case _:
                raise Malformed(here, f"not one of at most {MAX_EARLIER} earlier documents", code="BAD_TRUST")
    if found != sorted(found, key=lambda one: one.until):
        raise Malformed(f"{where}/earlier", "not the oldest first", code="BAD_TRUST")
    return tuple(found)


def _status_lists(document: Object, where: str) -> tuple[Mapping[str, GivenList], Mapping[str, GivenToken]]:
    """Those that are credentials, and those that are tokens, each with a ``url`` of its own."""
    lists: dict[str, GivenList] = {}
    tokens: dict[str, GivenToken] = {}
    for index, entry in enumerate(_list(document, "statusLists", MAX_STATUS_LISTS, f"{where} ")):
        here = f"{where} /statusLists/{index}"
        url = _text(entry, "url", here) if isinstance(entry, dict) else ""
        if not isinstance(entry, dict) or url in lists or url in tokens:
            raise Malformed(here, "not one more status list", code="BAD_TRUST")
        as_of = parse_date_time(entry.get("asOf"), where=f"{here}/asOf")
        token = entry.get("token")
        if isinstance(token, str) and "credential" not in entry:
            tokens[url] = GivenToken(token, as_of)
        else:
            lists[url] = GivenList(parse_credential(entry.get("credential"), where=f"{here}/credential"), as_of)
    return MappingProxyType(lists), MappingProxyType(tokens)


def _list(document: Object, name: str, most: int, where: str) -> list[Json]:
    value = document.get(name, [])
    if not isinstance(value, list) or len(value) > most:
        raise Malformed(f"{where}/{name}", f"not a list of at most {most}", code="BAD_TRUST")
    return value


def _text(entry: Object, name: str, where: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 512:
        raise Malformed(f"{where}/{name}", "missing, or not a text of at most 512 characters", code="BAD_TRUST")
    return value
