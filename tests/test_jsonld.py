"""JSON-LD to RDF: the published documents, the same quads as PyLD, and where each quad comes from."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.jsonld_documents import (
    CONTEXTS,
    DOCUMENTS,
    EX,
    PRESENTATIONS,
    RDF,
    V2,
    VOCAB,
    XSD,
    canonical,
    doc,
    pyld_quads,
)
from tests.shared import shared_path
from tests.vectors import contexts as vector_contexts
from vc.contexts import W3C
from vc.errors import Malformed, Unsupported
from vc.iris import resolve
from vc.jsonld import Located, pointer, to_quads, to_rdf
from vc.rdf import canonicalize


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DOCUMENTS | PRESENTATIONS)
def test_random_documents_give_the_quads_of_pyld(document: dict[str, Any]) -> None:
    assert canonical(to_rdf(document, CONTEXTS).quads) == pyld_quads(document)


# ---- published documents

VECTORS = "vectors/vc-di-"
DOCUMENT_VECTORS = [
    ("eddsa/unsigned.json", "eddsa/eddsa-rdfc-2022/canonDocDataInt.txt"),
    ("eddsa/employmentAuth.json", "eddsa/eddsa-rdfc-2022/employ/canonDocDataInt.txt"),
    ("eddsa/unsigned.json", "eddsa/Ed25519Signature2020/canonDocEdSig.txt"),
    ("eddsa/eddsa-rdfc-2022/proofConfigDataInt.json", "eddsa/eddsa-rdfc-2022/proofCanonDataInt.txt"),
    ("eddsa/eddsa-rdfc-2022/employ/proofConfigDataInt.json", "eddsa/eddsa-rdfc-2022/employ/proofCanonDataInt.txt"),
    ("eddsa/Ed25519Signature2020/proofConfigEdSig.json", "eddsa/Ed25519Signature2020/proofCanonEdSig.txt"),
    ("ecdsa/unsigned.json", "ecdsa/ecdsa-rdfc-2019-p256/canonDocECDSAP256.txt"),
    ("ecdsa/employmentAuth.json", "ecdsa/ecdsa-rdfc-2019-p256/employ/canonDocECDSAP256.txt"),
    ("ecdsa/ecdsa-rdfc-2019-p256/proofConfigECDSAP256.json", "ecdsa/ecdsa-rdfc-2019-p256/proofCanonECDSAP256.txt"),
    ("ecdsa/ecdsa-rdfc-2019-p256/employ/proofConfigECDSAP256.json",
     "ecdsa/ecdsa-rdfc-2019-p256/employ/proofCanonECDSAP256.txt"),
    ("ecdsa/unsigned.json", "ecdsa/ecdsa-rdfc-2019-p384/canonDocECDSAP384.txt"),
    ("ecdsa/ecdsa-rdfc-2019-p384/proofConfigECDSAP384.json", "ecdsa/ecdsa-rdfc-2019-p384/proofCanonECDSAP384.txt"),
    ("bbs/addProofConfig.json", "bbs/addProofConfigCanon.txt"),
    ("bbs/windDoc.json", "bbs/addBaseDocCanon.json"),
    ("bbs/FeatureInputs/license.json", "bbs/HolderBinding/addBaseDocCanon.json"),
    ("bbs/FeatureInputs/license.json", "bbs/Pseudonym/addBaseDocCanon.json"),
    ("bbs/HolderBinding/addProofConfig.json", "bbs/HolderBinding/addProofConfigCanon.txt"),
    ("ecdsa/ecdsa-sd-2023/prc/addSignedSDBase.json", "ecdsa/ecdsa-sd-2023/prc/addBaseDocCanon.json"),
    ("ecdsa/ecdsa-sd-2023/prc/addProofConfig.json", "ecdsa/ecdsa-sd-2023/prc/addProofConfigCanon.txt"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "expected"), DOCUMENT_VECTORS)
def test_published_documents_become_their_published_quads(document: str, expected: str) -> None:
    members = json.loads(shared_path(VECTORS + document).read_bytes())
    members.pop("proof", None)
    text = shared_path(VECTORS + expected).read_text(encoding="utf-8")
    lines = "".join(json.loads(text)) if expected.endswith(".json") else text
    algorithm = "sha384" if "P384" in expected else "sha256"
    located = to_rdf(members, vector_contexts())
    assert "".join(canonicalize(located.quads, algorithm=algorithm).quads) == lines


def test_every_published_document_with_contexts_is_read_without_loss() -> None:
    seen = 0
    for folder in ("eddsa", "ecdsa", "bbs"):
        for path in shared_path(VECTORS + folder).rglob("*.json"):
            document = json.loads(path.read_bytes())
            if isinstance(document, dict) and "@context" in document:
                assert canonical(to_rdf(document, vector_contexts()).quads) == pyld_quads(document, vector_contexts())
                seen += 1
    assert seen > 40


# ---- one small document for each rule

RULES: dict[str, dict[str, Any]] = {
    "prefix": doc({"ex": EX}, **{"ex:a": "x", "@type": "ex:T"}),
    "prefix by @prefix": doc({"ex": {"@id": f"{EX}a", "@prefix": True}}, **{"ex:b": "x"}),
    "no prefix without a delimiter": doc({"ex": f"{EX}a"}, **{"ex:b": "x"}),
    "no prefix in an expanded definition": doc({"ex": {"@id": EX}}, **{"ex:b": "x"}),
    "term that needs a later term": doc({"a": "ex:a", "ex": EX}, a="x"),
    "term that is a compact IRI": doc({"ex": EX, "ex:a": {"@type": "@id"}}, **{"ex:a": "urn:x"}),
    "keyword aliases": doc({"id": "@id", "kind": "@type", "val": "@value", "a": f"{EX}a", **VOCAB},
                           id="urn:x", kind="T", a={"val": 1}),
    "two names for @type": doc({"type": "@type", **VOCAB}, type="A", **{"@type": ["B", "C"]}),
    "coercion to IRI": doc({"a": {"@id": f"{EX}a", "@type": "@id"}}, a=["urn:x", {"@id": "urn:y"}, 5, True]),
    "coercion by vocabulary": doc({"a": {"@id": f"{EX}a", "@type": "@vocab"}, "b": f"{EX}b", **VOCAB}, a=["b", "c"]),
    "coercion to a datatype": doc({"a": {"@id": f"{EX}a", "@type": f"{EX}t"}}, a=["x", 1, 1.5, True]),
    "coercion to xsd:string": doc({"a": {"@id": f"{EX}a", "@type": f"{XSD}string"}}, a=["x", 1]),
    "coercion @none": doc({"a": {"@id": f"{EX}a", "@type": "@none"}, "@language": "en"}, a="x"),
    "coercion to JSON": doc({"a": {"@id": f"{EX}a", "@type": "@json"}}, a={"b": [1, 1.5, None, "é"], "a": []}),
    "JSON null": doc({"a": {"@id": f"{EX}a", "@type": "@json"}}, a=None),
    "default language": doc({"@language": "EN", **VOCAB}, a="x", b={"@value": "y"}, c=5),
    "term without language": doc({"@language": "en", "a": {"@id": f"{EX}a", "@language": None}}, a="x"),
    "direction": doc(VOCAB, a={"@value": "x", "@language": "AR", "@direction": "rtl"}),
    "direction alone": doc(VOCAB, b={"@value": "y", "@direction": "ltr"}),
    "language map": doc(
        {"a": {"@id": f"{EX}a", "@container": "@language"}}, a={"en": ["x", "y"], "@none": "z", "DE": "w"}
    ),
    "language container without a map": doc(
        {"a": {"@id": f"{EX}a", "@container": "@language"}}, a=["x", {"@value": "y"}]
    ),
    "index container without a map": doc({"a": {"@id": f"{EX}a", "@container": "@index"}}, a=["x", {"@value": "y"}]),
    "direction of a language map": doc(
        {"a": {"@id": f"{EX}a", "@container": ["@language", "@set"], "@direction": "rtl"}}, a={"ar": "x"}
    ),
    "list container": doc({"a": {"@id": f"{EX}a", "@container": "@list"}}, a=["x", ["y", []], {"@id": "urn:x"}, {}]),
    "empty list": doc({"a": {"@id": f"{EX}a", "@container": "@list"}}, a=[]),
    "list of one": doc({"a": {"@id": f"{EX}a", "@container": "@list"}}, a="x"),
    "list object": doc(VOCAB, a={"@list": ["x", 1, {"@list": []}]}),
    "list object in a list container": doc({"a": {"@id": f"{EX}a", "@container": "@list"}}, a={"@list": ["x"]}),
    "set object": doc(VOCAB, a={"@set": ["x", {"@set": [1]}]}, b=[["y"], [[2]]]),
    "graph container": doc({"a": {"@id": f"{EX}a", "@container": ["@graph", "@set"]}, **VOCAB},
                           a=[{"@id": "urn:x", "b": {"c": 1}}, {"a": {"b": 2}}]),
    "scoped by type": doc({"T": {"@id": f"{EX}T", "@context": {"a": f"{EX}a", "n": f"{EX}n"}}, "n": f"{EX}other"},
                          **{"@type": "T", "a": {"n": "x"}, "n": "y"}),
    "types set their contexts in order": doc(
        {
            "B": {"@id": f"{EX}B", "@context": {"a": f"{EX}from-b"}},
            "A": {"@id": f"{EX}A", "@context": {"a": f"{EX}from-a"}},
        },
        **{"@type": ["B", "A"], "a": "x"},
    ),
    "references stay under the type": doc(
        {"T": {"@id": f"{EX}T", "@context": {"ref": "@id", "a": f"{EX}a"}}}, **{"@type": "T", "a": {"ref": "urn:x"}}
    ),
    "type scope that propagates": doc(
        {"T": {"@id": f"{EX}T", "@context": {"@propagate": True, "a": f"{EX}a"}}}, **{"@type": "T", "a": {"a": "x"}}
    ),
    "scoped by property": doc({"a": {"@id": f"{EX}a", "@context": {"b": f"{EX}b"}}}, a={"b": {"b": "x"}}),
    "property scope that does not propagate": doc(
        {"a": {"@id": f"{EX}a", "@context": {"@propagate": False, "b": f"{EX}b1"}}, "b": f"{EX}b0"}, a={"b": {"b": "x"}}
    ),
    "property scope of a scalar": doc(
        {"a": {"@id": f"{EX}a", "@type": "@vocab", "@context": {"x": f"{EX}x"}}}, a=["x", f"{EX}y"]
    ),
    "property scope may change protected terms": doc(
        {"@protected": True, "a": {"@id": f"{EX}a", "@context": {"b": f"{EX}b1"}}, "b": f"{EX}b0"}, a={"b": "x"}, b="y"
    ),
    "null as property scope": doc({"a": {"@id": f"{EX}a", "@context": None}, **VOCAB}, a={f"{EX}b": "x"}),
    "context inside": doc(VOCAB, a={"@context": {"@vocab": EX}, "b": "x"}, c="y"),
    "null context inside": doc(VOCAB, a={"@context": [None, {"b": f"{EX}b"}], "b": "x"}),
    "same protected term": doc([{"@protected": True, "a": f"{EX}a"}, {"a": f"{EX}a"}], a="x"),
    "@base": doc(
        {"@base": "https://b.example/c/d", "a": {"@id": f"{EX}a", "@type": "@id"}}, **{"@id": "../e", "a": ["#f", ""]}
    ),
    "relative @base": doc(
        [{"@base": "https://b.example/c/d"}, {"@base": "../e/", "a": {"@id": f"{EX}a", "@type": "@id"}}], a="f"
    ),
    "vocabulary under a prefix": doc([{"ex": EX}, {"@vocab": "ex:sub#"}], a="x"),
    "term with a slash": doc({"@base": None, "@vocab": EX, "a/b": {"@type": "@id"}}, **{"a/b": "urn:x"}),
    "terms that look like keywords are ignored": doc({"@foo": EX, "b": {"@id": "@bar"}, **VOCAB}, a="x"),
    "@type is a set": doc({"@type": {"@container": "@set", "@protected": True}, **VOCAB}, **{"@type": ["T"]}),
    "JSON in a scope": doc({"a": {"@id": f"{EX}a", "@context": {"a": {"@id": EX, "@type": "@json"}}}}, a=[5, "x"]),
    "context of a JSON term": doc({"a": {"@id": f"{EX}a", "@type": "@json", "@context": {"a": EX}}}, a=5),
    "blank nodes of the document": doc({"a": {"@id": f"{EX}a", "@type": "@id"}}, **{"@id": "_:x", "a": ["_:y", "_:x"]}),
    "numbers": doc(VOCAB, a=[0, -0.0, 1, 1.0, 1.5, -2.25e-7, 1e20, 1e21, 10**21, 10**25, 123456.789, 5e-324]),
    "booleans": doc(VOCAB, a=[True, False]),
    "escapes": doc(VOCAB, a=["\"\\", "\n\r\t\b\f", "\x00\x1f\x7f", "\u2028\ufffe", "é𝄞", ""]),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*beginning with:SyntaxWarning")  # PyLD, of terms that look like keywords
@pytest.mark.parametrize("name", RULES)
def test_each_rule_gives_the_quads_of_pyld(name: str) -> None:
    assert canonical(to_rdf(RULES[name], W3C).quads) == pyld_quads(RULES[name], W3C)


BEYOND: dict[str, dict[str, Any]] = {
    "@graph": {"@id": "urn:g", "@graph": [{"@id": "urn:x", EX: "x"}, {"@type": EX}]},
    "@graph of the document": {"@graph": {"@id": "urn:x", EX: {"@value": "x", "@language": "EN"}}},
    "@included": {"@id": "urn:x", EX: "x", "@included": [{"@id": "urn:y", EX: 1.5}]},
    "@reverse": {"@id": "urn:x", "@reverse": {EX: {"@id": "urn:y"}}},
    "reverse property": doc({"of": {"@reverse": EX}}, **{"@id": "urn:x", "of": [{"@id": "urn:y"}, {"@id": "urn:z"}]}),
    "@id map": doc({"by": {"@id": EX, "@container": "@id"}}, by={"urn:y": {f"{EX}a": "x"}}),
    "@type map": doc({"by": {"@id": EX, "@container": "@type"}}, by={f"{EX}T": {f"{EX}a": "x"}}),
    "index by a property": doc(
        {"by": {"@id": EX, "@container": "@index", "@index": f"{EX}i"}}, by={"a": {f"{EX}a": "x"}}
    ),
    "context behind a URL": doc(V2, **{"@graph": [{"type": "VerifiableCredential", "issuer": "urn:x"}]}),
    "graph by @id": doc({"by": {"@id": EX, "@container": ["@graph", "@id"]}}, by={"urn:g": {f"{EX}a": "x"}}),
}  # fmt: skip


@pytest.mark.parametrize("name", BEYOND)
def test_what_the_table_does_not_cover_is_read_by_pyld_without_places(name: str) -> None:
    assert canonical(to_quads(BEYOND[name], W3C)) == pyld_quads(BEYOND[name], W3C)
    with pytest.raises(Unsupported):
        to_rdf(BEYOND[name], W3C)


def test_both_functions_agree_where_both_read() -> None:
    for document in RULES.values():
        assert to_quads(document, W3C) == to_rdf(document, W3C).quads


def test_import_takes_the_other_context_first() -> None:
    url = "https://example.org/imported/v1"
    contexts = W3C.with_({url: json.dumps({"@context": {"a": f"{EX}a", "b": f"{EX}b"}}).encode()})
    document = doc({"@import": url, "b": f"{EX}changed"}, a="x", b="y")
    assert {quad[1] for quad in to_rdf(document, contexts).quads} == {f"<{EX}a>", f"<{EX}changed>"}


def test_a_context_in_an_object_of_its_own_is_that_context() -> None:
    plain, wrapped = doc({"a": f"{EX}a"}, a="x"), doc({"@context": {"a": f"{EX}a"}}, a="x")
    assert to_rdf(wrapped, W3C).quads == to_rdf(plain, W3C).quads
    for lossy in ({"@context": {"a": f"{EX}a"}, "b": f"{EX}b"}, {"@context": {"@context": {"a": f"{EX}a"}}}):
        with pytest.raises(Malformed):
            to_rdf(doc(lossy, a="x"), W3C)


def test_scoped_context_behind_a_url_may_name_itself() -> None:
    url = "https://example.org/recursive/v1"
    context = {"@protected": True, "a": {"@id": f"{EX}a", "@context": url}}
    contexts = W3C.with_({url: json.dumps({"@context": context}).encode()})
    assert len(to_rdf(doc(url, a={"a": {"a": "x"}}), contexts).quads) == 3


# RFC 3986 §5.4, but for what that section calls abnormal and a strict reader reads otherwise
REFERENCES_OF_RFC3986 = [
    ("g:h", "g:h"), ("g", "http://a/b/c/g"), ("./g", "http://a/b/c/g"), ("g/", "http://a/b/c/g/"), ("/g", "http://a/g"),
    ("//g", "http://g"), ("?y", "http://a/b/c/d;p?y"), ("g?y", "http://a/b/c/g?y"), ("#s", "http://a/b/c/d;p?q#s"),
    ("g#s", "http://a/b/c/g#s"), (";x", "http://a/b/c/;x"), ("", "http://a/b/c/d;p?q"), (".", "http://a/b/c/"),
    ("..", "http://a/b/"), ("../g", "http://a/b/g"), ("../..", "http://a/"), ("../../g", "http://a/g"),
    ("../../../g", "http://a/g"), ("/./g", "http://a/g"), ("/../g", "http://a/g"), ("g.", "http://a/b/c/g."),
    ("..g", "http://a/b/c/..g"), ("./g/.", "http://a/b/c/g/"), ("g/../h", "http://a/b/c/h"),
    ("g?y/../x", "http://a/b/c/g?y/../x"), ("g#s/../x", "http://a/b/c/g#s/../x"), ("http:g", "http:g"),
]  # fmt: skip


@pytest.mark.parametrize(("reference", "expected"), REFERENCES_OF_RFC3986)
def test_relative_references_resolve_as_in_rfc_3986(reference: str, expected: str) -> None:
    assert resolve(reference, "http://a/b/c/d;p?q") == expected


# ---- places


def places(document: dict[str, Any]) -> dict[tuple[str, str], tuple[Any, Any]]:
    """Predicate (its last part) and object of each quad, with its path and anchor."""
    located = to_rdf(document, W3C)
    keys = [(quad[1].rstrip(">").rsplit("#", 1)[-1], quad[2]) for quad in located.quads]
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, zip(located.paths, located.anchors, strict=True), strict=True))


def test_places_of_properties_types_and_links() -> None:
    size = f'"5"^^<{XSD}integer>'
    found = places(doc({"type": "@type", **VOCAB}, credentialSubject={"type": "X", "sails": [{"size": 5}]}))
    subject = ("credentialSubject",)
    assert found == {
        ("credentialSubject", "_:b1"): (subject, subject),
        ("type", "<https://v.example/#X>"): ((*subject, "type"), subject),
        ("sails", "_:b2"): ((*subject, "sails", 0), (*subject, "sails", 0)),
        ("size", size): ((*subject, "sails", 0, "size"), None),
    }


def test_places_of_arrays_language_maps_sets_and_references() -> None:
    context = {
        "id": "@id",
        "type": "@type",
        "words": {"@id": "https://v.example/#words", "@container": "@language"},
        "ref": {"@id": "https://v.example/#ref", "@type": "@id"},
        **VOCAB,
    }
    found = places(
        doc(
            context,
            type=["A", "B"],
            months=["x", "y"],
            words={"en": "hello", "fr": ["bonjour", "salut"]},
            extra={"@set": ["z"]},
            text={"@value": "t", "@language": "en"},
            ref="urn:leaf",
            link={"id": "urn:node"},
        )
    )
    assert found == {
        ("type", "<https://v.example/#A>"): (("type", 0), ()),
        ("type", "<https://v.example/#B>"): (("type", 1), ()),
        ("months", '"x"'): (("months", 0), None),
        ("months", '"y"'): (("months", 1), None),
        ("words", '"hello"@en'): (("words", "en"), None),
        ("words", '"bonjour"@fr'): (("words", "fr", 0), None),
        ("words", '"salut"@fr'): (("words", "fr", 1), None),
        ("extra", '"z"'): (("extra", "@set", 0), None),
        ("text", '"t"@en'): (("text",), None),
        ("ref", "<urn:leaf>"): (("ref",), None),
        ("link", "<urn:node>"): (("link",), ("link",)),
    }


def test_places_of_lists() -> None:
    context = {"steps": {"@id": "https://v.example/#steps", "@container": "@list"}, **VOCAB}
    found = places(doc(context, steps=["x", {"a": "y"}]))
    assert found == {
        ("first", '"x"'): (("steps", 0), None),
        ("rest", "_:b2"): (("steps",), None),
        ("a", '"y"'): (("steps", 1, "a"), None),
        ("first", "_:b3"): (("steps", 1), ("steps", 1)),
        ("rest", f"<{RDF}nil>"): (("steps",), None),
        ("steps", "_:b1"): (("steps",), None),
    }


def test_places_in_graphs() -> None:
    located = to_rdf(
        doc(V2, type="VerifiablePresentation", proof=[{"type": "DataIntegrityProof", "cryptosuite": "x"}]), W3C
    )
    assert [(quad[3], path, anchor) for quad, path, anchor in zip(*rows(located), strict=True)] == [
        ("", ("type",), ()),
        ("_:b1", ("proof", 0, "type"), ("proof", 0)),
        ("_:b1", ("proof", 0, "cryptosuite"), None),
        ("", ("proof", 0), ("proof", 0)),
    ]
    assert located.quads[-1][2] == "_:b1"


def rows(located: Located) -> tuple[Any, Any, Any]:
    return located.quads, located.paths, located.anchors


@given(DOCUMENTS | PRESENTATIONS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_place_is_in_the_document(document: dict[str, Any]) -> None:
    located = to_rdf(document, CONTEXTS)
    assert len(located.quads) == len(located.paths) == len(located.anchors)
    for path, anchor in zip(located.paths, located.anchors, strict=True):
        value: Any = document
        for part in path:
            value = value[part]
        assert anchor is None or path[: len(anchor)] == anchor


def test_pointer_escapes() -> None:
    assert pointer(("a/b", 0, "c~d")) == "/a~1b/0/c~0d"
    assert pointer(()) == ""
