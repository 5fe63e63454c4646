"""Access tokens from an authorization server (OpenID4VCI §6), in whichever way they are asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from vc.canon import Json, to_json
from vc.errors import Finding, Malformed, Rejected
from vc.model import Object
from vc.oid4vci import OPENID_CREDENTIAL
from wallet.grants import Dataset, Grant, new_grant_id
from wallet.issuer_metadata import configuration
from wallet.issuer_session import Session, document, error_of

MAX_DATASETS: Final = 200  # credentials of one offer, before copies
MAX_TOKEN: Final = 1 << 16  # characters
MAX_LIFE: Final = 400 * 86_400  # seconds
UNSAID_LIFE: Final = 300  # seconds that a token is taken to be good where its server does not say

LOST: Final = (
    "the platform no longer takes this wallet's token: it ran out or was withdrawn, or the platform's last answer was "
    "lost on the way. What you have stays; ask the platform for a new offer"
)
UNRENEWABLE: Final = (
    "the platform gave this wallet no token to come back with. What you have stays; ask the platform for a new offer"
)


async def redeem(
    session: Session,
    form: Mapping[str, str],
    *,
    server: str,
    client: str,
    configurations: Sequence[str],
    copies: int,
) -> Grant:
    """Exchange a code for tokens. Raises what :func:`wallet.issuer_session.document` does, and :class:`Malformed`."""
    answer = await session.post_form(session.endpoint("token_endpoint"), form)
    body = document(answer, "the token endpoint")
    blank = Grant(
        id=new_grant_id(session.rand),
        issuer=session.issuer,
        typed=session.typed,
        server=server,
        client=client,
        key=session.key,
        access="",
        until=session.now(),
        refresh="",
        datasets=tuple(Dataset(name) for name in configurations),
        copies=copies,
    )
    return _granted(blank, body, session)


async def renew(session: Session, grant: Grant) -> Grant:
    """New tokens for a refresh token (§6, RFC 6749 §6). The old one may be used up, whatever comes of it.

    Raises :class:`Rejected` ``GRANT_LOST`` where the server does not take it any more.
    """
    form = {"grant_type": "refresh_token", "refresh_token": grant.refresh}
    form |= {"client_id": grant.client} if grant.client else {}
    answer = await session.post_form(session.endpoint("token_endpoint"), form)
    if 400 <= answer.status < 500 and error_of(answer) == "invalid_grant":
        raise Rejected((Finding("GRANT_LOST", LOST),))
    return _granted(grant, document(answer, "the token endpoint"), session)


def what_is_asked(session: Session, configurations: Sequence[str]) -> dict[str, str]:
    """``authorization_details`` where the server knows them (§5.1.1), or ``scope`` (§5.1.2)."""
    known = session.server.get("authorization_details_types_supported")
    if isinstance(known, list) and OPENID_CREDENTIAL in known:
        # §5.1.1: needed where a server may serve several issuers
        where: dict[str, Json] = {"locations": [session.issuer]} if "authorization_servers" in session.metadata else {}
        details: list[Json] = [
            {"type": OPENID_CREDENTIAL, "credential_configuration_id": name, **where} for name in configurations
        ]
        return {"authorization_details": to_json(details).decode()}
    scopes = [configuration(session.metadata, name).get("scope") for name in configurations]
    named = [one for one in scopes if isinstance(one, str) and one]
    return {"scope": " ".join(dict.fromkeys(named))} if named else {}


def _granted(grant: Grant, body: Object, session: Session) -> Grant:
    """The grant with the tokens of an answer (§6.2)."""
    access, refresh = body.get("access_token"), body.get("refresh_token", grant.refresh)
    bound = str(body.get("token_type")).lower() == ("dpop" if session.key else "bearer")
    if not _is_token(access) or not bound:
        what = "not a token that is bound to this wallet's key" if session.key else "not a token of type Bearer"
        raise Malformed("token", what, code="BAD_TOKEN")
    if refresh and not _is_token(refresh):
        raise Malformed("token", "its refresh token is none", code="BAD_TOKEN")
    life = body.get("expires_in")
    seconds = life if isinstance(life, int) and 0 < life <= MAX_LIFE else UNSAID_LIFE
    session.token = str(access)
    return replace(
        grant,
        access=str(access),
        until=session.now() + timedelta(seconds=seconds),
        refresh=str(refresh),
        datasets=_datasets(grant, body),
        sent=None,
    )


def _is_token(value: Json) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_TOKEN and value.isascii() and value.isprintable()


def _datasets(grant: Grant, body: Object) -> tuple[Dataset, ...]:
    """By identifier where the answer has some, which then have to be used (§6.2); what was known of each stays.

    What was not asked for, such as another format of the same, is left there.
    """
    details = body.get("authorization_details")
    if details is None:
        return grant.datasets
    asked = {one.configuration for one in grant.datasets}
    found: list[Dataset] = []
    for entry in details if isinstance(details, list) else ():
        match entry:
            case {"credential_configuration_id": str(name), "credential_identifiers": list(identifiers)} if (
                name in asked
            ):
                found += [Dataset(name, str(one)) for one in identifiers]
    if not 0 < len(found) <= MAX_DATASETS:
        raise Malformed("token", f"names no credential, or more than {MAX_DATASETS}", code="BAD_TOKEN")
    return tuple(next((old for old in grant.datasets if old.is_same(one)), one) for one in found)
