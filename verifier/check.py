"""Checking an answer: every presentation verified, offline, for exactly the request that it answers."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from vc.canon import Json
from vc.errors import Finding, Rejected, VcError
from vc.oid4vp import SD_JWT_VC, CredentialQuery, Request, parse_answer
from vc.trust import Trust
from vc.verify import Assurance, Binding, Policy, Verified, VerifiedCredential, verify_presentation
from verifier.request import CONTEXT_LISTS, SUITES
from verifier.sdjwt import verify_sd_jwt
from work.reply import about_digest
from work.statement import SourceMethod
from work.subject import read_claims
from work.types import ANSWERS, TYPES
from work.validate import check_document, credential_kind

ANSWER_TYPES: Final = frozenset(TYPES[name].credential_type for name in ANSWERS)
SELF_ASSERTED: Final = ("sourceMethod", SourceMethod.workerImportUnverified.value)


def policy(*, accept_possession: bool, accept_self_asserted: bool = False) -> Policy:
    """What this verifier accepts: a key that signs, and the worker's reply to what it shows.

    By name also mere possession of a worker's copy, and what a worker imported and nobody has confirmed.
    """
    bindings = frozenset({Binding.KEY, Binding.POSSESSION}) if accept_possession else frozenset({Binding.KEY})
    return Policy(
        context_lists=CONTEXT_LISTS,
        suites=frozenset(SUITES),
        bindings=bindings,
        holder_types=ANSWER_TYPES,
        self_asserted=SELF_ASSERTED if accept_self_asserted else None,
    )


def check(
    raw: bytes, request: Request, *, trust: Trust, policy: Policy, at: datetime
) -> Mapping[str, tuple[Verified, ...]]:
    """What each presentation of an answer proves, by credential query; several where the query takes several.

    Each holds one credential of the type that was asked for, and whatever the worker says to it.
    Raises the first error of a presentation, or :class:`Rejected` where one answers another question.
    """
    queries = {query.id: query for query in request.queries}
    return {
        name: tuple(
            _check_one(presented, queries[name], request, trust=trust, policy=policy, at=at)
            for presented in presentations
        )
        for name, presentations in parse_answer(raw, request).items()
    }


def _check_one(
    presented: Json, query: CredentialQuery, request: Request, *, trust: Trust, policy: Policy, at: datetime
) -> Verified:
    if query.format == SD_JWT_VC:
        return verify_sd_jwt(presented, query, request, trust=trust, policy=policy, at=at)
    verified = verify_presentation(
        presented, challenge=request.nonce, domain=request.client_id, trust=trust, policy=policy, at=at
    )
    _check_answers(query, verified)
    return verified


def split(verified: Verified) -> tuple[tuple[VerifiedCredential, ...], tuple[VerifiedCredential, ...]]:
    """What a presentation shows, and what the worker says to it."""
    own = tuple(one for one in verified.credentials if one.assurance is Assurance.HOLDER)
    return tuple(one for one in verified.credentials if one.assurance is not Assurance.HOLDER), own


def _check_answers(query: CredentialQuery, verified: Verified) -> None:
    """Step 9: one credential, of a type that was asked for. What it shows of the claims is for the report to say."""
    shown, said = split(verified)
    if len(shown) != 1:
        raise Rejected(
            (Finding("NOT_WHAT_WAS_ASKED", "answers one question with several credentials, or with none", "/vp_token"),)
        )
    types = set(shown[0].types) - {"VerifiableCredential"}
    asked = {name.rpartition("#")[2] for wanted in query.types for name in wanted}
    # An issuer is trusted for each of its types; whom nobody vouches for does not mix them.
    alone = shown[0].assurance is Assurance.ISSUER or _is_one_kind(shown[0])
    if not types & asked or not alone:
        raise Rejected((Finding("NOT_WHAT_WAS_ASKED", "answers with another kind of credential", "/vp_token"),))
    findings = tuple(_check_said(shown[0], said))
    if findings:
        raise Rejected(findings)


def _is_one_kind(shown: VerifiedCredential) -> bool:
    try:
        credential_kind(shown.document)
    except VcError:
        return False
    return True


def _check_said(shown: VerifiedCredential, said: Sequence[VerifiedCredential]) -> Iterator[Finding]:
    """Each reply and each dispute is about what is shown, complete, without more in it, and the only one."""
    expected = _about(shown)
    kinds = [kind for one in said for kind in one.types if kind in ANSWER_TYPES]
    if len(set(kinds)) != len(kinds):
        yield Finding("REPLY_REPEATED", "says the same kind of thing to one statement twice", "/vp_token")
    for one in said:
        try:
            check_document(one.document)
        except VcError as error:
            yield Finding("REPLY_MALFORMED", f"a reply that is not as it has to be ({error.code})", "/vp_token")
            continue
        if one.claims.get("about") != expected:
            yield Finding("REPLY_UNBOUND", "a reply to another statement than the one shown", "/vp_token")


def _about(shown: VerifiedCredential) -> str | None:
    """What a reply to it has to say that it is about; nothing where no reply could."""
    try:
        kind = credential_kind(shown.document)
        return about_digest(kind.name, shown.did, read_claims(kind, shown.claims)[0])
    except VcError:
        return None
