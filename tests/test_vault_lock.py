"""A vault that closes by itself when nobody uses it."""

import threading
from pathlib import Path

import pytest

from tests.vaults import PASSPHRASE, create, item, reopen
from vc.errors import Rejected, Undetermined
from vc.sealing import MIN_COST
from wallet.lock import Lock


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create(tmp_path / "vault").close()
    return tmp_path / "vault"


def test_it_closes_after_its_time_and_asks_again(path: Path) -> None:
    clock = Clock()
    lock = Lock(lambda secret: reopen(path, secret), clock=clock, idle=60)
    with pytest.raises(Undetermined, match="locked"), lock.use():
        pass
    lock.unlock(PASSPHRASE)
    for _ in range(3):
        clock.now += 59
        assert not lock.lock_if_idle()
        with lock.use() as vault:
            vault.put([item()])
    clock.now += 60
    assert lock.lock_if_idle()
    assert vault.unlocked()[1:] == (b"", b"")  # the key is forgotten
    with pytest.raises(Undetermined) as caught, lock.use():
        pass
    assert caught.value.code == "VAULT_LOCKED"
    lock.unlock(PASSPHRASE)
    with lock.use() as vault:
        assert len(vault.items("credential")) == 3


def test_a_late_use_finds_it_locked_though_nobody_looked(path: Path) -> None:
    clock = Clock()
    lock = Lock(lambda secret: reopen(path, secret), clock=clock, idle=60)
    lock.unlock(PASSPHRASE)
    clock.now = 60
    with pytest.raises(Undetermined), lock.use():
        pass


def test_it_does_not_close_under_somebody_and_counts_from_the_end_of_a_use(path: Path) -> None:
    clock = Clock()
    lock = Lock(lambda secret: reopen(path, secret), clock=clock, idle=60)
    lock.unlock(PASSPHRASE)
    with lock.use() as vault:
        clock.now = 100
        assert not lock.lock_if_idle()
        vault.put([item()])
    clock.now = 159
    assert not lock.lock_if_idle()


def test_a_wrong_passphrase_leaves_an_open_one_open(path: Path) -> None:
    lock = Lock(lambda secret: reopen(path, secret), clock=Clock())
    lock.unlock(PASSPHRASE)
    with pytest.raises(Rejected):
        lock.unlock(b"something else")
    with lock.use() as vault:
        assert vault.items("credential") == ()
    lock.lock()
    assert lock.lock_if_idle()


def test_a_passphrase_changed_elsewhere_locks_it(path: Path) -> None:
    lock = Lock(lambda secret: reopen(path, secret), clock=Clock())
    lock.unlock(PASSPHRASE)
    with reopen(path) as vault:
        vault.change_passphrase(b"another horse", cost=MIN_COST)
    with pytest.raises(Undetermined) as caught, lock.use() as stale:
        stale.items("credential")
    assert caught.value.code == "VAULT_REKEYED"
    assert lock.lock_if_idle()


def test_threads_use_it_one_after_the_other(path: Path) -> None:
    lock = Lock(lambda secret: reopen(path, secret), clock=Clock())
    lock.unlock(PASSPHRASE)
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(5):
            with lock.use() as vault:
                inside.append(1)
                most.append(len(inside))
                vault.put([item()])
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    with lock.use() as vault:
        assert len(vault.items("credential")) == 20
