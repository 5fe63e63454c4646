"""``ouvrage issuer``: the platform's commands."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from issuer import keys as issuer_keys
from issuer.store import Store
from vc.canon import Json, parse_object, to_json
from vc.did import resolve_method
from vc.errors import Malformed
from vc.io.command import new_app, run, show
from vc.io.files import home, read_bounded, write_atomic
from vc.io.options import LOOPBACK, At, Home, Host, Json_, Out, Port, Tls, moment
from vc.keys import ED25519
from work.types import TYPES

MAX_KEY_FILE: Final = 1 << 16

app = new_app("The platform: records become statements, statements become signed credentials.")


@app.command("profiles")
def profiles_command(as_json: Json_ = False) -> None:
    """The platform exports that can be read, what is documented of each, and what is assumed."""
    from issuer.profile import load_profile, profile_names  # noqa: PLC0415  (DuckDB takes a while to load)

    profiles = [load_profile(name) for name in profile_names()]
    show(
        {
            "profiles": [
                {"name": one.name, "title": one.title, "documented": one.documented, "assumed": one.assumed}
                for one in profiles
            ]
        },
        as_json=as_json,
        text=lambda: "\n\n".join(
            f"{one.name}: {one.title}\n  Documented: {one.documented}\n  Assumed: {one.assumed}" for one in profiles
        ),
    )


@app.command("attest")
def attest_command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="The platform's export.")],
    profile: Annotated[str, typer.Option(help="Which platform's export: a name that `profiles` lists, or a file.")],
    worker: Annotated[
        str | None, typer.Option(help="Who the export is about, where it does not say so itself.")
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write rows that were not understood; default: beside the state."),
    ] = None,
    out: Out = None,
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """Turn a platform's export into statements. Every row and every cent is accounted for."""
    from issuer.attest import attest  # noqa: PLC0415  (DuckDB takes a while to load)
    from issuer.profile import load_profile  # noqa: PLC0415

    folder = home(home_dir, "issuer", os.environ)
    made = attest(load_profile(profile), files, worker=worker)
    if made.rejects:
        rejects = rejects or folder / "rejects.csv"
        write_atomic(rejects, made.rejects_csv())
    if out is not None:
        write_atomic(out, b"".join(to_json(statement.to_json()) + b"\n" for statement in made.statements))
    with Store.open(folder / "issuer.db") as store:
        added = store.add_statements(made.statements, source=profile)
    document = {
        "new": added.new,
        "replaced": added.replaced,
        "unchanged": added.unchanged,
        "reconciliation": made.reconciliation.to_json(),
        "rejects": str(rejects) if made.rejects else None,
    }
    show(
        document,
        as_json=as_json,
        text=lambda: "\n".join(
            [
                made.reconciliation.text(),
                *([f"Rows that were not understood are in {rejects}"] if made.rejects else []),
                f"Statements: {added.new} new, {added.replaced} replaced, {added.unchanged} as before.",
            ]
        ),
    )


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
    out: Out = None,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Sign all statements that have no valid credential. Can be stopped and run again at any time."""
    from issuer.issue import issue_pending  # noqa: PLC0415
    from issuer.progress import signing  # noqa: PLC0415

    moment_, folder = moment(at), home(home_dir, "issuer", os.environ)
    own = issuer_keys.load_or_create(folder / "keys.json", os.urandom, moment_)
    with Store.open(folder / "issuer.db") as store:
        if keys is not None:
            store.register_keys(_worker(worker), _holder_keys(keys))
        with signing(as_json=as_json) as (on_total, on_signed):
            signed = issue_pending(
                store, own, at=moment_, worker=worker, processes=processes, on_total=on_total, on_signed=on_signed
            )
        summary = store.summary(moment_)
        if out is not None:
            _write_credentials(store.credentials(_worker(worker), moment_), out)
    show({"signed": signed, "byType": summary}, as_json=as_json, text=lambda: _summary_text(signed, summary))


@app.command("export")
def export_command(
    worker: Annotated[str, typer.Option(help="Whose credentials.")],
    out: Out = None,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Write a worker's credentials to a file, for their wallet and for nobody else."""
    target = out or Path(f"{_file_name(worker)}.credentials.json")
    with _store(home_dir) as store:
        credentials = store.credentials(worker, moment(at))
    if not credentials:
        raise Malformed(
            "--worker",
            f"no valid credential is about {worker[:80]!r}; run: ouvrage issuer issue",
            code="UNKNOWN_WORKER",
        )
    _write_credentials(credentials, target)
    show(
        {"file": str(target), "credentials": len(credentials)},
        as_json=as_json,
        text=lambda: f"{len(credentials)} credentials written to {target}. Give the file to the worker only.",
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
    entry = own.entry([kind.credential_type for kind in TYPES.values()])
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


def _file_name(worker: str) -> str:
    return "".join(character if character.isalnum() or character in "-_" else "_" for character in worker)[:80]


def _summary_text(signed: int, summary: dict[str, dict[str, int]]) -> str:
    unbound = sum(
        one["credentials"] - one["boundToKeys"] for name, one in summary.items() if TYPES[name].about == "worker"
    )
    lines = [f"{signed} credentials signed.", _table(summary)]
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
