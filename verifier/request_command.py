"""``ouvrage verifier request`` and ``result``: a request in a file, or one that a service that runs keeps for us."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from vc.canon import Json, Limits, parse_object, to_json
from vc.errors import Finding, Malformed, Rejected, Undetermined, VcError
from vc.frames import Kind, Message, split
from vc.io.codes import Subject, draw, terminal, write_drawn
from vc.io.command import show
from vc.io.files import read_bounded, write_atomic
from vc.io.options import Json_, Lang, Out, language
from verifier import render
from verifier.kept import read_report
from verifier.policy_command import PolicyOption, request_by_policy
from verifier.request import Wanted, build_request
from work.dictionary import DICTIONARIES

KEY: Final = "OUVRAGE_VERIFIER_KEY"
KEY_FILE: Final = "OUVRAGE_VERIFIER_KEY_FILE"
MAX_KEY: Final = 256
MAX_REPLY: Final = 4 << 20
STEP: Final = 20  # seconds that the service lets us wait at a time
PATIENCE: Final = 900

Server = Annotated[str | None, typer.Option("--server", metavar="URL", help="Ask through this `verifier serve`.")]
KeyFile = Annotated[
    Path | None,
    typer.Option("--key-file", metavar="FILE", help=f"Its API key; else {KEY_FILE} names the file, or {KEY} holds it."),
]


Claim = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CLAIM",
        help="What you ask for; may be repeated. Such as "
        "'Earnings.averageAtLeast12m>=1500', Rating, WorkHistory.jobsCompleted.",
    ),
]
Retention = Annotated[
    int | None,
    typer.Option(min=0, max=3650, help="Days after which you erase the answer; default: what the purpose says."),
]


def request_command(
    client: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="Who asks: the name that the worker will see.")
    ] = None,
    purpose: Annotated[str, typer.Option(help="Why you ask: such as credit.consumer.eu or housing.tenancy.fr.")] = "",
    claim: Claim = None,
    policy_file: PolicyOption = None,
    necessity: Annotated[str, typer.Option(help="One sentence: why the purpose needs this.")] = "",
    retention: Retention = None,
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
    server: Server = None,
    key_file: KeyFile = None,
    lang: Lang = "en",
    as_json: Json_ = False,
) -> None:
    """Ask a worker: with a request in a file, or with --server, with a link that a service keeps the request for."""
    language_ = language(lang)
    if policy_file is not None and (purpose or claim or accept_possession):
        raise Malformed("--policy", "says the purpose and what is asked by itself: leave those out", code="USAGE")
    if server is not None:
        if policy_file is not None:
            raise Malformed("--policy", "is checked where the file is: leave out --server", code="USAGE")
        ask: dict[str, Json] = {
            "purpose": purpose,
            "claims": list[Json](claim or ()),
            "necessity": necessity,
            "format": form,
            "askAnyway": ask_anyway,
            "acceptPossession": accept_possession,
            **({} if retention is None else {"retentionDays": retention}),
        }
        _through(server, ask, key_file, out, qr, language_, as_json=as_json)
        return
    if client is None:
        raise Malformed("--as", "say who asks, or give a --server, which has a name of its own", code="USAGE")
    if policy_file is not None:
        request = request_by_policy(policy_file, client, necessity, retention, sd_jwt=form == "sd-jwt")
    else:
        request = _request(client, purpose, claim or (), necessity, retention, ask_anyway, accept_possession, form)
    _give(request, out, qr, language_, as_json=as_json)


def _request(
    client: str,
    purpose: str,
    claims: Sequence[str],
    necessity: str,
    retention: int | None,
    ask_anyway: bool,
    accept_possession: bool,
    form: str,
) -> dict[str, Json]:
    return build_request(
        [Wanted.parse(text) for text in claims],
        client_id=client,
        purpose=purpose,
        necessity=necessity,
        retention_days=retention,
        ask_anyway=ask_anyway,
        accept_possession=accept_possession,
        sd_jwt=form == "sd-jwt",
        rand=os.urandom,
    )


def _give(request: dict[str, Json], out: Path | None, qr: Path | None, lang: str, *, as_json: bool) -> None:
    """The request in a file, and as codes where they are wanted."""
    target, drawn = out or Path("request.json"), _drawn(to_json(request), qr, lang)
    write_atomic(target, to_json(request), mode=0o644)
    write_drawn(drawn, mode=0o644)
    show(
        {"file": str(target), "pictures": [str(path) for path in drawn], "request": request},
        as_json=as_json,
        text=lambda: f"Request written to {target}: give it to the worker, and keep it to check the answer.",
    )


def _drawn(raw: bytes, qr: Path | None, lang: str) -> dict[Path, bytes]:
    if qr is None:
        return {}
    return draw(split(Message(Kind.REQUEST, raw), dictionaries=DICTIONARIES), qr, Subject("request", lang))


def _through(
    server: str,
    ask: Mapping[str, Json],
    key_file: Path | None,
    out: Path | None,
    qr: Path | None,
    lang: str,
    *,
    as_json: bool,
) -> None:
    """Let a service make the request, and print its link and where the result will be."""
    key = _api_key(key_file)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    url = f"{server.rstrip('/')}/api/requests"
    status, reply = _asked(url, method="POST", body=to_json(dict(ask)), headers=headers)
    link, result = reply.get("request"), reply.get("result")
    if status != 201 or not isinstance(link, str) or not isinstance(result, str):
        raise _refused(status, reply)
    drawn = {} if qr is None else draw([link], qr, Subject("request", lang))
    if out is not None:
        write_atomic(out, to_json({"request": link, "result": result}))
    write_drawn(drawn, mode=0o644)
    show(
        {"request": link, "result": result},
        as_json=as_json,
        text=lambda: (
            f"{terminal(link)}\nLet the worker's wallet read this code, or give them the link:\n{link}\n\n"
            f"Then wait for the report with: ouvrage verifier result {result}"
        ),
    )


def _api_key(file: Path | None) -> str:
    named = file or (Path(os.environ[KEY_FILE]) if KEY_FILE in os.environ else None)
    text = read_bounded(named, limit=MAX_KEY).decode("ascii", "replace") if named else os.environ.get(KEY, "")
    key = text.strip()
    if not key or not key.isascii() or not key.isprintable():
        why = "the service wants one: `ouvrage verifier api-key add` on its machine makes it"
        raise Malformed(f"--key-file, {KEY_FILE}, {KEY}", why, code="NO_API_KEY")
    return key


def result_command(
    url: Annotated[str, typer.Argument(metavar="URL", help="The result address that `verifier request` printed.")],
    wait: Annotated[
        int, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for the worker's answer.")
    ] = PATIENCE,
    code: Annotated[
        str | None, typer.Option("--response-code", metavar="CODE", help="What the worker's browser came back with.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the report as a page to print.")] = None,
    lang: Lang = "en",
    as_json: Json_ = False,
) -> None:
    """Wait for the report on an answer, and print it. Exit code 0: proven; 1: refused, declined; 3: cannot be told."""
    language_ = language(lang)
    document = _waited(url, wait, code)
    if document.get("type") != "OuvrageReport":
        raise Rejected((Finding("DECLINED", f"the worker's wallet shows nothing ({document.get('error')})", "result"),))
    report = read_report(document)
    if html is not None:
        write_atomic(html, render.to_html(report, language_).encode("utf-8"), mode=0o644)
    show(document, as_json=as_json, text=lambda: render.to_text(report, language_))
    if report.verdict.value != "valid":
        raise typer.Exit(1 if report.verdict.value == "refused" else 3)


def _waited(url: str, wait: int, code: str | None) -> dict[str, Json]:
    ends = time.monotonic() + wait
    while True:
        left = max(0, min(STEP, int(ends - time.monotonic())))
        query = f"?wait={left}" + (f"&response_code={code}" if code else "")
        status, document = _asked(url + query, timeout=STEP + 15.0)
        if status == 200:
            return document
        if status != 202:
            raise _refused(status, document)
        if time.monotonic() >= ends - 1:
            raise Undetermined("nobody has answered yet", "ask again while the request is open", code="NO_RESULT")


def _asked(
    url: str, *, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None,
    timeout: float = 30.0,
) -> tuple[int, dict[str, Json]]:  # fmt: skip
    from vc.io.fetch import fetch  # noqa: PLC0415  (aiohttp takes a while to load)

    answer = asyncio.run(
        fetch(
            url, limit=MAX_REPLY, private=True, method=method, body=body, timeout=timeout,
            headers={"Accept": "application/json", **(headers or {})},
        )
    )  # fmt: skip
    try:
        return answer.status, parse_object(answer.body, where="the service", limits=Limits(size=MAX_REPLY))
    except VcError:
        why = f"no `verifier serve`: it answers with {answer.status}"
        raise Malformed("the service", why, code="BAD_SERVER") from None


def _refused(status: int, problem: Mapping[str, Json]) -> VcError:
    """The error of the service, as if it were our own."""
    code, detail = str(problem.get("code") or f"HTTP_{status}")[:60], str(problem.get("detail") or "")[:300]
    if status in (401, 410, 422):
        return Rejected((Finding(code, detail, "the service"),))
    if status in (429, 503) or status >= 500:
        return Undetermined("the service cannot now", detail or "try again later", code=code)
    return Malformed("the service", detail or f"it answers with {status}", code=code)
