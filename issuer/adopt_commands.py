"""``ouvrage issuer keys adopt | csr | certify``: keys that are kept elsewhere, and certificates for those of tokens."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from issuer.hsm import TokenKey
from issuer.keyring import KeyRing
from issuer.keys import Role, find_kind
from issuer.keysteps import Days, RoleName, change, changed
from issuer.kms import KmsKey
from issuer.options import Database_
from vc.errors import Malformed
from vc.io.command import show
from vc.io.files import home, read_bounded, write_atomic
from vc.io.options import At, Home, Json_, Out, moment


def adopt_command(
    role: RoleName,
    pkcs11: Annotated[
        Path | None, typer.Option(metavar="MODULE", help="The library that speaks to a PKCS#11 token.")
    ] = None,
    token: Annotated[str, typer.Option(metavar="LABEL", help="The label of the token.")] = "",
    key: Annotated[str, typer.Option(metavar="LABEL", help="The label of the key pair in the token.")] = "",
    kms: Annotated[str | None, typer.Option(metavar="KEY-ID", help="A key in AWS KMS: its id, ARN or alias.")] = None,
    region: Annotated[
        str, typer.Option(help="The region of the key service; default: what its environment says.")
    ] = "",
    in_days: Days = 7,
    home_dir: Home = None,
    database: Database_ = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Rotate to a key that stays in a PKCS#11 token or in AWS KMS. The PIN is in the file OUVRAGE_PIN_FILE names."""
    if (pkcs11 is None) == (kms is None) or (pkcs11 is not None and not (token and key)):
        raise Malformed("--pkcs11, --kms", "name one: a module with --token and --key, or a key's id", code="USAGE")
    at_, folder = moment(at), home(home_dir, "issuer", os.environ)
    found = TokenKey.find(str(pkcs11), token, key) if pkcs11 is not None else KmsKey.find(str(kms), region)
    find_kind(role, found.public.kind.name)
    found.sign(b"ouvrage")  # a key that may not sign is better known now than on the day that it takes over
    ring = change(
        folder,
        KeyRing.open(folder, rand=os.urandom, at=at_),
        lambda held: held.rotated(role, found, at=at_, days=in_days, rand=os.urandom),
    )
    changed(ring, ring.keys[-1], at_, as_json=as_json, database=database, folder=folder)


def csr_command(
    host: Annotated[
        list[str] | None, typer.Option("--host", metavar="NAME", help="A DNS name of the issuer; may be repeated.")
    ] = None,
    uri: Annotated[
        list[str] | None, typer.Option("--uri", metavar="URI", help="Another name of it, such as its https URL.")
    ] = None,
    out: Out = None,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """A certificate request for the key that signs tokens now, with the issuer's DID among its names."""
    from vc.certificates import csr  # noqa: PLC0415  (certificates take a while to load)

    at_ = moment(at)
    ring = KeyRing.open(home(home_dir, "issuer", os.environ), rand=os.urandom, at=at_)
    if not ring.name:
        raise Malformed("--name", "say once who the platform is, with: ouvrage issuer keys --name", code="USAGE")
    key = ring.named_signer(Role.JWT, at_)
    hosts = list(dict.fromkeys([*(host or ()), *_host(ring, key.did)]))
    try:
        text = csr(key, name=ring.name, uris=[key.did, *(uri or ())], hosts=hosts)
    except ValueError as error:  # what the library says of a name that is not ASCII
        raise Malformed("--host, --uri", str(error)[:200], code="BAD_NAME") from None
    if out is not None:
        write_atomic(out, text.encode())
    show(
        {"csr": text, "file": str(out) if out else None},
        as_json=as_json,
        text=lambda: f"Written to {out}." if out else text,
    )


def _host(ring: KeyRing, did: str) -> list[str]:
    known = next((identity for identity in ring.identities if identity.did == did), None)
    return [urlsplit(known.url).hostname or ""] if known else []


def certify_command(
    chain: Annotated[
        Path, typer.Option(metavar="FILE", help="The key's certificate, then those that certify it, in PEM.")
    ],
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Send a certificate chain with every SD-JWT VC and token from now on (x5c), once it is checked."""
    from vc.certificates import MAX_PEM, parse_chain  # noqa: PLC0415  (certificates take a while to load)

    at_, folder = moment(at), home(home_dir, "issuer", os.environ)
    raw = read_bounded(chain, limit=MAX_PEM)

    def certify(held: KeyRing) -> KeyRing:
        key = held.signer(Role.JWT, at_)
        return held.with_key(replace(key, x5c=parse_chain(raw, key.key.public, at=at_, where=str(chain))))

    ring = change(folder, KeyRing.open(folder, rand=os.urandom, at=at_), certify)
    key = ring.signer(Role.JWT, at_)
    show(
        {"key": key.id, "certificates": len(key.x5c)},
        as_json=as_json,
        text=lambda: f"{key.id} is sent with {len(key.x5c)} certificates from now on.",
    )
