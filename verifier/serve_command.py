"""``ouvrage verifier serve``: the service for wallets and for systems."""

import os
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import typer

from vc.canon import Json
from vc.errors import Malformed
from vc.io.files import home, read_bounded
from vc.io.options import LOOPBACK, Home, Host, Json_, Port, Tls, TlsCert, TlsKey
from vc.io.tls import given_certificate
from vc.trust import Trust
from verifier.identity import AUTO, identify
from verifier.trust_commands import TrustFile, held_trust
from verifier.trusting import reader

if TYPE_CHECKING:
    from aiohttp.web import Application

    from verifier.database import Database
    from verifier.deps import Deps, Hook
    from verifier.web.desk import Desk

MAX_SECRET: Final = 1024
MIN_SECRET: Final = 16
LOOPBACKS: Final = ("127.0.0.1", "::1", "localhost")

Base = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Where wallets reach it: https://check.example.com; else where it listens."),
]
Client = Annotated[
    str,
    typer.Option(
        "--client",
        metavar="PREFIX",
        help="How it names itself: x509_san_dns, x509_hash, decentralized_identifier or redirect_uri; "
        "else by its certificate, or without one, by a DID.",
    ),
]
Development = Annotated[bool, typer.Option("--development", help="To try it out: also http, at another machine.")]
Rate = Annotated[int, typer.Option("--rate", min=1, help="How many calls in a minute one API key may make.")]
Webhook = Annotated[str | None, typer.Option("--webhook", metavar="URL", help="Tell this address of every result.")]
WebhookSecret = Annotated[
    Path | None,
    typer.Option("--webhook-secret", metavar="FILE", help="The secret that signs what it is told."),
]
WebhookPrivate = Annotated[
    bool, typer.Option("--webhook-private", help="The webhook may be at an address of our own network.")
]
Pages = Annotated[
    bool | None,
    typer.Option("--pages/--no-pages", help="Pages for people, too; default: where it is for this machine only."),
]
VcApi = Annotated[
    bool, typer.Option("--vc-api", help="Instead: check over HTTP (VC-API) whether proofs hold, and nothing more.")
]


def serve_command(
    port: Port = 0,
    host: Host = LOOPBACK,
    tls: Tls = False,
    cert: TlsCert = None,
    key: TlsKey = None,
    base: Base = None,
    client: Client = AUTO,
    development: Development = False,
    trust: TrustFile = None,
    rate: Rate = 120,
    webhook: Webhook = None,
    webhook_secret: WebhookSecret = None,
    webhook_private: WebhookPrivate = False,
    pages: Pages = None,
    vc_api: VcApi = False,
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """Ask workers and check what they show (OpenID4VP 1.0), for systems too. Ends well on Ctrl-C or SIGTERM."""
    secure: bool | ssl.SSLContext = given_certificate(cert, key) if cert or key else tls
    if vc_api:
        _serve_vc_api(host=host, port=port, tls=secure, as_json=as_json)
        return
    hook = _hook(webhook, webhook_secret, private=webhook_private)
    known = reader(held_trust(trust, home_dir))
    folder = home(home_dir, "verifier", os.environ)
    opened = _opener(folder, base, client, known, hook, rate, development=development)
    _serve(folder, opened, host=host, port=port, tls=secure, pages=pages, as_json=as_json)


def _opener(
    folder: Path,
    base: str | None,
    client: str,
    known: Callable[[], Trust],
    hook: "Hook | None",
    rate: int,
    *,
    development: bool,
) -> "Callable[[Database, str], Deps]":
    """What the routes need, once it is known where the service listens."""
    from vc.io.web import checked_base  # noqa: PLC0415  (the server's parts take a while to load)
    from verifier.deps import Deps  # noqa: PLC0415
    from verifier.keys import Keys  # noqa: PLC0415

    keys = Keys.open(folder, rand=os.urandom)

    def opened(database: "Database", listening: str) -> Deps:
        at = checked_base(base or listening, development=development)
        identity = identify(keys, at, client)
        return Deps(at, database, identity, keys.secret, known, lambda: datetime.now(UTC), os.urandom, hook, rate)

    return opened


def _serve(
    folder: Path,
    opened: "Callable[[Database, str], Deps]",
    *,
    host: str,
    port: int,
    tls: bool | ssl.SSLContext,
    pages: bool | None,
    as_json: bool,
) -> None:
    from vc.io import logs  # noqa: PLC0415
    from vc.io.web import announce, run_service  # noqa: PLC0415
    from verifier import service  # noqa: PLC0415
    from verifier.database import FILE, Database  # noqa: PLC0415

    made: list[tuple[Deps, Desk | None]] = []
    with Database.open(folder / FILE) as database:

        def make_app(listening: str) -> "Application":
            deps = opened(database, listening)
            made.append((deps, _desk(deps.base, pages)))
            return service.make(deps, desk=made[0][1])

        def ready(_: str) -> None:
            deps, desk = made[0]
            link: dict[str, Json] = {} if desk is None else {"url": desk.link}
            note = f"Pages for people, for one browser, once:\n  {desk.link}" if desk else ""
            announce({**service.directory(deps), **link}, as_json=as_json, note=note)

        logs.start()
        run_service(make_app, host=host, port=port, tls=tls, ready=ready)


def _desk(base: str, pages: bool | None) -> "Desk | None":
    """Where people come in. By default there are pages only where nobody else can come."""
    from verifier.web.desk import Desk  # noqa: PLC0415

    parts = urlsplit(base)
    if not (parts.hostname in LOOPBACKS if pages is None else pages) or (pages is None and parts.path):
        return None
    if parts.path:
        raise Malformed("--pages", "need a --base without a path", code="USAGE")
    return Desk(base, os.urandom)


def _hook(url: str | None, secret: Path | None, *, private: bool) -> "Hook | None":
    from verifier.deps import Hook  # noqa: PLC0415

    if url is None and secret is None:
        return None
    if url is None or secret is None:
        raise Malformed("--webhook, --webhook-secret", "give both", code="USAGE")
    text = read_bounded(secret, limit=MAX_SECRET).decode("utf-8", "replace").strip()
    if len(text) < MIN_SECRET:
        raise Malformed(str(secret), f"a secret has {MIN_SECRET} characters or more", code="USAGE")
    return Hook(url, text, private)


def _serve_vc_api(*, host: str, port: int, tls: bool | ssl.SSLContext, as_json: bool) -> None:
    from vc.io.web import announce, run_service  # noqa: PLC0415
    from verifier.app import VERIFY_CREDENTIAL, VERIFY_PRESENTATION, make  # noqa: PLC0415

    paths = {"verifyCredential": VERIFY_CREDENTIAL, "verifyPresentation": VERIFY_PRESENTATION}
    run_service(
        make, host=host, port=port, tls=tls, ready=lambda base: announce({"base": base, **paths}, as_json=as_json)
    )
