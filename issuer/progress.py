"""A progress bar with rate and time left, on stderr; none where nobody watches."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


class RateColumn(ProgressColumn):
    """Credentials a second, once there is something to measure."""

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
