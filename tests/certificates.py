"""Certificates for tests: chains that are right, and each way of being wrong."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@dataclass(frozen=True)
class Party:
    """A certificate and the key that belongs to it."""

    certificate: x509.Certificate
    key: Any

    @property
    def x5c(self) -> str:
        return b64encode(self.certificate.public_bytes(Encoding.DER)).decode()


def secret(number: int, curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(number, curve or ec.SECP256R1())


def names(*values: str) -> x509.SubjectAlternativeName:
    """URIs, and DNS names where there is no colon."""
    return x509.SubjectAlternativeName(
        [x509.UniformResourceIdentifier(value) if ":" in value else x509.DNSName(value) for value in values]
    )


def usage(*, certificates: bool = False, signatures: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signatures,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=not certificates and not signatures,
        key_cert_sign=certificates,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def certify(
    name: str,
    key: Any,
    by: Party | None = None,
    *,
    authority: bool = False,
    below: int | None = None,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    days: tuple[int, int] = (-1, 30),
) -> Party:
    """A certificate for ``key``, by another party or by itself; ``below`` bounds the authorities under it."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(1000)
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
    )
    if authority:
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=below), critical=True)
    for extension, critical in extensions:
        made = made.add_extension(extension, critical)
    return Party(made.sign((by.key if by else key), hashes.SHA256()), key)
