"""What a request asks, what in the wallet would answer it, and what of it is more than its purpose needs."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final, Self

from vc.canon import Json, to_json
from vc.documents import NO_DOCUMENTS, Documents
from vc.jsonld import Contexts
from vc.model import Credential, Object
from vc.oid4vp import LDP_VC, MAX_MULTIPLE, SD_JWT_VC, ClaimPath, CredentialQuery, Request, select_claims
from vc.trusted_authorities import is_trusted
from wallet.answers import Answer
from wallet.expanded import expanded_types
from wallet.formats import FORMATS, SD_JWT, can_check
from wallet.receive import same_batch, statement_type
from wallet.sdjwt import read_kept, shown_with
from work.draft import is_filler
from work.purposes import PURPOSES, Judgement, Purpose, judge
from work.subject import SUBJECT, claim_of, claim_on, value_at
from work.types import TYPES, StatementType
from work.vct import document_path, document_pointer

MAX_VALUE: Final = 300  # characters of what is no text, such as an object


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a statement in the wallet: a JSON-LD credential, or an SD-JWT VC.

    What it says is told by ``credential`` and by the properties, in the terms of the vocabulary whatever its format is.
    ``credential`` of an SD-JWT VC has no proofs: what is signed is ``document``, and only that is ever shown.
    """

    id: bytes  # of the vault's item
    document: Object | str  # as received: JSON with its proof, or the text of an SD-JWT VC
    credential: Credential
    statement: str  # the name that all copies of one statement share, in whatever format (same_statement)
    holder: str | None
    shown: int  # how often this very copy was shown
    own: bool = False  # the worker imported it: no platform has signed it
    answers: tuple[Answer, ...] = ()  # what the worker says to it, which is shown wherever it is shown
    documents: Documents = NO_DOCUMENTS  # its issuer's, where its DID does not say its key

    @property
    def format(self) -> str:
        """``ldp_vc`` or ``dc+sd-jwt`` (OID4VP §B)."""
        return SD_JWT_VC if isinstance(self.document, str) else LDP_VC

    @property
    def suite(self) -> str:
        """How it is secured: ``bbs-2023``, ``ecdsa-sd-2023``, the name of another cryptosuite, or ``sd-jwt``."""
        return SD_JWT if self.format == SD_JWT_VC else self.credential.proofs[0].cryptosuite

    @property
    def type(self) -> str:
        """The statement type, such as ``Earnings``; of a type that is not known here, the name that it came with."""
        return statement_type(self.credential)

    @property
    def batch(self) -> str:
        """The name that it shares with copies that were signed alike, for other keys."""
        return same_batch(self.credential, own=self.own)

    @property
    def kind(self) -> StatementType | None:
        """The statement type, where it is one of ours."""
        return TYPES.get(self.type)

    @property
    def subject(self) -> Object:
        """What it says: members of ``credentialSubject``, padding included."""
        return self.credential.subjects[0]

    @property
    def issuer(self) -> str:
        """The DID of whoever signed it, or the name in a certificate."""
        return self.credential.issuer

    @property
    def issuer_name(self) -> str:
        """What the issuer calls itself, or ``issuer`` where it does not say."""
        return issuer_name(self.credential)

    @property
    def valid_until(self) -> datetime | None:
        """Its last moment; None without an end."""
        return self.credential.valid_until

    @property
    def carries_answers(self) -> bool:
        """Whether what the worker says can go with it: in an SD-JWT+KB there is no place for it, and somebody has to
        sign it."""
        return self.holder is not None and self.format == LDP_VC


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One claim that an answer would show, and what the purpose says of it."""

    pointer: str
    claim: str  # its name in the vocabulary
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
    instead: str = ""  # a type in the wallet that says the same without leaving a trace


@dataclass(frozen=True, slots=True)
class Plan:
    """All proposals for a request, and the parts that nothing in the wallet answers."""

    proposals: tuple[Proposal, ...]
    unanswered: tuple[CredentialQuery, ...]
    purpose: Purpose | None
    unbound_answers: tuple[Copy, ...] = ()  # held back: what the worker says to them could not go with them
    uncheckable: tuple[Copy, ...] = ()  # would answer, but the verifier says that it cannot check such a proof or key


def plan(request: Request, copies: Sequence[Copy], *, contexts: Contexts, at: datetime) -> Plan:
    """How the wallet would answer ``request`` with what is valid at ``at`` (OID4VP §6.4)."""
    purpose = purpose_of(request)
    current = [copy for copy in copies if copy.credential.valid_until is None or at <= copy.credential.valid_until]
    checkable = [copy for copy in current if can_check(request, copy)]
    valid = _Candidates.of([copy for copy in checkable if copy.carries_answers or not copy.answers])
    found = {query.id: tuple(_proposals(query, valid, contexts, purpose)) for query in request.queries}
    proposals = {name: several[0] for name, several in found.items() if several}
    wanted = _wanted(request, proposals)
    open_ = [query for query in request.queries if query.id in wanted and query.id not in proposals]
    return Plan(
        proposals=tuple(proposal for query in request.queries if query.id in wanted for proposal in found[query.id]),
        unanswered=tuple(open_),
        purpose=purpose,
        unbound_answers=tuple(
            _held_back(checkable, [query for query in request.queries if query.id in wanted], found, contexts)
        ),
        uncheckable=tuple(_uncheckable(request, current, open_, contexts)) if open_ else (),
    )


def _uncheckable(
    request: Request, copies: Iterable[Copy], open_: Sequence[CredentialQuery], contexts: Contexts
) -> Iterator[Copy]:
    """One copy of each statement that is not shown because the verifier says that it cannot check what it is signed
    with, or what the key that it is bound to signs."""
    beyond = {copy.statement: copy for copy in copies if not can_check(request, copy)}
    yield from (copy for copy in beyond.values() if any(matches_type(one, copy, contexts) for one in open_))


def _held_back(
    copies: Iterable[Copy],
    queries: Sequence[CredentialQuery],
    found: Mapping[str, Sequence[Proposal]],
    contexts: Contexts,
) -> Iterator[Copy]:
    """One copy of each statement that is not shown because what the worker says to it could not go with it: no key of
    theirs would sign it, or the format has no place for it. Shown without it, it would say what they dispute. Where
    another copy of the statement answers, nothing is held back."""
    told = {(query.id, one.copy.statement) for query in queries for one in found[query.id]}
    held = {
        copy.statement: copy
        for copy in copies
        if copy.answers and not copy.carries_answers
        for query in queries
        if (query.id, copy.statement) not in told and matches_type(query, copy, contexts)
    }
    yield from held.values()


def _wanted(request: Request, answerable: Mapping[str, Proposal]) -> set[str]:
    """OID4VP §6.4.2: every query, or of each set of alternatives the first that can be answered; one that leaves no
    trace before all that do, whatever the verifier would like best."""
    if not request.sets:
        return {query.id for query in request.queries}
    wanted: set[str] = set()
    for alternatives in request.sets:
        options = [option for option in alternatives.options if all(name in answerable for name in option)]
        if options:
            wanted.update(min(options, key=lambda option: _leaves_a_trace(option, answerable)))
        elif alternatives.required:
            wanted.update(alternatives.options[0])
    return wanted


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The copies that may be shown, statement by statement, the newest first: put in order once for a request."""

    copies: Sequence[Copy]
    groups: Sequence[Sequence[Copy]]
    seen: Callable[[Copy], int]
    shared: Mapping[str | None, int]  # by key: to how many of the statements a copy is bound

    @classmethod
    def of(cls, copies: Sequence[Copy]) -> Self:
        groups: dict[str, list[Copy]] = {}
        for copy in copies:
            if copy.suite in FORMATS:  # another suite could only show everything
                groups.setdefault(copy.statement, []).append(copy)
        newest = sorted(groups.values(), key=lambda group: max(map(_weight, group)), reverse=True)
        bound = Counter(holder for group in newest for holder in {copy.holder for copy in group})
        return cls(copies, newest, times_seen(copies), bound)


def _proposals(
    query: CredentialQuery, held: _Candidates, contexts: Contexts, purpose: Purpose | None
) -> Iterator[Proposal]:
    """The newest statement that answers, or where the query takes several (OID4VP §6.1), the newest of them; each by
    the copy that tells least."""
    answering = (found for group in held.groups if (found := _answering(query, group, contexts)))
    for group in islice(answering, MAX_MULTIPLE if query.multiple else 1):
        yield _proposal(query, group, held, purpose)


def _answering(query: CredentialQuery, group: Sequence[Copy], contexts: Contexts) -> Sequence[Copy]:
    """The copies of one statement that answer a query."""
    fitting = [
        copy
        for copy in group
        if (copy.holder is not None or not query.holder_binding)
        and matches_type(query, copy, contexts)
        and is_trusted(query, copy.document)
    ]
    return _able(query, fitting) if fitting else ()


def _able(query: CredentialQuery, group: Sequence[Copy]) -> Sequence[Copy]:
    """Those of the copies of one statement that a query's claims select from. They say the same, so one of each format
    tells for all; unless the query asks for more than what a statement says, such as until when it is valid."""
    if not _asks_only_claims(query, group[0]):
        return [copy for copy in group if _select(query, copy) is not None]
    able = {suite: _select(query, copy) is not None for suite, copy in {copy.suite: copy for copy in group}.items()}
    return [copy for copy in group if able[copy.suite]]


def _asks_only_claims(query: CredentialQuery, copy: Copy) -> bool:
    """Whether all that is asked are claims of the vocabulary, and none by its place in a list."""
    return copy.kind is not None and all(_is_claim_path(copy.kind, copy, one.path) for one in query.claims)


def _is_claim_path(kind: StatementType, copy: Copy, asked: ClaimPath) -> bool:
    path = document_path(kind, asked) if copy.format == SD_JWT_VC else asked
    claim = claim_on(kind, path)
    return claim is not None and not any(isinstance(part, int) for part in path[1 + len(claim.path) :])


def _proposal(query: CredentialQuery, group: Sequence[Copy], held: _Candidates, purpose: Purpose | None) -> Proposal:
    """Showing a copy twice links the two showings, and so does showing its key: the least shown counts most, then the
    format that tells least; then the key that most statements have, so that one key binds what is shown together; then
    how long it is still valid."""
    newest = sorted(sorted(group, key=lambda one: one.holder or ""), key=_weight, reverse=True)
    copy = min(newest, key=lambda one: (held.seen(one), FORMATS.index(one.suite), -held.shared[one.holder], one.shown))
    pointers, kind = _select(query, copy) or (), copy.type
    return Proposal(
        query=query,
        copy=copy,
        type=kind,
        asked=tuple(
            _disclosure(pointer, copy, purpose)
            for pointer in dict.fromkeys([*pointers, *_companions(pointers, copy.subject, kind)])
        ),
        fresh=held.seen(copy) == 0,
        copies_left=unused(group, held.seen),
        instead=_instead(copy, held.copies),
    )


def unused(copies: Iterable[Copy], seen: Callable[[Copy], int]) -> int:
    """How often these copies of a statement can be shown without being recognised. Copies in several formats that are
    bound to one key count once: whoever has seen one recognises the others."""
    return len({copy.holder or copy.id for copy in copies if seen(copy) == 0})


def times_seen(copies: Iterable[Copy]) -> Callable[[Copy], int]:
    """How often a copy was shown, or another one that is bound to the same key, which can be recognised as well.

    Copies of several types are shown side by side to one verifier, so the largest number counts, not the sum.
    """
    by_key: dict[str | None, int] = {}
    for copy in copies:
        by_key[copy.holder] = max(by_key.get(copy.holder, 0), copy.shown)
    return lambda copy: copy.shown if copy.holder is None else by_key[copy.holder]


def _select(query: CredentialQuery, copy: Copy) -> tuple[str, ...] | None:
    """The pointers to what answers a query, down to single values: each is named to the worker before it is shown."""
    if not isinstance(copy.document, str):
        document = copy.credential.document
        pointers = select_claims(query, document, is_claim=_is_claim)
        return None if pointers is None else tuple(one for each in pointers for one in _values_at(each, document))
    held = read_kept(copy.document)
    pointers = select_claims(query, held.claims, is_claim=lambda value: value not in ([], {}))
    if pointers is None:
        return None
    if copy.kind is None:
        single = shown_with(held, pointers)
    else:
        single = (one for pointer in pointers for one in _leaves(pointer, _at(pointer, held.claims)))
    return tuple(dict.fromkeys(document_pointer(copy.kind, one) for one in single))


def _values_at(pointer: str, document: Object) -> Iterator[str]:
    """What a pointer names, value by value; what is around the subject is shown in any case."""
    if pointer != f"/{SUBJECT}" and not pointer.startswith(f"/{SUBJECT}/"):
        yield pointer
        return
    yield from (one for one in _leaves(pointer, _at(pointer, document)) if _is_claim(_at(one, document)))


def _leaves(pointer: str, value: Json) -> Iterator[str]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not members:
        yield pointer
    for name, inner in members:
        yield from _leaves(f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}", inner)


def _companions(pointers: Iterable[str], subject: Object, kind: str) -> Iterator[str]:
    """What says nothing without another claim is shown with it: a degree of expertise with its scale."""
    known = TYPES.get(kind)
    for pointer in pointers:
        claim = claim_of(known, pointer)
        for needed in (known.claims[name] for name in claim.needs) if known and claim else ():
            if _is_claim(value_at(dict(subject), needed.path)):
                yield needed.pointer


def _instead(copy: Copy, copies: Iterable[Copy]) -> str:
    """The type that the worker could show in place of one that identifies: a band of the same issuer."""
    instead = copy.kind.instead if copy.kind else ""
    there = instead and any(other.type == instead and other.issuer == copy.issuer for other in copies)
    return instead if there else ""


def _leaves_a_trace(option: Iterable[str], answerable: Mapping[str, Proposal]) -> bool:
    kinds = (TYPES.get(answerable[name].type) for name in option)
    return any(kind is not None and kind.identifies for kind in kinds)


def _weight(copy: Copy) -> tuple[bool, str, str]:
    """A platform's word before the worker's own, then the newest."""
    newest = str(copy.subject.get("periodEnd", "")), str(copy.credential.document.get("validFrom", ""))
    return not copy.own, *newest


def _is_claim(value: Json) -> bool:
    return not is_filler(value)


def matches_type(query: CredentialQuery, copy: Copy, contexts: Contexts) -> bool:
    """Whether a copy is in the format of a query, and its expanded types hold one of the query's sets (OID4VP §B.1.1),
    or its vct is among the query's (§B.3.5)."""
    if query.format != copy.format:
        return False
    if isinstance(copy.document, str):
        return frozenset((str(read_kept(copy.document).claims["vct"]),)) in query.types
    if not query.types:
        return True
    types = expanded_types(copy.credential.document, contexts)
    return any(wanted <= types for wanted in query.types)


def issuer_name(credential: Credential) -> str:
    """What the issuer calls itself, or its DID where it does not say. Nobody vouches for a name in a credential."""
    issuer = credential.document.get("issuer")
    name = issuer.get("name") if isinstance(issuer, dict) else None
    return name if isinstance(name, str) and name else credential.issuer


def _disclosure(pointer: str, copy: Copy, purpose: Purpose | None) -> Disclosure:
    value = _at(pointer, copy.credential.document)
    claim = _claim_name(copy.type, pointer)
    return Disclosure(pointer, claim, _plain(value), judge(purpose, copy.type, claim))


def _plain(value: Json) -> str:
    if isinstance(value, str) or value is None:
        return value or ""
    return to_json(value).decode("utf-8")[:MAX_VALUE]


def _at(pointer: str, document: Object) -> Json:
    """What stands at a JSON pointer; None where nothing does."""
    value: Json = dict(document)
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value.get(name) if isinstance(value, dict) else None
    return value


def purpose_of(request: Request) -> Purpose | None:
    """The purpose that a request names, if it is one that we know."""
    declared = request.extra.get("purpose")
    code = declared.get("code") if isinstance(declared, dict) else None
    return PURPOSES.get(code) if isinstance(code, str) else None


def _claim_name(kind: str, pointer: str) -> str:
    """The name of a claim in the vocabulary; of what is in no words known here, where it stands."""
    claim = claim_of(TYPES.get(kind), pointer)
    parts = pointer.split("/")[1:]
    return claim.name if claim else parts[1] if len(parts) > 1 else parts[0]
