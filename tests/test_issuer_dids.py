"""The issuer's did:web and did:webvh: what is served, what verifiers hold, and whose word their keys are."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from did_webvh.core.file_utils import read_str
from did_webvh.core.resolver import DidResolver, HistoryResolver
from did_webvh.verify import WebvhVerifier

from issuer import dids
from issuer.config import Config
from issuer.database import Database
from issuer.deps import DEPS, Deps
from issuer.identities import new_identity
from issuer.keyring import KeyRing
from issuer.keys import Role, new_key
from tests.cli import ouvrage
from tests.line import AT, issuer_keys, rand_from
from vc.canon import to_json
from vc.did_webvh import read_log
from vc.documents import Documents, Given, resolve
from vc.errors import Malformed, Rejected
from vc.proof import ASSERTION
from vc.sdjwt_issuer import named_issuer
from verifier.trustfile import add_issuer, empty
from work import CONTEXTS

DAY: Final = timedelta(days=1)
TYPES: Final = ["EarningsCredential"]


def ring(kind: str = "web", domain: str = "issuer.example", at: datetime = AT) -> KeyRing:
    made = KeyRing.of(issuer_keys(), secret=bytes(32), at=at)
    return made.identified(kind, domain, at=at, rand=rand_from("did"))


def rotated(held: KeyRing, role: Role, *, at: datetime, days: int = 0) -> KeyRing:
    rand = rand_from(f"{role}{at}")
    return held.rotated(role, new_key(role, None, rand), at=at, days=days, rand=rand)


def documents(held: KeyRing, at: datetime) -> Documents:
    found: dict[str, Given] = {}
    for one in held.documents(at):
        assert isinstance(one, dict)
        found[str(one["id"])] = Given(str(one.get("document", one.get("log"))).encode())
    return Documents.of(found)


# ---- documents -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["web", "webvh"])
@pytest.mark.parametrize("role", list(Role))
def test_each_key_that_signs_is_found_under_its_name(kind: str, role: Role) -> None:
    held = ring(kind)
    key = held.named(held.signer(role, AT), AT)
    day = AT.replace(hour=0, minute=0)
    method = resolve(key.verification_method, documents=documents(held, AT), purpose=ASSERTION, at=AT, signed=day)
    assert method.public == key.public
    assert key.verification_method.endswith(f"#{role}-1")


@pytest.mark.parametrize("kind", ["web", "webvh"])
def test_a_rotated_key_stays_as_long_as_it_verifies_and_a_killed_one_leaves(kind: str) -> None:
    held = rotated(ring(kind), Role.SD, at=AT + 2 * DAY, days=5)
    did = held.identities[0].did
    listed = {each.fragment for each in held.methods(held.identities[0], AT + 2 * DAY)}
    assert {"sd-1", "sd-2"} <= listed
    end = held.find("sd-1").verifies_until
    assert end is not None
    for at, known in ((end, True), (end + timedelta(seconds=1), False)):
        assert ("sd-1" in {each.fragment for each in held.methods(held.identities[0], at)}) is known
    later = AT + 3 * DAY
    killed = held.killed("sd-1", at=later, rand=rand_from("kill"))
    with pytest.raises(Rejected) as refused:
        resolve(f"{did}#sd-1", documents=documents(killed, later), purpose=ASSERTION, at=later, signed=later)
    assert refused.value.code == "INVALID_VERIFICATION_METHOD"


def test_a_log_that_changed_often_on_one_day_is_in_force_from_its_first_second() -> None:
    held = ring("webvh")
    for role in (Role.SD, Role.JWT, Role.CREDENTIALS, Role.PUBLIC, Role.SD):
        held = rotated(held, role, at=AT)
    held = held.killed("sd-3", at=AT, rand=rand_from("kill"))
    midnight = AT.replace(hour=0, minute=0)
    for role in Role:
        key = held.named(held.signer(role, AT), AT)
        found = resolve(
            key.verification_method, documents=documents(held, AT), purpose=ASSERTION, at=AT, signed=midnight
        )
        assert found.public == key.public


def logged() -> tuple[KeyRing, str]:
    held = ring("webvh", "issuer.example:8443/a/b")
    for number, role in enumerate((Role.SD, Role.JWT, Role.CREDENTIALS), start=1):
        held = rotated(held, role, at=AT + number * DAY, days=number)
    held = held.killed("sd-1", at=AT + 20 * DAY, rand=rand_from("kill"))
    return held, held.identities[0].log


def test_every_change_is_an_entry_and_ours_reads_the_log() -> None:
    held, log = logged()
    history = read_log(log.encode(), did=held.identities[0].did)
    assert len(history.versions) == 5
    for before, after in zip(history.versions, history.versions[1:], strict=False):
        assert after.parameters.next_key_hashes != before.parameters.next_key_hashes
        assert not set(after.parameters.update_keys) & set(before.parameters.update_keys)
    assert [len(version.state["verificationMethod"]) for version in history.versions] == [4, 5, 6, 7, 6]  # type: ignore[arg-type]


def test_the_reference_package_reads_the_log() -> None:
    held, log = logged()
    identity = held.identities[0]

    class Ours(HistoryResolver):  # type: ignore[misc]
        def resolve_entry_log(self, document_id: str | None) -> Any:
            assert document_id == identity.did
            return read_str(log)

        def resolve_witness_log(self, document_id: str | None) -> Any:
            raise AssertionError

    found = asyncio.run(DidResolver(WebvhVerifier()).resolve(identity.did, Ours()))
    assert found.document is not None, found.resolution_metadata
    assert found.document == identity.document(held.methods(identity, AT + 20 * DAY))


def test_a_log_with_an_entry_that_was_changed_or_left_out_is_refused() -> None:
    held, log = logged()
    did, lines = held.identities[0].did, log.splitlines(keepends=True)
    for spoilt in ("".join([lines[0], *lines[2:]]), log.replace('assertionMethod":[', 'authentication":[', 1)):
        with pytest.raises((Rejected, Malformed)):
            read_log(spoilt.encode(), did=did)


@pytest.mark.parametrize(
    ("domain", "did", "url"),
    [
        ("issuer.example", "did:web:issuer.example", "https://issuer.example/.well-known/did.json"),
        ("issuer.example:8443", "did:web:issuer.example%3A8443", "https://issuer.example:8443/.well-known/did.json"),
        ("issuer.example/a/b/", "did:web:issuer.example:a:b", "https://issuer.example/a/b/did.json"),
    ],
)
def test_where_a_did_web_is(domain: str, did: str, url: str) -> None:
    identity = new_identity("web", domain, [], at=AT, rand=rand_from("did"))
    assert (identity.did, identity.url) == (did, url)


@pytest.mark.parametrize("kind", ["web", "webvh"])
@pytest.mark.parametrize(
    "domain",
    ["", "https://issuer.example", "issuer", "127.0.0.1", "issuer.example:", "issuer.example//a", "issuer.example/../a",
     "issuer.example:99999", "issuer.example/a b", "exämple.fr", "issuer.example/a%2fb"],
)  # fmt: skip
def test_what_is_no_domain(kind: str, domain: str) -> None:
    with pytest.raises(Malformed) as refused:
        new_identity(kind, domain, [], at=AT, rand=rand_from("did"))
    assert refused.value.code == "BAD_METHOD"


def test_going_back_to_did_keys_names_no_key_twice() -> None:
    held = ring("web").by_did_key(AT + 9 * DAY)
    told = held.entry(TYPES, AT + 10 * DAY)
    assert isinstance(told["keys"], list)
    names = [key["id"] for key in told["keys"] if isinstance(key, dict)]
    assert len(names) == len(set(names)) == 8
    assert held.signing(AT + 10 * DAY).sd.did.startswith("did:key:")
    assert held.signing(AT).sd.did == "did:web:issuer.example"
    with pytest.raises(Malformed) as again:
        held.identified("web", "issuer.example", at=AT, rand=rand_from("did"))
    assert again.value.code == "DID_TAKEN"


# ---- what is served --------------------------------------------------------------------------------------------------


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    first = ring("web", "issuer.example")
    both = first.identified("webvh", "issuer.example/a", at=AT + DAY, rand=rand_from("second"))
    app = web.Application()
    with Database.open(tmp_path / "issuer.db") as database:
        config = Config(base="https://issuer.example/vci")
        app[DEPS] = Deps(config, database, lambda: both, lambda: AT + 2 * DAY, rand_from("served"))
        for route in dids.ROUTES:
            app.router.add_route(route.method, route.path, route.handler)
        async with TestClient(TestServer(app)) as made:
            yield made


async def test_the_documents_are_served_where_their_dids_say(
    client: TestClient[web.Request, web.Application],
) -> None:
    found = await client.get("/.well-known/did.json")
    assert (found.status, found.content_type) == (200, "application/json")
    assert (await found.json())["id"] == "did:web:issuer.example"
    assert "max-age=300" in found.headers["Cache-Control"]
    log = await client.get("/a/did.jsonl")
    assert (log.status, log.content_type) == (200, "text/jsonl")
    text = await log.text()
    did = json.loads(text.splitlines()[0])["state"]["id"]
    assert len(read_log(text.encode(), did=did).versions) == 1
    for path in ("/.well-known/did.jsonl", "/a/did.json", "/b/did.jsonl", "/a/b/did.json"):
        assert (await client.get(path)).status == 404


async def test_the_metadata_of_an_sd_jwt_issuer_is_read(client: TestClient[web.Request, web.Application]) -> None:
    answer = await client.get("/.well-known/jwt-vc-issuer/vci")
    base = "https://issuer.example/vci"
    known = named_issuer(await answer.read(), iss=base, may_attest=frozenset())
    assert set(known.keys.values()) == {issuer_keys().jwt.public}
    assert "did:web:issuer.example#jwt-1" in known.keys
    for path in ("/.well-known/jwt-vc-issuer", "/.well-known/jwt-vc-issuer/other"):
        assert (await client.get(path)).status == 404


# ---- the verifier's file ---------------------------------------------------------------------------------------------


def addition(held: KeyRing, at: datetime = AT, **changes: Any) -> bytes:
    entry = {**held.entry(TYPES, at), "name": "Platform", "legalIdentifier": "1"}
    return to_json({"issuer": entry, "public": [], "documents": held.documents(at), **changes})


def test_a_trust_file_takes_the_documents_with_the_entry_and_the_new_for_the_old() -> None:
    held = ring("webvh")
    once = add_issuer(empty(AT), addition(held), contexts=CONTEXTS, at=AT)
    later = rotated(held, Role.SD, at=AT + DAY)
    twice = json.loads(add_issuer(once, addition(later, AT + DAY), contexts=CONTEXTS, at=AT))
    assert [one["log"].count("\n") for one in twice["documents"]] == [2]


def test_nobody_brings_the_document_of_another() -> None:
    held = add_issuer(empty(AT), addition(ring("web")), contexts=CONTEXTS, at=AT)
    other = {"id": "did:web:other.example", "document": "{}"}
    for raw in (
        addition(ring("web"), documents=[other]),
        addition(ring("web"), documents=[{"document": "{}"}]),
        addition(ring("web"), documents="all"),
    ):
        with pytest.raises(Malformed) as refused:
            add_issuer(held, raw, contexts=CONTEXTS, at=AT)
        assert refused.value.code == "BAD_TRUST"
    thief = json.loads(addition(ring("web")))
    thief["issuer"]["legalIdentifier"] = "2"
    thief["issuer"]["keys"] = [{**thief["issuer"]["keys"][0], "id": "did:web:issuer.example#mine"}]
    with pytest.raises(Malformed, match="not this issuer's"):
        add_issuer(held, json.dumps(thief).encode(), contexts=CONTEXTS, at=AT)


def test_the_commands(tmp_path: Path) -> None:
    ouvrage(tmp_path, "issuer", "keys", "--name", "P", "--legal-identifier", "1")
    made = ouvrage(tmp_path, "issuer", "keys", "did", "webvh", "--domain", "issuer.example/a", "--json").json
    assert made["url"] == "https://issuer.example/a/did.jsonl"
    ouvrage(tmp_path, "issuer", "keys", "rotate", "sd")
    entry = ouvrage(tmp_path, "issuer", "keys", "--json").json
    assert [one["id"] for one in entry["documents"]] == [made["did"]]
    assert len(read_log(entry["documents"][0]["log"].encode(), did=made["did"]).versions) == 2
    (tmp_path / "entry.json").write_text(json.dumps(entry))
    ouvrage(tmp_path, "verifier", "trust", "add", "entry.json")
    assert ouvrage(tmp_path, "issuer", "keys", "did", "key", "--json").json == {"did": None, "url": None}
    for words in (("did", "web"), ("did", "key", "--domain", "issuer.example"), ("did", "web", "--domain", "x")):
        assert ouvrage(tmp_path, "issuer", "keys", *words, ok=False).code == 2
