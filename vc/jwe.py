"""Encrypted requests and responses (OID4VCI §10, RFC 7516, RFC 7518 §4.6, RFC 8037 §3.2): ECDH-ES with AES-GCM.

Around ``joserfc`` stand allow-lists, bounds and strict JSON; what it raises is translated here. Its ephemeral keys and
initialization vectors come from the operating system: whoever chose them could read the message.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from vc.canon import Json, Limits, parse_object, to_json
from vc.deflate import inflate
from vc.dpop import jwk_thumbprint
from vc.errors import Finding, Malformed, Rejected, Unsupported
from vc.jwk import parse_jwk, public_jwk
from vc.keys import P256, X25519, KeyKind, P256Key, PublicKey
from vc.model import Object
from vc.multibase import decode_base64url, encode_base64url

ALGORITHMS: Final = ("ECDH-ES",)
ENCRYPTIONS: Final = ("A128GCM", "A256GCM")
COMPRESSIONS: Final = ("DEF",)
MAX_JWE: Final = 1 << 21  # characters: a request of 256 proofs, or a response of as many credentials
MAX_KID: Final = 256

_HEADER: Final = Limits(size=2048, depth=4)
_KINDS: Final[Mapping[KeyKind, type[ECKey] | type[OKPKey]]] = MappingProxyType({P256: ECKey, X25519: OKPKey})
_KNOWN: Final = frozenset({"alg", "enc", "zip", "kid", "epk", "apu", "apv", "typ", "cty"})
# What the library raises for junk beside its own errors: of base64, of JSON, of points that are on no curve.
_FOREIGN: Final = (JoseError, ValueError, TypeError, KeyError, AttributeError, AssertionError, OverflowError, Warning)


@dataclass(frozen=True, slots=True)
class DecryptionKey:
    """A key that messages are encrypted to: on P-256, or X25519."""

    kid: str
    public: PublicKey
    _key: Any = field(repr=False, compare=False)

    @classmethod
    def from_secret(cls, secret: bytes, *, kind: KeyKind = P256, kid: str | None = None) -> Self:
        """The key of 32 secret bytes; its ``kid`` is its thumbprint unless told otherwise.

        Raises :class:`Malformed`, or :class:`Unsupported` for another kind.
        """
        if kind not in _KINDS:
            raise Unsupported("key", kind.name, code="UNSUPPORTED_KEY")
        if len(secret) != 32:
            raise Malformed("secret key", "has 32 bytes", code="BAD_KEY")
        if kind == X25519:
            public = PublicKey(X25519, X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw())
        else:
            public = P256Key.from_secret(secret).public
        jwk = public_jwk(public)
        return cls(kid or jwk_thumbprint(jwk), public, _imported(kind, {**jwk, "d": encode_base64url(secret)}))

    @classmethod
    def generate(cls, rand: Callable[[int], bytes], *, kid: str | None = None) -> Self:
        """A new P-256 key."""
        return cls.from_secret(P256Key.generate(rand).secret, kid=kid)

    @property
    def jwk(self) -> dict[str, Json]:
        """The public key to publish or to send (OID4VCI §8.2, §12.2.4)."""
        return {**public_jwk(self.public), "kid": self.kid, "use": "enc", "alg": ALGORITHMS[0]}


def check_recipient(jwk: Object, *, enc: str, zip_: str | None = None) -> PublicKey:
    """The key that a message is to be encrypted to (OID4VCI §8.2, §10).

    Raises :class:`Malformed`, or :class:`Unsupported` for what is not in the lists of this module.
    """
    _allowed("encryption algorithm", jwk.get("alg"), ALGORITHMS)
    _allowed("content encryption", enc, ENCRYPTIONS)
    if zip_ is not None:
        _allowed("compression", zip_, COMPRESSIONS)
    if jwk.get("use", "enc") != "enc":
        raise Malformed("jwk/use", "not a key for encryption", code="BAD_KEY")
    kid = jwk.get("kid", "")
    if not isinstance(kid, str) or len(kid) > MAX_KID:
        raise Malformed("jwk/kid", f"not a text of at most {MAX_KID} characters", code="BAD_KEY")
    public = parse_jwk(dict(jwk), where="jwk")
    if public.kind not in _KINDS:
        raise Unsupported("key for encryption", public.kind.name, code="UNSUPPORTED_KEY")
    return public


def encrypt_jwt(payload: bytes | Object, *, jwk: Object, enc: str, zip_: str | None = None) -> str:
    """A compact JWE over ``payload``, JSON or its text, for the holder of ``jwk`` (OID4VCI §10).

    Raises as :func:`check_recipient`.
    """
    public = check_recipient(jwk, enc=enc, zip_=zip_)
    header: dict[str, Any] = {"alg": ALGORITHMS[0], "enc": enc}
    header |= {"kid": jwk["kid"]} if "kid" in jwk else {}
    header |= {"zip": zip_} if zip_ else {}
    plaintext = payload if isinstance(payload, bytes) else to_json(dict(payload))
    try:
        key = _imported(public.kind, public_jwk(public))
        return jwe.encrypt_compact(header, plaintext, key, registry=_Registry(len(plaintext)))
    except _FOREIGN:
        raise Malformed("jwk", "nothing can be encrypted to this key", code="BAD_KEY") from None


def decrypt_jwt(text: str, *, keys: Sequence[DecryptionKey], limit: int = MAX_JWE) -> bytes:
    """What a compact JWE holds, of at most ``limit`` characters before and as many bytes after decompression.

    Raises :class:`Malformed`, :class:`Unsupported` for what is not in the lists of this module, and :class:`Rejected`
    for a message that was not made for one of ``keys``, or was changed.
    """
    if len(text) > limit:
        raise Malformed("JWE", f"larger than {limit} characters", code="TOO_LARGE")
    parts = text.split(".")
    if len(parts) != 5 or parts[1]:
        raise Malformed("JWE", "not five parts with dots between them, the second empty", code="BAD_JWE")
    header = parse_object(decode_base64url(parts[0], where="JWE header"), where="JWE header", limits=_HEADER)
    for part in parts[2:]:
        decode_base64url(part, where="JWE", limit=limit)
    key = _addressed(header, keys)
    try:
        return _plaintext(jwe.decrypt_compact(text, key, registry=_Registry(limit)))
    except _FOREIGN:
        raise _refused("not decrypted: made for another key, or changed") from None


def _addressed(header: Object, keys: Sequence[DecryptionKey]) -> ECKey | OKPKey:
    """The key that a message is for, once its header is known to say nothing that is not allowed here."""
    _allowed("encryption algorithm", header.get("alg"), ALGORITHMS)
    _allowed("content encryption", header.get("enc"), ENCRYPTIONS)
    if "zip" in header:
        _allowed("compression", header["zip"], COMPRESSIONS)
    for name in header.keys() - _KNOWN:
        raise Unsupported("JWE header", name, code="UNSUPPORTED_SUITE")
    ephemeral = parse_jwk(header.get("epk"), where="JWE header/epk")
    kid = header.get("kid")
    for key in keys:
        if key.public.kind == ephemeral.kind and kid in (None, key.kid):
            return key._key  # type: ignore[no-any-return]
    raise _refused("for a key that is not ours: fetch the metadata anew")


class _Registry(jwe.JWERegistry):
    """The algorithms of this module, and decompression that ends at a bound."""

    def __init__(self, limit: int) -> None:
        super().__init__(algorithms=[*ALGORITHMS, *ENCRYPTIONS, *COMPRESSIONS])
        self.max_ciphertext_length = limit
        self.max_protected_header_length = _HEADER.size * 2
        self._limit = limit

    def get_zip(self, name: str) -> Any:
        return _Deflate(super().get_zip(name), self._limit)


@dataclass(frozen=True, slots=True)
class _Deflate:
    model: Any
    limit: int

    def compress(self, data: bytes) -> bytes:
        compressed: bytes = self.model.compress(data)
        return compressed

    def decompress(self, data: bytes) -> bytes:
        return b"".join(inflate(data, form=-15, where="JWE", limit=self.limit))


def _plaintext(opened: jwe.CompactEncryption) -> bytes:
    if opened.plaintext is None:
        raise _refused("not decrypted")
    return opened.plaintext


def _imported(kind: KeyKind, jwk: Mapping[str, Any]) -> ECKey | OKPKey:
    return _KINDS[kind].import_key(dict(jwk))


def _allowed(what: str, name: Json, names: Sequence[str]) -> None:
    if not isinstance(name, str):
        raise Malformed(what, f"missing, or not a text: one of {', '.join(names)}", code="BAD_JWE")
    if name not in names:
        raise Unsupported(what, f"{name}: use {' or '.join(names)}", code="UNSUPPORTED_SUITE")


def _refused(why: str) -> Rejected:
    return Rejected((Finding("NOT_DECRYPTED", why, "JWE"),))
