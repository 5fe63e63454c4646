"""A clock that is wrong, noticed: what was signed or fetched before the moment of the check cannot be later than it."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from vc.errors import VcError
from vc.model import Credential, Object, Presentation
from vc.status import StatusEntry, status_entries
from vc.trust import Trust

TOLERANCE: Final = timedelta(minutes=5)  # two honest clocks differ by seconds


def is_later(moment: datetime | None, at: datetime) -> bool:
    """Whether something that has already happened is dated after ``at``: then one of two clocks is wrong."""
    return moment is not None and moment > at + TOLERANCE


def clock_notes(credential: Credential, presentation: Presentation, trust: Trust, at: datetime) -> Iterator[str]:
    """Codes of what a verified presentation and its status lists say against the moment of the check."""
    yield from notes_of(
        at,
        signed=(credential.valid_from, *(proof.created for proof in credential.proofs)),
        shown=(proof.created for proof in presentation.proofs),
        listed=(given.as_of for url in _lists(credential.document) if (given := trust.status_lists.get(url))),
    )


def notes_of(
    at: datetime,
    *,
    signed: Iterable[datetime | None] = (),
    shown: Iterable[datetime | None] = (),
    listed: Iterable[datetime | None] = (),
) -> Iterator[str]:
    """A code for each kind of thing of which one is dated after ``at``."""
    for code, moments in (
        ("CLOCK_BEFORE_CREDENTIAL", signed),
        ("CLOCK_BEFORE_ANSWER", shown),
        ("CLOCK_BEFORE_STATUS", listed),
    ):
        if any(is_later(moment, at) for moment in moments):
            yield code


def _lists(document: Object) -> Iterator[str]:
    """The status lists that a credential names; what names none was judged where its status was."""
    for stated in status_entries(document):
        try:
            yield StatusEntry.parse(stated).list_url
        except VcError:
            continue
