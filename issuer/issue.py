"""Signing in bulk: every copy that has no valid credential, in all formats asked for.

The run claims copies page by page (:mod:`issuer.claims`), has them signed by an engine, and keeps each batch in one
transaction: stop it at any instant, run it again, and it goes on with what is missing. Several runs share the work. A
copy that has a valid credential is never signed again.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa

from issuer.bulk import Columns, check_batch, rows, sign_batch
from issuer.claims import BATCH, Allocate, Run
from issuer.copies import Slot
from issuer.database import Database
from issuer.formats import HAS_STATUS
from issuer.keys import IssuerKeys
from issuer.pool import Done, Work, here, pooled
from issuer.tables import SETTING
from issuer.wanted import Wanted
from vc.canon import Json
from vc.errors import Malformed

SMALL: Final = 2 * BATCH  # below this, starting a pool takes longer than signing
MAX_TOLD: Final = 100  # refused statements that are listed: all are counted

ByKind = Counter[tuple[str, str]]  # by type and format


@dataclass(frozen=True, slots=True)
class Refused:
    """A copy that is left for a person: ``why`` names the claim and what is wrong with it, never what it says."""

    digest: str
    worker: str
    type: str
    format: str
    code: str
    why: str

    def to_json(self) -> dict[str, Json]:
        """For scripts."""
        return {
            "statement": self.digest,
            "worker": self.worker,
            "type": self.type,
            "format": self.format,
            "code": self.code,
            "why": self.why,
        }


@dataclass(slots=True)
class Outcome:
    """What a run did: copies signed, those that were refused, and the first MAX_TOLD of them."""

    signed: int = 0
    refused: int = 0
    told: list[Refused] = field(default_factory=list)

    def refuse(self, given: Columns, made: Columns) -> int:
        """Note what was refused in a batch; how many."""
        bad = [
            Refused(row["digest"], row["worker"], row["type"], row["format"], signed["code"], signed["error"])
            for row, signed in zip(rows(given), rows(made), strict=True)
            if signed["error"] is not None
        ]
        self.refused += len(bad)
        self.told += bad[: MAX_TOLD - len(self.told)]
        return len(bad)


@dataclass(frozen=True, slots=True)
class Engine:
    """Where batches are signed: in ``processes`` of this machine, or on a Ray cluster (its address, or ``ray``)."""

    processes: int = os.cpu_count() or 1
    ray: str | None = None

    def __call__(self, batches: Iterator[Columns], *, work: Work, total: int) -> Iterator[Done]:
        if self.ray is not None:
            from issuer.ray_engine import on_ray  # noqa: PLC0415  (an extra)

            return on_ray(batches, work=work, address=self.ray, actors=self.processes)
        if total < SMALL or self.processes < 2:
            return here(batches, work=work)
        return pooled(batches, work=work, processes=self.processes)


def issue_pending(
    run: Run,
    keys: IssuerKeys,
    *,
    wanted: Wanted,
    engine: Engine,
    base: str | None,
    on_total: Callable[[int], None],
    on_done: Callable[[int], None],
) -> Outcome:
    """Sign every copy that is wanted and has no valid credential.

    ``on_total`` is told how many there are, ``on_done`` how many more are safely on disk, or refused.
    Raises :class:`Malformed` where a format needs places in status lists, and nobody has said where the service is.
    """
    _check_base(wanted, base)
    total = run.count(wanted)
    on_total(total)
    outcome = Outcome()
    batches = run.claimed(wanted, _allocator(base))
    work = Work(sign_batch, keys, wanted.at)
    for given, made in engine(batches, work=work, total=total):
        kept = run.record(given, made, wanted, _now())
        outcome.signed += kept
        on_done(kept + outcome.refuse(given, made))
    return outcome


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do, by type and format."""

    sign: ByKind
    valid: ByKind  # have a credential already
    replaced: ByKind  # credentials that are valid still, of statements that a newer one has taken the place of
    refused: Outcome
    places: int  # in status lists

    def to_json(self) -> dict[str, Json]:
        """For scripts."""
        kinds = sorted(self.sign | self.valid | self.replaced)
        return {
            "plan": [
                {
                    "type": kind,
                    "format": form,
                    "sign": self.sign[kind, form],
                    "valid": self.valid[kind, form],
                    "replaced": self.replaced[kind, form],
                }
                for kind, form in kinds
            ],
            "refused": self.refused.refused,
            "refusals": [one.to_json() for one in self.refused.told],
            "statusPlaces": self.places,
        }


def plan(
    run: Run,
    keys: IssuerKeys,
    *,
    wanted: Wanted,
    engine: Engine,
    on_total: Callable[[int], None],
    on_done: Callable[[int], None],
) -> Plan:
    """What :func:`issue_pending` would do. Every pending statement is checked as before signing; nothing is changed."""
    total = run.count(wanted)
    on_total(total)
    refused, sign = Outcome(), ByKind()
    for given, made in engine(run.look(wanted), work=Work(check_batch, keys, wanted.at), total=total):
        refused.refuse(given, made)
        sign.update(
            (row["type"], row["format"])
            for row, checked in zip(rows(given), rows(made), strict=True)
            if checked["error"] is None
        )
        on_done(len(given["digest"]))
    places = sum(count for (_, form), count in sign.items() if form in HAS_STATUS)
    return Plan(sign, run.standing(wanted, current=True), run.standing(wanted, current=False), refused, places)


def _check_base(wanted: Wanted, base: str | None) -> None:
    if base is None and HAS_STATUS & set(wanted.formats):
        raise Malformed(
            "--format",
            "copies with a status state the address of their list: start the service once (ouvrage issuer serve), "
            "so that it is known",
            code="NO_BASE",
        )


def _allocator(base: str | None) -> Allocate:
    def places(connection: sa.Connection, datasets: Sequence[str]) -> list[Slot]:
        from issuer.statuses import allocate  # noqa: PLC0415

        return allocate(connection, len(datasets), base=base or "", rand=os.urandom, now=_now(), datasets=datasets)

    return places


def known_base(database: Database) -> str | None:
    """The address that the service was last started with."""
    with database.read() as connection:
        return connection.execute(sa.select(SETTING.c.value).where(SETTING.c.name == "base")).scalar()


def _now() -> int:
    return int(datetime.now(UTC).timestamp())
