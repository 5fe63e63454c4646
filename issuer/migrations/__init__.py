"""What brings a database from one version's tables to the next, and back. :mod:`issuer.migrate` runs it."""
