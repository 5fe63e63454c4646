"""``ouvrage wallet accept``: fetch what a platform offers, verify it, keep it."""

import asyncio
import os
import sys
import webbrowser
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vc.canon import parse_object
from vc.errors import Malformed
from vc.frames import Kind
from vc.io.command import say, show
from vc.io.options import Home, Json_, Lang, language
from vc.io.pictures import read_message
from vc.model import format_date_time
from wallet.formats import ALL, FORMATS, parse_formats
from wallet.opening import open_shelf
from wallet.shelf import Shelf
from work import CONTEXTS
from work.dictionary import DICTIONARIES

if TYPE_CHECKING:
    from wallet.accept import GivenOffer
    from wallet.collect import Collected
    from wallet.login import Login

MAX_FILE: Final = 1 << 17  # an offer by value

Offer = Annotated[
    str,
    typer.Argument(
        metavar="OFFER",
        help="The link that the platform gave, openid-credential-offer://…, or a file or picture with it; or, after a "
        "login, the address that your browser was sent to.",
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
        help=f"Copies in this format, of {', '.join(FORMATS)}; may be repeated; {ALL} for every one. Otherwise one "
        "set of each statement: in the format that tells least, and beside it as an SD-JWT where that is offered.",
    ),
]
Open = Annotated[bool, typer.Option("--open", help="Open the browser where the platform wants you to log in.")]
RedirectUrl = Annotated[
    str | None,
    typer.Option(
        "--redirect-url",
        metavar="URL",
        help="Where the browser is sent after the login, instead of to this wallet; you then give it that address.",
    ),
]
ClientId = Annotated[
    str | None, typer.Option("--client-id", metavar="ID", help="The name that the platform knows this wallet by.")
]


@dataclass(frozen=True, slots=True)
class _Wish:
    """How the worker wants an offer taken."""

    shelf: Shelf
    tx_code: str | None
    copies: int
    formats: Collection[str]
    client: str | None
    lang: str
    as_json: bool


def accept_command(
    offer: Offer,
    tx_code: TxCode = None,
    copies: Copies = 5,
    formats: Formats = None,
    open_browser: Open = False,
    redirect_url: RedirectUrl = None,
    client_id: ClientId = None,
    home_dir: Home = None,
    lang: Lang = "en",
    as_json: Json_ = False,
) -> None:
    """Fetch the credentials of an offer. Each is verified before it is kept; one that is wrong holds up no other."""
    told_in, wanted = language(lang), parse_formats(formats or ())
    with open_shelf(home_dir, lang=told_in) as shelf:
        wish = _Wish(shelf, tx_code, copies, wanted, client_id, told_in, as_json)
        came = asyncio.run(_take(wish, _link(offer), redirect_url, open_browser=open_browser))
    _show(came, told_in, as_json=as_json)
    for failed in getattr(came, "failed", ()):
        raise typer.Exit(failed.error.exit_code)


def _link(offer: str) -> str:
    """The link itself, or the one in a file: as text, as `issuer offer --json` prints it, or in a picture."""
    if "://" in offer:
        return offer
    raw = read_message(Path(offer), kind=Kind.OFFER, limit=MAX_FILE, dictionaries=DICTIONARIES)
    if not raw.lstrip().startswith(b"{"):
        return raw.decode("utf-8", "replace").strip()
    link = parse_object(raw, where=offer).get("offer")
    if not isinstance(link, str):
        raise Malformed(offer, "holds no offer; give the link that the platform gave", code="NO_OFFER")
    return link


async def _take(wish: _Wish, link: str, redirect: str | None, *, open_browser: bool) -> "Collected | Login":
    """What came of it; or a login that the worker has to go through first, in their own time."""
    from vc.io.fetch import fetch  # noqa: PLC0415  (aiohttp takes a while to load)
    from wallet.accept import CLIENT, read_offer  # noqa: PLC0415
    from wallet.collect import collect  # noqa: PLC0415
    from wallet.login import is_redirected  # noqa: PLC0415

    if is_redirected(link):
        return await _finished(wish, link)
    offer = await read_offer(link, ask=fetch)
    if offer.needs_login:
        return await (_begun(wish, offer, redirect) if redirect else _logged_in(wish, offer, open_browser=open_browser))
    tx_code = wish.tx_code
    if offer.pre_authorized and offer.pre_authorized.tx_code and not tx_code:
        tx_code = _asked_for(offer.pre_authorized.tx_code.description, as_json=wish.as_json)
    return await collect(
        wish.shelf,
        offer,
        ask=fetch,
        tx_code=tx_code,
        copies=wish.copies,
        contexts=CONTEXTS,
        now=_now,
        rand=os.urandom,
        client=wish.client or CLIENT,
        formats=wish.formats,
    )


async def _logged_in(wish: _Wish, offer: "GivenOffer", *, open_browser: bool) -> "Collected":
    """Wait on this machine until the browser is back."""
    from wallet.loopback import listening  # noqa: PLC0415
    from wallet.platform_words import WORDS  # noqa: PLC0415

    words = WORDS[wish.lang]
    async with listening(thanks=words["thanks"], rand=os.urandom) as listener:
        login = await _start(wish, offer, listener.redirect)
        typer.echo(f"{words['log_in']}\n\n{login.url}\n\n{words['back_here']}", err=True)
        if open_browser:
            webbrowser.open(login.url)
        redirected = await listener.answer(login.state)
    return await _finished(wish, redirected)


async def _begun(wish: _Wish, offer: "GivenOffer", redirect: str) -> "Collected | Login":
    """Let the worker bring the address back: now, at a terminal, or with another command."""
    from wallet.platform_words import WORDS  # noqa: PLC0415

    login = await _start(wish, offer, redirect)
    if wish.as_json or not sys.stdin.isatty():
        return login
    say(f"{WORDS[wish.lang]['log_in']}\n\n{login.url}\n")
    return await _finished(wish, str(typer.prompt(WORDS[wish.lang]["pasted"])))


async def _start(wish: _Wish, offer: "GivenOffer", redirect: str) -> "Login":
    from vc.io.fetch import fetch  # noqa: PLC0415
    from wallet.accept import CLIENT  # noqa: PLC0415
    from wallet.login import begin, keep_login  # noqa: PLC0415

    login = await begin(
        offer,
        ask=fetch,
        redirect=redirect,
        client=wish.client or CLIENT,
        copies=wish.copies,
        now=_now,
        rand=os.urandom,
        formats=wish.formats,
    )
    keep_login(wish.shelf.vault, login, at=_now(), rand=os.urandom)
    return login


async def _finished(wish: _Wish, redirected: str) -> "Collected":
    from vc.io.fetch import fetch  # noqa: PLC0415
    from wallet.collect import collect_login  # noqa: PLC0415

    return await collect_login(wish.shelf, redirected, ask=fetch, contexts=CONTEXTS, now=_now, rand=os.urandom)


def _show(came: "Collected | Login", lang: str, *, as_json: bool) -> None:
    from wallet.login import Login  # noqa: PLC0415
    from wallet.platform_words import WORDS, collected_text  # noqa: PLC0415

    if isinstance(came, Login):
        text = f"{WORDS[lang]['log_in']}\n\n{came.url}\n\n{WORDS[lang]['paste']}"
        show({"login": came.url, "until": format_date_time(came.until)}, as_json=as_json, text=lambda: text)
        return
    show(came.to_json(), as_json=as_json, text=lambda: collected_text(came, lang))


def _now() -> datetime:
    return datetime.now(UTC)


def _asked_for(description: str | None, *, as_json: bool) -> str:
    from wallet.platform_words import printable  # noqa: PLC0415

    if as_json or not sys.stdin.isatty():
        raise Malformed("--tx-code", "this offer needs the code that the platform sent beside it", code="USAGE")
    say(printable(description or "") or "The platform sent a code beside this offer.")
    return str(typer.prompt("Code"))
