"""Bitstring Status List 1.0: entries, lists, every bit of them, and what is no list."""

import base64
import gzip
import json
import random
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vc.contexts import W3C
from vc.deflate import GZIP, MAX_DEFLATED, MAX_INFLATED, PIECE, ZLIB, deflate, inflate, pick
from vc.errors import Malformed, Rejected, Unsupported, VcError
from vc.jsonld import to_quads
from vc.model import CREDENTIALS_V2, parse_credential
from vc.status import (
    MAX_ENTRIES,
    MIN_ENTRIES,
    StatusEntry,
    StatusList,
    check_purpose,
    encode_list,
    expand_list,
    new_list,
    note,
    set_statuses,
    status_entries,
    status_list_credential,
)

AT: Final = datetime(2026, 11, 24, tzinfo=UTC)
URL: Final = "https://platform.example/status/3"

REVOCATION: Final[dict[str, Any]] = {
    "id": f"{URL}#94567",
    "type": "BitstringStatusListEntry",
    "statusPurpose": "revocation",
    "statusListIndex": "94567",
    "statusListCredential": URL,
}
MESSAGE: Final[dict[str, Any]] = {
    **REVOCATION,
    "statusPurpose": "message",
    "statusSize": 2,
    "statusMessage": [
        {"status": "0x0", "message": "in order"},
        {"status": "0x1", "message": "contested"},
        {"status": "0x3", "message": "undefined"},
        {"status": "0x2", "message": "under review"},
    ],
    "statusReference": "https://platform.example/status/words",
}


def credential(bits: bytes | None = None, **changes: Any) -> dict[str, Any]:
    """A list credential, unsigned; ``changes`` are members of its subject."""
    made: dict[str, Any] = status_list_credential(
        new_list() if bits is None else bits,
        url=URL,
        issuer="did:key:z6Mk",
        purposes=["revocation"],
        valid_from=AT,
        valid_until=AT + timedelta(days=7),
        ttl=timedelta(hours=1),
    )
    made["credentialSubject"] = {**made["credentialSubject"], **changes}
    return made


def parsed(document: dict[str, Any]) -> StatusList:
    return StatusList.parse(parse_credential(document))


def entry(index: int, *, size: int = 1, purpose: str = "revocation") -> StatusEntry:
    return StatusEntry(URL, index, purpose, size)


# --- entries ---------------------------------------------------------------------------------------------------------


def test_an_entry_is_read() -> None:
    assert StatusEntry.parse(REVOCATION) == StatusEntry(URL, 94567, "revocation")
    assert StatusEntry.parse({**REVOCATION, "type": ["BitstringStatusListEntry"]}) == entry(94567)
    assert StatusEntry.parse(MESSAGE) == StatusEntry(
        URL, 94567, "message", 2, ("in order", "contested", "under review", "undefined")
    )
    two: list[Any] = [{"status": "0x1", "message": "yes"}, {"status": "0x0", "message": "no"}]
    assert StatusEntry.parse({**REVOCATION, "statusMessage": two}).messages == ("no", "yes")


@pytest.mark.parametrize("stated", [REVOCATION, MESSAGE])
def test_an_entry_comes_back_as_it_was(stated: dict[str, Any]) -> None:
    read = StatusEntry.parse(stated)
    assert StatusEntry.parse(read.to_json()) == read


def test_an_entry_loses_nothing_in_json_ld() -> None:
    for stated in (REVOCATION, MESSAGE):
        document: dict[str, Any] = {
            "@context": [CREDENTIALS_V2],
            "type": ["VerifiableCredential"],
            "issuer": "did:key:z6Mk",
            "credentialSubject": {"id": "did:key:z6Mk"},
            "credentialStatus": StatusEntry.parse(stated).to_json(),
        }
        quads = "".join("".join(quad) for quad in to_quads(document, W3C))
        assert "94567" in quads
        assert "statusPurpose" in quads


def test_the_statuses_of_a_credential() -> None:
    assert status_entries({}) == []
    assert status_entries({"credentialStatus": REVOCATION}) == [REVOCATION]
    assert status_entries({"credentialStatus": [REVOCATION, MESSAGE]}) == [REVOCATION, MESSAGE]
    assert len(status_entries({"credentialStatus": [REVOCATION] * MAX_ENTRIES})) == MAX_ENTRIES
    with pytest.raises(Malformed):
        status_entries({"credentialStatus": [REVOCATION] * (MAX_ENTRIES + 1)})


@pytest.mark.parametrize("value", ["StatusList2021Entry", ["BitstringStatusListEntry", "Other"], None, []])
def test_another_kind_of_status_is_named(value: Any) -> None:
    with pytest.raises(Unsupported) as refused:
        StatusEntry.parse({**REVOCATION, "type": value})
    assert refused.value.code == "UNSUPPORTED_STATUS"


BAD_ENTRIES: Final[list[tuple[str, tuple[Any, ...]]]] = [
    ("statusListIndex", (None, 94567, "", "-1", "+1", "1.0", "0x1", "01", "٣", " 1", "1\n", "1" * 11)),
    ("statusListCredential", (None, 1, "", "status/3", "https://a b", [URL])),
    ("statusPurpose", (None, 1, "", ["revocation"])),
    ("statusSize", (0, -1, 9, 1.0, "1", True, None)),
]


@pytest.mark.parametrize(("member", "values"), BAD_ENTRIES)
def test_one_thing_wrong_with_an_entry(member: str, values: tuple[Any, ...]) -> None:
    for value in values:
        with pytest.raises(Malformed) as refused:
            StatusEntry.parse({**REVOCATION, member: value})
        assert refused.value.code == "MALFORMED_VALUE_ERROR"
    if member != "statusSize":
        with pytest.raises(Malformed):
            StatusEntry.parse({name: value for name, value in REVOCATION.items() if name != member})


FOUR: Final = MESSAGE["statusMessage"]


@pytest.mark.parametrize(
    "messages",
    [
        None,
        {},
        [],
        FOUR[:3],
        [*FOUR, FOUR[0]],
        [*FOUR[:3], FOUR[0]],
        [*FOUR[:3], {"status": "0x4", "message": "x"}],
        [*FOUR[:3], {"status": "2", "message": "x"}],
        [*FOUR[:3], {"status": 2, "message": "x"}],
        [*FOUR[:3], {"status": "0x2"}],
        [*FOUR[:3], "0x2"],
        [*FOUR[:3], {"status": "0x2\n", "message": "x"}],
    ],
)
def test_every_value_has_one_meaning(messages: Any) -> None:
    with pytest.raises(Malformed):
        StatusEntry.parse({**MESSAGE, "statusMessage": messages})


def test_what_has_several_bits_says_what_they_mean() -> None:
    with pytest.raises(Malformed):
        StatusEntry.parse({name: value for name, value in MESSAGE.items() if name != "statusMessage"})


# --- building, updating, reading -------------------------------------------------------------------------------------


def test_the_first_index_is_the_left_most_bit() -> None:
    bits = set_statuses(new_list(), {0: 1, 9: 1, MIN_ENTRIES - 1: 1})
    assert (bits[0], bits[1], bits[-1]) == (0b10000000, 0b01000000, 0b00000001)
    assert sum(bits) == 0b10000000 + 0b01000000 + 1


def test_a_list_of_our_own() -> None:
    """The bytes of a list, as any gzip reads them: no time, no name."""
    encoded = encode_list(set_statuses(new_list(), {0: 1, 94567: 1}))
    raw = base64.urlsafe_b64decode(encoded[1:] + "=" * (-len(encoded[1:]) % 4))
    assert raw[:4] == b"\x1f\x8b\x08\x00"  # gzip, deflate, no name
    assert raw[4:8] == bytes(4)  # no time
    bits = gzip.decompress(raw)
    assert [index for index in range(MIN_ENTRIES) if bits[index // 8] & 128 >> index % 8] == [0, 94567]
    assert encode_list(set_statuses(new_list(), {94567: 1, 0: 1})) == encoded


@pytest.mark.parametrize("size", range(1, 9))
def test_every_size_reads_what_was_written(size: int) -> None:
    entries = MIN_ENTRIES + 5
    chosen = random.Random(size)
    wanted = {index: chosen.randrange(1 << size) for index in chosen.sample(range(entries), 200)}
    wanted |= {0: 1, 1: (1 << size) - 1, entries - 1: 1}
    bits = set_statuses(new_list(entries, size=size), wanted, size=size)
    statuses = parsed(credential(bits))
    text = "".join(f"{byte:08b}" for byte in bits)
    for index in (*list(wanted)[-40:], 2, 3, 4, 5, 6, 7, 8, 70_000):
        assert statuses.read(entry(index, size=size)) == wanted.get(index, 0)
        assert int(text[index * size : index * size + size], 2) == wanted.get(index, 0)


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(1, 8),
    changes=st.lists(st.dictionaries(st.integers(0, MIN_ENTRIES - 1), st.integers(0, 255), max_size=4), max_size=4),
)
def test_an_update_changes_what_it_names_and_nothing_else(size: int, changes: list[dict[int, int]]) -> None:
    bits, expected = new_list(size=size), dict[int, int]()
    for change in changes:
        fitting = {index: value % (1 << size) for index, value in change.items()}
        bits, expected = set_statuses(bits, fitting, size=size), expected | fitting
    number = int.from_bytes(bits, "big")
    for index, value in expected.items():
        number ^= value << (len(bits) * 8 - (index + 1) * size)
    assert number == 0


@pytest.mark.parametrize(
    "statuses", [{-1: 1}, {MIN_ENTRIES: 1}, {0: 2}, {0: -1}, {1 << 80: 1}, {0: 1 << 80}, {0: 1, MIN_ENTRIES: 0}]
)
def test_what_does_not_fit_in_is_refused(statuses: dict[int, int]) -> None:
    with pytest.raises(Malformed) as refused:
        set_statuses(new_list(), statuses)
    assert refused.value.code == "RANGE_ERROR"


@pytest.mark.parametrize(("length", "size"), [(0, 1), (16_383, 1), (16_384, 2), (131_071, 8)])
def test_a_list_too_short_to_hide_in_is_neither_made_nor_read(length: int, size: int) -> None:
    short = parsed(credential(bytes(length)))
    for action in (lambda: new_list(length * 8 // size, size=size), lambda: short.read(entry(0, size=size))):
        with pytest.raises(Malformed) as refused:
            action()
        assert refused.value.code == "STATUS_LIST_LENGTH_ERROR"


def test_the_shortest_list_for_each_size() -> None:
    for size in (1, 2, 8):
        assert parsed(credential(new_list(MIN_ENTRIES, size=size))).read(entry(MIN_ENTRIES - 1, size=size)) == 0


@pytest.mark.parametrize("size", [1, 3, 8])
def test_an_entry_beyond_the_list_is_a_no(size: int) -> None:
    statuses = parsed(credential(new_list(size=size)))
    for index in (MIN_ENTRIES, MIN_ENTRIES + 8, 10**10 - 1):
        with pytest.raises(Rejected) as refused:
            statuses.read(entry(index, size=size))
        assert refused.value.code == "RANGE_ERROR"


def test_a_purpose_or_a_size_that_the_list_does_not_have_is_a_no() -> None:
    both = parsed(credential(statusPurpose=["revocation", "suspension"]))
    assert both.purposes == {"revocation", "suspension"}
    assert both.read(entry(1, purpose="suspension")) == 0
    for wrong in (entry(1, purpose="message"), entry(1, purpose="Revocation")):
        with pytest.raises(Rejected) as refused:
            both.read(wrong)
        assert refused.value.code == "STATUS_VERIFICATION_ERROR"
    sized = parsed(credential(new_list(size=2), statusSize=2))
    assert sized.read(entry(1, size=2)) == 0
    with pytest.raises(Rejected):
        sized.read(entry(1, size=1))


def test_ten_million_entries_take_no_more_memory_than_the_list_takes() -> None:
    bits = bytes(1) + random.Random(1).randbytes(1_249_998) + b"\x01"
    statuses = parsed(credential(bits))
    tracemalloc.start()
    assert statuses.read(entry(9_999_999)) == 1
    assert statuses.read(entry(0)) == 0
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < len(bits) // 2


# --- list credentials ------------------------------------------------------------------------------------------------


def test_a_list_credential_is_whole() -> None:
    made = credential()
    assert made["id"] == URL
    assert made["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]
    assert made["credentialSubject"]["id"] == f"{URL}#list"
    assert made["credentialSubject"]["ttl"] == 3_600_000
    assert len(to_quads(made, W3C)) == 10
    read = parsed(made)
    assert (read.purposes, read.size, read.ttl) == (frozenset({"revocation"}), None, timedelta(hours=1))
    assert expand_list(made["credentialSubject"]["encodedList"]) == new_list()


def test_several_purposes_are_a_list() -> None:
    made = status_list_credential(
        new_list(), url=URL, issuer="did:key:z6Mk", purposes=["revocation", "refresh"], valid_from=AT, valid_until=AT
    )
    assert isinstance(made["credentialSubject"], dict)
    assert made["credentialSubject"]["statusPurpose"] == ["revocation", "refresh"]
    assert "ttl" not in made["credentialSubject"]


def test_a_list_does_not_print_itself() -> None:
    assert len(repr(parsed(credential()))) < 200


ENCODED: Final = encode_list(new_list())
FAULTS: Final[list[tuple[dict[str, Any], str]]] = [
    ({"type": "StatusList2021"}, "MALFORMED_VALUE_ERROR"),
    ({"type": None}, "MALFORMED_VALUE_ERROR"),
    ({"statusPurpose": None}, "MALFORMED_VALUE_ERROR"),
    ({"statusPurpose": []}, "MALFORMED_VALUE_ERROR"),
    ({"statusPurpose": ["revocation", 1]}, "MALFORMED_VALUE_ERROR"),
    ({"statusPurpose": ""}, "MALFORMED_VALUE_ERROR"),
    ({"statusSize": 0}, "MALFORMED_VALUE_ERROR"),
    ({"ttl": -1}, "MALFORMED_VALUE_ERROR"),
    ({"ttl": True}, "MALFORMED_VALUE_ERROR"),
    ({"ttl": "300000"}, "MALFORMED_VALUE_ERROR"),
    ({"ttl": 1 << 50}, "MALFORMED_VALUE_ERROR"),
    ({"encodedList": None}, "MALFORMED_VALUE_ERROR"),
    ({"encodedList": ENCODED[1:]}, "MALFORMED_VALUE_ERROR"),
    ({"encodedList": "z6Mk"}, "MALFORMED_VALUE_ERROR"),
    ({"encodedList": f"{ENCODED}="}, "BAD_MULTIBASE"),
    ({"encodedList": "u" + "A" * (MAX_DEFLATED * 4 // 3 + 4)}, "BAD_MULTIBASE"),
]


@pytest.mark.parametrize(("changes", "code"), FAULTS)
def test_one_thing_wrong_with_a_list(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Malformed) as refused:
        parsed(credential(**changes))
    assert refused.value.code == code


def test_another_credential_is_no_list() -> None:
    made = credential()
    for changes in (
        {"type": ["VerifiableCredential"]},
        {"credentialSubject": [made["credentialSubject"], made["credentialSubject"]]},
    ):
        with pytest.raises(Malformed):
            parsed({**made, **changes})


# --- compression -----------------------------------------------------------------------------------------------------


def squeezed(data: bytes, form: int) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, form)
    return stream.compress(data) + stream.flush()


def inflated(data: bytes, form: int = GZIP) -> bytes:
    return b"".join(inflate(data, form=form))


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=3000)
    | st.builds(lambda byte, count: bytes([byte]) * count, st.integers(0, 255), st.integers(0, 300_000))
)
def test_what_was_compressed_comes_back(data: bytes) -> None:
    for form in (GZIP, ZLIB):
        assert inflated(deflate(data, form=form), form) == data
        assert inflated(squeezed(data, form), form) == data


GOOD: Final = deflate(bytes(range(256)) * 100, form=GZIP)
NOT_COMPRESSED: Final[dict[str, bytes]] = {
    "nothing": b"",
    "junk": b"junk that is no list",
    "another form": deflate(bytes(20_000), form=ZLIB),
    "no form": squeezed(bytes(20_000), -15),
    "cut short": GOOD[:-1],
    "cut in half": GOOD[: len(GOOD) // 2],
    "more behind it": GOOD + b"\0",
    "two of them": GOOD + GOOD,
    "two of them, far apart": GOOD + bytes(2 * PIECE),
    "another sum": GOOD[:-8] + bytes(4) + GOOD[-4:],
    "another length": GOOD[:-4] + bytes(4),
    "spoilt": GOOD[:40] + bytes([GOOD[40] ^ 255]) + GOOD[41:],
}


@pytest.mark.parametrize("data", NOT_COMPRESSED.values(), ids=NOT_COMPRESSED)
def test_what_is_not_one_whole_list(data: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        inflated(data)
    assert refused.value.code == "BAD_COMPRESSION"


@pytest.mark.parametrize("form", [GZIP, ZLIB])
def test_a_bomb_is_not_set_off(form: int) -> None:
    bomb = deflate(bytes(MAX_INFLATED + 1), form=form)
    assert len(bomb) < 20_000
    tracemalloc.start()
    with pytest.raises(Malformed) as refused:
        pick(inflate(bomb, form=form), 0, 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.code == "TOO_LARGE"
    assert peak < 1 << 20


def test_the_largest_list_is_within_bounds() -> None:
    assert sum(map(len, inflate(deflate(bytes(MAX_INFLATED), form=GZIP), form=GZIP))) == MAX_INFLATED


def test_a_bomb_within_a_bomb_is_a_list_of_nonsense() -> None:
    inner = deflate(bytes(MAX_INFLATED), form=GZIP)
    with pytest.raises(Malformed):
        parsed(credential(encodedList=encode_list(inner))).read(entry(0))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=9), max_size=9), st.integers(0, 90), st.integers(0, 90))
def test_what_is_picked_is_what_stands_there(pieces: list[bytes], start: int, stop: int) -> None:
    whole = b"".join(pieces)
    assert pick(pieces, start, stop) == (whole[start:stop], len(whole))


# --- what a status says ----------------------------------------------------------------------------------------------


def said(stated: dict[str, Any], value: int) -> list[str]:
    return [wrong.code for wrong in check_purpose(StatusEntry.parse(stated), value)]


@pytest.mark.parametrize(
    ("purpose", "value", "codes", "noted"),
    [
        ("revocation", 0, [], None),
        ("revocation", 1, ["REVOKED"], None),
        ("suspension", 1, ["SUSPENDED"], None),
        ("suspension", 0, [], None),
        ("refresh", 1, [], "REFRESH_AVAILABLE"),
        ("refresh", 0, [], None),
        ("message", 1, [], "STATUS_MESSAGE"),
        ("quarantine", 0, [], None),
        ("quarantine", 1, ["STATUS_UNKNOWN"], None),
    ],
)
def test_what_a_bit_says(purpose: str, value: int, codes: list[str], noted: str | None) -> None:
    stated = {**REVOCATION, "statusPurpose": purpose}
    assert said(stated, value) == codes
    assert note(StatusEntry.parse(stated), value) == noted


@pytest.mark.parametrize(
    ("value", "noted"), [(0, None), (1, "CONTESTED"), (2, "STATUS_MESSAGE"), (3, "STATUS_MESSAGE")]
)
def test_what_a_message_says(value: int, noted: str | None) -> None:
    assert said(MESSAGE, value) == []
    assert note(StatusEntry.parse(MESSAGE), value) == noted


# --- junk ------------------------------------------------------------------------------------------------------------

Junk = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 1 << 40) | st.text(max_size=6) | st.just(URL) | st.just("94567"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
MEMBERS: Final = (*MESSAGE, "encodedList", "ttl")


def only_ours(action: Callable[[], object]) -> None:
    try:
        action()
    except VcError:
        return


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(MEMBERS), Junk))
def test_only_our_errors_leave(changes: dict[str, Any]) -> None:
    only_ours(lambda: StatusEntry.parse({**MESSAGE, **changes}))
    only_ours(lambda: parsed(credential(**changes)))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 7))
def test_a_flipped_bit_never_gives_another_list(position: int, bit: int) -> None:
    spoilt = bytearray(GOOD)
    spoilt[position] ^= 1 << bit
    try:
        data = inflated(bytes(spoilt))
    except VcError:
        return
    assert data == inflated(GOOD)  # in the header: a flag or the system that wrote it


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=40)
    | st.binary(max_size=40).map(lambda raw: "u" + base64.urlsafe_b64encode(raw).decode().rstrip("="))
)
def test_only_our_errors_leave_an_expansion(text: str) -> None:
    only_ours(lambda: expand_list(text))


def test_json_of_a_list_credential_is_small() -> None:
    assert len(json.dumps(credential(set_statuses(new_list(), {1: 1, 2: 1, 99_999: 1})))) < 700
