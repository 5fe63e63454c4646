"""The database: all or nothing, many threads, limits on waiting, and errors that say nothing they should not."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from issuer.database import POOL, Database
from issuer.tables import SETTING, SPENT, STATEMENT
from issuer.tickets import Kind, hand_out, spend, take
from tests.databases import new_postgres_database
from vc.errors import Malformed, Undetermined, Unsupported, VcError
from vc.io import database as door

SECRET = "do-not-say-this"


def settings(database: Database) -> dict[str, str]:
    with database.read() as connection:
        return {row.name: row.value for row in connection.execute(sa.select(SETTING))}


def put(database: Database, name: str, value: str = "") -> None:
    with database.write() as connection:
        connection.execute(SETTING.insert().values(name=name, value=value))


def test_a_block_is_there_whole_or_not_at_all(database: Database) -> None:
    put(database, "a")

    def spoilt() -> None:
        with database.write() as connection:
            connection.execute(SETTING.insert().values(name="b", value=""))
            raise Malformed("row 2", "spoilt")

    with pytest.raises(Malformed, match="row 2"):
        spoilt()
    assert settings(database) == {"a": ""}


def test_sixteen_threads_write_at_once_and_each_ticket_is_taken_by_one(database: Database) -> None:
    with database.write() as connection:
        tickets = [
            hand_out(connection, Kind.CODE, number.to_bytes(32), expires=100, body={"n": number})
            for number in range(20)
        ]
    together = threading.Barrier(POOL)

    def worker(_: int) -> list[int]:
        together.wait(30)
        taken = []
        for text in tickets:
            with database.write() as connection:
                ticket = take(connection, Kind.CODE, text, now=50)
                if ticket is not None:
                    assert spend(connection, text, expires=100)
                    taken.append(ticket.body["n"])
        return taken

    with ThreadPoolExecutor(POOL) as pool:
        taken = [number for part in pool.map(worker, range(POOL)) for number in part]
    assert sorted(taken) == list(range(20))
    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(SPENT)).scalar_one() == 20


def test_what_is_used_twice_in_one_block_leaves_the_block_usable(database: Database) -> None:
    with database.write() as connection:
        assert spend(connection, "x", expires=1)
        assert not spend(connection, "x", expires=1)
        connection.execute(SETTING.insert().values(name="after", value=""))
    assert settings(database) == {"after": ""}


def test_no_connection_left_is_said(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database.engine.pool, "_timeout", 0.05)
    held = [database.engine.connect() for _ in range(POOL)]
    with pytest.raises(Undetermined) as caught:
        settings(database)
    assert caught.value.code == "STORE_BUSY"
    for connection in held:
        connection.close()
    assert settings(database) == {}


def test_an_error_names_no_row_and_no_sql(database: Database) -> None:
    put(database, SECRET, SECRET)
    with pytest.raises(VcError) as caught:
        put(database, SECRET, SECRET)
    assert caught.value.code == "BAD_STORE"
    assert SECRET not in str(caught.value)
    assert "INSERT" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    with Database.open(tmp_path / "issuer.db") as database:
        put(database, "a")
        with database.read() as connection:  # the pool hands out this one again
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        with pytest.raises(Undetermined) as caught:
            put(database, "b", "x" * 100_000)
        assert caught.value.code == "DISK_FULL"
        assert settings(database) == {"a": ""}


def test_a_file_that_others_write_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "BUSY", 0.1)
    with Database.open(tmp_path / "issuer.db") as one, Database.open(tmp_path / "issuer.db") as other:
        with one.write() as connection:
            connection.execute(SETTING.insert().values(name="a", value=""))
            with pytest.raises(Undetermined) as caught:
                put(other, "b")
            assert settings(other) == {}
        assert caught.value.code == "STORE_BUSY"
        put(other, "b")
        assert set(settings(one)) == {"a", "b"}


def test_a_file_is_read_by_its_owner_only_and_a_folder_is_no_file(tmp_path: Path) -> None:
    with Database.open(tmp_path / "issuer.db") as database:
        put(database, "a")
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("issuer.db", "issuer.db-wal", "issuer.db-shm"), 0o600)
    for path in (tmp_path, tmp_path / "nowhere" / "issuer.db"):
        with pytest.raises(Malformed) as caught:
            Database.open(path)
        assert caught.value.code == "BAD_STORE"


# PostgreSQL alone.


@pytest.fixture
def url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    with new_postgres_database(postgres_server, postgres_template) as made:
        yield made


def impatient(url: str, limit: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}options=-c%20{limit}"


def test_waiting_for_a_lock_ends(url: str) -> None:
    with Database.open(url) as one, Database.open(impatient(url, "lock_timeout=50ms")) as other:
        put(one, "a")
        with one.write() as connection:
            connection.execute(SETTING.update().values(value="1"))
            with pytest.raises(Undetermined) as caught, other.write() as waiting:
                waiting.execute(SETTING.update().values(value="2"))
        assert caught.value.code == "STORE_BUSY"
        assert settings(other) == {"a": "1"}


def test_a_statement_that_takes_too_long_ends(url: str) -> None:
    with Database.open(impatient(url, "statement_timeout=50ms")) as database:
        with pytest.raises(Undetermined) as caught, database.read() as connection:
            connection.exec_driver_sql("SELECT pg_sleep(10)")
        assert caught.value.code == "STORE_SLOW"
        assert settings(database) == {}


def test_a_service_has_limits_and_a_batch_only_that_of_locks(url: str) -> None:
    def limit(*, batch: bool) -> tuple[str, ...]:
        with Database.open(url, batch=batch) as database, database.read() as connection:
            names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
            return tuple(connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names)

    assert limit(batch=False) == ("10s", "30s", "30s")
    assert limit(batch=True) == ("10s", "0", "0")


def test_connections_that_the_server_has_dropped_are_replaced(url: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with Database.open(url) as database, psycopg.connect(url, autocommit=True) as admin:

        def dropped_half_way() -> None:
            with database.write() as connection:
                connection.execute(SETTING.insert().values(name="b", value=""))
                admin.execute(f"SELECT pg_terminate_backend(pid) {others}")
                connection.execute(SETTING.insert().values(name="c", value=""))

        put(database, "a")
        with pytest.raises(Undetermined) as caught:
            dropped_half_way()
        assert caught.value.code == "STORE_GONE"
        assert settings(database) == {"a": ""}
        admin.execute(f"SELECT pg_terminate_backend(pid) {others}")  # while nobody uses them
        put(database, "d")
        assert set(settings(database)) == {"a", "d"}


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://user:{SECRET}@127.0.0.1:1/issuer",
        f"postgres://user:{SECRET}@127.0.0.1:1/issuer?sslmode={SECRET}",
        f"postgresql://user:{SECRET}@127.0.0.1:notaport/issuer",
        f"postgresql://user:{SECRET}@[::1/issuer",
        f"postgresql://127.0.0.1:1/issuer?password={SECRET}&nosuchoption=1",
        f"mysql://user:{SECRET}@127.0.0.1/issuer",
        f"//user:{SECRET}@127.0.0.1",
    ],
)
def test_no_address_gets_its_password_into_a_message(address: str) -> None:
    with pytest.raises((Malformed, Unsupported, Undetermined)) as caught:
        Database.open(address)
    assert SECRET not in str(caught.value)


def test_a_text_that_postgresql_cannot_keep(database: Database) -> None:
    """Nobody has such an id; what is wrong is the text that was sent, not the database."""
    query = sa.select(STATEMENT.c.worker).where(STATEMENT.c.worker == "worker\0")

    def found() -> int:
        with database.read() as connection:
            return len(connection.execute(query).all())

    if database.is_sqlite:
        assert found() == 0
        return
    with pytest.raises(Malformed) as caught:
        found()
    assert caught.value.code == "BAD_TEXT"
