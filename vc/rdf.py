"""RDF Dataset Canonicalization: RDFC-1.0 of the W3C, with a work budget.

One function for each step of the specification, under the specification's name. The algorithm is exponential for
datasets made to hurt ("poison graphs": eight blank nodes, each linked to each, are 1.5 KB of text and many seconds of
work), so everything beyond one pass over the quads is paid for in advance from a budget.

Known limit of RDFC-1.0 itself: it does not hash in which graph a link stands. Where one blank node is linked from two
graphs, nodes may tie that are not alike, and the order of the quads then decides. That can cost a verification; it
cannot win one, because the canonical lines always state the very dataset.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, permutations
from math import factorial
from operator import itemgetter
from types import MappingProxyType
from typing import Final, Protocol

from vc.errors import Malformed, Unsupported
from vc.nquads import MAX_QUADS, Quad, iri, literal, parse_nquads, relabel, serialize

__all__ = ["MAX_WORK", "Canonical", "Quad", "canonicalize", "iri", "literal", "parse_nquads", "relabel", "serialize"]

# Units of up to two microseconds: 10 ms, which each of eight proofs may cost. The hardest published dataset takes 3198.
MAX_WORK: Final = 5_000
MAX_DEPTH: Final = 100  # blank nodes in a row that look alike; three Python frames each, of a stack of 1000


class _Digest(Protocol):
    def hexdigest(self) -> str: ...


HASHES: Final[Mapping[str, Callable[[bytes], _Digest]]] = MappingProxyType(
    {"sha256": hashlib.sha256, "sha384": hashlib.sha384}
)


@dataclass(frozen=True, slots=True)
class Canonical:
    """A canonicalized dataset.

    ``quads`` are canonical N-Quads lines, sorted by code point, each once, each ending in a line feed. ``labels`` maps
    each blank node of the input to its canonical label, both spelt ``_:…``.
    """

    quads: tuple[str, ...]
    labels: Mapping[str, str]


@dataclass(slots=True)
class IdentifierIssuer:
    """rdf-canon#bn-issuer-state: gives each blank node, once, the next label. ``issued`` is in order of issuance."""

    prefix: str
    issued: dict[str, str] = field(default_factory=dict)

    def issue(self, existing: str) -> str:
        """rdf-canon#issue-identifier-algorithm"""
        label = self.issued.get(existing)
        if label is None:
            label = self.issued[existing] = f"_:{self.prefix}{len(self.issued)}"
        return label

    def copy(self) -> "IdentifierIssuer":
        """An issuer that goes on by itself from here."""
        return IdentifierIssuer(self.prefix, self.issued.copy())


@dataclass(slots=True)
class CanonicalizationState:
    """rdf-canon#canon-state. ``work`` is what is left of the budget."""

    algorithm: Callable[[bytes], _Digest]
    mentions: Mapping[str, Sequence[Quad]]  # the blank node to quads map
    work: int
    first_degree: dict[str, str] = field(default_factory=dict)
    seen: dict[str, frozenset[Quad]] = field(default_factory=dict)
    canonical_issuer: IdentifierIssuer = field(default_factory=lambda: IdentifierIssuer("c14n"))

    def hash(self, text: str) -> str:
        """The lower-case hexadecimal digest of a text."""
        return self.algorithm(text.encode()).hexdigest()

    def surroundings(self, node: str) -> frozenset[Quad]:
        """The quads of a node without its own label. Remembered: over all the nodes that is one pass over the quads."""
        if node not in self.seen:
            me = {node: "_"}
            self.seen[node] = frozenset(
                (me.get(s, s), p, me.get(o, o), me.get(g, g)) for s, p, o, g in self.mentions[node]
            )
        return self.seen[node]

    def spend(self, units: int) -> None:
        """Pay for work before it is done. Raises Malformed (POISON_GRAPH) when the budget is used up."""
        self.work -= units
        if self.work < 0:
            raise _poison_graph("telling its blank nodes apart takes more work than is allowed")


def canonicalize(quads: Iterable[Quad], *, algorithm: str = "sha256", budget: int = MAX_WORK) -> Canonical:
    """rdf-canon#ca: canonical labels for the blank nodes of a dataset, and its canonical lines.

    Raises Unsupported for an ``algorithm`` other than ``sha256`` and ``sha384``; Malformed with the code POISON_GRAPH
    for more than MAX_QUADS quads, or when telling blank nodes apart takes more than ``budget`` units of work.
    """
    if algorithm not in HASHES:
        raise Unsupported("hash algorithm", algorithm)
    listed = tuple(islice(quads, MAX_QUADS + 1))
    if len(listed) > MAX_QUADS:
        raise _poison_graph(f"more than {MAX_QUADS} quads")
    dataset = dict.fromkeys(listed)  # a set, in an order that does not vary from run to run
    mentions = _blank_node_to_quads(dataset)
    try:
        if len(mentions) > 1:
            labels = _issue_canonical_identifiers(CanonicalizationState(HASHES[algorithm], mentions, budget))
        else:
            # One blank node shares its hash with no other, whatever the hash is: step 4 issues it the first label.
            labels = dict.fromkeys(mentions, "_:c14n0")
        return Canonical(_serialized(dataset, labels), MappingProxyType(labels))
    except UnicodeEncodeError as error:
        raise Malformed("dataset", "a lone surrogate is not a character") from error


def _poison_graph(why: str) -> Malformed:
    return Malformed("dataset", why, code="POISON_GRAPH")


def _blank_node_to_quads(dataset: Iterable[Quad]) -> dict[str, list[Quad]]:
    """rdf-canon#ca.2. A quad that has a blank node twice is listed once."""
    mentions: dict[str, list[Quad]] = {}
    for quad in dataset:
        s, _, o, g = quad
        if s[0] == "_":
            mentions.setdefault(s, []).append(quad)
        if o[0] == "_" and o != s:
            mentions.setdefault(o, []).append(quad)
        if g and g[0] == "_" and g not in (s, o):
            mentions.setdefault(g, []).append(quad)
    return mentions


def _serialized(dataset: Iterable[Quad], labels: Mapping[str, str]) -> tuple[str, ...]:
    """rdf-canon#serialization. Only blank nodes are keys of ``labels``: no literal is spelt like one."""
    get = labels.get
    lines = [
        f"{get(s, s)} {p} {get(o, o)} {get(g, g)} .\n" if g else f"{get(s, s)} {p} {get(o, o)} .\n"
        for s, p, o, g in dataset
    ]
    "".join(lines).encode()  # what cannot be encoded cannot be signed, and is told here rather than there
    lines.sort()  # Python orders str by code point
    return tuple(lines)


def _issue_canonical_identifiers(state: CanonicalizationState) -> dict[str, str]:
    """rdf-canon#ca.3 to #ca.5. Step 3 is one pass, bounded by MAX_QUADS, and costs no budget."""
    nodes_of: dict[str, list[str]] = {}
    for node in state.mentions:
        digest = state.first_degree[node] = hash_first_degree_quads(state, node)
        nodes_of.setdefault(digest, []).append(node)
    shared = []
    for _, nodes in sorted(nodes_of.items()):
        if len(nodes) == 1:
            state.canonical_issuer.issue(nodes[0])
        else:
            shared.append(nodes)
    for nodes in shared:
        _issue_by_n_degree(state, nodes)
    return state.canonical_issuer.issued


def _issue_by_n_degree(state: CanonicalizationState, nodes: Iterable[str]) -> None:
    """rdf-canon#ca.5.1 to #ca.5.3: label nodes that share their first degree hash."""
    hash_path_list = []
    for node in nodes:
        if node not in state.canonical_issuer.issued:
            temporary_issuer = IdentifierIssuer("b")
            temporary_issuer.issue(node)
            hash_path_list.append(hash_n_degree_quads(state, node, temporary_issuer, depth=1))
    for _, issuer in sorted(hash_path_list, key=itemgetter(0)):
        for existing in issuer.issued:
            state.canonical_issuer.issue(existing)


def hash_first_degree_quads(state: CanonicalizationState, reference: str) -> str:
    """rdf-canon#h1dq"""
    nquads = [
        serialize((_placeholder(s, reference), p, _placeholder(o, reference), g and _placeholder(g, reference)))
        for s, p, o, g in state.mentions[reference]
    ]
    return state.hash("".join(sorted(nquads)))


def _placeholder(term: str, reference: str) -> str:
    if term[0] != "_":
        return term
    return "_:a" if term == reference else "_:z"


def hash_related_blank_node(
    state: CanonicalizationState, related: str, quad: Quad, issuer: IdentifierIssuer, position: str
) -> str:
    """rdf-canon#hrbn"""
    name = (
        state.canonical_issuer.issued.get(related) or issuer.issued.get(related) or state.first_degree[related]
    )  # the labels are spelt with "_:", the hash stands bare: as the specification has it
    text = f"{position}{name}" if position == "g" else f"{position}{quad[1]}{name}"
    state.spend(1 + len(text) // 1024)  # a predicate may be long, and is hashed at every visit
    return state.hash(text)


def hash_n_degree_quads(
    state: CanonicalizationState, identifier: str, issuer: IdentifierIssuer, *, depth: int
) -> tuple[str, IdentifierIssuer]:
    """rdf-canon#hndq: the hash of all that is connected to a blank node, and the issuer that got there."""
    if depth > MAX_DEPTH:
        raise _poison_graph(f"more than {MAX_DEPTH} blank nodes in a row that look alike")
    state.spend(1)
    data_to_hash = ""
    for related_hash, nodes in sorted(_related_blank_nodes(state, identifier, issuer).items()):
        path, issuer = _choose_path(state, nodes, issuer, depth)
        data_to_hash += related_hash + path
    return state.hash(data_to_hash), issuer


def _related_blank_nodes(
    state: CanonicalizationState, identifier: str, issuer: IdentifierIssuer
) -> dict[str, list[str]]:
    """rdf-canon#hndq.1 to #hndq.3. A node that is related twice in the same way is listed twice."""
    nodes_of: dict[str, list[str]] = {}
    for quad in state.mentions[identifier]:
        s, _, o, g = quad
        for position, component in (("s", s), ("o", o), ("g", g)):
            if component[:1] == "_" and component != identifier:
                related_hash = hash_related_blank_node(state, component, quad, issuer, position)
                nodes_of.setdefault(related_hash, []).append(component)
    return nodes_of


def _choose_path(
    state: CanonicalizationState, nodes: Sequence[str], issuer: IdentifierIssuer, depth: int
) -> tuple[str, IdentifierIssuer]:
    """rdf-canon#hndq.5.2 to #hndq.5.5: the least path through the nodes in any order."""
    orders: Iterable[Sequence[str]] = (nodes,)
    count = 1
    if not _are_interchangeable(state, set(nodes), issuer):
        orders = permutations(nodes)
        count = factorial(min(len(nodes), 12))  # 12! is beyond any budget, and 5000! is slow to compute
    # All the orders are paid for before the first is tried. Issuers are copied for each, and grow.
    state.spend(count * (1 + (len(nodes) + len(issuer.issued)) // 16))
    chosen_path, chosen_issuer = "", issuer
    for permutation in orders:
        explored = _explore_path(state, permutation, issuer.copy(), chosen_path, depth)
        if explored is not None and (not chosen_path or explored[0] < chosen_path):
            chosen_path, chosen_issuer = explored
    return chosen_path, chosen_issuer


def _are_interchangeable(state: CanonicalizationState, nodes: set[str], issuer: IdentifierIssuer) -> bool:
    """Whether every order of the nodes has the same path, so that the first will do, as it would for the specification.

    So it is for one node, however often it is listed: each node of a blank graph is related to the graph's name once
    for every quad. And so it is for nodes that have the same quads but for their own label, and no label yet that would
    tell them apart: swapping two changes nothing. Without this, ten equal entries of a list would be poison.
    """
    if len(nodes) == 1:
        return True
    return issuer.issued.keys().isdisjoint(nodes) and len({state.surroundings(node) for node in nodes}) == 1


def _explore_path(
    state: CanonicalizationState, permutation: Iterable[str], issuer: IdentifierIssuer, chosen_path: str, depth: int
) -> tuple[str, IdentifierIssuer] | None:
    """rdf-canon#hndq.5.4.1 to #hndq.5.4.5: None as soon as the path is worse than the chosen one."""
    path = ""
    recursion_list = []
    for related in permutation:
        label = state.canonical_issuer.issued.get(related)
        if label is None:
            if related not in issuer.issued:
                recursion_list.append(related)
            label = issuer.issue(related)
        path += label
        if _is_worse(path, chosen_path):
            return None
    for related in recursion_list:
        digest, deeper = hash_n_degree_quads(state, related, issuer, depth=depth + 1)
        path += f"{issuer.issue(related)}<{digest}>"
        issuer = deeper
        if _is_worse(path, chosen_path):
            return None
    return path, issuer


def _is_worse(path: str, chosen_path: str) -> bool:
    return chosen_path != "" and len(path) >= len(chosen_path) and path > chosen_path
