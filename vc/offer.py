"""Credential offers (OID4VCI §4): what an issuer holds ready, and how a wallet may get it. Both ends use these.

An offer travels in a link, by value or by reference. Members that are not known are ignored.
"""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self
from urllib.parse import quote, urlsplit

from vc.canon import Json, Limits, parse_json, to_json
from vc.errors import Malformed
from vc.model import Object
from vc.oauth import OAuthRefusal, parse_form

PRE_AUTHORIZED: Final = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
AUTHORIZATION_CODE: Final = "authorization_code"
SCHEMES: Final = ("openid-credential-offer", "haip")  # OID4VCI appendix G.6, HAIP §4.2

MAX_OFFER: Final = Limits(size=1 << 16, depth=8)
MAX_LINK: Final = 1 << 17  # characters: an offer by value with every character escaped
MAX_CONFIGURATIONS: Final = 64
MAX_URL: Final = 2048
MAX_TEXT: Final = 1024  # of codes and names
MAX_DESCRIPTION: Final = 300  # OID4VCI §4.1.1
MAX_TX_CODE: Final = 64

_MODES: Final = ("numeric", "text")
_WHERE: Final = "credential offer"
_NOTHING: Final[Object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class TxCode:
    """What the transaction code looks like that the worker has to type in (OID4VCI §4.1.1)."""

    input_mode: str = "numeric"
    length: int | None = None
    description: str | None = None

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Raises :class:`Malformed`."""
        where = f"{_WHERE}/tx_code"
        if not isinstance(value, dict):
            raise Malformed(where, "not an object")
        mode, length, description = (value.get(name) for name in ("input_mode", "length", "description"))
        if mode is not None and mode not in _MODES:
            raise Malformed(f"{where}/input_mode", "neither numeric nor text")
        if length is not None and (type(length) is not int or not 0 < length <= MAX_TX_CODE):
            raise Malformed(f"{where}/length", f"not a number from 1 to {MAX_TX_CODE}")
        if description is not None and (not isinstance(description, str) or len(description) > MAX_DESCRIPTION):
            raise Malformed(f"{where}/description", f"not a text of at most {MAX_DESCRIPTION} characters")
        return cls(str(mode or "numeric"), length, description)

    def to_json(self) -> dict[str, Json]:
        """The object in an offer."""
        members: dict[str, Json] = {"input_mode": self.input_mode}
        members |= {} if self.length is None else {"length": self.length}
        return members | ({} if self.description is None else {"description": self.description})


@dataclass(frozen=True, slots=True)
class AuthorizationCodeGrant:
    """The worker signs in at the issuer's authorization server (OID4VCI §4.1.1)."""

    issuer_state: str | None = None
    authorization_server: str | None = None

    def to_json(self) -> dict[str, Json]:
        """The grant's object in an offer."""
        return _present(issuer_state=self.issuer_state, authorization_server=self.authorization_server)


@dataclass(frozen=True, slots=True)
class PreAuthorizedGrant:
    """The issuer knows already for whom the offer is (OID4VCI §4.1.1). The code is a secret until it is used."""

    code: str = field(repr=False)
    tx_code: TxCode | None = None
    authorization_server: str | None = None

    def to_json(self) -> dict[str, Json]:
        """The grant's object in an offer."""
        return {
            "pre-authorized_code": self.code,
            **({"tx_code": self.tx_code.to_json()} if self.tx_code else {}),
            **_present(authorization_server=self.authorization_server),
        }


@dataclass(frozen=True, slots=True)
class CredentialOffer:
    """An offer (OID4VCI §4.1.1). Without any grant, the wallet looks into the metadata of the authorization server."""

    issuer: str
    configuration_ids: tuple[str, ...]
    authorization_code: AuthorizationCodeGrant | None = None
    pre_authorized: PreAuthorizedGrant | None = None

    @classmethod
    def parse(cls, value: Json | bytes) -> Self:
        """An offer, or its JSON text as received. Raises :class:`Malformed`."""
        read = parse_json(value, where=_WHERE, limits=MAX_OFFER) if isinstance(value, bytes) else value
        if not isinstance(read, dict):
            raise Malformed(_WHERE, "not a JSON object")
        grants = read.get("grants", {})
        if not isinstance(grants, dict):
            raise Malformed(f"{_WHERE}/grants", "not an object")
        code, ahead = (_grant(grants, name) for name in (AUTHORIZATION_CODE, PRE_AUTHORIZED))
        return cls(
            check_https(_text(read, "credential_issuer", MAX_URL), where=f"{_WHERE}/credential_issuer"),
            _configuration_ids(read.get("credential_configuration_ids")),
            None if code is None else AuthorizationCodeGrant(_optional(code, "issuer_state"), _server(code)),
            None
            if ahead is None
            else PreAuthorizedGrant(
                _text(ahead, "pre-authorized_code", MAX_TEXT),
                TxCode.parse(ahead["tx_code"]) if "tx_code" in ahead else None,
                _server(ahead),
            ),
        )

    def to_json(self) -> dict[str, Json]:
        """The offer as JSON."""
        grants: dict[str, Json] = {}
        if self.authorization_code is not None:
            grants[AUTHORIZATION_CODE] = self.authorization_code.to_json()
        if self.pre_authorized is not None:
            grants[PRE_AUTHORIZED] = self.pre_authorized.to_json()
        return {
            "credential_issuer": self.issuer,
            "credential_configuration_ids": list[Json](self.configuration_ids),
            **({"grants": grants} if grants else {}),
        }

    def link(self, *, scheme: str = SCHEMES[0]) -> str:
        """A link with the offer in it (OID4VCI §4.1.2); ``scheme`` is one of SCHEMES, or an https URL of a wallet."""
        return _link(scheme, "credential_offer", to_json(self.to_json()).decode("utf-8"))


@dataclass(frozen=True, slots=True)
class OfferReference:
    """Where to fetch an offer, by HTTP GET, as ``application/json`` (OID4VCI §4.1.3)."""

    uri: str


def offer_link_by_reference(uri: str, *, scheme: str = SCHEMES[0]) -> str:
    """A link that says where the offer is (OID4VCI §4.1.3), short enough for a QR code."""
    return _link(scheme, "credential_offer_uri", uri)


def parse_offer_link(text: str) -> CredentialOffer | OfferReference:
    """The offer of a link, or where it is: openid-credential-offer://, haip://, or a wallet's https URL (OID4VCI §4.1).

    Raises :class:`Malformed`.
    """
    if len(text) > MAX_LINK:
        raise Malformed("offer link", f"longer than {MAX_LINK} characters", code="TOO_LARGE")
    try:
        parts = urlsplit(text.strip())
        members = parse_form(parts.query.encode("ascii"), limit=MAX_LINK)
    except (ValueError, OAuthRefusal):
        raise Malformed("offer link", "not a link with one credential_offer or credential_offer_uri") from None
    if parts.scheme.lower() not in (*SCHEMES, "https"):
        raise Malformed("offer link", f"starts with none of {', '.join((*SCHEMES, 'https'))}")
    found = [name for name in ("credential_offer", "credential_offer_uri") if name in members]
    if found == ["credential_offer"]:
        return CredentialOffer.parse(members["credential_offer"].encode("utf-8", "surrogatepass"))
    if found == ["credential_offer_uri"]:
        return OfferReference(check_https(members["credential_offer_uri"], where="credential_offer_uri", query=True))
    raise Malformed("offer link", "needs exactly one of credential_offer and credential_offer_uri")


def check_https(url: str, *, where: str, query: bool = False) -> str:
    """``url``, if it is an https URL with a host, without user and fragment, and without a query unless it may have
    one (OID4VCI §12.2.1); http only for the machine itself, where developers try things. Raises :class:`Malformed`."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Malformed(where, "not a URL") from None
    local = parts.scheme == "http" and host in ("localhost", "127.0.0.1", "::1")
    odd = "@" in parts.netloc or "#" in url or ("?" in url and not query) or not url.isascii() or len(url) > MAX_URL
    if not host or odd or not (parts.scheme == "https" or local) or any(one <= " " for one in url):
        raise Malformed(where, "not an https URL of an issuer, without user, query and fragment")
    return url


def _link(scheme: str, name: str, value: str) -> str:
    if scheme in SCHEMES:
        return f"{scheme}://?{name}={quote(value, safe='')}"
    check_https(scheme, where="scheme", query=True)
    return f"{scheme}{'&' if '?' in scheme else '?'}{name}={quote(value, safe='')}"


def _configuration_ids(value: Json) -> tuple[str, ...]:
    where = f"{_WHERE}/credential_configuration_ids"
    if not isinstance(value, list) or not 0 < len(value) <= MAX_CONFIGURATIONS:
        raise Malformed(where, f"not a list of 1 to {MAX_CONFIGURATIONS} texts")
    names = tuple(name for name in value if isinstance(name, str) and 0 < len(name) <= MAX_TEXT)
    if len(set(names)) != len(value):
        raise Malformed(where, f"not different texts of at most {MAX_TEXT} characters")
    return names


def _grant(grants: Object, name: str) -> Object | None:
    value = grants.get(name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Malformed(f"{_WHERE}/grants", f"{name} is not an object")
    return value


def _server(grant: Object) -> str | None:
    server = _optional(grant, "authorization_server")
    return None if server is None else check_https(server, where=f"{_WHERE}/authorization_server")


def _optional(members: Object, name: str) -> str | None:
    return _text(members, name, MAX_TEXT) if name in members else None


def _text(members: Object, name: str, limit: int) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= limit:
        raise Malformed(f"{_WHERE}/{name}", f"missing, or not a text of at most {limit} characters")
    return value


def _present(**members: str | None) -> dict[str, Json]:
    return {name: value for name, value in members.items() if value is not None}
