"""Asking: a purpose and claims become an OpenID4VP request."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from vc.canon import Json
from vc.errors import Finding, Malformed, Rejected, Unsupported
from vc.jose import ALGORITHMS
from vc.multibase import encode_base64url
from vc.oid4vp import LDP_VC, SD_JWT_VC, ClaimPath, ClaimQuery, credential_query, sd_jwt_query
from work.contexts import URL
from work.ladders import rung
from work.purposes import PURPOSES, Judgement, Purpose, judge
from work.subject import path_of
from work.types import TYPES, Claim, StatementType
from work.vct import claims_path

NONCE_LENGTH: Final = 24  # bytes: nobody guesses one, and no two requests share one
MAX_CLAIMS: Final = 32

SUITES: Final = (  # that this verifier checks, those first that reveal least
    "bbs-2023",
    "ecdsa-sd-2023",
    "eddsa-rdfc-2022",
    "eddsa-jcs-2022",
    "ecdsa-rdfc-2019",
    "ecdsa-jcs-2019",
)
CONTEXT_LISTS: Final = frozenset(kind.contexts for kind in TYPES.values())  # the words that our statements are made of

_CLAIM: Final = re.compile(r"(?P<type>[A-Za-z]+)(?:\.(?P<claim>[A-Za-z0-9]+)(?:>=(?P<least>[0-9]{1,6}))?)?\Z")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that is asked for: a statement, or one claim of it, or one rung of a ladder."""

    type: StatementType
    claim: Claim | None
    least: int | None

    @classmethod
    def parse(cls, text: str) -> "Wanted":
        """``Rating``, ``WorkHistory.jobsCompleted`` or ``Earnings.averageAtLeast12m>=1500``. Raises an error that says
        what could be asked instead."""
        match = _CLAIM.match(text)
        if match is None:
            raise Malformed(f"--claim {text[:80]}", "write TYPE, TYPE.claim or TYPE.ladder>=NUMBER", code="BAD_CLAIM")
        kind = _type(match["type"])
        if match["claim"] is None:
            return cls(kind, None, None)
        claim = kind.claims.get(match["claim"])
        if claim is None:
            raise Unsupported(
                "claim", f"{match['claim']}; {kind.name} has {', '.join(kind.claims)}", code="UNKNOWN_CLAIM"
            )
        return cls(kind, claim, _least(claim, match["least"]))


def _type(name: str) -> StatementType:
    kind = TYPES.get(name)
    if kind is None or kind.about != "worker" or kind.signer == "worker":  # a reply comes with what it answers
        known = ", ".join(each.name for each in TYPES.values() if (each.about, each.signer) == ("worker", "issuer"))
        raise Unsupported("statement type", f"{name}; known are {known}", code="UNKNOWN_TYPE")
    return kind


def _least(claim: Claim, text: str | None) -> int | None:
    if not claim.ladder:
        if text is not None:
            raise Malformed(f"--claim {claim.name}", "is not a ladder: ask for it without >=", code="BAD_CLAIM")
        return None
    if text is None or int(text) not in claim.ladder:
        rungs = ", ".join(map(str, claim.ladder))
        raise Malformed(f"--claim {claim.name}", f"is a ladder: add >= and one of {rungs}", code="BAD_CLAIM")
    return int(text)


def build_request(
    wanted: Sequence[Wanted],
    *,
    client_id: str,
    purpose: str,
    necessity: str,
    retention_days: int | None,
    ask_anyway: bool,
    accept_possession: bool,
    sd_jwt: bool = False,
    rand: Callable[[int], bytes],
) -> dict[str, Json]:
    """The request as JSON (OID4VP §5.1), with the purpose and the retention that the verifier commits to; for SD-JWT
    VCs where ``sd_jwt`` says so.

    Raises :class:`Rejected` for a claim that the purpose must never ask for, unless ``ask_anyway``.
    """
    if not 0 < len(wanted) <= MAX_CLAIMS:
        raise Malformed("--claim", f"ask for 1 to {MAX_CLAIMS} claims", code="BAD_CLAIM")
    pack = PURPOSES.get(purpose)
    if pack is None:
        raise Unsupported("purpose", f"{purpose}; known are {', '.join(PURPOSES)}", code="UNKNOWN_PURPOSE")
    never = [_name(one) for one in wanted if judge(pack, one.type.name, _claim_name(one)) is Judgement.never]
    if never and not ask_anyway:
        raise Rejected(
            tuple(Finding("NEVER_ASK", f"{name} must not be asked for {purpose}", "--claim") for name in never)
        )
    queries = _queries(wanted, holder_binding=not accept_possession, sd_jwt=sd_jwt)
    return envelope(queries, client_id=client_id, pack=pack, necessity=necessity, days=retention_days, rand=rand)


def envelope(
    queries: Sequence[Json],
    *,
    client_id: str,
    pack: Purpose,
    necessity: str,
    days: int | None,
    rand: Callable[[int], bytes],
) -> dict[str, Json]:
    """A request around credential queries: who asks, for what purpose, and how long the answer is kept."""
    return {
        "response_type": "vp_token",
        "client_id": client_id,
        "nonce": encode_base64url(rand(NONCE_LENGTH)),
        "dcql_query": {"credentials": list(queries)},
        "client_metadata": {
            "vp_formats_supported": {
                LDP_VC: {
                    "proof_type_values": ["DataIntegrityProof"],
                    "cryptosuite_values": list(SUITES),
                },
                SD_JWT_VC: {"sd-jwt_alg_values": list(ALGORITHMS), "kb-jwt_alg_values": list(ALGORITHMS)},
            }
        },
        "purpose": {
            "code": pack.code,
            "necessity": necessity,
            "retentionDays": pack.retention_days if days is None else days,
        },
    }


def _queries(wanted: Sequence[Wanted], *, holder_binding: bool, sd_jwt: bool) -> list[Json]:
    by_type: dict[str, list[Wanted]] = {}
    for one in wanted:
        by_type.setdefault(one.type.name, []).append(one)
    queries: list[Json] = []
    for name, group in by_type.items():
        path = claims_path if sd_jwt else path_of
        claims = [_query(one, path(one.claim)) for one in _complete(group) if one.claim]
        if sd_jwt:
            queries.append(
                sd_jwt_query(name, [TYPES[name].vct], claims)
            )  # without its key, nothing would bind it to us
        else:
            queries.append(credential_query(name, [f"{URL}#{name}Credential"], claims, holder_binding=holder_binding))
    return queries


def _complete(group: Sequence[Wanted]) -> list[Wanted]:
    """The claims that are wanted of one statement, and those without which one of them says nothing."""
    asked = {one.claim.name for one in group if one.claim}
    needed = dict.fromkeys(name for one in group if one.claim for name in one.claim.needs if name not in asked)
    return [*group, *(Wanted(group[0].type, group[0].type.claims[name], None) for name in needed)]


def _query(wanted: Wanted, path: ClaimPath) -> ClaimQuery:
    claim = wanted.claim
    assert claim is not None
    values = () if wanted.least is None else (rung(wanted.least),)
    suffix = "" if wanted.least is None else f"-{wanted.least}"
    return ClaimQuery(f"{claim.name}{suffix}", path, values)


def _name(wanted: Wanted) -> str:
    return f"{wanted.type.name}.{wanted.claim.name}" if wanted.claim else wanted.type.name


def _claim_name(wanted: Wanted) -> str:
    return wanted.claim.name if wanted.claim else ""
