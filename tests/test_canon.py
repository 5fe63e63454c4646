"""Strict JSON and RFC 8785: the published vectors, another implementation as oracle, and what is refused."""

import json
import pickle
import struct
from contextlib import suppress
from decimal import localcontext
from enum import StrEnum
from typing import Any, Final, cast

import pytest
import rfc8785
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.shared import shared_path
from vc.canon import (
    DEFAULT_LIMITS,
    MAX_NUMBER_TEXT,
    MAX_SAFE_INTEGER,
    Json,
    Limits,
    canonicalize,
    check_depth,
    number,
    parse_json,
    parse_object,
    to_json,
)
from vc.errors import Finding, Malformed, Rejected, Undetermined, Unsupported, VcError

DEPTH: Final = DEFAULT_LIMITS.depth
without_deadline: Final = settings(deadline=None)


def refusal(raw: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Malformed:
    with pytest.raises(Malformed) as refused:
        parse_json(raw, where="input.json", limits=limits)
    assert refused.value.where == "input.json"
    return refused.value


# --- the published vectors -------------------------------------------------------------------------------------------

VECTORS: Final = ("arrays", "french", "structures", "unicode", "values", "weird")


@pytest.mark.parametrize("name", VECTORS)
def test_published_vector(name: str) -> None:
    folder = shared_path("vectors/jcs-rfc8785")
    canonical = canonicalize(parse_json((folder / "input" / f"{name}.json").read_bytes()))
    assert canonical == (folder / "output" / f"{name}.json").read_bytes()
    assert canonical == bytes.fromhex((folder / "outhex" / f"{name}.txt").read_text())


def test_no_published_vector_is_left_out() -> None:
    folder = shared_path("vectors/jcs-rfc8785/input")
    assert sorted(path.stem for path in folder.iterdir()) == sorted(VECTORS)


# --- another implementation as oracle --------------------------------------------------------------------------------

# Names on both sides of the surrogates sort differently by code point and by UTF-16 code unit.
TEXTS: Final = st.text() | st.text(
    alphabet='aZ"\\/\b\x1f\x7fé\u2028\ud7ff\ue000\ufb33\uffff\U00010000\U0001f600', max_size=6
)
NUMBERS: Final = st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER) | st.floats(allow_nan=False, allow_infinity=False)
VALUES: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=20,
)


@without_deadline
@given(VALUES)
@example({"\U0001f600": 1, "\ufb33": 2})
@example({"a": [True, 1, 1.0, {"\ue000": None, "\U00010000": -0.0}]})
def test_agrees_with_another_implementation(value: Any) -> None:
    assert canonicalize(value) == rfc8785.dumps(value)


@without_deadline
@given(VALUES)
def test_what_is_written_reads_back(value: Any) -> None:
    assert parse_json(to_json(value)) == value


@without_deadline
@given(VALUES)
def test_spacing_and_order_do_not_matter(value: Any) -> None:
    spelt_out = json.dumps(value, indent=2, ensure_ascii=True, sort_keys=True).encode()
    assert canonicalize(parse_json(spelt_out)) == canonicalize(value)


def doubles() -> st.SearchStrategy[float]:
    """Every bit pattern is as likely: small and huge exponents, subnormal numbers, negative zero."""
    patterns = st.binary(min_size=8, max_size=8).map(lambda bits: cast("float", struct.unpack(">d", bits)[0]))
    return patterns.filter(lambda value: value - value == 0)


@settings(deadline=None, max_examples=500)
@given(doubles())
@example(5e-324)
@example(1.7976931348623157e308)
@example(1e21)
@example(999999999999999900000.0)
@example(1e-6)
@example(1e-7)
@example(-0.0)
def test_number_is_the_shortest_text_of_a_double(value: float) -> None:
    text = number(value)
    assert float(text) == value
    assert text.encode() == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [123456.789012345, 0.1 + 0.2, 1.2345678901234567e-300])
def test_number_does_not_depend_on_the_decimal_context(value: float) -> None:
    with localcontext() as context:
        context.prec = 3
        assert number(value) == str(value)


# --- what is refused -------------------------------------------------------------------------------------------------


def nested(depth: int, inner: str = "") -> bytes:
    return ("[" * depth + inner + "]" * depth).encode()


REFUSED: Final = {
    "empty": (b"", "NOT_JSON"),
    "only spaces": (b" \n", "NOT_JSON"),
    "cut off": (b'{"a":', "NOT_JSON"),
    "two texts": (b"{} {}", "NOT_JSON"),
    "trailing bytes": (b"{}x", "NOT_JSON"),
    "trailing NUL": (b"{}\0", "NOT_JSON"),
    "trailing comma": (b"[1,]", "NOT_JSON"),
    "a comment": (b"[1] // one", "NOT_JSON"),
    "single quotes": (b"{'a':1}", "NOT_JSON"),
    "no quotes": (b"{a:1}", "NOT_JSON"),
    "a number as name": (b"{1:1}", "NOT_JSON"),
    "no-break space": ("\u00a0{}".encode(), "NOT_JSON"),
    "form feed": (b"\x0c{}", "NOT_JSON"),
    "line feed in a string": (b'"a\nb"', "NOT_JSON"),
    "NUL in a string": (b'"\0"', "NOT_JSON"),
    "unknown escape": (rb'"\x41"', "NOT_JSON"),
    "short escape": (rb'"\u12"', "NOT_JSON"),
    "escape with a sign": (rb'"\u+123"', "NOT_JSON"),
    "escape with an underline": (rb'"\u1_23"', "NOT_JSON"),
    "byte order mark": (b"\xef\xbb\xbf{}", "NOT_JSON"),
    "UTF-16": ("{}".encode("utf-16"), "NOT_JSON"),
    "not UTF-8": (b'"\xff"', "NOT_JSON"),
    "overlong UTF-8": (b'"\xc0\xaf"', "NOT_JSON"),
    "UTF-8 cut off": (b'"\xe2\x82', "NOT_JSON"),
    "beyond Unicode": (b'"\xf4\x90\x80\x80"', "NOT_JSON"),
    "duplicate name": (b'{"a":1,"a":1}', "NOT_JSON"),
    "duplicate name, spelt apart": (rb'{"a":1,"b":2,"\u0061":3}', "NOT_JSON"),
    "duplicate name, deep down": (b'[{"x":{"a":1,"a":2}}]', "NOT_JSON"),
    "duplicate empty name": (b'{"":1,"":2}', "NOT_JSON"),
    "NaN": (b"[NaN]", "NOT_JSON"),
    "Infinity": (b"[Infinity]", "NOT_JSON"),
    "-Infinity": (b"[-Infinity]", "NOT_JSON"),
    "1e999": (b"[1e999]", "NOT_JSON"),
    "-1e999": (b"[-1e999]", "NOT_JSON"),
    "1e-999": (b"[1e-999]", "NOT_JSON"),
    "0.01e-999": (b"[0.01e-999]", "NOT_JSON"),
    "400 digits": (b"9" * 400, "NOT_JSON"),
    "400 decimals": (b"0." + b"1" * 400, "NOT_JSON"),
    "400 digits of exponent": (b"1e" + b"0" * 400, "NOT_JSON"),
    "100 000 digits": (b"-" + b"1" * 100_000, "NOT_JSON"),
    "beyond a safe integer": (b"9007199254740992", "NOT_JSON"),
    "below a safe integer": (b"-9007199254740992", "NOT_JSON"),
    "leading zero": (b"01", "NOT_JSON"),
    "leading plus": (b"+1", "NOT_JSON"),
    "no digit before the point": (b".5", "NOT_JSON"),
    "no digit behind the point": (b"1.", "NOT_JSON"),
    "hexadecimal": (b"0x1", "NOT_JSON"),
    "underline": (b"1_0", "NOT_JSON"),
    "digits of another script": ("٣".encode(), "NOT_JSON"),
    "high surrogate": (rb'"\ud83d"', "NOT_JSON"),
    "high surrogate, upper case": (rb'"\uD83D"', "NOT_JSON"),
    "low surrogate": (rb'["\ude00"]', "NOT_JSON"),
    "last surrogate": (rb'{"a":["\uDFFF"]}', "NOT_JSON"),
    "first surrogate": (rb'"\uD800x"', "NOT_JSON"),
    "swapped surrogates": (rb'"\ude00\ud83d"', "NOT_JSON"),
    "surrogate behind a pair": (rb'"\ud83d\ude00\ud83d"', "NOT_JSON"),
    "surrogate in a name": (rb'{"\udead":1}', "NOT_JSON"),
    "surrogate in a deep name": (rb'[[{"a":{"b\uDBFF":1}}]]', "NOT_JSON"),
    "raw surrogate": (b'"\xed\xa0\xbd"', "NOT_JSON"),
    "raw surrogate pair": (b'"\xed\xa0\xbd\xed\xb8\x80"', "NOT_JSON"),
    "one level too deep": (nested(DEPTH + 1, "1"), "TOO_DEEP"),
    "one level too deep, empty": (nested(DEPTH + 1), "TOO_DEEP"),
    "one object too deep": (b'{"a":' * (DEPTH + 1) + b"1" + b"}" * (DEPTH + 1), "TOO_DEEP"),
    "too deep by turns": (b'[{"a":' * (DEPTH // 2 + 1) + b"1" + b"}]" * (DEPTH // 2 + 1), "TOO_DEEP"),
    "too deep, late": (b"[" + b"[]," * 500 + nested(DEPTH) + b"]", "TOO_DEEP"),
    "far too deep": (nested(100_000), "TOO_DEEP"),
    "far too deep, unclosed": (b"[" * 100_000, "TOO_DEEP"),
    "too large": (b" " * (DEFAULT_LIMITS.size + 1), "TOO_LARGE"),
}


@pytest.mark.parametrize(("raw", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(raw: bytes, code: str) -> None:
    assert refusal(raw).code == code


ACCEPTED: Final[dict[str, tuple[bytes, Json]]] = {
    "spaces around": (b" \t\r\n[ ] \n", []),
    "largest safe integer": (b"9007199254740991", MAX_SAFE_INTEGER),
    "least safe integer": (b"-9007199254740991", -MAX_SAFE_INTEGER),
    "zero": (b"[0,-0,0.0,-0.000,0e9,0E-9,0.0e-999]", [0, 0, 0.0, 0.0, 0.0, 0.0, 0.0]),
    "smallest double": (b"5e-324", 5e-324),
    "as long as a number may be": (b"0." + b"5" * (MAX_NUMBER_TEXT - 2), 0.5555555555555556),
    "escapes": (rb'"\"\\\/\b\f\n\r\t\u0041"', '"\\/\b\f\n\r\tA'),
    "surrogate pair": (rb'"\ud83d\uDE00"', "\U0001f600"),
    "the spelling of a surrogate": (rb'"\\ud83d"', "\\ud83d"),
    "names that differ by case": (b'{"a":1,"A":2}', {"a": 1, "A": 2}),
    "names that only look alike": ('{"é":1,"e\u0301":2}'.encode(), {"é": 1, "e\u0301": 2}),
    "brackets in a string": (b'["' + b"[{" * 500 + b'"]', ["[{" * 500]),
    "many shallow brackets": (b"[" + b"[]," * 500 + b"{}]", [*([[]] * 500), {}]),
}


@pytest.mark.parametrize(("raw", "value"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(raw: bytes, value: Json) -> None:
    assert parse_json(raw) == value


@pytest.mark.parametrize("inner", ["", "1", '"["'])
def test_the_deepest_text_that_is_read(inner: str) -> None:
    assert parse_json(nested(DEPTH, inner))


@without_deadline
@given(st.integers(0, 6), st.integers(0, 6), st.sampled_from(["", "1"]))
def test_depth_is_counted_in_nested_containers(depth: int, limit: int, inner: str) -> None:
    raw = nested(depth, inner or "[]")
    deep = depth if inner else depth + 1
    with suppress(Malformed):
        parse_json(raw, limits=Limits(depth=limit))
        check_depth(json.loads(raw), depth=limit)
        assert deep <= limit
        return
    assert deep > limit


def test_size_is_counted_in_bytes() -> None:
    raw = '["é"]'.encode()
    assert parse_json(raw, limits=Limits(size=6)) == ["é"]
    assert refusal(raw, limits=Limits(size=5)).code == "TOO_LARGE"


@pytest.mark.parametrize("raw", [b"[]", b'"{}"', b"null", b"1"])
def test_an_object_is_an_object(raw: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        parse_object(raw, where="input.json")
    assert refused.value.code == "NOT_JSON"
    assert parse_object(b'{"a":1}') == {"a": 1}


def test_a_message_says_where_and_holds_nothing_of_the_input() -> None:
    error = refusal(b'{"secret": "hunter2", "secret": "hunter2"}')
    assert str(error) == "input.json: the same name occurs twice in one object"
    assert "line 2 column 5" in str(refusal(b'{\n"a" "hunter2"}'))


# --- our error or a value --------------------------------------------------------------------------------------------

SEED: Final = rb'{"a":[1,-2.5e3,"\ud83d\ude00",null,true],"b":{"\u0061":"x","c":[[],{}]},"c":9007199254740991}'
PIECES: Final = (
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b'"',
    b"\\",
    b"\\ud800",
    b"\xed\xa0\x80",
    b"NaN",
    b"1e999",
    b"-",
    b"0",
)


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    raw = bytearray(SEED)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.integers(0, 6)))
        raw[start:end] = draw(st.sampled_from(PIECES) | st.binary(max_size=3))
    return bytes(raw)


@settings(deadline=None, max_examples=400)
@given(st.binary(max_size=64) | mutations())
def test_only_our_errors_leave(raw: bytes) -> None:
    try:
        value = parse_json(raw)
    except VcError:
        return
    assert value == json.loads(raw)  # what we accept, everybody reads alike
    canonicalize(value).decode("utf-8")


@settings(deadline=None, max_examples=400)
@given(mutations())
def test_a_canonical_form_is_its_own(raw: bytes) -> None:
    try:
        canonical = canonicalize(parse_json(raw))
    except VcError:
        return
    assume(b"00000" not in canonical)  # 1e20 is a double, its canonical form an integer that is refused
    assert canonicalize(parse_json(canonical)) == canonical


# --- values that are not JSON ----------------------------------------------------------------------------------------


class Colour(StrEnum):
    RED = "red"


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


NOT_JSON: Final[dict[str, Any]] = {
    "NaN": [float("nan")],
    "infinity": {"a": float("inf")},
    "a lone surrogate": ["\ud800"],
    "a lone surrogate in a name": {"\udfff": 1},
    "bytes": [b"a"],
    "a set": {"a": {1}},
}


@pytest.mark.parametrize("value", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_not_json_is_not_written(value: Any) -> None:
    for write in (canonicalize, to_json):
        with pytest.raises(Malformed) as refused:
            write(value)
        assert refused.value.code == "NOT_JSON"


@pytest.mark.parametrize(
    "value",
    [2**53, -(2**53), 10**400, [1.5, 2**53], (1.0,), {"a": (1, 2)}, {1: 2}, [0.5, {1: 2}], [{1: 2}, 0.5]],
    ids=str,
)
def test_what_has_no_canonical_form_gets_none(value: Any) -> None:
    with pytest.raises(Malformed) as refused:
        canonicalize(value)
    assert refused.value.code == "NOT_JSON"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 2**53, -(2**53), 10**400], ids=str)
def test_what_no_double_holds_has_no_number(value: float) -> None:
    with pytest.raises(Malformed) as refused:
        number(value)
    assert refused.value.code == "NOT_JSON"


def test_a_value_without_bottom_is_not_written() -> None:
    for write in (canonicalize, to_json):
        with pytest.raises(Malformed) as refused:
            write(deep(100_000))
        assert refused.value.code == "TOO_DEEP"


def test_a_text_of_another_class_is_a_text() -> None:
    assert canonicalize([Colour.RED, {Colour.RED: 1}]) == b'["red",{"red":1}]'


def test_compact_json_keeps_its_order() -> None:
    assert to_json({"b": [1, 1.5, "é\n"], "a": None}) == '{"b":[1,1.5,"é\\n"],"a":null}'.encode()


# --- errors ----------------------------------------------------------------------------------------------------------

ERRORS: Final = (
    Malformed("/a", "why", code="BAD"),
    Unsupported("key", "x", code="BAD"),
    Rejected((Finding("BAD", "no", "/a"), Finding("WORSE", "no"))),
    Undetermined("stale", "sync", code="BAD"),
)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_crosses_a_process_pool(error: VcError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
    assert copy.code == "BAD"


def test_a_rejection_without_a_finding_is_none() -> None:
    with pytest.raises(ValueError, match="needs a finding"):
        Rejected(())
