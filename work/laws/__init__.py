"""Laws that give workers their data: for each, a data file with the list that the law makes, and what answers it.

The file that :func:`worker_file` makes is for the worker: everything that the statements hold of each item, whole, and
in plain words what they do not hold. Adding a law is adding a data file.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from vc.canon import Json
from vc.errors import Unsupported
from work import months
from work.statement import Statement
from work.types import LANGUAGES, TYPES, Words
from work.wording import label, lines

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the law's list: what it is, which claims answer it, and the values that the law's words ask for."""

    number: str
    labels: Words
    claims: Mapping[str, tuple[str, ...]]  # by statement type
    wants: Mapping[str, Mapping[str, str]]
    recent: Mapping[str, str]  # by statement type, the claim with the month that has to be among the last twelve

    def answered_by(self, one: Statement, on: date) -> bool:
        """Does the statement belong under this item?"""
        month = one.claims.get(self.recent.get(one.type, ""), "")
        return one.type in self.claims and (not month or str(month) >= months.back(f"{on:%Y-%m}", 12))


@dataclass(frozen=True, slots=True)
class Law:
    """A law with its list."""

    code: str
    articles: tuple[str, ...]
    title: Words
    items: tuple[Item, ...]


def law(code: str) -> Law:
    """The law of that code. Raises :class:`Unsupported`."""
    try:
        return LAWS[code]
    except KeyError:
        raise Unsupported("law", f"{code} (there are {', '.join(LAWS)})") from None


def worker_file(
    law_: Law, statements: Sequence[Statement], *, worker: str, platform: Mapping[str, str], on: date
) -> Json:
    """All that the statements about ``worker`` hold of what the law lists, as one JSON document (docs/law.md).

    ``platform`` is its name and legal identity. Nothing is left out because it is missing: such items say so.
    """
    about = [one for one in statements if one.worker == worker]
    return {
        "type": "OuvrageWorkerData",
        "version": VERSION,
        "law": {"code": law_.code, "articles": list[Json](law_.articles), "title": dict[str, Json](law_.title)},
        "platform": dict[str, Json](platform),
        "worker": worker,
        "madeOn": f"{on:%Y-%m-%d}",
        "items": [_item(item, [one for one in about if item.answered_by(one, on)]) for item in law_.items],
    }


def _item(item: Item, answers: Sequence[Statement]) -> Json:
    return {
        "item": item.number,
        "label": dict[str, Json](item.labels),
        "held": bool(answers),
        "data": [_answer(item, one) for one in answers],
        "missing": list[Json](_missing(item, answers)),
        "notes": [note for one in answers for note in _notes(item, one)],
    }


def _answer(item: Item, one: Statement) -> Json:
    wanted = item.claims[one.type]
    known = {name: one.claims[name] for name in wanted if name in one.claims}
    return {
        "statement": one.type,
        "digest": one.digest(),
        "source": str(one.claims.get("sourceMethod", "")),
        "period": {"start": str(one.claims.get("periodStart", "")), "end": str(one.claims.get("periodEnd", ""))},
        "claims": {
            name: value if isinstance(value, str) else list[Json](sorted(value)) for name, value in known.items()
        },
        "text": {lang: list[Json](_told(one, wanted, lang)) for lang in LANGUAGES},
    }


def _json(value: str | tuple[str, ...]) -> Json:
    return value if isinstance(value, str) else list[Json](sorted(value))


def _told(one: Statement, wanted: Sequence[str], lang: str) -> Iterator[str]:
    return (line.text for line in lines(one.type, one.claims, lang) if line.claim in wanted)


def _missing(item: Item, answers: Sequence[Statement]) -> Iterator[str]:
    """Claims of the item that no statement has, by "Type.claim"."""
    for kind, wanted in item.claims.items():
        held = {name for one in answers if one.type == kind for name in one.claims}
        yield from (f"{kind}.{name}" for name in wanted if name in TYPES[kind].claims and name not in held)


def _notes(item: Item, one: Statement) -> Iterator[Json]:
    """Where a figure is not what the law's words ask for: a gross income instead of one after commission."""
    for name, wanted in item.wants.get(one.type, {}).items():
        found = one.claims.get(name)
        if found != wanted:
            yield {
                "code": "NOT_AS_THE_LAW_SAYS",
                "claim": f"{one.type}.{name}",
                "is": found if isinstance(found, str) else "",
                "wants": wanted,
                "label": {lang: label(one.type, lang, name) for lang in LANGUAGES},
            }


def _load(text: str) -> Law:
    table = tomllib.loads(text)
    return Law(table["code"], tuple(table["articles"]), table["title"], tuple(map(_read_item, table["items"])))


def _read_item(table: Mapping[str, Any]) -> Item:
    claims = {kind: tuple(names) for kind, names in table["claims"].items()}
    return Item(
        number=table["item"],
        labels=table["labels"],
        claims=MappingProxyType(claims),
        wants=table.get("wants", {}),
        recent=table.get("lastTwelveMonths", {}),
    )


def _laws() -> dict[str, Law]:
    folder = files("work").joinpath("laws")
    texts = (path.read_text(encoding="utf-8") for path in folder.iterdir() if path.name.endswith(".toml"))
    return {one.code: one for one in sorted(map(_load, texts), key=lambda one: one.code)}


LAWS: Final[Mapping[str, Law]] = MappingProxyType(_laws())
