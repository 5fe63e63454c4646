"""What became of every row and of every cent of an export."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from vc.canon import Json
from vc.errors import Finding, Rejected

_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Lot:
    """Rows that share one fate, and the money in them by currency (as far as it could be read)."""

    reason: str
    rows: int
    money: Mapping[str, Decimal]

    def to_json(self) -> dict[str, Json]:
        """For scripts; money is exact, as text."""
        return {"reason": self.reason, "rows": self.rows, "money": _texts(self.money)}


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Rows in = rows used + rows rejected + rows left out; money in = money attested + money left out, by currency.

    ``in_part`` are rows that are used, but not for everything. ``unreadable`` rows are rejected ones whose money, if
    they have any, could not be read; it is in no sum. ``rounding`` is what rounding months to the cent has taken away.
    ``figures`` are labelled figures that the platform can compare with its own, ``statements`` counts them by type.
    """

    files: tuple[tuple[str, int], ...]
    rows_in: int
    rows_used: int
    rejected: tuple[Lot, ...]
    left_out: tuple[Lot, ...]
    in_part: tuple[Lot, ...]
    unreadable: int
    money_in: Mapping[str, Decimal]
    attested: Mapping[str, Decimal]
    rounding: Mapping[str, Decimal]
    figures: tuple[tuple[str, str], ...]
    statements: Mapping[str, int]

    def check(self) -> None:
        """Raise :class:`Rejected` unless every row and every cent is accounted for."""
        findings = [*self._row_findings(), *self._money_findings()]
        if findings:
            raise Rejected(tuple(findings))

    def _row_findings(self) -> Iterable[Finding]:
        known = self.rows_used + sum(lot.rows for lot in (*self.rejected, *self.left_out))
        if known != self.rows_in:
            yield Finding("ROWS_DO_NOT_RECONCILE", f"{self.rows_in} rows were read, but {known} are accounted for")
        for lot in (*self.left_out, *self.in_part):
            if not lot.reason:
                yield Finding("NO_REASON", f"the profile leaves {lot.rows} rows out and gives no reason")

    def _money_findings(self) -> Iterable[Finding]:
        for currency, amount in self.money_in.items():
            known = self.attested.get(currency, _ZERO) + self.rounding.get(currency, _ZERO) + self._aside(currency)
            if known != amount:
                yield Finding("MONEY_DOES_NOT_RECONCILE", f"{amount} {currency} in, but {known} accounted for")
        for currency in self.attested.keys() - self.money_in.keys():
            yield Finding("MONEY_DOES_NOT_RECONCILE", f"{currency} is attested, but no row has it")

    def _aside(self, currency: str) -> Decimal:
        lots = (*self.rejected, *self.left_out, *self.in_part)
        return sum((lot.money.get(currency, _ZERO) for lot in lots), _ZERO)

    def to_json(self) -> dict[str, Json]:
        """For scripts; money is exact, as text."""
        return {
            "files": [{"name": name, "rows": rows} for name, rows in self.files],
            "rows": {"in": self.rows_in, "used": self.rows_used, "unreadableMoney": self.unreadable},
            "rejected": [lot.to_json() for lot in self.rejected],
            "leftOut": [lot.to_json() for lot in self.left_out],
            "usedInPart": [lot.to_json() for lot in self.in_part],
            "money": {
                currency: {
                    "in": _text(amount),
                    "attested": _text(self.attested.get(currency, _ZERO)),
                    "leftOut": _text(self._aside(currency)),
                    "rounding": _text(self.rounding.get(currency, _ZERO)),
                }
                for currency, amount in self.money_in.items()
            },
            "figures": dict[str, Json](self.figures),
            "statements": dict[str, Json](self.statements),
        }

    def text(self) -> str:
        """For people, in a few lines."""
        lines = [f"{name}: {_count(rows, 'row')}" for name, rows in self.files]
        aside = [("rejected", lot) for lot in self.rejected] + [("left out", lot) for lot in self.left_out]
        lines.append(_sum(self.rows_in, self.rows_used, sum(lot.rows for _, lot in aside)))
        lines += [f"  {verb}: {_lot(lot)}" for verb, lot in aside]
        lines += [f"  used in part: {_lot(lot)}" for lot in self.in_part]
        lines += [self._money_line(currency) for currency in self.money_in]
        if self.unreadable and self.money_in:
            lines.append(f"  no sum has the money of {_count(self.unreadable, 'row')} that could not be read")
        lines += [f"{label}: {value}" for label, value in self.figures]
        return "\n".join(lines)

    def _money_line(self, currency: str) -> str:
        attested, aside = self.attested.get(currency, _ZERO), self._aside(currency)
        rounding = self.rounding.get(currency, _ZERO)
        lost = f" + {_text(rounding)} by rounding" if rounding else ""
        total = _text(self.money_in[currency])
        return f"Money: {total} {currency} in = {_text(attested)} attested + {_text(aside)} left out{lost}"


_ZERO: Final = Decimal(0)


def _sum(all_rows: int, used: int, aside: int) -> str:
    return f"Rows: {all_rows} in = {used} used + {aside} rejected or left out"


def _lot(lot: Lot) -> str:
    money = "".join(f", {_text(amount)} {currency}" for currency, amount in lot.money.items() if amount)
    return f"{_count(lot.rows, 'row')}{money}: {lot.reason}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _texts(money: Mapping[str, Decimal]) -> dict[str, Json]:
    return {currency: _text(amount) for currency, amount in money.items()}


def _text(amount: Decimal) -> str:
    """Exact; without decimals below the cent where there is nothing in them."""
    cents = amount.quantize(_CENT)
    return format(cents if cents == amount else amount.normalize(), "f")
