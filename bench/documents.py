"""The credentials that are measured: real statement types, with as many claims as the name says."""

from datetime import UTC, datetime
from typing import Any

from tests.work_samples import EARNINGS, RATING
from work.draft import Draft, draft
from work.statement import Statement

AT = datetime(2026, 11, 24, tzinfo=UTC)
_LEFT_OUT = {"averageAtLeast3m", "averageAtLeast6m", "periodStart", "tips", "tips12m", "fiscalSource"}


def rating(issuer: str, holder: str) -> dict[str, Any]:
    """A rating without its aspects: about 25 claims."""
    made = draft(Statement("Rating", "worker", RATING), issuer=issuer, holder=holder, at=AT)
    return _without(made, {"aspects"})


def earnings(issuer: str, holder: str) -> tuple[dict[str, Any], list[str], list[str]]:
    """``(document, mandatory pointers, pointers of 8 claims)``: earnings with 40 claims that can be shown alone."""
    made = draft(Statement("Earnings", "worker", EARNINGS), issuer=issuer, holder=holder, at=AT)
    shown = [f"/credentialSubject/averageAtLeast12m/{index}" for index in range(8)]
    return _without(made, _LEFT_OUT), list(made.mandatory), shown


def _without(made: Draft, names: set[str]) -> dict[str, Any]:
    subject = made.document["credentialSubject"]
    assert isinstance(subject, dict)
    return {**made.document, "credentialSubject": {name: subject[name] for name in subject if name not in names}}
