"""The wallet's own keys: Ed25519 where that is taken, else P-256; as text for the vault, and by the names that issuers
give them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from vc.canon import Json
from vc.did import did_jwk, did_jwk_method, did_key, resolve_method
from vc.errors import Malformed
from vc.keys import ED25519, P256, EcdsaKey, Ed25519Key, KeyKind, P256Key, Signer

HolderKey = Ed25519Key | P256Key

KINDS: Final = (ED25519, P256)  # that copies are bound to, the first wherever there is a choice

_JWK: Final = "did:jwk:"
_P256: Final = "did:key:zDn"


def new_key(kind: KeyKind, rand: Callable[[int], bytes]) -> HolderKey:
    """A key of one of KINDS; it signs as its own did:key."""
    return P256Key.generate(rand) if kind == P256 else Ed25519Key.from_seed(rand(32))


def key_body(key: HolderKey) -> dict[str, Json]:
    """What the vault keeps of a key. It is a secret."""
    return {"seed": key.seed.hex()} if isinstance(key, Ed25519Key) else {"P-256": key.secret.hex()}


def read_key_body(body: Json) -> HolderKey:
    """What :func:`key_body` made. Raises :class:`Malformed`."""
    match body:
        case {"seed": str(seed)}:
            return Ed25519Key.from_seed(bytes.fromhex(seed))
        case {"P-256": str(secret)}:
            return P256Key.from_secret(bytes.fromhex(secret))
    raise Malformed("the vault", "holds a key that this version does not know", code="VAULT_DAMAGED")


def write_key(key: Signer | None) -> str:
    """A key of DPoP as text. It is a secret."""
    match key:
        case None:
            return ""
        case Ed25519Key():
            return f"Ed25519 {key.seed.hex()}"
        case EcdsaKey():
            return f"P-256 {key.secret.hex()}"
    raise TypeError(type(key).__name__)


def read_key(text: str) -> Signer | None:
    """What :func:`write_key` wrote."""
    kind, _, secret = text.partition(" ")
    if not kind:
        return None
    return (Ed25519Key.from_seed if kind == "Ed25519" else P256Key.from_secret)(bytes.fromhex(secret))


def kind_of(holder: str) -> KeyKind:
    """The kind of one of the wallet's keys, by its did:key (did-method-key#signature-method-creation-algorithm): it is
    asked of every copy, so nothing is decoded for it."""
    return P256 if holder.startswith(_P256) else ED25519


def one_name(did: str) -> str:
    """The did:key of a did:jwk: a key is one key, whichever name an issuer has bound a copy to. Others stay, and so
    does another spelling of a did:jwk than ours, which no key here could sign by.

    Raises :class:`Malformed`, :class:`Unsupported` or :class:`Rejected` for a did:jwk that is none.
    """
    if not did.startswith(_JWK):
        return did
    public = resolve_method(f"{did}#0").public
    return did_key(public) if did == did_jwk(public) else did


def by_did_jwk(key: HolderKey) -> HolderKey:
    """``key``, to sign by its did:jwk."""
    return replace(key, verification_method=did_jwk_method(key.public))


def named_as(key: HolderKey, did: Json) -> HolderKey:
    """``key``, to sign by the name that a credential has for it."""
    return by_did_jwk(key) if did == did_jwk(key.public) else key
