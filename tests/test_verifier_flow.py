"""The verifier's service and wallets: requests, answers, what is refused, what is kept and what is erased."""

import asyncio
import json
import os
import socket
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.asking import DEMAND, Service, running, shown
from tests.line import AT, Shown, answer, credential, request, trust
from tests.test_verify import by_thief
from tests.verifying import dcql, stocked
from vc.canon import parse_object, to_json
from vc.client_id import DID, HASH, REDIRECT_URI, SAN_DNS
from vc.documents import NO_DOCUMENTS
from vc.errors import Malformed, Rejected
from vc.io.fetch import fetch
from vc.io.web import MAX_BODY
from vc.jwe import DecryptionKey
from vc.multibase import decode_base64url
from vc.oauth import OAuthRefusal
from vc.request_object import parse_request_link
from vc.vp_response import response_form
from verifier import sessions
from verifier.api import check_answer
from verifier.asking import Ask
from verifier.flow import MOVES, Event, State
from verifier.kept import read_report
from verifier.render import to_html, to_text
from verifier.retention import REMEMBERED, purge
from verifier.sessions import Created
from verifier.tables import SESSION
from wallet.choose import plan
from wallet.delivery import Outcome, deliver, record, was_answered
from wallet.online import send_answer, send_refusal
from wallet.words import ledger_text
from work import CONTEXTS
from work.receipt import MEMBER, Kept, verify_receipt


@pytest.fixture
async def service(tmp_path: Path) -> Any:
    async with running(tmp_path) as one:
        yield one


# ---- the straight line -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encrypted", [True, False], ids=["direct_post.jwt", "direct_post"])
@pytest.mark.parametrize("client", [DID, SAN_DNS, HASH, REDIRECT_URI])
async def test_a_worker_answers(tmp_path: Path, client: str, *, encrypted: bool) -> None:
    async with running(tmp_path, client=client, certified=client in (SAN_DNS, HASH)) as service:
        made = service.ask(encrypted=encrypted)
        assert await service.result(made) == (
            202, {"type": "OuvrageOutcome", "state": "open", "expires": made.expires},
        )  # fmt: skip
        asked = await service.read(made)
        assert asked.client.id.prefix == client
        assert (asked.reply_to.recipient is not None) == encrypted
        assert (await service.result(made))[1]["state"] == ("open" if client == REDIRECT_URI else "fetched")
        status, told = await service.post(made, response_form(shown(asked), asked.reply_to))
        assert status == 200
        assert (MEMBER in told) == (client != REDIRECT_URI)
        status, report = await service.result(made)
    assert (status, report["verdict"], report["asked"]["verifier"]) == (200, "valid", asked.request.client_id)
    assert report["proven"][0]["claims"]["averageAtLeast12m"] == ["001500"]
    assert report["eraseBy"] == f"{AT + timedelta(days=30):%Y-%m-%d}"


async def test_the_receipt_says_what_is_kept_and_until_when(service: Service) -> None:
    for keep in (False, True):
        made = service.ask(keep_answer=keep)
        asked = await service.read(made)
        sent = shown(asked)
        _, told = await service.post(made, response_form(sent, asked.reply_to))
        about: dict[str, Any] = {"client_id": asked.request.client_id, "roots": (), "documents": NO_DOCUMENTS, "at": AT}
        receipt = verify_receipt(told[MEMBER], nonce=asked.request.nonce, **about)
        assert receipt.kept == ((Kept.REPORT, Kept.ANSWER) if keep else (Kept.REPORT,))
        assert (receipt.purpose, receipt.received) == ("credit.consumer.eu", AT)
        row = service.row(made)
        assert (row.answer is not None, row.sealed_key, row.receipt) == (keep, None, told[MEMBER])
        assert receipt.erase_by is not None
        assert row.erase == int((AT.replace(hour=0, minute=0) + timedelta(days=31)).timestamp())
        kept = sessions.kept_answer(service.deps, made.secret)
        assert (kept is None) == (not keep)
        assert kept is None or json.loads(kept) == sent
        with pytest.raises(Rejected) as caught:
            verify_receipt(told[MEMBER], nonce="of another request", **about)
        assert caught.value.code == "RECEIPT_MISMATCH"
        head, body, end = told[MEMBER].split(".")
        with pytest.raises((Rejected, Malformed)):
            verify_receipt(f"{head}.{body[:-4]}AAAA.{end}", nonce=asked.request.nonce, **about)


async def test_a_report_that_was_kept_reads_as_on_its_day(service: Service) -> None:
    made = service.ask(claims=("Rating",), purpose="platform.onboarding.eu")
    asked = await service.read(made)
    sent = answer(asked.request, credential("Rating"))
    await service.post(made, response_form(sent, asked.reply_to))
    _, document = await service.result(made)
    report = read_report(document)
    assert report.to_json() == document
    assert report.proven[0].type == "Rating"
    assert "Example platform" in to_text(report, "en")
    assert "Example platform" in to_html(report, "fr")
    spoilt: tuple[dict[str, Any], ...] = ({"version": 2}, {"verdict": "good"}, {"proven": [{}]}, {"decision": {}})
    for spoil in spoilt:
        with pytest.raises(Malformed):
            read_report({**document, **spoil})


async def test_what_must_never_be_asked_needs_the_override_that_is_reported(service: Service) -> None:
    with pytest.raises(Rejected) as caught:
        service.ask(claims=("Rating",))
    assert caught.value.code == "NEVER_ASK"
    made = service.ask(claims=("Rating",), ask_anyway=True)
    asked = await service.read(made)
    await service.post(made, response_form(answer(asked.request, credential("Rating")), asked.reply_to))
    _, report = await service.result(made)
    assert report["verdict"] == "valid"
    assert {one["type"] for one in report["asked"]["never"]} == {"Rating"}


async def test_a_no_is_shown_as_a_no(service: Service) -> None:
    made = service.ask()
    await send_refusal(await service.read(made), ask=fetch)
    status, told = await service.result(made)
    assert (status, told["state"], told["error"]) == (200, "declined", "access_denied")
    assert (await service.post(made, {"error": "access_denied", "state": "x"}))[0] == 400


async def test_the_request_is_made_anew_for_a_wallet_that_brings_a_nonce(service: Service) -> None:
    made = service.ask()
    link: Any = parse_request_link(made.link)
    assert link.post
    async with service.http.get(link.uri) as plain:
        assert plain.content_type == "application/oauth-authz-req+jwt"
        assert b"wallet_nonce" not in _payload(await plain.read())
    async with service.http.post(link.uri, data={"wallet_nonce": "n" * 40, "wallet_metadata": "{}"}) as bound:
        claims = json.loads(_payload(await bound.read()))
    assert (claims["wallet_nonce"], claims["aud"]) == ("n" * 40, "https://self-issued.me/v2")
    assert claims["exp"] == made.expires
    for form in ({"wallet_metadata": "no JSON"}, {"wallet_nonce": "n" * 600}):
        async with service.http.post(link.uri, data=form) as refused:
            assert (refused.status, (await refused.json())["error"]) == (400, "invalid_request")
    async with service.http.post(link.uri, json={}) as refused:
        assert refused.status == 415


def _payload(jws: bytes) -> bytes:
    return decode_base64url(jws.decode().split(".")[1])


# ---- what is refused -------------------------------------------------------------------------------------------------


async def test_what_is_no_answer_changes_nothing(service: Service) -> None:
    made, other = service.ask(), service.ask()
    asked, others = await service.read(made), await service.read(other)
    good = shown(asked)
    strange = DecryptionKey.generate(os.urandom).jwk
    assert asked.reply_to.recipient is not None
    stranger = replace(asked.reply_to, recipient=replace(asked.reply_to.recipient, jwk=strange))
    reply = asked.reply_to
    plain = replace(reply, recipient=None)
    wrong: list[tuple[Any, int]] = [
        (response_form(good, replace(reply, state="of-another")), 400),
        (response_form(good, replace(reply, state=others.reply_to.state)), 400),
        (response_form(good, replace(reply, state=None)), 400),
        (response_form(good, stranger), 400),
        (response_form(good, others.reply_to), 400),  # encrypted to the key of another session
        (response_form(good, plain), 400),  # not encrypted
        (response_form({"vp_token": {}}, reply), 400),
        (response_form({"vp_token": {"Rating": ["x"]}}, reply), 400),
        (b"response=a.b.c.d.e", 400),
        (b"response=&response=", 400),
        (b"\xff\xfe", 400),
        (b"", 400),
        (b"response=" + b"A" * MAX_BODY, 413),
        (b"&".join(b"a%d=1" % number for number in range(100)), 400),
        ({"error": "access_denied", "state": "of-another"}, 400),
    ]
    for form, expected in wrong:
        status, told = await service.post(made, form)
        assert status == expected, (form[:80], told)
    assert (await service.post(made, response_form(good, reply), **{"Content-Type": "application/json"}))[0] == 415
    assert service.row(made).state == State.FETCHED
    assert (await service.post(made, response_form(good, reply)))[0] == 200
    assert (await service.result(made))[1]["verdict"] == "valid"
    assert (await service.result(other))[0] == 202


async def test_an_answer_is_taken_once(service: Service) -> None:
    made = service.ask()
    asked = await service.read(made)
    forms = [response_form(shown(asked), asked.reply_to) for _ in range(12)]
    replies = await asyncio.gather(*(service.post(made, form) for form in forms))
    assert sorted(status for status, _ in replies) == [200, *[400] * 11]
    assert (await service.post(made, forms[0]))[1]["error"] == "invalid_request"
    with pytest.raises(OAuthRefusal):  # and the request is not given out any more
        sessions.request_object(service.deps, made.id, None)


async def test_what_was_stolen_is_refused(service: Service) -> None:
    victim = await service.read(service.ask())
    stolen = shown(victim)
    made = service.ask()
    asked = await service.read(made)
    await service.post(made, response_form(stolen, asked.reply_to))
    _, report = await service.result(made)
    assert (report["verdict"], report["proven"]) == ("refused", [])
    assert "CHALLENGE_MISMATCH" in {one["code"] for one in report["reasons"]}

    made = service.ask()
    asked = await service.read(made)
    theirs = Shown(asked.request, shown(asked))
    by_thief(theirs)  # who has somebody else's credential, and a key of their own
    await service.post(made, response_form(theirs.answer, asked.reply_to))
    _, report = await service.result(made)
    assert (report["verdict"], report["proven"]) == ("refused", [])
    assert "HOLDER_NOT_SUBJECT" in {one["code"] for one in report["reasons"]}

    made = service.ask()
    asked = await service.read(made)
    elsewhere = replace(asked.request, client_id="x509_san_dns:honest.example")  # shown to another verifier, passed on
    await service.post(made, response_form(answer(elsewhere), asked.reply_to))
    _, report = await service.result(made)
    assert "DOMAIN_MISMATCH" in {one["code"] for one in report["reasons"]}


async def test_the_wallet_keeps_the_receipt_in_its_ledger(service: Service, tmp_path: Path) -> None:
    shelf = stocked(tmp_path)
    asked = await service.read(service.ask())
    made = plan(asked.request, shelf.copies(), contexts=CONTEXTS, at=AT)
    shelf.record(asked.request, made.proposals, at=AT, rand=os.urandom)

    async def write(outcome: Outcome) -> None:
        record(shelf, asked.request, outcome, at=AT, rand=os.urandom)

    await deliver(asked, shown(asked), ask=fetch, at=AT, write=write)
    first, second = shelf.ledger()  # which checks the chain
    assert (second["receiptFor"], second["shown"], second["verifier"]) == (first["number"], [], first["verifier"])
    kept: Any = second["receipt"]
    assert (kept["kept"], kept["nonce"]) == (["report"], asked.request.nonce)
    about: dict[str, Any] = {"client_id": asked.request.client_id, "roots": (), "documents": NO_DOCUMENTS, "at": AT}
    assert verify_receipt(kept["jws"], nonce=asked.request.nonce, **about).kept == (Kept.REPORT,)
    for lang, words in (("en", "it keeps the report"), ("fr", "garder le rapport")):
        assert words in ledger_text(shelf.ledger(), lang)
    assert was_answered(shelf, asked.request)  # the receipt is no answer, and hides none
    shelf.vault.close()


async def test_a_receipt_that_is_not_theirs_is_no_receipt(
    service: Service,
) -> None:
    one, other = [await service.read(service.ask()) for _ in range(2)]
    told: list[Outcome] = []

    async def write(outcome: Outcome) -> None:
        told.append(outcome)

    await deliver(replace(one, request=other.request), shown(one), ask=fetch, at=AT, write=write)
    assert told == []


async def test_the_same_device_gets_the_result_and_nobody_else(service: Service) -> None:
    made = service.ask(redirect_uri="https://lender.example/back?offer=7")
    asked = await service.read(made)
    went = (await send_answer(asked, shown(asked), ask=fetch)).redirect
    assert went is not None
    assert went.startswith("https://lender.example/back?offer=7&response_code=")
    code = parse_qs(urlsplit(went).query)["response_code"][0]
    # who only made the request, and had somebody else answer it, has no code
    for wrong in ({}, {"response_code": "guess"}, {"response_code": code[:-1]}):
        status, told = await service.result(made, **wrong)
        assert (status, told["code"]) == (422, "RESPONSE_CODE")
        assert "proven" not in told
    assert (await service.result(made, response_code=code))[1]["verdict"] == "valid"
    for uri in ("http://lender.example/", "https://lender.example/#x", "https://u@lender.example/", "javascript:1", ""):
        with pytest.raises(Malformed):
            Ask("credit.consumer.eu", DEMAND.claims, redirect_uri=uri)


async def test_what_ends_and_what_never_was(service: Service) -> None:
    made = service.ask(lifetime=60)
    asked = await service.read(made)
    form = response_form(shown(asked), asked.reply_to)
    service.clock.later(seconds=61)
    assert (await service.post(made, form))[0] == 400
    assert (await service.result(made))[0] == 410
    link: Any = parse_request_link(made.link)
    async with service.http.get(link.uri) as gone:
        assert gone.status == 400
    nothing = replace(made, id="x" * 22, secret="y" * 43)
    assert (await service.post(nothing, form))[0] == 400
    assert (await service.result(nothing))[0] == 404


async def test_who_trusts_nobody_can_tell_nothing(tmp_path: Path) -> None:
    def missing() -> Any:
        raise Malformed("trust.json", "no such file", code="FILE_MISSING")

    for known, verdict in ((missing, "undetermined"), (lambda: trust(as_of="2020-01-01T00:00:00Z"), "undetermined")):
        folder = tmp_path / verdict / str(known is missing)
        folder.mkdir(parents=True)
        async with running(folder, known=known) as service:
            made = service.ask()
            asked = await service.read(made)
            assert (await service.post(made, response_form(shown(asked), asked.reply_to)))[0] == 200
            _, report = await service.result(made)
            assert (report["verdict"], report["proven"]) == (verdict, [])


# ---- many at once ----------------------------------------------------------------------------------------------------


async def test_a_thousand_at_once_and_a_storm_of_replays(service: Service) -> None:
    """Some answer, some answer for another's session, most say no; what is right comes several times."""
    made = await asyncio.to_thread(lambda: [service.ask(encrypted=False) for _ in range(1000)])
    true, mixed, no = made[:15], made[15:20], made[20:]
    asked = [await service.read(one) for one in made[:20]]
    with service.deps.database.read() as connection:
        states = {row.id: parse_object(row.request.encode())["state"] for row in connection.execute(SESSION.select())}
    posts: list[tuple[Created, bytes]] = []
    for one, read in zip(true, asked, strict=False):
        posts += [(one, response_form(shown(read), read.reply_to))] * 10
    for one, read, others in zip(mixed, asked[15:], asked, strict=False):
        posts.append((one, response_form(shown(others), read.reply_to)))
    posts += [(one, f"error=access_denied&state={states[one.id]}".encode()) for one in no]
    gate = asyncio.Semaphore(200)

    async def send(one: Created, form: bytes) -> int:
        async with gate:
            return (await service.post(one, form))[0]

    statuses = await asyncio.gather(*(send(one, form) for one, form in posts))
    assert (statuses.count(200), statuses.count(400), len(statuses)) == (1000, 135, 1135)
    for one, verdict in [*((one, "valid") for one in true), *((one, "refused") for one in mixed)]:
        assert (await service.result(one))[1]["verdict"] == verdict
    with service.deps.database.read() as connection:
        found = [row.state for row in connection.execute(SESSION.select())]
    assert (found.count("checked"), found.count("declined"), len(found)) == (20, 980, 1000)


async def test_a_slow_client_holds_up_nobody(service: Service) -> None:
    port = urlsplit(service.deps.base).port
    slow, made = service.ask(), service.ask()
    open_ = []
    for _ in range(20):
        one = socket.create_connection(("127.0.0.1", port))
        head = f"POST /response/{slow.id} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        one.sendall(f"{head}Content-Length: 1000\r\n\r\nresp".encode())
        open_.append(one)
    waiting = asyncio.create_task(service.result(made, wait=60))
    asked = await service.read(made)
    await service.post(made, response_form(shown(asked), asked.reply_to))
    status, report = await waiting  # told as soon as it is there
    assert (status, report["verdict"]) == (200, "valid")
    for one in open_:
        one.close()
    assert service.row(slow).state == State.OPEN


async def test_an_answer_that_was_taken_is_checked_whatever_happens(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = service.ask()
    asked = await service.read(made)
    form = response_form(shown(asked), asked.reply_to)
    with monkeypatch.context() as killed:
        killed.setattr(sessions, "settle", lambda *_: None)  # the process ends here
        await service.post(made, form)
    assert (await service.result(made))[1]["state"] == "answered"
    assert sessions.settle_left(service.deps) == []  # somebody may be at it
    service.clock.later(seconds=120)
    assert sessions.settle_left(service.deps) == [made.id]
    _, report = await service.result(made)
    assert (report["verdict"], report["at"]) == ("valid", "2026-11-24T09:30:00Z")  # as of when it came


def test_what_is_not_in_the_table_cannot_happen() -> None:
    assert {state for state, _ in MOVES} == {State.OPEN, State.FETCHED, State.ANSWERED}
    assert not [1 for (state, event) in MOVES if state is State.ANSWERED and event is not Event.REPORT]


# ---- what is erased --------------------------------------------------------------------------------------------------


async def test_all_of_it_is_erased_on_its_day(service: Service, tmp_path: Path) -> None:
    made, never, no = service.ask(keep_answer=True, retention_days=2), service.ask(), service.ask()
    asked = await service.read(made)
    await service.post(made, response_form(shown(asked), asked.reply_to))
    await send_refusal(await service.read(no), ask=fetch)
    marks = [asked.request.nonce.encode(), b"averageAtLeast12m"]
    database = service.deps.database
    assert any(mark in raw for mark in marks for raw in files(tmp_path))
    service.clock.later(days=2)  # still the day that the receipt names
    purge(database, now=service.deps.seconds)
    assert (await service.result(made))[0] == 200
    assert (await service.result(never))[1]["code"] == "ERASED"
    service.clock.later(days=1)
    assert purge(database, now=service.deps.seconds).erased == 1
    status, told = await service.result(made)
    assert (status, told["code"]) == (410, "ERASED")
    assert sessions.kept_answer(service.deps, made.secret) is None
    service.clock.later(days=7)
    assert purge(database, now=service.deps.seconds).erased == 1
    assert not [mark for mark in marks for raw in files(tmp_path) if mark in raw]
    service.clock.later(seconds=REMEMBERED)
    assert purge(database, now=service.deps.seconds).forgotten == 3
    assert (await service.result(made))[0] == 404


def files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.glob("verifier.db*")]


def test_a_demand_that_makes_no_sense_is_refused() -> None:
    good: dict[str, Any] = {"purpose": "credit.consumer.eu", "claims": ["Earnings.averageAtLeast12m>=1500"]}
    assert Ask.parse(good) == Ask("credit.consumer.eu", ("Earnings.averageAtLeast12m>=1500",))
    spoilt: tuple[dict[str, Any], ...] = (
        {"purpose": 1}, {"claims": []}, {"claims": "Rating"}, {"claims": [1]}, {"unknown": 1}, {"lifetime": 0},
        {"lifetime": True}, {"retentionDays": -1}, {"askAnyway": "yes"}, {"format": "jwt"}, {"reference": "x" * 2000},
        {"redirectUri": 7}, {"transactionData": [{}]}, {"encrypted": 1},
    )  # fmt: skip
    for spoil in spoilt:
        with pytest.raises(Malformed):
            Ask.parse({**good, **spoil})
    with pytest.raises(Malformed):
        Ask.parse([])


def test_one_line_in_memory() -> None:
    """The Python call."""
    asked = request()
    raw = to_json(answer(asked))
    made = to_json({"response_type": "vp_token", "client_id": "lender.example", "nonce": asked.nonce, **_dcql()})
    report = check_answer(raw, made, trust=trust(), at=AT)
    assert report.verdict.value == "valid"
    assert check_answer(b'{"vp_token":{"Earnings":["x"]}}', made, trust=trust(), at=AT).verdict.value == "refused"


def _dcql() -> dict[str, Any]:
    return {"dcql_query": dcql()}
