"""Deferred issuance (OpenID4VCI §9): what waits for somebody, who decides, and that it is fetched once."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from issuer import deferrals
from issuer.database import Database
from issuer.deferrals import APPROVED, DENIED, decide, waiting
from issuer.hold import CROWD_KEPT, MAX_KEPT, Crowds
from issuer.tables import CREDENTIAL, DEFERRAL, EVENT
from tests.cli import ouvrage
from tests.issuing import BBS, JWT, Running, attest, new_keys, running
from vc.errors import Malformed


def rows(database: Database, table: sa.Table) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(sa.select(table)).all())


def settle(database: Database, decision: str) -> None:
    with database.write() as connection:
        for one in waiting(connection):
            decide(connection, one.id[:10], decision)


async def promised(service: Running, token: str, name: str = BBS, count: int = 2) -> tuple[dict[str, Any], Any]:
    body = await service.request(name, new_keys(count))
    answer = await service.post("/credential", body, token)
    assert answer.status == 202, answer.raw
    assert set(answer.json) == {"transaction_id", "interval"}
    assert answer.json["interval"] == service.deps.config.deferral_interval
    return {"transaction_id": answer.json["transaction_id"]}, body


@pytest.mark.parametrize("name", [BBS, JWT])
async def test_what_is_held_back_waits_and_is_fetched_once(database: Database, name: str) -> None:
    attest(database)
    async with running(database, hold=("Earnings",)) as service:
        token = service.grant(name)
        ask, body = await promised(service, token, name)
        assert (await service.post("/credential", body, token)).error == (400, "invalid_nonce")
        still = await service.post("/deferred", ask, token)
        assert (still.status, still.json) == (202, {**ask, "interval": service.deps.config.deferral_interval})
        assert rows(database, CREDENTIAL) == []
        stranger = service.grant(name, session="session-2")
        assert (await service.post("/deferred", ask, stranger)).error == (400, "invalid_transaction_id")
        settle(database, APPROVED)
        assert (await service.post("/deferred", ask, stranger)).error == (400, "invalid_transaction_id")
        issued = await service.post("/deferred", ask, token)
        assert issued.status == 200, issued.raw
        assert len(issued.json["credentials"]) == 2
        assert "notification_id" not in issued.json
        assert (await service.post("/deferred", ask, token)).error == (400, "invalid_transaction_id")
        # What was approved once is approved for further copies.
        more = await service.post("/credential", await service.request(name, new_keys()), token)
        assert more.status == 200
    assert rows(database, DEFERRAL) == []
    assert [row.kind for row in rows(database, EVENT)] == ["deferred", "credential.issued", "credential.issued"]


async def test_two_who_fetch_at_once(database: Database) -> None:
    attest(database)
    async with running(database, hold=("Earnings",)) as service:
        token = service.grant(JWT)
        ask, _ = await promised(service, token, JWT)
        settle(database, APPROVED)
        answers = await asyncio.gather(*(service.post("/deferred", ask, token) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]
    assert {answer.error[1] for answer in answers if answer.status == 400} == {"invalid_transaction_id"}
    assert len(rows(database, CREDENTIAL)) == 2


async def test_what_is_denied_stays_denied(database: Database) -> None:
    attest(database)
    async with running(database, hold=("Earnings",)) as service:
        token = service.grant(BBS)
        ask, _ = await promised(service, token)
        settle(database, DENIED)
        for _ in range(2):
            assert (await service.post("/deferred", ask, token)).error == (400, "credential_request_denied")
        with database.write() as connection, pytest.raises(Malformed):
            decide(connection, hashed_id(database), APPROVED)
    assert rows(database, CREDENTIAL) == []


def hashed_id(database: Database) -> str:
    (row,) = rows(database, DEFERRAL)
    return str(row.id)


@pytest.mark.parametrize("body", [{}, [], {"transaction_id": 1}, {"transaction_id": ""}])
async def test_bodies(database: Database, body: Any) -> None:
    async with running(database) as service:
        answer = await service.post("/deferred", body, service.grant(BBS))
        assert answer.error == (400, "invalid_credential_request")
        unknown = await service.post("/deferred", {"transaction_id": "x"}, service.grant(BBS))
        assert unknown.error == (400, "invalid_transaction_id")


async def test_a_promise_ends(database: Database) -> None:
    attest(database)
    async with running(database, hold=("Earnings",), refresh_lifetime=3600) as service:
        token = service.grant(BBS)
        ask, _ = await promised(service, token)
        settle(database, APPROVED)
        service.clock.forward(hours=1)
        assert (await service.post("/deferred", ask, token)).error == (400, "invalid_transaction_id")


# ---- crowds ----------------------------------------------------------------------------------------------------------


async def test_small_crowds_wait(database: Database) -> None:
    for number in range(1, 4):
        attest(database, worker=f"worker-{number}")
    attest(database, worker="alone", category="jobbing")
    async with running(database, k=3) as service:
        among = service.grant(BBS)
        assert (await service.post("/credential", await service.request(BBS, new_keys()), among)).status == 200
        alone = service.grant(BBS, worker="alone", session="session-2")
        await promised(service, alone)
    (row,) = rows(database, DEFERRAL)
    assert (row.worker, row.reason) == ("alone", "crowd")
    async with running(database, k=3, allow_few=("Earnings",)) as service:
        alone = service.grant(BBS, worker="alone", session="session-3")
        assert (await service.post("/credential", await service.request(BBS, new_keys()), alone)).status == 200


def test_crowds_are_remembered_for_a_while() -> None:
    crowds = Crowds()
    assert not crowds.knows(("Earnings", "EUR"), 0)
    crowds.keep(("Earnings", "EUR"), 0)
    assert crowds.knows(("Earnings", "EUR"), CROWD_KEPT - 1)
    assert not crowds.knows(("Earnings", "EUR"), CROWD_KEPT)
    for number in range(MAX_KEPT + 10):
        crowds.keep(("Earnings", str(number)), 1)
    assert len(crowds.found) == MAX_KEPT


# ---- the commands ----------------------------------------------------------------------------------------------------


async def test_ouvrage_issuer_deferred(tmp_path: Path) -> None:
    folder = tmp_path / "issuer"
    folder.mkdir()
    with Database.open(folder / "issuer.db") as database:
        attest(database)
        async with running(database, hold=("Earnings",)) as service:
            token = service.grant(BBS)
            asks = [(await promised(service, token))[0] for _ in range(2)]

            def deferred(*words: str, ok: bool = True) -> Any:
                return ouvrage(tmp_path, "issuer", "deferred", *words, "--json", ok=ok).json

            listed = deferred("list")["deferred"]
            assert [(one["worker"], one["type"], one["copies"]) for one in listed] == [("worker-1", "Earnings", 2)] * 2
            ids = {one["id"] for one in listed}
            first, second = sorted(ids)
            assert deferred("approve", first[:10])["decision"] == "approved"
            assert deferred("deny", second)["decision"] == "denied"
            assert deferred("list") == {"deferred": []}
            assert deferred("approve", first[:10], ok=False)["error"]["code"] == "UNKNOWN_DEFERRAL"
            statuses = [(await service.post("/deferred", ask, token)).status for ask in asks]
            assert sorted(statuses) == [200, 400]
    shown = ouvrage(tmp_path, "issuer", "deferred", "list").out
    assert shown == "Nothing waits for a decision.\n"
    assert json.dumps(asks[0]) not in shown


async def test_nobody_hides_others_behind_requests_of_their_own(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deferrals, "MAX_WAITING", 2)
    monkeypatch.setattr(deferrals, "MAX_LISTED", 1)
    for worker in ("worker-1", "worker-2"):
        attest(database, worker)
    async with running(database, hold=("Earnings",)) as service:
        token = service.grant(BBS)
        for _ in range(2):
            await promised(service, token)
        more = await service.post("/credential", await service.request(BBS, new_keys()), token)
        assert more.error == (400, "credential_request_denied")
        service.clock.forward(seconds=1)
        await promised(service, service.grant(BBS, worker="worker-2", session="session-2"))
    last = max(rows(database, DEFERRAL), key=lambda row: int(row.created))
    with database.write() as connection:
        assert last.id not in [one.id for one in waiting(connection)]  # it can be decided all the same
        assert decide(connection, last.id, DENIED).worker == "worker-2"
        for name in ("", "%", "_"):
            with pytest.raises(Malformed):
                decide(connection, name, DENIED)
