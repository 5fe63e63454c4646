"""A verifier by another hand asks our wallet, with a certificate and with a DID; what it reads is what was shown."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.line import Shown, answer, checked
from tests.node import FOLDER
from tests.verifying import CENTURY, ROOT, certified, dcql, key_of
from vc.client_id import Voucher
from vc.io.fetch import fetch
from vc.jwk import public_jwk
from vc.keys import P256Key
from vc.multibase import encode_base64url
from wallet.online import Asked, read_request, send_answer, send_refusal


class Elsewhere:
    """The other verifier: a line of JSON in, and lines out."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.link = ""

    async def line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        told: dict[str, Any] = json.loads(await asyncio.wait_for(self.process.stdout.readline(), 60))
        assert "error" not in told, told
        return told


@asynccontextmanager
async def elsewhere(*, certificate: bool, **job: Any) -> AsyncIterator[Elsewhere]:
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules" / "@openid4vc" / "openid4vp").is_dir():
        pytest.skip("needs node, and in tests/npm: npm install")
    process = await asyncio.create_subprocess_exec(
        node,
        "--preserve-symlinks",  # the packages may be linked in from elsewhere
        "verifier.mjs",
        cwd=FOLDER,
        limit=1 << 22,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    party = certified("localhost", days=CENTURY)
    key = key_of(party) if certificate else P256Key.generate(os.urandom)
    job |= {"key": {**public_jwk(key.public), "d": encode_base64url(key.secret)}, "dcql": dcql()}
    job |= {"x5c": [party.x5c], "client": "x509_san_dns:localhost"} if certificate else {}
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(job).encode() + b"\n")
        one = Elsewhere(process)
        one.link = (await one.line())["link"]
        yield one
    finally:
        process.stdin.close()
        if process.returncode is None:
            process.kill()
        await process.wait()


async def read(link: str) -> Asked:
    now = datetime.now(UTC)  # its requests end five minutes after they were made, by the clock of this machine
    return await read_request(link, ask=fetch, private=True, roots=(ROOT.certificate,), at=now, rand=os.urandom)


@pytest.mark.parametrize("post", [False, True], ids=["get", "post"])
@pytest.mark.parametrize("mode", ["direct_post", "direct_post.jwt"])
@pytest.mark.parametrize("certificate", [True, False], ids=["certificate", "did"])
async def test_it_reads_what_the_wallet_shows(*, certificate: bool, mode: str, post: bool) -> None:
    async with elsewhere(certificate=certificate, mode=mode, post=post) as verifier:
        asked = await read(verifier.link)
        assert asked.client.voucher is (Voucher.ROOT if certificate else Voucher.DID)
        made = answer(asked.request)
        redirect = await send_answer(asked, made, ask=fetch)
        told = await verifier.line()
    assert (told["type"], told["state"], told["nonce"]) == ("dcql", "its-own-state", asked.request.nonce)
    assert redirect == f"https://lender.example/done#response_code={asked.request.nonce}"
    assert (told["header"] or {}).get("enc") == (None if mode == "direct_post" else "A256GCM")
    assert told["presentations"] == made["vp_token"]
    assert checked(Shown(asked.request, {"vp_token": told["presentations"]})).credentials


async def test_it_hears_a_no() -> None:
    async with elsewhere(certificate=True, mode="direct_post.jwt", post=True) as verifier:
        await send_refusal(await read(verifier.link), ask=fetch)
        told = await verifier.line()
    assert told["refusal"]["error"] == "access_denied"
    assert told["refusal"]["state"] == "its-own-state"
