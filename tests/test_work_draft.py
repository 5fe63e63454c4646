"""Drafts: one shape for all workers of a type, and nothing in it beside the claims."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from importlib.resources import files
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import work
from tests.work_samples import CLAIMS, ISSUER, SOME, WORKER, statement, statements
from vc.canon import Json
from vc.errors import Malformed, Unsupported
from vc.jsonld import to_rdf
from vc.rdf import canonicalize
from work import contexts, months
from work.draft import Draft, draft, fillers, is_filler, mandatory_pointers, pad, visible
from work.ladders import rungs
from work.statement import Statement
from work.subject import build_subject, claim_of, claim_on, path_of, read_claims, value_at
from work.types import ANSWERS, LANGUAGES, TYPES
from work.validate import check_document

AT = datetime(2026, 11, 24, 13, 45, 1, tzinfo=UTC)
FILLER = re.compile(r'"[!~][0-9]{2}"')
TYPE_NAMES = sorted(TYPES)
WORKER_TYPES = sorted(kind.name for kind in TYPES.values() if kind.about == "worker")
PLATFORMS_TYPES = sorted(set(WORKER_TYPES) - set(ANSWERS))
# Counted once: a change here changes what is signed, for every credential that is out.
QUADS = {
    "PlatformMembership": 39,
    "WorkHistory": 124,
    "CompletedWork": 33,
    "Rating": 69,
    "RatingBand": 36,
    "Review": 35,
    "Earnings": 91,
    "RatingContext": 47,
    "Qualification": 42,
    "ProfessionalInsurance": 85,
    "TrainingRights": 53,
    "DisputeOutcome": 24,
    "Reply": 20,
    "Dispute": 29,
}
BEARER = {"Qualification": 5}  # more, where a credential names no key: Open Badges asks for something in its place


def drafted(made: Statement, holder: str | None = WORKER) -> Draft:
    return draft(made, issuer=ISSUER, holder=holder if TYPES[made.type].about == "worker" else None, at=AT)


def quads(document: dict[str, Json]) -> tuple[str, ...]:
    return canonicalize(to_rdf(document, work.CONTEXTS).quads).quads


def subject(document: dict[str, Any]) -> dict[str, Any]:
    found = document["credentialSubject"]
    assert isinstance(found, dict)
    return found


def test_a_draft_is_the_published_shape() -> None:
    document = drafted(statement("Earnings")).document
    claims = subject(document)
    assert {name: value for name, value in document.items() if name != "credentialSubject"} == {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://w3id.org/ouvrage/v1"],
        "type": ["VerifiableCredential", "EarningsCredential"],
        "issuer": ISSUER,
        "validFrom": "2026-11-24T00:00:00Z",
        "validUntil": "2026-12-31T23:59:59Z",
        "credentialSchema": {"id": "https://w3id.org/ouvrage/v1/schemas/Earnings", "type": "JsonSchema"},
        "termsOfUse": {
            "id": "https://w3id.org/ouvrage/v1/terms/Earnings",
            "type": "WorkerDataTerms",
            "allowedPurpose": ["credit.consumer.eu", "housing.tenancy.fr", "insurance.rcpro.fr"],
            "retentionMaxDays": "90",
        },
    }
    assert claims["id"] == WORKER
    assert claims["total12m"] == "~01"
    assert claims["monthly"] == [*fillers("before", 21), "2025-05 12000.00", "2025-06 0.00", "2025-07 6210.30"]
    assert claims["averageAtLeast12m"] == [*CLAIMS["Earnings"]["averageAtLeast12m"], "~01", "~02", "~03", "~04"]
    assert claims["averageAtLeast3m"] == list(fillers("after", 12))


def test_who_the_subject_is() -> None:
    assert "id" not in subject(drafted(statement("Earnings"), None).document)
    assert subject(drafted(statement("RatingContext")).document)["id"] == ISSUER
    with pytest.raises(Malformed):
        draft(statement("RatingContext"), issuer=ISSUER, holder=WORKER, at=AT)


def test_the_worker_is_never_in_it() -> None:
    made = Statement("Earnings", "very-own-id-of-the-worker", CLAIMS["Earnings"])
    assert "very-own-id-of-the-worker" not in json.dumps(drafted(made).document)


@pytest.mark.parametrize("kind", TYPE_NAMES)
@SOME
@given(data=st.data())
def test_every_credential_of_a_type_has_the_same_number_of_quads(kind: str, data: st.DataObject) -> None:
    document = drafted(data.draw(statements(kind))).document
    check_document(document)
    assert len(quads(document)) == QUADS[kind]


@pytest.mark.parametrize("kind", WORKER_TYPES)
def test_without_a_holder_it_is_the_same_number(kind: str) -> None:
    assert len(quads(drafted(statement(kind), None).document)) == QUADS[kind] + BEARER.get(kind, 0)


@pytest.mark.parametrize("kind", TYPE_NAMES)
@SOME
@given(data=st.data())
def test_a_claim_stands_at_one_place_whatever_its_neighbours(kind: str, data: st.DataObject) -> None:
    """For single claims: the place of the predicate. It says nothing about which other claims are filler."""
    one, other = (places(data.draw(statements(kind))) for _ in range(2))
    assert one == other


def places(made: Statement) -> list[list[str]]:
    """The predicates of each node in their order. Which node comes first is drawn anew for every signature."""
    nodes: dict[str, list[str]] = {}
    for line in quads(drafted(made).document):
        name, predicate, _ = line.split(" ", 2)
        nodes.setdefault(name, []).append(predicate)
    return sorted(nodes.values())


@SOME
@given(one=statements("Earnings"), other=statements("Earnings"))
def test_the_place_of_a_rung_tells_nothing_about_the_rungs_above_it(one: Statement, other: Statement) -> None:
    """Whoever reaches a rung reaches all below it; its place among the signed quads is then the same for everybody."""
    for name in ("averageAtLeast3m", "averageAtLeast6m", "averageAtLeast12m"):
        shared = set(one.claims.get(name, ())) & set(other.claims.get(name, ()))
        for step in shared:
            assert place(one, name, step) == place(other, name, step)


@SOME
@given(one=statements("Earnings"), other=statements("Earnings"))
def test_the_place_of_a_month_is_its_distance_from_the_end(one: Statement, other: Statement) -> None:
    first, second = months_at(one), months_at(other)
    for distance in first.keys() & second.keys():
        assert first[distance] == second[distance]


def place(made: Statement, name: str, value: str) -> int:
    wanted = f'#{name}> "{value}"'
    return next(index for index, line in enumerate(quads(drafted(made).document)) if wanted in line)


def months_at(made: Statement) -> dict[int, int]:
    end = months.number(str(made.claims["periodEnd"]))
    lines = quads(drafted(made).document)
    found = ((index, line.split('#monthly> "')[1]) for index, line in enumerate(lines) if '#monthly> "' in line)
    return {end - months.number(value): index for index, value in found if not is_filler(value[:3])}


def test_mandatory_pointers_are_those_of_the_type_and_all_resolve() -> None:
    for kind in TYPES.values():
        made = drafted(statement(kind.name))
        assert made.mandatory == mandatory_pointers(kind)
        assert {claim.pointer for claim in kind.claims.values() if claim.mandatory} < set(made.mandatory)
        for pointer in made.mandatory:
            node: Any = made.document
            for part in pointer.split("/")[1:]:
                node = node[part]
            assert not is_filler(node)
    assert "/credentialSubject/ratingValue" in mandatory_pointers(TYPES["Rating"])
    assert "/credentialSubject/monthly" not in mandatory_pointers(TYPES["Earnings"])


@pytest.mark.parametrize("kind", TYPE_NAMES)
@given(data=st.data())
@SOME
def test_visible_takes_the_filler_away_and_nothing_else(kind: str, data: st.DataObject) -> None:
    made = data.draw(statements(kind))
    document = drafted(made).document
    before = json.dumps(document)
    claims, others = read_claims(TYPES[kind], subject(visible(document)))
    seen: dict[str, Any] = claims
    assert {name: value if isinstance(value, str) else sorted(value) for name, value in seen.items()} == made.to_json()[
        "claims"
    ]
    assert others == ()
    assert not FILLER.search(json.dumps(visible(document)))
    assert json.dumps(document) == before


def test_filler_is_no_value_of_any_claim() -> None:
    for kind in TYPES.values():
        for claim in kind.claims.values():
            for filler in (*fillers("after", 3), *fillers("before", 3)):
                assert is_filler(filler)
                assert not claim.accepts(filler)
    others: list[Json] = ["~1", "01", "~001", "", "~01\n", None, 1, ["~01"]]
    assert not any(is_filler(value) for value in others)


def test_filler_sorts_on_its_side() -> None:
    ladder = TYPES["Earnings"].claims["averageAtLeast12m"]
    assert pad(ladder, rungs(ladder.ladder)[:2]) == ["000100", "000200", *fillers("after", 10)]
    assert pad(TYPES["Earnings"].claims["total"], "1.00") == "1.00"


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-11-24", "2026-12-31"),
        ("2026-12-02", "2026-12-31"),
        ("2026-12-16", "2026-12-31"),
        ("2026-12-17T23:59:59", "2026-12-31"),  # 45 days to the second, but not from the day
        ("2026-12-18", "2027-01-31"),
        ("2027-01-31", "2027-02-28"),
        ("2028-01-20", "2028-02-29"),
        ("2027-02-01", "2027-02-28"),
    ],
)
def test_validity_ends_with_a_month(at: str, until: str) -> None:
    assert (
        f"{months.valid_until(datetime.fromisoformat(at).replace(tzinfo=UTC)):%Y-%m-%dT%H:%M:%SZ}"
        == f"{until}T23:59:59Z"
    )


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_validity_is_bounded_and_tells_the_day_only(at: datetime) -> None:
    start, end = months.first_second(at), months.valid_until(at)
    assert at < end <= start + timedelta(days=45)
    assert (end + timedelta(seconds=1)).day == 1
    assert months.valid_until(start) == end == months.valid_until(start + timedelta(hours=23, minutes=59))


def test_moments_are_read_in_utc_and_need_a_zone() -> None:
    assert months.first_second(datetime(2026, 12, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))) == datetime(
        2026, 11, 30, tzinfo=UTC
    )
    with pytest.raises(Malformed):
        months.first_second(datetime(2026, 12, 1))


@given(st.integers(0, 200), st.integers(months.number("1950-01"), months.number("2080-01")))
def test_months_are_counted_without_a_calendar(length: int, last: int) -> None:
    window = months.span(months.back(months.name(last), length), months.name(last))
    assert len(window) == length
    assert list(window) == sorted(window)
    assert [months.number(month) for month in window] == list(range(last - length + 1, last + 1))


# --- schemas and context ---


STRUCTURE = {"WorkerDataTerms", "allowedPurpose", "retentionMaxDays"}


def context_terms(url: str = contexts.URL) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(contexts.RAW[url])["@context"]
    return {name: term for name, term in loaded.items() if not name.startswith("@")}


@pytest.mark.parametrize("url", contexts.RAW)
def test_every_claim_has_a_term_and_every_term_is_used(url: str) -> None:
    kinds = [kind for kind in TYPES.values() if url in kind.contexts]
    claims = {str(claim.path[0]) for kind in kinds for claim in kind.claims.values() if len(claim.path) == 1}
    assert kinds
    assert context_terms(url).keys() == claims | {kind.credential_type for kind in kinds} | STRUCTURE


def test_the_contexts_agree_in_the_terms_that_both_have() -> None:
    one, other = (context_terms(url) for url in contexts.RAW)
    shared = one.keys() & other.keys()
    assert shared > STRUCTURE
    assert {name: one[name] for name in shared} == {name: other[name] for name in shared}


def test_terms_have_the_datatype_of_their_shape() -> None:
    """Claims that stand deeper are told in the terms of another vocabulary, which has its own datatypes."""
    own = {
        "text": None,
        "title": None,
        "passage": None,
        "longText": None,
        "prose": None,
        "definition": "@id",
        "source": "http://www.w3.org/2001/XMLSchema#anyURI",
    }
    for kind in TYPES.values():
        for claim in (each for each in kind.claims.values() if len(each.path) == 1):
            term = context_terms(kind.contexts[-1])[claim.name]
            assert term.get("@type") == own.get(claim.kind, f"{contexts.URL}#{claim.kind}"), claim.name
            assert (term.get("@container") == "@set") == claim.many
            assert term["@id"] in (f"{contexts.URL}#{claim.name}", f"https://schema.org/{claim.name}")


@pytest.mark.parametrize("url", contexts.RAW)
def test_the_contexts_are_strict(url: str) -> None:
    context = json.loads(contexts.RAW[url])["@context"]
    assert context["@version"] == 1.1
    assert context["@protected"] is True
    assert "@vocab" not in context
    assert "@list" not in contexts.RAW[url].decode()


@pytest.mark.parametrize(
    ("url", "pin"), [(contexts.URL, contexts.PIN), (contexts.QUALIFICATION_URL, contexts.QUALIFICATION_PIN)]
)
def test_the_contexts_are_pinned(url: str, pin: str) -> None:
    assert sha256(contexts.RAW[url]).hexdigest() == pin == work.CONTEXTS.pins[url]
    with pytest.raises(Malformed):
        contexts._pinned(url, "ouvrage-v1.jsonld", "0" * 64)


def test_every_context_of_every_type_is_there() -> None:
    for kind in TYPES.values():
        assert kind.contexts[0] == contexts.CREDENTIALS_URL
        assert set(kind.contexts) <= work.CONTEXTS.pins.keys()


def test_a_term_that_is_not_ours_is_an_error() -> None:
    document = drafted(statement("Earnings")).document
    subject(document)["globalScore"] = "97"
    with pytest.raises(Malformed):
        to_rdf(document, work.CONTEXTS)


def test_schemas_say_everything_in_both_languages() -> None:
    for kind in TYPES.values():
        described = [kind.labels, kind.explain]
        for claim in kind.claims.values():
            described += [claim.labels, claim.explain, *claim.words.values()] + ([claim.say] if claim.say else [])
        for words in described:
            assert tuple(words) == LANGUAGES
            assert all(words.values())


def test_what_schemas_share_they_share_word_for_word() -> None:
    shapes: dict[str, Any] = {}
    for kind in TYPES.values():
        for name, shape in kind.schema["$defs"].items():
            assert shapes.setdefault(name, shape) == shape
    common = ("category", "sourceMethod", "periodEnd")
    assert all(
        TYPES[kind].claims[name] == TYPES["Earnings"].claims[name] for kind in PLATFORMS_TYPES for name in common
    )


def test_a_ladder_has_a_slot_for_every_rung() -> None:
    ladders = [claim for kind in TYPES.values() for claim in kind.claims.values() if claim.ladder]
    assert len(ladders) == 8
    assert all(claim.slots == len(claim.ladder) and claim.fill == "after" for claim in ladders)


def test_what_identifies_by_nature_says_so() -> None:
    """A mark or a fingerprint that is always shown, dates to the day, or a figure with many decimals."""
    identifying = {"CompletedWork", "Rating", "Review", "ProfessionalInsurance", "DisputeOutcome", "Reply", "Dispute"}
    assert {kind.name for kind in TYPES.values() if kind.identifies} == identifying


def test_the_schemas_are_valid_and_name_no_other() -> None:
    for kind in TYPES.values():
        assert jsonschema_rs.meta.is_valid(dict(kind.schema))
        assert "http" not in json.dumps([shape.get("$ref", "") for shape in walk(kind.schema)])


def walk(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [found for item in value for found in walk(item)]
    return [value, *(found for item in value.values() for found in walk(item))] if isinstance(value, dict) else []


def test_files_and_types_agree() -> None:
    names = {path.name.removesuffix(".json") for path in files("work").joinpath("schemas").iterdir()}
    assert names == set(TYPES)
    for kind in TYPES.values():
        assert kind.schema["title"] == kind.credential_type
        assert kind.schema_id == f"{contexts.URL}/schemas/{kind.name}"
        assert kind.terms["id"] == f"{contexts.URL}/terms/{kind.name}"


# --- validation ---


WRONG: list[tuple[str, Any]] = [
    ("/issuer", "Uber"),
    ("/validFrom", "2026-11-24T13:45:01Z"),
    ("/validUntil", "2026-12-31T00:00:00Z"),
    ("/credentialSchema", "https://example.com/schema"),
    ("/termsOfUse", {}),
    ("/credentialSubject", []),
    ("/credentialSubject/currency", "usd"),
    ("/credentialSubject/currency", "~01"),
    ("/credentialSubject/monthly/0", "2025-07 1"),
    ("/credentialSubject/total", 5),
    ("/credentialSubject/averageAtLeast3m/11", "3000"),
]


@pytest.mark.parametrize(("where", "value"), WRONG)
def test_a_document_beside_its_schema_is_refused_where_it_stands(where: str, value: Any) -> None:
    document = drafted(statement("Earnings")).document
    *parents, last = where.split("/")[1:]
    node: Any = document
    for part in parents:
        node = node[part]
    node[int(last) if isinstance(node, list) else last] = value
    with pytest.raises(Malformed) as caught:
        check_document(document)
    assert caught.value.where == where
    assert caught.value.code == "SCHEMA_MISMATCH"


@pytest.mark.parametrize("take", ["total12m", "monthly", "averageAtLeast12m"])
def test_a_document_with_free_places_is_refused(take: str) -> None:
    """The schema allows it (a worker's derived credential has fewer claims); what is signed has to be complete."""
    document = drafted(statement("Earnings")).document
    shown = subject(visible(document))
    document["credentialSubject"] = {
        name: value for name, value in {**subject(document), take: shown.get(take)}.items() if value
    }
    jsonschema_rs.Draft202012Validator(dict(TYPES["Earnings"].schema), offline=True).validate(document)
    with pytest.raises(Malformed) as caught:
        check_document(document)
    assert caught.value.where == f"/credentialSubject/{take}"


def test_a_message_does_not_carry_what_the_document_says() -> None:
    document = drafted(statement("Earnings")).document
    subject(document)["total"] = "secret amount"
    with pytest.raises(Malformed) as caught:
        check_document(document)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "kind", [None, "VerifiableCredential", ["VerifiableCredential"], ["EarningsCredential", "VerifiableCredential"]]
)
def test_a_document_without_one_type_is_refused(kind: Any) -> None:
    with pytest.raises(Malformed):
        check_document({**drafted(statement("Earnings")).document, "type": kind})


def test_a_foreign_type_is_unsupported() -> None:
    with pytest.raises(Unsupported):
        check_document({"type": ["VerifiableCredential", "OpenBadgeCredential"]})


# --- where claims stand ---


def test_a_claim_is_found_where_it_was_put() -> None:
    subject_ = build_subject({("a",): "1", ("b", "c"): "2", ("b", "d", 0, "e"): ["3"], ("b", "d", 0, "f"): "4"})
    assert subject_ == {"a": "1", "b": {"c": "2", "d": [{"e": ["3"], "f": "4"}]}}
    assert value_at(subject_, ("b", "d", 0, "e")) == ["3"]
    missing: list[tuple[str | int, ...]] = [("x",), ("b", "d", 1), ("b", 0), ("a", "b"), ("b", "d", 0, "e", "f")]
    assert not any(value_at(subject_, place) for place in missing)


def test_pointers_and_paths_lead_to_their_claim() -> None:
    for kind in TYPES.values():
        for claim in kind.claims.values():
            assert claim_of(kind, claim.pointer) is claim
            assert claim_of(kind, f"{claim.pointer}/3") is claim
            assert claim_on(kind, path_of(claim)) is claim
    assert claim_on(TYPES["Qualification"], ("credentialSubject", "achievement", "alignment", None, "targetName"))
    assert claim_of(TYPES["Earnings"], "/credentialSubject/monthlyJobs") is None
    assert claim_of(TYPES["Earnings"], "/validUntil") is None
    assert claim_of(None, "/credentialSubject/monthly") is None


def test_what_is_no_claim_is_named_by_where_it_stands() -> None:
    made = drafted(statement("Qualification")).document
    held = {**subject(made), "shoeSize": "43", "type": ["Person"]}
    held["achievement"]["criteria"]["grade"] = {"of": [{"all": "1"}]}
    claims, others = read_claims(TYPES["Qualification"], held)
    assert claims.keys() == TYPES["Qualification"].claims.keys()
    assert sorted(others) == ["achievement.criteria.grade.of.0.all", "shoeSize", "type"]


def test_a_credential_without_a_key_says_that_its_bearer_has_it() -> None:
    made = drafted(statement("Qualification"), None)
    claims, others = read_claims(TYPES["Qualification"], subject(made.document))
    assert (len(claims), others) == (len(TYPES["Qualification"].claims), ())
    assert "/credentialSubject/identifier" in made.mandatory
    assert "/credentialSubject/identifier" not in drafted(statement("Qualification")).mandatory
