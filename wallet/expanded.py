"""The expanded types of a credential: what a request names."""

from functools import lru_cache
from typing import Final, TypeGuard

from vc.canon import Json
from vc.jsonld import Contexts, to_rdf
from vc.model import Object

_RDF_TYPE: Final = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
_KINDS: Final = 256  # pairs of contexts and types that a wallet meets


def expanded_types(document: Object, contexts: Contexts) -> frozenset[str]:
    """The types of the document itself as IRIs. Its contexts and its ``type`` alone decide them, and few differ."""
    named, types = document.get("@context"), document.get("type")
    if not _all_texts(named) or not _all_texts(types):  # a context written into the document is not kept
        return _expanded({"@context": named, "type": types}, contexts)
    return _known((*named,), (*types,), _Same(contexts))


def _all_texts(value: Json) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


class _Same:
    """Contexts as a part of a cache's key: those of a process are one object."""

    __slots__ = ("contexts",)

    def __init__(self, contexts: Contexts) -> None:
        self.contexts = contexts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.contexts is self.contexts

    def __hash__(self) -> int:
        return id(self.contexts)


@lru_cache(_KINDS)
def _known(named: tuple[str, ...], types: tuple[str, ...], same: _Same) -> frozenset[str]:
    return _expanded({"@context": [*named], "type": [*types]}, same.contexts)


def _expanded(document: dict[str, Json], contexts: Contexts) -> frozenset[str]:
    located = to_rdf(document, contexts)
    return frozenset(
        quad[2][1:-1]
        for quad, anchor in zip(located.quads, located.anchors, strict=True)
        if quad[1] == _RDF_TYPE and anchor == ()
    )
