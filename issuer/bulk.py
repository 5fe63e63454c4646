"""Signing in batches: one pure function over columns, the same for a process pool and for any engine.

A batch is a mapping from the names of columns to lists of one length: what ``RecordBatch.to_pydict`` of Arrow gives and
``RecordBatch.from_pydict`` takes, so that an engine with Arrow needs two calls and signing needs no Arrow.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from issuer.copies import Job, Signed, Slot, holder_key, sign_copy
from issuer.formats import Format
from issuer.keys import IssuerKeys
from vc.canon import parse_object
from vc.errors import VcError
from vc.model import format_date_time
from work.draft import draft
from work.screened import check_texts
from work.statement import Statement
from work.types import TYPES
from work.validate import check_document

Columns = Mapping[str, Sequence[Any]]
Function = Callable[..., Columns]  # sign_batch, or check_batch

GIVEN: Final = ("digest", "type", "worker", "body", "holder", "format", "list", "place", "url")
MADE: Final = ("digest", "holder", "format", "valid_until", "key", "body", "code", "error")


def sign_batch(batch: Columns, *, keys: IssuerKeys, at: datetime, rand: Callable[[int], bytes]) -> Columns:
    """The copies of a batch, signed: from the columns GIVEN to the columns MADE, row for row.

    ``list``, ``place`` and ``url`` are the copy's place in a status list, or None. A row that cannot be signed has an
    error and its ``code``, and nothing else: one bad statement stops no other.
    """

    def sign(job: Job) -> tuple[Any, ...]:
        signed: Signed = sign_copy(job, keys=keys, at=at, rand=rand)
        return format_date_time(signed.valid_until), signed.key, signed.body

    return _each(batch, sign)


def check_batch(batch: Columns, *, keys: IssuerKeys, at: datetime, rand: Callable[[int], bytes]) -> Columns:  # noqa: ARG001  (as sign_batch)
    """What :func:`sign_batch` would refuse: the same columns, with nothing signed in them."""

    def check(job: Job) -> tuple[Any, ...]:
        check_texts(job.statement)
        public = TYPES[job.statement.type].about == "platform"
        issuer = keys.public.did if public else keys.credentials.did
        if job.holder:
            holder_key(job.holder)
        made = draft(job.statement, issuer=issuer, holder=job.holder or None, at=at, issuer_name=keys.name)
        check_document(made.document)
        return None, None, None

    return _each(batch, check)


def rows(batch: Columns) -> Iterator[dict[str, Any]]:
    """The rows of a batch."""
    return (dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True))


def columns(made: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    """A batch of rows."""
    return {name: [row[name] for row in made] for name in names}


def _each(batch: Columns, sign: Callable[[Job], tuple[Any, ...]]) -> Columns:
    made = []
    for row in rows(batch):
        names = row["digest"], row["holder"], row["format"]
        try:
            made.append((*names, *sign(_job(row)), None, None))
        except VcError as error:
            made.append((*names, None, None, None, error.code, str(error)))
        except Exception as error:  # noqa: BLE001  (a fault of ours in one row of millions; the other rows are signed)
            made.append((*names, None, None, None, "FAULT", f"a fault of the program: {type(error).__name__}"))
    return dict(zip(MADE, map(list, zip(*made, strict=True)), strict=True)) if made else {name: [] for name in MADE}


def _job(row: Mapping[str, Any]) -> Job:
    slot = None if row["list"] is None else Slot(row["list"], row["place"], row["url"])
    statement = Statement.parse(parse_object(row["body"].encode()))
    return Job(statement, row["digest"], row["holder"], Format(row["format"]), slot)
