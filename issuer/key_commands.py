"""``ouvrage issuer keys``: who the platform is, its keys, and what becomes of them."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from issuer import adopt_commands, drill_commands
from issuer.keyfile import ask_passphrase, exclusive, prompt_twice
from issuer.keyring import FILE, KeyRing
from issuer.keys import new_key
from issuer.keysteps import Days, KeyId, KindName, RoleName, attested_types, change, changed, row
from issuer.options import Database_, database_address
from vc.canon import Json, parse_object
from vc.errors import Malformed
from vc.io.command import new_app, show
from vc.io.files import home, read_passphrase
from vc.io.options import At, Home, Json_, moment

app = new_app("The issuer's keys.")
app.add_typer(drill_commands.app, name="drill")
app.command("adopt")(adopt_commands.adopt_command)
app.command("csr")(adopt_commands.csr_command)
app.command("certify")(adopt_commands.certify_command)


@app.callback(invoke_without_command=True)
def keys_command(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Option(help="The platform's name, as workers and verifiers will see it; kept once said.")
    ] = None,
    legal_identifier: Annotated[
        str | None, typer.Option(help="Its legal identity, such as a SIREN; kept once said.")
    ] = None,
    home_dir: Home = None,
    database: Database_ = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Who the platform is and its public keys, as an entry for verifiers' trust files. Makes the keys on first use."""
    from issuer.store import Store  # noqa: PLC0415  (SQLAlchemy takes a while to load)

    if context.invoked_subcommand is not None:
        return
    at_, folder = moment(at), home(home_dir, "issuer", os.environ)
    ring = KeyRing.open(folder, rand=os.urandom, at=at_)
    if name is not None or legal_identifier is not None:

        def say(held: KeyRing) -> KeyRing:
            return replace(
                held,
                name=held.name if name is None else name[:200],
                legal_identifier=held.legal_identifier if legal_identifier is None else legal_identifier[:200],
            )

        ring = change(folder, ring, say)
    if not ring.name or not ring.legal_identifier:
        raise Malformed("--name, --legal-identifier", "say once who the platform is", code="USAGE")
    with Store.open(database_address(database, folder)) as store:
        public: list[Json] = [parse_object(body.encode()) for body in store.credentials("", at_)]
    show(
        {"issuer": ring.entry(attested_types(), at_), "public": public, **documents(ring, at_)},
        as_json=as_json,
        text=lambda: _entry_text(ring, at_),
    )


def documents(ring: KeyRing, at: datetime) -> dict[str, Json]:
    """The DID documents that a verifier needs, where the issuer goes by a DID that has one."""
    held = ring.documents(at)
    return {"documents": held} if held else {}


def _entry_text(ring: KeyRing, at: datetime) -> str:
    own = ring.signing(at)
    return (
        f"{ring.name} ({ring.legal_identifier})\n  credentials: {own.credentials.did}\n"
        f"  public statements: {own.public.did}\nFor a trust file: ouvrage issuer keys --json > entry.json"
    )


@app.command("list")
def list_command(home_dir: Home = None, at: At = None, as_json: Json_ = False) -> None:
    """All keys: their ages, the days on which they sign and verify, and which of them sign now."""
    at_ = moment(at)
    ring = KeyRing.open(home(home_dir, "issuer", os.environ), rand=os.urandom, at=at_)
    identity = ring.identity(at_)
    rows = [row(key, at_) for key in ring.keys]
    show(
        {"identity": identity.did if identity else None, "keys": list(rows)},
        as_json=as_json,
        text=lambda: _table(rows),
    )


@app.command("rotate")
def rotate_command(
    role: RoleName,
    kind: KindName = None,
    in_days: Days = 7,
    home_dir: Home = None,
    database: Database_ = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Make a new key for a role. Verifiers are told of it from now on; it signs after some days, 0: from today."""
    at_, folder = moment(at), home(home_dir, "issuer", os.environ)
    key = new_key(role, kind, os.urandom)
    ring = change(
        folder,
        KeyRing.open(folder, rand=os.urandom, at=at_),
        lambda held: held.rotated(role, key, at=at_, days=in_days, rand=os.urandom),
    )
    changed(ring, ring.keys[-1], at_, as_json=as_json, database=database, folder=folder)


@app.command("kill")
def kill_command(
    key: KeyId, home_dir: Home = None, database: Database_ = None, at: At = None, as_json: Json_ = False
) -> None:
    """Give a key up that somebody else may have: what it ever signed counts no more. First see `keys drill`."""
    at_, folder = moment(at), home(home_dir, "issuer", os.environ)
    ring = change(
        folder,
        KeyRing.open(folder, rand=os.urandom, at=at_),
        lambda held: held.killed(key, at=at_, rand=os.urandom),
    )
    role = ring.find(key).role
    following = next(each for each in reversed(ring.keys) if each.role is role and each.killed is None)
    changed(ring, following, at_, as_json=as_json, database=database, folder=folder, killed=key)


class Did(StrEnum):
    """What the issuer goes by."""

    WEB = "web"
    WEBVH = "webvh"
    KEY = "key"


@app.command("did")
def did_command(
    method: Annotated[Did, typer.Argument(metavar="METHOD", help="web, webvh, or key: each key by its own did:key.")],
    domain: Annotated[
        str, typer.Option(metavar="HOST", help="Where it is served: issuer.example, with :port and /path if need be.")
    ] = "",
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Let the issuer go by a DID of its own from today on. The service serves its document; keys keep their names."""
    at_, folder = moment(at), home(home_dir, "issuer", os.environ)
    if (method is Did.KEY) == bool(domain):
        raise Malformed("--domain", "say where the document is served; a did:key has none", code="USAGE")
    ring = change(
        folder,
        KeyRing.open(folder, rand=os.urandom, at=at_),
        lambda held: (
            held.by_did_key(at_)
            if method is Did.KEY
            else held.identified(method.value, domain, at=at_, rand=os.urandom)
        ),
    )
    known = ring.identity(at_)
    named, url = (known.did, known.url) if known else ("the did:key of each key", None)
    show(
        {"did": known.did if known else None, "url": url},
        as_json=as_json,
        text=lambda: "\n".join(
            [
                f"The issuer is {named} from today on.",
                *([f"Its document has to be at {url}; the service serves it."] if url else []),
                "Give verifiers the new entry: ouvrage issuer keys --json > entry.json",
            ]
        ),
    )


@app.command("passphrase")
def passphrase_command(
    new: Annotated[
        Path | None, typer.Option("--new-file", metavar="FILE", help="A file with the new one; else it is asked for.")
    ] = None,
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """Seal the key file with another passphrase, and with a new salt."""
    folder = home(home_dir, "issuer", os.environ)
    held = KeyRing.open(folder, rand=os.urandom, at=moment(None))
    passphrase = _new_passphrase(new)
    with exclusive(folder):
        ring = KeyRing.read(folder, passphrase=ask_passphrase, held=held.lock)
        replace(ring, lock=None).save(folder, rand=os.urandom, passphrase=lambda _: passphrase)
    show(
        {"keys": str(folder / FILE)},
        as_json=as_json,
        text=lambda: "Sealed with the new passphrase. Give it to the service too, and restart its replicas.",
    )


def _new_passphrase(file: Path | None) -> bytes:
    if file is not None:
        return read_passphrase({"OUVRAGE_PASSPHRASE_FILE": str(file)}, str)
    if not sys.stdin.isatty():
        raise Malformed("--new-file", "name a file with the new passphrase, or use a terminal", code="NO_PASSPHRASE")
    return prompt_twice("New passphrase")


def _table(rows: Sequence[Mapping[str, Json]]) -> str:
    head = ("key", "kind", "kept", "state", "days", "signs from", "until", "verifies until")
    lines = ["{:<16} {:<13} {:<7} {:<10} {:>5}  {:<11} {:<11} {}".format(*head)]
    for each in rows:
        days = [str(each[name] or "-")[:10] for name in ("signsFrom", "signsUntil", "verifiesUntil")]
        lines.append(
            f"{each['id']:<16} {each['kind']:<13} {each['kept']:<7} {each['state']:<10} {each['age']:>5}  "
            f"{days[0]:<11} {days[1]:<11} {days[2]}"
        )
    return "\n".join(lines)
