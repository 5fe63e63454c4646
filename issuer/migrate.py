"""Bringing a database to the tables of this version, or of another.

A new database gets its tables at once. A file of an older version is brought up when a command opens it; a server,
which others may be using, only by ``ouvrage issuer migrate``. Every step is one transaction, one process at a time.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from issuer.tables import METADATA
from vc.errors import Malformed, Undetermined, Unsupported

if TYPE_CHECKING:
    from issuer.database import Database

REVISIONS: Final = ("0001", "0002")  # oldest first
HEAD: Final = REVISIONS[-1]
FORMER: Final = "0001"  # what a SQLite file of the format before the migrations is

_FORMER_FORMAT: Final = 2
_FORMER_TABLES: Final = frozenset({"statement", "holder_key", "credential"})
_ONE_MIGRATION: Final = "SELECT pg_advisory_xact_lock(hashtext('ouvrage migrate'))"

# As Alembic makes it, so that a new database needs no Alembic.
_VERSION: Final = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


@dataclass(frozen=True, slots=True)
class Version:
    """Which tables a database has: those of a revision, or none. ``stamped``: it says so itself."""

    revision: str | None
    stamped: bool


def prepare(database: "Database") -> None:
    """Make the tables of a new database, bring an older file to this version, and refuse everything else."""
    with database.read() as connection:
        version = read_version(connection, database.name)
    if version.revision == HEAD:
        return
    if version.revision is not None and not database.is_sqlite:
        raise Undetermined(
            f"{database.name} has the tables of an older version", "run: ouvrage issuer migrate", code="STORE_OLD"
        )
    with database.write() as connection:
        version = _read_alone(connection, database.name)  # another process may have been faster
        if version.revision is None:
            _create(connection)
        elif version.revision != HEAD:
            _move(connection, version, HEAD, discard=False)


def read_version(connection: sa.Connection, name: str) -> Version:
    """The version. Raises :class:`Malformed` for a database that is not ours, :class:`Unsupported` for a newer one."""
    tables = set(sa.inspect(connection).get_table_names())
    if _VERSION.name in tables:
        stamps = list(connection.execute(sa.select(_VERSION.c.version_num)).scalars())
        if not stamps:
            return Version(None, stamped=True)
        if stamps[0] not in REVISIONS:
            raise Unsupported("database", f"{name} was made by a newer version of ouvrage", code="STORE_NEW")
        return Version(stamps[0], stamped=True)
    if not tables:
        return Version(None, stamped=False)
    if connection.dialect.name == "sqlite" and tables >= _FORMER_TABLES and _format(connection) == _FORMER_FORMAT:
        return Version(FORMER, stamped=False)
    raise Malformed(name, "not an issuer's database: it has other tables", code="BAD_STORE")


def migrate(database: "Database", to: str, *, discard: bool) -> Version:
    """Bring a database to the tables of a revision, up or down; the version that it had.

    Raises :class:`Rejected` where rows would be lost and ``discard`` does not say that they may be.
    """
    with database.write() as connection:
        before = _read_alone(connection, database.name)
        if before.revision != to:
            _move(connection, before, to, discard=discard)
    return before


def steps(before: Version, to: str) -> tuple[str, ...]:
    """The revisions that are gone through, in their order: on the way down, those that are undone."""
    start = REVISIONS.index(before.revision) + 1 if before.revision else 0
    end = REVISIONS.index(to) + 1
    return REVISIONS[start:end] if start <= end else REVISIONS[end:start][::-1]


def _format(connection: sa.Connection) -> Any:
    return connection.exec_driver_sql("PRAGMA user_version").scalar_one()


def _read_alone(connection: sa.Connection, name: str) -> Version:
    if connection.dialect.name != "sqlite":  # there, the transaction alone writes already
        connection.exec_driver_sql(_ONE_MIGRATION)
    return read_version(connection, name)


def _create(connection: sa.Connection) -> None:
    METADATA.create_all(connection)
    _VERSION.create(connection, checkfirst=True)
    connection.execute(_VERSION.insert().values(version_num=HEAD))


def _move(connection: sa.Connection, before: Version, to: str, *, discard: bool) -> None:
    from alembic import command  # noqa: PLC0415  (takes a while to load, and is hardly ever needed)

    config = alembic_config(connection, discard=discard)
    if before.revision and not before.stamped:
        command.stamp(config, before.revision)
    if before.revision and REVISIONS.index(to) < REVISIONS.index(before.revision):
        command.downgrade(config, to)
    else:
        command.upgrade(config, to)


def alembic_config(connection: sa.Connection | None = None, *, discard: bool = False) -> Any:
    """Alembic's settings: our steps, on this connection."""
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection, "discard": discard})
    folder = str(Path(__file__).with_name("migrations")).replace("%", "%%")
    config.set_main_option("script_location", folder)
    config.set_main_option("path_separator", "os")
    return config
