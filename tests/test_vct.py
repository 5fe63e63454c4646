"""Statements as SD-JWT VCs: every type issued, held against its own Type Metadata, and shown in part."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.line import AT, entry, issuer_keys, rand_from, trust
from tests.work_samples import CLAIMS, SOME, WORKER, statement, statements
from vc.errors import Malformed, Rejected, Undetermined
from vc.keys import Ed25519Key
from vc.sdjwt import Challenge, HeldSdJwt, KeyBinding, parse_sd_jwt, present
from vc.sdjwt_issuer import KnownIssuers, find_known, find_self_described
from vc.sdjwt_vc import NEVER_SELECTIVE, VerifiedSdJwtVc, hold_credential, issue_credential, verify_credential
from vc.type_metadata import parse_type_metadata
from work.rules import check_claims
from work.statement import Statement
from work.types import LANGUAGES, TYPES
from work.vct import DOCUMENTS, Template, integrity, shown_claims, template, type_metadata

TYPE_NAMES = sorted(name for name, kind in TYPES.items() if kind.signer == "issuer")
HOLDER = Ed25519Key.from_seed(rand_from("holder")(32))
CHALLENGE = Challenge("n" * 24, "https://verifier.example")
REGISTERED = {"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf", "vct", "status", "termsOfUse"} | NEVER_SELECTIVE


def made(one: Statement) -> Template:
    about_worker = TYPES[one.type].about == "worker"
    key = issuer_keys().public
    return template(one, issuer=key.did, holder=HOLDER.public if about_worker else None, at=AT)


def issued(one: Statement) -> str:
    drawn = made(one)
    return issue_credential(
        drawn.claims, key=issuer_keys().public, selective=drawn.selective, decoys=drawn.decoys, rand=rand_from("vct")
    )


def held(one: Statement, types: Mapping[str, bytes] = DOCUMENTS) -> HeldSdJwt:
    return hold_credential(issued(one), find_issuer=find_self_described, at=AT, types=types)


def shown(one: Statement, *pointers: str) -> VerifiedSdJwtVc:
    """What a verifier that trusts the issuer reads of it."""
    bound = TYPES[one.type].about == "worker"
    binding = KeyBinding(HOLDER, CHALLENGE.nonce, CHALLENGE.audience, AT) if bound else None
    return verify_credential(
        present(held(one), pointers, binding=binding).text,
        find_issuer=find_known(KnownIssuers(trust=trust()), AT),
        challenge=CHALLENGE if bound else None,
        at=AT,
        check_status=None,
        types=DOCUMENTS,
    )


@pytest.mark.parametrize("kind", TYPE_NAMES)
def test_a_type_is_issued_and_shown_without_anything_that_can_be_kept_back(kind: str) -> None:
    verified = shown(statement(kind))
    mandatory = {claim.name for claim in TYPES[kind].claims.values() if claim.mandatory}
    assert verified.vct == f"https://w3id.org/ouvrage/v1/types/{kind}"
    assert shown_claims(TYPES[kind], verified.claims).keys() == mandatory
    assert verified.disclosed == frozenset()
    assert verified.metadata is not None
    assert verified.metadata.name == TYPES[kind].labels["en"]
    assert (verified.holder is not None) == (TYPES[kind].about == "worker")


@pytest.mark.parametrize("kind", TYPE_NAMES)
def test_shown_whole_it_says_what_the_statement_says(kind: str) -> None:
    verified = shown(statement(kind), *made(statement(kind)).selective)
    claims = {
        name: value if isinstance(value, str) else tuple(sorted(map(str, listed(value))))
        for name, value in shown_claims(TYPES[kind], verified.claims).items()
    }
    assert claims == {
        name: value if isinstance(value, str) else tuple(sorted(value)) for name, value in CLAIMS[kind].items()
    }
    check_claims(TYPES[kind], claims)


def listed(value: Any) -> list[Any]:
    assert isinstance(value, list)
    return value


def test_one_rung_and_one_month_are_shown_alone() -> None:
    keep = held(statement("Earnings"))
    pointers = [
        "/" + "/".join(map(str, place))
        for place in keep.disclosed
        if value_in(keep.claims, place) in ("001500", "2025-05 12000.00")
    ]
    assert len(pointers) == 2
    claims = shown_claims(TYPES["Earnings"], shown(statement("Earnings"), *pointers).claims)
    assert claims["averageAtLeast12m"] == ["001500"]
    assert claims["monthly"] == ["2025-05 12000.00"]
    assert "total" not in claims
    assert "averageAtLeast3m" not in claims


def value_in(claims: Any, place: tuple[str | int, ...]) -> Any:
    for part in place:
        claims = claims[part]
    return claims


@pytest.mark.parametrize("kind", TYPE_NAMES)
@SOME
@given(data=st.data())
def test_every_credential_of_a_type_has_as_many_digests_in_the_same_places(kind: str, data: st.DataObject) -> None:
    one, other = (shape(held(data.draw(statements(kind))).payload, kind) for _ in range(2))
    assert one == other


def shape(payload: Any, kind: str) -> dict[str, Any]:
    """What somebody sees who is shown nothing: the names in the clear, and the number of digests of each."""
    lists = {claim.jwt for claim in TYPES[kind].claims.values() if claim.many and not claim.mandatory}
    assert all(set(item) == {"..."} for name in lists for item in payload[name])
    counts = {name: len(payload[name]) for name in lists}
    return {"names": sorted(payload), "digests": len(payload.get("_sd", [])), **counts}


def test_the_place_of_an_item_tells_nothing_of_those_beside_it() -> None:
    """Decoys are put anywhere among the items: the first month of a long history may stand first or last."""
    drawn = made(statement("Earnings"))
    places = set()
    for seed in map(str, range(12)):
        text = issue_credential(
            drawn.claims, key=issuer_keys().public, selective=drawn.selective, decoys=drawn.decoys, rand=rand_from(seed)
        )
        keep = hold_credential(text, find_issuer=find_self_described, at=AT, types=DOCUMENTS)
        months = [item["..."] for item in keep.payload["monthly"]]  # type: ignore[union-attr, index, call-overload]
        real = {name for place, name in keep.disclosed.items() if place[0] == "monthly"}
        assert (len(months), len(real)) == (24, 3)
        places.add(tuple(sorted(months.index(digest) for digest in months if digest in digests(real))))
    assert len(places) > 6


def digests(disclosures: set[str]) -> set[str]:
    from vc.disclosure import digest_of  # noqa: PLC0415  (a detail of the format, for this test alone)

    return {digest_of(text, "sha-256") for text in disclosures}


@pytest.mark.parametrize("kind", TYPE_NAMES)
def test_the_document_of_a_type_is_well_formed_and_says_all_of_it(kind: str) -> None:
    parsed = parse_type_metadata(DOCUMENTS[TYPES[kind].vct])
    said = {entry.path: entry for entry in parsed.claims}
    assert parsed.vct == TYPES[kind].vct
    assert [entry["locale"] for entry in parsed.display or ()] == list(LANGUAGES)
    for claim in TYPES[kind].claims.values():
        at = said[(claim.jwt, None) if claim.many else (claim.jwt,)]
        labels = {entry["locale"]: (entry["label"], entry["description"]) for entry in at.display or ()}
        assert labels == {lang: (claim.labels[lang], claim.explain[lang]) for lang in LANGUAGES}
        assert (at.sd, at.mandatory) == (("never", True) if claim.mandatory else ("always", False))
        assert not claim.many or (said[(claim.jwt,)].sd, said[(claim.jwt,)].mandatory) == ("never", True)
    assert {path[0] for path in said} == {claim.jwt for claim in TYPES[kind].claims.values()} | {"termsOfUse"}


def test_no_claim_has_a_name_that_is_taken() -> None:
    for kind in TYPES.values():
        names = [claim.jwt for claim in kind.claims.values()]
        assert REGISTERED.isdisjoint(names)
        assert len(set(names)) == len(names)
    assert TYPES["PlatformMembership"].claims["status"].jwt == "accountStatus"


def test_another_document_than_the_one_that_was_signed_is_refused() -> None:
    kind = TYPES["Earnings"]
    looser = {**type_metadata(kind), "name": "Salary"}
    with pytest.raises(Rejected) as caught:
        held(statement("Earnings"), {kind.vct: json.dumps(looser).encode()})
    assert caught.value.findings[0].code == "INTEGRITY_MISMATCH"
    with pytest.raises(Undetermined):
        held(statement("Earnings"), {})
    assert integrity(kind).startswith("sha256-")


@pytest.mark.parametrize("spoil", [{"selective": ()}, {"selective": ("/currency",)}])
def test_a_credential_beside_its_document_is_refused(spoil: dict[str, Any]) -> None:
    drawn = replace(made(statement("Earnings")), **spoil)
    text = issue_credential(drawn.claims, key=issuer_keys().public, selective=drawn.selective, rand=rand_from("spoilt"))
    with pytest.raises(Rejected) as caught:
        hold_credential(text, find_issuer=find_self_described, at=AT, types=DOCUMENTS)
    assert {finding.code for finding in caught.value.findings} == {"TYPE_RULES_BROKEN"}


def test_an_issuer_has_to_be_trusted_with_the_type() -> None:
    text = present(held(statement("Earnings")), [], binding=None).text
    with pytest.raises(Rejected) as caught:
        verify_credential(
            text,
            find_issuer=find_known(
                KnownIssuers(trust=trust(entry(issuer_keys(), mayAttest=["EarningsCredential"]))), AT
            ),
            challenge=None,
            at=AT,
            check_status=None,
            types=DOCUMENTS,
        )
    assert [finding.code for finding in caught.value.findings] == ["TYPE_NOT_TRUSTED"]


def test_times_are_those_of_the_batch_and_the_worker_is_never_in_it() -> None:
    text = issued(Statement("Earnings", "very-own-id-of-the-worker", CLAIMS["Earnings"]))
    payload = parse_sd_jwt(text).jws.unverified
    assert b"very-own-id" not in payload
    claims = json.loads(payload)
    assert (claims["nbf"], claims["exp"]) == (1795478400, 1798761599)
    assert claims["termsOfUse"] == {
        "id": "https://w3id.org/ouvrage/v1/terms/Earnings",
        "type": "WorkerDataTerms",
        "allowedPurpose": ["credit.consumer.eu", "housing.tenancy.fr", "insurance.rcpro.fr"],
        "retentionMaxDays": "90",
    }


def test_a_statement_about_the_platform_has_no_holder() -> None:
    with pytest.raises(Malformed):
        template(statement("RatingContext"), issuer=WORKER, holder=HOLDER.public, at=AT)
