"""The privacy lint: who could be told apart by what every showing of a credential shows.

The values that are always shown beside a claim (the mandatory ones) make a crowd: a worker hides among those who have
the same. Fewer than k of them are no crowd. Types that identify by nature (a rating, one job) say so in their schema;
the others are refused below k, by name of the type, until somebody answers for it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from issuer.claims import Run
from issuer.crowds import Crowds
from issuer.store import Store
from vc.canon import Json
from vc.errors import Finding, Rejected, Unsupported
from vc.jsonld import to_rdf
from work import CONTEXTS
from work.draft import draft
from work.statement import Statement
from work.types import TYPES, StatementType

K: Final = 20  # workers: below, a verifier who knows a little else knows who it is
SHOWN: Final = 5  # small crowds that are listed of each type
SAMPLED: Final = 50  # credentials of each type whose quads are counted: the schema forces the rest

# Both stand for what differs from one copy to the next by design, and is as long for all of them.
_ISSUER: Final = "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ8XJP4omzd5Cn"
_HOLDER: Final = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


@dataclass(frozen=True, slots=True)
class Blame:
    """What one always-shown claim does: how many values it has, and who would still stand in a crowd below k
    without it."""

    claim: str
    values: int
    below_without: int


@dataclass(frozen=True, slots=True)
class Linted:
    """One type of statement: its crowds, what makes them small, and the number of quads of its credentials."""

    kind: StatementType
    crowds: Crowds
    blame: tuple[Blame, ...]
    quads: tuple[int, ...]

    def findings(self, k: int, *, answered_for: bool) -> Iterator[Finding]:
        """Why credentials of this type must not be signed."""
        if len(self.quads) > 1:
            counts = ", ".join(map(str, self.quads))
            yield Finding(
                "QUADS_DIFFER", f"{self.kind.name}: credentials have {counts} quads: that tells what is hidden"
            )
        if self.crowds.below and not self.kind.identifies and not answered_for:
            yield Finding(
                "TOO_FEW_ALIKE",
                f"{self.kind.name}: {_workers(self.crowds.below)} in a crowd of fewer than {k} with the same "
                f"always-shown values (see: ouvrage issuer lint); sign only the others, with --leave-few, or answer "
                f"for these: --allow-few {self.kind.name}",
            )

    def to_json(self) -> dict[str, Json]:
        """For scripts."""
        return {
            "type": self.kind.name,
            "identifiesByNature": self.kind.identifies,
            "workers": self.crowds.workers,
            "combinations": self.crowds.combinations,
            "smallest": self.crowds.smallest,
            "workersBelowK": self.crowds.below,
            "smallCrowds": [
                {"workers": size, "values": dict[str, Json](shown)} for shown, size in self.crowds.examples
            ],
            "claims": [
                {"claim": one.claim, "values": one.values, "workersBelowKWithoutIt": one.below_without}
                for one in self.blame
            ],
            "quads": list[Json](self.quads),
        }


def lint(store: Store, *, k: int, at: datetime) -> tuple[Linted, ...]:
    """How well the workers of the store hide in each other, by type of statement."""
    return tuple(_linted(store, kind, k, at) for kind in _kinds(store))


def refused(found: Iterable[Linted], *, k: int, allowed: Collection[str]) -> tuple[Finding, ...]:
    """Why credentials must not be signed; crowds of types ``allowed`` by name are answered for."""
    for name in allowed:
        if name not in TYPES:
            raise Unsupported("statement type", f"{name} (there are {', '.join(TYPES)})")
    return tuple(finding for one in found for finding in one.findings(k, answered_for=one.kind.name in allowed))


def refuse_small_crowds(store: Store, *, worker: str | None, k: int, allowed: Collection[str]) -> None:
    """Raise :class:`Rejected` unless every worker, or this one, stands in crowds of k, but for types ``allowed``."""
    found = (
        Linted(kind, store.crowds(kind.name, _shown(kind), k=k, most=0, worker=worker), (), ())
        for kind in _kinds(store, worker)
    )
    if findings := refused(found, k=k, allowed=allowed):
        raise Rejected(findings)


def leave_out_small_crowds(
    store: Store, run: Run, *, worker: str | None = None, k: int, allowed: Collection[str]
) -> dict[str, int]:
    """Let a run pass over statements (about one worker, or all) in crowds of fewer than k; how many, by type."""
    left = {
        kind.name: run.leave_out_few(kind.name, _shown(kind), k=k, worker=worker)
        for kind in _kinds(store, worker)
        if not kind.identifies and kind.name not in allowed
    }
    return {name: count for name, count in left.items() if count}


def _kinds(store: Store, worker: str | None = None) -> Iterator[StatementType]:
    return (TYPES[name] for name in store.types(worker=worker) if TYPES[name].about == "worker")


def _shown(kind: StatementType) -> list[str]:
    return [claim.name for claim in kind.claims.values() if claim.mandatory]


def text(found: Sequence[Linted], k: int) -> str:
    """The lint for people."""
    return "\n\n".join("\n".join(_lines(one, k)) for one in found) or "There are no statements about workers yet."


def _lines(one: Linted, k: int) -> Iterator[str]:
    crowds = one.crowds
    sizes = f"smallest crowd {crowds.smallest}" if crowds.combinations else "no crowd"
    yield (
        f"{one.kind.name}: {_workers(crowds.workers)}, {crowds.combinations} combinations of always-shown values, "
        f"{sizes}, {'/'.join(map(str, one.quads))} quads"
    )
    if one.kind.identifies:
        yield "  identifies by nature: the wallet warns whoever shows it, and offers a band or a threshold instead"
    elif crowds.below:
        yield f"  {_workers(crowds.below)} in a crowd of fewer than {k}:"
        yield from (f"    {size}: {_values(shown)}" for shown, size in crowds.examples)
    if crowds.below:
        telling = [one for one in one.blame if one.values > 1]
        yield from (
            f"  {blame.claim}: {blame.values} values; without it {_workers(blame.below_without)} below {k}"
            for blame in telling
        )
        if not telling:
            yield f"  no value tells them apart: there are fewer than {k} workers"


def _values(shown: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in shown.items())


def _workers(count: int) -> str:
    return f"{count} worker{'' if count == 1 else 's'}"


def _linted(store: Store, kind: StatementType, k: int, at: datetime) -> Linted:
    names = _shown(kind)
    crowds = store.crowds(kind.name, names, k=k, most=SHOWN)
    telling = names if crowds.below else []
    blame = tuple(
        Blame(
            name,
            values=store.crowds(kind.name, [name], k=k, most=0).combinations,
            below_without=store.crowds(kind.name, [other for other in names if other != name], k=k, most=0).below,
        )
        for name in telling
    )
    sample = islice(store.statements(kind.name), SAMPLED)
    return Linted(kind, crowds, blame, tuple(sorted({_quads(one, at) for one in sample})))


def _quads(statement: Statement, at: datetime) -> int:
    document = draft(statement, issuer=_ISSUER, holder=_HOLDER, at=at).document
    return len(to_rdf(document, CONTEXTS).quads)
