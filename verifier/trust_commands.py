"""``ouvrage verifier trust`` for one verifier's own file: whom it trusts, kept by hand (docs/trust.md)."""

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from vc.errors import Malformed
from vc.io.command import new_app, show
from vc.io.files import home, read_bounded, write_atomic
from vc.io.options import At, Home, Json_, moment
from vc.model import format_date_time
from vc.trust import Trust, parse_trust
from vc.verify import Policy
from verifier.trust_store import FILE, MAX_TRUST, freshness, load, trust_path
from verifier.trustfile import add_issuer, add_lists, empty, remove_issuer
from work import CONTEXTS

MAX_ENTRY: Final = 16 << 20

app = new_app("Whom to trust: a file of your own, or a list that others sign and publish.")

TrustFile = Annotated[
    Path | None,
    typer.Option("--trust", metavar="FILE|DIR", help="A trust file, or a synced list; default: this verifier's own."),
]
ListFolder = Annotated[
    Path | None, typer.Option("--list", metavar="DIR", help="The publisher's folder that `trust init --publish` made.")
]
Signers = Annotated[
    list[Path] | None,
    typer.Option(
        "--signer", metavar="FILE", help="Somebody else who signs: what `trust key` printed. May be repeated."
    ),
]


def held_trust(trust: Path | None, home_dir: Path | None) -> Path:
    """Where the trust is that a command means."""
    return trust_path(trust, home(home_dir, "verifier", os.environ))


def _own_file(trust: Path | None, home_dir: Path | None) -> Path:
    return trust or home(home_dir, "verifier", os.environ) / FILE


@app.command("init")
def init_command(
    publish: Annotated[
        Path | None, typer.Option("--publish", metavar="DIR", help="Begin a list that others can sync, in this folder.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="With --publish: who publishes the list.")] = "",
    signer: Signers = None,
    threshold: Annotated[
        int, typer.Option("--threshold", min=1, max=32, help="With --publish: how many signers have to sign.")
    ] = 1,
    trust: TrustFile = None,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Start a trust file, or with --publish a list, that trusts nobody yet."""
    if publish is not None:
        from verifier.trust_list_commands import begin  # noqa: PLC0415  (python-tuf takes a while to load)

        begin(publish, name, signer or [], threshold, home_dir, at, as_json=as_json)
        return
    path = _own_file(trust, home_dir)
    if path.exists():
        raise Malformed(str(path), "is there already; nothing was changed", code="FILE_EXISTS")
    write_atomic(path, empty(moment(at)), mode=0o644)
    show({"trust": str(path)}, as_json=as_json, text=lambda: f"Trust file made: {path}. It trusts nobody yet.")


@app.command("add")
def add_command(
    entry: Annotated[Path, typer.Argument(help="What `ouvrage issuer keys --json` printed.")],
    trust: TrustFile = None,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Trust an issuer. Check by another road, such as a phone call, that the entry is really theirs."""
    path = _own_file(trust, home_dir)
    written = add_issuer(
        read_bounded(path, limit=MAX_TRUST) if path.exists() else empty(moment(at)),
        read_bounded(entry, limit=MAX_ENTRY),
        contexts=CONTEXTS,
        at=moment(at),
    )
    write_atomic(path, written, mode=0o644)
    known = parse_trust(written, contexts=CONTEXTS)
    names = [issuer.name for issuer in known.issuers]
    show({"trust": str(path), "issuers": names}, as_json=as_json, text=lambda: f"Trusted now: {', '.join(names)}")


@app.command("remove")
def remove_command(
    issuer: Annotated[str, typer.Argument(metavar="IDENTIFIER", help="The legal identifier, as `trust show` has it.")],
    list_folder: ListFolder = None,
    trust: TrustFile = None,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Trust an issuer no longer. Of a list, that counts from the next `trust publish` on."""
    if list_folder is not None:
        from verifier.trust_publisher import Publisher  # noqa: PLC0415  (python-tuf takes a while to load)

        name = Publisher(list_folder).remove(issuer)
        show({"removed": name}, as_json=as_json, text=lambda: f"{name} is off the list. Now: trust publish")
        return
    path = _own_file(trust, home_dir)
    written = remove_issuer(read_bounded(path, limit=MAX_TRUST), issuer, contexts=CONTEXTS, at=moment(at))
    write_atomic(path, written, mode=0o644)
    show({"removed": issuer}, as_json=as_json, text=lambda: f"{issuer} is not trusted any more.")


@app.command("lists")
def lists_command(
    lists: Annotated[Path, typer.Argument(help="The lists.json of `ouvrage issuer lists publish --out`.")],
    trust: TrustFile = None,
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """Take newer status lists into the trust file. They come from a mirror: each is verified when it is used."""
    path = _own_file(trust, home_dir)
    raw, given = read_bounded(path, limit=MAX_TRUST), read_bounded(lists, limit=MAX_TRUST)
    written = add_lists(raw, given, contexts=CONTEXTS)
    write_atomic(path, written, mode=0o644)
    held = parse_trust(written, contexts=CONTEXTS).status_lists
    show(
        {"trust": str(path), "statusLists": {url: format_date_time(one.as_of) for url, one in held.items()}},
        as_json=as_json,
        text=lambda: f"{len(held)} status lists are held.",
    )


@app.command("show")
def show_command(
    list_folder: ListFolder = None,
    trust: TrustFile = None,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Who is trusted, for what, since when, and how old that is."""
    if list_folder is not None:
        from verifier.trust_list_commands import show_list  # noqa: PLC0415  (python-tuf takes a while to load)

        show_list(list_folder, as_json=as_json)
        return
    path, at_ = held_trust(trust, home_dir), moment(at)
    known = load(path)
    fresh = freshness(known, at_, max_age=Policy(frozenset()).max_trust_age)
    lists = len(known.status_lists) + len(known.status_tokens)
    document = {"trust": str(path), **trust_json(known), "statusLists": lists, "freshness": fresh.to_json()}
    ends = "" if fresh.expires is None else f"{fresh.state}, to be renewed before {fresh.expires:%Y-%m-%d}"
    show(document, as_json=as_json, text=lambda: f"{_text(known)}\n{lists} status lists; {ends}")


def trust_json(known: Trust) -> dict[str, object]:
    """Whom a verifier trusts, for scripts."""
    return {
        "asOf": f"{known.as_of:%Y-%m-%d}",
        "issuers": [
            {
                "name": issuer.name,
                "legalIdentifier": issuer.legal_identifier,
                "mayAttest": sorted(issuer.may_attest),
                "keys": [
                    {
                        "id": key.method,
                        "validFrom": f"{key.valid_from:%Y-%m-%d}",
                        "validUntil": None if key.valid_until is None else f"{key.valid_until:%Y-%m-%d}",
                    }
                    for key in issuer.keys
                ],
                "certificates": [one.certificate.subject.rfc4514_string() for one in issuer.certificates],
            }
            for issuer in known.issuers
        ],
    }


def _text(known: Trust) -> str:
    lines = [f"Trusted as of {known.as_of:%Y-%m-%d}: {len(known.issuers)} issuers"]
    lines += [
        f"  {issuer.name} ({issuer.legal_identifier}) may attest {', '.join(sorted(issuer.may_attest))}"
        for issuer in known.issuers
    ]
    return "\n".join(lines)
