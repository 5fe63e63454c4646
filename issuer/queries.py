"""The SQL that statements are made from: one query for each type, over the relations of :mod:`issuer.canonical`.

The same texts run in the embedded database and, transpiled, in PostgreSQL. So they use only what both have and both
answer alike: no lists, no formatting of dates, no rounding. Sums are exact; what is stated is rounded once, in Python.
A list of things comes as one text: items between ``ITEM``, the parts of an item between ``PART``, in no order that
anybody may rely on where the engines would sort differently. Workers come in the order of their code points.
"""

# ruff: noqa: S608  (the names in this SQL are ours)

from typing import Final

ITEM: Final = "\x1f"
PART: Final = "\x1e"

_EXACT: Final = "DECIMAL(38,6)"
_DONE: Final = "(ended IS NULL OR ended IN ('completed', 'accepted'))"
_MONTH: Final = "CAST(date_trunc('month', day) AS DATE)"


def _text(*parts: str) -> str:
    """Values as one item; what is not known is empty."""
    return " || chr(30) || ".join(f"coalesce(CAST({part} AS VARCHAR), '')" for part in parts)


def _agreed(column: str) -> str:
    """What the rows disagree about is not stated."""
    return f"CASE WHEN min({column}) = max({column}) THEN min({column}) END AS {column}"


def _agreed_flag(column: str) -> str:
    return f"CASE WHEN bool_and({column}) = bool_or({column}) THEN bool_and({column}) END AS {column}"


def _jobs(when: str = "TRUE") -> str:
    """How many jobs: rows that name no job are a job each."""
    return f"count(DISTINCT job) FILTER (WHERE {when}) + count(*) FILTER (WHERE job IS NULL AND {when})"


MEMBERSHIP: Final = f"""
    SELECT worker, max(day) AS as_of, {_agreed("since")}, {_agreed_flag("verified")}, {_agreed_flag("registered")},
           string_agg(DISTINCT replace(kind, chr(31), ' '), chr(31)) AS kinds, {_agreed("tier")}, {_agreed("until")}
    FROM membership GROUP BY worker ORDER BY worker COLLATE "C"
"""


def _named(what: str) -> str:
    """For each worker and each area, service or slot: how many jobs were done there. One job may be in several."""
    return f"""SELECT worker, '{what}' AS what, {what} AS name, {_jobs()} AS jobs
               FROM done WHERE {what} IS NOT NULL GROUP BY worker, {what}"""


def _listed(what: str) -> str:
    plain = "replace(replace(name, chr(30), ' '), chr(31), ' ')"
    return f"string_agg({_text(plain, 'jobs')}, chr(31)) FILTER (WHERE what = '{what}') AS {what}s"


# Whether an export tells of accepted and of cancelled jobs at all is told by all its rows together: else a zero would
# be made up.
SAID: Final = (
    "SELECT bool_or(ended = 'accepted') AS accepted, bool_or(ended = 'cancelledByWorker') AS cancelled FROM jobs"
)

# A cancelled row is no work: it is in no figure but the number of cancelled jobs, and a job counts as cancelled only
# where nothing of it was done.
HISTORY: Final = f"""
    WITH done AS (SELECT * FROM jobs WHERE {_DONE}),
    monthly AS (
        SELECT worker, {_MONTH} AS month, {_jobs()} AS jobs, CAST(sum(hours) AS {_EXACT}) AS hours
        FROM done GROUP BY worker, {_MONTH}),
    series AS (SELECT worker, string_agg({_text("month", "jobs", "hours")}, chr(31)) AS months
               FROM monthly GROUP BY worker),
    named AS ({_named("area")} UNION ALL {_named("service")} UNION ALL {_named("slot")}),
    lists AS (SELECT worker, {_listed("area")}, {_listed("service")}, {_listed("slot")} FROM named GROUP BY worker),
    regular AS (
        SELECT worker, count(*) FILTER (WHERE months >= 3) AS clients
        FROM (SELECT worker, client, count(DISTINCT {_MONTH}) AS months
              FROM done WHERE client IS NOT NULL GROUP BY worker, client) AS known
        GROUP BY worker),
    totals AS (
        SELECT worker, {_jobs(_DONE)} AS jobs, CAST(sum(hours) FILTER (WHERE {_DONE}) AS {_EXACT}) AS hours,
               count(DISTINCT day) FILTER (WHERE {_DONE} AND worked IS NOT FALSE) AS days,
               min(day) FILTER (WHERE {_DONE}) AS first, max(day) FILTER (WHERE {_DONE}) AS last,
               count(*) = count(ended) AS said, {_jobs("ended = 'accepted'")} AS accepted,
               {_jobs(f"({_DONE} OR ended = 'cancelledByWorker')")} - ({_jobs(_DONE)}) AS cancelled,
               CASE WHEN count(*) FILTER (WHERE {_DONE}) = count(distance) FILTER (WHERE {_DONE})
                    THEN CAST(sum(distance) FILTER (WHERE {_DONE}) AS {_EXACT}) END AS distance,
               count(*) FILTER (WHERE {_DONE}) = count(slot) FILTER (WHERE {_DONE}) AS slotted
        FROM jobs GROUP BY worker)
    SELECT totals.worker, totals.jobs, totals.hours, totals.days, totals.first, totals.last, series.months,
           CASE WHEN totals.said THEN totals.accepted END AS accepted,
           CASE WHEN totals.said THEN totals.cancelled END AS cancelled,
           totals.distance, CASE WHEN totals.slotted THEN lists.slots END AS slots, lists.areas, lists.services,
           regular.clients
    FROM totals
    LEFT JOIN series ON series.worker = totals.worker
    LEFT JOIN lists ON lists.worker = totals.worker
    LEFT JOIN regular ON regular.worker = totals.worker
    ORDER BY totals.worker COLLATE "C"
"""

# Tips come apart, whether they are to be stated apart or not.
EARNINGS: Final = f"""
    WITH monthly AS (
        SELECT worker, currency, {_MONTH} AS month,
               CAST(sum(amount) FILTER (WHERE part IS NULL OR part <> 'tip') AS {_EXACT}) AS paid,
               CAST(sum(amount) FILTER (WHERE part = 'tip') AS {_EXACT}) AS tips
        FROM pay GROUP BY worker, currency, {_MONTH})
    SELECT worker, currency, string_agg({_text("month", "paid", "tips")}, chr(31)) AS months
    FROM monthly GROUP BY worker, currency ORDER BY worker COLLATE "C", currency COLLATE "C"
"""


def _order(*columns: str) -> str:
    return ", ".join(f'{column} COLLATE "C"' if column in ("service", "area") else column for column in columns)


# Rows without a job are told apart by their day and their place in it, which a longer export does not change. What was
# cancelled of a job that was done all the same is no part of it; what the worker cancelled is stated by nobody. The
# number of a job is written out last, once: that is slow.
EACH_JOB: Final = f"""
    WITH placed AS (
        SELECT *, row_number() OVER (
            PARTITION BY worker, day, job
            ORDER BY {_order("started", "hours", "gross", "net", "service", "area", "quantity", "distance")}) AS place
        FROM jobs),
    keyed AS (
        SELECT *, CASE WHEN job IS NULL THEN day END AS lone_day, CASE WHEN job IS NULL THEN place END AS lone_place
        FROM placed WHERE ended IS NULL OR ended <> 'cancelledByWorker'),
    judged AS (
        SELECT *, max(CASE WHEN {_DONE} THEN 1 ELSE 0 END) OVER (
            PARTITION BY worker, job, lone_day, lone_place) AS done
        FROM keyed)
    SELECT worker,
           CASE WHEN job IS NULL THEN CAST(lone_day AS VARCHAR) || ' ' || CAST(lone_place AS VARCHAR)
                ELSE 'job ' || CAST(job AS VARCHAR) END AS name,
           min(coalesce(started, day)) AS first, max(day) AS last,
           max(done) AS done, max(CASE WHEN ended = 'accepted' THEN 1 ELSE 0 END) AS accepted,
           CAST(sum(hours) AS {_EXACT}) AS hours, CAST(sum(quantity) AS {_EXACT}) AS quantity, {_agreed("measure")},
           {_agreed("service")}, {_agreed("area")}, {_agreed("sector")}, {_agreed("currency")},
           CAST(sum(gross) AS {_EXACT}) AS gross, CAST(sum(fees) AS {_EXACT}) AS fees,
           CAST(sum(net) AS {_EXACT}) AS net, {_agreed("deliverable")}, {_agreed("countersign")}
    FROM judged WHERE done = 0 OR {_DONE}
    GROUP BY worker, job, lone_day, lone_place
    ORDER BY worker COLLATE "C", max(day), min(coalesce(started, day)), job, lone_place
"""
