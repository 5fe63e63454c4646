"""Multibase and multicodec varints: another implementation as oracle, one spelling per value, and the bounds."""

from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from multiformats import multibase, varint

from vc.errors import Malformed, VcError
from vc.multibase import (
    MAX_BASE58,
    MAX_BASE64URL,
    decode_base58btc,
    decode_base64url,
    decode_multibase,
    encode_base58btc,
    encode_base64url,
    read_varint,
)

BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BASE64URL: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
OCTETS: Final = st.binary(max_size=100) | st.builds(
    lambda zeros, rest: bytes(zeros) + rest, st.integers(0, 5), st.binary(max_size=5)
)
without_deadline: Final = settings(deadline=None)


def code_of(text: Any) -> str:
    with pytest.raises(Malformed) as refused:
        decode_multibase(text, where="/proof/proofValue")
    assert refused.value.where == "/proof/proofValue"
    return refused.value.code


# --- base58btc -------------------------------------------------------------------------------------------------------


@without_deadline
@given(OCTETS)
@example(b"")
@example(b"\0")
@example(b"\0\0\xff")
def test_base58btc_agrees_with_another_implementation(data: bytes) -> None:
    assert encode_base58btc(data) == multibase.encode(data, "base58btc")


@without_deadline
@given(OCTETS.filter(bool))
def test_base58btc_reads_back(data: bytes) -> None:
    text = encode_base58btc(data)
    assert decode_base58btc(text) == decode_multibase(text) == data


@without_deadline
@given(st.text(BASE58, min_size=1, max_size=60))
@example("1")
@example("1112")
def test_a_base58btc_value_has_one_spelling(digits: str) -> None:
    data = decode_base58btc(f"z{digits}")
    assert data == multibase.decode(f"z{digits}")
    assert encode_base58btc(data) == f"z{digits}"


@pytest.mark.parametrize("character", "0OIl+/-_ =\n\0é１\U0001f600\ud800")
def test_what_base58btc_does_not_have(character: str) -> None:
    for text in (f"z{character}", f"z6Mk{character}", f"z{character}6Mk"):
        assert code_of(text) == "BAD_MULTIBASE"


def test_base58btc_is_bounded() -> None:
    longest = "z" + "1" * (MAX_BASE58 - 1)
    assert decode_base58btc(longest) == bytes(MAX_BASE58 - 1)
    assert code_of(longest + "1") == "BAD_MULTIBASE"
    assert code_of("z" + "2" * 1_000_000) == "BAD_MULTIBASE"


@pytest.mark.parametrize("text", ["", "z", "6Mk", "uAA", "Z6Mk", " z6Mk"])
def test_what_is_not_base58btc(text: str) -> None:
    with pytest.raises(Malformed) as refused:
        decode_base58btc(text)
    assert refused.value.code == "BAD_MULTIBASE"


# --- base64url -------------------------------------------------------------------------------------------------------


@without_deadline
@given(OCTETS)
@example(b"\xfb\xff\xfe")
def test_base64url_agrees_with_another_implementation(data: bytes) -> None:
    text = encode_base64url(data)
    assert f"u{text}" == multibase.encode(data, "base64url")
    assert decode_base64url(text) == decode_multibase(f"u{text}") == data


@without_deadline
@given(st.text(BASE64URL, max_size=12))
@example("AB")
@example("AAB")
@example("A")
def test_a_base64url_value_has_one_spelling(text: str) -> None:
    try:
        data = decode_base64url(text)
    except VcError:
        unused = {0: 0, 1: 6, 2: 4, 3: 2}[len(text) % 4]
        assert unused
        assert BASE64URL.index(text[-1]) % (1 << unused) or unused == 6
        return
    assert encode_base64url(data) == text


@pytest.mark.parametrize("last", "BCDEFGHIJKLMNOPRSTUVWXYZabcdefhijklmnopqrstuvxyz0123456789-_")
def test_unused_bits_are_refused(last: str) -> None:
    assert code_of(f"uA{last}") == "BAD_MULTIBASE"


@pytest.mark.parametrize(
    "text", ["AA==", "AAA=", "A+A", "A/A", "A A", "AA\n", "\nAA", "AA\0", "é", "ＡＡ", "\ud800", "A"]
)
def test_what_base64url_does_not_have(text: str) -> None:
    assert code_of(f"u{text}") == "BAD_MULTIBASE"


def test_base64url_is_bounded() -> None:
    assert len(decode_base64url("A" * MAX_BASE64URL)) == MAX_BASE64URL * 3 // 4
    assert code_of("u" + "A" * (MAX_BASE64URL + 4)) == "BAD_MULTIBASE"


# --- multibase and varints -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [None, 1, True, b"z6Mk", ["z6Mk"], {}, "", "m6Mk", "f00", "Z6Mk", "U6Mk"], ids=repr)
def test_only_two_bases_are_read(text: Any) -> None:
    assert code_of(text) == "BAD_MULTIBASE"


@without_deadline
@given(st.integers(0, 2**28 - 1), st.binary(max_size=8))
@example(0, b"\0")
@example(127, b"")
@example(128, b"")
@example(0xED, b"\x01")
@example(2**28 - 1, b"\x80")
def test_a_varint_agrees_with_another_implementation(code: int, rest: bytes) -> None:
    assert read_varint(varint.encode(code) + rest) == (code, rest)


@pytest.mark.parametrize("raw", ["", "80", "8080", "8000", "ed8100", "808080", "ffffffff", "8080808001"])
def test_what_is_no_varint(raw: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_varint(bytes.fromhex(raw), where="publicKeyMultibase")
    assert refused.value.code == "BAD_MULTICODEC"
    assert refused.value.where == "publicKeyMultibase"


@without_deadline
@given(st.binary(max_size=6))
def test_a_varint_has_one_spelling(raw: bytes) -> None:
    try:
        code, rest = read_varint(raw)
    except VcError:
        return
    assert varint.encode(code) + rest == raw
