"""The calibration benchmark: its walker against closed forms, its dice and intervals by hand, and a short run."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from benchmarks.calibration import judge, one_season, roll, tenth, walk_past
from geo.analysis.detection import InverseCube

NEW_YEAR = 1_767_196_800.0  # midnight of 1 January 2026 in China
FLOWER_DAY = 80


def walked(heights: np.ndarray, plot: tuple[float, float], *, width: float = 20.0, reach: float = 150.0) -> float:
    """Hazard in March of a plot (cells) from a pass along row 50 from west to east, a step a metre, on `heights`."""
    places = np.stack([np.linspace(0.0, 99.0, 100), np.full(100, 50.0)], axis=1)
    seconds = NEW_YEAR + FLOWER_DAY * 86400.0 + np.arange(100) * 10.0
    track = np.zeros(100, np.int64)
    found = walk_past(
        heights, np.array([plot]), np.full((1, 3), width), np.array([0.0, 69.0, 110.0]), 3.0, NEW_YEAR, places, seconds,
        track, np.full(100, 2), np.ones(1), 1.6, 0.8, reach, 1.0,
    )  # fmt: skip
    return float(found[0, 2])


@given_settings(max_examples=20, deadline=None)
@given(st.floats(0.3, 12.0), st.floats(20.0, 80.0))
def test_the_walker_agrees_with_the_closed_form_on_flat_ground(offset, along):
    """Steps of one metre: the midpoint rule is exact to a thousandth from three metres away on."""
    law = InverseCube(20.0, 150.0)
    exact = float(law.along(offset * 10.0, -along * 10.0, (99.0 - along) * 10.0))
    assert walked(np.full((100, 100), 1000.0), (along, 50.0 + offset)) == pytest.approx(exact, rel=5e-3)


def test_a_wall_hides_a_plot_from_the_walker():
    heights = np.full((100, 100), 1000.0)
    heights[53] = 1050.0
    assert walked(heights, (50.0, 56.0)) == 0.0
    assert walked(heights, (50.0, 44.0)) > 0.0


def test_the_walker_sees_nothing_beyond_the_reach():
    assert walked(np.full((100, 100), 1000.0), (50.0, 50.0 + 15.1)) == 0.0
    assert walked(np.full((100, 100), 1000.0), (50.0, 50.0 + 14.9)) > 0.0


def test_intervals_are_those_of_clopper_and_pearson():
    """None of 300 wrong: the lower end is .025^(1/300); half of ten: .1871 to .8129."""
    sure = tenth(np.full(300, 0.95), np.ones(300, bool), 0.9, 1.0)
    assert sure["ci_low"] == pytest.approx(0.025 ** (1 / 300))
    assert sure["ci_high"] == 1.0
    assert not sure["passed"]
    half = tenth(np.full(10, 0.5), np.arange(10) < 5, 0.5, 0.6)
    assert (half["ci_low"], half["ci_high"]) == pytest.approx((0.18709, 0.81291), abs=1e-5)
    assert not half["counted"]


def quiet(said: np.ndarray, truth: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"said": said, "stands": ~truth, "found": np.zeros(len(said), bool)})


def test_saying_too_much_or_too_little_fails_and_too_few_around_90_fail():
    said = np.repeat([0.55, 0.75, 0.92], 1000)
    right = np.concatenate([np.arange(1000) < p * 1000 for p in (0.55, 0.75, 0.92)])
    assert judge(quiet(said, right))["passed"]
    assert not judge(quiet(said + 0.04, right))["passed"]
    assert not judge(quiet(said - 0.04, right))["passed"]
    assert not judge(quiet(said[:2200], right[:2200]))["passed"]


@given_settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_the_dice_are_fair_for_every_month_of_arrival(seed):
    """Half free, .3 standing from the start and found with .4, .2 come in the second month and found with .1."""
    n = 3000
    table = {
        "said": np.linspace(0.4, 0.9, n),
        "free": 0.5,
        "came_0": 0.3,
        "came_1": 0.2,
        "found_0": 0.4,
        "found_1": 0.1,
    }
    rolled = roll(pd.DataFrame(table, index=range(n)), np.random.default_rng(seed))
    assert rolled["stands"].mean() == pytest.approx(0.5, abs=0.002)
    assert rolled["found"].mean() == pytest.approx(0.3 * 0.4 + 0.2 * 0.1, abs=0.004)
    assert not (rolled["found"] & ~rolled["stands"]).any()


@pytest.mark.slow
def test_what_is_said_is_right_as_often_as_said():
    """Five seasons, 100 townships, 4,000 township-seasons: every tenth that holds 300 of them passes."""
    rng = np.random.default_rng(7)
    priors = (0.5, 0.9, 0.7, 0.9, 0.8)
    worlds = pd.concat([one_season(rng, prior, 40) for prior in priors], ignore_index=True)
    assert worlds["detection"].max() > 0.6
    assert worlds["found_0"].mean() == pytest.approx(worlds["detection"].mean(), rel=0.08)
    answer = judge(roll(worlds, rng))
    counted = [one for one in answer["tenths"] if one["counted"]]
    assert len(counted) >= 3
    assert all(one["passed"] for one in counted)
