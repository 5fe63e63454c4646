"""The columns and relations that mean the same for every platform: what profiles fill and statements are made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

_AMOUNT: Final = "DECIMAL(18,6)"  # exact: money and hours are added up before anything is rounded

# All of them are text, dates or exact decimals, and none is stated as it is: what is stated is added up from them.
#
# every relation  worker: the platform's id of the worker; day: the worker's local date of the row
# jobs            job: tells jobs apart; ended: one of ENDED, "completed" where the file does not say; started: the
#                 first day, where a job takes several; hours; worked: whether the day is one of work; slot: of SLOTS;
#                 area, service, sector: words of the platform, coarse; client: tells clients apart; distance: km;
#                 quantity of measure: 12 km, 3 nights; gross, fees, net, currency: the money of this one job;
#                 deliverable, countersign: digests of what was delivered, and of what the client signed
# pay             amount in currency; part: one of PARTS, "work" where the file does not say
# membership      since: member since; verified: identity; registered: whether a registration number is known; kind,
#                 tier: words of the platform; until: the last day of the tier
# ratings         value: a rating, given by ``ratings`` people; rater: tells raters apart. Ratings of one side of
#                 the work are in further columns, ``aspect_…``
# reviews         job: tells reviews apart; value; body: the text; language (BCP 47); public; publishable; names: people
#                 whom the text must not name, with ";" between them, never stated. Sides: as for ratings
# qualifications  achievement: what was reached, at which level, until when
# insurances      insurer, legal_id, policy, cover_from, cover_to, ceiling_claim, ceiling_year, deductible, currency,
#                 kind: activities that are covered, with ";" between them; territory: ISO 3166, with spaces between;
#                 scope: one of SCOPES, of the holder where neither it nor a job is given; job: the mission that is
#                 covered; jobs_up_to; tier, level, achievement: a scale of expertise, the degree on it, and in what
# training        kind: one of TRAINING; title; amount in currency
# outcomes        about: the digest of what was disputed; ended: one of OUTCOMES; replaces: the digest of what
#                 takes its place
COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "worker": "VARCHAR",
        "day": "DATE",
        "job": "UHUGEINT",
        "hours": _AMOUNT,
        "worked": "BOOLEAN",
        "ended": "VARCHAR",
        "started": "DATE",
        "slot": "VARCHAR",
        "area": "VARCHAR",
        "service": "VARCHAR",
        "sector": "VARCHAR",
        "client": "UHUGEINT",
        "distance": _AMOUNT,
        "quantity": _AMOUNT,
        "measure": "VARCHAR",
        "gross": _AMOUNT,
        "fees": _AMOUNT,
        "net": _AMOUNT,
        "deliverable": "VARCHAR",
        "countersign": "VARCHAR",
        "amount": _AMOUNT,
        "currency": "VARCHAR",
        "part": "VARCHAR",
        "kind": "VARCHAR",
        "tier": "VARCHAR",
        "since": "DATE",
        "verified": "BOOLEAN",
        "registered": "BOOLEAN",
        "value": _AMOUNT,
        "ratings": "INTEGER",
        "rater": "UHUGEINT",
        "excluded": "BOOLEAN",
        "body": "VARCHAR",
        "language": "VARCHAR",
        "public": "BOOLEAN",
        "publishable": "BOOLEAN",
        "achievement": "VARCHAR",
        "level": "VARCHAR",
        "until": "DATE",
        "insurer": "VARCHAR",
        "legal_id": "VARCHAR",
        "policy": "VARCHAR",
        "cover_from": "DATE",
        "cover_to": "DATE",
        "ceiling_claim": _AMOUNT,
        "ceiling_year": _AMOUNT,
        "deductible": _AMOUNT,
        "territory": "VARCHAR",
        "scope": "VARCHAR",
        "title": "VARCHAR",
        "about": "VARCHAR",
        "names": "VARCHAR",
        "jobs_up_to": _AMOUNT,
        "replaces": "VARCHAR",
    }
)
RATED: Final = ("ratings", "reviews")  # relations that have the sides of the work, too
HASHED: Final = frozenset({"job", "client", "rater"})  # only told apart, never read again
ENDED: Final = ("completed", "accepted", "cancelledByWorker", "cancelledByClient")
SLOTS: Final = ("night", "morning", "afternoon", "evening")  # from midnight, 6, 12 and 18 o'clock
PARTS: Final = ("work", "incentive", "tip", "toll", "adjustment")
MEASURES: Final = ("km", "mi", "task", "night", "hour", "word")
TRAINING: Final = ("cfp", "vae", "training", "cpf")
SCOPES: Final = ("holder", "missionOnly")
OUTCOMES: Final = ("upheld", "corrected", "removed", "withdrawn")
# Columns of a relation that are one of a few words: another word would be counted nowhere, or as something else.
CLOSED: Final[Mapping[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {
        ("jobs", "ended"): ENDED,
        ("jobs", "slot"): SLOTS,
        ("jobs", "measure"): MEASURES,
        ("pay", "part"): PARTS,
        ("training", "kind"): TRAINING,
        ("insurances", "scope"): SCOPES,
        ("outcomes", "ended"): OUTCOMES,
    }
)
ASPECT: Final = _AMOUNT


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows that say the same thing: columns that none of them may lack, and columns that they may have."""

    needs: tuple[str, ...]
    may_have: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, in their order."""
        return self.needs + self.may_have


RELATIONS: Final[Mapping[str, Relation]] = MappingProxyType(
    {
        "membership": Relation(("worker", "day"), ("since", "verified", "registered", "kind", "tier", "until")),
        "jobs": Relation(
            ("worker", "day"),
            (
                *("job", "hours", "worked", "ended", "started", "slot", "area", "service", "sector", "client"),
                *("distance", "quantity", "measure", "gross", "fees", "net", "currency", "deliverable", "countersign"),
            ),
        ),
        "pay": Relation(("worker", "day", "amount", "currency"), ("part",)),
        "ratings": Relation(("worker", "day", "ratings"), ("value", "since", "rater")),
        "reviews": Relation(("worker", "day", "job"), ("value", "body", "language", "public", "publishable", "names")),
        "qualifications": Relation(("worker", "day", "achievement"), ("level", "until")),
        "insurances": Relation(
            ("worker", "day", "insurer", "cover_from", "cover_to"),
            (
                *("legal_id", "policy", "ceiling_claim", "ceiling_year", "deductible", "currency", "kind"),
                *("territory", "scope", "job", "jobs_up_to", "tier", "level", "achievement"),
            ),
        ),
        "training": Relation(("worker", "day", "kind"), ("title", "amount", "currency")),
        "outcomes": Relation(("worker", "day", "about", "ended"), ("replaces",)),
    }
)
