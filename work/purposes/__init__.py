"""Purpose packs: what may be asked for which purpose, and what never. One data file each; adding one adds a purpose.

A pack speaks of claims ("Earnings.monthly") and of whole types ("Rating"). What it does not speak of is unusual.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from vc.errors import Unsupported
from work.types import LANGUAGES, TYPES, Words


class Judgement(StrEnum):
    """How a demand looks for its purpose, from what is ordinary to what is out of bounds."""

    expected = "expected"  # may be required
    acceptable = "acceptable"  # may be offered; nobody may insist
    unusual = "unusual"  # no rule speaks of it
    never = "never"  # may not be asked for


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a pack. ``claims`` are "Type" or "Type.claim"; ``law`` says why, in each language."""

    judgement: Judgement
    claims: frozenset[str]
    law: Words


@dataclass(frozen=True, slots=True)
class Purpose:
    """One purpose. ``retention_days`` is how long a verifier keeps what it was shown unless it says otherwise."""

    code: str
    labels: Words
    law: Words
    retention_days: int
    rules: tuple[Rule, ...]


def judge(purpose: Purpose | None, type_name: str, claim: str) -> Judgement:
    """How a demand for one claim looks under ``purpose``; without a named purpose every demand is unusual.

    An empty ``claim`` asks for the type as such. What is always shown with a type is as ordinary as the most ordinary
    claim of that type.
    """
    if purpose is None:
        return Judgement.unusual
    rule = _rule(purpose, type_name, claim)
    if rule is not None:
        return rule.judgement
    if not _comes_along(type_name, claim):
        return Judgement.unusual
    spoken = (rule.judgement for rule in purpose.rules if _speaks_of(rule, type_name))
    return min((Judgement.unusual, *spoken), key=list(Judgement).index)


def law(purpose: Purpose, type_name: str, claim: str, lang: str) -> str:
    """Why the claim is judged so: the line of the rule, or of the whole pack where no rule speaks of it."""
    if lang not in LANGUAGES:
        raise Unsupported("language", lang)
    rule = _rule(purpose, type_name, claim)
    return (purpose.law if rule is None else rule.law)[lang]


def _rule(purpose: Purpose, type_name: str, claim: str) -> Rule | None:
    """The rule for the claim itself, before one for its whole type; "never" before all others."""
    for reference in (f"{type_name}.{claim}", type_name):
        for rule in purpose.rules:
            if reference in rule.claims:
                return rule
    return None


def _comes_along(type_name: str, claim: str) -> bool:
    kind = TYPES.get(type_name)
    return kind is not None and (claim == "" or (claim in kind.claims and kind.claims[claim].mandatory))


def _speaks_of(rule: Rule, type_name: str) -> bool:
    return any(reference.partition(".")[0] == type_name for reference in rule.claims)


def _load(text: str) -> Purpose:
    pack = tomllib.loads(text)
    rules = (
        *_rules(pack, "neverAsk", Judgement.never),
        *_rules(pack, "mayRequire", Judgement.expected),
        *_rules(pack, "mayAccept", Judgement.acceptable),
    )
    return Purpose(pack["code"], pack["labels"], pack["law"], pack["retentionDays"], rules)


def _rules(pack: Mapping[str, Any], name: str, judgement: Judgement) -> tuple[Rule, ...]:
    return tuple(Rule(judgement, frozenset(entry["claims"]), entry["law"]) for entry in pack[name])


def _packs() -> dict[str, Purpose]:
    texts = (
        path.read_text(encoding="utf-8")
        for path in files("work").joinpath("purposes").iterdir()
        if path.name.endswith(".toml")
    )
    return {purpose.code: purpose for purpose in sorted(map(_load, texts), key=lambda purpose: purpose.code)}


PURPOSES: Final[Mapping[str, Purpose]] = MappingProxyType(_packs())
