"""From canonical relations to statements: one query (:mod:`issuer.queries`) and one function per type.

All rows of a worker are added up by the database, in exact decimals; what is stated is rounded here, once, in one step
per worker.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from decimal import Decimal
from heapq import merge
from typing import Final

from issuer import queries
from issuer.canonical import SLOTS
from issuer.eachjob import completed_works
from issuer.engine import Engine
from issuer.frame import Frame, make, month_of, rounded, rungs, stated
from issuer.qualifications import qualifications
from issuer.queries import ITEM, PART
from issuer.ratings import rating_context, ratings
from issuer.records import rows
from issuer.topics import insurances, outcomes, reviews, trainings
from work import months
from work.statement import Statement

Money = MutableMapping[str, Decimal]  # by currency

MAX_KINDS: Final = 4  # as many as the claims have places for
MAX_NAMED: Final = 8
_NOTHING: Final = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Whole:
    """What only the rows of all workers tell, however few of them an engine is asked about at a time.

    ``context`` is the statement about the platform, ``said`` the ends of a job that its rows ever tell.
    """

    context: Statement | None
    said: frozenset[str]


def whole(engine: Engine, at: Frame) -> Whole:
    """Asked once in a run, before any worker."""
    wanted = at.profile.statements
    ((accepted, cancelled),) = rows(engine, queries.SAID) if "WorkHistory" in wanted else [(False, False)]
    said = {"accepted": accepted, "cancelledByWorker": cancelled}
    context = rating_context(engine, at) if "RatingContext" in wanted else None
    return Whole(context, frozenset(end for end, ever in said.items() if ever))


def statements(
    engine: Engine, at: Frame, known: Whole, lost: Money, *, salt: bytes, each_job: bool
) -> Iterator[Statement]:
    """All statements about the workers whom the engine knows, by worker and then by type.

    What rounding takes away is added to ``lost``. ``salt`` is a secret of the platform: with it, numbers of jobs become
    marks that nobody else can trace back. With ``each_job``, each job is stated too.
    """
    wanted = at.profile.statements
    made: dict[str, Iterator[Statement]] = {
        "PlatformMembership": _memberships(engine, at),
        "WorkHistory": _histories(engine, at, known.said),
        "Earnings": _earnings(engine, at, lost),
        "Rating": ratings(engine, at, known.context),
        "Review": reviews(engine, at, salt),
        "Qualification": qualifications(engine, at),
        "ProfessionalInsurance": insurances(engine, at, salt),
        "TrainingRights": trainings(engine, at),
        "DisputeOutcome": outcomes(engine, at),
    }
    if each_job:
        made["CompletedWork"] = completed_works(engine, at, salt)
    ordered = [stream for name, stream in made.items() if name in wanted]
    yield from merge(*ordered, key=lambda one: (one.worker, one.type))


def _memberships(engine: Engine, at: Frame) -> Iterator[Statement]:
    constants = at.profile.statements["PlatformMembership"]
    for worker, as_of, since, verified, registered, kinds, tier, until in rows(engine, queries.MEMBERSHIP):
        claims = {
            **at.common(),
            "memberSince": since and month_of(since),
            "status": constants["status"],
            "identityVerified": _flag(verified),
            "registrationNumberPresent": _flag(registered) or constants.get("registrationNumberPresent"),
            "activityKinds": kinds and sorted(kinds.split(ITEM))[:MAX_KINDS],
            "tierScheme": tier and constants.get("tierScheme"),
            "tierLevel": tier,
            "tierCriteria": tier and constants.get("tierCriteria"),
            "tierValidUntil": tier and (month_of(until) if until else constants.get("tierValidUntil")),
            "tenureMonthsAtLeast": rungs(
                "PlatformMembership", "tenureMonthsAtLeast", since and months.whole(since, as_of)
            ),
        }
        yield make("PlatformMembership", worker, claims)


def _flag(value: bool | None) -> str | None:
    return None if value is None else str(value).lower()


def _histories(engine: Engine, at: Frame, said: frozenset[str]) -> Iterator[Statement]:
    constants = at.profile.statements["WorkHistory"]
    found = rows(engine, queries.HISTORY)
    for worker, jobs, hours, days, first, last, listed, accepted, cancelled, distance, *named, clients in found:
        slots, areas, services = named
        total = None if hours is None else rounded(hours, 2)
        claims = {
            **at.common(),
            **constants,
            "periodStart": at.start,
            "jobsCompleted": str(jobs),
            "jobsAccepted": _count(accepted) if "accepted" in said else None,
            "cancelledByWorker": _count(cancelled) if "cancelledByWorker" in said else None,
            "totalDurationHours": None if total is None else str(total),
            "activeDays": str(days),
            "firstJob": first and month_of(first),
            "lastJob": last and month_of(last),
            **_work_months(listed, at, hours_known=total is not None),
            "timeSlots": _shares(slots),
            "areas": stated("WorkHistory", "areas", _names(areas))[:MAX_NAMED],
            "averageDistanceKm": None if distance is None else str(rounded(distance / jobs, 1)),
            "serviceTypes": stated("WorkHistory", "serviceTypes", _names(services, counted=True))[:MAX_NAMED],
            "longTermClients": _count(clients),
            "jobsAtLeast": rungs("WorkHistory", "jobsAtLeast", jobs),
            "tenureMonthsAtLeast": rungs("WorkHistory", "tenureMonthsAtLeast", first and months.whole(first, last)),
            "hoursAtLeast": rungs("WorkHistory", "hoursAtLeast", total),
        }
        yield make("WorkHistory", worker, claims)


def _work_months(listed: str | None, at: Frame, *, hours_known: bool) -> dict[str, str | list[str]]:
    """Jobs and hours of each month; of a worker who finished nothing, no month."""
    if not listed:
        return {"activeMonths": "0"}
    found = {month[:7]: (jobs, hours) for month, jobs, hours in _parts(listed)}
    nothing = ("0", "")
    series = [(month, *found.get(month, nothing)) for month in at.series(min(found))]
    made: dict[str, str | list[str]] = {
        "activeMonths": str(len(found)),
        "monthlyJobs": [f"{month} {jobs}" for month, jobs, _ in series],
    }
    if hours_known:
        made["monthlyHours"] = [f"{month} {rounded(Decimal(hours or 0), 2)}" for month, _, hours in series]
    return made


def _parts(listed: str) -> Iterator[list[str]]:
    return (item.split(PART) for item in listed.split(ITEM))


def _count(value: int | None) -> str | None:
    return None if value is None else str(value)


def _names(listed: str | None, *, counted: bool = False) -> list[str]:
    """Names from the one with the most jobs to the one with the fewest, with their counts if wanted."""
    found = sorted(_parts(listed), key=lambda pair: (-int(pair[1]), pair[0])) if listed else []
    return [f"{name} {jobs}" if counted else name for name, jobs in found]


def _shares(listed: str | None) -> list[str]:
    """The share of every slot of the day, those without jobs too: then the place of one tells nothing of the others."""
    if not listed:
        return []
    counts = {slot: int(jobs) for slot, jobs in _parts(listed)}
    whole = Decimal(sum(counts.values()))
    return [f"{slot} {rounded(counts.get(slot, 0) / whole, 3)}" for slot in SLOTS]


def _earnings(engine: Engine, at: Frame, lost: Money) -> Iterator[Statement]:
    constants = {name: value for name, value in at.profile.statements["Earnings"].items() if name != "grain"}
    unknown = _UNKNOWN[str(at.profile.statements["Earnings"]["grain"])]
    apart = constants["tipsIncluded"] != "true"
    last = {count: months.span(months.back(at.end, count), at.end) for count in (3, 6, 12)}
    for worker, currency, listed in rows(engine, queries.EARNINGS):
        paid, tips = _pay_months(listed, currency, lost, apart=apart)
        totals = {count: _sum(paid, window) for count, window in last.items()}
        claims = {
            **at.common(),
            **constants,
            "periodStart": at.start if not unknown else f"{at.start[:4]}-01",  # such reports are of calendar years
            "currency": currency,
            "expensesNotDeducted": "true",
            "total": str(sum(paid.values(), _NOTHING)),
            "total12m": str(totals[12]),
            "tips": str(sum(tips.values(), _NOTHING)) if tips else None,
            "tips12m": str(_sum(tips, last[12])) if tips else None,
            "median3m": str(sorted(paid.get(month, _NOTHING) for month in last[3])[1]),
            "monthsWithIncome": str(sum(amount > 0 for amount in paid.values())),
            "monthly": [f"{month} {paid.get(month, _NOTHING)}" for month in at.series(min(paid))],
            "averageAtLeast3m": rungs("Earnings", "averageAtLeast3m", totals[3] / 3),
            "averageAtLeast6m": rungs("Earnings", "averageAtLeast6m", totals[6] / 6),
            "averageAtLeast12m": rungs("Earnings", "averageAtLeast12m", totals[12] / 12),
        }
        yield make("Earnings", worker, {name: value for name, value in claims.items() if name not in unknown})


# What nobody knows of a month where the money is that of a quarter or of a year.
_MONTHS: Final = ("median3m", "monthsWithIncome", "monthly")
_UNKNOWN: Final = {"month": (), "quarter": _MONTHS, "year": (*_MONTHS, "averageAtLeast3m", "averageAtLeast6m")}


def _pay_months(
    listed: str, currency: str, lost: Money, *, apart: bool
) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Pay and tips of each month, to the cent. All that is stated is added up from them.

    Fees, charges and refunds lower their month, below zero where they are more than its pay: a month is what it is, and
    the money still adds up. Tips that are not stated apart are pay.
    """
    paid: dict[str, Decimal] = {}
    tips: dict[str, Decimal] = {}
    for month, exact, given in _parts(listed):
        pay, tip = Decimal(exact or 0), Decimal(given or 0)
        if not apart:
            pay, tip = pay + tip, _NOTHING
        paid[month[:7]] = cents = rounded(pay, 2) + _NOTHING  # no "-0.00"
        rest = pay - cents
        if apart and given:
            tips[month[:7]] = cents = rounded(tip, 2) + _NOTHING
            rest += tip - cents
        lost[currency] = lost.get(currency, Decimal()) + rest
    return paid, tips


def _sum(amounts: Mapping[str, Decimal], window: tuple[str, ...]) -> Decimal:
    return sum((amounts[month] for month in window if month in amounts), _NOTHING)
