"""Credential offers (OpenID4VCI §4): what a worker may fetch into a wallet, by a link or a QR code."""

import json
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote

import sqlalchemy as sa
from aiohttp import web
from nacl import exceptions, pwhash

from issuer import events, flow, tickets
from issuer.crowds import count_alike
from issuer.deps import DEPS, Deps, in_thread
from issuer.formats import CONFIGURATIONS, Configuration, Format
from issuer.tables import OFFER, SETTING, STATEMENT
from issuer.tickets import Kind
from vc import offer as form
from vc.canon import to_json
from vc.errors import Finding, Malformed, Rejected, Unsupported
from vc.io.route import Answer, Route
from vc.multibase import encode_base64url
from work.types import TYPES, StatementType

PRE_AUTHORIZED: Final = form.PRE_AUTHORIZED
AUTHORIZATION_CODE: Final = form.AUTHORIZATION_CODE

TRIES: Final = 5  # of a transaction code: six digits are guessed with a chance of 1 in 200 000
DIGITS: Final = 6
LETTERS: Final = 10
MAX_TX_CODE: Final = 64  # characters of what is handed in: each guess costs a hash
_ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"  # none that is read as another
_TX_HINT: Final = "The code that came apart from this offer. / Le code reçu séparément de cette offre."

# Five tries for each offer bound what this costs; the code itself is short whatever it costs.
_OPERATIONS: Final = 2
_MEMORY: Final = 19 << 20

OFFER_NAME: Final = re.compile(r"[A-Za-z0-9_-]{22}\Z")
_IN_LINK: Final = re.compile(r"/offers/[A-Za-z0-9_-]{22}\Z")

Rand = Callable[[int], bytes]


class Scheme(StrEnum):
    """How a wallet is called."""

    OPENID = "openid-credential-offer"
    HAIP = "haip"  # HAIP 1.0 §4.2


class TxCode(StrEnum):
    """What a transaction code is made of (``input_mode``, OpenID4VCI §4.1.1)."""

    NUMERIC = "numeric"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Made:
    """An offer as it is told once: the link holds a secret, and nothing else of the transaction code is kept."""

    id: str
    link: str = field(repr=False)
    expires: int
    configurations: tuple[str, ...]
    tx_code: str | None = field(repr=False)


def default_formats(*, haip: bool) -> tuple[Format, ...]:
    """The formats of an offer that names none: the two that differ in what they protect; in HAIP the only one."""
    return (Format.SD_JWT,) if haip else (Format.BBS, Format.SD_JWT)


def choose(
    connection: sa.Connection,
    worker: str,
    *,
    types: Collection[str] = (),
    formats: Collection[Format],
    k: int,
    allowed: Collection[str],
) -> tuple[str, ...]:
    """The ids of the configurations of an offer: of these types, or of all that the worker has statements of.

    Raises :class:`Malformed` for a worker or types without statements, and :class:`Rejected` where the worker would
    stand in a crowd of fewer than ``k``, as `issuer issue` does (docs/lint.md).
    """
    here = types_of(connection, worker)
    if not here:
        raise Malformed(
            "--worker", f"no statement is about {worker[:80]!r}; run: ouvrage issuer attest", code="UNKNOWN_WORKER"
        )
    for name in (*types, *allowed):
        if name not in TYPES:
            raise Unsupported("statement type", f"{name} (there are {', '.join(TYPES)})")
    if missing := [name for name in types if name not in here]:
        raise Malformed("--type", f"{missing[0]}: this worker has {', '.join(here)}", code="NO_STATEMENT")
    wanted = [name for name in here if name in (types or here)]
    few = small_crowds(connection, worker, wanted, k=k, allowed=allowed)
    if few:
        raise Rejected(tuple(Finding("TOO_FEW_ALIKE", _few(name, k)) for name in few))
    return tuple(Configuration(TYPES[name], form).id for name in wanted for form in formats)


def types_of(connection: sa.Connection, worker: str) -> list[str]:
    """The types of the statements about a worker that can be fetched."""
    known = {made.kind.name for made in CONFIGURATIONS.values()}
    rows = connection.execute(
        sa.select(STATEMENT.c.type).distinct().where(STATEMENT.c.worker == worker, STATEMENT.c.worker != "")
    )
    return sorted(known.intersection(name for (name,) in rows))


def small_crowds(
    connection: sa.Connection, worker: str, types: Iterable[str], *, k: int, allowed: Collection[str]
) -> list[str]:
    """The types whose always-shown values would leave the worker in a crowd of fewer than ``k``."""
    asked = {name: TYPES[name] for name in types if name not in allowed and not TYPES[name].identifies}
    rows = connection.execute(
        sa.select(STATEMENT.c.digest, STATEMENT.c.type).where(STATEMENT.c.worker == worker, STATEMENT.c.type.in_(asked))
    ).all()
    few = (row.type for row in rows if _alike(connection, row.digest, asked[row.type], k) < k)
    return sorted(set(few))


def _alike(connection: sa.Connection, digest: str, kind: StatementType, k: int) -> int:
    claims = [claim.name for claim in kind.claims.values() if claim.mandatory]
    return count_alike(connection, digest, kind.name, claims, most=k)


def make_offer(
    connection: sa.Connection,
    worker: str,
    configurations: Collection[str],
    *,
    base: str,
    grants: Collection[str],
    tx_code: TxCode | None,
    lifetime: int,
    now: int,
    rand: Rand,
    scheme: str = Scheme.OPENID,
    by_value: bool = False,
) -> Made:
    """A new offer, its codes, and the link that a wallet opens. Raises :class:`Malformed`."""
    if not grants or not configurations:
        raise Malformed("offer", "needs a grant and something to fetch", code="USAGE")
    if tx_code and PRE_AUTHORIZED not in grants:
        raise Malformed("--tx-code", f"goes with the grant {PRE_AUTHORIZED}", code="USAGE")
    name, expires = encode_base64url(rand(16)), now + lifetime
    secret = _new_tx_code(tx_code, rand) if tx_code else None

    def ticket(kind: Kind) -> str:
        return tickets.hand_out(connection, kind, rand(tickets.LENGTH), expires=expires, session=name)

    offer = form.CredentialOffer(
        base,
        tuple(configurations),
        form.AuthorizationCodeGrant(ticket(Kind.ISSUER_STATE)) if AUTHORIZATION_CODE in grants else None,
        form.PreAuthorizedGrant(ticket(Kind.PRE_AUTHORIZED), _described(tx_code)) if PRE_AUTHORIZED in grants else None,
    )
    connection.execute(
        OFFER.insert().values(
            id=name,
            worker=worker,
            configurations=json.dumps(list(configurations)),
            body=to_json(offer.to_json()).decode(),
            tx_code=pwhash.argon2id.str(secret.encode(), _OPERATIONS, _MEMORY).decode() if secret else None,
            tries_left=TRIES,
            state=str(flow.Offer.OFFERED),
            created=now,
            expires=expires,
        )
    )
    events.note(connection, events.Kind.OFFER_CREATED, worker, {"offer": name}, now=now)
    link = offer.link(scheme=scheme) if by_value else reference_link(base, name, scheme=scheme)
    return Made(name, link, expires, tuple(configurations), secret)


def reference_link(base: str, name: str, *, scheme: str = Scheme.OPENID) -> str:
    """The link of an offer that a wallet fetches (OpenID4VCI §4.1.3)."""
    return form.offer_link_by_reference(f"{base}/offers/{name}", scheme=scheme)


def open_offer(connection: sa.Connection, name: str | None, *, now: int) -> Any | None:
    """An offer that can still be claimed."""
    return connection.execute(
        OFFER.select().where(OFFER.c.id == name, OFFER.c.state == str(flow.Offer.OFFERED), OFFER.c.expires > now)
    ).one_or_none()


def withdraw_offer(connection: sa.Connection, name: str, *, now: int) -> bool:
    """Take back an offer that nobody has claimed; False where it is too late."""
    offer = flow.move_offer(connection, name, flow.Event.WITHDRAW, now=now)
    if offer is None:
        return False
    tickets.drop_session(connection, name)
    events.note(connection, events.Kind.OFFER_WITHDRAWN, offer.worker, {"offer": name}, now=now)
    return True


def take_back(connection: sa.Connection, name: str, *, now: int) -> None:
    """:func:`withdraw_offer`. Raises :class:`Malformed` where it is too late, or there is no such offer."""
    if not withdraw_offer(connection, name, now=now):
        raise Malformed("offer", "was claimed, was taken back or has expired, or there is none", code="OFFER_OVER")


def take_back_all(connection: sa.Connection, worker: str, *, now: int) -> list[str]:
    """Take back every offer for a worker that nobody has claimed; their ids."""
    query = sa.select(OFFER.c.id).where(OFFER.c.worker == worker, OFFER.c.state == str(flow.Offer.OFFERED))
    found = connection.scalars(query.order_by(OFFER.c.id)).all()
    return [name for name in found if withdraw_offer(connection, name, now=now)]


def offer_named(text: str) -> str:
    """The id of an offer in what it is known by: the id itself, the address of its page, or its link."""
    found = OFFER_NAME.match(unquote(text).partition("?")[0].rpartition("/")[2]) or _IN_LINK.search(unquote(text))
    if found is None:
        raise Malformed("OFFER", "give its id, the address of its page, or its link by reference", code="USAGE")
    return found[0].removeprefix("/offers/")


def claim_offer(connection: sa.Connection, name: str, *, now: int) -> Any | None:
    """The offer, claimed; None where somebody else was first, or it is over. None of its codes is good any more."""
    offer = flow.move_offer(connection, name, flow.Event.CLAIM, now=now)
    if offer is not None:
        tickets.drop_session(connection, name)
        events.note(connection, events.Kind.OFFER_CLAIMED, offer.worker, {"offer": name}, now=now)
    return offer


def take_try(connection: sa.Connection, name: str) -> str | None:
    """The hash of an offer's transaction code, for one of its tries; None when all are used up."""
    return connection.execute(
        OFFER.update()
        .where(OFFER.c.id == name, OFFER.c.state == str(flow.Offer.OFFERED), OFFER.c.tries_left > 0)
        .values(tries_left=OFFER.c.tries_left - 1)
        .returning(OFFER.c.tx_code)
    ).scalar_one_or_none()


def is_tx_code(guess: str, kept: str) -> bool:
    """Whether a transaction code is the one that was given out."""
    if len(guess) > MAX_TX_CODE:
        return False
    try:
        return pwhash.verify(kept.encode(), guess.encode())
    except exceptions.InvalidkeyError:
        return False


def count_wrong(connection: sa.Connection, name: str, *, now: int) -> None:
    """A try was wrong: after the last one the offer is dead."""
    left = connection.execute(sa.select(OFFER.c.tries_left).where(OFFER.c.id == name)).scalar_one_or_none()
    if left == 0 and flow.move_offer(connection, name, flow.Event.EXHAUST, now=now) is not None:
        tickets.drop_session(connection, name)


def known_base(connection: sa.Connection) -> str | None:
    """Where the service was last served at, as it has told."""
    return connection.execute(sa.select(SETTING.c.value).where(SETTING.c.name == "base")).scalar_one_or_none()


def _described(tx_code: TxCode | None) -> form.TxCode | None:
    if tx_code is None:
        return None
    return form.TxCode(str(tx_code), DIGITS if tx_code is TxCode.NUMERIC else LETTERS, _TX_HINT)


def _new_tx_code(kind: TxCode, rand: Rand) -> str:
    number = int.from_bytes(rand(16), "big")
    if kind is TxCode.NUMERIC:
        return f"{number % 10**DIGITS:0{DIGITS}}"
    size = len(_ALPHABET)
    return "".join(_ALPHABET[number // size**place % size] for place in range(LETTERS))


def _few(name: str, k: int) -> str:
    return (
        f"{name}: fewer than {k} workers have the same always-shown values as this one (see: ouvrage issuer lint); "
        f"offer other types, with --type, or answer for it: --allow-few {name}"
    )


async def get_offer(request: web.Request) -> web.Response:
    """The Credential Offer object (OpenID4VCI §4.1.3)."""
    deps = request.app[DEPS]
    return await in_thread(lambda: _offer(deps, request.match_info["id"]))


def _offer(deps: Deps, name: str) -> web.Response:
    row = None
    if OFFER_NAME.match(name):
        with deps.database.read() as connection:
            query = sa.select(OFFER.c.body, OFFER.c.expires).where(OFFER.c.id == name)
            row = connection.execute(query).one_or_none()
    if row is None:
        raise web.HTTPNotFound(text="there is no such offer")
    if row.body is None or row.expires <= deps.seconds:
        raise web.HTTPGone(text="this offer was claimed, was taken back, or has expired: ask for a new one")
    return web.Response(text=row.body, content_type="application/json", headers={"Cache-Control": "no-store"})


_OBJECT: Final = MappingProxyType({"application/json": {"type": "object"}})
_PROBLEM: Final = MappingProxyType({"application/problem+json": {"type": "object"}})

ROUTES: Final = (
    Route(
        "GET",
        "/offers/{id}",
        get_offer,
        "The Credential Offer object (OpenID4VCI §4.1.3)",
        {
            200: Answer("The offer", _OBJECT),
            404: Answer("There is no such offer", _PROBLEM),
            410: Answer("It was claimed, was taken back, or has expired", _PROBLEM),
        },
        "offers",
    ),
)
