"""How an issuer wants to see the keys that copies are bound to (OpenID4VCI §12.2.4, appendix F): which kind of key, by
which name, signed by which algorithm."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self

from vc.canon import Json
from vc.errors import Unsupported
from vc.jwk import public_jwk
from vc.keyproof import JWT, make_jwt_proof
from vc.keys import KeyKind
from vc.model import Object
from vc.oid4vp import SD_JWT_VC
from wallet.formats import KEY_BINDING
from wallet.keys import KINDS, HolderKey, by_did_jwk

# Why a configuration is not for this wallet: codes of errors, and names of words in platforms.toml.
NO_KIND: Final = "KEY_NOT_TAKEN"
NO_PROOF: Final = "UNSUPPORTED_PROOF"
NO_NAME: Final = "UNSUPPORTED_BINDING"
NO_ATTESTATION: Final = "KEY_ATTESTATION_NEEDED"


class Named(StrEnum):
    """How a proof names its key."""

    DID_KEY = "did:key"
    DID_JWK = "did:jwk"
    JWK = "jwk"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an issuer takes for one configuration: for each kind of key, the name of its algorithm; the best first."""

    algorithms: Mapping[KeyKind, str]
    named: Named

    @classmethod
    def parse(cls, described: Object) -> Self:
        """What one of ``credential_configurations_supported`` asks for.

        Raises :class:`Unsupported` for proofs that this wallet cannot make.
        """
        taken = described.get("proof_types_supported")
        listed = _listed_algorithms(taken.get(JWT)) if isinstance(taken, dict) else None
        algorithms = {
            kind: name
            for kind in KINDS
            for name in reversed(KEY_BINDING[kind])
            if not isinstance(listed, list) or name in listed
        }
        if not algorithms:
            what = f"it takes keys for {_words(listed)} only, and this wallet has some for Ed25519 and ES256"
            raise Unsupported("issuer", what, code=NO_KIND)
        return cls(MappingProxyType(algorithms), _name(described))

    @property
    def kind(self) -> KeyKind:
        """The kind of key that it is given."""
        return next(iter(self.algorithms))

    def proof(self, key: HolderKey, *, audience: str, nonce: str | None, at: datetime) -> str:
        """The proof of a key that it takes."""
        header: Object = {"jwk": public_jwk(key.public)} if self.named is Named.JWK else {}
        named = by_did_jwk(key) if self.named is Named.DID_JWK else key
        algorithm = self.algorithms[key.public.kind]
        return make_jwt_proof(named, audience=audience, nonce=nonce, at=at, header=header, algorithm=algorithm)


def all_wanted(described: Mapping[str, Object]) -> Mapping[str, Wanted]:
    """What an issuer takes for each of these configurations: keys of one kind for all of them where that is possible,
    so that credentials that are shown together prove one holder.

    Raises :class:`Unsupported` as :meth:`Wanted.parse`.
    """
    each = {name: Wanted.parse(one) for name, one in described.items()}
    for kind in KINDS:
        if all(kind in one.algorithms for one in each.values()):
            return {
                name: replace(one, algorithms=MappingProxyType({kind: one.algorithms[kind]}))
                for name, one in each.items()
            }
    return each


def keys_for(wanted: Mapping[str, Wanted], make: Callable[[KeyKind], Sequence[HolderKey]]) -> tuple[HolderKey, ...]:
    """Keys of every kind that is wanted: the i-th of a kind is for the i-th copy of all that take it."""
    kinds = [kind for kind in KINDS if any(one.kind == kind for one in wanted.values())]
    return tuple(key for kind in kinds for key in make(kind))


def _name(described: Object) -> Named:
    """An SD-JWT VC is bound to a bare key (``cnf.jwk``) where that can be chosen; else a did:key is known to most."""
    methods = described.get("cryptographic_binding_methods_supported")
    if not isinstance(methods, list):
        return Named.DID_KEY
    names = [Named.DID_KEY, Named.JWK, Named.DID_JWK]
    if described.get("format") == SD_JWT_VC:
        names = [Named.JWK, Named.DID_KEY, Named.DID_JWK]
    for name in names:
        if name in methods or ("did" in methods and name is Named.DID_KEY):
            return name
    what = f"it binds credentials to {_words(methods)} only, and this wallet to a did:key, a did:jwk or a jwk"
    raise Unsupported("issuer", what, code=NO_NAME)


def _listed_algorithms(jwt: Json) -> Json:
    """``proof_signing_alg_values_supported`` of the one type of proof that this wallet makes."""
    if not isinstance(jwt, dict):
        what = "it takes proofs of keys only in a form that this wallet does not make"
        raise Unsupported("issuer", what, code=NO_PROOF)
    if "key_attestations_required" in jwt:
        what = (
            "it takes only keys that a maker of wallets vouches for (key attestation), and nobody does for this one's"
        )
        raise Unsupported("issuer", what, code=NO_ATTESTATION)
    return jwt.get("proof_signing_alg_values_supported")


def _words(values: Json) -> str:
    return ", ".join(str(one)[:40] for one in values[:6]) if isinstance(values, list) else ""
