"""What has to hold for the claims of a statement, alone and between them. Every breach is a :class:`Malformed`."""

from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import Final

from vc.errors import Malformed
from work import months
from work.ladders import reached, rungs
from work.rating_rules import band_breaches, rating_breaches
from work.topicrules import check_topic
from work.types import Claim, StatementType

Claims = Mapping[str, str | tuple[str, ...]]

# In time order; each pair only where both are known.
_ORDER: Final = (
    ("periodStart", "periodEnd"),
    ("memberSince", "periodEnd"),
    ("firstJob", "lastJob"),
    ("lastJob", "periodEnd"),
    ("startDate", "endDate"),
    ("published", "periodEnd"),
    ("decidedOn", "periodEnd"),
    ("coverFrom", "coverTo"),
)
_NAMED: Final = frozenset({"slotShare", "typeCount"})
_HALF: Final = Decimal("0.0005")  # of the last decimal of a share


def check_claims(kind: StatementType, claims: Claims) -> None:
    """Raise :class:`Malformed`, with a JSON pointer below ``/claims``, unless ``claims`` make a ``kind`` statement."""
    for name, value in claims.items():
        if name not in kind.claims:
            raise _breach(name[:64], f"not a claim of {kind.name}")
        _check_shape(kind.claims[name], value)
    _check_present(kind, claims)
    _check_order(claims)
    for claim in map(kind.claims.__getitem__, claims):
        if claim.fill == "before":
            _check_series(claim, claims)
        if claim.ladder:
            _check_ladder(claim, claims)
        if claim.kind in _NAMED:
            _check_parts(claim, claims)
    if kind.name == "Rating":
        check_rating(claims)
    elif kind.name == "RatingBand":
        check_band(claims)
    check_topic(kind, claims)


def check_rating(claims: Claims) -> None:
    """Raise :class:`Malformed` unless the members of a rating, each well spelt, make sense together."""
    for name, why in rating_breaches(claims):
        raise _breach(name, why)


def check_band(claims: Claims) -> None:
    """Raise :class:`Malformed` unless the members of a band, each well spelt, make sense together."""
    for name, why in band_breaches(claims):
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


def _check_present(kind: StatementType, claims: Claims) -> None:
    for claim in kind.claims.values():
        if claim.mandatory and claim.name not in claims:
            raise _breach(claim.name, f"has to be there in every {kind.name} statement")
        missing = next((each for each in claim.needs if each not in claims), "") if claim.name in claims else ""
        if missing:
            raise _breach(claim.name, f"says nothing without {missing}")


def _check_order(claims: Claims) -> None:
    for earlier, later in _ORDER:
        first, last = claims.get(earlier), claims.get(later)
        if isinstance(first, str) and isinstance(last, str) and first > last:
            raise _breach(earlier, f"is after {later}")


def _check_series(claim: Claim, claims: Claims) -> None:
    """A month series has no hole and ends with the period: then the place of a month among the signed quads is the
    same for everybody, and a month left out cannot be mistaken for a month without work."""
    listed = sorted(value[:7] for value in claims[claim.name])
    end = str(claims["periodEnd"])
    if listed != list(months.span(listed[0], end)):
        raise _breach(claim.name, f"every month from {listed[0]} to {end} once (those without work as 0)")


def _check_ladder(claim: Claim, claims: Claims) -> None:
    """All rungs up to the highest one, and no other: a verifier may then read the lower ones from a higher one, and
    the place of a rung tells nothing about what is above it."""
    stated = tuple(sorted(claims[claim.name]))
    if stated != rungs(claim.ladder)[: len(stated)]:
        raise _breach(claim.name, "the rungs of the ladder from the lowest to the highest reached, none left out")
    source = _source(claim, claims)
    if source is not None and stated != reached(source, claim.ladder):
        raise _breach(claim.name, f"not the rungs that {claim.basis.claim if claim.basis else ''} reaches")


def _check_parts(claim: Claim, claims: Claims) -> None:
    """Of values such as "night 0.125", each name stands once; shares add up to 1, but for what rounding each cost."""
    pairs = [item.rpartition(" ") for item in claims[claim.name]]
    if len({name for name, _, _ in pairs}) != len(pairs):
        raise _breach(claim.name, "each name once")
    if claim.kind != "slotShare":
        return
    if abs(sum((Decimal(share) for _, _, share in pairs), Decimal(-1))) > len(pairs) * _HALF:
        raise _breach(claim.name, "shares of all jobs, which add up to 1")


def _source(claim: Claim, claims: Claims) -> Decimal | None:
    """The figure that a ladder is computed from, where the statement has it."""
    if claim.basis is None or claim.basis.claim not in claims:
        return None
    value = claims[claim.basis.claim]
    if isinstance(value, str):
        return Decimal(value) / claim.basis.unit
    start = months.back(str(claims["periodEnd"]), claim.basis.over)
    with localcontext(prec=50):  # exact for every amount that a claim can hold; no rounding can reach a rung
        return sum((Decimal(item[8:]) for item in value if item[:7] >= start), Decimal()) / claim.basis.over
