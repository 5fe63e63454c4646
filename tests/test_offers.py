"""Offers: as a command makes them, as a wallet fetches them, and what becomes of them."""

import json
from collections.abc import AsyncIterator
from os import urandom
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from issuer import flow, offers
from issuer.database import Database
from issuer.events import Kind, read
from issuer.keyring import KeyRing
from issuer.keys import create
from issuer.offers import AUTHORIZATION_CODE, PRE_AUTHORIZED, TxCode, choose, make_offer
from issuer.tables import OFFER, SESSION, SETTING, TICKET
from tests.authorization_app import BASE, WORKER, Clock, World, code_form, running
from tests.cli import ouvrage
from tests.databases import *  # noqa: F403
from tests.databases import sample_statements
from vc.errors import Malformed, Rejected

COMMAND = ("issuer", "offer", "--worker", WORKER, "--json")


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with running(database, KeyRing.of(create(urandom), secret=urandom(32), at=Clock().now)) as made:
        yield made


async def test_an_offer_by_reference(world: World) -> None:
    made, offer = world.offer()
    uri = parse_qs(urlsplit(made.link).query)["credential_offer_uri"][0]
    assert uri == f"{BASE}/offers/{made.id}"
    answer = await world.client.get(f"/offers/{made.id}")
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert await answer.json() == offer
    assert offer["credential_issuer"] == BASE
    assert set(offer["grants"]) == {PRE_AUTHORIZED, AUTHORIZATION_CODE}
    assert {name.partition("_")[2] for name in offer["credential_configuration_ids"]} == {"bbs-2023", "sd-jwt"}


async def test_an_offer_by_value(world: World) -> None:
    made, offer = world.offer(by_value=True, scheme="haip")
    assert made.link.startswith("haip://?credential_offer=")
    assert json.loads(parse_qs(urlsplit(made.link).query)["credential_offer"][0]) == offer


@pytest.mark.parametrize("name", ["x", "a" * 22, "a" * 5000, "%00", "%ff", "..", "a%2fb"])
async def test_an_offer_that_never_was(world: World, name: str) -> None:
    answer = await world.client.get(f"/offers/{name}")
    assert answer.status == 404


async def test_an_offer_that_is_over(world: World) -> None:
    claimed, offer = world.offer()
    assert (await world.token(**code_form(offer)))[0] == 200
    withdrawn, other = world.offer()
    with world.database.write() as connection:
        assert offers.withdraw_offer(connection, withdrawn.id, now=world.deps.seconds)
        assert not offers.withdraw_offer(connection, withdrawn.id, now=world.deps.seconds)
        assert not offers.withdraw_offer(connection, claimed.id, now=world.deps.seconds)
    assert (await world.token(**code_form(other)))[0] == 400
    late, _ = world.offer()
    world.clock.forward(world.deps.config.offer_lifetime)
    for made in (claimed, withdrawn, late):
        assert (await world.client.get(f"/offers/{made.id}")).status == 410


async def test_what_happens_is_told(world: World) -> None:
    made, offer = world.offer()
    await world.token(**code_form(offer))
    with world.database.read() as connection:
        told = [(one.kind, one.worker, one.body) for one in read(connection, since=0)]
    assert told == [
        (Kind.OFFER_CREATED, WORKER, {"offer": made.id}),
        (Kind.OFFER_CLAIMED, WORKER, {"offer": made.id}),
    ]


def test_an_offer_needs_something_to_offer(database: Database) -> None:
    sample_statements(database)
    with database.write() as connection:
        with pytest.raises(Malformed) as caught:
            choose(connection, "nobody", formats=(), k=2, allowed=())
        assert caught.value.code == "UNKNOWN_WORKER"
        with pytest.raises(Malformed):
            choose(connection, "", formats=(), k=2, allowed=())
        with pytest.raises(Rejected) as refused:
            choose(connection, WORKER, formats=(), k=2, allowed=())
        assert {one.code for one in refused.value.findings} == {"TOO_FEW_ALIKE"}
        held = [one.message.partition(":")[0] for one in refused.value.findings]
        assert "Rating" not in held  # it identifies by nature, and its wallet says so
        with pytest.raises(Malformed):
            make_offer(
                connection,
                WORKER,
                ["Rating_sd-jwt"],
                base=BASE,
                grants=(AUTHORIZATION_CODE,),
                tx_code=TxCode.NUMERIC,
                lifetime=60,
                now=0,
                rand=urandom,
            )


@pytest.mark.parametrize(("table", "moves"), [(OFFER, flow.OFFERS), (SESSION, flow.SESSIONS)])
def test_what_is_not_in_the_table_cannot_happen(database: Database, table: object, moves: object) -> None:
    is_offer = table is OFFER
    move = flow.move_offer if is_offer else flow.move_session
    states, known = (flow.Offer, flow.OFFERS) if is_offer else (flow.Session, flow.SESSIONS)
    assert moves is known
    for state in states:
        for event in flow.Event:
            with database.write() as connection:
                connection.execute((OFFER if is_offer else SESSION).delete())
                common = {"id": "a", "worker": "w", "configurations": "[]", "created": 0, "expires": 10}
                if is_offer:
                    connection.execute(OFFER.insert().values(**common, tries_left=1, state=str(state)))
                else:
                    connection.execute(SESSION.insert().values(**common, client="", identified=False, state=str(state)))
                row = move(connection, "a", event, now=5)
                expected = known.get((state, event))
                assert (None if row is None else row.state) == (None if expected is None else str(expected))
                assert move(connection, "a", event, now=10) is None  # past its end
                assert move(connection, "b", event, now=5) is None


# ---- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "issuer"
    folder.mkdir()
    with Database.open(folder / "issuer.db") as database:
        for number in range(20):
            sample_statements(database, f"worker-{number}")
        with database.write() as connection:
            connection.execute(SETTING.insert().values(name="base", value=f"{BASE}/work"))
    return tmp_path


def test_the_command_prints_a_link_and_a_code(home: Path) -> None:
    done = ouvrage(home, *COMMAND[:-1], "--tx-code")
    assert done.code == 0, done
    assert "█" in done.out
    assert "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fissuer.example%2Fwork%2Foffers%2F" in done.out
    assert f"{BASE}/work/o/" in done.out


def test_the_command_takes_offers_back(home: Path) -> None:
    made = [ouvrage(home, *COMMAND).json for _ in range(4)]
    for number, name in enumerate(("id", "page", "offer")):
        given = made[number][name]
        one = ("issuer", "offer", "withdraw", "--json", "--", given)  # an id may begin with "-"
        assert ouvrage(home, *one).json == {"withdrawn": [made[number]["id"]]}
        late = ouvrage(home, *one, ok=False)
        assert (late.code, late.json["error"]["code"]) == (2, "OFFER_OVER")
    all_of = ("issuer", "offer", "withdraw", "--worker", WORKER, "--json")
    assert ouvrage(home, *all_of).json == {"withdrawn": [made[3]["id"]]}
    assert ouvrage(home, *all_of).json == {"withdrawn": []}
    for odd in ((), (made[0]["id"], "--worker", WORKER), ("https://issuer.example/",)):
        refused = ouvrage(home, "issuer", "offer", "withdraw", *odd, "--json", ok=False)
        assert (refused.code, refused.json["error"]["code"]) == (2, "USAGE")
    with Database.open(home / "issuer" / "issuer.db") as database, database.read() as connection:
        assert {row.state for row in connection.execute(OFFER.select())} == {"withdrawn"}
        assert list(connection.execute(TICKET.select())) == []
        told = [one.body["offer"] for one in read(connection, since=0) if one.kind is Kind.OFFER_WITHDRAWN]
    assert told == [one["id"] for one in made]


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_the_command_for_scripts(home: Path, kind: str) -> None:
    picture = home / f"offer.{kind}"
    done = ouvrage(home, *COMMAND, "--qr", str(picture), "--type", "Rating", "--format", "ecdsa-sd-2023", "--tx-text")
    said = json.loads(done.out)
    assert said["configurations"] == ["Rating_ecdsa-sd-2023"]
    assert said["page"] == f"{BASE}/work/o/{said['id']}"
    assert len(said["txCode"]) == 10
    assert said["expires"].endswith("Z")
    assert picture.read_bytes()[:4] in (b"<?xm", b"\x89PNG")
    with Database.open(home / "issuer" / "issuer.db") as database, database.read() as connection:
        (row,) = connection.execute(OFFER.select())
        assert (row.id, row.worker, row.state) == (said["id"], WORKER, "offered")
        assert said["txCode"] not in str(row)
        assert len(list(connection.execute(TICKET.select()))) == 1


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--k", "21"), "TOO_FEW_ALIKE"),
        (("--type", "Review"), "NO_STATEMENT"),
        (("--type", "Nonsense"), "UNSUPPORTED"),
        (("--format", "jwt"), "UNSUPPORTED"),
        (("--grant", "password"), "UNSUPPORTED"),
        (("--scheme", "https"), "UNSUPPORTED"),
        (("--qr", "offer.gif"), "USAGE"),
        (("--tx-code", "--tx-text"), "USAGE"),
        (("--tx-code", "--grant", "authorization_code"), "USAGE"),
        (("--base", "ftp://issuer.example"), "BAD_BASE"),
        (("--days", "0"), "USAGE"),
        (("--worker", "nobody"), "UNKNOWN_WORKER"),
    ],
)
def test_the_command_refuses(home: Path, more: tuple[str, ...], code: str) -> None:
    done = ouvrage(home, *COMMAND, *more, ok=False)
    assert done.code != 0
    assert json.loads(done.out)["error"]["code"] == code


def test_small_crowds_are_answered_for_by_name(home: Path) -> None:
    names = ("Earnings", "PlatformMembership", "WorkHistory")
    few = [part for name in names for part in ("--allow-few", name)]
    assert ouvrage(home, *COMMAND, "--k", "21", *few).code == 0


def test_the_command_has_to_know_where_the_service_is(home: Path) -> None:
    with Database.open(home / "issuer" / "issuer.db") as database, database.write() as connection:
        connection.execute(SETTING.delete())
    assert json.loads(ouvrage(home, *COMMAND, ok=False).out)["error"]["code"] == "NO_BASE"
    done = ouvrage(home, *COMMAND, "--base", "https://elsewhere.example/")
    assert json.loads(done.out)["page"].startswith("https://elsewhere.example/o/")
