"""``ouvrage issuer offer``: a QR code and a link for one worker."""

import io
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from issuer.options import AllowFew, Crowd, Database_, K, database_address
from vc.canon import Json
from vc.errors import Malformed, Unsupported
from vc.io.command import new_app, show
from vc.io.files import home, write_atomic
from vc.io.options import At, Home, Json_, moment

if TYPE_CHECKING:
    from issuer.database import Database
    from issuer.formats import Format
    from issuer.offers import Made, TxCode

MAX_DAYS = 90

Worker = Annotated[str | None, typer.Option(metavar="ID", help="Whom the offer is for: the platform's own id of them.")]
Types = Annotated[
    list[str] | None, typer.Option("--type", metavar="TYPE", help="Only this type of statement; can be repeated.")
]
Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="bbs-2023, ecdsa-sd-2023 or sd-jwt; can be repeated; else bbs-2023 and sd-jwt.",
    ),
]
Grants = Annotated[
    list[str] | None,
    typer.Option(
        "--grant",
        metavar="GRANT",
        help="pre-authorized_code: the link is enough; authorization_code: they log in. Default: pre-authorized_code.",
    ),
]
TxCode_ = Annotated[
    bool, typer.Option("--tx-code", help="Ask for a code of 6 digits, to be sent by another way than the link.")
]
TxText = Annotated[bool, typer.Option("--tx-text", help="Ask for a code of 10 letters and digits instead.")]
Days = Annotated[int, typer.Option("--days", min=1, max=MAX_DAYS, help="How long it can be claimed.")]
ByValue = Annotated[
    bool, typer.Option("--by-value", help="Put the whole offer into the link, for wallets that fetch none.")
]
SchemeOf = Annotated[str, typer.Option("--scheme", help="openid-credential-offer, or haip.")]
Base = Annotated[
    str | None, typer.Option("--base", metavar="URL", help="Where the service is; else where it last served at.")
]
Qr = Annotated[Path | None, typer.Option("--qr", metavar="FILE", help="Write the QR code to this file, .svg or .png.")]


app = new_app("Offers: a QR code and a link that a worker's wallet opens.")


@app.callback(invoke_without_command=True)
def offer_command(
    context: typer.Context,
    worker: Worker = None,
    types: Types = None,
    formats: Formats = None,
    grants: Grants = None,
    tx_code: TxCode_ = False,
    tx_text: TxText = False,
    days: Days = 7,
    by_value: ByValue = False,
    scheme: SchemeOf = "",
    base: Base = None,
    qr: Qr = None,
    allow_few: AllowFew = None,
    k: Crowd = K,
    home_dir: Home = None,
    database: Database_ = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Offer a worker their credentials: a QR code and a link that their wallet opens."""
    if context.invoked_subcommand is not None:
        return
    from issuer.database import Database  # noqa: PLC0415  (it takes a while to load)
    from issuer.offers import Scheme, TxCode, choose, make_offer  # noqa: PLC0415
    from issuer.worker_page import page_link  # noqa: PLC0415

    if worker is None:
        raise Malformed("--worker", "say whom the offer is for", code="USAGE")
    _check_usage(qr, both=tx_code and tx_text)
    if scheme not in ("", *Scheme):
        raise Unsupported("scheme", f"{scheme} (there are {', '.join(Scheme)})")
    now, asked = int(moment(at).timestamp()), TxCode.TEXT if tx_text else TxCode.NUMERIC if tx_code else None
    with Database.open(database_address(database, home(home_dir, "issuer", os.environ))) as opened:
        where = _base(opened, base)
        with opened.write() as connection:
            chosen = choose(
                connection,
                worker,
                types=types or (),
                formats=_formats(formats, haip=scheme == Scheme.HAIP),
                k=k,
                allowed=allow_few or (),
            )
            made = make_offer(
                connection,
                worker,
                chosen,
                base=where,
                grants=_grants(grants),
                tx_code=asked,
                lifetime=days * 86_400,
                now=now,
                rand=os.urandom,
                scheme=scheme or Scheme.OPENID,
                by_value=by_value,
            )
    if qr is not None:
        write_atomic(qr, _drawn(made.link, qr.suffix[1:]))
    _tell(made, page_link(where, made.id), asked, as_json=as_json)


def _check_usage(qr: Path | None, *, both: bool) -> None:
    if qr is not None and qr.suffix not in (".svg", ".png"):
        raise Malformed("--qr", "give a file that ends with .svg or .png", code="USAGE")
    if both:
        raise Malformed("--tx-code, --tx-text", "choose one", code="USAGE")


@app.command("withdraw")
def withdraw_command(
    offer: Annotated[
        str | None, typer.Argument(metavar="OFFER", help="The address of its page, its link, or, after `--`, its id.")
    ] = None,
    worker: Annotated[
        str | None, typer.Option(metavar="ID", help="Instead: every offer for this worker that is still open.")
    ] = None,
    home_dir: Home = None,
    database: Database_ = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Take back an offer that nobody has claimed: its link and its codes are worth nothing any more."""
    from issuer.database import Database  # noqa: PLC0415  (it takes a while to load)
    from issuer.offers import offer_named, take_back, take_back_all  # noqa: PLC0415

    if (offer is None) == (worker is None):
        raise Malformed("OFFER, --worker", "give one of them", code="USAGE")
    now = int(moment(at).timestamp())
    taken = [offer_named(offer)] if offer is not None else []
    with (
        Database.open(database_address(database, home(home_dir, "issuer", os.environ))) as opened,
        opened.write() as connection,
    ):
        for name in taken:
            take_back(connection, name, now=now)
        if worker is not None:
            taken = take_back_all(connection, worker, now=now)
    show(
        {"withdrawn": list[Json](taken)},
        as_json=as_json,
        text=lambda: f"Taken back: {len(taken)}. Nobody can claim what was offered.",
    )


def _tell(made: "Made", page: str, asked: "TxCode | None", *, as_json: bool) -> None:
    expires = datetime.fromtimestamp(made.expires, UTC)
    document = {
        "offer": made.link,
        "page": page,
        "expires": f"{expires:%Y-%m-%dT%H:%M:%SZ}",
        "id": made.id,
        "configurations": list(made.configurations),
        "txCode": made.tx_code,
    }
    lines = [_terminal(made.link), made.link, "", f"To send to the worker: {page}"]
    if asked:
        lines.append(f"The code, to be sent by another way: {made.tx_code}")
    lines.append(f"It can be claimed once, until {expires:%d %B %Y, %H:%M} UTC. Whoever has the link can claim it.")
    show(document, as_json=as_json, text=lambda: "\n".join(lines))


def _base(database: "Database", given: str | None) -> str:
    from issuer.offers import known_base  # noqa: PLC0415
    from vc.io.web import checked_base  # noqa: PLC0415

    if given is not None:
        return checked_base(given, development=True)
    with database.read() as connection:
        known = known_base(connection)
    if known is None:
        raise Malformed("--base", "say where the service is, or start it once: ouvrage issuer serve", code="NO_BASE")
    return known


def _formats(given: list[str] | None, *, haip: bool) -> "tuple[Format, ...]":
    from issuer.formats import Format  # noqa: PLC0415
    from issuer.offers import default_formats  # noqa: PLC0415

    if not given:
        return default_formats(haip=haip)
    if unknown := [name for name in given if name not in set(Format)]:
        raise Unsupported("format", f"{unknown[0]} (there are {', '.join(Format)})")
    return tuple(dict.fromkeys(Format(name) for name in given))


def _grants(given: list[str] | None) -> tuple[str, ...]:
    from issuer.offers import AUTHORIZATION_CODE, PRE_AUTHORIZED  # noqa: PLC0415

    known = {"pre-authorized_code": PRE_AUTHORIZED, "authorization_code": AUTHORIZATION_CODE}
    if unknown := [name for name in given or () if name not in known]:
        raise Unsupported("grant", f"{unknown[0]} (there are {', '.join(known)})")
    return tuple(known[name] for name in dict.fromkeys(given or ["pre-authorized_code"]))


def _terminal(link: str) -> str:
    import segno  # noqa: PLC0415

    drawn = io.StringIO()
    segno.make(link, micro=False).terminal(drawn, compact=True)
    return drawn.getvalue()


def _drawn(link: str, kind: str) -> bytes:
    import segno  # noqa: PLC0415

    drawn = io.BytesIO()
    segno.make(link, micro=False).save(drawn, kind=kind, scale=6)
    return drawn.getvalue()
