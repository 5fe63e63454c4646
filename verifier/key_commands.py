"""``ouvrage verifier keys``: the key that signs requests, and the certificates by which wallets know whose it is."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from vc.certificates import MAX_PEM, certify_oneself, csr, parse_chain
from vc.client_id import HASH, SAN_DNS
from vc.errors import Malformed
from vc.io.command import new_app, show
from vc.io.files import home, read_bounded, write_atomic
from vc.io.options import Home, Json_, Out
from vc.x5c import certificate_hosts, certificate_thumbprint, parse_x5c
from verifier.keys import Keys

app = new_app("The verifier's key, which signs requests, and its certificates.")

HostOption = Annotated[
    list[str], typer.Option("--host", metavar="NAME", help="A host that wallets reach; may be repeated.")
]


@app.command("show")
def show_command(home_dir: Home = None, as_json: Json_ = False) -> None:
    """The names that the verifier can ask by. Makes a key where there is none."""
    document = _told(Keys.open(_folder(home_dir), rand=os.urandom))
    show(document, as_json=as_json, text=lambda: "\n".join(f"{name}: {value}" for name, value in document.items()))


@app.command("renew")
def renew_command(
    yes: Annotated[bool, typer.Option("--yes", help="Agree: open requests can no longer be answered.")] = False,
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """Make another key, without certificates. A service that runs has to be started again."""
    if not yes:
        raise Malformed("--yes", "requests that are open can no longer be answered: say that you agree", code="USAGE")
    folder = _folder(home_dir)
    renewed = Keys.open(folder, rand=os.urandom).renewed(os.urandom)
    renewed.write(folder, rand=os.urandom)
    document = _told(renewed)
    show(document, as_json=as_json, text=lambda: "A new key was made; the old one is gone.")


@app.command("csr")
def csr_command(
    host: HostOption,
    name: Annotated[str, typer.Option(help="Who you are, as the certificate is to say it.")] = "",
    out: Out = None,
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """Write a certificate request (PKCS #10) for an authority to certify."""
    keys = Keys.open(_folder(home_dir), rand=os.urandom)
    text = csr(keys.signing, name=name or host[0], uris=(), hosts=host)
    target = out or Path("verifier.csr")
    write_atomic(target, text.encode(), mode=0o644)
    show(
        {"file": str(target), "hosts": host},
        as_json=as_json,
        text=lambda: f"Written to {target}; give it to an authority, and its answer to: ouvrage verifier keys certify",
    )


@app.command("certify")
def certify_command(
    chain: Annotated[Path, typer.Argument(help="The certificate and those above it, in PEM.")],
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """Take the certificate that an authority has made for the key."""
    folder = _folder(home_dir)
    keys = Keys.open(folder, rand=os.urandom)
    raw = read_bounded(chain, limit=MAX_PEM)
    certified = keys.certified(parse_chain(raw, keys.signing.public, at=datetime.now(UTC), where=str(chain)))
    certified.write(folder, rand=os.urandom)
    document = _told(certified)
    show(document, as_json=as_json, text=lambda: f"Kept. It is for {', '.join(map(str, document['hosts']))}.")


@app.command("try")
def try_command(
    host: HostOption,
    root: Annotated[Path, typer.Option("--root", metavar="FILE", help="Where the authority's certificate goes.")],
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """Certify the key with an authority of your own, to try it out: it certifies this one key, and its own is lost.

    Wallets trust it with: ouvrage wallet trust FILE
    """
    folder = _folder(home_dir)
    keys = Keys.open(folder, rand=os.urandom)
    x5c, authority = certify_oneself(keys.signing.public, hosts=host, at=datetime.now(UTC))
    write_atomic(root, authority.encode(), mode=0o644)
    certified = keys.certified(x5c)
    certified.write(folder, rand=os.urandom)
    show(
        {**_told(certified), "root": str(root)},
        as_json=as_json,
        text=lambda: f"Certified for {', '.join(host)}. Wallets trust it with: ouvrage wallet trust {root}",
    )


def _folder(home_dir: Path | None) -> Path:
    return home(home_dir, "verifier", os.environ)


def _told(keys: Keys) -> dict[str, Any]:
    told: dict[str, Any] = {"did": keys.signing.did, "clientIds": [f"decentralized_identifier:{keys.signing.did}"]}
    if not keys.x5c:
        return {**told, "hosts": [], "validUntil": None}
    first = parse_x5c(list(keys.x5c))[0]
    hosts = sorted(certificate_hosts(first))
    names = [*(f"{SAN_DNS}:{host}" for host in hosts), f"{HASH}:{certificate_thumbprint(first)}"]
    told["clientIds"] = [*names, f"decentralized_identifier:{keys.signing.did}"]
    return {**told, "hosts": hosts, "validUntil": f"{first.not_valid_after_utc:%Y-%m-%d}"}
