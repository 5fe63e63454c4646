"""What is not issued before somebody has approved it: types that the platform holds back, and statements whose
always-shown values fewer than k workers share (issuer.lint)."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa

from issuer.config import Config
from issuer.crowds import count_alike
from issuer.datasets import Dataset
from issuer.issuance import has_copy

HELD: Final = "held"
CROWD: Final = "crowd"
CROWD_KEPT: Final = 3600  # seconds for which a crowd that was large enough is not counted again
MAX_KEPT: Final = 100_000  # combinations of values: they are coarse, and few


@dataclass(frozen=True, slots=True)
class Crowds:
    """The combinations of values that were found to be shared by k workers, with the second of the count."""

    found: OrderedDict[tuple[str, ...], int] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def knows(self, key: tuple[str, ...], now: int) -> bool:
        """Whether it was counted not long ago."""
        with self.lock:
            return now - self.found.get(key, -CROWD_KEPT) < CROWD_KEPT

    def keep(self, key: tuple[str, ...], now: int) -> None:
        """Remember a crowd, and forget the oldest where there are too many."""
        with self.lock:
            self.found.pop(key, None)
            self.found[key] = now
            if len(self.found) > MAX_KEPT:
                self.found.popitem(last=False)


def may_wait(dataset: Dataset, *, config: Config, offered: bool) -> bool:
    """Whether a dataset could wait for somebody's approval: whoever made an offer has answered for its small crowds."""
    kind = dataset.configuration.kind
    return kind.name in config.hold or not (offered or kind.identifies or kind.name in config.allow_few)


def reason_to_hold(
    connection: sa.Connection, dataset: Dataset, *, config: Config, crowds: Crowds, now: int
) -> str | None:
    """Why a dataset that may wait does; None where it does not. What was signed before was approved."""
    kind = dataset.configuration.kind
    if kind.name in config.hold:
        return None if has_copy(connection, dataset.digest) else HELD
    claims = [claim.name for claim in kind.claims.values() if claim.mandatory]
    key = (kind.name, *(str(dataset.statement.claims.get(name)) for name in claims))
    if crowds.knows(key, now):
        return None
    if count_alike(connection, dataset.digest, kind.name, claims, most=config.k) >= config.k:
        crowds.keep(key, now)
        return None
    return None if has_copy(connection, dataset.digest) else CROWD
