"""What status lists say of a credential (docs/verification.md, step 6): against it, beside it, or nothing certain."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from vc.errors import Finding, Malformed, Rejected, VcError
from vc.model import Object
from vc.status import LIST, StatusEntry, StatusList, check_purpose, note, status_entries, unknown_status, unusable
from vc.trust import TrustedIssuer


@dataclass(frozen=True, slots=True)
class Opened:
    """A status list whose proof holds, and who vouches for it."""

    statuses: StatusList
    issuer: TrustedIssuer


@dataclass(frozen=True, slots=True)
class Standing:
    """The standing of one credential: ``findings`` are a no, ``doubts`` are what cannot be told, ``notes`` are codes of
    what is said beside it, ``looked_up`` are the purposes of the statuses that were read."""

    findings: tuple[Finding, ...]
    doubts: tuple[VcError, ...]
    notes: tuple[str, ...]
    looked_up: frozenset[str]


NO_STATUS: Final = Standing((), (), (), frozenset())


def read_standing(document: Object, issuer: TrustedIssuer, open_list: Callable[[str], Opened | VcError]) -> Standing:
    """The standing of a credential of ``issuer``, from the lists that ``open_list`` gives by URL.

    A no is a no, whatever else cannot be told. Raises :class:`Malformed` for more statuses than can be looked up.
    """
    findings: list[Finding] = []
    doubts: list[VcError] = []
    notes: list[str] = []
    looked_up: set[str] = set()
    for stated in status_entries(document):
        try:
            entry = StatusEntry.parse(stated)
            value = _value(entry, issuer, open_list(entry.list_url))
        except Rejected as no:
            findings += no.findings
        except VcError as doubt:
            doubts.append(doubt)
        else:
            looked_up.add(entry.purpose)
            for wrong in check_purpose(entry, value):
                (findings if isinstance(wrong, Finding) else doubts).append(wrong)  # type: ignore[arg-type]
            said = note(entry, value)
            notes += [] if said is None else [said]
    return Standing(tuple(findings), tuple(doubts), tuple(notes), frozenset(looked_up))


def _value(entry: StatusEntry, issuer: TrustedIssuer, opened: Opened | VcError) -> int:
    if isinstance(opened, VcError):
        raise opened
    # Another's list could clear what this issuer has revoked, or revoke what it has not.
    if opened.issuer != issuer and LIST not in opened.issuer.may_attest:
        raise unknown_status("a status list by somebody who is not trusted to keep it")
    try:
        return opened.statuses.read(entry)
    except Malformed as error:
        raise unusable(f"cannot be read ({error.code})") from None
