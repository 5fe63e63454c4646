"""What the issuer withdraws, suspends or lets contest, a verifier learns from its lists, offline."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import pytest
import sqlalchemy as sa

from issuer.copies import Job, Signed, Slot, sign_copy
from issuer.database import Database
from issuer.disputes import find_disputed, open_dispute
from issuer.formats import Format
from issuer.statuses import allocate
from issuer.statuslists import CONTESTED, VALIDITY, Kind, list_ids, read_published, sign_due
from issuer.tables import CREDENTIAL, SETTING
from issuer.withdrawals import Act, Selection, change, worker_datasets
from tests.cli import ouvrage
from tests.databases import sample_statements
from tests.line import AT, SAMPLES, entry, holder_key, issuer_keys, rand_from
from tests.test_issuer_status import BASE, NOW
from vc.canon import Json, parse_object
from vc.errors import Rejected, Undetermined, VcError
from vc.jose import Jws
from vc.keys import Ed25519Key
from vc.model import Object, format_date_time
from vc.sdjwt_issuer import Issuer, find_self_described
from vc.sdjwt_vc import VerifiedSdJwtVc, verify_credential
from vc.secure import derive, hold, sign
from vc.suites import ecdsa_sd_2023
from vc.token_status import check_status, parse_status_jwt, read_status, verify_status_jwt
from vc.trust import Trust, parse_trust
from vc.verify import VerifiedCredential, verify_presentation
from verifier.check import policy
from work import CONTEXTS
from work.statement import Statement
from work.types import TYPES

DAY = timedelta(days=1)
NOTES = frozenset({CONTESTED})


def issued(database: Database, form: Format) -> Signed:
    """A copy with its place in a list, signed and on record."""
    sample_statements(database)
    with database.write() as connection:
        ((dataset, digest),) = worker_datasets(connection, "worker-1", "Earnings").items()
        (slot,) = allocate(connection, 1, base=BASE, rand=rand_from("story"), now=NOW, datasets=[dataset])
    statement = Statement("Earnings", "worker-1", SAMPLES["Earnings"])
    job = Job(statement, digest, holder_key().did, form, slot)
    made = sign_copy(job, keys=issuer_keys(), at=AT, rand=rand_from("copy"))
    with database.write() as connection:
        connection.execute(
            CREDENTIAL.insert().values(
                digest=digest, holder=job.holder, format=form, worker="worker-1", type="Earnings", signed_at=NOW,
                valid_until=format_date_time(made.valid_until), key=made.key, list=slot.list, place=slot.place,
            )
        )  # fmt: skip
    return made


def act(act_: Act) -> Callable[[Database], None]:
    def run(database: Database) -> None:
        with database.write() as connection:
            change(connection, act_, Selection("worker-1", "Earnings"), now=NOW)

    return run


def contest(database: Database) -> None:
    with database.write() as connection:
        (one,) = find_disputed(connection, "worker-1", "Earnings", None)
        open_dispute(connection, one, reason="miscount", now=NOW, rand=rand_from("contest"))


def nothing(_: Database) -> None:
    return None


def publish(database: Database) -> dict[str, bytes]:
    """All renderings of all lists, by URL."""
    sign_due(database, keys=issuer_keys(), base=BASE, at=AT, rand=rand_from("publish"))
    found = {}
    with database.read() as connection:
        for listing in list_ids(connection):
            for kind in Kind:
                made = read_published(connection, listing, kind)
                assert made is not None
                name = {Kind.JWT: "token", Kind.CWT: "cwt"}.get(kind, kind)
                found[f"{BASE}/status/{listing}/{name}"] = made.body
    return found


def trust(lists: dict[str, bytes]) -> Trust:
    document = {
        "type": "OuvrageTrust", "version": 1, "asOf": "2026-11-24T00:00:00Z", "issuers": [entry(issuer_keys())],
        "statusLists": [
            {"url": url, "asOf": format_date_time(AT), "credential": json.loads(body)}
            for url, body in lists.items()
            if url.rpartition("/")[2] in ("revocation", "suspension", "message")
        ],
    }  # fmt: skip
    return parse_trust(json.dumps(document).encode(), contexts=CONTEXTS)


def shown(made: Signed, lists: dict[str, bytes], *, after: timedelta = timedelta(0)) -> VerifiedCredential:
    """What a verifier with these lists makes of an ecdsa-sd-2023 copy that its holder shows."""
    held = hold(parse_object(made.body.encode()), contexts=CONTEXTS)
    assert isinstance(held, ecdsa_sd_2023.HeldBase)
    derived = derive(held, ["/credentialSubject/averageAtLeast12m"], rand=rand_from("derive"))
    key: Ed25519Key = holder_key()
    presentation: dict[str, Json] = {
        "@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiablePresentation"], "holder": key.did,
        "verifiableCredential": [derived],
    }  # fmt: skip
    answer = sign(presentation, key=key, created=AT, purpose="authentication", challenge="c", domain="lender.example",
                  contexts=CONTEXTS)  # fmt: skip
    verified = verify_presentation(
        answer,
        challenge="c",
        domain="lender.example",
        trust=trust(lists),
        policy=policy(accept_possession=False),
        at=AT + after,
    )
    return verified.credentials[0]


def token(made: Signed, lists: dict[str, bytes]) -> tuple[VerifiedSdJwtVc, int]:
    """What a verifier with these lists makes of an SD-JWT VC, and the status that it reads."""
    key = issuer_keys().jwt.public
    held = {
        url: verify_status_jwt(parse_status_jwt(body.decode()), key=key, uri=url, at=AT)
        for url, body in lists.items()
        if url.endswith("/token")
    }

    def find(jws: Jws, payload: Object) -> Issuer:
        return replace(find_self_described(jws, payload), may_attest=frozenset({TYPES["Earnings"].vct}))

    verified = verify_credential(
        made.body,
        find_issuer=find,
        challenge=None,
        at=AT,
        check_status=lambda claim: check_status(claim, tokens=held, notes=NOTES),
        types=None,
    )
    return verified, read_status(verified.claims["status"], tokens=held)


def code(run: Callable[[], object]) -> str:
    with pytest.raises(VcError) as refused:
        run()
    assert isinstance(refused.value, Rejected | Undetermined)
    return refused.value.code


VERDICTS = MappingProxyType(
    {"valid": nothing, "REVOKED": act(Act.REVOKE), "SUSPENDED": act(Act.SUSPEND), "CONTESTED": contest}
)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_verifier_learns_it_of_a_linked_data_credential(database: Database, verdict: str) -> None:
    made = issued(database, Format.ECDSA_SD)
    VERDICTS[verdict](database)
    lists = publish(database)
    if verdict in ("REVOKED", "SUSPENDED"):
        assert code(lambda: shown(made, lists)) == verdict
    else:
        assert shown(made, lists).notes == (() if verdict == "valid" else ("CONTESTED",))
    assert code(lambda: shown(made, {})) == "STATUS_UNKNOWN"
    assert code(lambda: shown(made, lists, after=VALIDITY + timedelta(seconds=1))) in ("STATUS_STALE", verdict)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_verifier_learns_it_of_an_sd_jwt(database: Database, verdict: str) -> None:
    made = issued(database, Format.SD_JWT)
    VERDICTS[verdict](database)
    lists = publish(database)
    if verdict in ("REVOKED", "SUSPENDED"):
        assert code(lambda: token(made, lists)) == verdict
    else:
        assert token(made, lists)[1] == (0 if verdict == "valid" else CONTESTED)
    assert code(lambda: token(made, {})) == "STATUS_UNKNOWN"


def test_by_the_commands_from_a_revocation_to_a_trust_file(tmp_path: Path) -> None:
    """`issuer lists publish --out` gives what `verifier trust lists` takes."""
    own = json.loads(ouvrage(tmp_path, "issuer", "keys", "--name", "P", "--legal-identifier", "1", "--json").out)
    (tmp_path / "entry.json").write_text(json.dumps(own))
    ouvrage(tmp_path, "verifier", "trust", "add", "entry.json")
    with Database.open(tmp_path / "issuer" / "issuer.db") as database:
        made = issued(database, Format.ECDSA_SD)
        slot = made.job.slot
        assert isinstance(slot, Slot)
    assert ouvrage(tmp_path, "issuer", "lists", "publish", ok=False).code == 2  # the service has never run
    with Database.open(tmp_path / "issuer" / "issuer.db") as database, database.write() as connection:
        connection.execute(SETTING.insert().values(name="base", value=BASE))
    meant = ("--worker", "worker-1", "--type", "Earnings", "--json")
    assert ouvrage(tmp_path, "issuer", "revoke", *meant, "--dry-run").json["copies"] == 1
    opened = ouvrage(tmp_path, "issuer", "contest", *meant).json
    (listed,) = ouvrage(tmp_path, "issuer", "dispute", "list", "--json").json["disputes"]
    assert [listed["id"]] == opened["disputes"]
    closed = ouvrage(tmp_path, "issuer", "dispute", "close", listed["id"], "--outcome", "removed", "--json").json
    assert closed["withdrawn"] == 1
    assert "No dispute" in ouvrage(tmp_path, "issuer", "dispute", "list").out
    assert ouvrage(tmp_path, "issuer", "lists", "publish", "--out", "mirror", "--json").json["signed"] == 1
    assert {path.name for path in (tmp_path / "mirror" / slot.list).iterdir()} == {
        "token.jwt", "token.cwt", "revocation.json", "suspension.json", "message.json",
    }  # fmt: skip
    ouvrage(tmp_path, "verifier", "trust", "lists", "mirror/lists.json")
    ouvrage(tmp_path, "verifier", "trust", "add", "entry.json")  # what is held stays
    held = json.loads((tmp_path / "verifier" / "trust.json").read_text())["statusLists"]
    assert {one["url"] for one in held} == {
        f"{slot.url}/{kind}" for kind in ("revocation", "suspension", "message", "token")
    }
    older = [{**one, "asOf": "2020-01-01T00:00:00Z"} for one in held]
    (tmp_path / "older.json").write_text(json.dumps({"statusLists": older}))
    assert "older than" in ouvrage(tmp_path, "verifier", "trust", "lists", "older.json", ok=False).err
    (row,) = ouvrage(tmp_path, "issuer", "lists", "--json").json["lists"]
    assert (row["copies"], row["open"], row["list"]) == (1, True, slot.list)
    assert ouvrage(tmp_path, "issuer", "lists", "places", "1048577", "--json").json == {"places": 1048576}
    with Database.open(tmp_path / "issuer" / "issuer.db") as database, database.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(CREDENTIAL)) == 1
