"""What copies in the wallet say and how many are left: read here by the guard and the insights."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from vc.canon import Json
from vc.errors import Malformed
from wallet.choose import Copy, times_seen, unused
from wallet.formats import FORMATS
from work.draft import is_filler
from work.subject import read_claims

LOW: Final = 2  # unused copies of a statement: time to fetch more

Claims = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Count:
    """How many copies there are, and how many of them nobody has seen. Those that are bound to one key are one."""

    copies: int
    unused: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: all copies of it, in whatever format. ``copies`` and ``unused`` count as :class:`Count` does."""

    all: tuple[Copy, ...]
    formats: Mapping[str, Count]  # those first that tell least
    copies: int
    unused: int

    @property
    def copy(self) -> Copy:
        """The copy to tell it by: in the format that tells least, which says what the issuer calls itself, too."""
        return min(self.all, key=lambda copy: (_order(copy.suite), copy.shown))

    @property
    def name(self) -> str:
        """The name that all its copies share."""
        return self.all[0].statement

    @property
    def names(self) -> frozenset[str]:
        """Every name that the ledger may have it under; earlier versions wrote that of the batch."""
        return frozenset({self.name, *(copy.batch for copy in self.all)})

    @property
    def valid_until(self) -> datetime | None:
        """When the last of its copies ends; None where one has no end."""
        ends = [copy.valid_until for copy in self.all]
        return None if None in ends else max(end for end in ends if end is not None)

    @property
    def type(self) -> str:
        """Its type, such as Earnings."""
        return self.copy.type

    @property
    def issuer(self) -> str:
        """What its issuer calls itself."""
        return self.copy.issuer_name


def by_statement(copies: Iterable[Copy]) -> tuple[Statement, ...]:
    """The copies, statement by statement, in their order."""
    held = tuple(copies)
    groups: dict[str, list[Copy]] = {}
    for copy in held:
        groups.setdefault(copy.statement, []).append(copy)
    seen = times_seen(held)
    return tuple(_statement(tuple(group), seen) for group in groups.values())


def in_order(copies: Iterable[Copy]) -> tuple[Statement, ...]:
    """The statements as they are listed: by their types."""
    return tuple(sorted(by_statement(copies), key=lambda one: (one.type, one.name)))


def _statement(group: tuple[Copy, ...], seen: Callable[[Copy], int]) -> Statement:
    formats: dict[str, list[Copy]] = {}
    for copy in sorted(group, key=lambda copy: _order(copy.suite)):
        formats.setdefault(copy.suite, []).append(copy)
    counted = {suite: Count(_keys(each), unused(each, seen)) for suite, each in formats.items()}
    return Statement(group, counted, _keys(group), unused(group, seen))


def _keys(group: Iterable[Copy]) -> int:
    return len({copy.holder or copy.id for copy in group})


def _order(suite: str) -> int:
    return FORMATS.index(suite) if suite in FORMATS else len(FORMATS)


def find(copies: Iterable[Copy], name: str) -> Statement:
    """The statement whose name starts with ``name``, or the only one of that type.

    Raises :class:`Malformed`.
    """
    found = [
        one
        for one in by_statement(copies)
        if name and (any(each.startswith(name) for each in one.names) or one.type == name)
    ]
    if len(found) != 1:
        why = "no credential, or several, have a name that starts so; see `wallet list`"
        raise Malformed(name[:40], why, code="NOT_FOUND")
    return found[0]


def running_low(copies: Sequence[Copy], at: datetime) -> tuple[Statement, ...]:
    """The statements of which at most :data:`LOW` unused copies are left, though there were more."""
    current = by_statement(copy for copy in copies if is_current(copy, at))
    return tuple(one for one in current if one.unused <= LOW and one.unused < one.copies)


def is_current(copy: Copy, at: datetime) -> bool:
    """Whether a copy is still valid."""
    return copy.valid_until is None or at <= copy.valid_until


def newest(copies: Iterable[Copy]) -> Mapping[str, Copy]:
    """Of each type the statement to show: a platform's word before the worker's own, then the newest."""
    found: dict[str, Copy] = {}
    for copy in copies:
        found[copy.type] = max(found.get(copy.type, copy), copy, key=_weight)
    return found


def _weight(copy: Copy) -> tuple[bool, str]:
    return not copy.own, str(copy.subject.get("periodEnd", ""))


def said(copy: Copy) -> Claims:
    """What a copy says, by claim, without padding."""
    held = read_claims(copy.kind, copy.subject)[0] if copy.kind else {}
    claims = {name: _value(value) for name, value in held.items()}
    return {name: value for name, value in claims.items() if value not in ((), "")}


def _value(value: Json) -> str | tuple[str, ...]:
    if isinstance(value, list):
        return tuple(item for item in value if isinstance(item, str) and not is_filler(item))
    return value if isinstance(value, str) and not is_filler(value) else ""
