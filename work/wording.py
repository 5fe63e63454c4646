"""What claims say, in words for people, in English and French.

Wallet and verifier print these and no others. A rating is always told whole, its interval first: there is no way to
get its bare number out of here.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from vc.errors import Malformed, Unsupported
from work.rules import check_rating
from work.types import LANGUAGES, TYPES, Claim, Words, statement_type

Claims = Mapping[str, str | tuple[str, ...]]

GROUP: Final = "\N{NARROW NO-BREAK SPACE}"  # between groups of three digits: a comma or a point would be misread abroad
_WORDS: Final[Mapping[str, Any]] = MappingProxyType(
    tomllib.loads(files("work").joinpath("words.toml").read_text(encoding="utf-8"))
)
_FRENCH: Final = (("\N{SPACE}:", "\N{NO-BREAK SPACE}:"), *((f"\N{SPACE}{mark}", f"{GROUP}{mark}") for mark in ";!?%"))
_NOTHING: Final[Claims] = MappingProxyType({})
_ALONE: Final = frozenset({"category", "sourceMethod"})  # of a rating's mandatory claims, those that are no part of it
RATING: Final = frozenset(
    claim.name for claim in TYPES["Rating"].claims.values() if claim.mandatory and claim.name not in _ALONE
)
_PARTS: Final = MappingProxyType(
    {
        "monthCount": ("month", "value"),
        "monthHours": ("month", "value"),
        "monthMoney": ("month", "value"),
        "percentile": ("percent", "value"),
        "aspect": ("aspect", "value", "count"),
    }
)
_TEXTS: Final = frozenset({"text", "definition", "source", "digest", "currency", "word"})
_SHARES: Final = frozenset({"approvalShare", "goldAccuracy"})


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that a credential says. ``claim`` names where it comes from, "ratingValue" for a whole rating."""

    claim: str
    text: str


def label(type_name: str, lang: str, claim: str = "") -> str:
    """The name of a statement type, or of one of its claims."""
    return _in(_described(type_name, claim).labels, lang)


def explain(type_name: str, lang: str, claim: str = "") -> str:
    """One sentence on what a statement type, or one of its claims, is."""
    return _in(_described(type_name, claim).explain, lang)


def lines(type_name: str, claims: Claims, lang: str) -> tuple[Line, ...]:
    """Everything that the shown ``claims`` say, in the order of the type; of a ladder only the highest rung.

    ``claims`` are without filler. Raises :class:`Malformed` for what no statement says, and for a part of a rating
    without the rest of it.
    """
    kind = statement_type(type_name)
    told = [] if type_name != "Rating" else [Line("ratingValue", _rating(claims, lang))]
    for claim in kind.claims.values():
        if claim.name in claims and not (type_name == "Rating" and claim.name in RATING):
            told.extend(Line(claim.name, _sentence(claim, item, lang, claims)) for item in _items(claim, claims))
    return tuple(told)


def say(type_name: str, claim: str, value: str | tuple[str, ...], lang: str, *, beside: Claims = _NOTHING) -> str:
    """What one claim says. ``beside`` are the other claims that are shown with it: the currency of an amount.

    A member of a rating is told with the whole rating, from ``beside``. Raises :class:`Malformed` where that is not
    there, and for a value that the claim cannot have.
    """
    shown = {**beside, claim: value}
    if type_name == "Rating" and claim in RATING:
        return _rating(shown, lang)
    described = _claim(type_name, claim)
    return _listed((_sentence(described, item, lang, shown) for item in _items(described, shown)), lang)


def number(text: str, lang: str) -> str:
    """A plain decimal with groups of three digits, and a comma in French: 1 500 · 2 210,30."""
    whole, point, rest = f"{Decimal(text):,f}".partition(".")
    return whole.replace(",", GROUP) + ("," if point and lang == "fr" else point) + rest


def month(text: str, lang: str) -> str:
    """``2025-07`` as "July 2025"."""
    return f"{_WORDS['months'][lang][int(text[5:7]) - 1]} {text[:4]}"


def typeset(text: str, lang: str) -> str:
    """French puts a space that never breaks before its double marks."""
    for plain, fixed in _FRENCH if lang == "fr" else ():
        text = text.replace(plain, fixed)
    return text


def _claim(type_name: str, claim: str) -> Claim:
    try:
        return statement_type(type_name).claims[claim]
    except KeyError:
        raise Unsupported(f"claim of {type_name}", claim) from None


def _described(type_name: str, claim: str) -> Any:
    return _claim(type_name, claim) if claim else statement_type(type_name)


def _in(words: Words, lang: str, **fields: str) -> str:
    if lang not in LANGUAGES:
        raise Unsupported("language", lang)
    return typeset(words[lang].format_map(_Fields(fields)), lang)


class _Fields(dict[str, str]):
    """Fields of a sentence; one that is not known leaves nothing."""

    def __missing__(self, key: str) -> str:
        return ""


def _listed(texts: Iterable[str], lang: str) -> str:
    return typeset(" ; " if lang == "fr" else "; ", lang).join(texts)


def _items(claim: Claim, claims: Claims) -> Sequence[str]:
    items = _accepted(claim, claims[claim.name])
    if claim.kind == "percentile":
        return sorted(items, key=lambda item: item.partition(" ")[0].zfill(2))
    return (max(items),) if claim.ladder else sorted(items)


def _accepted(claim: Claim, value: str | tuple[str, ...]) -> tuple[str, ...]:
    """The values of a claim, all of them spelt as it demands."""
    items = (value,) if isinstance(value, str) else value
    if not items or not all(map(claim.accepts, items)):
        raise Malformed(f"/claims/{claim.name}", f"not a {claim.kind} as it has to be")
    return items


def _sentence(claim: Claim, item: str, lang: str, beside: Claims) -> str:
    if item in claim.words:
        said = _in(claim.words[item], lang)
        # Yes-or-no claims, and words that stand for a missing value, are not alike: the first are sentences.
        return said if "true" in claim.words else _in(_WORDS["line"], lang, label=_in(claim.labels, lang), value=said)
    fields = _fields(claim, item, lang)
    if claim.say is None:
        return _in(_WORDS["line"], lang, label=_in(claim.labels, lang), **fields)
    said = _in(claim.say, lang, currency=str(beside.get("currency", "")), **fields)
    return said.replace("  ", " ")


def _fields(claim: Claim, item: str, lang: str) -> dict[str, str]:
    """The parts of a value, by the shape of it, as people write them."""
    names = _PARTS.get(claim.kind, ("value",))
    parts = item.split(" ") if len(names) > 1 else [item]
    return {name: _part(claim.kind, name, part, lang) for name, part in zip(names, parts, strict=True)}


def _part(kind: str, name: str, part: str, lang: str) -> str:
    if "month" in (kind, name):
        return month(part, lang)
    if name == "count":
        return _known(part, lang)
    if kind == "share":
        return _percent(part, lang)
    if kind == "window":
        rule, _, size = part.partition(" ")
        return _in(_WORDS["window"][rule], lang, size=number(size, lang) if size else "")
    return number(part, lang) if name == "value" and kind not in _TEXTS else part


def _known(item: str, lang: str) -> str:
    """A number, or the words for one that is not stated."""
    return _in(_WORDS["tokens"][item], lang) if item in _WORDS["tokens"] else number(item, lang)


def _percent(share: str, lang: str) -> str:
    return _in(_WORDS["percent"], lang, value=number(f"{(Decimal(share) * 100).normalize():f}", lang))


def _rating(claims: Claims, lang: str) -> str:
    """The whole of a rating: interval, value and scale, count, silence, spread, period, computation, context."""
    missing = sorted(RATING - claims.keys())
    if missing:
        raise Malformed(f"/claims/{missing[0]}", "a rating is told whole or not at all")
    for name in RATING:
        _accepted(TYPES["Rating"].claims[name], claims[name])
    check_rating(claims)
    one = {name: value for name, value in claims.items() if isinstance(value, str)}
    parts = (
        _interval(one, lang),
        _value(one, lang),
        _count(one, lang),
        _eligible(one, lang),
        _spread(claims["distribution"], lang),
        _period(one, lang),
        _computation(one, lang),
    )
    return " ".join(parts)


def _figure(one: Mapping[str, str], name: str, lang: str) -> str:
    """A figure on the rating's scale; shares in percent."""
    share = one["computation"] in _SHARES and Decimal(one["worstRating"]) == 0 and Decimal(one["bestRating"]) == 1
    return _percent(one[name], lang) if share else number(one[name], lang)


def _interval(one: Mapping[str, str], lang: str) -> str:
    sentences, words = _WORDS["rating"]["interval"], TYPES["Rating"].claims
    if one["intervalLower"] == "notStated":
        return _in(sentences["tooFewToState" if one["ratingValue"] == "tooFewToState" else "notStated"], lang)
    return _in(
        sentences["stated"],
        lang,
        lower=_figure(one, "intervalLower", lang),
        upper=_figure(one, "intervalUpper", lang),
        level=_in(words["intervalLevel"].words[one["intervalLevel"]], lang),
        method=_in(words["intervalMethod"].words[one["intervalMethod"]], lang),
    )


def _value(one: Mapping[str, str], lang: str) -> str:
    sentences = _WORDS["rating"]["value"]
    if one["ratingValue"] in sentences:
        return _in(sentences[one["ratingValue"]], lang)
    value, worst, best = (_figure(one, name, lang) for name in ("ratingValue", "worstRating", "bestRating"))
    return _in(sentences["stated"], lang, value=value, worst=worst, best=best)


def _count(one: Mapping[str, str], lang: str) -> str:
    sentences = _WORDS["rating"]["count"]
    return _in(
        sentences.get(one["computation"], sentences["ratings"]),
        lang,
        count=_known(one["ratingCount"], lang),
        raters=_in(TYPES["Rating"].claims["raterPopulation"].words[one["raterPopulation"]], lang),
    )


def _eligible(one: Mapping[str, str], lang: str) -> str:
    rate = one["responseRate"]
    return _in(
        _WORDS["rating"]["eligible"]["known"],
        lang,
        eligible=_known(one["jobsEligible"], lang),
        rate=_known(rate, lang) if rate in _WORDS["tokens"] else _percent(rate, lang),
    )


def _spread(distribution: str | tuple[str, ...], lang: str) -> str:
    sentences = _WORDS["rating"]["distribution"]
    pairs = [item.split(" ") for item in distribution]
    if len(pairs[0]) == 1:
        return _in(sentences[pairs[0][0]], lang)
    pairs.sort(key=lambda pair: Decimal(pair[0]), reverse=True)
    told = (_in(_WORDS["pair"], lang, value=number(value, lang), count=number(count, lang)) for value, count in pairs)
    return _in(sentences["known"], lang, spread=_listed(told, lang))


def _period(one: Mapping[str, str], lang: str) -> str:
    return _in(
        _WORDS["rating"]["period"][one["windowKind"]],
        lang,
        start=month(one["periodStart"], lang),
        end=month(one["periodEnd"], lang),
        size=_window_size(one["windowSize"], lang),
    )


def _window_size(size: str, lang: str) -> str:
    return _known(size, lang) if size != "notApplicable" else ""


def _computation(one: Mapping[str, str], lang: str) -> str:
    sentences, words = _WORDS["rating"], TYPES["Rating"].claims
    context = sentences["context"].get(one["contextDigest"], sentences["context"]["known"])
    return " ".join(
        (
            _in(
                sentences["computation"],
                lang,
                computation=_in(words["computation"].words[one["computation"]], lang),
                scope=_in(words["perRater"].words[one["perRater"]], lang),
            ),
            _in(sentences["excluded"], lang, excluded=_known(one["excludedCount"], lang)),
            _in(context, lang, digest=one["contextDigest"][:12] + "…"),
        )
    )
