"""Crowds in the database: how many workers agree in some claims of their statements of one type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from issuer.tables import STATEMENT


@dataclass(frozen=True, slots=True)
class Crowds:
    """Workers by what their statements of one type have in common.

    ``below`` workers are in a crowd of fewer than k; ``examples`` are the smallest crowds with their values.
    """

    workers: int
    combinations: int
    smallest: int
    below: int
    examples: tuple[tuple[Mapping[str, str], int], ...]


def count_crowds(
    connection: sa.Connection, kind: str, claims: Sequence[str], *, k: int, most: int, worker: str | None
) -> Crowds:
    """The groups of the workers of a type that agree in ``claims`` (only those with ``worker``); the ``most`` smallest
    below ``k``."""
    groups = _groups(_claimed(kind, claims, sqlite=connection.dialect.name == "sqlite"), worker).subquery()
    size = groups.c.size
    everybody = sa.select(sa.func.count(STATEMENT.c.worker.distinct())).where(STATEMENT.c.type == kind)
    totals = sa.select(
        everybody.scalar_subquery(),
        sa.func.count(),
        sa.func.coalesce(sa.func.min(size), 0),
        sa.func.coalesce(sa.func.sum(size).filter(size < k), 0),
    ).select_from(groups)
    workers, combinations, smallest, below = map(int, connection.execute(totals).one())
    fewest = connection.execute(sa.select(groups).where(size < k).order_by(size).limit(most)) if most else ()
    examples = tuple((dict(zip(claims, map(str, values), strict=False)), size) for size, *values in fewest)
    return Crowds(workers, combinations, smallest, below, examples)


def small_crowds(kind: str, claims: Sequence[str], *, k: int, worker: str | None, sqlite: bool) -> sa.Select[Any]:
    """The digests of the statements of a type (about one worker, or all) that fewer than ``k`` have the like of."""
    claimed = _claimed(kind, claims, sqlite=sqlite)
    few = _groups(claimed, None).having(sa.func.count(claimed.c.worker.distinct()) < k).subquery()
    alike = sa.and_(*(claimed.c[column.name] == column for column in few.c if column.name != "size"))
    found = sa.select(claimed.c.digest).select_from(claimed.join(few, alike))
    return found if worker is None else found.where(claimed.c.worker == worker)


def count_alike(connection: sa.Connection, digest: str, kind: str, claims: Sequence[str], *, most: int) -> int:
    """How many workers have a statement of a type that agrees in ``claims`` with one of them, up to ``most``."""
    sqlite = connection.dialect.name == "sqlite"
    all_, mine = (_claimed(kind, claims, sqlite=sqlite) for _ in range(2))
    alike = sa.and_(*(all_.c[one.name] == one for one in mine.c if one.name not in ("digest", "worker")))
    workers = sa.select(all_.c.worker).distinct().select_from(all_.join(mine, alike)).where(mine.c.digest == digest)
    return int(connection.execute(sa.select(sa.func.count()).select_from(workers.limit(most).subquery())).scalar_one())


def _claimed(kind: str, claims: Sequence[str], *, sqlite: bool) -> sa.Subquery:
    """The statements of a type, with the claims as columns; one column that is alike for all where there are none."""
    body = sa.type_coerce(STATEMENT.c.body, sa.JSON) if sqlite else sa.cast(STATEMENT.c.body, sa.JSON)
    columns = [body["claims", name].as_string().label(f"c{at}") for at, name in enumerate(claims)]
    return (
        sa.select(STATEMENT.c.digest, STATEMENT.c.worker, *(columns or [sa.literal_column("1").label("c0")]))
        .where(STATEMENT.c.type == kind)
        .subquery()
    )


def _groups(claimed: sa.Subquery, worker: str | None) -> sa.Select[Any]:
    columns = [column for column in claimed.c if column.name not in ("digest", "worker")]
    groups = sa.select(sa.func.count(claimed.c.worker.distinct()).label("size"), *columns).group_by(*columns)
    if worker is None:
        return groups
    return groups.having(sa.func.count().filter(claimed.c.worker == worker) > 0)
