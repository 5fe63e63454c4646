"""Certificate chains in the header of a JWS (RFC 7515 §4.1.6, RFC 5280 §6): which key, whose, on whose word.

Path validation is the ``cryptography`` package's; around it stand bounds, the order that RFC 7515 asks for, and the
checks of RFC 5280 that are left to extension policies. Revocation of certificates is not checked.
"""

import binascii
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import verification

from vc.canon import Json
from vc.errors import Finding, Malformed, Rejected, Unsupported
from vc.keys import ED25519, P256, P384, PublicKey
from vc.multibase import encode_base64url

MAX_CHAIN: Final = 5  # certificates in a header; paths through them are tried in every order
MAX_CERTIFICATE: Final = 1 << 13  # bytes; issuers' certificates have one or two thousand
KNOWN_EXTENSIONS: Final = frozenset(
    {
        x509.BasicConstraints.oid,
        x509.KeyUsage.oid,
        x509.ExtendedKeyUsage.oid,
        x509.SubjectAlternativeName.oid,
        x509.IssuerAlternativeName.oid,
        x509.CertificatePolicies.oid,
        x509.NameConstraints.oid,
        x509.AuthorityKeyIdentifier.oid,
        x509.SubjectKeyIdentifier.oid,
    }
)
# The library's own policies are those of the web, where issuers of credentials are not; see _faults for ours.
_ANY: Final = verification.ExtensionPolicy.permit_all()
_AUTHORITIES: Final = _ANY.require_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, None)
# Warning, for a process that makes errors of warnings: the library warns of what it will refuse one day.
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    UnsupportedAlgorithm,
    Warning,
)


@dataclass(frozen=True, slots=True)
class VerifiedChain:
    """The key of a chain's first certificate, and who it belongs to on the word of ``root``."""

    public: PublicKey
    subject: str  # RFC 4514
    uris: frozenset[str]
    hosts: frozenset[str]  # DNS names
    root: x509.Certificate
    thumbprint: str  # x5t#S256 of the first certificate


def parse_certificate(raw: bytes, *, where: str = "certificate") -> x509.Certificate:
    """A certificate in DER, read to its last extension. Raises :class:`Malformed`."""
    if len(raw) > MAX_CERTIFICATE:
        raise Malformed(where, f"larger than {MAX_CERTIFICATE} bytes", code="TOO_LARGE")
    try:
        certificate = x509.load_der_x509_certificate(raw)
        tuple(certificate.extensions)  # they are read when they are asked for
        certificate.subject.rfc4514_string()
        positive = certificate.serial_number > 0  # RFC 5280 §4.1.2.2
    except _UNREADABLE:
        raise Malformed(where, "not an X.509 certificate", code="BAD_CERTIFICATE") from None
    if not positive:
        raise Malformed(where, "a serial number that is not positive", code="BAD_CERTIFICATE")
    return certificate


def parse_x5c(value: Json, *, where: str = "x5c") -> tuple[x509.Certificate, ...]:
    """The certificates of an ``x5c`` header (RFC 7515 §4.1.6): base64, signer first. Raises :class:`Malformed`."""
    if not isinstance(value, list) or not 0 < len(value) <= MAX_CHAIN:
        raise Malformed(where, f"not a list of 1 to {MAX_CHAIN} certificates", code="BAD_CERTIFICATE")
    return tuple(parse_certificate(_base64(text, where), where=f"{where}/{index}") for index, text in enumerate(value))


def _base64(text: Json, where: str) -> bytes:
    if not isinstance(text, str) or len(text) > 2 * MAX_CERTIFICATE:
        raise Malformed(where, f"not a base64 text of at most {2 * MAX_CERTIFICATE} characters", code="BAD_CERTIFICATE")
    try:
        return binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError:
        raise Malformed(where, "not base64", code="BAD_CERTIFICATE") from None


def verify_chain(
    certificates: Sequence[x509.Certificate], roots: Collection[x509.Certificate], *, at: datetime
) -> VerifiedChain:
    """Whose key the first certificate has, on the word of one of ``roots`` at a moment (RFC 5280 §6.1).

    Each certificate has to be certified by the next one, and the last one by a root. Raises :class:`Rejected`;
    :class:`Unsupported` for a kind of key that signs no JWS.
    """
    if not roots:
        raise _refused("no root certificate is trusted")
    policy = verification.PolicyBuilder().store(verification.Store(list(roots))).time(at).max_chain_depth(MAX_CHAIN)
    verifier = policy.extension_policies(ca_policy=_AUTHORITIES, ee_policy=_ANY).build_client_verifier()
    first, *others = certificates
    try:
        chain = verifier.verify(first, others).chain
    except (verification.VerificationError, *_UNREADABLE):
        raise _refused("no chain of valid certificates leads to a trusted root") from None
    if chain[: len(certificates)] != list(certificates):
        raise _refused("the certificates are not in the order of their chain, or not all of them belong to it")
    for fault in _faults(chain):
        raise _refused(fault)
    return _verified(first, chain[-1])


def verify_unrooted(certificates: Sequence[x509.Certificate], *, at: datetime) -> VerifiedChain:
    """Whose key the first certificate has, as far as the given ones tell: each certified by the next, and all in force.

    For whoever keeps a chain without judging it: nobody vouches for its last certificate. Raises what
    :func:`verify_chain` does.
    """
    for certificate in certificates:
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            raise _refused("a certificate is not in force")
    if len(certificates) > 1:
        return verify_chain(certificates[:-1], certificates[-1:], at=at)
    first = certificates[0]
    if not _may_sign(first, certificates=False) or _is_authority(first, below=0):
        raise _refused("a certificate is used for what it is not made for")
    return _verified(first, first)


def _verified(first: x509.Certificate, root: x509.Certificate) -> VerifiedChain:
    return VerifiedChain(
        certificate_key(first),
        first.subject.rfc4514_string(),
        _uris(first),
        frozenset(name.lower() for name in _alternative_names(first).get_values_for_type(x509.DNSName)),
        root,
        encode_base64url(sha256(first.public_bytes(Encoding.DER)).digest()),
    )


def _faults(chain: Sequence[x509.Certificate]) -> Iterator[str]:
    """RFC 5280 §6.1.3 and §6.1.4, for what the library leaves to extension policies."""
    if len(chain) < 2:
        yield "the signer's certificate is itself a root"
    if any(_constrains_names(each) for each in chain) and _uris(chain[0]):
        yield "names of the signer are constrained in a way that is not checked here"  # the library checks DNS names
    for place, certificate in enumerate(chain):
        if any(each.critical and each.oid not in KNOWN_EXTENSIONS for each in certificate.extensions):
            yield "a certificate has a critical extension that is not understood"
        if _is_authority(certificate, below=place - 1) != (place > 0):
            yield "a certificate is used for what it is not made for"
        if not _may_sign(certificate, certificates=place > 0):
            yield "a certificate's key usage does not allow what it signs"


def _is_authority(certificate: x509.Certificate, *, below: int) -> bool:
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.BasicConstraints):
            length = extension.value.path_length
            return extension.value.ca and (length is None or below <= length)
    return False


def _may_sign(certificate: x509.Certificate, *, certificates: bool) -> bool:
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.KeyUsage):
            return extension.value.key_cert_sign if certificates else extension.value.digital_signature
    return True


def _constrains_names(certificate: x509.Certificate) -> bool:
    return any(isinstance(extension.value, x509.NameConstraints) for extension in certificate.extensions)


def _uris(certificate: x509.Certificate) -> frozenset[str]:
    return frozenset(_alternative_names(certificate).get_values_for_type(x509.UniformResourceIdentifier))


def _alternative_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            return extension.value
    return x509.SubjectAlternativeName([])


def certificate_key(certificate: x509.Certificate) -> PublicKey:
    """The key of a certificate, on nobody's word. Raises :class:`Malformed`, or :class:`Unsupported` for a kind of key
    that signs no JWS."""
    try:
        key = certificate.public_key()
    except _UNREADABLE:
        raise Malformed("x5c/0", "a public key that cannot be read", code="BAD_CERTIFICATE") from None
    if isinstance(key, ed25519.Ed25519PublicKey):
        return PublicKey(ED25519, key.public_bytes_raw())
    if isinstance(key, ec.EllipticCurvePublicKey):
        for kind, curve in ((P256, ec.SECP256R1), (P384, ec.SECP384R1)):
            if isinstance(key.curve, curve):
                return PublicKey(kind, key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint))
    raise Unsupported("key of a certificate", type(key).__name__, code="UNSUPPORTED_KEY")


def _refused(why: str) -> Rejected:
    return Rejected((Finding("CHAIN_INVALID", why, "/x5c"),))
