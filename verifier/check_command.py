"""``ouvrage verifier check``: an answer, its request and whom one trusts become a report, offline."""

from pathlib import Path
from typing import Annotated

import typer

from vc.errors import Rejected, Undetermined, VcError
from vc.frames import Kind
from vc.io.command import show
from vc.io.files import read_bounded, write_atomic
from vc.io.offline import forbid_network
from vc.io.options import At, Home, Json_, Lang, language, moment
from vc.io.pictures import read_message
from vc.oid4vp import parse_request
from vc.trust import Trust
from verifier import render
from verifier.api import MAX_ANSWER, MAX_REQUEST
from verifier.evidence import Case, pack
from verifier.pdf import to_pdf
from verifier.policy import MAX_POLICY, parse_policy
from verifier.policy_command import PolicyOption, require_purpose
from verifier.report import Report
from verifier.trust_commands import TrustFile, held_trust
from verifier.trust_store import load
from work.dictionary import DICTIONARIES


def check_command(
    answer: Annotated[
        list[Path],
        typer.Argument(metavar="ANSWER…", help="A file; or pictures of its QR codes, in any order, or their folder."),
    ],
    request: Annotated[Path, typer.Option("--request", metavar="FILE", help="The request that was answered.")],
    trust: TrustFile = None,
    policy_file: PolicyOption = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the report as a page to print.")] = None,
    pdf: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the report as PDF.")] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write all that it takes to check again, years later: one zip file."),
    ] = None,
    accept_possession: Annotated[
        bool,
        typer.Option(
            "--accept-possession",
            help="Accept a credential that names no key of the worker: whoever holds a copy can show it.",
        ),
    ] = False,
    accept_self_asserted: Annotated[
        bool,
        typer.Option(
            "--accept-self-asserted",
            help="Accept what a worker imported from a file and nobody has confirmed; the report marks it.",
        ),
    ] = False,
    lang: Lang = "en",
    at: At = None,
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """Check an answer, offline. Exit code 0: proven; 1: refused; 2: not readable; 3: cannot be told."""
    forbid_network()
    moment_, language_ = moment(at), language(lang)
    raw = read_message(*answer, kind=Kind.ANSWER, limit=MAX_ANSWER, dictionaries=DICTIONARIES)
    asked = read_bounded(request, limit=MAX_REQUEST)
    rules = None if policy_file is None else read_bounded(policy_file, limit=MAX_POLICY)
    known = load(held_trust(trust, home_dir))
    case = Case(raw, asked, moment_, rules, accept_possession, accept_self_asserted)
    made, error = _checked(case, known, request, policy_file)
    if evidence is not None:
        write_atomic(evidence, pack(case, known, lang=language_), mode=0o600)
    if html is not None:
        write_atomic(html, render.to_html(made, language_).encode("utf-8"), mode=0o644)
    if pdf is not None:
        write_atomic(pdf, to_pdf(made, language_), mode=0o644)
    show(made.to_json(), as_json=as_json, text=lambda: render.to_text(made, language_))
    if error is not None:
        raise typer.Exit(error.exit_code)


def _checked(case: Case, known: Trust, request: Path, policy_file: Path | None) -> tuple[Report, VcError | None]:
    """The report, and the refusal that it tells of. What cannot be read is no answer, so an error without a report."""
    asked = parse_request(case.request, where=str(request), own=True)
    if case.rules is not None:
        require_purpose(parse_policy(case.rules, where=str(policy_file)), asked)
    report, error = case.judged(known)
    if error is not None and not isinstance(error, Rejected | Undetermined):
        raise error
    return report, error
