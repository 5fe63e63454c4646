"""What a rating is to be read against: what its platform says, in public, of how its ratings are spread.

Such statements travel with the trust file and are signed like any other. A rating points to one by a digest, so that
nothing can be slipped under it; one that does not verify is set aside, and the report says so.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from vc.did import VerificationMethod
from vc.errors import Finding, Malformed, Rejected, VcError
from vc.model import Credential, Proof
from vc.proof import ASSERTION, suite_of, verify_all
from vc.trust import Trust, TrustedIssuer
from vc.verify import Policy, check_contexts, check_issuer, check_validity
from verifier.request import CONTEXT_LISTS
from verifier.trust_store import among
from work.draft import visible
from work.statement import Statement, context_digest
from work.types import TYPES

_POLICY: Final = Policy(context_lists=CONTEXT_LISTS)
_TYPES: Final = frozenset({"VerifiableCredential", TYPES["RatingContext"].credential_type})


@dataclass(frozen=True, slots=True)
class Reference:
    """A verified RatingContext and who vouches for it."""

    issuer: TrustedIssuer
    statement: Statement


@dataclass(frozen=True, slots=True)
class SetAside:
    """A public statement that did not verify. ``issuer`` is empty where the trust file does not know the signer."""

    issuer: str
    code: str


@dataclass(frozen=True, slots=True)
class References:
    """What ratings point to, by digest, and what had to be left out."""

    by_digest: dict[str, Reference]
    set_aside: tuple[SetAside, ...]


def find_references(
    trust: Trust,
    *,
    digests: AbstractSet[str],
    issuers: AbstractSet[TrustedIssuer],
    at: datetime,
) -> References:
    """The public statements that ``digests`` name, verified as of ``at``, out of those in the trust file.

    Looked at is what bears such a digest or the signature of one of ``issuers``: a trust file may hold thousands, and
    each costs a verification.
    """
    found: dict[str, Reference] = {}
    set_aside: list[SetAside] = []
    for credential in among(trust, digests=digests, issuers=issuers):
        signer = _signer(credential, trust)
        if digest_of(credential) not in digests and signer not in issuers:
            continue
        try:
            reference = verify_reference(credential, trust=trust, at=at)
        except VcError as error:
            set_aside.append(SetAside(signer.name if signer else "", error.code))
        else:
            found[context_digest(reference.statement)] = reference
    return References(found, tuple(dict.fromkeys(set_aside)))


def verify_reference(credential: Credential, *, trust: Trust, at: datetime) -> Reference:
    """A RatingContext credential whose proofs hold, by an issuer that may attest it, valid at ``at``.

    Raises :class:`Malformed`, :class:`Unsupported`, or :class:`Rejected` with every finding.
    """
    if set(credential.types) != _TYPES:
        raise Malformed("/type", "not a public statement on ratings", code="BAD_TYPE")
    check_contexts(credential.document, _POLICY)
    for proof in credential.proofs:
        if suite_of(proof).name not in _POLICY.suites:
            raise Rejected((Finding("SUITE_NOT_ALLOWED", "signed in a way that is not accepted here", "/proof"),))
    methods = verify_all(credential.document, credential.proofs, purpose=ASSERTION, contexts=trust.contexts)
    signed = tuple(zip(credential.proofs, methods, strict=True))
    findings = tuple(finding for proof, method in signed for finding in _check(credential, proof, method, trust, at))
    if findings:
        raise Rejected(findings)
    found = trust.find(methods[0].id)
    assert found is not None  # check_issuer has refused every other
    return Reference(found[0], _statement(credential))


def _check(
    credential: Credential, proof: Proof, method: VerificationMethod, trust: Trust, at: datetime
) -> Iterator[Finding]:
    if method.controller != credential.issuer:
        yield Finding("METHOD_NOT_ISSUERS", "signed by a key that is not the issuer's", "/issuer")
    if [subject.get("id") for subject in credential.subjects] != [credential.issuer]:
        yield Finding("SUBJECT_NOT_ISSUER", "is not about the one who signed it", "/credentialSubject/id")
    yield from check_validity(credential, proof, at)
    if (
        "credentialStatus" in credential.document
    ):  # what is public is replaced, not revoked: no list is looked up for it
        yield Finding("STATUS_UNKNOWN", "names a status list, which public statements do not have", "/credentialStatus")
    yield from check_issuer(credential, proof, method, trust)


def _statement(credential: Credential) -> Statement:
    subject = visible({"credentialSubject": dict(credential.subjects[0])})["credentialSubject"]
    assert isinstance(subject, dict)
    claims = {name: value for name, value in subject.items() if name != "id"}
    return Statement.parse({"type": "RatingContext", "worker": "", "claims": claims})


def digest_of(credential: Credential) -> str:
    """The digest that a rating would name it by; empty where it is no RatingContext at all."""
    try:
        return context_digest(_statement(credential))
    except VcError:
        return ""


def _signer(credential: Credential, trust: Trust) -> TrustedIssuer | None:
    """Who claims to have signed: for choosing what to verify, not as an answer."""
    for proof in credential.proofs:
        found = trust.find(proof.verification_method)
        if found is not None:
            return found[0]
    return None
