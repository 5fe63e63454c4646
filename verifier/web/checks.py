"""The checks that the pages have begun: found, listed, and their evidence packed. Everything here blocks."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from vc.canon import Json, parse_object, to_json
from vc.errors import Undetermined
from verifier.asking import Terms
from verifier.deps import Deps
from verifier.evidence import Case, pack
from verifier.flow import State
from verifier.kept import read_report
from verifier.report import Report
from verifier.sessions import worker_link
from verifier.tables import SESSION

MAX_LISTED: Final = 100
PENDING: Final = frozenset({State.OPEN, State.FETCHED, State.ANSWERED})


@dataclass(frozen=True, slots=True)
class Check:
    """One of them. ``link`` is for the worker, empty where the request goes by file; ``error`` is the wallet's no."""

    id: str
    state: str  # of verifier.flow.State, or "expired"
    reference: str
    made: int
    expires: int
    erase: int
    request: bytes = field(repr=False)
    terms: Terms
    link: str = field(repr=False)
    error: str = ""
    document: bytes = field(default=b"", repr=False)  # the report as JSON
    answer: bytes = field(default=b"", repr=False)
    answered: int = 0

    @property
    def purpose(self) -> str:
        """The code of the purpose's pack."""
        declared = parse_object(self.request).get("purpose")
        return str(declared.get("code")) if isinstance(declared, dict) else ""

    @property
    def report(self) -> Report:
        """As it was on the day of the check. Raises :class:`Malformed` where there is none."""
        return read_report(parse_object(self.document))

    @property
    def client(self) -> str:
        """As whom the request asks."""
        return str(parse_object(self.request)["client_id"])


def find(deps: Deps, name: str) -> Check | None:
    """A check of ours by its id; None for one that was erased, or that a system asked for."""
    with deps.database.read() as connection:
        row = connection.execute(_OURS.where(SESSION.c.id == name)).one_or_none()
    return None if row is None else _read(deps, row)


def recent(deps: Deps) -> tuple[Check, ...]:
    """The newest checks that are not erased."""
    with deps.database.read() as connection:
        rows = connection.execute(_OURS.order_by(SESSION.c.made.desc(), SESSION.c.id).limit(MAX_LISTED)).all()
    return tuple(_read(deps, row) for row in rows)


def evidence(deps: Deps, check: Check, lang: str) -> bytes:
    """The evidence pack of a check whose answer is kept.

    Raises :class:`Undetermined` where a newer trust list has taken the place of the one that it was checked with: a
    pack holds the check as it was.
    """
    at = datetime.fromtimestamp(check.answered, UTC)
    case = Case(check.answer, check.request, at, None, check.terms.accept_possession, check.terms.accept_self_asserted)
    trust = deps.trust()
    if to_json(case.judged(trust)[0].to_json()) != check.document:
        why = "the trust list that is held now is not the one of the check"
        raise Undetermined(why, "ask again, and keep the evidence at once", code="OTHER_TRUST")
    return pack(case, trust, lang=lang)


_OURS: Final = sa.select(SESSION).where(SESSION.c.owner == "", SESSION.c.state != State.ERASED)


def _read(deps: Deps, row: Any) -> Check:
    request: dict[str, Json] = parse_object(row.request.encode())
    over = row.state in (State.OPEN, State.FETCHED) and row.expires <= deps.seconds
    told = parse_object(row.report.encode()) if row.state in (State.CHECKED, State.DECLINED) else {}
    return Check(
        id=row.id,
        state="expired" if over else row.state,
        reference=row.reference,
        made=row.made,
        expires=row.expires,
        erase=row.erase,
        request=row.request.encode(),
        terms=Terms.read(row.terms),
        link=worker_link(deps, row.id, request),
        error=str(told.get("error", "")) if row.state == State.DECLINED else "",
        document=row.report.encode() if row.state == State.CHECKED else b"",
        answer=row.answer or b"",
        answered=row.answered or 0,
    )
