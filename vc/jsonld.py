"""JSON-LD 1.1 to RDF, straight from the JSON tree to quads, by compiled term tables, in *safe mode*.

Safe mode (vc-data-integrity#securing-data-losslessly): whatever JSON-LD would drop silently is an error with a JSON
pointer, because what is dropped is not signed. Beyond what jsonld.js calls safe, ``null``, an empty array, ``@index``
and a node of a graph that says nothing are errors too: anyone could add or remove them under a signature.

Where specification and common processors leave a choice, what is signed is: numbers as they stand in
json-ld11-api#data-round-tripping; language tags in lower case; ``@direction`` as an i18n datatype; JSON literals in
RFC 8785 form.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vc.canon import Json
from vc.errors import Malformed, Unsupported
from vc.ldcontext import compile_contexts, context_key
from vc.nquads import Quad
from vc.quadwriter import Path, QuadWriter, pointer
from vc.termtable import BeyondError, Contexts, Table

__all__ = ["Contexts", "Located", "Path", "pointer", "to_quads", "to_rdf"]


@dataclass(frozen=True, slots=True)
class Located:
    """The quads of a document, and for each of them the place in the document that made it.

    A quad may occur twice, with two paths. Blank nodes are labelled ``_:b0``, ``_:b1`` … in order of appearance.
    ``paths`` are the places of the values. ``anchors`` tell which quads come along when anything below a place is
    selected: the place of its node for a type, of the node linked to for a link, None for a value of another kind.
    """

    quads: tuple[Quad, ...]
    paths: tuple[Path, ...]
    anchors: tuple[Path | None, ...]


def to_rdf(document: Mapping[str, Json], contexts: Contexts) -> Located:
    """json-ld11-api#expansion-algorithm and #deserialize-json-ld-to-rdf-algorithm, in safe mode, with locations.

    Raises Malformed with a JSON pointer (code DATA_LOSS where something would be dropped, BAD_CONTEXT for contexts that
    break a rule), and Unsupported for a context that ``contexts`` has not, and for the parts of JSON-LD that only
    :func:`to_quads` reads.
    """
    try:
        return _located(document, contexts)
    except BeyondError as beyond:
        raise Unsupported("JSON-LD feature, where claims are selected", str(beyond)) from None


def to_quads(document: Mapping[str, Json], contexts: Contexts) -> tuple[Quad, ...]:
    """The quads of :func:`to_rdf` without locations, for proofs over whole documents.

    Reads ``@graph``, ``@included``, ``@reverse`` and the containers ``@id``, ``@type`` and property index
    too, by way of PyLD: slower, and errors name no place there. Raises as :func:`to_rdf` does.
    """
    try:
        return _located(document, contexts).quads
    except BeyondError:
        # Here, because PyLD takes half a second to import, and few documents ever need it.
        from vc.pyld_fallback import fallback_quads  # noqa: PLC0415

        return fallback_quads(document, contexts)


def _located(document: Mapping[str, Json], contexts: Contexts) -> Located:
    members = dict(document)
    table = _document_table(members, contexts)
    writer = QuadWriter()
    writer.document(table, members)
    return Located(tuple(writer.quads), tuple(writer.paths), tuple(writer.anchors))


def _document_table(members: dict[str, Json], contexts: Contexts) -> Table:
    try:
        return compile_contexts(contexts, context_key(members["@context"]) if "@context" in members else ())
    except Malformed as error:
        raise Malformed("/@context", error.why, code=error.code) from None
