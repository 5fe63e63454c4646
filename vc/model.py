"""The Verifiable Credentials Data Model 2.0, and the 1.1 that came before, read once into frozen types.

Every reader gives a value or :class:`Malformed` with the JSON pointer of what is wrong. What the data model allows
and no reader needs stays in ``document``, as it was received.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from vc.canon import Json
from vc.errors import Finding, Malformed, Rejected

CREDENTIALS_V2: Final = "https://www.w3.org/ns/credentials/v2"
CREDENTIALS_V1: Final = "https://www.w3.org/2018/credentials/v1"
ENVELOPED_CREDENTIAL: Final = "EnvelopedVerifiableCredential"

MAX_SUBJECTS: Final = 64  # no statement of ours has more than one
MAX_PROOFS: Final = 8  # each costs a pairing or a curve multiplication; a sender must not choose our bill
MAX_CREDENTIALS: Final = 16  # in one presentation, for the same reason
MAX_RESOURCES: Final = 64  # related ones, of one credential; each costs a few hashes

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20]+\Z")
_DATE_TIME_STAMP: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))\Z", re.ASCII
)
_WITHOUT_OFFSET: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\Z", re.ASCII)

Object = Mapping[str, Json]

# Where each version says from when and until when a credential is valid.
_PERIOD: Final = MappingProxyType(
    {CREDENTIALS_V1: ("issuanceDate", "expirationDate"), CREDENTIALS_V2: ("validFrom", "validUntil")}
)
_NEED_ID: Final = MappingProxyType(
    {CREDENTIALS_V1: ("credentialStatus", "credentialSchema"), CREDENTIALS_V2: ("credentialSchema",)}
)
_TYPED: Final = ("credentialStatus", "credentialSchema", "termsOfUse", "evidence", "refreshService")
DIGESTS: Final = ("digestSRI", "digestMultibase")
_LANGUAGE_TEXT: Final = frozenset({"@value", "@language", "@direction"})


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
    envelopes: tuple[Object, ...] = ()  # EnvelopedVerifiableCredential objects, for vc.enveloped to read


def parse_credential(document: Json, *, where: str = "") -> Credential:
    """The credential that ``document`` is (vc-data-model-2.0#verifiable-credentials, or vc-data-model 1.1).

    Raises :class:`Malformed`.
    """
    members = _object(document, where)
    version = check_context(members, where, versions=(CREDENTIALS_V2, CREDENTIALS_V1))
    proofs = parse_proofs(members, where) if "proof" in members else ()
    return _credential(members, where, version, proofs)


def _credential(members: Object, where: str, version: str, proofs: tuple[Proof, ...]) -> Credential:
    types = _types(members, where, "VerifiableCredential")
    _check_id(members, where)
    valid_from, valid_until = _period(members, where, version)
    for name in _TYPED:
        if name in members:
            _check_typed(members[name], f"{where}/{name}", needs_id=name in _NEED_ID[version])
    if version == CREDENTIALS_V2:
        _check_descriptions(members, where)
        _check_resources(members.get("relatedResource", []), f"{where}/relatedResource")
    return Credential(
        document={name: value for name, value in members.items() if name != "proof"},
        types=types,
        issuer=_identifier(members.get("issuer"), f"{where}/issuer"),
        subjects=_subjects(members.get("credentialSubject"), f"{where}/credentialSubject"),
        valid_from=valid_from,
        valid_until=valid_until,
        proofs=proofs,
    )


def parse_presentation(
    document: Json,
    *,
    where: str = "",
    enveloped: bool = False,
    least: int = 1,
    versions: Sequence[str] = (CREDENTIALS_V2,),
) -> Presentation:
    """The presentation that ``document`` is (vc-data-model-2.0#verifiable-presentations). Raises :class:`Malformed`.

    Credentials in envelopes are refused, unless the caller asks for them with ``enveloped``, to verify them itself.
    ``least`` is how many credentials it has to hold, ``versions`` are the contexts that it may start with.
    """
    members = _object(document, where)
    check_context(members, where, versions=versions)
    _types(members, where, "VerifiablePresentation")
    _check_id(members, where)
    held = _list(members.get("verifiableCredential"))
    if not least <= len(held) <= MAX_CREDENTIALS:
        raise Malformed(
            f"{where}/verifiableCredential", f"needs {least} to {MAX_CREDENTIALS} credentials", code="BAD_PRESENTATION"
        )
    return Presentation(
        document={name: value for name, value in members.items() if name != "proof"},
        holder=_identifier(members["holder"], f"{where}/holder") if "holder" in members else None,
        credentials=tuple(
            parse_credential(credential, where=pointer)
            for credential, pointer in _numbered(
                members.get("verifiableCredential", []), f"{where}/verifiableCredential"
            )
            if not (enveloped and is_envelope(credential))
        ),
        proofs=parse_proofs(members, where) if "proof" in members else (),
        envelopes=tuple(each for each in held if enveloped and isinstance(each, dict) and is_envelope(each)),
    )


def is_envelope(value: Json) -> bool:
    """Whether ``value`` says that it is an envelope (vc-data-model-2.0#enveloped-verifiable-credentials)."""
    types = value.get("type") if isinstance(value, dict) else None
    return ENVELOPED_CREDENTIAL in (types if isinstance(types, list) else (types,))


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
        created=_proof_date(members, "created", where),
        expires=_proof_date(members, "expires", where),
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


def check_context(members: Object, where: str, *, versions: Sequence[str]) -> str:
    """vc-data-model-2.0#contexts: an ordered list whose first item is the context of a version, which is returned."""
    contexts = members.get("@context")
    first = contexts[0] if isinstance(contexts, list) and contexts else None
    if not isinstance(contexts, list) or first not in versions:
        raise Malformed(
            f"{where}/@context", f"has to be a list that starts with {' or '.join(versions)}", code="BAD_CONTEXT"
        )
    for index, context in enumerate(contexts):
        if not is_url(context) and not isinstance(context, dict):
            raise Malformed(f"{where}/@context/{index}", "neither a URL nor an object", code="BAD_CONTEXT")
    return str(first)


def refuse_context_within(values: Iterable[Json]) -> None:
    """Raise :class:`Rejected` where something within ``values`` has a context of its own.

    It would change what words mean midway, unseen by whoever checked the contexts at the top
    (vc-data-integrity#context-validation).
    """
    below = list(values)
    while below:
        value = below.pop()
        if isinstance(value, dict):
            if "@context" in value:
                raise Rejected((Finding("CONTEXT_UNKNOWN", "changes the meaning of its words midway", "/@context"),))
            below.extend(value.values())
        elif isinstance(value, list):
            below.extend(value)


def _period(members: Object, where: str, version: str) -> tuple[datetime | None, datetime | None]:
    """vc-data-model-2.0#validity-period; vc-data-model 1.1 §4.6 (issuance, which has to be there) and §4.8."""
    start, end = _PERIOD[version]
    if version == CREDENTIALS_V1:
        _text(members, start, where)
    valid_from, valid_until = _date(members, start, where), _date(members, end, where)
    if valid_from and valid_until and valid_until < valid_from:
        raise Malformed(f"{where}/{end}", f"before {start}", code="BAD_PERIOD")
    return valid_from, valid_until


def _check_descriptions(members: Object, where: str) -> None:
    """vc-data-model-2.0#names-and-descriptions, of the credential and of its issuer."""
    issuer = members.get("issuer")
    described = ((members, where), (issuer if isinstance(issuer, dict) else {}, f"{where}/issuer"))
    for owner, at in described:
        for name in ("name", "description"):
            for text, pointer in _numbered(owner.get(name, []), f"{at}/{name}"):
                if not _is_language_text(text):
                    raise Malformed(pointer, "not a text, nor one with its language and direction", code="NOT_TEXT")


def _is_language_text(value: Json) -> bool:
    """vc-data-model-2.0#language-and-base-direction"""
    if isinstance(value, str):
        return True
    return (
        isinstance(value, dict)
        and "@value" in value
        and value.keys() <= _LANGUAGE_TEXT
        and all(isinstance(part, str) for part in value.values())
    )


def _check_resources(value: Json, where: str) -> None:
    """vc-data-model-2.0#integrity-of-related-resources: the form. The digests are :mod:`vc.integrity`'s."""
    if len(_list(value)) > MAX_RESOURCES:
        raise Malformed(where, f"more than {MAX_RESOURCES}", code="TOO_LARGE")
    seen = set()
    for item, pointer in _numbered(value, where):
        members = _object(item, pointer)
        identifier = _identifier(members.get("id"), f"{pointer}/id")
        if identifier in seen:
            raise Malformed(f"{pointer}/id", "the same resource twice", code="BAD_ID")
        seen.add(identifier)
        digests = [_texts(members[name], f"{pointer}/{name}") for name in DIGESTS if name in members]
        if not any(digests):
            raise Malformed(pointer, f"needs {' or '.join(DIGESTS)}", code="MISSING")


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


def _proof_date(members: Object, name: str, where: str) -> datetime | None:
    """vc-data-integrity#proofs: without an offset, which is wrong, a time of a proof is one in UTC."""
    text = members.get(name)
    zoned = f"{text}Z" if isinstance(text, str) and _WITHOUT_OFFSET.match(text) else text
    return parse_date_time(zoned, where=f"{where}/{name}") if name in members else None


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
