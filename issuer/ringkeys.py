"""One key of the issuer with its times, and how the key file spells it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Self

from issuer.hsm import TokenKey
from issuer.identities import Method
from issuer.keys import SECRET_KEYS, IssuerKey, Role, from_stored, to_stored
from issuer.kms import KmsKey
from vc.canon import Json
from vc.errors import Malformed
from vc.keys import Bls12381Key, PublicKey, parse_multikey
from vc.model import format_date_time, parse_date_time
from work.months import MAX_VALIDITY

DAY: Final = timedelta(days=1)
SECOND: Final = timedelta(seconds=1)
HERE: Final = "file"  # where a key is kept: in the key file itself

# How a key that is kept elsewhere is found again: by its public key and what the key file says of the place.
Reopen = Callable[[PublicKey, Mapping[str, str]], IssuerKey]
ELSEWHERE: Final[Mapping[str, Reopen]] = MappingProxyType({TokenKey.kept: TokenKey.reopen, KmsKey.kept: KmsKey.reopen})


@dataclass(frozen=True, slots=True)
class RingKey:
    """A key, its role, and its times: it signs from ``signs_from`` until before ``signs_until``, both midnights.

    ``key`` goes by its did:key here. ``killed`` is when it was given up because somebody else may have it.
    """

    id: str  # and its fragment in the platform's DID: sd-2
    role: Role
    key: Bls12381Key | IssuerKey
    signs_from: datetime
    signs_until: datetime | None = None
    killed: datetime | None = None
    x5c: tuple[str, ...] = ()

    @property
    def verifies_until(self) -> datetime | None:
        """The last second at which something that it signed can be valid; None: nobody knows yet."""
        if self.killed is not None:
            return self.killed
        return None if self.signs_until is None else over(self.signs_until)

    @property
    def method(self) -> Method:
        """The key as a DID document lists it."""
        return Method(self.id, self.key.public, self.role is Role.JWT)

    @property
    def kept(self) -> str:
        """Where it is kept: ``file``, ``pkcs11`` or ``kms``."""
        return self.key.kept if isinstance(self.key, TokenKey | KmsKey) else HERE

    def signs(self, at: datetime) -> bool:
        """Whether it may sign at a moment."""
        in_time = self.signs_from <= at and (self.signs_until is None or at < self.signs_until)
        return self.killed is None and in_time

    def state(self, at: datetime) -> str:
        """``signs``, ``announced``, ``retired`` (what it signed counts), ``over`` or ``killed``."""
        if self.killed is not None:
            return "killed"
        if self.signs_from > at:
            return "announced"
        if self.signs(at):
            return "signs"
        return "over" if self.verifies_until is not None and at > self.verifies_until else "retired"

    def to_json(self) -> dict[str, Json]:
        """As the sealed key file has it, secret and all."""
        times = {"signsFrom": self.signs_from, "signsUntil": self.signs_until, "killed": self.killed}
        stated: dict[str, Json] = {name: format_date_time(time) for name, time in times.items() if time is not None}
        return {"id": self.id, "role": self.role.value, **stated, "x5c": list(self.x5c), "key": _key_json(self.key)}

    @classmethod
    def parse(cls, value: Json, where: str) -> Self:
        """What :meth:`to_json` made. Raises :class:`Malformed`."""
        match value:
            case {
                "id": str(name),
                "role": str(role),
                "signsFrom": str(start),
                "x5c": list(x5c),
                "key": dict(key),
                **rest,
            }:
                until, killed = (
                    None if stated is None else parse_date_time(stated, where=where)
                    for stated in (rest.get("signsUntil"), rest.get("killed"))
                )
                return cls(
                    name,
                    Role(role),
                    _key(key, where),
                    parse_date_time(start, where=where),
                    until,
                    killed,
                    tuple(map(str, x5c)),
                )
        raise Malformed(where, "holds a key that this version cannot read", code="BAD_KEYS")


@dataclass(frozen=True, slots=True)
class Name:
    """A name that a key goes by, and the days on which it signs under it."""

    method: str  # a DID URL
    start: datetime
    end: datetime | None  # a midnight: its day is included

    def entry(self) -> dict[str, Json]:
        """As a trust file has it."""
        until: dict[str, Json] = {} if self.end is None else {"validUntil": format_date_time(last_second(self.end))}
        return {"id": self.method, "validFrom": format_date_time(self.start), **until}


def last_second(midnight: datetime) -> datetime:
    """The last second of the day that begins so."""
    return midnight + DAY - SECOND


def over(midnight: datetime) -> datetime:
    """When the last credential is over that can have been signed on the day that begins so, or earlier."""
    return last_second(midnight) + MAX_VALIDITY


def _key_json(key: Bls12381Key | IssuerKey) -> dict[str, Json]:
    if isinstance(key, SECRET_KEYS):
        return to_stored(key)
    assert isinstance(key, TokenKey | KmsKey)
    return {"public": key.public.multikey, "kept": key.kept, "reference": dict(key.reference)}


def _key(value: dict[str, Json], where: str) -> Bls12381Key | IssuerKey:
    match value:
        case {"kind": str(kind), "secret": str(secret)}:
            return from_stored(kind, secret, where=where)
        case {"public": str(public), "kept": str(kept), "reference": dict(reference)} if kept in ELSEWHERE:
            texts = {name: str(text) for name, text in reference.items()}
            return ELSEWHERE[kept](parse_multikey(public), texts)
    raise Malformed(where, "holds a key that this version cannot read", code="BAD_KEYS")
