"""Who asks: a wallet that is vouched for (attestation-based client authentication, OpenID4VCI appendix E), a key that
tokens are bound to (DPoP, RFC 9449), or anybody."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
class Mark:
    """That a proof is good once: ``what`` it is known by, and the error for whoever brings it again."""

    what: str
    error: str


@dataclass(frozen=True, slots=True)
class Client:
    """Who sends a request. ``id`` is empty for nobody in particular; ``jkt`` is the key of its DPoP proof; ``marks``
    are those of what it proves with."""

    id: str
    attested: bool
    jkt: str | None
    marks: tuple[Mark, ...] = ()


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
    """The client behind a request to the token or PAR endpoint. Its marks are for :func:`use`.

    Raises :class:`OAuthRefusal`: ``invalid_client``, ``invalid_dpop_proof``, ``use_dpop_nonce``.
    """
    named = form.get("client_id", "")
    if len(named) > MAX_CLIENT or not named.isprintable():
        raise OAuthRefusal("invalid_request", f"client_id is longer than {MAX_CLIENT} characters, or not printable")
    attested = _attested(deps, asking)
    if attested is not None and named not in ("", attested.client_id):
        raise OAuthRefusal("invalid_client", "client_id is not the sub of the client attestation", status=401)
    proof = prove(deps, asking, access_token=None, jkt=None) if asking.dpop is not None else None
    marks = [Mark(f"attestation {attested.jkt} {attested.jti}", "invalid_client")] if attested else []
    marks += [dpop_mark(proof)] if proof else []
    name = attested.client_id if attested else named
    return Client(name, attested is not None, proof.jkt if proof else None, tuple(marks))


def prove(deps: Deps, asking: Asking, *, access_token: str | None, jkt: str | None) -> DpopProof:
    """The DPoP proof of a request; that it is used once is for its :func:`dpop_mark`. Raises :class:`OAuthRefusal`."""
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


def dpop_mark(proof: DpopProof) -> Mark:
    """What a DPoP proof is known by when it comes again (RFC 9449 §11.1)."""
    return Mark(f"dpop {proof.jkt} {proof.jti}", "invalid_dpop_proof")


def use(connection: sa.Connection, deps: Deps, marks: Iterable[Mark]) -> None:
    """Note that proofs are used, in the transaction of what they are used for.

    Raises :class:`OAuthRefusal` for one that was used before."""
    for mark in marks:
        if not tickets.spend(connection, mark.what, expires=deps.seconds + KEPT):
            raise OAuthRefusal(mark.error, "this proof was used before: make a new one for each request")


def use_up(deps: Deps, marks: Iterable[Mark]) -> None:
    """Note that the proofs of a request are used that was refused: nobody tries it again with them."""
    with deps.database.write() as connection:
        for mark in marks:
            tickets.spend(connection, mark.what, expires=deps.seconds + KEPT)


@contextmanager
def used_anyway(deps: Deps, marks: Sequence[Mark]) -> Iterator[None]:
    """:func:`use_up` where the block refuses a request; where it does not, it uses them."""
    try:
        yield
    except OAuthRefusal:
        if marks:
            use_up(deps, marks)
        raise


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
