"""The report: what an answer proved, and what it did not, as one object for scripts and pages alike.

Nothing in here ranks or grades a person, and nothing depends on why a claim is absent: who has none and who keeps it
to themselves get the same report, byte for byte. Text that others wrote is cleaned when it comes in; claims are kept
only as the vocabulary spells them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from vc.canon import Json
from vc.clock import is_later
from vc.errors import Malformed, Rejected, VcError
from vc.model import Object, format_date_time
from vc.oid4vp import Request
from vc.trust import Trust
from vc.verify import Assurance, Binding, Verified, VerifiedCredential
from verifier.asked import Asked, NotShown, find_not_shown, read_asked
from verifier.check import split
from verifier.decision import Decision, decide
from verifier.policy import PolicyFile
from verifier.proven import Proven, Said, moment_json
from verifier.references import Reference, References, find_references
from verifier.standing import Settles, Standing, find_standing
from verifier.words import clean
from work.draft import visible
from work.statement import Claims
from work.subject import SUBJECT, read_claims
from work.types import TYPES, Claim, StatementType
from work.wording import WHOLE, lines

_COMPARED: Final = ("category", "raterPopulation", "computation")  # what makes a rating and its context one kind


class Verdict(StrEnum):
    """The answer to "is this valid?", about what was checked, never about a person."""

    VALID = "valid"
    REFUSED = "refused"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Unchecked:
    """One thing that was not checked. ``about`` and ``reason`` are empty where the code says it all."""

    code: str
    about: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an answer was refused, or why nothing can be told of it."""

    code: str
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """One check: its verdict with its date, and all that a reader has to know to rely on it."""

    verdict: Verdict
    at: datetime
    trust_as_of: datetime | None
    asked: Asked | None
    proven: tuple[Proven, ...]
    not_shown: tuple[NotShown, ...]
    unchecked: tuple[Unchecked, ...]
    reasons: tuple[Reason, ...]
    erase_by: date | None
    answer_sha256: str | None
    decision: Decision | None = None  # where a policy was given, and the answer holds

    @property
    def standing(self) -> tuple[Standing, tuple[Settles, ...]]:
        """One name for how things stand, and what would settle it (verifier.standing)."""
        return find_standing(
            [reason.code for reason in self.reasons],
            judged=self.verdict is Verdict.REFUSED,
            contested=any(_is_contested(one) for one in self.proven),
            confirmed=any(one.assurance is Assurance.ISSUER for one in self.proven),
        )

    def to_json(self) -> dict[str, Json]:
        """The report for scripts (docs/report.md): every member is always there."""
        standing, settles = self.standing
        return {
            "type": "OuvrageReport",
            "version": 1,
            "verdict": self.verdict.value,
            "standing": standing.value,
            "settledBy": [each.value for each in settles],
            "at": format_date_time(self.at.astimezone(UTC)),
            "trustAsOf": moment_json(self.trust_as_of),
            "asked": None if self.asked is None else self.asked.to_json(),
            "proven": [one.to_json() for one in self.proven],
            "notShown": [one.to_json() for one in self.not_shown],
            "notChecked": [{"code": one.code, "about": one.about, "reason": one.reason} for one in self.unchecked],
            "reasons": [{"code": one.code, "where": one.where, "message": one.message} for one in self.reasons],
            "eraseBy": None if self.erase_by is None else f"{self.erase_by:%Y-%m-%d}",
            "answerSha256": self.answer_sha256,
            "decision": None if self.decision is None else self.decision.to_json(),
        }


def _is_contested(one: Proven) -> bool:
    """Whether its status says so, or the worker does."""
    return "CONTESTED" in one.notes or any(said.type == "Dispute" for said in one.answers)


def build(
    request: Request,
    answers: Mapping[str, Sequence[Verified]],
    *,
    trust: Trust,
    at: datetime,
    answer: bytes | None = None,
    policy: PolicyFile | None = None,
) -> Report:
    """The report on an answer whose every presentation was verified.

    ``answers`` holds them by credential query; ``answer`` are the bytes that were checked; ``policy`` is what they are
    held against, where there is one. Raises :class:`Malformed` where there are none: nothing checked is nothing proved.
    """
    given = [(name, one) for name, several in answers.items() for one in several]
    if not any(verified.credentials for _, verified in given):
        raise Malformed("answer", "holds nothing that could be checked", code="NO_PRESENTATION")
    asked = read_asked(request)
    shown = [(name, one) for name, verified in given for one in split(verified)[0]]
    beside = [verified for _, verified in given for _ in split(verified)[0]]
    readings = [_read(credential) for _, credential in shown]
    references = _references(readings, shown, trust, at)
    proven = tuple(
        replace(
            _proven(name, credential, reading, references, asked.purpose),
            answers=tuple(_said(split(verified)[1])),
            holder=(verified.holder or "") if credential.binding is Binding.KEY else "",
        )
        for (name, credential), reading, verified in zip(shown, readings, beside, strict=True)
    )
    return Report(
        verdict=Verdict.VALID,
        at=at,
        trust_as_of=trust.as_of,
        asked=asked,
        proven=proven,
        not_shown=tuple(find_not_shown(request, shown)),
        unchecked=tuple(dict.fromkeys((*_unchecked(shown, proven, references), *_clock(trust, at)))),
        reasons=(),
        erase_by=_erase_by(at, [asked.retention_days, *(_longest(one) for _, one in shown)]),
        answer_sha256=None if answer is None else sha256(answer).hexdigest(),
        decision=None if policy is None else decide(policy, proven, at=at),
    )


def refused(
    request: Request | None,
    error: VcError,
    *,
    trust: Trust | None,
    at: datetime,
    answer: bytes | None = None,
) -> Report:
    """The report on an answer that was refused or could not be judged. Nothing that it claims is in it."""
    asked, reasons = None if request is None else read_asked(request), tuple(_reasons(error))
    return Report(
        verdict=_verdict(error, known=request is not None and trust is not None),
        at=at,
        trust_as_of=None if trust is None else trust.as_of,
        asked=asked,
        proven=(),
        not_shown=(),
        unchecked=tuple(dict.fromkeys(_unchecked_after(reasons, trust, at))),
        reasons=reasons,
        erase_by=_erase_by(at, [asked.retention_days] if asked else []),
        answer_sha256=None if answer is None else sha256(answer).hexdigest(),
    )


def _verdict(error: VcError, *, known: bool) -> Verdict:
    """A no needs something that was checked: an answer, against a request and a trust file that could be read."""
    judged = isinstance(error, Rejected) or (isinstance(error, Malformed) and known)
    return Verdict.REFUSED if judged else Verdict.UNDETERMINED


def _reasons(error: VcError) -> Iterator[Reason]:
    if isinstance(error, Rejected):
        for finding in error.findings:
            yield Reason(finding.code, clean(finding.where), clean(finding.message))
    else:
        yield Reason(error.code, clean(error.where) if isinstance(error, Malformed) else "", clean(str(error)))


def _unchecked_after(reasons: tuple[Reason, ...], trust: Trust | None, at: datetime) -> Iterator[Unchecked]:
    yield Unchecked("AFTER_FAILURE")
    if trust is not None:
        yield Unchecked("TRUST_DATE")
        yield from _clock(trust, at)
    if any(reason.code == "NOT_YET_VALID" for reason in reasons):
        yield Unchecked("CLOCK_BEFORE_CREDENTIAL")


def _clock(trust: Trust, at: datetime) -> Iterator[Unchecked]:
    if is_later(trust.as_of, at):
        yield Unchecked("CLOCK_BEFORE_TRUST")


@dataclass(frozen=True, slots=True)
class _Reading:
    """The claims of a credential, as far as they are in words known here."""

    kind: StatementType | None
    claims: Claims
    unread: tuple[str, ...]


def _said(credentials: Iterable[VerifiedCredential]) -> Iterator[Said]:
    """Replies and disputes, complete ones: step 9 has refused what is not bound to the statement beside it."""
    for kind, claims in ((reading.kind, reading.claims) for reading in map(_read, credentials)):
        if kind is not None and all(claim.name in claims for claim in kind.claims.values() if claim.mandatory):
            yield Said(kind.name, claims)


def _read(credential: VerifiedCredential) -> _Reading:
    kinds = {kind.credential_type: kind for kind in TYPES.values()}
    kind = next((kinds[name] for name in credential.types if name in kinds), None)
    subject = visible({SUBJECT: dict(credential.claims)})[SUBJECT]
    assert isinstance(subject, dict)
    shown, others = read_claims(kind, subject) if kind else ({}, tuple(subject))
    claims: dict[str, str | tuple[str, ...]] = {}
    for name, value in shown.items():
        spelt = _spelt(kind.claims[name], value) if kind else None
        if spelt is not None:
            claims[name] = spelt
    if kind and not _is_whole(kind, claims):
        claims = {}  # a rating is told whole or not at all, and so are its band and that of one review
    unread = sorted(clean(name, 64) for name in (*shown, *others) if name not in claims)
    return _Reading(kind, claims, tuple(unread))


def _spelt(claim: Claim, value: Json) -> str | tuple[str, ...] | None:
    """The value, if it is spelt as the vocabulary demands."""
    items = value if isinstance(value, list) else [value]
    texts = tuple(item for item in items if isinstance(item, str) and claim.accepts(item))
    if len(set(texts)) != len(items) or isinstance(value, list) != claim.many or not 0 < len(texts) <= claim.slots:
        return None
    return texts if claim.many else texts[0]


def _is_whole(kind: StatementType, claims: Claims) -> bool:
    try:
        if kind.name in WHOLE:
            lines(kind.name, claims, "en")
    except Malformed:
        return False
    return True


def _references(
    readings: Sequence[_Reading], shown: Sequence[tuple[str, VerifiedCredential]], trust: Trust, at: datetime
) -> References:
    issuers = frozenset(
        credential.issuer
        for (_, credential), reading in zip(shown, readings, strict=True)
        if "contextDigest" in reading.claims and credential.issuer is not None
    )
    digests = frozenset(
        str(reading.claims["contextDigest"])
        for (_, credential), reading in zip(shown, readings, strict=True)
        if "contextDigest" in reading.claims and credential.issuer is not None
    )
    return find_references(trust, digests=digests, issuers=issuers, at=at)


def _proven(
    query: str, credential: VerifiedCredential, reading: _Reading, references: References, purpose: str
) -> Proven:
    issuer = credential.issuer
    reference = references.by_digest.get(str(reading.claims.get("contextDigest", ""))) if issuer else None
    return Proven(
        query=query,
        type=reading.kind.name if reading.kind else "",
        assurance=credential.assurance,
        issuer=clean(issuer.name) if issuer else "",
        legal_identifier=clean(issuer.legal_identifier) if issuer else "",
        claims=reading.claims,
        unread=reading.unread,
        binding=credential.binding,
        suite=credential.suite,
        valid_from=credential.valid_from,
        valid_until=credential.valid_until,
        purpose_allowed=_allows(credential, purpose),
        context=reference if reference and _same_kind(reading.claims, reference) else None,
        notes=credential.notes,
    )


def _same_kind(rating: Claims, reference: Reference) -> bool:
    """Whether the two speak of one kind of figure; across scales nothing is compared."""
    return all(rating[name] == reference.statement.claims[name] for name in _COMPARED)


def _terms(credential: VerifiedCredential) -> Iterator[Object]:
    terms = credential.document.get("termsOfUse", [])
    yield from (each for each in (terms if isinstance(terms, list) else [terms]) if isinstance(each, dict))


def _allows(credential: VerifiedCredential, purpose: str) -> bool:
    """Whether the terms that came with the credential allow this purpose; terms that name none allow all."""
    named = [each["allowedPurpose"] for each in _terms(credential) if "allowedPurpose" in each]
    return all(purpose in (allowed if isinstance(allowed, list) else [allowed]) for allowed in named)


def _longest(credential: VerifiedCredential) -> int | None:
    """The longest retention, in days, that the terms allow."""
    stated = [str(each.get("retentionMaxDays", "")) for each in _terms(credential)]
    days = [int(text) for text in stated if len(text) <= 5 and text.isascii() and text.isdigit()]
    return min(days, default=None)


def _erase_by(at: datetime, days: Iterable[int | None]) -> date | None:
    """The first of all limits, counted from the day of the check."""
    known = [limit for limit in days if limit is not None]
    day = at.astimezone(UTC).date()
    return day + timedelta(days=min(*known, (date.max - day).days)) if known else None


def _unchecked(
    shown: Iterable[tuple[str, VerifiedCredential]], proven: tuple[Proven, ...], references: References
) -> Iterator[Unchecked]:
    yield from (Unchecked(code) for _, credential in shown for code in credential.not_checked)
    yield Unchecked("TRUST_DATE")
    ratings = [one for one in proven if "contextDigest" in one.claims]
    for rating in ratings:
        digest = rating.claims["contextDigest"]
        if digest != "notPublished" and rating.context is None and rating.issuer:
            known = digest in references.by_digest
            yield Unchecked("CONTEXT_MISMATCH" if known else "CONTEXT_MISSING", rating.issuer)
    yield from (Unchecked("CONTEXT_SET_ASIDE", clean(one.issuer), one.code) for one in references.set_aside)
    if len(ratings) > 1:
        yield Unchecked("NOT_COMPARED")
