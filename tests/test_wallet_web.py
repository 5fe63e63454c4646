"""Who gets into the wallet's pages and who does not, over HTTP; what their answers say; and what they refuse."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import ClientSession, CookieJar, FormData
from PIL import Image

from tests.cli import ROOT, ouvrage
from tests.line import credential
from tests.test_vcapi_http import serving
from tests.wallet_pages_app import PASSPHRASE, TOKEN, Wallet, new_wallet, request_file
from vc.errors import Malformed
from wallet.shelf import LEDGER, Shelf
from wallet.web import brought, phrases
from wallet.web.app import ROUTES, make
from wallet.web.form import MAX_BODY
from wallet.web.page import POLICY, STYLE_PATH
from work.types import LANGUAGES

FIELD: Final = re.compile(r"\{(\w+)\}")
WEB: Final = ROOT / "wallet" / "web"


class Visitor:
    """A browser, as far as HTTP goes: it keeps cookies, and says what browsers say."""

    def __init__(self, wallet: Wallet, session: ClientSession) -> None:
        self.wallet = wallet
        self.session = session

    async def get(self, path: str, **headers: str) -> tuple[int, str, Any]:
        return await self.ask("GET", path, headers=headers)

    async def ask(self, method: str, path: str, **arguments: Any) -> tuple[int, str, Any]:
        async with self.session.request(method, self.wallet.base + path, allow_redirects=False, **arguments) as answer:
            return answer.status, (await answer.read()).decode("utf-8", "replace"), answer.headers

    async def post(self, path: str, fields: dict[str, Any], **headers: str) -> tuple[int, str, Any]:
        data = {"csrf": self.wallet.desk.csrf, **fields}
        return await self.ask("POST", path, data=data, headers={"Origin": self.wallet.base, **headers})

    async def enter(self) -> None:
        assert (await self.get(f"/enter?token={TOKEN}"))[0] == 303

    async def new(self) -> None:
        await self.enter()
        assert (await self.post("/new", {"passphrase": PASSPHRASE, "again": PASSPHRASE}))[0] == 303


@asynccontextmanager
async def visiting(folder: Path) -> AsyncIterator[Visitor]:
    """Pages over a wallet in a folder, and their visitor, until the block ends."""
    made: list[Wallet] = []

    def app(base: str) -> Any:
        made.append(new_wallet(base, folder))
        return make(made[0].desk)

    async with serving(app), ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        yield Visitor(made[0], session)


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[Visitor]:
    async with visiting(tmp_path) as one:
        yield one


# ---- who gets in -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/unlock", "/new", "/ledger", "/enter", "/enter?token=guess", "/nowhere"])
async def test_nobody_gets_in_without_the_link(visitor: Visitor, path: str) -> None:
    status, text, headers = await visitor.get(path, **{"Accept-Language": "fr"})
    assert status == 403
    assert "Cette page vous est fermée" in text
    assert "Set-Cookie" not in headers
    assert (await visitor.ask("POST", "/new", data={"passphrase": PASSPHRASE, "again": PASSPHRASE}))[0] == 403
    assert not visitor.wallet.path.exists()


async def test_the_link_is_good_for_one_browser_once(visitor: Visitor) -> None:
    status, _, headers = await visitor.get(f"/enter?token={TOKEN}")
    assert (status, headers["Location"]) == (303, "/")
    cookie = headers["Set-Cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=Strict"} <= set(cookie.split("; "))
    assert visitor.wallet.desk.session in cookie
    assert (await visitor.get("/"))[0] == 303  # to the passphrase
    visitor.session.cookie_jar.clear()
    assert (await visitor.get(f"/enter?token={TOKEN}"))[0] == 403
    assert (await visitor.get("/"))[0] == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "localhost:1", ""])
async def test_another_name_that_leads_here_is_refused(visitor: Visitor, host: str) -> None:
    await visitor.new()
    assert (await visitor.get("/"))[0] == 200
    assert (await visitor.get("/", Host=host))[0] == 403
    assert (await visitor.get(STYLE_PATH, Host=host))[0] == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
async def test_a_form_of_another_site_is_refused(visitor: Visitor, headers: dict[str, str]) -> None:
    await visitor.new()
    assert (await visitor.post("/lock", {}, **headers))[0] == 403
    assert visitor.wallet.desk.box.is_open
    assert (await visitor.post("/lock", {}, **{"Sec-Fetch-Site": "same-origin"}))[0] == 303
    assert not visitor.wallet.desk.box.is_open


POSTS: Final = [one.path for one in ROUTES if one.method == "POST"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("csrf", ["", "guess", "é\ud800"])
async def test_every_form_needs_its_token(visitor: Visitor, path: str, csrf: str) -> None:
    await visitor.new()
    path = path.replace("{name:[0-9a-f]{12}}", "0" * 12).replace("{id:[A-Za-z0-9_-]{16}}", "0" * 16)
    path = re.sub(r"\{(?:kind|by):(\w+)[^}]*\}", r"\1", path)
    body = b"csrf=" + csrf.encode("utf-8", "surrogatepass") + b"&text=x"
    types = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await visitor.ask("POST", path, data=body, headers=types))[0] in (400, 403)
    assert visitor.wallet.desk.box.is_open


async def test_what_every_answer_says(visitor: Visitor) -> None:
    answers = [await visitor.get("/")]
    await visitor.new()
    answers += [await visitor.get(path) for path in ("/", "/nowhere", STYLE_PATH, "/settings?lang=fr")]
    answers.append(await visitor.ask("PUT", "/"))
    answers.append(await visitor.post("/lock", {"csrf": "no"}))
    assert [one[0] for one in answers] == [403, 200, 404, 200, 200, 405, 403]
    for _, _, headers in answers:
        assert headers["Content-Security-Policy"] == POLICY
        assert "default-src 'none'" in POLICY
        assert "script-src" not in POLICY
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Server"] == "ouvrage"
    assert answers[5][2]["Allow"] == "GET,HEAD"


# ---- the passphrase and the lock -------------------------------------------------------------------------------------


async def test_a_new_wallet_needs_a_passphrase_twice(visitor: Visitor) -> None:
    await visitor.enter()
    for first, again, said in (
        ("correct horse", "correct house", "not the same"),
        ("short", "short", "too short"),
        ("", "", "Type in"),
        ("x" * 2000, "x" * 2000, "too long"),
    ):
        status, text, _ = await visitor.post("/new", {"passphrase": first, "again": again})
        assert status in (400, 422)
        assert said in text
        assert not visitor.wallet.path.exists()
    assert (await visitor.post("/new", {"passphrase": PASSPHRASE, "again": PASSPHRASE}))[0] == 303
    assert (await visitor.post("/new", {"passphrase": PASSPHRASE, "again": PASSPHRASE}))[0] == 400
    assert (await visitor.get("/new"))[2]["Location"] == "/unlock"


async def test_a_wrong_passphrase_opens_nothing(visitor: Visitor) -> None:
    await visitor.new()
    await visitor.post("/lock", {})
    status, text, _ = await visitor.post("/unlock", {"passphrase": "not this one"})
    assert (status, "This passphrase is wrong" in text) == (422, True)
    assert "not this one" not in text
    for path in ("/", "/ledger", "/receive", "/answer", "/settings", "/held/000000000000"):
        status, _, headers = await visitor.get(path)
        assert (status, headers["Location"]) == (303, "/unlock")
    assert (await visitor.post("/keys", {"count": "1"}))[2]["Location"] == "/unlock"
    assert (await visitor.post("/unlock", {"passphrase": PASSPHRASE}))[2]["Location"] == "/"
    assert (await visitor.get("/"))[0] == 200


async def test_it_locks_when_nobody_uses_it_and_forgets_what_was_under_way(visitor: Visitor) -> None:
    await visitor.new()
    visitor.wallet.clock.seconds += 599
    assert (await visitor.get("/"))[0] == 200
    visitor.wallet.clock.seconds += 599
    assert (await visitor.get("/"))[0] == 200
    visitor.wallet.clock.seconds += 601
    assert (await visitor.get("/"))[0] == 303
    assert visitor.wallet.desk.box._shelf is None


# ---- what comes in ---------------------------------------------------------------------------------------------------


async def bring(visitor: Visitor, raw: bytes, name: str = "file.json", path: str = "/receive") -> tuple[int, str, Any]:
    form = FormData()
    form.add_field("csrf", visitor.wallet.desk.csrf)
    form.add_field("file", BytesIO(raw), filename=name, content_type="application/octet-stream")
    return await visitor.ask("POST", path, data=form)


async def test_keys_and_a_file_of_credentials(visitor: Visitor) -> None:
    await visitor.new()
    status, text, headers = await visitor.post("/keys", {"count": "2"})
    assert (status, headers["Content-Disposition"]) == (200, 'attachment; filename="keys.json"')
    assert len(json.loads(text)["keys"]) == 2
    assert (await visitor.post("/keys", {"count": "1000"}))[0] == 400
    unbound = json.dumps(credential(bound=False)).encode()
    for count in ("checked: 1", "checked: 0"):
        status, text, _ = await bring(visitor, unbound)
        assert (status, count in text.replace("\u00a0", " ")) == (200, True)
    assert "Earnings" in (await visitor.get("/"))[1]


@pytest.mark.parametrize(
    ("raw", "status", "said"),
    [
        (b"", 400, "choose a file"),
        (b"hello", 400, "neither a link nor a file"),
        (b"\xff\xfe\x00", 400, "neither a link nor a file"),
        (b"https://evil.example/", 400, "neither a link nor a file"),
        (b"{", 400, "cannot be read"),
        (b"[]", 400, "no proof in this file"),
        (b"[" * 100_000, 400, "cannot be read"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, 400, "no QR code"),
        (b"\xff\xd8\xff" + b"\0" * 100, 400, "no QR code"),
        (b"openid-credential-offer://?credential_offer=%7B%7D", 400, "cannot be read"),
        (b"openid-credential-offer://?credential_offer_uri=http://10.0.0.1/x", 400, "cannot be read"),
        (json.dumps(credential()).encode(), 422, "not in your wallet"),
        (json.dumps({**credential(bound=False), "validUntil": "2030-01-01T00:00:00Z"}).encode(), 422, "not kept"),
        (b'{"response_type": "vp_token"}', 400, "cannot be read"),
    ],
)
async def test_what_is_not_what_it_should_be_is_refused(visitor: Visitor, raw: bytes, status: int, said: str) -> None:
    await visitor.new()
    answered, text, _ = await bring(visitor, raw)
    assert (answered, said in text) == (status, True), text[text.find("<main") :][:600]
    assert "nothing in your wallet yet" in (await visitor.get("/"))[1]


async def test_what_is_too_large_is_refused(visitor: Visitor) -> None:
    await visitor.new()
    status, text, _ = await bring(visitor, b"[" + b" " * MAX_BODY)
    assert (status, "32 MB is the most" in text) == (413, True)
    types = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await visitor.ask("POST", "/unlock", data=BytesIO(b"csrf=x" + b"x" * (9 << 17)), headers=types))[0] == 413
    many = {f"show.{number}": "yes" for number in range(1000)}
    assert (await visitor.post("/lock", many))[0] == 400
    assert (await visitor.ask("POST", "/lock", data=b"{}", headers={"Content-Type": "application/json"}))[0] in (
        400,
        403,
        415,
    )
    assert (await visitor.get("/"))[0] == 200


async def test_a_request_is_agreed_to_once_and_only_as_it_was_seen(visitor: Visitor, tmp_path: Path) -> None:
    await visitor.new()
    await bring(visitor, json.dumps(credential(bound=False)).encode())
    assert "is no request" in (await bring(visitor, json.dumps(credential(bound=False)).encode(), path="/answer"))[1]
    request = request_file(tmp_path, "Earnings.monthly", client="lender.example", accept_possession=True)
    where = (await bring(visitor, request.read_bytes(), path="/answer"))[2]["Location"]
    text = (await visitor.get(where))[1]
    seen = re.findall(r'name="seen" value="(\w+)"', text)[-1]
    assert (await visitor.post(where, {"show.0.Earnings.monthly": "yes", "seen": "0"}))[0] == 422
    assert (await visitor.post(where, {"show.0.Earnings.total12m": "yes", "seen": seen}))[0] == 422
    assert (await visitor.post(where, {"show.7.Earnings.monthly": "yes", "seen": seen}))[0] == 422
    assert (await visitor.post(where, {"seen": seen}))[0] == 422
    assert "shown nothing yet" in (await visitor.get("/ledger"))[1]
    assert (await visitor.post(where, {"show.0.Earnings.monthly": "yes", "seen": seen}))[2][
        "Location"
    ] == f"{where}/done"
    assert (await visitor.post(where, {"show.0.Earnings.monthly": "yes", "seen": seen}))[0] == 400
    assert "lender.example" in (await visitor.get("/ledger/1"))[1]
    assert (await visitor.get("/ledger/2"))[0] == 400
    assert list(json.loads((await visitor.get(f"{where}/answer.json"))[1])["vp_token"]) == ["Earnings"]
    status, text, headers = await visitor.get("/ledger.csv")
    assert (status, headers["Content-Disposition"]) == (200, 'attachment; filename="ledger.csv"')
    assert "lender.example" in text
    assert json.loads((await visitor.get("/ledger.json"))[1])["whole"] is True
    await visitor.post("/lock", {})
    await visitor.post("/unlock", {"passphrase": PASSPHRASE})
    assert (await visitor.get(f"{where}/answer.json"))[0] == 400


async def test_what_the_verifier_cannot_check_is_named_and_nothing_of_it_is_offered(
    visitor: Visitor, tmp_path: Path
) -> None:
    await visitor.new()
    await bring(visitor, json.dumps(credential(bound=False)).encode())
    made = request_file(tmp_path, "Earnings.monthly", client="lender.example", accept_possession=True)
    document = json.loads(made.read_bytes())
    document["client_metadata"] = {"vp_formats_supported": {"ldp_vc": {"cryptosuite_values": ["ecdsa-sd-2023"]}}}
    where = (await bring(visitor, json.dumps(document).encode(), path="/answer"))[2]["Location"]
    text = (await visitor.get(where))[1]
    assert "they cannot check how yours is signed" in text
    assert "show.0" not in text


async def test_a_ledger_that_was_tampered_with_says_so_and_is_still_shown(visitor: Visitor, tmp_path: Path) -> None:
    await visitor.new()
    await bring(visitor, json.dumps(credential(bound=False)).encode())
    request = request_file(tmp_path, "Earnings.monthly", client="lender.example", accept_possession=True)
    for _ in range(2):
        where = (await bring(visitor, request.read_bytes(), path="/answer"))[2]["Location"]
        seen = re.findall(r'name="seen" value="(\w+)"', (await visitor.get(where))[1])[-1]
        assert (await visitor.post(where, {"show.0.Earnings.monthly": "yes", "seen": seen}))[0] == 303
    assert "tampered" not in (await visitor.get("/ledger"))[1]

    def forget(shelf: Shelf) -> None:
        shelf.vault.delete([shelf.vault.items(LEDGER)[0].id])

    await visitor.wallet.desk.box.use(forget)
    text = (await visitor.get("/ledger"))[1]
    assert "The ledger was tampered with" in text
    assert "lender.example" in text
    assert json.loads((await visitor.get("/ledger.json"))[1])["whole"] is False


# ---- pictures --------------------------------------------------------------------------------------------------------


def test_a_picture_that_unpacks_to_gigabytes_is_not_unpacked() -> None:
    raw = BytesIO()
    Image.new("1", (30_000, 30_000)).save(raw, "PNG")
    assert len(raw.getvalue()) < 1 << 20
    with pytest.raises(Malformed) as caught:
        brought.read_pictures([raw.getvalue()])
    assert caught.value.code in ("TOO_LARGE", "NO_QR")


# ---- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", phrases.phrases())
def test_a_phrase_says_the_same_in_both_languages(key: str) -> None:
    texts = {lang: phrases.BOOK.template(key, lang) for lang in LANGUAGES}
    assert all(text.strip() == text and text for text in texts.values())
    assert set(FIELD.findall(texts["en"])) == set(FIELD.findall(texts["fr"]))
    assert "'" not in "".join(texts.values())
    assert not re.search(r"(?<![\u00a0\u202f])[;?!](?!\w| ou)", texts["fr"].replace("par !", ""))


def test_every_phrase_that_a_page_names_exists_and_every_phrase_is_named() -> None:
    shared = (WEB.parents[1] / "vc" / "io" / "templates").glob("*.j2")
    sources = [*WEB.glob("templates/*.j2"), *shared, *WEB.glob("*.py"), WEB.parent / "refusals.py"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    named = set(re.findall(r"\bt\(\"([\w.]+)\"[,)]", text))
    assert len(named) > 100
    assert sorted(name for name in named if not phrases.has_phrase(name)) == []
    begun = {*re.findall(r"\"([a-z_.]+\.)\" ~", text), *re.findall(r"f\"([a-z_.]+\.)\{", text)}
    unused = [
        key for key in phrases.phrases() if f'"{key}"' not in text and not any(key.startswith(start) for start in begun)
    ]
    assert unused == []


# ---- the command -----------------------------------------------------------------------------------------------------


def test_the_command_serves_on_this_machine_only(tmp_path: Path) -> None:
    done = ouvrage(tmp_path, "wallet", "serve", "--host", "0.0.0.0", ok=False)
    assert (done.code, "for this machine only" in done.err) == (2, True)
    command = [sys.executable, "-m", "ouvrage", "wallet", "serve", "--json", "--home", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        assert line["url"].startswith(f"{line['base']}/enter?token=")
        assert asyncio.run(looked_at(line["base"], line["url"])) == (403, 200, "Make a new wallet")
        if (limits := Path(f"/proc/{process.pid}/limits")).exists():
            assert re.search(r"Max core file size +0 ", limits.read_text())  # no secret in a core dump
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert (out, err, process.returncode) == ("", "", 0)


async def looked_at(base: str, url: str) -> tuple[int, int, str]:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        async with session.get(base) as before:
            pass
        async with session.get(url) as answer:
            titles = re.findall("<h1>(.*?)</h1>", await answer.text())
            return before.status, answer.status, titles[0]
