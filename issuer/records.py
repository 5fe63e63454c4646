"""Canonical records in DuckDB: every row of every file of an export, in columns that mean the same for all platforms.

A row is read once, by the profile's SQL, and is never dropped: its ``fate`` is 0 where it was understood, else the
number of the reason why it was not. The relations that statements are made from are views over these rows.
"""

# ruff: noqa: S608  (SQL is put together from the profile, which is SQL; data only ever enter as parameters)

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from operator import itemgetter
from typing import Any, Final

import duckdb

from issuer.canonical import ASPECT, COLUMNS, HASHED, RELATIONS
from issuer.exports import Batch, Layout
from issuer.profile import FileKind, Profile
from vc.errors import Malformed, Unsupported
from work.statement import MAX_WORKER

THREADS: Final = 2
MEMORY: Final = "2GB"  # some 10 million rows; more is refused, not swapped
_SEPARATOR: Final = "\x1f"  # the unit separator: no export has been seen to use it; in a value it becomes a space
MAX_SHOWN: Final = 80  # characters of a value that are kept to show why it was not understood

# Whatever a profile's SQL says: no file, no network, no other limits. Without a directory, nothing spills to the disk.
_CLOSED: Final = "SET temp_directory = ''; SET enable_external_access = false; SET lock_configuration = true"

# What profiles may call. Nothing is guessed: what is not spelt as the function says is NULL, and the row is rejected.
_MACROS: Final = r"""
CREATE MACRO day_of(t, form) AS
    CASE WHEN year(try_strptime(t, form)) BETWEEN 1990 AND 2099 THEN CAST(try_strptime(t, form) AS DATE) END;
CREATE MACRO number_of(t) AS
    CASE WHEN regexp_full_match(t, '[+-]?([0-9]{1,9}([.][0-9]*)?|[.][0-9]+)') THEN CAST(t AS DECIMAL(18,6)) END;
CREATE MACRO money_of(t, sign) AS
    CASE WHEN regexp_full_match(
        t, concat('[+-]?[', sign, ']?(([0-9]{1,9}|[0-9]{1,3}(,[0-9]{3}){1,2})([.][0-9]*)?|[.][0-9]+)'))
         THEN CAST(replace(replace(t, sign, ''), ',', '') AS DECIMAL(18,6)) END;
CREATE MACRO count_of(t) AS
    CASE WHEN regexp_full_match(t, '[0-9]{1,9}([.]0*)?') THEN CAST(regexp_extract(t, '[0-9]+') AS INTEGER) END;
CREATE MACRO flag_of(t) AS
    CASE WHEN lower(t) IN ('t', 'true', 'yes', '1') THEN TRUE WHEN lower(t) IN ('f', 'false', 'no', '0') THEN FALSE END;
"""


@dataclass(frozen=True, slots=True)
class Fate:
    """Why a row is not used. ``column`` is the file's column to blame, or empty; ``rejected``: not understood."""

    reason: str
    column: str
    rejected: bool


def connect() -> duckdb.DuckDBPyConnection:
    """An empty database in memory that can reach neither files nor the network."""
    connection = duckdb.connect(":memory:", config={"threads": THREADS, "memory_limit": MEMORY})
    connection.execute(_CLOSED)
    connection.execute(_MACROS)
    return connection


def run(
    connection: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    """Execute SQL, and fetch all of its result."""
    with _translated():
        return (connection.execute(sql, dict(values)) if values else connection.execute(sql)).fetchall()


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[tuple[Any, ...]]:
    """The result of a query, fetched a thousand rows at a time, beside other queries of this connection."""
    with _translated():
        cursor = connection.cursor().execute(sql)
        fetched = cursor.fetchmany(1000)
    while fetched:
        yield from fetched
        with _translated():
            fetched = cursor.fetchmany(1000)


@contextmanager
def _translated() -> Iterator[None]:
    """Raises :class:`Unsupported` beyond the memory limit, :class:`Malformed` where the profile's SQL is wrong."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise Unsupported("size of export", f"more than {MEMORY} of records", code="TOO_LARGE") from None
    except duckdb.Error as error:  # the only SQL that is not ours is the profile's
        raise Malformed("profile", str(error).partition("\n")[0], code="BAD_SQL") from None
    except RuntimeError as error:  # what the library makes of Ctrl-C
        if "interrupt" in str(error).lower():
            raise KeyboardInterrupt from None
        raise


def fates(kind: FileKind) -> tuple[Fate, ...]:
    """The reasons why rows of this kind are not used, first the one that applies first. The last one is repetition."""
    repeated = f"repeats an earlier row (same {', '.join(kind.unique)})"
    return (*(fate for fate, _ in _checks(kind)), Fate(repeated, "", rejected=False))


def create(connection: duckdb.DuckDBPyConnection, profile: Profile) -> None:
    """Empty tables for the rows, and the relations over them, for all kinds of files of a profile."""
    for place, kind in enumerate(profile.files):
        columns = ", ".join(f"{name} {type_}" for name, type_ in _columns(kind).items())
        run(
            connection,
            f"CREATE TABLE rows_{place} (file SMALLINT, line BIGINT, {columns},"
            " mark UHUGEINT, fate UTINYINT, detail VARCHAR)",
        )
        run(connection, f'CREATE VIEW "{kind.name}" AS SELECT * FROM rows_{place} WHERE fate = 0')
    for relation in RELATIONS:
        sources = [_source(relation, place, kind, profile) for place, kind in enumerate(profile.files)]
        if any(sources):
            run(connection, f"CREATE VIEW {relation} AS {' UNION ALL '.join(filter(None, sources))}")


def insert_sql(kind: FileKind, place: int, form: Layout) -> str:
    """The statement that reads one :class:`Batch`; parameters are made by :func:`insert`."""
    names = kind.names
    given = ", ".join(f"{_unpacked(f'c{at}')} AS c{at}" for at, name in enumerate(names) if name in form.places)
    cleaned = ", ".join(_cleaned(kind, at, name, known=name in form.places) for at, name in enumerate(names))
    raw = ", ".join(f"{_identifier(name)} AS r{at}" for at, name in enumerate(names))
    read = ", ".join(_read(kind, name, type_) for name, type_ in _columns(kind).items())
    mark = ", ".join(f"coalesce(r{names.index(name)}, chr(30))" for name in kind.unique)
    checks = _checks(kind)
    fate = " ".join(f"WHEN {condition} THEN {number}" for number, (_, condition) in enumerate(checks, 1))
    blamed = [(number, names.index(one.column)) for number, (one, _) in enumerate(checks, 1) if one.column]
    detail = " ".join(f"WHEN {number} THEN left(r{at}, {MAX_SHOWN})" for number, at in blamed)
    return f"""
        WITH given AS (SELECT CAST({_unpacked("lines")} AS BIGINT) AS ouvrage_line, {given}),
        cleaned AS (SELECT ouvrage_line, {cleaned} FROM given),
        understood AS (SELECT ouvrage_line, {raw}, {read} FROM cleaned),
        judged AS (SELECT *, CASE {fate} ELSE 0 END AS fate FROM understood)
        INSERT INTO rows_{place}
        SELECT $file, ouvrage_line, {", ".join(_columns(kind))},
            {f"md5_number(concat_ws(chr(31), {mark}))" if mark else "NULL"}, fate,
            {f"CASE fate {detail} END" if detail else "NULL"}
        FROM judged"""


def insert(
    connection: duckdb.DuckDBPyConnection, sql: str, form: Layout, batch: Batch, *, file: int, worker: str | None
) -> None:
    """Read a batch of rows of the ``file``-th file. ``worker`` is who it is about, where the file does not say so."""
    if not batch.rows:
        return
    names = form.kind.names
    places = {f"c{at}": form.places[name] for at, name in enumerate(names) if name in form.places}
    values = {parameter: _packed(map(itemgetter(place), batch.rows)) for parameter, place in places.items()}
    about = {} if worker is None else {"worker": worker}
    run(connection, sql, {"lines": _packed(map(str, batch.lines)), "file": file, **values, **about})


def _packed(column: Iterable[str]) -> str:
    """A column as one text, without the spaces around its values: a list of texts takes the database twice as long."""
    values = list(map(str.strip, column))
    packed = _SEPARATOR.join(values)
    if packed.count(_SEPARATOR) >= len(values):
        packed = _SEPARATOR.join(map(str.replace, values, repeat(_SEPARATOR), repeat(" ")))
    return packed


def _unpacked(parameter: str) -> str:
    return f"unnest(string_split(${parameter}, chr({ord(_SEPARATOR)})))"


def mark_repeated(connection: duckdb.DuckDBPyConnection, profile: Profile) -> None:
    """Set aside rows that were exported twice, in one file or in several: the first one stays."""
    for place, kind in enumerate(profile.files):
        again = f"SELECT 1 FROM rows_{place} WHERE fate = 0 GROUP BY mark HAVING count(*) > 1 LIMIT 1"
        if not kind.unique or not run(connection, again):
            continue
        run(
            connection,
            f"""UPDATE rows_{place} SET fate = {len(fates(kind))} WHERE rowid IN (
                SELECT id FROM (SELECT rowid AS id, row_number() OVER (PARTITION BY mark ORDER BY file, line) AS nth
                                FROM rows_{place} WHERE fate = 0) WHERE nth > 1)""",
        )


def tally_sql(place: int, kind: FileKind) -> str:
    """Counts of rows, and sums of the money in them, by what became of them.

    Columns: fate; whether any relation has the row; whether ``pay`` has it; the first ``leave_out`` rule that applies
    to it, and to it as pay (from 1; 0 for none); currency; rows; rejected rows without readable money; money.
    """
    kept = {relation: _kept(kind, relation) for relation in kind.feeds}
    rules = _first(kind.leave_out)
    pay_rules = _first(tuple(rule if "pay" in rule.of else None for rule in kind.leave_out))
    used = " OR ".join(f"({condition})" for condition in kept.values())
    money = "coalesce(currency, '?'), count(*), count(*) FILTER (amount IS NULL AND fate > 0), coalesce(sum(amount), 0)"
    counted = money if "pay" in kind.feeds else "'?', count(*), 0, CAST(0 AS DECIMAL(18,6))"
    return f"""
        SELECT fate, {used}, {kept.get("pay", "FALSE")}, {rules}, {pay_rules}, {counted}
        FROM rows_{place} GROUP BY ALL ORDER BY ALL"""


def _first(rules: Sequence[Any]) -> str:
    cases = " ".join(f"WHEN {rule.when} THEN {number}" for number, rule in enumerate(rules, 1) if rule)
    return f"CASE {cases} ELSE 0 END" if cases else "0"


def aspects(profile: Profile) -> tuple[str, ...]:
    """The sides of the work that a profile's files rate on their own."""
    return tuple(sorted({name for kind in profile.files for name in kind.aspects}))


def _columns(kind: FileKind) -> dict[str, str]:
    """The canonical columns that this kind of file has, with their types."""
    return {
        **{name: type_ for name, type_ in COLUMNS.items() if name in kind.columns},
        **{f"aspect_{name}": ASPECT for name in kind.aspects},
    }


def _shown(kind: FileKind, names: Iterable[str]) -> str:
    """Columns for a view, empty where this kind of file does not have them."""
    own = _columns(kind)
    return ", ".join(name if name in own else f"CAST(NULL AS {COLUMNS.get(name, ASPECT)}) AS {name}" for name in names)


def _expressions(kind: FileKind) -> dict[str, str]:
    return {**kind.columns, **{f"aspect_{name}": sql for name, sql in kind.aspects.items()}}


def _read(kind: FileKind, name: str, type_: str) -> str:
    expression = _expressions(kind)[name]
    if name in HASHED:
        return f"md5_number(CAST(({expression}) AS VARCHAR)) AS {name}"
    return f"TRY_CAST(({expression}) AS {type_}) AS {name}"


def _cleaned(kind: FileKind, at: int, name: str, *, known: bool) -> str:
    """A column as text; NULL for the ways in which exports write that there is nothing."""
    if not known:
        return f"CAST(NULL AS VARCHAR) AS {_identifier(name)}"
    nothing = ", ".join(map(_literal, ("", *kind.nulls)))
    return f"CASE WHEN c{at} NOT IN ({nothing}) THEN c{at} END AS {_identifier(name)}"


def _checks(kind: FileKind) -> list[tuple[Fate, str]]:
    """Each reason for rejecting a row with its SQL condition, over canonical columns and the raw ones (r0, r1 …)."""
    names = kind.names
    checks: list[tuple[Fate, str]] = []
    for name, expression in _expressions(kind).items():
        if sources := kind.sources(expression):
            given = "".join(f" AND r{names.index(source)} IS NOT NULL" for source in sources)
            checks.append((_fate(f"{', '.join(sources)} not understood", sources), f"{name} IS NULL{given}"))
    for relation, feed in kind.feeds.items():
        for name in RELATIONS[relation].needs:
            sources = kind.sources(kind.columns[name])
            checks.append((_fate(f"{', '.join(sources) or name} is empty", ()), f"({feed}) AND {name} IS NULL"))
    if len(kind.unique) == 1:  # what tells rows apart has to be there, or all rows without it would be one
        checks.append((_fate(f"{kind.unique[0]} is empty", ()), f"r{names.index(kind.unique[0])} IS NULL"))
    long = f"length(worker) > {MAX_WORKER}"
    checks.append((_fate(f"the worker's id is longer than {MAX_WORKER} characters", ()), long))
    if "currency" in kind.columns:
        checks.append((_fate("not a currency code", ()), "NOT regexp_full_match(currency, '[A-Z]{3}')"))
    checks += [(_fate(rule.reason, ()), f"({rule.when})") for rule in kind.reject]
    return checks


def _fate(reason: str, sources: Sequence[str]) -> Fate:
    return Fate(reason, sources[0] if len(sources) == 1 else "", rejected=True)


def _kept(kind: FileKind, relation: str) -> str:
    left = "".join(f" AND NOT coalesce(({rule.when}), FALSE)" for rule in kind.leave_out if relation in rule.of)
    return f"fate = 0 AND coalesce(({kind.feeds[relation]}), FALSE){left}"


def _source(relation: str, place: int, kind: FileKind, profile: Profile) -> str:
    """What one kind of file adds to a relation. Ratings that are left out stay in it, marked: they are counted."""
    if relation not in kind.feeds:
        return ""
    kept, columns = _kept(kind, relation), RELATIONS[relation].columns
    if relation != "ratings":
        return f"SELECT {_shown(kind, columns)} FROM rows_{place} WHERE {kept}"
    fed = f"fate = 0 AND coalesce(({kind.feeds[relation]}), FALSE)"
    sides = (f"aspect_{name}" for name in aspects(profile))
    return f"SELECT {_shown(kind, (*columns, *sides))}, NOT ({kept}) AS excluded FROM rows_{place} WHERE {fed}"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
