"""``ouvrage verifier check-all``: a file with many answers becomes a file with as many reports, offline."""

import os
from pathlib import Path
from typing import Annotated

import typer

from vc.errors import Malformed
from vc.io.command import show
from vc.io.files import read_bounded
from vc.io.options import At, Home, Json_, moment
from verifier.batch import Terms, check_all
from verifier.policy import MAX_POLICY, parse_policy
from verifier.policy_command import PolicyOption
from verifier.trust_commands import TrustFile, held_trust
from verifier.trust_store import load


def check_all_command(
    answers: Annotated[
        Path,
        typer.Argument(metavar="FILE", help='Lines of {"request": …, "answer": …}, each with an "id" if you like.'),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="A line for each; what is there is gone on with.")],
    trust: TrustFile = None,
    policy_file: PolicyOption = None,
    accept_possession: Annotated[
        bool, typer.Option("--accept-possession", help="Accept credentials that name no key of the worker.")
    ] = False,
    accept_self_asserted: Annotated[
        bool, typer.Option("--accept-self-asserted", help="Accept what workers imported and nobody has confirmed.")
    ] = False,
    processes: Annotated[int, typer.Option("--processes", min=1, max=64, metavar="N", help="Default: one a core.")] = (
        len(os.sched_getaffinity(0))
    ),
    at: At = None,
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """Check many answers, offline, all against the same. Exit code 0: every line has its result, whatever it says."""
    rules = None if policy_file is None else read_bounded(policy_file, limit=MAX_POLICY)
    if rules is not None:
        parse_policy(rules, where=str(policy_file))
    known = held_trust(trust, home_dir)
    terms = Terms(known, load(known).digest, moment(at), rules, accept_possession, accept_self_asserted)
    try:
        with answers.open("rb") as source:
            done, before = check_all(source, out, terms, processes=min(processes, 64))
    except OSError as error:
        why = f"cannot be read or written: {error.strerror or type(error).__name__}"
        raise Malformed(str(error.filename or answers), why, code="FILE_UNREADABLE") from None
    show(
        {"lines": done, "before": before, "out": str(out)},
        as_json=as_json,
        text=lambda: f"{done} lines have their result in {out} ({before} of them from an earlier run).",
    )
