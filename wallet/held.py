"""What copies in the wallet say and how many are left: read here by the guard and the insights."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from vc.canon import Json
from wallet.choose import Copy
from work.draft import is_filler
from work.subject import read_claims

LOW: Final = 2  # unused copies of a statement: time to fetch more

Claims = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Statement:
    """All copies of one statement, by one of them."""

    copy: Copy
    copies: int
    unused: int

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
    groups: dict[str, list[Copy]] = {}
    for copy in copies:
        groups.setdefault(copy.statement, []).append(copy)
    return tuple(
        Statement(min(group, key=lambda copy: copy.shown), len(group), sum(1 for copy in group if copy.shown == 0))
        for group in groups.values()
    )


def running_low(copies: Sequence[Copy], at: datetime) -> tuple[Statement, ...]:
    """The statements of which at most :data:`LOW` unused copies are left, though there were more."""
    current = by_statement(copy for copy in copies if is_current(copy, at))
    return tuple(one for one in current if one.unused <= LOW and one.unused < one.copies)


def is_current(copy: Copy, at: datetime) -> bool:
    """Whether a copy is still valid."""
    return copy.valid_until is None or at <= copy.valid_until


def newest(kind: str, held: Iterable[Copy]) -> Copy | None:
    """Of the statements of a type the one to show: a platform's word before the worker's own, then the newest."""
    found = [copy for copy in held if copy.type == kind]
    return max(found, key=lambda copy: (not copy.own, str(said(copy).get("periodEnd", ""))), default=None)


def said(copy: Copy) -> Claims:
    """What a copy says, by claim, without padding."""
    held = read_claims(copy.kind, copy.subject)[0] if copy.kind else {}
    claims = {name: _value(value) for name, value in held.items()}
    return {name: value for name, value in claims.items() if value not in ((), "")}


def _value(value: Json) -> str | tuple[str, ...]:
    if isinstance(value, list):
        return tuple(item for item in value if isinstance(item, str) and not is_filler(item))
    return value if isinstance(value, str) and not is_filler(value) else ""
