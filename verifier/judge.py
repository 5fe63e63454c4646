"""From an answer to a report, in one step: offline, and whatever is wrong with it, a report that says so."""

from datetime import datetime

from vc.errors import VcError
from vc.oid4vp import Request
from vc.trust import Trust
from vc.verify import Policy
from verifier.check import check
from verifier.policy import PolicyFile
from verifier.report import Report, build, refused


def judge(
    raw: bytes, request: Request, *, trust: Trust, policy: Policy, at: datetime, rules: PolicyFile | None = None
) -> tuple[Report, VcError | None]:
    """The report on the bytes of an answer, and the error that it tells of, where it is not one of a valid answer.

    ``policy`` says what kind of proof is accepted, ``rules`` what has to be shown.
    """
    try:
        proven = check(raw, request, trust=trust, policy=policy, at=at)
        return build(request, proven, trust=trust, at=at, answer=raw, policy=rules), None
    except VcError as error:
        return refused(request, error, trust=trust, at=at, answer=raw), error
