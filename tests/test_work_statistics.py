"""Statistics against published values and against a second method each."""

import dataclasses
import inspect
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from math import asin, cos, fsum, pi, sin, sqrt
from pathlib import Path
from statistics import NormalDist
from types import ModuleType
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.work_samples import SOME
from vc.errors import Malformed
from work import bands, statistics
from work.bands import STEPS, band, band_step, coarse, step_reached, tenth
from work.ladders import reached, read_rung, rung, rungs
from work.statistics import (
    MIN_STARS,
    STARS,
    Interval,
    Shrunk,
    TopRater,
    dirichlet_interval,
    effective_share,
    is_positive,
    percentile_of,
    quantiles,
    share,
    shrink,
    shrink_stars,
    too_few,
    top_rater,
    wilson,
    wilson_bound,
)

MILLI = Decimal("0.001")
shares = st.integers(1, 5000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


# The published values were rounded twice; one unit of their last digit is what they can differ by.
@pytest.mark.parametrize(
    ("successes", "trials", "lower", "upper"),
    [
        (3, 47, "0.022", "0.172"),
        (79, 93, "0.763", "0.908"),
        (215, 215, "0.982", "1"),
        (1, 1, "0.206", "1"),
        (5, 5, "0.566", "1"),
    ],
)
def test_wilson_gives_the_published_values(successes: int, trials: int, lower: str, upper: str) -> None:
    interval = wilson(successes, trials)
    assert abs(interval.lower - Decimal(lower)) <= MILLI
    assert abs(interval.upper - Decimal(upper)) <= MILLI


def test_wilson_rounds_outward() -> None:
    assert wilson(3, 47) == Interval(Decimal("0.021"), Decimal("0.172"))
    assert wilson(79, 93) == Interval(Decimal("0.763"), Decimal("0.909"))
    assert wilson(0, 10).lower == 0
    assert wilson(10, 10).upper == 1


def score_root(share: Fraction, trials: int, z: float, *, upper: bool) -> float:
    """Second method: the p furthest from the share with (share - p)² ≤ z² p(1 - p)/n, by bisection."""
    inside, outside = float(share), 1.0 if upper else 0.0
    for _ in range(60):
        p = (inside + outside) / 2
        inside, outside = (p, outside) if (float(share) - p) ** 2 <= z * z * p * (1 - p) / trials else (inside, p)
    return inside


@given(shares, st.sampled_from((90, 95, 99)))
def test_wilson_solves_the_score_equation(counted: tuple[int, int], level: int) -> None:
    successes, trials = counted
    interval = wilson(successes, trials, level)
    z = NormalDist().inv_cdf(0.5 + level / 200)
    lower, upper = (score_root(Fraction(successes, trials), trials, z, upper=side) for side in (False, True))
    assert -1e-9 <= lower - float(interval.lower) < 0.001 + 1e-9
    assert -1e-9 <= float(interval.upper) - upper < 0.001 + 1e-9


@given(shares)
def test_wilson_is_a_mirror(counted: tuple[int, int]) -> None:
    successes, trials = counted
    one, other = wilson(successes, trials), wilson(trials - successes, trials)
    assert (one.lower, one.upper) == (1 - other.upper, 1 - other.lower)


@pytest.mark.parametrize(("successes", "trials", "level"), [(1, 0, 95), (2, 1, 95), (-1, 5, 95), (1, 2, 94)])
def test_what_is_no_share_is_refused(successes: int, trials: int, level: int) -> None:
    with pytest.raises(Malformed):
        wilson(successes, trials, level)


@given(shares)
def test_the_bound_on_a_share_is_wilson_itself(counted: tuple[int, int]) -> None:
    successes, trials = counted
    bound = wilson_bound(Decimal(successes), Decimal(trials), Decimal(0), trials)
    plain = wilson(successes, trials)
    # On the scale 0 … trials the bounds are `trials` times as fine.
    assert plain.lower * trials - trials * MILLI <= bound.lower <= (plain.lower + MILLI) * trials
    assert (plain.upper - MILLI) * trials <= bound.upper <= plain.upper * trials + trials * MILLI


spreads = st.lists(st.integers(0, 60), min_size=5, max_size=5).filter(lambda counts: sum(counts) >= MIN_STARS)


@given(spreads)
def test_the_bound_rests_on_the_largest_possible_variance(counts: list[int]) -> None:
    """Bhatia and Davis: the variance of any spread is at most that of the two ends with the same mean."""
    total = sum(counts)
    mean = Fraction(sum(star * count for star, count in zip(STARS, counts, strict=True)), total)
    variance = sum(count * (star - mean) ** 2 for star, count in zip(STARS, counts, strict=True)) / total
    assert variance <= (5 - mean) * (mean - 1)


def simulated(distribution: dict[int, int], draws: int = 8000) -> tuple[float, float]:
    """Second method: the posterior by Monte Carlo, through gamma variables."""
    chance = random.Random(20261124)
    means = []
    for _ in range(draws):
        weights = [chance.gammavariate(distribution.get(star, 0) + 0.5, 1) for star in STARS]
        means.append(sum(star * weight for star, weight in zip(STARS, weights, strict=True)) / sum(weights))
    means.sort()
    return means[int(0.025 * draws)], means[int(0.975 * draws)]


@pytest.mark.parametrize(
    "distribution",
    [
        {5: 5},
        {4: 6},
        {3: 100},
        {5: 98, 1: 2},
        {5: 110, 4: 12, 3: 3, 2: 1, 1: 2},
        {5: 1, 1: 4},
        {2: 3, 3: 3, 4: 1},
        {1: 50, 5: 50},
        {5: 1650, 4: 12, 1: 7},
    ],
    ids=str,
)
def test_dirichlet_agrees_with_simulation(distribution: dict[int, int]) -> None:
    interval = dirichlet_interval(distribution)
    lower, upper = simulated(distribution)
    mean = sum(star * count for star, count in distribution.items()) / sum(distribution.values())
    # Simulation with 8 000 draws is itself good to about a thirtieth of the interval's width.
    tolerance = 0.02 + (upper - lower) / 30
    assert abs(float(interval.lower) - min(lower, mean)) < tolerance
    assert abs(float(interval.upper) - max(upper, mean)) < tolerance


def stars(counts: list[int]) -> dict[int, int]:
    return dict(zip(STARS, counts, strict=True))


def beta_share(x: float, a: float, b: float, steps: int = 20000) -> float:
    """Second method for two levels: the beta distribution by the midpoint rule, in an angle that tames its ends."""

    def mass(end: float) -> float:
        width = end / steps
        angles = (width * (step + 0.5) for step in range(steps))
        return width * fsum(float(sin(t) ** (2 * a - 1) * cos(t) ** (2 * b - 1)) for t in angles)

    return mass(asin(sqrt(x))) / mass(pi / 2)


@pytest.mark.parametrize(("successes", "trials"), [(3, 47), (79, 93), (4, 8)])
def test_dirichlet_on_two_levels_is_a_beta_distribution(successes: int, trials: int) -> None:
    interval = dirichlet_interval({1: successes, 0: trials - successes}, levels=(0, 1))
    a, b = successes + 0.5, trials - successes + 0.5
    assert abs(beta_share(float(interval.lower), a, b) - 0.025) < 0.004
    assert abs(beta_share(float(interval.upper), a, b) - 0.975) < 0.004


@SOME
@given(spreads)
def test_dirichlet_contains_the_mean_within_the_scale_and_mirrors(counts: list[int]) -> None:
    given_counts = dict(zip(STARS, counts, strict=True))
    interval = dirichlet_interval(given_counts)
    mean = Fraction(sum(star * count for star, count in given_counts.items()), sum(counts))
    assert 1 <= interval.lower <= mean <= interval.upper <= 5
    turned = dirichlet_interval({6 - star: count for star, count in given_counts.items()})
    assert (turned.lower, turned.upper) == (6 - interval.upper, 6 - interval.lower)


def test_more_ratings_narrow_the_interval() -> None:
    few, many = dirichlet_interval({5: 9, 4: 1}), dirichlet_interval({5: 900, 4: 100})
    assert many.upper - many.lower < few.upper - few.lower
    assert dirichlet_interval({5: 1}).lower < dirichlet_interval({5: 215}).lower < 5


@pytest.mark.parametrize("distribution", [{}, {5: 0}, {6: 3}, {5: -1, 4: 3}])
def test_what_is_no_spread_of_stars_is_refused(distribution: dict[int, int]) -> None:
    with pytest.raises(Malformed):
        dirichlet_interval(distribution)


def test_shrinkage_gives_the_published_values_and_names_its_prior() -> None:
    usual = Decimal("0.939")
    assert shrink(3, 47, usual, source="contextMean") == Shrunk(Decimal("0.217"), usual, 10, "contextMean")
    assert shrink(79, 93, usual, source="contextMean").value == Decimal("0.858")


@given(shares, st.integers(0, 60), st.integers(1, 60))
def test_shrinkage_is_what_so_many_more_trials_would_have_given(
    counted: tuple[int, int], usual: int, strength: int
) -> None:
    """Second method: add the trials of the prior one by one, and take the plain share of all of them."""
    usual = min(usual, strength)
    seen = [1] * counted[0] + [0] * (counted[1] - counted[0]) + [1] * usual + [0] * (strength - usual)
    found = shrink(*counted, Decimal(usual) / strength, source="x", strength=strength)
    assert abs(Fraction(found.value) - Fraction(sum(seen), len(seen))) <= Fraction(1, 2000)


@given(spreads, spreads, st.integers(1, 50))
def test_star_shrinkage_is_what_the_context_would_have_added(
    counts: list[int], usual: list[int], strength: int
) -> None:
    """Second method: every level on its own, in fractions, as the Dirichlet-multinomial posterior has it."""
    found = shrink_stars(stars(counts), stars(usual), source="contextDistribution", strength=strength)
    alphas = [Fraction(strength * count, sum(usual)) for count in usual]
    shares_ = [(count + alpha) / (sum(counts) + strength) for count, alpha in zip(counts, alphas, strict=True)]
    exact = sum((star * part for star, part in zip(STARS, shares_, strict=True)), Fraction())
    assert sum(shares_) == 1
    assert abs(Fraction(found.value) - exact) <= Fraction(1, 2000)
    assert (found.strength, found.source) == (strength, "contextDistribution")


def test_few_ratings_are_pulled_far_and_many_are_not() -> None:
    context = {5: 900, 4: 80, 1: 20}
    few, many = (shrink_stars({1: count}, context, source="x").value for count in (2, 2000))
    assert many < Decimal("1.02") < Decimal(4) < few


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: shrink(4, 3, Decimal("0.5"), source="x"),
        lambda: shrink(1, 3, Decimal("1.5"), source="x"),
        lambda: shrink(1, 3, Decimal("0.5"), source=""),
        lambda: shrink(1, 3, Decimal("0.5"), source="x", strength=0),
        lambda: shrink_stars({5: 1}, {}, source="x"),
        lambda: shrink_stars({5: -1}, {5: 1}, source="x"),
        lambda: top_rater([]),
        lambda: top_rater([3, 0]),
        lambda: share(1, 0),
        lambda: effective_share(5, 4),
    ],
)
def test_what_cannot_be_counted_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(Malformed):
        wrong()


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_the_top_rater_is_the_commonest_name_on_the_ratings(given_by: list[int]) -> None:
    """Second method: write every rating's rater down and count the names."""
    names = Counter(f"rater {rater}" for rater, count in enumerate(given_by) for _ in range(count))
    found = top_rater(given_by)
    ((_, most),) = names.most_common(1)
    assert found.raters == len(names)
    assert abs(Fraction(found.share) - Fraction(most, names.total())) <= Fraction(1, 2000)


def test_one_rater_of_nearly_all_ratings_is_seen() -> None:
    assert top_rater([44, 2, 1]) == TopRater(Decimal("0.936"), 3)


@given(st.integers(1, 4000).flatmap(lambda jobs: st.tuples(st.just(jobs), st.integers(0, jobs))), st.randoms())
def test_silence_counts_in_the_effective_share(counted: tuple[int, int], chance: random.Random) -> None:
    """Second method: one entry for each job, most of them silent, and the share of happy ones among all."""
    jobs, happy = counted
    answers = ["happy"] * happy + ["unhappy" if chance.random() < 0.1 else "silent" for _ in range(jobs - happy)]
    assert abs(Fraction(effective_share(happy, jobs)) - Fraction(answers.count("happy"), len(answers))) <= Fraction(
        1, 2000
    )


def test_silence_counts() -> None:
    assert effective_share(1650, 3448) == Decimal("0.479")


def test_positive_is_above_the_middle() -> None:
    five, one, nothing = Decimal(5), Decimal(1), Decimal(0)
    assert [star for star in STARS if is_positive(Decimal(star), five, one)] == [4, 5]
    assert [is_positive(value, one, nothing) for value in (nothing, one)] == [False, True]


def test_fewer_than_five_are_too_few() -> None:
    assert [count for count in range(10) if too_few(count)] == [0, 1, 2, 3, 4]


def test_a_place_among_many_equals_is_wide() -> None:
    context = {1: Decimal("3.5"), 50: Decimal("4.85"), 75: Decimal(5), 99: Decimal(5)}
    assert percentile_of(Decimal("4.6"), context) == (1, 50)
    assert percentile_of(Decimal("4.85"), context) == (1, 75)
    assert percentile_of(Decimal(5), context) == (50, 100)
    assert percentile_of(Decimal(3), context) == (0, 1)
    with pytest.raises(Malformed):
        percentile_of(Decimal(3), {})


@given(st.lists(st.integers(0, 50), min_size=1, max_size=200))
def test_quantiles_are_values_that_so_many_do_not_exceed(values: list[int]) -> None:
    for percent, figure in quantiles([Decimal(value) for value in values]).items():
        at_most = sum(value <= figure for value in values)
        below = sum(value < figure for value in values)
        assert figure in values
        assert below * 100 < percent * len(values) <= at_most * 100


# A figure about ratings, an interval, a share, a count, a question answered by yes or no: and nothing about a person.
RETURNED = {Interval, Shrunk, TopRater, Decimal, bool, str, tuple[str, ...], tuple[int, int], dict[int, Decimal]}
RANKING = re.compile(
    r"\b(rank\w*|score\w*|grade\w*|graded|tier|badge|trustworth\w*|reliab\w*|best worker|better than)\b", re.IGNORECASE
)


def public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name, value in vars(module).items():
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__:
            yield name, value


@pytest.mark.parametrize("module", [statistics, bands])
def test_no_function_returns_a_rank_or_a_grade_of_a_person(module: ModuleType) -> None:
    found = dict(public(module))
    assert len(found) >= 5
    for name, value in found.items():
        told = f"{name.replace('_', ' ')} {value.__doc__}".replace("Wilson's score interval", "")
        assert value.__doc__, name
        assert not RANKING.search(told), name
        if inspect.isfunction(value):
            hints = get_type_hints(value)
            assert hints["return"] in RETURNED, name
            assert not {"worker", "person", "workers", "people"} & hints.keys(), name
        else:
            assert dataclasses.is_dataclass(value), name
            assert {field.name for field in dataclasses.fields(value)} <= {
                *("lower", "upper"), *("value", "mean", "strength", "source"), *("share", "raters")
            }  # fmt: skip


def test_nobody_is_placed_among_others_in_anything_that_is_signed_or_shown() -> None:
    """``percentile_of`` is for the worker's own eyes: no issuer states it, no verifier prints it."""
    root = Path(__file__).resolve().parents[1]
    users = [path for package in ("issuer", "verifier", "ouvrage") for path in (root / package).rglob("*.py")]
    assert len(users) > 20
    assert [path.name for path in users if "percentile_of" in path.read_text(encoding="utf-8")] == []


@given(st.decimals(0, 9999, places=2), st.lists(st.integers(0, 9999), unique=True, max_size=12))
def test_reached_rungs_are_those_below(value: Decimal, ladder: list[int]) -> None:
    steps = reached(value, ladder)
    assert [read_rung(step) for step in steps] == [number for number in sorted(ladder) if number <= value]
    assert list(steps) == sorted(steps)
    assert rungs(ladder)[: len(steps)] == steps


def test_rungs_are_written_with_six_digits() -> None:
    assert rung(1500) == "001500"
    assert read_rung("001500") == 1500
    assert reached(Decimal("1499.99"), (1000, 1500)) == ("001000",)
    assert reached(Decimal("1500.00"), (1000, 1500)) == ("001000", "001500")


@pytest.mark.parametrize("text", ["1500", "1500000", "00150a", "", "+01500", "٠٠١٥٠٠"])
def test_other_spellings_of_a_rung_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        read_rung(text)


@pytest.mark.parametrize("number", [-1, 1_000_000])
def test_a_rung_has_bounds(number: int) -> None:
    with pytest.raises(Malformed):
        rung(number)


# Bands.


@given(spreads)
def test_a_band_holds_the_interval_and_is_as_coarse_as_it_says(counts: list[int]) -> None:
    """Second method: of all pairs of half points, the closest ones around the interval."""
    interval = dirichlet_interval(stars(counts))
    halves = [Decimal(point) / 2 for point in range(2, 11)]
    found = band(interval, Decimal(5), Decimal(1))
    assert found.lower == max(half for half in halves if half <= interval.lower)
    assert found.upper == min(half for half in halves if half >= interval.upper)


@pytest.mark.parametrize(
    ("worst", "best", "step"),
    [("0", "1", "0.1"), ("1", "5", "0.5"), ("1", "3", "0.5"), ("0", "10", "1"), ("0", "100", "10"), ("1", "100", "10")],
)
def test_the_step_of_a_band_fits_its_scale(worst: str, best: str, step: str) -> None:
    assert band_step(Decimal(best), Decimal(worst)) == Decimal(step)


def test_a_band_is_never_without_width() -> None:
    point = Interval(Decimal(4), Decimal(4))
    assert band(point, Decimal(5), Decimal(1)) == Interval(Decimal(4), Decimal("4.5"))
    top = Interval(Decimal(5), Decimal(5))
    assert band(top, Decimal(5), Decimal(1)) == Interval(Decimal("4.5"), Decimal(5))
    with pytest.raises(Malformed):
        band_step(Decimal(1), Decimal(1))


def test_steps_and_tenths() -> None:
    assert [step_reached(count) for count in (5, 9, 10, 499, 10**6)] == [
        *("000005", "000005", "000010", "000200", "005000")
    ]  # fmt: skip
    assert [tenth(Decimal(text)) for text in ("0", "0.05", "0.15", "0.25", "0.949", "0.951", "1")] == [
        *("0", "0", "0.2", "0.2", "0.9", "1", "1")
    ]  # fmt: skip
    assert coarse({5: 110, 4: 12, 3: 3, 2: 1, 1: 2}) == ("1 0", "2 0", "3 0", "4 0.1", "5 0.9")
    for wrong in (lambda: step_reached(4), lambda: coarse({5: 0})):
        with pytest.raises(Malformed):
            wrong()
    assert list(STEPS) == sorted(STEPS)
