"""Exports that do not fit: Parquet, parts, rows on the disk, statements that stream; and Parquet that is none."""

import stat
import tempfile
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from issuer import engine
from issuer.attest import Attested, attest, attesting
from issuer.engine import database, run
from issuer.intake import Progress
from issuer.profile import Profile, load_profile
from issuer.store import Store
from tests.cli import ouvrage
from vc.errors import Malformed, Rejected, Undetermined, VcError

RECORDS = load_profile("records")
JOBS = """SELECT 'w' || (i % 7) AS worker, DATE '2024-05-01' + CAST(i % 300 AS INTEGER) AS day, 'j' || (i // 2) AS job,
                 CAST(i % 9 AS DECIMAL(9,4)) / 4 AS hours, CAST(i AS DECIMAL(12,3)) / 8 AS amount, 'EUR' AS currency
          FROM range({count}) AS t(i)"""
UPWORK = ("Date", "Contract", "Hours", "Amount", "Payment type")


def parquet(path: Path, sql: str, options: str = "") -> Path:
    duckdb.sql(f"COPY ({sql}) TO '{path}' (FORMAT parquet{options})")
    return path


def jobs(folder: Path, count: int = 700) -> Path:
    return parquet(folder / "jobs.parquet", JOBS.format(count=count))


def made_from(profile: Profile, *paths: Path, rows_in_part: int = 2_000_000) -> Attested:
    return attest(profile, paths, salt=bytes(32), rows_in_part=rows_in_part)


# Parquet is read as CSV is.


def test_the_same_rows_in_csv_and_in_parquet_state_the_same(tmp_path: Path) -> None:
    rows = JOBS.format(count=700)
    duckdb.sql(f"COPY ({rows}) TO '{tmp_path}/jobs.csv' (HEADER)")
    text, binary = made_from(RECORDS, tmp_path / "jobs.csv"), made_from(RECORDS, jobs(tmp_path))
    assert text.statements == binary.statements
    assert text.reconciliation.money_in == binary.reconciliation.money_in
    assert binary.reconciliation.left_out[0].reason == "repeats an earlier row (same job)"
    assert (binary.reconciliation.rows_in, binary.reconciliation.left_out[0].rows) == (700, 350)


def test_any_profile_reads_parquet(tmp_path: Path) -> None:
    values = [
        ("' 2024-05-02\u00a0'", "'Map (1)'", "2.0::DOUBLE", "'50'", "NULL"),
        ("'2024-05-03'", "'Map'||chr(31)||'(1)'", "1", "'25,5'", "''"),
        ("'2024-05-04'", "'Map (1)'", "'NaN'::DOUBLE", "'1'", "'NULL'"),
    ]
    union = " UNION ALL ".join(
        "SELECT " + ", ".join(f'{value} AS "{name}"' for name, value in zip(UPWORK, row, strict=True)) for row in values
    )
    made = made_from(load_profile("upwork"), parquet(tmp_path / "report.parquet", union))
    assert [(one.line, one.reason, one.value) for one in made.rejects] == [
        (2, "Amount not understood", "25,5"), (3, "Hours not understood", "nan")
    ]  # fmt: skip
    assert made.reconciliation.rows_used == 1
    assert {one.worker for one in made.statements} == {"report"}


def test_typed_columns_mean_what_their_text_means(tmp_path: Path) -> None:
    sql = """SELECT 12 AS worker, TIMESTAMP '2024-05-02 00:00:00' AS day, '\\x41'::BLOB AS job, 1.5::FLOAT AS hours,
                    10::UTINYINT AS amount, 'EUR'::ENUM('EUR', 'USD') AS currency"""
    made = made_from(RECORDS, parquet(tmp_path / "x.parquet", sql))
    assert {(one.type, one.worker) for one in made.statements} == {("Earnings", "12"), ("WorkHistory", "12")}


def test_names_of_files_mean_nothing_to_the_database(tmp_path: Path) -> None:
    folder = tmp_path / "worker=me" / "[a]*?"
    folder.mkdir(parents=True)
    jobs(tmp_path, 10).rename(folder / "x'y.parquet")
    assert made_from(RECORDS, folder / "x'y.parquet").reconciliation.rows_in == 10


# However many rows are looked at together.


@pytest.mark.parametrize("rows_in_part", [1, 100, 101, 1_000_000])
def test_parts_do_not_change_what_is_stated(tmp_path: Path, rows_in_part: int) -> None:
    other = parquet(tmp_path / "other.parquet", JOBS.format(count=500).replace("'w' ||", "'W' ||"))
    parted = made_from(RECORDS, jobs(tmp_path), other, rows_in_part=rows_in_part)
    whole = made_from(RECORDS, jobs(tmp_path), other)
    assert parted == whole
    order = [(one.worker, one.type) for one in parted.statements]
    assert order == sorted(order)


@pytest.mark.parametrize("name", ["upwork", "airbnb", "figure_eight"])
def test_parts_do_not_change_what_other_profiles_state(name: str) -> None:
    path = next(Path("examples").rglob(f"{name}_*.csv"))
    profile = load_profile(name.replace("_", "-"))
    parted, whole = made_from(profile, path, rows_in_part=100), made_from(profile, path)
    assert parted == whole


def test_what_all_rows_tell_is_told_in_every_part(tmp_path: Path) -> None:
    """Zero accepted jobs are stated only of an export that tells of accepted ones."""
    ended = "SELECT 'w' || i AS worker, DATE '2024-05-02' AS day, i AS job, if(i = 3, 'accepted', 'completed') AS ended"
    path = parquet(tmp_path / "x.parquet", f"{ended} FROM range(5) AS t(i)")
    made = made_from(RECORDS, path, rows_in_part=1)
    assert [one.claims["jobsAccepted"] for one in made.statements] == ["0", "0", "0", "1", "0"]


# Memory, the disk, and what is left there.


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of our own for temporary files."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_rows_on_the_disk_are_private_and_gone_at_the_end(tmp_path: Path, temporary: Path) -> None:
    path = jobs(tmp_path)
    with attesting(RECORDS, [path], rows_in_part=100) as made:
        (folder,) = temporary.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert (folder / "rows.duckdb").is_file()
        assert sum(1 for _ in made.statements()) == 14
    assert list(temporary.iterdir()) == []


def test_rows_on_the_disk_are_gone_after_an_error(tmp_path: Path, temporary: Path) -> None:
    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attest(RECORDS, [jobs(tmp_path)], rows_in_part=100, progress=interrupt)
    assert list(temporary.iterdir()) == []


def test_what_does_not_fit_in_memory_spills_into_the_private_folder(temporary: Path) -> None:
    with database(on_disk=True, memory="64MB") as opened:
        run(opened.connection, "CREATE TABLE t AS SELECT md5(i::VARCHAR) AS k FROM range(2_000_000) AS r(i)")
        assert run(opened.connection, "SELECT count(*) FROM (SELECT k, count(*) FROM t GROUP BY k)") == [(2_000_000,)]
    assert list(temporary.iterdir()) == []


def test_no_folder_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(Undetermined, match="set TMPDIR"):
        made_from(RECORDS, tmp_path / "x.csv")


def test_a_profile_cannot_write_and_reads_nothing_else(tmp_path: Path) -> None:
    path, other = jobs(tmp_path), tmp_path / "other.parquet"
    other.write_bytes(path.read_bytes())
    before = path.read_bytes()
    shipped = (Path("issuer") / "profiles" / "records.toml").read_text(encoding="utf-8")
    for sql in (
        f"SELECT 1; COPY (SELECT 1) TO '{path}'",
        f"SELECT count(*) FROM read_parquet('{other}')",
        f"SELECT count(*) FROM glob('{tmp_path}/*')",
        "SELECT 1; SET memory_limit = '64GB'",
        "ATTACH ':memory:' AS x",
        f"COPY (SELECT 1) TO '{path}'; SELECT 1",
    ):
        text = f'{shipped}\n[[figures]]\nlabel = "x"\nsql = """{sql}"""\n'
        profile = Profile.parse(text.encode(), where="test")
        with pytest.raises(Malformed) as refused:
            made_from(profile, path)
        assert refused.value.code == "BAD_SQL"
    assert path.read_bytes() == before


# Nothing is attested if it does not add up.


def test_a_run_that_does_not_add_up_leaves_store_and_file_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = jobs(tmp_path)
    with Store.open(tmp_path / "x.db") as store:
        with attesting(RECORDS, [path]) as made:
            assert store.add_statements(made.statements(), source="records").new == 14
        monkeypatch.setattr("issuer.attest.Tally.add", lambda *_: None)
        more = jobs(tmp_path, 900)
        with pytest.raises(Rejected, match="accounted for"), attesting(RECORDS, [more]) as made:
            store.add_statements(made.statements(), source="records")
        monkeypatch.undo()
        with attesting(RECORDS, [jobs(tmp_path)]) as made:
            assert store.add_statements(made.statements(), source="records").unchanged == 14


def test_the_reconciliation_is_known_at_the_end_only(tmp_path: Path) -> None:
    with attesting(RECORDS, [jobs(tmp_path)]) as made:
        statements = made.statements()
        next(statements)
        with pytest.raises(ValueError, match="to their end"):
            _ = made.reconciliation
        tuple(statements)
        assert made.reconciliation.statements == {"Earnings": 7, "WorkHistory": 7}


def test_the_command_streams_to_a_file(tmp_path: Path) -> None:
    path, out = jobs(tmp_path), tmp_path / "statements.jsonl"
    done = ouvrage(tmp_path, "issuer", "attest", "--profile", "records", "--out", out, "--json", path)
    assert (done.json["new"], len(out.read_bytes().splitlines())) == (14, 14)
    assert done.err == ""
    again = ouvrage(tmp_path, "issuer", "attest", "--profile", "records", "--out", tmp_path, "--json", path, ok=False)
    assert again.code in (2, 3)
    assert ouvrage(tmp_path, "issuer", "attest", "--profile", "records", "--json", path).json["unchanged"] == 14


def test_progress_is_told_for_every_stage(tmp_path: Path) -> None:
    told = list[Progress]()
    attest(RECORDS, [jobs(tmp_path)], progress=told.append)
    assert list(dict.fromkeys(step.stage for step in told)) == ["reading", "sorting", "stating"]
    assert (told[-1].done, told[-1].total) == (7, 7)
    assert told[0].done == told[0].total == (tmp_path / "jobs.parquet").stat().st_size


# Files that only seem to be Parquet.


def test_what_is_not_parquet_is_refused_in_one_line(tmp_path: Path) -> None:
    good = jobs(tmp_path).read_bytes()
    path = tmp_path / "x.parquet"
    wrong: dict[str, tuple[bytes, str]] = {
        "empty": (b"", "is not a Parquet file"),
        "text": (b"worker,day\n", "is not a Parquet file"),
        "encrypted": (b"PARE" + good[4:], "is encrypted"),
        "magic only": (b"PAR1", "is not readable as Parquet"),
        "cut off": (good[:-20], "is not readable as Parquet"),
        "half": (good[: len(good) // 2] + good[-8:], "is not readable as Parquet"),
        "footer of 4 GB": (good[:-8] + b"\xff\xff\xff\xff" + b"PAR1", "is not readable as Parquet"),
    }
    for data, reason in wrong.values():
        path.write_bytes(data)
        with pytest.raises(Malformed) as refused:
            made_from(RECORDS, path)
        assert str(refused.value).startswith(str(path))
        assert reason in str(refused.value)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT 1 AS a", "not an export for profile records: without worker"),
        (JOBS.format(count=5).replace("'EUR' AS currency", "['EUR'] AS currency"), "column 'currency' is nested"),
        (JOBS.format(count=5).replace("'EUR' AS currency", "{'a': 1} AS currency"), "column 'currency' is nested"),
        (JOBS.format(count=0), "is empty"),
        (JOBS.format(count=5000).replace("DATE '2024-05-01'", "DATE '1024-05-01'"), "too few of 5000 rows"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path: Path, sql: str, message: str) -> None:
    with pytest.raises(Malformed) as refused:
        made_from(RECORDS, parquet(tmp_path / "x.parquet", sql))
    assert message in str(refused.value)


def test_another_profile_is_named_where_it_fits(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="profile records would fit"):
        made_from(load_profile("airbnb"), jobs(tmp_path))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_parquet_is_our_error_or_still_adds_up(tmp_path: Path, data: st.DataObject) -> None:
    good = bytearray(jobs(tmp_path, 50).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(4, len(good) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "x.parquet"
    path.write_bytes(good)
    made = outcome(path)
    if isinstance(made, Attested):
        made.reconciliation.check()
    else:
        assert any(word in str(made) for word in (str(path), "reconcile", "worker"))


def outcome(path: Path) -> Attested | VcError:
    try:
        return made_from(RECORDS, path)
    except VcError as refused:
        return refused


def test_a_list_of_limits_is_what_the_database_has(tmp_path: Path) -> None:
    path = jobs(tmp_path)
    with database([path]) as opened:
        names = "'lock_configuration', 'enable_external_access'"
        found = run(opened.connection, f"SELECT name, value FROM duckdb_settings() WHERE name IN ({names})")
        assert dict(found) == {"lock_configuration": "true", "enable_external_access": "false"}
        assert run(opened.connection, f"SELECT count(*) FROM read_parquet('{opened.files[path]}')") == [(700,)]
        with pytest.raises(Malformed):
            run(opened.connection, "SET memory_limit = '64GB'")
    assert engine.MEMORY == "2GB"
