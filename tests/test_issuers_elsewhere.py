"""Our wallet takes from an issuer by another hand (tests/npm/issuer.mjs over @openid4vc), and comes back to it."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from issuer.copies import Job, sign_copy
from tests.line import issuer_keys
from tests.node import FOLDER
from tests.vaults import create
from tests.work_samples import CLAIMS
from vc.did import did_key
from vc.errors import Rejected, Unsupported
from vc.io.fetch import fetch
from vc.jwk import parse_jwk
from vc.keys import ED25519, P256
from wallet.accept import read_offer
from wallet.collect import Collected, collect
from wallet.grants import grants
from wallet.refresh import due, refresh
from wallet.shelf import Shelf
from work import CONTEXTS
from work.statement import Statement

NAME = "EarningsOfTheMonth"
DESCRIBED: dict[str, Any] = {
    "format": "ldp_vc",
    "credential_definition": {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://w3id.org/ouvrage/v1"],
        "type": ["VerifiableCredential", "EarningsCredential"],
    },
    "credential_signing_alg_values_supported": ["bbs-2023"],
    "cryptographic_binding_methods_supported": ["did:key", "jwk"],
    "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["EdDSA", "ES256"]}},
}
JOB: dict[str, Any] = {"configuration": NAME, "described": DESCRIBED, "batch": 3, "seconds": 600, "dpop": ["ES256"]}


@dataclass
class Elsewhere:
    """The issuer's process, and what it was asked to bind credentials to."""

    process: asyncio.subprocess.Process
    link: str = ""
    bound: list[Any] = field(default_factory=list)

    async def write(self, **said: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(said).encode() + b"\n")
        await self.process.stdin.drain()

    async def read(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(await asyncio.wait_for(self.process.stdout.readline(), 60))

    async def sign(self) -> None:
        """Sign what it asks for, until it ends."""
        while True:
            self.bound += (holders := (await self.read())["sign"])
            dids = [one if isinstance(one, str) else did_key(parse_jwk(one)) for one in holders]
            await self.write(credentials=[json.loads(signed(did)) for did in dids])


def signed(did: str) -> str:
    statement = Statement("Earnings", "worker-1", CLAIMS["Earnings"])
    job = Job(statement, statement.digest(), did)
    return sign_copy(job, keys=issuer_keys(), at=now(), rand=os.urandom).body


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def elsewhere(**job: Any) -> AsyncIterator[Elsewhere]:
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules" / "@openid4vc").is_dir():
        pytest.skip("needs node, and in tests/npm: npm install")
    process = await asyncio.create_subprocess_exec(
        *(node, "--preserve-symlinks", "issuer.mjs"),
        cwd=FOLDER,
        limit=1 << 22,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    issuer = Elsewhere(process)
    try:
        await issuer.write(**{**JOB, **job})
        issuer.link = (await issuer.read())["offer"]
        signing = asyncio.create_task(issuer.sign())
        yield issuer
        signing.cancel()
    finally:
        process.kill()
        await process.wait()


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with create(tmp_path / "vault.db") as vault:
        yield Shelf(vault)


async def take(shelf: Shelf, link: str, *, tx_code: str | None = None) -> Collected:
    offer = await read_offer(link, ask=fetch)
    return await collect(
        shelf, offer, ask=fetch, tx_code=tx_code, copies=5, contexts=CONTEXTS, now=now, rand=os.urandom
    )


def bound_by(*methods: str) -> dict[str, Any]:
    return {"described": {**DESCRIBED, "cryptographic_binding_methods_supported": list(methods)}}


def p256_only(method: str) -> dict[str, Any]:
    proofs = {"proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}}}
    return {"described": {**bound_by(method)["described"], **proofs}}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dpop": None},
        {"dpop": ["EdDSA"]},
        {"batch": 2},
        {"nonceless": True},
        bound_by("jwk"),
        bound_by("did:key"),
        {"txCode": "4711"},
        {"encrypts": True},
        p256_only("did:key"),
        {**p256_only("did:jwk"), "encrypts": True},
        p256_only("jwk"),
    ],
    ids=str,
)
async def test_copies_and_new_ones(shelf: Shelf, changes: dict[str, Any]) -> None:
    batch = changes.get("batch", 3)
    async with elsewhere(**changes, seconds=20) as issuer:
        got = await take(shelf, issuer.link, tx_code=changes.get("txCode"))
        assert (got.added, got.deferred) == (batch, ())
        by_jwk = "described" in changes and changes["described"]["cryptographic_binding_methods_supported"] == ["jwk"]
        assert all(isinstance(one, dict) is by_jwk for one in issuer.bound)
        before = grants(shelf.vault)[0].refresh
        tasks = due(shelf, at=now(), rebind=True)
        (done,) = await refresh(shelf, tasks, ask=fetch, contexts=CONTEXTS, now=now, rand=os.urandom)
        assert (done.error, done.added, done.retired) == (None, batch, batch)
        assert grants(shelf.vault)[0].refresh != before
        with pytest.raises(Rejected, match="the token endpoint"):
            await take(shelf, issuer.link.replace("pre-authorized_code%22%3A%22", "pre-authorized_code%22%3A%22x"))
    assert len(shelf.copies()) == batch
    es256 = "ES256" in str(changes) and "EdDSA" not in str(changes)
    assert {key.public.kind for key in shelf.signing_keys()} == {P256 if es256 else ED25519}


@pytest.mark.parametrize("encrypts", [False, True])
async def test_what_it_has_to_decide_on_first(shelf: Shelf, *, encrypts: bool) -> None:
    async with elsewhere(waits=True, encrypts=encrypts) as issuer:
        assert (await take(shelf, issuer.link)).deferred == (NAME,)
        later = now() + timedelta(seconds=6)
        tasks = due(shelf, at=later)
        (done,) = await refresh(shelf, tasks, ask=fetch, contexts=CONTEXTS, now=lambda: later, rand=os.urandom)
        assert (done.error, done.added) == (None, 3)


@pytest.mark.parametrize(
    ("described", "words"),
    [
        ({"proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES384"]}}}, "keys for ES384 only"),
        ({"cryptographic_binding_methods_supported": ["did:ebsi"]}, "binds credentials to did:ebsi only"),
        (
            {"proof_types_supported": {"attestation": {"proof_signing_alg_values_supported": ["ES256"]}}},
            "only in a form that this wallet does not make",
        ),
    ],
)
async def test_what_this_wallet_cannot_do_is_said_before_the_offer_is_used(
    shelf: Shelf, described: dict[str, Any], words: str
) -> None:
    async with elsewhere(described={**DESCRIBED, **described}) as issuer:
        with pytest.raises(Unsupported, match=words):
            await take(shelf, issuer.link)
    assert (shelf.signing_keys(), grants(shelf.vault)) == ((), ())
