"""JSON-LD in safe mode: nothing is dropped in silence, nothing is unbounded, and only our errors leave."""

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.jsonld_documents import EX, RDF, V2, VOCAB, XSD, doc
from vc.contexts import W3C
from vc.errors import Malformed, Unsupported, VcError
from vc.jsonld import to_quads, to_rdf
from vc.ldcontext import MAX_CONTEXT_NESTING, MAX_CONTEXT_TEXT, MAX_CONTEXTS, MAX_TERMS
from vc.nquads import MAX_QUADS
from vc.pyld_fallback import MAX_INLINE, MAX_VALUES
from vc.quadwriter import MAX_CONTEXT_WORK, MAX_DEPTH
from vc.termdefinition import MAX_DEPENDENCIES
from vc.termtable import KEYWORDS

# ---- safe mode: one case for each way to lose data

LOSSES: dict[str, tuple[dict[str, Any], str]] = {
    "undefined term": (doc({}, a="x", **{EX: "y"}), "/a"),
    "undefined term below": (doc(VOCAB, a=[{"@context": {"@vocab": None}, "b": "x"}]), "/a/0/b"),
    "term defined as null": (doc({"a": None, **VOCAB}, a="x"), "/a"),
    "term of a type, below": (
        doc({"T": {"@id": f"{EX}T", "@context": {"a": f"{EX}a"}}}, **{"@type": "T", "a": {"a": "x"}}), "/a/a"),
    "name like a keyword": (doc(VOCAB, **{"@foo": "x"}), "/@foo"),
    "keyword that is no property": (doc(VOCAB, a="x", **{"@version": 1.1}), "/@version"),
    "blank node as property": (doc(VOCAB, **{"_:a": "x"}), "/_:a"),
    "property with a space": (doc(VOCAB, **{"a b": "x"}), "/a b"),
    "relative vocabulary": (doc({"@vocab": "relative#"}, a="x"), "/a"),
    "relative type": (doc({}, **{"@type": "T"}), "/@type"),
    "relative type among others": (doc({}, a={"@type": ["urn:T", "T"]}, **{"@context": {"a": EX}}), "/a/@type"),
    "type like a keyword": (doc(VOCAB, **{"@type": "@foo"}), "/@type"),
    "type that is a keyword": (doc({"T": "@id", **VOCAB}, **{"@type": "T"}), "/@type"),
    "type defined as null": (doc({"T": None, **VOCAB}, **{"@type": "T"}), "/@type"),
    "blank node as type": (doc(VOCAB, **{"@type": "_:t"}), "/@type"),
    "no type in an array": (doc(VOCAB, a="x", **{"@type": []}), "/@type"),
    "relative identifier": (doc(VOCAB, a={"@id": "x", "b": "y"}), "/a/@id"),
    "empty identifier": (doc(VOCAB, a={"@id": ""}), "/a/@id"),
    "identifier like a keyword": (doc(VOCAB, a={"@id": "@foo"}), "/a/@id"),
    "identifier with a bracket": (doc(VOCAB, a={"@id": "urn:a>b"}), "/a/@id"),
    "identifier under a null base": (doc([{"@base": "urn:a"}, {"@base": None}, VOCAB], a={"@id": "x"}), "/a/@id"),
    "relative IRI as value": (doc({"a": {"@id": EX, "@type": "@id"}}, a=["urn:x", "x"]), "/a/1"),
    "undefined word as value": (doc({"a": {"@id": EX, "@type": "@vocab"}}, a="x"), "/a"),
    "null": (doc(VOCAB, a=None), "/a"),
    "null in an array": (doc(VOCAB, a=["x", None]), "/a/1"),
    "null in a list": (doc(VOCAB, a={"@list": [None]}), "/a/@list/0"),
    "null as value": (doc(VOCAB, a={"@value": None}), "/a"),
    "null in a language map": (doc({"a": {"@id": EX, "@container": "@language"}}, a={"en": None}), "/a/en"),
    "null under an undefined term": (doc({}, **{EX: "x", "a": None}), "/a"),
    "empty array": (doc(VOCAB, a=[], b="x"), "/a"),
    "empty array in an array": (doc(VOCAB, a=["x", []]), "/a/1"),
    "empty set": (doc(VOCAB, a={"@set": []}), "/a/@set"),
    "empty language map": (doc({"a": {"@id": EX, "@container": "@language"}}, a={}), "/a"),
    "number in a language map": (doc({"a": {"@id": EX, "@container": "@language"}}, a={"en": 5}), "/a/en"),
    "value object in a language map": (
        doc({"a": {"@id": EX, "@container": "@language"}}, a={"en": {"@value": "x"}}), "/a/en"),
    "no language in a language map": (
        doc({"a": {"@id": EX, "@container": "@language"}}, a={"not a tag": "x"}), "/a/not a tag"),
    "language that is no tag": (doc(VOCAB, a={"@value": "x", "@language": "a b"}), "/a"),
    "default language that is no tag": (doc({"@language": "a_b", **VOCAB}, a="x"), "/a"),
    "only a language": (doc(VOCAB, a={"@language": "en"}), "/a/@language"),
    "index": (doc(VOCAB, a={"b": "x", "@index": "i"}), "/a/@index"),
    "index of a value": (doc(VOCAB, a={"@value": "x", "@index": "i"}), "/a/@index"),
    "index map": (doc({"a": {"@id": EX, "@container": "@index"}}, a={"i": "x"}), "/a"),
    "relative datatype": (doc({}, **{EX: {"@value": "x", "@type": "t"}}), f"/{EX.replace('/', '~1')}"),
    "property beside a value": (doc(VOCAB, a={"@value": "x", "b": "y"}), "/a/b"),
    "nothing at all": ({}, ""),
    "only contexts": (doc(VOCAB), ""),
    "only an identifier": (doc(VOCAB, **{"@id": "urn:x"}), ""),
    "value as document": (doc(VOCAB, **{"@value": "x"}), ""),
    "list as document": (doc(VOCAB, **{"@list": ["x"]}), ""),
    "string in a graph": (doc(V2, type="VerifiablePresentation", proof=["urn:x"]), "/proof/0"),
    "value in a graph": (doc(V2, type="VerifiablePresentation", proof={"@value": "x"}), "/proof"),
    "mere identifier in a graph": (doc(V2, type="VerifiablePresentation", proof=[{"id": "urn:x"}]), "/proof/0"),
    "empty node in a graph": (doc(V2, type="VerifiablePresentation", proof={}), "/proof"),
    "no node in a graph": (doc(V2, type="VerifiablePresentation", proof=[]), "/proof"),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_what_would_be_lost_is_an_error_with_its_place(name: str) -> None:
    document, where = LOSSES[name]
    for read in (to_rdf, to_quads):
        with pytest.raises(Malformed) as caught:
            read(document, W3C)
        assert (caught.value.where, caught.value.code) == (where, "DATA_LOSS")


FALLBACK_LOSSES: dict[str, dict[str, Any]] = {
    "undefined term": {"a": "x"},
    "undefined term in @reverse": {"@reverse": {"a": {"@id": "urn:y"}}},
    "relative type": {"@type": "T"},
    "relative identifier": {"@id": "x", EX: "y"},
    "relative identifier as value": {EX: {"@id": "x"}},
    "name like a keyword": {EX: "x", "@foo": "y"},
    "keyword that is no property": {EX: "x", "@version": 1.1},
    "identifier like a keyword": {EX: {"@id": "@foo"}},
    "blank node as property": {"_:a": "x"},
    "blank node as type": {EX: {"@type": "_:t"}},
    "null": {EX: "x", f"{EX}b": None},
    "null as value": {EX: {"@value": None}},
    "empty array": {EX: "x", f"{EX}b": []},
    "string": {"@graph": ["x"]},
    "value": {"@graph": [{"@value": "x"}]},
    "mere identifier": {"@graph": [{"@id": "urn:x"}]},
    "only a language": {EX: {"@language": "en"}},
    "no language": {EX: {"@value": "x", "@language": "a b"}},
    "index": {EX: "x", "@index": "i"},
    "index of a value": {EX: {"@value": "x", "@index": "i"}},
    "relative datatype": {EX: {"@value": "x", "@type": "t"}},
    "rewritten double": {EX: {"@value": "5", "@type": f"{XSD}double"}},
    "identifier with a bracket": {EX: {"@id": "urn:a>b"}},
}


@pytest.mark.parametrize("name", FALLBACK_LOSSES)
def test_what_would_be_lost_beyond_the_table_is_an_error_too(name: str) -> None:
    with pytest.raises(Malformed) as caught:
        to_quads({"@graph": [{EX: "kept"}, FALLBACK_LOSSES[name]]}, W3C)
    assert caught.value.code == "DATA_LOSS"


@pytest.mark.parametrize(
    ("context", "value"),
    [
        ({"@id": EX, "@container": "@id"}, {"urn:a": {"@id": "urn:b", EX: "x"}}),
        ({"@id": EX, "@container": "@id"}, {"relative": {EX: "x"}}),
        ({"@id": EX, "@container": "@type"}, {"relative": {EX: "x"}}),
        ({"@id": EX, "@container": ["@graph", "@index"], "@index": f"{EX}i"}, {"i": {"@id": "urn:x"}}),
    ],
)
def test_what_maps_would_lose_is_an_error(context: dict[str, Any], value: Any) -> None:
    with pytest.raises(VcError):
        to_quads(doc({"by": context}, by=value), W3C)


@pytest.mark.parametrize("value", [float("nan"), 10**400, {1}, "\ud800", {5: "x"}, {"@value": 5, "@language": "en"}])
def test_what_is_no_json_is_refused_beyond_the_table_too(value: Any) -> None:
    with pytest.raises(Malformed):
        to_quads({"@graph": [{EX: value}]}, W3C)


# ---- what is no JSON-LD, and what is not read

MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "identifier that is no string": (doc(VOCAB, a={"@id": 5}), "/a/@id"),
    "two identifiers": (doc({"id": "@id", **VOCAB}, a={"id": "urn:x", "@id": "urn:x"}), "/a/id"),
    "type that is no string": (doc(VOCAB, a={"@type": [5]}), "/a/@type"),
    "type that is an object": (doc(VOCAB, a={"@type": {}}), "/a/@type"),
    "value that is an array": (doc(VOCAB, a={"@value": ["x"]}), "/a"),
    "value with type and language": (doc(VOCAB, a={"@value": "x", "@type": "T", "@language": "en"}), "/a"),
    "number with a language": (doc(VOCAB, a={"@value": 5, "@language": "en"}), "/a"),
    "null as language": (doc(VOCAB, a={"@value": "x", "@language": None}), "/a"),
    "empty direction": (doc(VOCAB, a={"@value": "x", "@direction": ""}), "/a"),
    "direction that is none": (doc(VOCAB, a={"@value": "x", "@direction": ["ltr"]}), "/a"),
    "two types of a value": (doc(VOCAB, a={"@value": "x", "@type": ["T"]}), "/a"),
    "value twice": (doc({"v": "@value", **VOCAB}, a={"@value": "x", "v": "x"}), "/a"),
    "list and more": (doc(VOCAB, a={"@list": ["x"], "b": "y"}), "/a"),
    "set and identifier": (doc(VOCAB, a={"@set": ["x"], "@id": "urn:x"}), "/a"),
    "rdf:langString without language": (doc(VOCAB, a={"@value": "x", "@type": f"{RDF}langString"}), "/a"),
    "no number": (doc(VOCAB, a=[1, float("nan")]), "/a/1"),
    "number beyond doubles": (doc(VOCAB, a=10**400), "/a"),
    "lone surrogate": (doc(VOCAB, a="\ud800"), "/a"),
    "no JSON": (doc(VOCAB, a={1, 2}), "/a"),
    "name that is no string": (doc(VOCAB, a={5: "x"}), "/a/5"),
    "name beside a value that is no string": (doc(VOCAB, a={"@value": "x", 5: "y"}), "/a/5"),
    "language that is no string": (doc({"a": {"@id": EX, "@container": "@language"}}, a={5: "x"}), "/a/5"),
    "no JSON in JSON": (doc({"a": {"@id": EX, "@type": "@json"}}, a={"b": {1}}), "/a"),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_json_ld_is_malformed(name: str) -> None:
    document, where = MALFORMED[name]
    with pytest.raises(Malformed) as caught:
        to_rdf(document, W3C)
    assert caught.value.where == where


@pytest.mark.parametrize(
    "document",
    [
        doc({"T": {"@id": EX, "@context": None}, "type": "@type", **VOCAB}, type="T", a="x"),
        doc(VOCAB, a={"@list": [["x"]]}),
        doc(VOCAB, a={"@list": [{"@set": ["x"]}]}),
        doc([VOCAB, {"@propagate": False}], a="x"),
        doc({"T": {"@id": EX, "@context": {"kind": "@type"}}, **VOCAB}, **{"@type": "T", "kind": "U"}),
        doc({"T": {"@id": EX, "@context": {}}, **VOCAB}, a={"@value": "x", "@type": "T"}),
        doc({"a": {"@id": EX, "@type": "@json", "@container": "@list"}}, a=["x"]),
        doc({"nest": "@nest", **VOCAB}, nest={"a": "x"}),
        {"@graph": [{"@nest": {EX: "x"}}]},
        {"@graph": [{EX: {"@value": "x", "@direction": "ltr"}}]},
        {"@context": {"@direction": "ltr"}, "@graph": [{EX: "x"}]},
        {"@context": {"a": None}, "@graph": [{EX: "x"}]},
        {"@context": {"@foo": EX}, "@graph": [{EX: "x"}]},
    ],
)
def test_what_processors_read_in_different_ways_is_not_read(document: dict[str, Any]) -> None:
    with pytest.raises(Unsupported):
        to_quads(document, W3C)


BAD_CONTEXTS: list[Any] = [
    5,
    [["nested"]],
    {"@version": 1.0},
    {"@version": True},
    {"@protected": "yes"},
    {"@propagate": 1},
    {"@language": 5},
    {"@direction": "up"},
    {"@base": "relative"},
    {"@vocab": 5},
    {"@vocab": "@foo"},
    {"@import": 5},
    {"": EX},
    {"@id": EX},
    {"@type": EX},
    {"@type": {"@container": "@list"}},
    {"a": 5},
    {"a": {"@id": EX, "@foo": 1}},
    {"a": {"@id": 5}},
    {"a": "relative"},
    {"a": "@context"},
    {"a": {"@type": "@id"}},
    {"a": {"@id": EX, "@type": "relative"}},
    {"a": {"@id": EX, "@type": "@set"}},
    {"a": {"@id": EX, "@type": 5}},
    {"a": {"@id": EX, "@container": "@foo"}},
    {"a": {"@id": EX, "@container": ["@list", "@set"]}},
    {"a": {"@id": EX, "@container": ["@language", "@index"]}},
    {"a": {"@id": EX, "@container": [["@set"]]}},
    {"a": {"@id": EX, "@container": None}},
    {"a": {"@id": EX, "@container": "@type", "@type": "@json"}},
    {"a": {"@id": EX, "@language": 5}},
    {"a": {"@id": EX, "@direction": 5}},
    {"a": {"@id": EX, "@nest": "@id"}},
    {"a": {"@id": EX, "@index": "b"}},
    {"a": {"@id": EX, "@prefix": 1}},
    {"a": {"@id": "@type", "@prefix": True}},
    {"a": {"@reverse": EX, "@id": EX}},
    {"a": {"@reverse": "relative"}},
    {"a": {"@reverse": EX, "@container": ["@list"]}},
    {"a": "b:x", "b": "a:x"},
    {"a:b": {}, "a": "@id"},
    {"a:b": {}, "a": None},
    {"a/b": {}},
    {"a:b": EX, "a": "urn:a:"},
    [{"@protected": True, "a": EX}, {"a": f"{EX}other"}],
    [{"@protected": True, "a": EX}, {"a": {"@id": EX, "@type": "@id"}}],
    [{"a": {"@id": EX, "@protected": True}}, {"a": None}],
    [{"@protected": True, "a": EX}, None],
    {"a": float("nan")},
]


@pytest.mark.parametrize("context", BAD_CONTEXTS, ids=str)
def test_contexts_that_break_a_rule_are_refused(context: Any) -> None:
    with pytest.raises(Malformed) as caught:
        to_rdf(doc(context, **{EX: "x"}), W3C)
    assert (caught.value.where, caught.value.code) == ("/@context", "BAD_CONTEXT")


@pytest.mark.parametrize("context", ["relative", "null", '{"a": "urn:a"}', "", "//example.org/a", ["null"]])
def test_strings_are_urls_and_nothing_else(context: Any) -> None:
    with pytest.raises(Unsupported) as caught:
        to_rdf(doc(context, a="x", **{EX: "x"}), W3C)
    assert caught.value.code == "UNKNOWN_CONTEXT"


def test_contexts_inside_tell_their_place() -> None:
    with pytest.raises(Malformed) as caught:
        to_rdf(doc([V2, VOCAB], type="VerifiableCredential", credentialSubject={"@context": {"name": EX}}), W3C)
    assert (caught.value.where, caught.value.code) == ("/credentialSubject", "BAD_CONTEXT")
    with pytest.raises(Unsupported, match=r"https://unknown\.example/"):
        to_rdf(doc(VOCAB, a={"@context": "https://unknown.example/", "b": "x"}), W3C)


def test_a_protected_term_of_a_credential_cannot_change() -> None:
    with pytest.raises(Malformed, match="name is protected"):
        to_rdf(doc([V2, {"name": EX}], type="VerifiableCredential", name="x"), W3C)


# ---- bounds


def test_too_many_statements() -> None:
    assert len(to_rdf(doc(VOCAB, a=[str(number) for number in range(MAX_QUADS)]), W3C).quads) == MAX_QUADS
    for document in (
        doc(VOCAB, a=["x"] * (MAX_QUADS + 1)),
        doc(VOCAB, a=[{"b": "x"}] * (MAX_QUADS // 2 + 1)),
        doc(VOCAB, a={"@list": ["x"] * (MAX_QUADS // 2 + 1)}),
        doc(VOCAB, **{f"a{number}": "x" for number in range(MAX_QUADS)}),
    ):
        with pytest.raises(Malformed) as caught:
            to_rdf(document, W3C)
        assert caught.value.code == "TOO_LARGE"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda inner: {"a": inner},
        lambda inner: [inner],
        lambda inner: {"@set": inner},
        lambda inner: {"@list": inner},
        lambda inner: {"@list": [inner]},
    ],
)
def test_too_deep(wrap: Callable[[Any], Any]) -> None:
    value: Any = "x"
    for _ in range(100_000):
        value = wrap(value)
    with pytest.raises(VcError) as caught:
        to_rdf(doc(VOCAB, a=value), W3C)
    assert getattr(caught.value, "code", "") in {"TOO_DEEP", "UNSUPPORTED"}


def test_graphs_too_deep() -> None:
    value: Any = {"type": "DataIntegrityProof"}
    for _ in range(10_000):
        value = [value]
    with pytest.raises(Malformed) as caught:
        to_rdf(doc(V2, type="VerifiablePresentation", proof=value), W3C)
    assert caught.value.code == "TOO_DEEP"


def test_just_deep_enough() -> None:
    value: Any = "x"
    for _ in range(MAX_DEPTH - 1):
        value = {"a": value}
    assert len(to_rdf(doc(VOCAB, a=value), W3C).quads) == MAX_DEPTH


def nested_contexts(depth: int) -> dict[str, Any]:
    context: dict[str, Any] = {"a": EX}
    for _ in range(depth):
        context = {"a": {"@id": EX, "@context": context}}
    return context


@pytest.mark.parametrize(
    "context",
    [
        [VOCAB] * (MAX_CONTEXTS + 1),
        {f"a{number}": EX for number in range(MAX_TERMS + 1)},
        {"a": EX + "x" * MAX_CONTEXT_TEXT},
        nested_contexts(100),
        nested_contexts(100_000),
        {f"a{number}": f"a{number + 1}:x" for number in range(MAX_DEPENDENCIES + 1)},
    ],
    ids=["list", "terms", "text", "nesting", "deep nesting", "dependencies"],
)
def test_contexts_are_bounded(context: Any) -> None:
    with pytest.raises(Malformed) as caught:
        to_rdf(doc(context, **{EX: "x"}), W3C)
    assert caught.value.where == "/@context"


def test_contexts_that_include_each_other_end() -> None:
    urls = [f"https://example.org/{number}" for number in range(MAX_CONTEXT_NESTING + 2)]
    chain = {url: json.dumps({"@context": after}).encode() for url, after in pairwise(urls)}
    loop = W3C.with_({urls[0]: json.dumps({"@context": [urls[0]]}).encode()})
    for contexts in (loop, W3C.with_({**chain, urls[-1]: b'{"@context": {}}'})):
        with pytest.raises(Malformed, match="includes itself, or nests too deeply"):
            to_rdf(doc(urls[0], **{EX: "x"}), contexts)


def test_work_on_contexts_is_bounded() -> None:
    types = {f"A{number}": {"@id": f"{EX}{number}", "@context": {"x": EX}} for number in range(200)}
    heavy = {"B": {"@id": EX, "@context": {f"t{number}": EX for number in range(600)}}}
    nodes = [{"@type": [f"A{number}", "B"], EX: "x"} for number in range(MAX_CONTEXT_WORK // 600 + 1)]
    with pytest.raises(Malformed, match="the contexts take too much work"):
        to_rdf(doc([types, heavy], **{EX: nodes}), W3C)


@pytest.mark.parametrize(
    "document",
    [
        {"@graph": [{EX: [str(number) for number in range(MAX_VALUES)]}]},
        {"@graph": [{"@context": {"a": EX + "x" * MAX_INLINE}, "a": "x"}]},
    ],
)
def test_the_fallback_is_bounded(document: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as caught:
        to_quads(document, W3C)
    assert caught.value.code == "TOO_LARGE"


# ---- only our errors leave

WORDS = st.sampled_from(
    [
        *sorted(KEYWORDS),
        "@foo",
        "id",
        "type",
        "a",
        "b",
        "ex",
        "ex:a",
        EX,
        V2,
        "_:b",
        "",
        "en",
        "relative",
        "a b",
        "\ud800",
    ]
)
JUNK = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([10**30, 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)
DEFINITIONS = WORDS | st.dictionaries(
    st.sampled_from(
        ["@id", "@type", "@container", "@context", "@reverse", "@index", "@language", "@prefix", "@protected"]
    ),
    WORDS | JUNK,
    max_size=4,
)
JUNK_CONTEXTS = st.dictionaries(WORDS, DEFINITIONS | JUNK, max_size=5) | JUNK
HOSTILE = st.fixed_dictionaries(
    {"@context": JUNK_CONTEXTS | st.lists(JUNK_CONTEXTS, max_size=3)}, optional={EX: JUNK, "type": JUNK, "a": JUNK}
) | st.dictionaries(WORDS, JUNK, max_size=4)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(HOSTILE)
def test_only_our_errors_leave(document: dict[str, Any]) -> None:
    for read in (to_rdf, to_quads):
        try:
            read(document, W3C)
        except VcError:
            continue
