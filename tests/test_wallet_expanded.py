"""The types that a request is compared with are those of the whole document."""

import pytest

from tests.line import SAMPLES, credential
from vc.contexts import W3C
from vc.errors import VcError
from vc.jsonld import to_rdf
from wallet.expanded import expanded_types
from work import CONTEXTS
from work.types import TYPES

RDF_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
KINDS = sorted(name for name in SAMPLES if TYPES[name].signer == "issuer" and name != "RatingContext")


@pytest.mark.parametrize("kind", KINDS)
def test_the_types_are_those_of_the_whole_document(kind: str) -> None:
    document = credential(kind)
    located = to_rdf(document, CONTEXTS)
    whole = {
        quad[2][1:-1]
        for quad, anchor in zip(located.quads, located.anchors, strict=True)
        if quad[1] == RDF_TYPE and anchor == ()
    }
    assert whole
    assert expanded_types(document, CONTEXTS) == whole


def test_a_context_written_into_a_document_counts() -> None:
    document = credential()
    inline = {**document, "@context": [*document["@context"], {"Extra": "https://extra.example/Extra"}]}
    types = expanded_types({**inline, "type": [*document["type"], "Extra"]}, CONTEXTS)
    assert types == expanded_types(document, CONTEXTS) | {"https://extra.example/Extra"}


def test_contexts_that_are_not_given_are_not_remembered_from_others() -> None:
    document = credential()
    assert expanded_types(document, CONTEXTS)
    with pytest.raises(VcError):
        expanded_types(document, W3C)
