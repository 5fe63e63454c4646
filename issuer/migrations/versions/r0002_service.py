"""Copies in several formats, status lists, OpenID4VCI, disputes and events: what the service needs."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from vc.errors import Finding, Malformed, Rejected

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BATCH = 1000

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SECONDS = sa.BigInteger()
NUMBERED = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

sa.Table(
    "statement",
    TABLES,
    sa.Column("digest", TEXT, primary_key=True),
    sa.Column("source", TEXT, nullable=False),
    sa.Column("worker", TEXT, nullable=False),
    sa.Column("type", TEXT, nullable=False),
    sa.Column("topic", TEXT, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.UniqueConstraint("source", "worker", "type", "topic"),
    sa.Index(None, "worker"),
    sa.Index(None, "type"),
)
sa.Table(
    "holder_key",
    TABLES,
    sa.Column("worker", TEXT, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("did", TEXT, nullable=False, unique=True),
)
sa.Table(
    "credential",
    TABLES,
    sa.Column("digest", TEXT, primary_key=True),
    sa.Column("holder", TEXT, primary_key=True),
    sa.Column("format", TEXT, primary_key=True),
    sa.Column("worker", TEXT, nullable=False),
    sa.Column("type", TEXT, nullable=False),
    sa.Column("valid_until", TEXT, nullable=False),
    sa.Column("signed_at", SECONDS, nullable=False),
    sa.Column("key", TEXT, nullable=False),
    sa.Column("list", TEXT),
    sa.Column("place", sa.Integer),
    sa.Column("body", sa.Text),
    sa.UniqueConstraint("list", "place"),
    sa.Index(None, "worker"),
    sa.Index(None, "holder"),
    sa.Index(None, "valid_until", "type", "format", "holder"),
)
sa.Table(
    "bulk_claim",
    TABLES,
    sa.Column("digest", TEXT, primary_key=True),
    sa.Column("holder", TEXT, primary_key=True),
    sa.Column("format", TEXT, primary_key=True),
    sa.Column("run", sa.BigInteger, nullable=False),
    sa.Column("list", TEXT),
    sa.Column("place", sa.Integer),
    sa.Index(None, "run"),
)
sa.Table(
    "status_list",
    TABLES,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("taken", sa.Integer, nullable=False),
    sa.Column("opened", SECONDS, nullable=False),
    sa.Column("closed", SECONDS),
    sa.Column("changed", SECONDS, nullable=False),
)
sa.Table(
    "status_entry",
    TABLES,
    sa.Column("list", TEXT, primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("decoy", sa.Boolean, nullable=False),
    sa.Column("revoked", sa.Boolean, nullable=False),
    sa.Column("suspended", sa.Boolean, nullable=False),
    sa.Column("contested", sa.Boolean, nullable=False),
    sa.Column("dataset", TEXT),
    sa.Index(None, "dataset"),
)
sa.Table(
    "suspension",
    TABLES,
    sa.Column("dataset", TEXT, primary_key=True),
    sa.Column("worker", TEXT, nullable=False),
    sa.Column("since", SECONDS, nullable=False),
    sa.Column("ended", SECONDS),
    sa.Index(None, "worker"),
)
sa.Table(
    "status_published",
    TABLES,
    sa.Column("list", TEXT, primary_key=True),
    sa.Column("kind", TEXT, primary_key=True),
    sa.Column("changed", SECONDS, nullable=False),
    sa.Column("signed_at", SECONDS, nullable=False),
    sa.Column("expires", SECONDS, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
sa.Table(
    "dispute",
    TABLES,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("worker", TEXT, nullable=False),
    sa.Column("type", TEXT, nullable=False),
    sa.Column("dataset", TEXT, nullable=False),
    sa.Column("digest", TEXT),
    sa.Column("about", TEXT),
    sa.Column("opened", SECONDS, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("closed", SECONDS),
    sa.Column("outcome", TEXT),
    sa.Index(None, "worker"),
    sa.Index(None, "dataset"),
)
sa.Table(
    "offer",
    TABLES,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("worker", TEXT, nullable=False),
    sa.Column("configurations", sa.Text, nullable=False),
    sa.Column("body", sa.Text),
    sa.Column("tx_code", TEXT),
    sa.Column("tries_left", sa.Integer, nullable=False),
    sa.Column("state", TEXT, nullable=False),
    sa.Column("created", SECONDS, nullable=False),
    sa.Column("expires", SECONDS, nullable=False),
    sa.Index(None, "worker"),
    sa.Index(None, "expires"),
)
sa.Table(
    "session",
    TABLES,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("offer", TEXT),
    sa.Column("worker", TEXT, nullable=False),
    sa.Column("client", TEXT, nullable=False),
    sa.Column("configurations", sa.Text, nullable=False),
    sa.Column("identified", sa.Boolean, nullable=False),
    sa.Column("jkt", TEXT),
    sa.Column("state", TEXT, nullable=False),
    sa.Column("created", SECONDS, nullable=False),
    sa.Column("expires", SECONDS, nullable=False),
    sa.Index(None, "worker"),
    sa.Index(None, "expires"),
)
sa.Table(
    "ticket",
    TABLES,
    sa.Column("hash", TEXT, primary_key=True),
    sa.Column("kind", TEXT, nullable=False),
    sa.Column("session", TEXT),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("expires", SECONDS, nullable=False),
    sa.Index(None, "session"),
    sa.Index(None, "expires"),
)
sa.Table(
    "spent",
    TABLES,
    sa.Column("hash", TEXT, primary_key=True),
    sa.Column("expires", SECONDS, nullable=False),
    sa.Index(None, "expires"),
)
sa.Table(
    "deferral",
    TABLES,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("session", TEXT, nullable=False),
    sa.Column("worker", TEXT, nullable=False),
    sa.Column("type", TEXT, nullable=False),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("reason", TEXT, nullable=False),
    sa.Column("decision", TEXT),
    sa.Column("created", SECONDS, nullable=False),
    sa.Column("expires", SECONDS, nullable=False),
    sa.Index(None, "worker"),
)
sa.Table(
    "event",
    TABLES,
    sa.Column("id", NUMBERED, primary_key=True),
    sa.Column("kind", TEXT, nullable=False),
    sa.Column("worker", TEXT, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", SECONDS, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_attempt", SECONDS),
    sa.Index(None, "next_attempt"),
)
sa.Table(
    "setting",
    TABLES,
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

CREDENTIAL = TABLES.tables["credential"]
KEPT = ("statement", "holder_key", "credential")  # the tables that 0001 has too


def upgrade() -> None:
    """Make the tables, and move into them what the former ones hold."""
    _move(TABLES, "former")
    op.execute("INSERT INTO statement SELECT digest, source, worker, type, topic, body FROM former_statement")
    op.execute("INSERT INTO holder_key SELECT worker, position, did FROM former_holder_key")
    connection = op.get_bind()
    for rows in _former_credentials(connection):
        connection.execute(CREDENTIAL.insert(), rows)
    _drop("former")
    _set_format(3)


def downgrade() -> None:
    """Back to the former tables. What they have no place for has to be empty, or given up (``discard``)."""
    connection = op.get_bind()
    lost = [f"{count} of {name}" for name, count in _without_a_place(connection) if count]
    if lost and not op.get_context().opts["discard"]:
        text = f"rows that have no place in the older tables would be lost: {', '.join(lost)} (--discard gives them up)"
        raise Rejected((Finding("DATA_WOULD_BE_LOST", text),))
    for name in TABLES.tables.keys() - set(KEPT):
        op.drop_table(name)
    _move(_former_tables(), "later")
    op.execute("INSERT INTO statement SELECT digest, source, worker, type, topic, body FROM later_statement")
    op.execute("INSERT INTO holder_key SELECT worker, position, did FROM later_holder_key")
    op.execute(
        "INSERT INTO credential SELECT digest, holder, valid_until, body FROM later_credential "
        "WHERE format = 'bbs-2023' AND body IS NOT NULL"
    )
    _drop("later")
    _set_format(2)


def _move(tables: sa.MetaData, aside: str) -> None:
    """Put the tables that both versions have aside, and make those of one version."""
    for name in KEPT:
        op.rename_table(name, f"{aside}_{name}")
    if aside == "former":
        op.drop_index("statement_by_worker", f"{aside}_statement")
    tables.create_all(op.get_bind(), checkfirst=False)


def _drop(aside: str) -> None:
    for name in KEPT:
        op.drop_table(f"{aside}_{name}")


def _former_tables() -> sa.MetaData:
    from issuer.migrations.versions.r0001_one_file import TABLES as FORMER  # noqa: PLC0415

    return FORMER


def _set_format(number: int) -> None:
    from issuer.migrations.versions.r0001_one_file import set_format  # noqa: PLC0415

    set_format(number)


def _former_credentials(connection: sa.Connection) -> Iterator[list[dict[str, Any]]]:
    """The credentials as rows of today. The worker of one whose statement was replaced follows from its key, or is
    not known any more."""
    page = sa.text("""
        SELECT c.digest, c.holder, c.valid_until, c.body, coalesce(s.worker, k.worker, '') AS worker, s.type AS type
        FROM former_credential c LEFT JOIN former_statement s ON s.digest = c.digest
        LEFT JOIN former_holder_key k ON k.did = c.holder
        WHERE c.digest >= :digest AND (c.digest > :digest OR c.holder > :holder)
        ORDER BY c.digest, c.holder LIMIT :most""")
    digest = holder = ""
    while rows := connection.execute(page, {"digest": digest, "holder": holder, "most": BATCH}).all():
        yield [_today(row) for row in rows]
        digest, holder = rows[-1].digest, rows[-1].holder


def _today(row: Any) -> dict[str, Any]:
    try:
        document = json.loads(row.body)
        kind, signed, key = document["type"][-1], document["proof"]["created"], document["proof"]["verificationMethod"]
        signed_at = int(datetime.fromisoformat(signed).timestamp())
    except (KeyError, TypeError, ValueError, IndexError):
        raise Malformed(f"credential of {row.digest[:80]}", "not one that was signed here", code="BAD_STORE") from None
    return {
        "digest": row.digest,
        "holder": row.holder,
        "format": "bbs-2023",
        "worker": row.worker,
        "type": row.type or kind.removesuffix("Credential"),
        "valid_until": row.valid_until,
        "signed_at": signed_at,
        "key": key,
        "list": None,
        "place": None,
        "body": row.body,
    }


def _without_a_place(connection: sa.Connection) -> Iterator[tuple[str, int]]:
    """The tables with rows that 0001 cannot hold, and how many. Settings and what is spent are made again."""
    for table in TABLES.sorted_tables:
        query = sa.select(sa.func.count()).select_from(table)
        if table is CREDENTIAL:
            query = query.where(sa.or_(table.c.format != "bbs-2023", table.c.body.is_(None)))
        if table.name not in ("statement", "holder_key", "setting", "spent"):
            yield table.name, connection.execute(query).scalar_one()
