"""Whether what was shown meets a policy: *met*, *not met* or *cannot tell*, and what would settle it (docs/policy.md).

Only what issuers of the trust list signed counts. What was not shown is never held against anybody: "not met" takes a
figure that was shown and says less, and where less was shown than could be, the outcome is "cannot tell".
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Final

from vc.canon import Json
from vc.verify import Assurance
from verifier.policy import PolicyFile, Requirement
from verifier.proven import Proven
from work.ladders import read_rung, rung
from work.months import back, last_second, span
from work.statement import Claims, SourceMethod
from work.types import Claim

_ALIKE: Final = ("currency", "unitOfWork", "basis", "durationDefinition")  # figures of two kinds do not add up
_YEAR: Final = "total12m"


class Outcome(StrEnum):
    """What a policy says of what was shown; never of a person."""

    MET = "met"
    NOT_MET = "notMet"
    CANNOT_TELL = "cannotTell"


class Aside(StrEnum):
    """Why something that was shown does not count for a requirement."""

    OWN_WORD = "ownWord"  # no issuer of the trust list signed it, or it only passes on what the worker brought
    OTHER_ISSUER = "otherIssuer"
    OTHER_KIND = "otherKind"  # another currency, another basis: what ``where`` leaves out
    TOO_OLD = "tooOld"
    TERMS = "terms"  # its terms of use leave this purpose out
    NOT_SAID = "notSaid"  # it shows nothing about what is asked


@dataclass(frozen=True, slots=True)
class Counted:
    """A statement that counts, and what it says. ``value`` is the least that it can stand for; ``exact`` if no more."""

    query: str
    issuer: str
    value: str
    exact: bool


@dataclass(frozen=True, slots=True)
class Further:
    """One thing that would settle a requirement if it were shown: a claim (empty: the statement), with one of
    ``values`` where there are any; ``other`` if it has to be of another issuer than what was shown."""

    type: str
    claim: str
    values: tuple[str, ...]
    issuer: str = ""  # whose; empty for any that the policy takes
    other: bool = False
    since: str = ""  # the earliest last month; empty for any

    def to_json(self) -> Json:
        """For the report."""
        return {
            "type": self.type,
            "claim": self.claim,
            "values": list[Json](self.values),
            "issuer": self.issuer or None,
            "otherIssuer": self.other,
            "notBefore": self.since or None,
        }


@dataclass(frozen=True, slots=True)
class Judged:
    """One requirement and its outcome."""

    requirement: Requirement
    outcome: Outcome
    counted: tuple[Counted, ...] = ()
    total: str = ""  # the least that what counts adds up to; empty where nothing is a number
    aside: tuple[tuple[str, Aside], ...] = ()  # by query
    further: tuple[Further, ...] = ()  # any one of them would settle it, the smallest first


@dataclass(frozen=True, slots=True)
class Decision:
    """A policy applied to one answer."""

    policy: PolicyFile
    judged: tuple[Judged, ...]

    @property
    def outcome(self) -> Outcome:
        """All met, one not met, or else it cannot be told."""
        outcomes = {one.outcome for one in self.judged}
        if Outcome.NOT_MET in outcomes:
            return Outcome.NOT_MET
        return Outcome.CANNOT_TELL if Outcome.CANNOT_TELL in outcomes else Outcome.MET

    def to_json(self) -> dict[str, Json]:
        """For the report."""
        return {
            "outcome": self.outcome.value,
            "policy": dict[str, Json](self.policy.name),
            "policySha256": self.policy.sha256,
            "requirements": [_judged_json(one) for one in self.judged],
        }


def decide(policy: PolicyFile, proven: Sequence[Proven], *, at: datetime) -> Decision:
    """Apply a policy to what an answer proved."""
    return Decision(policy, tuple(_judge(one, proven, at) for one in policy.requirements))


@dataclass(frozen=True, slots=True)
class _Seen:
    """One statement that counts, and the least that it says."""

    proven: Proven
    value: Decimal
    exact: bool


def _judge(requirement: Requirement, proven: Sequence[Proven], at: datetime) -> Judged:
    shown = [one for one in proven if one.type == requirement.type.name]
    aside: list[tuple[str, Aside]] = []
    counting: list[Proven] = []
    for one in shown:
        why = _set_aside(one, requirement, at)
        if why is None:
            counting.append(one)
        else:
            aside.append((one.query, why))
    if requirement.at_least is not None:
        return _judge_number(requirement, counting, tuple(aside), at)
    return _judge_word(requirement, counting, tuple(aside), at)


def _set_aside(one: Proven, requirement: Requirement, at: datetime) -> Aside | None:
    """Why it does not count, whatever it says; None where it does."""
    earliest = requirement.earliest_month(at)
    reasons = {
        Aside.OWN_WORD: one.assurance is not Assurance.ISSUER or one.source == SourceMethod.workerImportUnverified,
        Aside.OTHER_ISSUER: bool(requirement.issuers) and one.legal_identifier not in requirement.issuers,
        Aside.TERMS: not one.purpose_allowed,
        Aside.TOO_OLD: one.period[1] < earliest,
        Aside.NOT_SAID: not requirement.where.keys() <= one.claims.keys(),
        Aside.OTHER_KIND: any(
            not set(accepted) & set(_values(one.claims[name]))
            for name, accepted in requirement.where.items()
            if name in one.claims
        ),
    }
    return next((why for why, holds in reasons.items() if holds), None)


def _values(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _judge_number(
    requirement: Requirement, counting: Iterable[Proven], aside: tuple[tuple[str, Aside], ...], at: datetime
) -> Judged:
    claim, threshold = requirement.claim, requirement.at_least
    assert claim is not None
    assert threshold is not None
    seen: list[_Seen] = []
    for one in counting:
        said = _number(requirement, one.claims)
        if said is None:
            aside = (*aside, (one.query, Aside.NOT_SAID))
        else:
            seen.append(_Seen(one, *said))
    groups = list(_groups(seen)) if requirement.add_up else [(each,) for each in seen]
    if not groups:
        return Judged(requirement, Outcome.CANNOT_TELL, aside=aside, further=tuple(_further(requirement, (), at)))
    best = max(groups, key=_least)
    if _least(best) >= threshold:
        outcome = Outcome.MET
    elif all(each.exact for group in groups for each in group):
        outcome = Outcome.NOT_MET
    else:
        outcome = Outcome.CANNOT_TELL
    return Judged(
        requirement,
        outcome,
        counted=tuple(Counted(one.proven.query, one.proven.issuer, _text(one.value), one.exact) for one in best),
        total=_text(_least(best)),
        aside=aside,
        further=() if outcome is Outcome.MET else tuple(_further(requirement, best, at)),
    )


def _least(group: Iterable[_Seen]) -> Decimal:
    return sum((one.value for one in group), Decimal(0))


def _groups(seen: Iterable[_Seen]) -> Iterator[tuple[_Seen, ...]]:
    """What adds up: one statement of each issuer, about the same months and of the same kind, all bound to one key.

    What no key binds belongs to nobody for sure, and stands alone.
    """
    groups: dict[tuple[object, ...], dict[str, _Seen]] = {}
    for number, one in enumerate(seen):
        person = one.proven.holder or number
        kind = (person, one.proven.period[1], *(one.proven.claims.get(name) for name in _ALIKE))
        issuers = groups.setdefault(kind, {})
        held = issuers.get(one.proven.legal_identifier)
        if held is None or (one.exact, one.value) > (held.exact, held.value):
            issuers[one.proven.legal_identifier] = one
    yield from (tuple(issuers.values()) for issuers in groups.values())


def _number(requirement: Requirement, claims: Claims) -> tuple[Decimal, bool] | None:
    """The least that a statement says of a number, in the unit of the requirement, and whether it says no more."""
    claim = requirement.claim
    assert claim is not None
    exact = _exact(claim, claims)
    if exact is not None:
        return exact, True
    steps = claims.get(claim.name, ()) if claim.ladder else ()
    reached = [read_rung(step) for step in steps]
    return (Decimal(max(reached)), False) if reached else None


def _exact(claim: Claim, claims: Claims) -> Decimal | None:
    """The figure itself, where it was shown."""
    if not claim.ladder:
        value = claims.get(claim.name)
        return Decimal(value) if isinstance(value, str) else None
    basis = claim.basis
    if basis is None:
        return None
    if basis.over == 12 and isinstance(claims.get(_YEAR), str):
        return Decimal(str(claims[_YEAR])) / 12
    value = claims.get(basis.claim)
    if basis.over == 0:
        return Decimal(value) / basis.unit if isinstance(value, str) else None
    months = dict(entry.split(" ", 1) for entry in value) if isinstance(value, tuple) else {}
    last = str(claims.get("periodEnd", ""))
    window = span(back(last, basis.over), last) if last else ()
    if not window or any(month not in months for month in window):  # a month that is not shown may be below zero
        return None
    return sum((Decimal(months[month]) for month in window), Decimal(0)) / basis.over


def _further(requirement: Requirement, best: Sequence[_Seen], at: datetime) -> Iterator[Further]:
    """What would settle a number, the smallest first: a step of another issuer where they add up, a higher step of one
    that was shown, or its figure."""
    claim, threshold = requirement.claim, requirement.at_least
    assert claim is not None
    assert threshold is not None
    since = requirement.earliest_month(at)
    lacking = threshold - _least(best)
    kind = requirement.type.name
    if not best:
        yield Further(kind, claim.name, _step(claim, threshold), since=since)
        return
    if requirement.add_up:
        yield Further(kind, claim.name, _step(claim, lacking), other=True, since=best[0].proven.period[1])
    for one in best:
        if one.exact:
            continue
        steps = _step(claim, one.value + lacking)
        if steps or not claim.basis:
            yield Further(kind, claim.name, steps, issuer=one.proven.issuer, since=since)
        else:
            yield Further(kind, claim.basis.claim, (), issuer=one.proven.issuer, since=since)
    if not requirement.add_up:
        yield Further(kind, claim.name, _step(claim, threshold), other=True, since=since)


def _step(claim: Claim, least: Decimal) -> tuple[str, ...]:
    """The lowest step of a ladder that is at least so high; none where it has none, or the claim is no ladder."""
    number = least.to_integral_value(ROUND_CEILING)
    return tuple(rung(step) for step in sorted(claim.ladder) if step >= number)[:1]


def _judge_word(
    requirement: Requirement, counting: Sequence[Proven], aside: tuple[tuple[str, Aside], ...], at: datetime
) -> Judged:
    claim = requirement.claim
    counted: list[tuple[Proven, str, bool]] = []
    for one in counting:
        if claim is None:
            counted.append((one, "", True))
            continue
        value = one.claims.get(claim.name)
        if value is None:
            aside = (*aside, (one.query, Aside.NOT_SAID))
            continue
        holds = any(_holds(requirement, each, at) for each in _values(value))
        counted.append((one, ", ".join(_values(value)), holds))
    good = [entry for entry in counted if entry[2]]
    outcome = Outcome.MET if good else Outcome.NOT_MET if counted else Outcome.CANNOT_TELL
    further = Further(requirement.type.name, claim.name if claim else "", requirement.one_of,
                      other=bool(counted), since=requirement.earliest_month(at))  # fmt: skip
    return Judged(
        requirement,
        outcome,
        counted=tuple(Counted(one.query, one.issuer, text, True) for one, text, _ in (good or counted)),
        aside=aside,
        further=() if outcome is Outcome.MET else (further,),
    )


def _holds(requirement: Requirement, value: str, at: datetime) -> bool:
    day = requirement.earliest_day(at)
    if day is not None:
        return _last_day(value) >= day
    return not requirement.one_of or value in requirement.one_of


def _last_day(value: str) -> date:
    """The day of a date, the last one of a month."""
    return date.fromisoformat(value) if len(value) > 7 else last_second(value).date()


def _text(value: Decimal) -> str:
    """A number without noise: to cents, never rounded up."""
    cents = value.quantize(Decimal("0.01"), rounding="ROUND_FLOOR")
    return f"{cents.to_integral_value() if cents == cents.to_integral_value() else cents:f}"


def _judged_json(one: Judged) -> Json:
    need = one.requirement
    conditions: Mapping[str, Json] = {
        "claim": need.name,
        "atLeast": None if need.at_least is None else _text(need.at_least),
        "oneOf": list[Json](need.one_of),
        "notBefore": need.not_before or None,
        "where": {name: list[Json](values) for name, values in need.where.items()},
        "issuers": list[Json](sorted(need.issuers)),
        "maxAgeDays": need.max_age,
        "addUp": need.add_up,
    }
    return {
        **conditions,
        "outcome": one.outcome.value,
        "counted": [
            {"query": each.query, "issuer": each.issuer, "value": each.value, "exact": each.exact}
            for each in one.counted
        ],
        "total": one.total or None,
        "setAside": [{"query": query, "why": why.value} for query, why in one.aside],
        "furtherDisclosure": [each.to_json() for each in one.further],
    }
