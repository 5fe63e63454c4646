"""The issuer's tables: one description for SQLite and PostgreSQL. What changes them is in ``issuer/migrations``.

Moments that only this program compares are whole seconds since 1970; those that a credential states are its own text.
Secrets that others hold (codes, tokens) stand here as SHA-256 only.
"""

from typing import Final

import sqlalchemy as sa

# PostgreSQL sorts text by language unless told otherwise; SQLite by code point.
TEXT: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SECONDS: Final = sa.BigInteger()
NUMBERED: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # only INTEGER counts up by itself there

METADATA: Final = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# ---- what is said, and what was signed -------------------------------------------------------------------------------

# The newest statement on each topic; ``body`` is its JSON.
STATEMENT: Final = sa.Table(
    "statement",
    METADATA,
    sa.Column("digest", TEXT, primary_key=True),
    sa.Column("source", TEXT, nullable=False),
    sa.Column("worker", TEXT, nullable=False),  # empty: about the platform
    sa.Column("type", TEXT, nullable=False),
    sa.Column("topic", TEXT, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.UniqueConstraint("source", "worker", "type", "topic"),
    sa.Index(None, "worker"),
    sa.Index(None, "type"),
)

# The public keys that a worker's wallet has registered, for copies that are signed before they are asked for.
HOLDER_KEY: Final = sa.Table(
    "holder_key",
    METADATA,
    sa.Column("worker", TEXT, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("did", TEXT, nullable=False, unique=True),
)

# Every copy that was signed: one at the most for each statement, key and format. ``body`` is gone (NULL) once the
# worker's wallet has it; the row stays as long as the credential may be withdrawn.
CREDENTIAL: Final = sa.Table(
    "credential",
    METADATA,
    sa.Column("digest", TEXT, primary_key=True),
    sa.Column("holder", TEXT, primary_key=True),  # a DID, or empty: bound to no key
    sa.Column("format", TEXT, primary_key=True),  # issuer.formats.Format
    sa.Column("worker", TEXT, nullable=False),
    sa.Column("type", TEXT, nullable=False),
    sa.Column("valid_until", TEXT, nullable=False),
    sa.Column("signed_at", SECONDS, nullable=False),
    sa.Column("key", TEXT, nullable=False),  # the verification method that signed it
    sa.Column("list", TEXT),  # its place in a status list, where it has one
    sa.Column("place", sa.Integer),
    sa.Column("body", sa.Text),
    sa.UniqueConstraint("list", "place"),
    sa.Index(None, "worker"),
    sa.Index(None, "holder"),
    sa.Index(None, "valid_until", "type", "format", "holder"),  # all that counting needs: no body is read
)

# Copies that a bulk run has taken up and not recorded yet, with the places that it took for them. A run that is gone
# leaves them to the next one (issuer.claims).
BULK_CLAIM: Final = sa.Table(
    "bulk_claim",
    METADATA,
    sa.Column("digest", TEXT, primary_key=True),
    sa.Column("holder", TEXT, primary_key=True),
    sa.Column("format", TEXT, primary_key=True),
    sa.Column("run", sa.BigInteger, nullable=False),
    sa.Column("list", TEXT),
    sa.Column("place", sa.Integer),
    sa.Index(None, "run"),
)

# ---- status ----------------------------------------------------------------------------------------------------------

STATUS_LIST: Final = sa.Table(
    "status_list",
    METADATA,
    sa.Column("id", TEXT, primary_key=True),  # random; part of its URL
    sa.Column("size", sa.Integer, nullable=False),  # places
    sa.Column("taken", sa.Integer, nullable=False),  # places with a row in status_entry, decoys included
    sa.Column("opened", SECONDS, nullable=False),
    sa.Column("closed", SECONDS),  # no place is given away any more
    sa.Column("changed", SECONDS, nullable=False),  # the last change of a status in it; always grows
)

# A place that is taken. The primary key is what makes sure that no place is given away twice.
STATUS_ENTRY: Final = sa.Table(
    "status_entry",
    METADATA,
    sa.Column("list", TEXT, primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("decoy", sa.Boolean, nullable=False),
    sa.Column("revoked", sa.Boolean, nullable=False),
    sa.Column("suspended", sa.Boolean, nullable=False),
    sa.Column("contested", sa.Boolean, nullable=False),
    sa.Column("dataset", TEXT),  # issuer.formats.dataset_id of what was signed for it, where it was said
    sa.Index(None, "dataset"),
)

# Datasets that are suspended: copies that are signed meanwhile are suspended from the start.
SUSPENSION: Final = sa.Table(
    "suspension",
    METADATA,
    sa.Column("dataset", TEXT, primary_key=True),
    sa.Column("worker", TEXT, nullable=False),
    sa.Column("since", SECONDS, nullable=False),
    sa.Column("ended", SECONDS),
    sa.Index(None, "worker"),
)

# The lists as they were last signed, the same for every replica.
STATUS_PUBLISHED: Final = sa.Table(
    "status_published",
    METADATA,
    sa.Column("list", TEXT, primary_key=True),
    sa.Column("kind", TEXT, primary_key=True),  # issuer.statuslists.Kind
    sa.Column("changed", SECONDS, nullable=False),  # that of the list when it was read
    sa.Column("signed_at", SECONDS, nullable=False),
    sa.Column("expires", SECONDS, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)

# A worker's objection to a statement, and what became of it. ``topic`` is the dataset (issuer.formats.dataset_id).
DISPUTE: Final = sa.Table(
    "dispute",
    METADATA,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("worker", TEXT, nullable=False),
    sa.Column("type", TEXT, nullable=False),
    sa.Column("dataset", TEXT, nullable=False),
    sa.Column("digest", TEXT),  # of the statement that is disputed
    sa.Column("about", TEXT),  # its name in the worker's own Dispute (work.reply.about_digest)
    sa.Column("opened", SECONDS, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("closed", SECONDS),
    sa.Column("outcome", TEXT),
    sa.Index(None, "worker"),
    sa.Index(None, "dataset"),
)

# ---- OpenID4VCI ------------------------------------------------------------------------------------------------------

OFFER: Final = sa.Table(
    "offer",
    METADATA,
    sa.Column("id", TEXT, primary_key=True),  # random; part of the URL that the offer is fetched from
    sa.Column("worker", TEXT, nullable=False),
    sa.Column("configurations", sa.Text, nullable=False),  # JSON: a list of credential configuration ids
    sa.Column("body", sa.Text),  # JSON: the Credential Offer object; NULL once it was claimed
    sa.Column("tx_code", TEXT),  # Argon2id, where a transaction code is asked for
    sa.Column("tries_left", sa.Integer, nullable=False),  # of the transaction code
    sa.Column("state", TEXT, nullable=False),  # issuer.flow.Offer
    sa.Column("created", SECONDS, nullable=False),
    sa.Column("expires", SECONDS, nullable=False),
    sa.Index(None, "worker"),
    sa.Index(None, "expires"),
)

# What a wallet was allowed to fetch, from the grant to the last refresh.
SESSION: Final = sa.Table(
    "session",
    METADATA,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("offer", TEXT),
    sa.Column("worker", TEXT, nullable=False),
    sa.Column("client", TEXT, nullable=False),  # client_id, or empty: anonymous
    sa.Column("configurations", sa.Text, nullable=False),  # JSON: a list of credential configuration ids
    sa.Column("identified", sa.Boolean, nullable=False),  # whether the token response had credential_identifiers
    sa.Column("jkt", TEXT),  # the thumbprint that tokens are bound to (RFC 9449)
    sa.Column("state", TEXT, nullable=False),  # issuer.flow.Session
    sa.Column("created", SECONDS, nullable=False),
    sa.Column("expires", SECONDS, nullable=False),
    sa.Index(None, "worker"),
    sa.Index(None, "expires"),
)

# Whatever is handed out to be handed in again: codes, tokens, request URIs, cookies. Taking one is deleting its row.
TICKET: Final = sa.Table(
    "ticket",
    METADATA,
    sa.Column("hash", TEXT, primary_key=True),  # issuer.tickets.hashed
    sa.Column("kind", TEXT, nullable=False),  # issuer.tickets.Kind
    sa.Column("session", TEXT),
    sa.Column("body", sa.Text, nullable=False),  # JSON
    sa.Column("expires", SECONDS, nullable=False),
    sa.Index(None, "session"),
    sa.Index(None, "expires"),
)

# Nonces and identifiers of proofs that were used; inserting is using.
SPENT: Final = sa.Table(
    "spent",
    METADATA,
    sa.Column("hash", TEXT, primary_key=True),
    sa.Column("expires", SECONDS, nullable=False),
    sa.Index(None, "expires"),
)

# A credential request that waits for somebody's decision (OpenID4VCI §9).
DEFERRAL: Final = sa.Table(
    "deferral",
    METADATA,
    sa.Column("id", TEXT, primary_key=True),  # SHA-256 of the transaction_id
    sa.Column("session", TEXT, nullable=False),
    sa.Column("worker", TEXT, nullable=False),
    sa.Column("type", TEXT, nullable=False),
    sa.Column("request", sa.Text, nullable=False),  # JSON: configuration, dataset, keys
    sa.Column("reason", TEXT, nullable=False),
    sa.Column("decision", TEXT),  # approved, denied; NULL: waits
    sa.Column("created", SECONDS, nullable=False),
    sa.Column("expires", SECONDS, nullable=False),
    sa.Index(None, "worker"),
)

# ---- running the service ---------------------------------------------------------------------------------------------

# What happened, for the platform's own systems: an outbox that survives a crash. No claims, no names.
EVENT: Final = sa.Table(
    "event",
    METADATA,
    sa.Column("id", NUMBERED, primary_key=True),
    sa.Column("kind", TEXT, nullable=False),  # issuer.events.Kind
    sa.Column("worker", TEXT, nullable=False),
    sa.Column("body", sa.Text, nullable=False),  # JSON
    sa.Column("at", SECONDS, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_attempt", SECONDS),  # NULL: delivered, given up, or nobody wants it
    sa.Index(None, "next_attempt"),
)

SETTING: Final = sa.Table(
    "setting",
    METADATA,
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
