"""Decoys: places with a status that belong to no credential, so that a list does not tell how many were withdrawn.

Each issuer draws, once and in secret, how many decoys of each status its lists have on average, from a range of 1 to
16. Each list then draws its own number, geometrically: one withdrawal more or less changes the likelihood of what is
seen by less than 1 %, and the mean of many lists is the sum of two unknown numbers. Every time that a list is signed
some decoys are added and some taken back, so that two versions differ in more places than were changed.
"""

import json
from collections.abc import Callable, Iterator
from typing import Final

import sqlalchemy as sa

from issuer.chance import geometric, log_uniform
from issuer.database import insert_into
from issuer.tables import SETTING

FEWEST: Final = 1 / 1024  # of the places of a list, for each status
MOST: Final = 1 / 64
VERSIONS: Final = 256  # of a list, until as many decoys were added again as it began with
STATUSES: Final = ("revoked", "suspended", "contested")
RATES: Final = "status-decoys"  # the setting with the issuer's own rates

Rand = Callable[[int], bytes]


def rates(connection: sa.Connection, rand: Rand) -> dict[str, float]:
    """The issuer's own share of decoys by status, drawn on first use: whoever draws first, draws for all."""
    drawn = {name: log_uniform(FEWEST, MOST, rand) for name in STATUSES}
    new = insert_into(connection, SETTING).values(name=RATES, value=json.dumps(drawn))
    connection.execute(new.on_conflict_do_nothing())
    stored = json.loads(connection.scalar(sa.select(SETTING.c.value).where(SETTING.c.name == RATES)) or "{}")
    return {name: float(stored.get(name, FEWEST)) for name in STATUSES}


def first_decoys(connection: sa.Connection, size: int, rand: Rand) -> Iterator[str]:
    """The statuses of the decoys of a new list."""
    for name, rate in rates(connection, rand).items():
        for _ in range(geometric(rate * size, rand)):
            yield name


def more_decoys(connection: sa.Connection, size: int, rand: Rand) -> tuple[list[str], dict[str, int]]:
    """For one more version of a list: the statuses of new decoys, and how many old ones lose theirs, by status.

    What was revoked stays so, as it does for credentials.
    """
    means = {name: rate * size / VERSIONS for name, rate in rates(connection, rand).items()}
    added = [name for name, mean in means.items() for _ in range(geometric(mean, rand))]
    return added, {name: geometric(means[name], rand) for name in STATUSES if name != "revoked"}
