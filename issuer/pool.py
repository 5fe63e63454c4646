"""Batches through all cores of one machine: a bounded number at a time, and none lost with a process that dies."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from issuer.bulk import Columns, Function
from issuer.keys import IssuerKeys
from vc.errors import Undetermined
from vc.io.workers import become_worker

WAITING: Final = 2  # batches for each process: one that it signs, one that it finds when it has signed it
NICE: Final = 10  # a run can wait; whoever claims an offer at the same time does not
MAX_DEATHS: Final = 5  # pools in a row that broke before they had signed one batch

# What was given to an engine and what it made of it, in any order; every batch that was given comes out once.
Done = tuple[Columns, Columns]
Engine = Callable[[Iterator[Columns]], Iterator[Done]]


@dataclass(frozen=True, slots=True)
class Work:
    """What is done with each batch."""

    function: Function
    keys: IssuerKeys
    at: datetime

    def __call__(self, batch: Columns) -> Columns:
        return self.function(batch, keys=self.keys, at=self.at, rand=os.urandom)


def here(batches: Iterator[Columns], *, work: Work) -> Iterator[Done]:
    """One batch after the other, in this process."""
    for batch in batches:
        yield batch, work(batch)


def pooled(batches: Iterator[Columns], *, work: Work, processes: int) -> Iterator[Done]:
    """Batches as they are ready. No more than WAITING for each process are taken from ``batches`` ahead of time, so
    that memory stays flat however fast they could be read.

    The batches of a process that died are signed again, by a new pool. Raises :class:`Undetermined` where pool after
    pool dies.
    """
    taken: dict[int, Columns] = {}  # given, not yet yielded
    deaths = 0
    while True:
        try:
            for number, made in _through(batches, taken, work, processes):
                deaths = 0
                yield taken.pop(number), made
        except (BrokenProcessPool, OSError, EOFError):  # the last two: of one that died while it was started
            deaths += 1
            if deaths == MAX_DEATHS:
                raise Undetermined(
                    "signing processes die as soon as they start", "see that there is memory", code="POOL_BROKEN"
                ) from None
        else:
            return


def _through(
    batches: Iterator[Columns], taken: dict[int, Columns], work: Work, processes: int
) -> Iterator[tuple[int, Columns]]:
    # spawn: a forked copy of a process with threads can hold a lock that nobody will ever release
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_start, initargs=(work,))
    try:
        running = {pool.submit(_run, batch): number for number, batch in taken.items()}
        number = max(taken, default=0)
        for batch in batches:
            number += 1
            taken[number] = batch
            running[pool.submit(_run, batch)] = number
            if len(running) >= WAITING * processes:
                yield from _ready(running)
        while running:
            yield from _ready(running)
    finally:
        pool.shutdown(cancel_futures=True)


def _ready(running: dict[Future[Columns], int]) -> Iterator[tuple[int, Columns]]:
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        made = future.result()
        yield running.pop(future), made


_work: Work | None = None  # set once in each process of the pool


def _start(work: Work) -> None:
    global _work  # noqa: PLW0603  (a pool's initializer has no other place to leave what its tasks need)
    _work = work
    os.nice(NICE)
    become_worker()


def _run(batch: Columns) -> Columns:
    if _work is None:
        raise Undetermined("a signing process lost its keys", "run the command again", code="POOL_BROKEN")
    return _work(batch)
