"""Trust files: what is read, every fault with its place, and that nothing said is nobody trusted."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_oid4vp import ABSENT, JSON, Place, changed, places
from vc.errors import Malformed, VcError
from vc.jsonld import Contexts
from vc.model import CREDENTIALS_V2
from vc.trust import MAX_ISSUERS, MAX_KEYS, MAX_PUBLIC, TRUST_LIMITS, Trust, TrustedKey, parse_issuer, parse_trust

CONTEXTS: Final = Contexts.of({"https://example.com/v1": b'{"@context":{}}'})
OLD, NEW, OTHER = (f"did:key:z6Mk{name}#z6Mk{name}" for name in ("old", "new", "other"))

PUBLIC: Final[Mapping[str, Any]] = {
    "@context": [CREDENTIALS_V2],
    "type": ["VerifiableCredential"],
    "issuer": "did:key:z6Mknew",
    "credentialSubject": {"a": "b"},
}
TRUST: Final[Mapping[str, Any]] = {
    "type": "OuvrageTrust",
    "version": 1,
    "asOf": "2026-11-24T00:00:00Z",
    "issuers": [
        {
            "name": "Example marketplace",
            "legalIdentifier": "000 000 001",
            "mayAttest": ["EarningsCredential", "RatingCredential"],
            "keys": [
                {"id": OLD, "validFrom": "2026-01-01T00:00:00Z", "validUntil": "2026-06-30T23:59:59Z"},
                {"id": NEW, "validFrom": "2026-07-01T00:00:00Z", "validUntil": None},
            ],
        },
        {
            "name": "Example rides",
            "legalIdentifier": "000 000 002",
            "mayAttest": [],
            "keys": [{"id": OTHER, "validFrom": "2026-01-01T00:00:00+01:00"}],
        },
    ],
    "public": [PUBLIC],
}


def read(document: Any) -> Trust:
    return parse_trust(json.dumps(document).encode(), contexts=CONTEXTS)


def test_what_is_read() -> None:
    trust = read(TRUST)
    assert trust.as_of == datetime(2026, 11, 24, tzinfo=UTC)
    assert trust.contexts is CONTEXTS
    assert [credential.issuer for credential in trust.public] == ["did:key:z6Mknew"]
    marketplace, rides = trust.issuers
    assert (marketplace.name, marketplace.legal_identifier) == ("Example marketplace", "000 000 001")
    assert marketplace.may_attest == {"EarningsCredential", "RatingCredential"}
    assert marketplace.keys[0] == TrustedKey(
        OLD, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)
    )
    assert trust.find(OLD) == (marketplace, marketplace.keys[0])
    assert trust.find(NEW) == (marketplace, marketplace.keys[1])
    assert trust.find(OTHER) == (rides, rides.keys[0])
    assert rides.may_attest == frozenset()


def test_an_issuer_is_read_alone_too() -> None:
    assert parse_issuer(TRUST["issuers"][0]) == read(TRUST).issuers[0]


@pytest.mark.parametrize("place", [("issuers",), ("public",), ("issuers", 0, "mayAttest")])
def test_what_is_not_said_is_nothing(place: Place) -> None:
    assert read(changed(TRUST, place, ABSENT)) == read(changed(TRUST, place, []))


def test_an_empty_trust_trusts_nobody() -> None:
    trust = read({"type": "OuvrageTrust", "version": 1, "asOf": "2026-11-24T00:00:00Z"})
    assert (trust.issuers, trust.public) == ((), ())
    assert [trust.find(method) for method in (OLD, NEW, OTHER, "", "did:key:z6Mknew")] == [None] * 5


@pytest.mark.parametrize("method", ["", "did:key:z6Mknew", NEW.upper(), f"{NEW} ", "z6Mknew", NEW.replace("#", "")])
def test_a_method_is_known_by_its_exact_name(method: str) -> None:
    assert read(TRUST).find(method) is None


# --- faults ----------------------------------------------------------------------------------------------------------

NOT_TEXTS: Final[tuple[Any, ...]] = (ABSENT, None, True, 4, [], ["x"], {}, "", "a" * 513)
NOT_LISTS: Final[tuple[Any, ...]] = (None, True, 4, "x", {})
NOT_OBJECTS: Final[tuple[Any, ...]] = (None, True, 4, "x", [])
NOT_DATES: Final[tuple[Any, ...]] = (True, 4, [], {}, "", "2026-11-24", "2026-11-24T00:00:00", "2026-02-30T00:00:00Z")
ISSUER: Final[Place] = ("issuers", 0)
KEY: Final[Place] = (*ISSUER, "keys", 0)
ENTRY: Final = TRUST["issuers"][1]

# Where to put what, the place that the refusal names, and its code.
FAULTS: Final[tuple[tuple[Place, tuple[Any, ...], Place, str], ...]] = (
    (("type",), (ABSENT, None, "", "ouvragetrust", ["OuvrageTrust"]), (), "BAD_TRUST"),
    (("version",), (ABSENT, None, 0, 2, "1", True, 1.0, [1]), (), "BAD_TRUST"),
    (("asOf",), (ABSENT, None, *NOT_DATES), ("asOf",), "BAD_DATE"),
    (("issuers",), (*NOT_LISTS, [ENTRY] * (MAX_ISSUERS + 1)), ("issuers",), "BAD_TRUST"),
    (ISSUER, NOT_OBJECTS, ISSUER, "BAD_TRUST"),
    ((*ISSUER, "name"), NOT_TEXTS, (*ISSUER, "name"), "BAD_TRUST"),
    ((*ISSUER, "legalIdentifier"), NOT_TEXTS, (*ISSUER, "legalIdentifier"), "BAD_TRUST"),
    ((*ISSUER, "mayAttest"), (*NOT_LISTS, ["x", None], [4], [["x"]], ["x"] * 257), (*ISSUER, "mayAttest"), "BAD_TRUST"),
    ((*ISSUER, "keys"), (ABSENT, *NOT_LISTS, [], [{}] * (MAX_KEYS + 1)), (*ISSUER, "keys"), "BAD_TRUST"),
    (KEY, NOT_OBJECTS, KEY, "BAD_TRUST"),
    ((*KEY, "id"), NOT_TEXTS, (*KEY, "id"), "BAD_TRUST"),
    ((*KEY, "validFrom"), (ABSENT, None, *NOT_DATES), (*KEY, "validFrom"), "BAD_DATE"),
    ((*KEY, "validUntil"), NOT_DATES, (*KEY, "validUntil"), "BAD_DATE"),
    ((*KEY, "validUntil"), ("2025-12-31T23:59:59Z",), (*KEY, "validUntil"), "BAD_TRUST"),
    (("public",), (*NOT_LISTS, [{}] * (MAX_PUBLIC + 1)), ("public",), "BAD_TRUST"),
    (("public", 0), NOT_OBJECTS, ("public", 0), "NOT_AN_OBJECT"),
    (("public", 0, "issuer"), (None, "x"), ("public", 0, "issuer"), "BAD_ID"),
    # One key, one issuer: within an issuer, across issuers, and a whole issuer twice.
    ((*KEY, "id"), (NEW, OTHER), (), "BAD_TRUST"),
    (("issuers",), ([ENTRY, ENTRY],), (), "BAD_TRUST"),
)


@pytest.mark.parametrize(
    ("place", "value", "named", "code"),
    [(place, value, named, code) for place, values, named, code in FAULTS for value in values],
)
def test_a_fault_is_named_by_its_place(place: Place, value: Any, named: Place, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        read(changed(TRUST, place, value))
    where = "".join(f"/{name}" for name in named)
    assert (refused.value.where, refused.value.code) == (f"trust file {where}".strip(), code)


def test_an_issuer_with_as_many_keys_as_it_may_have() -> None:
    keys = [{"id": f"did:key:z{number}#z{number}", "validFrom": "2026-01-01T00:00:00Z"} for number in range(MAX_KEYS)]
    trust = read(changed(TRUST, (*ISSUER, "keys"), keys))
    assert all(trust.find(str(key["id"])) for key in keys)


@pytest.mark.parametrize("name", ["a", "a" * 512])
def test_a_name_as_short_and_as_long_as_it_may_be(name: str) -> None:
    assert read(changed(TRUST, (*ISSUER, "name"), name)).issuers[0].name == name


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"type":', b'{"type":1,"type":1}', b"\xff", b"[" * 10_000])
def test_what_cannot_be_read_is_no_trust(raw: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        parse_trust(raw, contexts=CONTEXTS, where="mine.json")
    assert refused.value.where == "mine.json"


def test_a_trust_file_is_larger_than_an_answer_and_bounded() -> None:
    raw = json.dumps(TRUST).encode()
    assert parse_trust(raw.ljust(TRUST_LIMITS.size), contexts=CONTEXTS) == read(TRUST)
    with pytest.raises(Malformed) as refused:
        parse_trust(raw.ljust(TRUST_LIMITS.size + 1), contexts=CONTEXTS)
    assert refused.value.code == "TOO_LARGE"


# --- the windows of keys ---------------------------------------------------------------------------------------------

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
END: Final = datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)
SECOND: Final = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("moment", "covered"),
    [(START, True), (END, True), (START + SECOND, True), (START - SECOND, False), (END + SECOND, False)],
)
def test_a_key_covers_its_window(moment: datetime, covered: bool) -> None:
    assert TrustedKey(OLD, START, END).covers(moment) is covered
    assert TrustedKey(OLD, START, None).covers(moment) is (moment >= START)


def test_a_window_may_be_one_moment() -> None:
    key = read(changed(TRUST, (*KEY, "validUntil"), "2026-01-01T01:00:00+01:00")).issuers[0].keys[0]
    assert key.covers(START)
    assert not key.covers(START + SECOND)


def test_a_window_is_told_in_any_zone() -> None:
    (key,) = read(TRUST).issuers[1].keys
    assert key.covers(datetime(2025, 12, 31, 23, tzinfo=UTC))
    assert not key.covers(datetime(2025, 12, 31, 22, 59, 59, tzinfo=UTC))


# --- our error or a value --------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(list(places(TRUST))), JSON)
def test_only_our_errors_leave(place: Place, value: Any) -> None:
    try:
        trust = read(changed(TRUST, place, value))
    except VcError:
        return
    assert len(trust.by_method) == sum(len(issuer.keys) for issuer in trust.issuers)
