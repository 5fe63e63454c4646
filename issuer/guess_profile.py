"""A guess (:mod:`issuer.guess`) written down as a profile, with every assumption marked for a person to correct."""

import json
from collections.abc import Iterator
from typing import Final

from issuer.guess import Column, Guess, states, words_of
from issuer.profile import UNCHECKED
from vc.errors import Malformed
from work.statement import Category
from work.types import TYPES

CHECK: Final = f"# {UNCHECKED}: "
_CURRENCIES: Final = {"$": "USD", "€": "EUR", "£": "GBP"}
_UNITS: Final = {
    **dict.fromkeys(("minutes", "minute", "min", "mins"), 60),
    **dict.fromkeys(("seconds", "second", "sec", "secs", "secondes"), 3600),
}
_UNIT_WORDS: Final = TYPES["WorkHistory"].claims["unitOfWork"].words
_UNIT_OF_WORK: Final = {
    Category.microwork: "task",
    Category.freelance: "contract",
    Category.jobbing: "mission",
    Category.sharing: "stay",
    Category.organised: "trip",
}


def profile_text(guess: Guess, *, name: str, platform: str, category: Category, currency: str | None) -> str:
    """The profile (TOML). ``currency`` is that of all amounts, where the file has no such column.

    Raises :class:`Malformed` where nothing tells the currency: a wrong one would be signed.
    """
    return "\n".join(
        [
            *_head(guess, name, platform, category),
            *_file(guess, currency),
            *_rules(guess),
            *_statements(guess, category),
        ]
    )


def _head(guess: Guess, name: str, platform: str, category: Category) -> Iterator[str]:
    yield f"# Guessed from the first {guess.rows} rows of {json.dumps(guess.path.name)}."
    yield "# Every line marked CHECK is a guess: read it, correct it, take the mark away. Then try it:"
    yield "#   ouvrage issuer attest --profile THIS_FILE EXPORT"
    yield f"name = {json.dumps(name)}"
    yield f"title = {_text(f'{platform}: export with {len(guess.columns)} columns')}"
    yield f"platform = {_text(platform)}"
    yield f"category = {json.dumps(category.value)}"
    yield f'documented = "Nothing: the columns were guessed from one file."  {CHECK}what does the platform document?'
    yield f'assumed = "Everything: see the marks in this file."  {CHECK}what do you assume?'
    yield 'provenance = "One export, looked at by `ouvrage issuer profile new`."'
    yield ""


def _file(guess: Guess, currency: str | None) -> Iterator[str]:
    names = list(dict.fromkeys(column.name for column in guess.roles.values()))
    yield "[files.record]"
    yield f"title = {_text(f'export of {len(guess.columns)} columns')}"
    yield f"delimiters = [{json.dumps(guess.delimiter)}]"
    yield f"encodings = [{json.dumps(guess.encoding)}]"
    yield 'nulls = ["NULL", "null", "NA", "N/A", "\\\\N", "-"]'
    yield f"required = [{', '.join(map(_text, names))}]"
    yield 'headers = "loose"  # of columns with one name the first is read'
    if column := _unique(guess):
        yield f"unique = [{_text(column.name)}]  {CHECK}does it tell rows apart?"
    yield f"{CHECK}never read: {', '.join(map(_text, (one.name for one in guess.never))) or 'none found'}"
    yield ""
    yield "[files.record.columns]"
    for column_name, sql, why in _columns(guess, currency):
        yield f"{column_name} = {_sql(sql)}  {CHECK}{why}"
    yield ""
    yield "[files.record.feeds]"
    condition = _done(guess)
    yield f"jobs = {_sql(condition)}"
    if "amount" in guess.roles:
        yield f"pay = {_sql(condition)}"
    if "rating" in guess.roles:
        yield f"ratings = {_sql(f'({condition}) AND value IS NOT NULL')}"
    yield ""


def _columns(guess: Guess, currency: str | None) -> Iterator[tuple[str, str, str]]:
    roles = guess.roles
    if "worker" in roles:
        yield "worker", _name(roles["worker"]), guess.why("worker")
    else:
        yield "worker", "$worker", "no column says who the rows are about, so they are all about one worker"
    day = roles["day"]
    yield "day", f"day_of({_name(day)}, {_forms(day)})", guess.why("day") + _order(day)
    if "job" in roles:
        yield "job", _name(roles["job"]), guess.why("job")
    if "hours" in roles:
        unit = next((_UNITS[word] for word in words_of(roles["hours"].name) if word in _UNITS), 1)
        yield "hours", _number(roles["hours"]) + (f" / {unit}" if unit > 1 else ""), guess.why("hours")
    if "distance" in roles:
        miles = {"miles", "mile", "mi"} & set(words_of(roles["distance"].name))
        yield "distance", _number(roles["distance"]) + (" * 1.609344" if miles else ""), guess.why("distance")
    for role in ("area", "service"):
        if role in roles:
            yield role, _name(roles[role]), guess.why(role)
    if "status" in roles:
        yield "kind", f"lower({_name(roles['status'])})", guess.why("status")
    yield from _money(guess, currency)
    if "rating" in roles:
        yield "value", _number(roles["rating"]), guess.why("rating")
        yield "ratings", "1", "one rating in a row"


def _money(guess: Guess, currency: str | None) -> Iterator[tuple[str, str, str]]:
    if "amount" not in guess.roles:
        return
    amount = guess.roles["amount"]
    yield "amount", _number(amount), guess.why("amount")
    if "currency" in guess.roles:
        yield "currency", _name(guess.roles["currency"]), guess.why("currency")
    elif currency is not None:
        yield "currency", _literal(currency), "you said so"
    elif amount.detail:
        yield "currency", _literal(_CURRENCIES[amount.detail]), f"amounts are written with {amount.detail}"
    else:
        why = f"the file does not say in which currency {amount.name[:80]!r} is; say it, such as EUR"
        raise Malformed("--currency", why, code="USAGE")


def _forms(day: Column) -> str:
    forms = ", ".join(map(_literal, day.detail.split("|")))
    return f"[{forms}]" if "|" in day.detail else forms


def _order(day: Column) -> str:
    return "; day before month, or month before day?" if "%d/%m" in day.detail or "%m/%d" in day.detail else ""


def _number(column: Column) -> str:
    if column.shape == "money":
        return f"money_of({_name(column)}, '{column.detail}')"
    return f"{'comma_of' if column.shape == 'comma' else 'number_of'}({_name(column)})"


def _done(guess: Guess) -> str:
    """The SQL condition under which a row is work that was done."""
    done = states(guess.roles["status"])[0] if "status" in guess.roles else ()
    return f"kind IN ({', '.join(_literal(word.lower()) for word in done)})" if done else "TRUE"


def _rules(guess: Guess) -> Iterator[str]:
    if "status" not in guess.roles:
        return
    done, others = states(guess.roles["status"])
    if not done:
        yield f"{CHECK}no state among {', '.join(map(_text, others))} says that work is done, so all rows count"
        yield ""
        return
    yield f"{CHECK}work is done in the states {', '.join(map(_text, done))}"
    yield f"{CHECK}and not in {', '.join(map(_text, others)) or 'any other'}"
    yield "[[files.record.leave_out]]"
    yield f"when = {_sql(f'coalesce(NOT {_done(guess)}, TRUE)')}"
    yield 'reason = "not in a state in which work is done"'
    yield ""


def _statements(guess: Guess, category: Category) -> Iterator[str]:
    yield "[statements.WorkHistory]"
    yield f"unitOfWork = {json.dumps(_UNIT_OF_WORK[category])}  {CHECK}{', '.join(_UNIT_WORDS)}"
    yield f'durationDefinition = "https://w3id.org/ouvrage/v1/durations/logged"  {CHECK}how are hours counted?'
    yield ""
    if "amount" in guess.roles:
        yield "[statements.Earnings]"
        yield f'basis = "grossPaidByClient"  {CHECK}grossPaidByClient, afterCommission or afterCommissionAndTaxWithheld'
        for name, value in (
            ("tipsIncluded", "false"),
            ("incentivesIncluded", "true"),
            ("tollsIncluded", "notPublished"),
        ):
            yield f"{name} = {json.dumps(value)}  {CHECK}true, false or notPublished"
        yield ""
    if "rating" in guess.roles:
        yield from _rating(guess)


def _rating(guess: Guess) -> Iterator[str]:
    yield "[statements.Rating]"
    yield f'computation = "arithmeticMean"  {CHECK}of the ratings in these rows'
    yield f'raterPopulation = "clients"  {CHECK}who gives them?'
    yield 'perRater = "false"'
    yield f"bestRating = {json.dumps(str(guess.best))}  {CHECK}the scale"
    yield f'worstRating = "{0 if guess.best == 1 else 1}"  {CHECK}the scale'
    yield 'windowKind = "period"'
    yield 'decimals = "2"'
    yield 'count = "lines"'
    yield 'eligible = "jobs"'
    yield 'excluded = "lines"'
    yield f"spread = {json.dumps('lines' if guess.whole else 'notPublished')}"
    yield 'raters = "notPublished"'
    yield ""


def _unique(guess: Guess) -> Column | None:
    job = guess.roles.get("job")
    return job if job and job.distinct == job.filled == guess.rows else None


def _name(column: Column) -> str:
    return '"' + column.name.replace('"', '""') + '"'


def _literal(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"


def _sql(sql: str) -> str:
    """A TOML string without escapes where that is possible: SQL is full of both kinds of quotes."""
    plain = sql.isprintable() and "'''" not in sql and not sql.endswith("'")
    return f"'''{sql}'''" if plain else _text(sql)


def _text(text: str) -> str:
    """A TOML string: JSON's escapes are among TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
