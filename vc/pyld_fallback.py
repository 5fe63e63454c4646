"""The parts of JSON-LD that the term table has no row for, by way of PyLD, with PyLD's silences made errors.

PyLD has no safe mode. It drops at few places, and each shows: a property in its hook, a name in an expansion to None, a
value in an expansion to None, an IRI or an index in the expanded document. Whatever of these we see ends the reading,
so that nothing is signed which is not there. Errors name no place, and contexts come from the frozen set alone.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from pyld.context_resolver import ContextResolver
from pyld.jsonld import JsonLdError, JsonLdProcessor

from vc.canon import Json, check_depth
from vc.errors import Malformed, Unsupported, VcError
from vc.ldcontext import context_key
from vc.nquads import Quad, literal
from vc.termtable import KEYWORDS, RDF, Contexts, DroppedError, iri_term, language_tag

MAX_VALUES: Final = 250  # PyLD compares every value of a property with every other: 250 take it a quarter of a second
MAX_INLINE: Final = 2048  # characters of contexts inside the document: PyLD copies all terms for each scoped context

_LIKE_KEYWORDS: Final = re.compile(r'"(@[A-Za-z]+)"')
_SCALARS: Final = frozenset({str, int, float, bool})
_NO_BASE: Final = "relative://no-base.invalid/"  # relative IRIs land here, and are refused
_DATATYPE_PARTS: Final = {"@type", "@value", "@language", "@direction"}
_MAPS: Final = {"@graph", "@included", "@list", "@reverse"}


def fallback_quads(document: Mapping[str, Json], contexts: Contexts) -> tuple[Quad, ...]:
    """json-ld11-api#dom-jsonldprocessor-tordf in safe mode. Raises Malformed and Unsupported, without places."""
    members = dict(document)
    _check_input(members)
    processor = _Strict(_drop_property)
    loader = _loader(contexts)
    options = {
        "base": _NO_BASE,
        "documentLoader": loader,
        "contextResolver": ContextResolver({}, loader),
        "rdfDirection": "i18n-datatype",
    }
    try:
        dataset = processor.to_rdf(members, options)
    except Exception as error:  # noqa: BLE001 — PyLD meets bad input with whatever Python raises
        raise _translated(error) from None
    try:
        return _quads(dataset)
    except DroppedError as dropped:
        raise Malformed("", str(dropped), code="DATA_LOSS") from None


def _loader(contexts: Contexts) -> Callable[[str, object], dict[str, object]]:
    def load(url: str, _options: object) -> dict[str, object]:
        if b'"@direction"' in contexts.raw.get(url, b""):
            raise _unread_direction()
        document = {"@context": contexts.context(url)}
        return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": document}

    return load


def _unread_direction() -> Unsupported:
    # PyLD forgets the default direction at the next context.
    return Unsupported("JSON-LD feature", "@direction beside @graph, @included, @reverse or maps")


def _drop_property(_name: object) -> None:
    raise DroppedError("no context defines a name that the document uses")


def _translated(error: BaseException) -> VcError:
    """Our own error, however deep PyLD has wrapped it; otherwise what PyLD calls the mistake."""
    code = ""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, VcError):
            return cause
        if isinstance(cause, DroppedError):
            return Malformed("", str(cause), code="DATA_LOSS")
        if isinstance(cause, JsonLdError) and cause.code:
            code = str(cause.code)
        cause = cause.__cause__
    return Malformed("", f"not valid JSON-LD: {code or type(error).__name__}")


def _check_input(members: dict[str, Json]) -> None:
    """Refuses what could vanish without a trace in PyLD's output, and what would keep it busy."""
    check_depth(members)
    inline, values = 0, 0
    stack: list[Json] = [members]
    while stack:
        node = stack.pop()
        if node is None or node in ([], {}):
            raise Malformed("", "null, or an empty array or object, says nothing", code="DATA_LOSS")
        if isinstance(node, dict):
            inline += len(_checked_context(node["@context"])) if "@context" in node else 0
            if "@direction" in node:
                raise _unread_direction()
            stack.extend(value for name, value in node.items() if name != "@context")
        elif isinstance(node, list):
            stack.extend(node)
        elif node.__class__ not in _SCALARS or (isinstance(node, float) and not math.isfinite(node)):
            raise Malformed("", "not JSON")  # PyLD would write what Python calls it
        values += 1
        if values > MAX_VALUES or inline > MAX_INLINE:
            raise Malformed("", "too large for the parts of JSON-LD that it uses", code="TOO_LARGE")


def _checked_context(context: Json) -> str:
    text = "\n".join(context_key(context))
    if '"@direction"' in text:
        raise _unread_direction()
    if "null" in text:  # PyLD does not hear a type say it
        raise Unsupported("JSON-LD feature", "null in a context, beside @graph, @included, @reverse or maps")
    if not KEYWORDS.issuperset(_LIKE_KEYWORDS.findall(text)):  # PyLD warns on the standard error stream
        raise Unsupported("JSON-LD feature", "what looks like a keyword, beside @graph, @included, @reverse or maps")
    return text


class _Strict(JsonLdProcessor):  # type: ignore[misc]  # PyLD has no types
    """PyLD, raising DroppedError where it would go on without something."""

    def expand(self, input_: Any, options: Any) -> Any:
        expanded = super().expand(input_, options)
        _check_members(expanded)
        return expanded

    def _expand(self, *args: Any, **options: Any) -> Any:
        expanded = super()._expand(*args, **options)
        if expanded is None or expanded == []:
            raise DroppedError("a value that is in no statement")
        return expanded

    def _expand_iri(self, active_ctx: Any, value: Any, *args: Any, **options: Any) -> Any:
        expanded = super()._expand_iri(active_ctx, value, *args, **options)
        if expanded is None and value is not None:
            raise DroppedError("a name that means nothing, or looks like a keyword")
        if expanded == "@nest":  # the types in it set their contexts in PyLD, and not in the specification
            raise Unsupported("JSON-LD feature", "@nest")
        return expanded

    def _expand_index_map(self, active_ctx: Any, active_property: Any, value: Any, index_key: Any, *args: Any) -> Any:
        for item in (item for items in value.values() for item in self.arrayify(items)):
            names = item if isinstance(item, dict) else ()
            if index_key == "@id" and any(self._expand_iri(active_ctx, name, vocab=True) == "@id" for name in names):
                raise DroppedError("a node in an @id map that has another identifier")
            if "@context" in names:
                raise DroppedError("a node in a map that has a context of its own")
        return super()._expand_index_map(active_ctx, active_property, value, index_key, *args)


def _check_members(nodes: Any) -> None:
    """Members of a graph: each is a node that says something."""
    for node in nodes if isinstance(nodes, list) else [nodes]:
        if not isinstance(node, dict) or node.keys() & {"@value", "@list"} or node.keys() <= {"@id", "@included"}:
            raise DroppedError("a value that is in no statement")
        _check_expanded(node)


def _check_expanded(value: Any) -> None:
    """json-ld11#expanded-document-form: everything in it reaches the quads."""
    if isinstance(value, list):
        for item in value:
            _check_expanded(item)
    elif isinstance(value, dict) and "@value" in value:
        _check_value(value)
    elif isinstance(value, dict):
        for name, items in value.items():
            _check_member(name, items)


def _check_member(name: str, items: Any) -> None:
    if name == "@id":
        _check_iri(items, blank=True)
    elif name == "@type":
        for item in items:
            _check_iri(item, blank=False)
    elif name in {"@graph", "@included"}:
        _check_members(items)
    elif name in _MAPS:
        _check_expanded(items)
    else:
        _check_iri(name, blank=False)
        _check_expanded(items)


def _check_iri(value: Any, *, blank: bool) -> None:
    if not isinstance(value, str) or value.startswith(_NO_BASE):
        raise DroppedError("a relative IRI")
    if not (blank and value.startswith("_:")):
        iri_term(value)


def _check_value(value: dict[str, Any]) -> None:
    if not value.keys() <= _DATATYPE_PARTS:
        raise DroppedError("an index, which is in no statement")
    text = isinstance(value["@value"], str)
    datatype = value.get("@type")
    if datatype != "@json" and datatype is not None:
        _check_iri(datatype, blank=False)
    if "@language" in value:
        language_tag(value["@language"])
    if not text and ("@direction" in value or "@language" in value):
        raise DroppedError("a language or direction of something else than a string")
    if text and datatype == "http://www.w3.org/2001/XMLSchema#double":
        raise DroppedError("a double that is written as a string, which PyLD rewrites")
    if not text and datatype == f"{RDF}langString":
        raise DroppedError("rdf:langString without a language")


def _quads(dataset: dict[str, list[dict[str, dict[str, str]]]]) -> tuple[Quad, ...]:
    labels: dict[str, str] = {}
    return tuple(
        (
            _term(triple["subject"], labels),
            _term(triple["predicate"], labels),
            _term(triple["object"], labels),
            "" if name == "@default" else _term(_named(name), labels),
        )
        for name, triples in dataset.items()
        for triple in triples
    )


def _named(name: str) -> dict[str, str]:
    return {"type": "blank node" if name.startswith("_:") else "IRI", "value": name}


def _term(term: dict[str, str], labels: dict[str, str]) -> str:
    kind, value = term["type"], term["value"]
    if kind == "IRI":
        return iri_term(value)
    if kind == "blank node":
        return labels.setdefault(value, f"_:b{len(labels)}")
    language = term.get("language")
    return literal(value, language=language) if language else literal(value, datatype=term["datatype"])
