"""VCDM 2.0 and 1.1 as structure: what is accepted, and what is refused with which pointer and code."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vc.errors import Malformed, VcError
from vc.model import (
    CREDENTIALS_V1,
    CREDENTIALS_V2,
    MAX_CREDENTIALS,
    MAX_PROOFS,
    MAX_RESOURCES,
    MAX_SUBJECTS,
    format_date_time,
    is_url,
    parse_credential,
    parse_date_time,
    parse_presentation,
    parse_proof,
    parse_proofs,
)

EXAMPLES: Final = "https://www.w3.org/ns/credentials/examples/v2"
ISSUER: Final = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
HOLDER: Final = "did:example:holder"
URN: Final = "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33"
ABSENT: Final = object()

Refusal: TypeAlias = tuple[Mapping[str, Any], str, str]  # changes to a good document, the pointer and the code
Values: TypeAlias = tuple[Any, ...]

without_deadline: Final = settings(deadline=None)

PROOF: Final[Mapping[str, Any]] = {
    "type": "DataIntegrityProof",
    "cryptosuite": "eddsa-rdfc-2022",
    "created": "2026-11-24T00:00:00Z",
    "verificationMethod": f"{ISSUER}#{ISSUER.removeprefix('did:key:')}",
    "proofPurpose": "assertionMethod",
    "proofValue": "z3FXQ",
}
CREDENTIAL: Final[Mapping[str, Any]] = {
    "@context": [CREDENTIALS_V2, EXAMPLES],
    "id": URN,
    "type": ["VerifiableCredential", "ExampleCredential"],
    "issuer": ISSUER,
    "validFrom": "2026-11-24T00:00:00Z",
    "validUntil": "2026-12-31T23:59:59Z",
    "credentialSubject": {"id": HOLDER, "alumniOf": "Example"},
}
PRESENTATION: Final[Mapping[str, Any]] = {
    "@context": [CREDENTIALS_V2],
    "type": ["VerifiablePresentation"],
    "holder": HOLDER,
    "verifiableCredential": [CREDENTIAL],
    "proof": {**PROOF, "proofPurpose": "authentication", "challenge": "c", "domain": "d"},
}


def changed(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**deepcopy(dict(document)), **changes}.items() if value is not ABSENT}


def refuse(parse: Any, document: Any, where: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse(document)
    assert (refused.value.where, refused.value.code) == (where, code)


# --- credentials that are accepted -----------------------------------------------------------------------------------

NAMES: Final = [{"@value": "Diplôme", "@language": "fr"}, {"@value": "شهادة", "@language": "ar", "@direction": "rtl"}]
STATUS: Final = {"id": f"{URN}#1", "type": "BitstringStatusListEntry", "statusPurpose": "revocation"}
SCHEMA: Final = {"id": "https://example.com/schema.json", "type": "JsonSchema"}

ACCEPTED: Final[Mapping[str, Mapping[str, Any]]] = {
    "as it is": {},
    "no id": {"id": ABSENT},
    "a DID as id": {"id": "did:example:credential"},
    "a URL as id": {"id": "https://example.com/credentials/1?x=é#y"},
    "one context": {"@context": [CREDENTIALS_V2]},
    "a context of its own": {"@context": [CREDENTIALS_V2, {"@vocab": "https://example.com/#"}]},
    "one type, as a text": {"type": "VerifiableCredential"},
    "types in another order": {"type": ["ExampleCredential", "VerifiableCredential"]},
    "a URL as type": {"type": ["VerifiableCredential", "https://example.com/#Degree"]},
    "a URL as issuer": {"issuer": "https://example.com/issuers/14"},
    "an issuer with a name": {"issuer": {"id": ISSUER, "name": NAMES, "description": "Example"}},
    "no dates": {"validFrom": ABSENT, "validUntil": ABSENT},
    "only a start": {"validUntil": ABSENT},
    "only an end": {"validFrom": ABSENT},
    "a start far away": {"validFrom": "2999-01-01T00:00:00Z", "validUntil": ABSENT},
    "one moment": {"validUntil": "2026-11-24T00:00:00Z"},
    "one moment in two zones": {"validUntil": "2026-11-23T19:00:00-05:00"},
    "several subjects": {"credentialSubject": [{"id": HOLDER, "spouse": URN}, {"id": URN, "spouse": HOLDER}]},
    "a subject without id": {"credentialSubject": {"alumniOf": "Example"}},
    "one subject in a list": {"credentialSubject": [{"alumniOf": {"name": NAMES}}]},
    "names in several languages": {"name": NAMES, "description": "Example"},
    "a status": {"credentialStatus": STATUS},
    "a status without id": {"credentialStatus": {"type": "BitstringStatusListEntry"}},
    "several statuses": {"credentialStatus": [STATUS, {**STATUS, "id": URN}]},
    "a schema": {"credentialSchema": SCHEMA},
    "several schemas": {"credentialSchema": [SCHEMA, {**SCHEMA, "id": URN}]},
    "terms of use": {"termsOfUse": {"type": ["TrustFrameworkPolicy", "https://example.com/#Policy"]}},
    "evidence": {"evidence": [{"type": "Evidence"}]},
    "a refresh service": {"refreshService": {"id": "https://example.com/refresh", "type": "Refresh"}},
}


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(changes: Mapping[str, Any]) -> None:
    document = changed(CREDENTIAL, changes)
    credential = parse_credential(document)
    assert credential.document == document
    assert credential.proofs == ()
    assert "VerifiableCredential" in credential.types
    subjects = document["credentialSubject"]
    assert credential.subjects == tuple(subjects if isinstance(subjects, list) else [subjects])


def test_what_is_read() -> None:
    subjects = [{"id": HOLDER, "a": 1}, {"b": 2}]
    document = changed(
        CREDENTIAL, {"credentialSubject": subjects, "issuer": {"id": ISSUER, "name": "x"}, "proof": PROOF}
    )
    credential = parse_credential(document)
    assert credential.document == {name: value for name, value in document.items() if name != "proof"}
    assert credential.types == ("VerifiableCredential", "ExampleCredential")
    assert credential.issuer == ISSUER
    assert credential.subjects == tuple(subjects)
    assert credential.valid_from == datetime(2026, 11, 24, tzinfo=UTC)
    assert credential.valid_until == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert credential.proofs == (parse_proof(dict(PROOF)),)


RESOURCE: Final = {"id": "https://example.com/picture.png", "digestSRI": "sha384-AAAA"}
OLD: Final = changed(
    CREDENTIAL,
    {
        "@context": [CREDENTIALS_V1],
        "issuanceDate": "2026-11-24T00:00:00Z",
        "expirationDate": "2026-12-31T23:59:59Z",
        "validFrom": ABSENT,
        "validUntil": ABSENT,
    },
)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": NAMES[0]},
        {"issuer": {"id": ISSUER, "description": NAMES[1]}},
        {"relatedResource": RESOURCE},
        {"relatedResource": [RESOURCE, {"id": URN, "digestMultibase": "uAAAA", "mediaType": "image/png"}]},
        {"relatedResource": [{**RESOURCE, "id": f"{URN}#{number}"} for number in range(MAX_RESOURCES)]},
    ],
)
def test_accepted_of_version_2(changes: Mapping[str, Any]) -> None:
    assert parse_credential(changed(CREDENTIAL, changes)).types


def test_a_credential_of_version_1_says_its_period_in_other_words() -> None:
    credential = parse_credential(changed(OLD, {"proof": PROOF}))
    assert credential.valid_from == datetime(2026, 11, 24, tzinfo=UTC)
    assert credential.valid_until == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert len(credential.proofs) == 1
    assert parse_credential(changed(OLD, {"expirationDate": ABSENT})).valid_until is None


OLD_REFUSED: Final[tuple[Refusal, ...]] = (
    ({"issuanceDate": ABSENT}, "/issuanceDate", "MISSING"),
    ({"issuanceDate": None}, "/issuanceDate", "MISSING"),
    ({"issuanceDate": "2026-11-24"}, "/issuanceDate", "BAD_DATE"),
    ({"expirationDate": "2026-11-23T23:59:59Z"}, "/expirationDate", "BAD_PERIOD"),
    ({"credentialStatus": {"type": "Status"}}, "/credentialStatus/id", "BAD_ID"),
    ({"credentialSubject": {}}, "/credentialSubject", "BAD_SUBJECT"),
    ({"proof": {}}, "/proof/proofValue", "MISSING"),
)


@pytest.mark.parametrize(("changes", "where", "code"), OLD_REFUSED)
def test_refused_of_version_1(changes: Mapping[str, Any], where: str, code: str) -> None:
    refuse(parse_credential, changed(OLD, changes), where, code)


def test_a_presentation_is_of_version_2() -> None:
    refuse(parse_presentation, changed(PRESENTATION, {"@context": [CREDENTIALS_V1]}), "/@context", "BAD_CONTEXT")
    assert len(parse_presentation(changed(PRESENTATION, {"verifiableCredential": OLD})).credentials) == 1


def test_a_presentation_of_nothing_is_one_only_where_asked_for() -> None:
    document = changed(PRESENTATION, {"verifiableCredential": ABSENT})
    refuse(parse_presentation, document, "/verifiableCredential", "BAD_PRESENTATION")
    assert parse_presentation(document, least=0).credentials == ()


# --- credentials that are refused ------------------------------------------------------------------------------------


NOT_URLS: Final[Values] = (
    None, True, 4, 1.5, [], [URN], {}, "", "x", "relative/path", "//example.com/a", ":a", "1a:b", "did:", "http://a b",
    "http://a\tb", "http://a\n", "http://<a>", 'http://"', "http://{a}", "http://a|b", "http://a\\b", "http://a^b",
    "http://a`b", "é:a", "https://example.com/".ljust(2049, "a"),
)  # fmt: skip
NOT_OBJECTS: Final[Values] = (None, True, 4, "x")
NOT_TEXTS: Final[Values] = (None, True, 4, {}, [4], ["x", None], [["x"]], "", [""])
NOT_CONTEXT_LISTS: Final[Values] = (
    ABSENT, None, CREDENTIALS_V2, {}, [], [EXAMPLES, CREDENTIALS_V2], [[CREDENTIALS_V2]], [{}, CREDENTIALS_V2],
    ["https://www.w3.org/ns/credentials/v2/"],
)  # fmt: skip
NOT_CONTEXTS: Final[Values] = (None, True, 4, "relative", "", [EXAMPLES], "http://a b")
NOT_OF_THE_TYPE: Final[Values] = ([], ["ExampleCredential"], "VerifiablePresentation", ["verifiablecredential"])
NOT_ISSUERS: Final[Values] = (
    ABSENT, *NOT_URLS, {"id": None}, {"id": "x"}, {"id": [URN]}, {"name": "Example"}, [{"id": URN}],
)  # fmt: skip
NOT_SUBJECTS: Final[Values] = (None, True, 4, "x", URN, {}, [])
TYPED: Final = ("credentialStatus", "credentialSchema", "termsOfUse", "evidence", "refreshService")


def refusals() -> Iterator[Refusal]:
    yield from (({"@context": value}, "/@context", "BAD_CONTEXT") for value in NOT_CONTEXT_LISTS)
    for value in NOT_CONTEXTS:
        yield {"@context": [CREDENTIALS_V2, EXAMPLES, value]}, "/@context/2", "BAD_CONTEXT"
    yield from (({"type": value}, "/type", "NOT_TEXT") for value in (ABSENT, *NOT_TEXTS))
    yield from (({"type": value}, "/type", "BAD_TYPE") for value in NOT_OF_THE_TYPE)
    yield from (({"id": value}, "/id", "BAD_ID") for value in NOT_URLS)
    yield from (({"issuer": value}, "/issuer", "BAD_ID") for value in NOT_ISSUERS)
    for value in NOT_SUBJECTS:
        yield {"credentialSubject": value}, "/credentialSubject", "BAD_SUBJECT"
        yield {"credentialSubject": [{"a": 1}, value]}, "/credentialSubject/1", "BAD_SUBJECT"
    yield {"credentialSubject": ABSENT}, "/credentialSubject", "BAD_SUBJECT"
    for value in NOT_URLS:
        yield {"credentialSubject": {"id": value, "a": 1}}, "/credentialSubject/id", "BAD_ID"
        yield {"credentialSubject": [{"id": value, "a": 1}]}, "/credentialSubject/0/id", "BAD_ID"


def typed_refusals() -> Iterator[Refusal]:
    good = {"id": URN, "type": "Example"}
    for name in TYPED:
        yield {name: []}, f"/{name}", "NOT_AN_OBJECT"
        for value in NOT_OBJECTS:
            yield {name: value}, f"/{name}", "NOT_AN_OBJECT"
            yield {name: [good, value]}, f"/{name}/1", "NOT_AN_OBJECT"
        yield {name: {"id": URN}}, f"/{name}/type", "NOT_TEXT"
        for types in NOT_TEXTS:
            yield {name: {**good, "type": types}}, f"/{name}/type", "NOT_TEXT"
        yield {name: [good, {**good, "type": []}]}, f"/{name}/1/type", "BAD_TYPE"
        for value in NOT_URLS:
            yield {name: {**good, "id": value}}, f"/{name}/id", "BAD_ID"
    yield {"credentialSchema": {"type": "JsonSchema"}}, "/credentialSchema/id", "BAD_ID"


NOT_LANGUAGE_TEXTS: Final[Values] = (
    None, True, 4, {}, {"@language": "en"}, {"@value": 4}, {"@value": "x", "url": URN}, {"@value": "x", "@type": "@id"},
    {"@value": "x", "@language": 4},
)  # fmt: skip
NOT_RESOURCES: Final[tuple[tuple[Any, str, str], ...]] = (
    ("x", "", "NOT_AN_OBJECT"),
    ({**RESOURCE, "id": "x"}, "/id", "BAD_ID"),
    ({"digestSRI": "x"}, "/id", "BAD_ID"),
    ({"id": URN}, "", "MISSING"),
    ({"id": URN, "digestSRI": []}, "", "MISSING"),
    ({"id": URN, "digestSRI": 4}, "/digestSRI", "NOT_TEXT"),
    ({"id": URN, "digestMultibase": ["x", None]}, "/digestMultibase", "NOT_TEXT"),
)


def version_2_refusals() -> Iterator[Refusal]:
    for name in ("name", "description"):
        for value in NOT_LANGUAGE_TEXTS:
            yield {name: value}, f"/{name}", "NOT_TEXT"
            yield {"issuer": {"id": ISSUER, name: value}}, f"/issuer/{name}", "NOT_TEXT"
            yield {name: [NAMES[0], value]}, f"/{name}/1", "NOT_TEXT"
    for value, where, code in NOT_RESOURCES:
        yield {"relatedResource": value}, f"/relatedResource{where}", code
        yield {"relatedResource": [RESOURCE, value]}, f"/relatedResource/1{where}", code
    yield {"relatedResource": [RESOURCE, {**RESOURCE, "digestSRI": "x"}]}, "/relatedResource/1/id", "BAD_ID"
    yield {"relatedResource": [RESOURCE] * (MAX_RESOURCES + 1)}, "/relatedResource", "TOO_LARGE"


@pytest.mark.parametrize(("changes", "where", "code"), [*refusals(), *typed_refusals(), *version_2_refusals()])
def test_refused(changes: Mapping[str, Any], where: str, code: str) -> None:
    refuse(parse_credential, changed(CREDENTIAL, changes), where, code)


@pytest.mark.parametrize("document", [None, True, 4, "x", [], [CREDENTIAL]], ids=repr)
@pytest.mark.parametrize("parse", [parse_credential, parse_presentation])
def test_what_is_no_object_is_no_document(parse: Any, document: Any) -> None:
    refuse(parse, document, "", "NOT_AN_OBJECT")


def test_subjects_are_bounded() -> None:
    subjects = [{"a": 1}] * MAX_SUBJECTS
    assert len(parse_credential(changed(CREDENTIAL, {"credentialSubject": subjects})).subjects) == MAX_SUBJECTS
    document = changed(CREDENTIAL, {"credentialSubject": [*subjects, {"a": 1}]})
    refuse(parse_credential, document, "/credentialSubject", "BAD_SUBJECT")


# --- dates -----------------------------------------------------------------------------------------------------------

DATES: Final[Mapping[str, datetime]] = {
    "2026-11-24T12:30:59Z": datetime(2026, 11, 24, 12, 30, 59, tzinfo=UTC),
    "2026-11-24T12:30:59.1Z": datetime(2026, 11, 24, 12, 30, 59, 100_000, tzinfo=UTC),
    "2026-11-24T12:30:59.123Z": datetime(2026, 11, 24, 12, 30, 59, 123_000, tzinfo=UTC),
    "2026-11-24T12:30:59.000001000Z": datetime(2026, 11, 24, 12, 30, 59, 1, tzinfo=UTC),
    "2026-11-24T00:00:00+01:00": datetime(2026, 11, 23, 23, tzinfo=UTC),
    "2026-11-24T00:00:00.5-08:00": datetime(2026, 11, 24, 8, 0, 0, 500_000, tzinfo=UTC),
    "2026-11-24T00:00:00+14:00": datetime(2026, 11, 23, 10, tzinfo=UTC),
    "2026-11-24T00:00:00-13:59": datetime(2026, 11, 24, 13, 59, tzinfo=UTC),
    "2026-11-24T00:00:00+00:00": datetime(2026, 11, 24, tzinfo=UTC),
    "2026-11-24T00:00:00-00:00": datetime(2026, 11, 24, tzinfo=UTC),
    "2028-02-29T00:00:00Z": datetime(2028, 2, 29, tzinfo=UTC),
    "0001-01-01T00:00:00Z": datetime(1, 1, 1, tzinfo=UTC),
    "9999-12-31T23:59:59Z": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
}
NOT_DATES: Final[Values] = (
    None, True, 0, 1764000000, [], ["2026-11-24T00:00:00Z"], {}, "", "now", "2026-11-24",
    "2026-11-24T00:00Z", "2026-11-24 00:00:00Z", "2026-11-24t00:00:00z", "20261124T000000Z", "2026-W48-2T00:00:00Z",
    "2026-11-24T00:00:00z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-11-00T00:00:00Z",
    "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-24T25:00:00Z", "2026-11-24T00:60:00Z",
    "2026-12-31T23:59:60Z", "2026-11-24T00:00:00+1:00", "2026-11-24T00:00:00+0100", "2026-11-24T00:00:00+01",
    "2026-11-24T00:00:00+14:01", "2026-11-24T00:00:00+15:00", "2026-11-24T00:00:00+00:60", "2026-11-24T00:00:00+24:00",
    "2026-11-24T00:00:00+00:00:30", "2026-11-24T00:00:00Z+01:00", "2026-11-24T00:00:00.Z", "2026-11-24T00:00:00,5Z",
    "2026-11-24T00:00:00.0000000000Z", "-2026-11-24T00:00:00Z", "12026-11-24T00:00:00Z", "0000-01-01T00:00:00Z",
    " 2026-11-24T00:00:00Z", "2026-11-24T00:00:00Z ", "2026-11-24T00:00:00Z\n", "2026-11-24T00:00:00Z\0",
    "２０２６-11-24T00:00:00Z", "2026-11-24T00:00:00.٣Z", "2026-11-24T00:00:00+٠١:00", "2026−11−24T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
)  # fmt: skip


@pytest.mark.parametrize(("text", "moment"), DATES.items(), ids=DATES.keys())
def test_a_date_is_a_moment(text: str, moment: datetime) -> None:
    assert parse_date_time(text, where="/validFrom") == moment
    assert parse_credential(changed(CREDENTIAL, {"validFrom": text, "validUntil": ABSENT})).valid_from == moment


@pytest.mark.parametrize("text", NOT_DATES, ids=repr)
def test_what_is_no_date(text: Any) -> None:
    for name in ("validFrom", "validUntil"):
        refuse(parse_credential, changed(CREDENTIAL, {name: text}), f"/{name}", "BAD_DATE")
    for name in ("created", "expires"):
        refuse(parse_proof, changed(PROOF, {name: text}), f"/proof/{name}", "BAD_DATE")


@pytest.mark.parametrize("text", ["2026-11-24T12:30:59", "2026-11-24T12:30:59.123"])
def test_without_an_offset_a_time_is_one_of_a_proof_only(text: str) -> None:
    moment = DATES[f"{text}Z"]
    proof = parse_proof(changed(PROOF, {"created": text, "expires": text}))
    assert (proof.created, proof.expires, proof.options["created"]) == (moment, moment, text)
    refuse(parse_credential, changed(CREDENTIAL, {"validFrom": text}), "/validFrom", "BAD_DATE")


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-24T00:00:00Z", "2026-11-23T23:59:59Z"),
        ("2026-11-24T00:00:00.001Z", "2026-11-24T00:00:00Z"),
        ("2026-11-24T00:00:00Z", "2026-11-24T00:30:00+01:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"),
        ("9999-12-31T23:59:59-13:00", "9999-12-31T23:59:59Z"),
    ],
)
def test_a_period_does_not_end_before_it_begins(start: str, end: str) -> None:
    document = changed(CREDENTIAL, {"validFrom": start, "validUntil": end})
    refuse(parse_credential, document, "/validUntil", "BAD_PERIOD")


ZONES: Final = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS: Final = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.just(UTC) | ZONES)


@without_deadline
@given(MOMENTS)
def test_a_moment_is_written_in_utc(moment: datetime) -> None:
    text = format_date_time(moment)
    assert text.endswith("Z")
    assert parse_date_time(text, where="") == moment.replace(microsecond=0)


# --- proofs ----------------------------------------------------------------------------------------------------------


def test_what_is_read_of_a_proof() -> None:
    members = {**PROOF, "id": URN, "previousProof": ["urn:a:1", "urn:a:2"], "challenge": "c", "domain": "d",
               "expires": "2027-01-01T00:00:00+01:00", "nonce": "n"}  # fmt: skip
    proof = parse_proof(dict(members))
    assert proof.options == {name: value for name, value in members.items() if name != "proofValue"}
    assert (proof.value, proof.type, proof.cryptosuite) == ("z3FXQ", "DataIntegrityProof", "eddsa-rdfc-2022")
    assert (proof.verification_method, proof.purpose) == (PROOF["verificationMethod"], "assertionMethod")
    assert (proof.id, proof.previous) == (URN, ("urn:a:1", "urn:a:2"))
    assert (proof.challenge, proof.domain) == ("c", ("d",))
    assert proof.created == datetime(2026, 11, 24, tzinfo=UTC)
    assert proof.expires == datetime(2026, 12, 31, 23, tzinfo=UTC)


def test_what_a_proof_may_leave_out() -> None:
    proof = parse_proof(changed(PROOF, {"cryptosuite": ABSENT, "created": ABSENT}))
    assert (proof.cryptosuite, proof.id, proof.previous, proof.challenge, proof.domain) == ("", None, (), None, ())
    assert proof.created is proof.expires is None


def test_one_and_several_previous_proofs_and_domains() -> None:
    one = parse_proof(changed(PROOF, {"previousProof": URN, "domain": "a"}))
    several = parse_proof(changed(PROOF, {"previousProof": [URN], "domain": ["a", "b"]}))
    assert one.previous == several.previous == (URN,)
    assert (one.domain, several.domain) == (("a",), ("a", "b"))


def proof_refusals() -> Iterator[Refusal]:
    for name in ("type", "verificationMethod", "proofPurpose", "proofValue"):
        for value in (ABSENT, None, True, 4, "", [], ["x"], {}):
            yield {name: value}, f"/proof/{name}", "MISSING"
    for name in ("cryptosuite", "challenge"):
        for value in (None, True, 4, "", [], ["x"], {}):
            yield {name: value}, f"/proof/{name}", "MISSING"
    for name in ("previousProof", "domain"):
        for value in NOT_TEXTS:
            yield {name: value}, f"/proof/{name}", "NOT_TEXT"
    for value in NOT_URLS:
        yield {"id": value}, "/proof/id", "BAD_ID"


@pytest.mark.parametrize(("changes", "where", "code"), list(proof_refusals()))
def test_refused_proof(changes: Mapping[str, Any], where: str, code: str) -> None:
    refuse(parse_proof, changed(PROOF, changes), where, code)
    secured = changed(CREDENTIAL, {"proof": [PROOF, changed(PROOF, changes)]})
    refuse(parse_credential, secured, where.replace("/proof/", "/proof/1/"), code)


@pytest.mark.parametrize("proof", [None, []], ids=repr)
def test_a_proof_that_is_none(proof: Any) -> None:
    refuse(parse_credential, changed(CREDENTIAL, {"proof": proof}), "/proof", "PROOF_MISSING")
    refuse(parse_presentation, changed(PRESENTATION, {"proof": proof}), "/proof", "PROOF_MISSING")
    refuse(parse_proofs, {}, "/proof", "PROOF_MISSING")


@pytest.mark.parametrize("proof", [True, 4, "z3FXQ"], ids=repr)
def test_a_proof_that_is_no_object(proof: Any) -> None:
    refuse(parse_proof, proof, "/proof", "NOT_AN_OBJECT")
    refuse(parse_credential, changed(CREDENTIAL, {"proof": proof}), "/proof", "NOT_AN_OBJECT")
    refuse(parse_credential, changed(CREDENTIAL, {"proof": [PROOF, proof]}), "/proof/1", "NOT_AN_OBJECT")


@pytest.mark.parametrize(("parse", "document"), [(parse_credential, CREDENTIAL), (parse_presentation, PRESENTATION)])
def test_proofs_are_bounded(parse: Any, document: Mapping[str, Any]) -> None:
    assert len(parse(changed(document, {"proof": [PROOF] * MAX_PROOFS})).proofs) == MAX_PROOFS
    refuse(parse, changed(document, {"proof": [PROOF] * (MAX_PROOFS + 1)}), "/proof", "PROOF_MISSING")


# --- presentations ---------------------------------------------------------------------------------------------------


def test_what_is_read_of_a_presentation() -> None:
    held = [changed(CREDENTIAL, {"proof": PROOF}), changed(CREDENTIAL, {"issuer": URN})]
    document = changed(PRESENTATION, {"verifiableCredential": held, "id": URN})
    presentation = parse_presentation(document)
    assert presentation.document == {name: value for name, value in document.items() if name != "proof"}
    assert presentation.holder == HOLDER
    assert [credential.issuer for credential in presentation.credentials] == [ISSUER, URN]
    assert [len(credential.proofs) for credential in presentation.credentials] == [1, 0]
    assert [proof.challenge for proof in presentation.proofs] == ["c"]


@pytest.mark.parametrize(
    ("changes", "holder"),
    [
        ({"holder": ABSENT}, None),
        ({"holder": {"id": HOLDER, "name": "x"}}, HOLDER),
        ({"proof": ABSENT}, HOLDER),
        ({"verifiableCredential": CREDENTIAL}, HOLDER),
        ({"type": "VerifiablePresentation"}, HOLDER),
    ],
)
def test_accepted_presentation(changes: Mapping[str, Any], holder: str | None) -> None:
    presentation = parse_presentation(changed(PRESENTATION, changes))
    assert presentation.holder == holder
    assert len(presentation.credentials) == 1


def presentation_refusals() -> Iterator[Refusal]:
    yield {"@context": CREDENTIALS_V2}, "/@context", "BAD_CONTEXT"
    yield {"type": ["VerifiableCredential"]}, "/type", "BAD_TYPE"
    yield {"type": ABSENT}, "/type", "NOT_TEXT"
    for value in NOT_URLS:
        yield {"id": value}, "/id", "BAD_ID"
        yield {"holder": value}, "/holder", "BAD_ID"
    for value in (ABSENT, None, []):
        yield {"verifiableCredential": value}, "/verifiableCredential", "BAD_PRESENTATION"
    for value in (True, 4, "x", URN):
        yield {"verifiableCredential": value}, "/verifiableCredential", "NOT_AN_OBJECT"
        yield {"verifiableCredential": [CREDENTIAL, value]}, "/verifiableCredential/1", "NOT_AN_OBJECT"
    for changes, where, code in (*refusals(), ({"proof": {}}, "/proof/proofValue", "MISSING")):
        credential = changed(CREDENTIAL, changes)
        yield {"verifiableCredential": credential}, f"/verifiableCredential{where}", code
        yield {"verifiableCredential": [CREDENTIAL, credential]}, f"/verifiableCredential/1{where}", code


@pytest.mark.parametrize(("changes", "where", "code"), list(presentation_refusals()))
def test_refused_presentation(changes: Mapping[str, Any], where: str, code: str) -> None:
    refuse(parse_presentation, changed(PRESENTATION, changes), where, code)


def test_credentials_are_bounded() -> None:
    held = [CREDENTIAL] * MAX_CREDENTIALS
    presentation = parse_presentation(changed(PRESENTATION, {"verifiableCredential": held}))
    assert len(presentation.credentials) == MAX_CREDENTIALS
    document = changed(PRESENTATION, {"verifiableCredential": [*held, CREDENTIAL]})
    refuse(parse_presentation, document, "/verifiableCredential", "BAD_PRESENTATION")


# --- URLs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "did:example:1",
        URN,
        "a:b",
        "https://é.example/ü?x#y",
        "data:,x",
        "A+-.1:x",
        "https://example.com/".ljust(2048, "a"),
    ],
)
def test_a_url(text: str) -> None:
    assert is_url(text)


@pytest.mark.parametrize("text", NOT_URLS, ids=repr)
def test_what_is_no_url(text: Any) -> None:
    assert not is_url(text)


# --- our error or a value --------------------------------------------------------------------------------------------

JSON: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from([URN, *DATES]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "type", "proof", "x"]), inner),
    max_leaves=8,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield from places(member, (*path, name))


SECURED: Final = changed(
    PRESENTATION, {"verifiableCredential": [changed(CREDENTIAL, {"proof": [PROOF], "evidence": {}})]}
)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(list(places(SECURED))), JSON)
def test_only_our_errors_leave(path: tuple[str | int, ...], value: Any) -> None:
    document: Any = [deepcopy(SECURED)]
    place = document
    for name in (0, *path)[:-1]:
        place = place[name]
    place[(0, *path)[-1]] = value
    try:
        presentation = parse_presentation(document[0])
    except VcError:
        return
    assert "proof" not in presentation.document
    assert all("proof" not in credential.document for credential in presentation.credentials)
