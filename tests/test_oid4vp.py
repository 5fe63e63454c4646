"""OpenID4VP messages: requests and each fault of one, claims paths, the choice of claims, and answers."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vc.canon import Json
from vc.errors import Malformed, Unsupported, VcError
from vc.oid4vp import (
    LDP_VC,
    SD_JWT_VC,
    MAX_CLAIMS,
    MAX_PATH,
    MAX_QUERIES,
    MAX_SETS,
    VERIFIABLE_CREDENTIAL,
    ClaimPath,
    ClaimQuery,
    CredentialQuery,
    CredentialSet,
    Request,
    credential_query,
    find_claims,
    parse_answer,
    parse_request,
    select_claims,
)

DEGREE: Final = "https://example.com/#Degree"
ABSENT: Final = object()
Place: TypeAlias = tuple[str | int, ...]
without_deadline: Final = settings(deadline=None)

REQUEST: Final[dict[str, Any]] = {
    "response_type": "vp_token",
    "client_id": "https://lender.example",
    "nonce": "n-0S6_WzA2Mj~n.0S6_WzA2Mj",
    "state": "s",
    "purpose": {"code": "tenancy"},
    "dcql_query": {
        "credentials": [
            {
                "id": "degree",
                "format": LDP_VC,
                "meta": {"type_values": [[VERIFIABLE_CREDENTIAL, DEGREE], ["https://example.com/#Diploma"]]},
                "claims": [
                    {"id": "name", "path": ["credentialSubject", "name"]},
                    {"id": "year", "path": ["credentialSubject", "years", None], "values": ["2026", 7, True]},
                    {"id": "first", "path": ["credentialSubject", "marks", 0]},
                ],
                "claim_sets": [["name", "year"], ["first"]],
            },
            {
                "id": "member-1_A",
                "format": SD_JWT_VC,
                "meta": {"vct_values": ["https://example.com/member", "urn:member"]},
                "require_cryptographic_holder_binding": False,
                "claims": [{"path": ["a"]}, {"id": "b", "path": ["b"]}, {"path": ["c"]}],
                "unknown": {"ignored": True},
            },
        ],
        "credential_sets": [
            {"options": [["degree", "member-1_A"], ["degree"]]},
            {"options": [["degree"]], "required": False},
        ],
        "unknown": 1,
    },
}


def encoded(document: Any) -> bytes:
    return json.dumps(document).encode()


def changed(document: Any, place: Place, value: Any) -> Any:
    """A copy of ``document`` with ``value`` at ``place``, or without what is there."""
    holder: Any = [deepcopy(document)]
    inner = holder
    *outer, last = (0, *place)
    for name in outer:
        inner = inner[name]
    if value is ABSENT:
        del inner[last]
    else:
        inner[last] = deepcopy(value)
    return holder[0]


# --- requests --------------------------------------------------------------------------------------------------------


def test_what_is_read_of_a_request() -> None:
    request = parse_request(encoded(REQUEST))
    assert (request.client_id, request.nonce) == (REQUEST["client_id"], REQUEST["nonce"])
    assert request.extra == {"state": "s", "purpose": {"code": "tenancy"}}
    degree, member = request.queries
    assert (degree.id, degree.format, degree.holder_binding) == ("degree", LDP_VC, True)
    assert degree.types == (frozenset({VERIFIABLE_CREDENTIAL, DEGREE}), frozenset({"https://example.com/#Diploma"}))
    assert degree.claims == (
        ClaimQuery("name", ("credentialSubject", "name"), ()),
        ClaimQuery("year", ("credentialSubject", "years", None), ("2026", 7, True)),
        ClaimQuery("first", ("credentialSubject", "marks", 0), ()),
    )
    assert degree.claim_sets == (("name", "year"), ("first",))
    assert (member.id, member.claim_sets, member.holder_binding) == ("member-1_A", (), False)
    assert member.types == (frozenset({"https://example.com/member"}), frozenset({"urn:member"}))
    assert [claim.path for claim in member.claims] == [("a",), ("b",), ("c",)]
    assert request.sets == (
        CredentialSet((("degree", "member-1_A"), ("degree",)), required=True),
        CredentialSet((("degree",),), required=False),
    )


def test_what_a_request_may_leave_out() -> None:
    query = {"id": "a", "format": LDP_VC, "meta": {}}
    request = parse_request(encoded(changed(REQUEST, ("dcql_query",), {"credentials": [query]})))
    assert request.queries == (CredentialQuery("a", LDP_VC, (), (), (), holder_binding=True),)
    assert request.sets == ()


def test_a_claim_without_id_never_passes_for_another() -> None:
    claims = [
        {"path": ["a"]},
        *({"id": f"{name}{index}", "path": ["b"]} for name in ("claim-", "") for index in range(9)),
    ]
    request = parse_request(encoded(changed(REQUEST, ("dcql_query", "credentials", 1, "claims"), claims)))
    assert len({claim.id for claim in request.queries[1].claims}) == len(claims)
    assert select_claims(request.queries[1], {"b": 1}, is_claim=bool) is None


QUERY: Final[Place] = ("dcql_query", "credentials", 0)
CLAIM: Final[Place] = (*QUERY, "claims", 1)
SETS: Final[Place] = ("dcql_query", "credential_sets")
TYPES_ASKED: Final[Place] = (*QUERY, "meta", "type_values")
CLAIMS_ASKED: Final[Place] = (*QUERY, "claims")
NOT_LISTS: Final[tuple[Any, ...]] = (None, True, 4, "x", {}, [])
NOT_TEXTS: Final[tuple[Any, ...]] = (ABSENT, None, True, 4, [], ["x"], {}, "")
NOT_IDS: Final[tuple[Any, ...]] = (*NOT_TEXTS[1:], "a b", "a.b", "é", "a/b", "#0", "a\n", "a" * 65)
NOT_OBJECTS: Final[tuple[Any, ...]] = (None, True, 4, "x", [])
NOT_BOOLEANS: Final[tuple[Any, ...]] = (None, 0, "true", [])
CLAIM_SETS: Final[Place] = (*QUERY, "claim_sets")
BINDING: Final[Place] = (*QUERY, "require_cryptographic_holder_binding")
MANY_QUERIES: Final = [REQUEST["dcql_query"]["credentials"][0]] * (MAX_QUERIES + 1)

# Where to put what, and the place that the refusal names.
FAULTS: Final[tuple[tuple[Place, tuple[Any, ...], Place], ...]] = (
    (("nonce",), (*NOT_TEXTS, "a" * 15, "a" * 257, "a b" * 8, "n-0S6_WzA2Mj$n0S6", "é" * 20), ("nonce",)),
    (("nonce",), ("a" * 20 + "\n", "a\0" * 10, " " + "a" * 20), ("nonce",)),
    (("client_id",), (*NOT_TEXTS, "a" * 2049), ("client_id",)),
    (("dcql_query",), (ABSENT, *NOT_OBJECTS, [{}]), ("dcql_query",)),
    (QUERY[:2], (ABSENT, *NOT_LISTS, MANY_QUERIES), QUERY[:2]),
    (QUERY, NOT_OBJECTS, QUERY),
    ((*QUERY, "id"), (ABSENT, *NOT_IDS), (*QUERY, "id")),
    ((*QUERY, "id"), ("member-1_A",), ("dcql_query", "credentials", 1, "id")),
    ((*QUERY, "format"), NOT_TEXTS, (*QUERY, "format")),
    ((*QUERY, "meta"), (ABSENT, *NOT_OBJECTS), (*QUERY, "meta")),
    (TYPES_ASKED, (*NOT_LISTS, [["x"]] * (MAX_SETS + 1)), TYPES_ASKED),
    ((*TYPES_ASKED, 1), (None, True, "x", [], {}, ["x", 4], [["x"]]), (*TYPES_ASKED, 1)),
    (BINDING, NOT_BOOLEANS, BINDING),
    (CLAIMS_ASKED, (*NOT_LISTS, [{"path": ["a"]}] * (MAX_CLAIMS + 1)), CLAIMS_ASKED),
    (CLAIM, (*NOT_OBJECTS, ["a"]), CLAIM),
    ((*CLAIM, "id"), NOT_IDS, (*CLAIM, "id")),
    ((*CLAIM, "id"), ("name",), CLAIMS_ASKED),  # the id of another claim
    ((*CLAIM, "id"), (ABSENT,), CLAIMS_ASKED),  # claim_sets could not name it
    ((*CLAIM, "path"), (ABSENT, *NOT_LISTS, [-1], [1.0], [True], [["a"]], [{}], ["a", False]), (*CLAIM, "path")),
    ((*CLAIM, "path"), (["a"] * (MAX_PATH + 1),), (*CLAIM, "path")),
    ((*CLAIM, "values"), (*NOT_LISTS, [None], [1.5], [1.0], [["a"]], [{}], ["a", None]), (*CLAIM, "values")),
    ((*CLAIM, "values"), (["a"] * (MAX_CLAIMS + 1),), (*CLAIM, "values")),
    (CLAIM_SETS, (*NOT_LISTS, [["name"]] * (MAX_SETS + 1)), CLAIM_SETS),
    ((*CLAIM_SETS, 1), (*NOT_LISTS, ["other"], ["name", None], ["name", ["year"]], ["#0"], [0]), (*CLAIM_SETS, 1)),
    (CLAIMS_ASKED, (ABSENT,), (*CLAIM_SETS, 0)),  # sets of no claims
    (SETS, (*NOT_LISTS, [{"options": [["degree"]]}] * (MAX_SETS + 1)), SETS),
    ((*SETS, 1), (*NOT_OBJECTS, ["degree"]), (*SETS, 1)),
    ((*SETS, 1, "options"), (*NOT_LISTS, [["degree"]] * (MAX_SETS + 1)), (*SETS, 1, "options")),
    ((*SETS, 1, "options"), (ABSENT,), (*SETS, 1)),
    ((*SETS, 0, "options", 1), (*NOT_LISTS, ["other"], ["degree", 4], [["degree"]]), (*SETS, 0, "options", 1)),
    ((*SETS, 1, "required"), NOT_BOOLEANS, (*SETS, 1)),
)


@pytest.mark.parametrize(
    ("place", "value", "named"), [(place, value, named) for place, values, named in FAULTS for value in values]
)
def test_a_fault_is_named_by_its_place(place: Place, value: Any, named: Place) -> None:
    with pytest.raises(Malformed) as refused:
        parse_request(encoded(changed(REQUEST, place, value)))
    assert refused.value.where == "request " + "".join(f"/{name}" for name in named)


@pytest.mark.parametrize(
    "value", [ABSENT, None, True, [], {}, "", "code", "vp_token id_token", "VP_TOKEN", ["vp_token"]]
)
def test_another_response_type_is_not_ours(value: Any) -> None:
    with pytest.raises(Unsupported) as refused:
        parse_request(encoded(changed(REQUEST, ("response_type",), value)))
    assert refused.value.code == "UNSUPPORTED_RESPONSE_TYPE"


@pytest.mark.parametrize("value", [None, [], ["eyJ0eXBlIjoieCJ9"]])
def test_transaction_data_is_not_ignored(value: Any) -> None:
    with pytest.raises(Unsupported, match="transaction_data"):
        parse_request(encoded({**REQUEST, "transaction_data": value}))


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'"x"', b'{"nonce":1,"nonce":2}', b"\xff", b"[" * 10_000])
def test_what_is_no_json_object_is_no_message(raw: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        parse_request(raw)
    assert refused.value.where == "request"
    with pytest.raises(Malformed) as refused:
        parse_answer(raw, parse_request(encoded(REQUEST)))
    assert refused.value.where == "answer"


def test_the_largest_request_that_is_read() -> None:
    claims = [
        {"id": f"c{index}", "path": ["a"] * MAX_PATH, "values": [index] * MAX_CLAIMS} for index in range(MAX_CLAIMS)
    ]
    query = {"format": LDP_VC, "meta": {"type_values": [["a"]] * MAX_SETS}}
    credentials: list[Any] = [{**query, "id": "a" * 64, "claims": claims, "claim_sets": [["c0"]] * MAX_SETS}]
    credentials += [{**query, "id": f"q{index}"} for index in range(MAX_QUERIES - 1)]
    sets = [{"options": [["q0"]] * MAX_SETS}] * MAX_SETS
    query_json = {"credentials": credentials, "credential_sets": sets}
    request = {**REQUEST, "nonce": "a" * 256, "client_id": "a" * 2048, "dcql_query": query_json}
    parsed = parse_request(encoded(request))
    assert (len(parsed.queries), len(parsed.queries[0].claims), len(parsed.sets)) == (MAX_QUERIES, MAX_CLAIMS, MAX_SETS)
    assert parse_request(encoded({**request, "nonce": "a" * 16})).nonce == "a" * 16


CLAIMS: Final = st.builds(
    ClaimQuery,
    st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
    st.lists(st.none() | st.text(max_size=4) | st.integers(0, 100), min_size=1, max_size=MAX_PATH).map(tuple),
    st.lists(st.text(max_size=4) | st.integers(-100, 100) | st.booleans(), max_size=3).map(tuple),
)


@without_deadline
@given(st.lists(CLAIMS, max_size=5, unique_by=lambda claim: claim.id), st.data())
def test_a_query_that_is_built_reads_back(claims: list[ClaimQuery], data: st.DataObject) -> None:
    ids = [claim.id for claim in claims]
    sets = data.draw(st.lists(st.lists(st.sampled_from(ids), min_size=1, max_size=3), max_size=3)) if ids else []
    query = credential_query("a", [DEGREE], claims, sets)
    parsed = parse_request(encoded(changed(REQUEST, ("dcql_query",), {"credentials": [query]}))).queries[0]
    types = (frozenset({VERIFIABLE_CREDENTIAL, DEGREE}),)
    assert parsed == CredentialQuery("a", LDP_VC, types, tuple(claims), tuple(map(tuple, sets)), holder_binding=True)


# --- claims paths ----------------------------------------------------------------------------------------------------

DOCUMENT: Final[dict[str, Json]] = {
    "name": "Zoé",
    "address": {"city": "Lyon", "a/b": 1, "m~n": 2, "~1": 3},
    "degrees": [{"type": "x", "year": 2026}, {"type": "y"}],
    "languages": ["fr", "en"],
    "mixed": [{"a": 1}, 5, ["a"]],
    "matrix": [[1, 2], [3]],
    "numbers": {"0": "zero"},
    "nothing": None,
    "empty": [],
    "": "no name",
}
PATHS: Final[tuple[tuple[ClaimPath, tuple[str, ...]], ...]] = (
    (("name",), ("/name",)),
    (("address",), ("/address",)),
    (("address", "city"), ("/address/city",)),
    (("address", "a/b"), ("/address/a~1b",)),
    (("address", "m~n"), ("/address/m~0n",)),
    (("address", "~1"), ("/address/~01",)),
    (("",), ("/",)),
    (("degrees", None, "type"), ("/degrees/0/type", "/degrees/1/type")),
    (("degrees", None, "year"), ("/degrees/0/year",)),  # an element without the key is left out
    (("degrees", 1, "type"), ("/degrees/1/type",)),
    (("degrees", 1, "year"), ()),
    (("languages", None), ("/languages/0", "/languages/1")),
    (("languages", 1), ("/languages/1",)),
    (("languages", 2), ()),
    (("matrix", None, None), ("/matrix/0/0", "/matrix/0/1", "/matrix/1/0")),
    (("matrix", None, 1), ("/matrix/0/1",)),  # a list without the index is left out
    (("matrix", None), ("/matrix/0", "/matrix/1")),
    (("mixed", None), ("/mixed/0", "/mixed/1", "/mixed/2")),
    (("mixed", 0, "a"), ("/mixed/0/a",)),
    (("mixed", None, "a"), ()),  # one element is no object: processing aborts
    (("mixed", None, 0), ()),  # one element is no list: processing aborts
    (("mixed", None, None), ()),
    (("nothing",), ("/nothing",)),
    (("nothing", "a"), ()),
    (("name", 0), ()),
    (("name", None), ()),
    (("name", "length"), ()),
    (("address", 0), ()),
    (("address", None), ()),
    (("numbers", 0), ()),
    (("numbers", "0"), ("/numbers/0",)),
    (("languages", "0"), ()),
    (("empty",), ("/empty",)),
    (("empty", None), ()),
    (("empty", 0), ()),
    (("absent",), ()),
    (("absent", "a"), ()),
    (("Name",), ()),
)


def anything(_value: Json) -> bool:
    return True


@pytest.mark.parametrize(("path", "pointers"), PATHS, ids=[repr(path) for path, _ in PATHS])
def test_a_claims_path(path: ClaimPath, pointers: tuple[str, ...]) -> None:
    assert tuple(find_claims(ClaimQuery("a", path, ()), DOCUMENT, is_claim=anything)) == pointers


def selected(path: ClaimPath, document: Json) -> list[Json]:
    """OID4VP §7.1.1, step by step; an error of the algorithm as an empty list."""
    elements = [document]
    for part in path:
        chosen: list[Json] = []
        for element in elements:
            if not isinstance(element, dict if isinstance(part, str) else list):
                return []
            if isinstance(element, dict):
                chosen += [element[part]] if isinstance(part, str) and part in element else []
            elif isinstance(element, list):
                chosen += element if part is None else element[part : part + 1] if isinstance(part, int) else []
        elements = chosen
    return elements


def resolve(pointer: str, document: Any) -> Any:
    """RFC 6901."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        document = document[int(name) if isinstance(document, list) else name]
    return document


NAMES: Final = st.sampled_from(["a", "b", "~1", "a/b", "0"])
VALUES: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(
    st.dictionaries(NAMES, VALUES, max_size=4),
    st.lists(st.none() | NAMES | st.integers(0, 2), min_size=1, max_size=4).map(tuple),
)
def test_a_claims_path_selects_as_the_specification_does(document: dict[str, Any], path: ClaimPath) -> None:
    pointers = tuple(find_claims(ClaimQuery("a", path, ()), document, is_claim=anything))
    assert [resolve(pointer, document) for pointer in pointers] == selected(path, document)
    assert len(set(pointers)) == len(pointers)


@pytest.mark.parametrize(
    ("value", "wanted", "matches"),
    [
        ("1", ("1",), True),
        (1, (1,), True),
        (True, (True,), True),
        (False, (True, False), True),
        ("b", ("a", "b"), True),
        ("1", (1,), False),
        (1, ("1",), False),
        (1, (True,), False),
        (True, (1,), False),
        (0, (False,), False),
        (1.0, (1,), False),
        ("A", ("a",), False),
        ("é", ("e\u0301",), False),
        (None, ("",), False),
        ([], ("",), False),
        (["a"], ("a",), False),
        ({"a": 1}, ("a",), False),
    ],
)
def test_values_match_by_type_and_value(value: Json, wanted: tuple[str | int | bool, ...], matches: bool) -> None:
    claim = ClaimQuery("a", ("a", 0), wanted)
    assert tuple(find_claims(claim, {"a": [value]}, is_claim=anything)) == (("/a/0",) if matches else ())


def test_only_the_values_that_are_asked_for_are_selected() -> None:
    claim = ClaimQuery("a", ("a", None), ("y", "z"))
    document: dict[str, Json] = {"a": ["x", "y", "z", "y"]}
    assert tuple(find_claims(claim, document, is_claim=anything)) == ("/a/1", "/a/2", "/a/3")
    assert tuple(find_claims(claim, document, is_claim=lambda value: value != "y")) == ("/a/2",)


# --- selecting claims ------------------------------------------------------------------------------------------------

NAME: Final = ClaimQuery("name", ("name",), ())
CITY: Final = ClaimQuery("city", ("address", "city"), ("Lyon",))
PARIS: Final = ClaimQuery("paris", ("address", "city"), ("Paris",))
TYPES: Final = ClaimQuery("types", ("degrees", None, "type"), ())
AGE: Final = ClaimQuery("age", ("age",), ())


@pytest.mark.parametrize(
    ("claims", "sets", "pointers"),
    [
        ((), (), ()),  # nothing but what is mandatory
        ((NAME, CITY), (), ("/name", "/address/city")),
        ((CITY, NAME), (), ("/address/city", "/name")),
        ((NAME, TYPES), (), ("/name", "/degrees/0/type", "/degrees/1/type")),
        ((NAME, AGE), (), None),  # all or nothing
        ((NAME, PARIS), (), None),  # another value is as good as none
        ((NAME, CITY), (("name",), ("city",)), ("/name",)),
        ((NAME, CITY), (("city",), ("name",)), ("/address/city",)),  # the first that can be answered
        ((NAME, AGE), (("age",), ("name",)), ("/name",)),
        ((NAME, AGE, CITY), (("age", "name"), ("name", "city"), ("name",)), ("/name", "/address/city")),
        ((NAME, AGE), (("age",), ("name", "age")), None),
        ((NAME, AGE), (("name",),), ("/name",)),  # a claim of no set is not needed
        ((NAME, CITY), (("name", "city", "name"),), ("/name", "/address/city")),
        ((NAME, ClaimQuery("again", ("name",), ())), (), ("/name",)),
    ],
)
def test_claims_are_selected(
    claims: tuple[ClaimQuery, ...], sets: tuple[tuple[str, ...], ...], pointers: tuple[str, ...] | None
) -> None:
    query = CredentialQuery("a", LDP_VC, (), claims, sets, holder_binding=True)
    assert select_claims(query, DOCUMENT, is_claim=anything) == pointers


def test_padding_is_no_claim() -> None:
    query = CredentialQuery("a", LDP_VC, (), (NAME, CITY), (("name",), ("city",)), holder_binding=True)
    assert select_claims(query, DOCUMENT, is_claim=lambda value: value != "Zoé") == ("/address/city",)
    assert select_claims(query, DOCUMENT, is_claim=lambda _value: False) is None


# --- answers ---------------------------------------------------------------------------------------------------------


def request() -> Request:
    return parse_request(encoded(REQUEST))


def test_what_is_read_of_an_answer() -> None:
    token = {"degree": [{"type": "VerifiablePresentation"}], "member-1_A": ["eyJ"]}
    answer = parse_answer(encoded({"vp_token": token, "state": "s", "unknown": 1}), request())
    assert answer == {"degree": ({"type": "VerifiablePresentation"},), "member-1_A": ("eyJ",)}
    assert list(parse_answer(encoded({"vp_token": {"degree": [{}]}}), request())) == ["degree"]


@pytest.mark.parametrize(
    ("answer", "where", "code"),
    [
        ({}, "", "NO_PRESENTATION"),
        ({"error": "access_denied"}, "", "NO_PRESENTATION"),
        ({"vp_token": None}, "", "NO_PRESENTATION"),
        ({"vp_token": {}}, "", "NO_PRESENTATION"),
        ({"vp_token": []}, "", "NO_PRESENTATION"),
        ({"vp_token": "eyJ"}, "", "NO_PRESENTATION"),
        ({"vp_token": [{"degree": [{}]}]}, "", "NO_PRESENTATION"),
        ({"vp_token": {"other": [{}]}}, "", "NOT_ASKED"),
        ({"vp_token": {"degree": [{}], "other": [{}]}}, "", "NOT_ASKED"),
        ({"vp_token": {"Degree": [{}]}}, "", "NOT_ASKED"),
        ({"vp_token": {"degree": {}}}, "/degree", "NO_PRESENTATION"),
        ({"vp_token": {"degree": None}}, "/degree", "NO_PRESENTATION"),
        ({"vp_token": {"degree": "eyJ"}}, "/degree", "NO_PRESENTATION"),
        ({"vp_token": {"degree": []}}, "/degree", "NO_PRESENTATION"),
        ({"vp_token": {"degree": [{}, {}]}}, "/degree", "NO_PRESENTATION"),
        ({"vp_token": {"degree": [{}], "member-1_A": []}}, "/member-1_A", "NO_PRESENTATION"),
    ],
)
def test_refused_answer(answer: Any, where: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_answer(encoded(answer), request())
    assert (refused.value.where, refused.value.code) == (f"answer /vp_token{where}", code)


# --- our error or a value --------------------------------------------------------------------------------------------


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    yield path
    members = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield from places(member, (*path, name))


JSON: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "path", "values"]), inner),
    max_leaves=6,
)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(list(places(REQUEST))), JSON)
def test_only_our_errors_leave_a_request(place: Place, value: Any) -> None:
    try:
        parsed = parse_request(encoded(changed(REQUEST, place, value)))
    except VcError:
        return
    for query in parsed.queries:
        select_claims(query, DOCUMENT, is_claim=anything)


@without_deadline
@given(JSON | st.builds(lambda value: {"vp_token": value}, JSON | st.builds(lambda value: {"degree": value}, JSON)))
def test_only_our_errors_leave_an_answer(answer: Any) -> None:
    try:
        parsed = parse_answer(encoded(answer), request())
    except VcError:
        return
    assert set(parsed) <= {"degree", "member-1_A"}
