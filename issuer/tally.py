"""Counting what became of the rows in the database, and what of it the statements say."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto

import duckdb

from issuer.engine import run
from issuer.intake import Intake
from issuer.profile import FileKind, Profile
from issuer.reconciliation import Lot, Reconciliation
from issuer.records import fates, tally_sql
from issuer.warehouse import Warehouse
from work.statement import Statement


class _End(Enum):
    """What can become of a row. ``IN_PART`` rows are ``USED`` too."""

    USED = auto()
    REJECTED = auto()
    LEFT_OUT = auto()
    IN_PART = auto()


@dataclass(frozen=True, slots=True)
class _Share:
    """Some rows that came to the same end, and the money in them that is not attested."""

    end: _End
    reason: str
    rows: int
    money: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class _Count:
    """One line of :func:`issuer.records.tally_sql`."""

    fate: int
    used: bool
    paid: bool
    rule: int
    pay_rule: int
    currency: str
    rows: int
    unreadable: int
    money: Decimal

    def shares(self, kind: FileKind) -> Iterator[_Share]:
        """To what ends these rows came."""
        aside = {self.currency: self.money} if "pay" in kind.feeds and self.money and not self.paid else {}
        if self.fate:
            fate = fates(kind)[self.fate - 1]
            yield _Share(_End.REJECTED if fate.rejected else _End.LEFT_OUT, fate.reason, self.rows, aside)
        elif not self.used:
            yield _Share(_End.LEFT_OUT, _reason(kind, self.rule), self.rows, aside)
        else:
            yield _Share(_End.USED, "", self.rows, {})
            if self.rule or aside:
                yield _Share(_End.IN_PART, _reason(kind, self.pay_rule if aside else self.rule), self.rows, aside)


class Tally:
    """What the statements of a run say, counted while they pass by; ``rounding`` is what it took away from them."""

    def __init__(self) -> None:
        self.statements: Counter[str] = Counter()
        self.attested: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.rounding: defaultdict[str, Decimal] = defaultdict(Decimal)

    def add(self, statement: Statement) -> None:
        """Count a statement, and the money in it."""
        self.statements[statement.type] += 1
        if statement.type == "Earnings":
            for currency, amount in attested_money(statement):
                self.attested[currency] += amount


def reconcile(
    connection: duckdb.DuckDBPyConnection,
    profile: Profile,
    intake: Intake,
    tally: Tally,
    in_part: Mapping[str, int],
) -> Reconciliation:
    """Rows and money of a run, counted on both sides: in what was read, and in what is stated. ``in_part`` counts, by
    reason, rows of which something is not stated although they are used."""
    counts = [(kind, count) for place, kind in enumerate(profile.files) for count in _counts(connection, place, kind)]
    shares = [share for kind, count in counts for share in count.shares(kind)]
    shares += [_Share(_End.REJECTED, one.reason, 1, {}) for one in intake.broken]
    shares += [_Share(_End.IN_PART, reason, rows, {}) for reason, rows in in_part.items()]
    paying = [count for kind, count in counts if "pay" in kind.feeds]
    return Reconciliation(
        files=intake.files,
        rows_in=sum(rows for _, rows in intake.files),
        rows_used=sum(share.rows for share in shares if share.end is _End.USED),
        rejected=_lots(shares, _End.REJECTED),
        left_out=_lots(shares, _End.LEFT_OUT),
        in_part=_lots(shares, _End.IN_PART),
        unreadable=len(intake.broken) + sum(count.unreadable for count in paying),
        money_in=_sums((count.currency, count.money) for count in paying),
        attested=_sums(tally.attested.items()),
        rounding=_sums(tally.rounding.items()),
        figures=tuple((figure.label, _figure(connection, figure.sql)) for figure in profile.figures),
        statements=dict(sorted(tally.statements.items())),
    )


def reconcile_tables(engine: Warehouse, profile: Profile, tally: Tally) -> Reconciliation:
    """Rows and money of a run over a platform's own tables, counted there by one query, and in what is stated."""
    counts = [(engine.tables[name], count) for name, *count in sorted(engine.counts())]
    lines: Counter[str] = Counter()
    shares: list[_Share] = []
    for table, (fate, currency, rows, _, money) in counts:
        lines[table.relation] += rows
        if fate:
            aside = {currency: money} if table.relation == "pay" else {}
            shares.append(_Share(_End.REJECTED, table.rules[fate - 1][1], rows, aside))
    paying = [count for table, count in counts if table.relation == "pay"]
    return Reconciliation(
        files=tuple(sorted(lines.items())),
        rows_in=lines.total(),
        rows_used=sum(count[2] for _, count in counts if not count[0]),
        rejected=_lots(shares, _End.REJECTED),
        left_out=(),
        in_part=(),
        unreadable=sum(count[3] for count in paying),
        money_in=_sums((count[1], count[4]) for count in paying),
        attested=_sums(tally.attested.items()),
        rounding=_sums(tally.rounding.items()),
        figures=tuple((one.label, value) for one in profile.figures if (value := engine.figure(one.sql)) is not None),
        statements=dict(sorted(tally.statements.items())),
    )


def _counts(connection: duckdb.DuckDBPyConnection, place: int, kind: FileKind) -> list[_Count]:
    return [_Count(*row) for row in run(connection, tally_sql(place, kind))]


def _reason(kind: FileKind, rule: int) -> str:
    return kind.leave_out[rule - 1].reason if rule else ""


def _lots(shares: Iterable[_Share], end: _End) -> tuple[Lot, ...]:
    rows: Counter[str] = Counter()
    money: defaultdict[str, list[tuple[str, Decimal]]] = defaultdict(list)
    for share in shares:
        if share.end is end:
            rows[share.reason] += share.rows
            money[share.reason] += share.money.items()
    return tuple(Lot(reason, count, _sums(money[reason])) for reason, count in rows.items())


def _sums(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in amounts:
        totals[currency] += amount
    return {currency: amount for currency, amount in sorted(totals.items()) if amount or currency != "?"}


def attested_money(earnings: Statement) -> Iterator[tuple[str, Decimal]]:
    """The money that an Earnings statement is about: the total, and the tips where they are stated apart from it."""
    for claim in ("total", "tips"):
        if claim in earnings.claims:
            yield str(earnings.claims["currency"]), Decimal(str(earnings.claims[claim]))


def _figure(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    found = run(connection, f"SELECT * FROM ({sql.rstrip('; ')})")  # noqa: S608  (a query, and nothing else)
    return "none" if not found or found[0][0] is None else str(found[0][0])
