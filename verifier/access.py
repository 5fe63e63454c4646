"""API keys: who may ask through this service, and how often. A key is shown once; its SHA-256 is kept."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from vc.errors import Malformed
from vc.multibase import encode_base64url
from verifier.database import Database
from verifier.sessions import digest
from verifier.tables import API_KEY

PREFIX: Final = "ouvk_"  # so that a scanner for leaked secrets finds it
LENGTH: Final = 32
MAX_NAME: Final = 64
MINUTE: Final = 60


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key, without its secret."""

    name: str
    made: int


def add_key(database: Database, name: str, *, now: int, rand: Callable[[int], bytes]) -> str:
    """The secret of a new key. Raises :class:`Malformed` for a name that is taken, or none."""
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise Malformed("name", f"not a text of 1 to {MAX_NAME} characters")
    secret = PREFIX + encode_base64url(rand(LENGTH))
    with database.write() as connection:
        if connection.execute(sa.select(API_KEY.c.name).where(API_KEY.c.name == name)).first():
            raise Malformed(name, "there is a key of this name; revoke it first", code="FILE_EXISTS")
        connection.execute(API_KEY.insert().values(name=name, digest=digest(secret), made=now))
    return secret


def list_keys(database: Database) -> tuple[ApiKey, ...]:
    """The keys that work, oldest first."""
    with database.read() as connection:
        rows = connection.execute(sa.select(API_KEY.c.name, API_KEY.c.made).order_by(API_KEY.c.made, API_KEY.c.name))
        return tuple(ApiKey(row.name, row.made) for row in rows)


def revoke_key(database: Database, name: str) -> None:
    """Let a key work no more, from the next call on. Raises :class:`Malformed` where there is none."""
    with database.write() as connection:
        if connection.execute(API_KEY.delete().where(API_KEY.c.name == name)).rowcount == 0:
            raise Malformed(name, "no key of this name", code="NOT_FOUND")


def find_key(database: Database, secret: str) -> str | None:
    """The name of the key with this secret, or None."""
    wanted = digest(secret)
    with database.read() as connection:
        row = connection.execute(sa.select(API_KEY).where(API_KEY.c.digest == wanted)).one_or_none()
    return None if row is None or not hmac.compare_digest(row.digest, wanted) else str(row.name)


class Rates:
    """How often each key was used in this minute, in this process."""

    def __init__(self) -> None:
        self._minute = 0
        self._used: dict[str, int] = {}

    def wait(self, name: str, *, most: int, now: int) -> int:
        """Count a call: 0 where it may go on, or the seconds to wait."""
        if now // MINUTE != self._minute:
            self._minute, self._used = now // MINUTE, {}
        self._used[name] = self._used.get(name, 0) + 1
        return 0 if self._used[name] <= most else MINUTE - now % MINUTE
