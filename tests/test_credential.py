"""The credential endpoint (OpenID4VCI §7, §8): what wallets get, once, and what everybody else gets."""

import asyncio
import json
import os
from typing import Any

import pytest
import sqlalchemy as sa

from issuer import issuance, sealing
from issuer.database import Database
from issuer.formats import CONFIGURATIONS, dataset_id
from issuer.tables import CREDENTIAL, EVENT, STATUS_ENTRY, TICKET
from tests.issuing import AT, BBS, JWT, SD, WORKER, attest, new_keys, new_ring, running
from tests.work_samples import CLAIMS
from vc.canon import parse_object
from vc.did import did_key
from vc.jwe import DecryptionKey, decrypt_jwt, encrypt_jwt
from vc.jwk import public_jwk
from vc.keyproof import make_di_vp_proof
from vc.keys import Ed25519Key, P384Key
from vc.multibase import decode_base64url
from vc.secure import hold
from work import CONTEXTS


def rows(database: Database, table: sa.Table, *where: Any) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(sa.select(table).where(*where)).all())


async def test_a_nonce_is_fresh_and_kept_by_nobody(database: Database) -> None:
    async with running(database) as service:
        first, second = [await service.ask("POST", "/nonce") for _ in range(2)]
    assert first.status == 200
    assert set(first.json) == {"c_nonce"}
    assert first.json != second.json
    assert first.headers["Cache-Control"] == "no-store"
    assert first.headers["DPoP-Nonce"] not in first.json["c_nonce"]


@pytest.mark.parametrize("name", [BBS, SD, JWT])
async def test_a_batch_in_every_format(database: Database, name: str) -> None:
    statement = attest(database)
    keys = new_keys(3)
    async with running(database) as service:
        token = service.grant(name)
        answer = await service.post("/credential", await service.request(name, keys), token)
        assert answer.status == 200, answer.raw
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
    issued = [one["credential"] for one in answer.json["credentials"]]
    assert len(issued) == len({json.dumps(one) for one in issued}) == 3
    dids = [did_key(key.public) for key in keys]
    for credential, did, key in zip(issued, dids, keys, strict=True):
        if name == JWT:
            payload: Any = parse_object(decode_base64url(credential.split(".")[1]))
            assert payload["cnf"] == {"jwk": public_jwk(key.public)}
            place = payload["status"]["status_list"]
            assert place["uri"].startswith(f"{service.base}/status/")
        else:
            held = hold(credential, contexts=CONTEXTS)
            assert held is not None
            assert credential["credentialSubject"]["id"] == did
            assert ("credentialStatus" in credential) == (name == SD)
    kept = rows(database, CREDENTIAL)
    assert {(row.digest, row.holder) for row in kept} == {(statement.digest(), did) for did in dids}
    places = {(row.list, row.place) for row in kept}
    assert len(places) == (1 if name == BBS else 3)
    if name != BBS:
        taken = {(row.list, row.place) for row in rows(database, STATUS_ENTRY, STATUS_ENTRY.c.decoy.is_(sa.false()))}
        assert places == taken
    assert [row.kind for row in rows(database, EVENT)] == ["credential.issued"]


async def test_every_configuration_can_be_had(database: Database) -> None:
    from issuer.store import Store  # noqa: PLC0415
    from work.statement import Statement  # noqa: PLC0415

    kinds = sorted({one.kind.name for one in CONFIGURATIONS.values()})
    Store(database).add_statements([Statement(kind, WORKER, CLAIMS[kind]) for kind in kinds], source="test")
    async with running(database, allow_few=tuple(kinds)) as service:
        token = service.grant(*CONFIGURATIONS)
        got = {
            name: (await service.post("/credential", await service.request(name, new_keys()), token)).status
            for name in CONFIGURATIONS
        }
    assert set(got.values()) == {200}, got
    assert len(got) == 3 * len(kinds)


async def test_all_kinds_of_keys_and_proofs(database: Database) -> None:
    attest(database)
    ed, p384 = Ed25519Key.from_seed(os.urandom(32)), P384Key.generate(os.urandom)
    (bare,) = new_keys()
    async with running(database) as service:
        token, nonce = service.grant(BBS, JWT), await service.nonce()
        proofs = [service.proof(ed, nonce), service.proof(bare, nonce, jwk=public_jwk(bare.public))]
        body = {"credential_configuration_id": BBS, "proofs": {"jwt": [*proofs, service.proof(p384, nonce)]}}
        answer = await service.post("/credential", body, token)
        assert answer.status == 200, answer.raw
        subjects = [one["credential"]["credentialSubject"]["id"] for one in answer.json["credentials"]]
        assert subjects == [did_key(key.public) for key in (ed, bare, p384)]
        nonce = await service.nonce()
        other = Ed25519Key.from_seed(os.urandom(32))
        proof = make_di_vp_proof(other, audience=service.base, nonce=nonce, at=AT)
        body = {"credential_configuration_id": BBS, "proofs": {"di_vp": [proof]}}
        answer = await service.post("/credential", body, token)
        assert answer.status == 200, answer.raw
        assert answer.json["credentials"][0]["credential"]["credentialSubject"]["id"] == other.did
        # It makes no sense for an SD-JWT VC, and the metadata does not list it there.
        body = {**body, "credential_configuration_id": JWT}
        assert (await service.post("/credential", body, token)).error == (400, "invalid_proof")


# ---- exactly once ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [BBS, JWT])
async def test_the_same_key_gets_the_same_bytes(database: Database, name: str) -> None:
    attest(database)
    keys = new_keys(2)
    async with running(database) as service:
        token = service.grant(name)
        first = await service.post("/credential", await service.request(name, keys), token)
        again = await service.post("/credential", await service.request(name, [keys[1], *new_keys()]), token)
    assert again.json["credentials"][0] == first.json["credentials"][1]
    assert len(rows(database, CREDENTIAL)) == 3
    assert again.json["notification_id"] != first.json["notification_id"]


async def test_a_nonce_is_good_once(database: Database) -> None:
    attest(database)
    async with running(database) as service:
        token = service.grant(BBS, JWT)
        for name in (BBS, JWT):
            body = await service.request(name, new_keys())
            assert (await service.post("/credential", body, token)).status == 200
            assert (await service.post("/credential", body, token)).error == (400, "invalid_nonce")
        late = await service.request(BBS, new_keys())
        service.clock.forward(seconds=service.deps.config.nonce_lifetime + 1)
        assert (await service.post("/credential", late, token)).error == (400, "invalid_nonce")


@pytest.mark.parametrize("name", [BBS, JWT])
async def test_two_replicas_at_once_issue_one_copy(database: Database, name: str) -> None:
    attest(database)
    ring, keys = new_ring(), new_keys(2)
    async with running(database, ring=ring) as one, running(database, ring=ring) as other:
        token = one.grant(name)
        bodies = [await one.request(name, keys), await one.request(name, keys[::-1])]
        for body in bodies:  # both are reached under one address in the end
            body["proofs"] = {"jwt": [one.proof(key, await one.nonce()) for key in keys]}
        shared = other.deps.config
        object.__setattr__(other.deps, "config", one.deps.config)
        answers = await asyncio.gather(
            *(
                asked.session.post(
                    f"{asked.base if asked is one else shared.base}/credential",
                    json=body,
                    headers={"Authorization": f"Bearer {token}"},
                )
                for asked, body in ((one, bodies[0]), (other, bodies[1]))
            )
        )
        told = [await answer.json() for answer in answers]
    assert [answer.status for answer in answers] == [200, 200], told
    assert told[0]["credentials"] == told[1]["credentials"]
    assert len(rows(database, CREDENTIAL)) == 2


async def test_a_nonce_raced_by_two_replicas_is_good_once(database: Database) -> None:
    attest(database)
    async with running(database) as service:
        token, nonce = service.grant(BBS), await service.nonce()
        bodies = [
            {"credential_configuration_id": BBS, "proofs": {"jwt": [service.proof(key, nonce)]}} for key in new_keys(4)
        ]
        answers = await asyncio.gather(*(service.post("/credential", body, token) for body in bodies))
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]
    assert {answer.error for answer in answers if answer.status == 400} == {(400, "invalid_nonce")}
    assert len(rows(database, CREDENTIAL)) == 1


async def test_what_was_accepted_is_erased_and_not_signed_again(database: Database) -> None:
    attest(database)
    keys = new_keys()
    async with running(database) as service:
        token = service.grant(JWT)
        issued = await service.post("/credential", await service.request(JWT, keys), token)
        told = {"notification_id": issued.json["notification_id"], "event": "credential_accepted"}
        for _ in range(2):
            noted = await service.post("/notification", told, token)
            assert (noted.status, noted.raw) == (204, b"")
        again = await service.post("/credential", await service.request(JWT, keys), token)
        assert again.error == (400, "credential_request_denied")
    assert [row.body for row in rows(database, CREDENTIAL)] == [None]
    kinds = [(row.kind, json.loads(row.body).get("event")) for row in rows(database, EVENT)]
    assert kinds == [("credential.issued", None), ("notification", "credential_accepted")]


async def test_nobody_gets_copies_without_end(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuance, "MAX_COPIES", 3)
    attest(database)
    first = new_keys(2)
    async with running(database) as service:
        token = service.grant(BBS, JWT)
        for name in (BBS, JWT):
            assert (await service.post("/credential", await service.request(name, first), token)).status == 200
            more = await service.post("/credential", await service.request(name, new_keys(2)), token)
            assert more.error == (400, "credential_request_denied")
            again = await service.post("/credential", await service.request(name, [*first, *new_keys()]), token)
            assert again.status == 200
    assert len(rows(database, CREDENTIAL)) == 6


async def test_a_newer_statement_supersedes(database: Database) -> None:
    old = attest(database)
    keys = new_keys()
    async with running(database) as service:
        token = service.grant(BBS)
        first = await service.post("/credential", await service.request(BBS, keys), token)
        newer = attest(database, sourceMethod="dsarImport")
        assert newer.digest() != old.digest()
        second = await service.post("/credential", await service.request(BBS, keys), token)
    assert first.json["credentials"] != second.json["credentials"]
    assert {row.digest for row in rows(database, CREDENTIAL)} == {old.digest(), newer.digest()}


async def test_a_short_lived_copy_lives_on_with_the_same_key(database: Database) -> None:
    attest(database)
    keys = new_keys()
    async with running(database) as service:
        token = service.grant(BBS, JWT)
        ends = {}
        for name in (BBS, JWT):
            first = await service.post("/credential", await service.request(name, keys), token)
            assert first.status == 200
            ends[name] = first.json["credentials"]
        (before,) = rows(database, CREDENTIAL, CREDENTIAL.c.format == "bbs-2023")
        service.clock.forward(days=25)
        again = await service.post("/credential", await service.request(BBS, keys), token)
        assert again.json["credentials"] != ends[BBS]
        (after,) = rows(database, CREDENTIAL, CREDENTIAL.c.format == "bbs-2023")
        assert after.valid_until > before.valid_until
        # This one can be withdrawn: the place in its list must not be lost while it is valid.
        again = await service.post("/credential", await service.request(JWT, keys), token)
        assert again.json["credentials"] == ends[JWT]


# ---- which dataset ---------------------------------------------------------------------------------------------------


async def test_datasets_by_their_identifiers(database: Database) -> None:
    euros, dollars = attest(database, currency="EUR"), attest(database, currency="USD")
    other = attest(database, worker="worker-2")
    async with running(database) as service:
        token = service.grant(BBS, identified=True)

        async def told(statement: Any, name: str = BBS) -> Any:
            dataset = dataset_id(source="test", worker=statement.worker, kind="Earnings", topic=statement.topic())
            body = await service.request(name, new_keys(), credential_identifier=f"{name}:{dataset}")
            del body["credential_configuration_id"]
            return await service.post("/credential", body, token)

        for statement, currency in ((euros, "EUR"), (dollars, "USD")):
            answer = await told(statement)
            assert answer.status == 200, answer.raw
            assert answer.json["credentials"][0]["credential"]["credentialSubject"]["currency"] == currency
        for answer in (await told(other), await told(euros, JWT), await told(euros, "Nothing")):
            assert answer.error == (400, "unknown_credential_identifier")
        body = await service.request(BBS, new_keys())
        assert (await service.post("/credential", body, token)).error == (400, "invalid_credential_request")


async def test_what_a_token_does_not_allow(database: Database) -> None:
    attest(database)
    async with running(database) as service:
        token = service.grant(BBS)
        assert (await service.post("/credential", await service.request(JWT, new_keys()), token)).error == (
            403,
            "insufficient_scope",
        )
        body = await service.request("Nothing", new_keys())
        assert (await service.post("/credential", body, token)).error == (400, "unknown_credential_configuration")
        body = {**body, "credential_configuration_id": BBS, "credential_identifier": BBS}
        assert (await service.post("/credential", body, token)).error == (400, "invalid_credential_request")
        nobody = service.grant(BBS, worker="nobody", session="session-2")
        body = await service.request(BBS, new_keys())
        assert (await service.post("/credential", body, nobody)).error == (400, "credential_request_denied")
        for path in ("/credential", "/deferred", "/notification"):
            for sent in (None, "", "x", "x" * 5000):
                answer = await service.post(path, body, sent)
                assert answer.error == (401, "invalid_token")
                assert answer.headers["WWW-Authenticate"]


# ---- what is wrong with a request ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "content_type", "error"),
    [
        (b"", "application/json", "invalid_credential_request"),
        (b"[]", "application/json", "invalid_credential_request"),
        (b'{"a": 1, "a": 2}', "application/json", "invalid_credential_request"),
        (b"[" * 500, "application/json", "invalid_credential_request"),
        (b"\xff", "application/json", "invalid_credential_request"),
        (b"{}", "text/plain", "invalid_credential_request"),
        (b"{}", "application/jwt", "invalid_encryption_parameters"),
        (b'{"credential_configuration_id": 1}', "application/json", "invalid_credential_request"),
        (b'{"credential_configuration_id": "Earnings_bbs-2023"}', "application/json", "invalid_proof"),
        (b'{"credential_configuration_id": "Earnings_bbs-2023", "proofs": {}}', "application/json", "invalid_proof"),
    ],
)
async def test_bodies(database: Database, raw: bytes, content_type: str, error: str) -> None:
    attest(database)
    async with running(database) as service:
        token = service.grant(BBS)
        headers = {"Content-Type": content_type}
        answer = await service.post("/credential", raw, token, **headers)
        assert answer.error == (400, error)


async def test_proofs_that_prove_nothing(database: Database) -> None:
    attest(database)
    async with running(database, batch_size=3) as service:
        token, (key, other) = service.grant(BBS), new_keys(2)

        async def told(proofs: list[Any]) -> tuple[int, str]:
            body = {"credential_configuration_id": BBS, "proofs": {"jwt": proofs}}
            return (await service.post("/credential", body, token)).error

        nonce = await service.nonce()
        good = service.proof(key, nonce)
        head, payload, _ = good.split(".")
        forged = service.proof(other, nonce).split(".")[2]
        assert await told([f"{head}.{payload}.{forged}"]) == (400, "invalid_proof")
        assert await told([good, 1]) == (400, "invalid_proof")
        assert await told([service.proof(key, "made up")]) == (400, "invalid_nonce")
        assert (await told([good] * 4))[1] in ("invalid_credential_request", "invalid_proof")
    assert rows(database, CREDENTIAL) == []


async def test_earlier_drafts_only_where_the_platform_says_so(database: Database) -> None:
    attest(database)
    for allowed, status in ((False, 400), (True, 200)):
        async with running(database, legacy_single_proof=allowed) as service:
            token = service.grant(BBS, session=f"session-{status}")
            proof = {"proof_type": "jwt", "jwt": service.proof(new_keys()[0], await service.nonce())}
            body = {"credential_configuration_id": BBS, "proof": proof}
            assert (await service.post("/credential", body, token)).status == status


# ---- encryption ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compressed", [None, "DEF"])
async def test_encrypted_on_top_of_tls(database: Database, compressed: str | None) -> None:
    attest(database)
    own = DecryptionKey.generate(os.urandom)
    async with running(database, require_encryption=True) as service:
        said = (await service.ask("GET", "/.well-known/openid-credential-issuer")).json
        assert said["credential_request_encryption"]["encryption_required"] is True
        (theirs,) = said["credential_request_encryption"]["jwks"]["keys"]
        encryption = {"jwk": own.jwk, "enc": "A256GCM", **({"zip": compressed} if compressed else {})}
        body = await service.request(BBS, new_keys(), credential_response_encryption=encryption)
        token = service.grant(BBS)
        assert (await service.post("/credential", body, token)).error == (400, "invalid_encryption_parameters")
        sent = encrypt_jwt(body, jwk=theirs, enc="A128GCM", zip_=compressed).encode()
        answer = await service.post("/credential", sent, token, **{"Content-Type": "application/jwt"})
        assert (answer.status, answer.headers["Content-Type"].partition(";")[0]) == (200, "application/jwt")
        opened = json.loads(decrypt_jwt(answer.raw.decode(), keys=[own]))
        assert opened["credentials"][0]["credential"]["proof"]
        # An answer in the clear is not asked for here, and an error is never encrypted.
        del body["credential_response_encryption"]
        sent = encrypt_jwt(body, jwk=theirs, enc="A128GCM").encode()
        answer = await service.post("/credential", sent, token, **{"Content-Type": "application/jwt"})
        assert answer.error == (400, "invalid_encryption_parameters")


async def test_a_key_for_the_response_that_came_in_the_clear_is_not_believed(database: Database) -> None:
    attest(database)
    async with running(database) as service:
        encryption = {"jwk": DecryptionKey.generate(os.urandom).jwk, "enc": "A256GCM"}
        body = await service.request(BBS, new_keys(), credential_response_encryption=encryption)
        answer = await service.post("/credential", body, service.grant(BBS))
        assert answer.error == (400, "invalid_encryption_parameters")


def test_replicas_read_what_was_encrypted_to_any_of_them() -> None:
    secret = os.urandom(32)
    first = sealing.request_key(secret)
    sealing.request_key.cache_clear()
    assert sealing.request_key(secret).jwk == first.jwk
    assert sealing.request_key(os.urandom(32)).jwk != first.jwk


# ---- notifications ---------------------------------------------------------------------------------------------------


async def test_notifications_of_nothing(database: Database) -> None:
    attest(database)
    async with running(database) as service:
        token = service.grant(BBS)
        issued = await service.post("/credential", await service.request(BBS, new_keys()), token)
        told = {"notification_id": issued.json["notification_id"], "event": "credential_failure"}
        stranger = service.grant(BBS, session="session-2")
        assert (await service.post("/notification", told, stranger)).error == (400, "invalid_notification_id")
        unknown = {**told, "notification_id": "x"}
        assert (await service.post("/notification", unknown, token)).error == (400, "invalid_notification_id")
        wrongs: tuple[Any, ...] = (
            {**told, "event": "x"},
            {"event": "credential_failure"},
            [],
            {**told, "event_description": "é"},
        )
        for wrong in wrongs:
            answer = await service.post("/notification", wrong, token)
            assert answer.error == (400, "invalid_notification_request")
        assert (await service.post("/notification", told, token)).status == 204
        # What failed may be fetched again, so it is still here.
        assert all(row.body for row in rows(database, CREDENTIAL))
        service.clock.forward(seconds=service.deps.config.claimed_kept)
        assert (await service.post("/notification", told, token)).error == (400, "invalid_notification_id")
    assert len(rows(database, TICKET, TICKET.c.kind == "notification_id")) == 1
