"""Signing in batches: the pure function, refusals, formats and places, the dry run, several runs at once."""

import gc
import itertools
import tracemalloc
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from issuer import issue as issuing
from issuer.bulk import GIVEN, MADE, Columns, check_batch, columns, rows, sign_batch
from issuer.claims import BATCH, Run
from issuer.database import Database
from issuer.formats import Format
from issuer.issue import MAX_TOLD, Engine, Outcome, issue_pending, plan
from issuer.pool import Work, here
from issuer.progress import Lines
from issuer.recalls import recall
from issuer.store import Store
from issuer.tables import BULK_CLAIM, CREDENTIAL, SETTING, STATEMENT, STATUS_ENTRY
from issuer.wanted import Wanted
from tests.cli import ouvrage
from tests.line import AT, holder_key, issuer_keys, rand_from
from tests.work_samples import MEMBERSHIP, RATING, statement
from vc.canon import parse_object, to_json
from vc.errors import Malformed, Undetermined
from vc.secure import hold
from work import CONTEXTS
from work.statement import Statement

BASE = "https://issuer.example"
ALL = tuple(Format)
PERSONAL = statement("PlatformMembership", tierLevel="somebody@mail.example")
ODD = statement("PlatformMembership", tierLevel="somebody@mail.example", category="jobbing")


def about(workers: int) -> list[Statement]:
    return [Statement("PlatformMembership", f"worker-{number}", MEMBERSHIP) for number in range(workers)]


def put(database: Database, *statements: Statement, source: str = "test") -> None:
    Store(database).add_statements(statements, source=source)


def issue(database: Database, *formats: Format, processes: int = 1, at: Any = AT) -> Outcome:
    with Run.start(database) as run:
        return issue_in(run, *formats, processes=processes, at=at)


def issue_in(run: Run, *formats: Format, processes: int = 1, at: Any = AT) -> Outcome:
    return issue_pending(
        run,
        issuer_keys(),
        wanted=Wanted(at, formats or (Format.BBS,)),
        engine=Engine(processes),
        base=BASE,
        on_total=lambda _: None,
        on_done=lambda _: None,
    )


def read(database: Database, query: sa.Select[Any]) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(query).all())


def check_whole(database: Database) -> None:
    """Every place is one credential's or a decoy, nothing is claimed any more, and no two share a place."""
    assert read(database, sa.select(BULK_CLAIM)) == []
    used = [(one.list, one.place) for one in read(database, sa.select(CREDENTIAL)) if one.list is not None]
    assert len(used) == len(set(used))
    taken = {(one.list, one.place) for one in read(database, sa.select(STATUS_ENTRY)) if not one.decoy}
    assert taken == set(used)


# The pure function.


def row(one: Statement, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = dict.fromkeys(GIVEN)
    made |= {"digest": one.digest(), "type": one.type, "worker": one.worker, "holder": "", "format": "bbs-2023"}
    return made | {"body": to_json(one.to_json()).decode()} | changes


def test_a_batch_is_signed_row_for_row_and_a_bad_row_stops_no_other() -> None:
    (good,) = about(1)
    given = [
        row(good, holder=holder_key().did),
        row(PERSONAL),
        row(good, body="{"),
        row(good, format="sd-jwt"),  # without a place
        row(good, format="sd-jwt", list="l", place=5, url=f"{BASE}/status/l"),
        row(good, holder="did:nonsense", format="sd-jwt", list="l", place=6, url=f"{BASE}/status/l"),
    ]
    made = sign_batch(columns(given, GIVEN), keys=issuer_keys(), at=AT, rand=rand_from("batch"))
    assert tuple(made) == MADE
    assert list(made["digest"]) == [one["digest"] for one in given]
    assert [code is None for code in made["code"]] == [True, False, False, False, True, False]
    assert made["code"][1] == "PERSONAL_TEXT"
    assert "somebody" not in made["error"][1]
    assert all((one["body"] is None) == (one["error"] is not None) for one in rows(made))
    hold(parse_object(made["body"][0].encode()), contexts=CONTEXTS)
    assert made["body"][4].count("~") > 2


def test_what_would_be_refused_is_told_without_signing() -> None:
    given = columns([row(about(1)[0]), row(PERSONAL), row(about(1)[0], holder="did:nonsense")], GIVEN)
    made = check_batch(given, keys=issuer_keys(), at=AT, rand=rand_from("none"))
    assert [code is None for code in made["code"]] == [True, False, False]
    assert set(made["body"]) == {None}


def test_a_fault_in_one_row_is_that_rows_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("issuer.bulk.sign_copy", lambda *_, **__: 1 // 0)
    made = sign_batch(columns([row(about(1)[0])], GIVEN), keys=issuer_keys(), at=AT, rand=rand_from("none"))
    assert made["code"] == ["FAULT"]


def test_nothing_in_nothing_out() -> None:
    made = sign_batch(columns([], GIVEN), keys=issuer_keys(), at=AT, rand=rand_from("none"))
    assert made == {name: [] for name in MADE}


# The run.


@pytest.mark.parametrize("processes", [1, 2])
def test_one_bad_statement_is_left_and_all_others_are_signed(database: Database, processes: int) -> None:
    put(database, *about(2 * BATCH + 10), PERSONAL)
    outcome = issue(database, Format.BBS, Format.SD_JWT, processes=processes)
    assert (outcome.signed, outcome.refused) == (2 * (2 * BATCH + 10), 2)
    assert {(one.worker, one.code) for one in outcome.told} == {(PERSONAL.worker, "PERSONAL_TEXT")}
    assert sorted(one.format for one in outcome.told) == ["bbs-2023", "sd-jwt"]
    check_whole(database)
    again = issue(database, Format.BBS)
    assert (again.signed, again.refused) == (0, 1)


def test_a_place_for_each_copy_with_a_status_and_one_copy_for_each_key_and_format(database: Database) -> None:
    put(database, *about(3), statement("RatingContext"))
    keys = [holder_key(name).did for name in ("a", "b")]
    Store(database).register_keys("worker-0", keys)
    assert issue(database, *ALL).signed == 3 * 4 + 1
    found = read(database, sa.select(CREDENTIAL))
    assert all((one.list is None) == (one.format == "bbs-2023") for one in found)
    assert {one.holder for one in found if one.worker == "worker-0"} == set(keys)
    assert Counter(one.format for one in found if one.worker) == dict.fromkeys(ALL, 4)
    assert all(one.key.startswith("did:") and one.signed_at > 0 for one in found)
    check_whole(database)
    assert issue(database, *ALL).signed == 0


def test_an_expired_copy_gives_its_row_to_the_next_one_and_never_its_place(database: Database) -> None:
    put(database, *about(2))
    issue(database, Format.SD_JWT)
    before = {(one.list, one.place) for one in read(database, sa.select(CREDENTIAL))}
    assert issue(database, Format.SD_JWT, at=AT + timedelta(days=60)).signed == 2
    after = {(one.list, one.place) for one in read(database, sa.select(CREDENTIAL))}
    assert len(after) == 2
    assert before.isdisjoint(after)


def test_without_an_address_no_copy_with_a_status(database: Database) -> None:
    put(database, *about(1))
    with Run.start(database) as run, pytest.raises(Malformed) as caught:
        issue_pending(
            run,
            issuer_keys(),
            wanted=Wanted(AT, (Format.SD_JWT,)),
            engine=Engine(1),
            base=None,
            on_total=print,
            on_done=print,
        )
    assert caught.value.code == "NO_BASE"


def test_of_many_refusals_all_are_counted_and_some_are_told(database: Database) -> None:
    bad = [Statement("PlatformMembership", f"w{number}", PERSONAL.claims) for number in range(120)]
    put(database, *bad)
    outcome = issue(database)
    assert (outcome.signed, outcome.refused, len(outcome.told)) == (0, 120, MAX_TOLD)


def test_memory_does_not_grow_with_the_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = itertools.count()
    held: list[int] = []

    def stamp(batch: Columns, **_: Any) -> Columns:
        """As much text as a signature, and as little work as possible."""
        if not next(calls) % 8:
            gc.collect()  # what is only waiting for the collector is not held
            held.append(tracemalloc.get_traced_memory()[0])
        made = [
            {**one, "valid_until": "2026-12-31T23:59:59Z", "key": "k", "body": "x" * 8000, "code": None, "error": None}
            for one in rows(batch)
        ]
        return columns(made, MADE)

    monkeypatch.setattr(issuing, "sign_batch", stamp)
    gc.collect()
    gc.freeze()  # what other tests have left is not walked through each time
    peaks = []
    for count in (1_000, 4_000):
        with Database.open(tmp_path / f"{count}.db") as database:
            put(database, *about(count))
            held.clear()
            tracemalloc.start()
            assert issue(database).signed == count
            tracemalloc.stop()
            peaks.append(max(held))
    gc.unfreeze()
    assert peaks[1] < 1.1 * peaks[0], peaks


# Two runs.


def test_two_runs_share_the_work(database: Database) -> None:
    put(database, *about(8 * BATCH + 100))
    wanted = Wanted(AT, (Format.SD_JWT,))
    with Run.start(database) as one, Run.start(database) as other:
        first = one.claimed(wanted, allocator())
        batch = next(first)
        assert issue_in(other, Format.SD_JWT).signed == 100
        work = Work(sign_batch, issuer_keys(), AT)
        signed = one.record(batch, work(batch), wanted, 1)
        signed += sum(one.record(given, made, wanted, 1) for given, made in here(first, work=work))
    assert signed == 8 * BATCH
    check_whole(database)


def test_what_a_run_gave_up_is_free_and_its_places_are_decoys(database: Database) -> None:
    put(database, *about(10))
    with Run.start(database) as run:
        next(run.claimed(Wanted(AT, (Format.SD_JWT,)), allocator()))
        places = read(database, sa.select(BULK_CLAIM.c.list, BULK_CLAIM.c.place))
        assert len(places) == 10
        assert len(set(places)) == 10
    decoys = {(one.list, one.place) for one in read(database, sa.select(STATUS_ENTRY)) if one.decoy}
    assert set(places) <= decoys
    assert issue(database, Format.SD_JWT).signed == 10
    check_whole(database)


def test_a_run_that_was_taken_for_dead_records_nothing(database: Database) -> None:
    put(database, *about(5))
    wanted = Wanted(AT, (Format.SD_JWT,))
    with Run.start(database) as run:
        (batch,) = run.claimed(wanted, allocator())
        with database.write() as connection:
            connection.execute(BULK_CLAIM.update().values(run=1))  # nobody holds the lock of this number
        assert issue(database, Format.SD_JWT).signed == 5
        before = read(database, sa.select(CREDENTIAL))
        made = sign_batch(batch, keys=issuer_keys(), at=AT, rand=rand_from("late"))
        assert run.record(batch, made, wanted, 1) == 0
    assert read(database, sa.select(CREDENTIAL)) == before
    check_whole(database)


def test_a_run_whose_key_is_recalled_records_nothing_more(database: Database) -> None:
    put(database, *about(5))
    wanted = Wanted(AT, (Format.SD_JWT,))
    with Run.start(database) as run:
        (batch,) = run.claimed(wanted, allocator())
        made = sign_batch(batch, keys=issuer_keys(), at=AT, rand=rand_from("late"))
        with database.write() as connection:
            recall(connection)
        with pytest.raises(Undetermined, match="withdrawn meanwhile"):
            run.record(batch, made, wanted, 1)
    assert read(database, sa.select(CREDENTIAL)) == []
    assert issue(database, Format.SD_JWT).signed == 5
    check_whole(database)


def test_a_statement_withdrawn_while_it_is_signed_gets_no_credential(database: Database) -> None:
    put(database, *about(5))
    wanted = Wanted(AT, (Format.SD_JWT,))
    with Run.start(database) as run:
        (batch,) = run.claimed(wanted, allocator())
        with database.write() as connection:
            connection.execute(STATEMENT.delete().where(STATEMENT.c.worker == "worker-3"))
        made = sign_batch(batch, keys=issuer_keys(), at=AT, rand=rand_from("late"))
        assert run.record(batch, made, wanted, 1) == 4
    check_whole(database)


def test_an_engine_that_mixes_up_rows_is_not_believed(database: Database) -> None:
    put(database, *about(2))
    wanted = Wanted(AT, (Format.BBS,))
    with Run.start(database) as run:
        (batch,) = run.claimed(wanted, allocator())
        made = sign_batch(batch, keys=issuer_keys(), at=AT, rand=rand_from("mixed"))
        with pytest.raises(Undetermined):
            run.record(batch, {name: values[::-1] for name, values in made.items()}, wanted, 1)
    assert read(database, sa.select(CREDENTIAL)) == []


def allocator() -> Any:
    return issuing._allocator(BASE)


# The dry run.


def test_a_dry_run_says_what_a_run_does_and_does_nothing(database: Database) -> None:
    put(database, *about(5), PERSONAL)
    issue(database)
    put(database, Statement("Rating", "worker-0", RATING))
    newer = Statement("PlatformMembership", "worker-1", {**MEMBERSHIP, "memberSince": "2018-01"})
    put(database, newer)
    before = read(database, sa.select(CREDENTIAL))
    with Run.start(database) as run:
        wanted, told = Wanted(AT, (Format.BBS, Format.ECDSA_SD)), list[int]()
        made = plan(run, issuer_keys(), wanted=wanted, engine=Engine(1), on_total=told.append, on_done=told.append)
    assert told[0] == sum(told[1:]) == 10
    assert read(database, sa.select(CREDENTIAL)) == before
    assert made.sign == {
        ("PlatformMembership", "bbs-2023"): 1,
        ("PlatformMembership", "ecdsa-sd-2023"): 5,
        ("Rating", "bbs-2023"): 1,
        ("Rating", "ecdsa-sd-2023"): 1,
    }
    assert made.valid == {("PlatformMembership", "bbs-2023"): 4}
    assert made.replaced == {("PlatformMembership", "bbs-2023"): 1}
    assert (made.places, made.refused.refused) == (6, 2)
    assert read(database, sa.select(STATUS_ENTRY)) == []
    outcome = issue(database, Format.BBS, Format.ECDSA_SD)
    assert (outcome.signed, outcome.refused) == (sum(made.sign.values()), 2)


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    (tmp_path / "issuer").mkdir()
    with Store.open(tmp_path / "issuer" / "issuer.db") as store:
        store.add_statements([*about(25), ODD], source="test")
        with store.database.write() as connection:
            connection.execute(SETTING.insert().values(name="base", value=BASE))
    return tmp_path


def test_the_command_plans_signs_and_ends_with_one_where_something_is_left(filled: Path) -> None:
    words = ("issuer", "issue", "--all", "--format", "bbs-2023", "--format", "sd-jwt")
    refused = ouvrage(filled, *words, "--dry-run", "--json", ok=False)
    assert (refused.code, [one["code"] for one in refused.json["crowds"]]) == (1, ["TOO_FEW_ALIKE"])
    planned = ouvrage(filled, *words, "--leave-few", "--dry-run", "--json")
    assert planned.err == ""
    assert planned.json["leftUnsigned"] == {"PlatformMembership": 1}
    assert [(one["format"], one["sign"]) for one in planned.json["plan"]] == [("bbs-2023", 25), ("sd-jwt", 25)]
    assert planned.json["statusPlaces"] == 25
    allowed = (*words, "--allow-few", "PlatformMembership")
    text = ouvrage(filled, *allowed, "--dry-run", ok=False)
    assert (text.code, "+25" in text.out, "PERSONAL_TEXT" in text.out, "somebody" in text.out) == (1, True, True, False)
    done = ouvrage(filled, *allowed, "--json", ok=False)
    assert (done.code, done.json["signed"], done.json["refused"]) == (1, 50, 2)
    assert {one["worker"] for one in done.json["refusals"]} == {PERSONAL.worker}
    again = ouvrage(filled, *words, "--leave-few", "--dry-run", "--json")
    assert [(one["sign"], one["valid"]) for one in again.json["plan"]] == [(0, 25), (0, 25)]


def test_options_that_contradict_each_other_are_refused(filled: Path) -> None:
    for words in (
        ("--all", "--worker", "w"),
        ("--dry-run", "--out", "x"),
        ("--engine", "spark"),
        ("--engine", "ray://a b"),
        ("--format", "paper"),
    ):
        assert ouvrage(filled, "issuer", "issue", "--leave-few", *words, ok=False).code == 2, words


# Progress.


def test_a_line_every_few_seconds_with_rate_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    now = 100.0
    lines = Lines("Signing", clock=lambda: now)
    lines.on_total(1000)
    for second in range(1, 13):
        now = 100.0 + second
        lines.on_done(10)
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "Signing: 50 of 1000, 10/s, time left 0:01:35",
        "Signing: 100 of 1000, 10/s, time left 0:01:30",
    ]
