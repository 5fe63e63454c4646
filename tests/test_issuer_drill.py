"""The drill says what verification will say: every prediction is compared with verification itself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from issuer.copies import Job, Slot, sign_copy
from issuer.database import Database
from issuer.drill import VALID, forecast
from issuer.formats import HAS_STATUS, Format
from issuer.keyring import KeyRing
from issuer.keys import Role, new_key
from issuer.keysteps import attested_types
from issuer.tables import CREDENTIAL
from tests.cli import ouvrage
from tests.databases import *  # noqa: F403
from tests.line import AT, SAMPLES, holder_key, issuer_keys, rand_from
from vc.canon import Json, parse_object, to_json
from vc.documents import Documents
from vc.errors import Undetermined, VcError
from vc.model import CREDENTIALS_V2, format_date_time
from vc.proof import AUTHENTICATION
from vc.sdjwt_issuer import KnownIssuers, find_known
from vc.sdjwt_vc import hold_credential
from vc.secure import derive, hold, sign
from vc.trust import Trust, parse_trust
from vc.verify import verify_presentation
from verifier.check import policy
from work import CONTEXTS
from work.statement import Statement

DAY: Final = timedelta(days=1)
KINDS: Final = ("Earnings", "WorkHistory")


@dataclass(frozen=True)
class Copy:
    """A copy that was signed: what the database says of it, and its body."""

    type: str
    format: Format
    key: str
    valid_until: datetime
    body: str
    documents: Documents = field(compare=False)


def signed(held: KeyRing, *, workers: int = 2, at: datetime = AT) -> list[Copy]:
    made = []
    for number in range(workers):
        for kind in KINDS:
            statement = Statement(kind, f"worker-{number}", SAMPLES[kind])
            for place, form in enumerate(Format):
                slot = (
                    Slot("list", 10 * number + place, "https://issuer.example/status/list")
                    if form in HAS_STATUS
                    else None
                )
                job = Job(statement, f"{kind}{number}", holder_key().did, form, slot)
                one = sign_copy(job, keys=held.signing(at), at=at, rand=rand_from(f"{kind}{number}{form}"))
                made.append(Copy(kind, form, one.key, one.valid_until, one.body, told(held, at).documents))
    return made


def keep(database: Database, copies: list[Copy], at: datetime = AT) -> None:
    with database.write() as connection:
        for number, copy in enumerate(copies):
            connection.execute(
                CREDENTIAL.insert().values(
                    digest=f"{number}{at}",
                    holder="",
                    format=copy.format,
                    worker=f"worker-{number % 2}",
                    type=copy.type,
                    valid_until=format_date_time(copy.valid_until),
                    signed_at=int(at.timestamp()),
                    key=copy.key,
                    body=copy.body,
                )
            )


def told(held: KeyRing, at: datetime) -> Trust:
    """What a verifier holds that has taken the issuer's entry at a moment."""
    entry = {**held.entry(attested_types(), at), "name": "Platform", "legalIdentifier": "1"}
    document: dict[str, Json] = {
        "type": "OuvrageTrust",
        "version": 1,
        "asOf": f"{at:%Y-%m-%d}T00:00:00Z",
        "issuers": [entry],
    }
    return parse_trust(to_json({**document, "documents": held.documents(at)}), contexts=CONTEXTS)


def verdict(copy: Copy, trust: Trust, at: datetime) -> str:
    """What verification says, apart from what it cannot know of status lists."""
    try:
        if copy.format is Format.SD_JWT:
            hold_credential(copy.body, find_issuer=find_known(KnownIssuers(trust), at), at=at)
        else:
            verify_presentation(
                _shown(copy),
                challenge="challenge",
                domain="lender.example",
                trust=trust,
                policy=policy(accept_possession=False),
                at=at,
            )
    except Undetermined as error:
        return VALID if error.code.startswith("STATUS") else error.code
    except VcError as error:
        return error.code
    return VALID


@cache
def _shown(copy: Copy) -> dict[str, Json]:
    """A copy as its holder shows it, who had its issuer's documents when it came."""
    held = hold(parse_object(copy.body.encode()), contexts=CONTEXTS, documents=copy.documents, at=AT)
    presentation: dict[str, Json] = {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [derive(held, ["/credentialSubject/id"], rand=rand_from("derive"))],
        "holder": holder_key().did,
    }
    return sign(
        presentation,
        key=holder_key(),
        created=AT,
        contexts=CONTEXTS,
        purpose=AUTHENTICATION,
        challenge="challenge",
        domain="lender.example",
    )


def rotate(role: Role, days: int) -> Callable[[KeyRing], KeyRing]:
    return lambda held: held.rotated(
        role, new_key(role, None, rand_from("new")), at=AT, days=days, rand=rand_from("did")
    )


def kill(name: str) -> Callable[[KeyRing], KeyRing]:
    return lambda held: held.killed(name, at=AT, rand=rand_from("kill"))


def ring(identity: str) -> KeyRing:
    made = KeyRing.of(issuer_keys(), secret=bytes(32), at=AT)
    return made if identity == "key" else made.identified(identity, "issuer.example", at=AT, rand=rand_from("did"))


STEPS: Final = {
    "rotate credentials at once": rotate(Role.CREDENTIALS, 0),
    "rotate credentials": rotate(Role.CREDENTIALS, 7),
    "rotate sd": rotate(Role.SD, 7),
    "rotate jwt at once": rotate(Role.JWT, 0),
    "kill credentials": kill("credentials-1"),
    "kill sd": kill("sd-1"),
    "kill jwt": kill("jwt-1"),
    "kill public": kill("public-1"),
}


@pytest.mark.parametrize("identity", ["key", "web", "webvh"])
@pytest.mark.parametrize("name", STEPS)
def test_what_is_predicted_is_what_verification_says(name: str, identity: str, database: Database) -> None:
    before = ring(identity)
    copies = signed(before)
    keep(database, copies)
    after = STEPS[name](before)
    with database.read() as connection:
        predicted = forecast(connection, before, after, types=attested_types(), at=AT)
    expected = {(each.alike.type, each.alike.format): (each.after, each.at) for each in predicted.changes}
    assert all(each.before == VALID for each in predicted.changes)
    for copy in copies[: len(KINDS) * len(Format)]:
        code, start = expected.get((copy.type, copy.format), (VALID, AT))
        for at in (AT, AT + 8 * DAY, copy.valid_until - DAY):
            assert verdict(copy, told(before, at), at) == VALID
            assert verdict(copy, told(after, at), at) == (code if at >= start else VALID), at
    assert predicted.valid == len(copies)
    lost = name.startswith("kill") and "public" not in name
    assert predicted.credentials == (2 * len(KINDS) if lost else 0)
    assert predicted.workers == (2 if lost else 0)


def test_what_has_ended_counts_no_more(database: Database) -> None:
    before = ring("key")
    copies = signed(before, workers=1)
    keep(database, copies)
    later = copies[0].valid_until + DAY
    with database.read() as connection:
        after = before.killed("credentials-1", at=later, rand=rand_from("kill"))
        predicted = forecast(connection, before, after, types=attested_types(), at=later)
    assert (predicted.valid, predicted.changes, predicted.workers) == (0, (), 0)


def test_a_key_whose_name_the_issuer_has_left_is_still_judged(database: Database) -> None:
    """Copies under the did:key, then a did:web: killing the key undoes those under both names."""
    first = ring("key")
    keep(database, signed(first))
    later = AT + 3 * DAY
    second = first.identified("web", "issuer.example", at=later, rand=rand_from("did"))
    keep(database, signed(second, at=later), at=later)
    with database.read() as connection:
        safe = second.rotated(Role.SD, new_key(Role.SD, None, rand_from("n")), at=later, days=0, rand=rand_from("d"))
        assert forecast(connection, second, safe, types=attested_types(), at=later).changes == ()
        killed = second.killed("credentials-1", at=later, rand=rand_from("kill"))
        predicted = forecast(connection, second, killed, types=attested_types(), at=later)
    assert {(each.alike.key.split(":")[1], each.after) for each in predicted.changes} == {
        ("key", "ISSUER_NOT_TRUSTED"),
        ("web", "INVALID_VERIFICATION_METHOD"),
    }
    assert predicted.credentials == 8


def test_the_command_changes_nothing(tmp_path: Path) -> None:
    home = tmp_path
    ouvrage(home, "issuer", "keys", "--name", "P", "--legal-identifier", "1")
    held = (home / "issuer" / "keys.json").read_bytes()
    assert "No verdict changes" in ouvrage(home, "issuer", "keys", "drill", "rotate", "jwt").out
    answered = ouvrage(home, "issuer", "keys", "drill", "kill", "credentials-1", "--json").json
    assert (answered["valid"], answered["changed"], answered["changes"]) == (0, 0, [])
    assert (home / "issuer" / "keys.json").read_bytes() == held
    assert ouvrage(home, "issuer", "keys", "drill", "kill", "sd-7", ok=False).code == 2
