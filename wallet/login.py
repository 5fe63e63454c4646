"""Logging in at the platform before it gives anything (OpenID4VCI §3.4, §5): the address that the worker opens in a
browser, and the address that the browser is sent back to.

What has to be known when the browser comes back is kept in the vault and taken out once: an address that comes back
twice gets nothing.
"""

import hmac
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self
from urllib.parse import quote, urlsplit

from vc.canon import Json
from vc.dpop import jwk_thumbprint
from vc.errors import Finding, Malformed, Rejected, Unsupported
from vc.jwk import public_jwk
from vc.model import format_date_time, parse_date_time
from vc.multibase import encode_base64url
from vc.oauth import OAuthRefusal, parse_form, pkce_challenge
from vc.offer import AUTHORIZATION_CODE, check_https
from wallet.accept import GivenOffer, find_wanted
from wallet.formats import SENSIBLE
from wallet.grants import Grant
from wallet.issuer_metadata import check_client, discover, new_dpop_key
from wallet.issuer_session import Ask, Session, document, origin
from wallet.keys import read_key, write_key
from wallet.tokens import redeem, what_is_asked
from wallet.vault import Item, Vault

LOGIN: Final = "login"
LIFETIME: Final = timedelta(minutes=15)
MAX_LOGINS: Final = 20  # open at one time
MAX_REDIRECTED: Final = 1 << 13  # characters of the address that comes back
MAX_TEXT: Final = 4096

_ISS_COMES: Final = "authorization_response_iss_parameter_supported"
_PUSHED: Final = "pushed_authorization_request_endpoint"


@dataclass(frozen=True, slots=True)
class Login:
    """A login that has begun: ``url`` is where the worker goes; everything else is for when they come back."""

    url: str = field(repr=False)
    state: str = field(repr=False)
    verifier: str = field(repr=False)  # PKCE
    issuer: str
    typed: str
    server: str
    client: str
    redirect: str
    configurations: tuple[str, ...]
    key: str = field(repr=False)  # as wallet.keys writes it
    copies: int
    until: datetime
    left_out: Mapping[str, str] = field(default_factory=dict)  # configurations of the offer, and why

    @classmethod
    def parse(cls, item: Item) -> Self:
        """A login of the vault."""
        match item.body:
            case {
                "texts": [*texts],
                "configurations": [*names],
                "copies": int(copies),
                "until": str(until),
                **more,
            } if len(texts) == len(_TEXTS):
                members = dict(zip(_TEXTS, map(str, texts), strict=True))
                moment = parse_date_time(until, where="the vault")
                left = more.get("leftOut")  # which earlier versions did not write
                left_out = {name: str(why) for name, why in left.items()} if isinstance(left, dict) else {}
                configurations = tuple(map(str, names))
                return cls(**members, configurations=configurations, copies=copies, until=moment, left_out=left_out)
        raise Malformed("the vault", "holds a login that this version does not know", code="VAULT_DAMAGED")

    def body(self) -> dict[str, Json]:
        """For the vault."""
        return {
            "texts": [str(getattr(self, name)) for name in _TEXTS],
            "configurations": list[Json](self.configurations),
            "copies": self.copies,
            "until": format_date_time(self.until),
            "leftOut": dict[str, Json](self.left_out),
        }


_TEXTS: Final = ("url", "state", "verifier", "issuer", "typed", "server", "client", "redirect", "key")


async def begin(
    offer: GivenOffer,
    *,
    ask: Ask,
    redirect: str,
    client: str,
    copies: int,
    now: Callable[[], datetime],
    rand: Callable[[int], bytes],
    formats: Collection[str] = SENSIBLE,
) -> Login:
    """Ask the platform for a login, for what :func:`wallet.formats.to_take` chooses of the offer. The request is pushed
    where that is possible (RFC 9126).

    Raises what :func:`wallet.accept.claim` does.
    """
    session = Session(ask, offer.issuer, offer.typed, now, rand)
    grant = offer.authorization_code
    named = grant.authorization_server if grant else None
    server = await discover(session, grant=AUTHORIZATION_CODE, server=named)
    wanted, left_out = find_wanted(offer, session.metadata, formats)
    check_client(session.server)
    session.key = new_dpop_key(session)
    state, verifier = encode_base64url(rand(32)), encode_base64url(rand(32))
    form = {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": redirect,
        "state": state,
        "code_challenge": pkce_challenge(verifier),
        "code_challenge_method": "S256",
        **what_is_asked(session, wanted),
        **({"issuer_state": grant.issuer_state} if grant and grant.issuer_state else {}),
    }
    return Login(
        url=await _address(session, form),
        state=state,
        verifier=verifier,
        issuer=offer.issuer,
        typed=offer.typed,
        server=server,
        client=client,
        redirect=redirect,
        configurations=wanted,
        key=write_key(session.key),
        copies=copies,
        until=now() + LIFETIME,
        left_out=left_out,
    )


async def finish(
    login: Login, redirected: str, *, ask: Ask, now: Callable[[], datetime], rand: Callable[[int], bytes]
) -> tuple[Session, Grant]:
    """Tokens for the code in the address that the browser was sent to (RFC 6749 §4.1.3).

    Raises :class:`Rejected` for an answer of somebody else (RFC 9207), or a no.
    """
    answer = read_redirected(redirected)
    session = Session(ask, login.issuer, login.typed, now, rand, key=read_key(login.key))
    session.left_out = login.left_out
    await discover(session, grant=None, server=login.server)
    _check_answer(answer, login, session)
    form = {
        "grant_type": AUTHORIZATION_CODE,
        "code": answer["code"],
        "redirect_uri": login.redirect,
        "code_verifier": login.verifier,
        "client_id": login.client,
    }
    grant = await redeem(
        session,
        form,
        server=login.server,
        client=login.client,
        configurations=login.configurations,
        copies=login.copies,
    )
    return session, grant


def read_redirected(url: str) -> dict[str, str]:
    """The parameters of the address that a browser was sent back to. Raises :class:`Malformed`."""
    odd = Malformed("the address", "not the one that your browser was sent to; copy all of it", code="BAD_REDIRECT")
    if len(url) > MAX_REDIRECTED:
        raise odd
    try:
        return parse_form(urlsplit(url.strip()).query.encode("ascii"))
    except (ValueError, OAuthRefusal):
        raise odd from None


def is_redirected(text: str) -> bool:
    """Whether a worker's input looks like the address of a finished login, rather than an offer."""
    try:
        answer = read_redirected(text)
    except Malformed:
        return False
    return "state" in answer and ("code" in answer or "error" in answer)


def keep_login(vault: Vault, login: Login, *, at: datetime, rand: Callable[[int], bytes]) -> None:
    """Write a login down until the browser comes back. Those that are over are forgotten."""
    with vault.transaction():
        items = vault.items(LOGIN)
        alive = [item for item in items if Login.parse(item).until > at][-(MAX_LOGINS - 1) :]
        vault.delete([item.id for item in items if item not in alive])
        vault.put([Item.new(LOGIN, login.body(), rand=rand)])


def take_login(vault: Vault, redirected: str, *, at: datetime) -> Login:
    """The login that an address belongs to, which is then no more. Raises :class:`Rejected` where there is none."""
    state = read_redirected(redirected).get("state", "").encode()
    with vault.transaction():
        for item in vault.items(LOGIN):
            login = Login.parse(item)
            if hmac.compare_digest(login.state.encode(), state):
                vault.delete([item.id])
                if login.until > at:
                    return login
    why = "no login of this wallet belongs to this address: it was used, or is too old. Begin again with the offer"
    raise Rejected((Finding("LOGIN_UNKNOWN", why),))


async def _address(session: Session, form: dict[str, str]) -> str:
    """Where the worker logs in, with the request behind a name where the server keeps it (RFC 9126 §4)."""
    target = check_https(session.endpoint("authorization_endpoint"), where="authorization_endpoint", query=True)
    if not target.startswith("https:") and origin(target) != session.typed:
        raise Malformed("authorization_endpoint", "leads to this machine, which your offer does not", code="BAD_URL")
    if session.find_endpoint(_PUSHED) is not None:
        body = document(await session.post_form(session.endpoint(_PUSHED), form), "the login")
        name = body.get("request_uri")
        if not isinstance(name, str) or not 0 < len(name) <= MAX_TEXT:
            raise Malformed("the login", "the platform keeps no request", code="BAD_PUSHED")
        form = {"client_id": form["client_id"], "request_uri": name}
    elif session.key is not None:
        form = {**form, "dpop_jkt": jwk_thumbprint(public_jwk(session.key.public))}  # RFC 9449 §10
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in form.items())
    return f"{target}{'&' if '?' in target else '?'}{query}"


def _check_answer(answer: dict[str, str], login: Login, session: Session) -> None:
    """RFC 9207 §2.4, RFC 6749 §4.1.2: an answer of the server that was asked, with a code."""
    unsaid = "" if session.server.get(_ISS_COMES) is True else login.server
    if answer.get("iss", unsaid) != login.server:
        why = "the answer is not from the server that you logged in with: nothing was sent to anybody"
        raise Rejected((Finding("MIX_UP", why),))
    if "error" in answer:
        error = answer["error"][:100]
        why = "you or the platform said no" if error == "access_denied" else f"the platform says: {error}"
        raise Rejected((Finding("LOGIN_REFUSED", f"{why}. Nothing was fetched"),))
    if "code" not in answer:
        raise Malformed("the address", "holds no code: copy all of it", code="BAD_REDIRECT")
    if not session.find_endpoint("token_endpoint"):
        raise Unsupported("issuer", "its server names no token_endpoint")
