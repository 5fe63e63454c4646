"""What each term of the contexts, and each claim, is called in the vocabularies that others use."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

_TABLE: Final[Mapping[str, Any]] = MappingProxyType(
    tomllib.loads(files("work").joinpath("vocabulary.toml").read_text(encoding="utf-8"))
)
PREFIXES: Final[Mapping[str, str]] = MappingProxyType(_TABLE["prefixes"])


@dataclass(frozen=True, slots=True)
class Mapped:
    """A term beside others: IRIs that say the same (skos:exactMatch), others that are near it (skos:closeMatch), or
    what it is that no vocabulary has."""

    same: tuple[str, ...]
    near: tuple[str, ...]
    none: str


def short(iri: str) -> str:
    """An IRI with the prefix of its vocabulary."""
    prefix, full = next((prefix, full) for prefix, full in PREFIXES.items() if iri.startswith(full))
    return f"{prefix}:{iri.removeprefix(full)}"


def _expanded(names: list[str]) -> tuple[str, ...]:
    return tuple(PREFIXES[prefix] + name for prefix, _, name in (each.partition(":") for each in names))


MAPPED: Final[Mapping[str, Mapped]] = MappingProxyType(
    {
        term: Mapped(_expanded(entry.get("same", [])), _expanded(entry.get("near", [])), entry.get("none", ""))
        for term, entry in _TABLE["terms"].items()
    }
)
