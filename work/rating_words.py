"""How a rating, and its band, is told: whole, its interval first. There is no way to get a part of it out of here."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from work.phrases import WORDS, listed, month, number, percent, put
from work.rating_rules import SHARES
from work.rules import check_band, check_rating
from work.types import TYPES

Claims = Mapping[str, str | tuple[str, ...]]

_BAND: Final = MappingProxyType({"lower": "bandFrom", "upper": "bandTo", "worst": "worstRating", "best": "bestRating"})


def tell(type_name: str, claims: Claims, lang: str) -> str:
    """The whole of a Rating or a RatingBand of which nothing is missing. Raises :class:`Malformed` where it does not
    add up."""
    (check_rating if type_name == "Rating" else check_band)(claims)
    one = {name: value for name, value in claims.items() if isinstance(value, str)}
    parts = _rating(one, claims, lang) if type_name == "Rating" else _band(one, claims, lang)
    return " ".join(part for part in parts if part)


def known(item: str, lang: str, beside: Claims) -> str:
    """A number, or the words for one that is not stated, by who is the source."""
    words = {**WORDS["tokens"], **(WORDS["imported"]["tokens"] if _is_imported(beside) else {})}
    return put(words[item], lang) if item in words else number(item, lang)


def _is_imported(claims: Claims) -> bool:
    """Whether the worker brought the figures along: then no sentence may say that the platform states them."""
    return claims.get("sourceMethod") == "workerImportUnverified"


def _told(claims: Claims) -> Mapping[str, Any]:
    """The sentences of a rating, as far as possible those of its source."""
    own: Mapping[str, Any] = WORDS["imported"]["rating"] if _is_imported(claims) else {}
    return {name: {**table, **own[name]} if name in own else table for name, table in WORDS["rating"].items()}


def _known_share(item: str, lang: str, beside: Claims) -> str:
    """A share in percent, or the words for one that is not stated."""
    return known(item, lang, beside) if item in WORDS["tokens"] else percent(item, lang)


def _rating(one: Mapping[str, str], claims: Claims, lang: str) -> Iterator[str]:
    """Interval, value and scale, count and raters, silence, spread, period, computation, context, unfairness."""
    yield _interval(one, lang)
    yield _value(one, lang)
    yield _shrunk(one, lang)
    yield _count(one, lang)
    yield _raters(one, lang)
    yield _eligible(one, lang)
    yield _effective(one, lang)
    yield _spread(claims, "distribution", lang)
    yield _period(one, lang)
    yield _computation(one, lang)
    yield _method(one, lang)
    yield put(_told(one)["excluded"], lang, excluded=known(one["excludedCount"], lang, one))
    yield _context(one, lang)
    yield _unfairness(claims["knownBiasNotes"], lang)


def _band(one: Mapping[str, str], claims: Claims, lang: str) -> Iterator[str]:
    """The same for a band, as far as it has it."""
    sentences, words = _told(one)["band"], TYPES["RatingBand"].claims
    yield put(
        sentences["stated"],
        lang,
        level=put(words["intervalLevel"].words[one["intervalLevel"]], lang),
        method=put(words["intervalMethod"].words[one["intervalMethod"]], lang),
        **{field: _figure(one, name, lang) for field, name in _BAND.items()},
    )
    raters = put(words["raterPopulation"].words[one["raterPopulation"]], lang)
    counts = sentences["count"]
    counted = counts.get(one["computation"], counts["ratings"])
    yield put(counted, lang, count=number(one["ratingsAtLeast"], lang), raters=raters)
    rate, top = _known_share(one["coarseResponseRate"], lang, one), _known_share(one["coarseTopRaterShare"], lang, one)
    yield put(sentences["tenths"], lang, rate=rate, top=top)
    yield _spread(claims, "coarseDistribution", lang, "tenths")
    size = _window_size(one, lang)
    yield put(sentences["period"][one["windowKind"]], lang, end=month(one["periodEnd"], lang), size=size)
    yield _computation(one, lang)
    yield _context(one, lang)


def _figure(one: Mapping[str, str], name: str, lang: str) -> str:
    """A figure on the rating's scale; shares in percent."""
    share = one["computation"] in SHARES and Decimal(one["worstRating"]) == 0 and Decimal(one["bestRating"]) == 1
    return percent(one[name], lang) if share else number(one[name], lang)


def _interval(one: Mapping[str, str], lang: str) -> str:
    sentences, words = _told(one)["interval"], TYPES["Rating"].claims
    if one["intervalLower"] == "notStated":
        return put(sentences["tooFewToState" if one["ratingValue"] == "tooFewToState" else "notStated"], lang)
    return put(
        sentences["stated"],
        lang,
        lower=_figure(one, "intervalLower", lang),
        upper=_figure(one, "intervalUpper", lang),
        level=put(words["intervalLevel"].words[one["intervalLevel"]], lang),
        method=put(words["intervalMethod"].words[one["intervalMethod"]], lang),
    )


def _value(one: Mapping[str, str], lang: str) -> str:
    sentences = _told(one)["value"]
    if one["ratingValue"] in sentences:
        return put(sentences[one["ratingValue"]], lang)
    value, worst, best = (_figure(one, name, lang) for name in ("ratingValue", "worstRating", "bestRating"))
    return put(sentences["stated"], lang, value=value, worst=worst, best=best)


def _count(one: Mapping[str, str], lang: str) -> str:
    sentences = _told(one)["count"]
    return put(
        sentences.get(one["computation"], sentences["ratings"]),
        lang,
        count=known(one["ratingCount"], lang, one),
        raters=put(TYPES["Rating"].claims["raterPopulation"].words[one["raterPopulation"]], lang),
    )


def _shrunk(one: Mapping[str, str], lang: str) -> str:
    if one["shrunkValue"] == "notStated":
        return ""
    return put(
        _told(one)["shrunk"],
        lang,
        value=_figure(one, "shrunkValue", lang),
        mean=_figure(one, "priorMean", lang),
        strength=number(one["priorStrength"], lang),
        source=put(TYPES["Rating"].claims["priorSource"].words[one["priorSource"]], lang),
    )


def _raters(one: Mapping[str, str], lang: str) -> str:
    raters, top = one["raterCountDistinct"], _known_share(one["topRaterShare"], lang, one)
    return put(_told(one)["raters"], lang, raters=known(raters, lang, one), top=top)


def _eligible(one: Mapping[str, str], lang: str) -> str:
    eligible, rate = known(one["jobsEligible"], lang, one), _known_share(one["responseRate"], lang, one)
    return put(_told(one)["eligible"]["known"], lang, eligible=eligible, rate=rate)


def _effective(one: Mapping[str, str], lang: str) -> str:
    if one["effectiveShare"] == "notPublished":
        return ""
    return put(_told(one)["effective"], lang, share=percent(one["effectiveShare"], lang))


def _spread(one: Claims, name: str, lang: str, form: str = "known") -> str:
    sentences = _told(one)["distribution"]
    pairs = [item.split(" ") for item in one[name]]
    if len(pairs[0]) == 1:
        return put(sentences[pairs[0][0]], lang)
    pairs.sort(key=lambda pair: Decimal(pair[0]), reverse=True)
    said = number if form == "known" else percent
    told = (put(WORDS["pair"], lang, value=number(value, lang), count=said(count, lang)) for value, count in pairs)
    return put(sentences[form], lang, spread=listed(told, lang))


def _period(one: Mapping[str, str], lang: str) -> str:
    return put(
        _told(one)["period"][one["windowKind"]],
        lang,
        start=month(one["periodStart"], lang),
        end=month(one["periodEnd"], lang),
        size=_window_size(one, lang),
    )


def _window_size(one: Mapping[str, str], lang: str) -> str:
    size = one["windowSize"]
    return known(size, lang, one) if size != "notApplicable" else ""


def _computation(one: Mapping[str, str], lang: str) -> str:
    words = TYPES["Rating"].claims
    computation = put(words["computation"].words[one["computation"]], lang)
    scope = put(words["perRater"].words[one["perRater"]], lang)
    return put(_told(one)["computation"], lang, computation=computation, scope=scope)


def _method(one: Mapping[str, str], lang: str) -> str:
    sentences, url = _told(one)["method"], one["methodUrl"]
    return put(sentences.get(url, sentences["known"]), lang, url=url)


def _context(one: Mapping[str, str], lang: str) -> str:
    sentences, digest = _told(one)["context"], one["contextDigest"]
    return put(sentences.get(digest, sentences["known"]), lang, digest=digest[:12] + "…")


def _unfairness(notes: str | tuple[str, ...], lang: str) -> str:
    sentences = WORDS["rating"]["unfairness"]
    if "notStated" in notes:
        return put(sentences["notStated"], lang)
    return put(sentences["known"], lang, sources=", ".join(sorted(notes)))
