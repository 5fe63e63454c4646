"""Statements, holder keys and credentials: the tables of the former format."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TABLES = sa.MetaData()

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
    sa.Index("statement_by_worker", "worker"),
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
    sa.Column("valid_until", TEXT, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)


def upgrade() -> None:
    """Make the tables."""
    TABLES.create_all(op.get_bind(), checkfirst=False)
    set_format(2)


def downgrade() -> None:
    """Take them away."""
    TABLES.drop_all(op.get_bind(), checkfirst=False)
    set_format(0)


def set_format(number: int) -> None:
    """The number by which programs before the migrations know the format of a SQLite file."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"PRAGMA user_version={number}")
