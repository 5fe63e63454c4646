"""Profiles: how the export of one platform is to be read, as a data file. A new platform is a new file, not new code.

A profile (TOML) names the kinds of file that the export consists of. For each kind it gives the columns to expect and,
in SQL over those columns (text, trimmed, empty ones NULL), the columns of :data:`issuer.canonical.COLUMNS`;
``feeds`` says which canonical relations a row goes to, ``reject`` and ``leave_out`` which rows do not, and why.
What the data do not hold and every statement needs (currency, basis, scale …) stands under ``statements``.
"""

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from importlib.resources import files as package_files
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from issuer.canonical import COLUMNS, RELATIONS
from issuer.constants import CONSTANTS, DEFAULT, MADE_FROM, OPTIONAL, PARTS
from issuer.section import Section
from vc.canon import Json
from vc.errors import Malformed, Unsupported
from vc.io.files import read_bounded
from work.statement import Category
from work.types import TYPES

MAX_PROFILE: Final = 1 << 18  # bytes; the longest of ours has under 8 KiB
UNCHECKED: Final = "CHECK"  # marks, in a comment, what was guessed and nobody has looked at yet
ENCODINGS: Final = (
    "utf-8",
    "utf-16",
    "cp1252",
)  # utf-16 needs its byte order mark; cp1252 is nearly any bytes

_MARK: Final = re.compile(rb"#\s*CHECK:")
FORMATS: Final = ("csv", "json")

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,40}")
_KIND: Final = re.compile(r"[a-z][a-zA-Z]{0,30}")
_ASPECT: Final = re.compile(r"[a-z][a-zA-Z0-9]{0,31}")
_POINTER: Final = re.compile(r"(/[^/]{1,64}){1,8}")
_IDENTIFIER: Final = re.compile(r'"((?:[^"]|"")+)"')
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SIGN: Final = re.compile(r"[^\w%€]|_")
ORDERS: Final = ("dmy", "mdy")  # day first, month first

_UNDATED: Final = frozenset({"membership", "ratings"})

Constants = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows for which ``when`` (SQL over canonical columns) holds are set aside from the relations ``of``.

    A rule that rejects may name columns of the file too, in double quotes. ``columns`` are those to blame.
    """

    when: str
    reason: str
    of: frozenset[str]
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileKind:
    """One kind of file of an export: a table ("csv"), or records in JSON or JSON Lines ("json").

    ``rows`` is the JSON pointer to the list of records in a page, and the columns of such a file are dotted paths.
    A file has all ``required`` columns, and of each of the groups ``either`` at least one. ``columns`` and ``aspects``
    map canonical names to SQL over the file's columns; ``feeds`` maps relations to the SQL condition (over canonical
    columns) under which a row belongs there. Rows that agree in all that ``unique`` names (columns, or SQL over them)
    are one row that was exported twice; where ``equal`` is "kept", only if they are in several files. ``aliases`` maps
    folded spellings of headers to the name used here. A row is not rejected for what is not understood of the canonical
    columns ``inessential``.

    ``headers`` is "exact", or "loose": then spaces, points and dashes in headers do not count, the first alias that is
    there wins, and ``X-2`` is the last one of further columns ``X``. ``dates`` are columns that tell whether a file
    writes the day or the month first, ``order`` is what it does where they do not tell; where that is empty, such a
    file is refused. Each row is read once for each of the columns that ``unfold`` lists for a name, all of as many, and
    ``$copy`` counts them from 1: a row with four quarters is four rows.
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
    format: str
    rows: str
    either: tuple[tuple[str, ...], ...]
    equal: str
    inessential: frozenset[str]
    headers: str
    dates: tuple[str, ...]
    order: str
    unfold: Mapping[str, tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the file that are read."""
        return self.required + self.optional

    @property
    def asks_worker(self) -> bool:
        """Whether the file does not say who it is about."""
        return "$worker" in self.columns["worker"]

    def folded(self, header: str) -> str:
        """A header as it is compared in files of this kind."""
        return loosely(header) if self.headers == "loose" else fold(header)

    def asks(self, name: str) -> bool:
        """Whether the SQL of the columns wants to be told what no file of this kind says: the zone, or the day."""
        return any(f"${name}" in expression for expression in self.columns.values())

    def sources(self, expression: str) -> tuple[str, ...]:
        """The columns of the file that an SQL expression reads, in order of appearance."""
        named = (found.replace('""', '"') for found in _IDENTIFIER.findall(expression))
        return tuple(dict.fromkeys(name for name in named if name in self.names))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Files with all these columns are never used, and why."""

    columns: tuple[str, ...]
    reason: str


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
    unchecked: int  # guesses that are still marked as such
    refused: tuple[Refusal, ...]

    @classmethod
    def parse(cls, raw: bytes, *, where: str) -> Self:
        """The profile of a TOML text. Raises :class:`Malformed`, naming ``where`` and the place inside."""
        try:
            table = tomllib.loads(raw.decode("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise Malformed(where, f"not TOML: {error}", code="NOT_TOML") from None
        with Section(where, table) as top:
            kinds = tuple(_file_kind(name, each) for name, each in top.sections("files"))
            statements = _statements(top, {relation for kind in kinds for relation in kind.feeds})
            return cls(
                name=top.text("name", _NAME),
                title=top.text("title"),
                platform=top.text("platform"),
                category=Category(top.choice("category", list(Category))),
                documented=top.text("documented"),
                assumed=top.text("assumed"),
                provenance=top.text("provenance"),
                files=tuple(_without_parts(kind, statements.get("Earnings", {})) for kind in kinds),
                statements=statements,
                figures=tuple(Figure(*_pair(each, "label", "sql")) for each in top.items("figures")),
                unchecked=len(_MARK.findall(raw)),
                refused=tuple(map(_refusal, top.items("refused"))),
            )

    def to_json(self) -> dict[str, Json]:
        """What a platform has to know before it uses the profile."""
        return {
            "name": self.name,
            "title": self.title,
            "platform": self.platform,
            "category": self.category.value,
            "files": [{"kind": kind.name, "title": kind.title} for kind in self.files],
            "statements": list[Json](self.statements),
            "documented": self.documented,
            "assumed": self.assumed,
            "provenance": self.provenance,
        }

    def text(self) -> str:
        """The same for people."""
        return "\n".join(
            [
                f"{self.name} ({self.category}): {self.title}",
                f"  Files: {'; '.join(kind.title for kind in self.files)}",
                f"  Makes: {', '.join(self.statements)}",
                f"  Documented: {self.documented}",
                f"  Assumed: {self.assumed}",
                f"  Known from: {self.provenance}",
            ]
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
    near = get_close_matches(str(name), profile_names(), n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    raise Unsupported("profile", f"{str(name)[:80]} ({meant}see: ouvrage issuer profiles; or a .toml file)")


def _file_kind(name: str, section: Section) -> FileKind:
    if not _KIND.fullmatch(name) or name in RELATIONS:
        raise section.fault("", "a kind of file is named by one word, and not like a relation")
    with section:
        columns, feeds = section.mapping("columns"), section.mapping("feeds")
        _check_feeds(section, columns, feeds)
        headers = section.choice("headers", ("exact", "loose"), "exact")
        form = section.choice("format", FORMATS, "csv")
        kind = FileKind(
            name=name,
            title=section.text("title"),
            delimiters=section.texts("delimiters", None if form == "csv" else ()),
            encodings=section.texts("encodings", ENCODINGS),
            nulls=section.texts("nulls", ()),
            required=section.texts("required", ()),
            optional=section.texts("optional", ()),
            aliases=_aliases(section.member("aliases"), loosely if headers == "loose" else fold),
            unique=section.texts("unique", ()),
            columns=columns,
            aspects=section.mapping("aspects"),
            feeds=feeds,
            reject=tuple(_rule(each, feeds) for each in section.items("reject")),
            leave_out=(*(_rule(each, feeds) for each in section.items("leave_out")), *_defaults(columns, feeds)),
            format=form,
            rows=section.text("rows", _POINTER) if form == "json" and "rows" in section.names() else "",
            either=section.lists("either"),
            equal=section.choice("equal", ("repeated", "kept"), "repeated"),
            inessential=frozenset(section.texts("inessential", ())),
            headers=headers,
            dates=section.texts("dates", ()),
            order=section.choice("order", ORDERS, ""),
            unfold=_lists(section.member("unfold")),
        )
    _check_names(section, kind)
    return kind


def _check_feeds(section: Section, columns: Mapping[str, str], feeds: Mapping[str, str]) -> None:
    if "worker" not in columns or not columns.keys() <= COLUMNS.keys():
        raise section.fault("columns", f"worker, and others of {', '.join(COLUMNS)}")
    if not feeds or not feeds.keys() <= RELATIONS.keys():
        raise section.fault("feeds", f"at least one of {', '.join(sorted(RELATIONS))}, and no other")
    for relation in feeds:
        # These may come without any day: then they are as old as the rest of the export is.
        needs = set(RELATIONS[relation].needs) - ({"day"} if feeds.keys() <= _UNDATED else set())
        if lacking := needs - columns.keys():
            raise section.fault("columns", f"{relation} needs {min(lacking)}")


def _check_names(section: Section, kind: FileKind) -> None:
    named = {*kind.aliases.values(), *(name for group in kind.either for name in group), *kind.dates}
    named |= {*kind.unfold, *(name for copies in kind.unfold.values() for name in copies)}
    named |= {name for rule in (*kind.reject, *kind.leave_out) for name in rule.columns}
    named |= {name for name in kind.unique if not kind.sources(name)}
    if not (kind.required or kind.either) or not named <= set(kind.names):
        why = "has to name columns; unique, either, dates, aliases and rules may name no others"
        raise section.fault("required", why)
    if len({len(copies) for copies in kind.unfold.values()}) > 1:
        raise section.fault("unfold", "lists as many columns for each name")
    if not kind.inessential <= kind.columns.keys():
        raise section.fault("inessential", "may only name canonical columns that the file has")
    if not set(kind.encodings) <= set(ENCODINGS):
        raise section.fault("encodings", f"only {', '.join(ENCODINGS)}")
    if not all(map(_ASPECT.fullmatch, kind.aspects)):
        raise section.fault("aspects", "named by one word each")
    if (kind.format == "csv") != bool(kind.delimiters) or any(len(delimiter) != 1 for delimiter in kind.delimiters):
        raise section.fault("delimiters", "one character each")


def _lists(section: Section) -> Mapping[str, tuple[str, ...]]:
    with section:
        return MappingProxyType({name: section.texts(name) for name in section.names()})


def _aliases(section: Section, folded: Callable[[str], str]) -> Mapping[str, str]:
    with section:
        given = {name: section.texts(name) for name in section.names()}
    return MappingProxyType({folded(alias): name for name, aliases in given.items() for alias in aliases})


def fold(header: str) -> str:
    """A header as it is compared: without case, accents, marks and the spaces that exports put around and into it."""
    plain = unicodedata.normalize("NFKD", header.replace("\ufeff", ""))
    return " ".join("".join(sign for sign in plain if not unicodedata.combining(sign)).split()).casefold()


def loosely(header: str) -> str:
    """A header compared by its words alone: ``nbHours``, ``nb_hours`` and ``Nb. hours`` are the same."""
    return fold(_SIGN.sub(" ", _HUMP.sub(" ", header)))


def _refusal(section: Section) -> Refusal:
    with section:
        return Refusal(section.texts("columns"), section.text("reason"))


def _rule(section: Section, feeds: Mapping[str, str]) -> Rule:
    with section:
        of = frozenset(section.texts("of", tuple(feeds)))
        if not of <= feeds.keys():
            raise section.fault("of", "relations that the file feeds")
        return Rule(section.text("when"), section.text("reason"), of, section.texts("columns", ()))


def _defaults(columns: Mapping[str, str], feeds: Mapping[str, str]) -> Iterable[Rule]:
    """Platforms give a rating to whoever begins, before anybody has rated: for no profile is that a rating."""
    if "ratings" in feeds and "value" in columns:
        yield Rule("value IS NOT NULL AND ratings = 0", "a rating that nobody gave: a default", frozenset({"ratings"}))


def _without_parts(kind: FileKind, earnings: Constants) -> FileKind:
    """The kind of file, with the parts of pay left out that are no part of the income stated."""
    if "pay" not in kind.feeds or "part" not in kind.columns:
        return kind
    apart = [(part, reason) for part, claim, reason in PARTS if earnings.get(claim) != "true"]
    rules = (Rule(f"part = '{part}'", reason, frozenset({"pay"})) for part, reason in apart)
    return replace(kind, leave_out=(*kind.leave_out, *rules))


def _pair(section: Section, first: str, second: str) -> tuple[str, str]:
    with section:
        return section.text(first), section.text(second)


def _statements(top: Section, fed: set[str]) -> Mapping[str, Constants]:
    made = {name: _constants(name, each, fed) for name, each in top.sections("statements")}
    if "RatingContext" in made and "Rating" not in made:
        raise top.fault("statements", "a RatingContext says how the values of Rating are spread: both, or none")
    return MappingProxyType(made)


def _constants(name: str, section: Section, fed: set[str]) -> Constants:
    if name not in CONSTANTS:
        raise section.fault("", "not a statement type that profiles can make")
    if MADE_FROM[name] not in fed:
        raise section.fault("", f"is made from {MADE_FROM[name]}, which no file feeds")
    claims, choices = CONSTANTS[name]
    with section:
        absent = OPTIONAL - set(section.names())
        wanted = sorted(claims - absent)
        made: dict[str, str | tuple[str, ...]] = {each: _claim(section, name, each) for each in wanted}
        made |= {
            each: section.choice(each, allowed, DEFAULT.get(each))
            for each, allowed in choices.items()
            if each not in absent
        }
        if name == "Rating":
            _check_rating(section, made, fed)
    return MappingProxyType(made)


def _check_rating(section: Section, made: Constants, fed: set[str]) -> None:
    """The choices of a rating that go together."""
    if made["eligible"] == "jobs" and "jobs" not in fed:
        raise section.fault("eligible", "jobs, which no file feeds")
    if ("windowSize" in made) != (made["windowKind"] == "lastN"):
        raise section.fault("windowSize", "a number of ratings, where windowKind is lastN, and only there")
    if "months" in made and made["windowKind"] != "period":
        raise section.fault("months", "only where windowKind is period")


def _claim(section: Section, statement_type: str, name: str) -> str | tuple[str, ...]:
    claim = TYPES[statement_type].claims[name]
    value = section.texts(name) if claim.many else section.text(name)
    if not all(claim.accepts(item) for item in ((value,) if isinstance(value, str) else value)):
        raise section.fault(name, f"not a {claim.kind} that {statement_type} accepts")
    return value
