"""What a request asks, what of it must never be asked for its purpose, and what of it an answer does not show."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from vc.canon import Json
from vc.oid4vp import SD_JWT_VC, ClaimQuery, CredentialQuery, Request, find_claims
from vc.verify import VerifiedCredential
from verifier.words import clean
from work.draft import is_filler, visible
from work.purposes import PURPOSES, Judgement, Purpose, judge
from work.subject import SUBJECT, claim_on, value_at
from work.types import TYPES
from work.vct import document_path, type_named

MAX_RETENTION: Final = 36_500  # days: a hundred years, so that no date runs out of the calendar


@dataclass(frozen=True, slots=True)
class Demand:
    """One thing that was asked for: a statement (``claim`` empty), a claim of it, or one of some values of a claim."""

    type: str
    claim: str
    values: tuple[str, ...]

    def to_json(self) -> Json:
        """For the report."""
        return {"type": self.type, "claim": self.claim, "values": list[Json](self.values)}


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked and for what, as the request says it. ``retention_days`` is None where it does not."""

    verifier: str
    purpose: str
    necessity: str
    retention_days: int | None
    never: tuple[Demand, ...]  # what the purpose's pack says must never be asked for

    def to_json(self) -> Json:
        """For the report."""
        return {
            "verifier": self.verifier,
            "purpose": self.purpose,
            "necessity": self.necessity,
            "retentionDays": self.retention_days,
            "never": [demand.to_json() for demand in self.never],
        }


@dataclass(frozen=True, slots=True)
class NotShown:
    """Something asked and not shown: any one of ``alternatives`` would have answered it."""

    query: str
    alternatives: tuple[tuple[Demand, ...], ...]

    def to_json(self) -> Json:
        """For the report."""
        return {"query": self.query, "anyOf": [[each.to_json() for each in option] for option in self.alternatives]}


def _in_documents(request: Request) -> Request:
    """The same request for JSON-LD credentials: what an SD-JWT VC shows is read as such a document, too."""
    queries = (_in_document(query) if query.format == SD_JWT_VC else query for query in request.queries)
    return replace(request, queries=tuple(queries))


def _in_document(query: CredentialQuery) -> CredentialQuery:
    kind = TYPES.get(_kind_asked(query))
    claims = (replace(claim, path=document_path(kind, claim.path)) for claim in query.claims)
    return replace(query, claims=tuple(claims))


def read_asked(request: Request) -> Asked:
    """Who asks and for what; what the request leaves open about retention, the purpose's pack says."""
    request = _in_documents(request)
    declared = request.extra.get("purpose")
    members = declared if isinstance(declared, dict) else {}
    code, necessity, days = (members.get(name) for name in ("code", "necessity", "retentionDays"))
    purpose = PURPOSES.get(code) if isinstance(code, str) else None
    if type(days) is not int or not 0 <= days <= MAX_RETENTION:
        days = purpose.retention_days if purpose else None
    return Asked(
        verifier=clean(request.client_id),
        purpose=clean(code) if isinstance(code, str) else "",
        necessity=clean(necessity) if isinstance(necessity, str) else "",
        retention_days=days,
        never=tuple(dict.fromkeys(never for query in request.queries for never in _never(query, purpose))),
    )


def _never(query: CredentialQuery, purpose: Purpose | None) -> Iterator[Demand]:
    """What is asked although the purpose's pack says never: the whole type, or else single claims."""
    kind = _kind_asked(query)
    if judge(purpose, kind, "") is Judgement.never:
        yield Demand(kind, "", ())
        return
    for claim in query.claims:
        demand = _demand(query, claim)
        if judge(purpose, kind, demand.claim) is Judgement.never:
            yield Demand(kind, demand.claim, ())


def _kind_asked(query: CredentialQuery) -> str:
    """The statement type that a query asks for; its id where that is none of ours."""
    names = (type_named(name) for wanted in query.types for name in sorted(wanted))
    return next((name for name in names if name in TYPES), query.id)


def _demand(query: CredentialQuery, claim: ClaimQuery) -> Demand:
    kind = _kind_asked(query)
    named = claim_on(TYPES.get(kind), claim.path)
    path = [str(part) for part in claim.path if part is not None]
    name = ".".join(path[1:]) if path[:1] == [SUBJECT] and len(path) > 1 else "/".join(path)
    return Demand(kind, clean(named.name if named else name), tuple(clean(str(value)) for value in claim.values))


def find_not_shown(request: Request, shown: Sequence[tuple[str, VerifiedCredential]]) -> Iterator[NotShown]:
    """What was asked and is not there, in none of those shown for it. It reads the request and what was shown, by
    credential query, and knows nothing of why."""
    request = _in_documents(request)
    answered = {name for name, _ in shown}
    for query in request.queries:
        if query.id in answered or not _another_answered(query, request, answered):
            yield from _missing(query, [credential for name, credential in shown if name == query.id])


def _another_answered(query: CredentialQuery, request: Request, answered: set[str]) -> bool:
    """OID4VP §6.4.2: whether every set of alternatives with this query is answered by another of its options."""
    sets = [each for each in request.sets if any(query.id in option for option in each.options)]
    return bool(sets) and all(any(set(option) <= answered for option in each.options) for each in sets)


def _missing(query: CredentialQuery, credentials: Sequence[VerifiedCredential]) -> Iterator[NotShown]:
    if not credentials and not query.claims:
        yield NotShown(query.id, ((Demand(_kind_asked(query), "", ()),),))
    demands = {claim.id: _demand(query, claim) for claim in query.claims}
    absent = {
        claim.id
        for claim in query.claims
        if not any(_is_shown(claim, one) or _is_surpassed(demands[claim.id], one) for one in credentials)
    }
    if not query.claim_sets:
        yield from (NotShown(query.id, ((demand,),)) for name, demand in demands.items() if name in absent)
    elif all(absent & set(option) for option in query.claim_sets):
        yield NotShown(query.id, tuple(tuple(demands[name] for name in option) for option in query.claim_sets))


def _is_shown(claim: ClaimQuery, credential: VerifiedCredential) -> bool:
    document = visible({**credential.document, SUBJECT: dict(credential.claims)})
    return any(True for _ in find_claims(claim, document, is_claim=lambda value: not is_filler(value)))


def _is_surpassed(demand: Demand, credential: VerifiedCredential) -> bool:
    """Whether a higher rung of a ladder than one of those asked for was shown: it says as much, and more."""
    kind = TYPES.get(demand.type)
    ladder = kind.claims.get(demand.claim) if kind and kind.credential_type in credential.types else None
    if ladder is None or not ladder.ladder or not demand.values:
        return False
    shown = value_at(dict(credential.claims), ladder.path)
    rungs = shown if isinstance(shown, list) else []
    # Rungs have six digits each, so that they compare as text.
    return any(isinstance(rung, str) and ladder.accepts(rung) and rung >= min(demand.values) for rung in rungs)
