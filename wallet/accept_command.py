"""``ouvrage wallet accept``: fetch what a platform offers, verify it, keep it."""

import asyncio
import os
import sys
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vc.canon import parse_object
from vc.errors import Malformed
from vc.io.command import say, show
from vc.io.files import read_bounded
from vc.io.options import Home, Json_
from wallet.formats import FORMATS, parse_formats
from wallet.opening import open_shelf
from wallet.shelf import Shelf
from work import CONTEXTS

if TYPE_CHECKING:
    from wallet.collect import Collected

MAX_FILE: Final = 1 << 17  # an offer by value

Offer = Annotated[
    str,
    typer.Argument(
        metavar="OFFER", help="The link that the platform gave, openid-credential-offer://…, or a file with it."
    ),
]
TxCode = Annotated[
    str | None, typer.Option("--tx-code", metavar="CODE", help="The code that the platform sent beside the offer.")
]
Copies = Annotated[
    int, typer.Option("--copies", min=1, max=100, help="Single-use copies of each credential: one for each showing.")
]

Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help=f"Only copies in this format, of {', '.join(FORMATS)}; may be repeated. Otherwise all that is offered.",
    ),
]


def accept_command(
    offer: Offer,
    tx_code: TxCode = None,
    copies: Copies = 5,
    formats: Formats = None,
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """Fetch the credentials of an offer. Each is verified before it is kept; if one is wrong, none is."""
    wanted = parse_formats(formats or ())
    with open_shelf(home_dir) as shelf:
        collected = asyncio.run(_collect(shelf, _link(offer), tx_code, copies, wanted, as_json=as_json))
    show(collected.to_json(), as_json=as_json, text=lambda: "\n".join(_lines(collected)))


def _link(offer: str) -> str:
    """The link itself, or the one in a file: as text, or as `issuer offer --json` prints it."""
    if "://" in offer:
        return offer
    raw = read_bounded(Path(offer), limit=MAX_FILE)
    if not raw.lstrip().startswith(b"{"):
        return raw.decode("utf-8", "replace").strip()
    link = parse_object(raw, where=offer).get("offer")
    if not isinstance(link, str):
        raise Malformed(offer, "holds no offer; give the link that the platform gave", code="NO_OFFER")
    return link


async def _collect(
    shelf: Shelf, link: str, tx_code: str | None, copies: int, formats: Collection[str], *, as_json: bool
) -> "Collected":
    from vc.io.fetch import fetch  # noqa: PLC0415  (aiohttp takes a while to load)
    from wallet.accept import read_offer  # noqa: PLC0415
    from wallet.collect import collect  # noqa: PLC0415

    offer = await read_offer(link, ask=fetch)
    if offer.pre_authorized and offer.pre_authorized.tx_code and not tx_code:
        tx_code = _asked_for(offer.pre_authorized.tx_code.description, as_json=as_json)
    return await collect(
        shelf,
        offer,
        ask=fetch,
        tx_code=tx_code,
        copies=copies,
        contexts=CONTEXTS,
        now=lambda: datetime.now(UTC),
        rand=os.urandom,
        formats=formats,
    )


def _lines(collected: "Collected") -> Iterator[str]:
    yield f"{collected.added} credentials from {collected.issuer} verified and kept."
    for name in collected.deferred:
        yield f"{name}: the platform has to approve it first. This wallet cannot come back for it: ask the platform."
    if not collected.told:
        yield "The platform could not be told that they are kept; that does no harm."


def _asked_for(description: str | None, *, as_json: bool) -> str:
    if as_json or not sys.stdin.isatty():
        raise Malformed("--tx-code", "this offer needs the code that the platform sent beside it", code="USAGE")
    say(description or "The platform sent a code beside this offer.")
    return str(typer.prompt("Code"))
