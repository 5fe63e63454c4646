"""OpenID for Verifiable Credential Issuance 1.0: what a wallet asks an issuer for, as messages. Both ends use these.

``OID4VCI §…`` is a section of openid-4-verifiable-credential-issuance-1_0. Offers are in :mod:`vc.offer`, proofs of
keys in :mod:`vc.keyproof`, encryption in :mod:`vc.jwe`. Members that are not known are ignored.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self

from vc.canon import Json, Limits, parse_json
from vc.errors import Malformed
from vc.jwe import check_recipient
from vc.model import Object
from vc.oauth import refusing

INVALID: Final = "invalid_credential_request"
MAX_REQUEST: Final = Limits(size=1 << 20, depth=24)
MAX_PROOFS: Final = 256  # each costs a signature to check, and one to make
MAX_TEXT: Final = 2048  # characters of a name
MAX_DETAILS: Final = 64
MAX_CLAIMS: Final = 128
MAX_PATH: Final = 12
MAX_IDENTIFIERS: Final = 1024  # of one authorization: a worker has some hundred statements
OPENID_CREDENTIAL: Final = "openid_credential"
EVENTS: Final = ("credential_accepted", "credential_failure", "credential_deleted")  # OID4VCI §11.1

_NOTHING: Final[Object] = MappingProxyType({})
_PRINTABLE: Final = re.compile(r"[ !#-\[\]-~]{0,1024}\Z")  # %x20-21 / %x23-5B / %x5D-7E


@dataclass(frozen=True, slots=True)
class ResponseEncryption:
    """How the wallet wants the response encrypted (OID4VCI §8.2). The arguments of :func:`vc.jwe.encrypt_jwt`."""

    jwk: Object
    enc: str
    zip: str | None = None

    @classmethod
    def parse(cls, value: Json, *, legacy: bool = False) -> Self:
        """Raises :class:`OAuthRefusal` with ``invalid_encryption_parameters``."""
        with refusing("invalid_encryption_parameters"):
            if not isinstance(value, dict) or not isinstance(value.get("jwk"), dict):
                raise Malformed("credential_response_encryption", "needs jwk, an object, and enc")
            jwk = value["jwk"]
            assert isinstance(jwk, dict)
            if legacy and "alg" in value:  # draft 13 names it beside the key
                jwk = {"alg": value["alg"], **jwk}
            enc, compression = value.get("enc"), value.get("zip")
            if not isinstance(enc, str) or not isinstance(compression, str | None):
                raise Malformed("credential_response_encryption", "enc and zip have to be texts")
            check_recipient(jwk, enc=enc, zip_=compression)
            return cls(MappingProxyType(jwk), enc, compression)

    def to_json(self) -> dict[str, Json]:
        """The member of a request."""
        members: dict[str, Json] = {"jwk": dict(self.jwk), "enc": self.enc}
        return {**members, "zip": self.zip} if self.zip else members


@dataclass(frozen=True, slots=True)
class CredentialRequest:
    """A Credential Request (OID4VCI §8.2); its proofs are still to be verified (:func:`vc.keyproof.verify_proofs`).

    Exactly one of ``identifier`` and ``configuration_id`` is there; in a legacy request perhaps none, and then the
    access token has to say what it is for.
    """

    identifier: str | None = None
    configuration_id: str | None = None
    proof_type: str | None = None
    proofs: tuple[Json, ...] = field(default=(), repr=False)
    response_encryption: ResponseEncryption | None = None

    @classmethod
    def parse(cls, value: Json | bytes, *, legacy: bool = False) -> Self:
        """A request, or its JSON text as received; ``legacy`` takes those of drafts 13 to 15 with one ``proof``, too.

        Raises :class:`OAuthRefusal` with the codes of OID4VCI §8.3.1.2.
        """
        members = _members(value, INVALID)
        with refusing(INVALID):
            identifier = _optional_text(members, "credential_identifier")
            configuration_id = _optional_text(members, "credential_configuration_id")
            if identifier is not None and configuration_id is not None:
                raise Malformed("", "credential_identifier and credential_configuration_id exclude each other")
            if identifier is None and configuration_id is None and not legacy:
                raise Malformed("", "needs credential_identifier or credential_configuration_id")
        proof_type, proofs = _proofs(members, legacy=legacy)
        return cls(identifier, configuration_id, proof_type, proofs, _encryption(members, legacy=legacy))

    def to_json(self) -> dict[str, Json]:
        """The body of the request."""
        members: dict[str, Json] = {}
        if self.identifier is not None:
            members["credential_identifier"] = self.identifier
        if self.configuration_id is not None:
            members["credential_configuration_id"] = self.configuration_id
        if self.proof_type is not None:
            members["proofs"] = {self.proof_type: list(self.proofs)}
        if self.response_encryption is not None:
            members["credential_response_encryption"] = self.response_encryption.to_json()
        return members


@dataclass(frozen=True, slots=True)
class DeferredRequest:
    """A Deferred Credential Request (OID4VCI §9.1)."""

    transaction_id: str
    response_encryption: ResponseEncryption | None = None

    @classmethod
    def parse(cls, value: Json | bytes) -> Self:
        """Raises :class:`OAuthRefusal` with the codes of OID4VCI §9.3."""
        members = _members(value, INVALID)
        with refusing(INVALID):
            transaction_id = _text(members, "transaction_id")
        return cls(transaction_id, _encryption(members))

    def to_json(self) -> dict[str, Json]:
        """The body of the request."""
        members: dict[str, Json] = {"transaction_id": self.transaction_id}
        if self.response_encryption is not None:
            members["credential_response_encryption"] = self.response_encryption.to_json()
        return members


@dataclass(frozen=True, slots=True)
class Notification:
    """What became of issued credentials, as the wallet tells (OID4VCI §11.1)."""

    id: str
    event: str  # one of EVENTS
    description: str | None = None

    @classmethod
    def parse(cls, value: Json | bytes) -> Self:
        """Raises :class:`OAuthRefusal` with ``invalid_notification_request`` (OID4VCI §11.3)."""
        code = "invalid_notification_request"
        members = _members(value, code)
        with refusing(code):
            event = _text(members, "event")
            if event not in EVENTS:
                raise Malformed("event", f"not one of {', '.join(EVENTS)}")
            description = members.get("event_description")
            if description is not None and not (isinstance(description, str) and _PRINTABLE.match(description)):
                raise Malformed("event_description", "not a text of at most 1024 characters of ASCII")
            return cls(_text(members, "notification_id"), event, description)

    def to_json(self) -> dict[str, Json]:
        """The body of the request."""
        members: dict[str, Json] = {"notification_id": self.id, "event": self.event}
        return members if self.description is None else {**members, "event_description": self.description}


@dataclass(frozen=True, slots=True)
class AuthorizationDetail:
    """An entry of ``authorization_details`` (OID4VCI §5.1.1), with the identifiers that a token response adds."""

    configuration_id: str
    identifiers: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    claims: tuple[tuple[str | int | None, ...], ...] = ()  # the paths that are asked for (appendix B.1)

    def to_json(self) -> dict[str, Json]:
        """The entry."""
        members: dict[str, Json] = {"type": OPENID_CREDENTIAL, "credential_configuration_id": self.configuration_id}
        if self.identifiers:
            members["credential_identifiers"] = list[Json](self.identifiers)
        if self.locations:
            members["locations"] = list[Json](self.locations)
        if self.claims:
            members["claims"] = [{"path": list[Json](path)} for path in self.claims]
        return members


def parse_authorization_details(
    text: str | Sequence[Json], *, issuer: str | None = None, locations_required: bool = False
) -> tuple[AuthorizationDetail, ...]:
    """``authorization_details``: the JSON text of a request, or a token response's list (RFC 9396, OID4VCI §5.1.1).

    With ``issuer``, locations have to name that Credential Issuer; ``locations_required`` is for an issuer whose
    metadata lists authorization servers. Raises :class:`OAuthRefusal` with ``invalid_authorization_details``.
    """
    with refusing("invalid_authorization_details"):
        value = (
            parse_json(_utf8(text), where="authorization_details", limits=MAX_REQUEST)
            if isinstance(text, str)
            else text
        )
        if not isinstance(value, Sequence) or isinstance(value, str) or not 0 < len(value) <= MAX_DETAILS:
            raise Malformed("authorization_details", f"not a list of 1 to {MAX_DETAILS}")
        found = tuple(_detail(entry, f"authorization_details/{index}") for index, entry in enumerate(value))
        for index, detail in enumerate(found):
            wrong = issuer is not None and detail.locations and issuer not in detail.locations
            if wrong or (locations_required and not detail.locations):
                raise Malformed(f"authorization_details/{index}/locations", "has to name the Credential Issuer")
        return found


def _detail(entry: Json, where: str) -> AuthorizationDetail:
    if not isinstance(entry, dict) or entry.get("type") != OPENID_CREDENTIAL:
        raise Malformed(f"{where}/type", f"only {OPENID_CREDENTIAL} is known here")
    return AuthorizationDetail(
        _text(entry, "credential_configuration_id", where),
        _texts(entry, "credential_identifiers", MAX_IDENTIFIERS, where),
        _texts(entry, "locations", MAX_DETAILS, where),
        tuple(_claims(entry, where)),
    )


def _claims(entry: Object, where: str) -> Iterator[tuple[str | int | None, ...]]:
    for index, claim in enumerate(_list(entry, "claims", MAX_CLAIMS, where)):
        path = _list(claim, "path", MAX_PATH, f"{where}/claims/{index}") if isinstance(claim, dict) else []
        parts = [part for part in path if part is None or isinstance(part, str) or (type(part) is int and part >= 0)]
        if not path or len(parts) != len(path):
            raise Malformed(f"{where}/claims/{index}/path", "not a claims path")
        yield tuple(parts)


def _proofs(members: Object, *, legacy: bool) -> tuple[str | None, tuple[Json, ...]]:
    with refusing("invalid_proof"):
        if legacy and "proof" in members:
            return _single_proof(members)
        proofs = members.get("proofs")
        if proofs is None:
            return None, ()
        if not isinstance(proofs, dict) or len(proofs) != 1:
            raise Malformed("proofs", "needs exactly one proof type")
        ((proof_type, values),) = proofs.items()
        if not isinstance(values, list) or not 0 < len(values) <= MAX_PROOFS:
            raise Malformed("proofs", f"needs a list of 1 to {MAX_PROOFS} proofs")
        return proof_type, tuple(values)


def _single_proof(members: Object) -> tuple[str, tuple[Json, ...]]:
    """The ``proof`` of drafts 13 to 15: {"proof_type": "jwt", "jwt": …}."""
    if "proofs" in members:
        raise Malformed("proof", "proof and proofs exclude each other")
    proof = members["proof"]
    proof_type = proof.get("proof_type") if isinstance(proof, dict) else None
    name = {"ldp_vp": "di_vp"}.get(proof_type, proof_type) if isinstance(proof_type, str) else None
    if not isinstance(proof, dict) or not isinstance(proof_type, str) or name is None or proof_type not in proof:
        raise Malformed("proof", "needs proof_type, and a member of that name")
    return name, (proof[proof_type],)


def _encryption(members: Object, *, legacy: bool = False) -> ResponseEncryption | None:
    value = members.get("credential_response_encryption")
    return None if value is None else ResponseEncryption.parse(value, legacy=legacy)


def _members(value: Json | bytes, error: str) -> Mapping[str, Json]:
    with refusing(error):
        read = parse_json(value, where="body", limits=MAX_REQUEST) if isinstance(value, bytes) else value
        if not isinstance(read, dict):
            raise Malformed("body", "not a JSON object")
        return read


def _optional_text(members: Object, name: str) -> str | None:
    return _text(members, name) if name in members else None


def _text(members: Object, name: str, where: str = "") -> str:
    value = members.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
        raise Malformed(f"{where}/{name}", f"missing, or not a text of at most {MAX_TEXT} characters")
    return value


def _texts(members: Object, name: str, most: int, where: str) -> tuple[str, ...]:
    listed = _list(members, name, most, where)
    texts = tuple(value for value in listed if isinstance(value, str) and 0 < len(value) <= MAX_TEXT)
    if len(texts) != len(listed):
        raise Malformed(f"{where}/{name}", f"not a list of texts of at most {MAX_TEXT} characters")
    return texts


def _list(members: Object, name: str, most: int, where: str) -> list[Json]:
    """A list that may be absent, but not empty."""
    if name not in members:
        return []
    value = members[name]
    if not isinstance(value, list) or not 0 < len(value) <= most:
        raise Malformed(f"{where}/{name}", f"not a list of 1 to {most}")
    return value


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # which is not UTF-8, and refused as such
