"""That nothing is lost, over HTTP: backup, restore, words, guardians, passphrase, and the one readable proof."""

import html
import json
import re
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import FormData

from tests.line import credential
from tests.test_wallet_web import Visitor, bring, visiting
from tests.vaults import names
from tests.wallet_pages_app import PASSPHRASE, TOKEN
from vc.errors import Rejected
from wallet.guardians import combine
from wallet.mark import mark_path
from wallet.phrase import read_phrase
from wallet.sealing import GUARDIANS, WORDS
from wallet.vault import Item, Vault

NEW: Final = "four other words altogether"


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[Visitor]:
    (tmp_path / "one").mkdir()
    async with visiting(tmp_path / "one") as one:
        yield one


async def put(visitor: Visitor, kind: str = "test") -> None:
    await visitor.wallet.desk.box.use(lambda shelf: shelf.vault.put([Item(bytes(16), kind, {"x": 1})]))


async def kept(visitor: Visitor, kind: str = "test") -> int:
    return await visitor.wallet.desk.box.use(lambda shelf: len(shelf.vault.items(kind)))


async def backed_up(visitor: Visitor) -> bytes:
    """A backup as a browser gets it."""
    where = (await visitor.post("/backup", {}))[2]["Location"]
    assert "opened again, and compared item by item" in (await visitor.get(where))[1]
    async with visitor.session.get(f"{visitor.wallet.base}{where}/file") as answer:
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="ouvrage-wallet-')
        assert answer.headers["Cache-Control"] == "no-store"
        return await answer.read()


async def restore(visitor: Visitor, raw: bytes, by: str, secret: str, **fields: str) -> tuple[int, str, Any]:
    form = FormData()
    form.add_field("csrf", visitor.wallet.desk.csrf)
    form.add_field("backup", BytesIO(raw), filename="my.backup", content_type="application/octet-stream")
    for name, value in {"secret": secret, **fields}.items():
        form.add_field(name, value)
    return await visitor.ask("POST", f"/restore/{by}", data=form)


async def new_words(visitor: Visitor) -> tuple[str, list[str]]:
    """New words as the page shows them, and where."""
    where = (await visitor.post("/words", {"passphrase": PASSPHRASE}))[2]["Location"]
    _, text, headers = await visitor.get(where)
    assert headers["Cache-Control"] == "no-store"
    return where, re.findall(r"<li>(\w+)</li>", text[text.index('<ol class="words"') :])


async def confirmed(visitor: Visitor) -> str:
    """24 words that open the wallet."""
    where, words = await new_words(visitor)
    numbers = re.findall(r'name="(word-(\d+))"', (await visitor.get(f"{where}/check"))[1])
    fields = {name: words[int(number) - 1].upper() for name, number in numbers}
    assert (await visitor.post(f"{where}/check", fields))[2]["Location"] == "/words/done"
    return " ".join(words)


def mixed_up(words: str) -> str:
    """The words in another order, of which the check says so; it says nothing of one in 256."""
    first, *others = words.split()
    for at in range(1, 24):
        turned = " ".join([*others[:at], first, *others[at:]])
        try:
            read_phrase(turned)
        except Rejected:
            return turned
    raise AssertionError(words)


async def new_shares(visitor: Visitor, of: int = 3, need: int = 2, called: str = "") -> tuple[str, list[str]]:
    """New shares, each from its own page, and where they are."""
    fields = {"of": str(of), "need": str(need), "names": called, "passphrase": PASSPHRASE}
    where = (await visitor.post("/guardians", fields))[2]["Location"]
    shares = []
    for number in range(1, of + 1):
        text = (await visitor.get(f"{where}/{number}"))[1]
        shares.append(" ".join(re.findall(r"<li>(\w+)</li>", text[text.index('<ol class="words"') :])))
    return where, shares


# ---- backup and restore ----------------------------------------------------------------------------------------------


async def test_a_backup_is_tested_counts_once_it_is_saved_and_comes_back_elsewhere(
    visitor: Visitor, tmp_path: Path
) -> None:
    await visitor.new()
    await put(visitor)
    assert "There is no backup yet" in (await visitor.get("/settings"))[1]
    where = (await visitor.post("/backup", {}))[2]["Location"]
    assert "There is no backup yet" in (await visitor.get("/settings"))[1]
    assert (await visitor.get(f"{where}/file"))[0] == 200
    assert "Everything is in it" in (await visitor.get("/settings"))[1]
    raw = await backed_up(visitor)
    assert PASSPHRASE.encode() not in raw
    assert names(tmp_path / "one") == ["vault.db", "vault.db.mark"]
    await visitor.wallet.desk.box.use(lambda shelf: shelf.vault.put([Item(b"y" * 16, "test", {})]))
    assert "Something has changed since" in (await visitor.get("/settings"))[1]
    (tmp_path / "two").mkdir()
    async with visiting(tmp_path / "two") as other:
        assert (await other.get(f"/enter?token={TOKEN}"))[0] == 303
        text = (await other.get("/new"))[1]
        assert "/restore/passphrase" in text
        assert "already" not in (await other.get("/restore/passphrase"))[1]
        done = (await restore(other, raw, "passphrase", PASSPHRASE))[2]["Location"]
        text = (await other.get(done))[1]
        assert "Restored and compared" in text
        assert "is kept" not in text
        assert (await other.post("/unlock", {"passphrase": PASSPHRASE}))[2]["Location"] == "/"
        assert await kept(other) == 1
        assert names(tmp_path / "two") == ["vault.db", "vault.db.mark"]


async def test_a_backup_of_before_a_change_does_not_count_for_it(visitor: Visitor) -> None:
    await visitor.new()
    where = (await visitor.post("/backup", {}))[2]["Location"]
    await put(visitor)
    assert (await visitor.get(f"{where}/file"))[0] == 200
    assert "Something has changed since" in (await visitor.get("/settings"))[1]
    await visitor.post("/lock", {})
    await visitor.post("/unlock", {"passphrase": PASSPHRASE})
    assert (await visitor.get(f"{where}/file"))[0] == 400


async def test_a_wallet_that_is_here_is_moved_aside_only_if_that_is_agreed_to(visitor: Visitor, tmp_path: Path) -> None:
    await visitor.new()
    raw = await backed_up(visitor)
    await put(visitor)
    text = (await visitor.get("/restore/passphrase"))[1]
    assert "moved aside and kept whole" in text
    status, text, _ = await restore(visitor, raw, "passphrase", PASSPHRASE)
    assert (status, "Nothing was changed. Tick" in text) == (422, True)
    status, text, _ = await restore(visitor, raw, "passphrase", "not this one", replace="yes")
    assert (status, "passphrase is wrong" in text, "not this one" in text) == (422, True, False)
    assert await kept(visitor) == 1  # it is open, as it was
    done = (await restore(visitor, raw, "passphrase", PASSPHRASE, replace="yes"))[2]["Location"]
    aside = next(one for one in names(tmp_path / "one") if ".replaced-" in one)
    assert aside in (await visitor.get(done))[1]
    assert not visitor.wallet.desk.box.is_open
    await visitor.post("/unlock", {"passphrase": PASSPHRASE})
    assert await kept(visitor) == 0
    with Vault.open(tmp_path / "one" / aside, PASSPHRASE.encode(), rand=bytes) as old:
        assert len(old.items("test")) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: b"", "no backup of a wallet"),
        (lambda raw: b"hello" * 100, "no backup of a wallet"),
        (lambda raw: raw[:-20], "is damaged"),
        (lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]), "is damaged"),
        (lambda raw: raw + b"x", "is damaged"),
    ],
)
async def test_what_is_no_sound_backup_changes_nothing(
    visitor: Visitor, tmp_path: Path, change: Any, said: str
) -> None:
    await visitor.new()
    raw = await backed_up(visitor)
    before = (tmp_path / "one" / "vault.db").read_bytes()
    status, text, _ = await restore(visitor, change(raw), "passphrase", PASSPHRASE, replace="yes")
    assert (status, said in text) == (400, True), text[text.find("<main") :][:500]
    assert (tmp_path / "one" / "vault.db").read_bytes() == before
    assert names(tmp_path / "one") == ["vault.db", "vault.db.mark"]


async def test_nothing_is_written_for_a_form_without_its_token(visitor: Visitor, tmp_path: Path) -> None:
    await visitor.enter()
    form = FormData()
    form.add_field("backup", BytesIO(b"x" * 1000), filename="my.backup")
    form.add_field("csrf", visitor.wallet.desk.csrf)  # behind it is too late
    assert (await visitor.ask("POST", "/restore/passphrase", data=form))[0] == 403
    assert names(tmp_path / "one") == []


async def test_backups_go_to_a_folder_when_the_wallet_is_locked(visitor: Visitor, tmp_path: Path) -> None:
    folder = tmp_path / "stick"
    await visitor.new()
    for text, keep, said in (
        ("stick", "5", "begins with /"),
        ("", "5", "begins with /"),
        (str(folder), "0", "366 days"),
        ("~nobody-here/x", "5", "begins with /"),
        ("/x\x00y", "5", "begins with /"),
        (str(tmp_path / "no" / "way"), "5", "does not let the wallet write"),
    ):
        status, page, _ = await visitor.post("/backup/folder", {"folder": text, "keep": keep})
        assert (status in (400, 503), said in html.unescape(page)) == (True, True), text
    assert (await visitor.post("/backup/folder", {"folder": str(folder), "keep": "2"}))[0] == 303
    assert str(folder) in (await visitor.get("/settings"))[1]
    (file,) = folder.iterdir()
    before = file.read_bytes()
    await put(visitor)
    await visitor.post("/lock", {})
    assert file.read_bytes() != before or len(names(folder)) == 2
    file.unlink(missing_ok=True)
    folder.rename(tmp_path / "away")
    await visitor.post("/unlock", {"passphrase": PASSPHRASE})
    await visitor.wallet.desk.box.use(lambda shelf: shelf.vault.put([Item(b"y" * 16, "test", {})]))
    await visitor.post("/lock", {})
    await visitor.post("/unlock", {"passphrase": PASSPHRASE})
    assert "no backup could be made in the folder" in (await visitor.get("/"))[1]
    await visitor.post("/backup/folder/stop", {})
    assert str(folder) not in (await visitor.get("/settings"))[1]


async def test_a_wallet_put_back_to_an_older_state_is_told(visitor: Visitor, tmp_path: Path) -> None:
    path = tmp_path / "one" / "vault.db"
    await visitor.new()
    await visitor.post("/lock", {})
    older = path.read_bytes()
    await visitor.post("/unlock", {"passphrase": PASSPHRASE})
    await put(visitor)
    await visitor.post("/lock", {})
    assert mark_path(path).exists()
    path.write_bytes(older)
    await visitor.post("/unlock", {"passphrase": PASSPHRASE})
    assert "this wallet is older than it was on this device, by 1 changes" in (await visitor.get("/"))[1]


# ---- words -----------------------------------------------------------------------------------------------------------


async def test_words_open_nothing_before_some_of_them_were_typed_back(visitor: Visitor, tmp_path: Path) -> None:
    path = tmp_path / "one" / "vault.db"
    await visitor.new()
    status, text, _ = await visitor.post("/words", {"passphrase": "not this one"})
    assert (status, "passphrase is wrong" in text) == (422, True)
    where, words = await new_words(visitor)
    assert len(words) == 24
    check = (await visitor.get(f"{where}/check"))[1]
    numbers = [int(one) for one in re.findall(r'name="word-(\d+)"', check)]
    assert (len(set(numbers)), any(f">{word}<" in check or f'"{word}"' in check for word in words)) == (3, False)
    wrong = {f"word-{number}": "zzz" for number in numbers}
    status, text, _ = await visitor.post(f"{where}/check", wrong)
    assert (status, f"That is not word {numbers[0]}" in text) == (422, True)
    assert all(f'value="{word}"' not in text for word in words)
    secret = read_phrase(" ".join(words))
    with pytest.raises(Rejected):
        Vault.open(path, secret, by=WORDS, rand=bytes)
    assert "There are no words yet" in (await visitor.get("/settings"))[1]
    right = {f"word-{number}": words[number - 1] for number in numbers}
    assert (await visitor.post(f"{where}/check", right))[0] == 303
    Vault.open(path, secret, by=WORDS, rand=bytes).close()
    assert (await visitor.get(where))[0] == 400  # never again
    assert "There are 24 words" in (await visitor.get("/settings"))[1]


async def test_words_are_forgotten_when_the_wallet_locks_itself(visitor: Visitor) -> None:
    await visitor.new()
    where, _ = await new_words(visitor)
    visitor.wallet.clock.seconds += 601
    assert (await visitor.get(where))[2]["Location"] == "/unlock"
    assert visitor.wallet.desk.under_way == {}
    await visitor.post("/unlock", {"passphrase": PASSPHRASE})
    assert (await visitor.get(where))[0] == 400


async def test_a_forgotten_passphrase_is_replaced_by_words(visitor: Visitor) -> None:
    await visitor.new()
    words = await confirmed(visitor)
    await put(visitor)
    await visitor.post("/lock", {})
    renewed = {"new": NEW, "again": NEW}
    for typed, fields, said in (
        (words.rsplit(" ", 1)[0], renewed, "There have to be 24 words"),
        (f"abandn {words.split(' ', 1)[1]}", renewed, "Word 1, “abandn”, is not in the list"),
        (mixed_up(words), renewed, "two have changed places"),
        ("abandon " * 23 + "art", renewed, "they open nothing here"),
        (words, {"new": NEW, "again": "other"}, "The two are not the same"),
        (words, {"new": "x", "again": "x"}, "too short"),
        ("", renewed, "There have to be 24 words"),
    ):
        status, text, _ = await visitor.post("/forgot/words", {"secret": typed, **fields})
        assert (status in (400, 422), said in html.unescape(text)) == (True, True), said
        assert "></textarea>" in text
        assert NEW not in text
        assert not visitor.wallet.desk.box.is_open
    assert (await visitor.post("/forgot/words", {"secret": words.upper(), **renewed}))[2][
        "Location"
    ] == "/passphrase/done"
    assert "Your 24 words stay the same" in (await visitor.get("/passphrase/done"))[1]
    assert await kept(visitor) == 1
    await visitor.post("/lock", {})
    assert (await visitor.post("/unlock", {"passphrase": PASSPHRASE}))[0] == 422
    assert (await visitor.post("/unlock", {"passphrase": NEW}))[0] == 303


async def test_a_backup_comes_back_by_words_with_a_new_passphrase(visitor: Visitor, tmp_path: Path) -> None:
    await visitor.new()
    words = await confirmed(visitor)
    raw = await backed_up(visitor)
    (tmp_path / "two").mkdir()
    async with visiting(tmp_path / "two") as other:
        await other.enter()
        status, text, _ = await restore(other, raw, "words", words, new="x", again="x")
        assert (status, "too short" in text, words in text) == (422, True, False)
        done = (await restore(other, raw, "words", words, new=NEW, again=NEW))[2]["Location"]
        assert "your new passphrase" in (await other.get(done))[1]
        assert (await other.post("/unlock", {"passphrase": NEW}))[0] == 303


# ---- guardians -------------------------------------------------------------------------------------------------------


async def test_shares_open_nothing_before_each_was_looked_at(visitor: Visitor, tmp_path: Path) -> None:
    path = tmp_path / "one" / "vault.db"
    await visitor.new()
    fields = {"of": "3", "need": "2", "names": "Ana\nPaul & Cie\nZoé", "passphrase": PASSPHRASE}
    for wrong, said in (
        *(({"of": of}, "From 2 to 16") for of in ("1", "99", "x")),
        *(({"need": need}, "From 2 to 16") for need in ("1", "4")),
        ({"names": "Ana"}, "one name for each"),
        ({"passphrase": "not this one"}, "passphrase is wrong"),
    ):
        status, text, _ = await visitor.post("/guardians", {**fields, **wrong})
        assert (status in (400, 422), said in text) == (True, True), wrong
    where = (await visitor.post("/guardians", fields))[2]["Location"]
    assert "Share 2, for Paul &amp; Cie" in (await visitor.get(where))[1]
    text = (await visitor.get(f"{where}/1"))[1]
    assert ("number 1 of 3" in text, "Ana" in text, text.count("<li>") >= 33) == (True, True, True)
    assert (await visitor.post(where, {"agree": "yes"}))[0] == 422
    status, file, headers = await visitor.get(f"{where}/3.txt")
    assert headers["Content-Disposition"] == 'attachment; filename="share-3-of-3-zoe.txt"'
    await visitor.get(f"{where}/2")
    assert (await visitor.get(f"{where}/4"))[0] == 400
    assert (await visitor.post(where, {}))[0] == 422
    assert "There are no guardians" in (await visitor.get("/settings"))[1]
    words = " ".join(re.findall(r"<li>(\w+)</li>", text[text.index('<ol class="words"') :]))
    assert (await visitor.post(where, {"agree": "yes"}))[2]["Location"] == "/guardians/done"
    Vault.open(path, combine({"a": words, "b": file}), by=GUARDIANS, rand=bytes).close()
    assert (await visitor.get(f"{where}/1"))[0] == 400
    text = (await visitor.get("/guardians"))[1]
    assert ("2 of 3 guardians" in text, "Zoé" in text) == (True, True)
    assert (await visitor.post("/guardians/end", {}))[0] == 422
    assert (await visitor.post("/guardians/end", {"end": "yes"}))[0] == 303
    assert "no guardians" in (await visitor.get("/settings"))[1]


async def test_guardians_open_the_wallet_and_its_backup(visitor: Visitor, tmp_path: Path) -> None:
    await visitor.new()
    where, shares = await new_shares(visitor)
    await visitor.post(where, {"agree": "yes"})
    raw = await backed_up(visitor)
    await visitor.post("/lock", {})
    renewed = {"new": NEW, "again": NEW}
    for typed, said in (
        (shares[0], "More shares are needed"),
        (f"{shares[0]} {shares[0]}", "the same share"),
        (f"{shares[0]} {shares[1].rsplit(' ', 3)[0]}", "not as it was made"),
        (f"{shares[0]}\nzzzz {shares[1].split(' ', 1)[1]}", "Share 2, word 1: “zzzz” is not in the list"),
        ("", "More shares are needed"),
    ):
        status, text, _ = await visitor.post("/forgot/guardians", {"secret": typed, **renewed})
        assert (status, said.lower() in html.unescape(text).lower()) == (422, True), text[text.find("<main") :][:900]
    form = FormData()
    form.add_field("csrf", visitor.wallet.desk.csrf)
    form.add_field("shares", BytesIO(shares[2].encode()), filename="share.txt")
    for name, value in {"secret": shares[0], **renewed}.items():
        form.add_field(name, value)
    assert (await visitor.ask("POST", "/forgot/guardians", data=form))[2]["Location"] == "/passphrase/done"
    assert "shares stay the same: 2 of 3" in html.unescape((await visitor.get("/passphrase/done"))[1])
    (tmp_path / "two").mkdir()
    async with visiting(tmp_path / "two") as other:
        await other.enter()
        done = (await restore(other, raw, "guardians", "\n".join(shares[1:]), **renewed))[2]["Location"]
        assert "Restored" in (await other.get(done))[1]


# ---- passphrase, export, reminders -----------------------------------------------------------------------------------


async def test_the_passphrase_is_changed_only_by_who_knows_it(visitor: Visitor, tmp_path: Path) -> None:
    await visitor.new()
    await put(visitor)
    for fields, said in (
        ({"passphrase": "not this one", "new": NEW, "again": NEW}, "passphrase is wrong"),
        ({"passphrase": PASSPHRASE, "new": NEW, "again": "x"}, "not the same"),
        ({"passphrase": PASSPHRASE, "new": "x", "again": "x"}, "too short"),
        ({"passphrase": "", "new": NEW, "again": NEW}, "Type in your passphrase"),
    ):
        status, text, _ = await visitor.post("/passphrase", fields)
        assert (status in (400, 422), said in text, NEW in text) == (True, True, False)
        assert await kept(visitor) == 1
    assert (await visitor.post("/passphrase", {"passphrase": PASSPHRASE, "new": NEW, "again": NEW}))[0] == 303
    assert await kept(visitor) == 1
    await visitor.post("/lock", {})
    assert (await visitor.post("/unlock", {"passphrase": PASSPHRASE}))[0] == 422
    assert (await visitor.post("/unlock", {"passphrase": NEW}))[0] == 303
    assert names(tmp_path / "one") == ["vault.db", "vault.db.mark"]


async def held(visitor: Visitor) -> str:
    """A wallet with one unbound proof; its name."""
    await bring(visitor, json.dumps(credential(bound=False)).encode())
    return str(re.findall(r"/held/(\w+)", (await visitor.get("/"))[1])[0])


async def test_one_proof_leaves_readable_after_an_agreement_and_is_in_the_ledger(visitor: Visitor) -> None:
    await visitor.new()
    name = await held(visitor)
    assert f"/held/{name}/export" in (await visitor.get(f"/held/{name}"))[1]
    assert "Whoever gets the file reads everything" in (await visitor.get(f"/held/{name}/export"))[1]
    assert (await visitor.post(f"/held/{name}/export", {}))[0] == 422
    assert (await visitor.get("/ledger/1"))[0] == 400
    status, text, headers = await visitor.post(f"/held/{name}/export", {"agree": "yes"})
    assert (status, headers["Content-Disposition"]) == (200, f'attachment; filename="proof-{name}.json"')
    assert "EarningsCredential" in json.loads(text)["type"]
    assert "export" in (await visitor.get("/ledger/1"))[1]
    assert "Unused copies: 0 of 1" in (await visitor.get("/"))[1].replace("\u00a0", " ")
    assert (await visitor.post("/held/000000000000/export", {"agree": "yes"}))[0] == 400


async def test_the_first_page_reminds_of_one_thing_at_a_time(visitor: Visitor) -> None:
    await visitor.new()
    assert "stolen" not in (await visitor.get("/"))[1]
    await held(visitor)
    assert "your proofs are gone" in (await visitor.get("/"))[1]
    await backed_up(visitor)
    assert "If you forget your passphrase" in (await visitor.get("/"))[1]
    await confirmed(visitor)
    text = (await visitor.get("/"))[1]
    assert not any(said in text for said in ("your proofs are gone", "If you forget", "has changed since"))


SECRETS: Final = ("passphrase", "secret", "new", "again")


async def test_no_secret_is_in_an_address_or_a_title(visitor: Visitor) -> None:
    await visitor.new()
    where, words = await new_words(visitor)
    text = (await visitor.get(where))[1]
    title = re.findall("<title>(.*?)</title>", text)[0]
    assert not any(word in title.lower().split() for word in words if len(word) > 6)
    for path in (where, f"{where}/check", "/passphrase", "/words", "/guardians", "/restore/words", "/forgot/guardians"):
        text = (await visitor.get(path))[1]
        assert re.findall("<form (?!method=.post.)", text) == []
        assert not any(re.search(rf'name="{name}"[^>]* value=', text) for name in SECRETS)
