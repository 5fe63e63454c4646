"""``ouvrage verifier``: ask, check offline, keep a trust file."""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from vc.canon import to_json
from vc.errors import Rejected, Undetermined, VcError
from vc.frames import Kind, Message, split
from vc.io.codes import Subject, draw, write_drawn
from vc.io.command import new_app, run, show
from vc.io.files import read_bounded, write_atomic
from vc.io.offline import forbid_network
from vc.io.options import LOOPBACK, At, Home, Host, Json_, Lang, Out, Port, Tls, language, moment
from vc.io.pictures import read_message
from vc.oid4vp import parse_request
from vc.verify import Policy
from verifier import render, trust_commands, trust_list_commands
from verifier.check import check, policy
from verifier.report import Report, build, refused
from verifier.request import Wanted, build_request
from verifier.trust_store import load
from work.dictionary import DICTIONARIES

MAX_ANSWER: Final = 1 << 20  # sixteen credentials with every claim shown are under 200 KB
MAX_REQUEST: Final = 1 << 18

app = new_app("Check a worker's proof offline, without telling the platform.")
app.add_typer(trust_commands.app, name="trust")
for name, command in trust_list_commands.COMMANDS.items():
    trust_commands.app.command(name)(command)
app.command("sync")(trust_list_commands.sync_command)


@app.command("request")
def request_command(
    purpose: Annotated[str, typer.Option(help="Why you ask: such as credit.consumer.eu or housing.tenancy.fr.")],
    claim: Annotated[
        list[str],
        typer.Option(
            metavar="CLAIM",
            help="What you ask for; may be repeated. Such as "
            "'Earnings.averageAtLeast12m>=1500', Rating, WorkHistory.jobsCompleted.",
        ),
    ],
    client: Annotated[str, typer.Option("--as", metavar="NAME", help="Who asks: the name that the worker will see.")],
    necessity: Annotated[str, typer.Option(help="One sentence: why the purpose needs this.")] = "",
    retention: Annotated[
        int | None,
        typer.Option(min=0, max=3650, help="Days after which you erase the answer; default: what the purpose says."),
    ] = None,
    ask_anyway: Annotated[
        bool, typer.Option("--ask-anyway", help="Ask even for what the purpose must never ask; the report will say so.")
    ] = False,
    accept_possession: Annotated[
        bool, typer.Option("--accept-possession", help="Accept a credential that names no key of the worker, too.")
    ] = False,
    form: Annotated[
        Literal["bbs-2023", "sd-jwt"],
        typer.Option("--format", help="sd-jwt asks for SD-JWT VCs, which the European wallets hold."),
    ] = "bbs-2023",
    out: Out = None,
    qr: Annotated[
        Path | None,
        typer.Option(
            "--qr", metavar="FILE|FOLDER", help="Also write it as QR codes: a .png, .svg, .gif or .html, or a folder."
        ),
    ] = None,
    lang: Lang = "en",
    as_json: Json_ = False,
) -> None:
    """Write a request for a worker's wallet."""
    language_ = language(lang)
    request = build_request(
        [Wanted.parse(text) for text in claim],
        client_id=client,
        purpose=purpose,
        necessity=necessity,
        retention_days=retention,
        ask_anyway=ask_anyway,
        accept_possession=accept_possession,
        sd_jwt=form == "sd-jwt",
        rand=os.urandom,
    )
    target, drawn = out or Path("request.json"), {}
    if qr is not None:
        texts = split(Message(Kind.REQUEST, to_json(request)), dictionaries=DICTIONARIES)
        drawn = draw(texts, qr, Subject("request", language_))
    write_atomic(target, to_json(request), mode=0o644)
    write_drawn(drawn, mode=0o644)
    show(
        {"file": str(target), "pictures": [str(path) for path in drawn], "request": request},
        as_json=as_json,
        text=lambda: f"Request written to {target}: give it to the worker, and keep it to check the answer.",
    )


@app.command("check")
def check_command(
    answer: Annotated[
        list[Path],
        typer.Argument(metavar="ANSWER…", help="A file; or pictures of its QR codes, in any order, or their folder."),
    ],
    request: Annotated[Path, typer.Option("--request", metavar="FILE", help="The request that was answered.")],
    trust: trust_commands.TrustFile = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the report as a page to print.")] = None,
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
    accepted = policy(accept_possession=accept_possession, accept_self_asserted=accept_self_asserted)
    made, error = _checked(answer, request, trust_commands.held_trust(trust, home_dir), accepted, moment_)
    if html is not None:
        write_atomic(html, render.to_html(made, language_).encode("utf-8"), mode=0o644)
    show(made.to_json(), as_json=as_json, text=lambda: render.to_text(made, language_))
    if error is not None:
        raise typer.Exit(error.exit_code)


def _checked(
    answer: list[Path], request: Path, trust: Path, accepted: Policy, at: datetime
) -> tuple[Report, VcError | None]:
    """The report, and the refusal that it tells of. What cannot be read is no answer, so an error without a report."""
    raw = read_message(*answer, kind=Kind.ANSWER, limit=MAX_ANSWER, dictionaries=DICTIONARIES)
    asked = parse_request(read_bounded(request, limit=MAX_REQUEST), where=str(request))
    known = load(trust)
    try:
        proven = check(raw, asked, trust=known, policy=accepted, at=at)
    except (Rejected, Undetermined) as error:
        return refused(asked, error, trust=known, at=at, answer=raw), error
    return build(asked, proven, trust=known, at=at, answer=raw), None


@app.command("serve")
def serve_command(
    port: Port = 0,
    host: Host = LOOPBACK,
    tls: Tls = False,
    as_json: Json_ = False,
) -> None:
    """Check over HTTP (VC-API) whether proofs hold: nothing more, so no trust file is needed."""
    from vc.io.web import announce, run_service  # noqa: PLC0415  (aiohttp takes a while to load)
    from verifier.app import VERIFY_CREDENTIAL, VERIFY_PRESENTATION, make  # noqa: PLC0415

    paths = {"verifyCredential": VERIFY_CREDENTIAL, "verifyPresentation": VERIFY_PRESENTATION}
    run_service(
        make,
        host=host,
        port=port,
        tls=tls,
        ready=lambda base: announce({"base": base, **paths}, as_json=as_json),
    )


def main(arguments: list[str]) -> None:
    """Run the verifier's commands."""
    run(app, arguments or ["--help"], name="ouvrage verifier")


if __name__ == "__main__":
    main(sys.argv[1:])
