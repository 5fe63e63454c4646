"""What platforms granted this wallet: the tokens to come back with, and what they are good for. Kept in the vault.

A new refresh token is written here before anything is done with it: whenever the wallet is killed, the newest token
that it heard of is in the vault.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Self

from vc.canon import Json
from vc.errors import Malformed
from vc.keys import Signer
from vc.model import format_date_time, parse_date_time
from wallet.keys import read_key, write_key
from wallet.vault import Item, Vault

GRANT: Final = "grant"
_DAMAGED: Final = "holds a grant that this version does not know"


@dataclass(frozen=True, slots=True)
class Dataset:
    """One credential of a grant, in one format: ``batch`` is what its newest copies are called (same_batch)."""

    configuration: str
    identifier: str | None = None  # of an issuer that tells several apart (OpenID4VCI §6.2)
    batch: str = ""
    notification: str = field(default="", repr=False)
    wanted: bool = True  # False: the worker deleted it, and it is not to come back

    @classmethod
    def parse(cls, value: Json) -> Self:
        """What :meth:`to_json` made."""
        match value:
            case [str(configuration), str() | None as identifier, str(batch), str(notification), bool(wanted)]:
                return cls(configuration, identifier, batch, notification, wanted)
        raise Malformed("the vault", _DAMAGED, code="VAULT_DAMAGED")

    def to_json(self) -> list[Json]:
        """For the vault."""
        return [self.configuration, self.identifier, self.batch, self.notification, self.wanted]

    def is_same(self, other: "Dataset") -> bool:
        """Whether both name one credential of an issuer."""
        return (self.configuration, self.identifier) == (other.configuration, other.identifier)


@dataclass(frozen=True, slots=True)
class Grant:
    """What one issuer granted. ``refresh`` is empty where it cannot be renewed."""

    id: bytes
    issuer: str
    typed: str  # the origin that the worker gave
    server: str
    client: str  # empty where the wallet did not say who it is
    key: Signer | None = field(repr=False)  # of DPoP; None: Bearer tokens
    access: str = field(repr=False)
    until: datetime
    refresh: str = field(repr=False)
    datasets: tuple[Dataset, ...]
    copies: int = 1  # of each credential, as they were asked for
    sent: datetime | None = None  # when the refresh token was sent; an answer to that is not here

    @classmethod
    def parse(cls, item: Item) -> Self:
        """A grant of the vault."""
        match item.body:
            case {
                "issuer": str(issuer),
                "typed": str(typed),
                "server": str(server),
                "client": str(client),
                "key": str(key),
                "access": str(access),
                "until": str(until),
                "refresh": str(refresh),
                "datasets": list(datasets),
                "copies": int(copies),
                "sent": str(sent),
            }:
                return cls(
                    item.id,
                    issuer,
                    typed,
                    server,
                    client,
                    read_key(key),
                    access,
                    parse_date_time(until, where="the vault"),
                    refresh,
                    tuple(map(Dataset.parse, datasets)),
                    copies,
                    parse_date_time(sent, where="the vault") if sent else None,
                )
        raise Malformed("the vault", _DAMAGED, code="VAULT_DAMAGED")

    def item(self) -> Item:
        """For the vault."""
        body: dict[str, Json] = {
            "issuer": self.issuer,
            "typed": self.typed,
            "server": self.server,
            "client": self.client,
            "key": write_key(self.key),
            "access": self.access,
            "until": format_date_time(self.until),
            "refresh": self.refresh,
            "datasets": [one.to_json() for one in self.datasets],
            "copies": self.copies,
            "sent": format_date_time(self.sent) if self.sent else "",
        }
        return Item(self.id, GRANT, body)

    def with_dataset(self, dataset: Dataset) -> "Grant":
        """The grant with something newer known of one of its credentials."""
        return replace(self, datasets=tuple(dataset if one.is_same(dataset) else one for one in self.datasets))


def grants(vault: Vault) -> tuple[Grant, ...]:
    """All that were given, oldest first."""
    return tuple(map(Grant.parse, vault.items(GRANT)))


def keep_grant(vault: Vault, grant: Grant) -> Grant:
    """Write a grant down, in the place of what was known of it; on the disk when this returns."""
    with vault.transaction():
        if any(item.id == grant.id for item in vault.items(GRANT)):
            vault.replace([grant.item()])
        else:
            vault.put([grant.item()])
    return grant


def drop_grants(vault: Vault, ids: Sequence[bytes]) -> None:
    """Forget grants."""
    vault.delete(list(ids))


def new_grant_id(rand: Callable[[int], bytes]) -> bytes:
    """A name for a grant."""
    return Item.new(GRANT, {}, rand=rand).id
