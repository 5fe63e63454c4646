"""One statement, three formats: each copy is what its holder can keep, show and have refused."""

from dataclasses import replace

import pytest

from issuer.copies import Job, Slot, holder_key, sign_copy
from issuer.formats import CONFIGURATIONS, HAS_STATUS, Configuration, Format, dataset_id
from tests.line import AT, SAMPLES, issuer_keys, rand_from
from tests.line import holder_key as worker_key
from vc.canon import parse_object
from vc.did import did_jwk
from vc.errors import Malformed, VcError
from vc.jsonld import to_rdf
from vc.keys import P256Key, P384Key
from vc.sdjwt_issuer import find_self_described
from vc.sdjwt_vc import confirmation, hold_credential
from vc.secure import hold
from vc.status import StatusEntry
from vc.token_status import StatusReference
from work import CONTEXTS
from work.statement import Statement
from work.vct import DOCUMENTS

SLOT = Slot("list-1", 77, "https://issuer.example/status/list-1")


def job(configuration: Configuration, holder: str = "", **claims: str) -> Job:
    kind = configuration.kind.name
    statement = Statement(kind, "worker-1", {**SAMPLES[kind], **claims})
    slot = SLOT if configuration.format in HAS_STATUS else None
    return Job(statement, statement.digest(), holder or worker_key().did, configuration.format, slot)


def signed(one: Job) -> str:
    return sign_copy(one, keys=issuer_keys(), at=AT, rand=rand_from("copy")).body


@pytest.mark.parametrize("configuration", CONFIGURATIONS.values(), ids=lambda one: one.id)
def test_every_type_in_every_format_is_held_by_its_key(configuration: Configuration) -> None:
    body = signed(job(configuration))
    if configuration.format is Format.SD_JWT:
        held = hold_credential(body, find_issuer=find_self_described, at=AT, types=DOCUMENTS)
        assert held.claims["vct"] == configuration.kind.vct
        assert held.claims["cnf"] == confirmation(worker_key().public)
        assert StatusReference.parse(held.claims["status"]) == StatusReference(f"{SLOT.url}/token", 77)
        return
    document = parse_object(body.encode())
    hold(document, contexts=CONTEXTS)
    assert document["credentialSubject"]["id"] == worker_key().did  # type: ignore[index, call-overload]
    assert ("credentialStatus" in document) == (configuration.format in HAS_STATUS)


def test_a_bbs_credential_has_no_status_and_the_others_must_have_one() -> None:
    for configuration in (one for one in CONFIGURATIONS.values() if one.kind.name == "Earnings"):
        good = job(configuration)
        with pytest.raises(Malformed, match="status list"):
            signed(replace(good, slot=None if good.slot else SLOT))


def test_the_statuses_of_an_ecdsa_sd_credential_are_three_purposes_of_one_place() -> None:
    document = parse_object(signed(job(CONFIGURATIONS["Earnings_ecdsa-sd-2023"])).encode())
    entries = [StatusEntry.parse(entry) for entry in document["credentialStatus"]]  # type: ignore[union-attr]
    assert [entry.purpose for entry in entries] == ["revocation", "suspension", "message"]
    assert {entry.index for entry in entries} == {77}
    assert entries[2].messages[1] == "contested"


def test_the_shape_of_a_credential_with_a_status_tells_nothing() -> None:
    configuration = CONFIGURATIONS["Earnings_ecdsa-sd-2023"]
    counts = set()
    for one in (job(configuration), replace(job(configuration), slot=replace(SLOT, place=130_000))):
        document = parse_object(signed(one).encode())
        del document["proof"]
        counts.add(len(to_rdf(document, CONTEXTS).quads))
    assert len(counts) == 1


@pytest.mark.parametrize("key", [P256Key, P384Key])
@pytest.mark.parametrize("form", [Format.BBS, Format.SD_JWT])
def test_holders_have_keys_of_other_kinds_and_did_jwk(key: type[P256Key], form: Format) -> None:
    public = key.generate(rand_from("holder")).public
    body = signed(job(CONFIGURATIONS[f"Earnings_{form}"], did_jwk(public)))
    if form is Format.SD_JWT:
        held = hold_credential(body, find_issuer=find_self_described, at=AT, types=DOCUMENTS)
        assert held.claims["cnf"] == confirmation(public)
    else:
        assert parse_object(body.encode())["credentialSubject"]["id"] == did_jwk(public)  # type: ignore[index, call-overload]
    assert holder_key(did_jwk(public)) == public


def test_a_holder_that_is_no_key_is_refused() -> None:
    with pytest.raises(VcError):
        signed(job(CONFIGURATIONS["Earnings_sd-jwt"], "did:web:worker.example"))


def test_a_dataset_keeps_its_name_when_a_newer_statement_takes_its_place() -> None:
    first = dataset_id(source="s", worker="w", kind="Earnings", topic="EUR")
    assert first == dataset_id(source="s", worker="w", kind="Earnings", topic="EUR")
    others = {
        dataset_id(source=source, worker=worker, kind=kind, topic=topic)
        for source, worker, kind, topic in (
            ("sw", "", "Earnings", "EUR"),
            ("s", "w2", "Earnings", "EUR"),
            ("s", "w", "Rating", "EUR"),
            ("s", "w", "Earnings", "USD"),
        )
    }
    assert first not in others
    assert len(others) == 4
