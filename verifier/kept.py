"""A report that was kept as JSON, read again, so that it can be shown to people as it was on the day of the check."""

from datetime import date, datetime

from vc.canon import Json
from vc.errors import Malformed
from vc.model import Object, parse_date_time
from vc.trust import TrustedIssuer
from vc.verify import Assurance, Binding
from verifier.asked import Asked, Demand, NotShown
from verifier.proven import Proven, Said
from verifier.references import Reference
from verifier.report import Reason, Report, Unchecked, Verdict
from work.statement import Claims, Statement


def read_report(document: Object) -> Report:
    """The report that :meth:`verifier.report.Report.to_json` wrote.

    Raises :class:`Malformed` for anything else, and for one with a decision: that is read as JSON only.
    """
    if (document.get("type"), document.get("version")) != ("OuvrageReport", 1):
        raise Malformed("report", "not a report of version 1", code="BAD_REPORT")
    if document.get("decision") is not None:
        raise Malformed("report", "holds a decision, which is read as JSON only", code="BAD_REPORT")
    try:
        return _report(document)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Malformed("report", "not a report, or damaged", code="BAD_REPORT") from None


def _report(document: Object) -> Report:
    at = _moment(document["at"])
    if at is None:
        raise ValueError("a report has a moment")
    return Report(
        verdict=Verdict(str(document["verdict"])),
        at=at,
        trust_as_of=_moment(document["trustAsOf"]),
        asked=None if document["asked"] is None else _asked(_object(document["asked"])),
        proven=tuple(_proven(_object(one)) for one in _list(document["proven"])),
        not_shown=tuple(_not_shown(_object(one)) for one in _list(document["notShown"])),
        unchecked=tuple(Unchecked(**_texts(one)) for one in _list(document["notChecked"])),
        reasons=tuple(Reason(**_texts(one)) for one in _list(document["reasons"])),
        erase_by=None if document["eraseBy"] is None else date.fromisoformat(str(document["eraseBy"])),
        answer_sha256=None if document["answerSha256"] is None else str(document["answerSha256"]),
    )


def _asked(value: Object) -> Asked:
    days = value["retentionDays"]
    return Asked(
        verifier=str(value["verifier"]),
        purpose=str(value["purpose"]),
        necessity=str(value["necessity"]),
        retention_days=days if isinstance(days, int) else None,
        never=tuple(_demand(one) for one in _list(value["never"])),
    )


def _demand(value: Json) -> Demand:
    members = _object(value)
    return Demand(str(members["type"]), str(members["claim"]), tuple(map(str, _list(members["values"]))))


def _not_shown(value: Object) -> NotShown:
    options = tuple(tuple(_demand(one) for one in _list(option)) for option in _list(value["anyOf"]))
    return NotShown(str(value["query"]), options)


def _proven(value: Object) -> Proven:
    issuer = {} if value["issuer"] is None else _texts(value["issuer"])
    name, identifier = issuer.get("name", ""), issuer.get("legalIdentifier", "")
    return Proven(
        query=str(value["query"]),
        type=str(value["type"]),
        assurance=Assurance(str(value["assurance"])),
        issuer=name,
        legal_identifier=identifier,
        claims=_claims(value["claims"]),
        unread=tuple(map(str, _list(value["unread"]))),
        binding=Binding(str(value["binding"])),
        suite=str(value["suite"]),
        valid_from=_moment(value["validFrom"]),
        valid_until=_moment(value["validUntil"]),
        purpose_allowed=value["purposeAllowed"] is True,
        context=None if value["context"] is None else _reference(value["context"], name, identifier),
        notes=tuple(map(str, _list(value["notes"]))),
        answers=tuple(_said(_object(one)) for one in _list(value["answers"])),
    )


def _said(value: Object) -> Said:
    return Said(str(value["type"]), _claims(value["claims"]))


def _reference(value: Json, name: str, identifier: str) -> Reference:
    issuer = TrustedIssuer(name, identifier, frozenset(), ())
    return Reference(issuer, Statement("RatingContext", "", _claims(value)))


def _claims(value: Json) -> Claims:
    return {name: one if isinstance(one, str) else tuple(map(str, _list(one))) for name, one in _object(value).items()}


def _moment(value: Json) -> datetime | None:
    return None if value is None else parse_date_time(value, where="report")


def _texts(value: Json) -> dict[str, str]:
    return {name: str(one) for name, one in _object(value).items()}


def _object(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value
