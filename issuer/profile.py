"""Profiles: how the export of one platform is to be read, as a data file. A new platform is a new file, not new code.

A profile (TOML) names the kinds of file that the export consists of. For each kind it gives the columns to expect and,
in SQL over those columns (text, trimmed, empty ones NULL), the columns of :data:`issuer.canonical.COLUMNS`;
``feeds`` says which canonical relations a row goes to, ``reject`` and ``leave_out`` which rows do not, and why.
What the data do not hold and every statement needs (currency, basis, scale …) stands under ``statements``.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files as package_files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

from issuer.canonical import COLUMNS, RELATIONS
from vc.errors import Malformed, Unsupported
from vc.io.files import read_bounded
from work.statement import Category
from work.types import TYPES

MAX_PROFILE: Final = 1 << 18  # bytes; the longest of ours has under 8 KiB
ENCODINGS: Final = (
    "utf-8",
    "utf-16",
    "cp1252",
)  # utf-16 needs its byte order mark; cp1252 is nearly any bytes

# The relation that each statement type is made from.
MADE_FROM: Final[Mapping[str, str]] = MappingProxyType(
    {
        "PlatformMembership": "membership",
        "WorkHistory": "jobs",
        "Earnings": "pay",
        "Rating": "ratings",
        "RatingContext": "ratings",
    }
)

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,40}")
_KIND: Final = re.compile(r"[a-z][a-zA-Z]{0,30}")
_ASPECT: Final = re.compile(r"[a-z][a-zA-Z0-9]{0,31}")
_IDENTIFIER: Final = re.compile(r'"((?:[^"]|"")+)"')

# What a profile says once for all workers: claims of the type, and (second) choices of :mod:`issuer.build`.
_CONSTANTS: Final[Mapping[str, tuple[frozenset[str], Mapping[str, frozenset[str]]]]] = MappingProxyType(
    {
        "PlatformMembership": (frozenset({"status", "tierScheme"}), {}),
        "WorkHistory": (frozenset({"unitOfWork", "durationDefinition"}), {}),
        "Earnings": (frozenset({"basis", "tipsIncluded", "incentivesIncluded", "tollsIncluded"}), {}),
        "Rating": (
            frozenset({"computation", "raterPopulation", "perRater", "bestRating", "worstRating"}),
            {
                "windowKind": frozenset({"allTime", "period"}),
                "decimals": frozenset("0123456"),
                "count": frozenset({"lines", "notPublished"}),
                "eligible": frozenset({"lines", "notPublished"}),
                "excluded": frozenset({"lines", "notPublished"}),
            },
        ),
        "RatingContext": (frozenset({"knownBiasNotes"}), {}),
    }
)
_OPTIONAL: Final = frozenset({"tierScheme"})

Constants = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows for which ``when`` (SQL over canonical columns) holds are set aside from the relations ``of``."""

    when: str
    reason: str
    of: frozenset[str]


@dataclass(frozen=True, slots=True)
class FileKind:
    """One kind of CSV file of an export.

    ``columns`` and ``aspects`` map canonical names to SQL over the file's columns; ``feeds`` maps relations to the SQL
    condition (over canonical columns) under which a row belongs there. Rows that agree in all columns ``unique`` are
    one row that was exported twice. ``aliases`` maps folded spellings of headers to the name used here.
    """

    name: str
    title: str
    delimiters: tuple[str, ...]
    encodings: tuple[str, ...]
    nulls: tuple[str, ...]
    required: tuple[str, ...]
    optional: tuple[str, ...]
    aliases: Mapping[str, str]
    unique: tuple[str, ...]
    columns: Mapping[str, str]
    aspects: Mapping[str, str]
    feeds: Mapping[str, str]
    reject: tuple[Rule, ...]
    leave_out: tuple[Rule, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the file that are read."""
        return self.required + self.optional

    @property
    def asks_worker(self) -> bool:
        """Whether the file does not say who it is about."""
        return "$worker" in self.columns["worker"]

    def sources(self, expression: str) -> tuple[str, ...]:
        """The columns of the file that an SQL expression reads, in order of appearance."""
        named = (found.replace('""', '"') for found in _IDENTIFIER.findall(expression))
        return tuple(dict.fromkeys(name for name in named if name in self.names))


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the whole export that a person can compare with the platform's own: ``sql`` yields one value."""

    label: str
    sql: str


@dataclass(frozen=True, slots=True)
class Profile:
    """How the export of one platform becomes statements. ``documented`` and ``assumed`` are shown to people."""

    name: str
    title: str
    platform: str
    category: Category
    documented: str
    assumed: str
    provenance: str
    files: tuple[FileKind, ...]
    statements: Mapping[str, Constants]
    figures: tuple[Figure, ...]

    @classmethod
    def parse(cls, raw: bytes, *, where: str) -> Self:
        """The profile of a TOML text. Raises :class:`Malformed`, naming ``where`` and the place inside."""
        try:
            table = tomllib.loads(raw.decode("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise Malformed(where, f"not TOML: {error}", code="NOT_TOML") from None
        with _Section(where, table) as top:
            return cls(
                name=top.text("name", _NAME),
                title=top.text("title"),
                platform=top.text("platform"),
                category=Category(top.choice("category", list(Category))),
                documented=top.text("documented"),
                assumed=top.text("assumed"),
                provenance=top.text("provenance"),
                files=(kinds := tuple(_file_kind(name, each) for name, each in top.sections("files"))),
                statements=_statements(top, {relation for kind in kinds for relation in kind.feeds}),
                figures=tuple(Figure(*_pair(each, "label", "sql")) for each in top.items("figures")),
            )


def profile_names() -> tuple[str, ...]:
    """The profiles that come with the package."""
    names = (entry.name for entry in package_files("issuer").joinpath("profiles").iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def load_profile(name: str | Path) -> Profile:
    """The profile of that name, or in that file. Raises :class:`Unsupported` or :class:`Malformed`."""
    if isinstance(name, str) and name in profile_names():
        raw = package_files("issuer").joinpath("profiles", f"{name}.toml").read_bytes()
        return Profile.parse(raw, where=f"profile {name}")
    if str(name).endswith(".toml"):
        return Profile.parse(read_bounded(Path(name), limit=MAX_PROFILE), where=str(name))
    raise Unsupported("profile", f"{name} (there are {', '.join(profile_names())}, or a .toml file)")


class _Section:
    """One table of a profile. Members are taken out one by one; what is left at the end nobody understands."""

    def __init__(self, where: str, table: object) -> None:
        if not isinstance(table, dict):
            raise Malformed(where, "has to be a table")
        self._where = where
        self._left: dict[str, Any] = dict(table)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and self._left:
            raise Malformed(self._where, f"unknown member {min(self._left)!r}")

    def fault(self, name: str, why: str) -> Malformed:
        return Malformed(f"{self._where}: {name}", why)

    def text(self, name: str, pattern: re.Pattern[str] | None = None) -> str:
        value = self._left.pop(name, None)
        if not isinstance(value, str) or not value.strip():
            raise self.fault(name, "a text is needed")
        if pattern is not None and not pattern.fullmatch(value):
            raise self.fault(name, f"has to match {pattern.pattern}")
        return value.strip()

    def choice(self, name: str, allowed: Iterable[str]) -> str:
        value = self.text(name)
        if value not in allowed:
            raise self.fault(name, f"one of {', '.join(sorted(allowed))}")
        return value

    def texts(self, name: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        value = self._left.pop(name, default)
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) and item for item in value):
            raise self.fault(name, "a list of texts is needed")
        return tuple(value)

    def member(self, name: str) -> "_Section":
        return _Section(f"{self._where}: {name}", self._left.pop(name, {}))

    def sections(self, name: str) -> list[tuple[str, "_Section"]]:
        """The tables in a table that may not be empty."""
        member = self.member(name)
        if not member._left:
            raise self.fault(name, "is missing")
        return [(key, _Section(f"{member._where}.{key}", value)) for key, value in member._left.items()]

    def items(self, name: str) -> "list[_Section]":
        """The tables in a list that may be missing."""
        value = self._left.pop(name, [])
        if not isinstance(value, list):
            raise self.fault(name, "a list of tables is needed")
        return [_Section(f"{self._where}: {name}[{index}]", item) for index, item in enumerate(value)]

    def mapping(self, name: str) -> Mapping[str, str]:
        """A table of texts that may be missing."""
        with self.member(name) as member:
            return MappingProxyType({key: member.text(key) for key in list(member._left)})

    def names(self) -> list[str]:
        return list(self._left)


def _file_kind(name: str, section: _Section) -> FileKind:
    if not _KIND.fullmatch(name) or name in RELATIONS:
        raise section.fault("", "a kind of file is named by one word, and not like a relation")
    with section:
        columns, feeds = section.mapping("columns"), section.mapping("feeds")
        _check_feeds(section, columns, feeds)
        kind = FileKind(
            name=name,
            title=section.text("title"),
            delimiters=section.texts("delimiters"),
            encodings=section.texts("encodings", ENCODINGS),
            nulls=section.texts("nulls", ()),
            required=section.texts("required"),
            optional=section.texts("optional", ()),
            aliases=_aliases(section.member("aliases")),
            unique=section.texts("unique", ()),
            columns=columns,
            aspects=section.mapping("aspects"),
            feeds=feeds,
            reject=tuple(_rule(each, feeds) for each in section.items("reject")),
            leave_out=tuple(_rule(each, feeds) for each in section.items("leave_out")),
        )
    _check_names(section, kind)
    return kind


def _check_feeds(section: _Section, columns: Mapping[str, str], feeds: Mapping[str, str]) -> None:
    if "worker" not in columns or not columns.keys() <= COLUMNS.keys():
        raise section.fault("columns", f"worker, and others of {', '.join(COLUMNS)}")
    if not feeds or not feeds.keys() <= RELATIONS.keys():
        raise section.fault("feeds", f"at least one of {', '.join(sorted(RELATIONS))}, and no other")
    for relation in feeds:
        if lacking := set(RELATIONS[relation].needs) - columns.keys():
            raise section.fault("columns", f"{relation} needs {min(lacking)}")


def _check_names(section: _Section, kind: FileKind) -> None:
    known = set(kind.names)
    if not kind.required or not {*kind.unique, *kind.aliases.values()} <= known:
        raise section.fault("required", "has to name columns; unique and aliases may name no others")
    if not set(kind.encodings) <= set(ENCODINGS):
        raise section.fault("encodings", f"only {', '.join(ENCODINGS)}")
    if not all(map(_ASPECT.fullmatch, kind.aspects)):
        raise section.fault("aspects", "named by one word each")
    if not kind.delimiters or any(len(delimiter) != 1 for delimiter in kind.delimiters):
        raise section.fault("delimiters", "one character each")


def _aliases(section: _Section) -> Mapping[str, str]:
    with section:
        given = {name: section.texts(name) for name in section.names()}
    return MappingProxyType({fold(alias): name for name, aliases in given.items() for alias in aliases})


def fold(header: str) -> str:
    """A header as it is compared: without case, marks and the spaces that exports put around and into it."""
    return " ".join(header.replace("\ufeff", "").split()).casefold()


def _rule(section: _Section, feeds: Mapping[str, str]) -> Rule:
    with section:
        of = frozenset(section.texts("of", tuple(feeds)))
        if not of <= feeds.keys():
            raise section.fault("of", "relations that the file feeds")
        return Rule(section.text("when"), section.text("reason"), of)


def _pair(section: _Section, first: str, second: str) -> tuple[str, str]:
    with section:
        return section.text(first), section.text(second)


def _statements(top: _Section, fed: set[str]) -> Mapping[str, Constants]:
    made = {name: _constants(name, each, fed) for name, each in top.sections("statements")}
    if "RatingContext" in made and "Rating" not in made:
        raise top.fault("statements", "a RatingContext says how the values of Rating are spread: both, or none")
    return MappingProxyType(made)


def _constants(name: str, section: _Section, fed: set[str]) -> Constants:
    if name not in _CONSTANTS:
        raise section.fault("", "not a statement type that profiles can make")
    if MADE_FROM[name] not in fed:
        raise section.fault("", f"is made from {MADE_FROM[name]}, which no file feeds")
    claims, choices = _CONSTANTS[name]
    with section:
        wanted = sorted(claims - (_OPTIONAL - set(section.names())))
        made: dict[str, str | tuple[str, ...]] = {each: _claim(section, name, each) for each in wanted}
        made |= {each: section.choice(each, allowed) for each, allowed in choices.items()}
    return MappingProxyType(made)


def _claim(section: _Section, statement_type: str, name: str) -> str | tuple[str, ...]:
    claim = TYPES[statement_type].claims[name]
    value = section.texts(name) if claim.many else section.text(name)
    if not all(claim.accepts(item) for item in ((value,) if isinstance(value, str) else value)):
        raise section.fault(name, f"not a {claim.kind} that {statement_type} accepts")
    return value
