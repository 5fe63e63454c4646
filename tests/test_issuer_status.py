"""Places in status lists: given away once, whoever asks; changed together; published the same by every replica."""

import os
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa

from issuer import statuslists
from issuer.chance import distinct, geometric
from issuer.copies import Slot
from issuer.database import Database
from issuer.decoys import rates
from issuer.formats import Format
from issuer.statuses import LIFE, OPEN, PLACES, allocate, close_all
from issuer.statuslists import (
    CONTESTED,
    INVALID,
    RETIRED,
    SUSPENDED,
    TICK,
    VALIDITY,
    Kind,
    Marks,
    publish,
    render,
    sign_due,
)
from issuer.tables import (
    CREDENTIAL,
    DISPUTE,
    EVENT,
    SETTING,
    STATUS_ENTRY,
    STATUS_LIST,
    STATUS_PUBLISHED,
    SUSPENSION,
)
from issuer.withdrawals import Act, Selection, change, worker_datasets
from tests.databases import sample_statements
from tests.line import AT, issuer_keys, rand_from
from vc.canon import parse_object
from vc.contexts import W3C
from vc.cose import parse_sign1
from vc.errors import Malformed
from vc.model import parse_credential
from vc.secure import verify_proofs
from vc.status import MIN_ENTRIES, StatusList, expand_list
from vc.token_status import parse_status_jwt, verify_status_cwt, verify_status_jwt

BASE = "https://issuer.example"
NOW = int(AT.timestamp())
MARKS = ("revoked", "suspended", "contested")


def slots(
    database: Database, count: int, *, now: int = NOW, seed: str = "slots", datasets: tuple[str, ...] = ()
) -> list[Slot]:
    with database.write() as connection:
        return allocate(connection, count, base=BASE, rand=rand_from(seed), now=now, datasets=datasets)


def marks(database: Database, slot: Slot) -> set[str]:
    """The statuses at a place."""
    with database.read() as connection:
        row = connection.execute(
            sa.select(STATUS_ENTRY).where(STATUS_ENTRY.c.list == slot.list, STATUS_ENTRY.c.place == slot.place)
        ).one()
    return {name for name in MARKS if getattr(row, name)}


def signed(
    database: Database, worker: str = "worker-1", kind: str = "Earnings", *, key: str = "did:key:z1#z1",
    told: bool = True, holders: tuple[str, ...] = ("did:key:h1", "did:key:h2"), digest: str | None = None,
) -> list[Slot]:  # fmt: skip
    """Copies of a statement on record, each with its place, and one that has none."""
    with database.write() as connection:
        ((dataset, held),) = worker_datasets(connection, worker, kind).items()
        digest = digest or held
        given = allocate(
            connection,
            len(holders),
            base=BASE,
            rand=os.urandom,
            now=NOW,
            datasets=[dataset] * len(holders) if told else (),
        )
        common = {
            "digest": digest, "worker": worker, "type": kind, "valid_until": "2026-12-31T23:59:59Z", "signed_at": NOW,
            "key": key, "body": "{}",
        }  # fmt: skip
        for holder, slot in zip(holders, given, strict=True):
            connection.execute(
                CREDENTIAL.insert().values(
                    **common, holder=worker + holder, format=Format.SD_JWT, list=slot.list, place=slot.place
                )
            )
        connection.execute(CREDENTIAL.insert().values(**common, holder=f"{worker}{holders[0]}", format=Format.BBS))
    return given


def do(database: Database, act: Act, *, dry_run: bool = False, keep: bool = False, **chosen: object) -> int:
    with database.write() as connection:
        selection = Selection(**chosen)  # type: ignore[arg-type]
        return change(connection, act, selection, now=NOW, dry_run=dry_run, keep=keep).copies


# ---- places ----------------------------------------------------------------------------------------------------------


def test_places_are_random_distinct_and_counted(database: Database) -> None:
    given = slots(database, 300)
    assert len({(one.list, one.place) for one in given}) == 300
    (listing,) = {one.list for one in given}
    places = [one.place for one in given]
    assert places != sorted(places)
    assert min(places) < MIN_ENTRIES // 4
    assert max(places) > MIN_ENTRIES * 3 // 4
    assert given[0].url == f"{BASE}/status/{listing}"
    with database.read() as connection:
        row = connection.execute(sa.select(STATUS_LIST)).one()
        taken = connection.scalar(sa.select(sa.func.count()).select_from(STATUS_ENTRY))
    assert (row.id, row.size, row.taken) == (listing, MIN_ENTRIES, taken)
    assert row.taken > 300  # decoys


def test_no_place_at_all_opens_no_list(database: Database) -> None:
    assert slots(database, 0) == []
    with database.read() as connection:
        assert connection.execute(sa.select(STATUS_LIST)).all() == []


def test_a_list_closes_when_it_is_half_full_and_no_place_is_given_twice(database: Database) -> None:
    given = slots(database, 80_000)
    assert len({(one.list, one.place) for one in given}) == 80_000
    with database.read() as connection:
        rows = connection.execute(sa.select(STATUS_LIST)).all()
        entries = sa.select(STATUS_ENTRY.c.list, sa.func.count()).group_by(STATUS_ENTRY.c.list)
        counted = {listing: count for listing, count in connection.execute(entries)}  # noqa: C416
    assert {row.id: row.taken for row in rows} == counted
    closed = [row for row in rows if row.closed is not None]
    assert [row.taken for row in closed] == [MIN_ENTRIES // 2] * len(closed)
    assert len(rows) == len(closed) + 1 == 2


def test_an_old_list_is_closed_and_a_new_one_opened(database: Database) -> None:
    (first,) = slots(database, 1)
    (same,) = slots(database, 1, now=NOW + LIFE - 1)
    (other,) = slots(database, 1, now=NOW + LIFE, seed="later")
    assert first.list == same.list != other.list
    with database.read() as connection:
        closed = connection.scalar(sa.select(STATUS_LIST.c.closed).where(STATUS_LIST.c.id == first.list))
    assert closed == NOW + LIFE


def test_after_a_restore_no_place_of_a_list_that_was_open_is_given_away(database: Database) -> None:
    before = {one.list for one in slots(database, 3)}
    with database.write() as connection:
        assert close_all(connection, NOW) == len(before) == 1
        assert close_all(connection, NOW) == 0
    after = {one.list for one in slots(database, 3, seed="after")}
    assert len(after) == 1
    assert not before & after
    with database.read() as connection:
        (closed,) = connection.scalars(sa.select(STATUS_LIST.c.id).where(STATUS_LIST.c.closed == NOW))
    assert {closed} == before


def test_what_was_not_committed_was_not_given_away(database: Database) -> None:
    slots(database, 1)
    with suppress(RuntimeError), database.write() as connection:
        allocate(connection, 50, base=BASE, rand=os.urandom, now=NOW)
        raise RuntimeError
    with database.read() as connection:
        real = connection.scalar(sa.select(sa.func.count()).select_from(STATUS_ENTRY).where(~STATUS_ENTRY.c.decoy))
        taken = connection.scalar(sa.select(sa.func.sum(STATUS_LIST.c.taken)))
        rows = connection.scalar(sa.select(sa.func.count()).select_from(STATUS_ENTRY))
    assert (real, taken) == (1, rows)


def test_a_batch_takes_a_handful_of_statements(database: Database) -> None:
    slots(database, 1)
    ran: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *given: ran.append(given[2]))
    slots(database, 64, seed="batch", datasets=("dataset",) * 64)
    assert len([one for one in ran if not one.startswith(("BEGIN", "COMMIT"))]) <= 6


def test_lists_can_be_larger(database: Database) -> None:
    with database.write() as connection:
        connection.execute(SETTING.insert().values(name=PLACES, value=str(1 << 20)))
    slots(database, 1)
    with database.read() as connection:
        assert connection.scalar(sa.select(STATUS_LIST.c.size)) == 1 << 20


def _take(address: Path | str, start: float, times: int, threads: int, put: object) -> None:
    taken: list[tuple[str, int]] = []

    def run() -> None:
        for number in range(times):
            with database.write() as connection:
                some = allocate(connection, 64 if number % 4 else 700, base=BASE, rand=os.urandom, now=NOW)
            taken.extend((one.list, one.place) for one in some)

    with Database.open(address) as database:
        time.sleep(max(0.0, start - time.time()))
        at_once = [Thread(target=run) for _ in range(threads)]
        for thread in at_once:
            thread.start()
        for thread in at_once:
            thread.join()
    put.put(taken)  # type: ignore[attr-defined]


def test_processes_and_threads_never_get_the_same_place(database_address: Path | str) -> None:
    Database.open(database_address).close()
    context = get_context("spawn")
    queue = context.Queue()
    processes, threads, times = 3, 3, 8
    start = time.time() + 3
    at_once = [
        context.Process(target=_take, args=(database_address, start, times, threads, queue)) for _ in range(processes)
    ]
    for process in at_once:
        process.start()
    taken = [one for _ in at_once for one in queue.get(timeout=120)]
    for process in at_once:
        process.join()
    assert len(taken) == processes * threads * (times * 3 // 4 * 64 + times // 4 * 700)
    assert max(Counter(taken).values()) == 1
    with Database.open(database_address) as database, database.read() as connection:
        lists = connection.execute(sa.select(STATUS_LIST)).all()
        rows = connection.scalar(sa.select(sa.func.count()).select_from(STATUS_ENTRY))
    assert sum(row.taken for row in lists) == rows
    assert len(lists) <= OPEN


# ---- decoys ----------------------------------------------------------------------------------------------------------


def test_decoys_are_of_every_status_and_every_issuer_has_its_own_number(database: Database) -> None:
    slots(database, 1)
    with database.write() as connection:
        own = rates(connection, rand_from("another"))  # drawn before: the rates of the database stand
        rows = connection.execute(sa.select(STATUS_ENTRY).where(STATUS_ENTRY.c.decoy)).all()
        assert own == rates(connection, os.urandom)
    assert all(row.revoked + row.suspended + row.contested == 1 for row in rows)
    assert all(any(getattr(row, name) for row in rows) for name in MARKS)
    assert all(1 / 1024 <= share <= 1 / 64 for share in own.values())


def test_the_chance_is_as_it_says() -> None:
    rand = rand_from("chance")
    numbers = [geometric(20, rand) for _ in range(4000)]
    assert 18.5 < sum(numbers) / len(numbers) < 21.5
    assert min(numbers) == 0
    drawn = distinct(100, 5000, rand)
    assert sorted(drawn) == list(range(100))
    assert geometric(0.01, rand) in (0, 1)


def test_two_versions_differ_in_more_than_what_changed(database: Database) -> None:
    (slot,) = slots(database, 1)
    before = read(database, slot.list)
    for number in range(20):
        with database.write() as connection:
            statuslists.sprinkle(connection, slot.list, rand=rand_from(f"sprinkle {number}"), now=NOW)
    after = read(database, slot.list)
    assert after.revoked > before.revoked
    assert before.contested - after.contested or before.suspended - after.suspended
    assert marks(database, slot) == set()
    with database.read() as connection:
        row = connection.execute(sa.select(STATUS_LIST)).one()
        rows = connection.scalar(sa.select(sa.func.count()).select_from(STATUS_ENTRY))
    assert row.taken == rows


# ---- changing --------------------------------------------------------------------------------------------------------


def read(database: Database, listing: str) -> Marks:
    with database.read() as connection:
        row = connection.execute(sa.select(STATUS_LIST).where(STATUS_LIST.c.id == listing)).one()
        return statuslists.read_marks(connection, row)


def events(database: Database) -> list[tuple[str, str]]:
    with database.read() as connection:
        return [(row.kind, row.worker) for row in connection.execute(sa.select(EVENT).order_by(EVENT.c.id))]


def test_all_copies_are_revoked_together_with_one_event(database: Database) -> None:
    sample_statements(database)
    sample_statements(database, "worker-2")
    ours, theirs = signed(database), signed(database, "worker-2")
    ratings = signed(database, kind="Rating")
    assert do(database, Act.REVOKE, worker="worker-1", type="Earnings", dry_run=True) == 2
    assert [marks(database, one) for one in ours] == [set(), set()]
    assert events(database) == []
    assert do(database, Act.REVOKE, worker="worker-1", type="Earnings") == 2
    assert [marks(database, one) for one in ours] == [{"revoked"}] * 2
    assert [marks(database, one) for one in (*theirs, *ratings)] == [set()] * 4
    assert events(database) == [("status.changed", "worker-1")]
    assert do(database, Act.REVOKE, worker="worker-1", type="Earnings") == 0
    with database.read() as connection:
        assert worker_datasets(connection, "worker-1", "Earnings") == {}
        assert len(worker_datasets(connection, "worker-2")) == 4


def test_what_has_no_status_is_told(database: Database) -> None:
    sample_statements(database)
    signed(database)
    with database.write() as connection:
        made = change(connection, Act.REVOKE, Selection("worker-1"), now=NOW)
    assert (made.copies, made.without_status, made.last_end) == (2, 1, "2026-12-31T23:59:59Z")
    assert made.statements == 4


def test_a_statement_can_be_kept_and_copies_of_a_superseded_one_are_revoked_too(database: Database) -> None:
    sample_statements(database)
    old = signed(database, digest="of an older statement")
    new = signed(database, holders=("did:key:h3",))
    assert do(database, Act.REVOKE, worker="worker-1", type="Earnings", keep=True) == 3
    assert [marks(database, one) for one in (*old, *new)] == [{"revoked"}] * 3
    with database.read() as connection:
        assert len(worker_datasets(connection, "worker-1")) == 4


def test_one_copy_or_all_that_a_key_has_signed(database: Database) -> None:
    sample_statements(database)
    sample_statements(database, "worker-2")
    first, second = signed(database)
    other = signed(database, "worker-2", key="did:key:z2#z2")
    assert do(database, Act.REVOKE, place=(first.list, first.place)) == 1
    assert (marks(database, first), marks(database, second)) == ({"revoked"}, set())
    assert do(database, Act.SUSPEND, key="did:key:z2#z2") == 2
    assert [marks(database, one) for one in other] == [{"suspended"}] * 2
    assert do(database, Act.REVOKE, key="did:key:z1#z1") == 1
    with database.read() as connection:  # how something was signed says nothing against it
        assert len(worker_datasets(connection, "worker-1")) == 4
        assert connection.execute(sa.select(SUSPENSION)).all() == []


def test_a_suspension_holds_for_copies_that_are_signed_meanwhile_and_ends(database: Database) -> None:
    sample_statements(database)
    copies = signed(database)
    do(database, Act.SUSPEND, worker="worker-1", type="Earnings")
    (late,) = signed(database, holders=("did:key:late",))
    assert [marks(database, one) for one in (*copies, late)] == [{"suspended"}] * 3
    do(database, Act.REVOKE, place=(late.list, late.place))
    assert do(database, Act.RESUME, worker="worker-1", type="Earnings") == 3
    assert [marks(database, one) for one in (*copies, late)] == [set(), set(), {"revoked"}]
    (after,) = signed(database, holders=("did:key:after",))
    assert marks(database, after) == set()
    do(database, Act.SUSPEND, worker="worker-1", type="Earnings")
    assert marks(database, after) == {"suspended"}


def test_one_dataset_of_several(database: Database) -> None:
    sample_statements(database)
    untold = signed(database, told=False)
    with database.read() as connection:
        ((earnings, _),) = worker_datasets(connection, "worker-1", "Earnings").items()
    with pytest.raises(Malformed, match="no such credential"):
        do(database, Act.REVOKE, worker="worker-1", type="Earnings", dataset="another")
    assert do(database, Act.REVOKE, worker="worker-1", type="Earnings", dataset=earnings) == 2
    assert [marks(database, one) for one in untold] == [{"revoked"}] * 2


def test_nothing_chosen_is_nothing_and_nobody_is_nobody(database: Database) -> None:
    sample_statements(database)
    signed(database)
    for chosen in ({}, {"worker": ""}, {"type": "Earnings"}, {"worker": "worker-1", "dataset": "x"}):
        with pytest.raises(Malformed):
            do(database, Act.REVOKE, **chosen)  # type: ignore[arg-type]
    with pytest.raises(Malformed, match="no such credential"):
        do(database, Act.REVOKE, worker="worker-9")


def test_an_act_is_whole_or_not_at_all(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    sample_statements(database)
    copies = signed(database)

    def fail(*_: object, **__: object) -> None:
        raise Malformed("event", "cannot be noted")

    monkeypatch.setattr("issuer.withdrawals.events.note", fail)
    with pytest.raises(Malformed):
        do(database, Act.REVOKE, worker="worker-1")
    assert [marks(database, one) for one in copies] == [set()] * 2


def test_a_dispute_and_an_allocation_that_cross_are_put_right(database: Database) -> None:
    (slot,) = slots(database, 1, datasets=("dataset",))
    with database.write() as connection:  # as if it had begun while the place was being taken
        connection.execute(
            DISPUTE.insert().values(id="d", worker="w", type="Rating", dataset="dataset", opened=NOW, reason="other")
        )
        connection.execute(SUSPENSION.insert().values(dataset="dataset", worker="w", since=NOW))
        assert statuslists.catch_up(connection, now=NOW + 1) == 1
    assert marks(database, slot) == {"contested", "suspended"}
    with database.write() as connection:
        connection.execute(DISPUTE.update().values(closed=NOW + 2))
        connection.execute(SUSPENSION.update().values(ended=NOW + 2))
        assert statuslists.catch_up(connection, now=NOW + 3) == 1
        assert statuslists.catch_up(connection, now=NOW + 4) == 0
    assert marks(database, slot) == set()


# ---- publishing ------------------------------------------------------------------------------------------------------


def rendered(**places: set[int]) -> dict[Kind, bytes]:
    given = {name: frozenset(places.get(name, ())) for name in MARKS}
    url = f"{BASE}/status/list-1"
    return render(Marks(MIN_ENTRIES, **given), url=url, aggregation=f"{BASE}/status", keys=issuer_keys(), at=AT)


def test_every_rendering_says_the_same_and_the_gravest_status_wins() -> None:
    made = rendered(revoked={1, 4, 7}, suspended={2, 4, 5, 7}, contested={3, 5, 7})
    key, uri = issuer_keys().jwt.public, f"{BASE}/status/list-1/token"
    by_jwt = verify_status_jwt(parse_status_jwt(made[Kind.JWT].decode()), key=key, uri=uri, at=AT)
    by_cwt = verify_status_cwt(parse_sign1(made[Kind.CWT]), key=key, uri=uri, at=AT)
    expected = [0, INVALID, SUSPENDED, CONTESTED, INVALID, SUSPENDED, 0, INVALID]
    assert [by_jwt.statuses.read(place) for place in range(8)] == expected
    assert by_jwt.statuses.expand() == by_cwt.statuses.expand()
    assert by_jwt.statuses.aggregation_uri == f"{BASE}/status"
    assert (by_jwt.issued, by_jwt.expires, by_jwt.ttl) == (AT, AT + VALIDITY, statuslists.TTL)
    for kind, places in ((Kind.REVOCATION, {1, 4, 7}), (Kind.SUSPENSION, {2, 4, 5, 7}), (Kind.MESSAGE, {3, 5, 7})):
        document = parse_object(made[kind])
        (method,) = verify_proofs(document, contexts=W3C)
        assert method.id == issuer_keys().public.verification_method
        assert document["id"] == f"{BASE}/status/list-1/{kind}"
        listed = StatusList.parse(parse_credential(document))
        assert (listed.purposes, listed.ttl) == (frozenset({str(kind)}), statuslists.TTL)
        bits = expand_list(document["credentialSubject"]["encodedList"])  # type: ignore[index, call-overload, arg-type]
        assert [place for place in range(64) if bits[place // 8] >> (7 - place % 8) & 1] == sorted(places)


def test_certificates_go_with_the_token_where_there_are_any() -> None:
    keys = replace(issuer_keys(), x5c=("MIIB",))
    empty: frozenset[int] = frozenset()
    made = render(Marks(MIN_ENTRIES, empty, empty, empty), url=f"{BASE}/status/l", aggregation=BASE, keys=keys, at=AT)
    assert parse_status_jwt(made[Kind.JWT].decode()).header["x5c"] == ["MIIB"]


def due(database: Database, *, after: int = 0, seed: str = "due") -> int:
    at = AT + timedelta(seconds=after)
    return sign_due(database, keys=issuer_keys(), base=BASE, at=at, rand=rand_from(seed))


def versions(database: Database) -> set[tuple[str, int]]:
    with database.read() as connection:
        return {(row.list, row.signed_at) for row in connection.execute(sa.select(STATUS_PUBLISHED))}


def test_a_list_is_signed_when_it_is_new_when_it_changed_and_before_it_ends(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statuslists, "unit", lambda _: 1.0)  # never by chance
    sample_statements(database)
    first, _ = signed(database)
    assert due(database) == 1
    assert versions(database) == {(first.list, NOW)}
    assert due(database, after=30) == 0
    do(database, Act.REVOKE, worker="worker-1")  # within the second in which it was signed
    assert due(database, after=60) == 1
    half = int(VALIDITY.total_seconds()) // 2 + 90
    assert due(database, after=half) == 1
    assert versions(database) == {(first.list, NOW + half)}


def test_a_list_is_also_signed_by_chance_when_nothing_has_happened(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statuslists, "MEAN_AGE", 100.0)
    slots(database, 1)
    due(database)
    signed_again = sum(due(database, after=number * TICK, seed=f"chance {number}") for number in range(1, 61))
    assert 0 < signed_again < 20  # six on average


def test_of_two_replicas_one_signs(database: Database) -> None:
    (slot,) = slots(database, 1)
    barrier, done = Barrier(4), []

    def run(seconds: int) -> None:
        barrier.wait()
        at = AT + timedelta(seconds=seconds)
        done.append(publish(database, slot.list, last=None, keys=issuer_keys(), base=BASE, at=at))

    at_once = [Thread(target=run, args=(number,)) for number in range(4)]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()
    assert sorted(done) == [False, False, False, True]
    assert len(versions(database)) == 1


def test_what_an_older_look_found_due_is_not_signed_again(database: Database) -> None:
    (slot,) = slots(database, 1)
    given = {"keys": issuer_keys(), "base": BASE}
    assert publish(database, slot.list, last=None, at=AT, **given)  # type: ignore[arg-type]
    assert not publish(database, slot.list, last=NOW - 60, at=AT, **given)  # type: ignore[arg-type]
    assert publish(database, slot.list, last=NOW, at=AT + timedelta(seconds=9), **given)  # type: ignore[arg-type]
    assert not publish(database, "no such list", last=None, at=AT, **given)  # type: ignore[arg-type]


def test_lists_go_one_at_a_time(database: Database) -> None:
    """Thousands of lists end on one day, after a bulk run: no transaction has to erase them all."""
    for number in range(3):
        slots(database, 1, seed=str(number))
        with database.write() as connection:
            connection.execute(STATUS_LIST.update().values(closed=NOW))
    left = []
    for turn in range(4):
        due(database, after=RETIRED + 1 + turn)
        with database.read() as connection:
            left.append(len(statuslists.list_ids(connection)))
    assert left == [2, 1, 0, 0]


def test_a_list_goes_when_nothing_in_it_can_be_valid_any_more(database: Database) -> None:
    (old,) = slots(database, 1)
    (new,) = slots(database, 1, now=NOW + LIFE, seed="new")
    with database.write() as connection:  # decoys stop before it is full
        connection.execute(STATUS_LIST.update().where(STATUS_LIST.c.id == old.list).values(taken=MIN_ENTRIES * 3 // 4))
        before = connection.scalar(sa.select(sa.func.count()).select_from(STATUS_ENTRY))
        statuslists.sprinkle(connection, old.list, rand=rand_from("full"), now=NOW)
        assert connection.scalar(sa.select(sa.func.count()).select_from(STATUS_ENTRY)) == before
    due(database, after=LIFE + RETIRED)
    with database.read() as connection:
        assert statuslists.list_ids(connection) == sorted([old.list, new.list])
    due(database, after=LIFE + RETIRED + 1)
    with database.read() as connection:
        assert statuslists.list_ids(connection) == [new.list]
        for column in (STATUS_ENTRY.c.list, STATUS_PUBLISHED.c.list):
            assert set(connection.scalars(sa.select(column))) == {new.list}
