"""Write ``docs/statements.md`` from the schemas themselves: ``python -m docs.make_statements``."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from work.examples import EXAMPLES
from work.types import TYPES, Claim, StatementType
from work.vocabulary import MAPPED, PREFIXES, short

PAGE: Final = Path(__file__).with_name("statements.md")

_HEAD: Final = """# What is attested

One small credential about one topic, so that a topic can be left out whole. Every value is a text; money, hours and
ratings are exact decimals. This page is made from the schemas in `work/schemas`, the examples in `work/examples` and
the mappings in `work/vocabulary.toml`.

- **always**: shown with every showing of the statement. **alone**: shown only if the worker chooses it. **with**
  another claim: without that one, it would say nothing.
- **slots**: how many quads the claim always takes. Free ones hold filler (`~01` sorts behind every value, `!01` before
  every value), so that neither the length of a proof nor the place of a claim tells what stays hidden. In an SD-JWT VC
  decoys take their places.
- **shape**: the definition in the schema that a value is spelt by; a **word** is one of a closed list.
- A **ladder** is a row of "at least" thresholds, signed ahead, each of which can be shown alone.
- **elsewhere**: what others call it. `=` says the same of the same thing (skos:exactMatch), `≈` is near it
  (skos:closeMatch), `–` means that none of the vocabularies has it.
"""


def page() -> str:
    """The whole page."""
    sections = [part for kind in TYPES.values() for part in section(kind)]
    return "\n".join([_HEAD, *_contents(), *sections, *_structure()])


def _contents() -> Iterator[str]:
    yield "| vocabulary | namespace |"
    yield "|---|---|"
    yield from (f"| `{prefix}:` | `{full}` |" for prefix, full in PREFIXES.items())
    yield ""


def section(kind: StatementType) -> Iterator[str]:
    """One statement type: what it is, how it is issued, a table of its claims, and an example."""
    yield f"## {kind.name}: {kind.labels['en']} / {kind.labels['fr']}\n"
    yield f"{kind.explain['en']}\n"
    if kind.identifies:
        yield "Identifies by nature: whoever sees it twice knows that it is the same worker. The wallet says so.\n"
    if kind.signer == "worker":
        yield "Signed by the worker, with the key of the copy that it goes with: `docs/reply.md`.\n"
    yield from _issued(kind)
    yield "| claim | shown | slots | shape | what it is | in French | elsewhere |"
    yield "|---|---|---|---|---|---|---|"
    yield from (row(claim) for claim in kind.claims.values())
    yield ""
    yield f"An example, as `ouvrage issuer attest` writes it:\n\n```json\n{example(kind)}\n```\n"


def _issued(kind: StatementType) -> Iterator[str]:
    yield f"- About the {kind.about}. Types: {_listed(kind.types)} ({elsewhere(kind.credential_type)})"
    yield f"- `@context`: {_listed(kind.contexts)}"
    yield f"- Schema: `{kind.schema_id}`"
    yield f"- SD-JWT VC: `{kind.vct}`"
    yield f"- Always shown: {_listed(tuple(claim.name for claim in kind.claims.values() if claim.mandatory))}"
    if kind.topic:
        yield f"- A worker has one for each {_listed(kind.topic)}"
    deeper = [claim for claim in kind.claims.values() if claim.path != (claim.name,)]
    if deeper:
        places = (f"`{claim.name}` {'.'.join(map(str, claim.path))}" for claim in deeper)
        yield f"- In `credentialSubject`: {', '.join(places)}"
    renamed = [claim for claim in kind.claims.values() if claim.jwt != claim.name]
    if renamed:
        yield f"- In an SD-JWT VC: {', '.join(f'`{claim.name}` is `{claim.jwt}`' for claim in renamed)}"
    yield ""


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def row(claim: Claim) -> str:
    """One line of the table."""
    shown = "always" if claim.mandatory else f"with {_listed(claim.needs)}" if claim.needs else "alone"
    ladder = f" Ladder: {', '.join(map(str, claim.ladder))}." if claim.ladder else ""
    said = f"{claim.explain['en']}{ladder}"
    cells = (f"`{claim.name}`", shown, str(claim.slots), shape(claim), said, claim.labels["fr"], elsewhere(claim.name))
    return f"| {' | '.join(cells)} |"


def shape(claim: Claim) -> str:
    """How a value is spelt: the name of its definition, and the words that it may be."""
    words = f": {_listed(tuple(claim.words))}" if claim.words else ""
    return f"{'set of ' if claim.many else ''}{claim.kind}{words}"


def elsewhere(term: str) -> str:
    """What other vocabularies call a term."""
    mapped = MAPPED[term]
    told = [*(f"= `{short(iri)}`" for iri in mapped.same), *(f"≈ `{short(iri)}`" for iri in mapped.near)]
    return ", ".join(told) or f"– {mapped.none}"


def example(kind: StatementType) -> str:
    """The example of a type, one claim a line."""
    made = EXAMPLES[kind.name].to_json()
    claims = made["claims"]
    assert isinstance(claims, dict)
    told = [f"    {_text(name)}: {_text(claims[name])}" for name in kind.claims if name in claims]
    head = f'  "type": {_text(kind.name)},\n  "worker": {_text(made["worker"])},\n  "claims": {{\n'
    return "{\n" + head + ",\n".join(told) + "\n  }\n}"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _structure() -> Iterator[str]:
    """The terms of the contexts that are no claims."""
    said = {name for kind in TYPES.values() for name in (*kind.claims, kind.credential_type)}
    yield "## Terms beside the claims\n"
    yield "| term | elsewhere |"
    yield "|---|---|"
    yield from (f"| `{term}` | {elsewhere(term)} |" for term in MAPPED if term not in said)
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
