"""Writes the quads of a JSON-LD document (json-ld11-api#expansion-algorithm and #deserialize-json-ld-to-rdf-algorithm
in one pass), with the place of each in the document."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, NoReturn, TypeAlias

from vc.canon import Json
from vc.errors import Malformed, Unsupported
from vc.ldcontext import context_key, extend, scoped, scoped_scalar, typed
from vc.ldvalues import json_term, quoted, scalar_term, value_term
from vc.nquads import MAX_QUADS, Quad
from vc.termtable import (
    NO_TERM,
    RDF,
    Coercion,
    DroppedError,
    Entry,
    Table,
    absolute,
    expand_iri,
    language_tag,
    literal_suffix,
)

Path: TypeAlias = tuple[str | int, ...]
"""A place in a JSON document: member names and array indexes from the root."""

MAX_DEPTH: Final = 48  # members and indexes down to a value; the deepest published vector has 9
MAX_CONTEXT_WORK: Final = 20_000  # as Table.cost counts; a presentation of ten kinds of credentials takes some 3000

Link: TypeAlias = tuple[str, str, str]
"""What a value is about to be the object of: subject, predicate and graph name."""

_TYPE: Final = f"<{RDF}type>"
_FIRST: Final = f"<{RDF}first>"
_REST: Final = f"<{RDF}rest>"
_NIL: Final = f"<{RDF}nil>"


def pointer(path: Path) -> str:
    """RFC 6901: the JSON pointer of a path."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def lose(path: Path, why: str) -> NoReturn:
    """Raise the error for what JSON-LD would drop."""
    raise Malformed(pointer(path), why, code="DATA_LOSS")


def relocate(error: DroppedError | Malformed, path: Path) -> NoReturn:
    """Raise ``error``, which came from where the place was not known, with its place."""
    if isinstance(error, DroppedError):
        lose(path, str(error))
    raise Malformed(pointer(path), error.why, code=error.code) from None


class QuadWriter:
    """Writes one document. Each method takes values of one shape; ``path`` is where the value stands."""

    __slots__ = ("anchors", "blanks", "labels", "paths", "quads", "tables", "work")

    def __init__(self) -> None:
        self.quads: list[Quad] = []
        self.paths: list[Path] = []
        self.anchors: list[Path | None] = []
        self.labels: dict[str, str] = {}  # blank nodes that the document names
        self.blanks = 0
        self.tables: set[Table] = set()  # what the document had us make, and what that took
        self.work = 0

    def blank(self) -> str:
        label = f"_:b{self.blanks}"
        self.blanks += 1
        return label

    def add(self, quad: Quad, path: Path, anchor: Path | None) -> None:
        self.quads.append(quad)
        self.paths.append(path)
        self.anchors.append(anchor)

    def link(self, link: Link, term: str, path: Path, anchor: Path | None) -> None:
        subject, predicate, graph = link
        self.add((subject, predicate, term, graph), path, anchor)

    def document(self, table: Table, document: dict[str, Json]) -> None:
        """The whole document, under its own contexts."""
        self.work = table.cost
        self.check_bounds(len(document), ())
        if self.shape(table, document, ())[1]:
            lose((), "a value that no statement has")
        self.node(table, document, (), "")
        if not self.quads:
            lose((), "the document makes no statement")

    def node(self, table: Table, node: dict[str, Json], path: Path, graph: str) -> str:
        """A node object, its own context entered already. Returns its subject."""
        active, types = table, {}
        for name in table.types:
            if name in node:
                active, types[name] = self.typed(table, active, node[name], (*path, name))
        if active is not table:
            _check_aliases(table, active, node)
        subject = self.subject(active, node, path)
        for name, terms in types.items():
            single = not isinstance(node[name], list)
            for index, term in enumerate(terms):
                self.add((subject, _TYPE, term, graph), (*path, name) if single else (*path, name, index), path)
        self.members(active, node, subject, path, graph)
        return subject

    def check_bounds(self, more: int, path: Path) -> None:
        if len(self.quads) + more > MAX_QUADS:
            raise Malformed(pointer(path), f"more than {MAX_QUADS} statements", code="TOO_LARGE")
        if len(path) > MAX_DEPTH:
            raise Malformed(pointer(path), f"nested deeper than {MAX_DEPTH} levels", code="TOO_DEEP")

    def visit(self, before: Table, after: Table, path: Path) -> Table:
        """Account for ``after``, which was made from ``before``: once in a document, whether remembered or not."""
        if after is not before and after not in self.tables:
            self.tables.add(after)
            self.work += after.cost - before.cost
            if self.work > MAX_CONTEXT_WORK:
                raise Malformed(pointer(path), "the contexts take too much work", code="TOO_LARGE")
        return after

    def typed(self, table: Table, active: Table, types: Json, path: Path) -> tuple[Table, tuple[str, ...]]:
        """The types of a node, and the table for its members."""
        names = types if isinstance(types, list) else [types]
        if not names:
            lose(path, "an empty array says nothing")
        if not all(name.__class__ is str for name in names):
            raise Malformed(pointer(path), "a type is a string")
        try:
            after, terms = typed(table, active, tuple(names))
        except (DroppedError, Malformed) as error:
            relocate(error, path)
        return self.visit(active, after, path), terms

    def subject(self, table: Table, node: dict[str, Json], path: Path) -> str:
        subject = ""
        for name in table.ids:
            if name in node:
                value, place = node[name], (*path, name)
                if subject or not isinstance(value, str):
                    raise Malformed(pointer(place), "an identifier is one string")
                subject = self.iri(table, value, place, vocab=False)
        return subject or self.blank()

    def iri(self, table: Table, value: str, path: Path, *, vocab: bool) -> str:
        try:
            term = absolute(table, value, vocab=vocab)
        except DroppedError as dropped:
            lose(path, str(dropped))
        if term[0] == "<":
            return term
        return self.labels.get(term) or self.labels.setdefault(term, self.blank())

    def members(self, table: Table, node: dict[str, Json], subject: str, path: Path, graph: str) -> None:
        """The members of a node. Most are strings that become literals: these take the short way."""
        entries, name = table.entries, ""
        try:
            for name, value in node.items():
                entry, place = entries[name], (*path, name)
                suffix = entry.suffix
                if suffix is not None and value.__class__ is str:
                    self.add((subject, entry.predicate, self.text(value, suffix, place), graph), place, None)
                else:
                    _WRITE[entry.kind](self, table, entry, value, place, (subject, entry.predicate, graph))
        except DroppedError as dropped:
            lose((*path, name), str(dropped))

    def text(self, value: str, suffix: str, path: Path) -> str:
        """The literal for a string."""
        try:
            return quoted(value) + suffix
        except Malformed as error:
            relocate(error, path)

    def nothing(self, table: Table, entry: Entry, value: Json, path: Path, link: Link) -> None:
        """``@id``, ``@type`` and ``@context``, which were read before the other members."""

    def value(self, table: Table, entry: Entry, value: Json, path: Path, link: Link) -> None:
        if isinstance(value, list):
            self.array(table, entry, value, path, link)
        elif isinstance(value, dict):
            self.object(table, entry, value, path, link)
        else:
            self.link(link, self.scalar(table, entry, value, path), path, None)

    def array(self, table: Table, entry: Entry, items: list[Json], path: Path, link: Link) -> None:
        if not items:
            lose(path, "an empty array says nothing")
        self.check_bounds(len(items), path)
        suffix = entry.suffix
        for index, item in enumerate(items):
            if suffix is not None and item.__class__ is str:
                self.link(link, self.text(item, suffix, (*path, index)), (*path, index), None)
            else:
                self.value(table, entry, item, (*path, index), link)

    def object(self, table: Table, entry: Entry, value: dict[str, Json], path: Path, link: Link) -> None:
        inside = self.enter(table, entry, value, path)
        name, shape = self.shape(inside, value, path)
        if shape == "@set":
            self.value(inside, _entry_inside(inside, entry), value[name], (*path, name), link)
        else:
            term, anchor = self.resource(inside, entry, value, path, link[2])
            self.link(link, term, path, anchor)

    def enter(self, table: Table, entry: Entry, value: dict[str, Json], path: Path) -> Table:
        """json-ld11-api#expansion-algorithm, steps 7 to 9: the table inside an object that is a value of ``entry``."""
        self.check_bounds(len(value), path)
        if table.previous is not None and not _is_no_node(table, value):
            table = table.previous
        inside = table
        try:
            if entry.scope is not None:
                inside = scoped(inside, entry.scope)
            if "@context" in value:
                inside = extend(inside, context_key(value["@context"]))
        except Malformed as error:
            relocate(error, path)
        return self.visit(table, inside, path)

    def shape(self, table: Table, value: dict[str, Json], path: Path) -> tuple[str, str]:
        """The member that makes ``value`` a value, list or set object, and its keyword; empty for a node object."""
        for name in table.shapes:
            if name in value:
                break
        else:
            return "", ""
        keyword = expand_iri(table, name, vocab=True) or ""
        if keyword != "@value" and value.keys() - {name, "@context"}:
            raise Malformed(pointer(path), f"{keyword} stands beside what it cannot stand with")
        return name, keyword

    def resource(
        self, table: Table, entry: Entry, value: dict[str, Json], path: Path, graph: str
    ) -> tuple[str, Path | None]:
        """json-ld11-api#object-to-rdf-conversion: the term for an object that was entered, and its anchor."""
        name, shape = self.shape(table, value, path)
        if shape == "@set":
            # PyLD and jsonld.js read this as two different lists.
            raise Unsupported("JSON-LD feature", "@set in a list")
        if shape == "@list":
            return self.items(table, _entry_inside(table, entry), value[name], (*path, name), graph), None
        if shape == "@value":
            return self.value_object(table, value, path), None
        return self.node(table, value, path, graph), path

    def value_object(self, table: Table, value: dict[str, Json], path: Path) -> str:
        """json-ld11-api#dfn-value-object"""
        found: dict[str, Json] = {}
        for name, member in value.items():
            keyword = expand_iri(table, name, vocab=True) if name.__class__ is str else None
            if keyword == "@context":
                continue
            if keyword not in {"@value", "@type", "@language", "@direction"}:
                lose((*path, name), "has no place beside @value")
            if keyword in found:
                raise Malformed(pointer(path), f"{keyword} occurs twice")
            found[keyword] = member
        try:
            return value_term(table, found)
        except (DroppedError, Malformed) as error:
            relocate(error, path)

    def scalar(self, table: Table, entry: Entry, value: Json, path: Path) -> str:
        """json-ld11-api#value-expansion and #object-to-rdf-conversion: the term for a scalar."""
        coercion = entry.coercion
        try:
            if entry.scope is not None:
                inside, coercion = scoped_scalar(table, entry.scope, entry.name)
                table = self.visit(table, inside, path)
            if isinstance(value, str) and coercion.kind in {"@id", "@vocab"}:
                return self.iri(table, value, path, vocab=coercion.kind == "@vocab")
            return scalar_term(value, coercion)
        except (DroppedError, Malformed) as error:
            relocate(error, path)

    def json_literal(self, _table: Table, _entry: Entry, value: Json, path: Path, link: Link) -> None:
        """json-ld11-api#dfn-json-literal: the value as a whole, with whatever is in it."""
        try:
            term = json_term(value)
        except Malformed as error:
            relocate(error, path)
        self.link(link, term, path, None)

    def graph_container(self, table: Table, entry: Entry, value: Json, path: Path, link: Link) -> None:
        """A value of a graph container (``proof``, ``verifiableCredential``): each node is a graph of its own."""
        if isinstance(value, list):
            if not value:
                lose(path, "an empty array says nothing")
            self.check_bounds(len(value), path)
            for index, item in enumerate(value):
                self.graph_container(table, entry, item, (*path, index), link)
            return
        if not isinstance(value, dict):
            lose(path, "a graph holds nodes, and this is none")
        inside = self.enter(table, entry, value, path)
        if self.shape(inside, value, path)[1]:
            lose(path, "a graph holds nodes, and this is none")
        name, before = self.blank(), len(self.quads)
        self.node(inside, value, path, name)
        if len(self.quads) == before:
            lose(path, "a node that makes no statement is in no graph")
        self.link(link, name, path, path)

    def list_container(self, table: Table, entry: Entry, value: Json, path: Path, link: Link) -> None:
        """A value of a list container."""
        inside, anchor = table, None
        if isinstance(value, dict):
            inside = self.enter(table, entry, value, path)
        if isinstance(value, dict) and self.shape(inside, value, path)[1] == "@list":
            head, anchor = self.resource(inside, entry, value, path, link[2])
        else:
            head = self.items(table, entry, value, path, link[2])
        self.link(link, head, path, anchor)

    def items(self, table: Table, entry: Entry, value: Json, path: Path, graph: str) -> str:
        """json-ld11-api#list-to-rdf-conversion: writes the cells of a list. Returns its head."""
        if not isinstance(value, list):
            cells: list[tuple[Path, Json]] = [(path, value)]
        else:
            cells = [((*path, index), item) for index, item in enumerate(value)]
        self.check_bounds(2 * len(cells), path)
        labels = [self.blank() for _ in cells]
        for label, rest, (place, item) in zip(labels, [*labels[1:], _NIL], cells, strict=False):
            term, anchor = self.item(table, entry, item, place, graph)
            self.add((label, _FIRST, term, graph), place, anchor)
            self.add((label, _REST, rest, graph), path, None)
        return labels[0] if labels else _NIL

    def item(self, table: Table, entry: Entry, item: Json, path: Path, graph: str) -> tuple[str, Path | None]:
        if isinstance(item, list):
            if "@list" not in table.terms.get(entry.name, NO_TERM).container:
                # The specification, PyLD and jsonld.js read this as three different lists.
                raise Unsupported("JSON-LD feature", "an array in a @list object")
            return self.items(table, entry, item, path, graph), None
        if isinstance(item, dict):
            return self.resource(self.enter(table, entry, item, path), entry, item, path, graph)
        return self.scalar(table, entry, item, path), None

    def language_map(self, table: Table, entry: Entry, value: Json, path: Path, link: Link) -> None:
        """json-ld11-api#expansion-algorithm, step 13.7: a language map."""
        if not isinstance(value, dict):
            self.value(table, entry, value, path, link)
            return
        if not value:
            lose(path, "an empty language map says nothing")
        for name, texts in value.items():
            if name.__class__ is not str:
                lose((*path, name), "not a language tag")
            try:
                tag = "" if expand_iri(table, name, vocab=True) == "@none" else language_tag(name)
                suffix = literal_suffix(language=tag, direction=entry.direction)
            except DroppedError as dropped:
                lose((*path, name), str(dropped))
            inner = replace(entry, coercion=Coercion("", suffix, ""), suffix=suffix, scope=None)
            if not all(isinstance(text, str) for text in (texts if isinstance(texts, list) else [texts])):
                lose((*path, name), "a language map holds strings")
            self.value(table, inner, texts, (*path, name), link)

    def index_container(self, table: Table, entry: Entry, value: Json, path: Path, link: Link) -> None:
        """A value of an index container: RDF has no place for the indexes."""
        if isinstance(value, dict):
            lose(path, "the names of an index map are in no statement")
        self.value(table, entry, value, path, link)


_Write: TypeAlias = Callable[[QuadWriter, Table, Entry, Json, Path, Link], None]
_WRITE: Final[Mapping[str, _Write]] = MappingProxyType(
    {
        "@context": QuadWriter.nothing,
        "@id": QuadWriter.nothing,
        "@type": QuadWriter.nothing,
        "graph": QuadWriter.graph_container,
        "index": QuadWriter.index_container,
        "json": QuadWriter.json_literal,
        "language": QuadWriter.language_map,
        "list": QuadWriter.list_container,
        "value": QuadWriter.value,
    }
)


def _is_no_node(table: Table, value: dict[str, Json]) -> bool:
    """json-ld11-api#expansion-algorithm, step 7: a value, or a mere reference, stays under a type-scoped context."""
    if len(value) == 1 and any(name in value for name in table.ids):
        return True
    return any(name in value and expand_iri(table, name, vocab=True) == "@value" for name in table.shapes)


def _check_aliases(table: Table, active: Table, node: dict[str, Json]) -> None:
    """A node was taken for one, and its types were read, by the names of ``table``: those of its types must agree."""
    if (table.types, table.shapes) != (active.types, active.shapes):
        changed = {*table.types, *table.shapes} ^ {*active.types, *active.shapes}
        if not changed.isdisjoint(node):
            raise Unsupported("JSON-LD feature", "a type that gives @type or @value another name")


def _entry_inside(table: Table, entry: Entry) -> Entry:
    """What ``entry`` says about values in a list or set object, where another table may hold."""
    term = table.terms.get(entry.name)
    return replace(entry, suffix=None, coercion=table.coercion(entry.name), scope=term.scope if term else None)
