"""One true line through the house, in memory: a statement, its credential, a request, an answer, a trust file."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Any

from issuer.copies import Job, sign_copy
from issuer.keyring import KeyRing
from issuer.keys import IssuerKeys, create
from tests.work_samples import CLAIMS
from vc.canon import Json, parse_json, to_json
from vc.keys import Ed25519Key
from vc.model import parse_credential
from vc.oid4vp import Request, parse_request
from vc.trust import Trust, parse_trust
from vc.verify import Verified
from verifier.check import check, policy
from verifier.request import Wanted, build_request
from wallet.choose import Copy, plan
from wallet.keys import HolderKey
from wallet.present import present
from wallet.receive import same_statement
from work import CONTEXTS
from work.statement import Statement
from work.types import TYPES

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
SAMPLES: Mapping[str, Mapping[str, Any]] = CLAIMS


def rand_from(seed: str) -> Callable[[int], bytes]:
    """Bytes that look random and are the same in every run."""
    count = 0

    def rand(length: int) -> bytes:
        nonlocal count
        count += 1
        stream = b"".join(sha256(f"{seed}/{count}/{block}".encode()).digest() for block in range(length // 32 + 1))
        return stream[:length]

    return rand


@cache
def issuer_keys(seed: str = "platform") -> IssuerKeys:
    return create(rand_from(seed))


@cache
def holder_key(seed: str = "worker") -> Ed25519Key:
    return Ed25519Key.from_seed(rand_from(seed)(32))


def entry(own: IssuerKeys, **changes: Any) -> dict[str, Any]:
    """The issuer's entry of a trust file."""
    named = replace(own, name="Example platform", legal_identifier="000 000 001")
    types = (name for kind in TYPES.values() if kind.signer == "issuer" for name in kind.attested)
    made = KeyRing.of(named, secret=bytes(32), at=AT).entry(list(dict.fromkeys(types)), AT)
    return {**made, **changes}


def trust(*entries: dict[str, Any], as_of: str = "2026-11-24T00:00:00Z") -> Trust:
    document = {
        "type": "OuvrageTrust",
        "version": 1,
        "asOf": as_of,
        "issuers": list(entries or (entry(issuer_keys()),)),
        "public": [],
    }
    return parse_trust(json.dumps(document).encode(), contexts=CONTEXTS)


def credential(
    kind: str = "Earnings",
    *,
    keys: IssuerKeys | None = None,
    holder: HolderKey | None = None,
    bound: bool = True,
    at: datetime = AT,
) -> dict[str, Any]:
    """A signed credential as the issuer hands it over."""
    statement = Statement(kind, "worker-1", SAMPLES[kind])
    did = (holder or holder_key()).did if bound else ""
    signed = sign_copy(Job(statement, statement.digest(), did), keys=keys or issuer_keys(), at=at, rand=rand_from(kind))
    value = parse_json(signed.body.encode())
    assert isinstance(value, dict)
    return value


def copy(document: Json) -> Copy:
    parsed = parse_credential(document)
    holder = parsed.subjects[0].get("id")
    assert isinstance(document, dict)
    return Copy(b"0" * 16, document, parsed, same_statement(parsed), holder if isinstance(holder, str) else None, 0)


def request(
    *claims: str, client: str = "lender.example", purpose: str = "credit.consumer.eu", seed: str = "request"
) -> Request:
    """A request; by default for the income threshold that the sample reaches."""
    wanted = [Wanted.parse(claim) for claim in claims or ("Earnings.averageAtLeast12m>=1500",)]
    document = build_request(
        wanted,
        client_id=client,
        purpose=purpose,
        necessity="",
        retention_days=30,
        ask_anyway=True,
        accept_possession=False,
        rand=rand_from(seed),
    )
    return parse_request(to_json(document))


def answer(asked: Request, *documents: Json, key: Ed25519Key | None = None, bound: bool = True) -> dict[str, Any]:
    """What the wallet answers to ``asked`` from its credentials."""
    made = plan(
        unbinding(asked) if not bound else asked,
        [copy(document) for document in documents or (credential(),)],
        contexts=CONTEXTS,
        at=AT,
    )
    assert made.proposals
    return {
        "vp_token": {
            proposal.query.id: [
                present(
                    proposal,
                    request=asked,
                    key=(key or holder_key()) if bound else None,
                    contexts=CONTEXTS,
                    at=AT,
                    rand=rand_from("answer"),
                )
            ]
            for proposal in made.proposals
        }
    }


def unbinding(asked: Request) -> Request:
    """The same request by a verifier that accepts credentials without a key."""
    return replace(asked, queries=tuple(replace(query, holder_binding=False) for query in asked.queries))


@dataclass(frozen=True)
class Shown:
    """One presentation and the request that it answers, ready to be spoilt in one place."""

    request: Request
    answer: dict[str, Any]

    @property
    def presentation(self) -> dict[str, Any]:
        (presentations,) = self.answer["vp_token"].values()
        return dict(presentations[0])


@cache
def _good() -> str:
    return json.dumps(answer(request()))


def good() -> Shown:
    """A perfect answer; a fresh copy each time."""
    return Shown(request(), json.loads(_good()))


def checked(shown: Shown, *, trusted: Trust | None = None, at: datetime = AT, possession: bool = False) -> Verified:
    """The one verified presentation of an answer, or the error."""
    proven = check(
        json.dumps(shown.answer).encode(),
        shown.request,
        trust=trusted or trust(),
        policy=policy(accept_possession=possession),
        at=at,
    )
    ((verified,),) = proven.values()
    return verified
