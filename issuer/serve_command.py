"""``ouvrage issuer serve``: the service, beside the platform's own systems."""

import os
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from issuer.config import Config
from issuer.options import Database_, database_address
from vc.errors import Malformed
from vc.io.files import home
from vc.io.options import LOOPBACK, Home, Host, Json_, Port, Tls, TlsCert, TlsKey, moment
from vc.io.tls import given_certificate

if TYPE_CHECKING:
    from aiohttp.web import Application

    from issuer.keyring import KeyRing

Base = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Where wallets reach it: https://issuer.example.com/work; else where it listens."),
]
ConfigFile = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings, in TOML.")]
Development = Annotated[bool, typer.Option("--development", help="To try it out: http, and what only tests may do.")]
TestLogin = Annotated[
    bool, typer.Option("--test-login", help="A login that lets in whoever comes; only with --development.")
]
Haip = Annotated[bool, typer.Option("--haip", help="HAIP 1.0: attested wallets and keys, PAR and DPoP only.")]
Legacy = Annotated[
    bool, typer.Option("--legacy-single-proof", help="Also take requests of earlier drafts, with one proof.")
]
VcApi = Annotated[
    bool, typer.Option("--vc-api", help="Instead: sign over HTTP (VC-API) whatever is sent. Keep it from strangers.")
]


def serve_command(
    port: Port = 0,
    host: Host = LOOPBACK,
    tls: Tls = False,
    cert: TlsCert = None,
    key: TlsKey = None,
    base: Base = None,
    config_file: ConfigFile = None,
    development: Development = False,
    test_login: TestLogin = False,
    haip: Haip = False,
    legacy_single_proof: Legacy = False,
    vc_api: VcApi = False,
    database: Database_ = None,
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """Serve wallets: offers, credentials, statuses (OpenID4VCI 1.0). Ends well on Ctrl-C or SIGTERM."""
    folder = home(home_dir, "issuer", os.environ)
    secure: bool | ssl.SSLContext = given_certificate(cert, key) if cert or key else tls
    if vc_api:
        return _serve_vc_api(folder, host=host, port=port, tls=secure, as_json=as_json)
    given = {
        "base": base,
        "development": development or None,
        "test_login": test_login or None,
        "haip": haip or None,
        "legacy_single_proof": legacy_single_proof or None,
    }
    _serve(
        Config.load(config_file, **given),
        database_address(database, folder),
        folder,
        host=host,
        port=port,
        tls=secure,
        as_json=as_json,
    )
    return None


def _serve(
    config: Config,
    address: str | Path,
    folder: Path,
    *,
    host: str,
    port: int,
    tls: bool | ssl.SSLContext,
    as_json: bool,
) -> None:
    from issuer import service  # noqa: PLC0415  (the server's parts take a while to load)
    from issuer.database import Database  # noqa: PLC0415
    from issuer.deps import Deps  # noqa: PLC0415
    from vc.io import logs  # noqa: PLC0415
    from vc.io.web import announce, checked_base, run_service  # noqa: PLC0415

    keyring = _keyring(folder)
    _check(config, certified=bool(keyring().signing(moment(None)).x5c))
    with Database.open(address) as database:

        def make_app(listening: str) -> "Application":
            base = checked_base(config.base or listening, development=config.development)
            deps = Deps(replace(config, base=base), database, keyring, lambda: datetime.now(UTC), os.urandom)
            service.remember_base(deps)
            made.append(deps)
            return service.make(deps)

        made: list[Deps] = []
        logs.start()
        run_service(
            make_app,
            host=host,
            port=port,
            tls=tls,
            ready=lambda _: announce(service.directory(made[0]), as_json=as_json),
            drain=config.drain,
        )


def _keyring(folder: Path) -> Callable[[], "KeyRing"]:
    """The keys as they are whenever they are asked for; made on first use."""
    from issuer.keyring import KeyRing, watch  # noqa: PLC0415

    ring = KeyRing.open(folder, rand=os.urandom, at=moment(None))
    return watch(folder, lock=ring.lock)


def _check(config: Config, *, certified: bool) -> None:
    """Raise :class:`Malformed` for settings that could not work together."""
    from issuer.roots import wallet_roots  # noqa: PLC0415
    from vc.keyproof import LEVELS  # noqa: PLC0415
    from work.types import statement_type  # noqa: PLC0415

    for name in (*config.hold, *config.allow_few):
        statement_type(name)
    for level in (*config.key_storage, *config.user_authentication):
        if level not in LEVELS and ":" not in level:  # a typing error would refuse every wallet
            known = ", ".join(LEVELS)
            raise Malformed(
                "key_storage, user_authentication", f"{level[:80]}: neither of {known}, nor a URL", code="BAD_CONFIG"
            )
    if config.attested_keys and not wallet_roots(config.wallet_roots):
        raise Malformed(
            "--haip, key_storage, user_authentication",
            "name the certificates of wallet providers: wallet_roots",
            code="BAD_CONFIG",
        )
    if config.haip and not certified:
        raise Malformed(
            "--haip", "the key for SD-JWT VCs needs a certificate: ouvrage issuer keys certify", code="BAD_CONFIG"
        )


def _serve_vc_api(folder: Path, *, host: str, port: int, tls: bool | ssl.SSLContext, as_json: bool) -> None:
    from issuer.app import directory, make, own_instances  # noqa: PLC0415
    from vc.io.web import announce, run_service  # noqa: PLC0415

    instances = own_instances(_keyring(folder)().signing(moment(None)))
    run_service(
        lambda base: make(base, instances),
        host=host,
        port=port,
        tls=tls,
        ready=lambda base: announce({"base": base, "issuers": directory(instances)}, as_json=as_json),
    )
