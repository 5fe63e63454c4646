"""The issuer's keys: what each of them signs, the kinds it may be of, and where it is kept: here, or elsewhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol, TypeAlias

from vc import bbs
from vc.canon import Json
from vc.errors import Malformed, Unsupported
from vc.keys import BLS12_381_G2, ED25519, P256, P384, Bls12381Key, Ed25519Key, KeyKind, P256Key, P384Key, Signer


class Role(StrEnum):
    """What a key signs. What is said about a worker in bbs-2023, ecdsa-sd-2023, or as SD-JWT VC and other tokens; and
    what the platform publishes about itself, with its Bitstring Status Lists."""

    CREDENTIALS = "credentials"
    PUBLIC = "public"
    SD = "sd"
    JWT = "jwt"


# The kinds of key of each role; the first is what a key is made of where nothing else is asked for.
KINDS: Final[Mapping[Role, tuple[KeyKind, ...]]] = MappingProxyType(
    {
        Role.CREDENTIALS: (BLS12_381_G2,),
        Role.PUBLIC: (ED25519,),
        Role.SD: (P256,),
        Role.JWT: (P256, P384, ED25519),
    }
)


class IssuerKey(Signer, Protocol):
    """What signs bytes for the issuer: a key in memory, or one that stays in a token or a key service."""

    @property
    def did(self) -> str: ...


SecretKey: TypeAlias = Bls12381Key | Ed25519Key | P256Key | P384Key
SECRET_KEYS: Final = (Bls12381Key, Ed25519Key, P256Key, P384Key)


@dataclass(frozen=True, slots=True)
class IssuerKeys:
    """The keys that sign at one moment, by role, under the names that they have then. They cross process pools.

    ``x5c`` are the certificates of ``jwt``, if there are any: base64 of DER, signer first. ``name`` and
    ``legal_identifier`` are what the platform says of itself; empty until it has said so.
    """

    credentials: Bls12381Key
    public: IssuerKey
    sd: IssuerKey
    jwt: IssuerKey
    name: str = ""
    legal_identifier: str = ""
    x5c: tuple[str, ...] = ()


def create(rand: Callable[[int], bytes]) -> IssuerKeys:
    """New keys, one for each role."""
    return IssuerKeys(
        Bls12381Key.from_secret(bbs.key_gen(rand(32))),
        Ed25519Key.from_seed(rand(32)),
        P256Key.generate(rand),
        P256Key.generate(rand),
    )


def new_key(role: Role, kind: str | None, rand: Callable[[int], bytes]) -> SecretKey:
    """A new key for a role, of a kind by its name. Raises :class:`Unsupported` for a kind that the role has not."""
    chosen = find_kind(role, kind) if kind else KINDS[role][0]
    if chosen == BLS12_381_G2:
        return Bls12381Key.from_secret(bbs.key_gen(rand(32)))
    if chosen == ED25519:
        return Ed25519Key.from_seed(rand(32))
    return P384Key.generate(rand) if chosen == P384 else P256Key.generate(rand)


def find_kind(role: Role, name: str) -> KeyKind:
    """The kind of key that a role may have, by its name in any case. Raises :class:`Unsupported`."""
    for kind in KINDS[role]:
        if kind.name.lower() == name.lower():
            return kind
    possible = " or ".join(kind.name.lower() for kind in KINDS[role])
    raise Unsupported(f"key for {role} (it takes {possible})", name, code="UNSUPPORTED_KEY")


def to_stored(key: SecretKey) -> dict[str, Json]:
    """The secret of a key, for the sealed key file and for nothing else."""
    secret = key.seed if isinstance(key, Ed25519Key) else key.secret
    return {"kind": key.public.kind.name, "secret": secret.hex()}


def from_stored(kind: str, secret: str, *, where: str) -> SecretKey:
    """The key that :func:`to_stored` wrote. Raises :class:`Malformed`."""
    makers: Mapping[str, Callable[[bytes], SecretKey]] = {
        BLS12_381_G2.name: Bls12381Key.from_secret,
        ED25519.name: Ed25519Key.from_seed,
        P256.name: P256Key.from_secret,
        P384.name: P384Key.from_secret,
    }
    try:
        return makers[kind](bytes.fromhex(secret))
    except (KeyError, ValueError):
        raise Malformed(where, "holds a key that this version cannot read", code="BAD_KEYS") from None
