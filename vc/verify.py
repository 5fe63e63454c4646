"""Verification, offline: from the bytes of a presentation to claims proven by keys that the verifier trusts.

The steps are numbered as in docs/verification.md. Steps 1 to 4 stop at the first failure; steps 5 to 8 collect
everything that is wrong. Claims are reachable only from :class:`Verified`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from hashlib import sha256
from typing import Final, cast

from vc.canon import Json, canonicalize
from vc.clock import clock_notes
from vc.did import VerificationMethod
from vc.errors import Finding, Rejected, Undetermined, VcError
from vc.model import (
    CREDENTIALS_V2,
    Credential,
    Object,
    Presentation,
    Proof,
    parse_credential,
    parse_presentation,
    refuse_context_within,
)
from vc.proof import ASSERTION, AUTHENTICATION, suite_of, verify_all
from vc.standing import NO_STATUS, Opened, Standing, read_standing
from vc.status import StatusList, unknown_status, unusable
from vc.suites import bbs_2023
from vc.trust import GivenList, Trust, TrustedIssuer, TrustedKey

CLOCK_SKEW: Final = timedelta(days=1)  # signed times are rounded to the day


class Binding(StrEnum):
    """How strongly a presentation shows that its presenter is the subject (docs/verification.md, step 8)."""

    KEY = "key"  # the disclosed subject key signed this presentation
    POSSESSION = "possession"  # the subject is hidden: whoever holds the worker's copy can show it


class Assurance(StrEnum):
    """Whose word a credential is (docs/verification.md, step 7)."""

    ISSUER = "issuer"  # an issuer of the trust file
    HOLDER = "holder"  # the presenter, who may say things of this type about itself
    SELF_ASSERTED = "selfAsserted"  # nobody's that is known here, and the credential says so itself


@dataclass(frozen=True, slots=True)
class Policy:
    """What a verifier accepts beyond a proof that holds.

    ``context_lists`` are the exact values of ``@context`` whose terms the verifier understands: quads are signed, the
    names that stand for them in JSON are not, so a holder could bring a context that swaps two names.

    ``holder_types`` are credential types that only the presenter itself may sign, about itself: no issuer of the trust
    file is needed for them, and none counts. ``self_asserted`` is the name and the value of the claim by which a
    credential says that nobody vouches for it: with it, one by a did:key that the trust file does not name is taken
    for what it is.
    """

    context_lists: frozenset[tuple[str, ...]]
    suites: frozenset[str] = frozenset(
        {"bbs-2023", "ecdsa-sd-2023", "eddsa-rdfc-2022", "eddsa-jcs-2022", "ecdsa-rdfc-2019", "ecdsa-jcs-2019"}
    )
    bindings: frozenset[Binding] = frozenset({Binding.KEY})
    max_trust_age: timedelta = timedelta(days=45)  # as long as the longest credential lives
    max_status_age: timedelta = timedelta(days=7)  # how long what was withdrawn may still be taken for good
    holder_types: frozenset[str] = frozenset()
    self_asserted: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class VerifiedCredential:
    """A credential whose every check has passed, and what it proves.

    ``issuer`` and ``key`` are those of the trust file, and None where the word is another's (``assurance``): no name
    in a credential is ever an issuer's name.
    """

    types: tuple[str, ...]
    claims: Object  # members of credentialSubject that were shown
    document: Object
    issuer: TrustedIssuer | None
    key: TrustedKey | None
    suite: str
    binding: Binding
    valid_from: datetime | None
    valid_until: datetime | None
    not_checked: tuple[str, ...]
    notes: tuple[str, ...] = ()  # codes of what its status lists say beside it, such as CONTESTED
    assurance: Assurance = Assurance.ISSUER

    @property
    def did(self) -> str:
        """The DID of whoever signed it."""
        issuer = self.document["issuer"]
        return str(issuer["id"] if isinstance(issuer, dict) else issuer)


@dataclass(frozen=True, slots=True)
class Verified:
    """A presentation whose every check has passed, as of ``at`` and of a trust file."""

    credentials: tuple[VerifiedCredential, ...]
    holder: str | None
    at: datetime
    trust_as_of: datetime


@dataclass(frozen=True, slots=True)
class _Question:
    """Step 0: what is asked, by whom, of whose word, as of when."""

    challenge: str
    domain: str
    trust: Trust
    policy: Policy
    at: datetime


@dataclass(frozen=True, slots=True)
class _Proven:
    """A credential whose proofs hold (steps 3 and 4)."""

    credential: Credential
    signed: tuple[tuple[Proof, VerificationMethod], ...]  # at least one


def verify_presentation(
    presented: Json,
    *,
    challenge: str,
    domain: str,
    trust: Trust,
    policy: Policy,
    at: datetime,
) -> Verified:
    """What a presentation proves to the verifier that set ``challenge`` and ``domain``, as of ``at``.

    Raises :class:`Malformed`, :class:`Unsupported`, :class:`Rejected` with every finding, or :class:`Undetermined`
    where the trust file is too old to tell, or a status list is too old or not held. A no is said before a doubt.
    """
    question = _Question(challenge, domain, trust, policy, at)
    check_trust_age(trust, policy, at)
    presentation = read_presentation(presented)
    holder = verify_holder(presentation, question)
    proven = [prove(credential, question) for credential in presentation.credentials]
    open_list = cache(lambda url: open_status_list(url, question))  # a batch shares its list
    standings = [check_status(each, question, open_list) for each in proven]
    findings = tuple(finding for each in proven for finding in check_credential(each, holder, question))
    findings += tuple(finding for standing in standings for finding in standing.findings)
    if findings:
        raise Rejected(findings)
    for doubt in (doubt for standing in standings for doubt in standing.doubts):
        raise doubt
    verified = [_verified(each, standing, question) for each, standing in zip(proven, standings, strict=True)]
    dated = (
        replace(each, not_checked=(*each.not_checked, *clock_notes(one.credential, presentation, trust, at)))
        for each, one in zip(verified, proven, strict=True)
    )
    return Verified(tuple(dated), holder, at, trust.as_of)


def read_presentation(presented: Json) -> Presentation:
    """Step 1: a presentation, or a credential that is shown without one (OID4VP §B.1: no holder binding asked)."""
    types = presented.get("type") if isinstance(presented, dict) else None
    if isinstance(types, list) and "VerifiableCredential" in types:
        return Presentation(document={}, holder=None, credentials=(parse_credential(presented),), proofs=())
    return parse_presentation(presented)


def check_trust_age(trust: Trust, policy: Policy, at: datetime) -> None:
    """Step 0: a trust file from another time than the one asked about cannot answer."""
    as_of = trust.as_of
    if at + CLOCK_SKEW < as_of:
        raise Undetermined(
            f"the trust file is from {as_of:%Y-%m-%d}, after the time asked about",
            "check the clock of this machine",
            code="WRONG_CLOCK",
        )
    ended = trust.expires is not None and at >= trust.expires  # its publisher's word, that holds no longer
    if ended or at - as_of > policy.max_trust_age:
        raise Undetermined(
            f"the trust file is from {as_of:%Y-%m-%d}, too old to rely on", "get a newer trust file", code="STALE_TRUST"
        )


def verify_holder(presentation: Presentation, question: _Question) -> str | None:
    """Step 2: the DID whose key signed the presentation for this verifier and this challenge; None if unsigned."""
    if not presentation.proofs:
        if Binding.POSSESSION in question.policy.bindings:
            return None
        raise Rejected((Finding("HOLDER_PROOF_MISSING", "nobody signed this presentation", "/proof"),))
    for proof in presentation.proofs:
        _check_suite(proof, question.policy)
        if proof.challenge != question.challenge:
            raise Rejected(
                (Finding("CHALLENGE_MISMATCH", "made for another request, not for this one", "/proof/challenge"),)
            )
        if proof.domain != (question.domain,):
            raise Rejected((Finding("DOMAIN_MISMATCH", "made for another verifier", "/proof/domain"),))
    methods = verify_all(
        presentation.document,
        presentation.proofs,
        purpose=AUTHENTICATION,
        contexts=question.trust.contexts,
        documents=question.trust.documents,
        at=question.at,
    )
    holders = {method.controller for method in methods}
    if len(holders) != 1 or (presentation.holder is not None and presentation.holder not in holders):
        raise Rejected((Finding("HOLDER_MISMATCH", "signed by another key than the holder's", "/holder"),))
    return holders.pop()


def prove(credential: Credential, question: _Question) -> _Proven:
    """Steps 3 and 4: contexts known, suites allowed, purposes right, methods the issuer's, cryptography sound."""
    check_contexts(credential.document, question.policy)
    for proof in credential.proofs:
        _check_suite(proof, question.policy)
    methods = verify_all(
        credential.document,
        credential.proofs,
        purpose=ASSERTION,
        contexts=question.trust.contexts,
        documents=question.trust.documents,
        at=question.at,
    )
    for method in methods:
        if method.controller != credential.issuer:
            raise Rejected((Finding("METHOD_NOT_ISSUERS", "signed by a key that is not the issuer's", "/issuer"),))
    return _Proven(credential, tuple(zip(credential.proofs, methods, strict=True)))


def check_contexts(document: Object, policy: Policy) -> None:
    """vc-data-integrity#context-validation: only contexts whose terms the verifier understands, and only at the top."""
    contexts = document["@context"]
    known = isinstance(contexts, list) and all(isinstance(url, str) for url in contexts)
    if not known or tuple(map(str, cast("list[Json]", contexts))) not in policy.context_lists:
        raise Rejected((Finding("CONTEXT_UNKNOWN", "uses words whose meaning is not known here", "/@context"),))
    refuse_context_within(value for name, value in document.items() if name != "@context")


def _check_suite(proof: Proof, policy: Policy) -> None:
    suite = suite_of(proof)
    if suite.name not in policy.suites:
        raise Rejected((Finding("SUITE_NOT_ALLOWED", f"{suite.name} is not accepted here", "/proof/cryptosuite"),))


def check_credential(proven: _Proven, holder: str | None, question: _Question) -> Iterator[Finding]:
    """Steps 5, 7 and 8 for one credential: everything that is wrong with it, beside its status."""
    for proof, _ in proven.signed:
        yield from check_validity(proven.credential, proof, question.at)
    yield from check_word(proven, holder, question)
    yield from check_binding(proven, holder, question)


def assurance_of(credential: Credential, question: _Question) -> Assurance:
    """Step 7: whose word a credential can be, by what it says of itself. Whether it is that is for the checks."""
    policy = question.policy
    if policy.holder_types & set(credential.types):
        return Assurance.HOLDER
    if policy.self_asserted is not None and credential.issuer.startswith("did:key:"):
        name, value = policy.self_asserted
        known = any(method.partition("#")[0] == credential.issuer for method in question.trust.by_method)
        if not known and all(subject.get(name) == value for subject in credential.subjects):
            return Assurance.SELF_ASSERTED
    return Assurance.ISSUER


def check_word(proven: _Proven, holder: str | None, question: _Question) -> Iterator[Finding]:
    """Step 7: whoever signed it may say such a thing."""
    match assurance_of(proven.credential, question):
        case Assurance.ISSUER:
            for proof, method in proven.signed:
                yield from check_issuer(proven.credential, proof, method, question.trust)
        case Assurance.HOLDER:
            yield from check_holders_word(proven.credential, holder, question.policy)
        case Assurance.SELF_ASSERTED:
            if "id" not in proven.credential.subjects[0]:  # a key that nobody has to show is nobody's word at all
                yield Finding(
                    "BINDING_TOO_WEAK", "names no key of the worker, whose own word it is", "/credentialSubject"
                )


def check_holders_word(credential: Credential, holder: str | None, policy: Policy) -> Iterator[Finding]:
    """Step 7, for a type that the presenter signs about itself: signed by it, about it, and of that type alone."""
    if holder is None or credential.issuer != holder:
        yield Finding("HOLDER_NOT_ISSUER", "only who shows it may have signed it, and somebody else did", "/issuer")
    if [subject.get("id") for subject in credential.subjects] != [credential.issuer]:
        yield Finding("HOLDER_NOT_SUBJECT", "is not about the one who signed it", "/credentialSubject/id")
    others = set(credential.types) - {"VerifiableCredential"}
    if len(others) != 1 or not others <= policy.holder_types:
        yield Finding("TYPE_NOT_TRUSTED", "says more than a presenter may say of itself", "/type")


def check_validity(credential: Credential, proof: Proof, at: datetime) -> Iterator[Finding]:
    """Step 5: within the credential's and the proof's own dates (vc-data-model-2.0#validity-period)."""
    if credential.valid_from and at + CLOCK_SKEW < credential.valid_from:
        yield Finding("NOT_YET_VALID", f"valid only from {credential.valid_from:%Y-%m-%d}", "/validFrom")
    ends = [end for end in (credential.valid_until, proof.expires) if end is not None]
    if ends and at > min(ends):
        yield Finding("EXPIRED", f"expired on {min(ends):%Y-%m-%d}", "/validUntil")


def check_status(proven: _Proven, question: _Question, open_list: Callable[[str], Opened | VcError]) -> Standing:
    """Step 6: what the status lists of a trusted issuer say of its credential."""
    found = question.trust.find(proven.signed[0][1].id)
    if found is None or "credentialStatus" not in proven.credential.document:
        return NO_STATUS  # who is not in the trust file chooses no lists for us to read: step 7 refuses it anyway
    return read_standing(proven.credential.document, found[0], open_list)


def open_status_list(url: str, question: _Question) -> Opened | VcError:
    """Step 6: the list at ``url`` out of the trust file, verified like any credential; or why it cannot be used."""
    given = question.trust.status_lists.get(url)
    if given is None:
        return unknown_status("a status list that is not held here")
    lists = question.policy.context_lists | {(CREDENTIALS_V2,)}
    try:
        proven = prove(given.credential, replace(question, policy=replace(question.policy, context_lists=lists)))
        statuses = StatusList.parse(given.credential)
    except VcError as error:
        return unusable(f"does not hold ({error.code})")
    (proof, method), document = proven.signed[0], given.credential.document
    found = question.trust.find(method.id)
    if document.get("id") != url:  # else a mirror could hand out one list of an issuer for another
        return unusable("is the list of another place")
    if found is None or not found[1].covers(proof.created or given.credential.valid_from or given.as_of):
        return unusable("is signed by somebody who is not in the trust file")
    if not _fresh(given, proof, question):
        return Undetermined(
            f"the status list is from {given.as_of:%Y-%m-%d}, not from the time asked about",
            "get a trust file with a newer one",
            code="STATUS_STALE",
        )
    return Opened(statuses, found[0])


def _fresh(given: GivenList, proof: Proof, question: _Question) -> bool:
    """Whether the list is neither older than the policy allows, nor from later, nor beyond its own dates."""
    age = question.at - given.as_of
    in_force = not any(check_validity(given.credential, proof, question.at))
    return -CLOCK_SKEW <= age <= question.policy.max_status_age and in_force


def check_issuer(
    credential: Credential,
    proof: Proof,
    method: VerificationMethod,
    trust: Trust,
) -> Iterator[Finding]:
    """Step 7: a trusted issuer, a key within its window, a type that this issuer may attest."""
    found = trust.find(method.id)
    if found is None:
        yield Finding("ISSUER_NOT_TRUSTED", "the issuer is not in the trust file", "/issuer")
        return
    issuer, key = found
    signed = proof.created or credential.valid_from
    if signed is None or not key.covers(signed):
        yield Finding(
            "KEY_OUT_OF_WINDOW", f"signed at a time when this key of {issuer.name} did not count", "/proof/created"
        )
    for name in credential.types:
        if name != "VerifiableCredential" and name not in issuer.may_attest:
            yield Finding("TYPE_NOT_TRUSTED", f"{issuer.name} is not trusted to attest {name[:100]}", "/type")


def check_binding(proven: _Proven, holder: str | None, question: _Question) -> Iterator[Finding]:
    """Step 8: the presenter is the subject, as strongly as the policy asks."""
    if len(proven.credential.subjects) != 1:
        yield Finding(
            "SEVERAL_SUBJECTS",
            "is about several people, so whose claims these are cannot be told",
            "/credentialSubject",
        )
        return
    subject = proven.credential.subjects[0].get("id")
    if subject is not None:
        if subject != holder:
            yield Finding(
                "HOLDER_NOT_SUBJECT", "shown by somebody whom this credential is not about", "/credentialSubject/id"
            )
    elif Binding.POSSESSION not in question.policy.bindings:
        yield Finding(
            "BINDING_TOO_WEAK", "names no key of the worker: anyone with a copy could show it", "/credentialSubject"
        )
    elif holder is None and not all(_bound_by_header(proof, question) for proof, _ in proven.signed):
        yield Finding("CHALLENGE_MISMATCH", "made for another request, not for this one", "/proof/proofValue")


def presentation_header(challenge: str, domain: str) -> bytes:
    """The 32 bytes that bind a bbs-2023 derived proof itself to one request of one verifier (docs/verification.md)."""
    return sha256(canonicalize({"challenge": challenge, "domain": domain})).digest()


def _bound_by_header(proof: Proof, question: _Question) -> bool:
    if proof.cryptosuite != "bbs-2023":
        return False  # other suites sign no header: nothing binds an unsigned presentation to a verifier
    value = bbs_2023.parse_derived_proof_value(proof.value)
    return value.presentation_header == presentation_header(question.challenge, question.domain)


def _verified(proven: _Proven, standing: Standing, question: _Question) -> VerifiedCredential:
    proof, method = proven.signed[0]
    credential = proven.credential
    subject = credential.subjects[0]
    binding = Binding.KEY if "id" in subject else Binding.POSSESSION
    assurance = assurance_of(credential, question)
    found = question.trust.find(method.id) if assurance is Assurance.ISSUER else None
    assert (found is None) == (assurance is not Assurance.ISSUER)  # step 7 has refused every other
    return VerifiedCredential(
        types=credential.types,
        claims={name: value for name, value in subject.items() if name != "id"},
        document=credential.document,
        issuer=found[0] if found else None,
        key=found[1] if found else None,
        suite=suite_of(proof).name,
        binding=binding,
        valid_from=credential.valid_from,
        valid_until=credential.valid_until,
        not_checked=tuple(_not_checked(assurance, binding, standing)),
        notes=standing.notes,
        assurance=assurance,
    )


def _not_checked(assurance: Assurance, binding: Binding, standing: Standing) -> Iterator[str]:
    yield "IDENTITY"
    if assurance is Assurance.HOLDER:
        return
    yield "WITHHELD"
    if assurance is Assurance.SELF_ASSERTED:
        yield "TRUTH"
    if binding is not Binding.KEY:
        yield "SUBJECT"
    if assurance is Assurance.ISSUER and "revocation" not in standing.looked_up:
        yield "REVOCATION"
