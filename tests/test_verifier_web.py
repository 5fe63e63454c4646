"""The verifier's pages over HTTP: who gets in, what may be asked, both ways for an answer, and what is kept."""

import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import ClientSession, CookieJar, FormData

from tests.asking import TOKEN, Service, running, shown
from tests.line import answer, credential
from vc.canon import parse_object, to_json
from vc.errors import Malformed
from vc.frames import Kind, Message, split
from vc.io.codes import picture
from vc.io.fetch import fetch
from vc.io.form import MAX_BODY
from vc.io.pages import POLICY, STYLE_PATH
from vc.oid4vp import parse_request
from verifier import serve_command
from verifier.evidence import unpack
from verifier.flow import State
from verifier.sessions import Created
from verifier.tables import SESSION
from verifier.web import phrases
from wallet.online import send_answer
from work.dictionary import DICTIONARIES
from work.types import LANGUAGES

WEB: Final = Path(phrases.__file__).parent
CREDIT: Final = "/ask/credit.consumer.eu"
RUNG: Final = {"step.Earnings.averageAtLeast12m": "1500"}


@dataclass
class Visitor:
    """A browser without a script, as far as a test needs one."""

    service: Service
    http: ClientSession
    csrf: str = ""

    async def get(self, path: str, **headers: str) -> tuple[int, str, Any]:
        async with self.http.get(self.service.deps.base + path, headers=headers, allow_redirects=False) as reply:
            return reply.status, await reply.text(errors="replace"), reply.headers

    async def raw(self, path: str) -> bytes:
        async with self.http.get(self.service.deps.base + path) as reply:
            assert reply.status == 200
            return await reply.read()

    async def post(self, path: str, fields: Any, **headers: str) -> tuple[int, str, Any]:
        data = {"csrf": self.csrf, **fields} if isinstance(fields, dict) else fields
        url = self.service.deps.base + path
        async with self.http.post(url, data=data, headers=headers, allow_redirects=False) as reply:
            return reply.status, await reply.text(), reply.headers

    async def enter(self, token: str = TOKEN) -> int:
        status, _, _ = await self.get(f"/enter?token={token}")
        if status == 303:
            found = re.search(r'name="csrf" value="([^"]+)"', (await self.get(CREDIT))[1])
            assert found
            self.csrf = found[1]
        return status

    async def ask(self, **fields: str) -> str:
        """A new check; its path."""
        status, text, headers = await self.post(CREDIT, {**RUNG, **fields})
        assert status == 303, text
        return str(headers["Location"])

    def upload(self, *files: bytes, csrf: str | None = None) -> FormData:
        form = FormData()
        form.add_field("csrf", self.csrf if csrf is None else csrf)
        for number, raw in enumerate(files):
            form.add_field("file", io.BytesIO(raw), filename=f"{number}.bin", content_type="application/octet-stream")
        return form


@asynccontextmanager
async def visited(folder: Path, *, enter: bool = True, **more: Any) -> AsyncIterator[Visitor]:
    async with running(folder, pages=True, **more) as service, ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
        visitor = Visitor(service, http)
        if enter:
            assert await visitor.enter() == 303
        yield visitor


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[Visitor]:
    async with visited(tmp_path) as one:
        yield one


def row(visitor: Visitor, path: str) -> Any:
    with visitor.service.deps.database.read() as connection:
        return connection.execute(SESSION.select().where(SESSION.c.id == path.rpartition("/")[2])).one()


# ---- who gets in -----------------------------------------------------------------------------------------------------


async def test_the_link_lets_one_browser_in_once(tmp_path: Path) -> None:
    async with visited(tmp_path, enter=False) as first:
        for path in ("/", "/trust", CREDIT):
            status, text, headers = await first.get(path)
            assert (status, headers["Content-Security-Policy"]) == (403, POLICY)
            assert "Whom I trust" not in text
        assert (await first.get(STYLE_PATH))[0] == 200
        assert await first.enter("another") == 403
        assert await first.enter() == 303
        assert (await first.get("/"))[0] == 200
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
            second = Visitor(first.service, http)
            assert await second.enter() == 403
            assert (await second.get("/"))[0] == 403
        # Wallets and systems need no cookie, and get none.
        assert (await first.get("/healthz"))[0] == 200


async def test_other_sites_get_nothing_and_change_nothing(visitor: Visitor) -> None:
    assert (await visitor.get("/", Host="evil.example"))[0] == 403
    assert (await visitor.get("/", **{"Sec-Fetch-Site": "cross-site"}))[0] == 403
    assert (await visitor.post(CREDIT, RUNG, Origin="https://evil.example"))[0] == 403
    assert (await visitor.post(CREDIT, {**RUNG, "csrf": "guessed"}))[0] == 403
    path = await visitor.ask(way="file", name="A lender")
    assert (await visitor.post(f"{path}/erase", {"csrf": ""}))[0] == 403
    assert (await visitor.post(f"{path}/answer", visitor.upload(b"{}", csrf="guessed")))[0] == 403
    assert row(visitor, path).state == State.OPEN


async def test_every_page_says_what_browsers_may_do_and_errors_are_pages(visitor: Visitor) -> None:
    path = await visitor.ask()
    for one in ("/", "/trust", CREDIT, path):
        status, text, headers = await visitor.get(one)
        assert (status, headers["Content-Security-Policy"], headers["Cache-Control"]) == (200, POLICY, "no-store")
        assert "<script" not in text
        assert "style=" not in text
    for missing in ("/ask/none", "/checks/AAAAAAAAAAAAAAAAAAAAAA", f"{path}/report.html", f"{path}/codes.html"):
        status, text, headers = await visitor.get(missing)
        assert status in (400, 404)
        assert headers["Content-Type"].startswith("text/html")
    assert (await visitor.post(f"{path}/answer", b"x" * 10, **{"Content-Type": "text/plain"}))[0] == 415
    assert (await visitor.post(f"{path}/answer", visitor.upload(b"x" * (MAX_BODY + 1))))[0] == 413
    assert 'lang="fr"' in (await visitor.get("/?lang=fr"))[1]
    assert 'lang="fr"' in (await visitor.get("/trust"))[1]


def test_pages_are_for_this_machine_unless_somebody_says_so() -> None:
    assert serve_command._desk("http://127.0.0.1:80", None)
    assert serve_command._desk("https://check.example.com", None) is None
    assert serve_command._desk("http://localhost:80/path", None) is None
    assert serve_command._desk("http://localhost:80", False) is None
    assert serve_command._desk("https://check.example.com", True)
    with pytest.raises(Malformed):
        serve_command._desk("https://check.example.com/path", True)


# ---- asking ----------------------------------------------------------------------------------------------------------


async def test_what_must_never_be_asked_needs_an_override_that_the_report_tells_of(visitor: Visitor) -> None:
    home = "/ask/housing.tenancy.fr"
    box = re.compile(r'<input type="checkbox" id="ask-Rating"[^>]*>')
    shut, opened = [box.search((await visitor.get(home + query))[1]) for query in ("", "?anyway=yes")]
    assert shut
    assert "disabled" in shut[0]
    assert opened
    assert "disabled" not in opened[0]
    status, text, _ = await visitor.post(home, {"ask.Rating": "on"})
    assert status == 422
    assert "must never be asked" in text
    found = box.search(text)
    assert found
    assert "checked" in found[0]  # what was ticked is still ticked
    status, _, headers = await visitor.post(
        home, {"ask.Rating": "on", "anyway": "yes", "way": "file", "name": "Bailleur"}
    )
    assert status == 303
    path = headers["Location"]
    raw = await visitor.raw(f"{path}/request.json")
    shown_ = to_json(answer(parse_request(raw, own=True), credential("Rating")))
    assert (await visitor.post(f"{path}/answer", visitor.upload(shown_)))[0] == 303
    asked: Any = parse_object(await visitor.raw(f"{path}/report.json"))["asked"]
    assert [one["type"] for one in asked["never"]] == ["Rating"]
    assert "a landlord may not ask for them" in (await visitor.get(path))[1]


async def test_a_form_that_is_not_right_says_so_at_its_field_and_asks_nothing(visitor: Visitor) -> None:
    for fields, field in (
        ({}, "choice"),
        ({**RUNG, "days": "many"}, "days"),
        ({**RUNG, "days": "99999"}, "days"),
        ({**RUNG, "way": "file", "name": " "}, "name"),
        ({"step.Earnings.averageAtLeast12m": "7"}, "choice"),
        ({"ask.Nothing": "on"}, "choice"),
    ):
        status, text, _ = await visitor.post(CREDIT, fields)
        assert status == 422
        assert f'<a href="#{field}">' in text
        assert f'id="{field}"' in text
    assert (await visitor.get("/"))[1].count("/checks/") == 0


async def test_days_necessity_and_note_go_where_they_belong(visitor: Visitor) -> None:
    path = await visitor.ask(days="7", necessity="A loan of 300", reference="flat <12>", keep="on")
    made = row(visitor, path)
    request = parse_object(made.request.encode())
    assert request["purpose"] == {
        "code": "credit.consumer.eu", "necessity": "A loan of 300", "retentionDays": 7,
    }  # fmt: skip
    assert "flat" not in made.request
    assert "flat &lt;12&gt;" in (await visitor.get("/"))[1]


# ---- the two ways of an answer ---------------------------------------------------------------------------------------


async def test_a_wallet_answers_the_link_and_the_report_is_there(visitor: Visitor) -> None:
    path = await visitor.ask(keep="on")
    status, text, headers = await visitor.get(path)
    assert (status, headers["Refresh"]) == (200, "5")
    assert "<svg" in text
    assert "Refresh" not in (await visitor.get(f"{path}?still=yes"))[2]
    link = re.search(r'<a href="(openid4vp:[^"]+)"', text)
    assert link
    made = Created(path.rpartition("/")[2], unescape(link[1]), "", 0)
    asked = await visitor.service.read(made)
    assert "has opened the request" in (await visitor.get(path))[1]
    await send_answer(asked, shown(asked), ask=fetch)
    status, text, headers = await visitor.get(path)
    assert "Refresh" not in headers
    assert "1 500" in text.replace("\N{NARROW NO-BREAK SPACE}", " ").replace("\N{NO-BREAK SPACE}", " ").replace(
        ",", " "
    )
    html = await visitor.get(f"{path}/report.html")
    assert html[2]["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "Content-Disposition" in (await visitor.get(f"{path}/report.html?save=yes"))[2]
    report = parse_object(await visitor.raw(f"{path}/report.json"))
    assert (report["type"], report["verdict"]) == ("OuvrageReport", "valid")
    assert unpack(await visitor.raw(f"{path}/evidence.zip")).report.to_json() == report
    status, _, headers = await visitor.post(f"{path}/erase", {})
    assert (status, headers["Location"]) == (303, "/")
    assert row_is_empty(visitor, path)
    assert (await visitor.get(path))[0] == 400
    assert path not in (await visitor.get("/"))[1]


def row_is_empty(visitor: Visitor, path: str) -> bool:
    left = row(visitor, path)
    return left.state == State.ERASED and not any((left.request, left.report, left.answer, left.reference))


async def test_an_answer_comes_as_a_file_or_as_pictures(visitor: Visitor) -> None:
    for as_pictures in (False, True):
        path = await visitor.ask(way="file", name="A lender")
        assert "Refresh" not in (await visitor.get(path))[2]
        assert (await visitor.get(f"{path}/codes.html"))[0] == 200
        request = parse_request(await visitor.raw(f"{path}/request.json"), own=True)
        assert request.client_id == "A lender"
        raw = to_json(answer(request))
        texts = split(Message(Kind.ANSWER, raw), dictionaries=DICTIONARIES)
        good = [picture([text])[1] for text in reversed(texts)] if as_pictures else [raw]
        for spoilt in ([], [b"nothing"], [b"{}"], [picture(["something else"])[1]]):
            status, text, _ = await visitor.post(f"{path}/answer", visitor.upload(*spoilt))
            assert status == 422
            assert '<a href="#file">' in text
            assert row(visitor, path).state == State.OPEN
        assert (await visitor.post(f"{path}/answer", visitor.upload(*good)))[0] == 303
        assert row(visitor, path).state == State.CHECKED
        assert row(visitor, path).answer is None
        assert '<p class="good"' in (await visitor.get(path))[1]
        assert (await visitor.get(f"{path}/evidence.zip"))[0] == 404
        status, text, _ = await visitor.post(f"{path}/answer", visitor.upload(*good))  # once
        assert "begin again" in text.lower()


async def test_an_answer_to_another_request_is_refused_in_the_report(visitor: Visitor) -> None:
    one, other = [await visitor.ask(way="file", name="A lender") for _ in range(2)]
    raw = to_json(answer(parse_request(await visitor.raw(f"{one}/request.json"), own=True)))
    assert (await visitor.post(f"{other}/answer", visitor.upload(raw)))[0] == 303
    assert '<p class="warning" role="status"' in (await visitor.get(other))[1]
    assert parse_object(await visitor.raw(f"{other}/report.json"))["verdict"] == "refused"


async def test_a_request_that_goes_by_file_is_not_to_be_had_by_the_network(visitor: Visitor) -> None:
    path = await visitor.ask(way="file", name="A lender")
    name = path.rpartition("/")[2]
    assert (await visitor.get(f"/request/{name}"))[0] == 400
    assert (await visitor.post(f"/response/{name}", {"vp_token": "{}", "state": ""}))[0] == 400
    assert row(visitor, path).state in (State.OPEN, State.FETCHED)
    link = await visitor.ask()
    assert "begin again" in (await visitor.post(f"{link}/answer", visitor.upload(b"{}")))[1].lower()


# ---- what is kept and trusted ----------------------------------------------------------------------------------------


async def test_a_system_s_checks_are_not_for_the_pages(visitor: Visitor) -> None:
    made = visitor.service.ask()
    with visitor.service.deps.database.write() as connection:
        connection.execute(SESSION.update().where(SESSION.c.id == made.id).values(owner="a system"))
    assert made.id not in (await visitor.get("/"))[1]
    assert (await visitor.get(f"/checks/{made.id}"))[0] == 400
    assert (await visitor.post(f"/checks/{made.id}/erase", {}))[0] == 400


async def test_an_old_trust_list_is_warned_of_in_plain_words(tmp_path: Path) -> None:
    async with visited(tmp_path) as visitor:
        assert "recent enough" in (await visitor.get("/trust"))[1]
        assert 'class="warning"' not in (await visitor.get("/"))[1]
        visitor.service.clock.later(days=40)
        assert "getting old" in (await visitor.get("/"))[1]
        visitor.service.clock.later(days=10)
        for path in ("/", "/trust", CREDIT):
            assert "too old" in (await visitor.get(path))[1]


async def test_no_trust_list_trusts_nobody(tmp_path: Path) -> None:
    def missing() -> Any:
        raise Malformed("trust.json", "is not there")

    async with visited(tmp_path, known=missing) as visitor:
        assert "Nobody is trusted" in (await visitor.get("/"))[1]
        assert "Nobody is trusted" in (await visitor.get("/trust"))[1]


async def test_what_nobody_answered_says_so(visitor: Visitor) -> None:
    path = await visitor.ask()
    visitor.service.clock.later(seconds=901)
    status, text, headers = await visitor.get(path)
    assert (status, "Refresh" in headers) == (200, False)
    assert "Nobody answered in time" in text


# ---- words -----------------------------------------------------------------------------------------------------------


def test_every_phrase_that_a_page_names_exists_and_every_phrase_is_named() -> None:
    shared = (WEB.parents[1] / "vc" / "io" / "templates").glob("*.j2")
    text = "\n".join(path.read_text(encoding="utf-8") for path in (*WEB.glob("**/*.j2"), *shared, *WEB.glob("*.py")))
    own = "\n".join(path.read_text(encoding="utf-8") for path in (*WEB.glob("**/*.j2"), *WEB.glob("*.py")))
    named = set(re.findall(r"\bt\(\"([\w.]+)\"[,)]", own))
    assert len(named) > 80
    assert sorted(name for name in named if not phrases.has_phrase(name)) == []
    begun = {*re.findall(r"\"([a-z_.]+\.)\" ~", text), *re.findall(r"f\"([a-z_.]+\.)\{", text)}
    unused = [
        key for key in phrases.phrases() if f'"{key}"' not in text and not any(key.startswith(start) for start in begun)
    ]
    assert unused == []
    for key in phrases.phrases():
        fields = [set(re.findall(r"\{(\w+)\}", phrases.BOOK.template(key, lang))) for lang in LANGUAGES]
        assert fields[0] == fields[1], key
