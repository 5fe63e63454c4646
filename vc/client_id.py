"""Who asks (OID4VP §5.9): client identifiers, and what makes one of them more than a name that somebody chose."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from cryptography import x509

from vc.canon import Json
from vc.did import DidUrl, VerificationMethod
from vc.documents import Documents, resolve
from vc.errors import Finding, Rejected, Unsupported
from vc.keys import PublicKey
from vc.model import Object
from vc.x5c import certificate_hosts, certificate_key, certificate_thumbprint, parse_x5c, verify_chain

REDIRECT_URI: Final = "redirect_uri"
SAN_DNS: Final = "x509_san_dns"
HASH: Final = "x509_hash"
DID: Final = "decentralized_identifier"
SIGNING: Final = (SAN_DNS, HASH, DID)
SUPPORTED: Final = (REDIRECT_URI, *SIGNING)

_REFUSED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "verifier_attestation": "it relies on somebody who vouches for verifiers, and this wallet knows no such party",
        "openid_federation": "it relies on a federation, and this wallet belongs to none",
        "origin": "it is for requests that come through a browser only (OID4VP §5.9.3)",
    }
)
_METHODS: Final = frozenset({"key", "jwk", "web"})


class Voucher(StrEnum):
    """On whose word a client is who it says."""

    NOBODY = "nobody"  # the request is not signed
    ITSELF = "itself"  # signed, with a certificate that no root known here stands behind
    ROOT = "root"  # signed, with a certificate on the word of a root that the worker trusts
    DID = "did"  # signed with a key of the DID that it goes by


@dataclass(frozen=True, slots=True)
class ClientId:
    """A client identifier: what verifiers sign for is always ``text``, with its prefix (OID4VP §14.8)."""

    text: str
    prefix: str  # a name of SUPPORTED; empty for one that would have to be known beforehand
    name: str

    @classmethod
    def parse(cls, text: str) -> "ClientId":
        """OID4VP §5.9.1 and §5.9.2. Raises :class:`Unsupported` for a prefix that has to be refused."""
        prefix, colon, name = text.partition(":")
        if colon and prefix in _REFUSED:
            raise Unsupported("client_id", f"{prefix}: {_REFUSED[prefix]}", code="UNSUPPORTED_CLIENT_ID")
        if colon and prefix in SUPPORTED:
            return cls(text, prefix, name)
        return cls(text, "", text)


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks, and on whose word."""

    id: ClientId
    voucher: Voucher
    by: str = ""  # the root's name, where it is a root


def unsigned_client(client: ClientId) -> Client:
    """The client of a request that is not signed. Raises :class:`Rejected` for one that has to sign."""
    if client.prefix in SIGNING:
        raise _refused("UNSIGNED_REQUEST", f"a request of {client.prefix} has to be signed, and this one is not")
    return Client(client, Voucher.NOBODY)


def needed_document(client: ClientId) -> str | None:
    """The DID whose document has to be fetched to know the client's keys, or None where there is none to fetch.

    Raises :class:`Unsupported` for another DID method.
    """
    if client.prefix != DID:
        return None
    method = DidUrl.parse(client.name).method
    if method not in _METHODS:
        raise Unsupported("DID method of the client_id", method, code="UNSUPPORTED_DID")
    return client.name if method == "web" else None


def client_key(
    client: ClientId, header: Object, *, roots: Collection[x509.Certificate], documents: Documents, at: datetime
) -> tuple[Client, PublicKey]:
    """The key that a request of this client has to be signed with, by the header of its signature (OID4VP §5.9.3).

    With no ``roots``, a certificate speaks for itself and the client is marked so. Raises :class:`Rejected`,
    :class:`Malformed` or :class:`Unsupported`.
    """
    if client.prefix == DID:
        needed_document(client)
        return Client(client, Voucher.DID), _did_key(client, header.get("kid"), documents, at)
    if client.prefix in (SAN_DNS, HASH):
        return _certified(client, header.get("x5c"), roots, at)
    raise _refused("UNSIGNED_REQUEST", "its client_id names no key that could have signed it; nothing was sent")


def _certified(
    client: ClientId, x5c: Json, roots: Collection[x509.Certificate], at: datetime
) -> tuple[Client, PublicKey]:
    chain = parse_x5c(x5c)
    first = chain[0]
    if client.prefix == HASH and certificate_thumbprint(first) != client.name:
        raise _mismatch("the certificate is not the one that the client_id names")
    if client.prefix == SAN_DNS and client.name.lower() not in certificate_hosts(first):
        raise _mismatch(f"the certificate is not one of {client.name[:100]}")
    if roots:
        verified = verify_chain(chain, roots, at=at)
        return Client(client, Voucher.ROOT, verified.root.subject.rfc4514_string()), verified.public
    if not first.not_valid_before_utc <= at <= first.not_valid_after_utc:
        raise _refused("CHAIN_INVALID", "the certificate of who asks is not valid now")
    return Client(client, Voucher.ITSELF), certificate_key(first)


def _did_key(client: ClientId, kid: Json, documents: Documents, at: datetime) -> PublicKey:
    if not isinstance(kid, str) or DidUrl.parse(kid).did != client.name:
        raise _mismatch("the key that signed is not one of the DID in the client_id")
    try:
        return _method(kid, "authentication", documents, at).public
    except Rejected:  # OID4VP §5.9.3 asks for a verificationMethod, whatever it is listed under
        return _method(kid, "assertionMethod", documents, at).public


def _method(kid: str, purpose: str, documents: Documents, at: datetime) -> VerificationMethod:
    return resolve(kid, documents=documents, purpose=purpose, at=at)


def _mismatch(why: str) -> Rejected:
    return _refused("CLIENT_MISMATCH", f"{why}: somebody may be asking in another's name; nothing was sent")


def _refused(code: str, why: str) -> Rejected:
    return Rejected((Finding(code, why, "client_id"),))
