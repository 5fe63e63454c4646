"""A progress bar with rate and time left, on stderr; none where nobody watches."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

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


class RateColumn(ProgressColumn):
    """How many a second, once there is something to measure."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.0f}/s" if task.speed else "")


@contextmanager
def signing(*, as_json: bool) -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    """``(on_total, on_signed)`` that move a bar while credentials are signed."""
    columns = (TextColumn("Signing"), BarColumn(), MofNCompleteColumn(), RateColumn(), TimeRemainingColumn())
    hidden = as_json or not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), disable=hidden) as progress:
        task = progress.add_task("signing", total=None)
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
