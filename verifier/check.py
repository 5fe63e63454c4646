"""Checking an answer: every presentation verified, offline, for exactly the request that it answers."""

from collections.abc import Mapping
from datetime import datetime

from vc.errors import Finding, Rejected
from vc.oid4vp import CredentialQuery, Request, parse_answer
from vc.trust import Trust
from vc.verify import Binding, Policy, Verified, verify_presentation
from verifier.request import CONTEXT_LISTS, SUITES


def policy(*, accept_possession: bool) -> Policy:
    """What this verifier accepts: a key that signs, and by name also mere possession of a worker's copy."""
    bindings = frozenset({Binding.KEY, Binding.POSSESSION}) if accept_possession else frozenset({Binding.KEY})
    return Policy(context_lists=CONTEXT_LISTS, suites=frozenset(SUITES), bindings=bindings)


def check(raw: bytes, request: Request, *, trust: Trust, policy: Policy, at: datetime) -> Mapping[str, Verified]:
    """What each presentation of an answer proves, by credential query.

    Raises the first error of a presentation, or :class:`Rejected` where one answers another question.
    """
    queries = {query.id: query for query in request.queries}
    proven: dict[str, Verified] = {}
    for name, presentations in parse_answer(raw, request).items():
        for presented in presentations:
            verified = verify_presentation(
                presented, challenge=request.nonce, domain=request.client_id, trust=trust, policy=policy, at=at
            )
            _check_answers(queries[name], verified)
            proven[name] = verified
    return proven


def _check_answers(query: CredentialQuery, verified: Verified) -> None:
    """Step 9: one credential, of a type that was asked for. What it shows of the claims is for the report to say."""
    if len(verified.credentials) != 1:
        raise Rejected((Finding("NOT_WHAT_WAS_ASKED", "answers one question with several credentials", "/vp_token"),))
    types = {name.rpartition("#")[2] for wanted in query.types for name in wanted}
    if not types & (set(verified.credentials[0].types) - {"VerifiableCredential"}):
        raise Rejected((Finding("NOT_WHAT_WAS_ASKED", "answers with another kind of credential", "/vp_token"),))
