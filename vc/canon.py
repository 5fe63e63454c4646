"""Strict JSON (RFC 8259, I-JSON) and the JSON Canonicalization Scheme (RFC 8785).

What two readers could understand differently is refused: duplicate names, NaN, numbers that a double cannot hold,
lone surrogates, bytes that are not UTF-8. Size, depth and the number of digits are bounded.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NoReturn, TypeAlias, cast

from vc.errors import Malformed

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

MAX_SAFE_INTEGER: Final = 2**53 - 1  # I-JSON (RFC 7493 §2.2): beyond it, readers disagree on the value
MAX_NUMBER_TEXT: Final = 32  # no double needs more; a 400-digit number costs quadratic time to convert


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one JSON text: ``size`` in bytes, ``depth`` in nested arrays and objects."""

    size: int = 1 << 20  # a wallet's whole presentation is far under 1 MiB
    depth: int = 48  # the deepest published vector nests 9 levels


DEFAULT_LIMITS: Final = Limits()

_SURROGATE_ESCAPE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_ZERO: Final = re.compile(r"-?0(\.0+)?([eE]|\Z)")


def parse_json(raw: bytes, *, where: str = "", limits: Limits = DEFAULT_LIMITS) -> Json:
    """The value of a JSON text (RFC 8259, RFC 7493).

    ``where`` names the input in messages. Raises :class:`Malformed` for anything that is not strict JSON
    or is beyond ``limits``.
    """
    if len(raw) > limits.size:
        raise Malformed(where, f"larger than {limits.size} bytes", code="TOO_LARGE")
    try:
        value = _decode(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Malformed(where, f"not UTF-8 at byte {error.start}", code="NOT_JSON") from None
    except RecursionError:
        raise Malformed(where, f"nested deeper than {limits.depth} levels", code="TOO_DEEP") from None
    except json.JSONDecodeError as error:
        raise Malformed(
            where, f"not JSON: {error.msg} at line {error.lineno} column {error.colno}", code="NOT_JSON"
        ) from None
    except ValueError as error:
        raise Malformed(where, str(error), code="NOT_JSON") from None
    # Each level opens with one of two bytes, so that few of them prove a shallow text without a walk.
    if raw.count(b"{") + raw.count(b"[") > limits.depth:
        check_depth(value, where=where, depth=limits.depth)
    if _SURROGATE_ESCAPE.search(raw):
        _check_surrogates(value, where)
    return value


def parse_object(raw: bytes, *, where: str = "", limits: Limits = DEFAULT_LIMITS) -> dict[str, Json]:
    """Like :func:`parse_json`, for a text that has to be an object."""
    value = parse_json(raw, where=where, limits=limits)
    if not isinstance(value, dict):
        raise Malformed(where, "not a JSON object", code="NOT_JSON")
    return value


def check_depth(value: Json, *, where: str = "", depth: int = DEFAULT_LIMITS.depth) -> None:
    """Raise :class:`Malformed` where ``value`` nests deeper than ``depth`` arrays and objects."""
    level = [value]
    for _ in range(depth + 1):
        nests = [node for node in level if isinstance(node, dict | list)]
        if not nests:
            return
        level = [child for node in nests for child in (node.values() if isinstance(node, dict) else node)]
    raise Malformed(where, f"nested deeper than {depth} levels", code="TOO_DEEP")


def _check_surrogates(value: Json, where: str) -> None:
    stack: list[Json] = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, str) and _LONE_SURROGATE.search(node):
            raise Malformed(where, "a lone surrogate is not a character", code="NOT_JSON")
        if isinstance(node, dict):
            stack.extend(node)
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("the same name occurs twice in one object")
    return members


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_TEXT or not -MAX_SAFE_INTEGER <= (number := int(text)) <= MAX_SAFE_INTEGER:
        raise ValueError(f"an integer beyond ±{MAX_SAFE_INTEGER} is not the same to every reader")
    return number


def _double(text: str) -> float:
    number = float(text) if len(text) <= MAX_NUMBER_TEXT else math.inf
    underflow = number == 0 and not _ZERO.match(text)
    if underflow or not math.isfinite(number):
        raise ValueError("a number that a double cannot hold")
    return number


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_double, parse_constant=_constant
)


_SCAN: Final[Callable[[str, int], tuple[Json, int]]] = _DECODER.scan_once  # type: ignore[attr-defined]


def _decode(text: str) -> Json:
    """What ``_DECODER.decode`` gives, without its search for white space where a text has none at its ends."""
    try:
        value, end = _SCAN(text, 0)
    except StopIteration:
        value, end = None, -1
    return value if end == len(text) else cast("Json", _DECODER.decode(text))


def to_json(value: Json) -> bytes:
    """Compact JSON in UTF-8, members in their given order. Deterministic, but not canonical.

    Raises :class:`Malformed` for what strict JSON does not have.
    """
    return _encoded(_COMPACT.encode, value)


def canonicalize(value: Json) -> bytes:
    """The canonical form of RFC 8785 §3.2: sorted names, shortest numbers, UTF-8.

    Raises :class:`Malformed` for numbers that are not finite or are beyond MAX_SAFE_INTEGER as integers, for lone
    surrogates, and for what is not JSON.
    """
    return _encoded(_canonical, value)


def _encoded(encode: Callable[[Json], str], value: Json) -> bytes:
    try:
        return encode(value).encode("utf-8")
    except UnicodeEncodeError:
        raise Malformed("", "a lone surrogate is not a character", code="NOT_JSON") from None
    except RecursionError:
        raise Malformed("", "nested too deep", code="TOO_DEEP") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise Malformed("", f"cannot be written as JSON: {error}", code="NOT_JSON") from None


_COMPACT: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_SORTED: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _canonical(value: Json) -> str:
    return _SORTED.encode(value) if _plain(value) else "".join(_tokens(value))


def _plain(value: Json) -> bool:
    """True where the standard encoder already writes RFC 8785: no doubles, and ASCII names, which sort alike
    by code point (Python) and by UTF-16 code unit (RFC 8785 §3.2.3)."""
    stack: list[Json] = [value]
    while stack:
        node = stack.pop()
        kind = type(node)
        if kind is dict:
            if not all(map(str.isascii, node)):  # type: ignore[arg-type]
                return False
            stack.extend(node.values())  # type: ignore[union-attr]
        elif kind is list:
            stack.extend(node)  # type: ignore[arg-type]
        elif kind is int:
            if not -MAX_SAFE_INTEGER <= node <= MAX_SAFE_INTEGER:  # type: ignore[operator]
                return False
        elif kind is not str and kind is not bool and node is not None:  # a double, or no JSON at all
            return False
    return True


def _tokens(value: Json) -> "list[str]":
    if isinstance(value, dict):
        members = (
            f"{_COMPACT.encode(name)}:{''.join(_tokens(value[name]))}"
            for name in sorted(value, key=lambda name: name.encode("utf-16-be"))
        )
        return ["{", ",".join(members), "}"]
    if isinstance(value, list):
        return ["[", ",".join("".join(_tokens(item)) for item in value), "]"]
    if isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool)):
        return [number(value)]
    if value is None or isinstance(value, bool | str):
        return [_COMPACT.encode(value)]
    raise TypeError(f"{type(value).__name__} is not JSON")


def number(value: int | float) -> str:
    """RFC 8785 §3.2.2.3: the shortest text that reads back as the same double, in ECMAScript's notation."""
    beyond = isinstance(value, int) and not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER
    if beyond or not math.isfinite(value):
        raise Malformed("", "a number that a double cannot hold", code="NOT_JSON")
    if value == 0:
        return "0"
    # The tuple is exact in any decimal context; arithmetic, such as normalize(), would round to the caller's.
    sign, digits, exponent = Decimal(repr(float(value))).as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + int(exponent)  # where the decimal point stands, counted from the first digit
    return ("-" if sign else "") + _ecmascript(text.rstrip("0"), point)


def _ecmascript(digits: str, point: int) -> str:
    """ECMA-262 Number::toString for the decimal 0.digits × 10^point."""
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{point - 1:+d}"
