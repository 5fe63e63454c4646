"""A vault that closes by itself when nobody has used it for a while, for programs that keep running."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from vc.errors import Undetermined
from wallet.vault import Vault

IDLE_SECONDS: Final = 10 * 60.0


class Lock:
    """Holds one open vault for several threads, one of them at a time, and forgets its key after ``idle`` seconds.

    ``clock`` gives seconds that only grow. Someone has to look: every use does, and a program calls
    :meth:`lock_if_idle` now and then.
    """

    def __init__(
        self, open_vault: Callable[[bytes], Vault], *, clock: Callable[[], float], idle: float = IDLE_SECONDS
    ) -> None:
        self._open_vault = open_vault
        self._clock = clock
        self._idle = idle
        self._turn = threading.Lock()
        self._vault: Vault | None = None
        self._used = 0.0

    def unlock(self, passphrase: bytes) -> None:
        """Open the vault; an open one stays as it is where the passphrase is wrong. Raises as :meth:`Vault.open`."""
        fresh = self._open_vault(passphrase)  # slow, so before the others have to wait
        with self._turn:
            self._close()
            self._vault, self._used = fresh, self._clock()

    def lock(self) -> None:
        """Close the vault now."""
        with self._turn:
            self._close()

    def lock_if_idle(self) -> bool:
        """Close the vault if it was not used for so long; whether it is locked."""
        if not self._turn.acquire(blocking=False):
            return False  # somebody is using it
        try:
            return self._lock_if_idle()
        finally:
            self._turn.release()

    @contextmanager
    def use(self) -> Iterator[Vault]:
        """The open vault, for this thread alone. Raises :class:`Undetermined`, code ``VAULT_LOCKED``."""
        with self._turn:
            if self._lock_if_idle() or self._vault is None:
                raise Undetermined("the wallet is locked", "give the passphrase again", code="VAULT_LOCKED")
            try:
                yield self._vault
            except Undetermined as error:
                if error.code == "VAULT_REKEYED":
                    self._close()
                raise
            finally:
                self._used = self._clock()

    def _lock_if_idle(self) -> bool:
        if self._vault is not None and self._clock() - self._used >= self._idle:
            self._close()
        return self._vault is None

    def _close(self) -> None:
        if self._vault is not None:
            self._vault.close()
        self._vault = None
