"""Every term is mapped to what others call it, or said to have no counterpart; every type has its example."""

import json
import re
from importlib.resources import files
from typing import Any

import pytest

from docs.make_statements import page, section
from vc.contexts import W3C
from work.contexts import OPEN_BADGES_URL, RAW, URL
from work.draft import is_filler
from work.examples import EXAMPLES
from work.statement import Statement
from work.types import TYPES
from work.vct import DOCUMENTS
from work.vocabulary import MAPPED, PREFIXES, short

STRUCTURE = {"WorkerDataTerms", "allowedPurpose", "retentionMaxDays"}


def terms(url: str) -> dict[str, Any]:
    return {name: term for name, term in json.loads(RAW[url])["@context"].items() if not name.startswith("@")}


ALL_TERMS = {name: term for url in RAW for name, term in terms(url).items()}
CLAIMS = {claim.name: claim for kind in TYPES.values() for claim in kind.claims.values()}


def test_every_term_and_every_claim_is_mapped_and_nothing_else() -> None:
    assert MAPPED.keys() == ALL_TERMS.keys() | CLAIMS.keys()


def test_every_term_is_in_a_schema_or_is_structure() -> None:
    credentials = {kind.credential_type for kind in TYPES.values()}
    assert ALL_TERMS.keys() <= CLAIMS.keys() | credentials | STRUCTURE
    ours = {name for name, claim in CLAIMS.items() if len(claim.path) == 1}
    assert ALL_TERMS.keys() == ours | credentials | STRUCTURE


@pytest.mark.parametrize("term", sorted(MAPPED))
def test_a_term_has_a_counterpart_or_it_is_said_that_none_exists(term: str) -> None:
    mapped = MAPPED[term]
    assert bool(mapped.same or mapped.near) != bool(mapped.none)
    for iri in (*mapped.same, *mapped.near):
        assert sum(iri.startswith(full) for full in PREFIXES.values()) == 1
        assert re.fullmatch(r"(schema|ob|elm):[A-Za-z0-9]+", short(iri))


@pytest.mark.parametrize("term", sorted(ALL_TERMS))
def test_the_iri_of_a_term_is_the_one_that_says_the_same_or_ours(term: str) -> None:
    defined = ALL_TERMS[term]
    iri = defined if isinstance(defined, str) else defined["@id"]
    same = MAPPED[term].same
    assert iri == (same[0] if same else f"{URL}#{term}")


def test_terms_of_open_badges_are_those_of_its_context() -> None:
    told = W3C.raw[OPEN_BADGES_URL].decode()
    named = {iri for one in MAPPED.values() for iri in (*one.same, *one.near) if iri.startswith(PREFIXES["ob"])}
    assert named
    assert all(f'"{iri}"' in told for iri in named)
    for claim in TYPES["Qualification"].claims.values():
        if len(claim.path) > 1:  # the term is Open Badges' own
            assert f'"{MAPPED[claim.name].same[0]}"' in told, claim.name


def test_every_type_has_an_example_and_every_example_its_type() -> None:
    names = {path.name.removesuffix(".json") for path in files("work").joinpath("examples").iterdir()}
    assert names - {"__init__.py", "__pycache__"} == set(TYPES) == set(EXAMPLES)
    for name, one in EXAMPLES.items():
        assert one.type == name
        assert Statement.parse(one.to_json()) == Statement(name, one.worker, dict(sorted_claims(one)))
        assert not any(is_filler(value) for value in one.claims.values() if isinstance(value, str))


def sorted_claims(one: Statement) -> list[tuple[str, str | tuple[str, ...]]]:
    return [(n, v if isinstance(v, str) else tuple(sorted(v))) for n, v in one.claims.items()]


@pytest.mark.parametrize("name", TYPES)
def test_the_page_tells_all_of_a_type(name: str) -> None:
    kind = TYPES[name]
    told = "\n".join(section(kind))
    assert f"\n{told}" in page()
    assert all(f"`{each}`" in told for each in (kind.schema_id, kind.vct, *kind.contexts, *kind.types))
    always = next(line for line in told.splitlines() if line.startswith("- Always shown"))
    assert re.findall(r"`(\w+)`", always) == [claim.name for claim in kind.claims.values() if claim.mandatory]
    rows = {line.split("`")[1]: line for line in told.splitlines() if line.startswith("| `")}
    assert rows.keys() == kind.claims.keys()
    for claim in kind.claims.values():
        row = rows[claim.name]
        assert row.count(" | ") == 6
        assert all(str(step) in row for step in (*claim.ladder, *claim.words, claim.kind, claim.labels["fr"]))
    (shown,) = re.findall(r"```json\n(.*?)\n```", told, re.DOTALL)
    assert Statement.parse(json.loads(shown)).digest() == EXAMPLES[name].digest()
    assert kind.vct in DOCUMENTS
