"""What a request asks, what in the wallet would answer it, and what of it is more than its purpose needs."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from vc.canon import Json
from vc.errors import Malformed
from vc.jsonld import Contexts, to_rdf
from vc.model import Credential, Object
from vc.oid4vp import LDP_VC, CredentialQuery, Request, select_claims
from vc.secure import SELECTIVE
from work.draft import is_filler
from work.purposes import PURPOSES, Judgement, Purpose, judge

_RDF_TYPE: Final = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a statement in the wallet."""

    id: bytes  # of the vault's item
    document: Object  # as received, with its proof
    credential: Credential
    statement: str  # the name that all copies of one statement share
    holder: str | None
    shown: int  # how often this very copy was shown


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One claim that an answer would show, and what the purpose says of it."""

    pointer: str
    value: str
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Proposal:
    """One credential that would answer one part of a request."""

    query: CredentialQuery
    copy: Copy
    type: str  # statement type, such as Earnings
    asked: tuple[Disclosure, ...]
    fresh: bool  # False: every copy was shown before, so this showing can be linked with that one
    copies_left: int  # unused copies, this one included


@dataclass(frozen=True, slots=True)
class Plan:
    """All proposals for a request, and the parts that nothing in the wallet answers."""

    proposals: tuple[Proposal, ...]
    unanswered: tuple[CredentialQuery, ...]
    purpose: Purpose | None


def plan(request: Request, copies: Sequence[Copy], *, contexts: Contexts, at: datetime) -> Plan:
    """How the wallet would answer ``request`` with what is valid at ``at`` (OID4VP §6.4)."""
    purpose = purpose_of(request)
    valid = [copy for copy in copies if copy.credential.valid_until is None or at <= copy.credential.valid_until]
    proposals: dict[str, Proposal] = {}
    for query in request.queries:
        proposal = _propose(query, valid, contexts, purpose)
        if proposal is not None:
            proposals[query.id] = proposal
    wanted = _wanted(request, proposals)
    return Plan(
        proposals=tuple(
            proposals[query.id] for query in request.queries if query.id in wanted and query.id in proposals
        ),
        unanswered=tuple(query for query in request.queries if query.id in wanted and query.id not in proposals),
        purpose=purpose,
    )


def _wanted(request: Request, answerable: Collection[str]) -> set[str]:
    """OID4VP §6.4.2: every query, or of each set of alternatives the first that can be answered."""
    if not request.sets:
        return {query.id for query in request.queries}
    wanted: set[str] = set()
    for alternatives in request.sets:
        option = next((option for option in alternatives.options if all(name in answerable for name in option)), None)
        if option is not None:
            wanted.update(option)
        elif alternatives.required:
            wanted.update(alternatives.options[0])
    return wanted


def _propose(
    query: CredentialQuery, copies: Iterable[Copy], contexts: Contexts, purpose: Purpose | None
) -> Proposal | None:
    """The newest statement that answers, by its least-shown copy: showing a copy twice links the two showings."""
    if query.format != LDP_VC:
        return None
    answering = [
        (copy, pointers)
        for copy in copies
        if copy.credential.proofs[0].cryptosuite in SELECTIVE  # another suite could only show everything
        and matches_type(query, copy.credential.document, contexts)
        and (pointers := select_claims(query, copy.credential.document, is_claim=_is_claim)) is not None
        and (copy.holder is not None or not query.holder_binding)
    ]
    if not answering:
        return None
    newest = max(answering, key=lambda entry: _age(entry[0]))[0].statement
    same = [(copy, pointers) for copy, pointers in answering if copy.statement == newest]
    copy, pointers = min(same, key=lambda entry: entry[0].shown)
    kind = statement_type(copy.credential)
    return Proposal(
        query=query,
        copy=copy,
        type=kind,
        asked=tuple(_disclosure(pointer, copy.credential.document, kind, purpose) for pointer in pointers),
        fresh=copy.shown == 0,
        copies_left=sum(1 for other, _ in same if other.shown == 0),
    )


def _age(copy: Copy) -> tuple[str, str]:
    subject = copy.credential.subjects[0]
    return str(subject.get("periodEnd", "")), str(copy.credential.document.get("validFrom", ""))


def _is_claim(value: Json) -> bool:
    return not is_filler(value)


def matches_type(query: CredentialQuery, document: Object, contexts: Contexts) -> bool:
    """Whether the credential's expanded types hold one of the query's sets (OID4VP §B.1.1)."""
    if not query.types:
        return True
    located = to_rdf(document, contexts)
    types = {
        quad[2][1:-1]
        for quad, anchor in zip(located.quads, located.anchors, strict=True)
        if quad[1] == _RDF_TYPE and anchor == ()
    }
    return any(wanted <= types for wanted in query.types)


def statement_type(credential: Credential) -> str:
    """The statement type of a credential: ``Earnings`` for an EarningsCredential."""
    names = [name for name in credential.types if name != "VerifiableCredential"]
    return names[0].removesuffix("Credential") if names else ""


def issuer_name(credential: Credential) -> str:
    """What the issuer calls itself, or its DID where it does not say. Nobody vouches for a name in a credential."""
    issuer = credential.document.get("issuer")
    name = issuer.get("name") if isinstance(issuer, dict) else None
    return name if isinstance(name, str) and name else credential.issuer


def _disclosure(pointer: str, document: Object, kind: str, purpose: Purpose | None) -> Disclosure:
    value: Json = dict(document)
    parts = pointer.split("/")[1:]
    for part in parts:
        value = value[int(part)] if isinstance(value, list) else value[part] if isinstance(value, dict) else value
    claim = parts[1] if len(parts) > 1 else parts[0]
    return Disclosure(pointer, value if isinstance(value, str) else "", judge(purpose, kind, claim))


def purpose_of(request: Request) -> Purpose | None:
    """The purpose that a request names, if it is one that we know."""
    declared = request.extra.get("purpose")
    code = declared.get("code") if isinstance(declared, dict) else None
    return PURPOSES.get(code) if isinstance(code, str) else None


def only(plan_: Plan, claims: Collection[str]) -> Plan:
    """The plan with only these claims, named ``Earnings.averageAtLeast12m`` or ``Earnings`` for a whole credential.

    Raises :class:`Malformed` for a claim that the request does not ask for: the wallet never volunteers one.
    """
    offered = {name for proposal in plan_.proposals for name in names(proposal)}
    unknown = sorted(set(claims) - offered)
    if unknown:
        raise Malformed("--choose", f"{unknown[0][:80]} is not among what would be shown", code="NOT_ASKED")
    kept = [_only(proposal, claims) for proposal in plan_.proposals]
    return replace(plan_, proposals=tuple(proposal for proposal in kept if proposal is not None))


def _only(proposal: Proposal, claims: Collection[str]) -> Proposal | None:
    if proposal.type in claims:
        return proposal
    asked = tuple(one for one in proposal.asked if claim_name(proposal.type, one.pointer) in claims)
    return replace(proposal, asked=asked) if asked else None


def names(proposal: Proposal) -> Mapping[str, None]:
    """What ``only`` can be told of a proposal, in order."""
    return dict.fromkeys([proposal.type, *(claim_name(proposal.type, one.pointer) for one in proposal.asked)])


def claim_name(kind: str, pointer: str) -> str:
    """``Earnings.monthly`` for ``/credentialSubject/monthly/3``."""
    parts = pointer.split("/")
    return f"{kind}.{parts[2] if len(parts) > 2 else parts[1]}"


Agree = Callable[[Plan], bool]
