"""From canonical relations to statements: one query and one function per type, one Python step per worker.

All rows of a worker are added up by the database, in exact decimals; what is stated is rounded here, once.
"""

# ruff: noqa: S608  (the names in this SQL are ours)

from collections.abc import Iterator, Mapping
from decimal import Decimal
from heapq import merge
from typing import Final

import duckdb

from issuer.frame import Frame, make, month_of, rounded, rungs
from issuer.ratings import rating_context, ratings
from issuer.records import rows
from work import months
from work.statement import Statement, context_digest


def statements(connection: duckdb.DuckDBPyConnection, at: Frame) -> Iterator[Statement]:
    """All statements of a run, by worker and then by type; those about the platform come first."""
    wanted = at.profile.statements
    context = rating_context(connection, at) if "RatingContext" in wanted else None
    streams = [[context] if context else []]
    made: dict[str, Iterator[Statement]] = {
        "PlatformMembership": _memberships(connection, at),
        "WorkHistory": _histories(connection, at),
        "Earnings": _earnings(connection, at),
        "Rating": ratings(connection, at, context_digest(context) if context else "notPublished"),
    }
    ordered = [stream for name, stream in made.items() if name in wanted]
    yield from merge(*streams, *ordered, key=lambda one: (one.worker, one.type))


def _memberships(connection: duckdb.DuckDBPyConnection, at: Frame) -> Iterator[Statement]:
    constants = at.profile.statements["PlatformMembership"]
    for worker, since, tenure, verified, kinds, tier in rows(connection, _MEMBERSHIP):
        claims = {
            **at.common(),
            "memberSince": since and month_of(since),
            "status": constants["status"],
            "identityVerified": None if verified is None else str(verified).lower(),
            "activityKinds": kinds,
            "tierScheme": tier and constants.get("tierScheme"),
            "tierLevel": tier,
            "tenureMonthsAtLeast": rungs("PlatformMembership", "tenureMonthsAtLeast", tenure),
        }
        yield make("PlatformMembership", worker, claims)


# What the rows of a worker disagree about is not stated.
_MEMBERSHIP: Final = """
    SELECT worker, once, datesub('month', once, as_of), verified, kinds, tier
    FROM (SELECT worker, max(day) AS as_of,
                 CASE WHEN min(since) = max(since) THEN min(since) END AS once,
                 CASE WHEN bool_and(verified) = bool_or(verified) THEN bool_and(verified) END AS verified,
                 list(DISTINCT kind ORDER BY kind) FILTER (kind IS NOT NULL)[1:4] AS kinds,
                 CASE WHEN min(tier) = max(tier) THEN min(tier) END AS tier
          FROM membership GROUP BY worker)
    ORDER BY worker"""


def _histories(connection: duckdb.DuckDBPyConnection, at: Frame) -> Iterator[Statement]:
    constants = at.profile.statements["WorkHistory"]
    for worker, jobs, hours, active, days, first, last, tenure, listed, by_jobs, by_hours in rows(connection, _HISTORY):
        series = at.series(listed[0])
        counts, times = dict(zip(listed, by_jobs, strict=True)), dict(zip(listed, by_hours, strict=True))
        total = None if hours is None else rounded(hours, 2)
        claims = {
            **at.common(),
            **constants,
            "periodStart": at.start,
            "jobsCompleted": str(jobs),
            "totalDurationHours": None if total is None else str(total),
            "activeMonths": str(active),
            "activeDays": str(days),
            "firstJob": month_of(first),
            "lastJob": month_of(last),
            "monthlyJobs": [f"{month} {counts.get(month, 0)}" for month in series],
            "monthlyHours": None if total is None else [f"{month} {_hours(times.get(month))}" for month in series],
            "jobsAtLeast": rungs("WorkHistory", "jobsAtLeast", jobs),
            "tenureMonthsAtLeast": rungs("WorkHistory", "tenureMonthsAtLeast", tenure),
            "hoursAtLeast": rungs("WorkHistory", "hoursAtLeast", total),
        }
        yield make("WorkHistory", worker, claims)


def _hours(value: Decimal | None) -> Decimal:
    return rounded(value or Decimal(0), 2)


# Rows that name no job are a job each.
_HISTORY: Final = """
    WITH monthly AS (
        SELECT worker, strftime(month, '%Y-%m') AS month, jobs, hours
        FROM (SELECT worker, date_trunc('month', day) AS month, sum(hours) AS hours,
                     count(DISTINCT job) + count(*) FILTER (job IS NULL) AS jobs
              FROM jobs GROUP BY ALL)),
    series AS (
        SELECT worker, list(month ORDER BY month) AS listed, list(jobs ORDER BY month) AS by_jobs,
               list(hours ORDER BY month) AS by_hours
        FROM monthly GROUP BY worker),
    totals AS (
        SELECT worker, count(DISTINCT job) + count(*) FILTER (job IS NULL) AS jobs, sum(hours) AS hours,
               count(DISTINCT day) FILTER (worked IS NOT FALSE) AS days, min(day) AS first, max(day) AS last
        FROM jobs GROUP BY worker)
    SELECT worker, jobs, hours, len(listed), days, first, last, datesub('month', first, last),
           listed, by_jobs, by_hours
    FROM totals JOIN series USING (worker) ORDER BY worker"""


def _earnings(connection: duckdb.DuckDBPyConnection, at: Frame) -> Iterator[Statement]:
    constants = at.profile.statements["Earnings"]
    for worker, currency, listed, amounts in rows(connection, _EARNINGS):
        paid = dict(zip(listed, amounts, strict=True))
        claims = {
            **at.common(),
            **constants,
            "periodStart": at.start,
            "currency": currency,
            "expensesNotDeducted": "true",
            "total": str(sum(amounts)),
            "total12m": str(_total(paid, at, 12)),
            "median3m": str(sorted(_last(paid, at, 3))[1]),
            "monthsWithIncome": str(sum(amount > 0 for amount in amounts)),
            "monthly": [f"{month} {paid.get(month, _NOTHING)}" for month in at.series(listed[0])],
            "averageAtLeast3m": rungs("Earnings", "averageAtLeast3m", _total(paid, at, 3) / 3),
            "averageAtLeast6m": rungs("Earnings", "averageAtLeast6m", _total(paid, at, 6) / 6),
            "averageAtLeast12m": rungs("Earnings", "averageAtLeast12m", _total(paid, at, 12) / 12),
        }
        yield make("Earnings", worker, claims)


_NOTHING: Final = Decimal("0.00")

# Months are rounded to the cent and all that is stated is added up from them; the reconciliation says what that loses.
PAY_MONTHS: Final = """
    SELECT worker, currency, strftime(month, '%Y-%m') AS month, exact,
           CAST(round_even(exact, 2) AS DECIMAL(38,2)) AS money
    FROM (SELECT worker, currency, date_trunc('month', day) AS month, sum(amount) AS exact FROM pay GROUP BY ALL)"""
_EARNINGS: Final = f"""
    SELECT worker, currency, list(month ORDER BY month), list(money ORDER BY month)
    FROM ({PAY_MONTHS}) GROUP BY worker, currency ORDER BY worker, currency"""


def _last(paid: Mapping[str, Decimal], at: Frame, count: int) -> list[Decimal]:
    """The money of each of the last ``count`` months of the period, those without income included."""
    return [paid.get(month, _NOTHING) for month in months.span(months.back(at.end, count), at.end)]


def _total(paid: Mapping[str, Decimal], at: Frame, count: int) -> Decimal:
    return sum(_last(paid, at, count), _NOTHING)
