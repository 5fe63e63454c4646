"""Statements become credentials: the pure step for one copy, and the bulk run over many.

The bulk run signs in batches on all cores and keeps each batch in one transaction: stop it at any instant, run it
again, and it goes on with what is missing. A copy that has a valid credential is never signed again.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from datetime import datetime
from itertools import islice
from multiprocessing.connection import wait as wait_for
from typing import Final

from issuer.keys import IssuerKeys
from issuer.store import Job, Signed, Store
from vc.canon import to_json
from vc.errors import Undetermined
from vc.model import parse_date_time
from vc.secure import sign, sign_selective
from work import CONTEXTS
from work.draft import draft
from work.screened import check_texts
from work.types import TYPES
from work.validate import check_document

BATCH: Final = 64  # copies in one transaction: about 0.2 s of signing that a kill can cost
SMALL: Final = 2 * BATCH  # below this, starting a pool takes longer than signing

Batch = list[Job]


def sign_copy(job: Job, *, keys: IssuerKeys, at: datetime, rand: Callable[[int], bytes]) -> Signed:
    """One credential: bbs-2023 for what is said about a worker, eddsa-rdfc-2022 for what a platform says in public.

    Raises :class:`Malformed` where the statement does not fit its schema, or a text in it names a person.
    """
    check_texts(job.statement)
    public = TYPES[job.statement.type].about == "platform"
    key = keys.public if public else keys.credentials
    drafted = draft(job.statement, issuer=key.did, holder=job.holder or None, at=at, issuer_name=keys.name)
    check_document(drafted.document)
    secured = (
        sign(drafted.document, key=keys.public, created=_day(at), contexts=CONTEXTS)
        if public
        else sign_selective(
            drafted.document,
            key=keys.credentials,
            created=_day(at),
            mandatory=drafted.mandatory,
            contexts=CONTEXTS,
            rand=rand,
        )
    )
    valid_until = parse_date_time(drafted.document["validUntil"], where="/validUntil")
    return Signed(job.digest, job.holder, valid_until, to_json(secured).decode("utf-8"))


def _day(at: datetime) -> datetime:
    """The day of ``at``: a finer time would tell copies of one batch apart."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def issue_pending(
    store: Store,
    keys: IssuerKeys,
    *,
    at: datetime,
    worker: str | None,
    processes: int,
    on_total: Callable[[int], None],
    on_signed: Callable[[int], None],
) -> int:
    """Sign every copy that has no valid credential at ``at``; how many were signed.

    ``on_total`` is told how many there are, ``on_signed`` how many more are safely on disk.
    """
    total, jobs = store.pending(at, worker=worker)
    on_total(total)
    batches = _batches(jobs)
    signed = _in_process(batches, keys, at) if total < SMALL or processes < 2 else _pooled(batches, keys, at, processes)
    for batch in signed:
        store.record(batch)
        on_signed(len(batch))
    return total


def _batches(jobs: Iterator[Job]) -> Iterator[Batch]:
    while batch := list(islice(jobs, BATCH)):
        yield batch


def _in_process(batches: Iterable[Batch], keys: IssuerKeys, at: datetime) -> Iterator[list[Signed]]:
    for batch in batches:
        yield [sign_copy(job, keys=keys, at=at, rand=os.urandom) for job in batch]


def _pooled(batches: Iterator[Batch], keys: IssuerKeys, at: datetime, processes: int) -> Iterator[list[Signed]]:
    """Signed batches as they come; no more than two for each process wait at a time, so that memory stays flat."""
    # spawn: a forked copy of a process with threads can hold a lock that nobody will ever release
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_start, initargs=(keys, at)) as pool:
        running: set[Future[list[Signed]]] = set()
        try:
            for batch in batches:
                running.add(pool.submit(_sign_batch, batch))
                if len(running) >= 2 * processes:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            yield from (future.result() for future in running)
        finally:
            pool.shutdown(cancel_futures=True)


_started: tuple[IssuerKeys, datetime] | None = None  # set once in each process of the pool


def _start(keys: IssuerKeys, at: datetime) -> None:
    global _started  # noqa: PLW0603  (a pool's initializer has no other place to leave what its tasks need)
    _started = (keys, at)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what ends
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent cannot stop its pool: each process watches for it and ends itself."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _sign_batch(batch: Sequence[Job]) -> list[Signed]:
    if _started is None:
        raise Undetermined("a signing process lost its keys", "run the command again", code="POOL_BROKEN")
    keys, at = _started
    return [sign_copy(job, keys=keys, at=at, rand=os.urandom) for job in batch]
