"""JSON-LD term definitions (json-ld11-api#create-term-definition): a context definition, added to an active context."""

import json
import re
from dataclasses import dataclass, field, replace
from typing import Final, TypedDict

from vc.canon import Json
from vc.errors import Malformed
from vc.iris import has_scheme
from vc.termtable import KEYWORDS, Term, expand_iri

MAX_DEPENDENCIES: Final = 64  # terms that need terms, in a row; each takes some Python frames, of a stack of 1000
TEXT: Final = json.JSONEncoder(sort_keys=True, allow_nan=False, separators=(",", ":"))

_NOT_TERMS: Final = frozenset(
    {"@base", "@direction", "@import", "@language", "@propagate", "@protected", "@version", "@vocab"}
)
_PARTS: Final = frozenset(
    {"@container", "@context", "@direction", "@id", "@index", "@language", "@nest", "@prefix", "@protected", "@reverse"}
    | {"@type"}
)
_CONTAINERS: Final = frozenset({"@graph", "@id", "@index", "@language", "@list", "@set", "@type"})
_KEYWORD_FORM: Final = re.compile(r"@[A-Za-z]+")
_GEN_DELIMS: Final = (":", "/", "?", "#", "[", "]", "@")  # RFC 3986 §2.2


class _Coerced(TypedDict):
    type: str | None
    container: frozenset[str]
    index: str | None
    nest: str | None
    language: str | None
    direction: str | None
    scope: str | None


def bad_context(why: str) -> Malformed:
    """The error for a context that breaks a rule; its place is not known here."""
    return Malformed("", why, code="BAD_CONTEXT")


def boolean(members: dict[str, Json], name: str) -> bool:
    """The member ``name``, which is true or false, or Malformed."""
    value = members[name]
    if not isinstance(value, bool):
        raise bad_context(f"{name} is true or false")
    return value


def nullable_text(members: dict[str, Json], name: str) -> str:
    """The member ``name``, which is a string or null (``""``), or Malformed."""
    value = members[name]
    if value is not None and not isinstance(value, str):
        raise bad_context(f"{name} is a string or null")
    return value or ""


def direction(members: dict[str, Json]) -> str:
    """json-ld11-api: a base direction, ``""`` for null, or Malformed."""
    value = nullable_text(members, "@direction")
    if value not in {"", "ltr", "rtl"}:
        raise bad_context("@direction is ltr, rtl or null")
    return value


@dataclass(slots=True)
class Definitions:
    """An active context in the making: the terms of the context definition ``local`` are added to ``terms``.

    ``override`` allows protected terms to change; ``protected`` is what a new term is where it does not say.
    """

    local: dict[str, Json]
    terms: dict[str, Term]
    base: str | None
    vocab: str | None
    override: bool
    protected: bool
    defined: dict[str, bool] = field(default_factory=dict)  # False while the term is being defined
    depth: int = 0

    def define_all(self) -> None:
        """json-ld11-api#context-processing-algorithm, step 5.13. Raises Malformed."""
        for name in self.local:
            if name not in _NOT_TERMS:
                self.define(name)

    def define(self, name: str) -> None:
        """json-ld11-api#create-term-definition, with the checks on the name and on what it replaces."""
        if name in self.defined:
            if self.defined[name]:
                return
            raise bad_context(f"{name} is defined by itself")
        if name == "" or (name in KEYWORDS and not _is_type_container(name, self.local[name])):
            raise bad_context(f"{name or 'an empty name'} cannot be a term")
        self.depth += 1
        if self.depth > MAX_DEPENDENCIES:
            raise bad_context(f"{name} hangs on too many other terms")
        self.defined[name] = False
        previous = self.terms.pop(name, None)
        term = self._term(name) or previous
        if previous is not None and previous.protected and not self.override:
            if term is None or replace(term, protected=True) != previous:
                raise bad_context(f"{name} is protected")
            term = previous
        if term is not None:
            self.terms[name] = term
        self.defined[name] = True
        self.depth -= 1

    def expand(self, value: str) -> str | None:
        """json-ld11-api#iri-expansion during context processing: defines first what ``value`` hangs on."""
        prefix, colon, suffix = value.partition(":")
        for name in (value, prefix) if colon and not suffix.startswith("//") else (value,):
            if name in self.local and name not in KEYWORDS and self.defined.get(name) is not True:
                self.define(name)
        return expand_iri(self, value, vocab=True)

    def _term(self, name: str) -> Term | None:
        """The definition of ``name``, or None where JSON-LD ignores it because something looks like a keyword."""
        value = self.local[name]
        definition: dict[str, Json] = value if isinstance(value, dict) else {"@id": value}
        if not (value is None or isinstance(value, str | dict)) or not definition.keys() <= _PARTS:
            raise bad_context(f"the definition of {name} is not one that JSON-LD knows")
        iri = definition.get("@reverse", definition.get("@id"))
        if _is_reserved(name) or (isinstance(iri, str) and _is_reserved(iri)):
            return None
        mapped = self._reversed(definition) if "@reverse" in definition else self._mapped(name, definition)
        simple = isinstance(value, str) and value != name and ":" not in name and "/" not in name
        return Term(
            mapped,
            protected=boolean(definition, "@protected") if "@protected" in definition else self.protected,
            prefix=self._is_prefix(name, definition, mapped, simple=simple),
            reverse="@reverse" in definition,
            **self._coerced(name, definition),
        )

    def _mapped(self, name: str, definition: dict[str, Json]) -> str | None:
        """json-ld11-api#create-term-definition, steps 14 to 18: the IRI mapping."""
        iri = definition.get("@id", name)
        if iri is None:
            return None
        if not isinstance(iri, str):
            raise bad_context(f"the @id of {name} is a string or null")
        if iri != name:
            return self._mapped_to(name, iri)
        prefix, colon, suffix = name.partition(":")
        if colon and prefix:
            return self._compact(name, prefix, suffix)
        if name == "@type":
            return name
        if self.vocab is None or ("/" in name and not has_scheme(self.vocab)):
            raise bad_context(f"{name} has no IRI")
        return self.vocab + name

    def _compact(self, name: str, prefix: str, suffix: str) -> str:
        if prefix in self.local and prefix not in KEYWORDS and self.defined.get(prefix) is not True:
            self.define(prefix)
        term = self.terms.get(prefix)
        if term is None:
            return name
        if term.iri is None or term.iri in KEYWORDS:
            raise bad_context(f"the prefix of {name} has no IRI")
        return term.iri + suffix

    def _mapped_to(self, name: str, iri: str) -> str:
        expanded = self.expand(iri)
        if expanded is None or not (expanded in KEYWORDS or has_scheme(expanded) or expanded.startswith("_:")):
            raise bad_context(f"the @id of {name} is neither an IRI nor a keyword")
        if expanded == "@context":
            raise bad_context("@context has no other name")
        if ":" in name[1:-1] or "/" in name:
            self.defined[name] = True  # so that the name is read as the IRI that it looks like
            if self.expand(name) != expanded:
                raise bad_context(f"{name} looks like an IRI and means another")
        return expanded

    def _reversed(self, definition: dict[str, Json]) -> str:
        value = definition["@reverse"]
        expanded = self.expand(value) if isinstance(value, str) else None
        if expanded is None or expanded in KEYWORDS or not (has_scheme(expanded) or expanded.startswith("_:")):
            raise bad_context("@reverse is an IRI")
        if definition.keys() & {"@id", "@nest"} or definition.get("@container") not in (None, "@set", "@index"):
            raise bad_context("@reverse stands with what it cannot stand with")
        return expanded

    def _is_prefix(self, name: str, definition: dict[str, Json], mapped: str | None, *, simple: bool) -> bool:
        if "@prefix" not in definition:
            return simple and mapped is not None and (mapped.endswith(_GEN_DELIMS) or mapped.startswith("_:"))
        is_prefix = boolean(definition, "@prefix")
        if ":" in name or "/" in name or (is_prefix and mapped in KEYWORDS):
            raise bad_context(f"{name} cannot be a prefix")
        return is_prefix

    def _coerced(self, name: str, definition: dict[str, Json]) -> _Coerced:
        """json-ld11-api#create-term-definition, steps 12 and 19 to 24: how values are read."""
        container = _container(definition)
        coerced = self._type(definition)
        if "@type" in container:
            coerced = coerced or "@id"
            if coerced not in {"@id", "@vocab"}:
                raise bad_context(f"the values of {name} are told apart by type, so they are nodes")
        free = "@type" not in definition
        return {
            "type": coerced,
            "container": container,
            "index": self._index(definition, container),
            "nest": _nest(definition),
            "language": nullable_text(definition, "@language") if free and "@language" in definition else None,
            "direction": direction(definition) if free and "@direction" in definition else None,
            "scope": TEXT.encode(definition["@context"]) if "@context" in definition else None,
        }

    def _type(self, definition: dict[str, Json]) -> str | None:
        if "@type" not in definition:
            return None
        value = definition["@type"]
        expanded = self.expand(value) if isinstance(value, str) else None
        if expanded in {"@id", "@json", "@none", "@vocab"}:
            return expanded
        if expanded is None or expanded in KEYWORDS or not has_scheme(expanded):
            raise bad_context("@type is an IRI, @id, @vocab, @json or @none")
        return expanded

    def _index(self, definition: dict[str, Json], container: frozenset[str]) -> str | None:
        if "@index" not in definition:
            return None
        value = definition["@index"]
        expanded = self.expand(value) if isinstance(value, str) else None
        if "@index" not in container or expanded is None or not has_scheme(expanded):
            raise bad_context("@index is an IRI, of a term with an index container")
        assert isinstance(value, str)  # it has expanded
        return value


def _is_type_container(name: str, value: Json) -> bool:
    """json-ld11-api#create-term-definition, step 4: the one keyword that a context may say something about."""
    return (
        name == "@type"
        and isinstance(value, dict)
        and bool(value)
        and value.keys() <= {"@container", "@protected"}
        and value.get("@container", "@set") == "@set"
    )


def _is_reserved(name: str) -> bool:
    return name not in KEYWORDS and _KEYWORD_FORM.fullmatch(name) is not None


def _container(definition: dict[str, Json]) -> frozenset[str]:
    """json-ld11-api#create-term-definition, step 19.1"""
    value = definition.get("@container")
    listed = value if isinstance(value, list) else [value] if value is not None else []
    names = {name for name in listed if isinstance(name, str)}
    kinds = names - {"@set"}
    fits = len(kinds) <= 1 or ("@graph" in kinds and len(kinds) == 2 and kinds <= {"@graph", "@id", "@index"})
    if "@container" in definition and not listed and "@reverse" not in definition:
        fits = False
    if len(names) != len(listed) or not names <= _CONTAINERS or not fits or {"@list", "@set"} <= names:
        raise bad_context("@container is not one that JSON-LD knows")
    return frozenset(names)


def _nest(definition: dict[str, Json]) -> str | None:
    if "@nest" not in definition:
        return None
    value = definition["@nest"]
    if not isinstance(value, str) or (value != "@nest" and value in KEYWORDS):
        raise bad_context("@nest is a string and no keyword but @nest")
    return value
