"""An issuer's status lists: all five renderings of one, signed, and one of them served.

The floor of a rendering is what no issuer can avoid: the bare compression of the same bits and the bare signatures.
The floor of serving is the service's own answer to a path that it does not have.
"""

import asyncio
import os
import random
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bench.measure import Row, compare
from issuer.config import Config
from issuer.database import Database
from issuer.deps import DEPS, Deps
from issuer.keyring import KeyRing
from issuer.keys import create
from issuer.status_routes import ROUTES
from issuer.statuses import allocate
from issuer.statuslists import Marks, render
from vc.status import MIN_ENTRIES

AT: Final = datetime(2026, 11, 24, tzinfo=UTC)
URL: Final = "https://platform.example/status/3"
SIZES: Final = (MIN_ENTRIES, 1 << 20)


def marks(size: int) -> Marks:
    """One place in a hundred has a status, decoys included: two thirds of them are revoked."""
    chosen = random.Random(1).sample(range(size), size // 100)
    third = len(chosen) // 6
    return Marks(size, frozenset(chosen[2 * third :]), frozenset(chosen[:third]), frozenset(chosen[third : 2 * third]))


def rendering() -> Iterator[Row]:
    """Five renderings of one list, from the places that are marked."""
    keys = create(os.urandom)
    text = os.urandom(64)
    for size in SIZES:
        given = marks(size)
        bits = [_bits(places, size) for places in (given.revoked, given.suspended, given.contested)]
        token = bits[0] + bits[1]  # two bits for each place

        def floor(bits: list[bytes] = bits, token: bytes = token) -> None:
            for body in (token, *bits):
                stream = zlib.compressobj(6, zlib.DEFLATED, 15, 8, zlib.Z_RLE)
                sha256(stream.compress(body) + stream.flush())
            for _ in range(2):
                keys.jwt.sign(text)
            for _ in range(3):
                keys.public.sign(text)

        def ours(given: Marks = given) -> None:
            render(given, url=URL, aggregation="https://platform.example/status", keys=keys, at=AT)

        yield compare(f"status lists of {size}, five renderings, signed", ours, floor, limit=12, rounds=30)


def _bits(places: frozenset[int], size: int) -> bytes:
    bits = bytearray(size // 8)
    for place in places:
        bits[place // 8] |= 128 >> place % 8
    return bytes(bits)


def serving() -> Iterator[Row]:
    """A list out of the memory of a process, against the shortest answer that the same server gives."""
    with TemporaryDirectory() as folder, Database.open(Path(folder) / "issuer.db") as database:
        with database.write() as connection:
            (slot,) = allocate(connection, 1, base="https://platform.example", rand=os.urandom, now=0)
        ring = KeyRing.of(create(os.urandom), secret=os.urandom(32), at=AT)
        deps = Deps(Config(base="https://platform.example"), database, lambda: ring, lambda: AT, os.urandom)
        loop = asyncio.new_event_loop()
        client = loop.run_until_complete(_client(deps))

        def get(path: str) -> Callable[[], bytes]:
            return lambda: loop.run_until_complete(_get(client, path))

        yield compare(
            "a status list served", get(f"/status/{slot.list}/revocation"), get("/nothing"), limit=2, rounds=300
        )
        loop.run_until_complete(client.close())
        loop.close()


async def _client(deps: Deps) -> TestClient[web.Request, web.Application]:
    app = web.Application()
    app[DEPS] = deps
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.handler)
    client = TestClient(TestServer(app))
    await client.start_server()
    return client


async def _get(client: TestClient[web.Request, web.Application], path: str) -> bytes:
    async with client.get(path, auto_decompress=False) as answer:
        return await answer.read()


def rows() -> Iterator[Row]:
    """Every row about an issuer's lists."""
    yield from rendering()
    yield from serving()
