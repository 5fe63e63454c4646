"""A service with the pages for people, over a database with a few workers in it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from issuer import admin_session, service
from issuer.config import Config
from issuer.database import Database
from issuer.deps import Deps
from issuer.events import Kind, note
from issuer.keyring import KeyRing
from issuer.keys import create
from issuer.tables import CREDENTIAL, DEFERRAL, SETTING, STATUS_LIST
from tests.browser import served
from tests.databases import sample_statements

AT: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NOW: Final = int(AT.timestamp())
PASSWORD: Final = "correct horse battery staple"
ALLOWED: Final = ("PlatformMembership", "WorkHistory", "Earnings", "Rating")


def new_deps(database: Database, **config: Any) -> Deps:
    """What the routes need, at a fixed moment."""
    ring = replace(KeyRing.of(create(os.urandom), secret=bytes(32), at=AT), name="Courses & Cie")
    settings = Config(**{"base": "https://issuer.example", "allow_few": ALLOWED, **config})
    return Deps(settings, database, lambda: ring, lambda: AT, os.urandom)


def make_app(deps: Deps) -> web.Application:
    """The whole service, without what it does by itself."""
    return service.make(deps, tasks=())


def fill(database: Database) -> None:
    """A worker with statements, credentials of two months, a request that waits, a list, an event."""
    sample_statements(database, "worker-1")
    with database.write() as connection:
        connection.execute(SETTING.insert().values(name=admin_session.PASSWORD, value=password_hash()))
        for number, (kind, form, day) in enumerate(
            (("Earnings", "bbs-2023", 20), ("Earnings", "sd-jwt", 2), ("Rating", "sd-jwt", 1), ("Rating", "sd-jwt", 1))
        ):
            connection.execute(CREDENTIAL.insert().values(**credential_row(number, kind, form, NOW - day * 86_400)))
        connection.execute(
            DEFERRAL.insert().values(
                id="waits",
                session="session",
                worker="worker-1",
                type="Review",
                request=json.dumps({"keys": []}),
                reason="held",
                created=NOW - 7200,
                expires=NOW + 86_400,
            )
        )
        connection.execute(
            STATUS_LIST.insert().values(id="hV5yQp0s", size=131_072, taken=4711, opened=NOW - 40 * 86_400, changed=NOW)
        )
        note(connection, Kind.DEFERRED, "worker-1", {"type": "Review"}, now=NOW)


@cache
def password_hash() -> str:
    """The hash of PASSWORD, made once: it is slow by design."""
    return admin_session.hash_password(PASSWORD)


def credential_row(number: int, kind: str, form: str, signed_at: int) -> dict[str, Any]:
    """A row of a credential, as it was issued to a wallet."""
    return {
        "digest": f"digest-{number}",
        "holder": f"did:key:z{number}",
        "format": form,
        "worker": "worker-1",
        "type": kind,
        "valid_until": "2026-12-31T23:59:59Z",
        "signed_at": signed_at,
        "key": "did:key:zIssuer#zIssuer",
        "list": None if form == "bbs-2023" else "hV5yQp0s",
        "place": None if form == "bbs-2023" else number,
        "body": "{}",
    }


@dataclass(frozen=True)
class Site:
    """A running service, with what a test may look at behind it."""

    base: str
    database: Database
    deps: Deps


@contextmanager
def running_site(folder: Path, **config: Any) -> Iterator[Site]:
    """The pages over a filled database, served on this machine."""
    with Database.open(folder / "issuer.db") as database:
        fill(database)
        made: list[Deps] = []

        def make(base: str) -> web.Application:
            made.append(new_deps(database, base=base, **config))
            return make_app(made[0])

        with served(make) as base:
            yield Site(base, database, made[0])
