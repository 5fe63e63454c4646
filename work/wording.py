"""What claims say, in words for people, in English and French.

Wallet and verifier print these and no others. A rating, and its band, is always told whole, its interval first: there
is no way to get its bare number out of here. Nor the rating of one review without its scale, its month and how many
there are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from vc.errors import Malformed, Unsupported
from work.phrases import WORDS, day, listed, month, number, percent, put
from work.rating_words import known, tell
from work.topicrules import check_review
from work.types import TYPES, Claim, statement_type

Claims = Mapping[str, str | tuple[str, ...]]

_NOTHING: Final[Claims] = MappingProxyType({})
_ALONE: Final = frozenset({"category", "sourceMethod"})  # mandatory beside a rating, but no part of it


def _group(type_name: str) -> frozenset[str]:
    claims = TYPES[type_name].claims.values()
    return frozenset(claim.name for claim in claims if claim.mandatory and claim.name not in _ALONE)


RATING: Final = _group("Rating")
REVIEW: Final = frozenset({"reviewRating", "bestRating", "worstRating", "raterPopulation", "published", "sampleTotal"})
# Claims that are told together or not at all.
WHOLE: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"Rating": RATING, "RatingBand": _group("RatingBand"), "Review": REVIEW}
)
# The claim whose name the telling has.
_HEADS: Final = MappingProxyType({"Rating": "ratingValue", "RatingBand": "bandFrom", "Review": "reviewRating"})
# Of the claims that are always shown, those that are what the statement is about, and not only what to read it by.
_MATTER: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "Rating": frozenset({"ratingValue"}),
        "RatingBand": frozenset({"bandFrom"}),
        "Review": frozenset({"reviewRating", "publicationRight"}),
        "ProfessionalInsurance": frozenset({"insurerName", "insurerIdentifier", "coverFrom", "coverTo", "scope"}),
        "Qualification": frozenset({"achievementName", "awardingBody", "basis"}),
        "DisputeOutcome": frozenset({"outcome", "decidedOn", "decidedBy"}),
    }
)
_PARTS: Final = MappingProxyType(
    {
        "monthCount": ("month", "value"),
        "monthHours": ("month", "value"),
        "monthMoney": ("month", "value"),
        "percentile": ("percent", "value"),
        "valueCount": ("value", "count"),
        "aspect": ("aspect", "value", "count"),
        "slotShare": ("slot", "value"),
        "typeCount": ("type", "count"),
        "measured": ("value", "measure"),
        "aspectValue": ("aspect", "value"),
        "yearMoney": ("year", "value"),
    }
)
_TEXTS: Final = frozenset(
    {
        *("text", "title", "passage", "longText", "link", "definition", "source", "digest", "currency", "word"),
        *("language", "country", "esco", "prose"),
    }
)
_NAMED: Final = frozenset({"slot", "measure"})  # parts that are one of a few words, translated in words.toml
_DIGEST: Final = 12  # characters of a fingerprint that people are shown; scripts get all of it


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that a credential says. ``claim`` names where it comes from, "ratingValue" for a whole rating and
    "reviewRating" for that of one review."""

    claim: str
    text: str


def label(type_name: str, lang: str, claim: str = "") -> str:
    """The name of a statement type, or of one of its claims."""
    return put(_described(type_name, claim).labels, lang)


def explain(type_name: str, lang: str, claim: str = "") -> str:
    """One sentence on what a statement type, or one of its claims, is."""
    return put(_described(type_name, claim).explain, lang)


def lines(type_name: str, claims: Claims, lang: str) -> tuple[Line, ...]:
    """Everything that the shown ``claims`` say, in the order of the type; of a ladder only the highest rung.

    ``claims`` are without filler. Raises :class:`Malformed` for what no statement says, and for a part of a rating
    without the rest of it.
    """
    kind = statement_type(type_name)
    whole = WHOLE.get(type_name, frozenset())
    told: list[Line] = []
    if whole:
        told.append(Line(_HEADS[type_name], _told_whole(type_name, claims, lang)))
    for claim in kind.claims.values():
        if claim.name in claims and claim.name not in whole:
            told.extend(Line(claim.name, _sentence(claim, item, lang, claims)) for item in _items(claim, claims))
    return tuple(told)


def say(type_name: str, claim: str, value: str | tuple[str, ...], lang: str, *, beside: Claims = _NOTHING) -> str:
    """What one claim says. ``beside`` are the other claims that are shown with it: the currency of an amount.

    A member of a rating is told with the whole rating, from ``beside``. Raises :class:`Malformed` where that is not
    there, and for a value that the claim cannot have.
    """
    shown = {**beside, claim: value}
    if claim in WHOLE.get(type_name, ()):
        return _told_whole(type_name, shown, lang)
    described = _claim(type_name, claim)
    return listed((_sentence(described, item, lang, shown) for item in _items(described, shown)), lang)


def is_matter(type_name: str, claim: str) -> bool:
    """Whether a claim says what the statement is about: all that is chosen, and of what is always shown the core."""
    return not _claim(type_name, claim).mandatory or claim in _MATTER.get(type_name, ())


def _claim(type_name: str, claim: str) -> Claim:
    try:
        return statement_type(type_name).claims[claim]
    except KeyError:
        raise Unsupported(f"claim of {type_name}", claim) from None


def _described(type_name: str, claim: str) -> Any:
    return _claim(type_name, claim) if claim else statement_type(type_name)


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
        said = put(claim.words[item], lang)
        # Yes-or-no claims, and words that stand for a missing value, are not alike: the first are sentences.
        return said if "true" in claim.words else put(WORDS["line"], lang, label=put(claim.labels, lang), value=said)
    fields = _fields(claim, item, lang)
    if claim.say is None:
        return put(WORDS["line"], lang, label=put(claim.labels, lang), **fields)
    said = put(claim.say, lang, currency=str(beside.get("currency", "")), **fields)
    return said.replace("  ", " ")


def _fields(claim: Claim, item: str, lang: str) -> dict[str, str]:
    """The parts of a value, by the shape of it, as people write them."""
    names = _PARTS.get(claim.kind, ("value",))
    if claim.basis and claim.ladder:
        item = str(int(item) * claim.basis.unit)
    parts = item.rsplit(" ", len(names) - 1)  # the words of a platform, which come first, may have spaces in them
    return {name: _part(claim.kind, name, part, lang) for name, part in zip(names, parts, strict=True)}


def _part(kind: str, name: str, part: str, lang: str) -> str:
    if "month" in (kind, name):
        return month(part, lang)
    if name in _NAMED:
        return put(WORDS[name][part], lang)
    if name == "count":
        return known(part, lang, _NOTHING)
    if kind == "digest":
        return f"{part[:_DIGEST]}…"
    if kind in _WRITTEN:
        return _WRITTEN[kind](part, lang)
    return number(part, lang) if name == "value" and kind not in _TEXTS else part


def _window(rule: str, lang: str) -> str:
    name, _, size = rule.partition(" ")
    return put(WORDS["window"][name], lang, size=number(size, lang) if size else "")


def _short(text: str, lang: str) -> str:
    """A number without the zeros behind it."""
    return number(f"{Decimal(text).normalize():f}", lang)


# How the values of some kinds are written; of those with several parts, the number among them.
_WRITTEN: Final[Mapping[str, Callable[[str, str], str]]] = MappingProxyType(
    {"date": day, "share": percent, "slotShare": percent, "window": _window, "measured": _short}
)


def _told_whole(type_name: str, claims: Claims, lang: str) -> str:
    """What is told together: a rating, or the rating of one review."""
    missing = sorted(WHOLE[type_name] - claims.keys())
    if missing:
        raise Malformed(f"/claims/{missing[0]}", "a rating is told whole or not at all")
    for name in WHOLE[type_name]:
        _accepted(TYPES[type_name].claims[name], claims[name])
    return _review(claims, lang) if type_name == "Review" else tell(type_name, claims, lang)


def _review(claims: Claims, lang: str) -> str:
    """The rating of one review: its month, value and scale, who rates, and of how many it is one."""
    check_review(claims)
    one = {name: value for name, value in claims.items() if isinstance(value, str)}
    worst, best = number(one["worstRating"], lang), number(one["bestRating"], lang)
    stated = one["reviewRating"] != "notRated"
    return put(
        WORDS["review"]["stated" if stated else "notRated"],
        lang,
        month=month(one["published"], lang),
        value=number(one["reviewRating"], lang) if stated else "",
        worst=worst,
        best=best,
        raters=put(TYPES["Review"].claims["raterPopulation"].words[one["raterPopulation"]], lang),
        total=number(one["sampleTotal"], lang),
    )
