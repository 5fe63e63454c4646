"""Selective disclosure functions (vc-di-ecdsa#selective-disclosure-functions), shared by bbs-2023 and ecdsa-sd-2023.

Skolemisation (``skolemizeCompactJsonLd``, ``toDeskolemizedNQuads`` and what they call) is left out, on purpose: the
specification needs it to find again, in a selection of the document, the quads of the whole. :func:`vc.jsonld.to_rdf`
tells for every quad which value made it, so a JSON pointer selects quads directly. The published vectors of every
later step show that the outcome is the same.
"""

import hmac
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import compress
from typing import Final, TypeAlias, cast

from vc.canon import Json
from vc.errors import Malformed
from vc.jsonld import Located
from vc.model import Object
from vc.multibase import encode_base64url
from vc.rdf import Quad, canonicalize, relabel, serialize

Path: TypeAlias = tuple[str | int, ...]
LabelMap: TypeAlias = Mapping[str, str]
LabelMapFactory: TypeAlias = Callable[[LabelMap], LabelMap]

MAX_POINTERS: Final = 4096  # twice the claims of the largest credential that a proof can carry
MAX_POINTER: Final = 1024  # characters

_CONTAINERS: Final = (dict, list)


@dataclass(frozen=True, slots=True)
class Group:
    """The canonical N-Quads that a group of pointers selects, by index, and the others."""

    matching: Mapping[int, str]
    non_matching: Mapping[int, str]
    quads: tuple[Quad, ...]  # the selected quads with their input labels ("deskolemizedNQuads")


@dataclass(frozen=True, slots=True)
class Groups:
    """Outcome of canonicalizeAndGroup."""

    groups: Mapping[str, Group]
    label_map: LabelMap  # input label to replaced label
    nquads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TransformedDocument:
    """Outcome of base proof transformation (vc-di-ecdsa#base-proof-transformation-ecdsa-sd-2023): canonical N-Quads by
    index."""

    mandatory: Mapping[int, str]
    non_mandatory: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A document's quads as they are signed: with replaced labels, and sorted."""

    located: Located
    label_map: LabelMap  # input label to replaced label
    lines: tuple[str, ...]  # N-Quads in the order of the located quads
    nquads: tuple[str, ...]  # the same, sorted


def label(located: Located, label_map_factory: LabelMapFactory) -> Labelled:
    """vc-di-ecdsa#canonicalizeandgroup, first half: what does not depend on the groups."""
    label_map, lines = label_replacement_canonicalize(located.quads, label_map_factory)
    return Labelled(located, label_map, tuple(lines), tuple(sorted(set(lines))))


def canonicalize_and_group(
    located: Located,
    label_map_factory: LabelMapFactory,
    group_definitions: Mapping[str, Collection[Path]],
) -> Groups:
    """vc-di-ecdsa#canonicalizeandgroup, over quads that know which value made them."""
    return group(label(located, label_map_factory), group_definitions)


def group(labelled: Labelled, group_definitions: Mapping[str, Collection[Path]]) -> Groups:
    """vc-di-ecdsa#canonicalizeandgroup, second half: the signed quads that each group selects."""
    position = {line: index for index, line in enumerate(labelled.nquads)}
    places = [position[line] for line in labelled.lines]
    groups = {name: _group(labelled, places, paths) for name, paths in group_definitions.items()}
    return Groups(groups, labelled.label_map, labelled.nquads)


def _group(labelled: Labelled, places: Sequence[int], paths: Collection[Path]) -> Group:
    chosen = selected(labelled.located, paths)
    indexes = set(compress(places, chosen))
    nquads = labelled.nquads
    return Group(
        matching={index: nquads[index] for index in sorted(indexes)},
        non_matching={index: line for index, line in enumerate(nquads) if index not in indexes},
        quads=tuple(compress(labelled.located.quads, chosen)),
    )


def label_replacement_canonicalize(
    quads: Sequence[Quad],
    label_map_factory: LabelMapFactory,
) -> tuple[LabelMap, list[str]]:
    """vc-di-ecdsa#labelreplacementcanonicalizenquads; the lines stand in the order of ``quads``, not yet sorted."""
    label_map = label_map_factory(canonicalize(quads).labels)
    return label_map, [serialize(relabel(quad, label_map)) for quad in quads]


def create_label_map_function(label_map: LabelMap) -> LabelMapFactory:
    """vc-di-ecdsa#createlabelmapfunction: replace canonical labels by those of ``label_map``.

    A blank node that the map does not name makes the factory raise :class:`Malformed`.
    """

    def label_map_factory(canonical_ids: LabelMap) -> LabelMap:
        try:
            return {label: label_map[canonical] for label, canonical in canonical_ids.items()}
        except KeyError:
            raise Malformed(
                "/proof/proofValue", "the label map does not name every blank node", code="PROOF_INVALID"
            ) from None

    return label_map_factory


def create_hmac_id_label_map_function(hmac_key: bytes) -> LabelMapFactory:
    """vc-di-ecdsa#createhmacidlabelmapfunction: labels _:u… that are the keyed digests of the canonical ones."""

    def label_map_factory(canonical_ids: LabelMap) -> LabelMap:
        return {
            label: "_:u" + encode_base64url(hmac.digest(hmac_key, canonical[2:].encode("ascii"), "sha256"))
            for label, canonical in canonical_ids.items()
        }

    return label_map_factory


def create_shuffled_id_label_map_function(hmac_key: bytes) -> LabelMapFactory:
    """vc-di-bbs#createshuffledidlabelmapfunction: labels _:b0, _:b1 … in the order of their keyed digests."""
    hmac_id_label_map = create_hmac_id_label_map_function(hmac_key)

    def label_map_factory(canonical_ids: LabelMap) -> LabelMap:
        digests = hmac_id_label_map(canonical_ids)
        shuffled = {digest: f"_:b{index}" for index, digest in enumerate(sorted(digests.values()))}
        return {label: shuffled[digest] for label, digest in digests.items()}

    return label_map_factory


def selected(located: Located, paths: Collection[Path]) -> list[bool]:
    """For each quad, whether a selection by ``paths`` carries it (vc-di-ecdsa#selectjsonld, told on quads).

    A path carries everything below it, and the types of, and links to, every node on the way to it.
    """
    targets = set(paths)
    on_the_way = {path[:length] for path in targets for length in range(len(path) + 1)}
    lengths = sorted({len(path) for path in targets})
    return [
        _is_below(path, targets, lengths) or _comes_along(path, anchor, on_the_way)
        for path, anchor in zip(located.paths, located.anchors, strict=True)
    ]


def _is_below(path: Path, targets: set[Path], lengths: Sequence[int]) -> bool:
    """Whether a target is ``path`` or above it. ``lengths`` are those of the targets."""
    for length in lengths:  # noqa: SIM110  (a generator would cost more than the test itself)
        if path[:length] in targets:
            return True
    return False


def _comes_along(path: Path, anchor: Path | None, on_the_way: set[Path]) -> bool:
    """Whether a quad that no target names is a type of, or a link to, a node on the way to one.

    A list, a JSON literal or a text with its language is one claim: a part of it was never signed.
    """
    if anchor is not None:
        return anchor in on_the_way
    if path in on_the_way:
        raise Malformed("/" + "/".join(map(str, path)), "can be shown only whole", code="BAD_POINTER")
    return False


def parse_pointers(pointers: Iterable[object], document: Object, *, where: str) -> tuple[Path, ...]:
    """Each JSON pointer as the path of a value that ``document`` has. Raises :class:`Malformed`."""
    paths = []
    for number, pointer in enumerate(pointers):
        if number == MAX_POINTERS or not isinstance(pointer, str) or len(pointer) > MAX_POINTER:
            raise Malformed(
                where, f"at most {MAX_POINTERS} JSON pointers of {MAX_POINTER} characters", code="BAD_POINTER"
            )
        paths.append(json_pointer_to_path(pointer, document, where=where))
    return tuple(paths)


def json_pointer_to_path(pointer: str, document: Object, *, where: str = "") -> Path:
    """vc-di-ecdsa#jsonpointertopaths (RFC 6901), against the document: a number is an index where the value is a list.

    Raises :class:`Malformed` where the pointer names nothing, or a part of ``@context``.
    """
    if pointer and not pointer.startswith("/"):
        raise Malformed(where, f"{pointer!r} is not a JSON pointer", code="BAD_POINTER")
    value: Json = dict(document)
    path: list[str | int] = []
    for escaped in pointer.split("/")[1:]:
        token = escaped.replace("~1", "/").replace("~0", "~")
        key, value = _member(value, token, pointer, where)
        path.append(key)
    if path[:1] == ["@context"]:
        raise Malformed(where, "@context is no claim", code="BAD_POINTER")
    return tuple(path)


def _member(value: Json, token: str, pointer: str, where: str) -> tuple[str | int, Json]:
    if isinstance(value, dict) and token in value:
        return token, value[token]
    is_index = isinstance(value, list) and token.isascii() and token.isdigit() and str(int(token[:9])) == token
    if is_index and int(token) < len(cast("list[Json]", value)):
        return int(token), cast("list[Json]", value)[int(token)]
    raise Malformed(where, f"{pointer!r} names nothing in the document", code="BAD_POINTER")


def create_initial_selection(source: Object) -> dict[str, Json]:
    """vc-di-ecdsa#createinitialselection: the id, if it is not a blank node, and the types."""
    selection: dict[str, Json] = {}
    identifier = source.get("id")
    if isinstance(identifier, str) and not identifier.startswith("_:"):
        selection["id"] = identifier
    if source.get("type"):
        selection["type"] = source["type"]
    return selection


def select_json_ld(paths: Collection[Path], document: Object) -> dict[str, Json] | None:
    """vc-di-ecdsa#selectjsonld: the part of the document that ``paths`` select, or None for no paths."""
    if not paths:
        return None
    chosen = _tree(paths)
    selection = _select(dict(document), chosen)
    assert isinstance(selection, dict)
    selection["@context"] = document["@context"]
    return selection


_Tree: TypeAlias = "dict[str | int, _Tree | None]"  # None: everything below


def _tree(paths: Collection[Path]) -> "_Tree | None":
    root: _Tree = {}
    for path in sorted(paths, key=len):
        if not path:
            return None
        _plant(root, path)
    return root


def _plant(root: "_Tree", path: Path) -> None:
    node = root
    for key in path[:-1]:
        below = node.setdefault(key, {})
        if below is None:
            return  # a shorter path has everything already
        node = below
    node[path[-1]] = None


def _select(value: Json, chosen: "_Tree | None") -> Json:
    """vc-di-ecdsa#selectpaths, for all paths at once: lists come out dense, in the document's order."""
    if chosen is None:
        return copied(value)
    if isinstance(value, list):
        indexes = sorted(cast("dict[int, _Tree | None]", chosen))
        return [_select(value[index], chosen[index]) for index in indexes]
    assert isinstance(value, dict)
    selection = create_initial_selection(value)
    for key in value:
        if key in chosen and key not in selection:  # id and types are always whole
            selection[key] = _select(value[key], chosen[key])
    return selection


def copied(value: Json) -> Json:
    """A deep copy of a JSON value."""
    if isinstance(value, dict):
        return {key: copied(member) if isinstance(member, _CONTAINERS) else member for key, member in value.items()}
    if isinstance(value, list):
        return [copied(item) if isinstance(item, _CONTAINERS) else item for item in value]
    return value


def relative_indexes(groups: Groups) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """vc-di-ecdsa#createdisclosuredata: mandatory quads by their place among the combined ones, selected
    quads by their place among the non-mandatory ones."""
    combined = {index: place for place, index in enumerate(groups.groups["combined"].matching)}
    non_mandatory = {index: place for place, index in enumerate(groups.groups["mandatory"].non_matching)}
    return (
        tuple(combined[index] for index in groups.groups["mandatory"].matching),
        tuple(non_mandatory[index] for index in groups.groups["selective"].matching if index in non_mandatory),
    )


def verifier_label_map(groups: Groups) -> LabelMap:
    """vc-di-ecdsa#createdisclosuredata: from a verifier's labels to the signed ones."""
    canonical_ids = canonicalize(groups.groups["combined"].quads).labels
    return {canonical: groups.label_map[label] for label, canonical in canonical_ids.items()}


def hash_mandatory_nquads(mandatory: Iterable[str]) -> bytes:
    """vc-di-ecdsa#hashmandatorynquads, with SHA-256."""
    return sha256("".join(mandatory).encode("utf-8")).digest()
