"""``ouvrage verifier``: ask, check offline, keep a trust file."""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from vc.canon import Json, to_json
from vc.errors import Malformed, Rejected, Undetermined, VcError
from vc.frames import Kind, Message, split
from vc.io.codes import Subject, draw, write_drawn
from vc.io.command import new_app, run, show
from vc.io.files import home, read_bounded, write_atomic
from vc.io.offline import forbid_network
from vc.io.options import LOOPBACK, At, Home, Host, Json_, Lang, Out, Port, Tls, language, moment
from vc.io.pictures import read_message
from vc.model import format_date_time
from vc.oid4vp import parse_request
from vc.trust import Trust, parse_trust
from vc.verify import Policy
from verifier import render
from verifier.check import check, policy
from verifier.policy import PolicyFile
from verifier.policy_command import PolicyOption, policy_command, read_policy, request_by_policy, require_purpose
from verifier.report import Report, build, refused
from verifier.request import Wanted, build_request
from verifier.trustfile import add_issuer, add_lists, empty
from work import CONTEXTS
from work.dictionary import DICTIONARIES

MAX_ANSWER: Final = 1 << 20  # sixteen credentials with every claim shown are under 200 KB
MAX_REQUEST: Final = 1 << 18
MAX_TRUST: Final = 16 << 20
MAX_ENTRY: Final = 1 << 20

app = new_app("Check a worker's proof offline, without telling the platform.")
trust_app = new_app("Whom to trust: a file of issuers, their keys, and what they may attest.")
app.add_typer(trust_app, name="trust")

app.command("policy")(policy_command)

TrustFile = Annotated[
    Path | None, typer.Option("--trust", metavar="FILE", help="The trust file; default: this verifier's own.")
]


@app.command("request")
def request_command(
    client: Annotated[str, typer.Option("--as", metavar="NAME", help="Who asks: the name that the worker will see.")],
    purpose: Annotated[str, typer.Option(help="Why you ask: such as credit.consumer.eu or housing.tenancy.fr.")] = "",
    claim: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLAIM",
            help="What you ask for; may be repeated. Such as "
            "'Earnings.averageAtLeast12m>=1500', Rating, WorkHistory.jobsCompleted.",
        ),
    ] = None,
    policy_file: PolicyOption = None,
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
    if policy_file is not None:
        if purpose or claim or accept_possession:
            raise Malformed("--policy", "says the purpose and what is asked by itself: leave those out", code="USAGE")
        request = request_by_policy(policy_file, client, necessity, retention, sd_jwt=form == "sd-jwt")
    else:
        request = build_request(
            [Wanted.parse(text) for text in claim or ()],
            client_id=client,
            purpose=purpose,
            necessity=necessity,
            retention_days=retention,
            ask_anyway=ask_anyway,
            accept_possession=accept_possession,
            sd_jwt=form == "sd-jwt",
            rand=os.urandom,
        )
    _give(request, out, qr, language_, as_json=as_json)


def _give(request: dict[str, Json], out: Path | None, qr: Path | None, lang: str, *, as_json: bool) -> None:
    """The request in a file, and as codes where they are wanted."""
    target, drawn = out or Path("request.json"), {}
    if qr is not None:
        texts = split(Message(Kind.REQUEST, to_json(request)), dictionaries=DICTIONARIES)
        drawn = draw(texts, qr, Subject("request", lang))
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
    trust: TrustFile = None,
    policy_file: PolicyOption = None,
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
    rules = None if policy_file is None else read_policy(policy_file)
    made, error = _checked(answer, request, _trust_path(trust, home_dir), accepted, rules, moment_)
    if html is not None:
        write_atomic(html, render.to_html(made, language_).encode("utf-8"), mode=0o644)
    show(made.to_json(), as_json=as_json, text=lambda: render.to_text(made, language_))
    if error is not None:
        raise typer.Exit(error.exit_code)


def _checked(
    answer: list[Path], request: Path, trust: Path, accepted: Policy, rules: PolicyFile | None, at: datetime
) -> tuple[Report, VcError | None]:
    """The report, and the refusal that it tells of. What cannot be read is no answer, so an error without a report."""
    raw = read_message(*answer, kind=Kind.ANSWER, limit=MAX_ANSWER, dictionaries=DICTIONARIES)
    asked = parse_request(read_bounded(request, limit=MAX_REQUEST), where=str(request))
    if rules is not None:
        require_purpose(rules, asked)
    known = _trust(trust)
    try:
        proven = check(raw, asked, trust=known, policy=accepted, at=at)
    except (Rejected, Undetermined) as error:
        return refused(asked, error, trust=known, at=at, answer=raw), error
    return build(asked, proven, trust=known, at=at, answer=raw, policy=rules), None


@trust_app.command("init")
def trust_init(trust: TrustFile = None, home_dir: Home = None, at: At = None, as_json: Json_ = False) -> None:
    """Start a trust file that trusts nobody yet."""
    path = _trust_path(trust, home_dir)
    if path.exists():
        raise Malformed(str(path), "is there already; nothing was changed", code="FILE_EXISTS")
    write_atomic(path, empty(moment(at)), mode=0o644)
    show({"trust": str(path)}, as_json=as_json, text=lambda: f"Trust file made: {path}. It trusts nobody yet.")


@trust_app.command("add")
def trust_add(
    entry: Annotated[Path, typer.Argument(help="What `ouvrage issuer keys --json` printed.")],
    trust: TrustFile = None,
    home_dir: Home = None,
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Trust an issuer: check first, by another road, that the entry is really theirs."""
    path = _trust_path(trust, home_dir)
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


@trust_app.command("lists")
def trust_lists(
    lists: Annotated[Path, typer.Argument(help="The lists.json of `ouvrage issuer lists publish --out`.")],
    trust: TrustFile = None,
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """Take newer status lists into the trust file. They come from a mirror: each is verified when it is used."""
    path = _trust_path(trust, home_dir)
    raw, given = read_bounded(path, limit=MAX_TRUST), read_bounded(lists, limit=MAX_TRUST)
    written = add_lists(raw, given, contexts=CONTEXTS)
    write_atomic(path, written, mode=0o644)
    held = parse_trust(written, contexts=CONTEXTS).status_lists
    show(
        {"trust": str(path), "statusLists": {url: format_date_time(one.as_of) for url, one in held.items()}},
        as_json=as_json,
        text=lambda: f"{len(held)} status lists are held.",
    )


@trust_app.command("show")
def trust_show(trust: TrustFile = None, home_dir: Home = None, as_json: Json_ = False) -> None:
    """Who is trusted, for what, since when."""
    known = _trust(_trust_path(trust, home_dir))
    show(_trust_json(known), as_json=as_json, text=lambda: _trust_text(known))


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


def _trust_json(known: Trust) -> dict[str, object]:
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
            }
            for issuer in known.issuers
        ],
    }


def _trust_text(known: Trust) -> str:
    lines = [f"Trust file of {known.as_of:%Y-%m-%d}: {len(known.issuers)} issuers"]
    lines += [
        f"  {issuer.name} ({issuer.legal_identifier}) may attest {', '.join(sorted(issuer.may_attest))}"
        for issuer in known.issuers
    ]
    return "\n".join(lines)


def _trust(path: Path) -> Trust:
    return parse_trust(read_bounded(path, limit=MAX_TRUST), contexts=CONTEXTS, where=str(path))


def _trust_path(trust: Path | None, home_dir: Path | None) -> Path:
    return trust or home(home_dir, "verifier", os.environ) / "trust.json"


def main(arguments: list[str]) -> None:
    """Run the verifier's commands."""
    run(app, arguments or ["--help"], name="ouvrage verifier")


if __name__ == "__main__":
    main(sys.argv[1:])
