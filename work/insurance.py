"""Is this work insured? Answered from the claims of a ProfessionalInsurance that were shown, and from no others.

What is not shown is not known: an activity that is not among those shown may be covered all the same, and a rung of
the ladder that is not shown may have been reached. A "no" comes only from a claim that says so.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

from vc.errors import Malformed
from work.ladders import read_rung
from work.types import TYPES

Claims = Mapping[str, str | tuple[str, ...]]


class Answer(StrEnum):
    """What the shown claims say to a question."""

    MET = "met"
    NOT_MET = "notMet"
    CANNOT_TELL = "cannotTell"


def covers(
    claims: Claims, *, on: date, activity: str, ceiling: Decimal, currency: str, mission: str | None = None
) -> Answer:
    """Whether work of ``activity`` is covered on the day ``on``, for at least ``ceiling`` per claim in ``currency``.

    ``mission`` is the mark of the mission that is asked about: only with it can a policy of one mission answer.
    Amounts are compared in one currency only. Raises :class:`Malformed` for claims that no such statement has.
    """
    _check(claims)
    answers = {
        _on_day(claims, on),
        _in_scope(claims, mission),
        _of_activity(claims, activity),
        _up_to(claims, ceiling, currency),
    }
    if Answer.NOT_MET in answers:
        return Answer.NOT_MET
    return Answer.MET if answers == {Answer.MET} else Answer.CANNOT_TELL


def _check(claims: Claims) -> None:
    known = TYPES["ProfessionalInsurance"].claims
    for name, value in claims.items():
        items = (value,) if isinstance(value, str) else value
        if name not in known or isinstance(value, str) == known[name].many or not all(map(known[name].accepts, items)):
            raise Malformed(f"/claims/{name[:64]}", "not a claim that a statement about insurance has")


def _on_day(claims: Claims, on: date) -> Answer:
    first, last, day = claims.get("coverFrom"), claims.get("coverTo"), f"{on:%Y-%m-%d}"  # such texts sort by day
    if (isinstance(first, str) and day < first) or (isinstance(last, str) and day > last):
        return Answer.NOT_MET
    return Answer.MET if first and last else Answer.CANNOT_TELL


def _in_scope(claims: Claims, mission: str | None) -> Answer:
    if claims.get("scope") == "holder":
        return Answer.MET
    named = claims.get("missionRef")
    if claims.get("scope") != "missionOnly" or mission is None or named is None:
        return Answer.CANNOT_TELL
    return Answer.MET if named == mission else Answer.NOT_MET


def _of_activity(claims: Claims, activity: str) -> Answer:
    shown = {_folded(each) for each in claims.get("coveredActivities", ())}
    return Answer.MET if _folded(activity) in shown else Answer.CANNOT_TELL


def _folded(activity: str) -> str:
    return " ".join(activity.casefold().split())


def _up_to(claims: Claims, ceiling: Decimal, currency: str) -> Answer:
    if claims.get("currency") != currency:
        return Answer.CANNOT_TELL
    if isinstance(stated := claims.get("ceilingPerClaim"), str):
        return Answer.MET if Decimal(stated) >= ceiling else Answer.NOT_MET
    return Answer.MET if max(_rungs(claims), default=Decimal(-1)) >= ceiling else Answer.CANNOT_TELL


def _rungs(claims: Claims) -> Iterator[Decimal]:
    claim = TYPES["ProfessionalInsurance"].claims["ceilingPerClaimAtLeast"]
    for each in claims.get(claim.name, ()):
        yield Decimal(read_rung(each) * (claim.basis.unit if claim.basis else 1))
