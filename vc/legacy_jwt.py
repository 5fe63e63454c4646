"""JWTs of the older data model, whose claim ``vc`` or ``vp`` holds the document (vc-data-model-1.1#jwt-decoding).

Read only. What the JWT says of issuer, subject, identifier and dates is put where the document says it; where both say
it they have to agree, since each reader would believe another of the two.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from vc.canon import Json
from vc.envelope import LEGACY_MEDIA_TYPE, Content
from vc.errors import Finding, Malformed, Rejected
from vc.jose import numeric_date
from vc.model import CREDENTIALS_V1, CREDENTIALS_V2, ENVELOPED_CREDENTIAL, Object, format_date_time, parse_date_time

_NAMES: Final[Mapping[Content, Mapping[str, str]]] = MappingProxyType(
    {
        Content.CREDENTIAL: MappingProxyType({"iss": "issuer", "jti": "id"}),
        Content.PRESENTATION: MappingProxyType({"iss": "holder", "jti": "id"}),
    }
)
_DATES: Final[Mapping[str, str]] = MappingProxyType({"nbf": "issuanceDate", "exp": "expirationDate"})


def decode(claims: Object, content: Content) -> Object:
    """The document that the claims of a JWT say: a credential, or a presentation whose JWTs stand in envelopes.

    Raises :class:`Malformed`, or :class:`Rejected` where claims and document contradict each other.
    """
    other = Content.PRESENTATION if content is Content.CREDENTIAL else Content.CREDENTIAL
    held = claims.get(content)
    if not isinstance(held, dict) or other in claims:
        raise Malformed(f"/{content}", "needs one document, as an object", code="BAD_ENVELOPE")
    document = {**held}
    for claim, name in _NAMES[content].items():
        if claim in claims:
            _name(document, name, claims[claim], where=f"/{claim}")
    if content is Content.PRESENTATION:
        document["verifiableCredential"] = _enveloped(held.get("verifiableCredential"))
    else:
        _put_subject(document, claims)
        _put_dates(document, claims)
    return document


def _name(owner: dict[str, Json], name: str, identifier: Json, *, where: str) -> None:
    """Put ``identifier`` where ``owner`` has its ``name``, or the ``id`` of the object there; or find it there."""
    current = owner.get(name)
    if name not in owner:
        owner[name] = identifier
    elif isinstance(current, dict):
        owner[name] = inner = {**current}
        _name(inner, "id", identifier, where=where)
    elif current != identifier:
        raise _conflict(where)


def _put_subject(document: dict[str, Json], claims: Object) -> None:
    subjects = document.get("credentialSubject")
    if isinstance(subjects, list) and len(subjects) == 1:
        (subjects,) = subjects
    if "sub" in claims:
        if not isinstance(subjects, dict):  # a JWT has one ``sub``: it could not be told whom it means
            raise _conflict("/sub")
        document["credentialSubject"] = subject = {**subjects}
        _name(subject, "id", claims["sub"], where="/sub")


def _put_dates(document: dict[str, Json], claims: Object) -> None:
    """In seconds, as JWT has them. VCDM 2.0 keeps the dates of a signature apart from those of what is signed."""
    contexts = document.get("@context")
    if not isinstance(contexts, list) or contexts[:1] != [CREDENTIALS_V1]:
        return
    for claim, name in _DATES.items():
        seconds = numeric_date(claims, claim)
        if seconds is None:
            continue
        if name not in document:
            document[name] = format_date_time(datetime.fromtimestamp(seconds, UTC))
        elif int(parse_date_time(document[name], where=f"/vc/{name}").timestamp()) != int(seconds):
            raise _conflict(f"/{claim}")


def _enveloped(held: Json) -> Json:
    """JWTs stand there as texts; in envelopes they are read like others."""
    return [
        {"@context": CREDENTIALS_V2, "id": f"data:{LEGACY_MEDIA_TYPE},{each}", "type": ENVELOPED_CREDENTIAL}
        if isinstance(each, str)
        else each
        for each in (held if isinstance(held, list) else [held])
    ]


def _conflict(where: str) -> Rejected:
    return Rejected((Finding("CLAIM_CONFLICT", "the JWT and the document in it contradict each other", where),))
