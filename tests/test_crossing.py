"""What happens while a copy is being signed, or put on record, is not undone by it."""

from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa

from issuer import issuance
from issuer.database import Database
from issuer.disputes import close_dispute, find_disputed, open_dispute
from issuer.forget import forget
from issuer.tables import CREDENTIAL, STATUS_ENTRY
from issuer.withdrawals import Act, Selection, change
from tests.issuing import AT, JWT, WORKER, Running, attest, new_keys, running
from tests.line import rand_from

NOW = int(AT.timestamp())
Step = Callable[[Database], object]


def revoke(database: Database) -> None:
    with database.write() as connection:
        change(connection, Act.REVOKE, Selection(worker=WORKER, type="Earnings"), now=NOW)


def remove(database: Database) -> None:
    with database.write() as connection:
        (one,) = find_disputed(connection, WORKER, "Earnings", None)
        dispute = open_dispute(connection, one, reason="other", now=NOW, rand=rand_from("dispute"))
        close_dispute(connection, dispute, "removed", now=NOW)


def erase(database: Database) -> None:
    forget(database, WORKER, now=NOW, revoke=True, whole=False)


def replace(database: Database) -> None:
    attest(database, sourceMethod="dsarImport")


def by_key(service: Running) -> Step:
    """Withdraw all that the service's key has signed."""
    key = service.deps.keyring().signing(AT).jwt.verification_method

    def step(database: Database) -> None:
        with database.write() as connection:
            change(connection, Act.REVOKE, Selection(key=key), now=NOW)

    return step


AFTERWARDS: dict[Step, int] = {revoke: 400, remove: 400, erase: 401, replace: 200}  # who asks again


def copies(database: Database) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(sa.select(CREDENTIAL)).all())


def standing(database: Database) -> int:
    """The copies on record that were not withdrawn."""
    place = (STATUS_ENTRY.c.list == CREDENTIAL.c.list) & (STATUS_ENTRY.c.place == CREDENTIAL.c.place)
    query = sa.select(sa.func.count()).select_from(CREDENTIAL.join(STATUS_ENTRY, place))
    with database.read() as connection:
        return int(connection.execute(query.where(sa.not_(STATUS_ENTRY.c.revoked))).scalar_one())


def meanwhile(monkeypatch: pytest.MonkeyPatch, name: str, database: Database, step: Step) -> list[Thread]:
    """Have somebody else take a step, once, when a function of issuer.issuance is called; they may have to wait."""
    threads: list[Thread] = []
    real = getattr(issuance, name)

    def called(*args: Any, **named: Any) -> Any:
        if not threads:
            threads.append(Thread(target=step, args=(database,)))
            threads[0].start()
            threads[0].join(0.5)  # it ends, or waits for us
        return real(*args, **named)

    monkeypatch.setattr(issuance, name, called)
    return threads


@pytest.mark.parametrize("step", [revoke, remove, erase, replace], ids=lambda step: step.__name__)
async def test_while_a_copy_is_signed(database: Database, step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    attest(database)
    async with running(database) as service:
        token = service.grant(JWT)
        assert (await service.post("/credential", await service.request(JWT, new_keys()), token)).status == 200
        before = len(copies(database))
        threads = meanwhile(monkeypatch, "sign_copies", database, step)
        crossed = await service.post("/credential", await service.request(JWT, new_keys()), token)
        threads[0].join()
        assert crossed.error == (503, "temporarily_unavailable")
        assert crossed.headers["Retry-After"] == "1"
        assert len(copies(database)) == before
        again = await service.post("/credential", await service.request(JWT, new_keys()), token)
    assert again.status == AFTERWARDS[step]


@pytest.mark.parametrize("step", [revoke, remove, erase], ids=lambda step: step.__name__)
async def test_while_a_copy_is_put_on_record(database: Database, step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    attest(database)
    async with running(database) as service:
        threads = meanwhile(monkeypatch, "_insert", database, step)
        crossed = await service.post("/credential", await service.request(JWT, new_keys()), service.grant(JWT))
        threads[0].join()
    assert crossed.status == 200
    assert len(copies(database)) == 1
    assert standing(database) == 0
    assert step is not erase or {(row.worker, row.body) for row in copies(database)} == {("", None)}


async def test_a_key_whose_work_is_withdrawn_while_it_signs(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    attest(database)
    async with running(database) as service:
        token = service.grant(JWT)
        assert (await service.post("/credential", await service.request(JWT, new_keys()), token)).status == 200
        before, step = copies(database), by_key(service)
        meanwhile(monkeypatch, "sign_copies", database, step)
        crossed = await service.post("/credential", await service.request(JWT, new_keys()), token)
        assert crossed.error == (503, "temporarily_unavailable")
        assert (copies(database), standing(database)) == (before, 0)
        again = await service.post("/credential", await service.request(JWT, new_keys()), token)
        assert (again.status, standing(database)) == (200, 1)
        threads = meanwhile(monkeypatch, "_insert", database, step)
        last = await service.post("/credential", await service.request(JWT, new_keys()), token)
        threads[0].join()
    assert (last.status, len(copies(database)), standing(database)) == (200, 3, 0)
