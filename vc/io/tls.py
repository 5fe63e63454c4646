"""Certificates of servers: one from files, or one made on the spot, for trying out HTTPS, that nobody vouches for."""

import ipaddress
import ssl
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from vc.errors import Malformed

LIFETIME: Final = timedelta(days=30)
_SKEW: Final = timedelta(days=1)


def given_certificate(cert: Path | None, key: Path | None) -> ssl.SSLContext:
    """A server's TLS context with a certificate and its key, both in PEM. Raises :class:`Malformed`."""
    if cert is None or key is None:
        raise Malformed("--cert, --key", "give both", code="USAGE")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError):
        raise Malformed(f"{cert}, {key}", "not a certificate and its key, in PEM", code="BAD_CERTIFICATE") from None
    return context


def self_signed(host: str, *, at: datetime) -> ssl.SSLContext:
    """A server's TLS context with a new key and a certificate for ``host`` and for this machine, from ``at`` on."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key, host, at)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:  # mode 0600, and gone when the context has read it
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        file.write(certificate.public_bytes(serialization.Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _certificate(key: ec.EllipticCurvePrivateKey, host: str, at: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ouvrage")])
    hosts = dict.fromkeys((host, "localhost", "127.0.0.1", "::1"))
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _SKEW)
        .not_valid_after(at + LIFETIME)
        .add_extension(x509.SubjectAlternativeName([_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
