"""The sweep width measured: hand-worked likelihoods, published samples, and known widths recovered from simulations."""

from dataclasses import replace
from math import log, pi, sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from geo.analysis.calibration import (
    DoubleSweep,
    calibrate,
    chance_found,
    coverage_of,
    width_from_range,
    width_of,
)
from geo.analysis.detection import InverseCube, chance
from geo.settings import DetectionSettings

ASSUMED = DetectionSettings()
UNCUT = DetectionSettings(availability=1 - 1e-12, reach_m=1e6)


def trials(distance, found, passes=1, cover="open", stage="flower"):
    """Rows of the layer."""
    n = len(distance)
    return pd.DataFrame(
        {
            "distance_m": np.asarray(distance, float),
            "found": np.asarray(found, bool),
            "passes_n": np.broadcast_to(passes, n).astype(float),
            "cover": np.broadcast_to(cover, n),
            "stage": np.broadcast_to(stage, n),
        }
    )


def drawn(rng, width, n=60, config=ASSUMED, **more):
    """Decoys spread evenly over two sweep widths, found as the law says."""
    rows = trials(rng.uniform(0.0, 2.0 * width, n), np.zeros(n), **more)
    return rows.assign(found=rng.uniform(size=n) < chance_found(rows, np.full(n, width), config))


@pytest.mark.parametrize(("found", "n", "passes"), [(15, 20, 1), (10, 20, 1), (10, 20, 3)])
def test_decoys_at_one_distance_give_the_width_by_hand(found, n, passes):
    """k of n at x: k·W²/(4π x²) = -ln(1 - k/n) per pass, so W = x √(4π (-ln(1 - k/n))/passes)."""
    rows = trials([12.0] * n, [i < found for i in range(n)], passes)
    by_hand = 12.0 * sqrt(4 * pi * -log(1 - found / n) / passes)
    assert width_of(rows, UNCUT).value == pytest.approx(by_hand, rel=1e-5)


def test_at_one_distance_the_interval_is_that_of_the_binomial_likelihood():
    """Both ends lie where twice the fall of the binomial log-likelihood is the 90 % point of chi-square with 1 df."""
    got = width_of(trials([12.0] * 20, [i < 10 for i in range(20)]), UNCUT)
    for end in (got.low, got.high):
        p = 1 - np.exp(-(end**2) / (4 * pi * 144.0))
        fall = 20 * log(0.5) - 10 * (log(p) + log(1 - p))
        assert 2 * fall == pytest.approx(stats.chi2.ppf(0.9, 1), rel=1e-5)
    assert got.low < got.value < got.high


def test_the_chance_of_one_pass_is_the_lateral_range_curve_times_availability():
    rows = trials([0.0, 3.0, 17.0, 149.0, 151.0], [True] * 5)
    law = InverseCube(30.0)
    assert chance_found(rows, np.full(5, 30.0), ASSUMED) == pytest.approx(0.85 * chance(law, rows["distance_m"]))
    assert chance_found(rows, np.full(5, 30.0), ASSUMED)[-1] == 0.0


@pytest.mark.parametrize("model", ["inverse_cube", "gaussian"])
@pytest.mark.parametrize("width", [6.0, 20.0, 30.0])
def test_a_known_width_is_recovered_from_simulated_decoys(model, width):
    """Median of 40 experiments of 60 decoys within 10 %; at least 80 % of the 90 % intervals hold the truth."""
    rng, config = np.random.default_rng(int(width)), replace(ASSUMED, model=model)
    got = [width_of(drawn(rng, width, config=config), config) for _ in range(40)]
    assert np.median([one.value for one in got]) == pytest.approx(width, rel=0.1)
    held = np.mean([one.low <= width <= (np.inf if one.high is None else one.high) for one in got])
    assert held >= 0.8


def test_nothing_found_gives_no_width_but_an_upper_limit():
    got = width_of(trials([5.0, 10.0, 15.0], [False] * 3), ASSUMED)
    assert (got.value, got.low, got.reason) == (0.0, 0.0, "none_found")
    assert 0.0 < got.high < 150.0


def test_everything_found_gives_a_lower_limit_only():
    got = width_of(trials([5.0, 10.0, 15.0] * 4, [True] * 12), ASSUMED)
    assert (got.value, got.high, got.reason) == (None, None, "all_found")
    assert 15.0 < got.low < 150.0


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_one_more_find_never_narrows_the_width(seed):
    rng = np.random.default_rng(seed)
    rows = drawn(rng, 20.0, n=25)
    missed = np.flatnonzero(~rows["found"].to_numpy())
    if not len(missed):
        return
    before = width_of(rows, ASSUMED)
    rows.loc[missed[0], "found"] = True
    after = width_of(rows, ASSUMED)
    assert (np.inf if after.value is None else after.value) >= before.value - 1e-6


def test_each_cover_and_stage_has_its_own_width_and_all_share_one_factor():
    """True widths 1.5 times the assumed ones (open flower 30, scrub seedling 4 m)."""
    rng = np.random.default_rng(2)
    parts = [
        drawn(rng, 45.0, n=150, cover="open", stage="flower"),
        drawn(rng, 6.0, n=150, cover="scrub", stage="seedling"),
    ]
    found = calibrate(pd.concat(parts, ignore_index=True), ASSUMED)
    assert found.widths["assumed_m"].tolist() == [30.0, 4.0]
    assert found.widths["n"].tolist() == [150, 150]
    assert found.widths["width_m"].tolist() == pytest.approx([45.0, 6.0], rel=0.25)
    assert found.factor.low < found.factor.value < found.factor.high
    assert found.factor.high - found.factor.low < found.widths.eval("(high_m - low_m) / assumed_m").min()
    assert found.factor.value == pytest.approx(1.5, abs=0.25)
    assert found.bands["n"].sum() == 300
    assert found.bands["expected_n"].sum() == pytest.approx(found.bands["found_n"].sum(), rel=0.1)


def test_trials_without_cover_are_fitted_but_enter_no_common_factor():
    rows = trials([10.0] * 4, [True, False, True, False]).assign(cover=None, stage=None)
    found = calibrate(rows, ASSUMED)
    assert found.factor is None
    assert found.widths["cover"].isna().all()
    assert found.widths["assumed_m"].isna().all()
    assert found.widths["width_m"].iloc[0] > 0.0


def test_a_find_beyond_the_reach_is_counted_and_does_not_break_the_fit():
    found = calibrate(trials([10.0, 10.0, 170.0], [True, False, True]), ASSUMED)
    assert found.beyond_reach_n == 1
    assert found.widths["low_m"].iloc[0] > 20.0


def test_the_range_of_detection_gives_the_width_by_koesters_factors():
    assert width_from_range([10.0], "high").value == pytest.approx(18.0)
    assert width_from_range([10.0], "medium").value == pytest.approx(16.0)
    assert width_from_range([10.0], "low").value == pytest.approx(11.0)
    got = width_from_range([8.0, 10.0, 12.0], "high")
    assert (got.high - got.low) / 2 == pytest.approx(1.8 * 2.919986 * 2.0 / sqrt(3), rel=1e-5)
    assert width_from_range([10.0], "high").high is None
    for bad in ([], [0.0]):
        with pytest.raises(ValueError, match="above 0"):
            width_from_range(bad, "high")
    with pytest.raises(ValueError, match="visibility"):
        width_from_range([5.0], "hazy")


def test_chapmans_number_and_variance_are_those_worked_by_hand():
    """n1 = 10, n2 = 15, m = 5: N = 28.33; variance 11·16·5·10/(36·7) = 34.92."""
    plots = DoubleSweep(10, 15, 5).plots
    assert plots.value == pytest.approx(11 * 16 / 6 - 1)
    hidden = plots.value - 20
    width = 1.6448536 * sqrt(np.log(1 + 34.920635 / hidden**2))
    assert plots.low == pytest.approx(20 + hidden * np.exp(-width), rel=1e-6)
    assert plots.high == pytest.approx(20 + hidden * np.exp(width), rel=1e-6)
    assert DoubleSweep(5, 5, 5).plots.value == 5.0


def test_detection_has_the_exact_binomial_interval():
    """5 of 15 and 5 of 10, ends where the binomial tail is 5 %."""
    sweep = DoubleSweep(10, 15, 5)
    for team, n in ((1, 15), (2, 10)):
        got = sweep.detection(team)
        assert stats.binom.sf(4, n, got.low) == pytest.approx(0.05)
        assert stats.binom.cdf(5, n, got.high) == pytest.approx(0.05)


def test_coverage_inverts_both_of_koopmans_columns():
    assert coverage_of(0.393469, "random") == pytest.approx(0.5, abs=1e-5)
    assert coverage_of(0.469116, "parallel") == pytest.approx(0.5, abs=1e-5)
    with pytest.raises(ValueError, match="pattern"):
        coverage_of(0.5, "spiral")


@pytest.mark.parametrize(("spacing", "width"), [(40.0, 20.0), (25.0, 30.0)])
def test_a_known_width_is_recovered_from_simulated_double_sweeps(spacing, width):
    """
    Two teams walk lines over 1 km², one across the other; each plot that can be seen is found by the law, plots hidden
    from both (a = .85) by nobody. Median within 10 %, at least 80 % of the 90 % intervals hold the truth.
    """
    rng, got = np.random.default_rng(11), []
    law = InverseCube(width, reach_m=500.0)
    for _ in range(40):
        plots = rng.uniform(0.0, 1000.0, (2, 120))
        shown = rng.uniform(size=120) < 0.85
        found = []
        for way in (0, 1):
            lines = np.arange(-500.0, 1500.0, spacing) + rng.uniform(0.0, spacing)
            missed = np.prod(1.0 - chance(law, plots[way][:, None] - lines), axis=1)
            found.append(shown & (rng.uniform(size=120) < 1.0 - missed))
        sweep = DoubleSweep(int(found[0].sum()), int(found[1].sum()), int((found[0] & found[1]).sum()))
        got.append(sweep.width(1, walked_m=1e6 / spacing, area_m2=1e6, pattern="parallel"))
    assert np.median([one.value for one in got]) == pytest.approx(width, rel=0.1)
    held = np.mean([one.low <= width <= (np.inf if one.high is None else one.high) for one in got])
    assert held >= 0.8


def test_double_sweeps_without_common_finds_or_without_misses_say_so():
    kind = {"walked_m": 50_000.0, "area_m2": 1e6}
    none, every = DoubleSweep(3, 4, 0).width(1, **kind), DoubleSweep(4, 4, 4).width(1, **kind)
    assert (none.value, none.low, none.reason) == (0.0, 0.0, "none_found")
    assert none.high > 0.0
    assert (every.value, every.high, every.reason) == (None, None, "all_found")
    assert every.low > 0.0
    assert DoubleSweep(3, 0, 0).width(1, **kind).reason == "none_found"


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="both_n"):
        DoubleSweep(3, 4, 4)
    with pytest.raises(ValueError, match="walked_m"):
        DoubleSweep(3, 4, 2).width(1, walked_m=0.0, area_m2=1e6)
