"""``ouvrage wallet serve``: the wallet in the worker's own browser; with ``--vc-api``, deriving over HTTP."""

import json
import os
from typing import Annotated, Final

import typer

from vc.errors import Malformed
from vc.io.command import say
from vc.io.options import LOOPBACK, Home, Host, Json_, Port, Tls
from vc.multibase import encode_base64url
from wallet.opening import vault_path
from wallet.shielding import shield

LOOPBACKS: Final = ("127.0.0.1", "::1", "localhost")
MAX_IDLE: Final = 8 * 60

Open = Annotated[bool, typer.Option("--open", help="Open the browser at once.")]
Idle = Annotated[
    int, typer.Option("--idle", metavar="MINUTES", min=1, max=MAX_IDLE, help="Lock the wallet after so long unused.")
]
VcApi = Annotated[
    bool, typer.Option("--vc-api", help="No pages: derive over HTTP (VC-API). The wallet itself stays shut.")
]


def serve_command(
    port: Port = 0,
    host: Host = LOOPBACK,
    open_browser: Open = False,
    idle: Idle = 10,
    vc_api: VcApi = False,
    tls: Tls = False,
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """The wallet as pages in your browser, on this machine only."""
    if vc_api:
        _serve_vc_api(host, port, tls=tls, as_json=as_json)
        return
    if host not in LOOPBACKS or tls:
        raise Malformed(
            "--host, --tls", "the pages are for this machine only: 127.0.0.1, over plain HTTP", code="USAGE"
        )
    from vc.io.web import run_service  # noqa: PLC0415  (aiohttp takes a while to load)
    from wallet.web.app import make, new_desk  # noqa: PLC0415
    from wallet.web.box import Box, FileOpener  # noqa: PLC0415

    shield()
    path, token = vault_path(home_dir), encode_base64url(os.urandom(32))
    box = Box(FileOpener(path), idle_minutes=idle)
    run_service(
        lambda base: make(new_desk(base, box, token=token, home=path.parent)),
        host=host,
        port=port,
        tls=False,
        ready=lambda base: _announce(base, f"{base}/enter?token={token}", open_browser=open_browser, as_json=as_json),
    )


def _announce(base: str, url: str, *, open_browser: bool, as_json: bool) -> None:
    text = f"Your wallet is at this address, for one browser, once:\n  {url}\nCtrl-C ends it and locks the wallet."
    say(json.dumps({"base": base, "url": url}) if as_json else text)
    typer.get_text_stream("stdout").flush()
    if open_browser:
        typer.launch(url)


def _serve_vc_api(host: str, port: int, *, tls: bool, as_json: bool) -> None:
    from vc.io.web import announce, run_service  # noqa: PLC0415  (aiohttp takes a while to load)
    from wallet.app import DERIVE, make  # noqa: PLC0415

    run_service(
        make,
        host=host,
        port=port,
        tls=tls,
        ready=lambda base: announce({"base": base, "derive": DERIVE}, as_json=as_json),
    )
