"""The request that a policy leads to: it asks for what the policy needs, and for nothing else."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from vc.canon import Json
from vc.oid4vp import ClaimQuery, credential_query, sd_jwt_query
from verifier.policy import PolicyFile, Requirement
from verifier.request import envelope
from work.contexts import URL
from work.ladders import rung
from work.purposes import PURPOSES
from work.subject import path_of
from work.types import Claim, StatementType
from work.vct import claims_path

_ALTERNATIVES: Final = 12  # steps of one ladder that a request offers; the longest ladder has as many


def policy_request(
    policy: PolicyFile,
    *,
    client_id: str,
    necessity: str,
    retention_days: int | None,
    sd_jwt: bool,
    rand: Callable[[int], bytes],
) -> dict[str, Json]:
    """The request as JSON (OID4VP §5.1). What adds up may be answered by several platforms' credentials (§6.1), each
    with the highest step that is needed and reached (§6.4.1)."""
    return envelope(
        [_query(name, group, sd_jwt=sd_jwt) for name, group in _grouped(policy)],
        client_id=client_id,
        pack=PURPOSES[policy.purpose],
        necessity=necessity,
        days=retention_days,
        rand=rand,
    )


def _grouped(policy: PolicyFile) -> Iterator[tuple[str, list[Requirement]]]:
    """Requirements that one credential can meet, under the id of their query; what adds up stands alone."""
    groups: dict[str, list[Requirement]] = {}
    for number, one in enumerate(policy.requirements):
        name = f"{one.type.name}-{number}" if one.add_up else one.type.name
        groups.setdefault(name, []).append(one)
    yield from groups.items()


def _query(name: str, group: Sequence[Requirement], *, sd_jwt: bool) -> dict[str, Json]:
    kind, first = group[0].type, group[0]
    path = claims_path if sd_jwt else path_of
    beside = {name: ClaimQuery(name, path(claim), ()) for name, claim in _beside(kind, group)}
    steps = list(_steps(first)) if first.add_up and first.claim and first.claim.ladder else []
    if steps and first.claim:
        asked = [ClaimQuery(f"{first.claim.name}-{step}", path(first.claim), (rung(step),)) for step in steps]
        sets = [[one.id, *beside] for one in asked]
    else:
        asked, sets = [_ask(one, path(one.claim)) for one in group if one.claim], []
    claims = list({one.id: one for one in (*asked, *beside.values())}.values())
    if sd_jwt:
        return sd_jwt_query(name, [kind.vct], claims, sets, multiple=first.add_up)
    return credential_query(name, [f"{URL}#{kind.name}Credential"], claims, sets, multiple=first.add_up)


def _ask(one: Requirement, path: tuple[str | int | None, ...]) -> ClaimQuery:
    claim = one.claim
    assert claim is not None
    if one.at_least is None or not claim.ladder:
        return ClaimQuery(claim.name, path, ())
    step = min(step for step in claim.ladder if step >= one.at_least)
    return ClaimQuery(f"{claim.name}-{step}", path, (rung(step),))


def _steps(one: Requirement) -> Iterator[int]:
    """The steps that can help, the highest first: none above the lowest that would be enough alone."""
    assert one.claim is not None
    assert one.at_least is not None
    ladder = sorted(one.claim.ladder)
    enough = next((step for step in ladder if step >= one.at_least), ladder[-1])
    yield from [step for step in reversed(ladder) if step <= enough][:_ALTERNATIVES]


def _beside(kind: StatementType, group: Sequence[Requirement]) -> Iterator[tuple[str, Claim]]:
    """What has to be seen to read the rest; what is always shown needs no asking."""
    names = dict.fromkeys(name for one in group for name in one.where)
    needed = dict.fromkeys(name for one in group if one.claim for name in one.claim.needs)
    yield from ((name, kind.claims[name]) for name in (*names, *needed) if not kind.claims[name].mandatory)
