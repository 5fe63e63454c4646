"""Statements about one review, one insurance policy, training rights, one dispute."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Final

from issuer.engine import Engine
from issuer.frame import Frame, make, month_of, rounded, rungs
from issuer.marks import mark
from issuer.profile import Profile
from issuer.records import aspects, rows
from work import months
from work.screening import flat
from work.statement import Statement
from work.types import TYPES

_YEAR: Final = 12  # months
_UNIT: Final = 1000  # of the ceiling's rungs


def reviews(engine: Engine, at: Frame, salt: bytes) -> Iterator[Statement]:
    """A Review for each review. Texts that must not be signed were taken away before (:mod:`issuer.texts`)."""
    constants = at.profile.statements["Review"]
    sides = aspects(at.profile)
    for worker, job, day, value, body, language, public, publishable, total, *rest in rows(engine, _reviews(sides)):
        claims = {
            **at.common(),
            **constants,
            "reviewRating": "notRated" if value is None else _figure(value),
            "published": month_of(day),
            "sampleTotal": str(total),
            "lang": language or "none",
            "visibility": "public" if public else "private",  # not known to be public is private
            "publicationRight": "true" if publishable else "false",  # a right that nobody gave is none
            "workRef": mark(salt, worker, str(job)),
            "reviewBody": body and flat(body),
            "reviewAspects": [
                f"{side} {_figure(each)}" for side, each in zip(sides, rest, strict=True) if each is not None
            ],
        }
        yield make("Review", worker, claims)


def _figure(value: Decimal) -> str:
    return f"{value.normalize() + 0:f}"  # no "5.000000", no "-0"


def _reviews(sides: tuple[str, ...]) -> str:
    """Of one review the newest version, and of how many reviews it is one."""
    names = [f"aspect_{side}" for side in sides]
    columns = ", ".join(("worker", "job", "day", "value", "body", "language", "public", "publishable", *names))
    last = ", ".join(f"coalesce(CAST({name} AS VARCHAR), '') DESC" for name in ("day", "value", "body", "language"))
    shown = "".join(f", {name}" for name in names)
    return f"""
        WITH counted AS (
            SELECT {columns}, row_number() OVER (PARTITION BY worker, job ORDER BY {last}) AS nth
            FROM reviews),
        totals AS (SELECT worker, count(DISTINCT job) AS total FROM reviews GROUP BY worker)
        SELECT counted.worker, job, day, value, body, language, public, publishable, total{shown}
        FROM counted JOIN totals ON totals.worker = counted.worker
        WHERE nth = 1 ORDER BY counted.worker, job"""  # noqa: S608  (the names are checked words of the profile)


def insurances(engine: Engine, at: Frame, salt: bytes) -> Iterator[Statement]:
    """A ProfessionalInsurance for each policy, about its latest period."""
    for row in rows(engine, _INSURANCES):
        worker, insurer, policy, scope, mission, first, last, legal_id, currency, *figures, kinds, territories = row
        claim, year, deductible, jobs_up_to, tier, level, achievement = figures
        amounts = {"ceilingPerClaim": claim, "ceilingPerYear": year, "deductible": deductible, "jobsUpTo": jobs_up_to}
        ceiling = None if claim is None else rounded(claim, 2) / _UNIT
        claims = {
            **at.common(),
            "insurerName": insurer,
            "insurerIdentifier": legal_id or "notPublished",
            "coverFrom": f"{first:%Y-%m-%d}",
            "coverTo": f"{last:%Y-%m-%d}",
            "scope": scope,
            "coveredActivities": _several("coveredActivities", kinds, ";"),
            "policyNumber": policy,
            "currency": currency,
            "territory": _several("territory", territories, " "),
            "expertiseScheme": tier,
            "expertiseLevel": level,
            "expertiseOf": achievement,
            "missionRef": None if mission is None else mark(salt, worker, str(mission)),
        }
        if currency:  # where rows disagree about it, no amount can be stated
            claims |= {name: None if value is None else str(rounded(value, 2)) for name, value in amounts.items()}
            claims["ceilingPerClaimAtLeast"] = rungs("ProfessionalInsurance", "ceilingPerClaimAtLeast", ceiling)
        yield make("ProfessionalInsurance", worker, claims)


def _several(claim: str, cells: Iterable[str] | None, mark_: str) -> list[str]:
    """The values in some cells, as many as the claim has places for."""
    values = {value.strip() for cell in cells or () for value in cell.split(mark_)} - {""}
    return sorted(values)[: TYPES["ProfessionalInsurance"].claims[claim].slots]


# What the rows of a policy disagree about is not stated. A policy of the holder is not of one job.
_POLICIES: Final = """
    policies AS (
        SELECT worker, insurer, policy, cover_from, cover_to, legal_id, currency, ceiling_claim, ceiling_year,
               deductible, jobs_up_to, tier, level, achievement, kind, territory,
               coalesce(scope, CASE WHEN job IS NULL THEN 'holder' ELSE 'missionOnly' END) AS scope,
               CASE WHEN scope = 'holder' THEN NULL ELSE job END AS mission
        FROM insurances),
    latest AS (
        SELECT *, max(cover_to) OVER (PARTITION BY worker, insurer, policy, scope, mission) AS last FROM policies)"""
_AGREED: Final = ", ".join(
    f"CASE WHEN min({name}) = max({name}) THEN min({name}) END"
    for name in (
        *("legal_id", "currency", "ceiling_claim", "ceiling_year", "deductible", "jobs_up_to"),
        *("tier", "level", "achievement"),
    )
)
_INSURANCES: Final = f"""
    WITH {_POLICIES}
    SELECT worker, insurer, policy, scope, mission, max(cover_from), max(cover_to), {_AGREED},
           array_agg(DISTINCT kind ORDER BY kind) FILTER (WHERE kind IS NOT NULL),
           array_agg(DISTINCT territory ORDER BY territory) FILTER (WHERE territory IS NOT NULL)
    FROM latest WHERE cover_to = last
    GROUP BY worker, insurer, policy, scope, mission
    ORDER BY worker, insurer, coalesce(policy, ''), scope, mission"""  # noqa: S608  (constants of this module)


def trainings(engine: Engine, at: Frame) -> Iterator[Statement]:
    """TrainingRights for every worker, one for each currency of what was paid."""
    for worker, found in groupby(rows(engine, _TRAINING), key=itemgetter(0)):
        lines = [tuple(each[1:]) for each in found]
        currencies = sorted({currency for kind, currency, *_ in lines if kind in _PAID}) or ["notApplicable"]
        titles = {name: _titles(lines, kind, name) for kind, name in _TITLED.items()}
        for currency in currencies:
            claims = {**at.common(), "currency": currency, **_paid(lines, currency, at), **titles}
            yield make("TrainingRights", worker, claims)


_PAID: Final = ("cfp", "cpf")
_TITLED: Final = MappingProxyType({"vae": "vaeActions", "training": "trainings"})
_TRAINING: Final = """
    SELECT worker, kind, CASE WHEN kind IN ('cfp', 'cpf') THEN currency END AS paid_in,
           CASE WHEN kind IN ('vae', 'training') THEN title END AS titled,
           date_trunc('month', day) AS month, sum(amount) AS amount
    FROM training
    GROUP BY worker, kind, CASE WHEN kind IN ('cfp', 'cpf') THEN currency END,
             CASE WHEN kind IN ('vae', 'training') THEN title END, date_trunc('month', day)
    ORDER BY worker, kind, month, paid_in, titled"""


def _titles(lines: Iterable[tuple[Any, ...]], kind: str, claim: str) -> list[str]:
    """The titles of one kind, the newest ones where there are more than the claim has places for."""
    newest = {title: month for each, _, title, month, _ in lines if each == kind}
    listed = sorted(newest, key=lambda title: (newest[title], title))
    return listed[-TYPES["TrainingRights"].claims[claim].slots :]


def _paid(lines: Iterable[tuple[Any, ...]], currency: str, at: Frame) -> dict[str, str | list[str] | None]:
    """The amounts in one currency: each is added up exactly, and then rounded once."""
    start = months.back(at.end, _YEAR)
    late, early, by_year = list[Decimal](), list[Decimal](), dict[str, Decimal]()
    for kind, paid_in, _, month, amount in lines:
        if paid_in == currency and kind == "cfp":
            (late if month_of(month) >= start else early).append(amount)
        elif paid_in == currency and kind == "cpf":
            year = month_of(month)[:4]
            by_year[year] = by_year.get(year, Decimal(0)) + amount
    years = sorted(by_year)[-TYPES["TrainingRights"].claims["cpfTopUps"].slots :]
    return {
        "cfpPaidLastYear": _money(late),
        "cfpPaidEarlier": _money(early),
        "cpfTopUps": [f"{year} {rounded(by_year[year], 2) + 0}" for year in years],
    }


def _money(amounts: list[Decimal]) -> str | None:
    return str(rounded(sum(amounts, Decimal(0)), 2) + 0) if amounts else None


def outcomes(engine: Engine, at: Frame) -> Iterator[Statement]:
    """A DisputeOutcome for each disputed statement: what came of it in the end."""
    for worker, about, day, ended, replaces in rows(engine, _OUTCOMES):
        claims = {
            **at.common(),
            **at.profile.statements["DisputeOutcome"],
            "outcome": ended,
            "decidedOn": month_of(day),
            "about": about,
            "replaces": replaces or "none",
        }
        yield make("DisputeOutcome", worker, claims)


_OUTCOMES: Final = """
    SELECT worker, about, day, ended, replaces
    FROM (SELECT worker, about, day, ended, replaces,
                 row_number() OVER (PARTITION BY worker, about ORDER BY day DESC, ended, coalesce(replaces, '')) AS nth
          FROM outcomes) AS numbered
    WHERE nth = 1 ORDER BY worker, about"""

# Rows that are used only to know that they are not the last word on what they speak of.
_SET_ASIDE: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "Review": (
            "an earlier version of a review that is stated",
            "SELECT count(*) - count(DISTINCT (worker, job)) FROM reviews",
        ),
        "ProfessionalInsurance": (
            "an earlier period of a policy that is stated",
            f"WITH {_POLICIES} SELECT count(*) FROM latest WHERE cover_to < last",  # noqa: S608  (a constant)
        ),
        "DisputeOutcome": (
            "an earlier outcome of a dispute that is stated",
            "SELECT count(*) - count(DISTINCT (worker, about)) FROM outcomes",
        ),
    }
)


def set_aside(engine: Engine, profile: Profile) -> dict[str, int]:
    """By reason, how many rows are used and yet not stated, because a newer one says the same thing anew."""
    counts = {why: next(rows(engine, sql))[0] for name, (why, sql) in _SET_ASIDE.items() if name in profile.statements}
    return {why: int(count) for why, count in counts.items() if count}
