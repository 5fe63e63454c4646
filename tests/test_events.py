"""Events: an outbox in the transaction of what happened, a webhook that is signed, and a command for who asks."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from issuer import service, webhook
from issuer.config import Webhook
from issuer.database import Database
from issuer.deps import Deps
from issuer.events import PAGE, WANTED, Kind, note, read
from issuer.tables import EVENT, SETTING
from tests.browser import served
from tests.cli import ouvrage
from tests.pages_app import AT, NOW, new_deps
from vc.errors import Undetermined

SECRET = "a secret that two systems share"


class Receiver:
    """The platform's own system: it keeps what it is sent, and answers as it is told."""

    def __init__(self) -> None:
        self.status = 200
        self.received: list[tuple[str, bytes]] = []

    def make(self, _base: str) -> web.Application:
        async def take(request: web.Request) -> web.Response:
            self.received.append((request.headers[webhook.SIGNATURE], await request.read()))
            return web.Response(status=self.status)

        app = web.Application()
        app.router.add_post("/hook", take)
        return app

    @property
    def ids(self) -> list[int]:
        return sorted(json.loads(body)["id"] for _, body in self.received)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def deps(database: Database, receiver: Receiver) -> Iterator[Deps]:
    with served(receiver.make) as base:
        yield new_deps(database, webhook=Webhook(f"{base}/hook", SECRET, private_address=True))


def happen(database: Database, count: int = 1, *, at: int = NOW) -> None:
    with database.write() as connection:
        for number in range(count):
            note(connection, Kind.OFFER_CREATED, "worker-1", {"offer": f"offer-{number}"}, now=at)


def later(deps: Deps, seconds: int) -> Deps:
    return replace(deps, now=lambda: AT + timedelta(seconds=seconds))


def deliver(deps: Deps) -> None:
    asyncio.run(webhook.deliver_due(deps))


def documented() -> Callable[[str, str, bytes, int], bool]:
    """The check that docs/issuer-people.md gives to whoever receives events."""
    text = (Path(__file__).parents[1] / "docs" / "issuer-people.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(text.partition("```python\n")[2].partition("```")[0], names)
    check: Callable[[str, str, bytes, int], bool] = names["is_ours"]
    return check


def test_the_page_shows_how_a_signature_is_checked() -> None:
    is_ours = documented()
    body = b'{"id":1}'
    header = webhook.signature(SECRET, body, at=NOW)
    assert is_ours(SECRET, header, body, NOW + 200)
    assert not is_ours("another secret", header, body, NOW)
    assert not is_ours(SECRET, header, b'{"id":2}', NOW)
    assert not is_ours(SECRET, header, body, NOW + 301)
    assert not is_ours(SECRET, header.replace(f"t={NOW}", f"t={NOW + 1}"), body, NOW)


def test_an_event_is_sent_once_signed_and_without_claims(deps: Deps, receiver: Receiver) -> None:
    deliver(deps)  # from here on somebody is told
    happen(deps.database)
    deliver(deps)
    deliver(later(deps, 10_000))
    ((header, body),) = receiver.received
    assert documented()(SECRET, header, body, NOW)
    told = json.loads(body)
    assert told == {
        "id": told["id"],
        "kind": "offer.created",
        "at": "2026-11-24T12:00:00Z",
        "worker": "worker-1",
        "offer": "offer-0",
    }


def test_what_happened_before_anybody_was_told_is_not_sent(deps: Deps, receiver: Receiver) -> None:
    happen(deps.database)
    deliver(deps)
    assert receiver.received == []
    with deps.database.read() as connection:
        assert len(read(connection, since=0)) == 1


def test_nothing_is_noted_of_what_did_not_happen(database: Database) -> None:
    def fail() -> None:
        with database.write() as connection:
            note(connection, Kind.OFFER_CREATED, "worker-1", {}, now=NOW)
            raise Undetermined("it", "did not happen")

    with pytest.raises(Undetermined):
        fail()
    with database.read() as connection:
        assert read(connection, since=0) == []


def test_it_is_tried_again_ever_more_rarely_and_given_up_after_a_day(deps: Deps, receiver: Receiver) -> None:
    deliver(deps)
    happen(deps.database)
    receiver.status = 500
    waits = []
    moment = 0
    while True:
        tried = len(receiver.received)
        deliver(later(deps, moment))
        with deps.database.read() as connection:
            row = connection.execute(EVENT.select()).one()
        if row.next_attempt is None:
            break
        assert len(receiver.received) == tried + 1
        deliver(later(deps, row.next_attempt - NOW - 1))  # not before its time
        assert len(receiver.received) == tried + 1
        waits.append(row.next_attempt - NOW - moment)
        moment = row.next_attempt - NOW
    assert waits == sorted(waits)
    assert waits[:3] == [10, 20, 40]
    assert waits[-1] == webhook.LONGEST_WAIT
    assert moment >= webhook.GIVE_UP_AFTER
    with deps.database.read() as connection:
        stands = webhook.state(connection, now=NOW)
    assert (stands.given_up, stands.waiting) == (1, 0)


def test_it_arrives_once_the_other_side_is_back(deps: Deps, receiver: Receiver) -> None:
    deliver(deps)
    happen(deps.database, 3)
    receiver.status = 503
    deliver(deps)
    with deps.database.read() as connection:
        assert webhook.state(connection, now=NOW).waiting == 3
    receiver.status = 204
    deliver(later(deps, 60))
    assert receiver.ids == sorted(2 * sorted(set(receiver.ids)))
    with deps.database.read() as connection:
        stands = webhook.state(connection, now=NOW)
    assert (stands.waiting, stands.given_up) == (0, 0)


def test_two_replicas_do_not_send_the_same_at_the_same_time(deps: Deps, receiver: Receiver) -> None:
    deliver(deps)
    happen(deps.database, webhook.BATCH + 5)
    first, second = webhook._claim(deps), webhook._claim(deps)
    assert (len(first), len(second)) == (webhook.BATCH, 5)
    assert not {one.id for one, _ in first} & {one.id for one, _ in second}
    # Both are killed before they send: when the lease is over, somebody else does.
    deliver(later(deps, webhook.LEASE - 1))
    assert receiver.received == []
    deliver(later(deps, webhook.LEASE))
    assert len(receiver.ids) == len(set(receiver.ids)) == webhook.BATCH + 5


def test_a_late_answer_of_a_slow_replica_does_not_undo_what_another_did(deps: Deps, receiver: Receiver) -> None:
    deliver(deps)
    happen(deps.database)
    slow = webhook._claim(deps)
    deliver(later(deps, webhook.LEASE))
    webhook._settle(later(deps, webhook.LEASE + 1), slow, [False])
    with deps.database.read() as connection:
        assert connection.execute(EVENT.select()).one().next_attempt is None


def test_a_private_address_is_not_asked_unless_the_configuration_says_so(
    database: Database, receiver: Receiver
) -> None:
    with served(receiver.make) as base:
        deps = new_deps(database, webhook=Webhook(base.replace("http:", "https:") + "/hook", SECRET))
        deliver(deps)
        happen(database)
        deliver(deps)
    assert receiver.received == []
    with database.read() as connection:
        assert webhook.state(connection, now=NOW).waiting == 1


def test_without_a_webhook_nothing_waits(deps: Deps) -> None:
    deliver(deps)
    happen(deps.database)
    alone = new_deps(deps.database)
    deliver(alone)
    happen(deps.database)
    with deps.database.read() as connection:
        stands = webhook.state(connection, now=NOW)
        assert (stands.target, stands.waiting) == ("", 0)
        assert connection.execute(SETTING.select().where(SETTING.c.name == WANTED)).first() is None


def test_a_reader_misses_no_event_whose_transaction_ends_late(database: Database) -> None:
    """Two transactions take numbers; the one with the smaller number ends later. Whoever reads in between waits."""

    def look() -> list[int]:
        with database.read() as connection:
            return [one.id for one in read(connection, since=0)]

    if database.is_sqlite:  # it lets in one writer at a time: numbers come in order
        happen(database, 2)
        assert look() == [1, 2]
        return
    with ThreadPoolExecutor(1) as threads, ExitStack() as slow:
        connection = slow.enter_context(database.write())
        note(connection, Kind.OFFER_CREATED, "slow", {}, now=NOW)
        happen(database)
        reading = threads.submit(look)
        with pytest.raises(TimeoutError):
            reading.result(0.3)
        slow.close()
        assert len(reading.result(10)) == 2


def test_the_command_pages_through_events(tmp_path: Path) -> None:
    (tmp_path / "issuer").mkdir()
    with Database.open(tmp_path / "issuer" / "issuer.db") as database:
        happen(database, PAGE + 1)
    first = ouvrage(tmp_path, "issuer", "events", "--json").json
    assert (len(first["events"]), first["more"]) == (PAGE, True)
    second = ouvrage(tmp_path, "issuer", "events", "--since", str(first["last"]), "--json").json
    assert [one["offer"] for one in second["events"]] == [f"offer-{PAGE}"]
    assert (second["more"], second["last"]) == (False, first["last"] + 1)
    text = ouvrage(tmp_path, "issuer", "events", "--since", str(first["last"])).out
    assert "2026-11-24T12:00:00Z" in text
    assert "offer.created" in text
    none = ouvrage(tmp_path, "issuer", "events", "--since", str(second["last"])).out
    assert "Nothing has happened" in none


def test_the_service_sends_events_by_itself(database: Database, receiver: Receiver) -> None:
    """With everything that the service does beside answering, and until it ends."""
    with served(receiver.make) as hook:
        deps = new_deps(database, webhook=Webhook(f"{hook}/hook", SECRET, private_address=True))
        with database.write() as connection:
            connection.execute(SETTING.insert().values(name=WANTED, value=f"{hook}/hook"))
        happen(database, 2)
        with served(lambda base: service.make(replace(deps, config=replace(deps.config, base=base)))):
            for _ in range(200):
                if len(receiver.received) == 2:
                    break
                time.sleep(0.05)
    assert len(receiver.ids) == 2
