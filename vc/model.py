"""The Verifiable Credentials Data Model 2.0, read once into frozen types.

Every reader gives a value or :class:`Malformed` with the JSON pointer of what is wrong. What the data model allows
and no reader needs stays in ``document``, as it was received.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from vc.canon import Json
from vc.errors import Malformed

CREDENTIALS_V2: Final = "https://www.w3.org/ns/credentials/v2"

MAX_SUBJECTS: Final = 64  # no statement of ours has more than one
MAX_PROOFS: Final = 8  # each costs a pairing or a curve multiplication; a sender must not choose our bill
MAX_CREDENTIALS: Final = 16  # in one presentation, for the same reason

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20]+\Z")
_DATE_TIME_STAMP: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))\Z", re.ASCII
)

Object = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Proof:
    """A data integrity proof (vc-data-integrity#proofs): its options, and its value apart."""

    options: Object  # the proof as received, without proofValue
    value: str
    type: str
    cryptosuite: str
    verification_method: str
    purpose: str
    id: str | None
    previous: tuple[str, ...]
    challenge: str | None
    domain: tuple[str, ...]
    created: datetime | None
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class Credential:
    """A verifiable credential (vc-data-model-2.0#verifiable-credentials), parsed and not yet verified."""

    document: Object  # without its proofs
    types: tuple[str, ...]
    issuer: str
    subjects: tuple[Object, ...]
    valid_from: datetime | None
    valid_until: datetime | None
    proofs: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class Presentation:
    """A verifiable presentation (vc-data-model-2.0#verifiable-presentations), parsed and not yet verified."""

    document: Object  # without its proofs
    holder: str | None
    credentials: tuple[Credential, ...]
    proofs: tuple[Proof, ...]


def parse_credential(document: Json, *, where: str = "") -> Credential:
    """The credential that ``document`` is (vc-data-model-2.0#verifiable-credentials). Raises :class:`Malformed`."""
    members = _object(document, where)
    check_context(members, where)
    types = _types(members, where, "VerifiableCredential")
    _check_id(members, where)
    valid_from = _date(members, "validFrom", where)
    valid_until = _date(members, "validUntil", where)
    if valid_from and valid_until and valid_until < valid_from:
        raise Malformed(f"{where}/validUntil", "before validFrom", code="BAD_PERIOD")
    for name in ("credentialStatus", "credentialSchema", "termsOfUse", "evidence", "refreshService"):
        if name in members:
            _check_typed(members[name], f"{where}/{name}", needs_id=name == "credentialSchema")
    return Credential(
        document={name: value for name, value in members.items() if name != "proof"},
        types=types,
        issuer=_identifier(members.get("issuer"), f"{where}/issuer"),
        subjects=_subjects(members.get("credentialSubject"), f"{where}/credentialSubject"),
        valid_from=valid_from,
        valid_until=valid_until,
        proofs=parse_proofs(members, where) if "proof" in members else (),
    )


def parse_presentation(document: Json, *, where: str = "") -> Presentation:
    """The presentation that ``document`` is (vc-data-model-2.0#verifiable-presentations). Raises :class:`Malformed`."""
    members = _object(document, where)
    check_context(members, where)
    _types(members, where, "VerifiablePresentation")
    _check_id(members, where)
    held = _list(members.get("verifiableCredential"))
    if not held or len(held) > MAX_CREDENTIALS:
        raise Malformed(
            f"{where}/verifiableCredential", f"needs 1 to {MAX_CREDENTIALS} credentials", code="BAD_PRESENTATION"
        )
    return Presentation(
        document={name: value for name, value in members.items() if name != "proof"},
        holder=_identifier(members["holder"], f"{where}/holder") if "holder" in members else None,
        credentials=tuple(
            parse_credential(credential, where=pointer)
            for credential, pointer in _numbered(members["verifiableCredential"], f"{where}/verifiableCredential")
        ),
        proofs=parse_proofs(members, where) if "proof" in members else (),
    )


def parse_proofs(members: Object, where: str = "") -> tuple[Proof, ...]:
    """The proofs of a secured document (vc-data-integrity#proof-sets). Raises :class:`Malformed`."""
    proofs = _list(members.get("proof"))
    if not proofs or len(proofs) > MAX_PROOFS:
        raise Malformed(f"{where}/proof", f"needs 1 to {MAX_PROOFS} proofs", code="PROOF_MISSING")
    return tuple(parse_proof(proof, where=pointer) for proof, pointer in _numbered(members["proof"], f"{where}/proof"))


def parse_proof(proof: Json, *, where: str = "/proof") -> Proof:
    """One data integrity proof (vc-data-integrity#proofs). Raises :class:`Malformed`."""
    members = _object(proof, where)
    _check_id(members, where)
    return Proof(
        options={name: value for name, value in members.items() if name != "proofValue"},
        value=_text(members, "proofValue", where),
        type=_text(members, "type", where),
        cryptosuite=_text(members, "cryptosuite", where) if "cryptosuite" in members else "",
        verification_method=_text(members, "verificationMethod", where),
        purpose=_text(members, "proofPurpose", where),
        id=_text(members, "id", where) if "id" in members else None,
        previous=_texts(members.get("previousProof", []), f"{where}/previousProof"),
        challenge=_text(members, "challenge", where) if "challenge" in members else None,
        domain=_texts(members.get("domain", []), f"{where}/domain"),
        created=_date(members, "created", where),
        expires=_date(members, "expires", where),
    )


def parse_date_time(text: object, *, where: str) -> datetime:
    """An XML Schema dateTimeStamp (vc-data-model-2.0#validity-period). Raises :class:`Malformed`."""
    match = _DATE_TIME_STAMP.match(text) if isinstance(text, str) else None
    if not match:
        raise Malformed(where, "not a dateTimeStamp such as 2026-11-24T00:00:00Z", code="BAD_DATE")
    assert isinstance(text, str)
    fraction = match.group(1) or ""
    plain = text.replace(fraction, "", 1) if fraction else text
    try:
        moment = datetime.fromisoformat(plain)
        return moment + timedelta(seconds=float(fraction or 0))
    except (ValueError, OverflowError):
        raise Malformed(where, "a date that the calendar does not have", code="BAD_DATE") from None


def format_date_time(moment: datetime) -> str:
    """The dateTimeStamp in UTC of an aware moment, in whole seconds."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def is_url(text: object) -> bool:
    """Whether ``text`` has the form of an absolute URL (a DID and a URN are URLs too)."""
    return isinstance(text, str) and len(text) <= 2048 and _URL.match(text) is not None


def check_context(members: Object, where: str) -> None:
    """vc-data-model-2.0#contexts: an ordered list whose first item is the version's own context."""
    contexts = members.get("@context")
    if not isinstance(contexts, list) or not contexts or contexts[0] != CREDENTIALS_V2:
        raise Malformed(f"{where}/@context", f"has to be a list that starts with {CREDENTIALS_V2}", code="BAD_CONTEXT")
    for index, context in enumerate(contexts):
        if not is_url(context) and not isinstance(context, dict):
            raise Malformed(f"{where}/@context/{index}", "neither a URL nor an object", code="BAD_CONTEXT")


def _types(members: Object, where: str, needed: str) -> tuple[str, ...]:
    types = _texts(members.get("type"), f"{where}/type")
    if needed not in types:
        raise Malformed(f"{where}/type", f"does not name {needed}", code="BAD_TYPE")
    return types


def _subjects(value: Json, where: str) -> tuple[Object, ...]:
    subjects = _list(value)
    if not subjects or len(subjects) > MAX_SUBJECTS:
        raise Malformed(where, f"needs 1 to {MAX_SUBJECTS} subjects", code="BAD_SUBJECT")
    for subject, pointer in _numbered(value, where):
        if not isinstance(subject, dict) or not subject:
            raise Malformed(pointer, "a subject is an object with claims", code="BAD_SUBJECT")
        _check_id(subject, pointer)
    return tuple(subject for subject in subjects if isinstance(subject, dict))


def _check_typed(value: Json, where: str, *, needs_id: bool) -> None:
    if value == []:
        raise Malformed(where, "an empty list", code="NOT_AN_OBJECT")
    for item, pointer in _numbered(value, where):
        members = _object(item, pointer)
        if not _texts(members.get("type"), f"{pointer}/type"):
            raise Malformed(f"{pointer}/type", "an empty list", code="BAD_TYPE")
        _check_id(members, pointer)
        if needs_id and "id" not in members:
            raise Malformed(f"{pointer}/id", "missing", code="BAD_ID")


def _check_id(members: Object, where: str) -> None:
    if "id" in members and not is_url(members["id"]):
        raise Malformed(f"{where}/id", "not a URL", code="BAD_ID")


def _identifier(value: Json, where: str) -> str:
    """The URL that a URL, or an object with an ``id``, names."""
    identifier = value.get("id") if isinstance(value, dict) else value
    if not is_url(identifier):
        raise Malformed(where, "needs a URL, or an object with one as its id", code="BAD_ID")
    assert isinstance(identifier, str)
    return identifier


def _date(members: Object, name: str, where: str) -> datetime | None:
    return parse_date_time(members[name], where=f"{where}/{name}") if name in members else None


def _object(value: Json, where: str) -> Object:
    if not isinstance(value, dict):
        raise Malformed(where, "not an object", code="NOT_AN_OBJECT")
    return value


def _text(members: Object, name: str, where: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed(f"{where}/{name}", "missing, or not a text", code="MISSING")
    return value


def _texts(value: Json, where: str) -> tuple[str, ...]:
    """A text or a list of texts, as a tuple; an absent list is the caller's default."""
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) and item for item in items):
        raise Malformed(where, "not a text or a list of texts", code="NOT_TEXT")
    return tuple(item for item in items if isinstance(item, str))


def _list(value: Json) -> Sequence[Json]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


def _numbered(value: Json, where: str) -> Iterator[tuple[Json, str]]:
    """Each item with its JSON pointer; a single value stands for itself."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield item, f"{where}/{index}"
    else:
        yield value, where
