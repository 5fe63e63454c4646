"""Certificates for the keys of tokens: the request that an authority certifies, and the chain that it gives back.

A request is signed by whatever holds the key, in memory or elsewhere; so its bytes are put together here, from one
that the ``cryptography`` package makes of a key of the same kind (RFC 2986 §4).
"""

import binascii
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from vc.errors import Finding, Malformed, Rejected
from vc.keys import ED25519, P256, P384, KeyKind, PublicKey, Signer
from vc.x5c import MAX_CHAIN, parse_certificate, verify_chain

MAX_PEM: Final = 1 << 16
TRYING: Final = timedelta(days=365)
LABEL: Final = "-----BEGIN CERTIFICATE-----"

# AlgorithmIdentifier in DER: ecdsa-with-SHA256 and SHA384 (RFC 5758 §3.2), id-Ed25519 (RFC 8410 §3)
_ALGORITHMS: Final[Mapping[KeyKind, bytes]] = MappingProxyType(
    {
        P256: bytes.fromhex("300a06082a8648ce3d040302"),
        P384: bytes.fromhex("300a06082a8648ce3d040303"),
        ED25519: bytes.fromhex("300506032b6570"),
    }
)


def csr(key: Signer, *, name: str, uris: Sequence[str], hosts: Sequence[str]) -> str:
    """A certificate request (RFC 2986) in PEM for a key, with the names that a certificate is to state."""
    public, kind = _library_key(key.public), key.public.kind
    stand_in, digest = _stand_in(kind)
    alternatives = [*(x509.UniformResourceIdentifier(uri) for uri in uris), *(x509.DNSName(host) for host in hosts)]
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    )
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    model = builder.sign(stand_in, digest).tbs_certrequest_bytes
    # Keys of one kind are equally long, and so is everything around them.
    stated = model.replace(_spki(stand_in.public_key()), _spki(public))
    signature = key.sign(stated)
    if kind != ED25519:
        half = len(signature) // 2
        signature = encode_dss_signature(
            int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
        )
    raw = _der(0x30, stated + _ALGORITHMS[kind] + _der(0x03, b"\0" + signature))
    request = x509.load_der_x509_csr(raw)
    assert request.is_signature_valid
    return request.public_bytes(Encoding.PEM).decode("ascii")


def parse_chain(raw: bytes, public: PublicKey, *, at: datetime, where: str) -> tuple[str, ...]:
    """The ``x5c`` of a chain in PEM for a key: its own certificate first, each certified by the next, all in force.

    Raises :class:`Malformed` for what is none, :class:`Rejected` for one that does not fit the key or the moment.
    """
    certificates = _certificates(raw, where)
    if _spki(certificates[0].public_key()) != _spki(_library_key(public)):
        raise _refused("the first certificate is not for the key that signs now; `keys csr` writes a request for one")
    for certificate in certificates:
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            raise _refused(
                f"a certificate is in force from {certificate.not_valid_before_utc:%Y-%m-%d} to "
                f"{certificate.not_valid_after_utc:%Y-%m-%d} only"
            )
    if certificates[0].subject == certificates[0].issuer:
        raise _refused("the key has certified itself; verifiers ask for the word of somebody else")
    if len(certificates) > 1:
        verify_chain(certificates[:-1], certificates[-1:], at=at)  # as a verifier does that trusts the last of them
    if len(certificates) > 1 and certificates[-1].subject == certificates[-1].issuer:
        certificates.pop()  # who trusts the root has it already (RFC 5246 §7.4.2; HAIP asks to leave it out)
    return tuple(b64encode(certificate.public_bytes(Encoding.DER)).decode("ascii") for certificate in certificates)


def certify_oneself(public: PublicKey, *, hosts: Sequence[str], at: datetime) -> tuple[tuple[str, ...], str]:
    """A certificate for a key and some hosts, by an authority made on the spot: its ``x5c``, and the authority in PEM.

    To try things out. The authority's key is forgotten at once, so that it certifies nobody else. Raises
    :class:`Malformed` for what is no host.
    """
    authority, digest = _stand_in(P256)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ouvrage, to try it out")])
    root = (
        _certificate(name, name, authority.public_key(), at)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .sign(authority, digest)
    )
    try:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64])])
    except ValueError:
        raise Malformed("--host", "not the name of a host", code="BAD_CERTIFICATE") from None
    own = (
        _certificate(subject, name, _library_key(public), at)
        .add_extension(alternatives, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certificates=False), critical=True)
        .sign(authority, digest)
    )
    x5c = (b64encode(own.public_bytes(Encoding.DER)).decode("ascii"),)
    return x5c, root.public_bytes(Encoding.PEM).decode("ascii")


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey, at: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + TRYING)
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _certificates(raw: bytes, where: str) -> list[x509.Certificate]:
    blocks = raw.decode("ascii", errors="replace").split(LABEL)[1:]
    if not 0 < len(blocks) <= MAX_CHAIN:
        raise Malformed(where, f"not a file of 1 to {MAX_CHAIN} certificates in PEM", code="BAD_CERTIFICATE")
    found = []
    for block in blocks:
        try:
            der = binascii.a2b_base64("".join(block.partition("-----END")[0].split()), strict_mode=True)
        except ValueError:
            raise Malformed(where, "a certificate that is not base64", code="BAD_CERTIFICATE") from None
        found.append(parse_certificate(der, where=where))
    return found


def _library_key(public: PublicKey) -> ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey:
    if public.kind == ED25519:
        return ed25519.Ed25519PublicKey.from_public_bytes(public.raw)
    curve = ec.SECP256R1() if public.kind == P256 else ec.SECP384R1()
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, public.raw)


def _stand_in(
    kind: KeyKind,
) -> tuple[ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, hashes.SHA256 | hashes.SHA384 | None]:
    if kind == ED25519:
        return ed25519.Ed25519PrivateKey.generate(), None
    if kind == P256:
        return ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()
    return ec.generate_private_key(ec.SECP384R1()), hashes.SHA384()


def _spki(public: object) -> bytes:
    """SubjectPublicKeyInfo in DER."""
    return bytes(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))  # type: ignore[attr-defined]


def _der(tag: int, content: bytes) -> bytes:
    """X.690 §8.1.3: a tag, a length, a content."""
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def _refused(why: str) -> Rejected:
    return Rejected((Finding("CHAIN_INVALID", why, "--chain"),))
