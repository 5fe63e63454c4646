"""The platform's own engine: the same records give the same bytes in DuckDB and in PostgreSQL, and errors say where."""

import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from issuer.attest import Attested, Run, attesting_tables
from issuer.profile import load_profile
from issuer.warehouse import open_warehouse
from tests.cli import ouvrage
from tests.engines import WORKERS, Tables, made_up, postgres, write_duckdb, write_postgres
from vc.canon import canonicalize
from vc.errors import Malformed, Undetermined, Unsupported, VcError

RELATIONS = ("membership", "jobs", "pay", "ratings")
RECORDS = load_profile("records")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    pytest.importorskip("ibis", reason="the extra `engines` is not installed")
    with postgres() as url:
        yield url


def collect(run: Run) -> Attested:
    return Attested(tuple(run.statements()), run.rejects, run.reconciliation)


def attested(url: str, workers_in_part: int = 7) -> Attested:
    with attesting_tables(RECORDS, url, workers_in_part=workers_in_part) as run:
        return collect(run)


def outcome(url: str) -> list[bytes] | str:
    """The statements as bytes and the reconciliation, or the error that there is instead."""
    try:
        made = attested(url)
    except VcError as error:
        return str(error)
    return [*(canonicalize(one.to_json()) for one in made.statements), canonicalize(made.reconciliation.to_json())]


@settings(
    max_examples=5, phases=(Phase.generate,), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32), count=st.sampled_from([1, 5, 60, 400]), hidden=st.sampled_from(["", "job", "ended"]))
def test_both_engines_state_the_same_bytes(tmp_path: Path, server: str, seed: int, count: int, hidden: str) -> None:
    tables = made_up(seed, RELATIONS, count, frozenset({hidden}))
    ours, theirs = (outcome(write_duckdb(tmp_path / "x.duckdb", tables)), outcome(write_postgres(server, tables)))
    assert ours == theirs
    assert len(ours) > 1


def test_text_compares_by_code_points_whatever_the_server_does(server: str) -> None:
    """Servers that sort by language need not be had here; so the SQL is looked at."""
    write_postgres(server, made_up(1, ["membership"], 1))
    with open_warehouse(server, RECORDS) as opened:
        shown = opened.tables["membership"].sql("")
        parts, _ = opened.parts(1)
        assert all(f'AS VARCHAR) COLLATE "C" AS {name}' in shown for name in ("worker", "kind", "tier"))
        assert 'CAST(worker AS VARCHAR) COLLATE "C" >= ' in parts[0]._within()


def test_all_relations_are_stated_in_the_order_of_code_points(tmp_path: Path, server: str) -> None:
    tables = made_up(1, RELATIONS, 3000)
    made = attested(write_postgres(server, tables))
    assert set(made.reconciliation.statements) >= {"PlatformMembership", "WorkHistory", "Earnings", "Rating"}
    workers = [one.worker for one in made.statements if one.type == "WorkHistory"]
    assert workers == sorted(WORKERS)
    assert [(one.worker, one.type) for one in made.statements] == sorted(
        (one.worker, one.type) for one in made.statements
    )
    paid = sum((row[2] for row in tables["pay"][1]), Decimal())
    assert sum(made.reconciliation.money_in.values()) == paid
    assert made.reconciliation.rows_used == made.reconciliation.rows_in == 12_000


@pytest.mark.parametrize("workers_in_part", [1, 4, 1000])
def test_parts_do_not_change_what_is_stated(tmp_path: Path, workers_in_part: int) -> None:
    url = write_duckdb(tmp_path / "x.duckdb", made_up(2, RELATIONS, 300))
    assert attested(url, workers_in_part).statements == attested(url).statements


def test_a_table_or_column_that_is_missing_is_not_stated(tmp_path: Path) -> None:
    url = write_duckdb(tmp_path / "x.duckdb", made_up(3, ["jobs"], 50, frozenset({"hours", "job", "client"})))
    made = attested(url)
    assert {one.type for one in made.statements} == {"WorkHistory"}
    assert all("totalDurationHours" not in one.claims for one in made.statements)


def test_numbers_of_jobs_may_be_of_any_type(server: str) -> None:
    tables: Tables = {
        "jobs": (["worker", "day", "job"], [("w", "2024-05-02", 7), ("w", "2024-05-03", 7), ("w", "2024-05-03", 8)])
    }
    (made,) = attested(write_postgres(server, tables, {"job": "BIGINT"})).statements
    assert made.claims["jobsCompleted"] == "2"


def test_rows_that_break_a_rule_are_left_out_with_reason_and_money(tmp_path: Path, server: str) -> None:
    rows = [
        ("w", "2024-05-02", "10.005", "EUR"),
        ("w", None, "1", "EUR"),
        (None, "2024-05-02", "2", "EUR"),
        ("", "2024-05-02", "4", "EUR"),
        ("w" * 257, "2024-05-02", "8", "EUR"),
        ("w", "1889-05-02", "16", "EUR"),
        ("w", "2024-05-02", "32", "eur"),
        ("w", "2024-05-02", "0.0000005", "EUR"),
        ("w", "2024-05-02", "1e20", "EUR"),
        ("w", "2024-05-02", None, "EUR"),
    ]
    tables = {"pay": (["worker", "day", "amount", "currency"], rows)}
    made = [
        attested(write_duckdb(tmp_path / "x.duckdb", tables, {"amount": "DECIMAL(38,10)"})),
        attested(write_postgres(server, tables, {"amount": "NUMERIC"})),
    ]
    assert made[0] == made[1]
    found = made[0].reconciliation
    assert (found.rows_in, found.rows_used, found.unreadable) == (10, 1, 3)
    assert {lot.reason: dict(lot.money) for lot in found.rejected if any(lot.money.values())} == {
        "pay: day is empty": {"EUR": Decimal(1)},
        "pay: worker is empty": {"EUR": Decimal(6)},
        "pay: the worker's id is longer than 256 characters": {"EUR": Decimal(8)},
        "pay: day is not a day between 1990 and 2099": {"EUR": Decimal(16)},
        "pay: not a currency code": {"eur": Decimal(32)},
    }
    assert found.money_in["EUR"] == Decimal("41.005")
    (earnings,) = made[0].statements
    assert earnings.claims["total"] == "10.00"
    assert found.rounding["EUR"] == Decimal("0.005")


def test_what_is_no_number_is_left_out(server: str) -> None:
    rows = [("w", "2024-05-02", "10", "EUR"), ("w", "2024-05-02", "NaN", "EUR"), ("w", "2024-05-02", "Infinity", "EUR")]
    tables = {"pay": (["worker", "day", "amount", "currency"], rows)}
    made = attested(write_postgres(server, tables, {"amount": "NUMERIC"}))
    assert [(lot.reason, lot.rows) for lot in made.reconciliation.rejected] == [("pay: amount is out of range", 2)]


PAY = ["worker", "day", "amount", "currency"]


@pytest.mark.parametrize(
    ("columns", "types", "message"),
    [
        (["worker", "day", "currency"], {}, "table pay: has no column amount (DECIMAL(18,6))"),
        (PAY, {"amount": "DOUBLE PRECISION"}, "table pay, column amount: is double: DECIMAL(18,6) is needed"),
        (PAY, {"day": "TIMESTAMP"}, "table pay, column day: is timestamp: DATE is needed"),
        (PAY, {"currency": "BOOLEAN"}, "table pay, column currency: is boolean: VARCHAR is needed"),
        ([*PAY, "part"], {"part": "INTEGER"}, "table pay, column part: is integer: VARCHAR is needed"),
    ],
)  # fmt: skip
def test_tables_that_are_not_canonical_are_named(
    tmp_path: Path, server: str, columns: list[str], types: dict[str, str], message: str
) -> None:
    tables: Tables = {"pay": (columns, [])}
    for url in (write_duckdb(tmp_path / "x.duckdb", tables, types), write_postgres(server, tables, types)):
        with pytest.raises(Malformed) as refused:
            attested(url)
        assert str(refused.value) == message


def test_an_engine_without_tables_or_without_rows(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="none of the tables membership, jobs, pay, ratings"):
        attested(write_duckdb(tmp_path / "x.duckdb", {}))
    with pytest.raises(Malformed, match="no row can be used"):
        attested(write_duckdb(tmp_path / "x.duckdb", made_up(1, ["jobs"], 0)))


def test_the_engine_is_read_and_not_written_to(server: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    write_postgres(server, made_up(4, RELATIONS, 20))
    look = "SELECT relname FROM pg_class WHERE relnamespace <> 'pg_catalog'::regnamespace ORDER BY relname"
    with psycopg.connect(server) as connection:
        before = connection.execute(look).fetchall()
    with attesting_tables(RECORDS, server) as run:
        tuple(run.statements())
        with psycopg.connect(server) as connection:
            assert connection.execute(look).fetchall() == before


def test_what_happens_in_the_engine_meanwhile_is_not_seen(server: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    tables = made_up(5, RELATIONS, 100)
    before = attested(write_postgres(server, tables))
    with attesting_tables(RECORDS, server, workers_in_part=2) as run:
        made = run.statements()
        first = next(made)
        with psycopg.connect(server) as connection:
            connection.execute("DELETE FROM pay")
            connection.execute("UPDATE jobs SET hours = 1")
        assert (first, *made) == before.statements


SECRET = "only-this-platform-knows"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://user:{SECRET}@127.0.0.1:1/records",
        f"postgresql://127.0.0.1:1/records?user=user&password={SECRET}",
        f"postgresql://user:{SECRET}@:port/records",
        f"postgresql://user:{SECRET}@[::1/records",
    ],
)
def test_a_password_is_in_no_error(url: str) -> None:
    with pytest.raises((Undetermined, Malformed)) as refused:
        attested(url)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("url", ["mysql://h/d", "records.duckdb", ""])
def test_engines_that_are_not_tested_are_refused(url: str) -> None:
    with pytest.raises(Unsupported, match="there are postgresql, postgres, duckdb"):
        attested(url)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    path.write_bytes(b"x" * 100_000)
    with pytest.raises(Undetermined, match="cannot be reached"):
        attested(f"duckdb://{path}")
    with pytest.raises(Undetermined, match="cannot be reached"):
        attested(f"duckdb://{tmp_path}/none.duckdb")


def test_the_command_attests_from_an_engine(tmp_path: Path) -> None:
    url = write_duckdb(tmp_path / "x.duckdb", made_up(6, RELATIONS, 200))
    done = ouvrage(tmp_path, "issuer", "attest", "--profile", "records", "--engine", url, "--json")
    assert done.json["new"] == sum(done.json["reconciliation"]["statements"].values()) > 50
    assert done.err == ""
    both = ouvrage(tmp_path, "issuer", "attest", "--profile", "records", "--engine", url, "x.parquet", ok=False)
    assert (both.code, "files or an engine" in both.err) == (2, True)


def test_attesting_files_loads_no_engine() -> None:
    code = "import issuer.attest, sys; print({'ibis', 'pandas', 'pyarrow', 'sqlglot', 'psycopg'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
