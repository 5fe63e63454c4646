"""Issuing in bulk: each copy once, whatever happens in between."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from issuer.claims import Run
from issuer.formats import Format
from issuer.issue import Engine, Outcome, issue_pending
from issuer.keys import IssuerKeys
from issuer.store import MAX_KEYS, Store
from issuer.wanted import Wanted
from tests.cli import ROOT, ouvrage
from tests.line import AT, holder_key, issuer_keys
from tests.work_samples import EARNINGS, MEMBERSHIP, RATING
from vc.canon import parse_object
from vc.errors import Malformed, Undetermined
from vc.model import parse_credential
from vc.secure import hold
from wallet.choose import issuer_name
from work import CONTEXTS
from work.statement import Statement

BASE = "https://issuer.example"


def statements(workers: int) -> list[Statement]:
    return [
        Statement(kind, f"worker-{number}", sample)
        for number in range(workers)
        for kind, sample in (("PlatformMembership", MEMBERSHIP), ("Rating", RATING))
    ]


def issue(store: Store, at: datetime = AT, *, worker: str | None = None, processes: int = 1) -> int:
    outcome = issued(store, at, worker=worker, processes=processes)
    assert (outcome.refused, outcome.told) == (0, [])
    return outcome.signed


def issued(
    store: Store,
    at: datetime = AT,
    *,
    worker: str | None = None,
    processes: int = 1,
    keys: IssuerKeys | None = None,
    formats: tuple[Format, ...] = (Format.BBS,),
) -> Outcome:
    told: list[int] = []
    with Run.start(store.database) as run:
        outcome = issue_pending(
            run,
            keys or issuer_keys(),
            wanted=Wanted(at, formats, worker),
            engine=Engine(processes),
            base=BASE,
            on_total=told.append,
            on_done=told.append,
        )
    assert told[0] == outcome.signed + outcome.refused == sum(told[1:])
    return outcome


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "issuer.db"


def test_every_statement_is_signed_once_and_never_again(path: Path) -> None:
    with Store.open(path) as store:
        store.add_statements(statements(5), source="test")
        assert issue(store) == 10
        assert issue(store) == 0
    with Store.open(path) as store:
        assert issue(store) == 0
        assert store.summary(AT)["Rating"] == {"statements": 5, "credentials": 5, "boundToKeys": 0}


def test_what_was_signed_verifies(path: Path) -> None:
    with Store.open(path) as store:
        store.add_statements(statements(1), source="test")
        issue(store)
        bodies = store.credentials("worker-0", AT)
    assert len(bodies) == 2
    for body in bodies:
        hold(parse_object(body.encode()), contexts=CONTEXTS)


def test_a_copy_for_each_key_and_the_unbound_one_no_longer_handed_over(path: Path) -> None:
    keys = [holder_key(name).did for name in ("a", "b", "c")]
    with Store.open(path) as store:
        store.add_statements(statements(2), source="test")
        issue(store)
        assert store.register_keys("worker-0", keys) == 3
        assert store.register_keys("worker-0", keys) == 0
        assert issue(store) == 6
        documents = [parse_object(body.encode()) for body in store.credentials("worker-0", AT)]
        assert len(store.credentials("worker-1", AT)) == 2
    subjects = [document["credentialSubject"] for document in documents]
    assert Counter(subject["id"] for subject in subjects if isinstance(subject, dict)) == dict.fromkeys(keys, 2)


def test_the_worker_sees_the_name_that_the_platform_gives_itself(path: Path) -> None:
    with Store.open(path) as store:
        store.add_statements(statements(1), source="test")
        named = replace(issuer_keys(), name="Example platform")
        issued(store, keys=named)
        (first, _) = store.credentials("worker-0", AT)
    credential = parse_credential(parse_object(first.encode()))
    assert credential.issuer == named.credentials.did
    assert issuer_name(credential) == "Example platform"


def test_a_key_belongs_to_one_worker(path: Path) -> None:
    with Store.open(path) as store:
        store.add_statements(statements(2), source="test")
        store.register_keys("worker-0", [holder_key("a").did])
        with pytest.raises(Malformed) as caught:
            store.register_keys("worker-1", [holder_key("a").did])
        assert caught.value.code == "KEY_TAKEN"
        with pytest.raises(Malformed):
            store.register_keys("nobody", [holder_key("b").did])
        with pytest.raises(Malformed):
            store.register_keys("worker-1", [f"did:key:{number}" for number in range(MAX_KEYS + 1)])


def test_an_expired_copy_is_signed_anew_and_a_newer_statement_takes_the_place_of_the_old(path: Path) -> None:
    with Store.open(path) as store:
        store.add_statements(statements(1), source="test")
        issue(store)
        assert issue(store, AT + timedelta(days=60)) == 2
        newer = Statement("Rating", "worker-0", {**RATING, "excludedCount": "4"})
        assert store.add_statements([newer, *statements(1)[:1]], source="test").replaced == 1
        assert issue(store, AT + timedelta(days=60)) == 1
        assert len(store.credentials("worker-0", AT + timedelta(days=60))) == 2


def test_income_in_two_currencies_is_two_statements(path: Path) -> None:
    both = [Statement("Earnings", "worker-0", {**EARNINGS, "currency": currency}) for currency in ("USD", "EUR")]
    with Store.open(path) as store:
        assert store.add_statements(both, source="test").new == 2
        assert store.add_statements(both, source="test").unchanged == 2
        assert issue(store) == 2


def test_attesting_the_same_again_changes_nothing(path: Path) -> None:
    with Store.open(path) as store:
        assert replace(store.add_statements(statements(3), source="test")).new == 6
        again = store.add_statements(statements(3), source="test")
        assert (again.new, again.replaced, again.unchanged) == (0, 0, 6)


def test_a_pool_of_processes_signs_the_same(path: Path) -> None:
    with Store.open(path) as store:
        store.add_statements(statements(80), source="test")
        assert issue(store, processes=2) == 160
        assert issue(store, processes=2) == 0


def test_a_store_in_use_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(path).__exit__()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3.dbapi2, "connect", lambda *args, **kwargs: real(*args, **{**kwargs, "timeout": 0.1}))
    with Store.open(path) as store, pytest.raises(Undetermined) as caught:
        store.add_statements(statements(1), source="test")
    assert caught.value.code == "STORE_BUSY"
    other.close()


def signed_rows(path: Path) -> list[tuple[str, str, str]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT digest, holder, body FROM credential").fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["kill", "interrupt"])
def test_a_run_that_is_stopped_goes_on_where_it_was(how: signal.Signals, tmp_path: Path) -> None:
    folder = tmp_path / "issuer"
    folder.mkdir()
    with Store.open(folder / "issuer.db") as store:
        store.add_statements(statements(150), source="test")
    environment = {**os.environ, "OUVRAGE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    before: dict[tuple[str, str], str] = {}
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-m", "ouvrage", "issuer", "issue", "--processes", "2"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        until = time.monotonic() + 60
        while process.poll() is None and len(signed_rows(folder / "issuer.db")) <= len(before):
            assert time.monotonic() < until
            time.sleep(0.05)
        if process.poll() is None:
            os.kill(process.pid, how)
        _, error = process.communicate(timeout=60)
        assert b"Traceback" not in error
        rows = {(digest, holder): body for digest, holder, body in signed_rows(folder / "issuer.db")}
        assert all(rows[name] == body for name, body in before.items()), "a credential was lost or signed again"
        before = rows
    done = ouvrage(tmp_path, "issuer", "issue", "--json")
    assert done.json["signed"] == 300 - len(before)
    assert len(signed_rows(folder / "issuer.db")) == 300


def test_earnings_of_a_worker_hold_their_ladder(path: Path) -> None:
    with Store.open(path) as store:
        store.add_statements([Statement("Earnings", "worker-0", EARNINGS)], source="test")
        issue(store)
        (body,) = store.credentials("worker-0", AT)
    subject = parse_object(body.encode())["credentialSubject"]
    assert isinstance(subject, dict)
    ladder = subject["averageAtLeast12m"]
    assert isinstance(ladder, list)
    assert len(ladder) == 12
    assert "001500" in ladder
    assert "001800" not in ladder
