"""RDF terms, N-Quads and RDFC-1.0: the published vectors, two other implementations as oracles, and the work budget."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import permutations, repeat
from typing import Any, Final

import pyoxigraph
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pyld import jsonld

from tests.shared import shared_path
from vc import nquads, rdf
from vc.errors import Malformed, Unsupported, VcError
from vc.rdf import Canonical, Quad, canonicalize, literal, parse_nquads, relabel, serialize

XSD: Final = "http://www.w3.org/2001/XMLSchema#"
P: Final = "<urn:p>"
without_deadline: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # work is counted


# --- the published vectors -------------------------------------------------------------------------------------------


def manifest_entries() -> Iterator[Any]:
    try:
        manifest = json.loads(shared_path("vectors/rdf-canon/manifest.jsonld").read_bytes())
    except pytest.skip.Exception as missing:  # the tests below do without
        yield pytest.param({}, id="manifest", marks=pytest.mark.skip(reason=str(missing)))
        return
    for entry in manifest["entries"]:
        yield pytest.param(entry, id=entry["id"])


@pytest.mark.parametrize("entry", tuple(manifest_entries()))
def test_published_vector(entry: Mapping[str, str]) -> None:
    folder = shared_path("vectors/rdf-canon")
    quads = parse_nquads((folder / entry["action"]).read_bytes().decode())
    algorithm = entry.get("hashAlgorithm", "SHA256").lower()
    match entry["type"]:
        case "rdfc:RDFC10EvalTest":
            expected = (folder / entry["result"]).read_bytes().decode()
            assert "".join(canonicalize(quads, algorithm=algorithm).quads) == expected
        case "rdfc:RDFC10MapTest":
            labels = canonicalize(quads, algorithm=algorithm).labels
            expected_labels = json.loads((folder / entry["result"]).read_bytes())
            assert {old[2:]: new[2:] for old, new in labels.items()} == expected_labels
        case "rdfc:RDFC10NegativeEvalTest":
            with pytest.raises(Malformed) as refusal:
                canonicalize(quads, algorithm=algorithm)
            assert refusal.value.code == "POISON_GRAPH"
        case other:
            pytest.fail(f"a kind of test that this loop does not know: {other}")


def test_the_manifest_is_whole() -> None:
    entries = json.loads(shared_path("vectors/rdf-canon/manifest.jsonld").read_bytes())["entries"]
    kinds = [entry["type"].removeprefix("rdfc:RDFC10") for entry in entries]
    counts = {kind: kinds.count(kind) for kind in kinds}
    assert counts == {"EvalTest": 64, "MapTest": 21, "NegativeEvalTest": 1}


# --- our own small vectors, and the oracles --------------------------------------------------------------------------

GOLDEN: Final = {
    "one blank node": (
        """_:x <urn:p> "_:x" .
<urn:s> <urn:p> _:x .
<urn:s> <urn:p> <urn:bnid:_:x> .
""",
        """<urn:s> <urn:p> <urn:bnid:_:x> .
<urn:s> <urn:p> _:c14n0 .
_:c14n0 <urn:p> "_:x" .
""",
    ),
    "two told apart by their own quads": (
        """_:x <urn:p> "1" .
_:y <urn:p> "2" .
""",
        """_:c14n0 <urn:p> "1" .
_:c14n1 <urn:p> "2" .
""",
    ),
    "two told apart by what lies behind": (
        """_:a <urn:p> _:c .
_:b <urn:p> _:d .
_:c <urn:q> _:e .
_:d <urn:q> _:f .
_:f <urn:r> "far" .
_:e <urn:r> "near" .
""",
        """_:c14n0 <urn:r> "near" .
_:c14n1 <urn:r> "far" .
_:c14n2 <urn:q> _:c14n0 .
_:c14n3 <urn:p> _:c14n2 .
_:c14n4 <urn:q> _:c14n1 .
_:c14n5 <urn:p> _:c14n4 .
""",
    ),
    "twins": (
        """<urn:s> <urn:p> _:x .
<urn:s> <urn:p> _:y .
""",
        """<urn:s> <urn:p> _:c14n0 .
<urn:s> <urn:p> _:c14n1 .
""",
    ),
    "a ring of three": (
        """_:x <urn:p> _:y .
_:y <urn:p> _:z .
_:z <urn:p> _:x .
""",
        """_:c14n0 <urn:p> _:c14n2 .
_:c14n1 <urn:p> _:c14n0 .
_:c14n2 <urn:p> _:c14n1 .
""",
    ),
    "links to themselves": (
        """_:x <urn:p> _:x .
_:y <urn:p> _:y .
_:y <urn:q> _:x .
""",
        """_:c14n0 <urn:p> _:c14n0 .
_:c14n1 <urn:p> _:c14n1 .
_:c14n1 <urn:q> _:c14n0 .
""",
    ),
    "blank graph names": (
        """<urn:s> <urn:p> <urn:o> _:g .
<urn:s> <urn:p> _:x _:h .
_:x <urn:p> "in" _:g .
""",
        """<urn:s> <urn:p> <urn:o> _:c14n1 .
<urn:s> <urn:p> _:c14n0 _:c14n2 .
_:c14n0 <urn:p> "in" _:c14n1 .
""",
    ),
    "one link in two graphs": (
        """_:x <urn:p> _:y <urn:g> .
_:x <urn:p> _:y <urn:h> .
_:z <urn:p> _:w <urn:g> .
_:z <urn:p> _:w <urn:h> .
""",
        """_:c14n1 <urn:p> _:c14n0 <urn:g> .
_:c14n1 <urn:p> _:c14n0 <urn:h> .
_:c14n3 <urn:p> _:c14n2 <urn:g> .
_:c14n3 <urn:p> _:c14n2 <urn:h> .
""",
    ),
    "a graph that speaks of itself": (
        """_:b <urn:p> _:a _:b .
""",
        """_:c14n0 <urn:p> _:c14n1 _:c14n0 .
""",
    ),
    "a node twice in one quad": (
        """_:c <urn:p> _:c _:b .
_:d <urn:p> _:a _:a .
""",
        """_:c14n0 <urn:p> _:c14n0 _:c14n2 .
_:c14n3 <urn:p> _:c14n1 _:c14n1 .
""",
    ),
    "told apart by the graph name alone": (
        """_:c <urn:p> _:b _:a .
_:d <urn:p> _:a _:a .
""",
        """_:c14n2 <urn:p> _:c14n1 _:c14n1 .
_:c14n3 <urn:p> _:c14n0 _:c14n1 .
""",
    ),
    "a chain in a blank graph": (
        """_:a <urn:p> _:b _:g .
_:d <urn:p> _:e _:g .
_:c <urn:p> _:d _:g .
_:e <urn:p> _:a _:g .
""",
        """_:c14n1 <urn:p> _:c14n5 _:c14n2 .
_:c14n3 <urn:p> _:c14n0 _:c14n2 .
_:c14n4 <urn:p> _:c14n3 _:c14n2 .
_:c14n5 <urn:p> _:c14n4 _:c14n2 .
""",
    ),
}


def text_of(quads: list[Quad]) -> str:
    return "".join(map(serialize, quads))


def lines_of(raw: bytes | None) -> list[str]:
    assert raw is not None
    return [f"{line}\n" for line in raw.decode().split("\n")[:-1]]


def by_oxigraph(text: str, algorithm: str = "sha256") -> tuple[str, ...]:
    algorithms = pyoxigraph.CanonicalizationAlgorithm
    dataset = pyoxigraph.Dataset(pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.N_QUADS))
    dataset.canonicalize(algorithms.RDFC_1_0_SHA_384 if algorithm == "sha384" else algorithms.RDFC_1_0_SHA_256)
    return tuple(sorted(lines_of(pyoxigraph.serialize(dataset, format=pyoxigraph.RdfFormat.N_QUADS))))


def by_pyld(text: str) -> str:
    nquads_type = "application/n-quads"
    options = {"algorithm": "URDNA2015", "inputFormat": nquads_type, "format": nquads_type}
    return str(jsonld.normalize(text, options))


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str) -> None:
    text, expected = GOLDEN[name]
    assert "".join(canonicalize(parse_nquads(text)).quads) == expected
    # Each oracle has one way of its own: see test_agrees_with_oxigraph and test_agrees_with_pyld.
    assert expected in ("".join(by_oxigraph(text)), by_pyld(text))


BLANKS: Final = tuple(f"_:b{n}" for n in range(7))
IRIS: Final = ("<urn:s>", "<urn:bnid:_:b0>", "<http://exemple.fr/é>")
TRICKY: Final = ("", "_:b0", '"', "<urn:bnid:_:b0>", "a\nb", '" .\n_:b1 <urn:p> _:b2 .\n', "Noël ☃ 🜁", " # ", "@fr")


def literals(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    words = st.sampled_from(TRICKY) | texts
    return st.one_of(
        st.builds(literal, words),
        st.builds(literal, words, language=st.sampled_from(["fr", "en-gb"])),
        st.builds(literal, words, datatype=st.sampled_from([f"{XSD}string", f"{XSD}date", "urn:bnid:_:b0"])),
    )


def quads_of(graph: str, blanks: tuple[str, ...], texts: st.SearchStrategy[str]) -> st.SearchStrategy[Quad]:
    nodes = st.sampled_from(blanks)
    resources = nodes | st.sampled_from(IRIS)
    links = st.tuples(nodes, st.just(P), nodes, st.just(graph))
    return links | st.tuples(resources, st.sampled_from([P, "<urn:q>"]), resources | literals(texts), st.just(graph))


def datasets(texts: st.SearchStrategy[str], graphs: tuple[str, str]) -> st.SearchStrategy[list[Quad]]:
    """One graph, or several that share no blank node: see test_where_the_specification_leaves_a_choice."""
    single = [quads_of(graph, BLANKS[:5], texts) for graph in ("", graphs[0])]
    parts = {"": BLANKS[:3], graphs[0]: BLANKS[3:5], graphs[1]: BLANKS[5:]}
    several = st.one_of([quads_of(graph, blanks, texts) for graph, blanks in parts.items()])
    return st.one_of([st.lists(quads, max_size=9) for quads in (*single, several)])


ANY_TEXT: Final = st.text(max_size=6)
NAMED_GRAPHS: Final = datasets(ANY_TEXT, ("<urn:g>", "<urn:h>"))
DATASETS: Final = NAMED_GRAPHS | datasets(ANY_TEXT, ("_:b0", "_:b1"))
# PyLD writes most control characters as they are, and reads "\\n" as a backslash and a line feed.
PLAIN_DATASETS: Final = datasets(st.text(alphabet='ab"_:<>{} é☃\n\t', max_size=6), ("_:b0", "_:b1"))


@without_deadline
@given(
    DATASETS,
    st.permutations(("_:c14n1", "_:c14n0", "_:b1", "_:b5", "_:0", "_:é.z", "_:c14n10")),
    st.randoms(use_true_random=False),
)
def test_names_and_order_do_not_matter(quads: list[Quad], names: list[str], random: Any) -> None:
    renamed = [relabel(quad, dict(zip(BLANKS, names, strict=True))) for quad in quads]
    random.shuffle(renamed)
    assert canonicalize(renamed).quads == canonicalize(quads).quads


@without_deadline
@given(NAMED_GRAPHS, st.sampled_from(["sha256", "sha384"]))
def test_agrees_with_oxigraph(quads: list[Quad], algorithm: str) -> None:
    # Not for blank graph names: where a node is related twice in the same way, the specification and PyLD list it
    # twice and Oxigraph once, which may change the order of the labels.
    assert canonicalize(quads, algorithm=algorithm).quads == by_oxigraph(text_of(quads), algorithm)


@st.composite
def look_alikes(draw: st.DrawFn) -> list[Quad]:
    """Kinds of blank nodes with several of each, every one linked to every one of another kind; then a few changes."""
    kinds = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4).filter(lambda sizes: sum(sizes) <= 7))
    nodes = [(kind, n) for kind, size in enumerate(kinds) for n in range(size)]
    linked = draw(st.sets(st.tuples(st.sampled_from(range(len(kinds))), st.sampled_from(range(len(kinds))))))
    pairs = [(a, b) for a in nodes for b in nodes if a != b and (a[0], b[0]) in linked]
    dropped = draw(st.sets(st.sampled_from(pairs), max_size=2)) if pairs else set()
    quads = [(f"_:{a}.{n}", P, f"_:{b}.{m}", "") for (a, n), (b, m) in pairs if ((a, n), (b, m)) not in dropped]
    return draw(st.permutations(quads))


@without_deadline
@given(look_alikes())
def test_look_alikes_are_labelled_as_oxigraph_labels_them(quads: list[Quad]) -> None:
    assume(not is_poison(quads))
    assert canonicalize(quads).quads == by_oxigraph(text_of(quads))


@without_deadline
@given(PLAIN_DATASETS)
def test_agrees_with_pyld(quads: list[Quad]) -> None:
    # PyLD hashes a quad once for each time that it has a node; the specification, once for each node that it has.
    assume(all(len(blank) == len(set(blank)) for blank in ([t for t in quad if t[:1] == "_"] for quad in quads)))
    assert "".join(canonicalize(quads).quads) == by_pyld(text_of(quads))


@without_deadline
@given(DATASETS)
def test_the_result_is_the_dataset_under_its_labels(quads: list[Quad]) -> None:
    canonical = canonicalize(quads)
    assert set(canonical.quads) == {serialize(relabel(quad, canonical.labels)) for quad in quads}
    assert set(canonical.labels) == {term for quad in quads for term in quad if term[:1] == "_"}
    assert set(canonical.labels.values()) == {f"_:c14n{n}" for n in range(len(canonical.labels))}


@without_deadline
@given(DATASETS)
def test_canonical_is_canonical_already(quads: list[Quad]) -> None:
    canonical = canonicalize(quads)
    assert canonicalize(parse_nquads("".join(canonical.quads))).quads == canonical.quads


def test_where_the_specification_leaves_a_choice() -> None:
    """RDFC-1.0 does not hash in which of two graphs a link stands, so the two ends of crossed links tie.

    Either order conforms, and the oracles choose by the order of the quads too. A signature may then fail over the
    same dataset in another order; it never holds over another dataset, because the signed lines are the dataset.
    """
    crossed = (
        "_:x <urn:p> _:y <urn:g> .\n_:x <urn:p> _:z <urn:h> .\n_:w <urn:p> _:y <urn:h> .\n_:w <urn:p> _:z <urn:g> .\n"
        '_:y <urn:q> "1" .\n_:z <urn:q> "2" .\n'
    )
    quads = parse_nquads(crossed)
    conforming = {canonicalize(order).quads for order in permutations(quads)}
    assert len(conforming) == 2
    assert by_oxigraph(crossed) in conforming


@without_deadline
@given(DATASETS)
def test_a_dataset_is_a_set(quads: list[Quad]) -> None:
    assert canonicalize(quads * 3) == canonicalize(quads)


def test_nothing_is_a_dataset() -> None:
    assert canonicalize([]) == Canonical((), {})


@pytest.mark.parametrize("word", TRICKY)
def test_literals_are_carried_unchanged(word: str) -> None:
    quads: list[Quad] = [(node, P, literal(word, datatype="urn:bnid:_:b0"), "_:g") for node in ("_:b0", "_:b1")]
    quads.append(("_:b1", P, "<urn:bnid:_:b0>", ""))
    objects = {quad[2] for quad in parse_nquads("".join(canonicalize(quads).quads))}
    assert objects == {quad[2] for quad in quads}


def test_an_unknown_algorithm_is_unsupported() -> None:
    with pytest.raises(Unsupported):
        canonicalize([], algorithm="md5")


@pytest.mark.parametrize("blanks", [1, 2])
def test_a_surrogate_is_refused_before_it_is_signed(blanks: int) -> None:
    with pytest.raises(Malformed):
        canonicalize([(f"_:b{n}", P, "<urn:\ud800>", "") for n in range(blanks)])


# --- the work budget -------------------------------------------------------------------------------------------------


@pytest.fixture
def digests(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Everything that is hashed: a count of the work that the budget does not keep itself."""
    hashed: list[bytes] = []

    def counted(data: bytes) -> Any:
        hashed.append(data)
        assert len(hashed) < 100_000, "the budget does not hold"
        return hashlib.sha256(data)

    monkeypatch.setattr(rdf, "HASHES", {"sha256": counted})
    return hashed


def links(pairs: Iterable[tuple[int, int]], predicate: str = P) -> list[Quad]:
    return [(f"_:b{a}", predicate, f"_:b{b}", "") for a, b in pairs]


def clique(size: int) -> list[Quad]:
    return links((a, b) for a in range(size) for b in range(size) if a != b)


def chain(size: int) -> list[Quad]:
    return links((a, a + 1) for a in range(size - 1))


def ring(size: int, *steps: int) -> list[Quad]:
    return links((a, (a + step) % size) for a in range(size) for step in steps)


def is_poison(quads: list[Quad], **arguments: Any) -> bool:
    try:
        canonicalize(quads, **arguments)
    except Malformed as error:
        if error.code != "POISON_GRAPH":
            raise
        return True
    return False


HOSTILE: Final = {
    **{f"clique of {size}": clique(size) for size in range(3, 15)},
    **{f"chain of {size}": chain(size) for size in (10, 40, 101, 202, 203, 5000)},
    **{f"ring of {size}": ring(size, 1) for size in (10, 40, 101, 102, 5000)},
    **{f"double ring of {size}": ring(size, 1, 2) for size in (6, 8, 12, 50, 3000)},
    **{f"{size} twins": [("<urn:s>", P, f"_:b{n}", "") for n in range(size)] for size in (10, 5000)},
    "two stars with tails": [
        *links((100 * star, 100 * star + ray) for star in (0, 1) for ray in range(1, 9)),
        *links((100 * star + ray, 100 * star + ray + 50) for star in (0, 1) for ray in range(1, 9)),
    ],
    "a torus": ring(36, 1, 6),
    "a cube of six dimensions": links((a, a ^ (1 << axis)) for a in range(64) for axis in range(6)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_graphs_end(name: str, digests: list[bytes]) -> None:
    quads = HOSTILE[name]
    nodes = {term for quad in quads for term in quad if term[:1] == "_"}
    is_poison(quads)
    assert len(digests) <= len(nodes) + rdf.MAX_WORK


@pytest.mark.parametrize("size", [9, 10, 14])
def test_a_large_clique_is_refused_before_any_order_is_tried(size: int, digests: list[bytes]) -> None:
    assert is_poison(clique(size))
    assert len(digests) == size + 2 * (size - 1)  # first degree, and what is related to one node


def test_work_is_proportional_to_the_length_of_what_is_hashed() -> None:
    long = f"<urn:{'p' * 1_000_000}>"
    assert not is_poison(links([(0, 1), (1, 0)]))
    assert is_poison(links(((n, (n + 1) % 10) for n in range(10)), long))


def test_the_budget_is_counted_in_calls_orders_and_hashes() -> None:
    pairs = links([(0, 1), (2, 3)])
    # From b0 and again from b2: two calls, each with one related hash and one order to try.
    assert not is_poison(pairs, budget=12)
    assert is_poison(pairs, budget=11)


def test_nodes_of_distinct_first_degree_cost_nothing() -> None:
    quads: list[Quad] = [(f"_:b{n}", P, literal(str(n)), f"_:b{n + 1}") for n in range(300)]
    assert len(canonicalize(quads, budget=0).labels) == 301


@pytest.mark.parametrize("graphs", [("_:g", "_:g"), ("_:g", "_:h")])
def test_many_quads_in_a_blank_graph_are_no_poison(graphs: tuple[str, str]) -> None:
    twins: list[Quad] = [
        (twin, P, f'"{n}"', graph) for twin, graph in zip(("_:x", "_:y"), graphs, strict=True) for n in range(30)
    ]
    assert len(canonicalize(twins).quads) == 60


def stars(rays: int) -> list[Quad]:
    """Two things without a name, each with a list of equal things without a name."""
    return links((100 * star, 100 * star + ray) for star in (0, 1) for ray in range(1, rays + 1))


def test_equal_entries_are_no_poison() -> None:
    assert canonicalize(stars(4)).quads == by_oxigraph(text_of(stars(4)))
    expected = {f"_:c14n1 <urn:p> _:c14n{n} .\n" for n in (0, *range(2, 11))}
    expected |= {f"_:c14n12 <urn:p> _:c14n{n} .\n" for n in (11, *range(13, 22))}
    assert set(canonicalize(stars(10)).quads) == expected


def test_alike_is_not_equal() -> None:
    """The rays have the same first degree, but behind one of them is more: every order must be tried."""
    uneven = [*stars(4), ("_:b1", P, "_:b50", ""), ("_:b2", P, "_:b51", ""), ("_:b50", P, '"more"', "")]
    for order in (uneven, uneven[::-1]):
        assert canonicalize(order).quads == by_oxigraph(text_of(uneven))


def test_depth_is_refused_before_the_stack_ends() -> None:
    assert is_poison(ring(400, 1), budget=10**9)


def test_a_hard_but_honest_graph_is_labelled() -> None:
    canonical = canonicalize(clique(4))
    assert canonical.quads == by_oxigraph(text_of(clique(4)))


def test_the_number_of_quads_is_bounded() -> None:
    quad = ("_:b0", P, "_:b1", "")
    assert not is_poison([quad] * nquads.MAX_QUADS)
    with pytest.raises(Malformed) as refusal:
        canonicalize(repeat(quad))  # without end
    assert refusal.value.code == "POISON_GRAPH"


# --- terms and N-Quads -----------------------------------------------------------------------------------------------

SPELLINGS: Final = {
    '"a"': '"a"',
    r'"\u0061\U0001F701"': '"a🜁"',
    rf'"a"^^<{XSD}string>': '"a"',
    rf'"a"^^<{XSD}str\u0069ng>': '"a"',
    '"1"  ^^\t<urn:t>': '"1"^^<urn:t>',
    '"a" @en-GB': '"a"@en-GB',
    r'"\t\b\n\r\f\"\'\\"': r'"\t\b\n\r\f\"' + r"'\\" + '"',
    '"\t\b\f\x00\x0b\x1f\x7f\x85\u2028"': r'"\t\b\f\u0000\u000B\u001F\u007F' + '\x85\u2028"',
    r'"\uFFFE\uffff\U0001FFFE"': r'"\uFFFE\uFFFF' + '\U0001fffe"',
    r"<urn:\u00e9>": "<urn:é>",
    "_:0": "_:0",
    "_:a..b-c·": "_:a..b-c·",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_becomes_the_canonical_one(spelling: str) -> None:
    assert parse_nquads(f"<urn:s> <urn:p> {spelling} .") == [("<urn:s>", P, SPELLINGS[spelling], "")]


@pytest.mark.parametrize(
    "line",
    ["<urn:s><urn:p>_:o.", "\t<urn:s>\t<urn:p> _:o . # a comment", "<urn:s> <urn:p> _:o .#", "<urn:s> <urn:p> _:o. "],
)
def test_white_space_is_free(line: str) -> None:
    assert parse_nquads(line) == [("<urn:s>", P, "_:o", "")]


def test_a_document_has_lines() -> None:
    text = (
        '# first\r\n<urn:s> <urn:p> <urn:o> .\r\r\n \t\n<urn:s> <urn:p> "a#b" _:g . # last\n<urn:s> <urn:p> <urn:o> .'
    )
    ground = ("<urn:s>", P, "<urn:o>", "")
    assert parse_nquads(text) == [ground, ("<urn:s>", P, '"a#b"', "_:g"), ground]
    assert parse_nquads("") == []


REFUSED: Final = (
    "<urn:s> <urn:p> .",
    "<urn:s> <urn:p> <urn:o>",
    "<urn:s> <urn:p> <urn:o> . <urn:s> <urn:p> <urn:o> .",
    "<urn:s> <urn:p> <urn:o> <urn:g> <urn:h> .",
    '"s" <urn:p> <urn:o> .',
    '<urn:s> "p" <urn:o> .',
    "<urn:s> _:p <urn:o> .",
    '<urn:s> <urn:p> <urn:o> "g" .',
    "<s> <urn:p> <urn:o> .",
    "<urn:s> <p> <urn:o> .",
    "<urn:s> <urn:p> <//o> .",
    '<urn:s> <urn:p> "1"^^<t> .',
    "<urn:a b> <urn:p> <urn:o> .",
    r"<urn:\u0020> <urn:p> <urn:o> .",
    r"<urn:\u003E> <urn:p> <urn:o> .",
    r"<urn:\n> <urn:p> <urn:o> .",
    "<urn:s> <urn:p> 'o' .",
    "<urn:s> <urn:p> 1 .",
    '<urn:s> <urn:p> "o .',
    r'<urn:s> <urn:p> "\x" .',
    r'<urn:s> <urn:p> "\u12" .',
    r'<urn:s> <urn:p> "\U00110000" .',
    r'<urn:s> <urn:p> "\uD83C\uDF03" .',
    '<urn:s> <urn:p> "\ud800" .',
    "<urn:\udfff> <urn:p> <urn:o> .",
    '<urn:s> <urn:p> "o"@ .',
    '<urn:s> <urn:p> "o"@1 .',
    '<urn:s> <urn:p> "o"@en- .',
    '<urn:s> <urn:p> "o"@en^^<urn:t> .',
    "_:a:b <urn:p> <urn:o> .",
    "_:-a <urn:p> <urn:o> .",
    "_: <urn:p> <urn:o> .",
    "_:a. <urn:p> <urn:o> .",
    "<urn:s> <urn:p> _:a.. .",
    "<urn:s> <urn:p> <urn:o> .\x0b",
    "\ufeff<urn:s> <urn:p> <urn:o> .",
    "@prefix a: <urn:a> .",
)


@pytest.mark.parametrize("line", REFUSED)
def test_what_is_not_n_quads_is_refused_by_line(line: str) -> None:
    with pytest.raises(Malformed) as refusal:
        parse_nquads(f"# a comment\n<urn:s> <urn:p> <urn:o> .\n{line}\n")
    assert refusal.value.where == "line 3"


def test_the_size_of_a_document_is_bounded() -> None:
    line = "<urn:s> <urn:p> <urn:o> .\n"
    assert len(parse_nquads(line * nquads.MAX_QUADS)) == nquads.MAX_QUADS
    with pytest.raises(Malformed, match=f"line {nquads.MAX_QUADS + 1}:"):
        parse_nquads(line * (nquads.MAX_QUADS + 1))
    with pytest.raises(Malformed):
        parse_nquads("#" * (nquads.MAX_TEXT + 1))


@without_deadline
@given(DATASETS)
def test_parse_undoes_serialize(quads: list[Quad]) -> None:
    assert parse_nquads(text_of(quads)) == quads


def meaning(text: str) -> list[str] | None:
    """The canonical lines, or None where it is refused."""
    try:
        return [serialize(quad) for quad in parse_nquads(text)]
    except VcError:
        return None


PIECES: Final = (*'<>"\\_:.@^# \t\r\nuU0aé-', "\\u00e9", "_:a", '"a"', "<urn:a>", "\ud800", "\u2028", "^^")


@without_deadline
@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_only_our_errors_leave_the_parser(text: str) -> None:
    lines = meaning(text)
    assert lines is None or meaning("".join(lines)) == lines


def meaning_by_oxigraph(text: str) -> list[str] | None:
    n_quads = pyoxigraph.RdfFormat.N_QUADS
    try:
        return lines_of(pyoxigraph.serialize(pyoxigraph.parse(text, format=n_quads), format=n_quads))
    except (SyntaxError, UnicodeEncodeError):
        return None


@without_deadline
@given(DATASETS.filter(bool), st.data())
def test_a_mutated_document_is_refused_or_read_as_oxigraph_reads_it(quads: list[Quad], data: st.DataObject) -> None:
    text = text_of(quads)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 3)))
    mutated = text[:start] + data.draw(st.sampled_from(("", *PIECES))) + text[end:]
    lines = meaning(mutated)
    if lines is None:
        return
    assert meaning("".join(lines)) == lines
    # Oxigraph is stricter about what an IRI and a language tag are, and puts the tag in lower case.
    theirs = meaning_by_oxigraph(mutated)
    assert theirs is None or [line.lower() for line in theirs] == [line.lower() for line in lines]


@without_deadline
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_literal_is_spelt_as_oxigraph_spells_it(value: str) -> None:
    assert literal(value) == spelt_by_oxigraph(value)
    assert parse_nquads(f"<urn:s> <urn:p> {literal(value)} .")[0][2] == literal(value)


def spelt_by_oxigraph(value: str) -> str:
    subject, predicate = pyoxigraph.NamedNode("urn:s"), pyoxigraph.NamedNode("urn:p")
    triple = pyoxigraph.Triple(subject, predicate, pyoxigraph.Literal(value))
    (line,) = lines_of(pyoxigraph.serialize([triple], format=pyoxigraph.RdfFormat.N_TRIPLES))
    return line.removeprefix("<urn:s> <urn:p> ").removesuffix(" .\n")


@pytest.mark.parametrize(
    "arguments",
    [
        {"value": "\ud800"},
        {"value": "a", "language": "en us"},
        {"value": "a", "language": ""},
        {"value": "a", "language": "fr\n"},
        {"value": "a", "datatype": "integer"},
        {"value": "a", "datatype": "urn:t> . <urn:s"},
        {"value": "a", "datatype": f"{XSD}string", "language": "en"},
    ],
)
def test_a_literal_that_cannot_be_is_refused(arguments: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        literal(**arguments)


def test_relabelling_touches_blank_nodes_only() -> None:
    labels = {"_:a": "_:b", "_:b": "_:a", '"_:a"': "never", "<urn:a>": "never", "": "never"}
    assert relabel(("_:a", P, "_:b", "_:a"), labels) == ("_:b", P, "_:a", "_:b")
    assert relabel(("<urn:a>", P, '"_:a"', ""), labels) == ("<urn:a>", P, '"_:a"', "")


def test_a_label_map_must_cover_its_document() -> None:
    with pytest.raises(Malformed):
        relabel(("_:a", P, '"_:b"', "_:c"), {"_:a": "_:x", "_:b": "_:y"})
