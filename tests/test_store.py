"""The issuer's store: the same on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from issuer.database import Database
from issuer.lint import lint
from issuer.store import MAX_KEYS, Store
from issuer.tables import CREDENTIAL, STATEMENT
from tests.cli import ouvrage
from tests.databases import SAMPLED, new_postgres_database, sample_copies, sample_statements
from tests.line import AT
from tests.work_samples import CLAIMS, EARNINGS, MEMBERSHIP, RATING
from vc.errors import Malformed
from work.statement import Statement


@pytest.fixture
def store(database: Database) -> Iterator[Store]:
    with Store(database) as opened:
        yield opened


def membership(worker: str, **changes: str) -> Statement:
    return Statement("PlatformMembership", worker, {**MEMBERSHIP, **changes})


def rows(database: Database, table: sa.Table) -> list[sa.Row[tuple[object, ...]]]:
    with database.read() as connection:
        return list(connection.execute(sa.select(table)).all())


def test_statements_are_new_replaced_or_as_before(store: Store) -> None:
    both = [Statement("Earnings", "w", {**EARNINGS, "currency": currency}) for currency in ("USD", "EUR")]
    newer = Statement("Earnings", "w", {**both[0].claims, "category": "jobbing"})
    assert [added(store, both), added(store, both), added(store, [newer])] == [(2, 0, 0), (0, 0, 2), (0, 1, 0)]
    assert {one.digest() for one in store.statements()} == {newer.digest(), both[1].digest()}


def added(store: Store, made: list[Statement]) -> tuple[int, int, int]:
    counted = store.add_statements(made, source="test")
    return counted.new, counted.replaced, counted.unchanged


def test_of_several_on_one_topic_the_last_stays(store: Store) -> None:
    first, second = membership("w"), membership("w", category="jobbing")
    assert added(store, [first, second, first, first]) == (1, 2, 1)
    assert added(store, [second, first]) == (0, 2, 0)
    assert [one.digest() for one in store.statements()] == [first.digest()]


def test_what_another_source_says_alike_is_there_once(store: Store) -> None:
    store.add_statements([membership("w")], source="one")
    assert store.add_statements([membership("w")], source="two").new == 1
    assert [row.source for row in rows(store.database, STATEMENT)] == ["two"]


def test_text_that_sorts_by_language_elsewhere(store: Store) -> None:
    workers = ["é", "B", "a", "ß", "Z", "日本", "o'neil", '"q"', "%", "\\", "w\n1"]
    store.add_statements([membership(worker) for worker in workers], source="test")
    assert [worker for worker, _ in store.workers(20)] == sorted(workers)
    assert [one.worker for one in store.statements()] == sorted(workers)
    assert store.add_statements([membership(worker) for worker in workers], source="test").unchanged == len(workers)


def test_a_batch_that_fails_leaves_nothing(store: Store) -> None:
    def made() -> object:
        yield from (membership(f"w{number}") for number in range(2500))
        raise Malformed("row 2501", "does not add up")

    with pytest.raises(Malformed, match="add up"):
        store.add_statements(made(), source="test")  # type: ignore[arg-type]
    assert rows(store.database, STATEMENT) == []


def test_an_erased_copy_is_not_handed_over_and_not_signed_again(store: Store) -> None:
    store.add_statements([membership("w")], source="test")
    sample_copies(store.database)
    assert len(store.credentials("w", AT)) == 1
    with store.database.write() as connection:
        connection.execute(CREDENTIAL.update().values(body=None))
    assert store.credentials("w", AT) == []
    assert sample_copies(store.database) == 0


def test_keys_are_kept_in_their_order_and_belong_to_one_worker(store: Store) -> None:
    store.add_statements([membership("w"), membership("x")], source="test")
    assert store.register_keys("w", ["did:key:b", "did:key:a", "did:key:b"]) == 2
    assert store.register_keys("w", ["did:key:a", "did:key:c"]) == 1
    sample_copies(store.database)
    bodies = {row.body: row.holder for row in rows(store.database, CREDENTIAL)}
    handed = [bodies[body] for body in store.credentials("w", AT)]
    assert handed == ["did:key:b", "did:key:a", "did:key:c"]
    for worker, keys, code in (
        ("x", ["did:key:a"], "KEY_TAKEN"),
        ("nobody", ["did:key:z"], "UNKNOWN_WORKER"),
        ("w", [f"did:key:{number}" for number in range(MAX_KEYS)], "TOO_MANY_KEYS"),
    ):
        with pytest.raises(Malformed) as caught:
            store.register_keys(worker, keys)
        assert caught.value.code == code


def test_crowds_are_counted_alike(store: Store) -> None:
    store.add_statements([membership(f"w{number}") for number in range(20)], source="test")
    store.add_statements([membership(f"v{number}", category="jobbing") for number in range(3)], source="test")
    store.add_statements([Statement("Rating", "w1", RATING)], source="test")
    crowds = store.crowds("PlatformMembership", ["category", "periodEnd"], k=20, most=5)
    assert (crowds.workers, crowds.combinations, crowds.smallest, crowds.below) == (23, 2, 3, 3)
    ((values, size),) = crowds.examples
    assert (values["category"], size) == ("jobbing", 3)
    assert store.crowds("PlatformMembership", ["category"], k=20, most=0, worker="w1").below == 0
    assert store.crowds("PlatformMembership", [], k=20, most=0).combinations == 1
    assert store.crowds("Earnings", ["category"], k=20, most=1) == replace(
        crowds, workers=0, combinations=0, smallest=0, below=0, examples=()
    )
    assert [one.crowds.below for one in lint(store, k=20, at=AT)] == [3, 1]


def test_a_summary_counts_statements_and_copies(store: Store) -> None:
    sample_statements(store.database, "w")
    sample_statements(store.database, "x")
    store.register_keys("w", ["did:key:a", "did:key:b"])
    sample_copies(store.database)
    assert store.summary(AT)["Rating"] == {"statements": 2, "credentials": 3, "boundToKeys": 2}
    assert store.types() == sorted(SAMPLED)
    assert store.types(worker="nobody") == []
    assert len(list(store.statements("Rating", worker="w"))) == 1


def test_the_samples_are_all_types_about_workers_that_others_build_on(database: Database) -> None:
    made = sample_statements(database, "w")
    assert {one.type for one in made} <= set(CLAIMS)
    assert sorted(row.digest for row in rows(database, STATEMENT)) == sorted(one.digest() for one in made)


def test_a_store_is_opened_where_its_database_is(database_address: Path | str) -> None:
    with Store.open(database_address) as store:
        store.add_statements([membership("w")], source="test")
        assert store.database.is_sqlite == isinstance(database_address, Path)
    with Store.open(database_address) as store:
        assert store.types() == ["PlatformMembership"]


def test_every_command_finds_the_database_that_it_is_given(
    postgres_server: str, postgres_template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_postgres_database(postgres_server, postgres_template) as url:
        with Database.open(url) as database:
            sample_statements(database, "w")
        told = ouvrage(tmp_path, "issuer", "status", "--database", url, "--json").json
        assert told["workers"] == [{"worker": "w", "statements": len(SAMPLED)}]
        monkeypatch.setenv("OUVRAGE_DATABASE", url)
        assert ouvrage(tmp_path, "issuer", "lint", "--json", ok=False).code == 1
        assert ouvrage(tmp_path, "issuer", "issue", "--leave-few", "--json").json["signed"] == 1
        assert ouvrage(tmp_path, "issuer", "export", "--worker", "w", "--json").json["credentials"] == 1
    assert not (tmp_path / "issuer" / "issuer.db").exists()
