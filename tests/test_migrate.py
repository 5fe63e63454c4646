"""Migrations: from nothing and from the former format to the tables of today, back, and up again, on both databases."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from issuer.bulk import sign_batch
from issuer.copies import Job, sign_copy
from issuer.database import Database
from issuer.migrate import HEAD, REVISIONS, Version, alembic_config, migrate, read_version, steps
from issuer.store import Store
from issuer.tables import CREDENTIAL, METADATA, SETTING, STATUS_ENTRY
from tests.cli import ouvrage
from tests.databases import new_postgres_database, sample_copies, sample_statements
from tests.line import AT, holder_key, issuer_keys, rand_from
from tests.work_samples import MEMBERSHIP, RATING
from vc.errors import Malformed, Rejected, Undetermined, Unsupported
from work.statement import Statement

# The former format, as it was.
FORMER = """
CREATE TABLE statement (
    digest TEXT PRIMARY KEY, source TEXT NOT NULL, worker TEXT NOT NULL, type TEXT NOT NULL, topic TEXT NOT NULL,
    body TEXT NOT NULL, UNIQUE (source, worker, type, topic)) STRICT;
CREATE TABLE holder_key (
    worker TEXT NOT NULL, position INTEGER NOT NULL, did TEXT NOT NULL UNIQUE, PRIMARY KEY (worker, position)) STRICT;
CREATE TABLE credential (
    digest TEXT NOT NULL, holder TEXT NOT NULL, valid_until TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (digest, holder)) STRICT, WITHOUT ROWID;
CREATE INDEX statement_by_worker ON statement (worker);
PRAGMA user_version=2;
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    """The address of a database with nothing in it at all."""
    if request.param == "sqlite":
        yield tmp_path / "issuer.db"
        return
    with new_postgres_database(request.getfixturevalue("postgres_server")) as url:
        yield url


def to(address: Path | str, revision: str, *, discard: bool = False) -> Version:
    with Database.connect(address, batch=True) as database:
        return migrate(database, revision, discard=discard)


def everything(address: Path | str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables."""
    with Database.connect(address) as database, database.read() as connection:
        found = sa.MetaData()
        found.reflect(connection)
        return {
            name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
            for name, table in found.tables.items()
        }


def differences(address: Path | str) -> list[Any]:
    """What Alembic would still change to have exactly our tables."""
    with Database.connect(address) as database, database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, METADATA))


def schema(address: Path | str) -> set[str]:
    """All that the database itself says of its tables, columns, constraints and indexes."""
    with Database.connect(address) as database, database.read() as connection:
        if database.is_sqlite:
            listed = connection.exec_driver_sql("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")
            return {" ".join(str(sql).split()) for (sql,) in listed}
        columns = connection.exec_driver_sql(
            "SELECT table_name, column_name, data_type, is_nullable, collation_name, column_default "
            "FROM information_schema.columns WHERE table_schema = 'public'"
        ).all()
        indexes = connection.exec_driver_sql("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'").all()
        return {repr(tuple(row)) for row in (*columns, *indexes)}


def test_the_steps_are_those_that_are_shipped() -> None:
    script = ScriptDirectory.from_config(alembic_config())
    assert tuple(step.revision for step in script.walk_revisions())[::-1] == REVISIONS


def test_migrating_from_nothing_gives_exactly_the_tables_of_today(bare: Path | str) -> None:
    for revision in REVISIONS:
        to(bare, revision)
    assert differences(bare) == []
    migrated = schema(bare)
    with Database.connect(bare) as database, database.write() as connection:
        METADATA.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE alembic_version")
    Database.open(bare).close()
    assert differences(bare) == []
    assert schema(bare) == migrated


def filled(address: Path | str) -> None:
    """A database of today with statements, keys and copies, as the former format can hold them."""
    with Store.open(address) as store:
        sample_statements(store.database, "w")
        sample_statements(store.database, "x")
        store.register_keys("w", [holder_key("a").did, holder_key("b").did])
        work = partial(sign_batch, keys=issuer_keys(), at=AT, rand=rand_from("migrate"))
        assert sample_copies(store.database, work, at=AT.replace(hour=0, minute=0)) == 12


def test_down_and_up_again_keeps_everything(bare: Path | str) -> None:
    filled(bare)
    before = everything(bare)
    assert to(bare, "0001").revision == HEAD
    former = everything(bare)
    assert set(former) == {"statement", "holder_key", "credential", "alembic_version"}
    assert [len(former[name]) for name in ("statement", "holder_key", "credential")] == [8, 2, 12]
    assert to(bare, HEAD).revision == "0001"
    assert everything(bare) == before
    assert differences(bare) == []


def test_going_back_does_not_lose_what_the_older_tables_cannot_hold(bare: Path | str) -> None:
    filled(bare)
    with Database.open(bare) as database, database.write() as connection:
        entry = {"decoy": False, "revoked": True, "suspended": False, "contested": False}
        connection.execute(STATUS_ENTRY.insert().values(list="l", place=1, **entry))
        connection.execute(CREDENTIAL.update().where(CREDENTIAL.c.holder == "").values(body=None))
        connection.execute(SETTING.insert().values(name="base", value="https://platform.example"))
    before = everything(bare)
    with pytest.raises(Rejected, match="4 of credential, 1 of status_entry") as caught:
        to(bare, "0001")
    assert caught.value.code == "DATA_WOULD_BE_LOST"
    assert everything(bare) == before
    to(bare, "0001", discard=True)
    assert len(everything(bare)["credential"]) == 8


def former_file(path: Path, *, count: int = 3) -> list[Job]:
    """A file of the former format with signed copies; one of them of a statement that was replaced since."""
    jobs = [
        Job(statement, statement.digest(), did)
        for number in range(count)
        for statement, did in (
            (Statement("PlatformMembership", f"w{number}", MEMBERSHIP), holder_key(str(number)).did),
            (Statement("Rating", f"w{number}", RATING), ""),
        )
    ]
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FORMER)
        for job in jobs:
            made, statement = sign_copy(job, keys=issuer_keys(), at=AT, rand=rand_from("former")), job.statement
            row = (job.digest, "test", statement.worker, statement.type, statement.topic(), "{}")
            connection.execute("INSERT INTO statement VALUES (?, ?, ?, ?, ?, ?)", row)
            copy = (job.digest, job.holder, made.valid_until.strftime("%Y-%m-%dT%H:%M:%SZ"), made.body)
            connection.execute("INSERT INTO credential VALUES (?, ?, ?, ?)", copy)
            if job.holder:
                connection.execute("INSERT INTO holder_key VALUES (?, 0, ?)", (statement.worker, job.holder))
        connection.execute("DELETE FROM statement WHERE worker = 'w0'")
        connection.commit()
    return jobs


def test_a_file_of_the_former_format_is_brought_up_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "issuer.db"
    jobs = former_file(path)
    with Database.open(path) as database, database.read() as connection:
        assert read_version(connection, "") == Version(HEAD, stamped=True)
        rows = {(row.digest, row.holder): row for row in connection.execute(sa.select(CREDENTIAL))}
    assert differences(path) == []
    assert set(rows) == {(job.digest, job.holder) for job in jobs}
    for job in jobs:
        row = rows[job.digest, job.holder]
        known = "" if job.statement.worker == "w0" and not job.holder else job.statement.worker
        assert (row.worker, row.type, row.format) == (known, job.statement.type, "bbs-2023")
        assert row.key == issuer_keys().credentials.verification_method
        assert datetime.fromtimestamp(row.signed_at, UTC).date() == AT.date()
        assert row.body.startswith("{")
    assert to(path, "0001").revision == HEAD
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)


def test_several_commands_that_open_an_old_file_at_once_all_find_it_new(tmp_path: Path) -> None:
    path = tmp_path / "issuer.db"
    former_file(path)
    code = "import sys; from pathlib import Path; from issuer.store import Store\n"
    code += "with Store.open(Path(sys.argv[1])) as store: print(len(store.types()))"
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    assert [process.communicate(timeout=60) for process in started] == [(b"2\n", b"")] * 4
    assert differences(path) == []


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "issuer.db"
    former_file(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE credential SET body = '{}' WHERE holder = ''")
    before = everything(path)
    with pytest.raises(Malformed, match="credential"):
        Database.open(path)
    assert everything(path) == before


def test_an_old_server_is_brought_up_by_the_command_only(postgres_server: str, tmp_path: Path) -> None:
    with new_postgres_database(postgres_server) as url:
        to(url, "0001")
        with pytest.raises(Undetermined, match="ouvrage issuer migrate") as caught:
            Database.open(url)
        assert caught.value.code == "STORE_OLD"
        dry = ouvrage(tmp_path, "issuer", "migrate", "--database", url, "--dry-run", "--json").json
        assert dry == {"from": "0001", "to": "0002", "steps": ["0002"], "done": False}
        assert ouvrage(tmp_path, "issuer", "migrate", "--database", url, "--json").json == {**dry, "done": True}
        Database.open(url).close()


def test_a_newer_database_is_refused(database_address: Path | str) -> None:
    with Database.open(database_address) as database, database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unsupported, match="newer version"):
        Database.open(database_address)
    with Database.connect(database_address) as database, database.write() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{HEAD}'")


def test_a_database_of_somebody_else_is_refused(bare: Path | str) -> None:
    with Database.connect(bare) as database, database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE orders (id INTEGER)")
    with pytest.raises(Malformed, match="other tables"):
        Database.open(bare)


def test_the_command_says_what_it_does(tmp_path: Path) -> None:
    assert "from nothing to 0001 (0001)" in ouvrage(tmp_path, "issuer", "migrate", "--to", "0001").out
    assert "Would go from 0001 to 0002" in ouvrage(tmp_path, "issuer", "migrate", "--dry-run").out
    assert "from 0001 to 0002 (0002)" in ouvrage(tmp_path, "issuer", "migrate").out
    assert "already" in ouvrage(tmp_path, "issuer", "migrate").out
    assert ouvrage(tmp_path, "issuer", "migrate", "--to", "0815", ok=False).code == 2


def test_the_way_between_two_versions() -> None:
    assert steps(Version(None, stamped=False), HEAD) == REVISIONS
    assert steps(Version("0002", stamped=True), "0001") == ("0002",)
    assert steps(Version("0001", stamped=False), "0001") == ()


def test_opening_a_database_of_today_loads_no_alembic(database_address: Path | str) -> None:
    code = "import sys; from pathlib import Path; from issuer.database import Database\n"
    code += "given = sys.argv[1]; Database.open(given if '://' in given else Path(given)).close()\n"
    code += "sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code, str(database_address)], check=False).returncode == 0


def test_expired_copies_are_signed_again_after_a_migration(bare: Path | str) -> None:
    filled(bare)
    to(bare, "0001")
    to(bare, HEAD)
    with Store.open(bare) as store:
        assert sample_copies(store.database) == 0
        assert sample_copies(store.database, at=AT + timedelta(days=60)) == 12
