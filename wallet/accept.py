"""Taking an offer (OpenID4VCI 1.0 §4): what it is, what of it this wallet can keep, and tokens for a pre-authorized
code (§3.5). Where the worker has to log in first, :mod:`wallet.login` goes on.

Every address comes from the offer that the worker gave; only the origin that they gave may be a private one.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from vc.errors import Unsupported
from vc.model import Object
from vc.offer import PRE_AUTHORIZED, CredentialOffer, OfferReference, parse_offer_link
from wallet.formats import FORMATS, SENSIBLE, format_of, to_take
from wallet.grants import Grant
from wallet.issuer_metadata import check_client, configuration, discover, new_dpop_key
from wallet.issuer_session import MAX_ANSWER, Ask, Session, document, origin
from wallet.key_proofs import Wanted
from wallet.tokens import redeem, what_is_asked

CLIENT: Final = "ouvrage-wallet"  # who this wallet is to a server that nobody registered it with
ANONYMOUS: Final = "pre-authorized_grant_anonymous_access_supported"


@dataclass(frozen=True, slots=True)
class GivenOffer(CredentialOffer):
    """An offer as the worker gave it: ``typed`` is the origin in their link, which alone may be a private address."""

    typed: str = ""

    @property
    def needs_login(self) -> bool:
        """Whether the worker has to log in at the platform: without any grant, too, that is the way (§4.1.1)."""
        return self.pre_authorized is None


async def read_offer(link: str, *, ask: Ask) -> GivenOffer:
    """The offer behind a link (OpenID4VCI §4.1). Raises :class:`Malformed`, :class:`Undetermined`."""
    offer = parse_offer_link(link)
    if not isinstance(offer, OfferReference):
        return _given(offer, origin(offer.issuer))
    answer = await ask(
        offer.uri, limit=MAX_ANSWER, private=True, method="GET", body=None, headers={"Accept": "application/json"}
    )
    return _given(CredentialOffer.parse(document(answer, "the offer")), origin(offer.uri))


async def claim(
    offer: GivenOffer,
    *,
    ask: Ask,
    tx_code: str | None,
    client: str,
    copies: int,
    now: Callable[[], datetime],
    rand: Callable[[int], bytes],
    formats: Collection[str] = SENSIBLE,
) -> tuple[Session, Grant]:
    """Exchange the code of an offer for tokens (§6.1), for what :func:`wallet.formats.to_take` chooses of it: from here
    on the offer is used up.

    Raises :class:`Unsupported` for an offer with nothing for this wallet, :class:`Rejected` where the issuer says no,
    :class:`Undetermined` where it does not answer.
    """
    if offer.pre_authorized is None:
        raise Unsupported("offer", "it asks you to log in with the platform first")
    session = Session(ask, offer.issuer, offer.typed, now, rand)
    server = await discover(session, grant=PRE_AUTHORIZED, server=offer.pre_authorized.authorization_server)
    wanted, session.left_out = find_wanted(offer, session.metadata, formats)
    session.key = new_dpop_key(session)
    known = "" if session.server.get(ANONYMOUS) is True else client
    if known:
        check_client(session.server)
    form = {
        "grant_type": PRE_AUTHORIZED,
        "pre-authorized_code": offer.pre_authorized.code,
        **({"client_id": known} if known else {}),
        **({"tx_code": tx_code} if tx_code else {}),
        **_details(session, wanted),
    }
    return session, await redeem(session, form, server=server, client=known, configurations=wanted, copies=copies)


def find_wanted(
    offer: CredentialOffer, metadata: Object, formats: Collection[str]
) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """The configurations of an offer in one of ``formats`` that this wallet can ask for, and those whose keys it has
    not, with the code of why: known before the offer is used up.

    Raises :class:`Unsupported` where nothing is left.
    """
    known = metadata.get("credential_configurations_supported")
    known = known if isinstance(known, dict) else {}
    offered = {name: known.get(name) for name in offer.configuration_ids if format_of(known.get(name)) is not None}
    refused: dict[str, Unsupported] = {}
    for name in offered:
        try:
            Wanted.parse(configuration(metadata, name))
        except Unsupported as error:
            refused[name] = error
    wanted = to_take({name: one for name, one in offered.items() if name not in refused}, formats)
    beyond = {name: refused[name] for name in to_take(offered, formats) if name in refused}
    if not wanted:
        named = ", ".join(sorted(formats or FORMATS, key=FORMATS.index))
        none = Unsupported("offer", f"none of its credentials is in a format that is wanted ({named})")
        raise next(iter(beyond.values()), none)
    return wanted, {name: error.code for name, error in beyond.items()}


def _details(session: Session, wanted: tuple[str, ...]) -> dict[str, str]:
    """``authorization_details`` only: a scope says nothing in a token request of this grant."""
    return {name: value for name, value in what_is_asked(session, wanted).items() if name != "scope"}


def _given(offer: CredentialOffer, typed: str) -> GivenOffer:
    return GivenOffer(**{one.name: getattr(offer, one.name) for one in fields(CredentialOffer)}, typed=typed)
