"""Which copies should exist and have no valid credential: the query behind every bulk run."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from issuer.formats import Format
from issuer.tables import CREDENTIAL, HOLDER_KEY, STATEMENT
from vc.model import format_date_time

HOLDER: Final = sa.func.coalesce(HOLDER_KEY.c.did, "")  # empty: bound to no key

Key = tuple[str, str]  # digest and holder


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which copies a run is about: those of one worker or of all, valid at a moment, in some formats.

    What a platform says about itself is signed in one way only, whatever the formats; it counts as bbs-2023.
    """

    at: datetime
    formats: tuple[Format, ...]
    worker: str | None = None

    def passes(self) -> tuple[tuple[Format, bool], ...]:
        """By format: whether its copies are about workers, or about the platform."""
        return (*((form, True) for form in self.formats), (Format.BBS, False))

    def pending(self, form: Format, *, workers: bool) -> sa.Select[Any]:
        """The copies that should exist and have no valid credential."""
        valid = sa.exists().where(
            CREDENTIAL.c.digest == STATEMENT.c.digest,
            CREDENTIAL.c.holder == HOLDER,
            CREDENTIAL.c.format == form,
            CREDENTIAL.c.valid_until >= format_date_time(self.at),
        )
        keys = sa.and_(HOLDER_KEY.c.worker == STATEMENT.c.worker, STATEMENT.c.worker != "")
        query = (
            sa.select(STATEMENT, HOLDER.label("holder"))
            .select_from(STATEMENT.outerjoin(HOLDER_KEY, keys))
            .where(~valid, STATEMENT.c.worker != "" if workers else STATEMENT.c.worker == "")
        )
        return query if self.worker is None else query.where(STATEMENT.c.worker == self.worker)


def page(query: sa.Select[Any], after: Key, size: int) -> sa.Select[Any]:
    """The next copies of :meth:`Wanted.pending` by digest and holder."""
    digest, holder = after
    return (
        query.where(
            STATEMENT.c.digest >= digest,
            sa.or_(STATEMENT.c.digest > digest, holder < HOLDER),
        )
        .order_by(STATEMENT.c.digest, HOLDER)
        .limit(size)
    )
