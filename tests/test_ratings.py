"""Ratings from rows: each figure against a second count in plain Python, and what must never become a rating."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from issuer.attest import Attested, attest
from issuer.profile import Profile
from vc.errors import Malformed
from work.bands import band
from work.statement import Claims, context_digest
from work.statistics import Interval, dirichlet_interval, wilson, wilson_bound

PROFILE = """
name = "rides"
title = "Rides and their stars"
platform = "Rides"
category = "organised"
documented = "Nothing."
assumed = "Everything."
provenance = "This test."

[files.ride]
title = "rides"
delimiters = [","]
required = ["driver", "day", "ride", "status"]
[files.ride.columns]
worker = '"driver"'
day = '''day_of("day", '%Y-%m-%d')'''
job = '"ride"'
ended = '''CASE "status" WHEN 'done' THEN 'completed' WHEN 'no show' THEN 'cancelledByClient' END'''
[files.ride.feeds]
jobs = "TRUE"

[files.star]
title = "stars"
delimiters = [","]
required = ["driver", "rated", "stars", "passenger", "blame"]
[files.star.columns]
worker = '"driver"'
day = '''day_of("rated", '%Y-%m-%d')'''
value = 'number_of("stars")'
ratings = '1'
rater = '"passenger"'
kind = '"blame"'
[files.star.feeds]
ratings = "TRUE"
[[files.star.leave_out]]
when = "kind = 'traffic'"
reason = "not the driver's fault"

[statements.Rating]
computation = "arithmeticMean"
raterPopulation = "passengers"
perRater = "false"
bestRating = "5"
worstRating = "1"
windowKind = "allTime"
decimals = "2"
count = "lines"
eligible = "jobs"
excluded = "lines"
spread = "lines"
raters = "lines"
methodUrl = "https://rides.example/how-stars-are-counted"

[statements.RatingContext]
knownBiasNotes = ["https://doi.org/10.1145/2998181.2998327"]
actionThreshold = "4.6"
biasAudit = "none"
excludesOutsideControl = "true"
"""


@dataclass(frozen=True)
class Star:
    driver: str
    day: str
    stars: int
    passenger: str
    blame: str = ""


@dataclass(frozen=True)
class Ride:
    driver: str
    day: str
    ride: str
    status: str = "done"


def made_from(folder: Path, stars: Iterable[Star], rides: Iterable[Ride], *changes: tuple[str, str]) -> Attested:
    text = PROFILE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    first, second = folder / "stars.csv", folder / "rides.csv"
    rows = (f"{one.driver},{one.day},{one.stars},{one.passenger},{one.blame}" for one in stars)
    first.write_text("\n".join(("driver,rated,stars,passenger,blame", *rows)), encoding="utf-8")
    rows = (f"{one.driver},{one.day},{one.ride},{one.status}" for one in rides)
    second.write_text("\n".join(("driver,day,ride,status", *rows)), encoding="utf-8")
    return attest(Profile.parse(text.encode(), where="rides.toml"), [first, second])


def by_worker(made: Attested, kind: str) -> dict[str, Claims]:
    return {one.worker: one.claims for one in made.statements if one.type == kind}


def figures(claims: Claims) -> tuple[Decimal, Decimal]:
    return Decimal(str(claims["intervalLower"])), Decimal(str(claims["intervalUpper"]))


def rounded(value: Fraction, places: int) -> str:
    return f"{Decimal(round(value * 10**places)).scaleb(-places):.{places}f}"


def town(drivers: int = 40) -> tuple[list[Star], list[Ride]]:
    """A year and a half of rides of some drivers, about half of them rated, some cancelled, some not their fault."""
    chance = random.Random(7)
    stars, rides = list[Star](), list[Ride]()
    for driver in range(drivers):
        for ride in range(chance.randrange(1, 160)):
            day = f"{chance.choice((2025, 2026))}-{chance.randrange(1, 11):02d}-{chance.randrange(1, 29):02d}"
            rides.append(Ride(f"D{driver:02d}", day, f"{driver}/{ride}", chance.choice(("done",) * 9 + ("no show",))))
            if rides[-1].status == "done" and chance.random() < 0.5:
                value = chance.choice((5,) * 12 + (4, 4, 3, 2, 1))
                blame = "traffic" if chance.random() < 0.05 else ""
                stars.append(Star(f"D{driver:02d}", day, value, f"P{chance.randrange(60)}", blame))
    return stars, rides


@pytest.fixture(scope="module")
def whole_town(tmp_path_factory: pytest.TempPathFactory) -> tuple[Attested, list[Star], list[Ride]]:
    stars, rides = town()
    return made_from(tmp_path_factory.mktemp("town"), stars, rides), stars, rides


def test_every_figure_agrees_with_a_second_count(whole_town: tuple[Attested, list[Star], list[Ride]]) -> None:
    made, stars, rides = whole_town
    ratings = by_worker(made, "Rating")
    assert ratings.keys() == {one.driver for one in stars}
    enough = 0
    for driver, claims in ratings.items():
        good = [one for one in stars if one.driver == driver and not one.blame]
        done = sum(one.driver == driver and one.status == "done" for one in rides)
        assert claims["jobsEligible"] == str(done)
        assert claims["excludedCount"] == str(sum(one.driver == driver and one.blame != "" for one in stars))
        if len(good) < 5:
            assert (claims["ratingValue"], claims["ratingCount"]) == ("tooFewToState", "fewerThan5")
            assert claims["raterCountDistinct"] == claims["topRaterShare"] == claims["effectiveShare"] == "notPublished"
            continue
        enough += 1
        spread, raters = Counter(one.stars for one in good), Counter(one.passenger for one in good)
        total = Fraction(sum(one.stars for one in good))
        assert claims["ratingValue"] == rounded(total / len(good), 2)
        assert claims["distribution"] == tuple(f"{star} {spread[star]}" for star in range(1, 6))
        assert claims["responseRate"] == rounded(Fraction(len(good), done), 3)
        assert claims["raterCountDistinct"] == str(len(raters))
        assert claims["topRaterShare"] == rounded(Fraction(max(raters.values()), len(good)), 3)
        assert claims["effectiveShare"] == rounded(Fraction(spread[4] + spread[5], done), 3)
        assert Interval(*figures(claims)) == dirichlet_interval(spread)
        assert claims["intervalMethod"] == "dirichlet"
    assert enough > 20


def test_the_context_counts_everybody_and_is_the_prior_of_all(
    whole_town: tuple[Attested, list[Star], list[Ride]],
) -> None:
    made, stars, rides = whole_town
    (context,) = (one for one in made.statements if one.type == "RatingContext")
    good = [one for one in stars if not one.blame]
    spread = Counter(one.stars for one in good)
    drivers = {one.driver for one in stars}
    done = sum(one.status == "done" and one.driver in drivers for one in rides)
    assert context.claims["distribution"] == tuple(f"{star} {spread[star]}" for star in range(1, 6))
    assert context.claims["responseRate"] == rounded(Fraction(len(good), done), 3)
    assert (context.claims["actionThreshold"], context.claims["biasAudit"]) == ("4.6", "none")
    assert context.claims["excludesOutsideControl"] == "true"
    usual = Fraction(sum(one.stars for one in good), len(good))
    for driver, claims in by_worker(made, "Rating").items():
        assert claims["contextDigest"] == context_digest(context)
        assert claims["knownBiasNotes"] == context.claims["knownBiasNotes"]
        if claims["ratingValue"] == "tooFewToState":
            assert claims["shrunkValue"] == claims["priorSource"] == "notStated"
            continue
        own = [one.stars for one in good if one.driver == driver]
        assert claims["shrunkValue"] == rounded((sum(own) + 10 * usual) / (len(own) + 10), 3)
        assert (claims["priorMean"], claims["priorStrength"]) == (rounded(usual, 3), "10")
        assert claims["priorSource"] == "contextDistribution"


def test_a_band_is_beside_every_stated_rating_and_beside_no_other(
    whole_town: tuple[Attested, list[Star], list[Ride]],
) -> None:
    made, _, _ = whole_town
    bands, ratings = by_worker(made, "RatingBand"), by_worker(made, "Rating")
    assert bands.keys() == {driver for driver, one in ratings.items() if one["ratingValue"] != "tooFewToState"}
    order = [(one.worker, one.type) for one in made.statements]
    assert order == sorted(order)
    for driver, claims in bands.items():
        rating = ratings[driver]
        around = band(Interval(*figures(rating)), Decimal(5), Decimal(1))
        assert (Decimal(str(claims["bandFrom"])), Decimal(str(claims["bandTo"]))) == (around.lower, around.upper)
        assert int(str(claims["ratingsAtLeast"])) <= int(str(rating["ratingCount"]))
        assert abs(Decimal(str(claims["coarseResponseRate"])) - Decimal(str(rating["responseRate"]))) <= Decimal("0.05")
        assert abs(Decimal(str(claims["coarseTopRaterShare"])) - Decimal(str(rating["topRaterShare"]))) <= Decimal(
            "0.05"
        )
        exact = {rating["ratingValue"], rating["ratingCount"], rating["periodStart"], rating["intervalLower"]}
        assert not exact & {
            item for value in claims.values() for item in ((value,) if isinstance(value, str) else value)
        }


def test_bands_are_shared_by_many_and_ratings_are_not(whole_town: tuple[Attested, list[Star], list[Ride]]) -> None:
    made, _, _ = whole_town
    ratings = {tuple(sorted(map(str, one.items()))) for one in by_worker(made, "Rating").values()}
    spans = Counter((one["bandFrom"], one["bandTo"]) for one in by_worker(made, "RatingBand").values())
    assert len(ratings) == len(by_worker(made, "Rating"))
    assert max(spans.values()) >= 5


# Windows.


def test_only_the_last_twelve_local_months_count_and_the_others_are_left_out_with_their_reason(tmp_path: Path) -> None:
    stars, rides = town(30)
    period = ('windowKind = "allTime"', 'windowKind = "period"\nmonths = "12"')
    made = by_worker(made_from(tmp_path, stars, rides, period), "Rating")
    older = defaultdict[str, int](int)
    for one in stars:
        older[one.driver] += one.day < "2025-11-01" or one.blame != ""
    for driver, claims in made.items():
        recent = [one for one in stars if one.driver == driver and one.day >= "2025-11-01" and not one.blame]
        done = [one for one in rides if one.driver == driver and one.day >= "2025-11-01" and one.status == "done"]
        assert (claims["periodStart"], claims["periodEnd"], claims["windowSize"]) == ("2025-11", "2026-10", "12")
        assert claims["excludedCount"] == str(older[driver])
        assert claims["jobsEligible"] == str(len(done))
        if len(recent) >= 5:
            assert claims["ratingCount"] == str(len(recent))
            assert claims["ratingValue"] == rounded(Fraction(sum(one.stars for one in recent), len(recent)), 2)
    reasons = {reason for claims in made.values() for reason in claims.get("excludedReasons", ())}
    assert reasons == {"olderThanWindow", "setAside"}


def test_only_so_many_of_the_latest_ratings_count(tmp_path: Path) -> None:
    days = [f"2026-{month:02d}-{day:02d}" for month in range(1, 5) for day in range(1, 11)]
    stars = [Star("D1", day, 1 if place < 30 else 5, f"P{place}") for place, day in enumerate(days)]
    rides = [Ride("D1", day, f"R{place}") for place, day in enumerate(days)] + [Ride("D1", days[35], "unrated")]
    last = ('windowKind = "allTime"', 'windowKind = "lastN"\nwindowSize = "10"')
    claims = by_worker(made_from(tmp_path, stars, rides, last), "Rating")["D1"]
    assert (claims["ratingValue"], claims["ratingCount"]) == ("5.00", "10")
    assert (claims["windowKind"], claims["windowSize"]) == ("lastN", "10")
    assert (claims["excludedCount"], claims["excludedReasons"]) == ("30", ("olderThanWindow",))
    assert (claims["jobsEligible"], claims["responseRate"]) == ("11", "0.909")  # since the oldest rating that counts


def test_ratings_of_one_day_are_cut_in_favour_of_the_worker_and_the_same_every_time(tmp_path: Path) -> None:
    stars = [Star("D1", "2026-10-01", 1 + place % 5, f"P{place}") for place in range(25)]
    last = ('windowKind = "allTime"', 'windowKind = "lastN"\nwindowSize = "7"')
    for order in (stars, stars[::-1]):
        claims = by_worker(made_from(tmp_path, order, [Ride("D1", "2026-10-01", "R")], last), "Rating")["D1"]
        assert claims["distribution"] == ("1 0", "2 0", "3 0", "4 2", "5 5")
        assert claims["jobsEligible"] == "notPublished"  # one ride and seven ratings: the rides are not all there


# What is no rating, and what is seen.


def test_a_rating_that_everybody_starts_with_is_no_rating(tmp_path: Path) -> None:
    text = PROFILE.replace("ratings = '1'", "ratings = 'count_of(\"blame\")'").replace("[[files.star.leave_out]]", "")
    text = text.replace('when = "kind = \'traffic\'"\nreason = "not the driver\'s fault"\n', "")
    path, rides = tmp_path / "stars.csv", tmp_path / "rides.csv"
    path.write_text(
        "driver,rated,stars,passenger,blame\nNEW,2026-10-01,5,,0\nOLD,2026-10-01,4.8,,40\n", encoding="utf-8"
    )
    rides.write_text("driver,day,ride,status\nOLD,2026-10-01,R1,done\n", encoding="utf-8")
    made = attest(Profile.parse(text.encode(), where="x.toml"), [path, rides])
    new = by_worker(made, "Rating")["NEW"]
    assert (new["ratingValue"], new["ratingCount"]) == ("tooFewToState", "fewerThan5")
    assert new["excludedReasons"] == ("withoutHistory",)
    assert "NEW" not in by_worker(made, "RatingBand")
    assert {lot.reason: lot.rows for lot in made.reconciliation.left_out} == {"a rating that nobody gave: a default": 1}


def test_a_figure_of_a_worker_who_has_done_nothing_is_a_default(tmp_path: Path) -> None:
    alone = (
        ('count = "lines"', 'count = "notPublished"'), ('spread = "lines"', 'spread = "notPublished"'),
        ('raters = "lines"', 'raters = "notPublished"'),
    )  # fmt: skip
    stars = [Star("NEW", "2026-10-01", 5, ""), Star("OLD", "2026-10-01", 4, "")]
    rides = [Ride("OLD", "2026-10-01", "R1"), Ride("NEW", "2026-10-01", "R2", "no show")]
    made = by_worker(made_from(tmp_path, stars, rides, *alone), "Rating")
    assert (made["NEW"]["ratingValue"], made["NEW"]["jobsEligible"]) == ("notPublished", "0")
    assert (made["OLD"]["ratingValue"], made["OLD"]["intervalMethod"]) == ("4.00", "notStated")


APPROVAL = (
    ('computation = "arithmeticMean"', 'computation = "approvalShare"'), ('bestRating = "5"', 'bestRating = "1"'),
    ('worstRating = "1"', 'worstRating = "0"'), ('decimals = "2"', 'decimals = "4"'),
    ('eligible = "jobs"', 'eligible = "lines"'),
)  # fmt: skip


def test_forty_four_rejections_by_one_client_are_seen(tmp_path: Path) -> None:
    judged = [Star("W", "2026-10-01", 0, "R1")] * 44 + [Star("W", "2026-10-02", 1, f"R{n}") for n in (2, 3, 3)]
    claims = by_worker(made_from(tmp_path, judged, [], *APPROVAL), "Rating")["W"]
    assert (claims["ratingValue"], claims["distribution"]) == ("0.0638", ("0 44", "1 3"))
    assert (claims["raterCountDistinct"], claims["topRaterShare"]) == ("3", "0.936")
    assert Interval(*figures(claims)) == wilson(3, 47)
    assert (claims["intervalMethod"], claims["responseRate"]) == ("wilson", "1.000")


def test_an_unknown_rater_makes_the_raters_unknown(tmp_path: Path) -> None:
    judged = [Star("W", "2026-10-01", 1, f"R{n}") for n in range(9)] + [Star("W", "2026-10-01", 1, "")]
    claims = by_worker(made_from(tmp_path, judged, [], *APPROVAL), "Rating")["W"]
    assert (claims["raterCountDistinct"], claims["topRaterShare"]) == ("notPublished", "notPublished")


def test_without_the_spread_the_bound_is_cautious(tmp_path: Path) -> None:
    stars = [Star("D1", "2026-10-01", 4 + place % 2, f"P{place}") for place in range(40)]
    claims = by_worker(made_from(tmp_path, stars, [], ('spread = "lines"', 'spread = "notPublished"')), "Rating")["D1"]
    assert claims["distribution"] == ("notPublished",)
    assert Interval(*figures(claims)) == wilson_bound(Decimal("4.50"), Decimal(5), Decimal(1), 40)


def test_values_between_the_stars_have_no_spread_to_state(tmp_path: Path) -> None:
    stars = [Star("D1", "2026-10-01", 4 + place % 2, f"P{place}") for place in range(40)]
    halves = ("value = 'number_of(\"stars\")'", "value = 'number_of(\"stars\") - 0.5'")
    claims = by_worker(made_from(tmp_path, stars, [], halves), "Rating")["D1"]
    assert (claims["ratingValue"], claims["distribution"]) == ("4.00", ("notPublished",))
    assert claims["intervalMethod"] == "wilsonBound"


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('windowKind = "allTime"', 'windowKind = "lastN"', "windowSize"),
        ('windowKind = "allTime"', 'windowKind = "allTime"\nwindowSize = "500"', "windowSize"),
        ('windowKind = "allTime"', 'windowKind = "allTime"\nmonths = "12"', "months"),
        ('windowKind = "allTime"', 'windowKind = "period"\nmonths = "a year"', "months"),
        ('spread = "lines"', 'spread = "stars"', "spread"),
        ('jobs = "TRUE"', 'membership = "TRUE"', "eligible"),
        ('actionThreshold = "4.6"', 'actionThreshold = "low"', "actionThreshold"),
        ('methodUrl = "https://rides', 'methodUrl = "rides', "methodUrl"),
    ],
)
def test_choices_that_do_not_go_together_are_refused(old: str, new: str, place: str) -> None:
    assert old in PROFILE
    with pytest.raises(Malformed) as refused:
        Profile.parse(PROFILE.replace(old, new).encode(), where="rides.toml")
    assert place in str(refused.value)
