"""Term tables: what the contexts of a JSON-LD document mean, worked out once and kept.

A :class:`Table` is an *active context* (json-ld11-api#context-processing-algorithms) that never changes. It knows, for
each name that a document uses, the finished N-Quads pieces to write: the predicate, and what stands behind the closing
quote of a string. :mod:`vc.ldcontext` makes tables, :mod:`vc.jsonld` reads documents with them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType
from typing import Final, Protocol, Self

from vc.canon import Json, parse_object
from vc.errors import Malformed, Unsupported
from vc.iris import has_scheme, resolve
from vc.nquads import XSD_STRING, iri

KEYWORDS: Final = frozenset(
    {"@base", "@container", "@context", "@direction", "@graph", "@id", "@import", "@included", "@index", "@json"}
    | {"@language", "@list", "@nest", "@none", "@prefix", "@propagate", "@protected", "@reverse", "@set", "@type"}
    | {"@value", "@version", "@vocab"}
)
I18N: Final = "https://www.w3.org/ns/i18n#"
RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
MAX_ENTRIES: Final = 256  # names remembered per table; others are worked out each time, so that nobody fills our memory

_KEYWORD_FORM: Final = re.compile(r"@[A-Za-z]+")
_LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")  # BCP 47 §2.2.9, well-formed
# The words for a shape of value that the table has no row for; vc.pyld_fallback reads those documents.
_BEYOND: Final = frozenset({"@graph", "@included", "@reverse"})


class DroppedError(Exception):
    """JSON-LD would drop something here. It never leaves ``vc``: who knows the place makes a Malformed of it."""


class BeyondError(Exception):
    """The document uses a part of JSON-LD that the term table does not cover. It never leaves ``vc``."""


@dataclass(frozen=True, slots=True)
class Contexts:
    """The only contexts there are: nothing is fetched. ``raw`` maps a URL to the exact bytes of its document.

    ``pins`` maps each URL to the SHA-256 of those bytes, in hexadecimal. Two sets with the same pins are equal.
    """

    raw: Mapping[str, bytes] = field(compare=False, repr=False)
    pins: Mapping[str, str] = field(compare=False, repr=False)
    fingerprint: str  # of the pins: comparing and hashing look at nothing else

    @classmethod
    def of(cls, raw: Mapping[str, bytes]) -> Self:
        """Freeze ``raw``. Raises Malformed for a key that is no URL, or a document that is no context."""
        for url, document in raw.items():
            if not has_scheme(url):
                raise Malformed(url, "not an absolute URL", code="BAD_CONTEXT")
            if "@context" not in parse_object(document, where=url):
                raise Malformed(url, "has no @context", code="BAD_CONTEXT")
        pins = {url: sha256(raw[url]).hexdigest() for url in sorted(raw)}
        fingerprint = sha256("\n".join(f"{pin} {url}" for url, pin in pins.items()).encode()).hexdigest()
        return cls(MappingProxyType(dict(raw)), MappingProxyType(pins), fingerprint)

    def with_(self, raw: Mapping[str, bytes]) -> Self:
        """A set with more contexts. Raises Malformed where a URL of this set would get other bytes."""
        for url, document in raw.items():
            if self.raw.get(url, document) != document:
                raise Malformed(url, "is pinned to other bytes", code="BAD_CONTEXT")
        return type(self).of({**self.raw, **raw})

    def context(self, url: str) -> Json:
        """The ``@context`` of the document at ``url``. Raises Unsupported for a URL that is not in the set."""
        document = self.raw.get(url)
        if document is None:
            raise Unsupported("context", url, code="UNKNOWN_CONTEXT")
        return parse_object(document, where=url)["@context"]


@dataclass(frozen=True, slots=True)
class Term:
    """json-ld11-api: a term definition. ``iri`` is an IRI, a keyword, or None for a term that means nothing.

    ``language`` and ``direction`` are ``""`` for an explicit null and None where the context's default holds.
    ``scope`` is the JSON text, with sorted names, of the term's own context.
    """

    iri: str | None
    protected: bool = False
    prefix: bool = False
    reverse: bool = False
    type: str | None = None
    container: frozenset[str] = frozenset()
    index: str | None = None
    nest: str | None = None
    language: str | None = None
    direction: str | None = None
    scope: str | None = None


class Active(Protocol):
    """What IRI expansion needs to know of an active context."""

    @property
    def terms(self) -> Mapping[str, Term]: ...
    @property
    def base(self) -> str | None: ...
    @property
    def vocab(self) -> str | None: ...


def expand_iri(active: Active, value: str, *, vocab: bool, relative: bool = False) -> str | None:
    """json-ld11-api#iri-expansion: an IRI, a keyword, a blank node, a relative reference that stays one, or None."""
    if value[:1] == "@" and (value in KEYWORDS or _KEYWORD_FORM.fullmatch(value)):
        return value if value in KEYWORDS else None
    term = active.terms.get(value)
    if term is not None and (vocab or term.iri in KEYWORDS):
        return term.iri
    compact = _expand_compact(active, value)
    if compact is not None:
        return compact
    if vocab and active.vocab is not None:
        return active.vocab + value
    return resolve(value, active.base) if relative and active.base is not None else value


def _expand_compact(active: Active, value: str) -> str | None:
    """json-ld11-api#iri-expansion, step 6: what has a colon, or None where that makes it no IRI."""
    prefix, colon, suffix = value.partition(":")
    if not colon or not prefix:
        return None
    if prefix == "_" or suffix.startswith("//"):
        return value
    term = active.terms.get(prefix)
    if term is not None and term.prefix and term.iri is not None:
        return term.iri + suffix
    return value if has_scheme(value) else None


def absolute(active: Active, value: str, *, vocab: bool) -> str:
    """The term for the IRI that ``value`` means, spelt ``<…>``, or a blank node as the document spells it.

    Raises DroppedError where that is no absolute IRI.
    """
    expanded = expand_iri(active, value, vocab=vocab, relative=True)
    if expanded is None or expanded in KEYWORDS:
        raise DroppedError("a keyword, or what looks like one, identifies nothing")
    return expanded if expanded.startswith("_:") else iri_term(expanded)


def iri_term(value: str) -> str:
    """The term for an absolute IRI. Raises DroppedError for a relative one, or one with a character that none has."""
    try:
        return iri(value)
    except Malformed:
        raise DroppedError("neither a term that the contexts define nor an absolute IRI") from None


@dataclass(frozen=True, slots=True)
class Coercion:
    """What a scalar becomes: ``kind`` is ``"@id"``, ``"@vocab"``, ``"@json"`` or ``""`` for a literal.

    ``suffix`` stands behind the closing quote of a string; ``datatype`` is the IRI of a typed literal, or empty.
    """

    kind: str
    suffix: str
    datatype: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a document, ready to write. ``kind`` names the way in which :mod:`vc.jsonld` writes its values."""

    name: str
    kind: str
    predicate: str = ""
    suffix: str | None = None  # set where a string is written as a literal with nothing more to look at
    coercion: Coercion = Coercion("", "", "")
    direction: str = ""
    scope: str | None = None


class Entries(dict[str, Entry]):
    """The entries of one table, each worked out when a document first uses the name.

    Filling it is no change that anyone can see: an entry follows from the table alone. Looking one up raises
    DroppedError where JSON-LD would drop the name, and BeyondError where the table has no row for its use.
    """

    __slots__ = ("table",)

    def __init__(self, table: "Table") -> None:
        super().__init__()
        self.table = table

    def __missing__(self, name: str) -> Entry:
        entry = _entry(self.table, name)
        if len(self) < MAX_ENTRIES:
            self[name] = entry
        return entry


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """An active context. Equal to itself only: derived tables are remembered by it.

    ``previous`` is where a node object inside goes back to, after a context that does not propagate.
    """

    contexts: Contexts
    terms: Mapping[str, Term] = field(repr=False)
    aliases: Mapping[str, str]  # the terms that mean a keyword
    base: str | None = None
    vocab: str | None = None
    language: str = ""
    direction: str = ""
    previous: "Table | None" = None
    cost: int = 0  # what it took to make, from nothing, in about five microseconds
    ids: tuple[str, ...] = field(init=False)  # the names that mean @id
    types: tuple[str, ...] = field(init=False)  # … @type, in code point order
    shapes: tuple[str, ...] = field(init=False)  # … @value, @list or @set
    entries: Entries = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", self._names("@id"))
        object.__setattr__(self, "types", self._names("@type"))
        object.__setattr__(self, "shapes", self._names("@value", "@list", "@set"))
        object.__setattr__(self, "entries", Entries(self))

    def _names(self, *keywords: str) -> tuple[str, ...]:
        names = {name for name, keyword in self.aliases.items() if keyword in keywords}
        return tuple(sorted(names.union(keywords)))

    def coercion(self, name: str) -> Coercion:
        """json-ld11-api#value-expansion: what a scalar becomes as a value of ``name``."""
        return _coercion(self, self.terms.get(name) or NO_TERM)


NO_TERM: Final = Term(None)


def language_tag(text: str) -> str:
    """BCP 47 §2.2.9: a well-formed tag in lower case, as the common processors sign it. Raises DroppedError."""
    if not _LANGUAGE_TAG.fullmatch(text):
        raise DroppedError("not a language tag")
    return text.lower()


def literal_suffix(*, datatype: str = "", language: str = "", direction: str = "") -> str:
    """What stands behind the closing quote of a literal. Raises DroppedError for a tag or a datatype that is none.

    A direction is kept as an i18n datatype (json-ld11-api: ``rdfDirection`` is ``i18n-datatype``): plain JSON-LD would
    drop it, and the cryptosuites in use sign it in this way.
    """
    tag = language_tag(language) if language else ""
    if direction:
        return f"^^{iri_term(f'{I18N}{tag}_{direction}')}"
    if tag:
        return f"@{tag}"
    return f"^^{iri_term(datatype)}" if datatype and datatype != XSD_STRING else ""


def _coercion(table: Table, term: Term) -> Coercion:
    if term.type in {"@id", "@vocab", "@json"}:
        return Coercion(term.type, "", "")
    if term.type is not None and term.type != "@none":
        return Coercion("", literal_suffix(datatype=term.type), term.type)
    language = table.language if term.language is None else term.language
    return Coercion("", literal_suffix(language=language, direction=_direction(table, term)), "")


def _direction(table: Table, term: Term) -> str:
    return table.direction if term.direction is None else term.direction


def _entry(table: Table, name: str) -> Entry:
    if name.__class__ is not str:
        raise DroppedError("a name that is not a string")
    expanded = expand_iri(table, name, vocab=True)
    if expanded is None:
        raise DroppedError("the contexts give this name no meaning")
    if expanded in KEYWORDS:
        return _keyword_entry(name, expanded)
    if expanded.startswith("_:"):
        raise DroppedError("a blank node cannot be a property")
    if not has_scheme(expanded):
        raise DroppedError("no context defines this term")
    term = table.terms.get(name, NO_TERM)
    kind = _kind(term)
    coercion = _coercion(table, term)
    plain = kind in {"value", "language"} and term.scope is None and not coercion.kind
    suffix = coercion.suffix if plain else None
    return Entry(name, kind, iri_term(expanded), suffix, coercion, _direction(table, term), term.scope)


def _keyword_entry(name: str, keyword: str) -> Entry:
    if keyword in _BEYOND:
        raise BeyondError(keyword)
    if keyword == "@nest":
        raise Unsupported("JSON-LD feature", "@nest")
    if keyword not in {"@id", "@type", "@context"}:
        raise DroppedError(f"{keyword} is not part of any statement here")
    return Entry(name, keyword)


def _kind(term: Term) -> str:
    container = term.container
    if term.reverse:
        raise BeyondError("@reverse")
    if term.type == "@json":
        if container - {"@set"}:
            raise Unsupported("JSON-LD feature", "@json in a container")
        return "json"
    if container & {"@id", "@type"} or term.index is not None:
        raise BeyondError("containers of @id, @type or a property index")
    if "@index" in container:
        return "index"
    for kind in ("list", "language", "graph"):
        if f"@{kind}" in container:
            return kind
    return "value"
