"""Coming back to platforms: for what they promised, before copies run out, on a new device; and killed on the way."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from issuer.database import Database
from tests.cli import ROOT, ouvrage
from tests.databases import sample_statements
from tests.issuing import BBS, JWT, SD, Clock, attest, running
from tests.test_deferred import settle
from tests.test_wallet_accept import RATING, Between, changed, offered, said, take
from tests.test_wallets_elsewhere import issuing
from tests.vaults import create, reopen
from vc.errors import Rejected, Undetermined, VcError
from vc.io.fetch import Fetched, fetch
from wallet.grants import grants, keep_grant
from wallet.issuer_session import Ask
from wallet.letting_go import delete_statement, tell_deleted
from wallet.pending import promises
from wallet.refresh import Reason, Refreshed, due, refresh
from wallet.shelf import Shelf
from work import CONTEXTS


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with create(tmp_path / "vault.db") as vault:
        yield Shelf(vault)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "issuer.db") as opened:
        yield opened


async def came_back(shelf: Shelf, clock: Clock, *, ask: Ask = fetch, rebind: bool = False) -> Refreshed:
    """What came of a refresh, of one grant."""
    tasks = due(shelf, at=clock(), rebind=rebind)
    (one,) = await refresh(shelf, tasks, ask=ask, contexts=CONTEXTS, now=clock, rand=os.urandom)
    return one


def reasons(shelf: Shelf, clock: Clock, **more: Any) -> list[str]:
    return [str(reason) for task in due(shelf, at=clock(), **more) for _, reason in task.reasons]


def show_all_but(shelf: Shelf, kept: int) -> None:
    """Count all copies but some as shown."""
    items = shelf.vault.items("credential")
    shelf.vault.replace([replace(one, body={**one.body, "shown": 1}) for one in items[kept:]])  # type: ignore[dict-item]


# ---- what was promised -----------------------------------------------------------------------------------------------


async def test_what_was_promised_is_fetched_when_it_may_be(database: Database, shelf: Shelf) -> None:
    sample_statements(database)
    async with running(database, hold=("Rating",)) as service:
        got = await take(shelf, offered(service, BBS, RATING).link, service.clock)
        assert got.deferred == (RATING,)
        (promise,) = promises(shelf.vault)
        assert set(promise.holders) == {key.did for key in shelf.signing_keys()}
        ask = Between()
        assert (await came_back(shelf, service.clock, ask=ask)).task.waiting == (promise,)
        assert ask.asked == []  # not before the interval
        service.clock.forward(hours=2)
        assert (await came_back(shelf, service.clock)).deferred == (RATING,)
        settle(database, "approved")
        assert (await came_back(shelf, service.clock)).added == 0  # it said to wait again
        service.clock.forward(hours=2)
        assert (await came_back(shelf, service.clock)).added == 2
        assert (promises(shelf.vault), due(shelf, at=service.clock())[0].is_idle) == ((), True)
    kinds = [one.credential.types[-1] for one in shelf.copies()]
    assert sorted(set(kinds)) == ["EarningsCredential", "RatingCredential"]
    assert {one.holder for one in shelf.copies()} == set(promise.holders)


async def test_a_no_ends_the_waiting(database: Database, shelf: Shelf) -> None:
    sample_statements(database)
    async with running(database, hold=("Rating",)) as service:
        await take(shelf, offered(service, BBS, RATING).link, service.clock)
        settle(database, "denied")
        service.clock.forward(hours=2)
        no = await came_back(shelf, service.clock)
        assert "the platform says no to this credential" in str(no.error)
    assert (promises(shelf.vault), len(shelf.copies())) == ((), 2)


# ---- new copies ------------------------------------------------------------------------------------------------------


async def test_new_copies_when_few_are_left_that_nobody_saw(database: Database, shelf: Shelf) -> None:
    attest(database)
    async with running(database) as service:
        await take(shelf, offered(service).link, service.clock, copies=3)
        assert reasons(shelf, service.clock) == []
        show_all_but(shelf, 1)
        assert reasons(shelf, service.clock) == [Reason.FEW]
        ask = Between()
        got = await came_back(shelf, service.clock, ask=ask)
        assert (got.added, got.retired, ask.told) == (3, 0, ["credential_accepted"])
        assert reasons(shelf, service.clock) == []
    assert len({one.holder for one in shelf.copies()}) == 6


async def test_each_format_is_renewed_in_its_own(database: Database, shelf: Shelf) -> None:
    attest(database)
    async with running(database) as service:
        await take(shelf, offered(service, BBS, SD, JWT).link, service.clock, formats=["sd-jwt", "ecdsa-sd-2023"])
        before = {one.batch for one in shelf.copies()}
        assert reasons(shelf, service.clock) == []
        service.clock.forward(days=30)
        assert reasons(shelf, service.clock) == [Reason.EXPIRES, Reason.EXPIRES]
        got = await came_back(shelf, service.clock)
        assert (got.added, got.retired) == (4, 4)
        assert reasons(shelf, service.clock) == []
    held = shelf.copies()
    assert sorted(one.suite for one in held) == ["ecdsa-sd-2023", "ecdsa-sd-2023", "sd-jwt", "sd-jwt"]
    assert not before & {one.batch for one in held}
    assert {one.holder for one in held} == {key.did for key in shelf.signing_keys()}


async def test_a_key_that_was_seen_with_one_format_is_used_up_for_the_other(database: Database, shelf: Shelf) -> None:
    attest(database)
    async with running(database) as service:
        await take(shelf, offered(service, BBS, JWT).link, service.clock)
        signed = {one.id for one in shelf.copies() if one.suite == "sd-jwt"}
        (item, _) = (one for one in shelf.vault.items("credential") if one.id in signed)
        shelf.vault.replace([replace(item, body={**item.body, "shown": 1})])  # type: ignore[dict-item]
        assert reasons(shelf, service.clock) == [Reason.FEW, Reason.FEW]


async def test_an_issuer_that_gives_one_copy_at_a_time_is_not_asked_for_ever(database: Database, shelf: Shelf) -> None:
    attest(database)
    async with running(database, batch_size=1) as service:
        await take(shelf, offered(service).link, service.clock, copies=5)
        assert reasons(shelf, service.clock) == []


async def test_what_ends_soon_is_replaced_by_what_the_platform_says_now(database: Database, shelf: Shelf) -> None:
    attest(database)
    async with running(database) as service:
        await take(shelf, offered(service).link, service.clock)
        (before,) = {one.batch for one in shelf.copies()}
        service.clock.forward(days=30)
        assert reasons(shelf, service.clock) == [Reason.EXPIRES]
        got = await came_back(shelf, service.clock)
        assert (got.added, got.retired) == (2, 2)
        (after,) = {one.batch for one in shelf.copies()}
        assert after != before
        assert len(shelf.signing_keys()) == len(shelf.copies()) == 2  # the old keys went with the old copies
        assert reasons(shelf, service.clock) == []
        await came_back(shelf, service.clock)


async def test_everything_of_a_platform_is_renewed_together_under_the_same_keys(
    database: Database, shelf: Shelf
) -> None:
    sample_statements(database)
    async with running(database) as service:
        await take(shelf, offered(service, BBS, RATING).link, service.clock)
        earnings = next(one for one in shelf.copies() if one.credential.types[-1] == "EarningsCredential")
        item = next(one for one in shelf.vault.items("credential") if one.id == earnings.id)
        shelf.vault.replace([replace(item, body={**item.body, "shown": 1})])  # type: ignore[dict-item]
        old = {key.did for key in shelf.signing_keys()}
        assert (await came_back(shelf, service.clock)).added == 4
    new = [one.holder for one in shelf.copies() if one.holder not in old]
    assert sorted(new.count(one) for one in set(new)) == [2, 2]


async def test_a_second_offer_takes_the_place_of_the_first_grant(database: Database, shelf: Shelf) -> None:
    attest(database)
    async with running(database) as service:
        for _ in range(2):
            await take(shelf, offered(service).link, service.clock)
    assert len(grants(shelf.vault)) == 1


async def test_all_is_bound_to_new_keys_and_the_old_ones_go(database: Database, shelf: Shelf) -> None:
    sample_statements(database)
    async with running(database) as service:
        await take(shelf, offered(service, BBS, RATING).link, service.clock)
        old = {key.did for key in shelf.signing_keys()}
        got = await came_back(shelf, service.clock, rebind=True)
    assert (got.added, got.retired) == (4, 4)
    new = {key.did for key in shelf.signing_keys()}
    assert (len(new), new & old) == (2, set())
    assert {one.holder for one in shelf.copies()} == new


@pytest.mark.parametrize("where", ["/credential", "/token", "openid-credential-issuer"])
@pytest.mark.parametrize("rebind", [True, False])
async def test_nothing_is_lost_where_the_platform_does_not_answer(
    database: Database, shelf: Shelf, where: str, *, rebind: bool
) -> None:
    attest(database)
    async with running(database) as service:
        await take(shelf, offered(service).link, service.clock)
        service.clock.forward(days=1 if rebind else 30)
        before = shelf.copies()
        down = Between({where: lambda _: Fetched(503, {}, b"")})
        assert isinstance((await came_back(shelf, service.clock, ask=down, rebind=rebind)).error, Undetermined)
        assert (shelf.copies(), len(shelf.signing_keys())) == (before, 2)
        service.clock.forward(minutes=2)
        if where != "/token":  # whose answer was lost on the way
            assert (await came_back(shelf, service.clock, rebind=rebind)).added == 2


async def test_a_new_copy_that_is_wrong_takes_no_place(database: Database, shelf: Shelf) -> None:
    attest(database)
    async with running(database) as service:
        await take(shelf, offered(service).link, service.clock)
        service.clock.forward(days=30)
        before = shelf.copies()
        liar = Between({"/credential": changed(validUntil="2029-11-30T23:59:59Z")})
        assert isinstance((await came_back(shelf, service.clock, ask=liar)).error, VcError)
        assert (shelf.copies(), liar.told) == (before, ["credential_failure"])
        assert (await came_back(shelf, service.clock)).added == 2


async def test_what_ends_earlier_than_what_is_held_takes_no_place(database: Database, shelf: Shelf) -> None:
    """The clock of the platform goes backwards: both are kept."""
    attest(database)
    async with running(database) as service:
        await take(shelf, offered(service).link, service.clock)
        service.clock.forward(days=-60)
        assert (await came_back(shelf, service.clock, rebind=True)).retired == 0
    assert len(shelf.copies()) == 4


# ---- tokens ----------------------------------------------------------------------------------------------------------


async def test_the_new_token_is_written_before_anything_is_fetched_with_it(database: Database, shelf: Shelf) -> None:
    attest(database)
    async with running(database) as service:
        await take(shelf, offered(service).link, service.clock)
        service.clock.forward(days=30)
        (before,) = grants(shelf.vault)
        seen: list[str] = []

        async def watching(url: str, **arguments: Any) -> Fetched:
            if url.endswith(("/nonce", "/credential")):
                seen.append(grants(shelf.vault)[0].refresh)
            return await fetch(url, **arguments)

        await came_back(shelf, service.clock, ask=watching)
    assert len(set(seen)) == 1
    assert before.refresh not in seen


async def test_an_answer_that_was_lost_on_the_way(database: Database, shelf: Shelf) -> None:
    attest(database)
    async with running(database) as service:
        await take(shelf, offered(service).link, service.clock)
        service.clock.forward(days=30)
        before = shelf.copies()

        def lost(got: Fetched) -> Fetched:
            if got.status != 200:  # it asks for its nonce first
                return got
            raise Undetermined("the platform did not answer", "try again later", code="FETCH_TIMEOUT")

        await came_back(shelf, service.clock, ask=Between({"/token": lost}))
        ask = Between()
        under_way = await came_back(shelf, service.clock, ask=ask)  # a second wallet, or a hasty worker
        assert "another refresh of this wallet may be under way" in str(under_way.error)
        assert not any(url.endswith("/token") for url in ask.asked)
        service.clock.forward(minutes=2)
        told = await came_back(shelf, service.clock)
        assert isinstance(told.error, Rejected)
        assert "ask the platform for a new offer" in str(told.error)
        assert (shelf.copies(), grants(shelf.vault)) == (before, ())
        assert (await take(shelf, offered(service).link, service.clock)).added == 2  # a new offer goes on


async def test_a_platform_that_gave_no_token_to_come_back_with(database: Database, shelf: Shelf) -> None:
    attest(database)
    async with running(database) as service:
        ask = Between({"/token": lambda got: said(refresh_token="")(got) if got.status == 200 else got})
        await take(shelf, offered(service).link, service.clock, ask=ask)
        show_all_but(shelf, 0)
        assert (await came_back(shelf, service.clock)).added == 2  # its token is still good
        service.clock.forward(days=30)
        assert "gave this wallet no token to come back with" in str((await came_back(shelf, service.clock)).error)
    assert (len(shelf.copies()), due(shelf, at=service.clock())) == (4, ())


async def test_an_offer_that_was_interrupted_is_finished_by_a_refresh(database: Database, shelf: Shelf) -> None:
    attest(database)
    async with running(database) as service:
        down = Between({"/credential": lambda _: Fetched(503, {}, b"")})
        with pytest.raises(Undetermined, match="Your offer is used, but this wallet can go on with it"):
            await take(shelf, offered(service).link, service.clock, ask=down)
        assert reasons(shelf, service.clock) == [Reason.MISSING]
        assert (await came_back(shelf, service.clock)).added == 2


async def test_one_platform_that_fails_holds_up_no_other(database: Database, shelf: Shelf, tmp_path: Path) -> None:
    attest(database)
    with Database.open(tmp_path / "other.db") as second:
        attest(second)
        clock = Clock()
        async with running(second, clock=clock) as other:
            async with running(database, clock=clock) as service:
                await take(shelf, offered(service).link, clock)
            await take(shelf, offered(other).link, clock)
            clock.forward(days=30)
            tasks = due(shelf, at=clock())
            failed, done = await refresh(shelf, tasks, ask=fetch, contexts=CONTEXTS, now=clock, rand=os.urandom)
    assert (failed.error is not None, done.error, done.added) == (True, None, 2)


# ---- letting go ------------------------------------------------------------------------------------------------------


async def test_what_the_worker_deletes_does_not_come_back(database: Database, shelf: Shelf) -> None:
    sample_statements(database)
    async with running(database) as service:
        await take(shelf, offered(service, BBS, RATING).link, service.clock)
        name = next(one.statement for one in shelf.copies() if one.credential.types[-1] == "RatingCredential")
        ask = Between()
        left = delete_statement(shelf, name)
        assert await tell_deleted(shelf, left, ask=ask, now=service.clock, rand=os.urandom)
        assert set(ask.told) == {"credential_deleted"}
        service.clock.forward(days=30)
        assert (await came_back(shelf, service.clock)).added == 2
        assert {one.credential.types[-1] for one in shelf.copies()} == {"EarningsCredential"}
        (name,) = {one.statement for one in shelf.copies()}
        await tell_deleted(shelf, delete_statement(shelf, name), ask=fetch, now=service.clock, rand=os.urandom)
    assert (shelf.copies(), shelf.signing_keys(), grants(shelf.vault)) == ((), (), ())


# ---- as commands, and killed -----------------------------------------------------------------------------------------


async def finished(home: Path, *words: str) -> tuple[int, str, str]:
    done = await asyncio.to_thread(ouvrage, home, "wallet", *words, ok=False)
    return done.code, done.out, done.err


async def test_the_commands(database: Database, tmp_path: Path) -> None:
    await asyncio.to_thread(ouvrage, tmp_path, "wallet", "init")
    async with issuing(database) as service:
        assert (await finished(tmp_path, "refresh", "--lang", "fr"))[1].startswith("Rien à aller")
        assert (await finished(tmp_path, "accept", offered(service).link, "--copies", "2"))[0] == 0
        code, out, _ = await finished(tmp_path, "refresh", "--days", "365", "--dry-run", "--lang", "fr")
        assert (code, "demanderait de nouveaux exemplaires de Earnings_bbs-2023 (la fin approche)" in out) == (0, True)
        code, out, _ = await finished(tmp_path, "refresh", "--rebind", "--json")
        (one,) = json.loads(out)["refreshed"]
        assert (code, one["added"], one["retired"], one["error"]) == (0, 2, 2, None)
        code, out, err = await finished(tmp_path, "delete", "Earnings")
        assert (code, "nothing was deleted" in err) == (2, True)
        code, out, _ = await finished(tmp_path, "delete", "Earnings", "--yes", "--json")
        assert (code, json.loads(out)["deleted"], json.loads(out)["told"]) == (0, 2, True)
    code, out, _ = await finished(tmp_path, "refresh", "--json")
    assert (code, json.loads(out)) == (0, {"refreshed": []})


async def test_a_platform_that_is_gone(database: Database, tmp_path: Path) -> None:
    await asyncio.to_thread(ouvrage, tmp_path, "wallet", "init")
    async with issuing(database) as service:
        await finished(tmp_path, "accept", offered(service).link, "--copies", "2")
    code, out, err = await finished(tmp_path, "refresh", "--rebind")
    assert (code, "What you have stays as it is." in out, "Traceback" in err) == (3, True, False)


CHILD = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from tests.vaults import reopen
from vc.io.fetch import fetch
from wallet.refresh import due, refresh
from wallet.shelf import Shelf
from work import CONTEXTS

async def ask(url, **arguments):
    answer = await fetch(url, **arguments)
    if url.endswith(sys.argv[2]) and answer.status < 300:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer

now = lambda: datetime.now(UTC)
with reopen(Path(sys.argv[1])) as vault:
    shelf = Shelf(vault)
    tasks = due(shelf, at=now(), rebind=True)
    asyncio.run(refresh(shelf, tasks, ask=ask, contexts=CONTEXTS, now=now, rand=os.urandom))
"""


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("/openid-credential-issuer", 0),
        ("/token", 0),
        ("/nonce", 0),
        ("/credential", 0),
        ("/notification", 2),
    ],
)
async def test_killed_as_an_answer_comes(database: Database, tmp_path: Path, where: str, kept: int) -> None:
    """The platform has done what it was asked, and the wallet dies before it could write anything down."""
    attest(database)
    path = tmp_path / "vault.db"
    async with issuing(database, access_lifetime=20) as service:  # always renewed
        with create(path) as vault:
            await take(Shelf(vault), offered(service).link, service.clock)
            old = {one.holder for one in Shelf(vault).copies()}
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD, str(path), where, cwd=ROOT)
        assert await child.wait() == -signal.SIGKILL
        with reopen(path) as vault:
            shelf = Shelf(vault)
            assert len({one.holder for one in shelf.copies()} - old) == kept
            assert len(shelf.copies()) == 2
            (grant,) = grants(vault)
            keep_grant(vault, replace(grant, sent=None))  # a minute later
            got = await came_back(shelf, service.clock, rebind=True)
            if where == "/token":
                assert "the platform's last answer was lost on the way" in str(got.error)
                assert {one.holder for one in shelf.copies()} == old
                assert (await take(shelf, offered(service).link, service.clock)).added == 2
            else:
                assert (got.error, got.added, len(shelf.copies())) == (None, 2, 2)
