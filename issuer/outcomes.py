"""Outcomes of disputes as the file that the profile ``records`` reads, to make DisputeOutcome statements from."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from issuer.tables import CREDENTIAL, DISPUTE, STATEMENT
from issuer.withdrawals import worker_datasets
from vc.canon import parse_object
from work.reply import about_digest
from work.statement import Statement

COLUMNS: Final = ("worker", "day", "about", "ended", "replaces")


@dataclass(frozen=True, slots=True)
class Exported:
    """Rows for the file, and how many outcomes are in none."""

    rows: tuple[tuple[str, ...], ...]
    unnamed: int  # opened by the platform: no statement is named by a fingerprint that a verifier could compare

    def csv(self) -> bytes:
        """The file, in CSV (RFC 4180)."""
        written = io.StringIO()
        csv.writer(written).writerows([COLUMNS, *self.rows])
        return written.getvalue().encode("utf-8")


def export_outcomes(connection: sa.Connection) -> Exported:
    """What came in the end of every statement that was disputed, oldest first."""
    ended = sa.select(DISPUTE).where(DISPUTE.c.closed.is_not(None)).order_by(DISPUTE.c.closed, DISPUTE.c.id)
    found = connection.execute(ended).all()
    latest = {row.about: row for row in found if row.about is not None}
    unnamed = sum(1 for row in found if row.about is None)
    return Exported(tuple(_row(connection, row) for row in latest.values()), unnamed)


def _row(connection: sa.Connection, row: Any) -> tuple[str, ...]:
    day = f"{datetime.fromtimestamp(row.closed, UTC):%Y-%m-%d}"
    return row.worker, day, row.about, row.outcome, _replacement(connection, row) if row.outcome == "corrected" else ""


def _replacement(connection: sa.Connection, row: Any) -> str:
    """The fingerprint of the corrected statement, by the issuer's one name; empty where that cannot be told."""
    digest = worker_datasets(connection, row.worker, row.type).get(row.dataset)
    names = _signers(connection, [one for one in (row.digest, digest) if one])
    if digest is None or len(names) != 1:
        return ""
    body = connection.scalar(sa.select(STATEMENT.c.body).where(STATEMENT.c.digest == digest))
    found = about_digest(row.type, names.pop(), Statement.parse(parse_object(str(body).encode())).claims)
    return "" if found == row.about else found  # what is always shown is as it was


def _signers(connection: sa.Connection, digests: Sequence[str]) -> set[str]:
    """The DIDs in whose name copies of these statements were signed."""
    keys = connection.execute(sa.select(CREDENTIAL.c.key).where(CREDENTIAL.c.digest.in_(digests)).distinct())
    return {str(key).partition("#")[0] for key in keys.scalars()}
