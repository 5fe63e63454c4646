"""Finding entries of the ledger, when their time is over, and taking them out for other programs."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from vc.canon import Json
from vc.errors import Malformed
from wallet.plain import plain
from work.purposes import PURPOSES

Entry = Mapping[str, Json]

MAX_RETENTION: Final = 36_500  # days: a hundred years, so that no date runs out of the calendar
MAX_CELL: Final = 32_000  # characters: a spreadsheet's cell holds 32 767
COLUMNS: Final = (
    "number", "at", "verifier", "purpose", "necessity", "retentionDays", "eraseBy", "statement", "claim", "value",
    "ownImport", "with",
)  # fmt: skip
# What makes a spreadsheet read a cell as a formula, wide forms for other keyboards included.
_FORMULA: Final = tuple("=+-@\t\r\n|%＝＋－＠")


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; what is empty is not asked. Texts are found anywhere, whatever their case."""

    verifier: str = ""
    purpose: str = ""
    claim: str = ""
    text: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """When the verifier has to have erased what it was shown. ``stated``: by its own word, not by the purpose's."""

    day: date
    days: int
    stated: bool


def find(entries: Sequence[Entry], search: Search) -> tuple[Entry, ...]:
    """The entries that match everything of ``search``, in their order."""
    return tuple(entry for entry in entries if _matches(entry, search))


def _matches(entry: Entry, search: Search) -> bool:
    day = shown_on(entry)
    return (
        _has(str(entry.get("verifier")), search.verifier)
        and _has(_purpose_text(entry), search.purpose)
        and any(_has(name, search.claim) for name in _claim_names(entry))
        and any(_has(text, search.text) for text in _texts(dict(entry)))
        and (search.since is None or (day is not None and day >= search.since))
        and (search.until is None or (day is not None and day <= search.until))
    )


def _has(text: str, wanted: str) -> bool:
    return wanted.casefold() in text.casefold()


def _texts(value: Json) -> Iterator[str]:
    """Every text in an entry."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    else:
        yield str(value)


def _purpose_text(entry: Entry) -> str:
    """The code of a purpose, and its name in every language."""
    known = PURPOSES.get(purpose_code(entry))
    return " ".join((purpose_code(entry), *(known.labels.values() if known else ())))


def purpose_code(entry: Entry) -> str:
    """The purpose that the request named; empty where it named none."""
    return str(declared(entry).get("code") or "")


def declared(entry: Entry) -> Mapping[str, Json]:
    """What the request said of its purpose."""
    purpose = entry.get("purpose")
    return purpose if isinstance(purpose, dict) else {}


def shown_on(entry: Entry) -> date | None:
    """The day of a showing; None where an entry that was tampered with has none."""
    try:
        return date.fromisoformat(str(entry.get("at"))[:10])
    except ValueError:
        return None


def due(entry: Entry) -> Due | None:
    """When a showing has to be forgotten; None where neither the verifier nor its purpose says."""
    day, days = shown_on(entry), declared(entry).get("retentionDays")
    stated = type(days) is int and 0 <= days <= MAX_RETENTION
    if not stated:
        known = PURPOSES.get(purpose_code(entry))
        days = known.retention_days if known else None
    if day is None or not isinstance(days, int) or days > (date.max - day).days:
        return None
    return Due(day + timedelta(days=days), days, stated)


def statements(entry: Entry) -> list[dict[str, Json]]:
    """What an entry says was shown, statement by statement."""
    return dicts(entry.get("shown"))


def dicts(value: Json) -> list[dict[str, Json]]:
    """The objects in a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _claim_names(entry: Entry) -> Iterator[str]:
    yield ""
    for statement in statements(entry):
        yield str(statement.get("type"))
        yield from (str(one.get("claim")) for one in dicts(statement.get("claims")))


def parse_day(text: str | None, where: str) -> date | None:
    """``2026-11-24``. Raises :class:`Malformed`."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Malformed(where, "a day is written such as 2026-11-24", code="BAD_DATE") from None


def to_csv(entries: Sequence[Entry]) -> bytes:
    """A line for each claim that was shown. No cell is a formula, whatever a verifier or an issuer wrote into it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerows([_cell(value) for value in row] for row in _rows(entry))
    return text.getvalue().encode("utf-8-sig", "replace")  # the mark by which spreadsheets know UTF-8


def _rows(entry: Entry) -> Iterator[tuple[Json, ...]]:
    until = due(entry)
    members = declared(entry)
    head = (entry.get("number"), entry.get("at"), entry.get("verifier"), members.get("code"), members.get("necessity"),
            members.get("retentionDays"), until.day.isoformat() if until else None)  # fmt: skip
    for statement in statements(entry):
        beside = ", ".join(str(one.get("type")) for one in dicts(statement.get("answers")))
        for one in dicts(statement.get("claims")) or [{"claim": statement.get("type"), "value": ""}]:
            yield (*head, statement.get("type"), one.get("claim"), one.get("value"), statement.get("ownImport"), beside)
    if not statements(entry):
        yield (*head, None, None, None, None, None)


def _cell(value: Json) -> str:
    text = "" if value is None else plain(str(value), MAX_CELL)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
