"""Checking an answer from Python, in three lines (docs/verifier-api.md)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from vc.io.files import read_bounded
from vc.oid4vp import parse_request
from vc.trust import Trust
from verifier.check import policy as proofs
from verifier.judge import judge
from verifier.policy import PolicyFile
from verifier.policy_command import require_purpose
from verifier.report import Report
from verifier.trust_store import load

MAX_ANSWER: Final = 1 << 20  # sixteen credentials with every claim shown are under 200 KB
MAX_REQUEST: Final = 1 << 18


def check_answer(
    answer: bytes | Path,
    request: bytes | Path,
    *,
    trust: Trust | Path,
    policy: PolicyFile | None = None,
    at: datetime | None = None,
    accept_possession: bool = False,
    accept_self_asserted: bool = False,
) -> Report:
    """The report on an answer to a request that we made, as of now or ``at``. Nothing is fetched and nothing is kept.

    With a ``policy`` (verifier.policy.parse_policy) the report says in ``decision`` whether what is proven meets it.
    ``report.verdict`` is ``valid``, ``refused`` or ``undetermined``; what an answer proves is in ``report.proven``, and
    nowhere else. Raises :class:`vc.errors.VcError` where the request, the trust file or a file cannot be read.
    """
    asked = parse_request(_bytes(request, MAX_REQUEST), own=True)
    if policy is not None:
        require_purpose(policy, asked)
    accepted = proofs(accept_possession=accept_possession, accept_self_asserted=accept_self_asserted)
    known = trust if isinstance(trust, Trust) else load(trust)
    moment = at or datetime.now(UTC)
    return judge(_bytes(answer, MAX_ANSWER), asked, trust=known, policy=accepted, rules=policy, at=moment)[0]


def _bytes(source: bytes | Path, limit: int) -> bytes:
    return source if isinstance(source, bytes) else read_bounded(source, limit=limit)
