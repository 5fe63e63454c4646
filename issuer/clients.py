"""Who asks: a wallet that is vouched for (attestation-based client authentication, OpenID4VCI appendix E), a key that
tokens are bound to (DPoP, RFC 9449), or anybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import sqlalchemy as sa
from aiohttp import web

from issuer import nonces, tickets
from issuer.config import Config
from issuer.deps import Deps
from issuer.roots import wallet_roots
from vc.client_attestation import AttestedClient, verify_client_attestation
from vc.dpop import ALGORITHMS, DpopProof, verify_dpop
from vc.oauth import OAuthRefusal, parse_form, single_header

ATTESTATION: Final = "OAuth-Client-Attestation"
POP: Final = "OAuth-Client-Attestation-PoP"

FORM: Final = "application/x-www-form-urlencoded"
MAX_CLIENT: Final = 512  # characters of a client_id
KEPT: Final = 900  # seconds that a proof's identifier is remembered: longer than any proof counts


@dataclass(frozen=True, slots=True)
class Asking:
    """What a request shows of who sends it, before anything is looked up."""

    dpop: str | None
    attestation: str | None
    pop: str | None
    method: str
    url: str

    @classmethod
    def of(cls, request: web.Request, config: Config) -> "Asking":
        """Raises :class:`OAuthRefusal` for a header that is there twice."""
        headers = request.headers
        return cls(
            single_header(headers.getall("DPoP", []), "DPoP", error="invalid_dpop_proof"),
            single_header(headers.getall(ATTESTATION, []), ATTESTATION),
            single_header(headers.getall(POP, []), POP),
            request.method,
            endpoint_url(request, config),
        )


@dataclass(frozen=True, slots=True)
class Client:
    """Who sends a request. ``id`` is empty for nobody in particular; ``jkt`` is the key of its DPoP proof."""

    id: str
    attested: bool
    jkt: str | None


async def read_form(request: web.Request) -> dict[str, str]:
    """The parameters of a request to the token or PAR endpoint. Raises :class:`OAuthRefusal`."""
    if request.content_type != FORM:
        raise OAuthRefusal("invalid_request", f"send {FORM}", status=415)
    return parse_form(await request.read())


def endpoint_url(request: web.Request, config: Config) -> str:
    """The URL of a request as clients know it, whatever stands before us."""
    parts = urlsplit(config.base)
    return f"{parts.scheme}://{parts.netloc}{request.rel_url.raw_path}"


def identify(deps: Deps, asking: Asking, form: Mapping[str, str]) -> Client:
    """The client behind a request to the token or PAR endpoint; what it proves with is used up.

    Raises :class:`OAuthRefusal`: ``invalid_client``, ``invalid_dpop_proof``, ``use_dpop_nonce``.
    """
    named = form.get("client_id", "")
    if len(named) > MAX_CLIENT or not named.isprintable():
        raise OAuthRefusal("invalid_request", f"client_id is longer than {MAX_CLIENT} characters, or not printable")
    attested = _attested(deps, asking)
    if attested is not None and named not in ("", attested.client_id):
        raise OAuthRefusal("invalid_client", "client_id is not the sub of the client attestation", status=401)
    proof = prove(deps, asking, access_token=None, jkt=None) if asking.dpop is not None else None
    if attested is not None or proof is not None:
        with deps.database.write() as connection:
            if attested is not None:
                _use(connection, f"attestation {attested.jkt} {attested.jti}", deps, "invalid_client")
            if proof is not None:
                use_proof(connection, proof, deps)
    return Client(attested.client_id if attested else named, attested is not None, proof.jkt if proof else None)


def prove(deps: Deps, asking: Asking, *, access_token: str | None, jkt: str | None) -> DpopProof:
    """The DPoP proof of a request; that it is used once is for :func:`use_proof`. Raises :class:`OAuthRefusal`."""
    ring, now, config = deps.keyring(), deps.seconds, deps.config
    try:
        return verify_dpop(
            asking.dpop or "",
            method=asking.method,
            url=asking.url,
            at=deps.now(),
            access_token=access_token,
            check_nonce=lambda text: nonces.check_nonce(
                ring.secret, text, now=now, lifetime=config.nonce_lifetime, label=nonces.DPOP
            ),
            jkt=jkt,
        )
    except OAuthRefusal as refusal:
        if refusal.error == "use_dpop_nonce":
            refusal.headers["DPoP-Nonce"] = dpop_nonce(deps)
        raise


def use_proof(connection: sa.Connection, proof: DpopProof, deps: Deps) -> None:
    """Note that a proof is used. Raises :class:`OAuthRefusal` where it was used before."""
    _use(connection, f"dpop {proof.jkt} {proof.jti}", deps, "invalid_dpop_proof")


def dpop_nonce(deps: Deps) -> str:
    """A nonce for the next DPoP proof (RFC 9449 §8)."""
    return nonces.new_nonce(deps.keyring().secret, now=deps.seconds, rand=deps.rand, label=nonces.DPOP)


def dpop_algorithms() -> str:
    """For ``WWW-Authenticate`` (RFC 9449 §7.1)."""
    return " ".join(ALGORITHMS)


def _attested(deps: Deps, asking: Asking) -> AttestedClient | None:
    """The wallet that its provider vouches for. Without roots nobody is believed, and none is asked for."""
    config = deps.config
    if asking.attestation is None or asking.pop is None:
        if config.haip or (asking.attestation, asking.pop) != (None, None):
            raise OAuthRefusal("invalid_client", f"send {ATTESTATION} and {POP}", status=401)
        return None
    if not config.wallet_roots and not config.haip:
        return None
    return verify_client_attestation(
        asking.attestation,
        asking.pop,
        audience=config.base,
        at=deps.now(),
        roots=wallet_roots(config.wallet_roots),
        check_challenge=None,  # we give none: each proof of possession is fresh, and good once
    )


def _use(connection: sa.Connection, what: str, deps: Deps, error: str) -> None:
    if not tickets.spend(connection, what, expires=deps.seconds + KEPT):
        raise OAuthRefusal(error, "this proof was used before: make a new one for each request")
