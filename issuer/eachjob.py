"""One statement for one job: made only where it is asked for, because one job can be recognised."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from issuer import queries
from issuer.engine import Engine
from issuer.frame import Frame, make, rounded, stated
from issuer.marks import mark
from issuer.records import rows
from work.statement import Statement

_KIND: Final = "CompletedWork"


def completed_works(engine: Engine, at: Frame, salt: bytes) -> Iterator[Statement]:
    """A CompletedWork for every job that was done, or that its client cancelled; of each worker the newest last.

    Money is stated only where all of it is in one currency.
    """
    constants = at.profile.statements[_KIND]
    for worker, name, first, last, done, accepted, hours, *rest in rows(engine, queries.EACH_JOB):
        quantity, measure, service, area, sector, currency, gross, fees, net, deliverable, countersign = rest
        claims = {
            **at.common(),
            **constants,
            "outcome": ("accepted" if accepted else "completed") if done else "cancelledByClient",
            "jobIdHash": mark(salt, worker, name),
            "serviceType": _word("serviceType", service),
            "startDate": f"{first:%Y-%m-%d}",
            "endDate": f"{last:%Y-%m-%d}",
            "durationHours": _decimal(hours, 2),
            "quantity": f"{rounded(quantity, 3)} {measure}" if measure and quantity is not None else None,
            "area": _word("area", area),
            "clientSector": _word("clientSector", sector),
            "currency": currency,
            "gross": currency and _decimal(gross, 2),
            "fees": currency and _decimal(fees, 2),
            "net": currency and _decimal(net, 2),
            "deliverableHash": deliverable,
            "clientCountersign": countersign,
        }
        yield make(_KIND, worker, claims)


def _word(claim: str, value: str | None) -> str | None:
    """A word of the platform, where the claim can hold it."""
    return next(iter(stated(_KIND, claim, [value] if value else [])), None)


def _decimal(value: Decimal | None, places: int) -> str | None:
    return None if value is None else str(rounded(value, places) + 0)  # no "-0.00"
