"""What is over is erased on schedule; a worker who is forgotten is in no row, and not in the file either."""

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from issuer import retention
from issuer.copies import Slot
from issuer.database import Database
from issuer.disputes import close_dispute, find_disputed, open_dispute
from issuer.events import Kind, note
from issuer.forget import Forgotten, compact, forget
from issuer.formats import CONFIGURATIONS
from issuer.offers import PRE_AUTHORIZED, TxCode, claim_offer, make_offer
from issuer.overview import counts
from issuer.retention import PIECE, Swept, sweep, sweep_all
from issuer.statuses import allocate
from issuer.tables import (
    CREDENTIAL,
    DEFERRAL,
    EVENT,
    HOLDER_KEY,
    METADATA,
    OFFER,
    SESSION,
    SPENT,
    STATEMENT,
    STATUS_ENTRY,
    TICKET,
)
from issuer.tickets import Kind as TicketKind
from issuer.tickets import hand_out, spend
from tests.cli import ouvrage
from tests.databases import sample_statements
from tests.pages_app import NOW, credential_row, new_deps
from vc.errors import Malformed

WORKER = "driver-4711/é"  # with what JSON and LIKE spell in a way of their own: it is found all the same
OTHER = "driver-4711"
DAY = 86_400
TYPES = ("Earnings", "Rating")


def fill(database: Database, worker: str, number: int = 0) -> dict[str, Any]:
    """Everything that the issuer can hold about a worker: a row in every table that has one."""
    rand = os.urandom
    sample_statements(database, worker)
    with database.write() as connection:
        made = make_offer(
            connection,
            worker,
            [one for one in CONFIGURATIONS if one.startswith("Earnings")],
            base="https://issuer.example",
            grants=[PRE_AUTHORIZED],
            tx_code=TxCode.NUMERIC,
            lifetime=DAY,
            now=NOW,
            rand=rand,
        )
        slots = allocate(connection, 2, base="https://issuer.example", rand=rand, now=NOW)
        digests = {
            row.type: row.digest for row in connection.execute(sa.select(STATEMENT).where(STATEMENT.c.worker == worker))
        }
        for place, (kind, form) in enumerate((("Earnings", "bbs-2023"), ("Earnings", "sd-jwt"), ("Rating", "sd-jwt"))):
            row = credential_row(number + place, kind, form, NOW - 2 * DAY)
            slot: Slot | None = slots[place - 1] if place else None
            where = {"list": slot.list if slot else None, "place": slot.place if slot else None}
            row |= {"worker": worker, "digest": digests[kind], "body": f'{{"of": "{worker}"}}'}
            connection.execute(CREDENTIAL.insert().values(**{**row, **where}))
        connection.execute(HOLDER_KEY.insert().values(worker=worker, position=0, did=f"did:key:zAhead{number}"))
        connection.execute(
            SESSION.insert().values(
                id=f"session-{number}",
                offer=made.id,
                worker=worker,
                client="",
                configurations="[]",
                identified=True,
                jkt=None,
                state="granted",
                created=NOW,
                expires=NOW + 100 * DAY,
            )
        )
        for kind, session in ((TicketKind.REFRESH, f"session-{number}"), (TicketKind.WORKER, None)):
            hand_out(connection, kind, rand(32), expires=NOW + DAY, session=session, body={"worker": worker})
        connection.execute(
            DEFERRAL.insert().values(
                id=f"deferral-{number}",
                session=f"session-{number}",
                worker=worker,
                type="Review",
                request=json.dumps({"keys": []}),
                reason="held",
                created=NOW,
                expires=NOW + DAY,
            )
        )
        disputed = find_disputed(connection, worker, "Rating", None)[0]
        dispute = open_dispute(connection, disputed, reason=f"{worker} says no", now=NOW, rand=rand)
        hand_out(
            connection,
            TicketKind.NOTIFICATION,
            rand(32),
            expires=NOW + DAY,
            session=f"session-{number}",
            body={"digest": digests["Earnings"], "holders": [f"did:key:z{number}"], "format": "bbs-2023"},
        )
        spend(connection, f"nonce-{number}", expires=NOW + 300)
        note(connection, Kind.CREDENTIAL_ISSUED, worker, {"dataset": disputed.dataset}, now=NOW)
    return {"offer": made.id, "dispute": dispute, "slots": slots, "dataset": disputed.dataset}


def everything(database: Database) -> str:
    """All that is in all tables, as text."""
    with database.read() as connection:
        rows = [(table.name, list(map(tuple, connection.execute(table.select())))) for table in METADATA.sorted_tables]
    return json.dumps(rows, ensure_ascii=False)


def rows(database: Database, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(table.select().where(*conditions)))


# ---- on schedule -----------------------------------------------------------------------------------------------------


def test_nothing_that_is_still_needed_is_swept(database: Database) -> None:
    fill(database, WORKER)
    before = everything(database)
    deps = new_deps(database)
    with database.write() as connection:
        assert sweep(connection, deps.config, NOW) == Swept()
    assert everything(database) == before


def test_what_is_over_goes_in_its_time(database: Database) -> None:
    config = new_deps(database).config
    made = fill(database, WORKER)

    def swept(at: int) -> Swept:
        with database.write() as connection:
            return sweep(connection, config, at)

    with database.write() as connection:
        claim_offer(connection, made["offer"], now=NOW)
        close_dispute(connection, made["dispute"], "upheld", now=NOW)
    assert swept(NOW + 301).spent == 1
    # A wallet has had a day to say that something went wrong, or to ask again.
    assert swept(NOW + DAY).bodies == 0
    assert swept(NOW + DAY + 1).bodies == 1
    assert {(row.format, row.body) for row in rows(database, CREDENTIAL, CREDENTIAL.c.type == "Earnings")} == {
        ("bbs-2023", None),
        ("sd-jwt", f'{{"of": "{WORKER}"}}'),  # was signed ahead, and nobody has asked for it
    }
    assert {row.worker for row in rows(database, CREDENTIAL)} == {WORKER}
    assert rows(database, DEFERRAL) == rows(database, SPENT) == rows(database, TICKET) == []
    assert swept(NOW + DAY + config.claimed_kept + 1).offers == 1
    assert swept(NOW + config.events_kept + 1).events >= 4
    assert swept(NOW + 40 * DAY).credentials == 3  # valid until the end of December
    assert swept(NOW + 100 * DAY + 1).sessions == 1
    assert swept(NOW + config.disputes_kept + 1).disputes == 1
    left = {table.name for table in METADATA.sorted_tables if rows(database, table)}
    assert left == {"statement", "holder_key", "status_list", "status_entry", "setting"}


def test_expired_credentials_are_counted_and_their_places_stay_taken(database: Database) -> None:
    made = fill(database, WORKER)
    fill(database, OTHER, 100)
    config = new_deps(database).config
    with database.read() as connection:
        before = counts(connection)
    taken = len(rows(database, STATUS_ENTRY))
    with database.write() as connection:
        sweep(connection, config, NOW + 40 * DAY)
        sweep(connection, config, NOW + 40 * DAY)
    assert rows(database, CREDENTIAL) == []
    with database.read() as connection:
        assert counts(connection) == before
    assert sum(one.count for one in before) == 6
    assert len(rows(database, STATUS_ENTRY)) == taken
    assert rows(database, STATUS_ENTRY, STATUS_ENTRY.c.dataset == made["dataset"]) == []


def test_offers_that_nobody_claimed_lose_what_is_in_them_at_once(database: Database) -> None:
    fill(database, WORKER)
    with database.write() as connection:
        sweep(connection, new_deps(database).config, NOW + DAY + 1)
    ((row),) = rows(database, OFFER)
    assert (row.body, row.tx_code, row.state) == (None, None, "offered")


def test_a_long_list_is_swept_in_pieces_until_nothing_is_left(database: Database) -> None:
    deps = new_deps(database)
    with database.write() as connection:
        connection.execute(
            SPENT.insert(), [{"hash": f"h{number}", "expires": NOW - 1} for number in range(2 * PIECE + 1)]
        )
    with database.write() as connection:
        assert sweep(connection, deps.config, NOW).spent == PIECE
    sweep_all(deps)
    assert rows(database, SPENT) == []


def test_a_body_is_never_forgotten_before_it_is_erased(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many notifications end at once: the ticket that says which bodies to erase goes with them only."""
    monkeypatch.setattr(retention, "PIECE", 2)
    with database.write() as connection:
        for number in range(7):
            connection.execute(CREDENTIAL.insert().values(**credential_row(number, "Earnings", "sd-jwt", NOW)))
            body = {"digest": f"digest-{number}", "holders": [f"did:key:z{number}"], "format": "sd-jwt"}
            hand_out(connection, TicketKind.NOTIFICATION, os.urandom(32), expires=NOW - 1, session="s", body=body)
    sweep_all(new_deps(database))
    assert rows(database, TICKET) == []
    assert {row.body for row in rows(database, CREDENTIAL)} == {None}


# ---- on request ------------------------------------------------------------------------------------------------------


def test_a_forgotten_worker_is_in_no_row(database: Database) -> None:
    fill(database, OTHER, 100)
    alone = everything(database)
    made = fill(database, WORKER)
    dry = forget(database, WORKER, now=NOW, dry_run=True)
    assert WORKER in everything(database)
    assert forget(database, WORKER, now=NOW) == dry
    after = everything(database)
    for trace in (
        WORKER,
        json.dumps(WORKER)[1:-1],
        made["dataset"],
        made["offer"],
        "session-0",
    ):
        assert trace not in after, trace
    # Nobody else lost anything.
    assert alone.count(OTHER) == after.count(OTHER)
    assert set(dry.erased) == {
        "credential",
        "deferral",
        "dispute",
        "event",
        "holder_key",
        "offer",
        "session",
        "statement",
        "ticket",
    }
    assert forget(database, WORKER, now=NOW) == Forgotten({}, 0, "", 0, 0)


def test_every_table_that_names_a_worker_is_seen_to(database: Database) -> None:
    """Whoever adds a table with a worker in it learns here whether `forget` sees it."""
    fill(database, WORKER)
    named = {table.name for table in METADATA.sorted_tables if "worker" in table.c}
    filled = {name for name in named if rows(database, METADATA.tables[name], METADATA.tables[name].c.worker == WORKER)}
    assert named - filled <= {"suspension"}, "fill() has to put a worker there"


def test_what_the_worker_holds_stays_valid_and_stays_withdrawable(database: Database) -> None:
    made = fill(database, WORKER)
    found = forget(database, WORKER, now=NOW)
    assert (found.valid, found.until, found.revoked, found.left_marked) == (3, "2026-12-31T23:59:59Z", 0, 1)
    places = {(row.list, row.place) for row in rows(database, CREDENTIAL, CREDENTIAL.c.list.is_not(None))}
    assert places == {(one.list, one.place) for one in made["slots"]}
    entries = rows(database, STATUS_ENTRY, sa.not_(STATUS_ENTRY.c.decoy))
    assert {row.revoked for row in entries} == {False}
    assert {row.dataset for row in entries} == {None}


def test_they_are_withdrawn_where_that_is_asked_for(database: Database) -> None:
    made = fill(database, WORKER)
    assert forget(database, WORKER, now=NOW, revoke=True, dry_run=True).revoked == 2
    assert forget(database, WORKER, now=NOW, revoke=True).revoked == 2
    for slot in made["slots"]:
        (entry,) = rows(database, STATUS_ENTRY, STATUS_ENTRY.c.list == slot.list, STATUS_ENTRY.c.place == slot.place)
        assert entry.revoked


def test_an_undelivered_event_about_a_forgotten_worker_is_not_sent(database: Database) -> None:
    fill(database, WORKER)
    with database.write() as connection:
        connection.execute(EVENT.update().values(next_attempt=NOW))
    forget(database, WORKER, now=NOW)
    assert {(row.worker, row.body, row.next_attempt) for row in rows(database, EVENT)} == {("", "{}", None)}


def test_nobody_is_no_worker(database: Database) -> None:
    with pytest.raises(Malformed):
        forget(database, "", now=NOW)


def test_the_file_holds_nothing_of_a_forgotten_worker(tmp_path: Path) -> None:
    path = tmp_path / "issuer.db"
    word = "driver-4711-of-the-file"
    with Database.open(path) as database:
        fill(database, word)
        with database.write() as connection:  # what was replaced before, and lies in a free page
            connection.execute(
                CREDENTIAL.insert().values(**credential_row(8, "Earnings", "sd-jwt", NOW) | {"list": None})
            )
            connection.execute(CREDENTIAL.update().values(body=word * 3000))
            connection.execute(CREDENTIAL.update().values(body=None))
        assert word.encode() in b"".join(one.read_bytes() for one in tmp_path.iterdir())
        forget(database, word, now=NOW)
        # The service goes on: its connections are open.
        assert word.encode() not in b"".join(one.read_bytes() for one in tmp_path.iterdir())
        compact(database)
    assert word.encode() not in path.read_bytes()


def test_the_command_says_what_remains_and_why(tmp_path: Path) -> None:
    (tmp_path / "issuer").mkdir()
    with Database.open(tmp_path / "issuer" / "issuer.db") as database:
        fill(database, "worker-1")
        fill(database, "worker-2", 100)
    at = ("--at", "2026-11-24")
    dry = ouvrage(tmp_path, "issuer", "forget", "--worker", "worker-1", "--dry-run", "--json", *at).json
    assert dry["dryRun"]
    assert dry["workers"][0]["erased"]["statement"] == 4
    assert dry["workers"][0]["remains"] == {"validCredentials": 3, "until": "2026-12-31T23:59:59Z", "marked": 1}
    text = ouvrage(tmp_path, "issuer", "forget", "--worker", "worker-1", "--worker", "worker-2", "--revoke", *at).out
    assert "worker-2: erased: credential 3, deferral 1," in text
    assert "2 credentials withdrawn" in text
    assert "backups" in text
    assert "taxes" in text
    again = ouvrage(tmp_path, "issuer", "forget", "--worker", "worker-1", *at).out
    assert "nothing is here" in again
    refused = ouvrage(tmp_path, "issuer", "forget", "--worker", "", ok=False)
    assert refused.code == 2


def test_the_report_of_a_sweep_has_a_count_for_every_kind() -> None:
    assert {one.name for one in fields(Swept)} >= {"offers", "bodies", "credentials", "sessions", "disputes", "events"}
    assert Swept(events=PIECE).more
    assert not Swept(events=PIECE - 1).more
