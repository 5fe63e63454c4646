"""Showing by the wallet's pages, over HTTP: requests by a link, sending and what comes of it, codes, cards, trust."""

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import segno
from aiohttp import FormData, web
from cryptography.hazmat.primitives.serialization import Encoding

from tests.line import Shown, checked, credential
from tests.test_wallet_web import Visitor, bring, visiting
from tests.verifying import OTHER_ROOT, ROOT, Verifier, certified, dcql, verifying
from tests.wallet_pages_app import AT, PASSPHRASE, request_file
from vc.canon import Json, to_json
from vc.errors import Undetermined
from vc.frames import Kind, Message, join, split
from vc.io.codes import policy
from vc.io.pictures import read_codes
from vc.keys import P256Key
from vc.oid4vp import parse_request
from wallet.web import answered_pages
from work.dictionary import DICTIONARIES


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[Visitor]:
    """A worker who holds one copy of their earnings, bound to a key."""
    async with visiting(tmp_path) as one:
        await one.new()
        (did,) = json.loads((await one.post("/keys", {"count": "1"}))[1])["keys"]
        holder: Any = SimpleNamespace(did=did)
        assert (await bring(one, to_json(credential(holder=holder))))[0] == 200
        yield one


@pytest.fixture
async def verifier() -> AsyncIterator[Verifier]:
    async with verifying() as one:
        one.by_certificate(certified("localhost"))
        yield one


def words(page: str) -> str:
    """What a page says, without its tags."""
    text = html.unescape(re.sub(r"<[^>]+>", " ", page[page.find("<main") :]))
    return " ".join(text.replace("\N{NARROW NO-BREAK SPACE}", " ").split())


async def ask(visitor: Visitor, link: str) -> str:
    """The page of a request, once its link was pasted."""
    status, text, headers = await visitor.post("/answer", {"text": link})
    assert status == 303, words(text)
    return str(headers["Location"])


async def agree(visitor: Visitor, where: str) -> str:
    """Agree to all of it; what the page that follows says."""
    text = (await visitor.get(where))[1]
    boxes = re.findall(r'name="(show\.[^"]+)"', text)
    seen = re.findall(r'name="seen" value="(\w+)"', text)[-1]
    done = await visitor.post(where, {**dict.fromkeys(boxes, "yes"), "seen": seen})
    assert done[2]["Location"] == f"{where}/done", words(done[1])
    return words((await visitor.get(f"{where}/done"))[1])


async def ledger(visitor: Visitor) -> list[Any]:
    return list(json.loads((await visitor.get("/ledger.json"))[1])["ledger"])


async def trust(visitor: Visitor, party: Any) -> tuple[int, str, Any]:
    return await visitor.post("/settings/trust", {"text": party.certificate.public_bytes(Encoding.PEM).decode()})


# ---- by a link -------------------------------------------------------------------------------------------------------


async def test_a_request_by_a_link_is_answered_and_stands_in_the_ledger(visitor: Visitor, verifier: Verifier) -> None:
    verifier.reply = lambda: web.json_response({"redirect_uri": "https://lender.example/go#<1>"})
    assert (await trust(visitor, ROOT))[0] == 303
    where = await ask(visitor, verifier.link(request_uri_method="post"))
    told = words((await visitor.get(where))[1])
    assert "localhost asks you" in told
    assert "“CN=Verifiers' root”, which you trust, vouches for that name." in told
    assert "The answer goes to localhost" in told
    assert "answered before" not in told
    assert (verifier.got, await ledger(visitor)) == ([], [])
    assert "localhost has your answer" in await agree(visitor, where)
    page = (await visitor.get(f"{where}/done"))[1]
    assert 'href="https://lender.example/go#&lt;1&gt;" rel="noreferrer noopener"' in page
    asked = parse_request(to_json(verifier.request()))
    (shown,) = checked(Shown(asked, json.loads(verifier.received().answer or b""))).credentials
    assert shown.claims["averageAtLeast12m"] == ["001500"]
    (entry,) = await ledger(visitor)
    assert (entry["verifier"], entry["number"]) == ("x509_san_dns:localhost", 1)
    for _ in range(2):  # what was taken is not sent again
        assert (await visitor.post(f"{where}/send", {}))[0] == 303
    assert (await visitor.post(where, {"seen": "x"}))[0] == 400
    assert len(verifier.got) == 1
    again = words((await visitor.get(await ask(visitor, verifier.link())))[1])
    assert "this very request was answered before" in again


async def test_who_asks_in_other_ways_and_from_the_receiving_page(visitor: Visitor, verifier: Verifier) -> None:
    where = await ask(visitor, verifier.link())
    assert "no authority that you trust vouches for it" in words((await visitor.get(where))[1])
    where = (await visitor.post("/receive", {"text": json.dumps({"request": verifier.plain()})}))[2]["Location"]
    assert "Nobody vouches for who asks" in words((await visitor.get(where))[1])
    by_https = verifier.link().replace("openid4vp://", "https://wallet.example/authorize", 1)
    assert by_https.startswith("https://wallet.example/authorize?")
    assert (await visitor.get(await ask(visitor, by_https)))[0] == 200
    assert verifier.got == []


async def test_what_is_not_taken_is_told_and_can_be_sent_again(visitor: Visitor, verifier: Verifier) -> None:
    verifier.reply = lambda: web.json_response({"error": "<too_late>"}, status=400)
    where = await ask(visitor, verifier.link())
    told = await agree(visitor, where)
    assert "It was not taken" in told
    assert "<too_late>" in told
    assert list(json.loads((await visitor.get(f"{where}/answer.json"))[1])["vp_token"]) == ["Earnings"]
    assert (await visitor.get(f"{where}/card.html"))[0] == 200
    first, second = await ledger(visitor)
    assert (second["notDelivered"], "too_late" in second["why"]) == (first["number"], True)
    told = words((await visitor.get("/ledger"))[1])
    assert "What entry 1 says was not taken." in told
    assert "Have it erased" not in words((await visitor.get("/ledger/2"))[1])
    verifier.reply = lambda: web.json_response({})
    assert (await visitor.post(f"{where}/send", {}))[0] == 303
    assert "localhost has your answer" in words((await visitor.get(f"{where}/done"))[1])
    assert verifier.got[0] == verifier.got[1]  # the same answer: nothing was made anew
    *_, third = await ledger(visitor)
    assert (third["number"], third["shown"]) == (3, first["shown"])
    assert json.loads((await visitor.get("/ledger.json"))[1])["whole"] is True


async def test_other_pages_answer_while_an_answer_is_on_its_way(
    visitor: Visitor, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, go = visitor.wallet.desk, asyncio.Event()
    fetched = desk.ask

    async def held_up(url: str, **arguments: Any) -> Any:
        if url.endswith("/response"):
            await go.wait()
        return await fetched(url, **arguments)

    monkeypatch.setattr(desk, "ask", held_up)
    monkeypatch.setattr(answered_pages, "PATIENCE", 0.01)
    where = await ask(visitor, verifier.link())
    assert "localhost takes a while" in await agree(visitor, where)
    assert len(await ledger(visitor)) == 1
    assert (await visitor.post(f"{where}/send", {}))[0] == 303  # on its way already
    assert (await visitor.get("/"))[0] == 200
    go.set()
    monkeypatch.setattr(answered_pages, "PATIENCE", 20)
    assert "localhost has your answer" in words((await visitor.get(f"{where}/done"))[1])
    assert len(verifier.got) == 1


async def test_a_wallet_that_was_locked_meanwhile_says_that_it_was_shown(
    visitor: Visitor, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, go = visitor.wallet.desk, asyncio.Event()

    async def lost(_url: str, **_arguments: Any) -> Any:
        await go.wait()
        raise Undetermined("nobody is there", "try again later", code="FETCH")

    where = await ask(visitor, verifier.link())
    monkeypatch.setattr(desk, "ask", lost)
    text = (await visitor.get(where))[1]
    seen = re.findall(r'name="seen" value="(\w+)"', text)[-1]
    (box,) = re.findall(r'name="(show\.[^"]+)"', text)
    await visitor.post(where, {box: "yes", "seen": seen})
    await visitor.post("/lock", {})
    sending = asyncio.all_tasks()
    go.set()
    await asyncio.wait([one for one in sending if "_send" in repr(one)], timeout=20)
    assert (await visitor.get(f"{where}/done"))[2]["Location"] == "/unlock"
    await visitor.post("/unlock", {"passphrase": PASSPHRASE})
    assert [line["number"] for line in await ledger(visitor)] == [1]


async def test_a_no_is_told_and_nothing_else(visitor: Visitor, verifier: Verifier) -> None:
    verifier.reply = lambda: web.Response(status=503)
    where = await ask(visitor, verifier.link())
    assert (await visitor.post(f"{where}/decline", {}))[2]["Location"] == f"{where}/done"
    told = words((await visitor.get(f"{where}/done"))[1])
    assert "Nothing of yours was sent" in told
    assert (await visitor.get(f"{where}/answer.json"))[0] == 400
    verifier.reply = lambda: web.json_response({})
    await visitor.post(f"{where}/send", {})
    assert "localhost was told that you show nothing" in words((await visitor.get(f"{where}/done"))[1])
    verifier.got = verifier.got[1:]
    received = verifier.received()
    assert (received.error, received.answer, await ledger(visitor)) == ("access_denied", None, [])


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"response_uri": "https://other.example/response"}, "does not come from who it says"),
        ({"exp": int(AT.timestamp()) - 100}, "too old"),
        ({"response_mode": "fragment"}, "does not know its kind"),
        ({"iat": int(AT.timestamp()) + 4000}, "dated in the future"),
    ],
)
async def test_a_wrong_request_is_refused_in_plain_words(
    visitor: Visitor, verifier: Verifier, members: dict[str, Json], said: str
) -> None:
    verifier.members |= members
    status, text, _ = await visitor.post("/answer", {"text": verifier.link()})
    assert (status >= 400, said in words(text)) == (True, True), words(text)
    assert (verifier.got, visitor.wallet.desk.under_way) == ([], {})


async def test_who_cannot_be_asked_and_who_has_not_signed(visitor: Visitor, verifier: Verifier) -> None:
    async def refused(link: str) -> str:
        return words((await visitor.post("/answer", {"text": link}))[1])

    assert "should be signed" in await refused(verifier.plain(client_id="x509_san_dns:localhost"))
    await trust(visitor, OTHER_ROOT)
    assert "No authority that you trust vouches for who asks" in await refused(verifier.link())
    verifier.serve = lambda _base: web.Response(status=500)
    assert "Their computer has a problem" in await refused(verifier.link())
    verifier.serve = lambda base: web.Response(status=302, headers={"Location": base})
    assert "leads somewhere else" in await refused(verifier.link())
    verifier.serve = None
    await trust(visitor, ROOT)
    verifier.key = P256Key.from_secret(bytes(31) + b"\7")
    assert "signature of this request is wrong" in await refused(verifier.link())
    assert "neither a link nor a file" in await refused("https://wallet.example/?x=1")
    await visitor.post("/lock", {})
    before = list(verifier.seen)
    assert (await visitor.post("/answer", {"text": verifier.link()}))[2]["Location"] == "/unlock"
    assert verifier.seen == before  # a locked wallet asks nobody


async def test_a_picture_leads_to_no_private_address(visitor: Visitor, verifier: Verifier) -> None:
    drawn = BytesIO()
    segno.make(verifier.link()).save(drawn, kind="png", scale=4)
    for raw in (drawn.getvalue(), verifier.link().encode()):
        status, text, _ = await bring(visitor, raw, path="/answer")
        assert (status, "paste the link yourself" in words(text)) == (400, True)
    assert verifier.seen == []


async def test_a_smaller_answer_is_sent(visitor: Visitor, verifier: Verifier) -> None:
    purpose: Json = {"code": "housing.tenancy.fr", "necessity": "", "retentionDays": 30}
    verifier.members |= {"dcql_query": dcql("Earnings.averageAtLeast12m>=1500", "Rating"), "purpose": purpose}
    where = await ask(visitor, verifier.link())
    text = (await visitor.get(where))[1]
    assert "This is less than the request asks." in words(text)
    seen = re.findall(r'name="seen" value="(\w+)"', text)[0]
    assert (await visitor.post(where, {"smaller": "yes", "seen": seen}))[2]["Location"] == f"{where}/done"
    assert "has your answer" in words((await visitor.get(f"{where}/done"))[1])
    assert list(json.loads(verifier.received().answer or b"")["vp_token"]) == ["Earnings"]


# ---- by hand ---------------------------------------------------------------------------------------------------------


async def test_an_answer_as_codes_and_on_paper(visitor: Visitor, tmp_path: Path) -> None:
    asked = request_file(tmp_path, "Earnings.averageAtLeast12m>=1500")
    where = (await bring(visitor, asked.read_bytes(), path="/answer"))[2]["Location"]
    assert "came as a file" in words((await visitor.get(where))[1])
    told = await agree(visitor, where)
    assert "as a file, as QR codes on this screen, or on paper" in told
    answer = (await visitor.get(f"{where}/answer.json"))[1].encode()
    (kind,) = re.findall(r"codes\.(png|gif)", (await visitor.get(f"{where}/done"))[1])
    async with visitor.session.get(f"{visitor.wallet.base}{where}/codes.{kind}") as got:
        texts = read_codes(await got.read(), where="codes")
    message = join(texts, dictionaries=DICTIONARIES)
    assert (message.kind, message.raw) == (Kind.ANSWER, answer)
    assert (await visitor.get(f"{where}/codes.{'png' if kind == 'gif' else 'gif'}"))[0] == 404
    for name, said in (("codes.html", "Une réponse"), ("card.html", "Pour bailleur.example")):
        status, text, headers = await visitor.get(f"{where}/{name}?lang=fr", **{"Accept-Language": "fr"})
        assert (status, said in words(text), text.count("<svg ")) == (200, True, len(texts))
        (css,) = re.findall("<style>(.*?)</style>", text, re.DOTALL)
        assert headers["Content-Security-Policy"] == f"{policy(html.unescape(css))}; frame-ancestors 'none'"
        assert f'<a href="{where}/done">' in text
    assert len(await ledger(visitor)) == 1


async def several(visitor: Visitor, raws: list[bytes]) -> tuple[int, str, Any]:
    form = FormData()
    form.add_field("csrf", visitor.wallet.desk.csrf)
    for number, raw in enumerate(raws):
        form.add_field("file", BytesIO(raw), filename=f"{number}.png", content_type="image/png")
    form.add_field("photo", BytesIO(b""), filename="", content_type="application/octet-stream")
    return await visitor.ask("POST", "/answer", data=form)


async def test_a_request_in_several_pictures(visitor: Visitor, tmp_path: Path) -> None:
    asked = request_file(tmp_path, "Earnings.averageAtLeast12m>=1500", why="Dossier 12").read_bytes()
    texts = split(Message(Kind.REQUEST, asked), dictionaries=DICTIONARIES, capacity=150)
    assert len(texts) > 1
    pictures = []
    for text in texts:
        drawn = BytesIO()
        segno.make_qr(text).save(drawn, kind="png", scale=4)
        pictures.append(drawn.getvalue())
    status, text, headers = await several(visitor, pictures[::-1])
    assert status == 303, words(text)
    assert "Dossier 12" in words((await visitor.get(headers["Location"]))[1])
    status, text, _ = await several(visitor, pictures[1:])
    assert (status, "Some of the QR codes are missing" in words(text)) == (400, True)
    segno.make("https://a.example").save(drawn := BytesIO(), kind="png", scale=4)
    segno.make("https://b.example").save(other := BytesIO(), kind="png", scale=4)
    assert "different things" in words((await several(visitor, [drawn.getvalue(), other.getvalue()]))[1])
    assert (await visitor.post("/answer", {"text": "\n".join(texts)}))[0] == 303  # as another program has read them


async def test_a_counter_offer_as_a_message_stands_in_the_ledger_once(visitor: Visitor, tmp_path: Path) -> None:
    asked = request_file(tmp_path, "Earnings.monthly", "Review", accept_possession=True).read_bytes()
    where = (await bring(visitor, asked, path="/answer"))[2]["Location"]
    assert (await visitor.get(f"{where}/counter-offer.json"))[0] == 405
    for _ in range(2):
        told = json.loads((await visitor.post(f"{where}/counter-offer.json", {}))[1])
    assert told["ask"] == ["Earnings.averageAtLeast12m>=1500"]
    (entry,) = await ledger(visitor)
    assert entry["counterOffer"] is True
    assert entry["shown"][0]["claims"] == [{"claim": "Earnings.averageAtLeast12m", "value": "001500"}]
    page = words((await visitor.get("/ledger/1"))[1])
    assert "Told in a message, without a proof." in page
    assert "1 500" in page.replace("\N{NO-BREAK SPACE}", " ").replace(",", " ")
    assert "Unused copies: 1 of 1" in words((await visitor.get("/"))[1])


# ---- whom to trust ---------------------------------------------------------------------------------------------------


async def test_authorities_are_trusted_and_trusted_no_more(visitor: Visitor) -> None:
    assert "You trust no authority yet" in words((await visitor.get("/settings/trust"))[1])
    for fields, said in (({}, "Paste something"), ({"text": "no certificate"}, "no certificate in it")):
        status, text, _ = await visitor.post("/settings/trust", fields)
        assert (status, said in words(text)) == (400, True)
    for party in (ROOT, OTHER_ROOT):
        await trust(visitor, party)
    text = (await visitor.get("/settings/trust"))[1]
    assert "CN=Verifiers' root" in words(text)
    names = re.findall(r'name="name" value="([^"]+)"', text)
    assert len(names) == 2
    for name in names:
        assert (await visitor.post("/settings/trust/remove", {"name": name}))[0] == 303
    assert (await visitor.post("/settings/trust/remove", {"name": names[0]}))[0] == 400
    assert "You trust no authority yet" in words((await visitor.get("/settings/trust"))[1])
