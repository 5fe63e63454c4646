"""All that a key has signed can be withdrawn at once; what it is signing at that moment is then not put on record.

A count says how often this was done. Who signs reads it before, and again when it puts on record what it has signed.
"""

from typing import Final

import sqlalchemy as sa

from issuer.database import insert_into
from issuer.statuses import lock
from issuer.tables import SETTING

COUNT: Final = "keys-recalled"  # the setting that counts
RECALLS: Final = sa.select(SETTING.c.value).where(SETTING.c.name == COUNT).scalar_subquery()


def recall(connection: sa.Connection) -> None:
    """Have whoever is signing sign again: what is put on record now is waited for, what comes later is refused."""
    lock(connection, COUNT)
    once = insert_into(connection, SETTING).values(name=COUNT, value="1")
    more = sa.cast(sa.cast(SETTING.c.value, sa.BigInteger) + 1, sa.Text)
    connection.execute(once.on_conflict_do_update(index_elements=[SETTING.c.name], set_={"value": more}))


def hold(connection: sa.Connection) -> None:
    """Have :func:`recall` wait until this transaction ends; to be called before RECALLS is read in it."""
    lock(connection, COUNT, shared=True)


def recalls(connection: sa.Connection) -> str | None:
    """How often it was done."""
    return connection.scalar(sa.select(RECALLS))
