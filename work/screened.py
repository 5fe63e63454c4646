"""The gate before signing: no free text of a statement may name a person or lead to one (:mod:`work.screening`)."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from vc.errors import Malformed
from work.screening import Kind, described, findings
from work.statement import Statement
from work.types import TYPES, Claim

# By kind of claim, whether names are looked for too: in the short words of a platform ("La Poste", "Saint-Denis") every
# second one would be taken for one.
_WITH_NAMES: Final = {"text": False, "title": False, "typeCount": False, "passage": True, "longText": True}
_POSTCODE: Final = re.compile(r"^\d{5} (?=\D)")
_NUMBERS: Final = frozenset({"policyNumber", "insurerIdentifier"})  # which are there to be looked up


def check_texts(statement: Statement) -> None:
    """Raise :class:`Malformed`, naming the claim and what kind of thing is in it, never the text."""
    for claim, text in _texts(statement):
        found = _found(text, names=_WITH_NAMES[claim.kind])
        if found:
            raise Malformed(
                f"{statement.type} /claims/{claim.name}",
                f"holds {found}, which cannot be taken back once it is signed: correct the records and attest again",
                code="PERSONAL_TEXT",
            )


def _texts(statement: Statement) -> Iterator[tuple[Claim, str]]:
    for claim in TYPES[statement.type].claims.values():
        if claim.kind in _WITH_NAMES and claim.name not in _NUMBERS and claim.name in statement.claims:
            value = statement.claims[claim.name]
            yield from ((claim, text) for text in ((value,) if isinstance(value, str) else value))


@lru_cache(maxsize=4096)  # the words of a platform are the same for all of its workers
def _found(text: str, *, names: bool) -> str:
    if not names:
        text = _POSTCODE.sub("", text)  # with its town, an area as coarse as it should be
    found = [one for one in findings(text) if names or one.kind is not Kind.name]
    return described(found) if found else ""
