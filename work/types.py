"""Statement types: one JSON Schema file each, read once, when the package is imported.

Whatever is said about a type (its claims, their shapes, ladders, padding, names and explanations) is said in its
schema; the members that JSON Schema does not know are under ``x-ouvrage``.
"""

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, Literal

from vc.errors import Unsupported

Words = Mapping[str, str]  # language → text
Fill = Literal["", "after", "before"]
Schema = Mapping[str, Any]
Place = tuple[str | int, ...]  # the way from credentialSubject to a member of it

LANGUAGES: Final = ("en", "fr")
_NAMES: Final = (
    "PlatformMembership",
    "WorkHistory",
    "CompletedWork",
    "Rating",
    "RatingBand",
    "Review",
    "Earnings",
    "RatingContext",
    "Qualification",
    "ProfessionalInsurance",
    "TrainingRights",
    "DisputeOutcome",
    "Reply",
    "Dispute",
)


@dataclass(frozen=True, slots=True)
class Basis:
    """What the rungs of a ladder are computed from: another claim, averaged over its last ``over`` months if not 0.
    A rung of 5 stands for five times ``unit``."""

    claim: str
    over: int
    unit: int = 1


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that a statement says: a member of ``credentialSubject``, or of an object in it (``path``).

    ``kind`` names the shape of a value ("month", "money", "word" for a closed list …). ``slots`` is the number of
    quads that the claim always takes; ``fill`` says on which side of the values the filler sorts ("" : no filler,
    the value is always there). ``ladder`` is empty for claims that are not ladders. ``needs`` are the claims without
    which it says nothing.
    ``jwt`` is its name in an SD-JWT VC, where some names are taken.
    """

    name: str
    path: Place
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
    needs: tuple[str, ...]
    jwt: str

    @property
    def pointer(self) -> str:
        """The JSON pointer of the claim in a credential."""
        return "/".join(("/credentialSubject", *map(str, self.path)))

    def accepts(self, value: str) -> bool:
        """Is ``value`` spelt as this claim demands? Filler is not a value."""
        return self.pattern.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class StatementType:
    """One kind of statement, ``about`` a "worker" or a "platform". What ``identifies`` leaves a trace when shown;
    ``instead`` names the type that says the same so roughly that it leaves none, where there is one.

    ``topic`` names the claims that tell the statements of one worker apart: a newer statement takes the place of the
    one before it on the same topic, and stands beside those on others.

    ``constants`` are the members of ``credentialSubject`` that are the same in every credential, ``unbound`` those of
    a credential that names no key of the worker. ``named`` are objects in it with an id, and the claims it is made of.

    ``signer`` is "issuer", or "worker" for what workers say themselves about a statement that they show (work.reply).
    """

    name: str
    about: str
    signer: str
    identifies: bool
    instead: str
    topic: tuple[str, ...]
    labels: Words
    explain: Words
    claims: Mapping[str, Claim]
    constants: Mapping[Place, Any]
    unbound: Mapping[Place, Any]
    named: Mapping[Place, tuple[str, ...]]
    schema: Schema

    @property
    def credential_type(self) -> str:
        """The type of a credential that carries such a statement."""
        return f"{self.name}Credential"

    @property
    def vct(self) -> str:
        """The type of an SD-JWT VC that carries such a statement; its document is :mod:`work.vct`'s."""
        return f"{self.schema_id.rpartition('/schemas/')[0]}/types/{self.name}"

    @property
    def attested(self) -> tuple[str, ...]:
        """What an issuer has to be trusted with to attest it, in each format."""
        return (*self.types[1:], self.vct)

    @property
    def schema_id(self) -> str:
        """The address that credentials name as their schema; it is never fetched."""
        return str(self.schema["$id"])

    @property
    def fixed(self) -> dict[str, Any]:
        """A fresh copy of what every credential of this type has alike: contexts, types, schema and terms of use."""
        members = self.schema["properties"].items()
        return {name: deepcopy(member["const"]) for name, member in members if member is not True and "const" in member}

    @property
    def terms(self) -> dict[str, Any]:
        """A fresh copy of the terms of use of every credential of this type."""
        terms = self.fixed["termsOfUse"]
        return dict(terms[0] if isinstance(terms, list) else terms)

    @property
    def contexts(self) -> tuple[str, ...]:
        """The context list of a credential, in its order."""
        return tuple(self.schema["properties"]["@context"]["const"])

    @property
    def types(self) -> tuple[str, ...]:
        """All types of a credential, in their order; an issuer has to be trusted with each but the first."""
        return tuple(self.schema["properties"]["type"]["const"])

    @property
    def names_copies(self) -> bool:
        """Whether a credential has an id of its own."""
        return "id" in self.schema["properties"]

    @property
    def issuer_types(self) -> tuple[str, ...]:
        """The types of an issuer that is told with its name."""
        shape = self.schema["properties"]["issuer"]["$ref"].rpartition("/")[2]
        told = self.schema["$defs"][shape]["anyOf"][1]["properties"]
        return tuple(told.get("type", {}).get("const", ()))


def statement_type(name: str) -> StatementType:
    """The type of that name. Raises :class:`Unsupported`."""
    try:
        return TYPES[name]
    except KeyError:
        raise Unsupported("statement type", name) from None


def _load(name: str) -> StatementType:
    schema = json.loads(files("work").joinpath("schemas", f"{name}.json").read_bytes())
    found = dict(_members((), schema["properties"]["credentialSubject"]))
    claims = [_claim(place, each, schema["$defs"]) for place, each in found.items() if _told(each, "labels")]
    fixed = {place: each for place, each in found.items() if "const" in each}
    ours = schema["x-ouvrage"]
    return StatementType(
        name=name,
        about=ours["about"],
        signer=ours.get("signer", "issuer"),
        identifies=ours["identifies"],
        instead=ours.get("instead", ""),
        topic=tuple(ours.get("topic", ())),
        labels=ours["labels"],
        explain=ours["explain"],
        claims=MappingProxyType({claim.name: claim for claim in claims}),
        constants=_consts({place: each for place, each in fixed.items() if not _told(each, "unbound")}),
        unbound=_consts({place: each for place, each in fixed.items() if _told(each, "unbound")}),
        named=MappingProxyType(
            {place: tuple(each["x-ouvrage"]["namedBy"]) for place, each in found.items() if _told(each, "namedBy")}
        ),
        schema=schema,
    )


def _members(place: Place, schema: Schema) -> Iterator[tuple[Place, Schema]]:
    """The schemas of all values in an object, those in objects and in lists of one object within it included."""
    for name, value in schema["properties"].items():
        inner, where = (value["items"], (*place, name, 0)) if "items" in value else (value, (*place, name))
        if "properties" in inner:
            yield from _members(where, inner)
        else:
            yield (*place, name), value


def _told(schema: Schema, member: str) -> bool:
    return member in schema.get("x-ouvrage", {})


def _consts(found: Mapping[Place, Schema]) -> Mapping[Place, Any]:
    return MappingProxyType({place: each["const"] for place, each in found.items()})


def _claim(place: Place, schema: Schema, defs: Schema) -> Claim:
    ours = schema["x-ouvrage"]
    kind, pattern = _shape(schema.get("items", schema), defs)
    name = str(ours.get("claim", place[-1]))
    return Claim(
        name=name,
        path=place,
        kind=kind,
        pattern=pattern,
        needs=tuple(ours.get("needs", ())),
        jwt=ours.get("jwt", name),
        many=schema.get("type") == "array",
        mandatory=ours["mandatory"],
        slots=ours["slots"],
        fill=ours.get("fill", ""),
        ladder=tuple(ours.get("ladder", ())),
        basis=Basis(ours["of"], ours.get("over", 0), ours.get("unit", 1)) if "of" in ours else None,
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
ANSWERS: Final = tuple(kind.name for kind in TYPES.values() if kind.signer == "worker")
