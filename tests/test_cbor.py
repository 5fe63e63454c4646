"""Deterministic CBOR: round trips, another implementation's core form as oracle, and everything that is refused."""

from typing import Any, Final

import cbor2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vc.cbor import MAX_CBOR, MAX_CBOR_DEPTH, decode, encode
from vc.errors import Malformed, VcError

without_deadline: Final = settings(deadline=None)

INTEGERS: Final = st.integers(-(2**64), 2**64 - 1) | st.sampled_from(
    [0, 23, 24, 255, 256, 65535, 65536, 2**32, -24, -25]
)
SCALARS: Final = INTEGERS | st.text(max_size=30) | st.binary(max_size=30)
VALUES: Final[st.SearchStrategy[Any]] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SCALARS, inner, max_size=4),
    max_leaves=15,
)


def levels(value: Any) -> int:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if members is None else 1 + max(map(levels, members), default=0)


VALUES_WITHIN: Final = VALUES.filter(lambda value: levels(value) <= MAX_CBOR_DEPTH)


@without_deadline
@given(VALUES_WITHIN)
@example({256: 1, 24: 2, "a": 3, b"": 4, -1: 5})
def test_what_is_written_reads_back(value: Any) -> None:
    assert decode(encode(value)) == value


@without_deadline
@given(st.dictionaries(SCALARS, INTEGERS, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_members_does_not_matter(value: dict[Any, Any], random: Any) -> None:
    members = list(value.items())
    random.shuffle(members)
    assert encode(dict(members)) == encode(value)


@without_deadline
@given(st.dictionaries(SCALARS, INTEGERS, max_size=6))
def test_names_are_in_the_order_of_their_bytes(value: dict[Any, Any]) -> None:
    spelt = [encode(name) for name in decode(encode(value))]  # type: ignore[union-attr]  # a map gives its names
    assert spelt == sorted(spelt)


@without_deadline
@given(SCALARS | st.lists(SCALARS, max_size=5))
def test_agrees_with_another_implementation(value: Any) -> None:
    assert encode(value) == cbor2.dumps(value, canonical=True)


def tagged(tag: int, value: Any = b"\1") -> str:
    return cbor2.dumps(cbor2.CBORTag(tag, value)).hex()


def unfolding(levels: int, width: int) -> str:
    """A few hundred bytes whose shared references (tags 28 and 29) stand for ``width ** levels`` values."""
    value = b"\xd8\x1c" + cbor2.dumps([1] * width)
    for level in range(levels - 1, 0, -1):
        value = b"\xd8\x1c\x98" + bytes([width]) + value + (b"\xd8\x1d" + cbor2.dumps(level)) * (width - 1)
    return value.hex()


REFUSED: Final = {
    "nothing": "",
    "cut off": "83 01 02",
    "text cut off": "63 61 62",
    "trailing byte": "01 00",
    "two values": "80 80",
    "duplicate key": "a2 01 01 01 02",
    "duplicate key, same value": "a2 41 61 01 41 61 01",
    "duplicate key, spelt apart": "a2 01 01 18 01 02",
    "1 and true": "a2 01 01 f5 02",
    "keys out of order": "a2 02 00 01 00",
    "keys in the order of RFC 7049": "a2 61 7a 00 62 61 61 00 41 61 00",
    "integer too long": "18 17",
    "integer far too long": "1b 00 00 00 00 00 00 00 01",
    "negative integer too long": "38 17",
    "length too long": "58 01 00",
    "text length too long": "78 01 61",
    "list length too long": "98 01 00",
    "map length too long": "b8 01 00 00",
    "indefinite bytes": "5f 41 01 ff",
    "indefinite text": "7f 61 61 ff",
    "indefinite list": "9f 01 ff",
    "indefinite map": "bf 01 02 ff",
    "indefinite, inside": "81 9f ff",
    "unclosed": "9f",
    "break": "ff",
    "break, inside": "81 ff",
    "null": "f6",
    "null, inside": "82 01 f6",
    "undefined": "f7",
    "true": "f5",
    "false as member": "a1 01 f4",
    "simple value": "e0",
    "long simple value": "f8 ff",
    "half float": "f9 3c 00",
    "float": "fa 3f 80 00 00",
    "double": "fb 3f f1 99 99 99 99 99 9a",
    "NaN": "f9 7e 00",
    "float as key": "a1 f9 3c 00 01",
    "list as key": "a1 80 01",
    "map as key": "a1 a0 01",
    "reserved length": "1c",
    "bad UTF-8": "61 ff",
    "overlong UTF-8": "62 c0 af",
    "surrogate": "63 ed a0 80",
    "bad UTF-8 as key": "a1 61 ff 01",
    "huge bytes": "5b 7f ff ff ff ff ff ff ff",
    "huge text": "7b ff ff ff ff ff ff ff ff",
    "huge list": "9b 00 00 00 7f ff ff ff ff",
    "hugest list": "9b ff ff ff ff ff ff ff ff",
    "huge map": "bb 00 00 00 7f ff ff ff ff",
    "huge list in a list": "81 9a ff ff ff ff",
    "one level too deep": "81" * (MAX_CBOR_DEPTH + 1) + "00",
    "far too deep": "81" * 100_000,
    "maps far too deep": "a101" * 50_000,
    "tags far too deep": "c6" * 100_000,
    "date": tagged(0, "2026-11-24T00:00:00Z"),
    "moment": tagged(1, 0),
    "large integer": "c2 49 01 00 00 00 00 00 00 00 00",
    "small integer as a large one": "c2 41 01",
    "large negative integer": "c3 49 01 00 00 00 00 00 00 00 00",
    "decimal": "c4 82 1b 7f ff ff ff ff ff ff ff 03",
    "large float": "c5 82 1b 7f ff ff ff ff ff ff ff 03",
    "encoded CBOR": tagged(24),
    "rational without denominator": "d8 1e 82 01 00",
    "string references": "d9 01 00 82 43 61 61 61 d8 19 00",
    "a value in itself": "d8 1c 82 d8 1d 00 d8 1d 00",
    "expression": tagged(35, "(a"),
    "message": tagged(36, "x"),
    "set": tagged(258, [1]),
    "IP address": tagged(260),
    "self-described": tagged(55799),
    "unknown tag": tagged(2**64 - 1),
    "tag in a list": "81" + tagged(64),
    "tag as key": "a1" + tagged(64) + "01",
    "references that unfold": unfolding(6, 40),
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED.keys())
def test_refused(raw: str) -> None:
    with pytest.raises(Malformed) as refused:
        decode(bytes.fromhex(raw), where="/proof/proofValue")
    assert refused.value.code == "NOT_CBOR"
    assert refused.value.where == "/proof/proofValue"


ACCEPTED: Final[dict[str, tuple[str, Any]]] = {
    "empty map": ("a0", {}),
    "largest integer": ("1b ff ff ff ff ff ff ff ff", 2**64 - 1),
    "least integer": ("3b ff ff ff ff ff ff ff ff", -(2**64)),
    "keys in the order of their bytes": ("a3 01 00 20 00 61 61 00", {1: 0, -1: 0, "a": 0}),
    "as deep as it goes": ("81" * MAX_CBOR_DEPTH + "00", [[[[[[[[0]]]]]]]]),
    "text with a NUL": ("61 00", "\0"),
}


@pytest.mark.parametrize(("raw", "value"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(raw: str, value: Any) -> None:
    assert decode(bytes.fromhex(raw)) == value


def test_size_is_bounded() -> None:
    longest = encode(bytes(MAX_CBOR - 5))
    assert len(longest) == MAX_CBOR
    assert decode(longest) == bytes(MAX_CBOR - 5)
    with pytest.raises(Malformed) as refused:
        decode(longest + b"\0")
    assert refused.value.code == "TOO_LARGE"


@settings(deadline=None, max_examples=500)
@given(
    st.binary(max_size=40)
    | st.builds(
        lambda value, at, byte: value[:at] + byte + value[at + 1 :],
        VALUES.map(encode),
        st.integers(0, 40),
        st.binary(max_size=2),
    )
)
def test_only_our_errors_leave(raw: bytes) -> None:
    try:
        value = decode(raw)
    except VcError:
        return
    assert encode(value) == raw


def bottomless() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        1.5,
        float("nan"),
        2**64,
        -(2**64) - 1,
        "\ud800",
        (1,),
        {1},
        [None],
        {1: None},
        {1.5: 1},
        {(): 1},
        object(),
        bottomless(),
    ],
    ids=lambda value: type(value).__name__ if type(value) is object else repr(value),
)
def test_what_could_not_be_read_is_not_written(value: Any) -> None:
    with pytest.raises(Malformed) as refused:
        encode(value)
    assert refused.value.code == "NOT_CBOR"
