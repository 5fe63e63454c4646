"""Documents for the tests of JSON-LD, random ones too, and PyLD as the oracle that reads them."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from pyld import jsonld
from pyld.context_resolver import ContextResolver

from vc.canon import Json
from vc.contexts import W3C
from vc.jsonld import Contexts
from vc.nquads import Quad, literal
from vc.rdf import canonicalize

V2 = "https://www.w3.org/ns/credentials/v2"
WORK = "https://example.org/work/v1"
WORK_NS = "https://example.org/work#"
XSD = "http://www.w3.org/2001/XMLSchema#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

WORK_CONTEXT: dict[str, Json] = {
    "@version": 1.1,
    "@protected": True,
    "id": "@id",
    "type": "@type",
    "work": WORK_NS,
    "xsd": XSD,
    "WorkHistory": {
        "@id": "work:WorkHistory",
        "@context": {
            "@protected": True,
            "monthly": {"@id": "work:monthly", "@type": "work:month", "@container": "@set"},
            "since": {"@id": "work:since", "@type": "xsd:date"},
            "jobs": {"@id": "work:jobs", "@type": "xsd:integer"},
            "share": {"@id": "work:share", "@type": "xsd:double"},
            "note": {"@id": "work:note", "@language": "FR"},
            "titles": {"@id": "work:titles", "@container": "@language"},
            "steps": {"@id": "work:steps", "@container": "@list"},
            "raw": {"@id": "work:raw", "@type": "@json"},
            "platform": {
                "@id": "work:platform",
                "@type": "@id",
                "@context": {"label": "work:label", "within": {"@id": "work:within", "@type": "@id"}},
            },
            "category": {
                "@id": "work:category",
                "@type": "@vocab",
                "@context": {"freelance": "work:freelance", "microwork": "work:microwork"},
            },
        },
    },
    "Rating": {
        "@id": "work:Rating",
        "@context": {"@protected": True, "value": "work:value", "about": {"@id": "work:about", "@type": "@id"}},
    },
}
WORK_BYTES = json.dumps({"@context": WORK_CONTEXT}).encode()
CONTEXTS = W3C.with_({WORK: WORK_BYTES})

VOCAB: dict[str, Json] = {"@vocab": "https://v.example/#"}
EX = "https://e.example/"


def doc(context: Any, **members: Any) -> dict[str, Any]:
    """A document with a context."""
    return {"@context": context, **members}


# ---- PyLD as the oracle


def pyld_quads(document: Mapping[str, Json], contexts: Contexts = CONTEXTS) -> tuple[str, ...]:
    """The canonical quads that PyLD sees."""

    def load(url: str, _options: object) -> dict[str, object]:
        body = {"@context": contexts.context(url)}
        return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": body}

    options = {
        "base": "urn:none",
        "documentLoader": load,
        "contextResolver": ContextResolver({}, load),
        "rdfDirection": "i18n-datatype",
    }
    dataset = jsonld.JsonLdProcessor().to_rdf(dict(document), options)
    quads = [
        (term(triple["subject"]), term(triple["predicate"]), term(triple["object"]), graph_name(name))
        for name, triples in dataset.items()
        for triple in triples
    ]
    return canonicalize(quads).quads


def term(part: dict[str, str]) -> str:
    match part:
        case {"type": "IRI", "value": value}:
            return f"<{value}>"
        case {"type": "literal", "value": value, "language": language}:
            return literal(value, language=language)
        case {"type": "literal", "value": value, "datatype": datatype}:
            return literal(value, datatype=datatype)
    return part["value"]


def graph_name(name: str) -> str:
    return "" if name == "@default" else name if name.startswith("_:") else f"<{name}>"


def canonical(quads: tuple[Quad, ...]) -> tuple[str, ...]:
    return canonicalize(quads).quads


# ---- random documents over realistic contexts

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
IRIS = st.sampled_from(["did:example:abc", "https://example.org/a?b#c", "urn:uuid:1", "work:compact", "_:b", "_:x"])
NUMBERS = st.one_of(
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, -0.0, 7.0, 1e21, 1e20, 123456789.125, 5e-324, 1.7976931348623157e308]),
)
SCALARS = TEXT | NUMBERS | st.booleans()
LANGUAGES = st.sampled_from(["en", "fr", "de-CH", "AR"])
VALUE_OBJECTS = st.one_of(
    st.fixed_dictionaries({"@value": SCALARS}),
    st.fixed_dictionaries({"@value": TEXT, "@language": LANGUAGES}, optional={"@direction": st.just("rtl")}),
    st.fixed_dictionaries({"@value": TEXT, "@type": st.sampled_from(["xsd:date", "https://example.org/t", "@json"])}),
)
PLAIN = SCALARS | VALUE_OBJECTS
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(st.characters(codec="ascii"), max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=4,
)


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return values | st.lists(values, min_size=1, max_size=3)


def members(required: dict[str, st.SearchStrategy[Any]], **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(required, optional=optional)


REFERENCES = st.fixed_dictionaries({"id": IRIS})
PLATFORMS = IRIS | REFERENCES | members({}, id=IRIS, label=some(PLAIN), within=IRIS)
RATINGS = members({"type": st.just("Rating")}, id=IRIS, value=some(PLAIN), about=some(IRIS | REFERENCES))
STEPS = st.recursive(PLAIN | RATINGS, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
HISTORIES = members(
    {
        "type": st.sampled_from(
            ["WorkHistory", ["WorkHistory"], ["WorkHistory", "Rating"], ["work:Other", "WorkHistory"]]
        )
    },
    id=IRIS,
    monthly=some(TEXT),
    since=some(SCALARS),
    jobs=some(NUMBERS | st.booleans()),
    share=some(NUMBERS | VALUE_OBJECTS),
    note=some(PLAIN),
    titles=st.dictionaries(LANGUAGES | st.just("@none"), some(TEXT), min_size=1) | TEXT,
    steps=STEPS | st.fixed_dictionaries({"@list": st.lists(PLAIN, max_size=3)}),
    raw=JSON_VALUES,
    platform=some(PLATFORMS),
    category=some(st.sampled_from(["freelance", "microwork", "work:other", "https://example.org/c"])),
)
PROOFS = members(
    {"type": st.just("DataIntegrityProof"), "proofPurpose": st.sampled_from(["assertionMethod", "authentication"])},
    id=IRIS,
    created=TEXT,
    verificationMethod=IRIS,
    proofValue=TEXT,
    previousProof=some(IRIS),
)
VOCABULARY: dict[str, Json] = {"@vocab": "https://example.org/free#", "@language": "en"}
CREDENTIALS = members(
    {
        "@context": st.sampled_from([[V2, WORK], [V2, WORK, VOCABULARY]]),
        "type": st.sampled_from(["VerifiableCredential", ["VerifiableCredential", "work:Credential"]]),
        "issuer": IRIS | members({"id": IRIS}, name=some(PLAIN)),
        "credentialSubject": some(HISTORIES | RATINGS),
    },
    id=IRIS,
    name=some(PLAIN),
    validFrom=TEXT,
    proof=some(PROOFS),
)
FREE = st.dictionaries(
    st.sampled_from(["alpha", "Über", "work:free", "https://example.org/p"]), some(PLAIN), max_size=2
)


def freed(parts: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    """A credential with undefined terms, which a ``@vocab`` makes defined."""
    credential, free = parts
    if VOCABULARY in credential["@context"]:
        credential = credential | free | {"evidence": free or {"alpha": "x"}}
    return credential


DOCUMENTS = st.tuples(CREDENTIALS, FREE).map(freed)
PRESENTATIONS = members(
    {
        "@context": st.just([V2]),
        "type": st.just("VerifiablePresentation"),
        "verifiableCredential": some(DOCUMENTS),
    },
    holder=IRIS,
    proof=some(PROOFS),
)
