"""What an issuer and its authorization server say of themselves (OpenID4VCI §12.2, §12.3, RFC 8414)."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from vc.canon import Json
from vc.errors import Finding, Malformed, Rejected, Unsupported
from vc.keys import Ed25519Key, P256Key, Signer
from vc.model import Object
from vc.offer import AUTHORIZATION_CODE, PRE_AUTHORIZED, check_https
from wallet.encrypted import Sealing
from wallet.issuer_session import Session, origin

MAX_SERVERS: Final = 8  # of one issuer
MAX_BATCH: Final = 100  # copies that this wallet asks for at once

_ATTESTED: Final = "attest_jwt_client_auth"
_ISSUER: Final = "openid-credential-issuer"
_SERVERS: Final = ("oauth-authorization-server", "openid-configuration")


async def discover(session: Session, *, grant: str | None, server: str | None) -> str:
    """Fetch the metadata of the issuer and of the authorization server that is to give the tokens; its identifier.

    ``server`` is the one that the offer names, or that gave tokens before. Raises :class:`Rejected` where somebody
    else's metadata is there, and for a server that the issuer does not list.
    """
    session.metadata = await _of_issuer(session)
    listed = _servers(session)
    if server is not None and server not in listed:
        why = f"the offer leads to {server[:100]}, which the platform does not name as its own: nothing was sent"
        raise Rejected((Finding("SERVER_UNKNOWN", why, ""),))
    for name in (server,) if server is not None else listed:
        session.server = await _of_server(session, name)
        if grant is None or grant in grants(session.server):
            return name
    raise Unsupported("issuer", "none of its authorization servers gives tokens in the way of this offer")


def grants(server: Object) -> tuple[str, ...]:
    """The grant types of an authorization server: any, where it lists none."""
    listed = server.get("grant_types_supported")
    if not isinstance(listed, list):
        return (AUTHORIZATION_CODE, PRE_AUTHORIZED, "refresh_token")
    return tuple(str(one) for one in listed)


def new_dpop_key(session: Session) -> Signer | None:
    """A key for DPoP in an algorithm of the server, or None for a server that does not offer it."""
    offered = session.server.get("dpop_signing_alg_values_supported")
    if not isinstance(offered, list) or not offered:
        return None
    if "ES256" in offered:
        return P256Key.generate(session.rand)
    if "EdDSA" in offered or "Ed25519" in offered:
        return Ed25519Key.from_seed(session.rand(32))
    raise Unsupported("issuer", "it takes no proof of a key that this wallet can make (ES256 or EdDSA)")


def check_client(server: Object) -> None:
    """Raise :class:`Unsupported` for a server that gives tokens only to wallets that their maker vouches for
    (OpenID4VCI appendix E, HAIP §4.4.1): nobody vouches for this one, and that is known before an offer is used up."""
    methods = server.get("token_endpoint_auth_methods_supported")
    if isinstance(methods, list) and _ATTESTED in methods and "none" not in methods:
        what = (
            "it gives only to wallets that their maker vouches for (wallet attestation), and nobody does for this one"
        )
        raise Unsupported("issuer", what, code="WALLET_ATTESTATION_NEEDED")


def batch_size(metadata: Object) -> int:
    """How many copies may be asked for at once (§12.2.4)."""
    match metadata.get("batch_credential_issuance"):
        case {"batch_size": int(size)} if size > 1:
            return min(size, MAX_BATCH)
    return 1


def configuration(metadata: Object, name: str) -> Object:
    """One of ``credential_configurations_supported``. Raises :class:`Unsupported` where it is not there any more."""
    known = metadata.get("credential_configurations_supported")
    found = known.get(name) if isinstance(known, dict) else None
    if not isinstance(found, dict):
        raise Unsupported("issuer", f"it does not describe {name[:100]}: ask the platform for a new offer")
    return found


async def _of_issuer(session: Session) -> Object:
    metadata = await _first(session, _well_known(session.issuer, _ISSUER))
    if metadata.get("credential_issuer") != session.issuer:
        raise Rejected((Finding("ISSUER_MISMATCH", "the metadata is of another issuer: nothing was fetched", ""),))
    Sealing.parse(metadata)  # what cannot be asked for in its way is known before an offer is used up
    return metadata


async def _of_server(session: Session, name: str) -> Object:
    places = [url for each in _SERVERS for url in _well_known(name, each)]
    server = await _first(session, dict.fromkeys(places))
    if server.get("issuer") != name:  # RFC 8414 §3.3
        raise Rejected((Finding("ISSUER_MISMATCH", "the metadata is of another server: nothing was fetched", ""),))
    return server


async def _first(session: Session, places: Iterator[str] | dict[str, None]) -> dict[str, Json]:
    where = ""
    for where in places:
        found = await session.find(where)
        if found is not None:
            return found
    raise Malformed(where, "the platform does not describe itself there: ask it for another offer", code="NO_METADATA")


def _servers(session: Session) -> tuple[str, ...]:
    """The issuer itself, where it names no other."""
    listed = session.metadata.get("authorization_servers")
    if listed is None:
        return (session.issuer,)
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_SERVERS:
        raise Malformed("authorization_servers", f"not a list of 1 to {MAX_SERVERS} servers")
    return tuple(check_https(one if isinstance(one, str) else "", where="authorization_servers") for one in listed)


def _well_known(name: str, suffix: str) -> Iterator[str]:
    """Before the path of an issuer (RFC 8615, §12.2.2), and behind it, where older issuers have it."""
    path = urlsplit(name).path.rstrip("/")
    yield f"{origin(name)}/.well-known/{suffix}{path}"
    if path:
        yield f"{name.rstrip('/')}/.well-known/{suffix}"
