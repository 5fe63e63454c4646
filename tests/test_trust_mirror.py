"""Mirroring platforms' status lists: whole, only what changed, and never something worse than what is held."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from tests.test_vcapi_http import serving
from tests.trust_lists import AT
from vc.canon import Json, to_json
from vc.errors import VcError
from vc.jose import sign_jws
from vc.keys import Ed25519Key
from verifier.trust_mirror import Mirror, Outcome, read_list

KEY = Ed25519Key.from_seed(b"7" * 32)
DAY = timedelta(days=1)


@dataclass
class Platform:
    """An index of two lists, with ETags."""

    base: str = ""
    bodies: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)
    index: list[str] = field(default_factory=list)

    def put(self, name: str, day: int = 0, sub: str = "") -> None:
        path = f"/status/{name}/token"
        claims: dict[str, Json] = {"sub": sub or self.base + path, "iat": int((AT + day * DAY).timestamp())}
        self.bodies[path] = sign_jws(to_json(claims), key=KEY, typ="statuslist+jwt").encode()

    async def answer(self, request: web.Request) -> web.Response:
        named = self.index or [f"{self.base}{path}" for path in self.bodies]
        body = (
            to_json({"status_lists": list[Json](named)}) if request.path == "/status" else self.bodies.get(request.path)
        )
        tag = "" if body is None else f'"{hash(body)}"'
        same = body is not None and request.headers.get("If-None-Match") == tag
        status = 404 if body is None else 304 if same else 200
        if request.path.endswith("token") or request.path == "/status":
            self.asked.append((request.path, status))
        return web.Response(status=status, body=None if same else body, headers={"ETag": tag} if tag else {})

    def app(self, base: str) -> web.Application:
        """The application that answers as this platform does."""
        self.base = base
        made = web.Application()
        made.router.add_get("/{path:.*}", self.answer)
        return made


async def mirrored(folder: Path, platform: Platform, day: int) -> Outcome:
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    platform.asked.clear()
    return await Mirror(folder, at=AT + day * DAY, private=True).run([f"{platform.base}/status"])


async def test_only_what_changed_and_never_something_worse(tmp_path: Path) -> None:
    platform = Platform()

    async with serving(platform.app):
        platform.put("a")
        platform.put("b")
        first = await mirrored(tmp_path / "m", platform, 0)
        assert (len(first.lists), first.changed, first.failed) == (2, 2, ())
        platform.put("b", day=1)
        second = await mirrored(tmp_path / "m", platform, 1)
        assert (second.changed, second.same) == (1, 1)
        assert ("/status/a/token", 304) in platform.asked
        assert {one.as_of for one in second.lists} == {AT + DAY}  # what did not change is confirmed, too
        good = platform.bodies["/status/b/token"]
        for day, sub in ((-1, ""), (2, "https://x.example/")):  # an older one, and another's
            platform.put("b", day, sub)
            third = await mirrored(tmp_path / "m", platform, 2)
            assert len(third.failed) == 1
            held = {one.url.rpartition("/status/")[2]: one for one in third.lists}
            assert (held["b/token"].raw, held["b/token"].as_of) == (good, AT + DAY)  # kept, and ageing
            assert held["a/token"].as_of == AT + 2 * DAY
        platform.index = ["https://elsewhere.example/status/a/token"]
        moved = await mirrored(tmp_path / "m", platform, 3)
        assert (moved.lists, "another place" in moved.failed[0]) == ((), True)
    gone = await mirrored(tmp_path / "m", platform, 4)
    assert len(gone.failed) == 1


async def test_who_cannot_be_reached_keeps_its_lists(tmp_path: Path) -> None:
    platform = Platform()

    async with serving(platform.app):
        platform.put("a")
        await mirrored(tmp_path / "m", platform, 0)
    later = await mirrored(tmp_path / "m", platform, 3)
    assert [(one.as_of, len(later.failed)) for one in later.lists] == [(AT, 1)]


@pytest.mark.parametrize("raw", [b"", b"junk", b"{}", b"a.b.c", b'{"id": "https://x.example/1"}'])
def test_what_is_no_list(raw: bytes) -> None:
    with pytest.raises(VcError):
        read_list(raw, "https://x.example/1")
