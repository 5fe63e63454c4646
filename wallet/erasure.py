"""The letter that asks a verifier to erase what it was shown (GDPR, article 17). It names claims, not their values."""

from collections.abc import Iterator
from datetime import date
from html import escape

from wallet.guard_words import claim_label, named, tell, type_label
from wallet.ledger_search import Entry, declared, dicts, due, purpose_code, shown_on, statements
from wallet.plain import plain
from work.phrases import day as written_day
from work.phrases import typeset
from work.purposes import PURPOSES


def letter(entry: Entry, *, on: date, lang: str) -> str:
    """The letter about one entry of the ledger, as text."""
    return "\n\n".join(_paragraphs(entry, on=on, lang=lang)) + "\n"


def letter_html(entry: Entry, *, on: date, lang: str) -> str:
    """The same as a page to print, which loads nothing from elsewhere."""
    title = escape(tell("letter_subject", lang))
    body = "\n".join(f"<p>{escape(text).replace(chr(10), '<br>')}</p>" for text in _paragraphs(entry, on=on, lang=lang))
    return (
        f'<!doctype html>\n<html lang="{lang}">\n<head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width">'
        "<style>body{font:12pt/1.5 serif;max-width:42em;margin:2cm auto;padding:0 1em}"
        "@media print{body{margin:0}}</style></head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _paragraphs(entry: Entry, *, on: date, lang: str) -> Iterator[str]:
    verifier = plain(str(entry.get("verifier")))
    yield tell("letter_to", lang, verifier=verifier)
    yield tell("letter_date", lang, day=written_day(on.isoformat(), lang))
    yield tell("letter_subject", lang)
    yield tell("letter_hello", lang)
    shown = shown_on(entry)
    yield "\n".join(
        [
            tell("letter_shown", lang, day=written_day(shown.isoformat(), lang) if shown else "?"),
            *(f"- {line}" for line in _shown(entry, lang)),
        ]
    )
    yield _purpose(entry, lang)
    yield from _retention(entry, on, lang)
    yield tell("letter_ask", lang)
    yield tell("letter_number", lang, number=plain(str(entry.get("number"))), verifier=verifier)
    yield tell("letter_bye", lang)
    yield tell("letter_sign", lang)


def _shown(entry: Entry, lang: str) -> Iterator[str]:
    for statement in statements(entry):
        kind = str(statement.get("type"))
        names = [str(one.get("claim")).removeprefix(f"{kind}.") for one in dicts(statement.get("claims"))]
        claims = ", ".join(claim_label(kind, name, lang) for name in dict.fromkeys(names))
        yield tell("letter_item", lang, type=named([(kind, "")], lang), claims=claims or tell("letter_only", lang))
        yield from (type_label(str(one.get("type")), lang) for one in dicts(statement.get("answers")))


def _purpose(entry: Entry, lang: str) -> str:
    known = PURPOSES.get(purpose_code(entry))
    if known is None:
        return tell("letter_no_purpose", lang)
    told = tell("letter_purpose", lang, purpose=typeset(known.labels[lang], lang))
    necessity = declared(entry).get("necessity")
    return f"{told} « {plain(necessity)} »" if isinstance(necessity, str) and necessity else told


def _retention(entry: Entry, on: date, lang: str) -> Iterator[str]:
    until = due(entry)
    if until is not None:
        key = "letter_kept" if until.stated else "letter_default"
        yield tell(key, lang, days=until.days, day=written_day(until.day.isoformat(), lang))
    yield tell("letter_past" if until is not None and until.day < on else "letter_early", lang)
