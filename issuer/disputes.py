"""Disputes: a worker says that a statement is wrong, and every copy of it says so at once, until there is an outcome.

The outcomes are those of a DisputeOutcome (work.types). ``upheld`` and ``withdrawn`` end the mark and leave the
copies; ``corrected`` and ``removed`` withdraw what was wrong.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from issuer import events
from issuer.statuses import lock
from issuer.tables import CREDENTIAL, DISPUTE, STATEMENT, STATUS_ENTRY
from issuer.tickets import spend
from issuer.withdrawals import Act, dataset_places, drop_statements, mark_places, set_marks, worker_datasets
from vc.canon import Json, Limits, parse_object
from vc.errors import Finding, Malformed, Rejected
from vc.model import Credential, parse_credential
from vc.multibase import encode_base64url
from vc.secure import verify_proofs
from vc.verify import CLOCK_SKEW
from work import CONTEXTS
from work.reply import about_digest
from work.statement import Statement
from work.subject import read_claims
from work.types import TYPES
from work.validate import check_document

OUTCOMES: Final = tuple(TYPES["DisputeOutcome"].claims["outcome"].words)
WRONG: Final = frozenset({"corrected", "removed"})  # the outcomes that say that the statement was wrong
GROUNDS: Final = TYPES["Dispute"].claims["ground"].words
MAX_DISPUTE: Final = Limits(size=1 << 15, depth=16)  # 1 000 characters of text, 32 digests, and what is around them
MAX_COPIES: Final = 64  # statements that one key may have copies of, and that are looked through for the disputed one
MAX_UNDER_WAY: Final = 100  # disputes of one worker at one time
MAX_REASON: Final = 1200  # characters: the ground and the worker's own words

Rand = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Disputed:
    """What is disputed: a worker's dataset, and the statement that says it now."""

    worker: str
    type: str
    dataset: str
    digest: str
    about: str | None = None


def open_dispute(connection: sa.Connection, disputed: Disputed, *, reason: str, now: int, rand: Rand) -> str:
    """The id of the dispute of a dataset, opened now where there is none under way: every copy says so from here on.

    Raises :class:`Rejected` where one worker has too many under way.
    """
    lock(connection, "dispute", disputed.worker)  # of two who object at the same time, one opens it
    under_way = (DISPUTE.c.worker == disputed.worker, DISPUTE.c.closed.is_(None))
    held = {row.dataset: row.id for row in connection.execute(sa.select(DISPUTE).where(*under_way))}
    if disputed.dataset in held:
        return str(held[disputed.dataset])
    if len(held) >= MAX_UNDER_WAY:
        raise _refused("TOO_MANY_DISPUTES", f"{MAX_UNDER_WAY} disputes wait for an outcome already")
    made = encode_base64url(rand(12))
    connection.execute(
        DISPUTE.insert().values(
            id=made,
            worker=disputed.worker,
            type=disputed.type,
            dataset=disputed.dataset,
            digest=disputed.digest,
            about=disputed.about,
            opened=now,
            reason=reason[:MAX_REASON],
        )
    )
    places = dataset_places(disputed.dataset, [disputed.digest])
    copies = set_marks(connection, STATUS_ENTRY.c.contested, places, value=True, now=now)
    body: dict[str, Json] = {"dispute": made, "type": disputed.type, "dataset": disputed.dataset, "copies": copies}
    events.note(connection, events.Kind.DISPUTE_OPENED, disputed.worker, body, now=now)
    return made


def close_dispute(connection: sa.Connection, dispute: str, outcome: str, *, now: int) -> int:
    """End a dispute; how many copies were withdrawn.

    ``corrected`` withdraws the copies of what was disputed and leaves those of the statement that took its place;
    ``removed`` withdraws them all, and the statement. Raises :class:`Malformed`.
    """
    if outcome not in OUTCOMES:
        raise Malformed("--outcome", f"one of {', '.join(OUTCOMES)}", code="USAGE")
    ended = DISPUTE.update().where(DISPUTE.c.id == dispute, DISPUTE.c.closed.is_(None))
    row = connection.execute(ended.values(closed=now, outcome=outcome).returning(DISPUTE)).one_or_none()
    if row is None:
        raise Malformed("dispute", "no such dispute is under way; see: ouvrage issuer dispute list", code="NO_DISPUTE")
    current = worker_datasets(connection, row.worker, row.type).get(row.dataset)
    if outcome == "corrected" and current in (None, row.digest):
        raise Malformed(
            "--outcome",
            "the statement is still what was disputed: attest the corrected records first, or say removed",
            code="NOT_CORRECTED",
        )
    if outcome == "removed" and current:  # before looking for its copies, so that none is put on record meanwhile
        drop_statements(connection, [current])
    places = dataset_places(row.dataset, [one for one in {row.digest, current} if one])
    set_marks(connection, STATUS_ENTRY.c.contested, places, value=False, now=now)
    withdrawn = 0
    if outcome in WRONG:
        kept = _places_of(current) if outcome == "corrected" and current else None
        withdrawn = mark_places(connection, Act.REVOKE, places if kept is None else _without(places, kept), now=now)
    body: dict[str, Json] = {
        "dispute": dispute,
        "type": row.type,
        "dataset": row.dataset,
        "outcome": outcome,
        "withdrawn": withdrawn,
    }
    events.note(connection, events.Kind.DISPUTE_CLOSED, row.worker, body, now=now)
    return withdrawn


def find_disputed(connection: sa.Connection, worker: str, kind: str, dataset: str | None) -> list[Disputed]:
    """The datasets of a worker that are meant: one, or all of a type. Raises :class:`Malformed` where there is none."""
    found = worker_datasets(connection, worker, kind)
    meant = {one: digest for one, digest in found.items() if dataset in (None, one)}
    if not meant:
        raise Malformed("--worker, --type", "no such statement is about this worker", code="NO_SUCH_STATEMENT")
    return [Disputed(worker, kind, one, digest) for one, digest in meant.items()]


def list_disputes(connection: sa.Connection, *, all_: bool = False, worker: str | None = None) -> list[Any]:
    """The disputes under way, or all, oldest first."""
    query = sa.select(DISPUTE).order_by(DISPUTE.c.opened, DISPUTE.c.id)
    if not all_:
        query = query.where(DISPUTE.c.closed.is_(None))
    return list(connection.execute(query if worker is None else query.where(DISPUTE.c.worker == worker)))


# ---- by the worker's own signature -----------------------------------------------------------------------------------


def accept_dispute(connection: sa.Connection, signed: Credential, *, at: datetime, rand: Rand) -> str:
    """The id of the dispute that a worker's wallet has signed (docs/reply.md), by the key of a copy of the statement.

    ``signed`` is what :func:`verify_dispute` gave. Raises :class:`Rejected`. What is said where the key or the
    statement is not known is the same for both: it tells nothing about anybody.
    """
    now = int(at.timestamp())
    about = str(signed.subjects[0].get("about"))
    disputed = _disputed(connection, signed.issuer, about)
    if disputed is None:
        raise _refused("DISPUTE_UNBOUND", "is of no statement that was issued to the key that signed it, and stands")
    claims, _ = read_claims(TYPES["Dispute"], signed.subjects[0])
    used = f"dispute:{about}:{claims.get('ground')}:{claims.get('opened')}:{signed.issuer}"
    lock(connection, "dispute", disputed.worker)  # before looking: the same dispute may be sent twice at the same time
    held = connection.scalar(
        sa.select(DISPUTE.c.id).where(DISPUTE.c.dataset == disputed.dataset, DISPUTE.c.closed.is_(None))
    )
    if held is not None:
        return str(held)
    end = int(signed.valid_until.timestamp()) if signed.valid_until else now
    if not spend(connection, used, expires=end + 1):
        raise _refused("DISPUTE_REPLAYED", "was handed in before, and has its outcome")
    text = claims.get("text")
    reason = str(claims.get("ground")) + ("" if text in (None, "none") else f": {text}")
    return open_dispute(connection, disputed, reason=reason, now=now, rand=rand)


def verify_dispute(raw: bytes, *, at: datetime) -> Credential:
    """A Dispute that is whole, in force at ``at``, and signed by the one who says it. Who that is, is not looked up.

    Raises :class:`Malformed`, :class:`Unsupported` or :class:`Rejected`.
    """
    document = parse_object(raw, where="dispute", limits=MAX_DISPUTE)
    credential = parse_credential(document, where="dispute")
    if document.get("type") != ["VerifiableCredential", "DisputeCredential"]:
        raise Malformed("/type", "send a Dispute, as: ouvrage wallet dispute --out FILE", code="NOT_A_DISPUTE")
    unsigned: Mapping[str, Any] = {name: value for name, value in document.items() if name != "proof"}
    check_document(unsigned)
    methods = verify_proofs(document, contexts=CONTEXTS, at=at)
    named = [subject.get("id") for subject in credential.subjects]
    if {method.controller for method in methods} != {credential.issuer} or named != [credential.issuer]:
        raise _refused("HOLDER_NOT_ISSUER", "is not signed by the one whose word it is")
    begins, ends = credential.valid_from, credential.valid_until
    if begins is None or ends is None or at + CLOCK_SKEW < begins or at > ends:
        raise _refused("EXPIRED", "is not of now: sign it again")
    return credential


def _disputed(connection: sa.Connection, holder: str, about: str) -> Disputed | None:
    """The statement of which ``holder`` has a copy and whose digest, as its signer, is ``about``."""
    query = (
        sa.select(CREDENTIAL.c.key, STATEMENT)
        .join_from(CREDENTIAL, STATEMENT, CREDENTIAL.c.digest == STATEMENT.c.digest)
        .where(CREDENTIAL.c.holder == holder)
        .limit(MAX_COPIES)
    )
    for row in connection.execute(query):
        statement = Statement.parse(parse_object(row.body.encode()))
        if about_digest(row.type, row.key.partition("#")[0], statement.claims) == about:
            found = worker_datasets(connection, row.worker, row.type)
            named = next(dataset for dataset, digest in found.items() if digest == row.digest)
            return Disputed(row.worker, row.type, named, row.digest, about)
    return None


def _places_of(digest: str) -> sa.Select[Any]:
    column = CREDENTIAL.c
    return sa.select(column.list, column.place).where(column.digest == digest, column.list.is_not(None))


def _without(places: sa.Select[Any], kept: sa.Select[Any]) -> sa.Select[Any]:
    given, left = places.subquery(), kept.subquery()
    outside = sa.tuple_(given.c.list, given.c.place).not_in(sa.select(left.c.list, left.c.place))
    return sa.select(given.c.list, given.c.place).where(outside)


def _refused(code: str, why: str) -> Rejected:
    return Rejected((Finding(code, f"the dispute {why}"),))
