"""RDF terms and quads in their N-Quads spelling.

A *term* is a ``str`` in canonical N-Quads spelling. Its first character tells its kind: ``<`` an IRI, ``"`` a literal,
``_`` a blank node. Terms are compared, relabelled and sorted as they stand; no pattern is ever run over a whole line of
output, because a literal may contain ``_:b0``, quotes and brackets.
"""

import re
from collections.abc import Mapping
from typing import Final

from vc.errors import Malformed

Quad = tuple[str, str, str, str]
"""Subject, predicate, object, graph name; the graph name is ``""`` in the default graph."""

MAX_TEXT: Final = 1_000_000  # characters: a credential has some ten thousand, a list of 1000 issuers half a million
MAX_QUADS: Final = 10_000  # a credential has some 50; every quad costs time here, and again in canonicalisation
XSD_STRING: Final = "http://www.w3.org/2001/XMLSchema#string"

# The terminals of the N-Quads grammar. A repetition of characters is possessive: what it took it never gives back. One
# of a group begins each time with a character that nothing else may stand for, so that giving one back fails at once.
# So a line is read in time proportional to its length. Groups are not possessive: Python before 3.11.5 gets those wrong
# (CPython gh-106052). Surrogates are not characters and match nowhere but in comments.
_SURROGATES = "\ud800-\udfff"
_UCHAR = r"\\(?:u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})"
_ECHAR = r"\\[tbnrf\"'\\]"
_IRI_CHARACTER = rf'[^\x00-\x20<>"{{}}|^`\\{_SURROGATES}]'
_IRIREF = rf"<{_IRI_CHARACTER}*+(?:{_UCHAR}{_IRI_CHARACTER}*+)*>"
_STRING_CHARACTER = rf'[^"\\\n\r{_SURROGATES}]'
_STRING = rf"{_STRING_CHARACTER}*+(?:(?:{_UCHAR}|{_ECHAR}){_STRING_CHARACTER}*+)*"
_LANGUAGE = r"[A-Za-z]++(?:-[A-Za-z0-9]++)*"
# Without the colon that RDF 1.1 printed by mistake and its own test suite refuses (nt-syntax-bad-bnode-02).
_PN_CHARS_U = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_PN_CHARS = rf"{_PN_CHARS_U}0-9\u00b7\u0300-\u036f\u203f\u2040-"
_BLANK_NODE_LABEL = rf"_:[{_PN_CHARS_U}0-9](?:[{_PN_CHARS}]++|\.++(?=[{_PN_CHARS}]))*"
_RESOURCE = rf"{_IRIREF}|{_BLANK_NODE_LABEL}"
_LITERAL = rf'"({_STRING})"(?:[ \t]*+(?:\^\^[ \t]*+({_IRIREF})|@({_LANGUAGE})))?'
_STATEMENT = re.compile(
    rf"[ \t]*+(?:({_RESOURCE})[ \t]*+({_IRIREF})[ \t]*+(?:({_RESOURCE})|{_LITERAL})[ \t]*+({_RESOURCE})?[ \t]*+"
    rf"\.[ \t]*+)?(?:#.*)?"
)

_ESCAPE = re.compile(r"\\(?:u(.{4})|U(.{8})|(.))")
_ECHARS: Final = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_ABSOLUTE_IRI = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*+:{_IRI_CHARACTER}*+")
_LANGUAGE_TAG = re.compile(_LANGUAGE)

# rdf-canon#canonical-quads: these characters and no others, each in this one way. U+FFFE and U+FFFF, like U+0000, are
# what XML 1.1 leaves out of Char.
_NEEDS_CARE = re.compile(rf'[\x00-\x1f"\\\x7f\ufffe\uffff{_SURROGATES}]')
_SURROGATE = re.compile(f"[{_SURROGATES}]")
_CANONICAL_ESCAPES: Final = {code: f"\\u{code:04X}" for code in (*range(0x20), 0x7F, 0xFFFE, 0xFFFF)} | {
    0x08: "\\b",
    0x09: "\\t",
    0x0A: "\\n",
    0x0C: "\\f",
    0x0D: "\\r",
    0x22: '\\"',
    0x5C: "\\\\",
}


def iri(value: str) -> str:
    """N-Quads IRIREF: the term for an absolute IRI. Raises Malformed.

    A character that N-Quads could only spell as an escape (a space, a bracket) is in no IRI of RFC 3987. Refusing it
    means that no IRI can close its own brackets and go on as another term.
    """
    if not _ABSOLUTE_IRI.fullmatch(value):
        raise Malformed("IRI", "not an absolute IRI")
    return f"<{value}>"


def literal(value: str, *, datatype: str | None = None, language: str | None = None) -> str:
    """rdf-canon#canonical-quads: the term for a literal; ``datatype`` is an IRI without brackets. Raises Malformed.

    The language tag keeps its case: RDFC-1.0 normalises no literal.
    """
    quoted = f'"{_escape(value)}"'
    if language is not None:
        if datatype is not None or not _LANGUAGE_TAG.fullmatch(language):
            raise Malformed("literal", "a language tag is letters and digits between hyphens, and has no datatype")
        return f"{quoted}@{language}"
    if datatype is None or datatype == XSD_STRING:
        return quoted
    return f"{quoted}^^{iri(datatype)}"


def _escape(value: str) -> str:
    if not _NEEDS_CARE.search(value):
        return value
    if _SURROGATE.search(value):
        raise Malformed("literal", "a lone surrogate is not a character")
    return value.translate(_CANONICAL_ESCAPES)


def serialize(quad: Quad) -> str:
    """rdf-canon#canonical-quads: one canonical N-Quads line, ending in a line feed."""
    s, p, o, g = quad
    return f"{s} {p} {o} {g} .\n" if g else f"{s} {p} {o} .\n"


def relabel(quad: Quad, labels: Mapping[str, str]) -> Quad:
    """Replace the blank nodes of a quad: ``labels`` maps each of them, spelt ``_:…``, to its new term.

    Raises Malformed where one has no label: a label map that does not cover its document belongs to another.
    """
    s, p, o, g = quad
    try:
        return (
            labels[s] if s[0] == "_" else s,
            p,
            labels[o] if o[0] == "_" else o,
            labels[g] if g and g[0] == "_" else g,
        )
    except KeyError as error:
        raise Malformed("blank node", "the label map has no label for it") from error


def parse_nquads(text: str) -> list[Quad]:
    """N-Quads grammar, nquadsDoc: the quads in order of appearance, duplicates and all.

    Raises Malformed with the line, counted from 1, for what is not N-Quads, has a relative IRI, or is over MAX_TEXT
    characters or MAX_QUADS quads.
    """
    if len(text) > MAX_TEXT:
        raise Malformed("line 1", f"more than {MAX_TEXT} characters")
    quads: list[Quad] = []
    # Not splitlines(): it also breaks at U+0085 and U+2028, which may stand in a literal.
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        try:
            quad = _parse_statement(line)
        except Malformed as error:
            raise Malformed(f"line {number}", error.why) from error
        if quad is None:
            continue
        if len(quads) == MAX_QUADS:
            raise Malformed(f"line {number}", f"more than {MAX_QUADS} quads")
        quads.append(quad)
    return quads


def _parse_statement(line: str) -> Quad | None:
    match = _STATEMENT.fullmatch(line)
    if match is None:
        raise Malformed("statement", "not an N-Quads statement")
    s, p, o, value, datatype, language, g = match.groups()
    if s is None:  # blank, or only a comment
        return None
    if o is None:
        o = literal(_unescape(value), datatype=datatype and _unescape(datatype[1:-1]), language=language)
    else:
        o = _resource(o)
    return _resource(s), _resource(p), o, _resource(g) if g else ""


def _resource(term: str) -> str:
    return iri(_unescape(term[1:-1])) if term[0] == "<" else term


def _unescape(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(escape: re.Match[str]) -> str:
    short, long, echar = escape.groups()
    if echar:
        return _ECHARS[echar]
    code = int(short or long, 16)
    if code > 0x10FFFF:
        raise Malformed("escape", "names no Unicode character")
    # An escaped surrogate stays one, and is refused by iri() or literal(): two do not make a character as in JSON.
    return chr(code)
