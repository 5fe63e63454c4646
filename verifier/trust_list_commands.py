"""``ouvrage verifier trust`` and ``sync`` for a list that one publishes and many take over (docs/trust-list.md)."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

import typer

from vc.canon import to_json
from vc.errors import Malformed
from vc.io import keyfile
from vc.io.command import show
from vc.io.files import home, read_bounded, write_atomic
from vc.io.keyfile import Ask
from vc.io.options import At, Home, Json_, Out, moment
from vc.model import format_date_time
from verifier.trust_commands import MAX_ENTRY, ListFolder, Signers, TrustFile
from verifier.trust_store import CURRENT, FOLDER, read_current

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The publisher's folder.")]


Entry = Annotated[
    Path,
    typer.Argument(
        help="What `ouvrage issuer keys --json` printed; a did.json or did.jsonl; "
        "an OpenID Federation trust chain; or an ETSI trusted list in XML."
    ),
]
StatusPlaces = Annotated[
    list[str] | None,
    typer.Option("--status", metavar="URL", help="Where the issuer's status lists, or their index, are mirrored from."),
]
MayAttest = Annotated[
    list[str] | None, typer.Option("--may-attest", metavar="TYPE", help="What it may attest; may be repeated.")
]
ValidFrom = Annotated[
    str | None, typer.Option("--valid-from", metavar="DATE", help="Since when its keys count, if not from today.")
]
Anchor = Annotated[
    Path | None, typer.Option("--anchor", metavar="FILE", help="Of a trust chain: the anchor's id and keys, as JSON.")
]
Digest = Annotated[
    str | None, typer.Option("--sha256", metavar="HEX", help="Of a trusted list: its digest, told by another road.")
]
Services = Annotated[
    list[str] | None, typer.Option("--service", metavar="URI", help="Of a trusted list: which services to take.")
]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="NAME", help="Of a trusted list: only certificates that state this host or URI."),
]


def _ask() -> Ask:
    """One question for all key files of one command."""
    return cache(lambda new: keyfile.ask_passphrase(new, whose="the signers'"))


def _home(home_dir: Path | None) -> Path:
    return home(home_dir, "verifier", os.environ)


def begin(
    folder: Path,
    name: str,
    others: Sequence[Path],
    threshold: int,
    home_dir: Path | None,
    at: str | None,
    *,
    as_json: bool,
) -> None:
    """``trust init --publish``: a new list, with a key for this machine and one for its mirroring."""
    from verifier import trust_signing as signing  # noqa: PLC0415  (python-tuf takes a while to load)
    from verifier.trust_publisher import Publisher  # noqa: PLC0415

    if not name:
        raise Malformed("--name", "say who publishes the list", code="USAGE")
    if (folder / "list.json").exists():
        raise Malformed(str(folder), "is a publisher's folder already; nothing was changed", code="FILE_EXISTS")
    signers = [signing.PublicSigner.parse(read_bounded(path, limit=1 << 16), where=str(path)) for path in others]
    folder.mkdir(parents=True, exist_ok=True)
    ask, own = _ask(), _home(home_dir) / signing.SIGNER_FILE
    if not own.exists():
        signing.new_signer(own, name, ask=ask, rand=os.urandom)
    signers.insert(0, signing.open_signer(own, ask=ask).public)
    online = signing.new_signer(folder / signing.ONLINE_FILE, f"{name} (mirror)", ask=ask, rand=os.urandom)
    Publisher.create(folder, name=name, signers=signers, threshold=threshold, online=online, at=moment(at))
    show(
        {"list": str(folder), "name": name, "signers": [one.name for one in signers], "threshold": threshold},
        as_json=as_json,
        text=lambda: f"{folder}: the list of {name}; {threshold} of {len(signers)} sign it. It trusts nobody yet.",
    )


def show_list(folder: Path, *, as_json: bool) -> None:
    """``trust show --list``: who is on a list that one publishes, who signs it, and its fingerprint."""
    from verifier.trust_publisher import Publisher  # noqa: PLC0415  (python-tuf takes a while to load)
    from verifier.trust_roles import NAME, digest  # noqa: PLC0415

    publisher = Publisher(folder)
    root, published = publisher.root(), publisher.held("root")
    role = root.signed.roles["root"]
    signers = [str(root.signed.keys[each].unrecognized_fields.get(NAME, each)) for each in role.keyids]
    issuers = [part.issuers[0] for part in publisher.issuers().values()]
    fingerprint = None if published is None else digest(published.to_bytes())
    document = {
        "name": publisher.settings["name"],
        "fingerprint": fingerprint,
        "signers": signers,
        "threshold": role.threshold,
        "awaitsSignatures": publisher.pending() is not None,
        "issuers": [{"name": one.name, "legalIdentifier": one.legal_identifier} for one in issuers],
    }
    lines = [
        f"List of {document['name']}, signed by {role.threshold} of: {', '.join(signers)}",
        f"Fingerprint: {fingerprint or 'not published yet'}",
        *(f"  {one.name} ({one.legal_identifier})" for one in issuers),
    ]
    show(document, as_json=as_json, text=lambda: "\n".join(lines))


def key_command(
    name: Annotated[str, typer.Option("--name", help="Who you are, for the others who sign.")],
    out: Out = None,
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """Make the key with which this machine signs trust lists. Give what it prints to whoever publishes the list."""
    from verifier import trust_signing as signing  # noqa: PLC0415  (python-tuf takes a while to load)

    ask, path = _ask(), _home(home_dir) / signing.SIGNER_FILE
    public = (
        signing.open_signer(path, ask=ask).public
        if path.exists()
        else signing.new_signer(path, name, ask=ask, rand=os.urandom)
    )
    if out is not None:
        write_atomic(out, to_json(public.to_json()), mode=0o644)
    show(public.to_json(), as_json=as_json or out is None, text=lambda: f"Written to {out}: give it to the publisher.")


def add_issuer_command(
    entry: Entry,
    list_folder: ListFolder = None,
    status: StatusPlaces = None,
    name: Annotated[str, typer.Option("--name", help="Who it is, where ENTRY does not say.")] = "",
    legal_identifier: Annotated[str, typer.Option("--legal-identifier", help="Its number in a register.")] = "",
    may_attest: MayAttest = None,
    valid_from: ValidFrom = None,
    anchor: Anchor = None,
    sha256: Digest = None,
    service: Services = None,
    only: Only = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Put an issuer on the list that you publish. Check by another road that the entry is really theirs."""
    from verifier.trust_entries import Said, read_entries  # noqa: PLC0415
    from verifier.trust_publisher import Publisher  # noqa: PLC0415  (python-tuf takes a while to load)

    if list_folder is None:
        raise Malformed(
            "--list", "name your publisher's folder; for your own trust file, use `trust add`", code="USAGE"
        )
    publisher, at_ = Publisher(list_folder), moment(at)
    said = Said(
        name=name,
        legal_identifier=legal_identifier,
        may_attest=tuple(may_attest or ()),
        since=None if valid_from is None else moment(valid_from),
        anchor=None if anchor is None else read_bounded(anchor, limit=MAX_ENTRY),
        sha256=sha256,
        services=tuple(service or ()),
        names=tuple(only or ()),
    )
    held = {one.legal_identifier: one for part in publisher.issuers().values() for one in part.issuers}
    entries = read_entries(read_bounded(entry, limit=MAX_ENTRY), said, held=held, at=at_)
    added = [publisher.add(each, mirror=status or (), at=at_).issuers[0].name for each in entries]
    show(
        {"list": str(list_folder), "added": added},
        as_json=as_json,
        text=lambda: f"On the list: {', '.join(added)}. Now: trust publish",
    )


def sign_command(
    file: Annotated[Path, typer.Argument(help="The to-sign.json that the publisher gave you.")],
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking: you have read what it says.")] = False,
    out: Out = None,
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """Sign a new list, or a change of signers, with this machine's key. Give the result back to the publisher."""
    from verifier import trust_signing as signing  # noqa: PLC0415  (python-tuf takes a while to load)
    from verifier.trust_review import review  # noqa: PLC0415

    bundle = signing.Bundle.parse(read_bounded(file, limit=signing.MAX_BUNDLE), where=str(file))
    lines = review(bundle)
    if not yes:
        for line in lines:
            typer.echo(line, err=True)
        typer.confirm("Sign this?", abort=True, err=True)
    own = signing.open_signer(_home(home_dir) / signing.SIGNER_FILE, ask=_ask())
    if not bundle.sign(own):
        raise Malformed(str(file), "this machine's key is not one of those that sign it", code="NOT_A_SIGNER")
    bundle.save(out or file)
    show({"signed": str(out or file), "says": lines}, as_json=as_json, text=lambda: f"Signed: {out or file}")


def rotate_command(
    folder: FolderArgument,
    signer: Signers = None,
    without: Annotated[
        list[str] | None, typer.Option("--without", metavar="NAME", help="Who does not sign any more; may be repeated.")
    ] = None,
    threshold: Annotated[int | None, typer.Option("--threshold", min=1, max=32, help="How many have to sign.")] = None,
    online: Annotated[bool, typer.Option("--online", help="A new key for the machine that mirrors.")] = False,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Change who signs the list, or the key of the machine that mirrors. Enough of the old and new signers sign it."""
    from verifier import trust_rotation  # noqa: PLC0415  (python-tuf takes a while to load)

    names = trust_rotation.rotate(
        folder, added=signer or (), without=without or (), threshold=threshold, online=online, ask=_ask(), at=moment(at)
    )
    show(
        {"list": str(folder), "signers": names},
        as_json=as_json,
        text=lambda: f"From the next `trust publish` on, these sign: {', '.join(names)}",
    )


def publish_command(
    folder: FolderArgument,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="The folder of static files to put on a web server.")
    ],
    signed: Annotated[
        list[Path] | None, typer.Option("--signed", metavar="FILE", help="What another signer gave back.")
    ] = None,
    days: Annotated[
        int, typer.Option("--days", min=1, max=45, help="For how long it is good without a newer one.")
    ] = 30,
    zip_file: Annotated[Path | None, typer.Option("--zip", metavar="FILE", help="Also write it as one file.")] = None,
    private: Annotated[
        bool, typer.Option("--private", help="Platforms to mirror may be on your own network, or this machine.")
    ] = False,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Mirror the platforms' status lists, sign, and write the list as static files. This goes online."""
    from verifier import trust_signing as signing  # noqa: PLC0415  (python-tuf takes a while to load)
    from verifier.trust_mirror import Mirror  # noqa: PLC0415
    from verifier.trust_publisher import Publisher, write_zip  # noqa: PLC0415
    from verifier.trust_roles import digest  # noqa: PLC0415

    publisher, at_, ask = Publisher(folder), moment(at), _ask()
    places = sorted({url for urls in publisher.mirror().values() for url in urls})
    bundle = publisher.prepare(at=at_)
    if bundle.root is not None or bundle.targets is not None:
        own = _home(home_dir) / signing.SIGNER_FILE
        if own.exists():
            bundle.sign(signing.open_signer(own, ask=ask))
        for path in signed or ():
            bundle.merge(signing.Bundle.parse(read_bounded(path, limit=signing.MAX_BUNDLE), where=str(path)))
        bundle.save(folder / signing.PENDING)
        bundle.check_signed(bundle.root or publisher.root())
    online = signing.open_signer(folder / signing.ONLINE_FILE, ask=ask)
    mirrored = asyncio.run(Mirror(folder / "mirrored", at=at_, private=private).run(places))
    root = publisher.publish(bundle, mirrored.lists, online=online, days=days, at=at_, out=out)
    if zip_file is not None:
        write_zip(out, zip_file)
    fingerprint = digest(root.to_bytes())
    document = {
        "out": str(out),
        "fingerprint": fingerprint,
        "issuers": len(publisher.issuers()),
        "statusLists": len(mirrored.lists),
        "changed": mirrored.changed,
        "notReached": list(mirrored.failed),
    }
    lines = [
        f"Published to {out}: {document['issuers']} issuers, {len(mirrored.lists)} lists ({mirrored.changed} new).",
        *(f"  not taken: {each}" for each in mirrored.failed),
        f"Fingerprint, for those who sync it the first time: {fingerprint}",
    ]
    show(document, as_json=as_json, text=lambda: "\n".join(lines))


def sync_command(
    source: Annotated[
        str | None, typer.Argument(metavar="[URL|DIR|ZIP]", help="A mirror; default: the one of the last time.")
    ] = None,
    fingerprint: Annotated[
        str | None,
        typer.Option("--fingerprint", help="Which list it is, as its publisher told you. Only the first time."),
    ] = None,
    trust: TrustFile = None,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Take over a trust list. With a URL, this goes online; it asks for nothing that is about a person."""
    from verifier.trust_sources import opened  # noqa: PLC0415
    from verifier.trust_sync import sync  # noqa: PLC0415  (python-tuf takes a while to load)

    folder, at_ = trust or _home(home_dir) / FOLDER, moment(at)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = source or _last_source(folder)
    with keyfile.exclusive(folder), opened(place) as given:
        done = asyncio.run(sync(folder, given, fingerprint=fingerprint, at=at_))
    document = {
        "trust": str(folder),
        "name": done.name,
        "asOf": format_date_time(done.as_of),
        "expires": format_date_time(done.expires),
        "issuers": done.issuers,
        "statusLists": done.lists,
        "requests": done.requests,
        "bytes": done.received,
        "changed": done.changed,
        "otherSchemas": list(done.other_schemas),
    }
    text = (
        f"The list of {done.name}, as of {done.as_of:%Y-%m-%d}: {done.issuers} issuers, {done.lists} status lists. "
        f"Sync again before {done.expires:%Y-%m-%d}. ({done.requests} requests, {done.received >> 10} KB)"
    )
    show(document, as_json=as_json, text=lambda: text)


def _last_source(folder: Path) -> str:
    current = read_current(folder) if (folder / CURRENT).exists() else None
    if current is None:
        raise Malformed("source", "say where the list is: a URL, a folder or a zip file", code="USAGE")
    return str(current["source"])


COMMANDS: Final[Mapping[str, Callable[..., None]]] = MappingProxyType(
    {
        "add-issuer": add_issuer_command,
        "key": key_command,
        "sign": sign_command,
        "publish": publish_command,
        "rotate": rotate_command,
    }
)
