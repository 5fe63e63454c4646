"""The insights as lines for a terminal, in English and French."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from vc.canon import Json
from wallet.guard_words import low_text, named, tell, type_label
from wallet.held import Statement
from wallet.insights import Ending, Income, Insights, Provable, RatingPoint, Ratings
from wallet.plain import plain, short
from work.ladders import read_rung
from work.phrases import WORDS, day, listed, month, number, percent
from work.rating_rules import SHARES
from work.rating_words import known
from work.types import TYPES
from work.wording import say

BAR: Final = 30  # columns of the longest bar


def insights_text(found: Insights, lang: str) -> str:
    """All of it, part by part; what is empty says so."""
    parts = (
        ("income", [*_income_lines(found, lang)]),
        ("ratings", [*_rating_lines(found, lang)]),
        ("proves", [*_proves_lines(found, lang)]),
        ("expiring", [f"  {ending_text(one, lang)}" for one in found.ending]),
        ("running_low", [f"  {low_row(one, lang)}" for one in found.low]),
    )
    told: list[str] = []
    for title, rows in parts:
        told += [tell(title, lang), *(rows or [f"  {tell('none', lang)}"]), ""]
    return "\n".join(told[:-1])


def _income_lines(found: Insights, lang: str) -> Iterator[str]:
    for one in found.income:
        yield f"  {income_title(one, lang)}"
        most = max(amount for _, amount in one.points)
        for name, amount in one.points:
            bar = "█" * (int(amount * BAR / most) if most > 0 and amount > 0 else 0)
            yield f"    {name}  {bar:<{BAR}}  {number(str(amount), lang)}"
    if found.income:
        yield f"  {tell('income_never', lang)}"


def income_title(one: Income, lang: str) -> str:
    """Whose, in which currency, counted how."""
    basis = TYPES["Earnings"].claims["basis"].words.get(one.basis, {}).get(lang, one.basis)
    key = "income_own" if one.own else "income_title"
    return tell(key, lang, issuer=short(one.issuer), currency=one.currency, basis=basis)


def _rating_lines(found: Insights, lang: str) -> Iterator[str]:
    for one in found.ratings:
        yield f"  {rating_title(one, lang)}"
        for point in one.points:
            yield f"    {rating_text(one, point, lang)}"
            if gauge := _gauge(one, point):
                yield f"    {gauge}"
    if found.ratings:
        yield f"  {tell('ratings_never', lang)}"


def rating_title(one: Ratings, lang: str) -> str:
    """Whose, on which scale, counted how, by whom."""
    words = TYPES["Rating"].claims
    return tell(
        "rating_title",
        lang,
        issuer=short(one.issuer),
        worst=figure(one, one.worst, lang),
        best=figure(one, one.best, lang),
        computation=words["computation"].words.get(one.computation, {}).get(lang, one.computation),
        raters=words["raterPopulation"].words.get(one.raters, {}).get(lang, one.raters),
    )


def rating_text(one: Ratings, point: RatingPoint, lang: str) -> str:
    """One rating, its interval first; never its number alone."""
    if place(one, point.lower) is None or place(one, point.upper) is None or place(one, point.value) is None:
        return tell("rating_bare", lang, month=month(point.month, lang))
    return tell(
        "rating_point",
        lang,
        month=month(point.month, lang),
        lower=figure(one, point.lower, lang),
        upper=figure(one, point.upper, lang),
        value=figure(one, point.value, lang),
        count=stated(point.count, lang),
    )


def figure(one: Ratings, value: str, lang: str) -> str:
    """A figure on a scale, in percent where it is a share; words where none is stated."""
    if place(one, value) is None:
        return stated(value, lang)
    share = one.computation in SHARES and Decimal(one.worst) == 0 and Decimal(one.best) == 1
    return percent(value, lang) if share else number(value, lang)


def stated(value: str, lang: str) -> str:
    """A number, or the words for one that is not stated."""
    if value in WORDS["tokens"]:
        return known(value, lang, {})
    return number(value, lang) if value.replace(".", "", 1).isdecimal() else "–"


def place(one: Ratings, value: str) -> Decimal | None:
    """Where on its scale a figure stands, from 0 to 1; None for what is no figure on it."""
    texts = (one.worst, one.best, value)
    if not all(text.replace(".", "", 1).isdecimal() for text in texts):
        return None
    worst, best, at = map(Decimal, texts)
    return (at - worst) / (best - worst) if worst < best and worst <= at <= best else None


def _gauge(one: Ratings, point: RatingPoint) -> str:
    """The interval on the whole scale, and the stated value in it."""
    places = [place(one, text) for text in (point.lower, point.value, point.upper)]
    lower, value, upper = (None if each is None else int(each * (BAR - 1)) for each in places)
    if lower is None or value is None or upper is None:
        return ""
    marks = ["─" if lower <= column <= upper else "·" for column in range(BAR)]
    marks[value] = "●"
    return "".join(marks)


def _proves_lines(found: Insights, lang: str) -> Iterator[str]:
    for purpose, proofs in found.proves:
        yield f"  {tell('proves_purpose', lang, purpose=purpose.labels[lang])}"
        groups: dict[tuple[bool, str], list[str]] = {}
        for one in proofs:
            groups.setdefault((not one.required, _from(one, lang)), []).append(proof_text(one, lang))
        for (offered, issuer), texts in sorted(groups.items()):
            key = "proves_offered" if offered else "proves_required"
            yield f"    - {tell(key, lang, issuer=issuer, text=listed(texts, lang))}"
        if not proofs:
            yield f"    {tell('proves_nothing', lang)}"


def proof_text(one: Provable, lang: str) -> str:
    """One thing that could be proven: the highest rung as a sentence, anything else by its name."""
    text = named([(one.type, one.claim)], lang)
    claim = TYPES[one.type].claims.get(one.claim)
    if claim is not None and one.rung and read_rung(one.rung) in claim.ladder:
        text = plain(say(one.type, one.claim, one.rung, lang, beside=one.beside))
    return text


def _from(one: Provable, lang: str) -> str:
    return tell("proves_own", lang, issuer=short(one.issuer)) if one.own else short(one.issuer)


def ending_text(one: Ending, lang: str) -> str:
    """What ends, and when."""
    key = "expired_row" if one.over else "expiring_row"
    return tell(key, lang, type=type_label(one.statement.type, lang), issuer=short(one.statement.issuer),
                day=day(one.day.isoformat(), lang))  # fmt: skip


def low_row(one: Statement, lang: str) -> str:
    """Of what few copies are left."""
    low = low_text(one.unused, lang, own=one.copy.own)
    return tell("low_row", lang, type=type_label(one.type, lang), issuer=short(one.issuer), low=low)


def insights_json(found: Insights) -> dict[str, Json]:
    """All of it for scripts."""
    return {
        "income": [_income_json(one) for one in found.income],
        "ratings": [_ratings_json(one) for one in found.ratings],
        "proves": {purpose.code: [_proof_json(one) for one in proofs] for purpose, proofs in found.proves},
        "ending": [
            {"type": one.statement.type, "statement": one.statement.copy.statement, "on": one.day.isoformat(),
             "over": one.over}
            for one in found.ending
        ],
        "runningLow": [
            {"type": one.type, "statement": one.copy.statement, "unused": one.unused, "copies": one.copies}
            for one in found.low
        ],
    }  # fmt: skip


def _income_json(one: Income) -> Json:
    months: list[Json] = [{"month": name, "amount": str(amount)} for name, amount in one.points]
    return {"issuer": one.issuer, "ownImport": one.own, "currency": one.currency, "basis": one.basis, "months": months}


def _ratings_json(one: Ratings) -> Json:
    points: list[Json] = [
        {"until": point.month, "interval": [point.lower, point.upper], "value": point.value, "count": point.count}
        for point in one.points
    ]
    scale: dict[str, Json] = {"worst": one.worst, "best": one.best, "computation": one.computation, "by": one.raters}
    return {"issuer": one.issuer, "ownImport": one.own, "scale": scale, "points": points}


def _proof_json(one: Provable) -> Json:
    members: dict[str, Json] = {"claim": f"{one.type}.{one.claim}" if one.claim else one.type, "issuer": one.issuer}
    if one.rung:
        members["atLeast"] = int(one.rung)
    return {**members, "mayBeRequired": one.required, "ownImport": one.own}
