"""What has to hold for the claims of a statement, alone and between them. Every breach is a :class:`Malformed`."""

from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext
from typing import Final

from vc.errors import Malformed
from work import months
from work.ladders import reached, rungs
from work.statistics import MIN_STARS
from work.types import Claim, StatementType

Claims = Mapping[str, str | tuple[str, ...]]

# In time order; each pair only where both are known.
_ORDER: Final = (
    ("periodStart", "periodEnd"),
    ("memberSince", "periodEnd"),
    ("firstJob", "lastJob"),
    ("lastJob", "periodEnd"),
)
_SUPPRESSED: Final = {"ratingCount": "fewerThan5", "intervalLower": "notStated", "intervalUpper": "notStated"}
_STARS: Final = frozenset({"arithmeticMean", "weightedMean", "platformAdjusted"})


def check_claims(kind: StatementType, claims: Claims) -> None:
    """Raise :class:`Malformed`, with a JSON pointer below ``/claims``, unless ``claims`` make a ``kind`` statement."""
    for name, value in claims.items():
        if name not in kind.claims:
            raise _breach(name[:64], f"not a claim of {kind.name}")
        _check_shape(kind.claims[name], value)
    for claim in kind.claims.values():
        if claim.mandatory and claim.name not in claims:
            raise _breach(claim.name, f"has to be there in every {kind.name} statement")
    _check_order(claims)
    for claim in kind.claims.values():
        if claim.name in claims:
            _check_series(claim, claims)
            _check_ladder(claim, claims)
    if "ratingValue" in kind.claims:
        check_rating(claims)


def check_rating(claims: Claims) -> None:
    """Raise :class:`Malformed` unless the members of a rating, each well spelt, make sense together."""
    for name, why in _rating_breaches(claims):
        raise _breach(name, why)


def _breach(where: str, why: str) -> Malformed:
    return Malformed(f"/claims/{where}", why)


def _check_shape(claim: Claim, value: str | tuple[str, ...]) -> None:
    if isinstance(value, str) == claim.many:
        raise _breach(claim.name, "a list of texts is needed" if claim.many else "one text is needed, not a list")
    items = (value,) if isinstance(value, str) else value
    if not 1 <= len(items) <= claim.slots or len(set(items)) != len(items):
        raise _breach(claim.name, f"from 1 to {claim.slots} different values")
    for index, item in enumerate(items):
        if not claim.accepts(item):
            raise _breach(f"{claim.name}/{index}" if claim.many else claim.name, f"not a {claim.kind} as it has to be")


def _check_order(claims: Claims) -> None:
    for earlier, later in _ORDER:
        first, last = claims.get(earlier), claims.get(later)
        if isinstance(first, str) and isinstance(last, str) and first > last:
            raise _breach(earlier, f"is after {later}")


def _check_series(claim: Claim, claims: Claims) -> None:
    """A month series has no hole and ends with the period: then the place of a month among the signed quads is the
    same for everybody, and a month left out cannot be mistaken for a month without work."""
    if claim.fill != "before":
        return
    listed = sorted(value[:7] for value in claims[claim.name])
    end = str(claims["periodEnd"])
    if listed != list(months.span(listed[0], end)):
        raise _breach(claim.name, f"every month from {listed[0]} to {end} once (those without work as 0)")


def _check_ladder(claim: Claim, claims: Claims) -> None:
    """All rungs up to the highest one, and no other: a verifier may then read the lower ones from a higher one, and
    the place of a rung tells nothing about what is above it."""
    if not claim.ladder:
        return
    stated = tuple(sorted(claims[claim.name]))
    if stated != rungs(claim.ladder)[: len(stated)]:
        raise _breach(claim.name, "the rungs of the ladder from the lowest to the highest reached, none left out")
    source = _source(claim, claims)
    if source is not None and stated != reached(source, claim.ladder):
        raise _breach(claim.name, f"not the rungs that {claim.basis.claim if claim.basis else ''} reaches")


def _source(claim: Claim, claims: Claims) -> Decimal | None:
    """The figure that a ladder is computed from, where the statement has it."""
    if claim.basis is None or claim.basis.claim not in claims:
        return None
    value = claims[claim.basis.claim]
    if isinstance(value, str):
        return Decimal(value)
    start = months.back(str(claims["periodEnd"]), claim.basis.over)
    with localcontext(prec=50):  # exact for every amount that a claim can hold; no rounding can reach a rung
        return sum((Decimal(item[8:]) for item in value if item[:7] >= start), Decimal()) / claim.basis.over


def _rating_breaches(claims: Claims) -> Iterator[tuple[str, str]]:
    value, count = claims["ratingValue"], claims["ratingCount"]
    if claims["computation"] in _STARS and _is_number(count) and int(str(count)) < MIN_STARS:
        yield "ratingCount", f"fewer than {MIN_STARS} ratings are stated as fewerThan5, with tooFewToState as value"
    if (value == "tooFewToState") != (count == "fewerThan5"):
        yield "ratingValue", "tooFewToState and fewerThan5 go together"
    if value == "tooFewToState":
        yield from _leaks(claims)
    yield from _scale_breaches(claims)
    if len(claims["distribution"]) > 1 and any(" " not in item for item in claims["distribution"]):
        yield "distribution", "one word for all of it, or one count for each value"
    spread = _counts(claims["distribution"])
    if spread is not None and _is_number(count) and sum(spread) != int(str(count)):
        yield "distribution", "its counts do not add up to ratingCount"


def _leaks(claims: Claims) -> Iterator[tuple[str, str]]:
    """What would tell the value that was too weak to be stated."""
    for name, token in _SUPPRESSED.items():
        if claims[name] != token:
            yield name, f"has to be {token} where the ratings are too few to state a value"
    if _counts(claims["distribution"]) is not None:
        yield "distribution", "tells the value that is too weak to be stated"
    if _is_number(claims["responseRate"]) and _is_number(claims["jobsEligible"]):
        yield "responseRate", "tells the count that fewerThan5 leaves out"


def _scale_breaches(claims: Claims) -> Iterator[tuple[str, str]]:
    worst, best = Decimal(str(claims["worstRating"])), Decimal(str(claims["bestRating"]))
    if worst >= best:
        yield "worstRating", "is not below bestRating"
    for name in ("ratingValue", "intervalLower", "intervalUpper"):
        if _is_number(claims[name]) and not worst <= Decimal(str(claims[name])) <= best:
            yield name, "is outside the scale from worstRating to bestRating"
    lower, upper = claims["intervalLower"], claims["intervalUpper"]
    if _is_number(lower) != _is_number(upper) or (_is_number(lower) and Decimal(str(lower)) > Decimal(str(upper))):
        yield "intervalLower", "is above intervalUpper, or only one of them is stated"
    for name in ("intervalLevel", "intervalMethod"):
        if (claims[name] == "notStated") == _is_number(lower):
            yield name, "is stated where the interval is, and only there"


def _is_number(value: str | tuple[str, ...]) -> bool:
    """A parsed claim is a number or a word; words begin with a letter."""
    return isinstance(value, str) and not value[0].isalpha()


def _counts(distribution: str | tuple[str, ...]) -> list[int] | None:
    """The counts of a spread; nothing where it is not published."""
    pairs = [item.split(" ") for item in distribution]
    return [int(pair[1]) for pair in pairs] if all(len(pair) == 2 for pair in pairs) else None
