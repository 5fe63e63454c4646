"""One copy of a statement, signed: the same pure function for the service, for a process pool and for any engine."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from issuer.formats import HAS_STATUS, Format
from issuer.keys import IssuerKeys
from vc.canon import Json, to_json
from vc.did import resolve_method
from vc.disclosure import Outline
from vc.errors import Malformed
from vc.keys import PublicKey
from vc.model import parse_date_time
from vc.sdjwt import issue_copy
from vc.sdjwt_vc import TYP, confirmation, outline_credential
from vc.secure import sign, sign_selective
from vc.status import StatusEntry
from vc.token_status import StatusReference
from work import CONTEXTS
from work.draft import draft
from work.months import valid_until
from work.screened import check_texts
from work.statement import Statement
from work.types import TYPES
from work.validate import check_document
from work.vct import template

MESSAGES = ("clear", "contested")  # of a status with the purpose "message"


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in the issuer's status lists, all of which number their places alike (issuer.statuses)."""

    list: str  # the id of the list
    place: int
    url: str  # of the list; its renderings are below it

    def token(self) -> StatusReference:
        """The place in the Token Status List."""
        return StatusReference(f"{self.url}/token", self.place)

    def entries(self) -> tuple[StatusEntry, ...]:
        """The places in the Bitstring Status Lists, one for each purpose."""
        return (
            StatusEntry(f"{self.url}/revocation", self.place, "revocation"),
            StatusEntry(f"{self.url}/suspension", self.place, "suspension"),
            StatusEntry(f"{self.url}/message", self.place, "message", messages=MESSAGES),
        )


@dataclass(frozen=True, slots=True)
class Job:
    """One copy to sign: a statement, the DID of the key that it is bound to (or an empty text), and its format."""

    statement: Statement
    digest: str
    holder: str
    format: Format = Format.BBS
    slot: Slot | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """One copy that was signed. ``body`` is JSON, or the text of an SD-JWT; ``key`` the method that signed it."""

    job: Job
    valid_until: datetime
    key: str
    body: str


def sign_copy(job: Job, *, keys: IssuerKeys, at: datetime, rand: Callable[[int], bytes]) -> Signed:
    """One credential in the format of the job; eddsa-rdfc-2022 for what a platform says in public.

    Raises :class:`Malformed` where the statement does not fit its schema, a text in it names a person, or a format
    with a status has no place in a list.
    """
    return sign_copies((job,), keys=keys, at=at, rand=rand)[0]


def sign_copies(jobs: Sequence[Job], *, keys: IssuerKeys, at: datetime, rand: Callable[[int], bytes]) -> list[Signed]:
    """:func:`sign_copy` for each; what SD-JWTs of one statement have alike is made once."""
    alike: dict[str, _Alike] = {}
    return [_sign(job, keys, at, rand, alike) for job in jobs]


@dataclass(frozen=True, slots=True)
class _Alike:
    """What the SD-JWTs of one statement have alike."""

    outline: Outline
    valid_until: datetime
    header: Mapping[str, Json]


def _sign(job: Job, keys: IssuerKeys, at: datetime, rand: Callable[[int], bytes], alike: dict[str, _Alike]) -> Signed:
    if job.digest not in alike:
        check_texts(job.statement)
    if TYPES[job.statement.type].about == "platform":
        return _public(job, keys, at)
    if (job.format in HAS_STATUS) != (job.slot is not None):
        raise Malformed("/slot", f"{job.format} credentials have a place in a status list, and no others")
    if job.format is Format.SD_JWT:
        if job.digest not in alike:
            alike[job.digest] = _alike(job.statement, keys, at)
        return _sd_jwt(job, alike[job.digest], keys, rand)
    return _linked_data(job, keys, at, rand)


def _public(job: Job, keys: IssuerKeys, at: datetime) -> Signed:
    drafted = draft(job.statement, issuer=keys.public.did, holder=None, at=at, issuer_name=keys.name)
    check_document(drafted.document)
    secured = sign(drafted.document, key=keys.public, created=_day(at), contexts=CONTEXTS)
    return Signed(job, _end(drafted.document), keys.public.verification_method, to_json(secured).decode("utf-8"))


def _linked_data(job: Job, keys: IssuerKeys, at: datetime, rand: Callable[[int], bytes]) -> Signed:
    key = keys.credentials if job.format is Format.BBS else keys.sd
    drafted = draft(
        job.statement,
        issuer=key.did,
        holder=job.holder or None,
        at=at,
        issuer_name=keys.name,
        statuses=job.slot.entries() if job.slot else (),
    )
    check_document(drafted.document)
    secured = sign_selective(
        drafted.document,
        key=key,
        created=_day(at),
        mandatory=drafted.mandatory,
        contexts=CONTEXTS,
        rand=rand,
    )
    return Signed(job, _end(drafted.document), key.verification_method, to_json(secured).decode("utf-8"))


def _alike(statement: Statement, keys: IssuerKeys, at: datetime) -> _Alike:
    made = template(statement, issuer=keys.jwt.did, holder=None, at=at)
    outline = outline_credential(made.claims, selective=made.selective, decoys=made.decoys)
    header: dict[str, Json] = {"kid": keys.jwt.verification_method}
    if keys.x5c:
        header["x5c"] = list[Json](keys.x5c)
    return _Alike(outline, valid_until(at), header)


def _sd_jwt(job: Job, alike: _Alike, keys: IssuerKeys, rand: Callable[[int], bytes]) -> Signed:
    own: dict[str, Json] = {}
    if job.holder:
        own["cnf"] = confirmation(holder_key(job.holder))
    if job.slot:
        own["status"] = job.slot.token().to_json()
    body = issue_copy(alike.outline, own, key=keys.jwt, typ=TYP, rand=rand, header=alike.header)
    return Signed(job, alike.valid_until, keys.jwt.verification_method, body)


def holder_key(did: str) -> PublicKey:
    """The key of a did:key or did:jwk. Raises :class:`Malformed` or :class:`Unsupported`."""
    fragment = "0" if did.startswith("did:jwk:") else did.rpartition(":")[2]
    return resolve_method(f"{did}#{fragment}").public


def _end(document: Mapping[str, Json]) -> datetime:
    return parse_date_time(document["validUntil"], where="/validUntil")


def _day(at: datetime) -> datetime:
    """The day of ``at``: a finer time would tell copies of one batch apart."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)
