"""``ouvrage verifier``: ask, check offline, keep a trust file, serve."""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from vc.errors import Malformed, Rejected, Undetermined, VcError
from vc.frames import Kind
from vc.io.command import new_app, run, show
from vc.io.files import home, read_bounded, write_atomic
from vc.io.offline import forbid_network
from vc.io.options import At, Home, Json_, Lang, language, moment
from vc.io.pictures import read_message
from vc.model import format_date_time
from vc.oid4vp import parse_request
from vc.trust import Trust, parse_trust
from vc.verify import Policy
from verifier import key_commands, render
from verifier.check import policy
from verifier.judge import judge
from verifier.pdf import to_pdf
from verifier.policy import PolicyFile
from verifier.policy_command import PolicyOption, policy_command, read_policy, require_purpose
from verifier.report import Report
from verifier.request_command import request_command, result_command
from verifier.serve_command import serve_command
from verifier.service_commands import keys_app as api_key_app
from verifier.service_commands import purge_command
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
app.add_typer(key_commands.app, name="keys")
app.add_typer(api_key_app, name="api-key")

TrustFile = Annotated[
    Path | None, typer.Option("--trust", metavar="FILE", help="The trust file; default: this verifier's own.")
]


app.command("request")(request_command)
app.command("result")(result_command)


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
    pdf: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the report as PDF.")] = None,
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
    if pdf is not None:
        write_atomic(pdf, to_pdf(made, language_), mode=0o644)
    show(made.to_json(), as_json=as_json, text=lambda: render.to_text(made, language_))
    if error is not None:
        raise typer.Exit(error.exit_code)


def _checked(
    answer: list[Path], request: Path, trust: Path, accepted: Policy, rules: PolicyFile | None, at: datetime
) -> tuple[Report, VcError | None]:
    """The report, and the refusal that it tells of. What cannot be read is no answer, so an error without a report."""
    raw = read_message(*answer, kind=Kind.ANSWER, limit=MAX_ANSWER, dictionaries=DICTIONARIES)
    asked = parse_request(read_bounded(request, limit=MAX_REQUEST), where=str(request), own=True)
    if rules is not None:
        require_purpose(rules, asked)
    report, error = judge(raw, asked, trust=_trust(trust), policy=accepted, rules=rules, at=at)
    if error is not None and not isinstance(error, Rejected | Undetermined):
        raise error
    return report, error


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


app.command("serve")(serve_command)
app.command("purge")(purge_command)


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
