"""A dispute marks every copy at once and until its outcome, and its outcome does what it says."""

import asyncio
import gzip
import json
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from issuer import statuslists
from issuer.config import Config
from issuer.copies import Job, Signed, sign_copy
from issuer.database import Database
from issuer.deps import DEPS, Deps
from issuer.disputes import (
    MAX_UNDER_WAY,
    accept_dispute,
    close_dispute,
    find_disputed,
    list_disputes,
    open_dispute,
    verify_dispute,
)
from issuer.formats import Format
from issuer.keyring import KeyRing
from issuer.status_routes import ROUTES
from issuer.statuses import allocate
from issuer.store import Store
from issuer.tables import CREDENTIAL, DISPUTE, EVENT
from issuer.withdrawals import worker_datasets
from tests.databases import sample_statements
from tests.line import AT, SAMPLES, holder_key, issuer_keys, rand_from
from tests.test_issuer_status import BASE, NOW, marks, signed
from vc.canon import Json, parse_object, to_json
from vc.cose import parse_sign1
from vc.errors import Malformed, Rejected, VcError
from vc.io.web import new_web_app
from vc.keys import Ed25519Key
from vc.model import format_date_time, parse_credential
from vc.secure import sign
from vc.token_status import parse_aggregation, parse_status_jwt, verify_status_cwt, verify_status_jwt
from wallet.answers import Answer, filed_under, sign_answers
from work import CONTEXTS
from work.statement import Statement

WORDS: dict[str, str | tuple[str, ...]] = {
    "ground": "miscount",
    "text": "Two jobs are missing.",
    "lang": "en",
    "opened": "2026-11-24",
    "evidenceDigests": ("none",),
}


def disputed(database: Database, kind: str = "Earnings", *, worker: str = "worker-1", at: int = NOW) -> str:
    with database.write() as connection:
        (one,) = find_disputed(connection, worker, kind, None)
        return open_dispute(connection, one, reason="miscount", now=at, rand=rand_from(f"{worker}{kind}{at}"))


def close(database: Database, dispute: str, outcome: str) -> int:
    with database.write() as connection:
        return close_dispute(connection, dispute, outcome, now=NOW + 60)


def corrected(database: Database) -> None:
    claims = {**SAMPLES["PlatformMembership"], "identityVerified": "false"}
    Store(database).add_statements([Statement("PlatformMembership", "worker-1", claims)], source="test")


@pytest.mark.parametrize(("outcome", "left"), [("upheld", set()), ("withdrawn", set()), ("removed", {"revoked"})])
def test_a_dispute_marks_every_copy_until_its_outcome(database: Database, outcome: str, left: set[str]) -> None:
    sample_statements(database)
    sample_statements(database, "worker-2")
    told, untold = signed(database), signed(database, told=False, holders=("did:key:h5",))
    others = [*signed(database, "worker-2"), *signed(database, kind="Rating")]
    dispute = disputed(database)
    late = signed(database, holders=("did:key:late",))
    copies = [*told, *untold, *late]
    assert [marks(database, one) for one in copies] == [{"contested"}] * 4
    assert [marks(database, one) for one in others] == [set()] * 4
    assert disputed(database, at=NOW + 5) == dispute
    assert close(database, dispute, outcome) == (4 if left else 0)
    assert [marks(database, one) for one in copies] == [left] * 4
    assert [marks(database, one) for one in others] == [set()] * 4
    with database.read() as connection:
        kinds = [row.kind for row in connection.execute(sa.select(EVENT).order_by(EVENT.c.id))]
        (row,) = list_disputes(connection, all_=True)
        assert list_disputes(connection) == []
        assert len(worker_datasets(connection, "worker-1")) == (3 if left else 4)
    assert kinds == ["dispute.opened", "dispute.closed"]
    assert (row.outcome, row.closed) == (outcome, NOW + 60)


def test_a_correction_withdraws_what_was_wrong_and_leaves_what_took_its_place(database: Database) -> None:
    sample_statements(database)
    wrong = signed(database, kind="PlatformMembership")
    dispute = disputed(database, "PlatformMembership")
    with pytest.raises(Malformed, match="attest the corrected records first"):
        close(database, dispute, "corrected")
    assert [marks(database, one) for one in wrong] == [{"contested"}] * 2
    corrected(database)
    right = signed(database, kind="PlatformMembership", holders=("did:key:right",))
    assert close(database, dispute, "corrected") == 2
    assert [marks(database, one) for one in (*wrong, *right)] == [{"revoked"}, {"revoked"}, set()]


def test_an_outcome_is_recorded_once(database: Database) -> None:
    sample_statements(database)
    dispute = disputed(database)
    close(database, dispute, "upheld")
    for again, outcome in ((dispute, "upheld"), ("no such dispute", "upheld"), (dispute, "deleted")):
        with pytest.raises(Malformed):
            close(database, again, outcome)
    assert disputed(database, at=NOW + 99) != dispute


def test_two_who_open_the_same_dispute_open_one(database: Database) -> None:
    sample_statements(database)
    barrier, opened = Barrier(4), []

    def run(number: int) -> None:
        barrier.wait()
        opened.append(disputed(database, at=NOW + number))

    at_once = [Thread(target=run, args=(number,)) for number in range(4)]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()
    assert len(opened) == 4
    assert len(set(opened)) == 1


def test_disputes_under_way_are_bounded(database: Database) -> None:
    sample_statements(database)
    with database.write() as connection:
        rows = [
            {"id": f"d{number}", "worker": "worker-1", "type": "Review", "dataset": f"set {number}", "opened": NOW,
             "reason": "other"}
            for number in range(MAX_UNDER_WAY)
        ]  # fmt: skip
        connection.execute(DISPUTE.insert(), rows)
    with pytest.raises(Rejected, match="wait for an outcome"):
        disputed(database)


# ---- signed by the worker --------------------------------------------------------------------------------------------


def copy_of(database: Database, form: Format, *, holder: Ed25519Key | None = None, kind: str = "Earnings") -> Signed:
    """A copy that the issuer signed and has on record."""
    statement = Statement(kind, "worker-1", SAMPLES[kind])
    with database.write() as connection:
        ((dataset, digest),) = worker_datasets(connection, "worker-1", kind).items()
        slot = None
        if form is not Format.BBS:
            (slot,) = allocate(connection, 1, base=BASE, rand=rand_from(form), now=NOW, datasets=[dataset])
        job = Job(statement, digest, (holder or holder_key()).did, form, slot)
        made = sign_copy(job, keys=issuer_keys(), at=AT, rand=rand_from("copy"))
        connection.execute(
            CREDENTIAL.insert().values(
                digest=digest, holder=job.holder, format=form, worker="worker-1", type=kind, signed_at=NOW,
                valid_until=format_date_time(made.valid_until), key=made.key, body=made.body,
                list=slot.list if slot else None, place=slot.place if slot else None,
            )
        )  # fmt: skip
    return made


def dispute_of(made: Signed, *, key: Ed25519Key | None = None, at: datetime = AT, **words: Any) -> dict[str, Json]:
    credential = parse_credential(parse_object(made.body.encode()))
    answer = Answer.make("Dispute", filed_under(credential, own=False), {**WORDS, **words})
    (document,) = sign_answers([answer], credential, key=key or holder_key(), contexts=CONTEXTS, at=at)
    assert isinstance(document, dict)
    return document


def accept(database: Database, document: Json | bytes, *, at: datetime = AT) -> str:
    signed = verify_dispute(document if isinstance(document, bytes) else to_json(document), at=at)
    with database.write() as connection:
        return accept_dispute(connection, signed, at=at, rand=rand_from(f"accept {at}"))


@pytest.mark.parametrize("form", [Format.BBS, Format.ECDSA_SD])
def test_a_worker_disputes_by_the_key_of_a_copy(database: Database, form: Format) -> None:
    sample_statements(database)
    made = copy_of(database, form)
    others = signed(database)
    document = dispute_of(made)
    dispute = accept(database, document)
    assert [marks(database, one) for one in others] == [{"contested"}] * 2
    assert accept(database, document, at=AT + timedelta(hours=1)) == dispute
    with database.read() as connection:
        (row,) = list_disputes(connection)
    assert (row.worker, row.type, row.reason) == ("worker-1", "Earnings", "miscount: Two jobs are missing.")
    assert row.about == document["credentialSubject"]["about"]  # type: ignore[index, call-overload]
    close(database, dispute, "upheld")
    with pytest.raises(Rejected, match="handed in before"):
        accept(database, document, at=AT + timedelta(hours=2))
    assert accept(database, dispute_of(made, opened="2026-12-01"), at=AT + timedelta(days=8)) != dispute


def test_what_is_not_of_a_copy_of_ours_is_refused_in_the_same_words(database: Database) -> None:
    sample_statements(database)
    made = copy_of(database, Format.BBS)
    stranger = holder_key("stranger")
    of_nothing = dispute_of(copy_of(database, Format.BBS, kind="Rating", holder=stranger))
    said = set()
    for document in (dispute_of(made, key=stranger), sign_again(of_nothing, holder_key())):
        with pytest.raises(Rejected) as refused:
            accept(database, document)
        said.add((refused.value.code, str(refused.value)))
    assert [code for code, _ in said] == ["DISPUTE_UNBOUND"]


def sign_again(document: dict[str, Json], key: Ed25519Key) -> dict[str, Json]:
    """The same words by another key."""
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    subject = unsigned["credentialSubject"]
    assert isinstance(subject, dict)
    said: dict[str, Json] = {**unsigned, "issuer": key.did, "credentialSubject": {**subject, "id": key.did}}
    return sign(said, key=key, created=AT, contexts=CONTEXTS)


def spoilt(document: dict[str, Json]) -> dict[str, dict[str, Json] | bytes]:
    subject, proof = document["credentialSubject"], document["proof"]
    assert isinstance(subject, dict)
    assert isinstance(proof, dict)
    return {
        "another text": {**document, "credentialSubject": {**subject, "text": "Pay me twice."}},
        "no proof": {name: value for name, value in document.items() if name != "proof"},
        "another proof": {**document, "proof": {**proof, "proofValue": "z" + "1" * 80}},
        "another issuer": {**document, "issuer": holder_key("stranger").did},
        "another type": {**document, "type": ["VerifiableCredential", "ReplyCredential"]},
        "a claim more": {**document, "credentialSubject": {**subject, "worker": "worker-2"}},
        "not JSON": b"{",
        "too large": b'{"a":"' + b"x" * 40_000 + b'"}',
        "a list": b"[]",
    }


@pytest.mark.parametrize("how", spoilt({"credentialSubject": {}, "proof": {}}))
def test_what_is_spoilt_is_refused_and_changes_nothing(database: Database, how: str) -> None:
    sample_statements(database)
    document = spoilt(dispute_of(copy_of(database, Format.BBS)))[how]
    with pytest.raises(VcError):
        accept(database, document)
    with database.read() as connection:
        assert list_disputes(connection) == []


def test_an_old_dispute_is_refused(database: Database) -> None:
    sample_statements(database)
    document = dispute_of(copy_of(database, Format.BBS))
    for at in (AT + timedelta(days=60), AT - timedelta(days=5)):
        with pytest.raises(Rejected, match="not of now"):
            accept(database, document, at=at)


# ---- over HTTP -------------------------------------------------------------------------------------------------------

Walk = Callable[[TestClient[web.Request, web.Application]], Coroutine[Any, Any, None]]


def served(database: Database, walk: Walk) -> None:
    """Take a walk with a client of the service's routes."""

    async def run() -> None:
        app = new_web_app()
        ring = KeyRing.of(issuer_keys(), secret=b"0" * 32, at=AT)
        app[DEPS] = Deps(Config(base=BASE), database, lambda: ring, lambda: AT, rand_from("served"))
        for route in ROUTES:
            if route.method == "GET":
                app.router.add_get(route.path, route.handler)
            else:
                app.router.add_route(route.method, route.path, route.handler)
        async with TestClient(TestServer(app)) as client:
            await walk(client)

    asyncio.run(run())


def test_lists_are_served_as_they_were_signed(database: Database) -> None:
    sample_statements(database)
    (slot,) = signed(database, holders=("did:key:h1",))
    key, uri = issuer_keys().jwt.public, f"{BASE}/status/{slot.list}/token"

    async def walk(client: TestClient[web.Request, web.Application]) -> None:
        async with client.get("/status") as answer:
            assert parse_aggregation(await answer.read()) == (uri,)
        path = f"/status/{slot.list}/token"
        plain = {"Accept-Encoding": "identity"}
        async with client.get(path, headers=plain) as answer:  # nobody has signed it yet
            assert answer.content_type == "application/statuslist+jwt"
            assert answer.headers["Cache-Control"] == "public, max-age=900"
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            body, tag = await answer.read(), answer.headers["ETag"]
        assert verify_status_jwt(parse_status_jwt(body.decode()), key=key, uri=uri, at=AT).uri == uri
        async with client.get(path, headers={**plain, "If-None-Match": f'"x", W/{tag}'}) as answer:
            assert (answer.status, await answer.read(), answer.headers["ETag"]) == (304, b"", tag)
        async with client.head(path, headers=plain) as answer:
            assert (answer.status, answer.headers["ETag"], await answer.read()) == (200, tag, b"")
        async with client.get(path, headers={"Accept-Encoding": "gzip"}, auto_decompress=False) as answer:
            packed = await answer.read()
            assert (answer.headers["Content-Encoding"], gzip.decompress(packed)) == ("gzip", body)
            assert len(packed) < len(body) * 0.8
            assert answer.headers["ETag"] != tag
        wanted = {"Accept": "application/statuslist+cwt, application/statuslist+jwt;q=0.5", "Accept-Encoding": "gzip"}
        async with client.get(path, headers=wanted) as answer:
            assert answer.content_type == "application/statuslist+cwt"
            assert "Content-Encoding" not in answer.headers
            verify_status_cwt(parse_sign1(await answer.read()), key=key, uri=uri, at=AT)
        for purpose in ("revocation", "suspension", "message"):
            async with client.get(f"/status/{slot.list}/{purpose}") as answer:
                assert answer.content_type == "application/vc"
                assert json.loads(await answer.read())["id"] == f"{BASE}/status/{slot.list}/{purpose}"
        for wrong, headers, status in (
            ("/status/unknown/token", {}, 404),
            (f"/status/{'x' * 500}/token", {}, 404),
            (f"/status/{slot.list}/refresh", {}, 404),
            ("/status/unknown/revocation", {}, 404),
            (path, {"Accept": "text/html"}, 406),
            (path, {"Accept": "application/statuslist+jwt;q=0"}, 406),
            (f"{path}?time=1686925000", {}, 501),
        ):
            async with client.get(wrong, headers=headers) as answer:
                assert (answer.status, answer.content_type) == (status, "application/problem+json"), wrong

    served(database, walk)


def test_a_newer_version_of_another_replica_is_served(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("issuer.status_routes.KEPT", -1.0)
    sample_statements(database)
    (slot,) = signed(database, holders=("did:key:h1",))

    async def walk(client: TestClient[web.Request, web.Application]) -> None:
        seen = set()
        for after in (0, 0, 60):
            if after:
                at = AT + timedelta(seconds=after)
                statuslists.publish(database, slot.list, last=NOW, keys=issuer_keys(), base=BASE, at=at)
            async with client.get(f"/status/{slot.list}/message") as answer:
                seen.add(await answer.read())
        assert len(seen) == 2

    served(database, walk)


def test_disputes_are_taken_over_http(database: Database) -> None:
    sample_statements(database)
    document = dispute_of(copy_of(database, Format.BBS))

    async def walk(client: TestClient[web.Request, web.Application]) -> None:
        vc = {"Content-Type": "application/vc"}
        async with client.post("/disputes", data=to_json(document), headers=vc) as answer:
            assert answer.status == 202
            told = await answer.json()
        with database.read() as connection:
            assert told == {"dispute": list_disputes(connection)[0].id}
        for body, headers, status, code in (
            (to_json(sign_again(document, holder_key("stranger"))), vc, 422, "DISPUTE_UNBOUND"),
            (b"{}", vc, 400, None),
            (b"", vc, 400, None),
            (b"x" * 50_000, vc, 413, None),
            (to_json(document), {"Content-Type": "text/plain"}, 415, None),
        ):
            async with client.post("/disputes", data=body, headers=headers) as answer:
                details = await answer.json()
                assert (answer.status, answer.content_type) == (status, "application/problem+json")
                assert code in (None, details["code"])
                assert "worker-1" not in str(details)

    served(database, walk)


def test_strangers_do_not_hold_the_database(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by what only looks like a dispute nor by asking for a list that is not there."""
    sample_statements(database)
    document = spoilt(dispute_of(copy_of(database, Format.BBS)))["another text"]
    assert isinstance(document, dict)

    def no_write(_: Database) -> None:
        raise AssertionError("a stranger held the database")

    async def walk(client: TestClient[web.Request, web.Application]) -> None:
        monkeypatch.setattr(Database, "write", no_write)
        async with client.post(
            "/disputes", data=to_json(document), headers={"Content-Type": "application/vc"}
        ) as answer:
            assert answer.status == 422
        async with client.get("/status/nothing/token") as answer:
            assert answer.status == 404
        monkeypatch.undo()

    served(database, walk)
