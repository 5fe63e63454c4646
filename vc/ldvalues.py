"""Scalars and value objects of JSON-LD as RDF literals (json-ld11-api#object-to-rdf-conversion)."""

import math
from collections.abc import Mapping
from typing import Final

from vc.canon import Json, canonicalize, check_depth
from vc.errors import Malformed, Unsupported
from vc.nquads import literal
from vc.termtable import (
    RDF,
    Coercion,
    DroppedError,
    Table,
    absolute,
    expand_iri,
    literal_suffix,
)

_XSD: Final = "http://www.w3.org/2001/XMLSchema#"
_DOUBLE: Final = f"{_XSD}double"
_BIG: Final = 10**21  # json-ld11-api#object-to-rdf-conversion, step 10: from here on, whole numbers are doubles too
_BOOLEAN_SUFFIX: Final = f"^^<{_XSD}boolean>"
_INTEGER_SUFFIX: Final = f"^^<{_XSD}integer>"
_DOUBLE_SUFFIX: Final = f"^^<{_DOUBLE}>"
_JSON: Final = f"{RDF}JSON"


def quoted(text: str) -> str:
    """rdf-canon#canonical-quads: the literal for ``text``, up to the closing quote. Raises Malformed."""
    # Printable characters stand for themselves, but for these two; all others are left to the complete rule.
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return literal(text)


def scalar_term(value: Json, coercion: Coercion) -> str:
    """The literal for a scalar (for anything, under ``@json``). Raises DroppedError for null, Malformed for no JSON."""
    if coercion.kind == "@json":
        return json_term(value)
    if isinstance(value, str):
        return quoted(value) + coercion.suffix
    if value is None:
        raise DroppedError("JSON-LD drops null")
    text, suffix = _native(value, coercion.datatype)
    return f'"{text}"{coercion.suffix if coercion.datatype else suffix}'


def _native(value: Json, datatype: str) -> tuple[str, str]:
    """json-ld11-api#data-round-tripping: a JSON boolean or number in canonical form, with its native datatype."""
    if isinstance(value, bool):
        return "true" if value else "false", _BOOLEAN_SUFFIX
    if isinstance(value, int) and -_BIG < value < _BIG and datatype != _DOUBLE:
        return str(value), _INTEGER_SUFFIX
    if not isinstance(value, int | float):
        raise Malformed("", "not a JSON value")
    try:
        number = float(value)
    except OverflowError:  # an integer of more than 308 digits
        number = math.inf
    if not math.isfinite(number):
        raise Malformed("", "not a number that a double can hold")
    if datatype != _DOUBLE and number.is_integer() and abs(number) < _BIG:
        return str(int(number)), _INTEGER_SUFFIX
    return double_text(number), _DOUBLE_SUFFIX


def double_text(value: float) -> str:
    """json-ld11-api#data-round-tripping: the canonical form of an xsd:double, by way of ``%1.15E``."""
    mantissa, _, exponent = f"{value:.15E}".partition("E")
    whole, _, fraction = mantissa.partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}E{int(exponent)}"


def json_term(value: Json) -> str:
    """json-ld11-api#dfn-json-literal, in the form of RFC 8785."""
    check_depth(value)
    try:
        return literal(canonicalize(value).decode("utf-8"), datatype=_JSON)
    except (TypeError, ValueError):
        raise Malformed("", "not JSON") from None


def value_term(table: Table, members: Mapping[str, Json]) -> str:
    """json-ld11-api#dfn-value-object: the literal for one, given by its keywords. Raises DroppedError and Malformed."""
    value = members.get("@value")
    if "@type" in members:
        if "@language" in members or "@direction" in members:
            raise Malformed("", "a value has a type, or a language and a direction")
        return _typed_term(table, value, members["@type"])
    direction = _text(members, "@direction")
    if direction not in {"", "ltr", "rtl"}:
        raise Malformed("", "@direction is ltr or rtl")
    suffix = literal_suffix(language=_text(members, "@language"), direction=direction)
    if suffix and value is not None and not isinstance(value, str):
        raise Malformed("", "only a string has a language or a direction")
    return _plain_term(value, Coercion("", suffix, ""))


def _text(members: Mapping[str, Json], keyword: str) -> str:
    value = members.get(keyword, "")
    if not isinstance(value, str) or (keyword in members and not value):
        raise Malformed("", f"{keyword} is not what it can be")
    return value


def _typed_term(table: Table, value: Json, datatype: Json) -> str:
    if not isinstance(datatype, str):
        raise Malformed("", "the @type of a value is one string")
    term = table.terms.get(datatype)
    if term is not None and term.scope is not None:
        raise Unsupported("JSON-LD feature", "a datatype that has a context")
    if expand_iri(table, datatype, vocab=True) == "@json":
        return json_term(value)
    iri = absolute(table, datatype, vocab=True)
    if not iri.startswith("<") or iri == f"<{RDF}langString>":
        raise Malformed("", "the @type of a value is an IRI, and not rdf:langString")
    return _plain_term(value, Coercion("", literal_suffix(datatype=iri[1:-1]), iri[1:-1]))


def _plain_term(value: Json, coercion: Coercion) -> str:
    if isinstance(value, list | dict):
        raise Malformed("", "@value is a scalar")
    return scalar_term(value, coercion)
