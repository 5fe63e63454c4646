"""What has to hold in statements about one review, one insurance policy, one dispute. Every breach is a
:class:`Malformed`."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from vc.errors import Malformed
from work.screening import described, findings
from work.types import StatementType

Claims = Mapping[str, str | tuple[str, ...]]

_AMOUNTS: Final = ("ceilingPerClaim", "ceilingPerYear", "deductible", "jobsUpTo", "ceilingPerClaimAtLeast")


def check_topic(kind: StatementType, claims: Claims) -> None:
    """Raise :class:`Malformed` unless the well-spelt ``claims`` of a complete statement make sense together."""
    for claim in kind.claims.values():
        if claim.kind == "date" and claim.name in claims:
            _check_day(claim.name, str(claims[claim.name]))
    for name, why in _BREACHES.get(kind.name, _none)(claims):
        raise Malformed(f"/claims/{name}", why)


def check_review(claims: Claims) -> None:
    """Raise :class:`Malformed` unless the rating of a review, each member well spelt, fits its scale."""
    for name, why in _scale_breaches(claims):
        raise Malformed(f"/claims/{name}", why)


def _check_day(name: str, text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise Malformed(f"/claims/{name}", "is no day of the calendar") from None


def _none(_: Claims) -> Iterator[tuple[str, str]]:
    return iter(())


def _review_breaches(claims: Claims) -> Iterator[tuple[str, str]]:
    yield from _scale_breaches(claims)
    found = findings(str(claims.get("reviewBody", "")))
    if found:
        # Whoever makes the statement: no text is signed that names, or leads to, a person.
        yield "reviewBody", f"holds {described(found)}; the review has to be stated without its text"


def _scale_breaches(claims: Claims) -> Iterator[tuple[str, str]]:
    worst, best = Decimal(str(claims["worstRating"])), Decimal(str(claims["bestRating"]))
    if worst >= best:
        yield "worstRating", "is not below bestRating"
    value = str(claims["reviewRating"])
    if value != "notRated" and not worst <= Decimal(value) <= best:
        yield "reviewRating", "is outside the scale from worstRating to bestRating"
    for aspect in claims.get("reviewAspects", ()):
        if not worst <= Decimal(aspect.rpartition(" ")[2]) <= best:
            yield "reviewAspects", "is outside the scale from worstRating to bestRating"
    if claims["sampleTotal"] == "0":
        yield "sampleTotal", "counts at least this review"


def _insurance_breaches(claims: Claims) -> Iterator[tuple[str, str]]:
    stated = [name for name in _AMOUNTS if name in claims]
    if stated and "currency" not in claims:
        yield stated[0], "an amount needs its currency"
    for name in stated:
        if str(claims[name]).startswith("-"):
            yield name, "is below zero"
    if "missionRef" in claims and claims["scope"] != "missionOnly":
        yield "missionRef", "is of a policy for one mission only"


def _training_breaches(claims: Claims) -> Iterator[tuple[str, str]]:
    amounts = ("cfpPaidLastYear", "cfpPaidEarlier", "cpfTopUps")
    if claims["currency"] == "notApplicable" and (stated := [name for name in amounts if name in claims]):
        yield stated[0], "an amount needs its currency"
    years = [item[:4] for item in claims.get("cpfTopUps", ())]
    if len(set(years)) != len(years):
        yield "cpfTopUps", "one sum for each year"


def _outcome_breaches(claims: Claims) -> Iterator[tuple[str, str]]:
    if claims["replaces"] != "none" and claims["outcome"] != "corrected":
        yield "replaces", "only where the statement has been corrected"
    if claims["replaces"] == claims["about"]:
        yield "replaces", "is the contested statement itself"


_BREACHES: Final[Mapping[str, Callable[[Claims], Iterator[tuple[str, str]]]]] = MappingProxyType(
    {
        "Review": _review_breaches,
        "ProfessionalInsurance": _insurance_breaches,
        "TrainingRights": _training_breaches,
        "DisputeOutcome": _outcome_breaches,
    }
)
