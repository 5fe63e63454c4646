"""Statement types: one JSON Schema file each, read once, when the package is imported.

Whatever is said about a type (its claims, their shapes, ladders, padding, names and explanations) is said in its
schema; the members that JSON Schema does not know are under ``x-ouvrage``.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, Literal

from vc.errors import Unsupported

Words = Mapping[str, str]  # language → text
Fill = Literal["", "after", "before"]
Schema = Mapping[str, Any]

LANGUAGES: Final = ("en", "fr")
_NAMES: Final = ("PlatformMembership", "WorkHistory", "Rating", "Earnings", "RatingContext")


@dataclass(frozen=True, slots=True)
class Basis:
    """What the rungs of a ladder are computed from: another claim, averaged over its last ``over`` months if not 0."""

    claim: str
    over: int


@dataclass(frozen=True, slots=True)
class Claim:
    """One member of ``credentialSubject``.

    ``kind`` names the shape of a value ("month", "money", "word" for a closed list …). ``slots`` is the number of
    quads that the claim always takes; ``fill`` says on which side of the values the filler sorts ("" : no filler,
    the value is always there). ``ladder`` is empty for claims that are not ladders.
    """

    name: str
    kind: str
    mandatory: bool
    many: bool
    slots: int
    fill: Fill
    ladder: tuple[int, ...]
    basis: Basis | None
    labels: Words
    explain: Words
    say: Words | None
    words: Mapping[str, Words]
    pattern: re.Pattern[str]

    @property
    def pointer(self) -> str:
        """The JSON pointer of the claim in a credential."""
        return f"/credentialSubject/{self.name}"

    def accepts(self, value: str) -> bool:
        """Is ``value`` spelt as this claim demands? Filler is not a value."""
        return self.pattern.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class StatementType:
    """One kind of statement, ``about`` a "worker" or a "platform". What ``identifies`` leaves a trace when shown."""

    name: str
    about: str
    identifies: bool
    labels: Words
    explain: Words
    claims: Mapping[str, Claim]
    schema: Schema

    @property
    def credential_type(self) -> str:
        """The type of a credential that carries such a statement."""
        return f"{self.name}Credential"

    @property
    def schema_id(self) -> str:
        """The address that credentials name as their schema; it is never fetched."""
        return str(self.schema["$id"])

    @property
    def terms(self) -> dict[str, Any]:
        """A fresh copy of the ``termsOfUse`` of every credential of this type."""
        const = self.schema["properties"]["termsOfUse"]["const"]
        return {**const, "allowedPurpose": list(const["allowedPurpose"])}


def statement_type(name: str) -> StatementType:
    """The type of that name. Raises :class:`Unsupported`."""
    try:
        return TYPES[name]
    except KeyError:
        raise Unsupported("statement type", name) from None


def _load(name: str) -> StatementType:
    schema = json.loads(files("work").joinpath("schemas", f"{name}.json").read_bytes())
    members = schema["properties"]["credentialSubject"]["properties"]
    claims = {member: _claim(member, value, schema["$defs"]) for member, value in members.items() if member != "id"}
    ours = schema["x-ouvrage"]
    return StatementType(
        name=name,
        about=ours["about"],
        identifies=ours["identifies"],
        labels=ours["labels"],
        explain=ours["explain"],
        claims=MappingProxyType(claims),
        schema=schema,
    )


def _claim(name: str, schema: Schema, defs: Schema) -> Claim:
    ours = schema["x-ouvrage"]
    kind, pattern = _shape(schema.get("items", schema), defs)
    return Claim(
        name=name,
        kind=kind,
        pattern=pattern,
        many=schema.get("type") == "array",
        mandatory=ours["mandatory"],
        slots=ours["slots"],
        fill=ours.get("fill", ""),
        ladder=tuple(ours.get("ladder", ())),
        basis=Basis(ours["of"], ours.get("over", 0)) if "of" in ours else None,
        labels=ours["labels"],
        explain=ours["explain"],
        say=ours.get("say"),
        words=ours.get("words", {}),
    )


def _shape(schema: Schema, defs: Schema) -> tuple[str, re.Pattern[str]]:
    """The name and the pattern of a value: one definition, some listed words, or both; filler set aside."""
    kind = "word"
    patterns: list[str] = []
    for alternative in schema.get("anyOf", [schema]):
        if "enum" in alternative:
            patterns.extend(re.escape(word) for word in alternative["enum"])
        elif not alternative["$ref"].endswith("/filler"):
            kind = alternative["$ref"].rpartition("/")[2]
            patterns.append(defs[kind]["pattern"].removeprefix("^").removesuffix("$"))
    return kind, re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


TYPES: Final[Mapping[str, StatementType]] = MappingProxyType({name: _load(name) for name in _NAMES})
