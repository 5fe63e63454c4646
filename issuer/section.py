"""One table of a profile's TOML, taken apart member by member, so that nothing in it is overlooked."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Self

from vc.errors import Malformed


class Section:
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

    def choice(self, name: str, allowed: Iterable[str], default: str | None = None) -> str:
        if default is not None and name not in self._left:
            return default
        value = self.text(name)
        if value not in allowed:
            raise self.fault(name, f"one of {', '.join(sorted(allowed))}")
        return value

    def texts(self, name: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        value = self._left.pop(name, default)
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) and item for item in value):
            raise self.fault(name, "a list of texts is needed")
        return tuple(value)

    def lists(self, name: str) -> tuple[tuple[str, ...], ...]:
        """A list of lists of texts that may be missing."""
        value = self._left.pop(name, [])
        if not isinstance(value, list):
            raise self.fault(name, "a list of lists is needed")
        return tuple(Section(f"{self._where}: {name}", {"group": group}).texts("group") for group in value)

    def member(self, name: str) -> "Section":
        return Section(f"{self._where}: {name}", self._left.pop(name, {}))

    def sections(self, name: str) -> list[tuple[str, "Section"]]:
        """The tables in a table that may not be empty."""
        member = self.member(name)
        if not member._left:
            raise self.fault(name, "is missing")
        return [(key, Section(f"{member._where}.{key}", value)) for key, value in member._left.items()]

    def items(self, name: str) -> "list[Section]":
        """The tables in a list that may be missing."""
        value = self._left.pop(name, [])
        if not isinstance(value, list):
            raise self.fault(name, "a list of tables is needed")
        return [Section(f"{self._where}: {name}[{index}]", item) for index, item in enumerate(value)]

    def mapping(self, name: str) -> Mapping[str, str]:
        """A table of texts that may be missing."""
        with self.member(name) as member:
            return MappingProxyType({key: member.text(key) for key in list(member._left)})

    def names(self) -> list[str]:
        return list(self._left)
