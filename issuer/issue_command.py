"""``ouvrage issuer issue``: statements become signed credentials, for one worker or for all of them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from issuer.formats import Format
from issuer.keyring import KeyRing
from issuer.options import AllowFew, Crowd, Database_, K, database_address
from vc.canon import parse_object
from vc.did import resolve_method
from vc.errors import Finding, Malformed, Rejected
from vc.io.command import show
from vc.io.files import home, read_bounded, write_atomic
from vc.io.options import At, Home, Json_, Out, moment
from vc.keys import ED25519
from work.types import TYPES

if TYPE_CHECKING:
    from issuer.claims import Run
    from issuer.issue import Engine, Outcome, Plan
    from issuer.keys import IssuerKeys
    from issuer.store import Store
    from issuer.wanted import Wanted

CORES: Final = os.cpu_count() or 1
MAX_KEY_FILE: Final = 1 << 16

Worker = Annotated[str | None, typer.Option(help="Only this worker.")]
All_ = Annotated[bool, typer.Option("--all", help="All workers, as without --worker.")]
Keys = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="What the worker's `wallet keys --out` wrote: one copy of each statement is bound to each key.",
    ),
]
Formats = Annotated[
    list[Format] | None, typer.Option("--format", help="How copies are signed; may be repeated. Default: bbs-2023.")
]
Processes = Annotated[int, typer.Option(min=1, max=256, help="How many processes, or actors, sign.")]
EngineName = Annotated[
    str | None,
    typer.Option("--engine", metavar="ray[://HOST:PORT]", help="Sign on a Ray cluster instead of this machine alone."),
]
LeaveFew = Annotated[bool, typer.Option("--leave-few", help="Leave crowds below k unsigned, and sign all others.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and why not; sign nothing.")]


@dataclass(frozen=True, slots=True)
class _Crowds:
    """What is to become of crowds of fewer than k."""

    k: int
    allowed: tuple[str, ...]
    leave: bool


def issue_command(
    worker: Worker = None,
    all_: All_ = False,
    keys: Keys = None,
    formats: Formats = None,
    processes: Processes = CORES,
    engine: EngineName = None,
    allow_few: AllowFew = None,
    leave_few: LeaveFew = False,
    k: Crowd = K,
    dry_run: DryRun = False,
    out: Out = None,
    home_dir: Home = None,
    database: Database_ = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Sign all statements that have no valid credential. Can be stopped and run again at any time."""
    from issuer.claims import CACHE, Run  # noqa: PLC0415
    from issuer.issue import Engine  # noqa: PLC0415
    from issuer.store import Store  # noqa: PLC0415  (SQLAlchemy takes a while to load)
    from issuer.wanted import Wanted  # noqa: PLC0415

    if (all_ and worker is not None) or (dry_run and (keys or out)):
        raise Malformed(
            "--all, --dry-run", "--all goes without --worker, --dry-run without --keys and --out", code="USAGE"
        )
    moment_, folder = moment(at), home(home_dir, "issuer", os.environ)
    wanted = Wanted(moment_, tuple(dict.fromkeys(formats or (Format.BBS,))), worker)
    where = Engine(processes, _address(engine))
    crowds = _Crowds(k, tuple(allow_few or ()), leave_few)
    with Store.open(database_address(database, folder), cache=CACHE) as store:
        if keys is not None:
            store.register_keys(_worker(worker), _holder_keys(keys))
        with Run.start(store.database) as run:
            # Read once the run counts: whatever key is withdrawn from here on, the run hears of it.
            own = KeyRing.open(folder, rand=os.urandom, at=moment_).signing(moment_)
            if dry_run:
                _plan(store, run, own, wanted, where, crowds, as_json=as_json)
                return
            left = _left(store, run, wanted, crowds)
            outcome = _sign(store, run, own, wanted, where, as_json=as_json)
        summary = store.summary(moment_)
        if out is not None:
            write_credentials(store.credentials(_worker(worker), moment_), out)
    document = {"signed": outcome.signed, "leftUnsigned": left, **_refused(outcome), "byType": summary}
    show(document, as_json=as_json, text=lambda: "\n".join(_text(outcome, left, summary)))
    if outcome.refused:
        raise typer.Exit(1)


def _address(engine: str | None) -> str | None:
    from issuer.ray_engine import check_engine  # noqa: PLC0415

    return None if engine is None else check_engine(engine)


def _left(store: "Store", run: "Run", wanted: "Wanted", crowds: _Crowds) -> dict[str, int]:
    """How many statements are left unsigned, by type. Raises :class:`Rejected` where nobody has answered for them."""
    from issuer.lint import leave_out_small_crowds, refuse_small_crowds  # noqa: PLC0415

    if crowds.leave:
        return leave_out_small_crowds(store, run, worker=wanted.worker, k=crowds.k, allowed=crowds.allowed)
    refuse_small_crowds(store, worker=wanted.worker, k=crowds.k, allowed=crowds.allowed)
    return {}


def _sign(
    store: "Store", run: "Run", own: "IssuerKeys", wanted: "Wanted", engine: "Engine", *, as_json: bool
) -> "Outcome":
    from issuer.issue import issue_pending, known_base  # noqa: PLC0415
    from issuer.progress import counting  # noqa: PLC0415

    base = known_base(store.database)
    with counting("Signing", as_json=as_json) as (on_total, on_done):
        return issue_pending(run, own, wanted=wanted, engine=engine, base=base, on_total=on_total, on_done=on_done)


def _plan(
    store: "Store", run: "Run", own: "IssuerKeys", wanted: "Wanted", engine: "Engine", crowds: _Crowds, *, as_json: bool
) -> None:
    """Say what would be done. Exit code 1 where something would be refused."""
    from issuer.issue import plan  # noqa: PLC0415
    from issuer.progress import counting  # noqa: PLC0415

    findings: tuple[Finding, ...] = ()
    left: dict[str, int] = {}
    try:
        left = _left(store, run, wanted, crowds)
    except Rejected as error:
        findings = error.findings
    with counting("Checking", as_json=as_json) as (on_total, on_done):
        made = plan(run, own, wanted=wanted, engine=engine, on_total=on_total, on_done=on_done)
    document = made.to_json() | {
        "leftUnsigned": left,
        **_refused(made.refused),
        "crowds": [{"code": one.code, "message": one.message} for one in findings],
    }
    show(document, as_json=as_json, text=lambda: "\n".join(_plan_text(made, left, findings)))
    if findings or made.refused.refused:
        raise typer.Exit(1)


def _refused(outcome: "Outcome") -> dict[str, Any]:
    return {"refused": outcome.refused, "refusals": [one.to_json() for one in outcome.told]}


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


def write_credentials(bodies: list[str], out: Path) -> None:
    """Write a worker's credentials to a file for their wallet."""
    # Each body is JSON as it was signed; joining texts keeps it so.
    write_atomic(out, f'{{"credentials":[{",".join(bodies)}]}}'.encode())


def _text(outcome: "Outcome", left: dict[str, int], summary: dict[str, dict[str, int]]) -> Iterator[str]:
    yield f"{outcome.signed} credentials signed."
    yield from _left_text(left)
    yield from _refused_text(outcome)
    yield table(summary)
    unbound = sum(
        one["credentials"] - one["boundToKeys"] for name, one in summary.items() if TYPES[name].about == "worker"
    )
    if unbound:
        yield (
            f"{unbound} are bound to no key: whoever holds such a file can show it, and verifiers refuse it "
            "unless told otherwise. Bind copies to a worker's keys: ouvrage issuer issue --worker ID "
            "--keys FILE"
        )


def _plan_text(made: "Plan", left: dict[str, int], findings: tuple[Finding, ...]) -> Iterator[str]:
    yield "Nothing was signed. By type and format: to be signed, valid already, replaced by a newer statement:"
    for kind, form in sorted(made.sign | made.valid | made.replaced):
        sign, valid, replaced = made.sign[kind, form], made.valid[kind, form], made.replaced[kind, form]
        yield f"{kind:<24} {form:<14} {f'+{sign}':>9} {valid:>9} {f'-{replaced}':>9}"
    yield f"{made.places} places in status lists would be taken."
    yield from _left_text(left)
    yield from _refused_text(made.refused)
    yield from (f"all of it would be refused: {one.message} [{one.code}]" for one in findings)


def _left_text(left: dict[str, int]) -> Iterator[str]:
    for name, count in left.items():
        yield f"{count} {name} statements left unsigned: too few workers have the like."


def _refused_text(outcome: "Outcome") -> Iterator[str]:
    if outcome.refused:
        yield f"{outcome.refused} copies refused, and left for a person:"
    for one in outcome.told:
        yield f"  {one.type} {one.digest[:16]} ({one.format}): {one.why} [{one.code}]"
    if outcome.refused > len(outcome.told):
        yield f"  and {outcome.refused - len(outcome.told)} more"


def table(summary: dict[str, dict[str, int]]) -> str:
    """Statements and credentials by type."""
    rows = [
        f"{name:<20} {one['statements']:>9} {one['credentials']:>12} {one['boundToKeys']:>12}"
        for name, one in summary.items()
    ]
    return "\n".join([f"{'statement':<20} {'attested':>9} {'credentials':>12} {'key-bound':>12}", *rows])
