"""The columns and relations that mean the same for every platform: what profiles fill and statements are made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

_AMOUNT: Final = "DECIMAL(18,6)"  # exact: money and hours are added up before anything is rounded

# day: the local date of the row; job: tells jobs apart; worked: whether the day is one of work; kind, tier: words of
# the platform; since: member since; value: a rating, given by ``ratings`` people. Ratings of one side of the work are
# in further columns, ``aspect_…``.
COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "worker": "VARCHAR",
        "day": "DATE",
        "job": "UHUGEINT",
        "hours": _AMOUNT,
        "worked": "BOOLEAN",
        "amount": _AMOUNT,
        "currency": "VARCHAR",
        "kind": "VARCHAR",
        "tier": "VARCHAR",
        "since": "DATE",
        "verified": "BOOLEAN",
        "value": _AMOUNT,
        "ratings": "INTEGER",
        "excluded": "BOOLEAN",
    }
)
ASPECT: Final = _AMOUNT


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows that say the same thing: columns that none of them may lack, and columns that they may have."""

    needs: tuple[str, ...]
    may_have: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, in their order."""
        return self.needs + self.may_have


RELATIONS: Final[Mapping[str, Relation]] = MappingProxyType(
    {
        "membership": Relation(("worker", "day"), ("since", "verified", "kind", "tier")),
        "jobs": Relation(("worker", "day"), ("job", "hours", "worked")),
        "pay": Relation(("worker", "day", "amount", "currency"), ()),
        "ratings": Relation(("worker", "day", "ratings"), ("value", "since")),
    }
)
