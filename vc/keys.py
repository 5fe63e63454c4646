"""Public keys as Multikey (cid#Multikey), and keys that sign: Ed25519, P-256, P-384 and P-521, BLS12-381.

Secret keys never appear in ``repr`` or in a message.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from types import MappingProxyType
from typing import ClassVar, Final, Protocol, Self

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from vc import bbs, ecdsa
from vc.errors import Finding, Malformed, Rejected, Unsupported
from vc.multibase import decode_base58btc, encode_base58btc, read_varint


@dataclass(frozen=True, slots=True)
class KeyKind:
    """A row of the multicodec table: name, prefix (varint bytes) and length of the raw public key in bytes."""

    name: str
    code: int
    prefix: bytes
    length: int

    def __hash__(self) -> int:
        return self.code  # for every key in a table is hashed with its kind


ED25519: Final = KeyKind("Ed25519", 0xED, b"\xed\x01", 32)
BLS12_381_G2: Final = KeyKind("BLS12-381-G2", 0xEB, b"\xeb\x01", 96)
P256: Final = KeyKind("P-256", 0x1200, b"\x80\x24", 33)
P384: Final = KeyKind("P-384", 0x1201, b"\x81\x24", 49)
P521: Final = KeyKind("P-521", 0x1202, b"\x82\x24", 67)
X25519: Final = KeyKind("X25519", 0xEC, b"\xec\x01", 32)
KINDS: Final = {kind.code: kind for kind in (ED25519, BLS12_381_G2, P256, P384, P521, X25519)}
_CURVES: Final = MappingProxyType({P256: ecdsa.P256, P384: ecdsa.P384, P521: ecdsa.P521})


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key: its kind and its raw bytes (compressed points for the elliptic curves)."""

    kind: KeyKind
    raw: bytes

    @property
    def multikey(self) -> str:
        """``publicKeyMultibase``: base58btc over the multicodec prefix and the raw key (cid#Multikey)."""
        return encode_base58btc(self.kind.prefix + self.raw)


@lru_cache(maxsize=4096)  # an issuer's key is read once for each of its credentials
def parse_multikey(text: str) -> PublicKey:
    """The public key of a ``publicKeyMultibase`` value (cid#Multikey).

    Raises :class:`Malformed` for what is not one, :class:`Unsupported` for a kind of key that we do not know.
    """
    code, raw = read_varint(decode_base58btc(text, where="publicKeyMultibase"), where="publicKeyMultibase")
    kind = KINDS.get(code)
    if kind is None:
        raise Unsupported("key", codec_name(code), code="UNSUPPORTED_KEY")
    if len(raw) != kind.length:
        raise Malformed(
            "publicKeyMultibase", f"a {kind.name} key has {kind.length} bytes, not {len(raw)}", code="BAD_KEY"
        )
    if kind in _CURVES:
        ecdsa.load_public(_CURVES[kind], raw)  # half of all texts of this length name no point of the curve
    return PublicKey(kind, raw)


def codec_name(code: int) -> str:
    """The name of a multicodec, for messages about keys that we cannot use."""
    from multiformats import multicodec  # noqa: PLC0415  (its table takes 0.1 s to load; only this message needs it)

    try:
        return str(multicodec.get(code=code).name)
    except KeyError:
        return f"multicodec 0x{code:x}"


class Signer(Protocol):
    """What signs bytes: a key in memory here, a hardware module elsewhere."""

    @property
    def public(self) -> PublicKey: ...

    @property
    def verification_method(self) -> str: ...

    def sign(self, data: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Ed25519Key:
    """An Ed25519 key pair (RFC 8032) that signs as ``verification_method``."""

    verification_method: str
    public: PublicKey
    _key: SigningKey = field(repr=False)

    @classmethod
    def from_seed(cls, seed: bytes, verification_method: str | None = None) -> "Ed25519Key":
        """The key pair of a 32-byte ``seed``; it signs as its own did:key unless told otherwise."""
        if len(seed) != 32:
            raise Malformed("secret key", "an Ed25519 seed has 32 bytes", code="BAD_KEY")
        key = SigningKey(seed)
        public = PublicKey(ED25519, bytes(key.verify_key))
        method = verification_method or f"did:key:{public.multikey}#{public.multikey}"
        return cls(method, public, key)

    @property
    def did(self) -> str:
        """The DID of the verification method."""
        return self.verification_method.partition("#")[0]

    @property
    def seed(self) -> bytes:
        """The secret: for a key store, never for a message."""
        return bytes(self._key)

    def sign(self, data: bytes) -> bytes:
        """The 64-byte signature over ``data``."""
        return self._key.sign(data).signature


@lru_cache(maxsize=4096)
def _verify_key(raw: bytes) -> VerifyKey:
    return VerifyKey(raw)


def verify_ed25519(public: PublicKey, data: bytes, signature: bytes) -> None:
    """Raise :class:`Rejected` unless ``signature`` is the key's over ``data`` (RFC 8032 §5.1.7, libsodium's checks)."""
    if public.kind != ED25519:  # an X25519 key is as long and says something else
        raise Unsupported("key", public.kind.name, code="UNSUPPORTED_KEY")
    if len(signature) != 64:
        raise Malformed("/proof/proofValue", "an Ed25519 signature has 64 bytes", code="BAD_SIGNATURE")
    try:
        _verify_key(public.raw).verify(data, signature)
    except BadSignatureError:
        raise Rejected((Finding("PROOF_INVALID", "the signature does not match what was signed", "/proof"),)) from None


@dataclass(frozen=True, slots=True)
class EcdsaKey:
    """An ECDSA key pair (FIPS 186-5) that signs as ``verification_method``: :class:`P256Key` and the like."""

    kind: ClassVar[KeyKind]

    verification_method: str
    public: PublicKey
    _key: ecdsa.Secret = field(repr=False, compare=False)

    @classmethod
    def from_secret(cls, secret: bytes, verification_method: str | None = None) -> Self:
        """The key pair of a big-endian ``secret``; it signs as its own did:key unless told otherwise."""
        key = ecdsa.load_secret(_CURVES[cls.kind], secret)
        public = PublicKey(cls.kind, ecdsa.public_point(key))
        return cls(verification_method or f"did:key:{public.multikey}#{public.multikey}", public, key)

    @classmethod
    def generate(cls, rand: Callable[[int], bytes], verification_method: str | None = None) -> Self:
        """A new key pair (FIPS 186-5 A.2.1)."""
        curve = _CURVES[cls.kind]
        return cls.from_secret(ecdsa.key_gen(curve, rand(ecdsa.material_length(curve))), verification_method)

    @property
    def did(self) -> str:
        """The DID of the verification method."""
        return self.verification_method.partition("#")[0]

    @property
    def secret(self) -> bytes:
        """The secret: for a key store, never for a message."""
        return ecdsa.secret_bytes(_CURVES[self.kind], self._key)

    def sign(self, data: bytes) -> bytes:
        """The signature over ``data``: r and s side by side: 64 bytes for P-256, 96 for P-384, 132 for P-521."""
        return ecdsa.sign(_CURVES[self.kind], self._key, data)

    def __reduce__(self) -> tuple[Callable[..., Self], tuple[bytes, str]]:
        """Keys cross process pools; the library's own objects do not."""
        return type(self).from_secret, (self.secret, self.verification_method)


class P256Key(EcdsaKey):
    """ES256: P-256 with SHA-256."""

    __slots__ = ()
    kind = P256


class P384Key(EcdsaKey):
    """ES384: P-384 with SHA-384."""

    __slots__ = ()
    kind = P384


class P521Key(EcdsaKey):
    """ES512: P-521 with SHA-512, for JOSE and COSE; no cryptosuite of Data Integrity has it."""

    __slots__ = ()
    kind = P521


@lru_cache(maxsize=4096)
def ecdsa_verifier(public: PublicKey) -> Callable[[bytes, bytes], None]:
    """:func:`verify_ecdsa` of one key, for many signatures: the point is read once."""
    curve = _CURVES.get(public.kind)
    if curve is None:
        raise Unsupported("key", public.kind.name, code="UNSUPPORTED_KEY")
    return partial(ecdsa.verify, curve, ecdsa.load_public(curve, public.raw))


def verify_ecdsa(public: PublicKey, data: bytes, signature: bytes) -> None:
    """Raise :class:`Rejected` unless ``signature``, r and s side by side, is the key's over ``data`` (FIPS 186-5).

    P-256 goes with SHA-256, P-384 with SHA-384, P-521 with SHA-512. High and low s are accepted alike, as
    FIPS 186-5 has it.
    """
    ecdsa_verifier(public)(data, signature)


_VERIFY: Final[Mapping[KeyKind, Callable[[PublicKey, bytes, bytes], None]]] = MappingProxyType(
    {ED25519: verify_ed25519, P256: verify_ecdsa, P384: verify_ecdsa, P521: verify_ecdsa}
)


def verify_signature(public: PublicKey, data: bytes, signature: bytes) -> None:
    """Raise :class:`Rejected` unless ``signature`` is the key's over ``data``, in the one way that its kind signs.

    Raises :class:`Unsupported` for a kind that signs no bytes, :class:`Malformed` for a signature of another length.
    """
    verify = _VERIFY.get(public.kind)
    if verify is None:
        raise Unsupported("key", public.kind.name, code="UNSUPPORTED_KEY")
    verify(public, data, signature)


@dataclass(frozen=True, slots=True)
class Bls12381Key:
    """A BLS12-381 key pair for BBS signatures that signs as ``verification_method``."""

    verification_method: str
    public: PublicKey
    secret: bytes = field(repr=False)

    @classmethod
    def from_secret(cls, secret: bytes, verification_method: str | None = None) -> "Bls12381Key":
        """The key pair of a 32-byte big-endian ``secret``; it signs as its own did:key unless told otherwise."""
        public = PublicKey(BLS12_381_G2, bbs.sk_to_pk(secret))
        return cls(verification_method or f"did:key:{public.multikey}#{public.multikey}", public, secret)

    @property
    def did(self) -> str:
        """The DID of the verification method."""
        return self.verification_method.partition("#")[0]

    def sign_messages(self, header: bytes, messages: Sequence[bytes]) -> bytes:
        """The 80-byte BBS signature over ``header`` and ``messages``."""
        return bbs.sign(self.secret, self.public.raw, header, messages)
