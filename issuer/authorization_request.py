"""An authorization request (RFC 6749 §4.1.1, OpenID4VCI §5.1), read once: afterwards it is a type."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit

import sqlalchemy as sa

from issuer import tickets
from issuer.clients import MAX_CLIENT, Client
from issuer.deps import Deps
from issuer.formats import CONFIGURATIONS
from issuer.offers import open_offer
from issuer.scopes import Asked, read_asked
from issuer.tickets import Kind
from vc.oauth import OAuthRefusal, check_pkce_challenge

MAX_REDIRECT: Final = 2048
MAX_STATE: Final = 2048

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})  # RFC 8252 §7.3
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]{1,62}\Z")
_VISIBLE: Final = re.compile(r"[!-~]+\Z")
# Nothing else, since it stands in a policy header, and is read by people who decide by it.
_AUTHORITY: Final = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?\Z")
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z")
# Schemes that a browser or a system does something of its own with: no wallet is behind them.
_NOT_APPS: Final = frozenset(
    {
        *("about", "blob", "chrome", "content", "data", "file", "filesystem", "ftp", "ftps", "gopher", "intent"),
        *("jar", "javascript", "ldap", "mailto", "res", "resource", "shell", "sms", "smsto", "ssh", "sftp", "tel"),
        *("telnet", "urn", "vbscript", "view-source", "ws", "wss", "wyciwyg"),
    }
)


@dataclass(frozen=True, slots=True)
class Back:
    """Where the browser goes back to: the wallet."""

    client: str
    redirect_uri: str
    state: str | None

    @classmethod
    def parse(cls, form: Mapping[str, str]) -> Self:
        """Raises :class:`OAuthRefusal`: nobody is sent to an address that is not right."""
        client, uri, state = form.get("client_id", ""), form.get("redirect_uri", ""), form.get("state")
        if not client or len(client) > MAX_CLIENT or not client.isprintable():
            raise OAuthRefusal("invalid_request", f"client_id is missing or not of at most {MAX_CLIENT} characters")
        if not is_redirect_uri(uri):
            raise OAuthRefusal(
                "invalid_request",
                "redirect_uri is missing, or not https, an app's own scheme, or http on the device itself; "
                "it has no fragment and no user",
            )
        if state is not None and len(state) > MAX_STATE:
            raise OAuthRefusal("invalid_request", f"state is longer than {MAX_STATE} characters")
        return cls(client, uri, state)

    @property
    def scheme(self) -> str:
        """The scheme of the redirect URI."""
        return self.redirect_uri.partition(":")[0]

    @property
    def host(self) -> str:
        """Who a person goes back to: a web site's host, or the scheme that an app on this device answers to."""
        return urlsplit(self.redirect_uri).netloc if self.scheme in ("https", "http") else f"{self.scheme}:"

    @property
    def source(self) -> str:
        """The redirect URI's origin or scheme, as a Content-Security-Policy names it."""
        return f"{self.scheme}://{self.host}" if self.scheme in ("https", "http") else f"{self.scheme}:"

    @property
    def stays_here(self) -> bool:
        """Whether going back opens an app on the device, and no web site that anybody could have named."""
        return self.scheme != "https"

    def location(self, issuer: str, **parameters: str) -> str:
        """The address of an authorization response (RFC 6749 §4.1.2, with ``iss``: RFC 9207)."""
        state = {} if self.state is None else {"state": self.state}
        said = {**parameters, **state, "iss": issuer}
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in said.items())
        return f"{self.redirect_uri}{'&' if '?' in self.redirect_uri else '?'}{query}"


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What a wallet asks for, and where it wants the answer. ``offer`` is the offer that ``issuer_state`` names."""

    back: Back
    challenge: str
    asked: Asked
    offer: str | None
    jkt: str | None
    attested: bool

    @classmethod
    def read(cls, connection: sa.Connection, form: Mapping[str, str], back: Back, client: Client, deps: Deps) -> Self:
        """Raises :class:`OAuthRefusal` (RFC 6749 §4.1.2.1, RFC 7636 §4.4.1, RFC 8707 §2)."""
        if form.get("response_type") != "code":
            code = "unsupported_response_type" if "response_type" in form else "invalid_request"
            raise OAuthRefusal(code, "response_type has to be code")
        if form.get("response_mode", "query") != "query":
            raise OAuthRefusal("invalid_request", "response_mode has to be query")
        if "request" in form:
            raise OAuthRefusal("request_not_supported", "send the parameters to the endpoint of pushed requests")
        if form.get("resource", deps.config.base) != deps.config.base:
            raise OAuthRefusal("invalid_target", "resource is not this issuer")
        challenge = check_pkce_challenge(form.get("code_challenge"), form.get("code_challenge_method"))
        offer = _offer(connection, form.get("issuer_state"), deps)
        # An offer is answered for (issuer.hold): what goes on with it gets what it offers, and no more.
        among = tuple(json.loads(offer.configurations)) if offer is not None else tuple(CONFIGURATIONS)
        asked = read_asked(form, issuer=deps.config.base, among=among)
        if asked is None:
            if offer is None:
                raise OAuthRefusal("invalid_scope", "say what to fetch: scope or authorization_details")
            asked = Asked(among, detailed=False)
        name = None if offer is None else str(offer.id)
        return cls(back, challenge, asked, name, _bound(form.get("dpop_jkt"), client), client.attested)

    def to_json(self) -> dict[str, Any]:
        """As a ticket keeps it."""
        return {
            "back": [self.back.client, self.back.redirect_uri, self.back.state],
            "challenge": self.challenge,
            "asked": [list(self.asked.configurations), self.asked.detailed],
            "offer": self.offer,
            "jkt": self.jkt,
            "attested": self.attested,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """From a ticket of ours."""
        configurations, detailed = kept["asked"]
        return cls(
            Back(*kept["back"]),
            kept["challenge"],
            Asked(tuple(configurations), detailed),
            kept["offer"],
            kept["jkt"],
            kept["attested"],
        )


def is_redirect_uri(text: str) -> bool:
    """Whether a wallet may be at this address: https, an app's own scheme, or http on the device (RFC 8252 §7)."""
    if not 0 < len(text) <= MAX_REDIRECT or not _VISIBLE.match(text) or "#" in text or "\\" in text:
        return False
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    if parts.scheme in ("http", "https"):
        named = bool(host) and bool(_AUTHORITY.match(parts.netloc)) and text.startswith(f"{parts.scheme}://")
        return named and (parts.scheme == "https" or host in _LOOPBACK)
    scheme, colon, rest = text.partition(":")
    return bool(colon and rest and _SCHEME.match(scheme)) and scheme not in _NOT_APPS


def _offer(connection: sa.Connection, issuer_state: str | None, deps: Deps) -> Any | None:
    """The offer that a wallet goes on with. It is claimed only when its worker has said yes."""
    if issuer_state is None:
        return None
    ticket = tickets.look(connection, Kind.ISSUER_STATE, issuer_state, now=deps.seconds)
    offer = ticket and open_offer(connection, ticket.session, now=deps.seconds)
    if offer is None:
        raise OAuthRefusal("invalid_request", "issuer_state is unknown, used or expired: ask for a new offer")
    return offer


def _bound(said: str | None, client: Client) -> str | None:
    """The key that the code is bound to (RFC 9449 §10)."""
    if said is not None and not _THUMBPRINT.match(said):
        raise OAuthRefusal("invalid_request", "dpop_jkt is not the thumbprint of a key")
    if said is not None and client.jkt not in (None, said):
        raise OAuthRefusal("invalid_dpop_proof", "dpop_jkt is not the key of the DPoP proof")
    return said or client.jkt
