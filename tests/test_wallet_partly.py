"""An offer of several credentials of which one is refused, or wrong: the others are kept, and nothing unverified is."""

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import typer

from issuer.database import Database
from tests.cli import ouvrage
from tests.databases import sample_statements
from tests.issuing import BBS, Running, running
from tests.test_wallet_accept import RATING, Between, changed, offered, take
from tests.test_wallets_elsewhere import issuing
from tests.vaults import create
from vc.errors import Rejected, Undetermined
from vc.io.fetch import Fetched, fetch
from wallet.accept_command import accept_command
from wallet.fetching import Failed
from wallet.grants import grants
from wallet.letting_go import delete_statement
from wallet.refresh import Reason, due, refresh
from wallet.shelf import Shelf
from work import CONTEXTS

Change = Callable[[Fetched], Fetched]
MEMBER: Final = "PlatformMembership_bbs-2023"


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with create(tmp_path / "vault.db") as vault:
        yield Shelf(vault)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "issuer.db") as opened:
        sample_statements(opened)
        yield opened


class For(Between):
    """The road to an issuer that answers otherwise about one credential."""

    def __init__(self, configuration: str, change: Change) -> None:
        super().__init__()
        self.configuration, self.change = configuration, change
        self.requests = 0

    async def __call__(self, url: str, **arguments: Any) -> Fetched:
        answer = await super().__call__(url, **arguments)
        if url.endswith("/credential"):
            self.requests += 1
            body = json.loads(arguments["body"])
            named = str(body.get("credential_identifier") or body.get("credential_configuration_id"))
            return self.change(answer) if named.startswith(self.configuration) else answer
        return answer


def refused(error: str) -> Change:
    return lambda _: Fetched(400, {}, json.dumps({"error": error}).encode())


def kinds(shelf: Shelf) -> list[str]:
    return sorted(one.credential.types[-1].removesuffix("Credential") for one in shelf.copies())


def told(failed: tuple[Failed, ...]) -> list[tuple[str, str]]:
    return [(one.dataset.configuration, one.error.code) for one in failed]


def missing(shelf: Shelf, service: Running) -> list[tuple[str, Reason]]:
    return [each for task in due(shelf, at=service.clock()) for each in task.reasons]


@pytest.mark.parametrize(
    ("change", "code", "events"),
    [
        (refused("credential_request_denied"), "ISSUER_DENIED", ["credential_accepted"] * 2),
        (refused("unknown_credential_configuration"), "ISSUER_REFUSED", ["credential_accepted"] * 2),
        (
            changed(validUntil="2029-11-30T23:59:59Z"),
            "PROOF_INVALID",
            ["credential_accepted", "credential_accepted", "credential_failure"],
        ),
        (lambda got: Fetched(200, {}, b'{"credentials":[]}'), "NO_CREDENTIAL", ["credential_accepted"] * 2),
    ],
    ids=["denied", "refused", "changed", "empty"],
)
async def test_one_that_is_wrong_holds_up_no_other(
    database: Database, shelf: Shelf, change: Change, code: str, events: list[str]
) -> None:
    async with running(database) as service:
        ask = For(RATING, change)
        got = await take(shelf, offered(service, MEMBER, RATING, BBS).link, service.clock, ask=ask)
        assert (got.added, told(got.failed)) == (4, [(RATING, code)])
        assert [one["configuration"] for one in got.to_json()["failed"]] == [RATING]  # type: ignore[index, union-attr, call-overload]
        assert ask.told == events
        assert kinds(shelf) == ["Earnings"] * 2 + ["PlatformMembership"] * 2
        assert {one.holder for one in shelf.copies()} == {key.did for key in shelf.signing_keys()}
        assert missing(shelf, service) == []  # it takes a new offer, which does not lose the first one's grant
        again = await take(shelf, offered(service, RATING).link, service.clock)
        assert (again.added, len(grants(shelf.vault))) == (2, 2)


async def test_where_the_platform_stops_answering_the_rest_is_fetched_by_a_refresh(
    database: Database, shelf: Shelf
) -> None:
    async with running(database) as service:
        ask = For(RATING, lambda _: Fetched(503, {}, b""))
        got = await take(shelf, offered(service, MEMBER, RATING, BBS).link, service.clock, ask=ask)
        assert (got.added, told(got.failed)) == (2, [(RATING, "ISSUER_DOWN"), (BBS, "ISSUER_DOWN")])
        assert ask.requests == 2  # and the third not at all
        assert missing(shelf, service) == [(RATING, Reason.MISSING), (BBS, Reason.MISSING)]
        (one,) = await refresh(
            shelf, due(shelf, at=service.clock()), ask=fetch, contexts=CONTEXTS, now=service.clock, rand=os.urandom
        )
        assert (one.error, one.failed) == (None, ())
    assert set(kinds(shelf)) == {"Earnings", "PlatformMembership", "Rating"}


async def test_where_nothing_comes_it_says_why_and_keeps_nothing(database: Database, shelf: Shelf) -> None:
    async with running(database) as service:
        no = Between({"/credential": refused("credential_request_denied")})
        with pytest.raises(Rejected, match="the platform says no to this credential"):
            await take(shelf, offered(service, RATING, BBS).link, service.clock, ask=no)
        assert (shelf.copies(), shelf.signing_keys(), grants(shelf.vault)) == ((), (), ())
        both = For(RATING, lambda _: Fetched(503, {}, b""))
        both.changes["/credential"] = refused("credential_request_denied")
        with pytest.raises(Undetermined, match="this wallet can go on with it") as error:
            await take(shelf, offered(service, BBS, RATING).link, service.clock, ask=both)
        assert error.value.code == "OFFER_INTERRUPTED"
    assert (shelf.copies(), len(grants(shelf.vault))) == ((), 1)


async def test_a_renewal_that_is_denied_is_told_once_and_what_is_held_stays(database: Database, shelf: Shelf) -> None:
    async with running(database) as service:
        await take(shelf, offered(service, RATING, BBS).link, service.clock)
        service.clock.forward(days=30)
        no = For(RATING, refused("credential_request_denied"))
        tasks = due(shelf, at=service.clock())
        (one,) = await refresh(shelf, tasks, ask=no, contexts=CONTEXTS, now=service.clock, rand=os.urandom)
        assert (one.added, one.retired, told(one.failed)) == (2, 2, [(RATING, "ISSUER_DENIED")])
        assert missing(shelf, service) == []
    assert kinds(shelf) == ["Earnings"] * 2 + ["Rating"] * 2


async def test_what_is_deleted_while_it_is_on_its_way_is_not_kept(database: Database, shelf: Shelf) -> None:
    async with running(database) as service:
        await take(shelf, offered(service, RATING, BBS).link, service.clock)
        service.clock.forward(days=30)
        rating = next(one for one in shelf.copies() if one.credential.types[-1] == "RatingCredential")

        def then(answer: Fetched) -> Fetched:
            delete_statement(shelf, rating.statement)
            return answer

        tasks = due(shelf, at=service.clock())
        ask = For(RATING, then)
        (one,) = await refresh(shelf, tasks, ask=ask, contexts=CONTEXTS, now=service.clock, rand=os.urandom)
        assert (one.error, one.added) == (None, 2)
        assert kinds(shelf) == ["Earnings"] * 2
        assert missing(shelf, service) == []


async def test_the_command_says_which_one_and_ends_with_its_code(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await asyncio.to_thread(ouvrage, tmp_path, "wallet", "init")
    async with issuing(database) as service:
        made = offered(service, MEMBER, RATING)
        monkeypatch.setenv("OUVRAGE_PASSPHRASE_FILE", str(tmp_path / "passphrase.txt"))
        monkeypatch.setattr("vc.io.fetch.fetch", For(RATING, refused("credential_request_denied")))
        with pytest.raises(typer.Exit) as ended:
            await asyncio.to_thread(accept_command, made.link, copies=2, home_dir=tmp_path, lang="fr")
    out = capsys.readouterr().out
    assert (ended.value.exit_code, "2 exemplaires" in out) == (1, True)
    assert "Rating_bbs-2023 : rien n’en a été gardé." in out
