"""Credentials that a platform has promised and not yet given (OpenID4VCI §9). Kept in the vault, beside the grant."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

from vc.canon import Json
from vc.errors import Malformed
from vc.model import format_date_time, parse_date_time
from wallet.grants import Dataset
from wallet.vault import Item, Vault

PENDING: Final = "pending"


@dataclass(frozen=True, slots=True)
class Pending:
    """One promise: ``holders`` are the wallet's keys that its copies will be bound to."""

    id: bytes
    grant: bytes
    dataset: Dataset
    transaction: str = field(repr=False)
    holders: tuple[str, ...]
    not_before: datetime

    @classmethod
    def parse(cls, item: Item) -> Self:
        """A promise of the vault."""
        match item.body:
            case {
                "grant": str(grant),
                "dataset": dataset,
                "transaction": str(transaction),
                "holders": list(holders),
                "notBefore": str(moment),
            }:
                return cls(
                    item.id,
                    bytes.fromhex(grant),
                    Dataset.parse(dataset),
                    transaction,
                    tuple(map(str, holders)),
                    parse_date_time(moment, where="the vault"),
                )
        raise Malformed("the vault", "holds a promise that this version does not know", code="VAULT_DAMAGED")

    def item(self) -> Item:
        """For the vault."""
        body: dict[str, Json] = {
            "grant": self.grant.hex(),
            "dataset": self.dataset.to_json(),
            "transaction": self.transaction,
            "holders": list[Json](self.holders),
            "notBefore": format_date_time(self.not_before),
        }
        return Item(self.id, PENDING, body)


def promises(vault: Vault) -> tuple[Pending, ...]:
    """All that are open, oldest first."""
    return tuple(map(Pending.parse, vault.items(PENDING)))


def keep_promises(vault: Vault, pending: Sequence[Pending]) -> None:
    """Write promises down, each in the place of what was known of it."""
    with vault.transaction():
        known = {item.id for item in vault.items(PENDING)}
        vault.replace([one.item() for one in pending if one.id in known])
        vault.put([one.item() for one in pending if one.id not in known])


def drop_promises(vault: Vault, ids: Sequence[bytes]) -> None:
    """Forget promises."""
    vault.delete(list(ids))


def new_pending_id(rand: Callable[[int], bytes]) -> bytes:
    """A name for a promise."""
    return Item.new(PENDING, {}, rand=rand).id
