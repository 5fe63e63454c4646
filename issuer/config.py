"""How the service is run: a TOML file (``--config``), with defaults that make a first run need none."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

from vc.errors import Malformed
from vc.io.files import read_bounded

MAX_CONFIG: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Login:
    """The platform's own OpenID Provider, behind the authorization endpoint."""

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    worker_claim: str = "sub"  # the claim of the ID token that is the platform's id of the worker
    scope: str = "openid"
    private_address: bool = False  # it may be at a private address: it is our own


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where events are sent to."""

    url: str
    secret: str = field(repr=False)
    private_address: bool = False


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of ``ouvrage issuer serve``. Durations are in seconds."""

    base: str = ""  # the Credential Issuer Identifier (OpenID4VCI §12.2.1); without one, where it listens
    development: bool = False
    test_login: bool = False  # only with development
    haip: bool = False  # HAIP 1.0: PAR, DPoP, wallet and key attestations are required
    legacy_single_proof: bool = False  # wallets of OpenID4VCI draft 13 to 15 that send one ``proof``
    login: Login | None = None
    webhook: Webhook | None = None
    offer_lifetime: int = 7 * 86_400
    code_lifetime: int = 60
    access_lifetime: int = 600
    refresh_lifetime: int = 180 * 86_400
    nonce_lifetime: int = 300
    deferral_interval: int = 3600
    claimed_kept: int = 86_400  # how long what a wallet has fetched is kept for a wallet that asks again
    batch_size: int = 50  # copies in one credential request: each costs a signature
    k: int = 20  # workers who make a crowd (docs/lint.md)
    allow_few: tuple[str, ...] = ()  # statement types whose small crowds are answered for
    hold: tuple[str, ...] = ()  # statement types that are issued only after somebody has approved it
    wallet_roots: tuple[str, ...] = ()  # files with the certificates of wallet providers, in PEM
    # what a key attestation has to say, in the words of OpenID4VCI appendix D.2; with some, it is required
    key_storage: tuple[str, ...] = ()
    user_authentication: tuple[str, ...] = ()
    require_encryption: bool = False  # of credential requests and responses
    drain: int = 0  # how long it goes on answering, told to end, while /readyz says no
    # how long what is over is kept (docs/issuer-people.md)
    events_kept: int = 30 * 86_400
    disputes_kept: int = 365 * 86_400  # after their end
    metrics_token: str = field(default="", repr=False)  # lets in to /metrics; without one, nobody

    @property
    def attested_keys(self) -> bool:
        """Whether every key needs a key attestation."""
        return self.haip or bool(self.key_storage or self.user_authentication)

    @classmethod
    def load(cls, path: Path | None, **given: Any) -> Self:
        """The settings of a file, with those that the command line gives over them. Raises :class:`Malformed`."""
        read = _read(path) if path else {}
        merged = {**read, **{name: value for name, value in given.items() if value is not None}}
        config = cls(**_checked(cls, merged, str(path or "settings")))
        if config.test_login and not config.development:
            raise Malformed(
                "--test-login", "anybody could claim to be any worker: it needs --development", code="TEST_LOGIN"
            )
        return config


_PARTS: Final[Mapping[str, Any]] = MappingProxyType({"login": Login, "webhook": Webhook})


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_bounded(path, limit=MAX_CONFIG).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Malformed(str(path), f"not TOML: {error}", code="BAD_CONFIG") from None


def _checked(kind: Any, values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The values of a settings class, each of the type that its default or annotation has."""
    known = {one.name: one for one in fields(kind)}
    checked: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise Malformed(f"{where}: {name}", f"no such setting; there are {', '.join(known)}", code="BAD_CONFIG")
        if name in _PARTS and isinstance(value, Mapping):
            checked[name] = _PARTS[name](**_checked(_PARTS[name], value, f"{where}: {name}"))
            continue
        least = 0 if known[name].default == 0 else 1
        checked[name] = _value(value, known[name].type, f"{where}: {name}", least=least)
    for name, one in known.items():
        if name not in checked and one.default is one.default_factory:  # both are MISSING
            raise Malformed(f"{where}: {name}", "is missing", code="BAD_CONFIG")
    return checked


def _value(value: Any, kind: Any, where: str, *, least: int) -> Any:
    """A value of a setting's type, a number of ``least`` or more. A part that is already made is taken as it is."""
    if kind == tuple[str, ...] and isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return tuple(value)
    if kind in (bool, int, str) and type(value) is kind and (kind is not int or least <= value <= 10**9):
        return value
    if any(isinstance(value, part) for part in _PARTS.values()):
        return value
    raise Malformed(where, f"not a value of this setting ({getattr(kind, '__name__', kind)})", code="BAD_CONFIG")
