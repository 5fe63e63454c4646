"""The page that a worker reaches from a link or a QR code: what is about to be handed over, in plain words.

Whoever has the link can read the page. So it says what kinds of things are offered, and nothing about anybody.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from aiohttp import web

from issuer.deps import DEPS, Deps, in_thread
from issuer.formats import CONFIGURATIONS
from issuer.offers import OFFER_NAME, Scheme, reference_link
from issuer.overview import offer_state
from issuer.pages import ROUTES as STYLE_ROUTES
from issuer.pages import language, page, qr
from issuer.tables import OFFER
from vc.io.route import Answer, Route
from work.months import valid_until
from work.purposes import PURPOSES
from work.types import StatementType

_STATUS: Final = {"open": 200, "unknown": 404}  # all others are gone


@dataclass(frozen=True, slots=True)
class Offered:
    """One kind of credential, in one language: what it says, for which purposes, and its parts, of which some are
    always shown."""

    label: str
    explain: str
    purposes: tuple[str, ...]
    parts: tuple[tuple[str, bool], ...]


async def get_page(request: web.Request) -> web.Response:
    """The page of an offer, or what became of it."""
    deps = request.app[DEPS]
    row, platform = await in_thread(lambda: _look(deps, request.match_info["id"]))
    state = "unknown" if row is None else offer_state(row, deps.seconds)
    fields = _open(deps, row, language(request)) if row is not None and state == "open" else {}
    return page(request, "worker", status=_STATUS.get(state, 410), state=state, platform=platform, **fields)


def page_link(base: str, offer: str) -> str:
    """The address of an offer's page."""
    return f"{base}/o/{offer}"


def offered(kind: StatementType, lang: str) -> Offered:
    """A kind of credential in words."""
    purposes = tuple(PURPOSES[code].labels[lang] for code in kind.terms["allowedPurpose"] if code in PURPOSES)
    parts = tuple((claim.labels[lang], claim.mandatory) for claim in kind.claims.values())
    return Offered(kind.labels[lang], kind.explain[lang], purposes, parts)


def _look(deps: Deps, name: str) -> tuple[Any, str]:
    if not OFFER_NAME.match(name):
        return None, deps.keyring().name
    with deps.database.read() as connection:
        row = connection.execute(sa.select(OFFER).where(OFFER.c.id == name)).one_or_none()
    return row, deps.keyring().name


def _open(deps: Deps, row: Any, lang: str) -> dict[str, Any]:
    kinds = {CONFIGURATIONS[one].kind.name: CONFIGURATIONS[one].kind for one in json.loads(row.configurations)}
    scheme = Scheme.HAIP if deps.config.haip else Scheme.OPENID
    link = reference_link(deps.config.base, row.id, scheme=scheme)
    return {
        "link": link,
        "qr": qr(link),
        "asks_code": row.tx_code is not None,
        "expires": row.expires,
        "kinds": [offered(kind, lang) for kind in kinds.values()],
        "until": int(valid_until(deps.now()).timestamp()),
    }


ROUTES: Final = (
    *STYLE_ROUTES,
    Route(
        "GET",
        "/o/{id}",
        get_page,
        "The page of an offer, for the worker",
        {200: Answer("The page"), 404: Answer("There is no such offer"), 410: Answer("It is over")},
        "pages",
        public=False,
    ),
)
