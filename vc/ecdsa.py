"""ECDSA on P-256, P-384 and P-521 with SHA-256, SHA-384 and SHA-512 (FIPS 186-5), by the ``cryptography`` package.

Bytes in, bytes out. A signature is r and s side by side (RFC 4754 §7, IEEE P1363). Nonces are deterministic (RFC 6979),
as vc-di-ecdsa asks: a bad source of randomness cannot give a key away.

Of the two values of s that fit a signature, both are accepted: FIPS 186-5 and vc-di-ecdsa know no "low s", and half of
what other libraries sign has the high one. So a signature is no identifier of what it signs, and must not be used as
one.
"""

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from vc.errors import Finding, Malformed, Rejected

Secret = ec.EllipticCurvePrivateKey
Point = ec.EllipticCurvePublicKey


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve and the hash that goes with it. ``length`` is that of a scalar or a coordinate, in bytes."""

    name: str
    length: int
    group: ec.EllipticCurve
    scheme: ec.ECDSA


P256: Final = Curve("P-256", 32, ec.SECP256R1(), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
P384: Final = Curve("P-384", 48, ec.SECP384R1(), ec.ECDSA(hashes.SHA384(), deterministic_signing=True))
P521: Final = Curve("P-521", 66, ec.SECP521R1(), ec.ECDSA(hashes.SHA512(), deterministic_signing=True))


def material_length(curve: Curve) -> int:
    """How many random bytes :func:`key_gen` needs: 64 bits more than the order has, so that none is favoured."""
    return curve.length + 8


def key_gen(curve: Curve, material: bytes) -> bytes:
    """FIPS 186-5 A.2.1: the secret, big-endian, that random bytes make. Raises :class:`Malformed` for too few."""
    if len(material) < material_length(curve):
        raise Malformed("secret key", f"{curve.name} needs {material_length(curve)} random bytes", code="BAD_KEY")
    scalar = int.from_bytes(material, "big") % (curve.group.group_order - 1) + 1
    return scalar.to_bytes(curve.length, "big")


def load_secret(curve: Curve, secret: bytes) -> Secret:
    """The private key of a big-endian ``secret``. Raises :class:`Malformed` for none within the group's order."""
    if len(secret) != curve.length:
        raise Malformed("secret key", f"a {curve.name} secret has {curve.length} bytes", code="BAD_KEY")
    try:
        return ec.derive_private_key(int.from_bytes(secret, "big"), curve.group)
    except ValueError:
        raise Malformed("secret key", f"not a {curve.name} secret", code="BAD_KEY") from None


def load_public(curve: Curve, point: bytes) -> Point:
    """The public key of a compressed ``point`` (SEC 1 §2.3.4). Raises :class:`Malformed` where the curve lacks it."""
    if len(point) != curve.length + 1:  # the library reads uncompressed points too: one key would have two spellings
        raise Malformed("public key", f"a {curve.name} key has {curve.length + 1} bytes", code="BAD_KEY")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve.group, point)
    except ValueError:
        raise Malformed("public key", f"not a point of {curve.name}", code="BAD_KEY") from None


def check_point(curve: Curve, x: bytes, y: bytes) -> None:
    """Raise :class:`Malformed` unless ``(x, y)`` is a point of the curve (SEC 1 §2.3.4): four times as fast as finding
    the y of an x."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(curve.group, b"\x04" + x + y)
    except ValueError:
        raise Malformed("public key", f"not a point of {curve.name}", code="BAD_KEY") from None


def public_point(secret: Secret) -> bytes:
    """The compressed point of a private key (SEC 1 §2.3.3)."""
    return secret.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def secret_bytes(curve: Curve, secret: Secret) -> bytes:
    """The big-endian scalar of a private key: for a key store, never for a message."""
    return secret.private_numbers().private_value.to_bytes(curve.length, "big")


def sign(curve: Curve, secret: Secret, data: bytes) -> bytes:
    """The signature over ``data``: r and s, each as long as the curve's scalars."""
    r, s = decode_dss_signature(secret.sign(data, curve.scheme))
    return r.to_bytes(curve.length, "big") + s.to_bytes(curve.length, "big")


def verify(curve: Curve, public: Point, data: bytes, signature: bytes) -> None:
    """Raise :class:`Rejected` unless ``signature`` is the key's over ``data`` (FIPS 186-5 §6.4.2)."""
    if len(signature) != 2 * curve.length:
        raise Malformed(
            "/proof/proofValue", f"a {curve.name} signature has {2 * curve.length} bytes", code="BAD_SIGNATURE"
        )
    r, s = int.from_bytes(signature[: curve.length], "big"), int.from_bytes(signature[curve.length :], "big")
    try:
        public.verify(encode_dss_signature(r, s), data, curve.scheme)
    except InvalidSignature:
        raise Rejected((Finding("PROOF_INVALID", "the signature does not match what was signed", "/proof"),)) from None
