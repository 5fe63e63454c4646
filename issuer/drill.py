"""Before a key is rotated or killed: which credentials would change verdict, when, and what verifiers would say.

Nothing is assumed. What verifiers would hold before and after is made into two trust files, and each group of alike
credentials is judged with both by the functions that verification itself consists of.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

import sqlalchemy as sa

from issuer.formats import Format
from issuer.keyring import KeyRing
from issuer.ringkeys import DAY
from issuer.tables import CREDENTIAL
from vc.canon import Json, to_json
from vc.documents import resolve
from vc.errors import Finding, Rejected, VcError
from vc.jose import Jws
from vc.model import Credential, Proof, format_date_time, parse_date_time
from vc.proof import ASSERTION
from vc.sdjwt_issuer import KnownIssuers, find_known
from vc.trust import Trust, parse_trust
from vc.verify import Policy, check_issuer
from work import CONTEXTS
from work.types import TYPES

VALID: Final = "valid"
MAX_TRUST_AGE: Final = Policy(context_lists=frozenset()).max_trust_age  # of a verifier's trust file
_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Alike:
    """Valid credentials that no verifier can judge differently as far as their key goes."""

    type: str
    format: str
    key: str  # the verification method
    day: datetime  # that they state as their day of signing
    valid_until: datetime
    credentials: int


@dataclass(frozen=True, slots=True)
class Change:
    """What would become of alike credentials, and from when on, at a verifier that knows of it."""

    alike: Alike
    before: str  # ``valid``, or the code of an error
    after: str
    at: datetime

    def to_json(self) -> dict[str, Json]:
        """For ``--json``."""
        return {
            "type": self.alike.type,
            "format": self.alike.format,
            "key": self.alike.key,
            "signed": format_date_time(self.alike.day),
            "validUntil": format_date_time(self.alike.valid_until),
            "credentials": self.alike.credentials,
            "before": self.before,
            "after": self.after,
            "from": format_date_time(self.at),
        }


@dataclass(frozen=True, slots=True)
class Forecast:
    """All that would change; ``latest`` is when the last verifier knows, whose trust file is too old by then."""

    valid: int  # credentials that are valid now, changed or not
    changes: tuple[Change, ...]
    workers: int
    latest: datetime

    @property
    def credentials(self) -> int:
        """How many credentials would change verdict."""
        return sum(change.alike.credentials for change in self.changes)


def forecast(connection: sa.Connection, before: KeyRing, after: KeyRing, *, types: list[str], at: datetime) -> Forecast:
    """What changes when the keys become ``after``, for the credentials that are valid at a moment."""
    alike = list(_alike(connection, at))
    moments = _moments(alike, after, at)
    held = [(moment, _trust(before, types, moment), _trust(after, types, moment)) for moment in moments]
    changes = tuple(change for each in alike if (change := _change(each, held)) is not None)
    valid = sum(each.credentials for each in alike)
    return Forecast(valid, changes, _workers(connection, changes, at), at + MAX_TRUST_AGE)


def _alike(connection: sa.Connection, at: datetime) -> Iterator[Alike]:
    row = CREDENTIAL.c
    day = (row.signed_at - row.signed_at % _SECONDS).label("day")
    like = (row.type, row.format, row.key, day, row.valid_until)
    query = sa.select(*like, sa.func.count()).where(row.valid_until >= format_date_time(at)).group_by(*like)
    for kind, form, key, seconds, until, count in connection.execute(query.order_by(*like)):
        end = parse_date_time(until, where="valid_until")
        yield Alike(kind, form, key, datetime.fromtimestamp(seconds, UTC), end, count)


def _moments(alike: list[Alike], after: KeyRing, at: datetime) -> list[datetime]:
    """The moments around which a verdict can change, as long as one of the credentials is valid."""
    edges = [edge for key in after.keys for edge in (key.signs_from, key.signs_until, key.verifies_until) if edge]
    ends = {each.valid_until for each in alike}
    last = max(ends, default=at)
    around = {moment for edge in edges for moment in (edge, edge + DAY) if at < moment <= last}
    return sorted({at, *around, *ends})


def _trust(ring: KeyRing, types: list[str], at: datetime) -> Trust:
    """What a verifier holds that took the issuer's entry at a moment."""
    entry = {
        "name": "issuer",
        "legalIdentifier": "issuer",
    }
    document: dict[str, Json] = {
        "type": "OuvrageTrust",
        "version": 1,
        "asOf": format_date_time(at.replace(microsecond=0)),
        "issuers": [{**ring.entry(types, at), **entry}],
        "documents": ring.documents(at),
    }
    return parse_trust(to_json(document), contexts=CONTEXTS)


def _change(alike: Alike, held: list[tuple[datetime, Trust, Trust]]) -> Change | None:
    for moment, old, new in held:
        if moment <= alike.valid_until:
            before, after = verdict(alike, old, moment), verdict(alike, new, moment)
            if before != after:
                return Change(alike, before, after, moment)
    return None


def verdict(alike: Alike, trust: Trust, at: datetime) -> str:
    """What a verifier says of whoever signed: ``valid``, or the code of the error (docs/verification.md, 3 and 7)."""
    judge = _judge_sd_jwt if alike.format == Format.SD_JWT else _judge_linked_data
    try:
        judge(alike, trust, at)
    except VcError as error:
        return error.code
    return VALID


def _judge_linked_data(alike: Alike, trust: Trust, at: datetime) -> None:
    method = resolve(alike.key, documents=trust.documents, purpose=ASSERTION, at=at, signed=alike.day)
    kind = TYPES[alike.type]
    credential = Credential({}, kind.types, method.controller, ({},), alike.day, alike.valid_until, ())
    proof = Proof({}, "", "DataIntegrityProof", alike.format, method.id, ASSERTION, None, (), None, (), alike.day, None)
    findings = tuple(check_issuer(credential, proof, method, trust))
    if findings:
        raise Rejected(findings)


def _judge_sd_jwt(alike: Alike, trust: Trust, at: datetime) -> None:
    jws = Jws("", MappingProxyType({"kid": alike.key}), "ES256", b"", b"")
    payload: dict[str, Json] = {"iss": alike.key.partition("#")[0], "iat": int(alike.day.timestamp())}
    issuer = find_known(KnownIssuers(trust), at)(jws, payload)
    if TYPES[alike.type].vct not in issuer.may_attest:
        raise Rejected((Finding("TYPE_NOT_TRUSTED", "the issuer is not trusted to attest this", "/vct"),))


def _workers(connection: sa.Connection, changes: tuple[Change, ...], at: datetime) -> int:
    """How many workers the changes concern, each counted once."""
    row = CREDENTIAL.c
    if not changes:
        return 0
    days = [int(change.alike.day.timestamp()) for change in changes]
    query = sa.select(sa.func.count(row.worker.distinct())).where(
        row.key.in_({change.alike.key for change in changes}),
        row.type.in_({change.alike.type for change in changes}),
        row.format.in_({change.alike.format for change in changes}),
        row.signed_at.between(min(days), max(days) + _SECONDS - 1),
        row.valid_until >= format_date_time(at),
    )
    return int(connection.execute(query).scalar_one())
