"""Write ``docs/statements.md`` from the schemas themselves: ``python -m docs.make_statements``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from work.types import TYPES, Claim, StatementType

PAGE: Final = Path(__file__).with_name("statements.md")

_HEAD: Final = """# What is attested

One small credential about one topic, so that a topic can be left out whole. Every value is a text; money, hours and
ratings are exact decimals. This page is made from the schemas in `work/schemas`.

- **always**: shown with every showing of the statement. **alone**: shown only if the worker chooses it.
- **slots**: how many quads the claim always takes. Free ones hold filler (`~01` sorts behind every value, `!01` before
  every value), so that neither the length of a proof nor the place of a claim tells what stays hidden.
- A **ladder** is a row of "at least" thresholds, signed ahead, each of which can be shown alone.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(part for kind in TYPES.values() for part in section(kind))])


def section(kind: StatementType) -> Iterator[str]:
    """One statement type: what it is, and a table of its claims."""
    yield f"## {kind.name}: {kind.labels['en']} / {kind.labels['fr']}\n"
    yield f"{kind.explain['en']}\n"
    if kind.identifies:
        yield "Identifies by nature: whoever sees it twice knows that it is the same worker. The wallet says so.\n"
    yield f"Schema: `{kind.schema_id}`. Credential type: `{kind.credential_type}`. About the {kind.about}.\n"
    yield "| claim | shown | slots | what it is | in French |"
    yield "|---|---|---|---|---|"
    yield from (row(claim) for claim in kind.claims.values())
    yield ""


def row(claim: Claim) -> str:
    """One line of the table."""
    shown = "always" if claim.mandatory else "alone"
    ladder = f" Ladder: {', '.join(map(str, claim.ladder))}." if claim.ladder else ""
    return f"| `{claim.name}` | {shown} | {claim.slots} | {claim.explain['en']}{ladder} | {claim.labels['fr']} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
