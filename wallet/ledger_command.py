"""``ouvrage wallet ledger``: what was shown, found again, taken out, and asked back."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from vc.canon import Json, to_json
from vc.errors import Malformed
from vc.io.command import new_app, show
from vc.io.files import write_atomic
from vc.io.options import At, Home, Json_, Lang, Out, language, moment
from wallet.erasure import letter, letter_html
from wallet.guard_words import tell
from wallet.ledger import BROKEN, MESSAGE
from wallet.ledger_search import Entry, Search, due, find, parse_day, purpose_code, statements, to_csv
from wallet.opening import open_shelf
from wallet.shelf import Shelf
from wallet.words import ledger_text
from work.phrases import day as written_day
from work.phrases import typeset
from work.purposes import PURPOSES

ledger_app = new_app("Everything that you have shown: to whom, when, why, and what.")


@ledger_app.callback(invoke_without_command=True)
def ledger_command(
    context: typer.Context,
    verifier: Annotated[str, typer.Option(metavar="TEXT", help="Shown to whom; a part of the name is enough.")] = "",
    purpose: Annotated[str, typer.Option(metavar="TEXT", help="For what; a part is enough, such as housing.")] = "",
    since: Annotated[str | None, typer.Option(metavar="DATE", help="On this day or later.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="On this day or earlier.")] = None,
    claim: Annotated[str, typer.Option(metavar="CLAIM", help="What was shown, such as Earnings or monthly.")] = "",
    text: Annotated[str, typer.Option(metavar="TEXT", help="Any text in an entry.")] = "",
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the entries found to this file: .csv, or JSON.")
    ] = None,
    home_dir: Home = None,
    lang: Lang = "en",
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Everything that you have shown: to whom, when, why, and what."""
    if context.invoked_subcommand is not None:
        return
    language_, today = language(lang), moment(at).date()
    search = Search(verifier, purpose, claim, text, parse_day(since, "--since"), parse_day(until, "--until"))
    with open_shelf(home_dir) as shelf:
        entries, broken = _read(shelf)
    found = find(entries, search)
    if export is not None:
        csv = export.suffix.lower() == ".csv"
        write_atomic(export, to_csv(found) if csv else to_json(_document(found, len(entries), broken, today)))
    show(
        _document(found, len(entries), broken, today) | ({"export": str(export)} if export else {}),
        as_json=as_json,
        text=lambda: "\n".join(
            [*_lines(found, len(entries), broken, today, language_)]
            if export is None
            else [
                _chain(len(entries), broken, language_),
                tell("exported", language_, count=len(found), path=str(export)),
            ]
        ),
    )
    if broken:
        raise typer.Exit(2)


@ledger_app.command("erase")
def erase_command(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The entry's number in the ledger.")],
    out: Out = None,
    home_dir: Home = None,
    lang: Lang = "en",
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Write the letter that asks a verifier to erase what you showed (GDPR, article 17); .html: a page to print."""
    language_, today = language(lang), moment(at).date()
    with open_shelf(home_dir) as shelf:
        entries = shelf.ledger()
    entry = next((one for one in entries if one["number"] == number), None)
    if entry is None:
        raise Malformed("NUMBER", f"the ledger has no entry {number}; see `ouvrage wallet ledger`", code="NOT_FOUND")
    if not statements(entry):
        raise Malformed(
            "NUMBER", f"nothing was shown in entry {number}, so there is nothing to erase", code="NOT_SHOWN"
        )
    written = letter(entry, on=today, lang=language_)
    if out is not None:
        page = out.suffix.lower() in (".html", ".htm")
        write_atomic(out, (letter_html(entry, on=today, lang=language_) if page else written).encode())
    show(
        {"entry": number, "to": entry["verifier"], "letter": written, "out": str(out) if out else None},
        as_json=as_json,
        text=lambda: tell("letter_written", language_, path=str(out)) if out else written,
    )


def _read(shelf: Shelf) -> tuple[tuple[Entry, ...], str]:
    """The entries, and what is wrong with their chain: a ledger that was tampered with is still shown."""
    try:
        return shelf.ledger(), ""
    except Malformed as error:
        if error.code != BROKEN:
            raise
        return shelf.ledger_as_it_is(), str(error)


def _document(found: tuple[Entry, ...], count: int, broken: str, today: date) -> dict[str, Json]:
    return {
        "ledger": [dict(entry) for entry in found],
        "chain": {"whole": not broken, "entries": count, "why": broken or None},
        "erasure": [_due_json(entry, today) for entry in found],
    }


def _due_json(entry: Entry, today: date) -> dict[str, Json]:
    until = due(entry)
    return {
        "number": entry.get("number"),
        "eraseBy": until.day.isoformat() if until else None,
        "stated": until is not None and until.stated,
        "passed": until is not None and until.day < today,
    }


def _lines(found: tuple[Entry, ...], count: int, broken: str, today: date, lang: str) -> list[str]:
    told = [_chain(count, broken, lang)]
    if len(found) != count:
        told.append(tell("found", lang, count=len(found), all=count))
    for entry in found:
        told.append(ledger_text([dict(entry)], lang))
        told += [tell("ledger_message", lang)] if MESSAGE in entry else []
        if statements(entry):
            told += [tell("why", lang, purpose=_purpose(entry, lang)), _until(entry, today, lang)]
    return told if found else [*told, ledger_text([], lang)]


def _chain(count: int, broken: str, lang: str) -> str:
    return tell("chain_broken", lang, why=broken) if broken else tell("chain_whole", lang, count=count)


def _purpose(entry: Entry, lang: str) -> str:
    known = PURPOSES.get(purpose_code(entry))
    return typeset(known.labels[lang], lang) if known else tell("why_unknown", lang)


def _until(entry: Entry, today: date, lang: str) -> str:
    until = due(entry)
    if until is None:
        return tell("kept_unknown", lang)
    key = "kept_past" if until.day < today else "kept_until"
    return tell(key, lang, day=written_day(until.day.isoformat(), lang), number=str(entry.get("number")))
