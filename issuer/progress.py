"""Progress with rate and time left, on stderr: a bar in a terminal; elsewhere a line now and then."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from issuer.intake import Progress as Step

EVERY: Final = 5.0  # seconds between two lines


class RateColumn(ProgressColumn):
    """How many a second, once there is something to measure."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.0f}/s" if task.speed else "")


class Lines:
    """For who reads a pipe or a log: a line on stderr every few seconds."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic, every: float = EVERY) -> None:
        self._name = name
        self._clock = clock
        self._every = every
        self._total = self._done = 0
        self._began = self._told = clock()

    def on_total(self, total: int) -> None:
        """How many there are; time counts from now."""
        self._total = total
        self._began = self._told = self._clock()

    def on_done(self, more: int) -> None:
        """So many more are done."""
        self._done += more
        now = self._clock()
        if now - self._told >= self._every:
            self._told = now
            sys.stderr.write(self.line(now - self._began) + "\n")
            sys.stderr.flush()

    def line(self, seconds: float) -> str:
        """How many are done, how many a second, and how long the rest will take."""
        rate = self._done / seconds
        left = timedelta(seconds=round(max(0, self._total - self._done) / rate)) if rate else "unknown"
        return f"{self._name}: {self._done} of {self._total}, {rate:.0f}/s, time left {left}"


@contextmanager
def counting(name: str, *, as_json: bool) -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    """``(on_total, on_done)`` that move a bar in a terminal, and write lines elsewhere; with ``as_json`` nothing."""
    if not as_json and not sys.stderr.isatty():
        lines = Lines(name)
        yield lines.on_total, lines.on_done
        return
    columns = (TextColumn(name), BarColumn(), MofNCompleteColumn(), RateColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=as_json) as progress:
        task = progress.add_task(name, total=None)
        yield (
            lambda total: progress.update(task, total=total),
            lambda done: progress.update(task, advance=done),
        )


@contextmanager
def attesting(*, as_json: bool) -> Iterator[Callable[[Step], None]]:
    """What moves one bar after the other: bytes that are read, rows that are laid together, workers that are done."""
    console, hidden = Console(stderr=True), as_json or not sys.stderr.isatty()
    name, bar, left = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    reading = Progress(name, bar, DownloadColumn(), TransferSpeedColumn(), left, console=console, disable=hidden)
    sorting = Progress(name, bar, TimeElapsedColumn(), console=console, disable=hidden)
    stating = Progress(name, bar, MofNCompleteColumn(), RateColumn(), left, console=console, disable=hidden)
    bars = {"reading": reading, "sorting": sorting, "stating": stating}
    titles = {"reading": "Reading", "sorting": "Sorting", "stating": "Stating and storing, workers"}
    shown = _Shown(bars, titles)
    try:
        yield shown.step
    finally:
        shown.end()


class _Shown:
    """One bar at a time: the next stage ends the one before."""

    def __init__(self, bars: Mapping[str, Progress], titles: Mapping[str, str]) -> None:
        self._bars = bars
        self._titles = titles
        self._now: tuple[str, TaskID] | None = None

    def step(self, step: Step) -> None:
        """Show how far a stage is."""
        bar = self._bars[step.stage]
        if self._now is None or self._now[0] != step.stage:
            self.end()
            bar.start()
            self._now = step.stage, bar.add_task(self._titles[step.stage], total=step.total)
        bar.update(self._now[1], completed=step.done, total=step.total)

    def end(self) -> None:
        """Leave the bar as it is, and go on below it."""
        if self._now is not None:
            self._bars[self._now[0]].stop()
            self._now = None
