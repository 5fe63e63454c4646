"""Alembic runs this for each migration; the connection, in a transaction, is given by :mod:`issuer.migrate`."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    discard=context.config.attributes["discard"],
)
context.run_migrations()
