"""The flagging rule on signals put in by hand."""

import numpy as np
import pytest

from geo.analysis.flagging import groups, ppv, signals, suspicion
from geo.season import Season
from geo.settings import FlaggingSettings

SETTINGS = FlaggingSettings()
DAYS = np.array([20.0, 50.0, 70.0, 100.0])


def stack() -> np.ndarray:
    """Four quiet scenes of 60 × 60 cells: index 0.3 with a ripple of 0.02."""
    ripple = np.random.default_rng(3).normal(0.3, 0.02, (4, 60, 60))
    return ripple.astype(np.float32)


def measured(index: np.ndarray, settings: FlaggingSettings = SETTINGS) -> np.ndarray:
    return signals(index, DAYS, season=Season(2026), cell_m=10.0, settings=settings).candidate


def test_a_patch_that_greens_in_flower_is_flagged_and_nothing_else() -> None:
    index = stack()
    index[3, 20:23, 30:33] = 0.7
    expected = np.zeros((60, 60), bool)
    expected[20:23, 30:33] = True
    assert np.array_equal(measured(index), expected)


def test_a_patch_that_peaks_with_the_rapeseed_is_not_flagged() -> None:
    index = stack()
    index[2, 20:23, 30:33] = 0.7
    index[3, 20:23, 30:33] = 0.6
    assert not measured(index).any()


def test_a_valley_that_greens_as_a_whole_is_not_flagged() -> None:
    index = stack()
    index[3] += 0.4
    assert measured(index).mean() < 0.01


def test_evergreen_ground_is_not_flagged() -> None:
    index = stack()
    index[:, 20:23, 30:33] = 0.7
    assert not measured(index).any()


def test_cloud_in_flower_hides_the_patch_and_cloud_before_hides_its_rise() -> None:
    index = stack()
    index[3, 20:23, 30:33] = 0.7
    index[3, 20, 30] = np.nan
    index[:3, 22, 32] = np.nan
    found = measured(index)
    assert not found[20, 30]
    assert not found[22, 32]
    assert found[21, 31]


def test_a_group_below_the_smallest_area_is_dropped() -> None:
    candidate = np.zeros((9, 9), bool)
    candidate[1, 1] = candidate[5, 5] = candidate[6, 6] = True
    label = groups(candidate, cell_m=10.0, settings=SETTINGS)
    assert label[1, 1] == 0
    assert label[5, 5] == label[6, 6] == 1


def test_suspicion_is_a_rank_between_0_and_1_that_grows_with_both_signals() -> None:
    rank = suspicion([0.12, 0.24, 9.0], [3.0, 3.0, 99.0], SETTINGS)
    assert rank.tolist() == pytest.approx([0.25, 0.375, 1.0])


def test_most_flags_are_false_where_plots_are_rare() -> None:
    """Se .85, Sp .999, one plot per 10,000 tiles: 7.8 % of the flags are right."""
    assert ppv(0.85, 0.999, 1e-4) == pytest.approx(0.0783, abs=5e-5)
