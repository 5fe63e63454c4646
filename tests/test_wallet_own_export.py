"""The page for a worker whose platform signs nothing: their own export, read in memory and kept as their own word."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData

from ouvrage import own_import
from tests.test_wallet_web import Visitor, visiting
from vc.errors import Unsupported
from wallet import own_export
from wallet.web.desk import Desk

EXPORTS = Path(__file__).parents[1] / "examples"
UPWORK = (EXPORTS / "upwork" / "upwork_timesheet.csv").read_bytes()
MTURK = min((EXPORTS / "mturk").glob("*.csv")).read_bytes()


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[Visitor]:
    own_export.use(own_export.Reader(own_import.profiles, own_import.read_files))
    async with visiting(tmp_path) as one:
        await one.enter()
        await one.post("/new", {"passphrase": "correct horse battery", "again": "correct horse battery"})
        yield one


def left(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def sent(visitor: Visitor, *files: bytes, **fields: str) -> tuple[int, str, Any]:
    desk: Desk = visitor.wallet.desk
    form = FormData()
    for name, value in {"csrf": desk.csrf, "profile": "upwork", "worker": "", "copies": "2", **fields}.items():
        form.add_field(name, value, content_type="text/plain")
    for number, raw in enumerate(files):
        form.add_field("file", raw, filename=f"../{number}.csv", content_type="text/csv")
    return await visitor.ask("POST", "/receive/export", data=form, headers={"Origin": visitor.wallet.base})


async def test_an_export_is_kept_as_the_workers_own_word(
    visitor: Visitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr(own_import, "_MEMORY", str(memory))
    assert "/receive/export" in (await visitor.get("/receive"))[1]
    status, page, _ = await visitor.get("/receive/export")
    assert status == 200
    assert 'value="upwork"' in page
    status, page, _ = await sent(visitor, UPWORK)
    assert status == 200
    assert "no platform has confirmed it" in page
    assert left(memory) == []  # it was there only to be read
    copies = await visitor.wallet.desk.box.use(lambda shelf: shelf.copies())
    assert {one.own for one in copies} == {True}
    assert {one.type for one in copies} >= {"Earnings", "WorkHistory"}
    assert len({one.holder for one in copies}) == 2
    status, page, _ = await sent(visitor, UPWORK)  # again: nothing new
    assert await visitor.wallet.desk.box.use(lambda shelf: len(shelf.copies())) == len(copies)


@pytest.mark.parametrize(
    ("files", "fields", "words"),
    [
        ((), {}, "Choose the file"),
        ((UPWORK,), {"copies": "0"}, ""),
        ((UPWORK,), {"copies": "51"}, ""),
        ((UPWORK,), {"profile": "nobody"}, ""),
        ((UPWORK,), {"profile": "../secret.toml"}, ""),
        ((b"\0\1\2",), {}, ""),
        ((MTURK,), {"profile": "mturk"}, "about several people"),
        ((MTURK,), {"profile": "mturk", "worker": "nobody of them"}, ""),
    ],
)
async def test_what_cannot_be_read_is_said_and_nothing_is_kept(
    visitor: Visitor, files: tuple[bytes, ...], fields: dict[str, str], words: str
) -> None:
    status, page, _ = await sent(visitor, *files, **fields)
    assert status in (400, 422)
    assert words in page
    assert 'role="alert"' in page
    assert await visitor.wallet.desk.box.use(lambda shelf: shelf.copies()) == ()


def test_a_profile_from_elsewhere_is_none() -> None:
    with pytest.raises(Unsupported):
        own_import.read_files("/etc/passwd.toml", [UPWORK], "")


async def test_without_somebody_who_reads_exports_there_is_no_such_page(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_export, "_READERS", [])
    assert "/receive/export" not in (await visitor.get("/receive"))[1]
    assert (await visitor.get("/receive/export"))[0] == 404
