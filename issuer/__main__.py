"""``ouvrage issuer``: the platform's commands."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from issuer import keys as issuer_keys
from issuer import profile_commands
from issuer.attest_command import attest_command
from issuer.store import Store
from vc.canon import Json, parse_object
from vc.did import resolve_method
from vc.errors import Malformed, Rejected
from vc.io.command import new_app, run, show
from vc.io.files import home, read_bounded, write_atomic
from vc.io.options import LOOPBACK, At, Home, Host, Json_, Out, Port, Tls, moment
from vc.keys import ED25519
from work.laws import law as find_law
from work.laws import worker_file
from work.types import TYPES

MAX_KEY_FILE: Final = 1 << 16

K: Final = 20  # workers who share all that is always shown: issuer.lint says why

AllowFew = Annotated[
    list[str] | None,
    typer.Option("--allow-few", metavar="TYPE", help="Answer for crowds of fewer than k of this type."),
]
Crowd = Annotated[int, typer.Option("--k", min=2, max=10_000, help="How many workers make a crowd.")]

app = new_app("The platform: records become statements, statements become signed credentials.")


app.add_typer(profile_commands.app, name="profile")


@app.command("profiles")
def profiles_command(as_json: Json_ = False) -> None:
    """The platform exports that can be read, what is documented of each, and what is assumed."""
    from issuer.profile import load_profile, profile_names  # noqa: PLC0415  (DuckDB takes a while to load)

    profiles = [load_profile(name) for name in profile_names()]
    show(
        {"profiles": [one.to_json() for one in profiles]},
        as_json=as_json,
        text=lambda: "\n\n".join(one.text() for one in profiles),
    )


app.command("attest")(attest_command)


@app.command("issue")
def issue_command(
    worker: Annotated[str | None, typer.Option(help="Only this worker.")] = None,
    keys: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What the worker's `wallet keys --out` wrote: one copy of each statement is bound to each key.",
        ),
    ] = None,
    processes: Annotated[int, typer.Option(min=1, max=256, help="How many processes sign.")] = os.cpu_count() or 1,
    allow_few: AllowFew = None,
    leave_few: Annotated[
        bool, typer.Option("--leave-few", help="Leave crowds of fewer than k unsigned, and sign all others.")
    ] = False,
    k: Crowd = K,
    out: Out = None,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Sign all statements that have no valid credential. Can be stopped and run again at any time."""
    from issuer.issue import issue_pending  # noqa: PLC0415
    from issuer.lint import leave_out_small_crowds, refuse_small_crowds  # noqa: PLC0415
    from issuer.progress import signing  # noqa: PLC0415

    moment_, folder = moment(at), home(home_dir, "issuer", os.environ)
    own = issuer_keys.load_or_create(folder / "keys.json", os.urandom, moment_)
    with Store.open(folder / "issuer.db") as store:
        if keys is not None:
            store.register_keys(_worker(worker), _holder_keys(keys))
        left = leave_out_small_crowds(store, worker=worker, k=k, allowed=allow_few or ()) if leave_few else {}
        if not leave_few:
            refuse_small_crowds(store, worker=worker, k=k, allowed=allow_few or ())
        with signing(as_json=as_json) as (on_total, on_signed):
            signed = issue_pending(
                store, own, at=moment_, worker=worker, processes=processes, on_total=on_total, on_signed=on_signed
            )
        summary = store.summary(moment_)
        if out is not None:
            _write_credentials(store.credentials(_worker(worker), moment_), out)
    show(
        {"signed": signed, "leftUnsigned": left, "byType": summary},
        as_json=as_json,
        text=lambda: _summary_text(signed, left, summary),
    )


@app.command("lint")
def lint_command(
    allow_few: AllowFew = None,
    k: Crowd = K,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Who could be told apart by what every showing shows. Refuses crowds of fewer than k, as `issue` does."""
    from issuer.lint import lint, refused, text  # noqa: PLC0415

    with _store(home_dir) as store:
        found = lint(store, k=k, at=moment(at))
    findings = refused(found, k=k, allowed=allow_few or ())
    document = {
        "k": k,
        "types": [one.to_json() for one in found],
        "refused": [{"code": one.code, "message": one.message} for one in findings],
    }
    show(document, as_json=as_json, text=lambda: text(found, k))
    if findings:
        raise typer.Exit(1) if as_json else Rejected(findings)


@app.command("export")
def export_command(
    worker: Annotated[str, typer.Option(help="Whose credentials.")],
    law: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Beside the credentials, all data that this law lists: FR-L7342-7."),
    ] = None,
    out: Out = None,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Write a worker's credentials to a file, for their wallet and for nobody else."""
    moment_ = moment(at)
    target = out or Path(f"{_file_name(worker)}.credentials.json")
    with _store(home_dir) as store:
        credentials = store.credentials(worker, moment_)
        statements = tuple(store.statements(worker=worker))
    if not (credentials or (law and statements)):
        raise Malformed(
            "--worker",
            f"no valid credential is about {worker[:80]!r}; run: ouvrage issuer issue",
            code="UNKNOWN_WORKER",
        )
    if law is not None:
        platform = _platform(home(home_dir, "issuer", os.environ), moment_)
        file = worker_file(find_law(law), statements, worker=worker, platform=platform, on=moment_.date())
        write_atomic(_beside(target, law), json.dumps(file, ensure_ascii=False, indent=2).encode())
    if credentials:
        _write_credentials(credentials, target)
    show(
        {
            "file": str(target) if credentials else None,
            "credentials": len(credentials),
            "law": str(_beside(target, law)) if law else None,
        },
        as_json=as_json,
        text=lambda: "\n".join(_exported(target, len(credentials), law)),
    )


@app.command("keys")
def keys_command(
    name: Annotated[
        str | None, typer.Option(help="The platform's name, as workers and verifiers will see it; kept once said.")
    ] = None,
    legal_identifier: Annotated[
        str | None, typer.Option(help="Its legal identity, such as a SIREN; kept once said.")
    ] = None,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Who the platform is and its public keys, as an entry for verifiers' trust files. Makes the keys on first use."""
    folder = home(home_dir, "issuer", os.environ)
    own = issuer_keys.load_or_create(folder / "keys.json", os.urandom, moment(at))
    if name is not None or legal_identifier is not None:
        own = replace(
            own,
            name=own.name if name is None else name[:200],
            legal_identifier=own.legal_identifier if legal_identifier is None else legal_identifier[:200],
        )
        issuer_keys.save(folder / "keys.json", own)
    if not own.name or not own.legal_identifier:
        raise Malformed("--name, --legal-identifier", "say once who the platform is", code="USAGE")
    with Store.open(folder / "issuer.db") as store:
        public: list[Json] = [parse_object(body.encode()) for body in store.credentials("", moment(at))]
    named = (name for kind in TYPES.values() if kind.signer == "issuer" for name in kind.attested)
    entry = own.entry(list(dict.fromkeys(named)))
    show(
        {"issuer": entry, "public": public},
        as_json=as_json,
        text=lambda: (
            f"{own.name} ({own.legal_identifier})\n  credentials: {own.credentials.did}\n"
            f"  public statements: {own.public.did}\nFor a trust file: ouvrage issuer keys --json > entry.json"
        ),
    )


@app.command("status")
def status_command(home_dir: Home = None, at: At = None, as_json: Json_ = False) -> None:
    """How many statements and valid credentials there are, and the first workers by name."""
    with _store(home_dir) as store:
        summary, workers = store.summary(moment(at)), store.workers(20)
    show(
        {"byType": summary, "workers": [{"worker": worker, "statements": count} for worker, count in workers]},
        as_json=as_json,
        text=lambda: "\n".join(
            [_table(summary), "Workers, the first of them: " + ", ".join(worker for worker, _ in workers)]
        ),
    )


@app.command("serve")
def serve_command(
    port: Port = 0,
    host: Host = LOOPBACK,
    tls: Tls = False,
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """Sign over HTTP (VC-API) what is sent, with the platform's own keys. Keep it behind what knows who may ask."""
    from issuer.app import directory, make, own_instances  # noqa: PLC0415  (aiohttp takes a while to load)
    from vc.io.web import announce, run_service  # noqa: PLC0415

    keys = issuer_keys.load_or_create(home(home_dir, "issuer", os.environ) / "keys.json", os.urandom, moment(None))
    instances = own_instances(keys)
    run_service(
        lambda base: make(base, instances),
        host=host,
        port=port,
        tls=tls,
        ready=lambda base: announce({"base": base, "issuers": directory(instances)}, as_json=as_json),
    )


@contextmanager
def _store(home_dir: Path | None) -> Iterator[Store]:
    with Store.open(home(home_dir, "issuer", os.environ) / "issuer.db") as store:
        yield store


def _worker(worker: str | None) -> str:
    if worker is None:
        raise Malformed("--worker", "say whose keys or whose credentials these are", code="USAGE")
    return worker


def _holder_keys(path: Path) -> list[str]:
    """The DIDs of a wallet's key file. Raises an error that names the file."""
    value = parse_object(read_bounded(path, limit=MAX_KEY_FILE), where=str(path)).get("keys")
    if not isinstance(value, list) or not value or not all(isinstance(did, str) for did in value):
        raise Malformed(
            str(path), "holds no list of keys; make it with: ouvrage wallet keys --out FILE", code="BAD_KEY_FILE"
        )
    for did in map(str, value):
        method = resolve_method(f"{did}#{did.removeprefix('did:key:')}")
        if method.public.kind != ED25519:
            raise Malformed(str(path), "holder keys have to be Ed25519 keys", code="BAD_KEY_FILE")
    return list(map(str, value))


def _write_credentials(bodies: list[str], out: Path) -> None:
    # Each body is JSON as it was signed; joining texts keeps it so.
    write_atomic(out, f'{{"credentials":[{",".join(bodies)}]}}'.encode())


def _platform(folder: Path, at: datetime) -> dict[str, str]:
    """Who the platform is. Raises :class:`Malformed` where it has not said so."""
    own = issuer_keys.load_or_create(folder / "keys.json", os.urandom, at)
    if not own.name:
        raise Malformed("--law", "the file names the platform: say once who it is, with `issuer keys`", code="USAGE")
    return {"name": own.name, "legalIdentifier": own.legal_identifier}


def _beside(target: Path, law: str) -> Path:
    """Where the file of a law goes: beside the credentials."""
    return target.with_name(f"{target.name.removesuffix('.json').removesuffix('.credentials')}.{law.lower()}.json")


def _exported(target: Path, credentials: int, law: str | None) -> Iterator[str]:
    if law:
        yield f"All data that {law} lists written to {_beside(target, law)}."
    if credentials:
        yield f"{credentials} credentials written to {target}. Give the file to the worker only."
    else:
        yield "No credential is valid now; to sign them: ouvrage issuer issue"


def _file_name(worker: str) -> str:
    return "".join(character if character.isalnum() or character in "-_" else "_" for character in worker)[:80]


def _summary_text(signed: int, left: dict[str, int], summary: dict[str, dict[str, int]]) -> str:
    unbound = sum(
        one["credentials"] - one["boundToKeys"] for name, one in summary.items() if TYPES[name].about == "worker"
    )
    lines = [f"{signed} credentials signed."]
    lines += [
        f"{count} {name} statements left unsigned: too few workers have the like." for name, count in left.items()
    ]
    lines.append(_table(summary))
    if unbound:
        lines.append(
            f"{unbound} are bound to no key: whoever holds such a file can show it, and verifiers refuse it "
            "unless told otherwise. Bind copies to a worker's keys: ouvrage issuer issue --worker ID "
            "--keys FILE"
        )
    return "\n".join(lines)


def _table(summary: dict[str, dict[str, int]]) -> str:
    rows = [
        f"{name:<20} {one['statements']:>9} {one['credentials']:>12} {one['boundToKeys']:>12}"
        for name, one in summary.items()
    ]
    return "\n".join([f"{'statement':<20} {'attested':>9} {'credentials':>12} {'key-bound':>12}", *rows])


def main(arguments: list[str]) -> None:
    """Run the issuer's commands."""
    run(app, arguments or ["--help"], name="ouvrage issuer")


if __name__ == "__main__":
    main(sys.argv[1:])
