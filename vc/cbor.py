"""A strict door to CBOR (RFC 8949 §4.2.1 core deterministic encoding).

``cbor2`` accepts what two readers could take differently: duplicate map keys, trailing bytes, integers longer than
needed, tags. Here a value is accepted only if writing it again gives the very same bytes.
"""

from collections import defaultdict
from collections.abc import Callable
from operator import itemgetter
from typing import Any, Final, NoReturn

import cbor2

from vc.errors import Malformed

MAX_CBOR: Final = 1 << 18  # the proof value of a 2 000-claim credential is under 100 KB
MAX_CBOR_DEPTH: Final = 8

Cbor = bytes | str | int | list[Any] | dict[Any, Any]


def _refuse_tag(_decoder: object) -> NoReturn:
    raise ValueError


# Refused before they are understood: 500 bytes of shared references (tags 28 and 29) unfold to a value that takes
# minutes to look at, and tag 2 is a second spelling of integers.
_NO_TAGS: Final[defaultdict[int, Callable[[object], NoReturn]]] = defaultdict(lambda: _refuse_tag)


def encode(value: Cbor) -> bytes:
    """Core deterministic CBOR: shortest integers, definite lengths, keys in bytewise order, no tags.

    Raises :class:`Malformed` for what is not made of bytes, texts, integers of 64 bits, lists and maps.
    """
    try:
        return cbor2.dumps(_ordered(value))
    except (ValueError, RecursionError):
        raise Malformed("", "cannot be written as CBOR", code="NOT_CBOR") from None


def _ordered(value: Any) -> Any:
    """``value`` with the keys of its maps in order. Raises ValueError for what is not :data:`Cbor`."""
    kind = type(value)
    if kind is list:
        return _all_ordered(value)
    if kind is dict:
        keys, members = list(value), _all_ordered(list(value.values()))
        entries = zip(_all_ordered(keys), members, strict=True)
        numbers = set(map(type, keys)) == {int} and min(keys) >= 0  # whose order their encodings have
        return dict(sorted(entries, key=_number if numbers else _encoded))
    if kind in _TEXTS or (kind is int and _LOWEST <= value <= _HIGHEST):  # beyond, only a tag could say it
        return value
    raise ValueError  # floats, null and simple values have no place in a proof value


def _all_ordered(items: list[Any]) -> list[Any]:
    kinds = set(map(type, items))
    if kinds <= _TEXTS or (kinds == {int} and min(items) >= _LOWEST and max(items) <= _HIGHEST):
        return items  # one look at many
    return [_ordered(item) for item in items]


_TEXTS: Final = frozenset({bytes, str})
_LOWEST, _HIGHEST = -(1 << 64), (1 << 64) - 1
_number: Final = itemgetter(0)


def _encoded(entry: tuple[Any, Any]) -> bytes:
    return cbor2.dumps(entry[0])


def decode(data: bytes, *, where: str = "", limit: int = MAX_CBOR, sorted_keys: bool = True) -> Cbor:
    """The value of deterministic CBOR without tags; where ``sorted_keys`` is not asked for, in any order of keys.

    COSE and CWT leave that order free: each value still has one spelling, and its bytes are what is signed. Raises
    :class:`Malformed`.
    """
    if len(data) > limit:
        raise Malformed(where, f"CBOR larger than {limit} bytes", code="TOO_LARGE")
    try:
        value = cbor2.loads(data, max_depth=MAX_CBOR_DEPTH, semantic_decoders=_NO_TAGS)
        ordered = _ordered(value)
    except (cbor2.CBORError, ValueError, TypeError, RecursionError, OverflowError, MemoryError):
        raise Malformed(where, "not CBOR", code="NOT_CBOR") from None
    if cbor2.dumps(ordered if sorted_keys else value) != data:
        raise Malformed(where, "CBOR that is not in its one deterministic form", code="NOT_CBOR")
    return value  # type: ignore[no-any-return]
