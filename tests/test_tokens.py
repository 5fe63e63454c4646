"""The token endpoint: every grant, every parameter wrong, and what is good once is good once."""

import asyncio
import json
from collections.abc import AsyncIterator
from os import urandom
from typing import Any

import pytest
import sqlalchemy as sa

from issuer import offers, tokens
from issuer.database import Database
from issuer.keyring import KeyRing
from issuer.keys import create
from issuer.offers import PRE_AUTHORIZED, TxCode
from issuer.scopes import identifiers
from issuer.tables import OFFER, SESSION, STATEMENT, TICKET
from tests.authorization_app import WORKER, Clock, World, code_form, running
from tests.databases import *  # noqa: F403
from tests.databases import sample_statements
from vc.keys import P256Key


@pytest.fixture(scope="module")
def ring() -> KeyRing:
    return KeyRing.of(create(urandom), secret=urandom(32), at=Clock().now)


@pytest.fixture
async def world(database: Database, ring: KeyRing) -> AsyncIterator[World]:
    async with running(database, ring, replicas=2) as made:
        yield made


def rows(world: World, table: sa.Table) -> list[Any]:
    with world.database.read() as connection:
        return list(connection.execute(table.select()))


async def test_a_pre_authorized_code_is_good_once(world: World) -> None:
    made, offer = world.offer()
    status, body = await world.token(**code_form(offer))
    assert status == 200
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 600
    assert set(body["scope"].split()) == set(made.configurations)
    assert await world.token(**code_form(offer)) == (
        400,
        {"error": "invalid_grant", "error_description": "pre-authorized_code: unknown, used or expired"},
    )
    # that somebody tries again does not take from the worker what they have
    assert (await who(world, body["access_token"]))["worker"] == WORKER
    (row,) = rows(world, OFFER)
    assert (row.state, row.body, row.tx_code) == ("claimed", None, None)


async def test_nothing_that_is_handed_in_is_kept(world: World) -> None:
    made, offer = world.offer(tx_code=TxCode.NUMERIC)
    body = (await world.token(**code_form(offer), tx_code=str(made.tx_code)))[1]
    kept = json.dumps([list(map(str, row)) for table in (OFFER, SESSION, TICKET) for row in rows(world, table)])
    assert body["access_token"] not in kept
    assert body["refresh_token"] not in kept
    assert code_form(offer)["pre-authorized_code"] not in kept


async def test_a_transaction_code(world: World) -> None:
    made, offer = world.offer(tx_code=TxCode.NUMERIC)
    asked = offer["grants"][PRE_AUTHORIZED]["tx_code"]
    assert (asked["input_mode"], asked["length"]) == ("numeric", 6)
    assert made.tx_code is not None
    assert len(made.tx_code) == 6
    assert made.tx_code.isdecimal()
    assert (await world.token(**code_form(offer)))[1]["error"] == "invalid_request"
    wrong = await world.token(**code_form(offer), tx_code=f"{(int(made.tx_code) + 1) % 10**6:06}")
    assert (wrong[0], wrong[1]["error"]) == (400, "invalid_grant")
    assert (await world.token(**code_form(offer), tx_code=made.tx_code))[0] == 200


async def test_a_transaction_code_of_letters(world: World) -> None:
    made, offer = world.offer(tx_code=TxCode.TEXT)
    assert offer["grants"][PRE_AUTHORIZED]["tx_code"]["input_mode"] == "text"
    assert made.tx_code is not None
    assert len(made.tx_code) == 10
    assert (await world.token(**code_form(offer), tx_code=made.tx_code))[0] == 200


async def test_a_transaction_code_that_is_not_asked_for(world: World) -> None:
    _, offer = world.offer()
    status, body = await world.token(**code_form(offer), tx_code="123456")
    assert (status, body["error"]) == (400, "invalid_request")
    assert (await world.token(**code_form(offer)))[0] == 200


async def test_a_transaction_code_is_not_guessed(world: World) -> None:
    made, offer = world.offer(tx_code=TxCode.NUMERIC)
    right = int(str(made.tx_code))
    for step in range(offers.TRIES):
        assert (await world.token(**code_form(offer), tx_code=f"{(right + 1 + step) % 10**6:06}"))[0] == 400
    status, body = await world.token(**code_form(offer), tx_code=str(made.tx_code))
    assert (status, body["error"]) == (400, "invalid_grant")
    assert rows(world, OFFER)[0].state == "exhausted"
    assert rows(world, TICKET) == []  # its other code is dead, too


async def test_a_transaction_code_is_not_guessed_by_many_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made, offer = world.offer(tx_code=TxCode.NUMERIC)
    right, checked = int(str(made.tx_code)), []
    really = offers.is_tx_code

    def counted(guess: str, kept: str) -> bool:
        checked.append(guess)
        return really(guess, kept)

    monkeypatch.setattr(offers, "is_tx_code", counted)
    guesses = [f"{(right + 1 + step) % 10**6:06}" for step in range(199)]
    answers = await asyncio.gather(
        *(world.token(step % 2, **code_form(offer), tx_code=guess) for step, guess in enumerate(guesses))
    )
    assert {(status, body["error"]) for status, body in answers} == {(400, "invalid_grant")}
    assert len(checked) == offers.TRIES
    assert (await world.token(**code_form(offer), tx_code=str(made.tx_code)))[0] == 400
    assert len(checked) == offers.TRIES


@pytest.mark.parametrize("name", ["pre-authorized_code", "refresh_token"])
async def test_what_is_good_once_is_good_once_for_fifty_at_the_same_time(world: World, name: str) -> None:
    if name == "refresh_token":
        body = await world.claim()
        form = {"grant_type": "refresh_token", "refresh_token": body["refresh_token"]}
    else:
        form = code_form(world.offer()[1])
    answers = await asyncio.gather(*(world.token(step % 2, **form) for step in range(50)))
    assert sorted(status for status, _ in answers) == [200] + 49 * [400]
    assert {body["error"] for status, body in answers if status != 200} == {"invalid_grant"}
    assert len(rows(world, SESSION)) == 1


async def test_refreshing(world: World) -> None:
    first = await world.claim()
    world.clock.forward(601)
    assert (await world.client.post("/whoami", headers=bearer(first["access_token"]))).status == 401
    second = await refreshed(world, first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert (await who(world, second["access_token"]))["worker"] == WORKER
    third = await refreshed(world, second["refresh_token"])
    assert set(third["scope"].split()) == set(first["scope"].split())


async def test_a_refresh_token_that_comes_again_ends_the_session(world: World) -> None:
    first = await world.claim()
    second = await refreshed(world, first["refresh_token"])
    for again in (first, second):
        status, body = await world.token(grant_type="refresh_token", refresh_token=again["refresh_token"])
        assert (status, body["error"]) == (400, "invalid_grant")
    assert (await world.client.post("/whoami", headers=bearer(second["access_token"]))).status == 401
    assert rows(world, SESSION)[0].state == "closed"


async def test_a_session_has_an_end(world: World) -> None:
    body = await world.claim()
    world.clock.forward(world.deps.config.refresh_lifetime - 60)
    last = await refreshed(world, body["refresh_token"])
    assert last["expires_in"] == 60
    world.clock.forward(60)
    assert (await world.client.post("/whoami", headers=bearer(last["access_token"]))).status == 401
    assert (await world.token(grant_type="refresh_token", refresh_token=last["refresh_token"]))[0] == 400


async def test_an_access_token_can_be_narrowed_and_not_widened(world: World) -> None:
    _, offer = world.offer(types=("Earnings", "Rating"))
    status, body = await world.token(**code_form(offer), scope="Earnings_sd-jwt offline_access")
    assert (status, body["scope"]) == (200, "Earnings_sd-jwt")
    wider = await world.token(grant_type="refresh_token", refresh_token=body["refresh_token"], scope="Rating_sd-jwt")
    assert wider[1]["error"] == "invalid_scope"
    assert (await refreshed(world, body["refresh_token"]))["scope"] == "Earnings_sd-jwt"


async def test_authorization_details_bring_identifiers_of_this_worker(world: World) -> None:
    _, offer = world.offer()
    asked = [{"type": "openid_credential", "credential_configuration_id": "Earnings_sd-jwt"}]
    status, body = await world.token(**code_form(offer), authorization_details=json.dumps(asked))
    assert status == 200
    (detail,) = body["authorization_details"]
    assert detail["credential_configuration_id"] == "Earnings_sd-jwt"
    with world.database.read() as connection:
        own = identifiers(connection, WORKER, ["Earnings_sd-jwt"])["Earnings_sd-jwt"]
        others = identifiers(connection, "worker-2", ["Earnings_sd-jwt"])["Earnings_sd-jwt"]
    assert detail["credential_identifiers"] == own
    assert len(own) == 1
    assert set(own).isdisjoint(others)
    assert rows(world, SESSION)[0].identified
    again = await refreshed(world, body["refresh_token"])
    assert again["authorization_details"] == body["authorization_details"]


async def test_several_datasets_are_told_apart_without_being_asked(world: World) -> None:
    with world.database.write() as connection:
        row = connection.execute(
            STATEMENT.select().where(STATEMENT.c.worker == WORKER, STATEMENT.c.type == "Earnings")
        ).one()
        other = {**row._mapping, "digest": "another", "topic": "another"}
        connection.execute(STATEMENT.insert().values(**other))
    _, offer = world.offer(types=("Earnings",))
    _, body = await world.token(**code_form(offer))
    assert "scope" not in body
    assert [len(each["credential_identifiers"]) for each in body["authorization_details"]] == [2, 2]


@pytest.mark.parametrize(
    ("details", "error"),
    [
        ("", None),
        ("[]", "invalid_authorization_details"),
        ("{", "invalid_authorization_details"),
        ('[{"type":"openid_credential"}]', "invalid_authorization_details"),
        ('[{"type":"payment"}]', "invalid_authorization_details"),
        (
            '[{"type":"openid_credential","credential_configuration_id":"Nothing"}]',
            "invalid_authorization_details",
        ),
        (
            '[{"type":"openid_credential","credential_configuration_id":"Rating_sd-jwt","locations":["https://a.example"]}]',
            "invalid_authorization_details",
        ),
        ("[" * 9000, "invalid_authorization_details"),
    ],
)
async def test_authorization_details_that_are_wrong(world: World, details: str, error: str | None) -> None:
    _, offer = world.offer()
    status, body = await world.token(**code_form(offer), authorization_details=details)
    assert body.get("error") == error
    if error:
        assert status == 400
        assert (await world.token(**code_form(offer)))[0] == 200  # the code is none the worse for it


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": PRE_AUTHORIZED}, "invalid_request"),
        ({"grant_type": PRE_AUTHORIZED, "pre-authorized_code": ""}, "invalid_request"),
        ({"grant_type": PRE_AUTHORIZED, "pre-authorized_code": "x"}, "invalid_grant"),
        ({"grant_type": PRE_AUTHORIZED, "pre-authorized_code": "\x00"}, "invalid_grant"),
        ({"grant_type": PRE_AUTHORIZED, "pre-authorized_code": "é" * 9000}, "invalid_grant"),
        ({"grant_type": PRE_AUTHORIZED, "pre-authorized_code": "x", "tx_code": "1"}, "invalid_grant"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x"}, "invalid_request"),
        (
            {"grant_type": "authorization_code", "code": "x", "code_verifier": "v" * 43, "redirect_uri": "x"},
            "invalid_grant",
        ),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "x", "client_id": "c" * 600}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x", "client_id": "\n"}, "invalid_request"),
    ],
)
async def test_requests_that_are_wrong(world: World, form: dict[str, str], error: str) -> None:
    status, body = await world.token(**form)
    assert (status, body["error"]) == (400, error)
    assert not set(body) - {"error", "error_description"}


async def test_a_parameter_twice_too_much_and_another_type(world: World) -> None:
    _, offer = world.offer()
    code = code_form(offer)["pre-authorized_code"]
    head = {"Content-Type": "application/x-www-form-urlencoded"}
    twice = f"grant_type={PRE_AUTHORIZED}&pre-authorized_code={code}&pre-authorized_code={code}"
    for raw, more, status in (
        (twice, head, 400),
        ("grant_type=x" * 9000, head, 413),
        ("%ff=%ff", head, 400),
        ("grant_type", head, 400),
        (json.dumps(code_form(offer)), {"Content-Type": "application/json"}, 415),
        ("", {}, 415),
    ):
        answer = await world.client.post("/token", data=raw.encode(), headers=more)
        assert (answer.status, (await answer.json())["error"]) == (status, "invalid_request")
    assert (await world.client.get("/token")).status == 405
    assert (await world.token(**code_form(offer)))[0] == 200


async def test_codes_of_one_kind_are_not_taken_for_another(world: World) -> None:
    _, offer = world.offer()
    state = offer["grants"]["authorization_code"]["issuer_state"]
    assert (await world.token(grant_type=PRE_AUTHORIZED, **{"pre-authorized_code": state}))[0] == 400
    body = (await world.token(**code_form(offer)))[1]
    assert (await world.token(grant_type="refresh_token", refresh_token=body["access_token"]))[0] == 400
    assert (await world.client.post("/whoami", headers=bearer(body["refresh_token"]))).status == 401


async def test_an_expired_code(world: World) -> None:
    _, offer = world.offer()
    world.clock.forward(world.deps.config.offer_lifetime)
    status, body = await world.token(**code_form(offer))
    assert (status, body["error"]) == (400, "invalid_grant")


async def test_nothing_is_given_when_the_data_are_gone(world: World) -> None:
    _, offer = world.offer()
    with world.database.write() as connection:
        connection.execute(STATEMENT.delete())
    assert (await world.token(**code_form(offer)))[1]["error"] == "invalid_grant"
    sample_statements(world.database)
    assert (await world.token(**code_form(offer)))[0] == 200


# ---- DPoP ------------------------------------------------------------------------------------------------------------


async def bound(world: World) -> tuple[P256Key, dict[str, Any]]:
    key = P256Key.generate(urandom)
    head = world.proof(key, "/token", nonce=await world.nonce())
    return key, await world.claim(headers=head)


async def test_a_token_is_bound_to_the_key_of_its_proof(world: World) -> None:
    key, body = await bound(world)
    assert body["token_type"] == "DPoP"
    token = body["access_token"]
    nonce = await world.nonce()
    head = {"Authorization": f"DPoP {token}"}
    proof = world.proof(key, "/whoami", nonce=nonce, token=token)
    answer = await world.client.post("/whoami", headers={**head, **proof})
    assert (answer.status, (await answer.json())["worker"]) == (200, WORKER)
    other = P256Key.generate(urandom)
    for more, error in (
        (proof, "invalid_dpop_proof"),  # again
        ({}, "invalid_dpop_proof"),
        (world.proof(key, "/whoami", token=token), "use_dpop_nonce"),
        (world.proof(key, "/whoami", nonce="x", token=token), "use_dpop_nonce"),
        (world.proof(key, "/whoami", nonce=nonce), "invalid_dpop_proof"),
        (world.proof(key, "/token", nonce=nonce, token=token), "invalid_dpop_proof"),
        (world.proof(key, "/whoami", nonce=nonce, token=token, method="GET"), "invalid_dpop_proof"),
        (world.proof(other, "/whoami", nonce=nonce, token=token), "invalid_token"),
        ({"DPoP": "x"}, "invalid_dpop_proof"),
    ):
        answer = await world.client.post("/whoami", headers={**head, **more})
        assert (answer.status, (await answer.json())["error"]) == (401, error)
        assert f'DPoP error="{error}"' in answer.headers["WWW-Authenticate"]
        assert "DPoP-Nonce" in answer.headers
    world.clock.forward(world.deps.config.nonce_lifetime + 1)
    late = world.proof(key, "/whoami", nonce=nonce, token=token)
    assert (await (await world.client.post("/whoami", headers={**head, **late})).json())["error"] == "use_dpop_nonce"


async def test_a_bound_token_is_no_bearer_token_and_the_other_way_round(world: World) -> None:
    key, body = await bound(world)
    answer = await world.client.post("/whoami", headers=bearer(body["access_token"]))
    assert (answer.status, (await answer.json())["error"]) == (401, "invalid_token")
    plain = (await world.claim())["access_token"]
    proof = world.proof(key, "/whoami", nonce=await world.nonce(), token=plain)
    answer = await world.client.post("/whoami", headers={"Authorization": f"DPoP {plain}", **proof})
    assert (answer.status, (await answer.json())["error"]) == (401, "invalid_token")


async def test_a_refresh_token_is_bound_too(world: World) -> None:
    key, body = await bound(world)
    form = {"grant_type": "refresh_token", "refresh_token": body["refresh_token"]}
    assert (await world.token(**form))[1]["error"] == "invalid_grant"
    stolen = world.proof(P256Key.generate(urandom), "/token", nonce=await world.nonce())
    assert (await world.token(headers=stolen, **form))[1]["error"] == "invalid_grant"
    status, again = await world.token(headers=world.proof(key, "/token", nonce=await world.nonce()), **form)
    assert (status, again["token_type"]) == (200, "DPoP")


async def test_a_nonce_that_is_missing_costs_no_code(world: World) -> None:
    _, offer = world.offer()
    key = P256Key.generate(urandom)
    answer = await world.client.post("/token", data=code_form(offer), headers=world.proof(key, "/token"))
    assert (answer.status, (await answer.json())["error"]) == (400, "use_dpop_nonce")
    head = world.proof(key, "/token", nonce=answer.headers["DPoP-Nonce"])
    answer = await world.client.post("/token", data=code_form(offer), headers=head)
    assert answer.status == 200
    assert answer.headers["DPoP-Nonce"]
    again = await world.client.post("/token", data=code_form(world.offer()[1]), headers=head)
    assert (again.status, (await again.json())["error"]) == (400, "invalid_dpop_proof")


async def test_one_proof_at_fifty_places_at_once(world: World) -> None:
    key, body = await bound(world)
    token, nonce = body["access_token"], await world.nonce()
    head = {"Authorization": f"DPoP {token}", **world.proof(key, "/whoami", nonce=nonce, token=token)}
    answers = await asyncio.gather(*(world.clients[step % 2].post("/whoami", headers=head) for step in range(50)))
    assert sorted(answer.status for answer in answers) == [200] + 49 * [401]


@pytest.mark.parametrize(
    ("header", "status", "challenge"),
    [
        ({}, 401, "Bearer"),
        ({"Authorization": "Bearer"}, 401, "Bearer"),
        ({"Authorization": "Basic eDp5"}, 401, "Bearer"),
        ({"Authorization": "Bearer x"}, 401, 'Bearer error="invalid_token"'),
        ({"Authorization": "DPoP x"}, 401, 'DPoP error="invalid_token"'),
        ({"Authorization": "bearer " + "x" * 5000}, 401, 'Bearer error="invalid_token"'),
    ],
)
async def test_no_token(world: World, header: dict[str, str], status: int, challenge: str) -> None:
    answer = await world.client.post("/whoami", headers=header)
    assert answer.status == status
    assert challenge in answer.headers["WWW-Authenticate"]
    if "x" not in header.get("Authorization", ""):
        assert "error=" not in answer.headers["WWW-Authenticate"]  # RFC 6750 §3.1


async def test_two_authorization_headers(world: World) -> None:
    token = (await world.claim())["access_token"]
    answer = await world.client.post(
        "/whoami", headers=[("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    )
    assert (answer.status, (await answer.json())["error"]) == (400, "invalid_request")


async def test_a_session_that_the_platform_ended(world: World) -> None:
    body = await world.claim()
    (row,) = rows(world, SESSION)
    with world.database.write() as connection:
        assert tokens.end_session(connection, row.id, now=world.deps.seconds)
        assert not tokens.end_session(connection, row.id, now=world.deps.seconds)
    assert (await world.client.post("/whoami", headers=bearer(body["access_token"]))).status == 401
    assert (await world.token(grant_type="refresh_token", refresh_token=body["refresh_token"]))[0] == 400


async def test_wallets_of_a_draft_find_their_nonce(world: World) -> None:
    assert "c_nonce" not in await world.claim()
    world.change(legacy_single_proof=True)
    assert (await world.claim())["c_nonce_expires_in"] == world.deps.config.nonce_lifetime


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def who(world: World, token: str) -> dict[str, Any]:
    answer = await world.client.post("/whoami", headers=bearer(token))
    assert answer.status == 200
    found: dict[str, Any] = await answer.json()
    return found


async def refreshed(world: World, token: str) -> dict[str, Any]:
    status, body = await world.token(1, grant_type="refresh_token", refresh_token=token)
    assert status == 200, body
    return body
