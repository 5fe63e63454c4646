"""Canonical records in DuckDB: every row of every file of an export, in columns that mean the same for all platforms.

A row is read once, by the profile's SQL, and is never dropped: its ``fate`` is 0 where it was understood, else the
number of the reason why it was not. The relations that statements are made from are views over these rows.
"""

# ruff: noqa: S608  (SQL is put together from the profile, which is SQL; data only ever enter as parameters)

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from operator import itemgetter
from typing import Any, Final

import duckdb

from issuer.canonical import ASPECT, CLOSED, COLUMNS, HASHED, RATED, RELATIONS
from issuer.clock import CLOCK_MACROS
from issuer.engine import Engine, identifier, literal, run
from issuer.exports import Batch, Layout
from issuer.macros import LOCAL_MACROS
from issuer.profile import FileKind, Profile
from issuer.topicchecks import topic_checks
from work.statement import MAX_WORKER

_SEPARATOR: Final = "\x1f"  # the unit separator: no export has been seen to use it; in a value it becomes a space
MAX_SHOWN: Final = 80  # characters of a value that are kept to show why it was not understood

# What profiles may call. Nothing is guessed: what is not spelt as the function says is NULL, and the row is rejected.
MACROS: Final = (
    r"""
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
    + CLOCK_MACROS
    + LOCAL_MACROS
)


@dataclass(frozen=True, slots=True)
class Fate:
    """Why a row is not used. The first of the file's ``columns`` that has a value is to blame; ``rejected``: not
    understood."""

    reason: str
    columns: tuple[str, ...]
    rejected: bool


def rows(engine: Engine, sql: str) -> Iterator[tuple[Any, ...]]:
    """The result of a query, beside other queries, without holding all of it."""
    return engine.rows(sql)


def fates(kind: FileKind) -> tuple[Fate, ...]:
    """The reasons why rows of this kind are not used, first the one that applies first. The last one is repetition."""
    same = ", ".join(dict.fromkeys(name for each in kind.unique for name in kind.sources(each) or (each,)))
    repeated = (
        f"is in an earlier file too (same {same})" if kind.equal == "kept" else f"repeats an earlier row (same {same})"
    )
    return (*(fate for fate, _ in _checks(kind)), Fate(repeated, (), rejected=False))


def create(connection: duckdb.DuckDBPyConnection, profile: Profile) -> None:
    """What profiles may call, empty tables for the rows, and the relations over them."""
    connection.execute(MACROS)
    for place, kind in enumerate(profile.files):
        columns = ", ".join(f"{name} {type_}" for name, type_ in _columns(kind).items())
        run(
            connection,
            f"CREATE TABLE rows_{place} (file SMALLINT, line BIGINT, {columns},"
            " mark UHUGEINT, fate UTINYINT, detail VARCHAR, ouvrage_part INTEGER)",
        )
        run(
            connection, f'CREATE VIEW "{kind.name}" AS SELECT * EXCLUDE (ouvrage_part) FROM rows_{place} WHERE fate = 0'
        )
    relate(connection, profile)


def relate(connection: duckdb.DuckDBPyConnection, profile: Profile, part: int | None = None) -> None:
    """Let the relations be over all rows, or over those of the workers of one ``part``."""
    within = "" if part is None else f" AND ouvrage_part = {part}"
    for relation in RELATIONS:
        sources = [_source(relation, place, kind, profile, within) for place, kind in enumerate(profile.files)]
        if any(sources):
            run(connection, f"CREATE OR REPLACE VIEW {relation} AS {' UNION ALL '.join(filter(None, sources))}")


def packed_sql(form: Layout) -> str:
    """The rows of one :class:`Batch` as a query; its parameters are made by :func:`insert`."""
    columns = ", ".join(f"{_unpacked(name)} AS {name}" for name in (raw_name(form.kind, each) for each in form.places))
    return f"SELECT CAST({_unpacked('lines')} AS BIGINT) AS ouvrage_line, {columns}"


def insert_sql(kind: FileKind, place: int, given: str, known: Container[str]) -> str:
    """The statement that reads the rows that the query ``given`` yields, whatever becomes of them.

    Its columns are ``ouvrage_line`` and, for the columns of the file that are ``known``, c0, c1 … by their place in
    ``kind.names``: text without spaces around it. ``$file`` is the number of the file.
    """
    names = kind.names
    cleaned = ", ".join(_cleaned(kind, at, name, known=name in known) for at, name in enumerate(names))
    raw = ", ".join(f"{identifier(name)} AS r{at}" for at, name in enumerate(names))
    read = ", ".join(_read(kind, name, type_) for name, type_ in _columns(kind).items())
    told = ", ".join(f"CAST({_told(kind, name)} AS VARCHAR) AS u{at}" for at, name in enumerate(kind.unique))
    marks = [f"coalesce(u{at}, chr(30))" for at in range(len(kind.unique))]
    mark = ", ".join([*marks, "$copy"] if marks and kind.unfold else marks)
    checks = _checks(kind)
    fate = " ".join(f"WHEN {condition} THEN {number}" for number, (_, condition) in enumerate(checks, 1))
    blamed = [
        (number, ", ".join(f"r{names.index(name)}" for name in one.columns))
        for number, (one, _) in enumerate(checks, 1)
        if one.columns
    ]
    detail = " ".join(f"WHEN {number} THEN left(coalesce({given}), {MAX_SHOWN})" for number, given in blamed)
    return f"""
        WITH given AS ({given}),
        cleaned AS (SELECT ouvrage_line, {cleaned} FROM given),
        understood AS MATERIALIZED (SELECT ouvrage_line, {raw}, {read}{f", {told}" if told else ""} FROM cleaned),
        judged AS (SELECT *, CASE {fate} ELSE 0 END AS fate FROM understood)
        INSERT INTO rows_{place}
        SELECT $file, ouvrage_line, {", ".join(_columns(kind))},
            {f"md5_number(concat_ws(chr(31), {mark}))" if mark else "NULL"}, fate,
            {f"CASE fate {detail} END" if detail else "NULL"}, NULL
        FROM judged"""


def _told(kind: FileKind, unique: str) -> str:
    """One of the things by which rows are told apart, in SQL over the columns of the file."""
    return f"({unique})" if kind.sources(unique) else identifier(unique)


def insert(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    form: Layout,
    batch: Batch,
    *,
    file: int,
    worker: str | None,
    zone: str | None = None,
    day: str | None = None,
) -> None:
    """Read a batch of rows of the ``file``-th file.

    ``worker`` is who it is about, ``zone`` where, and ``day`` the day that it is about, where the file does not say so.
    """
    if not batch.rows:
        return
    names = form.kind.names
    places = {f"c{at}": form.places[name] for at, name in enumerate(names) if name in form.places}
    values = {parameter: _packed(map(itemgetter(place), batch.rows)) for parameter, place in places.items()}
    said = {"worker": worker, "zone": zone, "day": day}
    about: dict[str, str | int | None] = {name: value for name, value in said.items() if form.kind.asks(name)}
    about |= {name: value for name, value in (("order", form.order), ("copy", form.copy)) if f"${name}" in sql}
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


def arrange(connection: duckdb.DuckDBPyConnection, profile: Profile, rows_in_part: int) -> list[int]:
    """Set rows aside that were exported twice, and lay the others together by worker where they are many.

    The first of equal rows stays, in one file or in several; where equal rows of one file are kept, it is the nth of
    them that an nth one in another file repeats. The parts that come back follow each other in the order
    of their workers, and each has some ``rows_in_part`` rows; a worker is never in two.
    """
    repeated = [_find_repeated(connection, place, kind) for place, kind in enumerate(profile.files)]
    parts = _part_workers(connection, profile, rows_in_part)
    for place, kind in enumerate(profile.files):
        if repeated[place] or len(parts) > 1:
            _rearrange(connection, place, kind)
    return parts


def _find_repeated(connection: duckdb.DuckDBPyConnection, place: int, kind: FileKind) -> bool:
    """Fill a table with the rows that repeat an earlier one; whether there are any."""
    run(connection, f"CREATE TABLE repeated_{place} (file SMALLINT, line BIGINT)")
    if not kind.unique:
        return False
    copy = "row_number() OVER (PARTITION BY mark, file ORDER BY line)" if kind.equal == "kept" else "1"
    sql = f"""
        INSERT INTO repeated_{place} SELECT DISTINCT file, line
        FROM (SELECT file, line, row_number() OVER (PARTITION BY mark, copy ORDER BY file, line) AS nth
              FROM (SELECT file, line, mark, {copy} AS copy
                    FROM rows_{place} WHERE fate = 0 AND mark IN (
                        SELECT mark FROM rows_{place} WHERE fate = 0 GROUP BY mark HAVING count(*) > 1)))
        WHERE nth > 1"""
    ((found,),) = run(connection, sql)
    return bool(found)


def _part_workers(connection: duckdb.DuckDBPyConnection, profile: Profile, rows_in_part: int) -> list[int]:
    all_rows = " UNION ALL ".join(f"SELECT worker FROM rows_{place}" for place in range(len(profile.files)))
    sql = f"""
        CREATE TABLE parted AS
        SELECT worker, CAST((sum(n) OVER (ORDER BY worker) - n) // {rows_in_part} AS INTEGER) AS part
        FROM (SELECT worker, count(*) AS n FROM ({all_rows}) WHERE worker IS NOT NULL GROUP BY worker)"""
    run(connection, sql)
    return [part for (part,) in run(connection, "SELECT DISTINCT part FROM parted ORDER BY part")]


def _rearrange(connection: duckdb.DuckDBPyConnection, place: int, kind: FileKind) -> None:
    """Written anew: rows updated in place would all be held in memory, and rows of one part lie side by side after."""
    fate = f"CASE WHEN again.line IS NULL OR given.fate > 0 THEN given.fate ELSE {len(fates(kind))} END AS fate"
    spared = "" if kind.equal == "kept" else "EXCLUDE (mark) "  # figures may ask which rows are equal
    run(
        connection,
        f"""CREATE TABLE arranged AS SELECT given.* {spared}REPLACE ({fate}, parted.part AS ouvrage_part)
            FROM rows_{place} AS given LEFT JOIN parted ON parted.worker = given.worker
            LEFT JOIN repeated_{place} AS again ON again.file = given.file AND again.line = given.line
            ORDER BY parted.part""",
    )
    run(connection, f"DROP TABLE rows_{place}")
    run(connection, f"ALTER TABLE arranged RENAME TO rows_{place}")


def tally_sql(place: int, kind: FileKind) -> str:
    """Counts of rows, and sums of the money in them, by what became of them.

    Columns: fate; whether any relation has the row; whether ``pay`` has it; the first ``leave_out`` rule that applies
    to it, and to it as pay (from 1; 0 for none); currency; rows; rejected rows without readable money; money.
    """
    conditions = {relation: kept(kind, relation) for relation in kind.feeds}
    rules = _first(kind.leave_out)
    pay_rules = _first(tuple(rule if "pay" in rule.of else None for rule in kind.leave_out))
    used = " OR ".join(f"({condition})" for condition in conditions.values())
    money = "coalesce(currency, '?'), count(*), count(*) FILTER (amount IS NULL AND fate > 0), coalesce(sum(amount), 0)"
    counted = money if "pay" in kind.feeds else "'?', count(*), 0, CAST(0 AS DECIMAL(18,6))"
    return f"""
        SELECT fate, {used}, {conditions.get("pay", "FALSE")}, {rules}, {pay_rules}, {counted}
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


def raw_name(kind: FileKind, name: str) -> str:
    """The name of a column of the file as a query for :func:`insert_sql` yields it."""
    return f"c{kind.names.index(name)}"


def _cleaned(kind: FileKind, at: int, name: str, *, known: bool) -> str:
    """A column as text; NULL for the ways in which exports write that there is nothing."""
    if not known:
        return f"CAST(NULL AS VARCHAR) AS {identifier(name)}"
    nothing = ", ".join(map(literal, ("", *kind.nulls)))
    return f"CASE WHEN c{at} NOT IN ({nothing}) THEN c{at} END AS {identifier(name)}"


def _checks(kind: FileKind) -> list[tuple[Fate, str]]:
    """Each reason for rejecting a row with its SQL condition, over canonical columns and the raw ones (r0, r1 …)."""
    names = kind.names
    checks: list[tuple[Fate, str]] = []
    for name, expression in _expressions(kind).items():
        if (sources := kind.sources(expression)) and name not in kind.inessential:
            given = "".join(f" AND r{names.index(source)} IS NOT NULL" for source in sources)
            checks.append((_fate(f"{', '.join(sources)} not understood", sources), f"{name} IS NULL{given}"))
    for relation, feed in kind.feeds.items():
        for name in filter(kind.columns.__contains__, RELATIONS[relation].needs):
            sources = kind.sources(kind.columns[name])
            listed = ", ".join(sources) or name
            why = f"none of {listed} tells the {name}" if len(sources) > 1 else f"{listed} is empty"
            checks.append((Fate(why, sources[1:] and sources, rejected=True), f"({feed}) AND {name} IS NULL"))
    if len(kind.unique) == 1:  # what tells rows apart has to be there, or all rows without it would be one
        checks.append((_fate(f"{', '.join(kind.sources(kind.unique[0]) or kind.unique)} is empty", ()), "u0 IS NULL"))
    long = f"length(worker) > {MAX_WORKER}"
    checks.append((_fate(f"the worker's id is longer than {MAX_WORKER} characters", ()), long))
    for (relation, name), words in CLOSED.items():
        if relation in kind.feeds and name in kind.columns:
            other = f"({kind.feeds[relation]}) AND {name} NOT IN ({', '.join(map(literal, words))})"
            checks.append((_fate(f"{name} is none of {', '.join(words)}", ()), other))
    if "currency" in kind.columns:
        checks.append((_fate("not a currency code", ()), "NOT regexp_full_match(currency, '[A-Z]{3}')"))
    checks += [(_fate(reason, ()), when) for relation in kind.feeds for reason, when in topic_checks(kind, relation)]
    checks += [(Fate(rule.reason, rule.columns, rejected=True), f"({_raw(kind, rule.when)})") for rule in kind.reject]
    return checks


def _raw(kind: FileKind, when: str) -> str:
    """The condition of a rule, in which columns of the file stand in double quotes, beside canonical ones."""
    for name in kind.sources(when):
        when = when.replace(identifier(name), f"r{kind.names.index(name)}")
    return when


def _fate(reason: str, sources: Sequence[str]) -> Fate:
    return Fate(reason, tuple(sources) if len(sources) == 1 else (), rejected=True)


def kept(kind: FileKind, relation: str) -> str:
    """The SQL condition for rows of a file that a relation has."""
    left = "".join(f" AND NOT coalesce(({rule.when}), FALSE)" for rule in kind.leave_out if relation in rule.of)
    return f"fate = 0 AND coalesce(({kind.feeds[relation]}), FALSE){left}"


def _source(relation: str, place: int, kind: FileKind, profile: Profile, within: str) -> str:
    """What one kind of file adds to a relation. Ratings that are left out stay in it, marked: they are counted."""
    if relation not in kind.feeds:
        return ""
    condition, columns = kept(kind, relation), RELATIONS[relation].columns
    sides = tuple(f"aspect_{name}" for name in aspects(profile)) if relation in RATED else ()
    shown = _shown(kind, (*columns, *sides))
    if relation != "ratings":
        return f"SELECT {shown} FROM rows_{place} WHERE {condition}{within}"
    fed = f"fate = 0 AND coalesce(({kind.feeds[relation]}), FALSE)"
    return f"SELECT {shown}, NOT ({condition}) AS excluded FROM rows_{place} WHERE {fed}{within}"
