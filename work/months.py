"""Months as the worker lives them: ``YYYY-MM`` text, and the arithmetic on it. No clock, no time zone."""

import calendar
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

from vc.errors import Malformed

MAX_VALIDITY: Final = timedelta(days=45)  # a credential without a status entry has to end by itself, soon


def number(month: str) -> int:
    """Months since year 0: ``number("2026-02") - number("2025-12") == 2``. ``month`` has been parsed."""
    return int(month[:4]) * 12 + int(month[5:7]) - 1


def name(count: int) -> str:
    """The month of a :func:`number`."""
    return f"{count // 12:04d}-{count % 12 + 1:02d}"


@lru_cache(maxsize=1 << 6)  # all statements of a run name the same few windows
def span(first: str, last: str) -> tuple[str, ...]:
    """All months from ``first`` to ``last``, both included; empty where ``first`` is later."""
    return tuple(name(count) for count in range(number(first), number(last) + 1))


def back(last: str, count: int) -> str:
    """The first month of a window of ``count`` months that ends with ``last``."""
    return name(number(last) - count + 1)


def whole(first: date, last: date) -> int:
    """How many whole months lie between two days. A month is over on the same day of the next one, or on its last day
    where it is too short to have that day."""
    count = (last.year - first.year) * 12 + last.month - first.month
    due = min(first.day, calendar.monthrange(last.year, last.month)[1])
    return count - (last.day < due)


def first_second(at: datetime) -> datetime:
    """The start of the UTC day of ``at``: all workers of a batch get the same one."""
    if at.tzinfo is None:
        raise Malformed("/at", "a moment needs a time zone")
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def last_second(month: str) -> datetime:
    """The last whole second of a month, in UTC."""
    year, number_in_year = int(month[:4]), int(month[5:7])
    return datetime(year, number_in_year, calendar.monthrange(year, number_in_year)[1], 23, 59, 59, tzinfo=UTC)


def valid_until(at: datetime) -> datetime:
    """The end of next month where that is at most 45 days after the day of ``at``, else the end of this month.

    It depends on the day only: a time of day in it would single out one worker of a batch.
    """
    start = first_second(at)
    this = f"{start:%Y-%m}"
    following = last_second(name(number(this) + 1))
    return following if following - start <= MAX_VALIDITY else last_second(this)
