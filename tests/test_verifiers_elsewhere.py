"""A verifier by another hand asks our wallet, with a certificate and with a DID; what it reads is what was shown."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.line import AT, Shown, answer, checked, rand_from, trust
from tests.node import FOLDER
from tests.test_holder_keys import kept
from tests.vaults import create
from tests.verifying import CENTURY, ROOT, certified, dcql, key_of
from vc.canon import to_json
from vc.client_id import Voucher
from vc.errors import VcError
from vc.io.fetch import fetch
from vc.jose import parse_jws
from vc.jwk import public_jwk
from vc.keys import Ed25519Key, P256Key
from vc.multibase import encode_base64url
from vc.oid4vp import SD_JWT_VC
from verifier.check import check, policy
from verifier.request import Wanted, build_request
from wallet.choose import plan
from wallet.keys import HolderKey
from wallet.online import Asked, read_request, send_answer, send_refusal
from wallet.present import present
from wallet.shelf import Shelf
from work import CONTEXTS

SD_JWT_DCQL = build_request(
    [Wanted.parse("Earnings.averageAtLeast12m>=1500")],
    client_id="localhost",
    purpose="credit.consumer.eu",
    necessity="",
    retention_days=30,
    ask_anyway=True,
    accept_possession=False,
    sd_jwt=True,
    rand=rand_from("dcql"),
)["dcql_query"]


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
    job |= {"key": {**public_jwk(key.public), "d": encode_base64url(key.secret)}, "dcql": job.get("dcql", dcql())}
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


@pytest.mark.parametrize("mode", ["direct_post", "direct_post.jwt"])
@pytest.mark.parametrize(("algorithm", "other"), [("ES256", "EdDSA"), ("EdDSA", "ES256")])
async def test_it_reads_an_sd_jwt_by_a_key_that_it_can_check(
    tmp_path: Path, mode: str, algorithm: str, other: str
) -> None:
    """The wallet has a copy of each kind of key; the verifier checks one kind."""
    keys: dict[str, HolderKey] = {"ES256": P256Key.generate(os.urandom), "EdDSA": Ed25519Key.from_seed(os.urandom(32))}
    formats = {SD_JWT_VC: {"sd-jwt_alg_values": ["ES256", "EdDSA"], "kb-jwt_alg_values": [algorithm]}}
    with create(tmp_path / "vault.db") as vault:
        shelf = Shelf(vault)
        kept(shelf, *keys.values())
        async with elsewhere(certificate=True, mode=mode, post=True, formats=formats, dcql=SD_JWT_DCQL) as verifier:
            asked = await read(verifier.link)
            (proposal,) = plan(asked.request, shelf.copies(), contexts=CONTEXTS, at=AT).proposals
            key = keys[algorithm]
            made = present(proposal, request=asked.request, key=key, contexts=CONTEXTS, at=AT, rand=os.urandom)
            with pytest.raises(VcError, match="the key that this copy is bound to is not here"):
                present(proposal, request=asked.request, key=keys[other], contexts=CONTEXTS, at=AT, rand=os.urandom)
            await send_answer(asked, {"vp_token": {proposal.query.id: [made]}}, ask=fetch)
            told = await verifier.line()
    assert told["presentations"] == {proposal.query.id: [made]}
    raw = to_json({"vp_token": told["presentations"]})
    rules = policy(accept_possession=False)
    ((verified,),) = check(raw, asked.request, trust=trust(), policy=rules, at=AT).values()
    assert verified.holder == key.did
    assert parse_jws(str(made).rpartition("~")[2]).header["alg"] == algorithm


async def test_it_hears_a_no() -> None:
    async with elsewhere(certificate=True, mode="direct_post.jwt", post=True) as verifier:
        await send_refusal(await read(verifier.link), ask=fetch)
        told = await verifier.line()
    assert told["refusal"]["error"] == "access_denied"
    assert told["refusal"]["state"] == "its-own-state"
