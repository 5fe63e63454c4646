"""The vault behind the pages: locked or open, used by one thread, and locked again when nobody uses it."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol, TypeVar

from vc.errors import VcError
from vc.sealing import Cost
from wallet.keeping import Notice, at_closing, at_opening
from wallet.sealing import DEFAULT_COST
from wallet.shelf import Shelf
from wallet.vault import Vault

IDLE_MINUTES: Final = 10
LOOK_EVERY: Final = 5.0  # seconds between two looks at how long nobody has used it

_T = TypeVar("_T")


class Locked(Exception):
    """The vault is locked: ask for the passphrase."""


class Opener(Protocol):
    """How the vault is opened and closed. All of it is called by one thread."""

    def exists(self) -> bool:
        """Whether there is a vault to open."""

    def create(self, passphrase: bytes) -> Shelf:
        """A new vault."""

    def open(self, passphrase: bytes) -> Shelf:
        """The vault that is there."""

    def renew(self, secret: bytes, by: str, passphrase: bytes) -> Shelf:
        """The vault that is there, opened by its passphrase, words or shares, with a new passphrase."""

    def close(self) -> None:
        """Forget its key; closed already is no error."""

    @property
    def path(self) -> Path:
        """Where the vault is."""

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the worker should know of the last closing and opening."""


class FileOpener:
    """The vault in a file."""

    def __init__(self, path: Path, *, cost: Cost = DEFAULT_COST) -> None:
        self._path = path
        self._cost = cost
        self._vault: Vault | None = None
        self._notices: tuple[Notice, ...] = ()

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the worker should know of the last closing and opening."""
        return self._notices

    def exists(self) -> bool:
        """Whether there is a vault to open."""
        return self.path.exists()

    def create(self, passphrase: bytes) -> Shelf:
        """A new vault. Raises what :meth:`Vault.create` does."""
        self._vault = Vault.create(self.path, passphrase, rand=os.urandom, cost=self._cost)
        return Shelf(self._vault)

    def open(self, passphrase: bytes) -> Shelf:
        """The vault that is there. Raises what :meth:`Vault.open` does."""
        self._vault = Vault.open(self.path, passphrase, rand=os.urandom)
        self._notices = (*self._notices, *at_opening(self._vault))
        return Shelf(self._vault)

    def renew(self, secret: bytes, by: str, passphrase: bytes) -> Shelf:
        """The vault with a new passphrase. Raises what :meth:`Vault.open` and :meth:`Vault.change_passphrase` do; one
        that was open is then still so."""
        vault = Vault.open(self.path, secret, by=by, rand=os.urandom)
        try:
            vault.change_passphrase(passphrase, cost=self._cost)
        except BaseException:
            vault.close()
            raise
        if self._vault is not None:
            self._vault.close()
        self._vault = vault
        return Shelf(vault)

    def close(self) -> None:
        """See to the mark and the backup that follows a change, and forget the key."""
        vault, self._vault = self._vault, None
        if vault is None:
            return
        try:
            self._notices = tuple(at_closing(vault, at=datetime.now(UTC), rand=os.urandom))
        except VcError:  # another program has changed its key, or is at it: that one sees to them
            self._notices = ()
        finally:
            vault.close()


class Box:
    """One vault for all pages. What they do with it is done by its own thread, one thing after the other."""

    def __init__(
        self, opener: Opener, *, idle_minutes: float = IDLE_MINUTES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.idle_minutes = idle_minutes
        self._opener = opener
        self._clock = clock
        self.when_closed: Callable[[], None] = lambda: None  # what else is to be forgotten then
        self._used = clock()
        self._shelf: Shelf | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="vault")

    @property
    def is_open(self) -> bool:
        """Whether it is open, and was used not long ago."""
        return self._shelf is not None and not self._is_idle()

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the worker should know of the last closing and opening."""
        return self._opener.notices

    async def exists(self) -> bool:
        """Whether there is a vault to open."""
        return await self._run(self._opener.exists)

    async def create(self, passphrase: bytes) -> None:
        """Make a new vault, and leave it open."""
        await self._opened(lambda: self._opener.create(passphrase))

    async def open(self, passphrase: bytes) -> None:
        """Open the vault. Where the passphrase is wrong, it stays as it was."""
        await self._opened(lambda: self._opener.open(passphrase))

    async def renew(self, secret: bytes, by: str, passphrase: bytes) -> None:
        """Open the vault by its passphrase, words or shares, and change the passphrase. Where the secret is wrong, the
        vault stays as it was, locked or open."""
        self._shelf = await self._run(lambda: self._opener.renew(secret, by, passphrase))
        self._used = self._clock()

    async def with_path(self, step: Callable[[Path], _T]) -> _T:
        """What ``step`` makes of the vault's path, while nothing else is done with the vault."""
        return await self._run(lambda: step(self._opener.path))

    async def close(self) -> None:
        """Lock it, once what is under way is done."""
        self._shelf = None
        self.when_closed()
        await self._run(self._opener.close)

    async def use(self, step: Callable[[Shelf], _T]) -> _T:
        """What ``step`` makes of the open vault. Raises :class:`Locked`."""
        if not self.is_open:
            await self.close()
            raise Locked
        self._used = self._clock()
        try:
            return await self._run(lambda: step(self._require()))
        finally:
            self._used = self._clock()

    async def beside(self, work: Callable[[Shelf], _T]) -> _T:
        """As :meth:`use`, in a thread of its own: for what waits for the network most of the time. The pages use the
        vault between its steps. Where it is locked meanwhile, the work ends with ``VAULT_CLOSED`` at the next step."""
        shelf = await self.use(lambda shelf: shelf)
        return await asyncio.to_thread(work, shelf)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """While the block runs, lock the vault when nobody has used it for a while; lock it at the end."""
        watch = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
            await self.close()
            self._thread.shutdown()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if self._shelf is not None and self._is_idle():
                await self.close()

    def _is_idle(self) -> bool:
        return self._clock() - self._used > self.idle_minutes * 60

    def _require(self) -> Shelf:
        if self._shelf is None:
            raise Locked
        return self._shelf

    async def _opened(self, step: Callable[[], Shelf]) -> None:
        if self._shelf is not None:
            await self.close()
        self._shelf = await self._run(step)
        self._used = self._clock()

    async def _run(self, step: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, step)
