"""Multibase (base58btc, base64url without padding) and multicodec varints, as the W3C Controlled Identifiers
specification uses them (cid#multibase-0).

These few lines stand here because they are on the hot path of every proof: the ``multiformats`` package takes
200 µs for a did:key and is the oracle of the tests; it also names the codecs that we cannot use.
"""

import binascii
from typing import Final

from vc.errors import Malformed

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGIT: Final = {character: value for value, character in enumerate(_ALPHABET)}
_PAIRS: Final = [first + second for first in _ALPHABET for second in _ALPHABET]

MAX_BASE58: Final = 256  # base58 is quadratic; the longest use is a 98-byte key (134 characters)
MAX_BASE64URL: Final = 1 << 20


def encode_base58btc(data: bytes) -> str:
    """``z`` and the base58btc text of ``data``."""
    zeros = len(data) - len(data.lstrip(b"\0"))
    number = int.from_bytes(data, "big")
    pairs: list[str] = []
    while number:
        number, remainder = divmod(number, 3364)  # two digits at a time
        pairs.append(_PAIRS[remainder])
    return "z" + "1" * zeros + "".join(reversed(pairs)).lstrip("1")


def decode_base58btc(text: str, *, where: str = "") -> bytes:
    """The bytes of a ``z…`` text. Raises :class:`Malformed`."""
    if not text.startswith("z") or not 1 < len(text) <= MAX_BASE58:
        raise Malformed(where, "not a base58btc multibase value", code="BAD_MULTIBASE")
    digits = text[1:]
    number = 0
    try:
        for character in digits:
            number = number * 58 + _DIGIT[character]
    except KeyError:
        raise Malformed(where, "a character that base58btc does not have", code="BAD_MULTIBASE") from None
    zeros = len(digits) - len(digits.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def encode_base64url(data: bytes) -> str:
    """Base64url without padding (RFC 4648 §5), with no multibase prefix."""
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").translate(_TO_URL).decode("ascii")


_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_+/=", b"+/!!!")  # what the other alphabet has is in no alphabet afterwards
_LAST: Final = ("", "", "AQgw", "AEIMQUYcgkosw048")  # by length modulo 4: the last characters with no unused bit set


def decode_base64url(text: str, *, where: str = "", limit: int = MAX_BASE64URL) -> bytes:
    """Bytes of a base64url text without padding. Spellings that carry unused bits are refused, so that one value has
    one spelling. Raises :class:`Malformed`."""
    rest = len(text) % 4
    if len(text) > limit or rest == 1:
        raise Malformed(where, "not base64url without padding", code="BAD_MULTIBASE")
    try:
        data = binascii.a2b_base64(text.encode("ascii").translate(_FROM_URL) + b"=" * (-rest % 4), strict_mode=True)
    except ValueError:  # UnicodeEncodeError and binascii.Error alike
        raise Malformed(where, "not base64url without padding", code="BAD_MULTIBASE") from None
    if rest and text[-1] not in _LAST[rest]:
        raise Malformed(where, "base64url with unused bits set", code="BAD_MULTIBASE")
    return data


def decode_multibase(text: object, *, where: str = "") -> bytes:
    """Bytes of a ``z`` (base58btc) or ``u`` (base64url) multibase value. Raises :class:`Malformed`."""
    if isinstance(text, str):
        if text.startswith("z"):
            return decode_base58btc(text, where=where)
        if text.startswith("u"):
            return decode_base64url(text[1:], where=where)
    raise Malformed(where, "not a multibase value that starts with z or u", code="BAD_MULTIBASE")


def read_varint(data: bytes, *, where: str = "") -> tuple[int, bytes]:
    """The unsigned varint at the front of ``data`` and what follows it; only the shortest spelling counts."""
    code = 0
    for position, byte in enumerate(data[:4]):
        code |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:
            if byte == 0 and position:
                break
            return code, data[position + 1 :]
    raise Malformed(where, "not a multicodec value", code="BAD_MULTICODEC")
