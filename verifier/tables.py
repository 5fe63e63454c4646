"""The verifier's tables. Moments are whole seconds since 1970. Secrets that others hold (addresses of results, response
codes, API keys) stand here as SHA-256 only; an answer and a report stand here until the day that the request names."""

from typing import Final

import sqlalchemy as sa

METADATA: Final = sa.MetaData()

# One request and what became of it (verifier.flow). What is erased is NULL.
SESSION: Final = sa.Table(
    "session",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),  # random; part of the addresses that a wallet is given
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("made", sa.Integer, nullable=False),
    sa.Column("expires", sa.Integer, nullable=False),  # of the request: nothing is taken after it
    sa.Column("result", sa.Text, nullable=False, unique=True),  # SHA-256 of the secret in the address of the result
    sa.Column("owner", sa.Text, nullable=False),  # the API key that asked; empty for the web app
    sa.Column("reference", sa.Text, nullable=False),  # the asker's own word for it
    sa.Column("request", sa.Text),  # its members, as JSON
    sa.Column("terms", sa.Text),  # what is accepted, and what is kept (verifier.asking.Terms)
    sa.Column("sealed_key", sa.LargeBinary),  # the key that answers are encrypted to: gone with the first answer
    sa.Column("redirect", sa.Text),  # where the worker's browser goes on, on the same device
    sa.Column("code", sa.Text),  # SHA-256 of the response_code
    sa.Column("answered", sa.Integer),
    sa.Column("answer", sa.LargeBinary),
    sa.Column("report", sa.Text),
    sa.Column("receipt", sa.Text),
    sa.Column("erase", sa.Integer, nullable=False),  # when the rest of it goes
    sa.Index("session_erase", "erase"),
    sa.Index("session_state", "state"),
)

API_KEY: Final = sa.Table(
    "api_key",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    sa.Column("made", sa.Integer, nullable=False),
)

# What the webhook is still to be told. Nothing in it is about a person.
EVENT: Final = sa.Table(
    "event",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_attempt", sa.Integer, nullable=False),
    sqlite_autoincrement=True,
)
