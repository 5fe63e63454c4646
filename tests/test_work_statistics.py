"""Statistics against published values and against a second method each."""

import random
from decimal import Decimal
from fractions import Fraction
from math import asin, cos, fsum, pi, sin, sqrt
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.work_samples import SOME
from vc.errors import Malformed
from work import statistics
from work.ladders import reached, read_rung, rung, rungs
from work.statistics import (
    MIN_STARS,
    STARS,
    Interval,
    dirichlet_interval,
    effective_share,
    percentile_of,
    quantiles,
    shrink,
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


def test_shrinkage_gives_the_published_values() -> None:
    assert shrink(3, 47, Decimal("0.939")) == Decimal("0.217")
    assert shrink(79, 93, Decimal("0.939")) == Decimal("0.858")


@given(shares, st.integers(0, 1000), st.integers(1, 100))
def test_shrinkage_lies_between_the_share_and_the_prior(counted: tuple[int, int], prior: int, strength: int) -> None:
    successes, trials = counted
    ends = sorted((Fraction(successes, trials), Fraction(prior, 1000)))
    assert (
        ends[0] - Fraction(1, 2000)
        <= shrink(successes, trials, Decimal(prior) / 1000, strength)
        <= ends[1] + Fraction(1, 2000)
    )


def test_silence_counts() -> None:
    assert effective_share(1650, 3448) == Decimal("0.479")
    with pytest.raises(Malformed):
        effective_share(5, 4)


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


def test_no_function_ranks_or_grades_a_person() -> None:
    names = [name for name in vars(statistics) if not name.startswith("_")]
    assert not [name for name in names if any(word in name.lower() for word in ("score", "rank", "grade", "best_of"))]


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
