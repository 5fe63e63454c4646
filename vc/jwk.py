"""Public keys as JSON Web Keys (RFC 7517, RFC 7518 §6.2, RFC 8037 §2): Ed25519, X25519, P-256, P-384, P-521.

Strict: one value has one spelling, a point is on its curve, and a key that carries a secret is refused.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from vc import ecdsa
from vc.canon import Json
from vc.errors import Malformed, Unsupported
from vc.keys import ED25519, P256, P384, P521, X25519, KeyKind, PublicKey
from vc.multibase import decode_base64url, encode_base64url

SECRET_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})  # RFC 7518 §6

_CURVES: Final[Mapping[str, tuple[KeyKind, ecdsa.Curve]]] = MappingProxyType(
    {"P-256": (P256, ecdsa.P256), "P-384": (P384, ecdsa.P384), "P-521": (P521, ecdsa.P521)}
)
_OCTETS: Final[Mapping[str, KeyKind]] = MappingProxyType({"Ed25519": ED25519, "X25519": X25519})


def parse_jwk(value: Json, *, where: str = "publicKeyJwk") -> PublicKey:
    """The public key of a JSON Web Key (RFC 7517 §4); members that say nothing of the key are ignored.

    Raises :class:`Malformed` for what is not one or carries a secret, :class:`Unsupported` for another kind of key.
    """
    if not isinstance(value, dict):
        raise Malformed(where, "not a JSON Web Key", code="BAD_KEY")
    if not SECRET_MEMBERS.isdisjoint(value):
        raise Malformed(where, "carries a secret key, which must never be published", code="BAD_KEY")
    match value:
        case {"kty": "EC", "crv": str(name)} if name in _CURVES:
            length = _CURVES[name][1].length
            return _point(name, _octets(value, "x", length, where), _octets(value, "y", length, where))
        case {"kty": "OKP", "crv": str(name)} if name in _OCTETS:
            return PublicKey(_OCTETS[name], _octets(value, "x", _OCTETS[name].length, where))
        case {"kty": str(name)}:
            raise Unsupported("key", f"{name} {value.get('crv', '')}".strip(), code="UNSUPPORTED_KEY")
    raise Malformed(f"{where}/kty", "missing, or not a text", code="BAD_KEY")


def public_jwk(key: PublicKey) -> dict[str, Json]:
    """The JSON Web Key of a public key: the members that RFC 7638 §3.2 names, in its order, and no others.

    Raises :class:`Unsupported` for a kind of key that JWK has no name for here.
    """
    for name, kind in _OCTETS.items():
        if key.kind == kind:
            return {"crv": name, "kty": "OKP", "x": encode_base64url(key.raw)}
    for name, (kind, curve) in _CURVES.items():
        if key.kind == kind:
            y = ecdsa.load_public(curve, key.raw).public_numbers().y.to_bytes(curve.length, "big")
            return {"crv": name, "kty": "EC", "x": encode_base64url(key.raw[1:]), "y": encode_base64url(y)}
    raise Unsupported("key", key.kind.name, code="UNSUPPORTED_KEY")


@lru_cache(maxsize=4096)  # an issuer's key is read once for each of its credentials
def _point(name: str, x: bytes, y: bytes) -> PublicKey:
    kind, curve = _CURVES[name]
    # A y off the curve would be read as another one by us and refused by others: one key, two meanings.
    ecdsa.check_point(curve, x, y)
    return PublicKey(kind, bytes([2 + (y[-1] & 1)]) + x)


def _octets(value: Mapping[str, Json], name: str, length: int, where: str) -> bytes:
    text = value.get(name)
    if not isinstance(text, str):
        raise Malformed(f"{where}/{name}", "missing, or not a text", code="BAD_KEY")
    raw = decode_base64url(text, where=f"{where}/{name}")
    if len(raw) != length:
        raise Malformed(f"{where}/{name}", f"has to have {length} bytes, not {len(raw)}", code="BAD_KEY")
    return raw
