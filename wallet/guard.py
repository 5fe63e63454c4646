"""The guard: what a request asks compared with its purpose, and the smallest answer that would still serve it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from vc.jsonld import Contexts
from vc.oid4vp import SD_JWT_VC, ClaimPath, CredentialQuery, Request
from wallet.choose import Copy, Disclosure, Plan, Proposal, plan, purpose_of
from wallet.held import Claims, is_current, newest, said
from work.purposes import Judgement, Purpose, judge, law
from work.subject import SUBJECT, claim_on
from work.types import LANGUAGES, TYPES, Words
from work.vct import BY_VCT

_ORDER: Final = tuple(Judgement)
_ALLOWED: Final = frozenset({Judgement.expected, Judgement.acceptable})

_AVERAGES: Final = ("averageAtLeast12m", "averageAtLeast6m", "averageAtLeast3m")
# Which ladders say the same as a figure, only so roughly that many people say it; the longest window first.
ROUGHER: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        **dict.fromkeys(("Earnings.monthly", "Earnings.total", "Earnings.total12m", "Earnings.median3m"), _AVERAGES),
        **dict.fromkeys(("WorkHistory.jobsCompleted", "WorkHistory.monthlyJobs"), ("jobsAtLeast",)),
        **dict.fromkeys(("WorkHistory.totalDurationHours", "WorkHistory.monthlyHours"), ("hoursAtLeast",)),
        **dict.fromkeys(("WorkHistory.firstJob", "WorkHistory.activeMonths"), ("tenureMonthsAtLeast",)),
        "PlatformMembership.memberSince": ("tenureMonthsAtLeast",),
        "ProfessionalInsurance.ceilingPerClaim": ("ceilingPerClaimAtLeast",),
    }
)


class Why(StrEnum):
    """Why the counter-offer does not show something that is asked."""

    never = "never"  # it must not be asked for the purpose
    unusual = "unusual"  # no rule of the purpose speaks of it
    optional = "optional"  # the purpose does not need it
    rougher = "rougher"  # a threshold, or a band, says enough


@dataclass(frozen=True, slots=True)
class Judged:
    """One thing that is asked, and what the purpose says of it. ``claim`` is empty for a statement as such."""

    type: str
    claim: str
    judgement: Judgement
    law: Words | None  # where the purpose is known


@dataclass(frozen=True, slots=True)
class Offered:
    """One thing that the counter-offer shows. ``rung`` is the step of a ladder, such as "001500"."""

    type: str
    claim: str
    rung: str
    optional: bool  # the purpose may accept it, and does not need it
    beside: Claims  # what else the same statement says, by which this one is read: its currency
    instead_of: tuple[str, ...] = ()  # claims that are asked; empty where this very thing is asked


@dataclass(frozen=True, slots=True)
class Withheld:
    """One thing that is asked and that the counter-offer does not show."""

    type: str
    claim: str
    why: Why
    law: Words | None


@dataclass(frozen=True, slots=True)
class CounterOffer:
    """The smallest answer that would still serve the purpose of a request.

    ``answer`` is the part of it that may be sent: OpenID4VP lets an answer hold nothing that is not asked. ``complete``
    tells whether that is an answer to the whole request by OID4VP §6.4, or one that the verifier may turn down.
    """

    request: Request
    purpose: Purpose | None
    offered: tuple[Offered, ...]
    withheld: tuple[Withheld, ...]
    answer: Plan
    complete: bool

    @property
    def instead(self) -> tuple[Offered, ...]:
        """What it shows in the place of something else: nobody asked for it, so no answer may hold it."""
        return tuple(one for one in self.offered if one.instead_of)

    @property
    def says_less(self) -> bool:
        """Whether it differs at all from what would be shown anyway."""
        return bool(self.withheld or self.instead)


def assess(request: Request) -> tuple[Judged, ...]:
    """Everything that is asked, once each, from what is ordinary for the purpose to what must not be asked."""
    purpose = purpose_of(request)
    found: dict[tuple[str, str], Judged] = {}
    for query in request.queries:
        kind = kind_asked(query)
        whole = judge(purpose, kind, "") is Judgement.never
        for claim in ("",) if whole else _asked(query, kind):
            found.setdefault((kind, claim), _judged(purpose, kind, claim))
    return tuple(sorted(found.values(), key=lambda one: _ORDER.index(one.judgement)))


def kind_asked(query: CredentialQuery) -> str:
    """The statement type that a query asks for; its id where that is none of ours."""
    for name in (name for wanted in query.types for name in sorted(wanted)):
        kind = BY_VCT[name].name if name in BY_VCT else name.rpartition("#")[2].removesuffix("Credential")
        if kind in TYPES:
            return kind
    return query.id


def _asked(query: CredentialQuery, kind: str) -> tuple[str, ...]:
    """The claims of a query that can be shown or hidden; an empty name where it asks for none of those."""
    known = TYPES.get(kind)
    names = dict.fromkeys(_name(query, claim.path) for claim in query.claims)
    chosen = [name for name in names if not (known and name in known.claims and known.claims[name].mandatory)]
    return tuple(chosen) or ("",)


def _name(query: CredentialQuery, path: ClaimPath) -> str:
    """A claim as :mod:`wallet.choose` names it."""
    known = TYPES.get(kind_asked(query))
    if query.format == SD_JWT_VC and known is not None:  # it has names of its own for claims
        return next((claim.name for claim in known.claims.values() if claim.jwt == path[0]), str(path[0]))
    named = claim_on(known, path)
    parts = [str(part) for part in path if part is not None]
    return named.name if named else parts[1] if len(parts) > 1 else parts[0] if parts else SUBJECT


def _judged(purpose: Purpose | None, kind: str, claim: str) -> Judged:
    judgement = judge(purpose, kind, claim)
    if claim == SUBJECT:  # all of it: as bad as the worst that is in it
        every = [judge(purpose, kind, name) for name in (TYPES[kind].claims if kind in TYPES else ())]
        judgement = max((judgement, *every), key=_ORDER.index)
    why = None if purpose is None else {lang: law(purpose, kind, claim, lang) for lang in LANGUAGES}
    return Judged(kind, claim, judgement, why)


def counter_offer(request: Request, copies: Sequence[Copy], *, contexts: Contexts, at: datetime) -> CounterOffer:
    """What to offer instead of answering ``request`` as it stands. Without a known purpose nothing is offered."""
    purpose = purpose_of(request)
    made = plan(_gentle(request, purpose), copies, contexts=contexts, at=at)
    held = [copy for copy in copies if is_current(copy, at)]
    answered = {proposal.query.id: proposal for proposal in made.proposals}
    wanted = answered.keys() | {query.id for query in made.unanswered}
    queries = [query for query in request.queries if query.id in wanted]
    kept = {query.id: _kept(query, answered.get(query.id), purpose, held) for query in queries}
    offered = {(one.type, one.claim): one for names in kept.values() for one in names}
    withheld: dict[tuple[str, str], Withheld] = {}
    for query in queries:
        for claim in _asked(query, kind_asked(query)):
            _withhold(query, claim, purpose, held, offered, withheld, answered=query.id in answered)
    less = [_less(answered[name], {one.claim: one for one in kept[name]}) for name in answered]
    answer = replace(made, proposals=tuple(one for one in less if one is not None))
    complete = _is_complete(request, answered, answer)
    return CounterOffer(request, purpose, tuple(offered.values()), tuple(withheld.values()), answer, complete)


def _gentle(request: Request, purpose: Purpose | None) -> Request:
    """The same request, of whose alternatives (OID4VP §6.4.1) the least revealing come first."""

    def milder(query: CredentialQuery) -> CredentialQuery:
        options = sorted(query.claim_sets, key=lambda ids: _revealing(query, ids, purpose))
        return replace(query, claim_sets=tuple(options))

    return replace(request, queries=tuple(map(milder, request.queries)))


def _revealing(query: CredentialQuery, ids: Sequence[str], purpose: Purpose | None) -> tuple[int, int]:
    kind = kind_asked(query)
    names = {_name(query, claim.path) for claim in query.claims if claim.id in ids}
    worst = max(_ORDER.index(_judged(purpose, kind, name).judgement) for name in names)
    return worst, sum(1 for name in names if not _is_ladder(kind, name))


def _kept(
    query: CredentialQuery, proposal: Proposal | None, purpose: Purpose | None, held: Sequence[Copy]
) -> tuple[Offered, ...]:
    """What is asked and stays: needed for the purpose, and as rough as it can be said."""
    if proposal is None:
        return ()
    kind, beside = kind_asked(query), said(proposal.copy)
    return tuple(
        Offered(kind, claim, _rung(proposal, claim), judgement is Judgement.acceptable, beside)
        for claim in _asked(query, kind)
        if (judgement := _judged(purpose, kind, claim).judgement) in _ALLOWED
        and (claim == "" or any(True for _ in _of(proposal, claim)))
        and (_is_rough(kind, claim) or judgement is Judgement.expected)
        and (_is_rough(kind, claim) or _rougher(kind, claim, purpose, held) is None)
    )


def _rung(proposal: Proposal, claim: str) -> str:
    return _highest(one.value for one in _of(proposal, claim)) if _is_ladder(proposal.type, claim) else ""


def _of(proposal: Proposal, claim: str) -> Iterator[Disclosure]:
    return (one for one in proposal.asked if one.claim == claim)


def _withhold(
    query: CredentialQuery,
    claim: str,
    purpose: Purpose | None,
    held: Sequence[Copy],
    offered: dict[tuple[str, str], Offered],
    withheld: dict[tuple[str, str], Withheld],
    *,
    answered: bool,
) -> None:
    """Put one claim that is asked where it belongs: what says the same more roughly, and why it is not shown itself."""
    kind = kind_asked(query)
    if (kind, claim) in offered and not offered[kind, claim].instead_of:
        return
    judged = _judged(purpose, kind, claim)
    rougher = None if _is_rough(kind, claim) else _rougher(kind, claim, purpose, held)
    if rougher is not None:
        place = rougher.type, rougher.claim
        earlier = offered.get(place, rougher)
        if earlier is rougher or earlier.instead_of:
            names = dict.fromkeys((*earlier.instead_of, f"{kind}.{claim}" if claim else kind))
            offered[place] = replace(earlier, instead_of=tuple(names))
    elif judged.judgement in _ALLOWED and not answered:
        return  # nothing here answers it: there is nothing to withhold
    why = {Judgement.never: Why.never, Judgement.unusual: Why.unusual}.get(judged.judgement)
    withheld[kind, claim] = Withheld(kind, claim, why or (Why.rougher if rougher else Why.optional), judged.law)


def _rougher(kind: str, claim: str, purpose: Purpose | None, held: Sequence[Copy]) -> Offered | None:
    """What says the same more roughly, may be shown for the purpose, and is in the wallet; the best of it."""
    known = TYPES.get(kind)
    band = newest(known.instead, held) if known and known.instead else None
    if known is not None and band is not None:
        judgement = judge(purpose, known.instead, "")
        return (
            Offered(known.instead, "", "", judgement is Judgement.acceptable, said(band))
            if judgement in _ALLOWED
            else None
        )
    copy = newest(kind, held)
    if copy is None:
        return None
    for name in ROUGHER.get(f"{kind}.{claim}", ()):
        judgement, rung = judge(purpose, kind, name), best_rung(copy, name)
        if judgement in _ALLOWED and rung:
            return Offered(kind, name, rung, judgement is Judgement.acceptable, said(copy))
    return None


def best_rung(copy: Copy, claim: str) -> str:
    """The highest rung of a ladder that a statement reaches; empty where there is none."""
    values = said(copy).get(claim, ())
    return _highest((values,) if isinstance(values, str) else values)


def _highest(rungs: Iterable[str]) -> str:
    """Rungs have six digits each, so that they compare as text."""
    return max((rung for rung in rungs if len(rung) == len("001500") and rung.isdigit()), default="")


def _is_ladder(kind: str, claim: str) -> bool:
    known = TYPES.get(kind)
    return known is not None and claim in known.claims and bool(known.claims[claim].ladder)


def _is_rough(kind: str, claim: str) -> bool:
    """Whether it says as little as can be said: a rung of a ladder, or a band."""
    return _is_ladder(kind, claim) or any(other.instead == kind for other in TYPES.values())


def _less(proposal: Proposal, kept: Mapping[str, Offered]) -> Proposal | None:
    """A proposal that shows only what is kept, with what says nothing alone; of a ladder one rung."""
    if not kept:
        return None
    known = TYPES.get(proposal.type)
    claims = known.claims if known else {}
    beside = {needed for name in kept if name in claims for needed in claims[name].needs}
    asked = tuple(
        one
        for one in proposal.asked
        if one.claim in beside
        or (one.claim in claims and claims[one.claim].mandatory)
        or (one.claim in kept and (not _is_ladder(proposal.type, one.claim) or one.value == kept[one.claim].rung))
    )
    return replace(proposal, asked=asked)


def _is_complete(request: Request, answered: Mapping[str, Proposal], answer: Plan) -> bool:
    """OID4VP §6.4.1 and §6.4.2: whole credentials' worth of claims, and whole sets of credentials."""
    full = {one.query.id for one in answer.proposals if len(one.asked) == len(answered[one.query.id].asked)}
    if not request.sets:
        return full >= {query.id for query in request.queries}
    return all(any(set(option) <= full for option in each.options) for each in request.sets if each.required)
