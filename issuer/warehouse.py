"""The platform's own engine: the same queries, run where the records are.

Its tables (or views) have the names and columns of :mod:`issuer.canonical`; :mod:`issuer.sources` reads them. Rows that
break a rule are left out, and counted.
"""

# ruff: noqa: S608  (names and types in this SQL are ours; the platform's are quoted)

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import unquote

from issuer.canonical import ASPECT, CLOSED, COLUMNS, HASHED, RELATIONS
from issuer.engine import identifier, literal
from issuer.profile import Profile
from issuer.records import aspects
from issuer.sources import OPENERS, Source, translated
from vc.errors import Malformed, Undetermined, Unsupported, VcError
from work.statement import MAX_WORKER

# The relations that are read. Texts of reviews have to be screened row by row, and the others are small: attest files.
READ: Final = ("membership", "jobs", "pay", "ratings")
WORKERS_IN_PART: Final = 50_000  # workers whose statements are made at once: what the engine adds up for them is held
_MOST: Final = "999999999999"  # what fits in DECIMAL(18,6)
_EXACT: Final = "DECIMAL(38,6)"
_CAPITALS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_WHOLE: Final = ("tinyint", "smallint", "integer", "bigint")
# Which types of the engine will do for a column.
_FITTING: Final[Mapping[str, tuple[str, ...]]] = {
    "VARCHAR": ("varchar",),
    "DATE": ("date",),
    "BOOLEAN": ("boolean",),
    "INTEGER": _WHOLE,
    ASPECT: ("decimal", *_WHOLE),
}
_ANY_ID: Final = ("varchar", "uuid", *_WHOLE)  # ids of workers are text, but need not be kept as such


@dataclass(frozen=True, slots=True)
class Table:
    """A relation as the engine has it: SQL for each canonical column, and the rules that a row may break."""

    relation: str
    columns: Mapping[str, str]
    rules: tuple[tuple[str, str], ...]  # SQL condition, reason

    @property
    def fate(self) -> str:
        """SQL: 0 for a row that is used, else the number of the rule that it breaks."""
        cases = " ".join(f"WHEN {condition} THEN {number}" for number, (condition, _) in enumerate(self.rules, 1))
        return f"CASE {cases} ELSE 0 END"

    def sql(self, within: str) -> str:
        """The rows that are used, in the canonical columns and types."""
        shown = ", ".join(f"{expression} AS {name}" for name, expression in self.columns.items())
        return f"SELECT {shown} FROM {identifier(self.relation)} WHERE ({self.fate}) = 0{within}"


@dataclass(frozen=True, slots=True)
class Warehouse:
    """An open engine. ``first`` and ``last`` limit it to workers from the one to just before the other; then results
    are fetched whole, so that several queries can be read side by side."""

    source: Source
    tables: Mapping[str, Table]
    first: str | None = None
    last: str | None = None

    def rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        return self._rows(self._placed(sql))

    def counts(self) -> Iterator[tuple[Any, ...]]:
        """What became of all rows: the result of :func:`_counts_sql`."""
        return self._rows(_counts_sql(self.tables))

    def _rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        with translated():
            found = self.source.batches(sql)
            if self.first is not None:
                found = iter(list(found))
        while True:
            with translated():
                batch = next(found, None)
            if batch is None:
                return
            yield from batch

    def figure(self, sql: str) -> str | None:
        """One value of a profile's figures; nothing for a figure that is not over relations alone."""
        import sqlglot  # noqa: PLC0415  (an extra)

        tree = sqlglot.parse_one(sql, read="duckdb")
        if not all(table.name in self.tables for table in tree.find_all(sqlglot.exp.Table)):
            return None
        found = list(self.rows(sql))  # to its end: what is left open keeps its transaction
        return "none" if not found or found[0][0] is None else str(found[0][0])

    def _placed(self, sql: str) -> str:
        """The query with every relation in it replaced by what the engine has for it."""
        import sqlglot  # noqa: PLC0415
        from sqlglot import exp  # noqa: PLC0415

        tree = sqlglot.parse_one(sql, read="duckdb")
        own = {each.alias for each in tree.find_all(exp.CTE)}
        for table in list(tree.find_all(exp.Table)):
            if table.name in RELATIONS and table.name not in own and not table.db:
                rows = sqlglot.parse_one(self._relation(table.name), read="duckdb")
                table.replace(exp.Subquery(this=rows, alias=exp.to_identifier(table.alias or table.name)))
        return tree.sql(dialect="duckdb")

    def _relation(self, name: str) -> str:
        if name in self.tables:
            return self.tables[name].sql(self._within())
        nothing = ", ".join(f"CAST(NULL AS {COLUMNS[column]}) AS {column}" for column in RELATIONS[name].columns)
        return f"SELECT {nothing} WHERE FALSE"

    def _within(self) -> str:
        worker = f"CAST(worker AS VARCHAR){self.source.collate}"
        first = "" if self.first is None else f" AND {worker} >= {literal(self.first)}"
        return first + ("" if self.last is None else f" AND {worker} < {literal(self.last)}")

    def parts(self, workers_in_part: int) -> tuple[list["Warehouse"], int]:
        """The same engine for one part of the workers after the other, and how many workers there are."""
        everyone = " UNION ALL ".join(f"SELECT worker FROM {name}" for name in self.tables)
        firsts, count = [""], 0
        for (worker,) in self.rows(f"SELECT worker FROM ({everyone}) AS everyone GROUP BY worker ORDER BY worker"):
            if count and count % workers_in_part == 0:
                firsts.append(worker)
            count += 1
        lasts = [*firsts[1:], None]
        return [replace(self, first=first, last=last) for first, last in zip(firsts, lasts, strict=True)], count


@contextmanager
def open_warehouse(url: str, profile: Profile) -> Iterator[Warehouse]:
    """Connect, look at the tables, and read them as of one moment.

    Raises :class:`Unsupported` for an engine that is not tested or an extra that is not installed,
    :class:`Undetermined` where there is no connection, :class:`Malformed`, naming table and column, for tables that are
    not canonical.
    """
    with _connected(url) as source:
        with translated():
            there = source.tables()
        tables: dict[str, Table] = {name: _table(source, name, profile) for name in READ if name in there}
        if not tables:
            raise Malformed(_shown(url), f"has none of the tables {', '.join(READ)}", code="NO_TABLES")
        yield Warehouse(source, tables)


@contextmanager
def _connected(url: str) -> Iterator[Source]:
    scheme = url.partition(":")[0]
    if scheme not in OPENERS:
        raise Unsupported("engine", f"{scheme[:20] or 'no scheme'} (there are {', '.join(OPENERS)})")
    with ExitStack() as stack:
        try:
            source = stack.enter_context(OPENERS[scheme](url))
        except VcError:
            raise
        except Exception as error:  # noqa: BLE001  (whatever a driver raises; its message may hold what it was given)
            why = _without_secrets(str(error).strip().partition("\n")[0], url)
            raise Undetermined(
                f"{_shown(url)} cannot be reached: {why}", "check address, user and password", code="NO_ENGINE"
            ) from None
        yield source


def _shown(url: str) -> str:
    """An address without what may be secret in it."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0][:100]}"


def _without_secrets(text: str, url: str) -> str:
    """No part of the address that could be a password is in a message, wherever the driver found it."""
    rest = url.partition("://")[2]
    query = rest.partition("?")[2]
    secrets = [
        url,
        rest.rpartition("@")[0].partition(":")[2],
        query,
        *(each.partition("=")[2] for each in query.split("&")),
    ]
    for secret in secrets:
        if secret:
            text = text.replace(secret, "…").replace(unquote(secret), "…")
    return text[:200]


def _table(source: Source, relation: str, profile: Profile) -> Table:
    with translated():
        types = source.types(relation)
    wanted = {name: COLUMNS[name] for name in RELATIONS[relation].columns}
    if relation == "ratings":
        wanted |= {"excluded": COLUMNS["excluded"]} | {f"aspect_{name}": ASPECT for name in aspects(profile)}
    for name in RELATIONS[relation].needs:
        if name not in types:
            raise Malformed(f"table {relation}", f"has no column {name} ({COLUMNS[name]})", code="NO_COLUMN")
    for name, type_ in wanted.items():
        _check_type(relation, name, type_, types.get(name))
    columns = {name: _column(name, type_, types, source.collate) for name, type_ in wanted.items()}
    if relation == "ratings":
        columns["excluded"] = f"coalesce({columns['excluded']}, FALSE)"
    rules = tuple(_rules(relation, {name: wanted[name] for name in wanted if name in types}))
    return Table(relation, columns, rules)


def _check_type(relation: str, name: str, type_: str, found: str | None) -> None:
    if found is None or name in HASHED:
        return
    fitting = _ANY_ID if name == "worker" else _FITTING[type_]
    if found not in fitting:
        raise Malformed(f"table {relation}, column {name}", f"is {found}: {type_} is needed", code="WRONG_TYPE")


def _column(name: str, type_: str, types: Mapping[str, str], collate: str) -> str:
    sql_type = "VARCHAR" if name in HASHED else type_
    text = collate if sql_type == "VARCHAR" else ""
    # TRY: the embedded database may cast before it has left out what cannot be cast. Elsewhere it is a plain cast.
    return f"TRY_CAST({identifier(name) if name in types else 'NULL'} AS {sql_type}){text}"


def _rules(relation: str, wanted: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """The rules for the columns that the table has, as conditions that hold for a row that breaks them."""
    for name in RELATIONS[relation].needs:
        empty = f"{name} IS NULL" + (f" OR CAST({name} AS VARCHAR) = ''" if wanted[name] == "VARCHAR" else "")
        yield f"({empty})", f"{relation}: {name} is empty"
    long = f"length(CAST(worker AS VARCHAR)) > {MAX_WORKER}"
    yield long, f"{relation}: the worker's id is longer than {MAX_WORKER} characters"
    for name, type_ in wanted.items():
        if type_ == "DATE":
            within = f"{name} NOT BETWEEN DATE '1990-01-01' AND DATE '2099-12-31'"
            yield within, f"{relation}: {name} is not a day between 1990 and 2099"
        if type_ == ASPECT:
            too_large, too_fine = _inexact(name)
            yield too_large, f"{relation}: {name} is out of range"
            yield too_fine, f"{relation}: {name} has more than 6 decimals"
        if words := CLOSED.get((relation, name)):
            listed = ", ".join(map(literal, words))
            yield f"{name} NOT IN ({listed})", f"{relation}: {name} is none of {', '.join(words)}"
        if name == "currency":
            code = f"(length({name}) <> 3 OR translate({name}, '{_CAPITALS}', '') <> '')"
            yield code, f"{relation}: not a currency code"
        if name in ("hours", "distance", "ratings"):
            yield f"{name} < 0", f"{relation}: {name} is below zero"


def _inexact(name: str) -> tuple[str, str]:
    """Conditions for what is too large for the canonical type (or no number at all), and for what has more decimals."""
    return f"NOT ({name} BETWEEN -{_MOST} AND {_MOST})", f"{name} <> TRY_CAST({name} AS {ASPECT})"


def _counts_sql(tables: Mapping[str, Table]) -> str:
    """What became of the rows of all tables. Columns: table, rule broken (0: none), currency, rows, rows whose money
    cannot be read, money."""
    return " UNION ALL ".join(
        f"""SELECT '{name}' AS relation, fate, currency, count(*) AS lines,
                   count(*) FILTER (WHERE amount IS NULL) AS unreadable,
                   CAST(coalesce(sum(amount), 0) AS {_EXACT}) AS money
            FROM (SELECT {table.fate} AS fate, {_money(name)} FROM {identifier(name)}) AS judged
            GROUP BY fate, currency"""
        for name, table in tables.items()
    )


def _money(relation: str) -> str:
    if relation != "pay":
        return "'?' AS currency, 0 AS amount"
    too_large, too_fine = _inexact("amount")
    amount = f"CASE WHEN {too_large} THEN NULL WHEN {too_fine} THEN NULL ELSE TRY_CAST(amount AS {ASPECT}) END"
    return f"coalesce(CAST(currency AS VARCHAR), '?') AS currency, {amount} AS amount"
